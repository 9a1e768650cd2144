"""ALTER TABLE of properties, constraints and features, and tables that must be refused."""
import json
import os
import sys

from harness import PLAIN, World, expect, expect_equal, expect_failure, main, test

ID = "11111111-2222-3333-4444-555555555555"


def make(w, columns="id BIGINT, name STRING", **properties):
    text = ", ".join(f"'{k.replace('__', '.')}' = '{v}'" for k, v in properties.items())
    w.sql(PLAIN + f"CREATE TABLE t ({columns})" + (f" TBLPROPERTIES ({text})" if text else ""))
    w.sql("INSERT INTO t (id) SELECT range FROM range(5)")


def last(w, kind, table="t"):
    """The newest action of a kind."""
    found = None
    for name in sorted(os.listdir(os.path.dirname(w.log(table, 0)))):
        if name.endswith(".json") and name[:20].isdigit() and len(name) == 25:
            for action in w.actions(table, int(name[:20])):
                found = action.get(kind, found)
    return found


def protocol(w):
    found = last(w, "protocol")
    return (found["minReaderVersion"], found["minWriterVersion"], sorted(found.get("readerFeatures", [])),
            sorted(found.get("writerFeatures", [])))


def properties(w):
    return last(w, "metaData")["configuration"]


def refused(w, statement, status, *words):
    before = sorted(os.listdir(os.path.dirname(w.log("t", 0))))
    expect_failure(w.run("sql", "-c", statement), status, *words)
    expect_equal(sorted(os.listdir(os.path.dirname(w.log("t", 0)))), before)


def age(w, days, versions, table="t"):
    """Makes commits so many days older than they are."""
    for version in versions:
        path = w.log(table, version)
        then = os.stat(path).st_mtime - days * 86400
        os.utime(path, (then, then))


# ---- The log's retention -----------------------------------------------------------------------------


@test
def test_checkpoint__takes_what_has_expired_from_the_log(w):
    make(w)
    for i in range(12):
        w.sql(f"INSERT INTO t VALUES ({10 + i}, 'x')")
    expect(os.path.exists(w.log("t", 0)), "a young log stays")
    age(w, 40, range(12))
    w.sql("CHECKPOINT t")
    left = [v for v in range(14) if os.path.exists(w.log("t", v))]
    expect_equal(left, [10, 11, 12, 13])
    expect_equal(sorted(n for n in os.listdir(os.path.dirname(w.log("t", 0))) if n.endswith(".crc")),
                 [f"{v:020d}.crc" for v in left])
    expect_equal(w.value("SELECT count(*) FROM t"), 17)
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 10"), 14)
    expect_failure(w.run("sql", "-c", "SELECT * FROM t VERSION AS OF 9"), 1, "VERSION_OUT_OF_RANGE", "10 to 13")


@test
def test_checkpoint__keeps_the_log_of_a_table_that_says_so(w):
    make(w, delta__enableExpiredLogCleanup="false")
    w.sql("CHECKPOINT t")
    age(w, 40, range(2))
    w.sql("INSERT INTO t VALUES (7, 'x'); CHECKPOINT t")
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 0"), 0)


# ---- Properties --------------------------------------------------------------------------------------


@test
def test_create__gives_a_new_table_deletion_vectors_unless_it_is_told_otherwise(w):
    without = ["'delta.enableDeletionVectors' = 'false'", "'delta.minWriterVersion' = '4'",
               "'delta.enableIcebergCompatV1' = 'true', 'delta.columnMapping.mode' = 'name'"]
    for told in without:
        w.sql(f"CREATE OR REPLACE TABLE t (id BIGINT) TBLPROPERTIES ({told})")
        expect("deletionVectors" not in protocol(w)[2], f"{told} speaks against them, found {protocol(w)}")
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT)")
    expect("deletionVectors" not in protocol(w)[2], "what is replaced is given nothing that it had not")
    w.sql("CREATE TABLE u AS SELECT range AS id FROM range(10); DELETE FROM u WHERE id = 3")
    expect_equal(len([a for a in w.actions("u", 1) if "deletionVector" in a.get("add", {})]), 1)
    expect_equal(w.sql("SET spark.databricks.delta.properties.defaults.enableDeletionVectors"),
                 "spark.databricks.delta.properties.defaults.enableDeletionVectors = true\n")
    w.sql(PLAIN + "CREATE TABLE p (id BIGINT)")
    expect_equal(last(w, "metaData", "p")["configuration"], {})


@test
def test_set_properties__changes_values_and_says_so_in_the_history(w):
    make(w, delta__checkpointInterval="7", free="1")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.checkpointInterval' = '20', 'free' = 'two', mine.too = 3)")
    expect_equal(properties(w), {"delta.checkpointInterval": "20", "free": "two", "mine.too": "3"})
    expect_equal(protocol(w), (1, 2, [], []))
    info = last(w, "commitInfo")
    expect_equal(info["operation"], "SET TBLPROPERTIES")
    expect_equal(json.loads(info["operationParameters"]["properties"])["free"], "two")
    expect_equal(w.value("SELECT count(*) FROM t"), 5)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('comment' = 'about numbers')")
    expect_equal(last(w, "metaData")["description"], "about numbers")


@test
def test_set_properties__of_what_is_there_already_commits_nothing(w):
    make(w, free="1")
    out = w.sql("ALTER TABLE t SET TBLPROPERTIES ('free' = '1')")
    expect("nothing" in out, out)
    expect(not os.path.exists(w.log("t", 2)), "no version 2")


@test
def test_set_properties__refuses_what_is_wrong_before_anything_is_touched(w):
    make(w)
    for pair, words in (
            ("'delta.checkpointIntervall' = '7'", ["PROPERTY_UNKNOWN", "delta.checkpointInterval"]),
            ("'delta.checkpointInterval' = 'often'", ["PROPERTY_INVALID", "often"]),
            ("'delta.appendOnly' = 'maybe'", ["true or false"]),
            ("'delta.logRetentionDuration' = 'interval 2 months'", ["PROPERTY_INVALID"]),
            ("'delta.columnMapping.maxColumnId' = '7'", ["cannot be set"]),
            ("'delta.inCommitTimestampEnablementVersion' = '1'", ["cannot be set"]),
            ("'delta.constraints.c' = 'id > 0'", ["ADD CONSTRAINT"]),
            ("'delta.feature.clustering' = 'supported'", ["clustering"]),
            ("'delta.feature.appendOnly' = 'perhaps'", ["supported"]),
            ("'location' = '/else'", ["place"]),
            ("'free' = '1', 'delta.appendOnly' = '7'", ["true or false"])):
        refused(w, f"ALTER TABLE t SET TBLPROPERTIES ({pair})", 1, *words)
    for feature in ("fancy", "adaptiveMetadata-preview", "catalogManaged", "redirectReaderWriter-preview"):
        refused(w, f"ALTER TABLE t SET TBLPROPERTIES ('delta.feature.{feature}' = 'supported')", 4, feature)
    refused(w, "ALTER TABLE nope SET TBLPROPERTIES ('a' = 'b')", 1, "TABLE_NOT_FOUND")


@test
def test_set_properties__adds_the_features_that_they_need(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    expect_equal(protocol(w), (1, 7, [], ["appendOnly", "changeDataFeed", "invariants"]))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = true)")
    expect_equal(protocol(w), (3, 7, ["deletionVectors"],
                               ["appendOnly", "changeDataFeed", "deletionVectors", "invariants"]))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.checkpointPolicy' = 'v2', 'delta.enableTypeWidening' = 'true', "
          "'delta.feature.vacuumProtocolCheck' = 'supported', 'delta.feature.domainMetadata' = 'supported')")
    features = ["deletionVectors", "typeWidening", "v2Checkpoint", "vacuumProtocolCheck"]
    expect_equal(protocol(w), (3, 7, features,
                               sorted(features + ["appendOnly", "changeDataFeed", "domainMetadata", "invariants"])))
    expect("delta.feature.domainMetadata" not in properties(w), "no property that is none")
    w.sql("INSERT INTO t VALUES (9, 'x')")
    w.run("checkpoint", w.path("t"))
    expect_equal(w.value("SELECT count(*) FROM t"), 6)


@test
def test_set_properties__keeps_every_feature_that_a_version_implied(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')")
    expect_equal(protocol(w), (2, 5, [], []))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.feature.domainMetadata' = 'supported')")
    five = ["appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "domainMetadata",
            "generatedColumns", "invariants"]
    expect_equal(protocol(w), (2, 7, [], five))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    expect_equal(protocol(w), (3, 7, ["columnMapping", "deletionVectors"], sorted(five + ["deletionVectors"])))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.minWriterVersion' = '3')")
    expect_equal(protocol(w)[:2], (3, 7))


@test
def test_set_properties__to_writer_version_7_lists_what_the_table_had(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.minWriterVersion' = '7')")
    expect_equal(protocol(w), (1, 7, [], ["appendOnly", "invariants"]))


@test
def test_set_properties__maps_columns_by_name_and_never_by_id(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    expect_equal(properties(w)["delta.columnMapping.maxColumnId"], "2")
    expect("columnMapping" in protocol(w)[3] or protocol(w)[:2] == (2, 5), f"the feature: {protocol(w)!r}")
    w.sql("INSERT INTO t VALUES (7, 'seven')")
    expect_equal(w.rows("SELECT id, name FROM t WHERE id >= 4 ORDER BY id"), [[4, None], [7, "seven"]])
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')", 1, "id")
    refused(w, "ALTER TABLE t UNSET TBLPROPERTIES ('delta.columnMapping.mode')", 1, "cannot be unset")


@test
def test_set_properties__says_since_when_in_commit_timestamps_hold(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
    found = properties(w)
    expect_equal(found["delta.inCommitTimestampEnablementVersion"], "2")
    first = w.actions("t", 2)[0]["commitInfo"]
    expect_equal(found["delta.inCommitTimestampEnablementTimestamp"], str(first["inCommitTimestamp"]))
    w.sql("INSERT INTO t VALUES (7, 'x')")
    expect_equal(len(w.rows("DESCRIBE HISTORY t")), 4)
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 1"), 5)


@test
def test_set_properties__gives_row_ids_to_the_files_that_are_there(w):
    make(w)
    w.sql("INSERT INTO t VALUES (7, 'x')")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    expect_equal(properties(w)["delta.enableRowTracking"], "true")
    expect("delta.rowTracking.materializedRowIdColumnName" in properties(w), "the name of its column")
    expect({"rowTracking", "domainMetadata"} <= set(protocol(w)[3]), "the features")
    w.sql("INSERT INTO t VALUES (8, 'y')")
    expect_equal(w.value("SELECT count(*) FROM t"), 7)


@test
def test_set_properties__append_only_holds_at_once(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'true')")
    expect_failure(w.run("sql", "-c", "INSERT OVERWRITE t VALUES (1, 'x')"), 1, "appendOnly")


@test
def test_unset_properties__takes_them_away_or_says_that_they_are_not_there(w):
    make(w, delta__checkpointInterval="7", free="1")
    w.sql("ALTER TABLE t UNSET TBLPROPERTIES ('free')")
    expect_equal(properties(w), {"delta.checkpointInterval": "7"})
    info = last(w, "commitInfo")
    expect_equal([info["operation"], info["operationParameters"]],
                 ["UNSET TBLPROPERTIES", {"properties": '["free"]', "ifExists": False}])
    refused(w, "ALTER TABLE t UNSET TBLPROPERTIES ('free')", 1, "PROPERTY_NOT_FOUND", "free")
    w.sql("ALTER TABLE t UNSET TBLPROPERTIES IF EXISTS ('free', delta.checkpointInterval)")
    expect_equal(properties(w), {})
    for key, word in (("delta.feature.appendOnly", "DROP FEATURE"), ("delta.constraints.c", "DROP CONSTRAINT"),
                      ("delta.minWriterVersion", "cannot be unset")):
        refused(w, f"ALTER TABLE t UNSET TBLPROPERTIES IF EXISTS ('{key}')", 1, word)


# ---- Constraints -------------------------------------------------------------------------------------


@test
def test_add_constraint__holds_for_all_rows_from_then_on(w):
    make(w)
    w.sql("ALTER TABLE t ADD CONSTRAINT Positive CHECK (id >= 0 AND (name IS NULL OR name <> 'bad'))")
    expect_equal(properties(w), {"delta.constraints.positive": "id >= 0 AND (name IS NULL OR name <> 'bad')"})
    expect_equal(protocol(w), (1, 3, [], []))
    info = last(w, "commitInfo")
    expect_equal([info["operation"], info["operationParameters"]["name"]], ["ADD CONSTRAINT", "Positive"])
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (-1, 'x')"), 1, "CHECK_CONSTRAINT_VIOLATION", "positive")
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (NULL, 'x')"), 1, "CHECK_CONSTRAINT_VIOLATION")
    w.sql("INSERT INTO t VALUES (1, 'x')")
    refused(w, "ALTER TABLE t ADD CONSTRAINT POSITIVE CHECK (id > 0)", 1, "CONSTRAINT_EXISTS")


@test
def test_add_constraint__is_refused_where_a_row_breaks_it_or_it_is_none(w):
    make(w)
    refused(w, "ALTER TABLE t ADD CONSTRAINT c CHECK (id < 4)", 1, "CHECK_CONSTRAINT_VIOLATION")
    refused(w, "ALTER TABLE t ADD CONSTRAINT c CHECK (name = 'x')", 1, "CHECK_CONSTRAINT_VIOLATION")
    refused(w, "ALTER TABLE t ADD CONSTRAINT c CHECK (nope > 1)", 1, "nope")
    refused(w, "ALTER TABLE t ADD CONSTRAINT c CHECK (id + 1)", 1, "condition")
    refused(w, "ALTER TABLE t ADD CONSTRAINT c CHECK ()", 1, "PARSE_ERROR")


@test
def test_drop_constraint__lets_rows_in_again(w):
    make(w)
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (id < 10)")
    w.sql("ALTER TABLE t DROP CONSTRAINT C")
    expect_equal(properties(w), {})
    expect_equal(last(w, "commitInfo")["operationParameters"], {"name": "C", "expr": "id < 10", "existed": "true"})
    w.sql("INSERT INTO t VALUES (11, 'x')")
    refused(w, "ALTER TABLE t DROP CONSTRAINT c", 1, "CONSTRAINT_NOT_FOUND")
    w.sql("ALTER TABLE t DROP CONSTRAINT IF EXISTS c")


# ---- Features ----------------------------------------------------------------------------------------


@test
def test_drop_feature__takes_writer_features_away(w):
    make(w)
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (id < 10)")
    refused(w, "ALTER TABLE t DROP FEATURE checkConstraints", 1, "FEATURE_IN_USE", "delta.constraints.c")
    w.sql("ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t DROP FEATURE checkConstraints")
    expect_equal(protocol(w), (1, 2, [], []))
    expect_equal(last(w, "commitInfo")["operationParameters"],
                 {"featureName": "checkConstraints", "truncateHistory": False})
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true', "
          "'delta.feature.domainMetadata' = 'supported')")
    w.sql("ALTER TABLE t DROP FEATURE inCommitTimestamp; ALTER TABLE t DROP FEATURE domainMetadata")
    expect_equal([protocol(w), properties(w)], [(1, 2, [], []), {"delta.enableInCommitTimestamps": "false"}])
    w.sql("INSERT INTO t VALUES (11, 'x')")
    expect_equal(w.value("SELECT count(*) FROM t"), 6)


@test
def test_drop_feature__is_refused_where_something_would_be_left_behind(w):
    make(w, delta__enableDeletionVectors="true")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.feature.rowTracking' = 'supported', "
          "'delta.feature.timestampNtz' = 'supported')")
    for what, status, word in (("domainMetadata", 1, "'rowTracking' needs it"), ("appendOnly", 4, "FEATURE_STAYS"),
                               ("timestampNtz", 4, "FEATURE_STAYS"), ("columnMapping", 1, "FEATURE_NOT_FOUND"),
                               ("rowTracking TRUNCATE HISTORY", 1, "HISTORY_TRUNCATION_NOT_ALLOWED"),
                               ("`delta.enableDeletionVectors`", 1, "UNSET TBLPROPERTIES"),
                               ("fancy", 1, "FEATURE_NOT_FOUND")):
        refused(w, f"ALTER TABLE t DROP FEATURE {what}", status, word)


def operations(w, table="t"):
    out = w.sql(f"DESCRIBE HISTORY {table}", "--format", "ndjson")
    return [json.loads(line)["operation"] for line in reversed(out.splitlines())]


def newest(w, table="t"):
    return max(int(n[:20]) for n in os.listdir(os.path.dirname(w.log(table, 0)))
               if n.endswith(".json") and len(n) == 25)


def live(w, table="t"):
    """The live adds, by path."""
    files = {}
    for version in range(newest(w, table) + 1):
        for action in w.actions(table, version):
            if "remove" in action:
                files.pop(action["remove"]["path"], None)
        for action in w.actions(table, version):
            if "add" in action:
                files[action["add"]["path"]] = action["add"]
    return files


def expect_dropped(w, feature, *before):
    """The history ends as a drop at once ends: three barriers, the drop, a checkpoint each."""
    version = newest(w)
    expect_equal(operations(w)[-4 - len(before):], [*before] + 3 * ["Empty Commit"] + ["DROP FEATURE"])
    for v in range(version - 3, version + 1):
        expect(os.path.exists(w.log("t", v).replace(".json", ".checkpoint.parquet")), f"a checkpoint of {v}")
    expect_equal(properties(w)["delta.requireCheckpointProtectionBeforeVersion"], str(version))
    expect(feature not in protocol(w)[3] and "checkpointProtection" in protocol(w)[3], f"{protocol(w)!r}")
    expect_equal(last(w, "commitInfo")["operationParameters"], {"featureName": feature, "truncateHistory": False})


@test
def test_drop_feature__deletion_vectors_are_purged(w):
    make(w, columns="id BIGINT, name STRING) PARTITIONED BY (name", delta__enableDeletionVectors="true",
         delta__appendOnly="false")
    w.sql("INSERT INTO t SELECT range, 'p' || range % 2 FROM range(2000)")
    w.sql("DELETE FROM t WHERE id % 3 = 0")
    want = w.rows("SELECT * FROM t ORDER BY id, name")
    w.sql("ALTER TABLE t DROP FEATURE deletionVectors")
    expect_dropped(w, "deletionVectors", "UNSET TBLPROPERTIES", "REORG", "Deletion Vector Tombstones")
    expect_equal(protocol(w)[:3], (1, 7, []))
    expect_equal(w.rows("SELECT * FROM t ORDER BY id, name"), want)
    expect(all("deletionVector" not in a for a in live(w).values()), "no vectors")
    reorg = w.actions("t", newest(w) - 5)
    expect(all(not a[k]["dataChange"] for a in reorg for k in a if k in ("add", "remove")), "nothing changed")
    tombstones = [a["remove"] for a in w.actions("t", newest(w) - 4) if "remove" in a]
    expect(tombstones and all(r["path"].endswith(".bin") and os.path.exists(os.path.join(w.path("t"), r["path"]))
                              for r in tombstones), f"tombstones {tombstones!r}")
    w.sql("DELETE FROM t WHERE id % 5 = 0")
    expect(all("deletionVector" not in a for a in live(w).values()), "no new vectors")


@test
def test_drop_feature__keeps_the_ids_of_rows(w):
    make(w, columns="id INT, name STRING", delta__enableDeletionVectors="true", delta__enableRowTracking="true",
         delta__columnMapping__mode="name", delta__enableTypeWidening="true", delta__enableChangeDataFeed="true")
    w.sql("INSERT INTO t SELECT range + 10, 'x' FROM range(10); DELETE FROM t WHERE id IN (2, 15)")
    widen(w, "id", "integer", "long")
    query = "SELECT id, name, _metadata.row_id, _metadata.row_commit_version FROM t ORDER BY id"
    want = w.rows(query)
    for feature in ("deletionVectors", "columnMapping", "typeWidening"):
        w.sql(f"ALTER TABLE t DROP FEATURE {feature}")
        expect_equal([w.rows(query), feature in protocol(w)[3]], [want, False])
    expect_equal(w.value("SELECT count(*) FROM table_changes('t', 5, 9)"), 0)


@test
def test_drop_feature__deletion_vectors_of_a_table_that_has_none(w):
    make(w, delta__enableDeletionVectors="true")
    w.sql("ALTER TABLE t DROP FEATURE deletionVectors")
    expect_dropped(w, "deletionVectors", "UNSET TBLPROPERTIES")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true'); DELETE FROM t WHERE id = 1")
    w.sql("ALTER TABLE t DROP FEATURE deletionVectors")
    expect_equal(w.value("SELECT count(*) FROM t"), 4)


@test
def test_drop_feature__v2_checkpoints_end_with_a_classic_one(w):
    make(w, delta__checkpointPolicy="v2")
    w.sql("CHECKPOINT t")
    w.sql("ALTER TABLE t DROP FEATURE v2Checkpoint")
    expect_dropped(w, "v2Checkpoint", "SET TBLPROPERTIES")
    expect_equal(properties(w)["delta.checkpointPolicy"], "classic")
    expect_equal(w.value("SELECT count(*) FROM t"), 5)


@test
def test_drop_feature__column_mapping_writes_files_under_the_names_of_columns(w):
    make(w, columns="id BIGINT, name STRING) PARTITIONED BY (name", delta__columnMapping__mode="name",
         delta__enableDeletionVectors="true")
    w.sql("INSERT INTO t SELECT range, 'x' || range % 3 FROM range(30); DELETE FROM t WHERE id = 7")
    want = w.rows("SELECT * FROM t ORDER BY id, name")
    w.sql("ALTER TABLE t DROP FEATURE columnMapping")
    expect_dropped(w, "columnMapping", "REMOVE COLUMN MAPPING")
    expect(not any(k.startswith("delta.columnMapping") for k in properties(w)), f"{properties(w)!r}")
    expect("columnMapping" not in last(w, "metaData")["schemaString"], "no names left")
    expect(all(list(a["partitionValues"]) == ["name"] for a in live(w).values()), "plain partition values")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id, name"), want)


@test
def test_set_properties__column_mapping_to_none_keeps_the_feature(w):
    make(w, columns="id BIGINT, name STRING, s STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>",
         delta__columnMapping__mode="id")
    w.sql("INSERT INTO t VALUES (7, 'x', {'a': 1, 'b': [{'c': 'deep'}]})")
    want = w.rows("SELECT * FROM t ORDER BY id")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")
    expect_equal(properties(w), {"delta.columnMapping.mode": "none"})
    expect_equal([operations(w)[-1], w.rows("SELECT * FROM t ORDER BY id")], ["REMOVE COLUMN MAPPING", want])
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), want)


@test
def test_drop_feature__column_mapping_goes_from_clustered_tables_too(w):
    w.sql("CREATE TABLE t (x INT, id BIGINT, s STRUCT<a: STRING, b: INT>) CLUSTER BY (s.a, id) TBLPROPERTIES ("
          "'delta.columnMapping.mode' = 'name', 'delta.dataSkippingNumIndexedCols' = '3')")
    w.sql("INSERT INTO t SELECT 1, range, {'a': 'x' || range, 'b': 2} FROM range(30)")
    want = w.rows("SELECT * FROM t ORDER BY id")
    clustering = lambda: json.loads(last(w, "domainMetadata")["configuration"])["clusteringColumns"]
    expect(clustering()[1] != ["id"], "a physical name")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0')")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")
    expect_equal(clustering(), [["s", "a"], ["id"]])
    stats = json.loads(next(iter(live(w).values()))["stats"])
    expect_equal([stats["minValues"], w.rows("SELECT * FROM t ORDER BY id")], [{"id": 0, "s": {"a": "x0"}}, want])
    w.sql("INSERT INTO t VALUES (2, 40, NULL); OPTIMIZE t")
    expect_equal(w.value("SELECT count(*) FROM t"), 31)


@test
def test_set_properties__column_mapping_stays_where_a_name_needs_it(w):
    make(w, columns="id BIGINT, `a name` STRING", delta__columnMapping__mode="name")
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')", 1, "a name")


def widen(w, column, before, after):
    """Gives a column a wider type, as ALTER COLUMN ... TYPE of Spark does."""
    version = newest(w)
    metadata = json.loads(json.dumps(last(w, "metaData")))
    schema = json.loads(metadata["schemaString"])
    for field in schema["fields"]:
        if field["name"] == column:
            field["type"] = after
            field["metadata"]["delta.typeChanges"] = [{"fromType": before, "toType": after}]
    metadata["schemaString"] = json.dumps(schema)
    w.write_log("t", version + 1, [{"commitInfo": {"operation": "CHANGE COLUMN"}}, {"metaData": metadata}])


@test
def test_drop_feature__type_widening_writes_the_files_of_older_types(w):
    make(w, columns="id INT, name STRING", delta__enableTypeWidening="true")
    widen(w, "id", "integer", "long")
    w.sql("INSERT INTO t VALUES (5000000000, 'wide')")
    wide = set(live(w)) - {next(iter(live(w)))}
    want = w.rows("SELECT * FROM t ORDER BY id")
    w.sql("ALTER TABLE t DROP FEATURE typeWidening")
    expect_dropped(w, "typeWidening", "UNSET TBLPROPERTIES", "REORG", "DROP FEATURE")
    expect("typeChanges" not in last(w, "metaData")["schemaString"], "no changes left")
    expect(wide <= set(live(w)), "the file of the new type stays")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), want)


@test
def test_drop_feature__row_tracking_takes_ids_from_all_files(w):
    make(w, delta__enableRowTracking="true")
    w.sql("ALTER TABLE t DROP FEATURE rowTracking; ALTER TABLE t DROP FEATURE domainMetadata")
    expect_equal(operations(w)[2:], ["SET TBLPROPERTIES", "ROW TRACKING UNBACKFILL", "DROP FEATURE", "DROP FEATURE"])
    expect_equal([protocol(w), properties(w)], [(1, 2, [], []), {}])
    expect(all("baseRowId" not in a and "defaultRowCommitVersion" not in a for a in live(w).values()), "no ids")
    w.sql("INSERT INTO t VALUES (9, 'x')")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    expect_equal(w.value("SELECT count(DISTINCT _metadata.row_id) FROM t"), 6)


@test
def test_drop_feature__domain_metadata_takes_domains_along(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.feature.domainMetadata' = 'supported')")
    w.write_log("t", newest(w) + 1, [{"commitInfo": {"operation": "X"}}, {"domainMetadata": {
        "domain": "mine", "configuration": "{}", "removed": False}}])
    w.sql("ALTER TABLE t DROP FEATURE domainMetadata")
    expect_equal(operations(w)[-2:], ["DOMAIN METADATA CLEANUP", "DROP FEATURE"])
    expect_equal(protocol(w), (1, 2, [], []))


@test
def test_drop_feature__with_truncate_history_waits_until_nothing_old_is_left(w):
    make(w, delta__enableDeletionVectors="true")
    w.sql("DELETE FROM t WHERE id = 1")
    statement = "ALTER TABLE t DROP FEATURE deletionVectors TRUNCATE HISTORY"
    expect_failure(w.run("sql", "-c", statement), 3, "WAIT_FOR_RETENTION_PERIOD")
    expect_equal([newest(w), operations(w)[-1]], [6, "Empty Commit"])
    expect_failure(w.run("sql", "-c", statement), 3, "HISTORICAL_VERSIONS_EXIST")
    expect("deletionVectors" in protocol(w)[3], "not yet")
    age(w, 2, range(newest(w) + 1))
    w.sql(statement)
    expect_equal(protocol(w), (1, 2, [], []))
    expect_equal(last(w, "commitInfo")["operationParameters"]["truncateHistory"], True)
    expect(not os.path.exists(w.log("t", 3)), "the history is cut off")
    expect_equal(w.value("SELECT count(*) FROM t"), 4)


@test
def test_drop_feature__vacuum_protocol_check_and_then_the_protection(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.feature.vacuumProtocolCheck' = 'supported')")
    w.sql("ALTER TABLE t DROP FEATURE vacuumProtocolCheck")
    expect_dropped(w, "vacuumProtocolCheck")
    refused(w, "ALTER TABLE t DROP FEATURE checkpointProtection", 1, "HISTORY_TRUNCATION_NEEDED")
    statement = "ALTER TABLE t DROP FEATURE checkpointProtection TRUNCATE HISTORY"
    expect_failure(w.run("sql", "-c", statement), 3, "WAIT_FOR_RETENTION_PERIOD")
    age(w, 2, range(newest(w) + 1))
    w.sql(statement)
    expect_equal([protocol(w), properties(w)], [(1, 2, [], []), {}])
    expect_equal(w.value("SELECT count(*) FROM t"), 5)


# ---- Identity columns and Iceberg --------------------------------------------------------------------


def mark(w, column="id"):
    fields = json.loads(last(w, "metaData")["schemaString"])["fields"]
    return next(f for f in fields if f["name"] == column)["metadata"].get("delta.identity.highWaterMark")


@test
def test_sync_identity__moves_the_mark_to_where_values_end(w):
    w.sql("CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 3), x INT)")
    w.sql("ALTER TABLE t ALTER COLUMN id SYNC IDENTITY")
    expect_equal([mark(w), newest(w)], [None, 0])
    w.sql("INSERT INTO t VALUES (9, 0); ALTER TABLE t ALTER COLUMN id SYNC IDENTITY")
    expect_equal([mark(w), newest(w)], [None, 1])
    w.sql("INSERT INTO t VALUES (20, 1); ALTER TABLE t CHANGE COLUMN ID SYNC IDENTITY")
    expect_equal([mark(w), operations(w)[-1]], [22, "CHANGE COLUMN"])
    info = last(w, "commitInfo")
    expect_equal(json.loads(info["operationParameters"]["column"])["metadata"]["delta.identity.highWaterMark"], 22)
    w.sql("INSERT INTO t (x) VALUES (2)")
    expect_equal(w.rows("SELECT id FROM t ORDER BY id"), [[9], [20], [25]])
    w.sql("DELETE FROM t WHERE id = 25")
    out = w.sql("ALTER TABLE t ALTER id SYNC IDENTITY")
    expect("nothing" in out, "a mark never goes back")
    refused(w, "ALTER TABLE t ALTER COLUMN x SYNC IDENTITY", 1, "NO_IDENTITY_COLUMN")
    refused(w, "ALTER TABLE t ALTER COLUMN y SYNC IDENTITY", 1, "COLUMN_NOT_FOUND")


@test
def test_sync_identity__of_falling_values(w):
    w.sql("CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH -1 INCREMENT BY -5), x INT)")
    w.sql("INSERT INTO t VALUES (-8, 0), (100, 1); ALTER TABLE t ALTER COLUMN id SYNC IDENTITY")
    expect_equal(mark(w), -11)
    w.sql("INSERT INTO t (x) VALUES (2)")
    expect_equal(w.value("SELECT min(id) FROM t"), -16)


@test
def test_set_properties__iceberg_compatibility_of_a_table_with_files(w):
    make(w)
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", 1, "ICEBERG_COMPAT")
    before = set(live(w))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableIcebergCompatV2' = 'true')")
    expect_equal(set(live(w)), before)
    expect("icebergCompatV2" in protocol(w)[3], f"{protocol(w)!r}")
    w.sql("INSERT INTO t VALUES (77, 'x')")
    expect_equal(w.value("SELECT count(*) FROM t"), 6)
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableIcebergCompatV1' = 'true')", 1, "ICEBERG_COMPAT")


@test
def test_set_properties__iceberg_compatibility_writes_files_again_that_lack_what_it_needs(w):
    make(w, columns="id BIGINT, name STRING) PARTITIONED BY (name", delta__columnMapping__mode="name",
         delta__enableDeletionVectors="true")
    w.sql("INSERT INTO t VALUES (7, 'a'), (8, 'a'); DELETE FROM t WHERE id = 7")
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", 1, "ICEBERG_COMPAT")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')")
    want = w.rows("SELECT * FROM t ORDER BY id")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')")
    files = live(w)
    expect(all("deletionVector" not in f and not f["dataChange"] for f in files.values()), f"{files!r}")
    physical = json.loads(last(w, "metaData")["schemaString"])["fields"][1]["metadata"][
        "delta.columnMapping.physicalName"]
    for path in files:
        names = w.rows(f"SELECT name FROM parquet_schema('{w.path('t')}/{path}')")
        expect([physical] in names, f"the partition column in {names!r}")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), want)


# ---- Tables that are refused -------------------------------------------------------------------------


def plant(w, name, reader, writer):
    """A table with one file and these features."""
    w.sql(f"CREATE TABLE {name} AS SELECT 42 AS x")
    actions = w.actions(name, 0)
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3 if reader else 1, "minWriterVersion": 7,
                                  "writerFeatures": reader + writer}
            if reader:
                action["protocol"]["readerFeatures"] = reader
    w.write_log(name, 0, actions)
    checksum = w.log(name, 0).replace(".json", ".crc")
    if os.path.exists(checksum):
        os.unlink(checksum)
    w.damages(name)


@test
def test_refusal__of_reader_features_that_are_not_known_comes_first(w):
    for i, feature in enumerate(("adaptiveMetadata-preview", "catalogManaged", "catalogOwned-preview",
                                 "redirectReaderWriter-preview", "brandNew")):
        name = f"r{i}"
        plant(w, name, [feature], [])
        before = w.files(name)
        for statement in (f"SELECT * FROM {name}", f"SELECT count(*) FROM {name}", f"INSERT INTO {name} VALUES (1)",
                          f"INSERT OVERWRITE {name} VALUES (1)", f"CREATE OR REPLACE TABLE {name} AS SELECT 1 AS y",
                          f"ALTER TABLE {name} SET TBLPROPERTIES ('a' = 'b')", f"CHECKPOINT {name}"):
            expect_failure(w.run("sql", "-c", statement), 4, "FEATURE_UNSUPPORTED", feature)
        expect_equal(w.files(name), before)
        expect(not os.path.exists(w.log(name, 1)), "no new version")


@test
def test_refusal__of_writer_features_lets_the_table_be_read(w):
    for i, feature in enumerate(("coordinatedCommits-preview", "redirectWriterOnly-preview", "icebergCompatV3",
                                 "collations-preview", "brandNew")):
        name = f"w{i}"
        plant(w, name, [], [feature])
        expect_equal(w.rows(f"SELECT x FROM {name}"), [[42]])
        before = w.files(name)
        for statement in (f"INSERT INTO {name} VALUES (1)", f"INSERT OVERWRITE {name} VALUES (1)",
                          f"DELETE FROM {name}", f"ALTER TABLE {name} SET TBLPROPERTIES ('a' = 'b')",
                          f"ALTER TABLE {name} ADD CONSTRAINT c CHECK (x > 0)"):
            expect_failure(w.run("sql", "-c", statement), 4, "FEATURE_UNSUPPORTED", feature)
        expect_equal(w.files(name), before)


sys.exit(main())
