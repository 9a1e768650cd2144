#!/usr/bin/env python3
"""Kills clones and RESTORE at random moments, and runs them again until they are done.

However often they are killed: the table is readable, it has the rows of before or of after, and in the end
those of after; the last run goes on with what those before it have copied.

  kill_clone.py [--rounds N] [--seed N]
"""

import argparse
import json
import os
import random
import shutil
import sys
import time

from killing import PROGRAM, Failure, finish, run_program, run_until, was_killed

KILLS_PER_COMMAND_MAX = 6
FILES = 24
ROWS_PER_FILE = 20000


class Warehouse:
    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, DELTAWORKS_WAREHOUSE=folder,
                        XDG_STATE_HOME=os.path.join(folder, ".state"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def sql(self, statement):
        lines = run_program("sql", "--format", "ndjson", "-c", statement, env=self.env).splitlines()
        return [list(json.loads(line).values()) for line in lines]

    def time(self, statement):
        started = time.monotonic()
        self.sql(statement)
        return time.monotonic() - started

    def state(self, table):
        return self.sql(f"SELECT count(*), sum(id), sum(n), count(DISTINCT p) FROM {table}")[0]

    def kill(self, statement, after_s):
        """True when the statement was done first."""
        status, error = run_until([PROGRAM, "sql", "-c", statement], after_s, env=self.env)
        if status != 0 and not was_killed(status):
            raise Failure(f"{statement}: {error}")
        return status == 0

    def check_log(self, table):
        names = os.listdir(self.path(table, "_delta_log")) if os.path.isdir(self.path(table, "_delta_log")) else []
        odd = [n for n in names if n.endswith(".tmp")]
        if odd:
            raise Failure(f"half-written files in the log of {table}: {odd}")
        return any(n.endswith(".json") and len(n) == 25 for n in names)


def make(warehouse):
    warehouse.sql("CREATE TABLE s (id BIGINT, p STRING, n INT) PARTITIONED BY (p) TBLPROPERTIES "
                  "('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '3')")
    warehouse.sql(f"INSERT INTO s SELECT range, 'p' || range % {FILES}, (range * 2654435761) % 1000003 "
                  f"FROM range({FILES * ROWS_PER_FILE})")
    warehouse.sql("DELETE FROM s WHERE n % 10 = 3")


def clone(warehouse, rng, kind):
    """The target has nothing, or all."""
    expected, kills = warehouse.state("s"), 0
    statement = f"CREATE TABLE IF NOT EXISTS c {kind} CLONE s"
    took = warehouse.time(statement)
    shutil.rmtree(warehouse.path("c"))
    while kills < KILLS_PER_COMMAND_MAX and not warehouse.kill(statement, rng.random() * took):
        kills += 1
        if warehouse.check_log("c") and warehouse.state("c") != expected:
            raise Failure(f"a clone with {warehouse.state('c')} instead of {expected}")
    warehouse.sql(statement)
    if warehouse.state("c") != expected:
        raise Failure(f"a clone with {warehouse.state('c')} instead of {expected}")
    names = {n for n in os.listdir(warehouse.path("c")) if n.endswith(".tmp") or ".tmp" in n}
    if names:
        raise Failure(f"half-written files: {names}")
    shutil.rmtree(warehouse.path("c"))
    return kills


def restore(warehouse, rng, turn):
    """The table is in the version before, or in the one that is asked for."""
    target, kills = 1 + turn % 2, 0
    before = warehouse.state("s")
    after = warehouse.state(f"s VERSION AS OF {target}")
    statement = f"RESTORE s TO VERSION AS OF {target}"
    took = warehouse.time(f"{statement} DRY RUN")
    while kills < KILLS_PER_COMMAND_MAX and not warehouse.kill(statement, rng.random() * took):
        kills += 1
        found = warehouse.state("s")
        if found not in (before, after):
            raise Failure(f"a table with {found} instead of {before} or {after}")
    warehouse.sql(statement)
    if warehouse.state("s") != after:
        raise Failure(f"a table with {warehouse.state('s')} instead of {after}")
    return kills


def run(warehouse, rounds, rng):
    make(warehouse)
    kills = 0
    for turn in range(rounds):
        kills += clone(warehouse, rng, "DEEP" if turn % 4 else "SHALLOW")
        kills += restore(warehouse, rng, turn)
    found = warehouse.sql("FSCK TABLE s WITH DATA")
    if any("error" in row for row in found):
        raise Failure(f"findings: {found}")
    print(f"{rounds} rounds, {kills} kills")
    if kills == 0:
        raise Failure("nobody was killed on the way")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    return finish("kill-clone", lambda folder: run(Warehouse(folder), options.rounds, random.Random(options.seed)))


if __name__ == "__main__":
    sys.exit(main())
