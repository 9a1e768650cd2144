/*
 * Which changes of type are legal, and the ones that a schema has been through.
 */
#include "protocol/type_widening.h"

#include "base/assert.h"
#include "codec/json.h"
#include "protocol/schema_edit.h"

#define TYPE_JSON_BYTES_MAX ((size_t) 4096)
#define CHANGES_BYTES_MAX ((size_t) 1 << 20)

/* The digits of a decimal that takes every value of an integer type. */
#define INTEGER_DIGITS 10
#define LONG_DIGITS 20

/* ---- The rules ------------------------------------------------------------------------------- */

/* Integer types from the narrowest on; 0 for others. */
static int
integer_rank(const dw_type *type)
{
    switch ((unsigned) type->kind) {
    case DW_TYPE_BYTE:
        return 1;
    case DW_TYPE_SHORT:
        return 2;
    case DW_TYPE_INTEGER:
        return 3;
    case DW_TYPE_LONG:
        return 4;
    default:
        return 0;
    }
}

static bool
decimal_takes_integer(const dw_type *decimal, int rank)
{
    int digits = rank == 4 ? LONG_DIGITS : INTEGER_DIGITS;
    return decimal->precision - digits >= decimal->scale;
}

static bool
decimal_takes_decimal(const dw_type *from, const dw_type *to)
{
    int more_digits = to->precision - from->precision;
    int more_scale = to->scale - from->scale;
    return more_scale >= 0 && more_digits >= more_scale;
}

bool
dw__type_change_is_widening(const dw_type *from, const dw_type *to)
{
    int rank = integer_rank(from);
    if (dw__type_equal(from, to, true) || from->kind == DW_TYPE_VOID) {
        return true;
    }
    switch ((unsigned) to->kind) {
    case DW_TYPE_SHORT:
    case DW_TYPE_INTEGER:
    case DW_TYPE_LONG:
        return rank > 0 && rank < integer_rank(to);
    case DW_TYPE_DOUBLE:
        return from->kind == DW_TYPE_FLOAT || (rank > 0 && rank < 4);
    case DW_TYPE_TIMESTAMP_NTZ:
        return from->kind == DW_TYPE_DATE;
    case DW_TYPE_DECIMAL:
        return rank > 0 ? decimal_takes_integer(to, rank)
                        : from->kind == DW_TYPE_DECIMAL && decimal_takes_decimal(from, to);
    default:
        return false;
    }
}

bool
dw__type_change_is_iceberg(const dw_type *from, const dw_type *to)
{
    if (!dw__type_change_is_widening(from, to)) {
        return false;
    }
    bool from_integer = integer_rank(from) > 0;
    return !(from_integer && (to->kind == DW_TYPE_DOUBLE || to->kind == DW_TYPE_DECIMAL)) &&
           !(from->kind == DW_TYPE_DATE && to->kind == DW_TYPE_TIMESTAMP_NTZ) &&
           !(from->kind == DW_TYPE_DECIMAL && from->scale != to->scale);
}

/* ---- What may come of a type ----------------------------------------------------------------- */

static void
put_word(dw_strbuf *out, size_t begun_at, const char *word)
{
    dw__strbuf_append(out, dw__strbuf_str(out).len == begun_at ? DW_STR("") : DW_STR(", "));
    dw__strbuf_append(out, dw__str_from(word));
}

static void
put_wider_decimal(dw_strbuf *out, size_t begun_at, const dw_type *from, int rank)
{
    int precision = rank == 4 ? LONG_DIGITS : rank > 0 ? INTEGER_DIGITS : from->precision + 1;
    int scale = rank > 0 ? 0 : from->scale;
    if (precision <= DW_DECIMAL_PRECISION_MAX) {
        char text[DW_TYPE_TEXT_SIZE];
        dw_type narrowest = {
            .kind = DW_TYPE_DECIMAL, .precision = (uint8_t) precision, .scale = (uint8_t) scale};
        put_word(out, begun_at, dw__type_text(&narrowest, text));
        dw__strbuf_append_literal(out, " and wider decimals");
    }
}

void
dw__type_print_wider(dw_strbuf *out, const dw_type *from)
{
    static const dw_type_kind kinds[] = {DW_TYPE_SHORT, DW_TYPE_INTEGER, DW_TYPE_LONG,
                                         DW_TYPE_DOUBLE, DW_TYPE_TIMESTAMP_NTZ};
    size_t begun_at = dw__strbuf_str(out).len;
    int rank = integer_rank(from);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char text[DW_TYPE_TEXT_SIZE];
        dw_type to = {.kind = kinds[i]};
        if (kinds[i] != from->kind && from->kind != DW_TYPE_VOID &&
            dw__type_change_is_widening(from, &to)) {
            put_word(out, begun_at, dw__type_text(&to, text));
        }
    }
    if (rank > 0 || from->kind == DW_TYPE_DECIMAL) {
        put_wider_decimal(out, begun_at, from, rank);
    }
}

/* ---- Recording a change ---------------------------------------------------------------------- */

/* Types here have no parts, and so their names are short. */
static void
put_type(dw_strbuf *json, dw_str key, const dw_type *type, const dw_allocator *allocator)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(allocator, TYPE_JSON_BYTES_MAX);
    dw__type_print(&name, type);
    dw__json_put_key(json, key);
    dw__json_put_string(json, dw__strbuf_str(&name));
    json->failed = json->failed || name.failed;
}

static void
put_change(dw_strbuf *json, dw_str below, const dw_type *from, const dw_type *to, int64_t version,
           const dw_allocator *allocator)
{
    dw__strbuf_append_char(json, '{');
    if (version >= 0) {
        dw__json_put_key(json, DW_STR("tableVersion"));
        dw__strbuf_append_i64(json, version);
    }
    put_type(json, DW_STR("fromType"), from, allocator);
    put_type(json, DW_STR("toType"), to, allocator);
    if (below.len > 0) {
        dw__json_put_key(json, DW_STR("fieldPath"));
        dw__json_put_string(json, below);
    }
    dw__strbuf_append_char(json, '}');
}

dw_status
dw__type_change_record(dw_field *field, dw_str below, const dw_type *from, const dw_type *to,
                       int64_t version, dw_arena *arena, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena->allocator, CHANGES_BYTES_MAX);
    DW_TRY(
        dw__json_parse(arena->allocator, field->metadata_json, "a column's metadata", &doc, err));
    dw__strbuf_append_char(&json, '[');
    dw_json_iter it = dw__json_iter(dw__json_get(dw__json_root(doc), DW_TYPE_CHANGES_KEY));
    while (dw__json_next(&it)) {
        dw__json_put_comma(&json);
        dw__json_write(&json, it.value);
    }
    dw__json_put_comma(&json);
    put_change(&json, below, from, to, version, arena->allocator);
    dw__strbuf_append_char(&json, ']');
    DW_TRY(dw__strbuf_ok(&json, "the changes of a type", err));
    return dw__field_metadata_set(field, DW_TYPE_CHANGES_KEY, dw__strbuf_str(&json), arena, err);
}

/* ---- What a schema records ------------------------------------------------------------------- */

typedef struct change_walk {
    dw_type_change_visitor visit;
    void *ctx;
    dw_arena *scratch;
    dw_error *err;
} change_walk;

static dw_status
change_invalid(const change_walk *walk, const dw_column_name *name)
{
    char text[DW_COLUMN_NAME_SIZE];
    return dw__error_set(walk->err, DW_CORRUPT, "SCHEMA_INVALID",
                         "the schema is invalid: column %s: expected delta.typeChanges to be a "
                         "list of objects with fromType and toType",
                         dw__column_name_print(name, text));
}

/* A type by its name in the protocol, through the parser of schemas. */
static dw_status
parse_type(const change_walk *walk, const dw_column_name *name, dw_json json, const dw_type **out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(walk->scratch->allocator, TYPE_JSON_BYTES_MAX);
    if (dw__json_kind(json) != DW_JSON_STRING) {
        return change_invalid(walk, name);
    }
    dw__strbuf_append_literal(&text, "{\"type\":\"struct\",\"fields\":[{\"name\":\"type\","
                                     "\"nullable\":true,\"metadata\":{},\"type\":");
    dw__json_write(&text, json);
    dw__strbuf_append_literal(&text, "}]}");
    DW_TRY(dw__strbuf_ok(&text, "a type's name", walk->err));
    const dw_type *schema;
    DW_TRY(dw__schema_parse("delta.typeChanges", dw__strbuf_str(&text), walk->scratch, &schema,
                            walk->err));
    *out = schema->fields[0].type;
    return DW_OK;
}

static dw_status
visit_change(const change_walk *walk, const dw_column_name *name, const dw_field *field,
             dw_json change)
{
    dw_type_change found = {.name = name, .field = field};
    DW_TRY(parse_type(walk, name, dw__json_get(change, DW_STR("fromType")), &found.from));
    DW_TRY(parse_type(walk, name, dw__json_get(change, DW_STR("toType")), &found.to));
    return walk->visit(walk->ctx, &found, walk->err);
}

static dw_status
visit_field(const change_walk *walk, const dw_column_name *name, const dw_field *field)
{
    dw_str text;
    DW_TRY(dw__field_metadata_get(field, DW_TYPE_CHANGES_KEY, walk->scratch, &text, walk->err));
    if (dw__str_is_null(text)) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_status status =
        dw__json_parse(walk->scratch->allocator, text, "delta.typeChanges", &doc, walk->err);
    if (status == DW_CORRUPT) {
        return change_invalid(walk, name);
    }
    DW_TRY(status);
    dw_json changes = dw__json_root(doc);
    if (dw__json_kind(changes) != DW_JSON_ARRAY) {
        return change_invalid(walk, name);
    }
    dw_json_iter it = dw__json_iter(changes);
    while (dw__json_next(&it)) {
        DW_TRY(visit_change(walk, name, field, it.value));
    }
    return DW_OK;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
visit_type(const change_walk *walk, const dw_column_name *parent, const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        dw_column_name name = {parent, type->fields[i].name};
        DW_TRY(visit_field(walk, &name, &type->fields[i]));
        DW_TRY(visit_type(walk, &name, type->fields[i].type));
    }
    if (type->key != NULL) {
        dw_column_name key = {parent, DW_STR("key")};
        DW_TRY(visit_type(walk, &key, type->key));
    }
    if (type->element != NULL) {
        dw_column_name element = {parent, type->key == NULL ? DW_STR("element") : DW_STR("value")};
        return visit_type(walk, &element, type->element);
    }
    return DW_OK;
}

dw_status
dw__type_changes_visit(const dw_type *schema, dw_type_change_visitor visit, void *ctx,
                       dw_arena *scratch, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    change_walk walk = {.visit = visit, .ctx = ctx, .scratch = scratch, .err = err};
    return visit_type(&walk, NULL, schema);
}

static dw_status
note_change(void *ctx, const dw_type_change *change, dw_error *err)
{
    (void) change;
    (void) err;
    *(bool *) ctx = true;
    return DW_OK;
}

dw_status
dw__type_changes_find(const dw_type *schema, bool *found, dw_arena *scratch, dw_error *err)
{
    return dw__type_changes_visit(schema, note_change, found, scratch, err);
}

/* ---- Are they legal -------------------------------------------------------------------------- */

static dw_status
check_change(void *ctx, const dw_type_change *change, dw_error *err)
{
    const bool *iceberg = ctx;
    if (*iceberg ? dw__type_change_is_iceberg(change->from, change->to)
                 : dw__type_change_is_widening(change->from, change->to)) {
        return DW_OK;
    }
    char column[DW_COLUMN_NAME_SIZE];
    char from[DW_TYPE_TEXT_SIZE];
    char to[DW_TYPE_TEXT_SIZE];
    return dw__error_set(err, DW_UNSUPPORTED, "TYPE_CHANGE_UNSUPPORTED",
                         "column %s was changed from %s to %s, which is no widening that %s allows",
                         dw__column_name_print(change->name, column),
                         dw__type_text(change->from, from), dw__type_text(change->to, to),
                         *iceberg ? "Iceberg" : "the protocol");
}

dw_status
dw__type_changes_check(const dw_type *schema, bool iceberg, dw_arena *scratch, dw_error *err)
{
    return dw__type_changes_visit(schema, check_change, &iceberg, scratch, err);
}
