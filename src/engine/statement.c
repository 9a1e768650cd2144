/*
 * One statement from its text to its chunks, with the engine's errors turned into ours.
 */
#include "base/assert.h"
#include "engine/internal.h"

/* How long to sleep while the engine's threads work. */
enum { PAUSE_US_MIN = 20, PAUSE_US_MAX = 500 };

dw_status
dw__statement_text(dw_str sql, dw_strbuf *out, dw_error *err)
{
    if (dw__str_find(sql, '\0') != SIZE_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                             "expected a statement of text, found a zero byte in it");
    }
    dw__strbuf_clear(out);
    dw__strbuf_append(out, sql);
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
prepare_one(const dw_duck *duck, duckdb_connection handle, duckdb_extracted_statements extracted,
            idx_t idx, duckdb_prepared_statement *out, dw_error *err)
{
    *out = NULL;
    if (duck->prepare_extracted_statement(handle, extracted, idx, out) != DuckDBSuccess) {
        dw_status status = dw__duck_error(duck->prepare_error(*out), err);
        duck->destroy_prepare(out);
        return status;
    }
    return DW_OK;
}

static dw_status
run_and_drop(const dw_duck *duck, duckdb_prepared_statement prepared, dw_error *err)
{
    duckdb_result result;
    DW_TRY(dw__statement_run(duck, prepared, &result, err));
    dw_status status = DW_OK;
    duckdb_data_chunk chunk = NULL;
    do {
        duck->destroy_data_chunk(&chunk);
        status = dw__statement_fetch(duck, &result, &chunk, err);
    } while (chunk != NULL);
    duck->destroy_result(&result);
    return status;
}

static dw_status
prepare_last(const dw_duck *duck, duckdb_connection handle, duckdb_extracted_statements extracted,
             idx_t count, duckdb_prepared_statement *out, dw_error *err)
{
    for (idx_t i = 0; i + 1 < count; i++) {
        duckdb_prepared_statement prepared = NULL;
        DW_TRY(prepare_one(duck, handle, extracted, i, &prepared, err));
        dw_status status = run_and_drop(duck, prepared, err);
        duck->destroy_prepare(&prepared);
        DW_TRY(status);
    }
    return prepare_one(duck, handle, extracted, count - 1, out, err);
}

dw_status
dw__statement_prepare(const dw_duck *duck, duckdb_connection handle, const char *sql,
                      duckdb_prepared_statement *out, dw_error *err)
{
    *out = NULL;
    duckdb_extracted_statements extracted = NULL;
    idx_t count = duck->extract_statements(handle, sql, &extracted);
    dw_status status = DW_OK;
    if (count > 0) {
        status = prepare_last(duck, handle, extracted, count, out, err);
    } else {
        const char *text = duck->extract_statements_error(extracted);
        bool is_empty = text == NULL || text[0] == '\0';
        status = is_empty ? dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                          "expected a statement, found none")
                          : dw__duck_error(text, err);
    }
    duck->destroy_extracted(&extracted);
    return status;
}

dw_status
dw__statement_run(const dw_duck *duck, duckdb_prepared_statement prepared, duckdb_result *out,
                  dw_error *err)
{
    if (duck->execute_prepared_streaming(prepared, out) != DuckDBSuccess) {
        dw_status status = dw__duck_error(duck->result_error(out), err);
        duck->destroy_result(out);
        return status;
    }
    return DW_OK;
}

/* Works on the statement until it has rows to give or is done. While all that is left to do is in
 * the hands of the engine's threads it sleeps: the engine by itself would ask again and again, and
 * keep a core from them and from other sessions. */
static dw_status
work_until_ready(const dw_env *env, const dw_duck *duck, duckdb_pending_result pending,
                 dw_error *err)
{
    int64_t pause_us = PAUSE_US_MIN;
    for (;;) {
        duckdb_pending_state state = duck->pending_execute_task(pending);
        if (state == DUCKDB_PENDING_RESULT_READY) {
            return DW_OK;
        }
        if (state == DUCKDB_PENDING_ERROR) {
            return dw__duck_error(duck->pending_error(pending), err);
        }
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) {
            env->ops->sleep_us(env->ctx, pause_us);
            pause_us = pause_us * 2 < PAUSE_US_MAX ? pause_us * 2 : PAUSE_US_MAX;
        } else {
            pause_us = PAUSE_US_MIN;
        }
    }
}

/* Takes over the pending result, which is there even when it could not be made. */
static dw_status
finish_pending(const dw_env *env, const dw_duck *duck, duckdb_state made,
               duckdb_pending_result pending, duckdb_result *out, dw_error *err)
{
    dw_status status = made == DuckDBSuccess ? work_until_ready(env, duck, pending, err)
                                             : dw__duck_error(duck->pending_error(pending), err);
    if (status == DW_OK && duck->execute_pending(pending, out) != DuckDBSuccess) {
        status = dw__duck_error(duck->result_error(out), err);
        duck->destroy_result(out);
    }
    duck->destroy_pending(&pending);
    return status;
}

dw_status
dw__statement_run_patiently(const dw_env *env, const dw_duck *duck,
                            duckdb_prepared_statement prepared, duckdb_result *out, dw_error *err)
{
    duckdb_pending_result pending = NULL;
    duckdb_state made = duck->pending_prepared_streaming(prepared, &pending);
    return finish_pending(env, duck, made, pending, out, err);
}

dw_status
dw__statement_run_whole(const dw_env *env, const dw_duck *duck, duckdb_prepared_statement prepared,
                        duckdb_result *out, dw_error *err)
{
    duckdb_pending_result pending = NULL;
    duckdb_state made = duck->pending_prepared(prepared, &pending);
    return finish_pending(env, duck, made, pending, out, err);
}

dw_status
dw__statement_fetch(const dw_duck *duck, duckdb_result *result, duckdb_data_chunk *out,
                    dw_error *err)
{
    *out = duck->fetch_chunk(*result);
    if (*out != NULL && duck->data_chunk_get_size(*out) == 0) {
        duck->destroy_data_chunk(out);
    }
    if (*out == NULL) {
        const char *text = duck->result_error(result);
        if (text != NULL && text[0] != '\0') {
            return dw__duck_error(text, err);
        }
    }
    return DW_OK;
}

dw_status
dw__statement_query(const dw_duck *duck, duckdb_connection handle, const char *sql,
                    duckdb_result *out, dw_error *err)
{
    duckdb_prepared_statement prepared = NULL;
    DW_TRY(dw__statement_prepare(duck, handle, sql, &prepared, err));
    dw_status status = dw__statement_run(duck, prepared, out, err);
    duck->destroy_prepare(&prepared);
    return status;
}

dw_status
dw__statement_execute(const dw_duck *duck, duckdb_connection handle, const char *sql, dw_error *err)
{
    duckdb_prepared_statement prepared = NULL;
    DW_TRY(dw__statement_prepare(duck, handle, sql, &prepared, err));
    dw_status status = run_and_drop(duck, prepared, err);
    duck->destroy_prepare(&prepared);
    return status;
}

dw_status
dw__duck_error_data(const dw_duck *duck, duckdb_error_data data, dw_error *err)
{
    if (data == NULL) {
        return DW_OK;
    }
    dw_status status = dw__duck_error(duck->error_data_message(data), err);
    duck->destroy_error_data(&data);
    return status;
}
