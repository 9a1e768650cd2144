/*
 * Transactions as text, for tables that a person can read: steps with a semicolon between them.
 *
 *     search id=0..9; mark f1 1,2; add u1 id=1..1 a=3
 *
 *     search RANGE          looks at rows one by one: RANGE is id=N, id=N.., a=N..M, b=N ... or
 *     nothing read RANGE            reads the files of the range as a whole
 *     read-table            reads the table, whatever is in it
 *     add NAME RANGE [moved]      a new file; `moved`: its rows were there before
 *     remove NAME|* [moved]       a file goes, or all
 *     mark NAME N,N         a file loses rows, by their places
 *     recommit NAME         a file is added again as it is
 *     txn APP N, domain NAME, property KEY=VALUE, schema, identity
 *     feature NAME, drop NAME     the protocol gains or loses a writer's feature
 *     replace               nothing of the old table stays
 *     part N                what follows is a part that may be left out; N is not 0
 *     moves                 the operation is one that changes no rows
 */
#ifndef DWT_ISOLATION_SCRIPT_H
#define DWT_ISOLATION_SCRIPT_H

#include "support/row_table.h"

/* Fills an initialised change. False when a step cannot be made on its snapshot: a file is not
 * there, or rows of it are gone already. Aborts on text that is no script. */
bool script_run(const char *text, dwt_change *change);

/* Makes a table of version 0 without files; "" or "KEY=VALUE" as its only property. */
void script_create_table(dw_storage *storage, const char *property);

/* "CONCURRENT_APPEND", or "OK", "DUPLICATE", "LEFT_OUT", for the outcome of a commit. */
const char *script_outcome(dw_status status, const dw_txn_result *result, const dw_error *err);

/* The file tests/isolation/<name>, to be freed. */
char *script_load(const char *name);

#endif
