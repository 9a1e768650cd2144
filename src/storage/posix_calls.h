/*
 * The system calls by which files change, as a table of functions, so that tests can fail any of
 * them and record their order. Each is the call of its name: -1 and errno on failure.
 */
#ifndef DW_STORAGE_POSIX_CALLS_H
#define DW_STORAGE_POSIX_CALLS_H

#include "storage/storage.h"

#include <sys/stat.h>
#include <sys/types.h>

typedef struct dw_posix_calls {
    int (*open)(void *ctx, const char *path, int flags, mode_t mode);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t size, off_t offset);
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t size);
    /* Copies up to `size` bytes from `offset` on behind what was written; NULL: there is no such
     * call. */
    ssize_t (*copy)(void *ctx, int from, off_t offset, int to, size_t size);
    int (*fsync)(void *ctx, int fd);
    /* Makes now the time of the last change; NULL: there is no such call. */
    int (*touch)(void *ctx, int fd);
    int (*fstat)(void *ctx, int fd, struct stat *out);
    int (*stat)(void *ctx, const char *path, struct stat *out);
    int (*link)(void *ctx, const char *from, const char *to);
    /* Gives a name to a file that was opened with O_TMPFILE. */
    int (*link_fd)(void *ctx, int fd, const char *to);
    int (*rename)(void *ctx, const char *from, const char *to);
    /* RENAME_NOREPLACE. */
    int (*rename_if_absent)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*mkdir)(void *ctx, const char *path, mode_t mode);
    int (*rmdir)(void *ctx, const char *path);
    void *ctx;
} dw_posix_calls;

/* The system's own. Static. */
const dw_posix_calls *dw__posix_calls_system(void);

/* As dw__storage_posix_open, over other calls; they must outlive the storage. */
DW_WARN_UNUSED dw_status dw__storage_posix_open_over(const dw_env *env, const dw_posix_calls *calls,
                                                     dw_str path, dw_storage **out, dw_error *err);

#endif
