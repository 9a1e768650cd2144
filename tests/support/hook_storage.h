/*
 * A storage around another that asks a hook before each call what shall become of it. The fault
 * storage and the simulator are hooks.
 */
#ifndef DWT_SUPPORT_HOOK_STORAGE_H
#define DWT_SUPPORT_HOOK_STORAGE_H

#include "storage/storage.h"

typedef enum dwt_storage_op {
    DWT_OP_GET,
    DWT_OP_GET_RANGE,
    DWT_OP_PUT_IF_ABSENT,
    DWT_OP_PUT,
    DWT_OP_LIST,
    DWT_OP_HEAD,
    DWT_OP_REMOVE,
    DWT_OP_SYNC,
    DWT_OP_PREPARE
} dwt_storage_op;

typedef struct dwt_storage_call {
    dwt_storage_op op;
    dw_str key;   /* the prefix of list and prepare; the first key of sync */
    dw_str bytes; /* of put and put_if_absent */
} dwt_storage_call;

typedef enum dwt_fate {
    DWT_FATE_PASS,
    DWT_FATE_FAIL,     /* nothing is done; `status` is returned */
    DWT_FATE_LOSE_ACK, /* it is done, then `status` is returned whatever came of it */
    DWT_FATE_FORCE, /* put_if_absent replaces what is there: a server that ignores the condition */
    DWT_FATE_REPEAT /* it is done twice, as a client does that lost the first answer; the second
                          outcome is returned */
} dwt_fate;

typedef struct dwt_verdict {
    dwt_fate fate;
    dw_status status;
} dwt_verdict;

/* Called on the caller's thread. */
typedef struct dwt_storage_hooks {
    dwt_verdict (*before)(void *ctx, const dwt_storage_call *call);
    /* With what the caller will be told. May be NULL. */
    void (*after)(void *ctx, const dwt_storage_call *call, dw_status status);
    void *ctx;
} dwt_storage_hooks;

/* `inner` stays the caller's: closing the wrapper leaves it open. `env` only gives memory. */
dw_storage *dwt_hook_storage_open(const dw_env *env, dw_storage *inner,
                                  const dwt_storage_hooks *hooks);

const char *dwt_storage_op_name(dwt_storage_op op);
/* True for the calls that change something: a lost answer or a repetition only matters there. */
bool dwt_storage_op_is_write(dwt_storage_op op);

#endif
