/*
 * Objects put together of pieces of others.
 */
#include "storage/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

static dw_status
put_range(const dw_posix *posix, const dw_posix_temp *file, const dw_piece *piece,
          const char *target, dw_error *err)
{
    dw_posix_path path;
    uint64_t done = 0;
    DW_TRY(dw__posix_path_make(posix, piece->key, &path, err));
    int from = dw__posix_open(posix, path.text, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return dw__posix_error(errno, "reading", path.text, err);
    }
    const dw_posix_range range = {from, path.text, piece->offset, piece->size};
    dw_status status = dw__posix_temp_copy(posix, file, &range, target, &done, err);
    dw__posix_close(posix, from);
    if (status == DW_OK && done < piece->size) {
        status = dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                               "expected %s to have %" PRIu64 " bytes, found fewer", path.text,
                               piece->offset + piece->size);
    }
    return status;
}

dw_status
dw__posix_compose(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count,
                  dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path target;
    dw_status status = DW_OK;
    DW_TRY(dw__posix_path_make(posix, key, &target, err));
    const dw_posix_temp file = {
        .fd = dw__posix_open(posix, target.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)};
    if (file.fd < 0) {
        return dw__posix_error(errno, "creating", target.text, err);
    }
    for (size_t i = 0; i < count && status == DW_OK; i++) {
        status = dw__str_is_null(pieces[i].key)
                     ? dw__posix_temp_fill(posix, &file, pieces[i].bytes, target.text, err)
                     : put_range(posix, &file, &pieces[i], target.text, err);
    }
    dw__posix_close(posix, file.fd);
    if (status != DW_OK) {
        (void) posix->calls->unlink(posix->calls->ctx, target.text);
    }
    return status;
}
