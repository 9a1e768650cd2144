/*
 * The history: what the commits say of themselves, newest first. Commits are not parsed beyond
 * their commitInfo, which is normally the first line.
 */
#include "base/assert.h"
#include "log/commit.h"
#include "log/log_core.h"
#include "log/timeline.h"

static dw_status
fill_entry(dw_log *log, const dw_timeline_entry *from, dw_arena *arena, dw_history_entry *out,
           dw_error *err)
{
    *out = (dw_history_entry){.version = from->version, .timestamp_ms = from->file_time_ms};
    if (dw__env_is_cancelled(log->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the history");
    }
    DW_TRY(dw__commit_info_read(log, from->version, arena, &out->info, err));
    if (out->info.has_in_commit_timestamp) {
        out->timestamp_ms = out->info.in_commit_timestamp_ms;
    }
    return DW_OK;
}

/*
 * Fills the entries from the newest commit on; stops where a clean-up took the older ones
 * meanwhile.
 */
static dw_status
fill_entries(dw_log *log, const dw_timeline *timeline, size_t wanted, dw_arena *arena,
             dw_history_entry *entries, size_t *count_out, dw_error *err)
{
    *count_out = 0;
    for (size_t i = 0; i < wanted; i++) {
        dw_error cause = DW_ERROR_INIT;
        dw_status status =
            fill_entry(log, &timeline->items[timeline->count - 1 - i], arena, &entries[i], &cause);
        if (status == DW_NOT_FOUND) {
            return DW_OK;
        }
        if (status != DW_OK) {
            dw__error_copy(err, &cause);
            return status;
        }
        (*count_out)++;
    }
    return DW_OK;
}

dw_status
dw__log_history(dw_log *log, int64_t limit, dw_arena *arena, dw_history_entry **out,
                size_t *count_out, dw_error *err)
{
    *out = NULL;
    *count_out = 0;
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    DW_TRY(dw__log_list(log->storage, 0, &listing, err));
    if (listing.count == 0) {
        dw_str root = log->storage->root;
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "%.*s%sis not a Delta table: expected commits in " DW_LOG_DIR,
                             DW_STR_ARG(root), dw__str_is_null(root) ? "this " : " ");
    }
    dw_timeline timeline;
    DW_TRY(dw__timeline_make(&listing, 0, arena, &timeline, err));
    size_t wanted =
        limit > 0 && (uint64_t) limit < timeline.count ? (size_t) limit : timeline.count;
    dw_history_entry *entries = DW_ARENA_ARRAY(arena, dw_history_entry, wanted);
    if (entries == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = fill_entries(log, &timeline, wanted, arena, entries, count_out, err);
    if (status != DW_OK) {
        *count_out = 0;
        return status;
    }
    *out = entries;
    return DW_OK;
}
