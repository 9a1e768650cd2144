"""RESTORE: an older version becomes the newest one again, with rows, ids, marks and definition."""
import os
import random
import shutil
import sys

from harness import World, expect, expect_equal, expect_failure, main, test

EVERYTHING = ("'delta.enableDeletionVectors' = 'true', 'delta.enableRowTracking' = 'true', "
              "'delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'name', "
              "'delta.enableInCommitTimestamps' = 'true', 'delta.checkpointInterval' = '4', "
              "'delta.enableTypeWidening' = 'true'")
PEERS_TABLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".peers", "kept", "spark")


def state(w, version=None, table="t", columns="*"):
    at = "" if version is None else f" VERSION AS OF {version}"
    return w.rows(f"SELECT {columns} FROM {table}{at} ORDER BY ALL")


def newest(w, table="t"):
    names = os.listdir(os.path.join(w.path(table), "_delta_log"))
    return max(int(n[:20]) for n in names if n.endswith(".json") and n[:20].isdigit() and len(n) == 25)


def of_kind(actions, kind):
    return [a[kind] for a in actions if kind in a]


def commit_info(w, version, table="t"):
    return of_kind(w.actions(table, version), "commitInfo")[0]


def make(w, properties="", rows=10, columns="id BIGINT, p STRING", partitioned=False):
    w.sql(f"CREATE TABLE t ({columns})" + (" PARTITIONED BY (p)" if partitioned else "") +
          (f" TBLPROPERTIES ({properties})" if properties else ""))
    w.sql(f"INSERT INTO t SELECT range, 'p' || range % 3 FROM range({rows})")


@test
def test_restore__goes_back_behind_a_wider_type(w):
    make(w, "'delta.enableTypeWidening' = 'true'", columns="id INT, p STRING")
    w.sql("ALTER TABLE t ALTER COLUMN id TYPE BIGINT; INSERT INTO t VALUES (5000000000, 'x')")
    w.sql("RESTORE TABLE t TO VERSION AS OF 1; INSERT INTO t VALUES (10, 'p1')")
    expect_equal(w.rows("SELECT count(*), max(id), max(typeof(id)) FROM t"), [[11, 10, "INTEGER"]])
    w.sql("ALTER TABLE t ALTER COLUMN id TYPE BIGINT; RESTORE TABLE t TO VERSION AS OF 3")
    expect_equal(w.value("SELECT max(id) FROM t"), 5000000000)


@test
def test_restore__brings_rows_back_and_says_what_it_did(w):
    make(w)
    w.sql("INSERT INTO t VALUES (100, 'x')")
    before = state(w, 1)
    w.sql("DELETE FROM t WHERE id < 5; INSERT INTO t VALUES (200, 'y')")
    figures = w.rows("RESTORE TABLE t TO VERSION AS OF 1")[0]
    expect_equal(state(w), before)
    expect_equal(newest(w), 5)
    info = commit_info(w, 5)
    expect_equal(info["operation"], "RESTORE")
    expect_equal(info["operationParameters"], {"version": 1, "timestamp": None})
    metrics = info["operationMetrics"]
    expect_equal([int(metrics[m]) for m in ("tableSizeAfterRestore", "numOfFilesAfterRestore", "numRemovedFiles",
                                            "numRestoredFiles", "removedFilesSize", "restoredFilesSize")], figures)
    expect_equal(figures[1], 1)
    adds, removes = of_kind(w.actions("t", 5), "add"), of_kind(w.actions("t", 5), "remove")
    expect_equal((len(adds), len(removes)), (figures[3], figures[2]))
    expect(all(a["dataChange"] for a in adds + removes), "changes of data")


@test
def test_restore__goes_to_a_time(w):
    make(w)
    early = os.stat(w.log("t", 1)).st_mtime - 7200
    for version in (0, 1):
        os.utime(w.log("t", version), (early + version, early + version))
    w.sql("DELETE FROM t")
    w.sql(f"RESTORE t TO TIMESTAMP AS OF to_timestamp({int(early) + 60}) + INTERVAL '500 milliseconds'")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)
    parameters = commit_info(w, 3)["operationParameters"]
    expect(parameters["version"] is None and parameters["timestamp"].startswith("20") and parameters["timestamp"].endswith(".5"), f"a time, found {parameters}")
    expect_failure(w.run("sql", "-c", "RESTORE t TO TIMESTAMP AS OF '2001-01-01'"), 1, "TIMESTAMP_OUT_OF_RANGE")


@test
def test_restore__can_be_rehearsed(w):
    make(w)
    w.sql("DELETE FROM t WHERE id > 3")
    rehearsed = w.rows("RESTORE t TO VERSION AS OF 1 DRY RUN")
    expect_equal(newest(w), 2)
    expect_equal(w.rows("RESTORE t TO VERSION AS OF 1"), rehearsed)


@test
def test_restore__of_the_newest_version_does_nothing(w):
    make(w)
    expect_equal(w.rows("RESTORE t TO VERSION AS OF 1")[0][2:], [0, 0, 0, 0])
    expect_equal(newest(w), 1)


@test
def test_restore__can_be_undone_by_another(w):
    make(w, EVERYTHING)
    w.sql("UPDATE t SET p = 'changed' WHERE id % 2 = 0; DELETE FROM t WHERE id = 3")
    after = state(w)
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(state(w), state(w, 1))
    w.sql("RESTORE t TO VERSION AS OF 3")
    expect_equal(state(w), after)


@test
def test_restore__refuses_when_files_are_gone_and_names_one(w):
    make(w)
    gone = of_kind(w.actions("t", 1), "add")[0]["path"]
    w.sql("INSERT OVERWRITE t VALUES (1, 'a')")
    os.unlink(os.path.join(w.path("t"), gone))
    for rehearsal in ("", " DRY RUN"):
        expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 1" + rehearsal), 1, "FILES_MISSING", gone, "1 of")
    expect_equal(newest(w), 2)


@test
def test_restore__gives_up_beside_a_vacuum_that_may_still_remove_files(w):
    make(w)
    w.sql("INSERT OVERWRITE t VALUES (1, 'a')")
    files = {f: open(os.path.join(w.path("t"), f), "rb").read() for f in w.files("t") if f.endswith(".parquet")}
    w.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false; VACUUM t RETAIN 0 HOURS")
    # As if it were still at work: the files are there, and it has not said that it ended.
    for name, content in files.items():
        with open(os.path.join(w.path("t"), name), "wb") as file:
            file.write(content)
    for ending in (w.log("t", 4), w.log("t", 4).replace(".json", ".crc")):
        if os.path.exists(ending):
            os.unlink(ending)
    w.sql("INSERT INTO t VALUES (2, 'b')")
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 1"), 3, "CONCURRENT_VACUUM", "version 3")
    w.sql("RESTORE t TO VERSION AS OF 2")
    expect_equal(state(w), [[1, "a"]])
    w.sql("VACUUM t RETAIN 1000000 HOURS; RESTORE t TO VERSION AS OF 1")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


@test
def test_restore__refuses_when_a_deletion_vector_is_gone(w):
    make(w, "'delta.enableDeletionVectors' = 'true'", rows=5000)
    w.sql("DELETE FROM t WHERE id % 7 = 3")
    vectors = [f for f in w.files("t") if f.endswith(".bin")]
    expect_equal(len(vectors), 1)
    w.sql("INSERT OVERWRITE t VALUES (1, 'a')")
    os.unlink(os.path.join(w.path("t"), vectors[0]))
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 2"), 1, "FILES_MISSING", "deletion_vector")
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(w.value("SELECT count(*) FROM t"), 5000)


@test
def test_restore__takes_deletion_vectors_and_their_change_data_along(w):
    make(w, EVERYTHING, rows=4000, partitioned=True)
    w.sql("DELETE FROM t WHERE id % 10 = 3")
    w.sql("DELETE FROM t WHERE id % 10 = 4")
    w.sql("RESTORE t TO VERSION AS OF 2")
    expect_equal(state(w), state(w, 2))
    changes = w.rows("SELECT _change_type, count(*), min(id % 10), max(id % 10) FROM table_changes('t', 4, 4) GROUP BY ALL")
    # What lies between the two vectors of a file is what came back.
    expect_equal(changes, [["insert", 400, 4, 4]])


@test
def test_restore__keeps_row_ids_and_never_gives_them_twice(w):
    make(w, EVERYTHING)
    ids = "id, _metadata.row_id"
    before = state(w, columns=ids)
    w.sql("INSERT INTO t SELECT range, 'n' FROM range(50, 60)")
    later = {r for _, r in state(w, columns=ids)}
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(state(w, columns=ids), before)
    w.sql("INSERT INTO t SELECT range, 'm' FROM range(70, 75)")
    new = {r for i, r in state(w, columns=ids) if i >= 70}
    expect(len(new) == 5 and not new & later, f"ids that nobody had, found {new} beside {later}")


@test
def test_restore__never_takes_identity_marks_back(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 10), n INT)")
    w.sql("INSERT INTO t (n) VALUES (1), (2)")
    w.sql("INSERT INTO t (n) VALUES (3)")
    w.sql("RESTORE t TO VERSION AS OF 1; INSERT INTO t (n) VALUES (4)")
    expect_equal(w.rows("SELECT k, n FROM t ORDER BY n"), [[10, 1], [20, 2], [40, 4]])
    w.sql("RESTORE t TO VERSION AS OF 0; INSERT INTO t (n) VALUES (5)")
    expect_equal(w.rows("SELECT k, n FROM t"), [[50, 5]])


@test
def test_restore__brings_the_definition_back_but_never_lowers_the_protocol(w):
    make(w, "'delta.enableDeletionVectors' = 'false'")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'note' = 'new')")
    w.sql("DELETE FROM t WHERE id = 4")
    w.sql("RESTORE t TO VERSION AS OF 1")
    found = dict(w.rows("SHOW TBLPROPERTIES t"))
    expect("note" not in found and found["delta.enableDeletionVectors"] == "false", f"old properties, found {found}")
    expect_equal(found["delta.minReaderVersion"], "3")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)
    w.sql("RESTORE t TO VERSION AS OF 3")
    expect_equal(dict(w.rows("SHOW TBLPROPERTIES t"))["note"], "new")
    expect_equal(w.value("SELECT count(*) FROM t"), 9)


@test
def test_restore__asks_for_a_feature_again_that_was_dropped(w):
    make(w, "'delta.enableDeletionVectors' = 'true'", rows=3000)
    w.sql("DELETE FROM t WHERE id % 5 = 0")
    w.sql("ALTER TABLE t DROP FEATURE deletionVectors")
    w.sql("RESTORE t TO VERSION AS OF 2")
    expect_equal(w.value("SELECT count(*) FROM t"), 2400)


@test
def test_restore__goes_back_over_other_columns(w):
    make(w, "'delta.columnMapping.mode' = 'name'")
    w.sql("CREATE OR REPLACE TABLE t (a INT, b STRING, c DATE) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    w.sql("INSERT INTO t VALUES (1, 'b', DATE '2024-01-01')")
    highest = int(dict(w.rows("SHOW TBLPROPERTIES t"))["delta.columnMapping.maxColumnId"])
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(state(w), state(w, 1))
    expect_equal(int(dict(w.rows("SHOW TBLPROPERTIES t"))["delta.columnMapping.maxColumnId"]), highest)
    w.sql("RESTORE t TO VERSION AS OF 3")
    expect_equal(w.rows("SELECT a, b FROM t"), [[1, "b"]])


@test
def test_restore__goes_back_over_a_name_that_another_column_took(w):
    w.sql("CREATE TABLE t (id INT, a BOOLEAN, b TIMESTAMP)")
    w.sql("INSERT INTO t VALUES (1, true, TIMESTAMP '2024-01-01')")
    before = state(w)
    w.sql("ALTER TABLE t DROP COLUMN a")
    w.sql("ALTER TABLE t RENAME COLUMN b TO a")
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(state(w), before)
    expect_equal(w.rows("FSCK TABLE t WITH DATA"), [])


@test
def test_restore__refuses_what_it_must(w):
    make(w)
    w.sql("INSERT INTO t VALUES (77, 'x')")
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 9"), 1, "VERSION_OUT_OF_RANGE", "0 to 2")
    expect_failure(w.run("sql", "-c", "RESTORE t"), 1, "expected TO")
    expect_failure(w.run("sql", "-c", "RESTORE t TO 3"), 1, "VERSION AS OF")
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 1 WITHIN 3 SECONDS"), 1, "DRY RUN")
    expect_failure(w.run("sql", "-c", "RESTORE nowhere TO VERSION AS OF 1"), 1, "TABLE_NOT_FOUND")
    expect_failure(w.run("sql", "-c", "BEGIN; RESTORE t TO VERSION AS OF 1"), 4, "TRANSACTION_STATEMENT")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'true')")
    expect_failure(w.run("sql", "-c", "RESTORE t TO VERSION AS OF 1"), 1, "APPEND_ONLY")
    expect_equal(newest(w), 3)


@test
def test_restore__through_random_lives_gives_every_version_again(w):
    rng = random.Random(6)
    for turn in range(3):
        table = f"t{turn}"
        partitioned = " PARTITIONED BY (p)" if turn % 2 else ""
        w.sql(f"CREATE TABLE {table} (id BIGINT, p STRING, n INT){partitioned} TBLPROPERTIES ({EVERYTHING})")
        expected, restores = {0: []}, 0
        for version in range(1, 14):
            kind = rng.choice(["insert", "delete", "update", "restore", "restore"]) if version > 2 else "insert"
            if kind == "restore":
                target = rng.randrange(version - 1)
                w.sql(f"RESTORE {table} TO VERSION AS OF {target}")
                expect(state(w, table=table) == expected[target], f"version {target} of {table} at {version}")
            else:
                w.sql({"insert": f"INSERT INTO {table} SELECT range, 'p' || range % 3, {version} FROM range({version * 10}, {version * 10 + 8})",
                       "delete": f"DELETE FROM {table} WHERE id % {rng.randint(2, 5)} = 1",
                       "update": f"UPDATE {table} SET n = n + 1 WHERE id % {rng.randint(2, 4)} = 0"}[kind])
            for v in range(len(expected), newest(w, table) + 1):
                expected[v] = state(w, v, table)
            if newest(w, table) < version:  # it changed nothing
                w.sql(f"INSERT INTO {table} VALUES ({1000 + version}, 'p0', 0)")
                expected[version] = state(w, table=table)
        for v, rows in expected.items():
            expect_equal(state(w, v, table), rows)


@test
def test_restore__of_tables_that_spark_wrote(w):
    names = ["combined_03", "changed_rows", "deletion_vectors", "mapped_and_widened", "tracked_and_clustered", "protocol_3_7_identityColumns", "in_commit_timestamps"]
    for name in names:
        source = os.path.join(PEERS_TABLES, name, "delta")
        if not os.path.isdir(source):
            continue
        shutil.copytree(source, w.path(name))
        last = newest(w, name)
        versions = [v for v in range(last) if os.path.exists(w.log(name, v))]
        for target in sorted({versions[0], versions[len(versions) // 2], versions[-1]}):
            if w.run("sql", "-c", f"SELECT count(*) FROM {name} VERSION AS OF {target}").status != 0:
                continue  # it lies before a checkpoint whose commits are gone
            before = state(w, target, name)
            w.sql(f"RESTORE {name} TO VERSION AS OF {target}")
            expect(state(w, table=name) == before, f"version {target} of {name}")


sys.exit(main())
