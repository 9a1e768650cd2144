"""Random predicates over the columns of a table, in the engine's SQL."""
from tables import fields_of, value

# `c IS DISTINCT FROM 1 OR c < 0` is left out: by the statistics of a row group that is all NULL the
# engine takes it for never true, in any Parquet file. By itself it is right.
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]
NUMBERS = ("BIGINT", "INT", "SMALLINT", "DOUBLE", "FLOAT", "DECIMAL")


def on_number(rng, c, kind):
    n = rng.randrange(-5, 13)
    return rng.choice([
        f"{c} + 1 > {n}",
        f"CAST({c} AS DOUBLE) < {n}.5",
        f"CAST({c} AS VARCHAR) = '{n}'",
        f"{c} BETWEEN {n} AND {n + rng.randrange(6)}",
        f"{c} NOT BETWEEN {n} AND {n + 2}",
        f"coalesce({c}, {n}) = {n}",
        f"{c} = {n}.25",
        f"abs({c}) >= {n}",
        f"-{c} <= {n}",
        f"{c} IN (SELECT unnest([{n}, {n + 1}]))",
    ])


def on_text(rng, c, kind):
    text = value(rng, kind, has_null=False)
    start = text[1:-1][:rng.randrange(1, 4)].rstrip("'")
    return rng.choice([
        f"{c} LIKE '{start}%'",
        f"{c} LIKE '{start}_%'",
        f"{c} NOT LIKE '{start}%'",
        f"starts_with({c}, '{start}')",
        f"{c} || 'x' > '{start}'",
        f"upper({c}) = '{start.upper()}'",
        f"length({c}) > {rng.randrange(4)}",
        f"{c} BETWEEN '{start}' AND '{start}zz'",
    ])


def on_date(rng, c, kind):
    day = value(rng, "DATE", has_null=False)
    return rng.choice([
        f"{c} >= CAST({day} AS TIMESTAMP)",
        f"year({c}) = 2024 AND month({c}) = {rng.randrange(2, 4)}",
        f"CAST({c} AS DATE) = {day}",
        f"date_trunc('month', {c}) = DATE '2024-03-01'",
        f"{c} BETWEEN {day} AND {day} + 3",
        f"CAST({c} AS VARCHAR) < '2024-03'",
    ])


def on_nested(rng, c, kind):
    if kind.startswith("STRUCT"):
        inner, inner_kind = rng.choice(fields_of(kind))
        return on_plain(rng, f"({c}).{inner}", inner_kind)
    if kind.startswith("ARRAY"):
        return rng.choice([f"len({c}) > {rng.randrange(3)}",
                           f"list_contains({c}, {rng.randrange(9)})", f"{c}[1] >= 2"])
    return rng.choice([f"cardinality({c}) = 1", f"{c}['k{rng.randrange(9)}'] IS NOT NULL"])


def on_plain(rng, c, kind):
    way = rng.random()
    if way < 0.45:
        return f"{c} {rng.choice(COMPARISONS)} {value(rng, kind, has_null=rng.random() < 0.2)}"
    if way < 0.6:
        items = ", ".join(value(rng, kind, has_null=rng.random() < 0.2)
                          for _ in range(rng.randrange(1, 5)))
        return f"{c} {rng.choice(['IN', 'IN', 'NOT IN'])} ({items})"
    if kind == "BOOLEAN":
        return rng.choice([c, f"NOT {c}", f"{c} IS TRUE", f"{c} = ({c} IS NULL)"])
    if kind.startswith(NUMBERS):
        return on_number(rng, c, kind)
    if kind == "STRING":
        return on_text(rng, c, kind)
    if kind.startswith(("DATE", "TIMESTAMP")):
        return on_date(rng, c, kind)
    return f"{c} >= {value(rng, kind, has_null=False)}"


def condition(rng, columns):
    column = rng.choice(columns)
    c = column.reference
    if rng.random() < 0.1:
        return f"{c} IS {rng.choice(['', 'NOT '])}NULL"
    others = [o for o in columns if o.kind == column.kind and o is not column]
    if others and not column.is_nested and rng.random() < 0.1:
        return f"{c} {rng.choice(COMPARISONS)} {rng.choice(others).reference}"
    if column.is_nested:
        return on_nested(rng, c, column.kind)
    return on_plain(rng, c, column.kind)


def predicate(rng, columns, depth=2):
    plain = [c for c in columns if not c.is_nested]
    if rng.random() < 0.04 and plain:
        column = rng.choice(plain)
        negation = rng.choice(["", "NOT "])
        return f"{column.reference} IS {negation}DISTINCT FROM {value(rng, column.kind)}"
    return junction(rng, columns, depth)


def junction(rng, columns, depth):
    way = rng.random()
    if depth == 0 or way < 0.4:
        return condition(rng, columns)
    parts = [junction(rng, columns, depth - 1) for _ in range(rng.randrange(2, 4))]
    if way < 0.6:
        return "(" + " AND ".join(parts) + ")"
    if way < 0.8:
        return "(" + " OR ".join(parts) + ")"
    if way < 0.92:
        return f"NOT ({parts[0]})"
    return f"CASE WHEN {parts[0]} THEN {parts[1]} ELSE {condition(rng, columns)} END"
