/*
 * table_changes('name', first [, last]) and table_changes_by_path('path', first [, last]) in the
 * place of a table, as Spark spells them. The bounds are constant expressions.
 */
#include "base/assert.h"
#include "sql/bind_walk.h"

bool
dw__is_changes_function(const dw_sql_name *name)
{
    return !name->is_path && name->part_count == 1 &&
           (dw__str_equal_nocase(name->parts[0], DW_STR("table_changes")) ||
            dw__str_equal_nocase(name->parts[0], DW_STR("table_changes_by_path")));
}

/* The name that the text of the first argument is. */
static dw_status
parse_name_text(const dw_bind_walk *walk, size_t place, dw_str text, dw_sql_name *out)
{
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, walk->parser.arena->allocator, text, walk->parser.err));
    dw_parser parser = dw__parser_make(&sql, walk->parser.arena, walk->parser.err);
    dw_status status = dw__parser_table(&parser, out);
    if (status == DW_OK) {
        status = dw__parser_expect_end(&parser);
    }
    if (status == DW_INVALID_ARGUMENT) {
        return dw__parser_refuse(&walk->parser, place, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "expected the name of a table, found '%.*s'", DW_STR_ARG(text));
    }
    return status;
}

/* 'name', and also the name itself. */
static dw_status
read_name(dw_bind_walk *walk, bool by_path, dw_sql_name *out)
{
    dw_parser *parser = &walk->parser;
    size_t place = parser->pos;
    dw_str text;
    if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_STRING && !by_path) {
        return dw__parser_table(parser, out);
    }
    DW_TRY(
        dw__parser_string(parser, by_path ? "the path of a table" : "the name of a table", &text));
    if (by_path) {
        *out = (dw_sql_name){.is_path = true, .parts = {text}, .part_count = 1};
        return DW_OK;
    }
    return parse_name_text(walk, place, text, out);
}

/* The tokens up to the next comma or parenthesis that is not inside of others. */
static dw_status
read_bound(dw_bind_walk *walk, dw_str *out)
{
    dw_parser *parser = &walk->parser;
    size_t first = parser->pos;
    while (!dw__parser_at_end(parser) && !dw__parser_is_symbol(parser, ",") &&
           !dw__parser_is_symbol(parser, ")")) {
        if (dw__parser_is_symbol(parser, "(")) {
            DW_TRY(dw__parser_skip_parens(parser));
        } else {
            parser->pos++;
        }
    }
    if (parser->pos == first) {
        return dw__parser_fail(parser, "a version or a time");
    }
    *out = dw__tokens_text(parser->sql, first, parser->pos);
    return DW_OK;
}

dw_status
dw__bind_changes_arguments(dw_bind_walk *walk, dw_sql_name *name, dw_sql_changes *out)
{
    dw_parser *parser = &walk->parser;
    bool by_path = dw__str_equal_nocase(name->parts[0], DW_STR("table_changes_by_path"));
    *out = (dw_sql_changes){.is_set = true, .last = DW_STR_NULL};
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    DW_TRY(read_name(walk, by_path, name));
    DW_TRY(dw__parser_expect_symbol(parser, ","));
    DW_TRY(read_bound(walk, &out->first));
    if (dw__parser_accept_symbol(parser, ",")) {
        DW_TRY(read_bound(walk, &out->last));
    }
    return dw__parser_expect_symbol(parser, ")");
}
