/*
 * The file that becomes an object: opened without the object's name, filled and synced. It has no
 * name at all where the file system can do that, so that a process that is killed leaves nothing;
 * otherwise a hidden one that no listing shows ([POSIX-3]).
 */
#include "storage/posix.h"

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

bool
dw__storage_is_leftover(dw_str key)
{
    size_t slash = dw__str_find_last(key, '/');
    return dw__posix_is_temp_name(dw__str_slice(key, slash == SIZE_MAX ? 0 : slash + 1, key.len));
}

static void
directory_of(const dw_posix_path *path, dw_posix_path *out)
{
    *out = *path;
    (void) dw__posix_path_up(out);
}

dw_status
dw__posix_temp_path_make(const dw_posix *posix, const dw_posix_path *target, dw_posix_path *out,
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

/* When the file cannot be opened, temp->fd is -1 and errno in *reason_out. */
static dw_status
open_named(const dw_posix *posix, const dw_posix_path *target, dw_posix_temp *temp, int *reason_out,
           dw_error *err)
{
    temp->is_named = true;
    for (int i = 0; i < TEMP_TRIES_MAX; i++) {
        DW_TRY(dw__posix_temp_path_make(posix, target, &temp->path, err));
        temp->fd = dw__posix_open(posix, temp->path.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
        *reason_out = temp->fd < 0 ? errno : 0;
        if (*reason_out != EEXIST) {
            break;
        }
    }
    return DW_OK;
}

static void
open_anonymous(const dw_posix *posix, const char *directory, dw_posix_temp *temp, int *reason_out)
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

void
dw__posix_lower_method(dw_posix *posix, dw_posix_method method)
{
    int current = atomic_load(&posix->method);
    while (current < (int) method &&
           !atomic_compare_exchange_weak(&posix->method, &current, (int) method)) {
    }
}

/* Opens the file that will become `target`, and makes the directories that are missing. */
static dw_status
temp_open_file(dw_posix *posix, const dw_posix_path *target, const dw_posix_path *directory,
               dw_posix_temp *temp, dw_error *err)
{
    for (bool is_made = false;;) {
        int reason = 0;
        bool anonymous = atomic_load(&posix->method) == DW_POSIX_ANONYMOUS;
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
            dw__posix_lower_method(posix, DW_POSIX_LINK);
        } else {
            return dw__posix_error(reason, "writing", target->text, err);
        }
    }
}

void
dw__posix_temp_close(const dw_posix *posix, dw_posix_temp *temp)
{
    dw__posix_close(posix, temp->fd);
    dw__posix_close(posix, temp->directory_fd);
}

void
dw__posix_temp_unname(const dw_posix *posix, dw_posix_temp *temp)
{
    if (temp->is_named) {
        (void) posix->calls->unlink(posix->calls->ctx, temp->path.text);
        temp->is_named = false;
    }
}

dw_status
dw__posix_temp_open(dw_posix *posix, const dw_posix_path *target, dw_posix_temp *temp,
                    dw_error *err)
{
    dw_posix_path directory;
    directory_of(target, &directory);
    DW_TRY(temp_open_file(posix, target, &directory, temp, err));
    temp->directory_fd = dw__posix_open(posix, directory.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dw_status status = DW_OK;
    if (temp->directory_fd < 0) {
        status = dw__posix_error(errno, "syncing", directory.text, err);
    } else {
        status = dw__posix_anchor(posix, &directory, err);
    }
    if (status != DW_OK) {
        dw__posix_temp_unname(posix, temp);
        dw__posix_temp_close(posix, temp);
    }
    return status;
}

dw_status
dw__posix_temp_fill(const dw_posix *posix, const dw_posix_temp *temp, dw_str bytes,
                    const char *target, dw_error *err)
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
    return DW_OK;
}

dw_status
dw__posix_temp_sync(const dw_posix *posix, const dw_posix_temp *temp, const char *target,
                    dw_error *err)
{
    return dw__posix_fsync(posix, temp->fd) == 0 ? DW_OK
                                                 : dw__posix_error(errno, "syncing", target, err);
}
