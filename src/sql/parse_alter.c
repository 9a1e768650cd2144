/*
 * ALTER TABLE name SET TBLPROPERTIES | UNSET TBLPROPERTIES | ADD CONSTRAINT | DROP CONSTRAINT |
 * ADD EXPECTATION | DROP EXPECTATION | DROP FEATURE | CLUSTER BY | ALTER COLUMN name SYNC IDENTITY;
 * columns are parse_alter_column.c's. Each may end in DRY RUN. What else ALTER TABLE may be is left
 * to others.
 */
#include "sql/parse.h"
#include "sql/parse_column.h"
#include "sql/parse_rule.h"

#define ALTER_KEYS_MAX 1000

static dw_status
parse_if_exists(dw_parser *parser, bool *out)
{
    *out = dw__parser_accept(parser, DW_KEYWORD_IF);
    return *out ? dw__parser_expect(parser, DW_KEYWORD_EXISTS) : DW_OK;
}

/* A key: a string, or a name with dots in it. */
static dw_status
parse_key(dw_parser *parser, dw_str *out)
{
    if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_WORD) {
        return dw__parser_string(parser, "a key", out);
    }
    size_t first = parser->pos;
    dw_str part;
    do {
        DW_TRY(dw__parser_name(parser, "a key", &part));
    } while (dw__parser_accept_symbol(parser, "."));
    *out = dw__tokens_text(parser->sql, first, parser->pos);
    return DW_OK;
}

static dw_status
parse_keys(dw_parser *parser, dw_alter_statement *out)
{
    out->keys = DW_ARENA_ARRAY(parser->arena, dw_str, ALTER_KEYS_MAX);
    if (out->keys == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        if (out->key_count == ALTER_KEYS_MAX) {
            return dw__parser_fail(parser, "a list of at most 1000 keys");
        }
        DW_TRY(parse_key(parser, &out->keys[out->key_count]));
        out->key_count++;
    } while (dw__parser_accept_symbol(parser, ","));
    return dw__parser_expect_symbol(parser, ")");
}

/* name CHECK (expression), behind ADD CONSTRAINT */
static dw_status
parse_add_constraint(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_ADD_CONSTRAINT;
    DW_TRY(dw__parser_name(parser, "a name for the constraint", &out->item));
    return dw__parse_check(parser, &out->expression);
}

/* ON VIOLATION WARN | DROP [ROW] | FAIL */
static dw_status
parse_on_violation(dw_parser *parser, dw_violation *out)
{
    *out = DW_VIOLATION_WARN;
    if (!dw__parser_accept(parser, DW_KEYWORD_ON)) {
        return DW_OK;
    }
    if (!dw__parser_accept_word(parser, "VIOLATION")) {
        return dw__parser_fail(parser, "VIOLATION");
    }
    if (dw__parser_accept_word(parser, "WARN")) {
        return DW_OK;
    }
    if (dw__parser_accept_word(parser, "FAIL")) {
        *out = DW_VIOLATION_FAIL;
        return DW_OK;
    }
    if (!dw__parser_accept_word(parser, "DROP")) {
        return dw__parser_fail(parser, "WARN, DROP or FAIL");
    }
    *out = DW_VIOLATION_DROP;
    (void) dw__parser_accept_word(parser, "ROW");
    return DW_OK;
}

/* name (condition) [ON VIOLATION ...] [QUARANTINE INTO table], behind ADD EXPECTATION */
static dw_status
parse_add_expectation(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_ADD_EXPECTATION;
    DW_TRY(dw__parser_name(parser, "a name for the expectation", &out->item));
    DW_TRY(dw__parse_condition(parser, &out->expression));
    DW_TRY(parse_on_violation(parser, &out->on_violation));
    size_t idx = parser->pos;
    out->has_quarantine = dw__parser_accept_word(parser, "QUARANTINE");
    if (!out->has_quarantine) {
        return DW_OK;
    }
    if (out->on_violation != DW_VIOLATION_DROP) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "expected QUARANTINE behind ON VIOLATION DROP only: nothing else "
                                 "leaves rows out");
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_INTO));
    return dw__parser_table(parser, &out->quarantine);
}

/*
 * ADD | DROP EXPECTATION, which is no keyword: a column may have that name, but no text behind it.
 */
static bool
accept_expectation(dw_parser *parser, const char *verb)
{
    dw_token_kind behind = dw__parser_peek(parser, 2)->kind;
    bool found = dw__parser_is_word_at(parser, 0, verb) &&
                 dw__parser_is_word_at(parser, 1, "EXPECTATION") &&
                 (behind == DW_TOKEN_WORD || behind == DW_TOKEN_QUOTED ||
                  behind == DW_TOKEN_BACKQUOTED || behind == DW_TOKEN_STRING);
    parser->pos += found ? 2 : 0;
    return found;
}

static dw_status
parse_drop(dw_parser *parser, dw_alter_statement *out)
{
    bool is_feature = out->kind == DW_ALTER_DROP_FEATURE;
    bool is_constraint = out->kind == DW_ALTER_DROP_CONSTRAINT;
    if (!is_feature) {
        DW_TRY(parse_if_exists(parser, &out->if_exists));
    }
    DW_TRY(dw__parser_name(parser,
                           is_feature      ? "a feature"
                           : is_constraint ? "a constraint"
                                           : "an expectation",
                           &out->item));
    if (is_constraint) {
        (void) (dw__parser_accept_word(parser, "RESTRICT") ||
                dw__parser_accept_word(parser, "CASCADE"));
    } else if (is_feature && dw__parser_accept_word(parser, "TRUNCATE")) {
        out->truncates = dw__parser_accept_word(parser, "HISTORY");
        return out->truncates ? DW_OK : dw__parser_fail(parser, "HISTORY");
    }
    return DW_OK;
}

/* ALTER | CHANGE [COLUMN] name SYNC IDENTITY, if it stands here. */
static dw_status
parse_sync(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    size_t start = parser->pos;
    *found_out = false;
    if (!dw__parser_accept_word(parser, "ALTER") && !dw__parser_accept_word(parser, "CHANGE")) {
        return DW_OK;
    }
    (void) dw__parser_accept_word(parser, "COLUMN");
    if (dw__parser_is_name(parser) && dw__parser_is_word_at(parser, 1, "SYNC") &&
        dw__parser_is_word_at(parser, 2, "IDENTITY")) {
        *found_out = true;
        out->kind = DW_ALTER_SYNC_IDENTITY;
        DW_TRY(dw__parser_name(parser, "a column", &out->item));
        parser->pos += 2;
        return DW_OK;
    }
    parser->pos = start;
    return DW_OK;
}

/* What we cannot read of columns the engine may understand, if the table is one of its own. */
static dw_status
parse_columns(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    dw_error *failure = DW_ARENA_NEW(parser->arena, dw_error);
    if (failure == NULL) {
        return dw__error_oom(parser->err);
    }
    *failure = (dw_error) DW_ERROR_INIT;
    dw_parser own = *parser;
    own.err = failure;
    dw_status status = dw__parse_alter_columns(&own, out, found_out);
    if (status == DW_OK && *found_out) {
        out->is_dry_run =
            dw__parser_accept_word(&own, "DRY") && dw__parser_accept_word(&own, "RUN");
        status = dw__parser_expect_end(&own);
    }
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(parser->err);
    }
    parser->pos = own.pos;
    if (status != DW_OK) {
        out->kind = DW_ALTER_FOREIGN;
        out->failure = failure;
        parser->pos = parser->sql->count - 1;
    }
    return DW_OK;
}

/* Behind the name of the table; `*found_out` is false when it is none of ours. */
static dw_status
parse_action(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    *found_out = true;
    if (dw__parser_is_at(parser, 1, DW_KEYWORD_TBLPROPERTIES) &&
        dw__parser_accept_word(parser, "SET")) {
        parser->pos++;
        out->kind = DW_ALTER_SET_PROPERTIES;
        return dw__parser_pairs(parser, &out->properties);
    }
    if (dw__parser_is_at(parser, 1, DW_KEYWORD_TBLPROPERTIES) &&
        dw__parser_accept_word(parser, "UNSET")) {
        parser->pos++;
        out->kind = DW_ALTER_UNSET_PROPERTIES;
        DW_TRY(parse_if_exists(parser, &out->if_exists));
        return parse_keys(parser, out);
    }
    if (dw__parser_is_at(parser, 1, DW_KEYWORD_CONSTRAINT) &&
        dw__parser_accept_word(parser, "ADD")) {
        parser->pos++;
        return parse_add_constraint(parser, out);
    }
    if (dw__parser_is_at(parser, 1, DW_KEYWORD_CONSTRAINT) &&
        dw__parser_accept_word(parser, "DROP")) {
        parser->pos++;
        out->kind = DW_ALTER_DROP_CONSTRAINT;
        return parse_drop(parser, out);
    }
    if (accept_expectation(parser, "ADD")) {
        return parse_add_expectation(parser, out);
    }
    if (accept_expectation(parser, "DROP")) {
        out->kind = DW_ALTER_DROP_EXPECTATION;
        return parse_drop(parser, out);
    }
    if (dw__parser_is_word_at(parser, 0, "DROP") && dw__parser_is_word_at(parser, 1, "FEATURE") &&
        dw__parser_peek(parser, 2)->kind != DW_TOKEN_END) {
        parser->pos += 2;
        out->kind = DW_ALTER_DROP_FEATURE;
        return parse_drop(parser, out);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_CLUSTER)) {
        out->kind = DW_ALTER_CLUSTER_BY;
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        out->clusters_auto = dw__parser_accept_word(parser, "AUTO");
        return out->clusters_auto || dw__parser_accept_word(parser, "NONE")
                   ? DW_OK
                   : dw__parse_column_paths(parser, &out->cluster_by);
    }
    DW_TRY(parse_sync(parser, out, found_out));
    return *found_out ? DW_OK : parse_columns(parser, out, found_out);
}

/* ---- COMMENT ON ------------------------------------------------------------------------------ */

/* IS 'text' | NULL; the null string for NULL. */
static dw_status
parse_comment(dw_parser *parser, dw_str *out)
{
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_IS));
    if (dw__parser_accept(parser, DW_KEYWORD_NULL)) {
        *out = DW_STR_NULL;
        return DW_OK;
    }
    return dw__parser_string(parser, "a comment in quotes, or NULL", out);
}

/* The same as the property "comment". */
static dw_status
parse_table_comment(dw_parser *parser, dw_alter_statement *out)
{
    static const dw_str key = {"comment", 7};
    dw_pair *pair = DW_ARENA_NEW(parser->arena, dw_pair);
    if (pair == NULL) {
        return dw__error_oom(parser->err);
    }
    pair->key = key;
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(parse_comment(parser, &pair->value));
    if (!dw__str_is_null(pair->value)) {
        out->kind = DW_ALTER_SET_PROPERTIES;
        out->properties = (dw_pairs){.items = pair, .count = 1};
        return DW_OK;
    }
    out->kind = DW_ALTER_UNSET_PROPERTIES;
    out->keys = &pair->key;
    out->key_count = 1;
    out->if_exists = true;
    return DW_OK;
}

/* table.column, where the last part is the column */
static dw_status
parse_column_comment(dw_parser *parser, dw_alter_statement *out)
{
    dw_column_change *change = DW_ARENA_NEW(parser->arena, dw_column_change);
    dw_str *column = DW_ARENA_NEW(parser->arena, dw_str);
    if (change == NULL || column == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__parser_table(parser, &out->name));
    if (out->name.is_path) {
        DW_TRY(dw__parser_expect_symbol(parser, "."));
        DW_TRY(dw__parser_name(parser, "a column", column));
    } else if (out->name.part_count > 1) {
        *column = out->name.parts[--out->name.part_count];
    } else {
        return dw__parser_fail(parser, "\".\" and a column behind the table");
    }
    change->path = (dw_name_path){column, 1};
    change->has_comment = true;
    out->kind = DW_ALTER_CHANGE_COLUMNS;
    out->changes = change;
    out->column_count = 1;
    return parse_comment(parser, &change->comment);
}

/* COMMENT ON TABLE name | COLUMN table.column IS 'text' */
static dw_status
parse_comment_on(dw_parser *parser, dw_alter_statement *out)
{
    bool is_table = dw__parser_is_at(parser, 2, DW_KEYWORD_TABLE);
    *out = (dw_alter_statement){0};
    parser->pos += 3;
    DW_TRY(is_table ? parse_table_comment(parser, out) : parse_column_comment(parser, out));
    return dw__parser_expect_end(parser);
}

static bool
is_comment_on(const dw_parser *parser)
{
    return dw__parser_is(parser, DW_KEYWORD_COMMENT) &&
           dw__parser_is_at(parser, 1, DW_KEYWORD_ON) &&
           (dw__parser_is_at(parser, 2, DW_KEYWORD_TABLE) ||
            dw__parser_is_word_at(parser, 2, "COLUMN"));
}

/* ---- The whole ------------------------------------------------------------------------------- */

dw_status
dw__parse_alter(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    size_t start = parser->pos;
    *found_out = is_comment_on(parser);
    if (*found_out) {
        return parse_comment_on(parser, out);
    }
    if (!dw__parser_is(parser, DW_KEYWORD_ALTER) ||
        !dw__parser_is_at(parser, 1, DW_KEYWORD_TABLE)) {
        return DW_OK;
    }
    *out = (dw_alter_statement){0};
    parser->pos += 2;
    if (dw__parser_is(parser, DW_KEYWORD_IF)) {
        parser->pos = start;
        return DW_OK;
    }
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(parse_action(parser, out, found_out));
    if (!*found_out) {
        parser->pos = start;
        return DW_OK;
    }
    out->is_dry_run |=
        dw__parser_accept_word(parser, "DRY") && dw__parser_accept_word(parser, "RUN");
    return dw__parser_expect_end(parser);
}
