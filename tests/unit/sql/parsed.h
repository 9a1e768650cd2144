/*
 * A statement read for a test, with what it lives in.
 */
#ifndef DWT_SQL_PARSED_H
#define DWT_SQL_PARSED_H

#include "support/test.h"

#include "sql/parse.h"

typedef struct dwt_parsed {
    dw_arena arena;
    dw_sql_text sql;
    dw_statement statement;
    dw_error err;
    dw_status status;
} dwt_parsed;

static inline void
dwt_parse(dwt_parsed *parsed, const char *text)
{
    memset(parsed, 0, sizeof *parsed);
    dw__arena_init(&parsed->arena, dw__allocator_libc());
    parsed->status =
        dw__sql_text_init(&parsed->sql, dw__allocator_libc(), dw__str_from(text), &parsed->err);
    assert_ok(parsed->status, &parsed->err);
    parsed->status =
        dw__parse_statement(&parsed->sql, &parsed->arena, &parsed->statement, &parsed->err);
}

static inline void
dwt_parse_ok(dwt_parsed *parsed, const char *text, dw_statement_kind kind)
{
    dwt_parse(parsed, text);
    assert_ok(parsed->status, &parsed->err);
    assert_int_equal(parsed->statement.kind, kind);
}

static inline void
dwt_parsed_deinit(dwt_parsed *parsed)
{
    dw__sql_text_deinit(&parsed->sql);
    dw__arena_deinit(&parsed->arena);
}

/* The statement is refused with that code, and the message holds `message`. */
static inline void
dwt_assert_refused(const char *text, dw_status status, const char *code, const char *message)
{
    dwt_parsed parsed;
    dwt_parse(&parsed, text);
    assert_error(parsed.status, status, code, &parsed.err);
    assert_message_has(&parsed.err, message);
    dwt_parsed_deinit(&parsed);
}

static inline void
dwt_assert_parse_error(const char *text, const char *message)
{
    dwt_assert_refused(text, DW_INVALID_ARGUMENT, "PARSE_ERROR", message);
}

static inline dw_str
dwt_range_text(const dwt_parsed *parsed, dw_sql_range range)
{
    return dw__tokens_text(&parsed->sql, range.first, range.last);
}

#endif
