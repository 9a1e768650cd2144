"""Reads the demo's table with other engines and prints what each found, beside how long it took."""
import os
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "peers"))

QUERY = "SELECT count(*), sum(delay), count(DISTINCT origin) FROM {}"


def with_delta_rs(path):
    import pyarrow as pa
    from deltalake import DeltaTable, QueryBuilder

    table = QueryBuilder().register("flights", DeltaTable(path))
    batches = table.execute(QUERY.format("flights")).read_all()
    return list(pa.table(batches).to_pylist()[0].values())


def with_duckdb(path):
    from dwpeers import readers

    connection = readers.duckdb_connection("delta")
    return list(connection.execute(QUERY.format(f"delta_scan('{path}')")).fetchone())


def with_spark(path):
    from dwpeers import spark

    return list(spark.session().sql(QUERY.format(f"delta.`{path}`")).collect()[0])


def main():
    path = os.path.abspath(sys.argv[1])
    found = {}
    for name, ask in (("delta-rs", with_delta_rs), ("DuckDB delta extension", with_duckdb),
                      ("Delta on Spark", with_spark)):
        start = time.monotonic()
        found[name] = ask(path)
        print(f"{name:24} flights, sum of delays, airports: {found[name]} "
              f"({time.monotonic() - start:.1f} s)", flush=True)
    answers = {tuple(int(x) for x in row) for row in found.values()}
    if len(answers) != 1:
        sys.exit("the engines do not agree")
    print("All agree.")


if __name__ == "__main__":
    main()
