/*
 * Fields that a file lacks do not go through the engine: as columns of NULL they would be copied
 * with every batch. They are left out of the statement and put into the batches afterwards. Private
 * to this folder.
 */
#ifndef DW_ENGINE_PARQUET_GAPS_H
#define DW_ENGINE_PARQUET_GAPS_H

#include "engine/internal.h"

typedef struct dw_column_gaps {
    size_t *places; /* of each wanted field among those that are there, or SIZE_MAX; NULL: no gap */
    dw_vector *nulls; /* for the fields that are not there */
} dw_column_gaps;

typedef struct dw_parquet_gaps {
    const dw_column_spec *wanted;
    size_t column_count;
    dw_column_spec *found; /* the wanted columns without the fields that the file lacks */
    dw_column_gaps *gaps;  /* one a column */
} dw_parquet_gaps;

/* Compares wanted columns with those of the file. Everything lives in `arena`. */
DW_WARN_UNUSED dw_status dw__gaps_find(const dw_duck *duck, duckdb_prepared_statement columns,
                                       const dw_column_spec *wanted, size_t column_count,
                                       dw_arena *arena, dw_parquet_gaps *out, dw_error *err);
/* Makes a batch of the found columns one of the wanted columns. New arrays live in `arena`. */
DW_WARN_UNUSED dw_status dw__gaps_fill(const dw_parquet_gaps *gaps, dw_arena *arena,
                                       dw_batch *batch, dw_error *err);

#endif
