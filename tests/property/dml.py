"""Random sequences of statements that change rows, against the same ones on a plain table.

After every statement the rows are equal, the change feed is what the statement did, and identity values
are new for new rows and stay with old ones. Between them the table is packed, ordered, purged and vacuumed, which
changes no row and no row's id. At the end old versions, a new process and the check of tables agree.
"""
import os
import sys

import seeds
from predicates import predicate
from seeds import Failure, expect
from tables import ORDERABLE, Shape, quote

STATEMENTS = 20
ROWS_MAX = 300
# Partition values of these are literals in PARTITION (...), too.
LITERAL_KINDS = ("BIGINT", "INT", "SMALLINT", "STRING", "BOOLEAN", "DATE")


class Change:
    """One statement: for the product, and what it is on the model, which is called m."""

    def __init__(self, sql, model=None, kind="", where=None):
        self.sql = sql
        self.model = model or [sql.replace("{T}", "m")]
        self.kind, self.where = kind, where


class Sequence:
    def __init__(self, session, rng, folder):
        self.session, self.rng, self.folder = session, rng, folder
        self.shape = Shape(rng)
        self.shape.add_rules(rng)
        self.names = ", ".join(quote(c.name) for c in self.shape.columns)
        self.kept = {}  # versions and the names of copies of the model
        self.next_id = 0
        self.numbers = set()  # identity values that are there
        self.furthest = self.shape.identity[0] - self.shape.identity[1] if self.shape.identity else 0

    # ---- Values ------------------------------------------------------------------------------------

    def literal(self, column):
        has_null = not column.is_required or self.rng.random() < 0.03
        return self.shape.value_of(self.rng, column, has_null)

    def new_id(self):
        self.next_id += 1
        return str(self.rng.choice([self.next_id, self.next_id, self.rng.randrange(60)]))

    def some_columns(self):
        """The columns that an INSERT names: those left out have a default or may be NULL."""
        given = self.shape.given
        if self.rng.random() < 0.6:
            return given
        return [c for c in given if c.name == "id" or c.is_required or self.rng.random() < 0.6]

    def rows_of(self, columns):
        rows = []
        for _ in range(self.rng.choice([1, 2, 5, 12])):
            rows.append("(" + ", ".join(
                self.new_id() if c.name == "id" else self.literal(c) for c in columns) + ")")
        return "VALUES " + ", ".join(rows)

    def select_of(self, columns):
        shift = self.rng.randrange(1, 30)
        items = [f"{quote(c.name)} + {shift}" if c.name == "id" else quote(c.name) for c in columns]
        return (f"SELECT {', '.join(items)} FROM {{T}} WHERE "
                f"{predicate(self.rng, self.shape.columns, 1)}")

    # ---- Statements --------------------------------------------------------------------------------

    def insert(self):
        columns = self.some_columns()
        rows = self.rows_of(columns) if self.rng.random() < 0.7 else self.select_of(columns)
        listed = ", ".join(quote(c.name) for c in columns)
        return Change(f"INSERT INTO {{T}} ({listed}) {rows}", kind="insert")

    def overwrite(self):
        columns = self.shape.given
        rows = self.rows_of(columns) if self.rng.random() < 0.5 else self.select_of(columns)
        listed = ", ".join(quote(c.name) for c in columns)
        return Change(f"INSERT OVERWRITE {{T}} ({listed}) {rows}", kind="overwrite", where="true",
                      model=["DELETE FROM m", f"INSERT INTO m ({listed}) {rows}".replace("{T}", "b")])

    def fill_source(self, columns):
        """A temporary table s with rows for these columns."""
        listed = ", ".join(quote(c.name) for c in columns)
        self.session.run(f"CREATE OR REPLACE TEMP TABLE s AS SELECT {listed} FROM m WHERE false")
        self.session.run(f"INSERT INTO s {self.rows_of(columns)}")
        return listed

    def insert_by_name(self):
        columns = self.some_columns()
        self.fill_source(columns)
        shuffled = self.rng.sample(columns, len(columns))
        query = f"BY NAME SELECT {', '.join(quote(c.name) for c in shuffled)} FROM s"
        if self.rng.random() < 0.3:
            return Change(f"INSERT OVERWRITE {{T}} {query}", kind="overwrite", where="true",
                          model=["DELETE FROM m", f"INSERT INTO m {query}"])
        return Change(f"INSERT INTO {{T}} {query}", kind="insert")

    def replace_where(self):
        """Some new rows may not meet the condition: then nothing happens."""
        given = self.shape.given
        where = self.merge_condition(given)
        listed = self.fill_source(given)
        rows = f"SELECT {listed} FROM s" + (f" WHERE {where}" if self.rng.random() < 0.8 else "")
        by = "BY NAME " if self.rng.random() < 0.5 or self.has_hidden() else ""
        return Change(
            f"INSERT INTO {{T}} {by}REPLACE WHERE {where} {rows}", kind="overwrite", where=where,
            model=[f"SELECT CASE WHEN count(*) > 0 THEN error('other rows') END FROM ({rows}) WHERE NOT"
                   f" coalesce(({where}), false)", f"DELETE FROM m WHERE {where}",
                   f"INSERT INTO m ({listed}) {rows}"])

    def has_hidden(self):
        """True when rows by position would have values for columns that take none."""
        return self.shape.identity is not None or len(self.shape.given) < len(self.shape.columns)

    def overwrite_partition(self):
        wanted = [c for c in self.shape.given
                  if c.name in self.shape.partitions and c.kind in LITERAL_KINDS]
        if not wanted:
            return self.replace_where()
        column = self.rng.choice(wanted)
        value = self.literal(column)
        others = [c for c in self.shape.given if c is not column]
        listed = self.fill_source(others)
        where = f"{quote(column.name)} IS NOT DISTINCT FROM {value}"
        return Change(
            f"INSERT OVERWRITE {{T}} PARTITION ({quote(column.name)} = {value}) ({listed}) SELECT {listed} FROM s",
            kind="overwrite", where=where,
            model=[f"DELETE FROM m WHERE {where}",
                   f"INSERT INTO m ({listed}, {quote(column.name)}) SELECT {listed}, {value} FROM s"])

    def overwrite_partitions(self):
        """Those that the new rows have."""
        if not self.shape.partitions:
            return self.replace_where()
        listed = self.fill_source(self.shape.given)
        same = " AND ".join(
            f"{{T}}.{quote(c.name)} IS NOT DISTINCT FROM {'(s.id * 2 + 1)' if c.generated else 's.' + quote(c.name)}"
            for c in self.shape.columns if c.name in self.shape.partitions)
        where = f"EXISTS (SELECT 1 FROM s WHERE {same})"
        return Change(
            f"INSERT OVERWRITE {{T}} WITH ('partitionOverwriteMode' = 'dynamic') ({listed}) SELECT {listed} FROM s",
            kind="overwrite", where=where,
            model=[f"DELETE FROM m WHERE {where}".replace("{T}", "m"),
                   f"INSERT INTO m ({listed}) SELECT {listed} FROM s"])

    def delete(self):
        way = self.rng.random()
        where = predicate(self.rng, self.shape.columns)
        if way < 0.15:
            other = predicate(self.rng, self.shape.columns, 1)
            where = f"id IN (SELECT id FROM {{T}} WHERE {other})"
        elif way < 0.25 and self.shape.partitions:
            wanted = [c for c in self.shape.columns if c.name in self.shape.partitions]
            where = predicate(self.rng, wanted, 1)
        elif way < 0.35:
            where = f"id % {self.rng.choice([2, 3, 5])} = 0"
        elif way < 0.4:
            where = "true"
        return Change(f"DELETE FROM {{T}} WHERE {where}", kind="delete", where=where)

    def truncate(self):
        return Change("TRUNCATE TABLE {T}", kind="delete", where="true", model=["DELETE FROM m"])

    def new_value(self, column):
        c = quote(column.name)
        same = [o for o in self.shape.columns if o.kind == column.kind and o is not column]
        is_part = column.name in self.shape.partitions
        if column.kind == "BIGINT" and self.rng.random() < 0.5:
            return f"{c} + 1"
        if same and self.rng.random() < 0.3 and not (is_part and column.kind in ("STRING", "BINARY")):
            return quote(self.rng.choice(same).name)
        if self.rng.random() < 0.1 and not column.is_nested and not is_part:
            return f"(SELECT max({c}) FROM {{T}})"
        return self.literal(column)

    def update(self):
        columns = self.rng.sample(self.shape.given, self.rng.randrange(1, min(3, len(self.shape.given)) + 1))
        items = ", ".join(f"{quote(c.name)} = {self.new_value(c)}" for c in columns)
        where = predicate(self.rng, self.shape.columns)
        if self.rng.random() < 0.1:
            return Change(f"UPDATE {{T}} SET {items}", kind="update", where="true")
        return Change(f"UPDATE {{T}} SET {items} WHERE {where}", kind="update", where=where)

    def merge_condition(self, columns):
        """One without a subquery: those belong into the source."""
        while True:
            found = predicate(self.rng, columns, 1)
            if "SELECT" not in found:
                return found

    def merge_clauses(self):
        """In an order in which each may have its turn: those with conditions first."""
        old = [c.of("x") for c in self.shape.columns]
        given = self.shape.given
        changed = self.rng.sample([c for c in given if c.name != "id"] or given, 1)
        copied = ", ".join(f"{quote(c.name)} = s.{quote(c.name)}" for c in changed)
        listed = ", ".join(quote(c.name) for c in given)
        values = ", ".join(f"s.{quote(c.name)}" for c in given)
        clauses = [
            f"WHEN MATCHED AND {self.merge_condition(old)} THEN DELETE",
            f"WHEN MATCHED AND {self.merge_condition(old)} THEN UPDATE SET {copied}",
            f"WHEN MATCHED THEN UPDATE SET {copied}, id = x.id + s.id",
            f"WHEN NOT MATCHED AND s.id % 2 = 0 THEN INSERT ({listed}) VALUES ({values})",
            f"WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)"
            if not any(c.is_required for c in given) else
            f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({values})",
            f"WHEN NOT MATCHED BY SOURCE AND {self.merge_condition(old)} THEN DELETE",
            f"WHEN NOT MATCHED BY SOURCE AND {self.merge_condition(old)} THEN UPDATE SET {quote(changed[0].name)}"
            f" = {self.literal(changed[0])}",
        ]
        wanted = sorted(self.rng.sample(range(len(clauses)), self.rng.randrange(1, 5)))
        return " ".join(clauses[i] for i in wanted)

    def merge(self):
        """Each row of the source has an id of its own, so that no row is matched twice."""
        given = self.shape.given
        rows = ", ".join(
            "(" + ", ".join(str(i) if c.name == "id" else self.literal(c) for c in given) + ")"
            for i in self.rng.sample(range(40), self.rng.choice([1, 4, 15])))
        listed = ", ".join(quote(c.name) for c in given)
        self.session.run(f"CREATE OR REPLACE TEMP TABLE s AS SELECT {listed} FROM m WHERE false")
        self.session.run(f"INSERT INTO s VALUES {rows}")
        return Change(f"MERGE INTO {{T}} AS x USING s ON x.id = s.id {self.merge_clauses()}", kind="merge")

    def choose(self):
        count = self.count("m")
        makers = [self.delete, self.delete, self.update, self.update, self.update, self.merge, self.merge]
        if count < ROWS_MAX:
            makers += [self.insert] * (6 if count < 20 else 3)
        makers += [self.rng.choice([self.overwrite, self.truncate, self.insert])]
        makers += [self.replace_where, self.rng.choice([self.overwrite_partition, self.overwrite_partitions]),
                   self.insert_by_name]
        return self.rng.choice(makers)()

    def maintain(self):
        """What leaves the rows as they are."""
        if self.rng.random() < 0.05:
            self.session.run("CHECKPOINT t")
        if self.rng.random() < 0.05:
            self.shape.has_dvs = not self.shape.has_dvs
            self.set_property("delta.enableDeletionVectors", self.shape.has_dvs)
        if self.rng.random() < 0.05:
            self.shape.has_feed = not self.shape.has_feed
            self.set_property("delta.enableChangeDataFeed", self.shape.has_feed)
        if self.rng.random() < 0.12:
            self.look_after()

    def upkeep(self):
        """OPTIMIZE and its like: one that leaves out what the table cannot be ordered by."""
        ways = ["OPTIMIZE t", "OPTIMIZE t FULL", "REORG TABLE t APPLY (PURGE)"]
        orderable = [quote(c.name) for c in self.shape.columns
                     if c.kind in ORDERABLE and c.name not in self.shape.partitions]
        if not self.shape.clustered and "delta.dataSkippingNumIndexedCols" not in self.shape.properties:
            ways.append(f"OPTIMIZE t ZORDER BY ({', '.join(self.rng.sample(orderable, min(2, len(orderable))))})")
        return self.rng.choice(ways)

    def look_after(self):
        """What changes no row: they are those of before, with the ids that they had, and the feed has none."""
        columns = self.names + (", nr" if self.shape.identity else "")
        if "delta.enableRowTracking" in self.shape.properties:
            columns += ", _metadata.row_id AS row_id, _metadata.row_commit_version AS row_version"
        rows = f"SELECT {columns} FROM t"
        self.session.run(f"CREATE OR REPLACE TEMP TABLE u AS {rows}")
        was, sql = self.version(), self.upkeep()
        done = self.session.run(sql)[0][1]
        self.expect_same(rows, "SELECT * FROM u", f"after {sql!r}")
        version = self.version()
        expect(version - was == (done["numFilesRemoved"] > 0), f"a version where there was work, found {done}")
        if version > was and self.shape.has_feed:
            expect(self.count(f"table_changes('t', {version})") == 0, f"no change of a row by {sql!r}")
        self.session.run(sql)
        expect(self.version() == version, f"nothing left to do for {sql!r}")
        if self.rng.random() < 0.3:  # what is needed for older versions goes
            self.session.run("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
            self.session.run("VACUUM t RETAIN 0 HOURS")
            self.expect_same(rows, "SELECT * FROM u", "after VACUUM")
            self.kept = {}

    def set_property(self, key, is_on):
        self.session.run(f"ALTER TABLE t SET TBLPROPERTIES ('{key}' = '{str(is_on).lower()}')")

    # ---- Checks ------------------------------------------------------------------------------------

    def count(self, rows):
        return self.session.run(f"SELECT count(*) FROM {rows}")[0][0]

    def expect_same(self, found, expected, what):
        """Two queries have the same rows, as often each."""
        sql = (f"SELECT (SELECT count(*) FROM ({found} EXCEPT ALL {expected})),"
               f" (SELECT count(*) FROM ({expected} EXCEPT ALL {found}))")
        more, fewer = self.session.run(sql)[0]
        if (more, fewer) != (0, 0):
            found_rows = self.session.run(f"SELECT CAST(x AS VARCHAR) FROM ({found} EXCEPT ALL {expected}) x LIMIT 3")
            lost_rows = self.session.run(f"SELECT CAST(x AS VARCHAR) FROM ({expected} EXCEPT ALL {found}) x LIMIT 3")
            raise Failure(f"{what}: {more} rows too many, such as {found_rows}; {fewer} missing, such as {lost_rows}")

    def version(self):
        names = os.listdir(os.path.join(self.folder, "t", "_delta_log"))
        return max(int(n[:20]) for n in names if n.endswith(".json") and n[:20].isdigit())

    def feed(self, version, *kinds):
        listed = ", ".join(f"'{k}'" for k in kinds)
        return (f"SELECT {self.names} FROM table_changes('t', {version}, {version}) "
                f"WHERE _change_type IN ({listed})")

    def check_merged_feed(self, version):
        """What is gone was there, and with what is new the rows are those that are."""
        gone = self.feed(version, "update_preimage", "delete")
        new = self.feed(version, "update_postimage", "insert")
        expect(self.count(f"({gone} EXCEPT ALL SELECT {self.names} FROM b)") == 0, "no row gone that was not there")
        self.expect_same(f"((SELECT {self.names} FROM b EXCEPT ALL {gone}) UNION ALL {new})",
                         f"SELECT {self.names} FROM m", "the rows before with the feed's changes")

    def check_feed(self, change, version):
        """The feed has what the statement took out, in b's words, and what it put in."""
        gone = {"insert": "false"}.get(change.kind, change.where).replace("{T}", "b")
        before = f"SELECT {self.names} FROM b WHERE {gone}"
        kept = f"(SELECT {self.names} FROM b EXCEPT ALL {before})"
        after = f"(SELECT {self.names} FROM m EXCEPT ALL {kept})"
        is_update = change.kind == "update"
        self.expect_same(self.feed(version, "update_preimage" if is_update else "delete"), before,
                         "the feed's rows that are gone")
        self.expect_same(self.feed(version, "update_postimage" if is_update else "insert"), after,
                         "the feed's rows that are new")
        total = self.count(f"table_changes('t', {version}, {version})")
        known = self.count(f"({before})") + self.count(after)
        expect(total == known, f"{known} changes of rows, found {total}")

    def check_numbers(self, kind):
        """Identity values: each once, new ones beyond all that ever were, old ones where they were."""
        rows = self.session.run("SELECT nr FROM t")
        found = {row[0] for row in rows}
        start, step = self.shape.identity
        new, gone = found - self.numbers, self.numbers - found
        expect(len(found) == len(rows) and None not in found, f"each number once, found {rows}")
        expect(all((n - start) % step == 0 for n in found), f"steps of {step} from {start}, found {found}")
        expect(all((n - self.furthest) * step > 0 for n in new), f"numbers beyond {self.furthest}, found {new}")
        expect(not new or kind not in ("delete", "update"), f"no new number, found {new}")
        expect(not gone or kind not in ("insert", "update"), f"no number gone, found {gone}")
        self.numbers = found
        self.furthest = (max if step > 0 else min)(new | {self.furthest})

    # ---- All of it ---------------------------------------------------------------------------------

    def run_on_model(self, change):
        """True when the plain table took it."""
        for i, sql in enumerate(change.model):
            if "error" in self.session.ask(sql):
                if i > 0:  # what came before is to be undone
                    self.session.run("DELETE FROM m")
                    given = ", ".join(quote(c.name) for c in self.shape.given)
                    self.session.run(f"INSERT INTO m ({given}) SELECT {given} FROM b")
                return False
        return True

    def step(self, change):
        self.session.run(f"CREATE OR REPLACE TEMP TABLE b AS SELECT {self.names} FROM m")
        was = self.version()
        answer = self.session.ask(change.sql.replace("{T}", "t"))
        taken = "error" not in answer
        expected = self.run_on_model(change)
        expect(taken == expected, f"the plain table {'took' if expected else 'refused'} {change.sql!r},"
               f" the product answered {answer}")
        version = self.version()
        expect(version - was in (0, 1), f"one version, found {was} to {version}")
        expect(taken or version == was, "no version of what was refused")
        self.expect_same(f"SELECT {self.names} FROM t", f"SELECT {self.names} FROM m",
                         f"after {change.sql!r}")
        if self.shape.identity:
            self.check_numbers(change.kind if taken else "update")
        if version > was and self.shape.has_feed and change.kind == "merge":
            self.check_merged_feed(version)
        elif version > was and self.shape.has_feed:
            self.check_feed(change, version)
        if self.rng.random() < 0.15:
            self.kept[version] = f"kept{version}"
            self.session.run(f"CREATE OR REPLACE TEMP TABLE kept{version} AS SELECT {self.names} FROM m")

    def finish(self):
        for version, name in self.kept.items():
            self.expect_same(f"SELECT {self.names} FROM t VERSION AS OF {version}",
                             f"SELECT {self.names} FROM {name}", f"version {version}")
        self.session.restart_keeping("m")
        self.expect_same(f"SELECT {self.names} FROM t", f"SELECT {self.names} FROM m", "a new process")
        findings = self.session.run("FSCK TABLE t WITH DATA")
        expect(not [f for f in findings if "note" not in f[:2]], f"no findings, found {findings}")

    def run(self):
        self.session.run(self.shape.create("t"))
        self.session.run(self.shape.create_model("m"))
        for _ in range(STATEMENTS):
            self.maintain()
            self.step(self.choose())
        self.finish()


def check(session, rng, folder):
    Sequence(session, rng, folder).run()


if __name__ == "__main__":
    sys.exit(seeds.main(check))
