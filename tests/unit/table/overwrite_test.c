/*
 * INSERT OVERWRITE of partitions, static and dynamic, and of rows, beside other writers.
 */
#include "unit/sql/sessions.h"

#include "sql/session.h"
#include "table/write.h"

typedef struct fixture {
    dwt_session *s;
    dw_table *table;
    dw_log_snapshot *before; /* what our write has read */
} fixture;

static int
setup(void **state)
{
    fixture *f = test_calloc(1, sizeof *f);
    void *session;
    (void) dwt_session_setup(&session);
    f->s = session;
    dwt_run(f->s, "CREATE TABLE t (i BIGINT, d DATE, p STRING) PARTITIONED BY (d, p);"
                  "INSERT INTO t SELECT range, DATE '2024-01-01' + (range % 3)::INT, 'a' "
                  "FROM range(9)");
    char path[DWT_PATH_SIZE + 8];
    (void) snprintf(path, sizeof path, "%s/t", f->s->dir.path);
    assert_ok(
        dw__catalog_table_at(f->s->session->catalog, dw__str_from(path), &f->table, &f->s->err),
        &f->s->err);
    assert_ok(dw__log_snapshot(dw__table_log(f->table), &f->before, &f->s->err), &f->s->err);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    fixture *f = *state;
    void *session = f->s;
    dw__log_snapshot_unref(f->before);
    dw__table_unref(f->table);
    (void) dwt_session_teardown(&session);
    test_free(f);
    return 0;
}

/* Overwrites what has been read before others wrote. */
static dw_status
overwrite(fixture *f, const char *query, bool is_dynamic, dw_pairs static_partitions)
{
    dw_write_result result;
    dw_write_spec spec = {.mode = DW_WRITE_OVERWRITE,
                          .query = dw__str_from(query),
                          .static_partitions = static_partitions,
                          .is_dynamic = is_dynamic,
                          .read_snapshot = f->before};
    return dw__table_write(f->table, f->s->session->connection, &spec, &result, &f->s->err);
}

#define COUNTS "SELECT d::VARCHAR, count(*) FROM t GROUP BY ALL ORDER BY ALL"

static void
test_overwrite__of_other_partitions_commits_behind_another(void **state)
{
    fixture *f = *state;
    dwt_run(f->s, "INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'dynamic') "
                  "SELECT 100, DATE '2024-01-02', 'a'");
    assert_ok(overwrite(f, "SELECT 200, DATE '2024-01-01', 'a'", true, (dw_pairs){0}), &f->s->err);
    dw_pair day = {DW_STR("d"), DW_STR("2024-01-03")};
    assert_ok(overwrite(f, "SELECT 300, 'b'", false, (dw_pairs){&day, 1}), &f->s->err);
    assert_gives(f->s, COUNTS, "2024-01-01|1\n2024-01-02|1\n2024-01-03|1");
}

static void
test_overwrite__of_the_same_partition_conflicts(void **state)
{
    fixture *f = *state;
    dwt_run(f->s, "INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'dynamic') "
                  "SELECT 100, DATE '2024-01-02', 'a'");
    assert_error(overwrite(f, "SELECT 200, DATE '2024-01-02', 'a'", true, (dw_pairs){0}),
                 DW_CONFLICT, "CONCURRENT_APPEND", &f->s->err);
    dw_pair day = {DW_STR("d"), DW_STR("2024-01-02")};
    assert_error(overwrite(f, "SELECT 300, 'b'", false, (dw_pairs){&day, 1}), DW_CONFLICT,
                 "CONCURRENT_APPEND", &f->s->err);
    assert_error(overwrite(f, "SELECT 200, DATE '2024-01-09', 'a'", false, (dw_pairs){0}),
                 DW_CONFLICT, "CONCURRENT_APPEND", &f->s->err);
    assert_gives(f->s, COUNTS, "2024-01-01|3\n2024-01-02|1\n2024-01-03|3");
}

static void
test_overwrite__counts_the_rows_that_it_replaces(void **state)
{
    fixture *f = *state;
    dw_change_report report = DW_CHANGE_REPORT_INIT;
    dw_result *result = NULL;
    const char *sql = "INSERT INTO t REPLACE WHERE i < 4 SELECT 2, DATE '2024-01-01', 'x'";
    assert_ok(dw_session_execute(f->s->session, sql, NULL, &result, &f->s->err), &f->s->err);
    assert_true(dw_result_change(result, &report));
    dw_result_free(result);
    assert_int_equal(report.rows_inserted, 1);
    assert_int_equal(report.rows_deleted, 4);
    assert_int_equal(report.files_rewritten + report.files_marked, 3);
    assert_int_equal(report.files_removed, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_overwrite__of_other_partitions_commits_behind_another),
        TEST(test_overwrite__of_the_same_partition_conflicts),
        TEST(test_overwrite__counts_the_rows_that_it_replaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
