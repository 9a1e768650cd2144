"""The table of docs/compatibility.md, made of what the checks of a run found.

A cell is what all checks behind it say: `yes` where each passed, `refused` or `wrong rows` where a peer
cannot, `no` where one failed. A run compares its cells with the document's; --write-docs writes them there.
"""
import fnmatch
import os

from dwpeers import product

DOCUMENT = os.path.join(product.ROOT, "docs", "compatibility.md")
BEGIN, END = "<!-- The table is checked by tests/interop; see its README. -->", "<!-- end -->"
COLUMNS = ("", "we read Spark's", "we write", "Spark reads and changes ours", "delta-rs reads ours",
           "DuckDB reads ours")

# feature, which has a life shared with Spark -> tables of Spark
ROWS = {
    "nothing": ("many_commits", "changed_rows", "evolved_schema", "overwritten"),
    "append only": ("protocol_1_7_appendOnly", "protocol_1_2"),
    "invariants": ("generated_and_checked", "protocol_1_7_checkConstraints_*"),
    "check constraints": ("generated_and_checked", "protocol_raised_*"),
    "generated columns": ("generated_and_checked", "protocol_2_7_*"),
    "identity columns": ("generated_and_checked", "protocol_3_7_identityColumns"),
    "column defaults": ("protocol_3_7_deletionVectors_*",),
    "change data feed": ("changed_rows", "combined_*"),
    "deletion vectors": ("deletion_vectors*", "clone_with_deletion_vectors", "combined_*"),
    "mapping by name": ("mapped_*", "void_and_mapped", "combined_*"),
    "mapping by id": ("mapped_by_id", "clone_that_is_mapped_*", "combined_*"),
    "type widening": ("type_widened", "mapped_and_widened", "combined_*"),
    "row tracking": ("tracked_and_clustered", "clone_that_is_mapped_*", "combined_*"),
    "in-commit timestamps": ("in_commit_timestamps", "combined_*"),
    "timestamps without a zone": ("flat_types", "partitioned_by_timestamp_ntz"),
    "domain metadata": ("protocol_3_7_v2Checkpoint_*",),
    "clustering": ("mapped_and_clustered", "tracked_and_clustered"),
    "v2 checkpoints": ("v2_checkpoint_*",),
    "struct statistics": ("checkpoint_with_struct_stats_only",),
    "vacuum protocol check": ("protocol_3_7_v2Checkpoint_*",),
    "checkpoint protection": ("protocol_3_7_checkpointProtection",),
    "materialized partitions": ("partition_columns_in_files",),
    "iceberg v1": ("iceberg_v1", "protocol_3_7_icebergCompatV1"),
    "iceberg v2": ("iceberg_v2",),
    "much at once": ("combined_*",),
}


def cell(outcomes):
    """What some checks say together; None where none ran."""
    if not outcomes:
        return None
    if any(outcome == "failed" for outcome, _ in outcomes):
        return "no"
    reasons = [reason.split(":")[0] for outcome, reason in outcomes if outcome == "skipped"]
    return reasons[0] if reasons else "yes"


def named(run, *patterns):
    return [found for name, found in run.outcomes.items()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def row(run, feature):
    asked = ("at version *", "newest", "definitions", "written")
    read = named(run, *(f"spark/{table} {what}" for table in ROWS[feature] for what in asked))
    life = named(run, f"shared life/{feature}")
    changed = life if "spark" in run.engines else []
    peers = [named(run, f"shared life/{feature} read by {engine}") for engine in ("delta-rs", "duckdb")]
    return [feature, *map(cell, (read, life, changed, *peers))]


def printed(rows):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "-|" * len(COLUMNS)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def document():
    with open(DOCUMENT, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN + "\n")
        table, after = rest.split("\n" + END)
    known = [[part.strip() for part in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return before, {row[0]: row for row in known}, after


def is_true(rows, known):
    """None where the document says what was found."""
    wrong = [f"{found[0]}, {column}: found {new}, the document says {old}"
             for found in rows for column, new, old in zip(COLUMNS, found, known.get(found[0], [""] * len(found)))
             if new is not None and new != old]
    return "; ".join(wrong) or None


def run_all(run, write):
    before, known, after = document()
    rows = [row(run, feature) for feature in ROWS]
    if write:  # what this run did not see stays as it was
        rows = [[new if new is not None else old for new, old in zip(found, known.get(found[0], ["?"] * len(found)))]
                for found in rows]
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(f"{before}{BEGIN}\n{printed(rows)}\n{END}{after}")
        return
    run.check("compatibility/the table of the docs is true", is_true, rows, known)
