/*
 * From a time to a version, and which versions there are.
 */
#include "log/timeline.h"

#include "base/assert.h"
#include "log/commit.h"
#include "log/log_core.h"
#include "log/segment.h"
#include "protocol/value.h"

#include <inttypes.h>
#include <stdio.h>

#define ISO_TEXT_SIZE 64

dw_status
dw__timeline_make(const dw_log_listing *listing, int64_t first_version, dw_arena *arena,
                  dw_timeline *out, dw_error *err)
{
    *out = (dw_timeline){DW_ARENA_ARRAY(arena, dw_timeline_entry, listing->count), 0};
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < listing->count; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->kind != DW_LOG_COMMIT) {
            continue;
        }
        before = file->modified_ms > before ? file->modified_ms : before + 1;
        if (file->version >= first_version) {
            out->items[out->count++] = (dw_timeline_entry){file->version, before};
        }
    }
    return DW_OK;
}

/* Lists the whole log and finds the versions that it can rebuild; a gap or a missing table is the
 * error that a snapshot would give. */
static dw_status
list_range(dw_log *log, dw_log_listing *listing, int64_t *first_out, int64_t *last_out,
           dw_error *err)
{
    DW_TRY(dw__log_list(log->storage, 0, listing, err));
    dw__segment_range(listing, first_out, last_out);
    if (*first_out >= 0) {
        return DW_OK;
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, log->env->allocator);
    dw_segment_request request = {-1, INT64_MAX, log->storage->root};
    dw_segment segment;
    DW_TRY(dw__segment_choose(listing, &request, &arena, &segment, err));
    *first_out = segment.version; /* only compacted commits lead there */
    return DW_OK;
}

dw_status
dw__log_version_range(dw_log *log, int64_t *first_out, int64_t *last_out, dw_error *err)
{
    *first_out = 0;
    *last_out = 0;
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    return list_range(log, &listing, first_out, last_out, err);
}

/* ---- Times ----------------------------------------------------------------------------------- */

/* A timeline together with what in-commit timestamps say. */
typedef struct clock_face {
    dw_log *log;
    dw_timeline timeline;
    size_t in_commit_start; /* entries from here on have in-commit timestamps */
    dw_arena *arena;
} clock_face;

static dw_status
time_of(const clock_face *face, size_t idx, int64_t *out, dw_error *err)
{
    const dw_timeline_entry *entry = &face->timeline.items[idx];
    *out = entry->file_time_ms;
    if (idx < face->in_commit_start) {
        return DW_OK;
    }
    dw_commit_info info;
    DW_TRY(dw__commit_info_read(face->log, entry->version, face->arena, &info, err));
    if (info.has_in_commit_timestamp) {
        *out = info.in_commit_timestamp_ms;
    }
    return DW_OK;
}

/* The last entry of [start, end) that is not after `time_ms`; `start` must not be after it. */
static dw_status
search(const clock_face *face, size_t start, size_t end, int64_t time_ms, size_t *out,
       dw_error *err)
{
    while (end - start > 1) {
        size_t middle = start + (end - start) / 2;
        int64_t time;
        DW_TRY(time_of(face, middle, &time, err));
        if (time <= time_ms) {
            start = middle;
        } else {
            end = middle;
        }
    }
    *out = start;
    return DW_OK;
}

static void
print_iso(char out[ISO_TEXT_SIZE], const dw_allocator *allocator, int64_t micros)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, ISO_TEXT_SIZE);
    dw__timestamp_print(&text, micros, 'T', -1, "Z");
    snprintf(out, ISO_TEXT_SIZE, "%s", text.failed ? "that time" : dw__strbuf_cstr(&text));
}

static dw_status
out_of_range(const clock_face *face, int64_t timestamp_us, int64_t first_ms, int64_t last_ms,
             dw_error *err)
{
    const dw_allocator *allocator = face->log->env->allocator;
    const dw_timeline *timeline = &face->timeline;
    char asked[ISO_TEXT_SIZE], first[ISO_TEXT_SIZE], last[ISO_TEXT_SIZE];
    print_iso(asked, allocator, timestamp_us);
    print_iso(first, allocator, first_ms * 1000);
    print_iso(last, allocator, last_ms * 1000);
    return dw__error_set(err, DW_NOT_FOUND, "TIMESTAMP_OUT_OF_RANGE",
                         "no version can be read as of %s; the table's versions were committed "
                         "from %s (version %" PRId64 ") to %s (version %" PRId64 ")",
                         asked, first, timeline->items[0].version, last,
                         timeline->items[timeline->count - 1].version);
}

/* Where in-commit timestamps start in the timeline: nowhere, at the version that enabled them, or
 * at its beginning when the table was made with them. [TIME-2] */
static size_t
in_commit_start(const dw_log_snapshot *newest, const dw_timeline *timeline)
{
    const dw_properties *properties = dw__log_snapshot_properties(newest);
    if (!properties->enable_in_commit_timestamps) {
        return timeline->count;
    }
    size_t start = 0;
    while (start < timeline->count &&
           timeline->items[start].version < properties->in_commit_timestamp_enablement_version) {
        start++;
    }
    return start;
}

static int64_t
floor_ms(int64_t micros)
{
    return micros / 1000 - (micros % 1000 < 0);
}

/* The last entry that is not after `time_ms`; the first must not be after it. */
static dw_status
find_entry(const clock_face *face, int64_t time_ms, size_t *out, dw_error *err)
{
    int64_t boundary_ms;
    size_t start = 0, end = face->timeline.count;
    if (face->in_commit_start > 0 && face->in_commit_start < end) {
        DW_TRY(time_of(face, face->in_commit_start, &boundary_ms, err));
        start = time_ms >= boundary_ms ? face->in_commit_start : 0;
        end = time_ms >= boundary_ms ? end : face->in_commit_start;
    }
    return search(face, start, end, time_ms, out, err);
}

static dw_status
find_version(const clock_face *face, int64_t timestamp_us, int64_t *version_out, dw_error *err)
{
    const dw_timeline *timeline = &face->timeline;
    int64_t time_ms = floor_ms(timestamp_us);
    int64_t first_ms, last_ms;
    DW_TRY(time_of(face, 0, &first_ms, err));
    DW_TRY(time_of(face, timeline->count - 1, &last_ms, err));
    if (time_ms < first_ms || time_ms > last_ms) {
        return out_of_range(face, timestamp_us, first_ms, last_ms, err);
    }
    size_t found;
    DW_TRY(find_entry(face, time_ms, &found, err));
    *version_out = timeline->items[found].version;
    return DW_OK;
}

dw_status
dw__timeline_version_until(const dw_log_snapshot *newest, const dw_log_listing *listing,
                           int64_t time_ms, int64_t *version_out, dw_error *err)
{
    *version_out = -1;
    DW_AUTO(dw_arena) arena;
    dw_log *log = dw__log_snapshot_log(newest);
    dw__arena_init(&arena, log->env->allocator);
    clock_face face = {.log = log, .arena = &arena};
    int64_t first, last, first_ms;
    dw__segment_range(listing, &first, &last);
    DW_TRY(dw__timeline_make(listing, first, &arena, &face.timeline, err));
    if (face.timeline.count == 0) {
        return DW_OK;
    }
    face.in_commit_start = in_commit_start(newest, &face.timeline);
    DW_TRY(time_of(&face, 0, &first_ms, err));
    if (first_ms > time_ms) {
        return DW_OK;
    }
    size_t found;
    DW_TRY(find_entry(&face, time_ms, &found, err));
    *version_out = face.timeline.items[found].version;
    return DW_OK;
}

/* Lists the log for looking up times in it; `listing` is of the caller's. */
static dw_status
open_clock(dw_log *log, dw_arena *arena, dw_log_listing *listing, clock_face *out, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    DW_TRY(dw__log_snapshot(log, &newest, err));
    int64_t first, last;
    DW_TRY(list_range(log, listing, &first, &last, err));
    *out = (clock_face){.log = log, .arena = arena};
    DW_TRY(dw__timeline_make(listing, first, arena, &out->timeline, err));
    if (out->timeline.count == 0) {
        return dw__error_set(err, DW_NOT_FOUND, "TIMESTAMP_OUT_OF_RANGE",
                             "the log has no commits left that say when versions were made; read "
                             "version %" PRId64 " by its number",
                             last);
    }
    out->in_commit_start = in_commit_start(newest, &out->timeline);
    return DW_OK;
}

dw_status
dw__log_version_at(dw_log *log, int64_t timestamp_us, int64_t *version_out, dw_error *err)
{
    *version_out = 0;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, log->env->allocator);
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    clock_face face;
    DW_TRY(open_clock(log, &arena, &listing, &face, err));
    return find_version(&face, timestamp_us, version_out, err);
}

dw_status
dw__log_version_from(dw_log *log, int64_t timestamp_us, int64_t *version_out, dw_error *err)
{
    *version_out = 0;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, log->env->allocator);
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    clock_face face;
    DW_TRY(open_clock(log, &arena, &listing, &face, err));
    int64_t first_ms, found_ms;
    int64_t time_ms = floor_ms(timestamp_us + 999);
    DW_TRY(time_of(&face, 0, &first_ms, err));
    *version_out = face.timeline.items[0].version;
    if (time_ms <= first_ms) {
        return DW_OK;
    }
    DW_TRY(find_version(&face, time_ms * 1000, version_out, err));
    size_t idx = (size_t) (*version_out - face.timeline.items[0].version);
    dw_assert(idx < face.timeline.count);
    DW_TRY(time_of(&face, idx, &found_ms, err));
    *version_out += found_ms < time_ms ? 1 : 0;
    return DW_OK;
}
