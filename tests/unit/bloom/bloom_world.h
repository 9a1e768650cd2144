/*
 * Index files by hand: `count` data files "f0", "f1", ... of which file i has the items 10 i to
 * 10 i + 9 in the column "a" of the type bigint.
 */
#ifndef DWT_BLOOM_WORLD_H
#define DWT_BLOOM_WORLD_H

#include "bloom/index_file.h"

#include <stdio.h>

enum { DWT_ITEMS_A_FILE = 10 };

static inline dw_index_key
dwt_index_key(int64_t i)
{
    char path[32];
    snprintf(path, sizeof path, "f%lld", (long long) i);
    return dw__index_key(dw__str_from(path), 1000 + i, 5);
}

static inline dw_status
dwt_index_print(const dw_allocator *allocator, int64_t first, int64_t count, dw_strbuf *out,
                dw_error *err)
{
    dw_index_column column = {.name = DW_STR("a"),
                              .type = DW_STR("bigint"),
                              .options = {.fpp = 0.001, .expected_fpp_max = 1}};
    DW_AUTO(dw_index_writer_ptr) writer = NULL;
    DW_TRY(dw__index_writer_new(allocator, &column, 1, &writer, err));
    for (int64_t i = first; i < first + count; i++) {
        uint8_t filter[1024] = {0};
        dw_index_key key = dwt_index_key(i);
        size_t size = dw__bloom_size(DWT_ITEMS_A_FILE, 0.001);
        for (int64_t k = 0; k < DWT_ITEMS_A_FILE; k++) {
            dw__bloom_insert(filter, size, dw__item_of_i64(DWT_ITEMS_A_FILE * i + k));
        }
        DW_TRY(dw__index_writer_add(writer, &key, err));
        DW_TRY(dw__index_writer_put(writer, 0, dw__str_make((const char *) filter, size), err));
    }
    return dw__index_writer_print(writer, out, err);
}

#endif
