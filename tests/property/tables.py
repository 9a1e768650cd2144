"""Random columns and tables, in the SQL that the product and the engine share.

The model of a table is a temporary table of the engine with the same columns, constraints and
defaults in the same session, so that every text means the same to both.
"""
import copy
import datetime
import re

# How a type is written for the product, and for the engine.
TYPES = {
    "BIGINT": "BIGINT",
    "INT": "INTEGER",
    "SMALLINT": "SMALLINT",
    "DOUBLE": "DOUBLE",
    "FLOAT": "FLOAT",
    "DECIMAL(9,2)": "DECIMAL(9,2)",
    "DECIMAL(25,3)": "DECIMAL(25,3)",
    "STRING": "VARCHAR",
    "BINARY": "BLOB",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "STRUCT<a: INT, b: STRING>": "STRUCT(a INTEGER, b VARCHAR)",
    "ARRAY<BIGINT>": "BIGINT[]",
    "MAP<STRING, INT>": "MAP(VARCHAR, INTEGER)",
}
ORDERABLE = ("BIGINT", "INT", "SMALLINT", "DOUBLE", "FLOAT", "DECIMAL(9,2)", "DECIMAL(25,3)", "STRING", "DATE",
             "TIMESTAMP", "TIMESTAMP_NTZ")
NESTED = ("STRUCT", "ARRAY", "MAP")
# Their literals mean the same to Spark, in whose words a table keeps its defaults.
DEFAULT_KINDS = ("BIGINT", "INT", "SMALLINT", "STRING", "BOOLEAN", "DATE")
WORDS = ["", "a", "b", "ab", "Zoë", "%", "x_y", "it''s", "=/:", "naïve \U0001f600", "long " * 12 + "tail",
         "long " * 12 + "tale", "NULL", " "]


class Column:
    def __init__(self, name, kind, default=None, generated=None, is_required=False):
        self.name, self.kind = name, kind
        self.default, self.generated, self.is_required = default, generated, is_required
        self.alias = None

    def of(self, alias):
        """The same column where tables have aliases."""
        found = copy.copy(self)
        found.alias = alias
        return found

    @property
    def reference(self):
        return f"{self.alias}.{quote(self.name)}" if self.alias else quote(self.name)

    @property
    def is_nested(self):
        return self.kind.startswith(NESTED)

    @property
    def engine_kind(self):
        return engine_kind(self.kind)


def fields_of(kind):
    """The names and kinds of a struct's fields."""
    return re.findall(r"(\w+): (\w+(?:\(\d+,\d+\))?)", kind)


def engine_kind(kind):
    if not kind.startswith("STRUCT"):
        return TYPES[kind]
    return f"STRUCT({', '.join(f'{quote(name)} {TYPES[inner]}' for name, inner in fields_of(kind))})"


def value(rng, kind, has_null=True):
    """A literal, from few values, so that predicates meet some."""
    if has_null and rng.random() < 0.12:
        return "NULL"
    n = rng.randrange(-4, 12)
    if kind in ("BIGINT", "INT", "SMALLINT"):
        return str(rng.choice([n, n, n, 127, -128, 32767]))
    if kind in ("DOUBLE", "FLOAT"):
        odd = rng.choice(["nan", "inf", "-inf", "-0.0", "0.0", "1e-30"])
        return f"CAST('{odd}' AS {kind})" if rng.random() < 0.15 else f"CAST({n / 4} AS {kind})"
    if kind.startswith("DECIMAL"):
        return f"CAST({n}.{rng.choice([0, 25, 5, 99])} AS {kind})"
    if kind == "STRING":
        return f"'{rng.choice(WORDS)}'"
    if kind == "BINARY":
        return f"CAST('{rng.choice(['', 'a', 'b', chr(92) + 'x00', chr(92) + 'xFFz'])}' AS BLOB)"
    if kind == "BOOLEAN":
        return rng.choice(["true", "false"])
    if kind == "DATE":
        return f"DATE '{datetime.date(2024, 2, 27) + datetime.timedelta(days=n)}'"
    if kind.startswith("TIMESTAMP"):
        at = datetime.datetime(2024, 2, 28, 23, 59, 58) + datetime.timedelta(
            hours=n, microseconds=rng.choice([0, 1, 999, 1000, 123456, 999999]))
        return (f"TIMESTAMP '{at.isoformat(' ')}'" if kind == "TIMESTAMP_NTZ"
                else f"CAST('{at.isoformat(' ')}+00' AS TIMESTAMPTZ)")
    if kind.startswith("STRUCT"):
        return "{" + ", ".join(f"'{name}': {value(rng, inner)}" for name, inner in fields_of(kind)) + "}"
    if kind.startswith("ARRAY"):
        items = ", ".join(value(rng, "BIGINT") for _ in range(rng.randrange(3)))
        return f"CAST([{items}] AS BIGINT[])"
    return f"MAP {{'k{n}': {value(rng, 'INT')}}}"


def partition_value(rng, kind, has_null=True):
    """The same for a partition column. An empty text is read as NULL there; bytes must be a text."""
    while True:
        found = value(rng, kind, has_null)
        if found != "''" and not (kind == "BINARY" and ("('' " in found or "xFF" in found)):
            return found


def column_names(rng, count):
    plain = [f"c{i}" for i in range(count)]
    odd = ["a b", "Ä", "x.y", "select", "c,d;{}()", "tab\tname"]
    return plain if rng.random() < 0.7 else rng.sample(odd, min(count, len(odd))) + plain[len(odd):]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


class Shape:
    """The columns and features of one random table."""

    def __init__(self, rng):
        self.mapping = rng.choice(["none", "none", "name", "id"])
        names = column_names(rng, rng.randrange(2, 7))
        if self.mapping == "none":
            names = [n if n.isalnum() or n == "x.y" else f"c{i}" for i, n in enumerate(names)]
        kinds = list(TYPES)
        self.columns = [Column("id", "BIGINT")]
        for name in names:
            kind = rng.choice(kinds)
            self.columns.append(Column(name, kind))
        self.partitions = [c.name for c in self.columns[1:]
                           if not c.is_nested and rng.random() < 0.25][:2]
        self.has_dvs = rng.random() < 0.6
        self.has_feed = rng.random() < 0.6
        self.checks = []
        self.clustered = []  # columns, where there are no partitions
        self.identity = None  # (start, step) of the column "nr", which models lack
        self.properties = {
            "delta.enableDeletionVectors": self.has_dvs,
            "delta.enableChangeDataFeed": self.has_feed,
            "delta.columnMapping.mode": self.mapping,
            "delta.checkpointInterval": rng.choice([2, 3, 7, 10, 10]),
        }
        if rng.random() < 0.3:
            self.properties["delta.enableRowTracking"] = True
        if rng.random() < 0.25:
            self.properties["delta.checkpointPolicy"] = "v2"
        if rng.random() < 0.2:
            self.properties["delta.enableInCommitTimestamps"] = True
        if rng.random() < 0.2:
            self.properties["delta.dataSkippingNumIndexedCols"] = rng.choice([0, 1, 2])
        if rng.random() < 0.2 and self.partitions:
            self.properties["delta.feature.materializePartitionColumns"] = "supported"

    def add_rules(self, rng):
        """Constraints, defaults, generated columns and clustering."""
        for c in self.columns[1:]:
            if rng.random() < 0.12:
                c.is_required = True
            elif c.kind in DEFAULT_KINDS and rng.random() < 0.2:
                c.default = self.value_of(rng, c, has_null=False)
        if rng.random() < 0.3:
            self.columns.append(Column("made", "BIGINT", generated="id * 2 + 1"))
            if rng.random() < 0.3 and len(self.partitions) < 2:
                self.partitions.append("made")
        if rng.random() < 0.3:
            self.identity = (rng.choice([1, 1, 100, -7]), rng.choice([1, 1, 3, -2]))
            self.is_always = rng.random() < 0.6
        if not self.partitions and rng.random() < 0.3 and "delta.dataSkippingNumIndexedCols" not in self.properties:
            orderable = [c.name for c in self.columns if c.kind in ORDERABLE]
            self.clustered = rng.sample(orderable, min(len(orderable), rng.randrange(1, 3)))
        if rng.random() < 0.3:
            self.checks.append("id IS NULL OR id < 60 OR id > 63")  # NULL is no TRUE

    def value_of(self, rng, column, has_null=True):
        choose = partition_value if column.name in self.partitions else value
        return choose(rng, column.kind, has_null)

    @property
    def given(self):
        """The columns that statements give values for."""
        return [c for c in self.columns if c.generated is None]

    def create(self, name):
        parts = []
        for c in self.columns:
            text = f"{quote(c.name)} {c.kind}"
            text += f" GENERATED ALWAYS AS ({c.generated})" if c.generated else ""
            text += " NOT NULL" if c.is_required else ""
            text += f" DEFAULT {c.default}" if c.default else ""
            parts.append(text)
        if self.identity:
            way = "ALWAYS" if self.is_always else "BY DEFAULT"
            start, step = self.identity
            parts.append(f"nr BIGINT GENERATED {way} AS IDENTITY (START WITH {start} INCREMENT BY {step})")
        parts += [f"CONSTRAINT rule{i} CHECK ({c})" for i, c in enumerate(self.checks)]
        properties = dict(self.properties)
        if any(c.default for c in self.columns):
            properties["delta.feature.allowColumnDefaults"] = "supported"
        listed = ", ".join(f"'{k}' = '{str(v).lower()}'" for k, v in properties.items())
        by = ", ".join(quote(p) for p in self.partitions)
        clustered = ", ".join(quote(c) for c in self.clustered)
        return (f"CREATE TABLE {name} ({', '.join(parts)})"
                + (f" PARTITIONED BY ({by})" if by else "")
                + (f" CLUSTER BY ({clustered})" if clustered else "") + f" TBLPROPERTIES ({listed})")

    def create_model(self, name):
        parts = []
        for c in self.columns:
            text = f"{quote(c.name)} {c.engine_kind}"
            text += f" GENERATED ALWAYS AS ({c.generated}) VIRTUAL" if c.generated else ""
            text += " NOT NULL" if c.is_required else ""
            text += f" DEFAULT {c.default}" if c.default else ""
            parts.append(text)
        parts += [f"CHECK ({c})" for c in self.checks]
        return f"CREATE TEMP TABLE {name} ({', '.join(parts)})"
