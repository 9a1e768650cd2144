/*
 * Bins whose files are put together as they are: where nothing about their rows would change but
 * the file in which they stand, bytes are copied instead of values. [JOIN-1..3]
 */
#include "codec/codec.h"
#include "codec/uri.h"
#include "parquet/join.h"
#include "protocol/iceberg_compat.h"
#include "protocol/stats.h"
#include "protocol/type_widening.h"
#include "upkeep/file_columns.h"
#include "upkeep/optimize_core.h"

#define STATS_BYTES_MAX ((size_t) 64 << 20)
#define PATH_BYTES_MAX ((size_t) 16384)
/* Row groups of fewer rows, and bytes, are worth decoding and merging: an eighth of the engine's. A
 * reader spends more on finding its way through smaller ones than on their rows. */
#define GROUP_ROWS_MIN INT64_C(15360)
#define GROUP_BYTES_MIN ((int64_t) 4 << 20)

typedef struct copier {
    dw_optimize *o;
    const dw_optimize_bin *bin;
    dw_arena *arena;
    dw_pq_source *sources;
    dw_file *adds; /* of the files that go */
    dw_pq_join join;
} copier;

dw_status
dw__optimize_may_copy(dw_optimize *o, bool *out, dw_error *err)
{
    const dw_properties *properties = dw__log_snapshot_properties(o->snapshot);
    bool has_changes = false;
    /* Ids of rows would have to be written, older types to be widened. */
    *out = false;
    DW_TRY(
        dw__type_changes_find(dw__log_snapshot_schema(o->snapshot), &has_changes, &o->arena, err));
    *out = !has_changes && !properties->enable_row_tracking &&
           !properties->enable_iceberg_compat_v1 && !properties->enable_iceberg_compat_v2 &&
           !dw__writes_partition_columns(dw__log_snapshot_protocol(o->snapshot), properties);
    return DW_OK;
}

/* ---- What goes ------------------------------------------------------------------------------- */

/* False for a file outside of the table. */
static bool
key_of(dw_str path, dw_arena *arena, dw_str *out)
{
    return !dw__uri_is_absolute(path) && dw__uri_canonical(arena, path, out, NULL) == DW_OK &&
           dw__storage_key_check(*out, NULL) == DW_OK;
}

/* False when the files cannot be put together, or nobody knows. */
static dw_status
find_sources(copier *c, bool *found_out, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(c->o->snapshot);
    *found_out = false;
    c->sources = DW_ARENA_ARRAY(c->arena, dw_pq_source, c->bin->count + 1);
    c->adds = DW_ARENA_ARRAY(c->arena, dw_file, c->bin->count + 1);
    if (c->sources == NULL || c->adds == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < c->bin->count; i++) {
        dw_str key;
        DW_TRY(dw__file_set_get(set, c->bin->files[i], c->arena, &c->adds[i], err));
        if (c->adds[i].dv != NULL || !key_of(c->adds[i].path, c->arena, &key)) {
            return DW_OK;
        }
        c->sources[i] = (dw_pq_source){.storage = dw__table_storage(c->o->spec->table),
                                       .key = key,
                                       .size_bytes = c->adds[i].size_bytes};
    }
    *found_out = true;
    return DW_OK;
}

/* Our names say that a file is not in Spark's old calendar. */
static bool
has_old_values(const dw_pq_join *join)
{
    const dw_pq_spark *spark = &join->first.spark;
    return dw__pq_has_old_dates(spark) || dw__pq_has_old_int96(spark);
}

static bool
is_worth_it(const copier *c)
{
    const dw_pq_join *join = &c->join;
    int64_t groups = (int64_t) join->row_group_count;
    const dw_properties *properties = dw__log_snapshot_properties(c->o->snapshot);
    bool is_large = groups > 0 && (join->row_count / groups >= GROUP_ROWS_MIN ||
                                   join->size_bytes / groups >= GROUP_BYTES_MIN);
    return is_large && !join->has_hadoop_lz4 && !has_old_values(join) &&
           dw__file_has_only(&join->first, dw__log_snapshot_schema(c->o->snapshot),
                             properties->mapping_mode, NULL);
}

/* ---- What comes ------------------------------------------------------------------------------ */

static dw_status
merge_stats(copier *c, dw_str *out, bool *is_exact_out, dw_error *err)
{
    const dw_log_snapshot *snapshot = c->o->snapshot;
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    dw_column_path *columns;
    size_t column_count;
    dw_str *stats = DW_ARENA_ARRAY(c->arena, dw_str, c->bin->count + 1);
    if (stats == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < c->bin->count; i++) {
        stats[i] = c->adds[i].stats;
    }
    DW_TRY(dw__stats_columns_clustered(
        dw__log_snapshot_schema(snapshot), metadata->partition_columns,
        metadata->partition_column_count, dw__log_snapshot_properties(snapshot),
        dw__log_snapshot_clustering(snapshot), c->arena, &columns, &column_count, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(c->arena->allocator, STATS_BYTES_MAX);
    DW_TRY(dw__stats_merge(stats, c->bin->count, columns, column_count, c->arena, &text,
                           is_exact_out, err));
    return dw__arena_dup(c->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

/* Beside the first of the files that go. */
static dw_status
name_file(copier *c, dw_str *key_out, dw_str *path_out, dw_error *err)
{
    char uuid[DW_UUID_TEXT_SIZE];
    dw_str first = c->sources[0].key;
    size_t slash = dw__str_find_last(first, '/');
    size_t len = slash == SIZE_MAX ? 0 : slash + 1;
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(c->arena->allocator, PATH_BYTES_MAX);
    dw__uuid_make(c->o->upkeep->env, uuid);
    *key_out = dw__arena_printf(c->arena, "%.*spart-%s-0.parquet", (int) len, first.ptr, uuid);
    if (dw__str_is_null(*key_out)) {
        return dw__error_oom(err);
    }
    dw__uri_encode_path(&path, *key_out);
    DW_TRY(dw__strbuf_ok(&path, "a file's path", err));
    return dw__arena_dup(c->arena, dw__strbuf_str(&path), path_out) ? DW_OK : dw__error_oom(err);
}

static dw_status
write_file(copier *c, dw_str stats, dw_data_files *out, dw_error *err)
{
    dw_str key;
    dw_file *add = DW_ARENA_NEW(c->arena, dw_file);
    dw_sync_request *unsynced = DW_VEC_PUSH(c->o->arena.allocator, &c->o->unsynced);
    if (add == NULL || unsynced == NULL) {
        return dw__error_oom(err);
    }
    *add = (dw_file){.has_partition_values = true,
                     .partition_values = c->adds[0].partition_values,
                     .has_size = true,
                     .size_bytes = c->join.size_bytes,
                     .modification_time_ms = dw__env_now_ms(c->o->upkeep->env),
                     .stats = stats};
    dw_status status = name_file(c, &key, &add->path, err);
    if (status == DW_OK) {
        status = dw__pq_join_write(&c->join, key, err);
    }
    if (status != DW_OK) {
        c->o->unsynced.count--;
        return status;
    }
    *unsynced = (dw_sync_request){key, c->join.size_bytes};
    *out = (dw_data_files){
        .adds = add, .count = 1, .row_count = c->join.row_count, .size_bytes = c->join.size_bytes};
    return DW_OK;
}

static dw_status
copy(copier *c, dw_data_files *out, bool *copied_out, dw_error *err)
{
    bool found;
    bool is_exact;
    dw_str stats;
    DW_TRY(find_sources(c, &found, err));
    if (!found) {
        return DW_OK;
    }
    DW_TRY(dw__pq_join_plan(c->sources, c->bin->count, c->arena, &c->join, err));
    if (!is_worth_it(c)) {
        return DW_OK;
    }
    DW_TRY(merge_stats(c, &stats, &is_exact, err));
    if (!is_exact) {
        return DW_OK;
    }
    DW_TRY(write_file(c, stats, out, err));
    *copied_out = true;
    return DW_OK;
}

dw_status
dw__optimize_copy(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
                  bool *copied_out, dw_error *err)
{
    copier c = {.o = o, .bin = bin, .arena = arena};
    dw_error detail = DW_ERROR_INIT;
    *copied_out = false;
    *out = (dw_data_files){0};
    dw_status status = copy(&c, out, copied_out, &detail);
    /* What cannot be copied is read by the engine, which also says what is wrong with a file. */
    if (status == DW_UNSUPPORTED || status == DW_NOT_FOUND || status == DW_CORRUPT) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &detail);
    }
    return status;
}
