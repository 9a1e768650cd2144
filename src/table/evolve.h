/*
 * Schema evolution: the definition of a table that takes in the columns of a source.
 *
 *  [EVOLVE-1] Nothing is taken away: columns and fields are added behind the others, and may be
 *             NULL; a type becomes wider only where delta.enableTypeWidening allows it.
 */
#ifndef DW_TABLE_EVOLVE_H
#define DW_TABLE_EVOLVE_H

#include "table/change.h"

typedef struct dw_evolved {
    const dw_type *schema;
    dw_metadata metadata;
    dw_properties properties;
    dw_protocol protocol;
    bool has_new_schema, has_new_protocol;
} dw_evolved;

/* Takes in `count` columns, of which name and type count. In `arena`. What the table cannot have is
 * refused: DW_UNSUPPORTED (FEATURE_UNSUPPORTED), DW_INVALID_ARGUMENT (COLUMN_NAME_INVALID). */
DW_WARN_UNUSED dw_status dw__evolve(dw_table *table, const dw_log_snapshot *snapshot,
                                    const dw_field *columns, size_t count, dw_arena *arena,
                                    dw_evolved *out, dw_error *err);
/* Puts the actions that say so, at most two. */
DW_WARN_UNUSED dw_status dw__evolved_put(const dw_evolved *evolved, dw_change *change,
                                         dw_error *err);

#endif
