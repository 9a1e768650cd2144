"""ALTER TABLE: what we change means to Spark what it would have done itself, and Spark goes on with it.

Two tables of the same rows get the same statement, one from us and one from Spark: protocol, properties
and the history's entry must be the same. Spark then appends to, deletes from and alters our table.
"""
import json
import os

import checks
from dwpeers import product, spark

PROTECTED = "delta.requireCheckpointProtectionBeforeVersion"
# name -> (statements, properties whose values are each table's own)
ALTERED = {
    "properties": (["SET TBLPROPERTIES ('free' = '1', 'delta.checkpointInterval' = '20')",
                    # Spark writes down IF EXISTS whether it was said or not.
                    "UNSET TBLPROPERTIES IF EXISTS ('free')"], []),
    "append_only": (["SET TBLPROPERTIES ('delta.appendOnly' = 'true')",
                     "SET TBLPROPERTIES ('delta.appendOnly' = 'false')"], []),
    "change_data_feed": (["SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"], []),
    "deletion_vectors": (["SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"], []),
    "several": (["SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.checkpointPolicy' = 'v2', "
                 "'delta.feature.vacuumProtocolCheck' = 'supported')"], []),
    "legacy_versions": (["SET TBLPROPERTIES ('delta.minWriterVersion' = '4')",
                         "SET TBLPROPERTIES ('delta.feature.domainMetadata' = 'supported')"], []),
    "mapping": (["SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"], []),
    "in_commit_timestamps": (["SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')"],
                             ["delta.inCommitTimestampEnablementTimestamp"]),
    "row_tracking": (["SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')"],
                     ["delta.rowTracking.materializedRowIdColumnName",
                      "delta.rowTracking.materializedRowCommitVersionColumnName"]),
    "constraint": (["ADD CONSTRAINT small CHECK (id < 100)"], []),
    "constraint_dropped": (["ADD CONSTRAINT small CHECK (id < 100)", "DROP CONSTRAINT small",
                            "DROP FEATURE checkConstraints"], []),
    "mapping_removed": (["SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
                         "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')"], []),
    "drop_vectors": (["SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", "DELETE FROM {} WHERE id = 2",
                      "DROP FEATURE deletionVectors"], [PROTECTED]),
    "drop_mapping": (["SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "DROP FEATURE columnMapping"],
                     [PROTECTED]),
    "drop_v2_checkpoint": (["SET TBLPROPERTIES ('delta.checkpointPolicy' = 'v2')", "DROP FEATURE v2Checkpoint"],
                           [PROTECTED]),
    "drop_vacuum_check": (["SET TBLPROPERTIES ('delta.feature.vacuumProtocolCheck' = 'supported')",
                           "DROP FEATURE vacuumProtocolCheck"], [PROTECTED]),
    "drop_type_widening": (["SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')", "DROP FEATURE typeWidening"],
                           [PROTECTED]),
    "drop_row_tracking": (["SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')", "DROP FEATURE rowTracking",
                           "DROP FEATURE domainMetadata"], []),
    "drop_in_commit_timestamps": (["SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')",
                                   "DROP FEATURE inCommitTimestamp"], []),
}
CREATE = "(id BIGINT, name STRING) USING delta"
VALUES = "(1, 'a'), (2, 'b'), (3, NULL)"


def definition(path, own):
    """What the newest version has: protocol, properties, and the last operation."""
    found = {"configuration": {}, "protocol": None, "operation": None}
    log = os.path.join(path, "_delta_log")
    for name in sorted(n for n in os.listdir(log) if n.endswith(".json") and len(n) == 25):
        with open(os.path.join(log, name), encoding="utf-8") as file:
            for action in map(json.loads, file):
                if "metaData" in action:
                    found["configuration"] = action["metaData"]["configuration"]
                if "protocol" in action:
                    p = action["protocol"]
                    found["protocol"] = (p["minReaderVersion"], p["minWriterVersion"],
                                         sorted(p.get("readerFeatures", [])), sorted(p.get("writerFeatures", [])))
                if "commitInfo" in action:
                    info = action["commitInfo"]
                    found["operation"] = (info["operation"], sorted(info["operationParameters"].items()))
    for key in own:
        if key in found["configuration"]:
            found["configuration"][key] = "..."
    return found


def altered(run, name, statements, own):
    session = spark.session()
    ours, theirs = run.path(f"altered/{name}/ours"), run.path(f"altered/{name}/theirs")
    for path, execute in ((ours, lambda text: product.sql(product.PLAIN + text)),
                          (theirs, lambda text: session.sql(text).collect())):
        table = f"delta.`{path}`"
        execute(f"CREATE TABLE {table} {CREATE}")
        execute(f"INSERT INTO {table} VALUES {VALUES}")
        for statement in statements:
            execute(statement.format(table) if "{}" in statement else f"ALTER TABLE {table} {statement}")
    expected, found = definition(theirs, own), definition(ours, own)
    for key in expected:
        if key == "operation":  # Spark's own spelling of a feature's name is in small letters
            expected[key], found[key] = str(expected[key]).lower(), str(found[key]).lower()
        if expected[key] != found[key]:
            return f"expected {key} {expected[key]}, as Spark leaves it, found {found[key]}"
    table = f"delta.`{ours}`"
    session.sql(f"INSERT INTO {table} VALUES (4, 'd'), (5, 'e')").collect()
    session.sql(f"DELETE FROM {table} WHERE id = 2").collect()
    session.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('after' = 'us')").collect()
    product.sql(f"INSERT INTO {table} VALUES (6, 'f')")
    by_spark = [tuple(r) for r in session.sql(f"SELECT id, name FROM {table} ORDER BY id").collect()]
    read = product.read(ours)
    by_us = sorted(zip(read["id"].to_pylist(), read["name"].to_pylist()))
    wanted = [(1, "a"), (3, None), (4, "d"), (5, "e"), (6, "f")]
    if by_spark != wanted or by_us != wanted:
        return f"expected {wanted}, Spark reads {by_spark}, we read {by_us}"
    return checks.fsck(f"altered/{name}", ours)


def run_all(run):
    if "spark" not in run.engines:
        return
    for name, (statements, own) in ALTERED.items():
        run.check(f"altered/{name}", altered, run, name, statements, own)
