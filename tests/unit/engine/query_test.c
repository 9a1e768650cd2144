/*
 * Statements: their rows as Arrow and as text, their columns, their errors, and stopping them.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* ---- Arrow ----------------------------------------------------------------------------------- */

static struct ArrowArrayStream
query(fixture *f, const char *sql, bool *is_query, int64_t *changed)
{
    struct ArrowArrayStream stream;
    assert_ok(
        dw__connection_query(f->connection, dw__str_from(sql), &stream, is_query, changed, &f->err),
        &f->err);
    return stream;
}

static void
test_query__streams_arrow_chunks(void **state)
{
    fixture *f = *state;
    bool is_query = false;
    int64_t changed = 0;
    struct ArrowArrayStream stream =
        query(f, "SELECT i, i::VARCHAR AS \"a name\" FROM range(100000) t(i)", &is_query, &changed);
    assert_true(is_query);
    assert_int_equal(changed, -1);
    struct ArrowSchema schema;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(schema.n_children, 2);
    assert_string_equal(schema.children[0]->format, "l");
    assert_string_equal(schema.children[1]->name, "a name");
    schema.release(&schema);
    int64_t next = 0;
    for (;;) {
        struct ArrowArray array;
        assert_int_equal(stream.get_next(&stream, &array), 0);
        if (array.release == NULL) {
            break;
        }
        const int64_t *values = array.children[0]->buffers[1];
        for (int64_t i = 0; i < array.length; i++) {
            assert_int_equal(values[i], next);
            next++;
        }
        array.release(&array);
    }
    assert_int_equal(next, 100000);
    stream.release(&stream);
}

static void
test_query__gives_types_as_the_engine_does(void **state)
{
    fixture *f = *state;
    bool is_query = false;
    int64_t changed = 0;
    struct ArrowArrayStream stream =
        query(f,
              "SELECT now() AS a, DATE '2024-01-01' AS b, 1.25::DECIMAL(10,2) AS c, "
              "TIMESTAMP '2024-01-01' AS d, {'x': [1]} AS e, MAP {'k': 1} AS f, 'x'::BLOB AS g",
              &is_query, &changed);
    struct ArrowSchema schema;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    static const char *const formats[] = {"tsu:UTC", "tdD", "d:10,2,128", "tsu:", "+s", "+m", "z"};
    assert_int_equal(schema.n_children, 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(schema.children[i]->format, formats[i]);
    }
    schema.release(&schema);
    stream.release(&stream);
}

static void
test_query__says_how_many_rows_changed(void **state)
{
    fixture *f = *state;
    bool is_query = true;
    int64_t changed = -2;
    struct ArrowArrayStream stream = query(f, "CREATE TABLE t (i INTEGER)", &is_query, &changed);
    assert_false(is_query);
    assert_int_equal(changed, -1);
    stream.release(&stream);
    stream = query(f, "INSERT INTO t FROM range(5000)", &is_query, &changed);
    assert_false(is_query);
    assert_int_equal(changed, 5000);
    struct ArrowSchema schema;
    struct ArrowArray array;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
    assert_int_equal(stream.get_next(&stream, &array), 0);
    assert_null(array.release);
    stream.release(&stream);
    assert_rows(f, "5000", "SELECT count(*) FROM t");
}

static void
test_query__reports_errors_that_come_late(void **state)
{
    fixture *f = *state;
    bool is_query = false;
    int64_t changed = 0;
    struct ArrowArrayStream stream =
        query(f,
              "SELECT CASE WHEN i = 900000 THEN error('too far') ELSE 'x' END AS v "
              "FROM range(1000000) t(i)",
              &is_query, &changed);
    int status = 0;
    while (status == 0) {
        struct ArrowArray array;
        status = stream.get_next(&stream, &array);
        if (status == 0) {
            assert_non_null(array.release);
            array.release(&array);
        }
    }
    assert_int_equal(status, EINVAL);
    assert_string_equal(stream.get_last_error(&stream), "too far");
    stream.release(&stream);
    assert_rows(f, "1", "SELECT 1");
}

static void
test_query__can_be_left_unread(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        bool is_query = false;
        int64_t changed = 0;
        struct ArrowArrayStream stream =
            query(f, "SELECT * FROM range(10000000)", &is_query, &changed);
        stream.release(&stream);
    }
    assert_rows(f, "1", "SELECT 1");
}

/* ---- Text and columns ------------------------------------------------------------------------ */

static void
test_query_text__prints_every_type(void **state)
{
    fixture *f = *state;
    assert_rows(f, "1|NULL||{'a': 1, 'b': [x, NULL]}|{k=v}|1.50|2024-01-01 00:00:00+00",
                "SELECT 1, NULL, '', {'a': 1, 'b': ['x', NULL]}, MAP {'k': 'v'}, "
                "1.5::DECIMAL(4,2), TIMESTAMPTZ '2024-01-01 00:00:00Z' -- end");
    assert_rows(f, "1\n2", "SELECT * FROM (VALUES (1), (2)) t(i) ORDER BY i");
    assert_rows(f, "", "SELECT 1 WHERE false");
    assert_rows(f, "10000", "SELECT count(*) FROM (FROM range(10000))");
    assert_rows(f, "a|1|b|2", "SELECT 'a' AS x, 1 AS y, 'b' AS x, 2 AS y");
}

static void
test_query_text__runs_statements_that_are_no_query(void **state)
{
    fixture *f = *state;
    fixture_run(f, "CREATE TABLE shown (i INTEGER)");
    assert_rows(f, "shown", "SHOW TABLES");
    assert_rows(f, "2", "INSERT INTO shown VALUES (1), (2)");
    assert_rows(f, "a|3|4\nb|1|2",
                "PIVOT (SELECT * FROM (VALUES ('b', 'x', 1), ('b', 'y', 2), ('a', 'x', 3), "
                "('a', 'y', 4)) t(k, n, v)) ON n USING sum(v) GROUP BY k ORDER BY k");
}

static void
test_describe__names_columns_and_types_without_running(void **state)
{
    fixture *f = *state;
    dw_query_column *columns = NULL;
    size_t count = 0;
    assert_ok(
        dw__connection_describe(
            f->connection,
            DW_STR("SELECT i, 1.5::DECIMAL(10,2) AS \"a \"\"b\", {'x y': [1], 's': 'q'} AS s, "
                   "MAP {'k': now()} AS m, error('ran')::VARCHAR AS e, '{}'::JSON AS j, NULL AS n, "
                   "[[1,2]]::INTEGER[2][] AS l FROM range(3) t(i)"),
            &f->arena, &columns, &count, &f->err),
        &f->err);
    static const char *const expected[][2] = {
        {"i", "BIGINT"},
        {"a \"b", "DECIMAL(10,2)"},
        {"s", "STRUCT(\"x y\" INTEGER[], \"s\" VARCHAR)"},
        {"m", "MAP(VARCHAR, TIMESTAMP WITH TIME ZONE)"},
        {"e", "VARCHAR"},
        {"j", "JSON"},
        {"n", "INTEGER"},
        {"l", "INTEGER[2][]"},
    };
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        assert_str(columns[i].name, expected[i][0]);
        assert_str(columns[i].type, expected[i][1]);
    }
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static void
test_errors__keep_the_hint_in_one_line(void **state)
{
    fixture *f = *state;
    fixture_run(f, "CREATE TABLE orders (amount INTEGER NOT NULL)");
    static const struct {
        const char *sql;
        dw_status status;
        const char *code;
        const char *message;
    } cases[] = {
        {"SELCT 1", DW_INVALID_ARGUMENT, "PARSE_ERROR", "syntax error at or near \"SELCT\""},
        {"SELECT 1,\n\n FROM FROM x", DW_INVALID_ARGUMENT, "PARSE_ERROR",
         "syntax error at or near \"FROM\" (line 3)"},
        {"", DW_INVALID_ARGUMENT, "PARSE_ERROR", "expected a statement, found none"},
        {"SELECT * FROM ordres", DW_INVALID_ARGUMENT, "CATALOG_ERROR",
         "table with name ordres does not exist! Did you mean \"orders\"?"},
        {"SELECT amout FROM orders", DW_INVALID_ARGUMENT, "BIND_ERROR",
         "referenced column \"amout\" is in none of the tables; did you mean \"amount\""},
        {"SELECT 'x'::INTEGER", DW_INVALID_ARGUMENT, "CONVERSION_ERROR",
         "could not convert string 'x' to INT32"},
        {"INSERT INTO orders VALUES (NULL)", DW_INVALID_ARGUMENT, "CONSTRAINT_VIOLATION",
         "NOT NULL constraint failed: orders.amount"},
        {"SELECT * FROM read_parquet('/nowhere/x.parquet')", DW_NOT_FOUND, "FILE_NOT_FOUND",
         "no files found that match the pattern \"/nowhere/x.parquet\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_status status =
            dw__connection_execute(f->connection, dw__str_from(cases[i].sql), &f->err);
        assert_error(status, cases[i].status, cases[i].code, &f->err);
        assert_string_equal(f->err.message, cases[i].message);
    }
}

static void
test_errors__refuse_a_zero_byte(void **state)
{
    fixture *f = *state;
    dw_status status =
        dw__connection_execute(f->connection, dw__str_make("SELECT 1\0 x", 11), &f->err);
    assert_error(status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &f->err);
}

static void
test_sql_put__quotes_what_is_hostile(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {"", "a\"b", "'; DROP TABLE x; --", "''\"\"", "\\", "\n\t"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 4096);
        dw__strbuf_append_literal(&sql, "SELECT ");
        dw__sql_put_literal(&sql, dw__str_from(texts[i]));
        dw__strbuf_append_literal(&sql, " AS ");
        dw__sql_put_identifier(&sql, dw__str_from(texts[i][0] == '\0' ? "x" : texts[i]));
        dw_text_rows rows;
        assert_ok(dw__connection_query_text(f->connection, dw__strbuf_str(&sql), &f->arena, &rows,
                                            &f->err),
                  &f->err);
        assert_str(rows.cells[0], texts[i]);
    }
}

/* ---- Stopping -------------------------------------------------------------------------------- */

typedef struct stopper {
    dw_connection *connection;
    bool stops;
    atomic_bool is_over;
    double progress_max;
} stopper;

static void *
watch(void *ctx)
{
    stopper *s = ctx;
    while (!atomic_load(&s->is_over)) {
        double progress = dw__connection_progress(s->connection);
        s->progress_max = progress > s->progress_max ? progress : s->progress_max;
        if (s->stops) {
            dw__connection_interrupt(s->connection);
        }
        sched_yield();
    }
    return NULL;
}

static dw_status
run_watched(fixture *f, stopper *s, const char *sql)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, watch, s), 0);
    dw_status status = dw__connection_execute(f->connection, dw__str_from(sql), &f->err);
    atomic_store(&s->is_over, true);
    pthread_join(thread, NULL);
    return status;
}

static void
test_interrupt__stops_a_statement_from_another_thread(void **state)
{
    fixture *f = *state;
    fixture_run(f, "SELECT 1");
    stopper s = {f->connection, true, false, -1};
    dw_status status = run_watched(
        f, &s, "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b");
    assert_error(status, DW_CANCELLED, "CANCELLED", &f->err);
    assert_rows(f, "1", "SELECT 1");
}

static void
test_progress__can_be_asked_while_a_statement_runs(void **state)
{
    fixture *f = *state;
    fixture_run(f, "CREATE TABLE numbers AS FROM range(3000000) t(i)");
    fixture_run(f, "SET progress_bar_time = 0");
    stopper s = {f->connection, false, false, -1};
    assert_ok(run_watched(f, &s, "SELECT max(md5(i::VARCHAR)) FROM numbers"), &f->err);
    assert_true(s.progress_max >= 0 && s.progress_max <= 1);
}

static void
test_interrupt__is_seen_between_chunks(void **state)
{
    fixture *f = *state;
    bool is_query = false;
    int64_t changed = 0;
    struct ArrowArrayStream stream =
        query(f, "SELECT * FROM range(100000000)", &is_query, &changed);
    f->world.cancel_after_polls = 0;
    struct ArrowArray array;
    int status = stream.get_next(&stream, &array);
    assert_int_equal(status, ECANCELED);
    assert_non_null(stream.get_last_error(&stream));
    stream.release(&stream);
    f->world.cancel_after_polls = -1;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_query__streams_arrow_chunks),
        TEST(test_query__gives_types_as_the_engine_does),
        TEST(test_query__says_how_many_rows_changed),
        TEST(test_query__reports_errors_that_come_late),
        TEST(test_query__can_be_left_unread),
        TEST(test_query_text__prints_every_type),
        TEST(test_query_text__runs_statements_that_are_no_query),
        TEST(test_describe__names_columns_and_types_without_running),
        TEST(test_errors__keep_the_hint_in_one_line),
        TEST(test_errors__refuse_a_zero_byte),
        TEST(test_sql_put__quotes_what_is_hostile),
        TEST(test_interrupt__stops_a_statement_from_another_thread),
        TEST(test_progress__can_be_asked_while_a_statement_runs),
        TEST(test_interrupt__is_seen_between_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
