/*
 * What the files of the POSIX storage share. Nobody else includes this.
 */
#ifndef DW_STORAGE_POSIX_H
#define DW_STORAGE_POSIX_H

#include "storage/posix_calls.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * How a new file gets its name. The first that the file system is capable of is kept; a storage
 * only ever moves down this list.
 */
typedef enum dw_posix_method {
    DW_POSIX_ANONYMOUS, /* O_TMPFILE and link: a killed process leaves nothing behind */
    DW_POSIX_LINK,      /* a hidden temporary file and link */
    DW_POSIX_RENAME     /* a hidden temporary file and rename without replacing */
} dw_posix_method;

typedef struct dw_posix {
    dw_storage base;
    const dw_posix_calls *calls;
    atomic_int method; /* a dw_posix_method */
    pthread_mutex_t mutex;
    char *anchored;       /* guarded by mutex; see dw__posix_anchor. An owned C string or NULL */
    size_t anchored_size; /* of that block */
    char *root_text;      /* what base.root views */
} dw_posix;

/* A path with its NUL, ready for a system call. */
typedef struct dw_posix_path {
    char text[PATH_MAX];
    size_t len;
} dw_posix_path;

static inline dw_posix *
dw__posix_from(dw_storage *storage)
{
    return (dw_posix *) storage;
}

/* root + "/" + key. DW_INVALID_ARGUMENT when it is longer than the system takes. */
DW_WARN_UNUSED dw_status dw__posix_path_make(const dw_posix *posix, dw_str key, dw_posix_path *out,
                                             dw_error *err);
/* Cuts the last part off, in place; "/" stays. False when there is nothing to cut off. */
bool dw__posix_path_up(dw_posix_path *path);

/* ---- errors ---------------------------------------------------------------------------------- */

/* Turns an errno into status, code and a line that says what to do. `doing` is "writing". */
DW_WARN_UNUSED dw_status dw__posix_error(int errnum, const char *doing, const char *path,
                                         dw_error *err);

/* ---- calls that are repeated when a signal interrupts them ----------------------------------- */

int dw__posix_open(const dw_posix *posix, const char *path, int flags);
void dw__posix_close(const dw_posix *posix, int fd);
int dw__posix_fsync(const dw_posix *posix, int fd);

/* ---- directories ----------------------------------------------------------------------------- */

/* 0, or -1 with errno. A file system that syncs no directories (EINVAL) has nothing to sync. */
int dw__posix_fsync_directory(const dw_posix *posix, int fd);
/* Makes the entries of a directory durable. */
DW_WARN_UNUSED dw_status dw__posix_sync_directory(const dw_posix *posix, const char *path,
                                                  dw_error *err);
/* Creates a directory and those above it that are missing, durably. */
DW_WARN_UNUSED dw_status dw__posix_make_directories(const dw_posix *posix,
                                                    const dw_posix_path *directory, dw_error *err);
/*
 * Makes sure, once for each directory that objects are put into, that the directory itself survives
 * a power failure: another process may have created it and may not have got to its fsync yet.
 */
DW_WARN_UNUSED dw_status dw__posix_anchor(dw_posix *posix, const dw_posix_path *directory,
                                          dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_prepare(dw_storage *storage, dw_str prefix, dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_sync(dw_storage *storage, const dw_sync_request *requests,
                                        size_t count, dw_error *err);

/* ---- the rest of the operations -------------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__posix_get(dw_storage *storage, dw_str key, dw_strbuf *buf,
                                       int64_t *modified_ms_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_get_range(dw_storage *storage, dw_str key, uint64_t offset,
                                             size_t len, dw_strbuf *buf, dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_put_hint_if_absent(dw_storage *storage, dw_str key, dw_str bytes,
                                                      dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes,
                                                 dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_put_draft_if_absent(dw_storage *storage, dw_str key,
                                                       dw_str bytes, dw_draft **draft_io,
                                                       dw_error *err);
void dw__posix_draft_free(dw_storage *storage, dw_draft *draft);
DW_WARN_UNUSED dw_status dw__posix_append(dw_storage *storage, dw_str key, dw_str bytes,
                                          dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_compose(dw_storage *storage, dw_str key, const dw_piece *pieces,
                                           size_t count, dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_copy(dw_storage *storage, dw_str key, dw_storage *from,
                                        dw_str from_key, int64_t *size_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_put(dw_storage *storage, dw_str key, dw_str bytes,
                                       dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_put_hint(dw_storage *storage, dw_str key, dw_str bytes,
                                            dw_error *err);
DW_WARN_UNUSED dw_status dw__posix_list(dw_storage *storage, const dw_list_request *request,
                                        dw_arena *arena, dw_list_page *page_out, dw_error *err);

DW_WARN_UNUSED dw_status dw__posix_walk(dw_storage *storage, const dw_walk *walk, dw_error *err);

int64_t dw__posix_modified_ms(const struct stat *info);

/* ---- temporary files ------------------------------------------------------------------------- */

/* A file on its way to become an object. */
typedef struct dw_posix_temp {
    int fd;
    int directory_fd; /* opened early: after the naming nothing may fail but the fsync itself */
    bool is_named;
    dw_posix_path path; /* when named */
} dw_posix_temp;

/* Bytes of an open file, whose path is for messages. */
typedef struct dw_posix_range {
    int fd;
    const char *path;
    uint64_t offset, size;
} dw_posix_range;

/* True for the names of our temporary files: ".<name>.<16 hexadecimal digits>.tmp". No object may
 * have such a name, and no listing shows one. */
bool dw__posix_is_temp_name(dw_str name);
/* Opens the file that will become `target`, makes the directories that are missing, and makes sure
 * that they are durable. End with dw__posix_temp_unname and _close. */
DW_WARN_UNUSED dw_status dw__posix_temp_open(dw_posix *posix, const dw_posix_path *target,
                                             dw_posix_temp *temp, dw_error *err);
/* Writes its bytes. `target` is for messages. */
DW_WARN_UNUSED dw_status dw__posix_temp_fill(const dw_posix *posix, const dw_posix_temp *temp,
                                             dw_str bytes, const char *target, dw_error *err);
/* The same with those of another file; their number, which is smaller where that file ends. */
DW_WARN_UNUSED dw_status dw__posix_temp_copy(const dw_posix *posix, const dw_posix_temp *temp,
                                             const dw_posix_range *range, const char *target,
                                             uint64_t *size_out, dw_error *err);
/* Makes them durable. */
DW_WARN_UNUSED dw_status dw__posix_temp_sync(const dw_posix *posix, const dw_posix_temp *temp,
                                             const char *target, dw_error *err);
/* Takes the temporary name away, if it has one. */
void dw__posix_temp_unname(const dw_posix *posix, dw_posix_temp *temp);
void dw__posix_temp_close(const dw_posix *posix, dw_posix_temp *temp);
/* A fresh temporary name beside `target`. */
DW_WARN_UNUSED dw_status dw__posix_temp_path_make(const dw_posix *posix,
                                                  const dw_posix_path *target, dw_posix_path *out,
                                                  dw_error *err);
/* Notes that the file system cannot name files in any way above `method`. */
void dw__posix_lower_method(dw_posix *posix, dw_posix_method method);

#endif
