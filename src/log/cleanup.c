/*
 * Where the log may be cut, and cutting it there.
 */
#include "log/cleanup.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "log/checkpoint.h"
#include "log/checkpoint_core.h"
#include "log/commit.h"
#include "log/hint.h"
#include "log/log_core.h"
#include "log/timeline.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct cleanup {
    dw_log *log;
    const dw_log_snapshot *snapshot;
    dw_arena arena;
    dw_log_listing listing;
    int64_t now_ms;
    int64_t cutoff_ms; /* what was the newest version then is kept */
    int64_t cut;       /* the version of the first checkpoint that is kept; -1: nothing goes */
    int64_t file_count;
    bool removes_checkpoints;
} cleanup;

/* ---- Where to cut ---------------------------------------------------------------------------- */

static int64_t
floor_to(int64_t time_ms, int64_t granularity_ms)
{
    int64_t rest = time_ms % granularity_ms;
    return time_ms - (rest < 0 ? rest + granularity_ms : rest);
}

/* The version that checkpointProtection keeps together; 0: none. */
static int64_t
protected_before(const dw_log_snapshot *snapshot)
{
    return dw__protocol_supports(dw__log_snapshot_protocol(snapshot),
                                 DW_FEATURE_CHECKPOINT_PROTECTION)
               ? dw__log_snapshot_properties(snapshot)->checkpoint_protection_version
               : 0;
}

/* True when something lies before the cut. */
static bool
has_older(const cleanup *c)
{
    return c->listing.count > 0 && c->listing.items[0].version < c->cut;
}

/* Others begin to read at the checkpoint that the hint names. */
static dw_status
choose_cut(cleanup *c, dw_error *err)
{
    int64_t version, hint;
    DW_TRY(dw__timeline_version_until(c->snapshot, &c->listing, c->cutoff_ms, &version, err));
    DW_TRY(dw__hint_read(c->log->storage, c->log->env->allocator, &hint, err));
    if (hint >= 0 && hint < version) {
        version = hint;
    }
    c->cut = version < 0 ? -1 : dw__segment_checkpoint_version(&c->listing, version);
    if (!has_older(c) || c->cut < protected_before(c->snapshot)) {
        c->cut = -1;
    }
    return DW_OK;
}

/* A checkpoint that nobody can read replaces nothing. */
static dw_status
check_kept(cleanup *c, dw_error *err)
{
    dw_segment segment;
    dw_segment_request request = {c->cut, INT64_MAX, c->log->storage->root};
    DW_TRY(dw__segment_choose(&c->listing, &request, &c->arena, &segment, err));
    dw_assert(segment.checkpoint_version == c->cut);
    DW_AUTO(dw_replay) base;
    DW_AUTO(dw_checkpoint_ptr) checkpoint = NULL;
    DW_TRY(dw__replay_init(&base, c->log->env, err));
    dw_status status = dw__checkpoint_open(c->log, &segment, &base, &checkpoint, err);
    if (status != DW_OK) {
        dw__error_context(err, "checkpoint %" PRId64 ", behind which the log was to be kept",
                          c->cut);
    }
    return status;
}

/* ---- Commits and checkpoints ----------------------------------------------------------------- */

static dw_status
remove_file(cleanup *c, dw_str key, dw_error *err)
{
    if (dw__env_is_cancelled(c->log->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while cleaning up the log");
    }
    c->file_count++;
    return dw__storage_remove(c->log->storage, key, err);
}

static dw_status
remove_commits(cleanup *c, dw_error *err)
{
    char key[DW_CHECKPOINT_KEY_SIZE];
    for (size_t i = 0; i < c->listing.count; i++) {
        const dw_log_file *file = &c->listing.items[i];
        if (file->kind == DW_LOG_COMMIT && file->version < c->cut) {
            DW_TRY(dw__storage_remove(c->log->storage, dw__checksum_key(file->version, key), err));
            DW_TRY(remove_file(c, file->key, err));
        }
    }
    return DW_OK;
}

/* Also compacted commits that begin at or before the checkpoint: nobody starts with them. */
static dw_status
remove_others(cleanup *c, dw_error *err)
{
    for (size_t i = 0; i < c->listing.count; i++) {
        const dw_log_file *file = &c->listing.items[i];
        bool is_older = file->kind == DW_LOG_COMPACTED
                            ? file->version <= c->cut
                            : file->kind != DW_LOG_COMMIT && file->version < c->cut;
        if (is_older) {
            DW_TRY(remove_file(c, file->key, err));
            c->removes_checkpoints |= file->kind != DW_LOG_COMPACTED;
        }
    }
    return DW_OK;
}

/* ---- Sidecars -------------------------------------------------------------------------------- */

/* The names of the sidecars that checkpoints refer to. */
typedef struct name_set {
    cleanup *c;
    dw_str *items;
    size_t count, capacity;
} name_set;

static dw_status
put_name(name_set *names, dw_str path, dw_error *err)
{
    dw_str plain;
    DW_TRY(dw__uri_canonical(&names->c->arena, path, &plain, err));
    size_t start = plain.len;
    while (start > 0 && plain.ptr[start - 1] != '/') {
        start--;
    }
    if (names->count == names->capacity) {
        size_t capacity = 2 * names->capacity + 64;
        dw_str *items = DW_ARENA_ARRAY(&names->c->arena, dw_str, capacity);
        if (items == NULL) {
            return dw__error_oom(err);
        }
        memcpy(items, names->items == NULL ? items : names->items, names->count * sizeof(dw_str));
        names->items = items;
        names->capacity = capacity;
    }
    return dw__arena_dup(&names->c->arena, dw__str_slice(plain, start, plain.len),
                         &names->items[names->count++])
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
visit_sidecars(void *ctx, const dw_batch *batch, dw_error *err)
{
    name_set *names = ctx;
    for (size_t row = 0; row < batch->row_count; row++) {
        dw_action action;
        bool is_there = dw__vector_is_valid(&batch->columns[0], row);
        if (is_there) {
            DW_TRY(
                dw__ck_sidecar(&batch->columns[0], row, &names->c->arena, &action, &is_there, err));
        }
        if (is_there) {
            DW_TRY(put_name(names, action.as.sidecar.path, err));
        }
    }
    return DW_OK;
}

static dw_status
read_json_sidecars(name_set *names, dw_str key, dw_error *err)
{
    const dw_env *env = names->c->log->env;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(env->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_replay) replay;
    DW_TRY(dw__replay_init(&replay, env, err));
    DW_TRY(dw__storage_get(names->c->log->storage, key, &bytes, NULL, err));
    DW_TRY(dw__replay_text(&replay, dw__strbuf_str(&bytes), err));
    for (size_t i = 0; i < replay.sidecars.count; i++) {
        DW_TRY(put_name(names, replay.sidecars.items[i].path, err));
    }
    return DW_OK;
}

static dw_status
read_sidecars(name_set *names, const dw_log_file *file, dw_error *err)
{
    static const char *const required_path[] = {"sidecar", "path", NULL};
    if (file->is_json) {
        return read_json_sidecars(names, file->key, err);
    }
    dw_parquet_read request = {.key = file->key,
                               .columns = &dw__ck_sidecar_spec,
                               .column_count = 1,
                               .required_path = required_path};
    return dw__checkpoint_read_file(names->c->log, &request, visit_sidecars, names, err);
}

static int
compare_names(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

/* The checkpoints that are left, and whatever was written while this goes on: the log is listed
 * anew. */
static dw_status
collect_names(name_set *names, dw_error *err)
{
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, names->c->log->env->allocator);
    DW_TRY(dw__log_list(names->c->log->storage, 0, &listing, err));
    for (size_t i = 0; i < listing.count; i++) {
        const dw_log_file *file = &listing.items[i];
        if (file->kind == DW_LOG_CHECKPOINT || file->kind == DW_LOG_CHECKPOINT_UUID) {
            DW_TRY(read_sidecars(names, file, err));
        }
    }
    if (names->count > 0) {
        qsort(names->items, names->count, sizeof(dw_str), compare_names);
    }
    return DW_OK;
}

static dw_status
remove_unnamed(const name_set *names, const dw_list_page *page, int64_t before_ms, dw_error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        const dw_object_meta *object = &page->objects[i];
        dw_str name = dw__str_slice(object->key, sizeof(DW_SIDECAR_DIR) - 1, object->key.len);
        bool is_named = names->count > 0 && bsearch(&name, names->items, names->count,
                                                    sizeof(dw_str), compare_names) != NULL;
        if (!is_named && object->modified_ms < before_ms) {
            DW_TRY(remove_file(names->c, object->key, err));
        }
    }
    return DW_OK;
}

/* Those of less than a day may be of a checkpoint that somebody is writing. */
static dw_status
remove_sidecars(cleanup *c, dw_error *err)
{
    name_set names = {.c = c};
    DW_TRY(collect_names(&names, err));
    int64_t yesterday_ms = floor_to(c->now_ms, DW_DAY_MS) - DW_DAY_MS;
    int64_t before_ms = yesterday_ms < c->cutoff_ms ? yesterday_ms : c->cutoff_ms;
    dw_list_request request = {.prefix = DW_STR(DW_SIDECAR_DIR), .start_after = DW_STR_NULL};
    for (bool more = true; more;) {
        dw_list_page page;
        DW_TRY(dw__storage_list(c->log->storage, &request, &c->arena, &page, err));
        DW_TRY(remove_unnamed(&names, &page, before_ms, err));
        more = page.has_more && page.count > 0;
        if (more) {
            request.start_after = page.objects[page.count - 1].key;
        }
    }
    return DW_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static dw_status
clean_up(cleanup *c, dw_error *err)
{
    DW_TRY(dw__log_list(c->log->storage, 0, &c->listing, err));
    DW_TRY(choose_cut(c, err));
    if (c->cut < 0) {
        return DW_OK;
    }
    DW_TRY(check_kept(c, err));
    DW_TRY(remove_commits(c, err));
    DW_TRY(remove_others(c, err));
    bool may_have_sidecars =
        dw__protocol_supports(dw__log_snapshot_protocol(c->snapshot), DW_FEATURE_V2_CHECKPOINT);
    return c->removes_checkpoints && may_have_sidecars ? remove_sidecars(c, err) : DW_OK;
}

dw_status
dw__log_clean_up(dw_log_snapshot *snapshot, const dw_cleanup_request *request,
                 dw_cleanup_result *out, dw_error *err)
{
    dw_log *log = dw__log_snapshot_log(snapshot);
    *out = (dw_cleanup_result){.first_version = -1};
    cleanup c = {.log = log, .snapshot = snapshot, .now_ms = dw__env_now_ms(log->env), .cut = -1};
    c.cutoff_ms = floor_to(c.now_ms - request->retention_ms, request->granularity_ms);
    dw__arena_init(&c.arena, log->env->allocator);
    dw__log_listing_init(&c.listing, log->env->allocator);
    dw_status status = clean_up(&c, err);
    if (status != DW_OK) {
        dw__error_context(err, "cleaning up the log");
    }
    *out = (dw_cleanup_result){.first_version = c.cut, .file_count = c.file_count};
    dw__log_listing_deinit(&c.listing);
    dw__arena_deinit(&c.arena);
    return status;
}

dw_status
dw__log_first_commit(dw_log *log, int64_t *version_out, dw_error *err)
{
    *version_out = -1;
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    DW_TRY(dw__log_list(log->storage, 0, &listing, err));
    for (size_t i = 0; i < listing.count && *version_out < 0; i++) {
        if (listing.items[i].kind == DW_LOG_COMMIT) {
            *version_out = listing.items[i].version;
        }
    }
    return DW_OK;
}

/* ---- With checkpoints ------------------------------------------------------------------------ */

/* In one process once a day, unless the new checkpoint itself is one at which to cut. */
static bool
is_due(dw_log *log, const dw_log_snapshot *snapshot, int64_t cutoff_ms)
{
    pthread_mutex_lock(&log->mutex);
    bool is_new = cutoff_ms != log->cleaned_until_ms;
    log->cleaned_until_ms = cutoff_ms;
    pthread_mutex_unlock(&log->mutex);
    return is_new || dw__log_snapshot_timestamp_ms(snapshot) <= cutoff_ms;
}

dw_status
dw__log_checkpoint(dw_log_snapshot *snapshot, dw_error *err)
{
    DW_TRY(dw__checkpoint_write(snapshot, err));
    dw_log *log = dw__log_snapshot_log(snapshot);
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    dw_cleanup_request request = {properties->log_retention_ms, DW_DAY_MS};
    int64_t cutoff_ms = floor_to(dw__env_now_ms(log->env) - request.retention_ms, DW_DAY_MS);
    if (!properties->enable_expired_log_cleanup || !is_due(log, snapshot, cutoff_ms)) {
        return DW_OK;
    }
    dw_cleanup_result result;
    dw_error detail = DW_ERROR_INIT;
    if (dw__log_clean_up(snapshot, &request, &result, &detail) != DW_OK) {
        dw__env_warn(log->env, "checkpoint %" PRId64 " is written, but old files stay: %s",
                     dw__log_snapshot_version(snapshot), detail.message);
    }
    return DW_OK;
}
