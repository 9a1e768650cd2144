"""Random JSON as variants: a table that shreds, one that does not and the source hold the same.

  variants.py STATEMENTS --count 20 [--from SEED]    that many seeds
  variants.py STATEMENTS --seed 17 [--keep] [-v]     one again: every statement and what came of it
"""
import decimal
import json
import math
import sys

import seeds
from seeds import Failure

ROWS = 60
TABLES = {"whole": "", "shredded": "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')"}
KEYS = ["a", "b", "A", "key with blanks", "", "é", "a.b", "'", "typed_value", "value", "metadata", "list", "0"]
NUMBERS = ["0", "-1", "127", "128", "32768", "2147483648", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "1.5", "1.50", "-0.001", "123456789012345678.9", "0.12345678901234567890123456789",
           "99999999999999999999999999999999999999", "1e3", "-2.5e-7", "0e0", "-0e0"]


def scalar(rng):
    way = rng.randrange(6)
    if way == 0:
        return "null"
    if way == 1:
        return rng.choice(["true", "false"])
    if way < 4:
        return rng.choice(NUMBERS) if rng.random() < 0.5 else str(rng.randrange(-1000, 1000))
    return json.dumps(rng.choice(["", "x", "text", "é\u0007\"'", "y" * 63, "z" * 64, "null"]))


def document(rng, depth):
    way = rng.random()
    if depth == 0 or way < 0.4:
        return scalar(rng)
    if way < 0.6:
        return "[" + ", ".join(document(rng, depth - 1) for _ in range(rng.randrange(4))) + "]"
    keys = rng.sample(KEYS, rng.randrange(5))
    return "{" + ", ".join(f"{json.dumps(k)}: {document(rng, depth - 1)}" for k in keys) + "}"


def like(rng, shape):
    """A document that is mostly of the shape of another."""
    if rng.random() < 0.08:
        return document(rng, 2)
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {like(rng, v)}" for k, v in shape.items() if rng.random() < 0.8) + "}"
    if isinstance(shape, list):
        inner = shape[0] if shape else 1
        return "[" + ", ".join(like(rng, inner) for _ in range(rng.randrange(4))) + "]"
    if shape is None or isinstance(shape, bool):
        return rng.choice(["true", "false", "null"])
    if isinstance(shape, str):
        return json.dumps("s" * rng.randrange(70))
    if isinstance(shape, float):
        return f"{rng.randrange(-10**6, 10**6) / 1000}"
    return str(rng.randrange(-10**rng.randrange(1, 19), 10**18))


def parsed(text):
    """Numbers by what they mean: a decimal may have more zeros, and a double may be written shorter."""
    if text is None:
        return "no value"
    try:
        return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
    except ValueError as error:
        raise Failure(f"no JSON: {text}") from error


def is_same(a, b):
    if isinstance(a, decimal.Decimal) and isinstance(b, decimal.Decimal):
        return a == b or math.isclose(float(a), float(b), rel_tol=1e-15)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Variants:
    def __init__(self, session, rng):
        self.session, self.rng = session, rng
        self.shape = json.loads(document(rng, 3))
        self.source = {}

    def value(self):
        way = self.rng.random()
        if way < 0.1:
            return None
        return like(self.rng, self.shape) if way < 0.9 else document(self.rng, 3)

    def both(self, statement):
        for table in TABLES:
            self.session.run(statement.replace("{T}", table))

    def insert(self, first):
        rows = {first + i: self.value() for i in range(self.rng.choice([1, 7, ROWS]))}
        self.source.update(rows)
        values = ", ".join(f"({i}, {'NULL' if text is None else quoted(text)})" for i, text in rows.items())
        self.both("INSERT INTO {T} SELECT i, parse_json(j), CASE WHEN i % 7 > 0 THEN {'v': parse_json(j), 'n': i} END, "
                  f"[parse_json(j), NULL] FROM (VALUES {values}) r(i, j)")

    def change(self):
        start = self.rng.randrange(len(self.source))
        text = self.value()
        value = "NULL" if text is None else f"parse_json({quoted(text)})"
        for i in self.source:
            if i % 5 == start % 5:
                self.source[i] = text
        self.both(f"UPDATE {{T}} SET v = {value}, s = CASE WHEN i % 7 > 0 THEN {{'v': {value}, 'n': i}} END, "
                  f"l = [{value}, NULL] WHERE i % 5 = {start % 5}")

    def compare(self):
        for table in TABLES:
            # A variant prints as JSON text; one that is JSON's null prints as a text, too.
            rows = self.session.run(f"SELECT i, v, s.v AS w, l[1] AS x FROM {table} ORDER BY i")
            if [row[0] for row in rows] != sorted(self.source):
                raise Failure(f"{table}: other rows")
            for i, *found in rows:
                wanted = parsed(self.source[i])
                for name, text in zip(("v", "s.v", "l[1]"), found):
                    expected = "no value" if name == "s.v" and i % 7 == 0 else wanted
                    if not is_same(parsed(text), expected):
                        raise Failure(f"{table}.{name} of row {i}: expected {self.source[i]}, found {text}")

    def run(self):
        for table, properties in TABLES.items():
            self.session.run(f"CREATE TABLE {table} (i BIGINT, v VARIANT, s STRUCT<v: VARIANT, n: BIGINT>, "
                             f"l ARRAY<VARIANT>) {properties}")
        self.insert(0)
        self.compare()
        for step in range(1, self.rng.randrange(2, 6)):
            way = self.rng.random()
            if way < 0.5:
                self.insert(100 * step)
            elif way < 0.8:
                self.change()
            else:
                self.both("INSERT OVERWRITE {T} SELECT * FROM {T}")
            self.compare()
        self.both("FSCK TABLE {T}")


def check(session, rng, folder):
    Variants(session, rng).run()


if __name__ == "__main__":
    sys.exit(seeds.main(check))
