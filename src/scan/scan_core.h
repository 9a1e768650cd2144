/*
 * Inside of dw_scan: what is bound on the connection for each occurrence of a table.
 */
#ifndef DW_SCAN_SCAN_CORE_H
#define DW_SCAN_SCAN_CORE_H

#include "scan/dv.h"
#include "scan/plan.h"
#include "scan/prune.h"
#include "scan/scan.h"

typedef struct dw_bound_source {
    dw_str name;
    dw_log_snapshot *snapshot; /* one reference */
    dw_file_ref *files;
    size_t file_count;
    dw_str *paths;            /* of the files, as the engine opens them */
    dw_str *partition_values; /* file by file; NULL when there are no partition columns */
    dw_dv_list deleted;
    bool has_only_deleted; /* the view has the rows of `deleted` and no others */
    bool with_positions;
    dw_scan_report report;
    bool is_bound;
} dw_bound_source;

struct dw_scan {
    const dw_env *env;
    dw_connection *connection; /* borrowed, and so is the database */
    dw_database *database;
    dw_arena arena;
    dw_bound_source *sources;
    size_t count;
};

/* Plans a statement over stubs of the sources, which have names and scopes, and fills their
 * predicates. */
DW_WARN_UNUSED dw_status dw__scan_plan_sources(dw_database *database, const dw_env *env, dw_str sql,
                                               dw_plan_source *sources, size_t count,
                                               dw_arena *arena, dw_error *err);
/* Prunes the files of a snapshot by the predicate of its source. */
DW_WARN_UNUSED dw_status dw__scan_prune(dw_log_snapshot *snapshot, const dw_plan_source *source,
                                        dw_arena *arena, dw_prune_result *out,
                                        dw_scan_report *report_out, dw_error *err);

#endif
