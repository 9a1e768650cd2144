/*
 * A list of keys with their sizes that is filled once and then read in its order. What does not fit
 * into a part of memory is put into a file without a name.
 */
#ifndef DW_UPKEEP_KEY_LIST_H
#define DW_UPKEEP_KEY_LIST_H

#include "base/strbuf.h"
#include "storage/scratch.h"

/* So much is kept in memory. */
#define DW_KEY_LIST_MEMORY_BYTES ((size_t) 8 << 20)

typedef struct dw_key_list {
    dw_strbuf tail;     /* what is not in the file */
    dw_scratch scratch; /* fd -1: nothing had to go there */
    dw_str directory;   /* where such a file may be made; null string: where the system likes */
    uint64_t spilled;   /* bytes in the file */
    int64_t count, size_bytes;
} dw_key_list;

dw_key_list dw__key_list_make(const dw_allocator *allocator, dw_str directory);
void dw__key_list_deinit(dw_key_list *list);
DW_WARN_UNUSED dw_status dw__key_list_push(dw_key_list *list, dw_str key, int64_t size_bytes,
                                           dw_error *err);

/* Counts an object whose key is not kept. */
void dw__key_list_count(dw_key_list *list, int64_t size_bytes);

typedef struct dw_key_reader {
    const dw_key_list *list;
    dw_strbuf window; /* a part of the file */
    uint64_t window_at, at;
} dw_key_reader;

dw_key_reader dw__key_reader_make(const dw_key_list *list);
void dw__key_reader_deinit(dw_key_reader *reader);
/* `*found_out` is false at the end. The key is borrowed until the next call. */
DW_WARN_UNUSED dw_status dw__key_reader_next(dw_key_reader *reader, dw_str *key_out,
                                             int64_t *size_out, bool *found_out, dw_error *err);

#endif
