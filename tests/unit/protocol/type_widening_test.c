/*
 * Which types a column may go through, and what a schema records of them.
 */
#include "fixture.h"

#include "protocol/type_widening.h"

static const dw_type *
schema_of(dw_arena *arena, const char *type, const char *metadata)
{
    const dw_type *schema = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_str json = dw__arena_printf(
        arena,
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":"
        "[{\"name\":\"c\",\"type\":%s,\"nullable\":true,\"metadata\":%s}]},\"nullable\":true,"
        "\"metadata\":{}}]}",
        type, metadata);
    assert_false(dw__str_is_null(json));
    assert_ok(dw__schema_parse("the schema", json, arena, &schema, &err), &err);
    return schema;
}

static const dw_type *
type_of(fixture *f, const char *name)
{
    dw_str quoted = dw__arena_printf(&f->arena, "\"%s\"", name);
    return schema_of(&f->arena, quoted.ptr, "{}")->fields[0].type->fields[0].type;
}

static void
check(fixture *f, const char *from, const char *to, bool widening, bool iceberg)
{
    const dw_type *a = type_of(f, from);
    const dw_type *b = type_of(f, to);
    assert_int_equal(dw__type_change_is_widening(a, b), widening);
    assert_int_equal(dw__type_change_is_iceberg(a, b), iceberg);
}

static void
test_widening__is_what_the_protocol_lists(void **state)
{
    fixture *f = *state;
    check(f, "byte", "short", true, true);
    check(f, "byte", "long", true, true);
    check(f, "integer", "long", true, true);
    check(f, "long", "integer", false, false);
    check(f, "float", "double", true, true);
    check(f, "integer", "double", true, false);
    check(f, "long", "double", false, false);
    check(f, "integer", "float", false, false);
    check(f, "date", "timestamp_ntz", true, false);
    check(f, "date", "timestamp", false, false);
    check(f, "decimal(10,2)", "decimal(12,2)", true, true);
    check(f, "decimal(10,2)", "decimal(12,4)", true, false);
    check(f, "decimal(10,2)", "decimal(11,4)", false, false);
    check(f, "decimal(10,2)", "decimal(12,1)", false, false);
    check(f, "byte", "decimal(10,0)", true, false);
    check(f, "short", "decimal(9,0)", false, false);
    check(f, "integer", "decimal(12,2)", true, false);
    check(f, "integer", "decimal(12,3)", false, false);
    check(f, "long", "decimal(20,0)", true, false);
    check(f, "long", "decimal(19,0)", false, false);
    check(f, "void", "string", true, true);
    check(f, "integer", "string", false, false);
}

/* Of each pair of types the verdict of the reference (TypeWidening.scala): '=' the same, 'w' wider,
 * 'd' wider, but not for Iceberg, '.' refused. Columns in the order of rows. */
static const struct {
    const char *name;
    const char *verdicts;
} pairs[] = {
    {"byte", "=www.d.d.dd......."},          {"short", ".=ww.d.d.dd......."},
    {"integer", "..=w.d.d.dd......."},       {"long", "...=.....dd......."},
    {"float", "....=w............"},         {"double", ".....=............"},
    {"decimal(5,0)", "......=wdwd......."},  {"decimal(10,0)", ".......=.wd......."},
    {"decimal(10,2)", "........=.w......."}, {"decimal(20,0)", ".........=d......."},
    {"decimal(22,2)", "..........=......."}, {"boolean", "...........=......"},
    {"string", "............=....."},        {"binary", ".............=...."},
    {"date", "..............=.d."},          {"timestamp", "...............=.."},
    {"timestamp_ntz", "................=."}, {"variant", ".................="},
};

static void
test_widening__has_the_verdict_of_the_reference_for_each_pair_of_types(void **state)
{
    fixture *f = *state;
    size_t count = sizeof(pairs) / sizeof(pairs[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strlen(pairs[i].verdicts), count);
        for (size_t k = 0; k < count; k++) {
            char verdict = pairs[i].verdicts[k];
            bool iceberg = verdict == '=' || verdict == 'w';
            check(f, pairs[i].name, pairs[k].name, iceberg || verdict == 'd', iceberg);
        }
    }
}

static void
test_wider_types__are_named_from_the_narrowest_on(void **state)
{
    fixture *f = *state;
    static const char *const expected[][2] = {
        {"byte", "smallint, int, bigint, double, decimal(10,0) and wider decimals"},
        {"long", "decimal(20,0) and wider decimals"},
        {"float", "double"},
        {"decimal(38,2)", ""},
        {"decimal(10,2)", "decimal(11,2) and wider decimals"},
        {"date", "timestamp_ntz"},
        {"string", ""}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(f->arena.allocator, 4096);
        dw__type_print_wider(&text, type_of(f, expected[i][0]));
        assert_string_equal(dw__strbuf_cstr(&text), expected[i][1]);
    }
}

static dw_status
check_recorded(fixture *f, const char *metadata, bool iceberg, dw_error *err)
{
    return dw__type_changes_check(schema_of(&f->arena, "\"long\"", metadata), iceberg, &f->arena,
                                  err);
}

static void
test_type_changes__that_are_no_widening_are_named(void **state)
{
    fixture *f = *state;
    dw_error err = DW_ERROR_INIT;
    assert_ok(check_recorded(f, "{}", true, &err), &err);
    assert_ok(check_recorded(f,
                             "{\"delta.typeChanges\":[{\"fromType\":\"byte\",\"toType\":\"short\"},"
                             "{\"fromType\":\"short\",\"toType\":\"long\"}]}",
                             true, &err),
              &err);
    const char *to_double =
        "{\"delta.typeChanges\":[{\"fromType\":\"integer\",\"toType\":\"double\"}]}";
    assert_ok(check_recorded(f, to_double, false, &err), &err);
    assert_error(check_recorded(f, to_double, true, &err), DW_UNSUPPORTED,
                 "TYPE_CHANGE_UNSUPPORTED", &err);
    assert_message_has(&err, "s.c was changed from int to double");
    assert_error(
        check_recorded(f, "{\"delta.typeChanges\":[{\"fromType\":\"string\",\"toType\":\"long\"}]}",
                       false, &err),
        DW_UNSUPPORTED, "TYPE_CHANGE_UNSUPPORTED", &err);
}

static void
test_type_changes__that_cannot_be_read_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const broken[] = {
        "{\"delta.typeChanges\":{}}",
        "{\"delta.typeChanges\":\"x\"}",
        "{\"delta.typeChanges\":[1]}",
        "{\"delta.typeChanges\":[{\"toType\":\"long\"}]}",
    };
    for (size_t i = 0; i < DWT_COUNT(broken); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_error(check_recorded(f, broken[i], false, &err), DW_CORRUPT, "SCHEMA_INVALID", &err);
    }
    dw_error err = DW_ERROR_INIT;
    assert_error(
        check_recorded(f, "{\"delta.typeChanges\":[{\"fromType\":\"tensor\",\"toType\":\"long\"}]}",
                       false, &err),
        DW_UNSUPPORTED, "TYPE_UNSUPPORTED", &err);
}

static dw_status
check_without_memory(dwt_world *world, void *ctx, dw_error *err)
{
    DW_UNUSED void *unused = ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    const dw_type *schema;
    DW_TRY(dw__schema_parse(
        "the schema",
        DW_STR("{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"long\",\"nullable\":"
               "true,\"metadata\":{\"delta.typeChanges\":"
               "[{\"fromType\":\"integer\",\"toType\":\"long\"}]}}]}"),
        &arena, &schema, err));
    return dw__type_changes_check(schema, true, &arena, err);
}

static void
test_type_changes__without_memory_fail_cleanly(void **state)
{
    DW_UNUSED void *unused = state;
    dwt_fault_loop(
        &(dwt_fault_case){.operation = check_without_memory, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_widening__is_what_the_protocol_lists),
        TEST(test_widening__has_the_verdict_of_the_reference_for_each_pair_of_types),
        TEST(test_wider_types__are_named_from_the_narrowest_on),
        TEST(test_type_changes__that_are_no_widening_are_named),
        TEST(test_type_changes__that_cannot_be_read_are_refused),
        TEST(test_type_changes__without_memory_fail_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
