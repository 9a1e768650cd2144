/*
 * INSERT INTO and INSERT OVERWRITE.
 */
#include "sql/parse.h"

static dw_status
unsupported(const dw_parser *parser, const char *what, const char *advice)
{
    return dw__parser_refuse(parser, parser->pos, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                             "%s is not supported%s", what, advice);
}

/* ---- PARTITION (month = 3, day) -------------------------------------------------------------- */

/* A constant as the text that the log stores for it; the null string for NULL. */
static dw_status
parse_constant(dw_parser *parser, dw_str *out)
{
    size_t first = parser->pos;
    *out = DW_STR_NULL;
    if (dw__parser_accept(parser, DW_KEYWORD_NULL)) {
        return DW_OK;
    }
    if (dw__parser_accept(parser, DW_KEYWORD_TRUE) || dw__parser_accept(parser, DW_KEYWORD_FALSE)) {
        bool value = parser->sql->items[first].keyword == DW_KEYWORD_TRUE;
        *out = value ? DW_STR("true") : DW_STR("false");
        return DW_OK;
    }
    if (dw__parser_is(parser, DW_KEYWORD_DATE) || dw__parser_is(parser, DW_KEYWORD_TIMESTAMP)) {
        parser->pos++; /* DATE '2024-01-31' */
        return dw__parser_string(parser, "text in quotes", out);
    }
    bool has_sign = dw__parser_accept_symbol(parser, "-");
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_NUMBER) {
        parser->pos++;
        dw_str digits = dw__token_text(parser->sql, parser->pos - 1);
        *out = has_sign ? dw__arena_printf(parser->arena, "-%.*s", DW_STR_ARG(digits)) : digits;
        return dw__str_is_null(*out) ? dw__error_oom(parser->err) : DW_OK;
    }
    return dw__parser_string(parser, "a constant", out);
}

/* A column without a value is dynamic: it takes the query's, as it does without this clause. */
static dw_status
parse_partition(dw_parser *parser, dw_insert_statement *out)
{
    size_t count_max = 1;
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    for (size_t i = parser->pos; !dw__token_is_symbol(parser->sql, i, ")"); i++) {
        if (parser->sql->items[i].kind == DW_TOKEN_END) {
            break;
        }
        count_max++;
    }
    out->static_partitions.items = DW_ARENA_ARRAY(parser->arena, dw_pair, count_max);
    if (out->static_partitions.items == NULL) {
        return dw__error_oom(parser->err);
    }
    do {
        dw_pair pair = {0};
        DW_TRY(dw__parser_name(parser, "the name of a partition column", &pair.key));
        if (dw__parser_accept_symbol(parser, "=")) {
            DW_TRY(parse_constant(parser, &pair.value));
            out->static_partitions.items[out->static_partitions.count++] = pair;
        }
    } while (dw__parser_accept_symbol(parser, ","));
    DW_TRY(dw__parser_expect_symbol(parser, ")"));
    if (dw__parser_is(parser, DW_KEYWORD_IF)) {
        return unsupported(parser, "INSERT ... IF NOT EXISTS", ": leave it out");
    }
    return DW_OK;
}

/* ---- The source ------------------------------------------------------------------------------ */

/* Clauses of the engine's INSERT that a Delta table cannot do, at the outermost level. */
static dw_status
check_tail(dw_parser *parser)
{
    size_t depth = 0;
    for (; !dw__parser_at_end(parser); parser->pos++) {
        depth += dw__parser_is_symbol(parser, "(") ? 1 : 0;
        depth -= dw__parser_is_symbol(parser, ")") && depth > 0 ? 1 : 0;
        if (depth == 0 && dw__parser_is(parser, DW_KEYWORD_RETURNING)) {
            return unsupported(parser, "RETURNING", ": query the table afterwards");
        }
        dw_str next = dw__token_text(parser->sql, parser->pos + 1);
        if (depth == 0 && dw__parser_is(parser, DW_KEYWORD_ON) &&
            dw__str_equal_nocase(next, DW_STR("conflict"))) {
            return unsupported(parser, "ON CONFLICT", ": Delta tables have no keys");
        }
    }
    return DW_OK;
}

/* One row in which every column is left to the table. */
static dw_status
parse_default_values(dw_parser *parser, dw_insert_statement *out)
{
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_VALUES));
    if (out->column_count > 0 || out->by_name) {
        return dw__parser_fail(parser, "DEFAULT VALUES without a list of columns or BY NAME");
    }
    size_t end = parser->pos;
    DW_TRY(check_tail(parser));
    parser->pos = end;
    out->query = (dw_sql_range){end, end};
    return dw__parser_at_end(parser) ? DW_OK : dw__parser_fail(parser, "the end of the statement");
}

static dw_status
parse_source(dw_parser *parser, dw_insert_statement *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_DEFAULT)) {
        return parse_default_values(parser, out);
    }
    if (!dw__parser_is_query(parser)) {
        return dw__parser_fail(parser, "VALUES or a query");
    }
    size_t first = parser->pos;
    DW_TRY(check_tail(parser));
    parser->pos = first;
    out->query = dw__parser_rest(parser);
    return DW_OK;
}

/* ---- INSERT ---------------------------------------------------------------------------------- */

static dw_status
parse_target_columns(dw_parser *parser, dw_insert_statement *out)
{
    parser->pos++; /* a query in parentheses is no list of columns */
    bool is_query = dw__parser_is_query(parser);
    parser->pos--;
    if (is_query) {
        return DW_OK;
    }
    return dw__parser_names(parser, "a column name", &out->columns, &out->column_count);
}

/* BY NAME | BY POSITION */
static dw_status
parse_by(dw_parser *parser, dw_insert_statement *out)
{
    if (!dw__parser_accept(parser, DW_KEYWORD_BY)) {
        return DW_OK;
    }
    out->by_name = dw__parser_accept(parser, DW_KEYWORD_NAME);
    if (!out->by_name) {
        dw_str word = dw__token_text(parser->sql, parser->pos);
        if (!dw__str_equal_nocase(word, DW_STR("position"))) {
            return dw__parser_fail(parser, "NAME");
        }
        parser->pos++;
    }
    if (out->by_name && out->column_count > 0) {
        return dw__parser_fail(parser, "either a list of columns or BY NAME");
    }
    return DW_OK;
}

static dw_status
parse_mode(dw_parser *parser, dw_insert_statement *out)
{
    DW_TRY(dw__parse_with_evolution(parser, &out->options.merges_schema));
    if (dw__parser_accept(parser, DW_KEYWORD_OVERWRITE)) {
        out->mode = DW_WRITE_OVERWRITE;
        dw_str word = dw__token_text(parser->sql, parser->pos);
        if (dw__str_equal_nocase(word, DW_STR("directory"))) {
            return unsupported(parser, "INSERT OVERWRITE DIRECTORY",
                               ": use COPY (query) TO 'file.parquet'");
        }
        (void) dw__parser_accept(parser, DW_KEYWORD_INTO);
        return DW_OK;
    }
    out->mode = DW_WRITE_APPEND;
    return dw__parser_accept(parser, DW_KEYWORD_INTO)
               ? DW_OK
               : dw__parser_fail(parser, "INTO or OVERWRITE");
}

dw_status
dw__parse_insert(dw_parser *parser, dw_insert_statement *out)
{
    DW_TRY(parse_mode(parser, out));
    (void) dw__parser_accept(parser, DW_KEYWORD_TABLE);
    out->name_first = parser->pos;
    DW_TRY(dw__parser_table(parser, &out->name));
    out->name_end = parser->pos;
    DW_TRY(dw__parse_insert_options(parser, out));
    if (dw__parser_accept(parser, DW_KEYWORD_PARTITION)) {
        DW_TRY(parse_partition(parser, out));
    }
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(parse_target_columns(parser, out));
    }
    DW_TRY(parse_by(parser, out));
    if (dw__parser_is(parser, DW_KEYWORD_REPLACE)) {
        DW_TRY(dw__parse_replace_where(parser, out));
    }
    DW_TRY(dw__check_replace_where(parser, out->name_first, out));
    return parse_source(parser, out);
}
