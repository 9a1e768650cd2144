#!/usr/bin/env python3
"""Kills commands that look after a table at random moments: no row changes, and only files that no version
names are left. The next run does the work that is still to be done.

  kill_upkeep.py [--rounds N] [--seed N]
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ.get("DELTAWORKS_PROGRAM", "build/deltaworks")

# What makes a table ({t}), and the command.
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
}


class Failure(Exception):
    pass


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"{arguments}: exit status {done.returncode}: {done.stdout.decode()} {done.stderr.decode()}")
    return done.stdout.decode()


def rows(table):
    return run("sql", "-c", f"SELECT count(*), sum(hash(id, s, p)) FROM delta.`{table}`", "--format", "csv")


def check(table, expected):
    found = rows(table)
    if found != expected:
        raise Failure(f"expected {expected!r}, found {found!r}")
    run("fsck", table, "--data")


def kill_once(case, made, folder, moment, expected):
    """Returns whether the command was still at work."""
    table = os.path.join(folder, "killed")
    shutil.copytree(made, table)
    command = CASES[case][1].format(t=f"delta.`{table}`")
    process = subprocess.Popen([PROGRAM, "sql", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    was_killed = process.wait() == -signal.SIGKILL
    check(table, expected)
    run("sql", "-c", command)
    check(table, expected)
    again = run("sql", "-c", command)
    if "nothing to do" not in again:
        raise Failure(f"{case}: expected nothing to do, found {again!r}")
    shutil.rmtree(table)
    return was_killed


def run_case(case, rounds, chance, folder):
    made = os.path.join(folder, "made")
    run("sql", "-c", ";".join(CASES[case][0]).format(t=f"delta.`{made}`"))
    expected = rows(made)
    trial = os.path.join(folder, "trial")
    shutil.copytree(made, trial)
    started = time.monotonic()
    run("sql", "-c", CASES[case][1].format(t=f"delta.`{trial}`"))
    took = time.monotonic() - started
    kills = sum(kill_once(case, made, folder, chance.uniform(0, took * 1.1), expected) for _ in range(rounds))
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
    folder = tempfile.mkdtemp(prefix="deltaworks-kill-upkeep-")
    try:
        for case in CASES:
            run_case(case, options.rounds, chance, folder)
    except Failure as failure:
        print(f"{failure}\nkept {folder}", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    shutil.rmtree(folder)
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
