#!/usr/bin/env python3
"""Kills commands that look after a table at random moments: no row changes, and only files that no version
names are left. The next run does the work that is still to be done.

  kill_upkeep.py [--rounds N] [--seed N]
"""

import argparse
import os
import random
import shutil
import sys
import time

from killing import PROGRAM, Failure, finish, kill_rounds, run_program, run_until, was_killed

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
}


def rows(table):
    return run_program("sql", "-c", f"SELECT count(*), sum(hash(id, s, p)) FROM delta.`{table}`", "--format", "csv")


def check(table, expected):
    found = rows(table)
    if found != expected:
        raise Failure(f"expected {expected!r}, found {found!r}")
    run_program("fsck", table, "--data")


def kill_once(case, made, folder, moment, expected):
    """Returns whether the command was still at work."""
    table = os.path.join(folder, "killed")
    shutil.copytree(made, table)
    command = CASES[case][1].format(t=f"delta.`{table}`")
    status, _ = run_until([PROGRAM, "sql", "-c", command], moment)
    check(table, expected)
    run_program("sql", "-c", command)
    check(table, expected)
    again = run_program("sql", "-c", command)
    word = CASES[case][2] if len(CASES[case]) > 2 else "nothing to do"
    if word not in again:
        raise Failure(f"{case}: expected {word!r}, found {again!r}")
    shutil.rmtree(table)
    return was_killed(status)


def run_case(case, rounds, chance, folder):
    made = os.path.join(folder, "made")
    run_program("sql", "-c", ";".join(CASES[case][0]).format(t=f"delta.`{made}`"))
    expected = rows(made)
    trial = os.path.join(folder, "trial")
    shutil.copytree(made, trial)
    started = time.monotonic()
    run_program("sql", "-c", CASES[case][1].format(t=f"delta.`{trial}`"))
    took = time.monotonic() - started
    kills = kill_rounds(rounds, took, chance, lambda moment: kill_once(case, made, folder, moment, expected))
    print(f"{case}: {kills} of {rounds} runs were killed on the way", flush=True)
    shutil.rmtree(made)
    shutil.rmtree(trial)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)

    def run_cases(folder):
        for case in CASES:
            run_case(case, options.rounds, chance, folder)

    return finish("kill-upkeep", run_cases)


if __name__ == "__main__":
    sys.exit(main())
