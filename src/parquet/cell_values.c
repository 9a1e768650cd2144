/*
 * Values of cells as those of a table's columns. What a file has and a column wants are of the same
 * kind, or the column is wider: all else is left to the engine's casts.
 */
#include "base/assert.h"
#include "parquet/cells.h"

#define MICROS_PER_MILLI 1000
#define MICROS_PER_DAY INT64_C(86400000000)
#define NANOS_PER_MICRO 1000
/* 1970-01-01 as INT96 counts days. */
#define JULIAN_DAY_OF_1970 2440588

static bool
is_decimal_for(const dw_pq_node *leaf, const dw_column_spec *column)
{
    bool is_held = leaf->type == DW_PQ_INT32 || leaf->type == DW_PQ_INT64 ||
                   leaf->type == DW_PQ_BYTE_ARRAY ||
                   (leaf->type == DW_PQ_FIXED_BYTES && leaf->width <= (int64_t) sizeof(dw_i128));
    return leaf->measure == DW_PQ_DECIMAL && is_held && leaf->scale == column->scale &&
           leaf->precision > 0 && leaf->precision <= column->precision;
}

static bool
is_instant(const dw_pq_node *leaf)
{
    return leaf->type == DW_PQ_INT64 &&
           (leaf->measure == DW_PQ_MILLIS || leaf->measure == DW_PQ_MICROS);
}

bool
dw__pq_leaf_fits(const dw_pq_node *leaf, const dw_column_spec *column)
{
    bool is_plain = leaf->meaning == DW_PQ_PLAIN;
    switch (column->kind) {
    case DW_VECTOR_BOOL:
        return is_plain && leaf->type == DW_PQ_BOOLEAN;
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_I32:
        return dw__pq_leaf_is_integer(leaf) && leaf->type == DW_PQ_INT32;
    case DW_VECTOR_I64:
        return dw__pq_leaf_is_integer(leaf);
    case DW_VECTOR_FLOAT:
        return is_plain && leaf->type == DW_PQ_FLOAT;
    case DW_VECTOR_DOUBLE:
        return is_plain && (leaf->type == DW_PQ_FLOAT || leaf->type == DW_PQ_DOUBLE);
    case DW_VECTOR_DATE:
        return leaf->type == DW_PQ_INT32 && leaf->measure == DW_PQ_DAYS;
    case DW_VECTOR_TIMESTAMP:
        return is_instant(leaf) || (is_plain && leaf->type == DW_PQ_INT96);
    case DW_VECTOR_TIMESTAMP_NTZ:
        return is_instant(leaf);
    case DW_VECTOR_DECIMAL:
        return is_decimal_for(leaf, column);
    case DW_VECTOR_STR:
        return leaf->meaning == DW_PQ_TEXT && leaf->type == DW_PQ_BYTE_ARRAY;
    case DW_VECTOR_BYTES:
        return is_plain && leaf->type == DW_PQ_BYTE_ARRAY;
    case DW_VECTOR_TEXT:
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
        break;
    }
    return false;
}

/* ---- One value ------------------------------------------------------------------------------- */

/* Integers and floating-point numbers are kept as they lie in memory. */
static int64_t
number_of(dw_str bytes)
{
    int32_t narrow;
    int64_t wide;
    if (bytes.len == sizeof(narrow)) {
        memcpy(&narrow, bytes.ptr, sizeof(narrow));
        return narrow;
    }
    dw_assert(bytes.len == sizeof(wide));
    memcpy(&wide, bytes.ptr, sizeof(wide));
    return wide;
}

static bool
put_integer(dw_str bytes, size_t width, void *out)
{
    int64_t value = number_of(bytes);
    unsigned bits = (unsigned) width * 8;
    if (width < sizeof(value) &&
        (value < -(INT64_C(1) << (bits - 1)) || value >= INT64_C(1) << (bits - 1))) {
        return false;
    }
    memcpy(out, &value, width); /* the low bytes come first */
    return true;
}

static bool
put_double(dw_str bytes, double *out)
{
    float narrow;
    if (bytes.len == sizeof(*out)) {
        memcpy(out, bytes.ptr, sizeof(*out));
    } else {
        memcpy(&narrow, bytes.ptr, sizeof(narrow));
        *out = (double) narrow;
    }
    return true;
}

/* INT96: nanoseconds of the day, and the day. */
static bool
read_int96(dw_str bytes, int64_t *out)
{
    int64_t nanos;
    uint32_t day;
    memcpy(&nanos, bytes.ptr, sizeof(nanos));
    memcpy(&day, bytes.ptr + sizeof(nanos), sizeof(day));
    int64_t micros;
    return nanos >= 0 && nanos < MICROS_PER_DAY * NANOS_PER_MICRO &&
           !__builtin_mul_overflow((int64_t) day - JULIAN_DAY_OF_1970, MICROS_PER_DAY, &micros) &&
           !__builtin_add_overflow(micros, nanos / NANOS_PER_MICRO, out);
}

static bool
put_instant(const dw_pq_node *leaf, dw_str bytes, int64_t *out)
{
    if (leaf->type == DW_PQ_INT96) {
        return read_int96(bytes, out);
    }
    int64_t value = number_of(bytes);
    int64_t factor = leaf->measure == DW_PQ_MILLIS ? MICROS_PER_MILLI : 1;
    return !__builtin_mul_overflow(value, factor, out);
}

/* Bytes of decimals come with the high ones first. */
static bool
put_decimal(const dw_pq_node *leaf, uint8_t precision, dw_str bytes, dw_i128 *out)
{
    if (leaf->type == DW_PQ_INT32 || leaf->type == DW_PQ_INT64) {
        *out = number_of(bytes);
    } else {
        if (bytes.len == 0 || bytes.len > sizeof(*out)) {
            return false;
        }
        *out = (bytes.ptr[0] & 0x80) != 0 ? -1 : 0;
        for (size_t i = 0; i < bytes.len; i++) {
            *out = *out * 256 + (uint8_t) bytes.ptr[i];
        }
    }
    dw_i128 bound = 1;
    for (uint8_t i = 0; i < precision; i++) {
        bound *= 10;
    }
    return *out > -bound && *out < bound;
}

static bool
put_bytes(dw_str bytes, bool is_text, dw_arena *arena, dw_str *out, bool *has_memory)
{
    if (is_text && !dw__str_is_utf8(bytes)) {
        return false;
    }
    *has_memory = dw__arena_dup(arena, bytes, out);
    return *has_memory;
}

static bool
put(const dw_pq_node *leaf, const dw_column_spec *column, dw_str bytes, dw_arena *arena, void *out,
    bool *has_memory)
{
    switch (column->kind) {
    case DW_VECTOR_BOOL:
        *(bool *) out = bytes.ptr[0] != 0;
        return true;
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_I32:
    case DW_VECTOR_I64:
    case DW_VECTOR_DATE:
        return put_integer(bytes, dw__vector_width(column->kind), out);
    case DW_VECTOR_FLOAT:
        memcpy(out, bytes.ptr, sizeof(float));
        return true;
    case DW_VECTOR_DOUBLE:
        return put_double(bytes, out);
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
        return put_instant(leaf, bytes, out);
    case DW_VECTOR_DECIMAL:
        return put_decimal(leaf, column->precision, bytes, out);
    case DW_VECTOR_STR:
        return put_bytes(bytes, true, arena, out, has_memory);
    case DW_VECTOR_BYTES:
        return put_bytes(bytes, false, arena, out, has_memory);
    case DW_VECTOR_TEXT:
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
        break;
    }
    dw_unreachable("a kind that fits no leaf");
}

dw_status
dw__pq_cells_take(const dw_pq_cells *cells, const dw_pq_node *leaf, const dw_column_spec *column,
                  const uint32_t *rows, size_t count, dw_arena *arena, char *values, bool *valid,
                  dw_error *err)
{
    dw_assert(dw__pq_leaf_fits(leaf, column));
    size_t width = dw__vector_width(column->kind);
    bool has_memory = true;
    for (size_t i = 0; i < count; i++) {
        valid[i] = !dw__pq_cells_is_null(cells, rows[i]);
        if (valid[i] && !put(leaf, column, dw__pq_cells_bytes(cells, rows[i]), arena,
                             values + i * width, &has_memory)) {
            return has_memory ? dw__pq_odd(err, "value") : dw__error_oom(err);
        }
    }
    return DW_OK;
}
