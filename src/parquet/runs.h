/*
 * Parquet's mixture of runs and packed bits: levels, places in a dictionary, booleans.
 */
#ifndef DW_PARQUET_RUNS_H
#define DW_PARQUET_RUNS_H

#include "base/str.h"

/* Bytes behind the end of the input that may be read. */
#define DW_PQ_RUNS_SLACK 8
#define DW_PQ_RUNS_WIDTH_MAX 32

typedef struct dw_pq_runs {
    const uint8_t *at, *end;
    unsigned width;        /* of a value, in bits */
    size_t left;           /* of the run */
    bool is_packed;        /* the run is: value after value */
    const uint8_t *packed; /* where its bits begin */
    size_t packed_idx;     /* of the next value */
    uint32_t value;        /* of each in a run that is not packed */
} dw_pq_runs;

dw_pq_runs dw__pq_runs_make(dw_str bytes, unsigned width);
/* True, and they are taken, if the next `count` values are known to be the same. */
bool dw__pq_runs_take_same(dw_pq_runs *runs, size_t count, uint32_t *value_out);
/* Takes values; false when there are fewer. */
bool dw__pq_runs_take(dw_pq_runs *runs, uint32_t *out, size_t count);
/* The same for values of at most eight bits. */
bool dw__pq_runs_take_bytes(dw_pq_runs *runs, uint8_t *out, size_t count);

#endif
