/*
 * Where dropped rows go: a Delta table of its own, with a row for each, as JSON, so that one table
 * serves many and outlives changes of their columns.
 *
 *  [QUARANTINE-1] A row that violates several expectations with the same quarantine is there once,
 *                 with the names of all that dropped it.
 */
#ifndef DW_TABLE_QUARANTINE_H
#define DW_TABLE_QUARANTINE_H

#include "table/judgement.h"

/* The column of judged rows that has the bits of what they miss. */
#define DW_MISSED_COLUMN "dw_missed"

/* The columns of a quarantine, in `arena`. NULL when out of memory. */
const dw_type *dw__quarantine_schema(dw_arena *arena);
/* Makes the table if there is none. DW_INVALID_ARGUMENT (QUARANTINE_INVALID) when one is there that
 * has other columns. */
DW_WARN_UNUSED dw_status dw__quarantine_prepare(dw_table *quarantine, dw_connection *connection,
                                                dw_error *err);

/* ---- For a judgement ------------------------------------------------------------------------- */

/* Runs the query of judged rows, keeps them, and appends the name of the table that has them. */
DW_WARN_UNUSED dw_status dw__quarantine_hold(dw_judgement *judgement, dw_str judged, dw_strbuf *out,
                                             dw_error *err);
void dw__quarantine_release(const dw_judgement *judgement, size_t held_idx);
/* How many of the rows that are kept go to some quarantine. */
DW_WARN_UNUSED dw_status dw__quarantine_count(const dw_judgement *judgement, int64_t *out,
                                              dw_error *err);

#endif
