/*
 * Reading, keeping and showing the settings of a session.
 */
#include "sql/setting.h"

#include "sql/execution.h"
#include "sql/parse.h"

#define MESSAGE_BYTES_MAX ((size_t) 4096)
#define PREFIX DW_STR("spark")
#define OVERWRITE_MODE "spark.sql.sources.partitionOverwriteMode"

/* ---- Reading --------------------------------------------------------------------------------- */

/* spark.a.b.c */
static dw_status
parse_key(dw_parser *parser, dw_str *out)
{
    size_t first = parser->pos;
    do {
        dw_str part;
        DW_TRY(dw__parser_name(parser, "the name of a setting", &part));
    } while (dw__parser_accept_symbol(parser, "."));
    *out = dw__tokens_text(parser->sql, first, parser->pos);
    return DW_OK;
}

static dw_status
parse_value(dw_parser *parser, dw_str *out)
{
    if (!dw__parser_accept_symbol(parser, "=") && !dw__parser_accept(parser, DW_KEYWORD_TO)) {
        return dw__parser_fail(parser, "\"=\" or the end of the statement");
    }
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        return dw__parser_string(parser, "a value", out);
    }
    if (dw__parser_at_end(parser)) {
        return dw__parser_fail(parser, "a value");
    }
    *out = dw__token_text(parser->sql, parser->pos++);
    return DW_OK;
}

dw_status
dw__parse_setting(dw_parser *parser, dw_setting_statement *out, bool *found_out)
{
    *out = (dw_setting_statement){.value = DW_STR_NULL};
    *found_out = dw__str_equal_nocase(dw__token_text(parser->sql, parser->pos + 1), PREFIX) &&
                 dw__parser_is_symbol_at(parser, 2, ".");
    if (!*found_out) {
        return DW_OK;
    }
    out->resets = dw__parser_is(parser, DW_KEYWORD_RESET);
    parser->pos++;
    DW_TRY(parse_key(parser, &out->key));
    if (!out->resets && !dw__parser_at_end(parser)) {
        DW_TRY(parse_value(parser, &out->value));
    }
    return dw__parser_expect_end(parser);
}

/* ---- Running --------------------------------------------------------------------------------- */

dw_status
dw__execute_setting(dw_execution *x)
{
    const dw_setting_statement *setting = &x->statement.as.setting;
    bool *value = &x->session->settings.overwrites_partitions;
    if (!dw__str_equal_nocase(setting->key, DW_STR(OVERWRITE_MODE))) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "SETTING_UNKNOWN",
                             "\"%.*s\" is no setting: of Spark's there is " OVERWRITE_MODE,
                             DW_STR_ARG(setting->key));
    }
    if (!dw__str_is_null(setting->value)) {
        DW_TRY(dw__parse_overwrite_mode(setting->value, value, x->err));
    } else if (setting->resets) {
        *value = false;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    dw__strbuf_printf(&text, OVERWRITE_MODE " = %s", *value ? "dynamic" : "static");
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}
