/*
 * Parsing the schema string. The walk recurses once a level and refuses more than
 * DW_SCHEMA_DEPTH_MAX levels. [SCHEMA-1] [SCHEMA-2]
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/column_name.h"
#include "protocol/field_traits.h"
#include "protocol/json_arena.h"

typedef struct schema_parser {
    dw_arena *arena;
    const char *what;
    size_t field_count;
    dw_error *err;
} schema_parser;

static dw_status parse_type(schema_parser *parser, dw_json json, const dw_column_name *name,
                            size_t depth, const dw_type **out);

static dw_status
schema_invalid(const schema_parser *parser, const dw_column_name *name, const char *expected,
               dw_json found)
{
    char text[DW_COLUMN_NAME_SIZE];
    return dw__error_set(parser->err, DW_CORRUPT, "SCHEMA_INVALID",
                         "%s is invalid: %s: expected %s, found %s", parser->what,
                         dw__column_name_print(name, text), expected,
                         dw__json_kind_name(dw__json_kind(found)));
}

/* ---- Primitive types ------------------------------------------------------------------------- */

static const struct {
    dw_str name;
    dw_type_kind kind;
} primitive_names[] = {
    {{"string", 6}, DW_TYPE_STRING},
    {{"long", 4}, DW_TYPE_LONG},
    {{"integer", 7}, DW_TYPE_INTEGER},
    {{"short", 5}, DW_TYPE_SHORT},
    {{"byte", 4}, DW_TYPE_BYTE},
    {{"float", 5}, DW_TYPE_FLOAT},
    {{"double", 6}, DW_TYPE_DOUBLE},
    {{"boolean", 7}, DW_TYPE_BOOLEAN},
    {{"binary", 6}, DW_TYPE_BINARY},
    {{"date", 4}, DW_TYPE_DATE},
    {{"timestamp", 9}, DW_TYPE_TIMESTAMP},
    {{"timestamp_ntz", 13}, DW_TYPE_TIMESTAMP_NTZ},
    {{"variant", 7}, DW_TYPE_VARIANT},
    {{"void", 4}, DW_TYPE_VOID},
    /* Names that other writers have used for the types above. */
    {{"null", 4}, DW_TYPE_VOID},
    {{"int", 3}, DW_TYPE_INTEGER},
    {{"bigint", 6}, DW_TYPE_LONG},
    {{"smallint", 8}, DW_TYPE_SHORT},
    {{"tinyint", 7}, DW_TYPE_BYTE},
};

/* The inside of "name(inside)"; false when `text` has not that shape. */
static bool
take_arguments(dw_str text, dw_str name, dw_str *out)
{
    if (!dw__str_starts_with(text, name)) {
        return false;
    }
    dw_str rest = dw__str_trim(dw__str_slice(text, name.len, text.len));
    if (rest.len < 2 || rest.ptr[0] != '(' || rest.ptr[rest.len - 1] != ')') {
        return false;
    }
    *out = dw__str_slice(rest, 1, rest.len - 2);
    return true;
}

/* "p,s" or "p" with 1 <= p <= 38 and 0 <= s <= p. */
static bool
parse_decimal_arguments(dw_str arguments, dw_type *type)
{
    size_t comma = dw__str_find(arguments, ',');
    int64_t precision;
    int64_t scale = 0;
    if (!dw__str_to_i64(dw__str_trim(dw__str_slice(arguments, 0, comma)), &precision)) {
        return false;
    }
    if (comma != SIZE_MAX &&
        !dw__str_to_i64(dw__str_trim(dw__str_slice(arguments, comma + 1, arguments.len)), &scale)) {
        return false;
    }
    if (precision < 1 || precision > DW_DECIMAL_PRECISION_MAX || scale < 0 || scale > precision) {
        return false;
    }
    type->kind = DW_TYPE_DECIMAL;
    type->precision = (uint8_t) precision;
    type->scale = (uint8_t) scale;
    return true;
}

static bool
parse_primitive_name(dw_str text, dw_type *type)
{
    for (size_t i = 0; i < sizeof(primitive_names) / sizeof(primitive_names[0]); i++) {
        if (dw__str_equal(text, primitive_names[i].name)) {
            type->kind = primitive_names[i].kind;
            return true;
        }
    }
    dw_str arguments;
    if (dw__str_equal(text, DW_STR("decimal"))) {
        return parse_decimal_arguments(DW_STR("10,0"), type);
    }
    if (take_arguments(text, DW_STR("decimal"), &arguments)) {
        return parse_decimal_arguments(arguments, type);
    }
    int64_t length;
    bool is_text = take_arguments(text, DW_STR("varchar"), &arguments) ||
                   take_arguments(text, DW_STR("char"), &arguments);
    type->kind = DW_TYPE_STRING;
    return is_text && dw__str_to_i64(dw__str_trim(arguments), &length) && length > 0;
}

static dw_status
parse_primitive(schema_parser *parser, dw_str text, const dw_column_name *name, dw_type *type)
{
    if (parse_primitive_name(text, type)) {
        return DW_OK;
    }
    char column[DW_COLUMN_NAME_SIZE];
    dw__column_name_print(name, column);
    if (dw__str_starts_with(text, DW_STR("decimal"))) {
        return dw__error_set(parser->err, DW_CORRUPT, "SCHEMA_INVALID",
                             "%s is invalid: %s: expected decimal(p,s) with p from 1 to %d and s "
                             "from 0 to p, found \"%.*s\"",
                             parser->what, dw__column_name_print(name, column),
                             DW_DECIMAL_PRECISION_MAX, DW_STR_ARG(text));
    }
    return dw__error_set(parser->err, DW_UNSUPPORTED, "TYPE_UNSUPPORTED",
                         "column %s has the type \"%.*s\", which this version cannot read",
                         dw__column_name_print(name, column), DW_STR_ARG(text));
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static dw_status
parse_metadata(schema_parser *parser, dw_json json, const dw_column_name *name, dw_field *field)
{
    dw_json_kind kind = dw__json_kind(json);
    if (kind == DW_JSON_MISSING || kind == DW_JSON_NULL || dw__json_count(json) == 0) {
        field->metadata_json = DW_STR("{}");
        return DW_OK;
    }
    if (kind != DW_JSON_OBJECT) {
        return schema_invalid(parser, name, "an object as metadata", json);
    }
    DW_TRY(dw__json_to_arena(json, parser->arena, &field->metadata_json, parser->err));
    field->traits = dw__field_traits(json);
    dw_str physical = dw__json_str(dw__json_get(json, DW_STR("delta.columnMapping.physicalName")));
    if (!dw__str_is_null(physical) &&
        !dw__arena_dup(parser->arena, physical, &field->physical_name)) {
        return dw__error_oom(parser->err);
    }
    int64_t id;
    if (dw__json_i64(dw__json_get(json, DW_STR("delta.columnMapping.id")), &id) && id >= 0) {
        field->mapping_id = id;
    }
    return DW_OK;
}

/* The members of a field, found in one pass. */
typedef struct field_members {
    dw_json name;
    dw_json type;
    dw_json nullable;
    dw_json metadata;
} field_members;

static dw_status
find_members(schema_parser *parser, dw_json json, dw_field *field, field_members *out)
{
    *out = (field_members){0};
    DW_AUTO(dw_strbuf) extra = dw__strbuf_make(parser->arena->allocator, DW_JSON_TEXT_SIZE_MAX);
    dw_json_iter it = dw__json_iter(json);
    while (dw__json_next(&it)) {
        if (dw__str_equal(it.key, DW_STR("name"))) {
            out->name = it.value;
        } else if (dw__str_equal(it.key, DW_STR("type"))) {
            out->type = it.value;
        } else if (dw__str_equal(it.key, DW_STR("nullable"))) {
            out->nullable = it.value;
        } else if (dw__str_equal(it.key, DW_STR("metadata"))) {
            out->metadata = it.value;
        } else {
            dw__json_put_extra(&extra, it.key, it.value);
        }
    }
    return dw__strbuf_to_arena(&extra, parser->arena, &field->extra_json, parser->err);
}

static dw_status
parse_field(schema_parser *parser, dw_json json, const dw_column_name *parent, size_t depth,
            dw_field *field)
{
    if (dw__json_kind(json) != DW_JSON_OBJECT) {
        return schema_invalid(parser, parent, "an object for each field", json);
    }
    if (++parser->field_count > DW_SCHEMA_FIELDS_MAX) {
        return dw__error_set(parser->err, DW_CORRUPT, "SCHEMA_INVALID",
                             "%s is invalid: it has more than %d fields", parser->what,
                             DW_SCHEMA_FIELDS_MAX);
    }
    field_members members;
    DW_TRY(find_members(parser, json, field, &members));
    dw_column_name name = {parent, dw__json_str(members.name)};
    if (dw__str_is_null(name.part)) {
        return schema_invalid(parser, parent, "a string as the field's name", members.name);
    }
    if (!dw__arena_dup(parser->arena, name.part, &field->name)) {
        return dw__error_oom(parser->err);
    }
    dw_json_kind nullable = dw__json_kind(members.nullable);
    if (nullable != DW_JSON_BOOL && nullable != DW_JSON_MISSING && nullable != DW_JSON_NULL) {
        return schema_invalid(parser, &name, "true or false for nullable", members.nullable);
    }
    field->nullable = dw__json_bool(members.nullable, true);
    field->physical_name = field->name;
    field->mapping_id = -1;
    DW_TRY(parse_metadata(parser, members.metadata, &name, field));
    return parse_type(parser, members.type, &name, depth, &field->type);
}

/* ---- Nested types ---------------------------------------------------------------------------- */

static dw_status
parse_struct(schema_parser *parser, dw_json json, const dw_column_name *name, size_t depth,
             dw_type *type)
{
    dw_json fields = dw__json_get(json, DW_STR("fields"));
    if (dw__json_kind(fields) != DW_JSON_ARRAY) {
        return schema_invalid(parser, name, "an array of fields in a struct", fields);
    }
    type->kind = DW_TYPE_STRUCT;
    type->field_count = dw__json_count(fields);
    type->fields = DW_ARENA_ARRAY(parser->arena, dw_field, type->field_count);
    if (type->fields == NULL) {
        return dw__error_oom(parser->err);
    }
    dw_json_iter it = dw__json_iter(fields);
    for (size_t i = 0; dw__json_next(&it); i++) {
        DW_TRY(parse_field(parser, it.value, name, depth + 1, &type->fields[i]));
    }
    size_t duplicate = dw__fields_find_duplicate(type->fields, type->field_count);
    if (duplicate != SIZE_MAX) {
        char text[DW_COLUMN_NAME_SIZE];
        dw_column_name twice = {name, type->fields[duplicate].name};
        return dw__error_set(parser->err, DW_CORRUPT, "SCHEMA_INVALID",
                             "%s is invalid: column %s exists twice (upper and lower case do not "
                             "make a difference)",
                             parser->what, dw__column_name_print(&twice, text));
    }
    return DW_OK;
}

static dw_status
parse_part(schema_parser *parser, dw_json json, const char *member, const char *part,
           const dw_column_name *parent, size_t depth, const dw_type **out)
{
    dw_column_name name = {parent, dw__str_from(part)};
    return parse_type(parser, dw__json_get(json, dw__str_from(member)), &name, depth + 1, out);
}

static dw_status
parse_array(schema_parser *parser, dw_json json, const dw_column_name *name, size_t depth,
            dw_type *type)
{
    type->kind = DW_TYPE_ARRAY;
    type->contains_null = dw__json_bool(dw__json_get(json, DW_STR("containsNull")), true);
    return parse_part(parser, json, "elementType", "element", name, depth, &type->element);
}

static dw_status
parse_map(schema_parser *parser, dw_json json, const dw_column_name *name, size_t depth,
          dw_type *type)
{
    type->kind = DW_TYPE_MAP;
    type->contains_null = dw__json_bool(dw__json_get(json, DW_STR("valueContainsNull")), true);
    DW_TRY(parse_part(parser, json, "keyType", "key", name, depth, &type->key));
    return parse_part(parser, json, "valueType", "value", name, depth, &type->element);
}

static dw_status
parse_object(schema_parser *parser, dw_json json, const dw_column_name *name, size_t depth,
             dw_type *type)
{
    dw_json kind = dw__json_get(json, DW_STR("type"));
    dw_str text = dw__json_str(kind);
    if (dw__str_equal(text, DW_STR("struct"))) {
        return parse_struct(parser, json, name, depth, type);
    }
    if (dw__str_equal(text, DW_STR("array"))) {
        return parse_array(parser, json, name, depth, type);
    }
    if (dw__str_equal(text, DW_STR("map"))) {
        return parse_map(parser, json, name, depth, type);
    }
    if (dw__str_is_null(text)) {
        return schema_invalid(parser, name, "a type", kind);
    }
    return parse_primitive(parser, text, name, type);
}

static dw_status
parse_type(schema_parser *parser, dw_json json, const dw_column_name *name, size_t depth,
           const dw_type **out)
{
    if (depth > DW_SCHEMA_DEPTH_MAX) {
        char text[DW_COLUMN_NAME_SIZE];
        return dw__error_set(parser->err, DW_CORRUPT, "SCHEMA_INVALID",
                             "%s is invalid: column %s is nested deeper than %d levels",
                             parser->what, dw__column_name_print(name, text), DW_SCHEMA_DEPTH_MAX);
    }
    dw_type *type = DW_ARENA_NEW(parser->arena, dw_type);
    if (type == NULL) {
        return dw__error_oom(parser->err);
    }
    dw_json_kind kind = dw__json_kind(json);
    if (kind == DW_JSON_STRING) {
        DW_TRY(parse_primitive(parser, dw__json_str(json), name, type));
    } else if (kind == DW_JSON_OBJECT) {
        DW_TRY(parse_object(parser, json, name, depth, type));
    } else {
        return schema_invalid(parser, name, "a type", json);
    }
    *out = type;
    return DW_OK;
}

dw_status
dw__schema_parse(const char *what, dw_str json, dw_arena *arena, const dw_type **out, dw_error *err)
{
    *out = NULL;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__json_parse(arena->allocator, json, what, &doc, &cause);
    if (status == DW_CORRUPT) {
        return dw__error_set(err, DW_CORRUPT, "SCHEMA_INVALID", "%s", cause.message);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    schema_parser parser = {.arena = arena, .what = what, .err = err};
    const dw_type *schema = NULL;
    DW_TRY(parse_type(&parser, dw__json_root(doc), NULL, 0, &schema));
    if (schema->kind != DW_TYPE_STRUCT) {
        return dw__error_set(err, DW_CORRUPT, "SCHEMA_INVALID",
                             "%s is invalid: expected a struct at the top", what);
    }
    *out = schema;
    return DW_OK;
}
