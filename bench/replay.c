/*
 * replay.c - the Arrow C interfaces over a batch that stays where it is.
 *
 * A copied array or schema has children of its own, because a consumer may move a child out and
 * release it alone; names, formats and buffers are borrowed from the batch.
 */
#include "replay.h"

#include <errno.h>
#include <stdlib.h>

typedef struct replay_state {
    const replay_batch *batch;
    bool is_sent;
} replay_state;

static void
release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
        free(schema->children[i]);
    }
    free(schema->children);
    schema->release = NULL;
}

static void
release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
        free(array->children[i]);
    }
    free(array->children);
    array->release = NULL;
}

/* The children are plain columns: rows of nested types are not what appends are measured with. */
static int
copy_schema(const struct ArrowSchema *from, struct ArrowSchema *out)
{
    *out = *from;
    out->release = release_schema;
    out->n_children = 0;
    out->children = calloc((size_t) from->n_children + 1, sizeof *out->children);
    for (int64_t i = 0; out->children != NULL && i < from->n_children; i++) {
        struct ArrowSchema *child = malloc(sizeof *child);
        if (child == NULL) {
            break;
        }
        *child = *from->children[i];
        child->release = release_schema;
        child->children = NULL;
        out->children[out->n_children++] = child;
    }
    if (out->n_children < from->n_children) {
        release_schema(out);
        return ENOMEM;
    }
    return 0;
}

static int
copy_array(const struct ArrowArray *from, struct ArrowArray *out)
{
    *out = *from;
    out->release = release_array;
    out->n_children = 0;
    out->children = calloc((size_t) from->n_children + 1, sizeof *out->children);
    for (int64_t i = 0; out->children != NULL && i < from->n_children; i++) {
        struct ArrowArray *child = malloc(sizeof *child);
        if (child == NULL) {
            break;
        }
        *child = *from->children[i];
        child->release = release_array;
        child->children = NULL;
        out->children[out->n_children++] = child;
    }
    if (out->n_children < from->n_children) {
        release_array(out);
        return ENOMEM;
    }
    return 0;
}

static int
replay_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const replay_state *state = stream->private_data;
    return copy_schema(&state->batch->schema, out);
}

static int
replay_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    replay_state *state = stream->private_data;
    *out = (struct ArrowArray){0};
    if (state->is_sent) {
        return 0;
    }
    state->is_sent = true;
    return copy_array(&state->batch->rows, out);
}

static const char *
replay_get_last_error(struct ArrowArrayStream *stream)
{
    (void) stream;
    return "no memory";
}

static void
replay_release(struct ArrowArrayStream *stream)
{
    free(stream->private_data);
    stream->release = NULL;
}

bool
replay_stream(const replay_batch *batch, struct ArrowArrayStream *out)
{
    replay_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return false;
    }
    state->batch = batch;
    *out = (struct ArrowArrayStream){replay_get_schema, replay_get_next, replay_get_last_error,
                                     replay_release, state};
    return true;
}

bool
replay_take(replay_batch *batch, struct ArrowArrayStream *stream)
{
    struct ArrowArray more = {0};
    if (stream->get_schema(stream, &batch->schema) != 0 ||
        stream->get_next(stream, &batch->rows) != 0 || batch->rows.release == NULL ||
        stream->get_next(stream, &more) != 0) {
        return false;
    }
    if (more.release != NULL) {
        more.release(&more);
        return false;
    }
    return true;
}

void
replay_free(replay_batch *batch)
{
    if (batch->rows.release != NULL) {
        batch->rows.release(&batch->rows);
    }
    if (batch->schema.release != NULL) {
        batch->schema.release(&batch->schema);
    }
}
