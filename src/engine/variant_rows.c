/*
 * Variants in the rows of a query: Arrow has no such type, so that they leave as JSON, also inside
 * of structs, lists and maps.
 */
#include "base/assert.h"
#include "engine/internal.h"

#include <stdio.h>

/* ---- Values ---------------------------------------------------------------------------------- */

/* Writing an expression that has JSON where `value` has variants. A plain cast would make texts
 * "null" of NULLs. Depth is that of a type that could be printed. */
typedef struct json_writer {
    const dw_duck *duck;
    dw_strbuf *out;
    size_t variable_count;
} json_writer;

static void put_value(json_writer *writer, duckdb_logical_type type, dw_str value);

static void
put_and_destroy(json_writer *writer, duckdb_logical_type type, dw_str value)
{
    put_value(writer, type, value);
    writer->duck->destroy_logical_type(&type);
}

/* {'a': <its value>, ...}; NULL stays NULL. */
static void
put_struct(json_writer *writer, duckdb_logical_type type, dw_str value)
{
    const dw_duck *duck = writer->duck;
    idx_t count = duck->struct_type_child_count(type);
    dw__strbuf_append_literal(writer->out, "CASE WHEN ");
    dw__strbuf_append(writer->out, value);
    dw__strbuf_append_literal(writer->out, " IS NOT NULL THEN {");
    for (idx_t i = 0; i < count; i++) {
        char *name = duck->struct_type_child_name(type, i);
        dw_strbuf field = dw__strbuf_make(writer->out->allocator, DW_SQL_BYTES_MAX);
        dw__strbuf_append_literal(&field, "struct_extract(");
        dw__strbuf_append(&field, value);
        dw__strbuf_append_literal(&field, ", ");
        dw__sql_put_literal(&field, dw__str_from(name));
        dw__strbuf_append_char(&field, ')');
        dw__strbuf_append(writer->out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(writer->out, dw__str_from(name));
        dw__strbuf_append_literal(writer->out, ": ");
        put_and_destroy(writer, duck->struct_type_child_type(type, i), dw__strbuf_str(&field));
        writer->out->failed = writer->out->failed || field.failed;
        dw__strbuf_deinit(&field);
        duck->release(name);
    }
    dw__strbuf_append_literal(writer->out, "} END");
}

static void
put_list(json_writer *writer, duckdb_logical_type element, const char *function, dw_str value)
{
    char variable[32];
    snprintf(variable, sizeof(variable), "x%zu", writer->variable_count++);
    dw__strbuf_printf(writer->out, "list_transform(%s(", function);
    dw__strbuf_append(writer->out, value);
    dw__strbuf_printf(writer->out, "), lambda %s: ", variable);
    put_and_destroy(writer, element, dw__str_from(variable));
    dw__strbuf_append_char(writer->out, ')');
}

static void
put_value(json_writer *writer, duckdb_logical_type type, dw_str value)
{
    const dw_duck *duck = writer->duck;
    duckdb_type id = duck->get_type_id(type);
    if (!dw__duck_type_has_variants(duck, type)) {
        dw__strbuf_append(writer->out, value);
    } else if (id == DUCKDB_TYPE_STRUCT) {
        put_struct(writer, type, value);
    } else if (id == DUCKDB_TYPE_LIST) {
        put_list(writer, duck->list_type_child_type(type), "", value);
    } else if (id == DUCKDB_TYPE_ARRAY) {
        put_list(writer, duck->array_type_child_type(type), "", value);
    } else if (id == DUCKDB_TYPE_MAP) {
        dw__strbuf_append_literal(writer->out, "map(map_keys(");
        dw__strbuf_append(writer->out, value);
        dw__strbuf_append_literal(writer->out, "), ");
        put_list(writer, duck->map_type_value_type(type), "map_values", value);
        dw__strbuf_append_char(writer->out, ')');
    } else {
        dw_assert(id == DUCKDB_TYPE_VARIANT);
        dw__strbuf_append_literal(writer->out, "CASE WHEN ");
        dw__strbuf_append(writer->out, value);
        dw__strbuf_append_literal(writer->out, " IS NOT NULL THEN dw__json_zeros(CAST(");
        dw__strbuf_append(writer->out, value);
        dw__strbuf_append_literal(writer->out, " AS JSON)) END");
    }
}

/* ---- Statements ------------------------------------------------------------------------------ */

static void
put_column(const dw_duck *duck, duckdb_prepared_statement prepared, idx_t idx, dw_strbuf *out)
{
    char name_inside[32];
    json_writer writer = {duck, out, 0};
    snprintf(name_inside, sizeof(name_inside), "c%llu", (unsigned long long) idx);
    dw__strbuf_append(out, idx > 0 ? DW_STR(", ") : DW_STR(""));
    put_and_destroy(&writer, duck->prepared_statement_column_logical_type(prepared, idx),
                    dw__str_from(name_inside));
    const char *name = duck->prepared_statement_column_name(prepared, idx);
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, dw__str_from(name));
    duck->release((void *) (uintptr_t) name);
}

/* The statement with its variants cast, around the statement itself. */
static dw_status
put_statement(const dw_duck *duck, duckdb_prepared_statement prepared, dw_str sql, dw_strbuf *out,
              dw_error *err)
{
    idx_t count = duck->prepared_statement_column_count(prepared);
    dw__strbuf_append_literal(out, "SELECT ");
    for (idx_t i = 0; i < count; i++) {
        put_column(duck, prepared, i, out);
    }
    dw_str inner = dw__str_trim(sql);
    while (dw__str_ends_with(inner, DW_STR(";"))) {
        inner = dw__str_trim(dw__str_slice(inner, 0, inner.len - 1));
    }
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, inner);
    dw__strbuf_append_literal(out, "\n) AS dw_variants("); /* it may end in a comment */
    for (idx_t i = 0; i < count; i++) {
        dw__strbuf_printf(out, i > 0 ? ", c%llu" : "c%llu", (unsigned long long) i);
    }
    dw__strbuf_append_char(out, ')');
    return dw__strbuf_ok(out, "the statement", err);
}

dw_status
dw__variants_as_json(const dw_duck *duck, duckdb_connection handle, const dw_allocator *allocator,
                     dw_str sql, duckdb_prepared_statement *prepared, dw_error *err)
{
    bool found = false;
    if (duck->prepared_statement_type(*prepared) != DUCKDB_STATEMENT_TYPE_SELECT) {
        return DW_OK;
    }
    idx_t count = duck->prepared_statement_column_count(*prepared);
    for (idx_t i = 0; i < count && !found; i++) {
        duckdb_logical_type type = duck->prepared_statement_column_logical_type(*prepared, i);
        found = dw__duck_type_has_variants(duck, type);
        duck->destroy_logical_type(&type);
    }
    if (!found) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, DW_SQL_BYTES_MAX);
    DW_TRY(put_statement(duck, *prepared, sql, &text, err));
    duck->destroy_prepare(prepared);
    return dw__statement_prepare(duck, handle, dw__strbuf_cstr(&text), prepared, err);
}
