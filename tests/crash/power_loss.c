/*
 * Recording system calls. Each is done for real, below the recorder's root, and noted; what the
 * notes mean after a crash is in power_states.c.
 */
#include "power_loss.h"

#include "base/assert.h"
#include "base/vec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- notes ----------------------------------------------------------------------------------- */

static power_event *
note(power_recorder *recorder, power_event_kind kind)
{
    power_event *event = DW_VEC_PUSH(dw__allocator_libc(), &recorder->events);
    dw_assert(event != NULL);
    event->kind = kind;
    return event;
}

/* Paths are noted relative to the root; "" is the root itself. */
static bool
relative(const power_recorder *recorder, const char *path, char out[POWER_NAME_SIZE])
{
    size_t len = strlen(recorder->root);
    if (strncmp(path, recorder->root, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
        return false;
    }
    int written = snprintf(out, POWER_NAME_SIZE, "%s", path[len] == '/' ? path + len + 1 : "");
    dw_assert(written >= 0 && written < POWER_NAME_SIZE);
    return true;
}

static void
note_name(power_recorder *recorder, const char *path, int value)
{
    char name[POWER_NAME_SIZE];
    if (relative(recorder, path, name)) {
        power_event *event = note(recorder, POWER_NAME);
        memcpy(event->name, name, sizeof(name));
        event->file = value;
    }
}

/* The file that bears the name now; POWER_ABSENT when none does. */
static int
file_of_name(const power_recorder *recorder, const char *path)
{
    char name[POWER_NAME_SIZE];
    if (!relative(recorder, path, name)) {
        return POWER_ABSENT;
    }
    for (size_t i = recorder->events.count; i > 0; i--) {
        const power_event *event = &recorder->events.items[i - 1];
        if (event->kind == POWER_NAME && strcmp(event->name, name) == 0) {
            return event->file;
        }
    }
    return POWER_ABSENT;
}

static int
file_of_fd(const power_recorder *recorder, int fd)
{
    return fd >= 0 && fd < POWER_FD_MAX ? recorder->fd_files[fd] : POWER_ABSENT;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const dw_posix_calls *
real(void)
{
    return dw__posix_calls_system();
}

static pthread_mutex_t *
lock(power_recorder *recorder)
{
    int failed = pthread_mutex_lock(&recorder->mutex);
    dw_assert(failed == 0);
    return &recorder->mutex;
}

static void
unlock(pthread_mutex_t **held)
{
    int failed = pthread_mutex_unlock(*held);
    dw_assert(failed == 0);
}

/* Until the end of the block. */
#define HOLD(recorder)                                                                             \
    __attribute__((cleanup(unlock))) pthread_mutex_t *held = lock(recorder);                       \
    (void) held

/* What lies outside the root has no name; nothing of it is noted. */
#define OUTSIDE "/"

static void
remember_fd(power_recorder *recorder, int fd, const char *path, int file)
{
    dw_assert(fd < POWER_FD_MAX);
    recorder->fd_files[fd] = file;
    if (!relative(recorder, path, recorder->fd_names[fd])) {
        memcpy(recorder->fd_names[fd], OUTSIDE, sizeof(OUTSIDE));
    }
}

static int
record_open(void *ctx, const char *path, int flags, mode_t mode)
{
    power_recorder *recorder = ctx;
    HOLD(recorder);
    int fd = real()->open(NULL, path, flags, mode);
    if (fd < 0) {
        return fd;
    }
    bool is_anonymous = (flags & O_TMPFILE) == O_TMPFILE;
    bool is_new = is_anonymous || (flags & O_CREAT) != 0;
    int file = is_new ? recorder->file_count++ : file_of_name(recorder, path);
    remember_fd(recorder, fd, path, file);
    if (is_new && !is_anonymous) {
        note_name(recorder, path, file);
    }
    return fd;
}

static int
record_close(void *ctx, int fd)
{
    (void) ctx;
    return real()->close(NULL, fd);
}

static ssize_t
record_write(void *ctx, int fd, const void *bytes, size_t size)
{
    power_recorder *recorder = ctx;
    HOLD(recorder);
    ssize_t written = real()->write(NULL, fd, bytes, size);
    int file = file_of_fd(recorder, fd);
    if (written > 0 && file != POWER_ABSENT) {
        power_event *event = note(recorder, POWER_WRITE);
        event->file = file;
        event->size = (size_t) written;
        event->bytes = malloc(event->size);
        dw_assert(event->bytes != NULL);
        memcpy(event->bytes, bytes, event->size);
    }
    return written;
}

static int
record_touch(void *ctx, int fd)
{
    HOLD(ctx);
    return real()->touch(NULL, fd);
}

static int
record_fsync(void *ctx, int fd)
{
    power_recorder *recorder = ctx;
    HOLD(recorder);
    struct stat info;
    int failed = real()->fstat(NULL, fd, &info) != 0 || real()->fsync(NULL, fd) != 0;
    if (failed) {
        return -1;
    }
    bool is_inside = strcmp(recorder->fd_names[fd], OUTSIDE) != 0;
    if (S_ISDIR(info.st_mode)) {
        if (is_inside && !recorder->forgets_directory_syncs) {
            power_event *event = note(recorder, POWER_SYNC_DIRECTORY);
            memcpy(event->name, recorder->fd_names[fd], sizeof(event->name));
        }
    } else if (file_of_fd(recorder, fd) >= 0 && !recorder->forgets_file_syncs) {
        note(recorder, POWER_SYNC_FILE)->file = file_of_fd(recorder, fd);
    }
    return 0;
}

static ssize_t
record_pread(void *ctx, int fd, void *bytes, size_t size, off_t offset)
{
    (void) ctx;
    return real()->pread(NULL, fd, bytes, size, offset);
}

static int
record_fstat(void *ctx, int fd, struct stat *out)
{
    (void) ctx;
    return real()->fstat(NULL, fd, out);
}

static int
record_stat(void *ctx, const char *path, struct stat *out)
{
    (void) ctx;
    return real()->stat(NULL, path, out);
}

static int
record_link(void *ctx, const char *from, const char *to)
{
    HOLD(ctx);
    int failed = real()->link(NULL, from, to);
    if (failed == 0) {
        note_name(ctx, to, file_of_name(ctx, from));
    }
    return failed;
}

static int
record_link_fd(void *ctx, int fd, const char *to)
{
    HOLD(ctx);
    int failed = real()->link_fd(NULL, fd, to);
    if (failed == 0) {
        note_name(ctx, to, file_of_fd(ctx, fd));
    }
    return failed;
}

/* The new name first: a rename never leaves a moment without either. */
static int
note_rename(void *ctx, const char *from, const char *to, int failed)
{
    if (failed == 0) {
        note_name(ctx, to, file_of_name(ctx, from));
        note_name(ctx, from, POWER_ABSENT);
    }
    return failed;
}

static int
record_rename(void *ctx, const char *from, const char *to)
{
    HOLD(ctx);
    return note_rename(ctx, from, to, real()->rename(NULL, from, to));
}

static int
record_rename_if_absent(void *ctx, const char *from, const char *to)
{
    HOLD(ctx);
    return note_rename(ctx, from, to, real()->rename_if_absent(NULL, from, to));
}

static int
record_unlink(void *ctx, const char *path)
{
    HOLD(ctx);
    int failed = real()->unlink(NULL, path);
    if (failed == 0) {
        note_name(ctx, path, POWER_ABSENT);
    }
    return failed;
}

static int
record_mkdir(void *ctx, const char *path, mode_t mode)
{
    HOLD(ctx);
    int failed = real()->mkdir(NULL, path, mode);
    if (failed == 0) {
        note_name(ctx, path, POWER_DIRECTORY);
    }
    return failed;
}

static int
record_rmdir(void *ctx, const char *path)
{
    HOLD(ctx);
    int failed = real()->rmdir(NULL, path);
    if (failed == 0) {
        note_name(ctx, path, POWER_ABSENT);
    }
    return failed;
}

void
power_recorder_init(power_recorder *recorder, const char *root)
{
    *recorder = (power_recorder){.calls = {.open = record_open,
                                           .close = record_close,
                                           .pread = record_pread,
                                           .write = record_write,
                                           .fsync = record_fsync,
                                           .touch = record_touch,
                                           .fstat = record_fstat,
                                           .stat = record_stat,
                                           .link = record_link,
                                           .link_fd = record_link_fd,
                                           .rename = record_rename,
                                           .rename_if_absent = record_rename_if_absent,
                                           .unlink = record_unlink,
                                           .mkdir = record_mkdir,
                                           .rmdir = record_rmdir,
                                           .ctx = recorder}};
    int failed = pthread_mutex_init(&recorder->mutex, NULL);
    dw_assert(failed == 0);
    int len = snprintf(recorder->root, sizeof(recorder->root), "%s", root);
    dw_assert(len > 0 && (size_t) len < sizeof(recorder->root));
}

void
power_recorder_deinit(power_recorder *recorder)
{
    for (size_t i = 0; i < recorder->events.count; i++) {
        free(recorder->events.items[i].bytes);
    }
    DW_VEC_DEINIT(dw__allocator_libc(), &recorder->events);
    (void) pthread_mutex_destroy(&recorder->mutex);
}

void
power_acknowledge(power_recorder *recorder)
{
    note(recorder, POWER_ACKNOWLEDGED);
}

void
power_write_file(power_recorder *recorder, const char *name, dw_str bytes)
{
    char path[2 * DWT_PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/%s", recorder->root, name);
    dw_assert(len > 0 && (size_t) len < sizeof(path));
    for (char *slash = strchr(path + strlen(recorder->root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void) record_mkdir(recorder, path, 0777);
        *slash = '/';
    }
    int fd = record_open(recorder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    dw_assert(fd >= 0);
    ssize_t written = record_write(recorder, fd, bytes.ptr, bytes.len);
    dw_assert(written == (ssize_t) bytes.len);
    (void) record_close(recorder, fd);
}
