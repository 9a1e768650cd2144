/*
 * Auto compaction: after a commit to a table that asks for it small files are packed. As in the
 * reference: partitions with at least 50 files of less than 64 MB, into files of 128 MB.
 *
 *  [AUTO-1] The statement that triggered it has happened: whatever goes wrong is a warning, and it
 *           takes a minute at most.
 */
#ifndef DW_UPKEEP_AUTO_COMPACT_H
#define DW_UPKEEP_AUTO_COMPACT_H

#include "upkeep/upkeep.h"

/* `upkeep` is what a statement of the session would be given. */
void dw__auto_compact(const dw_upkeep *upkeep, dw_table *table);

#endif
