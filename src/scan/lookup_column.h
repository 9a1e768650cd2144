/*
 * One column of rows that are looked up: what the engine gets, and where files have it.
 */
#ifndef DW_SCAN_LOOKUP_COLUMN_H
#define DW_SCAN_LOOKUP_COLUMN_H

#include "parquet/cells.h"
#include "scan/scan_core.h"

typedef struct dw_lookup_column {
    const dw_field *field;
    dw_column_spec spec;
    bool is_known; /* its type is one that can be looked up */
    bool is_partition;
    bool by_id; /* files name it by its id */
    char *values;
    bool *valid;
} dw_lookup_column;

DW_WARN_UNUSED dw_status dw__lookup_column_init(dw_lookup_column *column,
                                                const dw_relation *relation, const dw_field *field,
                                                dw_arena *arena, dw_error *err);
/* Room for so many rows. */
DW_WARN_UNUSED dw_status dw__lookup_column_reserve(dw_lookup_column *column, size_t row_count,
                                                   dw_arena *arena, dw_error *err);
/* The leaf of a file that has the column's values, or NULL when none has. False when the file has
 * the column in another way: in another type, or more than once. */
DW_WARN_UNUSED bool dw__lookup_column_find(const dw_lookup_column *column,
                                           const dw_pq_footer *footer, const dw_pq_node **out);
/* Fills in one value of a partition column for all rows. `*is_odd` becomes true when it is none. */
DW_WARN_UNUSED dw_status dw__lookup_column_fill(const dw_lookup_column *column, dw_str text,
                                                dw_arena *arena, char *values, bool *valid,
                                                size_t count, bool *is_odd, dw_error *err);

#endif
