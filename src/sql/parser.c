/*
 * The tools of the parsers. [PARSER-1,2]
 */
#include "sql/parser.h"

#include "base/assert.h"
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

/* How much of the text a message shows. */
#define DW_SQL_EXCERPT_BYTES ((size_t) 60)

dw_parser
dw__parser_make(const dw_sql_text *sql, dw_arena *arena, dw_error *err)
{
    dw_assert(sql->count > 0);
    return (dw_parser){.sql = sql, .arena = arena, .err = err};
}

/* ---- Looking --------------------------------------------------------------------------------- */

static size_t
ahead_of(const dw_parser *parser, size_t ahead)
{
    size_t last = parser->sql->count - 1;
    return ahead > last - parser->pos ? last : parser->pos + ahead;
}

const dw_token *
dw__parser_peek(const dw_parser *parser, size_t ahead)
{
    return &parser->sql->items[ahead_of(parser, ahead)];
}

bool
dw__parser_at_end(const dw_parser *parser)
{
    return dw__parser_peek(parser, 0)->kind == DW_TOKEN_END;
}

bool
dw__parser_is_at(const dw_parser *parser, size_t ahead, dw_keyword keyword)
{
    return dw__parser_peek(parser, ahead)->keyword == keyword;
}

bool
dw__parser_is(const dw_parser *parser, dw_keyword keyword)
{
    return dw__parser_is_at(parser, 0, keyword);
}

bool
dw__parser_is_symbol_at(const dw_parser *parser, size_t ahead, const char *symbol)
{
    return dw__token_is_symbol(parser->sql, ahead_of(parser, ahead), symbol);
}

bool
dw__parser_is_symbol(const dw_parser *parser, const char *symbol)
{
    return dw__parser_is_symbol_at(parser, 0, symbol);
}

bool
dw__parser_is_name(const dw_parser *parser)
{
    return dw__token_is_name(dw__parser_peek(parser, 0));
}

bool
dw__parser_is_query(const dw_parser *parser)
{
    static const dw_keyword starts[] = {
        DW_KEYWORD_SELECT,   DW_KEYWORD_WITH,      DW_KEYWORD_FROM,        DW_KEYWORD_TABLE,
        DW_KEYWORD_PIVOT,    DW_KEYWORD_UNPIVOT,   DW_KEYWORD_PIVOT_WIDER, DW_KEYWORD_PIVOT_LONGER,
        DW_KEYWORD_DESCRIBE, DW_KEYWORD_SUMMARIZE, DW_KEYWORD_SHOW,
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (dw__parser_is(parser, starts[i])) {
            return true;
        }
    }
    return dw__parser_is_symbol(parser, "(") ||
           (dw__parser_is(parser, DW_KEYWORD_VALUES) && dw__parser_is_symbol_at(parser, 1, "("));
}

/* ---- Stepping -------------------------------------------------------------------------------- */

bool
dw__parser_is_word_at(const dw_parser *parser, size_t ahead, const char *word)
{
    const dw_token *token = dw__parser_peek(parser, ahead);
    return token->kind == DW_TOKEN_WORD &&
           dw__str_equal_nocase(dw__token_text(parser->sql, parser->pos + ahead),
                                dw__str_from(word));
}

bool
dw__parser_accept_word(dw_parser *parser, const char *word)
{
    bool found = dw__parser_is_word_at(parser, 0, word);
    parser->pos += found ? 1 : 0;
    return found;
}

bool
dw__parser_accept(dw_parser *parser, dw_keyword keyword)
{
    dw_assert(keyword != DW_KEYWORD_NONE);
    bool found = dw__parser_is(parser, keyword);
    parser->pos += found ? 1 : 0;
    return found;
}

bool
dw__parser_accept_symbol(dw_parser *parser, const char *symbol)
{
    bool found = dw__parser_is_symbol(parser, symbol);
    parser->pos += found ? 1 : 0;
    return found;
}

bool
dw__parser_accept_angle(dw_parser *parser)
{
    dw_str text = dw__token_text(parser->sql, parser->pos);
    bool is_symbol = dw__parser_peek(parser, 0)->kind == DW_TOKEN_SYMBOL;
    if (!is_symbol || text.ptr[parser->angles_taken] != '>') {
        return false;
    }
    parser->angles_taken++;
    if (parser->angles_taken == text.len) {
        parser->angles_taken = 0;
        parser->pos++;
    }
    return true;
}

dw_sql_range
dw__parser_rest(dw_parser *parser)
{
    dw_sql_range rest = {parser->pos, parser->sql->count - 1};
    dw_assert(rest.first < rest.last);
    parser->pos = rest.last;
    return rest;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Up to `len` bytes of the text from `offset` on, in one line, not cut inside a character. */
static dw_str
excerpt(dw_str text, size_t offset, char out[DW_SQL_EXCERPT_BYTES])
{
    dw_str part = dw__str_slice(text, offset, DW_SQL_EXCERPT_BYTES);
    while (part.len > 0 && offset + part.len < text.len &&
           ((unsigned char) text.ptr[offset + part.len] & 0xC0) == 0x80) {
        part.len--;
    }
    for (size_t i = 0; i < part.len; i++) {
        out[i] = part.ptr[i];
        if ((unsigned char) out[i] < 0x20 || out[i] == 0x7f) {
            out[i] = ' ';
        }
    }
    return dw__str_trim((dw_str){out, part.len});
}

dw_status
dw__parser_refuse(const dw_parser *parser, size_t token_idx, dw_status status, const char *code,
                  const char *fmt, ...)
{
    char text[DW_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const dw_token *token = &parser->sql->items[token_idx];
    dw_sql_place place = dw__sql_place(parser->sql->text, token->offset);
    return dw__error_set(parser->err, status, code, "line %zu, column %zu: %s", place.line,
                         place.column, text);
}

dw_status
dw__parser_fail(const dw_parser *parser, const char *what)
{
    char found[DW_SQL_EXCERPT_BYTES];
    char near[DW_SQL_EXCERPT_BYTES];
    const dw_sql_text *sql = parser->sql;
    size_t pos = parser->pos;
    size_t near_offset = sql->items[pos > 0 ? pos - 1 : 0].offset;
    dw_str near_text = excerpt(sql->text, near_offset, near);
    if (dw__parser_at_end(parser)) {
        return dw__parser_refuse(parser, pos, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "expected %s, found the end of the statement behind \"%.*s\"",
                                 what, DW_STR_ARG(near_text));
    }
    dw_str token = excerpt(dw__token_text(sql, pos), 0, found);
    return dw__parser_refuse(parser, pos, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                             "expected %s, found \"%.*s\" near \"%.*s\"", what, DW_STR_ARG(token),
                             DW_STR_ARG(near_text));
}

/* ---- What must be there ---------------------------------------------------------------------- */

dw_status
dw__parser_expect(dw_parser *parser, dw_keyword keyword)
{
    return dw__parser_accept(parser, keyword) ? DW_OK
                                              : dw__parser_fail(parser, dw__keyword_name(keyword));
}

dw_status
dw__parser_expect_symbol(dw_parser *parser, const char *symbol)
{
    if (dw__parser_accept_symbol(parser, symbol)) {
        return DW_OK;
    }
    char what[8];
    (void) snprintf(what, sizeof what, "\"%s\"", symbol);
    return dw__parser_fail(parser, what);
}

dw_status
dw__parser_expect_end(const dw_parser *parser)
{
    return dw__parser_at_end(parser) ? DW_OK : dw__parser_fail(parser, "the end of the statement");
}

dw_status
dw__parser_expect_query(const dw_parser *parser)
{
    return dw__parser_is_query(parser) ? DW_OK : dw__parser_fail(parser, "a query");
}

dw_status
dw__parser_skip_parens(dw_parser *parser)
{
    size_t depth = 0;
    do {
        if (dw__parser_at_end(parser)) {
            return dw__parser_fail(parser, "\")\"");
        }
        if (dw__parser_is_symbol(parser, "(")) {
            depth++;
        } else if (dw__parser_is_symbol(parser, ")")) {
            depth -= depth > 0 ? 1 : 0;
        }
        parser->pos++;
    } while (depth > 0);
    return DW_OK;
}
