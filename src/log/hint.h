/*
 * `_last_checkpoint`: where a reader may start to list. PROTOCOL.md "Last Checkpoint File".
 * Whatever it says is checked against the listing. [LOG-2]
 */
#ifndef DW_LOG_HINT_H
#define DW_LOG_HINT_H

#include "storage/storage.h"

/* It may hold the schema of the checkpoint. */
#define DW_HINT_BYTES_MAX ((size_t) 64 << 20)

/* The version that the hint names; -1 when there is no hint or it makes no sense. Fails only for
 * lack of memory: a hint that cannot be read is no hint. */
DW_WARN_UNUSED dw_status dw__hint_read(dw_storage *storage, const dw_allocator *allocator,
                                       int64_t *version_out, dw_error *err);

/* What a hint says of a checkpoint that was just written. */
typedef struct dw_hint {
    int64_t version;
    int64_t action_count;
    int64_t size_bytes;
    int64_t add_count;
    dw_str v2_json; /* the object `v2Checkpoint`; null string: none */
} dw_hint;

/* Replaces the hint unless the one there names a newer checkpoint. */
DW_WARN_UNUSED dw_status dw__hint_write(dw_storage *storage, const dw_allocator *allocator,
                                        const dw_hint *hint, dw_error *err);

#endif
