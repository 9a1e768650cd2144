/*
 * Goes through the files, those first that visibly lack something, and commits again those whose
 * statistics can be better. Modelled on the reference's StatisticsCollection.recompute.
 */
#include "upkeep/analyze.h"

#include "base/map.h"
#include "protocol/feature.h"
#include "table/change.h"
#include "upkeep/analyze_core.h"

/* What is committed at once. */
#define BATCH_FILES_MAX ((size_t) 50000)
#define BATCH_BYTES_MAX ((size_t) 64 << 20)
#define BATCH_US_MAX ((int64_t) 120 * 1000 * 1000)
#define CONFLICTS_MAX 100

/* Files that are to be committed again. */
typedef struct batch {
    dw_arena arena;
    struct {
        dw_file *items;
        size_t count, capacity;
    } adds;
    size_t bytes; /* of statistics */
    int64_t start_us;
} batch;

/* Files that are measured together. */
typedef struct chunk {
    dw_arena arena;
    dw_analyze_file files[DW_ANALYZE_FILES];
    size_t count;
} chunk;

typedef struct walk {
    dw_analyzing *a;
    dw_file_reader reader;
    dw_arena scratch; /* of one file */
    chunk chunk;
    batch batch;
    bool lacks;   /* of this pass: files that visibly lack something; else the others */
    int64_t seen; /* in all passes */
} walk;

static int64_t
now_us(const dw_analyzing *a)
{
    return a->upkeep->env->ops->monotonic_us(a->upkeep->env->ctx);
}

/* ---- Committing ------------------------------------------------------------------------------ */

/* What tells a file and its deletion vector from others. */
static dw_status
key_of(const dw_file *file, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str id;
    DW_TRY(dw__dv_unique_id(file->dv, arena, &id, err));
    *out = dw__arena_printf(arena, "%.*s\n%.*s", DW_STR_ARG(file->path), (int) id.len,
                            dw__str_is_null(id) ? "" : id.ptr);
    return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
}

/* Takes the add of a file as it is now, with the statistics that were made for it. */
static dw_status
renew_add(const dw_map *by_key, const dw_file *now, batch *b, bool *is_there, dw_arena *scratch,
          dw_error *err)
{
    dw_str key;
    DW_TRY(key_of(now, scratch, &key, err));
    const dw_map_value *slot = dw__map_get(by_key, key);
    if (slot == NULL) {
        return DW_OK;
    }
    dw_file *add = &b->adds.items[slot->i64];
    dw_str stats = add->stats;
    is_there[slot->i64] = true;
    if (!dw__file_dup(&b->arena, now, add)) {
        return dw__error_oom(err);
    }
    add->stats = stats;
    add->data_change = false;
    return DW_OK;
}

static dw_status
look_again(batch *b, dw_log_snapshot *snapshot, dw_map *by_key, bool *is_there, dw_arena *scratch,
           dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(snapshot);
    dw_file_reader reader = {0};
    dw_status status = DW_OK;
    dw_file_ref ref;
    for (size_t i = 0; i < b->adds.count; i++) {
        dw_str key;
        DW_TRY(key_of(&b->adds.items[i], &b->arena, &key, err));
        dw_map_value *slot = dw__map_put(by_key, key, NULL);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        slot->i64 = (int64_t) i;
    }
    for (bool ok = dw__file_set_first(files, &ref); ok && status == DW_OK;
         ok = dw__file_set_next(files, &ref)) {
        dw_file now;
        dw__arena_reset(scratch);
        status = dw__file_reader_get(&reader, files, ref, scratch, &now, err);
        if (status == DW_OK) {
            status = renew_add(by_key, &now, b, is_there, scratch, err);
        }
    }
    dw__file_reader_deinit(&reader);
    return status;
}

/* Another writer was first: files that it took, or gave deleted rows, are left to the next run. */
static dw_status
renew(walk *w, dw_log_snapshot *snapshot, dw_error *err)
{
    batch *b = &w->batch;
    size_t kept = 0;
    DW_AUTO(dw_arena) scratch;
    DW_AUTO(dw_map) by_key;
    dw__arena_init(&scratch, b->arena.allocator);
    dw__map_init(&by_key, b->arena.allocator);
    bool *is_there = DW_ARENA_ARRAY(&b->arena, bool, b->adds.count + 1);
    if (is_there == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(look_again(b, snapshot, &by_key, is_there, &scratch, err));
    for (size_t i = 0; i < b->adds.count; i++) {
        if (is_there[i]) {
            b->adds.items[kept++] = b->adds.items[i];
        }
    }
    w->a->result->lost_count += (int64_t) (b->adds.count - kept);
    b->adds.count = kept;
    return DW_OK;
}

static dw_status
describe(const batch *b, dw_change *change, dw_error *err)
{
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(b->arena.allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    dw__change_put_metric(&metrics, "numFilesRecomputed", (int64_t) b->adds.count);
    dw__strbuf_append_char(&metrics, '}');
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    change->operation = "COMPUTE STATS"; /* as the reference calls it */
    change->parameters_json = DW_STR("{\"predicate\":\"[]\"}");
    return dw__arena_dup(change->arena, dw__strbuf_str(&metrics), &change->metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
try_commit(walk *w, dw_log_snapshot *snapshot, dw_error *err)
{
    batch *b = &w->batch;
    dw_change change;
    dw_txn_result done;
    DW_TRY(dw__change_init(&change, w->a->table, snapshot, &b->arena, b->adds.count, err));
    dw_str *paths = DW_ARENA_ARRAY(&b->arena, dw_str, b->adds.count + 1);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < b->adds.count; i++) {
        dw_action action = {.kind = DW_ACTION_ADD, .as.file = b->adds.items[i]};
        paths[i] = action.as.file.path;
        dw__change_put(&change, &action);
    }
    change.rearranges = true;
    change.limits = w->a->upkeep->limits;
    change.recommits_files = true;
    change.read_paths = paths;
    change.read_path_count = b->adds.count;
    DW_TRY(describe(b, &change, err));
    DW_TRY(dw__change_commit(&change, &done, err));
    w->a->result->version = done.version >= 0 ? done.version : w->a->result->version;
    return DW_OK;
}

static dw_status
commit_against(walk *w, dw_log_snapshot *snapshot, int attempt, bool *again_out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = try_commit(w, snapshot, &cause);
    *again_out = status == DW_CONFLICT && attempt < CONFLICTS_MAX;
    if (status != DW_OK && !*again_out) {
        dw__error_copy(err, &cause);
        return status;
    }
    return DW_OK;
}

static dw_status
commit(walk *w, dw_error *err)
{
    bool again = false;
    DW_TRY(commit_against(w, w->a->snapshot, 0, &again, err));
    for (int attempt = 1; again; attempt++) {
        DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
        DW_TRY(dw__log_snapshot(dw__table_log(w->a->table), &newest, err));
        DW_TRY(renew(w, newest, err));
        if (w->batch.adds.count == 0) {
            return DW_OK;
        }
        DW_TRY(commit_against(w, newest, attempt, &again, err));
    }
    return DW_OK;
}

static dw_status
end_batch(walk *w, dw_error *err)
{
    dw_status status = w->batch.adds.count == 0 ? DW_OK : commit(w, err);
    w->batch.adds.count = 0;
    w->batch.bytes = 0;
    w->batch.start_us = now_us(w->a);
    dw__arena_reset(&w->batch.arena);
    return status;
}

static bool
is_full(const walk *w)
{
    return w->batch.adds.count >= BATCH_FILES_MAX || w->batch.bytes >= BATCH_BYTES_MAX ||
           now_us(w->a) - w->batch.start_us >= BATCH_US_MAX;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static dw_status
keep(walk *w, const dw_analyze_file *file, dw_str stats, dw_error *err)
{
    batch *b = &w->batch;
    w->a->result->done_count++;
    if (w->a->upkeep->dry_run) {
        return DW_OK;
    }
    dw_file add = file->add;
    add.stats = stats;
    add.data_change = false;
    dw_file *slot = DW_VEC_PUSH(b->arena.allocator, &b->adds);
    if (slot == NULL || !dw__file_dup(&b->arena, &add, slot)) {
        b->adds.count -= slot == NULL ? 0 : 1;
        return dw__error_oom(err);
    }
    b->bytes += stats.len;
    return DW_OK;
}

static dw_status
judge(walk *w, const dw_analyze_file *file, dw_error *err)
{
    dw_analyze_verdict verdict;
    dw_str stats;
    dw_analyze_result *result = w->a->result;
    DW_TRY(dw__analyze_judge(w->a, file, &w->chunk.arena, &verdict, &stats, err));
    result->file_count++;
    switch (verdict) {
    case DW_STATS_RIGHT:
        return DW_OK;
    case DW_STATS_MISSING:
        result->missing++;
        break;
    case DW_STATS_WRONG:
        result->wrong++;
        break;
    case DW_STATS_IMPRECISE:
        result->imprecise++;
        break;
    }
    return keep(w, file, stats, err);
}

static dw_status
end_chunk(walk *w, dw_error *err)
{
    chunk *c = &w->chunk;
    if (c->count > 0) {
        DW_TRY(dw__upkeep_check(w->a->upkeep, err));
        DW_TRY(dw__analyze_footers(w->a, c->files, c->count, &c->arena, err));
        if (!w->a->spec->only_footers) {
            DW_TRY(dw__analyze_rows(w->a, c->files, c->count, &c->arena, err));
        }
    }
    for (size_t i = 0; i < c->count; i++) {
        DW_TRY(judge(w, &c->files[i], err));
    }
    w->seen += (int64_t) c->count;
    dw__upkeep_progress(w->a->upkeep, w->seen,
                        (int64_t) dw__file_set_count(dw__log_snapshot_files(w->a->snapshot)));
    c->count = 0;
    memset(c->files, 0, sizeof c->files);
    dw__arena_reset(&c->arena);
    return is_full(w) ? end_batch(w, err) : DW_OK;
}

/* ---- The files ------------------------------------------------------------------------------- */

/* Values of these types are only counted, and not by most writers: what is said is checked. */
static bool
is_counted_only_if_said(const dw_type *type)
{
    return type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP;
}

static bool
is_ignored(const dw_type *type, const dw_column_stats *said)
{
    return type->kind == DW_TYPE_VARIANT || type->kind == DW_TYPE_VOID ||
           (is_counted_only_if_said(type) && !said->has_null_count);
}

/* What can be told without a look at the file: what there is to be known, and whether the add lacks
 * some of it. */
static dw_status
look_at_add(const dw_analyzing *a, dw_analyze_file *file, const dw_file *add, dw_arena *arena,
            bool *lacks_out, dw_error *err)
{
    dw_file_stats counts = {0};
    dw_column_stats *said = DW_ARENA_ARRAY(arena, dw_column_stats, a->leaf_count + 1);
    if (said == NULL ||
        (!dw__str_is_null(add->stats) &&
         !dw__stats_read(add->stats, a->paths, a->leaf_count, arena, &counts, said))) {
        return dw__error_oom(err);
    }
    *lacks_out = !counts.has_num_records || !counts.tight_bounds;
    for (size_t i = 0; i < a->leaf_count; i++) {
        const dw_type *type = a->paths[i].type;
        bool is_bounded = !dw__stats_has_bounds(type) || (said[i].has_min && said[i].has_max) ||
                          said[i].null_count == counts.num_records;
        file->leaves[i] = (dw_analyze_measure){.is_ignored = is_ignored(type, &said[i])};
        *lacks_out = *lacks_out || (a->leaves[i].is_wanted && !file->leaves[i].is_ignored &&
                                    (!said[i].has_null_count || !is_bounded));
    }
    return DW_OK;
}

static dw_status
take_file(walk *w, dw_file_ref ref, dw_error *err)
{
    chunk *c = &w->chunk;
    bool lacks = false;
    dw_file add;
    dw_analyze_file *file = &c->files[c->count];
    dw__arena_reset(&w->scratch);
    if (file->leaves == NULL) {
        file->leaves = DW_ARENA_ARRAY(&c->arena, dw_analyze_measure, w->a->leaf_count + 1);
    }
    if (file->leaves == NULL) {
        return dw__error_oom(err);
    }
    *file = (dw_analyze_file){.ref = ref, .leaves = file->leaves};
    DW_TRY(dw__file_reader_get(&w->reader, dw__log_snapshot_files(w->a->snapshot), ref, &w->scratch,
                               &add, err));
    DW_TRY(look_at_add(w->a, file, &add, &w->scratch, &lacks, err));
    if (lacks != w->lacks) {
        return DW_OK;
    }
    if (!dw__file_dup(&c->arena, &add, &file->add)) {
        return dw__error_oom(err);
    }
    c->count++;
    return c->count == DW_ANALYZE_FILES ? end_chunk(w, err) : DW_OK;
}

static dw_status
pass(walk *w, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(w->a->snapshot);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok && !dw__upkeep_is_over(w->a->upkeep);
         ok = dw__file_set_next(files, &ref)) {
        DW_TRY(take_file(w, ref, err));
    }
    return end_chunk(w, err);
}

static dw_status
walk_files(dw_analyzing *a, dw_error *err)
{
    walk w = {.a = a};
    dw__arena_init(&w.scratch, a->arena.allocator);
    dw__arena_init(&w.chunk.arena, a->arena.allocator);
    dw__arena_init(&w.batch.arena, a->arena.allocator);
    w.batch.start_us = now_us(a);
    w.lacks = true;
    dw_status status = pass(&w, err);
    if (status == DW_OK) {
        w.lacks = false;
        status = pass(&w, err);
    }
    if (status == DW_OK) {
        status = end_batch(&w, err);
    }
    a->result->left_count =
        (int64_t) dw__file_set_count(dw__log_snapshot_files(a->snapshot)) - w.seen;
    DW_VEC_DEINIT(a->arena.allocator, &w.batch.adds);
    dw__file_reader_deinit(&w.reader);
    dw__arena_deinit(&w.batch.arena);
    dw__arena_deinit(&w.chunk.arena);
    dw__arena_deinit(&w.scratch);
    return status;
}

/* ---- The columns ----------------------------------------------------------------------------- */

static bool
is_below(const dw_column_path *leaf, const dw_column_path *column)
{
    bool same = leaf->count >= column->count;
    for (size_t i = 0; i < column->count && same; i++) {
        same = dw__str_equal(leaf->parts[i], column->parts[i]);
    }
    return same;
}

static dw_status
want(dw_analyzing *a, const dw_cluster_column *column, dw_error *err)
{
    bool found = false;
    for (size_t i = 0; i < a->leaf_count; i++) {
        if (is_below(&a->paths[i], &column->path)) {
            a->leaves[i].is_wanted = true;
            found = true;
        }
    }
    return found ? DW_OK
                 : dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_WITHOUT_STATISTICS",
                                 "expected columns that get statistics, found %.*s: raise "
                                 "delta.dataSkippingNumIndexedCols, or name it in "
                                 "delta.dataSkippingStatsColumns; partition columns need none",
                                 DW_STR_ARG(column->name));
}

static dw_status
choose_leaves(dw_analyzing *a, dw_error *err)
{
    dw_cluster_columns counted, asked;
    DW_TRY(dw__cluster_columns_counted(a->snapshot, &a->arena, &counted, err));
    a->leaves = DW_ARENA_ARRAY(&a->arena, dw_analyze_leaf, counted.count + 1);
    a->paths = DW_ARENA_ARRAY(&a->arena, dw_column_path, counted.count + 1);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(a->arena.allocator, DW_ANALYZE_TEXT_BYTES_MAX);
    if (a->leaves == NULL || a->paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < counted.count; i++) {
        dw_analyze_leaf *leaf = &a->leaves[i];
        *leaf =
            (dw_analyze_leaf){.column = counted.items[i], .is_wanted = a->spec->columns.count == 0};
        a->paths[i] = leaf->column.path;
        dw__strbuf_clear(&sql);
        dw__cluster_column_put(&leaf->column, &sql);
        DW_TRY(dw__strbuf_ok(&sql, "a column's name", err));
        if (!dw__arena_dup(&a->arena, dw__strbuf_str(&sql), &leaf->sql)) {
            return dw__error_oom(err);
        }
    }
    a->leaf_count = counted.count;
    DW_TRY(dw__cluster_columns_find(dw__log_snapshot_schema(a->snapshot), a->spec->columns,
                                    &a->arena, &asked, err));
    for (size_t i = 0; i < asked.count; i++) {
        DW_TRY(want(a, &asked.items[i], err));
    }
    return DW_OK;
}

static dw_status
run(dw_analyzing *a, dw_error *err)
{
    DW_TRY(dw__log_snapshot(dw__table_log(a->table), &a->snapshot, err));
    DW_TRY(dw__protocol_check_write(dw__log_snapshot_protocol(a->snapshot),
                                    dw__log_snapshot_schema(a->snapshot), err));
    DW_TRY(choose_leaves(a, err));
    return walk_files(a, err);
}

dw_status
dw__table_analyze(dw_table *table, const dw_upkeep *upkeep, const dw_analyze_spec *spec,
                  dw_analyze_result *out, dw_error *err)
{
    *out = (dw_analyze_result){.version = -1};
    dw_analyzing a = {.table = table, .upkeep = upkeep, .spec = spec, .result = out};
    dw__arena_init(&a.arena, dw__table_env(table)->allocator);
    dw_status status = run(&a, err);
    dw__log_snapshot_unref(a.snapshot);
    dw__arena_deinit(&a.arena);
    return status;
}
