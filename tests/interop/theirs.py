"""Tables that Spark, delta-rs and DuckDB write, read by us: every version, time and predicate."""
import json
import os
import re
import shutil
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import predicates
import values
from checks import Skip
from dwpeers import product, readers, rows

# Tables with a feature that the program refuses: name -> the word its error must have.
REFUSED = {}

# What a peer writes that is no fault of ours: (engine, table) -> reason.
PEER_LIMITS = {}


def key_column(data):
    if "id" in data.column_names and pa.types.is_integer(data.schema.field("id").type):
        return "id"
    return "1"


def same_rows(path, version, expected):
    return rows.difference(expected, product.read(path, version))


def prunes_right(path, expected):
    asked, key = predicates.sampled(expected), key_column(expected)
    found = predicates.ask_product(path, asked, key)
    return predicates.difference(expected, found, asked, key)


def at_timestamp(path, moment_ms, expected):
    """TIMESTAMP AS OF the very moment of a commit gives that commit's version."""
    text = f"{moment_ms // 1000}.{moment_ms % 1000:03d}"
    moment = f"epoch_ms({moment_ms})"
    con = readers.duckdb_connection()
    text = con.execute(f"SELECT strftime({moment}, '%Y-%m-%d %H:%M:%S.%g')").fetchone()[0]
    name = product.table_sql(path)
    found = product.query(f"SELECT * FROM {name} TIMESTAMP AS OF '{text}+00'")
    return rows.difference(expected, found)


def history_agrees(path, timestamps):
    lines = product.run("history", path, "--format", "ndjson").strip().splitlines()
    told = {str(e["version"]): e["timestamp"] for e in map(json.loads, lines)}
    if set(told) != set(timestamps):
        return f"expected versions {sorted(timestamps, key=int)}, found {sorted(told, key=int)}"
    con = readers.duckdb_connection()
    for version, moment_us in timestamps.items():
        found = con.execute("SELECT epoch_us(CAST(? AS TIMESTAMPTZ))", [told[version]]).fetchone()[0]
        if found // 1000 != moment_us // 1000:
            return f"version {version}: expected time {moment_us} us, found {told[version]}"
    return None


def detail_agrees(path, expected):
    """Protocol, properties, files and layout of the newest version, and what each commit did."""
    found = json.loads(product.run("detail", path, "--format", "ndjson"))
    lines = product.run("history", path, "--format", "ndjson").strip().splitlines()
    found["operations"] = {str(e["version"]): e["operation"] for e in map(json.loads, lines)}
    for key, value in expected.items():
        same = sorted(value) == sorted(found[key]) if key == "tableFeatures" else value == found[key]
        if not same:
            return f"{key}: expected {value}, found {found[key]}"
    return None


def log_until(path, version, target):
    """The table's log as it was when this version was the newest."""
    os.makedirs(f"{target}/_delta_log")
    for name in os.listdir(f"{path}/_delta_log"):
        numbers = re.match(r"(\d{20})\.(?:(\d{20})\.compacted)?", name)
        if numbers and int(numbers[2] or numbers[1]) <= version:
            shutil.copy2(f"{path}/_delta_log/{name}", f"{target}/_delta_log/{name}")
    if os.path.isdir(f"{path}/_delta_log/_sidecars"):
        shutil.copytree(f"{path}/_delta_log/_sidecars", f"{target}/_delta_log/_sidecars")


def definitions_agree(path, definitions):
    """Protocol, properties and partitions of each version; `definitions`: what Spark finds."""
    for version, wanted in definitions.items():
        with tempfile.TemporaryDirectory(prefix="dw-until-") as until:
            log_until(path, int(version), until)
            told = json.loads(product.run("detail", until, "--format", "ndjson"))
        protocol, metadata = wanted["protocol"], wanted["metaData"]
        features = {*protocol.get("readerFeatures", ()), *protocol.get("writerFeatures", ())}
        expected = {"minReaderVersion": protocol["minReaderVersion"], "minWriterVersion": protocol["minWriterVersion"],
                    "properties": metadata["configuration"], "partitionColumns": metadata["partitionColumns"],
                    "id": metadata["id"]}
        found = {key: told[key] for key in expected}
        if protocol["minWriterVersion"] == 7:  # an older protocol implies its features
            expected["tableFeatures"], found["tableFeatures"] = sorted(features), sorted(told["tableFeatures"])
        if found != expected:
            return f"version {version}: expected {expected}, found {found}"
    return None


def refused(path, word):
    try:
        product.read(path)
    except product.ProductError as e:
        if e.status != product.EXIT_UNSUPPORTED or word not in e.stderr.lower():
            return f"expected exit status 4 and '{word}', found {e}"
        return None
    return "expected a refusal, found rows"


def run_spark_tables(run, store):
    """What spark_tables.write_case() stored."""
    for name in store.complete():
        case = store.case(name)
        path = os.path.join(case, "delta")
        if name in REFUSED:
            run.check(f"spark/{name} refused", refused, path, REFUSED[name])
            continue
        expected = {
            int(f.split(".")[0]): pq.ParquetFile(os.path.join(case, "expected", f)).read()
            for f in os.listdir(os.path.join(case, "expected"))
        }
        if not expected:
            continue  # reading.py asks about it
        newest = max(expected)
        for version in sorted(expected):
            asked = f"spark/{name} at version {version}"
            run.check(asked, same_rows, path, version, expected[version])
        run.check(f"spark/{name} newest", same_rows, path, None, expected[newest])
        run.check(f"spark/{name} predicates", prunes_right, path, expected[newest])
        with open(os.path.join(case, "timestamps.json"), encoding="utf-8") as f:
            timestamps = json.load(f)
        run.check(f"spark/{name} history", history_agrees, path, timestamps)
        with open(os.path.join(case, "detail.json"), encoding="utf-8") as f:
            run.check(f"spark/{name} detail", detail_agrees, path, json.load(f))
        if os.path.exists(os.path.join(case, "definitions.json")):
            with open(os.path.join(case, "definitions.json"), encoding="utf-8") as f:
                run.check(f"spark/{name} definitions", definitions_agree, path, json.load(f))
        middle = sorted(expected)[len(expected) // 2]
        if str(middle) in timestamps:
            asked = f"spark/{name} at the time of version {middle}"
            moment = timestamps[str(middle)] // 1000
            run.check(asked, at_timestamp, path, moment, expected[middle])


DELTA_RS_TABLES = {}


def delta_rs_table(function):
    DELTA_RS_TABLES[function.__name__] = function
    return function


def write(path, data, **options):
    from deltalake import write_deltalake

    write_deltalake(path, data, **options)


@delta_rs_table
def flat_types(path):
    write(path, values.flat())


@delta_rs_table
def nested_types(path):
    write(path, values.nested())


@delta_rs_table
def decimals(path):
    write(path, values.decimals())


def partitioned_by(type_name):
    return lambda path: write(path, values.partitioned(type_name), partition_by=["p"])


for _type in values.PARTITION_VALUES:
    DELTA_RS_TABLES[f"partitioned_by_{_type}"] = partitioned_by(_type)


@delta_rs_table
def many_commits(path):
    from deltalake import DeltaTable

    for batch in range(25):
        write(path, values.skipping(batch), mode="append")
        if batch == 12:
            DeltaTable(path).create_checkpoint()


@delta_rs_table
def checkpoint_after_cleanup(path):
    from deltalake import DeltaTable

    for batch in range(4):
        write(path, values.skipping(batch), mode="append")
    DeltaTable(path).create_checkpoint()
    for version in range(3):
        os.remove(f"{path}/_delta_log/{version:020d}.json")
    write(path, values.skipping(4), mode="append")


@delta_rs_table
def changed_rows(path):
    from deltalake import DeltaTable

    write(path, values.skipping(0), partition_by=["b"])
    write(path, values.skipping(1), mode="append")
    DeltaTable(path).delete("id < 20")
    DeltaTable(path).update(predicate="id = 30", updates={"short": "'changed'"})
    merge = DeltaTable(path).merge(
        values.skipping(1).slice(30).append_column("x", pa.array([1] * 10)).drop_columns(["x"]),
        predicate="t.id = s.id",
        source_alias="s",
        target_alias="t",
    )
    merge.when_matched_delete().when_not_matched_insert_all().execute()
    DeltaTable(path).optimize.compact()
    DeltaTable(path).restore(2)
    DeltaTable(path).optimize.z_order(["id"])


@delta_rs_table
def evolved_schema(path):
    write(path, pa.table({"id": pa.array([1, 2], pa.int64())}))
    more = pa.table({"id": pa.array([3], pa.int64()), "st": [{"a": 1}]})
    write(path, more, mode="append", schema_mode="merge")
    write(path, pa.table({"other": ["x"]}), mode="overwrite", schema_mode="overwrite")


@delta_rs_table
def replaced_where(path):
    write(path, values.partitioned("integer"), partition_by=["p"])
    some = values.partitioned("integer").slice(2, 2)
    write(path, some, mode="overwrite", predicate="p = 0")


# What delta-rs wrote but does not read again: it escapes bytes, as the protocol says, and leaves
# them escaped.
READ_AS = {"partitioned_by_binary": values.partitioned("binary")}


def newest_version(path):
    from deltalake import DeltaTable

    return DeltaTable(path).version()


def first_version(path):
    log = os.listdir(f"{path}/_delta_log")
    if f"{0:020d}.json" in log:
        return 0
    return min(int(n[:20]) for n in log if n.endswith(".checkpoint.parquet"))


def checked_versions(path):
    first, newest = first_version(path), newest_version(path)
    return range(first, newest + 1) if newest - first < 10 else (first, 10, 11, 13, newest)


def run_delta_rs_tables(run):
    for name, write_table in DELTA_RS_TABLES.items():
        if not run.wants(f"delta-rs/{name}"):
            continue
        path = run.path(f"delta-rs/{name}")
        try:
            write_table(path)
        except Exception as e:
            reason = f"delta-rs does not write this: {' '.join(str(e).split())[:160]}"
            run.check(f"delta-rs/{name}", skip, reason)
            continue
        newest = newest_version(path)
        for version in checked_versions(path):
            expected = READ_AS.get(name) or readers.delta_rs(path, version)
            run.check(f"delta-rs/{name} at version {version}", same_rows, path, version, expected)
            if version == newest:
                run.check(f"delta-rs/{name} predicates", prunes_right, path, expected)


def skip(reason):
    raise Skip(reason)


def duckdb_inserts(run):
    """DuckDB's extension writes into tables that exist: an empty one made by delta-rs."""
    from deltalake import DeltaTable

    for name, data in (("flat_types", values.flat().drop_columns(["ntz"])), ("partitioned", None)):
        asked = f"duckdb/{name}"
        if not run.wants(asked):
            continue
        data = values.partitioned("date") if data is None else data
        path = run.path(asked)
        parts = ["p"] if name == "partitioned" else None
        DeltaTable.create(path, schema=data.schema, partition_by=parts)
        con = readers.duckdb_connection("delta")
        con.register("new_rows", data)
        try:
            con.execute(f"ATTACH '{path}' AS t (TYPE delta)")
            con.execute("INSERT INTO t SELECT * FROM new_rows")
            con.execute("INSERT INTO t SELECT * FROM new_rows")
        except Exception as e:
            run.check(asked, skip, f"DuckDB does not write this: {' '.join(str(e).split())[:160]}")
            continue
        # Not the rows that were sent: DuckDB's Parquet writer makes -0.0 and 0.0 one value.
        run.check(asked, same_rows, path, None, readers.delta_rs(path))
        run.check(f"{asked} at version 1", same_rows, path, 1, readers.delta_rs(path, 1))


def run_all(run, store):
    run_delta_rs_tables(run)
    duckdb_inserts(run)
    run_spark_tables(run, store)


def copy(path, target):
    """A copy whose commit times are those of the original."""
    shutil.copytree(path, target, copy_function=shutil.copy2)
