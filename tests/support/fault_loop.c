/*
 * The loop over faults.
 */
#include "support/fault_loop.h"

#include "base/assert.h"
#include "support/test.h"

#define ROUND_MAX_DEFAULT 100000

typedef struct fault_mode {
    unsigned flag;
    const char *name;
    dwt_fault fault; /* DWT_FAULT_NONE: an allocation fails instead */
    dw_status status;
    bool writes_only;
    bool later_too;
} fault_mode;

static const fault_mode fault_modes[] = {
    {DWT_FAULTS_ALLOC_ONCE, "one allocation fails", DWT_FAULT_NONE, DW_OK, false, false},
    {DWT_FAULTS_ALLOC_ON, "memory is gone", DWT_FAULT_NONE, DW_OK, false, true},
    {DWT_FAULTS_STORAGE_IO, "a storage call fails", DWT_FAULT_FAIL, DW_IO, false, false},
    {DWT_FAULTS_STORAGE_RETRY, "a storage call is refused for now", DWT_FAULT_FAIL, DW_UNAVAILABLE,
     false, false},
    {DWT_FAULTS_STORAGE_LOST, "an answer is lost", DWT_FAULT_LOSE_ACK, DW_AMBIGUOUS, true, false},
    {DWT_FAULTS_STORAGE_TWICE, "a request arrives twice", DWT_FAULT_REPEAT, DW_OK, true, false},
    {DWT_FAULTS_STORAGE_CRASH, "a crash before a call", DWT_FAULT_CRASH, DW_OK, false, false},
    {DWT_FAULTS_STORAGE_CRASH, "a crash after a call", DWT_FAULT_CRASH_AFTER, DW_OK, false, false},
};

static void
check_error(dw_status status, const dw_error *err)
{
    assert_int_equal(err->status, status);
    if (status != DW_OK) {
        assert_true(err->code[0] != '\0');
        assert_true(err->message[0] != '\0');
        assert_null(strchr(err->message, '\n'));
    }
}

static bool
is_disturbed(const fault_mode *mode, dwt_env *test, const dwt_fault_storage *faults)
{
    return mode->fault == DWT_FAULT_NONE ? dwt_fault_allocator_has_failed(&test->memory)
                                         : atomic_load(&faults->has_failed);
}

/* One round; returns whether the operation met the fault. */
static bool
run_round(const dwt_fault_case *fault_case, const fault_mode *mode, int64_t n)
{
    /* The world's own objects must neither count nor fail: they live in an environment apart. */
    dwt_env outside;
    dwt_env test;
    dwt_env_init(&outside, 1);
    dwt_env_init(&test, 1);
    dw_error err = DW_ERROR_INIT;
    dw_storage *truth = NULL;
    dw_status status = dw__storage_memory_open(&outside.env, &truth, &err);
    assert_ok(status, &err);
    dwt_fault_storage faults;
    dwt_fault_storage_init(&faults, &outside.env, truth);
    dwt_world world = {&test, &test.env, faults.storage, truth, NULL};
    if (fault_case->setup != NULL) {
        fault_case->setup(&world, fault_case->ctx);
    }

    if (mode->fault == DWT_FAULT_NONE) {
        dwt_fault_allocator_fail_at(&test.memory, n, mode->later_too);
    } else {
        faults.writes_only = mode->writes_only;
        dwt_fault_storage_arm(&faults, n, mode->fault, mode->status);
    }
    dw__error_clear(&err);
    status = fault_case->operation(&world, fault_case->ctx, &err);
    bool disturbed = is_disturbed(mode, &test, &faults);
    dwt_fault_allocator_fail_at(&test.memory, 0, false);
    dwt_fault_storage_arm(&faults, 0, DWT_FAULT_NONE, DW_OK);

    check_error(status, &err);
    if (!disturbed) {
        assert_ok(status, &err);
    }
    if (fault_case->check != NULL) {
        fault_case->check(&world, fault_case->ctx, status);
    }
    dwt_fault_storage_deinit(&faults);
    dw__storage_close(truth);
    if (test.memory.live_count != 0) {
        fail_msg("%s, round %lld: %lld bytes leaked", mode->name, (long long) n,
                 (long long) dwt_fault_allocator_live_bytes(&test.memory));
    }
    dwt_env_deinit(&test);
    dwt_env_deinit(&outside);
    return disturbed;
}

void
dwt_fault_loop(const dwt_fault_case *fault_case)
{
    dw_assert(fault_case->operation != NULL);
    dw_assert(fault_case->faults != 0);
    int64_t round_max = fault_case->round_max > 0 ? fault_case->round_max : ROUND_MAX_DEFAULT;
    int64_t step = fault_case->round_step > 0 ? fault_case->round_step : 1;
    for (size_t i = 0; i < sizeof(fault_modes) / sizeof(fault_modes[0]); i++) {
        const fault_mode *mode = &fault_modes[i];
        if ((fault_case->faults & mode->flag) == 0) {
            continue;
        }
        int64_t rounds = 0;
        for (int64_t n = 1; run_round(fault_case, mode, n); n += step) {
            rounds++;
            if (rounds > round_max) {
                fail_msg("%s: still not through after %lld rounds", mode->name, (long long) rounds);
            }
        }
    }
}
