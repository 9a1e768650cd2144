#!/usr/bin/env python3
"""Kills CONVERT TO DELTA and FSCK REPAIR TABLE at random moments: each is one commit, or none, and touches no file.

  kill_convert.py [--rounds N] [--seed N]
"""

import argparse
import os
import random
import shutil
import sys
import time

from killing import PROGRAM, Failure, finish, kill_rounds, run_program, run_until, was_killed

FILES = 24


def sql(text):
    return run_program("sql", "--format", "csv", "-c", text)


def rows(table):
    return sql(f"SELECT count(*) AS n, sum(hash(id, s, p)) AS h FROM delta.`{table}`")


def commits(table):
    log = os.path.join(table, "_delta_log")
    names = os.listdir(log) if os.path.isdir(log) else []
    return sorted(n for n in names if n.endswith(".json") and len(n) == 25)


def data_files(table):
    """What must stay as it is."""
    found = {}
    for folder, _, names in os.walk(table):
        if "_delta_log" not in folder:
            for name in names:
                stat = os.stat(os.path.join(folder, name))
                found[os.path.relpath(os.path.join(folder, name), table)] = (stat.st_size, stat.st_mtime_ns)
    return found


class Convert:
    """A directory of partitions."""

    def make(self, folder):
        sql(f"COPY (SELECT range AS id, 'x' || range AS s, range % {FILES} AS p FROM range(60000)) TO '{folder}' "
            "(FORMAT parquet, PARTITION_BY (p))")
        self.expected = sql(f"SELECT count(*) AS n, sum(hash(id, s, p::INT)) AS h FROM read_parquet('{folder}/*/*.parquet', "
                            "hive_partitioning = true)")

    def command(self, table):
        return f"CONVERT TO DELTA parquet.`{table}` PARTITIONED BY (p INT)"

    def check(self, table, is_done):
        if is_done or commits(table):
            if len(commits(table)) != 1 or rows(table) != self.expected:
                raise Failure(f"expected one commit and {self.expected!r}, found {commits(table)}, {rows(table)!r}")
            run_program("fsck", table, "--data")


class Repair:
    """A table of which some files are lost."""

    def make(self, folder):
        sql(f"CREATE TABLE delta.`{folder}` (id BIGINT, s STRING, p INT) PARTITIONED BY (p); INSERT INTO "
            f"delta.`{folder}` SELECT range, 'x' || range, range % {FILES} FROM range(60000)")
        self.expected = sql(f"SELECT count(*) AS n, sum(hash(id, s, p)) AS h FROM delta.`{folder}` WHERE p % 8 <> 3")
        for p in range(3, FILES, 8):
            shutil.rmtree(os.path.join(folder, f"p={p}"))

    def command(self, table):
        return f"FSCK REPAIR TABLE delta.`{table}`"

    def check(self, table, is_done):
        count = len(commits(table))
        if count != 3 and (is_done or count != 2):
            raise Failure(f"expected one commit more, found {commits(table)}")
        if count == 3:
            if rows(table) != self.expected:
                raise Failure(f"expected {self.expected!r}, found {rows(table)!r}")
            run_program("fsck", table, "--data")


def kill_once(case, made, folder, moment):
    """Returns whether the command was still at work."""
    table = os.path.join(folder, "killed")
    shutil.copytree(made, table)
    files = data_files(table)
    status, error = run_until([PROGRAM, "sql", "-c", case.command(table)], moment)
    if status != 0 and not was_killed(status):
        raise Failure(f"{case.command(table)}: {error}")
    case.check(table, False)
    for _ in range(2):
        sql(case.command(table))
        case.check(table, True)
    if data_files(table) != files:
        raise Failure(f"expected {files}, found {data_files(table)}")
    shutil.rmtree(table)
    return was_killed(status)


def run_case(case, rounds, chance, folder):
    made, trial = os.path.join(folder, "made"), os.path.join(folder, "trial")
    case.make(made)
    shutil.copytree(made, trial)
    started = time.monotonic()
    sql(case.command(trial))
    took = time.monotonic() - started
    kills = kill_rounds(rounds, took, chance, lambda moment: kill_once(case, made, folder, moment))
    print(f"{type(case).__name__}: {kills} of {rounds} runs were killed on the way", flush=True)
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
        for case in (Convert(), Repair()):
            run_case(case, options.rounds, chance, folder)

    return finish("kill-convert", run_cases)


if __name__ == "__main__":
    sys.exit(main())
