/*
 * VACUUM name [LITE | FULL] [USING INVENTORY ...] [RETAIN n HOURS] [DRY RUN] [WITHIN ...]. What
 * stands behind the name may come in any order, as in the reference, the common end of upkeep last.
 */
#include "sql/parse.h"

#define HOUR_MS (INT64_C(3600) * 1000)

bool
dw__parse_is_engine_vacuum(const dw_parser *parser)
{
    return dw__parser_peek(parser, 1)->kind == DW_TOKEN_END ||
           dw__parser_is_word_at(parser, 1, "analyze");
}

/* (query) or a table */
static dw_status
parse_inventory(dw_parser *parser, dw_vacuum_statement *out)
{
    if (!dw__parser_accept_word(parser, "inventory")) {
        return dw__parser_fail(parser, "INVENTORY");
    }
    size_t first = parser->pos;
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
        out->inventory = (dw_sql_range){first + 1, parser->pos - 1};
        return dw__sql_range_is_empty(out->inventory) ? dw__parser_fail(parser, "a query") : DW_OK;
    }
    dw_sql_name ignored;
    DW_TRY(dw__parser_table(parser, &ignored));
    out->inventory = (dw_sql_range){first, parser->pos};
    out->inventory_is_name = true;
    return DW_OK;
}

/* n HOURS; the reference takes fractions and rounds them to whole hours. */
static dw_status
parse_retention(dw_parser *parser, dw_vacuum_statement *out)
{
    double hours;
    bool is_number = dw__parser_peek(parser, 0)->kind == DW_TOKEN_NUMBER &&
                     dw__str_to_double(dw__token_text(parser->sql, parser->pos), &hours);
    if (!is_number || hours < 0 || hours > (double) (INT64_MAX / HOUR_MS / 2)) {
        return dw__parser_fail(parser, "a number of hours, 0 or more");
    }
    parser->pos++;
    if (!dw__parser_accept_word(parser, "hours") && !dw__parser_accept_word(parser, "hour")) {
        return dw__parser_fail(parser, "HOURS");
    }
    out->has_retention = true;
    out->retention_ms = (int64_t) (hours + 0.5) * HOUR_MS;
    return DW_OK;
}

dw_status
dw__parse_vacuum(dw_parser *parser, dw_vacuum_statement *out)
{
    *out = (dw_vacuum_statement){0};
    bool has_kind = false;
    DW_TRY(dw__parser_table(parser, &out->name));
    for (;;) {
        bool is_lite = dw__parser_is_word_at(parser, 0, "lite");
        if (!has_kind && (is_lite || dw__parser_is_word_at(parser, 0, "full"))) {
            parser->pos++;
            has_kind = true;
            out->is_lite = is_lite;
        } else if (dw__sql_range_is_empty(out->inventory) &&
                   dw__parser_accept(parser, DW_KEYWORD_USING)) {
            DW_TRY(parse_inventory(parser, out));
        } else if (!out->has_retention && dw__parser_accept_word(parser, "retain")) {
            DW_TRY(parse_retention(parser, out));
        } else {
            break;
        }
    }
    return dw__parse_upkeep_options(parser, &out->options);
}
