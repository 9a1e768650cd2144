/*
 * What all parsers read: names, strings, numbers, lists of names and of pairs.
 */
#include "base/assert.h"
#include "base/strbuf.h"
#include "sql/parser.h"

/* What a list in a statement may hold at most; pairs are compared with each other. */
#define DW_SQL_LIST_MAX ((size_t) 100000)
#define DW_SQL_PAIRS_MAX ((size_t) 1000)
/* Long enough for any name in a message. */
#define DW_SQL_NAME_BYTES_MAX ((size_t) 65536)

dw_status
dw__parser_name(dw_parser *parser, const char *what, dw_str *out)
{
    *out = DW_STR_NULL;
    if (!dw__parser_is_name(parser)) {
        return dw__parser_fail(parser, what);
    }
    DW_TRY(dw__token_name(parser->sql, parser->pos, parser->arena, out, parser->err));
    parser->pos++;
    return DW_OK;
}

dw_status
dw__parser_string(dw_parser *parser, const char *what, dw_str *out)
{
    *out = DW_STR_NULL;
    const dw_token *token = dw__parser_peek(parser, 0);
    if (token->kind == DW_TOKEN_STRING) {
        DW_TRY(dw__token_string(parser->sql, parser->pos, parser->arena, out, parser->err));
    } else if (token->kind == DW_TOKEN_QUOTED && token->len == 2) {
        *out = DW_STR(""); /* which would be no name */
    } else if (token->kind == DW_TOKEN_QUOTED) {
        DW_TRY(dw__token_name(parser->sql, parser->pos, parser->arena, out, parser->err));
    } else {
        return dw__parser_fail(parser, what);
    }
    parser->pos++;
    return DW_OK;
}

dw_status
dw__parser_integer(dw_parser *parser, const char *what, int64_t *out)
{
    *out = 0;
    if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_NUMBER ||
        !dw__str_to_i64(dw__token_text(parser->sql, parser->pos), out)) {
        return dw__parser_fail(parser, what);
    }
    parser->pos++;
    return DW_OK;
}

/* ---- Names of tables ------------------------------------------------------------------------- */

static bool
is_path(const dw_parser *parser)
{
    uint8_t kind = dw__parser_peek(parser, 2)->kind;
    return dw__parser_is(parser, DW_KEYWORD_DELTA) && dw__parser_is_symbol_at(parser, 1, ".") &&
           (kind == DW_TOKEN_QUOTED || kind == DW_TOKEN_BACKQUOTED);
}

/* Words that begin a clause are no names, so that a name that was left out is noticed. */
static bool
is_table_name(const dw_parser *parser)
{
    dw_keyword keyword = (dw_keyword) dw__parser_peek(parser, 0)->keyword;
    bool is_rows = keyword == DW_KEYWORD_VALUES && dw__parser_is_symbol_at(parser, 1, "(");
    return dw__parser_is_name(parser) && dw__keyword_is_name(keyword) && !is_rows;
}

dw_status
dw__parser_table(dw_parser *parser, dw_sql_name *out)
{
    *out = (dw_sql_name){0};
    if (is_path(parser)) {
        parser->pos += 2;
        out->is_path = true;
        out->part_count = 1;
        return dw__parser_name(parser, "a path", &out->parts[0]);
    }
    if (!is_table_name(parser)) {
        return dw__parser_fail(parser, "a table name or delta.`path`");
    }
    do {
        if (out->part_count == DW_SQL_NAME_PARTS_MAX) {
            return dw__parser_fail(parser, "a name of at most 4 parts");
        }
        DW_TRY(dw__parser_name(parser, "a table name", &out->parts[out->part_count]));
        out->part_count++;
    } while (dw__parser_accept_symbol(parser, "."));
    return DW_OK;
}

dw_str
dw__sql_name_print(const dw_sql_name *name, dw_arena *arena)
{
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(arena->allocator, DW_SQL_NAME_BYTES_MAX);
    if (name->is_path) {
        dw__strbuf_printf(&buf, "delta.`%.*s`", DW_STR_ARG(name->parts[0]));
    } else {
        for (size_t i = 0; i < name->part_count; i++) {
            dw__strbuf_append(&buf, i > 0 ? DW_STR(".") : DW_STR(""));
            dw__strbuf_append(&buf, name->parts[i]);
        }
    }
    dw_str out = DW_STR("the table");
    (void) dw__arena_dup(arena, dw__strbuf_str(&buf), &out);
    return out;
}

bool
dw__sql_name_equal(const dw_sql_name *a, const dw_sql_name *b)
{
    if (a->is_path != b->is_path || a->part_count != b->part_count) {
        return false;
    }
    for (size_t i = 0; i < a->part_count; i++) {
        bool equal = a->is_path ? dw__str_equal(a->parts[i], b->parts[i])
                                : dw__str_equal_nocase(a->parts[i], b->parts[i]);
        if (!equal) {
            return false;
        }
    }
    return true;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* Room for one element a comma up to the closing parenthesis, and one. */
static size_t
list_count_max(const dw_parser *parser)
{
    size_t count = 1;
    for (size_t i = parser->pos; i + 1 < parser->sql->count; i++) {
        if (dw__token_is_symbol(parser->sql, i, ")")) {
            break;
        }
        count += dw__token_is_symbol(parser->sql, i, ",") ? 1 : 0;
    }
    return count;
}

static dw_status
check_list_count(const dw_parser *parser, size_t count, size_t count_max)
{
    if (count <= count_max) {
        return DW_OK;
    }
    return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                             "expected a list of at most %zu elements, found %zu", count_max,
                             count);
}

dw_status
dw__parser_names(dw_parser *parser, const char *what, dw_str **out, size_t *count_out)
{
    *count_out = 0;
    size_t count_max = list_count_max(parser);
    DW_TRY(check_list_count(parser, count_max, DW_SQL_LIST_MAX));
    *out = DW_ARENA_ARRAY(parser->arena, dw_str, count_max);
    if (*out == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        DW_TRY(dw__parser_name(parser, what, &(*out)[*count_out]));
        *count_out += 1;
    } while (dw__parser_accept_symbol(parser, ","));
    dw_assert(*count_out <= count_max);
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}

/* A key: a string, or a name with dots in it. */
static dw_status
parse_key(dw_parser *parser, dw_str *out)
{
    if (!dw__parser_is_name(parser) || dw__parser_peek(parser, 0)->kind == DW_TOKEN_QUOTED) {
        return dw__parser_string(parser, "a key", out);
    }
    size_t first = parser->pos;
    dw_str part;
    DW_TRY(dw__parser_name(parser, "a key", &part));
    if (!dw__parser_is_symbol(parser, ".")) {
        *out = part;
        return DW_OK;
    }
    while (dw__parser_accept_symbol(parser, ".")) {
        DW_TRY(dw__parser_name(parser, "the next part of the key", &part));
    }
    *out = dw__tokens_text(parser->sql, first, parser->pos);
    return DW_OK;
}

/* A value: a string, a number with its sign, or a word such as true. */
static dw_status
parse_value(dw_parser *parser, dw_str *out)
{
    size_t first = parser->pos;
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_WORD) {
        *out = dw__token_text(parser->sql, parser->pos++);
        return DW_OK;
    }
    (void) dw__parser_accept_symbol(parser, "-");
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_NUMBER) {
        parser->pos++;
        *out = dw__tokens_text(parser->sql, first, parser->pos);
        return DW_OK;
    }
    return dw__parser_string(parser, "a value", out);
}

dw_status
dw__parser_pairs(dw_parser *parser, dw_pairs *out)
{
    *out = (dw_pairs){0};
    size_t count_max = list_count_max(parser);
    DW_TRY(check_list_count(parser, count_max, DW_SQL_PAIRS_MAX));
    out->items = DW_ARENA_ARRAY(parser->arena, dw_pair, count_max);
    if (out->items == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        dw_pair *pair = &out->items[out->count];
        size_t key_idx = parser->pos;
        DW_TRY(parse_key(parser, &pair->key));
        if (dw__pairs_get(out, pair->key) != NULL) {
            return dw__parser_refuse(parser, key_idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                     "the key %.*s stands there twice", DW_STR_ARG(pair->key));
        }
        (void) dw__parser_accept_symbol(parser, "="); /* Spark lets it be left out */
        DW_TRY(parse_value(parser, &pair->value));
        out->count++;
    } while (dw__parser_accept_symbol(parser, ","));
    dw_assert(out->count <= count_max);
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}
