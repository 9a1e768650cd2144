/*
 * Statistics of a file that holds the rows of several: bounds are taken over as they stand in the
 * text, so that nothing is widened each time.
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/stats.h"

typedef struct merger {
    const dw_column_path *columns;
    size_t column_count;
    dw_arena *arena;
    dw_stats_entry *merged; /* each column */
    bool *is_begun;         /* each column: some file had values of it */
    bool *lacks_bounds;     /* each column: of some file with values nobody knows them */
    dw_column_stats *read;  /* of the file that is read */
    int64_t row_count;
} merger;

static dw_status
bound_text(dw_arena *arena, dw_json root, const char *section, const dw_column_path *path,
           dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw_json value = dw__json_get(root, dw__str_from(section));
    for (size_t i = 0; i < path->count; i++) {
        value = dw__json_get(value, path->parts[i]);
    }
    dw__json_write(&text, value);
    DW_TRY(dw__strbuf_ok(&text, "a bound", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__stats_keep_texts(dw_json root, dw_arena *arena, dw_stats_entry *entry, dw_error *err)
{
    entry->min_text = DW_STR_NULL;
    entry->max_text = DW_STR_NULL;
    if (entry->stats.has_min) {
        DW_TRY(bound_text(arena, root, "minValues", &entry->column, &entry->min_text, err));
    }
    return entry->stats.has_max
               ? bound_text(arena, root, "maxValues", &entry->column, &entry->max_text, err)
               : DW_OK;
}

/* Takes over the bounds that are further out. */
static dw_status
widen(merger *m, size_t idx, dw_json root, dw_error *err)
{
    dw_stats_entry *entry = &m->merged[idx];
    const dw_column_stats *read = &m->read[idx];
    bool is_first = !m->is_begun[idx];
    bool comparable = true;
    bool lower = is_first || dw__value_compare(&read->min, &entry->stats.min, &comparable) < 0;
    bool upper = is_first || dw__value_compare(&read->max, &entry->stats.max, &comparable) > 0;
    m->lacks_bounds[idx] = m->lacks_bounds[idx] || !comparable;
    if (lower) {
        entry->stats.min = read->min;
        DW_TRY(bound_text(m->arena, root, "minValues", &entry->column, &entry->min_text, err));
    }
    if (upper) {
        entry->stats.max = read->max;
        DW_TRY(bound_text(m->arena, root, "maxValues", &entry->column, &entry->max_text, err));
    }
    return DW_OK;
}

static dw_status
add_column(merger *m, size_t idx, int64_t row_count, dw_json root, dw_error *err)
{
    const dw_column_stats *read = &m->read[idx];
    dw_column_stats *merged = &m->merged[idx].stats;
    merged->has_null_count = merged->has_null_count && read->has_null_count;
    merged->null_count += read->has_null_count ? read->null_count : 0;
    bool is_all_null = read->has_null_count && read->null_count == row_count;
    if (is_all_null || m->lacks_bounds[idx]) {
        return DW_OK;
    }
    if (!read->has_min || !read->has_max) {
        m->lacks_bounds[idx] = true;
        return DW_OK;
    }
    DW_TRY(widen(m, idx, root, err));
    m->is_begun[idx] = true;
    return DW_OK;
}

static dw_status
add_file(merger *m, dw_str json, bool *is_exact_out, dw_error *err)
{
    dw_file_stats counts = {0};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    *is_exact_out = false;
    if (m->column_count > 0) {
        memset(m->read, 0, m->column_count * sizeof(*m->read));
    }
    if (dw__str_is_null(json)) {
        return DW_OK;
    }
    if (!dw__stats_read(json, m->columns, m->column_count, m->arena, &counts, m->read)) {
        return dw__error_oom(err);
    }
    if (!counts.has_num_records || !counts.tight_bounds) {
        return DW_OK;
    }
    DW_TRY(dw__json_parse(m->arena->allocator, json, "statistics", &doc, err));
    m->row_count += counts.num_records;
    for (size_t i = 0; i < m->column_count; i++) {
        DW_TRY(add_column(m, i, counts.num_records, dw__json_root(doc), err));
    }
    *is_exact_out = true;
    return DW_OK;
}

static void
settle(merger *m)
{
    for (size_t i = 0; i < m->column_count; i++) {
        bool has = m->is_begun[i] && !m->lacks_bounds[i];
        m->merged[i].stats.has_min = has;
        m->merged[i].stats.has_max = has;
    }
}

dw_status
dw__stats_merge(const dw_str *stats, size_t count, const dw_column_path *columns,
                size_t column_count, dw_arena *arena, dw_strbuf *out, bool *is_exact_out,
                dw_error *err)
{
    merger m = {.columns = columns, .column_count = column_count, .arena = arena};
    m.merged = DW_ARENA_ARRAY(arena, dw_stats_entry, column_count + 1);
    m.is_begun = DW_ARENA_ARRAY(arena, bool, column_count + 1);
    m.lacks_bounds = DW_ARENA_ARRAY(arena, bool, column_count + 1);
    m.read = DW_ARENA_ARRAY(arena, dw_column_stats, column_count + 1);
    if (m.merged == NULL || m.is_begun == NULL || m.lacks_bounds == NULL || m.read == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < column_count; i++) {
        m.merged[i] = (dw_stats_entry){.column = columns[i],
                                       .stats = {.has_null_count = true},
                                       .min_text = DW_STR_NULL,
                                       .max_text = DW_STR_NULL};
    }
    *is_exact_out = true;
    for (size_t i = 0; i < count && *is_exact_out; i++) {
        DW_TRY(add_file(&m, stats[i], is_exact_out, err));
    }
    settle(&m);
    return *is_exact_out ? dw__stats_print(out, m.row_count, true, m.merged, column_count, 0, err)
                         : DW_OK;
}
