/*
 * See arrow_window.h.
 */
#include "engine/arrow_window.h"

#include "base/assert.h"

/* ---- The tree -------------------------------------------------------------------------------- */

static dw_arrow_shape
shape_of(const struct ArrowSchema *schema)
{
    dw_str format = dw__str_from(schema->format);
    if (dw__str_equal(format, DW_STR("+s"))) {
        return DW_ARROW_STRUCT;
    }
    bool is_list = dw__str_equal(format, DW_STR("+l")) || dw__str_equal(format, DW_STR("+L")) ||
                   dw__str_equal(format, DW_STR("+vl")) || dw__str_equal(format, DW_STR("+vL")) ||
                   dw__str_equal(format, DW_STR("+m")) ||
                   dw__str_starts_with(format, DW_STR("+w:"));
    return is_list ? DW_ARROW_LIST : DW_ARROW_LEAF;
}

/* The engine takes over what it is given and releases it; the buffers are the stream's. */
static void
release_nothing(struct ArrowArray *array)
{
    array->release = NULL;
}

static dw_status
make_node(const struct ArrowSchema *schema, int depth, dw_arena *arena, dw_arrow_node *out,
          dw_error *err)
{
    if (depth > DW_ARROW_DEPTH_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARROW_INVALID",
                             "expected types of at most %d levels, found a deeper one",
                             DW_ARROW_DEPTH_MAX);
    }
    if (schema->format == NULL || schema->n_children < 0 ||
        (schema->n_children > 0 && schema->children == NULL)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARROW_INVALID",
                             "expected an Arrow schema with formats, found one without");
    }
    size_t count = (size_t) schema->n_children;
    out->shape = shape_of(schema);
    out->child_count = count;
    out->children = DW_ARENA_ARRAY(arena, dw_arrow_node, count);
    out->child_arrays = DW_ARENA_ARRAY(arena, struct ArrowArray *, count);
    if (out->children == NULL || out->child_arrays == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        out->child_arrays[i] = &out->children[i].array;
        DW_TRY(make_node(schema->children[i], depth + 1, arena, &out->children[i], err));
    }
    return DW_OK;
}

dw_status
dw__arrow_window_new(const struct ArrowSchema *schema, dw_arena *arena, dw_arrow_node **out,
                     dw_error *err)
{
    *out = DW_ARENA_NEW(arena, dw_arrow_node);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (schema->format == NULL || strcmp(schema->format, "+s") != 0 || schema->n_children == 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARROW_INVALID",
                             "expected a stream of rows with columns, found another Arrow type");
    }
    return make_node(schema, 0, arena, *out, err);
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* Where an array's first row really is, and what the engine will add to its offset by itself. */
typedef struct place {
    int64_t parent_first; /* the first row of the struct around it, in the struct's children */
    int64_t added;        /* the offset of the struct around it, which the engine adds */
    bool is_in_list;      /* then it adds nothing but the list's own offsets */
} place;

static bool
set_node(dw_arrow_node *node, const struct ArrowArray *source, place at)
{
    if (source->n_children != (int64_t) node->child_count || source->offset < 0 ||
        source->length < 0) {
        return false;
    }
    int64_t first = source->offset + at.parent_first;
    node->array = *source;
    node->array.offset = at.is_in_list ? first : first - at.added;
    node->array.children = node->child_arrays;
    node->array.release = release_nothing;
    node->array.private_data = NULL;
    place below = {0, 0, true};
    if (node->shape == DW_ARROW_STRUCT) {
        below = (place){first, node->array.offset, at.is_in_list};
    } else if (node->shape == DW_ARROW_LEAF) {
        below = (place){0, 0, false};
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (!set_node(&node->children[i], source->children[i], below)) {
            return false;
        }
    }
    return true;
}

bool
dw__arrow_window_set(dw_arrow_node *root, const struct ArrowArray *array, int64_t start,
                     int64_t count)
{
    dw_assert(start >= 0 && count >= 0 && count <= DW_ARROW_WINDOW_ROWS_MAX);
    if (array->n_children != (int64_t) root->child_count) {
        return false;
    }
    root->array = *array;
    root->array.offset = 0;
    root->array.length = count;
    root->array.children = root->child_arrays;
    root->array.release = release_nothing;
    root->array.private_data = NULL;
    for (size_t i = 0; i < root->child_count; i++) {
        dw_arrow_node *column = &root->children[i];
        if (!set_node(column, array->children[i], (place){array->offset + start, 0, false})) {
            return false;
        }
        column->array.length = count;
        column->array.null_count = array->children[i]->null_count == 0 ? 0 : -1;
    }
    return true;
}

/* ---- No rows --------------------------------------------------------------------------------- */

static bool
set_empty(dw_arrow_node *node, struct ArrowArray *array, const struct ArrowSchema *schema,
          dw_arena *arena)
{
    /* Enough for the first offset, size or type id of every layout. */
    static const int64_t zeros[8];
    static const void *const buffers[3] = {NULL, zeros, zeros};
    *array = (struct ArrowArray){.n_buffers = 3,
                                 .n_children = schema->n_children,
                                 .buffers = (const void **) (uintptr_t) buffers,
                                 .children = node == NULL ? NULL : node->child_arrays,
                                 .release = release_nothing};
    if (schema->dictionary != NULL) {
        array->dictionary = DW_ARENA_NEW(arena, struct ArrowArray);
        if (array->dictionary == NULL ||
            !set_empty(NULL, array->dictionary, schema->dictionary, arena)) {
            return false;
        }
    }
    for (size_t i = 0; node != NULL && i < node->child_count; i++) {
        if (!set_empty(&node->children[i], &node->children[i].array, schema->children[i], arena)) {
            return false;
        }
    }
    return true;
}

bool
dw__arrow_window_set_empty(dw_arrow_node *root, const struct ArrowSchema *schema, dw_arena *arena)
{
    return set_empty(root, &root->array, schema, arena);
}
