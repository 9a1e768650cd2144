/*
 * SQL text: cutting it into statements and tokens, parsing it, and binding it with every name taken
 * for a Delta table. What comes of the binding must cut into tokens again.
 */
#include "fuzz.h"

#include "sql/bind.h"
#include "sql/sql.h"

static dw_status
find(void *ctx, const dw_sql_name *name, dw_sql_object *out, dw_error *err)
{
    (void) ctx;
    (void) err;
    dw_assert(name->part_count > 0);
    out->kind = DW_OBJECT_DELTA;
    return DW_OK;
}

/* A failure fills the error, in one line; success leaves it empty. */
static void
check_error(dw_status status, const dw_error *err)
{
    dw_assert(err->status == status);
    dw_assert(strchr(err->message, '\n') == NULL);
}

static void
check_statement(const dw_sql_text *sql, dw_arena *arena)
{
    dw_statement statement;
    dw_error err = DW_ERROR_INIT;
    check_error(dw__parse_statement(sql, arena, &statement, &err), &err);
}

static void
check_printed(const dw_binding *binding, dw_sql_range range)
{
    dw_str text;
    dw_sql_text again;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__binding_print(binding, range, &text, &err);
    check_error(status, &err);
    if (status == DW_OK && text.len <= DW_SQL_STATEMENT_BYTES_MAX) {
        dw_assert(dw__sql_text_init(&again, dw__allocator_libc(), text, &err) == DW_OK);
        dw__sql_text_deinit(&again);
    }
}

static void
check_binding(const dw_sql_text *sql, dw_arena *arena)
{
    dw_binding binding;
    dw_error err = DW_ERROR_INIT;
    dw_bind_options options = {.lookup = {find, NULL}, .scan_prefix = "s"};
    dw_sql_range range = {0, sql->count - 1};
    dw_status status = dw__bind(&binding, sql, range, arena, &options, &err);
    check_error(status, &err);
    if (status == DW_OK) {
        check_printed(&binding, range);
    }
    dw__binding_deinit(&binding);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dw_str text = fuzz_text(data, size);
    size_t len = dw__sql_statement_length(text);
    dw_assert(len <= size);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_sql_text) sql = {0};
    dw_error err = DW_ERROR_INIT;
    text = dw__str_slice(text, 0, len > 0 ? len - 1 : size);
    dw_status status = dw__sql_text_init(&sql, dw__allocator_libc(), text, &err);
    check_error(status, &err);
    if (status == DW_OK) {
        check_statement(&sql, &arena);
        check_binding(&sql, &arena);
    }
    return 0;
}
