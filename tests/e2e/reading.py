"""Reading tables of others: what changed in them, where rows come from, and files of every kind."""
import json
import os
import sys
import shutil
import random
import struct
import urllib.parse

import parquet_by_hand as by_hand
from harness import World, expect, expect_equal, expect_failure, main, test

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


# ---- Tables by hand --------------------------------------------------------------------------------


def field(name, kind, **metadata):
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def mapped(name, kind, number, physical):
    return field(name, kind, **{"delta.columnMapping.id": number,
                                "delta.columnMapping.physicalName": physical})


def schema(*fields):
    return {"type": "struct", "fields": list(fields)}


def metadata(table_schema, partitions=(), **configuration):
    return {"metaData": {
        "id": "11111111-2222-3333-4444-555555555555", "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(table_schema), "partitionColumns": list(partitions),
        "configuration": configuration, "createdTime": 1700000000000}}


def protocol(*features, writer_only=()):
    return {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": list(features),
                         "writerFeatures": list(features) + list(writer_only)}}


CDF = {"delta.enableChangeDataFeed": "true"}
OLD_PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 4}}


def data_file(w: World, name, query, **more):
    """Writes the rows of a query below the table `t` and returns the action that adds them."""
    path = os.path.join(w.path("t"), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    w.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return {"path": name, "partitionValues": {}, "size": os.path.getsize(path), "modificationTime": 1,
            "dataChange": True, **more}


def add(action, **more):
    return {"add": {**action, **more}}


def remove(action, **more):
    return {"remove": {**action, "deletionTimestamp": 1700000000000, **more}}


def deleted_rows(*rows):
    """A deletion vector that stands in the log."""
    bitmap = struct.pack("<IIHH", 12346, 1, 0, len(rows) - 1) + struct.pack("<I", 16)
    bitmap += b"".join(struct.pack("<H", row) for row in sorted(rows))
    payload = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    padded = payload + b"\0" * (-len(payload) % 4)
    text = ""
    for at in range(0, len(padded), 4):
        number, = struct.unpack(">I", padded[at:at + 4])
        text += "".join(Z85[number // 85 ** power % 85] for power in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(payload),
            "cardinality": len(rows)}


ID_NAME = schema(field("id", "long"), field("name", "string"))


# ---- Changes ---------------------------------------------------------------------------------------


@test
def test_changes__are_added_rows_as_inserts_and_removed_ones_as_deletes(w):
    w.sql("CREATE TABLE t (id INT, p STRING) PARTITIONED BY (p) "
          "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    w.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    w.sql("INSERT OVERWRITE t VALUES (3, 'c')")
    columns = "id, p, _change_type, _commit_version"
    everything = [[1, "a", "insert", 1], [2, None, "insert", 1], [1, "a", "delete", 2],
                  [2, None, "delete", 2], [3, "c", "insert", 2]]
    order = "ORDER BY _commit_version, _change_type, id"
    expect_equal(w.rows(f"SELECT {columns} FROM table_changes('t', 0) {order}"), everything)
    expect_equal(w.rows(f"SELECT {columns} FROM table_changes('t', 2, 2) {order}"), everything[2:])
    expect_equal(w.rows(f"SELECT {columns} FROM table_changes_by_path('{w.path('t')}', 0, 1) {order}"),
                 everything[:2])
    expect_equal(w.rows(f"SELECT {columns} FROM table_changes('delta.`{w.path('t')}`', 1 + 1, 9) {order}"),
                 everything[2:])
    expect_equal(list(json.loads(w.sql("SELECT * FROM table_changes('t', 1) LIMIT 1", "--format", "ndjson"))),
                 ["id", "p", "_change_type", "_commit_version", "_commit_timestamp"])


@test
def test_changes__join_filter_and_insert_like_tables(w):
    w.sql("CREATE TABLE t TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS SELECT 1 AS id")
    w.sql("INSERT INTO t VALUES (2), (3)")
    expect_equal(w.rows("SELECT a.id AS a, b.id AS b FROM table_changes('t', 0) a JOIN t AS b "
                        "ON a.id + 1 = b.id ORDER BY 1"), [[1, 2], [2, 3]])
    expect_equal(w.value("SELECT count(*) FROM table_changes('t', 1) AS c WHERE c.id > 2"), 1)
    expect_equal(w.value("SELECT count(*) FROM table_changes('t', 1)"), 2)
    w.sql("CREATE TABLE changed AS SELECT * FROM table_changes('t', 1)")
    expect_equal(w.value("SELECT count(*) FROM changed WHERE _change_type = 'insert'"), 2)
    w.sql("INSERT INTO t SELECT id + 10 FROM table_changes('t', 1, 1)")
    expect_equal(w.rows("SELECT id FROM table_changes('t', 2) ORDER BY id"), [[12], [13]])
    plan = w.sql("EXPLAIN SELECT * FROM table_changes('t', 0) WHERE id > 2 AND _commit_version = 1")
    expect("3 in the table, 1 after partitions, 1 after statistics" in plan, plan)


@test
def test_changes__of_a_version_that_recorded_them_are_those_alone(w):
    w.write_log("t", 0, [OLD_PROTOCOL, metadata(ID_NAME, **CDF),
                         add(data_file(w, "a.parquet", "SELECT 1::BIGINT AS id, 'x' AS name"))])
    one = data_file(w, "a.parquet", "SELECT 1::BIGINT AS id, 'x' AS name")
    two = data_file(w, "b.parquet", "SELECT 1::BIGINT AS id, 'y' AS name")
    changed = data_file(w, "_change_data/c.parquet",
                        "SELECT * FROM (VALUES (1::BIGINT, 'x', 'update_preimage'), "
                        "(1, 'y', 'update_postimage')) c(id, name, _change_type)", dataChange=False)
    w.write_log("t", 1, [remove(one), add(two), {"cdc": changed}])
    w.write_log("t", 2, [remove(two)])
    expect_equal(w.rows("SELECT id, name, _change_type, _commit_version FROM table_changes('t', 0) "
                        "ORDER BY 4, 3 DESC"),
                 [[1, "x", "insert", 0], [1, "x", "update_preimage", 1], [1, "y", "update_postimage", 1],
                  [1, "y", "delete", 2]])
    expect_equal(w.rows("SELECT name FROM table_changes('t', 0) WHERE _change_type LIKE 'update_post%'"),
                 [["y"]])


@test
def test_changes__tell_of_deletes_and_updates_however_they_were_written(w):
    for number, (vectors, mapping) in enumerate((("true", "none"), ("false", "none"), ("true", "name"), ("false", "id"))):
        w.sql(f"CREATE TABLE t{number} (id INT, p STRING, v INT) PARTITIONED BY (p) TBLPROPERTIES ("
              f"'delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '{vectors}', "
              f"'delta.columnMapping.mode' = '{mapping}')")
        w.sql(f"INSERT INTO t{number} VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3); DELETE FROM t{number} WHERE id = 2; "
              f"UPDATE t{number} SET v = v + 10 WHERE id = 3; DELETE FROM t{number} WHERE p = 'b'")
        expect_equal(w.rows(f"SELECT id, p, v, _change_type, _commit_version FROM table_changes('t{number}', 2) "
                            "ORDER BY _commit_version, _change_type DESC"),
                     [[2, "a", 2, "delete", 2], [3, "b", 3, "update_preimage", 3], [3, "b", 13, "update_postimage", 3],
                      [3, "b", 13, "delete", 4]])


@test
def test_changes__leave_out_what_only_rearranged(w):
    one = data_file(w, "a.parquet", "SELECT range AS id, 'x' AS name FROM range(3)")
    w.write_log("t", 0, [OLD_PROTOCOL, metadata(ID_NAME, **CDF), add(one)])
    two = data_file(w, "b.parquet", "SELECT range AS id, 'x' AS name FROM range(3)")
    w.write_log("t", 1, [remove(one, dataChange=False), add(two, dataChange=False)])
    three = data_file(w, "c.parquet", "SELECT range AS id, 'x' AS name FROM range(3)")
    w.write_log("t", 2, [{"commitInfo": {"operation": "MERGE", "operationMetrics": {
        "numTargetRowsInserted": "0", "numTargetRowsUpdated": "0", "numTargetRowsDeleted": "0"}}},
        remove(two), add(three)])
    expect_equal(w.value("SELECT count(*) FROM table_changes('t', 1)"), 0)


@test
def test_changes__of_deletion_vectors_are_their_difference(w):
    file = data_file(w, "a.parquet", "SELECT range AS id, 'x' AS name FROM range(10)",
                     stats=json.dumps({"numRecords": 10}))
    w.write_log("t", 0, [protocol("deletionVectors", writer_only=["changeDataFeed"]),
                         metadata(ID_NAME, **CDF), add(file)])
    first, second = deleted_rows(1, 2, 3), deleted_rows(2, 3, 7, 8)
    w.write_log("t", 1, [remove(file), add(file, deletionVector=first)])
    w.write_log("t", 2, [add(file, deletionVector=second), remove(file, deletionVector=first)])
    w.write_log("t", 3, [remove(file, deletionVector=second), add(file)])
    w.write_log("t", 4, [remove(file)])
    expect_equal(w.rows("SELECT _commit_version, _change_type, list(id ORDER BY id) "
                        "FROM table_changes('t', 1) GROUP BY ALL ORDER BY 1, 2"),
                 [[1, "delete", [1, 2, 3]], [2, "delete", [7, 8]], [2, "insert", [1]],
                  [3, "insert", [2, 3, 7, 8]], [4, "delete", list(range(10))]])
    expect_equal(w.rows("SELECT id FROM table_changes('t', 2, 2) WHERE id > 7"), [[8]])


@test
def test_changes__read_mapped_columns_with_the_names_of_the_last_version(w):
    mapping = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "3", **CDF}
    before = schema(mapped("id", "long", 1, "col-1"), mapped("part", "string", 2, "col-2"))
    after = schema(*before["fields"], mapped("more", "long", 3, "col-3"))
    one = data_file(w, "a.parquet", 'SELECT 1::BIGINT AS "col-1"', partitionValues={"col-2": "p"})
    two = data_file(w, "b.parquet", 'SELECT 2::BIGINT AS "col-1", 5::BIGINT AS "col-3"',
                    partitionValues={"col-2": "q"})
    w.write_log("t", 0, [protocol("columnMapping", writer_only=["changeDataFeed"]),
                         metadata(before, ["part"], **mapping), add(one)])
    w.write_log("t", 1, [metadata(after, ["part"], **mapping), add(two)])
    renamed = schema(mapped("id", "long", 1, "col-1"), mapped("part", "string", 2, "col-2"),
                     mapped("other", "long", 3, "col-3"))
    w.write_log("t", 2, [metadata(renamed, ["part"], **mapping)])
    expect_equal(w.rows("SELECT id, part, more FROM table_changes('t', 0, 1) ORDER BY id"),
                 [[1, "p", None], [2, "q", 5]])
    expect_failure(w.run("sql", "-c", "SELECT * FROM table_changes('t', 0, 2)"), 1,
                   "CHANGE_DATA_FEED_INCOMPATIBLE_", "version 1", "version 2")
    expect_equal(w.rows("SELECT * FROM table_changes('t', 2)"), [])


@test
def test_changes__have_the_times_that_commits_state(w):
    def info(time_ms):
        return {"commitInfo": {"timestamp": 5, "inCommitTimestamp": time_ms, "operation": "WRITE"}}
    times = [1700000000000, 1700000010000, 1700000020123]
    file = data_file(w, "a.parquet", "SELECT 1::BIGINT AS id, 'x' AS name")
    for version, time_ms in enumerate(times):
        head = [protocol(writer_only=["changeDataFeed", "inCommitTimestamp"]),
                metadata(ID_NAME, **CDF, **{"delta.enableInCommitTimestamps": "true"})]
        w.write_log("t", version, [info(time_ms), *(head if version == 0 else []),
                                   add(file, path=f"a.parquet?{version}"[:9])])
    expect_equal(w.rows("SELECT _commit_version, epoch_ms(_commit_timestamp) FROM table_changes('t', 0) "
                        "ORDER BY 1"), [[i, t] for i, t in enumerate(times)])

    def versions(*bounds):
        quoted = ", ".join(f"'{b}'" for b in bounds)
        return [r[0] for r in w.rows(f"SELECT DISTINCT _commit_version FROM table_changes('t', {quoted}) "
                                     "ORDER BY 1")]
    expect_equal(versions("2023-11-14 22:13:20"), [0, 1, 2])
    expect_equal(versions("2023-11-14 22:13:20.001"), [1, 2])
    expect_equal(versions("2000-01-01"), [0, 1, 2])
    expect_equal(versions("2023-11-14 22:13:21", "2023-11-14 22:13:30"), [1])
    expect_equal(versions("2023-11-14 22:13:21", "2023-11-14 22:13:22"), [])
    expect_equal(w.value("SELECT count(*) FROM table_changes('t', TIMESTAMP '2023-11-14 22:13:21', 1)"), 1)
    for bounds, words in (("'2030-01-01'", ["TIMESTAMP_OUT_OF_RANGE"]),
                          ("0, '2030-01-01'", ["TIMESTAMP_OUT_OF_RANGE"]),
                          ("'2023-11-14 22:13:25', '2023-11-14 22:13:21'", ["CHANGES_RANGE_INVALID"])):
        expect_failure(w.run("sql", "-c", f"SELECT * FROM table_changes('t', {bounds})"), 1, *words)


@test
def test_changes__refuse_ranges_that_have_no_answer(w):
    w.sql("CREATE TABLE t (id INT)")
    w.sql("INSERT INTO t VALUES (1)")
    w.sql("CREATE TABLE u (id INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    off = metadata(schema(field("id", "integer")))
    off["metaData"]["id"] = next(a["metaData"]["id"] for a in w.actions("u", 0) if "metaData" in a)
    w.write_log("u", 1, [off])
    for query, words in (
            ("table_changes('t', 0)", ["CHANGES_NOT_RECORDED", "version 0"]),
            ("table_changes('t', 1)", ["CHANGES_NOT_RECORDED", "version 1"]),
            ("table_changes('u', 0)", ["CHANGES_NOT_RECORDED", "version 1"]),
            ("table_changes('u', 2)", ["VERSION_OUT_OF_RANGE", "1"]),
            ("table_changes('u', 1, 0)", ["CHANGES_RANGE_INVALID"]),
            ("table_changes('u', -1)", ["VERSION_INVALID"]),
            ("table_changes('u', NULL)", ["CHANGES_RANGE_INVALID", "NULL"]),
            ("table_changes('u', 'noon')", ["noon"]),
            ("table_changes('u')", ["PARSE_ERROR"]),
            ("table_changes('u', 0, 1, 2)", ["PARSE_ERROR"]),
            ("table_changes('', 0)", ["PARSE_ERROR"]),
            ("table_changes('nowhere', 0)", ["TABLE_NOT_FOUND", "nowhere"])):
        expect_failure(w.run("sql", "-c", f"SELECT * FROM {query}"), 1, *words)
    expect_equal(w.rows("SELECT * FROM table_changes('u', 0, 0)"), [])


@test
def test_changes__refuse_columns_that_were_dropped_or_changed(w):
    for version, kind in enumerate(("integer", "long")):
        head = [OLD_PROTOCOL] if version == 0 else []
        w.write_log("t", version, [*head, metadata(schema(field("id", kind)), **CDF)])
    expect_failure(w.run("sql", "-c", "SELECT * FROM table_changes('t', 0)"), 1, "CHANGE_DATA_FEED_INCOMPATIBLE_")
    expect_equal(w.rows("SELECT * FROM table_changes('t', 1)"), [])
    w.write_log("u", 0, [OLD_PROTOCOL, metadata(schema(field("id", "long"), field("b", "long")), **CDF)])
    w.write_log("u", 1, [metadata(schema(field("id", "long")), **CDF)])
    expect_failure(w.run("sql", "-c", "SELECT * FROM table_changes('u', 0)"), 1, "CHANGE_DATA_FEED_INCOMPATIBLE_")


# ---- Where rows come from --------------------------------------------------------------------------


@test
def test_metadata__tells_the_file_of_each_row(w):
    w.sql("CREATE TABLE t (id INT, p STRING) PARTITIONED BY (p)")
    w.sql("INSERT INTO t VALUES (1, 'a b'), (2, 'c')")
    name = next(f for f in w.files("t") if f.startswith("p=c"))
    row, = w.rows("SELECT _metadata.file_path, _metadata.file_name, _metadata.file_size, "
                  "epoch_ms(_metadata.file_modification_time) FROM t WHERE id = 2")
    add_action, = [a["add"] for a in w.actions("t", 1) if a.get("add", {}).get("path") == name]
    expect_equal(row, ["file://" + os.path.join(w.path("t"), name), os.path.basename(name), add_action["size"],
                       add_action["modificationTime"]])
    expect_equal(w.rows("SELECT *, t._metadata.file_size > 0 AS x FROM t ORDER BY id"),
                 [[1, "a b", True], [2, "c", True]])
    expect_equal(w.rows("SELECT * FROM t WHERE contains(_metadata.file_path, 'p=a%2520b/')"), [[1, "a b"]])


@test
def test_metadata__is_hidden_from_every_star(w):
    w.sql("CREATE TABLE t AS SELECT 1 AS id, 'x' AS name; CREATE TABLE u AS SELECT 1 AS id, 2.5 AS v")
    for query, expected in (
            ("SELECT * FROM t WHERE _metadata.file_size > 0", [[1, "x"]]),
            ("SELECT t.*, u.v FROM t JOIN u USING (id) WHERE t._metadata.file_size > 0", [[1, "x", 2.5]]),
            ("SELECT * EXCLUDE (name) FROM t WHERE _metadata.file_size > 0", [[1]]),
            ("SELECT * EXCLUDE name FROM t WHERE _metadata.file_size > 0", [[1]]),
            ("SELECT * REPLACE (id + 1 AS id) FROM t WHERE _metadata.file_size > 0", [[2, "x"]]),
            ("SELECT DISTINCT * FROM t WHERE _metadata.file_size > 0", [[1, "x"]]),
            ("SELECT * FROM t WHERE _metadata.file_size > 0 UNION ALL SELECT 2 * 2, 'y' ORDER BY 1", [[1, "x"], [4, "y"]]),
            ("SELECT * FROM (SELECT id, _metadata.file_size > 0 AS _metadata FROM t)", [[1, True]]),
            ("SELECT count(*) AS n FROM t WHERE _metadata.file_size > 0", [[1]]),
            ("WITH c AS (SELECT *, _metadata.file_size > 0 AS ok FROM t) SELECT * FROM c", [[1, "x", True]]),
            ("SELECT id * 2 AS d, * FROM t WHERE _metadata.file_size > 0", [[2, 1, "x"]])):
        expect_equal(w.rows(query), expected)
    w.sql("CREATE TABLE own AS SELECT 1 AS id, {'a': 5} AS _metadata")
    expect_equal(w.rows("SELECT *, _metadata.a FROM own"), [[1, {"a": 5}, 5]])


def row_id_mark(highest):
    return {"domainMetadata": {"domain": "delta.rowTracking", "removed": False,
                               "configuration": json.dumps({"rowIdHighWaterMark": highest})}}


def tracked_table(w, *features, mapping=None, **configuration):
    physical = "col-1" if mapping else "id"
    fields = schema(mapped("id", "long", 1, physical) if mapping else field("id", "long"))
    if mapping:
        configuration |= {"delta.columnMapping.mode": mapping, "delta.columnMapping.maxColumnId": "1"}
    one = data_file(w, "a.parquet", f'SELECT range AS "{physical}" FROM range(3)', baseRowId=10,
                    defaultRowCommitVersion=0, stats='{"numRecords": 3}')
    two = data_file(w, "b.parquet", f'SELECT * FROM (VALUES (7::BIGINT, 2::BIGINT, NULL::BIGINT), (8, NULL, 0)) '
                    f'r("{physical}", "_row-id", "_row-version")', baseRowId=20, defaultRowCommitVersion=1, stats='{"numRecords": 2}')
    w.write_log("t", 0, [
        protocol(*features, *(["columnMapping"] if mapping else []), writer_only=["rowTracking", "domainMetadata"]),
        metadata(fields, **configuration, **{
            "delta.enableRowTracking": "true",
            "delta.rowTracking.materializedRowIdColumnName": "_row-id",
            "delta.rowTracking.materializedRowCommitVersionColumnName": "_row-version"}),
        add(one, **({"deletionVector": deleted_rows(1)} if "deletionVectors" in features else {})), row_id_mark(12)])
    w.write_log("t", 1, [add(two), row_id_mark(21)])


ROW_IDS = "SELECT id, _metadata.row_id AS r, _metadata.row_commit_version AS v FROM t ORDER BY id"


@test
def test_metadata__has_ids_and_versions_of_tracked_rows(w):
    tracked_table(w)
    expect_equal(w.rows(ROW_IDS), [[0, 10, 0], [1, 11, 0], [2, 12, 0], [7, 2, 1], [8, 21, 0]])
    expect_equal(w.rows("SELECT * FROM t WHERE _metadata.row_id IN (2, 11) ORDER BY id"), [[1], [7]])
    expect_equal(w.rows("SELECT _metadata.base_row_id, _metadata.default_row_commit_version FROM t WHERE id = 8"),
                 [[20, 1]])


@test
def test_metadata__counts_deleted_rows_and_reads_mapped_columns(w):
    for number, mapping in enumerate(("name", "id")):
        world = World(w.path(str(number)))
        tracked_table(world, "deletionVectors", mapping=mapping)
        expect_equal(world.rows(ROW_IDS), [[0, 10, 0], [2, 12, 0], [7, 2, 1], [8, 21, 0]])


# ---- Names that only field ids make good -------------------------------------------------------------


def foreign_table(w, names, inner, **configuration):
    """Two rows of (a, {x}, b) in a file whose top-level fields are `names`, {name: id}, and those of the struct `inner`, as
    another format's table has it."""
    def pair(value, *path):
        return path, [(0, len(path), value), (0, len(path), value + 1)]
    fields = schema(mapped("a", "long", 1, "a"), mapped("s", schema(mapped("x", "long", 3, "b")), 2, "s"),
                    mapped("b", "long", 4, "b"))
    a, b, s = names
    os.makedirs(w.path("t"))
    path = w.path("t/f.parquet")
    by_hand.write(path, 2, [
        by_hand.leaf(a, by_hand.INT64, field_id=names[a]),
        by_hand.group(s, *(by_hand.leaf(name, by_hand.INT64, field_id=inner[name]) for name in inner), field_id=names[s]),
        by_hand.leaf(b, by_hand.INT64, field_id=names[b])],
        [pair(10, a), *(pair(50 + inner[name], s, name) for name in inner), pair(20, b)])
    w.write_log("t", 0, [
        protocol("columnMapping", writer_only=["rowTracking", "domainMetadata", "changeDataFeed"]),
        metadata(fields, **{"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "9",
                            "delta.enableRowTracking": "true",
                            "delta.rowTracking.materializedRowIdColumnName": "_row-id",
                            "delta.rowTracking.materializedRowCommitVersionColumnName": "_row-version"}, **configuration),
        add({"path": "f.parquet", "partitionValues": {}, "size": os.path.getsize(path), "modificationTime": 1,
             "dataChange": True, "baseRowId": 0, "defaultRowCommitVersion": 0, "stats": '{"numRecords": 2}'}),
        row_id_mark(1)])


# Names and ids of (a, b, s), and of the fields of s: as in the table, others, changed over, of no column of the table, or without an id.
FOREIGN_NAMES = (({"a": 1, "b": 4, "s": 2}, {"b": 3}), ({"one": 1, "b": 4, "s": 2}, {"c": 3}),
                 ({"b": 1, "a": 4, "s": 2}, {"b": 3}), ({"a": 8, "b": 4, "s": 2}, {"b": 3}),
                 ({"a": 1, "b": 4, "z": 2}, {"b": 9, "c": 3}), ({"A": 7, "s": 4, "b": 2}, {"c": 3, "b": 8}),
                 ({"s": 1, "a": 4, "b": 2}, {"b": 8, "x": 3}), ({"a": 3, "b": 4, "s": 2}, {"b": 1, "a": 3}),
                 ({"a": None, "b": 4, "s": 2}, {"b": 3}), ({"z": None, "b": 4, "s": 2}, {"c": 3}))


def foreign_rows(names, inner):
    return [[10 + i if 1 in names.values() else None, 53 + i if 3 in inner.values() else None, 20 + i] for i in range(2)]


@test
def test_field_ids__find_columns_whatever_the_file_calls_them(w):
    for number, (names, inner) in enumerate(FOREIGN_NAMES):
        world = World(w.path(str(number)))
        foreign_table(world, names, inner)
        rows = foreign_rows(names, inner)
        expect_equal(world.rows("SELECT a, s.x, b FROM t ORDER BY b"), rows)
        told = "SELECT a, s.x, b, _metadata.row_id, _metadata.row_commit_version FROM t ORDER BY b"
        expect_equal(world.rows(told), [[*rows[0], 0, 0], [*rows[1], 1, 0]])
        expect_equal(world.rows("SELECT a FROM t WHERE _metadata.row_id = 1 AND b > 20"), [[rows[1][0]]])
        found = world.run("fsck", "t", "--data", "--format", "csv").out
        expect("error" not in found and "not checked" not in found, found)
        world.sql("UPDATE t SET b = b + 5 WHERE b = 21")
        expect_equal(world.rows(told), [[*rows[0], 0, 0], [*rows[1][:2], 26, 1, 1]])
        world.sql("MERGE INTO t USING (SELECT 20 AS k) ON b = k WHEN MATCHED THEN UPDATE SET a = 7; DELETE FROM t WHERE b = 26")
        expect_equal(world.rows(told), [[7, rows[0][1], 20, 0, 2]])


@test
def test_field_ids__find_columns_beside_recorded_changes(w):
    for number, (names, inner) in enumerate(FOREIGN_NAMES):
        world = World(w.path(str(number)))
        foreign_table(world, names, inner, **{"delta.enableChangeDataFeed": "true"})
        rows = foreign_rows(names, inner)
        world.sql("UPDATE t SET b = b + 5 WHERE b = 21; OPTIMIZE t")
        expect_equal(world.rows("SELECT a, s.x, b, _change_type FROM table_changes('t', 0, 1) ORDER BY _commit_version, b"),
                     [[*rows[0], "insert"], [*rows[1], "insert"], [*rows[1], "update_preimage"],
                      [*rows[1][:2], 26, "update_postimage"]])


@test
def test_metadata__of_untracked_rows_has_no_ids(w):
    w.sql("CREATE TABLE t AS SELECT 1 AS id")
    for name in ("row_id", "row_commit_version"):
        expect_failure(w.run("sql", "-c", f"SELECT _metadata.{name} FROM t"), 1, "ROW_TRACKING_OFF",
                       "delta.enableRowTracking")


# ---- Variants --------------------------------------------------------------------------------------

BINARIES = 'STRUCT(metadata BLOB, "value" BLOB)'
VALUES = """(VALUES (1, {'a': 1, 'b': 'x', 'l': [1, 2]}::VARIANT), (2, 'text'::VARIANT),
            (3, NULL), (4, {'a': 2.5::DECIMAL(3,1), 'b': DATE '2024-02-29'}::VARIANT),
            (5, {'metadata': 1, 'value': 2}::VARIANT)) r(id, v)"""
JSON_VALUES = [[1, {"a": 1, "b": "x", "l": [1, 2]}], [2, "text"], [3, None],
               [4, {"a": 2.5, "b": "2024-02-29"}], [5, {"metadata": 1, "value": 2}]]


def plain(variant):
    """A variant as its two binary fields, without the annotation that newer writers make."""
    return f"CASE WHEN {variant} IS NOT NULL THEN variant_to_parquet_variant({variant})::{BINARIES} END"


def variant_table(w, query, kind="variant", *features):
    fields = schema(field("id", "integer"), field("v", kind))
    w.write_log("t", 0, [protocol("variantType", *features), metadata(fields),
                         add(data_file(w, "a.parquet", query))])


def expect_variants(w, nulls=1):
    """Where DuckDB shreds it writes NULL as JSON's null."""
    parsed = [[i, v and json.loads(v)] for i, v in w.rows("SELECT * FROM t ORDER BY id")]
    expect_equal(parsed, JSON_VALUES)
    expect_equal(w.rows("SELECT id, v.a::DOUBLE AS a, v.b::VARCHAR AS b FROM t WHERE v.a IS NOT NULL ORDER BY id"),
                 [[1, 1.0, "x"], [4, 2.5, "2024-02-29"]])
    expect_equal(w.rows("SELECT id FROM t WHERE v IS NULL"), [[3]] * nulls)
    expect_equal(w.value("SELECT v.l[2]::INTEGER AS x FROM t WHERE id = 1"), 2)
    expect_equal(w.rows("SELECT count(*) AS n, count(v) AS m FROM t"), [[5, 5 - nulls]])


@test
def test_variant__of_two_binary_fields_is_read(w):
    variant_table(w, f"SELECT id::INTEGER AS id, {plain('v')} AS v FROM {VALUES}")
    expect_variants(w)


@test
def test_variant__that_is_marked_and_shredded_is_read(w):
    variant_table(w, f"SELECT id::INTEGER AS id, v FROM {VALUES}", "variant", "variantShredding")
    expect_variants(w, 0)
    w.damages("t")  # the file that follows has another size than its add says
    w.sql(f"COPY (SELECT id::INTEGER AS id, v FROM {VALUES}) TO '{w.path('t/a.parquet')}' "
          "(FORMAT parquet, SHREDDING {v: 'STRUCT(a INTEGER, b VARCHAR)'})")
    expect_variants(w, 0)


def shredded_rows(path, above):
    """5, JSON's null and NULL of a variant below so many groups, then NULL of the topmost."""
    levels, empty = above + 1, b"\x01\0\0"
    return [((*path, "metadata"), [(0, levels, empty), (0, levels, empty), (0, levels - 1, None), (0, 0, None)]),
            ((*path, "value"), [(0, levels, None), (0, levels + 1, b"\0"), (0, levels - 1, None), (0, 0, None)]),
            ((*path, "typed_value"), [(0, levels + 1, 5), (0, levels, None), (0, levels - 1, None), (0, 0, None)])]


def shredded_nulls(w, mapping, typed=by_hand.INT64):
    numbers = {"s": 1, "w": 2, "i": 3, "v": 4}
    ids = numbers if mapping == "id" else {}
    file_name = {name: f"file_{name}" if mapping else name for name in numbers}

    def column(name, kind):
        return mapped(name, kind, numbers[name], file_name[name])
    inner = schema(column("i", "integer"), column("w", "variant"))
    fields = [by_hand.group(file_name["s"], by_hand.leaf(file_name["i"], by_hand.INT32, field_id=ids.get("i")),
                            by_hand.shredded(file_name["w"], typed, ids.get("w")), field_id=ids.get("s")),
              by_hand.shredded(file_name["v"], typed, ids.get("v"))]
    columns = [((file_name["s"], file_name["i"]), [(0, 2, 1), (0, 2, 2), (0, 2, 3), (0, 0, None)])]
    columns += shredded_rows((file_name["s"], file_name["w"]), 1) + shredded_rows((file_name["v"],), 0)
    os.makedirs(w.path("t"))
    path = w.path("t/a.parquet")
    by_hand.write(path, 4, fields, columns)
    properties = {"delta.columnMapping.mode": mapping, "delta.columnMapping.maxColumnId": "4"} if mapping else {}
    features = ("variantType", "columnMapping") if mapping else ("variantType",)
    w.write_log("t", 0, [protocol(*features), metadata(schema(column("s", inner), column("v", "variant")), **properties),
                         add({"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(path),
                              "modificationTime": 1, "dataChange": True})])


@test
def test_variant__that_is_shredded_and_null_of_json_is_not_null(w):
    kinds = [["INT64", "INT64"], ["VARIANT_NULL", "VARIANT_NULL"], ["sql", "sql"], ["sql", "sql"]]
    told = ("SELECT CASE WHEN s.w IS NULL THEN 'sql' ELSE variant_typeof(s.w) END AS a, "
            "CASE WHEN v IS NULL THEN 'sql' ELSE variant_typeof(v) END AS b FROM {} ORDER BY s.i")
    for mapping in (None, "name", "id"):
        shredded_nulls(w, mapping)
        expect_equal(w.rows(told.format("t")), kinds)
        expect_equal(w.rows("SELECT count(v) AS n, count(s.w) AS m FROM t WHERE v IS NULL OR v::INT IS NULL"), [[1, 1]])
        w.sql("CREATE TABLE u AS SELECT * FROM t")
        w.sql("DELETE FROM t WHERE s.i = 3")
        expect_equal(w.rows(told.format("t")), kinds[:2] + kinds[3:])
        w.sql("INSERT OVERWRITE t SELECT * FROM u")
        expect_equal(w.rows(told.format("t")), kinds)
        shutil.rmtree(w.path("t"))
        shutil.rmtree(w.path("u"))


def list_levels(above, is_twice=False):
    """[5, JSON's null, NULL], NULL, [] and [JSON's null] of a variant that has so many levels around it."""
    again = 2 if is_twice else 1
    empty = b"\x01\0\0"
    rest = [(0, 0, None), (0, 1, None)]
    return [("metadata", [(0, above, empty), (again, above, empty), (1, above - 1, None), *rest, (0, above, empty)]),
            ("value", [(0, above, None), (again, above + 1, b"\0"), (1, above - 1, None), *rest, (0, above + 1, b"\0")]),
            ("typed_value", [(0, above + 1, 5), (again, above, None), (1, above - 1, None), *rest, (0, above, None)])]


def shredded_lists(w, mapping):
    ids = {"l": 1, "m": 2, "ls": 3, "x": 4, "ll": 5, "i": 6} if mapping == "id" else {}
    numbers = {"l": 1, "m": 2, "ls": 3, "x": 4, "ll": 5, "i": 6}

    def column(name, kind):
        return mapped(name, kind, numbers[name], name)

    def repeated(name, inner, kind=3, field_id=None):
        return by_hand.group(name, by_hand.group("list" if kind == 3 else "key_value", *inner, repetition=by_hand.REPEATED),
                             converted=kind, field_id=field_id)
    key = by_hand.leaf("key", by_hand.BYTE_ARRAY, by_hand.REQUIRED, converted=0)
    variant = by_hand.shredded("element", by_hand.INT64)
    fields = [repeated("l", [variant], field_id=ids.get("l")),
              repeated("m", [key, by_hand.shredded("value", by_hand.INT64)], 1, ids.get("m")),
              repeated("ls", [by_hand.group("element", by_hand.shredded("x", by_hand.INT64, ids.get("x")))],
                       field_id=ids.get("ls")),
              repeated("ll", [repeated("element", [variant])], field_id=ids.get("ll")),
              by_hand.leaf("i", by_hand.INT32, field_id=ids.get("i"))]
    columns = [(("l", "list", "element", part), levels) for part, levels in list_levels(3)]
    columns += [(("m", "key_value", "key"), [(0, 2, "a"), (1, 2, "b"), (1, 2, "c"), (0, 0, None), (0, 1, None), (0, 2, "a")])]
    columns += [(("m", "key_value", "value", part), levels) for part, levels in list_levels(3)]
    columns += [(("ls", "list", "element", "x", part), levels) for part, levels in list_levels(4)]
    columns += [(("ll", "list", "element", "list", "element", part), levels) for part, levels in list_levels(5, True)]
    columns += [(("i",), [(0, 1, i) for i in (1, 2, 3, 4)])]
    os.makedirs(w.path("t"))
    path = w.path("t/a.parquet")
    by_hand.write(path, 4, fields, columns)

    def array(kind):
        return {"type": "array", "elementType": kind, "containsNull": True}
    table = schema(column("l", array("variant")),
                   column("m", {"type": "map", "keyType": "string", "valueType": "variant", "valueContainsNull": True}),
                   column("ls", array(schema(column("x", "variant")))), column("ll", array(array("variant"))), column("i", "integer"))
    properties = {"delta.columnMapping.mode": mapping, "delta.columnMapping.maxColumnId": "6"} if mapping else {}
    features = ("variantType", "columnMapping") if mapping else ("variantType",)
    w.write_log("t", 0, [protocol(*features), metadata(table, **properties),
                         add({"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(path),
                              "modificationTime": 1, "dataChange": True})])


@test
def test_variant__that_is_shredded_in_lists_and_null_of_json_is_not_null(w):
    def kind(value):
        return f"CASE WHEN {value} IS NULL THEN 'sql' ELSE variant_typeof({value}) END"
    told = ("SELECT i, [" + kind("x") + " for x in l] AS a, [" + kind("x") + " for x in map_values(m)] AS b, ["
            + kind("x.x") + " for x in ls] AS c, [" + kind("x") + " for x in flatten(ll)] AS d FROM {} ORDER BY i")
    kinds = [["INT64", "VARIANT_NULL", "sql"], None, [], ["VARIANT_NULL"]]
    for mapping in (None, "name", "id"):
        shredded_lists(w, mapping)
        wanted = [[i + 1] + [k] * 4 for i, k in enumerate(kinds)]
        expect_equal(w.rows(told.format("t")), wanted)
        expect_equal(w.rows("SELECT i, l, ll FROM t WHERE i <> 2 ORDER BY i"),
                     [[1, ["5", "null", None], [["5", "null"], [None]]], [3, [], []], [4, ["null"], [["null"]]]])
        w.sql("CREATE TABLE u AS SELECT * FROM t; UPDATE t SET i = i + 10 WHERE i > 3")
        expect_equal(w.rows(told.format("u")), wanted)
        expect_equal(w.rows(told.format("t")), wanted[:3] + [[14] + wanted[3][1:]])
        shutil.rmtree(w.path("t"))
        shutil.rmtree(w.path("u"))


@test
def test_mapping__by_id_finds_fields_in_structs_lists_and_maps(w):
    """As in a file of a table that was another format's: names are others, some of them each other's."""
    def array(kind):
        return {"type": "array", "elementType": kind, "containsNull": True}
    table = schema(mapped("i", "integer", 9, "i"),
                   mapped("s", schema(mapped("a", "integer", 2, "a"), mapped("b", "integer", 3, "b"),
                                      mapped("new", "integer", 8, "c")), 1, "s"),
                   mapped("l", array(schema(mapped("x", "integer", 5, "px"))), 4, "l"),
                   mapped("m", {"type": "map", "keyType": "string", "valueType": schema(mapped("y", "integer", 7, "py")),
                                "valueContainsNull": True}, 6, "m"))
    number = by_hand.INT32
    key = by_hand.leaf("key", by_hand.BYTE_ARRAY, by_hand.REQUIRED, converted=0, field_id=11)
    fields = [by_hand.leaf("n", number, field_id=9),
              by_hand.group("file_s", by_hand.leaf("b", number, field_id=2), by_hand.leaf("a", number, field_id=3),
                            field_id=1),
              by_hand.group("file_l", by_hand.group("list", by_hand.group("element", by_hand.leaf("x", number, field_id=5),
                                                                          field_id=10), repetition=by_hand.REPEATED),
                            converted=3, field_id=4),
              by_hand.group("m", by_hand.group("key_value", key, by_hand.group("value", by_hand.leaf("file_y", number, field_id=7)),
                                               repetition=by_hand.REPEATED), converted=1, field_id=6)]
    columns = [(("n",), [(0, 1, 1), (0, 1, 2)]),
               (("file_s", "b"), [(0, 2, 20), (0, 0, None)]), (("file_s", "a"), [(0, 2, 30), (0, 0, None)]),
               (("file_l", "list", "element", "x"), [(0, 4, 5), (1, 3, None), (0, 1, None)]),
               (("m", "key_value", "key"), [(0, 2, "k"), (0, 0, None)]),
               (("m", "key_value", "value", "file_y"), [(0, 4, 7), (0, 0, None)])]
    os.makedirs(w.path("t"))
    path = w.path("t/00000-0-a.parquet")
    properties = {"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "11"}
    for codec in (by_hand.UNCOMPRESSED, by_hand.LZ4_HADOOP):
        by_hand.write(path, 2, fields, columns, codec=codec)
        w.write_log("t", 0, [protocol("columnMapping"), metadata(table, **properties),
                             add({"path": "00000-0-a.parquet", "partitionValues": {}, "size": os.path.getsize(path),
                                  "modificationTime": 1, "dataChange": True})])
        expect_equal(w.rows("SELECT i, s, l, map_values(m) AS m FROM t ORDER BY i"),
                     [[1, {"a": 20, "b": 30, "new": None}, [{"x": 5}, {"x": None}], [{"y": 7}]], [2, None, [], None]])
        expect_equal(w.rows("SELECT s.b FROM t WHERE s.a = 20"), [[30]])
    w.sql("INSERT INTO t SELECT i + 10, s, l, m FROM t WHERE i = 1; UPDATE t SET s.a = 21 WHERE i = 1")
    expect_equal(w.rows("SELECT i, s, l FROM t WHERE i IN (1, 11) ORDER BY i"),
                 [[1, {"a": 21, "b": 30, "new": None}, [{"x": 5}, {"x": None}]],
                  [11, {"a": 20, "b": 30, "new": None}, [{"x": 5}, {"x": None}]]])


@test
def test_variant__in_structs_and_lists_is_read(w):
    row = {"type": "struct", "fields": [field("n", "integer"), field("w", "variant"),
                                        field("l", {"type": "array", "elementType": "variant", "containsNull": True})]}
    variant_table(w, "SELECT 1::INTEGER AS id, {'n': 7, 'w': " + plain("{'a': 5}::VARIANT") + ", 'l': ["
                  + plain("[1, 2]::VARIANT") + ", NULL]} AS v UNION ALL SELECT 2, NULL", row)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"),
                 [[1, {"n": 7, "w": '{"a":5}', "l": ["[1,2]", None]}], [2, None]])
    expect_equal(w.rows("SELECT v.w.a::INTEGER + 1 AS x FROM t ORDER BY id"), [[6], [None]])


@test
def test_variant__is_text_in_every_format(w):
    variant_table(w, f"SELECT id::INTEGER AS id, {plain('v')} AS v FROM {VALUES} WHERE id = 2")
    expect_equal(w.sql("SELECT v FROM t", "--format", "csv"), 'v\n"""text"""\n')
    expect_equal(w.rows("DESCRIBE TABLE t"), [["id", "int", None], ["v", "variant", None]])


# ---- Files of every kind ---------------------------------------------------------------------------


def hand_written(w, rows, table_schema, fields, columns, **options):
    os.makedirs(w.path("t"))
    path = w.path("t/a.parquet")
    by_hand.write(path, rows, fields, columns, **options)
    w.write_log("t", 0, [OLD_PROTOCOL, metadata(table_schema), add(
        {"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(path), "modificationTime": 1,
         "dataChange": True})])


def array_of(element):
    return {"type": "array", "elementType": element, "containsNull": True}


@test
def test_files__with_lists_of_two_levels_are_read(w):
    leaf, group = by_hand.leaf, by_hand.group
    hand_written(w, 3, schema(field("l", array_of("integer")), field("s", array_of(schema(
        field("a", "integer"), field("b", "string"))))),
        [group("l", leaf("array", by_hand.INT32, by_hand.REPEATED), converted=by_hand.LIST),
         group("s", group("array", leaf("a", by_hand.INT32), leaf("b", by_hand.BYTE_ARRAY, converted=by_hand.UTF8),
                          repetition=by_hand.REPEATED), converted=by_hand.LIST)],
        [(("l", "array"), [(0, 2, 1), (1, 2, 2), (0, 1, None), (0, 0, None)]),
         (("s", "array", "a"), [(0, 3, 1), (1, 2, None), (0, 1, None), (0, 0, None)]),
         (("s", "array", "b"), [(0, 3, "x"), (1, 3, "y"), (0, 1, None), (0, 0, None)])])
    expect_equal(w.rows("SELECT * FROM t"), [[[1, 2], [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]], [[], []],
                                             [None, None]])


@test
def test_files__with_maps_as_hive_marked_them_are_read(w):
    leaf, group = by_hand.leaf, by_hand.group
    kind = {"type": "map", "keyType": "string", "valueType": "integer", "valueContainsNull": True}
    hand_written(w, 2, schema(field("m", kind)),
                 [group("m", group("map", leaf("key", by_hand.BYTE_ARRAY, by_hand.REQUIRED, by_hand.UTF8),
                                   leaf("value", by_hand.INT32), repetition=by_hand.REPEATED,
                                   converted=by_hand.MAP_KEY_VALUE), converted=by_hand.MAP)],
                 [(("m", "map", "key"), [(0, 2, "k"), (1, 2, "j"), (0, 0, None)]),
                  (("m", "map", "value"), [(0, 3, 5), (1, 2, None), (0, 0, None)])])
    expect_equal(w.rows("SELECT m['k'], m['j'], m IS NULL FROM t"), [[5, None, False], [None, None, True]])


@test
def test_files__with_decimals_of_every_physical_type_are_read(w):
    kinds = [("a", by_hand.INT32, 9, (123, -123)), ("b", by_hand.INT64, 18, (123, -123)),
             ("c", by_hand.FIXED, 38, (b"\0" * 15 + b"\x7b", b"\xff" * 15 + b"\x85")),
             ("d", by_hand.BYTE_ARRAY, 9, (b"\x7b", b"\xff\x85"))]
    hand_written(w, 2, schema(*(field(name, f"decimal({precision},2)") for name, _, precision, _ in kinds)),
                 [by_hand.leaf(name, kind, converted=by_hand.DECIMAL, length=16 if kind == by_hand.FIXED else None,
                               precision=precision, scale=2) for name, kind, precision, _ in kinds],
                 [((name,), [(0, 1, value) for value in values]) for name, _, _, values in kinds])
    expect_equal(w.rows("SELECT a, b, c::VARCHAR, d FROM t"), [[1.23, 1.23, "1.23", 1.23], [-1.23, -1.23, "-1.23", -1.23]])
    expect_equal(w.rows("SELECT a FROM t WHERE a = 1.23 AND b = 1.23 AND c = 1.23 AND d = 1.23"), [[1.23]])


@test
def test_files__with_int96_times_and_unmarked_texts_are_read(w):
    hand_written(w, 2, schema(field("moment", "timestamp"), field("s", "string")),
                 [by_hand.leaf("moment", by_hand.INT96), by_hand.leaf("s", by_hand.BYTE_ARRAY)],
                 [(("moment",), [(0, 1, struct.pack("<qi", 3723456789000, 2460370)), (0, 0, None)]),
                  (("s",), [(0, 1, "h\u00e9"), (0, 1, "x")])])
    expect_equal(w.rows("SELECT epoch_us(moment), s FROM t"), [[1709168523456789, "h\u00e9"], [None, "x"]])
    expect_equal(w.rows("SELECT s FROM t WHERE moment = '2024-02-29 01:02:03.456789+00' AND s LIKE 'h%'"), [["h\u00e9"]])


@test
def test_files__with_int96_times_hold_instants_whatever_the_zone_of_the_session(w):
    nested = {"type": "array", "elementType": "timestamp", "containsNull": True}
    hand_written(w, 1, schema(field("moment", "timestamp"), field("l", nested)),
                 [by_hand.leaf("moment", by_hand.INT96)],
                 [(("moment",), [(0, 1, struct.pack("<qi", 9000000000, 2460380))])])
    w.sql("INSERT INTO t VALUES ('2024-11-03 06:30:00+00', ['2024-11-03 05:30:00.25+00'::TIMESTAMPTZ, NULL])")
    session = "SET TimeZone = 'America/New_York'; "
    told = "SELECT epoch_us(moment), epoch_us(l[1]) FROM t ORDER BY 1"
    expected = [[1710028809000000, None], [1730615400000000, 1730611800250000]]
    expect_equal(w.rows(told), expected)
    expect_equal(w.rows(session + told), expected)
    expect_equal(w.value(session + "SELECT count(*) FROM t WHERE moment = '2024-03-10 00:00:09+00'"), 1)
    expect_equal(w.value(session + "SELECT count(*) FROM t WHERE moment < '2024-11-03 01:30:00-05'"), 1)


SPARK = "org.apache.spark."
OLD_DATES = {SPARK + "version": "3.5.1", SPARK + "legacyDateTime": "", SPARK + "timeZone": "America/Los_Angeles"}
OLD_INT96 = {SPARK + "version": "3.5.1", SPARK + "legacyINT96": "", SPARK + "timeZone": "UTC"}
# Days of files that are 1582-10-15, -04, 1000-02-29 (which today's calendar lacks), and -0044-03-15.
OLD_DAYS = (-141427, -141428, -354221, -735583)
TODAY_DAYS = (-141427, -141438, -354226, -735581)
# Seconds of files; and what they become by the hours of Los Angeles, whose local times began to be whole ones in 1883.
OLD_SECONDS = (-2208988800, -2717640000, -2717640001, -12219264000, -12219264001, -20000000000)
TODAY_SECONDS = (-2208988800, -2717640000, -2717640423, -12219264422, -12220128423, -20000691622)


def old_table(w, keys, name="t", version=0, days=OLD_DAYS, seconds=OLD_SECONDS):
    """Dates and instants, alone and in lists, as Spark wrote them in its old calendar."""
    count = max(len(days), len(seconds))
    moments = [(0, 1, second * 1000000) for second in seconds] + [(0, 0, None)] * (count - len(seconds))
    dates = [(0, 1, day) for day in days] + [(0, 0, None)] * (count - len(days))
    listed = [(0, 2, day) for day in days] + [(0, 0, None)] * (count - len(days))
    leaf, path = by_hand.leaf, w.path(f"t/{name}.parquet")
    os.makedirs(w.path("t"), exist_ok=True)
    by_hand.write(path, count, [leaf("d", by_hand.INT32, converted=by_hand.DATE),
                                leaf("moment", by_hand.INT64, converted=by_hand.TIMESTAMP_MICROS),
                                by_hand.group("l", leaf("array", by_hand.INT32, by_hand.REPEATED, by_hand.DATE),
                                              converted=by_hand.LIST)],
                  [(("d",), dates), (("moment",), moments), (("l", "array"), listed)], keys=keys)
    first = [OLD_PROTOCOL, metadata(schema(field("d", "date"), field("moment", "timestamp"),
                                           field("l", array_of("date"))))]
    w.write_log("t", version, (first if version == 0 else []) + [add(
        {"path": f"{name}.parquet", "partitionValues": {}, "size": os.path.getsize(path), "modificationTime": 1,
         "dataChange": True})])


def days_and_seconds(days, seconds):
    return [[days[i] if i < len(days) else None, second, days[i] if i < len(days) else None]
            for i, second in enumerate(seconds)]


TELL_OLD = "SELECT epoch_ms(d) // 86400000 AS a, epoch_us(moment) // 1000000 AS b, epoch_ms(l[1]) // 86400000 AS c FROM t"


@test
def test_files__of_sparks_old_calendar_are_read_in_todays(w):
    old_table(w, OLD_DATES)
    expected = days_and_seconds(TODAY_DAYS, TODAY_SECONDS)
    expect_equal(w.rows(TELL_OLD), expected)
    expect_equal(w.rows("SET TimeZone = 'Asia/Tokyo'; " + TELL_OLD), expected)
    expect_equal(w.value("SELECT count(*) FROM t WHERE d = '1582-10-04'"), 1)
    expect_equal(w.value("SELECT count(*) FROM t WHERE d = '1000-03-01' AND l[1] = '1000-03-01'"), 1)
    expect_equal(w.value("SELECT count(*) FROM t WHERE moment = '1336-03-15 12:19:38+00'"), 1)
    w.sql("DELETE FROM t WHERE d = '1582-10-15'")
    expect_equal(w.rows(TELL_OLD), expected[1:])


@test
def test_files__of_sparks_old_calendar_are_told_by_their_footers(w):
    spark_2, spark_3 = {SPARK + "version": "2.4.8"}, {SPARK + "version": "3.0.0"}
    as_found = days_and_seconds(OLD_DAYS, OLD_SECONDS)
    old_table(w, None, "a")
    expect_equal(w.rows(TELL_OLD), as_found)
    old_table(w, spark_3, "b", 1)
    expect_equal(w.rows(TELL_OLD), as_found + as_found)
    old_table(w, spark_2, "c", 2)
    zone = "SET TimeZone = 'America/Los_Angeles'; "
    all_rows = sorted(as_found + as_found + days_and_seconds(TODAY_DAYS, TODAY_SECONDS), key=str)
    expect_equal(sorted(w.rows(zone + TELL_OLD), key=str), all_rows)
    expect_equal(w.value("SELECT count(*) FROM t WHERE d <= '1582-10-04'"), 7)
    w.sql("DELETE FROM t WHERE d < '0001-01-01'")
    expect_equal(w.value("SELECT count(*) FROM t"), 15)


@test
def test_files__of_sparks_old_calendar_keep_their_days_when_dates_become_local_times(w):
    old_table(w, OLD_DATES)
    changed = {"delta.typeChanges": [{"fromType": "date", "toType": "timestamp_ntz"}]}
    listed = {"delta.typeChanges": [{"fromType": "date", "toType": "timestamp_ntz", "fieldPath": "element"}]}
    w.write_log("t", 1, [
        protocol("typeWidening", "timestampNtz", writer_only=(
            "appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns")),
        metadata(schema({**field("d", "timestamp_ntz"), "metadata": changed}, field("moment", "timestamp"),
                        {**field("l", array_of("timestamp_ntz")), "metadata": listed}),
                 **{"delta.enableTypeWidening": "true"})])
    told = "SELECT d, l[1] FROM t WHERE d IS NOT NULL ORDER BY d DESC"
    days = [day + " 00:00:00" for day in ("1582-10-15", "1582-10-04", "1000-03-01", "-044-01-19")]
    expect_equal(w.rows(told), [[day, day] for day in days])
    expect_equal(w.value("SELECT count(*) FROM t WHERE d = '1582-10-04'"), 1)
    w.sql("INSERT INTO t VALUES ('1500-01-01 01:02:03.5', NULL, ['1400-01-01 00:00:00'])")
    expect_equal(w.rows("SELECT d, l[1] FROM t WHERE d BETWEEN '1400-01-01' AND '1550-01-01'"),
                 [["1500-01-01 01:02:03.5", "1400-01-01 00:00:00"]])
    w.sql("DELETE FROM t WHERE d = '1582-10-15'")
    expect_equal(w.rows(told)[0], [days[1]] * 2)


@test
def test_files__with_int96_times_of_sparks_old_calendar_are_read_in_todays(w):
    def int96(seconds):
        return struct.pack("<qi", seconds % 86400 * 1000000000, seconds // 86400 + 2440588)
    hand_written(w, 3, schema(field("moment", "timestamp")), [by_hand.leaf("moment", by_hand.INT96)],
                 [(("moment",), [(0, 1, int96(second)) for second in (-2717640001, -12219292801, -20000000000)])],
                 keys=OLD_INT96)
    expected = [[-2717640001], [-12219292801 - 864000], [-20000000000 - 691200]]
    for zone in ("UTC", "Asia/Kolkata"):
        expect_equal(w.rows(f"SET TimeZone = '{zone}'; SELECT epoch_us(moment) // 1000000 FROM t"), expected)


@test
def test_load__brings_files_of_sparks_old_calendar_to_todays(w):
    old_table(w, OLD_DATES)
    w.sql("CREATE TABLE u (d DATE, moment TIMESTAMP, l ARRAY<DATE>)")
    w.sql("SET TimeZone = 'Asia/Tokyo'; COPY INTO u FROM 't/t.parquet' FILEFORMAT = PARQUET")
    expect_equal(sorted(w.rows(TELL_OLD.replace("FROM t", "FROM u")), key=str),
                 sorted(days_and_seconds(TODAY_DAYS, TODAY_SECONDS), key=str))
    w.sql("CREATE TABLE v (day DATE); COPY INTO v FROM (SELECT d AS day FROM 't/t.parquet') FILEFORMAT = PARQUET")
    expect_equal(w.value("SELECT count(*) FROM v WHERE day IN ('1582-10-04', '1000-03-01')"), 2)
    os.makedirs(w.path("f"))
    by_hand.write(w.path("f/1.parquet"), 2, [by_hand.leaf("moment", by_hand.INT96), by_hand.leaf("d", by_hand.INT32,
                                                                                                converted=by_hand.DATE)],
                  [(("moment",), [(0, 1, struct.pack("<qi", 0, 2299160)), (0, 0, None)]),
                   (("d",), [(0, 1, -141428), (0, 0, None)])], keys=OLD_INT96)
    w.sql("CREATE TABLE x (moment TIMESTAMP, d DATE); COPY INTO x FROM 'f/1.parquet' FILEFORMAT = PARQUET")
    expect_equal(w.rows("SELECT epoch_us(moment) // 86400000000, epoch_ms(d) // 86400000 FROM x WHERE d IS NOT NULL"),
                 [[-141438, -141428]])


def nested_instants(w, name, seconds, keys=None):
    """A row of an INT96 alone, in a struct, a list and a map; and a time that old writers do not mark as an instant."""
    leaf, group = by_hand.leaf, by_hand.group
    moment = struct.pack("<qi", seconds % 86400 * 1000000000, seconds // 86400 + 2440588)
    os.makedirs(w.path("f"), exist_ok=True)
    by_hand.write(w.path(f"f/{name}.parquet"), 1, [
        leaf("moment", by_hand.INT96), leaf("n", by_hand.INT32), group("s", leaf("n", by_hand.INT32), leaf("at", by_hand.INT96)),
        group("l", group("list", group("element", leaf("at", by_hand.INT96)), repetition=by_hand.REPEATED), converted=by_hand.LIST),
        group("m", group("key_value", leaf("key", by_hand.INT96, by_hand.REQUIRED), leaf("value", by_hand.INT96),
                         repetition=by_hand.REPEATED), converted=by_hand.MAP),
        leaf("old", by_hand.INT64, converted=by_hand.TIMESTAMP_MICROS)],
        [(("moment",), [(0, 1, moment)]), (("n",), [(0, 1, 7)]), (("s", "n"), [(0, 2, 8)]), (("s", "at"), [(0, 2, moment)]),
         (("l", "list", "element", "at"), [(0, 4, moment), (1, 3, None)]), (("m", "key_value", "key"), [(0, 2, moment)]),
         (("m", "key_value", "value"), [(0, 3, moment)]), (("old",), [(0, 1, seconds * 1000000)])], keys=keys)


TELL_NESTED = """SELECT epoch_us(moment) // 1000000 AS a, epoch_us(s.at) // 1000000 AS b, epoch_us(l[1].at) // 1000000 AS c,
                 len(l) AS d, l[2].at AS e, epoch_us(map_keys(m)[1]) // 1000000 AS f, epoch_us(map_values(m)[1]) // 1000000 AS g,
                 epoch_us(old) // 1000000 AS h, n + s.n AS i FROM {}"""


@test
def test_load__takes_int96_for_instants_wherever_they_stand(w):
    old, today, now = -12219292801, -12219292801 - 864000, 1700000000
    nested_instants(w, "old", old, OLD_INT96)
    nested_instants(w, "now", now)
    w.sql("CREATE TABLE t (moment TIMESTAMP, n INT, s STRUCT<n: INT, at: TIMESTAMP>, l ARRAY<STRUCT<at: TIMESTAMP>>,"
          " m MAP<TIMESTAMP, TIMESTAMP>, old TIMESTAMP)")

    def row(second, unmarked=None):
        return [*[second] * 3, 2, None, second, second, unmarked or second, 15]
    for zone in ("UTC", "Asia/Tokyo"):
        w.sql(f"SET TimeZone = '{zone}'; DELETE FROM t; COPY INTO t FROM 'f/old.parquet' FILEFORMAT = PARQUET"
              " COPY_OPTIONS ('force' = 'true')")
        expect_equal(w.rows(TELL_NESTED.format("t")), [row(today)])
        w.sql(f"SET TimeZone = '{zone}'; DELETE FROM t; COPY INTO t FROM 'f/now.parquet' FILEFORMAT = PARQUET"
              " COPY_OPTIONS ('force' = 'true')")
        expect_equal(w.rows(TELL_NESTED.format("t")), [row(now)])
    expect_equal(w.run("load", "u", w.path("f/old.parquet"), w.path("f/now.parquet")).status, 0)
    expect_equal(w.rows(TELL_NESTED.format("u") + " ORDER BY 1"), [row(today), row(now)])
    expect_equal(w.value("SELECT max(typeof(s.at)) FROM u"), "TIMESTAMP WITH TIME ZONE")


@test
def test_damage__of_a_codec_that_is_not_supported_are_refused_as_such(w):
    hand_written(w, 1, schema(field("i", "integer")), [by_hand.leaf("i", by_hand.INT32)],
                 [(("i",), [(0, 1, 7)])], codec=by_hand.LZO)
    expect_failure(w.run("sql", "-c", "SELECT * FROM t"), 4, "CODEC_UNSUPPORTED", "a.parquet", "LZO")


def lz4_table(w, **options):
    numbers = [(0, 1, i) for i in range(1000)] + [(0, 0, None)]
    texts = [(0, 1, f"text {i}") for i in range(1001)]
    hand_written(w, 1001, schema(field("i", "integer"), field("s", "string")),
                 [by_hand.leaf("i", by_hand.INT32), by_hand.leaf("s", by_hand.BYTE_ARRAY)],
                 [(("i",), numbers), (("s",), texts)], codec=by_hand.LZ4_HADOOP, **options)


@test
def test_files__of_lz4_in_frames_or_bare_are_read_and_changed(w):
    for framed in (True, False):
        lz4_table(w, framed=framed)
        expect_equal(w.rows("SELECT count(*) AS n, count(i) AS m, sum(i) AS x, max(s) AS s FROM t"),
                     [[1001, 1000, 499500, "text 999"]])
        expect_equal(w.rows("SELECT a.s FROM t a JOIN t b ON a.i = b.i + 1 WHERE b.i = 7"), [["text 8"]])
        w.check_tables()
        w.sql("DELETE FROM t WHERE i < 998")
        expect_equal(w.rows("SELECT * FROM t ORDER BY i"), [[998, "text 998"], [999, "text 999"], [None, "text 1000"]])
        expect_equal(w.value("SELECT count(*) AS n FROM t VERSION AS OF 0"), 1001)
        shutil.rmtree(w.path("t"))


@test
def test_load__of_lz4_files_takes_them_once(w):
    lz4_table(w)
    w.damages("t")
    file = w.path("t/a.parquet")
    expect_equal(w.run("load", "u", file).status, 0)
    expect_equal(w.run("load", "u", file).status, 0)
    expect_equal(w.rows("SELECT count(*) AS n, sum(i) AS x, max(s) AS s FROM u"), [[1001, 499500, "text 999"]])
    w.sql(f"COPY INTO u FROM '{file}' FILEFORMAT = PARQUET COPY_OPTIONS ('force' = 'true')")
    expect_equal(w.value("SELECT count(*) FROM u"), 2002)


@test
def test_checkpoint__of_lz4_that_only_the_engine_reads_is_read(w):
    w.sql("CREATE TABLE t (id BIGINT)", )
    w.sql("INSERT INTO t VALUES (1), (2)")
    actions = {name: action[name] for action in w.actions("t", 0) + w.actions("t", 1) for name in action}
    leaf, group, text = by_hand.leaf, by_hand.group, (by_hand.BYTE_ARRAY, by_hand.OPTIONAL, by_hand.UTF8)
    add, meta = actions["add"], actions["metaData"]
    values = {("protocol", "minReaderVersion"): (1, 0, 1), ("protocol", "minWriterVersion"): (1, 0, 2),
              ("metaData", "id"): (1, 1, meta["id"]), ("metaData", "format", "provider"): (1, 1, "parquet"), ("metaData", "schemaString"): (1, 1, meta["schemaString"]),
              ("add", "path"): (1, 2, add["path"]), ("add", "size"): (1, 2, add["size"]),
              ("add", "modificationTime"): (1, 2, 5), ("add", "stats"): (1, 2, add["stats"])}
    fields = [group("protocol", leaf("minReaderVersion", by_hand.INT32), leaf("minWriterVersion", by_hand.INT32)),
              group("metaData", leaf("id", *text), group("format", leaf("provider", *text)), leaf("schemaString", *text)),
              group("add", leaf("path", *text), leaf("size", by_hand.INT64), leaf("modificationTime", by_hand.INT64),
                    leaf("stats", *text))]
    columns = [(path, [(0, len(path), value) if row == where else (0, 0, None) for row in range(3)])
               for path, (_, where, value) in values.items()]
    log = w.path("t/_delta_log")
    # An encoding that is named and used nowhere is more than our own reader takes.
    by_hand.write(f"{log}/{1:020d}.checkpoint.parquet", 3, fields, columns, codec=by_hand.LZ4_HADOOP, encodings=(0, 3, 5))
    with open(f"{log}/_last_checkpoint", "w", encoding="utf-8") as file:
        file.write('{"version":1,"size":3}')
    for version in (0, 1):
        os.remove(f"{log}/{version:020d}.json")
    expect_equal(w.rows("SELECT id FROM t ORDER BY id"), [[1], [2]])
    w.damages("t")


@test
def test_damage__of_lz4_pages_names_the_file(w):
    lz4_table(w)
    w.damages("t")
    with open(w.path("t/a.parquet"), "r+b") as file:
        file.seek(8)
        file.write(b"\xff" * 40)
    expect_failure(w.run("sql", "-c", "SELECT * FROM t"), 5, "DATA_FILE_DAMAGED", "a.parquet")


@test
def test_files__of_every_codec_are_read(w):
    os.makedirs(w.path("t"))
    actions = []
    for number, codec in enumerate(("uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli")):
        for version in ("V1", "V2"):
            name = f"{codec}-{version}.parquet"
            w.sql(f"COPY (SELECT {number} AS id, 'text' AS s) TO '{w.path('t')}/{name}' "
                  f"(FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version})")
            actions.append(add({"path": name, "partitionValues": {}, "size": os.path.getsize(w.path(f"t/{name}")),
                                "modificationTime": 1, "dataChange": True}))
    w.write_log("t", 0, [OLD_PROTOCOL, metadata(schema(field("id", "integer"), field("s", "string"))), *actions])
    expect_equal(w.rows("SELECT id, count(*) AS n, min(s) AS s FROM t GROUP BY id ORDER BY id"),
                 [[i, 2, "text"] for i in range(6)])


@test
def test_files__whose_paths_are_escaped_or_absolute_are_read(w):
    names = ["a b.parquet", "50%.parquet", "c%20d.parquet", "x#y.parquet", "q?r.parquet", "\u00fcber.parquet",
             "p=1%2F2/e.parquet", "*[x].parquet", "it's \"q\".parquet"]
    elsewhere = w.path("else where")
    os.makedirs(elsewhere)
    actions = []
    for number, name in enumerate(names):
        actions.append(add(data_file(w, f"made{number}.parquet", f"SELECT {number}::BIGINT AS id")))
        target = os.path.join(w.path("t"), name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(w.path(f"t/made{number}.parquet"), target)
        actions[-1]["add"]["path"] = urllib.parse.quote(name)
    for number, prefix in ((100, "file:"), (101, "file://"), (102, "")):
        file = data_file(w, f"made{number}.parquet", f"SELECT {number}::BIGINT AS id")
        os.rename(w.path(f"t/made{number}.parquet"), f"{elsewhere}/f {number}.parquet")
        actions.append(add(file, path=prefix + urllib.parse.quote(f"{elsewhere}/f {number}.parquet")))
    w.write_log("t", 0, [OLD_PROTOCOL, metadata(schema(field("id", "long"))), *actions])
    expect_equal([r[0] for r in w.rows("SELECT id FROM t ORDER BY id")], [*range(len(names)), 100, 101, 102])
    w.write_log("t", 1, [remove(actions[0]["add"], path="a%20b.parquet"),
                         remove(actions[-1]["add"], path="file://" + urllib.parse.quote(f"{elsewhere}/f 102.parquet"))])
    expect_equal([r[0] for r in w.rows("SELECT id FROM t ORDER BY id")], [*range(1, len(names)), 100, 101])


# ---- Types that were widened -----------------------------------------------------------------------

# Narrow and wide type as SQL and in the schema, and values of the narrow one.
BYTES, SHORTS, INTS = ["-128", "0", "127"], ["-32768", "1", "32767"], ["-2147483648", "2", "2147483647"]
LONGS, DAYS = ["-9223372036854775808", "3", "9223372036854775807"], ["0001-01-01", "2024-02-29", "9999-12-31"]
WIDENED = [
    ("TINYINT", "SMALLINT", "short", BYTES), ("TINYINT", "INTEGER", "integer", BYTES),
    ("TINYINT", "BIGINT", "long", BYTES), ("SMALLINT", "INTEGER", "integer", SHORTS),
    ("SMALLINT", "BIGINT", "long", SHORTS), ("INTEGER", "BIGINT", "long", INTS),
    ("FLOAT", "DOUBLE", "double", ["-1.5", "0.25", "1048576"]), ("TINYINT", "DOUBLE", "double", BYTES),
    ("SMALLINT", "DOUBLE", "double", SHORTS), ("INTEGER", "DOUBLE", "double", INTS),
    ("DATE", "TIMESTAMP", "timestamp_ntz", DAYS),
    ("DECIMAL(5,2)", "DECIMAL(9,2)", "decimal(9,2)", ["-999.99", "0.01", "999.99"]),
    ("DECIMAL(5,2)", "DECIMAL(20,4)", "decimal(20,4)", ["-999.99", "0.01", "999.99"]),
    ("DECIMAL(12,2)", "DECIMAL(38,10)", "decimal(38,10)", ["-9999999999.99", "0.01", "9999999999.99"]),
    ("TINYINT", "DECIMAL(10,0)", "decimal(10,0)", BYTES), ("SMALLINT", "DECIMAL(12,2)", "decimal(12,2)", SHORTS),
    ("INTEGER", "DECIMAL(15,5)", "decimal(15,5)", INTS), ("BIGINT", "DECIMAL(22,2)", "decimal(22,2)", LONGS),
    ("BIGINT", "DECIMAL(38,18)", "decimal(38,18)", LONGS)]


def statistic(kind, value):
    return value if kind == "DATE" else float(value) if "." in value else int(value)


def widened_actions(w, partitioned):
    """A file for each value, in the narrow type, with statistics of it or as partition values."""
    actions = []
    for row in range(3):
        columns = {f"c{i}": (narrow, values[row]) for i, (narrow, _, _, values) in enumerate(WIDENED)}
        query = f"SELECT {row}::INTEGER AS id" + "".join(
            f", '{value}'::{kind} AS {name}" for name, (kind, value) in columns.items() if not partitioned)
        bounds = {name: statistic(*column) for name, column in columns.items()}
        stats = {"numRecords": 1, "minValues": bounds, "maxValues": bounds, "nullCount": {n: 0 for n in columns}}
        actions.append(add(data_file(w, f"{row}.parquet", query), **(
            {"partitionValues": {name: value for name, (_, value) in columns.items()}} if partitioned
            else {"stats": json.dumps(stats)})))
    return actions


def check_widened(w, partitioned):
    fields = [field("id", "integer")] + [field(f"c{i}", kind) for i, (_, _, kind, _) in enumerate(WIDENED)]
    names = [f["name"] for f in fields[1:]] if partitioned else []
    w.write_log("t", 0, [protocol("typeWidening", "timestampNtz"), metadata(schema(*fields), names),
                         *widened_actions(w, partitioned)])
    questions = []
    for i, (_, wide, _, values) in enumerate(WIDENED):
        for row, value in enumerate(values):
            for sign, expected in (("=", [row]), ("<", list(range(row))), (">=", list(range(row, 3)))):
                questions.append((f"SELECT '{i} {sign} {value}' AS q, coalesce(list(id ORDER BY id), []) AS ids FROM t "
                                  f"WHERE c{i} {sign} '{value}'::{wide}", [f"{i} {sign} {value}", expected]))
    found = w.rows(" UNION ALL ".join(f"({q})" for q, _ in questions))
    expect_equal(sorted(found), sorted(answer for _, answer in questions))


@test
def test_widened__columns_of_every_pair_are_read_and_pruned(w):
    check_widened(w, False)


@test
def test_widened__partition_columns_of_every_pair_are_read_and_pruned(w):
    check_widened(w, True)


# ---- Pruned and not --------------------------------------------------------------------------------

SEEDS = range(6)
RANDOM_KINDS = {  # the logical type, and its values by number
    "long": ("BIGINT", lambda n: str(n * 1000003 - 2 ** 40)), "integer": ("INTEGER", lambda n: str(n - 40)),
    "double": ("DOUBLE", lambda n: str(n / 8 - 3)), "string": ("VARCHAR", lambda n: f"k{n % 37:02d}'{n}".replace("'", "-")),
    "date": ("DATE", lambda n: f"{1960 + n}-0{n % 9 + 1}-11"), "decimal(12,3)": ("DECIMAL(12,3)", lambda n: f"{n - 20}.{n % 10}25"),
    "timestamp_ntz": ("TIMESTAMP", lambda n: f"2024-03-{n % 28 + 1:02d} 00:00:00"), "boolean": ("BOOLEAN", lambda n: str(n % 2 == 0).lower())}
NARROWED = {"long": "INTEGER", "integer": "SMALLINT", "double": "FLOAT", "decimal(12,3)": "DECIMAL(9,3)",
            "timestamp_ntz": "DATE"}


class RandomTable:
    """Files with and without statistics, narrow types, deletion vectors, mapped names, partitions."""

    def __init__(self, w, seed):
        self.w, self.random = w, random.Random(seed)
        self.columns = [(f"c{i}", kind) for i, kind in enumerate(RANDOM_KINDS)]
        self.mapping = self.random.choice([None, "name", "id"])
        self.partitions = self.random.sample([name for name, _ in self.columns], self.random.choice([0, 1, 2]))
        self.next_id = 0

    def physical(self, name):
        return f"col-{name}" if self.mapping else name

    def field(self, number, name, kind):
        return mapped(name, kind, number, self.physical(name)) if self.mapping else field(name, kind)

    def value(self, kind, low, high):
        """In partitions of widened types too each number has one text."""
        number = self.random.randrange(low, high)
        return None if self.random.random() < 0.1 else RANDOM_KINDS[kind][1](number)

    def select(self, rows, types):
        listed_rows = [f"({', '.join(['NULL' if v is None else repr(str(v)) for v in row])})" for row in rows]
        names = ["id"] + [name for name, _ in self.columns if name not in self.partitions]
        numbers = {"id": 1, **{name: i + 2 for i, (name, _) in enumerate(self.columns)}}
        casts = ", ".join(f'"{n}"::{types[n]} AS "{self.physical(n)}"' for n in names)
        listed = ", ".join(f'"{n}"' for n in names)
        ids_option = ", ".join(f'"{self.physical(n)}": {numbers[n]}' for n in names)
        return f"SELECT {casts} FROM (VALUES {', '.join(listed_rows)}) r({listed})", "{" + ids_option + "}"

    def write_file(self, number):
        w, low = self.w, self.random.randrange(60)
        fixed = {name: self.value(kind, low, low + 20) for name, kind in self.columns if name in self.partitions}
        types = {"id": "BIGINT"}
        for name, kind in self.columns:
            types[name] = NARROWED.get(kind, RANDOM_KINDS[kind][0]) if kind != "long" and self.random.random() < 0.4 \
                else RANDOM_KINDS[kind][0]
        count = self.random.randrange(1, 12)
        rows = []
        for _ in range(count):
            rows.append([self.next_id] + [self.value(kind, low, low + 20) for name, kind in self.columns
                                          if name not in self.partitions])
            self.next_id += 1
        query, ids = self.select(rows, types)
        path = f"f{number}.parquet"
        os.makedirs(w.path("t"), exist_ok=True)
        w.sql(f"COPY ({query}) TO '{w.path('t')}/{path}' (FORMAT parquet, FIELD_IDS {ids})")
        more = {}
        if self.random.random() < 0.7:
            more["stats"] = self.statistics(rows)
        if self.random.random() < 0.4 and "stats" in more:
            more["deletionVector"] = deleted_rows(*self.random.sample(range(count), self.random.randrange(1, count + 1)))
        return add({"path": path, "partitionValues": {self.physical(n): v for n, v in fixed.items()},
                    "size": os.path.getsize(w.path(f"t/{path}")), "modificationTime": 1, "dataChange": True}, **more)

    def statistics(self, rows):
        names = [c for c in self.columns if c[0] not in self.partitions]
        low, high, nulls = {}, {}, {}
        for place, (name, kind) in enumerate(names, 1):
            values = [row[place] for row in rows]
            present = [v for v in values if v is not None]
            nulls[self.physical(name)] = len(values) - len(present)
            if present and kind != "boolean":
                key = float if kind in ("long", "integer", "double", "decimal(12,3)") else str
                for bounds, choose in ((low, min), (high, max)):
                    bound = choose(present, key=key)
                    bounds[self.physical(name)] = (
                        int(bound) if kind in ("long", "integer") else float(bound) if key is float
                        else bound.replace(" ", "T") if kind == "timestamp_ntz" else bound)
        return json.dumps({"numRecords": len(rows), "minValues": low, "maxValues": high, "nullCount": nulls,
                           "tightBounds": False})

    def condition(self):
        name, kind = self.random.choice(self.columns)
        sql_type, value_of = RANDOM_KINDS[kind]
        literals = [f"'{value_of(self.random.randrange(80))}'::{sql_type}" for _ in range(3)]
        return self.random.choice([
            f"{name} {self.random.choice(['=', '<>', '<', '<=', '>', '>='])} {literals[0]}",
            f"{name} IN ({', '.join(literals)})", f"{name} NOT IN ({', '.join(literals)})", f"{name} IS NULL",
            f"{name} IS NOT NULL", f"{name} BETWEEN {literals[0]} AND {literals[1]}",
            f"{name} IS DISTINCT FROM {literals[0]}", f"NOT ({name} < {literals[2]})"])

    def predicate(self):
        text = self.condition()
        for _ in range(self.random.randrange(3)):
            text = f"({text}) {self.random.choice(['AND', 'OR'])} ({self.condition()})"
        return text

    def write(self):
        configuration = {"delta.columnMapping.mode": self.mapping,
                         "delta.columnMapping.maxColumnId": "9"} if self.mapping else {}
        fields = [self.field(i, n, k) for i, (n, k) in enumerate([("id", "long"), *self.columns], 1)]
        features = ["deletionVectors", "typeWidening", "timestampNtz"] + (["columnMapping"] if self.mapping else [])
        self.w.write_log("t", 0, [protocol(*features), metadata(schema(*fields), self.partitions, **configuration),
                                  *(self.write_file(i) for i in range(10))])


@test
def test_deleted__rows_of_large_files_are_masked_file_by_file(w):
    """Aggregates read each large file with deleted rows for itself; other statements do not."""
    rows = "SELECT CAST(i AS BIGINT) AS i, hash(i) // 2 AS noise, CAST({p} AS INT) AS p FROM range({a}, {b}) r(i)"
    w.sql("CREATE TABLE t (i BIGINT, noise DECIMAL(20, 0), p INT) PARTITIONED BY (p)"
          " TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    for p in range(3):
        w.sql("INSERT INTO t " + rows.format(p=p, a=p * 700_000, b=(p + 1) * 700_000))
    w.sql("INSERT INTO t VALUES (-3, 0, 7), (-4, 0, 7)")
    w.sql("DELETE FROM t WHERE i % 100 = 3 AND p <> 1; DELETE FROM t WHERE i = -3")
    kept = f"(({rows.format(p='i // 700000', a=0, b=2_100_000)}) UNION ALL SELECT -4, 0, 7)"
    kept = f"(SELECT * FROM {kept} WHERE NOT (i % 100 = 3 AND p <> 1))"
    for query in ("SELECT count(*) AS n, CAST(sum(i) AS BIGINT) AS s, CAST(sum(p) AS BIGINT) AS p FROM {t}",
                  "SELECT p, count(*) AS n, min(i) AS l, max(i) AS h FROM {t} WHERE i % 7 = 1 GROUP BY p ORDER BY p",
                  "SELECT count(*) AS n FROM {t} a JOIN {t} b ON a.i = b.i + 1 WHERE a.p = 2 AND b.i > 1500000",
                  "SELECT count(*) AS n FROM (SELECT i FROM {t} ORDER BY i DESC LIMIT 10) WHERE i > 2099990",
                  "SELECT i, p FROM {t} WHERE i % 70000 = 3 OR i < 0 ORDER BY i DESC LIMIT 12"):
        expect_equal(w.rows(query.format(t="t")), w.rows(query.format(t=kept)))
    aggregate = w.sql("EXPLAIN SELECT sum(i) FROM t")
    expect("UNION" in aggregate, f"the parts of the table, found {aggregate}")
    expect("UNION" not in w.sql("EXPLAIN SELECT * FROM t"), "one read of the table")
    expect("UNION" not in w.sql("EXPLAIN SELECT count(*) FROM (FROM t LIMIT 5)"), "one read of the table")
    for condition, is_cut in (("i > 5", True), ("i > 5 AND i < 900000", True), ("i > 5 AND p <> 1", True),
                              ("i > 5 AND noise <> 3", True), ("i > 5 AND noise IS NOT NULL", True),
                              ("i > 5 OR noise < 3", True), ("i > 5 AND noise < 4e18 :: DECIMAL(20, 0)", False),
                              ("i IN (3, 103, 104, 900003) AND noise >= 0", False)):
        query = "SELECT CAST(sum(i) AS BIGINT) AS s, count(*) AS n FROM {t} WHERE " + condition
        expect_equal(w.rows(query.format(t="t")), w.rows(query.format(t=kept)))
        expect_equal("UNION" in w.sql("EXPLAIN " + query.format(t="t")), is_cut)
    expect_equal(w.value("SELECT count(DISTINCT _metadata.file_path) AS n FROM t"), 4)


@test
def test_pruning__never_changes_an_answer(w):
    for seed in SEEDS:
        world = World(w.path(str(seed)))
        os.makedirs(world.folder)
        made = RandomTable(world, seed)
        made.write()
        predicates = [made.predicate() for _ in range(60)]
        ask = " UNION ALL ".join(f"SELECT {i} AS q, coalesce(list(id ORDER BY id), []) AS ids FROM TABLE_NAME WHERE {p}"
                                 for i, p in enumerate(predicates))
        out = world.sql(f"CREATE TEMP TABLE everything AS SELECT * FROM t; "
                        f"{ask.replace('TABLE_NAME', 'everything')} ORDER BY q; "
                        f"{ask.replace('TABLE_NAME', 't')} ORDER BY q", "--format", "ndjson").splitlines()
        answers = [json.loads(line) for line in out if line.startswith("{")]
        expect_equal(len(answers), 2 * len(predicates))
        for i, predicate in enumerate(predicates):
            expect(answers[i] == answers[len(predicates) + i],
                   f"the same rows with seed {seed} for {predicate}: {answers[i]} and {answers[len(predicates) + i]}")


@test
def test_conditions__that_the_engine_misjudges_inside_of_files_find_their_rows(w):
    w.sql("CREATE TABLE b (k BINARY, v INT); INSERT INTO b SELECT unhex(repeat('ab', 32)), NULL FROM range(5000)")
    w.sql("CREATE VIEW ignored AS SELECT 1")
    expect_equal(w.value("SELECT count(*) FROM b WHERE k = unhex(repeat('ab', 32))"), 5000)
    expect_equal(w.value("SELECT count(*) FROM b WHERE k IN (unhex(repeat('ab', 32)), unhex('00'))"), 5000)
    expect_equal(w.value("SELECT count(*) FROM b WHERE v IS DISTINCT FROM 5 OR v < 3"), 5000)
    expect_equal(w.value("SELECT count(*) FROM b WHERE v IS NOT DISTINCT FROM NULL OR v < 3"), 5000)
    counts = w.sql("CREATE VIEW seen AS SELECT * FROM b WHERE v IS /* by any means */ DISTINCT FROM 5 OR v < 3; "
                   "SELECT count(*) AS n FROM seen; DELETE FROM b WHERE v IS DISTINCT FROM 5 OR v < 3; "
                   "SELECT count(*) AS n FROM b", "--format", "csv", "--quiet")
    expect_equal(counts.split(), ["n", "5000", "n", "0"])


LOOKUPS = [
    "SELECT id FROM t WHERE id = {k}",
    "SELECT * FROM t WHERE id = {k} AND small = 1",
    "SELECT p, \"id\" FROM t WHERE `ID` = {k} AND p = 3",
    "SELECT id FROM t WHERE t.id = {k}",
    "SELECT id FROM t x WHERE id = {k} ORDER BY id LIMIT 1",
    "SELECT count(*) FROM t WHERE id = {k}",
    "SELECT id FROM t WHERE small = {k}",
    "SELECT id FROM t WHERE name = {k}",
    "SELECT DISTINCT p FROM t WHERE p = {k}",
]


@test
def test_lookups__by_integers_find_the_rows_that_a_search_through_all_finds(w):
    w.sql("CREATE TABLE t (id BIGINT, small TINYINT, p INT, name STRING) PARTITIONED BY (p) TBLPROPERTIES "
          "('delta.enableDeletionVectors' = 'true', 'delta.columnMapping.mode' = 'name'); "
          "INSERT INTO t SELECT i, i % 3, i % 5, i::VARCHAR FROM range(1000) r(i); "
          "INSERT INTO t SELECT i, NULL, NULL, NULL FROM range(900, 1100) r(i); DELETE FROM t WHERE id % 10 = 3")
    for query in LOOKUPS:
        for key in (0, 3, 13, 998, 1050, 4000000000):
            asked = query.format(k=key)
            plain = asked.replace("FROM t", "FROM (SELECT * FROM t OFFSET 0)" +
                                  ("" if "t x" in asked else " t"))
            expect_equal(sorted(w.rows(asked), key=str), sorted(w.rows(plain), key=str))
    ran = w.run("sql", "-c", "SELECT id FROM t WHERE nothing = 1")
    expect_failure(ran, 1, "nothing", "BIND_ERROR")
    ran = w.run("sql", "-c", "SELECT t.nothing FROM t")
    expect_failure(ran, 1, "table \"t\" does not have a column named \"nothing\"")


@test
def test_queries__name_their_columns_as_they_are_written(w):
    w.sql("CREATE TABLE t (id BIGINT); INSERT INTO t VALUES (1), (2)")
    for query in ("SELECT t.id FROM t", "SELECT (SELECT max(id) AS m FROM t) FROM t", "SELECT max(id) + 1 FROM t"):
        name = w.sql(query, "--format", "csv").splitlines()[0]
        expect("read_parquet" not in name and "dw__" not in name, f"the column as it is written: {name!r}")


@test
def test_settings__of_a_session_decide_what_constants_mean_and_which_files_are_read(w):
    w.sql("CREATE TABLE t (id INT, d DATE, n TIMESTAMP_NTZ, z TIMESTAMP, s STRING);"
          "INSERT INTO t VALUES (5, DATE '2024-01-01', TIMESTAMP '2024-01-01 03:00',"
          " TIMESTAMP '2024-01-01 03:00', 'A')")
    in_new_york = "SET TimeZone = 'America/New_York'"
    cases = [
        (in_new_york, "z < TIMESTAMP '2024-01-01 00:00'"),
        (in_new_york, "z::DATE = '2023-12-31'"),
        (in_new_york, "d BETWEEN TIMESTAMPTZ '2024-01-01 05:00:00Z' AND TIMESTAMPTZ '2024-01-01 05:00:01Z'"),
        (in_new_york, "n BETWEEN TIMESTAMPTZ '2024-01-01 07:59:59Z' AND TIMESTAMPTZ '2024-01-01 08:00:01Z'"),
        ("SET integer_division = true", "id = 11 / 2"),
        ("SET default_collation = 'NOCASE'", "s >= 'a' AND s <= 'a'"),
        ("CREATE MACRO abs(x) AS 5", "id = abs(8)"),
    ]
    for setting, condition in cases:
        found = w.sql(f"{setting}; SELECT 'found' FROM t WHERE {condition}", "--format", "csv")
        expect(found.count("found") == 2, f"one row where {condition} after {setting}: {found!r}")
    pruned = w.sql(f"{in_new_york}; EXPLAIN SELECT * FROM t WHERE z > TIMESTAMP '2024-01-02 00:00'")
    expect("0 after statistics" in pruned, f"files are still ruled out in other zones: {pruned}")


sys.exit(main())
