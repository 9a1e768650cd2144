/*
 * dw_storage: the bytes below one table's root. Keys are relative to that root, with '/' between
 * their parts, and are plain (never percent-encoded). The interface is what an object store can do:
 * no rename, no directories, no partial writes.
 *
 *  [STORAGE-1] put_if_absent creates the whole object or nothing; of several callers one wins.
 *  [STORAGE-2] When put or put_if_absent returned DW_OK the object survives a power failure;
 *              what put_hint and put_hint_if_absent made may not.
 *  [STORAGE-3] list gives keys in bytewise order and, once DW_OK, every object that was complete
 *              before the call. It may or may not show those that appear meanwhile.
 *  [STORAGE-4] DW_IO and DW_UNAVAILABLE mean that nothing happened; DW_AMBIGUOUS that it may have.
 *  [STORAGE-5] A dw_storage may be used from several threads at once.
 */
#ifndef DW_STORAGE_STORAGE_H
#define DW_STORAGE_STORAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "env/env.h"

typedef struct dw_storage dw_storage;

/* The longest key, in bytes. S3 ends at 1,024; a path of the system at 4,096 with its root. */
#define DW_STORAGE_KEY_BYTES_MAX ((size_t) 4000)
/* What is appended to where that takes putting the whole object. */
#define DW_STORAGE_APPENDED_BYTES_MAX ((size_t) 4 << 30)
/* The largest `limit` of a page, and the page size of limit 0. */
#define DW_STORAGE_PAGE_OBJECTS_MAX ((size_t) 100000)

typedef struct dw_object_meta {
    dw_str key;
    int64_t size_bytes;
    int64_t modified_ms; /* since 1970-01-01 UTC */
} dw_object_meta;

typedef struct dw_list_request {
    dw_str prefix;      /* keys must start with it: "_delta_log/" */
    dw_str start_after; /* keys must come after it; the null string: from the start */
    size_t limit;       /* at most that many a page; 0: the storage's own page size */
    bool recursive;     /* false: only keys without another '/' behind the prefix */
    bool names_only;    /* size_bytes and modified_ms may be -1: on a file system they cost most */
} dw_list_request;

typedef struct dw_list_page {
    dw_object_meta *objects; /* in the caller's arena, keys too */
    size_t count;
    bool has_more; /* ask again with start_after = the last key */
} dw_list_page;

/* A piece of an object that is put together: a range of another one, or bytes. */
typedef struct dw_piece {
    dw_str key; /* null string: `bytes` */
    uint64_t offset, size;
    dw_str bytes;
} dw_piece;

/* A look at everything below the root, in no order, by somebody who needs the sizes and times of
 * some objects only. All functions but `directory` must be there; they may be called from several
 * threads at once. Symbolic links to directories are not followed: what is behind them is somebody
 * else's to look after. */
typedef struct dw_walk {
    dw_str marker; /* the name of what makes a directory the root of another table */
    /* Whether to look into a directory that is not the root; storage without directories may not
     * know whether it is marked. */
    bool (*enters)(void *ctx, dw_str key, bool is_marked);
    /* Whether `file` is to be called for an object. */
    bool (*wants)(void *ctx, dw_str key);
    dw_status (*file)(void *ctx, const dw_object_meta *meta, dw_error *err);
    /* A directory that was entered, and when an entry last came or went. May be NULL. */
    dw_status (*directory)(void *ctx, const dw_object_meta *meta, dw_error *err);
    void *ctx;
} dw_walk;

/*
 * An object that has its bytes already, but no key: what a put that came second leaves for the
 * next.
 */
typedef struct dw_draft dw_draft;

/* One object that the engine wrote by its own path. */
typedef struct dw_sync_request {
    dw_str key;
    int64_t size_bytes; /* what it must be, or negative: not known */
} dw_sync_request;

typedef struct dw_storage_ops {
    /* Reads a whole object of at most buf->size_max bytes into `buf` (cleared first).
     * DW_NOT_FOUND; DW_CORRUPT (OBJECT_TOO_LARGE). `modified_ms_out` may be NULL. */
    dw_status (*get)(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out,
                     dw_error *err);
    /* Reads up to `len` bytes from `offset` on; fewer at the end of the object. */
    dw_status (*get_range)(dw_storage *storage, dw_str key, uint64_t offset, size_t len,
                           dw_strbuf *buf, dw_error *err);
    /* DW_ALREADY_EXISTS when an object of that key is there; DW_AMBIGUOUS. */
    dw_status (*put_if_absent)(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err);
    /* The same for what may be missing: much faster, but after a power failure the object may be
     * gone, or hold only the beginning of its bytes. NULL: put_if_absent does it. */
    dw_status (*put_hint_if_absent)(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err);
    /* put_if_absent by somebody who goes on to another key in the same place when one is taken:
     * what was made ready for the last is in *draft_io (NULL: nothing is) and not made again. The
     * bytes must be the same then. NULL: put_if_absent does it. Both are there or none. */
    dw_status (*put_draft_if_absent)(dw_storage *storage, dw_str key, dw_str bytes,
                                     dw_draft **draft_io, dw_error *err);
    void (*draft_free)(dw_storage *storage, dw_draft *draft);
    /* Creates or replaces as one step: readers see the old or the new bytes. */
    dw_status (*put)(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err);
    /* The same for what may be missing or damaged after a power failure. NULL: put does it. */
    dw_status (*put_hint)(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err);
    dw_status (*list)(dw_storage *storage, const dw_list_request *request, dw_arena *arena,
                      dw_list_page *page_out, dw_error *err);
    /* See dw_walk. NULL: the list is gone through. */
    dw_status (*walk)(dw_storage *storage, const dw_walk *walk, dw_error *err);
    dw_status (*head)(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err);
    /* Removing what is not there is DW_OK. Directories that became empty may stay. */
    dw_status (*remove)(dw_storage *storage, dw_str key, dw_error *err);
    /* Removes a directory if it is there and empty. NULL: there are none. */
    dw_status (*remove_directory)(dw_storage *storage, dw_str key, bool *removed_out,
                                  dw_error *err);
    /* Makes objects that the engine wrote by its own path durable, and their directory entries up
     * to the root, each directory once. Sizes that are not negative are checked: DW_CORRUPT
     * (OBJECT_SIZE_MISMATCH); DW_NOT_FOUND. */
    dw_status (*sync)(dw_storage *storage, const dw_sync_request *requests, size_t count,
                      dw_error *err);
    /* Adds to the end of an object that the engine wrote by its own path and that nobody reads yet;
     * it is not durable before `sync`. On failure some of the bytes may be there. DW_NOT_FOUND.
     * NULL: the object is read and put as a whole. */
    dw_status (*append)(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err);
    /* Makes an object of pieces, which nobody reads yet; it is not durable before `sync`. The place
     * is prepared, and no object of that key is there. On failure none is. DW_NOT_FOUND, and
     * DW_CORRUPT (OBJECT_SIZE_MISMATCH) when a range is not there as a whole. NULL: the pieces are
     * read and put as a whole. */
    dw_status (*compose)(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count,
                         dw_error *err);
    /* Creates an object with the bytes of another, of any storage of the same kind, as
     * put_if_absent would; it is durable after `sync`. NULL: its bytes are read and put. */
    dw_status (*copy)(dw_storage *storage, dw_str key, dw_storage *from, dw_str from_key,
                      int64_t *size_out, dw_error *err);
    /* Makes sure that the engine can create objects below `prefix` ("" for the root). */
    dw_status (*prepare)(dw_storage *storage, dw_str prefix, dw_error *err);
    void (*close)(dw_storage *storage);
} dw_storage_ops;

struct dw_storage {
    const dw_storage_ops *ops;
    const dw_env *env;
    dw_str root; /* what the engine puts before "/<key>": an absolute path or a URI without a slash
                    at the end; the null string when the engine cannot reach it (memory) */
};

/* Opens by URI: "/path", "relative/path", "file:///path". The root need not exist yet.
 * DW_UNSUPPORTED for other schemes (the message names those that work). `env` must outlive it. */
DW_WARN_UNUSED dw_status dw__storage_open(const dw_env *env, dw_str uri, dw_storage **out,
                                          dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_posix_open(const dw_env *env, dw_str path, dw_storage **out,
                                                dw_error *err);
/* Everything in memory, for tests and the simulator. */
DW_WARN_UNUSED dw_status dw__storage_memory_open(const dw_env *env, dw_storage **out,
                                                 dw_error *err);
void dw__storage_close(dw_storage *storage);

DW_WARN_UNUSED dw_status dw__storage_get(dw_storage *storage, dw_str key, dw_strbuf *buf,
                                         int64_t *modified_ms_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_get_range(dw_storage *storage, dw_str key, uint64_t offset,
                                               size_t len, dw_strbuf *buf, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes,
                                                   dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_put_hint_if_absent(dw_storage *storage, dw_str key,
                                                        dw_str bytes, dw_error *err);
/* *draft_io is only ever left for DW_ALREADY_EXISTS. Free it with dw__storage_draft_free. */
DW_WARN_UNUSED dw_status dw__storage_put_draft_if_absent(dw_storage *storage, dw_str key,
                                                         dw_str bytes, dw_draft **draft_io,
                                                         dw_error *err);
/* Takes NULL. */
void dw__storage_draft_free(dw_storage *storage, dw_draft *draft);
DW_WARN_UNUSED dw_status dw__storage_put(dw_storage *storage, dw_str key, dw_str bytes,
                                         dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_put_hint(dw_storage *storage, dw_str key, dw_str bytes,
                                              dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_list(dw_storage *storage, const dw_list_request *request,
                                          dw_arena *arena, dw_list_page *page_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_walk(dw_storage *storage, const dw_walk *walk, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_head(dw_storage *storage, dw_str key, dw_object_meta *meta_out,
                                          dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_remove(dw_storage *storage, dw_str key, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_remove_directory(dw_storage *storage, dw_str key,
                                                      bool *removed_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_sync(dw_storage *storage, dw_str key, int64_t size_bytes,
                                          dw_error *err);
/* Many objects at once: much cheaper than one after the other, as directories are shared. */
DW_WARN_UNUSED dw_status dw__storage_sync_many(dw_storage *storage, const dw_sync_request *requests,
                                               size_t count, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_append(dw_storage *storage, dw_str key, dw_str bytes,
                                            dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_compose(dw_storage *storage, dw_str key,
                                             const dw_piece *pieces, size_t count, dw_error *err);
/* The size is that of the copy. DW_NOT_FOUND when there is nothing to copy; DW_ALREADY_EXISTS. */
DW_WARN_UNUSED dw_status dw__storage_copy(dw_storage *storage, dw_str key, dw_storage *from,
                                          dw_str from_key, int64_t *size_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__storage_prepare(dw_storage *storage, dw_str prefix, dw_error *err);

/* DW_INVALID_ARGUMENT (STORAGE_KEY_INVALID) unless `key` is relative, not empty, within
 * DW_STORAGE_KEY_BYTES_MAX, without NUL and without parts that are empty, "." or "..". Every
 * function above checks its key itself. */
DW_WARN_UNUSED dw_status dw__storage_key_check(dw_str key, dw_error *err);

/* True for names of files that only a write leaves behind which was killed. */
bool dw__storage_is_leftover(dw_str key);

typedef dw_storage *dw_storage_ptr;

static inline void
dw__dw_storage_ptr_cleanup(dw_storage_ptr *storage)
{
    dw__storage_close(*storage);
}

#endif
