/*
 * Scans as a whole: what they read, what they say about it, and what is wrong with broken files.
 */
#include "table_world.h"

#include <stdlib.h>

/* ---- Pruning --------------------------------------------------------------------------------- */

#define RANGE(min, max)                                                                            \
    "{\"numRecords\":10,\"minValues\":{\"i\":" #min "},\"maxValues\":{\"i\":" #max                 \
    "},\"nullCount\":{\"i\":0}}"

static void
make_ranges(table_world *world)
{
    dwt_commit commit;
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("i", "long") NEXT("v", "double")), NULL,
                       NULL);
    static const char *const stats[] = {RANGE(0, 9), RANGE(10, 19), RANGE(20, 29)};
    for (int file = 0; file < 3; file++) {
        char name[32];
        snprintf(name, sizeof(name), "f%d.parquet", file);
        table_world_write(
            world, name,
            "SELECT %d + i AS i, CASE WHEN i = 5 THEN 'nan' ELSE '1' END::DOUBLE AS v "
            "FROM range(10) r(i)",
            file * 10);
        table_world_add(world, &commit, name, NULL, stats[file], NULL);
    }
    table_world_commit(world, &commit, 0);
}

static void
assert_reads(table_world *world, const char *sql, const char *expected, int64_t t_files,
             int64_t u_files)
{
    dw_scan *scan;
    assert_string_equal(table_world_query(world, sql, &scan), expected);
    assert_int_equal(dw__scan_source_count(scan), 2);
    const dw_scan_report *t = dw__scan_report(scan, 0);
    const dw_scan_report *u = dw__scan_report(scan, 1);
    assert_int_equal(t->files_total, 3);
    assert_int_equal(t->files_after_statistics, t_files);
    assert_int_equal(u->files_after_statistics, u_files);
    size_t count;
    (void) dw__scan_files(scan, 0, &count);
    assert_int_equal(count, t_files);
    dw__scan_close(scan);
}

static void
test_scan__prunes_each_occurrence_by_itself(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    assert_reads(world, "SELECT i FROM t WHERE i = 15", "15", 1, 3);
    assert_reads(world,
                 "SELECT t.i, u.i FROM t JOIN u ON t.i + 10 = u.i WHERE t.i < 3 AND u.i < 12 "
                 "ORDER BY t.i",
                 "0|10\n1|11", 1, 2);
    assert_reads(world, "SELECT count(*) FROM t WHERE i IN (SELECT i FROM u WHERE i > 25)", "4", 3,
                 1);
    assert_reads(world, "SELECT i FROM t WHERE i = 1000", "", 0, 3);
    assert_reads(world, "SELECT count(*) FROM t WHERE i > 1000 OR i < -4", "0", 0, 3);
    assert_reads(world, "SELECT sum(i) FROM t WHERE i >= 8 AND i < 12 AND i <> 9", "29", 2, 3);
}

static void
test_scan__finds_nan_whatever_statistics_say(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    assert_reads(world, "SELECT count(*) FROM t WHERE v > 5", "3", 3, 3);
    assert_reads(world, "SELECT i FROM t WHERE v > 5 AND i < 10", "5", 1, 3);
}

static void
test_scan__that_cannot_be_planned_reads_everything(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    table_world_run(world, "CREATE TEMP TABLE local AS SELECT 7::BIGINT AS i");
    assert_reads(world, "SELECT t.i FROM t JOIN local ON t.i = local.i WHERE t.i < 9", "7", 3, 3);
    assert_reads(world, "SELECT count(*) FROM (PIVOT t ON v USING count(i))", "1", 3, 3);
}

static void
test_scan_report__shows_what_was_used(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    dw_scan *scan;
    (void) table_world_query(world, "SELECT 1 FROM t WHERE i BETWEEN 12 AND 13 AND v % 2 = 0",
                             &scan);
    const dw_scan_report *report = dw__scan_report(scan, 0);
    assert_str(report->predicate, "i >= 12 AND i <= 13");
    assert_int_equal(report->files_after_partitions, 3);
    assert_true(report->bytes_read_max > 0);
    assert_str(dw__scan_report(scan, 1)->predicate, "");
    dw__scan_close(scan);
}

static void
test_plan__of_a_predicate_gives_the_files_that_are_left(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    dw_file_ref *files;
    size_t count;
    dw_scan_report report;
    const struct {
        const char *predicate;
        size_t count;
    } cases[] = {{"i = 15", 1},         {"i > 5 -- a comment", 3},
                 {"i IS NULL", 0},      {"length(v::VARCHAR) = 1", 3},
                 {"this is no SQL", 3}, {NULL, 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_ok(dw__scan_plan(world->database, world->snapshot, dw__str_from(cases[i].predicate),
                                &world->arena, &files, &count, &report, &world->err),
                  &world->err);
        assert_int_equal(count, cases[i].count);
    }
}

static void
test_scan__of_a_table_without_files_has_no_rows(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_create(world, &commit,
                       DWT_SCHEMA(FIELD("i", "long") NEXT_NESTED(
                           "st", DWT_SCHEMA(FIELD("a", "decimal(38,10)"))) NEXT("p", "date")),
                       "[\"p\"]", NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world, "", "SELECT * FROM t WHERE i = 4");
    assert_query(world, "0|NULL", "SELECT count(*), max(t.st.a) FROM t JOIN u USING (p)");
}

/* Opens and closes a scan with memory that fails at every so manieth request. */
static void
test_scan__out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    table_world *world = *state;
    static const char sql[] = "SELECT t.i FROM t JOIN u ON t.i = u.i WHERE t.i < 12 AND u.v = 1";
    make_ranges(world);
    assert_query(world, "0\n1\n2",
                 "SELECT t.i FROM t JOIN u ON t.i = u.i WHERE t.i < 3 ORDER BY 1");
    for (int64_t n = 1;; n += 5) {
        /* Facts that a block keeps would spare later rounds the work. */
        dw__log_snapshot_unref(world->snapshot);
        world->snapshot = NULL;
        dw__log_close(world->log);
        assert_ok(dw__log_open(&world->test.env, world->storage,
                               dw__database_engine(world->database), &world->log, &world->err),
                  &world->err);
        table_world_refresh(world);
        dw_scan_source sources[] = {{.name = DW_STR("t"), .snapshot = world->snapshot},
                                    {.name = DW_STR("u"), .snapshot = world->snapshot}};
        dw_scan *scan;
        dw_error err = DW_ERROR_INIT;
        dwt_fault_allocator_fail_at(&world->test.memory, n, n % 2 == 0);
        dw_status status = dw__scan_open(world->connection, world->database, dw__str_from(sql),
                                         sources, 2, &scan, &err);
        bool failed = dwt_fault_allocator_has_failed(&world->test.memory);
        dwt_fault_allocator_fail_at(&world->test.memory, 0, false);
        assert_int_equal(err.status, status);
        assert_true(status == DW_OK || (failed && scan == NULL));
        dw__scan_close(scan);
        if (!failed) {
            break;
        }
    }
}

/* ---- Broken files ---------------------------------------------------------------------------- */

static void
test_scan__says_which_file_is_missing_and_who_added_it(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    make_ranges(world);
    table_world_write(world, "late one.parquet", "SELECT 40::BIGINT AS i, 1.5::DOUBLE AS v");
    dwt_commit_begin(&commit);
    dwt_commit_add(&commit,
                   &(dwt_add){.path = "late%20one.parquet", .size = 12345, .stats = RANGE(40, 40)});
    table_world_commit(world, &commit, 1);
    assert_ok(dw__storage_remove(world->storage, DW_STR("late one.parquet"), &world->err),
              &world->err);
    dw_status status = table_world_fail(world, "SELECT * FROM t");
    assert_error(status, DW_CORRUPT, "DATA_FILE_MISSING", &world->err);
    assert_message_has(&world->err, "late one.parquet, which version 1 added, is missing");
    /* Who does not need it, does not miss it. */
    assert_query(world, "3", "SELECT t.i FROM t JOIN u USING (i) WHERE i = 3");
}

static void
test_scan__says_which_file_is_damaged(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    size_t size;
    char *good = dwt_read_file(world->dir.path, "f1.parquet", &size);
    dwt_write_file(world->dir.path, "f1.parquet", dw__str_make(good, size / 2));
    dw_status status = table_world_fail(world, "SELECT * FROM t");
    assert_error(status, DW_CORRUPT, "DATA_FILE_DAMAGED", &world->err);
    assert_message_has(&world->err, "f1.parquet, which version 0 added, is damaged: expected");
    memset(good + size - 40, 0x5a, 30);
    dwt_write_file(world->dir.path, "f1.parquet", dw__str_make(good, size));
    status = table_world_fail(world, "SELECT * FROM t");
    assert_error(status, DW_CORRUPT, "DATA_FILE_DAMAGED", &world->err);
    assert_message_has(&world->err, "f1.parquet, which version 0 added, cannot be read");
    free(good);
}

static void
test_scan__leaves_errors_of_the_statement_alone(void **state)
{
    table_world *world = *state;
    make_ranges(world);
    dw_status status = table_world_fail(world, "SELECT no_such_column FROM t");
    assert_int_equal(status, DW_INVALID_ARGUMENT);
    assert_message_has(&world->err, "no_such_column");
    status = table_world_fail(world, "SELECT ('x' || i)::INTEGER FROM t");
    assert_int_equal(status, DW_INVALID_ARGUMENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_scan__prunes_each_occurrence_by_itself),
        TABLE_TEST(test_scan__finds_nan_whatever_statistics_say),
        TABLE_TEST(test_scan__that_cannot_be_planned_reads_everything),
        TABLE_TEST(test_scan_report__shows_what_was_used),
        TABLE_TEST(test_plan__of_a_predicate_gives_the_files_that_are_left),
        TABLE_TEST(test_scan__of_a_table_without_files_has_no_rows),
        TABLE_TEST(test_scan__out_of_memory_is_an_error_and_leaks_nothing),
        TABLE_TEST(test_scan__says_which_file_is_missing_and_who_added_it),
        TABLE_TEST(test_scan__says_which_file_is_damaged),
        TABLE_TEST(test_scan__leaves_errors_of_the_statement_alone),
    };
    return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
