/*
 * The hook that fails one call.
 */
#include "support/fault_storage.h"

static dwt_verdict
verdict_of_fault(dwt_fault_storage *faults)
{
    switch (faults->fault) {
    case DWT_FAULT_NONE:
        return (dwt_verdict){DWT_FATE_PASS, DW_OK};
    case DWT_FAULT_FAIL:
        return (dwt_verdict){DWT_FATE_FAIL, faults->fault_status};
    case DWT_FAULT_LOSE_ACK:
        return (dwt_verdict){DWT_FATE_LOSE_ACK, faults->fault_status};
    case DWT_FAULT_REPEAT:
        return (dwt_verdict){DWT_FATE_REPEAT, DW_OK};
    case DWT_FAULT_CRASH:
        atomic_store(&faults->has_crashed, true);
        return (dwt_verdict){DWT_FATE_FAIL, DW_IO};
    case DWT_FAULT_CRASH_AFTER:
        atomic_store(&faults->has_crashed, true);
        return (dwt_verdict){DWT_FATE_LOSE_ACK, DW_IO};
    }
    return (dwt_verdict){DWT_FATE_PASS, DW_OK};
}

static dwt_verdict
judge(void *ctx, const dwt_storage_call *call)
{
    dwt_fault_storage *faults = ctx;
    if (atomic_load(&faults->has_crashed)) {
        return (dwt_verdict){DWT_FATE_FAIL, DW_IO};
    }
    if (faults->writes_only && !dwt_storage_op_is_write(call->op)) {
        return (dwt_verdict){DWT_FATE_PASS, DW_OK};
    }
    long long number = atomic_fetch_add(&faults->call_count, 1) + 1;
    if (number != faults->fault_at) {
        return (dwt_verdict){DWT_FATE_PASS, DW_OK};
    }
    atomic_store(&faults->has_failed, true);
    return verdict_of_fault(faults);
}

void
dwt_fault_storage_init(dwt_fault_storage *faults, const dw_env *env, dw_storage *inner)
{
    *faults = (dwt_fault_storage){.storage = NULL};
    faults->storage =
        dwt_hook_storage_open(env, inner, &(dwt_storage_hooks){.before = judge, .ctx = faults});
}

void
dwt_fault_storage_deinit(dwt_fault_storage *faults)
{
    dw__storage_close(faults->storage);
    faults->storage = NULL;
}

void
dwt_fault_storage_arm(dwt_fault_storage *faults, int64_t n, dwt_fault fault, dw_status status)
{
    atomic_store(&faults->call_count, 0);
    atomic_store(&faults->has_failed, false);
    atomic_store(&faults->has_crashed, false);
    faults->fault_at = n;
    faults->fault = fault;
    faults->fault_status = status;
}
