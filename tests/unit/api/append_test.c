/*
 * Appends through the public functions: which columns rows may bring, and what is said of values.
 */
#include "fixture.h"

#include <stdlib.h>

/* Appends what a query returns. */
static dw_status
append(fixture *f, bool merges, const char *sql)
{
    struct ArrowArrayStream rows;
    dw_result *result = fixture_query(f, sql, &rows);
    dw_append_options options = DW_APPEND_OPTIONS_INIT;
    options.merge_schema = merges;
    dw_status status = dw_table_append(f->table, &rows, &options, NULL, &f->err);
    assert_null(rows.release);
    dw_result_free(result);
    return status;
}

static void
assert_schema_has(fixture *f, const char *part)
{
    dw_snapshot *snapshot = NULL;
    assert_ok(dw_table_snapshot(f->table, NULL, &snapshot, &f->err), &f->err);
    assert_non_null(strstr(dw_snapshot_schema_json(snapshot), part));
    dw_snapshot_unref(snapshot);
}

/* How many rows of the table meet the condition. */
static int64_t
count_rows(fixture *f, const char *condition)
{
    dw_snapshot *snapshot = NULL;
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    int64_t count = 0;
    dw_scan_options options = DW_SCAN_OPTIONS_INIT;
    options.filter = condition;
    assert_ok(dw_table_snapshot(f->table, NULL, &snapshot, &f->err), &f->err);
    assert_ok(dw_snapshot_scan(snapshot, &options, &rows, &f->err), &f->err);
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        count += batch.length;
        batch.release(&batch);
    }
    rows.release(&rows);
    dw_snapshot_unref(snapshot);
    return count;
}

static void
test_append__refuses_columns_that_the_table_lacks_unless_told_to_merge(void **state)
{
    fixture *f = *state;
    fixture_make_table(f, "CREATE TABLE t (id INT, s STRUCT<a: INT>)");
    assert_error(append(f, false, "SELECT 1 AS id, 9.5::DOUBLE AS price"), DW_INVALID_ARGUMENT,
                 "COLUMN_NOT_FOUND", &f->err);
    assert_message_has(&f->err, "\"price\"");
    assert_error(append(f, false, "SELECT 1 AS id, {a: 1, b: 2} AS s"), DW_INVALID_ARGUMENT,
                 "TYPE_MISMATCH", &f->err);
    assert_int_equal(count_rows(f, "true"), 0);
    assert_ok(append(f, true, "SELECT 1 AS id, 9.5::DOUBLE AS price"), &f->err);
    assert_int_equal(count_rows(f, "price = 9.5 AND s IS NULL"), 1);
    assert_schema_has(f, "{\"name\":\"price\",\"type\":\"double\",\"nullable\":true");
}

static void
test_append__records_its_run_and_the_columns_it_wrote(void **state)
{
    fixture *f = *state;
    char path[sizeof f->path + 64];
    char commit[8192] = {0};
    fixture_make_table(f, "CREATE TABLE t (id INT, name STRING)");
    assert_ok(append(f, false, "SELECT 1 AS id, 'x' AS name"), &f->err);
    (void) snprintf(path, sizeof path, "%s/_delta_log/00000000000000000001.json", f->path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(commit, 1, sizeof commit - 1, file) > 0);
    (void) fclose(file);
    assert_non_null(strstr(commit, "\"job\":\"append.t\""));
    assert_non_null(strstr(commit, "\"run\":\""));
    assert_null(strstr(commit, "\"sql\""));
    assert_non_null(strstr(commit,
                           "\"inputs\":[],\"columns\":{\"id\":{\"how\":\"derived\",\"from\":["
                           "]},\"name\":{"));
}

static void
test_append__merges_columns_without_case(void **state)
{
    fixture *f = *state;
    fixture_make_table(f, "CREATE TABLE t (Id INT, s STRUCT<Inner: INT>)");
    assert_ok(append(f, true, "SELECT 7 AS ID, {\"INNER\": 3, more: 'x'} AS S"), &f->err);
    assert_int_equal(count_rows(f, "Id = 7 AND s.Inner = 3 AND s.more = 'x'"), 1);
    assert_schema_has(f, "\"Id\"");
    assert_schema_has(f, "\"Inner\"");
}

static void
test_append__merges_fields_at_every_depth(void **state)
{
    fixture *f = *state;
    fixture_make_table(
        f, "CREATE TABLE t (id INT, l ARRAY<STRUCT<a: INT>>, m MAP<STRING, STRUCT<a: INT>>)");
    assert_ok(append(f, false, "SELECT 1 AS id, [{a: 1}] AS l"), &f->err);
    assert_ok(
        append(f, true, "SELECT 2 AS id, [{b: 'x', a: 1}] AS l, MAP {'k': {c: 2.5::DOUBLE}} AS m"),
        &f->err);
    assert_int_equal(count_rows(f, "id = 1 AND l[1].a = 1 AND l[1].b IS NULL"), 1);
    assert_int_equal(count_rows(f, "id = 2 AND l[1].a = 1 AND l[1].b = 'x'"), 1);
    assert_int_equal(count_rows(f, "id = 2 AND m['k'].c = 2.5 AND m['k'].a IS NULL"), 1);
}

static void
test_append__widens_types_only_where_the_table_allows_it(void **state)
{
    fixture *f = *state;
    fixture_make_table(f, "CREATE TABLE t (id INT)");
    assert_error(append(f, true, "SELECT 5000000000 AS id"), DW_INVALID_ARGUMENT,
                 "CONVERSION_ERROR", &f->err);
    assert_message_has(&f->err, "column \"id\": expected int, found 5000000000 in row 1");
    fixture_run(f, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')");
    assert_ok(append(f, true, "SELECT 5000000000 AS id"), &f->err);
    assert_int_equal(count_rows(f, "id = 5000000000"), 1);
}

static void
test_append__tells_a_value_that_does_not_fit_with_its_row(void **state)
{
    fixture *f = *state;
    fixture_make_table(
        f, "CREATE TABLE t (id INT, s STRUCT<n: INT>, l ARRAY<DECIMAL(4, 1)>, dw_source_row INT)");
    assert_error(append(f, false,
                        "SELECT CASE WHEN i = 5017 THEN 1.5 ELSE i END::DOUBLE AS id "
                        "FROM range(1, 9000) r(i)"),
                 DW_INVALID_ARGUMENT, "VALUE_LOSES_DATA", &f->err);
    assert_message_has(&f->err, "column \"id\": expected int, found 1.5 in row 5017");
    assert_error(append(f, false,
                        "SELECT {n: CASE WHEN i = 3 THEN 'late' ELSE '1' END} AS s "
                        "FROM range(1, 9) r(i)"),
                 DW_INVALID_ARGUMENT, "CONVERSION_ERROR", &f->err);
    assert_message_has(&f->err, "column \"s.n\": expected int, found 'late' in row 3");
    assert_error(append(f, false, "SELECT [1.5, 1.25] AS l, '7' AS dw_source_row"),
                 DW_INVALID_ARGUMENT, "VALUE_LOSES_DATA", &f->err);
    assert_message_has(&f->err, "column \"l.element\": expected decimal(4,1), found 1.25 in row 1");
    assert_ok(append(f, false,
                     "SELECT '3' AS id, {n: 5::DOUBLE} AS s, [1.50] AS l, "
                     "'7' AS dw_source_row"),
              &f->err);
    assert_int_equal(count_rows(f, "id = 3 AND s.n = 5 AND l[1] = 1.5 AND dw_source_row = 7"), 1);
}

static void
test_append__takes_options_of_an_older_caller(void **state)
{
    fixture *f = *state;
    fixture_make_table(f, "CREATE TABLE t (id INT)");
    struct ArrowArrayStream rows;
    dw_append_options options = DW_APPEND_OPTIONS_INIT;
    options.size = offsetof(dw_append_options, merge_schema);
    options.merge_schema = true; /* what lies there is not the caller's to say */
    dw_result *result = fixture_query(f, "SELECT 1 AS more", &rows);
    assert_error(dw_table_append(f->table, &rows, &options, NULL, &f->err), DW_INVALID_ARGUMENT,
                 "COLUMN_NOT_FOUND", &f->err);
    dw_result_free(result);
}

/* The last line of a file. */
static void
read_last_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    line[0] = '\0';
    while (fgets(line, size, file) != NULL) {
    }
    assert_int_equal(fclose(file), 0);
}

static void
create_by_schema_of(fixture *f, const char *path, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    dw_result *result = fixture_query(f, sql, &rows);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_ok(dw_table_create(f->runtime, path, &schema, NULL, &f->table, &f->err), &f->err);
    schema.release(&schema);
    rows.release(&rows);
    dw_result_free(result);
}

static void
test_append__is_told_and_recorded_like_a_statement(void **state)
{
    enum { LINE = 16384 };
    fixture *f = *state;
    char events[DWT_PATH_SIZE + 16], path[DWT_PATH_SIZE + 16], commit[DWT_PATH_SIZE + 64];
    char *line = test_malloc(LINE);
    (void) snprintf(events, sizeof events, "%s/events", f->dir.path);
    (void) snprintf(path, sizeof path, "%s/made", f->dir.path);
    (void) snprintf(commit, sizeof commit, "%s/_delta_log/%020d.json", path, 0);
    assert_int_equal(setenv("OPENLINEAGE__TRANSPORT__TYPE", "file", 1), 0);
    assert_int_equal(setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", events, 1), 0);
    fixture_reopen(f, (dw_runtime_options) DW_RUNTIME_OPTIONS_INIT);
    assert_int_equal(unsetenv("OPENLINEAGE__TRANSPORT__TYPE"), 0);
    create_by_schema_of(f, path, "SELECT 1 AS id");
    read_last_line(events, line, LINE);
    assert_non_null(strstr(line, "\"COMPLETE\""));
    assert_non_null(strstr(line, "\"create_table.made\""));
    assert_non_null(strstr(line, "\"lifecycleStateChange\":\"CREATE\""));
    FILE *file = fopen(commit, "r");
    bool is_recorded = false;
    while (fgets(line, LINE, file) != NULL) {
        is_recorded = is_recorded || strstr(line, "\"job\":\"create_table.made\"") != NULL;
    }
    assert_int_equal(fclose(file), 0);
    assert_true(is_recorded);
    assert_ok(append(f, false, "SELECT 7 AS id"), &f->err);
    read_last_line(events, line, LINE);
    assert_non_null(strstr(line, "\"COMPLETE\""));
    assert_non_null(strstr(line, "\"append.made\""));
    assert_non_null(strstr(line, "\"rowCount\":1"));
    assert_non_null(strstr(line, "\"name\":\"id\""));
    assert_error(append(f, false, "SELECT 7 AS other"), DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                 &f->err);
    read_last_line(events, line, LINE);
    assert_non_null(strstr(line, "\"FAIL\""));
    assert_non_null(strstr(line, "other"));
    test_free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_append__refuses_columns_that_the_table_lacks_unless_told_to_merge, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__records_its_run_and_the_columns_it_wrote,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__merges_columns_without_case, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__merges_fields_at_every_depth, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__widens_types_only_where_the_table_allows_it,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__tells_a_value_that_does_not_fit_with_its_row,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__takes_options_of_an_older_caller,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_append__is_told_and_recorded_like_a_statement,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
