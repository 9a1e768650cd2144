#!/usr/bin/env python3
"""Runs the tests of one build folder and ends with a line `N passed, N failed`.

Counts what the programs themselves report: the cases of a cmocka program, the last line
`N passed, N failed` of a script, and otherwise one for the program.

  tools/test.py BUILD [--with SUITE]... [--without SUITE]... [--jobs N] [NAME]...
"""

import argparse
import json
import os
import re
import subprocess
import sys

CMOCKA_OK = re.compile(r"^\[\s+OK \] ", re.M)
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] (?:\S.*: )?(\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (?:\S.*: )?(\d+) test\(s\)", re.M)
OWN_COUNT = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def total(pattern, text):
    return sum(int(count) for count in pattern.findall(text))


def count(record):
    """Returns (passed, failed, skipped) of one test program."""
    text = record.get("stdout", "") + "\n" + record.get("stderr", "")
    result = record["result"]
    own = OWN_COUNT.findall(text)
    if own:
        passed, failed, skipped = (int(n or 0) for n in own[-1])
    elif CMOCKA_PASSED.search(text):
        passed, failed, skipped = (
            total(p, text) for p in (CMOCKA_PASSED, CMOCKA_FAILED, CMOCKA_SKIPPED))
    elif result == "SKIP":
        return 0, 0, 1
    elif result in ("OK", "EXPECTEDFAIL"):
        return 1, 0, 0
    else:  # it crashed or was stopped: what it had finished still counts
        return len(CMOCKA_OK.findall(text)), 1, 0
    if result not in ("OK", "EXPECTEDFAIL", "SKIP"):
        failed = max(failed, 1)
    return passed, failed, skipped


def read_log(build):
    path = os.path.join(build, "meson-logs", "testlog.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.strip()]


def run(options):
    command = ["meson", "test", "-C", options.build, "--no-rebuild", "--print-errorlogs",
               "--num-processes", str(options.jobs),
               "--timeout-multiplier", str(options.patience)]
    for suite in options.only:
        command += ["--suite", suite]
    for suite in options.without:
        command += ["--no-suite", suite]
    log = os.path.join(options.build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    return subprocess.run(command + options.names, stdin=subprocess.DEVNULL, check=False).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--with", dest="only", action="append", default=[], metavar="SUITE")
    parser.add_argument("--without", action="append", default=[], metavar="SUITE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=float, default=2.0, metavar="FACTOR",
                        help="what time limits are multiplied by, for slow machines and builds")
    options = parser.parse_args()

    status = run(options)
    passed = failed = skipped = 0
    for record in read_log(options.build):
        counts = count(record)
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    if status != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
