"""Checks that our tables and those of Spark, delta-rs and DuckDB are the same thing; see ./run."""
import argparse
import os
import shutil
import sys
import tempfile

import altered
import checks
import columns
import compatibility
import damage
import mixed
import ours
import parquet_files
import queries
import reading
import rules
import shared_life
import spark_oddities  # adds its tables to those of spark_tables, as the next does
import spark_combined
import spark_tables
import theirs
import upkeep
import variants
from dwpeers import product, spark

STORES = {"spark": spark_tables.STORE, "reading": reading.STORE}


def generate(options):
    """The tables of Spark that the checks need."""
    def wanted(name):
        asked = (f"spark/{name} ", f"mixed/changes of spark's {name} ", f"reading/{name} ", f"fsck/spark/{name}/")
        return not options.only or any(word in text for word in options.only for text in asked)

    for store in STORES.values():
        store.generate(options.fresh, wanted)
    spark_tables.define(wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="without Spark")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="checks whose name has a word")
    parser.add_argument("--fresh", action="store_true", help="let Spark write its tables anew")
    parser.add_argument("--generate", action="store_true", help="only let Spark write its tables")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the tables there")
    parser.add_argument("--write-docs", action="store_true", help="write what was found into the docs")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    product.program()
    folder = options.keep or tempfile.mkdtemp(prefix="dw-interop-")
    engines = ["deltaworks", "delta-rs", "duckdb"] + ([] if options.sample else ["spark"])
    run = checks.Run(os.path.abspath(folder), engines, options.only, options.verbose)
    try:
        if not options.sample:
            generate(options)
        if options.generate:
            return 0
        for prefix, store in STORES.items():
            for name, reason in store.failures().items():
                run.check(f"{prefix}/{name} written", lambda reason=reason: f"Spark did not write it: {reason}")
        if not spark_tables.STORE.complete():
            print("without the tables of Spark: tests/interop/run makes them")
        ours.run_all(run)
        damage.run_all(run)
        queries.run_all(run)
        parquet_files.run_all(run)
        theirs.run_all(run, spark_tables.STORE)
        reading.run_all(run)
        mixed.run_all(run, spark_tables.STORE)
        shared_life.run_all(run)
        variants.run_all(run)
        rules.run_all(run)
        altered.run_all(run)
        columns.run_all(run)
        upkeep.run_all(run)
        if not options.only or options.write_docs:
            compatibility.run_all(run, options.write_docs)
        run.check_tables("written", run.folder, "")
        for prefix, store in STORES.items():
            for name in store.complete():
                run.check_tables(prefix, store.case(name), name)
        mixed.run_last(run)
    finally:
        spark.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return run.finish()


if __name__ == "__main__":
    sys.exit(main())
