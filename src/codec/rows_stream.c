/*
 * Handing small results out as an Arrow stream of one batch, whose buffers point into the builder.
 * https://arrow.apache.org/docs/format/CDataInterface.html
 */
#include "codec/rows_data.h"

#include "base/assert.h"

#include <errno.h>
#include <stdio.h>

#define FORMAT_SIZE 24
/* A map is list<struct<key, value>>: no column has more than this many arrays below it. */
#define DESCENDANTS_MAX 3
#define BUFFERS_MAX 3

/* ---- The schema ------------------------------------------------------------------------------ */

static void
release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child != NULL && child->release != NULL) {
            child->release(child);
        }
    }
    const dw_allocator *allocator = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        dw__dealloc(allocator, schema->children[i], sizeof(struct ArrowSchema));
    }
    dw__dealloc(allocator, schema->children,
                (size_t) schema->n_children * sizeof(struct ArrowSchema *));
    dw__dealloc(allocator, (void *) (uintptr_t) schema->name, strlen(schema->name) + 1);
    dw__dealloc(allocator, (void *) (uintptr_t) schema->format, FORMAT_SIZE);
    memset(schema, 0, sizeof(*schema));
}

/* Makes a node whose children exist but are still empty; all or nothing. */
static bool
make_schema(const dw_allocator *allocator, struct ArrowSchema *out, const char *name,
            const char *format, size_t child_count)
{
    memset(out, 0, sizeof(*out));
    size_t name_size = strlen(name) + 1;
    char *name_copy = dw__alloc(allocator, name_size);
    char *format_copy = dw__alloc_zero(allocator, FORMAT_SIZE);
    struct ArrowSchema **children =
        child_count == 0 ? NULL
                         : dw__alloc_zero(allocator, child_count * sizeof(struct ArrowSchema *));
    bool ok = name_copy != NULL && format_copy != NULL && (child_count == 0 || children != NULL);
    for (size_t i = 0; ok && i < child_count; i++) {
        children[i] = DW_NEW(allocator, struct ArrowSchema);
        ok = children[i] != NULL;
    }
    if (!ok) {
        for (size_t i = 0; children != NULL && i < child_count; i++) {
            dw__dealloc(allocator, children[i], sizeof(struct ArrowSchema));
        }
        dw__dealloc(allocator, children, child_count * sizeof(struct ArrowSchema *));
        dw__dealloc(allocator, name_copy, name_size);
        dw__dealloc(allocator, format_copy, FORMAT_SIZE);
        return false;
    }
    memcpy(name_copy, name, name_size);
    snprintf(format_copy, FORMAT_SIZE, "%s", format);
    *out = (struct ArrowSchema){.format = format_copy,
                                .name = name_copy,
                                .flags = ARROW_FLAG_NULLABLE,
                                .n_children = (int64_t) child_count,
                                .children = children,
                                .release = release_schema,
                                .private_data = (void *) (uintptr_t) allocator};
    return true;
}

static void
format_of(const dw_rows_column *spec, char out[FORMAT_SIZE])
{
    const char *text = "";
    switch (spec->kind) {
    case DW_ROWS_BOOL:
        text = "b";
        break;
    case DW_ROWS_I64:
        text = "l";
        break;
    case DW_ROWS_I32:
        text = "i";
        break;
    case DW_ROWS_DOUBLE:
        text = "g";
        break;
    case DW_ROWS_STR:
        text = "u";
        break;
    case DW_ROWS_DATE:
        text = "tdD";
        break;
    case DW_ROWS_TIMESTAMP:
        text = "tsu:UTC";
        break;
    case DW_ROWS_TIMESTAMP_NTZ:
        text = "tsu:";
        break;
    case DW_ROWS_STR_LIST:
        text = "+l";
        break;
    case DW_ROWS_STR_MAP:
        text = "+m";
        break;
    case DW_ROWS_DECIMAL:
        snprintf(out, FORMAT_SIZE, "d:%d,%d", spec->precision, spec->scale);
        return;
    }
    snprintf(out, FORMAT_SIZE, "%s", text);
}

static bool
make_column_schema(const dw_rows *rows, const dw_rows_cells *col, struct ArrowSchema *out)
{
    char format[FORMAT_SIZE];
    format_of(&col->spec, format);
    const dw_allocator *allocator = rows->allocator;
    bool is_list = col->spec.kind == DW_ROWS_STR_LIST;
    bool is_map = col->spec.kind == DW_ROWS_STR_MAP;
    if (!make_schema(allocator, out, col->name, format, is_list || is_map ? 1 : 0)) {
        return false;
    }
    if (is_list) {
        return make_schema(allocator, out->children[0], "item", "u", 0);
    }
    if (is_map) {
        struct ArrowSchema *entries = out->children[0];
        if (!make_schema(allocator, entries, "entries", "+s", 2)) {
            return false;
        }
        entries->flags = 0;
        bool ok = make_schema(allocator, entries->children[0], "key", "u", 0);
        if (ok) {
            entries->children[0]->flags = 0;
        }
        return ok && make_schema(allocator, entries->children[1], "value", "u", 0);
    }
    return true;
}

static int
stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const dw_rows *rows = stream->private_data;
    if (!make_schema(rows->allocator, out, "", "+s", rows->column_count)) {
        return ENOMEM;
    }
    for (size_t i = 0; i < rows->column_count; i++) {
        if (!make_column_schema(rows, &rows->columns[i], out->children[i])) {
            out->release(out);
            return ENOMEM;
        }
    }
    return 0;
}

/* ---- The batch ------------------------------------------------------------------------------- */

/* The whole batch in one allocation, behind this header. Every array of it holds a reference, so
 * that a consumer may move children out and release them in any order. */
typedef struct batch {
    dw_rows *rows;
    size_t size;
    atomic_int owner_count;
} batch;

static void
release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
    }
    batch *owner = array->private_data;
    array->release = NULL;
    if (atomic_fetch_sub(&owner->owner_count, 1) == 1) {
        dw_rows *rows = owner->rows;
        dw__dealloc(rows->allocator, owner, owner->size);
        dw__rows_unref(rows);
    }
}

/* What is still free in the batch while it is filled. */
typedef struct batch_room {
    batch *owner;
    struct ArrowArray *arrays;
    struct ArrowArray **pointers;
    const void **buffers;
} batch_room;

static void
fill_common(batch_room *room, struct ArrowArray *out, int64_t length, int64_t buffer_count)
{
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = buffer_count,
                               .buffers = room->buffers,
                               .release = release_array,
                               .private_data = room->owner};
    room->buffers += BUFFERS_MAX;
    atomic_fetch_add(&room->owner->owner_count, 1);
}

/* Fills an array over `data`. */
static void
fill_array(batch_room *room, struct ArrowArray *out, const dw_rows_data *data, dw_rows_kind kind)
{
    static const int32_t no_offsets[2] = {0, 0};
    bool has_offsets = kind == DW_ROWS_STR || kind == DW_ROWS_STR_LIST || kind == DW_ROWS_STR_MAP;
    fill_common(room, out, data->count, kind == DW_ROWS_STR ? 3 : 2);
    out->null_count = data->null_count;
    out->buffers[0] = data->null_count == 0 ? NULL : data->validity.ptr;
    if (has_offsets) {
        out->buffers[1] = data->offsets.len == 0 ? (const void *) no_offsets : data->offsets.ptr;
        out->buffers[2] = dw__strbuf_cstr(&data->values);
    } else {
        out->buffers[1] = dw__strbuf_cstr(&data->values);
    }
}

static void
fill_struct(batch_room *room, struct ArrowArray *out, int64_t length, struct ArrowArray **children,
            int64_t child_count)
{
    fill_common(room, out, length, 1);
    out->buffers[0] = NULL;
    out->children = children;
    out->n_children = child_count;
}

/* Takes the next array as the only child of `parent`. */
static struct ArrowArray *
take_child(batch_room *room, struct ArrowArray *parent)
{
    struct ArrowArray *child = room->arrays++;
    parent->children = room->pointers;
    parent->n_children = 1;
    *room->pointers++ = child;
    return child;
}

static void
fill_column(batch_room *room, struct ArrowArray *out, const dw_rows_cells *col)
{
    fill_array(room, out, &col->cells, col->spec.kind);
    if (col->spec.kind == DW_ROWS_STR_LIST) {
        fill_array(room, take_child(room, out), &col->keys, DW_ROWS_STR);
    } else if (col->spec.kind == DW_ROWS_STR_MAP) {
        out->n_buffers = 2;
        struct ArrowArray *entries = take_child(room, out);
        struct ArrowArray **pair = room->pointers;
        room->pointers += 2;
        pair[0] = room->arrays++;
        pair[1] = room->arrays++;
        fill_array(room, pair[0], &col->keys, DW_ROWS_STR);
        fill_array(room, pair[1], &col->values, DW_ROWS_STR);
        fill_struct(room, entries, col->keys.count, pair, 2);
    }
}

/*
 * One allocation for the batch and everything that it points to except the values. NULL: no memory.
 */
static batch *
make_batch(dw_rows *rows, batch_room *room)
{
    size_t node_count = rows->column_count * (1 + DESCENDANTS_MAX);
    size_t buffer_count = (node_count + 1) * BUFFERS_MAX;
    size_t size = sizeof(batch) + node_count * sizeof(struct ArrowArray) +
                  node_count * sizeof(struct ArrowArray *) + buffer_count * sizeof(void *);
    batch *owner = dw__alloc_zero(rows->allocator, size);
    if (owner != NULL) {
        owner->rows = rows;
        owner->size = size;
        room->owner = owner;
        room->arrays = (struct ArrowArray *) (owner + 1);
        room->pointers = (struct ArrowArray **) (room->arrays + node_count);
        room->buffers = (const void **) (room->pointers + node_count);
    }
    return owner;
}

static int
stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    dw_rows *rows = stream->private_data;
    memset(out, 0, sizeof(*out));
    if (rows->is_streamed || rows->row_count == 0) {
        return 0;
    }
    batch_room room = {0};
    if (make_batch(rows, &room) == NULL) {
        return ENOMEM;
    }
    struct ArrowArray **columns = room.pointers;
    room.pointers += rows->column_count;
    for (size_t i = 0; i < rows->column_count; i++) {
        columns[i] = room.arrays++;
        fill_column(&room, columns[i], &rows->columns[i]);
    }
    fill_struct(&room, out, rows->row_count, columns, (int64_t) rows->column_count);
    rows->is_streamed = true;
    atomic_fetch_add(&rows->owner_count, 1);
    return 0;
}

static const char *
stream_get_last_error(struct ArrowArrayStream *stream)
{
    (void) stream;
    return "out of memory";
}

static void
stream_release(struct ArrowArrayStream *stream)
{
    dw__rows_unref(stream->private_data);
    stream->release = NULL;
}

static bool
is_whole(const dw_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        const dw_rows_cells *col = &rows->columns[i];
        const dw_rows_data *parts[] = {&col->cells, &col->keys, &col->values};
        for (size_t k = 0; k < 3; k++) {
            if (parts[k]->validity.failed || parts[k]->offsets.failed || parts[k]->values.failed) {
                return false;
            }
        }
    }
    return true;
}

dw_status
dw__rows_stream(dw_rows *rows, struct ArrowArrayStream *out, dw_error *err)
{
    dw_assert(rows->next == 0);
    memset(out, 0, sizeof(*out));
    if (!is_whole(rows)) {
        dw__rows_free(rows);
        return dw__error_oom(err);
    }
    *out = (struct ArrowArrayStream){.get_schema = stream_get_schema,
                                     .get_next = stream_get_next,
                                     .get_last_error = stream_get_last_error,
                                     .release = stream_release,
                                     .private_data = rows};
    return DW_OK;
}
