/*
 * Twins: columns of a copy that name the pages of another a second time. The engine makes NULL of a
 * shredded variant that is JSON's null as a whole; beside the variant it can read the binary that
 * says so, if the footer calls that a column of its own, in groups of the same levels.
 */
#ifndef DW_PARQUET_TWIN_H
#define DW_PARQUET_TWIN_H

#include "base/strbuf.h"
#include "parquet/footer.h"

/* A twin of the variant a.b is a column of this name and "a.b", of groups DW_PQ_TWIN_GROUP in one
 * another, one less than the names, around a binary "value". Elements of lists are called
 * "element", values of maps "value", and both are those of lists. Where the field that the variant
 * is, or is in a list or map of, has a field id the twin has DW_PQ_TWIN_ID_MAX less that. */
#define DW_PQ_TWIN_PREFIX "__deltaworks_value."
#define DW_PQ_TWIN_GROUP "group"
#define DW_PQ_TWIN_ID_MAX INT64_C(2147483647)
/* Groups around a variant; below more it has no twin. */
#define DW_PQ_TWIN_DEPTH_MAX 64

typedef struct dw_pq_twin {
    const dw_pq_node *path[DW_PQ_TWIN_DEPTH_MAX]; /* from below the root to the variant */
    size_t depth;
    const dw_pq_node *value;
} dw_pq_twin;

/* False unless the node is a variant that may be JSON's null, and whose values are optional, as
 * they are where some are shredded. */
bool dw__pq_twin_find(const dw_pq_footer *footer, const dw_pq_node *node, dw_pq_twin *out);
/* Appends its elements of the schema; the list of names that is the path of its column. */
void dw__pq_twin_put_elements(const dw_pq_twin *twin, dw_strbuf *out);
void dw__pq_twin_put_path(const dw_pq_twin *twin, dw_strbuf *out);

/* True when a variant that is JSON's null may be among the values of the leaf, by its bounds. */
bool dw__pq_may_hold_json_null(const dw_pq_footer *footer, const dw_pq_node *value);

#endif
