"""Clustering, from end to end: CLUSTER BY, ZORDER BY, what they do to files, and nothing to rows."""
import json
import re
import sys

from harness import expect, expect_equal, expect_failure, main, test

SIZE = "'delta.targetFileSize' = '25kb'"
ROWS = "SELECT (i * 7919) % 50000 AS id, 'k' || (i % 1000) AS s, DATE '2020-01-01' + (i % 700)::INT AS d FROM range({}) r(i)"
COLUMNS = "(id BIGINT, s STRING, d DATE)"
IDS = "SELECT *, _metadata.row_id, _metadata.row_commit_version FROM t ORDER BY ALL"


def make(w, clause="CLUSTER BY (id, d)", *properties, rows=50000, columns=COLUMNS):
    w.sql(f"CREATE TABLE t {columns} {clause} TBLPROPERTIES ({', '.join([SIZE, *properties])})")
    if rows > 0:
        w.sql("INSERT INTO t " + ROWS.format(rows))


def metrics(w, statement):
    return json.loads(w.sql(statement, "--format", "json"))[0]["metrics"]


def files_read(w, condition):
    found = re.search(r"files +(\d+) in the table.* (\d+) after statistics",
                      w.sql(f"EXPLAIN SELECT * FROM t WHERE {condition}"))
    return int(found.group(2)), int(found.group(1))


def version(w):
    return max(row[0] for row in w.rows("DESCRIBE HISTORY t"))


def adds(w, number):
    return [a["add"] for a in w.actions("t", number) if "add" in a]


def detail(w):
    return json.loads(w.run("detail", "t", "--format", "ndjson").out)


@test
def test_create__makes_a_clustered_table(w):
    make(w, "CLUSTER BY (s, id)", rows=10)
    actions = w.actions("t", 0)
    domain = next(a["domainMetadata"] for a in actions if "domainMetadata" in a)
    expect_equal(domain["domain"], "delta.clustering")
    expect_equal(json.loads(domain["configuration"]), {"clusteringColumns": [["s"], ["id"]], "domainName": "delta.clustering"})
    features = next(a["protocol"]["writerFeatures"] for a in actions if "protocol" in a)
    expect({"clustering", "domainMetadata"} <= set(features), features)
    expect_equal(actions[0]["commitInfo"]["operationParameters"]["clusterBy"], '["s","id"]')
    expect_equal(detail(w)["clusteringColumns"], ["s", "id"])
    expect("CLUSTER BY (s, id)" in w.sql("SHOW CREATE TABLE t"), "the clause")
    w.sql("CREATE OR REPLACE TABLE t CLUSTER BY (d) AS SELECT DATE '2020-01-01' AS d, 1 AS x")
    expect_equal(detail(w)["clusteringColumns"], ["d"])
    w.sql("CREATE OR REPLACE TABLE t AS SELECT 1 AS x")
    expect_equal(detail(w)["clusteringColumns"], [])


@test
def test_create__refuses_what_cannot_be_clustered(w):
    for statement, words in (
            ("(a INT, b INT) PARTITIONED BY (b) CLUSTER BY (a)", ["CLUSTER_BY_WITH_PARTITIONED_BY"]),
            ("(a INT, b INT, c INT, d INT, e INT) CLUSTER BY (a, b, c, d, e)", ["CLUSTER_BY_INVALID_NUM_COLUMNS", "4", "5"]),
            ("(a INT, b BOOLEAN) CLUSTER BY (b)", ["CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "boolean"]),
            ("(a INT) CLUSTER BY (b)", ["COLUMN_NOT_FOUND", "b"]),
            ("(a INT) CLUSTER BY (a, A)", ["DUPLICATE_COLUMN"]),
            ("(a INT, b INT) CLUSTER BY (b) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '1')",
             ["CLUSTERING_COLUMN_MISSING_STATS", "b"])):
        expect_failure(w.run("sql", "-c", f"CREATE TABLE bad {statement}"), 1, *words)


@test
def test_alter__changes_by_what_a_table_is_clustered(w):
    make(w, "", rows=10)
    w.sql("ALTER TABLE t CLUSTER BY (s)")
    info = w.actions("t", 2)[0]["commitInfo"]
    expect_equal([info["operation"], info["operationParameters"]],
                 ["CLUSTER BY", {"oldClusteringColumns": "", "newClusteringColumns": "s"}])
    expect_equal(detail(w)["clusteringColumns"], ["s"])
    expect("nothing was to be changed" in w.sql("ALTER TABLE t CLUSTER BY (S)"), "the same")
    w.sql("ALTER TABLE t CLUSTER BY (d, id)")
    expect(not any("metaData" in a or "protocol" in a for a in w.actions("t", 3)), "only the domain")
    w.sql("ALTER TABLE t CLUSTER BY NONE")
    expect_equal(detail(w)["clusteringColumns"], [])
    expect("nothing was to be changed" in w.sql("ALTER TABLE t CLUSTER BY NONE"), "none still")
    w.sql("CREATE TABLE p (a INT, b INT) PARTITIONED BY (b)")
    expect_failure(w.run("sql", "-c", "ALTER TABLE p CLUSTER BY (a)"), 1,
                   "ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED")


@test
def test_optimize__clusters_so_that_ranges_meet_few_files(w):
    make(w)
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    done = metrics(w, "OPTIMIZE t")
    expect_equal([c["column"] for c in done["clustering"]], ["id", "d"])
    expect(all(c["averageDepthBefore"] == 1 for c in done["clustering"]), done)  # one file
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)
    files = adds(w, 2)
    expect(len(files) >= 4, len(files))
    expect_equal({f["clusteringProvider"] for f in files}, {"liquid"})
    expect_equal(len({f["tags"]["ZCUBE_ID"] for f in files}), 1)
    expect_equal({f["tags"]["ZCUBE_ZORDER_BY"] for f in files}, {'["id","d"]'})
    expect_equal({f["tags"]["ZCUBE_ZORDER_CURVE"] for f in files}, {"hilbert"})
    expect_equal(w.actions("t", 2)[0]["commitInfo"]["operationParameters"]["clusterBy"], '["id","d"]')
    for condition in ("id BETWEEN 12000 AND 12250", "d BETWEEN DATE '2020-06-01' AND DATE '2020-06-03'"):
        read, count = files_read(w, condition)
        expect(0 < read <= count / 2 + 1, f"{condition}: {read} of {count}")
    sizes = sorted(f["size"] for f in files)
    expect(sizes[-1] < 2 * sizes[0], sizes)


@test
def test_optimize__clusters_new_rows_and_leaves_the_rest(w):
    make(w)
    w.sql("OPTIMIZE t")
    old = {f["path"] for f in adds(w, 2)}
    expect("nothing to do" in w.sql("OPTIMIZE t"), "nothing to do")
    expect_equal(version(w), 2)
    w.sql("INSERT INTO t " + ROWS.format(500))
    done = metrics(w, "OPTIMIZE t")
    expect_equal([done["numFilesRemoved"], done["numFilesAdded"]], [1, 1])
    new = {"numFiles": 1, "size": done["filesRemoved"]["totalSize"]}
    expect_equal(done["clusteringStats"], {
        "inputZCubeFiles": {"numFiles": len(old), "size": sum(f["size"] for f in adds(w, 2))}, "inputOtherFiles": new,
        "inputNumZCubes": 1, "mergedFiles": new, "numOutputZCubes": 1})
    expect("nothing to do" in w.sql("OPTIMIZE t"), "nothing to do")
    expect(not old & {a["remove"]["path"] for a in w.actions("t", 4) if "remove" in a}, "no old file")
    for i in range(8):  # cubes are merged as they grow: their number stays small
        w.sql("INSERT INTO t " + ROWS.format(2000))
        w.sql("OPTIMIZE t")
    cubes = {f["tags"]["ZCUBE_ID"] for n in range(version(w) + 1) for f in adds(w, n) if "tags" in f and
             f["path"] in {r[0].split("/")[-1] for r in w.rows("SELECT DISTINCT _metadata.file_path FROM t")}}
    expect(len(cubes) <= 4, len(cubes))
    expect_equal(w.value("SELECT count(*) FROM t"), 66500)


@test
def test_optimize__full_clusters_anew(w):
    make(w)
    w.sql("OPTIMIZE t")
    w.sql("ALTER TABLE t CLUSTER BY (s)")
    expect("nothing to do" in w.sql("OPTIMIZE t"), "files of other columns are left")
    count = metrics(w, "OPTIMIZE t FULL")["numFilesRemoved"]
    expect_equal(count, len(adds(w, 2)))
    expect_equal(w.actions("t", 4)[0]["commitInfo"]["operationParameters"]["isFull"], "true")
    expect("nothing to do" in w.sql("OPTIMIZE t FULL"), "nothing to do")
    read, count = files_read(w, "s = 'k500'")
    expect(read <= 2, f"{read} of {count}")


@test
def test_optimize__leaves_files_of_other_implementations(w):
    make(w, rows=100)
    actions = [a for a in w.actions("t", 1)]
    for a in actions:
        if "add" in a:
            a["add"]["clusteringProvider"] = "other"
    w.write_log("t", 1, actions)
    expect("nothing to do" in w.sql("OPTIMIZE t"), "left")
    expect_equal(metrics(w, "OPTIMIZE t FULL")["numFilesRemoved"], 1)


@test
def test_optimize__of_clustered_tables_knows_no_conditions(w):
    make(w, rows=10)
    expect_failure(w.run("sql", "-c", "OPTIMIZE t ZORDER BY (id)"), 1, "CLUSTERING_WITH_ZORDER_BY")
    expect_failure(w.run("sql", "-c", "OPTIMIZE t WHERE id = 1"), 1, "CLUSTERING_WITH_PARTITION_PREDICATE")


@test
def test_clustering__keeps_ids_deletion_vectors_and_mapped_names(w):
    make(w, "CLUSTER BY (st.k, d)", "'delta.enableRowTracking' = 'true'", "'delta.enableDeletionVectors' = 'true'",
         "'delta.columnMapping.mode' = 'name'", "'delta.enableChangeDataFeed' = 'true'", rows=0,
         columns="(id BIGINT, st STRUCT<k: STRING, v: DOUBLE>, d DATE, l ARRAY<STRUCT<`a b`: INT>>)")
    w.sql("INSERT INTO t SELECT i, {'k': CASE WHEN i % 5 > 0 THEN 'k' || (i % 1000) END, 'v': -0.5 * i}, "
          "CASE WHEN i % 7 > 0 THEN DATE '2020-01-01' + (i % 700)::INT END, [{'a b': i}] FROM range(20000) r(i)")
    w.sql("DELETE FROM t WHERE id % 9 = 0")
    w.sql("UPDATE t SET d = DATE '2024-01-01' WHERE id % 100 = 1")
    before = w.rows(IDS)
    w.sql("OPTIMIZE t")
    expect_equal(w.rows(IDS), before)
    expect(len(adds(w, version(w))) > 1, "several files")
    expect_equal(json.loads(adds(w, version(w))[0]["tags"]["ZCUBE_ZORDER_BY"]), ["st.k", "d"])
    w.sql("DELETE FROM t WHERE id % 3 = 0")
    before = w.rows(IDS)
    done = metrics(w, "OPTIMIZE t")  # files with many deleted rows stay in their cube
    expect(done["numFilesAdded"] > 0, done)
    expect_equal(done["zOrderStats"], None)
    expect_equal(len({f["tags"]["ZCUBE_ID"] for f in adds(w, version(w))} - {f["tags"]["ZCUBE_ID"] for f in adds(w, 4)}), 0)
    expect_equal(w.rows(IDS), before)
    expect("nothing to do" in w.sql("OPTIMIZE t"), "nothing to do")
    expect_equal(w.value(f"SELECT count(*) FROM table_changes('t', {version(w)})"), 0)


@test
def test_zorder__orders_each_partition(w):
    make(w, "PARTITIONED BY (p)", columns="(id BIGINT, s STRING, d DATE, p STRING)", rows=0)
    for i in range(2):
        w.sql(f"INSERT INTO t SELECT *, CASE WHEN id % 3 > 0 THEN 'p ' || (id % 3) END FROM ({ROWS.format(40000)})")
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    w.sql("OPTIMIZE t WHERE p = 'p 1' ZORDER BY (s, id)")
    info = w.actions("t", 3)[0]["commitInfo"]["operationParameters"]
    expect_equal([info["zOrderBy"], info["clusterBy"]], ['["s","id"]', "[]"])
    expect_equal({f["partitionValues"]["p"] for f in adds(w, 3)}, {"p 1"})
    expect(all(f["path"].startswith("p=p%2520") for f in adds(w, 3)), adds(w, 3)[0]["path"])
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)
    done = metrics(w, "OPTIMIZE t ZORDER BY (s, id)")
    expect_equal(done["clusteringStats"], None)
    removed = {"num": done["numFilesRemoved"], "size": done["filesRemoved"]["totalSize"]}
    expect_equal(done["zOrderStats"], {
        "strategyName": "all", "inputCubeFiles": {"num": 0, "size": 0}, "inputOtherFiles": removed, "inputNumCubes": 0,
        "mergedFiles": removed, "numOutputCubes": 2, "mergedNumCubes": None})
    expect_equal({f["partitionValues"]["p"] for f in adds(w, 4)}, {None, "p 2"})
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)
    expect("nothing to do" in w.sql("OPTIMIZE t ZORDER BY (s, id)"), "nothing to do")
    read, count = files_read(w, "s BETWEEN 'k500' AND 'k503'")
    expect(read < count, f"{read} of {count}")


@test
def test_zorder__takes_every_orderable_type(w):
    w.sql(f"CREATE TABLE t (a TINYINT, b DECIMAL(30,3), c DOUBLE, d TIMESTAMP, e TIMESTAMP_NTZ, f STRING, g INT) TBLPROPERTIES ({SIZE})")
    w.sql("INSERT INTO t SELECT i % 100, i * 1.5, CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN NULL ELSE -i END, "
          "TIMESTAMP '2020-01-01' + i * INTERVAL 1 HOUR, TIMESTAMP '1960-01-01' - i * INTERVAL 1 DAY, "
          "repeat('\u00e9', (i % 7)::INT) || i, NULL FROM range(20000) r(i)")
    before = w.value("SELECT (count(*), sum(b), sum(hash(t))::VARCHAR)::VARCHAR FROM t")
    for columns in ("a", "b, c", "d, e, f", "a, b, c, d, e, f, g"):
        w.sql(f"OPTIMIZE t ZORDER BY ({columns})")
        expect_equal(w.value("SELECT (count(*), sum(b), sum(hash(t))::VARCHAR)::VARCHAR FROM t"), before)
    expect_equal(version(w), 5)


@test
def test_zorder__refuses_what_does_not_help(w):
    w.sql("CREATE TABLE t (a INT, b BOOLEAN, c INT, p INT) PARTITIONED BY (p) TBLPROPERTIES "
          "('delta.dataSkippingStatsColumns' = 'a')")
    for columns, code in (("p", "ZORDERING_ON_PARTITION_COLUMN"), ("c", "ZORDERING_ON_COLUMN_WITHOUT_STATS"),
                          ("b", "ZORDERING_ON_COLUMN_WITHOUT_STATS"), ("x", "COLUMN_NOT_FOUND"), ("a, a", "DUPLICATE_COLUMN")):
        expect_failure(w.run("sql", "-c", f"OPTIMIZE t ZORDER BY ({columns})"), 1, code)
    expect_failure(w.run("sql", "-c", "OPTIMIZE t ZORDER a"), 1, "PARSE_ERROR")


@test
def test_zorder__cuts_what_is_the_same_by_size(w):
    make(w, "", columns="(id BIGINT, s STRING, d DATE, x STRING)", rows=0)
    w.sql("INSERT INTO t SELECT 7, 'same', DATE '2020-01-01', uuid()::VARCHAR FROM range(400000)")
    w.sql("OPTIMIZE t ZORDER BY (id, s)")
    expect(len(adds(w, 2)) > 3, len(adds(w, 2)))
    expect_equal(w.value("SELECT count(DISTINCT x) FROM t"), 400000)


@test
def test_optimize__dry_run_clusters_nothing(w):
    make(w)
    told = w.sql("OPTIMIZE t DRY RUN")
    expect("would become" in told, told)
    expect_equal(version(w), 1)


@test
def test_describe_clustering__tells_depth(w):
    make(w, "CLUSTER BY (id)", rows=0)
    for first in (0, 100, 50):
        w.sql(f"INSERT INTO t SELECT i, 's', NULL FROM range({first}, {first + 100}) r(i)")
    rows = json.loads(w.sql("DESCRIBE CLUSTERING t", "--format", "json"))
    expect_equal(rows, [{"column": "id", "numFiles": 3, "numFilesUnbounded": 0, "averageOverlaps": 4 / 3,
                         "averageDepth": 5 / 3, "maxDepth": 2}])
    rows = json.loads(w.sql("DESCRIBE CLUSTERING t (s, d)", "--format", "json"))
    expect_equal([[r["column"], r["averageDepth"], r["maxDepth"]] for r in rows], [["s", 3, 3], ["d", 0, 0]])
    w.sql("ALTER TABLE t CLUSTER BY NONE")
    rows = json.loads(w.sql("DESCRIBE CLUSTERING t", "--format", "json"))
    expect_equal([r["column"] for r in rows], ["id", "s", "d"])
    expect_failure(w.run("sql", "-c", "DESCRIBE CLUSTERING t (x)"), 1, "COLUMN_NOT_FOUND")


if __name__ == "__main__":
    sys.exit(main())
