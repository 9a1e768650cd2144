/*
 * Reading plans: those that plans/capture.py took from the engine, damaged ones, and hostile ones.
 */
#include "support/test.h"

#include "scan/plan.h"
#include "scan_schema.h"
#include "support/test_env.h"

#include <stdlib.h>

#define SAMPLES_BYTES_MAX ((size_t) 8 << 20)
#define PLAN_BYTES_MAX ((size_t) 1 << 20)

static const char *const source_names[] = {"t", "u"};
enum { SOURCE_COUNT = 2 };

typedef struct plan_world {
    dwt_env test;
    dw_arena arena;
    const dw_type *schema;
    dw_plan_source sources[SOURCE_COUNT];
} plan_world;

/* Reads a plan and makes every predicate readable. */
static dw_status
read_plan(plan_world *world, dw_str plan, dw_error *err)
{
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        world->sources[i] = (dw_plan_source){.name = dw__str_from(source_names[i])};
        dw__predicate_scope_init(&world->sources[i].scope, &world->arena, world->schema, NULL, 0);
    }
    return dw__plan_read(world->test.env.allocator, plan, world->sources, SOURCE_COUNT, err);
}

static void
init_world(plan_world *world)
{
    dwt_env_init(&world->test, 1);
    dw__arena_init(&world->arena, world->test.env.allocator);
    world->schema = scan_schema_make(&world->arena);
    assert_non_null(world->schema);
}

static void
deinit_world(plan_world *world)
{
    dw__arena_deinit(&world->arena);
    dwt_env_deinit(&world->test);
}

static char *
read_samples(size_t *size_out)
{
    const char *root = getenv("DELTAWORKS_SOURCE");
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/unit/scan/plans/plans.ndjson",
             root == NULL ? "." : root);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = test_malloc(SAMPLES_BYTES_MAX);
    *size_out = fread(text, 1, SAMPLES_BYTES_MAX, file);
    assert_true(*size_out > 0 && *size_out < SAMPLES_BYTES_MAX);
    fclose(file);
    return text;
}

typedef void (*sample_visitor)(plan_world *world, dw_json sample);

static void
for_each_sample(sample_visitor visit)
{
    size_t size;
    char *text = read_samples(&size);
    size_t start = 0;
    size_t count = 0;
    while (start < size) {
        const char *end = memchr(text + start, '\n', size - start);
        assert_non_null(end);
        size_t len = (size_t) (end - text) - start;
        plan_world world;
        init_world(&world);
        dw_error err = DW_ERROR_INIT;
        dw_json_doc *doc;
        assert_ok(dw__json_parse(world.test.env.allocator, dw__str_make(text + start, len),
                                 "sample", &doc, &err),
                  &err);
        visit(&world, dw__json_root(doc));
        dw__json_doc_free(doc);
        deinit_world(&world);
        start += len + 1;
        count++;
    }
    assert_true(count > 50);
    test_free(text);
}

static dw_str
sample_text(dw_json sample, const char *key)
{
    return dw__json_str(dw__json_get(sample, dw__str_from(key)));
}

static void
check_sample(plan_world *world, dw_json sample)
{
    dw_error err = DW_ERROR_INIT;
    assert_ok(read_plan(world, sample_text(sample, "plan"), &err), &err);
    dw_json expected = dw__json_get(sample, DW_STR("expected"));
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        const dw_plan_source *source = &world->sources[i];
        dw_str wanted = dw__json_str(dw__json_get(expected, source->name));
        dw_strbuf text = dw__strbuf_make(world->test.env.allocator, 65536);
        dw__predicate_print(&text, &source->scope, source->predicate);
        if (!dw__str_is_null(wanted) && !dw__str_equal(dw__strbuf_str(&text), wanted)) {
            fail_msg("%.*s\n  expected of %.*s: %.*s\n  found: %s",
                     DW_STR_ARG(sample_text(sample, "sql")), DW_STR_ARG(source->name),
                     DW_STR_ARG(wanted), dw__strbuf_cstr(&text));
        }
        dw__strbuf_deinit(&text);
    }
}

static void
test_plan__of_real_statements_becomes_their_predicates(void **state)
{
    (void) state;
    for_each_sample(check_sample);
}

static void
check_aggregated(plan_world *world, dw_json sample)
{
    static const struct {
        const char *sql_part;
        bool is_aggregated[SOURCE_COUNT];
    } cases[] = {
        {"SELECT (SELECT max(k) FROM u WHERE", {false, true}},
        {"SELECT 1 FROM (SELECT * FROM t LIMIT 10)", {false, false}},
        {"SELECT 1 FROM (SELECT k, max(id) AS m FROM t GROUP BY k)", {true, false}},
    };
    dw_error err = DW_ERROR_INIT;
    dw_str sql = sample_text(sample, "sql");
    assert_ok(read_plan(world, sample_text(sample, "plan"), &err), &err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (dw__str_starts_with(sql, dw__str_from(cases[i].sql_part))) {
            assert_int_equal(world->sources[0].is_aggregated, cases[i].is_aggregated[0]);
            assert_int_equal(world->sources[1].is_aggregated, cases[i].is_aggregated[1]);
        }
    }
}

static void
test_plan__tells_the_tables_of_which_only_aggregates_are_wanted(void **state)
{
    (void) state;
    for_each_sample(check_aggregated);
}

static void
check_read(plan_world *world, dw_json sample)
{
    static const struct {
        const char *sql;
        const char *reads; /* of t, names each behind a blank */
    } cases[] = {
        {"SELECT k FROM t", " k"},
        {"SELECT k FROM t WHERE id >= 50 AND id < 60", " id k"},
        {"SELECT 1 FROM t WHERE k = 1 OR id = 2", " id k"},
    };
    dw_error err = DW_ERROR_INIT;
    dw_str sql = sample_text(sample, "sql");
    assert_ok(read_plan(world, sample_text(sample, "plan"), &err), &err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[256] = "";
        for (size_t k = 0; k < world->schema->field_count; k++) {
            if (dw__plan_reads(&world->sources[0], k)) {
                size_t len = strlen(found);
                snprintf(found + len, sizeof(found) - len, " %.*s",
                         DW_STR_ARG(world->schema->fields[k].name));
            }
        }
        if (dw__str_equal(sql, dw__str_from(cases[i].sql))) {
            assert_string_equal(found, cases[i].reads);
        }
    }
    assert_true(dw__plan_reads(&(dw_plan_source){0}, 7));
}

static void
test_plan__tells_the_columns_that_are_read(void **state)
{
    (void) state;
    for_each_sample(check_read);
}

/* Cuts and changes the plan in many places: whatever comes out, nothing breaks. */
static void
damage_sample(plan_world *world, dw_json sample)
{
    dw_str plan = sample_text(sample, "plan");
    static const char replacements[] = "\"{}[],:0-9enullA\\";
    assert_true(plan.len < PLAN_BYTES_MAX);
    char *copy = test_malloc(plan.len + 1);
    uint64_t seed = plan.len;
    for (int round = 0; round < 60; round++) {
        memcpy(copy, plan.ptr, plan.len);
        size_t at = (size_t) dwt_random_below(&seed, plan.len);
        copy[at] = replacements[dwt_random_below(&seed, sizeof(replacements) - 1)];
        size_t len = round % 10 == 0 ? at : plan.len;
        dw_error err = DW_ERROR_INIT;
        assert_ok(read_plan(world, dw__str_make(copy, len), &err), &err);
    }
    test_free(copy);
}

static void
test_plan__that_is_damaged_breaks_nothing(void **state)
{
    (void) state;
    for_each_sample(damage_sample);
}

/* Reads the plan with memory that fails at one request after the other. */
static void
starve_sample(plan_world *world, dw_json sample)
{
    dw_str plan = sample_text(sample, "plan");
    for (int64_t n = 1;; n += plan.len > 8000 ? 7 : 3) {
        dw_arena arena;
        dw_arena outer = world->arena;
        dw_error err = DW_ERROR_INIT;
        dw__arena_init(&arena, world->test.env.allocator);
        world->arena = arena;
        dwt_fault_allocator_fail_at(&world->test.memory, n, n % 2 == 0);
        dw_status status = read_plan(world, plan, &err);
        bool failed = dwt_fault_allocator_has_failed(&world->test.memory);
        dwt_fault_allocator_fail_at(&world->test.memory, 0, false);
        dw__arena_deinit(&world->arena);
        world->arena = outer;
        assert_true(status == DW_OK || status == DW_OUT_OF_MEMORY);
        assert_int_equal(err.status, status);
        if (!failed) {
            break;
        }
    }
}

static void
test_plan__out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    (void) state;
    for_each_sample(starve_sample);
}

static void
expect_unknown(const char *plan)
{
    plan_world world;
    dw_error err = DW_ERROR_INIT;
    init_world(&world);
    assert_ok(read_plan(&world, dw__str_from(plan), &err), &err);
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        assert_int_equal(world.sources[i].predicate->kind, DW_PREDICATE_UNKNOWN);
    }
    deinit_world(&world);
}

#define GET_COLUMNS "\"names\":[\"id\",\"k\"],\"function_data\":{\"table\":\"t\"}"
#define FILTER_ON_ID(value)                                                                        \
    "{\"key\":0,\"value\":{\"filter_type\":\"CONSTANT_COMPARISON\","                               \
    "\"comparison_type\":\"COMPARE_EQUAL\",\"constant\":" value "}}"
#define BIGINT_CONSTANT(value)                                                                     \
    "{\"type\":{\"id\":\"BIGINT\",\"type_info\":null},\"is_null\":false,\"value\":" value "}"
#define GET(filters)                                                                               \
    "{\"type\":\"LOGICAL_GET\",\"children\":[],\"projection_ids\":[],\"column_indexes\":[],"       \
    "\"table_filters\":{\"filters\":[" filters "]}," GET_COLUMNS "}"
#define PLAN(operators) "{\"error\":false,\"plans\":[" operators "]}"

static void
test_plan__that_makes_no_sense_excludes_nothing(void **state)
{
    (void) state;
    expect_unknown("");
    expect_unknown("null");
    expect_unknown("[]");
    expect_unknown("{\"error\":true}");
    expect_unknown("{\"error\":false}");
    expect_unknown(PLAN(""));
    expect_unknown(PLAN("null,[],{},1"));
    expect_unknown(PLAN("{\"type\":\"LOGICAL_FILTER\",\"children\":7,\"expressions\":{}}"));
    expect_unknown(PLAN(GET("")));
    expect_unknown(PLAN(GET(FILTER_ON_ID("null"))));
    expect_unknown(PLAN(GET(FILTER_ON_ID(BIGINT_CONSTANT("\"7\"")))));
    expect_unknown(PLAN(GET("{\"key\":-1,\"value\":{}}")));
    expect_unknown(PLAN(GET("{\"key\":9000000000,\"value\":{}}")));
    /* A constant of another type than the column's. */
    expect_unknown(PLAN(GET(FILTER_ON_ID(
        "{\"type\":{\"id\":\"VARCHAR\",\"type_info\":null},\"is_null\":false,\"value\":\"7\"}"))));
    /* An optional filter as one side of an OR. */
    expect_unknown(PLAN(GET("{\"key\":0,\"value\":{\"filter_type\":\"CONJUNCTION_OR\","
                            "\"child_filters\":[{\"filter_type\":\"OPTIONAL_FILTER\","
                            "\"child_filter\":{\"filter_type\":\"IS_NULL\"}},"
                            "{\"filter_type\":\"IS_NULL\"}]}}")));
    /* A stub that is mentioned somewhere else too. */
    expect_unknown(PLAN(GET(FILTER_ON_ID(BIGINT_CONSTANT("7"))) ",{\"hidden\":{\"function_data\":"
                                                                "{\"table\":\"t\"}}}"));
}

static void
test_plan__made_by_hand_is_read(void **state)
{
    (void) state;
    plan_world world;
    dw_error err = DW_ERROR_INIT;
    init_world(&world);
    assert_ok(read_plan(&world, DW_STR(PLAN(GET(FILTER_ON_ID(BIGINT_CONSTANT("7"))))), &err), &err);
    assert_int_equal(world.sources[0].predicate->kind, DW_PREDICATE_COMPARE);
    assert_int_equal(world.sources[0].predicate->values->as.i64, 7);
    deinit_world(&world);
}

/* Appends `depth` times `open`, then `middle`, then as often `close`. */
static void
nest(dw_strbuf *out, size_t depth, const char *open, const char *middle, const char *close)
{
    for (size_t i = 0; i < depth; i++) {
        dw__strbuf_append(out, dw__str_from(open));
    }
    dw__strbuf_append(out, dw__str_from(middle));
    for (size_t i = 0; i < depth; i++) {
        dw__strbuf_append(out, dw__str_from(close));
    }
}

static void
test_plan__however_deep_excludes_nothing_wrong(void **state)
{
    (void) state;
    for (size_t depth = 1; depth < 100000; depth = depth * 3 + 1) {
        plan_world world;
        init_world(&world);
        dw_error err = DW_ERROR_INIT;
        dw_strbuf text = dw__strbuf_make(world.test.env.allocator, (size_t) 64 << 20);
        dw__strbuf_append_literal(&text, "{\"error\":false,\"plans\":[");
        nest(&text, depth, "{\"type\":\"LOGICAL_PROJECTION\",\"children\":[",
             GET("{\"key\":0,\"value\":{\"filter_type\":\"EXPRESSION_FILTER\",\"expr\":"
                 "{\"type\":\"BOUND_REF\",\"index\":0}}}"),
             "]}");
        dw__strbuf_append_literal(&text, "]}");
        assert_false(text.failed);
        assert_ok(read_plan(&world, dw__strbuf_str(&text), &err), &err);
        dw__strbuf_clear(&text);
        dw__strbuf_append_literal(
            &text, "{\"error\":false,\"plans\":[{\"type\":\"LOGICAL_GET\",\"table_filters\":"
                   "{\"filters\":[{\"key\":0,\"value\":{\"filter_type\":\"EXPRESSION_FILTER\","
                   "\"expr\":");
        nest(&text, depth, "{\"type\":\"OPERATOR_NOT\",\"children\":[",
             "{\"type\":\"OPERATOR_IS_NULL\",\"children\":[{\"type\":\"BOUND_REF\",\"index\":0}]}",
             "]}");
        dw__strbuf_append_literal(&text, "}}]}," GET_COLUMNS "}]}");
        assert_false(text.failed);
        assert_ok(read_plan(&world, dw__strbuf_str(&text), &err), &err);
        assert_int_equal(world.sources[0].predicate->kind, depth < DW_PREDICATE_DEPTH_MAX - 1
                                                               ? DW_PREDICATE_NOT
                                                               : DW_PREDICATE_UNKNOWN);
        dw__strbuf_deinit(&text);
        deinit_world(&world);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan__of_real_statements_becomes_their_predicates),
        cmocka_unit_test(test_plan__tells_the_tables_of_which_only_aggregates_are_wanted),
        cmocka_unit_test(test_plan__tells_the_columns_that_are_read),
        cmocka_unit_test(test_plan__that_is_damaged_breaks_nothing),
        cmocka_unit_test(test_plan__out_of_memory_is_an_error_and_leaks_nothing),
        cmocka_unit_test(test_plan__that_makes_no_sense_excludes_nothing),
        cmocka_unit_test(test_plan__made_by_hand_is_read),
        cmocka_unit_test(test_plan__however_deep_excludes_nothing_wrong),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
