"""Variants as they are written: what readers find in the files, changes of rows, and what is refused."""
import json
import os
import shutil
import sys

from harness import World, expect_equal, expect_failure, main, test

COLUMNS = ("id BIGINT, v VARIANT, s STRUCT<n: INT, v: VARIANT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>, "
           "ls ARRAY<STRUCT<x: VARIANT, y: INT>>, ll ARRAY<ARRAY<VARIANT>>, p STRING")
ROWS = """SELECT id, CASE WHEN id % 3 = 0 THEN NULL ELSE {'b': id, 'a': 'x' || id, 'l': [1, 2]}::VARIANT END,
    CASE WHEN id = 4 THEN NULL ELSE {'n': id::INT, 'v': CASE WHEN id <> 5 THEN id::VARIANT END} END,
    CASE id WHEN 1 THEN NULL WHEN 2 THEN []::VARIANT[] ELSE [1::VARIANT, NULL, 'two'::VARIANT] END,
    CASE id WHEN 1 THEN NULL ELSE MAP {'k': {'q': id}::VARIANT, 'n': NULL} END,
    [{'x': 1.5::VARIANT, 'y': 1}, NULL], [[id::VARIANT], NULL, []], 'p ' || id % 2 FROM range(8) r(id)"""


def new_table(w, properties="", partition="", table="t"):
    tail = f" TBLPROPERTIES ({properties})" if properties else ""
    w.sql(f"CREATE TABLE {table} ({COLUMNS}) USING DELTA {partition}{tail}")
    w.sql(f"INSERT INTO {table} {ROWS}")


def expected_row(i):
    value = None if i % 3 == 0 else {"a": f"x{i}", "b": i, "l": [1, 2]}
    return [i, value, None if i == 4 else {"n": i, "v": None if i == 5 else i},
            None if i == 1 else [] if i == 2 else [1, None, "two"],
            None if i == 1 else {"k": {"q": i}, "n": None}, [{"x": 1.5, "y": 1}, None], [[i], None, []], f"p {i % 2}"]


def decoded(value):
    """What the program prints of variants is JSON text."""
    if isinstance(value, dict):
        return {key: decoded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [decoded(inner) for inner in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def rows_of(w, table="t"):
    query = "SELECT * REPLACE (map_entries(m) AS m) FROM {} ORDER BY id".format(table)
    rows = [decoded(row) for row in w.rows(query)]
    for row in rows:
        row[4] = row[4] and {entry["key"]: entry["value"] for entry in row[4]}
    return rows


def files_of(w, table="t"):
    root = w.path(table)
    return [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names
            if name.endswith(".parquet") and "_delta_log" not in folder]


def nodes_of(w, file):
    return w.rows(f"SELECT name, type, repetition_type, num_children FROM parquet_schema('{file}')")


VARIANTS = [("", ""), ("'delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', "
                       "'delta.columnMapping.mode' = 'id'", "PARTITIONED BY (p)"),
            ("'delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'false', "
             "'delta.enableChangeDataFeed' = 'true', 'delta.enableVariantShredding' = 'true', "
             "'delta.feature.materializePartitionColumns' = 'supported'", "PARTITIONED BY (p)")]


@test
def test_variants__are_written_at_every_depth_and_read_back(w: World):
    for number, (properties, partition) in enumerate(VARIANTS):
        new_table(w, properties, partition, f"t{number}")
        expect_equal(rows_of(w, f"t{number}"), [expected_row(i) for i in range(8)])


@test
def test_variants__are_groups_of_two_required_columns(w: World):
    new_table(w)
    pair = [["metadata", "BYTE_ARRAY", "REQUIRED", None], ["value", "BYTE_ARRAY", "REQUIRED", None]]
    nodes = nodes_of(w, files_of(w)[0])
    groups = [i for i, node in enumerate(nodes) if node[3] == 2 and nodes[i + 1:i + 3] == pair]
    expect_equal([nodes[i][0] for i in groups], ["v", "v", "element", "value", "x", "element"])
    expect_equal([nodes[i][2] for i in groups], ["OPTIONAL"] * 6)
    kinds = w.rows(f"DESCRIBE SELECT * FROM '{files_of(w)[0]}'")
    expect_equal([kind[1] for kind in kinds], ["BIGINT", "VARIANT", "STRUCT(n INTEGER, v VARIANT)", "VARIANT[]",
                                               "MAP(VARCHAR, VARIANT)", "STRUCT(x VARIANT, y INTEGER)[]",
                                               "VARIANT[][]", "VARCHAR"])


@test
def test_variants__have_ids_where_columns_have(w: World):
    w.sql("CREATE TABLE t (id BIGINT, v VARIANT, s STRUCT<v: VARIANT>) TBLPROPERTIES ('delta.columnMapping.mode' = 'id')")
    w.sql("INSERT INTO t VALUES (1, parse_json('1'), {'v': parse_json('{\"a\": 2}')})")
    ids = w.rows(f"SELECT field_id FROM parquet_schema('{files_of(w)[0]}') WHERE num_children = 2 OR type = 'INT64'")
    expect_equal(ids, [[1], [2], [4]])
    expect_equal(w.rows("SELECT id, v, s.v.a::INT AS a FROM t"), [[1, "1", 2]])


@test
def test_variants__have_counts_of_nulls_and_no_bounds(w: World):
    new_table(w)
    with open(w.path(f"t/_delta_log/{1:020d}.json"), encoding="utf-8") as file:
        add = next(json.loads(line)["add"] for line in file if '"add"' in line)
    stats = json.loads(add["stats"])
    expect_equal(stats["nullCount"], {"id": 0, "v": 3, "s": {"n": 1, "v": 2}, "p": 0})
    expect_equal(stats["minValues"], {"id": 0, "s": {"n": 0}, "p": "p 0"})


@test
def test_variants__are_changed_by_update_and_delete(w: World):
    for number, (properties, partition) in enumerate(VARIANTS):
        table = f"t{number}"
        new_table(w, properties, partition, table)
        w.sql(f"UPDATE {table} SET v = parse_json('[null, 1]'), s.v = 'new'::VARIANT WHERE id = 3")
        w.sql(f"UPDATE {table} SET p = 'moved' WHERE id = 2")
        w.sql(f"DELETE FROM {table} WHERE id > 4")
        wanted = [expected_row(i) for i in range(5)]
        wanted[3][1], wanted[3][2]["v"], wanted[2][7] = [None, 1], "new", "moved"
        expect_equal(rows_of(w, table), wanted)
        if "ChangeDataFeed" in properties:
            changes = w.rows(f"SELECT id, v, _change_type FROM table_changes({table}, 2, 2) ORDER BY 3 DESC")
            expect_equal(changes, [[3, None, "update_preimage"], [3, "[null,1]", "update_postimage"]])


NULLS = """SELECT id, v, {'v': v} AS s, [v, NULL] AS l, MAP {'k': v} AS m, 'p ' || id % 2 AS p, '' AS note FROM
    (SELECT id, CASE id % 3 WHEN 0 THEN parse_json('null') WHEN 1 THEN parse_json('[null]') END AS v FROM range(9) r(id))"""
KIND = "CASE WHEN {0} IS NULL THEN 'sql' ELSE variant_typeof({0}) END"
KINDS = ["VARIANT_NULL", "ARRAY(1)", "sql"]


def null_counts(w, table, version):
    """How often the columns are NULL in what a version wrote, by the statistics."""
    with open(w.path(f"{table}/_delta_log/{version:020d}.json"), encoding="utf-8") as file:
        adds = [json.loads(json.loads(line)["add"]["stats"]) for line in file if '"add"' in line]
    counts = [list(stats["nullCount"].values()) for stats in adds]
    return [sum(count[1] for count in counts), sum(sum(count[2].values()) for count in counts),
            sum(stats["numRecords"] for stats in adds)]


def expect_kinds(w, table, ids, where=""):
    """What the rows hold after they were written again, by a query."""
    note = " || ' ' || ".join(KIND.format(value) for value in ("v", "s.v", "l[1]", "l[2]", "m['k']"))
    w.sql(f"UPDATE {table} SET note = {note} {where}")
    rows = w.rows(f"SELECT id, note FROM {table} ORDER BY id")
    expect_equal(rows, [[i, " ".join([KINDS[i % 3]] * 3 + ["sql", KINDS[i % 3]])] for i in ids])


def new_nulls(w, table, properties="", partition=""):
    tail = f" TBLPROPERTIES ({properties})" if properties else ""
    w.sql(f"CREATE TABLE {table} (id BIGINT, v VARIANT, s STRUCT<v: VARIANT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>, "
          f"p STRING, note STRING) USING DELTA {partition}{tail}")
    w.sql(f"INSERT INTO {table} {NULLS}")


@test
def test_variants__that_are_null_of_json_stay_so_when_rows_are_written_again(w: World):
    for number, (properties, partition) in enumerate(VARIANTS):
        table = f"t{number}"
        new_nulls(w, table, properties, partition)
        expect_equal(null_counts(w, table, 1), [3, 3, 9])
        w.sql(f"UPDATE {table} SET note = 'x' WHERE id < 3")
        w.sql(f"DELETE FROM {table} WHERE id = 4")
        expect_kinds(w, table, [0, 1, 2, 3, 5, 6, 7, 8])
        expect_equal(null_counts(w, table, 4), [3, 3, 8])
        w.sql(f"MERGE INTO {table} t USING (SELECT unnest([0, 1, 2, 9]) AS id) n ON t.id = n.id "
              "WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (id, v, s, l, m) "
              "VALUES (n.id, parse_json('null'), {'v': parse_json('null')}, [parse_json('null'), NULL], "
              "MAP {'k': parse_json('null')})")
        expect_kinds(w, table, [0, 1, 2, 3, 5, 6, 7, 8, 9])
        expect_equal(null_counts(w, table, 6), [3, 3, 9])


@test
def test_variants__that_are_null_of_json_are_so_in_change_data(w: World):
    new_nulls(w, "t", "'delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'false'")
    w.sql("UPDATE t SET note = 'x' WHERE id < 6")
    w.sql("DELETE FROM t WHERE id IN (0, 2)")
    note = " || ' ' || ".join(KIND.format(value) for value in ("v", "s.v", "l[1]", "l[2]", "m['k']"))
    rows = w.rows(f"SELECT id, {note} AS note FROM table_changes('t', 2, 3) ORDER BY id")
    expect_equal(rows, [[i, " ".join([KINDS[i % 3]] * 3 + ["sql", KINDS[i % 3]])]
                        for i in (0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5)])


@test
def test_variants__that_are_null_of_json_are_no_null_of_sql_in_queries(w: World):
    for number, (properties, partition) in enumerate(VARIANTS):
        t, u = f"t{number}", f"u{number}"
        new_nulls(w, t, properties, partition)
        told = "SELECT id, " + ", ".join(f"{KIND.format(v)} AS k{i}" for i, v in enumerate(
            ("v", "s.v", "l[1]", "l[2]", "m['k']")))
        expected = [[i] + [KINDS[i % 3]] * 3 + ["sql", KINDS[i % 3]] for i in range(9)]
        expect_equal(w.rows(f"{told} FROM {t} ORDER BY id"), expected)
        expect_equal(w.rows(f"SELECT count(v) AS a, count(s.v) AS b, count(l[1]) AS c FROM {t}"), [[6, 6, 6]])
        expect_equal(w.value(f"SELECT count(*) FROM {t} WHERE v IS NULL"), 3)
        expect_equal(w.value(f"SELECT count(*) FROM {t} WHERE v IS NOT NULL AND s.v IS NOT NULL"), 6)
        expect_equal(w.rows(f"SELECT v FROM {t} WHERE id < 3 ORDER BY id"), [["null"], ["[null]"], [None]])
        w.sql(f"CREATE TABLE {u} (id BIGINT, v VARIANT, s STRUCT<v: VARIANT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>)")
        w.sql(f"INSERT INTO {u} SELECT id, v, s, l, m FROM {t} WHERE id < 5")
        w.sql(f"MERGE INTO {u} a USING (SELECT id, v, s, l, m FROM {t} WHERE id >= 4) b ON a.id = b.id "
              "WHEN NOT MATCHED THEN INSERT *")
        expect_equal(null_counts(w, u, 1), [1, 1, 5])
        expect_equal(w.rows(f"{told} FROM {u} ORDER BY id"), expected)


@test
def test_variants__that_are_null_of_json_are_copied_from_one_column_to_another(w: World):
    w.sql("CREATE TABLE t (id INT, a VARIANT, b VARIANT, n INT, note STRING)")
    w.sql("INSERT INTO t VALUES (1, parse_json('null'), NULL, 0, ''), (2, NULL, parse_json('null'), 0, ''), "
          "(3, parse_json('3'), NULL, 0, '')")
    w.sql("UPDATE t SET b = a, n = a::INT")
    w.sql("UPDATE t SET note = " + KIND.format("a") + " || ' ' || " + KIND.format("b"))
    expect_equal(w.rows("SELECT id, n, note FROM t ORDER BY id"),
                 [[1, None, "VARIANT_NULL VARIANT_NULL"], [2, None, "sql sql"], [3, 3, "INT8 INT8"]])


@test
def test_variants__have_bounds_in_files_that_tell_of_null_of_json(w: World):
    w.sql("CREATE TABLE t (id INT, v VARIANT NOT NULL)")
    for number, (value, least) in enumerate((("'x'::VARIANT", "\\x05x"), ("parse_json('null')", "\\x00"))):
        before = set(files_of(w))
        w.sql(f"INSERT INTO t VALUES ({number}, 'x'::VARIANT), ({number}, {value})")
        [file] = set(files_of(w)) - before
        expect_equal(w.rows("SELECT path_in_schema AS p, stats_min_value AS least, bloom_filter_length AS f FROM "
                            f"parquet_metadata('{file}') WHERE path_in_schema <> 'id'"),
                     [["v, metadata", None, None], ["v, value", least, None]])
    w.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (v IS NOT NULL)")
    expect_failure(w.run("sql", "-c", "INSERT INTO t VALUES (1, NULL)"), 1, "NULL")


@test
def test_variants__take_values_of_any_type(w: World):
    w.sql("CREATE TABLE t (id INT, v VARIANT)")
    w.sql("INSERT INTO t VALUES (1, 5), (2, NULL)")
    values = ("DATE '2024-02-29'", "[1.5, 2.5]", "'text'", "'{\"a\": 1}'::JSON", "{'b': 1, 'a': 2}")
    for number, value in enumerate(values):
        w.sql(f"INSERT INTO t SELECT {number + 3}, {value}")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"),
                 [[1, "5"], [2, None], [3, '"2024-02-29"'], [4, "[1.5,2.5]"], [5, '"text"'], [6, '{"a":1}'],
                  [7, '{"a":2,"b":1}']])


@test
def test_variants__that_no_reader_would_know_are_refused(w: World):
    w.sql("CREATE TABLE t (id INT, v VARIANT)")
    for value, code in (("TIME '10:00:00'::VARIANT", "VARIANT_TYPE"),
                        ("TIMESTAMP_NS '2024-01-01 00:00:00.123456789'::VARIANT", "VARIANT_TYPE"),
                        ("[{'t': TIME '10:00:00'}]::VARIANT", "VARIANT_TYPE"),
                        ("parse_json('{\"a\": 1, \"a\": 2}')", "VARIANT_DUPLICATE_KEY"),
                        ("parse_json('{')", "JSON_INVALID"),
                        ("INTERVAL 1 DAY::VARIANT", "INTERVAL"), ("MAP {'a': 1}", "TYPE_MISMATCH")):
        expect_failure(w.run("sql", "-c", f"INSERT INTO t SELECT 1, {value}"), 1, code)
    expect_equal(files_of(w), [])
    for clause in ("PARTITIONED BY (v)", "PARTITIONED BY (id, v)"):
        expect_failure(w.run("sql", "-c", f"CREATE TABLE u (id INT, v VARIANT, x INT) {clause}"), 1, "PARTITION_COLUMN")


@test
def test_parse_json__makes_what_spark_makes(w: World):
    cases = [("1", "INT8"), ("-300", "INT16"), ("70000", "INT32"), ("5000000000", "INT64"), ("1.50", "DECIMAL(3, 2)"),
             ("12345678901234567890", "DECIMAL(38, 0)"), ("1e3", "DOUBLE"), ("true", "BOOL_TRUE"), ('"x"', "VARCHAR"),
             ("[1]", "ARRAY(1)"), ('{"a":1}', "OBJECT(a)")]
    for text, kind in cases:
        expect_equal(w.value(f"SELECT variant_typeof(parse_json('{text}'))"), kind)
    expect_equal(w.rows("SELECT try_parse_json('{') AS a, parse_json(NULL) AS b, parse_json('null') IS NULL AS c, "
                        "parse_json('null') AS d, try_parse_json('null') AS e"),
                 [[None, None, False, "null", "null"]])
    expect_failure(w.run("sql", "-c", "SELECT parse_json('{')"), 1, "JSON_INVALID")


@test
def test_variants__leave_as_json_with_zeros_before_points(w: World):
    w.sql("CREATE TABLE t (id INT, v VARIANT, l ARRAY<VARIANT>)")
    w.sql("INSERT INTO t VALUES (1, parse_json('0.5'), [parse_json('-0.25')]), (2, parse_json('{\"a.b\": [0.5, 1.5, \".5\"]}'), "
          "NULL), (3, NULL, [NULL]), (4, parse_json('\"x.y\"'), NULL)")
    expect_equal(w.rows("SELECT id, v, l FROM t ORDER BY id"),
                 [[1, "0.5", ["-0.25"]], [2, '{"a.b":[0.5,1.5,".5"]}', None], [3, None, [None]], [4, '"x.y"', None]])


@test
def test_variants__of_many_rows_and_keys_are_found(w: World):
    numbers = {f"k{i * 7919 % 500}": i for i in range(300)}
    w.sql("CREATE TABLE t (id INT, v VARIANT, l ARRAY<VARIANT>)")
    w.sql(f"INSERT INTO t SELECT id, parse_json('{json.dumps(numbers)}'), [id::VARIANT, parse_json('{{\"a\": [' || id ||"
          " ']}')] FROM range(20000) r(id)")
    expect_equal(w.rows("SELECT count(*) AS n, sum(v.k0::INT) AS a, sum(v.k419::INT) AS b, sum(l[2].a[1]::INT) AS c,"
                        " sum(l[1]::INT) AS d FROM t"),
                 [[20000, 0, 20000 * numbers["k419"], 199990000, 199990000]])


SHREDDED = "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')"
DOCUMENT = ("parse_json('{\"a\": ' || id || ', \"b\": \"x\", \"n\": {\"m\": [' || id || ', null]}, \"l\": [{\"q\": 1.25}], "
            "\"e\": []' || CASE WHEN id % 20 = 3 THEN ', \"rare\": 1' ELSE '' END || '}')")


def live_files(w, table):
    return [os.path.join(w.path(table), row[0])
            for row in w.rows(f"SELECT DISTINCT _metadata.file_name AS f FROM {table}")]


def is_shredded(w, file):
    return w.value(f"SELECT count(*) FROM parquet_schema('{file}') WHERE name = 'typed_value'") > 0


def expect_shredded(w, table, is_so=True):
    expect_equal([is_shredded(w, file) for file in live_files(w, table)], [is_so] * len(live_files(w, table)))


@test
def test_shredding__makes_groups_of_fields_and_lists(w: World):
    w.sql(f"CREATE TABLE t (id INT, v VARIANT, l ARRAY<VARIANT>) {SHREDDED}")
    w.sql(f"INSERT INTO t SELECT id, {DOCUMENT}, [id::VARIANT] FROM range(100) r(id)")
    [file] = files_of(w)
    tree = [node[0] + {"REQUIRED": "!", "REPEATED": "*", "OPTIONAL": ""}[node[2]] for node in nodes_of(w, file)[2:]]
    element = ["typed_value", "list*", "element!", "value"]
    expect_equal(tree, ["v", "metadata!", "value", "typed_value", "a!", "value", "typed_value", "b!", "value", "typed_value",
                        "e!", "value"] + element +
                 ["l!", "value"] + element + ["typed_value", "q!", "value", "typed_value"] +
                 ["n!", "value", "typed_value", "m!", "value"] + element + ["typed_value"] +
                 ["l", "list*", "element", "metadata!", "value!"])
    expect_equal(w.rows("SELECT count(*) AS n, sum(v.a::INT) AS a, sum(v.n.m[1]::INT) AS m, count(v.rare) AS r, "
                        "sum(v.l[1].q::DOUBLE) AS q FROM t"), [[100, 4950, 4950, 5, 125.0]])
    typed = w.rows(f"SELECT path_in_schema AS p, stats_min_value AS a, stats_max_value AS b FROM parquet_metadata('{file}') "
                   "WHERE path_in_schema IN ('v, typed_value, a, typed_value', 'v, typed_value, a, value') ORDER BY p")
    expect_equal(typed, [["v, typed_value, a, typed_value", "0", "99"], ["v, typed_value, a, value", None, None]])


@test
def test_shredding__is_done_by_all_that_write_and_only_where_the_table_says_so(w: World):
    w.sql(f"CREATE TABLE s {SHREDDED} AS SELECT id, {DOCUMENT} AS v FROM range(100) r(id)")
    expect_shredded(w, "s")
    w.sql("CREATE TABLE t (id BIGINT, v VARIANT)")
    w.sql("INSERT INTO t SELECT * FROM s")
    expect_shredded(w, "t", False)
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableVariantShredding' = 'true')")
    with open(w.path(f"t/_delta_log/{2:020d}.json"), encoding="utf-8") as file:
        protocol = next(json.loads(line)["protocol"] for line in file if '"protocol"' in line)
    expect_equal([sorted(name for name in protocol[f"{who}Features"] if name.startswith("variant")) for who in ("reader", "writer")],
                 [["variantShredding", "variantType"]] * 2)
    w.sql("UPDATE t SET id = id WHERE id < 50; DELETE FROM t WHERE id >= 50")
    expect_shredded(w, "t")
    w.sql("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.id < 10 THEN UPDATE SET v = s.v "
          "WHEN NOT MATCHED THEN INSERT *")
    expect_shredded(w, "t")
    w.sql("OPTIMIZE t")
    expect_shredded(w, "t")
    expect_equal(w.rows("SELECT count(*) AS n, sum((v.a::INT = id)::INT) AS m, sum((v.n.m[1]::INT = id)::INT) AS k FROM t"),
                 [[100, 100, 100]])
    w.sql("COPY (SELECT 500 + range AS id, 'text' AS v FROM range(5)) TO '" + w.path("more.parquet") + "' (FORMAT parquet)")
    expect_equal(w.run("load", "t", w.path("more.parquet")).status, 0)
    expect_shredded(w, "t")
    expect_failure(w.run("sql", "-c", "ALTER TABLE t DROP FEATURE variantShredding"), 4, "FEATURE_STAYS")
    w.sql("ALTER TABLE t UNSET TBLPROPERTIES ('delta.enableVariantShredding')")
    w.sql("INSERT OVERWRITE t SELECT * FROM t")
    expect_shredded(w, "t", False)
    expect_equal(w.rows("SELECT count(*) AS n, sum((v.a::INT = id)::INT) AS m FROM t"), [[105, 100]])


@test
def test_shredding__keeps_nulls_apart_and_values_of_any_type(w: World):
    values = ["NULL", "parse_json('null')", "parse_json('{}')", "parse_json('{\"a\": null}')", "parse_json('{\"a\": 1}')",
              "parse_json('{\"A\": 1, \"a\": 2, \"\": 3}')", "parse_json('[]')", "1::TINYINT", "0.0::DOUBLE", "(-0.0)::DOUBLE",
              "'nan'::DOUBLE", "1.5::FLOAT", "DATE '2024-02-29'", "TIMESTAMP '2024-02-29 10:00:00.123456'",
              "TIMESTAMPTZ '2024-02-29 10:00:00+00'", "'ab'::BLOB", "uuid '00112233-4455-6677-8899-aabbccddeeff'", "true",
              "12345678901234567890.12345::DECIMAL(38,5)", "repeat('x', 64)", "repeat('x', 63)", "repeat('x', 1000)"]
    kinds = "SELECT id, variant_typeof({0}) AS t, {0}::VARCHAR AS v, {0} IS NULL AS n FROM {1} ORDER BY id"
    w.sql(f"CREATE TABLE plain (id INT, v VARIANT); CREATE TABLE mixed (id INT, v VARIANT) {SHREDDED}")
    rows = " UNION ALL ".join(f"SELECT {i}, ({value})::VARIANT" for i, value in enumerate(values))
    w.sql(f"INSERT INTO plain {rows}; INSERT INTO mixed SELECT * FROM plain")
    expect_equal(w.rows(kinds.format("v", "mixed")), w.rows(kinds.format("v", "plain")))
    expect_shredded(w, "mixed", False)  # they have nothing in common
    for i, value in enumerate(values):
        # A file of one type has typed values, and others beside them.
        w.sql(f"CREATE TABLE t{i} (id INT, v VARIANT) {SHREDDED}")
        w.sql(f"INSERT INTO t{i} SELECT {i}, v FROM plain WHERE id = {i} UNION ALL "
              f"SELECT {i}, parse_json('null') UNION ALL SELECT {i}, NULL")
        wanted = w.rows(kinds.format("v", "plain"))[i]
        found = [[i, t.replace("INT64", "INT8").replace("DECIMAL(38, 5)", "DECIMAL(25, 5)") if t else t, v, n]
                 for i, t, v, n in w.rows(kinds.format("v", f"t{i}"))]
        wanted[1] = wanted[1] and wanted[1].replace("DECIMAL(38, 5)", "DECIMAL(25, 5)")
        expect_equal(sorted(map(str, found)), sorted(map(str, [wanted, [i, "VARIANT_NULL", None, False], [i, "VARIANT_NULL", None, True]])))


@test
def test_shredding__of_rows_that_are_not_like_the_first(w: World):
    w.sql(f"CREATE TABLE t (id INT, v VARIANT) {SHREDDED}")
    w.sql("INSERT INTO t SELECT id, CASE WHEN id < 5000 THEN parse_json('{\"a\": 1}') WHEN id < 5500 THEN "
          "parse_json('{\"a\": \"x\", \"b\": 2}') WHEN id < 6000 THEN parse_json('[1]') END FROM range(7000) r(id)")
    expect_shredded(w, "t")
    expect_equal(w.rows("SELECT v::VARCHAR AS v, count(*) AS n, min(id) AS a FROM t GROUP BY v::VARCHAR ORDER BY a"),
                 [["{'a': 1}", 5000, 0], ["{'a': x, 'b': 2}", 500, 5000], ["[1]", 500, 5500], [None, 1000, 6000]])


@test
def test_variants__have_texts_of_64_bytes_whole(w: World):
    w.sql("CREATE TABLE t (n INT, v VARIANT)")
    w.sql("INSERT INTO t SELECT n, {'a': repeat('x', n), 'b': [repeat('y', n), '', 'z']}::VARIANT FROM range(60, 70) r(n)")
    w.sql("INSERT INTO t SELECT n, repeat('x', n)::VARIANT FROM range(60, 70) r(n)")
    rows = w.rows("SELECT n, v FROM t ORDER BY n, v DESC")
    expect_equal([[n, json.loads(v)] for n, v in rows],
                 [row for n in range(60, 70) for row in ([n, {"a": "x" * n, "b": ["y" * n, "", "z"]}], [n, "x" * n])])


if __name__ == "__main__":
    sys.exit(main())
