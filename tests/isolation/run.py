#!/usr/bin/env python3
"""Runs the specifications in this folder: run.py SESSIONS [WORD]...

A specification is a story of several sessions, told at every isolation level. A line `setup: SQL` prepares;
a line `NAME: SQL` runs in the session NAME. What is expected stands behind it, indented:

    b: COMMIT
        SNAPSHOT: error CONCURRENT_DELETE_DELETE
        else: ok

`ok` is the default; others are `rows 1 a, 2 b`, `rows` alone for none, `done` for rows of whatever kind, and
`error CODE`. BEGIN begins at the level that the story is told at; DEFAULT is the table's own. Each story is told with deletion vectors and without.
"""
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LEVELS = ("READ COMMITTED", "SNAPSHOT", "SERIALIZABLE", "DEFAULT")
KINDS = {"vectors": "true", "rewriting": "false"}


class Step:
    """One statement and what is expected of it, by level."""

    def __init__(self, session, sql, place):
        self.session, self.sql, self.place = session, sql, place
        self.expected = {}

    def wanted(self, level):
        return self.expected.get(level, self.expected.get("else", "ok"))


def read(path):
    steps = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = line.split("#")[0].rstrip()
            if not text:
                continue
            head, _, rest = text.partition(":")
            if text[0] != " ":
                steps.append(Step(head, rest.strip(), f"{os.path.basename(path)}:{number}"))
            elif rest:
                for level in head.split(","):
                    steps[-1].expected[level.strip()] = rest.strip()
            else:
                steps[-1].expected["else"] = head.strip()
    return steps


def is_met(wanted, found):
    if wanted == "done":
        return found.split(" ")[0] == "rows"
    return found == wanted or (wanted.startswith("error ") and found.startswith(wanted + " "))


def tell(program, steps, level, vectors):
    """Tells one story; returns what went otherwise, or None."""
    with tempfile.TemporaryDirectory(prefix="dw-isolation-") as folder:
        driver = subprocess.Popen([program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for step in steps:
                sql = step.sql.replace("{vectors}", vectors)
                if sql == "BEGIN":
                    sql = f"BEGIN TRANSACTION ISOLATION LEVEL {level}"
                driver.stdin.write(f"{step.session} {sql}\n")
                driver.stdin.flush()
                found = driver.stdout.readline().strip()
                wanted = step.wanted(level)
                if not is_met(wanted, found):
                    return f"{step.place}: {step.session}: {sql}: expected {wanted}, found {found}"
        finally:
            driver.stdin.close()
            status = driver.wait()
        return f"the driver ended with {status}" if status != 0 else check(folder)


def check(folder):
    """No story leaves a table that breaks a rule, or a file that no version names."""
    program = os.environ["DELTAWORKS_PROGRAM"]
    for table in os.listdir(folder):
        ran = subprocess.run([program, "fsck", os.path.join(folder, table), "--data", "--format", "csv"],
                             capture_output=True, text=True, check=False)
        if ran.returncode != 0 or "N5" in ran.stdout:
            return f"fsck of {table}: {ran.stdout}{ran.stderr}"
    return None


def main():
    program, words = sys.argv[1], sys.argv[2:]
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(HERE, "*.spec"))):
        name = os.path.basename(path)[:-5]
        if words and not any(word in name for word in words):
            continue
        steps = read(path)
        for level in LEVELS:
            for kind, vectors in KINDS.items():
                wrong = tell(program, steps, level, vectors)
                passed, failed = passed + (wrong is None), failed + (wrong is not None)
                if wrong is not None:
                    print(f"FAILED {name}, {level}, {kind}: {wrong}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
