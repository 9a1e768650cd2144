/*
 * What a statement says as it must stand in a table's metadata, where every engine reads it by
 * Spark's rules: names in backquotes, strings with Spark's escapes.
 */
#ifndef DW_SQL_SPARK_TEXT_H
#define DW_SQL_SPARK_TEXT_H

#include "sql/parser.h"

/* The tokens of a range as an expression of Spark's, in one line without comments. */
DW_WARN_UNUSED dw_status dw__sql_spark_text(const dw_sql_text *sql, dw_sql_range range,
                                            dw_arena *arena, dw_str *out, dw_error *err);
/* Adds a member to the metadata of a column: `json` is its value. */
DW_WARN_UNUSED dw_status dw__sql_field_put(dw_field *field, dw_str key, dw_str json,
                                           dw_arena *arena, dw_error *err);

#endif
