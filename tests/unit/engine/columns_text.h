/*
 * Columns in memory as text: a line for each row, "-" for NULL.
 */
#ifndef DWT_ENGINE_COLUMNS_TEXT_H
#define DWT_ENGINE_COLUMNS_TEXT_H

#include "base/strbuf.h"
#include "engine/engine.h"

typedef struct columns_text {
    const dw_parquet_read *request;
    dw_strbuf text;
    size_t row_count;
    dw_status fail_with; /* not DW_OK: the visitor has enough */
} columns_text;

/* A dw_batch_visitor over a columns_text. */
dw_status columns_text_visit(void *ctx, const dw_batch *batch, dw_error *err);

#endif
