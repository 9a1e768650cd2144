/*
 * Whether a data file has columns, or fields of structs, that its table has dropped since.
 * PROTOCOL.md "Column Mapping": they stay in files until these are written again.
 */
#ifndef DW_UPKEEP_FILE_COLUMNS_H
#define DW_UPKEEP_FILE_COLUMNS_H

#include "parquet/footer.h"
#include "protocol/property.h"
#include "scan/scan.h"

/* True when every column of the file, at every depth, is one of the schema's, or of ids (may be
 * NULL), and has its field id where the mode says that columns have some. What is shaped in an
 * unknown way counts as known. */
bool dw__file_has_only(const dw_pq_footer *footer, const dw_type *schema, dw_mapping_mode mode,
                       const dw_row_id_columns *ids);

#endif
