"""Rows that are changed in place, from end to end: what stays with them, what is written of them."""
import itertools
import json
import os
import random
import shutil
import sys

from harness import World, expect, expect_equal, expect_failure, main, test

TRACKED = "'delta.enableRowTracking' = 'true', 'delta.checkpointInterval' = '3'"
WITHOUT_VECTORS = "'delta.enableDeletionVectors' = 'false'"
IDS = "SELECT id, n, _metadata.row_id AS r, _metadata.row_commit_version AS v FROM t ORDER BY id"


# ---- Row tracking ----------------------------------------------------------------------------------

class TrackedRows:
    """A table with row tracking, and what its rows must be called."""

    def __init__(self, w, *properties, partitioned=False):
        self.w = w
        self.rows = {}  # id: [n, row id, version]
        self.version = 0
        w.sql("CREATE TABLE t (id BIGINT, n INT, p STRING)" + (" PARTITIONED BY (p)" if partitioned else "") +
              f" TBLPROPERTIES ({', '.join((TRACKED,) + properties)})")

    def insert(self, first, count, overwrites=False):
        self.w.sql(f"INSERT {'OVERWRITE' if overwrites else 'INTO'} t SELECT range, range % 7, 'p' || range % 3"
                   f" FROM range({first}, {first + count})")
        self.version += 1
        if overwrites:
            self.rows = {}
        taken = {row[1] for row in self.rows.values()}
        for i, n, r, v in self.w.rows(IDS):
            if first <= i < first + count:
                expect(r not in taken and v == self.version, f"a new id for the new row {i}, found {r}, {v}")
                taken.add(r)
                self.rows[i] = [n, r, v]

    def delete(self, chosen):
        self.w.sql(f"DELETE FROM t WHERE id IN ({', '.join(map(str, chosen))})")
        self.version += 1
        for i in chosen:
            del self.rows[i]

    def update(self, chosen, assigned="n = n + 10"):
        self.w.sql(f"UPDATE t SET {assigned} WHERE id IN ({', '.join(map(str, chosen))})")
        self.version += 1
        for i in chosen:
            self.rows[i][0] += 10
            self.rows[i][2] = self.version

    def check(self, after=""):
        found = self.w.rows(IDS)
        expected = [[i, *self.rows[i]] for i in sorted(self.rows)]
        expect(found == expected, f"after {after} {expected!r}, found {found!r}")


@test
def test_row_ids__stay_with_rows_through_random_changes(w):
    modes = ("none", "name", "id")
    for seed, (mode, vectors, partitioned) in enumerate(itertools.product(modes, (False, True), (False, True))):
        chance = random.Random(seed)
        os.mkdir(w.path(str(seed)))
        inner = World(w.path(str(seed)))
        properties = [f"'delta.columnMapping.mode' = '{mode}'",
                      f"'delta.enableChangeDataFeed' = '{str(chance.random() < 0.5).lower()}'"]
        table = TrackedRows(inner, *properties, *([] if vectors else [WITHOUT_VECTORS]), partitioned=partitioned)
        table.insert(0, 20)
        for step in range(6):
            chosen = chance.sample(sorted(table.rows), chance.randrange(1, 4))
            kind = chance.choice(("insert", "delete", "update", "move"))
            if kind == "insert":
                table.insert(100 * (step + 1), chance.randrange(1, 6))
            elif kind == "delete":
                table.delete(chosen)
            else:
                table.update(chosen, "n = n + 10" + (", p = 'moved'" if kind == "move" else ""))
            table.check(f"seed {seed}, step {step}: {kind} {chosen}")


@test
def test_row_ids__are_kept_in_columns_that_nothing_else_shows(w):
    table = TrackedRows(w, WITHOUT_VECTORS, "'delta.columnMapping.mode' = 'id'")
    table.insert(0, 5)
    table.update([2])
    names = next(a["metaData"] for a in w.actions("t", 0) if "metaData" in a)["configuration"]
    columns = [names[f"delta.rowTracking.materialized{n}ColumnName"] for n in ("RowId", "RowCommitVersion")]
    adds = [a["add"] for a in w.actions("t", 2) if "add" in a]
    expect_equal(len(adds), 2)
    for add in adds:
        found = w.rows(f"SELECT name, field_id FROM parquet_schema('{w.path('t')}/{add['path']}') OFFSET 1")
        expect_equal([f[0] for f in found[-2:]], columns)
        expect_equal([f[1] is None for f in found], [False, False, False, True, True])
        stats = json.loads(add["stats"])
        expect(not set(columns) & (set(stats["minValues"]) | set(stats["nullCount"])), f"no statistics of ids in {stats}")
    kept = {add["stats"]: w.rows(f"SELECT * FROM (SELECT \"{columns[0]}\", \"{columns[1]}\""
                                 f" FROM '{w.path('t')}/{add['path']}') ORDER BY 1") for add in adds}
    expect_equal(sorted(map(repr, kept.values())), ["[[0, 1], [1, 1], [3, 1], [4, 1]]", "[[2, None]]"])
    info = next(a["commitInfo"] for a in w.actions("t", 2) if "commitInfo" in a)
    expect_equal(info["tags"], {"delta.rowTracking.preserved": "true"})
    expect_equal(w.sql("SELECT * FROM t LIMIT 0", "--format", "csv").strip(), "id,n,p")


@test
def test_row_ids__are_new_where_rows_are(w):
    table = TrackedRows(w, WITHOUT_VECTORS)
    table.insert(0, 5)
    table.delete([1])
    table.insert(0, 5, overwrites=True)
    table.check()
    expect(min(row[1] for row in table.rows.values()) >= 9, f"fresh ids, found {table.rows}")
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT, n INT, p STRING)"
          f" TBLPROPERTIES ({TRACKED}, {WITHOUT_VECTORS})")
    table.rows, table.version = {}, table.version + 1
    table.insert(0, 3)
    table.update([0, 1, 2])
    table.check()
    expect(min(row[1] for row in table.rows.values()) >= 14, f"fresh ids, found {table.rows}")


@test
def test_row_ids__are_read_while_a_row_is_changed(w):
    table = TrackedRows(w)
    table.insert(0, 5)
    w.sql("UPDATE t SET n = (SELECT count(*) FROM t) + 100 * _metadata.row_id WHERE _metadata.row_id > 2")
    expect_equal(w.rows(IDS), [[0, 0, 0, 1], [1, 1, 1, 1], [2, 2, 2, 1], [3, 305, 3, 2], [4, 405, 4, 2]])


@test
def test_row_ids__stay_with_rows_of_files_without_the_columns(w):
    w.sql(f"CREATE TABLE t (id BIGINT, n INT, p STRING) TBLPROPERTIES ({WITHOUT_VECTORS})")
    w.sql("INSERT INTO t SELECT range, 0, 'p' FROM range(4)")
    w.sql("DELETE FROM t WHERE id = 0; ALTER TABLE t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    before = {row[0]: row for row in w.rows(IDS)}
    w.sql("UPDATE t SET n = 1 WHERE id = 2")
    after = {row[0]: row for row in w.rows(IDS)}
    expect_equal([after[1], after[3]], [before[1], before[3]])
    expect_equal(after[2][2], before[2][2])
    expect(after[2][3] > before[2][3], f"a new version of the row that was updated: {after[2]}")


@test
def test_row_ids__are_not_rewritten_without_the_names_of_their_columns(w):
    w.damages("t")
    w.write_log("t", 0, [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["rowTracking", "domainMetadata"]}},
        {"metaData": {"id": "0" * 8, "format": {"provider": "parquet", "options": {}}, "partitionColumns": [],
                      "configuration": {"delta.enableRowTracking": "true"}, "schemaString": json.dumps(
                          {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]})}}])
    w.sql("INSERT INTO t VALUES (1), (2)")
    expect_failure(w.run("sql", "-c", "UPDATE t SET id = 3 WHERE id = 1"), 5, "ROW_TRACKING_INVALID",
                   "materializedRowIdColumnName")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1], [2]])


# ---- Replacing rows ----------------------------------------------------------------------------------

def info(w, version):
    return next(a["commitInfo"] for a in w.actions("t", version) if "commitInfo" in a)


def changes(w, version):
    return w.rows(f"SELECT id, n, p, _change_type FROM table_changes('t', {version}, {version}) ORDER BY ALL")


# ---- Files that go without being read --------------------------------------------------------------


class Away:
    """While it lasts the data files of the table are somewhere else."""

    def __init__(self, w, table="t"):
        self.moved = [(path, w.path(f"away-{i}")) for i, path in enumerate(
            w.path(f"{table}/{f}") for f in w.files(table) if f.endswith(".parquet"))]

    def __enter__(self):
        for path, other in self.moved:
            os.rename(path, other)

    def __exit__(self, *_):
        for path, other in self.moved:
            os.rename(other, path)


def make_days(w, properties="", partitioned=True):
    """Files of 10 rows: 0 to 9 are of day 1, and so on; the last has no day, and NULLs."""
    w.sql("CREATE TABLE t (id BIGINT, x DOUBLE, s STRING, day INT)" + (" PARTITIONED BY (day)" if partitioned else "") +
          f" TBLPROPERTIES ({properties or VECTORS})")
    for day in range(1, 5):
        w.sql(f"INSERT INTO t SELECT range, range / 2, 's' || range, {day} FROM range({10 * day - 10}, {10 * day})")
    w.sql("INSERT INTO t SELECT CASE WHEN range > 41 THEN range END, 'nan', NULL, NULL FROM range(40, 50)")


VECTORS = "'delta.enableDeletionVectors' = 'true'"
FEED = "'delta.enableChangeDataFeed' = 'true'"
WHOLE_FILES = (  # condition, files that go, rows in them
    ("day = 2", 1, 10), ("day IN (1, 4)", 2, 20), ("day IS NULL", 1, 10), ("t.`day` > 1 AND day <= 3", 2, 20),
    ("day BETWEEN 3 AND 9", 2, 20), ("NOT (day < 4)", 1, 10), ("day IS NOT NULL", 4, 40),
    ("day IS DISTINCT FROM 3", 4, 40), ("id < 20", 2, 20), ("id >= 10 AND id <= 29", 2, 20), ("x >= 0 AND day = 1", 1, 10),
    ("s IS NULL", 1, 10), ("(id = 3 OR day = 1)", 1, 10), ("id IS NOT NULL AND id < 10", 1, 10),
    ("true", 5, 50), ("s >= 's'", 4, 40))


@test
def test_delete__takes_files_whole_without_reading_any(w):
    kinds = itertools.product((True, False), (VECTORS, WITHOUT_VECTORS, f"{VECTORS}, {FEED}"))
    for i, (partitioned, properties) in enumerate(kinds):
        os.mkdir(w.path(str(i)))
        inner = World(w.path(str(i)))
        make_days(inner, properties, partitioned)
        shutil.move(inner.path("t"), inner.path("first"))
        for k in range(i, len(WHOLE_FILES), 4):
            condition, files, rows = WHOLE_FILES[k]
            where = f"{i}: {condition}"
            shutil.rmtree(inner.path("t"), ignore_errors=True)
            shutil.copytree(inner.path("first"), inner.path("t"))
            with Away(inner):
                out = inner.sql(f"DELETE FROM t WHERE {condition}")
            expect(f"deleted {rows} rows ({files} file{'s' if files > 1 else ''} removed)" in out, f"{where}: {out}")
            metrics = info(inner, 6)["operationMetrics"]
            expect_equal([metrics["numRemovedFiles"], metrics["numDeletedRows"]], [str(files), str(rows)])
            sides = " UNION ALL ".join(
                f"SELECT '{side}', id, day FROM {source}" for side, source in (
                    ("is", "t"), ("must", f"(FROM t VERSION AS OF 5 AS t WHERE ({condition}) IS NOT TRUE)"),
                    ("gone", f"(FROM t VERSION AS OF 5 AS t WHERE {condition})"))
                + ((("told", "table_changes('t', 6, 6)"),) if FEED in properties else ()))
            found = {}
            for side, *row in inner.rows(f"{sides} ORDER BY ALL"):
                found.setdefault(side, []).append(row)
            expect_equal(found.get("is"), found.get("must"))
            expect(FEED not in properties or found["told"] == found["gone"], f"{where}: {found}")


@test
def test_delete__reads_files_of_which_rows_may_stay(w):
    make_days(w)
    for condition, words in (
            ("id < 15", "deleted 15 rows (1 file removed, 1 file marked)"), ("x > 21 AND day IS NULL", "deleted 10 rows"),
            ("day = 3 AND id % 2 = 0", "deleted 5 rows (1 file marked)"), ("id IS NOT NULL AND day = 3", "deleted 5 rows (1 file removed)"),
            ("day = getvariable('d')", "deleted 10 rows (1 file removed)")):
        out = w.sql(f"SET VARIABLE d = 4; DELETE FROM t WHERE {condition}")
        expect(words in out, f"{condition}: {out}")
    expect_equal(w.rows("SELECT id FROM t ORDER BY id"), [[i] for i in range(15, 20)])
    w.sql("SET VARIABLE d = 2; DELETE FROM t WHERE day IS DISTINCT FROM getvariable('d')")
    expect_equal(w.rows("SELECT count(*) FROM t"), [[5]])


@test
def test_delete__takes_times_as_the_session_does(w):
    w.sql(f"CREATE TABLE t (ts TIMESTAMP) TBLPROPERTIES ({VECTORS});"
          " INSERT INTO t VALUES ('2024-01-01 03:00:00+00'), ('2024-01-01 04:00:00+00')")
    out = w.sql("SET TimeZone = 'Asia/Tokyo'; DELETE FROM t WHERE ts < TIMESTAMP '2024-01-01 12:30:00'")
    expect("deleted 1 row (1 file marked)" in out, out)
    w.sql("INSERT INTO t VALUES ('2024-02-01 03:00:00+00')")
    out = w.sql("SET TimeZone = 'Asia/Tokyo'; DELETE FROM t WHERE ts >= TIMESTAMP '2024-02-01 12:00:00'")
    expect("deleted 1 row (1 file removed)" in out, out)
    expect_equal(w.rows("SELECT count(*) FROM t"), [[1]])


@test
def test_delete__takes_files_whole_that_do_not_say_how_many_rows_they_have(w):
    make_days(w)
    for version in range(1, 6):
        actions = w.actions("t", version)
        for action in actions:
            action.get("add", {}).pop("stats", None)
        w.write_log("t", version, actions)
        for name in (f"{version:020}.crc", f".{version:020}.json.crc"):
            if os.path.exists(w.path(f"t/_delta_log/{name}")):
                os.remove(w.path(f"t/_delta_log/{name}"))
    with Away(w):
        out = w.sql("DELETE FROM t WHERE day = 2")
    expect("deleted rows (1 file removed)" in out, out)
    expect("numDeletedRows" not in info(w, 6)["operationMetrics"], "no number that nobody knows")
    expect_equal(w.rows("SELECT count(*) FROM t"), [[40]])


@test
def test_replace_where__replaces_what_the_condition_says_in_every_table(w):
    modes = ("none", "name", "id")
    for seed, (mode, vectors, feed) in enumerate(itertools.product(modes, (False, True), (False, True))):
        chance = random.Random(seed)
        os.mkdir(w.path(str(seed)))
        inner = World(w.path(str(seed)))
        inner.sql("CREATE TABLE t (id BIGINT, n INT, p STRING)" + (" PARTITIONED BY (p)" if seed % 2 else "") +
                  f" TBLPROPERTIES ('delta.columnMapping.mode' = '{mode}', 'delta.enableChangeDataFeed' = '{str(feed).lower()}',"
                  f" 'delta.enableDeletionVectors' = '{str(vectors).lower()}', {TRACKED})")
        inner.sql("INSERT INTO t SELECT range, range % 7, 'p' || range % 3 FROM range(30)")
        rows = [[i, i % 7, f"p{i % 3}"] for i in range(30)]
        for version in range(2, 6):
            low = chance.randrange(0, 30)
            condition, holds = chance.choice((
                (f"id BETWEEN {low} AND {low + 5}", lambda r: low <= r[0] <= low + 5),
                (f"t.p = 'p{low % 3}'", lambda r: r[2] == f"p{low % 3}"),
                (f"n = {low % 7} AND `id` < 25", lambda r: r[1] == low % 7 and r[0] < 25)))
            new = [[chance.randrange(25), chance.randrange(7), f"p{chance.randrange(3)}"] for _ in range(40)]
            new = [r for r in new if holds(r)][:4]
            query = "VALUES " + ", ".join(map(str, map(tuple, new))) if new else "SELECT * FROM t WHERE false"
            old = [r for r in rows if holds(r)]
            before = {tuple(r[:3]): r[3] for r in inner.rows("SELECT id, n, p, _metadata.row_id AS r FROM t")}
            if not old and not new:
                continue
            found = len(os.listdir(inner.path("t/_delta_log")))
            inner.sql(f"INSERT INTO t REPLACE WHERE {condition} {query}")
            where = f"seed {seed}, version {version}: {condition} {query}"
            version = max(int(n[:20]) for n in os.listdir(inner.path("t/_delta_log")) if n.endswith(".json") and n[:20].isdigit())
            rows = [r for r in rows if not holds(r)] + new
            expect(inner.rows("SELECT * FROM t ORDER BY ALL") == sorted(rows), f"the rows of {where}: {sorted(rows)}")
            after = {tuple(r[:3]): r[3] for r in inner.rows("SELECT id, n, p, _metadata.row_id AS r FROM t")}
            kept = {r: i for r, i in before.items() if not holds(r)}
            expect({r: after[r] for r in kept} == kept, f"the ids of {where}")
            expect(not set(after.values()) & {i for r, i in before.items() if holds(r)}, f"new ids of {where}")
            metrics = info(inner, version)["operationMetrics"]
            expect((metrics["numDeletedRows"], int(metrics["numOutputRows"]) - int(metrics["numCopiedRows"])) ==
                   (str(len(old)), len(new)), f"the metrics of {where}: {metrics}, {found}")
            if feed:
                told = changes(inner, version)
                expect(told == sorted([[*r, "delete"] for r in old] + [[*r, "insert"] for r in new]),
                       f"the changes of {where}, found {told}")


@test
def test_replace_where__refuses_rows_that_do_not_meet_it(w):
    w.sql("CREATE TABLE t (id BIGINT, p STRING); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    files = w.files("t")
    for statement, words in (
            ("INSERT INTO t REPLACE WHERE p = 'a' VALUES (3, 'a'), (4, 'c')",
             ["REPLACE_WHERE_MISMATCH", "REPLACE WHERE (p = 'a')", "p = 'c'"]),
            ("INSERT INTO t REPLACE WHERE p = 'a' SELECT 5, NULL", ["REPLACE_WHERE_MISMATCH", "p = NULL"]),
            ("INSERT OVERWRITE t WITH ('replaceWhere' = 'id < 2') VALUES (2, 'x')", ["REPLACE_WHERE_MISMATCH", "id = 2"]),
            ("INSERT INTO t REPLACE WHERE q = 1 VALUES (3, 'a')", ["q"]),
            ("INSERT INTO t REPLACE WHERE id = (SELECT 1) VALUES (1, 'a')", [])):
        ran = w.run("sql", "-c", statement)
        expect_failure(ran, 4 if not words else 1, *words)
        expect_equal(w.files("t"), files)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, "a"], [2, "b"]])
    w.sql("CREATE TABLE s (st STRUCT<a: INT>); INSERT INTO s VALUES ({'a': 1}), ({'a': 2});"
          " INSERT INTO s REPLACE WHERE (st).a = 2 VALUES ({'a': 2}), ({'a': 2})")
    expect_equal(w.rows("SELECT s.st.a FROM s ORDER BY 1"), [[1], [2], [2]])
    out = w.sql("INSERT INTO t REPLACE WHERE id > 5 SELECT * FROM t WHERE false")
    expect("nothing was committed" in out, out)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'true')")
    expect_failure(w.run("sql", "-c", "INSERT INTO t REPLACE WHERE id = 1 VALUES (1, 'z')"), 1, "APPEND_ONLY")


@test
def test_replace_where__reads_the_table_that_it_writes_and_fills_columns(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, id BIGINT, p STRING DEFAULT 'd', twice BIGINT GENERATED ALWAYS"
          " AS (id * 2)) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported'); INSERT INTO t (id) VALUES (1), (2), (3)")
    w.sql("INSERT INTO t BY NAME REPLACE WHERE id >= 2 SELECT id + 10 AS id FROM t WHERE id >= 2")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, 1, "d", 2], [4, 12, "d", 24], [5, 13, "d", 26]])
    w.sql("INSERT INTO t (id, p) REPLACE WHERE twice > 20 AND k > 0 VALUES (30, 'x')")
    expect_equal(w.rows("SELECT id, p, twice, k > 5 FROM t ORDER BY id"), [[1, "d", 2, False], [30, "x", 60, True]])
    w.sql("INSERT OVERWRITE t WITH ('replaceWhere' = 'id = 30', 'userMetadata' = 'm', 'txnAppId' = 'a', 'txnVersion' = 1) (id)"
          " VALUES (30)")
    found = info(w, 4)
    expect_equal([found["operation"], found["operationParameters"], found["userMetadata"]],
                 ["WRITE", {"mode": "Overwrite", "partitionBy": "[]", "predicate": "id = 30"}, "m"])
    again = w.sql("INSERT OVERWRITE t WITH ('replaceWhere' = 'id = 30', 'txnAppId' = 'a', 'txnVersion' = 1) (id) VALUES (30)")
    expect("recorded before" in again, again)


@test
def test_dynamic_overwrite__replaces_the_partitions_that_rows_have(w):
    w.sql("CREATE TABLE t (id BIGINT, d DATE, p STRING) PARTITIONED BY (d, p); INSERT INTO t SELECT range, DATE '2024-01-01' +"
          " (range % 2)::INT, CASE range % 3 WHEN 0 THEN NULL WHEN 1 THEN 'a b' ELSE '-' END FROM range(12)")
    query = "SELECT d::VARCHAR AS d, p, count(*) AS n FROM t GROUP BY ALL ORDER BY ALL"
    both = [["2024-01-01", "-", 2], ["2024-01-01", "a b", 2], ["2024-01-01", None, 2],
            ["2024-01-02", "-", 2], ["2024-01-02", "a b", 2], ["2024-01-02", None, 2]]
    expect_equal(w.rows(query), both)
    w.sql("INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'dynamic') VALUES (100, DATE '2024-01-01', NULL),"
          " (101, DATE '2024-01-03', '-')")
    both[2][2] = 1
    expect_equal(w.rows(query), both + [["2024-01-03", "-", 1]])
    expect_equal(info(w, 2)["operationParameters"],
                 {"mode": "Overwrite", "partitionBy": '["d","p"]', "isDynamicPartitionOverwrite": True})
    session = "SET spark.sql.sources.partitionOverwriteMode = 'dynamic'; "
    w.sql(session + "INSERT OVERWRITE t PARTITION (d = '2024-01-02', p) SELECT 102, 'a b'")
    both[4][2] = 1
    expect_equal(w.rows(query), both + [["2024-01-03", "-", 1]])
    out = w.sql(session + "INSERT OVERWRITE t SELECT * FROM t WHERE false; SET spark.sql.sources.partitionOverwriteMode;"
                " RESET spark.sql.sources.partitionOverwriteMode; INSERT OVERWRITE t PARTITION (d = '2024-01-02') SELECT 103, 'x'")
    expect("nothing was committed" in out and "= dynamic" in out, out)
    expect_equal(w.rows(query), both[:3] + [["2024-01-02", "x", 1], ["2024-01-03", "-", 1]])
    w.sql(session + "INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'static') VALUES (1, DATE '2024-02-01', 'y')")
    expect_equal(w.rows(query), [["2024-02-01", "y", 1]])
    w.sql(session + "CREATE TABLE u AS SELECT 1 AS id; INSERT OVERWRITE u VALUES (2); INSERT INTO u VALUES (3)")
    expect_equal(w.rows("SELECT id FROM u ORDER BY id"), [[2], [3]])
    expect_failure(w.run("sql", "-c", "SET spark.sql.shuffle.partitions = 3"), 1, "SETTING_UNKNOWN", "partitionOverwriteMode")


# ---- EXPLAIN ---------------------------------------------------------------------------------------

@test
def test_explain__tells_what_a_change_would_read(w):
    make_days(w)
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    for statement, words in (
            ("DELETE FROM t WHERE day = 2", ("1 after statistics", "removed     1 file as a whole, without reading", "bytes       0 bytes of", "day = 2")),
            ("DELETE FROM t AS d WHERE d.id < 15", ("2 after statistics", "removed     1 file as a whole", "id < 15")),
            ("DELETE FROM t WHERE id = 3 AND id % 2 = 1", ("1 after statistics", "pruned by   id = 3")),
            ("UPDATE t SET x = x + 1 WHERE id BETWEEN 12 AND 13", ("1 after statistics", "id >= 12 AND id <= 13")),
            ("UPDATE t SET x = 1 WHERE id IN (SELECT id FROM t VERSION AS OF 1)", ("t, version 5", "t, version 1")),
            ("DELETE FROM t", ("5 in the table, all are removed without reading",)),
            ("TRUNCATE TABLE t", ("5 in the table, all are removed without reading",))):
        out = w.sql(f"EXPLAIN {statement}")
        expect(out.count("t, version 5") == 1, f"{statement}: one table\n{out}")
        for word in words:
            expect(word in out, f"{statement}: {word}\n{out}")
        ran = w.run("sql", "-c", f"EXPLAIN ANALYZE {statement}")
        expect_failure(ran, 4, "STATEMENT_UNSUPPORTED", statement.split()[0], "use EXPLAIN,")
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)
    expect(not os.path.exists(w.path("t/_delta_log/00000000000000000006.json")), "nothing to be committed")
    expect_failure(w.run("sql", "-c", "EXPLAIN UPDATE t SET nothing = 1 WHERE id = 1"), 1, "nothing")
    expect_failure(w.run("sql", "-c", "EXPLAIN DELETE FROM missing WHERE id = 1"), 1, "TABLE_NOT_FOUND")
    expect("DELETE" in w.sql("CREATE TEMP TABLE e (a INT); EXPLAIN DELETE FROM e WHERE a = 1"), "the engine's own plan")
    out = w.sql("BEGIN; DELETE FROM t WHERE day = 1; EXPLAIN DELETE FROM t WHERE id < 1000; ROLLBACK")
    expect("4 in the table" in out, f"what the transaction sees: {out}")


if __name__ == "__main__":
    sys.exit(main())
