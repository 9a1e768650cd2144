/*
 * sessions.c - several sessions of one runtime, driven line by line: `NAME SQL` runs a statement in
 * the session of that name, which is opened at its first use. Each is answered by one line: `ok`,
 * `rows 1 a, 2 b` or `error CODE message`. For run.py, which reads the specifications.
 */
#include "deltaworks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE_MAX = 64 * 1024, SESSION_COUNT_MAX = 16, NAME_SIZE_MAX = 32 };

typedef struct named_session {
    char name[NAME_SIZE_MAX];
    dw_session *session;
} named_session;

typedef struct sessions {
    dw_runtime *runtime;
    named_session items[SESSION_COUNT_MAX];
    size_t count;
} sessions;

static dw_status
find_session(sessions *all, const char *name, dw_session **out, dw_error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, name) == 0) {
            *out = all->items[i].session;
            return DW_OK;
        }
    }
    if (all->count == SESSION_COUNT_MAX) {
        return DW_OUT_OF_MEMORY;
    }
    named_session *slot = &all->items[all->count];
    (void) snprintf(slot->name, sizeof slot->name, "%s", name);
    dw_status status = dw_session_open(all->runtime, &slot->session, err);
    all->count += status == DW_OK;
    *out = slot->session;
    return status;
}

static bool
is_valid(const struct ArrowArray *column, int64_t row)
{
    const uint8_t *bits = column->buffers[0];
    return bits == NULL || (bits[row / 8] >> (row % 8) & 1) != 0;
}

/* Integers and text are what the specifications ask for. */
static void
print_value(const struct ArrowArray *column, const char *format, int64_t row)
{
    row += column->offset;
    if (!is_valid(column, row)) {
        (void) printf("NULL");
    } else if (strcmp(format, "i") == 0) {
        (void) printf("%" PRId32, ((const int32_t *) column->buffers[1])[row]);
    } else if (strcmp(format, "l") == 0) {
        (void) printf("%" PRId64, ((const int64_t *) column->buffers[1])[row]);
    } else if (strcmp(format, "u") == 0) {
        const int32_t *ends = column->buffers[1];
        (void) printf("%.*s", (int) (ends[row + 1] - ends[row]),
                      (const char *) column->buffers[2] + ends[row]);
    } else {
        (void) printf("(a value of format %s)", format);
    }
}

static void
print_batch(const struct ArrowArray *batch, const struct ArrowSchema *schema, bool *is_first)
{
    for (int64_t row = 0; row < batch->length; row++) {
        (void) printf("%s", *is_first ? "" : ",");
        *is_first = false;
        for (int64_t i = 0; i < schema->n_children; i++) {
            (void) printf(" ");
            print_value(batch->children[i], schema->children[i]->format, row);
        }
    }
}

static dw_status
print_rows(dw_result *result, dw_error *err)
{
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    dw_status status = dw_result_stream(result, &stream, err);
    if (status != DW_OK) {
        return status;
    }
    bool is_first = true;
    if (stream.get_schema(&stream, &schema) == 0) {
        (void) printf("rows");
        struct ArrowArray batch = {0};
        while (stream.get_next(&stream, &batch) == 0 && batch.release != NULL) {
            print_batch(&batch, &schema, &is_first);
            batch.release(&batch);
        }
        schema.release(&schema);
    }
    stream.release(&stream);
    return DW_OK;
}

static dw_status
run(sessions *all, const char *name, const char *sql, dw_error *err)
{
    dw_session *session = NULL;
    dw_result *result = NULL;
    dw_status status = find_session(all, name, &session, err);
    if (status == DW_OK) {
        status = dw_session_execute(session, sql, NULL, &result, err);
    }
    if (status == DW_OK && dw_result_has_rows(result)) {
        status = print_rows(result, err);
    } else if (status == DW_OK) {
        (void) printf("ok");
    }
    dw_result_free(result);
    return status;
}

static void
answer(sessions *all, char *line)
{
    dw_error err = DW_ERROR_INIT;
    char *space = strchr(line, ' ');
    line[strcspn(line, "\n")] = '\0';
    if (space == NULL) {
        (void) printf("error LINE_INVALID expected a name and a statement");
    } else {
        *space = '\0';
        if (run(all, line, space + 1, &err) != DW_OK) {
            (void) printf("error %s %s", err.code, err.message);
        }
    }
    (void) printf("\n");
    (void) fflush(stdout);
}

int
main(int argc, char **argv)
{
    sessions all = {0};
    dw_error err = DW_ERROR_INIT;
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    options.warehouse = argc > 1 ? argv[1] : ".";
    if (dw_runtime_open(&options, &all.runtime, &err) != DW_OK) {
        (void) fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    char *line = malloc(LINE_SIZE_MAX);
    while (line != NULL && fgets(line, LINE_SIZE_MAX, stdin) != NULL) {
        answer(&all, line);
    }
    free(line);
    for (size_t i = 0; i < all.count; i++) {
        dw_session_close(all.items[i].session);
    }
    dw_runtime_close(all.runtime);
    return 0;
}
