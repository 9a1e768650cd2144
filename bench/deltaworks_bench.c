/*
 * deltaworks_bench.c - our side of the benchmarks, in one process and through the public header.
 *
 * A workload is prepared, then announces itself with `{"ready":true}`. Each line on standard input
 * runs one step of it, which is timed alone and answered by one line of JSON with its wall time,
 * its CPU time over all threads and a count that proves what was done. At the end of input comes
 * the peak of resident memory. So a driver can take turns between us and a peer, and neither
 * process start nor set-up is in a figure.
 */
#include "deltaworks.h"
#include "readers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STATEMENT_SIZE_MAX = 16 * 1024,
    ORDER_KEY_MAX = 6000000 /* of TPC-H at scale factor 1 */
};

typedef struct bench {
    char **arguments; /* of the workload, NULL-terminated */
    dw_runtime *runtime;
    dw_session *session;
    dw_table *table;
    dw_snapshot *snapshot;
    replay_batch batch; /* the rows that an append sends */
    int64_t step;       /* how many steps ran before this one */
    double p99;         /* of the queries in a step, in seconds; 0: not known */
} bench;

typedef struct workload {
    const char *name;
    int argument_count;
    const char *usage;
    dw_status (*prepare)(bench *b, dw_error *err);
    dw_status (*run)(bench *b, int64_t *count_out, dw_error *err);
} workload;

static double
seconds(clockid_t clock)
{
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* The peak of resident memory in MB, or -1. */
static double
peak_memory_mb(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) {
        return -1;
    }
    char line[256];
    double found = -1;
    while (found < 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            found = strtod(line + 6, NULL) / 1024;
        }
    }
    (void) fclose(file);
    return found;
}

static dw_status
fail(dw_error *err, const char *message)
{
    err->status = DW_INVALID_ARGUMENT;
    (void) snprintf(err->message, sizeof err->message, "%s", message);
    return err->status;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

static dw_status
open_session(bench *b, dw_error *err)
{
    dw_status status = dw_runtime_open(NULL, &b->runtime, err);
    return status == DW_OK ? dw_session_open(b->runtime, &b->session, err) : status;
}

/* Reads a stream to its end; `count_out` receives the number of rows. Releases the stream. */
static dw_status
drain(struct ArrowArrayStream *stream, int64_t *count_out, dw_error *err)
{
    dw_status status = DW_OK;
    for (;;) {
        struct ArrowArray rows = {0};
        if (stream->get_next(stream, &rows) != 0) {
            status = fail(err, stream->get_last_error(stream));
            break;
        }
        if (rows.release == NULL) {
            break;
        }
        *count_out += rows.length;
        rows.release(&rows);
    }
    stream->release(stream);
    return status;
}

static dw_status
execute(bench *b, const char *sql, int64_t *count_out, dw_error *err)
{
    dw_result *result = NULL;
    dw_status status = dw_session_execute(b->session, sql, NULL, &result, err);
    if (status == DW_OK && dw_result_has_rows(result)) {
        struct ArrowArrayStream stream = {0};
        status = dw_result_stream(result, &stream, err);
        if (status == DW_OK) {
            status = drain(&stream, count_out, err);
        }
    } else if (status == DW_OK) {
        *count_out = dw_result_row_count(result);
    }
    dw_result_free(result);
    return status;
}

static dw_status
query_run(bench *b, int64_t *count_out, dw_error *err)
{
    return execute(b, b->arguments[0], count_out, err);
}

/* create SOURCE FOLDER: a table below FOLDER, new at each step. */
static dw_status
create_run(bench *b, int64_t *count_out, dw_error *err)
{
    char sql[STATEMENT_SIZE_MAX];
    int size = snprintf(sql, sizeof sql,
                        "CREATE TABLE delta.`%s/%" PRId64 "` USING DELTA AS "
                        "SELECT * FROM read_parquet('%s')",
                        b->arguments[1], b->step, b->arguments[0]);
    if (size < 0 || size >= (int) sizeof sql) {
        return fail(err, "the paths are too long");
    }
    return execute(b, sql, count_out, err);
}

/* commit TABLE: a version that changes a property of the table and nothing else. */
static dw_status
commit_run(bench *b, int64_t *count_out, dw_error *err)
{
    char sql[STATEMENT_SIZE_MAX];
    int size = snprintf(sql, sizeof sql,
                        "ALTER TABLE delta.`%s` SET TBLPROPERTIES ('bench.step' = '%" PRId64 "')",
                        b->arguments[0], b->step);
    if (size < 0 || size >= (int) sizeof sql) {
        return fail(err, "the path is too long");
    }
    return execute(b, sql, count_out, err);
}

/* ---- appends --------------------------------------------------------------------------------- */

static dw_status
first_batch(bench *b, const char *sql, dw_error *err)
{
    dw_result *result = NULL;
    struct ArrowArrayStream stream = {0};
    dw_status status = dw_session_execute(b->session, sql, NULL, &result, err);
    if (status == DW_OK) {
        status = dw_result_stream(result, &stream, err);
    }
    if (status == DW_OK) {
        if (!replay_take(&b->batch, &stream)) {
            status = fail(err, "expected the rows to append in one batch");
        }
        stream.release(&stream);
    }
    dw_result_free(result);
    return status;
}

/* append TABLE SOURCE ROWS: opens the table, which is created unless it is there. */
static dw_status
append_prepare(bench *b, dw_error *err)
{
    dw_status status = open_session(b, err);
    char sql[STATEMENT_SIZE_MAX];
    (void) snprintf(sql, sizeof sql, "SELECT * FROM read_parquet('%s') LIMIT %s", b->arguments[1],
                    b->arguments[2]);
    if (status == DW_OK) {
        status = first_batch(b, sql, err);
    }
    if (status != DW_OK) {
        return status;
    }
    status = dw_table_create(b->runtime, b->arguments[0], &b->batch.schema, NULL, &b->table, err);
    if (status == DW_ALREADY_EXISTS) {
        status = dw_table_open(b->runtime, b->arguments[0], &b->table, err);
    }
    return status;
}

static dw_status
append_run(bench *b, int64_t *count_out, dw_error *err)
{
    struct ArrowArrayStream rows = {0};
    if (!replay_stream(&b->batch, &rows)) {
        return fail(err, "no memory for a stream");
    }
    dw_commit commit = {0};
    dw_status status = dw_table_append(b->table, &rows, NULL, &commit, err);
    *count_out = commit.rows_added;
    return status;
}

/* readers TABLE SOURCE SECONDS: many look rows up while one appends to the table. */
static dw_status
readers_prepare(bench *b, dw_error *err)
{
    char sql[STATEMENT_SIZE_MAX];
    (void) snprintf(sql, sizeof sql, "SELECT * FROM read_parquet('%s') LIMIT 1000",
                    b->arguments[1]);
    dw_status status = open_session(b, err);
    return status == DW_OK ? first_batch(b, sql, err) : status;
}

static dw_status
readers_step(bench *b, int64_t *count_out, dw_error *err)
{
    readers_result result = {0};
    dw_status status = readers_run(b->runtime, b->arguments[0], &b->batch, ORDER_KEY_MAX,
                                   strtod(b->arguments[2], NULL), &result, err);
    *count_out = result.query_count;
    b->p99 = result.p99_s;
    return status;
}

/* ---- logs ------------------------------------------------------------------------------------ */

static dw_status
open_snapshot(bench *b, dw_error *err)
{
    dw_status status = dw_table_open(b->runtime, b->arguments[0], &b->table, err);
    return status == DW_OK ? dw_table_snapshot(b->table, NULL, &b->snapshot, err) : status;
}

static void
close_snapshot(bench *b)
{
    dw_snapshot_unref(b->snapshot);
    b->snapshot = NULL;
    dw_table_close(b->table);
    b->table = NULL;
}

static dw_status
plan(bench *b, const char *filter, int64_t *count_out, dw_error *err)
{
    char **paths = NULL;
    dw_status status = dw_snapshot_plan(b->snapshot, filter, &paths, count_out, err);
    dw_file_list_free(paths);
    return status;
}

static dw_status
open_prepare(bench *b, dw_error *err)
{
    return dw_runtime_open(NULL, &b->runtime, err);
}

/* open TABLE: the newest snapshot and the paths of all its files. */
static dw_status
open_run(bench *b, int64_t *count_out, dw_error *err)
{
    dw_status status = open_snapshot(b, err);
    if (status == DW_OK) {
        status = plan(b, NULL, count_out, err);
    }
    close_snapshot(b);
    return status;
}

/* The engine is up before the first step, as a peer's is. */
static dw_status
plan_prepare(bench *b, dw_error *err)
{
    int64_t rows = 0;
    dw_status status = open_session(b, err);
    return status == DW_OK ? execute(b, "SELECT 1", &rows, err) : status;
}

/* plan_cold TABLE FILTER: the table is opened and planned at each step. */
static dw_status
plan_cold_run(bench *b, int64_t *count_out, dw_error *err)
{
    dw_status status = open_snapshot(b, err);
    if (status == DW_OK) {
        status = plan(b, b->arguments[1], count_out, err);
    }
    close_snapshot(b);
    return status;
}

static dw_status
plan_warm_prepare(bench *b, dw_error *err)
{
    dw_status status = plan_prepare(b, err);
    return status == DW_OK ? open_snapshot(b, err) : status;
}

static dw_status
plan_warm_run(bench *b, int64_t *count_out, dw_error *err)
{
    return plan(b, b->arguments[1], count_out, err);
}

/* ---- the program ----------------------------------------------------------------------------- */

static const workload workloads[] = {
    {"query", 1, "SQL", open_session, query_run},
    {"create", 2, "SOURCE FOLDER", open_session, create_run},
    {"commit", 1, "TABLE", open_session, commit_run},
    {"append", 3, "TABLE SOURCE ROWS", append_prepare, append_run},
    {"readers", 3, "TABLE SOURCE SECONDS", readers_prepare, readers_step},
    {"open", 1, "TABLE", open_prepare, open_run},
    {"plan_cold", 2, "TABLE FILTER", plan_prepare, plan_cold_run},
    {"plan_warm", 2, "TABLE FILTER", plan_warm_prepare, plan_warm_run},
};

static const workload *
find_workload(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof workloads / sizeof workloads[0]; i++) {
        if (strcmp(argv[1], workloads[i].name) == 0 && argc - 2 == workloads[i].argument_count) {
            return &workloads[i];
        }
    }
    return NULL;
}

static void
print_usage(void)
{
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        (void) fprintf(stderr, "usage: deltaworks_bench %s %s\n", workloads[i].name,
                       workloads[i].usage);
    }
}

static dw_status
run_steps(const workload *w, bench *b, dw_error *err)
{
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        int64_t count = 0;
        double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        double wall = seconds(CLOCK_MONOTONIC);
        dw_status status = w->run(b, &count, err);
        wall = seconds(CLOCK_MONOTONIC) - wall;
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        if (status != DW_OK) {
            return status;
        }
        (void) printf("{\"wall\":%.9f,\"cpu\":%.9f,\"count\":%" PRId64 ",\"p99\":%.9f}\n", wall,
                      cpu, count, b->p99);
        (void) fflush(stdout);
        b->step++;
    }
    return DW_OK;
}

int
main(int argc, char **argv)
{
    const workload *w = find_workload(argc, argv);
    if (w == NULL) {
        print_usage();
        return 2;
    }
    dw_error err = DW_ERROR_INIT;
    bench b = {.arguments = argv + 2};
    dw_status status = w->prepare(&b, &err);
    if (status == DW_OK) {
        (void) puts("{\"ready\":true}");
        (void) fflush(stdout);
        status = run_steps(w, &b, &err);
    }
    if (status == DW_OK) {
        (void) printf("{\"peak_mb\":%.1f}\n", peak_memory_mb());
    } else {
        (void) fprintf(stderr, "deltaworks_bench: %s: %s (%s)\n", w->name, err.message,
                       err.context);
    }
    close_snapshot(&b);
    replay_free(&b.batch);
    dw_session_close(b.session);
    dw_runtime_close(b.runtime);
    return status == DW_OK ? 0 : 1;
}
