"""Checks that a reader which skips files still finds every row: DuckDB over all rows is the judge."""
import datetime
import decimal

import pyarrow as pa

from dwpeers import product, readers

CHUNK = 12
VALUES_PER_COLUMN = 3


def branch(i, table, predicate, key):
    return f"SELECT {i} AS i, count(*) AS n, CAST(sum({key}) AS BIGINT) AS s FROM {table} WHERE {predicate}"


def oracle(rows, predicates, key):
    con = readers.duckdb_connection()
    con.register("arrow_rows", rows)
    # A copy: DuckDB lets Arrow filter Arrow's tables, and NaN is greater than nothing there.
    con.execute("CREATE TABLE all_rows AS SELECT * FROM arrow_rows")
    found = {}
    for i, predicate in enumerate(predicates):
        found[i] = con.execute(branch(i, "all_rows", predicate, key)).fetchone()[1:]
    return found


def ask_product(path, predicates, key, version=None):
    """Several predicates in one statement: each occurrence of the table is pruned on its own."""
    at = "" if version is None else f" VERSION AS OF {version}"
    table = product.table_sql(path) + at
    found = {}
    for start in range(0, len(predicates), CHUNK):
        numbered = list(enumerate(predicates))[start : start + CHUNK]
        text = " UNION ALL ".join(branch(i, table, p, key) for i, p in numbered)
        for row in product.query(text).to_pylist():
            found[row["i"]] = (row["n"], row["s"])
    return found


def ask_duckdb(path, predicates, key):
    con = readers.duckdb_connection("delta")
    quoted = readers.uri(path).replace("'", "''")
    table = f"delta_scan('{quoted}')"
    return {
        i: con.execute(branch(i, table, p, key)).fetchone()[1:] for i, p in enumerate(predicates)
    }


def ask_delta_rs(path, predicates, key):
    from deltalake import DeltaTable, QueryBuilder

    builder = QueryBuilder().register("t", DeltaTable(readers.uri(path)))
    found = {}
    for i, predicate in enumerate(predicates):
        row = pa.table(builder.execute(branch(i, "t", predicate, key)).read_all()).to_pylist()[0]
        found[i] = (row["n"], row["s"])
    return found


def ask_spark(path, predicates, key):
    from dwpeers import spark

    text = " UNION ALL ".join(
        branch(i, f"delta.`{path}`", p, key) for i, p in enumerate(predicates)
    )
    table = spark.session().sql(text).toArrow()
    return {row["i"]: (row["n"], row["s"]) for row in table.to_pylist()}


def difference(rows, found, predicates, key):
    """None, or the predicates whose counts or sums of keys are not what all rows give."""
    wanted = oracle(rows, predicates, key)
    wrong = [
        f"{predicates[i]}: expected {wanted[i]}, found {found.get(i)}"
        for i in wanted
        if tuple(found.get(i) or ()) != tuple(wanted[i])
    ]
    return f"{len(wrong)} predicates differ: " + "; ".join(wrong[:4]) if wrong else None


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def literal(value, t):
    """A value as DuckDB spells it, or None where it has no plain spelling."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, decimal.Decimal)):
        return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS {'FLOAT' if t == pa.float32() else 'DOUBLE'})"
    if isinstance(value, str):
        return None if "\x00" in value else "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime.datetime):
        kind = "TIMESTAMPTZ" if t.tz else "TIMESTAMP"
        return f"{kind} '{value.replace(tzinfo=None).isoformat(' ')}{'+00' if t.tz else ''}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    return None


def sampled(rows):
    """Predicates made from values that are in the rows, for every column of a plain type."""
    found = []
    for name in rows.column_names:
        t = rows.schema.field(name).type
        column = quote(name)
        found += [f"{column} IS NULL", f"{column} IS NOT NULL"]
        if pa.types.is_nested(t) or pa.types.is_binary(t) or pa.types.is_null(t):
            continue
        values = [v for v in dict.fromkeys(rows[name].to_pylist()) if v is not None]
        step = max(1, len(values) // VALUES_PER_COLUMN)
        spelled = [s for s in (literal(v, t) for v in values[::step]) if s is not None]
        for text in spelled[:VALUES_PER_COLUMN]:
            found += [f"{column} {op} {text}" for op in ("=", "<", ">=", "<>")]
        if spelled:
            found.append(f"{column} IN ({', '.join(spelled)})")
    return found
