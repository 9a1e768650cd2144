/*
 * Records one after the other: the length of the key, the size of the object, the key.
 */
#include "upkeep/key_list.h"

#include "base/assert.h"
#include "storage/storage.h"

typedef struct record_head {
    uint32_t key_len;
    int64_t size_bytes;
} record_head;

#define RECORD_BYTES_MAX (sizeof(record_head) + DW_STORAGE_KEY_BYTES_MAX)
#define WINDOW_BYTES ((size_t) 256 << 10)

dw_key_list
dw__key_list_make(const dw_allocator *allocator, dw_str directory)
{
    return (dw_key_list){
        .tail = dw__strbuf_make(allocator, DW_KEY_LIST_MEMORY_BYTES + RECORD_BYTES_MAX),
        .scratch = DW_SCRATCH_NONE,
        .directory = directory};
}

void
dw__key_list_deinit(dw_key_list *list)
{
    dw__strbuf_deinit(&list->tail);
    dw__scratch_close(&list->scratch);
}

static dw_status
spill(dw_key_list *list, dw_error *err)
{
    if (list->scratch.fd < 0) {
        DW_TRY(dw__scratch_open(&list->scratch, list->directory, err));
    }
    DW_TRY(dw__scratch_write(&list->scratch, dw__strbuf_str(&list->tail), err));
    list->spilled += list->tail.len;
    dw__strbuf_clear(&list->tail);
    return DW_OK;
}

dw_status
dw__key_list_push(dw_key_list *list, dw_str key, int64_t size_bytes, dw_error *err)
{
    dw_assert(key.len <= DW_STORAGE_KEY_BYTES_MAX);
    record_head head = {(uint32_t) key.len, size_bytes};
    if (list->tail.len >= DW_KEY_LIST_MEMORY_BYTES) {
        DW_TRY(spill(list, err));
    }
    dw__strbuf_append(&list->tail, dw__str_make((const char *) &head, sizeof(head)));
    dw__strbuf_append(&list->tail, key);
    dw__key_list_count(list, size_bytes);
    return dw__strbuf_ok(&list->tail, "the list of files", err);
}

void
dw__key_list_count(dw_key_list *list, int64_t size_bytes)
{
    list->count++;
    list->size_bytes += size_bytes;
}

dw_key_reader
dw__key_reader_make(const dw_key_list *list)
{
    return (dw_key_reader){.list = list,
                           .window = dw__strbuf_make(list->tail.allocator, WINDOW_BYTES)};
}

void
dw__key_reader_deinit(dw_key_reader *reader)
{
    dw__strbuf_deinit(&reader->window);
}

/* The bytes from where the reader is, at least a whole record of them. */
static dw_status
look_ahead(dw_key_reader *reader, dw_str *out, dw_error *err)
{
    const dw_key_list *list = reader->list;
    if (reader->at >= list->spilled) {
        *out = dw__str_slice(dw__strbuf_str(&list->tail), (size_t) (reader->at - list->spilled),
                             list->tail.len);
        return DW_OK;
    }
    uint64_t end = reader->window_at + reader->window.len;
    bool is_short = reader->at + RECORD_BYTES_MAX > end && end < list->spilled;
    if (reader->window.len == 0 || is_short) {
        DW_TRY(dw__scratch_read(&list->scratch, reader->at, WINDOW_BYTES, &reader->window, err));
        reader->window_at = reader->at;
    }
    *out = dw__str_slice(dw__strbuf_str(&reader->window), (size_t) (reader->at - reader->window_at),
                         reader->window.len);
    return DW_OK;
}

dw_status
dw__key_reader_next(dw_key_reader *reader, dw_str *key_out, int64_t *size_out, bool *found_out,
                    dw_error *err)
{
    dw_str bytes;
    record_head head;
    DW_TRY(look_ahead(reader, &bytes, err));
    *found_out = bytes.len > 0;
    if (!*found_out) {
        return DW_OK;
    }
    dw_assert(bytes.len >= sizeof(head));
    memcpy(&head, bytes.ptr, sizeof(head));
    dw_assert(bytes.len >= sizeof(head) + head.key_len);
    *key_out = dw__str_slice(bytes, sizeof(head), head.key_len);
    *size_out = head.size_bytes;
    reader->at += sizeof(head) + head.key_len;
    return DW_OK;
}
