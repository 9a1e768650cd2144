/*
 * See variant_shredding.h. Recursion is at most DW_SCHEMA_DEPTH_MAX deep.
 */
#include "table/variant_shredding.h"

#include "base/assert.h"
#include "base/vec.h"
#include "engine/shredding.h"

#include <stdio.h>

bool
dw__shreds_variants(const dw_protocol *protocol, const dw_properties *properties)
{
    return properties->enable_variant_shredding &&
           (dw__protocol_supports(protocol, DW_FEATURE_VARIANT_SHREDDING) ||
            dw__protocol_supports(protocol, DW_FEATURE_VARIANT_SHREDDING_PREVIEW));
}

dw_str
dw__variant_shredder_of(const dw_variant_shredders *shredders, const dw_field *field)
{
    for (size_t i = 0; i < shredders->count; i++) {
        if (shredders->items[i].field == field) {
            return shredders->items[i].function;
        }
    }
    return DW_STR_NULL;
}

/* ---- Which there are ------------------------------------------------------------------------- */

/* A variant, and the expression of it. */
typedef struct candidate {
    const dw_field *field;
    dw_str value;
} candidate;

typedef struct candidate_list {
    dw_arena *arena;
    candidate items[DW_SHRED_WIDTH_MAX];
    size_t count;
    dw_error *err;
} candidate_list;

static dw_status
add_candidate(candidate_list *list, const dw_field *field, dw_str value)
{
    if (list->count < DW_SHRED_WIDTH_MAX) {
        list->items[list->count++] = (candidate){field, value};
    }
    return DW_OK;
}

static dw_status
add_candidates(candidate_list *list, const dw_type *type, dw_str above)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        dw_type_kind kind = field->type->kind;
        if (kind != DW_TYPE_VARIANT && kind != DW_TYPE_STRUCT) {
            continue;
        }
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(list->arena->allocator, DW_COMMIT_BYTES_MAX);
        if (above.len == 0) {
            dw__sql_put_identifier(&text, field->name);
        } else {
            dw__strbuf_printf(&text, "struct_extract(%.*s, ", DW_STR_ARG(above));
            dw__sql_put_literal(&text, field->name);
            dw__strbuf_append_char(&text, ')');
        }
        dw_str value;
        if (text.failed || !dw__arena_dup(list->arena, dw__strbuf_str(&text), &value)) {
            return dw__error_oom(list->err);
        }
        DW_TRY(kind == DW_TYPE_VARIANT ? add_candidate(list, field, value)
                                       : add_candidates(list, field->type, value));
    }
    return DW_OK;
}

/* ---- What they are shredded by --------------------------------------------------------------- */

/* SELECT max(<look at c0>), ... FROM (SELECT <its value> AS c0, ... FROM (<query>) LIMIT n) */
static dw_status
print_look(const candidate_list *list, const dw_shredding *shredding, dw_str query, dw_strbuf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        char name[24];
        int len = snprintf(name, sizeof(name), "c%zu", i);
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT max(") : DW_STR("), max("));
        dw__shredding_print(shredding, i, dw__str_make(name, (size_t) len), out);
    }
    dw__strbuf_append_literal(out, ") FROM (SELECT ");
    for (size_t i = 0; i < list->count; i++) {
        dw__strbuf_printf(out, "%s%.*s AS c%zu", i == 0 ? "" : ", ",
                          DW_STR_ARG(list->items[i].value), i);
    }
    dw__strbuf_printf(out, " FROM (%.*s\n) AS dw_columns LIMIT %d) AS dw_first", DW_STR_ARG(query),
                      DW_SHRED_ROWS_MAX);
    return dw__strbuf_ok(out, "the statement", list->err);
}

static dw_status
make_shredders(dw_connection *connection, const candidate_list *list, const dw_shredding *shredding,
               dw_variant_shredders *out)
{
    size_t width_left = DW_SHRED_WIDTH_MAX;
    for (size_t i = 0; i < list->count; i++) {
        const dw_shred_type *type;
        dw_str function;
        DW_TRY(dw__shred_look_type(dw__shredding_look(shredding, i), list->arena, &width_left,
                                   &type, list->err));
        if (type->kind == DW_SHRED_NONE) {
            continue;
        }
        DW_TRY(dw__connection_shredder(connection, type, list->arena, &function, list->err));
        if (!dw__str_is_null(function)) {
            out->items[out->count++] = (dw_variant_shredder){list->items[i].field, function};
        }
    }
    return DW_OK;
}

static dw_status
choose(dw_connection *connection, const candidate_list *list, dw_shredding *shredding, dw_str query,
       dw_variant_shredders *out)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(list->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_look(list, shredding, query, &sql));
    DW_TRY(dw__connection_execute(connection, dw__strbuf_str(&sql), list->err));
    return make_shredders(connection, list, shredding, out);
}

dw_status
dw__variant_shredders_choose(dw_connection *connection, const dw_type *columns, dw_str query,
                             dw_arena *arena, dw_variant_shredders *out, dw_error *err)
{
    *out = (dw_variant_shredders){0};
    candidate_list *list = DW_ARENA_NEW(arena, candidate_list);
    if (list == NULL) {
        return dw__error_oom(err);
    }
    list->arena = arena;
    list->err = err;
    DW_TRY(add_candidates(list, columns, DW_STR("")));
    out->items = DW_ARENA_ARRAY(arena, dw_variant_shredder, list->count + 1);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    if (list->count == 0) {
        return DW_OK;
    }
    dw_shredding *shredding;
    DW_TRY(dw__connection_bind_shredding(connection, list->count, &shredding, err));
    dw_status status = choose(connection, list, shredding, query, out);
    dw__connection_unbind_shredding(connection, shredding);
    return status;
}
