"""MERGE INTO, from end to end: every clause, what is refused, and what tables make of the new rows."""
import json
import os
import random
import sys

from harness import expect, expect_equal, expect_failure, main, test

VECTORS = "'delta.enableDeletionVectors' = 'true'"
COPIES = "'delta.enableDeletionVectors' = 'false'"
FEED = "'delta.enableChangeDataFeed' = 'true'"
SEVERAL = "MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"


def make(w, *properties, rows=10, columns="id BIGINT, v STRING, n INT", more=""):
    w.sql(f"CREATE TABLE t ({columns}) {more} TBLPROPERTIES ({', '.join(properties or (VECTORS,))})")
    if rows:
        w.sql(f"INSERT INTO t (id, v, n) SELECT i, 'v' || i, i FROM range({rows}) r(i)")


def merge(w, statement):
    """(updated, deleted, inserted)"""
    found = w.rows("MERGE INTO t " + statement)
    expect(len(found) == 1 and found[0][0] == sum(found[0][1:]), f"one row of counts, found {found!r}")
    return tuple(found[0][1:])


def fails(w, statement, code, *words, status=1):
    expect_failure(w.run("sql", "-c", statement), status, *words, f"[{code}]")


def versions(w):
    return w.rows("DESCRIBE HISTORY t")[0][0]


def history(w):
    """The newest version's (operation, parameters, metrics)."""
    info = next(a["commitInfo"] for a in w.actions("t", versions(w)) if "commitInfo" in a)
    return info["operation"], info["operationParameters"], info["operationMetrics"]


# ---- Clauses ---------------------------------------------------------------------------------------

@test
def test_stars__take_columns_by_name(w):
    for properties in (VECTORS, COPIES):
        w.sql("CREATE OR REPLACE TABLE t (id BIGINT, v STRING, n INT)"
              f" TBLPROPERTIES ({properties}); INSERT INTO t SELECT i, 'v' || i, i FROM range(4) r(i)")
        counts = merge(w, "USING (SELECT 7 AS N, 'new' || x AS V, x AS ID FROM range(3, 5) r(x)) s ON t.id = s.ID"
                          " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
        expect_equal(counts, (1, 0, 1))
        expect_equal(w.rows("SELECT * FROM t ORDER BY id"),
                     [[0, "v0", 0], [1, "v1", 1], [2, "v2", 2], [3, "new3", 7], [4, "new4", 7]])


@test
def test_clauses__the_first_that_holds_wins(w):
    make(w)
    counts = merge(w, """AS target USING (SELECT range AS id, 100 AS n FROM range(12)) AS s ON target.id = s.id
        WHEN MATCHED AND s.id < 2 THEN DELETE
        WHEN MATCHED AND s.id < 4 THEN UPDATE SET target.v = 'second', n = target.n + s.n
        WHEN MATCHED AND s.id < 4 THEN UPDATE SET v = 'never'
        WHEN NOT MATCHED BY TARGET AND id = 10 THEN INSERT (id, v) VALUES (id, 'ten')
        WHEN NOT MATCHED THEN INSERT (n, id) VALUES (n + 1, id)""")
    expect_equal(counts, (2, 2, 2))
    expect_equal(w.rows("SELECT * FROM t WHERE id < 5 OR id > 8 ORDER BY id"),
                 [[2, "second", 102], [3, "second", 103], [4, "v4", 4], [9, "v9", 9],
                  [10, "ten", None], [11, None, 101]])


@test
def test_not_matched_by_source__changes_what_the_source_lacks(w):
    make(w)
    counts = merge(w, """USING (SELECT range AS id FROM range(2, 20)) s ON t.id = s.id AND t.id < 8
        WHEN NOT MATCHED BY SOURCE AND id < 1 THEN DELETE
        WHEN NOT MATCHED BY SOURCE AND id < 9 THEN UPDATE SET v = v || id, n = n - 1""")
    expect_equal(counts, (2, 1, 0))
    expect_equal(w.rows("SELECT * FROM t WHERE id IN (0, 1, 2, 8, 9) ORDER BY id"),
                 [[1, "v11", 0], [2, "v2", 2], [8, "v88", 7], [9, "v9", 9]])
    expect_equal(merge(w, "USING t s ON false WHEN NOT MATCHED BY SOURCE THEN DELETE"), (0, 9, 0))
    expect_equal(w.value("SELECT count(*) FROM t"), 0)


@test
def test_all_kinds_of_clauses__in_one_statement(w):
    for properties in (VECTORS, COPIES):
        w.sql("CREATE OR REPLACE TABLE t (id BIGINT, v STRING, n INT)"
              f" TBLPROPERTIES ({properties}); INSERT INTO t SELECT i, 'v' || i, i FROM range(6) r(i)")
        counts = merge(w, """USING (SELECT range AS id FROM range(4, 8)) s ON s.id = t.id
            WHEN MATCHED AND t.id = 4 THEN UPDATE SET v = 'four' WHEN MATCHED THEN DELETE
            WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, CASE WHEN id > 6 THEN 'x' ELSE 'y' END)
            WHEN NOT MATCHED BY SOURCE AND id = 0 THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = 0""")
        expect_equal(counts, (4, 2, 2))
        expect_equal(w.rows("SELECT * FROM t ORDER BY id"),
                     [[1, "v1", 0], [2, "v2", 0], [3, "v3", 0], [4, "four", 4], [6, "y", None], [7, "x", None]])


@test
def test_nested_fields__are_set_one_by_one(w):
    make(w, rows=0, columns="id INT, st STRUCT<a: INT, b: STRUCT<c: STRING, d: INT>>")
    w.sql("INSERT INTO t VALUES (1, {'a': 1, 'b': {'c': 'c', 'd': 4}}), (2, NULL)")
    expect_equal(merge(w, "USING (SELECT 1 AS id UNION ALL SELECT 2) s ON t.id = s.id"
                          " WHEN MATCHED THEN UPDATE SET t.st.b.c = 'new', st.a = t.st.a + s.id"), (2, 0, 0))
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"),
                 [[1, {"a": 2, "b": {"c": "new", "d": 4}}], [2, {"a": None, "b": {"c": "new", "d": None}}]])


@test
def test_values__of_a_clause_are_computed_for_its_rows_alone(w):
    make(w, rows=2)
    counts = merge(w, "USING (VALUES (1, '41'), (5, 'no number')) s(id, k) ON t.id = s.id"
                      " WHEN MATCHED THEN UPDATE SET n = CAST(k AS INT) + 1"
                      " WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, k)")
    expect_equal(counts, (1, 0, 1))
    expect_equal(w.rows("SELECT * FROM t WHERE id > 0 ORDER BY id"), [[1, "v1", 42], [5, "no number", None]])


# ---- Sources ---------------------------------------------------------------------------------------

@test
def test_sources__may_be_tables_files_functions_and_queries(w):
    make(w, rows=3)
    w.sql("CREATE TABLE s (id BIGINT, v STRING, n INT); INSERT INTO s VALUES (1, 'table', 1), (10, 'table', 1)")
    w.sql("INSERT INTO s VALUES (11, 'later', 1)")
    w.sql(f"COPY (SELECT 2 AS id, 'file' AS v, 2 AS n) TO '{w.path('new.parquet')}' (FORMAT parquet)")
    w.sql(f"COPY (SELECT 3 AS id, 'csv' AS v, 3 AS n) TO '{w.path('new.csv')}'")
    both = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    expect_equal(merge(w, f"USING s VERSION AS OF 1 ON t.id = s.id {both}"), (1, 0, 1))
    expect_equal(merge(w, f"USING delta.`{w.path('s')}` ON t.id = s.id {both}"), (2, 0, 1))
    expect_equal(merge(w, f"USING '{w.path('new.parquet')}' ON t.id = new.id {both}"), (1, 0, 0))
    expect_equal(merge(w, f"USING read_csv('{w.path('new.csv')}') c ON t.id = c.id {both}"), (0, 0, 1))
    out = w.sql(f"WITH q AS (SELECT 4 AS id, 'cte' AS v, 4 AS n) MERGE INTO t USING q ON t.id = q.id {both};"
                f"CREATE TEMP TABLE e AS SELECT 5 AS id, 'engine' AS v, 5 AS n; MERGE INTO t USING e ON t.id = e.id {both};"
                f"CREATE VIEW w AS SELECT id + 100 AS id, v, n FROM s; MERGE INTO t USING w ON t.id = w.id {both}",
                "--format", "csv")
    expect_equal(out.split()[1::2], ["1,0,0,1", "1,0,0,1", "3,0,0,3"])
    expect_equal(w.rows("SELECT id, v FROM t ORDER BY id"),
                 [[0, "v0"], [1, "table"], [2, "file"], [3, "csv"], [4, "cte"], [5, "engine"], [10, "table"],
                  [11, "later"], [101, "table"], [110, "table"], [111, "later"]])


@test
def test_source__without_an_alias_has_its_own_names(w):
    make(w, rows=3)
    expect_equal(merge(w, "USING (SELECT 2 AS id, 2 AS k UNION ALL SELECT 9, 9) ON t.id = k WHEN MATCHED THEN UPDATE SET v = k"
                          " WHEN NOT MATCHED AND id > 1 THEN INSERT (id, n) VALUES (id, k)"), (1, 0, 1))
    expect_equal(w.rows("SELECT * FROM t WHERE id > 1 ORDER BY id"), [[2, "2", 2], [9, None, 9]])


@test
def test_the_table_itself__may_be_the_source(w):
    make(w)
    expect_equal(merge(w, "USING (SELECT id + 5 AS id, v FROM t) s ON t.id = s.id"
                          " WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, v)"),
                 (5, 0, 5))
    expect_equal(w.rows("SELECT id, v FROM t WHERE id IN (4, 5, 14) ORDER BY id"), [[4, "v4"], [5, "v0"], [14, "v9"]])
    expect_equal(merge(w, "a USING t b ON a.id = b.id WHEN MATCHED AND b.id > 3 THEN DELETE"), (0, 11, 0))


@test
def test_source__that_differs_each_time_is_read_once(w):
    make(w, rows=0)
    for _ in range(3):
        merge(w, "USING (SELECT DISTINCT ON (id) * FROM (SELECT CAST(random() * 50 AS BIGINT) AS id, random()::VARCHAR AS v,"
                 " 1 AS n FROM range(40))) s ON t.id = s.id"
                 " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
        expect_equal(w.value("SELECT count(*) - count(DISTINCT id) FROM t"), 0)


@test
def test_names__in_backquotes_and_with_odd_characters(w):
    w.sql("CREATE TABLE `odd name` (`a b` INT, `it's` STRING, `q\"q` INT) TBLPROPERTIES"
          " ('delta.columnMapping.mode' = 'name'); INSERT INTO `odd name` VALUES (1, 'x', 1)")
    w.sql("MERGE INTO `odd name` AS `t t` USING (SELECT 1 AS `a b`, 'y' AS `it's`, 5 AS `q\"q` UNION ALL"
          " SELECT 2, 'z', 6) AS `s s` ON `t t`.`a b` = `s s`.`a b`"
          " WHEN MATCHED AND `t t`.`it's` = 'x' THEN UPDATE SET `it's` = `s s`.`it's` || '!'"
          " WHEN NOT MATCHED AND `a b` > 1 THEN INSERT (`a b`, `q\"q`) VALUES (`a b`, `q\"q`)")
    expect_equal(w.rows("SELECT * FROM `odd name` ORDER BY 1"), [[1, "y!", 1], [2, None, 6]])


# ---- What is refused -------------------------------------------------------------------------------

@test
def test_ambiguous_matches__are_refused_with_the_key(w):
    make(w)
    for clause in ("WHEN MATCHED THEN UPDATE SET v = s.k", "WHEN MATCHED AND s.k < 'z' THEN DELETE"):
        fails(w, f"MERGE INTO t USING (VALUES (3, 'a'), (4, 'b'), (4, 'c')) s(id, k) ON t.id = s.id {clause}",
              SEVERAL, "id = 4", "MERGE INTO t")
    expect_equal(versions(w), 1)
    expect_equal(w.files("t"), [f for f in w.files("t") if f.endswith(".parquet")])
    # Only one of them is to change the row, or all do the same.
    expect_equal(merge(w, "USING (VALUES (4, 'b'), (4, 'c')) s(id, k) ON t.id = s.id"
                          " WHEN MATCHED AND k = 'c' THEN UPDATE SET v = k"), (1, 0, 0))
    expect_equal(merge(w, "USING (VALUES (4), (4), (5), (50)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE"
                          " WHEN NOT MATCHED THEN INSERT (id) VALUES (id)"), (0, 2, 1))
    expect_equal(w.value("SELECT count(*) FROM t"), 9)


@test
def test_statements__that_make_no_sense(w):
    make(w)
    using = "MERGE INTO t USING (SELECT 1 AS id, 2 AS k) s ON t.id = s.id "
    for clauses, code, word in (
            ("", "PARSE_ERROR", "WHEN"),
            ("WHEN MATCHED THEN INSERT *", "PARSE_ERROR", "UPDATE or DELETE"),
            ("WHEN NOT MATCHED THEN DELETE", "PARSE_ERROR", "INSERT"),
            ("WHEN NOT MATCHED BY nobody THEN DELETE", "PARSE_ERROR", "TARGET"),
            ("WHEN MATCHED THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'x'", "MERGE_INVALID", "last clause"),
            ("WHEN NOT MATCHED BY SOURCE THEN UPDATE SET *", "MERGE_INVALID", "SOURCE"),
            ("WHEN MATCHED THEN UPDATE SET nope = 1", "COLUMN_NOT_FOUND", "nope"),
            ("WHEN MATCHED THEN UPDATE SET v = 'a', V = 'b'", "COLUMN_DUPLICATE", "twice"),
            ("WHEN MATCHED THEN UPDATE SET v = nope", "BIND_ERROR", "nope"),
            ("WHEN MATCHED THEN UPDATE SET *", "COLUMN_NOT_FOUND", "\"v\""),
            ("WHEN MATCHED THEN UPDATE SET n = 'no number'", "CONVERSION_ERROR", "n"),
            ("WHEN NOT MATCHED THEN INSERT (id, nope) VALUES (1, 2)", "COLUMN_NOT_FOUND", "nope"),
            ("WHEN NOT MATCHED THEN INSERT (id, id) VALUES (1, 2)", "COLUMN_DUPLICATE", "id"),
            ("WHEN NOT MATCHED THEN INSERT (id, n) VALUES (1)", "PARSE_ERROR", "each column"),
            ("WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)", "PARSE_ERROR", "\")\""),
            ("WHEN NOT MATCHED AND t.n = 1 THEN INSERT (id) VALUES (1)", "COLUMN_NOT_FOUND", "columns of the source"),
            ("WHEN NOT MATCHED THEN INSERT (id) VALUES (n)", "COLUMN_NOT_FOUND", "columns of the source"),
            ("WHEN NOT MATCHED BY SOURCE AND k = 1 THEN DELETE", "COLUMN_NOT_FOUND", "columns of the target"),
            ("WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = s.k", "COLUMN_NOT_FOUND", "columns of the target"),
            ("WHEN MATCHED AND random() < 2 THEN DELETE", "MERGE_INVALID", "random"),
            ("WHEN MATCHED AND t.n IN (SELECT 1) THEN DELETE", "MERGE_INVALID", "subquery"),
            ("WHEN MATCHED THEN UPDATE SET id = id", "BIND_ERROR", "mbiguous")):
        fails(w, using + clauses, code, word)
    fails(w, "MERGE INTO nowhere USING t ON true WHEN MATCHED THEN DELETE", "TABLE_NOT_FOUND", "nowhere")
    fails(w, "MERGE INTO t USING nowhere ON true WHEN MATCHED THEN DELETE", "TABLE_NOT_FOUND", "nowhere")
    fails(w, "MERGE WITH SCHEMA INTO t USING t s ON true WHEN MATCHED THEN DELETE", "PARSE_ERROR", "EVOLUTION")
    expect_equal(versions(w), 1)


@test
def test_append_only_tables__take_no_merge_that_changes_rows(w):
    make(w, "'delta.appendOnly' = 'true'")
    fails(w, "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE", "APPEND_ONLY", "append")


# ---- Schema evolution ------------------------------------------------------------------------------

EVOLVING = "MERGE WITH SCHEMA EVOLUTION INTO t "
BOTH = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"


def schema_of(w):
    return [tuple(row[:2]) for row in w.rows("DESCRIBE TABLE t")]


@test
def test_evolution__adds_columns_and_fields_of_the_source(w):
    for properties in (f"{VECTORS}, {FEED}", f"{COPIES}, {FEED}", f"{VECTORS}, 'delta.columnMapping.mode' = 'name'",
                       f"{COPIES}, 'delta.enableRowTracking' = 'true'"):
        w.sql("CREATE OR REPLACE TABLE t (id BIGINT, st STRUCT<a: INT>, l ARRAY<STRUCT<x: INT>>)"
              f" TBLPROPERTIES ({properties}); INSERT INTO t SELECT i, {{'a': i}}, [{{'x': i}}] FROM range(4) r(i)")
        out = w.sql(EVOLVING + "USING (SELECT i AS id, {'b': 'b' || i, 'a': -i} AS st, [{'x': 7, 'y': 8}] AS l, 'n' || i"
                    f" AS new FROM range(3, 5) r(i)) s ON t.id = s.id {BOTH}", "--format", "csv")
        expect_equal(out.split()[1], "2,1,0,1")
        expect_equal(w.rows("SELECT * FROM t ORDER BY id")[2:],
                     [[2, {"a": 2, "b": None}, [{"x": 2, "y": None}], None],
                      [3, {"a": -3, "b": "b3"}, [{"x": 7, "y": 8}], "n3"],
                      [4, {"a": -4, "b": "b4"}, [{"x": 7, "y": 8}], "n4"]])
        if FEED in properties:
            version = versions(w)
            expect_equal(w.rows(f"SELECT _change_type, id, new, st.b FROM table_changes('t', {version}, {version})"
                                " ORDER BY id, 1 DESC"),
                         [["update_preimage", 3, None, None], ["update_postimage", 3, "n3", "b3"],
                          ["insert", 4, "n4", "b4"]])


@test
def test_evolution__adds_what_clauses_name_and_nothing_else(w):
    make(w)
    w.sql(EVOLVING + "USING (SELECT 3 AS id, 'c' AS c, 'd' AS d) s ON t.id = s.id"
                     " WHEN MATCHED THEN UPDATE SET t.c = s.c || '!', v = 'w'")
    expect_equal([name for name, _ in schema_of(w)], ["id", "v", "n", "c"])
    expect_equal(w.rows("SELECT * FROM t WHERE id IN (3, 4) ORDER BY id"), [[3, "w", 3, "c!"], [4, "v4", 4, None]])
    w.sql(EVOLVING + "USING (SELECT 30 AS id, 'd' AS d) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, d) VALUES (id, d)")
    expect_equal(w.rows("SELECT * FROM t WHERE id > 9"), [[30, None, None, None, "d"]])
    # What the source lacks stays as it is, and nothing is added that was not asked for.
    w.sql(EVOLVING + f"USING (SELECT 5 AS id, 'x' AS v) s ON t.id = s.id {BOTH}")
    expect_equal(w.rows("SELECT id, v, n, d FROM t WHERE id = 5"), [[5, "x", 5, None]])
    fails(w, "MERGE INTO t USING (SELECT 1 AS id, 2 AS e) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET e = s.e",
          "COLUMN_NOT_FOUND", "e")
    fails(w, EVOLVING + "USING (SELECT 1 AS id, 2 AS e) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET other = s.e",
          "COLUMN_NOT_FOUND", "other")
    w.sql(f"MERGE INTO t USING (SELECT 1 AS id, 'v' AS v, 1 AS n, 'c' AS c, 'd' AS d, 2 AS e) s ON t.id = s.id {BOTH}")
    expect_equal([name for name, _ in schema_of(w)], ["id", "v", "n", "c", "d"])


@test
def test_evolution__commits_new_columns_without_rows(w):
    make(w)
    w.sql(EVOLVING + f"USING (SELECT 1 AS id, 'v' AS v, 1 AS n, DATE '2024-01-31' AS day WHERE false) s ON t.id = s.id {BOTH}")
    expect_equal(schema_of(w)[-1], ("day", "date"))
    expect_equal(w.value("SELECT count(*) FROM t WHERE day IS NULL"), 10)
    before = versions(w)
    w.sql(EVOLVING + f"USING (SELECT * FROM t WHERE false) s ON t.id = s.id {BOTH}")
    expect_equal(versions(w), before)


@test
def test_evolution__widens_types_where_the_table_may(w):
    for widens in (False, True):
        w.sql("CREATE OR REPLACE TABLE t (id INT, n SMALLINT, f FLOAT) TBLPROPERTIES"
              f" ('delta.enableTypeWidening' = '{str(widens).lower()}', {VECTORS}); INSERT INTO t VALUES (1, 1, 1.5), (2, 2, 2.5)")
        statement = EVOLVING + f"USING (SELECT 2 AS id, 70000 AS n, 0.1::DOUBLE AS f) s ON t.id = s.id {BOTH}"
        if not widens:
            fails(w, statement, "CONVERSION_ERROR", "n")
            continue
        w.sql(statement)
        expect_equal(schema_of(w), [("id", "int"), ("n", "int"), ("f", "double")])
        expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, 1, 1.5], [2, 70000, 0.1]])


@test
def test_evolution__takes_fields_into_a_column_that_is_set_by_its_name(w):
    w.sql("CREATE TABLE t (id INT, a STRUCT<x: INT>, l ARRAY<STRUCT<x: INT>>, other STRUCT<x: INT>);"
          " INSERT INTO t VALUES (1, {'x': 1}, [{'x': 1}], {'x': 1})")
    source = "USING (SELECT unnest([1, 2]) AS ID, {'y': 2, 'X': 3} AS A, [{'y': 'z'}] AS l, {'x': 5, 'y': 6} AS other) s ON t.id = s.id"
    w.sql(EVOLVING + source + " WHEN MATCHED THEN UPDATE SET a = s.a, t.l = s.l WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.a)")
    expect_equal(w.rows("SELECT id, a, l FROM t ORDER BY id"),
                 [[1, {"x": 3, "y": 2}, [{"x": None, "y": "z"}]], [2, {"x": 3, "y": 2}, None]])
    expect_equal(w.rows("SELECT other FROM t WHERE id = 1"), [[{"x": 1}]])
    fails(w, "MERGE INTO t " + source + " WHEN MATCHED THEN UPDATE SET other = s.other", "TYPE_MISMATCH", "other")


@test
def test_evolution__goes_with_identity_and_generated_columns(w):
    make(w, rows=0, columns="k BIGINT GENERATED ALWAYS AS IDENTITY, id INT, g INT GENERATED ALWAYS AS (id + 1)")
    w.sql(EVOLVING + f"USING (SELECT range::INT AS id, 'x' AS new FROM range(3)) s ON t.id = s.id {BOTH}")
    w.sql(EVOLVING + f"USING (SELECT range::INT AS id, 'y' AS newer FROM range(2, 4)) s ON t.id = s.id {BOTH}")
    expect_equal(w.rows("SELECT * EXCLUDE (k) FROM t ORDER BY id"),
                 [[0, 1, "x", None], [1, 2, "x", None], [2, 3, "x", "y"], [3, 4, None, "y"]])
    w.sql("INSERT INTO t (id) VALUES (9)")
    expect_equal(w.rows("SELECT count(DISTINCT k), max(k) FROM t"), [[5, 5]])


# ---- Side by side ----------------------------------------------------------------------------------

@test
def test_merges__of_different_rows_of_one_file_succeed_side_by_side(w):
    make(w, rows=400)
    script = lambda k: "".join(
        f"MERGE INTO t USING (SELECT {100 * k + i} AS id, 'w{k}' AS v, {i} AS n) s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *;" for i in range(8))
    processes = [w.start("sql", "-c", script(k)) for k in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        expect(process.returncode == 0, f"a writer to succeed: {process.returncode} {err!r}")
    expect_equal(w.rows("SELECT count(*), count(DISTINCT id), count(*) FILTER (v LIKE 'w%') FROM t"), [[400, 400, 32]])


@test
def test_merges__that_would_insert_the_same_key_do_not_both_commit(w):
    for clauses in ("WHEN NOT MATCHED THEN INSERT *",
                    "WHEN MATCHED THEN UPDATE SET n = t.n + 1 WHEN NOT MATCHED THEN INSERT *"):
        w.sql(f"CREATE OR REPLACE TABLE t (id BIGINT, v STRING, n INT) TBLPROPERTIES ({VECTORS})")
        statement = f"MERGE INTO t USING (SELECT range AS id, 'v' AS v, 0 AS n FROM range(50)) s ON t.id = s.id {clauses}"
        processes = [w.start("sql", "-c", statement) for _ in range(4)]
        statuses = []
        for process in processes:
            _, err = process.communicate(timeout=120)
            statuses.append(process.returncode)
            expect(process.returncode in (0, 3), f"success or a conflict: {process.returncode} {err!r}")
        expect(0 in statuses, f"one to succeed: {statuses}")
        expect_equal(w.rows("SELECT count(*), count(DISTINCT id) FROM t"), [[50, 50]])


# ---- Nothing to do ---------------------------------------------------------------------------------

@test
def test_nothing_to_change__commits_nothing(w):
    make(w)
    for clauses in ("WHEN MATCHED AND t.id > 100 THEN DELETE", "WHEN NOT MATCHED AND s.id > 100 THEN INSERT *"):
        expect_equal(merge(w, f"USING (SELECT range AS id, '' AS v, 1 AS n FROM range(5, 15)) s ON t.id = s.id {clauses}"),
                     (0, 0, 0))
    expect_equal(merge(w, "USING (SELECT 1 AS id WHERE false) s ON t.id = s.id WHEN MATCHED THEN DELETE"), (0, 0, 0))
    expect_equal(versions(w), 1)


# ---- Rules of the table ----------------------------------------------------------------------------

@test
def test_rules__fill_and_judge_rows_of_every_clause(w):
    make(w, "'delta.feature.allowColumnDefaults' = 'supported'", rows=0,
         columns="id BIGINT NOT NULL, n INT DEFAULT 7, g BIGINT GENERATED ALWAYS AS (id * 2),"
                 " k BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 10)")
    w.sql("ALTER TABLE t ADD CONSTRAINT small CHECK (n < 100); INSERT INTO t (id, n) VALUES (1, 1), (2, 2)")
    counts = merge(w, "USING (SELECT range AS id FROM range(2, 7)) s ON t.id = s.id"
                      " WHEN MATCHED THEN UPDATE SET n = DEFAULT, id = s.id + 20"
                      " WHEN NOT MATCHED AND id < 4 THEN INSERT (id, n) VALUES (id, DEFAULT)"
                      " WHEN NOT MATCHED AND id < 5 THEN INSERT (id, k) VALUES (id, -1)"
                      " WHEN NOT MATCHED THEN INSERT (id, n) VALUES (id, id)")
    expect_equal(counts, (1, 0, 4))
    expect_equal(w.rows("SELECT id, n, g FROM t ORDER BY id"),
                 [[1, 1, 2], [3, 7, 6], [4, 7, 8], [5, 5, 10], [6, 6, 12], [22, 7, 44]])
    expect_equal(w.rows("SELECT k FROM t WHERE id <> 4 ORDER BY k"), [[10], [20], [30], [40], [50]])
    expect_equal(w.rows("SELECT k FROM t WHERE id = 22"), [[20]])
    w.sql("INSERT INTO t (id) VALUES (7)")
    expect_equal(w.value("SELECT k FROM t WHERE id = 7"), 60)
    using = "MERGE INTO t USING (SELECT range AS id FROM range(6, 9)) s ON t.id = s.id "
    fails(w, using + "WHEN MATCHED THEN UPDATE SET n = 100", "CHECK_CONSTRAINT_VIOLATION", "small")
    fails(w, using + "WHEN NOT MATCHED THEN INSERT (id, n) VALUES (NULL, 1)", "NOT_NULL_VIOLATION", "id")
    fails(w, using + "WHEN MATCHED THEN UPDATE SET k = 1", "IDENTITY_UPDATE", "k")
    fails(w, using + "WHEN MATCHED THEN UPDATE SET g = 1", "GENERATED_COLUMN_MISMATCH", "g")
    before = w.files("t")
    fails(w, using + "WHEN MATCHED THEN UPDATE SET n = 3000000000", "CONVERSION_ERROR", "n")
    expect_equal(w.files("t"), before)


@test
def test_identity_columns__that_take_no_values(w):
    make(w, rows=0, columns="k BIGINT GENERATED ALWAYS AS IDENTITY, id INT")
    both = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    expect_equal(merge(w, f"USING (SELECT range AS id FROM range(3)) s ON t.id = s.id {both}"), (0, 0, 3))
    expect_equal(merge(w, f"USING (SELECT range AS id FROM range(4)) s ON t.id = s.id {both}"), (3, 0, 1))
    expect_equal(w.rows("SELECT count(DISTINCT k), max(k) FROM t"), [[4, 4]])
    fails(w, f"MERGE INTO t USING (SELECT 1 AS k, 1 AS id) s ON t.id = s.id {both}", "IDENTITY_UPDATE", "k")
    fails(w, "MERGE INTO t USING (SELECT 1 AS k, 1 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *",
          "IDENTITY_EXPLICIT", "k")
    expect_equal(merge(w, "USING (VALUES (9)) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (DEFAULT)"),
                 (0, 0, 1))
    expect_equal(w.rows("SELECT k, id FROM t WHERE id IS NULL"), [[5, None]])


@test
def test_change_data_feed__tells_what_happened_to_each_row(w):
    for properties in (VECTORS, COPIES):
        w.sql("CREATE OR REPLACE TABLE t (id BIGINT, v STRING, n INT)"
              f" TBLPROPERTIES ({properties}, {FEED}); INSERT INTO t SELECT i, 'v' || i, i FROM range(5) r(i)")
        merge(w, "USING (SELECT range AS id FROM range(1, 7)) s ON t.id = s.id"
                 " WHEN MATCHED AND t.id = 1 THEN UPDATE SET v = 'new' WHEN MATCHED AND t.id = 2 THEN DELETE"
                 " WHEN NOT MATCHED AND id = 5 THEN INSERT (id) VALUES (id)"
                 " WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = 99")
        version = versions(w)
        changes = f"SELECT _change_type, id, v, n FROM table_changes('t', {version}, {version}) ORDER BY 2, 1"
        expect_equal(w.rows(changes),
                     [["update_postimage", 0, "v0", 99], ["update_preimage", 0, "v0", 0],
                      ["update_postimage", 1, "new", 1], ["update_preimage", 1, "v1", 1],
                      ["delete", 2, "v2", 2], ["insert", 5, None, None]])
        merge(w, "USING (VALUES (3), (3), (8)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE"
                 " WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, 'last')")
        expect_equal(w.rows(changes.replace(f"{version}, {version}", f"{version + 1}, {version + 1}")),
                     [["delete", 3, "v3", 3], ["insert", 8, "last", None]])


@test
def test_tracked_rows__keep_their_ids(w):
    for properties in (VECTORS, COPIES):
        w.sql("CREATE OR REPLACE TABLE t (id BIGINT, v STRING, n INT) TBLPROPERTIES"
              f" ({properties}, 'delta.enableRowTracking' = 'true');"
              "INSERT INTO t SELECT i, 'v' || i, i FROM range(6) r(i)")
        ids = "SELECT id, _metadata.row_id, _metadata.row_commit_version FROM t ORDER BY id"
        before = {row[0]: row[1:] for row in w.rows(ids)}
        merge(w, "USING (SELECT range AS id FROM range(4, 8)) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'x'"
                 " WHEN NOT MATCHED THEN INSERT (id) VALUES (id) WHEN NOT MATCHED BY SOURCE AND id = 0 THEN DELETE")
        version = versions(w)
        after = {row[0]: row[1:] for row in w.rows(ids)}
        expect_equal(sorted(after), [1, 2, 3, 4, 5, 6, 7])
        for i in (1, 2, 3):
            expect_equal(after[i], before[i])
        for i in (4, 5):
            expect_equal(after[i], [before[i][0], version])
        for i in (6, 7):
            expect(after[i][0] > max(r[0] for r in before.values()) and after[i][1] == version, f"new ids: {after!r}")


@test
def test_partitions_and_column_mapping__are_as_in_other_writes(w):
    make(w, "'delta.columnMapping.mode' = 'name'", VECTORS, more="PARTITIONED BY (n)")
    expect_equal(merge(w, "USING (SELECT range AS id FROM range(5, 12)) s ON t.id = s.id AND t.n > 6"
                          " WHEN MATCHED THEN UPDATE SET n = 1, v = 'moved'"
                          " WHEN NOT MATCHED THEN INSERT (id, v, n) VALUES (s.id, NULL, NULL)"), (3, 0, 4))
    expect_equal(w.rows("SELECT id, v FROM t WHERE n = 1 ORDER BY id"),
                 [[1, "v1"], [7, "moved"], [8, "moved"], [9, "moved"]])
    expect_equal(w.rows("SELECT id FROM t WHERE n IS NULL ORDER BY id"), [[5], [6], [10], [11]])


# ---- Files that need not be read -------------------------------------------------------------------

def removed_when_others_are_gone(w, keep, statement):
    """Runs a MERGE while the data files that `keep` does not name are away."""
    away = [f for f in w.files("t") if f.endswith(".parquet") and not keep(f)]
    for file in away:
        os.rename(w.path("t/" + file), w.path("t/" + file + ".away"))
    counts = merge(w, statement)
    for file in away:
        os.rename(w.path("t/" + file + ".away"), w.path("t/" + file))
    return counts


def file_of(w, id):
    """The data file that holds the row."""
    return w.value(f"SELECT _metadata.file_path FROM t WHERE id = {id}").rsplit("/", 1)[1]


@test
def test_files__outside_of_the_sources_keys_are_not_opened(w):
    make(w, rows=0)
    for first in (0, 100, 200):
        w.sql(f"INSERT INTO t SELECT i, 'v', i FROM range({first}, {first + 100}) r(i)")
    second = file_of(w, 150)
    both = "WHEN MATCHED THEN UPDATE SET v = 'x' WHEN NOT MATCHED THEN INSERT (id) VALUES (id)"
    w.sql("CREATE TABLE s (id BIGINT); INSERT INTO s SELECT range FROM range(120, 125)")
    for source in ("(SELECT range AS id FROM range(110, 115))", "s", "(SELECT id + 10 AS id FROM s)"):
        expect_equal(removed_when_others_are_gone(w, lambda f: f == second, f"USING {source} q ON q.id = t.id {both}"),
                     (5, 0, 0))
        second = file_of(w, 150)
    # A list of few keys leaves out what lies between them.
    expect_equal(removed_when_others_are_gone(
        w, lambda f: f != second,
        "USING (VALUES (5), (255)) q(id) ON t.id = q.id WHEN MATCHED THEN DELETE"), (0, 2, 0))
    expect_equal(removed_when_others_are_gone(
        w, lambda f: f == file_of(w, 250),
        "USING (VALUES (260)) q(id) ON t.id = q.id WHEN MATCHED THEN DELETE"
        " WHEN NOT MATCHED BY SOURCE AND id > 290 THEN DELETE"), (0, 10, 0))
    expect_equal(removed_when_others_are_gone(
        w, lambda f: f == file_of(w, 250),
        "USING (SELECT 1 AS k) q ON t.id = 270 WHEN MATCHED THEN DELETE"), (0, 1, 0))


@test
def test_partitions__outside_of_the_sources_keys_are_not_opened(w):
    make(w, more="PARTITIONED BY (n)", rows=6)
    keep = lambda f: f.startswith(("n=2/", "n=4/"))
    expect_equal(removed_when_others_are_gone(
        w, keep, "USING (VALUES (2, 2), (4, 4), (9, 4)) s(id, n) ON t.id = s.id AND t.n = s.n"
                 " WHEN MATCHED THEN UPDATE SET v = 'x' WHEN NOT MATCHED THEN INSERT (id, n) VALUES (id, n)"), (2, 0, 1))
    keep = lambda f: f.startswith("n=3/")
    expect_equal(removed_when_others_are_gone(
        w, keep, "USING (VALUES (3)) s(id) ON t.id = s.id AND t.n = 3 WHEN MATCHED THEN DELETE"), (0, 1, 0))


@test
def test_inserts__alone_rewrite_nothing(w):
    make(w, COPIES)
    before = w.files("t")
    expect_equal(merge(w, "USING (SELECT range AS id, 'n' AS v, 0 AS n FROM range(8, 13)) s ON t.id = s.id"
                          " WHEN NOT MATCHED THEN INSERT *"), (0, 0, 3))
    actions = w.actions("t", 2)
    expect_equal(sorted(next(iter(a)) for a in actions), ["add", "commitInfo"])
    info = next(a["commitInfo"] for a in actions if "commitInfo" in a)
    expect(info["isBlindAppend"] is False, f"no blind append, as the table was read: {info!r}")
    expect(set(before) < set(w.files("t")), "all files to be kept")


# ---- History ---------------------------------------------------------------------------------------

@test
def test_history__says_what_was_asked_and_done(w):
    make(w)
    merge(w, "USING (SELECT range AS id FROM range(8, 13)) s ON t.id = s.id\n WHEN MATCHED AND t.`n` > 8 THEN DELETE"
             " WHEN MATCHED THEN UPDATE SET v = 'x' WHEN NOT MATCHED AND s.id > 10 THEN INSERT (id) VALUES (id)"
             " WHEN NOT MATCHED BY SOURCE AND id < 2 THEN UPDATE SET v = 'y'")
    operation, parameters, metrics = history(w)
    expect_equal(operation, "MERGE")
    expect_equal({k: json.loads(v) for k, v in parameters.items()}, {
        "predicate": ["t.id = s.id"],
        "matchedPredicates": [{"predicate": "t.`n` > 8", "actionType": "delete"}, {"actionType": "update"}],
        "notMatchedPredicates": [{"predicate": "s.id > 10", "actionType": "insert"}],
        "notMatchedBySourcePredicates": [{"predicate": "id < 2", "actionType": "update"}]})
    expect_equal({k: v for k, v in metrics.items() if "Bytes" not in k}, {
        "numSourceRows": "5", "numTargetRowsInserted": "2", "numTargetRowsUpdated": "3",
        "numTargetRowsMatchedUpdated": "1", "numTargetRowsNotMatchedBySourceUpdated": "2",
        "numTargetRowsDeleted": "1", "numTargetRowsMatchedDeleted": "1",
        "numTargetRowsNotMatchedBySourceDeleted": "0", "numTargetRowsCopied": "0", "numOutputRows": "5",
        "numTargetFilesAdded": "1", "numTargetFilesRemoved": "0", "numTargetChangeFilesAdded": "0",
        "numTargetDeletionVectorsAdded": "1"})


# ---- Beside the engine's own -----------------------------------------------------------------------

def random_condition(rng, scope):
    column = rng.choice({"t": ["t.id", "t.n"], "s": ["s.id", "s.n"], "ts": ["t.id", "t.n", "s.id", "s.n"]}[scope])
    return rng.choice([f"{column} % {rng.randint(2, 5)} = {rng.randint(0, 2)}", f"{column} > {rng.randint(0, 60)}",
                       f"{column} IS NOT NULL", f"({column} < 20 OR {column} BETWEEN 40 AND 50)",
                       f"CASE WHEN {column} > 30 THEN true ELSE {column} < 10 END"])


def random_values(rng, scope):
    numbers = {"t": ["t.n + 1", "NULL", "-1"], "s": ["s.n", "s.n * 2", "NULL", "3"], "ts": ["s.n", "t.n + s.n", "t.id", "0"]}
    texts = {"t": ["upper(t.v)", "NULL"], "s": ["s.v", "'new ' || s.id"], "ts": ["t.v || s.v", "s.v", "t.v"]}
    return {"n": f"CAST({rng.choice(numbers[scope])} AS INT)", "v": rng.choice(texts[scope])}


def random_clauses(rng):
    clauses = []
    for kind, scope in (("MATCHED", "ts"), ("NOT MATCHED", "s"), ("NOT MATCHED BY SOURCE", "t")):
        count = rng.choice([0, 1, 1, 2, 3])
        for i in range(count):
            condition = f" AND {random_condition(rng, scope)}" if i + 1 < count or rng.random() < 0.5 else ""
            values = random_values(rng, scope)
            if kind == "NOT MATCHED":
                action = (f"INSERT (id, n, v) VALUES (s.id, {values['n']}, {values['v']})" if rng.random() < 0.7
                          else f"INSERT (v, id) VALUES ({values['v']}, s.id)")
            elif rng.random() < 0.3:
                action = "DELETE"
            else:
                chosen = rng.sample(sorted(values), rng.randint(1, 2))
                action = "UPDATE SET " + ", ".join(f"{c} = {values[c]}" for c in chosen)
            clauses.append(f"WHEN {kind}{condition} THEN {action}")
    return " ".join(clauses) or "WHEN MATCHED THEN DELETE"


@test
def test_random_merges__do_what_the_engine_does_to_its_own_table(w):
    seed = int(os.environ.get("SEED", "20261"))
    for round in range(4):
        rng = random.Random(seed + round)
        properties = ", ".join([rng.choice([VECTORS, COPIES])] + rng.sample([FEED, "'delta.columnMapping.mode' = 'name'"], 1))
        partitioned = rng.choice(["", "PARTITIONED BY (n)"])
        script = [f"CREATE OR REPLACE TABLE t (id BIGINT, n INT, v STRING) {partitioned} TBLPROPERTIES ({properties})",
                  "INSERT INTO t SELECT i, i % 7, 'v' || i FROM range(40) r(i)",
                  "INSERT INTO t SELECT i, NULL, 'w' || i FROM range(40, 60) r(i)",
                  "CREATE TEMP TABLE e AS FROM t"]
        for step in range(8):
            first, last, stride = rng.randint(0, 50), rng.randint(30, 90), rng.randint(1, 4)
            script.append(f"CREATE OR REPLACE TEMP TABLE s AS SELECT range AS id, (range % 9)::INT AS n, 's' || range AS v"
                          f" FROM range({first}, {last}, {stride})")
            on = rng.choice(["t.id = s.id", "t.id = s.id", "s.id = t.id AND t.n > 2", "t.id = s.id AND s.n <> 4",
                             "t.id = s.id AND t.id < 50"])
            clauses = random_clauses(rng)
            script += [f"MERGE INTO t USING s ON {on} {clauses}", f"MERGE INTO e AS t USING s ON {on} {clauses}",
                       f"SELECT {step} AS step, 'differs' AS d FROM ((FROM t EXCEPT ALL FROM e) UNION ALL (FROM e EXCEPT ALL FROM t))"]
        out = w.sql(";\n".join(script), "--format", "csv")
        expect("differs" not in out.replace("step,d", ""), f"equal rows with seed {seed + round}: {script!r}\n{out}")


@test
def test_merge__takes_the_alias_before_inserted_columns(w):
    w.sql("CREATE TABLE t (id BIGINT, v INT); INSERT INTO t VALUES (1, 1);"
          " MERGE INTO t AS x USING (SELECT 2 AS id, 5 AS v) AS s ON x.id = s.id WHEN NOT MATCHED THEN INSERT (x.v, id)"
          " VALUES (s.v, s.id); MERGE INTO t USING (SELECT 3 AS id, 6 AS v) AS s ON t.id = s.id WHEN NOT MATCHED THEN INSERT"
          " (t.id, t.v) VALUES (s.id, s.v)")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, 1], [2, 5], [3, 6]])
    wrong = "MERGE INTO t USING (SELECT 4 AS id) AS s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (s.id) VALUES (s.id)"
    expect_failure(w.run("sql", "-c", wrong), 1, "COLUMN_NOT_FOUND")


@test
def test_explain__tells_what_a_merge_would_read(w):
    make(w, more="PARTITIONED BY (n)", rows=6)
    w.sql("CREATE TABLE s AS SELECT 2 AS id, 2 AS n; INSERT INTO s VALUES (300, 4), (301, 9)")
    before = w.files("t")
    clauses = "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, n) VALUES (id, n)"
    for source in ("s", "(SELECT * FROM s WHERE id > 0) AS s"):
        out = w.sql(f"EXPLAIN MERGE INTO t USING {source} ON t.n = s.n AND t.id = s.id {clauses}")
        target, rest = out.split("version 1\n", 2)[1:] if "s, version 1\n" in out else (out, "")
        expect("6 in the table, 2 after partitions" in target, f"the partitions of the keys: {out}")
        expect("2 in the table" in rest, f"the files of the source: {out}")
        expect("rows        3" in out, f"the rows of the source: {out}")
    out = w.sql("EXPLAIN WITH q AS (SELECT 2 AS id, 2 AS n) MERGE INTO t USING q AS s ON t.n = s.n AND t.id = s.id " + clauses)
    expect("1 after partitions" in out and "rows        1" in out, out)
    expect_failure(w.run("sql", "-c", f"EXPLAIN ANALYZE MERGE INTO t USING s ON t.id = s.id {clauses}"), 4,
                   "STATEMENT_UNSUPPORTED", "MERGE INTO")
    expect_failure(w.run("sql", "-c", f"EXPLAIN MERGE INTO t USING s ON t.nothing = s.id {clauses}"), 1, "nothing")
    expect_equal(w.files("t"), before)


if __name__ == "__main__":
    sys.exit(main())
