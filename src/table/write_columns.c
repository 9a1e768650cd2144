/*
 * What a write that may change the table's columns makes of them: each column of the query goes to
 * a column of the table, as the projection will have it, or becomes a new one. [WRITE-4]
 */
#include "table/write_core.h"

#include "scan/scan.h"

static bool
is_static(const dw_write *write, dw_str name)
{
    const dw_pairs *pairs = &write->spec->static_partitions;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_equal_nocase(pairs->items[i].key, name)) {
            return true;
        }
    }
    return false;
}

/* The columns of the table that take the query's by position, in order. */
static dw_status
name_positions(const dw_write *write, dw_str **out, size_t *count_out, dw_error *err)
{
    size_t count = 0;
    dw_str *names = DW_ARENA_ARRAY(write->arena, dw_str, write->schema->field_count + 1);
    if (names == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < write->schema->field_count; i++) {
        if (!is_static(write, write->schema->fields[i].name)) {
            names[count++] = write->schema->fields[i].name;
        }
    }
    *out = names;
    *count_out = count;
    return DW_OK;
}

/* The engine has a type of its own for a bare NULL, which becomes no column. */
static bool
is_bare_null(dw_str type)
{
    return dw__str_equal(type, DW_STR("\"NULL\"")) || dw__str_equal(type, DW_STR("NULL"));
}

/* The columns of the query under the names that they have in the table, or shall have. */
static dw_status
name_columns(const dw_write *write, dw_field **out, size_t *count_out, dw_error *err)
{
    const dw_write_spec *spec = write->spec;
    bool replaces = spec->columns_become == DW_COLUMNS_REPLACED;
    const dw_str *names = spec->columns;
    size_t name_count = spec->column_count;
    if (name_count == 0 && !spec->by_name && !replaces) {
        dw_str *positions;
        DW_TRY(name_positions(write, &positions, &name_count, err));
        names = positions;
    }
    size_t count = 0;
    dw_field *fields = DW_ARENA_ARRAY(write->arena, dw_field, write->source_count + 1);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < write->source_count; i++) {
        const dw_query_column *column = &write->source[i];
        dw_str name = i < name_count ? names[i] : column->name;
        if (dw__str_is_null(name) || is_bare_null(column->type)) {
            continue;
        }
        fields[count].name = name;
        DW_TRY(dw__engine_type_parse(name, column->type, write->arena, &fields[count++].type, err));
    }
    *out = fields;
    *count_out = count;
    return DW_OK;
}

static dw_status
check_replaces_all(const dw_write *write, dw_error *err)
{
    const dw_write_spec *spec = write->spec;
    if (spec->mode != DW_WRITE_OVERWRITE) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OVERWRITE_SCHEMA_WITHOUT_OVERWRITE",
                             "overwriteSchema gives the table other columns, for which all rows "
                             "are replaced: overwrite them, or use mergeSchema");
    }
    if (spec->is_dynamic && write->metadata->partition_column_count > 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT,
                             "OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE",
                             "overwriteSchema replaces all rows, and a dynamic partition overwrite "
                             "only those of some partitions: use one of them");
    }
    if (spec->static_partitions.count > 0 || spec->replaced != NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OVERWRITE_SCHEMA_WITH_REPLACE_WHERE",
                             "overwriteSchema replaces all rows, and PARTITION or a condition only "
                             "some: use one of them");
    }
    return DW_OK;
}

dw_status
dw__write_choose_columns(dw_write *write, dw_error *err)
{
    const dw_write_spec *spec = write->spec;
    dw_field *fields = NULL;
    size_t count = 0;
    write->evolved = dw__evolved_of(write->snapshot);
    if (spec->columns_become == DW_COLUMNS_STAY) {
        return DW_OK;
    }
    bool replaces = spec->columns_become == DW_COLUMNS_REPLACED;
    if (replaces) {
        DW_TRY(check_replaces_all(write, err));
    }
    DW_TRY(dw__write_describe_source(write, err));
    DW_TRY(name_columns(write, &fields, &count, err));
    dw_new_columns wanted = {fields, count, spec->partition_columns, spec->partition_column_count};
    DW_TRY(replaces ? dw__evolve_replace(write->table, write->snapshot, &wanted, write->arena,
                                         &write->evolved, err)
                    : dw__evolve(write->table, write->snapshot, fields, count, write->arena,
                                 &write->evolved, err));
    if (write->evolved.has_new_schema) {
        write->schema = write->evolved.schema;
        write->metadata = &write->evolved.metadata;
        write->properties = &write->evolved.properties;
    }
    return DW_OK;
}
