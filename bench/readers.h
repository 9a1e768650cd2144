/*
 * readers.h - many sessions that look up rows of one table while another thread appends to it.
 */
#ifndef DW_BENCH_READERS_H
#define DW_BENCH_READERS_H

#include "replay.h"

enum { READER_COUNT = 50 };

typedef struct readers_result {
    int64_t query_count;
    int64_t commit_count; /* of the writer */
    double p99_s;         /* of a query's time */
} readers_result;

/* Runs READER_COUNT readers, each in a thread and a session of its own, and one writer for so many
 * seconds. A query looks for the rows of a key below `key_max` in the newest version of the table
 * at `path`. The first failure of any of them ends all, and is returned. */
dw_status readers_run(dw_runtime *runtime, const char *path, const replay_batch *appended,
                      int64_t key_max, double seconds, readers_result *out, dw_error *err);

#endif
