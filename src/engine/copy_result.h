/*
 * What COPY ... RETURN_STATS answers. Private to this folder.
 */
#ifndef DW_ENGINE_COPY_RESULT_H
#define DW_ENGINE_COPY_RESULT_H

#include "engine/internal.h"

/* The files of a finished COPY, in `arena`. */
DW_WARN_UNUSED dw_status dw__copy_result_read(const dw_duck *duck, duckdb_result *result,
                                              const dw_copy_request *request, dw_arena *arena,
                                              dw_copy_file **out, size_t *count_out, dw_error *err);

#endif
