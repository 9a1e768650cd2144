/*
 * Dates, timestamps, decimals, and comparing values.
 */
#include "fixture.h"

#include "protocol/value.h"

#include <math.h>

/* ---- Dates and timestamps -------------------------------------------------------------------- */

static void
check_date(fixture *f, const char *text, int64_t days)
{
    int64_t parsed;
    assert_true(dw__date_parse(dw__str_from(text), &parsed));
    assert_int_equal(parsed, days);
    DW_AUTO(dw_strbuf) out = fixture_text(f);
    dw__date_print(&out, days);
    assert_str(dw__strbuf_str(&out), text);
}

static void
test_date__is_days_since_1970(void **state)
{
    fixture *f = *state;
    check_date(f, "1970-01-01", 0);
    check_date(f, "1969-12-31", -1);
    check_date(f, "2000-02-29", 11016);
    check_date(f, "2024-12-31", 20088);
    check_date(f, "0001-01-01", -719162);
    check_date(f, "0000-03-01", -719468);
    check_date(f, "-0001-12-31", -719529);
    check_date(f, "9999-12-31", 2932896);
    check_date(f, "+10000-01-01", 2932897);
    check_date(f, "+294247-01-10", 106751991);
    int64_t days;
    assert_true(dw__date_parse(DW_STR("2024-1-5"), &days));
    assert_int_equal(days, 19727);
}

static void
test_date__refuses_days_that_never_were(void **state)
{
    (void) state;
    const char *cases[] = {"",
                           "2024",
                           "2024-02-30",
                           "2023-02-29",
                           "1900-02-29",
                           "2024-13-01",
                           "2024-00-01",
                           "2024-01-00",
                           "2024-01-32",
                           "24-01-01",
                           "2024-01-01 ",
                           " 2024-01-01",
                           "2024/01/01",
                           "2024-01-01T00:00:00",
                           "20240101",
                           "--2024-01-01",
                           "1234567-01-01",
                           "2024-01-1x"};
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        int64_t days;
        if (dw__date_parse(dw__str_from(cases[i]), &days)) {
            fail_msg("\"%s\" was taken for a date", cases[i]);
        }
    }
}

static void
test_date__round_trips_over_the_calendar(void **state)
{
    fixture *f = *state;
    for (int64_t days = -1000000; days < 4000000; days += 97) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw__date_print(&out, days);
        int64_t back;
        assert_true(dw__date_parse(dw__strbuf_str(&out), &back));
        assert_int_equal(back, days);
    }
}

static void
test_timestamp__has_many_spellings(void **state)
{
    (void) state;
    const struct {
        const char *text;
        int64_t micros;
    } cases[] = {
        {"1970-01-01 00:00:00", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1970-01-01 00:00", 0},
        {"1970-01-01 1:02", 3720000000},
        {"1969-12-31 23:59:59.999999", -1},
        {"2024-02-29 12:34:56.789", 1709210096789000},
        {"2024-02-29T12:34:56.789012Z", 1709210096789012},
        {"2024-02-29 12:34:56.789012999", 1709210096789012},
        {"2024-02-29T12:34:56.7+00:00", 1709210096700000},
        {"2024-02-29T14:34:56+02:00", 1709210096000000},
        {"2024-02-29T07:04:56-0530", 1709210096000000},
        {"2024-02-29T13:34:56+01", 1709210096000000},
        {"2024-02-29 12:34:56UTC", 1709210096000000},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        int64_t micros;
        if (!dw__timestamp_parse(dw__str_from(cases[i].text), true, &micros) ||
            micros != cases[i].micros) {
            fail_msg("%s gave %lld", cases[i].text, (long long) micros);
        }
    }
}

static void
test_timestamp__refuses_other_text(void **state)
{
    (void) state;
    const char *cases[] = {"",
                           "1970-01-01 ",
                           "1970-01-01T",
                           "1970-01-01 24:00:00",
                           "1970-01-01 00:60:00",
                           "1970-01-01 00:00:60",
                           "1970-01-01 00:00:0",
                           "1970-01-01 00:00:00.",
                           "1970-01-01 00:00:00.1234567890",
                           "1970-01-01 00:00:00z",
                           "1970-01-01 00:00:00+1",
                           "1970-01-01 00:00:00+19:00",
                           "1970-01-01 00:00:00+01:",
                           "1970-01-01 00:00:00ZZ",
                           "1970-01-01x00:00:00",
                           "+294247-01-10 04:00:54.775808",
                           "999999-01-01 00:00:00",
                           "-290308-12-21 19:59:05.224191"};
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        int64_t micros;
        if (dw__timestamp_parse(dw__str_from(cases[i]), true, &micros)) {
            fail_msg("\"%s\" was taken for a timestamp", cases[i]);
        }
    }
    int64_t micros;
    assert_false(dw__timestamp_parse(DW_STR("1970-01-01 00:00:00Z"), false, &micros));
}

static void
test_timestamp__prints_as_asked(void **state)
{
    fixture *f = *state;
    const struct {
        int64_t micros;
        char separator;
        int digits;
        const char *suffix;
        const char *expected;
    } cases[] = {
        {0, ' ', 0, "", "1970-01-01 00:00:00"},
        {-1, 'T', 3, "Z", "1969-12-31T23:59:59.999Z"},
        {-1, 'T', 6, "Z", "1969-12-31T23:59:59.999999Z"},
        {1709210096789000, ' ', -1, "", "2024-02-29 12:34:56.789"},
        {1709210096789012, ' ', -1, "", "2024-02-29 12:34:56.789012"},
        {1709210096000000, ' ', -1, "", "2024-02-29 12:34:56"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw__timestamp_print(&out, cases[i].micros, cases[i].separator, cases[i].digits,
                            cases[i].suffix);
        assert_str(dw__strbuf_str(&out), cases[i].expected);
    }
}

static void
test_timestamp__round_trips(void **state)
{
    fixture *f = *state;
    uint64_t random = 51;
    print_message("seed 51\n");
    for (size_t i = 0; i < 20000; i++) {
        int64_t micros = (int64_t) dwt_random_next(&random) / 2;
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw__timestamp_print(&out, micros, i % 2 == 0 ? ' ' : 'T', 6, i % 3 == 0 ? "Z" : "");
        int64_t back;
        assert_true(dw__timestamp_parse(dw__strbuf_str(&out), true, &back));
        assert_int_equal(back, micros);
    }
    assert_true(dw__timestamp_parse(DW_STR("+294247-01-10 04:00:54.775807"), true, &(int64_t){0}));
}

/* ---- Decimals -------------------------------------------------------------------------------- */

static void
check_decimal(fixture *f, const char *text, uint8_t precision, uint8_t scale, const char *expected)
{
    dw_i128 value;
    bool parsed = dw__decimal_parse(dw__str_from(text), precision, scale, &value);
    if (expected == NULL) {
        assert_false(parsed);
        return;
    }
    assert_true(parsed);
    DW_AUTO(dw_strbuf) out = fixture_text(f);
    dw__decimal_print(&out, value, scale);
    assert_str(dw__strbuf_str(&out), expected);
}

static void
test_decimal__is_exact(void **state)
{
    fixture *f = *state;
    check_decimal(f, "0", 1, 0, "0");
    check_decimal(f, "-0.00", 3, 2, "0.00");
    check_decimal(f, "1.5", 10, 2, "1.50");
    check_decimal(f, "-1.50", 10, 2, "-1.50");
    check_decimal(f, "1.500", 10, 2, "1.50");
    check_decimal(f, "1.505", 10, 2, NULL);
    check_decimal(f, ".5", 10, 2, "0.50");
    check_decimal(f, "5.", 10, 2, "5.00");
    check_decimal(f, "1.23E2", 10, 2, "123.00");
    check_decimal(f, "123e-2", 10, 2, "1.23");
    check_decimal(f, "+7", 3, 0, "7");
    check_decimal(f, "99999999.99", 10, 2, "99999999.99");
    check_decimal(f, "100000000", 10, 2, NULL);
    check_decimal(f, "12345678901234567890123456789012345678", 38, 0,
                  "12345678901234567890123456789012345678");
    check_decimal(f, "-99999999999999999999999999999999999999", 38, 0,
                  "-99999999999999999999999999999999999999");
    check_decimal(f, "0.99999999999999999999999999999999999999", 38, 38,
                  "0.99999999999999999999999999999999999999");
    check_decimal(f, "1", 38, 38, NULL);
    check_decimal(f, "0.00000000000000000000000000000000000001", 38, 38,
                  "0.00000000000000000000000000000000000001");
    check_decimal(f, "000000000000000000000000000000000000000000000001.0", 3, 0, "1");
    check_decimal(f, "999999999999999999999999999999999999999", 38, 0, NULL);
    check_decimal(f, "1e38", 38, 0, NULL);
    check_decimal(f, "1e37", 38, 0, "10000000000000000000000000000000000000");
    check_decimal(f, "1e99999999999", 38, 0, NULL);
    const char *none[] = {"",      "-",  ".",  "e5",  "1e",  "1e+", "1e+-5",
                          "1.2.3", "1x", " 1", "NaN", "--1", "0x10"};
    for (size_t i = 0; i < DWT_COUNT(none); i++) {
        check_decimal(f, none[i], 10, 2, NULL);
    }
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static dw_value
of_i64(int64_t value)
{
    return (dw_value){.kind = DW_VALUE_I64, .as.i64 = value};
}

static dw_value
of_double(double value)
{
    return (dw_value){.kind = DW_VALUE_DOUBLE, .as.f64 = value};
}

static dw_value
of_decimal(const char *text, uint8_t scale)
{
    dw_value value = {.kind = DW_VALUE_DECIMAL, .scale = scale};
    assert_true(dw__decimal_parse(dw__str_from(text), 38, scale, &value.as.i128));
    return value;
}

static dw_value
of_str(dw_str text)
{
    return (dw_value){.kind = DW_VALUE_STR, .as.str = text};
}

static void
check_order(dw_value a, dw_value b, int expected)
{
    bool comparable;
    int order = dw__value_compare(&a, &b, &comparable);
    assert_int_equal((order > 0) - (order < 0), expected);
    assert_true(comparable);
    order = dw__value_compare(&b, &a, &comparable);
    assert_int_equal((order > 0) - (order < 0), -expected);
    assert_true(comparable);
}

static void
test_compare__is_exact_among_integers_and_decimals(void **state)
{
    (void) state;
    check_order(of_i64(1), of_i64(2), -1);
    check_order(of_i64(INT64_MIN), of_i64(INT64_MAX), -1);
    check_order(of_i64(7), of_i64(7), 0);
    check_order(of_i64(1), of_decimal("1.00", 2), 0);
    check_order(of_i64(1), of_decimal("1.01", 2), -1);
    check_order(of_i64(-1), of_decimal("-1.01", 2), 1);
    check_order(of_decimal("-0.5", 1), of_decimal("-0.49999", 5), -1);
    check_order(of_decimal("1.5", 1), of_decimal("1.500", 3), 0);
    check_order(of_decimal("99999999999999999999999999999999999999", 0),
                of_decimal("0.99999999999999999999999999999999999999", 38), 1);
    check_order(of_decimal("-99999999999999999999999999999999999999", 0), of_i64(INT64_MIN), -1);
}

static void
test_compare__goes_through_double_where_one_side_is(void **state)
{
    (void) state;
    check_order(of_double(1.5), of_i64(1), 1);
    check_order(of_double(0.1), of_decimal("0.1", 1), 0);
    check_order(of_double(-0.0), of_double(0.0), 0);
    check_order(of_double((double) NAN), of_double((double) INFINITY), 1);
    check_order(of_double((double) NAN), of_double((double) NAN), 0);
    check_order(of_double((double) NAN), of_i64(INT64_MAX), 1);
    check_order(of_double(-(double) INFINITY), of_i64(INT64_MIN), -1);
    check_order(of_double(9007199254740992.0), of_i64(9007199254740993), 0);
    check_order(of_double(1e37), of_decimal("9999999999999999999999999999999999999.9", 1), 0);
}

static void
test_compare__orders_strings_by_bytes(void **state)
{
    (void) state;
    check_order(of_str(DW_STR("")), of_str(DW_STR("a")), -1);
    check_order(of_str(DW_STR("a")), of_str(DW_STR("aa")), -1);
    check_order(of_str(DW_STR("Z")), of_str(DW_STR("a")), -1);
    check_order(of_str(DW_STR("\x7f")), of_str(DW_STR("\xc3\xa9")), -1);
    dw_value yes = {.kind = DW_VALUE_BOOL, .as.i64 = 1};
    dw_value no = {.kind = DW_VALUE_BOOL, .as.i64 = 0};
    check_order(no, yes, -1);
}

static void
test_compare__says_when_kinds_do_not_mix(void **state)
{
    (void) state;
    dw_value yes = {.kind = DW_VALUE_BOOL, .as.i64 = 1};
    const dw_value pairs[][2] = {{of_i64(1), of_str(DW_STR("1"))},
                                 {of_double(1), of_str(DW_STR("1"))},
                                 {yes, of_i64(1)},
                                 {yes, of_str(DW_STR("true"))}};
    for (size_t i = 0; i < DWT_COUNT(pairs); i++) {
        bool comparable = true;
        assert_int_equal(dw__value_compare(&pairs[i][0], &pairs[i][1], &comparable), 0);
        assert_false(comparable);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_date__is_days_since_1970),
        TEST(test_date__refuses_days_that_never_were),
        TEST(test_date__round_trips_over_the_calendar),
        TEST(test_timestamp__has_many_spellings),
        TEST(test_timestamp__refuses_other_text),
        TEST(test_timestamp__prints_as_asked),
        TEST(test_timestamp__round_trips),
        TEST(test_decimal__is_exact),
        TEST(test_compare__is_exact_among_integers_and_decimals),
        TEST(test_compare__goes_through_double_where_one_side_is),
        TEST(test_compare__orders_strings_by_bytes),
        TEST(test_compare__says_when_kinds_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
