/*
 * See scratch.h. Where a file system cannot make files without a name, one is made and taken away.
 */
#include "storage/scratch.h"

#include "storage/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_DIRECTORY "/tmp"
#define SCRATCH_NAME "/deltaworks-XXXXXX"

dw_status
dw__scratch_open(dw_scratch *scratch, dw_str directory, dw_error *err)
{
    char path[DW_STORAGE_KEY_BYTES_MAX + sizeof(SCRATCH_NAME)];
    *scratch = DW_SCRATCH_NONE;
    if (dw__str_is_null(directory)) {
        directory = DW_STR(SCRATCH_DIRECTORY);
    }
    if (directory.len >= DW_STORAGE_KEY_BYTES_MAX) {
        return dw__posix_error(ENAMETOOLONG, "writing", "a temporary file", err);
    }
    int len = snprintf(path, sizeof(path), "%.*s", DW_STR_ARG(directory));
    scratch->fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (scratch->fd < 0) {
        snprintf(path + len, sizeof(path) - (size_t) len, SCRATCH_NAME);
        scratch->fd = mkostemp(path, O_CLOEXEC);
        if (scratch->fd >= 0) {
            (void) unlink(path);
        }
    }
    if (scratch->fd < 0) {
        return dw__posix_error(errno, "writing", path, err);
    }
    snprintf(scratch->path, sizeof(scratch->path), "/proc/self/fd/%d", scratch->fd);
    return DW_OK;
}

dw_status
dw__scratch_write(dw_scratch *scratch, dw_str bytes, dw_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t written = write(scratch->fd, bytes.ptr + done, bytes.len - done);
        if (written < 0 && errno != EINTR) {
            return dw__posix_error(errno, "writing", "a temporary file", err);
        }
        done += written > 0 ? (size_t) written : 0;
    }
    return DW_OK;
}

dw_status
dw__scratch_read(const dw_scratch *scratch, uint64_t offset, size_t len, dw_strbuf *buf,
                 dw_error *err)
{
    dw__strbuf_clear(buf);
    if (!dw__strbuf_reserve(buf, len)) {
        return dw__strbuf_ok(buf, "a part of a temporary file", err);
    }
    for (ssize_t got = 1; got != 0 && buf->len < len;) {
        got = pread(scratch->fd, buf->ptr + buf->len, len - buf->len, (off_t) (offset + buf->len));
        if (got < 0 && errno != EINTR) {
            return dw__posix_error(errno, "reading", "a temporary file", err);
        }
        dw__strbuf_advance(buf, got > 0 ? (size_t) got : 0);
    }
    return DW_OK;
}

dw_status
dw__scratch_finish(dw_scratch *scratch, dw_error *err)
{
    static atomic_long counter; /* of the process, as its descriptors are */
    long number = atomic_fetch_add(&counter, 1);
    const struct timespec times[] = {
        {.tv_sec = number / 1000000000, .tv_nsec = number % 1000000000},
        {.tv_sec = number / 1000, .tv_nsec = number % 1000 * 1000000}};
    return futimens(scratch->fd, times) == 0
               ? DW_OK
               : dw__posix_error(errno, "writing", "a temporary file", err);
}

void
dw__scratch_close(dw_scratch *scratch)
{
    if (scratch->fd >= 0) {
        (void) close(scratch->fd);
    }
    *scratch = DW_SCRATCH_NONE;
}
