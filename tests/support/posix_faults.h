/*
 * System calls that fail on request, for the storage on a file system. Every kind of call has a
 * rule of its own: the n-th fails with an errno, before or after it took effect. Calls and open
 * files are counted.
 *
 *     dwt_posix_faults faults;
 *     dwt_posix_faults_init(&faults, dw__posix_calls_system());
 *     status = dw__storage_posix_open_over(&env, &faults.calls, path, &storage, &err);
 *     faults.rules[DWT_CALL_LINK] = (dwt_call_rule){.at = 1, .errnum = EPERM};
 *
 * Thread-safe while the rules stay as they are.
 */
#ifndef DWT_SUPPORT_POSIX_FAULTS_H
#define DWT_SUPPORT_POSIX_FAULTS_H

#include "storage/posix_calls.h"

#include <stdatomic.h>

typedef enum dwt_call {
    DWT_CALL_OPEN,           /* of a file to read, or of a new one with a name */
    DWT_CALL_OPEN_DIRECTORY, /* to read or to sync it */
    DWT_CALL_OPEN_ANONYMOUS, /* with O_TMPFILE */
    DWT_CALL_CLOSE,
    DWT_CALL_PREAD,
    DWT_CALL_WRITE,
    DWT_CALL_COPY,
    DWT_CALL_FSYNC,
    DWT_CALL_FSYNC_DIRECTORY,
    DWT_CALL_TOUCH,
    DWT_CALL_FSTAT,
    DWT_CALL_STAT,
    DWT_CALL_LINK,
    DWT_CALL_LINK_FD,
    DWT_CALL_RENAME,
    DWT_CALL_RENAME_IF_ABSENT,
    DWT_CALL_UNLINK,
    DWT_CALL_MKDIR,
    DWT_CALL_RMDIR,
    DWT_CALL_COUNT
} dwt_call;

enum { DWT_ALWAYS = -1 };

typedef struct dwt_call_rule {
    int64_t at; /* the call of its kind that fails, from 1; DWT_ALWAYS; 0: none */
    int errnum;
    bool after_effect; /* it is done all the same */
} dwt_call_rule;

typedef struct dwt_posix_faults {
    dw_posix_calls calls; /* hand out &faults.calls */
    const dw_posix_calls *inner;
    dwt_call_rule rules[DWT_CALL_COUNT];
    dwt_call_rule any_rule; /* counts calls of all kinds but close */
    atomic_llong counts[DWT_CALL_COUNT];
    atomic_llong any_count;
    atomic_llong open_count; /* opened and not closed */
    atomic_bool has_failed;
    size_t io_bytes_max;    /* a read or write moves at most that many; 0: any number */
    int64_t fstat_size_add; /* what fstat adds to the size: a file that changes behind it */
} dwt_posix_faults;

void dwt_posix_faults_init(dwt_posix_faults *faults, const dw_posix_calls *inner);
/* Ends all rules and sets all counts but open_count to 0. */
void dwt_posix_faults_clear(dwt_posix_faults *faults);

#endif
