/*
 * What the changes of columns share. Private to the files alter_*.c of columns.
 */
#ifndef DW_TABLE_ALTER_COLUMNS_CORE_H
#define DW_TABLE_ALTER_COLUMNS_CORE_H

#include "protocol/schema_edit.h"
#include "table/alter_columns.h"
#include "table/alter_core.h"

#define DW_COLUMN_PARAMETERS_BYTES_MAX ((size_t) 16 << 20)

/* Opens `alter` with the schema as its text says it, so that what a snapshot lays aside stays, and
 * with room for `more` properties beside those that the changes of columns need. */
DW_WARN_UNUSED dw_status dw__columns_open(dw_alter *alter, dw_table *table, size_t more,
                                          dw_error *err);
/* Checks the schema that came of it, and commits. */
DW_WARN_UNUSED dw_status dw__columns_commit(dw_alter *alter, const char *operation,
                                            dw_strbuf *parameters, dw_alter_report *report,
                                            dw_error *err);
/* Sees to it that columns are mapped: switches the mode name on if need be [COLUMN-2].
 * DW_INVALID_ARGUMENT (`code`) where that is forbidden. `what` needs it: "DROP COLUMN". */
DW_WARN_UNUSED dw_status dw__columns_need_mapping(dw_alter *alter, const char *what,
                                                  const char *code, dw_alter_report *report,
                                                  dw_error *err);
/* Appends the JSON object of a field as commits tell it, without its closing brace. */
void dw__columns_put_field(dw_strbuf *out, const dw_str *parts, size_t count,
                           const dw_field *field);
/* Appends the place to that, if there is one, and the brace. */
void dw__columns_put_place(dw_strbuf *out, dw_column_place place, dw_str after);
/* Puts `"key": "text of json"` into the parameters. */
DW_WARN_UNUSED dw_status dw__columns_put_parameter(dw_strbuf *parameters, const char *key,
                                                   const dw_strbuf *json, dw_error *err);
/* The index at which a field stands behind `after`. DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND). */
DW_WARN_UNUSED dw_status dw__columns_find_after(const dw_type *type, dw_str after, size_t *out,
                                                dw_error *err);
/* Refuses a name that the table, the row tracking or the change feed has already:
 * DW_INVALID_ARGUMENT (COLUMN_EXISTS, ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED,
 * RESERVED_CDC_COLUMNS_ON_WRITE). `parent` is the struct that it shall be in. */
DW_WARN_UNUSED dw_status dw__columns_check_name(const dw_alter *alter, const dw_type *parent,
                                                dw_str name, bool is_top_level, dw_error *err);
/* Judges a change of a leaf's type and records it. The spot is in the schema that is changed.
 * DW_INVALID_ARGUMENT (`code`). */
DW_WARN_UNUSED dw_status dw__columns_widen(dw_alter *alter, dw_schema_spot *spot, const dw_type *to,
                                           const char *code, dw_error *err);

#endif
