/*
 * Loads of partitioned tables: sizes of files, and the order of rows in them.
 */
#include "unit/sql/sessions.h"

/* Rows whose predecessor in their file is greater: few, when threads only take turns; a sixth of
 * all when the engine sorts without their numbers. */
#define DISORDER                                                                                   \
    "SELECT count(*) < 1000 FROM (SELECT i, lag(i) OVER (PARTITION BY filename ORDER BY "          \
    "file_row_number) AS before FROM read_parquet('%s/t/*/*.parquet', filename = true, "           \
    "file_row_number = true)) WHERE before > i"

static void
assert_ordered(dwt_session *s)
{
    char sql[2048];
    (void) snprintf(sql, sizeof sql, DISORDER, s->dir.path);
    assert_gives(s, sql, "true");
}

static void
assert_files(dwt_session *s, const char *condition)
{
    char sql[2048];
    (void) snprintf(sql, sizeof sql,
                    "SELECT %s FROM (SELECT filename, count(*) AS n FROM read_parquet("
                    "'%s/t/*/*.parquet', filename = true, hive_partitioning = true) GROUP BY ALL)",
                    condition, s->dir.path);
    assert_gives(s, sql, "true");
}

static void
test_partition__is_cut_at_the_target_file_size(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (i BIGINT, s STRING, p STRING) PARTITIONED BY (p) "
               "TBLPROPERTIES ('delta.targetFileSize' = '1mb');"
               "INSERT INTO t SELECT i, md5(i::VARCHAR), CASE WHEN i % 50 = 0 THEN 'small' WHEN "
               "i % 2 = 0 THEN 'a b%' ELSE 'c' END FROM range(800000) r(i) ORDER BY i");
    assert_gives(s,
                 "SELECT p, count(*), sum(i)::BIGINT, max(s) = max(md5(i::VARCHAR)) FROM t "
                 "GROUP BY p ORDER BY p",
                 "a b%|384000|153600000000|true\nc|400000|160000000000|true\n"
                 "small|16000|6399600000|true");
    /* How many exactly depends on which thread is first; uncut there were three. */
    assert_files(s, "count(*) BETWEEN 5 AND 40 AND max(n) < 384000");
    assert_ordered(s);
    /* Statistics are those of the parts. */
    assert_gives(s, "SELECT count(*) FROM t WHERE i < 1000 AND p = 'c'", "500");
}

static void
test_partition__that_is_named_is_written_as_it_comes(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (i BIGINT, s STRING, p INT) PARTITIONED BY (p) "
               "TBLPROPERTIES ('delta.targetFileSize' = '1mb');"
               "INSERT OVERWRITE t PARTITION (p = 7) SELECT i, md5(i::VARCHAR) FROM "
               "range(400000) r(i)");
    assert_gives(s, "SELECT p, count(*), sum(i)::BIGINT FROM t GROUP BY p", "7|400000|79999800000");
    assert_files(s, "count(*) BETWEEN 2 AND 40 AND max(n) < 400000");
    assert_ordered(s);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_session_setup, dwt_session_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_partition__is_cut_at_the_target_file_size),
        TEST(test_partition__that_is_named_is_written_as_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
