/*
 * Names and open tables of a runtime. A table is named by a path or URI, or by a name below the
 * warehouse: `flights` is <warehouse>/flights and `sales.orders` is <warehouse>/sales/orders; a
 * name created with LOCATION is remembered in <warehouse>/_deltaworks/names.json.
 *
 *  [CATALOG-1] One root, one dw_table: sessions share logs and snapshots.
 */
#ifndef DW_TABLE_CATALOG_H
#define DW_TABLE_CATALOG_H

#include "lineage/lineage.h"
#include "table/table.h"

typedef struct dw_catalog dw_catalog;

DW_WARN_UNUSED dw_status dw__catalog_open(const dw_env *env, dw_database *database,
                                          dw_str warehouse, dw_catalog **out, dw_error *err);
void dw__catalog_close(dw_catalog *catalog);
dw_database *dw__catalog_database(dw_catalog *catalog);
const dw_env *dw__catalog_env(const dw_catalog *catalog);
/* Where tables without a path live. Borrowed. */
dw_storage *dw__catalog_warehouse(dw_catalog *catalog);

/* Counts what conditions of queries are on, for tables that are opened from now on: see
 * scan/column_use.h. */
DW_WARN_UNUSED dw_status dw__catalog_count_use(dw_catalog *catalog, dw_str directory,
                                               dw_error *err);

/* Who writes, for what is recorded of commits: strings are copied. Before sessions are opened. */
DW_WARN_UNUSED dw_status dw__catalog_set_lineage(dw_catalog *catalog,
                                                 const dw_lineage_defaults *defaults,
                                                 dw_error *err);
const dw_lineage_defaults *dw__catalog_lineage(const dw_catalog *catalog);
/* Records what is done, for tables that are opened from now on. The catalog takes it over. */
void dw__catalog_adopt_audit(dw_catalog *catalog, dw_audit *audit);
/* NULL: nothing is recorded. */
const dw_audit *dw__catalog_audit(const dw_catalog *catalog);

/* The table at a path or URI, opened or found in the cache; a reference for the caller. */
DW_WARN_UNUSED dw_status dw__catalog_table_at(dw_catalog *catalog, dw_str uri, dw_table **out,
                                              dw_error *err);
/* The root that a name (parts: "flights" or "sales", "orders") stands for, whether or not a table
 * is there. In `arena`. DW_INVALID_ARGUMENT for names that are no plain directory names. */
DW_WARN_UNUSED dw_status dw__catalog_resolve(dw_catalog *catalog, const dw_str *parts,
                                             size_t part_count, dw_arena *arena, dw_str *root_out,
                                             dw_error *err);
/* True when a Delta table is at the root that the name stands for. Cheap. */
DW_WARN_UNUSED dw_status dw__catalog_has(dw_catalog *catalog, const dw_str *parts,
                                         size_t part_count, bool *found_out, dw_error *err);
/* Remembers that a name stands for another root (CREATE TABLE name ... LOCATION). Durable. */
DW_WARN_UNUSED dw_status dw__catalog_register(dw_catalog *catalog, const dw_str *parts,
                                              size_t part_count, dw_str root, dw_error *err);

#endif
