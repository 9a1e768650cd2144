"""One table, several engines writing to it in turns or at once."""
import os
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import ours
import theirs
import values
from dwpeers import product, readers, rows

ROUNDS = 3
APPENDS_EACH = 15


def append_ours(path, data):
    ours.insert(path, data)


def append_delta_rs(path, data):
    from deltalake import write_deltalake

    write_deltalake(path, data, mode="append")


def append_duckdb(path, data):
    con = readers.duckdb_connection("delta")
    con.register("new_rows", data)
    con.execute(f"ATTACH '{path}' AS t (TYPE delta)")
    con.execute("INSERT INTO t SELECT * FROM new_rows")


def has_no_type(t):
    """Of a column, or inside of it."""
    return pa.types.is_null(t) or pa.types.is_nested(t) and any(has_no_type(t.field(i).type) for i in range(t.num_fields))


def append_spark(path, data):
    from dwpeers import spark

    file = ours.source(path, data)
    frame = spark.session().read.parquet(file)
    # Spark takes a column without a type for integers when it reads it, and then refuses to append it.
    frame = frame.drop(*[f.name for f in data.schema if has_no_type(f.type)])
    frame.write.format("delta").mode("append").save(path)


APPENDS = {
    "deltaworks": append_ours,
    "delta-rs": append_delta_rs,
    "duckdb": append_duckdb,
    "spark": append_spark,
}


def batch(n):
    """Plain columns: what every engine here can write."""
    return values.skipping(n).select(["id", "s", "f", "big", "d", "b", "n"])


def in_turns(path, engines, first, **properties):
    """Every engine appends to a table that `first` created; all of them read the same at the end."""
    written = [batch(0)]
    if first == "deltaworks":
        properties = {"delta__enableDeletionVectors": "false", **properties}
        ours.create(path, written[0].schema, delta__checkpointInterval=5, **properties)
        ours.insert(path, written[0])
    else:
        APPENDS[first](path, written[0])
    for _ in range(ROUNDS):
        for engine in engines:
            data = batch(len(written))
            try:
                APPENDS[engine](path, data)
            except Exception as e:
                return f"{engine} could not append: {' '.join(str(e).split())[:300]}"
            written.append(data)
    expected = pa.concat_tables(written)
    for engine in engines:
        problem = rows.difference(expected, ours.READERS[engine](path))
        if problem:
            return f"read by {engine}: {problem}"
    return None


PEER_WRITER = """
import sys
from deltalake import write_deltalake
import pyarrow.parquet as pq
data = pq.read_table(sys.argv[2])
for _ in range(int(sys.argv[3])):
    write_deltalake(sys.argv[1], data, mode="append", commit_properties=None)
"""


def at_once(path):
    """We and delta-rs append at the same time: every acknowledged commit is there, once."""
    data = batch(0)
    ours.create(path, data.schema)
    file = ours.source(path, data)
    peer = subprocess.Popen([sys.executable, "-c", PEER_WRITER, path, file, str(APPENDS_EACH)])
    for _ in range(APPENDS_EACH):
        ours.insert(path, data)
    if peer.wait(timeout=120) != 0:
        return "delta-rs failed beside us"
    expected = pa.concat_tables([data] * (2 * APPENDS_EACH))
    for engine in ("deltaworks", "delta-rs"):
        problem = rows.difference(expected, ours.READERS[engine](path))
        if problem:
            return f"read by {engine}: {problem}"
    return None


def statements_at_once():
    """Processes of ours, some of which are killed, and threads of Spark change and read one table."""
    from dwpeers import spark

    spark.stop()  # it has a session of its own
    script = os.path.join(product.ROOT, "tests", "crash", "statements.py")
    done = subprocess.run([sys.executable, script, "mixed", "--spark", "2"], capture_output=True, text=True, timeout=600,
                          env={**os.environ, "DELTAWORKS_PROGRAM": product.program()})
    print(done.stdout.strip().replace("\n", "; "), flush=True)
    return None if done.returncode == 0 else done.stderr.strip()[-700:]


def delete_ours(path, condition):
    product.sql(f"DELETE FROM {product.table_sql(path)} WHERE {condition}")


def delete_spark(path, condition):
    from dwpeers import spark

    spark.session().sql(f"DELETE FROM delta.`{path}` WHERE {condition}")


def deletes_in_turns(path, first):
    """We and Spark delete from the same files by turns, and find the same rows each time."""
    deletes = {"deltaworks": delete_ours, "spark": delete_spark}
    data = batch(0)
    ours.create(path, data.schema, delta__enableDeletionVectors="true")
    APPENDS[first](path, data)
    for n in range(8):
        deletes[("deltaworks", "spark")[n % 2]](path, f"id % 9 = {n}")
        kept = [i % 9 > n for i in data["id"].to_pylist()]
        for engine in ("deltaworks", "spark", "duckdb"):
            problem = rows.difference(data.filter(pa.array(kept)), ours.READERS[engine](path))
            if problem:
                return f"after delete {n}, read by {engine}: {problem}"
    return None


# Tables of Spark that we must be able to append to. To the others we may append or say with exit
# status 4 which feature hinders us; what we then may not do is to break them.
APPENDABLE = {
    "flat_types",
    "nested_types",
    "decimals",
    "deletion_vectors",
    "many_commits",
    "multi_part_checkpoint",
    "few_statistics",
    "overwritten",
    "long_history",
    "type_widened",
    "mapped_by_name",
    "mapped_by_id",
    "mapped_by_upgrade",
    "mapped_with_deletion_vectors",
    "mapped_and_clustered",
    "mapped_and_widened",
    "partition_columns_in_files",
    "iceberg_v1",
    "iceberg_v2",
    *(f"partitioned_by_{t}" for t in values.PARTITION_VALUES),
}


def newest_version(path):
    names = os.listdir(f"{path}/_delta_log")
    return max(int(n[:20]) for n in names if re.fullmatch(r"\d{20}\.json", n))


def ids_of(data):
    """The ids that rows have, in order."""
    if theirs.key_column(data) != "id":
        return []
    return sorted({i for i in data["id"].to_pylist() if i is not None})


def without_id(data, i):
    return data.filter(pc.fill_null(pc.not_equal(data["id"], i), True))


def without_fields_of_no_type(row):
    """NULL where a value has such a field: Spark reads integers from a file, and then refuses to append them."""
    for i, field in enumerate(row.schema):
        if pa.types.is_nested(field.type) and has_no_type(field.type):
            row = row.set_column(i, field, pa.nulls(row.num_rows, field.type))
    return row


def same(path, expected, read):
    """Rows that may be written again: floats as we write them."""
    return rows.difference(ours.as_written(expected), ours.as_written(read(path)))


def change_spark_table(run, case, name):
    """We append a row again, delete some and write others anew; Spark reads, does so, too, and we read."""
    from dwpeers import spark

    path = run.path(f"appended/{name}")
    theirs.copy(os.path.join(case, "delta"), path)
    newest = newest_version(path)
    expected = pq.ParquetFile(os.path.join(case, "expected", f"{newest}.parquet")).read()
    row, ids = without_fields_of_no_type(expected.slice(0, 1)), ids_of(expected)
    try:
        ours.insert(path, row)
    except product.ProductError as e:
        if name in APPENDABLE:
            return f"expected an append, found {e}"
        if e.status != product.EXIT_UNSUPPORTED and "IDENTITY_EXPLICIT" not in e.stderr:
            return f"expected exit status 4, found {e}"
        if newest_version(path) != newest:
            return "the append was refused, and yet there is a new version"
        return None
    expected = pa.concat_tables([expected, row])
    if len(ids) > 3:
        delete_ours(path, f"id = {ids[1]}")
        product.sql(f"UPDATE {product.table_sql(path)} SET id = id WHERE id = {ids[2]}")
        expected = without_id(expected, ids[1])
    problem = same(path, expected, product.read)
    if problem:
        return f"read by us: {problem}"
    problem = same(path, expected, spark.read)
    if problem:
        return f"read by Spark: {problem}"
    try:
        append_spark(path, row)
        if len(ids) > 3:
            delete_spark(path, f"id = {ids[2]}")
    except Exception as e:
        return f"Spark cannot go on after us: {' '.join(str(e).split())[:400]}"
    expected = pa.concat_tables([expected, row])
    problem = same(path, without_id(expected, ids[2]) if len(ids) > 3 else expected, product.read)
    return f"read by us after Spark: {problem}" if problem else None


def run_last(run):
    if "spark" in run.engines:
        run.check("mixed/statements at once with spark", statements_at_once)


def run_all(run, store):
    for first in run.engines:
        if first != "duckdb":  # it cannot create a table
            asked = f"mixed/appends in turns, created by {first}"
            path = run.path(f"mixed/created by {first}")
            run.check(asked, in_turns, path, run.engines, first)
    if "spark" in run.engines:  # of the others none writes to such tables
        for mode in ("name", "id"):
            asked = f"mixed/appends in turns with spark, columns mapped by {mode}"
            path, engines = run.path(f"mixed/mapped by {mode}"), ["deltaworks", "spark"]
            mode = {"delta__columnMapping__mode": mode}
            run.check(asked, lambda: in_turns(path, engines, "deltaworks", **mode))
    run.check("mixed/appends at once with delta-rs", at_once, run.path("mixed/at once"))
    if "spark" in run.engines:
        for first in ("deltaworks", "spark"):
            asked = f"mixed/deletes in turns, rows written by {first}"
            run.check(asked, deletes_in_turns, run.path(f"mixed/deletes {first}"), first)
        for name in store.complete():
            case = store.case(name)
            if os.listdir(os.path.join(case, "expected")):
                run.check(f"mixed/changes of spark's {name}", change_spark_table, run, case, name)
