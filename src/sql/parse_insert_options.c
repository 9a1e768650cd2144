/*
 * What an INSERT replaces, and its options: REPLACE WHERE condition, WITH ('key' = 'value').
 */
#include "sql/parse.h"

static dw_status
refuse(const dw_parser *parser, size_t at, dw_status status, const char *code, const char *text)
{
    return dw__parser_refuse(parser, at, status, code, "%s", text);
}

/* ---- REPLACE WHERE --------------------------------------------------------------------------- */

/* A query begins here, and no condition goes on. */
static bool
begins_source(const dw_parser *parser)
{
    const dw_token *before = parser->pos == 0 ? NULL : &parser->sql->items[parser->pos - 1];
    bool is_from = dw__parser_is(parser, DW_KEYWORD_FROM) && before != NULL &&
                   before->keyword != DW_KEYWORD_DISTINCT;
    dw_str next = dw__token_text(parser->sql, parser->pos + 1);
    bool is_with = dw__parser_is(parser, DW_KEYWORD_WITH) && /* not TIMESTAMP WITH TIME ZONE */
                   !dw__str_equal_nocase(next, DW_STR("time"));
    return is_from || is_with || dw__parser_is(parser, DW_KEYWORD_SELECT) ||
           dw__parser_is(parser, DW_KEYWORD_VALUES) || dw__parser_is(parser, DW_KEYWORD_TABLE);
}

dw_status
dw__parse_replace_where(dw_parser *parser, dw_insert_statement *out)
{
    size_t depth = 0;
    size_t first;
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_REPLACE));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_WHERE));
    first = parser->pos;
    for (; !dw__parser_at_end(parser) && (depth > 0 || !begins_source(parser)); parser->pos++) {
        depth += dw__parser_is_symbol(parser, "(") ? 1 : 0;
        depth -= dw__parser_is_symbol(parser, ")") && depth > 0 ? 1 : 0;
    }
    if (parser->pos == first) {
        return dw__parser_fail(parser, "a condition");
    }
    if (!dw__str_is_null(out->options.replace_where)) {
        return refuse(parser, first, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                      "the rows to replace are named twice");
    }
    out->options.replace_where = dw__tokens_text(parser->sql, first, parser->pos);
    out->mode = DW_WRITE_OVERWRITE;
    return DW_OK;
}

/* ---- Options --------------------------------------------------------------------------------- */

dw_status
dw__parse_overwrite_mode(dw_str value, bool *is_dynamic_out, dw_error *err)
{
    *is_dynamic_out = dw__str_equal_nocase(value, DW_STR("dynamic"));
    if (*is_dynamic_out || dw__str_equal_nocase(value, DW_STR("static"))) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                         "partitionOverwriteMode is static or dynamic, not \"%.*s\"",
                         DW_STR_ARG(value));
}

static dw_status
take_bool(const dw_pair *pair, bool *out, dw_error *err)
{
    *out = dw__str_equal_nocase(pair->value, DW_STR("true"));
    if (*out || dw__str_equal_nocase(pair->value, DW_STR("false"))) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                         "%.*s is true or false, not \"%.*s\"", DW_STR_ARG(pair->key),
                         DW_STR_ARG(pair->value));
}

static dw_status
take_option(dw_parser *parser, const dw_pair *pair, dw_insert_options *out)
{
    dw_error *err = parser->err;
    if (dw__str_equal_nocase(pair->key, DW_STR("partitionOverwriteMode"))) {
        out->has_mode = true;
        return dw__parse_overwrite_mode(pair->value, &out->is_dynamic, err);
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("mergeSchema"))) {
        return take_bool(pair, &out->merges_schema, err);
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("overwriteSchema"))) {
        return take_bool(pair, &out->replaces_schema, err);
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("replaceWhere"))) {
        out->replace_where = pair->value;
        return DW_OK;
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("userMetadata"))) {
        out->user_metadata = pair->value;
        return DW_OK;
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("txnAppId"))) {
        out->txn_app_id = pair->value;
        return DW_OK;
    }
    if (!dw__str_equal_nocase(pair->key, DW_STR("txnVersion"))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_UNKNOWN",
                             "\"%.*s\" is no option of INSERT, which takes "
                             "mergeSchema, overwriteSchema, partitionOverwriteMode, replaceWhere, "
                             "userMetadata, txnAppId, txnVersion",
                             DW_STR_ARG(pair->key));
    }
    if (!dw__str_to_i64(pair->value, &out->txn_version) || out->txn_version < 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "txnVersion is a number from 0 on, not \"%.*s\"",
                             DW_STR_ARG(pair->value));
    }
    return DW_OK;
}

/* What the options say together. */
static dw_status
check_options(dw_parser *parser, size_t at, const dw_insert_statement *insert)
{
    const dw_insert_options *options = &insert->options;
    if (dw__str_is_null(options->txn_app_id) != (options->txn_version < 0)) {
        return refuse(parser, at, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                      "txnAppId and txnVersion come together");
    }
    if (options->merges_schema && options->replaces_schema) {
        return refuse(parser, at, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                      "mergeSchema adds columns to the table's, and overwriteSchema replaces "
                      "them: use one of them");
    }
    if (!dw__str_is_null(options->replace_where) && insert->mode != DW_WRITE_OVERWRITE) {
        return refuse(parser, at, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                      "replaceWhere is an option of INSERT OVERWRITE: write that, or INSERT INTO "
                      "... REPLACE WHERE");
    }
    return DW_OK;
}

dw_status
dw__parse_insert_options(dw_parser *parser, dw_insert_statement *out)
{
    dw_pairs pairs;
    size_t at = parser->pos;
    out->options.txn_version = -1;
    if (!dw__parser_is(parser, DW_KEYWORD_WITH) || !dw__parser_is_symbol_at(parser, 1, "(")) {
        return DW_OK; /* WITH name AS ... belongs to the query */
    }
    parser->pos++;
    DW_TRY(dw__parser_pairs(parser, &pairs));
    for (size_t i = 0; i < pairs.count; i++) {
        DW_TRY(take_option(parser, &pairs.items[i], &out->options));
    }
    return check_options(parser, at, out);
}

dw_status
dw__check_replace_where(dw_parser *parser, size_t at, const dw_insert_statement *insert)
{
    const dw_insert_options *options = &insert->options;
    if (dw__str_is_null(options->replace_where)) {
        return DW_OK;
    }
    if (insert->static_partitions.count > 0) {
        return refuse(parser, at, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                      "the rows to replace are named twice: by PARTITION and by a condition");
    }
    if (options->has_mode && options->is_dynamic) {
        return refuse(parser, at, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                      "the rows to replace are named twice: by a condition and by the partitions "
                      "of the new rows (partitionOverwriteMode = dynamic)");
    }
    return DW_OK;
}
