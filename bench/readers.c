/*
 * readers.c - readers beside a writer; see readers.h.
 */
#include "readers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STATEMENT_SIZE_MAX = 4096, LATENCIES_MIN = 1024 };

/* What all threads share. */
typedef struct contest {
    dw_runtime *runtime;
    const char *path;
    const replay_batch *appended;
    int64_t key_max;
    double end; /* on the monotonic clock */
    atomic_bool is_over;
} contest;

typedef struct reader {
    contest *shared;
    pthread_t thread;
    unsigned int seed;
    double *latencies; /* seconds */
    size_t count, capacity;
    dw_error err;
    bool failed;
} reader;

typedef struct writer {
    contest *shared;
    pthread_t thread;
    int64_t commit_count;
    dw_error err;
    bool failed;
} writer;

static double
now(void)
{
    struct timespec time = {0};
    (void) clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static bool
goes_on(contest *shared)
{
    return !atomic_load(&shared->is_over) && now() < shared->end;
}

static dw_status
look_up(reader *r, dw_session *session)
{
    char sql[STATEMENT_SIZE_MAX];
    int64_t key = 1 + (int64_t) (rand_r(&r->seed) % r->shared->key_max);
    (void) snprintf(sql, sizeof sql, "SELECT * FROM delta.`%s` WHERE l_orderkey = %" PRId64,
                    r->shared->path, key);
    dw_result *result = NULL;
    struct ArrowArrayStream stream = {0};
    dw_status status = dw_session_execute(session, sql, NULL, &result, &r->err);
    if (status == DW_OK) {
        status = dw_result_stream(result, &stream, &r->err);
    }
    struct ArrowArray rows = {0};
    while (status == DW_OK && stream.get_next(&stream, &rows) == 0 && rows.release != NULL) {
        rows.release(&rows);
    }
    if (stream.release != NULL) {
        stream.release(&stream);
    }
    dw_result_free(result);
    return status;
}

static bool
remember(reader *r, double latency)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity == 0 ? LATENCIES_MIN : r->capacity * 2;
        double *grown = realloc(r->latencies, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        r->latencies = grown;
        r->capacity = capacity;
    }
    r->latencies[r->count++] = latency;
    return true;
}

static void *
read_main(void *argument)
{
    reader *r = argument;
    dw_session *session = NULL;
    dw_status status = dw_session_open(r->shared->runtime, &session, &r->err);
    while (status == DW_OK && goes_on(r->shared)) {
        double started = now();
        status = look_up(r, session);
        if (status == DW_OK && !remember(r, now() - started)) {
            status = DW_OUT_OF_MEMORY;
        }
    }
    dw_session_close(session);
    r->failed = status != DW_OK;
    if (r->failed) {
        atomic_store(&r->shared->is_over, true);
    }
    return NULL;
}

static void *
write_main(void *argument)
{
    writer *w = argument;
    dw_table *table = NULL;
    dw_status status = dw_table_open(w->shared->runtime, w->shared->path, &table, &w->err);
    while (status == DW_OK && goes_on(w->shared)) {
        struct ArrowArrayStream rows = {0};
        dw_commit commit = {0};
        status = replay_stream(w->shared->appended, &rows) ? DW_OK : DW_OUT_OF_MEMORY;
        if (status == DW_OK) {
            status = dw_table_append(table, &rows, NULL, &commit, &w->err);
        }
        w->commit_count += status == DW_OK;
    }
    dw_table_close(table);
    w->failed = status != DW_OK;
    if (w->failed) {
        atomic_store(&w->shared->is_over, true);
    }
    return NULL;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;
    return (x > y) - (x < y);
}

static dw_status
percentile(const reader *readers, int64_t total, double *p99_out)
{
    double *all = malloc((size_t) (total + 1) * sizeof *all);
    if (all == NULL) {
        return DW_OUT_OF_MEMORY;
    }
    size_t count = 0;
    for (int i = 0; i < READER_COUNT; i++) {
        for (size_t k = 0; k < readers[i].count; k++) {
            all[count++] = readers[i].latencies[k];
        }
    }
    qsort(all, count, sizeof *all, compare_doubles);
    *p99_out = count > 0 ? all[count * 99 / 100] : 0;
    free(all);
    return DW_OK;
}

static dw_status
sum_up(const reader *readers, const writer *w, readers_result *out, dw_error *err)
{
    *out = (readers_result){.commit_count = w->commit_count};
    for (int i = 0; i < READER_COUNT; i++) {
        if (readers[i].failed) {
            *err = readers[i].err;
            return err->status != DW_OK ? err->status : DW_OUT_OF_MEMORY;
        }
        out->query_count += (int64_t) readers[i].count;
    }
    if (w->failed) {
        *err = w->err;
        return err->status != DW_OK ? err->status : DW_OUT_OF_MEMORY;
    }
    return percentile(readers, out->query_count, &out->p99_s);
}

dw_status
readers_run(dw_runtime *runtime, const char *path, const replay_batch *appended, int64_t key_max,
            double seconds, readers_result *out, dw_error *err)
{
    contest shared = {.runtime = runtime,
                      .path = path,
                      .appended = appended,
                      .key_max = key_max,
                      .end = now() + seconds};
    reader readers[READER_COUNT] = {0};
    writer writing = {.shared = &shared, .err = DW_ERROR_INIT};
    bool writes = pthread_create(&writing.thread, NULL, write_main, &writing) == 0;
    int started = 0;
    for (; writes && started < READER_COUNT; started++) {
        readers[started] =
            (reader){.shared = &shared, .seed = (unsigned int) started + 1, .err = DW_ERROR_INIT};
        if (pthread_create(&readers[started].thread, NULL, read_main, &readers[started]) != 0) {
            atomic_store(&shared.is_over, true);
            break;
        }
    }
    for (int i = 0; i < started; i++) {
        (void) pthread_join(readers[i].thread, NULL);
    }
    if (writes) {
        (void) pthread_join(writing.thread, NULL);
    }
    dw_status status =
        started == READER_COUNT ? sum_up(readers, &writing, out, err) : DW_OUT_OF_MEMORY;
    for (int i = 0; i < started; i++) {
        free(readers[i].latencies);
    }
    return status;
}
