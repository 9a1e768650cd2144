"""The peers' side of the benchmarks, with the step protocol of deltaworks_bench.c.

peer.py PEER WORKLOAD ARGUMENTS...: prepares, prints {"ready":true}; each line on standard input
runs one step, timed alone; at the end of input comes the peak of resident memory. Imports and
set-up are in no figure.
"""
import glob
import itertools
import json
import os
import random
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq

from dwpeers import readers

WORKLOADS = {}
APPENDED_ROWS_GROUP = 0


def workload(peer, name):
    def register(function):
        WORKLOADS[peer, name] = function
        return function

    return register


def peak_mb():
    with open("/proc/self/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return -1


# Each workload prepares and returns the function of one step: step number -> count, or a pair of
# the count and further figures.


@workload("delta-rs", "create")
def _(source, folder):
    from deltalake import WriterProperties, write_deltalake

    def step(i):
        file = pq.ParquetFile(source)
        batches = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(122880))
        zstd = WriterProperties(compression="ZSTD", compression_level=3)
        write_deltalake(f"{folder}/{i}", batches, writer_properties=zstd)
        return file.metadata.num_rows

    return step


@workload("duckdb", "copy")
def _(source, folder):
    con = readers.duckdb_connection()

    def step(i):
        os.makedirs(f"{folder}/{i}")
        target = f"{folder}/{i}/rows.parquet"
        query = f"COPY (SELECT * FROM '{source}') TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        return con.execute(query).fetchone()[0]

    return step


# The same as bench.py's CHANGES_OF_ROWS.
SCATTERED = "(l_orderkey * 7 + l_linenumber) % 100 = 3"


@workload("delta-rs", "delete")
def _(table, _source):
    from deltalake import DeltaTable

    return lambda _: DeltaTable(table).delete(SCATTERED)["num_deleted_rows"]


@workload("delta-rs", "update")
def _(table, _source):
    from deltalake import DeltaTable

    values = {"l_quantity": "l_quantity + 1", "l_comment": "'changed'"}
    return lambda _: DeltaTable(table).update(values, predicate=SCATTERED)["num_updated_rows"]


@workload("delta-rs", "merge")
def _(table, source):
    from deltalake import DeltaTable

    def step(_):
        merge = DeltaTable(table).merge(
            pq.read_table(source),
            predicate="t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber",
            source_alias="s",
            target_alias="t",
        )
        done = merge.when_matched_update_all().when_not_matched_insert_all().execute()
        return done["num_target_rows_updated"] + done["num_target_rows_inserted"]

    return step


@workload("delta-rs", "z-order")
def _(table, columns, size):
    from deltalake import DeltaTable

    names = [name.strip() for name in columns.split(",")]
    return lambda _: DeltaTable(table).optimize.z_order(names, target_size=int(size))["numFilesAdded"]


@workload("delta-rs", "vacuum")
def _(table, kind):
    from deltalake import DeltaTable

    def step(_):
        return len(DeltaTable(table).vacuum(
            retention_hours=0, dry_run=False, enforce_retention_duration=False, full=kind == "FULL"))

    return step


@workload("delta-rs", "append")
def _(table, source, rows):
    from deltalake import write_deltalake

    data = pq.ParquetFile(source).read_row_group(APPENDED_ROWS_GROUP).slice(0, int(rows))

    def step(_):
        write_deltalake(table, data, mode="append")
        return data.num_rows

    return step


@workload("delta-rs", "append-beside")
def _(table, source, rows):
    """The same beside others: a commit that fails for them counts as nothing."""
    from deltalake.exceptions import CommitFailedError

    append = WORKLOADS["delta-rs", "append"](table, source, rows)

    def step(i):
        try:
            return append(i)
        except CommitFailedError:
            return 0

    return step


@workload("duckdb", "append")
def _(table, source, rows):
    from deltalake import DeltaTable

    data = pq.ParquetFile(source).read_row_group(APPENDED_ROWS_GROUP).slice(0, int(rows))
    if not os.path.isdir(table):
        DeltaTable.create(table, schema=data.schema)
    con = readers.duckdb_connection("delta")
    con.execute(f"ATTACH '{table}' AS t (TYPE delta)")
    con.register("batch", data)
    con.execute("CREATE TABLE batch_rows AS SELECT * FROM batch")

    def step(_):
        return con.execute("INSERT INTO t SELECT * FROM batch_rows").fetchone()[0]

    return step


READERS = 50
ORDER_KEY_MAX = 6_000_000  # of TPC-H at scale factor 1


def readers_step(seconds, make_lookup, write):
    """Many threads look up rows of random keys while one more writes; queries done, and their p99."""
    end, latencies, errors = time.monotonic() + seconds, [], []

    def guarded(body):
        try:
            body()
        except Exception as e:  # the first failure ends the step
            errors.append(e)

    def read(k):
        lookup, chance = make_lookup(), random.Random(k)
        while not errors and time.monotonic() < end:
            started = time.perf_counter()
            lookup(chance.randrange(1, ORDER_KEY_MAX))
            latencies.append(time.perf_counter() - started)

    def go_on_writing():
        while not errors and time.monotonic() < end:
            write()

    bodies = [lambda k=k: read(k) for k in range(READERS)] + [go_on_writing]
    threads = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return len(latencies), {"p99": sorted(latencies)[len(latencies) * 99 // 100]}


LOOKUP = "SELECT * FROM {t} WHERE l_orderkey = {key}"


@workload("delta-rs", "readers")
def _(table, source, seconds):
    from deltalake import DeltaTable, QueryBuilder, write_deltalake

    data = pq.ParquetFile(source).read_row_group(APPENDED_ROWS_GROUP).slice(0, 1000)

    def lookup(key):
        fresh = QueryBuilder().register("t", DeltaTable(table))
        pa.table(fresh.execute(LOOKUP.format(t="t", key=key)))

    def write():
        write_deltalake(table, data, mode="append")

    return lambda _: readers_step(float(seconds), lambda: lookup, write)


@workload("duckdb", "readers")
def _(table, source, seconds):
    con, numbers = readers.duckdb_connection(), itertools.count()
    con.execute(f"CREATE TABLE batch AS SELECT * FROM '{source}' LIMIT 1000")
    files = f"read_parquet({sorted(glob.glob(table + '/*.parquet'))})"
    writer = con.cursor()

    def make_lookup():
        cursor = con.cursor()
        return lambda key: cursor.execute(LOOKUP.format(t=files, key=key)).fetchall()

    def write():
        writer.execute(f"COPY batch TO '{table}/beside-{next(numbers)}.parquet' (COMPRESSION zstd)")

    return lambda _: readers_step(float(seconds), make_lookup, write)


@workload("delta-rs", "open")
def _(table):
    from deltalake import DeltaTable

    return lambda _: len(DeltaTable(table).file_uris())


@workload("duckdb", "open")
def _(table):
    con = readers.duckdb_connection("delta")

    def step(_):
        files = con.execute(f"SELECT data_file FROM delta_list_files('{table}')").to_arrow_table()
        return files.num_rows

    return step


def duckdb_plan(con, table, where):
    """DuckDB plans by statistics, but does not tell how many files are left."""
    con.execute(f"EXPLAIN SELECT * FROM {table} WHERE {where}").fetchall()
    return -1


@workload("delta-rs", "plan_cold")
def _(table, where):
    from deltalake import DeltaTable

    return lambda _: len(DeltaTable(table).file_uris(file_pruning_predicate=where))


@workload("delta-rs", "plan_warm")
def _(table, where):
    from deltalake import DeltaTable

    opened = DeltaTable(table)
    return lambda _: len(opened.file_uris(file_pruning_predicate=where))


@workload("duckdb", "plan_cold")
def _(table, where):
    con = readers.duckdb_connection("delta")
    con.execute("SELECT 1").fetchall()
    return lambda _: duckdb_plan(con, f"delta_scan('{table}')", where)


@workload("duckdb", "plan_warm")
def _(table, where):
    con = readers.duckdb_connection("delta")
    con.execute(f"ATTACH '{table}' AS t (TYPE delta, PIN_SNAPSHOT)")
    duckdb_plan(con, "t", where)
    return lambda _: duckdb_plan(con, "t", where)


@workload("duckdb", "query")
def _(sql):
    con = readers.duckdb_connection()
    return lambda _: con.execute(sql).to_arrow_table().num_rows


@workload("duckdb-delta", "query")
def _(sql):
    con = readers.duckdb_connection("delta")
    return lambda _: con.execute(sql).to_arrow_table().num_rows


def main():
    step = WORKLOADS[sys.argv[1], sys.argv[2]](*sys.argv[3:])
    print('{"ready":true}', flush=True)
    for i, _ in enumerate(sys.stdin):
        cpu, wall = time.process_time(), time.perf_counter()
        found = step(i)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        count, more = found if isinstance(found, tuple) else (found, {})
        print(json.dumps({"wall": wall, "cpu": cpu, "count": count, **more}), flush=True)
    print(json.dumps({"peak_mb": round(peak_mb(), 1)}), flush=True)
    os._exit(0)  # a peer's own threads need not be waited for


if __name__ == "__main__":
    main()
