#!/usr/bin/env python3
"""Checks all that a machine can check: layout, layers, functions, words, warnings, symbols.

  tools/lint/lint.py [--text] [--jobs N] [--statistics]

--text leaves out what needs the compilers. Prints one line for each problem and ends with their
number; what is only worth a look (functions that nobody calls) is listed but fails nothing.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compiled  # noqa: E402
import format as layout  # noqa: E402
import project  # noqa: E402
import text  # noqa: E402


def run(name, check):
    started = time.monotonic()
    problems = check()
    state = f"{sum(1 for p in problems if not p.startswith(' '))} problems" if problems else "ok"
    print(f"lint: {name:<22} {state:>12}  {time.monotonic() - started:6.1f} s", flush=True)
    for problem in problems:
        print(problem)
    return problems


def print_statistics():
    """Sizes to compare with what CONTRIBUTING.md aims at."""
    for folder in ("src", "cli", "tests"):
        paths = [path for path in project.c_files(folder) if path.endswith(".c")]
        lengths = sorted(length for path in paths for _, _, length in text.functions(path))
        lines = sorted(project.read(path).count("\n") for path in paths)
        if lengths:
            print(f"{folder}: {len(paths)} files, {sum(lines)} lines, per file "
                  f"{statistics.median(lines):.0f} median {lines[len(lines) * 9 // 10]} 90th; "
                  f"{len(lengths)} functions, {statistics.median(lengths):.0f} median "
                  f"{lengths[len(lengths) * 9 // 10]} 90th {lengths[-1]} longest")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", action="store_true", help="only what needs no compiler")
    parser.add_argument("--statistics", action="store_true", help="print sizes as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    count = len(run("layout", layout.check))
    for check in text.CHECKS:
        count += len(run(check.__name__.replace("_", " "), check))
    if not options.text:
        for check in compiled.CHECKS:
            count += len(run(check.__name__.replace("_", " "), lambda c=check: c(options.jobs)))
        for line in compiled.unreferenced_functions():
            print(f"lint: note: {line}")
    if options.statistics:
        print_statistics()
    print(f"lint: {count} problems" if count else "lint: no problems")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
