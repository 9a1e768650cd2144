#!/usr/bin/env python3
"""Checks (or with --fix repairs) the layout of all C files with clang-format 14.

clang-format takes the braces of `#define X_INIT {...}` for a block and tears them apart: such a
one-line body is hidden from it behind a word of the same length.

  tools/lint/format.py [--fix] [FILE]...
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

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


def hide_braced_macros(source):
    """Returns the source with the bodies replaced by words, and the bodies."""
    bodies = []

    def hide(match):
        bodies.append(match.group(2))
        word = f"Q{len(bodies) - 1}Q"
        return match.group(1) + word + "Z" * max(0, len(match.group(2)) - len(word))

    return BRACED_MACRO.sub(hide, source), bodies


def show_braced_macros(hidden, bodies):
    return re.sub(r"\bQ(\d+)QZ*", lambda match: bodies[int(match.group(1))], hidden)


def formatted(sources):
    """{path: text} -> {path: the text as it should be}; one clang-format for many files."""
    program = clang_format()
    bodies = {}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(project.ROOT, ".clang-format"), folder)
        for path, source in sources.items():
            hidden, bodies[path] = hide_braced_macros(comments.rewrap(source, LINE_LENGTH_MAX))
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(hidden)
        paths = sorted(sources)
        parts = [paths[i::os.cpu_count()] for i in range(os.cpu_count())]
        running = [subprocess.Popen([program, "-i", "--style=file", *part], cwd=folder)
                   for part in parts if part]
        if any([process.wait() for process in running]):
            sys.exit("format: clang-format failed")
        result = {}
        for path in paths:
            with open(os.path.join(folder, path), encoding="utf-8") as file:
                result[path] = show_braced_macros(file.read(), bodies[path])
    return result


def problems_of(path, source, wanted):
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
    sources = {}
    for path in paths or project.c_files():
        with open(os.path.join(project.ROOT, path), encoding="utf-8") as file:
            sources[path] = file.read()
    problems = []
    for path, wanted in formatted(sources).items():
        if wanted != sources[path] and fix:
            with open(os.path.join(project.ROOT, path), "w", encoding="utf-8") as file:
                file.write(wanted)
            sources[path] = wanted
        problems += problems_of(path, sources[path], wanted)
    return problems


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
