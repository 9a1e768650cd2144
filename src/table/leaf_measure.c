/*
 * See leaf_measure.h.
 */
#include "table/leaf_measure.h"

static bool
is_time(const dw_type *type)
{
    return type->kind == DW_TYPE_TIMESTAMP || type->kind == DW_TYPE_TIMESTAMP_NTZ;
}

static bool
is_float(const dw_type *type)
{
    return type->kind == DW_TYPE_FLOAT || type->kind == DW_TYPE_DOUBLE;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static void
put_bound(dw_strbuf *out, const char *function, const dw_type *type, dw_str sql)
{
    const char *name = sql.ptr;
    int len = (int) sql.len;
    if (!dw__stats_has_bounds(type)) {
        dw__strbuf_append_literal(out, ", NULL");
    } else if (is_time(type)) {
        dw__strbuf_printf(out, ", CAST(epoch_us(%s(%.*s)) AS VARCHAR)", function, len, name);
    } else if (is_float(type)) {
        dw__strbuf_printf(out, ", CAST(%s(%.*s) FILTER (WHERE NOT isnan(%.*s)) AS VARCHAR)",
                          function, len, name, len, name);
    } else {
        dw__strbuf_printf(out, ", CAST(%s(%.*s) AS VARCHAR)", function, len, name);
    }
}

void
dw__leaf_measure_put(dw_strbuf *out, const dw_type *type, dw_str sql)
{
    if (type->kind == DW_TYPE_VARIANT || type->kind == DW_TYPE_VOID) {
        dw__strbuf_append_literal(out, ", NULL");
    } else {
        dw__strbuf_printf(out, ", count(%.*s)", DW_STR_ARG(sql));
    }
    put_bound(out, "min", type, sql);
    put_bound(out, "max", type, sql);
    if (is_float(type)) {
        dw__strbuf_printf(out, ", bool_or(isnan(%.*s))", DW_STR_ARG(sql));
    } else {
        dw__strbuf_append_literal(out, ", NULL");
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* What the engine printed, as a value; false when it is NULL or cannot be read. */
static bool
read_bound(const dw_type *type, dw_str cell, dw_arena *arena, dw_value *out)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_field field = {.name = DW_STR("bound"), .type = type};
    if (dw__str_is_null(cell)) {
        return false;
    }
    if (type->kind == DW_TYPE_STRING) {
        *out = (dw_value){.kind = DW_VALUE_STR, .as.str = cell};
        return true;
    }
    if (is_time(type)) {
        *out = (dw_value){.kind = DW_VALUE_I64};
        return dw__str_to_i64(cell, &out->as.i64);
    }
    return dw__partition_value_parse(&field, cell, arena, out, &ignored) == DW_OK &&
           out->kind != DW_VALUE_NULL;
}

void
dw__leaf_measure_read(const dw_type *type, const dw_str *cells, dw_arena *arena,
                      dw_leaf_measure *out)
{
    *out = (dw_leaf_measure){0};
    out->has_value_count =
        !dw__str_is_null(cells[0]) && dw__str_to_i64(cells[0], &out->value_count);
    out->has_min = read_bound(type, cells[1], arena, &out->min);
    out->has_max = read_bound(type, cells[2], arena, &out->max);
    out->has_nan = dw__str_equal_nocase(cells[3], DW_STR("true"));
}
