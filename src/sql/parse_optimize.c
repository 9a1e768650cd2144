/*
 * OPTIMIZE name [AUTO] [FULL] [WHERE condition] [FULL] [ZORDER BY (columns)] and REORG TABLE name
 * [WHERE condition] APPLY (PURGE), each with the common end of upkeep.
 */
#include "sql/parse.h"
#include "sql/parse_column.h"

/* What may stand behind the condition. Each is two words, so that none is a part of it. */
static bool
is_behind_condition(const dw_parser *parser)
{
    if (dw__parser_at_end(parser)) {
        return true;
    }
    if (dw__parser_is_word_at(parser, 0, "full")) {
        dw_parser ahead = *parser;
        ahead.pos++;
        return is_behind_condition(&ahead);
    }
    return (dw__parser_is_word_at(parser, 0, "zorder") && dw__parser_is_word_at(parser, 1, "by")) ||
           (dw__parser_is_word_at(parser, 0, "apply") && dw__parser_is_symbol_at(parser, 1, "(")) ||
           (dw__parser_is_word_at(parser, 0, "dry") && dw__parser_is_word_at(parser, 1, "run")) ||
           (dw__parser_is_word_at(parser, 0, "within") &&
            dw__parser_peek(parser, 1)->kind == DW_TOKEN_NUMBER);
}

/* [WHERE condition] */
static dw_status
parse_where(dw_parser *parser, dw_sql_range *out)
{
    *out = (dw_sql_range){parser->pos, parser->pos};
    if (!dw__parser_accept(parser, DW_KEYWORD_WHERE)) {
        return DW_OK;
    }
    out->first = parser->pos;
    while (!is_behind_condition(parser)) {
        if (dw__parser_is_symbol(parser, "(")) {
            DW_TRY(dw__parser_skip_parens(parser));
        } else {
            parser->pos++;
        }
    }
    out->last = parser->pos;
    return dw__sql_range_is_empty(*out) ? dw__parser_fail(parser, "a condition") : DW_OK;
}

dw_status
dw__parse_optimize(dw_parser *parser, dw_optimize_statement *out)
{
    *out = (dw_optimize_statement){0};
    DW_TRY(dw__parser_table(parser, &out->name));
    out->is_auto = dw__parser_accept_word(parser, "auto");
    out->full = dw__parser_accept_word(parser, "full");
    DW_TRY(parse_where(parser, &out->condition));
    out->full = out->full || dw__parser_accept_word(parser, "full");
    if (!out->is_auto && dw__parser_accept_word(parser, "zorder")) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        DW_TRY(dw__parse_column_paths(parser, &out->z_order));
    }
    return dw__parse_upkeep_options(parser, &out->options);
}

dw_status
dw__parse_reorg(dw_parser *parser, dw_optimize_statement *out)
{
    *out = (dw_optimize_statement){.purges = true};
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TABLE));
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(parse_where(parser, &out->condition));
    if (!dw__parser_accept_word(parser, "apply")) {
        return dw__parser_fail(parser, "WHERE or APPLY");
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    if (!dw__parser_accept_word(parser, "purge")) {
        return dw__parser_fail(parser, "PURGE");
    }
    DW_TRY(dw__parser_expect_symbol(parser, ")"));
    return dw__parse_upkeep_options(parser, &out->options);
}
