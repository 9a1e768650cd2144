"""Bloom-filter indexes: lookups read few files, whatever else happens to the table, and never lose a row."""
import os
import random
import re
import shutil
import signal
import sys
import time

from harness import expect, expect_equal, expect_failure, main, test

INDEX = "_deltaworks_index"


def index_files(w, table="t"):
    folder = os.path.join(w.path(table), INDEX)
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def explained(w, condition, table="t"):
    """The files after statistics and after filters, and how many have none."""
    line = next(r[0] for r in w.rows(f"EXPLAIN SELECT * FROM {table} WHERE {condition}") if "in the table" in r[0])
    after_statistics = int(line.split(" after statistics")[0].split()[-1].replace(",", ""))
    if "after bloom filters" not in line:
        return after_statistics, None, None
    rest = line.split(" after statistics, ")[1]
    none = int(rest.split("(")[1].split()[0]) if "(" in rest else 0
    return after_statistics, int(rest.split()[0].replace(",", "")), none


def make(w, count=8, more="", columns="k BIGINT, s STRING", index="(k OPTIONS (fpp = 0.0001), s OPTIONS (fpp = 0.0001))"):
    """Files whose ranges of k overlap: statistics rule none out."""
    w.sql(f"CREATE TABLE t ({columns}) {more}")
    for i in range(count):
        w.sql(f"INSERT INTO t SELECT r * {count} + {i}, 'v' || (r * {count} + {i}) FROM range(500) x(r)")
    if index:
        w.sql(f"CREATE BLOOMFILTER INDEX ON TABLE t FOR COLUMNS {index}")


def check(w, key, files=1, rows=1, table="t"):
    expect_equal(w.value(f"SELECT count(*) FROM {table} WHERE k = {key}"), rows)
    found = explained(w, f"k = {key}", table)
    expect(found[1] is not None and found[1] <= files, f"at most {files} files for k = {key}, found {found}")


@test
def test_lookup__reads_the_one_file(w):
    make(w)
    check(w, 1234)
    expect_equal(explained(w, "s = 'v1234'")[1], 1)
    expect_equal(explained(w, "k = 1234 AND s = 'v1235'")[1], 0)
    expect_equal(explained(w, "k IN (1, 9, 17)")[1], 1)
    expect_equal(explained(w, "k = 1 OR s = 'v2'")[1], 2)
    expect_equal(explained(w, "k IS NOT DISTINCT FROM 3")[1], 1)
    expect_equal(explained(w, "k = 4001")[1] or 0, 0)
    expect_equal(explained(w, "k > 100")[1], None)
    expect_equal(w.value("SELECT count(*) FROM t WHERE k IN (1, 2, 3) AND s <> 'v2'"), 2)
    expect_equal(w.rows("SHOW BLOOMFILTER INDEXES ON t"),
                 [["k", 0.0001, None, 1.0, 8, 8], ["s", 0.0001, None, 1.0, 8, 8]])


@test
def test_create__does_only_what_is_left_to_do(w):
    make(w, index=None)
    command = "CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = 0.001, numItems = 1000))"
    expect("would make filters of 8 of 8 files" in w.sql(command + " DRY RUN"), "what would be made")
    expect_equal(index_files(w), [])
    expect("made filters of 8 of 8 files" in w.sql(command), "filters of all files")
    first = index_files(w)
    expect_equal(len(first), 1)
    expect("made filters of 0 of 8 files" in w.sql(command), "nothing to do")
    expect_equal(index_files(w), first)
    other = command.replace("0.001", "0.01")
    expect("made filters of 8 of 8 files" in w.sql(other + " WITHIN 10 MINUTES"), "filters with other options")
    check(w, 77, files=3)
    metadata = [a["metaData"] for v in range(9, 11) for a in w.actions("t", v) if "metaData" in a]
    expect("delta.bloomFilter.fpp\":0.001" in metadata[0]["schemaString"], "the definition in the schema")
    infos = [a["commitInfo"]["operation"] for v in range(9, 11) for a in w.actions("t", v) if "commitInfo" in a]
    expect_equal(infos, ["CREATE BLOOMFILTER INDEX"] * 2)


@test
def test_create__makes_filters_of_files_that_others_wrote(w):
    make(w)
    shutil.rmtree(os.path.join(w.path("t"), INDEX))
    check(w, 1234, files=8)
    expect_equal(explained(w, "k = 1234"), (8, 8, 8))
    w.sql("CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = 0.0001), s OPTIONS (fpp = 0.0001))")
    check(w, 1234)


@test
def test_create__refuses_what_cannot_be_looked_up(w):
    w.sql("CREATE TABLE t (p INT, a STRUCT<x: INT>, b BOOLEAN, l ARRAY<INT>, k INT) PARTITIONED BY (p)")
    for column in ["p", "a", "b", "l", "a.x"]:
        expect_failure(w.run("sql", "-c", f"CREATE BLOOMFILTER INDEX ON t FOR COLUMNS ({column})"), 1,
                       "UNSUPPORTED_COLUMN_TYPE_IN_BLOOM_FILTER")
    expect_failure(w.run("sql", "-c", "CREATE BLOOMFILTER INDEX ON t (nix)"), 1,
                   "CANNOT_CREATE_BLOOM_FILTER_NON_EXISTING_COL")
    expect_failure(w.run("sql", "-c", "CREATE BLOOMFILTER INDEX ON t (k, K)"), 1, "COLUMN_DUPLICATE")
    for option in ["fpp = 0.9", "fpp = x", "numItems = 0", "maxExpectedFpp = 2"]:
        expect_failure(w.run("sql", "-c", f"CREATE BLOOMFILTER INDEX ON t (k OPTIONS ({option}))"), 1,
                       "BLOOM_FILTER_OPTION_INVALID")
    expect_failure(w.run("sql", "-c", "CREATE BLOOMFILTER INDEX ON t (k) OPTIONS (bits = 3)"), 1,
                   "BLOOM_FILTER_OPTION_UNKNOWN")
    expect_failure(w.run("sql", "-c", "DROP BLOOMFILTER INDEX ON t FOR COLUMNS (k)"), 1,
                   "CANNOT_DROP_BLOOM_FILTER_ON_NON_INDEXED_COLUMN")
    expect_equal(w.sql("DROP BLOOMFILTER INDEX ON t"), "there was no bloom-filter index\n")


@test
def test_drop__ends_the_index_and_vacuum_removes_it(w):
    make(w)
    w.sql("DROP BLOOMFILTER INDEX ON TABLE t FOR COLUMNS (s)")
    expect_equal(explained(w, "s = 'v1'")[1], None)
    check(w, 5)
    w.sql("DROP BLOOMFILTER INDEX ON t")
    expect_equal(explained(w, "k = 5")[1], None)
    expect(index_files(w), "index files before VACUUM")
    w.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false; VACUUM t RETAIN 0 HOURS")
    expect_equal(index_files(w), [])
    expect_equal(w.value("SELECT count(*) FROM t"), 4000)


def change(w, vectors):
    make(w, count=4, more=f"TBLPROPERTIES ('delta.enableDeletionVectors' = '{vectors}')")
    w.sql("INSERT INTO t VALUES (100000, 'new')")
    check(w, 100000)
    w.sql("UPDATE t SET k = 200000 WHERE k = 17")
    check(w, 200000)
    check(w, 17, rows=0)
    w.sql("DELETE FROM t WHERE s = 'v21'")
    check(w, 21, rows=0)
    check(w, 25)
    w.sql("MERGE INTO t USING (SELECT 300000 AS k, 'm' AS s UNION ALL SELECT 33, 'n') x ON t.k = x.k "
          "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    check(w, 300000)
    expect_equal(w.value("SELECT s FROM t WHERE k = 33"), "n")
    expect_equal(explained(w, "s = 'n'")[2], 0)
    w.sql("OPTIMIZE t")
    check(w, 300000)
    w.sql("BEGIN; INSERT INTO t VALUES (400000, 'x'); COMMIT")
    check(w, 400000)
    expect_equal(w.rows("SHOW BLOOMFILTER INDEXES ON t")[0][4:], [2, 2])
    expect_equal(w.value("SELECT count(*) FROM t"), 2002)


@test
def test_filters__are_kept_up_by_every_writer(w):
    change(w, "false")


@test
def test_filters__are_kept_up_beside_deletion_vectors(w):
    change(w, "true")


@test
def test_filters__of_many_writes_are_few_files(w):
    w.sql("CREATE TABLE t (k BIGINT); CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = 0.0001))")
    w.sql(";".join(f"INSERT INTO t VALUES ({i}), (1000)" for i in range(50)))
    expect(len(index_files(w)) < 20, f"few index files, found {len(index_files(w))}")
    expect_equal(w.rows("SHOW BLOOMFILTER INDEXES ON t"), [["k", 0.0001, None, 1.0, 50, 50]])
    check(w, 7, files=2)
    check(w, 1000, files=50, rows=50)


@test
def test_values__are_found_in_every_type(w):
    w.sql("CREATE TABLE t (i TINYINT, j SMALLINT, n INT, k BIGINT, f FLOAT, d DOUBLE, c DECIMAL(9,2), "
          "e DECIMAL(38,10), s STRING, b BINARY, dt DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ)")
    for p in range(4):
        w.sql(f"INSERT INTO t SELECT r % 100, r, r - 40, r * 1000000007, r / 8, r / 7, r / 100, (r - 60) / 1000, 's' || r, "
              f"encode('b' || r), DATE '1969-06-01' + CAST(r AS INT), TIMESTAMPTZ '1969-12-31 00:00:00Z' + INTERVAL (r) HOUR, "
              f"TIMESTAMP '2000-01-01' + INTERVAL (r) SECOND FROM range({p}, 400, 4) x(r)")
    w.sql("INSERT INTO t (d, f) VALUES ('nan'::DOUBLE, 'nan'::FLOAT), (-0.0::DOUBLE, -0.0::FLOAT), (NULL, NULL)")
    columns = [r[0] for r in w.rows("DESCRIBE t")]
    values = w.rows("SELECT " + ", ".join(f"CAST({c} AS VARCHAR)" for c in columns) + " FROM t WHERE n = 13")[0]
    conditions = [f"{c} = CAST('{v}' AS {t})" for c, v, t in zip(columns, values,
                  [r[1] if r[1] != "timestamp" else "TIMESTAMPTZ" for r in w.rows("DESCRIBE t")]) if c != "b"]
    conditions = [c.replace("timestamp_ntz", "TIMESTAMP").replace("AS string", "AS VARCHAR") for c in conditions]
    conditions += ["b = encode('b53')", "d = 0", "f = 0", "d = 'nan'::DOUBLE", "f = 'nan'::FLOAT", "e = 0.0", "c = 0",
                   "e = -0.06", "c IN (0.53, 0.54)", "n = -40", "i IN (1, 2, 200)", "f = 6.625", "k = 5.0", "s IN ('s1', 'x')"]
    before = [w.value(f"SELECT count(*) FROM t WHERE {c}") for c in conditions]
    w.sql("CREATE BLOOMFILTER INDEX ON t (" + ", ".join(columns) + ") OPTIONS (fpp = 0.001)")
    after = [w.value(f"SELECT count(*) FROM t WHERE {c}") for c in conditions]
    expect_equal(list(zip(conditions, after)), list(zip(conditions, before)))
    for condition in conditions[:len(columns) - 1]:
        if not condition.startswith("i "):
            found = explained(w, condition)
            expect(found[1] is not None and found[1] <= 2, f"few files for {condition}, found {found}")


@test
def test_damage__costs_time_and_no_rows(w):
    make(w, count=4)
    path = os.path.join(w.path("t"), INDEX, index_files(w)[0])
    sound = open(path, "rb").read()
    for what in [b"", sound[:100], sound[:-5], bytes([sound[0] ^ 1]) + sound[1:],
                 sound[:80] + bytes([sound[80] ^ 1]) + sound[81:], sound[:-3] + bytes([sound[-3] ^ 1]) + sound[-2:],
                 os.urandom(len(sound))]:
        with open(path, "wb") as file:
            file.write(what)
        for key in [3, 1998, 5000]:
            ran = w.run("sql", "--format", "csv", "-c", f"SELECT count(*) FROM t WHERE k = {key}")
            expect_equal((ran.status, ran.out.split()[-1]), (0, "1" if key < 2000 else "0"))
    ran = w.run("sql", "-c", "SELECT count(*) FROM t WHERE k = 1")
    expect("without the bloom filters" in ran.err, f"a note, found {ran.err!r}")
    w.sql("CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = 0.0001), s OPTIONS (fpp = 0.0001))")
    expect(os.path.basename(path) not in index_files(w), "the damaged file is gone")
    check(w, 1)


@test
def test_identity__of_a_file_is_more_than_its_path(w):
    make(w, count=2)
    w.damages("t")
    log = os.path.join(w.path("t"), "_delta_log")
    newest = sorted(f for f in os.listdir(log) if f.endswith(".json"))[1]
    text = open(os.path.join(log, newest)).read()
    with open(os.path.join(log, newest), "w") as file:
        file.write(re.sub(r'"modificationTime":\d+', '"modificationTime":77', text))
    for name in os.listdir(log):
        if name.endswith(".crc") or "checkpoint" in name:
            os.unlink(os.path.join(log, name))
    expect_equal(explained(w, "k = 501")[2], 1)
    expect_equal(w.value("SELECT count(*) FROM t WHERE k = 501"), 1)


@test
def test_clone_restore_and_older_versions__find_their_rows(w):
    make(w, count=4)
    version = 5
    w.sql("DELETE FROM t WHERE k < 1000; OPTIMIZE t; INSERT INTO t VALUES (7, 'again')")
    check(w, 7)
    expect_equal(w.value(f"SELECT count(*) FROM t VERSION AS OF {version} WHERE k = 8"), 1)
    w.sql(f"RESTORE t TO VERSION AS OF {version}")
    check(w, 8)
    w.sql("CREATE TABLE c SHALLOW CLONE t; CREATE TABLE d DEEP CLONE t")
    for table in ["c", "d"]:
        expect_equal(w.value(f"SELECT count(*) FROM {table} WHERE k = 8"), 1)
        w.sql(f"CREATE BLOOMFILTER INDEX ON {table} (k OPTIONS (fpp = 0.0001), s OPTIONS (fpp = 0.0001))")
        check(w, 8, table=table)
        w.sql(f"INSERT INTO {table} VALUES (99999, 'x')")
        check(w, 99999, table=table)


@test
def test_vacuum__thins_out_what_is_gone(w):
    make(w, count=8)
    before = os.path.getsize(os.path.join(w.path("t"), INDEX, index_files(w)[0]))
    for _ in range(2):
        w.sql("UPDATE t SET s = s || 'x' WHERE true")
    w.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false; VACUUM t RETAIN 0 HOURS")
    check(w, 1234, files=8)
    expect_equal(explained(w, "k = 1234")[2], 0)
    sizes = sum(os.path.getsize(os.path.join(w.path("t"), INDEX, f)) for f in index_files(w))
    expect(sizes < 3 * before, f"index files of about {before} bytes, found {sizes}")


@test
def test_mapping__finds_columns_by_their_physical_names(w):
    make(w, count=4, more="TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    check(w, 1234)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.checkpointInterval' = '5'); INSERT INTO t VALUES (5000, 'y')")
    check(w, 5000)


@test
def test_max_expected_fpp__leaves_out_bad_filters(w):
    make(w, count=2, index="(k OPTIONS (fpp = 0.01, numItems = 1, maxExpectedFpp = 0.02))")
    expect_equal(w.rows("SHOW BLOOMFILTER INDEXES ON t"), [["k", 0.01, 1, 0.02, 2, 2]])
    expect_equal(explained(w, "k = 1"), (2, 2, 2))


@test
def test_killed__create_leaves_a_table_that_works(w):
    make(w, count=16, index=None)
    rounds = int(os.environ.get("DELTAWORKS_KILLS", "6"))
    chance = random.Random(7)
    for i in range(rounds):
        process = w.start("sql", "-c", f"CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = {0.001 + i / 100000}))")
        time.sleep(chance.random() * 0.25)
        process.send_signal(signal.SIGKILL)
        process.wait()
        expect_equal(w.value("SELECT count(*) FROM t WHERE k = 3333"), 1)
    w.sql("CREATE BLOOMFILTER INDEX ON t (k OPTIONS (fpp = 0.0001)); DROP BLOOMFILTER INDEX ON t;"
          "SET spark.databricks.delta.retentionDurationCheck.enabled = false; VACUUM t RETAIN 0 HOURS")
    expect_equal(index_files(w), [])


if __name__ == "__main__":
    sys.exit(main())
