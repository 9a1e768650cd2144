/*
 * How an object comes into being on a file system.
 *
 *   write a file without the object's name -> fsync it -> give it the name -> fsync the directory
 *
 * Up to the naming nothing has happened, and failures are DW_IO. The naming itself is one step of
 * the file system: link and rename-without-replacing refuse a name that is there, so that of
 * several writers one wins ([STORAGE-1]). When the naming fails in a way that leaves the outcome
 * open, it is settled by looking whose file bears the name. After it, a directory that cannot be
 * synced makes the outcome ambiguous ([STORAGE-4]): others see the object already, but it may not
 * survive.
 */
#include "storage/posix.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define TEMP_SUFFIX ".tmp"
#define TEMP_RANDOM_DIGITS 16
/* What of the object's name goes into the temporary one; 255 bytes are allowed in all. */
#define TEMP_NAME_BYTES_MAX 200
/* A name of 64 random bits that is taken means a broken generator: give up soon. */
#define TEMP_TRIES_MAX 8

typedef struct posix_temp {
    int fd;
    int directory_fd; /* opened early: after the naming nothing may fail but the fsync itself */
    bool is_named;
    dw_posix_path path; /* when named */
} posix_temp;

/* What became of the naming. */
typedef enum naming {
    NAMING_DONE,
    NAMING_TAKEN,     /* another file has the name */
    NAMING_INCAPABLE, /* the file system cannot do it this way */
    NAMING_FAILED,    /* nothing happened */
    NAMING_UNKNOWN
} naming;

bool
dw__posix_is_temp_name(dw_str name)
{
    size_t tail = 1 + TEMP_RANDOM_DIGITS + sizeof(TEMP_SUFFIX) - 1;
    if (name.len < 1 + tail || name.ptr[0] != '.' ||
        !dw__str_ends_with(name, DW_STR(TEMP_SUFFIX))) {
        return false;
    }
    const char *random = name.ptr + name.len - tail;
    if (random[0] != '.') {
        return false;
    }
    for (size_t i = 1; i <= TEMP_RANDOM_DIGITS; i++) {
        bool is_hex =
            (random[i] >= '0' && random[i] <= '9') || (random[i] >= 'a' && random[i] <= 'f');
        if (!is_hex) {
            return false;
        }
    }
    return true;
}

/* ---- the file without a name ----------------------------------------------------------------- */

static void
directory_of(const dw_posix_path *path, dw_posix_path *out)
{
    *out = *path;
    (void) dw__posix_path_up(out);
}

static dw_status
temp_path_make(const dw_posix *posix, const dw_posix_path *target, dw_posix_path *out,
               dw_error *err)
{
    dw_str whole = dw__str_make(target->text, target->len);
    size_t name_start = dw__str_find_last(whole, '/') + 1;
    dw_str name = dw__str_slice(whole, name_start, TEMP_NAME_BYTES_MAX);
    int len = snprintf(out->text, sizeof(out->text), "%.*s.%.*s.%016" PRIx64 TEMP_SUFFIX,
                       (int) name_start, target->text, DW_STR_ARG(name),
                       dw__env_random_u64(posix->base.env));
    if (len < 0 || (size_t) len >= sizeof(out->text)) {
        return dw__posix_error(ENAMETOOLONG, "writing", target->text, err);
    }
    out->len = (size_t) len;
    return DW_OK;
}

/* *fd_out is -1 with errno in *reason_out when the file cannot be opened. */
static dw_status
open_named(const dw_posix *posix, const dw_posix_path *target, posix_temp *temp, int *reason_out,
           dw_error *err)
{
    temp->is_named = true;
    for (int i = 0; i < TEMP_TRIES_MAX; i++) {
        DW_TRY(temp_path_make(posix, target, &temp->path, err));
        temp->fd = dw__posix_open(posix, temp->path.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
        *reason_out = temp->fd < 0 ? errno : 0;
        if (*reason_out != EEXIST) {
            break;
        }
    }
    return DW_OK;
}

static void
open_anonymous(const dw_posix *posix, const char *directory, posix_temp *temp, int *reason_out)
{
    temp->is_named = false;
    temp->fd = dw__posix_open(posix, directory, O_WRONLY | O_TMPFILE | O_CLOEXEC);
    *reason_out = temp->fd < 0 ? errno : 0;
}

/* What open says of O_TMPFILE where it is not known. */
static bool
is_incapable_of_anonymous(int reason)
{
    return reason == EOPNOTSUPP || reason == EISDIR || reason == EINVAL || reason == ENOENT;
}

static void
lower_method(dw_posix *posix, dw_posix_method method)
{
    int current = atomic_load(&posix->method);
    while (current < (int) method &&
           !atomic_compare_exchange_weak(&posix->method, &current, (int) method)) {
    }
}

/* Opens the file that will become `target`, and makes the directories that are missing. */
static dw_status
temp_open_file(dw_posix *posix, const dw_posix_path *target, const dw_posix_path *directory,
               bool may_be_anonymous, posix_temp *temp, dw_error *err)
{
    for (bool is_made = false;;) {
        int reason = 0;
        bool anonymous = may_be_anonymous && atomic_load(&posix->method) == DW_POSIX_ANONYMOUS;
        if (anonymous) {
            open_anonymous(posix, directory->text, temp, &reason);
        } else {
            DW_TRY(open_named(posix, target, temp, &reason, err));
        }
        if (reason == 0) {
            return DW_OK;
        }
        if (reason == ENOENT && !is_made) {
            DW_TRY(dw__posix_make_directories(posix, directory, err));
            is_made = true;
        } else if (anonymous && is_incapable_of_anonymous(reason)) {
            lower_method(posix, DW_POSIX_LINK);
        } else {
            return dw__posix_error(reason, "writing", target->text, err);
        }
    }
}

static void
temp_close(const dw_posix *posix, posix_temp *temp)
{
    dw__posix_close(posix, temp->fd);
    dw__posix_close(posix, temp->directory_fd);
}

static void
temp_unname(const dw_posix *posix, posix_temp *temp)
{
    if (temp->is_named) {
        (void) posix->calls->unlink(posix->calls->ctx, temp->path.text);
        temp->is_named = false;
    }
}

static dw_status
temp_open(dw_posix *posix, const dw_posix_path *target, bool may_be_anonymous, posix_temp *temp,
          dw_error *err)
{
    dw_posix_path directory;
    directory_of(target, &directory);
    DW_TRY(temp_open_file(posix, target, &directory, may_be_anonymous, temp, err));
    temp->directory_fd = dw__posix_open(posix, directory.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dw_status status = DW_OK;
    if (temp->directory_fd < 0) {
        status = dw__posix_error(errno, "syncing", directory.text, err);
    } else {
        status = dw__posix_anchor(posix, &directory, err);
    }
    if (status != DW_OK) {
        temp_unname(posix, temp);
        temp_close(posix, temp);
    }
    return status;
}

static dw_status
temp_fill(const dw_posix *posix, const posix_temp *temp, dw_str bytes, const char *target,
          dw_error *err)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t written =
            posix->calls->write(posix->calls->ctx, temp->fd, bytes.ptr + done, bytes.len - done);
        if (written == 0 || (written < 0 && errno != EINTR)) {
            return dw__posix_error(written == 0 ? EIO : errno, "writing", target, err);
        }
        done += written > 0 ? (size_t) written : 0;
    }
    if (dw__posix_fsync(posix, temp->fd) != 0) {
        return dw__posix_error(errno, "syncing", target, err);
    }
    return DW_OK;
}

/* ---- naming it ------------------------------------------------------------------------------- */

/* Whose file bears the name, after a call that failed for `reason`: a file server may have done
 * what was asked and lost the answer. */
static naming
settle(const dw_posix *posix, const posix_temp *temp, const char *target, int reason)
{
    struct stat ours;
    struct stat theirs;
    if (posix->calls->fstat(posix->calls->ctx, temp->fd, &ours) != 0) {
        return NAMING_UNKNOWN;
    }
    if (posix->calls->stat(posix->calls->ctx, target, &theirs) == 0) {
        bool is_ours = ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
        return is_ours ? NAMING_DONE : NAMING_TAKEN;
    }
    if (errno != ENOENT) {
        return NAMING_UNKNOWN;
    }
    /* It was there and is gone again: still another's, not ours. */
    return reason == EEXIST ? NAMING_TAKEN : NAMING_FAILED;
}

static bool
is_incapable(dw_posix_method method, bool is_named, int reason)
{
    if (!is_named) {
        /* No /proc, or no way to link from it: anything but a full disk may mean that. */
        return reason == ENOENT || reason == EPERM || reason == EACCES || reason == EOPNOTSUPP ||
               reason == EXDEV || reason == EINVAL || reason == ELOOP;
    }
    if (method == DW_POSIX_RENAME) {
        return reason == EINVAL || reason == ENOSYS || reason == EOPNOTSUPP;
    }
    return reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK;
}

/* Gives the file its name unless another has it. On failure errno is in *reason_out. */
static naming
name_if_absent(const dw_posix *posix, const posix_temp *temp, dw_posix_method method,
               const char *target, int *reason_out)
{
    const dw_posix_calls *calls = posix->calls;
    int failed;
    if (!temp->is_named) {
        failed = calls->link_fd(calls->ctx, temp->fd, target);
    } else if (method == DW_POSIX_RENAME) {
        failed = calls->rename_if_absent(calls->ctx, temp->path.text, target);
    } else {
        failed = calls->link(calls->ctx, temp->path.text, target);
    }
    *reason_out = failed == 0 ? 0 : errno;
    if (failed == 0) {
        return NAMING_DONE;
    }
    naming outcome = settle(posix, temp, target, *reason_out);
    bool tries_on = outcome == NAMING_FAILED && is_incapable(method, temp->is_named, *reason_out);
    return tries_on ? NAMING_INCAPABLE : outcome;
}

static dw_status
naming_error(naming outcome, int reason, const char *target, dw_error *err)
{
    switch (outcome) {
    case NAMING_TAKEN:
        return dw__error_set(err, DW_ALREADY_EXISTS, "OBJECT_EXISTS",
                             "the file %s is there already", target);
    case NAMING_INCAPABLE:
        return dw__error_set(err, DW_UNSUPPORTED, "STORAGE_NO_ATOMIC_CREATE",
                             "the file system of %s can neither link files nor rename them without "
                             "replacing, so that concurrent writers would overwrite each other: "
                             "use another file system",
                             target);
    case NAMING_UNKNOWN:
        return dw__error_set(
            err, DW_AMBIGUOUS, "STORAGE_OUTCOME_UNKNOWN",
            "%s failed creating %s, and whether it was created cannot be found out",
            strerrorname_np(reason) == NULL ? "error" : strerrorname_np(reason), target);
    case NAMING_FAILED:
        return dw__posix_error(reason, "creating", target, err);
    case NAMING_DONE:
        break;
    }
    dw_unreachable("a naming that is done is no error");
}

/* The last step. What fails here has happened already. */
static dw_status
sync_name(const dw_posix *posix, const posix_temp *temp, const char *target, dw_error *err)
{
    if (dw__posix_fsync_directory(posix, temp->directory_fd) != 0) {
        return dw__error_set(err, DW_AMBIGUOUS, "STORAGE_SYNC_FAILED",
                             "%s was created, but making it durable failed (%s): it may be gone "
                             "after a power failure",
                             target, strerrordesc_np(errno));
    }
    return DW_OK;
}

/* ---- put_if_absent --------------------------------------------------------------------------- */

/* Names the open file. *retry_out: not this way on this file system; the next may do. */
static dw_status
name_temp(dw_posix *posix, const posix_temp *temp, const char *target, bool *retry_out,
          dw_error *err)
{
    dw_posix_method method = (dw_posix_method) atomic_load(&posix->method);
    int reason;
    naming outcome = name_if_absent(posix, temp, method, target, &reason);
    if (outcome == NAMING_DONE) {
        return DW_OK;
    }
    if (outcome == NAMING_INCAPABLE && !(temp->is_named && method == DW_POSIX_RENAME)) {
        lower_method(posix, temp->is_named ? DW_POSIX_RENAME : DW_POSIX_LINK);
        *retry_out = true;
        return DW_OK;
    }
    return naming_error(outcome, reason, target, err);
}

/* One attempt in the best way that the file system is known to be capable of. */
static dw_status
try_create(dw_posix *posix, const dw_posix_path *target, dw_str bytes, bool *retry_out,
           dw_error *err)
{
    *retry_out = false;
    posix_temp temp;
    DW_TRY(temp_open(posix, target, true, &temp, err));
    dw_status status = temp_fill(posix, &temp, bytes, target->text, err);
    if (status == DW_OK) {
        status = name_temp(posix, &temp, target->text, retry_out, err);
    }
    temp_unname(posix, &temp);
    if (status == DW_OK && !*retry_out) {
        status = sync_name(posix, &temp, target->text, err);
    }
    temp_close(posix, &temp);
    return status;
}

static dw_status
check_name(dw_str key, dw_error *err)
{
    size_t slash = dw__str_find_last(key, '/');
    dw_str name = slash == SIZE_MAX ? key : dw__str_slice(key, slash + 1, key.len);
    if (dw__posix_is_temp_name(name)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
                             "the name \"%.*s\" is reserved for temporary files", DW_STR_ARG(name));
    }
    return DW_OK;
}

dw_status
dw__posix_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_posix *posix = dw__posix_from(storage);
    dw_posix_path target;
    DW_TRY(check_name(key, err));
    DW_TRY(dw__posix_path_make(posix, key, &target, err));
    /* Most losers find out here, without writing and syncing for nothing. */
    struct stat info;
    if (posix->calls->stat(posix->calls->ctx, target.text, &info) == 0) {
        return S_ISDIR(info.st_mode) ? dw__posix_error(EISDIR, "creating", target.text, err)
                                     : naming_error(NAMING_TAKEN, 0, target.text, err);
    }
    bool retry;
    do {
        DW_TRY(try_create(posix, &target, bytes, &retry, err));
    } while (retry);
    return DW_OK;
}

/* ---- put ------------------------------------------------------------------------------------- */

static dw_status
replace(const dw_posix *posix, posix_temp *temp, const char *target, dw_error *err)
{
    if (posix->calls->rename(posix->calls->ctx, temp->path.text, target) != 0) {
        int reason = errno;
        naming outcome = settle(posix, temp, target, reason);
        if (outcome != NAMING_DONE) {
            /* A file of another's at the target is what was there before. */
            return naming_error(outcome == NAMING_TAKEN ? NAMING_FAILED : outcome, reason, target,
                                err);
        }
    }
    temp->is_named = false;
    return DW_OK;
}

dw_status
dw__posix_put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_posix *posix = dw__posix_from(storage);
    dw_posix_path target;
    DW_TRY(check_name(key, err));
    DW_TRY(dw__posix_path_make(posix, key, &target, err));
    posix_temp temp;
    DW_TRY(temp_open(posix, &target, false, &temp, err));
    dw_status status = temp_fill(posix, &temp, bytes, target.text, err);
    if (status == DW_OK) {
        status = replace(posix, &temp, target.text, err);
    }
    temp_unname(posix, &temp);
    if (status == DW_OK) {
        status = sync_name(posix, &temp, target.text, err);
    }
    temp_close(posix, &temp);
    return status;
}
