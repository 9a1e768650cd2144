/*
 * See local_file.h. [LOCAL-1,2]
 */
#include "storage/local_file.h"

#include "storage/posix.h"
#include "storage/posix_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_OF_NEW 0600
#define LOCK_WAIT_FIRST_US 200
#define LOCK_WAIT_MAX_US 5000

static dw_status
copy_path(dw_str path, char out[DW_LOCAL_PATH_SIZE], dw_error *err)
{
    if (path.len >= DW_LOCAL_PATH_SIZE) {
        return dw__posix_error(ENAMETOOLONG, "opening", "a path of too many bytes", err);
    }
    (void) snprintf(out, DW_LOCAL_PATH_SIZE, "%.*s", DW_STR_ARG(path));
    return DW_OK;
}

/* The name of a new file must be there after a power failure, too. Best effort: some file systems
 * cannot. */
static void
sync_directory(const char *path)
{
    char directory[DW_LOCAL_PATH_SIZE];
    size_t cut = dw__str_find_last(dw__str_from(path), '/');
    if (cut == SIZE_MAX || cut == 0) {
        (void) snprintf(directory, sizeof(directory), "%s", cut == 0 ? "/" : ".");
    } else {
        (void) snprintf(directory, sizeof(directory), "%.*s", (int) cut, path);
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void) fsync(fd);
        (void) close(fd);
    }
}

dw_status
dw__local_file_open(dw_str path, dw_local_use use, dw_local_file *out, dw_error *err)
{
    *out = DW_LOCAL_FILE_NONE;
    DW_TRY(copy_path(path, out->path, err));
    int flags = use == DW_LOCAL_READ ? O_RDONLY : O_RDWR;
    flags |= O_CLOEXEC | (use == DW_LOCAL_APPEND ? O_APPEND : 0);
    out->fd = open(out->path, flags);
    if (out->fd < 0 && errno == ENOENT && use != DW_LOCAL_READ) {
        out->fd = open(out->path, flags | O_CREAT, MODE_OF_NEW);
        if (out->fd >= 0) {
            sync_directory(out->path);
        }
    }
    const char *doing = use == DW_LOCAL_READ ? "reading" : "writing";
    return out->fd >= 0 ? DW_OK : dw__posix_error(errno, doing, out->path, err);
}

void
dw__local_file_close(dw_local_file *file)
{
    if (file->fd >= 0) {
        (void) close(file->fd);
    }
    file->fd = -1;
}

void
dw__local_file_share(const dw_local_file *file, const dw_local_file *like)
{
    struct stat found;
    if (fstat(like->fd, &found) == 0 && fchown(file->fd, (uid_t) -1, found.st_gid) == 0) {
        (void) fchmod(file->fd, found.st_mode & 0666);
    }
}

dw_status
dw__local_file_lock(const dw_local_file *file, const dw_env *env, bool is_shared,
                    int64_t wait_max_ms, dw_error *err)
{
    int64_t started = env->ops->monotonic_us(env->ctx);
    int64_t pause_us = LOCK_WAIT_FIRST_US;
    while (flock(file->fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return dw__posix_error(errno, "locking", file->path, err);
        }
        if (env->ops->monotonic_us(env->ctx) - started > wait_max_ms * 1000) {
            return dw__error_set(err, DW_UNAVAILABLE, "FILE_LOCKED",
                                 "another process has locked %s for more than %lld ms: see who "
                                 "holds it (lslocks) and try again",
                                 file->path, (long long) wait_max_ms);
        }
        env->ops->sleep_us(env->ctx, pause_us);
        pause_us = pause_us * 2 > LOCK_WAIT_MAX_US ? LOCK_WAIT_MAX_US : pause_us * 2;
    }
    return DW_OK;
}

dw_status
dw__local_file_size(const dw_local_file *file, int64_t *out, dw_error *err)
{
    struct stat found;
    *out = 0;
    if (fstat(file->fd, &found) != 0) {
        return dw__posix_error(errno, "reading", file->path, err);
    }
    *out = (int64_t) found.st_size;
    return DW_OK;
}

dw_status
dw__local_file_read(const dw_local_file *file, int64_t offset, size_t len, dw_strbuf *buf,
                    dw_error *err)
{
    dw__strbuf_clear(buf);
    if (!dw__strbuf_reserve(buf, len)) {
        return dw__strbuf_ok(buf, file->path, err);
    }
    while (buf->len < len) {
        off_t at = (off_t) (offset + (int64_t) buf->len);
        ssize_t got = pread(file->fd, buf->ptr + buf->len, len - buf->len, at);
        if (got < 0 && errno != EINTR) {
            return dw__posix_error(errno, "reading", file->path, err);
        }
        if (got == 0) {
            break;
        }
        dw__strbuf_advance(buf, got > 0 ? (size_t) got : 0);
    }
    return DW_OK;
}

dw_status
dw__local_file_append(const dw_local_file *file, int64_t size, dw_str bytes, dw_error *err)
{
    const dw_posix_calls *calls = dw__posix_calls_system();
    for (size_t done = 0; done < bytes.len;) {
        ssize_t written = calls->write(calls->ctx, file->fd, bytes.ptr + done, bytes.len - done);
        if (written < 0 && errno != EINTR) {
            int errnum = errno;
            /* What stays where this fails, too, is told as torn by who comes next. */
            (void) !ftruncate(file->fd, (off_t) size);
            return dw__posix_error(errnum, "writing", file->path, err);
        }
        done += written > 0 ? (size_t) written : 0;
    }
    return DW_OK;
}

dw_status
dw__local_file_replace(const dw_local_file *file, dw_str bytes, dw_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t written = pwrite(file->fd, bytes.ptr + done, bytes.len - done, (off_t) done);
        if (written < 0 && errno != EINTR) {
            return dw__posix_error(errno, "writing", file->path, err);
        }
        done += written > 0 ? (size_t) written : 0;
    }
    return DW_OK;
}

dw_status
dw__local_file_sync(const dw_local_file *file, dw_error *err)
{
    return fdatasync(file->fd) == 0 ? DW_OK : dw__posix_error(errno, "syncing", file->path, err);
}

dw_status
dw__local_file_rename(dw_str from, dw_str to, dw_error *err)
{
    char old_path[DW_LOCAL_PATH_SIZE];
    char new_path[DW_LOCAL_PATH_SIZE];
    const dw_posix_calls *calls = dw__posix_calls_system();
    DW_TRY(copy_path(from, old_path, err));
    DW_TRY(copy_path(to, new_path, err));
    if (calls->rename_if_absent(calls->ctx, old_path, new_path) != 0) {
        return dw__posix_error(errno, "renaming to", new_path, err);
    }
    sync_directory(new_path);
    return DW_OK;
}
