/*
 * DESCRIBE HISTORY.
 */
#include "codec/rows.h"
#include "table/describe.h"

static const dw_rows_column history_columns[] = {
    {"version", DW_ROWS_I64, 0, 0},        {"timestamp", DW_ROWS_TIMESTAMP, 0, 0},
    {"userId", DW_ROWS_STR, 0, 0},         {"userName", DW_ROWS_STR, 0, 0},
    {"operation", DW_ROWS_STR, 0, 0},      {"operationParameters", DW_ROWS_STR_MAP, 0, 0},
    {"readVersion", DW_ROWS_I64, 0, 0},    {"isolationLevel", DW_ROWS_STR, 0, 0},
    {"isBlindAppend", DW_ROWS_BOOL, 0, 0}, {"operationMetrics", DW_ROWS_STR_MAP, 0, 0},
    {"userMetadata", DW_ROWS_STR, 0, 0},   {"engineInfo", DW_ROWS_STR, 0, 0},
};

/* An absent text is NULL. */
static void
put_text(dw_rows *rows, dw_str text)
{
    dw__rows_put_str(rows, text.len == 0 ? DW_STR_NULL : text);
}

/* A value of the map as text: strings as they are, everything else as its JSON. */
static dw_status
put_map_item(dw_rows *rows, const dw_json_iter *item, dw_arena *arena, dw_error *err)
{
    if (dw__json_kind(item->value) == DW_JSON_STRING) {
        dw__rows_put_item(rows, item->key, dw__json_str(item->value));
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__json_write(&text, item->value);
    DW_TRY(dw__strbuf_ok(&text, "a value of the commit's information", err));
    dw__rows_put_item(rows, item->key, dw__strbuf_str(&text));
    return DW_OK;
}

/* `json` is an object's text, or the null string for NULL. */
static dw_status
put_map(dw_rows *rows, dw_str json, dw_arena *arena, dw_error *err)
{
    if (dw__str_is_null(json)) {
        dw__rows_put_null(rows);
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, json, "the commit's information", &doc, err));
    dw__rows_begin(rows);
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        DW_TRY(put_map_item(rows, &it, arena, err));
    }
    dw__rows_end(rows);
    return DW_OK;
}

static dw_status
put_entry(dw_rows *rows, const dw_history_entry *entry, dw_arena *arena, dw_error *err)
{
    const dw_commit_info *info = &entry->info;
    dw__rows_put_i64(rows, entry->version);
    dw__rows_put_i64(rows, entry->timestamp_ms * 1000);
    put_text(rows, info->user_id);
    put_text(rows, info->user_name);
    put_text(rows, info->operation);
    DW_TRY(put_map(rows, info->operation_parameters_json, arena, err));
    if (info->has_read_version) {
        dw__rows_put_i64(rows, info->read_version);
    } else {
        dw__rows_put_null(rows);
    }
    put_text(rows, info->isolation_level);
    if (info->has_is_blind_append) {
        dw__rows_put_bool(rows, info->is_blind_append);
    } else {
        dw__rows_put_null(rows);
    }
    DW_TRY(put_map(rows, info->operation_metrics_json, arena, err));
    put_text(rows, info->user_metadata);
    put_text(rows, info->engine_info);
    return DW_OK;
}

static dw_status
put_entries(dw_rows *rows, const dw_history_entry *entries, size_t count, dw_arena *arena,
            dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(put_entry(rows, &entries[i], arena, err));
    }
    return DW_OK;
}

dw_status
dw__table_history(dw_table *table, int64_t limit, struct ArrowArrayStream *out, dw_error *err)
{
    const dw_env *env = dw__table_env(table);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_history_entry *entries;
    size_t count;
    DW_TRY(dw__log_history(dw__table_log(table), limit, &arena, &entries, &count, err));
    dw_rows *rows;
    DW_TRY(dw__rows_new(env->allocator, history_columns,
                        sizeof(history_columns) / sizeof(history_columns[0]), &rows, err));
    dw_status status = put_entries(rows, entries, count, &arena, err);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, err);
}
