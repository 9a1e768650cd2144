/*
 * See lookup.h. First the rows are found, file by file and row group by row group; then the columns
 * of these rows are filled.
 */
#include "scan/lookup.h"

#include "base/assert.h"
#include "parquet/kept.h"
#include "protocol/type_widening.h"
#include "scan/lookup_column.h"

/* Rows of one row group. */
typedef struct found_rows {
    size_t file_idx, group_idx;
    size_t first, count; /* among all that were found */
} found_rows;

typedef struct lookup {
    dw_scan *scan;
    const dw_bound_source *source;
    dw_arena *scratch;
    dw_lookup_column *columns; /* of the statement */
    size_t column_count;
    dw_lookup_column *keys; /* those that are in files */
    int64_t *key_values;
    size_t key_count;
    dw_pq_kept_file *files;
    int64_t rows_searched;
    uint32_t rows[DW_LOOKUP_ROWS_FOUND_MAX]; /* in their row groups */
    size_t row_count;
    found_rows *groups;
    size_t group_count, group_capacity;
    bool is_odd; /* the engine is to scan */
} lookup;

/* ---- Columns --------------------------------------------------------------------------------- */

/* A name that is no column may stand for the whole row. */
static bool
wants_all(const dw_bound_source *source)
{
    for (size_t i = 0; i < source->wanted_count; i++) {
        const dw_field *field = dw__schema_find(source->relation.schema, source->wanted[i]);
        if (field == NULL) {
            return true;
        }
    }
    return source->wanted == NULL;
}

static bool
is_wanted(const dw_bound_source *source, const dw_field *field)
{
    for (size_t i = 0; i < source->wanted_count; i++) {
        if (dw__str_equal_nocase(source->wanted[i], field->name)) {
            return true;
        }
    }
    return false;
}

static dw_status
choose_columns(lookup *look, dw_error *err)
{
    const dw_relation *relation = &look->source->relation;
    const dw_type *schema = relation->schema;
    look->columns = DW_ARENA_ARRAY(&look->scan->arena, dw_lookup_column, schema->field_count);
    if (look->columns == NULL) {
        return dw__error_oom(err);
    }
    bool is_all = wants_all(look->source);
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        if (!is_all && !is_wanted(look->source, field)) {
            continue;
        }
        dw_lookup_column *column = &look->columns[look->column_count++];
        DW_TRY(dw__lookup_column_init(column, relation, field, &look->scan->arena, err));
        look->is_odd = look->is_odd || !column->is_known;
    }
    look->is_odd = look->is_odd || look->column_count == 0;
    return DW_OK;
}

static dw_status
choose_keys(lookup *look, dw_error *err)
{
    const dw_bound_source *source = look->source;
    look->keys = DW_ARENA_ARRAY(look->scratch, dw_lookup_column, source->key_count);
    look->key_values = DW_ARENA_ARRAY(look->scratch, int64_t, source->key_count);
    if (look->keys == NULL || look->key_values == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < source->key_count; i++) {
        const dw_field *field = dw__schema_find(source->relation.schema, source->keys[i].column);
        if (field == NULL) {
            look->is_odd = true;
            return DW_OK;
        }
        dw_lookup_column *key = &look->keys[look->key_count];
        DW_TRY(dw__lookup_column_init(key, &source->relation, field, look->scratch, err));
        look->is_odd = look->is_odd || !key->is_known;
        /* Files of other values of partition columns have been left out. */
        if (!key->is_partition) {
            look->key_values[look->key_count++] = source->keys[i].value;
        }
    }
    look->is_odd = look->is_odd || look->key_count == 0;
    return DW_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static dw_status
open_cells(lookup *look, size_t file_idx, const dw_pq_node *leaf, size_t group_idx,
           dw_pq_cells **out, dw_error *err)
{
    if (dw__env_is_cancelled(look->scan->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    DW_TRY(dw__pq_kept_cells(&look->files[file_idx], leaf, group_idx, look->scratch, out, err));
    look->is_odd = look->is_odd || (*out)->is_odd;
    return DW_OK;
}

/* Takes those rows of a group out that lack another key. */
static dw_status
compare_key(lookup *look, found_rows *group, const dw_pq_node *leaf, int64_t value, dw_error *err)
{
    DW_AUTO(dw_pq_cells_ptr) cells = NULL;
    DW_TRY(open_cells(look, group->file_idx, leaf, group->group_idx, &cells, err));
    if (look->is_odd) {
        return DW_OK;
    }
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        uint32_t row = look->rows[group->first + i];
        if (!dw__pq_cells_is_null(cells, row) && dw__pq_cells_integer(cells, row) == value) {
            look->rows[group->first + kept++] = row;
        }
    }
    group->count = kept;
    return DW_OK;
}

static const dw_rowset *
deleted_rows(const lookup *look, size_t file_idx)
{
    const dw_dv_list *deleted = &look->source->deleted;
    return deleted->items == NULL ? NULL : deleted->items[file_idx];
}

/* Rows with the first key that are not deleted. `start` is the place of the group's first row. */
static dw_status
find_first_key(lookup *look, found_rows *group, const dw_pq_node *leaf, int64_t value,
               int64_t start, dw_error *err)
{
    DW_AUTO(dw_pq_cells_ptr) cells = NULL;
    DW_TRY(open_cells(look, group->file_idx, leaf, group->group_idx, &cells, err));
    if (look->is_odd) {
        return DW_OK;
    }
    const dw_rowset *deleted = deleted_rows(look, group->file_idx);
    for (size_t row = dw__pq_cells_find(cells, 0, value); row != SIZE_MAX;
         row = dw__pq_cells_find(cells, row + 1, value)) {
        if (deleted != NULL && dw__rowset_contains(deleted, (uint64_t) start + row)) {
            continue;
        }
        if (group->first + group->count == DW_LOOKUP_ROWS_FOUND_MAX) {
            look->is_odd = true;
            return DW_OK;
        }
        look->rows[group->first + group->count++] = (uint32_t) row;
    }
    return DW_OK;
}

static bool
remember_group(lookup *look, const found_rows *group)
{
    if (look->group_count == look->group_capacity) {
        size_t capacity = look->group_capacity * 2 + 8;
        found_rows *grown = DW_ARENA_ARRAY(look->scratch, found_rows, capacity);
        if (grown == NULL) {
            return false;
        }
        if (look->group_count > 0) {
            memcpy(grown, look->groups, look->group_count * sizeof(*grown));
        }
        look->groups = grown;
        look->group_capacity = capacity;
    }
    look->groups[look->group_count++] = *group;
    return true;
}

static dw_status
search_group(lookup *look, size_t file_idx, size_t group_idx, const dw_pq_node *const *leaves,
             int64_t start, dw_error *err)
{
    const dw_pq_row_group *info = &look->files[file_idx].footer->footer.row_groups[group_idx];
    for (size_t i = 0; i < look->key_count; i++) {
        if (!dw__pq_chunk_may_have(&info->chunks[leaves[i]->leaf_idx], look->key_values[i])) {
            return DW_OK;
        }
    }
    look->rows_searched += info->row_count;
    if (look->rows_searched > DW_LOOKUP_ROWS_SEARCHED_MAX) {
        look->is_odd = true;
        return DW_OK;
    }
    found_rows group = {.file_idx = file_idx, .group_idx = group_idx, .first = look->row_count};
    DW_TRY(find_first_key(look, &group, leaves[0], look->key_values[0], start, err));
    for (size_t i = 1; i < look->key_count && group.count > 0 && !look->is_odd; i++) {
        DW_TRY(compare_key(look, &group, leaves[i], look->key_values[i], err));
    }
    if (group.count == 0 || look->is_odd) {
        return DW_OK;
    }
    look->row_count += group.count;
    return remember_group(look, &group) ? DW_OK : dw__error_oom(err);
}

/* The leaves of the keys; `has_all_out` is false when the file lacks one: then no row has it. */
static dw_status
find_key_leaves(lookup *look, size_t file_idx, const dw_pq_node ***out, bool *has_all_out,
                dw_error *err)
{
    const dw_pq_footer *footer = &look->files[file_idx].footer->footer;
    *has_all_out = true;
    *out = DW_ARENA_ARRAY(look->scratch, const dw_pq_node *, look->key_count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < look->key_count; i++) {
        look->is_odd = look->is_odd || !dw__lookup_column_find(&look->keys[i], footer, &(*out)[i]);
        *has_all_out = *has_all_out && !look->is_odd && (*out)[i] != NULL;
    }
    return DW_OK;
}

static dw_status
search_file(lookup *look, size_t file_idx, dw_error *err)
{
    bool is_found, has_all;
    dw_pq_kept_file *file = &look->files[file_idx];
    DW_TRY(dw__pq_kept_open(file, look->scan->env, dw__database_cache(look->scan->database),
                            look->source->paths[file_idx], look->scratch, &is_found, err));
    const dw_pq_node **leaves;
    look->is_odd = !is_found;
    if (look->is_odd) {
        return DW_OK;
    }
    DW_TRY(find_key_leaves(look, file_idx, &leaves, &has_all, err));
    int64_t start = 0;
    const dw_pq_footer *footer = &file->footer->footer;
    for (size_t i = 0; has_all && i < footer->row_group_count && !look->is_odd; i++) {
        DW_TRY(search_group(look, file_idx, i, leaves, start, err));
        if (__builtin_add_overflow(start, footer->row_groups[i].row_count, &start)) {
            look->is_odd = true;
        }
    }
    return DW_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static dw_status
fill_group(lookup *look, const found_rows *group, const dw_lookup_column *column, dw_error *err)
{
    const dw_pq_node *leaf;
    const dw_bound_source *source = look->source;
    bool *valid = column->valid + group->first;
    char *values = column->values + group->first * dw__vector_width(column->spec.kind);
    if (column->is_partition) {
        dw_str text = dw__file_set_partition_value(
            source->relation.files, source->files[group->file_idx], column->field->physical_name);
        return dw__lookup_column_fill(column, text, &look->scan->arena, values, valid, group->count,
                                      &look->is_odd, err);
    }
    if (!dw__lookup_column_find(column, &look->files[group->file_idx].footer->footer, &leaf)) {
        look->is_odd = true;
        return DW_OK;
    }
    if (leaf == NULL) {
        memset(valid, false, group->count * sizeof(*valid));
        return DW_OK;
    }
    DW_AUTO(dw_pq_cells_ptr) cells = NULL;
    DW_TRY(open_cells(look, group->file_idx, leaf, group->group_idx, &cells, err));
    if (look->is_odd) {
        return DW_OK;
    }
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__pq_cells_take(cells, leaf, &column->spec, &look->rows[group->first],
                                         group->count, &look->scan->arena, values, valid, &cause);
    if (status == DW_UNSUPPORTED) {
        look->is_odd = true;
        return DW_OK;
    }
    dw__error_copy(err, &cause);
    return status;
}

static dw_status
fill_columns(lookup *look, dw_error *err)
{
    for (size_t i = 0; i < look->column_count && !look->is_odd; i++) {
        DW_TRY(
            dw__lookup_column_reserve(&look->columns[i], look->row_count, &look->scan->arena, err));
        for (size_t g = 0; g < look->group_count && !look->is_odd; g++) {
            DW_TRY(fill_group(look, &look->groups[g], &look->columns[i], err));
        }
    }
    return DW_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static dw_status
search(lookup *look, dw_error *err)
{
    DW_TRY(choose_columns(look, err));
    DW_TRY(choose_keys(look, err));
    for (size_t i = 0; i < look->source->file_count && !look->is_odd; i++) {
        DW_TRY(search_file(look, i, err));
    }
    return look->is_odd ? DW_OK : fill_columns(look, err);
}

static dw_status
give(const lookup *look, dw_column_spec **columns_out, dw_batch *rows_out, dw_error *err)
{
    dw_arena *arena = &look->scan->arena;
    dw_column_spec *specs = DW_ARENA_ARRAY(arena, dw_column_spec, look->column_count);
    dw_vector *vectors = DW_ARENA_ARRAY(arena, dw_vector, look->column_count);
    if (specs == NULL || vectors == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < look->column_count; i++) {
        specs[i] = look->columns[i].spec;
        vectors[i] = (dw_vector){.valid = look->columns[i].valid, .data = look->columns[i].values};
    }
    *columns_out = specs;
    *rows_out = (dw_batch){look->row_count, vectors};
    return DW_OK;
}

/* A change of types that is not allowed is the scan's to complain of. */
static bool
may_look_up(const dw_scan *scan, const dw_bound_source *source, dw_arena *scratch)
{
    dw_error ignored = DW_ERROR_INIT;
    return source->keys != NULL && source->is_inlined && source->changes == NULL &&
           source->rows == NULL && source->relation.metadata == NULL && !source->with_positions &&
           !source->compares_nulls && source->file_count <= DW_LOOKUP_FILES_MAX &&
           scan->count == 1 &&
           dw__type_changes_check(source->relation.schema, false, scratch, &ignored) == DW_OK;
}

static void
close_files(lookup *look)
{
    for (size_t i = 0; i < look->source->file_count; i++) {
        dw__pq_kept_close(&look->files[i]);
    }
}

dw_status
dw__scan_look_up(dw_scan *scan, dw_bound_source *source, dw_column_spec **columns_out,
                 size_t *count_out, dw_batch *rows_out, bool *found_out, dw_error *err)
{
    *found_out = false;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, scan->env->allocator);
    if (!may_look_up(scan, source, &scratch)) {
        return DW_OK;
    }
    lookup *look = DW_ARENA_NEW(&scratch, lookup);
    dw_pq_kept_file *files = DW_ARENA_ARRAY(&scratch, dw_pq_kept_file, source->file_count);
    if (look == NULL || files == NULL) {
        return dw__error_oom(err);
    }
    look->scan = scan;
    look->source = source;
    look->scratch = &scratch;
    look->files = files;
    dw_status status = search(look, err);
    if (status == DW_OK && !look->is_odd) {
        status = give(look, columns_out, rows_out, err);
        *count_out = look->column_count;
        *found_out = status == DW_OK;
    }
    close_files(look);
    return status;
}
