"""ALTER TABLE of columns, every kind: tables of Spark that we change, ours that Spark changes, and what all read of both.

Each table is made by one side and changed by the other; after each change the side that made it writes rows, and both read
the same. In the end the schemas that the two sides made of the same statements are the same, and delta-rs and DuckDB read
the rows, or say that they cannot. Without Spark only we change our own.
"""
import json
import os

import checks
import shared_life
from dwpeers import product, rows, spark

PROPERTIES = ("'delta.columnMapping.mode' = 'name', 'delta.feature.allowColumnDefaults' = 'supported', "
              "'delta.feature.timestampNtz' = 'supported'")
WIDENS = ", 'delta.enableTypeWidening' = 'true'"  # which delta-rs refuses
COLUMNS = ("id BIGINT, n INT, s STRING, st STRUCT<a: INT, b: STRING>, l ARRAY<STRUCT<x: INT, y: INT>>, "
           "m MAP<STRING, STRUCT<u: INT, v: INT>>, d DATE, f FLOAT, k DECIMAL(9, 2)")
# What is left out is NULL, so these words are all columns to both sides.
ROWS = {
    "spark": "SELECT id, CAST(id AS INT), concat('s', id), named_struct('a', CAST(id AS INT), 'b', 'b'),"
             " array(named_struct('x', CAST(id AS INT), 'y', 2)), map('k', named_struct('u', CAST(id AS INT), 'v', 4)),"
             " DATE '2024-02-29', CAST(id / 4 AS FLOAT), CAST(1.25 AS DECIMAL(9, 2)) FROM range(20)",
    "us": "SELECT id, CAST(id AS INT), concat('s', id), {'a': CAST(id AS INT), 'b': 'b'},"
          " [{'x': CAST(id AS INT), 'y': 2}], MAP {'k': {'u': CAST(id AS INT), 'v': 4}},"
          " DATE '2024-02-29', CAST(id / 4 AS FLOAT), CAST(1.25 AS DECIMAL(9, 2)) FROM range(20) r(id)",
}
# name -> (what follows ALTER TABLE, whether Spark does it, too)
CHANGES = {
    "add": (["ADD COLUMNS (note STRING COMMENT 'why' AFTER id, more DOUBLE FIRST)", "ADD COLUMN last TIMESTAMP_NTZ"], True),
    "add fields": (["ADD COLUMNS (st.c DATE FIRST)", "ADD COLUMNS (l.element.z STRING AFTER x)", "ADD COLUMNS (m.value.w DOUBLE)",
                    "ADD COLUMNS (st.in STRUCT<q: INT>)", "ADD COLUMNS (st.in.r STRING)"], True),
    "rename": (["RENAME COLUMN s TO `odd name, (with) = chars`", "RENAME COLUMN st TO other", "RENAME COLUMN other.b TO renamed",
                "RENAME COLUMN l.element.x TO first", "RENAME COLUMN m.value.u TO number"], True),
    "drop": (["DROP COLUMN s", "DROP COLUMN st.a", "DROP COLUMN l.element.y", "DROP COLUMN m.value.v"], True),
    "drop and add again": (["DROP COLUMN s", "ADD COLUMN s INT", "DROP COLUMN st.a", "ADD COLUMN st.a STRING"], True),
    "change names over": (["RENAME COLUMN n TO t", "RENAME COLUMN id TO n", "RENAME COLUMN t TO id"], True),
    "change all fields": (["ADD COLUMNS (st.c INT)", "DROP COLUMN st.a", "DROP COLUMN st.b", "ADD COLUMNS (l.element.z INT)",
                           "DROP COLUMN l.element.x", "DROP COLUMN l.element.y"], True),
    "widen": (["ALTER COLUMN n TYPE BIGINT", "ALTER COLUMN st.a TYPE BIGINT", "ALTER COLUMN l.element.x TYPE DOUBLE",
               "ALTER COLUMN m.value.u TYPE DECIMAL(12, 1)", "ALTER COLUMN d TYPE TIMESTAMP_NTZ", "ALTER COLUMN f TYPE DOUBLE",
               "ALTER COLUMN k TYPE DECIMAL(14, 4)"], True),
    "widen twice": (["ALTER COLUMN n TYPE BIGINT", "ALTER COLUMN n TYPE DECIMAL(20, 0)"], True),
    "comment": (["ALTER COLUMN n COMMENT 'a count of rows'", "ALTER COLUMN st.a COMMENT 'inside'"], True),
    "reorder": (["ALTER COLUMN n FIRST", "ALTER COLUMN id AFTER s", "ALTER COLUMN st.b FIRST"], True),
    "defaults": (["ALTER COLUMN s SET DEFAULT 'unless said'", "ALTER COLUMN n SET DEFAULT 7", "ALTER COLUMN n DROP DEFAULT"], True),
    "not null": (["ALTER COLUMN id SET NOT NULL", "ALTER COLUMN id DROP NOT NULL"], False),
    "replace": ([f"REPLACE COLUMNS ({COLUMNS}, extra INT COMMENT 'new')"], True),
    "all at once": (["RENAME COLUMN n TO count", "ALTER COLUMN count TYPE BIGINT", "ALTER COLUMN count FIRST",
                     "DROP COLUMN s", "ADD COLUMN s DOUBLE AFTER count", "ALTER COLUMN count COMMENT 'rows'"], True),
}
# What peers cannot read: (engine, change) -> why.
PEER_LIMITS = {
    ("delta-rs", name): "delta-rs casts no map whose structs have other fields, nor structs without a field in common"
    for name in ("add fields", "drop", "change all fields")
}


def execute(who, text):
    product.sql(text) if who == "us" else spark.session().sql(text).collect()


def schema_of(path):
    """The newest schema, without what each table has its own of."""
    def plain(node):
        if isinstance(node, list):
            return [plain(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {key: plain(value) for key, value in node.items() if not key.startswith("delta.columnMapping")}
    found, log = None, os.path.join(path, "_delta_log")
    for name in sorted(n for n in os.listdir(log) if n.endswith(".json") and len(n) == 25):
        with open(os.path.join(log, name), encoding="utf-8") as file:
            for action in map(json.loads, file):
                found = action.get("metaData", {}).get("schemaString", found)
    return plain(json.loads(found)["fields"])


def key_name(path):
    """What the column of ids is called by now."""
    names = [field["name"] for field in schema_of(path)]
    return "id" if "id" in names else "n"


def changed(path, statements, maker, changer):
    table = product.table_sql(path)
    properties = PROPERTIES + (WIDENS if any(" TYPE " in statement for statement in statements) else "")
    execute(maker, f"CREATE TABLE {table} ({COLUMNS}) USING delta TBLPROPERTIES ({properties})")
    execute(maker, f"INSERT INTO {table} {ROWS[maker]}")
    for number, statement in enumerate(statements):
        execute(changer, f"ALTER TABLE {table} {statement}")
        key = key_name(path)
        execute(maker, f"INSERT INTO {table} ({key}) VALUES ({100 + number})")
        execute(changer, f"DELETE FROM {table} WHERE {key} = {number}")
        if "spark" in (maker, changer):
            problem = rows.difference(spark.read(path), product.read(path))
            if problem:
                return f"after {changer}: {statement}: {problem}"
    found = product.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()
    return checks.fsck(path, path) if found == 20 else f"expected 20 rows, found {found}"


def read_by_peer(engine, path, name):
    if (engine, name) in PEER_LIMITS:
        raise checks.Skip(PEER_LIMITS[engine, name])
    return shared_life.read_by_peer(engine, path, "columns")


def same_schema(ours, theirs):
    expected, found = schema_of(theirs), schema_of(ours)
    return None if expected == found else f"expected {json.dumps(expected)}, as Spark leaves it, found {json.dumps(found)}"


def run_all(run):
    with_spark = "spark" in run.engines
    ways = {"by us": ("spark" if with_spark else "us", "us"), "by spark": ("us", "spark")}
    for name, (statements, has_spark) in CHANGES.items():
        paths = {}
        for way, (maker, changer) in ways.items():
            asked = f"columns/{name} {way}"
            if changer == "spark" and not (with_spark and has_spark):
                continue
            peers = {f"{asked} read by {engine}": engine for engine in run.engines if engine not in ("deltaworks", "spark")}
            if not any(run.wants(check) for check in (asked, *peers)):
                continue
            path = run.path(asked)
            if run.check(asked, changed, path, statements, maker, changer):
                paths[way] = path
            for check, engine in peers.items():
                run.check(check, read_by_peer, engine, path, name)
        if len(paths) == 2:
            run.check(f"columns/{name} schema", same_schema, paths["by us"], paths["by spark"])
