/*
 * dw_batch as chunks of the engine. Private to this folder.
 */
#ifndef DW_ENGINE_VECTOR_FILL_H
#define DW_ENGINE_VECTOR_FILL_H

#include "engine/internal.h"

/* The engine's type of a column; NULL when out of memory. The caller destroys it. */
duckdb_logical_type dw__vector_type(const dw_duck *duck, const dw_column_spec *spec);

/* In a table function's bind: its columns. False when out of memory: the error is set. */
bool dw__vector_bind_columns(duckdb_bind_info info, const dw_column_spec *columns, size_t count);

/* Copies a batch (at most 2048 rows) into a chunk that has the columns' types. */
DW_WARN_UNUSED dw_status dw__vector_fill(const dw_duck *duck, const dw_batch *batch,
                                         const dw_column_spec *columns, size_t column_count,
                                         duckdb_data_chunk chunk, dw_error *err);

#endif
