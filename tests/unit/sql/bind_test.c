/*
 * Binding as text in, text out. The catalog is made up: flights, sales.orders, größe and a few
 * single letters are Delta tables, v and w are views, everything else is the engine's.
 */
#include "support/fault_allocator.h"
#include "support/test.h"

#include "sql/bind.h"

static const char *const delta_names[] = {"flights", "orders", "größe", "a", "b", "odd@v3"};

static const dw_str view_columns[] = {{"x", 1}, {"y", 1}};
static const dw_sql_view views[] = {
    {.name = {"v", 1}, .text = {"SELECT * FROM flights -- all", 28}},
    {.name = {"w", 1},
     .text = {"WITH a AS (FROM v) FROM a, b", 28},
     .columns = view_columns,
     .column_count = 2},
    {.name = {"loop", 4}, .text = {"FROM loop", 9}},
    {.name = {"bad", 3}, .text = {"FROM flights VERSION AS OF x", 28}},
};

static dw_status
find(void *ctx, const dw_sql_name *name, dw_sql_object *out, dw_error *err)
{
    (void) err;
    *(size_t *) ctx += 1;
    dw_str last = name->parts[name->part_count - 1];
    bool is_schema = name->part_count == 2 && dw__str_equal_nocase(name->parts[0], DW_STR("sales"));
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (name->part_count == 1 && dw__str_equal(last, views[i].name)) {
            *out = (dw_sql_object){DW_OBJECT_VIEW, &views[i]};
            return DW_OK;
        }
    }
    for (size_t i = 0; i < sizeof delta_names / sizeof *delta_names; i++) {
        if ((name->part_count == 1 || is_schema) &&
            dw__str_equal_nocase(last, dw__str_from(delta_names[i]))) {
            out->kind = DW_OBJECT_DELTA;
        }
    }
    if (name->is_path && dw__str_equal(last, DW_STR("/odd@v3"))) {
        out->kind = DW_OBJECT_DELTA;
    }
    return DW_OK;
}

typedef struct fixture {
    dw_arena arena;
    dw_sql_text sql;
    dw_binding binding;
    dw_error err;
    dw_str text;
    size_t lookups;
} fixture;

static dw_status
bind_with(fixture *f, const dw_allocator *allocator, const char *text, dw_bind_options options)
{
    memset(f, 0, sizeof *f);
    dw__arena_init(&f->arena, allocator);
    options.lookup = (dw_sql_lookup){find, &f->lookups};
    options.scan_prefix = "s";
    DW_TRY(dw__sql_text_init(&f->sql, allocator, dw__str_from(text), &f->err));
    dw_sql_range range = {0, f->sql.count - 1};
    DW_TRY(dw__bind(&f->binding, &f->sql, range, &f->arena, &options, &f->err));
    return dw__binding_print(&f->binding, range, &f->text, &f->err);
}

static void
release(fixture *f)
{
    dw__binding_deinit(&f->binding);
    dw__sql_text_deinit(&f->sql);
    dw__arena_deinit(&f->arena);
}

static void
assert_bound(const char *text, const char *expected)
{
    fixture f;
    dw_status status = bind_with(&f, dw__allocator_libc(), text, (dw_bind_options){0});
    assert_ok(status, &f.err);
    assert_str(f.text, expected);
    release(&f);
}

static void
assert_unchanged(const char *text)
{
    assert_bound(text, text);
}

static void
assert_refused(const char *text, dw_status expected, const char *code, const char *message)
{
    fixture f;
    dw_status status = bind_with(&f, dw__allocator_libc(), text, (dw_bind_options){0});
    assert_error(status, expected, code, &f.err);
    assert_message_has(&f.err, message);
    release(&f);
}

/* The time travel of the first reference: "" | "v3" | an expression. */
static void
assert_travel(const char *text, const char *expected)
{
    fixture f;
    char actual[200];
    dw_status status = bind_with(&f, dw__allocator_libc(), text, (dw_bind_options){0});
    assert_ok(status, &f.err);
    assert_int_equal(f.binding.references.count, 1);
    const dw_sql_travel *travel = &f.binding.references.items[0].travel;
    if (travel->kind == DW_TRAVEL_VERSION) {
        (void) snprintf(actual, sizeof actual, "v%lld", (long long) travel->version);
    } else {
        (void) snprintf(actual, sizeof actual, "%.*s", DW_STR_ARG(travel->expression));
    }
    assert_string_equal(actual, expected);
    release(&f);
}

/* ---- Where tables stand ---------------------------------------------------------------------- */

static void
test_bind__replaces_tables_and_keeps_their_names(void **state)
{
    (void) state;
    assert_bound("SELECT * FROM flights", "SELECT * FROM s_1 AS \"flights\"");
    assert_bound("select flights.x from Flights", "select flights.x from s_1 AS \"Flights\"");
    assert_bound("SELECT * FROM flights f", "SELECT * FROM s_1 f");
    assert_bound("SELECT * FROM flights AS \"f g\" WHERE x",
                 "SELECT * FROM s_1 AS \"f g\" WHERE x");
    assert_bound("SELECT * FROM `größe` g", "SELECT * FROM s_1 g");
    assert_bound("FROM größe", "FROM s_1 AS \"größe\"");
    assert_bound("FROM flights AS f(x, y)", "FROM s_1 AS f(x, y)");
    assert_bound("FROM f: flights", "FROM f: s_1");
    assert_bound("SELECT * FROM delta.`/data/flights`", "SELECT * FROM s_1 AS \"flights\"");
    assert_bound("SELECT * FROM delta.\"/data/a b/\"", "SELECT * FROM s_1 AS \"a b\"");
    assert_bound("SELECT * FROM sales.orders", "SELECT * FROM s_1 AS \"orders\"");
    assert_bound("SELECT 1 /* x */ FROM -- y\n flights;", "SELECT 1 /* x */ FROM -- y\n s_1 AS "
                                                          "\"flights\";");
}

static void
test_bind__leaves_everything_else_as_it_is(void **state)
{
    (void) state;
    assert_unchanged("SELECT 1");
    assert_unchanged("SELECT * FROM other, main.other x, 'file.parquet', read_csv('x') y");
    assert_unchanged("SELECT flights FROM range(10) flights");
    assert_unchanged(
        "SELECT extract(year FROM flights), trim(FROM flights), trim(both 'x' FROM a)");
    assert_unchanged("SELECT substring(a FROM 2 FOR b), overlay(a PLACING b FROM 2)");
    assert_unchanged("SELECT x IS DISTINCT FROM flights, y IS NOT DISTINCT FROM a FROM t");
    assert_unchanged("SELECT t.from, t.join, 1 AS from, 2 AS select FROM t");
    assert_unchanged("SELECT * EXCLUDE (a) REPLACE (b AS a) FROM t ORDER BY a, b LIMIT a");
    assert_unchanged("SELECT 'FROM flights', $$FROM flights$$, \"FROM flights\" FROM t");
    assert_unchanged("SELECT a::TIMESTAMP WITH TIME ZONE, b FROM t");
    assert_unchanged("SELECT [x for x in a if x > 1], {'a': b}, a[1:b] FROM t");
    assert_unchanged("SELECT * FROM t WINDOW a AS (PARTITION BY b ORDER BY a), b AS ()");
    assert_unchanged("VALUES (1, a), (2, b)");
    assert_unchanged("SELECT * FROM (VALUES (a), (b)) t(a, b)");
    assert_bound("SELECT `a b`.`c``d` FROM `t u`", "SELECT \"a b\".\"c`d\" FROM \"t u\"");
    assert_bound("SELECT `a\"b` FROM t", "SELECT \"a\"\"b\" FROM t");
}

static void
test_bind__finds_tables_in_joins_and_lists(void **state)
{
    (void) state;
    assert_bound("SELECT * FROM a, b WHERE a.x = b.x",
                 "SELECT * FROM s_1 AS \"a\", s_2 AS \"b\" WHERE a.x = b.x");
    assert_bound("SELECT * FROM a x JOIN b y ON x.i = y.i, flights z, t",
                 "SELECT * FROM s_1 x JOIN s_2 y ON x.i = y.i, s_3 z, t");
    assert_bound("FROM a LEFT JOIN b USING (i) NATURAL JOIN flights CROSS JOIN t",
                 "FROM s_1 AS \"a\" LEFT JOIN s_2 AS \"b\" USING (i) NATURAL JOIN s_3 AS "
                 "\"flights\" CROSS JOIN t");
    assert_bound("FROM a ASOF JOIN b ON a.t >= b.t SEMI JOIN a c ON true",
                 "FROM s_1 AS \"a\" ASOF JOIN s_2 AS \"b\" ON a.t >= b.t SEMI JOIN s_3 c ON true");
    assert_bound("FROM (a JOIN b ON a.i = b.i) POSITIONAL JOIN flights",
                 "FROM (s_1 AS \"a\" JOIN s_2 AS \"b\" ON a.i = b.i) POSITIONAL JOIN s_3 AS "
                 "\"flights\"");
    assert_bound("FROM ((a CROSS JOIN b)), flights",
                 "FROM ((s_1 AS \"a\" CROSS JOIN s_2 AS \"b\")), s_3 AS \"flights\"");
    assert_bound("FROM a, LATERAL (FROM b WHERE b.i = a.i), flights",
                 "FROM s_1 AS \"a\", LATERAL (FROM s_2 AS \"b\" WHERE b.i = a.i), s_3 AS "
                 "\"flights\"");
    assert_bound("FROM a JOIN b ON mode() WITHIN GROUP (ORDER BY x) > 1, flights, values",
                 "FROM s_1 AS \"a\" JOIN s_2 AS \"b\" ON mode() WITHIN GROUP (ORDER BY x) > 1, "
                 "s_3 AS \"flights\", values");
    assert_bound("FROM a TABLESAMPLE 10%, b", "FROM s_1 AS \"a\" TABLESAMPLE 10%, s_2 AS \"b\"");
    assert_bound("FROM VALUES (1, 2), (3, 4) t(x, y), a", "FROM VALUES (1, 2), (3, 4) t(x, y), s_1 "
                                                          "AS \"a\"");
    assert_bound("FROM range(3) t(x), a, generate_series(1, 2), b,",
                 "FROM range(3) t(x), s_1 AS \"a\", generate_series(1, 2), s_2 AS \"b\",");
}

static void
test_bind__finds_tables_in_subqueries_and_set_operations(void **state)
{
    (void) state;
    assert_bound("SELECT (SELECT max(x) FROM a), EXISTS (FROM b) FROM t",
                 "SELECT (SELECT max(x) FROM s_1 AS \"a\"), EXISTS (FROM s_2 AS \"b\") FROM t");
    assert_bound("SELECT * FROM t WHERE x IN (SELECT x FROM a) AND y > ALL (SELECT y FROM b)",
                 "SELECT * FROM t WHERE x IN (SELECT x FROM s_1 AS \"a\") AND y > ALL (SELECT y "
                 "FROM s_2 AS \"b\")");
    assert_bound("SELECT 1 FROM a UNION ALL BY NAME FROM b EXCEPT SELECT 1 FROM flights",
                 "SELECT 1 FROM s_1 AS \"a\" UNION ALL BY NAME FROM s_2 AS \"b\" EXCEPT SELECT 1 "
                 "FROM s_3 AS \"flights\"");
    assert_bound("(FROM a) INTERSECT (SELECT * FROM (FROM b))",
                 "(FROM s_1 AS \"a\") INTERSECT (SELECT * FROM (FROM s_2 AS \"b\"))");
    assert_bound("SELECT extract(year FROM (SELECT max(d) FROM a)) FROM b",
                 "SELECT extract(year FROM (SELECT max(d) FROM s_1 AS \"a\")) FROM s_2 AS \"b\"");
    assert_bound("SELECT ARRAY(SELECT x FROM a), sum(x) FILTER (x IN (FROM b)) FROM t",
                 "SELECT ARRAY(SELECT x FROM s_1 AS \"a\"), sum(x) FILTER (x IN (FROM s_2 AS "
                 "\"b\")) FROM t");
    assert_bound("SELECT * EXCEPT (x) FROM a", "SELECT * EXCEPT (x) FROM s_1 AS \"a\"");
    assert_bound("FROM a SELECT x, y WHERE z IN (1, 2)",
                 "FROM s_1 AS \"a\" SELECT x, y WHERE z IN (1, 2)");
}

static void
test_bind__finds_tables_behind_other_verbs(void **state)
{
    (void) state;
    assert_bound("TABLE flights", "(FROM s_1 AS \"flights\")");
    assert_bound("TABLE flights UNION TABLE t", "(FROM s_1 AS \"flights\") UNION TABLE t");
    assert_bound("DESCRIBE TABLE flights", "DESCRIBE (FROM s_1 AS \"flights\")");
    assert_bound("SUMMARIZE flights", "SUMMARIZE (FROM s_1 AS \"flights\")");
    assert_bound("SUMMARIZE SELECT * FROM flights", "SUMMARIZE SELECT * FROM s_1 AS \"flights\"");
    assert_bound("SELECT * FROM (DESCRIBE flights)", "SELECT * FROM (DESCRIBE (FROM s_1 AS "
                                                     "\"flights\"))");
    assert_bound("PIVOT flights ON x USING sum(y)", "PIVOT s_1 AS \"flights\" ON x USING sum(y)");
    assert_bound("FROM flights PIVOT (sum(a) FOR b IN (1, 2))",
                 "FROM s_1 AS \"flights\" PIVOT (sum(a) FOR b IN (1, 2))");
    assert_bound("UNPIVOT (FROM flights) ON a, b", "UNPIVOT (FROM s_1 AS \"flights\") ON a, b");
    assert_bound("CREATE TEMP TABLE flights AS SELECT * FROM flights",
                 "CREATE TEMP TABLE flights AS SELECT * FROM s_1 AS \"flights\"");
    assert_bound("COPY (SELECT * FROM flights) TO 'flights' (FORMAT csv, HEADER)",
                 "COPY (SELECT * FROM s_1 AS \"flights\") TO 'flights' (FORMAT csv, HEADER)");
}

static void
test_bind__finds_tables_in_changes_to_the_engines_own_tables(void **state)
{
    (void) state;
    fixture f;
    dw_bind_options from = {.from_is_clause = true};
    assert_ok(bind_with(&f, dw__allocator_libc(), "UPDATE t SET x = a FROM flights", from), &f.err);
    assert_str(f.text, "UPDATE t SET x = a FROM s_1 AS \"flights\"");
    release(&f);
    dw_bind_options using = {.using_is_clause = true};
    assert_ok(
        bind_with(&f, dw__allocator_libc(), "DELETE FROM t USING flights, b WHERE a = b", using),
        &f.err);
    assert_str(f.text, "DELETE FROM t USING s_1 AS \"flights\", s_2 AS \"b\" WHERE a = b");
    release(&f);
    assert_bound("DELETE FROM t WHERE x IN (FROM flights)",
                 "DELETE FROM t WHERE x IN (FROM s_1 AS \"flights\")");
}

/* ---- Scope ----------------------------------------------------------------------------------- */

static void
test_bind__lets_common_table_expressions_shadow_tables(void **state)
{
    (void) state;
    assert_bound("WITH a AS (SELECT * FROM a WHERE x) SELECT * FROM a",
                 "WITH a AS (SELECT * FROM s_1 AS \"a\" WHERE x) SELECT * FROM a");
    assert_bound("WITH a(x, y) AS MATERIALIZED (FROM b), c AS (FROM a) FROM c, a, b",
                 "WITH a(x, y) AS MATERIALIZED (FROM s_1 AS \"b\"), c AS (FROM a) FROM c, a, s_2 "
                 "AS \"b\"");
    assert_bound("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) FROM a",
                 "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) FROM a");
    assert_bound("SELECT * FROM (WITH a AS (FROM b) FROM a) JOIN a ON true",
                 "SELECT * FROM (WITH a AS (FROM s_1 AS \"b\") FROM a) JOIN s_2 AS \"a\" ON true");
    assert_bound("WITH A AS (SELECT 1) SELECT (SELECT count(*) FROM a) FROM sales.a",
                 "WITH A AS (SELECT 1) SELECT (SELECT count(*) FROM a) FROM s_1 AS \"a\"");
    assert_bound("WITH ordinality AS (FROM a) FROM ordinality",
                 "WITH ordinality AS (FROM s_1 AS \"a\") FROM ordinality");
    assert_bound("FROM unnest([1]) WITH ORDINALITY AS t(x, i), a",
                 "FROM unnest([1]) WITH ORDINALITY AS t(x, i), s_1 AS \"a\"");
    assert_refused("WITH a AS (SELECT 1) FROM a VERSION AS OF 1", DW_INVALID_ARGUMENT,
                   "TIME_TRAVEL_INVALID", "a is defined by WITH");
}

static void
test_bind__resolves_columns_qualified_by_whole_names(void **state)
{
    (void) state;
    assert_bound("SELECT sales.orders.x, orders.y, t.sales.orders.z FROM sales.orders",
                 "SELECT \"orders\".x, orders.y, t.sales.orders.z FROM s_1 AS \"orders\"");
    assert_bound("SELECT delta.`/d/a`.x FROM delta.`/d/a`", "SELECT \"a\".x FROM s_1 AS \"a\"");
    assert_bound("SELECT sales.orders.x FROM sales.orders o", "SELECT sales.orders.x FROM s_1 o");
}

static void
test_bind__gives_tables_of_one_name_different_aliases(void **state)
{
    (void) state;
    assert_bound("FROM delta.`/x/t` JOIN delta.`/y/t` USING (i)",
                 "FROM s_1 AS \"/x/t\" JOIN s_2 AS \"/y/t\" USING (i)");
    assert_bound("FROM delta.`/x/t` JOIN delta.`/y/t` u USING (i)",
                 "FROM s_1 AS \"t\" JOIN s_2 u USING (i)");
}

/* ---- Time travel ----------------------------------------------------------------------------- */

static void
test_bind__reads_versions_in_every_spelling(void **state)
{
    (void) state;
    static const char *const spellings[] = {"FROM flights VERSION AS OF 3",
                                            "FROM flights VERSION AS OF '3' f",
                                            "FROM flights FOR VERSION AS OF 3 AS f",
                                            "FROM flights FOR SYSTEM_VERSION AS OF 3, t",
                                            "FROM flights@v3",
                                            "FROM flights@V3 WHERE x",
                                            "FROM flights AT (VERSION => 3)",
                                            "FROM flights f AT (VERSION => 3)",
                                            "FROM flights f VERSION AS OF 3 JOIN t",
                                            "FROM delta.`/x@v3`",
                                            "FROM `flights@v3`",
                                            "FROM delta.`/x`@v3",
                                            "FROM delta.`/x` VERSION AS OF 3 ORDER BY 1"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        assert_travel(spellings[i], "v3");
    }
    assert_bound("FROM flights VERSION AS OF 3 f, flights@v4, a v AT (VERSION => 5) JOIN t",
                 "FROM s_1 f, s_2 AS \"flights\", s_3 v  JOIN t");
    assert_bound("FROM flights version", "FROM s_1 version");
    assert_bound("FROM flights AS timestamp", "FROM s_1 AS timestamp");
}

static void
test_bind__reads_times_in_every_spelling(void **state)
{
    (void) state;
    assert_travel("FROM flights TIMESTAMP AS OF '2024-01-31'", "'2024-01-31'");
    assert_travel("FROM flights FOR TIMESTAMP AS OF '2024-01-31' f", "'2024-01-31'");
    assert_travel("FROM flights FOR SYSTEM_TIME AS OF DATE '2024-01-31' WHERE x",
                  "DATE '2024-01-31'");
    assert_travel("FROM flights TIMESTAMP AS OF current_timestamp - INTERVAL 1 DAY f",
                  "current_timestamp - INTERVAL 1 DAY");
    assert_travel("FROM flights TIMESTAMP AS OF now() - INTERVAL '1 day' f",
                  "now() - INTERVAL '1 day'");
    assert_travel("FROM flights TIMESTAMP AS OF now() - INTERVAL (1) DAYS, t",
                  "now() - INTERVAL (1) DAYS");
    assert_travel("FROM flights TIMESTAMP AS OF CAST('2024-01-31' AS TIMESTAMP) AS f",
                  "CAST('2024-01-31' AS TIMESTAMP)");
    assert_travel("FROM flights TIMESTAMP AS OF '2024-01-31'::TIMESTAMP AT TIME ZONE 'UTC' f",
                  "'2024-01-31'::TIMESTAMP AT TIME ZONE 'UTC'");
    assert_travel("FROM flights f AT (TIMESTAMP => now() - INTERVAL 2 HOUR)",
                  "now() - INTERVAL 2 HOUR");
    assert_travel("FROM flights@20240131120000123", "TIMESTAMPTZ '2024-01-31 12:00:00.123'");
    assert_bound("FROM flights TIMESTAMP AS OF now() - INTERVAL 1 DAY day", "FROM s_1 day");
}

static void
test_bind__takes_a_table_whose_name_looks_like_time_travel(void **state)
{
    (void) state;
    assert_travel("FROM `odd@v3`", "");
    assert_travel("FROM delta.`/odd@v3`", "");
    assert_travel("FROM delta.`/not@there`", "");
}

static void
test_bind__refuses_time_travel_that_makes_no_sense(void **state)
{
    (void) state;
    assert_refused("FROM flights VERSION AS OF x", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   "expected a version, which is a number from 0 on, found \"x\"");
    assert_refused("FROM flights VERSION AS OF 1.5", DW_INVALID_ARGUMENT, "PARSE_ERROR", "1.5");
    assert_refused("FROM flights TIMESTAMP AS OF WHERE x", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   "expected a time");
    assert_refused("FROM flights@3", DW_INVALID_ARGUMENT, "PARSE_ERROR", "@v3");
    assert_refused("FROM flights @v3", DW_INVALID_ARGUMENT, "PARSE_ERROR", "right behind the name");
    assert_refused("FROM other VERSION AS OF 1", DW_NOT_FOUND, "TABLE_NOT_FOUND",
                   "no Delta table other");
    assert_refused("FROM v VERSION AS OF 1", DW_INVALID_ARGUMENT, "TIME_TRAVEL_INVALID",
                   "v is a view");
    assert_unchanged("FROM other AT (VERSION => 1)");
}

/* ---- Views ----------------------------------------------------------------------------------- */

static void
test_bind__puts_a_view_where_its_name_stands(void **state)
{
    (void) state;
    assert_bound("SELECT v.x FROM v", "SELECT v.x FROM (SELECT * FROM s_1 AS \"flights\"\n) AS "
                                      "\"v\"");
    assert_bound("FROM v x, a", "FROM (SELECT * FROM s_1 AS \"flights\"\n) x, s_2 AS \"a\"");
    assert_bound("FROM w", "FROM (FROM (WITH a AS (FROM (SELECT * FROM s_1 AS \"flights\"\n) AS "
                           "\"v\") FROM a, s_2 AS \"b\"\n) AS \"w\"(\"x\", \"y\")) AS \"w\"");
    assert_bound("WITH flights AS (SELECT 1) FROM v",
                 "WITH flights AS (SELECT 1) FROM (SELECT * FROM s_1 AS \"flights\"\n) AS \"v\"");
    assert_refused("FROM loop", DW_INVALID_ARGUMENT, "VIEW_DEPTH", "does it refer to itself");
    assert_refused("FROM bad", DW_INVALID_ARGUMENT, "PARSE_ERROR", "in the view bad");
}

/* ---- Changes and _metadata ------------------------------------------------------------------- */

/* "first .. last" of the first reference, which asks for changes of the table called `name`. */
static void
assert_asks_for_changes(const char *text, const char *name, const char *expected)
{
    fixture f;
    char actual[200];
    dw_status status = bind_with(&f, dw__allocator_libc(), text, (dw_bind_options){0});
    assert_ok(status, &f.err);
    assert_int_equal(f.binding.references.count, 1);
    const dw_sql_reference *reference = &f.binding.references.items[0];
    assert_true(reference->changes.is_set);
    assert_str(dw__sql_name_print(&reference->name, &f.arena), name);
    dw_str last = reference->changes.last;
    (void) snprintf(actual, sizeof actual, "%.*s .. %.*s", DW_STR_ARG(reference->changes.first),
                    dw__str_is_null(last) ? 3 : (int) last.len,
                    dw__str_is_null(last) ? "end" : last.ptr);
    assert_string_equal(actual, expected);
    release(&f);
}

static void
test_bind__reads_the_arguments_of_table_changes(void **state)
{
    (void) state;
    assert_bound("SELECT c.x FROM table_changes('flights', 1) AS c, a",
                 "SELECT c.x FROM s_1 AS c, s_2 AS \"a\"");
    assert_bound("FROM Table_Changes('sales.orders', 1, 2)", "FROM s_1 AS \"orders\"");
    assert_asks_for_changes("FROM table_changes('flights', 1, 2) c", "flights", "1 .. 2");
    assert_asks_for_changes("FROM table_changes(flights, now() - interval (f(1, 2)) hour)",
                            "flights", "now() - interval (f(1, 2)) hour .. end");
    assert_asks_for_changes("FROM table_changes('delta.`/x y`', '2024-01-01')", "delta.`/x y`",
                            "'2024-01-01' .. end");
    assert_asks_for_changes("FROM table_changes_by_path('/x y', 0)", "delta.`/x y`", "0 .. end");
    assert_unchanged("SELECT table_changes FROM range(3) table_changes");
}

static void
test_bind__refuses_table_changes_that_make_no_sense(void **state)
{
    (void) state;
    assert_refused("FROM table_changes()", DW_INVALID_ARGUMENT, "PARSE_ERROR", "table name");
    assert_refused("FROM table_changes('flights')", DW_INVALID_ARGUMENT, "PARSE_ERROR", ",");
    assert_refused("FROM table_changes('flights', )", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   "a version or a time");
    assert_refused("FROM table_changes('flights', 1, 2, 3)", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   ")");
    assert_refused("FROM table_changes('flights", DW_INVALID_ARGUMENT, "PARSE_ERROR", "");
    assert_refused("FROM table_changes('flights', (1", DW_INVALID_ARGUMENT, "PARSE_ERROR", "");
    assert_refused("FROM table_changes('a b', 1)", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   "found 'a b'");
    assert_refused("FROM table_changes('other', 1)", DW_NOT_FOUND, "TABLE_NOT_FOUND", "other");
    assert_refused("FROM table_changes('v', 1)", DW_NOT_FOUND, "TABLE_NOT_FOUND", "v");
    assert_refused("FROM table_changes_by_path(flights, 1)", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                   "path");
}

#define HIDES " NOT SIMILAR TO '_metadata'"

static void
test_bind__keeps_metadata_out_of_stars(void **state)
{
    (void) state;
    assert_bound("SELECT *, _metadata.x FROM a",
                 "SELECT *" HIDES ", _metadata.x FROM s_1 AS \"a\"");
    assert_bound("SELECT t.*, 2 * 3, count(*) FROM a t WHERE t.\"_METADATA\".x",
                 "SELECT t.*" HIDES ", 2 * 3, count(*) FROM s_1 t WHERE t.\"_METADATA\".x");
    assert_bound("SELECT * EXCLUDE (x) FROM a WHERE _metadata.x",
                 "SELECT * EXCLUDE (x)" HIDES " FROM s_1 AS \"a\" WHERE _metadata.x");
    assert_bound("SELECT * REPLACE (1 AS x) FROM a WHERE _metadata.x",
                 "SELECT * EXCLUDE (_metadata) REPLACE (1 AS x) FROM s_1 AS \"a\" "
                 "WHERE _metadata.x");
    assert_bound("SELECT * FROM (SELECT *, _metadata FROM a) UNION SELECT * FROM b",
                 "SELECT * FROM (SELECT *" HIDES
                 ", _metadata FROM s_1 AS \"a\") UNION SELECT *" HIDES " FROM s_2 AS \"b\"");
    assert_unchanged("SELECT * FROM other WHERE _metadata.x");
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void
test_bind__bounds_the_depth_of_parentheses(void **state)
{
    (void) state;
    char text[20001];
    memset(text, '(', 20000);
    text[20000] = '\0';
    assert_refused(text, DW_INVALID_ARGUMENT, "PARSE_ERROR", "at most 1000 open parentheses");
    memset(text, ')', 20000);
    assert_unchanged(text);
}

static void
test_bind__survives_running_out_of_memory(void **state)
{
    (void) state;
    static const char text[] = "WITH c AS (SELECT * FROM a@v1) SELECT `x`.y FROM c JOIN w ON "
                               "sales.orders.x = 1 JOIN sales.orders ON true, "
                               "(SELECT *, _metadata FROM table_changes('a', 1, 2))";
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    dw_status status = DW_OUT_OF_MEMORY;
    for (int n = 1; status != DW_OK; n++) {
        fixture f;
        dwt_fault_allocator_fail_at(&memory, n, false);
        status = bind_with(&f, &memory.allocator, text, (dw_bind_options){0});
        if (status != DW_OK) {
            assert_error(status, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", &f.err);
        }
        release(&f);
    }
    dwt_fault_allocator_deinit(&memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bind__replaces_tables_and_keeps_their_names),
        cmocka_unit_test(test_bind__leaves_everything_else_as_it_is),
        cmocka_unit_test(test_bind__finds_tables_in_joins_and_lists),
        cmocka_unit_test(test_bind__finds_tables_in_subqueries_and_set_operations),
        cmocka_unit_test(test_bind__finds_tables_behind_other_verbs),
        cmocka_unit_test(test_bind__finds_tables_in_changes_to_the_engines_own_tables),
        cmocka_unit_test(test_bind__lets_common_table_expressions_shadow_tables),
        cmocka_unit_test(test_bind__resolves_columns_qualified_by_whole_names),
        cmocka_unit_test(test_bind__gives_tables_of_one_name_different_aliases),
        cmocka_unit_test(test_bind__reads_versions_in_every_spelling),
        cmocka_unit_test(test_bind__reads_times_in_every_spelling),
        cmocka_unit_test(test_bind__takes_a_table_whose_name_looks_like_time_travel),
        cmocka_unit_test(test_bind__refuses_time_travel_that_makes_no_sense),
        cmocka_unit_test(test_bind__puts_a_view_where_its_name_stands),
        cmocka_unit_test(test_bind__reads_the_arguments_of_table_changes),
        cmocka_unit_test(test_bind__refuses_table_changes_that_make_no_sense),
        cmocka_unit_test(test_bind__keeps_metadata_out_of_stars),
        cmocka_unit_test(test_bind__bounds_the_depth_of_parentheses),
        cmocka_unit_test(test_bind__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
