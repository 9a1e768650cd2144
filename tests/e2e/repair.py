"""FSCK REPAIR TABLE: files that are missing in storage are taken out of the table, and nothing else."""
import os
import shutil
import sys

from harness import expect, expect_equal, expect_failure, main, test

REPAIR = "FSCK REPAIR TABLE t"
VECTORS = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"


def make(w, more=""):
    """Three files of ten rows."""
    w.sql(f"CREATE TABLE t (a INT) {more}")
    for i in range(3):
        w.sql(f"INSERT INTO t SELECT range FROM range({i * 10}, {i * 10 + 10})")


def file_of(w, a):
    return w.value(f"SELECT _metadata.file_path FROM t WHERE a = {a}").removeprefix("file://")


def lose(w, *paths):
    w.damages("t")
    for path in paths:
        os.unlink(path)


def versions(w):
    return len([f for f in os.listdir(os.path.join(w.path("t"), "_delta_log")) if f.endswith(".json")])


def check(w, rows):
    """These are left, and the table is sound."""
    expect_equal([a for a, in w.rows("SELECT a FROM t ORDER BY a")], rows)
    expect_equal([r for r in w.rows("FSCK TABLE t WITH DATA") if r[0] != "note"], [])


@test
def test_repair__removes_what_is_missing_and_leaves_the_rest(w):
    make(w)
    lost = file_of(w, 15)
    lose(w, lost)
    w.run("checkpoint", w.path("t"))
    expect(w.run("sql", "-c", "SELECT sum(a) FROM t").status != 0, "a query that fails")
    row = [lost, True, None, False]
    before = versions(w)
    expect_equal(w.rows(REPAIR + " DRY RUN"), [row])
    expect_equal(versions(w), before)
    expect_equal(w.rows(REPAIR), [row])
    check(w, list(range(10)) + list(range(20, 30)))
    found = w.actions("t", before)
    info = next(a["commitInfo"] for a in found if "commitInfo" in a)
    expect_equal((info["operation"], info["operationParameters"], info["operationMetrics"]),
                 ("FSCK", {}, {"numRemovedFiles": "1"}))
    removes = [a["remove"] for a in found if "remove" in a]
    expect_equal([(r["path"], r["dataChange"]) for r in removes], [(os.path.basename(lost), True)])
    expect_equal(w.rows("DESCRIBE HISTORY t LIMIT 1")[0][0], before)
    w.sql("INSERT INTO t VALUES (100)")
    check(w, list(range(10)) + list(range(20, 30)) + [100])
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 3"), 1, "FILES_MISSING")


@test
def test_repair__does_nothing_to_a_sound_table(w):
    make(w)
    before = versions(w)
    out = w.sql(REPAIR)
    expect("nothing to repair: 3 files are there" in out, f"a line, found {out!r}")
    expect_equal(w.rows(REPAIR), [])
    expect_equal(versions(w), before)
    w.sql("DELETE FROM t")
    expect_equal(w.rows(REPAIR), [])


@test
def test_repair__removes_files_whose_deletion_vector_is_gone(w):
    w.sql(f"CREATE TABLE t (a INT) {VECTORS}; INSERT INTO t SELECT range FROM range(9000);"
          "INSERT INTO t SELECT range FROM range(9000, 18000)")
    data = file_of(w, 5)
    w.sql("DELETE FROM t WHERE a % 3 = 0 AND a < 9000; DELETE FROM t WHERE a % 3 = 0 AND a >= 9000")
    # The vectors of the two statements are in files of their own; the older one is lost.
    both = sorted((f for f in w.files("t") if f.startswith("deletion_vector_")),
                  key=lambda f: os.stat(os.path.join(w.path("t"), f)).st_mtime_ns)
    expect_equal(len(both), 2)
    gone = os.path.join(w.path("t"), both[0])
    lose(w, gone)
    expect_equal(w.rows(REPAIR), [[data, False, gone, True]])
    check(w, [a for a in range(9000, 18000) if a % 3 != 0])
    expect(os.path.exists(data), "the data file stays until VACUUM")


@test
def test_repair__does_not_empty_a_table_whose_disk_is_not_mounted(w):
    make(w)
    w.damages("t")
    files = [os.path.join(w.path("t"), f) for f in w.files("t")]
    os.mkdir(w.path("away"))
    for f in files:
        shutil.move(f, w.path("away"))
    before = versions(w)
    expect_failure(w.run("sql", "-c", REPAIR), 1, "ALL_FILES_MISSING", "found none of 3", "mounted", "FORCE")
    expect_failure(w.run("fsck", "--repair", w.path("t")), 1, "ALL_FILES_MISSING")
    ran = w.run("fsck", "--repair", "--dry-run", w.path("t"), "--format", "ndjson")
    expect(ran.status == 0 and len(ran.out.splitlines()) == 3 and "mounted" in ran.err, f"a warning: {ran!r}")
    expect_equal(versions(w), before)
    for f in files:
        shutil.move(os.path.join(w.path("away"), os.path.basename(f)), f)
    expect_equal(w.rows(REPAIR), [])
    check(w, list(range(30)))
    lose(w, *files)
    expect_equal(len(w.rows(REPAIR + " FORCE DRY RUN")), 3)
    expect_equal(len(w.rows(REPAIR + " FORCE")), 3)
    check(w, [])


@test
def test_repair__tells_files_of_a_clone_from_those_of_its_source(w):
    w.sql("CREATE TABLE s (a INT); INSERT INTO s VALUES (1); INSERT INTO s VALUES (2);"
          "CREATE TABLE t SHALLOW CLONE s; INSERT INTO t VALUES (3)")
    first, second = file_of(w, 1), file_of(w, 2)
    w.damages("s")
    lose(w, first)
    os.rename(second, second + ".away")
    expect_failure(w.run("sql", "-c", REPAIR), 1, "ALL_FILES_MISSING", "outside")
    os.rename(second + ".away", second)
    expect_equal(w.rows(REPAIR), [[first, True, None, False]])
    check(w, [2, 3])


@test
def test_repair__lists_a_thousand_and_counts_the_rest(w):
    w.sql("CREATE TABLE t (a INT, p INT) PARTITIONED BY (p); INSERT INTO t SELECT range, range FROM range(1100)")
    w.sql("INSERT INTO t VALUES (-1, -1)")
    w.damages("t")
    for f in w.files("t"):
        if not f.startswith("p=-1/"):
            os.unlink(os.path.join(w.path("t"), f))
    ran = w.run("fsck", "--repair", w.path("t"), "--format", "ndjson")
    expect(ran.status == 0 and len(ran.out.splitlines()) == 1000, f"1,000 rows, found {len(ran.out.splitlines())}")
    expect("1100 of 1101" in ran.err, f"all are counted, found {ran.err!r}")
    check(w, [-1])


@test
def test_repair__refuses_what_it_may_not_do(w):
    make(w, "TBLPROPERTIES ('delta.appendOnly' = 'true')")
    lose(w, file_of(w, 5))
    expect_failure(w.run("sql", "-c", REPAIR), 1, "APPEND_ONLY")
    expect_equal(len(w.rows(REPAIR + " DRY RUN")), 1)
    expect_failure(w.run("sql", "-c", "BEGIN; " + REPAIR), 4, "TRANSACTION_STATEMENT")
    expect_failure(w.run("sql", "-c", "FSCK REPAIR t"), 1, "TABLE")
    expect_failure(w.run("sql", "-c", "FSCK t"), 1, "TABLE or REPAIR TABLE")
    ran = w.run("fsck", "--dry-run", w.path("t"))
    expect(ran.status == 2 and "--repair" in ran.err, f"a usage error: {ran!r}")


sys.exit(main())
