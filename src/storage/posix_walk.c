/*
 * Walking over a file system: directories are read by a few threads, each directory by one, in the
 * order in which the system gives its entries. Nothing is asked about a file that nobody wants to
 * know about, and nothing is kept but the directories that are still to be read.
 */
#include "storage/posix.h"

#include "base/assert.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Who waits for a disk or a network can wait for several answers. */
#define WALKERS_MAX 4
/* From so many directories that wait on, another thread helps. */
#define HELP_DIRECTORIES_MIN 2

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef struct key_vec {
    dw_strbuf *items;
    size_t count, capacity;
} key_vec;

typedef struct walkers {
    const dw_posix *posix;
    const dw_walk *walk;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    key_vec waiting; /* directories to read; "" is the root */
    size_t busy;     /* how many are being read */
    size_t sleeping; /* threads without work */
    size_t helpers;  /* threads that were started */
    pthread_t threads[WALKERS_MAX - 1];
    dw_status status; /* of the first that failed */
    dw_error err;
} walkers;

/* A directory while it is read. */
typedef struct open_directory {
    walkers *all;
    DIR *stream;
    dw_strbuf key; /* its own, then those of its entries */
    size_t len;    /* of its own */
} open_directory;

static dw_status
walk_error(const open_directory *directory, int errnum, dw_error *err)
{
    dw_posix_path path;
    dw_str key = dw__str_slice(dw__strbuf_str(&directory->key), 0, directory->len);
    DW_TRY(dw__posix_path_make(directory->all->posix, key, &path, err));
    return dw__posix_error(errnum, "listing", path.text, err);
}

static bool
is_gone(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR;
}

/* ---- Work that waits ------------------------------------------------------------------------- */

static void *run_helper(void *argument);

/* Under the mutex. That no thread can be started is no failure: the others do the work. */
static void
call_for_help(walkers *all)
{
    bool is_needed = all->sleeping == 0 && all->waiting.count >= HELP_DIRECTORIES_MIN;
    if (is_needed && all->helpers < WALKERS_MAX - 1 &&
        pthread_create(&all->threads[all->helpers], NULL, run_helper, all) == 0) {
        all->helpers++;
    }
}

static dw_status
push_directory(walkers *all, dw_str key, dw_error *err)
{
    const dw_allocator *allocator = all->posix->base.env->allocator;
    dw_strbuf copy = dw__strbuf_make(allocator, DW_STORAGE_KEY_BYTES_MAX);
    dw__strbuf_append(&copy, key);
    dw_status status = dw__strbuf_ok(&copy, "a key", err);
    if (status != DW_OK) {
        dw__strbuf_deinit(&copy);
        return status;
    }
    pthread_mutex_lock(&all->mutex);
    dw_strbuf *slot = DW_VEC_PUSH(allocator, &all->waiting);
    if (slot != NULL) {
        *slot = copy;
        call_for_help(all);
        pthread_cond_signal(&all->changed);
    }
    pthread_mutex_unlock(&all->mutex);
    if (slot == NULL) {
        dw__strbuf_deinit(&copy);
        return dw__error_oom(err);
    }
    return DW_OK;
}

/* Waits for a directory to read; false when there will be none. */
static bool
take_directory(walkers *all, dw_strbuf *out)
{
    pthread_mutex_lock(&all->mutex);
    while (all->waiting.count == 0 && all->busy > 0 && all->status == DW_OK) {
        all->sleeping++;
        pthread_cond_wait(&all->changed, &all->mutex);
        all->sleeping--;
    }
    bool found = all->waiting.count > 0 && all->status == DW_OK;
    if (found) {
        *out = all->waiting.items[--all->waiting.count];
        all->busy++;
    } else {
        pthread_cond_broadcast(&all->changed);
    }
    pthread_mutex_unlock(&all->mutex);
    return found;
}

static void
finish_directory(walkers *all, dw_status status, const dw_error *err)
{
    pthread_mutex_lock(&all->mutex);
    all->busy--;
    if (status != DW_OK && all->status == DW_OK) {
        all->status = status;
        dw__error_copy(&all->err, err);
    }
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
}

/* ---- One directory --------------------------------------------------------------------------- */

static dw_status
visit_file(open_directory *directory, const char *name, dw_error *err)
{
    const dw_walk *walk = directory->all->walk;
    dw_str key = dw__strbuf_str(&directory->key);
    if (!walk->wants(walk->ctx, key)) {
        return DW_OK;
    }
    struct stat info;
    if (fstatat(dirfd(directory->stream), name, &info, 0) != 0) {
        return is_gone(errno) ? DW_OK : walk_error(directory, errno, err);
    }
    if (!S_ISREG(info.st_mode)) {
        return DW_OK;
    }
    dw_object_meta meta = {key, (int64_t) info.st_size, dw__posix_modified_ms(&info)};
    return walk->file(walk->ctx, &meta, err);
}

static dw_status
visit_directory(open_directory *directory, const char *name, dw_error *err)
{
    walkers *all = directory->all;
    dw_str key = dw__strbuf_str(&directory->key);
    dw_posix_path marker;
    bool is_marked = false;
    if (!dw__str_is_null(all->walk->marker)) {
        int len = snprintf(marker.text, sizeof(marker.text), "%s/%.*s", name,
                           DW_STR_ARG(all->walk->marker));
        is_marked = len > 0 && (size_t) len < sizeof(marker.text) &&
                    faccessat(dirfd(directory->stream), marker.text, F_OK, 0) == 0;
    }
    return all->walk->enters(all->walk->ctx, key, is_marked) ? push_directory(all, key, err)
                                                             : DW_OK;
}

/* What the entry itself is, and for a link to a file, a file; links to directories stay links. */
static unsigned char
type_of(const open_directory *directory, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) {
        return entry->d_type;
    }
    int fd = dirfd(directory->stream);
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return DT_UNKNOWN;
    }
    if (S_ISLNK(info.st_mode)) {
        bool is_file = fstatat(fd, entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode);
        return is_file ? DT_REG : DT_LNK;
    }
    return S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
}

static dw_status
visit_entry(open_directory *directory, const struct dirent *entry, dw_error *err)
{
    dw_str name = dw__str_from(entry->d_name);
    if (dw__str_equal(name, DW_STR(".")) || dw__str_equal(name, DW_STR(".."))) {
        return DW_OK;
    }
    dw__strbuf_truncate(&directory->key, directory->len);
    dw__strbuf_append(&directory->key, directory->len > 0 ? DW_STR("/") : DW_STR(""));
    dw__strbuf_append(&directory->key, name);
    DW_TRY(dw__strbuf_ok(&directory->key, "a key", err));
    switch (type_of(directory, entry)) {
    case DT_REG:
        return visit_file(directory, entry->d_name, err);
    case DT_DIR:
        return visit_directory(directory, entry->d_name, err);
    default:
        return DW_OK;
    }
}

static dw_status
visit_entries(open_directory *directory, dw_error *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory->stream);
        if (entry == NULL) {
            return errno == 0 || is_gone(errno) ? DW_OK : walk_error(directory, errno, err);
        }
        DW_TRY(visit_entry(directory, entry, err));
    }
}

/* The directory itself, by what it was before anything is done about its entries. */
static dw_status
report_directory(open_directory *directory, const struct stat *info, dw_error *err)
{
    const dw_walk *walk = directory->all->walk;
    if (walk->directory == NULL || directory->len == 0) {
        return DW_OK;
    }
    dw__strbuf_truncate(&directory->key, directory->len);
    dw_object_meta meta = {dw__strbuf_str(&directory->key), 0, dw__posix_modified_ms(info)};
    return walk->directory(walk->ctx, &meta, err);
}

static dw_status
read_directory(open_directory *directory, dw_error *err)
{
    dw_posix_path path;
    struct stat info;
    DW_TRY(dw__posix_path_make(directory->all->posix, dw__strbuf_str(&directory->key), &path, err));
    /* The root itself may be behind a link. */
    int flags = directory->len == 0 ? DIRECTORY_FLAGS & ~O_NOFOLLOW : DIRECTORY_FLAGS;
    int fd = open(path.text, flags);
    if (fd < 0) {
        bool is_over = is_gone(errno) || (errno == ELOOP && directory->len > 0);
        return is_over ? DW_OK : walk_error(directory, errno, err);
    }
    directory->stream = fstat(fd, &info) == 0 ? fdopendir(fd) : NULL;
    if (directory->stream == NULL) {
        int errnum = errno;
        close(fd);
        return walk_error(directory, errnum, err);
    }
    dw_status status = visit_entries(directory, err);
    closedir(directory->stream);
    return status == DW_OK ? report_directory(directory, &info, err) : status;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void
work(walkers *all)
{
    open_directory directory = {.all = all};
    while (take_directory(all, &directory.key)) {
        dw_error err = DW_ERROR_INIT;
        directory.len = directory.key.len;
        dw_status status = read_directory(&directory, &err);
        dw__strbuf_deinit(&directory.key);
        finish_directory(all, status, &err);
    }
}

static void *
run_helper(void *argument)
{
    work(argument);
    return NULL;
}

static void
deinit(walkers *all)
{
    for (size_t i = 0; i < all->waiting.count; i++) {
        dw__strbuf_deinit(&all->waiting.items[i]);
    }
    DW_VEC_DEINIT(all->posix->base.env->allocator, &all->waiting);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->mutex);
}

dw_status
dw__posix_walk(dw_storage *storage, const dw_walk *walk, dw_error *err)
{
    walkers all = {.posix = dw__posix_from(storage), .walk = walk, .err = DW_ERROR_INIT};
    int failed = pthread_mutex_init(&all.mutex, NULL) + pthread_cond_init(&all.changed, NULL);
    dw_assert(failed == 0);
    dw_status status = push_directory(&all, DW_STR(""), err);
    if (status == DW_OK) {
        work(&all);
        /* Those that run are the only ones who could start more, and nothing waits. */
        for (size_t i = 0; i < all.helpers; i++) {
            pthread_join(all.threads[i], NULL);
        }
        status = all.status;
        if (status != DW_OK) {
            dw__error_copy(err, &all.err);
        }
    }
    deinit(&all);
    return status;
}
