/*
 * Plans of statements over stubs.
 */
#include "fixture.h"

#include <pthread.h>

static const dw_query_column sales[] = {
    {{"id", 2}, {"BIGINT", 6}},
    {{"day", 3}, {"DATE", 4}},
    {{"a \"b", 4}, {"STRUCT(\"x\" INTEGER, \"y z\" VARCHAR)", 34}},
};

static dw_str
plan(fixture *f, const char *sql, const dw_plan_stub *stubs, size_t count)
{
    dw_str json;
    assert_ok(dw__database_plan_with(f->database, dw__str_from(sql), stubs, count, &f->arena, &json,
                                     &f->err),
              &f->err);
    return json;
}

static void
assert_has(dw_str json, const char *text)
{
    assert_false(dw__str_is_null(json));
    if (strstr(json.ptr, text) == NULL) {
        fail_msg("expected %s in %s", text, json.ptr);
    }
}

static void
test_plan__shows_whose_predicate_it_is(void **state)
{
    fixture *f = *state;
    dw_plan_stub stubs[] = {{DW_STR("one"), sales, 3}, {DW_STR("two \"x\""), sales, 3}};
    dw_str json =
        plan(f,
             "SELECT * FROM one JOIN \"two \"\"x\"\"\" t ON one.id = t.id WHERE one.day > "
             "DATE '2024-01-01' + 30 AND t.\"a \"\"b\".x IN (1, 2, 3) AND one.id = 7",
             stubs, 2);
    assert_has(json, "LOGICAL_GET");
    assert_has(json, "table_filters");
    assert_has(json, "two \\\"x\\\"");
    /* 2024-01-31 as days: the sum is folded. */
    assert_has(json, "19753");
}

static void
test_plan__is_missing_when_it_cannot_be_had(void **state)
{
    fixture *f = *state;
    static const char *const statements[] = {
        "SELECT * FROM nowhere",
        "SELCT",
        "",
        "CREATE TABLE x (i INTEGER)",
        "SELECT 1; SELECT 2",
        "PIVOT one ON day USING sum(id)",
    };
    dw_plan_stub stubs[] = {{DW_STR("one"), sales, 3}};
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        dw_str json = plan(f, statements[i], stubs, 1);
        assert_true(dw__str_is_null(json) || strstr(json.ptr, "\"plans\"") != NULL);
    }
    static const dw_query_column odd[] = {{{"c", 1}, {"NO_SUCH_TYPE", 12}}};
    dw_plan_stub stub = {DW_STR("odd"), odd, 1};
    assert_true(dw__str_is_null(plan(f, "SELECT * FROM odd", &stub, 1)));
    assert_true(dw__str_is_null(plan(f, "SELECT * FROM one", NULL, 0)) == false);
}

static void
test_plan__follows_a_stub_that_changes(void **state)
{
    fixture *f = *state;
    static const dw_query_column other[] = {{{"id", 2}, {"VARCHAR", 7}}};
    dw_plan_stub before = {DW_STR("t"), sales, 3};
    dw_plan_stub after = {DW_STR("T"), other, 1};
    for (int i = 0; i < 3; i++) {
        assert_has(plan(f, "SELECT * FROM t WHERE id > 5", &before, 1), "BIGINT");
        assert_has(plan(f, "SELECT * FROM t WHERE id > 'a'", &after, 1), "VARCHAR");
        assert_true(dw__str_is_null(plan(f, "SELECT day FROM t", &after, 1)));
    }
}

static void
test_plan__works_in_steps(void **state)
{
    fixture *f = *state;
    dw_str json;
    assert_ok(dw__database_plan_stub(f->database, DW_STR("s"), sales, 3, &f->err), &f->err);
    assert_ok(dw__database_plan(f->database, DW_STR("SELECT id FROM s WHERE id = 9"), &f->arena,
                                &json, &f->err),
              &f->err);
    assert_has(json, "table_filters");
    dw__database_plan_drop(f->database, DW_STR("s"));
    dw__database_plan_drop(f->database, DW_STR("never made"));
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%d", i);
        assert_ok(dw__database_plan_stub(f->database, dw__str_from(name), sales, 3, &f->err),
                  &f->err);
    }
    assert_ok(
        dw__database_plan(f->database, DW_STR("SELECT id FROM s199"), &f->arena, &json, &f->err),
        &f->err);
    assert_false(dw__str_is_null(json));
}

static void
test_plan__leaves_running_queries_alone(void **state)
{
    fixture *f = *state;
    (void) plan(f, "SELECT 1", NULL, 0);
    assert_rows(f, "", "SELECT current_setting('disabled_optimizers')");
    assert_rows(f, "0", "SELECT count(*) FROM duckdb_tables()");
}

static void *
plan_repeatedly(void *ctx)
{
    fixture *f = ctx;
    dw_arena arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_error err = DW_ERROR_INIT;
    const char *result = NULL;
    for (int i = 0; i < 50 && result == NULL; i++) {
        char name[16];
        snprintf(name, sizeof(name), "id%d", i);
        dw_query_column column = {dw__str_from(name), DW_STR("INTEGER")};
        dw_plan_stub stub = {DW_STR("shared"), &column, 1};
        char sql[64];
        snprintf(sql, sizeof(sql), "SELECT %s FROM shared WHERE %s = 3", name, name);
        dw_str json;
        dw_status status =
            dw__database_plan_with(f->database, dw__str_from(sql), &stub, 1, &arena, &json, &err);
        result = status == DW_OK && !dw__str_is_null(json) ? NULL : "failed";
    }
    dw__arena_deinit(&arena);
    return (void *) (uintptr_t) result;
}

static void
test_plan__is_one_step_for_many_threads(void **state)
{
    fixture *f = *state;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, plan_repeatedly, f), 0);
    }
    for (int i = 0; i < 3; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
}

static void
test_plan__survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    dw_plan_stub stub = {DW_STR("t"), sales, 3};
    (void) plan(f, "SELECT id FROM t", &stub, 1);
    bool has_failed = true;
    for (int64_t n = 1; has_failed; n++) {
        stub.count = n % 2 == 0 ? 2 : 3;
        dwt_fault_allocator_fail_at(&f->world.memory, n, false);
        dw_str json;
        dw_status status = dw__database_plan_with(f->database, DW_STR("SELECT id FROM t"), &stub, 1,
                                                  &f->arena, &json, &f->err);
        has_failed = dwt_fault_allocator_has_failed(&f->world.memory);
        dwt_fault_allocator_fail_at(&f->world.memory, 0, false);
        assert_true(status == (has_failed ? DW_OUT_OF_MEMORY : DW_OK));
    }
    assert_false(dw__str_is_null(plan(f, "SELECT id FROM t", &stub, 1)));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plan__shows_whose_predicate_it_is),
        TEST(test_plan__is_missing_when_it_cannot_be_had),
        TEST(test_plan__follows_a_stub_that_changes),
        TEST(test_plan__works_in_steps),
        TEST(test_plan__leaves_running_queries_alone),
        TEST(test_plan__is_one_step_for_many_threads),
        TEST(test_plan__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
