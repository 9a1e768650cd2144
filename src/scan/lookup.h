/*
 * Finding rows by their keys without the engine: in unpacked column chunks, which are kept from one
 * statement to the next. The engine is then given these rows in place of the files.
 *
 *  [LOOKUP-1] All rows of the source that meet the keys are among those that are found. The
 *             statement looks at each of them again.
 *  [LOOKUP-2] What is found is what the scan of the files would give: else, or where that is not
 *             certain, the files are scanned.
 */
#ifndef DW_SCAN_LOOKUP_H
#define DW_SCAN_LOOKUP_H

#include "scan/scan_core.h"

/* Beyond that the engine, which has more threads, is faster. */
#define DW_LOOKUP_FILES_MAX ((size_t) 64)
#define DW_LOOKUP_ROWS_SEARCHED_MAX ((int64_t) 1 << 22)
/* Rows that are found: a chunk of the engine's. */
#define DW_LOOKUP_ROWS_FOUND_MAX ((size_t) 2048)

/* Looks for the rows of a source whose files were chosen, and which has keys. `found_out` false:
 * the files are to be scanned. Else `columns` and `rows` have been put in the arena of the scan. */
DW_WARN_UNUSED dw_status dw__scan_look_up(dw_scan *scan, dw_bound_source *source,
                                          dw_column_spec **columns_out, size_t *count_out,
                                          dw_batch *rows_out, bool *found_out, dw_error *err);

#endif
