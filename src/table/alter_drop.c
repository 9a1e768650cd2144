/*
 * ALTER TABLE ... DROP COLUMNS and RENAME COLUMN: what is in the files stays there, under the
 * physical names that column mapping gives.
 */
#include "table/alter_columns_core.h"

#include "codec/json.h"
#include "table/change.h"
#include "table/column_dependants.h"

#define NAME_BYTES_MAX ((size_t) 65536)

/* ---- DROP ------------------------------------------------------------------------------------ */

static dw_status
check_drop(const dw_schema_spot *spot, dw_error *err)
{
    if (spot->field == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT,
                             "UNSUPPORTED_DROP_NESTED_COLUMN_FROM_NON_STRUCT_TYPE",
                             "the %.*s of an array or map cannot be dropped: only fields of "
                             "structs can",
                             DW_STR_ARG(spot->names[spot->name_count - 1]));
    }
    if (spot->parent->field_count == 1) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA",
                             "column \"%.*s\" cannot be dropped: %s would have none left",
                             DW_STR_ARG(spot->field->name),
                             spot->name_count == 1 ? "the table" : "the struct");
    }
    return DW_OK;
}

/* A column that is not there is passed over where that is allowed. */
static dw_status
find_drop(dw_alter *alter, dw_name_path path, bool if_exists, const dw_type **copy,
          dw_schema_spot *spot, bool *found_out, dw_error *err)
{
    dw_error missing = DW_ERROR_INIT;
    dw_status status = dw__schema_spot_find(alter->schema, path.parts, path.count, &alter->arena,
                                            copy, spot, &missing);
    *found_out = status == DW_OK;
    if (status == DW_INVALID_ARGUMENT && if_exists &&
        dw__error_has_code(&missing, "COLUMN_NOT_FOUND")) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &missing);
    }
    return status;
}

static dw_status
drop_column(dw_alter *alter, dw_name_path path, bool if_exists, dw_alter_report *report,
            dw_strbuf *json, dw_error *err)
{
    dw_schema_spot spot;
    const dw_type *copy;
    bool found;
    DW_TRY(find_drop(alter, path, if_exists, &copy, &spot, &found, err));
    if (!found) {
        return DW_OK;
    }
    DW_TRY(check_drop(&spot, err));
    dw_name_path names = {spot.names, spot.name_count};
    DW_TRY(dw__dependants_check_drop(alter, names, err));
    DW_TRY(dw__dependants_check_expressions(alter, names, err));
    DW_TRY(dw__columns_need_mapping(alter, "DROP COLUMN", "UNSUPPORTED_DROP_COLUMN", report, err));
    /* Once more: the mapping may have made another schema. */
    DW_TRY(dw__schema_spot_find(alter->schema, path.parts, path.count, &alter->arena,
                                &alter->schema, &spot, err));
    dw__struct_remove(spot.parent, spot.idx);
    DW_TRY(dw__dependants_update_properties(alter, names, NULL, err));
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(alter->arena.allocator, NAME_BYTES_MAX);
    dw__column_parts_print(&name, names.parts, names.count);
    dw__json_put_comma(json);
    dw__json_put_string(json, dw__strbuf_str(&name));
    return dw__strbuf_ok(&name, "a column's name", err);
}

static dw_status
drop_columns(dw_alter *alter, dw_name_paths columns, bool if_exists, dw_alter_report *report,
             dw_strbuf *json, dw_error *err)
{
    dw__strbuf_append_char(json, '[');
    for (size_t i = 0; i < columns.count; i++) {
        DW_TRY(drop_column(alter, columns.items[i], if_exists, report, json, err));
    }
    dw__strbuf_append_char(json, ']');
    return DW_OK;
}

dw_status
dw__table_drop_columns(dw_table *table, dw_name_paths columns, bool if_exists,
                       dw_alter_report *report, dw_error *err)
{
    const dw_allocator *allocator = dw__table_env(table)->allocator;
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    dw_alter alter;
    report->version = -1;
    dw_status status = dw__columns_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = drop_columns(&alter, columns, if_exists, report, &json, err);
    }
    if (status == DW_OK) {
        status = dw__columns_put_parameter(&parameters, "columns", &json, err);
    }
    if (status == DW_OK && json.len > sizeof("[]") - 1) {
        status = dw__columns_commit(&alter, "DROP COLUMNS", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}

/* ---- RENAME ---------------------------------------------------------------------------------- */

static dw_status
check_rename(const dw_alter *alter, const dw_schema_spot *spot, dw_str new_name, dw_error *err)
{
    if (spot->field == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "UNSUPPORTED_RENAME_COLUMN",
                             "the %.*s of an array or map cannot be renamed: only fields of "
                             "structs can",
                             DW_STR_ARG(spot->names[spot->name_count - 1]));
    }
    return dw__str_equal_nocase(spot->field->name, new_name)
               ? DW_OK /* other case */
               : dw__columns_check_name(alter, spot->parent, new_name, spot->name_count == 1, err);
}

/* The same path with another last part. */
static dw_status
new_path_of(dw_alter *alter, dw_name_path path, dw_str new_name, dw_name_path *out, dw_error *err)
{
    dw_str *parts = DW_ARENA_ARRAY(&alter->arena, dw_str, path.count);
    if (parts == NULL) {
        return dw__error_oom(err);
    }
    memcpy(parts, path.parts, path.count * sizeof(*parts));
    parts[path.count - 1] = new_name;
    *out = (dw_name_path){parts, path.count};
    return DW_OK;
}

static dw_status
put_path(dw_strbuf *parameters, const char *key, dw_name_path path, dw_error *err)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(parameters->allocator, NAME_BYTES_MAX);
    dw__column_parts_print(&name, path.parts, path.count);
    return dw__columns_put_parameter(parameters, key, &name, err);
}

static dw_status
rename_column(dw_alter *alter, dw_name_path path, dw_str new_name, dw_alter_report *report,
              dw_strbuf *parameters, dw_error *err)
{
    dw_schema_spot spot;
    const dw_type *copy;
    dw_name_path new_path;
    DW_TRY(dw__schema_spot_find(alter->schema, path.parts, path.count, &alter->arena, &copy, &spot,
                                err));
    DW_TRY(check_rename(alter, &spot, new_name, err));
    dw_name_path names = {spot.names, spot.name_count};
    DW_TRY(dw__dependants_check_expressions(alter, names, err));
    DW_TRY(new_path_of(alter, names, new_name, &new_path, err));
    DW_TRY(
        dw__columns_need_mapping(alter, "RENAME COLUMN", "UNSUPPORTED_RENAME_COLUMN", report, err));
    DW_TRY(dw__schema_spot_find(alter->schema, path.parts, path.count, &alter->arena,
                                &alter->schema, &spot, err));
    spot.field->name = new_name;
    DW_TRY(dw__dependants_update_properties(alter, names, &new_path, err));
    if (names.count == 1) {
        DW_TRY(dw__dependants_rename_partition(alter, names.parts[0], new_name, err));
    }
    DW_TRY(put_path(parameters, "oldColumnPath", names, err));
    return put_path(parameters, "newColumnPath", new_path, err);
}

dw_status
dw__table_rename_column(dw_table *table, dw_name_path column, dw_str new_name,
                        dw_alter_report *report, dw_error *err)
{
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    dw_alter alter;
    report->version = -1;
    dw_status status = dw__columns_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = rename_column(&alter, column, new_name, report, &parameters, err);
    }
    if (status == DW_OK) {
        status = dw__columns_commit(&alter, "RENAME COLUMN", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}
