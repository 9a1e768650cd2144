"""ANALYZE TABLE: statistics are made, or made right, and what is right stays as it is."""
import json
import sys

from harness import expect, expect_equal, expect_failure, main, test

ANALYZE = "ANALYZE TABLE t COMPUTE DELTA STATISTICS"
VECTORS = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
TYPES = ("id BIGINT, i INT, s STRING, d DOUBLE, n DECIMAL(12,3), day DATE, t TIMESTAMP, z TIMESTAMP_NTZ, "
         "k BOOLEAN, b BINARY, st STRUCT<x: INT, y: STRING>, l ARRAY<INT>")


def make(w, more="", types=TYPES):
    w.sql(f"CREATE TABLE t ({types}) {more}")
    for i in range(3):
        w.sql("INSERT INTO t SELECT r, r % 7, 'text ' || r, r / 8, r / 1000, DATE '2020-01-01' + r::INT, "
              "TIMESTAMPTZ '2021-01-01 00:00:00.123456Z' + INTERVAL (r) HOUR, "
              "TIMESTAMP '2021-01-01 00:00:00.123456' + INTERVAL (r) HOUR, r % 2 = 0, 'x'::BLOB, "
              "{'x': r, 'y': CASE WHEN r % 3 = 0 THEN 'y' END}, [r] "
              f"FROM (SELECT range::INT AS r FROM range({i * 10}, {i * 10 + 10}))")


def newest(w):
    return w.rows("DESCRIBE HISTORY t LIMIT 1")[0][0]


def edit(w, version, change):
    """Edits the adds of a version as if another writer had said so."""
    actions = w.actions("t", version)
    for action in actions:
        if "add" in action:
            change(action["add"])
    w.write_log("t", version, actions)
    import os
    crc = w.log("t", version).replace(".json", ".crc")
    if os.path.exists(crc):
        os.unlink(crc)


def strip(add):
    add.pop("stats", None)


def run(w, statement=ANALYZE):
    """files, missing, wrong, imprecise, read, recomputed, changed, left"""
    return w.rows(statement)[0]


def stats_of(w, version):
    return [json.loads(a["add"]["stats"]) for a in w.actions("t", version) if "add" in a]


def idle(w, statement=ANALYZE):
    """Another run has nothing to do."""
    before = newest(w)
    found = run(w, statement)
    expect_equal(found[1:4] + found[5:], [0, 0, 0, 0, 0, 0])
    expect_equal(newest(w), before)


@test
def test_analyze__leaves_what_is_right(w):
    make(w)
    idle(w)


@test
def test_analyze__makes_statistics_that_writers_left_out(w):
    make(w)
    rows = w.rows("SELECT * FROM t ORDER BY id")
    written = [stats_of(w, v)[0] for v in (1, 2, 3)]
    for version in (1, 3):
        edit(w, version, strip)
    expect_equal(run(w, ANALYZE + " DRY RUN")[:7], [3, 2, 0, 0, 3, 2, 0])
    expect_equal(newest(w), 3)
    expect_equal(run(w), [3, 2, 0, 0, 3, 2, 0, 0])
    found = w.actions("t", 4)
    info = next(a["commitInfo"] for a in found if "commitInfo" in a)
    expect_equal((info["operation"], info["operationMetrics"]), ("COMPUTE STATS", {"numFilesRecomputed": "2"}))
    adds = [a["add"] for a in found if "add" in a]
    expect(all(not a["dataChange"] for a in adds) and len(adds) == 2, "two adds that change no data")
    expect(not [a for a in found if "remove" in a], "no removes")
    expect_equal([json.loads(a["stats"]) for a in adds], [written[0], written[2]])
    idle(w)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), rows)
    expect_equal(w.value("SELECT count(*) FROM t WHERE day = DATE '2020-01-25'"), 1)


@test
def test_analyze__corrects_what_is_wrong_and_narrows_what_is_wide(w):
    make(w)

    def wrong(add):
        stats = json.loads(add["stats"])
        stats["maxValues"]["i"] = 5
        add["stats"] = json.dumps(stats)

    def wide(add):
        stats = json.loads(add["stats"])
        stats["minValues"]["s"] = "t"
        del stats["nullCount"]["k"]
        add["stats"] = json.dumps(stats)

    def loose(add):
        add["stats"] = json.dumps(dict(json.loads(add["stats"]), tightBounds=False))

    written = [stats_of(w, v)[0] for v in (1, 2, 3)]
    edit(w, 1, wrong)
    edit(w, 2, wide)
    edit(w, 3, loose)
    ran = w.run("sql", "-c", ANALYZE)
    expect("1 had wrong ones" in ran.out + ran.err and "2 had less precise ones" in ran.out + ran.err, repr(ran))
    key = lambda stats: stats["minValues"]["id"]
    expect_equal(sorted(stats_of(w, 4), key=key), written)
    idle(w)


@test
def test_analyze__counts_only_rows_that_are_left(w):
    make(w, VECTORS)
    w.sql("DELETE FROM t WHERE id IN (0, 9)")
    w.sql("DELETE FROM t WHERE id >= 20")
    w.sql("INSERT INTO t (id) VALUES (50)")
    w.sql("DELETE FROM t WHERE id = 15")
    before = w.actions("t", newest(w))
    found = run(w)
    expect_equal(found[0:4], [3, 0, 0, 2])
    adds = {a["add"]["path"]: a["add"] for a in w.actions("t", newest(w)) if "add" in a}
    for action in before:
        if "add" in action:
            expect_equal(adds[action["add"]["path"]]["deletionVector"], action["add"]["deletionVector"])
    stats = [s for s in stats_of(w, newest(w)) if s["minValues"]["id"] == 1][0]
    expect_equal((stats["numRecords"], stats["maxValues"]["id"], stats.get("tightBounds", True)), (10, 8, True))
    idle(w)
    w.sql("DELETE FROM t WHERE id = 8")
    expect_equal(w.value("SELECT count(*) FROM t"), 17)
    expect_equal(w.value("SELECT max(id) FROM t WHERE id < 12"), 11)
    w.sql("OPTIMIZE t")
    idle(w)


@test
def test_analyze__keeps_row_ids_tags_and_partitions(w):
    w.sql("CREATE TABLE t (a INT, p STRING) PARTITIONED BY (p) TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    w.sql("INSERT INTO t SELECT range, CASE WHEN range % 2 = 0 THEN 'even [1]' END FROM range(10)")

    def change(add):
        add.pop("stats")
        add["tags"] = {"INSERTION_TIME": "1"}

    before = {a["add"]["path"]: a["add"] for a in w.actions("t", 1) if "add" in a}
    ids = w.rows("SELECT a, _metadata.row_id FROM t ORDER BY a")
    edit(w, 1, change)
    expect_equal(run(w)[:6], [2, 2, 0, 0, 0, 2])
    for action in w.actions("t", 2):
        if "add" in action:
            add = action["add"]
            old = before[add["path"]]
            expect_equal([add[k] for k in ("partitionValues", "baseRowId", "defaultRowCommitVersion", "size", "modificationTime", "stats")],
                         [old[k] for k in ("partitionValues", "baseRowId", "defaultRowCommitVersion", "size", "modificationTime", "stats")])
            expect_equal(add["tags"], {"INSERTION_TIME": "1"})
    expect_equal(w.rows("SELECT a, _metadata.row_id FROM t ORDER BY a"), ids)
    idle(w)


@test
def test_analyze__reads_footers_and_no_rows_where_those_say_all(w):
    w.sql("CREATE TABLE t (a BIGINT, s STRING, n DECIMAL(20,4), day DATE, z TIMESTAMP_NTZ, k BOOLEAN, st STRUCT<x: INT>)")
    w.sql("INSERT INTO t SELECT range, 's' || range, range / 8, DATE '2020-01-01' + range::INT, "
          "TIMESTAMP '2020-01-01 00:00:00.5' + INTERVAL (range) SECOND, true, {'x': range} FROM range(100)")
    written = stats_of(w, 1)
    edit(w, 1, strip)
    expect_equal(run(w), [1, 1, 0, 0, 0, 1, 0, 0])
    expect_equal(stats_of(w, 2), written)
    idle(w)


@test
def test_analyze__without_a_scan_leaves_out_what_footers_do_not_say(w):
    make(w)
    full = stats_of(w, 1)[0]
    edit(w, 1, strip)
    expect_equal(run(w, "ANALYZE TABLE t COMPUTE STATISTICS NOSCAN")[:6], [3, 1, 0, 0, 0, 1])
    stats = stats_of(w, 4)[0]
    expect_equal((stats["numRecords"], stats["minValues"]["id"], stats["maxValues"]["day"]), (10, 0, "2020-01-10"))
    expect("d" not in stats["minValues"] and "l" not in stats["nullCount"], "no bounds of floats, no count of lists")
    idle(w, "ANALYZE TABLE t COMPUTE STATISTICS NOSCAN")
    expect_equal(run(w)[:6], [3, 0, 0, 1, 3, 1])
    expect_equal(stats_of(w, 5)[0], full)
    idle(w)


@test
def test_analyze__of_some_columns_leaves_the_others(w):
    make(w)

    def wrong(add):
        stats = json.loads(add["stats"])
        stats["maxValues"]["i"] = 5
        stats["minValues"]["s"] = ""
        add["stats"] = json.dumps(stats)

    edit(w, 1, wrong)
    expect_equal(run(w, ANALYZE.replace(" DELTA", "") + " FOR COLUMNS (i, st)")[:6], [3, 0, 1, 0, 0, 1])
    stats = stats_of(w, 4)[0]
    expect_equal((stats["maxValues"]["i"], stats["minValues"]["s"]), (6, ""))
    expect_equal(run(w, ANALYZE + " FOR ALL COLUMNS")[:4], [3, 0, 0, 1])
    idle(w)


@test
def test_analyze__follows_the_properties_of_the_table(w):
    w.sql("CREATE TABLE t (a INT, b INT, c INT) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '1')")
    w.sql("INSERT INTO t VALUES (1, 2, 3)")
    idle(w)
    expect_failure(w.run("sql", "-c", ANALYZE + " FOR COLUMNS (b)"), 1, "COLUMN_WITHOUT_STATISTICS", "b",
                   "dataSkippingStatsColumns")
    expect_failure(w.run("sql", "-c", ANALYZE + " FOR COLUMNS (x)"), 1, "COLUMN_NOT_FOUND", "x")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'a,c')")
    expect_equal(run(w)[:4], [1, 0, 0, 1])
    expect_equal(stats_of(w, newest(w))[0]["maxValues"], {"a": 1, "c": 3})
    idle(w)


@test
def test_analyze__knows_names_of_files_and_odd_values(w):
    w.sql("CREATE TABLE t (a INT, `ä b` DOUBLE, v STRING) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    w.sql("INSERT INTO t VALUES (1, 'NaN'::DOUBLE, repeat('ä', 100)), (2, 5, repeat('z', 40)), (3, NULL, NULL)")
    w.sql("INSERT INTO t VALUES (NULL, NULL, NULL)")
    idle(w)
    edit(w, 1, strip)
    expect_equal(run(w)[:4], [2, 1, 0, 0])
    idle(w)
    expect_equal(w.rows("SELECT a FROM t WHERE `ä b` > 100"), [[1]])


@test
def test_analyze__goes_on_beside_writers_and_leaves_out_what_they_changed(w):
    make(w, VECTORS)
    for version in (1, 2, 3):
        edit(w, version, strip)
    w.run("checkpoint", w.path("t"))
    other = [w.start("sql", "-c", f"DELETE FROM t WHERE id = {i * 10}") for i in range(3)]
    analyze = [w.start("sql", "-c", ANALYZE) for _ in range(2)]
    for process in other + analyze:
        out, err = process.communicate(timeout=100)
        expect_equal((process.returncode, err.decode() if process.returncode else ""), (0, ""))
    run(w)
    idle(w)
    expect_equal(w.value("SELECT count(*) FROM t"), 27)


@test
def test_analyze__stops_when_the_time_is_up_or_a_file_cannot_be_read(w):
    make(w)
    edit(w, 1, strip)
    path = w.value("SELECT _metadata.file_path FROM t WHERE id = 25").removeprefix("file://")
    with open(path, "r+b") as file:
        file.truncate(100)
    w.damages("t")
    expect_failure(w.run("sql", "-c", ANALYZE), 5, path.rsplit("/", 1)[1])
    expect_equal(newest(w), 3)


@test
def test_analyze__refuses_what_it_does_not_know(w):
    expect_failure(w.run("sql", "-c", ANALYZE), 1, "TABLE_NOT_FOUND")
    make(w)
    expect_failure(w.run("sql", "-c", "ANALYZE TABLE t COMPUTE"), 1, "STATISTICS")
    expect_failure(w.run("sql", "-c", "BEGIN; " + ANALYZE), 4, "TRANSACTION_STATEMENT")


@test
def test_analyze__of_a_table_without_files_does_nothing(w):
    w.sql(f"CREATE TABLE t ({TYPES})")
    idle(w)


if __name__ == "__main__":
    sys.exit(main())
