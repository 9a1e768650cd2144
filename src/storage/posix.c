/*
 * The storage on a file system: opening, paths, and reading. Objects are files, the parts of their
 * keys directories. How objects come into being is in posix_put.c.
 *
 *  [POSIX-1] A file that has an object's name is complete and was synced before it got the name.
 *  [POSIX-2] A directory is no object: reading one is DW_NOT_FOUND.
 *  [POSIX-3] Only names that dw__posix_is_temp_name knows are ever files of ours without being
 *            objects.
 */
#include "storage/posix.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>

/* Reading must neither wait for the writer of a pipe nor take over a terminal. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

dw_status
dw__posix_path_make(const dw_posix *posix, dw_str key, dw_posix_path *out, dw_error *err)
{
    dw_str root = posix->base.root;
    if (root.len + 1 + key.len >= sizeof(out->text)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
                             "expected a path of less than %zu bytes, found %zu for \"%.*s\"",
                             sizeof(out->text), root.len + 1 + key.len,
                             DW_STR_ARG(dw__str_slice(key, 0, 200)));
    }
    memcpy(out->text, root.ptr, root.len);
    out->len = root.len;
    out->text[out->len++] = '/';
    if (key.len > 0) {
        memcpy(out->text + out->len, key.ptr, key.len);
        out->len += key.len;
    }
    while (out->len > 1 && out->text[out->len - 1] == '/') {
        out->len--;
    }
    out->text[out->len] = '\0';
    return DW_OK;
}

bool
dw__posix_path_up(dw_posix_path *path)
{
    dw_assert(path->len > 0 && path->text[0] == '/');
    if (path->len == 1) {
        return false;
    }
    size_t slash = dw__str_find_last(dw__str_make(path->text, path->len), '/');
    path->len = slash == 0 ? 1 : slash;
    path->text[path->len] = '\0';
    return true;
}

int64_t
dw__posix_modified_ms(const struct stat *info)
{
    return (int64_t) info->st_mtim.tv_sec * 1000 + info->st_mtim.tv_nsec / 1000000;
}

int
dw__posix_open(const dw_posix *posix, const char *path, int flags)
{
    int fd;
    do {
        fd = posix->calls->open(posix->calls->ctx, path, flags, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Nothing is lost when closing fails: what must be durable was synced before. */
void
dw__posix_close(const dw_posix *posix, int fd)
{
    if (fd >= 0) {
        int saved = errno;
        (void) posix->calls->close(posix->calls->ctx, fd);
        errno = saved;
    }
}

int
dw__posix_fsync(const dw_posix *posix, int fd)
{
    int failed;
    do {
        failed = posix->calls->fsync(posix->calls->ctx, fd);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A missing directory is a missing object too. */
static dw_status
read_error(int errnum, const char *path, dw_error *err)
{
    return dw__posix_error(errnum == ENOTDIR ? ENOENT : errnum, "reading", path, err);
}

/* Opens an object; the caller closes *fd_out. */
static dw_status
open_object(const dw_posix *posix, const char *path, int *fd_out, struct stat *info, dw_error *err)
{
    *fd_out = dw__posix_open(posix, path, READ_FLAGS);
    if (*fd_out < 0) {
        return read_error(errno, path, err);
    }
    int failed = posix->calls->fstat(posix->calls->ctx, *fd_out, info);
    if (failed == 0 && S_ISREG(info->st_mode)) {
        return DW_OK;
    }
    dw_status status = read_error(failed != 0 ? errno : ENOENT, path, err);
    dw__posix_close(posix, *fd_out);
    *fd_out = -1;
    return status;
}

static ssize_t
read_some(const dw_posix *posix, int fd, char *bytes, size_t size, uint64_t offset)
{
    ssize_t got;
    do {
        got = posix->calls->pread(posix->calls->ctx, fd, bytes, size, (off_t) offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

static dw_status
too_large(const char *path, uint64_t size, size_t size_max, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "OBJECT_TOO_LARGE",
                         "expected %s to have at most %zu bytes, found %llu", path, size_max,
                         (unsigned long long) size);
}

/* The buffer was filled up to `end`, a byte further than it may be advanced without growing. */
static dw_status
grow_past_end(const char *path, size_t end, dw_strbuf *buf, dw_error *err)
{
    char last = buf->ptr[end - 1];
    dw__strbuf_advance(buf, end - 1 - buf->len);
    dw__strbuf_append_char(buf, last);
    if (buf->too_large) {
        return too_large(path, (uint64_t) buf->len + 1, buf->size_max, err);
    }
    return dw__strbuf_ok(buf, path, err);
}

/*
 * Reads to the end of a file of `size` bytes. The buffer's spare byte lets the one read that
 * fetches everything also see that nothing follows; a file that grew since is read on.
 */
static dw_status
read_to_end(const dw_posix *posix, int fd, size_t size, const char *path, dw_strbuf *buf,
            dw_error *err)
{
    for (;;) {
        size_t end = buf->size_max < buf->capacity ? buf->size_max + 1 : buf->capacity;
        dw_assert(buf->len < end);
        size_t room = end - buf->len;
        ssize_t got = read_some(posix, fd, buf->ptr + buf->len, room, buf->len);
        if (got < 0) {
            return read_error(errno, path, err);
        }
        if ((size_t) got == room) {
            DW_TRY(grow_past_end(path, end, buf, err));
            continue;
        }
        dw__strbuf_advance(buf, (size_t) got);
        if (got == 0 || buf->len >= size) {
            return DW_OK;
        }
    }
}

dw_status
dw__posix_get(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out,
              dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, key, &path, err));
    int fd;
    struct stat info;
    DW_TRY(open_object(posix, path.text, &fd, &info, err));
    dw_status status;
    if ((uint64_t) info.st_size > buf->size_max) {
        status = too_large(path.text, (uint64_t) info.st_size, buf->size_max, err);
    } else if (!dw__strbuf_reserve(buf, (size_t) info.st_size)) {
        status = dw__strbuf_ok(buf, path.text, err);
    } else {
        status = read_to_end(posix, fd, (size_t) info.st_size, path.text, buf, err);
    }
    dw__posix_close(posix, fd);
    if (status == DW_OK && modified_ms_out != NULL) {
        *modified_ms_out = dw__posix_modified_ms(&info);
    }
    return status;
}

dw_status
dw__posix_get_range(dw_storage *storage, dw_str key, uint64_t offset, size_t len, dw_strbuf *buf,
                    dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, key, &path, err));
    int fd;
    struct stat info;
    DW_TRY(open_object(posix, path.text, &fd, &info, err));
    /* Room is made for what is there, not for what was asked. */
    uint64_t size = (uint64_t) info.st_size;
    size_t wanted = offset >= size ? 0 : (size - offset < len ? (size_t) (size - offset) : len);
    dw_status status = DW_OK;
    if (!dw__strbuf_reserve(buf, wanted)) {
        status = dw__strbuf_ok(buf, path.text, err);
    }
    while (status == DW_OK && buf->len < wanted) {
        ssize_t got =
            read_some(posix, fd, buf->ptr + buf->len, wanted - buf->len, offset + buf->len);
        if (got < 0) {
            status = read_error(errno, path.text, err);
        } else if (got == 0) {
            break;
        } else {
            dw__strbuf_advance(buf, (size_t) got);
        }
    }
    dw__posix_close(posix, fd);
    return status;
}

static dw_status
posix_head(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, key, &path, err));
    struct stat info;
    if (posix->calls->stat(posix->calls->ctx, path.text, &info) != 0) {
        return read_error(errno, path.text, err);
    }
    if (!S_ISREG(info.st_mode)) {
        return read_error(ENOENT, path.text, err);
    }
    *meta_out = (dw_object_meta){key, (int64_t) info.st_size, dw__posix_modified_ms(&info)};
    return DW_OK;
}

/* ---- removing -------------------------------------------------------------------------------- */

static dw_status
posix_remove(dw_storage *storage, dw_str key, dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, key, &path, err));
    if (posix->calls->unlink(posix->calls->ctx, path.text) == 0) {
        return DW_OK;
    }
    /* A directory is no object, so there is nothing to remove ([POSIX-2]). */
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) {
        return DW_OK;
    }
    return dw__posix_error(errno, "removing", path.text, err);
}

static dw_status
posix_remove_directory(dw_storage *storage, dw_str key, bool *removed_out, dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(posix, key, &path, err));
    *removed_out = posix->calls->rmdir(posix->calls->ctx, path.text) == 0;
    bool has_entries = errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY;
    if (*removed_out || has_entries || errno == ENOENT || errno == ENOTDIR) {
        return DW_OK;
    }
    return dw__posix_error(errno, "removing", path.text, err);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void
posix_close(dw_storage *storage)
{
    dw_posix *posix = dw__posix_from(storage);
    const dw_allocator *allocator = storage->env->allocator;
    dw__dealloc(allocator, posix->anchored, posix->anchored_size);
    dw__dealloc(allocator, posix->root_text, storage->root.len);
    pthread_mutex_destroy(&posix->mutex);
    DW_DELETE(allocator, posix);
}

static const dw_storage_ops posix_ops = {
    .get = dw__posix_get,
    .get_range = dw__posix_get_range,
    .put_if_absent = dw__posix_put_if_absent,
    .put_hint_if_absent = dw__posix_put_hint_if_absent,
    .put_draft_if_absent = dw__posix_put_draft_if_absent,
    .draft_free = dw__posix_draft_free,
    .put = dw__posix_put,
    .put_hint = dw__posix_put_hint,
    .list = dw__posix_list,
    .walk = dw__posix_walk,
    .head = posix_head,
    .remove = posix_remove,
    .remove_directory = posix_remove_directory,
    .sync = dw__posix_sync,
    .append = dw__posix_append,
    .compose = dw__posix_compose,
    .copy = dw__posix_copy,
    .prepare = dw__posix_prepare,
    .close = posix_close,
};

dw_status
dw__storage_posix_open_over(const dw_env *env, const dw_posix_calls *calls, dw_str path,
                            dw_storage **out, dw_error *err)
{
    *out = NULL;
    dw_assert(path.len > 0 && path.ptr[0] == '/');
    dw_str root = path;
    while (root.len > 0 && root.ptr[root.len - 1] == '/') {
        root.len--;
    }
    dw_posix *posix = DW_NEW(env->allocator, dw_posix);
    if (posix == NULL) {
        return dw__error_oom(err);
    }
    posix->root_text = dw__alloc(env->allocator, root.len);
    if (posix->root_text == NULL) {
        DW_DELETE(env->allocator, posix);
        return dw__error_oom(err);
    }
    memcpy(posix->root_text, root.ptr, root.len);
    posix->base = (dw_storage){&posix_ops, env, dw__str_make(posix->root_text, root.len)};
    posix->calls = calls;
    atomic_init(&posix->method, DW_POSIX_ANONYMOUS);
    int failed = pthread_mutex_init(&posix->mutex, NULL);
    dw_assert(failed == 0);
    *out = &posix->base;
    return DW_OK;
}
