#!/usr/bin/env python3
"""Kills real loads at random moments and repeats them until they are in.

Each batch is a Parquet file that is loaded under a transaction id of its own. A load is killed with
SIGKILL at a moment that the seed chooses, any number of times, then left alone. What was acknowledged
must be in the table from then on, exactly once; what was not, whole or not at all. The table must stay
readable all the while, and no half-written file may lie in the log.

  kill_load.py [--rounds N] [--seed N]
"""

import argparse
import json
import os
import random
import sys
import time

from killing import PROGRAM, Failure, finish, run_program, run_until, was_killed

ROWS = 2000
PARTITIONS = 3
LOADS_PER_BATCH_MAX = 12
CHECK_EVERY = 5


class Table:
    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "table")
        self.acknowledged = set()
        self.tried = set()
        self.kills = 0
        self.kills_before_start = 0

    def rows(self, statement):
        return [json.loads(line)
                for line in run_program("sql", "-c", statement, "--format", "ndjson").splitlines()]

    def write_batch(self, batch):
        """Rows with ids of the batch's own; returns the file."""
        path = os.path.join(self.folder, f"batch-{batch}.parquet")
        first = batch * ROWS
        run_program("sql", "--format", "parquet", "--output", path, "-c",
                    f"SELECT i + {first} AS id, {batch} AS batch, i % {PARTITIONS} AS p, "
                    f"repeat('x', (i % 50)::INT) AS filler FROM range({ROWS}) t(i)")
        return path

    def load(self, path, batch, kill_after_s):
        """Returns whether the load was acknowledged, and how long it ran."""
        started = time.monotonic()
        self.tried.add(batch)
        status, error = run_until([PROGRAM, "load", self.path, path, "--txn", f"loader:{batch}", "--partition-by", "p",
                                   "--property", "delta.checkpointInterval=4", "--quiet"], kill_after_s)
        took = time.monotonic() - started
        if was_killed(status):
            self.kills += 1
            return False, took
        if status != 0:
            raise Failure(f"a load failed with exit status {status}: {error}")
        self.acknowledged.add(batch)
        return True, took

    def check(self):
        if not os.path.isdir(os.path.join(self.path, "_delta_log")):
            if self.acknowledged:
                raise Failure("the table is gone")
            return
        if not self.acknowledged and not self.has_commits():
            return
        counts = {row["batch"]: row for row in self.rows(
            f"SELECT batch, count(*) AS n, count(DISTINCT id) AS ids, min(id) AS first "
            f"FROM delta.`{self.path}` GROUP BY batch")}
        for batch in self.tried | set(counts):
            row = counts.get(batch)
            if row is None:
                if batch in self.acknowledged:
                    raise Failure(f"batch {batch} was acknowledged and is lost")
                continue
            if (row["n"], row["ids"], row["first"]) != (ROWS, ROWS, batch * ROWS):
                raise Failure(f"batch {batch} is torn or doubled: {row}")
        self.check_log()

    def has_commits(self):
        return any(name.endswith(".json") for name in os.listdir(os.path.join(self.path, "_delta_log"))
                   if not name.startswith("."))

    def check_log(self):
        """Versions are contiguous, and each file in the log is whole."""
        names = sorted(os.listdir(os.path.join(self.path, "_delta_log")))
        versions = [int(name[:20]) for name in names
                    if len(name) == 25 and name.endswith(".json") and name[:20].isdigit()]
        if versions != list(range(len(versions))):
            raise Failure(f"the versions have a gap: {versions}")
        for version in versions:
            path = os.path.join(self.path, "_delta_log", f"{version:020}.json")
            with open(path, encoding="utf-8") as commit:
                for line in commit:
                    json.loads(line)


def run(rounds, seed, folder):
    random_source = random.Random(seed)
    table = Table(folder)
    batch = 0
    typical_s = 0.15
    while table.kills < rounds:
        path = table.write_batch(batch)
        for attempt in range(LOADS_PER_BATCH_MAX):
            last = attempt == LOADS_PER_BATCH_MAX - 1
            leave_alone = last or random_source.random() < 0.2
            moment = None if leave_alone else random_source.uniform(0, 1.1 * typical_s)
            done, took = table.load(path, batch, moment)
            if leave_alone:
                typical_s = 0.7 * typical_s + 0.3 * took
            if done:
                break
            if table.kills % CHECK_EVERY == 0:
                table.check()
        if batch not in table.acknowledged:
            raise Failure(f"batch {batch} did not get in")
        os.remove(path)
        batch += 1
    table.check()
    if table.acknowledged != set(range(batch)):
        raise Failure("not every batch is in")
    leftovers = [name for name in os.listdir(os.path.join(table.path, "_delta_log"))
                 if name.endswith(".tmp")]
    print(f"{table.kills} kills, {batch} batches in, {len(leftovers)} temporary files left")
    if len(leftovers) > table.kills:
        raise Failure("temporary files pile up")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    return finish("kill", lambda folder: run(options.rounds, options.seed, folder))


if __name__ == "__main__":
    sys.exit(main())
