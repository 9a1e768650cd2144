/*
 * Making many files durable that the engine wrote by its own path: an fsync of each file, then one
 * of each directory from theirs up to the root.
 *
 * A file system writes its journal once for all the syncs that wait for it, so waiting side by side
 * is ten times faster than one after the other, where the files are many and small. Hence threads:
 * they only wait.
 */
#include "storage/posix.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>

#define THREADS_MAX ((size_t) 8)
/* Fewer are not worth a thread. */
#define ITEMS_PER_THREAD_MIN ((size_t) 2)

/* ---- side by side ---------------------------------------------------------------------------- */

typedef struct sync_job sync_job;

struct sync_job {
    dw_status (*sync_item)(const sync_job *job, size_t idx, dw_error *err);
    const dw_posix *posix;
    const dw_sync_request *requests; /* of files */
    const dw_str *directories;
    size_t count;
    atomic_size_t next;
    pthread_mutex_t mutex; /* guards all below */
    size_t failed_idx;     /* the first item that failed */
    dw_status status;
    dw_error error;
};

static void
note_failure(sync_job *job, size_t idx, dw_status status, const dw_error *err)
{
    pthread_mutex_lock(&job->mutex);
    if (job->status == DW_OK || idx < job->failed_idx) {
        job->failed_idx = idx;
        job->status = status;
        job->error = *err;
    }
    pthread_mutex_unlock(&job->mutex);
}

static void *
work(void *ctx)
{
    sync_job *job = ctx;
    for (;;) {
        size_t idx = atomic_fetch_add(&job->next, 1);
        if (idx >= job->count) {
            return NULL;
        }
        dw_error err = DW_ERROR_INIT;
        dw_status status = job->sync_item(job, idx, &err);
        if (status != DW_OK) {
            note_failure(job, idx, status, &err);
            atomic_store(&job->next, job->count); /* what is left need not be tried */
        }
    }
}

/* Starts the helpers with all signals blocked: those are for the program's own threads. */
static size_t
start_helpers(sync_job *job, pthread_t *helpers)
{
    size_t wanted = job->count / ITEMS_PER_THREAD_MIN;
    wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    size_t count = 0;
    /* Where no thread is to be had the caller does the work alone. */
    while (count + 1 < wanted && pthread_create(&helpers[count], NULL, work, job) == 0) {
        count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

static dw_status
run_job(sync_job *job, dw_error *err)
{
    atomic_init(&job->next, 0);
    int failed = pthread_mutex_init(&job->mutex, NULL);
    dw_assert(failed == 0);
    pthread_t helpers[THREADS_MAX];
    size_t helper_count = start_helpers(job, helpers);
    (void) work(job);
    for (size_t i = 0; i < helper_count; i++) {
        pthread_join(helpers[i], NULL);
    }
    pthread_mutex_destroy(&job->mutex);
    if (job->status != DW_OK) {
        dw__error_copy(err, &job->error);
    }
    return job->status;
}

/* ---- files ----------------------------------------------------------------------------------- */

static dw_status
sync_open_file(const dw_posix *posix, int fd, const char *path, int64_t size_bytes, dw_error *err)
{
    struct stat info;
    if (posix->calls->fstat(posix->calls->ctx, fd, &info) != 0) {
        return dw__posix_error(errno, "reading", path, err);
    }
    if (size_bytes >= 0 && (int64_t) info.st_size != size_bytes) {
        return dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                             "expected %s to have %" PRId64 " bytes, found %" PRId64, path,
                             size_bytes, (int64_t) info.st_size);
    }
    if (dw__posix_fsync(posix, fd) != 0) {
        return dw__posix_error(errno, "syncing", path, err);
    }
    return DW_OK;
}

static dw_status
sync_file(const sync_job *job, size_t idx, dw_error *err)
{
    const dw_sync_request *request = &job->requests[idx];
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(job->posix, request->key, &path, err));
    int fd = dw__posix_open(job->posix, path.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return dw__posix_error(errno, "syncing", path.text, err);
    }
    dw_status status = sync_open_file(job->posix, fd, path.text, request->size_bytes, err);
    dw__posix_close(job->posix, fd);
    return status;
}

/* ---- directories ----------------------------------------------------------------------------- */

typedef struct directory_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} directory_vec;

static dw_status
sync_directory(const sync_job *job, size_t idx, dw_error *err)
{
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(job->posix, job->directories[idx], &path, err));
    return dw__posix_sync_directory(job->posix, path.text, err);
}

/* Adds the directories of a key, from its own up to the root, until one that is there already. */
static bool
add_directories(const dw_allocator *allocator, dw_str key, dw_map *seen, directory_vec *out)
{
    dw_str inside = key;
    while (inside.len > 0) {
        size_t slash = dw__str_find_last(inside, '/');
        inside = slash == SIZE_MAX ? DW_STR("") : dw__str_slice(inside, 0, slash);
        bool is_new;
        if (dw__map_put(seen, inside, &is_new) == NULL) {
            return false;
        }
        if (!is_new) {
            return true;
        }
        dw_str *slot = DW_VEC_PUSH(allocator, out);
        if (slot == NULL) {
            return false;
        }
        *slot = inside;
    }
    return true;
}

static bool
find_directories(const dw_allocator *allocator, const dw_sync_request *requests, size_t count,
                 directory_vec *out)
{
    DW_AUTO(dw_map) seen;
    dw__map_init(&seen, allocator);
    for (size_t i = 0; i < count; i++) {
        if (!add_directories(allocator, requests[i].key, &seen, out)) {
            return false;
        }
    }
    return true;
}

/* ---- both ------------------------------------------------------------------------------------ */

dw_status
dw__posix_sync(dw_storage *storage, const dw_sync_request *requests, size_t count, dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    const dw_allocator *allocator = storage->env->allocator;
    sync_job files = {.sync_item = sync_file, .posix = posix, .requests = requests, .count = count};
    DW_TRY(run_job(&files, err));

    directory_vec found = {0};
    dw_status status;
    if (find_directories(allocator, requests, count, &found)) {
        sync_job directories = {.sync_item = sync_directory,
                                .posix = posix,
                                .directories = found.items,
                                .count = found.count};
        status = run_job(&directories, err);
    } else {
        status = dw__error_oom(err);
    }
    DW_VEC_DEINIT(allocator, &found);
    return status;
}
