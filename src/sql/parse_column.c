/*
 * The columns of CREATE TABLE: names, types and attributes; and the check constraints among them.
 */
#include "sql/parse_column.h"

#include "codec/json.h"
#include "sql/parse_rule.h"
#include "sql/spark_text.h"
#include "table/constraint.h"

/* More than any statement takes: what it may have it says itself. */
#define COLUMN_PATHS_MAX ((size_t) 1000)

#define DW_SQL_COMMENT_BYTES_MAX ((size_t) 1 << 20)

dw_status
dw__field_make(const dw_parser *parser, dw_str name, const dw_type *type, dw_field *out)
{
    *out = (dw_field){.type = type,
                      .nullable = true,
                      .metadata_json = DW_STR("{}"),
                      .mapping_id = -1,
                      .extra_json = DW_STR("")};
    if (!dw__arena_dup(parser->arena, name, &out->name)) {
        return dw__error_oom(parser->err);
    }
    out->physical_name = out->name;
    return DW_OK;
}

/* PROTOCOL.md "Schema Serialization Format": a comment is the field's metadata "comment". */
static dw_status
set_comment(dw_parser *parser, dw_field *field)
{
    dw_str comment;
    dw_str key = DW_STR("\"comment\":");
    if (memmem(field->metadata_json.ptr, field->metadata_json.len, key.ptr, key.len) != NULL) {
        return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "column \"%.*s\" has a COMMENT already", DW_STR_ARG(field->name));
    }
    DW_TRY(dw__parser_string(parser, "a comment in quotes", &comment));
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(parser->arena->allocator, DW_SQL_COMMENT_BYTES_MAX);
    dw__json_put_string(&json, comment);
    DW_TRY(dw__strbuf_ok(&json, "a comment", parser->err));
    return dw__sql_field_put(field, DW_STR("comment"), dw__strbuf_str(&json), parser->arena,
                             parser->err);
}

dw_status
dw__parse_field_attributes(dw_parser *parser, dw_field *field)
{
    for (;;) {
        if (dw__parser_accept(parser, DW_KEYWORD_NOT)) {
            DW_TRY(dw__parser_expect(parser, DW_KEYWORD_NULL));
            field->nullable = false;
        } else if (dw__parser_accept(parser, DW_KEYWORD_NULL)) {
            field->nullable = true;
        } else if (dw__parser_accept(parser, DW_KEYWORD_COMMENT)) {
            DW_TRY(set_comment(parser, field));
        } else {
            return DW_OK;
        }
    }
}

/* ---- What we know but do not do -------------------------------------------------------------- */

static const char *
unsupported_attribute(const dw_parser *parser)
{
    switch (dw__parser_peek(parser, 0)->keyword) {
    case DW_KEYWORD_PRIMARY:
        return "PRIMARY KEY constraints";
    case DW_KEYWORD_UNIQUE:
        return "UNIQUE constraints";
    case DW_KEYWORD_FOREIGN:
    case DW_KEYWORD_REFERENCES:
        return "FOREIGN KEY constraints";
    case DW_KEYWORD_COLLATE:
        return "collations";
    default:
        return NULL;
    }
}

static dw_status
check_supported(const dw_parser *parser)
{
    const char *what = unsupported_attribute(parser);
    if (what == NULL) {
        return DW_OK;
    }
    return dw__parser_refuse(parser, parser->pos, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                             "%s are not supported: leave them out", what);
}

/* True at CONSTRAINT, PRIMARY KEY and their kin, where a column would begin. */
static bool
is_table_constraint(const dw_parser *parser)
{
    dw_keyword keyword = (dw_keyword) dw__parser_peek(parser, 0)->keyword;
    bool opens = dw__parser_is_symbol_at(parser, 1, "(");
    return keyword == DW_KEYWORD_CONSTRAINT || (keyword == DW_KEYWORD_CHECK && opens) ||
           (keyword == DW_KEYWORD_UNIQUE && opens) ||
           ((keyword == DW_KEYWORD_PRIMARY || keyword == DW_KEYWORD_FOREIGN) &&
            dw__parser_is_at(parser, 1, DW_KEYWORD_KEY));
}

/* ---- Check constraints ----------------------------------------------------------------------- */

static dw_status
add_constraint(dw_parser *parser, dw_column_list *list, dw_str name)
{
    dw_pair made;
    size_t idx = parser->pos;
    DW_TRY(dw__constraint_key(name, parser->arena, &made.key, parser->err));
    DW_TRY(dw__parse_check(parser, &made.value));
    for (size_t i = 0; i < list->constraints.count; i++) {
        if (dw__str_equal(list->constraints.items[i].key, made.key)) {
            return dw__parser_refuse(parser, idx, DW_ALREADY_EXISTS, "CONSTRAINT_EXISTS",
                                     "two constraints are named %.*s: give each a name of its own",
                                     DW_STR_ARG(name));
        }
    }
    dw_pair *slot = DW_VEC_PUSH(parser->arena->allocator, &list->constraints);
    if (slot == NULL) {
        return dw__error_oom(parser->err);
    }
    *slot = made;
    return DW_OK;
}

/* [CONSTRAINT name] CHECK (condition), if it stands here. One without a name is named after its
 * place. */
static dw_status
parse_constraint(dw_parser *parser, dw_column_list *list, bool *found_out)
{
    dw_str name;
    *found_out =
        dw__parser_is(parser, DW_KEYWORD_CONSTRAINT) || dw__parser_is(parser, DW_KEYWORD_CHECK);
    if (!*found_out) {
        return DW_OK;
    }
    if (dw__parser_accept(parser, DW_KEYWORD_CONSTRAINT)) {
        DW_TRY(dw__parser_name(parser, "a name for the constraint", &name));
        DW_TRY(check_supported(parser));
    } else {
        name = dw__arena_printf(parser->arena, "check_%zu", list->constraints.count + 1);
        if (dw__str_is_null(name)) {
            return dw__error_oom(parser->err);
        }
    }
    return add_constraint(parser, list, name);
}

/* ---- Columns --------------------------------------------------------------------------------- */

static dw_field *
find_column(const dw_column_vec *columns, dw_str name)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (dw__str_equal_nocase(columns->items[i].name, name)) {
            return &columns->items[i];
        }
    }
    return NULL;
}

/* [NOT NULL] [COMMENT 'text'] [DEFAULT expression | GENERATED ...] [CHECK (...)], in any order */
static dw_status
parse_attributes(dw_parser *parser, dw_column_list *list, dw_field *column)
{
    bool found = true;
    while (found) {
        DW_TRY(dw__parse_field_attributes(parser, column));
        DW_TRY(dw__parse_column_rule(parser, column, &found));
        if (!found) {
            DW_TRY(parse_constraint(parser, list, &found));
        }
    }
    return check_supported(parser);
}

/* name type [attributes], or a constraint */
static dw_status
parse_column(dw_parser *parser, dw_column_list *list)
{
    dw_str name;
    const dw_type *type;
    bool is_check = false;
    if (is_table_constraint(parser)) {
        DW_TRY(parse_constraint(parser, list, &is_check));
        return is_check ? DW_OK : check_supported(parser);
    }
    DW_TRY(dw__parser_name(parser, "a column name", &name));
    DW_TRY(dw__parse_type(parser, &type));
    dw_field *column = DW_VEC_PUSH(parser->arena->allocator, &list->columns);
    if (column == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__field_make(parser, name, type, column));
    return parse_attributes(parser, list, column);
}

dw_status
dw__parse_columns(dw_parser *parser, dw_column_list *list)
{
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        DW_TRY(parse_column(parser, list));
    } while (dw__parser_accept_symbol(parser, ","));
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}

/* One of PARTITIONED BY: the name of a column, or a column of its own with its type, as in Hive. */
static dw_status
parse_partition_column(dw_parser *parser, dw_column_list *list, dw_str *out)
{
    size_t idx = parser->pos;
    if (dw__parser_is_symbol_at(parser, 1, "(")) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARTITION_INVALID",
                                 "expected the name of a column, found the expression %.*s(...): "
                                 "Delta partitions by the values of columns only",
                                 DW_STR_ARG(dw__token_text(parser->sql, idx)));
    }
    bool is_alone = dw__parser_is_symbol_at(parser, 1, ",") ||
                    dw__parser_is_symbol_at(parser, 1, ")") ||
                    dw__parser_peek(parser, 1)->kind == DW_TOKEN_END;
    if (is_alone) {
        DW_TRY(dw__parser_name(parser, "a column name", out));
        const dw_field *column = find_column(&list->columns, *out);
        *out = column != NULL ? column->name : *out;
        return DW_OK;
    }
    DW_TRY(parse_column(parser, list));
    *out = list->columns.items[list->columns.count - 1].name;
    return DW_OK;
}

dw_status
dw__parse_partition_columns(dw_parser *parser, dw_column_list *list, dw_str_vec *out)
{
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        dw_str *name = DW_VEC_PUSH(parser->arena->allocator, out);
        if (name == NULL) {
            return dw__error_oom(parser->err);
        }
        DW_TRY(parse_partition_column(parser, list, name));
    } while (dw__parser_accept_symbol(parser, ","));
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}

/* ---- Names of columns ------------------------------------------------------------------------ */

dw_status
dw__parse_column_path(dw_parser *parser, dw_name_path *out)
{
    dw_str *parts = DW_ARENA_ARRAY(parser->arena, dw_str, DW_SET_PARTS_MAX);
    if (parts == NULL) {
        return dw__error_oom(parser->err);
    }
    *out = (dw_name_path){parts, 0};
    do {
        if (out->count == DW_SET_PARTS_MAX) {
            return dw__parser_fail(parser, "a column name of fewer parts");
        }
        DW_TRY(dw__parser_name(parser, "a column name", &parts[out->count]));
        out->count++;
    } while (dw__parser_accept_symbol(parser, "."));
    return DW_OK;
}

dw_status
dw__parse_column_paths(dw_parser *parser, dw_name_paths *out)
{
    dw_name_path *paths = DW_ARENA_ARRAY(parser->arena, dw_name_path, COLUMN_PATHS_MAX);
    if (paths == NULL) {
        return dw__error_oom(parser->err);
    }
    *out = (dw_name_paths){paths, 0};
    bool has_parens = dw__parser_accept_symbol(parser, "(");
    do {
        if (out->count == COLUMN_PATHS_MAX) {
            return dw__parser_fail(parser, "fewer columns");
        }
        DW_TRY(dw__parse_column_path(parser, &paths[out->count]));
        out->count++;
    } while (dw__parser_accept_symbol(parser, ","));
    if (!has_parens || dw__parser_accept_symbol(parser, ")")) {
        return DW_OK;
    }
    return dw__parser_fail(parser, "\",\" or \")\"");
}
