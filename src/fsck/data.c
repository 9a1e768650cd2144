/*
 * Rows against statistics: every data file is read once, its columns' bounds and counts are
 * compared with what its add says. Rules D2, K2, M1, M2, M4.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "fsck/core.h"
#include "protocol/stats.h"
#include "scan/dv.h"
#include "scan/plain_files.h"
#include "scan/scan_sql.h"
#include "scan/witness.h"
#include "table/leaf_measure.h"

#include <inttypes.h>

#define QUERY_BYTES_MAX ((size_t) 64 << 20)
#define SHARE_BEFORE_DATA 0.8
#define VIEW_NAME DW_STR("dw_fsck_file")

typedef struct leaf {
    dw_column_path path; /* physical */
    dw_str sql;          /* how a query names it */
    bool is_required;    /* a top-level column that is NOT NULL */
} leaf;

typedef struct data_check {
    dw_fsck *fsck;
    dw_log_snapshot *snapshot;
    dw_arena arena;        /* of the leaves and the query */
    const dw_type *schema; /* without partition columns */
    struct {
        leaf *items;
        size_t count;
        size_t capacity;
    } leaves;
    dw_column_path *paths;
    dw_str query;
    int64_t file_idx;
    bool has_unreadable_file;
} data_check;

/* ---- Leaves ---------------------------------------------------------------------------------- */

/* A place in the schema while it is walked. */
typedef struct walk {
    const struct walk *parent;
    const dw_field *field;
    size_t depth;
} walk;

static dw_status
push_leaf(data_check *check, const walk *at, dw_error *err)
{
    leaf *slot = DW_VEC_PUSH(check->fsck->env->allocator, &check->leaves);
    dw_str *parts = DW_ARENA_ARRAY(&check->arena, dw_str, at->depth);
    const dw_field **fields = DW_ARENA_ARRAY(&check->arena, const dw_field *, at->depth);
    if (slot == NULL || parts == NULL || fields == NULL) {
        return dw__error_oom(err);
    }
    for (const walk *w = at; w != NULL; w = w->parent) {
        parts[w->depth - 1] = w->field->physical_name;
        fields[w->depth - 1] = w->field;
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(check->fsck->env->allocator, QUERY_BYTES_MAX);
    for (size_t i = 0; i < at->depth; i++) {
        dw__strbuf_append(&sql, i > 0 ? DW_STR(".") : DW_STR(""));
        dw__sql_put_identifier(&sql, fields[i]->name);
    }
    DW_TRY(dw__strbuf_ok(&sql, "a column", err));
    *slot = (leaf){.path = {parts, at->depth, at->field->type},
                   .is_required = at->depth == 1 && !at->field->nullable};
    return dw__arena_dup(&check->arena, dw__strbuf_str(&sql), &slot->sql) ? DW_OK
                                                                          : dw__error_oom(err);
}

static dw_status
collect_leaves(data_check *check, const dw_type *type, const walk *parent, dw_error *err)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        walk at = {parent, field, parent == NULL ? 1 : parent->depth + 1};
        if (field->type->kind == DW_TYPE_STRUCT) {
            DW_TRY(collect_leaves(check, field->type, &at, err));
        } else if (field->type->kind != DW_TYPE_VOID && field->type->kind != DW_TYPE_VARIANT) {
            DW_TRY(push_leaf(check, &at, err));
        }
    }
    return DW_OK;
}

/* ---- The query ------------------------------------------------------------------------------- */

static dw_status
make_query(data_check *check, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(check->fsck->env->allocator, QUERY_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT count(*)");
    for (size_t i = 0; i < check->leaves.count; i++) {
        const leaf *l = &check->leaves.items[i];
        dw__leaf_measure_put(&sql, l->path.type, l->sql);
    }
    dw__strbuf_append_literal(&sql, " FROM ");
    dw__sql_put_identifier(&sql, VIEW_NAME);
    DW_TRY(dw__strbuf_ok(&sql, "the query", err));
    return dw__arena_dup(&check->arena, dw__strbuf_str(&sql), &check->query) ? DW_OK
                                                                             : dw__error_oom(err);
}

static dw_status
prepare(data_check *check, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(check->snapshot);
    const dw_type *schema = dw__log_snapshot_schema(check->snapshot);
    dw_field *fields = DW_ARENA_ARRAY(&check->arena, dw_field, schema->field_count + 1);
    size_t count = 0;
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        bool is_partition = false;
        for (size_t p = 0; p < metadata->partition_column_count; p++) {
            is_partition = is_partition || dw__str_equal_nocase(metadata->partition_columns[p],
                                                                schema->fields[i].name);
        }
        if (!is_partition) {
            fields[count++] = schema->fields[i];
        }
    }
    check->schema = dw__type_make_struct(&check->arena, fields, count);
    if (check->schema == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(collect_leaves(check, check->schema, NULL, err));
    check->paths = DW_ARENA_ARRAY(&check->arena, dw_column_path, check->leaves.count + 1);
    if (check->paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < check->leaves.count; i++) {
        check->paths[i] = check->leaves.items[i].path;
    }
    return make_query(check, err);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* True when `a` is certainly greater than `b`; floats count as equal up to single precision, for
 * they may have been narrower when the statistics were written. */
static bool
is_greater(const leaf *l, const dw_value *a, const dw_value *b)
{
    bool comparable;
    int order = dw__value_compare(a, b, &comparable);
    if (!comparable || order <= 0) {
        return false;
    }
    double x, y;
    bool is_float = l->path.type->kind == DW_TYPE_FLOAT || l->path.type->kind == DW_TYPE_DOUBLE;
    return !is_float || !dw__value_to_double(a, &x) || !dw__value_to_double(b, &y) ||
           (float) x > (float) y;
}

static void
check_bounds(data_check *check, const dw_file *file, const leaf *l, const dw_column_stats *stats,
             const dw_leaf_measure *measured, const dw_str *cells)
{
    dw_fsck *fsck = check->fsck;
    if (stats->has_min && measured->has_min && is_greater(l, &stats->min, &measured->min)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "M2", file->path,
                      "minValues of %.*s is above its least value %.*s", DW_STR_ARG(l->sql),
                      DW_STR_ARG(cells[1]));
    }
    if (stats->has_max && measured->has_max && is_greater(l, &measured->max, &stats->max)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "M2", file->path,
                      "maxValues of %.*s is below its greatest value %.*s", DW_STR_ARG(l->sql),
                      DW_STR_ARG(cells[2]));
    }
}

static void
check_null_count(data_check *check, const dw_file *file, const leaf *l,
                 const dw_column_stats *stats, int64_t nulls)
{
    /* With loose bounds the reader gives the count only where it is certain. [STATS-3] */
    bool is_wrong = stats->has_null_count && stats->null_count != nulls;
    if (is_wrong && file->dv != NULL && nulls <= stats->null_count && stats->null_count > 0) {
        is_wrong = false; /* rows that are deleted were counted */
    }
    if (is_wrong) {
        dw__fsck_find(check->fsck, DW_FSCK_ERROR, "M4", file->path,
                      "nullCount of %.*s is %" PRId64 ", but %" PRId64 " values are NULL",
                      DW_STR_ARG(l->sql), stats->null_count, nulls);
    }
    if (l->is_required && nulls > 0) {
        dw__fsck_find(check->fsck, DW_FSCK_ERROR, "D2", file->path,
                      "%.*s is NOT NULL, but %" PRId64 " values are NULL", DW_STR_ARG(l->sql),
                      nulls);
    }
}

static dw_status
compare(data_check *check, const dw_file *file, const dw_text_rows *rows, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_file_stats counts = {0};
    dw_column_stats *stats =
        DW_ARENA_ARRAY(&fsck->scratch, dw_column_stats, check->leaves.count + 1);
    if (stats == NULL ||
        (file->stats.len > 0 && !dw__stats_read(file->stats, check->paths, check->leaves.count,
                                                &fsck->scratch, &counts, stats))) {
        return dw__error_oom(err);
    }
    int64_t row_count = 0;
    (void) dw__str_to_i64(rows->cells[0], &row_count);
    int64_t deleted = file->dv != NULL ? file->dv->cardinality : 0;
    if (counts.has_num_records && counts.num_records != row_count + deleted) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "M1", file->path,
                      "numRecords is %" PRId64 ", but the file has %" PRId64 " rows",
                      counts.num_records, row_count + deleted);
    }
    for (size_t i = 0; i < check->leaves.count; i++) {
        const leaf *l = &check->leaves.items[i];
        const dw_str *cells = &rows->cells[1 + i * DW_LEAF_CELLS];
        dw_leaf_measure measured;
        dw__leaf_measure_read(l->path.type, cells, &fsck->scratch, &measured);
        check_bounds(check, file, l, &stats[i], &measured, cells);
        check_null_count(check, file, l, &stats[i], row_count - measured.value_count);
    }
    return DW_OK;
}

/* ---- One file -------------------------------------------------------------------------------- */

/* `path` is of the file or of a copy that the engine can read. */
static dw_status
query_path(data_check *check, const dw_file *file, dw_str path, dw_text_rows *rows, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    DW_AUTO(dw_rowset_ptr) deleted = NULL;
    if (file->dv != NULL) {
        DW_TRY(dw__dv_read(fsck->storage, file->dv, &fsck->scratch, &deleted, err));
    }
    dw_scan_part part = {.count = 1, .has_deleted_rows = deleted != NULL, .row_count = -1};
    dw_scan_sql shape = {.schema = check->schema,
                         .mapping_mode = dw__log_snapshot_properties(check->snapshot)->mapping_mode,
                         .parts = &part,
                         .part_count = 1};
    DW_TRY(dw__scan_find_witnesses(fsck->env, &shape, NULL, &path, 1, &fsck->scratch, err));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(fsck->env->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__scan_sql_print(&sql, &shape, &fsck->scratch, err));
    dw_scan_files files = {
        .paths = &path, .count = 1, .deleted = deleted == NULL ? NULL : &deleted};
    DW_TRY(
        dw__connection_bind_scan(fsck->connection, VIEW_NAME, dw__strbuf_str(&sql), &files, err));
    dw_status status =
        dw__connection_query_text(fsck->connection, check->query, &fsck->scratch, rows, err);
    dw__connection_unbind_scan(fsck->connection, VIEW_NAME);
    return status;
}

static dw_status
query_file(data_check *check, const dw_file *file, dw_text_rows *rows, dw_error *err)
{
    dw_fsck *fsck = check->fsck;
    dw_plain_files copies = {0};
    dw_str path;
    dw_mapping_mode mode = dw__log_snapshot_properties(check->snapshot)->mapping_mode;
    DW_TRY(dw__scan_field_names(check->schema, mode, false, &fsck->scratch, &copies.names, err));
    DW_TRY(dw__uri_resolve(&fsck->scratch, fsck->storage->root, file->path, &path, err));
    dw_str directory =
        fsck->database == NULL ? DW_STR_NULL : dw__database_spill_directory(fsck->database);
    dw_status status = dw__plain_files_make(&copies, fsck->env, directory, false, &path, 1, err);
    if (status == DW_OK) {
        status = query_path(check, file, path, rows, err);
    }
    dw__plain_files_deinit(&copies, fsck->env);
    return status;
}

static dw_status
check_file(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    data_check *check = ctx;
    dw_fsck *fsck = check->fsck;
    dw_file_set *files = dw__log_snapshot_files(check->snapshot);
    double share = (double) check->file_idx++ / (double) dw__file_set_count(files);
    DW_TRY(dw__fsck_go_on(fsck, SHARE_BEFORE_DATA + share * (1 - SHARE_BEFORE_DATA), err));
    dw__arena_reset(&fsck->scratch);
    dw_file file = {.path = dw__file_set_path(files, ref), .stats = stats};
    const dw_dv_descriptor *dv = dw__file_set_dv(files, ref);
    if (dv != NULL) {
        file.dv = DW_ARENA_NEW(&fsck->scratch, dw_dv_descriptor);
        if (file.dv == NULL) {
            return dw__error_oom(err);
        }
        *file.dv = *dv;
    }
    dw_text_rows rows;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = query_file(check, &file, &rows, &cause);
    if (status == DW_IO || status == DW_INTERNAL) { /* how the engine calls a file it cannot read */
        cause.status = DW_CORRUPT;
    }
    if (status != DW_OK) {
        check->has_unreadable_file = true;
        return dw__fsck_find_error(fsck, "K2", file.path, &cause, err);
    }
    return compare(check, &file, &rows, err);
}

dw_status
dw__fsck_data(dw_fsck *fsck, dw_error *err)
{
    dw_assert(fsck->connection != NULL);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_error cause = DW_ERROR_INIT;
    if (fsck->state.schema == NULL) {
        return DW_OK;
    }
    dw_status opened = dw__log_snapshot_at(fsck->log, fsck->state.version, &snapshot, &cause);
    if (opened != DW_OK) {
        return dw__fsck_find_error(fsck, "C1", DW_STR_NULL, &cause, err);
    }
    data_check check = {.fsck = fsck, .snapshot = snapshot};
    dw__arena_init(&check.arena, fsck->env->allocator);
    fsck->version = fsck->state.version;
    dw_status status = prepare(&check, err);
    if (status == DW_OK && check.schema->field_count > 0) {
        status =
            dw__file_set_visit_stats(dw__log_snapshot_files(snapshot), check_file, &check, err);
    }
    if (status == DW_OK && !check.has_unreadable_file) {
        status = dw__fsck_data_constraints(fsck, snapshot, err);
    }
    if (status == DW_OK && !check.has_unreadable_file) {
        status = dw__fsck_data_row_ids(fsck, snapshot, err);
    }
    DW_VEC_DEINIT(fsck->env->allocator, &check.leaves);
    dw__arena_deinit(&check.arena);
    return status;
}
