/*
 * The functions that a scan's view calls. Private to this folder.
 *
 *   dw__files(scan)                     the paths, a list of text
 *   dw__partition(scan, file_index, k)  the text of partition column k
 *   dw__keep(scan, file_index, row)     false for a deleted row
 *   dw__old_date(scan, file_index, date)        a date of Spark's old calendar as today's
 *   dw__old_instant(scan, file_index, instant)  likewise
 *
 *  [SCANFUNCTION-1] The scan is a constant: it is looked up once, when the statement is bound, and
 *                   the functions themselves take no lock.
 */
#ifndef DW_ENGINE_SCAN_FUNCTIONS_H
#define DW_ENGINE_SCAN_FUNCTIONS_H

#include "engine/internal.h"

typedef struct dw_scan_entry {
    dw_entry entry;
    const dw_env *env;
    dw_scan_files files; /* borrowed until the scan is unbound */
} dw_scan_entry;

#endif
