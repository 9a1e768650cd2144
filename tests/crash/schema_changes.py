#!/usr/bin/env python3
"""Writers and readers go on while the columns of their table change.

  schema_changes.py STATEMENTS [--changes N] [--writers N] [--readers N] [--seed N]

One session changes columns, others write and read, each in a process of its own. Rows come in pairs of one group whose
values sum to zero. A column that changes is called k, a number that stays, the letter of a kind, and more that a rename
changes; what it holds follows from that number and the row, or it is NULL, and the row's text w lists the numbers that were
written. So a reader sees of any row alone whether all is right, whatever the columns are called and where they stand. What a
writer was told is done is there in the end, row by row. A statement that fails must have a conflict's code, and succeeds when
it is run again.
"""

import argparse
import json
import os
import random
import re
import sys
import threading

from killing import PROGRAM, Failure, finish, run_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "property"))
from seeds import Failure as SessionFailure, Session  # noqa: E402

CONFLICTS = ("METADATA_CHANGED", "PROTOCOL_CHANGED", "CONCURRENT_APPEND", "CONCURRENT_DELETE_READ",
             "CONCURRENT_DELETE_DELETE", "CONCURRENT_TRANSACTION")
CONFLICT = 3
ATTEMPTS_MAX = 500
PACE = 4  # statements of writers, and of readers, from one change to the next
FIRST_GROUPS = 3  # of each writer
TYPES = {"i": ("TINYINT", "SMALLINT", "INT", "BIGINT"), "d": ("DECIMAL(5,1)", "DECIMAL(8,2)", "DECIMAL(12,3)"),
         "f": ("FLOAT", "DOUBLE"), "t": ("STRING",), "y": ("DATE", "TIMESTAMP_NTZ")}
DEFAULTS = {"i": "-5", "t": "'none'"}
ALL_ROWS = "SELECT CAST(to_json(x) AS VARCHAR) FROM (SELECT * FROM t{}) x"


# ---- What columns hold ------------------------------------------------------------------------------


def number(column, group, row):
    return (group * 31 + column * 7 + row) % 100


def expression(kind, x):
    """The value of a kind, in SQL; `x`: a number in SQL."""
    return {"i": f"{x}", "d": f"CAST({x} + 0.5 AS DECIMAL(5,1))", "f": f"CAST({x} / 4.0 AS FLOAT)", "t": f"'v' || ({x})",
            "y": f"DATE '2024-01-01' + CAST({x} AS INTEGER)"}[kind]


def is_value(kind, x, found):
    if kind in "idf":
        return found is not None and float(found) == {"i": x, "d": x + 0.5, "f": x / 4.0}[kind]
    if kind == "t":
        return found == f"v{x}"
    day = f"2024-{'01' if x < 31 else '02' if x < 60 else '03' if x < 91 else '04'}"
    return found is not None and found.startswith(day) and (len(found) == 10 or found.endswith(" 00:00:00"))


def parse(name):
    found = re.match(r"k(\d+)([a-z])", name)
    return int(found.group(1)), found.group(2)


def marks_of(text):
    return {int(mark) for mark in text.split(",") if mark}


def check_value(name, found, group, row, marks):
    column, kind = parse(name)
    if column not in marks:
        is_right = found is None or (kind in DEFAULTS and str(found) == DEFAULTS[kind].strip("'"))
    elif kind == "s":
        is_right = found is not None
        for inner in found or ():
            check_value(inner, found[inner], group, row, marks)
    else:
        is_right = is_value(kind, number(column, group, row), found)
    if not is_right:
        raise Failure(f"row {row} of group {group}, which has {sorted(marks)}, has {found!r} in {name}")


def check_rows(rows):
    """The groups that are there, with the amount of each and the marks of its rows."""
    groups = {}
    for row in rows:
        marks = marks_of(row["w"])
        for name in row:
            if name.startswith("k"):
                check_value(name, row[name], row["g"], row["n"], marks)
        groups.setdefault(row["g"], {})[row["n"]] = (row["v"], marks)
    if sum(len(pair) for pair in groups.values()) != len(rows):
        raise Failure("a row is there twice")
    for group, pair in groups.items():
        if set(pair) != {0, 1} or pair[0][0] + pair[1][0] != 0:
            raise Failure(f"group {group} is torn: {pair}")
    return {group: (pair[0][0], pair[0][1], pair[1][1]) for group, pair in groups.items()}


def value_sql(name, fields):
    """The value that belongs into a column, in terms of g and n; `fields`: those of a struct. And the numbers that it writes."""
    column, kind = parse(name)
    if kind != "s":
        return expression(kind, f"((g * 31 + {column * 7} + n) % 100)"), [column]
    parts = [(inner, *value_sql(inner, None)) for inner in fields]
    return ("{" + ", ".join(f"'{inner}': {sql}" for inner, sql, _ in parts) + "}",
            [column] + [number for _, _, numbers in parts for number in numbers])


# ---- Everybody --------------------------------------------------------------------------------------


class World:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.moved = threading.Condition()  # guards all below
        self.counts = {"changes": 0, "written": 0, "conflicts": 0, "read": 0}
        self.failure = None
        self.is_over = False

    def count(self, what):
        with self.moved:
            self.counts[what] += 1
            self.moved.notify_all()

    def session(self):
        return Session(self.options.statements, self.folder, False)

    def attempt(self, session, statements):
        """Runs them as one transaction where they are several: what the last answers; None: it was a conflict."""
        answer = None
        for statement in statements:
            answer = session.ask(statement)
            if "error" in answer:
                break
        if "error" not in answer:
            return answer
        if answer["error"] not in CONFLICTS:
            raise Failure(f"{statement}: {answer['message']} [{answer['error']}]")
        self.count("conflicts")
        if len(statements) > 1 and statement != "COMMIT":
            session.run("ROLLBACK")
        return None

    def insist(self, session, make):
        """Makes statements, and makes them again where they conflict, until they succeed."""
        for _ in range(ATTEMPTS_MAX):
            statements = make()
            if self.attempt(session, statements) is not None:
                return
        raise Failure(f"{statements}: still a conflict after {ATTEMPTS_MAX} attempts")

    def guarded(self, worker):
        session = None
        try:
            session = self.session()
            worker(session)
            session.close()
        except (Failure, SessionFailure) as failure:
            self.stop(Failure(str(failure)))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the others must stop
            self.stop(failure)
        finally:
            if session is not None:
                session.process.kill()
                session.process.wait()

    def stop(self, failure=None):
        with self.moved:
            self.failure = self.failure or failure
            self.is_over = True
            self.moved.notify_all()

    def wait_for_others(self, since):
        """Until writers and readers have come on."""
        with self.moved:
            self.moved.wait_for(lambda: self.is_over or all(
                self.counts[what] >= since[what] + PACE for what in ("written", "read")))
            since.update(self.counts)


# ---- Writers ----------------------------------------------------------------------------------------


class Writer:
    """One that has groups of its own: conflicts with other writers are about files and columns."""

    def __init__(self, world, index):
        self.world, self.index = world, index
        self.chance = random.Random(world.options.seed * 1000 + index)
        self.groups = {}  # to the amount, and the numbers that were written
        self.next = index

    def new_group(self):
        self.next += self.world.options.writers
        return self.next - self.world.options.writers

    def columns(self, session):
        """Those that change, as the open transaction sees them; fields of structs, where some row has them."""
        found = {}
        for (text,) in session.run(ALL_ROWS.format("") + " LIMIT 30"):
            for name, value in json.loads(text).items():
                if name.startswith("k") and (parse(name)[1] != "s" or value is not None):
                    found[name] = list(value) if isinstance(value, dict) else None
        return found

    def pair(self, group, amount):
        return f"(VALUES ({group}, 0, {amount}), ({group}, 1, {-amount})) AS r(g, n, v)"

    def insert_whole(self, session):
        """With all columns that there are."""
        group, amount = self.new_group(), self.chance.randrange(1, 1000)
        written = []

        def make():
            session.run("BEGIN")
            columns = self.columns(session)
            values = {name: value_sql(name, fields) for name, fields in columns.items()}
            written[:] = [number for _, numbers in values.values() for number in numbers]
            listed = "".join(f", {name}" for name in columns)
            return [f"INSERT INTO t (g, n, v, w{listed}) SELECT g, n, v, ',{''.join(f'{m},' for m in written)}'"
                    + "".join(f", {values[name][0]}" for name in columns) + f" FROM {self.pair(group, amount)}", "COMMIT"]
        self.world.insist(session, make)
        self.groups[group] = (amount, set(written))

    def insert(self, session):
        group, amount = self.new_group(), self.chance.randrange(1, 1000)
        self.world.insist(session, lambda: [
            f"INSERT INTO t (g, n, v, w) SELECT g, n, v, ',' FROM {self.pair(group, amount)}"])
        self.groups[group] = (amount, set())

    def fill(self, session):
        """Writes a column of all own rows."""
        written = []

        def make():
            session.run("BEGIN")
            columns = self.columns(session)
            name = self.chance.choice(sorted(columns))
            value, written[:] = value_sql(name, columns[name])
            marks = "".join(f"{m}," for m in written)
            return [f"UPDATE t SET {name} = {value}, w = w || '{marks}' WHERE g % {self.world.options.writers} = {self.index}",
                    "COMMIT"]
        self.world.insist(session, make)
        self.groups = {group: (amount, numbers | set(written)) for group, (amount, numbers) in self.groups.items()}

    def move(self, session):
        group, amount = self.chance.choice(sorted(self.groups)), self.chance.randrange(1, 1000)
        self.world.insist(session, lambda: [
            f"UPDATE t SET v = v + CASE n WHEN 0 THEN {amount} ELSE -{amount} END WHERE g = {group}"])
        self.groups[group] = (self.groups[group][0] + amount, self.groups[group][1])

    def merge(self, session):
        old, new = self.chance.choice(sorted(self.groups)), self.new_group()
        amount = self.chance.randrange(1, 1000)
        rows = ", ".join(f"({group}, 0, {amount}), ({group}, 1, {-amount})" for group in (old, new))
        self.world.insist(session, lambda: [
            f"MERGE INTO t USING (VALUES {rows}) AS s(g, n, v) ON t.g = s.g AND t.n = s.n WHEN MATCHED THEN UPDATE SET"
            " v = t.v + s.v WHEN NOT MATCHED THEN INSERT (g, n, v, w) VALUES (s.g, s.n, s.v, ',')"])
        self.groups[old] = (self.groups[old][0] + amount, self.groups[old][1])
        self.groups[new] = (amount, set())

    def delete(self, session):
        group = self.chance.choice(sorted(self.groups))
        self.world.insist(session, lambda: [f"DELETE FROM t WHERE g = {group}"])
        del self.groups[group]

    def optimize(self, _session):
        """By the program: what it tells is more than sessions print here."""
        statement = f"OPTIMIZE delta.`{os.path.join(self.world.folder, 't')}`"
        for _ in range(ATTEMPTS_MAX):
            status, error = run_until([PROGRAM, "sql", "-c", statement], None)
            if status == 0:
                return
            if status != CONFLICT:
                raise Failure(f"{statement}: exit status {status}: {error}")
            self.world.count("conflicts")
        raise Failure(f"{statement}: still a conflict after {ATTEMPTS_MAX} attempts")

    def run(self, session):
        while not self.world.is_over:
            kinds = [self.insert_whole, self.insert_whole, self.insert, self.fill, self.move, self.merge, self.delete]
            if len(self.groups) <= FIRST_GROUPS:
                kinds = kinds[:3]
            chosen = self.optimize if self.chance.random() < 0.03 else self.chance.choice(kinds)
            chosen(session)
            self.world.count("written")


# ---- Readers ----------------------------------------------------------------------------------------


class Reader:
    def __init__(self, world, index):
        self.world = world
        self.chance = random.Random(world.options.seed * 1000 + 500 + index)

    def newest(self, session):
        check_rows(rows_of(session))

    def sums(self, session):
        total, count = session.run("SELECT CAST(coalesce(sum(v), 0) AS BIGINT), count(*) FROM t")[0]
        if total != 0 or count % 2 != 0:
            raise Failure(f"the values of {count} rows sum to {total}")

    def older(self, session):
        log = os.path.join(self.world.folder, "t", "_delta_log")
        versions = [int(name[:20]) for name in os.listdir(log) if re.fullmatch(r"\d{20}\.json", name)]
        check_rows(rows_of(session, f" VERSION AS OF {self.chance.choice(versions)}"))

    def search(self, session):
        """Rows with a value are found by it, in one version."""
        session.run("BEGIN")
        rows = rows_of(session)
        check_rows(rows)
        names = [name for name in (rows[0] if rows else ()) if name.startswith("k") and parse(name)[1] != "s"]
        if names:
            name = self.chance.choice(names)
            row = self.chance.choice(rows)
            wanted = number(parse(name)[0], row["g"], row["n"])
            expected = sum(is_value(parse(name)[1], wanted, r[name]) and r[name] == row[name] for r in rows)
            if row[name] is not None and expected > 0:
                found = session.run(f"SELECT count(*) FROM t WHERE {name} = {expression(parse(name)[1], wanted)}")[0][0]
                if found != expected:
                    raise Failure(f"{name} = {row[name]} is in {expected} rows, found by a search: {found}")
        session.run("ROLLBACK")

    def run(self, session):
        while not self.world.is_over:
            self.chance.choice([self.newest, self.sums, self.older, self.search, self.search])(session)
            self.world.count("read")


def rows_of(session, at=""):
    return [json.loads(text) for (text,) in session.run(ALL_ROWS.format(at))]


# ---- Changes of columns -----------------------------------------------------------------------------


class Column:
    def __init__(self, column, kind, fields=None):
        self.column, self.kind, self.fields = column, kind, fields
        self.step, self.has_default, self.renames = 0, False, 0

    @property
    def name(self):
        return f"k{self.column}{self.kind}" + ("" if self.renames == 0 else f"_{self.renames}")

    @property
    def type(self):
        if self.kind != "s":
            return TYPES[self.kind][self.step]
        return f"STRUCT<{', '.join(f'{field.name}: {field.type}' for field in self.fields)}>"


class Changer:
    def __init__(self, world):
        self.world = world
        self.chance = random.Random(world.options.seed)
        self.columns = [Column(0, "i"), Column(1, "t"), Column(2, "s", [Column(3, "i"), Column(4, "y")]), Column(5, "d"),
                        Column(6, "f"), Column(7, "y")]
        self.next = 8
        self.is_required = False
        self.constraints = 0

    def create(self, session):
        listed = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        session.run(f"CREATE TABLE t (g BIGINT, n INT, v BIGINT, w STRING, {listed}) TBLPROPERTIES ("
                    "'delta.columnMapping.mode' = 'name', 'delta.enableTypeWidening' = 'true', 'delta.checkpointInterval' = '10',"
                    " 'delta.feature.allowColumnDefaults' = 'supported', 'delta.feature.timestampNtz' = 'supported')")

    def places(self):
        """All columns and fields of structs, with what stands before their names and the list that they are in."""
        found = [("", self.columns, column) for column in self.columns]
        for column in self.columns:
            found += [(f"{column.name}.", column.fields, field) for field in column.fields or ()]
        return found

    def pick(self, is_fit):
        fit = [place for place in self.places() if is_fit(*place)]
        return self.chance.choice(fit) if fit else None

    # Each gives the statement, and what it does to what is known here; None where it cannot be.

    def add(self):
        structs = [column for column in self.columns if column.kind == "s"]
        into = self.chance.choice(structs) if self.chance.random() < 0.3 else None
        kind = self.chance.choice("idfty" if into or self.chance.random() < 0.8 else "s")
        made = Column(self.next, kind, [Column(self.next + 1, "i")] if kind == "s" else None)
        self.next += 2
        prefix, siblings = (f"{into.name}.", into.fields) if into else ("", self.columns)
        place = self.chance.choice(["", " FIRST", f" AFTER {self.chance.choice(siblings).name}"])
        return f"ADD COLUMN {prefix}{made.name} {made.type}{place}", lambda: siblings.append(made)

    def drop(self):
        place = self.pick(lambda prefix, siblings, column: len(siblings) > (1 if prefix else 4) and column.kind != "s")
        return place and (f"DROP COLUMN {place[0]}{place[2].name}", lambda: place[1].remove(place[2]))

    def rename(self):
        prefix, _, column = self.pick(lambda *_: True)
        before = column.name

        def done():
            column.renames += 1
        return f"RENAME COLUMN {prefix}{before} TO k{column.column}{column.kind}_{column.renames + 1}", done

    def widen(self):
        place = self.pick(lambda _prefix, _siblings, column: column.kind != "s" and not column.has_default
                          and column.step + 1 < len(TYPES[column.kind]))

        def done():
            place[2].step += 1
        return place and (f"ALTER COLUMN {place[0]}{place[2].name} TYPE {TYPES[place[2].kind][place[2].step + 1]}", done)

    def default(self):
        place = self.pick(lambda prefix, _siblings, column: column.kind in DEFAULTS and not prefix)

        def done():
            place[2].has_default = not place[2].has_default
        return place and (f"ALTER COLUMN {place[2].name} " + ("DROP DEFAULT" if place[2].has_default else
                                                              f"SET DEFAULT {DEFAULTS[place[2].kind]}"), done)

    def require(self):
        def done():
            self.is_required = not self.is_required
        return f"ALTER COLUMN g {'DROP' if self.is_required else 'SET'} NOT NULL", done

    def comment(self):
        prefix, _, column = self.pick(lambda *_: True)
        return f"ALTER COLUMN {prefix}{column.name} COMMENT 'about {self.chance.randrange(1000)}'", lambda: None

    def reorder(self):
        prefix, siblings, column = self.pick(lambda *_: True)
        others = [other.name for other in siblings if other is not column] + ([] if prefix else ["v"])
        to = f"AFTER {self.chance.choice(others)}" if others and self.chance.random() < 0.7 else "FIRST"
        return f"ALTER COLUMN {prefix}{column.name} {to}", lambda: None

    def constrain(self):
        def done():
            self.constraints += 1
        return (f"DROP CONSTRAINT c{self.constraints // 2}" if self.constraints % 2 else
                f"ADD CONSTRAINT c{self.constraints // 2} CHECK (n < 2)"), done

    def property(self):
        return f"SET TBLPROPERTIES ('mine' = '{self.chance.randrange(1000000)}')", lambda: None

    def run(self, session):
        kinds = [self.add, self.drop, self.rename, self.widen, self.default, self.require, self.comment, self.reorder,
                 self.constrain, self.property]
        turns = []
        since = dict(self.world.counts)
        while self.world.counts["changes"] < self.world.options.changes and not self.world.is_over:
            turns = turns or self.chance.sample(kinds + [self.add, self.rename, self.widen], len(kinds) + 3)
            change = turns.pop()()
            if change is None:
                continue
            statement, done = change
            self.world.wait_for_others(since)
            self.world.insist(session, lambda: [f"ALTER TABLE t {statement}"])
            done()
            self.world.count("changes")
        self.world.wait_for_others(since)
        self.world.stop()


# ---- All --------------------------------------------------------------------------------------------


def check_end(world, writers):
    session = world.session()
    found = check_rows(rows_of(session))
    expected = {group: state for writer in writers for group, state in writer.groups.items()}
    if set(found) != set(expected):
        raise Failure(f"lost: {sorted(set(expected) - set(found))}, too many: {sorted(set(found) - set(expected))}")
    for group, (amount, marks) in expected.items():
        if found[group] != (amount, marks, marks):
            raise Failure(f"group {group} is {found[group]}, and should be {amount} with {marks}")
    findings = [finding for finding in session.run("FSCK TABLE t WITH DATA") if "note" not in finding[:2]]
    if findings:
        raise Failure(f"findings: {findings}")
    session.close()


def body(options, folder):
    world = World(options, folder)
    changer = Changer(world)
    first = world.session()
    changer.create(first)
    first.close()
    writers = [Writer(world, i) for i in range(options.writers)]
    workers = [changer, *writers, *(Reader(world, i) for i in range(options.readers))]
    threads = [threading.Thread(target=world.guarded, args=(worker.run,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(", ".join(f"{number} {what}" for what, number in world.counts.items()))
    if world.failure is not None:
        raise world.failure
    check_end(world, writers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("statements", type=os.path.abspath)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    return finish("schema-changes", lambda folder: body(options, folder))


if __name__ == "__main__":
    sys.exit(main())
