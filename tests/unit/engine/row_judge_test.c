/*
 * Rows that miss conditions, counted in the query that has them.
 */
#include "fixture.h"

#include "engine/row_judge.h"

static dw_row_judge *
bind(fixture *f, size_t condition_count, uint64_t marked)
{
    dw_row_judge *judge;
    assert_ok(dw__connection_bind_judge(f->connection, condition_count, marked, &judge, &f->err),
              &f->err);
    return judge;
}

/* SELECT count(*) FROM (SELECT *, <judge> AS m FROM rows) WHERE <where> */
static const char *
count_rows(fixture *f, const dw_row_judge *judge, const char *rows, const char *where)
{
    const dw_str conditions[] = {DW_STR("i % 10 <> 0"), DW_STR("i % 100 <> 7")};
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 65536);
    dw__row_judge_print(judge, DW_STR("CASE WHEN i % 10 = 0 THEN 'like ' || i ELSE '' END"),
                        conditions, &sql);
    return fixture_rows(f, "SELECT count(*) FROM (SELECT *, %s AS m FROM (%s)) WHERE %s",
                        dw__strbuf_cstr(&sql), rows, where);
}

static void
test_judge__counts_every_row_once_in_all_threads(void **state)
{
    fixture *f = *state;
    dw_judge_counts counts;
    dw_row_judge *judge = bind(f, 2, 1);
    assert_string_equal(
        count_rows(f, judge, "SELECT range AS i FROM range(1000000)", "(m & 1) = 0"), "900000");
    dw__row_judge_counts(judge, &counts);
    assert_int_equal(counts.row_count, 1000000);
    assert_int_equal(counts.missed[0], 100000);
    assert_int_equal(counts.missed[1], 10000);
    assert_int_equal(counts.marked_count, 100000);
    assert_memory_equal(counts.example, "like ", 5);
    dw__connection_unbind_judge(f->connection, judge);
}

/* A filter that the engine moved below the join would count other rows. */
static void
test_judge__counts_what_a_join_gives_and_a_limit_lets_through(void **state)
{
    fixture *f = *state;
    dw_judge_counts counts;
    dw_row_judge *judge = bind(f, 2, 0);
    const char *rows = "SELECT a.range AS i FROM range(100) a JOIN range(200) b ON b.range % 100 = "
                       "a.range WHERE b.range < 150 LIMIT 120";
    assert_string_equal(count_rows(f, judge, rows, "m >= 0"), "120");
    dw__row_judge_counts(judge, &counts);
    assert_int_equal(counts.row_count, 120);
    assert_int_equal(counts.marked_count, 0);
    dw__connection_unbind_judge(f->connection, judge);
}

static void
test_judge__is_refused_once_unbound_and_with_other_conditions(void **state)
{
    fixture *f = *state;
    dw_row_judge *judge = bind(f, 2, 0);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 65536);
    const dw_str conditions[] = {DW_STR("true"), DW_STR("false")};
    dw__strbuf_append_literal(&sql, "SELECT ");
    dw__row_judge_print(judge, DW_STR("''"), conditions, &sql);
    assert_ok(dw__connection_execute(f->connection, dw__strbuf_str(&sql), &f->err), &f->err);
    assert_error(
        dw__connection_execute(f->connection, DW_STR("SELECT dw__judge(1, '', true)"), &f->err),
        DW_INVALID_ARGUMENT, "INVALID_INPUT", &f->err);
    dw__connection_unbind_judge(f->connection, judge);
    assert_error(dw__connection_execute(f->connection, dw__strbuf_str(&sql), &f->err),
                 DW_INVALID_ARGUMENT, "BIND_ERROR", &f->err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judge__counts_every_row_once_in_all_threads,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            test_judge__counts_what_a_join_gives_and_a_limit_lets_through, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(
            test_judge__is_refused_once_unbound_and_with_other_conditions, fixture_setup,
            fixture_teardown),
    };
    return cmocka_run_group_tests_name("row_judge", tests, NULL, NULL);
}
