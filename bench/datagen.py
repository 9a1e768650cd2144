"""Data for the benchmarks: generated once, deterministic, below .bench/data.

lineitem.parquet  TPC-H lineitem at scale factor 1: 6,001,215 rows in order of l_orderkey
li12, li200       the same rows as a Delta table of 12 (200) files, its log written by hand
log100k, log1m    a log alone: a checkpoint with 100,000 (1,000,000) files, then 10 commits of 10
log1mv2           as log1m, but a V2 checkpoint: the files in sidecars of 50,000, as Spark writes them
json10k           a log alone: 10,000 commits of one file each, no checkpoint
changes10k        9,000 files in one version, one more in each of 1,000 behind it, with a change data feed

A log alone names data files that do not exist: it is for opening, listing and planning.
"""
import decimal
import json
import os
import random
import shutil
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

from dwpeers import readers

LINEITEM_ROWS = 6_001_215
CREATED_MS = 1_700_000_000_000
STATS_PREFIX_LENGTH = 32
TIE_BREAKER = "\U0010ffff"
CHECKPOINT_VERSION = 100
ROWS_PER_FILE = 1000
SIDECAR_ROWS = 50_000
ROW_GROUP_ROWS = 50_000

LINEITEM_TYPES = {
    "l_orderkey": "long",
    "l_partkey": "long",
    "l_suppkey": "long",
    "l_linenumber": "integer",
    "l_quantity": "decimal(12,2)",
    "l_extendedprice": "decimal(12,2)",
    "l_discount": "decimal(12,2)",
    "l_tax": "decimal(12,2)",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}
LOG_TYPES = {"id": "long", "k": "long", "v": "double", "s": "string"}


def first_actions(types, configuration=None):
    fields = [{"name": n, "type": t, "nullable": True, "metadata": {}} for n, t in types.items()]
    metadata = {
        "id": "11111111-2222-3333-4444-555555555555",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": [],
        "configuration": configuration or {},
        "createdTime": CREATED_MS,
    }
    writer = 4 if configuration else 2
    return [{"protocol": {"minReaderVersion": 1, "minWriterVersion": writer}}, {"metaData": metadata}]


def write_commit(log, version, actions):
    with open(f"{log}/{version:020d}.json", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(a) + "\n" for a in actions)


def write_info(timestamp):
    return {"commitInfo": {"timestamp": timestamp, "operation": "WRITE", "operationParameters": {}}}


def lineitem(path, _data):
    con = readers.duckdb_connection("tpch")
    con.execute("CALL dbgen(sf = 1)")
    decimals = ", ".join(
        f"{c}::DECIMAL(12, 2) AS {c}" for c in LINEITEM_TYPES if LINEITEM_TYPES[c].startswith("dec")
    )
    con.execute(
        f"""COPY (SELECT * REPLACE (l_linenumber::INTEGER AS l_linenumber, {decimals})
                  FROM lineitem ORDER BY l_orderkey, l_linenumber)
            TO '{path}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)"""
    )


def stats_value(v, is_max):
    if isinstance(v, decimal.Decimal):
        return float(v)
    if isinstance(v, int):
        return v
    text = str(v)
    if len(text) <= STATS_PREFIX_LENGTH:
        return text
    return text[:STATS_PREFIX_LENGTH] + (TIE_BREAKER if is_max else "")


def lineitem_table(path, data, files=12):
    log = f"{path}/_delta_log"
    os.makedirs(log)
    con = readers.duckdb_connection()
    source = f"read_parquet('{data}/lineitem.parquet', file_row_number = true)"
    con.execute(f"CREATE TABLE lineitem AS SELECT * FROM {source}")
    rows = con.execute("SELECT count(*) FROM lineitem").fetchone()[0]
    per_file = -(-rows // files)
    actions = first_actions(LINEITEM_TYPES)
    extremes = ", ".join(f"min({c}), max({c})" for c in LINEITEM_TYPES)
    for i in range(files):
        name = f"part-{i:05d}.parquet"
        part = f"FROM lineitem WHERE file_row_number // {per_file} = {i}"
        con.execute(
            f"""COPY (SELECT * EXCLUDE (file_row_number) {part} ORDER BY file_row_number)
                TO '{path}/{name}' (FORMAT parquet, COMPRESSION snappy)"""
        )
        found = con.execute(f"SELECT count(*), {extremes} {part}").fetchone()
        low, high = found[1::2], found[2::2]
        stats = {
            "numRecords": found[0],
            "minValues": {c: stats_value(v, False) for c, v in zip(LINEITEM_TYPES, low)},
            "maxValues": {c: stats_value(v, True) for c, v in zip(LINEITEM_TYPES, high)},
            "nullCount": dict.fromkeys(LINEITEM_TYPES, 0),
        }
        add = {
            "path": name,
            "partitionValues": {},
            "size": os.path.getsize(f"{path}/{name}"),
            "modificationTime": CREATED_MS,
            "dataChange": True,
            "stats": json.dumps(stats),
        }
        actions.append({"add": add})
    write_commit(log, 0, actions)


def log_add(i, k):
    """The i-th file: `id` is sorted and disjoint over the files, `k` is at random."""
    stats = (
        '{"numRecords":1000,"minValues":{"id":%d,"k":%d,"v":%.4f,"s":"aaa%06d"},'
        '"maxValues":{"id":%d,"k":%d,"v":%.4f,"s":"zzz%06d"},'
        '"nullCount":{"id":0,"k":0,"v":0,"s":0}}'
    ) % (
        i * ROWS_PER_FILE, k, i * 0.25, k % 1000000,
        i * ROWS_PER_FILE + ROWS_PER_FILE - 1, k + 50000, i * 0.25 + 1, k % 1000000,
    )  # fmt: skip
    return {
        "path": f"part-{i:08d}-c000.snappy.parquet",
        "partitionValues": {},
        "size": 1_000_000 + i % 977,
        "modificationTime": CREATED_MS + i,
        "dataChange": True,
        "stats": stats,
    }


STRING_MAP = pa.map_(pa.string(), pa.string())
CHECKPOINT_TYPES = {
    "txn": pa.struct([("appId", pa.string()), ("version", pa.int64()), ("lastUpdated", pa.int64())]),
    "add": pa.struct(
        [
            ("path", pa.string()),
            ("partitionValues", STRING_MAP),
            ("size", pa.int64()),
            ("modificationTime", pa.int64()),
            ("dataChange", pa.bool_()),
            ("stats", pa.string()),
        ]
    ),
    "remove": pa.struct(
        [("path", pa.string()), ("deletionTimestamp", pa.int64()), ("dataChange", pa.bool_())]
    ),
    "metaData": pa.struct(
        [
            ("id", pa.string()),
            ("name", pa.string()),
            ("description", pa.string()),
            ("format", pa.struct([("provider", pa.string()), ("options", STRING_MAP)])),
            ("schemaString", pa.string()),
            ("partitionColumns", pa.list_(pa.string())),
            ("configuration", STRING_MAP),
            ("createdTime", pa.int64()),
        ]
    ),
    "protocol": pa.struct([("minReaderVersion", pa.int32()), ("minWriterVersion", pa.int32())]),
}


def checkpoint_rows(actions):
    """A batch of a checkpoint: one action a row, the other columns null. Maps become entries."""
    columns = {name: [None] * len(actions) for name in CHECKPOINT_TYPES}
    for row, action in enumerate(actions):
        ((name, body),) = action.items()
        body = dict(body)
        if name == "add":
            body["partitionValues"] = []
        if name == "metaData":
            body["format"] = {"provider": "parquet", "options": []}
            body["configuration"] = []
        columns[name][row] = body
    return pa.table([pa.array(v, CHECKPOINT_TYPES[n]) for n, v in columns.items()], list(columns))


def log_keys(files):
    rng = random.Random(7)
    return [rng.randrange(10**9) for _ in range(files + 100)]


def write_tail(log, files, keys):
    """The commit of the checkpoint, and 10 of 10 files each behind it."""
    write_commit(log, CHECKPOINT_VERSION, [write_info(CREATED_MS)])
    for n in range(10):
        batch = range(files + n * 10, files + n * 10 + 10)
        adds = [{"add": log_add(i, keys[i])} for i in batch]
        write_commit(log, CHECKPOINT_VERSION + 1 + n, [write_info(CREATED_MS + 1 + n), *adds])


def v2_log(path, _data, files):
    log = f"{path}/_delta_log"
    os.makedirs(f"{log}/_sidecars")
    keys = log_keys(files)
    _, metadata = first_actions(LOG_TYPES)
    features = ["v2Checkpoint"]
    main = [
        {"checkpointMetadata": {"version": CHECKPOINT_VERSION}},
        {
            "protocol": {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": features,
                "writerFeatures": features,
            }
        },
        metadata,
    ]
    for start in range(0, files, SIDECAR_ROWS):
        batch = range(start, min(files, start + SIDECAR_ROWS))
        rows = checkpoint_rows([{"add": log_add(i, keys[i])} for i in batch])
        name = f"{uuid.UUID(int=start)}.parquet"
        file = f"{log}/_sidecars/{name}"
        pq.write_table(rows.select(["add", "remove"]), file, compression="snappy")
        size = os.path.getsize(file)
        sidecar = {"path": name, "sizeInBytes": size, "modificationTime": CREATED_MS}
        main.append({"sidecar": sidecar})
    stem = f"{log}/{CHECKPOINT_VERSION:020d}.checkpoint.{uuid.UUID(int=7)}.json"
    with open(stem, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(action) + "\n" for action in main)
    with open(f"{log}/_last_checkpoint", "w", encoding="utf-8") as f:
        json.dump({"version": CHECKPOINT_VERSION, "size": files + len(main)}, f)
    write_tail(log, files, keys)


def checkpointed_log(path, _data, files):
    log = f"{path}/_delta_log"
    os.makedirs(log)
    keys = log_keys(files)
    checkpoint = f"{log}/{CHECKPOINT_VERSION:020d}.checkpoint.parquet"
    schema = pa.schema(list(CHECKPOINT_TYPES.items()))
    with pq.ParquetWriter(checkpoint, schema, compression="snappy") as writer:
        writer.write_table(checkpoint_rows(first_actions(LOG_TYPES)))
        for start in range(0, files, ROW_GROUP_ROWS):
            batch = range(start, min(files, start + ROW_GROUP_ROWS))
            writer.write_table(checkpoint_rows([{"add": log_add(i, keys[i])} for i in batch]))
    with open(f"{log}/_last_checkpoint", "w", encoding="utf-8") as f:
        json.dump({"version": CHECKPOINT_VERSION, "size": files + 2}, f)
    write_tail(log, files, keys)


def commits_only_log(path, _data, commits):
    log = f"{path}/_delta_log"
    os.makedirs(log)
    rng = random.Random(7)
    for version in range(commits):
        actions = [write_info(CREATED_MS + version)]
        if version == 0:
            actions += first_actions(LOG_TYPES)
        actions.append({"add": log_add(version, rng.randrange(10**9))})
        write_commit(log, version, actions)


def changes_log(path, _data, files, versions):
    """The data files are one and the same: planning looks into one of them."""
    log = f"{path}/_delta_log"
    os.makedirs(log)
    columns = {"id": [0], "k": [0], "v": [0.0], "s": ["a"]}
    one = f"{path}/{log_add(0, 0)['path']}"
    pq.write_table(pa.table(columns), one)
    adds = [{"add": log_add(i, i)} for i in range(files)]
    for add in adds[1:]:
        os.link(one, f"{path}/{add['add']['path']}")
    actions = first_actions(LOG_TYPES, {"delta.enableChangeDataFeed": "true"})
    write_commit(log, 0, [write_info(CREATED_MS), *actions, *adds[: files - versions]])
    for i, add in enumerate(adds[files - versions :]):
        write_commit(log, 1 + i, [write_info(CREATED_MS + 1 + i), add])


PARTS = {
    "lineitem.parquet": lineitem,
    "li12": lineitem_table,
    "li200": lambda path, data: lineitem_table(path, data, 200),
    "log100k": lambda path, data: checkpointed_log(path, data, 100_000),
    "log1m": lambda path, data: checkpointed_log(path, data, 1_000_000),
    "log1mv2": lambda path, data: v2_log(path, data, 1_000_000),
    "json10k": lambda path, data: commits_only_log(path, data, 10_000),
    "changes10k": lambda path, data: changes_log(path, data, 10_000, 1_000),
}


def ensure(data, *names):
    """Generates the parts that are not there yet. A part appears whole or not at all."""
    os.makedirs(data, exist_ok=True)
    for name in names:
        path = os.path.join(data, name)
        if os.path.exists(path):
            continue
        print(f"generating {name} (once)", flush=True)
        unfinished = path + ".unfinished"
        if os.path.isdir(unfinished):
            shutil.rmtree(unfinished)
        PARTS[name](unfinished, data)
        os.rename(unfinished, path)
