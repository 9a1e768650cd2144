/*
 * BEGIN, COMMIT, ROLLBACK and SET TRANSACTION.
 */
#include "sql/parse.h"

/* READ COMMITTED | SNAPSHOT | SERIALIZABLE | DEFAULT */
static dw_status
parse_level(dw_parser *parser, dw_transaction_statement *out)
{
    out->has_level = true;
    if (dw__parser_accept_word(parser, "READ") && dw__parser_accept_word(parser, "COMMITTED")) {
        out->level = DW_LEVEL_READ_COMMITTED;
    } else if (dw__parser_accept_word(parser, "SNAPSHOT")) {
        out->level = DW_LEVEL_SNAPSHOT;
    } else if (dw__parser_accept_word(parser, "SERIALIZABLE")) {
        out->level = DW_LEVEL_SERIALIZABLE;
    } else if (dw__parser_accept_word(parser, "DEFAULT")) {
        out->level = DW_LEVEL_TABLE;
    } else {
        return dw__parser_fail(parser, "READ COMMITTED, SNAPSHOT, SERIALIZABLE or DEFAULT");
    }
    return DW_OK;
}

/* ISOLATION LEVEL level */
static dw_status
parse_isolation(dw_parser *parser, dw_transaction_statement *out)
{
    if (!dw__parser_accept_word(parser, "ISOLATION") || !dw__parser_accept_word(parser, "LEVEL")) {
        return dw__parser_fail(parser, "ISOLATION LEVEL");
    }
    return parse_level(parser, out);
}

static dw_status
parse_begin(dw_parser *parser, dw_transaction_statement *out)
{
    return dw__parser_at_end(parser) ? DW_OK : parse_isolation(parser, out);
}

dw_status
dw__parse_transaction(dw_parser *parser, dw_transaction_statement *out, bool *found_out)
{
    *out = (dw_transaction_statement){.kind = DW_TRANSACTION_BEGIN};
    *found_out = true;
    bool begins = dw__parser_accept_word(parser, "BEGIN");
    bool starts = !begins && dw__parser_is_word_at(parser, 1, "TRANSACTION") &&
                  dw__parser_accept_word(parser, "START");
    bool sets =
        dw__parser_is_word_at(parser, 1, "TRANSACTION") && dw__parser_accept_word(parser, "SET");
    bool commits =
        dw__parser_accept_word(parser, "COMMIT") || dw__parser_accept_word(parser, "END");
    bool rolls_back =
        dw__parser_accept_word(parser, "ROLLBACK") || dw__parser_accept_word(parser, "ABORT");
    if (!begins && !starts && !sets && !commits && !rolls_back) {
        *found_out = false;
        return DW_OK;
    }
    (void) (dw__parser_accept_word(parser, "TRANSACTION") ||
            dw__parser_accept_word(parser, "WORK"));
    if (sets) {
        out->kind = DW_TRANSACTION_SET_LEVEL;
        DW_TRY(parse_isolation(parser, out));
    } else if (begins || starts) {
        DW_TRY(parse_begin(parser, out));
    } else {
        out->kind = commits ? DW_TRANSACTION_COMMIT : DW_TRANSACTION_ROLLBACK;
    }
    return dw__parser_expect_end(parser);
}
