/*
 * Filling facts from statistics and partition values. PROTOCOL.md "Per-file Statistics".
 */
#include "scan/facts.h"

#include "base/assert.h"
#include "base/checked.h"

#include <math.h>

#define FACT_TEXT_BYTES_MAX ((size_t) UINT32_MAX)

static dw_value_kind
bound_kind(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
        return DW_VALUE_I64;
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
        return DW_VALUE_DOUBLE;
    case DW_TYPE_DECIMAL:
        return DW_VALUE_DECIMAL;
    case DW_TYPE_STRING:
    case DW_TYPE_BINARY:
        return DW_VALUE_STR;
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    dw_unreachable("predicates are on primitive columns");
}

static size_t
bound_size(dw_value_kind kind)
{
    switch (kind) {
    case DW_VALUE_I64:
        return sizeof(int64_t);
    case DW_VALUE_DOUBLE:
        return sizeof(double);
    case DW_VALUE_DECIMAL:
        return sizeof(dw_i128);
    case DW_VALUE_STR:
        return sizeof(dw_fact_text);
    case DW_VALUE_NULL:
    case DW_VALUE_BOOL:
        break;
    }
    dw_unreachable("bounds have one of four kinds");
}

/* [FACTS-1] The extremes spare the comparison of integers a look at the flags. */
static void
set_unknown(dw_column_facts *facts, size_t row)
{
    facts->flags[row] = DW_FACT_NULLS | DW_FACT_VALUES;
    if (facts->kind == DW_VALUE_I64) {
        ((int64_t *) facts->min)[row] = INT64_MIN;
        ((int64_t *) facts->max)[row] = INT64_MAX;
    }
}

dw_column_facts *
dw__column_facts_new(const dw_allocator *allocator, const dw_type *type, dw_facts_origin origin,
                     size_t row_count)
{
    dw_column_facts *facts = DW_NEW(allocator, dw_column_facts);
    if (facts == NULL) {
        return NULL;
    }
    facts->allocator = allocator;
    facts->row_count = row_count;
    facts->kind = bound_kind(type);
    facts->scale = type->scale;
    facts->origin = origin;
    facts->may_hold_nan = origin != DW_FACTS_PARTITION && facts->kind == DW_VALUE_DOUBLE;
    facts->texts = dw__strbuf_make(allocator, FACT_TEXT_BYTES_MAX);
    size_t size;
    if (!dw__checked_mul(row_count, bound_size(facts->kind), &size)) {
        dw__column_facts_free(facts);
        return NULL;
    }
    facts->flags = dw__alloc(allocator, row_count);
    facts->min = dw__alloc_zero(allocator, size);
    facts->max = dw__alloc_zero(allocator, size);
    if (facts->flags == NULL || facts->min == NULL || facts->max == NULL) {
        dw__column_facts_free(facts);
        return NULL;
    }
    for (size_t i = 0; i < row_count; i++) {
        set_unknown(facts, i);
    }
    return facts;
}

void
dw__column_facts_free(dw_column_facts *facts)
{
    if (facts == NULL) {
        return;
    }
    size_t size = facts->row_count * bound_size(facts->kind);
    dw__dealloc(facts->allocator, facts->flags, facts->row_count);
    dw__dealloc(facts->allocator, facts->min, size);
    dw__dealloc(facts->allocator, facts->max, size);
    dw__strbuf_deinit(&facts->texts);
    DW_DELETE(facts->allocator, facts);
}

/* ---- Filling --------------------------------------------------------------------------------- */

/* Stores a text; false when out of memory, `*kept_out` false when there is no room. */
static bool
put_text(dw_column_facts *facts, dw_fact_text *slot, dw_str text, bool *kept_out)
{
    dw_fact_text last = facts->last_text;
    *kept_out = true;
    if (dw__str_equal(text, dw__str_slice(dw__strbuf_str(&facts->texts), last.offset, last.len))) {
        *slot = last;
        return true;
    }
    *kept_out = text.len < FACT_TEXT_BYTES_MAX - facts->texts.len;
    if (!*kept_out) {
        return true;
    }
    *slot = (dw_fact_text){(uint32_t) facts->texts.len, (uint32_t) text.len};
    facts->last_text = *slot;
    dw__strbuf_append(&facts->texts, text);
    return !facts->texts.failed;
}

/* Takes a bound if it is of the column's kind. */
static bool
put_bound(dw_column_facts *facts, size_t row, const dw_value *value, bool is_min)
{
    void *bounds = is_min ? facts->min : facts->max;
    bool kept = true;
    if (facts->kind == DW_VALUE_I64 &&
        (value->kind == DW_VALUE_I64 || value->kind == DW_VALUE_BOOL)) {
        ((int64_t *) bounds)[row] = value->as.i64;
    } else if (facts->kind == DW_VALUE_DOUBLE && value->kind == DW_VALUE_DOUBLE &&
               (facts->origin == DW_FACTS_PARTITION || !isnan(value->as.f64))) {
        ((double *) bounds)[row] = value->as.f64;
    } else if (facts->kind == DW_VALUE_DECIMAL && value->kind == DW_VALUE_DECIMAL &&
               value->scale == facts->scale) {
        ((dw_i128 *) bounds)[row] = value->as.i128;
    } else if (facts->kind == DW_VALUE_STR && value->kind == DW_VALUE_STR) {
        if (!put_text(facts, &((dw_fact_text *) bounds)[row], value->as.str, &kept)) {
            return false;
        }
    } else {
        kept = false;
    }
    if (kept) {
        facts->flags[row] |= is_min ? DW_FACT_MIN : DW_FACT_MAX;
    }
    return true;
}

/* Statistics that contradict themselves are wrong, and nothing of them is believed. */
static bool
is_contradiction(const dw_column_facts *facts, size_t row)
{
    uint8_t flags = facts->flags[row];
    bool has_bound = (flags & (DW_FACT_MIN | DW_FACT_MAX)) != 0;
    if (has_bound && (flags & DW_FACT_VALUES) == 0) {
        return true;
    }
    if ((flags & DW_FACT_MIN) == 0 || (flags & DW_FACT_MAX) == 0) {
        return false;
    }
    if (facts->kind == DW_VALUE_I64) {
        return ((const int64_t *) facts->min)[row] > ((const int64_t *) facts->max)[row];
    }
    dw_value min, max;
    dw__column_facts_bounds(facts, row, &min, &max);
    bool comparable;
    return dw__value_compare(&min, &max, &comparable) > 0;
}

bool
dw__column_facts_set_stats(dw_column_facts *facts, size_t row, const dw_file_stats *file,
                           const dw_column_stats *column)
{
    dw_assert(row < facts->row_count);
    if (column->has_null_count && column->null_count == 0) {
        facts->flags[row] &=
            (uint8_t) ~(facts->origin == DW_FACTS_STATISTICS ? DW_FACT_NULLS : 0); /* [FACTS-3] */
    } else if (column->has_null_count && file->has_num_records &&
               column->null_count == file->num_records) {
        facts->flags[row] &= (uint8_t) ~DW_FACT_VALUES;
    }
    if ((column->has_min && !put_bound(facts, row, &column->min, true)) ||
        (column->has_max && !put_bound(facts, row, &column->max, false))) {
        return false;
    }
    if (is_contradiction(facts, row)) {
        set_unknown(facts, row);
    }
    return true;
}

bool
dw__column_facts_set_value(dw_column_facts *facts, size_t row, const dw_value *value)
{
    dw_assert(row < facts->row_count);
    if (value->kind == DW_VALUE_NULL) {
        facts->flags[row] = DW_FACT_NULLS;
        return true;
    }
    if (!put_bound(facts, row, value, true) || !put_bound(facts, row, value, false)) {
        return false;
    }
    if ((facts->flags[row] & DW_FACT_MAX) != 0) {
        facts->flags[row] = DW_FACT_VALUES | DW_FACT_MIN | DW_FACT_MAX;
    }
    return true;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_value
bound_value(const dw_column_facts *facts, size_t row, const void *bounds)
{
    dw_value value = {.kind = facts->kind, .scale = facts->scale};
    switch (facts->kind) {
    case DW_VALUE_I64:
        value.as.i64 = ((const int64_t *) bounds)[row];
        break;
    case DW_VALUE_DOUBLE:
        value.as.f64 = ((const double *) bounds)[row];
        break;
    case DW_VALUE_DECIMAL:
        value.as.i128 = ((const dw_i128 *) bounds)[row];
        break;
    case DW_VALUE_STR: {
        dw_fact_text text = ((const dw_fact_text *) bounds)[row];
        value.as.str = dw__str_slice(dw__strbuf_str(&facts->texts), text.offset, text.len);
        break;
    }
    case DW_VALUE_NULL:
    case DW_VALUE_BOOL:
        dw_unreachable("bounds have one of four kinds");
    }
    return value;
}

void
dw__column_facts_bounds(const dw_column_facts *facts, size_t row, dw_value *min_out,
                        dw_value *max_out)
{
    dw_assert(row < facts->row_count);
    dw_value none = {.kind = DW_VALUE_NULL};
    uint8_t flags = facts->flags[row];
    *min_out = (flags & DW_FACT_MIN) != 0 ? bound_value(facts, row, facts->min) : none;
    *max_out = (flags & DW_FACT_MAX) != 0 ? bound_value(facts, row, facts->max) : none;
}
