"""Columns that are added, dropped, renamed, moved and given other types: rows stay, and no file is written again."""
import json
import os
import sys

from harness import PLAIN, expect, expect_equal, expect_failure, main, test

NESTED = "id INT, a STRUCT<x: INT, y: STRING>, l ARRAY<STRUCT<k: INT>>, m MAP<STRING, INT>, p STRING"


def make(w, columns=NESTED, more="PARTITIONED BY (p)", **properties):
    text = ", ".join(f"'{k.replace('__', '.')}' = '{v}'" for k, v in properties.items())
    w.sql(PLAIN + f"CREATE TABLE t ({columns}) {more}" + (f" TBLPROPERTIES ({text})" if text else ""))


def fill(w):
    w.sql("INSERT INTO t VALUES (1, {'x': 1, 'y': 'u'}, [{'k': 5}], MAP{'a': 1}, 'p1'), (2, NULL, NULL, NULL, 'p2')")


def version(w, table="t"):
    names = [n for n in os.listdir(os.path.dirname(w.log(table, 0))) if n.endswith(".json") and n[:20].isdigit()]
    return max(int(n[:20]) for n in names if len(n) == 25)


def newest(w, kind, table="t"):
    for at in range(version(w, table), -1, -1):
        for action in w.actions(table, at):
            if kind in action:
                return action[kind]
    return None


def alter(w, change):
    """Changes the table, which must touch no file and make one version."""
    before, files = version(w), sorted(w.files("t"))
    out = w.sql(f"ALTER TABLE t {change}")
    expect_equal(version(w), before + 1)
    expect_equal(sorted(w.files("t")), files)
    kinds = {k for action in w.actions("t", before + 1) for k in action}
    expect(not kinds & {"add", "remove"}, kinds)
    return out


def refused(w, change, code, *words):
    before = version(w)
    expect_failure(w.run("sql", "-c", f"ALTER TABLE t {change}"), 1, code, *words)
    expect_equal(version(w), before)


def operation(w):
    info = newest(w, "commitInfo")
    return info["operation"], {k: json.loads(v) if v[:1] in "[{" else v for k, v in info["operationParameters"].items()}


def schema(w):
    return json.loads(newest(w, "metaData")["schemaString"])["fields"]


def names(w):
    return [field["name"] for field in schema(w)]


# ---- ADD ---------------------------------------------------------------------------------------------


@test
def test_add_columns__puts_them_where_they_are_wanted_at_every_depth(w):
    make(w)
    fill(w)
    alter(w, "ADD COLUMNS (b INT COMMENT 'bee' AFTER id, a.z DOUBLE FIRST, l.element.j STRING, c STRING)")
    expect_equal(operation(w), ("ADD COLUMNS", {"columns": [
        {"column": {"name": "b", "type": "integer", "nullable": True, "metadata": {"comment": "bee"}},
         "position": "AFTER id"},
        {"column": {"name": "a.z", "type": "double", "nullable": True, "metadata": {}}, "position": "FIRST"},
        {"column": {"name": "l.element.j", "type": "string", "nullable": True, "metadata": {}}},
        {"column": {"name": "c", "type": "string", "nullable": True, "metadata": {}}}]}))
    expect_equal(names(w), ["id", "b", "a", "l", "m", "p", "c"])
    expect_equal(w.rows("SELECT b, a, l, c FROM t WHERE id = 1"),
                 [[None, {"z": None, "x": 1, "y": "u"}, [{"k": 5, "j": None}], None]])
    w.sql("INSERT INTO t (id, b, c, p) VALUES (3, 30, 'see', 'p1')")
    expect_equal(w.value("SELECT sum(b) FROM t"), 30)
    alter(w, "ADD COLUMN d DATE FIRST")
    expect_equal(names(w)[0], "d")
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 1"), 2)


@test
def test_add_columns__refuses_what_rows_that_are_there_cannot_have(w):
    make(w)
    fill(w)
    refused(w, "ADD COLUMN n INT NOT NULL", "OPERATION_NOT_ALLOWED", "SET NOT NULL")
    refused(w, "ADD COLUMN s STRUCT<a: INT NOT NULL>", "OPERATION_NOT_ALLOWED")
    refused(w, "ADD COLUMN d INT DEFAULT 5", "WRONG_COLUMN_DEFAULTS_FOR_ADD_COLUMN_NOT_SUPPORTED", "SET DEFAULT")
    refused(w, "ADD COLUMN g INT GENERATED ALWAYS AS (id + 1)", "OPERATION_NOT_ALLOWED")
    refused(w, "ADD COLUMN ID STRING", "COLUMN_EXISTS")
    refused(w, "ADD COLUMN a.X INT", "COLUMN_EXISTS")
    refused(w, "ADD COLUMN nope.x INT", "COLUMN_NOT_FOUND", "id, a, l, m, p")
    refused(w, "ADD COLUMN l.j INT", "ADD_COLUMN_PARENT_NOT_STRUCT", "element")
    refused(w, "ADD COLUMN l.j.k INT", "INCORRECT_ARRAY_ACCESS", "element")
    refused(w, "ADD COLUMN id.x INT", "ADD_COLUMN_PARENT_NOT_STRUCT")
    refused(w, "ADD COLUMN m.x.y INT", "FOUND_MAP_TYPE_COLUMN")
    refused(w, "ADD COLUMN b INT AFTER nope", "COLUMN_NOT_FOUND")
    refused(w, "ADD COLUMN `a b` INT", "SCHEMA_INVALID", "columnMapping")
    refused(w, "ADD COLUMN b", "PARSE_ERROR")


@test
def test_add_columns__may_have_a_default_where_no_row_lacks_it(w):
    make(w)
    alter(w, "ADD COLUMN d INT DEFAULT 5 AFTER id")
    w.sql("INSERT INTO t (id, p) VALUES (1, 'x')")
    expect_equal(w.value("SELECT d FROM t"), 5)
    expect("allowColumnDefaults" in newest(w, "protocol")["writerFeatures"], "the feature")


@test
def test_add_columns__keeps_away_from_names_of_the_change_feed_and_of_row_ids(w):
    make(w, delta__enableChangeDataFeed="true", delta__enableRowTracking="true")
    hidden = newest(w, "metaData")["configuration"]["delta.rowTracking.materializedRowIdColumnName"]
    refused(w, "ADD COLUMN _change_type STRING", "RESERVED_CDC_COLUMNS_ON_WRITE")
    refused(w, f"ADD COLUMN `{hidden}` BIGINT", "ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED")
    refused(w, "RENAME COLUMN id TO _commit_version", "RESERVED_CDC_COLUMNS_ON_WRITE")


# ---- DROP and RENAME ---------------------------------------------------------------------------------


@test
def test_drop_columns__switches_column_mapping_on_and_says_so(w):
    make(w)
    fill(w)
    out = alter(w, "DROP COLUMNS (m, a.y)")
    expect("column mapping by name was switched on" in out, out)
    expect_equal(operation(w), ("DROP COLUMNS", {"columns": ["m", "a.y"]}))
    expect_equal(names(w), ["id", "a", "l", "p"])
    expect_equal(w.rows("SELECT * FROM t WHERE id = 1"), [[1, {"x": 1}, [{"k": 5}], "p1"]])
    protocol = newest(w, "protocol")
    expect_equal((protocol["minReaderVersion"], sorted(protocol["writerFeatures"])),
                 (2, ["appendOnly", "columnMapping", "invariants"]))
    # A column of the same name is another one: what the files still hold of the old one stays hidden.
    out = alter(w, "ADD COLUMN m STRING")
    expect("switched on" not in out, out)
    expect_equal(w.value("SELECT count(m) FROM t"), 0)
    w.sql("INSERT INTO t (id, m, p) VALUES (3, 'new', 'p3')")
    expect_equal(w.rows("SELECT id, m FROM t WHERE m IS NOT NULL"), [[3, "new"]])
    expect_equal(w.value("SELECT m['a'] FROM t VERSION AS OF 1 WHERE id = 1"), 1)


@test
def test_drop_columns__can_be_kept_from_switching_column_mapping_on(w):
    make(w)
    before = version(w)
    for change in ("DROP COLUMN m", "RENAME COLUMN m TO n", "REPLACE COLUMNS (id INT, p STRING)"):
        expect_failure(w.run("sql", "-c", f"SET deltaworks.autoColumnMapping = false; ALTER TABLE t {change}"), 1,
                       "UNSUPPORTED_", "delta.columnMapping.mode")
    expect_equal(version(w), before)


@test
def test_drop_columns__refuses_what_something_depends_on(w):
    w.sql("CREATE TABLE t (id INT, v INT, g INT GENERATED ALWAYS AS (v + 1), st STRUCT<a: INT, b: INT>, p INT) "
          "PARTITIONED BY (p)")
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (st.a > 0 AND id > 0)")
    refused(w, "DROP COLUMN p", "UNSUPPORTED_DROP_PARTITION_COLUMN")
    refused(w, "DROP COLUMN id", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "id > 0")
    refused(w, "DROP COLUMN st", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE")
    refused(w, "DROP COLUMN st.a", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE")
    refused(w, "DROP COLUMN v", "GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE", "g")
    refused(w, "RENAME COLUMN ID TO k", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE")
    refused(w, "RENAME COLUMN st.a TO k", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE")
    refused(w, "DROP COLUMN nope", "COLUMN_NOT_FOUND")
    expect("nothing" in w.sql("ALTER TABLE t DROP COLUMN IF EXISTS nope, st.nope"), "nothing happens")
    alter(w, "DROP COLUMN st.b")
    refused(w, "DROP COLUMN st.a", "DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA")
    alter(w, "DROP COLUMN g")
    alter(w, "RENAME COLUMN v TO value")
    alter(w, "RENAME COLUMN p TO part")
    expect_equal(newest(w, "metaData")["partitionColumns"], ["part"])


@test
def test_drop_columns__keeps_clustering_columns_and_forgets_columns_of_statistics(w):
    w.sql("CREATE TABLE t (id INT, a STRUCT<x: INT, y: INT>, b INT) CLUSTER BY (a.x) "
          "TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'a.x, b, `id`')")
    w.sql("INSERT INTO t VALUES (1, {'x': 1, 'y': 2}, 3)")
    refused(w, "DROP COLUMN a.x", "UNSUPPORTED_DROP_CLUSTERING_COLUMN")
    refused(w, "DROP COLUMN a", "UNSUPPORTED_DROP_CLUSTERING_COLUMN")
    alter(w, "DROP COLUMN b")
    expect_equal(newest(w, "metaData")["configuration"]["delta.dataSkippingStatsColumns"], "a.x,id")
    alter(w, "RENAME COLUMN a TO `a b`")
    expect_equal(newest(w, "metaData")["configuration"]["delta.dataSkippingStatsColumns"], "`a b`.x,id")
    w.sql("INSERT INTO t VALUES (2, {'x': 5, 'y': 2})")
    w.sql("OPTIMIZE t FULL")
    expect_equal(w.value("SELECT sum(`a b`.x) FROM t"), 6)


@test
def test_rename_column__keeps_rows_statistics_and_partitions(w):
    make(w)
    fill(w)
    alter(w, "RENAME COLUMN p TO part")
    expect_equal(operation(w), ("RENAME COLUMN", {"oldColumnPath": "p", "newColumnPath": "part"}))
    alter(w, "RENAME COLUMN a.x TO `x y`")
    expect_equal(operation(w)[1], {"oldColumnPath": "a.x", "newColumnPath": "a.`x y`"})
    alter(w, "RENAME COLUMN l.element.k TO kk")
    alter(w, "RENAME COLUMN id TO ID")
    expect_equal(w.rows("SELECT * FROM t WHERE part = 'p1'"),
                 [[1, {"x y": 1, "y": "u"}, [{"kk": 5}], {"a": 1}, "p1"]])
    w.sql("UPDATE t SET a = NULL WHERE part = 'p1'")
    w.sql("DELETE FROM t WHERE part = 'p2'")
    expect_equal(w.value("SELECT count(*) FROM t"), 1)
    refused(w, "RENAME COLUMN id TO part", "COLUMN_EXISTS")
    refused(w, "RENAME COLUMN m.key TO k", "UNSUPPORTED_RENAME_COLUMN")
    expect("nothing" in w.sql("ALTER TABLE t RENAME COLUMN ID TO ID"), "nothing happens")


# ---- ALTER COLUMN ------------------------------------------------------------------------------------


@test
def test_alter_column__widens_types_at_every_depth_and_records_it(w):
    make(w)
    fill(w)
    refused(w, "ALTER COLUMN id TYPE BIGINT", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "delta.enableTypeWidening")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    alter(w, "ALTER COLUMN id TYPE BIGINT")
    alter(w, "ALTER COLUMN id SET DATA TYPE DECIMAL(24, 2)")
    alter(w, "CHANGE COLUMN a.x TYPE DOUBLE")
    alter(w, "ALTER COLUMN l.element.k TYPE BIGINT, m.value TYPE BIGINT")
    expect_equal(operation(w)[0], "CHANGE COLUMNS")
    fields = {f["name"]: f for f in schema(w)}
    expect_equal(fields["id"]["metadata"]["delta.typeChanges"],
                 [{"fromType": "integer", "toType": "long"}, {"fromType": "long", "toType": "decimal(24,2)"}])
    expect_equal(fields["m"]["metadata"]["delta.typeChanges"],
                 [{"fromType": "integer", "toType": "long", "fieldPath": "value"}])
    expect_equal(w.rows("SELECT id::DOUBLE AS id, a.x AS x, l[1].k AS k FROM t WHERE id = 1"),
                 [[1.0, 1.0, 5]])
    w.sql("INSERT INTO t (id, l, p) VALUES (12345678901234567890.25, [{'k': 5000000000}], 'p9')")
    expect_equal(w.value("SELECT count(*) FROM t WHERE id > 5"), 1)


@test
def test_alter_column__names_what_a_type_may_become(w):
    make(w, "b TINYINT, f FLOAT, d DECIMAL(10, 2), t DATE, s STRING, a ARRAY<INT>, st STRUCT<x: INT>, m MAP<INT, INT>", "",
         delta__enableTypeWidening="true")
    refused(w, "ALTER COLUMN b TYPE FLOAT", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
            "smallint, int, bigint, double, decimal(10,0) and wider decimals")
    refused(w, "ALTER COLUMN f TYPE DECIMAL(38, 0)", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "double")
    refused(w, "ALTER COLUMN d TYPE DECIMAL(10, 4)", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "decimal(11,2) and wider")
    refused(w, "ALTER COLUMN t TYPE TIMESTAMP", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "timestamp_ntz")
    refused(w, "ALTER COLUMN s TYPE INT", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "cannot become anything else")
    refused(w, "ALTER COLUMN a TYPE ARRAY<BIGINT>", "CANNOT_UPDATE_ARRAY_FIELD", "a.element")
    refused(w, "ALTER COLUMN st TYPE STRUCT<x: BIGINT>", "CANNOT_UPDATE_STRUCT_FIELD")
    refused(w, "ALTER COLUMN m TYPE MAP<INT, BIGINT>", "CANNOT_UPDATE_MAP_FIELD")


@test
def test_alter_column__refuses_another_type_where_an_expression_names_the_column(w):
    w.sql("CREATE TABLE t (a INT, b INT, g INT GENERATED ALWAYS AS (a + 1)) "
          "TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0)")
    refused(w, "ALTER COLUMN a TYPE BIGINT", "GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE")
    refused(w, "ALTER COLUMN b TYPE BIGINT", "CONSTRAINT_DEPENDENT_COLUMN_CHANGE")
    refused(w, "ALTER COLUMN g TYPE BIGINT", "GENERATED_COLUMNS_DATA_TYPE_MISMATCH")


@test
def test_alter_column__widens_partition_columns(w):
    w.sql("CREATE TABLE t (v INT, a INT, d DATE) PARTITIONED BY (a, d) "
          "TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')")
    w.sql("INSERT INTO t VALUES (1, 7, DATE '2024-01-02'), (2, NULL, NULL)")
    alter(w, "ALTER COLUMN a TYPE BIGINT")
    alter(w, "ALTER COLUMN d TYPE TIMESTAMP_NTZ")
    w.sql("INSERT INTO t VALUES (3, 5000000000, TIMESTAMP '2024-01-02 03:04:05')")
    expect_equal(w.value("SELECT sum(a) FROM t"), 5000000007)
    expect_equal(w.value("SELECT v FROM t WHERE d = TIMESTAMP '2024-01-02 00:00:00'"), 1)
    expect_equal(w.value("SELECT count(*) FROM t WHERE a = 7"), 1)


@test
def test_alter_column__sets_not_null_after_a_look_at_the_rows(w):
    make(w, "id INT, n INT, st STRUCT<x: INT>, l ARRAY<INT>", "")
    w.sql("INSERT INTO t VALUES (1, NULL, {'x': 1}, [1]), (2, 3, {'x': 2}, [2])")
    refused(w, "ALTER COLUMN n SET NOT NULL", "NEW_NOT_NULL_VIOLATION", "n = NULL")
    alter(w, "ALTER COLUMN id SET NOT NULL")
    expect_equal(operation(w)[0], "CHANGE COLUMN")
    expect_failure(w.run("sql", "-c", "INSERT INTO t (n) VALUES (1)"), 1, "NOT_NULL")
    refused(w, "ALTER COLUMN st.x SET NOT NULL", "NOT_NULL_NESTED_FIELD")
    alter(w, "ALTER COLUMN st SET NOT NULL")
    alter(w, "ALTER COLUMN st.x SET NOT NULL")
    refused(w, "ALTER COLUMN l.element SET NOT NULL", "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP")
    alter(w, "ALTER COLUMN id DROP NOT NULL")
    w.sql("INSERT INTO t (n, st) VALUES (1, {'x': 1})")
    w.sql("DELETE FROM t WHERE n IS NULL")
    alter(w, "ALTER COLUMN n SET NOT NULL")


@test
def test_alter_column__sets_and_drops_defaults(w):
    make(w, "id INT, n INT", "")
    out = alter(w, "ALTER COLUMN n SET DEFAULT 5 + 2")
    expect("allowColumnDefaults" in out, out)
    w.sql("INSERT INTO t (id) VALUES (1)")
    alter(w, "ALTER COLUMN n DROP DEFAULT")
    w.sql("INSERT INTO t (id) VALUES (2)")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, 7], [2, None]])
    expect_failure(w.run("sql", "-c", "ALTER TABLE t ALTER COLUMN n SET DEFAULT id + 1"), 1, "default of column")
    expect("nothing" in w.sql("ALTER TABLE t ALTER COLUMN n DROP DEFAULT"), "nothing happens")


@test
def test_alter_column__moves_columns_and_comments_them(w):
    make(w)
    fill(w)
    alter(w, "ALTER COLUMN m FIRST")
    expect_equal(operation(w)[1]["position"], "FIRST")
    alter(w, "ALTER COLUMN m AFTER a")
    alter(w, "ALTER COLUMN a.x AFTER y")
    alter(w, "CHANGE COLUMN id id INT COMMENT 'it''s the key' AFTER m")
    expect_equal(operation(w)[1]["position"], "AFTER m")
    alter(w, "ALTER COLUMN p COMMENT 'part', l COMMENT 'list'")
    expect_equal(names(w), ["a", "m", "id", "l", "p"])
    expect_equal([f["metadata"].get("comment") for f in schema(w)], [None, None, "it's the key", "list", "part"])
    expect_equal(w.rows("SELECT a, id, p FROM t WHERE id = 1"), [[{"y": "u", "x": 1}, 1, "p1"]])
    refused(w, "ALTER COLUMN l.element COMMENT 'x'", "ADD_COMMENT_TO_MAP_ARRAY")
    refused(w, "CHANGE COLUMN id other INT", "OPERATION_NOT_ALLOWED", "RENAME COLUMN")
    expect("nothing" in w.sql("ALTER TABLE t ALTER COLUMN id AFTER id"), "nothing happens")
    w.sql("INSERT INTO t (id, p) VALUES (3, 'p3')")


@test
def test_alter_column__leaves_identity_columns_what_they_are(w):
    w.sql("CREATE TABLE t (k BIGINT GENERATED BY DEFAULT AS IDENTITY, v INT)")
    for change in ("TYPE DECIMAL(20, 0)", "SET NOT NULL", "SET DEFAULT 5"):
        refused(w, f"ALTER COLUMN k {change}", "IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED")
    refused(w, "REPLACE COLUMNS (k BIGINT, v INT)", "IDENTITY_COLUMNS_REPLACE_COLUMN_NOT_SUPPORTED")
    alter(w, "ALTER COLUMN k COMMENT 'key'")
    alter(w, "RENAME COLUMN k TO key")
    w.sql("INSERT INTO t (v) VALUES (1), (2)")
    expect_equal(w.value("SELECT count(DISTINCT key) FROM t"), 2)


@test
def test_comment_on__changes_comments_of_tables_and_columns(w):
    make(w)
    alter(w, "SET TBLPROPERTIES ('comment' = 'old')")
    w.sql("COMMENT ON TABLE t IS 'about rows'")
    expect_equal(newest(w, "metaData")["description"], "about rows")
    w.sql("COMMENT ON COLUMN t.id IS 'key'")
    w.sql(f"COMMENT ON COLUMN delta.`{w.path('t')}`.p IS 'part'")
    expect_equal([f["metadata"].get("comment") for f in schema(w)], ["key", None, None, None, "part"])
    w.sql("COMMENT ON TABLE t IS NULL; COMMENT ON COLUMN t.p IS NULL")
    expect_equal(newest(w, "metaData").get("description"), None)
    expect_equal([f["metadata"].get("comment") for f in schema(w)], ["key", None, None, None, None])
    w.sql("CREATE TEMP TABLE e (a INT); COMMENT ON TABLE e IS 'own'; COMMENT ON COLUMN e.a IS 'own'")


# ---- REPLACE COLUMNS ---------------------------------------------------------------------------------


@test
def test_replace_columns__orders_adds_widens_and_drops(w):
    make(w, delta__enableTypeWidening="true")
    fill(w)
    alter(w, "REPLACE COLUMNS (p STRING, id BIGINT COMMENT 'key', a STRUCT<y: STRING, x: INT, z: DOUBLE>, "
             "l ARRAY<STRUCT<k: BIGINT>>, m MAP<STRING, BIGINT>, more INT)")
    expect_equal(operation(w)[0], "REPLACE COLUMNS")
    fields = {f["name"]: f for f in schema(w)}
    expect_equal(fields["id"]["metadata"], {"comment": "key",
                                            "delta.typeChanges": [{"fromType": "integer", "toType": "long"}]})
    expect_equal(w.rows("SELECT id, a, more FROM t WHERE p = 'p1'"),
                 [[1, {"y": "u", "x": 1, "z": None}, None]])
    out = alter(w, "REPLACE COLUMNS (p STRING, id BIGINT)")
    expect("column mapping by name was switched on" in out, out)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [["p1", 1], ["p2", 2]])
    refused(w, "REPLACE COLUMNS (p STRING, ident BIGINT)", "AMBIGUOUS_DATA_TYPE_CHANGE", "id")
    refused(w, "REPLACE COLUMNS (p STRING, id STRING)", "UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP")
    refused(w, "REPLACE COLUMNS (p STRING, id BIGINT NOT NULL)", "UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP")
    refused(w, "REPLACE COLUMNS (id BIGINT)", "UNSUPPORTED_DROP_PARTITION_COLUMN")


# ---- DRY RUN -----------------------------------------------------------------------------------------


def plan(w, change):
    before = version(w)
    rows = w.rows(f"ALTER TABLE t {change} DRY RUN")
    expect_equal(version(w), before)
    return {(change, item): (before, after) for change, item, before, after in rows}


@test
def test_dry_run__tells_what_a_change_would_do_and_does_nothing(w):
    make(w)
    fill(w)
    found = plan(w, "RENAME COLUMN p TO q")
    expect_equal(found[("column renamed", "q")], ("p", "q"))
    expect_equal(found[("used by", "q")], (None, "the partitions"))
    expect_equal(found[("feature added", "columnMapping")], (None, "for readers and writers"))
    expect_equal(found[("protocol", "minReaderVersion")], ("1", "2"))
    expect_equal(found[("property", "delta.columnMapping.mode")], (None, "name"))
    expect_equal(found[("files", "")], ("2", "0 written again"))
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    found = plan(w, "ALTER COLUMN id TYPE BIGINT")
    expect_equal(found[("type", "id")], ("int", "bigint"))
    expect_equal(plan(w, "ADD COLUMN c INT")[("column added", "c")], (None, "int"))
    expect_equal(plan(w, "ALTER COLUMN m FIRST")[("order of columns", "")], ("id, a, l, m, p", "m, id, a, l, p"))


@test
def test_dry_run__names_the_engines_that_a_feature_shuts_out(w):
    make(w)
    fill(w)
    found = plan(w, "SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    expect_equal(found[("engine", "delta-rs 1.6")], ("reads and writes", "cannot read it: typeWidening"))
    expect_equal(found[("engine", "Trino")], ("reads and writes", "reads, cannot write: typeWidening"))
    expect_equal(found[("engine", "Spark with Delta 3.3")], ("reads and writes", "cannot read it: typeWidening"))
    expect(("engine", "Spark with Delta 4.0") not in found, found)
    expect(("engine", "DuckDB 1.5") not in found, found)


@test
def test_dry_run__is_there_for_every_alter(w):
    w.sql("CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY, n INT, s STRING) "
          "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'x' = 'y')")
    w.sql("INSERT INTO t (n, s) SELECT range, 'a' FROM range(10)")
    w.sql("DELETE FROM t WHERE n = 3")
    expect_equal(plan(w, "ADD CONSTRAINT c CHECK (n >= 0)")[("property", "delta.constraints.c")], (None, "n >= 0"))
    expect_failure(w.run("sql", "-c", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) DRY RUN"), 1,
                   "CHECK_CONSTRAINT_VIOLATION")
    expect_equal(plan(w, "UNSET TBLPROPERTIES ('x')")[("property", "x")], ("y", None))
    found = plan(w, "DROP FEATURE deletionVectors")
    expect(("feature dropped", "deletionVectors") in found and found[("files", "")][1].startswith("1 "), found)
    expect(("feature added", "clustering") in plan(w, "CLUSTER BY (n)"), "the feature")
    found = plan(w, "SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    expect(("feature added", "rowTracking") in found, found)
    w.sql("ALTER TABLE t DROP COLUMN s")
    expect_equal(plan(w, "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")[("files", "")][1],
                 "1 written again")
    w.sql("INSERT INTO t VALUES (70, 1)")
    expect(("files", "") in plan(w, "ALTER COLUMN id SYNC IDENTITY"), "the files")
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (n >= 0)")
    expect_equal(plan(w, "DROP CONSTRAINT c")[("property", "delta.constraints.c")], ("n >= 0", None))


# ---- History -----------------------------------------------------------------------------------------


@test
def test_history_of_the_schema__tells_what_each_version_did_to_the_columns(w):
    make(w, "id INT, n INT", "", delta__enableTypeWidening="true")
    w.sql("INSERT INTO t VALUES (1, 2)")
    for change in ("ADD COLUMN s STRUCT<a: INT> COMMENT 'st'", "RENAME COLUMN n TO m", "ALTER COLUMN id TYPE BIGINT",
                   "ALTER COLUMN id SET NOT NULL", "DROP COLUMN m", "ALTER COLUMN s FIRST"):
        w.sql(f"ALTER TABLE t {change}")
    found = [[version, *rest] for version, _, *rest in w.rows("DESCRIBE HISTORY t SCHEMA")]
    expect_equal(found, [
        [7, "CHANGE COLUMN", "order of columns", None, "id, s", "s, id"],
        [6, "DROP COLUMNS", "column dropped", "m", "int", None],
        [5, "CHANGE COLUMN", "nullability", "id", "null", "not null"],
        [4, "CHANGE COLUMN", "type", "id", "int", "bigint"],
        [3, "RENAME COLUMN", "column renamed", "m", "n", "m"],
        [2, "ADD COLUMNS", "column added", "s", None, "struct<a:int>"],
        [0, "CREATE TABLE", "column added", "id", None, "int"],
        [0, "CREATE TABLE", "column added", "n", None, "int"]])
    expect_equal(len(w.rows("DESCRIBE HISTORY t SCHEMA LIMIT 2")), 2)


# ---- The engine's own tables -------------------------------------------------------------------------


@test
def test_alter_table__leaves_tables_of_the_engine_to_the_engine(w):
    out = w.rows("CREATE TEMP TABLE e (a INT); ALTER TABLE e ADD COLUMN b INTEGER DEFAULT 5; "
                 "ALTER TABLE e ALTER a TYPE VARCHAR USING a::VARCHAR || 'x'; ALTER TABLE e RENAME b TO c; "
                 "INSERT INTO e (a) VALUES ('q'); SELECT * FROM e")
    expect_equal(out, [["q", 5]])


# ---- Readers of what was before ----------------------------------------------------------------------


def changes(w, *bounds):
    return w.rows(f"SELECT * EXCLUDE (_commit_version, _commit_timestamp) FROM table_changes('t', {', '.join(map(str, bounds))})"
                  " ORDER BY id, _commit_version DESC, _change_type")


def has_no_changes(w, code, *bounds):
    expect_failure(w.run("sql", "-c", f"SELECT * FROM table_changes('t', {', '.join(map(str, bounds))})"), 1, code)


@test
def test_changes__are_told_with_columns_that_were_added_meanwhile(w):
    make(w, "id INT, n INT", "", delta__enableChangeDataFeed="true")
    w.sql("INSERT INTO t VALUES (1, 1); ALTER TABLE t ADD COLUMN c STRING; INSERT INTO t VALUES (2, 2, 'x');"
          " UPDATE t SET c = 'y' WHERE id = 1; INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 3 AS id, 4 AS d")
    expect_equal(changes(w, 0), [[1, 1, "y", None, "update_postimage"], [1, 1, None, None, "update_preimage"],
                                 [1, 1, None, None, "insert"], [2, 2, "x", None, "insert"], [3, None, None, 4, "insert"]])
    expect_equal(changes(w, 1, 1), [[1, 1, None, None, "insert"]])


@test
def test_changes__of_a_mapped_table_are_told_on_either_side_of_a_rename_or_a_drop(w):
    for change, after in (("RENAME COLUMN n TO m", [2, None, "insert"]), ("DROP COLUMN n", [2, "insert"])):
        w.sql(PLAIN + "CREATE OR REPLACE TABLE t (id INT, n INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true',"
                      " 'delta.columnMapping.mode' = 'name')")
        first = version(w)
        w.sql(f"INSERT INTO t VALUES (1, 1); ALTER TABLE t {change}; INSERT INTO t (id) VALUES (2)")
        expect_equal(changes(w, first + 1, first + 1), [[1, 1, "insert"]])
        has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", first + 1)
        has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", first + 1, first + 2)
        expect_equal(changes(w, first + 2), [after])
        expect_equal(w.rows(f"SELECT * FROM t VERSION AS OF {first + 1}"), [[1, 1]])
    w.sql("ALTER TABLE t RENAME COLUMN id TO key; ALTER TABLE t RENAME COLUMN key TO id; INSERT INTO t VALUES (3)")
    has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", version(w) - 3)
    expect_equal(changes(w, version(w) - 1), [[3, "insert"]])


@test
def test_changes__are_refused_across_a_wider_type_and_told_behind_it(w):
    make(w, "id INT, n INT", "", delta__enableChangeDataFeed="true", delta__enableTypeWidening="true")
    w.sql("INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (2, 2); ALTER TABLE t ALTER COLUMN n TYPE BIGINT;"
          " INSERT INTO t VALUES (3, 5000000000)")
    has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", 1)
    has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", 1, 2)
    expect_equal(changes(w, 3), [[3, 5000000000, "insert"]])
    expect_equal(w.rows("SELECT typeof(n), n FROM t VERSION AS OF 1"), [["INTEGER", 1]])
    expect_equal(w.rows("SELECT typeof(n), sum(n)::BIGINT FROM t GROUP BY 1"), [["BIGINT", 5000000003]])


@test
def test_changes__are_refused_across_columns_that_were_overwritten(w):
    make(w, "id INT, n INT", "", delta__enableChangeDataFeed="true")
    w.sql("INSERT INTO t VALUES (1, 1); INSERT OVERWRITE t WITH ('overwriteSchema' = 'true') SELECT 2 AS id, 'x' AS s")
    has_no_changes(w, "CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", 0)
    # As in the reference, the rows that went are told with the columns of now.
    expect_equal(changes(w, 2, 2), [[1, None, "delete"], [2, "x", "insert"]])


sys.exit(main())
