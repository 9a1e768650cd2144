"""OPTIMIZE and REORG TABLE, from end to end: what they do to files, and nothing to rows."""
import json
import os
import sys

import parquet_by_hand as by_hand
from harness import expect, expect_equal, expect_failure, main, test

IDS = "SELECT id, s, p, _metadata.row_id, _metadata.row_commit_version FROM t ORDER BY id"


def make(w, *properties, partitioned=True, inserts=4):
    w.sql("CREATE TABLE t (id BIGINT, s STRING, p STRING)" + (" PARTITIONED BY (p)" if partitioned else "") +
          (f" TBLPROPERTIES ({', '.join(properties)})" if properties else ""))
    for i in range(inserts):
        w.sql(f"INSERT INTO t SELECT range, 'x' || range, 'p' || range % 3 FROM range({i * 100}, {i * 100 + 100})")


def metrics(w, statement):
    rows = json.loads(w.sql(statement, "--format", "json"))
    expect_equal(len(rows), 1)
    return rows[0]["metrics"]


def version(w):
    return max(row[0] for row in w.rows("DESCRIBE HISTORY t"))


def live(w, table="t"):
    return w.value(f"SELECT count(DISTINCT _metadata.file_path) FROM {table}")


@test
def test_optimize__packs_small_files_of_each_partition(w):
    make(w)
    before = w.rows("SELECT * FROM t ORDER BY id")
    done = metrics(w, "OPTIMIZE t")
    expect_equal([done[k] for k in ("numFilesAdded", "numFilesRemoved", "partitionsOptimized", "totalConsideredFiles",
                                    "totalFilesSkipped", "numBatches")], [3, 12, 3, 12, 0, 1])
    expect_equal(done["filesAdded"]["totalFiles"], 3)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), before)
    expect_equal(live(w), 3)
    expect(all(not a[kind]["dataChange"] for a in w.actions("t", 5) for kind in ("add", "remove") if kind in a),
           "no change of data")
    info = w.actions("t", 5)[0]["commitInfo"]
    expect_equal(info["operation"], "OPTIMIZE")
    expect_equal(info["operationParameters"], {"predicate": "[]", "zOrderBy": "[]", "clusterBy": "[]",
                                                    "auto": "false"})
    expect_equal(info["operationMetrics"]["numRemovedFiles"], "12")


@test
def test_optimize__does_nothing_the_second_time(w):
    make(w)
    w.sql("OPTIMIZE t")
    expect("nothing to do: 3 files are as they should be" in w.sql("OPTIMIZE t"), "nothing to do")
    expect_equal(metrics(w, "OPTIMIZE t")["numFilesAdded"], 0)
    expect_equal(version(w), 5)


@test
def test_optimize__leaves_other_partitions_alone(w):
    make(w)
    done = metrics(w, "OPTIMIZE t WHERE p = 'p1' OR p LIKE '%2'")
    expect_equal([done["numFilesAdded"], done["numFilesRemoved"], done["totalConsideredFiles"]], [2, 8, 8])
    expect_equal(w.actions("t", 5)[0]["commitInfo"]["operationParameters"]["predicate"], '["p = \'p1\' OR p LIKE \'%2\'"]')


@test
def test_optimize__refuses_conditions_on_other_columns(w):
    make(w)
    expect_failure(w.run("sql", "-c", "OPTIMIZE t WHERE id < 5"), 1, "id, which is no partition column", "by p",
                   "NOT_A_PARTITION_COLUMN")
    expect_failure(w.run("sql", "-c", "OPTIMIZE t WHERE nothing = 5"), 1, "nothing")
    expect_failure(w.run("sql", "-c", "OPTIMIZE t WHERE"), 1, "a condition")


@test
def test_dry_run__tells_and_writes_nothing(w):
    make(w)
    files = w.files("t")
    expect("12 files" in w.sql("OPTIMIZE t DRY RUN"), "what would be done")
    expect_equal(metrics(w, "OPTIMIZE t DRY RUN")["numFilesRemoved"], 12)
    expect_equal((w.files("t"), version(w)), (files, 4))


@test
def test_optimize__applies_deletion_vectors_and_keeps_row_ids(w):
    make(w, "'delta.enableRowTracking' = 'true'", "'delta.enableDeletionVectors' = 'true'")
    w.sql("DELETE FROM t WHERE id % 5 = 0; UPDATE t SET s = 'new' WHERE id % 7 = 0")
    before = w.rows(IDS)
    done = metrics(w, "OPTIMIZE t")
    expect(done["deletionVectorStats"]["numDeletionVectorsRemoved"] >= 12, f"vectors to go: {done!r}")
    expect_equal(w.rows(IDS), before)
    expect(not any("deletionVector" in a["add"] for a in w.actions("t", version(w)) if "add" in a), "no vectors")


@test
def test_optimize__leaves_a_file_alone_that_lost_few_rows(w):
    make(w, "'delta.enableDeletionVectors' = 'true'", partitioned=False, inserts=1)
    w.sql("DELETE FROM t WHERE id = 5")
    expect_equal(metrics(w, "OPTIMIZE t")["numFilesRemoved"], 0)
    w.sql("DELETE FROM t WHERE id < 10")
    expect_equal(metrics(w, "OPTIMIZE t")["numFilesRemoved"], 1)


@test
def test_purge__rewrites_what_has_deleted_rows_and_nothing_else(w):
    make(w, "'delta.enableDeletionVectors' = 'true'", partitioned=False)
    w.sql("DELETE FROM t WHERE id = 5")
    done = metrics(w, "REORG TABLE t APPLY (PURGE)")
    expect_equal([done["numFilesRemoved"], done["numFilesAdded"]], [1, 1])
    info = w.actions("t", version(w))[0]["commitInfo"]
    expect_equal((info["operation"], info["operationParameters"]["applyPurge"]), ("REORG", "true"))
    expect_equal(metrics(w, "REORG TABLE t APPLY (PURGE)")["numFilesRemoved"], 0)
    expect_equal(w.value("SELECT count(*) FROM t"), 399)


def row_groups(w, table="t"):
    """Of each live file, by its path."""
    paths = [row[0] for row in w.rows(f"SELECT DISTINCT _metadata.file_path FROM {table}")]
    return sorted(w.value(f"SELECT count(DISTINCT row_group_id) FROM parquet_metadata('{p}')") for p in paths)


def make_wide(w, *properties, inserts=3):
    w.sql("CREATE TABLE t (id BIGINT, s STRING, d DECIMAL(20, 4), f DOUBLE, n STRUCT<a INT, l ARRAY<INT>>, v VARIANT)"
          + (f" TBLPROPERTIES ({', '.join(properties)})" if properties else ""))
    for i in range(inserts):
        w.sql(f"INSERT INTO t SELECT range, repeat('x' || range, 8), (range % 700) * 0.0625::DECIMAL(6,4), CASE WHEN range % 9 > 0 THEN -range END,"
              " {'a': range, 'l': [range % 7]}, {'k': range}::VARIANT"
              f" FROM range({i * 20000}, {i * 20000 + 20000})")


ANY = "SELECT count(*), sum(hash(id, s, d, f, n, v::VARCHAR)) FROM t"


@test
def test_copying__keeps_row_groups_statistics_and_rows(w):
    make_wide(w)
    before, in_order = w.rows(ANY), w.rows("SELECT id FROM t LIMIT 3")
    done = metrics(w, "OPTIMIZE t")
    expect_equal([done["numFilesRemoved"], done["numFilesAdded"]], [3, 1])
    expect_equal(row_groups(w), [3])
    expect_equal((w.rows(ANY), w.rows("SELECT id FROM t LIMIT 3")), (before, in_order))
    expect_equal(w.rows("SELECT id FROM t WHERE id BETWEEN 25000 AND 25002 ORDER BY id"), [[25000], [25001], [25002]])
    stats = json.loads(next(a["add"]["stats"] for a in w.actions("t", 4) if "add" in a))
    expect_equal(stats["numRecords"], 60000)
    expect_equal((stats["minValues"]["id"], stats["maxValues"]["id"], stats["minValues"]["n"], stats["maxValues"]["n"]),
                 (0, 59999, {"a": 0}, {"a": 59999}))
    expect_equal(stats["nullCount"]["f"], len(range(0, 60000, 9)))


@test
def test_copying__is_left_to_values_where_these_must_change(w):
    make_wide(w, "'delta.enableTypeWidening' = 'true'", "'delta.columnMapping.mode' = 'name'",
              "'delta.enableDeletionVectors' = 'true'")
    w.sql("DELETE FROM t WHERE id % 1000 = 3")
    before = w.rows(ANY)
    metrics(w, "OPTIMIZE t")
    expect_equal((row_groups(w), w.rows(ANY)), ([1], before))


@test
def test_copying__merges_small_row_groups(w):
    make(w, partitioned=False)
    metrics(w, "OPTIMIZE t")
    expect_equal((row_groups(w), w.rows("SELECT id FROM t")), ([1], [[i] for i in range(400)]))


def make_indexed(w, index=by_hand.offset_index):
    """Two files of two columns, each with a row group of four pages."""
    os.makedirs(w.path("t"))
    for name, start in (("a", 0), ("b", 16000)):
        columns = [((c,), [(0, 1, start + i + shift) for i in range(16000)]) for c, shift in (("x", 0), ("y", 7))]
        by_hand.write(w.path(f"t/{name}.parquet"), 16000, [by_hand.leaf(c, by_hand.INT64) for c in "xy"], columns,
                      page_rows=4000, offset_index=index if name == "b" else by_hand.offset_index)
    w.sql(f"CONVERT TO DELTA parquet.`{w.path('t')}`")
    expect_equal(metrics(w, f"OPTIMIZE delta.`{w.path('t')}`")["numFilesAdded"], 1)
    path = next(a["add"]["path"] for a in w.actions("t", 1) if "add" in a)
    expect_equal(w.rows(f"SELECT count(*), sum(x), sum(y - x) FROM delta.`{w.path('t')}`"), [[32000, 511984000, 224000]])
    expect_equal(w.rows(f"SELECT x FROM delta.`{w.path('t')}` WHERE y BETWEEN 20000 AND 20001"), [[19993], [19994]])
    return w.path("t/" + path)


@test
def test_copying__keeps_the_indexes_of_pages(w):
    path = make_indexed(w)
    found = by_hand.page_indexes(path)
    for (places, least, greatest), (start, shift) in zip(found, ((0, 0), (0, 7), (16000, 0), (16000, 7)), strict=True):
        expect_equal([row for _, _, row in places], [0, 4000, 8000, 12000])
        expect_equal(least, [start + shift + row for _, _, row in places])
        expect_equal(greatest, [start + shift + row + 3999 for _, _, row in places])


@test
def test_copying__leaves_out_indexes_that_cannot_be_true(w):
    def behind(places):
        return by_hand.offset_index([(offset + 100, size, row) for offset, size, row in places])

    expect_equal(by_hand.page_indexes(make_indexed(w, behind)), [])


# ---- All features ----------------------------------------------------------------------------------

def features():
    for seed in range(4):
        tracked, vectors, partitioned, mapping = seed % 2 == 0, seed >= 2, seed in (1, 2), ("name", "id", "none")[seed % 3]
        yield (seed, partitioned, [f"'delta.enableRowTracking' = '{str(tracked).lower()}'",
                                   f"'delta.enableDeletionVectors' = '{str(vectors).lower()}'",
                                   f"'delta.columnMapping.mode' = '{mapping}'", "'delta.enableChangeDataFeed' = 'true'",
                                   "'delta.enableTypeWidening' = 'true'"])


@test
def test_optimize__keeps_every_row_whatever_the_table_can(w):
    for seed, partitioned, properties in features():
        t = f"t{seed}"
        w.sql(f"CREATE TABLE {t} (id BIGINT, p STRING, n STRUCT<a INT, l ARRAY<STRING>>, v VARIANT, d DATE)"
              + (" PARTITIONED BY (p)" if partitioned else "") + f" TBLPROPERTIES ({', '.join(properties)})")
        for i in range(3):
            w.sql(f"INSERT INTO {t} SELECT range, CASE WHEN range % 4 > 0 THEN 'p' || range % 4 END, "
                  "{'a': range, 'l': ['x', NULL]}, CASE range % 3 WHEN 0 THEN NULL WHEN 1 THEN 'null'::JSON::VARIANT"
                  f" ELSE {{'k': range}}::VARIANT END, DATE '1999-12-31' + range::INT"
                  f" FROM range({i * 50}, {i * 50 + 50})")
        w.sql(f"DELETE FROM {t} WHERE id % 11 = 0; UPDATE {t} SET d = NULL WHERE id % 13 = 0")
        ids = ", _metadata.row_id, _metadata.row_commit_version" if seed % 2 == 0 else ""
        query = f"SELECT id, p, n, v::VARCHAR, v IS NULL, d{ids} FROM {t} ORDER BY id"
        before = w.rows(query)
        done = json.loads(w.sql(f"OPTIMIZE {t}", "--format", "json"))[0]["metrics"]
        expect(done["numFilesAdded"] > 0, f"work for seed {seed}")
        expect_equal(w.rows(query), before)
        changed = w.value(f"SELECT max(version) FROM (SELECT max(_commit_version) AS version FROM table_changes('{t}', 0))")
        expect_equal(w.value(f"SELECT count(*) FROM table_changes('{t}', {changed + 1})"), 0)
        expect("nothing to do" in w.sql(f"OPTIMIZE {t}"), f"nothing left for seed {seed}")


# ---- Sorted tables ---------------------------------------------------------------------------------

def make_sorted(w, order, size=300):
    """A file for each range of `id`, in the order of the log that is given."""
    w.sql("CREATE TABLE t (id BIGINT, r DOUBLE)")
    for i in order:
        w.sql(f"INSERT INTO t SELECT range, hash(range) % 1000 FROM range({i * size}, {i * size + size})")


def ranges(w):
    return sorted(w.rows("SELECT min(id), max(id) FROM t GROUP BY _metadata.file_path"))


@test
def test_sorted_tables__stay_sorted(w):
    make_sorted(w, (3, 0, 5, 1, 4, 2))
    size = max(a["add"]["size"] for v in range(1, 7) for a in w.actions("t", v) if "add" in a)
    w.sql(f"ALTER TABLE t SET TBLPROPERTIES ('delta.targetFileSize' = '{2 * size + size // 2}')")
    w.sql("OPTIMIZE t")
    expect_equal(ranges(w), [[0, 599], [600, 1199], [1200, 1799]])
    expect_equal(sorted(w.rows("SELECT id FROM t WHERE id < 600")), [[i] for i in range(600)])


# ---- What REORG purges -----------------------------------------------------------------------------

@test
def test_purge__drops_dropped_columns_for_good(w):
    w.sql("CREATE TABLE t (id BIGINT, n STRUCT<a INT, b INT>, gone STRING)"
          " TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableRowTracking' = 'true')")
    for i in range(2):
        w.sql(f"INSERT INTO t VALUES ({i}, {{'a': 1, 'b': 2}}, 'secret')")
    expect_equal(metrics(w, "REORG TABLE t APPLY (PURGE)")["numFilesRemoved"], 0)
    drop_column(w, 2, "gone")
    w.sql("INSERT INTO t VALUES (7, {'a': 1, 'b': 2})")
    done = metrics(w, "REORG TABLE t APPLY (PURGE)")
    expect_equal([done["numFilesRemoved"], done["numFilesAdded"]], [2, 1])
    expect_equal(metrics(w, "REORG TABLE t APPLY (PURGE)")["numFilesRemoved"], 0)
    expect_equal(w.value("SELECT sum(id) FROM t"), 8)


def drop_column(w, after, name):
    """As another writer would."""
    metadata = next(a["metaData"] for a in w.actions("t", 0) if "metaData" in a)
    schema = json.loads(metadata["schemaString"])
    schema["fields"] = [f for f in schema["fields"] if f["name"] != name]
    metadata["schemaString"] = json.dumps(schema)
    w.write_log("t", after + 1, [{"metaData": metadata}])


# ---- Auto compaction -------------------------------------------------------------------------------

@test
def test_auto_compaction__packs_fifty_small_files_and_no_fewer(w):
    make(w, "'delta.autoOptimize.autoCompact' = 'auto'", inserts=1)
    w.sql("".join(f"INSERT INTO t VALUES ({i}, 'x', 'p0');" for i in range(48)))
    expect_equal(version(w), 49)
    w.sql("INSERT INTO t VALUES (1000, 'x', 'p0')")
    expect_equal((version(w), live(w)), (51, 3))
    info = w.actions("t", 51)[0]["commitInfo"]
    expect_equal((info["operation"], info["operationParameters"]["auto"]), ("OPTIMIZE", "true"))
    expect_equal(w.value("SELECT count(*) FROM t"), 149)


@test
def test_auto_compaction__follows_the_commit_of_a_transaction(w):
    make(w, "'delta.autoOptimize.autoCompact' = 'true'", partitioned=False, inserts=1)
    inserts = "".join(f"INSERT INTO t VALUES ({i}, 'x', 'p0');" for i in range(49))
    w.sql(f"BEGIN; {inserts} ROLLBACK")
    expect_equal(version(w), 1)
    w.sql(f"BEGIN; {inserts} COMMIT")
    expect_equal((version(w), live(w)), (3, 1))
    expect_equal(w.actions("t", 3)[0]["commitInfo"]["operationParameters"]["auto"], "true")
    expect_equal(w.value("SELECT count(*) FROM t"), 149)


@test
def test_auto_compaction__never_fails_the_statement(w):
    make(w, "'delta.autoOptimize.autoCompact' = 'true'", partitioned=False, inserts=1)
    w.sql("".join(f"INSERT INTO t VALUES ({i}, 'x', 'p0');" for i in range(48)))
    os.remove(w.path("t/" + next(a["add"]["path"] for a in w.actions("t", 5) if "add" in a)))
    w.damages("t")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1000, 'x', 'p0')")
    expect(ran.status == 0 and "were not compacted" in ran.err, f"a warning: {ran!r}")
    expect_equal(version(w), 50)


# ---- Partitions ------------------------------------------------------------------------------------

@test
def test_open_partitions__are_left_alone(w):
    make(w, "'deltaworks.closedPartitionAge' = 'interval 2 hours'", inserts=2)
    expect("left alone are 3 partitions" in w.sql("OPTIMIZE t"), "no partition is closed")
    expect_equal(version(w), 2)
    expect_equal(metrics(w, "OPTIMIZE t FULL")["numFilesAdded"], 3)


@test
def test_too_many_partitions__are_advised_against(w):
    w.sql("CREATE TABLE t (id BIGINT, d DATE) PARTITIONED BY (d);"
          "INSERT INTO t SELECT range, DATE '2024-01-01' + range::INT FROM range(40)")
    expect("40 of 40 partitions hold less than 16 MB: partition by month, or cluster instead of partitioning by d"
           in w.sql("OPTIMIZE t DRY RUN"), "advice")


# ---- The program -----------------------------------------------------------------------------------

@test
def test_verb__does_what_the_statement_does(w):
    make(w)
    ran = w.run("optimize", "t", "--where", "p = 'p1'", "--dry-run")
    expect(ran.status == 0 and "4 files" in ran.out and "would become" in ran.out, f"a dry run: {ran!r}")
    ran = w.run("optimize", "t", "--within", "5 MINUTES", "--format", "ndjson")
    expect_equal(json.loads(ran.out)["metrics"]["numFilesRemoved"], 12)
    expect_equal(w.run("optimize", "t", "--purge", "--full").status, 2)


if __name__ == "__main__":
    sys.exit(main())
