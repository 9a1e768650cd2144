/*
 * Records as text and back, within their limits.
 */
#include "support/test.h"

#include "lineage/lineage.h"
#include "support/fault_loop.h"
#include "support/test_env.h"

typedef struct fixture {
    dwt_env test;
    dw_arena arena;
    dw_lineage lineage;
    dw_lineage_record found;
    bool is_found;
} fixture;

static void
init(fixture *f)
{
    *f = (fixture){.is_found = false};
    dwt_env_init(&f->test, 1);
    dw__arena_init(&f->arena, f->test.env.allocator);
    f->lineage.arena = &f->arena;
    f->lineage.record = (dw_lineage_record){.namespace_name = DW_STR("shop"),
                                            .job = DW_STR("insert.t"),
                                            .run = DW_STR("r"),
                                            .user = DW_STR_NULL,
                                            .parent.run = DW_STR_NULL};
    f->lineage.statement.sql = DW_STR("INSERT INTO t SELECT 'ä' FROM s");
}

static void
deinit(fixture *f)
{
    dw__arena_deinit(&f->arena);
    dwt_env_deinit(&f->test);
}

/* Prints the record as a commitInfo and reads it. */
static const dw_lineage_statement *
there_and_back(fixture *f)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) one = dw__strbuf_make(dw__allocator_libc(), DW_LINEAGE_RECORD_BYTES_MAX);
    DW_AUTO(dw_strbuf) all = dw__strbuf_make(dw__allocator_libc(), 2 * DW_LINEAGE_RECORD_BYTES_MAX);
    dw__lineage_print_statement(&one, &f->lineage.statement);
    dw__strbuf_append_literal(&all, "{\"operation\":\"WRITE\",\"lineage\":");
    dw__lineage_print(&all, &f->lineage.record, dw__strbuf_str(&one));
    dw__strbuf_append_char(&all, '}');
    assert_false(one.failed);
    assert_false(all.failed);
    assert_int_equal(
        dw__lineage_parse(dw__strbuf_str(&all), &f->arena, &f->found, &f->is_found, &err), DW_OK);
    assert_true(f->is_found);
    assert_int_equal(f->found.statement_count, 1);
    return &f->found.statements[0];
}

static size_t
add_table(fixture *f, const char *root, int64_t version)
{
    size_t idx;
    dw_lineage_input input = {.table = dw__str_from(root),
                              .table_id = DW_STR("id"),
                              .version = version,
                              .format = DW_STR_NULL};
    assert_true(dw__lineage_add_input(&f->lineage, &input, &idx));
    return idx;
}

static void
test_record__comes_back_as_it_was(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    dw_str files[] = {DW_STR("/a.csv"), DW_STR("/b.csv")};
    size_t idx;
    assert_int_equal(add_table(&f, "/s", 3), 0);
    assert_true(dw__lineage_add_files(&f.lineage, files, 2, "csv", &idx));
    dw_lineage_ref refs[] = {{0, DW_STR("x")}, {1, DW_STR("y")}};
    dw_lineage_column columns[] = {
        {.name = DW_STR("a"), .how = DW_LINEAGE_SAME, .from = refs, .from_count = 1},
        {.name = DW_STR("b"), .how = DW_LINEAGE_DERIVED, .from = refs, .from_count = 2},
        {.name = DW_STR("c"), .how = DW_LINEAGE_ANY}};
    assert_true(dw__lineage_set_columns(&f.lineage, columns, 3));
    const dw_lineage_statement *found = there_and_back(&f);
    assert_true(dw__str_equal(found->sql, f.lineage.statement.sql));
    assert_true(dw__str_equal(f.found.job, DW_STR("insert.t")));
    assert_true(dw__str_is_null(f.found.user));
    assert_int_equal(found->input_count, 2);
    assert_int_equal(found->inputs[0].version, 3);
    assert_true(dw__str_is_null(found->inputs[1].table));
    assert_int_equal(found->inputs[1].file_total, 2);
    assert_true(dw__str_equal(found->inputs[1].files[1], DW_STR("/b.csv")));
    assert_int_equal(found->column_count, 3);
    assert_int_equal(found->columns[0].how, DW_LINEAGE_SAME);
    assert_int_equal(found->columns[1].from_count, 2);
    assert_int_equal(found->columns[1].from[1].input, 1);
    assert_int_equal(found->columns[2].how, DW_LINEAGE_ANY);
    deinit(&f);
}

static void
test_record__a_version_of_a_table_is_one_input(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    assert_int_equal(add_table(&f, "/s", 3), 0);
    assert_int_equal(add_table(&f, "/s", 4), 1);
    assert_int_equal(add_table(&f, "/s", 3), 0);
    for (size_t i = 0; i < 2 * DW_LINEAGE_INPUTS_MAX; i++) {
        size_t idx = add_table(&f, "/s", (int64_t) i);
        assert_true(idx < DW_LINEAGE_INPUTS_MAX || idx == SIZE_MAX);
    }
    assert_true(f.lineage.statement.has_more_inputs);
    assert_int_equal(there_and_back(&f)->input_count, DW_LINEAGE_INPUTS_MAX);
    assert_true(f.found.statements[0].has_more_inputs);
    deinit(&f);
}

static void
test_record__columns_that_take_too_much_room_are_left_out(void **state)
{
    enum { COUNT = 4000 };
    fixture f;
    (void) state;
    init(&f);
    add_table(&f, "/s", 1);
    dw_lineage_column *columns = DW_ARENA_ARRAY(&f.arena, dw_lineage_column, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        columns[i].name = dw__arena_printf(&f.arena, "a_long_name_of_a_column_%zu", i);
        columns[i].how = DW_LINEAGE_ANY;
    }
    assert_true(dw__lineage_set_columns(&f.lineage, columns, COUNT));
    const dw_lineage_statement *found = there_and_back(&f);
    assert_false(found->has_columns);
    assert_int_equal(found->input_count, 1);
    deinit(&f);
}

static void
test_record__of_what_is_not_understood_a_column_may_be_made_of_any(void **state)
{
    fixture f;
    dw_error err = DW_ERROR_INIT;
    (void) state;
    init(&f);
    assert_int_equal(
        dw__lineage_parse(
            DW_STR("{\"lineage\":{\"statements\":[{\"inputs\":[{\"table\":\"/s\"}],\"columns\":{"
                   "\"a\":{\"how\":\"same\",\"from\":[[7,\"x\"]]},\"b\":7,"
                   "\"c\":{\"how\":\"guessed\",\"from\":[[0,\"x\"]]},"
                   "\"d\":{\"how\":\"derived\",\"from\":[[0,\"x\"],3]}}}]}}"),
            &f.arena, &f.found, &f.is_found, &err),
        DW_OK);
    assert_true(f.is_found);
    assert_int_equal(f.found.statements[0].column_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(f.found.statements[0].columns[i].how, DW_LINEAGE_ANY);
    }
    deinit(&f);
}

static void
test_record__conditions_say_how_they_decide(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    dw_lineage_ref x = {0, DW_STR("x")}, y = {0, DW_STR("y")};
    add_table(&f, "/s", 1);
    assert_true(dw__lineage_set_columns(&f.lineage, NULL, 0));
    assert_true(dw__lineage_add_condition(&f.lineage, x, DW_CONDITION_FILTER));
    assert_true(dw__lineage_add_condition(&f.lineage, y, DW_CONDITION_SORT));
    assert_true(dw__lineage_add_condition(&f.lineage, y, DW_CONDITION_JOIN));
    const dw_lineage_statement *found = there_and_back(&f);
    assert_int_equal(found->condition_count, 2);
    assert_int_equal(found->conditions[0].kinds, 1U << DW_CONDITION_FILTER);
    assert_int_equal(found->conditions[1].kinds, 1U << DW_CONDITION_SORT | 1U << DW_CONDITION_JOIN);
    assert_true(dw__str_equal(found->conditions[1].ref.column, DW_STR("y")));
    assert_false(found->has_more_conditions);
    deinit(&f);
}

static void
test_record__conditions_that_are_too_many_are_said_to_be_more(void **state)
{
    fixture f;
    (void) state;
    init(&f);
    add_table(&f, "/s", 1);
    assert_true(dw__lineage_set_columns(&f.lineage, NULL, 0));
    for (size_t i = 0; i <= DW_LINEAGE_CONDITIONS_MAX; i++) {
        dw_lineage_ref ref = {0, dw__arena_printf(&f.arena, "c%zu", i)};
        assert_true(dw__lineage_add_condition(&f.lineage, ref, DW_CONDITION_GROUP));
    }
    const dw_lineage_statement *found = there_and_back(&f);
    assert_int_equal(found->condition_count, DW_LINEAGE_CONDITIONS_MAX);
    assert_true(found->has_more_conditions);
    deinit(&f);
}

static void
test_record__conditions_of_no_kind_filter_and_strange_ones_are_more(void **state)
{
    fixture f;
    dw_error err = DW_ERROR_INIT;
    (void) state;
    init(&f);
    assert_int_equal(
        dw__lineage_parse(
            DW_STR("{\"lineage\":{\"statements\":[{\"inputs\":[{\"table\":\"/s\"}],\"columns\":{},"
                   "\"conditions\":[[0,\"x\"],[0,\"y\",\"novel\",7],[0,\"z\",\"sort\"]]},"
                   "{\"inputs\":[{\"table\":\"/s\"}],\"columns\":{},"
                   "\"conditions\":[[0,\"x\"],[1,\"x\"],[-1,\"x\"],[0,7],[0],7,{}]}]}}"),
            &f.arena, &f.found, &f.is_found, &err),
        DW_OK);
    const dw_lineage_statement *statements = f.found.statements;
    assert_int_equal(statements[0].condition_count, 3);
    assert_int_equal(statements[0].conditions[0].kinds, 1U << DW_CONDITION_FILTER);
    assert_int_equal(statements[0].conditions[1].kinds, 1U << DW_CONDITION_FILTER);
    assert_int_equal(statements[0].conditions[2].kinds, 1U << DW_CONDITION_SORT);
    assert_false(statements[0].has_more_conditions);
    assert_int_equal(statements[1].condition_count, 1);
    assert_true(statements[1].has_more_conditions);
    deinit(&f);
}

static void
test_record__lists_without_end_are_read_up_to_the_limits(void **state)
{
    enum { COUNT = 20000 };
    fixture f;
    dw_error err = DW_ERROR_INIT;
    (void) state;
    init(&f);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DW_LINEAGE_RECORD_BYTES_MAX);
    dw__strbuf_append_literal(&text,
                              "{\"lineage\":{\"statements\":[{\"inputs\":[{\"files\":[\"/f\"");
    for (size_t i = 0; i < COUNT; i++) {
        dw__strbuf_append_literal(&text, ",\"/f\"");
    }
    dw__strbuf_append_literal(&text, "]}");
    for (size_t i = 0; i < COUNT; i++) {
        dw__strbuf_append_literal(&text, ",{}");
    }
    dw__strbuf_append_literal(&text, "]}");
    for (size_t i = 0; i < COUNT; i++) {
        dw__strbuf_append_literal(&text, ",{}");
    }
    dw__strbuf_append_literal(&text, "]}}");
    assert_int_equal(
        dw__lineage_parse(dw__strbuf_str(&text), &f.arena, &f.found, &f.is_found, &err), DW_OK);
    assert_true(f.is_found);
    assert_int_equal(f.found.statement_count, DW_LINEAGE_STATEMENTS_MAX);
    assert_int_equal(f.found.statements[0].input_count, DW_LINEAGE_INPUTS_MAX);
    assert_true(f.found.statements[0].has_more_inputs);
    assert_int_equal(f.found.statements[0].inputs[0].file_count, DW_LINEAGE_FILES_MAX);
    deinit(&f);
}

static void
test_record__other_json_is_none(void **state)
{
    static const char *const texts[] = {"",
                                        "7",
                                        "{}",
                                        "{\"lineage\":7}",
                                        "{\"lineage\":{}}",
                                        "{\"lineage\":{\"statements\":{}}}",
                                        "{\"lineage\":[]}"};
    fixture f;
    dw_error err = DW_ERROR_INIT;
    (void) state;
    init(&f);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(
            dw__lineage_parse(dw__str_from(texts[i]), &f.arena, &f.found, &f.is_found, &err),
            DW_OK);
        assert_false(f.is_found);
    }
    deinit(&f);
}

static dw_status
build_and_parse(dwt_world *world, void *ctx, dw_error *err)
{
    bool is_found;
    size_t idx;
    dw_lineage_record record;
    DW_AUTO(dw_arena) arena;
    (void) ctx;
    dw__arena_init(&arena, world->env->allocator);
    dw_lineage lineage = {.arena = &arena};
    dw_str file = DW_STR("/a.parquet");
    dw_lineage_column column = {.name = DW_STR("a"), .how = DW_LINEAGE_ANY};
    dw_lineage_ref ref = {0, DW_STR("x")};
    if (!dw__lineage_add_files(&lineage, &file, 1, "parquet", &idx) ||
        !dw__lineage_set_columns(&lineage, &column, 1) ||
        !dw__lineage_add_condition(&lineage, ref, DW_CONDITION_SORT)) {
        return dw__error_oom(err);
    }
    return dw__lineage_parse(
        DW_STR("{\"lineage\":{\"job\":\"j\",\"statements\":[{\"inputs\":[{\"files\":[\"/a\"]}],"
               "\"columns\":{\"a\":{\"how\":\"same\",\"from\":[[0,\"x\"]]}},"
               "\"conditions\":[[0,\"x\",\"join\"]]}]}}"),
        &arena, &record, &is_found, err);
}

static void
test_record__memory_that_runs_out_is_an_error(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = build_and_parse, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record__comes_back_as_it_was),
        cmocka_unit_test(test_record__a_version_of_a_table_is_one_input),
        cmocka_unit_test(test_record__columns_that_take_too_much_room_are_left_out),
        cmocka_unit_test(test_record__of_what_is_not_understood_a_column_may_be_made_of_any),
        cmocka_unit_test(test_record__conditions_say_how_they_decide),
        cmocka_unit_test(test_record__conditions_that_are_too_many_are_said_to_be_more),
        cmocka_unit_test(test_record__conditions_of_no_kind_filter_and_strange_ones_are_more),
        cmocka_unit_test(test_record__lists_without_end_are_read_up_to_the_limits),
        cmocka_unit_test(test_record__other_json_is_none),
        cmocka_unit_test(test_record__memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
