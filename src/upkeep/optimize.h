/*
 * OPTIMIZE and REORG ... APPLY (PURGE): writing files again so that a table reads faster, without a
 * change to its rows. PROTOCOL.md "Add File and Remove File", dataChange.
 *
 *  [OPTIMIZE-1] No row changes: values, ids and what deletion vectors left out stay as they are.
 *  [OPTIMIZE-2] A second run finds nothing to do, and commits nothing.
 *  [OPTIMIZE-3] It never aborts a writer. A bin of which another writer took a file is left out of
 *               the commit, and packed again from what is there then.
 *  [OPTIMIZE-4] What is committed is whole: a run that is stopped or killed leaves whole batches,
 *               and files that VACUUM finds.
 *  [OPTIMIZE-5] Files whose ranges of a column do not overlap are packed with their neighbours in
 *               it: they do not overlap afterwards. Rows keep their order in a file.
 */
#ifndef DW_UPKEEP_OPTIMIZE_H
#define DW_UPKEEP_OPTIMIZE_H

#include "table/clustering.h"
#include "upkeep/upkeep.h"

typedef struct dw_optimize_strategy dw_optimize_strategy;

typedef struct dw_optimize_spec {
    dw_table *table;
    dw_str predicate;      /* on partition columns, as it was written; null string: none */
    dw_str condition;      /* the same in the engine's SQL */
    dw_name_paths z_order; /* ZORDER BY; none: pack, or cluster as the table is clustered */
    bool full;             /* look at all files, also at those that are as they should be */
    bool purges;  /* REORG ... APPLY (PURGE): only files with deleted rows or dropped columns */
    bool is_auto; /* after a commit: see auto_compact.h */
    int64_t target_size_bytes;            /* 0: what the table asks for, or goes with its size */
    int64_t file_count_min;               /* small files that a partition must have; 0: two */
    const dw_optimize_strategy *strategy; /* NULL: bins of small files (optimize_core.h) */
    void *strategy_ctx;
} dw_optimize_spec;

#define DW_OPTIMIZE_ADVICE_SIZE 256

typedef struct dw_file_figures {
    int64_t count, size_bytes, size_min, size_max;
} dw_file_figures;

typedef struct dw_file_amount {
    int64_t count, size_bytes;
} dw_file_amount;

/* Of a clustered table: which of its files were in cubes, and what was chosen to be clustered. */
typedef struct dw_cube_figures {
    bool is_clustered; /* the others mean something */
    dw_file_amount in_cubes, others, merged;
    int64_t cube_count, merged_cube_count;
} dw_cube_figures;

typedef struct dw_optimize_result {
    int64_t version;                /* of the last commit; -1: nothing was committed */
    dw_file_figures added, removed; /* of a dry run: what would be, as far as it can be known */
    int64_t partitions_optimized;
    int64_t batch_count, bin_count;
    int64_t partitions_open;              /* left alone: see deltaworks.closedPartitionAge */
    int64_t partition_count;              /* looked at */
    int64_t partitions_small;             /* of which all files together are small */
    char advice[DW_OPTIMIZE_ADVICE_SIZE]; /* for a table of too many of these; "": none */
    int64_t bins_lost;                    /* to other writers, even when tried again */
    int64_t bins_left;                    /* there was no time for */
    int64_t files_considered, files_skipped;
    dw_cube_figures cubes;
    int64_t vectors_removed, deleted_rows_removed;
    int64_t start_ms, end_ms;
} dw_optimize_result;

/* DW_INVALID_ARGUMENT (NOT_A_PARTITION_COLUMN) for a condition on other columns, and what
 * dw__txn_commit returns. The result tells what was committed, also after a failure. */
DW_WARN_UNUSED dw_status dw__optimize(const dw_upkeep *upkeep, const dw_optimize_spec *spec,
                                      dw_optimize_result *out, dw_error *err);

#endif
