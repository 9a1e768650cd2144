/*
 * ALTER TABLE name SET TBLPROPERTIES | UNSET TBLPROPERTIES | ADD CONSTRAINT | DROP CONSTRAINT |
 * DROP FEATURE | CLUSTER BY | ALTER COLUMN name SYNC IDENTITY. What else ALTER TABLE may be is left
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

static dw_status
parse_drop(dw_parser *parser, dw_alter_statement *out)
{
    bool is_feature = out->kind == DW_ALTER_DROP_FEATURE;
    if (!is_feature) {
        DW_TRY(parse_if_exists(parser, &out->if_exists));
    }
    DW_TRY(dw__parser_name(parser, is_feature ? "a feature" : "a constraint", &out->item));
    if (!is_feature) {
        (void) (dw__parser_accept_word(parser, "RESTRICT") ||
                dw__parser_accept_word(parser, "CASCADE"));
    } else if (dw__parser_accept_word(parser, "TRUNCATE")) {
        out->truncates = dw__parser_accept_word(parser, "HISTORY");
        return out->truncates ? DW_OK : dw__parser_fail(parser, "HISTORY");
    }
    return DW_OK;
}

/* [COLUMN] name SYNC IDENTITY, behind ALTER or CHANGE; false when it is another change. */
static dw_status
parse_sync(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    (void) dw__parser_accept_word(parser, "COLUMN");
    out->kind = DW_ALTER_SYNC_IDENTITY;
    DW_TRY(dw__parser_name(parser, "a column", &out->item));
    *found_out =
        dw__parser_accept_word(parser, "SYNC") && dw__parser_accept_word(parser, "IDENTITY");
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
    if (dw__parser_accept_word(parser, "DROP") && dw__parser_accept_word(parser, "FEATURE")) {
        out->kind = DW_ALTER_DROP_FEATURE;
        return parse_drop(parser, out);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_CLUSTER)) {
        out->kind = DW_ALTER_CLUSTER_BY;
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        return dw__parser_accept_word(parser, "NONE")
                   ? DW_OK
                   : dw__parse_column_paths(parser, &out->cluster_by);
    }
    if (dw__parser_accept_word(parser, "ALTER") || dw__parser_accept_word(parser, "CHANGE")) {
        return parse_sync(parser, out, found_out);
    }
    *found_out = false;
    return DW_OK;
}

dw_status
dw__parse_alter(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    size_t start = parser->pos;
    *found_out = false;
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
    return dw__parser_expect_end(parser);
}
