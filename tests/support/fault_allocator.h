/*
 * An allocator that counts, checks and fails on request.
 *
 *  - It asserts that every block comes back with the size it was made with ([ALLOC-1]).
 *  - It moves blocks on every resize and spoils the old ones, so that stale pointers show.
 *  - It fails the n-th request for memory, or that one and all later ones.
 *
 * Thread-safe.
 */
#ifndef DWT_SUPPORT_FAULT_ALLOCATOR_H
#define DWT_SUPPORT_FAULT_ALLOCATOR_H

#include "base/allocator.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dwt_fault_allocator {
    dw_allocator allocator; /* hand out &memory.allocator */
    atomic_llong live_bytes;
    atomic_llong live_bytes_peak;
    atomic_llong live_count;
    atomic_llong request_count; /* requests for memory since _init or _fail_at */
    atomic_llong fail_at;       /* the request that fails, from 1; 0: none */
    atomic_bool fail_later_too;
    atomic_bool has_failed; /* a request was refused since _fail_at */
} dwt_fault_allocator;

void dwt_fault_allocator_init(dwt_fault_allocator *memory);
/* Asserts that nothing is live: a leak fails the test. */
void dwt_fault_allocator_deinit(dwt_fault_allocator *memory);

/* From now on the `n`-th request fails, counted from 1, and with `later_too` all that follow; 0
 * ends that. */
void dwt_fault_allocator_fail_at(dwt_fault_allocator *memory, int64_t n, bool later_too);
bool dwt_fault_allocator_has_failed(const dwt_fault_allocator *memory);
int64_t dwt_fault_allocator_live_bytes(const dwt_fault_allocator *memory);

#endif
