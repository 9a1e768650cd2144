/*
 * Inside of OPTIMIZE: the files that are looked at, the bins that are made of them, and the two
 * questions on which its kinds differ: which files become a bin, and how a bin is written.
 */
#ifndef DW_UPKEEP_OPTIMIZE_CORE_H
#define DW_UPKEEP_OPTIMIZE_CORE_H

#include "base/vec.h"
#include "table/clustering.h"
#include "table/data_files.h"
#include "upkeep/optimize.h"

typedef struct dw_optimize dw_optimize;

/* A file that meets the condition. */
typedef struct dw_optimize_file {
    dw_file_ref ref;
    size_t partition_idx;
    int64_t size_bytes; /* without what deleted rows take, about */
    bool is_due;        /* it has so many deleted rows that it is worth writing for itself */
} dw_optimize_file;

/* Files of one partition, in the order of the log: from `first` on in the list of files. */
typedef struct dw_optimize_partition {
    size_t first, count;
    int64_t size_bytes;
    int64_t newest_ms; /* when the last file was added */
    bool is_sorted;    /* the files are ranges of a column that do not overlap, in its order */
} dw_optimize_partition;

/* Files that are written again together. None of them is in another bin. */
typedef struct dw_optimize_bin {
    const dw_file_ref *files; /* in the order in which their rows are to stand */
    size_t count;
    int64_t size_bytes;
    size_t partition_idx; /* SIZE_MAX: of several */
} dw_optimize_bin;

struct dw_optimize_strategy {
    /* Puts bins by dw__optimize_put_bin. */
    dw_status (*choose)(dw_optimize *o, dw_error *err);
    /* Writes the rows of a bin anew, in `arena`, of which only the adds are kept; files that are
     * not durable are in o->unsynced. On failure none is left. */
    dw_status (*write)(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena,
                       dw_data_files *out, dw_error *err);
    /* The parameters zOrderBy and clusterBy, as JSON lists; NULL: "[]". */
    dw_str (*z_order_by)(const dw_optimize *o);
    dw_str (*cluster_by)(const dw_optimize *o);
};

typedef struct dw_optimize_bins {
    dw_optimize_bin *items;
    size_t count, capacity;
} dw_optimize_bins;

typedef struct dw_sync_requests {
    dw_sync_request *items;
    size_t count, capacity;
} dw_sync_requests;

/* One pass over one version of the table. */
struct dw_optimize {
    const dw_upkeep *upkeep;
    const dw_optimize_spec *spec;
    const dw_optimize_strategy *strategy;
    dw_optimize_result *result;
    dw_arena arena;
    dw_log_snapshot *snapshot;
    int64_t target_size_bytes;
    dw_optimize_file *files; /* by partition */
    size_t file_count;
    dw_optimize_partition *partitions;
    size_t partition_count;
    dw_optimize_bins bins;
    bool may_copy;              /* bytes of files, see below */
    dw_sync_requests unsynced;  /* files of the batch, of which the keys are in its arena */
    dw_cluster_columns columns; /* by which rows are ordered; none: they are not */
    dw_str column_names;        /* the same as a JSON list */
};

/* Appends a bin, whose list of files is copied. */
DW_WARN_UNUSED dw_status dw__optimize_put_bin(dw_optimize *o, size_t partition_idx,
                                              const dw_file_ref *files, size_t count,
                                              int64_t size_bytes, dw_error *err);
/* Fills files and partitions. */
DW_WARN_UNUSED dw_status dw__optimize_find_files(dw_optimize *o, dw_error *err);
/* Sorts the files of partitions that are sorted by a column. */
DW_WARN_UNUSED dw_status dw__optimize_order_files(dw_optimize *o, dw_error *err);
/* Makes files with dropped columns due. */
DW_WARN_UNUSED dw_status dw__optimize_find_dropped(dw_optimize *o, dw_error *err);
/* Tells how many partitions are too small to be worth it, and what to do. */
void dw__optimize_advise(dw_optimize *o);
/* Writes and commits the bins in batches, until the time is up. */
DW_WARN_UNUSED dw_status dw__optimize_run_bins(dw_optimize *o, dw_error *err);
/* True where bytes may be copied instead of values. */
DW_WARN_UNUSED dw_status dw__optimize_may_copy(dw_optimize *o, bool *out, dw_error *err);
/* Writes a bin by copying bytes; `copied_out` is false, and nothing is written, where its rows must
 * be decoded. */
DW_WARN_UNUSED dw_status dw__optimize_copy(dw_optimize *o, const dw_optimize_bin *bin,
                                           dw_arena *arena, dw_data_files *out, bool *copied_out,
                                           dw_error *err);
void dw__file_figures_add(dw_file_figures *figures, int64_t size_bytes);
/* Counts a file of the snapshot that goes. */
void dw__optimize_count_removed(dw_optimize_result *result, const dw_file_set *set,
                                dw_file_ref ref);
/* The size that files of a table should have: what it asks for, or what goes with its own. */
int64_t dw__optimize_target_size(const dw_log_snapshot *snapshot);

/* Sets `strategy`, unless the spec does, and `columns`. DW_INVALID_ARGUMENT (CLUSTERING_WITH_...,
 * ZORDERING_...). */
DW_WARN_UNUSED dw_status dw__optimize_choose_strategy(dw_optimize *o, dw_error *err);
/* The files that a bin becomes when it is clustered, about. */
size_t dw__optimize_tile_count(const dw_optimize *o, const dw_optimize_bin *bin);

/* Small files of a partition, packed in their order. */
extern const dw_optimize_strategy dw__optimize_packing;

#endif
