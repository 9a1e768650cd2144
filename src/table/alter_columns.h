/*
 * ALTER TABLE of columns. No data file is written again: what files lack is NULL, what they have
 * too much is not read, and older types are read as the newer ones.
 *
 *  [COLUMN-1] A change that something of the table depends on - a partition, a check constraint, a
 *             generated column, clustering - is refused with what depends on it.
 *  [COLUMN-2] Where dropping and renaming need column mapping, it is switched on in the same
 *             commit, and the report says so.
 *  [COLUMN-3] Operations and their parameters are those that the reference writes.
 */
#ifndef DW_TABLE_ALTER_COLUMNS_H
#define DW_TABLE_ALTER_COLUMNS_H

#include "table/alter.h"

typedef enum dw_column_place {
    DW_PLACE_SAME, /* where it is; of a new one: behind all others */
    DW_PLACE_FIRST,
    DW_PLACE_AFTER
} dw_column_place;

typedef struct dw_new_column {
    dw_name_path path; /* with its own name as the last part */
    dw_field field;
    dw_column_place place;
    dw_str after;
} dw_new_column;

/* What ALTER COLUMN says of one column; several at once of several columns. */
typedef struct dw_column_change {
    dw_name_path path;
    const dw_type *type; /* NULL: as it is */
    bool has_comment;
    dw_str comment;
    bool has_nullable, nullable;
    bool has_default;
    dw_str default_text; /* in Spark's SQL; null string: none any more */
    dw_column_place place;
    dw_str after;
} dw_column_change;

/* ADD COLUMNS. DW_INVALID_ARGUMENT (COLUMN_EXISTS, ADD_COLUMN_PARENT_NOT_STRUCT,
 * ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED, OPERATION_NOT_ALLOWED, WRONG_COLUMN_DEFAULTS_...). */
DW_WARN_UNUSED dw_status dw__table_add_columns(dw_table *table, const dw_new_column *columns,
                                               size_t count, dw_alter_report *report,
                                               dw_error *err);
/* DROP COLUMNS. DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND unless `if_exists`,
 * UNSUPPORTED_DROP_PARTITION_COLUMN, UNSUPPORTED_DROP_CLUSTERING_COLUMN,
 * DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA, CONSTRAINT_DEPENDENT_COLUMN_CHANGE,
 * GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE, UNSUPPORTED_DROP_COLUMN). */
DW_WARN_UNUSED dw_status dw__table_drop_columns(dw_table *table, dw_name_paths columns,
                                                bool if_exists, dw_alter_report *report,
                                                dw_error *err);
/* RENAME COLUMN. DW_INVALID_ARGUMENT (COLUMN_EXISTS, UNSUPPORTED_RENAME_COLUMN, and as above). */
DW_WARN_UNUSED dw_status dw__table_rename_column(dw_table *table, dw_name_path column,
                                                 dw_str new_name, dw_alter_report *report,
                                                 dw_error *err);
/* ALTER COLUMN. DW_INVALID_ARGUMENT (UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP,
 * NEW_NOT_NULL_VIOLATION, NESTED_NOT_NULL_CONSTRAINT, CANNOT_UPDATE_STRUCT_FIELD and its kin, ...).
 */
DW_WARN_UNUSED dw_status dw__table_change_columns(dw_table *table, dw_connection *connection,
                                                  const dw_column_change *changes, size_t count,
                                                  dw_alter_report *report, dw_error *err);
/* REPLACE COLUMNS. DW_INVALID_ARGUMENT (UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP,
 * AMBIGUOUS_DATA_TYPE_CHANGE, ...). */
DW_WARN_UNUSED dw_status dw__table_replace_columns(dw_table *table, const dw_field *columns,
                                                   size_t count, dw_alter_report *report,
                                                   dw_error *err);

#endif
