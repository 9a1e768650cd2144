/*
 * GENERATE symlink_format_manifest: lists of the live files, a list for each partition, for engines
 * that read Parquet by such lists and nothing of Delta.
 *
 *  [MANIFEST-1] Each list is replaced as a whole; lists of partitions that are gone are removed
 *               last.
 */
#ifndef DW_UPKEEP_MANIFEST_H
#define DW_UPKEEP_MANIFEST_H

#include "table/table.h"
#include "upkeep/upkeep.h"

#define DW_MANIFEST_PREFIX "_symlink_format_manifest/"

typedef struct dw_manifest_result {
    int64_t version; /* whose files are listed */
    int64_t list_count, file_count, removed_count;
} dw_manifest_result;

/* DW_UNSUPPORTED (MANIFEST_UNSUPPORTED) for a table with deletion vectors or mapped columns, which
 * such engines would read wrongly. A dry run counts. */
DW_WARN_UNUSED dw_status dw__table_generate_manifest(dw_table *table, const dw_upkeep *upkeep,
                                                     dw_manifest_result *out, dw_error *err);

#endif
