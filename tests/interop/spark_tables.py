"""Tables that Spark with Delta writes for us to read, with the rows that Spark reads from them.

Each function below TABLES writes one table at `path` and returns the versions worth checking (None:
all of them). write_case() stores `delta/`, the table, and `expected/<version>.parquet`; see kept.py.
"""
import datetime
import json
import os
import re

import pyarrow as pa
import pyarrow.parquet as pq

import kept
import values
from dwpeers import spark as engine

TABLES = {}


def table(function):
    TABLES[function.__name__] = function
    return function


class Writer:
    """What the functions need: statements with `{t}` for the table, and appends of Arrow rows."""

    def __init__(self, spark, path):
        self.spark = spark
        self.path = path
        self.name = f"delta.`{path}`"
        self.sources = 0

    def sql(self, *statements):
        for statement in statements:
            self.spark.sql(statement.replace("{t}", self.name)).collect()

    def frame(self, rows):
        """Spark's own conversion from Arrow loses the difference of the two timestamp types."""
        self.sources += 1
        source = f"{self.path}.source{self.sources}.parquet"
        pq.write_table(rows, source)
        return self.spark.read.parquet(source).coalesce(1)

    def write(self, rows, *partition_by, mode="append", **options):
        writer = self.frame(rows).write.format("delta").mode(mode).options(**options)
        if partition_by:
            writer = writer.partitionBy(*partition_by)
        writer.save(self.path)

    def configured(self, **settings):
        return Settings(self.spark, settings)


class Settings:
    """Settings of the session for the length of a `with` block; `__` stands for a dot."""

    def __init__(self, spark, settings):
        self.spark = spark
        self.settings = {k.replace("__", "."): str(v) for k, v in settings.items()}

    def __enter__(self):
        for key, value in self.settings.items():
            self.spark.conf.set(key, value)

    def __exit__(self, *_):
        for key in self.settings:
            self.spark.conf.unset(key)


@table
def flat_types(w):
    w.write(values.flat())


@table
def nested_types(w):
    w.write(values.nested())
    w.write(values.nested())


@table
def decimals(w):
    w.write(values.decimals())


def partitioned_by(type_name):
    def write(w):
        w.write(values.partitioned(type_name), "p")

    return write


for _type in values.PARTITION_VALUES:
    TABLES[f"partitioned_by_{_type}"] = partitioned_by(_type)


@table
def partitioned_by_two_and_local_time(w):
    """Partition values of timestamps without a zone in them, as older writers spell them."""
    conf = {"spark__databricks__delta__write__utcTimestampPartitionValues": "false"}
    with w.configured(**conf):
        w.write(values.partitioned("timestamp"), "p", "v")


@table
def int96_timestamps(w):
    with w.configured(spark__sql__parquet__outputTimestampType="INT96"):
        w.write(values.flat().select(["id", "ts", "ntz", "d"]).slice(2))


@table
def deletion_vectors(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, g INT, s STRING) USING delta PARTITIONED BY (g)"
        " TBLPROPERTIES (delta.enableDeletionVectors = true, delta.checkpointInterval = 4)",
        "INSERT INTO {t} SELECT id, id % 3, 'r' || id FROM range(0, 3000, 1, 2)",
        "DELETE FROM {t} WHERE id % 7 = 0",
        "DELETE FROM {t} WHERE id % 11 = 0 AND g = 1",
        "UPDATE {t} SET s = 'updated' WHERE id % 13 = 0",
        "DELETE FROM {t} WHERE g = 2",
        "INSERT INTO {t} VALUES (-1, 2, 'back')",
        "DELETE FROM {t} WHERE id < 1000 AND id >= 0",
    )


@table
def deletion_vectors_over_row_groups(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, s STRING) USING delta"
        " TBLPROPERTIES (delta.enableDeletionVectors = true)"
    )
    with w.configured(parquet__block__size=65536):
        w.sql("INSERT INTO {t} SELECT id, sha2(CAST(id AS STRING), 256) FROM range(0, 40000, 1, 1)")
    w.sql("DELETE FROM {t} WHERE id % 2 = 1 OR id BETWEEN 10000 AND 20000")
    w.sql("DELETE FROM {t} WHERE id > 39990")


@table
def mapped_by_name(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, `odd name, (with) = chars` STRING,"
        " st STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>, m MAP<STRING, STRUCT<v: INT>>, p STRING)"
        " USING delta PARTITIONED BY (p) TBLPROPERTIES (delta.columnMapping.mode = 'name')",
        "INSERT INTO {t} VALUES"
        " (1, 'x', struct(10, array(struct('c1'))), map('k', struct(5)), 'p 1'), "
        " (2, null, null, null, null)",
        "ALTER TABLE {t} RENAME COLUMN `odd name, (with) = chars` TO plain",
        "ALTER TABLE {t} RENAME COLUMN st.a TO renamed",
        "ALTER TABLE {t} RENAME COLUMN p TO part",
        "ALTER TABLE {t} ADD COLUMNS (extra DOUBLE, st.added DATE)",
        "INSERT INTO {t} SELECT 3, 'y', named_struct('renamed', 30, 'b', array(struct('c2')),"
        " 'added', DATE '2024-01-01'), map('k2', struct(6)), 'p 2', 1.5",
        "ALTER TABLE {t} DROP COLUMN plain",
        "ALTER TABLE {t} ADD COLUMN plain INT",
        "INSERT INTO {t} SELECT 4, named_struct('renamed', 40, 'b', null, 'added', null),"
        " null, 'p 1', 2.5, 99",
    )


@table
def mapped_by_id(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, st STRUCT<a: INT, b: STRING>, l ARRAY<STRUCT<x: INT>>)"
        " USING delta TBLPROPERTIES (delta.columnMapping.mode = 'id')",
        "INSERT INTO {t} VALUES (1, struct(1, 'one'), array(struct(1), null)), (2, null, null)",
        "ALTER TABLE {t} RENAME COLUMN st TO renamed",
        "ALTER TABLE {t} DROP COLUMN l",
        "INSERT INTO {t} VALUES (3, struct(3, 'three'))",
    )


@table
def mapped_with_deletion_vectors(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, s STRING) USING delta TBLPROPERTIES"
        " (delta.columnMapping.mode = 'name', delta.enableDeletionVectors = true)",
        "INSERT INTO {t} SELECT id, 's' || id FROM range(0, 500, 1, 1)",
        "ALTER TABLE {t} RENAME COLUMN id TO key",
        "DELETE FROM {t} WHERE key % 3 = 0",
        "INSERT INTO {t} SELECT id, 't' || id FROM range(1000, 1100, 1, 1)",
        "DELETE FROM {t} WHERE key % 5 = 0",
    )


@table
def mapped_by_upgrade(w):
    """A mapping that was switched on later: physical names are the old names."""
    w.sql(
        "CREATE TABLE {t} (id BIGINT, st STRUCT<a: INT, l: ARRAY<INT>>, p DATE) USING delta"
        " PARTITIONED BY (p)",
        "INSERT INTO {t} VALUES (1, struct(1, array(1)), DATE '2024-01-01'), (2, null, null)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.columnMapping.mode = 'name')",
        "ALTER TABLE {t} RENAME COLUMN st TO s",
        "ALTER TABLE {t} RENAME COLUMN p TO part",
        "ALTER TABLE {t} ADD COLUMN (st STRING)",
        "INSERT INTO {t} VALUES (3, struct(3, null), DATE '2024-01-03', 'new')",
    )


@table
def mapped_and_clustered(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, a INT, b INT, st STRUCT<k: STRING>) USING delta"
        " CLUSTER BY (st.k) TBLPROPERTIES (delta.columnMapping.mode = 'name')",
        "INSERT INTO {t} SELECT id, id, id, struct('k' || id) FROM range(0, 100, 1, 2)",
        "OPTIMIZE {t}",
    )


@table
def mapped_and_widened(w):
    w.sql(
        "CREATE TABLE {t} (id INT, p SMALLINT, d DATE, l ARRAY<SMALLINT>, m MAP<INT, FLOAT>)"
        " USING delta PARTITIONED BY (p) TBLPROPERTIES"
        " (delta.columnMapping.mode = 'name', delta.enableTypeWidening = true,"
        " delta.feature.timestampNtz = 'supported')",
        "INSERT INTO {t} VALUES (1, 10, DATE '2024-01-01', array(1, null), map(1, 1.5)),"
        " (2, null, null, null, null)",
        "ALTER TABLE {t} ALTER COLUMN id TYPE DOUBLE",
        "ALTER TABLE {t} ALTER COLUMN p TYPE INT",
        "ALTER TABLE {t} ALTER COLUMN d TYPE TIMESTAMP_NTZ",
        "ALTER TABLE {t} ALTER COLUMN l.element TYPE BIGINT",
        "ALTER TABLE {t} ALTER COLUMN m.key TYPE BIGINT",
        "ALTER TABLE {t} ALTER COLUMN m.value TYPE DOUBLE",
        "ALTER TABLE {t} RENAME COLUMN d TO at",
        "INSERT INTO {t} VALUES (3.25, 100000, TIMESTAMP_NTZ '2024-01-01 01:02:03', array(5000000000),"
        " map(5000000000, 1e300))",
    )


@table
def partition_columns_in_files(w):
    w.sql(
        "CREATE TABLE {t} (p STRING, id BIGINT, q DATE) USING delta PARTITIONED BY (p, q)"
        " TBLPROPERTIES (delta.feature.materializePartitionColumns = 'supported')",
        "INSERT INTO {t} VALUES ('a b', 1, DATE '2024-01-01'), (null, 2, null)",
    )


@table
def iceberg_v1(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, st STRUCT<a: INT>, ts TIMESTAMP, p INT) USING delta"
        " PARTITIONED BY (p) TBLPROPERTIES (delta.enableIcebergCompatV1 = true)",
        "INSERT INTO {t} VALUES (1, struct(1), TIMESTAMP '2024-01-01 00:00:00.5', 1), (2, null, null, null)",
    )


@table
def iceberg_v2(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, l ARRAY<ARRAY<INT>>, m MAP<STRING, STRUCT<x: ARRAY<DATE>>>, p INT)"
        " USING delta PARTITIONED BY (p) TBLPROPERTIES (delta.enableIcebergCompatV2 = true)",
        "INSERT INTO {t} VALUES (1, array(array(1), null), map('k', struct(array(DATE '2024-01-01'))), 1),"
        " (2, null, null, null)",
    )


def append_batches(w, count, start=0):
    for batch in range(start, start + count):
        w.write(values.skipping(batch))


@table
def many_commits(w):
    append_batches(w, 25)
    return [0, 9, 10, 11, 24]


@table
def checkpoint_with_struct_stats_only(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, p INT, d DATE, s STRING) USING delta PARTITIONED BY (p)"
        " TBLPROPERTIES (delta.checkpoint.writeStatsAsJson = false,"
        " delta.checkpoint.writeStatsAsStruct = true, delta.checkpointInterval = 2)"
    )
    for i in range(5):
        w.sql(
            f"INSERT INTO {{t}} SELECT id, id % 2, date_add(DATE '2024-01-01', CAST(id AS INT)),"
            f" 's' || id FROM range({i * 10}, {i * 10 + 10}, 1, 1)"
        )
    delete_commits(w, before=4)
    return [4, 5]


def delete_commits(w, before):
    """Removes the JSON commits that a checkpoint has made unnecessary, as log cleanup does."""
    for name in os.listdir(f"{w.path}/_delta_log"):
        if re.fullmatch(r"\.?\d{20}\.(json|crc)(\.crc)?", name) and int(name.lstrip(".")[:20]) < before:
            os.remove(f"{w.path}/_delta_log/{name}")


@table
def multi_part_checkpoint(w):
    with w.configured(spark__databricks__delta__checkpoint__partSize=3):
        append_batches(w, 12)
    delete_commits(w, before=10)
    return [10, 11]


def v2_checkpoints(w, top_level_format):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, p STRING) USING delta PARTITIONED BY (p)"
        " TBLPROPERTIES (delta.checkpointPolicy = 'v2', delta.checkpointInterval = 3)"
    )
    conf = {
        "spark__databricks__delta__checkpointV2__topLevelFileFormat": top_level_format,
        "spark__databricks__delta__checkpoint__partSize": 2,
    }
    with w.configured(**conf):
        for i in range(7):
            w.sql(f"INSERT INTO {{t}} VALUES ({i}, 'a {i}'), ({i} + 100, null)")
        w.sql("DELETE FROM {t} WHERE p = 'a 2'")
    delete_commits(w, before=6)
    return [6, 7, 8]


@table
def v2_checkpoint_json(w):
    return v2_checkpoints(w, "json")


@table
def v2_checkpoint_parquet(w):
    return v2_checkpoints(w, "parquet")


@table
def log_compaction(w):
    """The commits 2 to 5 also stand in one compacted file, whose commits are then removed."""
    w.sql("CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES (delta.checkpointInterval = 100)")
    for i in range(4):
        w.sql(f"INSERT INTO {{t}} SELECT id FROM range({i * 10}, {i * 10 + 10}, 1, 1)")
    w.sql("DELETE FROM {t} WHERE id BETWEEN 10 AND 14", "INSERT INTO {t} VALUES (1000)")
    log = f"{w.path}/_delta_log"
    files = {}
    for version in range(2, 6):
        with open(f"{log}/{version:020d}.json", encoding="utf-8") as f:
            for line in f:
                action = json.loads(line)
                for kind in ("add", "remove"):
                    if kind in action:
                        files[action[kind]["path"]] = action
    with open(f"{log}/{2:020d}.{5:020d}.compacted.json", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(a) + "\n" for a in files.values())


@table
def few_statistics(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, a INT, b STRING, c DOUBLE) USING delta"
        " TBLPROPERTIES (delta.dataSkippingNumIndexedCols = 0)",
        "INSERT INTO {t} SELECT id, id, 'x' || id, id / 3 FROM range(0, 20, 1, 2)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.dataSkippingNumIndexedCols = 2)",
        "INSERT INTO {t} SELECT id, id, 'x' || id, id / 3 FROM range(20, 40, 1, 2)",
        "ALTER TABLE {t} SET TBLPROPERTIES (delta.dataSkippingStatsColumns = 'c')",
        "INSERT INTO {t} SELECT id, null, 'x' || id, id / 3 FROM range(40, 60, 1, 2)",
    )


@table
def evolved_schema(w):
    first = pa.table({"id": pa.array([1, 2], pa.int64()), "st": [{"a": 1}, None]})
    second = pa.table({"id": pa.array([3], pa.int64()), "st": [{"a": 3, "b": "new"}], "x": [1.5]})
    third = pa.table({"x": [9.5], "id": pa.array([4], pa.int64()), "d": [datetime.date(2024, 5, 1)]})
    for rows in (first, second, third):
        w.write(rows, mergeSchema="true")
    w.sql("ALTER TABLE {t} ADD COLUMN (first INT FIRST)", "INSERT INTO {t} (id, first) VALUES (5, 7)")


@table
def overwritten(w):
    w.write(pa.table({"id": pa.array(range(5), pa.int64()), "p": ["a", "b", None, "a", "b"]}), "p")
    w.write(pa.table({"id": pa.array([10], pa.int64()), "p": ["a"]}), mode="overwrite")
    w.write(
        pa.table({"other": ["x", "y"], "n": [1, None]}),
        "n",
        mode="overwrite",
        overwriteSchema="true",
    )
    from delta.tables import DeltaTable

    builder = DeltaTable.replace(w.spark).location(w.path)
    builder.addColumn("id", "STRING").addColumn("q", "DATE").execute()
    w.sql("INSERT INTO {t} VALUES ('last', DATE '2024-01-01')")


@table
def changed_rows(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, v STRING) USING delta"
        " TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        "INSERT INTO {t} SELECT id, 'v' || id FROM range(0, 100, 1, 4)",
        "UPDATE {t} SET v = 'u' WHERE id % 10 = 0",
        "DELETE FROM {t} WHERE id > 90",
        "MERGE INTO {t} t USING (SELECT id, 'm' AS v FROM range(50, 150)) s ON t.id = s.id"
        " WHEN MATCHED AND t.id % 2 = 0 THEN UPDATE SET * WHEN MATCHED THEN DELETE"
        " WHEN NOT MATCHED THEN INSERT *",
        "OPTIMIZE {t}",
        "RESTORE TABLE {t} TO VERSION AS OF 2",
        "OPTIMIZE {t} ZORDER BY (id)",
    )


@table
def type_widened(w):
    w.sql(
        "CREATE TABLE {t} (a TINYINT, b INT, f FLOAT, d DECIMAL(5, 2), st STRUCT<x: SMALLINT>)"
        " USING delta TBLPROPERTIES (delta.enableTypeWidening = true)",
        "INSERT INTO {t} VALUES (1, 2, 1.5, 3.25, struct(7)), (null, -2, float('NaN'), null, null)",
        "ALTER TABLE {t} ALTER COLUMN a TYPE INT",
        "ALTER TABLE {t} ALTER COLUMN b TYPE BIGINT",
        "ALTER TABLE {t} ALTER COLUMN f TYPE DOUBLE",
        "ALTER TABLE {t} ALTER COLUMN d TYPE DECIMAL(12, 4)",
        "ALTER TABLE {t} ALTER COLUMN st.x TYPE INT",
        "INSERT INTO {t} VALUES (100000, 5000000000, 1e300, 12345678.1234, struct(100000))",
    )


@table
def generated_and_checked(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT NOT NULL, ts TIMESTAMP,"
        " day DATE GENERATED ALWAYS AS (CAST(ts AS DATE)), n BIGINT GENERATED ALWAYS AS IDENTITY)"
        " USING delta PARTITIONED BY (day)",
        "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id > 0)",
        "INSERT INTO {t} (id, ts) VALUES (1, TIMESTAMP '2024-01-01 10:00:00'), (2, null)",
    )


@table
def in_commit_timestamps(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT) USING delta"
        " TBLPROPERTIES (delta.enableInCommitTimestamps = true)",
        "INSERT INTO {t} VALUES (1)",
        "INSERT INTO {t} VALUES (2)",
    )


@table
def tracked_and_clustered(w):
    w.sql(
        "CREATE TABLE {t} (id BIGINT, k INT) USING delta CLUSTER BY (k)"
        " TBLPROPERTIES (delta.enableRowTracking = true)",
        "INSERT INTO {t} SELECT id, id % 10 FROM range(0, 100, 1, 2)",
        "UPDATE {t} SET k = -1 WHERE id = 5",
        "OPTIMIZE {t}",
    )


@table
def char_varchar_and_void(w):
    w.sql(
        "CREATE TABLE {t} (id INT, c CHAR(5), v VARCHAR(10), nothing VOID) USING delta",
        # Of the full length: a shorter CHAR is padded by Spark when it reads, and by nobody else.
        "INSERT INTO {t} (id, c, v) VALUES (1, 'abcde', 'cd'), (2, null, null)",
    )


@table
def variant(w):
    """Engines have no common type for the rows: reading.py asks for them as JSON."""
    w.sql(
        "CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta",
        "INSERT INTO {t} SELECT 1, parse_json('{\"a\": 1}')",
    )
    return []


@table
def compressed_in_every_codec(w):
    """Spark comes without the libraries of Brotli and LZO. No checkpoint has pages of version 2: of the paths
    in such a one Spark itself reads some with four bytes before them that are not theirs."""
    w.sql("CREATE TABLE {t} (id BIGINT, s STRING, d DOUBLE, l ARRAY<INT>) USING delta"
          " TBLPROPERTIES (delta.checkpointInterval = 3)")
    for pages in ("v1", "v2"):
        if pages == "v2":
            w.sql("ALTER TABLE {t} SET TBLPROPERTIES (delta.checkpointInterval = 1000)")
        for codec in ("lz4", "lz4_raw", "gzip", "zstd", "snappy", "uncompressed"):
            with w.configured(spark__sql__parquet__compression__codec=codec, parquet__writer__version=pages):
                w.sql("INSERT INTO {t} SELECT id, concat('text ', id % 100), id / 3, array(id, NULL)"
                      " FROM range(0, 5000, 1, 1)", "INSERT INTO {t} VALUES (-1, NULL, NULL, NULL)")


@table
def shallow_clone(w):
    origin = f"{w.path}.origin"
    w.spark.sql(f"CREATE TABLE delta.`{origin}` (id BIGINT, p STRING) USING delta PARTITIONED BY (p)")
    w.spark.sql(f"INSERT INTO delta.`{origin}` VALUES (1, 'a b'), (2, 'c%d'), (3, null)")
    w.sql(f"CREATE TABLE {{t}} SHALLOW CLONE delta.`{origin}`", "INSERT INTO {t} VALUES (4, 'own')")


@table
def long_history(w):
    w.sql("CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES (delta.checkpointInterval = 5)")
    for i in range(12):
        w.sql(f"INSERT INTO {{t}} VALUES ({i})")
        if i % 4 == 3:
            w.sql(f"DELETE FROM {{t}} WHERE id = {i - 2}")
    return [0, 4, 5, 6, 14, 15]


def newest_version(path):
    names = os.listdir(f"{path}/_delta_log")
    return max(int(n[:20]) for n in names if re.fullmatch(r"\d{20}\.json", n))


def spark_timestamps(path):
    """When each version was committed, as Spark tells it in the table's history."""
    found = engine.session().sql(f"DESCRIBE HISTORY delta.`{path}`").toArrow()
    moments = found["timestamp"].cast(pa.int64()).to_pylist()
    return dict(zip(map(str, found["version"].to_pylist()), moments))


DETAILS = ("minReaderVersion", "minWriterVersion", "tableFeatures", "properties", "numFiles",
           "sizeInBytes", "partitionColumns", "clusteringColumns", "id")


def spark_detail(path):
    """What Spark says of the newest version, and what each commit did."""
    row = engine.session().sql(f"DESCRIBE DETAIL delta.`{path}`").toArrow().to_pylist()[0]
    history = engine.session().sql(f"DESCRIBE HISTORY delta.`{path}`").toArrow().to_pylist()
    found = {key: row[key] for key in DETAILS}
    found["properties"] = dict(found["properties"])
    found["operations"] = {str(entry["version"]): entry["operation"] for entry in history}
    return found


def write_case(case, name):
    """Writes one table and what Spark tells of it: the rows of each version, times, details."""
    path = os.path.join(case, "delta")
    versions = TABLES[name](Writer(engine.session(), path))
    if versions is None:
        versions = range(newest_version(path) + 1)
    for version in versions:
        pq.write_table(engine.read(path, version), f"{case}/expected/{version}.parquet")
    with open(f"{case}/timestamps.json", "w", encoding="utf-8") as f:
        json.dump(spark_timestamps(path), f)
    with open(f"{case}/detail.json", "w", encoding="utf-8") as f:
        json.dump(spark_detail(path), f)


def definitions(path, versions):
    """version -> the protocol and the metadata that Spark finds there."""
    java = engine.session()._jvm.org.apache.spark.sql.delta
    log = java.DeltaLog.forTable(engine.session()._jsparkSession, path)
    defaults = [getattr(log, f"getSnapshotAt$default${n}")() for n in (2, 3, 4)]
    found = {}
    for version in versions:
        snapshot = log.getSnapshotAt(version, *defaults)
        found[version] = {**json.loads(snapshot.protocol().json()), **json.loads(snapshot.metadata().json())}
    return found


def define(wanted):
    """Asks for the definitions of kept tables that have none yet."""
    for name in filter(wanted, STORE.complete()):
        case = STORE.case(name)
        if not os.path.exists(f"{case}/definitions.json"):
            versions = [int(name.split(".")[0]) for name in os.listdir(f"{case}/expected")]
            found = definitions(os.path.join(case, "delta"), sorted(versions))
            with open(f"{case}/definitions.json", "w", encoding="utf-8") as file:
                json.dump(found, file)


STORE = kept.Store(os.path.join(engine.PEERS, "kept", "spark"), TABLES, write_case)
