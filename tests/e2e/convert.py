"""CONVERT TO DELTA: a directory of Parquet files becomes a table, and no file of it changes."""
import hashlib
import json
import os
import struct
import subprocess
import sys

import parquet_by_hand as by_hand
from harness import expect, expect_equal, expect_failure, main, test

PEERS_PYTHON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".peers", "venv", "bin", "python")
SPARK = "org.apache.spark."
JULIAN_1970 = 2440588


def convert(w, folder, rest=""):
    return w.sql(f"CONVERT TO DELTA parquet.`{w.path(folder)}` {rest}")


def fails(w, folder, rest, *words):
    ran = w.run("sql", "-c", f"CONVERT TO DELTA parquet.`{w.path(folder)}` {rest}")
    expect_failure(ran, ran.status or 1, *words)
    expect(not os.path.exists(w.path(folder) + "/_delta_log"), "no log")


def write(w, query, file, options=""):
    os.makedirs(os.path.dirname(w.path(file)) if "PARTITION_BY" not in options else w.folder, exist_ok=True)
    w.sql(f"COPY ({query}) TO '{w.path(file)}' (FORMAT parquet{options})")


def contents(w, folder):
    found = {}
    for name in w.files(folder):
        with open(os.path.join(w.path(folder), name), "rb") as file:
            found[name] = (hashlib.sha256(file.read()).hexdigest(), os.stat(file.name).st_mtime_ns)
    return found


def adds(w, folder):
    return [a["add"] for a in w.actions(folder, 0) if "add" in a]


def stats(w, folder):
    return [json.loads(a["stats"]) for a in adds(w, folder)]


def as_delta_rs(w, folder, order):
    """The rows by another implementation; None where it is not there."""
    if not os.path.exists(PEERS_PYTHON):
        return None
    code = ("import deltalake, duckdb, json, sys\n"
            "t = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_dataset()\n"
            "c = duckdb.connect()\n"
            "print(json.dumps([[str(v) for v in r] for r in c.execute("
            "f'SELECT * FROM t ORDER BY {sys.argv[2]}').fetchall()]))\n")
    done = subprocess.run([PEERS_PYTHON, "-c", code, w.path(folder), order], capture_output=True, check=False)
    expect(done.returncode == 0, f"delta-rs to read {folder}: {done.stderr.decode()[-500:]}")
    return json.loads(done.stdout)


EVERY_TYPE = ("SELECT range AS id, (range % 50)::TINYINT AS b, (range * 3)::SMALLINT AS s, range::INT AS i, "
              "range / 4 AS d, (range / 8)::FLOAT AS f, (range::DECIMAL(10, 3) - 500) AS dec, "
              "range::DECIMAL(38, 10) * 1000000000000 AS big, DATE '2001-02-03' + range::INT AS day, "
              "TIMESTAMP '2001-02-03 04:05:06.123456' + INTERVAL (range) MINUTE AS ntz, "
              "TIMESTAMPTZ '1969-02-03 04:05:06.123456+00' + INTERVAL (range) MINUTE AS ts, "
              "range % 2 = 0 AS yes, 'x' || range AS t, repeat('ü', 40 + range::INT % 3) AS long, "
              "('b' || range)::BLOB AS bytes, {'k': range, 'n': {'m': 'n' || range}} AS st, "
              "[range, NULL] AS l, MAP {'a': range} AS mp, "
              "CASE WHEN range % 7 = 0 THEN NULL ELSE range END AS holes, NULL::INT AS nothing ")


@test
def test_convert__has_the_rows_the_bounds_and_the_commit(w):
    for n, (first, end) in enumerate([(0, 400), (400, 401), (500, 900)]):
        write(w, EVERY_TYPE + f"FROM range({first}, {end})", f"t/part {n}.parquet")
    source = f"FROM read_parquet('{w.path('t')}/*.parquet') ORDER BY id"
    before, rows = contents(w, "t"), w.rows("SELECT * " + source)
    expect("would convert 3 files" in convert(w, "t", "DRY RUN"), "a dry run that counts")
    expect(not os.path.exists(w.path("t/_delta_log")), "a dry run that writes nothing")
    expect("converted 3 files" in convert(w, "t"), "an answer that counts")
    expect_equal(contents(w, "t"), before)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), rows)
    info = w.actions("t", 0)[0]["commitInfo"]
    expect_equal((info["operation"], info["operationParameters"], info["operationMetrics"]),
                 ("CONVERT", {"numFiles": 3, "collectStats": True, "partitionedBy": "[]", "sourceFormat": "parquet"},
                  {"numConvertedFiles": "3"}))
    found = stats(w, "t")
    expect_equal([(s["numRecords"], s["minValues"]["id"], s["maxValues"]["id"]) for s in found],
                 [(400, 0, 399), (1, 400, 400), (400, 500, 899)])
    expect_equal((found[0]["minValues"]["day"], found[0]["maxValues"]["day"]), ("2001-02-03", "2002-03-09"))
    expect(found[0]["minValues"]["ts"].startswith("1969-02-03T04:05:06.123"), "milliseconds")
    expect_equal((found[0]["minValues"]["dec"], found[0]["maxValues"]["st"]["k"]), (-500.0, 399))
    expect_equal((found[0]["nullCount"]["holes"], found[0]["nullCount"]["nothing"]), (58, 400))
    expect(len(found[0]["maxValues"]["long"]) < 40, "long strings to be cut")
    expect_equal(w.value("SELECT count(*) FROM t WHERE ntz > '2001-02-03 12:00:00' AND day < '2001-12-01'"),
                 w.value(f"SELECT count(*) FROM read_parquet('{w.path('t')}/*.parquet') WHERE "
                         "ntz > '2001-02-03 12:00:00' AND day < '2001-12-01'"))
    found = as_delta_rs(w, "t", "id")
    expect(found is None or [r[0] for r in found] == [str(r[0]) for r in rows], "the rows in delta-rs")


@test
def test_convert__reads_partitions_from_directories(w):
    write(w, "SELECT range AS id, DATE '2020-01-01' + (range % 3)::INT AS day, "
          "[NULL, 'a b', 'c/d%=é'][1 + range % 3] AS p FROM range(300)", "t", ", PARTITION_BY (day, p)")
    rows = w.rows("SELECT range AS id, DATE '2020-01-01' + (range % 3)::INT AS day, "
                  "[NULL, 'a b', 'c/d%=é'][1 + range % 3] AS p FROM range(300)")
    os.makedirs(w.path("t/_temporary/day=2020-01-01"))
    for hidden in ("_SUCCESS", ".part.crc", "_temporary/day=2020-01-01/x.parquet"):
        with open(os.path.join(w.path("t"), hidden), "wb") as file:
            file.write(b"no Parquet")
    fails(w, "t", "", "PARTITION_COLUMNS_MISMATCH", "day=2020-01-0", "no partition columns")
    fails(w, "t", "PARTITIONED BY (day DATE)", "PARTITION_COLUMNS_MISMATCH", "expected day=")
    fails(w, "t", "PARTITIONED BY (p STRING, day DATE)", "PARTITION_COLUMNS_MISMATCH", "p=/day=")
    fails(w, "t", "PARTITIONED BY (day INT, p STRING)", "PARTITION_VALUE_INVALID", "2020-01-0", "int")
    fails(w, "t", "PARTITIONED BY (day DATE, p)", "a type with each partition column")
    fails(w, "t", "NO INDEXES", "STATISTICS")
    before = contents(w, "t")
    convert(w, "t", "NO STATISTICS PARTITIONED BY (day DATE, p STRING)")
    expect_equal(contents(w, "t"), before)
    expect_equal(w.rows("SELECT id, day, p FROM t ORDER BY id"), rows)
    info = w.actions("t", 0)[0]["commitInfo"]["operationParameters"]
    expect_equal((info["partitionedBy"], info["collectStats"]), ('["day","p"]', False))
    expect_equal([a.get("stats") for a in adds(w, "t")], [None] * 3)
    expect_equal(sorted((a["partitionValues"]["p"] or "") for a in adds(w, "t")), ["", "a b", "c/d%=é"])
    found = as_delta_rs(w, "t", "id")
    expect(found is None or [r[:3] for r in found] == [[str(v) for v in r] for r in rows], "the rows in delta-rs")
    w.sql("INSERT INTO t VALUES (1000, DATE '2021-01-01', 'new'); DELETE FROM t WHERE p = 'a b'")
    expect_equal(w.value("SELECT count(*) FROM t"), 201)


@test
def test_convert__merges_columns_and_refuses_types_that_differ(w):
    write(w, "SELECT 1::INT AS a, {'x': 1} AS s, [{'k': 1}] AS l", "t/1.parquet")
    write(w, "SELECT 'two' AS b, {'x': 2, 'y': 'z'} AS s, [{'k': 2, 'm': DATE '2020-01-01'}] AS l", "t/2.parquet")
    write(w, "SELECT 3::INT AS a WHERE false", "t/3.parquet")
    convert(w, "t")
    expect_equal(w.rows("SELECT a, b, s.x, s.y, l[1].m FROM t ORDER BY s.x"),
                 [[1, None, 1, None, None], [None, "two", 2, "z", "2020-01-01"]])
    expect_equal([s["numRecords"] for s in stats(w, "t")], [1, 1, 0])
    expect_equal(stats(w, "t")[0]["nullCount"]["b"], 1)
    write(w, "SELECT 1::INT AS a", "u/1.parquet")
    write(w, "SELECT 1::BIGINT AS a", "u/sub/2.parquet")
    fails(w, "u", "", "SCHEMA_CONFLICT", "\"a\"", "sub/2.parquet", "int", "bigint")
    write(w, "SELECT 1::INT AS A", "u/sub/2.parquet")
    fails(w, "u", "", "SCHEMA_CONFLICT", "\"A\"", "sub/2.parquet")
    write(w, "SELECT 1 AS a, uuid() AS u", "v/1.parquet")
    fails(w, "v", "", "TYPE_UNSUPPORTED", "\"u\"", "1.parquet")
    write(w, "SELECT 1 AS a, '2020-01-01'::TIMESTAMP_NS AS n", "v/1.parquet")
    fails(w, "v", "", "TYPE_UNSUPPORTED", "\"n\"", "1.parquet", "nanoseconds")
    write(w, "SELECT 1 AS a, TIME '12:00:00' AS n", "v/1.parquet")
    fails(w, "v", "", "TYPE_UNSUPPORTED", "1.parquet")


@test
def test_convert__refuses_what_is_no_table_of_parquet(w):
    fails(w, "none", "", "FILE_NOT_FOUND", "none")
    os.makedirs(w.path("t"))
    fails(w, "t", "", "FILE_NOT_FOUND")
    write(w, "SELECT 1 AS a", "t/1.parquet")
    with open(w.path("t/2.csv"), "w", encoding="utf-8") as file:
        file.write("a\n1\n")
    fails(w, "t", "", "NOT_PARQUET", "2.csv")
    os.remove(w.path("t/2.csv"))
    convert(w, "t")
    expect("is a Delta table already" in convert(w, "t"), "that there is a table")
    expect(not os.path.exists(w.log("t", 1)), "one commit")
    expect_failure(w.run("sql", "-c", "BEGIN; CONVERT TO DELTA parquet.`x`"), 4, "CONVERT TO DELTA")
    expect_failure(w.run("sql", "-c", "CONVERT TO DELTA delta.`x`"), 1, "parquet.`path`")


@test
def test_convert__leaves_bounds_out_that_may_be_wrong(w):
    write(w, "SELECT unnest([1.5, 'nan'::DOUBLE, 3]) AS d, unnest(['inf'::FLOAT, 1, 2]) AS f, "
          "unnest([-1, 0, 1])::DOUBLE AS g", "t/1.parquet")
    convert(w, "t")
    found = stats(w, "t")[0]
    expect("d" not in found["minValues"] and "d" not in found["maxValues"], "no bounds beside NaN")
    expect_equal((found["minValues"]["g"], found["maxValues"]["g"]), (-1.0, 1.0))
    expect_equal(w.value("SELECT count(*) FROM t WHERE d > 2"), 2)


@test
def test_convert__takes_int96_for_instants_and_leaves_old_calendars_alone(w):
    def int96(micros):
        return struct.pack("<qi", micros % 86400000000 * 1000, JULIAN_1970 + micros // 86400000000)

    micros = [0, 1234567890123456]
    for folder, keys in (("t", None), ("old", {SPARK + "version": "2.4.0", SPARK + "timeZone": "UTC"})):
        os.makedirs(w.path(folder))
        by_hand.write(w.path(folder + "/1.parquet"), 2,
                      [by_hand.leaf("moment", by_hand.INT96), by_hand.leaf("day", by_hand.INT32, converted=by_hand.DATE)],
                      [(("moment",), [(0, 1, int96(m)) for m in micros]), (("day",), [(0, 1, -700000), (0, 1, 5)])],
                      keys=keys)
        for zone in ("UTC", "America/Los_Angeles"):
            w.sql(f"SET TimeZone = '{zone}'; CONVERT TO DELTA parquet.`{w.path(folder)}`")
        expect_equal(w.rows(f"SELECT typeof(moment), epoch_us(moment) FROM {folder} ORDER BY 2"),
                     [["TIMESTAMP WITH TIME ZONE", m] for m in micros])
    expect_equal((stats(w, "t")[0]["minValues"]["moment"], stats(w, "t")[0]["maxValues"]["moment"][:23]),
                 ("1970-01-01T00:00:00.000Z", "2009-02-13T23:31:30.123"))
    found = stats(w, "old")[0]
    expect_equal((found["numRecords"], found.get("minValues", {}), found.get("maxValues", {})), (2, {}, {}))
    expect_equal(w.value("SELECT count(*) FROM old WHERE day < '0100-01-01'"), 1)


@test
def test_convert__reads_instants_in_the_zone_of_the_file_whatever_the_sessions_is(w):
    def int96(micros):
        return struct.pack("<qi", micros % 86400000000 * 1000, JULIAN_1970 + micros // 86400000000)

    os.makedirs(w.path("t"))
    by_hand.write(w.path("t/1.parquet"), 1, [by_hand.leaf("moment", by_hand.INT96)],
                  [(("moment",), [(0, 1, int96(1234567890123456))])])
    w.sql(f"SET TimeZone = 'America/Los_Angeles'; CONVERT TO DELTA parquet.`{w.path('t')}`")
    expect_equal(stats(w, "t")[0]["minValues"]["moment"], "2009-02-13T23:31:30.123Z")


sys.exit(main())
