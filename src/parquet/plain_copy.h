/*
 * A copy of a Parquet file that the engine reads as it should: its pages are not compressed where
 * the engine lacks the codec, which is LZ4 in Hadoop's frames, and Spark's `lz4`; and variants that
 * are whole are the groups of two binaries that they are, not marked as variants, as the engine
 * makes NULL of those that are JSON's null. Shredded ones have twins for that. Fields that have
 * ids have the names that the table gives them.
 *
 *  [COPY-1] Only a page at a time is in memory, and the footer.
 *  [COPY-2] Columns with other codecs are copied byte for byte. Indexes and filters, which tell of
 *           places in the file, are left out.
 */
#ifndef DW_PARQUET_PLAIN_COPY_H
#define DW_PARQUET_PLAIN_COPY_H

#include "parquet/names.h"
#include "parquet/source.h"

/* The largest copy. */
#define DW_PQ_COPY_BYTES_MAX ((uint64_t) 256 << 30)

/* Takes the bytes of the copy, piece by piece. */
typedef struct dw_pq_sink {
    dw_status (*put)(void *ctx, dw_str bytes, dw_error *err);
    void *ctx;
} dw_pq_sink;

/* True for a name that we give to data files. */
bool dw__pq_is_own_name(dw_str name);
/* False when what the name of a file says of its codec spares a look inside. */
bool dw__pq_may_need_copy(dw_str name);
/* What of a file stands in the way of the engine. */
typedef struct dw_pq_oddities {
    bool has_codec;    /* columns in a codec that the engine lacks */
    bool has_variants; /* marked ones that may be JSON's null; the copy has them without the mark */
    bool has_shredded; /* likewise; beside them the copy has twins (twin.h) */
    bool has_names;    /* fields that are found by name have other names than they should */
} dw_pq_oddities;

/* None for files that are odd in other ways or not there. */
DW_WARN_UNUSED dw_status dw__pq_find_oddities(const dw_pq_source *source, const dw_pq_names *names,
                                              dw_pq_oddities *out, dw_error *err);
/* Writes the copy, in which fields have those names. DW_CORRUPT (FILE_INVALID), DW_UNSUPPORTED
 * (PARQUET_ODD), and what the sink says.
 */
DW_WARN_UNUSED dw_status dw__pq_plain_copy(const dw_pq_source *source, const dw_pq_names *names,
                                           const dw_pq_sink *sink, dw_error *err);

#endif
