/*
 * Files of the sources of a scan, and their predicates.
 */
#include "table/read_set.h"

#include "base/assert.h"

typedef struct read_set {
    const dw_scan *scan;
    dw_str table_id;
    int64_t version;
} read_set;

static bool
is_read(const read_set *set, size_t source_idx)
{
    const dw_log_snapshot *snapshot = dw__scan_snapshot(set->scan, source_idx);
    return dw__log_snapshot_version(snapshot) >= set->version &&
           dw__str_equal(dw__log_snapshot_metadata(snapshot)->id, set->table_id);
}

/* A file that one of the sources would have looked at. */
static dw_status
find(void *ctx, const dw_action *actions, size_t count, bool *found, dw_error *err)
{
    const read_set *set = ctx;
    for (size_t i = 0; i < dw__scan_source_count(set->scan); i++) {
        if (is_read(set, i)) {
            DW_TRY(dw__scan_find_new(set->scan, i, actions, count, found, err));
        }
    }
    return DW_OK;
}

static dw_status
put_paths(dw_change *change, const read_set *set, dw_error *err)
{
    size_t capacity = 0;
    size_t sources = dw__scan_source_count(set->scan);
    for (size_t i = 0; i < sources; i++) {
        size_t count;
        (void) dw__scan_files(set->scan, i, &count);
        capacity += count;
    }
    dw_str *paths = DW_ARENA_ARRAY(change->arena, dw_str, capacity + 1);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < sources; i++) {
        size_t count;
        const dw_file_ref *refs = dw__scan_files(set->scan, i, &count);
        for (size_t k = 0; is_read(set, i) && k < count; k++) {
            paths[change->read_path_count++] = dw__scan_path(set->scan, i, refs[k]);
        }
    }
    change->read_paths = paths;
    return DW_OK;
}

dw_status
dw__change_note_reads(dw_change *change, const dw_scan *scan, dw_error *err)
{
    dw_assert(change->read_path_count == 0);
    read_set *set = DW_ARENA_NEW(change->arena, read_set);
    if (set == NULL) {
        return dw__error_oom(err);
    }
    *set = (read_set){.scan = scan,
                      .table_id = dw__log_snapshot_metadata(change->snapshot)->id,
                      .version = dw__log_snapshot_version(change->snapshot)};
    change->looks_for_rows = true;
    change->search = (dw_row_search){find, set};
    return put_paths(change, set, err);
}
