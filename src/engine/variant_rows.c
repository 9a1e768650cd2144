/*
 * Variants in the rows of a query: Arrow has no such type, so that they leave as JSON, also inside
 * of structs, lists and maps.
 */
#include "base/assert.h"
#include "engine/internal.h"

/* Appends the column's cast if it has variants; else its name alone. */
static dw_status
put_column(const dw_duck *duck, duckdb_prepared_statement prepared, idx_t idx, dw_strbuf *out,
           dw_error *err)
{
    duckdb_logical_type type = duck->prepared_statement_column_logical_type(prepared, idx);
    bool has_variants = dw__duck_type_has_variants(duck, type);
    dw_status status = DW_OK;
    dw__strbuf_append(out, idx > 0 ? DW_STR(", ") : DW_STR(""));
    if (has_variants) {
        /* The cast makes a text "null" of NULL. */
        dw__strbuf_printf(out, "CASE WHEN c%llu IS NOT NULL THEN CAST(c%llu AS ",
                          (unsigned long long) idx, (unsigned long long) idx);
        status = dw__duck_type_print_with_json(duck, type, out, err);
        dw__strbuf_append_literal(out, ") END");
    } else {
        dw__strbuf_printf(out, "c%llu", (unsigned long long) idx);
    }
    duck->destroy_logical_type(&type);
    const char *name = duck->prepared_statement_column_name(prepared, idx);
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, dw__str_from(name));
    duck->release((void *) (uintptr_t) name);
    return status;
}

/* The statement with its variants cast, around the statement itself. */
static dw_status
put_statement(const dw_duck *duck, duckdb_prepared_statement prepared, dw_str sql, dw_strbuf *out,
              dw_error *err)
{
    idx_t count = duck->prepared_statement_column_count(prepared);
    dw__strbuf_append_literal(out, "SELECT ");
    for (idx_t i = 0; i < count; i++) {
        DW_TRY(put_column(duck, prepared, i, out, err));
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
