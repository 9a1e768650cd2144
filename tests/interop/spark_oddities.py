"""Tables of Spark in odd corners: void columns, clones, old protocols, and logs as other writers spell them.

Spark is the judge of the logs that are spelled anew, too: what it reads from them is what we must read.
"""
import json
import os
import re
import shutil
import urllib.parse

import spark_tables
import values
from spark_tables import table

# ---- Columns without a type -------------------------------------------------------------------------


@table
def void_that_got_a_type(w):
    w.sql(
        "CREATE TABLE {t} (id INT, later VOID, st STRUCT<a: INT, n: VOID>, nothing VOID) USING delta",
        "INSERT INTO {t} (id, st) VALUES (1, named_struct('a', 1, 'n', NULL)), (2, NULL)",
        "ALTER TABLE {t} ADD COLUMN (more VOID)",
        "INSERT INTO {t} (id) VALUES (3)",
    )
    typed = w.spark.sql("SELECT 4 AS id, 'typed' AS later")
    typed.write.format("delta").mode("append").option("mergeSchema", "true").save(w.path)


@table
def void_and_mapped(w):
    w.sql(
        "CREATE TABLE {t} (id INT, v VOID, p STRING) USING delta PARTITIONED BY (p)"
        " TBLPROPERTIES (delta.columnMapping.mode = 'name', delta.enableDeletionVectors = true)",
        "INSERT INTO {t} (id, p) SELECT id, 'p' FROM range(0, 20, 1, 1)",
        "DELETE FROM {t} WHERE id % 3 = 0",
        "ALTER TABLE {t} RENAME COLUMN v TO w",
        "INSERT INTO {t} (id) VALUES (100)",
    )


# ---- Clones -----------------------------------------------------------------------------------------


def origin_of(w, tail, *properties):
    """A table beside ours with three partitions, deletion vectors if asked for, and two changes."""
    origin = f"delta.`{w.path}.{tail}`"
    settings = f" TBLPROPERTIES ({', '.join(properties)})" if properties else ""
    w.sql(
        f"CREATE TABLE {origin} (id BIGINT, p STRING) USING delta PARTITIONED BY (p){settings}",
        f"INSERT INTO {origin} SELECT id, CASE id % 3 WHEN 0 THEN 'a b' WHEN 1 THEN 'c%d' END"
        " FROM range(0, 300, 1, 1)",
        f"DELETE FROM {origin} WHERE id % 10 = 3",
        f"INSERT INTO {origin} VALUES (1000, 'ü/#')",
    )
    return origin


VECTORS = "delta.enableDeletionVectors = true"


@table
def clone_with_deletion_vectors(w):
    """Files and vectors of another table, by absolute paths; our own vectors over those files."""
    origin = origin_of(w, "origin", VECTORS)
    w.sql(
        f"CREATE TABLE {{t}} SHALLOW CLONE {origin}",
        "DELETE FROM {t} WHERE id % 10 = 4",
        "UPDATE {t} SET p = 'moved' WHERE id = 5",
        "INSERT INTO {t} VALUES (2000, 'own')",
        "OPTIMIZE {t} WHERE p = 'own'",
    )


@table
def clone_of_an_odd_path(w):
    origin = origin_of(w, "odd %20 path #+&,='ü", VECTORS)
    w.sql(f"CREATE TABLE {{t}} SHALLOW CLONE {origin}", "DELETE FROM {t} WHERE id < 20")


@table
def clone_of_a_clone_and_a_version(w):
    origin = origin_of(w, "origin", VECTORS)
    middle = f"delta.`{w.path}.middle`"
    w.sql(
        f"CREATE TABLE {middle} SHALLOW CLONE {origin} VERSION AS OF 2",
        f"INSERT INTO {middle} VALUES (3000, 'middle')",
        f"CREATE TABLE {{t}} SHALLOW CLONE {middle} TBLPROPERTIES (delta.checkpointInterval = 2)",
        "INSERT INTO {t} VALUES (2000, 'own')",
        "DELETE FROM {t} WHERE p = 'a b' AND id < 100",
        "DELETE FROM {t}",
        f"CREATE OR REPLACE TABLE {{t}} SHALLOW CLONE {origin}",
    )


@table
def clone_that_is_mapped_and_tracked(w):
    origin = origin_of(
        w, "origin", VECTORS, "delta.columnMapping.mode = 'id'", "delta.enableRowTracking = true"
    )
    w.sql(
        f"ALTER TABLE {origin} RENAME COLUMN p TO part",
        f"CREATE TABLE {{t}} SHALLOW CLONE {origin}",
        "ALTER TABLE {t} RENAME COLUMN id TO key",
        "DELETE FROM {t} WHERE key % 10 = 5",
        "INSERT INTO {t} VALUES (2000, 'own')",
    )


# ---- Protocols of every age -------------------------------------------------------------------------


def old_protocol(reader, writer, *features):
    def write(w):
        settings = [f"delta.minReaderVersion = '{reader}'", f"delta.minWriterVersion = '{writer}'"]
        settings += [f"'delta.feature.{name}' = 'supported'" for name in features]
        w.sql(
            "CREATE TABLE {t} (id BIGINT, p STRING, v DOUBLE) USING delta PARTITIONED BY (p)"
            f" TBLPROPERTIES ({', '.join(settings)})",
            "INSERT INTO {t} VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, NULL, 3.5)",
            "UPDATE {t} SET v = 0 WHERE id = 1",
            "DELETE FROM {t} WHERE id = 2",
        )

    return write


PROTOCOLS = [(1, writer) for writer in range(1, 5)] + [(2, 5), (2, 6)]
PROTOCOLS += [(1, 7, "appendOnly"), (1, 7, "checkConstraints", "changeDataFeed", "invariants"),
              (2, 7, "columnMapping", "generatedColumns"), (3, 7, "identityColumns"),
              (3, 7, "deletionVectors", "allowColumnDefaults", "columnMapping", "timestampNtz"),
              (3, 7, "v2Checkpoint", "vacuumProtocolCheck", "domainMetadata"),
              (3, 7, "typeWidening-preview"), (3, 7, "variantType-preview"),
              (3, 7, "variantShredding-preview"), (3, 7, "icebergCompatV1"), (3, 7, "checkpointProtection")]
for _reader, _writer, *_features in PROTOCOLS:
    _name = "_".join(["protocol", str(_reader), str(_writer), *_features]).replace("-", "_")
    spark_tables.TABLES[_name] = old_protocol(_reader, _writer, *_features)


@table
def protocol_raised_step_by_step(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, v INT) USING delta"
        " TBLPROPERTIES (delta.minReaderVersion = '1', delta.minWriterVersion = '2')",
        "INSERT INTO {t} VALUES (1, 1)",
        "ALTER TABLE {t} ADD CONSTRAINT small CHECK (v < 10)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        "INSERT INTO {t} VALUES (2, 2)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.minReaderVersion = '2', delta.minWriterVersion = '5')",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.columnMapping.mode = 'name')",
        "INSERT INTO {t} VALUES (3, 3)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.enableDeletionVectors = true)",
        "DELETE FROM {t} WHERE id = 2",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.enableDeletionVectors = false)",
        "ALTER TABLE {t} DROP CONSTRAINT small",
        "INSERT INTO {t} VALUES (4, 400)",
    )


# ---- Files as older and other writers of Parquet make them -------------------------------------------


@table
def random_prefixes(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES"
        f" (delta.randomizeFilePrefixes = true, delta.randomPrefixLength = 4, {VECTORS})",
        "INSERT INTO {t} SELECT id, 'p ' || id % 2 FROM range(0, 400, 1, 1)",
        "DELETE FROM {t} WHERE id % 5 < 2",
    )


@table
def legacy_parquet_lists(w):
    """Lists of two levels, and decimals in as many bytes as they need."""
    with w.configured(spark__sql__parquet__writeLegacyFormat="true"):
        w.write(values.nested())
        w.write(values.nested())


@table
def timestamps_in_milliseconds(w):
    with w.configured(spark__sql__parquet__outputTimestampType="TIMESTAMP_MILLIS"):
        w.write(values.flat().select(["id", "ts"]))


def codec(name):
    def write(w):
        with w.configured(spark__sql__parquet__compression__codec=name):
            w.sql("CREATE TABLE {t} (id BIGINT, s STRING) USING delta")
            w.sql("INSERT INTO {t} SELECT id, 's ' || id % 100 FROM range(0, 5000, 1, 1)")

    return write


for _codec in ("none", "gzip", "lz4", "lz4_raw", "zstd"):
    spark_tables.TABLES[f"codec_{_codec}"] = codec(_codec)


@table
def before_gregory(w):
    """Dates that old versions of Spark wrote in the calendar of Caesar; its files say so."""
    w.sql("CREATE TABLE {t} (id INT, d DATE, ts TIMESTAMP) USING delta")
    conf = {"spark__sql__parquet__datetimeRebaseModeInWrite": "LEGACY",
            "spark__sql__parquet__int96RebaseModeInWrite": "LEGACY"}
    with w.configured(**conf):
        w.sql("INSERT INTO {t} VALUES (1, DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03Z'),"
              " (2, DATE '1582-10-15', TIMESTAMP '1582-10-15 00:00:00Z'),"
              " (3, DATE '1000-01-01', TIMESTAMP '1000-01-01 00:00:00Z')")
    w.sql("INSERT INTO {t} VALUES (4, DATE '1000-01-01', TIMESTAMP '1000-01-01 00:00:00Z')")


LOS_ANGELES = [
    (1, "1582-10-15", "1883-11-18 12:00:00"), (2, "1582-10-04", "1883-11-18 11:59:59"),
    (3, "1000-02-28", "1000-02-28 23:59:59.123456"), (4, "0001-01-01", "0001-01-01 00:00:00"),
    (5, "1850-06-01", "1850-06-01 07:52:58"), (6, None, None)]


@table
def before_gregory_in_los_angeles(w):
    """The same as microseconds, in the hours of a zone, inside of structs, lists and maps."""
    w.sql("CREATE TABLE {t} (id INT, d DATE, ts TIMESTAMP, st STRUCT<d: DATE, ts: TIMESTAMP>, ds ARRAY<DATE>,"
          " m MAP<DATE, TIMESTAMP>) USING delta")
    conf = {"spark__sql__parquet__datetimeRebaseModeInWrite": "LEGACY",
            "spark__sql__parquet__int96RebaseModeInWrite": "LEGACY",
            "spark__sql__session__timeZone": "America/Los_Angeles"}

    def insert(first_id):
        rows = []
        for number, day, moment in LOS_ANGELES:
            d = f"DATE '{day}'" if day else "CAST(NULL AS DATE)"
            ts = f"TIMESTAMP '{moment}'" if moment else "CAST(NULL AS TIMESTAMP)"
            m = f"map({d}, {ts})" if day else "NULL"
            rows.append(f"({first_id + number}, {d}, {ts}, named_struct('d', {d}, 'ts', {ts}), array({d}, NULL), {m})")
        w.sql("INSERT INTO {t} VALUES " + ", ".join(rows))
    for i, kind in enumerate(("TIMESTAMP_MICROS", "INT96", "TIMESTAMP_MILLIS")):
        with w.configured(spark__sql__parquet__outputTimestampType=kind, **conf):
            insert(10 * i)
    insert(30)


# ---- Logs as other writers spell them ----------------------------------------------------------------

ODD_PARTITIONS = ["plain", "a b", "100%", "%25", "c+d&e=f", "ü", "q?#", "it's"]


def spelled_anew(w, spell):
    """A table of Spark whose commits are written anew: spell(action) gives the actions in its place."""
    origin = f"{w.path}.origin"
    listed = ", ".join(f'({i}, "{p}")' for i, p in enumerate(ODD_PARTITIONS))
    w.sql(
        f"CREATE TABLE delta.`{origin}` (id BIGINT, p STRING) USING delta PARTITIONED BY (p)"
        f" TBLPROPERTIES ({VECTORS})",
        f"INSERT INTO delta.`{origin}` VALUES {listed}",
        f"INSERT INTO delta.`{origin}` SELECT id, 'many' FROM range(100, 200, 1, 1)",
        f"DELETE FROM delta.`{origin}` WHERE p = 'a b' OR id % 10 = 7",
        f"DELETE FROM delta.`{origin}` WHERE p = '%25'",
    )
    shutil.copytree(origin, w.path, copy_function=shutil.copy2)
    log = f"{w.path}/_delta_log"
    for name in sorted(os.listdir(log)):
        path = os.path.join(log, name)
        if not re.fullmatch(r"\d{20}\.json", name):
            os.remove(path) if os.path.isfile(path) else shutil.rmtree(path)
            continue
        times = os.stat(path)
        with open(path, encoding="utf-8") as file:
            actions = [json.loads(line) for line in file]
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(spell(w, actions))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def as_lines(actions, end="\n", **options):
    return "".join(json.dumps(action, **options) + end for action in actions)


def with_paths(actions, spell):
    for action in actions:
        for kind in ("add", "remove"):
            if kind in action:
                action[kind]["path"] = spell(action[kind]["path"])
    return actions


def absolute(prefix):
    """Paths with a scheme, escaped as a URI is."""
    def write(w):
        def spell(w, actions):
            base = prefix + urllib.parse.quote(w.path)
            return as_lines(with_paths(actions, lambda path: f"{base}/{path}"))

        spelled_anew(w, spell)

    return write


for _name, _prefix in (("no_scheme", ""), ("one_slash", "file:"), ("three_slashes", "file://")):
    spark_tables.TABLES[f"absolute_paths_{_name}"] = absolute(_prefix)


@table
def removes_spelled_otherwise(w):
    """One slash in the adds, three in the removes: the same file."""
    def spell(w, actions):
        for action in actions:
            for kind, slashes in (("add", "file:"), ("remove", "file://")):
                if kind in action:
                    action[kind]["path"] = f"{slashes}{w.path}/{action[kind]['path']}"
        return as_lines(actions)

    spelled_anew(w, spell)


@table
def escaped_otherwise(w):
    """What need not be escaped is, and what is has small digits."""
    def spell(w, actions):
        def other(path):
            path = re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), path)
            return path.replace("=", "%3d").replace("-", "%2D")

        return as_lines(with_paths(actions, other))

    spelled_anew(w, spell)


@table
def strange_json(w):
    """Carriage returns, spaces, escapes, unknown members and actions, and no newline at the end."""
    def spell(w, actions):
        for action in actions:
            for kind, members in action.items():
                members["unknownMember"] = {"deep": [1, None, {"x": "\u00fc"}]}
                if kind == "add":
                    members["tags"] = {"WRITER": "other", "EMPTY": None}
                if kind == "remove":
                    members.pop("extendedFileMetadata", None)
        actions.append({"unknownAction": {"path": "nowhere"}})
        return as_lines(actions, "\r\n", separators=(" , ", " : ")).rstrip()

    spelled_anew(w, spell)


@table
def commits_that_say_little(w):
    """As writers of little patience do it: no commitInfo, no statistics, no time of modification, nulls."""
    def spell(w, actions):
        kept = [a for a in actions if "commitInfo" not in a]
        for action in kept:
            if "add" in action and "deletionVector" not in action["add"]:
                action["add"].update(stats=None, tags=None, modificationTime=0)
            if "remove" in action:
                action["remove"] = {k: v for k, v in action["remove"].items()
                                    if k in ("path", "dataChange", "deletionVector")}
            if "metaData" in action:
                action["metaData"].update(name=None, description=None, createdTime=None)
        return as_lines(kept)

    spelled_anew(w, spell)


@table
def commit_info_of_others(w):
    """commitInfo as Flink, Trino and old versions of Spark write it: at the end, with values of any type."""
    def spell(w, actions):
        infos = [a for a in actions if "commitInfo" in a]
        for info in infos:
            info["commitInfo"].update(
                engineInfo="flink-engine/1.16.1 flink-delta-connector/3.0.0", userId="trino", clusterId="x",
                operation="STREAMING UPDATE", isolationLevel=None, notebook={"notebookId": "1"},
                operationParameters={"mode": '"Append"', "epochId": "17", "partitionBy": "[\"p\"]"})
            info["commitInfo"].pop("operationMetrics", None)
            info["commitInfo"].pop("txnId", None)
        return as_lines([a for a in actions if "commitInfo" not in a] + infos)

    spelled_anew(w, spell)
