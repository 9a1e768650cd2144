/*
 * The rows of a query on their way to the user: the engine's stream together with the scan that it
 * reads from.
 *
 *  [ROWS-1] A failure says what the same failure of a statement says: which data file is to blame,
 *           and the code. Arrow streams have no place for a code: it stands in brackets behind the
 *           message.
 */
#ifndef DW_TABLE_ROW_STREAM_H
#define DW_TABLE_ROW_STREAM_H

#include "engine/database.h"
#include "scan/scan.h"

/* Who made a stream: asked before each batch, and told when the stream is released. */
typedef struct dw_row_stream_owner {
    void *ctx;
    bool (*is_cancelled)(const void *ctx);
    void (*release)(void *ctx);
} dw_row_stream_owner;

/* `rows` (of dw__connection_query) is moved in, `scan` (may be NULL) adopted; on failure both are
 * released, and the owner is not told. */
DW_WARN_UNUSED dw_status dw__row_stream_open(const dw_allocator *allocator,
                                             struct ArrowArrayStream *rows, dw_scan *scan,
                                             const dw_row_stream_owner *owner,
                                             struct ArrowArrayStream *out, dw_error *err);

#endif
