/*
 * What a Parquet file must look like to be read as given columns, and the SQL that reads it so.
 * Private to this folder.
 */
#ifndef DW_ENGINE_PARQUET_SHAPE_H
#define DW_ENGINE_PARQUET_SHAPE_H

#include "engine/internal.h"

/* Compares the columns of a file, as the prepared `SELECT *` of it has them, with those wanted.
 * DW_CORRUPT (PARQUET_TYPE) names the first that cannot be read as wanted; one that is not there is
 * no error. */
DW_WARN_UNUSED dw_status dw__shape_check(const dw_duck *duck, duckdb_prepared_statement columns,
                                         const dw_column_spec *specs, size_t spec_count,
                                         dw_strbuf *scratch, dw_error *err);

/* Appends `read_parquet('path'` with the options that both the check and the reading need, without
 * the closing parenthesis. `path` is taken as it is: no character of it is a pattern. */
void dw__shape_put_reader(dw_strbuf *out, dw_str path);
/* Appends the statement that reads `specs` in place of the columns of the request, from a file
 * whose own are `columns`; they were compared. */
void dw__shape_put_query(const dw_duck *duck, duckdb_prepared_statement columns, dw_str path,
                         const dw_parquet_read *request, const dw_column_spec *specs,
                         dw_strbuf *out);

/* The type of a column of the file, or of a field of a struct type, by its name; to be destroyed by
 * the caller. NULL: there is none. */
duckdb_logical_type dw__shape_column(const dw_duck *duck, duckdb_prepared_statement columns,
                                     const char *wanted);
duckdb_logical_type dw__shape_field(const dw_duck *duck, duckdb_logical_type type,
                                    const char *wanted);

/* Appends a path so that the engine's file patterns find that one file only. */
void dw__path_put_escaped(dw_strbuf *out, dw_str path);

#endif
