/*
 * The pages of a column chunk: their heads, and their bytes without compression.
 */
#ifndef DW_PARQUET_PAGE_H
#define DW_PARQUET_PAGE_H

#include "parquet/footer.h"

/* Bytes behind what a page or a chunk holds that may be read. */
#define DW_PQ_SLACK 64

/* Memory that is used again for one page after the other. */
typedef struct dw_pq_buffer {
    const dw_allocator *allocator;
    char *ptr;
    size_t capacity;
} dw_pq_buffer;

/* Room for `size` bytes and the slack; what was there is lost. False when out of memory. */
bool dw__pq_buffer_reserve(dw_pq_buffer *buffer, size_t size);
void dw__pq_buffer_deinit(dw_pq_buffer *buffer);

typedef enum dw_pq_encoding {
    DW_PQ_ENCODING_PLAIN = 0,
    DW_PQ_ENCODING_PLAIN_DICTIONARY = 2,
    DW_PQ_ENCODING_RLE = 3,
    DW_PQ_ENCODING_RLE_DICTIONARY = 8
} dw_pq_encoding;

typedef struct dw_pq_page_head {
    bool is_dictionary;
    bool is_second_version; /* its levels stand before what is compressed */
    bool is_compressed;
    bool has_other_levels; /* than RLE */
    int64_t size_bytes;    /* as it stands there */
    int64_t plain_size_bytes;
    int64_t value_count;
    int64_t encoding;
    int64_t defs_size_bytes, reps_size_bytes; /* of the second version */
} dw_pq_page_head;

/* The bytes of a page. */
typedef struct dw_pq_page {
    dw_str reps, defs; /* runs */
    dw_str values;
} dw_pq_page;

/* A chunk that is read page by page. */
typedef struct dw_pq_pages {
    const dw_allocator *allocator;
    dw_str rest; /* with DW_PQ_SLACK more bytes of memory behind it */
    int64_t codec;
    void *zstd; /* made when it is needed */
} dw_pq_pages;

/* Reads the head of the next page of data or dictionary; DW_UNSUPPORTED when it is odd or there is
 * none. */
DW_WARN_UNUSED dw_status dw__pq_page_head(dw_pq_pages *pages, dw_pq_page_head *out, dw_error *err);
/* Passes over its bytes. */
void dw__pq_page_pass(dw_pq_pages *pages, const dw_pq_page_head *head);
/* Gives its bytes, in `buffer` or where they stood, and passes over them. The column has levels of
 * repetition, or of definition. */
DW_WARN_UNUSED dw_status dw__pq_page_open(dw_pq_pages *pages, const dw_pq_page_head *head,
                                          const dw_pq_node *leaf, dw_pq_buffer *buffer,
                                          dw_pq_page *out, dw_error *err);
void dw__pq_pages_deinit(dw_pq_pages *pages);

#endif
