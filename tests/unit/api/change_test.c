/* What a statement says of the rows and files that it changed. */
#include "fixture.h"

/* Runs a statement; false when it has no figures. */
static bool
run(fixture *f, const char *sql, dw_change_report *out)
{
    dw_result *result = NULL;
    *out = (dw_change_report) DW_CHANGE_REPORT_INIT;
    assert_ok(dw_session_execute(f->session, sql, NULL, &result, &f->err), &f->err);
    bool has_change = dw_result_change(result, out);
    dw_result_free(result);
    return has_change;
}

static void
test_change__counts_rows_and_files_that_are_added(void **state)
{
    fixture *f = *state;
    dw_change_report report;
    assert_true(run(f, "CREATE TABLE t AS SELECT range AS id FROM range(100)", &report));
    assert_int_equal(report.version, 0);
    assert_int_equal(report.rows_inserted, 100);
    assert_int_equal(report.files_added, 1);
    assert_true(report.bytes_added > 0);
    assert_true(run(f, "INSERT INTO t SELECT 1 WHERE false", &report));
    assert_int_equal(report.version, -1);
    assert_true(run(f, "INSERT OVERWRITE t VALUES (1), (2)", &report));
    assert_int_equal(report.version, 1);
    assert_int_equal(report.rows_inserted, 2);
    assert_int_equal(report.rows_deleted, 100);
    assert_int_equal(report.files_removed, 1);
    assert_true(run(f, "CREATE TABLE IF NOT EXISTS t (id INT)", &report));
    assert_int_equal(report.version, -1);
}

static void
test_change__counts_rows_that_are_updated_and_deleted(void **state)
{
    fixture *f = *state;
    dw_change_report report;
    (void) run(f, "CREATE TABLE t AS SELECT range AS id FROM range(100)", &report);
    assert_true(run(f, "UPDATE t SET id = -id WHERE id BETWEEN 10 AND 19", &report));
    assert_int_equal(report.version, 1);
    assert_int_equal(report.rows_updated, 10);
    assert_int_equal(report.rows_deleted, 0);
    assert_int_equal(report.files_marked, 1);
    assert_int_equal(report.files_added, 1);
    assert_true(run(f, "DELETE FROM t WHERE id < 5", &report));
    assert_int_equal(report.rows_deleted, 15);
    assert_int_equal(report.files_removed, 1); /* that of the updated rows */
    assert_int_equal(report.files_marked, 1);
    assert_true(run(f, "DELETE FROM t WHERE id = 1000", &report));
    assert_int_equal(report.version, -1);
    assert_int_equal(report.rows_deleted, 0);
    (void) run(f, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')",
               &report);
    assert_true(run(f, "DELETE FROM t WHERE id = 50", &report));
    assert_int_equal(report.files_rewritten, 1);
    assert_int_equal(report.files_added, 1);
    assert_true(run(f, "TRUNCATE TABLE t", &report));
    assert_int_equal(report.rows_deleted, 84);
}

static void
test_change__counts_what_a_merge_does(void **state)
{
    fixture *f = *state;
    dw_change_report report;
    (void) run(f, "CREATE TABLE t AS SELECT range AS id, 0 AS n FROM range(10)", &report);
    assert_true(run(f,
                    "MERGE INTO t USING (SELECT range AS id FROM range(8, 13)) s ON t.id = s.id "
                    "WHEN MATCHED AND t.id = 9 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 1 "
                    "WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, 2)",
                    &report));
    assert_int_equal(report.version, 1);
    assert_int_equal(report.rows_inserted, 3);
    assert_int_equal(report.rows_updated, 1);
    assert_int_equal(report.rows_deleted, 1);
    assert_int_equal(report.files_marked + report.files_rewritten, 1);
}

static void
test_change__is_none_of_statements_that_change_no_rows(void **state)
{
    fixture *f = *state;
    dw_change_report report;
    assert_false(run(f, "SELECT 1", &report));
    assert_int_equal(report.version, -1);
    assert_false(run(f, "CREATE TEMP TABLE e (a INT)", &report));
    assert_false(dw_result_change(NULL, &report));
}

static void
test_change__leaves_alone_what_an_older_caller_lacks(void **state)
{
    fixture *f = *state;
    dw_result *result = NULL;
    dw_change_report report = DW_CHANGE_REPORT_INIT;
    report.size = offsetof(dw_change_report, rows_updated);
    report.rows_updated = 77;
    assert_ok(
        dw_session_execute(f->session, "CREATE TABLE t AS SELECT 1 AS a", NULL, &result, &f->err),
        &f->err);
    assert_true(dw_result_change(result, &report));
    assert_int_equal(report.size, offsetof(dw_change_report, rows_updated));
    assert_int_equal(report.rows_inserted, 1);
    assert_int_equal(report.rows_updated, 77);
    dw_result_free(result);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_change__counts_rows_and_files_that_are_added),
        TEST(test_change__counts_rows_that_are_updated_and_deleted),
        TEST(test_change__counts_what_a_merge_does),
        TEST(test_change__is_none_of_statements_that_change_no_rows),
        TEST(test_change__leaves_alone_what_an_older_caller_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
