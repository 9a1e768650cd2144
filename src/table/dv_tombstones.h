/*
 * Removes of files that hold deletion vectors: who does not know deletion vectors would take those
 * files for nobody's and delete them, while versions within the retention still need them.
 */
#ifndef DW_TABLE_DV_TOMBSTONES_H
#define DW_TABLE_DV_TOMBSTONES_H

#include "table/table.h"

/* Commits a remove of each file with vectors that removed data files within the retention have,
 * unless it is there already. Nothing is committed when none is missing. */
DW_WARN_UNUSED dw_status dw__dv_tombstones_commit(dw_table *table, dw_error *err);

#endif
