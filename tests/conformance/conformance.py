"""Reads every table of a conformance corpus with our program and compares the rows exactly.

A case is a folder with `delta/`, the table, and `expected/`, Parquet files with the rows of its
newest version. A case without `expected/` has a check of its own in SPECIAL. Each failing case
prints one line; the last line is `N passed, N failed`.

`--reader delta-rs` or `--reader duckdb` runs a peer instead, on the cases with expected rows: it
shows that the comparison itself is right.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dwpeers import product, readers, rows

WORKERS = 2


def expected_rows(case):
    """The rows of `expected/`, whose files may differ in the order of their columns."""
    files = []
    for folder, _, names in sorted(os.walk(os.path.join(case, "expected"))):
        files += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".parquet")]
    tables = [rows.canonical(pq.ParquetFile(f).read()) for f in files]
    if len(tables) > 1:
        tables = [t for t in tables if t.num_rows > 0] or tables[:1]
    return pa.concat_tables([t.select(tables[0].column_names) for t in tables])


def table(case):
    return os.path.join(case, "delta")


def detail(path):
    return json.loads(product.run("detail", path, "--format", "ndjson").strip().splitlines()[0])


def history(path):
    lines = product.run("history", path, "--format", "ndjson").strip().splitlines()
    return [json.loads(line) for line in lines]


def history_versions(path, wanted):
    found = sorted(int(entry["version"]) for entry in history(path))
    return None if found == wanted else f"expected history of versions {wanted}, found {found}"


def refused(read, status, *words):
    """Checks that `read` fails with this exit status and one line that has one of the words."""
    try:
        found = read()
    except product.ProductError as e:
        if e.status != status:
            return f"expected exit status {status}, found {e.status}: {e.stderr}"
        if len(e.stderr.splitlines()) != 1:
            return f"expected one line on stderr, found: {e.stderr!r}"
        if not any(w.lower() in e.stderr.lower() for w in words):
            return f"expected an error that says one of {words}, found: {e.stderr}"
        return None
    return f"expected a refusal with exit status {status}, found {found.num_rows} rows"


def refuses(status, *words):
    return lambda case: refused(lambda: product.read(table(case)), status, *words)


def live_files(count, version, *missing_names):
    """Checks the number of live files, and that reading names one of those that are missing."""

    def check(case):
        found = detail(table(case))
        if int(found["numFiles"]) != count:
            return f"expected {count} live files, found {found['numFiles']}"
        newest = max(int(entry["version"]) for entry in history(table(case)))
        if newest != version:
            return f"expected newest version {version}, found {newest}"
        if count == 0:
            empty = product.read(table(case)).num_rows
            return None if empty == 0 else f"expected no rows, found {empty}"
        read = lambda: product.read(table(case))
        return refused(read, product.EXIT_DAMAGED, *missing_names)

    return check


def commit_info(case):
    entries = history(table(case))
    wanted = {"version": 0, "operation": "WRITE", "userName": "username_0", "userMetadata": "foo"}
    found = {k: entries[0].get(k) for k in wanted}
    return None if found == wanted else f"expected {wanted}, found {found}"


def hive(case):
    """Tables below one folder, without expected rows: the peers that agree on them are the judge."""
    problems = []
    for name in sorted(os.listdir(table(case))):
        path = os.path.join(table(case), name)
        problem = rows.difference(readers.delta_rs(path), product.read(path))
        if problem:
            problems.append(f"{name}: {problem}")
    return "; ".join(problems) or None


def partition_values(case):
    """The corpus wrote this in a zone west of UTC; without a zone in the value, UTC is meant."""
    expected, found = expected_rows(case), product.read(table(case))
    column = expected.column_names.index("as_timestamp")
    shifted = pc.subtract(expected["as_timestamp"], pa.scalar(7 * 3600 * 10**6, pa.duration("us")))
    return rows.difference(expected.set_column(column, "as_timestamp", shifted), found)


def keeps_the_rules(case):
    """A table with rows keeps every rule; warnings, such as of a hint that is empty, are fine."""
    try:
        product.run("fsck", table(case), "--data", "--format", "csv")
    except product.ProductError as e:
        return e.stdout[:500] or str(e)
    return None


def reads_older(version, other):
    """Rows of an older version equal the newest ones of another case."""

    def check(case):
        expected = expected_rows(os.path.join(os.path.dirname(case), other))
        return rows.difference(expected, product.read(table(case), version=version))

    return check


REFUSED_METADATA = refuses(product.EXIT_DAMAGED, "metadata")
REFUSED_PROTOCOL = refuses(product.EXIT_DAMAGED, "protocol", "schemaString")

# Cases that have no expected rows, or whose expected rows need an explanation.
SPECIAL = {
    "canonicalized-paths-normal-a": live_files(0, 1),
    "canonicalized-paths-normal-b": live_files(0, 1),
    "canonicalized-paths-special-a": live_files(0, 1),
    "canonicalized-paths-special-b": live_files(0, 1),
    "checkpoint": live_files(1, 14, "15"),
    "data-reader-absolute-paths-escaped-chars": lambda c: history_versions(table(c), [0, 1]),
    "data-reader-partition-values": partition_values,
    "delete-re-add-same-file-different-transactions": live_files(2, 3, "foo", "bar"),
    "deltalog-commit-info": commit_info,
    "deltalog-invalid-protocol-version": refuses(product.EXIT_UNSUPPORTED, "99"),
    "deltalog-state-reconstruction-from-checkpoint-missing-metadata": REFUSED_METADATA,
    "deltalog-state-reconstruction-from-checkpoint-missing-protocol": REFUSED_PROTOCOL,
    "deltalog-state-reconstruction-without-metadata": REFUSED_METADATA,
    "deltalog-state-reconstruction-without-protocol": REFUSED_PROTOCOL,
    "hive": hive,
    "log-replay-special-characters-b": live_files(1, 0, "special p@#h"),
    "no-delta-log-folder": refuses(product.EXIT_FAILED, "not a delta table", "_delta_log"),
    "update-deleted-directory": lambda c: history_versions(table(c), [0]),
    "versions-not-contiguous": refuses(product.EXIT_DAMAGED, "version 1"),
}

# Older versions whose rows another case holds: (case, version) -> case.
OLDER = {
    ("time-travel-start-start20", 0): "time-travel-start",
    ("time-travel-start-start20-start40", 0): "time-travel-start",
    ("time-travel-start-start20-start40", 1): "time-travel-start-start20",
    ("snapshot-data3", 0): "snapshot-data0",
    ("snapshot-data3", 1): "snapshot-data1",
    ("snapshot-data3", 2): "snapshot-data2",
}

# Cases that break a rule of the protocol on purpose: name -> which.
UNRULY = {"deltalog-getChanges": "change data without the feature"}

# Cases that need a feature the program does not have yet: name -> why.
SKIPPED = {}


def compare(read):
    return lambda case: rows.difference(expected_rows(case), read(table(case)))


def checks(corpus, reader):
    """Every check to run as (name, case folder, function)."""
    found = []
    for name in sorted(os.listdir(corpus)):
        case = os.path.join(corpus, name)
        if not os.path.isdir(case):
            continue
        has_rows = os.path.isdir(os.path.join(case, "expected"))
        if reader != "deltaworks":
            if has_rows:
                read = {"delta-rs": readers.delta_rs, "duckdb": readers.duckdb}[reader]
                found.append((name, case, compare(read)))
        elif name in SPECIAL:
            found.append((name, case, SPECIAL[name]))
        elif has_rows:
            found.append((name, case, compare(product.read)))
        else:
            why = "no expected rows and no check of its own in tests/conformance/conformance.py"
            found.append((name, case, lambda case: why))
        if reader == "deltaworks" and has_rows and name not in UNRULY:
            found.append((f"{name} checked", case, keeps_the_rules))
    if reader == "deltaworks":
        for (name, version), other in OLDER.items():
            case = os.path.join(corpus, name)
            if os.path.isdir(case) and os.path.isdir(os.path.join(corpus, other)):
                found.append((f"{name} at version {version}", case, reads_older(version, other)))
    return found


def run_one(check):
    name, case, function = check
    if name in SKIPPED:
        return name, "skipped", SKIPPED[name]
    try:
        problem = function(case)
    except Exception as e:  # whatever goes wrong with one case must not hide the others
        problem = f"{type(e).__name__}: {e}".replace("\n", " ")[:600]
    return name, "failed" if problem else "passed", problem


def unpack(corpus, folder):
    """Archives of the corpus below `folder`; a corpus without any is used where it is."""
    if os.path.isdir(corpus):
        archives = [os.path.join(corpus, n) for n in sorted(os.listdir(corpus))]
        archives = [a for a in archives if a.endswith(".tar.zst")]
    else:
        archives = [corpus]
    for archive in archives:
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder if archives else corpus


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("cases", nargs="*", help="only these")
    parser.add_argument("--reader", default="deltaworks", choices=["deltaworks", "delta-rs", "duckdb"])
    options = parser.parse_args()
    if not os.path.exists(options.corpus):
        sys.exit(f"expected a corpus at {options.corpus}, found nothing there")
    if options.reader == "deltaworks":
        product.program()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dw-conformance-") as folder:
        todo = checks(unpack(options.corpus, folder), options.reader)
        if options.cases:
            todo = [c for c in todo if c[0].split(" at ")[0] in options.cases]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = list(pool.map(run_one, todo))
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, outcome, message in results:
        count[outcome] += 1
        if outcome != "passed":
            print(f"{outcome}: {name}: {message}")
    print(f"{options.reader} read the corpus in {time.monotonic() - start:.1f} s")
    tail = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"{count['passed']} passed, {count['failed']} failed{tail}")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
