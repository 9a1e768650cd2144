/*
 * What changed in a range of versions: the files to read for it, which rows of them, and of what
 * kind the changes are. PROTOCOL.md "Change Data Files", "Add CDC File".
 *
 *  [CHANGES-1] A version with cdc actions has the changes that stand in their files, and no others.
 *  [CHANGES-2] Else added files are inserts and removed ones deletes, where data changed; of a file
 *              that is both, the difference of its deletion vectors is what changed.
 *  [CHANGES-3] The feed was on in every version of the range, or there is no answer.
 *  [CHANGES-4] One schema fits all versions of the range, or there is no answer.
 */
#ifndef DW_LOG_CHANGES_H
#define DW_LOG_CHANGES_H

#include "log/log.h"

/* Columns that the changes have behind those of the table. */
#define DW_CHANGE_TYPE_COLUMN "_change_type"
#define DW_COMMIT_VERSION_COLUMN "_commit_version"
#define DW_COMMIT_TIMESTAMP_COLUMN "_commit_timestamp"

typedef struct dw_log_changes dw_log_changes;

typedef enum dw_change_kind {
    DW_CHANGE_RECORDED, /* the file says itself, in _change_type */
    DW_CHANGE_INSERT,
    DW_CHANGE_DELETE
} dw_change_kind;

/* Which rows of a file changed: those in `only`, or all, without those in `except`. */
typedef struct dw_file_change {
    dw_change_kind kind;
    const dw_dv_descriptor *only;   /* NULL: all */
    const dw_dv_descriptor *except; /* NULL: none */
} dw_file_change;

/*
 * Reads the commits of versions `first` to `last`; `last` beyond the newest means that one. The
 * schema is that of the newest version, or of `last` when column mapping is on, as in the
 * reference. `last` may be `first` - 1: no changes. One reference is the caller's.
 * DW_NOT_FOUND (VERSION_OUT_OF_RANGE), DW_INVALID_ARGUMENT (CHANGES_NOT_RECORDED),
 * DW_INVALID_ARGUMENT (CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE for a change within the range,
 * CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA where the range began with other columns).
 */
DW_WARN_UNUSED dw_status dw__log_changes_open(dw_log_snapshot *newest, int64_t first, int64_t last,
                                              dw_log_changes **out, dw_error *err);
/* What those actions change, on which the snapshot was staged (dw__log_snapshot_stage). */
DW_WARN_UNUSED dw_status dw__log_changes_of(dw_log_snapshot *staged, const dw_action *actions,
                                            size_t count, dw_log_changes **out, dw_error *err);
dw_log_changes *dw__log_changes_ref(dw_log_changes *changes);
void dw__log_changes_unref(dw_log_changes *changes);

/* The newest snapshot. Borrowed, as all below. */
dw_log_snapshot *dw__log_changes_snapshot(const dw_log_changes *changes);
/* The version whose schema the changes have. */
int64_t dw__log_changes_version(const dw_log_changes *changes);
/* The table's columns and the three of the feed. */
const dw_type *dw__log_changes_schema(const dw_log_changes *changes);
dw_mapping_mode dw__log_changes_mapping_mode(const dw_log_changes *changes);
/* Those of the table, and the version and time of the commit, which are the same throughout a file:
 * `_change_type` is none, for recorded changes have it in their rows. */
const dw_str *dw__log_changes_partition_columns(const dw_log_changes *changes, size_t *count_out);
/* The files, oldest version first. One may be there several times. */
dw_file_set *dw__log_changes_files(const dw_log_changes *changes);
/* Some file says itself of what kind its changes are. */
bool dw__log_changes_has_recorded(const dw_log_changes *changes);
const dw_file_change *dw__log_change(const dw_log_changes *changes, dw_file_ref ref);

typedef dw_log_changes *dw_log_changes_ptr;

static inline void
dw__dw_log_changes_ptr_cleanup(dw_log_changes_ptr *changes)
{
    dw__log_changes_unref(*changes);
}

#endif
