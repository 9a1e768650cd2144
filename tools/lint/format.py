#!/usr/bin/env python3
"""Checks (or with --fix repairs) the layout of all C files with clang-format 14.

clang-format takes the braces of `#define X_INIT {...}` for a block and tears them apart: such a
one-line body is hidden from it behind a word of the same length.

  tools/lint/format.py [--fix] [FILE]...
"""

import argparse
import concurrent.futures
import difflib
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import comments  # noqa: E402
import project  # noqa: E402

LINE_LENGTH_MAX = 100
BRACED_MACRO = re.compile(r"^(#define \w+(?:\([^()]*\))? )(\{.*\})$", re.M)


def clang_format():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            if " 14." in version.stdout:
                return path
    sys.exit("format: expected clang-format 14, found none; run `make setup`")


def formatted(path, source, program):
    bodies = []

    def hide(match):
        bodies.append(match.group(2))
        word = f"Q{len(bodies) - 1}Q"
        return match.group(1) + word + "Z" * max(0, len(match.group(2)) - len(word))

    hidden = BRACED_MACRO.sub(hide, source)
    result = subprocess.run([program, "--style=file", "--assume-filename=" + path], input=hidden,
                            capture_output=True, text=True, check=True, cwd=project.ROOT).stdout
    return re.sub(r"\bQ(\d+)QZ*", lambda match: bodies[int(match.group(1))], result)


def examine(path, program, fix):
    """Returns the problems of one file."""
    with open(os.path.join(project.ROOT, path), encoding="utf-8") as file:
        source = file.read()
    wanted = formatted(path, comments.rewrap(source, LINE_LENGTH_MAX), program)
    if wanted != source and fix:
        with open(os.path.join(project.ROOT, path), "w", encoding="utf-8") as file:
            file.write(wanted)
        source = wanted
    problems = [f"{path}:{number}: the line has {len(line)} columns, {LINE_LENGTH_MAX} are allowed"
                for number, line in enumerate(source.splitlines(), 1) if len(line) > LINE_LENGTH_MAX]
    if wanted != source:
        changes = list(difflib.unified_diff(source.splitlines(), wanted.splitlines(),
                                            lineterm="", n=0))[2:]
        line = re.match(r"@@ -(\d+)", changes[0]).group(1)
        problems.append(f"{path}:{line}: the layout is not clang-format's; run `make format`")
        problems += ["    " + change for change in changes[1:5]]
    return problems


def check(fix=False, paths=None):
    program = clang_format()
    paths = paths or project.c_files()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return [problem for problems in pool.map(lambda p: examine(p, program, fix), paths)
                for problem in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = [os.path.relpath(os.path.abspath(file), project.ROOT) for file in options.files]
    problems = check(options.fix, files)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
