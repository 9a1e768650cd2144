"""Commands that look after tables: Spark reads on after ours and goes on, we after Spark's.

- Lives: tables of one feature or many, on which we and Spark work by turns. No command may change a row, an id of
  a row or what was recorded as a change, but RESTORE, which brings back those of its version.
- Twins: copies of one table get the same command, one from us and one from Spark; Spark's DESCRIBE HISTORY must
  say the same of both.
- Spark's tables: each of those with many features is optimized, restored, purged, cloned and vacuumed by us.
"""
import glob
import json
import os
import re
import shutil
import urllib.parse

import pyarrow.parquet as pq

import checks
import mixed
import ours
import shared_life
import spark_tables
import theirs
from dwpeers import product, rows, spark

COLUMNS = "id BIGINT, n INT, s STRING, st STRUCT<a: INT, b: STRING>, p STRING"
VECTORS = {"delta.enableDeletionVectors": "true"}
# name -> (columns besides, layout, properties)
BASES = {
    "plain": ("", "PARTITIONED BY (p)", {}),
    "vectors": ("", "PARTITIONED BY (p)", VECTORS),
    "clustered": (", gone INT", "CLUSTER BY (id, st.a)", {
        **VECTORS, "delta.enableRowTracking": "true", "delta.columnMapping.mode": "name"}),
    "everything": (", gone INT, v VARIANT", "PARTITIONED BY (p)", {
        **VECTORS, "delta.enableChangeDataFeed": "true", "delta.columnMapping.mode": "name",
        "delta.enableInCommitTimestamps": "true", "delta.enableRowTracking": "true",
        "delta.enableTypeWidening": "true", "delta.checkpointPolicy": "v2", "delta.checkpointInterval": "7"}),
}
NO_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"


# ---- What both sides do ------------------------------------------------------------------------------


def execute(who, statement):
    if who == "us":
        return product.sql(f"SET {NO_CHECK} = false; {statement}")
    return spark.session().sql(statement).collect()


def has_variants(base):
    return "VARIANT" in BASES[base][0]


def new_rows(base, first, count, who):
    """INSERT of rows, in the dialect of who writes them."""
    by_spark, range_of = who == "spark", f"range({first}, {first + count})"
    struct = "named_struct('a', CAST(id AS INT), 'b', 'b')" if by_spark else "{'a': id::INT, 'b': 'b'}"
    variant = ", parse_json(concat('{\"k\": [', id, ', null]}'))" if has_variants(base) else ""
    into = "(id, n, s, st, p, v)" if variant else "(id, n, s, st, p)"
    return (f"INSERT INTO {{t}} {into} SELECT id, CAST(id % 40 AS INT), concat('s ', id), {struct},"
            f" concat('p ', id % 3){variant} FROM {range_of}" + ("" if by_spark else " r(id)"))


def read_as(base, who, path, version=None):
    """The rows; variants as JSON, as engines have no common type for them."""
    columns = "*" if not has_variants(base) else "* EXCEPT (v), to_json(v) AS v" if who == "spark" else \
        "* EXCLUDE (v), v"
    at = "" if version is None else f" VERSION AS OF {version}"
    query = f"SELECT {columns} FROM {product.table_sql(path)}{at}"
    return spark.session().sql(query).toArrow() if who == "spark" else product.query(query)


def create(base, path, who):
    columns, layout, properties = BASES[base]
    texts = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
    tail = f" TBLPROPERTIES ({texts})" if texts else ""
    execute(who, f"CREATE TABLE {product.table_sql(path)} ({COLUMNS}{columns}) USING delta {layout}{tail}")


def begin(base, path, first):
    """A table with a past on which both worked; `first` created it. Returns its version."""
    other = "spark" if first == "us" else "us"
    create(base, path, first)
    properties = BASES[base][2]
    steps = [(first, new_rows(base, 0, 200, first)), (other, new_rows(base, 200, 100, other))]
    if "delta.enableTypeWidening" in properties:
        steps += [("spark", "ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT"),
                  (other, "INSERT INTO {t} (id, n, p) VALUES (1000, 5000000000, 'p 0')")]
    if "gone" in BASES[base][0]:
        steps.append(("spark", "ALTER TABLE {t} DROP COLUMN gone"))
    steps += [(first, "DELETE FROM {t} WHERE id % 10 = 3"),
              (other, "UPDATE {t} SET s = 'changed' WHERE id % 20 = 1"),
              (first, new_rows(base, 300, 30, first)), (other, new_rows(base, 330, 30, other))]
    for who, statement in steps:
        execute(who, statement.replace("{t}", product.table_sql(path)))
    return mixed.newest_version(path)


# ---- Lives -------------------------------------------------------------------------------------------

KEEP_ROWS = ("OPTIMIZE", "REORG", "VACUUM", "FSCK", "GENERATE")


def life(base):
    """(who, statement); {v-n} is the version so many before the newest."""
    clustered = base == "clustered"
    ours_ordered = "OPTIMIZE {t} FULL" if clustered else "OPTIMIZE {t} ZORDER BY (n, s)"
    theirs_ordered = "OPTIMIZE {t}" if clustered else "OPTIMIZE {t} ZORDER BY (id, n)"
    return [
        ("us", "OPTIMIZE {t}"),
        ("spark", "DELETE FROM {t} WHERE id % 10 = 5"),
        ("us", "REORG TABLE {t} APPLY (PURGE)"),
        ("spark", "UPDATE {t} SET s = 'again' WHERE id % 50 = 1"),
        ("us", new_rows(base, 400, 30, "us")),
        ("spark", theirs_ordered),
        ("us", "DELETE FROM {t} WHERE id % 10 = 6"),
        ("us", "RESTORE TABLE {t} TO VERSION AS OF {v-4}"),
        ("spark", "MERGE INTO {t} t USING (SELECT id FROM range(190, 260)) s ON t.id = s.id"
                  " WHEN MATCHED AND t.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET s = 'merged'"),
        ("spark", "RESTORE TABLE {t} TO VERSION AS OF {v-2}"),
        ("us", "UPDATE {t} SET s = 'ours', p = 'p 9' WHERE id % 60 = 2"),
        ("us", ours_ordered),
        ("spark", new_rows(base, 500, 30, "spark")),
        ("us", "DELETE FROM {t} WHERE id % 10 = 7"),
        ("spark", "REORG TABLE {t} APPLY (PURGE)"),
        ("us", "VACUUM {t} RETAIN 0 HOURS"),
        ("spark", "DELETE FROM {t} WHERE id % 10 = 8"),
        ("spark", "OPTIMIZE {t}"),
        ("spark", "VACUUM {t} LITE RETAIN 0 HOURS"),
        ("us", "UPDATE {t} SET s = 'last' WHERE id % 10 = 9"),
        ("us", "OPTIMIZE {t}"),
        ("us", "VACUUM {t} LITE RETAIN 0 HOURS"),
        ("spark", "UPDATE {t} SET s = 'very last' WHERE id % 20 = 9"),
        ("spark", "VACUUM {t} RETAIN 0 HOURS"),
        ("us", "FSCK REPAIR TABLE {t}"),
        ("us", new_rows(base, 600, 10, "us")),
    ]


def lives(path, base, first):
    begun = begin(base, path, first)
    name, fed = product.table_sql(path), "delta.enableChangeDataFeed" in BASES[base][2]
    before = read_as(base, "us", path)
    tracked = "delta.enableRowTracking" in BASES[base][2]
    ids = shared_life.row_ids(name) if tracked else None
    for who, statement in life(base):
        newest = mixed.newest_version(path)
        if "VACUUM" in statement and fed:
            problem, fed = changes_differ(base, path, begun), False
            if problem:
                return f"changes: {problem}"
        back = re.search(r"\{v-(\d+)\}", statement)
        if back:
            version = newest - int(back[1])
            before = read_as(base, "us", path, version)
            statement = statement.replace(back[0], str(version))
        try:
            execute(who, statement.replace("{t}", name))
        except Exception as e:
            return f"{who}: {statement[:60]}: {' '.join(str(e).split())[:400]}"
        after = read_as(base, "us", path)
        problem = rows.difference(read_as(base, "spark", path), after)
        if not problem and (back or statement.startswith(KEEP_ROWS)):
            problem = rows.difference(before, after)
        if not problem and tracked:
            found = shared_life.row_ids(name)
            problem = rows.difference(shared_life.row_ids(name, by_spark=True), found)
            problem = problem or (None if back else shared_life.lost_ids(ids, found))
            ids = found
        if problem:
            return f"after {who}: {statement[:60]}: {problem}"
        before = after
    return same_history(path) or checks.fsck(path, path)


def changes_differ(base, path, first):
    variant = {"spark": " EXCEPT (v), to_json(v) AS v", "us": " EXCLUDE (v), v"} if has_variants(base) else {}
    query = f"SELECT *{{}} FROM table_changes_by_path('{path}', {first + 1})"
    by_spark = spark.session().sql(query.format(variant.get("spark", ""))).toArrow()
    return rows.difference(by_spark, product.query(query.format(variant.get("us", ""))))


# ---- What the history says ---------------------------------------------------------------------------


def history(path, since=-1):
    """What Spark makes of the commits behind a version, oldest first."""
    found = spark.session().sql(f"DESCRIBE HISTORY {product.table_sql(path)}").toArrow().to_pylist()
    return [entry for entry in reversed(found) if entry["version"] > since]


def same_history(path):
    lines = product.run("history", path, "--format", "ndjson").strip().splitlines()
    told = [json.loads(line) for line in reversed(lines)]
    for entry, found in zip(history(path), told, strict=True):
        # JSON's null is text to us.
        wanted = {key: value or "null" for key, value in dict(entry["operationParameters"]).items()}
        wanted = entry["version"], entry["operation"], wanted
        told_of = found["version"], found["operation"], {k: v or "null" for k, v in found["operationParameters"].items()}
        if wanted != told_of:
            return f"Spark's history has {wanted}, ours {told_of}"
    return None


# Conditions are spelled otherwise; our retention is 90 days where nobody says.
OWN_PARAMETERS = ("predicate", "defaultRetentionMillis")
MORE_PARAMETERS = {"isShallow": "true"}  # which Delta elsewhere writes
# Figures that depend on the bytes that a writer makes, or on the clock.
OWN_FIGURES = re.compile(r"(Added|Output|Removed).*Bytes|FileSize|TimeMs|sizeOfDataToDelete")


def summary(path, since):
    return [{"operation": entry["operation"],
             "parameters": {key: "..." if key in OWN_PARAMETERS else value
                            for key, value in dict(entry["operationParameters"]).items()},
             "metrics": {key: "..." if OWN_FIGURES.search(key) else value
                         for key, value in dict(entry["operationMetrics"]).items()}}
            for entry in history(path, since)]


def compared(expected, found):
    """None where both commits say the same of themselves."""
    if [e["operation"] for e in expected] != [f["operation"] for f in found]:
        return f"expected the operations {expected}, as Spark's, found {found}"
    for ours_says, wanted in zip(found, expected):
        for key in ("parameters", "metrics"):
            said = {k: v for k, v in ours_says[key].items() if MORE_PARAMETERS.get(k) != v or k in wanted[key]}
            if said != wanted[key]:
                wrong = {k for k in {*said, *wanted[key]} if said.get(k) != wanted[key].get(k)}
                pairs = {k: (wanted[key].get(k), said.get(k)) for k in sorted(wrong)}
                return f"{wanted['operation']}: {key} differ (Spark's, ours): {pairs}"
    return None


# ---- Twins -------------------------------------------------------------------------------------------

# name -> (base, statements)
TWINS = {
    "optimize": ("plain", ["OPTIMIZE {t}"]),
    "optimize where": ("plain", ["OPTIMIZE {t} WHERE p = 'p 1'"]),
    "optimize with vectors": ("vectors", ["OPTIMIZE {t}"]),
    "optimize everything": ("everything", ["OPTIMIZE {t}"]),
    "zorder": ("plain", ["OPTIMIZE {t} ZORDER BY (id, n)"]),
    "clustering": ("clustered", ["OPTIMIZE {t}"]),
    "clustering in full": ("clustered", ["OPTIMIZE {t} FULL"]),
    "purge": ("everything", ["REORG TABLE {t} APPLY (PURGE)"]),
    "purge where": ("vectors", ["REORG TABLE {t} WHERE p = 'p 1' APPLY (PURGE)"]),
    "restore": ("everything", ["RESTORE TABLE {t} TO VERSION AS OF 5"]),
    "restore plain": ("plain", ["RESTORE TABLE {t} TO VERSION AS OF 1"]),
    "restore to a time": ("everything", ["RESTORE TABLE {t} TO TIMESTAMP AS OF '{time}'"]),
    "vacuum": ("everything", ["VACUUM {t} RETAIN 0 HOURS"]),
    "vacuum lite": ("vectors", ["VACUUM {t} LITE RETAIN 0 HOURS"]),
    "vacuum that keeps": ("vectors", ["VACUUM {t}"]),
}


class Begun:
    """Tables that several checks start from, made when the first of them asks."""

    def __init__(self, run):
        self.run = run
        self.paths = {}

    def path(self, base):
        if base not in self.paths:
            path = self.run.path(f"upkeep/begun/{base}")
            begin(base, path, "spark")
            self.paths[base] = path
        return self.paths[base]

    def copy(self, base, name):
        path = self.run.path(f"upkeep/{name}")
        theirs.copy(self.path(base), path)
        return path


def middle_time(path):
    return history(path)[4]["timestamp"].strftime("%Y-%m-%d %H:%M:%S.%f")[:23]


def twins(begun, name, base, statements):
    paths = {who: begun.copy(base, f"twins/{name}/{who}") for who in ("us", "spark")}
    since = mixed.newest_version(paths["us"])
    before = read_as(base, "us", paths["us"])
    settings = {"spark__databricks__delta__vacuum__logging__enabled": "true"}
    with spark_tables.Settings(spark.session(), settings):
        for who, path in paths.items():
            for statement in statements:
                time = middle_time(path) if "{time}" in statement else None
                execute(who, statement.replace("{t}", product.table_sql(path)).replace("{time}", str(time)))
    problem = compared(summary(paths["spark"], since), summary(paths["us"], since))
    if problem:
        return problem
    by_us = read_as(base, "us", paths["us"])
    problem = rows.difference(by_us, read_as(base, "spark", paths["us"]))
    if not problem:
        problem = rows.difference(read_as(base, "us", paths["spark"]), by_us)
    if not problem and "RESTORE" not in statements[0]:
        problem = rows.difference(before, by_us)
    return problem or goes_on(base, paths["us"])


def goes_on(base, path, is_ours=True):
    """Spark changes what we left, then we do, and both read the same."""
    name = product.table_sql(path)
    execute("spark", f"MERGE INTO {name} t USING (SELECT id FROM range(80, 99)) s ON t.id = s.id WHEN MATCHED AND"
                     " t.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET s = 'merged'")
    execute("us", f"DELETE FROM {name} WHERE id % 10 = 2")
    problem = rows.difference(read_as(base, "spark", path), read_as(base, "us", path))
    if problem or not is_ours:
        return problem and f"after Spark went on: {problem}"
    return checks.fsck(path, path)


def unmaps(begun):
    """Spark's own clustered tables are of no use any more once their mapping is gone; ours go on."""
    path = begun.copy("clustered", "mapping removed")
    name, before = product.table_sql(path), read_as("clustered", "us", path)
    execute("us", f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")
    execute("spark", f"OPTIMIZE {name} FULL")
    clustered_by = spark.session().sql(f"DESCRIBE DETAIL {name}").collect()[0]["clusteringColumns"]
    if clustered_by != ["id", "st.a"]:
        return f"Spark finds the table clustered by {clustered_by}"
    return rows.difference(before, read_as("clustered", "spark", path)) or goes_on("clustered", path)


def compacts_itself(run):
    """Fifty small files: the last INSERT is followed by an OPTIMIZE."""
    begun = run.path("upkeep/small files")
    name = product.table_sql(begun)
    product.sql(f"CREATE TABLE {name} (id BIGINT, p STRING) PARTITIONED BY (p)"
                " TBLPROPERTIES ('delta.autoOptimize.autoCompact' = 'true');"
                + ";".join(f"INSERT INTO {name} VALUES ({i}, 'a')" for i in range(49)))
    paths = {who: run.path(f"upkeep/twins/auto compaction/{who}") for who in ("us", "spark")}
    for who, path in paths.items():
        theirs.copy(begun, path)
        execute(who, f"INSERT INTO {product.table_sql(path)} VALUES (100, 'a')")
    since = mixed.newest_version(begun)
    problem = compared(summary(paths["spark"], since)[1:], summary(paths["us"], since)[1:])
    return problem or rows.difference(product.read(paths["spark"]), spark.read(paths["us"]))


# ---- Manifests, repair -------------------------------------------------------------------------------


def manifests(path):
    """Directory -> names of files, without the place of the table."""
    found = {}
    for file in glob.glob(f"{path}/_symlink_format_manifest/**/manifest", recursive=True):
        with open(file, encoding="utf-8") as lines:
            names = sorted(re.sub(r"^file:/+", "/", line.strip()).removeprefix(path) for line in lines)
        found[os.path.dirname(os.path.relpath(file, path))] = names
    return found


def lists_files(begun):
    paths = {who: begun.copy("plain", f"manifest/{who}") for who in ("us", "spark")}
    for who, path in paths.items():
        execute(who, f"GENERATE symlink_format_manifest FOR TABLE {product.table_sql(path)}")
    expected, found = manifests(paths["spark"]), manifests(paths["us"])
    if not expected or expected != found:
        return f"expected {str(expected)[:300]}, as Spark's, found {str(found)[:300]}"
    execute("spark", f"DELETE FROM {product.table_sql(paths['us'])} WHERE p = 'p 1'")
    execute("us", f"GENERATE symlink_format_manifest FOR TABLE {product.table_sql(paths['us'])}")
    left = manifests(paths["us"])
    execute("spark", f"GENERATE symlink_format_manifest FOR TABLE {product.table_sql(paths['us'])}")
    return None if left == manifests(paths["us"]) else f"Spark makes other lists of what is left than {left}"


def repairs(begun, base):
    path = begun.copy(base, f"repair/{base}")
    name = product.table_sql(path)
    files = spark.session().sql(f"SELECT input_file_name() AS f FROM {name} WHERE id = 205").collect()
    lost = urllib.parse.unquote(re.sub(r"^file:/+", "/", files[0][0]))
    left = product.query(f"SELECT * EXCLUDE (f) FROM (SELECT *, _metadata.file_name AS f FROM {name})"
                         f" WHERE f <> '{os.path.basename(lost)}'")
    os.remove(lost)
    execute("us", f"FSCK REPAIR TABLE {name}")
    problem = rows.difference(left, read_as(base, "spark", path))
    last = history(path)[-1]
    if not problem and (last["operation"], dict(last["operationMetrics"])["numRemovedFiles"]) != ("FSCK", "1"):
        problem = f"the history says {last['operation']}, {last['operationMetrics']}"
    return problem or goes_on(base, path)


def indexes(run):
    """A bloom-filter index of ours: Spark leaves its definition and its files alone, and lookups stay right."""
    path = run.path("upkeep/bloom-filter index")
    name = product.table_sql(path)
    product.sql(f"CREATE TABLE {name} (id BIGINT, k STRING);"
                + ";".join(f"INSERT INTO {name} SELECT r, 'k' || (r * 7919 % 1000) FROM range({n}00, {n + 1}00) t(r)"
                           for n in range(5))
                + f"; CREATE BLOOMFILTER INDEX ON TABLE {name} FOR COLUMNS (k)")
    index = os.path.join(path, "_deltaworks_index")
    files = sorted(os.listdir(index))
    for statement in (f"INSERT INTO {name} VALUES (1000, 'new'), (1001, 'k5')", f"DELETE FROM {name} WHERE id = 3",
                      f"VACUUM {name} RETAIN 0 HOURS"):
        execute("spark", statement)
    if not files or not set(files) <= set(os.listdir(index)):
        return f"expected {files} in {index}, found {os.listdir(index)}"
    schema = spark_tables.definitions(path, [mixed.newest_version(path)]).popitem()[1]["metaData"]["schemaString"]
    if "delta.bloomFilter" not in schema:
        return f"the definition of the index is gone: {schema}"
    for key in ("new", "k5", "k957", "none"):
        problem = rows.difference(spark.session().sql(f"SELECT * FROM {name} WHERE k = '{key}'").toArrow(),
                                  product.read(path, where=f"k = '{key}'"))
        if problem:
            return f"looking for {key}: {problem}"
    return same_history(path) or checks.fsck(path, path)


# ---- CLONE -------------------------------------------------------------------------------------------


def clone_sql(source, target, kind, replaces=False):
    verb = "CREATE OR REPLACE" if replaces else "CREATE"
    return f"{verb} TABLE {product.table_sql(target)} {kind} CLONE {product.table_sql(source)}"


def shallow_twins(begun, run, base):
    source = begun.copy(base, f"shallow/{base}/source")
    paths = {who: run.path(f"upkeep/shallow/{base}/{who}") for who in ("us", "spark")}
    for who, path in paths.items():
        execute(who, clone_sql(source, path, "SHALLOW"))
    problem = compared(summary(paths["spark"], -1), summary(paths["us"], -1))
    if problem:
        return problem
    before = read_as(base, "us", source)
    definitions = {who: spark_tables.definitions(path, [0])[0] for who, path in paths.items()}
    protocols = {who: found["protocol"] for who, found in definitions.items()}
    if sorted(protocols["us"].items(), key=str) != sorted(protocols["spark"].items(), key=str):
        protocols = {who: {k: sorted(v) if isinstance(v, list) else v for k, v in found.items()}
                     for who, found in protocols.items()}
        if protocols["us"] != protocols["spark"]:
            return f"expected the protocol {protocols['spark']}, as Spark's, found {protocols['us']}"
    for who, path in paths.items():  # _last_checkpoint of Spark's clones has a checksum of its own
        problem = rows.difference(before, read_as(base, "spark", path)) or \
            rows.difference(before, read_as(base, "us", path)) or goes_on(base, path, who == "us")
        if problem:
            return f"{os.path.basename(path)}'s: {problem}"
        execute("us", f"VACUUM {product.table_sql(path)} RETAIN 0 HOURS")
        problem = rows.difference(read_as(base, "spark", path), read_as(base, "us", path))
        if problem:
            return f"{os.path.basename(path)}'s after VACUUM: {problem}"
    return rows.difference(before, read_as(base, "spark", source))


def deep_again(begun, run, base):
    """A deep clone, which Spark changes; the source gets changes; cloned again; Spark clones the clone."""
    source, target = begun.copy(base, f"deep/{base}/source"), run.path(f"upkeep/deep/{base}/ours")
    execute("us", clone_sql(source, target, "DEEP"))
    problem = rows.difference(read_as(base, "us", source), read_as(base, "spark", target)) or goes_on(base, target)
    if problem:
        return problem
    name = product.table_sql(source)
    for statement in (new_rows(base, 800, 20, "spark"), "DELETE FROM {t} WHERE id % 10 = 4",
                      "UPDATE {t} SET s = 'cloned' WHERE id % 10 = 0"):
        execute("spark", statement.replace("{t}", name))
        execute("us", clone_sql(source, target, "DEEP", True))
        problem = rows.difference(read_as(base, "us", source), read_as(base, "spark", target))
        if problem:
            return f"cloned again after {statement[:40]}: {problem}"
    last = history(target)[-1]
    if last["operation"] != "CLONE" or "numCopiedFiles" not in dict(last["operationMetrics"]):
        return f"the history says {last['operation']}, {last['operationMetrics']}"
    path = run.path(f"upkeep/deep/{base}/clone of the clone")
    execute("spark", clone_sql(target, path, "SHALLOW"))
    problem = rows.difference(read_as(base, "us", path), read_as(base, "spark", path))
    return problem or same_history(target) or goes_on(base, target)


# ---- CONVERT -----------------------------------------------------------------------------------------

# name -> (SELECT of Spark, columns to partition by)
CONVERTED = {
    "flat": ("SELECT id, CAST(id AS INT) AS n, concat('s ', id) AS s, date_add(DATE '2024-01-01', CAST(id AS INT))"
             " AS d, CAST(id AS DECIMAL(12, 3)) AS c, timestamp_seconds(id * 1000000) AS ts FROM range(0, 100, 1, 3)",
             ()),
    "nested": ("SELECT id, named_struct('a', id, 'b', array(named_struct('c', 'x'), null)) AS st,"
               " map('k', id) AS m FROM range(0, 50, 1, 2)", ()),
    "partitioned": ("SELECT id, concat('a ', id % 3, '/=%') AS p, date_add(DATE '2024-01-01', CAST(id % 2 AS INT))"
                    " AS d FROM range(0, 60, 1, 2) UNION ALL SELECT 100, NULL, NULL", (("p", "STRING"), ("d", "DATE"))),
}


def schema_of(path):
    found = spark_tables.definitions(path, [0])[0]["metaData"]
    return found["schemaString"], found["partitionColumns"], found["configuration"]


def converts(run, name, select, partitions):
    parquet = run.path(f"upkeep/convert/{name}/parquet")
    writer = spark.session().sql(select).write
    (writer.partitionBy(*(column for column, _ in partitions)) if partitions else writer).parquet(parquet)
    by = f" PARTITIONED BY ({', '.join(' '.join(pair) for pair in partitions)})" if partitions else ""
    paths = {}
    for who in ("us", "spark"):
        paths[who] = run.path(f"upkeep/convert/{name}/{who}")
        shutil.copytree(parquet, paths[who])
        execute(who, f"CONVERT TO DELTA parquet.`{paths[who]}`{by}")
    problem = compared(summary(paths["spark"], -1), summary(paths["us"], -1))
    if problem:
        return problem
    expected, found = schema_of(paths["spark"]), schema_of(paths["us"])
    if expected != found:
        return f"expected {expected}, as Spark's, found {found}"
    for path in paths.values():
        sql = product.table_sql(path)
        for who, statement in (("spark", f"DELETE FROM {sql} WHERE id % 10 = 1"), ("us", f"DELETE FROM {sql} WHERE id = 2"),
                               ("spark", f"INSERT INTO {sql} SELECT * FROM {sql} WHERE id % 10 = 3"),
                               ("us", f"OPTIMIZE {sql}"), ("us", f"VACUUM {sql} RETAIN 0 HOURS")):
            problem = rows.difference(spark.read(path), product.read(path))
            if problem:
                return f"{os.path.basename(path)}'s before {statement[:30]}: {problem}"
            execute(who, statement)
    return rows.difference(spark.read(path), product.read(path))


# ---- ANALYZE, and CLONE of Parquet files -------------------------------------------------------------


def analyzes(begun, base):
    """What Spark says of its files is right, but beside deleted rows; Spark reads on, and skips files by what we say."""
    path = begun.copy(base, f"analyze/{base}")
    name, newest = product.table_sql(path), mixed.newest_version(path)
    execute("us", f"ANALYZE TABLE {name} COMPUTE STATISTICS")
    if base == "plain" and mixed.newest_version(path) != newest:
        return "statistics of Spark were made anew"
    execute("us", f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'id')")
    execute("spark", f"INSERT INTO {name} SELECT * FROM {name} WHERE id % 10 = 4")
    execute("us", f"ALTER TABLE {name} UNSET TBLPROPERTIES ('delta.dataSkippingStatsColumns')")
    before = read_as(base, "spark", path)
    execute("us", f"ANALYZE TABLE {name} COMPUTE STATISTICS")
    last = history(path)[-1]
    if last["operation"] != "COMPUTE STATS":
        return f"the history says {last['operation']}"
    newest = mixed.newest_version(path)
    execute("us", f"ANALYZE TABLE {name} COMPUTE STATISTICS")
    if mixed.newest_version(path) != newest:
        return "the second run found something to do"
    problem = rows.difference(before, read_as(base, "spark", path)) or rows.difference(before, read_as(base, "us", path))
    for condition in ("id = 4", "s IS NULL", "s > 'a'"):
        found = spark.session().sql(f"SELECT count(*) AS n FROM {name} WHERE {condition}").collect()[0]["n"]
        wanted = spark.session().sql(f"SELECT count(IF({condition}, 1, NULL)) AS n FROM {name}").collect()[0]["n"]
        if not problem and found != wanted:
            problem = f"Spark finds {found} rows of {wanted} where {condition}"
    return problem or same_history(path) or goes_on(base, path)


def clones_files(run, name, select, partitions):
    """Spark reads what we make of a directory that it wrote, and again when that has more files."""
    parquet = run.path(f"upkeep/clone of files/{name}/parquet")
    write = lambda: spark.session().sql(select).write.mode("append").partitionBy(*(c for c, _ in partitions)).parquet(parquet)
    by = f" PARTITIONED BY ({', '.join(' '.join(pair) for pair in partitions)})" if partitions else ""
    for _ in range(2):
        write()
        for kind in ("SHALLOW", "DEEP"):
            path = run.path(f"upkeep/clone of files/{name}/{kind}")
            execute("us", f"CREATE OR REPLACE TABLE {product.table_sql(path)} {kind} CLONE parquet.`{parquet}`{by}")
            problem = rows.difference(product.read(path), spark.read(path)) or checks.fsck(path, path)
            if not problem and spark.read(path).num_rows != spark.session().read.parquet(parquet).count():
                problem = "rows are missing"
            if problem:
                return f"{kind}: {problem}"
    return None


# ---- Tables of Spark ---------------------------------------------------------------------------------

OF_SPARK = ("combined_0[1-4]", "mapped_and_widened", "tracked_and_clustered", "iceberg_v2", "void_and_mapped",
            "clone_that_is_mapped_and_tracked", "clone_with_deletion_vectors", "legacy_parquet_lists", "before_gregory")


def expected_rows(case, version):
    return pq.ParquetFile(os.path.join(case, "expected", f"{version}.parquet")).read()


def keeps(run, case, name):
    """Whatever we do to look after a table of Spark, Spark reads the rows that it had."""
    path = run.path(f"upkeep/of spark/{name}")
    theirs.copy(os.path.join(case, "delta"), path)
    sql, newest = product.table_sql(path), mixed.newest_version(path)
    versions = sorted(int(file.split(".")[0]) for file in os.listdir(os.path.join(case, "expected")))
    wanted, past = expected_rows(case, newest), versions[len(versions) // 2]
    steps = [("OPTIMIZE {t}", wanted, False), ("REORG TABLE {t} APPLY (PURGE)", wanted, True)]
    if 0 < past < newest:
        steps += [(f"RESTORE TABLE {{t}} TO VERSION AS OF {past}", expected_rows(case, past), True),
                  (f"RESTORE TABLE {{t}} TO VERSION AS OF {newest}", wanted, False)]
    clones = {kind: run.path(f"upkeep/of spark/{name} {kind}") for kind in ("SHALLOW", "DEEP")}
    steps += [("VACUUM {t} RETAIN 0 HOURS", wanted, True)]
    steps += [(clone_sql(path, target, kind), wanted, True) for kind, target in clones.items()]
    for statement, expected, asks_spark in steps:
        execute("us", statement.replace("{t}", sql))
        at = next((target for kind, target in clones.items() if f" {kind} CLONE" in statement), path)
        for who, read in (("us", product.read), ("Spark", spark.read))[:1 + asks_spark]:
            problem = rows.difference(ours.as_written(expected), ours.as_written(read(at)))
            if problem:
                return f"read by {who} after {statement[:40]}: {problem}"
    return same_history(path) or checks.fsck(path, path)


def run_all(run):
    if "spark" not in run.engines:
        return
    for base in ("vectors", "clustered", "everything"):
        for first in ("us", "spark"):
            asked = f"upkeep/life of {base}, created by {first}"
            path = run.path(asked)
            run.check(asked, lives, path, base, first)
            for engine in ("delta-rs", "duckdb"):
                feature = "nothing" if base == "vectors" else "mapping by name"
                if run.wants(asked) and os.path.exists(path):
                    run.check(f"{asked} read by {engine}", shared_life.read_by_peer, engine, path, feature)
    begun = Begun(run)
    for name, (base, statements) in TWINS.items():
        run.check(f"upkeep/{name}", twins, begun, name, base, statements)
    run.check("upkeep/mapping removed while clustered", unmaps, begun)
    run.check("upkeep/auto compaction", compacts_itself, run)
    run.check("upkeep/bloom-filter index", indexes, run)
    run.check("upkeep/manifest", lists_files, begun)
    for base in ("plain", "vectors"):
        run.check(f"upkeep/repair of {base}", repairs, begun, base)
    for base in ("plain", "clustered", "everything"):
        run.check(f"upkeep/shallow clone of {base}", shallow_twins, begun, run, base)
        run.check(f"upkeep/deep clone of {base}", deep_again, begun, run, base)
    for name, (select, partitions) in CONVERTED.items():
        run.check(f"upkeep/convert {name}", converts, run, name, select, partitions)
        run.check(f"upkeep/clone of {name} files", clones_files, run, name, select, partitions)
    for base in ("plain", "vectors", "everything"):
        run.check(f"upkeep/analyze {base}", analyzes, begun, base)
    run_spark_tables(run)


def run_spark_tables(run):
    store = spark_tables.STORE
    for name in store.complete():
        if any(re.fullmatch(pattern, name) for pattern in OF_SPARK):
            run.check(f"upkeep/of spark's {name}", keeps, run, store.case(name), name)
