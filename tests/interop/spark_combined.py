"""Tables of Spark in which features meet: each goes through the same life under other settings.

The settings are spread so that every two values of different settings meet in some table.
"""
import itertools
import random

import spark_tables

SETTINGS = {
    "mapping": ("none", "name", "id"),
    "partitions": ((), ("p",), ("p", "d")),
    "checkpoint": ("none", "classic", "v2 json", "v2 parquet", "multi-part"),
    **{switch: (False, True) for switch in ("vectors", "feed", "widening", "tracking", "commit_times")},
}
SEED = 13  # few tables are enough
TRIES = 60


def pairs(chosen):
    """Every two values that meet in a table."""
    return set(itertools.combinations(sorted(chosen.items(), key=lambda item: item[0]), 2))


def combinations():
    """Table after table that brings the most pairs together which did not meet before, until all did."""
    chance = random.Random(SEED)
    left = set()
    for (one, some), (other, more) in itertools.combinations(sorted(SETTINGS.items()), 2):
        left |= {((one, a), (other, b)) for a in some for b in more}
    found = []
    while left:
        tried = [{key: chance.choice(values) for key, values in SETTINGS.items()} for _ in range(TRIES)]
        found.append(max(tried, key=lambda chosen: len(pairs(chosen) & left)))
        left -= pairs(found[-1])
    for n, chosen in enumerate(found):
        chosen["clustering"] = not chosen["partitions"] and n % 2 == 0
    return found


def properties(chosen):
    found = {
        "delta.enableDeletionVectors": chosen["vectors"],
        "delta.enableChangeDataFeed": chosen["feed"],
        "delta.enableTypeWidening": chosen["widening"],
        "delta.enableRowTracking": chosen["tracking"],
        "delta.enableInCommitTimestamps": chosen["commit_times"],
    }
    found = {key: "true" for key, is_on in found.items() if is_on}
    if chosen["mapping"] != "none":
        found["delta.columnMapping.mode"] = chosen["mapping"]
    if chosen["checkpoint"].startswith("v2"):
        found["delta.checkpointPolicy"] = "v2"
    found["delta.checkpointInterval"] = "100" if chosen["checkpoint"] == "none" else "4"
    return ", ".join(f"'{key}' = '{value}'" for key, value in found.items())


def create(w, chosen):
    layout = ""
    if chosen["partitions"]:
        layout = f" PARTITIONED BY ({', '.join(chosen['partitions'])})"
    elif chosen["clustering"]:
        layout = " CLUSTER BY (n)"
    w.sql(
        "CREATE TABLE {t} (id BIGINT, n INT, s STRING, st STRUCT<a: INT, b: STRING>, p STRING, d DATE)"
        f" USING delta{layout} TBLPROPERTIES ({properties(chosen)})"
    )


def insert(w, first, count):
    w.sql(
        "INSERT INTO {t} (id, n, s, st, p, d) SELECT id, CAST(id % 40 AS INT),"
        " IF(id % 6 = 0, NULL, 's ' || id),"
        " IF(id % 5 = 0, NULL, named_struct('a', CAST(id AS INT), 'b', 'b' || id)),"
        " IF(id % 4 = 0, NULL, 'p%' || id % 3), date_add(DATE '2024-02-28', CAST(id % 2 AS INT))"
        f" FROM range({first}, {first + count}, 1, 1)"
    )


def live(w, chosen):
    insert(w, 0, 120)
    w.sql("DELETE FROM {t} WHERE id % 7 = 3")
    if chosen["mapping"] != "none":
        w.sql(
            "ALTER TABLE {t} RENAME COLUMN s TO `text of it`",
            "ALTER TABLE {t} RENAME COLUMN st.b TO renamed",
            "ALTER TABLE {t} RENAME COLUMN `text of it` TO s",
        )
    if chosen["widening"]:
        w.sql("ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT")
    w.sql("UPDATE {t} SET s = 'changed' WHERE id BETWEEN 20 AND 35")
    w.sql(
        "MERGE INTO {t} t USING (SELECT id, id + 1 AS n FROM range(100, 140)) s ON t.id = s.id"
        " WHEN MATCHED AND t.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    w.sql("ALTER TABLE {t} ADD COLUMN (extra DOUBLE AFTER id)")
    w.sql("INSERT INTO {t} (id, extra, p) VALUES (1000, 0.5, 'p%1'), (1001, NULL, NULL)")
    w.sql("OPTIMIZE {t}")
    w.sql("DELETE FROM {t} WHERE id IN (1, 2, 50, 51, 139)")


def combined(chosen):
    def write(w):
        kind = chosen["checkpoint"]
        conf = {}
        if kind == "multi-part":
            conf["spark__databricks__delta__checkpoint__partSize"] = 3
        elif kind.startswith("v2"):
            conf["spark__databricks__delta__checkpoint__partSize"] = 4
            conf["spark__databricks__delta__checkpointV2__topLevelFileFormat"] = kind[3:]
        with w.configured(**conf):
            create(w, chosen)
            live(w, chosen)
        newest = spark_tables.newest_version(w.path)
        if kind == "none":
            return range(newest + 1)
        spark_tables.delete_commits(w, before=4)
        return range(4, newest + 1)

    return write


for _n, _chosen in enumerate(combinations()):
    spark_tables.TABLES[f"combined_{_n:02}"] = combined(_chosen)
