/*
 * Choosing the files of a version.
 */
#include "log/segment.h"

#include "base/assert.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>

/* A run of listed files of one version. */
typedef struct file_range {
    size_t start, end;
} file_range;

/* The files of the version that items[end - 1] has. */
static file_range
version_before(const dw_log_listing *listing, size_t end)
{
    dw_assert(end > 0);
    size_t start = end - 1;
    while (start > 0 && listing->items[start - 1].version == listing->items[end - 1].version) {
        start--;
    }
    return (file_range){start, end};
}

/* True when all parts of a checkpoint of `part_count` parts are there: names are unique, so
 * counting them is enough. */
static bool
has_all_parts(const dw_log_listing *listing, file_range range, uint32_t part_count)
{
    size_t found = 0;
    for (size_t i = range.start; i < range.end; i++) {
        found += listing->items[i].kind == DW_LOG_CHECKPOINT_PART &&
                 listing->items[i].part_count == part_count;
    }
    return found == part_count;
}

/* The file that stands for a complete checkpoint among those of one version: a single file if there
 * is one, otherwise the first part of a complete set. NULL: none is complete. */
static const dw_log_file *
complete_checkpoint(const dw_log_listing *listing, file_range range)
{
    const dw_log_file *best = NULL;
    for (size_t i = range.start; i < range.end; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->kind == DW_LOG_CHECKPOINT) {
            return file;
        }
        bool is_usable = file->kind == DW_LOG_CHECKPOINT_UUID ||
                         (file->kind == DW_LOG_CHECKPOINT_PART && file->part == 1 &&
                          file->part_count <= range.end - range.start &&
                          has_all_parts(listing, range, file->part_count));
        if (is_usable && (best == NULL || best->kind == DW_LOG_CHECKPOINT_PART)) {
            best = file;
        }
    }
    return best;
}

/* The newest complete checkpoint at or before `version_max`; `range_out` receives the files of its
 * version. */
static const dw_log_file *
find_checkpoint(const dw_log_listing *listing, int64_t version_max, file_range *range_out)
{
    for (size_t end = listing->count; end > 0; end = range_out->start) {
        *range_out = version_before(listing, end);
        if (listing->items[range_out->start].version <= version_max) {
            const dw_log_file *found = complete_checkpoint(listing, *range_out);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

int64_t
dw__segment_checkpoint_version(const dw_log_listing *listing, int64_t version)
{
    file_range range;
    const dw_log_file *checkpoint = find_checkpoint(listing, version, &range);
    return checkpoint == NULL ? -1 : checkpoint->version;
}

/* The newest version of all: that of a commit or of a complete checkpoint. */
static int64_t
newest_version(const dw_log_listing *listing)
{
    file_range range;
    const dw_log_file *checkpoint = find_checkpoint(listing, DW_VERSION_MAX, &range);
    int64_t newest = checkpoint == NULL ? -1 : checkpoint->version;
    for (size_t i = listing->count; i > 0; i--) {
        const dw_log_file *file = &listing->items[i - 1];
        if (file->kind == DW_LOG_COMMIT) {
            return file->version > newest ? file->version : newest;
        }
    }
    return newest;
}

void
dw__segment_range(const dw_log_listing *listing, int64_t *first_out, int64_t *last_out)
{
    int64_t newest = newest_version(listing);
    *last_out = newest;
    *first_out = -1;
    /* Backwards over the versions: `next` is the oldest version that is known to follow without a
     * gap. A checkpoint right before it, or at it, is a place to start from. */
    int64_t next = newest + 1;
    for (size_t end = listing->count; end > 0;) {
        file_range range = version_before(listing, end);
        end = range.start;
        int64_t version = listing->items[range.start].version;
        bool has_commit = false;
        for (size_t i = range.start; i < range.end; i++) {
            has_commit = has_commit || listing->items[i].kind == DW_LOG_COMMIT;
        }
        if (version > newest || (!has_commit && complete_checkpoint(listing, range) == NULL)) {
            continue;
        }
        if (version != next - 1) {
            return;
        }
        if (complete_checkpoint(listing, range) != NULL || (version == 0 && has_commit)) {
            *first_out = version;
        }
        if (!has_commit) {
            return;
        }
        next = version;
    }
}

static dw_status
copy_checkpoint(const dw_log_listing *listing, file_range range, const dw_log_file *chosen,
                dw_arena *arena, dw_segment *out, dw_error *err)
{
    bool has_parts = chosen->kind == DW_LOG_CHECKPOINT_PART;
    size_t count = has_parts ? chosen->part_count : 1;
    dw_log_file *files = DW_ARENA_ARRAY(arena, dw_log_file, count);
    if (files == NULL) {
        return dw__error_oom(err);
    }
    size_t used = 0;
    if (!has_parts) {
        files[used++] = *chosen;
    }
    for (size_t i = range.start; has_parts && i < range.end; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->kind == DW_LOG_CHECKPOINT_PART && file->part_count == chosen->part_count) {
            files[used++] = *file; /* the order of the names is the order of the parts */
        }
    }
    dw_assert(used == count);
    out->checkpoint_version = chosen->version;
    out->checkpoints = files;
    out->checkpoint_count = count;
    return DW_OK;
}

/* `found` is the first file behind the gap; NULL: there is none. */
static dw_status
gap_error(int64_t missing, const dw_log_file *found, dw_error *err)
{
    char before[80] = "no complete checkpoint replaces it";
    if (missing > 0) {
        snprintf(before, sizeof(before), "version %" PRId64 " is there", missing - 1);
    }
    if (found == NULL) {
        return dw__error_set(err, DW_CORRUPT, "LOG_GAP",
                             "version %" PRId64 " is missing from the log: %s, and nothing behind "
                             "it",
                             missing, before);
    }
    return dw__error_set(err, DW_CORRUPT, "LOG_GAP",
                         "version %" PRId64 " is missing from the log: %s, and then comes version "
                         "%" PRId64 " (\"%.*s\")",
                         missing, before, found->version, DW_STR_ARG(found->key));
}

/*
 * The longest compacted commit in [start, end) that begins at `version`, ends at or before `last`.
 */
static const dw_log_file *
longest_compacted(const dw_log_listing *listing, size_t start, size_t end, int64_t last)
{
    const dw_log_file *best = NULL;
    for (size_t i = start; i < end; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->kind == DW_LOG_COMPACTED && file->last_version <= last &&
            (best == NULL || file->last_version > best->last_version)) {
            best = file;
        }
    }
    return best;
}

static const dw_log_file *
first_behind(const dw_log_listing *listing, int64_t version)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->items[i].version > version) {
            return &listing->items[i];
        }
    }
    return NULL;
}

/* Walks the listing from the first version behind the checkpoint to the last. */
static dw_status
collect_commits(const dw_log_listing *listing, dw_arena *arena, dw_segment *out, dw_error *err)
{
    dw_log_file *files = DW_ARENA_ARRAY(arena, dw_log_file, listing->count);
    if (files == NULL) {
        return dw__error_oom(err);
    }
    out->commits = files;
    int64_t next = out->checkpoint_version + 1;
    size_t end;
    for (size_t i = 0; i < listing->count && listing->items[i].version <= out->version; i = end) {
        for (end = i;
             end < listing->count && listing->items[end].version == listing->items[i].version;) {
            end++;
        }
        const dw_log_file *last = &listing->items[end - 1]; /* a commit sorts last in its version */
        bool is_commit = last->kind == DW_LOG_COMMIT;
        if (last->version == out->version && is_commit) {
            out->last_commit = last;
        }
        if (last->version < next) {
            continue;
        }
        const dw_log_file *compacted = longest_compacted(listing, i, end, out->version);
        if (compacted == NULL && !is_commit) {
            continue;
        }
        if (last->version > next) {
            return gap_error(next, last, err);
        }
        files[out->commit_count] = compacted == NULL ? *last : *compacted;
        next = files[out->commit_count].last_version + 1;
        out->commit_count++;
    }
    if (next <= out->version) {
        return gap_error(next, first_behind(listing, out->version), err);
    }
    dw_assert(next == out->version + 1);
    return DW_OK;
}

static dw_status
out_of_range(const dw_log_listing *listing, int64_t version, dw_error *err)
{
    int64_t first, last;
    dw__segment_range(listing, &first, &last);
    return dw__error_set(err, DW_NOT_FOUND, "VERSION_OUT_OF_RANGE",
                         "version %" PRId64 " is not there; the table has versions %" PRId64
                         " to %" PRId64,
                         version, first < 0 ? last : first, last);
}

/* True when nothing that could rebuild `version` is listed at or before it: it was cleaned up. */
static bool
is_before_log(const dw_log_listing *listing, const dw_segment *segment)
{
    if (segment->checkpoint_version >= 0) {
        return false;
    }
    for (size_t i = 0; i < listing->count; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->kind == DW_LOG_COMMIT) {
            int64_t first, last;
            dw__segment_range(listing, &first, &last);
            return file->version > 0 && first > segment->version;
        }
    }
    return true;
}

dw_status
dw__segment_choose(const dw_log_listing *listing, const dw_segment_request *request,
                   dw_arena *arena, dw_segment *out, dw_error *err)
{
    *out = (dw_segment){.version = -1, .checkpoint_version = -1};
    int64_t newest = newest_version(listing);
    if (newest < 0) {
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "%.*s%sis not a Delta table: expected commits in " DW_LOG_DIR,
                             DW_STR_ARG(request->root),
                             dw__str_is_null(request->root) ? "this " : " ");
    }
    out->version = request->version < 0 ? newest : request->version;
    if (out->version > newest) {
        return out_of_range(listing, out->version, err);
    }
    int64_t checkpoint_max =
        out->version < request->checkpoint_limit ? out->version : request->checkpoint_limit - 1;
    file_range range;
    const dw_log_file *checkpoint = find_checkpoint(listing, checkpoint_max, &range);
    if (checkpoint != NULL) {
        DW_TRY(copy_checkpoint(listing, range, checkpoint, arena, out, err));
    }
    if (request->version >= 0 && is_before_log(listing, out)) {
        return out_of_range(listing, out->version, err);
    }
    return collect_commits(listing, arena, out, err);
}
