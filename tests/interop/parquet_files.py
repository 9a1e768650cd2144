"""Data files by another writer, in every codec, page version, encoding and physical type, under a log of our own.

The log says what the columns are; the files say it in the many ways that writers found.
"""
import datetime
import decimal
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

from dwpeers import product, rows

UTC = datetime.timezone.utc
DECIMALS = [(1, 0), (4, 2), (9, 9), (10, 0), (18, 4), (18, 18), (19, 0), (38, 0), (38, 38)]
MOMENTS = [datetime.datetime(2024, 2, 29, 1, 2, 3, 456789, UTC), None,
           datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime.datetime(1700, 1, 1, tzinfo=UTC),
           datetime.datetime(2261, 12, 31, tzinfo=UTC)]
FAR_MOMENTS = MOMENTS + [datetime.datetime(1, 1, 1, tzinfo=UTC),
                         datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
MOMENT = "2024-02-29 01:02:03.456789"


def struct(*fields):
    return {"type": "struct", "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}}
                                         for name, kind in fields]}


def mixed():
    """One column of each kind and its type in the log."""
    data = pa.table({
        "i": pa.array([1, 2, None], pa.int32()), "s": ["a", "\u00e9", None],
        "l": pa.array([[1, None], [], None], pa.list_(pa.int64())),
        "m": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "d": pa.array([decimal.Decimal("1.23"), decimal.Decimal("-9.99"), None], pa.decimal128(9, 2)),
        "st": pa.array([{"x": 1.5}, {"x": None}, None], pa.struct([("x", pa.float64())]))})
    kinds = [("i", "integer"), ("s", "string"),
             ("l", {"type": "array", "elementType": "long", "containsNull": True}),
             ("m", {"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": True}),
             ("d", "decimal(9,2)"), ("st", struct(("x", "double")))]
    return data, kinds


def answers(path, data, kinds, expected, where, options):
    """What is wrong with a table of one file that another writer wrote with these options."""
    os.makedirs(f"{path}/_delta_log")
    pq.write_table(data, f"{path}/a.parquet", **options)
    features = ["timestampNtz"]
    actions = [{"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features,
                             "writerFeatures": features}},
               {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}},
                             "schemaString": json.dumps(struct(*kinds)), "partitionColumns": [], "configuration": {}}},
               {"add": {"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(f"{path}/a.parquet"),
                        "modificationTime": 1, "dataChange": True}}]
    with open(f"{path}/_delta_log/{0:020d}.json", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(action) + "\n" for action in actions)
    return rows.difference(expected, product.read(path, where=where))


def check(run, name, data, kinds, expected=None, where=None, **options):
    run.check(f"parquet/{name}", answers, run.path("parquet/table"), data, kinds,
              data if expected is None else expected, where, options)


def layouts(run):
    data, kinds = mixed()
    for codec in ("NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"):
        for version in ("1.0", "2.0"):
            check(run, f"{codec}, pages {version}", data, kinds, compression=codec, data_page_version=version)
    check(run, "plain", data, kinds, use_dictionary=False)
    check(run, "deltas", data, kinds, use_dictionary=False,
          column_encoding={"i": "DELTA_BINARY_PACKED", "s": "DELTA_BYTE_ARRAY"})
    check(run, "split bytes", data, kinds, use_dictionary=False,
          column_encoding={"s": "DELTA_LENGTH_BYTE_ARRAY", "st.x": "BYTE_STREAM_SPLIT"})
    check(run, "decimals as integers", data, kinds, store_decimal_as_integer=True)
    check(run, "lists of items", data, kinds, use_compliant_nested_type=False)
    check(run, "format 1.0", data, kinds, version="1.0")
    check(run, "page index", data, kinds, write_page_index=True)


def decimals(run):
    with decimal.localcontext() as context:
        context.prec = 60
        for precision, scale in DECIMALS:
            one = decimal.Decimal(1).scaleb(-scale)
            least = -(decimal.Decimal(10) ** precision - 1).scaleb(-scale)
            data = pa.table({"d": pa.array([one, least, None], pa.decimal128(precision, scale))})
            kinds = [("d", f"decimal({precision},{scale})")]
            for integers in (False, True):
                name = f"decimal({precision},{scale}){' as integer' if integers else ''}"
                check(run, name, data, kinds, store_decimal_as_integer=integers)
                check(run, f"{name} where", data, kinds, data.slice(1, 1), "d < 0", store_decimal_as_integer=integers)


def timestamps(run):
    instants = pa.table({"t": pa.array(MOMENTS, pa.timestamp("us", "UTC"))})
    local = pa.table({"t": instants["t"].cast(pa.timestamp("us"))})
    far = pa.table({"t": pa.array(FAR_MOMENTS, pa.timestamp("us", "UTC"))})
    cut = far["t"].cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.timestamp("us", "UTC"))
    kinds, local_kinds = [("t", "timestamp")], [("t", "timestamp_ntz")]
    check(run, "microseconds", far, kinds)
    check(run, "milliseconds", far, kinds, pa.table({"t": cut}), coerce_timestamps="ms",
          allow_truncated_timestamps=True)
    nanos = pa.table({"t": instants["t"].cast(pa.timestamp("ns", "UTC"))})
    local_nanos = pa.table({"t": local["t"].cast(pa.timestamp("ns"))})
    cases = [("int96", instants, kinds, instants, {"use_deprecated_int96_timestamps": True}),
             ("nanoseconds", nanos, kinds, instants, {"version": "2.6"}),
             ("marked as local", local, kinds, instants, {}),
             ("local", local, local_kinds, local, {}),
             ("local nanoseconds", local_nanos, local_kinds, local, {"version": "2.6"}),
             ("local int96", local, local_kinds, local, {"use_deprecated_int96_timestamps": True}),
             ("local marked as instants", instants, local_kinds, local, {})]
    for name, data, types, expected, options in cases:
        zone = "+00" if types is kinds else ""
        check(run, f"time {name}", data, types, expected, **options)
        check(run, f"time {name} where", data, types, expected.slice(0, 1), f"t = '{MOMENT}{zone}'", **options)


def other_types(run):
    for stored, kind, read in ((pa.int8(), "byte", pa.int8()), (pa.int16(), "short", pa.int16()),
                               (pa.int32(), "byte", pa.int8()), (pa.int32(), "short", pa.int16())):
        numbers = [1, -5, None]
        check(run, f"{kind} in {stored}", pa.table({"c": pa.array(numbers, stored)}), [("c", kind)],
              pa.table({"c": pa.array(numbers, read)}))
    texts = pa.table({"c": ["abc", "\u00e9", None]})
    unmarked = pa.table({"c": pa.array([b"abc", "\u00e9".encode(), None], pa.binary())})
    check(run, "texts without a mark", unmarked, [("c", "string")], texts)
    check(run, "texts without a mark where", unmarked, [("c", "string")], texts.slice(0, 1), "c = 'abc'")
    check(run, "bytes marked as text", texts.slice(0, 1), [("c", "binary")], unmarked.slice(0, 1))
    fixed = pa.table({"c": pa.array([b"abcd", None], pa.binary(4))})
    check(run, "bytes of a fixed length", fixed, [("c", "binary")])


def run_all(run):
    layouts(run)
    decimals(run)
    timestamps(run)
    other_types(run)
