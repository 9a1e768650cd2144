/*
 * SQL text: cutting it into tokens and parsing it as a statement.
 */
#include "fuzz.h"

#include "sql/parse.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_sql_text sql;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__sql_text_init(&sql, dw__allocator_libc(), fuzz_text(data, size), &err);
    if (status == DW_OK) {
        dw_statement statement;
        status = dw__parse_statement(&sql, &arena, &statement, &err);
    }
    dw_assert((status == DW_OK) == (err.status == DW_OK));
    dw_assert(strchr(err.message, '\n') == NULL);
    dw__sql_text_deinit(&sql);
    return 0;
}
