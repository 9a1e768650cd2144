/*
 * Printing types: the schema string as Spark writes it, and the names that SQL uses. The walks
 * recurse once a level; a schema that was parsed or checked has at most DW_SCHEMA_DEPTH_MAX.
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/schema.h"

#include <stdio.h>

static const struct {
    const char *json;
    const char *sql;
} type_names[] = {
    [DW_TYPE_STRING] = {"string", "string"},
    [DW_TYPE_LONG] = {"long", "bigint"},
    [DW_TYPE_INTEGER] = {"integer", "int"},
    [DW_TYPE_SHORT] = {"short", "smallint"},
    [DW_TYPE_BYTE] = {"byte", "tinyint"},
    [DW_TYPE_FLOAT] = {"float", "float"},
    [DW_TYPE_DOUBLE] = {"double", "double"},
    [DW_TYPE_DECIMAL] = {"decimal", "decimal"},
    [DW_TYPE_BOOLEAN] = {"boolean", "boolean"},
    [DW_TYPE_BINARY] = {"binary", "binary"},
    [DW_TYPE_DATE] = {"date", "date"},
    [DW_TYPE_TIMESTAMP] = {"timestamp", "timestamp"},
    [DW_TYPE_TIMESTAMP_NTZ] = {"timestamp_ntz", "timestamp_ntz"},
    [DW_TYPE_VARIANT] = {"variant", "variant"},
    [DW_TYPE_VOID] = {"void", "void"},
    [DW_TYPE_STRUCT] = {"struct", "struct"},
    [DW_TYPE_ARRAY] = {"array", "array"},
    [DW_TYPE_MAP] = {"map", "map"},
};

static void
put_bool(dw_strbuf *out, const char *key, bool value)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append(out, value ? DW_STR("true") : DW_STR("false"));
}

static void
put_decimal(dw_strbuf *out, const dw_type *type)
{
    dw__strbuf_printf(out, "decimal(%d,%d)", type->precision, type->scale);
}

/* ---- The schema string ----------------------------------------------------------------------- */

static void put_type_json(dw_strbuf *out, const dw_type *type);

static void
put_field_json(dw_strbuf *out, const dw_field *field)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_key(out, DW_STR("name"));
    dw__json_put_string(out, field->name);
    dw__json_put_key(out, DW_STR("type"));
    put_type_json(out, field->type);
    put_bool(out, "nullable", field->nullable);
    dw__json_put_key(out, DW_STR("metadata"));
    dw__strbuf_append(out, field->metadata_json.len == 0 ? DW_STR("{}") : field->metadata_json);
    dw__strbuf_append(out, field->extra_json);
    dw__strbuf_append_char(out, '}');
}

static void
put_struct_json(dw_strbuf *out, const dw_type *type)
{
    dw__strbuf_append_literal(out, "{\"type\":\"struct\",\"fields\":[");
    for (size_t i = 0; i < type->field_count; i++) {
        dw__json_put_comma(out);
        put_field_json(out, &type->fields[i]);
    }
    dw__strbuf_append_literal(out, "]}");
}

static void
put_type_json(dw_strbuf *out, const dw_type *type)
{
    if (type->kind == DW_TYPE_STRUCT) {
        put_struct_json(out, type);
    } else if (type->kind == DW_TYPE_ARRAY) {
        dw__strbuf_append_literal(out, "{\"type\":\"array\",\"elementType\":");
        put_type_json(out, type->element);
        put_bool(out, "containsNull", type->contains_null);
        dw__strbuf_append_char(out, '}');
    } else if (type->kind == DW_TYPE_MAP) {
        dw__strbuf_append_literal(out, "{\"type\":\"map\",\"keyType\":");
        put_type_json(out, type->key);
        dw__json_put_key(out, DW_STR("valueType"));
        put_type_json(out, type->element);
        put_bool(out, "valueContainsNull", type->contains_null);
        dw__strbuf_append_char(out, '}');
    } else {
        dw__strbuf_append_char(out, '"');
        dw__type_print(out, type);
        dw__strbuf_append_char(out, '"');
    }
}

void
dw__schema_print(dw_strbuf *out, const dw_type *schema)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    put_type_json(out, schema);
}

void
dw__type_print(dw_strbuf *out, const dw_type *type)
{
    if (dw__type_is_nested(type)) {
        put_type_json(out, type);
    } else if (type->kind == DW_TYPE_DECIMAL) {
        put_decimal(out, type);
    } else {
        dw__strbuf_append(out, dw__str_from(type_names[type->kind].json));
    }
}

const char *
dw__type_text(const dw_type *type, char text[DW_TYPE_TEXT_SIZE])
{
    if (type->kind == DW_TYPE_DECIMAL) {
        snprintf(text, DW_TYPE_TEXT_SIZE, "decimal(%d,%d)", type->precision, type->scale);
        return text;
    }
    return type_names[type->kind].sql;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

static bool
is_plain_name(dw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return name.len > 0;
}

/* A name as SQL on Spark quotes it: `a ``b`. */
static void
put_name(dw_strbuf *out, dw_str name)
{
    if (is_plain_name(name)) {
        dw__strbuf_append(out, name);
        return;
    }
    dw__strbuf_append_char(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '`') {
            dw__strbuf_append_char(out, '`');
        }
        dw__strbuf_append_char(out, name.ptr[i]);
    }
    dw__strbuf_append_char(out, '`');
}

static void
put_struct_sql(dw_strbuf *out, const dw_type *type)
{
    dw__strbuf_append_literal(out, "struct<");
    for (size_t i = 0; i < type->field_count; i++) {
        if (i > 0) {
            dw__strbuf_append_char(out, ',');
        }
        put_name(out, type->fields[i].name);
        dw__strbuf_append_char(out, ':');
        dw__type_print_sql(out, type->fields[i].type);
    }
    dw__strbuf_append_char(out, '>');
}

void
dw__type_print_sql(dw_strbuf *out, const dw_type *type)
{
    if (type->kind == DW_TYPE_STRUCT) {
        put_struct_sql(out, type);
    } else if (type->kind == DW_TYPE_ARRAY) {
        dw__strbuf_append_literal(out, "array<");
        dw__type_print_sql(out, type->element);
        dw__strbuf_append_char(out, '>');
    } else if (type->kind == DW_TYPE_MAP) {
        dw__strbuf_append_literal(out, "map<");
        dw__type_print_sql(out, type->key);
        dw__strbuf_append_char(out, ',');
        dw__type_print_sql(out, type->element);
        dw__strbuf_append_char(out, '>');
    } else if (type->kind == DW_TYPE_DECIMAL) {
        put_decimal(out, type);
    } else {
        dw__strbuf_append(out, dw__str_from(type_names[type->kind].sql));
    }
}
