/*
 * Bins become commits: a batch is written bin by bin, then committed as one version in which each
 * bin is a part for itself. [OPTIMIZE-3,4]
 */
#include "base/assert.h"
#include "table/change.h"
#include "upkeep/optimize_core.h"

#include <stdlib.h>

#define TEXT_BYTES_MAX ((size_t) 64 << 20)
/* What a batch may hold before it is committed: so much would be lost if the run were to end. */
#define BATCH_BYTES_MAX ((int64_t) 16 << 30)
#define BATCH_ACTIONS_MAX ((size_t) 200000)
#define BATCH_US_MAX ((int64_t) 120 * 1000 * 1000)

typedef struct batch {
    dw_optimize *o;
    dw_arena arena;
    size_t first, count;    /* bins */
    dw_data_files *written; /* of each */
    bool *left_out;         /* each */
    size_t action_count;
    int64_t size_bytes; /* of what goes */
    int64_t start_us;
} batch;

static int64_t
now_us(const dw_optimize *o)
{
    return o->upkeep->env->ops->monotonic_us(o->upkeep->env->ctx);
}

static const dw_optimize_bin *
bin_at(const batch *b, size_t idx)
{
    return &b->o->bins.items[b->first + idx];
}

static bool
is_full(const batch *b)
{
    return b->size_bytes >= BATCH_BYTES_MAX || b->action_count >= BATCH_ACTIONS_MAX ||
           now_us(b->o) - b->start_us >= BATCH_US_MAX;
}

/* ---- Figures --------------------------------------------------------------------------------- */

void
dw__file_figures_add(dw_file_figures *figures, int64_t size_bytes)
{
    bool is_first = figures->count == 0;
    figures->size_min = is_first || size_bytes < figures->size_min ? size_bytes : figures->size_min;
    figures->size_max = is_first || size_bytes > figures->size_max ? size_bytes : figures->size_max;
    figures->count++;
    figures->size_bytes += size_bytes;
}

void
dw__optimize_count_removed(dw_optimize_result *result, const dw_file_set *set, dw_file_ref ref)
{
    const dw_dv_descriptor *dv = dw__file_set_dv(set, ref);
    dw__file_figures_add(&result->removed, dw__file_set_file_size(set, ref));
    result->vectors_removed += dv != NULL ? 1 : 0;
    result->deleted_rows_removed += dv != NULL ? dv->cardinality : 0;
}

static void
count_bin(dw_optimize *o, const dw_optimize_bin *bin, const dw_data_files *written)
{
    const dw_file_set *set = dw__log_snapshot_files(o->snapshot);
    for (size_t i = 0; i < bin->count; i++) {
        dw__optimize_count_removed(o->result, set, bin->files[i]);
    }
    for (size_t i = 0; i < written->count; i++) {
        dw__file_figures_add(&o->result->added, written->adds[i].size_bytes);
    }
    o->result->bin_count++;
}

static int
compare_sizes(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a;
    int64_t y = *(const int64_t *) b;
    return x < y ? -1 : x > y;
}

/* Named as the reference names them. */
static void
put_sizes(dw_strbuf *json, const int64_t *sizes, size_t count)
{
    const struct {
        const char *name;
        size_t idx;
    } marks[] = {{"minFileSize", 0},
                 {"p25FileSize", count / 4},
                 {"p50FileSize", count / 2},
                 {"p75FileSize", count * 3 / 4},
                 {"maxFileSize", count - 1}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        dw__change_put_metric(json, marks[i].name, count == 0 ? 0 : sizes[marks[i].idx]);
    }
}

/* Of the bins that are not left out. */
static dw_status
print_metrics(const batch *b, dw_strbuf *json, dw_error *err)
{
    dw_optimize_result sum = {0};
    size_t count = 0;
    const dw_file_set *set = dw__log_snapshot_files(b->o->snapshot);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, json->allocator);
    int64_t *sizes = DW_ARENA_ARRAY(&scratch, int64_t, b->action_count + 1);
    if (sizes == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < b->count; i++) {
        for (size_t k = 0; k < bin_at(b, i)->count && !b->left_out[i]; k++) {
            dw__optimize_count_removed(&sum, set, bin_at(b, i)->files[k]);
        }
        for (size_t k = 0; k < b->written[i].count && !b->left_out[i]; k++) {
            sizes[count++] = b->written[i].adds[k].size_bytes;
            dw__file_figures_add(&sum.added, b->written[i].adds[k].size_bytes);
        }
    }
    qsort(sizes, count, sizeof *sizes, compare_sizes);
    dw__change_put_metric(json, "numRemovedFiles", sum.removed.count);
    dw__change_put_metric(json, "numRemovedBytes", sum.removed.size_bytes);
    dw__change_put_metric(json, "numAddedFiles", sum.added.count);
    dw__change_put_metric(json, "numAddedBytes", sum.added.size_bytes);
    dw__change_put_metric(json, "numDeletionVectorsRemoved", sum.vectors_removed);
    put_sizes(json, sizes, count);
    dw__strbuf_append_char(json, '}');
    return dw__strbuf_ok(json, "the operation's metrics", err);
}

static dw_status
count_left(void *ctx, dw_str *metrics_json_out, dw_error *err)
{
    batch *b = ctx;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(b->arena.allocator, TEXT_BYTES_MAX);
    DW_TRY(print_metrics(b, &json, err));
    return dw__arena_dup(&b->arena, dw__strbuf_str(&json), metrics_json_out) ? DW_OK
                                                                             : dw__error_oom(err);
}

static dw_str
list_of(const dw_optimize *o, dw_str (*columns)(const dw_optimize *o))
{
    return columns == NULL ? DW_STR("[]") : columns(o);
}

static dw_status
put_parameters(const batch *b, dw_change *change, dw_error *err)
{
    const dw_optimize *o = b->o;
    dw_str predicate = o->spec->predicate;
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(change->arena->allocator, TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(change->arena->allocator, TEXT_BYTES_MAX);
    dw__change_print_list(&list, &predicate, dw__str_is_null(predicate) ? 0 : 1);
    dw__change_put_parameter(&json, "predicate", dw__strbuf_str(&list));
    if (o->spec->purges) {
        dw__change_put_parameter(&json, "applyPurge", DW_STR("true"));
    } else {
        dw__change_put_parameter(&json, "zOrderBy", list_of(o, o->strategy->z_order_by));
        dw__change_put_parameter(&json, "clusterBy", list_of(o, o->strategy->cluster_by));
        dw__change_put_parameter(&json, "auto",
                                 o->spec->is_auto ? DW_STR("true") : DW_STR("false"));
        if (o->strategy->cluster_by != NULL || o->spec->full) {
            dw__change_put_parameter(&json, "isFull",
                                     o->spec->full ? DW_STR("true") : DW_STR("false"));
        }
    }
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&list, "the condition", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    return dw__arena_dup(change->arena, dw__strbuf_str(&json), &change->parameters_json)
               ? DW_OK
               : dw__error_oom(err);
}

/* ---- The commit ------------------------------------------------------------------------------ */

static dw_status
put_bin(const batch *b, size_t idx, dw_change *change, size_t *parts, dw_error *err)
{
    const dw_optimize_bin *bin = bin_at(b, idx);
    const dw_data_files *written = &b->written[idx];
    for (size_t i = 0; i < bin->count; i++) {
        parts[change->count] = idx;
        DW_TRY(dw__change_put_remove(change, bin->files[i], err));
        change->actions[change->count - 1].as.file.data_change = false;
    }
    for (size_t i = 0; i < written->count; i++) {
        dw_action action = {.kind = DW_ACTION_ADD, .as.file = written->adds[i]};
        action.as.file.data_change = false;
        parts[change->count] = idx;
        dw__change_put(change, &action);
    }
    return DW_OK;
}

static dw_status
make_change(batch *b, dw_change *change, dw_error *err)
{
    dw_optimize *o = b->o;
    size_t *parts = DW_ARENA_ARRAY(&b->arena, size_t, b->action_count + 1);
    b->left_out = DW_ARENA_ARRAY(&b->arena, bool, b->count + 1);
    if (parts == NULL || b->left_out == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__change_init(change, o->spec->table, o->snapshot, &b->arena, b->action_count, err));
    change->operation = o->spec->purges ? "REORG" : "OPTIMIZE";
    change->rearranges = true;
    change->limits = o->upkeep->limits;
    change->loses_row_ids = !dw__log_snapshot_properties(o->snapshot)->enable_row_tracking;
    for (size_t i = 0; i < b->count; i++) {
        DW_TRY(put_bin(b, i, change, parts, err));
    }
    change->parts = parts;
    change->left_out = b->left_out;
    change->count_left = count_left;
    change->count_ctx = b;
    DW_TRY(count_left(b, &change->metrics_json, err));
    return put_parameters(b, change, err);
}

static void
discard(const batch *b, bool only_left_out)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!only_left_out || b->left_out[i]) {
            dw__data_files_discard(b->o->spec->table, &b->written[i]);
        }
    }
}

static void
count_batch(const batch *b, int64_t version)
{
    dw_optimize_result *result = b->o->result;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < b->count; i++) {
        if (b->left_out[i]) {
            result->bins_lost++;
            continue;
        }
        count_bin(b->o, bin_at(b, i), &b->written[i]);
        result->partitions_optimized += bin_at(b, i)->partition_idx != last ? 1 : 0;
        last = bin_at(b, i)->partition_idx;
    }
    if (version >= 0) {
        result->batch_count++;
        result->version = version;
    }
}

static dw_status
commit_batch(batch *b, dw_error *err)
{
    dw_change change;
    dw_txn_result done;
    dw_sync_requests *unsynced = &b->o->unsynced;
    dw_status status = dw__storage_sync_many(dw__table_storage(b->o->spec->table), unsynced->items,
                                             unsynced->count, err);
    unsynced->count = 0;
    if (status == DW_OK && b->count > 0) {
        status = make_change(b, &change, err);
    }
    if (status != DW_OK || b->count == 0) {
        discard(b, false);
        return status;
    }
    status = dw__change_commit(&change, &done, err);
    if (status == DW_OK) {
        discard(b, true);
        count_batch(b, done.version);
    } else if (status != DW_AMBIGUOUS) {
        discard(b, false);
    }
    return status;
}

/* ---- The bins -------------------------------------------------------------------------------- */

/* What the commit needs of the files; writing them takes much more, which goes with each bin. */
static dw_status
keep_files(batch *b, const dw_data_files *files, size_t unsynced_before, dw_error *err)
{
    dw_sync_requests *unsynced = &b->o->unsynced;
    dw_data_files *kept = &b->written[b->count];
    *kept = *files;
    kept->adds = DW_ARENA_ARRAY(&b->arena, dw_file, files->count + 1);
    bool ok = kept->adds != NULL;
    for (size_t i = 0; i < files->count && ok; i++) {
        ok = dw__file_dup(&b->arena, &files->adds[i], &kept->adds[i]);
    }
    for (size_t i = unsynced_before; i < unsynced->count && ok; i++) {
        ok = dw__arena_dup(&b->arena, unsynced->items[i].key, &unsynced->items[i].key);
    }
    return ok ? DW_OK : dw__error_oom(err);
}

static dw_status
write_bin(batch *b, dw_error *err)
{
    dw_optimize *o = b->o;
    const dw_optimize_bin *bin = bin_at(b, b->count);
    dw_data_files written = {0};
    size_t unsynced_before = o->unsynced.count;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, b->arena.allocator);
    DW_TRY(dw__upkeep_check(o->upkeep, err));
    DW_TRY(o->strategy->write(o, bin, &scratch, &written, err));
    dw_status status = keep_files(b, &written, unsynced_before, err);
    if (status != DW_OK) {
        dw__data_files_discard(o->spec->table, &written);
        return status;
    }
    b->action_count += bin->count + written.count;
    b->size_bytes += bin->size_bytes;
    b->count++;
    return DW_OK;
}

/* From the first bin on, as many as make a batch or as there is time for. */
static dw_status
run_batch(batch *b, dw_error *err)
{
    dw_optimize *o = b->o;
    size_t left = o->bins.count - b->first;
    b->start_us = now_us(o);
    b->written = DW_ARENA_ARRAY(&b->arena, dw_data_files, left + 1);
    if (b->written == NULL) {
        return dw__error_oom(err);
    }
    while (b->count < left && !is_full(b) && !dw__upkeep_is_over(o->upkeep)) {
        dw_status status = write_bin(b, err);
        if (status != DW_OK) {
            discard(b, false);
            return status;
        }
        dw__upkeep_progress(o->upkeep, (int64_t) (b->first + b->count), (int64_t) o->bins.count);
    }
    return commit_batch(b, err);
}

dw_status
dw__optimize_run_bins(dw_optimize *o, dw_error *err)
{
    size_t done = 0;
    while (done < o->bins.count && !dw__upkeep_is_over(o->upkeep)) {
        batch b = {.o = o, .first = done};
        dw__arena_init(&b.arena, o->arena.allocator);
        dw_status status = run_batch(&b, err);
        done += b.count;
        dw__arena_deinit(&b.arena);
        DW_TRY(status);
    }
    o->result->bins_left = (int64_t) (o->bins.count - done);
    return DW_OK;
}
