/*
 * GENERATE symlink_format_manifest: lists of the live files, as table/symlinks.h makes them.
 *
 *  [MANIFEST-1] Lists are of one version, the newest when it began.
 */
#ifndef DW_UPKEEP_MANIFEST_H
#define DW_UPKEEP_MANIFEST_H

#include "table/table.h"
#include "upkeep/upkeep.h"

typedef struct dw_manifest_result {
    int64_t version; /* whose files are listed */
    int64_t list_count, file_count, removed_count;
} dw_manifest_result;

/* DW_UNSUPPORTED (MANIFEST_UNSUPPORTED) for a table with deletion vectors or mapped columns, which
 * such engines would read wrongly. A dry run counts. */
DW_WARN_UNUSED dw_status dw__table_generate_manifest(dw_table *table, const dw_upkeep *upkeep,
                                                     dw_manifest_result *out, dw_error *err);

#endif
