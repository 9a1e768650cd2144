/*
 * The containers of a rowset. Private to src/codec.
 */
#ifndef DW_CODEC_ROARING_CONTAINER_H
#define DW_CODEC_ROARING_CONTAINER_H

#include "codec/roaring.h"

#define DW_CONTAINER_ROWS UINT32_C(65536)
#define DW_CONTAINER_ARRAY_MAX UINT32_C(4096)
#define DW_CONTAINER_WORDS (DW_CONTAINER_ROWS / 64)

typedef enum dw_container_kind {
    DW_CONTAINER_ARRAY,
    DW_CONTAINER_BITMAP,
    DW_CONTAINER_RUNS
} dw_container_kind;

typedef struct dw_run {
    uint16_t first, last; /* both are in the set */
} dw_run;

typedef struct dw_container {
    uint64_t key; /* the upper 48 bits */
    dw_container_kind kind;
    uint32_t cardinality; /* 1 .. 65536 */
    uint32_t item_count;  /* values of an array, runs */
    uint32_t item_capacity;
    union {
        uint16_t *values; /* ARRAY */
        uint64_t *words;  /* BITMAP: DW_CONTAINER_WORDS */
        dw_run *runs;     /* RUNS */
    } as;
} dw_container;

struct dw_rowset {
    const dw_allocator *allocator;
    dw_container *items;
    size_t count;
    size_t capacity;
};

/* Storage for `item_count` values or runs, or for a bitmap (zeroed); false when out of memory. */
DW_WARN_UNUSED bool dw__container_alloc(const dw_allocator *allocator, dw_container_kind kind,
                                        uint32_t item_count, dw_container *out);
void dw__container_free(const dw_allocator *allocator, dw_container *container);
bool dw__container_contains(const dw_container *container, uint16_t low);
/* The least value that is not below `low`; false when there is none. */
bool dw__container_next(const dw_container *container, uint32_t low, uint16_t *out);
/* Puts the values that are not below `low` into `out`, at most `max`; returns how many. */
uint32_t dw__container_list(const dw_container *container, uint32_t low, uint16_t *out,
                            uint32_t max);
/* Adds a value; changes the kind where that is needed. False when out of memory. */
DW_WARN_UNUSED bool dw__container_add(const dw_allocator *allocator, dw_container *container,
                                      uint16_t low);
/* The number of runs of consecutive values. */
uint32_t dw__container_run_count(const dw_container *container);

/*
 * A new container behind the last one; its key must be greater than all. NULL when out of memory.
 */
dw_container *dw__rowset_push(dw_rowset *rows, const dw_container *container);

#endif
