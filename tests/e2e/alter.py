"""ALTER TABLE of properties, constraints and features, and tables that must be refused."""
import json
import os
import sys

from harness import World, expect, expect_equal, expect_failure, main, test

ID = "11111111-2222-3333-4444-555555555555"


def make(w, columns="id BIGINT, name STRING", **properties):
    text = ", ".join(f"'{k.replace('__', '.')}' = '{v}'" for k, v in properties.items())
    w.sql(f"CREATE TABLE t ({columns})" + (f" TBLPROPERTIES ({text})" if text else ""))
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
def test_set_properties__maps_columns_by_name_and_never_back_or_by_id(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    expect_equal(properties(w)["delta.columnMapping.maxColumnId"], "2")
    expect("columnMapping" in protocol(w)[3] or protocol(w)[:2] == (2, 5), f"the feature: {protocol(w)!r}")
    w.sql("INSERT INTO t VALUES (7, 'seven')")
    expect_equal(w.rows("SELECT id, name FROM t WHERE id >= 4 ORDER BY id"), [[4, None], [7, "seven"]])
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')", 1, "none")
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
def test_set_properties__append_only_and_iceberg_rules_hold_at_once(w):
    make(w)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'true')")
    expect_failure(w.run("sql", "-c", "INSERT OVERWRITE t VALUES (1, 'x')"), 1, "appendOnly")
    refused(w, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true', "
            "'delta.columnMapping.mode' = 'name')", 4, "enableIcebergCompatV2")


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
    expect_equal([protocol(w), properties(w)], [(1, 7, [], ["appendOnly", "invariants"]), {}])
    w.sql("INSERT INTO t VALUES (11, 'x')")
    expect_equal(w.value("SELECT count(*) FROM t"), 6)


@test
def test_drop_feature__is_refused_where_something_would_be_left_behind(w):
    make(w, delta__enableDeletionVectors="true")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.feature.rowTracking' = 'supported')")
    for feature, status, word in (("deletionVectors", 4, "FEATURE_STAYS"), ("rowTracking", 4, "FEATURE_STAYS"),
                                  ("domainMetadata", 4, "rowTracking"), ("appendOnly", 4, "no way"),
                                  ("columnMapping", 1, "FEATURE_NOT_FOUND"), ("fancy", 1, "FEATURE_NOT_FOUND")):
        refused(w, f"ALTER TABLE t DROP FEATURE {feature}", status, word)


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
