/*
 * The system's own calls.
 */
#include "storage/posix_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* "/proc/self/fd/" and the digits of an int. */
#define FD_PATH_SIZE 32

static int
system_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void) ctx;
    return open(path, flags, mode);
}

static int
system_close(void *ctx, int fd)
{
    (void) ctx;
    return close(fd);
}

static ssize_t
system_pread(void *ctx, int fd, void *bytes, size_t size, off_t offset)
{
    (void) ctx;
    return pread(fd, bytes, size, offset);
}

static ssize_t
system_write(void *ctx, int fd, const void *bytes, size_t size)
{
    (void) ctx;
    return write(fd, bytes, size);
}

static ssize_t
system_copy(void *ctx, int from, off_t offset, int to, size_t size)
{
    (void) ctx;
    return copy_file_range(from, &offset, to, NULL, size, 0);
}

static int
system_fsync(void *ctx, int fd)
{
    (void) ctx;
    return fsync(fd);
}

static int
system_touch(void *ctx, int fd)
{
    (void) ctx;
    return futimens(fd, NULL);
}

static int
system_fstat(void *ctx, int fd, struct stat *out)
{
    (void) ctx;
    return fstat(fd, out);
}

static int
system_stat(void *ctx, const char *path, struct stat *out)
{
    (void) ctx;
    return stat(path, out);
}

static int
system_link(void *ctx, const char *from, const char *to)
{
    (void) ctx;
    return link(from, to);
}

/* AT_EMPTY_PATH would need a privilege; the link below /proc does not. */
static int
system_link_fd(void *ctx, int fd, const char *to)
{
    (void) ctx;
    char path[FD_PATH_SIZE];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

static int
system_rename(void *ctx, const char *from, const char *to)
{
    (void) ctx;
    return rename(from, to);
}

static int
system_rename_if_absent(void *ctx, const char *from, const char *to)
{
    (void) ctx;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

static int
system_unlink(void *ctx, const char *path)
{
    (void) ctx;
    return unlink(path);
}

static int
system_mkdir(void *ctx, const char *path, mode_t mode)
{
    (void) ctx;
    return mkdir(path, mode);
}

static int
system_rmdir(void *ctx, const char *path)
{
    (void) ctx;
    return rmdir(path);
}

const dw_posix_calls *
dw__posix_calls_system(void)
{
    static const dw_posix_calls calls = {
        .open = system_open,
        .close = system_close,
        .pread = system_pread,
        .write = system_write,
        .copy = system_copy,
        .fsync = system_fsync,
        .touch = system_touch,
        .fstat = system_fstat,
        .stat = system_stat,
        .link = system_link,
        .link_fd = system_link_fd,
        .rename = system_rename,
        .rename_if_absent = system_rename_if_absent,
        .unlink = system_unlink,
        .mkdir = system_mkdir,
        .rmdir = system_rmdir,
    };
    return &calls;
}
