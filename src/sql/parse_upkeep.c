/*
 * What all commands of upkeep end in: [DRY RUN] [WITHIN 30 MINUTES].
 */
#include "base/checked.h"
#include "sql/parse.h"

#define SECOND_US ((int64_t) 1000000)

typedef struct time_unit {
    const char *word, *words;
    int64_t us;
} time_unit;

static const time_unit time_units[] = {
    {"second", "seconds", SECOND_US},
    {"minute", "minutes", 60 * SECOND_US},
    {"hour", "hours", 3600 * SECOND_US},
};

/* n SECONDS | MINUTES | HOURS, behind WITHIN */
static dw_status
parse_within(dw_parser *parser, int64_t *us_out)
{
    int64_t amount;
    size_t at = parser->pos;
    DW_TRY(dw__parser_integer(parser, "a number of seconds, minutes or hours", &amount));
    for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        const time_unit *unit = &time_units[i];
        if (dw__parser_accept_word(parser, unit->word) ||
            dw__parser_accept_word(parser, unit->words)) {
            if (amount > 0 && dw__checked_mul_i64(amount, unit->us, us_out)) {
                return DW_OK;
            }
            parser->pos = at;
            return dw__parser_fail(parser, "a time that is more than nothing and can be counted");
        }
    }
    return dw__parser_fail(parser, "SECONDS, MINUTES or HOURS");
}

static bool
accept_dry_run(dw_parser *parser)
{
    bool found = dw__parser_is_word_at(parser, 0, "dry") && dw__parser_is_word_at(parser, 1, "run");
    parser->pos += found ? 2 : 0;
    return found;
}

dw_status
dw__parse_dry_run(dw_parser *parser, dw_upkeep_options *out)
{
    *out = (dw_upkeep_options){.dry_run = accept_dry_run(parser)};
    return dw__parser_at_end(parser)
               ? DW_OK
               : dw__parser_fail(parser, "DRY RUN or the end of the statement");
}

dw_status
dw__parse_upkeep_options(dw_parser *parser, dw_upkeep_options *out)
{
    *out = (dw_upkeep_options){0};
    while (!dw__parser_at_end(parser)) {
        if (!out->dry_run && accept_dry_run(parser)) {
            out->dry_run = true;
        } else if (out->within_us == 0 && dw__parser_accept_word(parser, "within")) {
            DW_TRY(parse_within(parser, &out->within_us));
        } else {
            return dw__parser_fail(parser, "DRY RUN, WITHIN or the end of the statement");
        }
    }
    return DW_OK;
}
