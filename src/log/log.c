/*
 * The log of a table: its cached newest snapshot, and looking for what is new. [LOG-4]
 *
 * A look costs one head (is the commit of the cached version still the one that was read?) and one
 * get (is there a next version?), and now and then a head of the checkpoint below. Callers that
 * come while somebody looks wait, and then share the next look: the one before may have missed what
 * was committed before they came.
 */
#include "log/log_core.h"

#include "base/assert.h"
#include "bloom/store.h"
#include "log/commit.h"
#include "log/listing.h"
#include "log/load.h"
#include "log/segment.h"

/* So many commits are fetched by name before the log is listed instead. */
#define CATCH_UP_COMMITS_MAX 32
/* So long it is taken for granted that the checkpoint below the cached version is still there. */
#define CHECKPOINT_TRUSTED_MS ((int64_t) 60 * 1000)
/* Replaying a commit costs about as much as reading so many files from a checkpoint. */
#define COMMIT_COST 64
/*
 * A snapshot that was asked for by version is kept for the next time if it has no more files than
 * that.
 */
#define OLDER_FILES_MAX 250000

dw_status
dw__log_open(const dw_env *env, dw_storage *storage, dw_engine *engine, dw_log **out, dw_error *err)
{
    *out = NULL;
    dw_log *log = DW_NEW(env->allocator, dw_log);
    if (log == NULL) {
        return dw__error_oom(err);
    }
    log->env = env;
    log->storage = storage;
    log->engine = engine;
    log->stats_budget.bytes_max = DW_STATS_CACHE_BYTES_MAX;
    atomic_init(&log->stats_budget.used_bytes, 0);
    pthread_mutex_init(&log->refresh_mutex, NULL);
    pthread_mutex_init(&log->mutex, NULL);
    dw_status status = dw__bloom_store_new(env, storage, &log->filters, err);
    if (status != DW_OK) {
        dw__log_close(log);
        return status;
    }
    *out = log;
    return DW_OK;
}

void
dw__log_close(dw_log *log)
{
    if (log == NULL) {
        return;
    }
    dw__log_snapshot_unref(log->older);
    dw__log_snapshot_unref(log->cached);
    dw__bloom_store_free(log->filters);
    pthread_mutex_destroy(&log->mutex);
    pthread_mutex_destroy(&log->refresh_mutex);
    DW_DELETE(log->env->allocator, log);
}

const dw_env *
dw__log_env(const dw_log *log)
{
    return log->env;
}

dw_storage *
dw__log_storage(const dw_log *log)
{
    return log->storage;
}

dw_engine *
dw__log_engine(const dw_log *log)
{
    return log->engine;
}

dw_bloom_store *
dw__log_filters(const dw_log *log)
{
    return log->filters;
}

dw_status
dw__log_exists(dw_log *log, bool *exists_out, dw_error *err)
{
    return dw__log_list_any(log->storage, log->env->allocator, exists_out, err);
}

/* ---- The cache ------------------------------------------------------------------------------- */

/* A reference to what a place holds, of a version or (-1) of any; NULL when it does not. */
static dw_log_snapshot *
ref_kept(dw_log *log, dw_log_snapshot *const *place, int64_t version)
{
    pthread_mutex_lock(&log->mutex);
    dw_log_snapshot *kept = *place;
    bool fits = kept != NULL && (version < 0 || kept->version == version);
    kept = fits ? dw__log_snapshot_ref(kept) : NULL;
    pthread_mutex_unlock(&log->mutex);
    return kept;
}

/* Puts `snapshot` (NULL: nothing) in a place; takes one reference of it over. */
static void
keep(dw_log *log, dw_log_snapshot **place, dw_log_snapshot *snapshot)
{
    pthread_mutex_lock(&log->mutex);
    dw_log_snapshot *old = *place;
    *place = snapshot;
    pthread_mutex_unlock(&log->mutex);
    dw__log_snapshot_unref(old);
}

void
dw__log_keep_instead(dw_log *log, const dw_log_snapshot *base, dw_log_snapshot *snapshot)
{
    dw_log_snapshot *dropped = dw__log_snapshot_ref(snapshot);
    pthread_mutex_lock(&log->mutex);
    if (log->cached == base) {
        dropped = log->cached;
        log->cached = snapshot;
    }
    pthread_mutex_unlock(&log->mutex);
    dw__log_snapshot_unref(dropped);
}

/* Keeps a snapshot of an older version unless the table was read anew since `reload_count`. */
static void
keep_older(dw_log *log, dw_log_snapshot *snapshot, uint64_t reload_count)
{
    dw_log_snapshot *dropped = dw__log_snapshot_ref(snapshot);
    pthread_mutex_lock(&log->mutex);
    if (log->reload_count == reload_count) {
        dw_log_snapshot *old = log->older;
        log->older = dropped;
        dropped = old;
    }
    pthread_mutex_unlock(&log->mutex);
    dw__log_snapshot_unref(dropped);
}

static uint64_t
reload_count_of(dw_log *log)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t count = log->reload_count;
    pthread_mutex_unlock(&log->mutex);
    return count;
}

static dw_status
reload(dw_log *log, dw_error *err)
{
    pthread_mutex_lock(&log->mutex);
    log->reload_count++;
    pthread_mutex_unlock(&log->mutex);
    dw_log_snapshot *snapshot;
    log->checkpoint_seen_ms = dw__env_now_ms(log->env);
    dw_status status = dw__load_version(log, -1, &snapshot, err);
    keep(log, &log->older, NULL); /* it may be of a table that is no more */
    if (status == DW_OK) {
        keep(log, &log->cached, snapshot);
    } else if (status == DW_NOT_FOUND) {
        keep(log, &log->cached, NULL); /* the table was deleted */
    }
    return status;
}

/* ---- Catching up ----------------------------------------------------------------------------- */

/* What stands under a key; DW_OK also when nothing does. */
static dw_status
look(dw_log *log, dw_str key, dw_object_meta *out, bool *found_out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__storage_head(log->storage, key, out, &cause);
    *found_out = status == DW_OK;
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__error_copy(err, &cause);
        return status;
    }
    return DW_OK;
}

/* Statistics and tombstones may still have to be read from the checkpoint, which other processes
 * clean up some day: it is looked for now and then. */
static dw_status
has_checkpoint(dw_log *log, const dw_log_snapshot *cached, bool *out, dw_error *err)
{
    *out = true;
    int64_t now_ms = dw__env_now_ms(log->env);
    if (cached->checkpoint == NULL || now_ms - log->checkpoint_seen_ms < CHECKPOINT_TRUSTED_MS) {
        return DW_OK;
    }
    dw_object_meta meta;
    DW_TRY(look(log, dw__checkpoint_main_key(cached->checkpoint), &meta, out, err));
    log->checkpoint_seen_ms = now_ms;
    return DW_OK;
}

/*
 * False when the table was deleted or made anew, or its log was cleaned up beyond the cached
 * version or the checkpoint below it.
 */
static dw_status
is_still_there(dw_log *log, const dw_log_snapshot *cached, bool *out, dw_error *err)
{
    *out = false;
    if (!cached->identity.is_known || dw__snapshot_is_stale(cached)) {
        return DW_OK;
    }
    char commit_key[DW_COMMIT_KEY_SIZE];
    dw_str key = cached->identity.is_checkpoint ? dw__checkpoint_main_key(cached->checkpoint)
                                                : dw__commit_key(cached->version, commit_key);
    dw_object_meta meta;
    bool is_found;
    DW_TRY(look(log, key, &meta, &is_found, err));
    if (!is_found || meta.size_bytes != cached->identity.size_bytes ||
        meta.modified_ms != cached->identity.modified_ms) {
        return DW_OK;
    }
    return has_checkpoint(log, cached, out, err);
}

/* What was found behind the cached version. */
typedef struct catch_up {
    dw_replay tail;
    int64_t version; /* the newest that was replayed */
    dw_file_identity identity;
    int64_t file_time_ms;
} catch_up;

static dw_status
replay_next(dw_log *log, catch_up *c, dw_strbuf *bytes, bool *found_out, dw_error *err)
{
    *found_out = false;
    int64_t modified_ms;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__commit_get(log, c->version + 1, bytes, &modified_ms, &cause);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    if (c->tail.env == NULL) {
        DW_TRY(dw__replay_init(&c->tail, log->env, err));
    }
    status = dw__replay_text(&c->tail, dw__strbuf_str(bytes), err);
    if (status != DW_OK) {
        char key[DW_COMMIT_KEY_SIZE];
        dw__commit_context(err, dw__commit_key(c->version + 1, key));
        return status;
    }
    c->version++;
    c->identity = (dw_file_identity){true, false, (int64_t) bytes->len, modified_ms};
    c->file_time_ms = modified_ms > c->file_time_ms ? modified_ms : c->file_time_ms + 1;
    *found_out = true;
    return DW_OK;
}

/* Far behind: true when reading a newer checkpoint costs less than replaying what is missing. */
static dw_status
is_reload_cheaper(dw_log *log, const dw_log_snapshot *cached, int64_t version, bool *out,
                  dw_error *err)
{
    DW_AUTO(dw_log_listing) listing;
    dw__log_listing_init(&listing, log->env->allocator);
    DW_TRY(dw__log_list(log->storage, version + 1, &listing, err));
    int64_t first, last;
    dw__segment_range(&listing, &first, &last);
    int64_t checkpoint = dw__segment_checkpoint_version(&listing, DW_VERSION_MAX);
    int64_t files = (int64_t) dw__file_set_count(cached->files);
    *out = checkpoint > 0 &&
           (last - version) * COMMIT_COST > files + (last - checkpoint) * COMMIT_COST;
    return DW_OK;
}

static dw_status
replay_all_next(dw_log *log, const dw_log_snapshot *cached, catch_up *c, bool *reload_out,
                dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    *reload_out = false;
    bool found = true;
    for (int64_t count = 0; found && !*reload_out; count++) {
        if (dw__env_is_cancelled(log->env)) {
            return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the log");
        }
        if (count == CATCH_UP_COMMITS_MAX) {
            DW_TRY(is_reload_cheaper(log, cached, c->version, reload_out, err));
        }
        if (!*reload_out) {
            DW_TRY(replay_next(log, c, &bytes, &found, err));
        }
    }
    return DW_OK;
}

static dw_status
join_catch_up(dw_log *log, const dw_log_snapshot *cached, catch_up *c, dw_error *err)
{
    dw__replay_seal(&c->tail);
    dw_snapshot_parts parts = {.log = log,
                               .version = c->version,
                               .identity = c->identity,
                               .tail = &c->tail,
                               .base_snapshot = cached};
    dw_log_snapshot *snapshot;
    DW_TRY(dw__snapshot_join(log->env, &parts, &snapshot, err));
    dw_status status = dw__load_set_timestamp(snapshot, &c->tail, c->file_time_ms, err);
    if (status != DW_OK) {
        dw__log_snapshot_unref(snapshot);
        return status;
    }
    keep(log, &log->cached, snapshot);
    return DW_OK;
}

static dw_status
catch_up_from(dw_log *log, const dw_log_snapshot *cached, dw_error *err)
{
    bool is_there;
    DW_TRY(is_still_there(log, cached, &is_there, err));
    if (!is_there) {
        return reload(log, err);
    }
    catch_up c = {.version = cached->version, .file_time_ms = cached->timestamp_ms};
    bool must_reload;
    dw_status status = replay_all_next(log, cached, &c, &must_reload, err);
    if (status == DW_OK && must_reload) {
        status = reload(log, err);
    } else if (status == DW_OK && c.version > cached->version) {
        status = join_catch_up(log, cached, &c, err);
    }
    dw__replay_deinit(&c.tail);
    return status;
}

static dw_status
refresh(dw_log *log, dw_error *err)
{
    dw_log_snapshot *cached = ref_kept(log, &log->cached, -1);
    dw_status status = cached == NULL ? reload(log, err) : catch_up_from(log, cached, err);
    dw__log_snapshot_unref(cached);
    return status;
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

dw_status
dw__log_snapshot(dw_log *log, dw_log_snapshot **out, dw_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&log->mutex);
    uint64_t needed = log->refresh_started + 1; /* a look that begins after this call did */
    pthread_mutex_unlock(&log->mutex);

    pthread_mutex_lock(&log->refresh_mutex);
    dw_status status = DW_OK;
    if (log->refresh_done < needed) {
        pthread_mutex_lock(&log->mutex);
        uint64_t number = ++log->refresh_started;
        pthread_mutex_unlock(&log->mutex);
        status = refresh(log, err);
        if (status == DW_OK) {
            log->refresh_done = number;
        }
    }
    if (status == DW_OK) {
        *out = ref_kept(log, &log->cached, -1);
        dw_assert(*out != NULL);
    }
    pthread_mutex_unlock(&log->refresh_mutex);
    return status;
}

dw_status
dw__log_snapshot_at(dw_log *log, int64_t version, dw_log_snapshot **out, dw_error *err)
{
    *out = NULL;
    if (version < 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VERSION_INVALID",
                             "expected a version of 0 or more, found %lld", (long long) version);
    }
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    DW_TRY(dw__log_snapshot(log, &newest, err));
    if (newest->version == version) {
        *out = dw__log_snapshot_ref(newest);
        return DW_OK;
    }
    *out = ref_kept(log, &log->older, version);
    if (*out != NULL && !dw__snapshot_is_stale(*out)) {
        return DW_OK;
    }
    dw__log_snapshot_unref(*out);
    *out = NULL;
    uint64_t reload_count = reload_count_of(log);
    DW_TRY(dw__load_version(log, version, out, err));
    if (dw__file_set_count((*out)->files) <= OLDER_FILES_MAX) {
        keep_older(log, *out, reload_count);
    }
    return DW_OK;
}
