/*
 * Taking the sign from zeros by adding one, at every depth.
 */
#include "table/zeros.h"

#include "engine/database.h"

#include <stdio.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)

bool
dw__zeros_may_be_in(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
        return true;
    case DW_TYPE_ARRAY:
        return dw__zeros_may_be_in(type->element);
    case DW_TYPE_MAP:
        return dw__zeros_may_be_in(type->key) || dw__zeros_may_be_in(type->element);
    case DW_TYPE_STRUCT:
        for (size_t i = 0; i < type->field_count; i++) {
            if (dw__zeros_may_be_in(type->fields[i].type)) {
                return true;
            }
        }
        return false;
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
        break;
    }
    return false;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. `depth` names the variables of lambdas apart. */
static void print_at(dw_strbuf *out, const dw_type *type, dw_str value, int depth);

static void
print_list(dw_strbuf *out, const dw_type *element, dw_str list, int depth)
{
    if (!dw__zeros_may_be_in(element)) {
        dw__strbuf_append(out, list);
        return;
    }
    char variable[24];
    int len = snprintf(variable, sizeof variable, "dw_z%d", depth);
    dw__strbuf_printf(out, "list_transform(%.*s, lambda %s: ", DW_STR_ARG(list), variable);
    print_at(out, element, dw__str_make(variable, (size_t) len), depth + 1);
    dw__strbuf_append_char(out, ')');
}

static void
print_map(dw_strbuf *out, const dw_type *type, dw_str map, int depth)
{
    DW_AUTO(dw_strbuf) part = dw__strbuf_make(out->allocator, out->size_max);
    dw__strbuf_append_literal(out, "map(");
    dw__strbuf_printf(&part, "map_keys(%.*s)", DW_STR_ARG(map));
    print_list(out, type->key, dw__strbuf_str(&part), depth);
    dw__strbuf_append_literal(out, ", ");
    dw__strbuf_clear(&part);
    dw__strbuf_printf(&part, "map_values(%.*s)", DW_STR_ARG(map));
    print_list(out, type->element, dw__strbuf_str(&part), depth);
    dw__strbuf_append_char(out, ')');
    out->failed = out->failed || part.failed;
}

static void
print_struct(dw_strbuf *out, const dw_type *type, dw_str value, int depth)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        DW_AUTO(dw_strbuf) part = dw__strbuf_make(out->allocator, out->size_max);
        dw__strbuf_printf(&part, "struct_extract(%.*s, ", DW_STR_ARG(value));
        dw__sql_put_literal(&part, field->name);
        dw__strbuf_append_char(&part, ')');
        dw__strbuf_append(out, i == 0 ? DW_STR("{") : DW_STR(", "));
        dw__sql_put_literal(out, field->name);
        dw__strbuf_append_literal(out, ": ");
        out->failed = out->failed || part.failed;
        print_at(out, field->type, dw__strbuf_str(&part), depth);
    }
    dw__strbuf_append_char(out, '}');
}

static void
print_at(dw_strbuf *out, const dw_type *type, dw_str value, int depth)
{
    bool is_container = type->kind == DW_TYPE_STRUCT || type->kind == DW_TYPE_MAP;
    if (!dw__zeros_may_be_in(type)) {
        dw__strbuf_append(out, value);
    } else if (type->kind == DW_TYPE_ARRAY) {
        print_list(out, type->element, value, depth);
    } else if (!is_container) {
        dw__strbuf_printf(out, "(%.*s + 0::%s)", DW_STR_ARG(value),
                          type->kind == DW_TYPE_FLOAT ? "FLOAT" : "DOUBLE");
    } else {
        /* What is NULL must not become a struct or map of NULLs. */
        dw__strbuf_printf(out, "CASE WHEN %.*s IS NULL THEN NULL ELSE ", DW_STR_ARG(value));
        if (type->kind == DW_TYPE_STRUCT) {
            print_struct(out, type, value, depth);
        } else {
            print_map(out, type, value, depth);
        }
        dw__strbuf_append_literal(out, " END");
    }
}

void
dw__zeros_print(dw_strbuf *out, const dw_type *type, dw_str value)
{
    print_at(out, type, value, 0);
}

void
dw__zeros_print_column(dw_strbuf *out, const dw_field *field)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, SQL_BYTES_MAX);
    dw__sql_put_identifier(&name, field->name);
    dw__zeros_print(out, field->type, dw__strbuf_str(&name));
    if (dw__zeros_may_be_in(field->type)) {
        dw__strbuf_append_literal(out, " AS ");
        dw__strbuf_append(out, dw__strbuf_str(&name));
    }
    out->failed = out->failed || name.failed;
}
