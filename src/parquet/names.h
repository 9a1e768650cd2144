/*
 * Names of fields by their ids: with column mapping by id files may call them anything, and the
 * engine finds only whole columns by id, or all of them by name. PROTOCOL.md "Reader Requirements
 * for Column Mapping".
 *
 *  [NAMES-1] A field whose id is known has the name that goes with it.
 *  [NAMES-2] No field of another id has such a name: it is called something else, and so is a
 *            column without an id beside some that have one. What else has no id, as the parts of
 *            lists and maps mostly have none, and what is in variants keeps its name.
 *  [NAMES-3] A column without an id beside some that have one gets one that no field of the table
 *            has: the engine finds no column by its id that stands behind one without.
 */
#ifndef DW_PARQUET_NAMES_H
#define DW_PARQUET_NAMES_H

#include "base/strbuf.h"
#include "parquet/footer.h"

typedef struct dw_pq_field_name {
    int64_t id;
    dw_str name;
    bool is_column; /* not inside of another */
} dw_pq_field_name;

/* NULL wherever a pointer to it is taken: nothing is renamed. */
typedef struct dw_pq_names {
    const dw_pq_field_name *items; /* by id */
    size_t count;
    bool has_columns; /* columns are found by name, too */
} dw_pq_names;

/* Gives the nodes their names, of which some may be made in `arena`. `*changed_out`: one that is
 * looked for by its name had another. False when out of memory. */
bool dw__pq_names_give(const dw_pq_names *names, dw_pq_footer *footer, dw_arena *arena,
                       bool *changed_out);
/* Appends the list of names that is the path of a leaf. */
void dw__pq_names_put_path(const dw_pq_footer *footer, size_t leaf_idx, dw_strbuf *out);

#endif
