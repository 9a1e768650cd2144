/*
 * See lookup_column.h.
 */
#include "scan/lookup_column.h"

#include "base/assert.h"

/* ---- Types ----------------------------------------------------------------------------------- */

/* False for types whose values cannot be looked up. */
static bool
kind_of(const dw_type *type, dw_vector_kind *out)
{
    static const struct {
        dw_type_kind type;
        dw_vector_kind kind;
    } kinds[] = {
        {DW_TYPE_STRING, DW_VECTOR_STR},
        {DW_TYPE_LONG, DW_VECTOR_I64},
        {DW_TYPE_INTEGER, DW_VECTOR_I32},
        {DW_TYPE_SHORT, DW_VECTOR_I16},
        {DW_TYPE_BYTE, DW_VECTOR_I8},
        {DW_TYPE_FLOAT, DW_VECTOR_FLOAT},
        {DW_TYPE_DOUBLE, DW_VECTOR_DOUBLE},
        {DW_TYPE_DECIMAL, DW_VECTOR_DECIMAL},
        {DW_TYPE_BOOLEAN, DW_VECTOR_BOOL},
        {DW_TYPE_BINARY, DW_VECTOR_BYTES},
        {DW_TYPE_DATE, DW_VECTOR_DATE},
        {DW_TYPE_TIMESTAMP, DW_VECTOR_TIMESTAMP},
        {DW_TYPE_TIMESTAMP_NTZ, DW_VECTOR_TIMESTAMP_NTZ},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].type == type->kind) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

dw_status
dw__lookup_column_init(dw_lookup_column *column, const dw_relation *relation, const dw_field *field,
                       dw_arena *arena, dw_error *err)
{
    *column = (dw_lookup_column){
        .field = field,
        .spec = {.precision = field->type->precision, .scale = field->type->scale},
        .by_id = relation->mapping_mode == DW_MAPPING_ID};
    column->is_known = kind_of(field->type, &column->spec.kind);
    column->is_partition =
        dw__str_among(relation->partition_columns, relation->partition_count, field->name);
    /* A field without an id among others that have one is found by its name. */
    column->is_known = column->is_known && !(column->by_id && field->mapping_id < 0);
    column->spec.name = dw__arena_dup_cstr(arena, field->name);
    return column->spec.name != NULL ? DW_OK : dw__error_oom(err);
}

dw_status
dw__lookup_column_reserve(dw_lookup_column *column, size_t row_count, dw_arena *arena,
                          dw_error *err)
{
    column->values = dw__arena_alloc_zero(arena, row_count * dw__vector_width(column->spec.kind));
    column->valid = DW_ARENA_ARRAY(arena, bool, row_count);
    return column->values != NULL && column->valid != NULL ? DW_OK : dw__error_oom(err);
}

/* ---- In files -------------------------------------------------------------------------------- */

bool
dw__lookup_column_find(const dw_lookup_column *column, const dw_pq_footer *footer,
                       const dw_pq_node **out)
{
    *out = NULL;
    const dw_field *field = column->field;
    for (size_t i = 1; i < footer->node_count; i = footer->nodes[i].end) {
        const dw_pq_node *node = &footer->nodes[i];
        bool is_it = column->by_id ? node->field_id == field->mapping_id
                                   : dw__str_equal_nocase(node->name, field->physical_name);
        if (!is_it) {
            continue;
        }
        bool is_exact = column->by_id || dw__str_equal(node->name, field->physical_name);
        if (*out != NULL || !is_exact || !dw__pq_leaf_fits(node, &column->spec)) {
            return false;
        }
        *out = node;
    }
    return true;
}

/* ---- Partition columns ----------------------------------------------------------------------- */

/* What partition values of a column are; NULL: none is known. */
static dw_value_kind
value_kind(dw_vector_kind kind)
{
    switch (kind) {
    case DW_VECTOR_BOOL:
        return DW_VALUE_BOOL;
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_I32:
    case DW_VECTOR_I64:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
        return DW_VALUE_I64;
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DOUBLE:
        return DW_VALUE_DOUBLE;
    case DW_VECTOR_DECIMAL:
        return DW_VALUE_DECIMAL;
    case DW_VECTOR_STR:
    case DW_VECTOR_BYTES:
        return DW_VALUE_STR;
    case DW_VECTOR_TEXT:
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
        break;
    }
    return DW_VALUE_NULL;
}

/* The value as the column's vector has it; false when it does not fit. */
static bool
put_value(const dw_column_spec *spec, const dw_value *value, char *out)
{
    if (value->kind == DW_VALUE_NULL || value->kind != value_kind(spec->kind) ||
        (value->kind == DW_VALUE_DECIMAL && value->scale != spec->scale)) {
        return false;
    }
    bool flag = value->as.i64 != 0;
    float narrow = value->kind == DW_VALUE_DOUBLE ? (float) value->as.f64 : 0;
    const void *from = spec->kind == DW_VECTOR_BOOL    ? (const void *) &flag
                       : spec->kind == DW_VECTOR_FLOAT ? (const void *) &narrow
                                                       : (const void *) &value->as;
    memcpy(out, from, dw__vector_width(spec->kind)); /* the low bytes come first */
    return true;
}

dw_status
dw__lookup_column_fill(const dw_lookup_column *column, dw_str text, dw_arena *arena, char *values,
                       bool *valid, size_t count, bool *is_odd, dw_error *err)
{
    dw_value value;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__partition_value_parse(column->field, text, arena, &value, &cause);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    bool is_null = status == DW_OK && value.kind == DW_VALUE_NULL;
    size_t width = dw__vector_width(column->spec.kind);
    for (size_t i = 0; i < count && !*is_odd; i++) {
        valid[i] = !is_null;
        *is_odd =
            status != DW_OK || (!is_null && !put_value(&column->spec, &value, values + i * width));
    }
    return DW_OK;
}
