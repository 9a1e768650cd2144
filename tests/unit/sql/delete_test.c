/*
 * DELETE and TRUNCATE, with deletion vectors and by writing files again; judged by the engine's own
 * DELETE on a table of its own.
 */
#include "sessions.h"

#include "support/test_env.h"

#include <stdlib.h>

#define VECTORS "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
#define REWRITES                                                                                   \
    "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = "       \
    "'false')"

/* Two files in each of three partitions. */
static void
make_table(dwt_session *s, const char *properties)
{
    char sql[1024];
    (void) snprintf(sql, sizeof sql,
                    "CREATE TABLE t (id BIGINT, s STRING, x DOUBLE) PARTITIONED BY (p INT) %s",
                    properties);
    dwt_run(s, sql);
    for (int i = 0; i < 2; i++) {
        (void) snprintf(sql, sizeof sql,
                        "INSERT INTO t SELECT i, CASE WHEN i %% 7 = 0 THEN NULL ELSE 's' || i END, "
                        "i / 4, i %% 3 FROM range(%d, %d) r(i)",
                        i * 3000, (i + 1) * 3000);
        dwt_run(s, sql);
    }
}

static void
test_delete__marks_rows_where_the_table_has_deletion_vectors(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    assert_gives(s, "DELETE FROM t WHERE id = 5", "deleted 1 row (1 file marked) as version 3");
    assert_gives(s, "DELETE FROM t AS a WHERE a.id IN (4, 5, 8, 4000)",
                 "deleted 3 rows (3 files marked) as version 4");
    assert_gives(s, "SELECT count(*), min(id), max(id) FROM t WHERE id IN (4, 5, 6, 8, 9)",
                 "2|6|9");
    assert_gives(s, "SELECT count(*) FROM t VERSION AS OF 3 WHERE id < 10", "9");
    assert_gives(s, "SELECT count(*) FROM t VERSION AS OF 2", "6000");
}

static void
test_delete__removes_files_that_lose_their_last_row(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    assert_gives(s, "DELETE FROM t WHERE p = 1 AND id < 3000 AND id > 100",
                 "deleted 966 rows (1 file marked) as version 3");
    assert_gives(s, "DELETE FROM t WHERE p = 1",
                 "deleted 1,034 rows (2 files removed) as version 4");
    assert_gives(s, "DELETE FROM t WHERE p = 1", "no rows to delete: nothing was committed");
    assert_gives(s, "SELECT count(*), max(p), min(p) FROM t", "4000|2|0");
}

static void
test_delete__writes_files_again_without_deletion_vectors(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    make_table(s, REWRITES);
    assert_gives(s, "DELETE FROM t WHERE id < 3 OR (p = 2 AND id < 3000)",
                 "deleted 1,002 rows (1 file removed, 2 files rewritten) as version 3");
    assert_gives(s, "SELECT count(*), min(id) FROM t", "4998|3");
    /* The change data has the rows of the removed file, too: its readers look at nothing else. */
    (void) snprintf(sql, sizeof sql,
                    "SELECT _change_type, count(*), max(id) FROM "
                    "read_parquet('%s/t/_change_data/**/*.parquet') GROUP BY ALL",
                    s->dir.path);
    assert_gives(s, sql, "delete|1002|2999");
}

static void
test_delete__takes_conditions_over_other_tables(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    dwt_run(s, "CREATE TABLE gone AS SELECT 2 * i AS id FROM range(100) r(i)");
    assert_gives(s, "DELETE FROM t WHERE EXISTS (SELECT 1 FROM gone g WHERE g.id = t.id)",
                 "deleted 100 rows (3 files marked) as version 3");
    assert_gives(s, "DELETE FROM t WHERE id = (SELECT max(id) FROM t)",
                 "deleted 1 row (1 file marked) as version 4");
    assert_gives(s, "SELECT count(*) FROM t", "5899");
}

static void
test_truncate__removes_all_files(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    dwt_run(s, "DELETE FROM t WHERE id = 0");
    assert_gives(s, "TRUNCATE TABLE t", "deleted 5,999 rows (6 files removed) as version 4");
    assert_gives(s, "SELECT count(*) FROM t", "0");
    assert_gives(s, "DELETE FROM t", "no rows to delete: nothing was committed");
}

static void
test_delete__refuses_what_it_cannot_do(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE log (id INT) TBLPROPERTIES ('delta.appendOnly' = 'true')");
    assert_fails(s, "DELETE FROM log WHERE id = 1", DW_INVALID_ARGUMENT, "APPEND_ONLY",
                 "append-only");
    assert_fails(s, "DELETE FROM log", DW_INVALID_ARGUMENT, "APPEND_ONLY", "append-only");
    make_table(s, VECTORS);
    assert_fails(s, "DELETE FROM t WHERE", DW_INVALID_ARGUMENT, "PARSE_ERROR", "a condition");
    assert_fails(s, "DELETE FROM t USING t u", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                 "expected WHERE or the end");
    assert_fails(s, "DELETE FROM t WHERE id = 1 LIMIT 3", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                 "LIMIT");
    assert_fails(s, "DELETE FROM t WHERE nope = 1", DW_INVALID_ARGUMENT, "BIND_ERROR", "nope");
    assert_gives(s, "SELECT count(*) FROM t", "6000");
}

/* A condition that some rows fulfil, others not, and for some is NULL. */
static void
print_condition(uint64_t *random, char *out, size_t size)
{
    int64_t from = (int64_t) dwt_random_below(random, 6000);
    int64_t span = (int64_t) dwt_random_below(random, 700);
    int64_t part = (int64_t) dwt_random_below(random, 4);
    switch (dwt_random_below(random, 5)) {
    case 0:
        (void) snprintf(out, size, "id BETWEEN %" PRId64 " AND %" PRId64, from, from + span);
        break;
    case 1:
        (void) snprintf(out, size, "s > 's%" PRId64 "' AND p = %" PRId64, from, part);
        break;
    case 2:
        (void) snprintf(out, size, "NOT (x < %" PRId64 ") AND id %% 11 = %" PRId64, from / 4, part);
        break;
    case 3:
        (void) snprintf(out, size, "s IS NULL AND id > %" PRId64, from);
        break;
    default:
        (void) snprintf(out, size, "p = %" PRId64 " AND id < %" PRId64, part, span);
    }
}

static void
delete_at_random(dwt_session *s, uint64_t random, const char *properties)
{
    char condition[256];
    char sql[512];
    make_table(s, properties);
    dwt_run(s, "CREATE TEMP TABLE mine AS SELECT * FROM t");
    for (int i = 0; i < 12; i++) {
        print_condition(&random, condition, sizeof condition);
        (void) snprintf(sql, sizeof sql, "DELETE FROM mine WHERE %s", condition);
        dwt_run(s, sql);
        (void) snprintf(sql, sizeof sql, "DELETE FROM t WHERE %s", condition);
        dwt_run(s, sql);
        assert_gives(s, "SELECT count(*) FROM (FROM t EXCEPT ALL FROM mine)", "0");
        assert_gives(s, "SELECT count(*) FROM (FROM mine EXCEPT ALL FROM t)", "0");
    }
}

static void
test_delete__leaves_the_rows_that_the_engine_would_leave(void **state)
{
    delete_at_random(*state, 1, VECTORS);
}

static void
test_delete__leaves_the_same_rows_when_it_writes_files_again(void **state)
{
    delete_at_random(*state, 2, REWRITES);
}

#define session_test(f) cmocka_unit_test_setup_teardown(f, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(test_delete__marks_rows_where_the_table_has_deletion_vectors),
        session_test(test_delete__removes_files_that_lose_their_last_row),
        session_test(test_delete__writes_files_again_without_deletion_vectors),
        session_test(test_delete__takes_conditions_over_other_tables),
        session_test(test_truncate__removes_all_files),
        session_test(test_delete__refuses_what_it_cannot_do),
        session_test(test_delete__leaves_the_rows_that_the_engine_would_leave),
        session_test(test_delete__leaves_the_same_rows_when_it_writes_files_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
