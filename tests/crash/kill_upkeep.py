#!/usr/bin/env python3
"""Kills commands that look after a table at random moments: no row changes, and only files that no version
names are left. The next run does the work that is still to be done.

  kill_upkeep.py [--rounds N] [--seed N] [--only WORD]
"""

import sys

from killing import Case, Failure, run_cases, run_program

ANY_RETENTION = "SET spark.databricks.delta.retentionDurationCheck.enabled = false"

# What makes a table ({t}), the command, and what it says when it is run once more: "nothing to do", or else.
CASES = {
    "OPTIMIZE that copies": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 60000, {i + 1} * 60000)"
           for i in range(3)],
        "OPTIMIZE {t}"),
    "OPTIMIZE that decodes": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p) TBLPROPERTIES "
         "('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true')"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(4)]
        + ["DELETE FROM {t} WHERE id % 9 = 0"],
        "OPTIMIZE {t}"),
    "REORG": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(4)]
        + ["DELETE FROM {t} WHERE id % 9 = 0"],
        "REORG TABLE {t} APPLY (PURGE)"),
    "OPTIMIZE ZORDER BY": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(3)],
        "OPTIMIZE {t} ZORDER BY (id, s)"),
    "OPTIMIZE that clusters": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) CLUSTER BY (id, p)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(3)],
        "OPTIMIZE {t}"),
    "VACUUM": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + ["INSERT OVERWRITE {t} SELECT range, 'x' || range, range % 40 FROM range(4000)" for _ in range(3)],
        f"{ANY_RETENTION}; VACUUM {{t}} RETAIN 0 HOURS", "total"),
    "VACUUM LITE": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + ["INSERT OVERWRITE {t} SELECT range, 'x' || range, range % 40 FROM range(4000)" for _ in range(3)],
        f"{ANY_RETENTION}; VACUUM {{t}} LITE RETAIN 0 HOURS", "total"),
    "GENERATE": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p) TBLPROPERTIES "
         "('delta.enableDeletionVectors' = 'false')",
         "INSERT INTO {t} SELECT range, 'x' || range, range % 40 FROM range(4000)"],
        "GENERATE symlink_format_manifest FOR TABLE {t}", ""),
    "ANALYZE TABLE": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0')"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(4)]
        + ["ALTER TABLE {t} SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '32')"],
        "ANALYZE TABLE {t} COMPUTE STATISTICS"),
    "CREATE BLOOMFILTER INDEX": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 3 FROM range({i} * 5000, {i + 1} * 5000)"
           for i in range(4)],
        "CREATE BLOOMFILTER INDEX ON TABLE {t} FOR COLUMNS (id OPTIONS (fpp = 0.01), s)", ""),
    "CHECKPOINT": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 40 FROM range({i} * 500, {i + 1} * 500)"
           for i in range(4)],
        "CHECKPOINT {t}", ""),
    "COMPACT LOG": (
        ["CREATE TABLE {t} (id BIGINT, s STRING, p INT) PARTITIONED BY (p)"]
        + [f"INSERT INTO {{t}} SELECT range, 'x' || range, range % 40 FROM range({i} * 500, {i + 1} * 500)"
           for i in range(8)],
        "COMPACT LOG {t}", ""),
}


def rows(table):
    all_of_them = f"SELECT count(*), sum(hash(id, s, p)) FROM delta.`{table}`"
    a_few = f"SELECT count(*), sum(id) FROM delta.`{table}` WHERE s = 'x431' OR id = 1234"
    return run_program("sql", "-c", f"{all_of_them}; {a_few}", "--format", "csv")


class Upkeep(Case):
    def __init__(self, name, statements, command, word="nothing to do"):
        self.name, self.statements, self.text, self.word = name, statements, command, word

    def make(self, table):
        run_program("sql", "-c", ";".join(self.statements).format(t=f"delta.`{table}`"))
        self.expected = rows(table)

    def command(self, table):
        return self.text.format(t=f"delta.`{table}`")

    def check(self, table):
        found = rows(table)
        if found != self.expected:
            raise Failure(f"expected {self.expected!r}, found {found!r}")
        run_program("fsck", table, "--data")

    def follow(self, table):
        self.check(table)
        run_program("sql", "-c", self.command(table))
        self.check(table)
        again = run_program("sql", "-c", self.command(table))
        if self.word not in again:
            raise Failure(f"{self.name}: expected {self.word!r}, found {again!r}")


if __name__ == "__main__":
    sys.exit(run_cases("kill-upkeep", __doc__, [Upkeep(name, *case) for name, case in CASES.items()]))
