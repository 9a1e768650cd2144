/*
 * Writing Parquet files: what is written, what is said of it, and where it goes.
 */
#include "fixture.h"

#include <sys/stat.h>

static dw_copy_request
request_of(fixture *f, const char *query)
{
    return (dw_copy_request){.query = dw__str_from(query),
                             .directory = dw__str_from(f->dir.path),
                             .file_prefix = DW_STR("part-0001"),
                             .compression = DW_STR("zstd")};
}

static dw_copy_file *
copy(fixture *f, const dw_copy_request *request, size_t *count)
{
    dw_copy_file *files = NULL;
    assert_ok(dw__connection_copy(f->connection, request, &f->arena, &files, count, &f->err),
              &f->err);
    return files;
}

static const dw_copy_column *
find_column(const dw_copy_file *file, const char *name)
{
    for (size_t i = 0; i < file->column_count; i++) {
        if (dw__str_equal(file->columns[i].column, dw__str_from(name))) {
            return &file->columns[i];
        }
    }
    fail_msg("expected statistics of %s", name);
    return NULL;
}

/* The file is where it is said to be, as large as it is said to be. */
static void
assert_on_disk(fixture *f, const dw_copy_file *file)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(dw__allocator_libc(), 4096);
    dw__strbuf_printf(&path, "%s/%.*s", f->dir.path, DW_STR_ARG(file->path));
    struct stat info;
    assert_int_equal(stat(dw__strbuf_cstr(&path), &info), 0);
    assert_int_equal(info.st_size, file->size_bytes);
}

/* ---- Not partitioned ------------------------------------------------------------------------- */

static void
test_copy__writes_one_file_and_says_what_is_in_it(void **state)
{
    fixture *f = *state;
    dw_copy_request request = request_of(
        f, "SELECT i, 'v' || i AS s, {'x': i, 'y \"z': [i]} AS st, CASE WHEN i > 1 THEN 1.25 END"
           "::DECIMAL(10,2) AS d, CASE i WHEN 0 THEN 'nan'::DOUBLE ELSE 1.5 END AS f, "
           "repeat('x', 1000) AS l FROM range(5) t(i) -- the end");
    request.file_size_bytes = 100 << 20;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    assert_int_equal(count, 1);
    assert_str(files[0].path, "part-0001-0.parquet");
    assert_int_equal(files[0].row_count, 5);
    assert_on_disk(f, &files[0]);
    assert_int_equal(files[0].column_count, 7);
    assert_str(find_column(&files[0], "\"i\"")->min, "0");
    assert_str(find_column(&files[0], "\"i\"")->max, "4");
    assert_true(find_column(&files[0], "\"i\"")->has_null_count);
    assert_str(find_column(&files[0], "\"s\"")->max, "v4");
    assert_str(find_column(&files[0], "\"st\".\"x\"")->max, "4");
    assert_str(find_column(&files[0], "\"st\".\"y \"\"z\".\"element\"")->max, "4");
    assert_int_equal(find_column(&files[0], "\"d\"")->null_count, 2);
    assert_str(find_column(&files[0], "\"d\"")->min, "1.25");
    assert_true(find_column(&files[0], "\"f\"")->has_nan);
    assert_str(find_column(&files[0], "\"f\"")->max, "1.5");
    /* Cut, and rounded up where it is an upper bound. */
    assert_int_equal(find_column(&files[0], "\"l\"")->min.len, 256);
    assert_int_equal(find_column(&files[0], "\"l\"")->max.ptr[255], 'y');
    assert_rows(f, "5|10", "SELECT count(*), sum(i) FROM '%s/part-0001-0.parquet'", f->dir.path);
}

static void
test_copy__writes_no_file_for_no_rows(void **state)
{
    fixture *f = *state;
    dw_copy_request request = request_of(f, "SELECT 1 AS a, 2 AS b WHERE false");
    size_t count = 1;
    (void) copy(f, &request, &count);
    assert_int_equal(count, 0);
    dw_str by[] = {DW_STR("b")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    (void) copy(f, &request, &count);
    assert_int_equal(count, 0);
    assert_rows(f, "0", "SELECT count(*) FROM glob('%s/**/*')", f->dir.path);
}

static void
test_copy__cuts_files_at_the_size_asked_for(void **state)
{
    fixture *f = *state;
    dw_copy_request request =
        request_of(f, "SELECT i, md5(i::VARCHAR) AS s FROM range(1000000) t(i)");
    request.file_size_bytes = 8 << 20;
    request.row_group_rows = 50000;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    assert_true(count >= 3 && count <= 8);
    int64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        assert_on_disk(f, &files[i]);
        assert_true(files[i].size_bytes < 2 * request.file_size_bytes);
        rows += files[i].row_count;
    }
    assert_int_equal(rows, 1000000);
    assert_rows(f, "1000000|499999500000", "SELECT count(*), sum(i) FROM '%s/*.parquet'",
                f->dir.path);
}

static void
test_copy__keeps_clusters_together_for_pruning(void **state)
{
    fixture *f = *state;
    fixture_run(f,
                "COPY (SELECT i, md5(i::VARCHAR) AS s FROM range(1000000) t(i)) TO "
                "'%s/source.parquet' (FORMAT parquet, ROW_GROUP_SIZE 50000)",
                f->dir.path);
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(dw__allocator_libc(), 4096);
    dw__strbuf_printf(&query, "SELECT * FROM '%s/source.parquet'", f->dir.path);
    dw_copy_request request = request_of(f, dw__strbuf_cstr(&query));
    request.file_size_bytes = 2 << 20;
    request.row_group_rows = 50000;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    int64_t width = 0;
    for (size_t i = 0; i < count; i++) {
        if (files[i].row_count == 0) {
            continue;
        }
        int64_t min = 0;
        int64_t max = 0;
        const dw_copy_column *column = find_column(&files[i], "\"i\"");
        assert_true(dw__str_to_i64(column->min, &min) && dw__str_to_i64(column->max, &max));
        width += max - min;
    }
    /*
     * Files overlap a little, since threads take turns; without order each would span everything.
     */
    assert_true(count >= 5);
    assert_true(width < 3000000);
}

static void
test_copy__writes_field_ids_and_the_compression_asked_for(void **state)
{
    fixture *f = *state;
    dw_copy_request request = request_of(f, "SELECT 1 AS a, {'b': 2} AS s");
    request.field_ids = DW_STR("{a: 7, s: {__duckdb_field_id: 8, b: 9}}");
    request.compression = DW_STR("snappy");
    size_t count = 0;
    (void) copy(f, &request, &count);
    assert_rows(f, "a|7\ns|8\nb|9",
                "SELECT name, field_id FROM parquet_schema('%s/part-0001-0.parquet') WHERE "
                "field_id IS NOT NULL ORDER BY field_id",
                f->dir.path);
    assert_rows(f, "SNAPPY",
                "SELECT DISTINCT compression FROM parquet_metadata('%s/part-0001-0.parquet')",
                f->dir.path);
}

/* ---- Partitioned ----------------------------------------------------------------------------- */

static const char *const odd_values[] = {
    NULL,
    "",
    "a/b",
    "..",
    "k=v%d",
    "it's \"q\"",
    "\xc3\xa9:\n\t",
    "__HIVE_DEFAULT_PARTITION__",
    "[x]*?",
    "\\",
    " ",
};
enum { ODD_COUNT = sizeof(odd_values) / sizeof(odd_values[0]) };

static const char *
odd_query(dw_strbuf *sql)
{
    dw__strbuf_append_literal(sql, "SELECT * FROM (VALUES ");
    for (int i = 0; i < ODD_COUNT; i++) {
        dw__strbuf_printf(sql, "%s(%d, ", i == 0 ? "" : ", ", i);
        if (odd_values[i] == NULL) {
            dw__strbuf_append_literal(sql, "NULL");
        } else {
            dw__sql_put_literal(sql, dw__str_from(odd_values[i]));
        }
        dw__strbuf_printf(sql, ", DATE '2024-01-01' + %d)", i % 2);
    }
    dw__strbuf_append_literal(sql, ") t(i, \"Part \"\"x\"\"\", day)");
    return dw__strbuf_cstr(sql);
}

static void
check_odd_partitions(fixture *f, int64_t partition_count_max)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 1 << 16);
    dw_copy_request request = request_of(f, odd_query(&sql));
    dw_str by[] = {DW_STR("part \"x\""), DW_STR("day")};
    request.partition_columns = by;
    request.partition_column_count = 2;
    request.partition_count_max = partition_count_max;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    assert_int_equal(count, ODD_COUNT);
    for (size_t k = 0; k < count; k++) {
        assert_on_disk(f, &files[k]);
        assert_int_equal(files[k].row_count, 1);
        assert_int_equal(files[k].column_count, 1);
        int64_t i = -1;
        assert_true(dw__str_to_i64(files[k].columns[0].min, &i));
        if (odd_values[i] == NULL) {
            assert_true(dw__str_is_null(files[k].partition_values[0]));
        } else {
            assert_str(files[k].partition_values[0], odd_values[i]);
        }
        assert_str(files[k].partition_values[1], i % 2 == 0 ? "2024-01-01" : "2024-01-02");
    }
}

static void
test_copy__gives_partition_values_as_they_are(void **state)
{
    check_odd_partitions(*state, 0);
}

static void
test_copy__gives_them_unsorted_too(void **state)
{
    check_odd_partitions(*state, ODD_COUNT);
}

static void
test_copy__writes_few_files_for_many_partitions(void **state)
{
    fixture *f = *state;
    dw_copy_request request =
        request_of(f, "SELECT i, (hash(i) % 500)::INTEGER AS p FROM range(200000) t(i)");
    dw_str by[] = {DW_STR("p")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    assert_true(count >= 500 && count <= 520);
    int64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        rows += files[i].row_count;
    }
    assert_int_equal(rows, 200000);
}

static void
test_copy__sorts_and_writes_partitions_beyond_memory(void **state)
{
    fixture *f = *state;
    fixture_run(f, "SET memory_limit = '100MB'");
    dw_copy_request request = request_of(
        f, "SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS s, (hash(i) % 30)::INTEGER AS p "
           "FROM range(2000000) t(i)");
    dw_str by[] = {DW_STR("p")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    size_t count = 0;
    const dw_copy_file *files = copy(f, &request, &count);
    int64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        rows += files[i].row_count;
    }
    assert_int_equal(rows, 2000000);
    request.query = DW_STR("SELECT i, i % 7 AS p FROM range(100) t(i)");
    request.partition_count_max = 7;
    request.file_prefix = DW_STR("part-0002");
    (void) copy(f, &request, &count);
    assert_int_equal(count, 7);
    assert_rows(f, "100", "SELECT current_setting('partitioned_write_max_open_files')");
}

/* Threads take turns of some row groups, so a few rows are less than the one before them. */
static void
assert_order(fixture *f, const char *prefix)
{
    assert_rows(f, "true",
                "SELECT count(*) < 100 FROM (SELECT i, lag(i) OVER (PARTITION BY filename ORDER BY "
                "file_row_number) AS before FROM read_parquet('%s/p=*/%s*.parquet', filename = "
                "true, file_row_number = true)) WHERE before > i",
                f->dir.path, prefix);
}

static void
test_copy__keeps_the_order_of_rows_in_partitions(void **state)
{
    fixture *f = *state;
    dw_copy_request request =
        request_of(f, "SELECT i, (hash(i) % 3)::INTEGER AS p FROM range(1000000) t(i) ORDER BY i");
    dw_str by[] = {DW_STR("p")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    size_t count = 0;
    request.file_prefix = DW_STR("sorted");
    (void) copy(f, &request, &count);
    assert_order(f, "sorted");
    request.file_prefix = DW_STR("unsorted");
    request.partition_count_max = 3;
    (void) copy(f, &request, &count);
    assert_int_equal(count, 3);
    assert_order(f, "unsorted");
}

/* ---- Failures -------------------------------------------------------------------------------- */

static void
expect_failure(fixture *f, const dw_copy_request *request, dw_status status, const char *code)
{
    dw_copy_file *files = NULL;
    size_t count = 7;
    assert_error(dw__connection_copy(f->connection, request, &f->arena, &files, &count, &f->err),
                 status, code, &f->err);
    assert_null(files);
    assert_int_equal(count, 0);
}

static void
test_copy__says_what_went_wrong(void **state)
{
    fixture *f = *state;
    dw_copy_request request = request_of(f, "SELECT nothing");
    expect_failure(f, &request, DW_INVALID_ARGUMENT, "BIND_ERROR");
    request.query = DW_STR("SELECT CASE WHEN i = 300000 THEN error('row ' || i) END FROM "
                           "range(400000) t(i)");
    expect_failure(f, &request, DW_INVALID_ARGUMENT, "INVALID_INPUT");
    assert_string_equal(f->err.message, "row 300000");
    request.query = DW_STR("SELECT 1 AS a");
    request.compression = DW_STR("brown");
    expect_failure(f, &request, DW_INVALID_ARGUMENT, "BIND_ERROR");
    request.compression = DW_STR("zstd");
    dw_str by[] = {DW_STR("a")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    expect_failure(f, &request, DW_INVALID_ARGUMENT, "SQL_UNSUPPORTED");
    request.partition_column_count = 0;
    request.directory = DW_STR("/proc/self/nothing here");
    dw_copy_file *files = NULL;
    size_t count = 0;
    dw_status status =
        dw__connection_copy(f->connection, &request, &f->arena, &files, &count, &f->err);
    assert_true(status == DW_IO || status == DW_NOT_FOUND);
    f->world.cancel_after_polls = 0;
    expect_failure(f, &request, DW_CANCELLED, "CANCELLED");
    f->world.cancel_after_polls = -1;
}

static void
test_copy__says_when_the_disk_is_full(void **state)
{
    fixture *f = *state;
    dw_status status = dw__connection_execute(
        f->connection,
        DW_STR("COPY (FROM range(1000000)) TO '/dev/full' (FORMAT parquet, USE_TMP_FILE false)"),
        &f->err);
    assert_error(status, DW_IO, "STORAGE_FULL", &f->err);
}

static void
test_copy__survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    dw_copy_request request = request_of(f, "SELECT 1 AS a, 2 AS b");
    dw_str by[] = {DW_STR("b")};
    request.partition_columns = by;
    request.partition_column_count = 1;
    dw_arena arena;
    dw__arena_init(&arena, f->world.env.allocator);
    size_t count = 0;
    (void) copy(f, &request, &count);
    bool has_failed = true;
    for (int64_t n = 1; has_failed; n++) {
        dwt_fault_allocator_fail_at(&f->world.memory, n, n % 2 == 0);
        dw_copy_file *files = NULL;
        dw_status status =
            dw__connection_copy(f->connection, &request, &arena, &files, &count, &f->err);
        has_failed = dwt_fault_allocator_has_failed(&f->world.memory);
        dwt_fault_allocator_fail_at(&f->world.memory, 0, false);
        assert_true(status == (has_failed ? DW_OUT_OF_MEMORY : DW_OK));
        dw__arena_deinit(&arena);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_copy__writes_one_file_and_says_what_is_in_it),
        TEST(test_copy__writes_no_file_for_no_rows),
        TEST(test_copy__cuts_files_at_the_size_asked_for),
        TEST(test_copy__keeps_clusters_together_for_pruning),
        TEST(test_copy__writes_field_ids_and_the_compression_asked_for),
        TEST(test_copy__gives_partition_values_as_they_are),
        TEST(test_copy__gives_them_unsorted_too),
        TEST(test_copy__writes_few_files_for_many_partitions),
        TEST(test_copy__sorts_and_writes_partitions_beyond_memory),
        TEST(test_copy__keeps_the_order_of_rows_in_partitions),
        TEST(test_copy__says_what_went_wrong),
        TEST(test_copy__says_when_the_disk_is_full),
        TEST(test_copy__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
