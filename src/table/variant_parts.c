/*
 * See variant_parts.h. Recursion is at most DW_SCHEMA_DEPTH_MAX deep.
 */
#include "table/variant_parts.h"

#include "base/assert.h"
#include "engine/database.h"
#include "protocol/feature_use.h"

#include <stdio.h>

static bool
holds_variants(const dw_type *type)
{
    return dw__schema_has_kind(type, DW_TYPE_VARIANT);
}

size_t
dw__variant_part_count(const dw_type *type)
{
    while (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
        type = type->element;
    }
    return type->kind == DW_TYPE_VARIANT ? 2 : 1;
}

/* What is being printed: names variables of lambdas apart by their depth. */
typedef struct part_printer {
    dw_strbuf *out;
    size_t part;
    dw_str mark;
    const dw_variant_shredders *shredders;
    dw_str shredder; /* of the value itself; the null string: it is written whole */
    int depth;
} part_printer;

static void print_part(part_printer printer, const dw_type *type, dw_str value);

static void
put_name(dw_strbuf *out, dw_str name, size_t part, dw_str mark,
         void (*put)(dw_strbuf *out, dw_str text))
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, out->size_max);
    if (part > 0) {
        dw__strbuf_append(&text, mark);
    }
    dw__strbuf_append(&text, name);
    put(out, dw__strbuf_str(&text));
    out->failed = out->failed || text.failed;
}

static void
print_list(part_printer printer, const dw_type *element, dw_str list)
{
    if (!holds_variants(element)) {
        dw__strbuf_append(printer.out, list);
        return;
    }
    char variable[24];
    int len = snprintf(variable, sizeof(variable), "dw_v%d", printer.depth++);
    dw__strbuf_printf(printer.out, "list_transform(%.*s, lambda %s: ", DW_STR_ARG(list), variable);
    print_part(printer, element, dw__str_make(variable, (size_t) len));
    dw__strbuf_append_char(printer.out, ')');
}

/* The first part of a map is a map; the second has no keys. */
static void
print_map(part_printer printer, const dw_type *type, dw_str map)
{
    DW_AUTO(dw_strbuf) values = dw__strbuf_make(printer.out->allocator, printer.out->size_max);
    dw__strbuf_printf(&values, "map_values(%.*s)", DW_STR_ARG(map));
    if (printer.part == 0) {
        dw__strbuf_printf(printer.out, "map(map_keys(%.*s), ", DW_STR_ARG(map));
    }
    print_list(printer, type->element, dw__strbuf_str(&values));
    if (printer.part == 0) {
        dw__strbuf_append_char(printer.out, ')');
    }
    printer.out->failed = printer.out->failed || values.failed;
}

static void
print_struct(part_printer printer, const dw_type *type, dw_str value)
{
    const char *separator = "{";
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        DW_AUTO(dw_strbuf) inner = dw__strbuf_make(printer.out->allocator, printer.out->size_max);
        dw__strbuf_printf(&inner, "struct_extract(%.*s, ", DW_STR_ARG(value));
        dw__sql_put_literal(&inner, field->name);
        dw__strbuf_append_char(&inner, ')');
        for (size_t part = 0; part < dw__variant_part_count(field->type); part++) {
            part_printer next = printer;
            next.part = part;
            next.shredder = dw__variant_shredder_of(printer.shredders, field);
            dw__strbuf_append(printer.out, dw__str_from(separator));
            put_name(printer.out, field->name, part, printer.mark, dw__sql_put_literal);
            dw__strbuf_append_literal(printer.out, ": ");
            print_part(next, field->type, dw__strbuf_str(&inner));
            separator = ", ";
        }
        printer.out->failed = printer.out->failed || inner.failed;
    }
    dw__strbuf_append_char(printer.out, '}');
}

static void
print_variant(part_printer printer, dw_str value)
{
    bool is_whole = dw__str_is_null(printer.shredder);
    dw_str function = is_whole ? DW_STR("dw__variant") : printer.shredder;
    const char *second = is_whole ? "value" : "shredded";
    dw__strbuf_printf(printer.out,
                      "struct_extract(%.*s(CASE WHEN %.*s IS NOT NULL THEN "
                      "variant_to_parquet_variant(%.*s) END), '%s')",
                      DW_STR_ARG(function), DW_STR_ARG(value), DW_STR_ARG(value),
                      printer.part == 0 ? "metadata" : second);
}

static void
print_part(part_printer printer, const dw_type *type, dw_str value)
{
    if (!holds_variants(type)) {
        dw__strbuf_append(printer.out, value);
    } else if (type->kind == DW_TYPE_VARIANT) {
        print_variant(printer, value);
    } else if (type->kind == DW_TYPE_ARRAY) {
        print_list(printer, type->element, value);
    } else {
        /* What is NULL must not become a struct or map of NULLs. */
        dw__strbuf_printf(printer.out, "CASE WHEN %.*s IS NOT NULL THEN ", DW_STR_ARG(value));
        if (type->kind == DW_TYPE_STRUCT) {
            print_struct(printer, type, value);
        } else {
            dw_assert(type->kind == DW_TYPE_MAP);
            print_map(printer, type, value);
        }
        dw__strbuf_append_literal(printer.out, " END");
    }
}

void
dw__variant_part_print(dw_strbuf *out, const dw_field *field, dw_str value, size_t part,
                       dw_str mark, const dw_variant_shredders *shredders)
{
    const part_printer printer = {.out = out,
                                  .part = part,
                                  .mark = mark,
                                  .shredders = shredders,
                                  .shredder = dw__variant_shredder_of(shredders, field)};
    print_part(printer, field->type, value);
}

void
dw__variant_part_print_name(dw_strbuf *out, dw_str name, size_t part, dw_str mark)
{
    put_name(out, name, part, mark, dw__sql_put_identifier);
}
