/*
 * OPTIMIZE that clusters: ZORDER BY, a partition at a time, and liquid clustering, by cubes.
 *
 *  [CLUSTER-1] A cube - what one run clustered - is merged with new files when these, together with
 *              the smaller cubes, have at least half of its size. So a few new rows are clustered
 *              for themselves, each row is written again a few times as a table grows, and there
 *              are as many cubes as the table's size has doublings.
 *  [CLUSTER-2] A cube of CUBE_BYTES_MIN is left alone for good. Both sizes are the reference's.
 *  [CLUSTER-3] Files that another implementation clustered, or that were clustered by other
 *              columns, are left to FULL. PROTOCOL.md "Writer Requirements for Clustered Table"
 *  [CLUSTER-4] Where one cube is all there is, there is nothing to do. [OPTIMIZE-2]
 */
#include "base/assert.h"
#include "base/map.h"
#include "codec/codec.h"
#include "upkeep/arrangement.h"
#include "upkeep/optimize_core.h"
#include "upkeep/zcube.h"

#include <stdlib.h>

#define GIB ((int64_t) 1 << 30)
#define CUBE_BYTES_MIN (100 * GIB)
#define CUBE_BYTES_TARGET (150 * GIB)
#define MERGE_FACTOR 2

/* ---- Which files ----------------------------------------------------------------------------- */

typedef struct cube {
    dw_str id;
    int64_t size_bytes;
    bool is_merged;
} cube;

typedef struct cubes {
    dw_optimize *o;
    dw_map by_id;
    cube *items;
    size_t count;
    size_t *cube_of; /* each file of `o`: its cube, or one of these */
    size_t fresh_count, foreign_count;
    int64_t fresh_bytes;
    dw_file_ref *bin;
    size_t bin_count;
    int64_t bin_bytes;
    dw_map seen; /* ids of cubes whose files may be merged */
    dw_cube_figures figures;
} cubes;

#define FRESH SIZE_MAX
#define FOREIGN (SIZE_MAX - 1)

static dw_status
find_cube(cubes *c, dw_str id, size_t *out, dw_error *err)
{
    dw_map_value *known = dw__map_get(&c->by_id, id);
    if (known == NULL) {
        known = dw__map_put(&c->by_id, id, NULL);
        if (known == NULL) {
            return dw__error_oom(err);
        }
        known->i64 = (int64_t) c->count;
        c->items[c->count++] = (cube){.id = id};
    }
    *out = (size_t) known->i64;
    return DW_OK;
}

static void
add_amount(const cubes *c, dw_file_amount *amount, const dw_optimize_file *file)
{
    amount->count++;
    amount->size_bytes += dw__file_set_file_size(dw__log_snapshot_files(c->o->snapshot), file->ref);
}

/* As the reference counts: for FULL those of other columns are cubes, too. */
static dw_status
count_file(cubes *c, const dw_optimize_file *file, const dw_zcube *found, dw_error *err)
{
    if (dw__str_is_null(found->id) || !(found->matches || c->o->spec->full)) {
        add_amount(c, &c->figures.others, file);
        return DW_OK;
    }
    bool is_new = false;
    if (dw__map_put(&c->seen, found->id, &is_new) == NULL) {
        return dw__error_oom(err);
    }
    c->figures.cube_count += is_new ? 1 : 0;
    add_amount(c, &c->figures.in_cubes, file);
    return DW_OK;
}

static dw_status
sort_file(cubes *c, size_t idx, dw_error *err)
{
    dw_optimize *o = c->o;
    const dw_optimize_file *file = &o->files[idx];
    const dw_file_set *set = dw__log_snapshot_files(o->snapshot);
    dw_str provider = dw__file_set_clustering_provider(set, file->ref);
    dw_zcube found;
    DW_TRY(dw__zcube_read(dw__file_set_tags(set, file->ref), &o->columns, &o->arena, &found, err));
    DW_TRY(count_file(c, file, &found, err));
    bool is_ours = dw__str_is_null(provider) || dw__str_equal(provider, DW_CLUSTERING_PROVIDER);
    bool is_clustered = !dw__str_is_null(found.id) && !dw__str_is_null(provider);
    if (!is_ours || (is_clustered && !found.matches)) {
        c->cube_of[idx] = FOREIGN;
        c->foreign_count++;
        return DW_OK;
    }
    if (!is_clustered) {
        c->cube_of[idx] = FRESH;
        c->fresh_count++;
        c->fresh_bytes += file->size_bytes;
        return DW_OK;
    }
    DW_TRY(find_cube(c, found.id, &c->cube_of[idx], err));
    c->items[c->cube_of[idx]].size_bytes += file->size_bytes;
    return DW_OK;
}

static int
compare_cubes(const void *a, const void *b)
{
    const cube *x = *(const cube *const *) a;
    const cube *y = *(const cube *const *) b;
    return x->size_bytes < y->size_bytes ? -1 : x->size_bytes > y->size_bytes;
}

/* [CLUSTER-1] [CLUSTER-2] */
static dw_status
choose_cubes(cubes *c, dw_error *err)
{
    cube **sorted = DW_ARENA_ARRAY(&c->o->arena, cube *, c->count + 1);
    if (sorted == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < c->count; i++) {
        sorted[i] = &c->items[i];
    }
    if (c->count > 1) {
        qsort(sorted, c->count, sizeof(*sorted), compare_cubes);
    }
    int64_t merged = c->fresh_bytes;
    for (size_t i = 0; i < c->count; i++) {
        if (sorted[i]->size_bytes / MERGE_FACTOR > merged ||
            sorted[i]->size_bytes >= CUBE_BYTES_MIN) {
            return DW_OK;
        }
        sorted[i]->is_merged = true;
        merged += sorted[i]->size_bytes;
    }
    return DW_OK;
}

/* ---- Bins ------------------------------------------------------------------------------------ */

static dw_status
close_bin(cubes *c, dw_error *err)
{
    if (c->bin_count == 0) {
        return DW_OK;
    }
    dw_status status = dw__optimize_put_bin(c->o, 0, c->bin, c->bin_count, c->bin_bytes, err);
    c->figures.merged_cube_count++;
    c->bin_count = 0;
    c->bin_bytes = 0;
    return status;
}

static dw_status
add_to_bin(cubes *c, const dw_optimize_file *file, dw_error *err)
{
    if (c->bin_count > 0 && file->size_bytes > CUBE_BYTES_TARGET - c->bin_bytes) {
        DW_TRY(close_bin(c, err));
    }
    add_amount(c, &c->figures.merged, file);
    c->bin[c->bin_count++] = file->ref;
    c->bin_bytes += file->size_bytes;
    return DW_OK;
}

/* What is not clustered anew may still have many deleted rows: such a file stays in its cube. */
static dw_status
put_due_files(cubes *c, bool merges, bool is_full, dw_error *err)
{
    for (size_t i = 0; i < c->o->file_count; i++) {
        const dw_optimize_file *file = &c->o->files[i];
        size_t at = c->cube_of[i];
        bool is_in_bin =
            is_full || (merges && (at == FRESH || (at != FOREIGN && c->items[at].is_merged)));
        if (file->is_due && !is_in_bin && (at != FRESH || c->o->spec->purges)) {
            DW_TRY(dw__optimize_put_bin(c->o, 0, &file->ref, 1, file->size_bytes, err));
        }
    }
    return DW_OK;
}

static dw_status
put_bins(cubes *c, dw_error *err)
{
    const dw_optimize_spec *spec = c->o->spec;
    bool is_one = c->fresh_count == 0 && c->foreign_count == 0 && c->count < 2;
    bool is_full = spec->full && !is_one && !spec->purges;
    bool merges = !is_full && !spec->purges && c->fresh_count > 0 &&
                  (int64_t) c->fresh_count >= spec->file_count_min;
    if (merges) {
        DW_TRY(choose_cubes(c, err));
    }
    for (size_t i = 0; i < c->o->file_count; i++) {
        size_t at = c->cube_of[i];
        if (is_full || (merges && (at == FRESH || (at != FOREIGN && c->items[at].is_merged)))) {
            DW_TRY(add_to_bin(c, &c->o->files[i], err));
        }
    }
    DW_TRY(close_bin(c, err));
    return put_due_files(c, merges, is_full, err);
}

static dw_status
choose_in(cubes *c, dw_error *err)
{
    size_t count = c->o->file_count;
    c->items = DW_ARENA_ARRAY(&c->o->arena, cube, count + 1);
    c->cube_of = DW_ARENA_ARRAY(&c->o->arena, size_t, count + 1);
    c->bin = DW_ARENA_ARRAY(&c->o->arena, dw_file_ref, count + 1);
    if (c->items == NULL || c->cube_of == NULL || c->bin == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(sort_file(c, i, err));
    }
    return put_bins(c, err);
}

static dw_status
choose_clustering(dw_optimize *o, dw_error *err)
{
    if (o->spec->purges) {
        DW_TRY(dw__optimize_find_dropped(o, err));
    }
    cubes c = {.o = o, .figures.is_clustered = true};
    dw__map_init(&c.by_id, o->arena.allocator);
    dw__map_init(&c.seen, o->arena.allocator);
    dw_status status = choose_in(&c, err);
    if (!o->result->cubes.is_clustered && !o->spec->purges) { /* the first pass tells */
        o->result->cubes = c.figures;
    }
    dw__map_deinit(&c.by_id);
    dw__map_deinit(&c.seen);
    return status;
}

/* ---- ZORDER BY ------------------------------------------------------------------------------- */

#define Z_CURVE DW_STR("zorder")
#define HILBERT_CURVE DW_STR("hilbert")

/* Of a partition that one run ordered, and nobody added to since, all files are in one cube. */
static dw_status
is_ordered(dw_optimize *o, const dw_optimize_partition *partition, bool *out, dw_error *err)
{
    const dw_file_set *set = dw__log_snapshot_files(o->snapshot);
    dw_str first = DW_STR_NULL;
    *out = true;
    for (size_t i = 0; i < partition->count && *out; i++) {
        const dw_optimize_file *file = &o->files[partition->first + i];
        dw_zcube found;
        DW_TRY(
            dw__zcube_read(dw__file_set_tags(set, file->ref), &o->columns, &o->arena, &found, err));
        first = i == 0 ? found.id : first;
        *out = found.matches && dw__str_equal(found.curve, Z_CURVE) &&
               dw__str_equal(found.id, first) && !file->is_due;
    }
    return DW_OK;
}

static dw_status
choose_z_order(dw_optimize *o, dw_error *err)
{
    dw_file_ref *refs = DW_ARENA_ARRAY(&o->arena, dw_file_ref, o->file_count + 1);
    if (refs == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < o->partition_count; i++) {
        const dw_optimize_partition *partition = &o->partitions[i];
        bool is_done = true;
        DW_TRY(is_ordered(o, partition, &is_done, err));
        for (size_t k = 0; k < partition->count; k++) {
            refs[k] = o->files[partition->first + k].ref;
        }
        if (partition->count > 0 && (!is_done || o->spec->full)) {
            DW_TRY(dw__optimize_put_bin(o, i, refs, partition->count, partition->size_bytes, err));
        }
    }
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

size_t
dw__optimize_tile_count(const dw_optimize *o, const dw_optimize_bin *bin)
{
    int64_t count = bin->size_bytes / o->target_size_bytes;
    count += bin->size_bytes % o->target_size_bytes > o->target_size_bytes / 2 ? 1 : 0;
    return count < 1 ? 1 : (size_t) count;
}

/* A file that is written for itself stays in its cube. */
static dw_status
choose_cube_id(const dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_str *out,
               dw_error *err)
{
    char uuid[DW_UUID_TEXT_SIZE];
    if (bin->count == 1) {
        dw_zcube found;
        dw_str tags = dw__file_set_tags(dw__log_snapshot_files(o->snapshot), bin->files[0]);
        DW_TRY(dw__zcube_read(tags, &o->columns, arena, &found, err));
        if (found.matches) {
            *out = found.id;
            return DW_OK;
        }
    }
    dw__uuid_make(o->upkeep->env, uuid);
    return dw__arena_dup(arena, dw__str_from(uuid), out) ? DW_OK : dw__error_oom(err);
}

static dw_status
tag_files(const dw_optimize *o, const dw_optimize_bin *bin, bool is_liquid, dw_arena *arena,
          dw_data_files *files, dw_error *err)
{
    dw_str id, tags;
    DW_TRY(choose_cube_id(o, bin, arena, &id, err));
    DW_TRY(dw__zcube_print(id, o->column_names, is_liquid ? HILBERT_CURVE : Z_CURVE, arena, &tags,
                           err));
    for (size_t i = 0; i < files->count; i++) {
        files->adds[i].tags_json = tags;
        files->adds[i].clustering_provider = is_liquid ? DW_CLUSTERING_PROVIDER : DW_STR_NULL;
    }
    return DW_OK;
}

static dw_status
write_arranged(dw_optimize *o, const dw_optimize_bin *bin, bool is_liquid, dw_arena *arena,
               dw_data_files *out, dw_error *err)
{
    dw_arrangement arrangement = {.connection = o->upkeep->connection,
                                  .columns = &o->columns,
                                  .curve = is_liquid ? DW_CURVE_HILBERT : DW_CURVE_Z,
                                  .file_count = dw__optimize_tile_count(o, bin),
                                  .arena = arena};
    dw_row_arrangement order = dw__arrangement_of(&arrangement);
    dw_file_rewrite rewrite = {.connection = o->upkeep->connection,
                               .files = bin->files,
                               .file_count = bin->count,
                               .file_size_bytes = o->target_size_bytes,
                               .arrangement = &order};
    dw_status status = dw__file_rewrite_rows(&rewrite, o->spec->table, o->snapshot, arena, err);
    dw__arrangement_close(&arrangement);
    *out = rewrite.written;
    if (status == DW_OK) {
        status = tag_files(o, bin, is_liquid, arena, out, err);
        if (status != DW_OK) {
            dw__data_files_discard(o->spec->table, out);
        }
    }
    return status;
}

static dw_status
write_clustered(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
                dw_error *err)
{
    return write_arranged(o, bin, true, arena, out, err);
}

static dw_status
write_z_ordered(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
                dw_error *err)
{
    return write_arranged(o, bin, false, arena, out, err);
}

static dw_str
column_names(const dw_optimize *o)
{
    return o->column_names;
}

static const dw_optimize_strategy clustering = {
    .choose = choose_clustering, .write = write_clustered, .cluster_by = column_names};
static const dw_optimize_strategy z_ordering = {
    .choose = choose_z_order, .write = write_z_ordered, .z_order_by = column_names};

/* ---- Which kind of OPTIMIZE ------------------------------------------------------------------ */

static dw_status
check_clustered(const dw_optimize_spec *spec, const dw_cluster_columns *columns, dw_error *err)
{
    if (spec->z_order.count > 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTERING_WITH_ZORDER_BY",
                             "expected OPTIMIZE without ZORDER BY, found it for a table that is "
                             "clustered by %.*s: change that with ALTER TABLE ... CLUSTER BY",
                             DW_STR_ARG(columns->items[0].name));
    }
    if (!dw__str_is_null(spec->condition) && !spec->purges) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTERING_WITH_PARTITION_PREDICATE",
                             "expected OPTIMIZE without WHERE, found a condition for a table that "
                             "is clustered: it has no partitions");
    }
    return DW_OK;
}

static dw_status
check_z_column(const dw_optimize *o, const dw_cluster_column *column,
               const dw_cluster_columns *bounded, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(o->snapshot);
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        if (dw__str_equal_nocase(metadata->partition_columns[i], column->name)) {
            return dw__error_set(
                err, DW_INVALID_ARGUMENT, "ZORDERING_ON_PARTITION_COLUMN",
                "expected columns of the files to order by, found %.*s, which is a "
                "partition column: partitions are apart already",
                DW_STR_ARG(column->name));
        }
    }
    for (size_t i = 0; i < bounded->count; i++) {
        if (dw__str_equal(bounded->items[i].name, column->name)) {
            return DW_OK;
        }
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "ZORDERING_ON_COLUMN_WITHOUT_STATS",
                         "expected columns with bounds in the statistics of files to order by, "
                         "found %.*s: it would not help to find files",
                         DW_STR_ARG(column->name));
}

static dw_status
find_z_columns(dw_optimize *o, dw_error *err)
{
    dw_cluster_columns bounded;
    dw_name_paths names = o->spec->z_order;
    if (names.count > DW_CURVE_DIMENSIONS_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ZORDERING_INVALID_NUM_COLUMNS",
                             "expected at most %zu columns to order by, found %zu",
                             DW_CURVE_DIMENSIONS_MAX, names.count);
    }
    DW_TRY(dw__cluster_columns_find(dw__log_snapshot_schema(o->snapshot), names, &o->arena,
                                    &o->columns, err));
    DW_TRY(dw__cluster_columns_bounded(o->snapshot, &o->arena, &bounded, err));
    for (size_t i = 0; i < o->columns.count; i++) {
        DW_TRY(check_z_column(o, &o->columns.items[i], &bounded, err));
    }
    return DW_OK;
}

dw_status
dw__optimize_choose_strategy(dw_optimize *o, dw_error *err)
{
    const dw_optimize_spec *spec = o->spec;
    o->strategy = spec->strategy != NULL ? spec->strategy : &dw__optimize_packing;
    if (spec->strategy != NULL) {
        return DW_OK;
    }
    DW_TRY(dw__cluster_columns_of(o->snapshot, &o->arena, &o->columns, err));
    if (o->columns.count > 0) {
        DW_TRY(check_clustered(spec, &o->columns, err));
        o->strategy = &clustering;
    } else if (spec->z_order.count > 0) {
        DW_TRY(find_z_columns(o, err));
        o->strategy = &z_ordering;
    }
    return dw__cluster_columns_print_names(&o->columns, &o->arena, &o->column_names, err);
}
