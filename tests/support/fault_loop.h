/*
 * fault_loop: runs an operation again and again, each time in a fresh world, and lets the 1st, 2nd,
 * ... n-th allocation or storage call fail until the operation gets through without meeting one.
 *
 *     static void setup(dwt_world *world, void *ctx);                      // may be NULL; no
 *     faults static dw_status operation(dwt_world *world, void *ctx, dw_error *err);       // with
 *     the fault static void check(dwt_world *world, void *ctx, dw_status status);    // may be
 *     NULL; no faults
 *
 *     dwt_fault_loop(&(dwt_fault_case){.setup = setup, .operation = operation, .check = check,
 *                                      .faults = DWT_FAULTS_ALL});
 *
 * The loop itself demands of each round: the error is filled exactly when the status is not DW_OK,
 * with a code and a one-line message; what was allocated is released again (by the end of `check`,
 * except for the world's storage); a round without a fault returns DW_OK. What the operation
 * opened, it closes itself, or `check` does. An operation may absorb a fault and return DW_OK.
 */
#ifndef DWT_SUPPORT_FAULT_LOOP_H
#define DWT_SUPPORT_FAULT_LOOP_H

#include "support/fault_storage.h"
#include "support/test_env.h"

typedef struct dwt_world {
    dwt_env *test;       /* clock, chance, captured log, memory */
    const dw_env *env;   /* of `test`; what the operation is given */
    dw_storage *storage; /* in memory, with faults in it; what the operation is given */
    dw_storage *truth;   /* the same objects without faults, for setup and check */
    void *user;          /* for setup, operation and check to share; NULL at first */
} dwt_world;

/* Which faults a loop goes through; each is a loop of its own. */
enum {
    DWT_FAULTS_ALLOC_ONCE = 1 << 0,    /* one allocation fails, later ones succeed */
    DWT_FAULTS_ALLOC_ON = 1 << 1,      /* that allocation and all later ones fail */
    DWT_FAULTS_STORAGE_IO = 1 << 2,    /* one call does nothing and returns DW_IO */
    DWT_FAULTS_STORAGE_RETRY = 1 << 3, /* one call does nothing and returns DW_UNAVAILABLE */
    DWT_FAULTS_STORAGE_LOST = 1 << 4,  /* one writing call is done but returns DW_AMBIGUOUS */
    DWT_FAULTS_STORAGE_TWICE = 1 << 5, /* one writing call is done twice */
    DWT_FAULTS_STORAGE_CRASH = 1 << 6, /* the process dies before one call, and after one call */
    DWT_FAULTS_ALLOC = DWT_FAULTS_ALLOC_ONCE | DWT_FAULTS_ALLOC_ON,
    DWT_FAULTS_STORAGE = DWT_FAULTS_STORAGE_IO | DWT_FAULTS_STORAGE_RETRY |
                         DWT_FAULTS_STORAGE_LOST | DWT_FAULTS_STORAGE_TWICE |
                         DWT_FAULTS_STORAGE_CRASH,
    DWT_FAULTS_ALL = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE
};

typedef struct dwt_fault_case {
    void (*setup)(dwt_world *world, void *ctx);
    dw_status (*operation)(dwt_world *world, void *ctx, dw_error *err);
    void (*check)(dwt_world *world, void *ctx, dw_status status);
    void *ctx;
    unsigned faults;    /* DWT_FAULTS_... */
    int64_t round_max;  /* the loop fails the test beyond that many rounds; 0: 100,000 */
    int64_t round_step; /* let only every so manieth call fail, for long operations; 0: 1 */
} dwt_fault_case;

void dwt_fault_loop(const dwt_fault_case *fault_case);

#endif
