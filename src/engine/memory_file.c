/*
 * Files in memory, by memfd_create.
 */
#include "engine/memory_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static dw_status
system_error(const char *what, dw_error *err)
{
    int number = errno;
    if (number == ENOMEM || number == ENOSPC) {
        return dw__error_oom(err);
    }
    char reason[128];
    return dw__error_set(err, DW_IO, "MEMORY_FILE", "%s a file in memory failed: %s", what,
                         strerror_r(number, reason, sizeof(reason)));
}

dw_status
dw__memory_file_open(dw_memory_file *file, dw_error *err)
{
    file->fd = memfd_create("deltaworks", MFD_CLOEXEC);
    if (file->fd < 0) {
        return system_error("creating", err);
    }
    snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
    return DW_OK;
}

dw_status
dw__memory_file_write(dw_memory_file *file, dw_str bytes, dw_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t written = write(file->fd, bytes.ptr + done, bytes.len - done);
        if (written < 0 && errno != EINTR) {
            return system_error("writing", err);
        }
        done += written > 0 ? (size_t) written : 0;
    }
    return DW_OK;
}

dw_status
dw__memory_file_read(const dw_memory_file *file, dw_strbuf *out, dw_error *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) {
        return system_error("reading", err);
    }
    size_t size = (size_t) info.st_size;
    if (!dw__strbuf_reserve(out, size)) {
        return dw__strbuf_ok(out, "a file in memory", err);
    }
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file->fd, out->ptr + out->len, size - done, (off_t) done);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return system_error("reading", err);
        }
        if (got > 0) {
            dw__strbuf_advance(out, (size_t) got);
            done += (size_t) got;
        }
    }
    return DW_OK;
}

void
dw__memory_file_close(dw_memory_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    file->fd = -1;
}
