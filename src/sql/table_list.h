/*
 * The tables of the warehouse: for SHOW TABLES, and for the message when one is not found.
 */
#ifndef DW_SQL_TABLE_LIST_H
#define DW_SQL_TABLE_LIST_H

#include "sql/parse_column.h"
#include "table/catalog.h"

/* How many directories are looked at before the rest is left out. */
#define DW_TABLE_LIST_LOOKS_MAX ((size_t) 10000)

typedef struct dw_table_list {
    dw_str_vec names; /* "orders", "sales.orders", sorted; strings in the arena */
    bool is_cut;      /* there were more directories than are looked at */
} dw_table_list;

/* Tables directly below the warehouse, and one level further down as schema.name; then names that
 * stand for other places. At most `count_max`. Release with dw__table_list_deinit, also after a
 * failure. */
DW_WARN_UNUSED dw_status dw__table_list(dw_catalog *catalog, size_t count_max, dw_arena *arena,
                                        dw_table_list *out, dw_error *err);
void dw__table_list_deinit(dw_table_list *list, const dw_arena *arena);
/* The name most like `name`; the null string when none is. */
dw_str dw__table_list_nearest(const dw_table_list *list, dw_str name);

#endif
