/*
 * What a query says of a leaf column: how many values are not NULL, the least and the greatest. For
 * whoever makes or checks the statistics of files from their rows.
 *
 *  [LEAF-1] Bounds are exact, and leave NaN out, which is told beside them.
 */
#ifndef DW_TABLE_LEAF_MEASURE_H
#define DW_TABLE_LEAF_MEASURE_H

#include "protocol/stats.h"

/* The columns of the query that a leaf takes. */
#define DW_LEAF_CELLS ((size_t) 4)

typedef struct dw_leaf_measure {
    bool has_value_count, has_nan;
    bool has_min, has_max;
    int64_t value_count; /* that are not NULL */
    dw_value min, max;
} dw_leaf_measure;

/* Appends ", count(c), ...": the cells of a leaf that the query knows as `sql`. */
void dw__leaf_measure_put(dw_strbuf *out, const dw_type *type, dw_str sql);
/* Reads them. What cannot be read is left out: statistics may be missing, never wrong. Strings are
 * borrowed from the cells, or in `arena`. */
void dw__leaf_measure_read(const dw_type *type, const dw_str *cells, dw_arena *arena,
                           dw_leaf_measure *out);

#endif
