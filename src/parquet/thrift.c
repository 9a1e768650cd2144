/*
 * The compact protocol: integers in groups of seven bits, signed ones folded; fields by the
 * distance of their numbers.
 */
#include "parquet/thrift.h"

/* Structs in structs that are stepped over. */
#define SKIP_DEPTH_MAX 16

enum {
    TYPE_I8 = 3,
    TYPE_I16,
    TYPE_I32,
    TYPE_I64,
    TYPE_DOUBLE,
    TYPE_BINARY,
    TYPE_SET = 10,
    TYPE_MAP
};

static uint64_t
fail(dw_thrift *thrift)
{
    thrift->failed = true;
    thrift->at = thrift->end;
    return 0;
}

static uint8_t
take_byte(dw_thrift *thrift)
{
    return thrift->at < thrift->end ? (uint8_t) *thrift->at++ : (uint8_t) fail(thrift);
}

static uint64_t
take_varint(dw_thrift *thrift)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_byte(thrift);
        value |= (uint64_t) (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    return fail(thrift);
}

static int64_t
take_signed(dw_thrift *thrift)
{
    uint64_t folded = take_varint(thrift);
    return (int64_t) (folded >> 1) ^ -(int64_t) (folded & 1);
}

static dw_str
take_bytes(dw_thrift *thrift, uint64_t len)
{
    if (len > (uint64_t) (thrift->end - thrift->at)) {
        (void) fail(thrift);
        return DW_STR("");
    }
    dw_str bytes = dw__str_make(thrift->at, (size_t) len);
    thrift->at += len;
    return bytes;
}

bool
dw__thrift_next(dw_thrift *thrift, dw_thrift_field *field)
{
    uint8_t head = take_byte(thrift);
    if (thrift->failed || head == 0) {
        return false;
    }
    field->type = head & 0x0f;
    int64_t id = head >> 4 != 0 ? field->id + (head >> 4) : take_signed(thrift);
    if (id < INT16_MIN || id > INT16_MAX) {
        (void) fail(thrift);
    }
    field->id = id;
    return !thrift->failed;
}

int64_t
dw__thrift_int(dw_thrift *thrift, const dw_thrift_field *field)
{
    if (field->type == TYPE_I8) {
        return (int8_t) take_byte(thrift);
    }
    if (field->type < TYPE_I16 || field->type > TYPE_I64) {
        return (int64_t) fail(thrift);
    }
    return take_signed(thrift);
}

bool
dw__thrift_bool(dw_thrift *thrift, const dw_thrift_field *field)
{
    if (field->type != DW_THRIFT_TRUE && field->type != DW_THRIFT_FALSE) {
        (void) fail(thrift);
    }
    return field->type == DW_THRIFT_TRUE;
}

dw_str
dw__thrift_bytes(dw_thrift *thrift, const dw_thrift_field *field)
{
    if (field->type != TYPE_BINARY) {
        (void) fail(thrift);
    }
    return take_bytes(thrift, take_varint(thrift));
}

/* The head of a list: the number of its elements and their type. */
static size_t
take_list(dw_thrift *thrift, uint8_t *type_out)
{
    uint8_t head = take_byte(thrift);
    *type_out = head & 0x0f;
    uint64_t count = head >> 4 == 15 ? take_varint(thrift) : head >> 4;
    if (count > (uint64_t) (thrift->end - thrift->at)) {
        return (size_t) fail(thrift);
    }
    return (size_t) count;
}

size_t
dw__thrift_list(dw_thrift *thrift, const dw_thrift_field *field, uint8_t type)
{
    uint8_t found = 0;
    size_t count = field->type == DW_THRIFT_LIST ? take_list(thrift, &found) : fail(thrift);
    bool is_empty = count == 0 && !thrift->failed;
    return is_empty || found == type ? count : (size_t) fail(thrift);
}

int64_t
dw__thrift_element(dw_thrift *thrift)
{
    return take_signed(thrift);
}

void
dw__thrift_enter(dw_thrift *thrift, const dw_thrift_field *field)
{
    if (field->type != DW_THRIFT_STRUCT) {
        (void) fail(thrift);
    }
}

/* ---- Stepping over --------------------------------------------------------------------------- */

static void skip_value(dw_thrift *thrift, uint8_t type, bool is_element, size_t depth);

static void
skip_struct(dw_thrift *thrift, size_t depth)
{
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        skip_value(thrift, field.type, false, depth);
    }
}

static void
skip_list(dw_thrift *thrift, size_t depth)
{
    uint8_t type;
    size_t count = take_list(thrift, &type);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        skip_value(thrift, type, true, depth);
    }
}

static void
skip_map(dw_thrift *thrift, size_t depth)
{
    uint64_t count = take_varint(thrift);
    uint8_t types = count > 0 ? take_byte(thrift) : 0;
    for (uint64_t i = 0; i < count && !thrift->failed; i++) {
        skip_value(thrift, types >> 4, true, depth);
        skip_value(thrift, types & 0x0f, true, depth);
    }
}

/* A boolean that is a field is in its type, and a byte elsewhere. */
static void
skip_value(dw_thrift *thrift, uint8_t type, bool is_element, size_t depth)
{
    bool is_boolean = type == DW_THRIFT_TRUE || type == DW_THRIFT_FALSE;
    if (type == TYPE_I8 || (is_boolean && is_element)) {
        (void) take_byte(thrift);
    } else if (type >= TYPE_I16 && type <= TYPE_I64) {
        (void) take_varint(thrift);
    } else if (type == TYPE_DOUBLE) {
        (void) take_bytes(thrift, sizeof(double));
    } else if (type == TYPE_BINARY) {
        (void) take_bytes(thrift, take_varint(thrift));
    } else if (depth == SKIP_DEPTH_MAX) {
        (void) fail(thrift);
    } else if (type == DW_THRIFT_LIST || type == TYPE_SET) {
        skip_list(thrift, depth + 1);
    } else if (type == TYPE_MAP) {
        skip_map(thrift, depth + 1);
    } else if (type == DW_THRIFT_STRUCT) {
        skip_struct(thrift, depth + 1);
    } else if (!is_boolean) {
        (void) fail(thrift);
    }
}

void
dw__thrift_skip(dw_thrift *thrift, const dw_thrift_field *field)
{
    skip_value(thrift, field->type, false, 0);
}
