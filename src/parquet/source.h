/*
 * A Parquet file in storage, and the bytes of its footer.
 */
#ifndef DW_PARQUET_SOURCE_H
#define DW_PARQUET_SOURCE_H

#include "storage/storage.h"

#define DW_PQ_FOOTER_BYTES_MAX ((size_t) 64 << 20)
/* Behind the footer: its size, and four letters. */
#define DW_PQ_END_BYTES 8
#define DW_PQ_MAGIC "PAR1"

/* Where the chunks of a file are read from. */
typedef struct dw_pq_source {
    dw_storage *storage;
    dw_str key;
    int64_t size_bytes;
    int64_t modified_ms; /* by dw__pq_source_open */
} dw_pq_source;

/* Opens the file of a path that the engine would open. False when storage cannot, or has no such
 * file; `*storage_out` is the caller's to close. */
bool dw__pq_source_open(const dw_env *env, dw_str path, dw_storage **storage_out,
                        dw_pq_source *out);
/* Reads a range that must be there as a whole; DW_UNSUPPORTED (PARQUET_ODD) when it is not. */
DW_WARN_UNUSED dw_status dw__pq_source_read(const dw_pq_source *source, uint64_t offset, size_t len,
                                            dw_strbuf *out, dw_error *err);
/* Reads the footer, which is a part of what then stands in `bytes`: one of at least
 * DW_PQ_FOOTER_BYTES_MAX and DW_PQ_END_BYTES. DW_UNSUPPORTED (PARQUET_ODD). */
DW_WARN_UNUSED dw_status dw__pq_source_footer(const dw_pq_source *source, dw_strbuf *bytes,
                                              dw_str *footer_out, dw_error *err);
/* Appends what stands behind a footer: the size of what is in `footer`, and four letters. */
void dw__pq_footer_end(dw_strbuf *footer);

#endif
