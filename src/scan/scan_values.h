/*
 * Values of files as those of the table, in the SELECT of a scan. Private to it.
 */
#ifndef DW_SCAN_SCAN_VALUES_H
#define DW_SCAN_SCAN_VALUES_H

#include "scan/scan_sql.h"

/* True when some file has values of Spark's old calendar. */
bool dw__scan_has_old_values(const dw_scan_sql *scan);
/* True when values of the type are not what files have. */
bool dw__scan_is_rewritten(const dw_scan_sql *scan, const dw_type *type);

/* Appends the entries of the columns that are read beside a field, each behind a comma: twins of
 * its variants (parquet/twin.h). `by_id`: columns are found by field id. */
void dw__scan_put_twins(dw_strbuf *out, const dw_scan_sql *scan, bool by_id, const dw_field *field);
/* Appends the expression of the field, of which `value` is what files have. */
void dw__scan_put_value(dw_strbuf *out, const dw_scan_sql *scan, bool by_id, const dw_field *field,
                        dw_str value, dw_arena *arena);

#endif
