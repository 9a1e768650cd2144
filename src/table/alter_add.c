/*
 * ALTER TABLE ... ADD COLUMNS.
 */
#include "table/alter_columns_core.h"

#include "codec/json.h"

/* ---- What cannot be added -------------------------------------------------------------------- */

/* Rows that are there would break it. Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static bool
has_not_null(const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (!type->fields[i].nullable || has_not_null(type->fields[i].type)) {
            return true;
        }
    }
    return (type->element != NULL && has_not_null(type->element)) ||
           (type->key != NULL && has_not_null(type->key));
}

static dw_status
check_field(const dw_alter *alter, const dw_field *field, dw_error *err)
{
    if (!field->nullable || has_not_null(field->type)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPERATION_NOT_ALLOWED",
                             "column \"%.*s\" cannot be added as NOT NULL: rows that are there "
                             "have no value for it; add it, fill it with UPDATE, and then ALTER "
                             "COLUMN ... SET NOT NULL",
                             DW_STR_ARG(field->name));
    }
    if ((field->traits & (DW_FIELD_GENERATED | DW_FIELD_IDENTITY)) != 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPERATION_NOT_ALLOWED",
                             "column \"%.*s\" cannot be added as a generated or identity column: "
                             "rows that are there have no value for it; use CREATE OR REPLACE "
                             "TABLE",
                             DW_STR_ARG(field->name));
    }
    if ((field->traits & DW_FIELD_DEFAULT) != 0 &&
        dw__file_set_count(dw__log_snapshot_files(alter->snapshot)) > 0) {
        return dw__error_set(
            err, DW_INVALID_ARGUMENT, "WRONG_COLUMN_DEFAULTS_FOR_ADD_COLUMN_NOT_SUPPORTED",
            "column \"%.*s\" cannot be added with a DEFAULT to a table that has rows: they would "
            "need it; add it without, and then ALTER COLUMN ... SET DEFAULT for new rows",
            DW_STR_ARG(field->name));
    }
    return DW_OK;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

static dw_status
check_parent(const dw_schema_spot *parent, const dw_field *field, dw_error *err)
{
    if (parent->type->kind == DW_TYPE_STRUCT) {
        return DW_OK;
    }
    char text[DW_TYPE_TEXT_SIZE];
    return dw__error_set(err, DW_INVALID_ARGUMENT, "ADD_COLUMN_PARENT_NOT_STRUCT",
                         "\"%.*s\" cannot be added: what it would be in is no struct but %s "
                         "(elements of arrays are named \"element\", parts of maps \"key\" and "
                         "\"value\")",
                         DW_STR_ARG(field->name), dw__type_text(parent->type, text));
}

static dw_status
add_column(dw_alter *alter, const dw_new_column *column, dw_error *err)
{
    dw_schema_spot parent;
    dw_field field = column->field;
    size_t idx = 0;
    DW_TRY(dw__schema_spot_find(alter->schema, column->path.parts, column->path.count - 1,
                                &alter->arena, &alter->schema, &parent, err));
    DW_TRY(check_parent(&parent, &field, err));
    DW_TRY(check_field(alter, &field, err));
    DW_TRY(dw__columns_check_name(alter, parent.type, field.name, parent.parent == NULL, err));
    if (column->place == DW_PLACE_SAME) {
        idx = parent.type->field_count;
    } else if (column->place == DW_PLACE_AFTER) {
        DW_TRY(dw__columns_find_after(parent.type, column->after, &idx, err));
    }
    dw__struct_insert(parent.type, idx, &field);
    return DW_OK;
}

static dw_status
add_columns(dw_alter *alter, const dw_new_column *columns, size_t count, dw_strbuf *json,
            dw_error *err)
{
    dw__strbuf_append_char(json, '[');
    for (size_t i = 0; i < count; i++) {
        const dw_new_column *column = &columns[i];
        DW_TRY(add_column(alter, column, err));
        dw__json_put_comma(json);
        dw__strbuf_append_literal(json, "{\"column\":");
        dw__columns_put_field(json, column->path.parts, column->path.count, &column->field);
        dw__strbuf_append_char(json, '}');
        dw__columns_put_place(json, column->place, column->after);
    }
    dw__strbuf_append_char(json, ']');
    return DW_OK;
}

dw_status
dw__table_add_columns(dw_table *table, const dw_new_column *columns, size_t count,
                      dw_alter_report *report, dw_error *err)
{
    const dw_allocator *allocator = dw__table_env(table)->allocator;
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    dw_alter alter;
    report->version = -1;
    dw_status status = dw__columns_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = add_columns(&alter, columns, count, &json, err);
    }
    if (status == DW_OK) {
        status = dw__columns_put_parameter(&parameters, "columns", &json, err);
    }
    if (status == DW_OK) {
        status = dw__columns_commit(&alter, "ADD COLUMNS", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}
