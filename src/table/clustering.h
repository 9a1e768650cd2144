/*
 * Columns that rows are clustered or ordered by: from names to leaves of the schema, and from and
 * to the domain delta.clustering. PROTOCOL.md "Clustered Table".
 *
 *  [CLUSTERING-1] What is written of them has physical names; people see the table's.
 *  [CLUSTERING-2] Every clustering column has statistics in each file that is written.
 */
#ifndef DW_TABLE_CLUSTERING_H
#define DW_TABLE_CLUSTERING_H

#include "log/log.h"
#include "protocol/stats.h"

/* As many as the reference allows. */
#define DW_CLUSTER_COLUMNS_MAX ((size_t) 4)
#define DW_CLUSTERING_DOMAIN DW_STR("delta.clustering")
/* The property of a table whose columns are chosen from its use: "true". */
#define DW_CLUSTER_BY_AUTO DW_STR("clusterByAuto")
/* What files are said to be clustered by. */
#define DW_CLUSTERING_PROVIDER DW_STR("liquid")

/* st.k: the parts of a column's name. */
typedef struct dw_name_path {
    const dw_str *parts;
    size_t count;
} dw_name_path;

typedef struct dw_name_paths {
    const dw_name_path *items;
    size_t count;
} dw_name_paths;

typedef struct dw_cluster_column {
    dw_str name;         /* as the table spells it: "st.k" */
    dw_name_path parts;  /* the same */
    dw_column_path path; /* physical */
} dw_cluster_column;

typedef struct dw_cluster_columns {
    dw_cluster_column *items;
    size_t count;
} dw_cluster_columns;

/* Finds columns by their names, with or without case. DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND,
 * DUPLICATE_COLUMN). All in `arena`. */
DW_WARN_UNUSED dw_status dw__cluster_columns_find(const dw_type *schema, dw_name_paths names,
                                                  dw_arena *arena, dw_cluster_columns *out,
                                                  dw_error *err);
/* Those of a table; none when it is not clustered. A column that the schema does not have keeps
 * its physical name, and has no type. DW_CORRUPT (CLUSTERING_INVALID). */
DW_WARN_UNUSED dw_status dw__cluster_columns_of(const dw_log_snapshot *snapshot, dw_arena *arena,
                                                dw_cluster_columns *out, dw_error *err);
/* All columns that are in the statistics of files that are written now. */
DW_WARN_UNUSED dw_status dw__cluster_columns_counted(const dw_log_snapshot *snapshot,
                                                     dw_arena *arena, dw_cluster_columns *out,
                                                     dw_error *err);
/* Those of them that have bounds there. */
DW_WARN_UNUSED dw_status dw__cluster_columns_bounded(const dw_log_snapshot *snapshot,
                                                     dw_arena *arena, dw_cluster_columns *out,
                                                     dw_error *err);
/* What a table may not be clustered by: DW_INVALID_ARGUMENT (CLUSTER_BY_INVALID_NUM_COLUMNS,
 * CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED, CLUSTERING_COLUMN_MISSING_STATS). */
DW_WARN_UNUSED dw_status dw__cluster_columns_check(const dw_cluster_columns *columns,
                                                   const dw_type *schema,
                                                   const dw_properties *properties, dw_arena *arena,
                                                   dw_error *err);
/* The configuration of the domain; and the names as a JSON list. */
DW_WARN_UNUSED dw_status dw__cluster_columns_print(const dw_cluster_columns *columns,
                                                   dw_arena *arena, dw_str *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__cluster_columns_print_names(const dw_cluster_columns *columns,
                                                         dw_arena *arena, dw_str *out,
                                                         dw_error *err);
/* "a, st.k" */
void dw__cluster_columns_put_names(const dw_cluster_columns *columns, dw_strbuf *out);
/* Appends the column as SQL: "st"."k". */
void dw__cluster_column_put(const dw_cluster_column *column, dw_strbuf *out);

#endif
