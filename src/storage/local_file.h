/*
 * A file of this machine, by its path, that several processes add to and that stays when they end:
 * what the audit log is made of. Objects of tables are not such files: see storage.h.
 *
 *  [LOCAL-1] What _append could not add as a whole it takes away again, as far as the system lets
 *            it.
 *  [LOCAL-2] A lock ends with the file that holds it, however the process ends.
 */
#ifndef DW_STORAGE_LOCAL_FILE_H
#define DW_STORAGE_LOCAL_FILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "env/env.h"

/* Of a path with its NUL. */
#define DW_LOCAL_PATH_SIZE 4096

typedef struct dw_local_file {
    int fd; /* -1: none */
    char path[DW_LOCAL_PATH_SIZE];
} dw_local_file;
#define DW_LOCAL_FILE_NONE ((dw_local_file){.fd = -1, .path = ""})

typedef enum dw_local_use {
    DW_LOCAL_READ,   /* it must be there */
    DW_LOCAL_APPEND, /* made when it is not there, for this user alone; what is written is added */
    DW_LOCAL_REPLACE /* the same; what is written takes the place of the first bytes */
} dw_local_use;

/* DW_NOT_FOUND (OBJECT_NOT_FOUND), DW_IO with the codes of storage. */
DW_WARN_UNUSED dw_status dw__local_file_open(dw_str path, dw_local_use use, dw_local_file *out,
                                             dw_error *err);
void dw__local_file_close(dw_local_file *file);
/*
 * Who may read and write `like` may do so with `file`, as far as the system lets this user say so.
 */
void dw__local_file_share(const dw_local_file *file, const dw_local_file *like);
/* Waits for others, up to `wait_max_ms`: DW_UNAVAILABLE (FILE_LOCKED). */
DW_WARN_UNUSED dw_status dw__local_file_lock(const dw_local_file *file, const dw_env *env,
                                             bool is_shared, int64_t wait_max_ms, dw_error *err);
DW_WARN_UNUSED dw_status dw__local_file_size(const dw_local_file *file, int64_t *out,
                                             dw_error *err);
/* Reads up to `len` bytes from `offset` on, fewer at the end, into `buf` (cleared first). */
DW_WARN_UNUSED dw_status dw__local_file_read(const dw_local_file *file, int64_t offset, size_t len,
                                             dw_strbuf *buf, dw_error *err);
/*
 * Adds to its end; `size` is what it had. DW_IO with STORAGE_FULL and the like: nothing was added.
 */
DW_WARN_UNUSED dw_status dw__local_file_append(const dw_local_file *file, int64_t size,
                                               dw_str bytes, dw_error *err);
/* Writes the first bytes of a file that was opened with DW_LOCAL_REPLACE. */
DW_WARN_UNUSED dw_status dw__local_file_replace(const dw_local_file *file, dw_str bytes,
                                                dw_error *err);
/* Its bytes survive a power failure from here on. */
DW_WARN_UNUSED dw_status dw__local_file_sync(const dw_local_file *file, dw_error *err);
/* Gives a file another name beside it, durably. Fails where that is taken. */
DW_WARN_UNUSED dw_status dw__local_file_rename(dw_str from, dw_str to, dw_error *err);

static inline void
dw__dw_local_file_cleanup(dw_local_file *file)
{
    dw__local_file_close(file);
}

#endif
