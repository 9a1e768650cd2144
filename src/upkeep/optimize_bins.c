/*
 * Bins of small files. [OPTIMIZE-2]
 *
 * A file is small when it has less than half of the size that files should have, and a bin holds
 * no more than that size. So a bin that is full is not small, and what does not fit into it begins
 * the next one: the second run finds at most one small file in each row of bins, and a file alone
 * is no bin.
 */
#include "table/file_rewrite.h"
#include "upkeep/optimize_core.h"

#define MIB ((int64_t) 1 << 20)
#define GIB ((int64_t) 1 << 30)
/* Files of 256 MB are enough for tables up to this size, and of 1 GB for those of four times that:
 * some ten thousand files. */
#define SIZE_DEFAULT (256 * MIB)
#define SIZE_MAX_DEFAULT GIB
#define FILES_AIM ((int64_t) 10240)

int64_t
dw__optimize_target_size(const dw_log_snapshot *snapshot)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    if (dw__pairs_get(&metadata->configuration, DW_STR("delta.targetFileSize")) != NULL) {
        return dw__log_snapshot_properties(snapshot)->target_file_size_bytes;
    }
    int64_t size = dw__file_set_size_bytes(dw__log_snapshot_files(snapshot)) / FILES_AIM;
    return size < SIZE_DEFAULT ? SIZE_DEFAULT : size > SIZE_MAX_DEFAULT ? SIZE_MAX_DEFAULT : size;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* The bin that is being filled. */
typedef struct packer {
    dw_optimize *o;
    size_t partition_idx;
    dw_file_ref *files;
    size_t count;
    int64_t size_bytes;
    bool has_due;
} packer;

static dw_status
close_bin(packer *p, dw_error *err)
{
    dw_status status = DW_OK;
    if (p->count > 1 || p->has_due) {
        status =
            dw__optimize_put_bin(p->o, p->partition_idx, p->files, p->count, p->size_bytes, err);
    }
    p->count = 0;
    p->size_bytes = 0;
    p->has_due = false;
    return status;
}

static dw_status
pack_file(packer *p, const dw_optimize_file *file, dw_error *err)
{
    if (p->count > 0 && file->size_bytes > p->o->target_size_bytes - p->size_bytes) {
        DW_TRY(close_bin(p, err));
    }
    p->files[p->count++] = file->ref;
    p->size_bytes += file->size_bytes;
    p->has_due = p->has_due || file->is_due;
    return DW_OK;
}

static bool
is_small(const dw_optimize *o, const dw_optimize_file *file)
{
    return file->size_bytes < o->target_size_bytes / 2;
}

/* While rows still come a partition is left alone, if the table says how long that is. */
static bool
is_closed(const dw_optimize *o, const dw_optimize_partition *partition)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(o->snapshot);
    const dw_str *age =
        dw__pairs_get(&metadata->configuration, DW_STR("deltaworks.closedPartitionAge"));
    int64_t age_ms;
    return age == NULL || o->spec->full || o->spec->purges || !dw__interval_parse(*age, &age_ms) ||
           dw__env_now_ms(o->upkeep->env) - partition->newest_ms >= age_ms;
}

static bool
is_worth_it(const dw_optimize *o, const dw_optimize_partition *partition)
{
    int64_t count = 0;
    for (size_t i = 0; i < partition->count; i++) {
        count += is_small(o, &o->files[partition->first + i]) ? 1 : 0;
    }
    return count >= o->spec->file_count_min;
}

static dw_status
pack_partition(packer *p, const dw_optimize_partition *partition, dw_error *err)
{
    const dw_optimize *o = p->o;
    for (size_t i = 0; i < partition->count; i++) {
        const dw_optimize_file *file = &o->files[partition->first + i];
        if (file->is_due || (is_small(o, file) && !o->spec->purges)) {
            DW_TRY(pack_file(p, file, err));
        } else if (partition->is_sorted) {
            DW_TRY(close_bin(p, err)); /* only neighbours go together */
        }
    }
    return close_bin(p, err);
}

static dw_status
choose(dw_optimize *o, dw_error *err)
{
    packer p = {.o = o};
    DW_TRY(o->spec->purges ? dw__optimize_find_dropped(o, err) : dw__optimize_order_files(o, err));
    p.files = DW_ARENA_ARRAY(&o->arena, dw_file_ref, o->file_count + 1);
    if (p.files == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < o->partition_count; i++) {
        p.partition_idx = i;
        const dw_optimize_partition *partition = &o->partitions[i];
        if (partition->count > 0 && !is_closed(o, partition)) {
            o->result->partitions_open++;
        } else if (is_worth_it(o, partition)) {
            DW_TRY(pack_partition(&p, partition, err));
        }
    }
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
write_bin(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
          dw_error *err)
{
    bool is_done = false;
    if (o->may_copy) {
        DW_TRY(dw__optimize_copy(o, bin, arena, out, &is_done, err));
    }
    if (is_done) {
        return DW_OK;
    }
    dw_file_rewrite rewrite = {.connection = o->upkeep->connection,
                               .files = bin->files,
                               .file_count = bin->count,
                               .as_one_file = true};
    dw_status status = dw__file_rewrite_rows(&rewrite, o->spec->table, o->snapshot, arena, err);
    *out = rewrite.written;
    return status;
}

const dw_optimize_strategy dw__optimize_packing = {.choose = choose, .write = write_bin};
