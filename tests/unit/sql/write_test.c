/*
 * Statements that make and fill Delta tables, and those that look at them.
 */
#include "sessions.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A statement in another thread. */
typedef struct running {
    dwt_session *s;
    dw_status status;
    atomic_bool is_done;
} running;

static void
test_create__makes_tables_in_every_mode(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    assert_gives(s, "CREATE TABLE t (a INT)", "created table t as version 0");
    assert_gives(s, "CREATE TABLE IF NOT EXISTS t (b INT)", "t exists already: nothing was done");
    assert_fails(s, "CREATE TABLE t (a INT)", DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                 "OR REPLACE");
    dwt_run(s, "CREATE OR REPLACE TABLE t AS SELECT 1 AS x, 'y' AS y");
    assert_non_null(strstr(s->text, "replaced table t with 1 row (1 file, "));
    assert_gives(s, "SELECT * FROM t", "1|y");
    assert_gives(s, "SELECT count(*) FROM t VERSION AS OF 0", "0");
    assert_fails(s, "REPLACE TABLE u (a INT)", DW_NOT_FOUND, "TABLE_NOT_FOUND", "to replace");
    (void) snprintf(sql, sizeof sql, "CREATE TABLE named (a INT) LOCATION '%s/elsewhere/x'",
                    s->dir.path);
    dwt_run(s, sql);
    dwt_run(s, "INSERT INTO named VALUES (7)");
    (void) snprintf(sql, sizeof sql, "SELECT a FROM delta.`%s/elsewhere/x`", s->dir.path);
    assert_gives(s, sql, "7");
    assert_gives(s, "SHOW TABLES", "elsewhere|x|false\n|named|false\n|t|false");
}

static void
test_create__keeps_what_was_declared(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a BIGINT NOT NULL COMMENT 'it''s', d DECIMAL(10,2), "
               "l ARRAY<STRING>) PARTITIONED BY (m INT) COMMENT 'c' "
               "TBLPROPERTIES ('delta.checkpointInterval' = '7')");
    assert_gives(s, "DESCRIBE t",
                 "a|bigint|it's\nd|decimal(10,2)|NULL\nl|array<string>|NULL\nm|int|NULL\n"
                 "# Partition Information||\n# col_name|data_type|comment\nm|int|NULL");
    assert_gives(s, "SHOW TBLPROPERTIES t ('delta.checkpointInterval')",
                 "delta.checkpointInterval|7");
    dwt_run(s, "SHOW CREATE TABLE t");
    assert_non_null(strstr(s->text, "a bigint NOT NULL COMMENT 'it''s'"));
    assert_non_null(strstr(s->text, "PARTITIONED BY (m)"));
    assert_non_null(strstr(s->text, "COMMENT 'c'"));
    assert_non_null(strstr(s->text, "'delta.checkpointInterval' = '7'"));
    assert_fails(s, "CREATE TABLE u (a INT) TBLPROPERTIES ('delta.nonsense' = '1')",
                 DW_INVALID_ARGUMENT, "PROPERTY_UNKNOWN", "delta.nonsense");
}

static void
test_insert__appends_and_overwrites(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT, b STRING, m INT) PARTITIONED BY (m)");
    dwt_run(s, "INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)");
    assert_non_null(strstr(s->text, "inserted 2 rows (2 files, "));
    assert_non_null(strstr(s->text, "as version 1"));
    dwt_run(s, "INSERT INTO t (m, a) VALUES (1, 3); INSERT INTO t BY NAME SELECT 4 AS a, 2 AS m");
    assert_gives(s, "SELECT * FROM t ORDER BY a", "1|x|1\n2|y|2\n3|NULL|1\n4|NULL|2");
    dwt_run(s, "INSERT OVERWRITE t PARTITION (m = 1) SELECT 9, 'z'");
    assert_gives(s, "SELECT * FROM t ORDER BY a", "2|y|2\n4|NULL|2\n9|z|1");
    dwt_run(s, "INSERT INTO t SELECT a + 100, b, m FROM t WHERE m = 1");
    assert_gives(s, "SELECT a FROM t WHERE m = 1 ORDER BY a", "9\n109");
    dwt_run(s, "INSERT OVERWRITE t SELECT * FROM t VERSION AS OF 1");
    assert_gives(s, "SELECT * FROM t ORDER BY a", "1|x|1\n2|y|2");
    dwt_run(s, "WITH more AS (SELECT 5 AS a, 'w' AS b, 1 AS m) INSERT INTO t SELECT * FROM more");
    assert_gives(s, "SELECT a FROM t ORDER BY a", "1\n2\n5");
}

/* Would take for ever. */
static void *
run_for_ever(void *arg)
{
    running *r = arg;
    r->status = dwt_execute(r->s, "INSERT INTO t SELECT range FROM range(100000000000)", false);
    atomic_store(&r->is_done, true);
    return NULL;
}

static void
test_insert__leaves_nothing_behind_when_cancelled(void **state)
{
    dwt_session *s = *state;
    pthread_t thread;
    running r = {.s = s};
    dwt_run(s, "CREATE TABLE t (a BIGINT)");
    assert_int_equal(pthread_create(&thread, NULL, run_for_ever, &r), 0);
    while (!atomic_load(&r.is_done)) { /* what comes before it begins is lost */
        dw_session_cancel(s->session);
        sched_yield();
    }
    pthread_join(thread, NULL);
    assert_error(r.status, DW_CANCELLED, "CANCELLED", &s->err);
    assert_gives(s, "SELECT count(*) FROM t", "0");
    char sql[1024];
    (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM glob('%s/t/**/*.parquet')", s->dir.path);
    assert_gives(s, sql, "0");
}

static void
test_insert__refuses_what_does_not_fit(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT NOT NULL, b STRING)");
    assert_fails(s, "INSERT INTO t VALUES (1)", DW_INVALID_ARGUMENT, "COLUMN_COUNT_MISMATCH", "2");
    assert_fails(s, "INSERT INTO t VALUES (NULL, 'x')", DW_INVALID_ARGUMENT, "NOT_NULL_VIOLATION",
                 "a");
    assert_fails(s, "INSERT INTO t (a, c) VALUES (1, 'x')", DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                 "c");
    assert_fails(s, "INSERT INTO t SELECT 1, 'x' FROM nowhere", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "nowhere");
    assert_fails(s, "INSERT INTO nowhere VALUES (1)", DW_NOT_FOUND, "TABLE_NOT_FOUND", "nowhere");
    dwt_run(s, "CREATE VIEW v AS FROM t");
    assert_fails(s, "INSERT INTO v VALUES (1, 'x')", DW_INVALID_ARGUMENT, "NOT_A_DELTA_TABLE",
                 "a view");
    assert_gives(s, "SELECT count(*) FROM t", "0");
}

static void
test_copy_into__loads_each_file_once(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    dwt_run(s, "CREATE TABLE t (a INT, b STRING)");
    dwt_write_file(s->dir.path, "in/1.csv", DW_STR("a|b\n1|x\n"));
    dwt_write_file(s->dir.path, "in/2.csv", DW_STR("a|b\n2|y\n"));
    (void) snprintf(sql, sizeof sql,
                    "COPY INTO t FROM '%s/in' FILEFORMAT = CSV FORMAT_OPTIONS "
                    "('header' = 'true', 'sep' = '|')",
                    s->dir.path);
    dwt_run(s, sql);
    assert_non_null(strstr(s->text, "loaded 2 files: 2 rows (1 file, "));
    assert_gives(s, sql, "nothing to load: 2 files were loaded before");
    dwt_write_file(s->dir.path, "in/3.csv", DW_STR("a|b\n3|z\n"));
    dwt_run(s, sql);
    assert_non_null(strstr(s->text, "loaded 1 file, skipped 2 that were loaded before: 1 row"));
    (void) snprintf(sql, sizeof sql,
                    "COPY INTO t FROM (SELECT a * 10 AS a, upper(b) AS b FROM "
                    "'%s/in') FILEFORMAT = CSV FILES = ('1.csv') FORMAT_OPTIONS "
                    "('header' = 'true', 'sep' = '|') COPY_OPTIONS ('force' = "
                    "'true')",
                    s->dir.path);
    dwt_run(s, sql);
    assert_gives(s, "SELECT * FROM t ORDER BY a", "1|x\n2|y\n3|z\n10|X");
}

static void
test_copy__writes_tables_to_files(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    dwt_run(s, "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b");
    (void) snprintf(sql, sizeof sql, "COPY t TO '%s/t.csv' (HEADER false)", s->dir.path);
    dwt_run(s, sql);
    (void) snprintf(sql, sizeof sql, "COPY t (b) TO '%s/b.csv' (HEADER false)", s->dir.path);
    dwt_run(s, sql);
    (void) snprintf(sql, sizeof sql, "COPY (SELECT a + 1 FROM t@v0) TO '%s/a.csv' (HEADER false)",
                    s->dir.path);
    dwt_run(s, sql);
    static const char *const files[][2] = {{"t.csv", "1,x\n"}, {"b.csv", "x\n"}, {"a.csv", "2\n"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size;
        char *bytes = dwt_read_file(s->dir.path, files[i][0], &size);
        assert_non_null(bytes);
        assert_string_equal(bytes, files[i][1]);
        free(bytes);
    }
    assert_fails(s, "COPY t FROM 'x.csv'", DW_INVALID_ARGUMENT, "STATEMENT_UNSUPPORTED",
                 "COPY INTO t");
}

static void
test_modify__names_what_is_not_supported(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT)");
    static const char *const statements[][2] = {
        {"ALTER TABLE t RENAME TO u", "ALTER TABLE is not supported"},
        {"DROP TABLE t", "remove the directory"},
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        assert_fails(s, statements[i][0], DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                     statements[i][1]);
    }
    assert_fails(s, "DELETE FROM nowhere", DW_NOT_FOUND, "TABLE_NOT_FOUND", "nowhere");
    dwt_run(s, "DROP TABLE IF EXISTS nowhere");
}

static void
test_describe__shows_history_and_detail(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT); INSERT INTO t VALUES (1); CHECKPOINT t");
    assert_string_equal(s->text, "wrote a checkpoint of version 1");
    dwt_run(s, "DESCRIBE HISTORY t LIMIT 1");
    assert_int_equal(strncmp(s->text, "1|", 2), 0);
    dwt_run(s, "DESCRIBE DETAIL t");
    assert_int_equal(strncmp(s->text, "delta|", 6), 0);
    assert_fails(s, "DESCRIBE HISTORY u", DW_NOT_FOUND, "TABLE_NOT_FOUND", "did you mean t");
    assert_fails(s, "DESCRIBE t VERSION AS OF 9", DW_NOT_FOUND, "VERSION_OUT_OF_RANGE", "0 to 1");
}

static void
test_explain__shows_what_is_read_and_why(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT, m INT) PARTITIONED BY (m);"
               "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    dwt_run(s, "EXPLAIN SELECT * FROM t WHERE m = 2");
    assert_non_null(strstr(s->text, "t, version 1\n"));
    assert_non_null(strstr(s->text, "3 in the table, 1 after partitions, 1 after statistics"));
    assert_non_null(strstr(s->text, "m = 2"));
    assert_gives(s, "EXPLAIN SELECT count(*) AS n FROM t",
                 "t, version 1\n    files       3 in the table, none is read: answered from its "
                 "log");
    dwt_run(s, "EXPLAIN SELECT 1");
    assert_true(strlen(s->text) > 0);
}

static void
insert_beside(dwt_session *s)
{
    dw_session *other;
    dw_result *result;
    assert_ok(dw_session_open(s->runtime, &other, &s->err), &s->err);
    assert_ok(dw_session_execute(other, "INSERT INTO t VALUES (2)", NULL, &result, &s->err),
              &s->err);
    dw_result_free(result);
    dw_session_close(other);
}

static void
test_set__bounds_how_often_a_commit_is_tried(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (id BIGINT)");
    assert_gives(s, "SET spark.databricks.delta.maxCommitAttempts",
                 "spark.databricks.delta.maxCommitAttempts = 10000");
    assert_gives(s, "SET spark.databricks.delta.maxCommitAttempts = 1",
                 "spark.databricks.delta.maxCommitAttempts = 1");
    dwt_run(s, "BEGIN; INSERT INTO t VALUES (1)");
    insert_beside(s);
    assert_fails(s, "COMMIT", DW_CONFLICT, "TOO_MANY_ATTEMPTS", "other writers");
    dwt_run(s, "RESET spark.databricks.delta.maxCommitAttempts; BEGIN; INSERT INTO t VALUES (1)");
    insert_beside(s);
    assert_gives(s, "COMMIT; SELECT sum(id)::BIGINT FROM t", "5");
}

static void
test_set__takes_seconds_that_a_commit_may_be_tried(void **state)
{
    dwt_session *s = *state;
    assert_gives(s, "SET deltaworks.maxCommitSeconds", "deltaworks.maxCommitSeconds = 600");
    assert_gives(s, "SET deltaworks.maxCommitSeconds = '30'", "deltaworks.maxCommitSeconds = 30");
    assert_gives(s, "RESET deltaworks.maxCommitSeconds", "deltaworks.maxCommitSeconds = 600");
    assert_fails(s, "SET deltaworks.maxCommitSeconds = 0", DW_INVALID_ARGUMENT, "OPTION_INVALID",
                 "from 1 to 86400, not \"0\"");
    assert_fails(s, "SET deltaworks.patience = 1", DW_INVALID_ARGUMENT, "SETTING_UNKNOWN",
                 "deltaworks.maxCommitSeconds");
}

#define session_test(f) cmocka_unit_test_setup_teardown(f, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(test_create__makes_tables_in_every_mode),
        session_test(test_create__keeps_what_was_declared),
        session_test(test_insert__appends_and_overwrites),
        session_test(test_insert__leaves_nothing_behind_when_cancelled),
        session_test(test_insert__refuses_what_does_not_fit),
        session_test(test_copy_into__loads_each_file_once),
        session_test(test_copy__writes_tables_to_files),
        session_test(test_modify__names_what_is_not_supported),
        session_test(test_describe__shows_history_and_detail),
        session_test(test_explain__shows_what_is_read_and_why),
        session_test(test_set__bounds_how_often_a_commit_is_tried),
        session_test(test_set__takes_seconds_that_a_commit_may_be_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
