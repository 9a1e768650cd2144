"""Expectations: rows are counted, dropped, put into quarantine or refused while they are written."""
import json
import os
import sys

from harness import expect, expect_equal, expect_failure, main, test


def make(w, *expectations, columns="id BIGINT, name STRING", more=""):
    w.sql(f"CREATE TABLE t ({columns}) {more}")
    for expectation in expectations:
        w.sql(f"ALTER TABLE t ADD EXPECTATION {expectation}")


def metrics(w, table="t"):
    """What the newest version says of itself."""
    return newest(w, table)["operationMetrics"]


def newest(w, table="t"):
    version = w.rows(f"DESCRIBE HISTORY {table} LIMIT 1")[0][0]
    return next(a["commitInfo"] for a in w.actions(table, version) if "commitInfo" in a)


def said(w, *names):
    found = metrics(w)
    return [found.get(n if n.startswith("num") else "expectationViolations." + n) for n in names]


def ids(w, table="t"):
    return [r[0] for r in w.rows(f"SELECT id FROM {table} ORDER BY id")]


# ---- What becomes of rows ---------------------------------------------------------------------------


@test
def test_expectations__warn_count_rows_that_stay(w):
    make(w, "positive (id > 0) ON VIOLATION WARN", "named (name <> '')")
    out = w.sql("INSERT INTO t VALUES (1, 'a'), (-2, ''), (3, NULL)")
    expect("expectation positive is violated by 1 row" in out, f"the count in {out!r}")
    expect("expectation named is violated by 2 rows" in out, f"NULL counts as a violation: {out!r}")
    expect_equal(said(w, "positive", "named", "numDroppedRows"), ["1", "2", "0"])
    expect_equal(ids(w), [-2, 1, 3])
    w.sql("INSERT INTO t VALUES (4, 'd')")
    expect_equal(said(w, "positive", "named"), ["0", "0"])


@test
def test_expectations__drop_leaves_rows_out(w):
    make(w, "positive (id > 0) ON VIOLATION DROP", "named (name IS NOT NULL) ON VIOLATION DROP ROW",
         "small (id < 100)")
    out = w.sql("INSERT INTO t VALUES (1, 'a'), (-2, NULL), (NULL, 'n'), (300, 'b')")
    expect("(dropped)" in out, f"what happened in {out!r}")
    expect_equal(ids(w), [1, 300])
    expect_equal(said(w, "positive", "named", "small", "numDroppedRows", "numOutputRows"),
                 ["2", "1", "2", "2", "2"])
    w.sql("INSERT INTO t VALUES (-1, 'x')")
    expect_equal(said(w, "positive", "numDroppedRows"), ["1", "1"])
    expect_equal(ids(w), [1, 300])


@test
def test_expectations__fail_refuses_with_an_example_and_the_count(w):
    make(w, "positive (id > 0) ON VIOLATION FAIL")
    before = w.files("t")
    expect_failure(w.run("sql", "-c", "INSERT INTO t SELECT r - 3, 'x' FROM range(10) q(r)"), 1,
                   "[EXPECTATION_VIOLATION]", 'expectation "positive" (id > 0)', "by 4 of 10 rows",
                   "a row with id = ")
    expect_equal(w.files("t"), before)
    w.sql("INSERT INTO t VALUES (1, 'a')")
    expect_equal(said(w, "positive"), ["0"])
    w.sql("ALTER TABLE t DROP EXPECTATION IF EXISTS named; ALTER TABLE t ADD EXPECTATION named (name <> '') ON VIOLATION FAIL")
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (1, '')"), 1, "such as a row with name = ''")


@test
def test_expectations__are_judged_before_constraints(w):
    make(w, "positive (id > 0) ON VIOLATION DROP")
    w.sql("ALTER TABLE t ADD CONSTRAINT large CHECK (id > 10)")
    w.sql("INSERT INTO t VALUES (-1, 'a'), (11, 'b')")
    expect_equal(ids(w), [11])
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (5, 'c')"), 1, "CHECK_CONSTRAINT_VIOLATION")


@test
def test_expectations__count_each_row_of_a_join_once(w):
    make(w, "positive (id > 0)", "near (id < 3)")
    w.sql("CREATE TABLE s (k BIGINT, m BIGINT)")
    w.sql("INSERT INTO s SELECT r % 4, r FROM range(40) q(r)")
    w.sql("INSERT INTO t SELECT a.k, 'x' FROM s a JOIN s b ON a.k = b.k WHERE b.m < 4 ORDER BY a.m LIMIT 30")
    expect_equal(w.value("SELECT count(*) FROM t WHERE NOT id > 0"), int(said(w, "positive")[0]))
    expect_equal(w.value("SELECT count(*) FROM t WHERE NOT id < 3"), int(said(w, "near")[0]))


@test
def test_expectations__with_variants_and_partitions_count_once(w):
    make(w, "positive (id > 0) ON VIOLATION DROP", columns="id BIGINT, p INT, v VARIANT",
         more="PARTITIONED BY (p) TBLPROPERTIES ('delta.enableVariantShredding' = 'true')")
    w.sql("INSERT INTO t SELECT r - 50, r % 3, {'a': r}::VARIANT FROM range(1000) q(r)")
    expect_equal(said(w, "positive", "numDroppedRows", "numOutputRows"), ["51", "51", "949"])


# ---- Every way to write -----------------------------------------------------------------------------


@test
def test_expectations__hold_for_loads_overwrites_and_replacements(w):
    make(w, "positive (id > 0) ON VIOLATION DROP")
    w.sql("COPY (SELECT r - 1 AS id, 'f' AS name FROM range(4) q(r)) TO 'f.parquet'")
    ran = w.run("load", "t", w.path("f.parquet"))
    expect("violated by 2 rows" in ran.err and ran.status == 0, f"a warning: {ran!r}")
    expect_equal(ids(w), [1, 2])
    out = w.sql(f"COPY INTO t FROM '{w.path('f.parquet')}' FILEFORMAT = PARQUET COPY_OPTIONS ('force' = 'true')")
    expect("violated by 2 rows" in out, out)
    w.sql("INSERT OVERWRITE t VALUES (-5, 'o'), (5, 'o')")
    expect_equal(ids(w), [5])
    w.sql("INSERT INTO t REPLACE WHERE name = 'o' VALUES (-6, 'o'), (6, 'o')")
    expect_equal(ids(w), [6])
    expect_equal(said(w, "positive", "numDroppedRows"), ["1", "1"])


@test
def test_expectations__hold_for_update_and_merge_and_never_drop_what_is_there(w):
    make(w, "positive (id > 0) ON VIOLATION DROP", "named (name IS NOT NULL)",
         more="TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    w.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    expect_failure(w.run("sql", "-c", "UPDATE t SET id = -id WHERE id = 2"), 1, "[EXPECTATION_VIOLATION]",
                   "1 of 1 row, ", "a row with id = -2", "rows that are in the table are not dropped")
    out = w.sql("UPDATE t SET name = NULL WHERE id = 2")
    expect("expectation named is violated by 1 row" in out, out)
    expect_equal(said(w, "positive", "named"), ["0", "1"])
    w.sql("CREATE TABLE s (id BIGINT, name STRING)")
    w.sql("INSERT INTO s VALUES (1, 'aa'), (-7, 'x'), (7, 'y'), (8, NULL)")
    ran = w.run("sql", "-c", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * "
                "WHEN NOT MATCHED THEN INSERT *", "--format", "ndjson")
    expect_equal(list(json.loads(ran.out).values()), [3, 1, 0, 2])
    expect_equal(said(w, "positive", "named", "numDroppedRows", "numTargetRowsInserted"), ["1", "1", "1", "2"])
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, "aa"], [2, None], [7, "y"], [8, None]])
    changes = w.rows("SELECT id, _change_type FROM table_changes('t', 5) WHERE _change_type = 'insert' ORDER BY id")
    expect_equal(changes, [[7, "insert"], [8, "insert"]])


@test
def test_expectations__identity_values_of_dropped_rows_are_not_given_again(w):
    make(w, "positive (v > 0) ON VIOLATION DROP", columns="id BIGINT GENERATED ALWAYS AS IDENTITY, v INT")
    w.sql("INSERT INTO t (v) SELECT CASE WHEN r % 2 = 0 THEN -1 ELSE 1 END FROM range(10) q(r)")
    w.sql("INSERT INTO t (v) SELECT 1 FROM range(10) q(r)")
    expect_equal(w.rows("SELECT count(*), count(DISTINCT id) FROM t"), [[15, 15]])


@test
def test_expectations__counts_of_a_transaction_are_summed(w):
    make(w, "positive (id > 0) ON VIOLATION DROP")
    w.sql("BEGIN; INSERT INTO t VALUES (1, 'a'), (-1, 'b'); INSERT INTO t VALUES (-2, 'c'); COMMIT")
    expect_equal(said(w, "positive", "numDroppedRows"), ["2", "2"])
    expect_equal(ids(w), [1])


# ---- The definition ---------------------------------------------------------------------------------


@test
def test_expectations__are_shown_and_dropped(w):
    make(w, "Positive (id > 0) ON VIOLATION DROP", "named (name <> '')")
    expect_equal(w.rows("SHOW EXPECTATIONS t"), [["positive", "id > 0", "DROP", None, None],
                                                 ["named", "name <> ''", "WARN", None, None]])
    fails = (("ADD EXPECTATION positive (id > 1)", "[EXPECTATION_EXISTS]"),
             ("ADD EXPECTATION other (nope > 1)", "[EXPRESSION_INVALID]"),
             ("ADD EXPECTATION other (id + 1)", "[EXPRESSION_INVALID]"),
             ("ADD EXPECTATION other (id > 1) ON VIOLATION IGNORE", "[PARSE_ERROR]"),
             ("ADD EXPECTATION other (id > 1) ON VIOLATION FAIL QUARANTINE INTO q", "[PARSE_ERROR]"),
             ("SET TBLPROPERTIES ('deltaworks.expectations.x' = 'id > 0')", "ADD EXPECTATION"),
             ("DROP EXPECTATION other", "[EXPECTATION_NOT_FOUND]"))
    for action, word in fails:
        expect_failure(w.run("sql", "-c", f"ALTER TABLE t {action}"), 1, word)
    w.sql("ALTER TABLE t DROP EXPECTATION IF EXISTS other")
    w.sql("ALTER TABLE t DROP EXPECTATION POSITIVE")
    expect_equal([r[0] for r in w.rows("SHOW EXPECTATIONS t")], ["named"])
    w.sql("INSERT INTO t VALUES (-1, 'a')")
    expect_equal(ids(w), [-1])


@test
def test_expectations__stand_in_the_way_of_changed_columns(w):
    make(w, "positive (id > 0)")
    for action in ("RENAME COLUMN id TO k", "DROP COLUMN id"):
        expect_failure(w.run("sql", "-c", f"ALTER TABLE t {action}"), 1,
                       "[EXPECTATION_DEPENDENT_COLUMN_CHANGE]", "positive", "drop the expectation")
    plan = w.rows("ALTER TABLE t DROP EXPECTATION positive DRY RUN")
    expect_equal(plan[0][:2], ["property", "deltaworks.expectations.positive"])
    plan = w.rows("ALTER TABLE t ADD EXPECTATION other (id < 9) ON VIOLATION DROP QUARANTINE INTO q DRY RUN")
    expect_equal(plan[0][:2], ["property", "deltaworks.expectations.other"])
    expect_failure(w.run("sql", "-c", "SELECT * FROM q"), 1, "TABLE_NOT_FOUND")
    w.sql("ALTER TABLE t RENAME COLUMN name TO label")
    expect_equal(len(w.rows("SHOW EXPECTATIONS t")), 1)


@test
def test_expectations__that_are_broken_refuse_writes_and_never_reads(w):
    w.damages("t")
    make(w)
    w.sql("INSERT INTO t VALUES (1, 'a')")
    actions = w.actions("t", 0)
    for action in actions:
        if "metaData" in action:
            changed = json.loads(json.dumps(action))
            changed["metaData"]["configuration"]["deltaworks.expectations.bad"] = "id > 0"
            changed["metaData"]["configuration"]["deltaworks.expectations.gone"] = json.dumps(
                {"expression": "missing > 0", "onViolation": "WARN"})
    w.write_log("t", 2, [{"commitInfo": {"timestamp": 1, "operation": "x"}}, changed])
    expect_equal(ids(w), [1])
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (2, 'b')"), 1, "[EXPECTATION_INVALID]",
                   "DROP EXPECTATION `bad`")
    detail = w.run("sql", "-c", "DESCRIBE DETAIL t", "--format", "json").out
    expect('"bad":"id > 0"' in detail and "deltaworks.expectations" not in detail, detail)
    shown = w.rows("SHOW EXPECTATIONS t")
    expect(all(r[4] for r in shown) and len(shown) == 2, f"what is wrong with each: {shown!r}")
    found = w.run("fsck", "t", "--format", "csv").out
    expect("deltaworks.expectations.bad" in found, f"a finding: {found}")
    w.sql("ALTER TABLE t DROP EXPECTATION bad")
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (2, 'b')"), 1, "missing",
                   "DROP EXPECTATION `gone`")
    w.sql("ALTER TABLE t DROP EXPECTATION gone; INSERT INTO t VALUES (2, 'b')")
    expect_equal(ids(w), [1, 2])


@test
def test_expectations__follow_clones_and_restores_and_end_with_a_replacement(w):
    make(w, "positive (id > 0) ON VIOLATION DROP")
    w.sql("INSERT INTO t VALUES (1, 'a')")
    w.sql("CREATE TABLE c SHALLOW CLONE t; INSERT INTO c VALUES (-1, 'x')")
    expect_equal(ids(w, "c"), [1])
    w.sql("ALTER TABLE t DROP EXPECTATION positive; INSERT INTO t VALUES (-1, 'b')")
    w.sql("RESTORE t TO VERSION AS OF 2; INSERT INTO t VALUES (-1, 'b')")
    expect_equal(ids(w), [1])
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT); INSERT INTO t VALUES (-1)")
    expect_equal(w.rows("SHOW EXPECTATIONS t"), [])
    expect_equal(ids(w), [-1])


@test
def test_expectations__may_have_names_in_quotes(w):
    make(w, "`not far` (id < 10) ON VIOLATION FAIL")
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (11, 'x')"), 1, "[EXPECTATION_VIOLATION]", '"not far"')
    expect_failure(w.run("sql", "-c", "ALTER TABLE t ADD EXPECTATION 'far' (id > 10)"), 1,
                   "[PARSE_ERROR]", "expected a name for the expectation, found \"'far'\"")
    w.sql('ALTER TABLE t DROP EXPECTATION "not far"; INSERT INTO t VALUES (11, \'x\')')
    expect_equal(ids(w), [11])


# ---- Quarantine -------------------------------------------------------------------------------------


def quarantined(w, table="q"):
    found = w.rows(f"SELECT \"row\", expectations, table_path, read_version FROM {table} ORDER BY \"row\"")
    return [[json.loads(r[0])] + r[1:] for r in found]


@test
def test_quarantine__takes_what_is_dropped_with_the_reason(w):
    make(w, "positive (id > 0) ON VIOLATION DROP QUARANTINE INTO q",
         "named (name <> '') ON VIOLATION DROP QUARANTINE INTO q", "odd (id % 2 = 1) ON VIOLATION DROP")
    out = w.sql("INSERT INTO t VALUES (1, 'a'), (-3, ''), (-5, 'x'), (4, 'y')")
    expect("(put into quarantine)" in out, out)
    expect_equal(ids(w), [1])
    expect_equal(quarantined(w), [[{"id": -3, "name": ""}, "positive, named", w.path("t"), 3],
                                  [{"id": -5, "name": "x"}, "positive", w.path("t"), 3]])
    expect_equal(said(w, "positive", "named", "odd", "numDroppedRows", "numQuarantinedRows"),
                 ["2", "1", "3", "3", "2"])
    expect_equal(w.value("SELECT DISTINCT quarantine_id FROM q"), metrics(w)["quarantineId"])
    w.sql("INSERT INTO t VALUES (-9, 'all')")
    expect_equal(w.value("SELECT count(*) FROM q"), 3)
    expect_equal(said(w, "numQuarantinedRows"), ["1"])


@test
def test_quarantine__of_a_load_that_is_run_again_is_not_doubled(w):
    make(w, "positive (id > 0) ON VIOLATION DROP QUARANTINE INTO q")
    w.sql("COPY (SELECT r - 1 AS id, 'f' AS name FROM range(4) q(r)) TO 'f.parquet'")
    log = w.path("t/_delta_log")
    os.chmod(log, 0o555)
    ran = w.run("load", "t", w.path("f.parquet"))
    os.chmod(log, 0o755)
    if ran.status != 0:  # not where the tests run as root
        expect_equal(ids(w), [])
        expect_equal(w.value("SELECT count(*) FROM q"), 2)
    w.run("load", "t", w.path("f.parquet"))
    expect_equal(ids(w), [1, 2])
    expect_equal(w.value("SELECT count(*) FROM q"), 2)


@test
def test_quarantine__holds_for_merge_and_all_types(w):
    make(w, "positive (id > 0) ON VIOLATION DROP QUARANTINE INTO q",
         columns="id BIGINT, d DECIMAL(20,3), b BINARY, t TIMESTAMP, s STRUCT<x: INT, l: ARRAY<STRING>>, "
                 "m MAP<STRING, DATE>")
    row = ("-1, 1.5, 'ab'::BLOB, TIMESTAMPTZ '2020-01-01 00:00:00Z', {'x': 1, 'l': ['a']}, "
           "MAP {'k': DATE '2020-02-03'}")
    w.sql(f"MERGE INTO t USING (SELECT {row.replace('-1,', '-1 AS id,', 1)}) AS s(id, d, b, t, s, m) ON t.id = s.id "
          "WHEN NOT MATCHED THEN INSERT *")
    found = quarantined(w)[0][0]
    expect_equal([found["id"], found["d"], found["s"], found["m"]],
                 [-1, 1.5, {"x": 1, "l": ["a"]}, {"k": "2020-02-03"}])


@test
def test_quarantine__gives_back_the_values_that_it_took(w):
    """What doubles, or JSON, cannot carry stands in it as text; binary values are written as \\x00."""
    columns = ("id BIGINT, d DECIMAL(38,10), e DECIMAL(18,2), small DECIMAL(5,2), x DOUBLE, b BINARY, t TIMESTAMP, "
               "s STRUCT<a: DECIMAL(30,5), l: ARRAY<DOUBLE>>, m MAP<STRING, DECIMAL(20,3)>")
    make(w, "positive (id > 0) ON VIOLATION DROP QUARANTINE INTO q", columns=columns)
    w.sql(f"CREATE TABLE truth ({columns})")
    rows = (r"(-1, 1234567890123456789012345678.0123456789, 9007199254740993.01, 1.25, 'nan'::DOUBLE, '\xDE\xAD'::BLOB, "
            "TIMESTAMPTZ '1600-01-01 00:00:00.123456Z', {'a': 1234567890123456789012345.12345, "
            "'l': [1e300, 'inf'::DOUBLE, '-inf'::DOUBLE, 0.1, NULL]}, MAP {'k': 12345678901234567.891}), "
            "(-2, NULL, -0.01, NULL, 0.30000000000000004, NULL, NULL, NULL, NULL)")
    w.sql(f"INSERT INTO truth VALUES {rows}; INSERT INTO t SELECT * FROM truth")
    expect_equal(ids(w), [])
    found = [json.loads(r[0], parse_constant=lambda name: 1 / 0) for r in w.rows('SELECT "row" FROM q ORDER BY "row"')]
    expect_equal([found[0]["small"], found[1]["x"], found[1]["e"]], [1.25, 0.30000000000000004, -0.01])
    w.sql("""INSERT INTO t BY NAME SELECT r.* REPLACE (-id AS id, b::BLOB AS b) FROM (SELECT unnest(from_json("row",
             '{"id": "BIGINT", "d": "DECIMAL(38,10)", "e": "DECIMAL(18,2)", "small": "DECIMAL(5,2)", "x": "DOUBLE", "b": "VARCHAR",
               "t": "TIMESTAMPTZ", "s": {"a": "DECIMAL(30,5)", "l": ["DOUBLE"]}, "m": "MAP(VARCHAR, DECIMAL(20,3))"}'))
             FROM q) AS r""")
    expect_equal(w.value("SELECT count(*) FROM t"), 2)
    expect_equal(w.rows("SELECT * REPLACE (-id AS id) FROM t EXCEPT SELECT * FROM truth"), [])


@test
def test_quarantine__keeps_variants_as_they_are(w):
    make(w, "positive (id > 0) ON VIOLATION DROP QUARANTINE INTO q",
         columns="id BIGINT, v VARIANT, s STRUCT<x: VARIANT, y: STRING>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>")
    w.sql("""INSERT INTO t SELECT -1, parse_json('{"a": [1, "2", 0.5]}'), {'x': parse_json('"z"'), 'y': '1'},
             [parse_json('true'), NULL], MAP {'k': parse_json('{"b": null}')}""")
    w.sql("INSERT INTO t SELECT -2, NULL, NULL, NULL, NULL")
    found = {row["id"]: row for row, *_ in quarantined(w)}
    expect_equal(found[-1], {"id": -1, "v": {"a": [1, "2", 0.5]}, "s": {"x": "z", "y": "1"}, "l": [True, None],
                             "m": [{"key": "k", "value": {"b": None}}]})
    expect_equal(found[-2], {"id": -2, "v": None, "s": None, "l": None, "m": None})


@test
def test_quarantine__tables_that_are_none_and_transactions_are_refused(w):
    make(w)
    w.sql("CREATE TABLE other (a INT)")
    expect_failure(w.run("sql", "-c", "ALTER TABLE t ADD EXPECTATION p (id > 0) ON VIOLATION DROP "
                         "QUARANTINE INTO other"), 1, "[QUARANTINE_INVALID]")
    expect_failure(w.run("sql", "-c", "ALTER TABLE t ADD EXPECTATION p (id > 0) ON VIOLATION DROP "
                         "QUARANTINE INTO t"), 1, "[QUARANTINE_INVALID]")
    w.sql("ALTER TABLE t ADD EXPECTATION p (id > 0) ON VIOLATION DROP QUARANTINE INTO q")
    expect_failure(w.run("sql", "-c", "BEGIN; INSERT INTO t VALUES (1, 'a'); COMMIT"), 4,
                   "[QUARANTINE_IN_TRANSACTION]")


# ---- Profiles ---------------------------------------------------------------------------------------


def profile(w, statement="ANALYZE TABLE t PROFILE"):
    out = w.sql(statement, "--format", "ndjson")
    return {row["column"]: row for row in map(json.loads, out.splitlines())}


TYPES = ("id BIGINT, d DOUBLE, n DECIMAL(12,2), name STRING, k BOOLEAN, day DATE, t TIMESTAMP, b BINARY, "
         "s STRUCT<x: INT, y: STRING>, l ARRAY<INT>, m MAP<STRING, INT>")


def fill(w, rows=100):
    w.sql(f"CREATE TABLE t ({TYPES})")
    w.sql("INSERT INTO t SELECT r, CASE WHEN r % 10 = 0 THEN NULL ELSE r / 2 END, r / 100, "
          "CASE WHEN r % 4 = 0 THEN 'often' ELSE 'v' || r END, r % 2 = 0, DATE '2020-01-01' + r::INT, "
          "TIMESTAMPTZ '2021-01-01 00:00:00Z' + INTERVAL (r) HOUR, 'x'::BLOB, {'x': r % 5, 'y': NULL}, "
          f"[r, r], MAP {{'a': r}} FROM (SELECT range::INT AS r FROM range({rows}))")


@test
def test_profile__tells_what_is_in_each_column_and_field(w):
    fill(w)
    found = profile(w)
    expect_equal(list(found), [None, "id", "d", "n", "name", "k", "day", "t", "b", "s.x", "s.y", "l (length)",
                               "m (length)"])
    expect_equal(found[None]["count"], 100)
    row = found["id"]
    expect_equal([row[k] for k in ("count", "nulls", "distinct", "min", "max", "mean", "median", "q05")],
                 [100, 0, 100, "0", "99", 49.5, "49", "4"])
    expect_equal([found["d"][k] for k in ("count", "nulls")], [90, 10])
    expect_equal([found["name"][k] for k in ("distinct", "min", "max", "mean")], [76, "often", "v99", None])
    expect_equal(found["name"]["top_values"][0], "often (25.0 %)")
    expect_equal([found["day"][k] for k in ("min", "max")], ["2020-01-01", "2020-04-09"])
    expect_equal(found["t"]["max"], "2021-01-05 03:00:00Z")
    expect(found["t"]["age_seconds"] > 1e8 and found["day"]["age_seconds"] > 1e8, f"ages: {found!r}")
    expect_equal([found["s.x"][k] for k in ("distinct", "max")], [5, "4"])
    expect_equal([found["s.y"][k] for k in ("count", "nulls", "distinct")], [0, 100, 0])
    expect_equal([found["l (length)"][k] for k in ("min", "max")], ["2", "2"])
    expect_equal(list(profile(w, "ANALYZE TABLE t PROFILE FOR COLUMNS (s.y, id)")), [None, "s.y", "id"])
    expect_failure(w.run("sql", "-c", "ANALYZE TABLE t PROFILE FOR COLUMNS (nope)"), 1, "[COLUMN_NOT_FOUND]")


@test
def test_profile__of_many_rows_is_near_the_truth(w):
    w.sql("CREATE TABLE t (id BIGINT, d DOUBLE, s STRING)")
    w.sql("INSERT INTO t SELECT r, CASE WHEN r % 100 = 0 THEN 'nan'::DOUBLE ELSE r END, "
          "CASE WHEN r % 5 < 2 THEN 'often' ELSE 'v' || r END FROM range(300000) q(r)")
    found = profile(w)
    expect_equal([found["id"][k] for k in ("count", "min", "max", "mean")], [300000, "0", "299999", 149999.5])
    expect(abs(found["id"]["distinct"] - 300000) < 30000, found["id"])
    expect(abs(int(found["id"]["median"]) - 150000) < 5000, found["id"])
    expect(abs(float(found["s"]["top_values"][0].split("(")[1].split()[0]) - 40) < 2, found["s"])
    expect(found["d"]["mean"] is not None, found["d"])


@test
def test_profile__is_kept_for_each_version_and_shows_drift(w):
    fill(w)
    profile(w)
    w.sql("INSERT INTO t (id, name) SELECT r, 'new' FROM range(100, 300) q(r)")
    expect_failure(w.run("sql", "-c", "SHOW DRIFT t"), 1, "[PROFILE_NOT_FOUND]")
    profile(w)
    expect_equal([f for f in w.files("t") if f.startswith("_deltaworks_profile")],
                 [f"_deltaworks_profile/{v:020d}.json" for v in (1, 2)])
    before = profile(w, "DESCRIBE PROFILE t VERSION AS OF 1")
    expect_equal(before["id"]["max"], "99")
    expect_equal(profile(w, "DESCRIBE PROFILE t")["id"]["max"], "299")
    drift = {(r[0], r[1]): r[2:] for r in w.rows("SHOW DRIFT t")}
    expect_equal(drift[(None, "rows")], ["100", "300", 200.0, 1, 2])
    expect_equal(drift[("id", "max")][:2], ["99", "299"])
    expect_equal(drift[("k", "null_fraction")][:2], ["0", "0.6667"])
    expect_equal(drift[("name", "top_value")][:2], ["often", "new"])
    expect_equal(w.rows("SHOW DRIFT t FROM VERSION 2 TO VERSION 2"), [])
    expect_failure(w.run("sql", "-c", "SHOW DRIFT t FROM VERSION 1 TO VERSION 9"), 1, "[VERSION_OUT_OF_RANGE]", "9")
    w.sql("DELETE FROM t WHERE id = 7")
    expect_failure(w.run("sql", "-c", "SHOW DRIFT t FROM VERSION 2 TO VERSION 3"), 1, "[PROFILE_NOT_FOUND]",
                   "that of version 2 alone")
    w.sql("VACUUM t RETAIN 168 HOURS")
    expect_equal(len([f for f in w.files("t") if f.startswith("_deltaworks_profile")]), 2)
    with open(w.path("t/_deltaworks_profile/00000000000000000002.json"), "w", encoding="utf-8") as file:
        file.write("{")
    expect_equal(profile(w, "DESCRIBE PROFILE t")["id"]["max"], "99")


@test
def test_profile__that_somebody_edited_is_passed_over_with_a_warning(w):
    fill(w)
    w.sql("ANALYZE TABLE t PROFILE FOR COLUMNS (id); INSERT INTO t (id) VALUES (1000)")
    w.sql("ANALYZE TABLE t PROFILE FOR COLUMNS (id)")
    name = "_deltaworks_profile/00000000000000000002.json"
    with open(w.path("t/" + name), encoding="utf-8") as file:
        kept = json.load(file)
    for change, said in (({"rows": -1}, "expected rows to be a whole number from 0 on, found -1"),
                         ({"version": 1}, "expected the profile of version 2, found that of version 1"),
                         ({"columns": [{"name": "id"}]}, "expected columns[0].type to be a string, found nothing")):
        with open(w.path("t/" + name), "w", encoding="utf-8") as file:
            json.dump({**kept, **change}, file)
        ran = w.run("sql", "-c", "DESCRIBE PROFILE t", "--format", "ndjson")
        expect_equal((ran.status, json.loads(ran.out.splitlines()[1])["max"]), (0, "99"))
        expect_equal(ran.err, f"deltaworks: warning: a profile is passed over: {name}: {said}\n")
        ran = w.run("sql", "-c", "SHOW DRIFT t")
        expect_equal(ran.status, 1)
        expect("passed over" in ran.err and "that of version 1 alone" in ran.err, repr(ran))


@test
def test_profile__of_an_empty_table_and_an_older_version(w):
    w.sql("CREATE TABLE t (id BIGINT, s STRING); INSERT INTO t VALUES (1, 'a')")
    found = profile(w, "ANALYZE TABLE t VERSION AS OF 0 PROFILE DRY RUN")
    expect_equal([found["id"][k] for k in ("count", "nulls", "distinct", "min", "mean")], [0, 0, 0, None, None])
    expect_equal([f for f in w.files("t") if f.startswith("_deltaworks")], [])


@test
def test_profile__of_decimals_below_one_is_spelled_one_way(w):
    """The bounds of the first version are the log's, those of the second are computed."""
    w.sql("CREATE TABLE t (d DECIMAL(3,3), id INT); INSERT INTO t VALUES (-0.5, 1), (0.25, 2), (0.125, 3)")
    found = profile(w)["d"]
    expect_equal([found[k] for k in ("min", "max", "median", "top_values")],
                 ["-0.500", "0.250", "0.125", ["-0.500 (33.3 %)", "0.125 (33.3 %)", "0.250 (33.3 %)"]])
    w.sql("DELETE FROM t WHERE id = 3")
    profile(w)
    drift = {(r[0], r[1]) for r in w.rows("SHOW DRIFT t")}
    expect(("d", "min") not in drift and ("d", "max") not in drift, drift)


@test
def test_profile__of_dates_that_are_too_far_to_be_counted(w):
    w.sql("CREATE TABLE t (d DATE, t TIMESTAMP); INSERT INTO t VALUES (DATE '5881580-07-10', TIMESTAMPTZ '294246-01-01 00:00:00Z'), "
          "(DATE '-2000-01-01', NULL)")
    for made in (profile(w), profile(w, "DESCRIBE PROFILE t")):
        expect_equal([made["d"][k] for k in ("count", "max", "age_seconds")], [2, "5881580-07-10", None])
    w.sql("ANALYZE TABLE t COMPUTE DELTA STATISTICS")
    expect_equal(profile(w)["d"]["age_seconds"], None)


@test
def test_profile__thresholds_are_told_and_checked(w):
    fill(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('deltaworks.profile.d.maxNullFraction' = '0.05', "
          "'deltaworks.profile.id.max' = '98', 'deltaworks.profile.minRows' = '1000', "
          "'deltaworks.profile.t.maxAge' = 'interval 1 day', 'deltaworks.profile.name.minDistinct' = '10', "
          "'deltaworks.profile.s.x.max' = '3', 'deltaworks.profile.maxAge' = 'interval 1 day')")
    found = profile(w)
    expect_equal({k: r["violations"] for k, r in found.items() if r["violations"] and k != "t"},
                 {None: ["number of rows 100 is below 1000"], "d": ["null fraction 0.1 is above 0.05"],
                  "id": ["max 99 is above 98"], "s.x": ["max 4 is above 3"]})
    expect("more than interval 1 day" in found["t"]["violations"][0], found["t"])
    expect_failure(w.run("sql", "-c", "ANALYZE TABLE t PROFILE CHECK"), 1, "[PROFILE_THRESHOLD_VIOLATED]",
                   "d: null fraction 0.1 is above 0.05", "5 thresholds")
    w.sql("ALTER TABLE t UNSET TBLPROPERTIES ('deltaworks.profile.minRows')")
    w.sql("ANALYZE TABLE t PROFILE FOR COLUMNS (name) CHECK")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('deltaworks.profile.id.max' = 'many')")
    expect_failure(w.run("sql", "-c", "ANALYZE TABLE t PROFILE FOR COLUMNS (id) CHECK"), 1, "cannot be judged")


@test
def test_profile__thresholds_that_say_nothing_are_refused_where_they_are_set(w):
    fill(w)
    for name, value in (("name.least", "1"), ("minRow", "1"), ("id.maxNullFraction", "few"), ("maxAge", "1 dai"),
                        ("d.maxAge", "5")):
        ran = w.run("sql", "-c", f"ALTER TABLE t SET TBLPROPERTIES ('deltaworks.profile.{name}' = '{value}')")
        expect_failure(ran, 1, "[PROPERTY_INVALID]", name, "expected")
    ran = w.run("sql", "-c", "CREATE TABLE u (id INT) TBLPROPERTIES ('deltaworks.profile.minRows' = 'x')")
    expect_failure(ran, 1, "[PROPERTY_INVALID]", "a number")


if __name__ == "__main__":
    sys.exit(main())
