"""What Spark tells of its tables beyond their rows - changes, row ids, variants, widened columns - asked of us.

Each function below TABLES writes a table and returns queries in which {t} stands for the table and {p} for its
path; where Spark spells a query otherwise it is a pair, Spark's first. write_case() stores `delta/` and
`expected/<number>.parquet`, with the queries beside them; see kept.py.
"""
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

import kept
from dwpeers import product, rows
from dwpeers import spark as engine
from spark_tables import Writer

TABLES = {}


def table(function):
    TABLES[function.__name__] = function
    return function


# ---- Changes ---------------------------------------------------------------------------------------


def change_rows(w):
    w.sql("INSERT INTO {t} VALUES (1, 'a', 1.5), (2, 'a', 2.5), (3, 'b', 3.5), (4, 'c', null)",
          "UPDATE {t} SET v = v + 10 WHERE id IN (1, 3)",
          "DELETE FROM {t} WHERE id = 2",
          "MERGE INTO {t} USING (SELECT 3L AS id, 'b' AS p, 9.0D AS v UNION ALL SELECT 5L, 'd', 5.5D) s"
          " ON {t}.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
          "DELETE FROM {t} WHERE p = 'c'",
          "INSERT OVERWRITE {t} VALUES (7, 'a', 7.5), (8, 'e', 8.5)",
          "OPTIMIZE {t}",
          "DELETE FROM {t} WHERE id = 7")


CHANGE_QUERIES = ["SELECT * FROM table_changes('{t}', 0)",
                  "SELECT * FROM table_changes('{t}', 2, 4)",
                  "SELECT * FROM table_changes('{t}', 1) WHERE id >= 3 AND p <> 'c'",
                  "SELECT _change_type, count(*) AS n FROM table_changes('{t}', 0) WHERE _commit_version > 2"
                  " GROUP BY _change_type",
                  "SELECT id FROM table_changes_by_path('{p}', 3, 3)"]


def changes_table(*properties, partitioned=True):
    settings = ", ".join(("delta.enableChangeDataFeed = true", *properties))
    by = " PARTITIONED BY (p)" if partitioned else ""
    return f"CREATE TABLE {{t}} (id BIGINT, p STRING, v DOUBLE) USING delta{by} TBLPROPERTIES ({settings})"


@table
def changes(w):
    w.sql(changes_table())
    change_rows(w)
    return CHANGE_QUERIES


@table
def changes_with_deletion_vectors(w):
    w.sql(changes_table("delta.enableDeletionVectors = true", partitioned=False))
    change_rows(w)
    w.sql("INSERT INTO {t} SELECT id, 'x', 0.5D FROM range(100, 200, 1, 1)",
          "DELETE FROM {t} WHERE id BETWEEN 110 AND 119", "DELETE FROM {t} WHERE id BETWEEN 130 AND 135",
          "RESTORE TABLE {t} TO VERSION AS OF 10", "RESTORE TABLE {t} TO VERSION AS OF 9")
    return CHANGE_QUERIES


@table
def changes_of_mapped_columns(w):
    w.sql(changes_table("delta.columnMapping.mode = 'name'", "delta.enableDeletionVectors = true"),
          "ALTER TABLE {t} RENAME COLUMN v TO w", "ALTER TABLE {t} RENAME COLUMN w TO v")
    change_rows(w)
    w.sql("ALTER TABLE {t} ADD COLUMN more STRING", "INSERT INTO {t} VALUES (20, 'z', 0.5, 'more')")
    return ["SELECT * FROM table_changes('{t}', 3)", "SELECT * FROM table_changes('{t}', 3, 5)",
            "SELECT * FROM table_changes('{t}', 11) WHERE more = 'more'"]


@table
def changes_by_id(w):
    w.sql(changes_table("delta.columnMapping.mode = 'id'"))
    change_rows(w)
    return CHANGE_QUERIES


@table
def changes_with_in_commit_timestamps(w):
    w.sql(changes_table("delta.enableInCommitTimestamps = true"))
    change_rows(w)
    return CHANGE_QUERIES


# ---- Row tracking ----------------------------------------------------------------------------------

ROW_ID_QUERIES = ["SELECT id, _metadata.row_id, _metadata.row_commit_version FROM {t}",
                  "SELECT id, v, _metadata.row_id AS r FROM {t} WHERE _metadata.row_id > 3",
                  "SELECT *, _metadata.row_commit_version FROM {t} WHERE id < 5",
                  "SELECT * FROM {t} WHERE _metadata.row_commit_version > 2",
                  ("SELECT id, _metadata.file_name, _metadata.file_size FROM {t}",) * 2]


def tracked(*properties):
    return changes_table("delta.enableRowTracking = true", *properties)


@table
def row_ids(w):
    w.sql(tracked())
    change_rows(w)
    w.sql("INSERT INTO {t} SELECT id, 'x', 0.5D FROM range(100, 200, 1, 2)",
          "UPDATE {t} SET v = 1 WHERE id % 3 = 0", "OPTIMIZE {t}", "INSERT INTO {t} VALUES (300, 'n', 0)")
    return ROW_ID_QUERIES


@table
def row_ids_with_deletion_vectors_and_mapping(w):
    w.sql(tracked("delta.enableDeletionVectors = true", "delta.columnMapping.mode = 'name'"))
    change_rows(w)
    w.sql("INSERT INTO {t} SELECT id, 'x', 0.5D FROM range(100, 200, 1, 2)",
          "DELETE FROM {t} WHERE id % 5 = 0", "UPDATE {t} SET v = 1 WHERE id % 3 = 0", "REORG TABLE {t} APPLY (PURGE)")
    return ROW_ID_QUERIES


@table
def row_ids_of_columns_by_id(w):
    w.sql(tracked("delta.columnMapping.mode = 'id'"))
    change_rows(w)
    return ROW_ID_QUERIES


@table
def row_ids_by_backfill(w):
    w.sql(changes_table())
    change_rows(w)
    w.sql("ALTER TABLE {t} SET TBLPROPERTIES (delta.enableRowTracking = true)", "UPDATE {t} SET v = 3")
    return ROW_ID_QUERIES


# ---- Variants --------------------------------------------------------------------------------------

VARIANTS = """
    SELECT 1L AS id, parse_json('{"a": 1, "b": "x", "c": [1, 2, {"d": null}], "e": {"f": true}}') AS v
    UNION ALL SELECT 2L, parse_json('[1, "two", 3.5, null, false]')
    UNION ALL SELECT 3L, parse_json('"text with \\u00e9 and ''quotes'' "')
    UNION ALL SELECT 4L, parse_json('12345678901234567890')
    UNION ALL SELECT 5L, parse_json('null')
    UNION ALL SELECT 6L, CAST(NULL AS VARIANT)
    UNION ALL SELECT 7L, to_variant_object(named_struct('a', 7, 'b', 'y', 'z', DATE '2024-02-29'))
    UNION ALL SELECT 8L, CAST(DATE '2024-02-29' AS VARIANT)
    UNION ALL SELECT 9L, CAST(12.34BD AS VARIANT)
    UNION ALL SELECT 10L, CAST(true AS VARIANT)
    UNION ALL SELECT 11L, parse_json('{"a": "no number", "b": 5}')
    UNION ALL SELECT 12L, parse_json('{}')
    UNION ALL SELECT 13L, parse_json('-1')
    UNION ALL SELECT 14L, parse_json('{"a": 3000000000, "b": "long", "c": []}')
"""
VARIANT_QUERIES = [
    ("SELECT id, to_json(v) AS v FROM {t}", "SELECT id, v FROM {t}"),
    ("SELECT id, variant_get(v, '$.b', 'string') AS b FROM {t} WHERE id = 1",
     "SELECT id, v.b::VARCHAR AS b FROM {t} WHERE id = 1"),
    ("SELECT id, variant_get(v, '$.e.f', 'boolean') AS f FROM {t} WHERE id = 1",
     "SELECT id, v.e.f::BOOLEAN AS f FROM {t} WHERE id = 1"),
    "SELECT count(*) AS n, count(v) AS m FROM {t}",
    "SELECT id FROM {t} WHERE v IS NULL",
]


@table
def variants(w):
    w.sql("CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta", f"INSERT INTO {{t}} {VARIANTS}",
          "INSERT INTO {t} VALUES (20, NULL)")
    return VARIANT_QUERIES


SHREDDING = "a int, b string, c array<int>, e struct<f: boolean>"
# Without generated code, which this session has not, Spark cannot take parts out of shredded variants.
SHREDDED_QUERIES = [
    ("SELECT id, to_json(v) AS v FROM {t}", "SELECT id, v FROM {t}"),
    "SELECT count(*) AS n, count(v) AS m FROM {t}",
    "SELECT id FROM {t} WHERE v IS NULL",
    ("SELECT id, get_json_object(to_json(v), '$.b') AS b FROM {t} WHERE id = 1", VARIANT_QUERIES[1][1]),
    ("SELECT id, get_json_object(to_json(v), '$.e.f') = 'true' AS f FROM {t} WHERE id = 1", VARIANT_QUERIES[2][1]),
]


@table
def shredded_variants(w):
    w.sql("CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta TBLPROPERTIES (delta.enableVariantShredding = true)")
    with w.configured(spark__sql__variant__writeShredding__enabled="true",
                      spark__sql__variant__forceShreddingSchemaForTest=SHREDDING):
        w.sql(f"INSERT INTO {{t}} {VARIANTS}")
    w.sql("INSERT INTO {t} VALUES (20, NULL)")
    return SHREDDED_QUERIES


@table
def nested_variants(w):
    w.sql("CREATE TABLE {t} (id BIGINT, s STRUCT<n: INT, v: VARIANT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>)"
          " USING delta TBLPROPERTIES (delta.columnMapping.mode = 'name')",
          "INSERT INTO {t} VALUES (1, named_struct('n', 1, 'v', parse_json('{\"a\": [1]}')),"
          " array(parse_json('1'), NULL, parse_json('\"x\"')), map('k', parse_json('{\"b\": 2}'))),"
          " (2, NULL, NULL, NULL)", "ALTER TABLE {t} RENAME COLUMN s TO renamed")
    return [("SELECT id, renamed.n AS n, to_json(renamed.v) AS v, to_json(m['k']) AS k FROM {t}",
             "SELECT id, renamed.n AS n, renamed.v AS v, m['k'] AS k FROM {t}"),
            ("SELECT id, transform(l, x -> to_json(x)) AS l FROM {t}", "SELECT id, l FROM {t}"),
            ("SELECT id, transform_values(m, (k, x) -> to_json(x)) AS m FROM {t}", "SELECT id, m FROM {t}")]


# ---- Widened columns -------------------------------------------------------------------------------

WIDENINGS = [("TINYINT", "SMALLINT"), ("TINYINT", "INT"), ("TINYINT", "BIGINT"), ("SMALLINT", "INT"),
             ("SMALLINT", "BIGINT"), ("INT", "BIGINT"), ("FLOAT", "DOUBLE"), ("TINYINT", "DOUBLE"),
             ("SMALLINT", "DOUBLE"), ("INT", "DOUBLE"), ("DATE", "TIMESTAMP_NTZ"),
             ("DECIMAL(5,2)", "DECIMAL(9,2)"), ("DECIMAL(5,2)", "DECIMAL(20,4)"), ("DECIMAL(12,2)", "DECIMAL(38,10)"),
             ("TINYINT", "DECIMAL(10,0)"), ("SMALLINT", "DECIMAL(12,2)"), ("INT", "DECIMAL(15,5)"),
             ("BIGINT", "DECIMAL(22,2)"), ("BIGINT", "DECIMAL(38,18)")]
NARROW = {"TINYINT": ["-128", "0", "127"], "SMALLINT": ["-32768", "1", "32767"],
          "INT": ["-2147483648", "2", "2147483647"],
          "BIGINT": ["-9223372036854775808", "3", "9223372036854775807"],
          "FLOAT": ["-1.5", "0.1", "3.4e38"], "DATE": ["0001-01-01", "2024-02-29", "9999-12-31"],
          "DECIMAL(5,2)": ["-999.99", "0.01", "999.99"], "DECIMAL(12,2)": ["-9999999999.99", "0.01", "9999999999.99"]}


# A date becomes a timestamp without a zone, whose feature Spark does not add by itself.
WIDENING = "delta.enableTypeWidening = true, delta.feature.timestampNtz = 'supported'"


def widened_queries(types):
    queries = ["SELECT * FROM {t}"]
    for i, (narrow, wide) in enumerate(types):
        for value in NARROW[narrow]:
            literal = f"CAST('{value}' AS {wide})"
            queries += [(f"SELECT count(*) AS n FROM {{t}} WHERE c{i} {sign} {literal}",
                         f"SELECT count(*) AS n FROM {{t}} WHERE c{i} {sign} "
                         + literal.replace("TIMESTAMP_NTZ", "TIMESTAMP")) for sign in ("=", "<", ">=")]
    return queries


def widen(w, types, more=""):
    columns = ", ".join(f"c{i} {narrow}" for i, (narrow, _) in enumerate(types))
    w.sql(f"CREATE TABLE {{t}} (id INT, {columns}) USING delta {more}")
    for row in range(3):
        values = ", ".join(f"CAST('{NARROW[narrow][row]}' AS {narrow})" for narrow, _ in types)
        w.sql(f"INSERT INTO {{t}} VALUES ({row}, {values})")
    w.sql("INSERT INTO {t} (id) VALUES (3)")
    for i, (_, wide) in enumerate(types):
        w.sql(f"ALTER TABLE {{t}} ALTER COLUMN c{i} TYPE {wide}")
    values = ", ".join(f"CAST('1' AS {wide})" if "TIMESTAMP" not in wide else "TIMESTAMP_NTZ'2024-02-29 01:02:03.5'"
                       for _, wide in types)
    w.sql(f"INSERT INTO {{t}} VALUES (4, {values})")
    return widened_queries(types)


@table
def widened(w):
    return widen(w, WIDENINGS, f"TBLPROPERTIES ({WIDENING})")


@table
def widened_with_struct_statistics(w):
    queries = widen(w, WIDENINGS, f"TBLPROPERTIES ({WIDENING}, delta.checkpointInterval = 3,"
                    " delta.checkpoint.writeStatsAsStruct = true, delta.checkpoint.writeStatsAsJson = false)")
    w.sql("INSERT INTO {t} (id) VALUES (5)", "INSERT INTO {t} (id) VALUES (6)", "INSERT INTO {t} (id) VALUES (7)")
    return queries


@table
def widened_partitions(w):
    types = [(narrow, wide) for narrow, wide in WIDENINGS if narrow != "BIGINT"]
    partitions = ", ".join(f"c{i}" for i in range(len(types)))
    return widen(w, types, f"PARTITIONED BY ({partitions}) TBLPROPERTIES ({WIDENING})")


@table
def widened_fields(w):
    w.sql("CREATE TABLE {t} (id INT, s STRUCT<a: TINYINT, b: DATE>, l ARRAY<SMALLINT>, m MAP<INT, FLOAT>) USING delta"
          f" TBLPROPERTIES ({WIDENING}, delta.columnMapping.mode = 'name')",
          "INSERT INTO {t} VALUES (1, named_struct('a', 1Y, 'b', DATE '2024-01-01'), array(1S, NULL), map(1, 0.1F)),"
          " (2, NULL, NULL, NULL)", "ALTER TABLE {t} ALTER COLUMN s.a TYPE INT",
          "ALTER TABLE {t} ALTER COLUMN s.b TYPE TIMESTAMP_NTZ", "ALTER TABLE {t} ALTER COLUMN l.element TYPE BIGINT",
          "ALTER TABLE {t} ALTER COLUMN m.key TYPE BIGINT", "ALTER TABLE {t} ALTER COLUMN m.value TYPE DOUBLE",
          "ALTER TABLE {t} RENAME COLUMN s TO t",
          "INSERT INTO {t} VALUES (3, named_struct('a', 100000, 'b', TIMESTAMP_NTZ '2024-01-01 01:00:00'),"
          " array(9000000000), map(9000000000, 0.25))")
    return ["SELECT * FROM {t}", "SELECT id FROM {t} WHERE t.a = 1", "SELECT id FROM {t} WHERE t.a > 500"]


# ---- Making them -----------------------------------------------------------------------------------


def pair_of(query):
    return query if isinstance(query, tuple) else (query, query)


def spelled(query, path):
    return query.replace("{t}", f"delta.`{path}`").replace("{p}", path)


COUNTING = "SELECT count(*) AS n FROM {t} WHERE "


def counted_by_spark(queries, path):
    """What queries that only count give, number -> rows: Spark is asked for all of them at once."""
    counting = [(n, q.removeprefix(COUNTING)) for n, q in enumerate(queries) if q.startswith(COUNTING)]
    if not counting:
        return {}
    columns = ", ".join(f"count_if({condition}) AS n{n}" for n, condition in counting)
    found = engine.session().sql(spelled(f"SELECT {columns} FROM {{t}}", path)).collect()[0].asDict()
    return {n: pa.table({"n": pa.array([found[f"n{n}"]], pa.int64())}) for n, _ in counting}


def write_case(case, name):
    path = os.path.join(case, "delta")
    queries = [pair_of(q) for q in TABLES[name](Writer(engine.session(), path))]
    counted = counted_by_spark([q for q, _ in queries], path)
    for number, (spark_query, _) in enumerate(queries):
        found = counted.get(number)
        if found is None:
            found = engine.session().sql(spelled(spark_query, path)).toArrow()
        pq.write_table(found, f"{case}/expected/{number}.parquet")
    with open(f"{case}/queries.json", "w", encoding="utf-8") as file:
        json.dump([ours for _, ours in queries], file)


STORE = kept.Store(os.path.join(engine.PEERS, "kept", "reading"), TABLES, write_case)


# ---- Asking us -------------------------------------------------------------------------------------


def same_answer(query, path, expected_path):
    return rows.difference(pq.read_table(expected_path), product.query(spelled(query, path)))


def run_all(run):
    for name in STORE.complete():
        case = STORE.case(name)
        with open(f"{case}/queries.json", encoding="utf-8") as file:
            queries = json.load(file)
        for number, query in enumerate(queries):
            run.check(f"reading/{name} {query}", same_answer, query, os.path.join(case, "delta"),
                      f"{case}/expected/{number}.parquet")
