/*
 * From errno to an error that says what to do.
 */
#include "storage/posix.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct errno_meaning {
    int errnum;
    dw_status status;
    const char *code;
    const char *found;  /* before "<doing> <path>" */
    const char *advice; /* what to do */
} errno_meaning;

static const errno_meaning meanings[] = {
    {ENOSPC, DW_IO, "STORAGE_FULL", "no space left on device", "free some space and try again"},
    {EDQUOT, DW_IO, "STORAGE_FULL", "the disk quota is used up",
     "free some space or have the quota raised"},
    {EFBIG, DW_IO, "STORAGE_FULL", "the file size limit is reached",
     "raise the limit of the process (ulimit -f) or use another file system"},
    {EROFS, DW_IO, "STORAGE_READ_ONLY", "the file system is mounted read-only",
     "mount it writable or use another place"},
    {EACCES, DW_IO, "STORAGE_PERMISSION", "permission denied",
     "give this user the right to do so, or run as another"},
    {EPERM, DW_IO, "STORAGE_PERMISSION", "the operation is not permitted",
     "give this user the right to do so, or run as another"},
    {EMFILE, DW_IO, "STORAGE_FILES_MAX", "the process has too many open files",
     "raise its limit (ulimit -n)"},
    {ENFILE, DW_IO, "STORAGE_FILES_MAX", "the system has too many open files",
     "close other programs or raise fs.file-max"},
    {EIO, DW_IO, "STORAGE_IO", "input/output error", "check the disk and the system's log"},
    {ENOENT, DW_NOT_FOUND, "OBJECT_NOT_FOUND", "there is no such file", "check the path"},
    {ENOTDIR, DW_IO, "STORAGE_NOT_A_DIRECTORY", "a part of the path is a file",
     "move that file away or use another path"},
    {EISDIR, DW_IO, "STORAGE_NOT_A_FILE", "a directory is in the way",
     "move that directory away or use another path"},
    {EEXIST, DW_IO, "STORAGE_NOT_A_DIRECTORY", "a file of another kind is in the way",
     "move it away or use another path"},
    {ELOOP, DW_IO, "STORAGE_LINK_LOOP", "the symbolic links go round in circles", "mend the links"},
    {ENAMETOOLONG, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
     "a name is longer than the file system takes", "use shorter names"},
    {EAGAIN, DW_UNAVAILABLE, "STORAGE_UNAVAILABLE", "the file system is busy", "try again"},
    {EBUSY, DW_UNAVAILABLE, "STORAGE_UNAVAILABLE", "the file system is busy", "try again"},
    {ETIMEDOUT, DW_UNAVAILABLE, "STORAGE_UNAVAILABLE", "the file system did not answer in time",
     "try again"},
    {ESTALE, DW_UNAVAILABLE, "STORAGE_UNAVAILABLE", "the network file system lost track of a file",
     "try again"},
};

dw_status
dw__posix_error(int errnum, const char *doing, const char *path, dw_error *err)
{
    if (errnum == ENOMEM) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const errno_meaning *meaning = &meanings[i];
        if (meaning->errnum == errnum) {
            return dw__error_set(err, meaning->status, meaning->code, "%s %s %s: %s",
                                 meaning->found, doing, path, meaning->advice);
        }
    }
    const char *text = strerrordesc_np(errnum);
    return dw__error_set(err, DW_IO, "STORAGE_IO", "%s %s %s: check the file system",
                         text == NULL ? "unknown error" : text, doing, path);
}
