/*
 * A storage that fails one call of a test's choice.
 */
#ifndef DWT_SUPPORT_FAULT_STORAGE_H
#define DWT_SUPPORT_FAULT_STORAGE_H

#include "support/hook_storage.h"

#include <stdatomic.h>

typedef enum dwt_fault {
    DWT_FAULT_NONE,
    DWT_FAULT_FAIL,       /* the call does nothing and returns fault_status */
    DWT_FAULT_LOSE_ACK,   /* the call is done, but returns fault_status */
    DWT_FAULT_REPEAT,     /* the call is done twice: a put_if_absent finds its own object */
    DWT_FAULT_CRASH,      /* this call does nothing, and it and all later ones return DW_IO */
    DWT_FAULT_CRASH_AFTER /* this call is done, but it and all later ones return DW_IO */
} dwt_fault;

typedef struct dwt_fault_storage {
    dw_storage *storage; /* use this one; closed by _deinit */
    atomic_llong call_count;
    int64_t fault_at; /* the call that it happens to, from 1; 0: none */
    dwt_fault fault;
    dw_status fault_status;
    bool writes_only; /* count only calls that change something */
    atomic_bool has_failed;
    atomic_bool has_crashed;
} dwt_fault_storage;

/* `inner` stays the caller's. `env` only gives memory and must be one that does not fail here. */
void dwt_fault_storage_init(dwt_fault_storage *faults, const dw_env *env, dw_storage *inner);
void dwt_fault_storage_deinit(dwt_fault_storage *faults);

/* From now on the `n`-th call, counted from 1, suffers `fault`. Call with n = 0 to end that. Set
 * writes_only before if wanted. */
void dwt_fault_storage_arm(dwt_fault_storage *faults, int64_t n, dwt_fault fault, dw_status status);

#endif
