"""The program from end to end: what a user types and what comes back."""
import json
import os
import resource
import signal
import sys
import time

import parquet_by_hand as by_hand
from harness import World, expect, expect_equal, expect_failure, main, test

PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
METADATA = {"metaData": {
    "id": "11111111-2222-3333-4444-555555555555", "format": {"provider": "parquet", "options": {}},
    "schemaString": json.dumps({"type": "struct", "fields": [
        {"name": "id", "type": "long", "nullable": True, "metadata": {}}]}),
    "partitionColumns": [], "configuration": {}, "createdTime": 1700000000000}}


def make_numbers(w: World, rows=10):
    w.sql(f"CREATE TABLE t AS SELECT range AS id, 'row ' || range AS name FROM range({rows})")


# ---- Creating and inserting ------------------------------------------------------------------------


@test
def test_create__makes_an_empty_table_with_the_columns_that_were_listed(w):
    w.sql("CREATE TABLE t (id BIGINT NOT NULL COMMENT 'the key', name STRING, at TIMESTAMP) USING DELTA "
          "TBLPROPERTIES ('delta.checkpointInterval' = '7')")
    expect_equal(w.rows("DESCRIBE TABLE t"),
                 [["id", "bigint", "the key"], ["name", "string", None], ["at", "timestamp", None]])
    expect_equal(w.value("SELECT count(*) FROM t"), 0)
    expect(["delta.checkpointInterval", "7"] in w.rows("SHOW TBLPROPERTIES t"), "the property")


@test
def test_create__refuses_a_table_that_is_there_and_accepts_if_not_exists(w):
    make_numbers(w)
    expect_failure(w.run("sql", "-c", "CREATE TABLE t (id INT)"), 1, "TABLE_ALREADY_EXISTS")
    w.sql("CREATE TABLE IF NOT EXISTS t (id INT)")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


@test
def test_create_or_replace__keeps_the_history_and_the_old_rows_readable(w):
    make_numbers(w)
    w.sql("CREATE OR REPLACE TABLE t AS SELECT 1.5::DOUBLE AS x")
    expect_equal(w.rows("SELECT * FROM t"), [[1.5]])
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 0"), 10)
    expect_equal(len(w.rows("DESCRIBE HISTORY t")), 2)


@test
def test_create__with_a_location_is_found_by_its_name_later(w):
    w.sql(f"CREATE TABLE near USING DELTA LOCATION '{w.path('far/away')}' AS SELECT 42 AS x")
    expect_equal(w.value("SELECT x FROM near"), 42)
    expect(os.path.isdir(w.path("far/away/_delta_log")), "the table at its location")


@test
def test_insert__matches_by_position_by_list_and_by_name(w):
    w.sql("CREATE TABLE t (a INT, b STRING, c DOUBLE)")
    w.sql("INSERT INTO t VALUES (1, 'x', 0.5)")
    w.sql("INSERT INTO t (c, a) VALUES (1.5, 2)")
    w.sql("INSERT INTO t BY NAME SELECT 'y' AS b, 3 AS a")
    expect_equal(w.rows("SELECT * FROM t ORDER BY a"), [[1, "x", 0.5], [2, None, 1.5], [3, "y", None]])


@test
def test_insert__refuses_what_does_not_fit_and_names_the_column(w):
    w.sql("CREATE TABLE t (id INT NOT NULL, amount DECIMAL(5,2), day DATE)")
    for statement, words in (
            ("INSERT INTO t VALUES (1, 2)", ["COLUMN_COUNT_MISMATCH", "3", "2"]),
            ("INSERT INTO t (id, nope) VALUES (1, 2)", ["COLUMN_NOT_FOUND", "nope"]),
            ("INSERT INTO t VALUES (NULL, 1, NULL)", ["NOT_NULL_VIOLATION", "id"]),
            ("INSERT INTO t SELECT nullif(range, 3), 1, NULL FROM range(5)", ["NOT_NULL_VIOLATION", "id"]),
            ("INSERT INTO t VALUES (1, 1.234, NULL)", ["VALUE_LOSES_DATA", "amount", "1.234"]),
            ("INSERT INTO t VALUES (1, 1.5::DOUBLE + 0.001, NULL)", ["VALUE_LOSES_DATA", "amount"]),
            ("INSERT INTO t VALUES (1, [1], NULL)", ["TYPE_MISMATCH", "amount"]),
            ("INSERT INTO t VALUES (3000000000, 1, NULL)", ["3000000000"]),
            ("INSERT INTO t VALUES (1, 1, 'no day')", ["no day", "day"]),
            ("INSERT INTO t VALUES ('x', 1, NULL)", ["'x'", "id"])):
        expect_failure(w.run("sql", "-c", statement), 1, *words)
    expect_equal(w.value("SELECT count(*) FROM t"), 0)
    expect_equal(w.files("t"), [])


@test
def test_insert__takes_nanoseconds_only_where_they_are_zero(w):
    w.sql("CREATE TABLE t (v TIMESTAMP_NTZ, l ARRAY<TIMESTAMP_NTZ>)")
    w.sql("INSERT INTO t SELECT '2024-01-01 00:00:00.123456000'::TIMESTAMP_NS, ['2024-01-01 00:00:00.5'::TIMESTAMP_NS]")
    for values in ("'2024-01-01 00:00:00.123456789'::TIMESTAMP_NS, NULL",
                   "NULL, ['2024-01-01 00:00:00.123456789'::TIMESTAMP_NS]"):
        expect_failure(w.run("sql", "-c", f"INSERT INTO t SELECT {values}"), 1, "VALUE_LOSES_DATA", ".123456789")
    expect_equal(w.rows("SELECT * FROM t"), [["2024-01-01 00:00:00.123456", ["2024-01-01 00:00:00.5"]]])


@test
def test_insert__refuses_null_inside_nested_values_where_it_is_not_allowed(w):
    w.sql("CREATE TABLE t (s STRUCT<a: INT NOT NULL, b: STRING>)")
    w.sql("INSERT INTO t VALUES ({'a': 1, 'b': NULL}), (NULL)")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES ({'a': NULL, 'b': 'x'})")
    expect_failure(ran, 1, "NOT_NULL_VIOLATION", "\"s\"")
    expect_equal(w.value("SELECT count(*) FROM t"), 2)


@test
def test_insert__writes_zero_without_a_sign_so_that_no_engine_skips_it(w):
    w.sql("CREATE TABLE t (f FLOAT, d DOUBLE); INSERT INTO t VALUES ('-0.0'::FLOAT, '-0.0'::DOUBLE), (0, 0)")
    expect_equal(w.rows("SELECT count(*) FROM t WHERE 1 / d > 0 AND 1 / f > 0 AND d = 0 AND f >= 0"), [[2]])
    w.sql("CREATE TABLE n (st STRUCT<x: DOUBLE, l: ARRAY<FLOAT>>, m MAP<DOUBLE, STRUCT<y: FLOAT>>);"
          "INSERT INTO n VALUES (NULL, NULL), ({'x': NULL, 'l': NULL}, MAP {}),"
          " ({'x': '-0.0'::DOUBLE, 'l': ['-0.0'::FLOAT, NULL, 1]}, MAP {'-0.0'::DOUBLE: {'y': '-0.0'::FLOAT}})")
    expect_equal(w.rows("SELECT 1 / st.x > 0 AND 1 / st.l[1] > 0 AND st.l[2] IS NULL AND 1 / map_keys(m)[1] > 0"
                        " AND 1 / map_values(m)[1].y > 0 FROM n WHERE st.x = 0"), [[True]])
    expect_equal(w.rows("SELECT count(*) FILTER (st IS NULL AND m IS NULL),"
                        " count(*) FILTER (st IS NOT NULL AND st.l IS NULL AND cardinality(m) = 0) FROM n"), [[1, 1]])


@test
def test_insert__into_a_clustered_table_keeps_statistics_of_its_clustering_columns(w):
    fields = [{"name": n, "type": "long", "nullable": True, "metadata": {}} for n in ("a", "b", "c")]
    metadata = {"metaData": dict(METADATA["metaData"], configuration={"delta.dataSkippingNumIndexedCols": "1"},
                                 schemaString=json.dumps({"type": "struct", "fields": fields}))}
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7,
                             "writerFeatures": ["domainMetadata", "clustering"]}}
    domain = {"domainMetadata": {"domain": "delta.clustering", "removed": False,
                                 "configuration": json.dumps({"clusteringColumns": [["c"]]})}}
    w.write_log("t", 0, [protocol, metadata, domain])
    w.sql("INSERT INTO t VALUES (1, 2, 3)")
    stats = next(json.loads(a["add"]["stats"]) for a in w.actions("t", 1) if "add" in a)
    expect_equal(stats["minValues"], {"a": 1, "c": 3})


@test
def test_detail__names_clustering_columns_as_the_table_does(w):
    def mapped(name, number, of="long"):
        return {"name": name, "type": of, "nullable": True,
                "metadata": {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}}

    inner = {"type": "struct", "fields": [mapped("k", 2)]}
    schema = {"type": "struct", "fields": [mapped("st", 1, inner), mapped("id", 3)]}
    metadata = {"metaData": dict(METADATA["metaData"], schemaString=json.dumps(schema),
                                 configuration={"delta.columnMapping.mode": "name",
                                                "delta.columnMapping.maxColumnId": "3"})}
    protocol = {"protocol": {"minReaderVersion": 2, "minWriterVersion": 7,
                             "writerFeatures": ["columnMapping", "domainMetadata", "clustering"]}}
    domain = {"domainMetadata": {"domain": "delta.clustering", "removed": False,
                                 "configuration": json.dumps({"clusteringColumns": [["col-1", "col-2"], ["col-3"]]})}}
    w.write_log("t", 0, [protocol, metadata, domain])
    detail = json.loads(w.run("detail", "t", "--format", "ndjson").out)
    expect_equal(detail["clusteringColumns"], ["st.k", "id"])


@test
def test_insert__of_no_rows_changes_nothing(w):
    make_numbers(w)
    w.sql("INSERT INTO t SELECT * FROM t WHERE false")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


@test
def test_insert__may_read_its_own_table(w):
    make_numbers(w)
    w.sql("INSERT INTO t SELECT id + 100, name FROM t")
    expect_equal(w.rows("SELECT count(*), max(id) FROM t"), [[20, 109]])


@test
def test_insert_overwrite__replaces_all_rows_or_one_partition(w):
    w.sql("CREATE TABLE t PARTITIONED BY (part) AS SELECT range AS id, 'p' || range % 3 AS part FROM range(30)")
    w.sql("INSERT OVERWRITE t PARTITION (part = 'p1') SELECT 1000")
    expect_equal(w.rows("SELECT part, count(*) FROM t GROUP BY part ORDER BY part"),
                 [["p0", 10], ["p1", 1], ["p2", 10]])
    w.sql("INSERT OVERWRITE t SELECT 1, 'only'")
    expect_equal(w.rows("SELECT * FROM t"), [[1, "only"]])
    expect_equal(w.value("SELECT count(*) FROM t VERSION AS OF 0"), 30)


@test
def test_append_only_table__takes_rows_but_is_not_overwritten(w):
    w.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.appendOnly' = 'true')")
    w.sql("INSERT INTO t VALUES (1)")
    expect_failure(w.run("sql", "-c", "INSERT OVERWRITE t VALUES (2)"), 1, "APPEND_ONLY")
    expect_equal(w.rows("SELECT * FROM t"), [[1]])


@test
def test_properties__unknown_or_wrong_ones_are_refused_with_advice(w):
    ran = w.run("sql", "-c", "CREATE TABLE t (id INT) TBLPROPERTIES ('delta.chekpointInterval' = '7')")
    expect_failure(ran, 1, "PROPERTY_UNKNOWN", "delta.checkpointInterval")
    ran = w.run("sql", "-c", "CREATE TABLE t (id INT) TBLPROPERTIES ('delta.checkpointInterval' = 'x')")
    expect_failure(ran, 1, "PROPERTY_INVALID")
    expect(not os.path.exists(w.path("t/_delta_log")), "no table")


@test
def test_partition_values__of_every_type_and_odd_characters_come_back(w):
    values = "('a/b=c%d e''f', 1, DATE '2024-02-29', TIMESTAMP '2024-02-29 12:34:56.789', true, 1.50, 'ü€𝄞')"
    w.sql(f"""CREATE TABLE t PARTITIONED BY (s, i, d, ts, b, n, u) AS
        SELECT 1 AS id, * FROM (VALUES {values}, (NULL, NULL, NULL, NULL, NULL, NULL, NULL)) v(s, i, d, ts, b, n, u)""")
    expect_equal(w.rows("SELECT s, i, d, ts, b, n, u FROM t WHERE i IS NOT NULL"),
                 [["a/b=c%d e'f", 1, "2024-02-29", "2024-02-29 12:34:56.789", True, 1.5, "ü€𝄞"]])
    expect_equal(w.value("SELECT count(*) FROM t WHERE s IS NULL AND ts IS NULL AND n IS NULL"), 1)
    expect_equal(w.value("SELECT count(*) FROM t WHERE s = 'a/b=c%d e''f' AND n = 1.5"), 1)


@test
def test_partition_values__of_bytes_that_are_no_text_are_refused(w):
    w.sql("CREATE TABLE t (id INT, p BINARY) PARTITIONED BY (p); INSERT INTO t VALUES (1, 'abc'::BLOB)")
    expect_failure(w.run("sql", "-c", r"INSERT INTO t VALUES (2, 'x\xFF'::BLOB)"), 1, "PARTITION_VALUE_INVALID",
                   "partition column p", "not UTF-8")
    expect_equal(w.rows("SELECT id FROM t"), [[1]])


# ---- Reading ---------------------------------------------------------------------------------------


@test
def test_select__joins_tables_versions_and_files(w):
    make_numbers(w)
    w.sql("INSERT INTO t VALUES (10, 'row 10')")
    w.sql("COPY (SELECT 3 AS id, 'three' AS word) TO 'words.csv'")
    expect_equal(w.rows("SELECT old.id, new.name, word FROM t VERSION AS OF 0 AS old JOIN t new USING (id) "
                        "JOIN 'words.csv' USING (id)"), [[3, "row 3", "three"]])
    expect_equal(w.rows("WITH x AS (SELECT max(id) AS m FROM t@v0) SELECT m, (SELECT max(id) FROM t) FROM x"),
                 [[9, 10]])
    expect_equal(w.rows("SELECT id FROM t AT (VERSION => 1) EXCEPT SELECT id FROM t AT (VERSION => 0)"), [[10]])


@test
def test_time_travel__by_time_finds_the_version_and_says_the_range(w):
    make_numbers(w)
    time.sleep(0.05)
    now_ms = int(time.time() * 1000)
    between = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now_ms // 1000)) + f".{now_ms % 1000:03d}"
    time.sleep(0.05)
    w.sql("INSERT INTO t VALUES (10, 'row 10')")
    expect_equal(w.value(f"SELECT count(*) FROM t TIMESTAMP AS OF '{between}'"), 10)
    ran = w.run("sql", "-c", "SELECT count(*) FROM t TIMESTAMP AS OF '2001-01-01'")
    expect_failure(ran, 1, "TIMESTAMP_OUT_OF_RANGE", "20")
    ran = w.run("sql", "-c", "SELECT count(*) FROM t VERSION AS OF 9")
    expect_failure(ran, 1, "VERSION_OUT_OF_RANGE", "0", "1")


@test
def test_explain__shows_how_many_files_are_left(w):
    w.sql("CREATE TABLE t (id BIGINT)")
    for i in range(4):
        w.sql(f"INSERT INTO t SELECT range + {i * 100} FROM range(100)")
    out = w.sql("EXPLAIN SELECT * FROM t WHERE id BETWEEN 150 AND 160")
    expect("4" in out and "1" in out, f"4 files and 1 left: {out}")
    expect_equal(w.value("SELECT count(*) FROM t WHERE id BETWEEN 150 AND 160"), 11)


@test
def test_formats__print_the_same_rows(w):
    query = "SELECT 1 AS n, 'a,\"b\"|c' AS s, NULL AS nothing, [1, NULL] AS l, {'x': 1.5} AS r, true AS b"
    expect_equal(w.sql(query, "--format", "csv"),
                 'n,s,nothing,l,r,b\n1,"a,""b""|c",,"[1, NULL]",{\'x\': 1.5},true\n')
    row = {"n": 1, "s": 'a,"b"|c', "nothing": None, "l": [1, None], "r": {"x": 1.5}, "b": True}
    expect_equal(json.loads(w.sql(query, "--format", "json")), [row])
    expect_equal(json.loads(w.sql(query, "--format", "ndjson")), row)
    expect("| 1 | a,\"b\"\\|c |" in w.sql(query, "--format", "markdown"), "a Markdown row")
    expect("│ 1 │" in w.sql(query), "a table")


@test
def test_show_create_table__is_printed_in_its_lines(w):
    w.sql("CREATE TABLE t (a INT, b STRING COMMENT 'it''s')")
    lines = w.sql("SHOW CREATE TABLE t").splitlines()
    expect_equal(lines[0], "CREATE TABLE t (")
    expect("  a int," in lines, f"a column in a line of its own: {lines!r}")
    expect_equal(json.loads(w.sql("SHOW CREATE TABLE t", "--format", "ndjson"))["createtab_stmt"].splitlines(), lines[:-1])


@test
def test_output__that_nobody_reads_any_more_ends_the_program_quietly(w):
    for format in ("table", "csv", "arrow"):
        process = w.start("sql", "-c", "SELECT range, md5(range::VARCHAR) FROM range(10000000)", "--format", format)
        process.stdout.read(100)
        process.stdout.close()
        expect_equal((process.wait(timeout=60), process.stderr.read()), (141, b""))
        process.stderr.close()


@test
def test_formats__parquet_and_arrow_are_written_to_files(w):
    make_numbers(w)
    w.sql("SELECT * FROM t", "--format", "parquet", "--output", w.path("rows.parquet"))
    expect_equal(w.value("SELECT count(*) FROM 'rows.parquet'"), 10)
    w.sql("SELECT * FROM t", "--format", "arrow", "--output", w.path("rows.arrows"))
    with open(w.path("rows.arrows"), "rb") as file:
        expect_equal(file.read(4), b"\xff\xff\xff\xff")


@test
def test_sql__runs_files_and_standard_input_and_stops_at_the_first_failure(w):
    with open(w.path("a.sql"), "w", encoding="utf-8") as file:
        file.write("-- a comment; with a semicolon\nCREATE TABLE t (s STRING);\nINSERT INTO t VALUES ('a;b');")
    expect_equal(w.run("sql", w.path("a.sql")).status, 0)
    expect_equal(w.run("sql", "--format", "csv", stdin=b"SELECT s FROM t;").out, "s\na;b\n")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES ('1'); SELECT nonsense; INSERT INTO t VALUES ('2')")
    expect_failure(ran, 1, "nonsense")
    expect_equal(w.value("SELECT count(*) FROM t"), 2)


@test
def test_checkpoint__keeps_statistics_when_the_table_wants_them_as_structs_only(w):
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.checkpoint.writeStatsAsJson' = 'false',"
          " 'delta.checkpoint.writeStatsAsStruct' = 'true'); INSERT INTO t VALUES (1); INSERT INTO t VALUES (5)")
    w.run("checkpoint", w.path("t"))
    for version in (0, 1, 2):
        os.remove(w.path(f"t/_delta_log/{version:020d}.json"))
    expect("1 after statistics" in w.sql("EXPLAIN SELECT * FROM t WHERE a > 3"), "one of the two files to be left out")


@test
def test_checkpoint__in_sidecars_has_a_classic_copy_once_the_first_commit_is_gone(w):
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.checkpointPolicy' = 'v2'); INSERT INTO t VALUES (1)")
    w.run("checkpoint", w.path("t"))
    classic = w.path(f"t/_delta_log/{2:020d}.checkpoint.parquet")
    for end in ("json", "crc"):
        os.remove(w.path(f"t/_delta_log/{0:020d}.{end}"))
    w.sql("INSERT INTO t VALUES (2); CHECKPOINT t")
    expect(os.path.exists(classic), "a checkpoint that readers of old look for")
    w.sql("INSERT INTO t VALUES (3); CHECKPOINT t")
    expect_equal(len([f for f in os.listdir(w.path("t/_delta_log")) if f.endswith("checkpoint.parquet")]), 1)
    expect_equal(w.value("SELECT sum(a) FROM t"), 6)


def empty_commits(w, table, first, last):
    """Leaves of these commits only that they were made: who reads them does not find their files."""
    for version in range(first, last + 1):
        with open(w.path(f"{table}/_delta_log/{version:020d}.json"), "w", encoding="utf-8") as file:
            file.write('{"commitInfo":{"timestamp":1700000000000,"operation":"WRITE"}}\n')


def compacted(w, table):
    return sorted(f for f in os.listdir(w.path(f"{table}/_delta_log")) if f.endswith(".compacted.json"))


@test
def test_compact_log__writes_one_file_that_is_read_instead_of_the_commits(w):
    w.sql("CREATE TABLE t (a INT)")
    for i in range(5):
        w.sql(f"INSERT INTO t VALUES ({i})")
    w.sql("DELETE FROM t WHERE a = 0")
    ran = w.run("compact-log", w.path("t"))
    expect(ran.status == 0 and "compacted the commits 0 to 6" in ran.out, repr(ran))
    expect_equal(compacted(w, "t"), [f"{0:020d}.{6:020d}.compacted.json"])
    expect_equal(w.run("compact-log", w.path("t")).status, 0)
    w.sql("INSERT INTO t VALUES (7)")
    w.damages("t")
    empty_commits(w, "t", 0, 5)
    expect_equal(w.value("SELECT sum(a) FROM t"), 17)


@test
def test_compact_log__begins_behind_the_checkpoint_and_takes_a_range(w):
    w.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); CHECKPOINT t")
    expect("nothing to compact" in w.run("compact-log", w.path("t")).out, "nothing to compact")
    w.sql("INSERT INTO t VALUES (3); INSERT INTO t VALUES (4); COMPACT LOG t")
    w.sql("COMPACT LOG OF t FROM 1 TO 2")
    expect_equal(compacted(w, "t"), [f"{1:020d}.{2:020d}.compacted.json", f"{3:020d}.{4:020d}.compacted.json"])
    for wrong in ("1 TO 1", "3 TO 2", "2 TO 9"):
        expect_failure(w.run("sql", "-c", f"COMPACT LOG t FROM {wrong}"), 1, "VERSION_RANGE_INVALID")
    expect_equal(w.value("SELECT sum(a) FROM t"), 10)


@test
def test_compact_log__happens_by_itself_where_the_table_says_so(w):
    w.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('deltaworks.logCompactionInterval' = '3')")
    for i in range(7):
        w.sql(f"INSERT INTO t VALUES ({i})")
    expect_equal(compacted(w, "t"), [f"{0:020d}.{2:020d}.compacted.json", f"{3:020d}.{5:020d}.compacted.json"])
    expect_equal(w.value("SELECT sum(a) FROM t"), 21)


@test
def test_count__of_a_whole_table_needs_no_engine(w):
    make_numbers(w)
    missing = w.path("no-such-library.so")
    ran = w.run("sql", "-c", "SELECT count(*) FROM t", "--format", "csv", DELTAWORKS_DUCKDB=missing)
    expect(ran.status == 0 and ran.out.splitlines()[1] == "10", f"10 without the engine: {ran!r}")
    for verb in ("history", "detail"):
        expect_equal(w.run(verb, w.path("t"), DELTAWORKS_DUCKDB=missing).status, 0)
    expect_failure(w.run("sql", "-c", "SELECT * FROM t", DELTAWORKS_DUCKDB=missing), 4, "no-such-library.so")


# ---- Loading ---------------------------------------------------------------------------------------


@test
def test_load__makes_the_table_appends_and_takes_each_file_once(w):
    w.sql("COPY (SELECT range AS id, 'm' || range % 2 AS part FROM range(100)) TO 'a.parquet'")
    w.sql("COPY (SELECT range + 100 AS id, 'm0' AS part FROM range(10)) TO 'b.parquet'")
    expect_equal(w.run("load", "t", "a.parquet", "--partition-by", "part").status, 0)
    expect_equal(w.run("load", "t", "*.parquet").status, 0)
    again = w.run("load", "t", "a.parquet", "b.parquet")
    expect(again.status == 0 and "nothing to load" in again.out, f"nothing to load: {again!r}")
    expect_equal(w.rows("SELECT part, count(*) FROM t GROUP BY part ORDER BY part"), [["m0", 60], ["m1", 50]])
    expect_equal(w.run("load", "t", "b.parquet", "--force").status, 0)
    expect_equal(w.value("SELECT count(*) FROM t"), 120)


@test
def test_load__with_a_transaction_id_happens_once(w):
    w.sql("COPY (SELECT 1 AS id) TO 'a.parquet'")
    for _ in range(3):
        expect_equal(w.run("load", "t", "a.parquet", "--txn", "job:7").status, 0)
    expect_equal(w.value("SELECT count(*) FROM t"), 1)
    expect_equal(w.run("load", "t", "a.parquet", "--txn", "job:8").status, 0)
    expect_equal(w.value("SELECT count(*) FROM t"), 2)


@test
def test_load__reads_csv_and_json_with_options(w):
    with open(w.path("a.csv"), "w", encoding="utf-8") as file:
        file.write("id;name\n1;NA\n2;b\n")
    with open(w.path("a.ndjson"), "w", encoding="utf-8") as file:
        file.write('{"name": "c", "id": 3}\n')
    ran = w.run("load", "t", "a.csv", "--option", "delim=;", "--option", "nullValue=NA", "--option", "header=true")
    expect(ran.status == 0, f"a CSV load: {ran!r}")
    expect_equal(w.run("load", "t", "a.ndjson").status, 0)
    expect_equal(w.rows("SELECT id, name FROM t ORDER BY id"), [[1, None], [2, "b"], [3, "c"]])
    expect_failure(w.run("load", "t", "a.csv", "--force", "--option", "nope=1"), 1, "OPTION_UNKNOWN", "nope")


@test
def test_load__of_json_with_values_of_several_types_keeps_strings_as_they_are(w):
    with open(w.path("mixed.json"), "w", encoding="utf-8") as file:
        file.write('{"id": 1, "title": "he said \\"no\\"", "d": "2020-01-01"}\n{"id": 2, "title": 300}\n'
                   '{"id": 3, "title": {"a": [1]}}\n{"id": 4, "title": null}\n')
    ran = w.run("load", "t", "mixed.json")
    expect_equal((ran.status, ran.out), (0, "created t: 4 rows from 1 file as version 0\n"))
    expect_equal(w.rows("SELECT title FROM t ORDER BY id"), [['he said "no"'], ["300"], ['{"a":[1]}'], [None]])
    w.sql("COPY INTO t FROM 'mixed.json' FILEFORMAT = JSON COPY_OPTIONS ('force' = 'true')")
    expect_equal(w.value("SELECT count(*) FROM t WHERE title = 'he said \"no\"'"), 2)


@test
def test_load__of_one_batch_by_several_at_once_happens_once(w):
    w.sql("COPY (SELECT range AS a FROM range(300000)) TO 'batch.parquet'")
    loads = [w.start("load", "t", "batch.parquet") for _ in range(4)]
    for load in loads:
        _, err = load.communicate(timeout=120)
        expect_equal((load.returncode, err), (0, b""))
    expect_equal(w.value("SELECT count(*) FROM t"), 300000)
    expect_equal(len(w.rows("DESCRIBE HISTORY t")), 1)


@test
def test_load__says_why_there_was_nothing_to_do(w):
    w.sql("COPY (SELECT 1 AS a) TO 'one.parquet'")
    expect_equal(w.run("load", "t", "one.parquet", "--txn", "nightly:7").out, "created t: 1 row from 1 file as version 0\n")
    expect_equal(w.run("load", "t", "one.parquet", "--txn", "nightly:7").out,
                 "nothing to load: nightly:7 or a later one was loaded before\n")
    expect_equal(w.run("load", "t", "one.parquet", "--mode", "ignore").out, "nothing to do: the table is there\n")


@test
def test_columns__that_are_misspelt_are_named_with_the_nearest(w):
    make_numbers(w)
    expect_failure(w.run("sql", "-c", "SELECT idd FROM t"), 1, 'column "idd" is in none of the tables; did you mean "id"')


@test
def test_load__modes_overwrite_error_and_ignore(w):
    w.sql("COPY (SELECT 1 AS id) TO 'a.parquet'; COPY (SELECT 2 AS id) TO 'b.parquet'")
    expect_equal(w.run("load", "t", "a.parquet", "--mode", "error").status, 0)
    expect_failure(w.run("load", "t", "b.parquet", "--mode", "error"), 1, "TABLE_ALREADY_EXISTS")
    expect_equal(w.run("load", "t", "b.parquet", "--mode", "ignore").status, 0)
    expect_equal(w.rows("SELECT id FROM t"), [[1]])
    expect_equal(w.run("load", "t", "b.parquet", "--mode", "overwrite").status, 0)
    expect_equal(w.rows("SELECT id FROM t"), [[2]])


@test
def test_load__bad_files_are_named_and_nothing_is_loaded(w):
    w.sql("COPY (SELECT 1 AS id) TO 'a.parquet'; COPY (SELECT 'x' AS other) TO 'other.parquet'")
    with open(w.path("broken.parquet"), "wb") as file:
        file.write(b"PAR1 this is no Parquet file PAR1")
    expect_equal(w.run("load", "t", "a.parquet").status, 0)
    expect_failure(w.run("load", "t", "other.parquet"), 1, "COLUMN_NOT_FOUND", "other")
    expect_failure(w.run("load", "t", "missing.parquet"), 1, "missing.parquet")
    expect_failure(w.run("load", "t", "broken.parquet"), 1, "broken.parquet")
    expect_failure(w.run("load", "t", "a.unknown"), 1, "FORMAT_UNKNOWN")
    expect_equal(w.value("SELECT count(*) FROM t"), 1)
    expect_equal(len(w.files("t")), 1)


@test
def test_load__refuses_decimals_of_more_digits_than_delta_has(w):
    wide = by_hand.leaf("big", by_hand.FIXED, converted=by_hand.DECIMAL, length=20, precision=45, scale=1)
    by_hand.write(w.path("wide.parquet"), 1, [wide], [(("big",), [(0, 1, (15).to_bytes(20, "big"))])])
    ran = w.run("load", w.path("t"), w.path("wide.parquet"))
    expect_failure(ran, 1, "big", "wide.parquet", "45 digits", "TYPE_UNSUPPORTED")
    expect(not os.path.exists(w.path("t/_delta_log")), "no table")


@test
def test_sql__says_that_parquet_output_cannot_be_written_as_it_does_of_csv(w):
    for name in ("csv", "parquet"):
        ran = w.run("sql", "-c", "SELECT 1", "--format", name, "--output", w.path("nowhere/x"))
        expect_failure(ran, 6, "nowhere/x", "OUTPUT_FAILED")


@test
def test_load__refuses_columns_that_differ_in_case_only(w):
    names = [by_hand.leaf(name, by_hand.INT64) for name in ("ID", "id")]
    by_hand.write(w.path("twins.parquet"), 1, names, [((name,), [(0, 1, 7)]) for name in ("ID", "id")])
    expect_failure(w.run("load", w.path("t"), w.path("twins.parquet")), 1, "id_1", "COLUMN_DUPLICATE")
    expect(not os.path.exists(w.path("t/_delta_log")), "no table")


@test
def test_load__takes_the_visible_files_below_a_directory(w):
    for folder in ("empty", "deep", "_temporary"):
        os.makedirs(w.path("staging/" + folder))
    for name in ("a", "deep/b", "_hidden", ".also", "_temporary/c"):
        w.sql(f"COPY (SELECT '{name}' AS name) TO 'staging/{name}.parquet'")
    expect("2 rows from 2 files" in w.run("load", "t", "staging").out, "both files")
    expect_equal(w.rows("SELECT name FROM t ORDER BY name"), [["a"], ["deep/b"]])
    expect_failure(w.run("load", "t", "staging/empty"), 1, "no directory with files", "FORMAT_UNKNOWN")


@test
def test_copy_into__loads_each_file_once(w):
    w.sql("COPY (SELECT 1 AS id) TO 'a.parquet'")
    w.sql("CREATE TABLE t (id INT)")
    for _ in range(2):
        w.sql(f"COPY INTO t FROM '{w.folder}' FILEFORMAT = PARQUET PATTERN = '*.parquet'")
    expect_equal(w.rows("SELECT id FROM t"), [[1]])


@test
def test_load__larger_than_the_memory_limit_works(w):
    w.sql("COPY (SELECT range AS id, md5(range::VARCHAR) AS a, md5((range + 1)::VARCHAR) AS b, range % 20 AS k "
          "FROM range(2500000)) "
          "TO 'big.parquet' (COMPRESSION uncompressed)")
    expect(os.path.getsize(w.path("big.parquet")) > 190e6, "a file above the limit")
    for name, options in (("t", []), ("parted", ["--partition-by", "k"])):
        ran = w.run("load", name, "big.parquet", "--memory-limit", "100MB", *options)
        expect(ran.status == 0, f"the load to succeed: {ran!r}")
        expect_equal(w.value(f"SELECT count(*) FROM {name}"), 2500000)
    expect_equal(len(w.files("parted")), 20)


@test
def test_checkpoints__are_written_every_ten_commits_and_replace_the_log(w):
    w.sql("CREATE TABLE t (id INT)")
    w.sql("".join(f"INSERT INTO t VALUES ({i});" for i in range(12)))
    expect(os.path.exists(w.log("t", 10).replace(".json", ".checkpoint.parquet")), "a checkpoint of version 10")
    for version in range(10):
        os.unlink(w.log("t", version))
    expect_equal(w.rows("SELECT count(*), sum(id) FROM t"), [[12, 66]])
    ran = w.run("checkpoint", w.path("t"))
    expect(ran.status == 0 and "12" in ran.out, f"a checkpoint of version 12: {ran!r}")
    os.unlink(w.path("t/_delta_log/_last_checkpoint"))
    expect_equal(w.rows("SELECT count(*), sum(id) FROM t"), [[12, 66]])


# ---- Damage and refusal ----------------------------------------------------------------------------


@test
def test_damage__what_is_no_table_is_said_to_be_none(w):
    os.mkdir(w.path("folder"))
    for name in ("folder", "nowhere"):
        expect_failure(w.run("detail", w.path(name)), 1, "TABLE_NOT_FOUND", name)
    expect_failure(w.run("sql", "-c", "SELECT * FROM nowhere"), 1, "nowhere")


@test
def test_damage__a_gap_in_the_log_is_named(w):
    make_numbers(w)
    w.sql("INSERT INTO t VALUES (10, 'x'); INSERT INTO t VALUES (11, 'x')")
    os.unlink(w.log("t", 1))
    expect_failure(w.run("sql", "-c", "SELECT count(*) FROM t"), 5, "LOG_GAP", "1")


@test
def test_damage__a_log_without_metadata_or_protocol_is_refused(w):
    w.write_log("a", 0, [PROTOCOL])
    w.write_log("b", 0, [METADATA])
    expect_failure(w.run("sql", "-c", "SELECT count(*) FROM a"), 5, "NO_METADATA")
    expect_failure(w.run("sql", "-c", "SELECT count(*) FROM b"), 5, "NO_PROTOCOL")


@test
def test_damage__truncated_or_hostile_json_is_refused_with_its_line(w):
    for name, line in (("cut", '{"add":{"path":"x"'), ("deep", "[" * 100000), ("wrong", '{"add":{"path":5}}'),
                       ("text", "no json at all")):
        w.write_log(name, 0, [PROTOCOL, METADATA])
        with open(w.log(name, 1), "w", encoding="utf-8") as file:
            file.write('{"commitInfo":{}}\n' + line + "\n")
        expect_failure(w.run("sql", "-c", f"SELECT count(*) FROM {name}"), 5, "line 2")


@test
def test_damage__a_checkpoint_of_other_columns_is_refused(w):
    make_numbers(w)
    w.run("checkpoint", w.path("t"))
    w.sql("COPY (SELECT 1 AS add, 'x' AS metaData, 2 AS protocol) TO 't/_delta_log/00000000000000000000.checkpoint.parquet' (FORMAT parquet)")
    os.unlink(w.log("t", 0))
    expect(w.run("sql", "-c", "SELECT count(*) FROM t").status == 5, "exit status 5")


@test
def test_damage__unknown_features_are_named(w):
    for reader, status in ((["fancyFeature"], 4), ([], 0)):
        protocol = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": reader,
                                 "writerFeatures": ["fancyFeature"]}}
        name = "reads" if status == 0 else "refuses"
        w.write_log(name, 0, [protocol, METADATA])
        ran = w.run("sql", "-c", f"SELECT count(*) FROM {name}")
        expect(ran.status == status, f"exit status {status}: {ran!r}")
        if status:
            expect_failure(ran, 4, "fancyFeature")
        expect_failure(w.run("sql", "-c", f"INSERT INTO {name} VALUES (1)"), 4, "fancyFeature")


@test
def test_damage__a_missing_data_file_is_named_with_the_version_that_added_it(w):
    make_numbers(w)
    w.sql("INSERT INTO t VALUES (10, 'x')")
    path = next(a["add"]["path"] for a in w.actions("t", 1) if "add" in a)
    os.unlink(os.path.join(w.path("t"), path))
    expect_failure(w.run("sql", "-c", "SELECT sum(id) FROM t"), 5, path, "version 1")
    expect_equal(w.value("SELECT sum(id) FROM t VERSION AS OF 0"), 45)


@test
def test_damage__a_broken_data_file_is_named(w):
    make_numbers(w)
    path = os.path.join(w.path("t"), w.files("t")[0])
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)
    expect_failure(w.run("sql", "-c", "SELECT sum(id) FROM t"), 5, w.files("t")[0])


@test
def test_full_disk__is_said_and_the_table_stays_as_it_was(w):
    make_numbers(w)
    limit = 1 << 20

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    before = w.files("t")
    ran = w.run("sql", "-c", "INSERT INTO t SELECT range, md5(range::VARCHAR) FROM range(500000)", preexec=small_files)
    expect(ran.status in (1, 6) and ran.err.strip(), f"a failure that is said: {ran!r}")
    expect_equal(w.files("t"), before)
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


@test
def test_read_only_directory__is_said_and_reading_goes_on(w):
    make_numbers(w)
    os.chmod(w.folder, 0o755)
    for folder, _, names in os.walk(w.path("t")):
        os.chmod(folder, 0o555)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)

    def somebody():
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1, 'x')", preexec=somebody, HOME="/tmp")
    if "Permission denied" in ran.err and "cannot execute" in ran.err:
        return  # the program itself is out of that user's reach
    expect(ran.status in (1, 6), f"a failure: {ran!r}")
    expect("ermission" in ran.err, f"the reason: {ran!r}")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


# ---- Interrupting, several at once, usage ----------------------------------------------------------


@test
def test_interrupt__cancels_the_statement_and_removes_what_it_wrote(w):
    make_numbers(w)
    before = w.files("t")
    process = w.start("sql", "-c", "INSERT INTO t SELECT range, md5(range::VARCHAR) || md5((range*7)::VARCHAR) "
                      "FROM range(400000000)")
    while w.files("t") == before and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    expect(process.returncode == 130, f"exit status 130, found {process.returncode}: {err!r}")
    expect_equal(w.files("t"), before)
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


@test
def test_interrupt__while_rows_are_printed_is_one_line_and_130(w):
    process = w.start("sql", "-c", "SELECT range FROM range(10000000000)", "--format", "csv")
    for _ in range(100):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    expect_equal((process.returncode, err), (130, b"deltaworks: interrupted [CANCELLED]\n"))


@test
def test_failure__while_rows_are_printed_has_the_code_of_its_kind(w):
    for format in ("table", "csv", "arrow"):
        ran = w.run("sql", "-c", "SELECT CASE WHEN range = 100000 THEN error('too far') ELSE range END FROM range(100001)",
                    "--format", format, "--output", "rows")
        expect_failure(ran, 1, "too far [INVALID_INPUT]")


@test
def test_writers__side_by_side_all_succeed(w):
    w.sql("CREATE TABLE t (writer INT, n INT)")
    script = lambda k: "".join(f"INSERT INTO t VALUES ({k}, {i});" for i in range(10))
    processes = [w.start("sql", "-c", script(k)) for k in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        expect(process.returncode == 0, f"a writer to succeed: {process.returncode} {err!r}")
    expect_equal(w.rows("SELECT count(*), count(DISTINCT (writer, n)) FROM t"), [[40, 40]])
    expect_equal(len(w.rows("DESCRIBE HISTORY t")), 41)


@test
def test_usage__wrong_arguments_exit_with_two_and_point_to_help(w):
    for arguments in (["nonsense"], ["sql", "--format", "xml"], ["load", "t"], ["history"], ["sql", "--nope"],
                      ["load", "t", "a.parquet", "--txn", "x"], ["load", "t", "a.parquet", "--mode", "y"],
                      ["history", "t", "--format", "parquet", "--output", "x"], ["history", "t", "--limit", "x"],
                      ["detail", "t", "--limit", "1"]):
        ran = w.run(*arguments)
        expect(ran.status == 2 and "--help" in ran.err, f"{arguments}: exit status 2 and a hint: {ran!r}")
    for verb in ("sql", "load", "history", "detail", "checkpoint"):
        ran = w.run(verb, "--help")
        expect(ran.status == 0 and ran.out.startswith("Usage: deltaworks " + verb), f"help of {verb}: {ran!r}")


@test
def test_statements_of_other_engines__are_refused_by_name(w):
    make_numbers(w)
    for statement in ("MSCK REPAIR TABLE t",
                      "ALTER TABLE t RENAME TO u"):
        ran = w.run("sql", "-c", statement)
        expect(ran.status in (1, 4) and statement.split()[0] in ran.err.upper(), f"{statement} to be named: {ran!r}")
    expect_equal(w.value("SELECT count(*) FROM t"), 10)


if __name__ == "__main__":
    sys.exit(main())
