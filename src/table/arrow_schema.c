/*
 * From Arrow's format strings to Delta types.
 * https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings
 */
#include "table/arrow_schema.h"

#include "base/assert.h"

typedef struct format_name {
    const char *format;
    dw_type_kind kind;
} format_name;

/* Formats without parameters. Unsigned integers widen to the next signed type. */
static const format_name plain_formats[] = {
    {"n", DW_TYPE_VOID},    {"b", DW_TYPE_BOOLEAN}, {"c", DW_TYPE_BYTE},    {"C", DW_TYPE_SHORT},
    {"s", DW_TYPE_SHORT},   {"S", DW_TYPE_INTEGER}, {"i", DW_TYPE_INTEGER}, {"I", DW_TYPE_LONG},
    {"l", DW_TYPE_LONG},    {"f", DW_TYPE_FLOAT},   {"g", DW_TYPE_DOUBLE},  {"z", DW_TYPE_BINARY},
    {"Z", DW_TYPE_BINARY},  {"vz", DW_TYPE_BINARY}, {"u", DW_TYPE_STRING},  {"U", DW_TYPE_STRING},
    {"vu", DW_TYPE_STRING}, {"tdD", DW_TYPE_DATE},  {"tdm", DW_TYPE_DATE},
};

static dw_status convert(const struct ArrowSchema *schema, int depth, dw_arena *arena,
                         const dw_type **out, dw_error *err);

static dw_status
unsupported(const struct ArrowSchema *schema, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                         "column \"%s\" has the Arrow type \"%s\", which Delta tables lack: cast "
                         "it before",
                         schema->name == NULL ? "" : schema->name, schema->format);
}

static dw_status
made(const dw_type *type, const dw_type **out, dw_error *err)
{
    *out = type;
    return type == NULL ? dw__error_oom(err) : DW_OK;
}

/* "d:precision,scale" or with ",128" behind. */
static dw_status
convert_decimal(const struct ArrowSchema *schema, dw_arena *arena, const dw_type **out,
                dw_error *err)
{
    dw_str text = dw__str_from(schema->format + 2);
    size_t comma = dw__str_find(text, ',');
    int64_t precision;
    int64_t scale;
    if (comma == SIZE_MAX || !dw__str_to_i64(dw__str_slice(text, 0, comma), &precision)) {
        return unsupported(schema, err);
    }
    dw_str rest = dw__str_slice(text, comma + 1, text.len);
    size_t second = dw__str_find(rest, ',');
    dw_str scale_text = second == SIZE_MAX ? rest : dw__str_slice(rest, 0, second);
    if (!dw__str_to_i64(scale_text, &scale) || precision < 1 ||
        precision > DW_DECIMAL_PRECISION_MAX || scale < 0 || scale > precision) {
        return unsupported(schema, err);
    }
    return made(dw__type_make_decimal(arena, (uint8_t) precision, (uint8_t) scale), out, err);
}

/* "ts<unit>:<zone>": with a zone an instant, without one a wall-clock time. */
static dw_status
convert_timestamp(const struct ArrowSchema *schema, dw_arena *arena, const dw_type **out,
                  dw_error *err)
{
    bool has_zone = schema->format[4] != '\0';
    return made(dw__type_make(arena, has_zone ? DW_TYPE_TIMESTAMP : DW_TYPE_TIMESTAMP_NTZ), out,
                err);
}

static bool
is_nullable(const struct ArrowSchema *schema)
{
    return (schema->flags & ARROW_FLAG_NULLABLE) != 0;
}

static dw_status
convert_struct(const struct ArrowSchema *schema, int depth, dw_arena *arena, const dw_type **out,
               dw_error *err)
{
    size_t count = (size_t) schema->n_children;
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, count + 1);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        const struct ArrowSchema *child = schema->children[i];
        dw_field *field = &fields[i];
        *field = (dw_field){.nullable = is_nullable(child),
                            .metadata_json = DW_STR("{}"),
                            .mapping_id = -1,
                            .extra_json = DW_STR("")};
        dw_str name = dw__str_from(child->name == NULL ? "" : child->name);
        if (!dw__arena_dup(arena, name, &field->name)) {
            return dw__error_oom(err);
        }
        field->physical_name = field->name;
        DW_TRY(convert(child, depth + 1, arena, &field->type, err));
    }
    return made(dw__type_make_struct(arena, fields, count), out, err);
}

static dw_status
convert_list(const struct ArrowSchema *schema, int depth, dw_arena *arena, const dw_type **out,
             dw_error *err)
{
    if (schema->n_children != 1) {
        return unsupported(schema, err);
    }
    const dw_type *element;
    DW_TRY(convert(schema->children[0], depth + 1, arena, &element, err));
    return made(dw__type_make_array(arena, element, is_nullable(schema->children[0])), out, err);
}

static dw_status
convert_map(const struct ArrowSchema *schema, int depth, dw_arena *arena, const dw_type **out,
            dw_error *err)
{
    if (schema->n_children != 1 || schema->children[0]->n_children != 2) {
        return unsupported(schema, err);
    }
    const struct ArrowSchema *const entries = schema->children[0];
    const dw_type *key;
    const dw_type *value;
    DW_TRY(convert(entries->children[0], depth + 1, arena, &key, err));
    DW_TRY(convert(entries->children[1], depth + 1, arena, &value, err));
    return made(dw__type_make_map(arena, key, value, is_nullable(entries->children[1])), out, err);
}

/* The depth is bounded by DW_SCHEMA_DEPTH_MAX. */
static dw_status
convert(const struct ArrowSchema *schema, int depth, dw_arena *arena, const dw_type **out,
        dw_error *err)
{
    if (depth > DW_SCHEMA_DEPTH_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "the schema is nested deeper than %d levels", DW_SCHEMA_DEPTH_MAX);
    }
    if (schema->dictionary != NULL) {
        return convert(schema->dictionary, depth + 1, arena, out, err);
    }
    for (size_t i = 0; i < sizeof(plain_formats) / sizeof(plain_formats[0]); i++) {
        if (strcmp(schema->format, plain_formats[i].format) == 0) {
            return made(dw__type_make(arena, plain_formats[i].kind), out, err);
        }
    }
    dw_str format = dw__str_from(schema->format);
    if (dw__str_starts_with(format, DW_STR("d:"))) {
        return convert_decimal(schema, arena, out, err);
    }
    if (dw__str_starts_with(format, DW_STR("ts")) && format.len >= 4 && format.ptr[3] == ':') {
        return convert_timestamp(schema, arena, out, err);
    }
    if (dw__str_starts_with(format, DW_STR("w:"))) {
        return made(dw__type_make(arena, DW_TYPE_BINARY), out, err);
    }
    if (dw__str_equal(format, DW_STR("+s"))) {
        return convert_struct(schema, depth, arena, out, err);
    }
    if (dw__str_equal(format, DW_STR("+m"))) {
        return convert_map(schema, depth, arena, out, err);
    }
    if (dw__str_equal(format, DW_STR("+l")) || dw__str_equal(format, DW_STR("+L")) ||
        dw__str_starts_with(format, DW_STR("+w:"))) {
        return convert_list(schema, depth, arena, out, err);
    }
    return unsupported(schema, err);
}

dw_status
dw__arrow_schema_to_delta(const struct ArrowSchema *schema, dw_arena *arena, const dw_type **out,
                          dw_error *err)
{
    *out = NULL;
    if (schema->format == NULL || strcmp(schema->format, "+s") != 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "a table's schema is an Arrow struct (\"+s\"), not \"%s\"",
                             schema->format == NULL ? "" : schema->format);
    }
    return convert(schema, 0, arena, out, err);
}
