/*
 * What the query of a statement read of the table that the statement changes, as the commit has to
 * know it: the files, and what the query would have looked at in files that others add.
 */
#ifndef DW_TABLE_READ_SET_H
#define DW_TABLE_READ_SET_H

#include "scan/scan.h"
#include "table/change.h"

/* The sources of the scan that are the table in the version that the change is made on; the scan
 * must stay open until the commit. Older versions do not change any more. */
DW_WARN_UNUSED dw_status dw__change_note_reads(dw_change *change, const dw_scan *scan,
                                               dw_error *err);

#endif
