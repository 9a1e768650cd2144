/*
 * Lists of a table's live files, one for each partition, for engines that read Parquet by such
 * lists and nothing of Delta. Made when asked for, and after each commit to a table that says
 * delta.compatibility.symlinkFormatManifest.enabled = true.
 *
 *  [SYMLINKS-1] Each list is replaced as a whole; lists of partitions that are gone are removed
 *               last.
 *  [SYMLINKS-2] After a commit the lists of the partitions that it touched are of that version or a
 *               later one. That they could not be written is a warning: the commit stands.
 */
#ifndef DW_TABLE_SYMLINKS_H
#define DW_TABLE_SYMLINKS_H

#include "base/map.h"
#include "table/change.h"

#define DW_SYMLINKS_PREFIX "_symlink_format_manifest/"

typedef struct dw_symlinks {
    dw_table *table;
    dw_log_snapshot *snapshot;
    const dw_map *only; /* keys of the lists to renew; NULL: all there are to be */
    bool dry_run;
    /* Asked before each list is written, which fails with it; may be NULL. */
    dw_status (*go_on)(void *ctx, int64_t done, int64_t all, dw_error *err);
    void *ctx;
    int64_t list_count, file_count, removed_count; /* filled in */
} dw_symlinks;

/* DW_UNSUPPORTED (MANIFEST_UNSUPPORTED) for a table with deletion vectors or mapped columns, which
 * such engines would read wrongly. */
DW_WARN_UNUSED dw_status dw__symlinks_write(dw_symlinks *symlinks, dw_error *err);

/* Before a commit: DW_INVALID_ARGUMENT (VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED) when the change
 * defines a table that is to have such lists and cannot. */
DW_WARN_UNUSED dw_status dw__symlinks_check(const dw_change *change, dw_error *err);
/* After it: renews the lists that it touched, where the table asks for that. */
void dw__symlinks_renew(const dw_change *change, int64_t version);

#endif
