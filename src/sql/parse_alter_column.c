/*
 * ALTER TABLE of columns, as Spark writes it: ADD COLUMNS, DROP COLUMNS, RENAME COLUMN, ALTER and
 * CHANGE COLUMN (also of several columns, and as in Hive), REPLACE COLUMNS.
 */
#include "sql/parse.h"
#include "sql/parse_column.h"
#include "sql/parse_rule.h"
#include "sql/spark_text.h"

#define COLUMNS_MAX ((size_t) 1000)

/* ---- Parts ----------------------------------------------------------------------------------- */

/* FIRST | AFTER name, if it stands here. */
static dw_status
parse_place(dw_parser *parser, dw_column_place *place, dw_str *after, bool *found_out)
{
    *found_out = true;
    if (dw__parser_accept_word(parser, "FIRST")) {
        *place = DW_PLACE_FIRST;
        return DW_OK;
    }
    if (dw__parser_accept_word(parser, "AFTER")) {
        *place = DW_PLACE_AFTER;
        return dw__parser_name(parser, "the column that it stands behind", after);
    }
    *found_out = false;
    return DW_OK;
}

/* COLUMN or COLUMNS. */
static bool
accept_column(dw_parser *parser)
{
    return dw__parser_accept_word(parser, "COLUMN") || dw__parser_accept_word(parser, "COLUMNS");
}

/* path type [NOT NULL] [COMMENT 'text'] [DEFAULT expression] [FIRST | AFTER name], in any order */
static dw_status
parse_new_column(dw_parser *parser, dw_new_column *out)
{
    const dw_type *type;
    *out = (dw_new_column){.place = DW_PLACE_SAME};
    DW_TRY(dw__parse_column_path(parser, &out->path));
    DW_TRY(dw__parse_type(parser, &type));
    DW_TRY(dw__field_make(parser, out->path.parts[out->path.count - 1], type, &out->field));
    bool found = true;
    while (found) {
        DW_TRY(dw__parse_field_attributes(parser, &out->field));
        DW_TRY(dw__parse_column_rule(parser, &out->field, &found));
        if (!found) {
            DW_TRY(parse_place(parser, &out->place, &out->after, &found));
        }
    }
    /* What the metadata says of the field is found by building it. */
    const dw_type *built = dw__type_make_struct(parser->arena, &out->field, 1);
    if (built == NULL) {
        return dw__error_oom(parser->err);
    }
    out->field = built->fields[0];
    return DW_OK;
}

/* One, or several in parentheses or behind commas. */
static dw_status
parse_add(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_ADD_COLUMNS;
    out->added = DW_ARENA_ARRAY(parser->arena, dw_new_column, COLUMNS_MAX);
    if (out->added == NULL) {
        return dw__error_oom(parser->err);
    }
    bool has_parens = dw__parser_accept_symbol(parser, "(");
    do {
        if (out->column_count == COLUMNS_MAX) {
            return dw__parser_fail(parser, "at most 1000 columns");
        }
        DW_TRY(parse_new_column(parser, &out->added[out->column_count]));
        out->column_count++;
    } while (dw__parser_accept_symbol(parser, ","));
    return !has_parens || dw__parser_accept_symbol(parser, ")")
               ? DW_OK
               : dw__parser_fail(parser, "\",\" or \")\"");
}

static dw_status
parse_drop(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_DROP_COLUMNS;
    if (dw__parser_accept(parser, DW_KEYWORD_IF)) {
        out->if_exists = true;
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_EXISTS));
    }
    return dw__parse_column_paths(parser, &out->paths);
}

/* path TO name */
static dw_status
parse_rename(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_RENAME_COLUMN;
    dw_name_path *path = DW_ARENA_NEW(parser->arena, dw_name_path);
    if (path == NULL) {
        return dw__error_oom(parser->err);
    }
    out->paths = (dw_name_paths){path, 1};
    DW_TRY(dw__parse_column_path(parser, path));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TO));
    return dw__parser_name(parser, "the column's new name", &out->item);
}

/* ---- ALTER COLUMN ---------------------------------------------------------------------------- */

static dw_status
parse_default(dw_parser *parser, dw_column_change *out)
{
    dw_sql_range range;
    out->has_default = true;
    DW_TRY(dw__parse_default(parser, &range));
    return dw__sql_spark_text(parser->sql, range, parser->arena, &out->default_text, parser->err);
}

/* Behind SET */
static dw_status
parse_set(dw_parser *parser, dw_column_change *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_NOT)) {
        out->has_nullable = true;
        return dw__parser_expect(parser, DW_KEYWORD_NULL);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_DEFAULT)) {
        return parse_default(parser, out);
    }
    if (dw__parser_accept_word(parser, "DATA") && dw__parser_accept_word(parser, "TYPE")) {
        return dw__parse_type(parser, &out->type);
    }
    return dw__parser_fail(parser, "NOT NULL, DEFAULT or DATA TYPE");
}

/* Behind DROP */
static dw_status
parse_unset(dw_parser *parser, dw_column_change *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_NOT)) {
        out->has_nullable = true;
        out->nullable = true;
        return dw__parser_expect(parser, DW_KEYWORD_NULL);
    }
    out->has_default = dw__parser_accept(parser, DW_KEYWORD_DEFAULT);
    out->default_text = DW_STR_NULL;
    return out->has_default ? DW_OK : dw__parser_fail(parser, "NOT NULL or DEFAULT");
}

static dw_status
parse_comment(dw_parser *parser, dw_column_change *out)
{
    out->has_comment = true;
    return dw__parser_string(parser, "a comment in quotes", &out->comment);
}

/* As in Hive: name type [COMMENT 'text'] [FIRST | AFTER name], where the name is that of before. */
static dw_status
parse_hive(dw_parser *parser, dw_column_change *out)
{
    size_t idx = parser->pos;
    dw_str name;
    bool found;
    DW_TRY(dw__parser_name(parser, "TYPE, SET, DROP, COMMENT, FIRST or AFTER", &name));
    if (!dw__str_equal_nocase(name, out->path.parts[out->path.count - 1])) {
        return dw__parser_refuse(
            parser, idx, DW_INVALID_ARGUMENT, "OPERATION_NOT_ALLOWED",
            "expected TYPE, SET, DROP, COMMENT, FIRST or AFTER, found \"%.*s\" "
            "(a column is renamed by RENAME COLUMN ... TO ...)",
            DW_STR_ARG(name));
    }
    DW_TRY(dw__parse_type(parser, &out->type));
    if (dw__parser_is(parser, DW_KEYWORD_NOT)) {
        return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "OPERATION_NOT_ALLOWED",
                                 "NOT NULL cannot stand here: use ALTER COLUMN ... SET NOT NULL");
    }
    if (dw__parser_accept(parser, DW_KEYWORD_COMMENT)) {
        DW_TRY(parse_comment(parser, out));
    }
    return parse_place(parser, &out->place, &out->after, &found);
}

/* path and what becomes of it */
static dw_status
parse_change(dw_parser *parser, dw_column_change *out)
{
    bool found;
    *out = (dw_column_change){.place = DW_PLACE_SAME};
    DW_TRY(dw__parse_column_path(parser, &out->path));
    DW_TRY(parse_place(parser, &out->place, &out->after, &found));
    if (found) {
        return DW_OK;
    }
    if (dw__parser_accept_word(parser, "TYPE")) {
        return dw__parse_type(parser, &out->type);
    }
    if (dw__parser_accept_word(parser, "SET")) {
        return parse_set(parser, out);
    }
    if (dw__parser_accept_word(parser, "DROP")) {
        return parse_unset(parser, out);
    }
    if (dw__parser_peek(parser, 1)->kind == DW_TOKEN_STRING &&
        dw__parser_accept(parser, DW_KEYWORD_COMMENT)) {
        return parse_comment(parser, out);
    }
    return parse_hive(parser, out);
}

static dw_status
parse_changes(dw_parser *parser, dw_alter_statement *out)
{
    out->kind = DW_ALTER_CHANGE_COLUMNS;
    out->changes = DW_ARENA_ARRAY(parser->arena, dw_column_change, COLUMNS_MAX);
    if (out->changes == NULL) {
        return dw__error_oom(parser->err);
    }
    do {
        if (out->column_count == COLUMNS_MAX) {
            return dw__parser_fail(parser, "at most 1000 columns");
        }
        DW_TRY(parse_change(parser, &out->changes[out->column_count]));
        out->column_count++;
    } while (dw__parser_accept_symbol(parser, ","));
    return DW_OK;
}

/* ---- REPLACE COLUMNS ------------------------------------------------------------------------- */

static dw_status
parse_replace(dw_parser *parser, dw_alter_statement *out)
{
    dw_column_list list = {0};
    size_t idx = parser->pos;
    out->kind = DW_ALTER_REPLACE_COLUMNS;
    dw_status status = dw__parse_columns(parser, &list);
    if (status == DW_OK) {
        out->columns = dw__type_make_struct(parser->arena, list.columns.items, list.columns.count);
        status = out->columns == NULL ? dw__error_oom(parser->err) : DW_OK;
    }
    if (status == DW_OK && list.constraints.count > 0) {
        status = dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                   "REPLACE COLUMNS takes columns only: constraints are added by "
                                   "ADD CONSTRAINT");
    }
    DW_VEC_DEINIT(parser->arena->allocator, &list.columns);
    DW_VEC_DEINIT(parser->arena->allocator, &list.constraints);
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

dw_status
dw__parse_alter_columns(dw_parser *parser, dw_alter_statement *out, bool *found_out)
{
    *found_out = true;
    if (dw__parser_accept_word(parser, "ADD")) {
        (void) accept_column(parser);
        return parse_add(parser, out);
    }
    if (dw__parser_accept_word(parser, "DROP")) {
        (void) accept_column(parser);
        return parse_drop(parser, out);
    }
    if (dw__parser_is_word_at(parser, 0, "RENAME") && dw__parser_is_word_at(parser, 1, "COLUMN")) {
        parser->pos += 2;
        return parse_rename(parser, out);
    }
    if (dw__parser_accept_word(parser, "ALTER") || dw__parser_accept_word(parser, "CHANGE")) {
        (void) dw__parser_accept_word(parser, "COLUMN");
        return parse_changes(parser, out);
    }
    if (dw__parser_is_word_at(parser, 0, "REPLACE") &&
        dw__parser_is_word_at(parser, 1, "COLUMNS")) {
        parser->pos += 2;
        return parse_replace(parser, out);
    }
    *found_out = false;
    return DW_OK;
}
