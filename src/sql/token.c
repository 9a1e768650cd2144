/*
 * Statements as arrays of tokens, and what single tokens stand for.
 */
#include "sql/token.h"

#include "base/assert.h"
#include "sql/sql.h"

const char *
dw__token_problem(const dw_token *token)
{
    dw_assert(token->kind == DW_TOKEN_BAD);
    switch (token->flavour) {
    case '/':
        return "a comment that is not closed";
    case '"':
        return "a quoted identifier that is not closed";
    case '`':
        return "a backquoted identifier that is not closed";
    case '$':
        return "a dollar-quoted string that is not closed";
    default:
        return "a string that is not closed";
    }
}

dw_sql_place
dw__sql_place(dw_str text, size_t offset)
{
    dw_sql_place place = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char) text.ptr[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static dw_status
check_text(dw_str text, dw_error *err)
{
    if (text.len > DW_SQL_STATEMENT_BYTES_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STATEMENT_TOO_LARGE",
                             "the statement has %zu bytes, at most %zu are allowed; put the data "
                             "in a file and use COPY INTO",
                             text.len, DW_SQL_STATEMENT_BYTES_MAX);
    }
    if (!dw__str_is_utf8(text)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                             "expected the statement in UTF-8, found bytes that are not");
    }
    return DW_OK;
}

static dw_status
bad_token(const dw_sql_text *sql, const dw_token *token, dw_error *err)
{
    dw_sql_place place = dw__sql_place(sql->text, token->offset);
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                         "line %zu, column %zu: found %s: %.*s", place.line, place.column,
                         dw__token_problem(token),
                         DW_STR_ARG(dw__str_slice(sql->text, token->offset, 40)));
}

dw_status
dw__sql_text_init(dw_sql_text *sql, const dw_allocator *allocator, dw_str text, dw_error *err)
{
    *sql = (dw_sql_text){.allocator = allocator, .text = text};
    DW_TRY(check_text(text, err));
    dw_lexer lexer = {.text = text};
    for (;;) {
        dw_token token = dw__lexer_next(&lexer);
        if (token.kind == DW_TOKEN_BAD) {
            dw_status status = bad_token(sql, &token, err);
            dw__sql_text_deinit(sql);
            return status;
        }
        dw_token *slot = DW_VEC_PUSH(allocator, sql);
        if (slot == NULL) {
            dw__sql_text_deinit(sql);
            return dw__error_oom(err);
        }
        *slot = token;
        if (token.kind == DW_TOKEN_END) {
            return DW_OK;
        }
    }
}

void
dw__sql_text_deinit(dw_sql_text *sql)
{
    if (sql->allocator != NULL) {
        DW_VEC_DEINIT(sql->allocator, sql);
    }
}

dw_str
dw__token_text(const dw_sql_text *sql, size_t idx)
{
    dw_assert(idx < sql->count);
    return (dw_str){sql->text.ptr + sql->items[idx].offset, sql->items[idx].len};
}

dw_str
dw__tokens_text(const dw_sql_text *sql, size_t first, size_t last)
{
    dw_assert(first <= last);
    dw_assert(last <= sql->count);
    if (first == last) {
        return DW_STR("");
    }
    size_t begin = sql->items[first].offset;
    size_t end = sql->items[last - 1].offset + sql->items[last - 1].len;
    return (dw_str){sql->text.ptr + begin, end - begin};
}

bool
dw__token_is_symbol(const dw_sql_text *sql, size_t idx, const char *symbol)
{
    return sql->items[idx].kind == DW_TOKEN_SYMBOL &&
           dw__str_equal(dw__token_text(sql, idx), dw__str_from(symbol));
}

bool
dw__token_is_name(const dw_token *token)
{
    return token->kind == DW_TOKEN_WORD || token->kind == DW_TOKEN_QUOTED ||
           token->kind == DW_TOKEN_BACKQUOTED;
}

bool
dw__sql_compares_nulls(const dw_sql_text *sql)
{
    for (size_t i = 0; i + 1 < sql->count; i++) {
        if (sql->items[i].keyword == DW_KEYWORD_DISTINCT &&
            sql->items[i + 1].keyword == DW_KEYWORD_FROM) {
            return true;
        }
    }
    return false;
}

bool
dw__token_touches_next(const dw_sql_text *sql, size_t idx)
{
    dw_assert(idx + 1 < sql->count);
    return sql->items[idx].offset + sql->items[idx].len == sql->items[idx + 1].offset;
}
