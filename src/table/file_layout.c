/*
 * From the table's columns to those of its files.
 */
#include "table/file_layout.h"

#include "base/assert.h"
#include "protocol/column_mapping.h"
#include "protocol/feature_use.h"
#include "protocol/iceberg_compat.h"
#include "protocol/type_widening.h"
#include "scan/scan.h"
#include "table/variant_parts.h"

#define FIELD_IDS_BYTES_MAX ((size_t) 64 << 20)

/* ---- Field ids ------------------------------------------------------------------------------- */

/* Printing the ids of one column: those of its elements, keys and values are the field's above. */
typedef struct id_printer {
    dw_strbuf *out;
    dw_arena *arena;
    dw_nested_id *nested;
    size_t nested_count;
    dw_error *err;
} id_printer;

static dw_status put_field(const id_printer *printer, const dw_field *field);

static void
put_comma(dw_strbuf *out)
{
    if (!out->failed && out->ptr[out->len - 1] != '{') {
        dw__strbuf_append_literal(out, ", ");
    }
}

static bool
holds_struct(const dw_type *type)
{
    return type->kind == DW_TYPE_STRUCT || (type->key != NULL && holds_struct(type->key)) ||
           (type->element != NULL && holds_struct(type->element));
}

static int64_t
nested_id(const id_printer *printer, dw_str path)
{
    for (size_t i = 0; i < printer->nested_count; i++) {
        if (dw__str_equal(printer->nested[i].path, path)) {
            return printer->nested[i].id;
        }
    }
    return -1;
}

static dw_status put_ids(const id_printer *printer, const dw_type *type, int64_t id, dw_str path);

static dw_status
put_part(const id_printer *printer, const dw_type *type, const char *name, dw_str parent)
{
    dw_str path = dw__arena_printf(printer->arena, "%.*s.%s", DW_STR_ARG(parent), name);
    if (dw__str_is_null(path)) {
        return dw__error_oom(printer->err);
    }
    int64_t id = nested_id(printer, path);
    if (id < 0 && !holds_struct(type)) {
        return DW_OK;
    }
    put_comma(printer->out);
    dw__strbuf_printf(printer->out, "%s: ", name);
    return put_ids(printer, type, id, path);
}

/* `7`, or `{__duckdb_field_id: 7, <children>}`. */
static dw_status
put_ids(const id_printer *printer, const dw_type *type, int64_t id, dw_str path)
{
    dw_strbuf *out = printer->out;
    bool has_children =
        holds_struct(type) || (dw__type_is_nested(type) && printer->nested_count > 0);
    if (!has_children) {
        dw__strbuf_append_i64(out, id);
        return DW_OK;
    }
    dw__strbuf_append_char(out, '{');
    if (id >= 0) {
        dw__strbuf_printf(out, "__duckdb_field_id: %lld", (long long) id);
    }
    for (size_t i = 0; i < type->field_count; i++) {
        DW_TRY(put_field(printer, &type->fields[i]));
    }
    if (type->kind == DW_TYPE_ARRAY) {
        DW_TRY(put_part(printer, type->element, "element", path));
    } else if (type->kind == DW_TYPE_MAP) {
        DW_TRY(put_part(printer, type->key, "key", path));
        DW_TRY(put_part(printer, type->element, "value", path));
    }
    dw__strbuf_append_char(out, '}');
    return DW_OK;
}

static dw_status
put_field(const id_printer *printer, const dw_field *field)
{
    id_printer inner = *printer;
    DW_TRY(dw__nested_ids_read(field, printer->arena, &inner.nested, &inner.nested_count,
                               printer->err));
    put_comma(printer->out);
    dw__sql_put_literal(printer->out, field->name);
    dw__strbuf_append_literal(printer->out, ": ");
    return put_ids(&inner, field->type, field->mapping_id, field->name);
}

/* ---- Making a layout ------------------------------------------------------------------------- */

static bool
is_partition_field(const dw_data_target *target, const dw_field *field)
{
    for (size_t i = 0; i < target->partition_column_count; i++) {
        if (dw__str_equal_nocase(field->name, target->partition_columns[i])) {
            return true;
        }
    }
    return false;
}

/* Each column as files have it; void ones, which they do not have, keep their place. */
static dw_status
make_columns(dw_file_layout *layout, dw_arena *arena, dw_error *err)
{
    const dw_type *schema = layout->target->schema;
    dw_type *columns = DW_ARENA_NEW(arena, dw_type);
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, schema->field_count + 1);
    if (columns == NULL || fields == NULL) {
        return dw__error_oom(err);
    }
    *columns = *schema;
    columns->fields = fields;
    for (size_t i = 0; i < schema->field_count; i++) {
        fields[i] = schema->fields[i];
        fields[i].name = fields[i].physical_name;
        fields[i].type = dw__schema_of_files(fields[i].type, arena);
        if (fields[i].type == NULL) {
            return dw__error_oom(err);
        }
    }
    layout->columns = columns;
    return DW_OK;
}

static dw_status
make_partition_columns(dw_file_layout *layout, dw_arena *arena, dw_error *err)
{
    const dw_data_target *target = layout->target;
    size_t count = target->partition_column_count;
    layout->partition_columns = DW_ARENA_ARRAY(arena, dw_str, count + 1);
    if (layout->partition_columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = dw__schema_find(target->schema, target->partition_columns[i]);
        if (field == NULL) {
            return dw__error_set(err, DW_CORRUPT, "METADATA_INVALID",
                                 "partition column \"%.*s\" is not in the schema",
                                 DW_STR_ARG(target->partition_columns[i]));
        }
        layout->partition_columns[i] = field->physical_name;
    }
    return DW_OK;
}

static dw_status
make_field_ids(dw_file_layout *layout, dw_arena *arena, dw_error *err)
{
    const dw_data_target *target = layout->target;
    DW_TRY(dw__mapping_check(target->schema,
                             target->properties->mapping_max_column_id > 0
                                 ? target->properties->mapping_max_column_id
                                 : -1,
                             arena, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, FIELD_IDS_BYTES_MAX);
    id_printer printer = {.out = &text, .arena = arena, .err = err};
    dw__strbuf_append_char(&text, '{');
    for (size_t i = 0; i < layout->columns->field_count; i++) {
        const dw_field *field = &target->schema->fields[i];
        bool is_written = layout->has_partition_columns || !is_partition_field(target, field);
        if (is_written && field->mapping_id >= 0 && field->type->kind != DW_TYPE_VOID) {
            DW_TRY(put_field(&printer, &layout->columns->fields[i]));
        }
    }
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "the field ids", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), &layout->field_ids) ? DW_OK
                                                                           : dw__error_oom(err);
}

dw_status
dw__file_layout_make(const dw_data_target *target, dw_arena *arena, dw_file_layout *out,
                     dw_error *err)
{
    dw_assert(target->protocol != NULL);
    *out = (dw_file_layout){.target = target,
                            .field_ids = DW_STR_NULL,
                            .has_variants = dw__schema_has_kind(target->schema, DW_TYPE_VARIANT)};
    out->has_partition_columns = target->partition_column_count > 0 &&
                                 dw__writes_partition_columns(target->protocol, target->properties);
    DW_TRY(dw__type_changes_check(target->schema, false, arena, err));
    DW_TRY(
        dw__iceberg_compat_check(target->protocol, target->properties, target->schema, arena, err));
    DW_TRY(make_columns(out, arena, err));
    DW_TRY(make_partition_columns(out, arena, err));
    return target->properties->mapping_mode == DW_MAPPING_NONE ? DW_OK
                                                               : make_field_ids(out, arena, err);
}

/* ---- The query ------------------------------------------------------------------------------- */

static bool
needs_nullif(const dw_file_layout *layout, const dw_field *field)
{
    return field->type->kind == DW_TYPE_STRING && is_partition_field(layout->target, field);
}

/* True when the rows of the query are what goes into the files. */
static bool
is_plain(const dw_file_layout *layout)
{
    const dw_type *schema = layout->target->schema;
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        if (field->type->kind == DW_TYPE_VOID || needs_nullif(layout, field) ||
            layout->columns->fields[i].type != field->type ||
            !dw__str_equal(field->name, field->physical_name)) {
            return false;
        }
    }
    return !layout->has_partition_columns;
}

static void
put_file_column(const dw_file_layout *layout, dw_strbuf *out)
{
    if (!dw__str_is_null(layout->target->file_column)) {
        dw__strbuf_append_literal(out, ", ");
        dw__sql_put_identifier(out, layout->target->file_column);
    }
}

static void put_renaming(dw_strbuf *out, const dw_type *type, const dw_type *in_file);

/* What a part of a value is called, and how it is taken apart where its own parts differ. */
static void
put_part_renaming(dw_strbuf *out, dw_str name, const dw_type *type, const dw_type *in_file)
{
    if (type == in_file) {
        dw__sql_put_literal(out, name);
        return;
    }
    dw__strbuf_append_char(out, '(');
    dw__sql_put_literal(out, name);
    dw__strbuf_append_literal(out, ", ");
    put_renaming(out, type, in_file);
    dw__strbuf_append_char(out, ')');
}

static void
put_struct_renaming(dw_strbuf *out, const dw_type *type, const dw_type *in_file)
{
    size_t at = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->type->kind == DW_TYPE_VOID) {
            continue;
        }
        dw__strbuf_append(out, at > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(out, in_file->fields[at].name);
        dw__strbuf_append_literal(out, ": ");
        put_part_renaming(out, field->name, field->type, in_file->fields[at].type);
        at++;
    }
    dw_assert(at == in_file->field_count);
}

/* The third argument of remap_struct: {'new name': 'old name', ...}, and so on downwards. */
static void
put_renaming(dw_strbuf *out, const dw_type *type, const dw_type *in_file)
{
    dw__strbuf_append_char(out, '{');
    if (type->kind == DW_TYPE_STRUCT) {
        put_struct_renaming(out, type, in_file);
    } else if (type->kind == DW_TYPE_ARRAY) {
        dw__strbuf_append_literal(out, "'list': ");
        put_part_renaming(out, DW_STR("list"), type->element, in_file->element);
    } else {
        dw_assert(type->kind == DW_TYPE_MAP);
        dw__strbuf_append_literal(out, "'key': ");
        put_part_renaming(out, DW_STR("key"), type->key, in_file->key);
        dw__strbuf_append_literal(out, ", 'value': ");
        put_part_renaming(out, DW_STR("value"), type->element, in_file->element);
    }
    dw__strbuf_append_char(out, '}');
}

static void
put_column(const dw_file_layout *layout, size_t idx, dw_strbuf *out)
{
    const dw_field *field = &layout->target->schema->fields[idx];
    const dw_field *in_file = &layout->columns->fields[idx];
    bool empties = needs_nullif(layout, field);
    bool renames = in_file->type != field->type;
    dw__strbuf_append(out, empties ? DW_STR("NULLIF(") : DW_STR(""));
    dw__strbuf_append(out, renames ? DW_STR("remap_struct(") : DW_STR(""));
    dw__sql_put_identifier(out, field->name);
    if (renames) {
        dw__strbuf_append_literal(out, ", CAST(NULL AS ");
        dw__engine_type_print(out, in_file->type);
        dw__strbuf_append_literal(out, "), ");
        put_renaming(out, field->type, in_file->type);
        dw__strbuf_append_literal(out, ", NULL)");
    }
    dw__strbuf_append(out, empties ? DW_STR(", '')") : DW_STR(""));
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, in_file->name);
}

/* The columns that are partition columns, or those that are not. */
static void
put_columns(const dw_file_layout *layout, bool partition_columns, const char **separator,
            dw_strbuf *out)
{
    const dw_type *schema = layout->target->schema;
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        if (field->type->kind != DW_TYPE_VOID &&
            is_partition_field(layout->target, field) == partition_columns) {
            dw__strbuf_append(out, dw__str_from(*separator));
            put_column(layout, i, out);
            *separator = ", ";
        }
    }
}

/* The parts of the columns of `inner`, which are those of the files. */
static void
put_parts(const dw_file_layout *layout, bool partition_columns, dw_str mark, const char **separator,
          dw_strbuf *out)
{
    const dw_type *columns = layout->columns;
    for (size_t i = 0; i < columns->field_count; i++) {
        const dw_field *field = &columns->fields[i];
        bool is_partition = is_partition_field(layout->target, &layout->target->schema->fields[i]);
        if (field->type->kind == DW_TYPE_VOID || is_partition != partition_columns) {
            continue;
        }
        DW_AUTO(dw_strbuf) value = dw__strbuf_make(out->allocator, out->size_max);
        dw__sql_put_identifier(&value, field->name);
        for (size_t part = 0; part < dw__variant_part_count(field->type); part++) {
            dw__strbuf_append(out, dw__str_from(*separator));
            dw__variant_part_print(out, field, dw__strbuf_str(&value), part, mark,
                                   &layout->shredders);
            dw__strbuf_append_literal(out, " AS ");
            dw__variant_part_print_name(out, field->name, part, mark);
            *separator = ", ";
        }
        out->failed = out->failed || value.failed;
    }
}

static dw_status
print_parts(const dw_file_layout *layout, dw_str inner, dw_str mark, dw_strbuf *out, dw_error *err)
{
    const char *separator = "SELECT ";
    put_parts(layout, false, mark, &separator, out);
    put_parts(layout, true, mark, &separator, out);
    put_file_column(layout, out);
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, inner);
    dw__strbuf_append_literal(out, "\n) AS dw_columns");
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
print_columns(const dw_file_layout *layout, dw_str query, dw_strbuf *out, dw_error *err)
{
    if (is_plain(layout)) {
        dw__strbuf_append(out, query);
        return dw__strbuf_ok(out, "the statement", err);
    }
    const char *separator = "SELECT ";
    put_columns(layout, false, &separator, out);
    put_columns(layout, true, &separator, out);
    put_file_column(layout, out);
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, query);
    dw__strbuf_append_literal(out, "\n) AS dw_rows");
    return dw__strbuf_ok(out, "the statement", err);
}

dw_status
dw__file_layout_print_query(const dw_file_layout *layout, dw_str query, dw_str mark, dw_strbuf *out,
                            dw_error *err)
{
    if (!layout->has_variants) {
        return print_columns(layout, query, out, err);
    }
    DW_AUTO(dw_strbuf) inner = dw__strbuf_make(out->allocator, out->size_max);
    DW_TRY(print_columns(layout, query, &inner, err));
    return print_parts(layout, dw__strbuf_str(&inner), mark, out, err);
}

dw_status
dw__file_layout_shred(dw_file_layout *layout, dw_connection *connection, dw_str query,
                      dw_arena *arena, dw_error *err)
{
    if (!layout->has_variants ||
        !dw__shreds_variants(layout->target->protocol, layout->target->properties)) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) rows = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_columns(layout, query, &rows, err));
    return dw__variant_shredders_choose(connection, layout->columns, dw__strbuf_str(&rows), arena,
                                        &layout->shredders, err);
}
