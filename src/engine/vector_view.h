/*
 * The engine's chunks as dw_batch. Private to this folder.
 */
#ifndef DW_ENGINE_VECTOR_VIEW_H
#define DW_ENGINE_VECTOR_VIEW_H

#include "engine/internal.h"

/* Shows a chunk, whose types are those of the columns, as a batch: numbers stay where the engine
 * has them, the rest is made in `arena`. Both must outlive the batch. */
DW_WARN_UNUSED dw_status dw__vector_view(const dw_duck *duck, duckdb_data_chunk chunk,
                                         const dw_column_spec *columns, size_t column_count,
                                         dw_arena *arena, dw_batch *out, dw_error *err);

static inline bool
dw__validity_has(const uint64_t *validity, size_t row)
{
    return validity == NULL || (validity[row / 64] >> (row % 64) & 1) != 0;
}

#endif
