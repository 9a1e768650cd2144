/*
 * Bytes of one file behind those of another. Where the file system can, they are copied, or shared,
 * inside of the kernel; otherwise they go through memory.
 */
#include "storage/posix.h"

#include <errno.h>

/* What goes through memory at once. */
#define BUFFER_BYTES ((size_t) 1 << 20)
/* One call copies no more: it cannot be interrupted on the way. */
#define COPY_BYTES_MAX ((size_t) 16 << 20)

static size_t
at_most(uint64_t size, size_t max)
{
    return size < max ? (size_t) size : max;
}

/* What is said where the call does not work between these files, or on this system. */
static bool
is_incapable(int errnum)
{
    return errnum == EXDEV || errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP ||
           errnum == EPERM;
}

/* As long as `*done` is short of `size` and there is more. False, and errno: the call failed. */
static bool
copy_in_kernel(const dw_posix *posix, const dw_posix_temp *temp, const dw_posix_range *range,
               uint64_t *done)
{
    const dw_posix_calls *calls = posix->calls;
    while (*done < range->size) {
        ssize_t some = calls->copy(calls->ctx, range->fd, (off_t) (range->offset + *done), temp->fd,
                                   at_most(range->size - *done, COPY_BYTES_MAX));
        if (some == 0 || (some < 0 && errno != EINTR)) {
            return some == 0;
        }
        *done += some > 0 ? (uint64_t) some : 0;
    }
    return true;
}

static dw_status
copy_through(const dw_posix *posix, const dw_posix_temp *temp, const dw_posix_range *range,
             const char *target, char *buffer, uint64_t *done, dw_error *err)
{
    const dw_posix_calls *calls = posix->calls;
    while (*done < range->size) {
        ssize_t some =
            calls->pread(calls->ctx, range->fd, buffer, at_most(range->size - *done, BUFFER_BYTES),
                         (off_t) (range->offset + *done));
        if (some < 0 && errno != EINTR) {
            return dw__posix_error(errno, "reading", range->path, err);
        }
        if (some == 0) {
            break;
        }
        if (some > 0) {
            dw_str bytes = dw__str_make(buffer, (size_t) some);
            DW_TRY(dw__posix_temp_fill(posix, temp, bytes, target, err));
            *done += (uint64_t) some;
        }
    }
    return DW_OK;
}

dw_status
dw__posix_temp_copy(const dw_posix *posix, const dw_posix_temp *temp, const dw_posix_range *range,
                    const char *target, uint64_t *size_out, dw_error *err)
{
    const dw_allocator *allocator = posix->base.env->allocator;
    *size_out = 0;
    if (posix->calls->copy != NULL) {
        if (copy_in_kernel(posix, temp, range, size_out)) {
            return DW_OK;
        }
        if (!is_incapable(errno)) {
            return dw__posix_error(errno, "writing", target, err);
        }
    }
    char *buffer = dw__alloc(allocator, BUFFER_BYTES);
    if (buffer == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = copy_through(posix, temp, range, target, buffer, size_out, err);
    dw__dealloc(allocator, buffer, BUFFER_BYTES);
    return status;
}
