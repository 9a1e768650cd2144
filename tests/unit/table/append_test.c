/*
 * Rows appended as Arrow streams, through the public functions.
 */
#include "unit/sql/sessions.h"

#include <errno.h>

enum { PATH_SIZE = 1024 };

static dw_table *
open_table(dwt_session *s, const char *name)
{
    char path[PATH_SIZE];
    dw_table *table = NULL;
    (void) snprintf(path, sizeof path, "%s/%s", s->dir.path, name);
    assert_ok(dw_table_open(s->runtime, path, &table, &s->err), &s->err);
    return table;
}

/* Appends the rows of a query, which a session of its own runs meanwhile. */
static dw_status
append(dwt_session *s, dw_table *table, const char *sql, dw_commit *commit_out)
{
    dw_session *source = NULL;
    dw_result *result = NULL;
    struct ArrowArrayStream rows;
    assert_ok(dw_session_open(s->runtime, &source, &s->err), &s->err);
    assert_ok(dw_session_execute(source, sql, NULL, &result, &s->err), &s->err);
    assert_ok(dw_result_stream(result, &rows, &s->err), &s->err);
    dw_status status = dw_table_append(table, &rows, NULL, commit_out, &s->err);
    assert_null(rows.release);
    dw_result_free(result);
    dw_session_close(source);
    return status;
}

#define assert_appends(s, table, sql)                                                              \
    do {                                                                                           \
        dw_commit commit_;                                                                         \
        assert_ok(append((s), (table), (sql), &commit_), &(s)->err);                               \
    } while (0)

static void
test_append__matches_columns_by_name_and_fills_the_rest(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a BIGINT, b STRING, \"Cd\" DOUBLE)");
    dw_table *table = open_table(s, "t");
    dw_commit commit;
    assert_ok(append(s, table, "SELECT 1::BIGINT AS a, 'x' AS b, 1.5::DOUBLE AS \"Cd\"", &commit),
              &s->err);
    assert_int_equal(commit.version, 1);
    assert_int_equal(commit.rows_added, 1);
    assert_int_equal(commit.files_added, 1);
    assert_appends(s, table, "SELECT 'y' AS B, 2::INTEGER AS a");
    assert_appends(s, table, "SELECT 3::SMALLINT AS a, 2::DOUBLE AS \"cD\", 'z' AS b");
    assert_appends(s, table, "SELECT 4::BIGINT AS a, 'v' AS b, 0.5::DOUBLE AS \"Cd\"");
    assert_gives(s, "SELECT * FROM t ORDER BY a", "1|x|1.5\n2|y|NULL\n3|z|2\n4|v|0.5");
    dw_table_close(table);
}

static void
test_append__keeps_the_order_and_all_rows_of_a_long_stream(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (i BIGINT, s STRING)");
    dw_table *table = open_table(s, "t");
    dw_commit commit;
    assert_ok(append(s, table, "SELECT i, 'row ' || i AS s FROM range(300000) r(i)", &commit),
              &s->err);
    assert_int_equal(commit.rows_added, 300000);
    assert_gives(s, "SELECT count(*), sum(i)::BIGINT, max(s) FROM t",
                 "300000|44999850000|row 99999");
    assert_ok(append(s, table, "SELECT i, '' AS s FROM range(0) r(i)", &commit), &s->err);
    assert_int_equal(commit.rows_added, 0);
    dw_table_close(table);
}

static void
test_append__writes_partitions(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (i BIGINT, s STRING) PARTITIONED BY (s)");
    dw_table *table = open_table(s, "t");
    assert_appends(s, table, "SELECT i, (i % 3)::VARCHAR AS s FROM range(3000) r(i)");
    assert_appends(s, table, "SELECT i, NULLIF('v', '') AS s FROM range(10) r(i)");
    assert_gives(s, "SELECT s, count(*), sum(i)::BIGINT FROM t GROUP BY s ORDER BY s",
                 "0|1000|1498500\n1|1000|1499500\n2|1000|1500500\nv|10|45");
    dw_table_close(table);
}

static void
test_append__writes_mapped_columns_at_every_depth(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (p STRING, st STRUCT<`a b`: INT, l: ARRAY<STRUCT<x: DATE>>>, "
               "m MAP<STRING, STRUCT<v: DOUBLE>>) PARTITIONED BY (p) "
               "TBLPROPERTIES ('delta.columnMapping.mode' = 'id')");
    dw_table *table = open_table(s, "t");
    assert_appends(s, table,
                   "SELECT {'a b': i::INTEGER, 'l': [{'x': DATE '2024-01-01'}, NULL]} AS st, "
                   "MAP {'k': {'v': 1.5::DOUBLE}} AS m, 'p' AS p FROM range(3) r(i)");
    assert_appends(s, table, "SELECT NULL::STRUCT(\"a b\" INTEGER) AS st, 'q' AS p");
    assert_gives(s,
                 "SELECT p, st.\"a b\", st.l[1].x::VARCHAR, st.l[2] IS NULL, m['k'].v FROM t "
                 "ORDER BY p, 2",
                 "p|0|2024-01-01|true|1.5\np|1|2024-01-01|true|1.5\np|2|2024-01-01|true|1.5\n"
                 "q|NULL|NULL|true|NULL");
    dw_table_close(table);
}

static void
test_append__refuses_what_does_not_fit_and_takes_the_next(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT NOT NULL, d DECIMAL(4,1)) "
               "TBLPROPERTIES ('delta.constraints.small' = 'a < 100')");
    dw_table *table = open_table(s, "t");
    assert_error(append(s, table, "SELECT 1 AS a, 2 AS x", NULL), DW_INVALID_ARGUMENT,
                 "COLUMN_NOT_FOUND", &s->err);
    assert_error(append(s, table, "SELECT 1 AS a, 2 AS \"A\"", NULL), DW_INVALID_ARGUMENT,
                 "COLUMN_DUPLICATE", &s->err);
    assert_error(append(s, table, "SELECT 'x'::BLOB AS a", NULL), DW_INVALID_ARGUMENT,
                 "TYPE_MISMATCH", &s->err);
    assert_error(append(s, table, "SELECT NULL::INTEGER AS a", NULL), DW_INVALID_ARGUMENT,
                 "NOT_NULL_VIOLATION", &s->err);
    assert_error(append(s, table, "SELECT 1 AS a, 1.25::DECIMAL(5,2) AS d", NULL),
                 DW_INVALID_ARGUMENT, "VALUE_LOSES_DATA", &s->err);
    assert_int_equal(append(s, table, "SELECT 1000 AS a, NULL::DECIMAL(4,1) AS d", NULL),
                     DW_INVALID_ARGUMENT);
    assert_appends(s, table, "SELECT 1.0::DOUBLE AS a, 1.20::DECIMAL(5,2) AS d");
    assert_gives(s, "SELECT a, d::VARCHAR FROM t", "1|1.2");
    dw_table_close(table);
}

/* ---- Streams that fail ----------------------------------------------------------------------- */

static int
failing_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void) stream;
    (void) out;
    return EIO;
}

static const char *
failing_error(struct ArrowArrayStream *stream)
{
    (void) stream;
    return "the well is dry";
}

static void
failing_release(struct ArrowArrayStream *stream)
{
    bool *was_released = stream->private_data;
    *was_released = true;
    stream->release = NULL;
}

static void
test_append__releases_a_stream_that_fails(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (a INT)");
    dw_table *table = open_table(s, "t");
    bool was_released = false;
    struct ArrowArrayStream rows = {failing_schema, NULL, failing_error, failing_release,
                                    &was_released};
    assert_error(dw_table_append(table, &rows, NULL, NULL, &s->err), DW_INVALID_ARGUMENT,
                 "ARROW_INVALID", &s->err);
    assert_message_has(&s->err, "the well is dry");
    assert_true(was_released);
    dw_table_close(table);
}

/* What variants are shredded by is chosen from rows that must not be lost by that. */
static void
test_append__shreds_rows_that_come_but_once(void **state)
{
    dwt_session *s = *state;
    dwt_run(s, "CREATE TABLE t (i BIGINT, v VARIANT) "
               "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')");
    dw_table *table = open_table(s, "t");
    for (int i = 0; i < 2; i++) {
        assert_appends(s, table, "SELECT i, 'text ' || i AS v FROM range(10000) r(i)");
    }
    assert_gives(
        s,
        "SELECT count(*), count(DISTINCT i), count(v), sum((v::VARCHAR = 'text ' || i)::INT"
        ")::BIGINT FROM t",
        "20000|10000|20000|20000");
    char sql[PATH_SIZE + 100];
    (void) snprintf(sql, sizeof sql,
                    "SELECT count(*) FROM parquet_schema('%s/t/*.parquet') WHERE name = "
                    "'typed_value'",
                    s->dir.path);
    assert_gives(s, sql, "2");
    assert_error(append(s, table, "SELECT 'x' AS i, 'y' AS v", NULL), DW_INVALID_ARGUMENT,
                 "CONVERSION_ERROR", &s->err);
    dw_table_close(table);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_session_setup, dwt_session_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_append__matches_columns_by_name_and_fills_the_rest),
        TEST(test_append__keeps_the_order_and_all_rows_of_a_long_stream),
        TEST(test_append__writes_partitions),
        TEST(test_append__writes_mapped_columns_at_every_depth),
        TEST(test_append__refuses_what_does_not_fit_and_takes_the_next),
        TEST(test_append__releases_a_stream_that_fails),
        TEST(test_append__shreds_rows_that_come_but_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
