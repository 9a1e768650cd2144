/*
 * What a table has, from its metadata alone: no data file is opened.
 *
 *  [STATISTICS-1] Numbers come from actions - files, their statistics and deletion vectors - and
 *                 not from what commits say of themselves.
 *  [STATISTICS-2] Where the statistics of one file lack its rows, the rows of all are unknown.
 */
#ifndef DW_STATISTICS_STATISTICS_H
#define DW_STATISTICS_STATISTICS_H

#include "log/log.h"

#define DW_STATISTICS_PARTITIONS_MAX ((size_t) 1000000)

/* Of some files. */
typedef struct dw_file_totals {
    int64_t files, bytes;
    int64_t rows;                 /* of the files that tell them, without those that are deleted */
    int64_t files_without_rows;   /* that do not */
    int64_t vectors, vector_rows; /* deletion vectors, and the rows that they delete */
} dw_file_totals;

/* What one file adds to them. `rows` -1: not told. */
typedef struct dw_file_figures {
    int64_t bytes, rows;
    int64_t vector_rows; /* -1: it has no deletion vector */
} dw_file_figures;

void dw__file_totals_add(dw_file_totals *totals, const dw_file_figures *file);
void dw__file_totals_remove(dw_file_totals *totals, const dw_file_figures *file);
dw_file_figures dw__file_figures_make(int64_t size_bytes, const dw_dv_descriptor *dv, dw_str stats);

/* Files by size; the last has no end. */
#define DW_STATISTICS_BIN_COUNT 13
typedef struct dw_size_bin {
    int64_t from_bytes, to_bytes; /* the end is excluded; -1: none */
    dw_file_totals totals;
} dw_size_bin;

typedef struct dw_partition_figures {
    const dw_str *values; /* in the order of the partition columns; null string: NULL */
    dw_file_totals totals;
    int64_t modified_ms; /* of its newest file */
} dw_partition_figures;

typedef struct dw_table_figures {
    dw_file_totals totals;
    int64_t smallest_bytes, largest_bytes; /* of a file; 0 where there is none */
    dw_size_bin bins[DW_STATISTICS_BIN_COUNT];
    dw_partition_figures *partitions; /* by their values; one without values where there are no
                                         partition columns */
    size_t partition_count;
} dw_table_figures;

/* In `arena`. DW_UNSUPPORTED (SIZE_LIMIT) beyond DW_STATISTICS_PARTITIONS_MAX. */
DW_WARN_UNUSED dw_status dw__statistics_collect(dw_log_snapshot *snapshot, dw_arena *arena,
                                                dw_table_figures *out, dw_error *err);

/* What lies in _delta_log now. */
typedef struct dw_log_figures {
    int64_t commits, compacted, checkpoints; /* of checkpoints: versions that have one */
    int64_t files, bytes;                    /* of these */
    int64_t first_version;                   /* of the commits; -1: none */
} dw_log_figures;
DW_WARN_UNUSED dw_status dw__statistics_log(dw_log *log, dw_log_figures *out, dw_error *err);

/* ---- Version by version ---------------------------------------------------------------------- */

typedef struct dw_version_figures {
    int64_t version, timestamp_ms;
    dw_str operation;     /* null string: the commit does not say */
    dw_file_totals after; /* the table as this version has it */
    bool has_changes;     /* false: the version before is not known any more */
    dw_file_totals added, removed;
    int64_t commit_bytes;
} dw_version_figures;

typedef dw_status (*dw_version_visitor)(void *ctx, const dw_version_figures *version,
                                        dw_error *err);
/* Visits the last `limit` versions that the log still has (0: all), oldest first. Commits are read
 * once, one after the other: memory is that of the live files, some 60 bytes each. */
DW_WARN_UNUSED dw_status dw__statistics_visit_versions(dw_log *log, int64_t limit,
                                                       dw_version_visitor visit, void *ctx,
                                                       dw_error *err);

#endif
