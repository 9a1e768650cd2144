/*
 * What happened to a schema between two versions: columns are the same where their physical names
 * are, or else their names.
 */
#ifndef DW_PROTOCOL_SCHEMA_DIFF_H
#define DW_PROTOCOL_SCHEMA_DIFF_H

#include "protocol/schema.h"

typedef enum dw_schema_change_kind {
    DW_SCHEMA_ADDED,
    DW_SCHEMA_DROPPED,
    DW_SCHEMA_RENAMED,
    DW_SCHEMA_TYPE,
    DW_SCHEMA_NULLABLE,
    DW_SCHEMA_COMMENT,
    DW_SCHEMA_DEFAULT,
    DW_SCHEMA_GENERATION,
    DW_SCHEMA_ORDER /* of the fields of a struct; the column is the struct, or none */
} dw_schema_change_kind;

typedef struct dw_schema_change {
    dw_schema_change_kind kind;
    dw_str column; /* by its newer name; "" for the schema itself */
    dw_str before, after;
    const dw_type *old_type, *new_type; /* DW_SCHEMA_TYPE */
    size_t top_idx; /* of the top-level column in the newer schema; SIZE_MAX: it has none */
} dw_schema_change;

/* All changes, outer before inner. In `arena`, texts included. */
DW_WARN_UNUSED dw_status dw__schema_diff(const dw_type *before, const dw_type *after,
                                         dw_arena *arena, dw_schema_change **out, size_t *count_out,
                                         dw_error *err);
/* "column added", "type" ... */
const char *dw__schema_change_name(dw_schema_change_kind kind);

#endif
