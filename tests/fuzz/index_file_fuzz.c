/*
 * Index files of bloom filters. Whatever a directory says, filters lie inside of the file; the
 * checksums are made right first, so that there is something behind them to find.
 */
#include "fuzz.h"

#include "bloom/bytes.h"
#include "bloom/index_file.h"
#include "codec/codec.h"

enum { SIZE_MAX_BYTES = 1 << 16 };

static void
mend(uint8_t *bytes, size_t size)
{
    uint64_t len = dw__bytes_get(bytes + 16, 8);
    size_t there = size - DW_INDEX_HEAD_BYTES;
    dw_str text = dw__str_make((const char *) bytes, size);
    memcpy(bytes, "DWBLOOM1", 8);
    dw__bytes_put(bytes + 8, 1, 4);
    dw__bytes_put(
        bytes + 24,
        dw__crc32(dw__str_slice(text, DW_INDEX_HEAD_BYTES, len < there ? (size_t) len : there)), 4);
    dw__bytes_put(bytes + 12, dw__crc32(dw__str_slice(text, 16, DW_INDEX_HEAD_BYTES - 16)), 4);
}

static void
check(const dw_index *index)
{
    for (uint64_t i = 0; i < index->head.entry_count; i++) {
        dw_index_key key = dw__index_entry_key(index, i);
        dw_assert(dw__index_key_compare(&key, &key) == 0);
        for (size_t k = 0; k < index->head.column_count; k++) {
            dw_index_filter filter = dw__index_entry_filter(index, i, k);
            dw_assert(filter.size == 0 || filter.offset + filter.size <= index->head.filters_bytes);
        }
    }
    for (size_t k = 0; k < index->head.column_count; k++) {
        dw_assert(dw__index_find_column(index, index->columns[k].name) <= k);
    }
    if (index->page_count > 0) {
        dw_assert(dw__index_page_size(index, index->page_count - 1) <= index->head.page_bytes);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SIZE_MAX_BYTES];
    dw_index_head head;
    dw_index index;
    if (size < DW_INDEX_HEAD_BYTES || size > SIZE_MAX_BYTES) {
        return 0;
    }
    memcpy(bytes, data, size);
    for (int is_mended = 0; is_mended < 2; is_mended++) {
        dw_str text = dw__str_make((const char *) bytes, size);
        if (dw__index_head_parse(text, &head, NULL) == DW_OK &&
            dw__index_parse(&head,
                            dw__str_slice(text, DW_INDEX_HEAD_BYTES, (size_t) head.directory_bytes),
                            &index, NULL) == DW_OK) {
            check(&index);
        }
        mend(bytes, size);
    }
    return 0;
}
