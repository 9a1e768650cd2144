/*
 * Rules of rows where no SQL statement is: streams that are appended, and rows that are there when
 * a constraint is added.
 */
#include "unit/sql/sessions.h"

#include "engine/database.h"
#include "support/test_env.h"
#include "table/constraint.h"

enum { PATH_SIZE = 1024 };

static dw_status
append(dwt_session *s, const char *name, const char *sql)
{
    char path[PATH_SIZE];
    dw_table *table = NULL;
    dw_session *source = NULL;
    dw_result *result = NULL;
    struct ArrowArrayStream rows;
    (void) snprintf(path, sizeof path, "%s/%s", s->dir.path, name);
    assert_ok(dw_table_open(s->runtime, path, &table, &s->err), &s->err);
    assert_ok(dw_session_open(s->runtime, &source, &s->err), &s->err);
    assert_ok(dw_session_execute(source, sql, NULL, &result, &s->err), &s->err);
    assert_ok(dw_result_stream(result, &rows, &s->err), &s->err);
    dw_status status = dw_table_append(table, &rows, NULL, NULL, &s->err);
    dw_result_free(result);
    dw_session_close(source);
    dw_table_close(table);
    return status;
}

static void
test_append__fills_columns_by_their_rules(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (k BIGINT GENERATED ALWAYS AS IDENTITY, a INT, "
               "g INT GENERATED ALWAYS AS (a + 1), d STRING DEFAULT 'none') "
               "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')");
    assert_ok(append(s, "t", "SELECT 5 AS a"), &s->err);
    assert_ok(append(s, "t", "SELECT 6 AS a, 'x' AS d, 7 AS g"), &s->err);
    assert_ok(append(s, "t", "SELECT 8 AS a"), &s->err);
    assert_gives(s, "SELECT * FROM t ORDER BY k", "1|5|6|none\n2|6|7|x\n3|8|9|none");
    assert_error(append(s, "t", "SELECT 1 AS a, 3 AS g"), DW_INVALID_ARGUMENT,
                 "GENERATED_COLUMN_MISMATCH", &s->err);
    assert_error(append(s, "t", "SELECT 1::BIGINT AS k, 1 AS a"), DW_INVALID_ARGUMENT,
                 "IDENTITY_EXPLICIT", &s->err);
    assert_gives(s, "SELECT count(*) FROM t", "3");
}

/* ---- Rows that are there --------------------------------------------------------------------- */

typedef struct verification {
    dwt_env test;
    dw_database *database;
    dw_connection *connection;
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_arena arena;
} verification;

static void
open_verification(verification *v, dwt_session *s, const char *name)
{
    char path[PATH_SIZE];
    dw_database_options options = {.thread_count = 1};
    dwt_env_init(&v->test, 1);
    dw__arena_init(&v->arena, v->test.env.allocator);
    (void) snprintf(path, sizeof path, "%s/%s", s->dir.path, name);
    assert_ok(dw__database_open(&v->test.env, &options, &v->database, &s->err), &s->err);
    assert_ok(dw__connection_open(v->database, &v->connection, &s->err), &s->err);
    assert_ok(dw__table_open(&v->test.env, v->database, dw__str_from(path), &v->table, &s->err),
              &s->err);
    assert_ok(dw__log_snapshot(dw__table_log(v->table), &v->snapshot, &s->err), &s->err);
}

static void
close_verification(verification *v)
{
    dw__log_snapshot_unref(v->snapshot);
    dw__table_unref(v->table);
    dw__connection_close(v->connection);
    dw__database_close(v->database);
    dw__arena_deinit(&v->arena);
    dwt_env_deinit(&v->test);
}

static dw_status
verify(verification *v, const char *text, dw_error *err)
{
    dw_row_check check;
    dw__error_clear(err);
    DW_TRY(dw__row_check_make(DW_STR("c"), dw__str_from(text), dw__log_snapshot_schema(v->snapshot),
                              &v->arena, &check, err));
    return dw__row_check_verify(v->table, v->connection, v->snapshot, &check, err);
}

static void
test_constraint__is_verified_on_the_rows_that_are_there(void **state)
{
    dwt_session *s = *state;
    verification v = {0};
    dwt_run(s, "CREATE TABLE t (a INT, b STRING)");
    dwt_run(s, "INSERT INTO t VALUES (1, 'x'), (5, NULL)");
    dwt_run(s, "INSERT INTO t VALUES (9, 'it''s')");
    open_verification(&v, s, "t");
    assert_ok(verify(&v, "a > 0", &s->err), &s->err);
    assert_ok(verify(&v, "b IS NULL OR length(b) > 0", &s->err), &s->err);
    assert_error(verify(&v, "a <> 9", &s->err), DW_INVALID_ARGUMENT, "CHECK_CONSTRAINT_VIOLATION",
                 &s->err);
    assert_message_has(&s->err, "CHECK constraint \"c\" (a <> 9) is violated by a row with a = 9");
    assert_error(verify(&v, "b <> ''", &s->err), DW_INVALID_ARGUMENT, "CHECK_CONSTRAINT_VIOLATION",
                 &s->err);
    assert_message_has(&s->err, "b = NULL");
    assert_error(verify(&v, "1 > 2", &s->err), DW_INVALID_ARGUMENT, "CHECK_CONSTRAINT_VIOLATION",
                 &s->err);
    assert_message_has(&s->err, "violated by every row");
    assert_error(verify(&v, "a", &s->err), DW_INVALID_ARGUMENT, "EXPRESSION_INVALID", &s->err);
    assert_error(verify(&v, "nope(a)", &s->err), DW_UNSUPPORTED, "EXPRESSION_UNSUPPORTED", &s->err);
    close_verification(&v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_append__fills_columns_by_their_rules),
        TEST(test_constraint__is_verified_on_the_rows_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
