"""Random changes of columns between random statements that change rows, against the same on a plain table.

The model is made anew with the columns as they are then, from its own rows; what a change may not do it must refuse. Old
versions have the columns that they had, and RESTORE brings them back.
"""
import copy
import sys

import seeds
from dml import Sequence
from seeds import expect
from tables import DEFAULT_KINDS, TYPES, Column, fields_of, quote

STEPS = 16
WIDER = {"SMALLINT": ("INT", "BIGINT", "DOUBLE", "DECIMAL(25,3)"), "INT": ("BIGINT", "DOUBLE", "DECIMAL(25,3)"),
         "BIGINT": ("DECIMAL(25,3)",), "FLOAT": ("DOUBLE",), "DECIMAL(9,2)": ("DECIMAL(25,3)",), "DATE": ("TIMESTAMP_NTZ",)}
NARROWER = {"BIGINT": "INT", "DOUBLE": "FLOAT", "DECIMAL(25,3)": "DECIMAL(9,2)", "STRING": "INT", "TIMESTAMP_NTZ": "DATE"}
PLAIN = [kind for kind in TYPES if "<" not in kind]


class Alteration:
    """What follows ALTER TABLE t, whether it may be done, and what the model's columns are then made of, by name."""

    def __init__(self, sql, shape, values=None, is_legal=True):
        self.sql, self.shape, self.values, self.is_legal = sql, shape, values or {}, is_legal


class Evolution(Sequence):
    def __init__(self, session, rng, folder):
        super().__init__(session, rng, folder)
        self.shape.properties.update({"delta.enableTypeWidening": True, "delta.feature.timestampNtz": "supported"})
        self.gone = []  # names that were dropped or renamed away
        self.made = 0

    # ---- Names and places --------------------------------------------------------------------------

    def new_name(self, taken):
        """One that is new, or was there before."""
        free = [name for name in self.gone if name.lower() not in {t.lower() for t in taken}]
        if free and self.rng.random() < 0.5:
            return self.rng.choice(free)
        self.made += 1
        has_odd = self.shape.mapping != "none" and self.rng.random() < 0.2
        return f"n {self.made}" if has_odd else f"n{self.made}"

    def place(self, names):
        """Where a column goes: the words for it, and the index."""
        way = self.rng.random()
        if way < 0.5 or not names:
            return "", len(names)
        if way < 0.7:
            return " FIRST", 0
        at = self.rng.randrange(len(names))
        return f" AFTER {quote(names[at])}", at + 1

    def changeable(self):
        """Neither what rules are made of nor generated."""
        return [c.name for c in self.shape.columns if c.name != "id" and c.generated is None]

    def some_column(self, is_fit=lambda _: True):
        """A copy of the shape, and one of its columns; None where none is fit."""
        shape = copy.deepcopy(self.shape)
        fit = [c for c in shape.columns if c.name in self.changeable() and is_fit(c)]
        return shape, self.rng.choice(fit) if fit else None

    # ---- Columns -----------------------------------------------------------------------------------

    def add(self):
        shape = copy.deepcopy(self.shape)
        name = self.new_name([c.name for c in shape.columns] + ["nr"])
        kind = self.rng.choice(list(TYPES))
        words, at = self.place([c.name for c in shape.columns])
        shape.columns.insert(at, Column(name, kind))
        return Alteration(f"ADD COLUMN {quote(name)} {kind}{words}", shape, {name: "NULL"})

    def drop(self):
        shape, column = self.some_column()
        if column is None or len(shape.columns) < 4:
            return self.add()
        is_legal = column.name not in shape.partitions + shape.clustered
        shape.columns.remove(column)
        shape.mapping = self.mapped()
        return Alteration(f"DROP COLUMN {quote(column.name)}", shape, is_legal=is_legal)

    def rename(self):
        shape, column = self.some_column()
        if column is None:
            return self.add()
        old = column.name
        new = self.new_name([c.name for c in shape.columns] + ["nr"])
        column.name = new
        shape.partitions = [new if p == old else p for p in shape.partitions]
        shape.clustered = [new if c == old else c for c in shape.clustered]
        shape.mapping = self.mapped()
        return Alteration(f"RENAME COLUMN {quote(old)} TO {quote(new)}", shape, {new: quote(old)})

    def mapped(self):
        """What dropping and renaming make of a table without column mapping."""
        return "name" if self.shape.mapping == "none" else self.shape.mapping

    def widen(self):
        shape, column = self.some_column(lambda c: c.kind in WIDER and c.default is None)
        if column is None:
            return self.add()
        values = {}
        if column.kind == "FLOAT" and column.name in shape.partitions:  # a partition value is a text
            values = {column.name: f"CAST({quote(column.name)} AS STRING)"}
        column.kind = self.rng.choice(WIDER[column.kind])
        return Alteration(f"ALTER COLUMN {quote(column.name)} TYPE {column.kind}", shape, values)

    def narrow(self):
        shape, column = self.some_column(lambda c: c.kind in NARROWER)
        if column is None:
            return self.widen()
        return Alteration(f"ALTER COLUMN {quote(column.name)} TYPE {NARROWER[column.kind]}", shape, is_legal=False)

    def require(self):
        shape, column = self.some_column()
        if column is None:
            return self.add()
        if column.is_required:
            column.is_required = False
            return Alteration(f"ALTER COLUMN {quote(column.name)} DROP NOT NULL", shape)
        has_null = self.count(f"m WHERE {quote(column.name)} IS NULL") > 0
        column.is_required = True
        return Alteration(f"ALTER COLUMN {quote(column.name)} SET NOT NULL", shape, is_legal=not has_null)

    def default(self):
        shape, column = self.some_column(lambda c: c.kind in DEFAULT_KINDS)
        if column is None:
            return self.add()
        if column.default is not None:
            column.default = None
            return Alteration(f"ALTER COLUMN {quote(column.name)} DROP DEFAULT", shape)
        column.default = shape.value_of(self.rng, column, has_null=False)
        return Alteration(f"ALTER COLUMN {quote(column.name)} SET DEFAULT {column.default}", shape)

    def reorder(self):
        shape, column = self.some_column()
        if column is None:
            return self.add()
        shape.columns.remove(column)
        words, at = self.place([c.name for c in shape.columns])
        shape.columns.insert(at if words else 0, column)
        return Alteration(f"ALTER COLUMN {quote(column.name)}{words or ' FIRST'}", shape)

    def comment(self):
        shape, column = self.some_column()
        name = "id" if column is None else column.name
        return Alteration(f"ALTER COLUMN {quote(name)} COMMENT 'about {self.rng.randrange(9)}'", shape)

    # ---- Fields of structs -------------------------------------------------------------------------

    def change_fields(self):
        shape, column = self.some_column(lambda c: c.kind.startswith("STRUCT"))
        if column is None:
            return self.add()
        fields = fields_of(column.kind)
        names = [name for name, _ in fields]
        old = self.rng.choice(fields)
        path = f"{quote(column.name)}.{quote(old[0])}"
        values = {name: f"{quote(column.name)}.{quote(name)}" for name in names}
        way = self.rng.choice(["add", "add", "drop", "rename", "widen"])
        is_legal = True
        if way == "widen" and old[1] in WIDER:
            kind = self.rng.choice(WIDER[old[1]])
            sql = f"ALTER COLUMN {path} TYPE {kind}"
            fields[fields.index(old)] = (old[0], kind)
        elif way == "drop":
            sql = f"DROP COLUMN {path}"
            is_legal = len(fields) > 1
            fields.remove(old)
        elif way == "rename":
            new = f"r{self.made}"
            self.made += 1
            sql = f"RENAME COLUMN {path} TO {new}"
            fields[fields.index(old)] = (new, old[1])
            values[new] = values[old[0]]
        else:
            new, kind = f"f{self.made}", self.rng.choice(PLAIN)
            self.made += 1
            words, at = self.place(names)
            sql = f"ADD COLUMN {quote(column.name)}.{new} {kind}{words}"
            fields.insert(at, (new, kind))
            values[new] = "NULL"
        if way in ("drop", "rename"):
            shape.mapping = self.mapped()
        column.kind = f"STRUCT<{', '.join(f'{name}: {kind}' for name, kind in fields)}>"
        whole = ", ".join(f"'{name}': {values[name]}" for name, _ in fields)
        value = f"CASE WHEN {quote(column.name)} IS NULL THEN NULL ELSE {{{whole}}} END"
        return Alteration(sql, shape, {column.name: value}, is_legal)

    # ---- Running -----------------------------------------------------------------------------------

    def remodel(self, alteration):
        """The model with other columns."""
        self.shape = alteration.shape
        self.names = ", ".join(quote(c.name) for c in self.shape.columns)
        given = self.shape.given
        listed = ", ".join(quote(c.name) for c in given)
        values = ", ".join(alteration.values.get(c.name, quote(c.name)) for c in given)
        self.session.run("CREATE OR REPLACE TEMP TABLE o AS SELECT * FROM m")
        self.session.run(self.shape.create_model("m").replace("CREATE TEMP", "CREATE OR REPLACE TEMP", 1))
        self.session.run(f"INSERT INTO m ({listed}) SELECT {values} FROM o")

    def alter(self):
        change = self.rng.choice([self.add, self.drop, self.rename, self.widen, self.widen, self.narrow, self.require,
                                  self.default, self.reorder, self.comment] + [self.change_fields] * 3)()
        was = self.version()
        answer = self.session.ask(f"ALTER TABLE t {change.sql}")
        taken = "error" not in answer
        expect(taken == change.is_legal, f"{change.sql!r} to be {'done' if change.is_legal else 'refused'}, found {answer}")
        version = self.version()
        expect(version - was in ((0, 1) if taken else (0,)), f"at most one version, found {was} to {version}")
        if taken:
            before, after = ({c.name for c in shape.columns} for shape in (self.shape, change.shape))
            self.gone += sorted(before - after)
            self.remodel(change)
        self.expect_same(f"SELECT {self.names} FROM t", f"SELECT {self.names} FROM m", f"after {change.sql!r}")
        if self.rng.random() < 0.3:
            self.keep(version)

    def keep(self, version):
        self.kept[version] = (f"kept{version}", copy.deepcopy(self.shape), self.names)
        self.session.run(f"CREATE OR REPLACE TEMP TABLE kept{version} AS SELECT {self.names} FROM m")

    def restore(self):
        version = self.rng.choice(sorted(self.kept))
        name, shape, names = self.kept[version]
        self.session.run(f"RESTORE TABLE t TO VERSION AS OF {version}")
        self.session.run(f"CREATE OR REPLACE TEMP TABLE m AS SELECT * FROM {name}")
        self.remodel(Alteration("", copy.deepcopy(shape)))
        self.expect_same(f"SELECT {self.names} FROM t", f"SELECT {self.names} FROM m", f"version {version} again")
        if self.shape.identity:
            self.numbers = {row[0] for row in self.session.run("SELECT nr FROM t")}

    def step(self, change):
        kept, self.kept = self.kept, {}
        super().step(change)
        for version in self.kept:
            kept[version] = (f"kept{version}", copy.deepcopy(self.shape), self.names)
        self.kept = kept

    def finish(self):
        for version, (name, _, names) in self.kept.items():
            self.expect_same(f"SELECT {names} FROM t VERSION AS OF {version}", f"SELECT {names} FROM {name}",
                             f"version {version}")
        self.kept = {}
        super().finish()

    def run(self):
        self.session.run(self.shape.create("t"))
        self.session.run(self.shape.create_model("m"))
        for _ in range(STEPS):
            self.maintain()
            if self.kept and self.rng.random() < 0.06:
                self.restore()
            elif self.rng.random() < 0.5:
                self.alter()
            else:
                self.step(self.choose())
        self.finish()


def check(session, rng, folder):
    Evolution(session, rng, folder).run()


if __name__ == "__main__":
    sys.exit(seeds.main(check))
