/*
 * A program that uses the library through its public functions: a runtime, a session and a
 * directory for the tables, and one of them.
 */
#ifndef DWT_API_FIXTURE_H
#define DWT_API_FIXTURE_H

#include "support/temp_dir.h"
#include "support/test.h"

#include "deltaworks.h"

typedef struct fixture {
    dwt_temp_dir dir; /* the warehouse */
    dw_runtime *runtime;
    dw_session *session;
    char path[DWT_PATH_SIZE + 16]; /* of table "t" */
    dw_table *table;               /* NULL until it is opened */
    dw_snapshot *snapshot;         /* NULL until a test reads it */
    dw_error err;
} fixture;

/* cmocka's; *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Opens the runtime and the session once more, by these options but for the warehouse; the table
 * is closed. */
void fixture_reopen(fixture *f, dw_runtime_options options);
/* Each fails the test when it does not work. */
void fixture_run(fixture *f, const char *sql);
/* The rows of a query; the caller frees the result when it is done with them. */
dw_result *fixture_query(fixture *f, const char *sql, struct ArrowArrayStream *rows);
/* Runs a statement that makes table "t", and opens it. */
void fixture_make_table(fixture *f, const char *sql);

#endif
