/*
 * Between the files of a profile: what is asked of the engine, column by column.
 */
#ifndef DW_UPKEEP_PROFILE_CORE_H
#define DW_UPKEEP_PROFILE_CORE_H

#include "upkeep/profile.h"

/* A column, a field of a struct, or the length of a list or map. */
typedef struct dw_profile_leaf {
    dw_str name;
    dw_str expression;     /* of the value in terms of the table's columns */
    const dw_type *type;   /* of the value */
    const dw_field *field; /* of a column at the top, whose bounds the log may know; else NULL */
    bool has_bounds;       /* which it does */
    dw_value min, max;
} dw_profile_leaf;

typedef struct dw_profile_query {
    const dw_profile_leaf *leaves;
    size_t count;
    dw_str source; /* the name of the scan */
    dw_str kept;   /* the name of the table of what the scan gave */
    double share;  /* of the rows that are sampled; 1: all of them */
} dw_profile_query;

/* SELECT <figures of every leaf>, <the sample> FROM source */
DW_WARN_UNUSED dw_status dw__profile_print_scan(const dw_profile_query *query, dw_strbuf *out,
                                                dw_error *err);
/*
 * The answer from what was kept of it: a row for each leaf, in the order of dw__profile_read_row.
 */
DW_WARN_UNUSED dw_status dw__profile_print_answer(const dw_profile_query *query, dw_strbuf *out,
                                                  dw_error *err);
/* `cells` live in `arena`; the first row also has the counts of rows. */
DW_WARN_UNUSED dw_status dw__profile_read_row(const dw_profile_query *query, size_t leaf_idx,
                                              const dw_str *cells, size_t cell_count,
                                              dw_arena *arena, dw_profile *profile, dw_error *err);

#endif
