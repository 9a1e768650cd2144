/*
 * See auto_compact.h.
 */
#include "upkeep/auto_compact.h"

#include "protocol/file_histogram.h"
#include "upkeep/optimize.h"

#define TARGET_BYTES (INT64_C(128) << 20)
#define FILES_MIN 50
#define TIME_US_MAX (INT64_C(60) * 1000 * 1000)

static bool
is_asked_for(const dw_log_snapshot *snapshot)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    const dw_str *value =
        dw__pairs_get(&metadata->configuration, DW_STR("delta.autoOptimize.autoCompact"));
    return value != NULL && (dw__str_equal_nocase(*value, DW_STR("true")) ||
                             dw__str_equal_nocase(*value, DW_STR("auto")) ||
                             dw__str_equal_nocase(*value, DW_STR("legacy")));
}

/* Counted with each commit, not anew: most commits bring too few files for any work. */
static dw_status
has_enough(const dw_log_snapshot *snapshot, bool *out, dw_error *err)
{
    const dw_file_histogram *histogram;
    uint64_t count = 0;
    DW_TRY(dw__file_set_histogram(dw__log_snapshot_files(snapshot), &histogram, err));
    for (size_t i = 0; i < DW_SIZE_BIN_COUNT && dw__size_bins[i] < TARGET_BYTES / 2; i++) {
        count += histogram->file_counts[i];
    }
    *out = count >= FILES_MIN;
    return DW_OK;
}

static dw_status
compact(const dw_upkeep *upkeep, dw_table *table, dw_error *err)
{
    bool enough = false;
    dw_optimize_result done;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    if (is_asked_for(snapshot)) {
        DW_TRY(has_enough(snapshot, &enough, err));
    }
    dw_optimize_spec spec = {.table = table,
                             .predicate = DW_STR_NULL,
                             .condition = DW_STR_NULL,
                             .is_auto = true,
                             .target_size_bytes = TARGET_BYTES,
                             .file_count_min = FILES_MIN};
    return enough ? dw__optimize(upkeep, &spec, &done, err) : DW_OK;
}

void
dw__auto_compact(const dw_upkeep *upkeep, dw_table *table)
{
    dw_error detail = DW_ERROR_INIT;
    dw_upkeep bounded = *upkeep;
    bounded.deadline_us = upkeep->env->ops->monotonic_us(upkeep->env->ctx) + TIME_US_MAX;
    if (compact(&bounded, table, &detail) != DW_OK) {
        dw__env_warn(upkeep->env, "the change is committed, but its files were not compacted: %s",
                     detail.message);
    }
}
