/*
 * Directories: creating them, and making durable what is in them. A file is durable when its bytes
 * and every directory entry on the way to it are.
 *
 *  [POSIX-4] A directory that we create is durable before anything in it is acknowledged.
 */
#include "storage/posix.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* How often a directory is gone again before the next one is made in it. Another process may remove
 * one; file systems such as /proc take none and call it missing. */
#define WAYS_DOWN_MAX 1000
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int
dw__posix_fsync_directory(const dw_posix *posix, int fd)
{
    int failed = dw__posix_fsync(posix, fd);
    return failed != 0 && errno == EINVAL ? 0 : failed;
}

/* 0, or -1 with errno. */
static int
sync_directory(const dw_posix *posix, const char *path)
{
    int fd = dw__posix_open(posix, path, DIRECTORY_FLAGS);
    if (fd < 0) {
        return -1;
    }
    int failed = dw__posix_fsync_directory(posix, fd);
    dw__posix_close(posix, fd);
    return failed;
}

dw_status
dw__posix_sync_directory(const dw_posix *posix, const char *path, dw_error *err)
{
    if (sync_directory(posix, path) != 0) {
        return dw__posix_error(errno, "syncing", path, err);
    }
    return DW_OK;
}

/* ---- creating directories -------------------------------------------------------------------- */

static dw_status
check_is_directory(const dw_posix *posix, const char *path, dw_error *err)
{
    struct stat info;
    if (posix->calls->stat(posix->calls->ctx, path, &info) != 0) {
        return dw__posix_error(errno, "creating the directory", path, err);
    }
    if (!S_ISDIR(info.st_mode)) {
        return dw__posix_error(EEXIST, "creating the directory", path, err);
    }
    return DW_OK;
}

/*
 * Goes up to the first directory that can be made or is there, then down again. Another process may
 * create the same directories meanwhile: that one is as good as ours, once its parent is synced.
 */
dw_status
dw__posix_make_directories(const dw_posix *posix, const dw_posix_path *directory, dw_error *err)
{
    dw_posix_path path = *directory;
    int ways_down = 0;
    for (;;) {
        int failed = posix->calls->mkdir(posix->calls->ctx, path.text, 0777);
        int reason = failed == 0 ? 0 : errno;
        if (reason == ENOENT && ways_down == WAYS_DOWN_MAX) {
            return dw__error_set(err, DW_IO, "STORAGE_PERMISSION",
                                 "the file system takes no directory %s: use another path",
                                 path.text);
        }
        if (reason == ENOENT && path.len > 1) {
            dw__posix_path_up(&path);
            continue;
        }
        if (reason == EEXIST) {
            DW_TRY(check_is_directory(posix, path.text, err));
        } else if (reason != 0) {
            return dw__posix_error(reason, "creating the directory", path.text, err);
        }
        if (path.len == directory->len && reason == EEXIST) {
            return DW_OK;
        }
        dw_posix_path parent = path;
        if (reason == 0 && dw__posix_path_up(&parent)) {
            DW_TRY(dw__posix_sync_directory(posix, parent.text, err));
        }
        if (path.len == directory->len) {
            return DW_OK;
        }
        ways_down++;
        /* The next part down: put back the byte where the path was cut. */
        size_t next = path.len + 1;
        while (next < directory->len && directory->text[next] != '/') {
            next++;
        }
        memcpy(path.text, directory->text, next);
        path.text[next] = '\0';
        path.len = next;
    }
}

static bool
is_anchored(dw_posix *posix, const dw_posix_path *directory)
{
    pthread_mutex_lock(&posix->mutex);
    bool same = posix->anchored != NULL && strcmp(posix->anchored, directory->text) == 0;
    pthread_mutex_unlock(&posix->mutex);
    return same;
}

static void
remember_anchored(dw_posix *posix, const dw_posix_path *directory)
{
    const dw_allocator *allocator = posix->base.env->allocator;
    size_t size = directory->len + 1;
    char *copy = dw__alloc(allocator, size);
    if (copy == NULL) {
        return; /* it is synced once more the next time */
    }
    memcpy(copy, directory->text, size);
    pthread_mutex_lock(&posix->mutex);
    char *old = posix->anchored;
    size_t old_size = posix->anchored_size;
    posix->anchored = copy;
    posix->anchored_size = size;
    pthread_mutex_unlock(&posix->mutex);
    dw__dealloc(allocator, old, old_size);
}

/* Syncs the directories from the one above `directory` to the one above the root. Those above the
 * root may be unreadable to us: then whoever made them answers for them. */
dw_status
dw__posix_anchor(dw_posix *posix, const dw_posix_path *directory, dw_error *err)
{
    if (is_anchored(posix, directory)) {
        return DW_OK;
    }
    dw_posix_path path = *directory;
    while (path.len >= posix->base.root.len && dw__posix_path_up(&path)) {
        bool is_inside = path.len >= posix->base.root.len;
        if (sync_directory(posix, path.text) != 0 && (is_inside || errno != EACCES)) {
            return dw__posix_error(errno, "syncing", path.text, err);
        }
    }
    remember_anchored(posix, directory);
    return DW_OK;
}

dw_status
dw__posix_prepare(dw_storage *storage, dw_str prefix, dw_error *err)
{
    dw_posix *posix = dw__posix_from(storage);
    size_t slash = dw__str_find_last(prefix, '/');
    dw_str inside = slash == SIZE_MAX ? DW_STR("") : dw__str_slice(prefix, 0, slash);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, inside, &path, err));
    DW_TRY(dw__posix_make_directories(posix, &path, err));
    if (access(path.text, W_OK | X_OK) != 0) {
        return dw__posix_error(errno, "writing below", path.text, err);
    }
    return DW_OK;
}
