/*
 * VACUUM: removes the files below a table's root that nobody can need any more.
 *
 *  [VACUUM-1] Kept are the files of the current version, of every version that was the newest at
 *             some time within the retention, the change data of those, and whatever is younger
 *             than the retention: files of transactions that still run are. [UPKEEP-1]
 *  [VACUUM-2] When in doubt a file is kept: one whose name or hash agrees with that of a file that
 *             is needed, however its path is spelled in the log, is one that is needed.
 *  [VACUUM-3] Nothing outside of the root is touched, nor what is hidden, nor another table below
 *             the root.
 *  [VACUUM-4] Memory does not grow with the number of files that go: they wait in a file. Of one
 *             that stays a dry run holds 8 bytes and some room.
 */
#ifndef DW_UPKEEP_VACUUM_H
#define DW_UPKEEP_VACUUM_H

#include "engine/engine.h"
#include "upkeep/upkeep.h"

/* Removed files stay so long unless the table or the statement says otherwise. */
#define DW_VACUUM_DEFAULT_HOURS 2160
/* How short a retention may be without the check being switched off, unless the table says. */
#define DW_VACUUM_SAFE_HOURS 168
/* So many files a dry run names. */
#define DW_VACUUM_LISTED_MAX ((size_t) 1000)

typedef enum dw_vacuum_kind {
    DW_VACUUM_FULL,     /* whatever lies below the root */
    DW_VACUUM_LITE,     /* what commits since the last VACUUM removed */
    DW_VACUUM_INVENTORY /* what an inventory names */
} dw_vacuum_kind;

/* Takes one object of an inventory, whose key is its whole path. */
typedef dw_status (*dw_inventory_visitor)(void *ctx, const dw_object_meta *object, dw_error *err);

typedef struct dw_vacuum_spec {
    dw_vacuum_kind kind;
    bool has_retention;
    int64_t retention_ms; /* RETAIN */
    bool skips_check;     /* spark.databricks.delta.retentionDurationCheck.enabled = false */
    /* INVENTORY: visits its files (no directories). */
    dw_status (*visit_inventory)(void *ctx, dw_inventory_visitor visit, void *visit_ctx,
                                 dw_error *err);
    void *ctx;
} dw_vacuum_spec;

typedef struct dw_vacuum_result {
    int64_t found_count, found_bytes;     /* that nobody needs */
    int64_t deleted_count, deleted_bytes; /* of these; none in a dry run */
    int64_t failed_count;                 /* that could not be deleted */
    int64_t directory_count;              /* that were removed, being empty */
    int64_t first_version;                /* from here on versions can be read */
    int64_t version; /* of the last commit, also after a failure; -1: nothing was committed */
    bool is_over;    /* the time was up before all were deleted */
} dw_vacuum_result;

/* Errors: DW_INVALID_ARGUMENT (VACUUM_RETENTION_PERIOD_TOO_SHORT, CANNOT_VACUUM_LITE);
 * DW_UNSUPPORTED for a table that may not be written; DW_CANCELLED. The rows say what went, what
 * was kept and why.
 */
DW_WARN_UNUSED dw_status dw__table_vacuum(const dw_upkeep *upkeep, dw_table *table,
                                          const dw_vacuum_spec *spec, struct ArrowArrayStream *out,
                                          dw_vacuum_result *result_out, dw_error *err);

#endif
