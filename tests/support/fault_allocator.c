/*
 * Every block has a header with its size before it. The header is as large as the strictest
 * alignment, so that what follows it is aligned for any type.
 */
#include "support/fault_allocator.h"

#include "base/assert.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_MAGIC 0x6c697665u
#define DEAD_MAGIC 0x64656164u
#define FRESH_BYTE 0xa5
#define STALE_BYTE 0xdd

typedef struct block_header {
    alignas(max_align_t) size_t size;
    uint32_t magic;
} block_header;

/* True when this request is one of those that must fail. */
static bool
is_refused(dwt_fault_allocator *memory)
{
    long long number = atomic_fetch_add(&memory->request_count, 1) + 1;
    long long fail_at = atomic_load(&memory->fail_at);
    bool refused =
        fail_at > 0 && (number == fail_at || (number > fail_at && memory->fail_later_too));
    if (refused) {
        atomic_store(&memory->has_failed, true);
    }
    return refused;
}

static void
count_bytes(dwt_fault_allocator *memory, long long bytes)
{
    long long live = atomic_fetch_add(&memory->live_bytes, bytes) + bytes;
    long long peak = atomic_load(&memory->live_bytes_peak);
    while (live > peak && !atomic_compare_exchange_weak(&memory->live_bytes_peak, &peak, live)) {
    }
}

static block_header *
header_of(void *ptr, size_t size)
{
    block_header *header = (block_header *) ptr - 1;
    dw_assert(header->magic == LIVE_MAGIC);
    dw_assert(header->size == size);
    return header;
}

static void *
block_new(dwt_fault_allocator *memory, size_t size)
{
    block_header *header = malloc(sizeof(block_header) + size);
    if (header == NULL) {
        return NULL;
    }
    header->size = size;
    header->magic = LIVE_MAGIC;
    memset(header + 1, FRESH_BYTE, size);
    count_bytes(memory, (long long) size);
    atomic_fetch_add(&memory->live_count, 1);
    return header + 1;
}

static void
block_free(dwt_fault_allocator *memory, void *ptr, size_t size)
{
    block_header *header = header_of(ptr, size);
    header->magic = DEAD_MAGIC;
    memset(ptr, STALE_BYTE, size);
    count_bytes(memory, -(long long) size);
    atomic_fetch_sub(&memory->live_count, 1);
    free(header);
}

static void *
fault_resize(void *ctx, void *ptr, size_t size_old, size_t size_new)
{
    dwt_fault_allocator *memory = ctx;
    dw_assert(ptr != NULL || size_old == 0);
    if (size_new == 0) {
        if (ptr != NULL) {
            block_free(memory, ptr, size_old);
        }
        return NULL;
    }
    if (is_refused(memory)) {
        return NULL;
    }
    void *moved = block_new(memory, size_new);
    if (moved != NULL && ptr != NULL) {
        memcpy(moved, ptr, size_old < size_new ? size_old : size_new);
        block_free(memory, ptr, size_old);
    }
    return moved;
}

void
dwt_fault_allocator_init(dwt_fault_allocator *memory)
{
    *memory = (dwt_fault_allocator){.allocator = {fault_resize, memory}};
}

void
dwt_fault_allocator_deinit(dwt_fault_allocator *memory)
{
    dw_assert(atomic_load(&memory->live_count) == 0);
    dw_assert(atomic_load(&memory->live_bytes) == 0);
}

void
dwt_fault_allocator_fail_at(dwt_fault_allocator *memory, int64_t n, bool later_too)
{
    atomic_store(&memory->request_count, 0);
    atomic_store(&memory->fail_later_too, later_too);
    atomic_store(&memory->has_failed, false);
    atomic_store(&memory->fail_at, n);
}

bool
dwt_fault_allocator_has_failed(const dwt_fault_allocator *memory)
{
    return atomic_load(&memory->has_failed);
}

int64_t
dwt_fault_allocator_live_bytes(const dwt_fault_allocator *memory)
{
    return atomic_load(&memory->live_bytes);
}
