"""Every engine that runs inside this process, behind one function: path -> Arrow table."""
import glob
import os
import pathlib
import sys

import pyarrow as pa


def uri(path):
    """delta-rs takes a plain path for a URI and decodes the percent signs in it."""
    return pathlib.Path(os.path.abspath(path)).as_uri()


def delta_rs(path, version=None):
    from deltalake import DeltaTable, QueryBuilder

    table = DeltaTable(uri(path), version=version)
    builder = QueryBuilder().register("t", table)
    return pa.table(builder.execute("SELECT * FROM t").read_all())


def duckdb_connection(*extensions):
    """DuckDB with extensions from their wheels: nothing is fetched at run time."""
    import duckdb

    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    for name in extensions:
        for site in sys.path:
            pattern = f"{site}/duckdb_extension_{name}/extensions/*/{name}.duckdb_extension"
            found = glob.glob(pattern)
            if found:
                con.execute(f"LOAD '{found[0]}'")
                break
        else:
            raise SystemExit(f"DuckDB's extension '{name}' is not installed: tools/peers/setup.sh")
    return con


def duckdb(path, version=None):
    """A database of its own for each read: an internal error makes the whole instance unusable."""
    con = duckdb_connection("delta")
    quoted = uri(path).replace("'", "''")
    at = "" if version is None else f", version={int(version)}"
    return con.execute(f"SELECT * FROM delta_scan('{quoted}'{at})").to_arrow_table()
