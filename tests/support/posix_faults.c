/*
 * System calls that fail on request.
 */
#include "support/posix_faults.h"

#include <errno.h>
#include <fcntl.h>

/* Counts one call. Returns the rule that it breaks by, or NULL. */
static const dwt_call_rule *
broken_rule(const dwt_call_rule *rule, atomic_llong *count)
{
    long long number = atomic_fetch_add(count, 1) + 1;
    bool is_hit = rule->at == DWT_ALWAYS || (rule->at > 0 && rule->at == number);
    return is_hit ? rule : NULL;
}

typedef struct fault_call {
    dwt_posix_faults *faults;
    const dwt_call_rule *rule; /* NULL: the call goes through */
} fault_call;

static fault_call
enter(void *ctx, dwt_call kind)
{
    dwt_posix_faults *faults = ctx;
    const dwt_call_rule *rule = broken_rule(&faults->rules[kind], &faults->counts[kind]);
    const dwt_call_rule *any =
        kind == DWT_CALL_CLOSE ? NULL : broken_rule(&faults->any_rule, &faults->any_count);
    fault_call call = {faults, rule != NULL ? rule : any};
    if (call.rule != NULL) {
        atomic_store(&faults->has_failed, true);
    }
    return call;
}

/* True when the call must not be done at all; errno is set then. */
static bool
is_stopped(fault_call call)
{
    if (call.rule == NULL || call.rule->after_effect) {
        return false;
    }
    errno = call.rule->errnum;
    return true;
}

/* What the caller is told. */
static int
answer(fault_call call, int result)
{
    if (call.rule == NULL) {
        return result;
    }
    errno = call.rule->errnum;
    return -1;
}

static int
fault_open(void *ctx, const char *path, int flags, mode_t mode)
{
    dwt_call kind = DWT_CALL_OPEN;
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        kind = DWT_CALL_OPEN_ANONYMOUS;
    } else if ((flags & O_DIRECTORY) != 0) {
        kind = DWT_CALL_OPEN_DIRECTORY;
    }
    fault_call call = enter(ctx, kind);
    if (is_stopped(call)) {
        return -1;
    }
    const dw_posix_calls *inner = call.faults->inner;
    int fd = inner->open(inner->ctx, path, flags, mode);
    if (fd >= 0 && call.rule != NULL) {
        (void) inner->close(inner->ctx, fd);
        fd = -1;
    } else if (fd >= 0) {
        atomic_fetch_add(&call.faults->open_count, 1);
    }
    return answer(call, fd);
}

static int
fault_close(void *ctx, int fd)
{
    fault_call call = enter(ctx, DWT_CALL_CLOSE);
    atomic_fetch_sub(&call.faults->open_count, 1);
    const dw_posix_calls *inner = call.faults->inner;
    return answer(call, inner->close(inner->ctx, fd));
}

static size_t
clamp_io(const dwt_posix_faults *faults, size_t size)
{
    return faults->io_bytes_max > 0 && size > faults->io_bytes_max ? faults->io_bytes_max : size;
}

static ssize_t
fault_pread(void *ctx, int fd, void *bytes, size_t size, off_t offset)
{
    fault_call call = enter(ctx, DWT_CALL_PREAD);
    if (is_stopped(call)) {
        return -1;
    }
    const dw_posix_calls *inner = call.faults->inner;
    ssize_t got = inner->pread(inner->ctx, fd, bytes, clamp_io(call.faults, size), offset);
    return call.rule == NULL ? got : answer(call, -1);
}

static ssize_t
fault_write(void *ctx, int fd, const void *bytes, size_t size)
{
    fault_call call = enter(ctx, DWT_CALL_WRITE);
    if (is_stopped(call)) {
        return -1;
    }
    const dw_posix_calls *inner = call.faults->inner;
    ssize_t written = inner->write(inner->ctx, fd, bytes, clamp_io(call.faults, size));
    return call.rule == NULL ? written : answer(call, -1);
}

static ssize_t
fault_copy(void *ctx, int from, off_t offset, int to, size_t size)
{
    fault_call call = enter(ctx, DWT_CALL_COPY);
    if (is_stopped(call)) {
        return -1;
    }
    const dw_posix_calls *inner = call.faults->inner;
    ssize_t copied = inner->copy(inner->ctx, from, offset, to, clamp_io(call.faults, size));
    return call.rule == NULL ? copied : answer(call, -1);
}

static int
fault_fsync(void *ctx, int fd)
{
    const dw_posix_calls *inner = ((dwt_posix_faults *) ctx)->inner;
    struct stat info;
    bool is_directory = inner->fstat(inner->ctx, fd, &info) == 0 && S_ISDIR(info.st_mode);
    fault_call call = enter(ctx, is_directory ? DWT_CALL_FSYNC_DIRECTORY : DWT_CALL_FSYNC);
    return is_stopped(call) ? -1 : answer(call, inner->fsync(inner->ctx, fd));
}

static int
fault_touch(void *ctx, int fd)
{
    fault_call call = enter(ctx, DWT_CALL_TOUCH);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->touch(inner->ctx, fd));
}

static int
fault_fstat(void *ctx, int fd, struct stat *out)
{
    fault_call call = enter(ctx, DWT_CALL_FSTAT);
    if (is_stopped(call)) {
        return -1;
    }
    const dw_posix_calls *inner = call.faults->inner;
    int result = inner->fstat(inner->ctx, fd, out);
    out->st_size += call.faults->fstat_size_add;
    return answer(call, result);
}

static int
fault_stat(void *ctx, const char *path, struct stat *out)
{
    fault_call call = enter(ctx, DWT_CALL_STAT);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->stat(inner->ctx, path, out));
}

static int
fault_link(void *ctx, const char *from, const char *to)
{
    fault_call call = enter(ctx, DWT_CALL_LINK);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->link(inner->ctx, from, to));
}

static int
fault_link_fd(void *ctx, int fd, const char *to)
{
    fault_call call = enter(ctx, DWT_CALL_LINK_FD);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->link_fd(inner->ctx, fd, to));
}

static int
fault_rename(void *ctx, const char *from, const char *to)
{
    fault_call call = enter(ctx, DWT_CALL_RENAME);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->rename(inner->ctx, from, to));
}

static int
fault_rename_if_absent(void *ctx, const char *from, const char *to)
{
    fault_call call = enter(ctx, DWT_CALL_RENAME_IF_ABSENT);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->rename_if_absent(inner->ctx, from, to));
}

static int
fault_unlink(void *ctx, const char *path)
{
    fault_call call = enter(ctx, DWT_CALL_UNLINK);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->unlink(inner->ctx, path));
}

static int
fault_mkdir(void *ctx, const char *path, mode_t mode)
{
    fault_call call = enter(ctx, DWT_CALL_MKDIR);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->mkdir(inner->ctx, path, mode));
}

static int
fault_rmdir(void *ctx, const char *path)
{
    fault_call call = enter(ctx, DWT_CALL_RMDIR);
    const dw_posix_calls *inner = call.faults->inner;
    return is_stopped(call) ? -1 : answer(call, inner->rmdir(inner->ctx, path));
}

void
dwt_posix_faults_init(dwt_posix_faults *faults, const dw_posix_calls *inner)
{
    *faults = (dwt_posix_faults){.calls = {.open = fault_open,
                                           .close = fault_close,
                                           .pread = fault_pread,
                                           .write = fault_write,
                                           .copy = fault_copy,
                                           .fsync = fault_fsync,
                                           .touch = fault_touch,
                                           .fstat = fault_fstat,
                                           .stat = fault_stat,
                                           .link = fault_link,
                                           .link_fd = fault_link_fd,
                                           .rename = fault_rename,
                                           .rename_if_absent = fault_rename_if_absent,
                                           .unlink = fault_unlink,
                                           .mkdir = fault_mkdir,
                                           .rmdir = fault_rmdir,
                                           .ctx = faults},
                                 .inner = inner};
}

void
dwt_posix_faults_clear(dwt_posix_faults *faults)
{
    for (size_t i = 0; i < DWT_CALL_COUNT; i++) {
        faults->rules[i] = (dwt_call_rule){0};
        atomic_store(&faults->counts[i], 0);
    }
    faults->any_rule = (dwt_call_rule){0};
    atomic_store(&faults->any_count, 0);
    atomic_store(&faults->has_failed, false);
    faults->io_bytes_max = 0;
    faults->fstat_size_add = 0;
}
