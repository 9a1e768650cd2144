"""Columns that change with what is written: mergeSchema and overwriteSchema, however they are asked for."""
import csv
import json
import os
import shutil
import sys

from harness import PLAIN, expect, expect_equal, expect_failure, main, test

MERGES = "SET spark.databricks.delta.schema.autoMerge.enabled = true; "
MAPPED = "'delta.columnMapping.mode' = 'name'"
WIDENS = "'delta.enableTypeWidening' = 'true'"


def make(w, columns="id INT, s STRING", more="", properties=""):
    w.sql(PLAIN + f"CREATE TABLE t ({columns}) {more}" + (f" TBLPROPERTIES ({properties})" if properties else ""))


def columns(w, table="t"):
    return [tuple(row[:2]) for row in w.rows(f"DESCRIBE {table}") if row[0] and not row[0].startswith("#")]


def versions(w, table="t"):
    names = [n for n in os.listdir(os.path.dirname(w.log(table, 0))) if n.endswith(".json") and n[:20].isdigit()]
    return max(int(n[:20]) for n in names if len(n) == 25)


def refused(w, statement, code, *words):
    before = versions(w)
    expect_failure(w.run("sql", "-c", statement), 1, code, *words)
    expect_equal(versions(w), before)


def kinds(w, version):
    return sorted(next(iter(action)) for action in w.actions("t", version))


# ---- mergeSchema -------------------------------------------------------------------------------------


@test
def test_insert__adds_columns_by_name_and_by_position(w):
    for properties in ("", MAPPED):
        make(w, properties=properties)
        w.sql("INSERT INTO t VALUES (1, 'a')")
        w.sql("INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 2.5::DOUBLE AS price, 2 AS ID")
        w.sql("INSERT INTO t WITH ('mergeSchema' = 'true') SELECT 3, 'c', 3.5, DATE '2024-01-31' AS day")
        w.sql(MERGES + "INSERT INTO t (day, id, more) SELECT DATE '2024-02-01', 4, 'x'")
        expect_equal(columns(w), [("id", "int"), ("s", "string"), ("price", "double"), ("day", "date"),
                                  ("more", "string")])
        expect_equal(w.rows("SELECT id, s, price, day::VARCHAR, more FROM t ORDER BY id"),
                     [[1, "a", None, None, None], [2, None, 2.5, None, None], [3, "c", 3.5, "2024-01-31", None],
                      [4, None, None, "2024-02-01", "x"]])
        expect_equal(kinds(w, 2), ["add", "commitInfo", "metaData"])
        expect_equal(w.rows("SELECT * FROM t VERSION AS OF 1"), [[1, "a"]])
        shutil.rmtree(w.path("t"))


@test
def test_insert__without_evolution_refuses_columns_that_the_table_lacks(w):
    make(w)
    refused(w, "INSERT INTO t BY NAME SELECT 1 AS id, 2 AS extra", "COLUMN_NOT_FOUND", "extra")
    refused(w, "INSERT INTO t SELECT 1, 'a', 2", "COLUMN_COUNT_MISMATCH")
    w.sql(MERGES + "INSERT INTO t BY NAME SELECT 1 AS id")
    expect_equal(columns(w), [("id", "int"), ("s", "string")])
    expect_equal(kinds(w, 1), ["add", "commitInfo"])


@test
def test_insert__adds_fields_inside_of_structs_lists_and_maps(w):
    make(w, "id INT, a STRUCT<x: INT>, l ARRAY<STRUCT<k: INT>>, m MAP<STRING, STRUCT<v: INT>>")
    w.sql("INSERT INTO t SELECT 1, {'x': 1}, [{'k': 1}], MAP {'a': {'v': 1}}")
    w.sql("INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 2 AS id, {'y': 'u', 'X': 2} AS a, [{'k': 2, 'j': 9}] AS l,"
          " MAP {'b': {'w': 3, 'v': 2}} AS m")
    expect_equal(columns(w)[1:], [("a", "struct<x:int,y:string>"), ("l", "array<struct<k:int,j:int>>"),
                                  ("m", "map<string,struct<v:int,w:int>>")])
    expect_equal(w.rows("SELECT id, a, l, m['a'].v AS v, m['b'].w AS w FROM t ORDER BY id"),
                 [[1, {"x": 1, "y": None}, [{"k": 1, "j": None}], 1, None],
                  [2, {"x": 2, "y": "u"}, [{"k": 2, "j": 9}], None, 3]])


@test
def test_insert__takes_a_column_that_differs_in_case_for_the_same(w):
    make(w, "id INT, Name STRING")
    w.sql("INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 1 AS ID, 'a' AS nAME, 2 AS NEW")
    expect_equal([name for name, _ in columns(w)], ["id", "Name", "NEW"])
    refused(w, "INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 1 AS id, 2 AS other, 3 AS \"Other\"", "SCHEMA_INVALID")
    refused(w, "INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 1 AS id, 2 AS \"unit price\"", "SCHEMA_INVALID",
            "unit price")


@test
def test_insert__widens_types_at_every_depth_where_the_table_may(w):
    make(w, "n SMALLINT, f FLOAT, l ARRAY<INT>, m MAP<STRING, SMALLINT>, a STRUCT<x: INT>", properties=WIDENS)
    w.sql("INSERT INTO t SELECT 1, 1.5, [1], MAP {'a': 1}, {'x': 1}")
    w.sql("INSERT WITH SCHEMA EVOLUTION INTO t SELECT 70000, 0.1::DOUBLE, [5000000000], MAP {'b': 70000}, {'x': 5000000000}")
    expect_equal(columns(w), [("n", "int"), ("f", "double"), ("l", "array<bigint>"), ("m", "map<string,int>"),
                              ("a", "struct<x:bigint>")])
    expect_equal(w.rows("SELECT n, f, l, m['a'] AS ma, m['b'] AS mb, a.x FROM t ORDER BY n"),
                 [[1, 1.5, [1], 1, None, 1], [70000, 0.1, [5000000000], None, 70000, 5000000000]])
    fields = json.loads(next(a["metaData"] for a in w.actions("t", 2) if "metaData" in a)["schemaString"])["fields"]
    expect_equal(fields[2]["metadata"]["delta.typeChanges"],
                 [{"toType": "long", "fromType": "integer", "fieldPath": "element"}])


@test
def test_insert__widens_nothing_that_an_expression_names_or_the_table_forbids(w):
    make(w, "id INT, n INT")
    refused(w, MERGES + "INSERT INTO t SELECT 1, 5000000000", "n", "5000000000")
    w.sql(f"ALTER TABLE t SET TBLPROPERTIES ({WIDENS}); ALTER TABLE t ADD CONSTRAINT few CHECK (n > 0)")
    refused(w, MERGES + "INSERT INTO t SELECT 1, 5000000000", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "few")
    w.sql(MERGES + "INSERT INTO t SELECT 5000000000, 1")
    expect_equal(columns(w), [("id", "bigint"), ("n", "int")])


@test
def test_insert__adds_columns_in_what_it_replaces(w):
    for properties in ("", "'delta.enableChangeDataFeed' = 'true'", "'delta.enableDeletionVectors' = 'true'"):
        make(w, "id INT, p STRING", more="PARTITIONED BY (p)", properties=properties)
        w.sql("INSERT INTO t VALUES (1, 'a'), (2, 'a'), (3, 'b')")
        w.sql(MERGES + "INSERT INTO t REPLACE WHERE id = 2 SELECT 2 AS id, 'a' AS p, 'new' AS c")
        expect_equal(w.rows("SELECT id, p, c FROM t ORDER BY id"), [[1, "a", None], [2, "a", "new"], [3, "b", None]])
        w.sql("INSERT OVERWRITE t WITH ('mergeSchema' = 'true', 'partitionOverwriteMode' = 'dynamic')"
              " BY NAME SELECT 30 AS id, 'b' AS p, 1 AS d")
        expect_equal(w.rows("SELECT id, p, c, d FROM t ORDER BY id"),
                     [[1, "a", None, None], [2, "a", "new", None], [30, "b", None, 1]])
        w.sql("INSERT WITH SCHEMA EVOLUTION OVERWRITE t PARTITION (p = 'a') SELECT 7, 'c7', 7, 'e7' AS e")
        expect_equal(w.rows("SELECT id, p, c, d, e FROM t ORDER BY id"),
                     [[7, "a", "c7", 7, "e7"], [30, "b", None, 1, None]])
        shutil.rmtree(w.path("t"))


@test
def test_insert__goes_with_identity_generated_and_default_columns(w):
    make(w, "k BIGINT GENERATED ALWAYS AS IDENTITY, id INT, g INT GENERATED ALWAYS AS (id + 1), d STRING DEFAULT 'd'",
         properties="'delta.feature.allowColumnDefaults' = 'supported'")
    w.sql(MERGES + "INSERT INTO t BY NAME SELECT range::INT AS id, 'x' AS new FROM range(3)")
    w.sql("INSERT INTO t (id) VALUES (9)")
    expect_equal(w.rows("SELECT id, g, d, new FROM t ORDER BY id"),
                 [[0, 1, "d", "x"], [1, 2, "d", "x"], [2, 3, "d", "x"], [9, 10, "d", None]])
    expect_equal(w.rows("SELECT count(DISTINCT k), max(k) FROM t"), [[4, 4]])


@test
def test_insert__in_a_transaction_adds_columns_for_the_statements_behind_it(w):
    make(w)
    w.sql(MERGES + "BEGIN; INSERT INTO t BY NAME SELECT 1 AS id, 'c' AS c; INSERT INTO t (id, c) VALUES (2, 'd');"
                   " UPDATE t SET c = 'e' WHERE id = 1; COMMIT")
    expect_equal(versions(w), 1)
    expect_equal(w.rows("SELECT id, c FROM t ORDER BY id"), [[1, "e"], [2, "d"]])


@test
def test_insert__takes_what_needs_a_feature_with_the_feature(w):
    make(w, "id INT")
    w.sql(MERGES + "INSERT INTO t BY NAME SELECT 1 AS id, TIMESTAMP '2024-01-31 10:00:00' AS at")
    expect_equal(columns(w)[1], ("at", "timestamp_ntz"))
    expect("timestampNtz" in str(w.actions("t", 1)), "the feature in the commit")


@test
def test_writers__that_add_columns_at_once_conflict_and_succeed_on_retry(w):
    make(w)
    writers = [w.start("sql", "-c", MERGES + f"INSERT INTO t BY NAME SELECT {i} AS id, 'v' AS c{i}") for i in range(4)]
    ends = [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers]
    for i, (err, status) in enumerate(ends):
        if status != 0:
            expect(status == 3 and b"METADATA_CHANGED" in err, f"a conflict: {status} {err!r}")
            w.sql(MERGES + f"INSERT INTO t BY NAME SELECT {i} AS id, 'v' AS c{i}")
    expect_equal(len(columns(w)), 6)
    expect_equal(w.value("SELECT count(*) FROM t"), 4)


@test
def test_evolution__leaves_tables_of_every_kind_whole(w):
    kinds = {"plain": "", "mapped": MAPPED, "by_id": "'delta.columnMapping.mode' = 'id'",
             "tracked": "'delta.enableRowTracking' = 'true'", "fed": "'delta.enableChangeDataFeed' = 'true'",
             "marked": "'delta.enableDeletionVectors' = 'true'", "iceberg": "'delta.enableIcebergCompatV2' = 'true'",
             "v2": "'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '2'"}
    for name, properties in kinds.items():
        for more in ("", "PARTITIONED BY (p)", "CLUSTER BY (id)"):
            table = f"{name}_{more[:4].strip().lower()}"
            w.sql(PLAIN + f"CREATE TABLE {table} (id INT, p STRING, s STRUCT<x: INT>) {more}" +
                  (f" TBLPROPERTIES ({properties})" if properties else "") +
                  f"; INSERT INTO {table} VALUES (1, 'a', {{'x': 1}}), (2, 'b', NULL);" + MERGES +
                  f"INSERT INTO {table} BY NAME SELECT 3 AS id, 'a' AS p, {{'x': 3, 'y': [{{'z': 1}}]}} AS s, 1.5::DOUBLE AS d;"
                  f" MERGE INTO {table} t USING (SELECT 1 AS id, 'a' AS p, 7 AS e) s ON t.id = s.id"
                  " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *; CHECKPOINT " + table)
            expect_equal(w.rows(f"SELECT id, p, s.x, d, e FROM {table} ORDER BY id"),
                         [[1, "a", 1, None, 7], [2, "b", None, None, None], [3, "a", 3, 1.5, None]])
            w.sql(f"INSERT OVERWRITE {table} WITH ('overwriteSchema' = 'true') SELECT 'a' AS p, 9::BIGINT AS id, 'n' AS n"
                  f"; INSERT INTO {table} VALUES ('b', 10, 'm'); DELETE FROM {table} WHERE id = 9")
            expect_equal(w.rows(f"SELECT * FROM {table}"), [["b", 10, "m"]])
            w.sql(f"RESTORE {table} TO VERSION AS OF 2")
            expect_equal(w.rows(f"SELECT id, p, d FROM {table} ORDER BY id"), [[1, "a", None], [2, "b", None], [3, "a", 1.5]])


# ---- overwriteSchema ---------------------------------------------------------------------------------


@test
def test_overwrite__replaces_columns_and_keeps_what_else_the_table_is(w):
    make(w, "id INT NOT NULL, s STRING", properties=f"{MAPPED}, 'owner' = 'me'")
    w.sql("INSERT INTO t VALUES (1, 'a')")
    w.sql("INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 'x' AS id, 2.5::DOUBLE AS price")
    expect_equal(columns(w), [("id", "string"), ("price", "double")])
    expect_equal(w.rows("SELECT * FROM t"), [["x", 2.5]])
    expect_equal(w.rows("SELECT * FROM t VERSION AS OF 1"), [[1, "a"]])
    expect("owner" in w.sql("SHOW TBLPROPERTIES t"), "the property to stay")
    w.sql("INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 'y' AS id, 3.5::DOUBLE AS price")
    expect("metaData" not in kinds(w, 3), "no new definition where nothing changes")
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(w.rows("SELECT * FROM t"), [[1, "a"]])


@test
def test_overwrite__keeps_partitions_and_clustering_where_their_columns_are(w):
    make(w, "id INT, p STRING", more="PARTITIONED BY (p)")
    w.sql("INSERT INTO t VALUES (1, 'a')")
    w.sql("INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 'a' AS P, 1 AS n")
    expect_equal(w.rows("SELECT * FROM t"), [["a", 1]])
    refused(w, "INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 1 AS n", "PARTITION_COLUMN_MISSING", "P")
    refused(w, "INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') PARTITION (P = 'a') SELECT 1 AS n",
            "OVERWRITE_SCHEMA_WITH_REPLACE_WHERE")
    refused(w, "INSERT OVERWRITE t WITH ('overwriteSchema' = 'true', 'partitionOverwriteMode' = 'dynamic') SELECT 1 AS n",
            "OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE")
    refused(w, "INSERT INTO t WITH ('overwriteSchema' = 'true') SELECT 1 AS n", "OVERWRITE_SCHEMA_WITHOUT_OVERWRITE")
    w.sql("CREATE TABLE c (k INT, v INT) CLUSTER BY (k); INSERT INTO c VALUES (1, 1)")
    w.sql("INSERT OVERWRITE c WITH ('overwriteSchema' = 'true') SELECT 'x' AS v, 5::BIGINT AS k")
    expect_equal(w.rows("SELECT * FROM c"), [["x", 5]])
    expect_failure(w.run("sql", "-c", "INSERT OVERWRITE c WITH ('overwriteSchema' = 'true') SELECT 'x' AS v"), 1,
                   "CLUSTERING_COLUMN_MISSING", "k")


@test
def test_overwrite__is_refused_where_a_constraint_names_what_goes(w):
    make(w, "id INT, n INT")
    w.sql("ALTER TABLE t ADD CONSTRAINT few CHECK (n > 0)")
    refused(w, "INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 1 AS id", "few")


# ---- Files -------------------------------------------------------------------------------------------


def write_csv(w, name, rows):
    with open(w.path(name), "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@test
def test_load__merges_and_overwrites_columns(w):
    w.sql("COPY (SELECT 1 AS id, 'a' AS s) TO 'one.parquet'; COPY (SELECT 2 AS id, 2.5::DOUBLE AS price) TO 'two.parquet'")
    w.sql("COPY (SELECT 'p' AS kind, 3 AS n) TO 'three.parquet'; COPY (SELECT 4 AS id, 4 AS more) TO 'four.parquet'")
    for name in ("one", "two"):
        ran = w.run("load", w.path("t"), w.path(f"{name}.parquet"), "--merge-schema")
        expect(ran.status == 0, f"a load: {ran!r}")
    expect_equal(columns(w), [("id", "int"), ("s", "string"), ("price", "double")])
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, "a", None], [2, None, 2.5]])
    expect_failure(w.run("load", w.path("t"), w.path("four.parquet")), 1, "COLUMN_NOT_FOUND", "more")
    w.sql(f"COPY INTO t FROM '{w.path('four.parquet')}' FILEFORMAT = PARQUET COPY_OPTIONS ('mergeSchema' = 'true')")
    expect_equal(columns(w)[-1], ("more", "int"))
    expect_failure(w.run("load", w.path("t"), w.path("three.parquet"), "--overwrite-schema"), 1,
                   "OVERWRITE_SCHEMA_WITHOUT_OVERWRITE")
    ran = w.run("load", w.path("t"), w.path("three.parquet"), "--mode", "overwrite", "--overwrite-schema",
                "--partition-by", "kind")
    expect(ran.status == 0, f"a load: {ran!r}")
    expect_equal(w.rows("SELECT * FROM t"), [["p", 3]])
    expect_equal(next(a["metaData"] for a in w.actions("t", 3) if "metaData" in a)["partitionColumns"], ["kind"])


# ---- Values that do not fit --------------------------------------------------------------------------


@test
def test_insert__tells_the_column_the_value_and_the_row(w):
    make(w, "id INT, price INT, d DECIMAL(4, 1)")
    refused(w, "INSERT INTO t SELECT i, CASE WHEN i = 17 THEN 'abc' ELSE '1' END, 0 FROM range(1, 30) r(i)",
            'column "price": expected int, found \'abc\' in row 17 of the query', "CONVERSION_ERROR")
    refused(w, "INSERT INTO t BY NAME SELECT 1.25 AS d, 1 AS id", 'column "d": expected decimal(4,1), found 1.25 in row 1',
            "VALUE_LOSES_DATA")
    refused(w, "INSERT INTO t (price) VALUES (1), (5000000000)", 'column "price": expected int, found 5000000000 in row 2')
    refused(w, "INSERT INTO t (price) VALUES ('" + "x" * 500 + "')", "x" * 100 + "...", "row 1")
    refused(w, "INSERT INTO t (price) VALUES ('" + "é" * 500 + "')", "é" * 60 + "...'")
    refused(w, "INSERT INTO t (price) VALUES ('x" + "é" * 500 + "')", "x" + "é" * 59 + "...'")


@test
def test_insert__tells_the_place_of_a_value_inside_of_nested_ones(w):
    make(w, "id INT, s STRUCT<n: INT, t: STRUCT<d: DATE>>, l ARRAY<STRUCT<p: DECIMAL(4, 1)>>, m MAP<STRING, ARRAY<INT>>")
    refused(w, "INSERT INTO t BY NAME SELECT i AS id, {n: CASE WHEN i = 4 THEN 'late' ELSE '1' END} AS s FROM range(1, 9) r(i)",
            'column "s.n": expected int, found \'late\' in row 4 of the query', "CONVERSION_ERROR")
    refused(w, "INSERT INTO t BY NAME SELECT {T: {D: CASE WHEN i = 2 THEN '1.1.99' END}} AS s FROM range(1, 9) r(i)",
            'column "s.t.d": expected date, found \'1.1.99\' in row 2')
    refused(w, "INSERT INTO t BY NAME SELECT [NULL, {p: 1.5}, {p: CASE WHEN i = 7 THEN 1.25 ELSE 2 END}, {p: 1.35}] AS l FROM range(1, 9) r(i)",
            'column "l.element.p": expected decimal(4,1), found 1.35 in row 1', "VALUE_LOSES_DATA")
    refused(w, "INSERT INTO t BY NAME SELECT MAP {'a': ['1'], 'b': ['2', CASE WHEN i = 3 THEN 'x' END]} AS m FROM range(1, 9) r(i)",
            'column "m.value.element": expected int, found \'x\' in row 3')
    refused(w, "INSERT INTO t BY NAME SELECT {n: TIMESTAMP '2001-01-01 00:00:00', t: NULL} AS s", "TYPE_MISMATCH")
    refused(w, "INSERT INTO t BY NAME SELECT {t: {d: TIMESTAMP '2001-01-01 00:00:01'}} AS s",
            'column "s.t.d": expected date, found 2001-01-01 00:00:01 in row 1', "VALUE_LOSES_DATA")
    w.sql("INSERT INTO t BY NAME SELECT 1 AS id, {n: '1', t: {d: '2001-01-01'}} AS s, [{p: 1.50}] AS l, MAP {'a': ['1']} AS m")


@test
def test_load__tells_the_file_of_a_value_that_does_not_fit(w):
    make(w, "id INT, price INT")
    w.sql("COPY (SELECT i AS id, '7' AS price FROM range(5) r(i)) TO 'a.parquet';"
          " COPY (SELECT i AS id, CASE WHEN i = 16 THEN 'abc' ELSE '7' END AS price FROM range(30) r(i)) TO 'b.parquet'")
    before = sorted(w.files("t"))
    expect_failure(w.run("load", w.path("t"), w.path("a.parquet"), w.path("b.parquet")), 1,
                   'column "price": expected int, found \'abc\' in row 17 of', "b.parquet", "CONVERSION_ERROR")
    write_csv(w, "c.csv", [["id", "price"], [1, 1.5], [2, 2.25]])
    refused(w, f"COPY INTO t FROM '{w.path('c.csv')}' FILEFORMAT = CSV", 'found 1.5 in row 1 of', "c.csv", "VALUE_LOSES_DATA")
    expect_equal(sorted(w.files("t")), before)


@test
def test_write__names_the_partition_column_of_a_value_that_no_directory_can_have(w):
    w.sql("CREATE TABLE t (id INT, country STRING, p STRING) PARTITIONED BY (country, p)")
    refused(w, "INSERT INTO t VALUES (1, 'be', 'a'), (2, 'be', repeat('x', 300))", 'partition column "p"', "at most 255 bytes",
            "found one of 300 bytes, which takes 302: 'xxx", "PARTITION_VALUE_TOO_LONG")
    refused(w, "INSERT INTO t VALUES (1, repeat('/', 90), 'a')", 'partition column "country"',
            "found one of 90 bytes, which takes 278: '///")
    w.sql("INSERT INTO t VALUES (1, 'be', repeat('x', 253))")
    refused(w, "UPDATE t SET p = repeat('é', 130)", 'partition column "p"', "260 bytes", "PARTITION_VALUE_TOO_LONG")
    refused(w, "INSERT INTO t VALUES (1, 'be', repeat('é', 50))", "found one of 100 bytes, which takes 302: 'éé")
    expect_equal(w.rows("SELECT id, length(p) FROM t"), [[1, 253]])
    expect_equal(len(w.files("t")), 1)


# ---- CHECK COMPATIBILITY -----------------------------------------------------------------------------


def check(w, schema, mode, table="t"):
    """The incompatible columns, and all that was found."""
    ran = w.run("sql", "-c", f"CHECK COMPATIBILITY OF SCHEMA {schema} WITH {table} MODE {mode}", "--format", "ndjson")
    found = [json.loads(line) for line in ran.out.splitlines()]
    bad = sorted({(f["column"], f["direction"]) for f in found if f["verdict"] == "incompatible"})
    expect_equal(ran.status, 7 if bad else 0)
    return bad, found


def write_schema(w, name, fields):
    types = {"n": "integer", "b": "long", "s": "string", "d": "date"}
    with open(w.path(name), "w", encoding="utf-8") as file:
        json.dump({"type": "struct", "fields": [
            {"name": f.rstrip("!").split(":")[0], "type": types.get(f.rstrip("!").split(":")[1], f.split(":")[1]),
             "nullable": not f.endswith("!"), "metadata": {}} for f in fields]}, file)
    return f"'{w.path(name)}'"


SPARK_NAMES = {"byte": "TINYINT", "short": "SMALLINT", "integer": "INT", "long": "BIGINT"}


def make_of_schema(w, name):
    """The table t, with the columns of a schema of nested_fields."""
    with open(w.path(name), encoding="utf-8") as file:
        fields = json.load(file)["fields"]

    def sql(kind):
        if isinstance(kind, str):
            return SPARK_NAMES.get(kind, kind)
        if kind["type"] == "struct":
            return f"STRUCT<x: {sql(kind['fields'][0]['type'])}>"
        if kind["type"] == "array":
            return f"ARRAY<{sql(kind['elementType'])}>"
        return f"MAP<{sql(kind['keyType'])}, {sql(kind['valueType'])}>"
    make(w, ", ".join(f"{f['name']} {sql(f['type'])}" for f in fields))


# What a column may become, as the reference has it (TypeWidening.scala): all other pairs are refused.
WIDER = {"byte": ["short", "integer", "long", "double", "decimal(10,0)", "decimal(20,0)", "decimal(22,2)"],
         "short": ["integer", "long", "double", "decimal(10,0)", "decimal(20,0)", "decimal(22,2)"],
         "integer": ["long", "double", "decimal(10,0)", "decimal(20,0)", "decimal(22,2)"],
         "long": ["decimal(20,0)", "decimal(22,2)"], "float": ["double"], "double": [],
         "decimal(10,0)": ["decimal(20,0)", "decimal(22,2)"], "decimal(20,0)": ["decimal(22,2)"], "decimal(22,2)": [],
         "boolean": [], "string": [], "binary": [], "date": ["timestamp_ntz"], "timestamp": [], "timestamp_ntz": []}


def nested_fields(name, kind):
    """A column of the type, and columns with the type at every kind of place."""
    def field(name, kind):
        return {"name": name, "type": kind, "nullable": True, "metadata": {}}
    return [field(name, kind), field(name + "_s", {"type": "struct", "fields": [field("x", kind)]}),
            field(name + "_l", {"type": "array", "elementType": kind, "containsNull": True}),
            field(name + "_m", {"type": "map", "keyType": kind, "valueType": kind, "valueContainsNull": True})]


@test
def test_check__has_the_verdict_of_the_reference_for_each_pair_of_types_at_every_depth(w):
    kinds = list(WIDER)
    for shift in range(len(kinds)):
        bad_back, bad_forth = set(), set()
        for side, offset in (("old", 0), ("new", shift)):
            fields = [f for i in range(len(kinds)) for f in nested_fields(f"c{i}", kinds[(i + offset) % len(kinds)])]
            with open(w.path(f"{side}.schema"), "w", encoding="utf-8") as file:
                json.dump({"type": "struct", "fields": fields}, file)
        for i, old in enumerate(kinds):
            new = kinds[(i + shift) % len(kinds)]
            places = {f"c{i}", f"c{i}_s.x", f"c{i}_l.element", f"c{i}_m.key", f"c{i}_m.value"}
            bad_back |= places if new != old and new not in WIDER[old] else set()
            bad_forth |= places if new != old and old not in WIDER[new] else set()
        if shift == 0:
            make_of_schema(w, "old.schema")
        bad, _ = check(w, "'" + w.path("new.schema") + "'", "FULL")
        expect_equal({c for c, d in bad if d.lower() == "backward"}, bad_back)
        expect_equal({c for c, d in bad if d.lower() == "forward"}, bad_forth)


@test
def test_check__judges_each_difference_in_each_direction(w):
    make(w, "id INT NOT NULL, n INT, s STRING")
    same = write_schema(w, "same.json", ["id:n!", "n:n", "s:s"])
    expect_equal(check(w, same, "FULL"), ([], []))
    more = write_schema(w, "more.schema", ["ID:n!", "n:n", "s:s", "c:d"])
    bad, found = check(w, more, "FULL")
    expect_equal(bad, [])
    expect_equal(sorted((f["column"], f["change"], f["direction"]) for f in found),
                 [("ID", "column renamed", "BACKWARD"), ("ID", "column renamed", "FORWARD"),
                  ("c", "column added", "BACKWARD"), ("c", "column added", "FORWARD")])
    required = write_schema(w, "required.json", ["id:n!", "n:n", "s:s", "c:d!"])
    expect_equal(check(w, required, "FULL")[0], [("c", "BACKWARD")])
    expect_equal(check(w, required, "FORWARD")[0], [])
    fewer = write_schema(w, "fewer.json", ["n:n"])
    expect_equal(check(w, fewer, "FULL")[0], [("id", "FORWARD")])
    wider = write_schema(w, "wider.json", ["id:b!", "n:n", "s:s"])
    expect_equal(check(w, wider, "FULL")[0], [("id", "FORWARD")])
    other = write_schema(w, "other.json", ["id:n!", "n:s", "s:s"])
    expect_equal(check(w, other, "FULL")[0], [("n", "BACKWARD"), ("n", "FORWARD")])
    strict = write_schema(w, "strict.json", ["id:n", "n:n!", "s:s"])
    expect_equal(check(w, strict, "FULL")[0], [("id", "FORWARD"), ("n", "BACKWARD")])


@test
def test_check__compares_versions_tables_and_files(w):
    make(w, "id INT, a STRUCT<x: INT>", properties=MAPPED)
    w.sql("ALTER TABLE t ADD COLUMN (a.y STRING); ALTER TABLE t RENAME COLUMN id TO key")
    bad, found = check(w, "t", "FULL", "t VERSION AS OF 0")
    expect_equal(bad, [("key", "BACKWARD"), ("key", "FORWARD")])
    expect(("a.y", "column added") in [(f["column"], f["change"]) for f in found], found)
    expect_equal(check(w, "t@v1", "FULL", "t VERSION AS OF 0")[0], [])
    w.sql("COPY (SELECT 1 AS key, {'x': 1, 'y': 'u', 'z': 2} AS a) TO 'f.parquet'; COPY (SELECT 'x' AS key) TO 'f.json'")
    expect_equal(check(w, f"'{w.path('f.parquet')}'", "FULL")[0], [])
    expect_equal(check(w, f"'{w.path('f.json')}'", "BACKWARD")[0], [("key", "BACKWARD")])
    write_csv(w, "f.csv", [["key", "more"], [1, 2]])
    expect_equal(check(w, f"'{w.path('f.csv')}'", "FORWARD")[0], [("key", "FORWARD")])


@test
def test_check__is_a_verb_with_an_exit_status(w):
    make(w, "id INT")
    schema = write_schema(w, "new.json", ["id:s"])[1:-1]
    ran = w.run("check-schema", schema, w.path("t"), "--format", "csv")
    expect_equal((ran.status, len(ran.out.splitlines())), (7, 3))
    expect_equal(w.run("check-schema", w.path("t"), w.path("t"), "--mode", "backward").status, 0)
    expect_equal(w.run("check-schema", w.path("t") + "@v0", w.path("t")).status, 0)
    expect_failure(w.run("check-schema", w.path("none.json"), w.path("t")), 1, "none.json")
    with open(w.path("bad.schema"), "w", encoding="utf-8") as file:
        file.write("{}")
    expect_failure(w.run("check-schema", w.path("bad.schema"), w.path("t")), 1, "bad.schema", "SCHEMA_INVALID")
    expect_equal(w.run("check-schema", schema, w.path("t"), "--mode", "sideways").status, 2)
    expect_failure(w.run("sql", "-c", "CHECK COMPATIBILITY OF SCHEMA t WITH t"), 1, "expected MODE")


if __name__ == "__main__":
    sys.exit(main())
