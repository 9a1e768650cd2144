/*
 * Reading checkpoints without the engine. Their Parquet is plain: few types, few encodings, lists
 * of strings at the most. What this folder does not know, or finds damaged, is left to the engine,
 * which says what is wrong with it.
 *
 *  [PARQUET-1] Rows arrive in the order of the file, as the engine would give them.
 *  [PARQUET-2] An odd file is never an error here: the engine reads on behind the rows that were
 *              visited.
 *  [PARQUET-3] An object that changed while it was read is an error.
 */
#ifndef DW_PARQUET_PARQUET_H
#define DW_PARQUET_PARQUET_H

#include "engine/engine.h"

/* Of the rows that a request is for. */
typedef struct dw_row_range {
    size_t first, end;
} dw_row_range;
#define DW_ROWS_ALL ((dw_row_range){0, SIZE_MAX})

/* Reads the columns of a file as dw_engine_ops.read_parquet does, with the engine's help only if
 * the file is odd; only rows of the range are visited. DW_UNAVAILABLE (OBJECT_CHANGED); otherwise
 * the engine's errors. */
DW_WARN_UNUSED dw_status dw__pq_read(dw_engine *engine, dw_storage *storage,
                                     const dw_parquet_read *request, dw_row_range range,
                                     dw_batch_visitor visit, void *ctx, dw_error *err);

/* The rows of a file that is not odd as far as its footer tells; otherwise 0. */
DW_WARN_UNUSED dw_status dw__pq_row_count(const dw_env *env, dw_storage *storage, dw_str key,
                                          size_t *out, dw_error *err);

#endif
