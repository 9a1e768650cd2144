/*
 * Partition values in the log and in directory names.
 */
#include "fixture.h"

#include "protocol/value.h"

#include <math.h>

static dw_field
column(fixture *f, dw_type_kind kind)
{
    const dw_type *type = kind == DW_TYPE_DECIMAL ? dw__type_make_decimal(&f->arena, 10, 2)
                                                  : dw__type_make(&f->arena, kind);
    return (dw_field){.name = DW_STR("p"), .type = type, .nullable = true};
}

static dw_value
parse(fixture *f, dw_type_kind kind, dw_str text)
{
    dw_field field = column(f, kind);
    dw_value value;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__partition_value_parse(&field, text, &f->arena, &value, &err), &err);
    return value;
}

/* Parses, and prints what `expected` says (NULL: the same text). */
static void
check(fixture *f, dw_type_kind kind, const char *text, const char *expected)
{
    dw_field field = column(f, kind);
    dw_value value = parse(f, kind, dw__str_from(text));
    dw_str printed;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__partition_value_print(&field, &value, &f->arena, &printed, &err), &err);
    assert_str(printed, expected == NULL ? text : expected);
}

static void
test_values__of_every_type_round_trip(void **state)
{
    fixture *f = *state;
    check(f, DW_TYPE_STRING, "a b/c=\xc3\xa9", NULL);
    check(f, DW_TYPE_LONG, "-9223372036854775808", NULL);
    check(f, DW_TYPE_INTEGER, "2147483647", NULL);
    check(f, DW_TYPE_SHORT, "-32768", NULL);
    check(f, DW_TYPE_BYTE, "127", NULL);
    check(f, DW_TYPE_DOUBLE, "1.5", NULL);
    check(f, DW_TYPE_DOUBLE, "1.0E10", "10000000000.0");
    check(f, DW_TYPE_DOUBLE, "NaN", NULL);
    check(f, DW_TYPE_DOUBLE, "-Infinity", NULL);
    check(f, DW_TYPE_FLOAT, "0.1", NULL);
    check(f, DW_TYPE_FLOAT, "Infinity", NULL);
    check(f, DW_TYPE_DECIMAL, "1.50", NULL);
    check(f, DW_TYPE_DECIMAL, "1.5", "1.50");
    check(f, DW_TYPE_BOOLEAN, "true", NULL);
    check(f, DW_TYPE_BOOLEAN, "FALSE", "false");
    check(f, DW_TYPE_DATE, "2024-02-29", NULL);
    check(f, DW_TYPE_TIMESTAMP, "2024-02-29 12:34:56", "2024-02-29T12:34:56.000000Z");
    check(f, DW_TYPE_TIMESTAMP, "2024-02-29T12:34:56.789012Z", NULL);
    check(f, DW_TYPE_TIMESTAMP, "2024-02-29T12:34:56+01:00", "2024-02-29T11:34:56.000000Z");
    check(f, DW_TYPE_TIMESTAMP_NTZ, "2024-02-29 12:34:56", NULL);
    check(f, DW_TYPE_TIMESTAMP_NTZ, "2024-02-29 12:34:56.7", "2024-02-29 12:34:56.700000");
    check(f, DW_TYPE_BINARY, "\x01\x02", NULL);
    check(f, DW_TYPE_BINARY, "\\u0001\\u0041", "\x01\x41");
    check(f, DW_TYPE_BINARY, "\\u0001x", NULL);
    check(f, DW_TYPE_BINARY, "\\u0101", NULL);
}

static void
test_null__is_null_or_empty_text(void **state)
{
    fixture *f = *state;
    for (int kind = DW_TYPE_STRING; kind <= DW_TYPE_TIMESTAMP_NTZ; kind++) {
        assert_int_equal(parse(f, (dw_type_kind) kind, DW_STR("")).kind, DW_VALUE_NULL);
        assert_int_equal(parse(f, (dw_type_kind) kind, DW_STR_NULL).kind, DW_VALUE_NULL);
    }
    dw_field field = column(f, DW_TYPE_STRING);
    const dw_value values[] = {{.kind = DW_VALUE_NULL},
                               {.kind = DW_VALUE_STR, .as.str = DW_STR("")}};
    for (size_t i = 0; i < DWT_COUNT(values); i++) {
        dw_str printed = DW_STR("x");
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__partition_value_print(&field, &values[i], &f->arena, &printed, &err), &err);
        assert_true(dw__str_is_null(printed));
    }
}

static void
test_values__keep_their_bits(void **state)
{
    fixture *f = *state;
    assert_true(isnan(parse(f, DW_TYPE_DOUBLE, DW_STR("NaN")).as.f64));
    assert_true(parse(f, DW_TYPE_FLOAT, DW_STR("0.1")).as.f64 == (double) 0.1f);
    assert_int_equal(parse(f, DW_TYPE_DECIMAL, DW_STR("-1.5")).scale, 2);
    assert_true(parse(f, DW_TYPE_DECIMAL, DW_STR("-1.5")).as.i128 == -150);
    dw_value bytes = parse(f, DW_TYPE_BINARY, DW_STR("\\u00ff\\u0000"));
    assert_true(dw__str_equal(bytes.as.str, DW_STR("\xff\x00")));
}

static void
test_values__that_do_not_fit_are_refused_by_name(void **state)
{
    fixture *f = *state;
    const struct {
        dw_type_kind kind;
        const char *text;
    } cases[] = {
        {DW_TYPE_LONG, "9223372036854775808"},
        {DW_TYPE_LONG, "1.0"},
        {DW_TYPE_LONG, " 1"},
        {DW_TYPE_INTEGER, "2147483648"},
        {DW_TYPE_SHORT, "32768"},
        {DW_TYPE_BYTE, "-129"},
        {DW_TYPE_FLOAT, "x"},
        {DW_TYPE_DOUBLE, "1.5 "},
        {DW_TYPE_DECIMAL, "1.505"},
        {DW_TYPE_BOOLEAN, "1"},
        {DW_TYPE_DATE, "2024-02-30"},
        {DW_TYPE_TIMESTAMP, "yesterday"},
        {DW_TYPE_TIMESTAMP_NTZ, "2024-02-29T12:34:56Z"},
        {DW_TYPE_VOID, "x"},
        {DW_TYPE_VARIANT, "x"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_field field = column(f, cases[i].kind);
        dw_value value;
        dw_error err = DW_ERROR_INIT;
        assert_error(
            dw__partition_value_parse(&field, dw__str_from(cases[i].text), &f->arena, &value, &err),
            DW_CORRUPT, "PARTITION_VALUE_INVALID", &err);
        assert_message_has(&err, cases[i].text);
        assert_message_has(&err, "partition column p");
        assert_int_equal(value.kind, DW_VALUE_NULL);
    }
}

static void
test_bytes__that_the_log_cannot_hold_are_refused(void **state)
{
    fixture *f = *state;
    dw_field field = column(f, DW_TYPE_BINARY);
    dw_value value = {.kind = DW_VALUE_STR, .as.str = DW_STR("\xff")};
    dw_str printed;
    dw_error err = DW_ERROR_INIT;
    assert_error(dw__partition_value_print(&field, &value, &f->arena, &printed, &err),
                 DW_INVALID_ARGUMENT, "PARTITION_VALUE_INVALID", &err);
}

static void
test_directory__escapes_like_hive(void **state)
{
    fixture *f = *state;
    const struct {
        dw_str column;
        dw_str text;
        const char *expected;
    } cases[] = {
        {DW_STR("a"), DW_STR("1"), "a=1"},
        {DW_STR("a"), DW_STR_NULL, "a=__HIVE_DEFAULT_PARTITION__"},
        {DW_STR("a b"), DW_STR("x y"), "a b=x y"},
        {DW_STR("a=b"), DW_STR("2024-01-01 00:00:00"), "a%3Db=2024-01-01 00%3A00%3A00"},
        {DW_STR("a"), DW_STR("\"#%'*/:=?\\{[]^\x7f\n"),
         "a=%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%7F%0A"},
        {DW_STR("\xc3\xa9"), DW_STR("}&|;"), "\xc3\xa9=}&|;"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw__partition_path_append(&out, cases[i].column, cases[i].text);
        assert_str(dw__strbuf_str(&out), cases[i].expected);
    }
}

static dw_status
parse_and_print(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_type binary = {.kind = DW_TYPE_BINARY};
    dw_type date = {.kind = DW_TYPE_DATE};
    dw_field fields[] = {{.name = DW_STR("b"), .type = &binary},
                         {.name = DW_STR("d"), .type = &date}};
    const dw_str texts[] = {DW_STR("\\u0041"), DW_STR("2024-01-01")};
    for (size_t i = 0; i < 2; i++) {
        dw_value value;
        dw_str printed;
        DW_TRY(dw__partition_value_parse(&fields[i], texts[i], &arena, &value, err));
        DW_TRY(dw__partition_value_print(&fields[i], &value, &arena, &printed, err));
    }
    return DW_OK;
}

static void
test_values__survive_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = parse_and_print, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values__of_every_type_round_trip),
        TEST(test_null__is_null_or_empty_text),
        TEST(test_values__keep_their_bits),
        TEST(test_values__that_do_not_fit_are_refused_by_name),
        TEST(test_bytes__that_the_log_cannot_hold_are_refused),
        TEST(test_directory__escapes_like_hive),
        TEST(test_values__survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
