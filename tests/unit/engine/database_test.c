/*
 * The instance: loaded when needed, set up as asked, and clear when it cannot be had.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>

static void
test_database__is_not_loaded_before_the_first_statement(void **state)
{
    fixture *f = *state;
    assert_false(dw__database_is_loaded(f->database));
    assert_true(dw__connection_progress(f->connection) < 0);
    dw__connection_interrupt(f->connection);
    assert_false(dw__database_is_loaded(f->database));
    fixture_run(f, "SELECT 1");
    assert_true(dw__database_is_loaded(f->database));
}

#define WORKING_THREADS "current_setting('threads') - current_setting('external_threads') + 1"

static void
test_database__has_the_settings_it_was_given(void **state)
{
    fixture *f = *state;
    dw__connection_close(f->connection);
    dw__database_close(f->database);
    dw_str spill = dw__str_from(fixture_path(f, "spill 'here'"));
    dw_database_options options = {(uint64_t) 300 << 20, 1, spill};
    assert_ok(dw__database_open(&f->world.env, &options, &f->database, &f->err), &f->err);
    assert_ok(dw__connection_open(f->database, &f->connection, &f->err), &f->err);
    assert_rows(f, "281.2 MiB|1|UTC|true",
                "SELECT current_setting('memory_limit'), " WORKING_THREADS
                ", current_setting('TimeZone'), current_setting('preserve_insertion_order')");
    assert_rows(f, spill.ptr, "SELECT current_setting('temp_directory')");
}

static void
test_database__has_fewer_threads_with_little_memory(void **state)
{
    fixture *f = *state;
    for (uint64_t limit = 1; limit <= 1000; limit *= 10) {
        dw__connection_close(f->connection);
        dw__database_close(f->database);
        dw_database_options options = {limit << 20, 4, DW_STR_NULL};
        assert_ok(dw__database_open(&f->world.env, &options, &f->database, &f->err), &f->err);
        assert_ok(dw__connection_open(f->database, &f->connection, &f->err), &f->err);
        assert_rows(f, limit == 1000 ? "4" : "1", "SELECT " WORKING_THREADS);
    }
}

static void
test_database__spills_what_does_not_fit(void **state)
{
    fixture *f = *state;
    fixture_run(f, "SET memory_limit = '60MB'");
    fixture_run(f, "CREATE TABLE wide AS SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS s "
                   "FROM range(1500000) t(i)");
    assert_rows(f, "1500000|1499999",
                "SELECT count(*), max(i) FROM (SELECT * FROM wide ORDER BY s)");
}

static void
test_database__says_when_memory_is_short(void **state)
{
    fixture *f = *state;
    fixture_run(f, "SET memory_limit = '20MB'");
    fixture_run(f, "SET max_temp_directory_size = '1KB'");
    dw_status status = dw__connection_execute(
        f->connection, DW_STR("SELECT list(i) FROM range(20000000) t(i)"), &f->err);
    assert_true(status == DW_OUT_OF_MEMORY || status == DW_IO);
    assert_null(strchr(f->err.message, '\n'));
    assert_null(strstr(f->err.message, "duckdb.org"));
}

static void *
read_setting(void *ctx)
{
    fixture *f = ctx;
    dw_connection *connection = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__connection_open(f->database, &connection, &err);
    if (status == DW_OK) {
        status =
            dw__connection_execute(connection, DW_STR("SELECT count(*) FROM range(1000)"), &err);
    }
    dw__connection_close(connection);
    return status == DW_OK ? NULL : "failed";
}

static void
test_database__loads_once_for_many_threads(void **state)
{
    fixture *f = *state;
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_setting, f), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

static void
test_database__never_reaches_for_extensions(void **state)
{
    fixture *f = *state;
    dw_status status = dw__connection_execute(
        f->connection, DW_STR("SELECT * FROM 'https://x.invalid/y.parquet'"), &f->err);
    assert_int_not_equal(status, DW_OK);
    assert_null(strchr(f->err.message, '\n'));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_database__is_not_loaded_before_the_first_statement),
        TEST(test_database__has_the_settings_it_was_given),
        TEST(test_database__has_fewer_threads_with_little_memory),
        TEST(test_database__spills_what_does_not_fit),
        TEST(test_database__says_when_memory_is_short),
        TEST(test_database__loads_once_for_many_threads),
        TEST(test_database__never_reaches_for_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
