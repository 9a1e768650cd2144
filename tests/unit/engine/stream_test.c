/*
 * Arrow streams as sources of statements.
 */
#include "fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- Streams of our own ---------------------------------------------------------------------- */

/* A stream that hands out what another gives, and can fail, or count. */
typedef struct proxy {
    struct ArrowArrayStream inner;
    int64_t fail_at; /* the array that fails, from 0; -1: none */
    int fail_with;
    int64_t given;
    atomic_int *released;
} proxy;

static int
proxy_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    proxy *p = stream->private_data;
    return p->inner.get_schema(&p->inner, out);
}

static int
proxy_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    proxy *p = stream->private_data;
    if (p->given == p->fail_at) {
        return p->fail_with;
    }
    p->given++;
    return p->inner.get_next(&p->inner, out);
}

static const char *
proxy_error(struct ArrowArrayStream *stream)
{
    (void) stream;
    return "the well is dry";
}

static void
proxy_release(struct ArrowArrayStream *stream)
{
    proxy *p = stream->private_data;
    p->inner.release(&p->inner);
    atomic_fetch_add(p->released, 1);
    free(p);
    stream->release = NULL;
}

/*
 * The rows of a query on a connection of its own, which stays open until the fixture's database
 * goes.
 */
typedef struct source {
    dw_connection *connection;
    struct ArrowArrayStream stream;
    proxy *proxy;
    atomic_int released;
} source;

static void
source_open(fixture *f, source *s, const char *sql)
{
    *s = (source){0};
    assert_ok(dw__connection_open(f->database, &s->connection, &f->err), &f->err);
    s->proxy = calloc(1, sizeof(*s->proxy));
    s->proxy->fail_at = -1;
    s->proxy->released = &s->released;
    bool is_query = false;
    int64_t changed = 0;
    assert_ok(dw__connection_query(s->connection, dw__str_from(sql), &s->proxy->inner, &is_query,
                                   &changed, &f->err),
              &f->err);
    s->stream =
        (struct ArrowArrayStream){proxy_schema, proxy_next, proxy_error, proxy_release, s->proxy};
}

/* As a view, so that statements can say a name. */
static dw_stream_source
bind_stream(fixture *f, struct ArrowArrayStream *stream, const char *name)
{
    dw_stream_source bound;
    assert_ok(dw__connection_add_stream(f->connection, stream, &f->arena, &bound, &f->err),
              &f->err);
    assert_null(stream->release);
    fixture_run(f, "CREATE OR REPLACE TEMP VIEW \"%s\" AS FROM %.*s", name, DW_STR_ARG(bound.sql));
    return bound;
}

static dw_stream_source
bind(fixture *f, source *s, const char *name)
{
    return bind_stream(f, &s->stream, name);
}

static void
reconnect(fixture *f)
{
    dw__connection_close(f->connection);
    assert_ok(dw__connection_open(f->database, &f->connection, &f->err), &f->err);
}

static void
unbind(fixture *f, source *s)
{
    reconnect(f);
    assert_int_equal(s->released, 1);
    dw__connection_close(s->connection);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void
test_stream__gives_its_rows_once(void **state)
{
    fixture *f = *state;
    source s;
    source_open(f, &s, "SELECT i, 'v' || i AS \"a b\" FROM range(100000) t(i)");
    (void) bind(f, &s, "in x");
    assert_rows(f, "100000|4999950000|v99999",
                "SELECT count(*), sum(i), max_by(\"a b\", i) FROM \"in x\"");
    dw_status status =
        dw__connection_execute(f->connection, DW_STR("SELECT * FROM \"in x\""), &f->err);
    assert_error(status, DW_INVALID_ARGUMENT, "INVALID_INPUT", &f->err);
    assert_message_has(&f->err, "reads it again");
    unbind(f, &s);
}

static void
test_stream__refuses_to_be_read_twice_in_a_statement(void **state)
{
    fixture *f = *state;
    source s;
    source_open(f, &s, "SELECT i FROM range(10) t(i)");
    (void) bind(f, &s, "s");
    dw_status status =
        dw__connection_execute(f->connection, DW_STR("SELECT count(*) FROM s a, s b"), &f->err);
    assert_error(status, DW_INVALID_ARGUMENT, "INVALID_INPUT", &f->err);
    unbind(f, &s);
}

static void
test_stream__keeps_types_order_and_filters(void **state)
{
    fixture *f = *state;
    source s;
    source_open(f, &s,
                "SELECT i::INTEGER AS i, CASE WHEN i % 3 > 0 THEN i END AS n, i::DECIMAL(20,3) AS "
                "d, i % 2 = 0 AS b, DATE '2024-01-01' + i::INTEGER AS dt, TIMESTAMPTZ '2024-01-01 "
                "00:00:00Z' + to_seconds(i) AS tz, TIMESTAMP '2024-01-01' AS ts, 'b'::BLOB AS bl, "
                "CASE WHEN i % 5 > 0 THEN {'x': i, 'y': CASE WHEN i % 7 > 0 THEN {'z': 's' || i} "
                "END} END AS st, CASE WHEN i % 2 > 0 THEN [{'q': i}, NULL] END AS l, MAP {'k' || "
                "i: [i]} AS m, (i % 4)::VARCHAR::ENUM('0', '1', '2', '3') AS e, i::FLOAT AS f FROM "
                "range(9000) t(i)");
    dw_stream_source bound = bind(f, &s, "s");
    dw_query_column *columns = NULL;
    size_t count = 0;
    assert_ok(dw__connection_describe(f->connection, DW_STR("FROM s"), &f->arena, &columns, &count,
                                      &f->err),
              &f->err);
    assert_int_equal(bound.column_count, count);
    static const char *const types[] = {"INTEGER",
                                        "BIGINT",
                                        "DECIMAL(20,3)",
                                        "BOOLEAN",
                                        "DATE",
                                        "TIMESTAMP WITH TIME ZONE",
                                        "TIMESTAMP",
                                        "BLOB",
                                        "STRUCT(\"x\" BIGINT, \"y\" STRUCT(\"z\" VARCHAR))",
                                        "STRUCT(\"q\" BIGINT)[]",
                                        "MAP(VARCHAR, BIGINT[])",
                                        "VARCHAR",
                                        "FLOAT"};
    assert_int_equal(count, 13);
    for (size_t i = 0; i < count; i++) {
        assert_str(columns[i].type, types[i]);
        assert_str(bound.columns[i].type, types[i]);
        assert_true(dw__str_equal(bound.columns[i].name, columns[i].name));
    }
    fixture_run(f, "CREATE TABLE got AS SELECT * FROM s");
    assert_rows(f, "9000|0|6000|40495500.000",
                "SELECT count(*), count(*) FILTER (i <> rowid), count(n), sum(d) FROM got");
    assert_rows(f, "0",
                "SELECT count(*) FROM got WHERE st IS DISTINCT FROM CASE WHEN i %% 5 > 0 THEN "
                "{'x': i::BIGINT, 'y': CASE WHEN i %% 7 > 0 THEN {'z': 's' || i} END} END OR l "
                "IS DISTINCT FROM CASE WHEN i %% 2 > 0 THEN [{'q': i::BIGINT}, NULL] END OR m "
                "IS DISTINCT FROM MAP {'k' || i: [i::BIGINT]} OR e::VARCHAR <> (i %% "
                "4)::VARCHAR OR epoch(tz) <> 1704067200 + i OR f <> i");
    unbind(f, &s);
    source_open(f, &s, "SELECT i AS a, 'x' AS b, {'c': i} AS d FROM range(5000) t(i)");
    (void) bind(f, &s, "s");
    assert_rows(f, "4999|{'c': 4999}", "SELECT a, d FROM s WHERE d.c = 4999 AND b = 'x'");
    unbind(f, &s);
}

static void
test_stream__can_be_empty_or_left_unread(void **state)
{
    fixture *f = *state;
    source s;
    source_open(f, &s,
                "SELECT i, 'x' AS s, ['a'] AS l, {'x': 1} AS st, MAP {'a': 1} AS m, 'a'::ENUM('a') "
                "AS e, 1::DECIMAL(30,1) AS d, NULL AS n, uuid() AS u, [1,2]::INTEGER[2] AS fl, "
                "INTERVAL 1 DAY AS iv, TIME '10:00' AS t FROM range(0) t(i)");
    (void) bind(f, &s, "s");
    assert_rows(f, "0", "SELECT count(*) FROM s");
    unbind(f, &s);
    source_open(f, &s, "SELECT i FROM range(1000000) t(i)");
    (void) bind(f, &s, "s");
    assert_rows(f, "0", "SELECT i FROM s LIMIT 1");
    unbind(f, &s);
    source_open(f, &s, "SELECT i FROM range(1000000) t(i)");
    (void) bind(f, &s, "never read");
    unbind(f, &s);
}

static void
test_stream__passes_on_failures(void **state)
{
    fixture *f = *state;
    static const struct {
        int number;
        dw_status status;
        const char *code;
    } cases[] = {{EIO, DW_IO, "ENGINE_IO"},
                 {ENOMEM, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY"},
                 {ECANCELED, DW_CANCELLED, "CANCELLED"},
                 {EINVAL, DW_INVALID_ARGUMENT, "INVALID_INPUT"}};
    for (size_t i = 0; i < 4; i++) {
        source s;
        source_open(f, &s, "SELECT i FROM range(100000) t(i)");
        s.proxy->fail_at = 5;
        s.proxy->fail_with = cases[i].number;
        (void) bind(f, &s, "s");
        dw_status status =
            dw__connection_execute(f->connection, DW_STR("SELECT sum(i) FROM s"), &f->err);
        assert_error(status, cases[i].status, cases[i].code, &f->err);
        assert_message_has(&f->err, "the well is dry");
        unbind(f, &s);
    }
    source s;
    source_open(f, &s, "SELECT i FROM range(100000) t(i)");
    (void) bind(f, &s, "s");
    f->world.cancel_after_polls = 3;
    assert_int_equal(dw__connection_execute(f->connection, DW_STR("SELECT sum(i) FROM s"), &f->err),
                     DW_CANCELLED);
    f->world.cancel_after_polls = -1;
    unbind(f, &s);
}

/* ---- Arrays with offsets --------------------------------------------------------------------- */

enum { ROWS = 3000, SHIFT = 5 };

/*
 * s: struct<a: int32, t: struct<b: int32>>, l: list<struct<c: int32>>. Every array starts SHIFT
 * rows late, as slices do; below a struct the shifts add up.
 */
typedef struct sliced {
    int32_t a[ROWS + 4 * SHIFT], b[ROWS + 4 * SHIFT], c[2 * ROWS + 8 * SHIFT];
    int32_t offsets[ROWS + 2 * SHIFT + 1];
    const void *a_buffers[2], *b_buffers[2], *c_buffers[2], *list_buffers[2], *none[1];
    struct ArrowArray arrays[8];
    struct ArrowArray *children[8];
    bool is_given;
} sliced;

static void
release_sliced(struct ArrowArray *array)
{
    array->release = NULL;
}

static struct ArrowArray
array_of(const void **buffers, int64_t buffer_count, int64_t length, struct ArrowArray **children,
         int64_t child_count)
{
    return (struct ArrowArray){.length = length,
                               .offset = SHIFT,
                               .n_buffers = buffer_count,
                               .n_children = child_count,
                               .buffers = buffers,
                               .children = children,
                               .release = release_sliced};
}

static int
sliced_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    sliced *s = stream->private_data;
    *out = (struct ArrowArray){0};
    if (s->is_given) {
        return 0;
    }
    s->is_given = true;
    /* Value v of a column stands where all shifts above it add up. */
    for (int i = 0; i < ROWS + SHIFT; i++) {
        s->a[i + 2 * SHIFT] = i - SHIFT;
        s->b[i + 3 * SHIFT] = i - SHIFT;
    }
    for (int i = 0; i <= ROWS + SHIFT; i++) {
        s->offsets[i + SHIFT] = 2 * (i - SHIFT < 0 ? 0 : i - SHIFT);
    }
    for (int i = 0; i < 2 * ROWS; i++) {
        s->c[i + 2 * SHIFT] = i;
    }
    s->a_buffers[1] = s->a;
    s->b_buffers[1] = s->b;
    s->c_buffers[1] = s->c;
    s->list_buffers[1] = s->offsets;
    for (int i = 0; i < 8; i++) {
        s->children[i] = &s->arrays[i];
    }
    /* 0 s, 1 l, 2 a, 3 t, 4 b, 5 the list's struct, 6 c */
    s->arrays[0] = array_of(s->none, 1, ROWS + SHIFT, &s->children[2], 2);
    s->arrays[1] = array_of(s->list_buffers, 2, ROWS + SHIFT, &s->children[5], 1);
    s->arrays[2] = array_of(s->a_buffers, 2, ROWS + 2 * SHIFT, NULL, 0);
    s->arrays[3] = array_of(s->none, 1, ROWS + 2 * SHIFT, &s->children[4], 1);
    s->arrays[4] = array_of(s->b_buffers, 2, ROWS + 3 * SHIFT, NULL, 0);
    s->arrays[5] = array_of(s->none, 1, 2 * ROWS, &s->children[6], 1);
    s->arrays[6] = array_of(s->c_buffers, 2, 2 * ROWS + SHIFT, NULL, 0);
    *out = array_of(s->none, 1, ROWS, &s->children[0], 2);
    return 0;
}

static void
keep_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static int
sliced_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void) stream;
#define NODE(fmt, label, kids, count)                                                              \
    {                                                                                              \
        fmt, label, NULL, ARROW_FLAG_NULLABLE, count, kids, NULL, keep_schema, NULL                \
    }
    static struct ArrowSchema b = NODE("i", "b", NULL, 0);
    static struct ArrowSchema c = NODE("i", "c", NULL, 0);
    static struct ArrowSchema a = NODE("i", "a", NULL, 0);
    static struct ArrowSchema *t_fields[] = {&b};
    static struct ArrowSchema *item_fields[] = {&c};
    static struct ArrowSchema t = NODE("+s", "t", t_fields, 1);
    static struct ArrowSchema item = NODE("+s", "item", item_fields, 1);
    static struct ArrowSchema *s_fields[] = {&a, &t};
    static struct ArrowSchema *l_fields[] = {&item};
    static struct ArrowSchema s = NODE("+s", "s", s_fields, 2);
    static struct ArrowSchema l = NODE("+l", "l", l_fields, 1);
    static struct ArrowSchema *columns[] = {&s, &l};
    *out = (struct ArrowSchema) NODE("+s", "", columns, 2);
#undef NODE
    return 0;
}

static void
sliced_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static void
test_stream__reads_slices_of_nested_arrays(void **state)
{
    fixture *f = *state;
    sliced *rows = calloc(1, sizeof(*rows));
    struct ArrowArrayStream stream = {sliced_schema, sliced_next, proxy_error, sliced_release,
                                      rows};
    (void) bind_stream(f, &stream, "s");
    fixture_run(f, "CREATE TABLE got AS FROM s");
    assert_rows(f, "3000|0|2999|2999|5998|5999",
                "SELECT count(*), count(*) FILTER (s.a <> rowid OR s.t.b <> rowid OR l <> [{'c': "
                "(2 * rowid)::INTEGER}, {'c': (2 * rowid + 1)::INTEGER}]), max(s.a), max(s.t.b), "
                "max(l[1].c), max(l[2].c) FROM got");
    reconnect(f);
    free(rows);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static int
failing_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void) stream;
    (void) out;
    return EIO;
}

static int
plain_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void) stream;
    *out = (struct ArrowSchema){"i", "x", NULL, 0, 0, NULL, NULL, keep_schema, NULL};
    return 0;
}

static void
test_stream__refuses_what_is_no_stream_of_rows(void **state)
{
    fixture *f = *state;
    dw_stream_source bound;
    struct ArrowArrayStream stream = {failing_schema, NULL, proxy_error, sliced_release, NULL};
    assert_error(dw__connection_add_stream(f->connection, &stream, &f->arena, &bound, &f->err),
                 DW_INVALID_ARGUMENT, "ARROW_INVALID", &f->err);
    assert_message_has(&f->err, "the well is dry");
    assert_null(stream.release);
    stream = (struct ArrowArrayStream){plain_schema, NULL, proxy_error, sliced_release, NULL};
    assert_error(dw__connection_add_stream(f->connection, &stream, &f->arena, &bound, &f->err),
                 DW_INVALID_ARGUMENT, "ARROW_INVALID", &f->err);
}

static void
test_stream__survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    fixture_run(f, "SELECT 1");
    bool has_failed = true;
    for (int64_t n = 1; has_failed; n++) {
        source s;
        source_open(f, &s, "SELECT i, {'x': [i]} AS st FROM range(10) t(i)");
        dwt_fault_allocator_fail_at(&f->world.memory, n, n % 2 == 0);
        dw_stream_source bound;
        dw_status status =
            dw__connection_add_stream(f->connection, &s.stream, &f->arena, &bound, &f->err);
        has_failed = dwt_fault_allocator_has_failed(&f->world.memory);
        dwt_fault_allocator_fail_at(&f->world.memory, 0, false);
        assert_true(status == DW_OK || has_failed);
        unbind(f, &s);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_stream__gives_its_rows_once),
        TEST(test_stream__refuses_to_be_read_twice_in_a_statement),
        TEST(test_stream__keeps_types_order_and_filters),
        TEST(test_stream__can_be_empty_or_left_unread),
        TEST(test_stream__passes_on_failures),
        TEST(test_stream__reads_slices_of_nested_arrays),
        TEST(test_stream__refuses_what_is_no_stream_of_rows),
        TEST(test_stream__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
