/*
 * Writing the expressions that make a table's values of those in files: fields of structs renamed,
 * variants put together, instants and dates brought to what they mean. Recursion is at most
 * DW_SCHEMA_DEPTH_MAX deep.
 */
#include "scan/scan_values.h"

#include "base/assert.h"
#include "parquet/twin.h"
#include "protocol/feature_use.h"

/* ---- What a schema needs --------------------------------------------------------------------- */

bool
dw__scan_has_old_values(const dw_scan_sql *scan)
{
    return scan->has_old_dates || scan->has_old_instants;
}

static bool
has_witness(const dw_scan_sql *scan, const dw_type *type)
{
    for (size_t i = 0; i < scan->witness_count; i++) {
        if (scan->witnesses[i].type == type) {
            return true;
        }
    }
    return false;
}

/* True when values of the type are not what files have: fields of structs with other names,
 * variants, instants as text, and what is of an old calendar. Recursion is at most
 * DW_SCHEMA_DEPTH_MAX deep, here and below. */
bool
dw__scan_is_rewritten(const dw_scan_sql *scan, const dw_type *type)
{
    if (type->kind == DW_TYPE_ARRAY) {
        return dw__scan_is_rewritten(scan, type->element);
    }
    if (type->kind == DW_TYPE_MAP) {
        return dw__scan_is_rewritten(scan, type->key) || dw__scan_is_rewritten(scan, type->element);
    }
    if (type->kind == DW_TYPE_TIMESTAMP) {
        return scan->instants_as_text || scan->instants_are_unmarked || scan->has_old_instants;
    }
    if (type->kind == DW_TYPE_TIMESTAMP_NTZ) {
        return scan->has_old_widened;
    }
    if (type->kind != DW_TYPE_STRUCT) {
        return type->kind == DW_TYPE_VARIANT || (type->kind == DW_TYPE_DATE && scan->has_old_dates);
    }
    if (has_witness(scan, type)) {
        return true;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (!dw__str_equal(field->name, field->physical_name) ||
            dw__scan_is_rewritten(scan, field->type)) {
            return true;
        }
    }
    return false;
}

/*
 * ---- Twins of shredded variants ----------------------------------------------------------------
 */

/* A place in the schema: fields of structs by what files call them, from a column on, and elements
 * of lists and maps. */
typedef struct path_step {
    dw_str name;
    bool is_element;
    size_t variable; /* of the element's number */
} path_step;

typedef struct field_path {
    path_step steps[DW_SCHEMA_DEPTH_MAX + 1];
    size_t depth;
    const dw_field *field; /* the last */
} field_path;

static path_step
element_step(const dw_type *list)
{
    return (path_step){.name = list->kind == DW_TYPE_MAP ? DW_STR("value") : DW_STR("element"),
                       .is_element = true};
}

static bool
has_twin(const dw_scan_sql *scan, bool by_id, const field_path *path)
{
    return scan->has_twins && !(by_id && path->field->mapping_id < 0);
}

static void
put_twin_name(dw_strbuf *out, const field_path *path)
{
    dw__strbuf_append_literal(out, DW_PQ_TWIN_PREFIX);
    for (size_t i = 0; i < path->depth; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(".") : DW_STR(""));
        dw__strbuf_append(out, path->steps[i].name);
    }
}

static void
put_twin_entry(dw_strbuf *out, bool by_id, const field_path *path)
{
    dw_strbuf name = dw__strbuf_make(out->allocator, DW_SCAN_SQL_BYTES_MAX);
    dw__strbuf_append_literal(out, ", ");
    put_twin_name(&name, path);
    if (by_id) {
        dw__strbuf_append_i64(out, DW_PQ_TWIN_ID_MAX - path->field->mapping_id);
    } else {
        dw__sql_put_literal(out, dw__strbuf_str(&name));
    }
    dw__strbuf_append_literal(out, ": {name: ");
    dw__sql_put_literal(out, dw__strbuf_str(&name));
    out->failed = out->failed || name.failed;
    dw__strbuf_append_literal(out, ", type: '");
    for (size_t i = 1; i < path->depth; i++) {
        dw__strbuf_append(out, path->steps[i].is_element
                                   ? DW_STR("")
                                   : DW_STR("STRUCT(\"" DW_PQ_TWIN_GROUP "\" "));
    }
    dw__strbuf_append_literal(out, "STRUCT(\"value\" BLOB)");
    for (size_t i = path->depth - 1; i > 0; i--) {
        dw__strbuf_append(out, path->steps[i].is_element ? DW_STR("[]") : DW_STR(")"));
    }
    dw__strbuf_append_literal(out, "', default_value: NULL}");
    dw__strbuf_deinit(&name);
}

/* Of all variants of a type, of which the last step of the path is one. */
static void
put_twin_entries(dw_strbuf *out, const dw_scan_sql *scan, bool by_id, const dw_type *type,
                 field_path *path)
{
    const dw_field *field = path->field;
    if (type->kind == DW_TYPE_VARIANT && has_twin(scan, by_id, path)) {
        put_twin_entry(out, by_id, path);
    }
    dw_assert(path->depth <= DW_SCHEMA_DEPTH_MAX);
    if (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
        path->steps[path->depth++] = element_step(type);
        put_twin_entries(out, scan, by_id, type->element, path);
        path->depth--;
    }
    for (size_t i = 0; type->kind == DW_TYPE_STRUCT && i < type->field_count; i++) {
        path->field = &type->fields[i];
        path->steps[path->depth++] = (path_step){.name = path->field->physical_name};
        put_twin_entries(out, scan, by_id, path->field->type, path);
        path->depth--;
    }
    path->field = field;
}

void
dw__scan_put_twins(dw_strbuf *out, const dw_scan_sql *scan, bool by_id, const dw_field *field)
{
    field_path path = {{{.name = field->physical_name}}, 1, field};
    put_twin_entries(out, scan, by_id, field->type, &path);
}

/* ---- Renamed fields -------------------------------------------------------------------------- */

/* Writing an expression that gives structs the names of the schema. */
typedef struct rename_writer {
    dw_strbuf *out;
    dw_arena *arena;
    const dw_scan_sql *scan;
    bool by_id;
    size_t variable_count;
    field_path path;
} rename_writer;

static void put_renamed(rename_writer *writer, const dw_type *type, dw_str value);

static dw_str
field_of(rename_writer *writer, dw_str value, dw_str physical_name)
{
    dw_strbuf text = dw__strbuf_make(writer->out->allocator, DW_SCAN_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&text, "struct_extract(");
    dw__strbuf_append(&text, value);
    dw__strbuf_append_literal(&text, ", ");
    dw__sql_put_literal(&text, physical_name);
    dw__strbuf_append_char(&text, ')');
    dw_str copy = DW_STR("");
    if (text.failed || !dw__arena_dup(writer->arena, dw__strbuf_str(&text), &copy)) {
        writer->out->failed = true;
    }
    dw__strbuf_deinit(&text);
    return copy;
}

/* A struct that is NULL must not become one of NULLs. */
static void
put_renamed_struct(rename_writer *writer, const dw_type *type, dw_str value)
{
    dw__strbuf_append_literal(writer->out, "CASE WHEN ");
    dw__strbuf_append(writer->out, value);
    dw__strbuf_append_literal(writer->out, " IS NULL THEN NULL ELSE {");
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        dw__strbuf_append(writer->out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(writer->out, field->name);
        dw__strbuf_append_literal(writer->out, ": ");
        const field_path path = writer->path;
        dw_assert(path.depth <= DW_SCHEMA_DEPTH_MAX);
        writer->path.steps[writer->path.depth++] = (path_step){.name = field->physical_name};
        writer->path.field = field;
        put_renamed(writer, field->type, field_of(writer, value, field->physical_name));
        writer->path = path;
    }
    dw__strbuf_append_literal(writer->out, "} END");
}

/* The elements of an array, the keys or the values of a map. */
static void
put_renamed_list(rename_writer *writer, const dw_type *element, path_step step, dw_str list)
{
    if (!dw__scan_is_rewritten(writer->scan, element)) {
        dw__strbuf_append(writer->out, list);
        return;
    }
    step.variable = writer->variable_count++;
    dw_str variable = dw__arena_printf(writer->arena, "x%zu", step.variable);
    if (dw__str_is_null(variable)) {
        writer->out->failed = true;
        return;
    }
    dw__strbuf_append_literal(writer->out, "list_transform(");
    dw__strbuf_append(writer->out, list);
    dw__strbuf_append_literal(writer->out, ", lambda ");
    dw__strbuf_append(writer->out, variable);
    if (writer->scan->has_twins) {
        dw__strbuf_printf(writer->out, ", i%zu", step.variable);
    }
    dw__strbuf_append_literal(writer->out, ": ");
    dw_assert(writer->path.depth <= DW_SCHEMA_DEPTH_MAX);
    writer->path.steps[writer->path.depth++] = step;
    put_renamed(writer, element, variable);
    writer->path.depth--;
    dw__strbuf_append_char(writer->out, ')');
}

static dw_str
call(rename_writer *writer, const char *function, dw_str value)
{
    dw_str text = dw__arena_printf(writer->arena, "%s(%.*s)", function, DW_STR_ARG(value));
    if (dw__str_is_null(text)) {
        writer->out->failed = true;
        return DW_STR("");
    }
    return text;
}

/* The engine knows variants in files by an annotation that older writers do not make. Without it
 * the two binary fields arrive as a variant of an object of two binaries, which no writer means.
 * What the engine then makes NULL of is JSON's null. */
static void
put_whole_variant(rename_writer *writer, dw_str value)
{
    static const char *const parts[] = {
        "CASE WHEN variant_typeof(",
        ") IN ('OBJECT(metadata, value)', 'OBJECT(value, metadata)') AND variant_typeof("
        "variant_extract(",
        ", 'value')) = 'BLOB' THEN coalesce(variant_bytes_to_variant(CAST(variant_extract(",
        ", 'metadata') AS BLOB) || CAST(variant_extract(",
        ", 'value') AS BLOB)), dw__variant_null()) WHEN variant_typeof(",
        ") LIKE 'OBJECT(%typed_value%)' AND variant_typeof(variant_extract(",
        ", 'metadata')) = 'BLOB' THEN error('a shredded variant is not marked as a variant in its "
        "Parquet file') ELSE ",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        dw__strbuf_append(writer->out, dw__str_from(parts[i]));
        dw__strbuf_append(writer->out, value);
    }
    dw__strbuf_append_literal(writer->out, " END");
}

/* The binary of the variant of the path, or NULL. */
static void
put_twin(rename_writer *writer)
{
    const field_path *path = &writer->path;
    dw_strbuf name = dw__strbuf_make(writer->out->allocator, DW_SCAN_SQL_BYTES_MAX);
    put_twin_name(&name, path);
    dw__strbuf_append_literal(writer->out, "struct_extract(");
    for (size_t i = path->depth - 1; i > 0; i--) { /* the last step is the outermost call */
        dw__strbuf_append(writer->out, path->steps[i].is_element ? DW_STR("list_extract(")
                                                                 : DW_STR("struct_extract("));
    }
    dw__sql_put_identifier(writer->out, dw__strbuf_str(&name));
    for (size_t i = 1; i < path->depth; i++) {
        if (path->steps[i].is_element) {
            dw__strbuf_printf(writer->out, ", i%zu)", path->steps[i].variable);
        } else {
            dw__strbuf_append_literal(writer->out, ", '" DW_PQ_TWIN_GROUP "')");
        }
    }
    dw__strbuf_append_literal(writer->out, ", 'value')");
    writer->out->failed = writer->out->failed || name.failed;
    dw__strbuf_deinit(&name);
}

static void
put_variant(rename_writer *writer, dw_str value)
{
    if (!has_twin(writer->scan, writer->by_id, &writer->path)) {
        put_whole_variant(writer, value);
        return;
    }
    dw__strbuf_printf(writer->out, "CASE WHEN %.*s IS NULL AND ", DW_STR_ARG(value));
    put_twin(writer);
    dw__strbuf_append_literal(writer->out,
                              " = CAST('\\x00' AS BLOB) THEN dw__variant_null() ELSE ");
    put_whole_variant(writer, value);
    dw__strbuf_append_literal(writer->out, " END");
}

static void
put_text_as_instant(rename_writer *writer, dw_str value)
{
    dw__strbuf_append_literal(writer->out, "CAST(CASE WHEN regexp_matches(");
    dw__strbuf_append(writer->out, value);
    dw__strbuf_append_literal(writer->out, ", '[+-]\\d\\d(:\\d\\d){0,2}$') THEN ");
    dw__strbuf_append(writer->out, value);
    dw__strbuf_append_literal(writer->out, " ELSE ");
    dw__strbuf_append(writer->out, value);
    dw__strbuf_append_literal(writer->out, " || '+00' END AS TIMESTAMP WITH TIME ZONE)");
}

static void
put_instant(rename_writer *writer, dw_str value)
{
    if (writer->scan->has_old_instants) {
        dw__strbuf_append_literal(writer->out, "dw_old_instant(file_index, ");
    }
    if (writer->scan->instants_as_text) {
        put_text_as_instant(writer, value);
    } else if (writer->scan->instants_are_unmarked) { /* with or without a zone */
        dw__strbuf_printf(writer->out, "make_timestamptz(epoch_us(%.*s))", DW_STR_ARG(value));
    } else {
        dw__strbuf_append(writer->out, value);
    }
    if (writer->scan->has_old_instants) {
        dw__strbuf_append_char(writer->out, ')');
    }
}

/* A local time, or the date that an older file has in its place. */
static void
put_local_time(rename_writer *writer, dw_str value)
{
    dw__strbuf_printf(writer->out,
                      "CASE WHEN contains(%.*s, ':') THEN CAST(%.*s AS TIMESTAMP) ELSE "
                      "CAST(dw_old_date(file_index, CAST(%.*s AS DATE)) AS TIMESTAMP) END",
                      DW_STR_ARG(value), DW_STR_ARG(value), DW_STR_ARG(value));
}

static void
put_renamed(rename_writer *writer, const dw_type *type, dw_str value)
{
    if (!dw__scan_is_rewritten(writer->scan, type)) {
        dw__strbuf_append(writer->out, value);
    } else if (type->kind == DW_TYPE_VARIANT) {
        put_variant(writer, value);
    } else if (type->kind == DW_TYPE_TIMESTAMP) {
        put_instant(writer, value);
    } else if (type->kind == DW_TYPE_DATE) {
        dw__strbuf_printf(writer->out, "dw_old_date(file_index, %.*s)", DW_STR_ARG(value));
    } else if (type->kind == DW_TYPE_TIMESTAMP_NTZ) {
        put_local_time(writer, value);
    } else if (type->kind == DW_TYPE_STRUCT) {
        put_renamed_struct(writer, type, value);
    } else if (type->kind == DW_TYPE_ARRAY) {
        put_renamed_list(writer, type->element, element_step(type), value);
    } else {
        dw_assert(type->kind == DW_TYPE_MAP);
        dw__strbuf_append_literal(writer->out, "map(");
        put_renamed_list(writer, type->key, element_step(type), call(writer, "map_keys", value));
        dw__strbuf_append_literal(writer->out, ", ");
        put_renamed_list(writer, type->element, element_step(type),
                         call(writer, "map_values", value));
        dw__strbuf_append_char(writer->out, ')');
    }
}

void
dw__scan_put_value(dw_strbuf *out, const dw_scan_sql *scan, bool by_id, const dw_field *field,
                   dw_str value, dw_arena *arena)
{
    rename_writer writer = {.out = out,
                            .arena = arena,
                            .scan = scan,
                            .by_id = by_id,
                            .path = {{{.name = field->physical_name}}, 1, field}};
    put_renamed(&writer, field->type, value);
}

void
dw__scan_put_times(dw_strbuf *out, const dw_type *type, dw_str value, const dw_file_times *times,
                   dw_arena *arena)
{
    const dw_scan_sql scan = {.has_old_dates = times->has_old_dates,
                              .has_old_instants = times->has_old_instants,
                              .instants_are_unmarked = times->has_unmarked};
    const dw_field field = {.type = type, .mapping_id = -1};
    if (dw__scan_is_rewritten(&scan, type) && !dw__schema_has_kind(type, DW_TYPE_VARIANT)) {
        dw__scan_put_value(out, &scan, false, &field, value, arena);
    }
}
