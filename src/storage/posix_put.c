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

/* What became of the naming. */
typedef enum naming {
    NAMING_DONE,
    NAMING_TAKEN,     /* another file has the name */
    NAMING_INCAPABLE, /* the file system cannot do it this way */
    NAMING_FAILED,    /* nothing happened */
    NAMING_UNKNOWN
} naming;

/* ---- naming it ------------------------------------------------------------------------------- */

/* Whose file bears the name, after a call that failed for `reason`: a file server may have done
 * what was asked and lost the answer. */
static naming
settle(const dw_posix *posix, const dw_posix_temp *temp, const char *target, int reason)
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
name_if_absent(const dw_posix *posix, const dw_posix_temp *temp, dw_posix_method method,
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
sync_name(const dw_posix *posix, const dw_posix_temp *temp, const char *target, dw_error *err)
{
    if (dw__posix_fsync_directory(posix, temp->directory_fd) != 0) {
        return dw__error_set(err, DW_AMBIGUOUS, "STORAGE_SYNC_FAILED",
                             "%s was created, but making it durable failed (%s): it may be gone "
                             "after a power failure",
                             target, strerrordesc_np(errno));
    }
    return DW_OK;
}

/* ---- putting --------------------------------------------------------------------------------- */

typedef struct put_request {
    dw_posix_path target;
    dw_str bytes;
    const dw_posix_range *from; /* not NULL: these instead */
    uint64_t *copied_out;       /* how many these were */
    bool may_replace;
    bool is_hint;     /* it need not survive a power failure */
    dw_draft **draft; /* NULL: nothing is kept for another try */
} put_request;

/* Names the file unless the name is taken. *retry_out: not this way on this file system; the next
 * may do. */
static dw_status
create(dw_posix *posix, const dw_posix_temp *temp, const char *target, bool *retry_out,
       dw_error *err)
{
    dw_posix_method method = (dw_posix_method) atomic_load(&posix->method);
    int reason;
    naming outcome = name_if_absent(posix, temp, method, target, &reason);
    if (outcome == NAMING_DONE) {
        return DW_OK;
    }
    if (outcome == NAMING_INCAPABLE && !(temp->is_named && method == DW_POSIX_RENAME)) {
        dw__posix_lower_method(posix, temp->is_named ? DW_POSIX_RENAME : DW_POSIX_LINK);
        *retry_out = true;
        return DW_OK;
    }
    return naming_error(outcome, reason, target, err);
}

static void
discard(const dw_posix *posix, dw_posix_temp *temp)
{
    dw__posix_temp_unname(posix, temp);
    dw__posix_temp_close(posix, temp);
}

/* ---- drafts ---------------------------------------------------------------------------------- */

/* A file that is filled and durable, from a put whose name was taken. */
struct dw_draft {
    dw_posix_temp temp;
    dw_posix_path directory;
};

static void
directory_of(const put_request *request, dw_posix_path *out)
{
    *out = request->target;
    (void) dw__posix_path_up(out);
}

/* Keeps the file for the next try. False: there is no memory for that. */
static bool
leave_draft(const dw_posix *posix, const put_request *request, const dw_posix_temp *temp)
{
    dw_assert(*request->draft == NULL);
    dw_draft *draft = DW_NEW(posix->base.env->allocator, dw_draft);
    if (draft == NULL) {
        return false;
    }
    draft->temp = *temp;
    directory_of(request, &draft->directory);
    *request->draft = draft;
    return true;
}

/* The file of an earlier try, if there is one in the same directory. It gets the time of this try:
 * else a version would seem older than what was read before it was there. */
static bool
take_draft(dw_posix *posix, const put_request *request, dw_posix_temp *temp)
{
    dw_draft *draft = *request->draft;
    *request->draft = NULL;
    if (draft == NULL) {
        return false;
    }
    dw_posix_path directory;
    directory_of(request, &directory);
    const dw_posix_calls *calls = posix->calls;
    bool fits = directory.len == draft->directory.len &&
                memcmp(directory.text, draft->directory.text, directory.len) == 0 &&
                calls->touch != NULL && calls->touch(calls->ctx, draft->temp.fd) == 0;
    if (!fits) {
        dw__posix_draft_free(&posix->base, draft);
        return false;
    }
    *temp = draft->temp;
    DW_DELETE(posix->base.env->allocator, draft);
    return true;
}

/* ---- replacing ------------------------------------------------------------------------------- */

/*
 * Only what has a name can be renamed: gives an anonymous file a temporary one, at the last moment.
 */
static dw_status
give_temp_name(dw_posix *posix, dw_posix_temp *temp, const dw_posix_path *target, bool *retry_out,
               dw_error *err)
{
    DW_TRY(dw__posix_temp_path_make(posix, target, &temp->path, err));
    if (posix->calls->link_fd(posix->calls->ctx, temp->fd, temp->path.text) == 0) {
        temp->is_named = true;
        return DW_OK;
    }
    int reason = errno;
    if (settle(posix, temp, temp->path.text, reason) == NAMING_DONE) {
        temp->is_named = true;
        return DW_OK;
    }
    if (is_incapable(DW_POSIX_ANONYMOUS, false, reason)) {
        dw__posix_lower_method(posix, DW_POSIX_LINK);
        *retry_out = true;
        return DW_OK;
    }
    return dw__posix_error(reason, "creating", target->text, err);
}

/* Names the file, whoever had the name before. */
static dw_status
replace(dw_posix *posix, dw_posix_temp *temp, const dw_posix_path *target, bool *retry_out,
        dw_error *err)
{
    if (!temp->is_named) {
        DW_TRY(give_temp_name(posix, temp, target, retry_out, err));
        if (*retry_out) {
            return DW_OK;
        }
    }
    if (posix->calls->rename(posix->calls->ctx, temp->path.text, target->text) != 0) {
        int reason = errno;
        naming outcome = settle(posix, temp, target->text, reason);
        if (outcome != NAMING_DONE) {
            /* A file of another's at the target is what was there before. */
            return naming_error(outcome == NAMING_TAKEN ? NAMING_FAILED : outcome, reason,
                                target->text, err);
        }
    }
    temp->is_named = false;
    return DW_OK;
}

static dw_status
fill(dw_posix *posix, const put_request *request, const dw_posix_temp *temp, dw_error *err)
{
    const char *target = request->target.text;
    DW_TRY(request->from == NULL
               ? dw__posix_temp_fill(posix, temp, request->bytes, target, err)
               : dw__posix_temp_copy(posix, temp, request->from, target, request->copied_out, err));
    return request->is_hint ? DW_OK : dw__posix_temp_sync(posix, temp, target, err);
}

/* A file with the bytes, durable unless it is a hint. */
static dw_status
make_ready(dw_posix *posix, const put_request *request, dw_posix_temp *temp, dw_error *err)
{
    if (request->draft != NULL && take_draft(posix, request, temp)) {
        return DW_OK;
    }
    DW_TRY(dw__posix_temp_open(posix, &request->target, temp, err));
    dw_status status = fill(posix, request, temp, err);
    if (status != DW_OK) {
        discard(posix, temp);
    }
    return status;
}

/* One attempt in the best way that the file system is known to be capable of. */
static dw_status
try_put(dw_posix *posix, const put_request *request, bool *retry_out, dw_error *err)
{
    const dw_posix_path *target = &request->target;
    *retry_out = false;
    dw_posix_temp temp;
    DW_TRY(make_ready(posix, request, &temp, err));
    dw_status status = request->may_replace ? replace(posix, &temp, target, retry_out, err)
                                            : create(posix, &temp, target->text, retry_out, err);
    if (status == DW_ALREADY_EXISTS && request->draft != NULL &&
        leave_draft(posix, request, &temp)) {
        return status;
    }
    dw__posix_temp_unname(posix, &temp);
    if (status == DW_OK && !*retry_out && !request->is_hint) {
        status = sync_name(posix, &temp, target->text, err);
    }
    dw__posix_temp_close(posix, &temp);
    return status;
}

static dw_status
put(dw_posix *posix, const put_request *request, dw_error *err)
{
    bool retry;
    do {
        DW_TRY(try_put(posix, request, &retry, err));
    } while (retry);
    return DW_OK;
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

static dw_status
put_if_absent(dw_posix *posix, dw_str key, put_request *request, dw_error *err)
{
    DW_TRY(check_name(key, err));
    DW_TRY(dw__posix_path_make(posix, key, &request->target, err));
    /* Most losers find out here, without writing and syncing for nothing. Who goes on with what he
     * wrote loses nothing. */
    const char *target = request->target.text;
    struct stat info;
    if (request->draft == NULL && posix->calls->stat(posix->calls->ctx, target, &info) == 0) {
        return S_ISDIR(info.st_mode) ? dw__posix_error(EISDIR, "creating", target, err)
                                     : naming_error(NAMING_TAKEN, 0, target, err);
    }
    return put(posix, request, err);
}

dw_status
dw__posix_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    put_request request = {.bytes = bytes};
    return put_if_absent(dw__posix_from(storage), key, &request, err);
}

dw_status
dw__posix_put_draft_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_draft **draft_io,
                              dw_error *err)
{
    put_request request = {.bytes = bytes, .draft = draft_io};
    return put_if_absent(dw__posix_from(storage), key, &request, err);
}

void
dw__posix_draft_free(dw_storage *storage, dw_draft *draft)
{
    discard(dw__posix_from(storage), &draft->temp);
    DW_DELETE(storage->env->allocator, draft);
}

dw_status
dw__posix_put_hint_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    put_request request = {.bytes = bytes, .is_hint = true};
    return put_if_absent(dw__posix_from(storage), key, &request, err);
}

static dw_status
put_anyway(dw_storage *storage, dw_str key, put_request *request, dw_error *err)
{
    dw_posix *posix = dw__posix_from(storage);
    request->may_replace = true;
    DW_TRY(check_name(key, err));
    DW_TRY(dw__posix_path_make(posix, key, &request->target, err));
    return put(posix, request, err);
}

dw_status
dw__posix_put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    put_request request = {.bytes = bytes};
    return put_anyway(storage, key, &request, err);
}

dw_status
dw__posix_put_hint(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    put_request request = {.bytes = bytes, .is_hint = true};
    return put_anyway(storage, key, &request, err);
}

dw_status
dw__posix_copy(dw_storage *storage, dw_str key, dw_storage *from, dw_str from_key,
               int64_t *size_out, dw_error *err)
{
    const dw_posix *source = dw__posix_from(from);
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(source, from_key, &path, err));
    int fd = dw__posix_open(source, path.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return dw__posix_error(errno, "reading", path.text, err);
    }
    const dw_posix_range whole = {fd, path.text, 0, INT64_MAX};
    uint64_t copied = 0;
    put_request request = {.from = &whole, .copied_out = &copied, .is_hint = true};
    dw_status status = put_if_absent(dw__posix_from(storage), key, &request, err);
    *size_out = (int64_t) copied;
    dw__posix_close(source, fd);
    return status;
}

dw_status
dw__posix_append(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    const dw_posix *posix = dw__posix_from(storage);
    dw_posix_path target;
    DW_TRY(dw__posix_path_make(posix, key, &target, err));
    const dw_posix_temp file = {
        .fd = dw__posix_open(posix, target.text, O_WRONLY | O_APPEND | O_CLOEXEC)};
    if (file.fd < 0) {
        return dw__posix_error(errno, "writing", target.text, err);
    }
    dw_status status = dw__posix_temp_fill(posix, &file, bytes, target.text, err);
    dw__posix_close(posix, file.fd);
    return status;
}
