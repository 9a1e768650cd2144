/*
 * Whether a data file has columns, or fields of structs, that its table has dropped since.
 * PROTOCOL.md "Column Mapping": they stay in files until these are written again.
 */
#ifndef DW_UPKEEP_FILE_COLUMNS_H
#define DW_UPKEEP_FILE_COLUMNS_H

#include "parquet/footer.h"
#include "protocol/property.h"

/* True when every column of the file, at every depth, is one of the schema's, and has its field id
 * where the table gives ids. What is shaped in an unknown way counts as known. */
bool dw__file_has_only(const dw_pq_footer *footer, const dw_type *schema, dw_mapping_mode mode);

#endif
