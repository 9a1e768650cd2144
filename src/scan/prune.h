/*
 * Which files of a set a predicate cannot exclude.
 *
 *  [PRUNE-1] A file is left out only when its facts rule out that the predicate is TRUE for any
 *            row; what is wrong with its statistics or partition values keeps it in.
 *  [PRUNE-2] Facts are made once for a block and column, and kept with the block.
 *  [PRUNE-3] A file is said to be wanted whole only when its facts leave no other outcome than
 *            TRUE.
 */
#ifndef DW_SCAN_PRUNE_H
#define DW_SCAN_PRUNE_H

#include "log/file_set.h"
#include "scan/predicate.h"

typedef struct dw_prune_result {
    dw_file_ref *files; /* in the order of the set */
    size_t count;
    size_t count_after_partitions; /* files that partition values alone cannot exclude */
    int64_t size_bytes;            /* of `files` */
} dw_prune_result;

/* The result lives in `arena`. */
DW_WARN_UNUSED dw_status dw__prune(const dw_allocator *allocator, dw_file_set *set,
                                   const dw_predicate_scope *scope, const dw_predicate *predicate,
                                   dw_arena *arena, dw_prune_result *out, dw_error *err);

/* Sets whole[i] for each of the files whose facts rule out that the predicate is anything but TRUE
 * for a row. [PRUNE-3] */
DW_WARN_UNUSED dw_status dw__prune_find_whole(const dw_allocator *allocator, dw_file_set *set,
                                              const dw_predicate_scope *scope,
                                              const dw_predicate *predicate,
                                              const dw_file_ref *files, size_t count,
                                              dw_arena *arena, bool *whole, dw_error *err);

#endif
