"""CLONE: a table of its own with the rows of another, by name (shallow) or by copies (deep)."""
import json
import os
import shutil
import sys

from harness import expect, expect_equal, expect_failure, main, test

EVERYTHING = ("'delta.enableDeletionVectors' = 'true', 'delta.enableRowTracking' = 'true', "
              "'delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'name', "
              "'delta.enableInCommitTimestamps' = 'true', 'delta.enableTypeWidening' = 'true'")
PEERS_TABLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".peers", "kept", "spark")
KINDS = ("SHALLOW", "DEEP")


def state(w, table, version=None):
    return w.rows(f"SELECT * FROM {table}" + ("" if version is None else f" VERSION AS OF {version}") + " ORDER BY ALL")


def newest(w, table):
    names = os.listdir(os.path.join(w.path(table), "_delta_log"))
    return max(int(n[:20]) for n in names if n.endswith(".json") and len(n) == 25)


def of_kind(actions, kind):
    return [a[kind] for a in actions if kind in a]


def make(w, properties="", rows=3000, partitioned=True):
    w.sql("CREATE TABLE s (id BIGINT, p STRING, n INT)" + (" PARTITIONED BY (p)" if partitioned else "") +
          (f" TBLPROPERTIES ({properties})" if properties else ""))
    w.sql(f"INSERT INTO s SELECT range, ['a b', 'c%d', NULL][1 + range % 3], range % 7 FROM range({rows})")


def change(w):
    w.sql("DELETE FROM s WHERE id % 5 = 3; UPDATE s SET n = n + 1 WHERE id % 11 = 4")


@test
def test_clone__has_the_rows_and_the_definition_and_says_what_it_did(w):
    make(w, EVERYTHING)
    change(w)
    for kind in KINDS:
        figures = w.rows(f"CREATE TABLE {kind} {kind} CLONE s")[0]
        expect_equal(state(w, kind), state(w, "s"))
        actions = w.actions(kind, 0)
        info = of_kind(actions, "commitInfo")[0]
        expect_equal((info["operation"], info["operationParameters"]),
                     ("CLONE", {"source": "s", "sourceVersion": newest(w, "s"), "isShallow": kind == "SHALLOW"}))
        metrics = info["operationMetrics"]
        expect_equal([int(metrics[m]) for m in ("sourceTableSize", "sourceNumOfFiles", "numRemovedFiles",
                                                "numCopiedFiles", "removedFilesSize", "copiedFilesSize")], figures)
        adds = of_kind(actions, "add")
        expect_equal(figures[1:4], [len(adds), 0, len(adds) if kind == "DEEP" else 0])
        expect(all(a["path"].startswith("file:/") == (kind == "SHALLOW") for a in adds), f"paths of {kind}")
        metadata, original = of_kind(actions, "metaData")[0], of_kind(w.actions("s", 0), "metaData")[0]
        expect(metadata["id"] != original["id"], "an id of its own")
        expect_equal((metadata["schemaString"], metadata["partitionColumns"]),
                     (original["schemaString"], original["partitionColumns"]))
        expect_equal(bool(w.files(kind)), kind == "DEEP")


@test
def test_clone__lives_its_own_life(w):
    make(w, EVERYTHING)
    change(w)
    before = state(w, "s")
    for kind in KINDS:
        w.sql(f"CREATE TABLE {kind} {kind} CLONE s")
        w.sql(f"DELETE FROM {kind} WHERE id % 3 = 1; UPDATE {kind} SET n = -1 WHERE id % 7 = 2;"
              f"INSERT INTO {kind} VALUES (100000, 'c%d', 5)")
        expect_equal(state(w, "s"), before)
        expect_equal(w.value(f"SELECT count(*) FROM {kind} WHERE n = -1"),
                     sum(1 for r in before if r[0] % 3 != 1 and r[0] % 7 == 2))
    expect_equal(state(w, "SHALLOW"), state(w, "DEEP"))
    w.sql("INSERT OVERWRITE s VALUES (1, 'x', 1)")
    shutil.rmtree(w.path("s"))
    expect(len(state(w, "DEEP")) > 1000, "a deep clone without its source")
    w.damages("SHALLOW")


@test
def test_clone__of_a_clone_names_the_first_files(w):
    make(w, "'delta.enableDeletionVectors' = 'true'")
    change(w)
    w.sql("CREATE TABLE c SHALLOW CLONE s; DELETE FROM c WHERE id = 7; INSERT INTO c VALUES (-1, 'q', 0)")
    w.sql("CREATE TABLE d SHALLOW CLONE c; CREATE TABLE e DEEP CLONE c")
    expect_equal(state(w, "d"), state(w, "c"))
    expect_equal(state(w, "e"), state(w, "c"))
    paths = [a["path"] for a in of_kind(w.actions("d", 0), "add")]
    expect_equal(sorted({"/c/" in p for p in paths}), [False, True])
    shutil.rmtree(w.path("s"))
    expect_equal(w.value("SELECT count(*) FROM e WHERE id = -1"), 1)
    expect_equal(w.run("sql", "-c", "SELECT sum(id) FROM e").status, 0)
    w.damages("c", "d")


@test
def test_clone__takes_a_version_and_properties_and_a_place(w):
    make(w)
    change(w)
    for kind in KINDS:
        w.sql(f"CREATE TABLE {kind} {kind} CLONE s VERSION AS OF 1 TBLPROPERTIES ('delta.appendOnly' = 'true', 'n' = 'x')"
              f" LOCATION '{w.path('elsewhere ' + kind)}'")
        expect_equal(state(w, kind), state(w, "s", 1))
        found = dict(w.rows(f"SHOW TBLPROPERTIES {kind}"))
        expect_equal((found["delta.appendOnly"], found["n"]), ("true", "x"))
        expect(os.path.isdir(w.path("elsewhere " + kind)), "the place")
    expect_equal(w.value("SELECT count(*) FROM s"), w.value("SELECT count(*) FROM s VERSION AS OF 3"))


@test
def test_clone__by_path_of_an_odd_name(w):
    odd = "odd %20 ü #+&,="
    w.sql(f"CREATE TABLE delta.`{w.path(odd)}` (id BIGINT, p STRING) PARTITIONED BY (p) "
          "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    w.sql(f"INSERT INTO delta.`{w.path(odd)}` SELECT range, 'é %41' || range % 3 FROM range(5000);"
          f"DELETE FROM delta.`{w.path(odd)}` WHERE id % 3 = 1 AND id > 9")
    for kind in KINDS:
        w.sql(f"CREATE TABLE delta.`{w.path(kind + ' ' + odd)}` {kind} CLONE delta.`{w.path(odd)}`")
        expect_equal(state(w, f"delta.`{w.path(kind + ' ' + odd)}`"), state(w, f"delta.`{w.path(odd)}`"))


@test
def test_clone__again_takes_only_what_changed(w):
    make(w, EVERYTHING)
    for kind in KINDS:
        again = f"CREATE OR REPLACE TABLE {kind} {kind} CLONE s"
        w.sql(again)
        expect_equal(w.rows(again)[0][2:], [0, 0, 0, 0])
        expect_equal(newest(w, kind), 0)
    w.sql("INSERT INTO s VALUES (9999, 'a b', 1); DELETE FROM s WHERE p = 'c%d'; DELETE FROM s WHERE id = 0")
    for kind in KINDS:
        again = f"CREATE OR REPLACE TABLE {kind} {kind} CLONE s"
        before = set(w.files(kind))
        figures = w.rows(again)[0]
        expect_equal(state(w, kind), state(w, "s"))
        adds, removes = (of_kind(w.actions(kind, 1), k) for k in ("add", "remove"))
        expect_equal((figures[2], len(removes), len(adds)), (2, 2, 2))
        if kind == "DEEP":
            expect_equal(figures[3], 1)
            expect(before < set(w.files(kind)), "all files to stay")
        w.sql(again)
        expect_equal(newest(w, kind), 1)
        w.sql(f"INSERT INTO {kind} VALUES (5, 'own', 5)")
        w.sql(again)
        expect_equal(state(w, kind), state(w, "s"))


@test
def test_clone__replaces_another_table_and_keeps_its_history(w):
    make(w)
    w.sql("CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, x STRING) "
          "TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true'); INSERT INTO t (x) VALUES ('old')")
    identity = of_kind(w.actions("t", 0), "metaData")[0]["id"]
    w.sql("CREATE OR REPLACE TABLE t SHALLOW CLONE s")
    expect_equal(state(w, "t"), state(w, "s"))
    expect_equal(w.rows("SELECT * FROM t VERSION AS OF 1"), [[1, "old"]])
    expect_equal(of_kind(w.actions("t", 2), "metaData")[0]["id"], identity)
    w.sql("CREATE OR REPLACE TABLE t DEEP CLONE s")
    expect_equal(state(w, "t"), state(w, "s"))
    expect(all("/" != a["path"][0] and "file:" not in a["path"] for a in of_kind(w.actions("t", 3), "add")), "copies")
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(state(w, "t"), [[1, "old"]])


@test
def test_clone__gives_row_ids_of_its_own(w):
    make(w, EVERYTHING, partitioned=False)
    w.sql("UPDATE s SET n = 100 WHERE id = 5")
    for kind in KINDS:
        w.sql(f"CREATE TABLE {kind} {kind} CLONE s; UPDATE {kind} SET n = 200 WHERE id = 6")
        ids = [r for r, in w.rows(f"SELECT _metadata.row_id FROM {kind}")]
        expect_equal(len(set(ids)), 3000)
        names = [dict(w.rows(f"SHOW TBLPROPERTIES {t}"))["delta.rowTracking.materializedRowIdColumnName"] for t in ("s", kind)]
        expect(names[0] != names[1], "a column of its own for moved ids")


@test
def test_clone__refuses_what_it_must(w):
    make(w)
    w.sql("CREATE TABLE t (a INT)")
    expect_failure(w.run("sql", "-c", "CREATE TABLE t SHALLOW CLONE s"), 1, "TABLE_ALREADY_EXISTS")
    expect_failure(w.run("sql", "-c", "REPLACE TABLE u DEEP CLONE s"), 1, "TABLE_NOT_FOUND")
    expect_failure(w.run("sql", "-c", "CREATE TABLE u SHALLOW CLONE nowhere"), 1, "TABLE_NOT_FOUND", "nowhere")
    expect_failure(w.run("sql", "-c", "CREATE OR REPLACE TABLE s SHALLOW CLONE s"), 1, "CLONE_INTO_ITSELF", "RESTORE")
    expect_failure(w.run("sql", "-c", "CREATE TABLE u SHALLOW CLONE s TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"),
                   1, "MAPPING_MODE_CHANGE")
    expect_failure(w.run("sql", "-c", "CREATE TABLE u SHALLOW CLONE s TBLPROPERTIES ('delta.nonsense' = '1')"),
                   1, "PROPERTY_UNKNOWN")
    expect_failure(w.run("sql", "-c", "CREATE TABLE u SHALLOW CLONE s AS SELECT 1"), 1, "DRY RUN")
    w.sql("CREATE TABLE IF NOT EXISTS t SHALLOW CLONE s")
    expect_equal(w.rows("SELECT * FROM t"), [])
    expect(not os.path.exists(w.path("u")), "nothing made")


@test
def test_clone__can_be_rehearsed(w):
    make(w)
    for kind in KINDS:
        rehearsed = w.rows(f"CREATE TABLE c {kind} CLONE s DRY RUN")
        expect(not os.path.exists(w.path("c")), "nothing made")
        expect_equal(w.rows(f"CREATE TABLE c {kind} CLONE s"), rehearsed)
        shutil.rmtree(w.path("c"))


@test
def test_clone__goes_on_with_what_an_earlier_run_has_copied(w):
    make(w, "'delta.enableDeletionVectors' = 'true'")
    change(w)
    w.sql("CREATE TABLE c DEEP CLONE s")
    shutil.rmtree(os.path.join(w.path("c"), "_delta_log"))
    data = [f for f in w.files("c") if f.endswith(".parquet")]
    os.unlink(os.path.join(w.path("c"), data[0]))
    expect_equal(w.rows("CREATE TABLE c DEEP CLONE s")[0][3], 1)
    expect_equal(state(w, "c"), state(w, "s"))
    # Another file of such a name is left alone.
    shutil.rmtree(os.path.join(w.path("c"), "_delta_log"))
    other = os.path.join(w.path("c"), data[0])
    with open(other, "r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"something of others!")
    with open(other, "rb") as file:
        bytes_of_others = file.read()
    expect_equal(w.rows("CREATE TABLE c DEEP CLONE s")[0][3], 1)
    expect_equal(state(w, "c"), state(w, "s"))
    with open(other, "rb") as file:
        expect(file.read() == bytes_of_others, "the other file as it was")


@test
def test_clone__names_a_file_of_the_source_that_is_missing(w):
    make(w)
    gone = next(f for f in w.files("s") if f.endswith(".parquet"))
    os.unlink(os.path.join(w.path("s"), gone))
    expect_failure(w.run("sql", "-c", "CREATE TABLE c DEEP CLONE s"), 5, "FILE_NOT_FOUND", gone.split("/")[-1])
    expect(not os.path.exists(w.log("c", 0)), "no commit")
    w.damages("s")


@test
def test_clone__of_tables_that_spark_wrote(w):
    names = ["combined_03", "combined_11", "deletion_vectors", "mapped_and_widened", "tracked_and_clustered", "variant",
             "clone_of_a_clone_and_a_version", "clone_of_an_odd_path", "nested_types", "in_commit_timestamps",
             "partitioned_by_timestamp", "random_prefixes", "v2_checkpoint_parquet", "removes_spelled_otherwise"]
    for name in names:
        source = os.path.join(PEERS_TABLES, name, "delta")
        if not os.path.isdir(source):
            continue
        for kind in KINDS:
            w.sql(f"CREATE TABLE {name}_{kind} {kind} CLONE delta.`{os.path.abspath(source)}`")
            expect(state(w, f"{name}_{kind}") == state(w, f"delta.`{os.path.abspath(source)}`"), f"{kind} {name}")

# ---- Directories of Parquet files ------------------------------------------------------------------------------------

def directory(w, count=2):
    os.makedirs(w.path("files"), exist_ok=True)
    for i in range(count):
        w.sql(f"COPY (SELECT range AS a, 's' || range AS s FROM range({i * 10}, {i * 10 + 10})) "
              f"TO '{w.path('files')}/{i}.parquet' (FORMAT parquet)")
    return w.path("files")


def clone_directory(w, kind, more="", name="c"):
    return w.rows(f"CREATE OR REPLACE TABLE {name} {kind} CLONE parquet.`{w.path('files')}` {more}")[0]


@test
def test_clone__of_a_directory_names_or_copies_its_files(w):
    files = directory(w)
    before = sorted(os.listdir(files))
    for kind, copied in (("SHALLOW", 0), ("DEEP", 2)):
        name = kind.lower()
        expect_equal(clone_directory(w, kind, "DRY RUN", name)[1:4], [2, 0, copied])
        expect(not os.path.exists(w.path(name)), "nothing after a dry run")
        expect_equal(clone_directory(w, kind, name=name)[1:4], [2, 0, copied])
        expect_equal(w.value(f"SELECT sum(a) FROM {name}"), 190)
        adds = [a["add"] for a in w.actions(name, 0) if "add" in a]
        stats = sorted((json.loads(a["stats"]) for a in adds), key=lambda s: s["minValues"]["a"])
        expect_equal([(s["numRecords"], s["maxValues"]["a"]) for s in stats], [(10, 9), (10, 19)])
        expect(all(a["path"].startswith("file:/") == (kind == "SHALLOW") for a in adds), repr(adds))
        info = next(a["commitInfo"] for a in w.actions(name, 0) if "commitInfo" in a)
        expect_equal(info["operation"], "CLONE")
        expect_equal(info["operationParameters"]["source"], f"parquet.`file:{files}`")
        expect_equal(clone_directory(w, kind, name=name)[1:4], [2, 0, 0])
        expect(not os.path.exists(w.log(name, 1)), "no commit without a difference")
    expect_equal(sorted(os.listdir(files)), before)


@test
def test_clone__of_a_directory_again_takes_what_changed(w):
    files = directory(w)
    for name, kind in (("shallow", "SHALLOW"), ("deep", "DEEP")):
        clone_directory(w, kind, name=name)
    w.sql(f"COPY (SELECT range AS a, 'new' AS s FROM range(100, 110)) TO '{files}/2.parquet' (FORMAT parquet)")
    w.sql(f"COPY (SELECT 1000 + range AS a, 'changed' AS s FROM range(0, 20)) TO '{files}/0.parquet' (FORMAT parquet)")
    os.unlink(f"{files}/1.parquet")
    for name, kind in (("shallow", "SHALLOW"), ("deep", "DEEP")):
        clone_directory(w, kind, name=name)
        expect_equal(w.rows(f"SELECT count(*), min(a), max(a) FROM {name}"), [[30, 100, 1019]])
        expect_equal(w.value(f"SELECT count(*) FROM {name} WHERE a < 50"), 0)
        expect_equal(clone_directory(w, kind, name=name)[2:4], [0, 0])


@test
def test_clone__of_a_directory_with_partitions_names_their_columns(w):
    for day in ("2024-01-01", "2024-01-02"):
        os.makedirs(w.path(f"files/day={day}"))
        w.sql(f"COPY (SELECT range AS a FROM range(5)) TO '{w.path('files')}/day={day}/x.parquet' (FORMAT parquet)")
    ran = w.run("sql", "-c", f"CREATE TABLE c DEEP CLONE parquet.`{w.path('files')}`")
    expect_failure(ran, 1, "PARTITION_COLUMNS_MISMATCH", "PARTITIONED BY")
    clone_directory(w, "SHALLOW", "PARTITIONED BY (day DATE) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    expect_equal(w.rows("SELECT day, sum(a) FROM c GROUP BY day ORDER BY day"), [["2024-01-01", 10], ["2024-01-02", 10]])
    w.sql("DELETE FROM c WHERE a = 4")
    expect_equal(w.value("SELECT count(*) FROM c"), 8)
    clone_directory(w, "SHALLOW", "PARTITIONED BY (day DATE) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    expect_equal(w.value("SELECT count(*) FROM c"), 10)


@test
def test_clone__of_a_directory_refuses_what_is_none(w):
    w.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
    expect_failure(w.run("sql", "-c", f"CREATE TABLE c CLONE parquet.`{w.path('t')}`"), 1, "IS_DELTA_TABLE")
    expect_failure(w.run("sql", "-c", f"CREATE TABLE c CLONE parquet.`{w.path('nothing')}`"), 1, "FILE_NOT_FOUND")
    os.makedirs(w.path("files"))
    with open(w.path("files/x.parquet"), "w", encoding="utf-8") as file:
        file.write("no parquet")
    expect_failure(w.run("sql", "-c", f"CREATE TABLE c CLONE parquet.`{w.path('files')}`"), 1, "NOT_PARQUET", "x.parquet")
    expect_failure(w.run("sql", "-c", f"CREATE TABLE c CLONE parquet.`{w.path('files')}` VERSION AS OF 1"), 1, "PARSE_ERROR")
    expect(not os.path.exists(w.path("c/_delta_log")), "no table")


sys.exit(main())
