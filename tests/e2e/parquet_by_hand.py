"""Parquet files as old writers made them and no library of today does: plain, version 1, one page a column unless
pages of fewer rows are asked for, of which there are indexes then.

A column is (path, type, values), where path is the way to the leaf through the schema and each value is
(repetition level, definition level, value or None).
"""
import struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
REQUIRED, OPTIONAL, REPEATED = range(3)
UTF8, MAP, MAP_KEY_VALUE, LIST, DECIMAL, DATE, TIMESTAMP_MICROS = 0, 1, 2, 3, 5, 6, 10
UNCOMPRESSED, LZO, LZ4_HADOOP = 0, 3, 5

# ---- Thrift's compact protocol -----------------------------------------------------------------------

T_TRUE, T_I32, T_I64, T_BINARY, T_LIST, T_STRUCT = 1, 5, 6, 8, 9, 12


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def zigzag(number):
    return varint((number << 1) ^ (number >> 63))


def encoded(kind, value):
    if kind == T_TRUE:  # an element of a list
        return bytes([value])
    if kind in (T_I32, T_I64):
        return zigzag(value)
    if kind == T_BINARY:
        raw = value.encode() if isinstance(value, str) else value
        return varint(len(raw)) + raw
    if kind == T_STRUCT:
        return value
    element, items = value
    head = bytes([len(items) << 4 | element]) if len(items) < 15 else bytes([240 | element]) + varint(len(items))
    return head + b"".join(encoded(element, item) for item in items)


def struct_of(*fields):
    """Fields are (id, kind, value), in ascending order; a value of None is left out."""
    out, last = b"", 0
    for number, kind, value in fields:
        if value is not None:
            step = number - last
            out += bytes([step << 4 | kind]) if step < 16 else bytes([kind]) + zigzag(number)
            out += encoded(kind, value)
            last = number
    return out + b"\0"


# ---- The schema ---------------------------------------------------------------------------------------


def leaf(name, kind, repetition=OPTIONAL, converted=None, length=None, precision=None, scale=None,
         field_id=None):
    return {"name": name, "type": kind, "repetition": repetition, "converted": converted, "length": length,
            "precision": precision, "scale": scale, "field_id": field_id, "children": []}


def group(name, *children, repetition=OPTIONAL, converted=None, field_id=None):
    return {**leaf(name, None, repetition, converted, field_id=field_id), "children": children}


def shredded(name, typed, field_id=None):
    """A variant, marked as such, whose typed values are of one type."""
    parts = (leaf("metadata", BYTE_ARRAY, REQUIRED), leaf("value", BYTE_ARRAY), leaf("typed_value", typed))
    return {**group(name, *parts, field_id=field_id), "is_variant": True}


def elements(node, is_root=False):
    out = [struct_of((1, T_I32, node["type"]), (2, T_I32, node["length"]),
                     (3, T_I32, None if is_root else node["repetition"]), (4, T_BINARY, node["name"]),
                     (5, T_I32, len(node["children"]) or None), (6, T_I32, node["converted"]),
                     (7, T_I32, node["scale"]), (8, T_I32, node["precision"]), (9, T_I32, node["field_id"]),
                     (10, T_STRUCT, struct_of((16, T_STRUCT, struct_of())) if node.get("is_variant") else None))]
    for child in node["children"]:
        out += elements(child)
    return out


def levels_of(root, path):
    """The highest repetition and definition level of a leaf, and the leaf."""
    node, repetition, definition = root, 0, 0
    for name in path:
        node = next(c for c in node["children"] if c["name"] == name)
        repetition += node["repetition"] == REPEATED
        definition += node["repetition"] != REQUIRED
    return repetition, definition, node


# ---- Pages --------------------------------------------------------------------------------------------


def level_bytes(levels, highest):
    if highest == 0:
        return b""
    width = (highest.bit_length() + 7) // 8
    runs = b"".join(varint(1 << 1) + level.to_bytes(width, "little") for level in levels)
    return struct.pack("<I", len(runs)) + runs


def plain(node, value):
    kind = node["type"]
    if kind == BOOLEAN:  # for a page of up to one value
        return bytes([value])
    if kind in (INT32, INT64, FLOAT, DOUBLE):
        return struct.pack({INT32: "<i", INT64: "<q", FLOAT: "<f", DOUBLE: "<d"}[kind], value)
    raw = value.encode() if isinstance(value, str) else value
    return (struct.pack("<I", len(raw)) if kind == BYTE_ARRAY else b"") + raw


def lz4_literals(raw, framed):
    """A block of LZ4 that repeats nothing, in Hadoop's frame or bare."""
    rest, more = len(raw) - 15, b""
    while rest >= 0:
        more += bytes([min(rest, 255)])
        rest -= 255
    block = bytes([min(len(raw), 15) << 4]) + more + raw
    return struct.pack(">II", len(raw), len(block)) + block if framed else block


def page(node, repetition, definition, values, codec, framed):
    body = level_bytes([v[0] for v in values], repetition) + level_bytes([v[1] for v in values], definition)
    body += b"".join(plain(node, v[2]) for v in values if v[1] == definition)
    stored = lz4_literals(body, framed) if codec == LZ4_HADOOP else body
    data = struct_of((1, T_I32, len(values)), (2, T_I32, 0), (3, T_I32, 3), (4, T_I32, 3))
    header = struct_of((1, T_I32, 0), (2, T_I32, len(body)), (3, T_I32, len(stored)), (5, T_STRUCT, data))
    return header + stored, len(header) + len(body)


def column_index(node, pages):
    """The bounds of pages of integers without NULL."""
    bounds = [[plain(node, choose(v[2] for v in values)) for values in pages] for choose in (min, max)]
    return struct_of((1, T_LIST, (T_TRUE, [2] * len(pages))), (2, T_LIST, (T_BINARY, bounds[0])),
                     (3, T_LIST, (T_BINARY, bounds[1])), (4, T_I32, 0))


def offset_index(places):
    return struct_of((1, T_LIST, (T_STRUCT, [struct_of((1, T_I64, offset), (2, T_I32, size), (3, T_I64, row))
                                             for offset, size, row in places])))


def write(path, row_count, fields, columns, codec=UNCOMPRESSED, framed=True, keys=None, encodings=(0, 3),
          page_rows=None, offset_index=offset_index):
    root = group("schema", *fields, repetition=REQUIRED)
    out, chunks, total = b"PAR1", [], 0
    for names, values in columns:
        repetition, definition, node = levels_of(root, names)
        step, start, size, places = page_rows or len(values) or 1, len(out), 0, []
        pages = [values[i:i + step] for i in range(0, len(values) or 1, step)]
        for i, some in enumerate(pages):
            stored, plain_size = page(node, repetition, definition, some, codec, framed)
            places.append((len(out), len(stored), i * step))
            out, size = out + stored, size + plain_size
        meta = struct_of((1, T_I32, node["type"]), (2, T_LIST, (T_I32, list(encodings))), (3, T_LIST, (T_BINARY, list(names))),
                         (4, T_I32, codec), (5, T_I64, len(values)), (6, T_I64, size), (7, T_I64, len(out) - start),
                         (9, T_I64, start))
        chunks.append(([(2, T_I64, start), (3, T_STRUCT, meta)], node, pages, places))
        total += size
    for fields_of, node, pages, places in chunks if page_rows else []:
        for number, index in ((4, offset_index(places)), (6, column_index(node, pages))):
            fields_of += [(number, T_I64, len(out)), (number + 1, T_I32, len(index))]
            out += index
    chunks = [struct_of(*fields_of) for fields_of, *_ in chunks]
    rows = struct_of((1, T_LIST, (T_STRUCT, chunks)), (2, T_I64, total), (3, T_I64, row_count))
    footer = struct_of((1, T_I32, 1), (2, T_LIST, (T_STRUCT, elements(root, True))), (3, T_I64, row_count),
                       (4, T_LIST, (T_STRUCT, [rows])),
                     (5, T_LIST, (T_STRUCT, [struct_of((1, T_BINARY, key), (2, T_BINARY, value))
                                             for key, value in (keys or {}).items()])),
                     (6, T_BINARY, "parquet-mr version 1.2.8"))
    with open(path, "wb") as file:
        file.write(out + footer + struct.pack("<I", len(footer)) + b"PAR1")


# ---- What there is in a file --------------------------------------------------------------------------


def read_varint(raw, at):
    number, shift = 0, 0
    while raw[at] > 127:
        number, shift, at = number | (raw[at] & 127) << shift, shift + 7, at + 1
    return number | raw[at] << shift, at + 1


def read_value(raw, at, kind):
    if kind in (1, 2):
        return kind == 1, at
    if kind == 3:
        return raw[at], at + 1
    if kind in (4, T_I32, T_I64):
        number, at = read_varint(raw, at)
        return number >> 1 ^ -(number & 1), at
    if kind == T_BINARY:
        size, at = read_varint(raw, at)
        return raw[at:at + size], at + size
    if kind == T_STRUCT:
        return read_struct(raw, at)
    count, element, items, at = raw[at] >> 4, raw[at] & 15, [], at + 1
    if count == 15:
        count, at = read_varint(raw, at)
    for _ in range(count):
        item, at = (raw[at], at + 1) if element in (1, 2) else read_value(raw, at, element)
        items.append(item)
    return items, at


def read_struct(raw, at=0):
    """The fields by their numbers, and where the struct ends."""
    out, number = {}, 0
    while raw[at] != 0:
        step, kind, at = raw[at] >> 4, raw[at] & 15, at + 1
        if step == 0:
            number, at = read_value(raw, at, 4)
        number += step
        out[number], at = read_value(raw, at, kind)
    return out, at + 1


def page_indexes(path):
    """Of each column of each row group: the places of pages, and their bounds, as the file says; [] without. Fails
    unless a page of that size stands at each place."""
    with open(path, "rb") as file:
        raw = file.read()
    footer, _ = read_struct(raw, len(raw) - 8 - struct.unpack("<I", raw[-8:-4])[0])
    out = []
    for chunk in (chunk for rows in footer[4] for chunk in rows[1]):
        if 4 in chunk:
            places = [(p[1], p[2], p[3]) for p in read_struct(raw[chunk[4]:chunk[4] + chunk[5]])[0][1]]
            bounds = read_struct(raw[chunk[6]:chunk[6] + chunk[7]])[0]
            for offset, size, _ in places:
                head, end = read_struct(raw, offset)
                assert end + head[3] - offset == size, (path, offset, size, head)
            out.append((places, [struct.unpack("<q", b)[0] for b in bounds[2]],
                        [struct.unpack("<q", b)[0] for b in bounds[3]]))
    return out
