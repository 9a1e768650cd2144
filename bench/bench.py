"""Measures us and the peers on the same work and prints one table of figures; see ./run."""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
import uuid

import datagen
from dwpeers import product

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(product.ROOT, ".bench")
DATA = os.path.join(BENCH, "data")
WORK = os.path.join(BENCH, "work")

APPENDS = 1000
APPENDED_ROWS = 1000
EDGE = 50  # appends at either end that are compared
RANGE = "id >= 50000000 and id < 50005000"  # lies in exactly 5 files of log100k
RANGE_FILES = 5
WRITERS, APPENDS_PER_WRITER = 8, 50
DELETES_PER_WRITER = 25
DEAD_FILES = 20000
MEMORY_LIMIT_MB = 200  # less than lineitem.parquet, far less than its rows

Q1 = (
    "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),"
    " sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),"
    " avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*) FROM {t}"
    " WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY 1, 2"
)
Q6 = (
    "SELECT sum(l_extendedprice * l_discount) FROM {t} WHERE l_shipdate >= DATE '1994-01-01'"
    " AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"
)
POINT = "SELECT * FROM {t} WHERE l_orderkey = 3000000"


class Stepper:
    """A process that runs one step of a workload when told to."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.command = command
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.command[:4])} ... ended with {self.process.wait()}")
        return json.loads(line)

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def finish(self):
        """Ends the process; returns its peak of memory in MB."""
        self.process.stdin.close()
        peak = self.read()["peak_mb"]
        self.process.wait()
        return peak


def us(*arguments):
    return Stepper([os.path.join(product.ROOT, "build/bench/deltaworks_bench"), *arguments])


def peer(*arguments):
    return Stepper([sys.executable, os.path.join(HERE, "peer.py"), *arguments])


def scratch(name):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def data(name):
    datagen.ensure(DATA, *(["lineitem.parquet"] if name in ("li12", "li200") else []), name)
    return os.path.join(DATA, name)


class Report:
    """Rows of the table: what was measured, for whom, and whether a bound is kept."""

    def __init__(self):
        self.rows = []

    def add(self, work, ours, others, bound, kept):
        self.rows.append((work, ours, others, bound, "yes" if kept else "NO"))
        print(f"  {work}: {ours} | {others} | must reach {bound} | {'yes' if kept else 'NO'}")
        sys.stdout.flush()

    def print(self):
        heads = ("work", "us", "peers and floor", "must reach", "reached")
        widths = [max(len(r[i]) for r in [heads, *self.rows]) for i in range(len(heads))]
        print()
        for row in [heads, tuple("-" * w for w in widths), *self.rows]:
            print("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |")
        return all(row[-1] == "yes" for row in self.rows)


def in_turns(steppers, rounds, warm_up=1):
    """Runs all in turns, so that a busy moment of the machine hits every one. name -> steps."""
    found = {name: [] for name in steppers}
    for i in range(warm_up + rounds):
        for name, stepper in steppers.items():
            step = stepper.step()
            if i >= warm_up:
                found[name].append(step)
    return found


def fresh_each(makers, rounds):
    """One step in a new process each time, in turns. name -> steps, name -> highest peak."""
    steps = {name: [] for name in makers}
    peaks = dict.fromkeys(makers, 0.0)
    for _ in range(rounds):
        for name, make in makers.items():
            stepper = make()
            steps[name].append(stepper.step())
            peaks[name] = max(peaks[name], stepper.finish())
    return steps, peaks


def best(steps, what="wall"):
    return min(s[what] for s in steps)


def median(steps, what="wall"):
    return statistics.median(s[what] for s in steps)


def seconds(value):
    return f"{value:.3f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"


def counts(steps, expected, name):
    found = {s["count"] for s in steps}
    if found != {expected}:
        raise RuntimeError(f"{name}: expected a count of {expected}, found {found}")


# ---- the rows --------------------------------------------------------------------------------------


def create(report, rounds):
    """Create a table from 6 M rows of Parquet, all compressed by zstd."""
    source = data("lineitem.parquet")
    folder = scratch("create")
    makers = {
        "us": lambda: us("create", source, os.path.join(folder, "us")),
        "copy": lambda: peer("duckdb", "copy", source, os.path.join(folder, "copy")),
        "delta-rs": lambda: peer("delta-rs", "create", source, os.path.join(folder, "delta-rs")),
    }
    steppers = {name: make() for name, make in makers.items()}
    for name in makers:
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    found = {name: [] for name in makers}
    for i in range(rounds):
        for name, stepper in steppers.items():
            found[name].append(stepper.step())
            shutil.rmtree(os.path.join(folder, name, str(i)))
    peaks = {name: stepper.finish() for name, stepper in steppers.items()}
    counts(found["us"], datagen.LINEITEM_ROWS, "create")
    ours, copy, rs = (best(found[n]) for n in ("us", "copy", "delta-rs"))
    report.add(
        "create from 6 M rows",
        f"{seconds(ours)}, cpu {best(found['us'], 'cpu'):.2f} s, {peaks['us']:.0f} MB",
        f"plain COPY {seconds(copy)} (x{ours / copy:.2f}), cpu {best(found['copy'], 'cpu'):.2f} s;"
        f" delta-rs {seconds(rs)}, {peaks['delta-rs']:.0f} MB",
        "x1.10 of COPY, below delta-rs",
        ours <= 1.10 * copy and ours < rs,
    )


def append(report, rounds):
    """1,000 appends of 1,000 rows each by one process to one table."""
    source, folder = data("lineitem.parquet"), scratch("append")
    total = APPENDS if rounds > 2 else APPENDS // 4
    makers = {
        name: (make, os.path.join(folder, name))
        for name, make in {
            "us": lambda t: us("append", t, source, str(APPENDED_ROWS)),
            "delta-rs": lambda t: peer("delta-rs", "append", t, source, str(APPENDED_ROWS)),
        }.items()
    }
    figures = {}
    for name, (make, table) in makers.items():
        stepper = make(table)
        steps = [stepper.step() for _ in range(total)]
        peak = stepper.finish()
        counts(steps, APPENDED_ROWS, "append")
        figures[name] = {
            "cpu": statistics.mean(s["cpu"] for s in steps) * 1000,
            "wall": statistics.mean(s["wall"] for s in steps) * 1000,
            "first": median(steps[:EDGE]) * 1000,
            "last": median(steps[-EDGE:]) * 1000,
            "peak": peak,
        }
    u, r = figures["us"], figures["delta-rs"]
    show = lambda f: (
        f"cpu {f['cpu']:.2f} ms, wall {f['wall']:.2f} ms; first {EDGE} {f['first']:.2f} ms,"
        f" last {EDGE} {f['last']:.2f} ms; {f['peak']:.0f} MB"
    )
    report.add(
        f"{total:,} appends of 1,000 rows",
        show(u),
        f"delta-rs {show(r)} (x{r['cpu'] / u['cpu']:.1f} cpu, x{r['wall'] / u['wall']:.1f} wall)",
        "4 ms cpu; last <= 1.3 first; 8 x delta-rs",
        u["cpu"] <= 4 and u["last"] <= 1.3 * u["first"] and r["wall"] >= 8 * u["wall"],
    )


def open_log(report, rounds, work, name, files, memory_max):
    """Open a log and list its files, in a new process each time."""
    table = data(name)
    makers = {
        "us": lambda: us("open", table),
        "delta-rs": lambda: peer("delta-rs", "open", table),
        "duckdb": lambda: peer("duckdb", "open", table),
    }
    steps, peaks = fresh_each(makers, rounds)
    for n in ("us", "delta-rs"):
        counts(steps[n], files, f"{work} by {n}")
    ours, rs, duck = (best(steps[n]) for n in ("us", "delta-rs", "duckdb"))
    bound = "6 x delta-rs" + (f", {memory_max} MB" if memory_max else "")
    report.add(
        work,
        f"{seconds(ours)} (median {seconds(median(steps['us']))}), {peaks['us']:.0f} MB",
        f"delta-rs {seconds(rs)} (x{rs / ours:.1f}), {peaks['delta-rs']:.0f} MB;"
        f" DuckDB delta {seconds(duck)}, {peaks['duckdb']:.0f} MB",
        bound,
        rs >= 6 * ours and (not memory_max or peaks["us"] <= memory_max),
    )


def open_million(report, rounds):
    open_log(report, rounds, "open and list 1,000,100 files", "log1m", 1_000_100, 300)


def open_sidecars(report, rounds):
    """Open a V2 checkpoint with sidecars, and a classic one of the same files."""
    makers = {n: lambda n=n: us("open", data(n)) for n in ("log1mv2", "log1m")}
    steps, peaks = fresh_each(makers, rounds)
    for name in makers:
        counts(steps[name], 1_000_100, name)
    v2, classic = best(steps["log1mv2"]), best(steps["log1m"])
    report.add(
        "open and list 1,000,100 files in sidecars",
        f"{seconds(v2)}, {peaks['log1mv2']:.0f} MB",
        f"us, classic {seconds(classic)}",
        "classic, and a tenth",
        v2 <= 1.1 * classic,
    )


def open_commits(report, rounds):
    open_log(report, rounds, "open 10,000 JSON commits", "json10k", 10_000, None)


def plan(report, rounds):
    """Plan a range that lies in 5 of 100,100 files: from nothing, and on an open snapshot."""
    table = data("log100k")
    cold = {
        "us": lambda: us("plan_cold", table, RANGE),
        "delta-rs": lambda: peer("delta-rs", "plan_cold", table, RANGE),
        "duckdb": lambda: peer("duckdb", "plan_cold", table, RANGE),
    }
    steps, peaks = fresh_each(cold, rounds)
    warm = {
        "us": us("plan_warm", table, RANGE),
        "delta-rs": peer("delta-rs", "plan_warm", table, RANGE),
        "duckdb": peer("duckdb", "plan_warm", table, RANGE),
    }
    again = in_turns(warm, rounds * 2)
    for stepper in warm.values():
        stepper.finish()
    for title, found in (("cold", steps), ("warm", again)):
        counts(found["us"], RANGE_FILES, f"plan {title}")
        ours, rs, duck = (best(found[n]) for n in ("us", "delta-rs", "duckdb"))
        report.add(
            f"plan a range over 100,100 files, {title}",
            f"{seconds(ours)} (median {seconds(median(found['us']))}), {RANGE_FILES} files"
            + (f", {peaks['us']:.0f} MB" if title == "cold" else ""),
            f"delta-rs {seconds(rs)}, DuckDB delta {seconds(duck)} (x{min(rs, duck) / ours:.1f})",
            "exactly 5 files, 3 x the best peer",
            min(rs, duck) >= 3 * ours,
        )


def changes(report, rounds):
    """Plan table_changes over 1,000 versions of a table of 10,000 files."""
    query = f"EXPLAIN SELECT * FROM table_changes('delta.`{data('changes10k')}`', 1, 1000)"
    cold, peaks = fresh_each({"us": lambda: us("query", query)}, rounds)
    warm = us("query", query)
    again = in_turns({"us": warm}, rounds * 2)
    warm.finish()
    report.add(
        "plan table_changes over 1,000 versions",
        f"{seconds(best(cold['us']))} (median {seconds(median(cold['us']))}) with the engine's start,"
        f" {seconds(best(again['us']))} on an open table, {peaks['us']:.0f} MB",
        "-",
        "0.2 s",
        best(cold["us"]) < 0.2,
    )


def checksums(report, rounds):
    """A version that changes a property, with its .crc, on an empty table and one of 100,100 files."""
    folder = scratch("checksums")
    tables = {"small": os.path.join(folder, "small"), "large": os.path.join(folder, "large")}
    product.sql(f"CREATE TABLE delta.`{tables['small']}` (id BIGINT)")
    shutil.copytree(data("log100k"), tables["large"])
    for table in tables.values():
        product.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ('delta.checkpointInterval' = '100000')")
    steppers = {name: us("commit", table) for name, table in tables.items()}
    found = in_turns(steppers, rounds * 40, warm_up=5)
    for name, stepper in steppers.items():
        stepper.finish()
        if not any(f.endswith(".crc") for f in os.listdir(f"{tables[name]}/_delta_log")):
            raise RuntimeError("expected checksums")
    small, large = (median(found[name], "cpu") for name in ("small", "large"))
    report.add(
        "a commit and its checksum, 100,100 files",
        f"cpu {large * 1000:.2f} ms, wall {median(found['large']) * 1000:.2f} ms",
        f"an empty table: cpu {small * 1000:.2f} ms",
        "1 ms cpu, and x1.3 of an empty table",
        large <= 0.001 and large <= 1.3 * small,
    )


def schema_change(report, rounds):
    """ALTER TABLE of columns of a table of 1,000,100 files; a new process each time."""
    table = os.path.join(scratch("schema-change"), "table")
    shutil.copytree(data("log1m"), table)
    name = f"delta.`{table}`"
    files = sorted(os.listdir(table))
    product.sql(
        f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name',"
        " 'delta.enableTypeWidening' = 'true', 'delta.checkpointInterval' = '100000')"
    )
    changes = {
        "ADD COLUMN": lambda i: f"ADD COLUMN n{i} INT",
        "TYPE": lambda i: f"ALTER COLUMN n{i} TYPE BIGINT",
        "RENAME COLUMN": lambda i: f"RENAME COLUMN n{i} TO m{i}",
    }
    found = {change: [] for change in changes}
    for i in range(rounds):
        for change, words in changes.items():
            steps, _ = fresh_each({change: lambda: us("query", f"ALTER TABLE {name} {words(i)}")}, 1)
            found[change] += steps[change]
    if sorted(os.listdir(table)) != files:
        raise RuntimeError("expected no file to be written")
    worst = max(best(steps) for steps in found.values())
    report.add(
        "a change of columns of 1,000,100 files",
        ", ".join(f"{change} {seconds(best(steps))}" for change, steps in found.items()),
        "-",
        "0.5 s, and no file",
        worst < 0.5,
    )


def queries(report, rounds):
    """TPC-H Q1, Q6 and a point lookup over 12 files, against plain DuckDB on the same files."""
    table = data("li12")
    names = {
        "us": f"delta.`{table}`",
        "floor": f"read_parquet('{table}/*.parquet')",
        "ext": f"delta_scan('{table}')",
    }
    for title, sql, steps in (("Q1", Q1, 6), ("Q6", Q6, 12), ("point lookup", POINT, 60)):
        steppers = {
            "us": us("query", sql.format(t=names["us"])),
            "floor": peer("duckdb", "query", sql.format(t=names["floor"])),
            "through": us("query", sql.format(t=names["floor"])),
            "ext": peer("duckdb-delta", "query", sql.format(t=names["ext"])),
        }
        found = in_turns(steppers, rounds * steps, warm_up=3)
        peaks = {name: stepper.finish() for name, stepper in steppers.items()}
        counts(found["us"], found["floor"][0]["count"], title)
        ours, floor, through, ext = (best(found[n]) for n in steppers)
        middle = median(found["us"]) / median(found["floor"])
        report.add(
            f"TPC-H {title}, 12 files" if title.startswith("Q") else f"{title}, 12 files",
            f"{seconds(ours)} (median {seconds(median(found['us']))}),"
            f" cpu {median(found['us'], 'cpu') * 1000:.1f} ms, {peaks['us']:.0f} MB",
            f"plain DuckDB {seconds(floor)} (x{ours / floor:.2f}, medians x{middle:.2f}),"
            f" cpu {median(found['floor'], 'cpu') * 1000:.1f} ms;"
            f" the same files through us {seconds(through)}; DuckDB delta {seconds(ext)}",
            "x1.05 of plain DuckDB",
            min(ours / floor, middle) <= 1.05,
        )


FEATURES = {
    "none": "",
    "deletion vectors over 1 % of the rows": "'delta.enableDeletionVectors' = 'true'",
    "column mapping": "'delta.columnMapping.mode' = 'name'",
}


def table_with(folder, feature, source):
    """The same rows in one more layout, written by us."""
    path = os.path.join(folder, feature.split()[0])
    properties = f" TBLPROPERTIES ({FEATURES[feature]})" if FEATURES[feature] else ""
    rows = f"SELECT * FROM read_parquet('{source}')"
    product.sql(f"CREATE TABLE delta.`{path}`{properties} AS {rows}")
    if feature.startswith("deletion"):
        product.sql(f"DELETE FROM delta.`{path}` WHERE hash(l_orderkey, l_linenumber) % 100 = 0")
    return path


def features(report, rounds):
    """Q1 and Q6 over tables with deletion vectors and column mapping, against one without."""
    source, folder = data("lineitem.parquet"), scratch("features")
    tables = {feature: table_with(folder, feature, source) for feature in FEATURES}
    for title, sql, steps in (("Q1", Q1, 6), ("Q6", Q6, 12)):
        steppers = {f: us("query", sql.format(t=f"delta.`{t}`")) for f, t in tables.items()}
        found = in_turns(steppers, rounds * steps, warm_up=3)
        for stepper in steppers.values():
            stepper.finish()
        plain = found.pop("none")
        for feature, steps_of in found.items():
            ratio = min(best(steps_of) / best(plain), median(steps_of) / median(plain))
            bound = 1.10 if feature.startswith("deletion") else 1.03
            report.add(
                f"TPC-H {title}, {feature}",
                f"{seconds(best(steps_of))} (median {seconds(median(steps_of))})",
                f"without {seconds(best(plain))} (x{ratio:.2f})",
                f"x{bound:.2f} of the same without",
                ratio <= bound,
            )


def run_process(command, **environment):
    """Wall seconds from start to exit, and the peak of memory in MB."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1)]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, {**os.environ, **environment}, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(null)
    if status != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with status {status}")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def one_shot(report, rounds):
    """`SELECT count(*)` as a process of its own."""
    table = data("li12")
    delta_rs = f"from deltalake import DeltaTable; print(DeltaTable('{table}').count())"
    duckdb = (
        "from dwpeers import readers; con = readers.duckdb_connection('delta');"
        f"print(con.execute(\"SELECT count(*) FROM delta_scan('{table}')\").fetchall())"
    )
    commands = {
        "us": [product.program(), "sql", "-c", f"SELECT count(*) FROM delta.`{table}`"],
        "delta-rs": [sys.executable, "-c", delta_rs],
        "duckdb": [sys.executable, "-c", duckdb],
    }
    found = {name: [] for name in commands}
    for i in range(rounds * 4 + 1):
        for name, command in commands.items():
            step = run_process(command)
            if i > 0:
                found[name].append(step)
    ours, rs, duck = (best(found[n]) for n in commands)
    report.add(
        "one-shot count(*) as a process",
        f"{seconds(ours)} (median {seconds(median(found['us']))}),"
        f" {max(s['peak_mb'] for s in found['us']):.0f} MB",
        f"delta-rs {seconds(rs)}, DuckDB delta {seconds(duck)} (Python)",
        "15 ms",
        median(found["us"]) <= 0.015,
    )


def append_beside(make, table):
    """8 processes that append to one table at once: (commits, commits a second, rows)."""
    make("append", table).finish()  # creates it
    steppers = [make("append-beside", table) for _ in range(WRITERS)]
    start = time.perf_counter()
    for stepper in steppers:
        stepper.process.stdin.write("\n" * APPENDS_PER_WRITER)
        stepper.process.stdin.flush()
    done = sum(1 for s in steppers for _ in range(APPENDS_PER_WRITER) if s.read()["count"])
    wall = time.perf_counter() - start
    for stepper in steppers:
        stepper.finish()
    rows = product.query(f"SELECT count(l_orderkey) AS n FROM delta.`{table}`")["n"][0].as_py()
    if rows != done * APPENDED_ROWS:
        raise RuntimeError(f"{done} appends were acknowledged, and there are {rows} rows")
    return done, done / wall


def writers(report, _rounds):
    """8 processes append to one table at once."""
    source, folder = data("lineitem.parquet"), scratch("writers")
    rows = str(APPENDED_ROWS)
    done, rate = append_beside(lambda _, t: us("append", t, source, rows), os.path.join(folder, "us"))
    rs_done, rs_rate = append_beside(
        lambda work, t: peer("delta-rs", work, t, source, rows), os.path.join(folder, "delta-rs")
    )
    count = WRITERS * APPENDS_PER_WRITER
    report.add(
        f"{WRITERS} processes x {APPENDS_PER_WRITER} appends to one table",
        f"{count - done} of {count} failed, {rate:.0f} commits/s",
        f"delta-rs: {count - rs_done} of {count} failed, {rs_rate:.0f} commits/s (x{rate / rs_rate:.1f})",
        "none failed, none lost; 8 x delta-rs",
        done == count and rate >= 8 * rs_rate,
    )


def deleters(report, _rounds):
    """8 processes delete different rows in the same files."""
    done = subprocess.run(
        [os.path.join(product.ROOT, "tests/crash/statements.py"), "disjoint",
         "--writers", str(WRITERS), "--each", str(DELETES_PER_WRITER)],
        env={**os.environ, "DELTAWORKS_PROGRAM": product.program()},
        capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    report.add(
        f"{WRITERS} processes x {DELETES_PER_WRITER} deletes of disjoint rows in the same files",
        lines[1] if done.returncode == 0 else done.stderr.strip().splitlines()[0],
        "-",
        "all succeed",
        done.returncode == 0,
    )


def readers(report, rounds):
    """50 readers look rows up in the newest version beside a writer."""
    source, folder = data("lineitem.parquet"), scratch("readers")
    length = str(5 if rounds > 2 else 2)
    makers = {
        "us": lambda t: us("readers", t, source, length),
        "delta-rs": lambda t: peer("delta-rs", "readers", t, source, length),
        "duckdb": lambda t: peer("duckdb", "readers", t, source, length),
    }
    found = {}
    for name, make in makers.items():
        table = shutil.copytree(data("li12"), os.path.join(folder, name))
        stepper = make(table)
        steps = [stepper.step() for _ in range(2)]
        stepper.finish()
        rate = max(s["count"] / s["wall"] for s in steps)
        found[name] = (rate, min(s["p99"] for s in steps))
    (ours, p99), (rs, rs_p99), (floor, floor_p99) = (found[n] for n in makers)
    report.add(
        "50 readers look up rows beside a writer",
        f"{ours:.0f}/s, p99 {seconds(p99)}",
        f"delta-rs {rs:.0f}/s (x{ours / rs:.1f}), p99 {seconds(rs_p99)} (x{rs_p99 / p99:.1f});"
        f" plain DuckDB {floor:.0f}/s (x{ours / floor:.2f}), p99 {seconds(floor_p99)}",
        "3 x delta-rs, p99 a third; 0.9 x plain DuckDB",
        ours >= 3 * rs and 3 * p99 <= rs_p99 and ours >= 0.9 * floor,
    )


# What is done to 6 M rows in 12 files: to one row of a hundred, scattered; and 100,000 rows merged, half of
# which are there. name -> (our statement, bound, megabytes at most)
SCATTERED = "(l_orderkey * 7 + l_linenumber) % 100 = 3"
SAME_ROW = "t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber"
MERGED_ROWS = 100_000
CHANGES_OF_ROWS = {
    "delete": (f"DELETE FROM {{t}} WHERE {SCATTERED}", 12, None),
    "update": (f"UPDATE {{t}} SET l_quantity = l_quantity + 1, l_comment = 'changed' WHERE {SCATTERED}", 3, None),
    "merge": (
        f"MERGE INTO {{t}} AS t USING '{{source}}' AS s ON {SAME_ROW}"
        " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        4,
        400,
    ),
}


def merge_source(path, rows=MERGED_ROWS):
    """So many rows of lineitem, of which half have keys that are not there."""
    half, every = rows // 2, datagen.LINEITEM_ROWS // (rows // 2)
    product.sql(
        "COPY (WITH r AS (SELECT * REPLACE ('merged' AS l_comment) FROM (SELECT *, row_number() OVER () AS n FROM"
        f" read_parquet('{data('lineitem.parquet')}')) WHERE n % {every} = 0 LIMIT {half})"
        " SELECT * EXCLUDE (n) FROM r UNION ALL"
        f" SELECT * EXCLUDE (n) REPLACE (l_orderkey + 100000000 AS l_orderkey) FROM r) TO '{path}' (FORMAT parquet)"
    )
    return path


def row_changes(report, rounds):
    """DELETE and UPDATE of 1 % of 6 M rows, and a MERGE of 100,000; on a table of its own each time."""
    folder = scratch("row_changes")
    source = merge_source(os.path.join(folder, "source.parquet"))
    for name, (statement, bound, memory_max) in CHANGES_OF_ROWS.items():

        def ours(table=os.path.join(folder, "us")):
            shutil.rmtree(table, ignore_errors=True)
            shutil.copytree(data("li12"), table)
            product.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
            return us("query", statement.format(t=f"delta.`{table}`", source=source))

        def theirs(table=os.path.join(folder, "delta-rs")):
            shutil.rmtree(table, ignore_errors=True)
            shutil.copytree(data("li12"), table)
            return peer("delta-rs", name, table, source)

        steps, peaks = fresh_each({"us": ours, "delta-rs": theirs}, min(rounds, 3))
        mine, rs = best(steps["us"]), best(steps["delta-rs"])
        mine_cpu, rs_cpu = best(steps["us"], "cpu"), best(steps["delta-rs"], "cpu")
        report.add(
            f"{name.upper()} {'100,000 rows into' if name == 'merge' else '1 % of'} 6 M rows",
            f"{seconds(mine)}, cpu {mine_cpu:.2f} s, {peaks['us']:.0f} MB",
            f"delta-rs {seconds(rs)} (x{rs / mine:.1f}), cpu {rs_cpu:.2f} s (x{rs_cpu / mine_cpu:.1f}),"
            f" {peaks['delta-rs']:.0f} MB",
            f"{bound} x delta-rs" + (f", {memory_max} MB" if memory_max else ""),
            rs >= bound * mine and (not memory_max or peaks["us"] <= memory_max),
        )


# A MERGE of a tenth of TPC-H lineitem at scale factor 10, with less memory than its rows take. Half of the
# source is there, scattered over the whole table.
LARGE_COPIES, LARGE_LIMIT_MB, LARGE_PEAK_MB = 10, 2000, 2500
COPY_KEYS = 10_000_000  # no order of lineitem has a greater key


def table_with_dead_files(table):
    """One live file, and DEAD_FILES that were removed long ago, in eight partitions."""
    os.makedirs(os.path.join(table, "_delta_log"))
    field = '{"name":"%s","type":"%s","nullable":true,"metadata":{}}'
    schema = '{"type":"struct","fields":[' + field % ("id", "long") + "," + field % ("p", "string") + "]}"
    names = [f"p={i % 8}/part-{i:05d}-{uuid.UUID(int=i)}.parquet" for i in range(DEAD_FILES + 1)]
    old = 1_600_000_000_000

    def add(name):
        return {"add": {"path": name, "partitionValues": {"p": name[2]}, "size": 1000, "modificationTime": old,
                        "dataChange": True}}

    def remove(name):
        return {"remove": {"path": name, "deletionTimestamp": old + 1, "dataChange": True, "extendedFileMetadata": True,
                           "partitionValues": {"p": name[2]}, "size": 1000}}

    commits = [
        [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
         {"metaData": {"id": "dead", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
                       "partitionColumns": ["p"], "createdTime": old,
                       "configuration": {"delta.deletedFileRetentionDuration": "interval 0 hours"}}}],
        [add(name) for name in names],
        [remove(name) for name in names[1:]],
    ]
    for version, actions in enumerate(commits):
        path = os.path.join(table, "_delta_log", f"{version:020}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(action) + "\n" for action in actions)
        os.utime(path, (old / 1000 + version, old / 1000 + version))
    for name in names:
        path = os.path.join(table, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * 1000)
        os.utime(path, (old / 1000, old / 1000))


def vacuum(report, rounds):
    """VACUUM of 20,000 dead files; a fresh table each time."""
    folder = scratch("vacuum")

    def made(name):
        table = os.path.join(folder, name)
        shutil.rmtree(table, ignore_errors=True)
        table_with_dead_files(table)
        return table

    for kind in ("FULL", "LITE"):
        makers = {"us": lambda: us("query", f"VACUUM delta.`{made('us')}` {kind} RETAIN 0 HOURS"),
                  "delta-rs": lambda: peer("delta-rs", "vacuum", made("delta-rs"), kind)}
        steps, peaks = fresh_each(makers, min(rounds, 3))
        for name in makers:
            left = sum(len(files) for path, _, files in os.walk(os.path.join(folder, name)) if "_delta_log" not in path)
            if left != 1:
                raise RuntimeError(f"{name} left {left} files")
        mine, rs = best(steps["us"]), best(steps["delta-rs"])
        report.add(
            f"VACUUM {kind} of {DEAD_FILES:,} dead files",
            f"{seconds(mine)}, cpu {best(steps['us'], 'cpu'):.2f} s, {peaks['us']:.0f} MB",
            f"delta-rs {seconds(rs)} (x{rs / mine:.1f}), cpu {best(steps['delta-rs'], 'cpu'):.2f} s,"
            f" {peaks['delta-rs']:.0f} MB",
            "1.5 x delta-rs",
            rs >= 1.5 * mine,
        )


COPY_FILES = "mkdir -p {1} && cp {0}/*.parquet {1} && sync {1}/*.parquet {1}"
SHALLOW_SECONDS = 5


def clone(report, rounds):
    """DEEP CLONE of 6 M rows in 12 files beside cp of the same bytes; SHALLOW CLONE of 1,000,100 files."""
    folder, source = scratch("clone"), data("li12")
    target = os.path.join(folder, "t")
    commands = {
        "us": [product.program(), "sql", "-c", f"CREATE TABLE delta.`{target}` DEEP CLONE delta.`{source}`"],
        "cp": ["/bin/sh", "-c", COPY_FILES.format(source, target)],
    }
    found = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(run_process(command))
            shutil.rmtree(target)
            os.sync()
    ours, floor = (best(found[n]) for n in commands)
    report.add(
        "DEEP CLONE of 6 M rows, 12 files",
        f"{seconds(ours)}, cpu {best(found['us'], 'cpu'):.2f} s, {max(s['peak_mb'] for s in found['us']):.0f} MB",
        f"cp with fsync {seconds(floor)} (x{floor / ours:.2f}), cpu {best(found['cp'], 'cpu'):.2f} s",
        "0.8 x the speed of cp",
        floor >= 0.8 * ours,
    )
    steps = []
    for _ in range(min(rounds, 3)):
        statement = f"CREATE TABLE delta.`{target}` SHALLOW CLONE delta.`{data('log1m')}`"
        steps.append(run_process([product.program(), "sql", "-c", statement]))
        shutil.rmtree(target)
    report.add(
        "SHALLOW CLONE of 1,000,100 files",
        f"{seconds(best(steps))}, cpu {best(steps, 'cpu'):.2f} s, {max(s['peak_mb'] for s in steps):.0f} MB",
        "-",
        f"{SHALLOW_SECONDS} s",
        best(steps) <= SHALLOW_SECONDS,
    )


# Names as Spark gives them, each in one of so many partitions.
MANY_FILES, MANY_PARTITIONS, MANY_PEAK_MB = 10_000_000, 1000, 1000
LINKS_MAX = 60_000  # of one file; ext4 takes 65,000
OLD_MS = 1_600_000_000_000


def many_names():
    """(partition, name) of each of the files, as a query."""
    digits = "md5(i::VARCHAR)"
    parts = ", ".join(f"substr({digits}, {at}, {n})" for at, n in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)))
    name = f"printf('part-%05d-%s-%s-%s-%s-%s.c000.snappy.parquet', i // {MANY_PARTITIONS}, {parts})"
    return f"SELECT printf('p=%03d', i % {MANY_PARTITIONS}) AS p, {name} AS name FROM range({MANY_FILES}) r(i)"


def many_files(table):
    """As many names as that; the files behind them are a few."""
    names = datagen.readers.duckdb_connection().execute(many_names())
    handles = []
    for i in range(MANY_PARTITIONS):
        os.makedirs(os.path.join(table, f"p={i:03d}"))
        handles.append(os.open(os.path.join(table, f"p={i:03d}"), os.O_RDONLY))
    count, source = 0, None
    while batch := names.fetchmany(50_000):
        for partition, name in batch:
            directory = handles[int(partition[2:])]
            if count % LINKS_MAX == 0:
                source = os.path.join(table, partition, name)
                with open(source, "wb") as file:
                    file.write(b"x")
                os.utime(source, (OLD_MS / 1000, OLD_MS / 1000))
            else:
                os.link(source, name, dst_dir_fd=directory)
            count += 1
    for handle in handles:
        os.close(handle)


def log_of_many_files(table, are_live):
    """A log that has all of the files, or none."""
    log = os.path.join(table, "_delta_log")
    shutil.rmtree(log, ignore_errors=True)
    os.makedirs(log)
    first = datagen.first_actions({"id": "long", "p": "string"})
    first[1]["metaData"]["partitionColumns"] = ["p"]
    datagen.write_commit(log, 0, first)
    if not are_live:
        return
    add = (
        "struct_pack(path := p || '/' || name, partitionValues := MAP {'p': substr(p, 3)}, size := 1::BIGINT,"
        f" modificationTime := {OLD_MS}::BIGINT, dataChange := false)"
    )
    con = datagen.readers.duckdb_connection()
    con.register("first", datagen.checkpoint_rows(first))
    con.execute(
        f"COPY (SELECT * EXCLUDE (add) FROM first UNION ALL BY NAME SELECT {add} AS add FROM ({many_names()}))"
        f" TO '{log}/{0:020d}.checkpoint.parquet' (COMPRESSION snappy)"
    )
    with open(f"{log}/_last_checkpoint", "w", encoding="utf-8") as file:
        json.dump({"version": 0, "size": MANY_FILES + 2}, file)


def vacuum_ten_million(report, _rounds):
    """VACUUM ... DRY RUN of a table of ten million files, all live and all dead; needs 2 GB, and minutes to make."""
    table = os.path.join(scratch("vacuum_many"), "t")
    many_files(table)
    for kind in ("live", "dead"):
        log_of_many_files(table, kind == "live")
        found = run_process([product.program(), "sql", "-c", f"VACUUM delta.`{table}` RETAIN 168 HOURS DRY RUN"])
        report.add(
            f"VACUUM DRY RUN of {MANY_FILES:,} {kind} files",
            f"{seconds(found['wall'])}, cpu {found['cpu']:.1f} s, {found['peak_mb']:.0f} MB",
            "-",
            f"{MANY_PEAK_MB} MB",
            found["peak_mb"] <= MANY_PEAK_MB,
        )
    shutil.rmtree(os.path.dirname(table))


def large_table(table):
    """Lineitem ten times, each with keys of its own; takes minutes."""
    rows = " UNION ALL ".join(
        f"SELECT * REPLACE (l_orderkey + {i * COPY_KEYS} AS l_orderkey) FROM read_parquet('{data('lineitem.parquet')}')"
        for i in range(LARGE_COPIES)
    )
    statement = f"CREATE TABLE {table} TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS {rows}"
    product.run("sql", "-c", statement, timeout=3600)


def large_source(path):
    """A twentieth of each copy, and as many rows with keys that are not there. Returns how many those are."""
    every = 2 * LARGE_COPIES
    product.sql(
        f"COPY (WITH r AS (SELECT * REPLACE (l_orderkey + n % {every} * {COPY_KEYS} AS l_orderkey, 'merged' AS l_comment)"
        f" FROM (SELECT *, row_number() OVER () AS n FROM read_parquet('{data('lineitem.parquet')}'))"
        f" WHERE n % {every} < {LARGE_COPIES}) SELECT * EXCLUDE (n) FROM r UNION ALL SELECT * EXCLUDE (n)"
        f" REPLACE (l_orderkey + {LARGE_COPIES * COPY_KEYS} AS l_orderkey) FROM r) TO '{path}' (FORMAT parquet)"
    )
    return product.query(f"SELECT count(*) AS n FROM '{path}'")["n"][0].as_py() // 2


COMPACT = (
    "import sys, time; from deltalake import DeltaTable; t = DeltaTable(sys.argv[1]); s = time.perf_counter();"
    " t.optimize.compact(target_size=1 << 30); print(time.perf_counter() - s)"
)
JOIN = "cat {0}/*.parquet > {0}.joined && sync {0}.joined && rm {0}.joined"


def optimize(report, rounds):
    """OPTIMIZE of 200 files that hold 6 M rows; of delta-rs the call alone, of us the process."""
    folder = scratch("optimize")
    found = {"us": [], "delta-rs": [], "floor": []}
    for _ in range(min(rounds, 3)):
        for name, steps in found.items():
            table = os.path.join(folder, name)
            shutil.copytree(data("li200"), table)
            os.sync()
            if name == "us":
                steps.append(run_process([product.program(), "optimize", table])["wall"])
            elif name == "floor":
                steps.append(run_process(["/bin/sh", "-c", JOIN.format(table)])["wall"])
            else:
                done = subprocess.run([sys.executable, "-c", COMPACT, table], capture_output=True, check=True)
                steps.append(float(done.stdout))
            shutil.rmtree(table)
    ours, rs, floor = (min(found[n]) for n in found)
    report.add(
        "OPTIMIZE 200 files, 6 M rows",
        seconds(ours),
        f"delta-rs {seconds(rs)}, copying the bytes with fsync {seconds(floor)}",
        "5 x delta-rs",
        rs >= 5 * ours,
    )


def bounded_merge(report, _rounds):
    """MERGE of 6 M rows into 60 M (SF10) with 2 GB."""
    folder = scratch("bounded_merge")
    table, source = f"delta.`{folder}/t`", os.path.join(folder, "source.parquet")
    large_table(table)
    new = large_source(source)
    statement = CHANGES_OF_ROWS["merge"][0].format(t=table, source=source)
    limit = ["--memory-limit", f"{LARGE_LIMIT_MB}MB"]
    found = run_process([product.program(), "sql", *limit, "-c", statement])
    counts = f"SELECT count(*) AS n, count(*) FILTER (l_comment = 'merged') AS merged FROM {table}"
    rows = product.query(counts).to_pylist()[0]
    shutil.rmtree(folder)
    expected = {"n": LARGE_COPIES * datagen.LINEITEM_ROWS + new, "merged": 2 * new}
    report.add(
        f"MERGE 6 M rows into 60 M (SF10) with a limit of {LARGE_LIMIT_MB / 1000:.0f} GB",
        f"{seconds(found['wall'])}, cpu {found['cpu']:.0f} s, {found['peak_mb']:.0f} MB, {rows['n']:,} rows",
        "-",
        f"every row, {LARGE_PEAK_MB} MB",
        rows == expected and found["peak_mb"] <= LARGE_PEAK_MB,
    )


def bounded(report, _rounds):
    """Load a file that is larger than the memory limit, plain and partitioned."""
    source, folder = data("lineitem.parquet"), scratch("bounded")
    for title, extra in (("", []), (", partitioned", ["--partition-by", "l_shipmode,l_returnflag"])):
        table = os.path.join(folder, f"us{len(extra)}")
        limit = ["--memory-limit", f"{MEMORY_LIMIT_MB}MB"]
        found = run_process([product.program(), "load", table, source, *limit, *extra])
        rows = product.query(f"SELECT count(l_orderkey) AS n FROM delta.`{table}`")["n"][0].as_py()
        report.add(
            f"load 207 MB with a limit of {MEMORY_LIMIT_MB} MB{title}",
            f"{seconds(found['wall'])}, {found['peak_mb']:.0f} MB, {rows:,} rows",
            "-",
            "every row, 2 x the limit",
            rows == datagen.LINEITEM_ROWS and found["peak_mb"] <= 2 * MEMORY_LIMIT_MB,
        )


CLUSTERED = "l_partkey, l_shipdate"
CLUSTERED_FILES = 10
# 0.5 % of the values of either column, from the middle of its range.
NARROW = ("l_partkey BETWEEN 90000 AND 91000", "l_shipdate BETWEEN DATE '1995-04-01' AND DATE '1995-04-13'")


def files_met(table, condition):
    """How many files are left for a search, and how many there are."""
    plan = product.sql(f"EXPLAIN SELECT * FROM delta.`{table}` WHERE {condition}")
    found = re.search(r"files +([\d,]+) in the table.* ([\d,]+) after statistics", plan)
    return [int(found.group(i).replace(",", "")) for i in (2, 1)]


def clustered_table(folder, name, clause=""):
    """Lineitem in about CLUSTERED_FILES files of the target size."""
    table = os.path.join(folder, name)
    shutil.rmtree(table, ignore_errors=True)
    size = os.path.getsize(data("lineitem.parquet")) // CLUSTERED_FILES
    product.sql(
        f"CREATE TABLE delta.`{table}` {clause} TBLPROPERTIES ('delta.targetFileSize' = '{size}b')"
        f" AS SELECT * FROM read_parquet('{data('lineitem.parquet')}')"
    )
    return table


def zorder(report, rounds):
    """ZORDER BY two columns of 6 M rows, against delta-rs and DuckDB's sort; what ranges read afterwards."""
    folder = scratch("zorder")
    source, tables = data("lineitem.parquet"), {}

    def ours():
        tables["us"] = clustered_table(folder, "us")
        return us("query", f"OPTIMIZE delta.`{tables['us']}` ZORDER BY ({CLUSTERED})")

    def theirs():
        tables["delta-rs"] = clustered_table(folder, "delta-rs")
        size = str(os.path.getsize(source) // CLUSTERED_FILES)
        return peer("delta-rs", "z-order", tables["delta-rs"], CLUSTERED, size)

    def floor():
        files, target = clustered_table(folder, "sort"), os.path.join(folder, "sorted.parquet")
        query = f"FROM read_parquet('{files}/*.parquet') ORDER BY {CLUSTERED}"
        return peer("duckdb", "query", f"COPY ({query}) TO '{target}' (COMPRESSION zstd)")

    steps, peaks = fresh_each({"us": ours, "delta-rs": theirs, "sort": floor}, min(rounds, 3))
    mine, rs, sort = (best(steps[name]) for name in ("us", "delta-rs", "sort"))
    report.add(
        "Z-order 6 M rows by two columns",
        f"{seconds(mine)}, cpu {best(steps['us'], 'cpu'):.2f} s, {peaks['us']:.0f} MB",
        f"delta-rs {seconds(rs)} (x{rs / mine:.1f}), {peaks['delta-rs']:.0f} MB; sort {seconds(sort)},"
        f" cpu {best(steps['sort'], 'cpu'):.2f} s (x{mine / sort:.2f})",
        "2.5 x delta-rs, 1.2 x the sort",
        rs >= 2.5 * mine and mine <= 1.2 * sort,
    )
    for condition in NARROW:
        (met, count), (rs_met, rs_count) = (files_met(tables[name], condition) for name in ("us", "delta-rs"))
        report.add(
            f"files read for 0.5 % of {condition.split()[0]}",
            f"{met} of {count}",
            f"delta-rs {rs_met} of {rs_count}",
            "4 of 10",
            met <= 4,
        )


LOOKUP_FILES = 10_000
LOOKUP_ROWS = 2_000_000


def lookup_table(folder):
    """Keys in no order in LOOKUP_FILES files: every file has keys of the whole range."""
    table = os.path.join(folder, "keys")
    product.sql(
        f"CREATE TABLE delta.`{table}` PARTITIONED BY (p) AS SELECT (i * 2654435761) % 4294967291 AS k,"
        f" 'value ' || i AS v, CAST(i % {LOOKUP_FILES} AS INTEGER) AS p FROM range({LOOKUP_ROWS}) r(i)"
    )
    return table


def bloom(report, rounds):
    """A random key among 10,000 files, without and with a bloom-filter index."""
    table = lookup_table(scratch("bloom"))
    key = 1234567 * 2654435761 % 4294967291
    sql = f"SELECT count(*) FROM delta.`{table}` WHERE k = {key}"

    def look_up(count):
        stepper = us("query", sql)
        steps = [stepper.step() for _ in range(count + 1)][1:]
        stepper.finish()
        return steps

    without = look_up(2)
    before = time.monotonic()
    product.sql(f"CREATE BLOOMFILTER INDEX ON delta.`{table}` (k OPTIONS (fpp = 0.001))")
    made = time.monotonic() - before
    found = look_up(10 * rounds)
    counts(found, without[0]["count"], "lookup")
    plan = product.sql(f"EXPLAIN SELECT * FROM delta.`{table}` WHERE k = {key}")
    met = int(re.search(r"([\d,]+) after bloom filters", plan).group(1).replace(",", ""))
    ours, floor = best(found), best(without)
    report.add(
        f"point lookup among {LOOKUP_FILES:,} files with a bloom-filter index",
        f"{seconds(ours)}, opens {met} files; made in {seconds(made)}",
        f"without {seconds(floor)} (x{floor / ours:.0f})",
        "1 % of the files, 20 x faster than without",
        met <= LOOKUP_FILES // 100 and floor >= 20 * ours,
    )


def recluster(report, rounds):
    """A second OPTIMIZE of a clustered table after 1 % of new rows."""
    folder = scratch("recluster")
    tables = {}

    def ours():
        tables["us"] = clustered_table(folder, "us", f"CLUSTER BY ({CLUSTERED})")
        product.sql(f"OPTIMIZE delta.`{tables['us']}`")
        product.sql(
            f"INSERT INTO delta.`{tables['us']}` SELECT * FROM read_parquet('{data('lineitem.parquet')}')"
            " WHERE hash(l_orderkey, l_linenumber) % 100 = 0"
        )
        return us("query", f"OPTIMIZE delta.`{tables['us']}`")

    steps, _ = fresh_each({"us": ours}, min(rounds, 2))
    history = product.query(f"DESCRIBE HISTORY delta.`{tables['us']}` LIMIT 1")["operationMetrics"][0].as_py()
    written = int(dict(history)["numRemovedBytes"])
    share = written / os.path.getsize(data("lineitem.parquet"))
    report.add(
        "OPTIMIZE a clustered table after 1 % of new rows",
        f"{seconds(best(steps['us']))}, rewrites {100 * share:.1f} % of the bytes",
        "-",
        "5 % of the bytes",
        share <= 0.05,
    )


EXPECTED = (
    "l_quantity > 0) ON VIOLATION DROP",
    "l_shipdate <= l_receiptdate AND l_extendedprice > 0) ON VIOLATION WARN",
)


def expectations(report, rounds):
    """Load 6 M rows into a table with two expectations, and into one without; CPU of the process."""
    source, folder = data("lineitem.parquet"), scratch("expectations")
    found = {"with": [], "without": []}
    for _ in range(min(rounds, 5)):
        for name, steps in found.items():
            table = os.path.join(folder, name)
            product.sql(f"CREATE TABLE delta.`{table}` AS FROM '{source}' LIMIT 0")
            for i, expectation in enumerate(EXPECTED if name == "with" else ()):
                product.sql(f"ALTER TABLE delta.`{table}` ADD EXPECTATION e{i} ({expectation}")
            steps.append(run_process([product.program(), "load", table, source])["cpu"])
            shutil.rmtree(table)
    judged, plain = min(found["with"]), min(found["without"])
    report.add(
        "load 6 M rows with two expectations",
        f"cpu {judged:.2f} s",
        f"without {plain:.2f} s (x{judged / plain:.2f})",
        "1.1 x without",
        judged <= 1.1 * plain,
    )


def profile(report, rounds):
    """PROFILE of 6 M rows x 16 columns, against DuckDB's SUMMARIZE of the same files."""
    table = data("li12")
    statements = {
        "us": f"ANALYZE TABLE delta.`{table}` PROFILE DRY RUN",
        "summarize": f"SUMMARIZE FROM '{table}/*.parquet'",
    }
    found = {name: [] for name in statements}
    for _ in range(min(rounds, 3)):
        for name, statement in statements.items():
            found[name].append(run_process([product.program(), "sql", "-c", statement]))
    ours, theirs = (min(f["wall"] for f in found[n]) for n in statements)
    report.add(
        "profile 6 M rows x 16 columns",
        f"{seconds(ours)}, cpu {min(f['cpu'] for f in found['us']):.2f} s",
        f"SUMMARIZE {seconds(theirs)} (x{ours / theirs:.2f})",
        "1.2 x SUMMARIZE",
        ours <= 1.2 * theirs,
    )


TOLD_COMMITS = 200


def lineage(report, rounds):
    """Small commits of one process with lineage and the audit log, and with both off."""
    folder, audit = scratch("lineage"), os.path.join(scratch("audit"), "audit.jsonl")
    inserted = {
        "values": "INSERT INTO delta.`{t}` VALUES (1, 'a name', 2.5)",
        "query": "INSERT INTO delta.`{t}` SELECT id, name, amount * 2 FROM delta.`{s}` WHERE id > 3",
    }
    source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
    product.sql(
        f"CREATE TABLE delta.`{source}` AS SELECT i AS id, 'n' || i AS name, i / 2 AS amount FROM range(10) r(i)"
    )

    def commits(statement, is_told):
        shutil.rmtree(target, ignore_errors=True)
        product.sql(f"CREATE TABLE delta.`{target}` (id BIGINT, name STRING, amount DOUBLE)")
        head = f"SET deltaworks.lineage = {'on' if is_told else 'off'};"
        text = head + ";".join([statement.format(t=target, s=source)] * TOLD_COMMITS)
        told = {"DELTAWORKS_AUDIT": audit} if is_told else {}
        return run_process([product.program(), "sql", "-c", text], **told)

    for name, statement in inserted.items():
        found = {True: [], False: []}
        for _ in range(min(rounds, 5)):
            for is_told, runs in found.items():
                runs.append(commits(statement, is_told))
        told, plain = ({k: min(r[k] for r in found[i]) for k in ("wall", "cpu")} for i in (True, False))
        more = {k: 1000 * (told[k] - plain[k]) / TOLD_COMMITS for k in told}
        report.add(
            f"lineage and audit per commit, INSERT of {name}",
            f"{more['wall']:.2f} ms, cpu {more['cpu']:.2f} ms",
            f"both off {1000 * plain['wall'] / TOLD_COMMITS:.1f} ms a commit, cpu {1000 * plain['cpu'] / TOLD_COMMITS:.1f} ms",
            "2 ms",
            more["wall"] <= 2 and more["cpu"] <= 2,
        )


ROWS = {
    "create": create,
    "append": append,
    "open-million": open_million,
    "open-sidecars": open_sidecars,
    "open-commits": open_commits,
    "plan": plan,
    "changes": changes,
    "checksums": checksums,
    "schema-change": schema_change,
    "queries": queries,
    "features": features,
    "one-shot": one_shot,
    "writers": writers,
    "deleters": deleters,
    "readers": readers,
    "row-changes": row_changes,
    "expectations": expectations,
    "lineage": lineage,
    "profile": profile,
    "optimize": optimize,
    "zorder": zorder,
    "recluster": recluster,
    "bloom": bloom,
    "vacuum": vacuum,
    "clone": clone,
    "vacuum-ten-million": vacuum_ten_million,
    "bounded": bounded,
    "bounded-merge": bounded_merge,
}

ON_DEMAND = {"vacuum-ten-million"}  # what takes so much disk and time that it is asked for by name


def machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((x.split(":")[1].strip() for x in f if x.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory = int(f.readline().split()[1]) / 1024 / 1024
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} x {model}, {memory:.0f} GB, Linux {platform.release()}, load {load:.1f}")
    if load > 0.5:
        print("the machine is busy: times are longer than they need be, ratios less sure")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--check", action="store_true", help="fail when a bound is missed")
    options = parser.parse_args()
    if options.list:
        for name, function in ROWS.items():
            print(f"{name:14} {function.__doc__ or ''}")
        return 0
    machine()
    os.makedirs(WORK, exist_ok=True)
    report = Report()
    for name in options.only or [name for name in ROWS if name not in ON_DEMAND]:
        try:
            ROWS[name](report, 2 if options.quick else 5)
        except Exception as e:  # one row must not cost the others
            report.add(name, f"failed: {' '.join(str(e).split())[:160]}", "-", "-", False)
    shutil.rmtree(WORK, ignore_errors=True)
    kept = report.print()
    return 0 if kept or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
