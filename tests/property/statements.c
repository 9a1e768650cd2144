/*
 * Runs the statements that it reads, one a line, in one session, and answers each with a line of
 * JSON: {"rows": [[...], ...]} or {"error": "CODE", "message": "..."}. Through the public header
 * and the shared library, as a user's program. Values are numbers of 32 or 64 bits, booleans,
 * VARCHAR, and structs and lists of these; what is not is an error of the test.
 */
#include "deltaworks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Printing -------------------------------------------------------------------------------- */

static void
print_text(const char *text, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c == '"' || c == '\\' || c < 0x20) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void
print_error(const dw_error *err)
{
    printf("{\"error\": ");
    print_text(err->code, strlen(err->code));
    printf(", \"message\": ");
    print_text(err->message, strlen(err->message));
    printf("}\n");
}

static bool
is_format(const struct ArrowSchema *schema, const char *format)
{
    return strcmp(schema->format, format) == 0;
}

/* Recursion is as deep as the types of answers. */
static bool
is_printable(const struct ArrowSchema *schema)
{
    bool is_known = is_format(schema, "l") || is_format(schema, "i") || is_format(schema, "g") ||
                    is_format(schema, "b") || is_format(schema, "u") || is_format(schema, "+s") ||
                    is_format(schema, "+l");
    for (int64_t i = 0; i < schema->n_children && is_known; i++) {
        is_known = is_printable(schema->children[i]);
    }
    return is_known;
}

static bool
is_set(const void *bits, int64_t at)
{
    return (((const uint8_t *) bits)[at / 8] >> (at % 8) & 1) != 0;
}

static void print_cell(const struct ArrowSchema *schema, const struct ArrowArray *column,
                       int64_t row);

static void
print_struct(const struct ArrowSchema *schema, const struct ArrowArray *column, int64_t at)
{
    putchar('{');
    for (int64_t i = 0; i < schema->n_children; i++) {
        const char *name = schema->children[i]->name;
        printf("%s", i > 0 ? ", " : "");
        print_text(name, strlen(name));
        printf(": ");
        print_cell(schema->children[i], column->children[i], at);
    }
    putchar('}');
}

static void
print_list(const struct ArrowSchema *schema, const struct ArrowArray *column, int64_t at)
{
    const int32_t *offsets = column->buffers[1];
    putchar('[');
    for (int32_t i = offsets[at]; i < offsets[at + 1]; i++) {
        printf("%s", i > offsets[at] ? ", " : "");
        print_cell(schema->children[0], column->children[0], i);
    }
    putchar(']');
}

static void
print_value(const struct ArrowSchema *schema, const struct ArrowArray *column, int64_t at)
{
    const void *values = column->n_buffers > 1 ? column->buffers[1] : NULL;
    if (is_format(schema, "+s")) {
        print_struct(schema, column, at);
    } else if (is_format(schema, "+l")) {
        print_list(schema, column, at);
    } else if (is_format(schema, "l")) {
        printf("%" PRId64, ((const int64_t *) values)[at]);
    } else if (is_format(schema, "i")) {
        printf("%" PRId32, ((const int32_t *) values)[at]);
    } else if (is_format(schema, "g")) {
        printf("%.17g", ((const double *) values)[at]);
    } else if (is_format(schema, "b")) {
        printf("%s", is_set(values, at) ? "true" : "false");
    } else {
        const int32_t *offsets = values;
        const char *data = column->buffers[2];
        print_text(data + offsets[at], (size_t) (offsets[at + 1] - offsets[at]));
    }
}

static void
print_cell(const struct ArrowSchema *schema, const struct ArrowArray *column, int64_t row)
{
    int64_t at = row + column->offset;
    const uint8_t *validity = column->buffers[0];
    if (validity != NULL && !is_set(validity, at)) {
        printf("null");
    } else {
        print_value(schema, column, at);
    }
}

static void
print_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch, bool *is_first)
{
    for (int64_t row = 0; row < batch->length; row++) {
        printf("%s[", *is_first ? "" : ", ");
        *is_first = false;
        for (int64_t i = 0; i < batch->n_children; i++) {
            printf("%s", i > 0 ? ", " : "");
            print_cell(schema->children[i], batch->children[i], row);
        }
        putchar(']');
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static dw_status
fail(dw_error *err, const char *message)
{
    err->status = DW_INTERNAL;
    (void) snprintf(err->code, sizeof(err->code), "TEST");
    (void) snprintf(err->message, sizeof(err->message), "%s", message);
    return err->status;
}

/* The batches of a stream, all of them before anything is printed: it may fail at the last. */
typedef struct batches {
    struct ArrowSchema schema;
    struct ArrowArray *items;
    size_t count;
} batches;

static dw_status
read_batches(struct ArrowArrayStream *stream, batches *out, dw_error *err)
{
    if (stream->get_schema(stream, &out->schema) != 0) {
        return fail(err, stream->get_last_error(stream));
    }
    for (;;) {
        struct ArrowArray batch = {0};
        if (stream->get_next(stream, &batch) != 0) {
            return fail(err, stream->get_last_error(stream));
        }
        if (batch.release == NULL) {
            return DW_OK;
        }
        struct ArrowArray *items = realloc(out->items, (out->count + 1) * sizeof(*items));
        if (items == NULL) {
            batch.release(&batch);
            return fail(err, "out of memory");
        }
        out->items = items;
        out->items[out->count++] = batch;
    }
}

static void
free_batches(batches *b)
{
    for (size_t i = 0; i < b->count; i++) {
        b->items[i].release(&b->items[i]);
    }
    free(b->items);
    if (b->schema.release != NULL) {
        b->schema.release(&b->schema);
    }
}

static void
print_batches(const batches *b)
{
    bool is_first = true;
    printf("{\"rows\": [");
    for (size_t i = 0; i < b->count; i++) {
        print_batch(&b->schema, &b->items[i], &is_first);
    }
    printf("]}\n");
}

static void
run(dw_session *session, const char *sql)
{
    dw_error err = DW_ERROR_INIT;
    dw_result *result = NULL;
    batches found = {0};
    dw_status status = dw_session_execute(session, sql, NULL, &result, &err);
    if (status == DW_OK && dw_result_has_rows(result)) {
        struct ArrowArrayStream stream = {0};
        status = dw_result_stream(result, &stream, &err);
        if (status == DW_OK) {
            status = read_batches(&stream, &found, &err);
            stream.release(&stream);
        }
    }
    if (status == DW_OK && found.schema.format != NULL && !is_printable(&found.schema)) {
        status = fail(&err, "expected columns of types that this program prints");
    }
    if (status == DW_OK) {
        print_batches(&found);
    } else {
        print_error(&err);
    }
    (void) fflush(stdout);
    free_batches(&found);
    dw_result_free(result);
}

int
main(int argc, char **argv)
{
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    dw_runtime *runtime = NULL;
    dw_session *session = NULL;
    dw_error err = DW_ERROR_INIT;
    options.warehouse = argc > 1 ? argv[1] : NULL;
    options.thread_count = 2;
    if (dw_runtime_open(&options, &runtime, &err) != DW_OK ||
        dw_session_open(runtime, &session, &err) != DW_OK) {
        print_error(&err);
        return EXIT_FAILURE;
    }
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        run(session, line);
    }
    free(line);
    dw_session_close(session);
    dw_runtime_close(runtime);
    return EXIT_SUCCESS;
}
