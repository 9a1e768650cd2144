/*
 * DESCRIBE HISTORY ... SCHEMA: what each version did to the columns, newest first.
 */
#include "codec/rows.h"
#include "protocol/schema_diff.h"
#include "table/describe.h"

static const dw_rows_column columns[] = {
    {"version", DW_ROWS_I64, 0, 0},   {"timestamp", DW_ROWS_TIMESTAMP, 0, 0},
    {"operation", DW_ROWS_STR, 0, 0}, {"change", DW_ROWS_STR, 0, 0},
    {"column", DW_ROWS_STR, 0, 0},    {"before", DW_ROWS_STR, 0, 0},
    {"after", DW_ROWS_STR, 0, 0},
};

/* The changes of one version. */
typedef struct step {
    dw_schema_change *changes;
    size_t count;
} step;

static const dw_type no_columns = {.kind = DW_TYPE_STRUCT};

static dw_status
compare(const dw_log_snapshot *before, const dw_log_snapshot *after, dw_arena *arena, step *out,
        dw_error *err)
{
    bool is_first = before == NULL;
    if (!is_first && dw__str_equal(dw__log_snapshot_metadata(before)->schema_string,
                                   dw__log_snapshot_metadata(after)->schema_string)) {
        return DW_OK;
    }
    return dw__schema_diff(is_first ? &no_columns : dw__log_snapshot_schema(before),
                           dw__log_snapshot_schema(after), arena, &out->changes, &out->count, err);
}

/* From the oldest version that can be read on, each from the one before it. The oldest is compared
 * with nothing only where the table begins there. */
static dw_status
find_steps(dw_log *log, const dw_history_entry *entries, size_t count, dw_arena *arena, step *steps,
           dw_error *err)
{
    int64_t first, last;
    DW_AUTO(dw_log_snapshot_ptr) before = NULL;
    DW_TRY(dw__log_version_range(log, &first, &last, err));
    for (size_t i = count; i-- > 0;) {
        DW_AUTO(dw_log_snapshot_ptr) after = NULL;
        int64_t version = entries[i].version;
        if (version < first) {
            continue;
        }
        DW_TRY(before == NULL ? dw__log_snapshot_at(log, version, &after, err)
                              : dw__log_snapshot_advance(before, version, &after, err));
        if (before != NULL || version == 0) {
            DW_TRY(compare(before, after, arena, &steps[i], err));
        }
        dw__log_snapshot_unref(before);
        before = after;
        after = NULL;
    }
    return DW_OK;
}

static void
put_step(dw_rows *rows, const dw_history_entry *entry, const step *done)
{
    for (size_t i = 0; i < done->count; i++) {
        const dw_schema_change *change = &done->changes[i];
        dw__rows_put_i64(rows, entry->version);
        dw__rows_put_i64(rows, entry->timestamp_ms * 1000);
        dw__rows_put_str(rows,
                         entry->info.operation.len == 0 ? DW_STR_NULL : entry->info.operation);
        dw__rows_put_str(rows, dw__str_from(dw__schema_change_name(change->kind)));
        dw__rows_put_str(rows, change->column.len == 0 ? DW_STR_NULL : change->column);
        dw__rows_put_str(rows, change->before);
        dw__rows_put_str(rows, change->after);
    }
}

dw_status
dw__table_schema_history(dw_table *table, int64_t limit, struct ArrowArrayStream *out,
                         dw_error *err)
{
    const dw_env *env = dw__table_env(table);
    dw_log *log = dw__table_log(table);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_history_entry *entries;
    size_t count;
    /* One more, to compare the last one with. */
    DW_TRY(dw__log_history(log, limit == 0 ? 0 : limit + 1, &arena, &entries, &count, err));
    step *steps = DW_ARENA_ARRAY(&arena, step, count + 1);
    dw_rows *rows;
    if (steps == NULL) {
        return dw__error_oom(err);
    }
    memset(steps, 0, (count + 1) * sizeof(*steps));
    DW_TRY(find_steps(log, entries, count, &arena, steps, err));
    DW_TRY(dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &rows, err));
    size_t shown = limit != 0 && count > (size_t) limit ? (size_t) limit : count;
    for (size_t i = 0; i < shown; i++) {
        put_step(rows, &entries[i], &steps[i]);
    }
    return dw__rows_stream(rows, out, err);
}
