"""Rows that are hard to carry: extremes, nulls, odd characters, far dates, deep nesting.

Every function returns an Arrow table whose first column `id` numbers the rows.
"""
import datetime
import decimal

import pyarrow as pa

UTC = datetime.timezone.utc
TIMESTAMP = pa.timestamp("us", "UTC")
TIMESTAMP_NTZ = pa.timestamp("us")
NAN, INFINITY = float("nan"), float("inf")

DATES = [
    datetime.date(1, 1, 1),
    datetime.date(1582, 10, 4),
    datetime.date(1582, 10, 15),
    datetime.date(1900, 1, 1),
    datetime.date(1969, 12, 31),
    datetime.date(1970, 1, 1),
    datetime.date(2024, 2, 29),
    datetime.date(9999, 12, 31),
]
MOMENTS = [
    datetime.datetime(1, 1, 1),
    datetime.datetime(1582, 10, 4, 23, 59, 59, 999999),
    datetime.datetime(1899, 12, 31, 23, 59, 59, 1),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
    datetime.datetime(1970, 1, 1),
    datetime.datetime(2024, 3, 31, 1, 30, 0, 123456),
    datetime.datetime(2024, 10, 27, 1, 30, 0, 999),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
]
# Characters that mean something to a URI, to a directory name, to JSON or to SQL.
ODD_STRINGS = [
    "plain",
    " leading and trailing ",
    "per%cent %20 %2F",
    "hash#question?amp&plus+",
    "slash/back\\slash",
    "equals=colon:semi;comma,",
    "quote'double\"back`tick",
    "brackets[]{}()<>|^~*!$@",
    "tab\tnewline\nreturn\r",
    "ünïcödé ß 漢字 عربى",
    "emoji 🦆 and \U0010ffff",
    "null",
    "__HIVE_DEFAULT_PARTITION__",
    ".",
    "..",
    "x" * 150,
]


def in_utc(moments):
    return [m.replace(tzinfo=UTC) if m else None for m in moments]


def flat():
    """One column of every primitive type, with extremes and a row of nulls."""
    columns = {
        "b": (pa.bool_(), [True, False]),
        "i8": (pa.int8(), [-128, 127, 0]),
        "i16": (pa.int16(), [-(2**15), 2**15 - 1, 0]),
        "i32": (pa.int32(), [-(2**31), 2**31 - 1, 0]),
        "i64": (pa.int64(), [-(2**63), 2**63 - 1, 0, 2**53 + 1]),
        "f32": (pa.float32(), [0.0, -0.0, NAN, INFINITY, -INFINITY, 1.4e-45, 3.4028234e38]),
        "f64": (pa.float64(), [0.0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308]),
        "dec": (pa.decimal128(18, 6), [decimal.Decimal("-999999999999.999999"), decimal.Decimal(0)]),
        "s": (pa.string(), ["", *ODD_STRINGS]),
        "bin": (pa.binary(), [b"", b"\x00\xff\x00", bytes(range(256))]),
        "d": (pa.date32(), DATES),
        "ts": (TIMESTAMP, in_utc(MOMENTS)),
        "ntz": (TIMESTAMP_NTZ, MOMENTS),
    }
    count = max(len(v) for _, v in columns.values())
    fields = {"id": pa.array(range(count + 1), pa.int64())}
    for name, (t, v) in columns.items():
        fields[name] = pa.array([v[i % len(v)] for i in range(count)] + [None], t)
    return pa.table(fields)


def nested():
    """Structs, lists and maps in each other; empty, null and with null elements."""
    point = pa.struct([("x", pa.int32()), ("y", pa.string())])
    deep = pa.struct([("points", pa.list_(point)), ("by_name", pa.map_(pa.string(), point))])
    p, q = {"x": 1, "y": "ä\"'"}, {"x": None, "y": None}
    rows = [
        {"points": [p, q, None], "by_name": [("a", p), ("b", None), ("ß%", q)]},
        {"points": [], "by_name": []},
        {"points": None, "by_name": None},
        None,
    ]
    return pa.table(
        {
            "id": pa.array(range(4), pa.int64()),
            "st": pa.array([p, q, None, p], point),
            "li": pa.array([[1, None, -3], [], None, [2**62]], pa.list_(pa.int64())),
            "ll": pa.array([[["a"], [], None], [], None, [["b", None]]], pa.list_(pa.list_(pa.string()))),
            "ma": pa.array(
                [[(1, 1.5), (2, None)], [], None, [(-1, -0.0)]], pa.map_(pa.int32(), pa.float64())
            ),
            "mm": pa.array(
                [[("k", [decimal.Decimal("1.25")])], [], None, [("", None)]],
                pa.map_(pa.string(), pa.list_(pa.decimal128(20, 2))),
            ),
            "deep": pa.array(rows, deep),
            "when": pa.array(
                [[{"t": MOMENTS[7].replace(tzinfo=UTC), "d": DATES[0]}], [None], [], None],
                pa.list_(pa.struct([("t", TIMESTAMP), ("d", pa.date32())])),
            ),
        }
    )


def odd_names():
    """Column names that Parquet files with plain names cannot have, inside of structs too."""
    names = ["id", "a b,;{}()\n\t=", "per%cent", "x.y", "q'uote\"", "back`tick", " "]
    columns = {n: pa.array([f"{i} {n}", None, "z"]) for i, n in enumerate(names)}
    columns["id"] = pa.array(range(3), pa.int64())
    odd = pa.struct([("a b", pa.int32()), ("c,d;e", pa.list_(pa.struct([("f = g", pa.string())])))])
    columns["st (1)"] = pa.array([{"a b": 1, "c,d;e": [{"f = g": "h"}, None]}, None, {}], odd)
    return pa.table(columns)


def decimals():
    """Every precision, at the scales 0, half of it and all of it, with the largest digits."""
    columns = {"id": pa.array(range(4), pa.int64())}
    for precision in range(1, 39):
        for scale in sorted({0, precision // 2, precision}):
            nines = "9" * (precision - scale) + "." + "9" * scale
            one = "." + "1".rjust(scale, "0") if scale else "1"
            texts = pa.array([nines.rstrip("."), "-" + nines.rstrip("."), one, None])
            columns[f"d_{precision}_{scale}"] = texts.cast(pa.decimal128(precision, scale))
    return pa.table(columns)


# Values to partition by, one list per type: each becomes a table of its own.
PARTITION_VALUES = {
    "boolean": (pa.bool_(), [True, False, None]),
    "byte": (pa.int8(), [-128, 0, 127, None]),
    "short": (pa.int16(), [-(2**15), 0, 2**15 - 1, None]),
    "integer": (pa.int32(), [-(2**31), 0, 2**31 - 1, None]),
    "long": (pa.int64(), [-(2**63), 0, 2**63 - 1, None]),
    "float": (pa.float32(), [-1.5, 0.1, 3.4028234e38, 1e-10, None]),
    "double": (pa.float64(), [-1.5, 0.1, 1.7976931348623157e308, 1e-10, None]),
    "decimal": (
        pa.decimal128(38, 10),
        [decimal.Decimal("-1234567890123456789012345678.0123456789"), decimal.Decimal("0.5"), None],
    ),
    "string": (pa.string(), [*ODD_STRINGS, None]),
    "date": (pa.date32(), [*DATES, None]),
    "timestamp": (TIMESTAMP, [*in_utc(MOMENTS), None]),
    "timestamp_ntz": (TIMESTAMP_NTZ, [*MOMENTS, None]),
    "binary": (pa.binary(), [b"abc", b"\x01\x7f", None]),
}


def partitioned(type_name):
    """Two rows for each value of a partition column `p`."""
    t, values = PARTITION_VALUES[type_name]
    twice = [v for v in values for _ in range(2)]
    return pa.table(
        {
            "id": pa.array(range(len(twice)), pa.int64()),
            "v": pa.array([f"row {i}" for i in range(len(twice))]),
            "p": pa.array(twice, t),
        }
    )


def skipping(batch, rows=40):
    """Rows of one file of a table whose statistics let readers skip files, with traps in them.

    Strings share a prefix longer than statistics keep, instants differ below a millisecond, floats
    hold NaN, decimals more digits than a double, and every column is null somewhere, or always.
    """
    ids = [batch * rows + i for i in range(rows)]
    prefix = "common prefix of more than thirty-two characters / "
    tail = ["", "a", "z", "\U0010ffff", "\ufffd", "é"][batch % 6]
    base = datetime.datetime(2024, 1, 1, tzinfo=UTC)
    step = datetime.timedelta(microseconds=1001)
    moments = [base + step * i for i in ids]
    odd = [i % 7 == 3 for i in ids]
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "s": pa.array([f"{prefix}{tail}{i:06d}" for i in ids]),
            "short": pa.array([f"{tail}{i % 100:02d}" for i in ids]),
            "f": pa.array([NAN if o and batch % 2 else i / 4 for i, o in zip(ids, odd)]),
            "zero": pa.array([-0.0 if batch % 2 else 0.0 for _ in ids]),
            "dec": pa.array(
                [decimal.Decimal(f"12345678901234567890.{i:06d}") for i in ids],
                pa.decimal128(28, 6),
            ),
            "big": pa.array([2**60 + i for i in ids], pa.int64()),
            "ts": pa.array(moments, TIMESTAMP),
            "ntz": pa.array([m.replace(tzinfo=None) for m in moments], TIMESTAMP_NTZ),
            "d": pa.array([(base + datetime.timedelta(days=i)).date() for i in ids], pa.date32()),
            "b": pa.array([batch % 3 == 0 for _ in ids]),
            "n": pa.array([None if batch % 2 or o else i for i, o in zip(ids, odd)], pa.int32()),
            "none": pa.nulls(rows, pa.string()),
            "st": pa.array(
                [None if o else {"a": i, "b": f"{tail}{i}"} for i, o in zip(ids, odd)],
                pa.struct([("a", pa.int64()), ("b", pa.string())]),
            ),
        }
    )


# Predicates over skipping(); batches of 40 rows.
PREDICATES = [
    "id = 85",
    "id < 40",
    "id BETWEEN 39 AND 41",
    "id IN (3, 99, 100000)",
    "id NOT IN (3, 99)",
    "id <> 5 AND id <= 10",
    "NOT (id >= 40)",
    "id = 1 OR s LIKE '%000081'",
    "s LIKE 'common prefix of more than thirty-two characters / z%'",
    "s LIKE 'common prefix of more than thirty-two%'",
    "s > 'common prefix of more than thirty-two characters / z'",
    "s <= 'common prefix of more than thirty-two characters / a'",
    "s >= 'common prefix of more than thirty-two characters / \U0010ffff'",
    "short LIKE 'z%'",
    "short >= '\U0010ffff'",
    "short > '\ufffd99'",
    "short < 'a'",
    "starts_with(short, 'é')",
    "f = 20.25",
    "f > 30",
    "f < 5",
    "isnan(f)",
    "f = 'NaN'::DOUBLE",
    "f >= 50 AND NOT isnan(f)",
    "zero = 0.0",
    "zero < 0.0",
    "zero >= 0.0",
    "dec = 12345678901234567890.000081",
    "dec > 12345678901234567890.000150",
    "dec < 12345678901234567890.000039",
    "big = 1152921504606847061",
    "big > 1152921504606847130",
    "ts = TIMESTAMPTZ '2024-01-01 00:00:00.085085+00'",
    "ts > TIMESTAMPTZ '2024-01-01 00:00:00.119999+00'",
    "ts <= TIMESTAMPTZ '2024-01-01 00:00:00.039039+00'",
    "ntz = TIMESTAMP '2024-01-01 00:00:00.085085'",
    "ntz >= TIMESTAMP '2024-01-01 00:00:00.119119'",
    "d = DATE '2024-03-26'",
    "d >= DATE '2024-05-01' AND d < DATE '2024-05-10'",
    "year(d) = 2025",
    "b",
    "NOT b",
    "b = true AND id > 100",
    "n IS NULL",
    "n IS NOT NULL",
    "n > 100",
    "n = 84 OR n IS NULL",
    "none IS NULL",
    "none IS NOT NULL",
    "none = 'x'",
    "st.a = 85",
    "st.a > 120",
    "st.b = 'z85'",
    "st IS NULL",
    "st.a IS NULL",
    "coalesce(n, -1) = -1",
    "id % 50 = 7",
    "1 = 0",
]
