"""Checks that our tables and those of Spark, delta-rs and DuckDB are the same thing; see ./run."""
import argparse
import os
import shutil
import sys
import tempfile

import altered
import checks
import damage
import mixed
import ours
import parquet_files
import queries
import reading
import rules
import shared_life
import spark_combined  # adds its tables to those of spark_tables
import spark_tables
import theirs
from dwpeers import product, spark

SPARK_FOLDER = os.path.join(spark.PEERS, "tables", "spark")
READING_FOLDER = os.path.join(spark.PEERS, "tables", "reading")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="without Spark")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="checks whose name has a word")
    parser.add_argument("--fresh", action="store_true", help="let Spark write its tables anew")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the tables there")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    product.program()
    folder = options.keep or tempfile.mkdtemp(prefix="dw-interop-")
    engines = ["deltaworks", "delta-rs", "duckdb"] + ([] if options.sample else ["spark"])
    run = checks.Run(os.path.abspath(folder), engines, options.only, options.verbose)
    try:
        if not options.sample and (options.fresh or not spark_tables.is_fresh(SPARK_FOLDER)):
            spark_tables.generate(SPARK_FOLDER)
        if not options.sample and (options.fresh or not reading.is_fresh(READING_FOLDER)):
            reading.generate(READING_FOLDER)
        ours.run_all(run)
        damage.run_all(run)
        queries.run_all(run)
        parquet_files.run_all(run)
        if spark_tables.is_fresh(SPARK_FOLDER):
            theirs.run_all(run, SPARK_FOLDER)
        else:
            print("without the tables of Spark: tests/interop/run makes them")
            theirs.run_all(run, None)
        if reading.is_fresh(READING_FOLDER):
            reading.run_all(run, READING_FOLDER)
        mixed.run_all(run, SPARK_FOLDER)
        shared_life.run_all(run)
        rules.run_all(run)
        altered.run_all(run)
        run.check_tables("written", run.folder)
        for folder in (SPARK_FOLDER, READING_FOLDER):
            run.check_tables("spark", folder)
    finally:
        spark.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return run.finish()


if __name__ == "__main__":
    sys.exit(main())
