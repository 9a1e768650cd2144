/*
 * Loading a version from scratch, and what to do when the log is not as it was listed.
 */
#include "log/load.h"

#include "base/assert.h"
#include "log/checkpoint.h"
#include "log/checksum_file.h"
#include "log/commit.h"
#include "log/hint.h"
#include "log/log_core.h"

#include <inttypes.h>

/*
 * A listing may be overtaken by a clean-up or miss a commit that was just made: so often it is
 * repeated.
 */
#define ATTEMPTS_MAX 3

/* ---- Commits --------------------------------------------------------------------------------- */

static dw_status
replay_commit_file(dw_log *log, dw_str key, dw_strbuf *bytes, dw_replay *replay, dw_error *err)
{
    if (dw__env_is_cancelled(log->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the log");
    }
    dw_status status = dw__storage_get(log->storage, key, bytes, NULL, err);
    if (status == DW_OK) {
        status = dw__replay_text(replay, dw__strbuf_str(bytes), err);
    }
    if (status != DW_OK) {
        dw__commit_context(err, key);
    }
    return status;
}

/* What the newest protocol line of a commit means for us: kept by whoever looks from the newest
 * commit on. */
typedef struct protocol_verdict {
    bool is_known;
    dw_status status;
    dw_error err;
} protocol_verdict;

static dw_status
judge_protocol(void *ctx, const dw_action *action, dw_error *err)
{
    (void) err;
    protocol_verdict *verdict = ctx;
    if (action->kind == DW_ACTION_PROTOCOL) {
        verdict->is_known = true;
        dw__error_clear(&verdict->err);
        verdict->status = dw__protocol_check_read(&action->as.protocol, &verdict->err);
    }
    return DW_OK;
}

/* Judges the protocol lines of a commit that as a whole cannot be read. */
static void
judge_protocol_lines(const dw_env *env, dw_str text, protocol_verdict *verdict)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    for (size_t at = 0; at < text.len;) {
        dw_str rest = dw__str_slice(text, at, text.len);
        dw_str line = dw__str_slice(rest, 0, dw__str_find(rest, '\n'));
        if (line.len > 0 && memmem(line.ptr, line.len, "\"protocol\"", 10) != NULL) {
            dw_error ignored = DW_ERROR_INIT;
            dw_status status = dw__actions_parse(line, &arena, judge_protocol, verdict, &ignored);
            (void) status; /* another line is what is wrong */
            dw__arena_reset(&arena);
        }
        at += line.len + 1;
    }
}

/* A table of the future may have actions that make no sense to us: then what is missing is the
 * better answer than what is wrong. [LOG-5] */
static dw_status
prefer_protocol_error(dw_log *log, const dw_log_file *files, size_t count, dw_strbuf *bytes,
                      dw_error *err)
{
    protocol_verdict verdict = {0};
    for (size_t i = count; i > 0 && !verdict.is_known; i--) {
        dw_error ignored = DW_ERROR_INIT;
        if (dw__storage_get(log->storage, files[i - 1].key, bytes, NULL, &ignored) == DW_OK) {
            judge_protocol_lines(log->env, dw__strbuf_str(bytes), &verdict);
        }
    }
    if (verdict.status == DW_UNSUPPORTED) {
        dw__error_copy(err, &verdict.err);
        return DW_UNSUPPORTED;
    }
    return DW_CORRUPT;
}

/* Replays the commit files in order. When one of them cannot be understood and the newest protocol
 * among them needs a feature that is not known, that is the error. */
static dw_status
load_commits(dw_log *log, const dw_log_file *files, size_t count, dw_replay *replay, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        dw_status status = replay_commit_file(log, files[i].key, &bytes, replay, err);
        if (status == DW_CORRUPT) {
            return prefer_protocol_error(log, files, count, &bytes, err);
        }
        DW_TRY(status);
    }
    return DW_OK;
}

/* ---- Segments -------------------------------------------------------------------------------- */

/* The modification time of the commit, later than those before it. */
static int64_t
monotonic_time(const dw_segment *segment)
{
    int64_t time = INT64_MIN;
    for (size_t i = 0; i < segment->commit_count; i++) {
        const dw_log_file *file = &segment->commits[i];
        time = file->modified_ms > time ? file->modified_ms : time + 1;
    }
    if (segment->commit_count == 0) {
        const dw_log_file *file =
            segment->last_commit != NULL ? segment->last_commit : &segment->checkpoints[0];
        time = file->modified_ms;
    }
    return time;
}

dw_status
dw__load_set_timestamp(dw_log_snapshot *snapshot, const dw_replay *tail, int64_t file_time_ms,
                       dw_error *err)
{
    snapshot->timestamp_ms = file_time_ms;
    if (!snapshot->definition->properties.enable_in_commit_timestamps) {
        return DW_OK;
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, snapshot->log->env->allocator);
    dw_commit_info info = {0};
    if (tail->commit_info.len > 0) {
        DW_TRY(dw__commit_info_parse(dw__strbuf_str(&tail->commit_info), &arena, &info, err));
    } else {
        dw_error cause = DW_ERROR_INIT;
        dw_status status =
            dw__commit_info_read(snapshot->log, snapshot->version, &arena, &info, &cause);
        if (status != DW_OK && status != DW_NOT_FOUND) {
            dw__error_copy(err, &cause);
            return status;
        }
    }
    if (info.has_in_commit_timestamp) {
        snapshot->timestamp_ms = info.in_commit_timestamp_ms;
    }
    return DW_OK;
}

/* By which file a refresh tells that the table is still the one that was read. */
static dw_file_identity
identity_of(const dw_segment *segment)
{
    const dw_log_file *commit = segment->last_commit;
    if (commit != NULL) {
        return (dw_file_identity){true, false, commit->size_bytes, commit->modified_ms};
    }
    if (segment->checkpoint_count == 0) {
        return (dw_file_identity){0}; /* a compacted commit leads there, its last commit is gone */
    }
    const dw_log_file *main_file = &segment->checkpoints[0];
    return (dw_file_identity){true, true, main_file->size_bytes, main_file->modified_ms};
}

/* Fills in what the segment says and joins. */
static dw_status
join_segment(dw_log *log, const dw_segment *segment, dw_snapshot_parts *parts,
             dw_log_snapshot **out, dw_error *err)
{
    parts->log = log;
    parts->version = segment->version;
    parts->identity = identity_of(segment);
    dw_log_snapshot *snapshot;
    DW_TRY(dw__snapshot_join(log->env, parts, &snapshot, err));
    dw_status status = dw__load_set_timestamp(snapshot, parts->tail, monotonic_time(segment), err);
    if (status != DW_OK) {
        dw__log_snapshot_unref(snapshot);
        return status;
    }
    *out = snapshot;
    return DW_OK;
}

/* One try to load a version: what was listed, chosen, and what went wrong. */
typedef struct attempt {
    dw_log *log;
    int64_t version;
    bool is_lean;             /* the files of the checkpoint are left there */
    int64_t from_version;     /* where listing starts */
    int64_t checkpoint_limit; /* only checkpoints below it */
    bool checkpoint_failed;
    int64_t checkpoint_version;
} attempt;

/* Tells in the attempt whether an error came from the checkpoint, so that an older one may be
 * tried. */
static dw_status
load_on_checkpoint(attempt *a, const dw_segment *segment, const dw_replay *tail,
                   dw_log_snapshot **out, dw_error *err)
{
    dw_log *log = a->log;
    DW_AUTO(dw_checkpoint_ptr) checkpoint = NULL;
    DW_AUTO(dw_definition_ptr) definition = NULL;
    DW_AUTO(dw_replay) base;
    DW_TRY(dw__replay_init(&base, log->env, err));
    dw_status status = dw__checkpoint_open(log, segment, &base, &checkpoint, err);
    if (status == DW_OK) {
        DW_TRY(dw__snapshot_define(log->env, tail, &base, segment->version, &definition, err));
        dw__replay_seal(&base);
        status = a->is_lean ? DW_OK : dw__checkpoint_read_adds(checkpoint, definition, &base, err);
    }
    a->checkpoint_failed = status == DW_CORRUPT || status == DW_NOT_FOUND;
    DW_TRY(status);
    dw_snapshot_parts parts = {.tail = tail,
                               .base_replay = &base,
                               .checkpoint = checkpoint,
                               .definition = definition,
                               .is_lean = a->is_lean};
    return join_segment(log, segment, &parts, out, err);
}

static dw_status
load_segment(attempt *a, const dw_segment *segment, dw_log_snapshot **out, dw_error *err)
{
    dw_log *log = a->log;
    *out = NULL;
    a->checkpoint_failed = false;
    DW_AUTO(dw_replay) tail;
    DW_TRY(dw__replay_init(&tail, log->env, err));
    DW_TRY(load_commits(log, segment->commits, segment->commit_count, &tail, err));
    dw__replay_seal(&tail);
    if (segment->checkpoint_version >= 0) {
        return load_on_checkpoint(a, segment, &tail, out, err);
    }
    dw_snapshot_parts parts = {.tail = &tail};
    return join_segment(log, segment, &parts, out, err);
}

/* ---- Versions -------------------------------------------------------------------------------- */

/* Says when a version is not what its checksum says that it was. [CHECKSUM-4] */
static dw_status
compare_with_checksum(const dw_log_listing *listing, const dw_log_snapshot *snapshot, dw_error *err)
{
    if (listing->checksum_version != snapshot->version || dw__snapshot_is_lean(snapshot)) {
        return DW_OK;
    }
    dw_error mismatch = DW_ERROR_INIT;
    dw_status status = dw__checksum_verify(snapshot, &mismatch);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status != DW_OK) {
        dw__env_warn(snapshot->log->env, "%s: %s; the log is believed", mismatch.context,
                     mismatch.message);
    }
    return DW_OK;
}

static dw_status
try_load(attempt *a, dw_log_snapshot **out, dw_error *err)
{
    const dw_env *env = a->log->env;
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, env->allocator);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    a->checkpoint_failed = false;
    DW_TRY(dw__log_list(a->log->storage, a->from_version, &listing, err));
    if (a->from_version > 0 && dw__segment_checkpoint_version(&listing, DW_VERSION_MAX) < 0) {
        a->from_version = 0; /* the hint lies [LOG-2] */
        dw__log_listing_deinit(&listing);
        dw__log_listing_init(&listing, env->allocator);
        DW_TRY(dw__log_list(a->log->storage, 0, &listing, err));
    }
    dw_segment_request request = {a->version, a->checkpoint_limit, a->log->storage->root};
    dw_segment segment;
    DW_TRY(dw__segment_choose(&listing, &request, &arena, &segment, err));
    a->checkpoint_version = segment.checkpoint_version;
    DW_TRY(load_segment(a, &segment, out, err));
    dw_status status = compare_with_checksum(&listing, *out, err);
    if (status != DW_OK) {
        dw__log_snapshot_unref(*out);
        *out = NULL;
    }
    return status;
}

/* Without the checkpoint that cannot be read, from an older one or the commits, if they are still
 * there; otherwise what is wrong with it is the error. */
static dw_status
load_without_checkpoint(attempt *a, const dw_error *cause, dw_log_snapshot **out, dw_error *err)
{
    a->from_version = 0;
    a->checkpoint_limit = a->checkpoint_version;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = try_load(a, out, &ignored);
    if (status == DW_OK) {
        dw__env_warn(a->log->env, "checkpoint %" PRId64 " cannot be read and was passed over: %s",
                     a->checkpoint_limit, cause->message);
    } else if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED || status == DW_UNSUPPORTED) {
        dw__error_copy(err, &ignored);
    } else {
        dw__error_copy(err, cause);
        status = cause->status;
    }
    return status;
}

/* True when listing again may help: a file that was listed is gone, or a version was overlooked. */
static bool
is_race(const attempt *a, const dw_error *err)
{
    return dw__error_has_code(err, "OBJECT_NOT_FOUND") ||
           dw__error_has_code(err, "SIDECAR_MISSING") || dw__error_has_code(err, "LOG_GAP") ||
           (a->checkpoint_failed && err->status == DW_NOT_FOUND);
}

static dw_status
load(attempt *a, dw_log_snapshot **out, dw_error *err)
{
    *out = NULL;
    a->checkpoint_limit = INT64_MAX;
    if (a->version < 0) {
        DW_TRY(dw__hint_read(a->log->storage, a->log->env->allocator, &a->from_version, err));
        a->from_version = a->from_version < 0 ? 0 : a->from_version;
    }
    dw_error cause = DW_ERROR_INIT;
    dw_status status = DW_OK;
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        status = try_load(a, out, &cause);
        if (status == DW_OK) {
            return DW_OK;
        }
        if (!is_race(a, &cause)) {
            break;
        }
        a->from_version = 0;
    }
    if (a->checkpoint_failed) {
        return load_without_checkpoint(a, &cause, out, err);
    }
    dw__error_copy(err, &cause);
    return status;
}

dw_status
dw__load_version(dw_log *log, int64_t version, dw_log_snapshot **out, dw_error *err)
{
    attempt a = {.log = log, .version = version};
    return load(&a, out, err);
}

dw_status
dw__load_lean(dw_log *log, dw_log_snapshot **out, dw_error *err)
{
    attempt a = {.log = log, .version = -1, .is_lean = true};
    return load(&a, out, err);
}

dw_status
dw__load_again(const dw_log_snapshot *snapshot, const dw_error *cause, dw_log_snapshot **out,
               dw_error *err)
{
    *out = NULL;
    bool may_be_gone = cause->status == DW_NOT_FOUND || cause->status == DW_UNAVAILABLE;
    if (!may_be_gone || !dw__snapshot_is_stale(snapshot)) {
        dw__error_copy(err, cause);
        return cause->status;
    }
    return dw__load_version(snapshot->log, snapshot->version, out, err);
}
