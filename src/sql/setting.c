/*
 * Reading, keeping and showing the settings of a session.
 */
#include "sql/setting.h"

#include "sql/execution.h"
#include "sql/parse.h"

#include <inttypes.h>
#include <stddef.h>

#define MESSAGE_BYTES_MAX ((size_t) 4096)

/* ---- Reading --------------------------------------------------------------------------------- */

static bool
is_our_prefix(dw_str word)
{
    return dw__str_equal_nocase(word, DW_STR("spark")) ||
           dw__str_equal_nocase(word, DW_STR("deltaworks"));
}

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
    *found_out = is_our_prefix(dw__token_text(parser->sql, parser->pos + 1)) &&
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

/* One of two words, a number, or a text. */
typedef struct setting {
    const char *key;
    size_t offset;        /* of its bool or its int64_t in the settings */
    const char *off, *on; /* its words, that of a new session first; NULL: it is a number */
    int64_t unset, max;   /* where nothing is set, which is kept as 0 */
    int64_t scale;        /* of what is kept to what is set */
    bool is_text;
} setting;

#define AT(member) offsetof(dw_session_settings, member)

static const setting settings[] = {
    {"spark.sql.sources.partitionOverwriteMode", AT(overwrites_partitions), "static", "dynamic", 0,
     0, 0, false},
    {"spark.databricks.delta.retentionDurationCheck.enabled", AT(skips_retention_check), "true",
     "false", 0, 0, 0, false},
    {"spark.databricks.delta.properties.defaults.enableDeletionVectors",
     AT(creates_without_vectors), "true", "false", 0, 0, 0, false},
    {"spark.databricks.delta.schema.autoMerge.enabled", AT(merges_schema), "false", "true", 0, 0, 0,
     false},
    {"spark.databricks.delta.maxCommitAttempts", AT(limits.attempts_max), NULL, NULL,
     DW_TXN_ATTEMPTS_MAX, INT64_C(1000000000), 1, false},
    {"deltaworks.audit.reads", AT(audits_reads), "off", "on", 0, 0, 0, false},
    {"deltaworks.audit.user", AT(audit_user), NULL, NULL, 0, 0, 0, true},
    {"deltaworks.autoColumnMapping", AT(forbids_mapping), "true", "false", 0, 0, 0, false},
    {"deltaworks.pruningStatistics", AT(counts_no_use), "on", "off", 0, 0, 0, false},
    {"deltaworks.lineage", AT(records_no_lineage), "on", "off", 0, 0, 0, false},
    {"deltaworks.lineage.job", AT(lineage_job), NULL, NULL, 0, 0, 0, true},
    {"deltaworks.lineage.namespace", AT(lineage_namespace), NULL, NULL, 0, 0, 0, true},
    {"deltaworks.lineage.parent", AT(lineage_parent), NULL, NULL, 0, 0, 0, true},
    {"deltaworks.maxCommitSeconds", AT(limits.time_max_ms), NULL, NULL, DW_TXN_TIME_MAX_MS,
     INT64_C(86400), 1000, false},
};

static dw_status
refuse_unknown(const dw_execution *x, dw_str key)
{
    DW_AUTO(dw_strbuf) known = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        dw__strbuf_printf(&known, "%s%s", i == 0 ? "" : ", ", settings[i].key);
    }
    DW_TRY(dw__strbuf_ok(&known, "the settings", x->err));
    return dw__error_set(x->err, DW_INVALID_ARGUMENT, "SETTING_UNKNOWN",
                         "\"%.*s\" is no setting: there are %s", DW_STR_ARG(key),
                         dw__strbuf_cstr(&known));
}

static dw_status
find_setting(const dw_execution *x, dw_str key, const setting **out)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (dw__str_equal_nocase(key, dw__str_from(settings[i].key))) {
            *out = &settings[i];
            return DW_OK;
        }
    }
    return refuse_unknown(x, key);
}

static dw_status
set_word(const dw_execution *x, const setting *found, dw_str text, bool *value)
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

static dw_status
set_number(const dw_execution *x, const setting *found, dw_str text, int64_t *value)
{
    int64_t number;
    if (!dw__str_to_i64(text, &number) || number < 1 || number > found->max) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "%s is a number from 1 to %" PRId64 ", not \"%.*s\"", found->key,
                             found->max, DW_STR_ARG(text));
    }
    *value = number * found->scale;
    return DW_OK;
}

/* Takes what the statement says, and prints what holds then. */
static dw_status
run_word(const dw_execution *x, const setting *found, bool *value, dw_strbuf *text)
{
    const dw_setting_statement *statement = &x->statement.as.setting;
    if (!dw__str_is_null(statement->value)) {
        DW_TRY(set_word(x, found, statement->value, value));
    } else if (statement->resets) {
        *value = false;
    }
    dw__strbuf_printf(text, "%s = %s", found->key, *value ? found->on : found->off);
    return DW_OK;
}

static dw_status
run_number(const dw_execution *x, const setting *found, int64_t *value, dw_strbuf *text)
{
    const dw_setting_statement *statement = &x->statement.as.setting;
    if (!dw__str_is_null(statement->value)) {
        DW_TRY(set_number(x, found, statement->value, value));
    } else if (statement->resets) {
        *value = 0;
    }
    dw__strbuf_printf(text, "%s = %" PRId64, found->key,
                      (*value == 0 ? found->unset : *value) / found->scale);
    return DW_OK;
}

static dw_status
run_text(const dw_execution *x, const setting *found, dw_setting_text *value, dw_strbuf *text)
{
    const dw_setting_statement *statement = &x->statement.as.setting;
    if (statement->value.len > DW_SETTING_TEXT_BYTES_MAX) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "%s has at most %d bytes, not %zu", found->key,
                             DW_SETTING_TEXT_BYTES_MAX, statement->value.len);
    }
    if (!dw__str_is_null(statement->value)) {
        memcpy(value->bytes, statement->value.ptr, statement->value.len);
        value->len = (uint8_t) statement->value.len;
    } else if (statement->resets) {
        value->len = 0;
    }
    dw__strbuf_printf(text, "%s = %.*s", found->key, (int) value->len, value->bytes);
    return DW_OK;
}

dw_status
dw__execute_setting(dw_execution *x)
{
    const setting *found = NULL;
    DW_TRY(find_setting(x, x->statement.as.setting.key, &found));
    void *value = (char *) &x->session->settings + found->offset;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    DW_TRY(found->is_text      ? run_text(x, found, value, &text)
           : found->on != NULL ? run_word(x, found, value, &text)
                               : run_number(x, found, value, &text));
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}
