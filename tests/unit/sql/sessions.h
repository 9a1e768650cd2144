/*
 * A session over a warehouse of its own, and results as text, for tests that run statements.
 */
#ifndef DWT_SQL_SESSIONS_H
#define DWT_SQL_SESSIONS_H

#include "support/temp_dir.h"
#include "support/test.h"

#include "deltaworks.h"

#include <inttypes.h>

enum { DWT_ROWS_SIZE = 65536 };

typedef struct dwt_session {
    dwt_temp_dir dir;
    dw_runtime *runtime;
    dw_session *session;
    dw_error err;
    char text[DWT_ROWS_SIZE]; /* of the last statement: its rows, or its message */
} dwt_session;

static inline int
dwt_session_setup(void **state)
{
    dwt_session *s = test_calloc(1, sizeof *s);
    dwt_temp_dir_make(&s->dir);
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    options.warehouse = s->dir.path;
    options.thread_count = 2;
    assert_ok(dw_runtime_open(&options, &s->runtime, &s->err), &s->err);
    assert_ok(dw_session_open(s->runtime, &s->session, &s->err), &s->err);
    *state = s;
    return 0;
}

static inline int
dwt_session_teardown(void **state)
{
    dwt_session *s = *state;
    dw_session_close(s->session);
    dw_runtime_close(s->runtime);
    dwt_temp_dir_remove(&s->dir);
    test_free(s);
    return 0;
}

/* ---- Rows as text: "a|b\nc|NULL" ------------------------------------------------------------- */

static inline size_t
dwt_put(dwt_session *s, size_t len, const char *bytes, size_t count)
{
    assert_true(len + count + 1 < sizeof s->text);
    memcpy(s->text + len, bytes, count);
    s->text[len + count] = '\0';
    return len + count;
}

static inline size_t
dwt_put_cell(dwt_session *s, size_t len, const struct ArrowSchema *schema,
             const struct ArrowArray *array, int64_t row)
{
    char buf[64];
    const char *format = schema->format;
    int64_t i = row + array->offset;
    const uint8_t *validity = array->buffers[0];
    if (validity != NULL && (validity[i / 8] >> (i % 8) & 1) == 0) {
        return dwt_put(s, len, "NULL", 4);
    }
    const void *data = array->buffers[1];
    if (strcmp(format, "u") == 0) {
        const int32_t *offsets = data;
        return dwt_put(s, len, (const char *) array->buffers[2] + offsets[i],
                       (size_t) (offsets[i + 1] - offsets[i]));
    }
    int count = 0;
    if (strcmp(format, "l") == 0 || strncmp(format, "ts", 2) == 0) {
        count = snprintf(buf, sizeof buf, "%" PRId64, ((const int64_t *) data)[i]);
    } else if (strcmp(format, "i") == 0 || strcmp(format, "tdD") == 0) {
        count = snprintf(buf, sizeof buf, "%" PRId32, ((const int32_t *) data)[i]);
    } else if (strcmp(format, "g") == 0) {
        count = snprintf(buf, sizeof buf, "%g", ((const double *) data)[i]);
    } else if (strcmp(format, "b") == 0) {
        bool is_true = (((const uint8_t *) data)[i / 8] >> (i % 8) & 1) != 0;
        count = snprintf(buf, sizeof buf, "%s", is_true ? "true" : "false");
    } else {
        count = snprintf(buf, sizeof buf, "<%s>", format);
    }
    return dwt_put(s, len, buf, (size_t) count);
}

/* Reads all rows into s->text; the names of the columns come first when `with_names`. */
static inline void
dwt_read_rows(dwt_session *s, dw_result *result, bool with_names)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    size_t len = 0;
    assert_ok(dw_result_stream(result, &stream, &s->err), &s->err);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    for (int64_t c = 0; with_names && c < schema.n_children; c++) {
        len = dwt_put(s, len, "|", c > 0 ? 1 : 0);
        len = dwt_put(s, len, schema.children[c]->name, strlen(schema.children[c]->name));
    }
    for (;;) {
        int failed = stream.get_next(&stream, &batch);
        if (failed != 0) {
            fail_msg("reading rows failed: %s", stream.get_last_error(&stream));
        }
        if (batch.release == NULL) {
            break;
        }
        for (int64_t row = 0; row < batch.length; row++) {
            len = dwt_put(s, len, "\n", len > 0 ? 1 : 0);
            for (int64_t c = 0; c < schema.n_children; c++) {
                len = dwt_put(s, len, "|", c > 0 ? 1 : 0);
                len = dwt_put_cell(s, len, schema.children[c], batch.children[c], row);
            }
        }
        batch.release(&batch);
    }
    schema.release(&schema);
    stream.release(&stream);
}

/* ---- Statements ------------------------------------------------------------------------------ */

static inline dw_status
dwt_execute(dwt_session *s, const char *sql, bool with_names)
{
    dw_result *result = NULL;
    s->text[0] = '\0';
    dw_status status = dw_session_execute(s->session, sql, NULL, &result, &s->err);
    if (status == DW_OK && result != NULL) {
        if (dw_result_has_rows(result)) {
            dwt_read_rows(s, result, with_names);
        } else {
            (void) snprintf(s->text, sizeof s->text, "%s", dw_result_message(result));
        }
    }
    dw_result_free(result);
    return status;
}

/* Runs statements, separated by semicolons, that must succeed. */
static inline void
dwt_run(dwt_session *s, const char *sql)
{
    while (*sql != '\0') {
        size_t len = dw_sql_statement_length(sql);
        dw_status status = dwt_execute(s, sql, false);
        if (status != DW_OK) {
            print_error("%s\n", sql);
        }
        assert_ok(status, &s->err);
        sql += len > 0 ? len : strlen(sql);
    }
}

/* The last of the statements gives these rows, or this message. */
#define assert_gives(s, sql, expected)                                                             \
    do {                                                                                           \
        dwt_run((s), (sql));                                                                       \
        assert_string_equal((s)->text, (expected));                                                \
    } while (0)

/* The same with the names of the columns in the first line. */
#define assert_gives_named(s, sql, expected)                                                       \
    do {                                                                                           \
        assert_ok(dwt_execute((s), (sql), true), &(s)->err);                                       \
        assert_string_equal((s)->text, (expected));                                                \
    } while (0)

#define assert_fails(s, sql, status, code, words)                                                  \
    do {                                                                                           \
        assert_error(dwt_execute((s), (sql), false), (status), (code), &(s)->err);                 \
        assert_message_has(&(s)->err, (words));                                                    \
    } while (0)

#endif
