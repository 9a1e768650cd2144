/*
 * Views of a few rows of an Arrow array, made so that the engine reads them right, and an array of
 * no rows from which it tells its types. Private to this folder.
 *
 * The engine takes at most 2048 rows at a time and loses offsets of structs inside structs and of
 * structs inside lists. A window says the same with offsets where the engine looks for them;
 * buffers stay where they are.
 */
#ifndef DW_ENGINE_ARROW_WINDOW_H
#define DW_ENGINE_ARROW_WINDOW_H

#include "base/arena.h"
#include "base/error.h"

enum { DW_ARROW_DEPTH_MAX = 64, DW_ARROW_WINDOW_ROWS_MAX = 2048 };

typedef enum dw_arrow_shape {
    DW_ARROW_LEAF, /* no children, or none that need care */
    DW_ARROW_STRUCT,
    DW_ARROW_LIST /* of any kind: its child has offsets of its own */
} dw_arrow_shape;

/* One array of the tree, parallel to the schema. */
typedef struct dw_arrow_node {
    dw_arrow_shape shape;
    struct ArrowArray array; /* what the engine gets; its children are those of `children` */
    struct dw_arrow_node *children;
    struct ArrowArray **child_arrays;
    size_t child_count;
} dw_arrow_node;

/* The tree for a schema, in `arena`. DW_INVALID_ARGUMENT (ARROW_INVALID) when the schema is not
 * that of rows or is too deep. */
DW_WARN_UNUSED dw_status dw__arrow_window_new(const struct ArrowSchema *schema, dw_arena *arena,
                                              dw_arrow_node **out, dw_error *err);
/* Sets the window to `count` rows of `array` from `start` on. False when the array is not built as
 * the schema says. */
bool dw__arrow_window_set(dw_arrow_node *root, const struct ArrowArray *array, int64_t start,
                          int64_t count);
/*
 * Sets it to an array of no rows, with buffers and dictionaries, in `arena`. False when out of
 * memory.
 */
bool dw__arrow_window_set_empty(dw_arrow_node *root, const struct ArrowSchema *schema,
                                dw_arena *arena);

#endif
