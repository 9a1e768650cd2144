"""Column mapping, partition columns in files, Iceberg's rules and widened types, from end to end."""
import json
import os
import sys

from harness import World, expect, expect_equal, expect_failure, main, test

ODD = '`a b,;{}()\t=`'
NESTED = (f"id BIGINT, {ODD} STRING, s STRUCT<x: INT, `y z`: STRUCT<q: STRING>>, "
          "l ARRAY<STRUCT<p: INT>>, m MAP<STRING, STRUCT<v: DATE>>, part STRING")
ROWS = ("SELECT range, 'v' || range, CASE WHEN range = 3 THEN NULL ELSE {'x': range, 'y z': {'q': 'q'}} END, "
        "[{'p': range}, NULL], MAP {'k': {'v': DATE '2024-01-02'}}, "
        "CASE WHEN range = 4 THEN NULL ELSE 'p ' || range % 2 END FROM range(6)")


def create(w: World, mode, columns=NESTED, partition="PARTITIONED BY (part)", **more):
    properties = {"delta.columnMapping.mode": mode, **more}
    listed = ", ".join(f"'{k}' = '{v}'" for k, v in properties.items())
    w.sql(f"CREATE OR REPLACE TABLE t ({columns}) {partition} TBLPROPERTIES ({listed})")


def actions(w, kind, table="t"):
    found = []
    folder = w.path(f"{table}/_delta_log")
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".json")):
        with open(os.path.join(folder, name)) as f:
            found += [line[kind] for line in map(json.loads, f) if kind in line]
    return found


def newest_metadata(w, table="t"):
    return actions(w, "metaData", table)[-1]


def fields(schema, path=()):
    """All fields of a schema, parents first: (path of names, field)."""
    if isinstance(schema, str):
        return []
    if schema["type"] == "struct":
        found = []
        for f in schema["fields"]:
            found.append((path + (f["name"],), f))
            found += fields(f["type"], path + (f["name"],))
        return found
    parts = ("elementType",) if schema["type"] == "array" else ("keyType", "valueType")
    return [f for part in parts for f in fields(schema[part], path)]


def mapped(w, table="t"):
    """{path: (id, physical name)} of the newest schema."""
    schema = json.loads(newest_metadata(w, table)["schemaString"])
    return {path: (f["metadata"].get("delta.columnMapping.id"),
                   f["metadata"].get("delta.columnMapping.physicalName")) for path, f in fields(schema)}


def file_schema(w, file):
    return w.rows(f"SELECT name, field_id FROM parquet_schema('{w.path('t')}/{file}')")[1:]


def check_rows(w):
    expect_equal(w.rows(f"SELECT id, {ODD}, s.x, s.`y z`.q, l[1].p, m['k'].v, part FROM t "
                        "WHERE id >= 3 ORDER BY id"),
                 [[3, "v3", None, None, 3, "2024-01-02", "p 1"],
                  [4, "v4", 4, "q", 4, "2024-01-02", None],
                  [5, "v5", 5, "q", 5, "2024-01-02", "p 1"]])
    expect_equal(w.rows("SELECT s IS NULL, l[2] IS NULL FROM t WHERE id = 3"), [[True, True]])


@test
def test_mapping__files_log_and_folders_have_physical_names_and_ids(w):
    for mode in ("name", "id"):
        create(w, mode)
        w.sql(f"INSERT INTO t {ROWS}")
        check_rows(w)
        names = mapped(w)
        top = {path[0]: name for path, (_, name) in names.items() if len(path) == 1}
        adds = actions(w, "add")
        for add in adds[-3:]:
            expect_equal(list(add["partitionValues"]), [top["part"]])
            expect(add["path"].startswith(top["part"] + "="), f"a folder of {add['path']}")
            stats = json.loads(add["stats"])
            expect(top["id"] in stats["minValues"], "statistics by physical names")
            expect("id" not in stats["minValues"], "no logical names")
        file = os.path.join(w.path("t"), adds[-1]["path"].replace("%25", "%"))
        found = dict(w.rows(f"SELECT name, field_id FROM parquet_schema('{file}') WHERE field_id IS NOT NULL"))
        expected = {name: i for path, (i, name) in names.items() if path != ("part",)}
        expect_equal(found, expected)


@test
def test_mapping__ids_are_given_parents_first_and_never_again(w):
    create(w, "name")
    expect_equal([i for i, _ in mapped(w).values()], list(range(1, 12)))
    before = mapped(w)
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT, part INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    after = mapped(w)
    expect_equal(after[("id",)], before[("id",)])
    expect_equal(after[("part",)][0], 12)
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT)")
    expect_equal(mapped(w), {("id",): (None, None)})
    w.sql("CREATE OR REPLACE TABLE t TBLPROPERTIES ('delta.columnMapping.mode' = 'id') AS SELECT 1 AS one")
    expect_equal(mapped(w)[("one",)][0], 13)
    expect_equal(newest_metadata(w)["configuration"]["delta.columnMapping.maxColumnId"], "13")
    expect_equal(w.rows("SELECT * FROM t"), [[1]])


@test
def test_mapping__odd_names_need_it_and_the_error_says_so(w):
    failed = w.run("sql", "-c", "CREATE TABLE t AS SELECT 1 AS \"a b\"")
    expect_failure(failed, 1, "SCHEMA_INVALID")
    expect("'delta.columnMapping.mode' = 'name'" in failed.err, "what to do")
    w.sql("CREATE TABLE t TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS SELECT 1 AS \"a b\"")
    expect_equal(w.rows('SELECT "a b" FROM t'), [[1]])


@test
def test_mapping__show_create_table_makes_the_table_again(w):
    create(w, "name")
    [[statement]] = w.rows("SHOW CREATE TABLE t")
    expect("maxColumnId" not in statement, f"what a user may set, found {statement}")
    before = mapped(w)
    w.sql(statement.replace("CREATE TABLE", "CREATE OR REPLACE TABLE"))
    expect_equal(mapped(w), before)


@test
def test_mapping__overwrites_loads_and_prunes(w):
    create(w, "name")
    w.sql(f"INSERT INTO t {ROWS}; INSERT OVERWRITE t {ROWS}; INSERT OVERWRITE t PARTITION (part = 'p 1') "
          f"SELECT 30, 'n', NULL, NULL, NULL")
    expect_equal(w.rows("SELECT count(*), sum(id) FROM t"), [[4, 36]])
    explained = w.sql("EXPLAIN SELECT * FROM t WHERE id = 30 AND part = 'p 1'")
    expect("3 in the table, 1 after partitions" in explained, f"one file left, found {explained}")
    w.sql(f"COPY (SELECT 7 AS id, 'seven' AS {ODD.replace('`', chr(34))}, 'p 0' AS part) TO '{w.path('in.parquet')}'")
    expect_equal(w.run("load", "t", w.path("in.parquet")).status, 0)
    expect_equal(w.rows("SELECT part FROM t WHERE id = 7"), [["p 0"]])


@test
def test_mapping__deletes_write_files_and_change_data_under_physical_names(w):
    create(w, "name", **{"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"})
    w.sql(f"INSERT INTO t {ROWS}; DELETE FROM t WHERE s.x = 5")
    expect_equal(w.rows("SELECT id FROM t ORDER BY id"), [[0], [1], [2], [3], [4]])
    names = {name: i for path, (i, name) in mapped(w).items() if path != ("part",)}
    for kind, extra in (("add", {}), ("cdc", {"_change_type": None})):
        file = os.path.join(w.path("t"), actions(w, kind)[-1]["path"].replace("%25", "%"))
        found = dict(w.rows(f"SELECT name, field_id FROM parquet_schema('{file}')"))
        expect_equal({n: i for n, i in found.items() if i is not None or n == "_change_type"}, {**names, **extra})
    w.sql("DELETE FROM t WHERE m['k'].v > DATE '2020-01-01'")
    expect_equal(w.value("SELECT count(*) FROM t"), 0)


@test
def test_mapping__load_makes_mapped_tables(w):
    w.sql(f"COPY (SELECT 7 AS id, 'x' AS \"a b\") TO '{w.path('in.parquet')}'")
    done = w.run("load", "t", w.path("in.parquet"), "--property", "delta.columnMapping.mode=id")
    expect_equal(done.status, 0)
    expect_equal(w.rows('SELECT id, "a b" FROM t'), [[7, "x"]])
    expect(all(name.startswith("col-") for _, name in mapped(w).values()), "physical names")


@test
def test_mapping__stats_columns_are_logical_names(w):
    create(w, "name", **{"delta.dataSkippingStatsColumns": "s.`y z`.q"})
    w.sql(f"INSERT INTO t {ROWS}")
    names = mapped(w)
    stats = json.loads(actions(w, "add")[-1]["stats"])
    expect_equal(stats["maxValues"], {names[("s",)][1]: {names[("s", "y z")][1]: {names[("s", "y z", "q")][1]: "q"}}})


def change_schema(w, change):
    """Changes the schema of version 0, which has no checksum then."""
    w.damages("t")
    lines = w.actions("t", 0)
    for action in lines:
        if "metaData" in action:
            schema = json.loads(action["metaData"]["schemaString"])
            change(schema["fields"])
            action["metaData"]["schemaString"] = json.dumps(schema)
    w.write_log("t", 0, lines)
    os.remove(w.log("t", 0).replace(".json", ".crc"))


@test
def test_mapping__a_schema_that_contradicts_itself_is_not_written_to(w):
    create(w, "id")
    change_schema(w, lambda columns: columns[1]["metadata"].update(columns[0]["metadata"]))
    expect_failure(w.run("sql", "-c", f"INSERT INTO t {ROWS}"), 5, "MAPPING_INVALID")
    expect_equal(w.files("t"), [])


# ---- Partition columns in files --------------------------------------------------------------------


@test
def test_mapping__structs_whose_fields_were_all_exchanged_are_read_and_written(w):
    for mode in ("name", "id"):
        create(w, mode, "id INT, s STRUCT<a: INT, i: STRUCT<q: INT, z: STRING>>, l ARRAY<STRUCT<a: STRING>>, "
               "m MAP<STRING, STRUCT<a: DATE>>", "", **{"delta.enableRowTracking": "true", "delta.enableChangeDataFeed": "true"})
        w.sql("INSERT INTO t VALUES (1, {'a': 1, 'i': {'q': 2, 'z': 'z'}}, [{'a': 'x'}, NULL], MAP {'k': {'a': DATE '2024-01-02'}}),"
              " (2, {'a': NULL, 'i': NULL}, [], MAP {}), (3, NULL, NULL, NULL)")
        for place in ("s.i", "l.element", "m.value"):
            w.sql(f"ALTER TABLE t ADD COLUMN {place}.b INT")
        w.sql("ALTER TABLE t DROP COLUMN s.i.q, s.i.z, l.element.a, m.value.a")
        rows = [[1, 1, None, True, 2, True, 1, True], [2, None, None, False, 0, None, 0, None],
                [3, None, None, False, None, None, None, None]]
        told = ("SELECT id, s.a, s.i.b AS b, s.i IS NOT NULL AS c, len(l) AS d, l[1] IS NOT NULL AND l[2] IS NULL AND l[1].b IS NULL"
                " AS e, cardinality(m) AS f, m['k'] IS NOT NULL AS g FROM t ORDER BY id")
        found = w.rows(told)
        expect_equal([row[:5] + [row[6]] for row in found], [row[:5] + [row[6]] for row in rows])
        expect_equal(found[0], rows[0])
        w.sql("ALTER TABLE t ADD COLUMN s.more INT; ALTER TABLE t DROP COLUMN s.i, s.a")
        expect_equal(w.rows("SELECT id, s IS NULL, s.more FROM t ORDER BY id"), [[1, False, None], [2, False, None], [3, True, None]])
        w.sql("INSERT INTO t VALUES (4, {'more': 7}, [{'b': 8}], MAP {'k': {'b': 9}})")
        all_of_it = "SELECT id, s.more, l[1].b, m['k'].b FROM t ORDER BY id"
        expect_equal(w.rows(all_of_it), [[1] + [None] * 3, [2] + [None] * 3, [3] + [None] * 3, [4, 7, 8, 9]])
        expect_equal(w.rows("SELECT id FROM t WHERE s.more = 7 OR l[1].b = 8"), [[4]])
        w.sql("UPDATE t SET id = id + 10 WHERE id IN (1, 4); DELETE FROM t WHERE id = 3; OPTIMIZE t")
        expect_equal(w.rows(all_of_it), [[2] + [None] * 3, [11] + [None] * 3, [14, 7, 8, 9]])
        expect_equal(w.value("SELECT s.a FROM t VERSION AS OF 1 WHERE id = 1"), 1)


@test
def test_partition_columns__stand_last_in_files_where_asked_for(w):
    w.sql("CREATE TABLE t (p STRING, a INT, q DATE) PARTITIONED BY (p, q) "
          "TBLPROPERTIES ('delta.writePartitionColumnsToParquet' = 'true')")
    w.sql("INSERT INTO t VALUES ('x', 1, DATE '2024-01-01'), (NULL, 2, NULL), ('', 3, NULL)")
    expect_equal(w.rows("SELECT * FROM t ORDER BY a"), [["x", 1, "2024-01-01"], [None, 2, None], [None, 3, None]])
    for file in w.files("t"):
        expect_equal([name for name, _ in file_schema(w, file)], ["a", "p", "q"])
    for add in actions(w, "add"):
        expect_equal(list(json.loads(add["stats"])["nullCount"]), ["a"])


@test
def test_partition_columns__are_written_when_the_feature_is_supported(w):
    w.sql("CREATE TABLE t (p INT, a INT) PARTITIONED BY (p) TBLPROPERTIES ("
          "'delta.feature.materializePartitionColumns' = 'supported', "
          "'delta.columnMapping.mode' = 'name', 'delta.writePartitionColumnsToParquet' = 'false')")
    w.sql("INSERT INTO t VALUES (1, 2)")
    names = mapped(w)
    expect_equal(file_schema(w, w.files("t")[0]), [[names[("a",)][1], 2], [names[("p",)][1], 1]])
    expect_equal(w.rows("SELECT * FROM t"), [[1, 2]])


# ---- Iceberg ---------------------------------------------------------------------------------------


@test
def test_iceberg__v2_brings_mapping_nested_ids_and_partition_columns(w):
    w.sql("CREATE TABLE t (a ARRAY<ARRAY<INT>>, m MAP<STRING, STRUCT<x: INT>>, p INT) PARTITIONED BY (p) "
          "TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')")
    w.sql("INSERT INTO t SELECT [[1]], MAP {'k': {'x': 5}}, 1")
    expect_equal(w.rows("SELECT a[1][1], m['k'].x, p FROM t"), [[1, 5, 1]])
    configuration = newest_metadata(w)["configuration"]
    expect_equal(configuration["delta.columnMapping.mode"], "name")
    expect_equal(configuration["delta.columnMapping.maxColumnId"], "8")
    ids = dict(file_schema(w, w.files("t")[0]))
    expect_equal([i for _, i in file_schema(w, w.files("t")[0]) if i is not None], [1, 5, 6, 2, 7, 8, 3, 4])
    expect(len(ids) > 5, "all columns")


@test
def test_iceberg__rules_refuse_tables(w):
    for properties, columns in [
            ("'delta.enableIcebergCompatV1' = 'true'", "a ARRAY<INT>"),
            ("'delta.enableIcebergCompatV1' = 'true', 'delta.enableDeletionVectors' = 'true'", "a INT"),
            ("'delta.enableIcebergCompatV2' = 'true', 'delta.columnMapping.mode' = 'none'", "a INT"),
            ("'delta.enableIcebergCompatV2' = 'true', 'delta.enableIcebergCompatV1' = 'true'", "a INT")]:
        failed = w.run("sql", "-c", f"CREATE TABLE t ({columns}) TBLPROPERTIES ({properties})")
        expect_failure(failed, 1, "ICEBERG_COMPAT")
    expect(not os.path.exists(w.path("t/_delta_log")), "no table")


# ---- Type widening ---------------------------------------------------------------------------------

WIDENED = {"type": "struct", "fields": [
    {"name": "i", "type": "long", "nullable": True,
     "metadata": {"delta.typeChanges": [{"fromType": "integer", "toType": "long"}]}},
    {"name": "l", "type": {"type": "array", "elementType": "double", "containsNull": True}, "nullable": True,
     "metadata": {"delta.typeChanges": [
         {"fromType": "float", "toType": "double", "fieldPath": "element"}]}},
    {"name": "d", "type": "decimal(12,4)", "nullable": True,
     "metadata": {"delta.typeChanges": [{"fromType": "decimal(10,2)", "toType": "decimal(12,4)"}]}}]}


@test
def test_widened_types__take_the_new_values_and_keep_the_old(w):
    w.sql("CREATE TABLE t (i INT, l ARRAY<FLOAT>, d DECIMAL(10, 2)) "
          "TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    w.sql("INSERT INTO t VALUES (1, [0.1::FLOAT], 1.25)")
    metadata = newest_metadata(w)
    metadata["schemaString"] = json.dumps(WIDENED)
    with open(w.path("t/_delta_log/00000000000000000002.json"), "w") as f:
        f.write(json.dumps({"metaData": metadata}) + "\n")
    w.sql("INSERT INTO t VALUES (5000000000, [0.1], 12345678.1234)")
    expect_equal(w.rows("SELECT i, l[1], d::VARCHAR FROM t ORDER BY i"),
                 [[1, 0.10000000149011612, "1.2500"], [5000000000, 0.1, "12345678.1234"]])
    expect_equal(w.rows("SELECT i FROM t WHERE i > 4999999999"), [[5000000000]])
    expect_equal(w.rows("SELECT i FROM t WHERE d < 2"), [[1]])
    newest = [a for a in actions(w, "add")][-1]["path"]
    types = w.rows(f"SELECT type FROM parquet_schema('{w.path('t')}/{newest}') WHERE type IS NOT NULL")
    expect_equal([t for [t] in types], ["INT64", "DOUBLE", "INT64"])
    expect_equal(json.loads(newest_metadata(w)["schemaString"]), WIDENED)


@test
def test_widened_types__that_are_no_widening_are_refused_by_name(w):
    w.sql("CREATE TABLE t (i BIGINT) TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    change = {"delta.typeChanges": [{"fromType": "string", "toType": "long"}]}
    change_schema(w, lambda columns: columns[0].update(metadata=change))
    for statement in ("SELECT i FROM t", "INSERT INTO t VALUES (1)"):
        expect_failure(w.run("sql", "-c", statement), 4, "TYPE_CHANGE_UNSUPPORTED", "column i", "string", "bigint")
    expect_equal(w.files("t"), [])


if __name__ == "__main__":
    sys.exit(main())
