/*
 * Names of fields by their ids: with column mapping by id, files may call fields anything, and the
 * engine finds only whole columns by id. PROTOCOL.md "Reader Requirements for Column Mapping".
 *
 *  [NAMES-1] Only fields that have an id are renamed; groups of lists and maps have none of theirs.
 */
#ifndef DW_PARQUET_NAMES_H
#define DW_PARQUET_NAMES_H

#include "base/strbuf.h"
#include "parquet/footer.h"

typedef struct dw_pq_field_name {
    int64_t id;
    dw_str name;
} dw_pq_field_name;

/* NULL wherever a pointer to it is taken: nothing is renamed. */
typedef struct dw_pq_names {
    const dw_pq_field_name *items;
    size_t count;
} dw_pq_names;

/* What the node is to be called. */
dw_str dw__pq_name_of(const dw_pq_names *names, const dw_pq_node *node);
/* True when a field below a column has another name than it is to have. */
bool dw__pq_names_differ(const dw_pq_names *names, const dw_pq_footer *footer);
/* Appends the list of names that is the path of a leaf. */
void dw__pq_names_put_path(const dw_pq_names *names, const dw_pq_footer *footer, size_t leaf_idx,
                           dw_strbuf *out);

#endif
