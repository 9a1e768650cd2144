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
import signal
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(os.environ.get("DELTAWORKS_PROGRAM", "build/deltaworks"))
KILLS_PER_COMMAND_MAX = 6
FILES = 24
ROWS_PER_FILE = 20000


class Failure(Exception):
    pass


class Warehouse:
    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, DELTAWORKS_WAREHOUSE=folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def sql(self, statement):
        done = subprocess.run([PROGRAM, "sql", "--format", "ndjson", "-c", statement], env=self.env,
                              capture_output=True, timeout=300, check=False)
        if done.returncode != 0:
            raise Failure(f"{statement}: exit status {done.returncode}: {done.stderr.decode()}")
        return [list(json.loads(line).values()) for line in done.stdout.splitlines()]

    def state(self, table):
        return self.sql(f"SELECT count(*), sum(id), sum(n), count(DISTINCT p) FROM {table}")[0]

    def kill(self, statement, after_s):
        """True when the statement was done first."""
        process = subprocess.Popen([PROGRAM, "sql", "-c", statement], env=self.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        try:
            process.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        error = process.communicate()[1].decode()
        if process.returncode not in (0, -signal.SIGKILL):
            raise Failure(f"{statement}: {error}")
        return process.returncode == 0

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
    while kills < KILLS_PER_COMMAND_MAX and not warehouse.kill(statement, rng.random() * 0.08):
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
    while kills < KILLS_PER_COMMAND_MAX and not warehouse.kill(statement, rng.random() * 0.08):
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
    return kills


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    folder = tempfile.mkdtemp(prefix="dw-kill-clone-")
    try:
        kills = run(Warehouse(folder), options.rounds, random.Random(options.seed))
    except Failure as failure:
        print(f"FAILED in {folder}: {failure}")
        return 1
    shutil.rmtree(folder)
    print(f"{options.rounds} rounds, {kills} kills")
    return 0


sys.exit(main())
