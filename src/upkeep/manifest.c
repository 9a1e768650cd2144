/*
 * See manifest.h.
 */
#include "upkeep/manifest.h"

#include "table/symlinks.h"

static dw_status
go_on(void *ctx, int64_t done, int64_t all, dw_error *err)
{
    const dw_upkeep *upkeep = ctx;
    dw__upkeep_progress(upkeep, done, all);
    return dw__upkeep_check(upkeep, err);
}

dw_status
dw__table_generate_manifest(dw_table *table, const dw_upkeep *upkeep, dw_manifest_result *out,
                            dw_error *err)
{
    *out = (dw_manifest_result){.version = -1};
    dw_upkeep told = *upkeep;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    dw_symlinks symlinks = {.table = table,
                            .snapshot = snapshot,
                            .dry_run = upkeep->dry_run,
                            .go_on = go_on,
                            .ctx = &told};
    DW_TRY(dw__symlinks_write(&symlinks, err));
    *out = (dw_manifest_result){.version = dw__log_snapshot_version(snapshot),
                                .list_count = symlinks.list_count,
                                .file_count = symlinks.file_count,
                                .removed_count = symlinks.removed_count};
    return DW_OK;
}
