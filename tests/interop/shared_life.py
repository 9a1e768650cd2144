"""Tables that we create with one feature each and Spark then changes: we read the same after each step.

We change them in between, too, so that both sides stand on what the other wrote; at the end delta-rs and
DuckDB read them, or say that they cannot. Without Spark only our own steps are done.
"""
import itertools
import os
import re

import checks
import ours
from checks import Skip
from dwpeers import product, rows, spark

COLUMNS = "id BIGINT, n INT, s STRING, st STRUCT<a: INT, b: STRING>, p STRING"

# Columns that some features have besides.
MORE_COLUMNS = {
    "generated columns": "g BIGINT GENERATED ALWAYS AS (id * 2)",
    "identity columns": "k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10)",
    "column defaults": "e STRING DEFAULT 'unless said otherwise'",
    "timestamps without a zone": "z TIMESTAMP_NTZ",
}
# What some features need to happen once both sides have written rows.
MORE_STEPS = {
    "timestamps without a zone": [
        ("us", "UPDATE {t} SET z = TIMESTAMP '2024-02-29 10:00:00.123456' WHERE id % 2 = 0"),
        ("spark", "UPDATE {t} SET z = TIMESTAMP_NTZ '0001-01-01 00:00:00' WHERE id % 5 = 0"),
        ("us", "DELETE FROM {t} WHERE z < TIMESTAMP '1000-01-01 00:00:00' AND id < 50"),
    ],
    "mapping of an older table": [
        ("us", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"),
        ("spark", "ALTER TABLE {t} RENAME COLUMN s TO other"),
        ("us", "UPDATE {t} SET other = 'renamed' WHERE id % 9 = 1"),
        ("spark", "ALTER TABLE {t} RENAME COLUMN other TO s"),
    ],
    "row tracking of an older table": [
        ("us", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')"),
    ],
    "in-commit timestamps of an older table": [
        ("us", "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')"),
    ],
    "type widening": [
        ("spark", "ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT"),
        ("us", "INSERT INTO {t} (id, n, p) VALUES (1000, 5000000000, 'p 0')"),
        ("spark", "ALTER TABLE {t} ALTER COLUMN st.a TYPE BIGINT"),
        ("us", "UPDATE {t} SET st.a = 6000000000 WHERE id = 7"),
    ],
    "log compaction": [("us", "COMPACT LOG {t}"), ("us", "UPDATE {t} SET n = 9 WHERE id = 7"),
                       ("spark", "DELETE FROM {t} WHERE id = 8"), ("us", "COMPACT LOG {t}")],
    "clustering": [("us", "OPTIMIZE {t}"), ("spark", "INSERT INTO {t} (id, n) SELECT id, 1 FROM range(500, 520)"),
                   ("spark", "OPTIMIZE {t}"), ("us", "OPTIMIZE {t}")],
    "much at once": [
        ("spark", "ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT"),
        ("us", "UPDATE {t} SET n = 5000000000 WHERE id = 6"),
        ("spark", "ALTER TABLE {t} RENAME COLUMN st.b TO other"),
        ("us", "UPDATE {t} SET st.other = 'renamed' WHERE id % 9 = 1"),
        ("spark", "ALTER TABLE {t} RENAME COLUMN st.other TO b"),
        ("us", "COMPACT LOG {t}"),
    ],
}
# feature -> properties
FEATURES = {
    "nothing": {},
    "log compaction": {},
    "append only": {"delta.appendOnly": "true"},
    "invariants": {},
    "check constraints": {"delta.constraints.small": "id < 100000"},
    "generated columns": {},
    "identity columns": {},
    "column defaults": {"delta.feature.allowColumnDefaults": "supported"},
    "timestamps without a zone": {},
    "domain metadata": {"delta.feature.domainMetadata": "supported"},
    "clustering": {},
    "vacuum protocol check": {"delta.feature.vacuumProtocolCheck": "supported"},
    "checkpoint protection": {"delta.feature.checkpointProtection": "supported"},
    "deletion vectors": {"delta.enableDeletionVectors": "true"},
    "change data feed": {"delta.enableChangeDataFeed": "true"},
    "mapping by name": {"delta.columnMapping.mode": "name"},
    "mapping by id": {"delta.columnMapping.mode": "id"},
    "mapping of an older table": {},
    "in-commit timestamps": {"delta.enableInCommitTimestamps": "true"},
    "in-commit timestamps of an older table": {},
    "row tracking": {"delta.enableRowTracking": "true"},
    "row tracking of an older table": {},
    "type widening": {"delta.enableTypeWidening": "true"},
    "v2 checkpoints": {"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "2"},
    "struct statistics": {
        "delta.checkpoint.writeStatsAsStruct": "true",
        "delta.checkpoint.writeStatsAsJson": "false",
        "delta.checkpointInterval": "2",
    },
    "materialized partitions": {"delta.feature.materializePartitionColumns": "supported"},
    "iceberg v1": {"delta.enableIcebergCompatV1": "true"},
    "iceberg v2": {"delta.enableIcebergCompatV2": "true", "delta.columnMapping.mode": "name"},
    "much at once": {
        "delta.enableDeletionVectors": "true",
        "delta.enableChangeDataFeed": "true",
        "delta.columnMapping.mode": "name",
        "delta.enableInCommitTimestamps": "true",
        "delta.enableRowTracking": "true",
        "delta.enableTypeWidening": "true",
        "delta.checkpointPolicy": "v2",
        "delta.checkpointInterval": "3",
    },
}


def new_rows(first, count, spark):
    """A query for rows, in either dialect."""
    struct = "named_struct('a', CAST(id AS INT), 'b', 'b')" if spark else "{'a': id::INT, 'b': 'b'}"
    source = f"range({first}, {first + count})" + ("" if spark else " r(id)")
    return (
        f"SELECT id, CAST(id % 40 AS INT), concat('s ', id), {struct},"
        f" concat('p ', id % 3) FROM {source}"
    )


def more_steps(feature, with_spark):
    """Without Spark as far as we come alone: a later one may name what Spark renamed."""
    found = MORE_STEPS.get(feature, ())
    return found if with_spark else itertools.takewhile(lambda step: step[0] == "us", found)


def steps(name, feature, with_spark):
    """(who, statement): the table's life behind its creation."""
    found = [
        ("us", f"INSERT INTO {name} (id, n, s, st, p) {new_rows(0, 200, False)}"),
        ("spark", f"INSERT INTO {name} (id, n, s, st, p) {new_rows(200, 100, True)}"),
        *((who, statement.format(t=name)) for who, statement in more_steps(feature, with_spark)),
        ("spark", f"DELETE FROM {name} WHERE id % 10 = 3"),
        ("us", f"DELETE FROM {name} WHERE id % 10 = 4"),
        ("spark", f"UPDATE {name} SET s = 'changed' WHERE id < 20"),
        ("us", f"UPDATE {name} SET n = n + 1, st.b = 'ours' WHERE id BETWEEN 30 AND 40"),
        ("us", f"INSERT INTO {name} (id, n, s, st, p) {new_rows(300, 50, False)}"),
        (
            "spark",
            f"MERGE INTO {name} t USING (SELECT id FROM range(290, 360)) s ON t.id = s.id"
            " WHEN MATCHED AND t.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = -1"
            " WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        ),
        ("us", f"UPDATE {name} SET n = n + 1 WHERE id % 50 = 1"),
        (
            "us",
            f"MERGE INTO {name} t USING (SELECT id FROM range(340, 370) r(id)) s ON t.id = s.id"
            " WHEN MATCHED AND t.id % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 7, st.b = 'merged'"
            " WHEN NOT MATCHED THEN INSERT (id, s) VALUES (id, 'merged')"
            " WHEN NOT MATCHED BY SOURCE AND id = 250 THEN UPDATE SET s = 'left'",
        ),
        ("spark", f"OPTIMIZE {name}"),
        ("us", f"UPDATE {name} SET s = 'moved', p = 'p 9' WHERE id % 60 = 2"),
        ("us", f"DELETE FROM {name} WHERE p = 'p 1'"),
        # Not all rows of a file: Spark would leave the vector that says so, which nothing names.
        ("spark", f"UPDATE {name} SET s = 'again' WHERE id % 120 = 2"),
        ("us", f"INSERT INTO {name} (id, n, s, st, p) {new_rows(400, 10, False)}"),
        (
            "us",
            f"MERGE INTO {name} t USING (SELECT r.id FROM range(395, 420) r(id)) s ON t.id = s.id"
            " WHEN MATCHED AND t.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = -2"
            " WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        ),
        (
            "us",
            f"MERGE WITH SCHEMA EVOLUTION INTO {name} t USING (SELECT id, 'new' AS more,"
            " {'a': 1, 'b': 'b', 'c': 2.5::DOUBLE} AS st FROM range(405, 412) r(id)) s"
            " ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        ),
        (
            "spark",
            f"MERGE INTO {name} t USING (SELECT id FROM range(403, 408)) s ON t.id = s.id"
            " WHEN MATCHED THEN UPDATE SET more = concat(t.more, '!'), st.c = 1",
        ),
    ]
    if feature == "append only":
        found = [(who, statement) for who, statement in found if statement.startswith("INSERT")]
    return found if with_spark else [(who, statement) for who, statement in found if who == "us"]


# Rows have ids there, and both sides must find the same after each step.
KEEPS_IDS = ("row tracking", "much at once")


def create(path, feature):
    properties = ", ".join(f"'{k}' = '{v}'" for k, v in FEATURES[feature].items())
    columns = COLUMNS.replace("BIGINT,", "BIGINT NOT NULL,", 1) if feature == "invariants" else COLUMNS
    columns = ", ".join(filter(None, (columns, MORE_COLUMNS.get(feature))))
    tail = f" TBLPROPERTIES ({properties})" if properties else ""
    layout = "CLUSTER BY (id, st.a)" if feature == "clustering" else "PARTITIONED BY (p)"
    product.sql(f"{product.PLAIN}CREATE TABLE {product.table_sql(path)} ({columns}) USING DELTA {layout}{tail}")


def lives(path, feature, with_spark):
    create(path, feature)
    name = product.table_sql(path)
    for who, statement in steps(name, feature, with_spark):
        before = row_ids(name) if feature in KEEPS_IDS else None
        try:
            product.sql(statement) if who == "us" else spark.session().sql(statement).collect()
        except Exception as e:
            return f"{who}: {statement[:60]}: {' '.join(str(e).split())[:400]}"
        problem = rows.difference(spark.read(path, None), product.read(path)) if with_spark else None
        if not problem and before is not None:
            problem = rows.difference(row_ids(name, by_spark=True), row_ids(name)) if with_spark else None
            problem = problem or lost_ids(before, row_ids(name))
        if problem:
            return f"after {who}: {statement[:60]}: {problem}"
    return broken_rules(path)


# What peers read wrongly: (engine, feature) -> what comes out.
READ_WRONGLY = {
    ("duckdb", feature): "partition values come out as NULL where columns are mapped"
    for feature in ("mapping by name", "mapping by id", "iceberg v1", "iceberg v2", "much at once")
}


def read_by_peer(engine, path, feature):
    """Skips what a peer cannot read, with the reason as it says it."""
    if (engine, feature) in READ_WRONGLY:
        raise Skip(f"wrong rows: {READ_WRONGLY[engine, feature]}")
    try:
        found = ours.READERS[engine](path)
    except Exception as e:
        reason = " ".join(str(e).split())[:200]
        if re.search(r"(?i)not supported|unsupported|not yet|reader feature", reason):
            raise Skip(f"refused: {reason}") from e
        raise
    return rows.difference(product.read(path), found)


def row_ids(name, by_spark=False):
    query = f"SELECT id, _metadata.row_id AS r, _metadata.row_commit_version AS v FROM {name}"
    return spark.session().sql(query).toArrow() if by_spark else product.query(query)


def lost_ids(before, now):
    """A row keeps its id, and every row has one of its own."""
    old = dict(zip(before["id"].to_pylist(), before["r"].to_pylist()))
    new = dict(zip(now["id"].to_pylist(), now["r"].to_pylist()))
    lost = {i: (r, new[i]) for i, r in old.items() if new.get(i, r) != r}
    if lost:
        return f"ids changed (row: before, now): {dict(list(lost.items())[:5])}"
    unique = set(new.values())
    return None if len(unique) == now.num_rows and None not in unique else f"{len(unique)} ids of {now.num_rows} rows"


def broken_rules(path):
    """Every version has a checksum, ours and Spark's, and the log keeps the rules of the protocol."""
    log = f"{path}/_delta_log"
    versions = [n[:20] for n in os.listdir(log) if re.fullmatch(r"\d{20}\.json", n)]
    missing = [v for v in versions if not os.path.exists(f"{log}/{v}.crc")]
    if missing:
        return f"versions without a checksum: {missing}"
    return checks.fsck(path, path)  # notes are none: Spark leaves vectors behind of files that it removes


def run_all(run):
    with_spark = "spark" in run.engines
    for feature in FEATURES:
        asked = f"shared life/{feature}"
        peers = {f"{asked} read by {engine}": engine for engine in run.engines
                 if engine not in ("deltaworks", "spark")}
        if not any(run.wants(name) for name in (asked, *peers)):
            continue
        path = run.path(asked)
        run.check(asked, lives, path, feature, with_spark)
        for name, engine in peers.items():
            run.check(name, read_by_peer, engine, path, feature)
