/* Scans through the public functions: rows, and what is said when they cannot be read. */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

/* A million rows, read by one thread: in order, and the first before the last is made. */
static int
setup(void **state)
{
    fixture_setup(state);
    fixture *f = *state;
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    options.thread_count = 1;
    fixture_reopen(f, options);
    fixture_make_table(f, "CREATE TABLE t AS SELECT range AS id, 'row ' || range AS name "
                          "FROM range(1000000)");
    assert_ok(dw_table_snapshot(f->table, NULL, &f->snapshot, &f->err), &f->err);
    return 0;
}

/* Reads to the end or the first failure, whose number is returned. */
static int
count_rows(struct ArrowArrayStream *rows, int64_t *count)
{
    *count = 0;
    for (;;) {
        struct ArrowArray batch;
        int failed = rows->get_next(rows, &batch);
        if (failed != 0 || batch.release == NULL) {
            return failed;
        }
        *count += batch.length;
        batch.release(&batch);
    }
}

static void
test_scan__returns_the_rows_that_the_filter_keeps(void **state)
{
    fixture *f = *state;
    const char *columns[] = {"name", NULL};
    dw_scan_options options = DW_SCAN_OPTIONS_INIT;
    options.columns = columns;
    options.filter = "id % 1000 = 3 -- a comment ends with the filter";
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    int64_t count;
    assert_ok(dw_snapshot_scan(f->snapshot, &options, &rows, &f->err), &f->err);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_int_equal(schema.n_children, 1);
    assert_string_equal(schema.children[0]->name, "name");
    schema.release(&schema);
    assert_int_equal(count_rows(&rows, &count), 0);
    assert_int_equal(count, 1000);
    rows.release(&rows);
}

static void
test_scan__may_be_read_after_its_table_and_snapshot_were_closed(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    int64_t count;
    assert_ok(dw_snapshot_scan(f->snapshot, NULL, &rows, &f->err), &f->err);
    dw_snapshot_unref(f->snapshot);
    f->snapshot = NULL;
    dw_table_close(f->table);
    f->table = NULL;
    assert_int_equal(count_rows(&rows, &count), 0);
    assert_int_equal(count, 1000000);
    rows.release(&rows);
}

static void
test_scan__refuses_a_filter_with_unknown_columns(void **state)
{
    fixture *f = *state;
    dw_scan_options options = DW_SCAN_OPTIONS_INIT;
    options.filter = "idd = 3";
    struct ArrowArrayStream rows;
    assert_error(dw_snapshot_scan(f->snapshot, &options, &rows, &f->err), DW_INVALID_ARGUMENT,
                 "BIND_ERROR", &f->err);
    assert_message_has(&f->err, "idd");
    assert_null(rows.release);
}

static void
test_scan__tells_the_code_of_what_fails_while_rows_are_read(void **state)
{
    fixture *f = *state;
    dw_scan_options options = DW_SCAN_OPTIONS_INIT;
    options.filter = "CASE WHEN id = 999999 THEN error('too far') ELSE true END";
    struct ArrowArrayStream rows;
    int64_t count;
    assert_ok(dw_snapshot_scan(f->snapshot, &options, &rows, &f->err), &f->err);
    assert_int_equal(count_rows(&rows, &count), EINVAL);
    assert_string_equal(rows.get_last_error(&rows), "too far [INVALID_INPUT]");
    struct ArrowArray batch;
    assert_int_equal(rows.get_next(&rows, &batch), EINVAL); /* and again, whoever asks */
    assert_null(batch.release);
    rows.release(&rows);
}

static void
remove_data_files(const fixture *f)
{
    DIR *folder = opendir(f->path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strstr(entry->d_name, ".parquet") != NULL) {
            char path[DWT_PATH_SIZE + 300];
            (void) snprintf(path, sizeof path, "%s/%s", f->path, entry->d_name);
            assert_int_equal(unlink(path), 0);
        }
    }
    closedir(folder);
}

static void
test_scan__names_the_data_file_that_is_missing(void **state)
{
    fixture *f = *state;
    remove_data_files(f);
    struct ArrowArrayStream rows;
    int64_t count;
    dw_status status = dw_snapshot_scan(f->snapshot, NULL, &rows, &f->err);
    if (status == DW_OK) { /* then the first rows fail */
        assert_int_equal(count_rows(&rows, &count), EBADMSG);
        const char *problem = rows.get_last_error(&rows);
        assert_non_null(strstr(problem, "which version 0 added, is missing"));
        assert_non_null(strstr(problem, "[DATA_FILE_MISSING]"));
        rows.release(&rows);
    } else {
        assert_error(status, DW_CORRUPT, "DATA_FILE_MISSING", &f->err);
        assert_message_has(&f->err, "which version 0 added, is missing");
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_scan__returns_the_rows_that_the_filter_keeps),
        TEST(test_scan__may_be_read_after_its_table_and_snapshot_were_closed),
        TEST(test_scan__refuses_a_filter_with_unknown_columns),
        TEST(test_scan__tells_the_code_of_what_fails_while_rows_are_read),
        TEST(test_scan__names_the_data_file_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
