/*
 * A statement that asks for rows by the values of integer columns needs no plan: what it demands of
 * them is what it says. The engine takes as long to plan it as to read the rows.
 */
#include "scan/scan_core.h"

/* True when the value is one of the type, so that the two are compared as they are. */
static bool
fits(const dw_type *type, int64_t value)
{
    switch (type->kind) {
    case DW_TYPE_LONG:
        return true;
    case DW_TYPE_INTEGER:
        return value >= INT32_MIN && value <= INT32_MAX;
    case DW_TYPE_SHORT:
        return value >= INT16_MIN && value <= INT16_MAX;
    case DW_TYPE_BYTE:
        return value >= INT8_MIN && value <= INT8_MAX;
    case DW_TYPE_STRING:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return false;
}

/* NULL in `*out` when it takes a plan to understand the key. */
static dw_status
read_key(dw_predicate_scope *scope, const dw_scan_key *key, const dw_predicate **out, dw_error *err)
{
    *out = NULL;
    const dw_type *schema = scope->schema;
    size_t idx = 0;
    while (idx < schema->field_count &&
           !dw__str_equal_nocase(schema->fields[idx].name, key->column)) {
        idx++;
    }
    if (idx == schema->field_count || !fits(schema->fields[idx].type, key->value)) {
        return DW_OK;
    }
    size_t column_idx;
    if (!dw__predicate_column(scope, idx, NULL, 0, &column_idx)) {
        return dw__error_oom(err);
    }
    if (column_idx == SIZE_MAX) {
        return DW_OK;
    }
    dw_value value = {.kind = DW_VALUE_I64, .as.i64 = key->value};
    *out = dw__predicate_compare(scope, column_idx, DW_TRANSFORM_NONE, DW_COMPARISON_EQUAL, &value);
    return *out != NULL ? DW_OK : dw__error_oom(err);
}

dw_status
dw__scan_read_keys(dw_plan_source *source, const dw_scan_key *keys, size_t count, bool *known_out,
                   dw_error *err)
{
    *known_out = false;
    source->predicate = dw__predicate_unknown();
    const dw_predicate **items = DW_ARENA_ARRAY(source->scope.arena, const dw_predicate *, count);
    if (items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(read_key(&source->scope, &keys[i], &items[i], err));
        if (items[i] == NULL) {
            return DW_OK;
        }
    }
    source->predicate = dw__predicate_junction(&source->scope, DW_PREDICATE_AND, items, count);
    *known_out = true;
    return source->predicate != NULL ? DW_OK : dw__error_oom(err);
}
