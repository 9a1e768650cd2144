/*
 * Objects put together of pieces of others. Where the file system can, the bytes are copied, or
 * shared, inside of the kernel.
 */
#include "storage/posix.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* What goes through memory at once. */
#define BUFFER_BYTES ((size_t) 1 << 20)
/* One call copies no more: it cannot be interrupted on the way. */
#define COPY_BYTES_MAX ((size_t) 16 << 20)

typedef struct composer {
    const dw_posix *posix;
    dw_posix_temp file;
    const char *target;
    bool copies_here; /* the system's call does not work between these files */
    char *buffer;     /* then the bytes go through it */
} composer;

static dw_status
too_short(const char *path, uint64_t expected, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                         "expected %s to have %" PRIu64 " bytes, found fewer", path, expected);
}

static bool
is_no_copy(int errnum)
{
    return errnum == EXDEV || errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP ||
           errnum == EPERM;
}

/* The number of bytes that were copied, 0 at the end of the file; -1 and errno. */
static ssize_t
copy_some(composer *c, int from, uint64_t offset, size_t size)
{
    const dw_posix_calls *calls = c->posix->calls;
    if (!c->copies_here) {
        ssize_t done = calls->copy(calls->ctx, from, (off_t) offset, c->file.fd,
                                   size < COPY_BYTES_MAX ? size : COPY_BYTES_MAX);
        if (done >= 0 || !is_no_copy(errno)) {
            return done;
        }
        c->copies_here = true;
    }
    if (c->buffer == NULL) {
        c->buffer = dw__alloc(c->posix->base.env->allocator, BUFFER_BYTES);
        if (c->buffer == NULL) {
            errno = ENOMEM;
            return -1;
        }
    }
    ssize_t got = calls->pread(calls->ctx, from, c->buffer,
                               size < BUFFER_BYTES ? size : BUFFER_BYTES, (off_t) offset);
    if (got <= 0) {
        return got;
    }
    dw_error ignored = DW_ERROR_INIT;
    dw_str bytes = dw__str_make(c->buffer, (size_t) got);
    return dw__posix_temp_fill(c->posix, &c->file, bytes, c->target, &ignored) == DW_OK ? got : -1;
}

static dw_status
copy_range(composer *c, const dw_piece *piece, dw_error *err)
{
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(c->posix, piece->key, &path, err));
    int from = dw__posix_open(c->posix, path.text, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return dw__posix_error(errno, "reading", path.text, err);
    }
    dw_status status = DW_OK;
    uint64_t done = 0;
    while (done < piece->size && status == DW_OK) {
        ssize_t some = copy_some(c, from, piece->offset + done, (size_t) (piece->size - done));
        if (some == 0) {
            status = too_short(path.text, piece->offset + piece->size, err);
        } else if (some < 0 && errno == ENOMEM) {
            status = dw__error_oom(err);
        } else if (some < 0 && errno != EINTR) {
            status = dw__posix_error(errno, "writing", c->target, err);
        }
        done += some > 0 ? (uint64_t) some : 0;
    }
    dw__posix_close(c->posix, from);
    return status;
}

static dw_status
put_pieces(composer *c, const dw_piece *pieces, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__str_is_null(pieces[i].key)
                   ? dw__posix_temp_fill(c->posix, &c->file, pieces[i].bytes, c->target, err)
                   : copy_range(c, &pieces[i], err));
    }
    return DW_OK;
}

dw_status
dw__posix_compose(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count,
                  dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path target;
    DW_TRY(dw__posix_path_make(posix, key, &target, err));
    composer c = {.posix = posix, .target = target.text, .copies_here = posix->calls->copy == NULL};
    c.file.fd = dw__posix_open(posix, target.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    if (c.file.fd < 0) {
        return dw__posix_error(errno, "creating", target.text, err);
    }
    dw_status status = put_pieces(&c, pieces, count, err);
    dw__posix_close(posix, c.file.fd);
    if (status != DW_OK) {
        (void) posix->calls->unlink(posix->calls->ctx, target.text);
    }
    dw__dealloc(posix->base.env->allocator, c.buffer, c.buffer == NULL ? 0 : BUFFER_BYTES);
    return status;
}
