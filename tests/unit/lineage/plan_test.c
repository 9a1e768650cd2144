/*
 * What plans tell of columns: small ones by hand, and what is no plan.
 */
#include "support/test.h"

#include "scan/plan_lineage.h"
#include "support/fault_loop.h"
#include "support/test_env.h"

#define REF(n) "{\"expression_class\":\"BOUND_REF\",\"index\":" #n "}"
#define GET(number, table, columns, indexes)                                                       \
    "{\"type\":\"LOGICAL_GET\",\"table_index\":" #number ",\"names\":[" columns                    \
    "],\"name\":\"seq_scan\",\"function_data\":{\"table\":\"" table                                \
    "\"},\"column_indexes\":[" indexes "]}"
#define COLUMN(n) "{\"index\":" #n "}"
#define SUM "{\"expression_class\":\"BOUND_FUNCTION\",\"children\":[" REF(0) "," REF(3) "]}"
#define PLAN(root) "{\"error\":false,\"plans\":[" root "]}"
#define ORDERS GET(0, "orders", "\"id\",\"amount\"", COLUMN(1) "," COLUMN(0))
#define BUYERS GET(1, "buyers", "\"id\",\"name\"", COLUMN(0) "," COLUMN(1))
#define JOIN                                                                                       \
    "{\"type\":\"LOGICAL_COMPARISON_JOIN\",\"join_type\":\"INNER\",\"children\":[" ORDERS          \
    "," BUYERS "],\"conditions\":[{\"left\":" REF(1) ",\"right\":" REF(0) "}]}"

typedef struct fixture {
    dwt_env test;
    dw_arena arena;
    dw_plan_lineage lineage;
} fixture;

static void
init(fixture *f)
{
    dwt_env_init(&f->test, 1);
    dw__arena_init(&f->arena, f->test.env.allocator);
}

static void
deinit(fixture *f)
{
    dw__arena_deinit(&f->arena);
    dwt_env_deinit(&f->test);
}

static const dw_plan_lineage *
read(fixture *f, const char *plan)
{
    dw_error err = DW_ERROR_INIT;
    assert_int_equal(dw__plan_lineage_read(dw__str_from(plan), &f->arena, &f->lineage, &err),
                     DW_OK);
    return &f->lineage;
}

/* The numbers of a set as text: "0,3". */
static const char *
numbers(fixture *f, dw_column_set set)
{
    dw_str text = DW_STR("");
    for (size_t i = 0; i < f->lineage.column_count; i++) {
        if (dw__column_set_has(set, i)) {
            text = dw__arena_printf(&f->arena, "%.*s%s%zu", DW_STR_ARG(text),
                                    text.len > 0 ? "," : "", i);
        }
    }
    return text.ptr;
}

static void
test_plan__a_projection_over_a_join_is_followed_to_its_tables(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    const dw_plan_lineage *found =
        read(&f, PLAN("{\"type\":\"LOGICAL_PROJECTION\",\"children\":[" JOIN
                      "],\"expressions\":[" REF(3) "," SUM "]}"));
    assert_true(found->is_known);
    assert_int_equal(found->input_count, 2);
    assert_int_equal(found->output_count, 2);
    assert_string_equal(numbers(&f, found->outputs[0].from), "3");
    assert_true(found->outputs[0].is_same);
    assert_string_equal(numbers(&f, found->outputs[1].from), "1,3");
    assert_false(found->outputs[1].is_same);
    assert_string_equal(numbers(&f, found->conditions[DW_CONDITION_JOIN]), "0,2");
    assert_string_equal(numbers(&f, found->conditions[DW_CONDITION_FILTER]), "");
    deinit(&f);
}

static void
test_plan__of_an_operator_that_is_not_known_nothing_is_said(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    const dw_plan_lineage *found =
        read(&f, PLAN("{\"type\":\"LOGICAL_NOVELTY\",\"children\":[" ORDERS "]}"));
    assert_false(found->is_known);
    assert_int_equal(found->input_count, 1);
    deinit(&f);
}

static void
test_plan__that_points_nowhere_says_nothing(void **state)
{
    static const char *const plans[] = {
        "",
        "nonsense",
        "{\"error\":true}",
        "{\"plans\":[]}",
        "{\"plans\":{}}",
        "{\"plans\":[7]}",
        PLAN("{\"type\":\"LOGICAL_PROJECTION\",\"children\":[" ORDERS
             "],\"expressions\":[" REF(2) "]}"),
        PLAN("{\"type\":\"LOGICAL_PROJECTION\",\"children\":[" ORDERS
             "],\"expressions\":[" REF(-1) "]}"),
        PLAN("{\"type\":\"LOGICAL_PROJECTION\",\"expressions\":[" REF(0) "]}"),
        PLAN("{\"type\":\"LOGICAL_FILTER\",\"children\":[" ORDERS
             "],\"expressions\":[],\"projection_map\":[9]}"),
        PLAN("{\"type\":\"LOGICAL_CTE_REF\",\"cte_index\":1,\"chunk_types\":[1]}"),
        PLAN("{\"type\":\"LOGICAL_UNION\",\"children\":[" ORDERS "]}"),
        PLAN("{\"type\":\"LOGICAL_GET\",\"table_index\":0}")};
    fixture f;
    (void) state;
    init(&f);
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        assert_false(read(&f, plans[i])->is_known);
    }
    deinit(&f);
}

static void
test_plan__a_recursive_query_is_gone_through_until_nothing_is_new(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    /* r(a, b): a of the last round becomes b of this one. */
    const dw_plan_lineage *found = read(
        &f,
        PLAN("{\"type\":\"LOGICAL_RECURSIVE_CTE\",\"table_index\":7,\"children\":[" ORDERS
             ",{\"type\":\"LOGICAL_PROJECTION\",\"children\":[{\"type\":\"LOGICAL_CTE_REF\","
             "\"cte_index\":7,\"chunk_types\":[1,2]}],\"expressions\":[" REF(0) "," REF(0) "]}]}"));
    assert_true(found->is_known);
    assert_string_equal(numbers(&f, found->outputs[0].from), "1");
    assert_string_equal(numbers(&f, found->outputs[1].from), "0,1");
    deinit(&f);
}

static dw_status
read_in(dwt_world *world, void *ctx, dw_error *err)
{
    dw_plan_lineage lineage;
    DW_AUTO(dw_arena) arena;
    (void) ctx;
    dw__arena_init(&arena, world->env->allocator);
    return dw__plan_lineage_read(DW_STR(PLAN(JOIN)), &arena, &lineage, err);
}

static void
test_plan__memory_that_runs_out_is_an_error(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = read_in, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan__a_projection_over_a_join_is_followed_to_its_tables),
        cmocka_unit_test(test_plan__of_an_operator_that_is_not_known_nothing_is_said),
        cmocka_unit_test(test_plan__that_points_nowhere_says_nothing),
        cmocka_unit_test(test_plan__a_recursive_query_is_gone_through_until_nothing_is_new),
        cmocka_unit_test(test_plan__memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
