/*
 * Reading, keeping and showing the settings of a session.
 */
#include "sql/setting.h"

#include "sql/execution.h"
#include "sql/parse.h"

#include <stddef.h>

#define MESSAGE_BYTES_MAX ((size_t) 4096)
#define PREFIX DW_STR("spark")

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

typedef struct setting {
    const char *key;
    size_t offset;        /* of its bool in the settings */
    const char *off, *on; /* its values, that of a new session first */
} setting;

#define AT(member) offsetof(dw_session_settings, member)

static const setting settings[] = {
    {"spark.sql.sources.partitionOverwriteMode", AT(overwrites_partitions), "static", "dynamic"},
    {"spark.databricks.delta.retentionDurationCheck.enabled", AT(skips_retention_check), "true",
     "false"},
};

static dw_status
find_setting(const dw_execution *x, dw_str key, const setting **out)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (dw__str_equal_nocase(key, dw__str_from(settings[i].key))) {
            *out = &settings[i];
            return DW_OK;
        }
    }
    return dw__error_set(x->err, DW_INVALID_ARGUMENT, "SETTING_UNKNOWN",
                         "\"%.*s\" is no setting: of Spark's there are %s and %s", DW_STR_ARG(key),
                         settings[0].key, settings[1].key);
}

static dw_status
set_value(const dw_execution *x, const setting *found, dw_str text, bool *value)
{
    bool is_on = dw__str_equal_nocase(text, dw__str_from(found->on));
    if (!is_on && !dw__str_equal_nocase(text, dw__str_from(found->off))) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "%s is %s or %s, not \"%.*s\"", found->key, found->off, found->on,
                             DW_STR_ARG(text));
    }
    *value = is_on;
    return DW_OK;
}

dw_status
dw__execute_setting(dw_execution *x)
{
    const dw_setting_statement *statement = &x->statement.as.setting;
    const setting *found = NULL;
    DW_TRY(find_setting(x, statement->key, &found));
    bool *value = (bool *) ((char *) &x->session->settings + found->offset);
    if (!dw__str_is_null(statement->value)) {
        DW_TRY(set_value(x, found, statement->value, value));
    } else if (statement->resets) {
        *value = false;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    dw__strbuf_printf(&text, "%s = %s", found->key, *value ? found->on : found->off);
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}
