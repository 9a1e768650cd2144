/*
 * The lineage of verbs that are called without a session: it is recorded, and told, as that of a
 * statement is.
 */
#ifndef DW_TABLE_RUN_LINEAGE_H
#define DW_TABLE_RUN_LINEAGE_H

#include "lineage/lineage.h"
#include "table/table.h"
#include "table/write.h"

/* Begins the lineage of a run that reads neither tables nor files, as far as is known here: where
 * its rows come from, only the program knows. In the arena; NULL where none is recorded. */
DW_WARN_UNUSED dw_status dw__table_lineage_begin(const dw_table *table, const char *verb,
                                                 dw_arena *arena, dw_lineage **out, dw_error *err);
/* Tells how it ended; `lineage` and `err` may be NULL. */
void dw__table_lineage_end(dw_table *table, dw_lineage *lineage, const dw_write_result *done,
                           dw_status status, const dw_error *err);

#endif
