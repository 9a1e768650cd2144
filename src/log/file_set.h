/*
 * The live files of a snapshot, in compact columns: a million of them fit in some 150 MB and open
 * in a fraction of a second.
 *
 * A dw_file_block is an immutable, ref-counted run of adds from one source (a checkpoint or a run
 * of commits). A dw_file_set is a list of blocks with one bit a file that says whether it is still
 * live. A newer snapshot shares the blocks of the older one; only bits and the newest block differ.
 *
 *  [FILES-1] A block never changes after it is sealed; its lazily made parts (index, statistics)
 *            are made once, under its mutex.
 *  [FILES-2] At most one live file of a set has a given key (canonical path, deletion vector id).
 *  [FILES-3] The number of blocks stays logarithmic in the number of commits: small neighbours
 *            merge.
 */
#ifndef DW_LOG_FILE_SET_H
#define DW_LOG_FILE_SET_H

#include "engine/engine.h"
#include "protocol/action.h"
#include "protocol/file_histogram.h"

#define DW_FILES_MAX ((size_t) 1 << 31)

typedef struct dw_file_block dw_file_block;
typedef struct dw_file_set dw_file_set;

/* Names a file of a set: block and row. Stable for the block's life. */
typedef struct dw_file_ref {
    uint32_t block;
    uint32_t row;
} dw_file_ref;

size_t dw__file_set_count(const dw_file_set *set);         /* live files */
int64_t dw__file_set_size_bytes(const dw_file_set *set);   /* of live files */
size_t dw__file_set_dv_count(const dw_file_set *set);      /* live files with a deletion vector */
int64_t dw__file_set_deleted_rows(const dw_file_set *set); /* what those delete */
size_t dw__file_set_block_count(const dw_file_set *set);
/* The sizes and deleted rows of the live files; counted with the first call for a set or one that
 * it came from, so that the cost of a later set is that of its change. Borrowed from the set. */
DW_WARN_UNUSED dw_status dw__file_set_histogram(dw_file_set *set, const dw_file_histogram **out,
                                                dw_error *err);
dw_file_block *dw__file_set_block(const dw_file_set *set, size_t block_idx);

/* Iterates over the live files:
 *     dw_file_ref ref = {0, 0};
 *     for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) ... */
bool dw__file_set_first(const dw_file_set *set, dw_file_ref *ref);
bool dw__file_set_next(const dw_file_set *set, dw_file_ref *ref);
bool dw__file_set_is_live(const dw_file_set *set, dw_file_ref ref);

/* Cheap columns; strings are borrowed from the block. */
dw_str dw__file_set_path(const dw_file_set *set, dw_file_ref ref); /* as in the log, encoded */
int64_t dw__file_set_file_size(const dw_file_set *set, dw_file_ref ref);
int64_t dw__file_set_modification_time_ms(const dw_file_set *set, dw_file_ref ref);
/* The value of the partition column by its (physical) name; null string for NULL. */
dw_str dw__file_set_partition_value(const dw_file_set *set, dw_file_ref ref, dw_str column);
/* False when the file has none. PROTOCOL.md "Row Tracking" */
bool dw__file_set_base_row_id(const dw_file_set *set, dw_file_ref ref, int64_t *out);
bool dw__file_set_commit_version(const dw_file_set *set, dw_file_ref ref, int64_t *out);
/* The tags as a JSON object, and who clustered the file; null string: none. */
dw_str dw__file_set_tags(const dw_file_set *set, dw_file_ref ref);
dw_str dw__file_set_clustering_provider(const dw_file_set *set, dw_file_ref ref);
/* NULL when the file has none. Borrowed. */
const dw_dv_descriptor *dw__file_set_dv(const dw_file_set *set, dw_file_ref ref);
/*
 * The path and the deletion vector, by which files are told apart; nothing else is set. Borrowed.
 */
dw_file dw__file_set_key(const dw_file_set *set, dw_file_ref ref);
/* The whole add, in `arena`, statistics included (this may read the checkpoint again). */
DW_WARN_UNUSED dw_status dw__file_set_get(dw_file_set *set, dw_file_ref ref, dw_arena *arena,
                                          dw_file *out, dw_error *err);

/* The same for file after file: keeps the statistics of a block until another block is asked for,
 * so that a checkpoint is read once. A zeroed reader is ready. */
typedef struct dw_file_reader {
    struct dw_stats_chunk *chunk; /* NULL: none */
    const dw_file_set *set;       /* whose block it is */
    uint32_t block;
} dw_file_reader;
DW_WARN_UNUSED dw_status dw__file_reader_get(dw_file_reader *reader, dw_file_set *set,
                                             dw_file_ref ref, dw_arena *arena, dw_file *out,
                                             dw_error *err);
void dw__file_reader_deinit(dw_file_reader *reader);

/* Calls `visit` once for each live file with its statistics JSON (null string: none), block by
 * block, row by row. Blocks that came from a checkpoint read it again, unless it fits the cache. */
typedef dw_status (*dw_stats_visitor)(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err);
DW_WARN_UNUSED dw_status dw__file_set_visit_stats(dw_file_set *set, dw_stats_visitor visit,
                                                  void *ctx, dw_error *err);
/* A part of a visit, for several threads to share it: every file is in one of the parts, and those
 * of a block may be in several. */
typedef struct dw_stats_share {
    size_t idx, count;
} dw_stats_share;
/* The same for the blocks with wanted[block_idx] only. */
DW_WARN_UNUSED dw_status dw__file_set_visit_block_stats(dw_file_set *set, const bool *wanted,
                                                        dw_stats_share share,
                                                        dw_stats_visitor visit, void *ctx,
                                                        dw_error *err);
/* How many files' statistics such a visit would be the first to read from checkpoints. */
size_t dw__file_set_unread_stats(const dw_file_set *set, const bool *wanted);

/* A place for one derived value a block, made by whoever plans scans (typed statistics columns):
 * kept with the block, released by `release` with it. Thread-safe: the first store wins. */
void *dw__file_block_cache_get(dw_file_block *block, dw_str name);
/* Returns what is in the cache afterwards; when another was first, releases `value`. */
void *dw__file_block_cache_put(dw_file_block *block, dw_str name, void *value,
                               void (*release)(void *value));
size_t dw__file_block_row_count(const dw_file_block *block);

#endif
