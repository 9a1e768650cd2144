"""What the scripts beside this one share: the program, processes that are killed, and how a run ends."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(os.environ.get("DELTAWORKS_PROGRAM", "build/deltaworks"))


class Failure(Exception):
    pass


def run_program(*arguments, env=None):
    """What the program prints; it must succeed."""
    done = subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"{arguments}: exit status {done.returncode}: {done.stdout.decode()} {done.stderr.decode()}")
    return done.stdout.decode()


def run_until(command, moment_s, env=None):
    """Runs a command, and kills it after `moment_s` unless that is None. Its exit status and its messages."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if moment_s is not None:
        try:
            process.wait(timeout=moment_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    error = process.communicate()[1].decode()
    return process.returncode, error


def was_killed(status):
    return status == -signal.SIGKILL


def kill_rounds(rounds, took_s, chance, kill_once):
    """Calls `kill_once` with moments of a run that takes about so long; it returns whether the run was still at work.
    How long a run takes depends on what else the machine does: it is learnt on the way. How many were."""
    kills = 0
    for _ in range(rounds):
        is_hit = kill_once(chance.uniform(0, took_s))
        kills += is_hit
        took_s *= 1.1 if is_hit else 0.7
    return kills


class Case:
    """A command that is killed on copies of one table."""

    name = "a command"

    def make(self, table):
        """Makes the table, and learns what is expected of its copies."""
        raise NotImplementedError

    def command(self, table):
        raise NotImplementedError

    def follow(self, table):
        """What must hold of a copy behind a command that was killed, or was just through, and when it runs again."""
        raise NotImplementedError


def kill_copy(case, made, folder, moment_s):
    """Returns whether the command was still at work."""
    table = os.path.join(folder, "killed")
    shutil.copytree(made, table)
    status, error = run_until([PROGRAM, "sql", "-c", case.command(table)], moment_s)
    if status != 0 and not was_killed(status):
        raise Failure(f"{case.command(table)}: {error}")
    case.follow(table)
    shutil.rmtree(table)
    return was_killed(status)


def run_case(case, rounds, chance, folder):
    made, trial = os.path.join(folder, "made"), os.path.join(folder, "trial")
    case.make(made)
    shutil.copytree(made, trial)
    started = time.monotonic()
    run_program("sql", "-c", case.command(trial))
    took_s = time.monotonic() - started
    kills = kill_rounds(rounds, took_s, chance, lambda moment_s: kill_copy(case, made, folder, moment_s))
    print(f"{case.name}: {kills} of {rounds} runs were killed on the way", flush=True)
    shutil.rmtree(made)
    shutil.rmtree(trial)


def run_cases(name, description, cases):
    """The whole of a script that kills each of `cases` some times; the exit status."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="WORD", default="", help="commands whose name has the word")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)

    def body(folder):
        for case in cases:
            if options.only in case.name:
                run_case(case, options.rounds, chance, folder)

    return finish(name, body)


def finish(name, body):
    """Runs `body` in a folder of its own, which is kept where it fails; prints the count, and returns the exit status."""
    folder = tempfile.mkdtemp(prefix=f"deltaworks-{name}-")
    try:
        body(folder)
    except Failure as failure:
        print(f"{failure}\nkept {folder}", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    shutil.rmtree(folder)
    print("1 passed, 0 failed")
    return 0
