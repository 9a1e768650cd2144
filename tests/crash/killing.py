"""What the scripts beside this one share: the program, processes that are killed, and how a run ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

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
