/*
 * Reading assignments, and building structs of which one field is new.
 */
#include "sql/assignment.h"

#include "engine/database.h"

#define SET_MAX ((size_t) 10000)

/* ---- Reading --------------------------------------------------------------------------------- */

static bool
opens(const dw_parser *parser)
{
    return dw__parser_is_symbol(parser, "(") || dw__parser_is_symbol(parser, "[") ||
           dw__parser_is_symbol(parser, "{") || dw__parser_is(parser, DW_KEYWORD_CASE);
}

static bool
closes(const dw_parser *parser)
{
    return dw__parser_is_symbol(parser, ")") || dw__parser_is_symbol(parser, "]") ||
           dw__parser_is_symbol(parser, "}") || dw__parser_is(parser, DW_KEYWORD_END);
}

dw_status
dw__parse_expression(dw_parser *parser, dw_keyword end, const char *what, dw_sql_range *out)
{
    size_t depth = 0;
    out->first = parser->pos;
    for (; !dw__parser_at_end(parser); parser->pos++) {
        bool ends = dw__parser_is_symbol(parser, ",") || dw__parser_is(parser, end) ||
                    dw__parser_is(parser, DW_KEYWORD_THEN) || closes(parser);
        if (depth == 0 && ends) {
            break;
        }
        depth += opens(parser) ? 1 : 0;
        depth -= closes(parser) ? 1 : 0;
    }
    out->last = parser->pos;
    return out->first == out->last ? dw__parser_fail(parser, what) : DW_OK;
}

dw_status
dw__parse_path(dw_parser *parser, dw_assignment *out)
{
    *out = (dw_assignment){.token = parser->pos};
    do {
        if (out->part_count == DW_SET_PARTS_MAX) {
            return dw__parser_fail(parser, "a path of fewer parts");
        }
        DW_TRY(dw__parser_name(parser, "a column to set", &out->parts[out->part_count++]));
    } while (dw__parser_accept_symbol(parser, "."));
    return DW_OK;
}

dw_status
dw__parse_assignments(dw_parser *parser, dw_keyword end, dw_assignment **out, size_t *count_out)
{
    /* As many as there are equal signs at most. */
    size_t capacity = 0;
    *count_out = 0;
    for (size_t i = parser->pos; i < parser->sql->count; i++) {
        capacity += dw__token_is_symbol(parser->sql, i, "=") ? 1 : 0;
    }
    capacity = capacity < SET_MAX ? capacity : SET_MAX;
    *out = DW_ARENA_ARRAY(parser->arena, dw_assignment, capacity + 1);
    if (*out == NULL) {
        return dw__error_oom(parser->err);
    }
    do {
        if (*count_out >= capacity) {
            return dw__parser_fail(parser, "column = value");
        }
        dw_assignment *item = &(*out)[(*count_out)++];
        DW_TRY(dw__parse_path(parser, item));
        DW_TRY(dw__parser_expect_symbol(parser, "="));
        DW_TRY(dw__parse_expression(parser, end, "a value", &item->value));
    } while (dw__parser_accept_symbol(parser, ","));
    return DW_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void
put_extract(dw_str whole, dw_str name, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "struct_extract(");
    dw__strbuf_append(out, whole);
    dw__strbuf_append_literal(out, ", ");
    dw__sql_put_literal(out, name);
    dw__strbuf_append_char(out, ')');
}

/* Appends the struct `whole` with `value` as the field at `path`. A struct that is NULL becomes one
 * of NULLs beside the value. Depth is at most DW_SET_PARTS_MAX. */
static void
put_struct(const dw_type *type, dw_str whole, const dw_str *path, size_t count, dw_str value,
           dw_strbuf *out)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        bool is_set = dw__str_equal_nocase(field->name, path[0]);
        dw__strbuf_append(out, i == 0 ? DW_STR("{") : DW_STR(", "));
        dw__sql_put_literal(out, field->name);
        dw__strbuf_append_literal(out, ": ");
        if (is_set && count == 1) {
            dw__strbuf_append(out, value);
        } else if (is_set) {
            DW_AUTO(dw_strbuf) inner = dw__strbuf_make(out->allocator, out->size_max);
            put_extract(whole, field->name, &inner);
            out->failed = out->failed || inner.failed;
            put_struct(field->type, dw__strbuf_str(&inner), path + 1, count - 1, value, out);
        } else {
            put_extract(whole, field->name, out);
        }
    }
    dw__strbuf_append_char(out, '}');
}

static bool
has_field(const dw_type *type, const dw_str *path, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const dw_field *field =
            type->kind == DW_TYPE_STRUCT ? dw__schema_find(type, path[i]) : NULL;
        if (field == NULL) {
            return false;
        }
        type = field->type;
    }
    return true;
}

dw_status
dw__column_values_init(dw_column_values *values, const dw_type *schema, dw_str qualifier,
                       dw_arena *arena, dw_error *err)
{
    size_t count = schema->field_count;
    *values = (dw_column_values){.schema = schema,
                                 .texts = DW_ARENA_ARRAY(arena, dw_str, count + 1),
                                 .is_set = DW_ARENA_ARRAY(arena, bool, count + 1)};
    if (values->texts == NULL || values->is_set == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_AUTO(dw_strbuf) name = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
        dw__strbuf_append(&name, qualifier);
        dw__sql_put_identifier(&name, schema->fields[i].name);
        if (name.failed || !dw__arena_dup(arena, dw__strbuf_str(&name), &values->texts[i])) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

dw_status
dw__column_values_assign(dw_column_values *values, const dw_parser *parser,
                         const dw_assignment *item, dw_str value)
{
    const dw_str *path = item->parts;
    size_t count = item->part_count;
    if (count > 1 && dw__schema_find_idx(values->schema, path[0]) == SIZE_MAX) {
        path++; /* the alias */
        count--;
    }
    if (!has_field(values->schema, path, count)) {
        return dw__parser_refuse(parser, item->token, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                                 "the table has no column \"%.*s\"",
                                 DW_STR_ARG(item->parts[item->part_count - 1]));
    }
    size_t idx = dw__schema_find_idx(values->schema, path[0]);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(parser->arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    if (count == 1 && values->is_set[idx]) {
        return dw__parser_refuse(parser, item->token, DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE",
                                 "the column \"%.*s\" is set twice", DW_STR_ARG(path[0]));
    }
    if (count > 1) {
        put_struct(values->schema->fields[idx].type, values->texts[idx], path + 1, count - 1, value,
                   &text);
    } else {
        dw__strbuf_append(&text, value);
    }
    DW_TRY(dw__strbuf_ok(&text, "the statement", parser->err));
    values->is_set[idx] = true;
    return dw__arena_dup(parser->arena, dw__strbuf_str(&text), &values->texts[idx])
               ? DW_OK
               : dw__error_oom(parser->err);
}
