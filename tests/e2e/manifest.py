"""GENERATE symlink_format_manifest: lists of a table's files for engines that know nothing of Delta."""
import os
import shutil
import sys

from harness import expect, expect_equal, expect_failure, main, test

GENERATE = "GENERATE symlink_format_manifest FOR TABLE t"


def lists(w):
    """The paths in each list, by its folder."""
    root, found = os.path.join(w.path("t"), "_symlink_format_manifest"), {}
    for folder, _, names in os.walk(root):
        for name in names:
            expect_equal(name, "manifest")
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found[os.path.relpath(folder, root)] = sorted(file.read().splitlines())
    return found


def check(w):
    """Each live file is in one list, by a path at which it is."""
    paths = [p for found in lists(w).values() for p in found]
    live = sorted(f for f, in w.rows("SELECT DISTINCT _metadata.file_path FROM t"))
    expect_equal(len(paths), len(live))
    expect(all(p.startswith("file:/") and os.path.isfile(p[5:]) for p in paths), f"files at {paths}")


@test
def test_generate__lists_the_files_of_a_table(w):
    w.sql("CREATE TABLE t (a INT)")
    w.sql(GENERATE)
    expect_equal(lists(w), {".": []})
    w.sql("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
    out = w.sql(GENERATE)
    expect("2 files" in out or out == "", f"what was done, found {out!r}")
    expect_equal(len(lists(w)["."]), 2)
    check(w)


@test
def test_generate__has_a_list_for_each_partition_and_removes_those_that_went(w):
    w.sql("CREATE TABLE t (a INT, p STRING, q INT) PARTITIONED BY (p, q)")
    w.sql("INSERT INTO t VALUES (1, 'a b', 1), (2, 'x=/%', 2), (3, NULL, 3), (4, 'ü', NULL)")
    w.sql(GENERATE)
    check(w)
    expect_equal(sorted(lists(w)), sorted(["p=a b/q=1", "p=x%3D%2F%25/q=2", "p=__HIVE_DEFAULT_PARTITION__/q=3",
                                           "p=ü/q=__HIVE_DEFAULT_PARTITION__"]))
    w.sql("DELETE FROM t WHERE q = 2; INSERT INTO t VALUES (5, 'a b', 1)")
    before = lists(w)
    w.sql(GENERATE + " DRY RUN")
    expect_equal(lists(w), before)
    w.sql(GENERATE)
    expect_equal({k: len(v) for k, v in lists(w).items() if k.endswith("=1")}, {"p=a b/q=1": 2})
    expect_equal(len(lists(w)), 3)
    check(w)


@test
def test_generate__lists_files_of_a_clone_where_they_are(w):
    w.sql("CREATE TABLE s (a INT); INSERT INTO s VALUES (1); CREATE TABLE t SHALLOW CLONE s; INSERT INTO t VALUES (2)")
    w.sql(GENERATE)
    check(w)


@test
def test_generate__refuses_what_those_readers_would_get_wrong(w):
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true');"
          "INSERT INTO t SELECT range FROM range(100); DELETE FROM t WHERE a = 7")
    expect_failure(w.run("sql", "-c", GENERATE), 4, "MANIFEST_UNSUPPORTED", "REORG")
    w.sql("REORG TABLE t APPLY (PURGE)")
    w.sql(GENERATE)
    check(w)
    shutil.rmtree(w.path("t"))
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    expect_failure(w.run("sql", "-c", GENERATE), 4, "MANIFEST_UNSUPPORTED", "column mapping")
    expect_failure(w.run("sql", "-c", "GENERATE something FOR TABLE t"), 1, "symlink_format_manifest")


sys.exit(main())
