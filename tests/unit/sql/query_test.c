/*
 * Queries over Delta tables, run to their rows.
 */
#include "sessions.h"

#include "sql/engine_words.h"

/* flights: version 0 is empty, 1 has a and b, 2 has c as well. airports: one version. */
static void
make_tables(dwt_session *s)
{
    dwt_run(s, "CREATE TABLE flights (id BIGINT, origin STRING, month INT) PARTITIONED BY (month);"
               "INSERT INTO flights VALUES (1, 'a', 1), (2, 'b', 2);"
               "INSERT INTO flights VALUES (3, 'c', 2);"
               "CREATE TABLE sales.airports AS SELECT * FROM (VALUES ('a', 'Aachen'), "
               "('c', 'Chur')) t(code, city);");
}

static void
test_query__reads_a_table_by_name_and_by_path(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    make_tables(s);
    assert_gives(s, "SELECT * FROM flights ORDER BY id", "1|a|1\n2|b|2\n3|c|2");
    (void) snprintf(sql, sizeof sql,
                    "SELECT flights.id FROM delta.`%s/flights` WHERE month = 2 "
                    "ORDER BY flights.id",
                    s->dir.path);
    assert_gives(s, sql, "2\n3");
    assert_gives(s, "FROM flights SELECT count(*)", "3");
    assert_gives(s, "TABLE flights ORDER BY id LIMIT 1", "1|a|1");
    assert_gives(s, "SELECT sales.airports.city FROM sales.airports ORDER BY 1", "Aachen\nChur");
}

static void
test_query__counts_partitions_as_the_engine_does(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (id BIGINT, s STRING, d DATE, n INT) PARTITIONED BY (s, d, n);"
               "INSERT INTO t VALUES (1, 'it''s', DATE '2024-01-01', 1), (2, 'it''s', NULL, 1), "
               "(3, 'a\\n', DATE '2024-01-01', 2), (4, NULL, DATE '2024-01-02', -2), "
               "(5, '1', NULL, NULL), (6, 'it''s', NULL, 1)");
    static const char *const conditions[] = {"s = 'it''s'",
                                             "s = 'a\\n'",
                                             "s = ''",
                                             "s = '1'",

                                             "n = 1",
                                             "n = '1'",
                                             "n = 1.0",
                                             "n = -2",
                                             "n = 99999999999",
                                             "d = '2024-01-01'",
                                             "d = DATE '2024-01-01'",
                                             "d = '2024-1-1'",
                                             "s = 'it''s' AND n = 1",
                                             "n = 1 AND d = '2024-01-01' AND s = 'it''s'",
                                             "n = 1 OR n = 2",
                                             "n = 1 AND id = 2",
                                             "t.n = 1",
                                             "N = 2",
                                             "n = 1 AND n = 2",
                                             "\"n\" = 1",
                                             "n = 1 + 1",
                                             "s = 'it' || '''s'",
                                             "NOT n = 1",
                                             "n = NULL",
                                             "s = E'a\\\\n'"};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char sql[200];
        /* What no metadata answers. */
        (void) snprintf(sql, sizeof sql, "SELECT count(id + 0) FROM t WHERE %s", conditions[i]);
        dwt_run(s, sql);
        char expected[32];
        (void) snprintf(expected, sizeof expected, "%.31s", s->text);
        (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE %s", conditions[i]);
        assert_gives(s, sql, expected);
    }
}

static void
test_query__joins_tables_subqueries_and_files(void **state)
{
    dwt_session *s = *state;
    char sql[1024];
    make_tables(s);
    assert_gives(s,
                 "SELECT f.id, a.city FROM flights f LEFT JOIN sales.airports a ON a.code = "
                 "f.origin ORDER BY 1",
                 "1|Aachen\n2|NULL\n3|Chur");
    assert_gives(s, "SELECT x.id, y.id FROM flights x, flights y WHERE x.id < y.id ORDER BY 1, 2",
                 "1|2\n1|3\n2|3");
    assert_gives(s,
                 "SELECT id FROM flights WHERE origin IN (SELECT code FROM sales.airports) AND "
                 "month = (SELECT max(month) FROM flights)",
                 "3");
    assert_gives(s,
                 "SELECT id FROM flights WHERE month = 1 UNION ALL SELECT id FROM flights WHERE "
                 "month = 2 ORDER BY 1",
                 "1\n2\n3");
    dwt_write_file(s->dir.path, "in/x.csv", DW_STR("code,rank\na,7\nb,8\n"));
    (void) snprintf(sql, sizeof sql,
                    "SELECT id, rank FROM flights JOIN '%s/in/x.csv' c ON c.code "
                    "= origin ORDER BY 1",
                    s->dir.path);
    assert_gives(s, sql, "1|7\n2|8");
}

static void
test_query__lets_common_table_expressions_and_own_tables_shadow(void **state)
{
    dwt_session *s = *state;
    make_tables(s);
    assert_gives(s,
                 "WITH flights AS (SELECT id * 10 AS id FROM flights WHERE month = 2) "
                 "SELECT id FROM flights ORDER BY 1",
                 "20\n30");
    assert_gives(s, "WITH a AS (FROM flights), b AS (SELECT count(*) AS n FROM a) SELECT n FROM b",
                 "3");
    dwt_run(s, "CREATE TEMP TABLE flights AS SELECT 'mine' AS x");
    assert_gives(s, "SELECT * FROM flights", "mine");
    dwt_run(s, "DROP TABLE flights");
    assert_gives(s, "SELECT count(*) FROM flights", "3");
}

static void
test_query__travels_in_time(void **state)
{
    dwt_session *s = *state;
    make_tables(s);
    assert_gives(s, "SELECT count(*) FROM flights VERSION AS OF 0", "0");
    assert_gives(s, "SELECT id FROM flights@v1 ORDER BY 1", "1\n2");
    assert_gives(s, "SELECT id FROM `flights@v1` ORDER BY 1", "1\n2");
    assert_gives(s, "SELECT id FROM flights AT (VERSION => 1) f ORDER BY f.id", "1\n2");
    assert_gives(s, "SELECT n.id FROM flights n ANTI JOIN flights VERSION AS OF 1 o USING (id)",
                 "3");
    assert_gives(s,
                 "SELECT id FROM flights VERSION AS OF 2 EXCEPT SELECT id FROM flights VERSION "
                 "AS OF 1",
                 "3");
    assert_fails(s, "SELECT * FROM flights TIMESTAMP AS OF now() + INTERVAL 1 DAY", DW_NOT_FOUND,
                 "TIMESTAMP_OUT_OF_RANGE", "version 2");
    assert_fails(s, "SELECT * FROM flights VERSION AS OF 9", DW_NOT_FOUND, "VERSION_OUT_OF_RANGE",
                 "0 to 2");
    assert_fails(s, "SELECT * FROM flights TIMESTAMP AS OF '2001-01-01'", DW_NOT_FOUND,
                 "TIMESTAMP_OUT_OF_RANGE", "20");
    assert_fails(s, "SELECT * FROM flights TIMESTAMP AS OF NULL::TIMESTAMP", DW_INVALID_ARGUMENT,
                 "PARSE_ERROR", "a time");
    assert_fails(s, "SELECT * FROM flights TIMESTAMP AS OF 'someday'", DW_INVALID_ARGUMENT,
                 "CONVERSION_ERROR", "someday");
}

static void
test_query__finds_tables_with_odd_names(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE `größe 1` (`a.b` INT, `c``d` STRING, \"select\" INT);"
               "INSERT INTO `größe 1` VALUES (1, 'x', 2)");
    assert_gives(s, "SELECT `a.b`, `größe 1`.`c``d`, \"select\" FROM `größe 1`", "1|x|2");
    assert_gives(s, "SELECT g.* FROM \"größe 1\" AS g WHERE g.\"c`d\" = 'x'", "1|x|2");
    assert_gives(s, "SELECT count(*) FROM `größe 1`@v1 WHERE `a.b` = 2", "0");
}

static void
test_query__keeps_views_over_tables_up_to_date(void **state)
{
    dwt_session *s = *state;
    make_tables(s);
    dwt_run(s, "CREATE VIEW late AS SELECT id, origin FROM flights WHERE month = 2 -- all of it\n;"
               "CREATE VIEW old(x) AS SELECT id FROM flights VERSION AS OF 1;"
               "CREATE VIEW pairs AS SELECT late.id FROM late JOIN old ON x = id;");
    assert_gives(s, "SELECT count(*) FROM late", "2");
    assert_gives(s, "SELECT late.origin FROM late WHERE id = 3", "c");
    assert_gives(s, "SELECT x FROM old ORDER BY 1", "1\n2");
    assert_gives(s, "SELECT * FROM pairs b", "2");
    dwt_run(s, "INSERT INTO flights VALUES (4, 'd', 2)");
    assert_gives(s, "SELECT count(*) FROM late", "3");
    assert_gives(s, "SELECT count(*) FROM old", "2");
    assert_fails(s, "CREATE VIEW late AS FROM flights", DW_ALREADY_EXISTS, "VIEW_ALREADY_EXISTS",
                 "OR REPLACE");
    dwt_run(s, "CREATE OR REPLACE VIEW late AS SELECT 1 AS one FROM flights LIMIT 1");
    assert_gives(s, "SELECT * FROM late", "1");
    assert_fails(s, "CREATE VIEW bad AS SELECT nothing FROM flights", DW_INVALID_ARGUMENT,
                 "BIND_ERROR", "nothing");
    dwt_run(s, "DROP VIEW late; DROP VIEW IF EXISTS late");
    assert_fails(s, "SELECT * FROM late", DW_NOT_FOUND, "TABLE_NOT_FOUND", "late");
}

static void
test_query__says_what_tables_there_are(void **state)
{
    dwt_session *s = *state;
    assert_fails(s, "SELECT * FROM flights", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "there are no tables");
    make_tables(s);
    assert_fails(s, "SELECT * FROM flight", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "did you mean flights");
    assert_fails(s, "SELECT * FROM nothing_like_it", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "there are flights, sales.airports");
    assert_fails(s, "SELECT * FROM sales.airport", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "no table named sales.airport: expected one at ");
    assert_message_has(&s->err, "/sales/airport; did you mean sales.airports");
    assert_fails(s, "SELECT f.nothing FROM flights f", DW_INVALID_ARGUMENT, "BIND_ERROR",
                 "table \"f\" does not have a column named \"nothing\"");
    assert_fails(s, "SELECT * FROM delta.`/nowhere/at/all`", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                 "/nowhere/at/all");
    assert_gives_named(s, "SHOW TABLES",
                       "database|tableName|isTemporary\n|flights|false\nsales|airports|false");
}

static void
test_query__names_columns_as_the_engine_does(void **state)
{
    dwt_session *s = *state;
    make_tables(s);
    static const char *const lists[] = {"count(*)",
                                        "count(*) AS n, min(month)",
                                        "count(1), MAX(month) m",
                                        "COUNT()",
                                        "min(id), max(id), count(*)",
                                        "max(MONTH)",
                                        "count(*) + 0",
                                        "count(origin)",
                                        "min(origin)",
                                        "max(\"month\")",
                                        "min(month) AS \"select\"",
                                        "min(id) low, max(id) AS HIGH"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char sql[256];
        char answer[DWT_ROWS_SIZE];
        (void) snprintf(sql, sizeof sql, "SELECT %s FROM flights", lists[i]);
        assert_ok(dwt_execute(s, sql, true), &s->err);
        (void) snprintf(answer, sizeof answer, "%s", s->text);
        /* the engine answers by itself when there is a filter */
        (void) snprintf(sql, sizeof sql, "SELECT %s FROM flights WHERE id > 0", lists[i]);
        assert_gives_named(s, sql, answer);
    }
}

static void
test_engine_words__are_all_that_the_engine_knows(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "SELECT DISTINCT keyword_name FROM duckdb_keywords()");
    dw_str words = dw__str_from(s->text);
    size_t count = 0;
    while (words.len > 0) {
        size_t end = dw__str_find(words, '\n');
        dw_str word = dw__str_slice(words, 0, end == SIZE_MAX ? words.len : end);
        assert_true(dw__engine_prints_quoted(word));
        words = dw__str_slice(words, word.len + 1, words.len);
        count++;
    }
    assert_int_equal(count, 489);
    assert_true(dw__engine_prints_quoted(DW_STR("MONTH")));
    assert_true(dw__engine_prints_quoted(DW_STR("a b")));
    assert_false(dw__engine_prints_quoted(DW_STR("Delay_2")));
    assert_false(dw__engine_prints_quoted(DW_STR("mont")));
}

static void
test_query__refuses_a_statement_while_rows_are_open(void **state)
{
    dwt_session *s = *state;
    dw_result *result = NULL;
    struct ArrowArrayStream rows;
    make_tables(s);
    assert_ok(dw_session_execute(s->session, "SELECT id FROM flights", NULL, &result, &s->err),
              &s->err);
    assert_ok(dw_result_stream(result, &rows, &s->err), &s->err);
    dw_result_free(result);
    assert_fails(s, "SELECT 1", DW_INVALID_ARGUMENT, "RESULT_OPEN", "release");
    rows.release(&rows);
    assert_gives(s, "SELECT 1", "1");
}

static void
test_query__stops_when_cancelled_between_rows(void **state)
{
    dwt_session *s = *state;
    dw_result *result = NULL;
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    assert_ok(
        dw_session_execute(s->session, "SELECT * FROM range(1000000000)", NULL, &result, &s->err),
        &s->err);
    assert_ok(dw_result_stream(result, &rows, &s->err), &s->err);
    dw_result_free(result);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    dw_session_cancel(s->session);
    assert_int_not_equal(rows.get_next(&rows, &batch), 0);
    assert_non_null(rows.get_last_error(&rows));
    rows.release(&rows);
    assert_gives(s, "SELECT 1", "1");
}

static void
test_query__passes_settings_and_statements_to_the_engine(void **state)
{
    dwt_session *s = *state;
    make_tables(s);
    dwt_run(s, "SET threads = 1; RESET threads; CREATE SCHEMA s; CREATE TABLE delta_copy AS FROM "
               "flights;");
    assert_gives(s, "SELECT current_setting('threads') > 0", "true");
    dwt_run(s, "CREATE TEMP TABLE mine AS SELECT id FROM flights WHERE month = 2");
    dwt_run(s, "INSERT INTO mine SELECT id FROM flights@v1; UPDATE mine SET id = 9 FROM flights f "
               "WHERE f.id = mine.id AND f.month = 1; DELETE FROM mine USING flights f WHERE "
               "f.id = mine.id AND f.id = 3");
    assert_gives(s, "SELECT * FROM mine ORDER BY 1", "2\n2\n9");
    assert_fails(s, "CREATE MACRO m() AS TABLE SELECT * FROM flights", DW_UNSUPPORTED,
                 "STATEMENT_UNSUPPORTED", "use a view");
    assert_fails(s, "SELEC 1", DW_INVALID_ARGUMENT, "PARSE_ERROR", "SELEC");
    assert_gives(s, "SUMMARIZE flights; SELECT 1", "1");
    assert_gives(s, "SELECT column_name FROM (DESCRIBE flights)", "id\norigin\nmonth");
    assert_gives(s, "SELECT column_name FROM (DESCRIBE SELECT id FROM flights)", "id");
}

#define session_test(f) cmocka_unit_test_setup_teardown(f, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(test_query__reads_a_table_by_name_and_by_path),
        session_test(test_query__counts_partitions_as_the_engine_does),
        session_test(test_query__joins_tables_subqueries_and_files),
        session_test(test_query__lets_common_table_expressions_and_own_tables_shadow),
        session_test(test_query__travels_in_time),
        session_test(test_query__finds_tables_with_odd_names),
        session_test(test_query__keeps_views_over_tables_up_to_date),
        session_test(test_query__says_what_tables_there_are),
        session_test(test_query__names_columns_as_the_engine_does),
        session_test(test_engine_words__are_all_that_the_engine_knows),
        session_test(test_query__refuses_a_statement_while_rows_are_open),
        session_test(test_query__stops_when_cancelled_between_rows),
        session_test(test_query__passes_settings_and_statements_to_the_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
