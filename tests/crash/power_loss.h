/*
 * Power failures, enumerated: records the system calls by which files change, and makes every state
 * that a file system may legally show after a crash at any point between them.
 *
 * What may be lost, in the worst case that POSIX allows:
 *  - of a file, what was written since its last fsync: all of it, the second half of it, or the
 *    bytes but not the size (zeros);
 *  - of a directory, each change of a name since the directory's last fsync, one independent of the
 *    other: the name bears what it bore durably, or anything that it was made to bear since.
 *
 *     power_recorder recorder;
 *     power_recorder_init(&recorder, dir.path);
 *     dw__storage_posix_open_over(&env, &recorder.calls, path, &storage, &err);
 *     ... write; power_acknowledge(&recorder) after each success ...
 *     power_enumerate(&recorder, check, ctx);
 *
 * Calls may come from several threads; they are recorded in the order in which they were done.
 */
#ifndef DWT_CRASH_POWER_LOSS_H
#define DWT_CRASH_POWER_LOSS_H

#include "storage/posix_calls.h"
#include "support/temp_dir.h"

#include <pthread.h>

enum { POWER_NAME_SIZE = 160, POWER_FD_MAX = 256 };

/* What a name can bear besides a file's index. */
enum { POWER_ABSENT = -1, POWER_DIRECTORY = -2 };

typedef enum power_event_kind {
    POWER_NAME,           /* `name` bears `file` from now on */
    POWER_WRITE,          /* `bytes` are appended to `file` */
    POWER_SYNC_FILE,      /* what `file` holds is durable */
    POWER_SYNC_DIRECTORY, /* so are the names in the directory `name` */
    POWER_ACKNOWLEDGED
} power_event_kind;

typedef struct power_event {
    power_event_kind kind;
    char name[POWER_NAME_SIZE]; /* relative to the root; "" is the root */
    int file;                   /* or POWER_ABSENT, POWER_DIRECTORY */
    char *bytes;
    size_t size;
} power_event;

typedef struct power_event_vec {
    power_event *items;
    size_t count;
    size_t capacity;
} power_event_vec;

typedef struct power_recorder {
    dw_posix_calls calls;  /* hand out &recorder.calls */
    pthread_mutex_t mutex; /* held from before a call until it is noted; guards all below */
    char root[DWT_PATH_SIZE];
    power_event_vec events;
    int file_count;
    int fd_files[POWER_FD_MAX]; /* the file that an open descriptor writes, or POWER_ABSENT */
    char fd_names[POWER_FD_MAX][POWER_NAME_SIZE];
    bool forgets_file_syncs;      /* a disk that lies, to see whether the checks have teeth */
    bool forgets_directory_syncs; /* likewise */
} power_recorder;

/* What is below `root` already counts as durable; it must be empty. */
void power_recorder_init(power_recorder *recorder, const char *root);
void power_recorder_deinit(power_recorder *recorder);

/* From here on the writer knows that one more step is done. */
void power_acknowledge(power_recorder *recorder);
/* Writes a file as an engine does: in place, without syncing anything. */
void power_write_file(power_recorder *recorder, const char *name, dw_str bytes);

/* One state after a crash, as a directory of real files; `acknowledged` steps were done before it.
 * A check returns NULL or what is wrong. */
typedef const char *(*power_check)(void *ctx, const char *path, int64_t acknowledged);

typedef struct power_verdict {
    int64_t state_count; /* different states that were checked */
    int64_t fault_count;
    char fault[256]; /* the first */
} power_verdict;

power_verdict power_enumerate(power_recorder *recorder, power_check check, void *ctx);

#endif
