"""Constraints, generated columns, defaults and identity columns, from end to end."""
import json
import os
import shutil
import sys

from harness import expect, expect_equal, expect_failure, main, test

STATUSES = {"_UNSUPPORTED]": 4, "METADATA_INVALID]": 5}
DEFAULTS = "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')"


def metadata(w, table="t"):
    folder = os.path.join(w.path(table), "_delta_log")
    found = None
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".json")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in map(json.loads, file):
                found = line.get("metaData", found)
    return found


def field(w, name, table="t"):
    fields = json.loads(metadata(w, table)["schemaString"])["fields"]
    return next(f["metadata"] for f in fields if f["name"] == name)


def fails(w, statement, *words):
    before = w.files("t") if os.path.exists(w.path("t")) else []
    status = next((s for word, s in STATUSES.items() if any(word in w for w in words)), 1)
    expect_failure(w.run("sql", "-c", statement), status, *words)
    if os.path.exists(w.path("t")):
        expect_equal(w.files("t"), before)


def write_table(w, fields, configuration=None, protocol=None, table="t"):
    """A table as another engine made it."""
    shutil.rmtree(w.path(table), ignore_errors=True)
    listed = [{"name": n, "type": t, "nullable": True, "metadata": m} for n, t, m in fields]
    w.write_log(table, 0, [
        {"protocol": protocol or {"minReaderVersion": 1, "minWriterVersion": 6}},
        {"metaData": {"id": "rules", "format": {"provider": "parquet", "options": {}},
                      "schemaString": json.dumps({"type": "struct", "fields": listed}),
                      "partitionColumns": [], "configuration": configuration or {}, "createdTime": 0}}])


# ---- Check constraints and invariants ---------------------------------------------------------------


@test
def test_constraints__refuse_rows_and_name_constraint_expression_and_values(w):
    write_table(w, [("id", "long", {}), ("name", "string", {})],
                {"delta.constraints.positive": "id > 0", "delta.constraints.named": "`name` <> \"\""})
    w.sql("INSERT INTO t VALUES (1, 'a')")
    fails(w, "INSERT INTO t VALUES (2, 'b'), (-3, 'c')", "[CHECK_CONSTRAINT_VIOLATION]",
          'CHECK constraint "positive" (id > 0) is violated by a row with id = -3')
    fails(w, "INSERT INTO t VALUES (2, '')", "[CHECK_CONSTRAINT_VIOLATION]", '"named"', "name = ")
    fails(w, "INSERT INTO t (name) VALUES ('x')", "[CHECK_CONSTRAINT_VIOLATION]", "id = NULL")
    fails(w, "INSERT OVERWRITE t SELECT -1, 'x'", "[CHECK_CONSTRAINT_VIOLATION]")
    w.sql("COPY (SELECT 0 AS id, 'f' AS name) TO 'zero.parquet'")
    expect_failure(w.run("load", "t", w.path("zero.parquet")), 1, "[CHECK_CONSTRAINT_VIOLATION]")
    fails(w, "COPY INTO t FROM 'zero.parquet' FILEFORMAT = PARQUET", "[CHECK_CONSTRAINT_VIOLATION]")
    expect_equal(w.rows("SELECT * FROM t"), [[1, "a"]])


@test
def test_constraints__are_kept_in_the_spelling_of_spark(w):
    w.sql("CREATE TABLE t (id INT, \"s\" STRING)")
    w.sql("ALTER TABLE t ADD CONSTRAINT named CHECK (\"s\" <> 'it''s \\ x' -- why\n AND s <> '')")
    expect_equal(metadata(w)["configuration"]["delta.constraints.named"], "`s` <> 'it\\'s \\\\ x' AND s <> ''")
    w.sql("INSERT INTO t VALUES (1, 'ok')")
    fails(w, "INSERT INTO t VALUES (1, 'it''s \\ x')", "[CHECK_CONSTRAINT_VIOLATION]")
    fails(w, "INSERT INTO t VALUES (1, '')", "[CHECK_CONSTRAINT_VIOLATION]")
    fails(w, "UPDATE t SET s = ''", "[CHECK_CONSTRAINT_VIOLATION]")


@test
def test_constraints__are_looked_at_only_for_rows_that_are_written(w):
    write_table(w, [("id", "long", {})], {"delta.constraints.c": "id > 0"})
    w.sql("INSERT INTO t SELECT range - 5 FROM range(10) WHERE range > 5 LIMIT 3")
    expect_equal(w.rows("SELECT id FROM t ORDER BY id"), [[1], [2], [3]])


@test
def test_constraints__of_nested_fields_and_many_functions_hold(w):
    struct = {"type": "struct", "fields": [{"name": "a", "type": "integer", "nullable": True, "metadata": {}}]}
    write_table(w, [("s", struct, {}), ("code", "string", {}), ("d", "date", {}), ("x", "double", {})], {
        "delta.constraints.nested": "s.a BETWEEN 1 AND 5",
        "delta.constraints.code": "code RLIKE '^[A-Z]{2}[0-9]+$' AND length(code) <= 6",
        "delta.constraints.day": "d IS NULL OR (year(d) >= 2020 AND date_format(d, 'MM') <> '13')",
        "delta.constraints.ratio": "x = 0 OR 1 / x < 10"})
    w.sql("INSERT INTO t VALUES ({'a': 3}, 'AB12', DATE '2024-01-01', 0), ({'a': 5}, 'XY1', NULL, 0.5)")
    for row, name in (("{'a': 6}, 'AB12', NULL, 1", "nested"), ("NULL, 'AB12', NULL, 1", "nested"),
                      ("{'a': 1}, 'ab12', NULL, 1", "code"), ("{'a': 1}, 'AB12345', NULL, 1", "code"),
                      ("{'a': 1}, 'AB1', DATE '2019-12-31', 1", "day"), ("{'a': 1}, 'AB1', NULL, 0.01", "ratio")):
        fails(w, f"INSERT INTO t VALUES ({row})", "[CHECK_CONSTRAINT_VIOLATION]", f'"{name}"')


@test
def test_constraints__that_cannot_be_evaluated_refuse_writing_by_name(w):
    write_table(w, [("s", "string", {})], {"delta.constraints.sound": "soundex(s) = 'A123'"})
    fails(w, "INSERT INTO t VALUES ('a')", "[EXPRESSION_UNSUPPORTED]", '"sound"', "soundex()")
    write_table(w, [("s", "string", {})], {"delta.constraints.gone": "other > 1"})
    fails(w, "INSERT INTO t VALUES ('a')", "[EXPRESSION_INVALID]", '"gone"', "no column other")
    write_table(w, [("s", "string", {})], {"delta.constraints.value": "length(s)"})
    fails(w, "INSERT INTO t VALUES ('a')", "[EXPRESSION_INVALID]", '"value"', "expected a condition")
    expect_equal(w.rows("SELECT * FROM t"), [])


@test
def test_invariants__refuse_rows_also_by_nested_columns(w):
    rule = {"delta.invariants": json.dumps({"expression": {"expression": "id < 10"}})}
    write_table(w, [("id", "long", rule)], protocol={"minReaderVersion": 1, "minWriterVersion": 2})
    w.sql("INSERT INTO t VALUES (9)")
    fails(w, "INSERT INTO t VALUES (10)", "[CHECK_CONSTRAINT_VIOLATION]",
          'the invariant of column "id" (id < 10) is violated by a row with id = 10')
    write_table(w, [("id", "long", {"delta.invariants": "{\"other\":1}"})])
    fails(w, "INSERT INTO t VALUES (1)", "[EXPRESSION_UNSUPPORTED]", "does not know")


# ---- Generated columns ------------------------------------------------------------------------------


@test
def test_generated__are_computed_or_compared_and_may_be_partitions(w):
    w.sql("CREATE TABLE t (id BIGINT, ts TIMESTAMP, day DATE GENERATED ALWAYS AS (CAST(ts AS DATE)), "
          "label STRING GENERATED ALWAYS AS (concat('#', CAST(\"id\" AS STRING))) COMMENT 'c') "
          "PARTITIONED BY (day)")
    expect_equal(field(w, "label"), {"delta.generationExpression": "concat('#', CAST(`id` AS STRING))",
                                     "comment": "c"})
    w.sql("INSERT INTO t (id, ts) VALUES (1, '2024-05-06 07:08:09'), (2, NULL)")
    w.sql("INSERT INTO t VALUES (3, '2024-05-06 07:08:09', '2024-05-06', '#3')")
    w.sql("INSERT INTO t VALUES (4, '2024-05-06 07:08:09', DEFAULT, DEFAULT)")
    expect_equal(w.rows("SELECT id, day, label FROM t ORDER BY id"),
                 [[1, "2024-05-06", "#1"], [2, None, "#2"], [3, "2024-05-06", "#3"], [4, "2024-05-06", "#4"]])
    fails(w, "INSERT INTO t VALUES (5, '2024-05-06', '2024-05-07', '#5')", "[GENERATED_COLUMN_MISMATCH]",
          'the generated column "day" (CAST(ts AS DATE))', "day = 2024-05-07")
    fails(w, "INSERT INTO t VALUES (5, '2024-05-06', NULL, '#5')", "[GENERATED_COLUMN_MISMATCH]", "day = NULL")
    fails(w, "INSERT INTO t PARTITION (day = '2024-05-07') (id, ts) VALUES (5, '2024-05-06')",
          "[GENERATED_COLUMN_MISMATCH]")
    w.sql("COPY (SELECT 7 AS id, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS ts) TO 'in.parquet'")
    expect_equal(w.run("load", "t", w.path("in.parquet")).status, 0)
    expect_equal(w.value("SELECT day FROM t WHERE id = 7"), "2024-01-01")


@test
def test_generated__tables_that_no_engine_could_write_are_not_made(w):
    for columns, words in (
            ("a BIGINT, b INT GENERATED ALWAYS AS (a)", ("is bigint, the column int",)),
            ("a INT, b INT GENERATED ALWAYS AS (c)", ("no column c",)),
            ("a INT, b INT GENERATED ALWAYS AS (a), c INT GENERATED ALWAYS AS (b)", ("names a generated column",)),
            ("a BIGINT GENERATED ALWAYS AS IDENTITY, b BIGINT GENERATED ALWAYS AS (a)", ("an identity column",)),
            ("a INT, b DATE GENERATED ALWAYS AS (current_date())", ("must not depend on the time",)),
            ("a INT, b INT GENERATED ALWAYS AS (a +)", ("expected a value",))):
        fails(w, f"CREATE TABLE t ({columns})", "[EXPRESSION_INVALID]", *words)
    fails(w, "CREATE TABLE t (a INT, b DOUBLE GENERATED ALWAYS AS (rand()))", "[EXPRESSION_UNSUPPORTED]", "rand()")
    for columns in ("a INT GENERATED ALWAYS AS a", "a INT GENERATED ALWAYS AS ()", "a INT GENERATED AS (1)",
                    "a INT GENERATED BY DEFAULT AS (1)", "a INT DEFAULT", "a INT DEFAULT 1 GENERATED ALWAYS AS (1)"):
        fails(w, f"CREATE TABLE t ({columns})", "[PARSE_ERROR]")


# ---- Defaults ---------------------------------------------------------------------------------------


@test
def test_defaults__need_their_feature_and_fill_what_is_left_out(w):
    fails(w, "CREATE TABLE t (a INT DEFAULT 5)", "[COLUMN_DEFAULTS_DISABLED]", "delta.feature.allowColumnDefaults")
    w.sql(f"CREATE TABLE t (id BIGINT, c INT DEFAULT 2 + 3 NOT NULL, s STRING DEFAULT 'it''s' COMMENT 'x', "
          f"d DATE DEFAULT current_date()) {DEFAULTS}")
    expect_equal(field(w, "s"), {"CURRENT_DEFAULT": "'it\\'s'", "comment": "x"})
    w.sql("INSERT INTO t (id) VALUES (1); INSERT INTO t BY NAME SELECT 2 AS id, 7 AS c;"
          "INSERT INTO t VALUES (3, DEFAULT, 'q', NULL), (4, 9, default, DEFAULT);"
          "INSERT INTO t (s, id) VALUES (DEFAULT, 5); INSERT INTO t VALUES (DEFAULT, DEFAULT, DEFAULT, DEFAULT)")
    w.sql("COPY (SELECT 6 AS id) TO 'in.parquet'")
    expect_equal(w.run("load", "t", w.path("in.parquet")).status, 0)
    expect_equal(w.rows("SELECT id, c, s, d IS NULL FROM t ORDER BY id"),
                 [[1, 5, "it's", False], [2, 7, "it's", False], [3, 5, "q", True], [4, 9, "it's", False],
                  [5, 5, "it's", False], [6, 5, "it's", False], [None, 5, "it's", False]])
    fails(w, "INSERT INTO t (id, c) VALUES (1, NULL)", "[NOT_NULL_VIOLATION]")
    shown = w.value("SHOW CREATE TABLE t")
    expect("c int NOT NULL DEFAULT 2 + 3" in shown and DEFAULTS.split("(")[1].strip(")") in shown, shown)


@test
def test_constraints__stand_in_create_table_and_are_shown_again(w):
    w.sql("CREATE TABLE t (id INT CHECK (id < 100), v STRING NOT NULL CHECK (length(v) > 1), "
          "CONSTRAINT Sized CHECK (id > 0 OR v = 'none'))")
    fails(w, "INSERT INTO t VALUES (0, 'some')", "[CHECK_CONSTRAINT_VIOLATION]", '"sized"')
    fails(w, "INSERT INTO t VALUES (100, 'some')", "[CHECK_CONSTRAINT_VIOLATION]", '"check_1"')
    fails(w, "INSERT INTO t VALUES (1, 'x')", "[CHECK_CONSTRAINT_VIOLATION]", '"check_2"')
    shown = w.value("SHOW CREATE TABLE t")
    w.sql(shown.replace("TABLE t", "TABLE u").split("LOCATION")[0] + shown[shown.index("TBLPROPERTIES"):])
    fails(w, "INSERT INTO u VALUES (0, 'some')", "[CHECK_CONSTRAINT_VIOLATION]", '"sized"')
    w.sql("ALTER TABLE t DROP CONSTRAINT sized; INSERT INTO t VALUES (0, 'some')")


@test
def test_constraints__of_create_table_that_are_wrong_are_refused(w):
    for columns, word in (("id INT, CONSTRAINT a CHECK (id > 0), CONSTRAINT A CHECK (id < 9)", "CONSTRAINT_EXISTS"),
                          ("id INT CHECK (other > 0)", "EXPRESSION_INVALID"), ("id INT CHECK ()", "PARSE_ERROR"),
                          ("id INT PRIMARY KEY", "STATEMENT_UNSUPPORTED"),
                          ("id INT, CONSTRAINT k PRIMARY KEY (id)", "STATEMENT_UNSUPPORTED")):
        fails(w, f"CREATE TABLE t ({columns})", f"[{word}]")


@test
def test_defaults__that_are_none_are_refused(w):
    for column, word in (("d DATE DEFAULT 5", "EXPRESSION_UNSUPPORTED"), ("d INT DEFAULT id", "EXPRESSION_INVALID"),
                         ("d INT DEFAULT nothing()", "EXPRESSION_UNSUPPORTED")):
        fails(w, f"CREATE TABLE t (id INT, {column}) {DEFAULTS}", f"[{word}]", 'the default of column "d"')


# ---- Identity columns -------------------------------------------------------------------------------


@test
def test_identity__values_go_on_from_the_mark_that_is_committed_with_them(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY -5), "
          "b BIGINT GENERATED BY DEFAULT AS IDENTITY, v STRING)")
    expect_equal(field(w, "k"), {"delta.identity.start": 10, "delta.identity.step": -5,
                                 "delta.identity.allowExplicitInsert": False})
    w.sql("INSERT INTO t (v) VALUES ('a'), ('b'); INSERT INTO t (b, v) VALUES (77, 'c');"
          "INSERT INTO t VALUES (DEFAULT, DEFAULT, 'd'); INSERT INTO t (v) SELECT 'e' WHERE false;"
          "INSERT INTO t (v) SELECT 'f' FROM t WHERE k = 10")
    expect_equal(w.rows("SELECT k, b FROM t ORDER BY v"), [[10, 1], [5, 2], [0, 77], [-5, 3], [-10, 4]])
    expect_equal([field(w, c)["delta.identity.highWaterMark"] for c in ("k", "b")], [-10, 4])
    tagged = [a["commitInfo"].get("tags") for v in range(3) for a in w.actions("t", v) if "commitInfo" in a]
    expect_equal(tagged, [None, {"delta.identity.schemaUpdate": "true"}, {"delta.identity.schemaUpdate": "true"}])
    for statement in ("INSERT INTO t (k, v) VALUES (1, 'x')", "INSERT INTO t VALUES (1, 2, 'x')",
                      "INSERT INTO t BY NAME SELECT 1 AS k"):
        fails(w, statement, "[IDENTITY_EXPLICIT]", 'column "k"')
    w.sql("INSERT OVERWRITE t BY NAME SELECT 'g' AS v")
    expect_equal(w.rows("SELECT k, b FROM t"), [[-15, 5]])
    fails(w, "INSERT INTO t VALUES (DEFAULT, DEFAULT, 'x'), (DEFAULT, 1, 'y')", "[STATEMENT_UNSUPPORTED]", '"b"')


@test
def test_identity__values_are_never_updated(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, b BIGINT GENERATED BY DEFAULT AS IDENTITY, v INT);"
          "INSERT INTO t (v) VALUES (1), (2); INSERT INTO t (b, v) VALUES (70, 3)")
    for statement in ("UPDATE t SET k = 7", "UPDATE t SET v = 1, B = 7 WHERE v = 1", "UPDATE t SET t.b = b WHERE false"):
        fails(w, statement, "[IDENTITY_UPDATE]", "identity column", "delete and insert")
    w.sql("UPDATE t SET v = v + 10 WHERE k > 1")
    expect_equal(w.rows("SELECT * FROM t ORDER BY k"), [[1, 1, 1], [2, 2, 12], [3, 70, 13]])
    w.sql("INSERT INTO t (v) VALUES (4)")
    expect_equal(w.rows("SELECT k, b FROM t WHERE v = 4"), [[4, 3]])


@test
def test_defaults__fill_a_row_that_gives_nothing(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, v INT DEFAULT 7, p STRING, d INT GENERATED ALWAYS AS (v + 1))"
          f" PARTITIONED BY (p) {DEFAULTS}")
    w.sql("INSERT INTO t DEFAULT VALUES; INSERT INTO t PARTITION (p = 'x') DEFAULT VALUES")
    expect_equal(w.rows("SELECT * FROM t ORDER BY k"), [[1, 7, None, 8], [2, 7, "x", 8]])
    w.sql("CREATE TABLE u (k BIGINT GENERATED BY DEFAULT AS IDENTITY); INSERT INTO u VALUES (DEFAULT), (DEFAULT);"
          "INSERT INTO u DEFAULT VALUES; INSERT OVERWRITE u DEFAULT VALUES")
    expect_equal(w.rows("SELECT k FROM u"), [[4]])
    w.sql("CREATE TABLE n (a INT NOT NULL)")
    expect_failure(w.run("sql", "-c", "INSERT INTO n DEFAULT VALUES"), 1, "[NOT_NULL_VIOLATION]", '"a"')
    w.sql("CREATE TEMP TABLE e (a INT DEFAULT 3); INSERT INTO e DEFAULT VALUES")


@test
def test_identity__ends_before_it_overflows(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 9223372036854775800 INCREMENT BY 3), v INT)")
    fails(w, "INSERT INTO t (v) SELECT range FROM range(4)", "[IDENTITY_OVERFLOW]", 'column "k"')
    w.sql("INSERT INTO t (v) SELECT range FROM range(3)")
    fails(w, "INSERT INTO t (v) VALUES (1)", "[IDENTITY_OVERFLOW]")
    expect_equal(w.rows("SELECT max(k) FROM t"), [[9223372036854775806]])


@test
def test_identity__columns_that_cannot_be_are_refused(w):
    for columns, code in (("k INT GENERATED ALWAYS AS IDENTITY", "IDENTITY_INVALID"),
                          ("k BIGINT GENERATED ALWAYS AS IDENTITY (INCREMENT BY 0)", "IDENTITY_INVALID"),
                          ("k BIGINT GENERATED ALWAYS AS IDENTITY (START 1)", "PARSE_ERROR"),
                          ("k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 START WITH 2)", "PARSE_ERROR"),
                          ("k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 99999999999999999999)", "PARSE_ERROR"),
                          ("k BIGINT GENERATED ALWAYS AS IDENTITY DEFAULT 1", "PARSE_ERROR"),
                          ("v INT) PARTITIONED BY (k BIGINT GENERATED ALWAYS AS IDENTITY", "PARTITION_COLUMN_INVALID")):
        fails(w, f"CREATE TABLE t ({columns})", f"[{code}]")
    for bad in ({"delta.identity.start": 1}, {"delta.identity.start": 1, "delta.identity.step": 0,
                                              "delta.identity.allowExplicitInsert": True},
                {"delta.identity.start": "x", "delta.identity.step": 1, "delta.identity.allowExplicitInsert": True}):
        write_table(w, [("k", "long", bad), ("v", "long", {})])
        fails(w, "INSERT INTO t (v) VALUES (1)", "[METADATA_INVALID]", '"k"')


@test
def test_identity__writers_side_by_side_never_share_a_value(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, writer INT)")
    script = lambda k: "".join(f"INSERT INTO t (writer) SELECT {k} FROM range(3);" for _ in range(6))
    processes = [w.start("sql", "-c", script(k)) for k in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        expect(process.returncode == 0, f"a writer to succeed: {process.returncode} {err!r}")
    expect_equal(w.rows("SELECT count(*), count(DISTINCT k), min(k), max(k) FROM t"), [[72, 72, 1, 72]])
    expect_equal(len([f for f in w.files("t") if f.endswith(".parquet")]), 24)


@test
def test_rules__columns_without_a_type_take_nothing_but_null(w):
    inside = {"type": "struct", "fields": [{"name": n, "type": t, "nullable": True, "metadata": {}}
                                           for n, t in (("a", "integer"), ("v", "void"))]}
    write_table(w, [("id", "integer", {}), ("n", "void", {}), ("s", inside, {})])
    w.sql("INSERT INTO t VALUES (1, NULL, {'a': 1, 'v': NULL}), (2, NULL, NULL)")
    w.sql("INSERT INTO t BY NAME SELECT 3 AS id, {'a': 3} AS s")
    for statement in ("INSERT INTO t VALUES (4, 5, NULL)", "INSERT INTO t VALUES (4, NULL, {'a': 4, 'v': 5})",
                      "UPDATE t SET n = 5 WHERE id = 1", "UPDATE t SET s.v = 5 WHERE id = 1",
                      "INSERT INTO t VALUES (4, 'x', NULL)"):
        fails(w, statement, "TYPE_MISMATCH", "void")
    w.sql("UPDATE t SET id = id + 10 WHERE id < 3; UPDATE t SET s.a = 4 WHERE id = 3")
    w.sql("MERGE INTO t USING (SELECT 12 AS id) AS u ON t.id = u.id WHEN MATCHED THEN UPDATE SET s.a = 5")
    expect_equal(w.rows("SELECT id, n, s FROM t ORDER BY id"),
                 [[3, None, {"a": 4, "v": None}], [11, None, {"a": 1, "v": None}], [12, None, {"a": 5, "v": None}]])


if __name__ == "__main__":
    sys.exit(main())
