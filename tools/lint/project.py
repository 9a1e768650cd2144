"""What the lint checks know about the project: its files, its layers, its folders."""

import functools
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Lower number, lower layer. An include may point to the own folder or to a lower layer.
LAYERS = {
    "src/base": 0, "src/env": 0,
    "src/storage": 1, "src/codec": 1, "src/engine": 1,
    "src/protocol": 2, "src/parquet": 2,
    "src/bloom": 3, "src/audit": 3, "src/log": 3,
    "src/txn": 4, "src/scan": 4, "src/expression": 4, "src/lineage": 4,
    "src/table": 5, "src/fsck": 5, "src/upkeep": 5, "src/statistics": 5,
    "src/sql": 6,
    "src/api": 7,
    "cli": 8,
}

# Edges inside a layer that are meant: the engine takes objects and decodes deletion vectors itself;
# the log of a table keeps what is known of its index files;
# expressions spell types as scans do; lineage is told by plans; the check of a table opens it as the verbs do, and its
# upkeep writes as they do.
SIDEWAYS = {("src/env", "src/base"), ("src/engine", "src/storage"), ("src/engine", "src/codec"),
            ("src/log", "src/bloom"), ("src/expression", "src/scan"), ("src/lineage", "src/scan"), ("src/fsck", "src/table"),
            ("src/upkeep", "src/table")}


@functools.lru_cache(maxsize=None)
def files():
    """All files of the project, tracked or about to be, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted(path for path in set(listed)
                  if path and os.path.isfile(os.path.join(ROOT, path)))


def c_files(*folders):
    """The C sources and headers, of the given folders or of all."""
    return [path for path in files()
            if path.endswith((".c", ".h")) and not path.startswith("subprojects/")
            and (not folders or path.startswith(tuple(f + "/" for f in folders)))]


@functools.lru_cache(maxsize=None)
def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def folder_of(path):
    """The layered folder that a file belongs to, or None."""
    parts = path.split("/")
    for depth in (2, 1):
        if "/".join(parts[:depth]) in LAYERS and len(parts) > depth:
            return "/".join(parts[:depth])
    return None


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


@functools.lru_cache(maxsize=None)
def code(path):
    """The file with comments and literals blanked; lines and columns stay where they were."""
    return _NOISE.sub(_blank, read(path))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
