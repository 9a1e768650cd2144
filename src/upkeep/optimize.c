/*
 * A run of OPTIMIZE: passes over the table until nothing of it was lost to other writers.
 */
#include "upkeep/optimize.h"

#include "protocol/feature.h"
#include "upkeep/bloom_index.h"
#include "upkeep/optimize_core.h"

/* How often bins that other writers took files of are tried again. */
#define PASSES_MAX 3

dw_status
dw__optimize_put_bin(dw_optimize *o, size_t partition_idx, const dw_file_ref *files, size_t count,
                     int64_t size_bytes, dw_error *err)
{
    dw_file_ref *copy = DW_ARENA_ARRAY(&o->arena, dw_file_ref, count + 1);
    dw_optimize_bin *bin = DW_VEC_PUSH(o->arena.allocator, &o->bins);
    if (copy == NULL || bin == NULL) {
        return dw__error_oom(err);
    }
    memcpy(copy, files, count * sizeof(*copy));
    *bin = (dw_optimize_bin){
        .files = copy, .count = count, .size_bytes = size_bytes, .partition_idx = partition_idx};
    return DW_OK;
}

/* ---- One pass -------------------------------------------------------------------------------- */

static void
count_considered(dw_optimize *o)
{
    size_t chosen = 0;
    for (size_t i = 0; i < o->bins.count; i++) {
        chosen += o->bins.items[i].count;
    }
    o->result->files_considered = (int64_t) o->file_count;
    o->result->files_skipped = (int64_t) (o->file_count - chosen);
}

/* What would be done: each bin would become a file of at most the size of its files, or as many as
 * its tiles. */
static void
tell_bins(dw_optimize *o)
{
    dw_optimize_result *result = o->result;
    size_t last = SIZE_MAX;
    const dw_file_set *set = dw__log_snapshot_files(o->snapshot);
    for (size_t i = 0; i < o->bins.count; i++) {
        const dw_optimize_bin *bin = &o->bins.items[i];
        size_t files = o->columns.count == 0 ? 1 : dw__optimize_tile_count(o, bin);
        for (size_t k = 0; k < files; k++) {
            dw__file_figures_add(&result->added, bin->size_bytes / (int64_t) files);
        }
        for (size_t k = 0; k < bin->count; k++) {
            dw__optimize_count_removed(result, set, bin->files[k]);
        }
        result->partitions_optimized += bin->partition_idx != last ? 1 : 0;
        last = bin->partition_idx;
        result->bin_count++;
    }
}

static dw_status
run_pass(dw_optimize *o, bool is_first, dw_error *err)
{
    const dw_optimize_spec *spec = o->spec;
    DW_TRY(dw__log_snapshot(dw__table_log(spec->table), &o->snapshot, err));
    DW_TRY(dw__protocol_check_write(dw__log_snapshot_protocol(o->snapshot),
                                    dw__log_snapshot_schema(o->snapshot), err));
    o->target_size_bytes = spec->target_size_bytes > 0 ? spec->target_size_bytes
                                                       : dw__optimize_target_size(o->snapshot);
    DW_TRY(dw__optimize_choose_strategy(o, err));
    DW_TRY(dw__optimize_find_files(o, err));
    DW_TRY(dw__optimize_may_copy(o, &o->may_copy, err));
    DW_TRY(o->strategy->choose(o, err));
    if (is_first) {
        count_considered(o);
        dw__optimize_advise(o);
    }
    if (o->upkeep->dry_run) {
        tell_bins(o);
        return DW_OK;
    }
    o->result->bins_lost = 0;
    o->result->partitions_open = is_first ? o->result->partitions_open : 0;
    return dw__optimize_run_bins(o, err);
}

static void
close_pass(dw_optimize *o)
{
    DW_VEC_DEINIT(o->arena.allocator, &o->bins);
    DW_VEC_DEINIT(o->arena.allocator, &o->unsynced);
    dw__log_snapshot_unref(o->snapshot);
    dw__arena_deinit(&o->arena);
}

/* ---- The run --------------------------------------------------------------------------------- */

dw_status
dw__optimize(const dw_upkeep *upkeep, const dw_optimize_spec *spec, dw_optimize_result *out,
             dw_error *err)
{
    *out = (dw_optimize_result){.version = -1, .start_ms = dw__env_now_ms(upkeep->env)};
    dw_status status = DW_OK;
    bool is_again = true;
    for (int pass = 0; pass < PASSES_MAX && is_again && status == DW_OK; pass++) {
        dw_optimize o = {.upkeep = upkeep, .spec = spec, .result = out};
        dw__arena_init(&o.arena, upkeep->env->allocator);
        status = run_pass(&o, pass == 0, err);
        is_again = out->bins_lost > 0 && !dw__upkeep_is_over(upkeep);
        close_pass(&o);
    }
    out->end_ms = dw__env_now_ms(upkeep->env);
    if (status == DW_OK) {
        dw__bloom_index_keep_up(upkeep, spec->table);
    }
    return status;
}
