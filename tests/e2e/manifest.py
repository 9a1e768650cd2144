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

# ---- Renewed with each commit ----------------------------------------------------------------------------------------

ENABLED = "TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')"


def stamps(w):
    """When each list was written."""
    root, found = os.path.join(w.path("t"), "_symlink_format_manifest"), {}
    for folder, _, names in os.walk(root):
        for name in names:
            found[os.path.relpath(folder, root)] = os.stat(os.path.join(folder, name)).st_mtime_ns
    return found


@test
def test_manifests__follow_every_change(w):
    w.sql(f"CREATE TABLE t (a INT) {ENABLED}")
    expect_equal(lists(w), {".": []})
    for statement in ("INSERT INTO t SELECT range FROM range(10)", "INSERT INTO t VALUES (20)", "UPDATE t SET a = 30 WHERE a = 20",
                      "DELETE FROM t WHERE a = 3", "OPTIMIZE t", "RESTORE TABLE t TO VERSION AS OF 2",
                      "MERGE INTO t USING (SELECT 5 AS k) s ON t.a = s.k WHEN MATCHED THEN DELETE",
                      "BEGIN; INSERT INTO t VALUES (40); INSERT INTO t VALUES (41); COMMIT",
                      "DELETE FROM t"):
        w.sql(statement)
        check(w)
    expect_equal(lists(w), {".": []})


@test
def test_manifests__are_written_for_partitions_that_changed_only(w):
    w.sql(f"CREATE TABLE t (a INT, p STRING) PARTITIONED BY (p) {ENABLED}")
    w.sql("INSERT INTO t VALUES (1, 'x'), (2, 'y /='), (3, NULL), (4, '')")
    check(w)
    before = stamps(w)
    expect_equal(len(before), 3)
    w.sql("INSERT INTO t VALUES (5, 'x'), (6, 'new')")
    check(w)
    after = stamps(w)
    expect_equal(sorted(k for k in after if after[k] != before.get(k)), ["p=new", "p=x"])
    w.sql("DELETE FROM t WHERE p = 'y /='")
    check(w)
    expect_equal(len(lists(w)), 3)


@test
def test_manifests__begin_when_the_property_is_set(w):
    w.sql("CREATE TABLE t (a INT, p INT) PARTITIONED BY (p) TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')")
    w.sql("INSERT INTO t VALUES (1, 1), (2, 2)")
    expect_equal(lists(w), {})
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')")
    expect_equal(len(lists(w)), 2)
    check(w)
    w.sql("ALTER TABLE t UNSET TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled')")
    w.sql("INSERT INTO t VALUES (3, 3)")
    expect_equal(len(lists(w)), 2)


@test
def test_manifests__and_deletion_vectors_exclude_each_other(w):
    both = ENABLED[:-1] + ", 'delta.enableDeletionVectors' = 'true')"
    name = "VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED"
    expect_failure(w.run("sql", "-c", f"CREATE TABLE t (a INT) {both}"), 1, name, "deletion vectors")
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    w.sql("INSERT INTO t SELECT range FROM range(10); DELETE FROM t WHERE a = 1")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')")
    alter = "ALTER TABLE t SET TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')"
    expect_failure(w.run("sql", "-c", alter), 1, name, "REORG")
    w.sql("REORG TABLE t APPLY (PURGE)")
    w.sql(alter)
    check(w)
    expect_failure(w.run("sql", "-c", "ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"), 1, name)
    w.sql("DELETE FROM t WHERE a = 2")
    check(w)
    mapped = ENABLED[:-1] + ", 'delta.columnMapping.mode' = 'name')"
    expect_failure(w.run("sql", "-c", f"CREATE TABLE m (a INT) {mapped}"), 1, name, "columnMapping")


@test
def test_manifests__that_cannot_be_written_are_a_warning(w):
    w.sql(f"CREATE TABLE t (a INT) {ENABLED}")
    shutil.rmtree(os.path.join(w.path("t"), "_symlink_format_manifest"))
    with open(os.path.join(w.path("t"), "_symlink_format_manifest"), "w", encoding="utf-8") as file:
        file.write("in the way")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1)")
    expect(ran.status == 0 and "is committed, but the symlink manifests were not renewed" in ran.err, repr(ran))
    os.unlink(os.path.join(w.path("t"), "_symlink_format_manifest"))
    w.sql("INSERT INTO t VALUES (2)")
    check(w)


@test
def test_manifests__beside_other_writers_name_every_file(w):
    w.sql(f"CREATE TABLE t (a INT, p INT) PARTITIONED BY (p) {ENABLED}")
    running = [w.start("sql", "-c", f"INSERT INTO t SELECT range, range % 3 FROM range({i})") for i in range(1, 7)]
    for process in running:
        _, err = process.communicate(timeout=100)
        expect_equal((process.returncode, err.decode()), (0, ""))
    check(w)


sys.exit(main())
