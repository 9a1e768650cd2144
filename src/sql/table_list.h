/*
 * The tables of the warehouse: for SHOW TABLES, and for the message when one is not found.
 */
#ifndef DW_SQL_TABLE_LIST_H
#define DW_SQL_TABLE_LIST_H

#include "sql/parse_column.h"
#include "table/catalog.h"

typedef struct dw_table_list {
    dw_str_vec names; /* "orders", "sales.orders", sorted; strings in the arena */
    bool is_cut;      /* there were more directories than were looked at */
} dw_table_list;

/* Tables directly below the warehouse, and one level further down as schema.name; then names that
 * stand for other places. Release with dw__table_list_deinit, also after a
 * failure. Storage is asked `looks_max` times at most, twice or so a directory; the rest is left
 * out. */
DW_WARN_UNUSED dw_status dw__table_list(dw_catalog *catalog, size_t looks_max, dw_arena *arena,
                                        dw_table_list *out, dw_error *err);
void dw__table_list_deinit(dw_table_list *list, const dw_arena *arena);
/* The name most like `name`; the null string when none is. */
dw_str dw__table_list_nearest(const dw_table_list *list, dw_str name);

#endif
