/*
 * Lean snapshots, and going through the files of one. [LEAN-1]
 */
#include "log/lean.h"

#include "log/load.h"
#include "log/log_core.h"

/* What the log has anyway costs nothing more. */
dw_status
dw__log_snapshot_lean(dw_log *log, dw_log_snapshot **out, dw_error *err)
{
    pthread_mutex_lock(&log->mutex);
    bool is_cached = log->cached != NULL;
    pthread_mutex_unlock(&log->mutex);
    return is_cached ? dw__log_snapshot(log, out, err) : dw__load_lean(log, out, err);
}

/* ---- Visits ---------------------------------------------------------------------------------- */

/* A visit of the files of a lean snapshot. */
typedef struct files_visit {
    const dw_log_snapshot *snapshot;
    dw_files_visitor visit;
    void *ctx;
} files_visit;

/* Files of the checkpoint, without those of which the tail says something else. */
static dw_status
visit_below_tail(void *ctx, dw_file_set *files, dw_error *err)
{
    files_visit *v = ctx;
    DW_TRY(dw__file_set_kill_keys(files, v->snapshot->tail_adds, err));
    DW_TRY(dw__file_set_kill_keys(files, v->snapshot->tail_removes, err));
    return v->visit(v->ctx, files, err);
}

dw_status
dw__log_snapshot_visit_files(const dw_log_snapshot *snapshot, dw_files_visitor visit, void *ctx,
                             dw_error *err)
{
    if (!dw__snapshot_is_lean(snapshot)) {
        return visit(ctx, snapshot->files, err);
    }
    files_visit v = {snapshot, visit, ctx};
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__checkpoint_visit_adds(snapshot->checkpoint, snapshot->definition,
                                                 visit_below_tail, &v, &cause);
    if (status == DW_OK) {
        return visit(ctx, snapshot->files, err);
    }
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, &cause);
        return status;
    }
    DW_AUTO(dw_log_snapshot_ptr) again = NULL; /* it knows what else to read */
    DW_TRY(dw__load_version(snapshot->log, snapshot->version, &again, err));
    return visit(ctx, again->files, err);
}
