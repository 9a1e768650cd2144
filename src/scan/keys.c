/*
 * A statement that asks for rows by the values of integer columns needs no plan: what it demands of
 * them is what it says. The engine takes as long to plan it as to read the rows.
 */
#include "scan/plan_internal.h"
#include "scan/scan_core.h"

/* True when the value is one of an integer type, so that the two are compared as they are. */
static bool
fits(const dw_type *type, int64_t value)
{
    dw_plan_type plan = dw__plan_type_of_column(type);
    if (plan.class != DW_PLAN_INTEGER) {
        return false;
    }
    int64_t max = (int64_t) (UINT64_MAX >> (65 - 8 * plan.size_bytes));
    return value <= max && value >= -max - 1;
}

/* NULL in `*out` when it takes a plan to understand the key. */
static dw_status
read_key(dw_predicate_scope *scope, const dw_scan_key *key, const dw_predicate **out, dw_error *err)
{
    *out = NULL;
    const dw_type *schema = scope->schema;
    size_t idx = dw__schema_find_idx(schema, key->column);
    if (idx == SIZE_MAX || !fits(schema->fields[idx].type, key->value)) {
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
