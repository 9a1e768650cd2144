/*
 * Whether a schema can be that of a new table. PROTOCOL.md "Schema Serialization Format",
 * "Partition Value Serialization".
 */
#include "base/assert.h"
#include "protocol/column_name.h"

/* What Parquet files with plain names cannot hold, by the reference's rule. */
static const char illegal_characters[] = " ,;{}()\n\t=";

typedef struct schema_check {
    bool column_mapping;
    dw_error *err;
} schema_check;

static dw_status check_type(const schema_check *check, const dw_type *type,
                            const dw_column_name *name, size_t depth);

static dw_status
check_name(const schema_check *check, const dw_column_name *name)
{
    char text[DW_COLUMN_NAME_SIZE];
    if (name->part.len == 0) {
        return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "a column in %s has an empty name",
                             dw__column_name_print(name->parent, text));
    }
    if (!dw__str_is_utf8(name->part)) {
        return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "the name of column %s is not UTF-8",
                             dw__column_name_print(name, text));
    }
    for (size_t i = 0; i < name->part.len && !check->column_mapping; i++) {
        char c = name->part.ptr[i];
        if (c == '\0' || strchr(illegal_characters, c) != NULL) {
            return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                                 "the name of column \"%s\" holds one of the characters \" "
                                 ",;{}()\\n\\t=\": rename it, or create the table with "
                                 "'delta.columnMapping.mode' = 'name'",
                                 dw__column_name_print(name, text));
        }
    }
    return DW_OK;
}

static dw_status
check_fields(const schema_check *check, const dw_type *type, const dw_column_name *parent,
             size_t depth)
{
    for (size_t i = 0; i < type->field_count; i++) {
        dw_column_name name = {parent, type->fields[i].name};
        DW_TRY(check_name(check, &name));
        DW_TRY(check_type(check, type->fields[i].type, &name, depth + 1));
    }
    size_t duplicate = dw__fields_find_duplicate(type->fields, type->field_count);
    if (duplicate != SIZE_MAX) {
        char text[DW_COLUMN_NAME_SIZE];
        dw_column_name twice = {parent, type->fields[duplicate].name};
        return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "column %s exists twice (upper and lower case do not make a "
                             "difference)",
                             dw__column_name_print(&twice, text));
    }
    return DW_OK;
}

static dw_status
check_type(const schema_check *check, const dw_type *type, const dw_column_name *name, size_t depth)
{
    char text[DW_COLUMN_NAME_SIZE];
    if (depth > DW_SCHEMA_DEPTH_MAX) {
        return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "column %s is nested deeper than %d levels",
                             dw__column_name_print(name, text), DW_SCHEMA_DEPTH_MAX);
    }
    if (type->kind == DW_TYPE_STRUCT) {
        if (type->field_count == 0) {
            return dw__error_set(check->err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                                 "%s has no columns: at least one is needed",
                                 dw__column_name_print(name, text));
        }
        return check_fields(check, type, name, depth);
    }
    if (type->kind == DW_TYPE_MAP) {
        dw_column_name key = {name, DW_STR("key")};
        DW_TRY(check_type(check, type->key, &key, depth + 1));
        dw_column_name value = {name, DW_STR("value")};
        return check_type(check, type->element, &value, depth + 1);
    }
    if (type->kind == DW_TYPE_ARRAY) {
        dw_column_name element = {name, DW_STR("element")};
        return check_type(check, type->element, &element, depth + 1);
    }
    return DW_OK;
}

static dw_status
check_partition_column(const dw_type *schema, const dw_str *columns, size_t idx, dw_error *err)
{
    dw_str name = columns[idx];
    const dw_field *field = dw__schema_find(schema, name);
    if (field == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_INVALID",
                             "the table has no column \"%.*s\" to partition by", DW_STR_ARG(name));
    }
    for (size_t i = 0; i < idx; i++) {
        if (dw__str_equal_nocase(columns[i], name)) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_INVALID",
                                 "partition column \"%.*s\" is named twice", DW_STR_ARG(name));
        }
    }
    dw_type_kind kind = field->type->kind;
    if (dw__type_is_nested(field->type) || kind == DW_TYPE_VARIANT || kind == DW_TYPE_VOID) {
        return dw__error_set(
            err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_INVALID",
            "a table cannot be partitioned by \"%.*s\": its type is nested, variant "
            "or void",
            DW_STR_ARG(name));
    }
    return DW_OK;
}

dw_status
dw__schema_check(const dw_type *schema, const dw_str *partition_columns, size_t partition_count,
                 bool column_mapping, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    schema_check check = {column_mapping, err};
    DW_TRY(check_type(&check, schema, NULL, 0));
    for (size_t i = 0; i < partition_count; i++) {
        DW_TRY(check_partition_column(schema, partition_columns, i, err));
    }
    if (partition_count >= schema->field_count) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_INVALID",
                             "all columns are partition columns: at least one must not be");
    }
    return DW_OK;
}
