"""Compares two Arrow tables as multisets of rows, exactly.

Equal means: the same column names in the same order, the same types, and the same rows as often,
in any order. Instants are compared in UTC, floats bit by bit (every NaN equals every NaN, and 0.0
differs from -0.0), maps as entries sorted by key. Nullability and metadata do not matter.
"""
import datetime
import decimal
import struct
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

SHOWN_ROWS_MAX = 2


def canonical_type(t, inside=False):
    """The one type that stands for every physical spelling of the same logical type."""
    if pa.types.is_null(t) and inside:
        return pa.int32()  # what engines without a type for nothing but nulls take for it
    if pa.types.is_dictionary(t):
        return canonical_type(t.value_type)
    if pa.types.is_large_string(t) or t == pa.string_view():
        return pa.string()
    if pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t) or t == pa.binary_view():
        return pa.binary()
    if pa.types.is_timestamp(t):
        return pa.timestamp("us", "UTC" if t.tz else None)
    if pa.types.is_decimal(t):
        return pa.decimal128(t.precision, t.scale)
    if pa.types.is_map(t):
        return pa.map_(canonical_type(t.key_type, True), canonical_type(t.item_type, True))
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t):
        return pa.list_(pa.field("element", canonical_type(t.value_type, True)))
    if pa.types.is_struct(t):
        return pa.struct([pa.field(f.name, canonical_type(f.type, True)) for f in t])
    return t


def canonical(table):
    """The table with canonical types, one chunk a column."""
    fields, columns = [], []
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        wanted = canonical_type(column.type)
        if column.type != wanted:
            column = column.cast(wanted)
        fields.append(pa.field(name, wanted))
        columns.append(column.combine_chunks())
    return pa.table(columns, schema=pa.schema(fields))


def is_nested(t):
    return pa.types.is_nested(t)


def float_bits(column, t):
    """Integers that are equal exactly where the floats are equal bit by bit, NaN being one."""
    wide = pa.float32() if t == pa.float32() else pa.float64()
    column = pc.if_else(pc.is_nan(column), pa.scalar(float("nan"), wide), column)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.view(pa.int32() if t == pa.float32() else pa.int64())


def sorted_flat(table):
    columns = []
    for column in table.columns:
        if pa.types.is_floating(column.type):
            column = float_bits(column, column.type)
        columns.append(column)
    names = [f"c{i}" for i in range(len(columns))]
    plain = pa.table(columns, names=names)
    if plain.num_columns == 0:
        return plain
    return plain.take(pc.sort_indices(plain, [(n, "ascending") for n in names])).combine_chunks()


def key_of(value, t):
    """A hashable stand-in for one value that is equal exactly where the values are."""
    if value is None:
        return None
    if pa.types.is_float32(t):
        return "nan" if value != value else struct.pack("<f", value)
    if pa.types.is_floating(t):
        return "nan" if value != value else struct.pack("<d", value)
    if pa.types.is_decimal(t):
        return (value.as_tuple() if isinstance(value, decimal.Decimal) else value)
    if pa.types.is_map(t):
        entries = [(key_of(k, t.key_type), key_of(v, t.item_type)) for k, v in value]
        return tuple(sorted(entries, key=repr))
    if pa.types.is_list(t):
        return tuple(key_of(v, t.value_type) for v in value)
    if pa.types.is_struct(t):
        return tuple(key_of(value[f.name], f.type) for f in t)
    return value


def timestamps_as_integers(t):
    """Python's datetime ends at the year 9999: count microseconds instead."""
    if pa.types.is_timestamp(t):
        return pa.int64()
    if pa.types.is_date32(t):
        return pa.int32()
    if pa.types.is_map(t):
        return pa.map_(timestamps_as_integers(t.key_type), timestamps_as_integers(t.item_type))
    if pa.types.is_list(t):
        return pa.list_(pa.field("element", timestamps_as_integers(t.value_type)))
    if pa.types.is_struct(t):
        return pa.struct([pa.field(f.name, timestamps_as_integers(f.type)) for f in t])
    return t


def row_keys(table):
    columns = []
    for column in table.columns:
        t = timestamps_as_integers(column.type)
        values = column.cast(t).to_pylist()
        columns.append([key_of(v, t) for v in values])
    return list(zip(*columns)) if columns else []


def show_rows(table, keys, wanted):
    """Up to SHOWN_ROWS_MAX rows of the table whose keys are in the multiset `wanted`."""
    shown = []
    left = Counter(wanted)
    for i, key in enumerate(keys):
        if left[key] > 0:
            left[key] -= 1
            try:
                shown.append(str({n: table[n][i].as_py() for n in table.column_names})[:200])
            except (ValueError, OverflowError):
                shown.append(str({n: str(table[n][i]) for n in table.column_names})[:200])
            if len(shown) == SHOWN_ROWS_MAX:
                break
    return "; ".join(shown)


def difference(expected, found):
    """None where the tables are equal, else one line that says how they differ."""
    if expected.column_names != found.column_names:
        return f"expected columns {expected.column_names}, found {found.column_names}"
    try:
        expected, found = canonical(expected), canonical(found)
    except pa.ArrowInvalid as e:
        return f"cannot bring the rows to canonical types: {e}"
    if expected.num_rows != found.num_rows:
        return f"expected {expected.num_rows} rows, found {found.num_rows}"
    for i, name in enumerate(expected.column_names):
        typeless = pa.types.is_null(expected.schema.field(name).type)
        if typeless and found[name].null_count == len(found):
            # A column without a type of its own: nothing but nulls is all that can be said of it.
            found = found.set_column(i, expected.schema.field(name), expected[name])
        want, have = expected.schema.field(name).type, found.schema.field(name).type
        if want != have:
            return f"column {name}: expected type {want}, found {have}"
    if not any(is_nested(t) for t in expected.schema.types):
        if sorted_flat(expected).equals(sorted_flat(found)):
            return None
    a, b = row_keys(expected), row_keys(found)
    count_a, count_b = Counter(a), Counter(b)
    if count_a == count_b:
        return None
    missing, extra = count_a - count_b, count_b - count_a
    return (
        f"{sum(missing.values())} rows differ; expected {show_rows(expected, a, missing)}"
        f" found {show_rows(found, b, extra)}"
    )


def utc_instant(text):
    """Microseconds since the epoch of an ISO text without a zone, read as UTC."""
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp() * 1_000_000)
