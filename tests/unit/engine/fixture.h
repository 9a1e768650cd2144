/*
 * A database with one connection and a directory, for the tests of this folder.
 */
#ifndef DWT_ENGINE_FIXTURE_H
#define DWT_ENGINE_FIXTURE_H

#include "support/test.h"

#include "engine/database.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

typedef struct fixture {
    dwt_env world;
    dwt_temp_dir dir;
    dw_database *database;
    dw_connection *connection;
    dw_arena arena;
    dw_error err;
} fixture;

/* cmocka's setup and teardown; *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Each fails the test when it does not work. Statements are printf formats. */
void fixture_run(fixture *f, const char *fmt, ...) DW_PRINTF(2, 3);
/* The rows as text: cells joined by '|', rows by '\n', NULL as "NULL". In the fixture's arena. */
const char *fixture_rows(fixture *f, const char *fmt, ...) DW_PRINTF(2, 3);
/* "<dir>/<name>" in the fixture's arena. */
const char *fixture_path(fixture *f, const char *name);

#define assert_rows(f, expected, ...) assert_string_equal(fixture_rows((f), __VA_ARGS__), expected)

#endif
