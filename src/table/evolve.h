/*
 * Schema evolution: the definition of a table that takes in the columns of a source, or gets them
 * in the place of its own.
 *
 *  [EVOLVE-1] Nothing is taken away: columns and fields are added behind the others, and may be
 *             NULL; a type becomes wider only where delta.enableTypeWidening allows it.
 *  [EVOLVE-2] No expression of the table sees another type: what a constraint or a generated column
 *             names keeps its own.
 */
#ifndef DW_TABLE_EVOLVE_H
#define DW_TABLE_EVOLVE_H

#include "table/change.h"

typedef struct dw_evolved {
    const dw_type *schema;
    dw_metadata metadata;
    dw_properties properties;
    dw_protocol protocol;
    dw_str clustering; /* the new configuration of its domain; null string: as it was */
    bool has_new_schema, has_new_protocol;
} dw_evolved;

/* The definition as it is. Borrowed from the snapshot. */
dw_evolved dw__evolved_of(const dw_log_snapshot *snapshot);
/* Takes in `count` columns, of which name and type count. In `arena`. What the table cannot have is
 * refused: DW_UNSUPPORTED (FEATURE_UNSUPPORTED), DW_INVALID_ARGUMENT (COLUMN_NAME_INVALID,
 * CONSTRAINT_DEPENDENT_COLUMN_CHANGE, GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE). */
DW_WARN_UNUSED dw_status dw__evolve(dw_table *table, const dw_log_snapshot *snapshot,
                                    const dw_field *columns, size_t count, dw_arena *arena,
                                    dw_evolved *out, dw_error *err);

/* What stands in the place of a table's columns when all of its rows are replaced. */
typedef struct dw_new_columns {
    const dw_field *columns; /* name and type count */
    size_t count;
    const dw_str *partition_columns; /* NULL: those that the table has */
    size_t partition_column_count;
} dw_new_columns;

/* Gives the table these columns; its properties, features and clustering stay. Nothing is new where
 * names, types and partitions are as they were. Errors as above, and PARTITION_COLUMN_MISSING,
 * CLUSTERING_COLUMN_MISSING. */
DW_WARN_UNUSED dw_status dw__evolve_replace(dw_table *table, const dw_log_snapshot *snapshot,
                                            const dw_new_columns *columns, dw_arena *arena,
                                            dw_evolved *out, dw_error *err);
#define DW_EVOLVED_ACTIONS_MAX ((size_t) 3)
/* Puts the actions that say so. */
DW_WARN_UNUSED dw_status dw__evolved_put(const dw_evolved *evolved, dw_change *change,
                                         dw_error *err);

#endif
