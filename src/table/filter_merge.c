/*
 * Putting index files together, so that a reader opens few: every write makes one, and when there
 * are FILES_A_STEP of about one size they become one of the next. So an entry is copied once a
 * step, and a table has some dozens of index files, however many writes it has seen.
 *
 * The new one is there before the old ones go; who merges at the same time makes the same entries
 * once more, which does no harm.
 */
#include "codec/codec.h"
#include "table/filters.h"

#include <inttypes.h>

#define FILES_A_STEP ((size_t) 16)
#define STEP_BITS 4
#define SMALLEST_STEP_BYTES ((int64_t) 16384)
#define STEPS_MAX 12

static size_t
step_of(int64_t size_bytes)
{
    size_t step = 0;
    for (int64_t limit = SMALLEST_STEP_BYTES; size_bytes > limit && step + 1 < STEPS_MAX; step++) {
        limit <<= STEP_BITS;
    }
    return step;
}

/* Which of the table's columns a column of an index file is; SIZE_MAX: none, as it is defined
 * now. */
static size_t
column_of(const dw_bloom_columns *columns, const dw_index_column *column)
{
    for (size_t i = 0; i < columns->count; i++) {
        const dw_bloom_column *wanted = &columns->items[i];
        if (dw__str_equal(wanted->field->physical_name, column->name) &&
            dw__str_equal(wanted->type, column->type) &&
            dw__bloom_options_equal(&wanted->options, &column->options)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Filters that were made for a narrower type still serve, but have no place among others. */
static bool
has_other_types(const dw_index *index, const dw_bloom_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        size_t idx = dw__index_find_column(index, columns->items[i].field->physical_name);
        if (idx != SIZE_MAX && !dw__str_equal(index->columns[idx].type, columns->items[i].type)) {
            return true;
        }
    }
    return false;
}

/* ---- Copying --------------------------------------------------------------------------------- */

typedef struct merge {
    const dw_bloom_columns *columns;
    dw_bloom_view *view;
    dw_index_writer *writer;
    dw_strbuf filter; /* scratch */
    dw_filter_keeper keeps;
    void *ctx;
} merge;

static dw_status
copy_filter(merge *m, const dw_index *index, dw_bloom_place place, size_t from, size_t to,
            dw_error *err)
{
    dw_index_filter filter = dw__index_entry_filter(index, place.entry, from);
    if (filter.offset == DW_INDEX_NOT_MADE) {
        return DW_OK;
    }
    dw__strbuf_clear(&m->filter);
    if (dw__index_filter_is_there(filter)) {
        DW_TRY(dw__bloom_view_read(m->view, place, from, &m->filter, err));
    }
    return dw__index_writer_put(m->writer, to, dw__strbuf_str(&m->filter), err);
}

static dw_status
copy_file(merge *m, size_t file_idx, dw_error *err)
{
    const dw_index *index = dw__bloom_view_index(m->view, file_idx);
    if (index == NULL) { /* somebody has found damage since it was chosen */
        return dw__error_set(err, DW_NOT_FOUND, "INDEX_FILE_INVALID",
                             "an index file cannot be read any more");
    }
    for (uint64_t i = 0; i < index->head.entry_count; i++) {
        dw_index_key key = dw__index_entry_key(index, i);
        if (m->keeps != NULL && !m->keeps(m->ctx, &key)) {
            continue;
        }
        DW_TRY(dw__index_writer_add(m->writer, &key, err));
        for (size_t k = 0; k < index->head.column_count; k++) {
            size_t to = column_of(m->columns, &index->columns[k]);
            if (to != SIZE_MAX) {
                dw_bloom_place place = {(uint32_t) file_idx, (uint32_t) i};
                DW_TRY(copy_filter(m, index, place, k, to, err));
            }
        }
    }
    return DW_OK;
}

static dw_status
remove_merged(dw_table *table, const dw_bloom_view *view, const bool *chosen, dw_error *err)
{
    for (size_t i = 0; i < dw__bloom_view_file_count(view); i++) {
        if (chosen[i]) {
            DW_TRY(dw__storage_remove(dw__table_storage(table), dw__bloom_view_key(view, i), err));
        }
    }
    return DW_OK;
}

dw_status
dw__filters_merge(dw_table *table, const dw_bloom_columns *columns, dw_bloom_view *view,
                  const bool *chosen, dw_filter_keeper keeps, void *ctx, dw_error *err)
{
    char unique[DW_UUID_TEXT_SIZE];
    int64_t size;
    const dw_allocator *allocator = dw__table_env(table)->allocator;
    DW_AUTO(dw_index_writer_ptr) writer = NULL;
    DW_TRY(dw__filters_open(columns, allocator, &writer, err));
    merge m = {.columns = columns,
               .view = view,
               .writer = writer,
               .filter = dw__strbuf_make(allocator, DW_BLOOM_FILTER_BYTES_MAX),
               .keeps = keeps,
               .ctx = ctx};
    dw_status status = DW_OK;
    for (size_t i = 0; i < dw__bloom_view_file_count(view) && status == DW_OK; i++) {
        status = chosen[i] ? copy_file(&m, i, err) : DW_OK;
    }
    dw__strbuf_deinit(&m.filter);
    DW_TRY(status);
    if (dw__index_writer_count(writer) > 0) {
        dw__uuid_make(dw__table_env(table), unique);
        DW_TRY(dw__filters_put(table, writer, dw__str_from(unique), 0, &size, err));
    }
    status = remove_merged(table, view, chosen, err);
    dw__bloom_store_note_change(dw__log_filters(dw__table_log(table)));
    return status;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* The step of an index file; STEPS_MAX for one that stays as it is. */
static size_t
step_at(const dw_bloom_view *view, const dw_bloom_columns *columns, size_t file_idx)
{
    const dw_index *index = dw__bloom_view_index(view, file_idx);
    return index == NULL || has_other_types(index, columns)
               ? STEPS_MAX
               : step_of(dw__bloom_view_size(view, file_idx));
}

/* Marks the index files of the smallest step that has many; false when none has. */
static bool
choose(const dw_bloom_view *view, const dw_bloom_columns *columns, bool *chosen)
{
    size_t counts[STEPS_MAX + 1] = {0};
    int64_t sizes[STEPS_MAX + 1] = {0};
    size_t file_count = dw__bloom_view_file_count(view);
    size_t step = 0;
    for (size_t i = 0; i < file_count; i++) {
        size_t at = step_at(view, columns, i);
        counts[at]++;
        sizes[at] += dw__bloom_view_size(view, i);
    }
    while (step < STEPS_MAX && (counts[step] < FILES_A_STEP ||
                                sizes[step] > (int64_t) DW_INDEX_WRITTEN_BYTES_MAX / 2)) {
        step++;
    }
    for (size_t i = 0; i < file_count; i++) {
        chosen[i] = step < STEPS_MAX && step_at(view, columns, i) == step;
    }
    return step < STEPS_MAX;
}

static dw_status
tidy(dw_table *table, const dw_log_snapshot *snapshot, dw_error *err)
{
    dw_bloom_columns columns;
    DW_AUTO(dw_arena) arena;
    DW_AUTO(dw_bloom_view_ptr) view = NULL;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    DW_TRY(dw__filters_columns(snapshot, &arena, &columns, err));
    if (columns.count == 0) {
        return DW_OK;
    }
    DW_TRY(dw__bloom_store_look(dw__log_filters(dw__table_log(table)),
                                dw__log_snapshot_version(snapshot), &view, err));
    bool *chosen = DW_ARENA_ARRAY(&arena, bool, dw__bloom_view_file_count(view) + 1);
    if (chosen == NULL) {
        return dw__error_oom(err);
    }
    return choose(view, &columns, chosen)
               ? dw__filters_merge(table, &columns, view, chosen, NULL, NULL, err)
               : DW_OK;
}

void
dw__filters_tidy(dw_table *table, const dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = tidy(table, snapshot, &err);
    /* Another was faster, and has removed what was to be put together. */
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__env_warn(dw__table_env(table), "index files could not be put together: %s",
                     err.message);
    }
}
