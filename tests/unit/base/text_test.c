/*
 * Strings, builders and errors.
 */
#include "support/test.h"

#include "base/strbuf.h"
#include "support/fault_loop.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- strings --------------------------------------------------------------------------------- */

static void
test_str__compares_bytewise(void **state)
{
    (void) state;
    assert_true(dw__str_equal(DW_STR("a"), DW_STR("a")));
    assert_false(dw__str_equal(DW_STR("a"), DW_STR("A")));
    assert_true(dw__str_equal(DW_STR(""), DW_STR_NULL));
    assert_true(dw__str_equal_nocase(DW_STR("SeLect1"), DW_STR("sElECT1")));
    assert_false(dw__str_equal_nocase(DW_STR("a"), DW_STR("ab")));
    assert_false(dw__str_equal_nocase(DW_STR("["), DW_STR("{")));
    assert_false(dw__str_equal_nocase(DW_STR("@"), DW_STR("`")));

    static const char *const sorted[] = {"", "A", "a", "a-", "a/", "a0", "aa", "b", "\x7f", "\xc3"};
    size_t count = sizeof(sorted) / sizeof(sorted[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int order = dw__str_compare(dw__str_from(sorted[i]), dw__str_from(sorted[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void
test_distance__counts_what_must_change_without_regard_to_case(void **state)
{
    (void) state;
    assert_int_equal(dw__str_distance(DW_STR(""), DW_STR("")), 0);
    assert_int_equal(dw__str_distance(DW_STR("abc"), DW_STR("")), 3);
    assert_int_equal(dw__str_distance(DW_STR(""), DW_STR("abc")), 3);
    assert_int_equal(dw__str_distance(DW_STR("Orders"), DW_STR("oRDERS")), 0);
    assert_int_equal(dw__str_distance(DW_STR("kitten"), DW_STR("sitting")), 3);
    assert_int_equal(dw__str_distance(DW_STR("flaw"), DW_STR("lawn")), 2);
}

static void
test_str__finds_and_cuts(void **state)
{
    (void) state;
    dw_str text = DW_STR("a/b/c");
    assert_true(dw__str_starts_with(text, DW_STR("a/")));
    assert_true(dw__str_starts_with(text, DW_STR("")));
    assert_false(dw__str_starts_with(text, DW_STR("a/b/c/")));
    assert_true(dw__str_ends_with(text, DW_STR("/c")));
    assert_true(dw__str_ends_with(text, DW_STR_NULL));
    assert_false(dw__str_ends_with(text, DW_STR("xa/b/c")));
    assert_int_equal(dw__str_find(text, '/'), 1);
    assert_int_equal(dw__str_find_last(text, '/'), 3);
    assert_int_equal(dw__str_find(text, 'x'), SIZE_MAX);
    assert_int_equal(dw__str_find_last(DW_STR(""), 'x'), SIZE_MAX);
    assert_int_equal(dw__str_find(DW_STR_NULL, 'x'), SIZE_MAX);
    assert_str(dw__str_slice(text, 2, 1), "b");
    assert_str(dw__str_slice(text, 2, SIZE_MAX), "b/c");
    assert_str(dw__str_slice(text, 5, 1), "");
    assert_str(dw__str_slice(text, SIZE_MAX, SIZE_MAX), "");
    assert_true(dw__str_is_null(dw__str_slice(DW_STR_NULL, 1, 1)));
    assert_str(dw__str_trim(DW_STR(" \t\r\n a b \v\f")), "a b");
    assert_str(dw__str_trim(DW_STR("  ")), "");
    assert_true(dw__str_is_null(dw__str_from(NULL)));
}

static void
test_str__reads_integers_of_the_whole_range(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        bool is_good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"--1", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 99;
        assert_int_equal(dw__str_to_i64(dw__str_from(cases[i].text), &value), cases[i].is_good);
        assert_int_equal(value, cases[i].value);
    }
    uint64_t large;
    assert_true(dw__str_to_u64(DW_STR("18446744073709551615"), &large));
    assert_true(large == UINT64_MAX);
    assert_false(dw__str_to_u64(DW_STR("18446744073709551616"), &large));
    assert_false(dw__str_to_u64(DW_STR("-1"), &large));
    assert_false(dw__str_to_u64(DW_STR_NULL, &large));
}

static void
test_str__reads_floating_point_numbers(void **state)
{
    (void) state;
    double value;
    assert_true(dw__str_to_double(DW_STR("1.5"), &value) && value == 1.5);
    assert_true(dw__str_to_double(DW_STR("-1e-3"), &value) && value == -1e-3);
    assert_true(dw__str_to_double(DW_STR("1.7976931348623157e308"), &value));
    assert_true(dw__str_to_double(DW_STR("4.9e-324"), &value) && value > 0);
    assert_true(dw__str_to_double(DW_STR("NaN"), &value) && isnan(value));
    assert_true(dw__str_to_double(DW_STR("Infinity"), &value) && isinf(value) && value > 0);
    assert_true(dw__str_to_double(DW_STR("-Infinity"), &value) && isinf(value) && value < 0);
    /* A view is not NUL-terminated: what follows it is not read. */
    assert_true(dw__str_to_double(dw__str_make("12345", 2), &value) && value == 12);
    static const char *const bad[] = {"", " 1", "1 ", "1,5", "abc", "1e", "--1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(dw__str_to_double(dw__str_from(bad[i]), &value));
    }
    char digits[1000];
    memset(digits, '1', sizeof(digits));
    assert_true(dw__str_to_double(dw__str_make(digits, 300), &value));
    assert_false(dw__str_to_double(dw__str_make(digits, sizeof(digits)), &value));
    assert_false(dw__str_to_double(DW_STR_NULL, &value));
}

static void
test_str__knows_well_formed_utf8(void **state)
{
    (void) state;
    static const char *const good[] = {"",
                                       "plain",
                                       "\xc3\xa4",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(dw__str_is_utf8(dw__str_from(good[i])));
        for (size_t before = 1; before < 20;
             before++) { /* words of ASCII are passed over as wholes */
            char text[64];
            snprintf(text, sizeof(text), "%.*s%s", (int) before, "abcdefghijklmnopqrst", good[i]);
            assert_true(dw__str_is_utf8(dw__str_from(text)));
        }
    }
    static const char *const bad[] = {
        "\x80",
        "\xc3",
        "\xc3(",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "ok\xf0\x9f\x98",
        "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(dw__str_is_utf8(dw__str_from(bad[i])));
        for (size_t before = 1; before < 20; before++) {
            char text[64];
            snprintf(text, sizeof(text), "%.*s%s%s", (int) before, "abcdefghijklmnopqrst", bad[i],
                     before % 2 == 0 ? "" : "behind it");
            assert_false(dw__str_is_utf8(dw__str_from(text)));
        }
    }
    assert_true(dw__str_is_utf8(DW_STR("a\0b")));
    assert_true(dw__str_is_utf8(DW_STR_NULL));
}

static void
test_str__hashes_spread(void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    unsigned buckets[256] = {0};
    for (int i = 0; i < COUNT; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "part-%05d.parquet", i);
        uint64_t hash = dw__str_hash(dw__str_make(text, (size_t) len));
        buckets[hash & 255]++;
        assert_true(hash == dw__str_hash(dw__str_make(text, (size_t) len)));
    }
    for (size_t i = 0; i < 256; i++) {
        assert_in_range(buckets[i], COUNT / 256 / 2, COUNT / 256 * 2);
    }
}

/* ---- builders -------------------------------------------------------------------------------- */

static void
test_strbuf__builds_text(void **state)
{
    (void) state;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 10000);
    assert_str(dw__strbuf_str(&buf), "");
    assert_string_equal(dw__strbuf_cstr(&buf), "");
    dw__strbuf_append_literal(&buf, "a");
    dw__strbuf_append(&buf, DW_STR("bc"));
    dw__strbuf_append(&buf, DW_STR_NULL);
    dw__strbuf_append_char(&buf, '-');
    dw__strbuf_append_i64(&buf, INT64_MIN);
    dw__strbuf_printf(&buf, " %s %d", "x", 7);
    assert_string_equal(dw__strbuf_cstr(&buf), "abc--9223372036854775808 x 7");
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__strbuf_ok(&buf, "text", &err);
    assert_ok(status, &err);
    dw__strbuf_clear(&buf);
    assert_string_equal(dw__strbuf_cstr(&buf), "");
    for (int i = 0; i < 1000; i++) {
        dw__strbuf_append_literal(&buf, "0123456789");
    }
    assert_int_equal(buf.len, 10000);
    assert_int_equal(buf.ptr[10000], '\0');
}

static void
test_strbuf__stops_at_its_limit(void **state)
{
    (void) state;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 5);
    dw__strbuf_append_literal(&buf, "12345");
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__strbuf_ok(&buf, "a name", &err);
    assert_ok(status, &err);
    dw__strbuf_append_char(&buf, '6');
    dw__strbuf_append(&buf, DW_STR("")); /* too late: it has failed */
    status = dw__strbuf_ok(&buf, "a name", &err);
    assert_error(status, DW_INVALID_ARGUMENT, "SIZE_LIMIT", &err);
    assert_message_has(&err, "a name is larger than the limit of 5 bytes");
    assert_str(dw__strbuf_str(&buf), "12345");
    assert_false(dw__strbuf_reserve(&buf, 0));

    /* Clearing forgives. */
    dw__strbuf_clear(&buf);
    dw__strbuf_append_literal(&buf, "abc");
    assert_false(dw__strbuf_reserve(&buf, SIZE_MAX));
    dw__strbuf_append_literal(&buf, "d");
    assert_str(dw__strbuf_str(&buf), "abc");
}

static void
test_strbuf__lets_others_write_into_it(void **state)
{
    (void) state;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 1000);
    dw__strbuf_append_literal(&buf, "x");
    assert_true(dw__strbuf_reserve(&buf, 500));
    memset(buf.ptr + buf.len, 'y', 500);
    dw__strbuf_advance(&buf, 3);
    assert_string_equal(dw__strbuf_cstr(&buf), "xyyy");
    dw__strbuf_advance(&buf, 0);
    dw_strbuf empty = dw__strbuf_make(dw__allocator_libc(), 0);
    dw__strbuf_advance(&empty, 0);
    assert_true(dw__strbuf_reserve(&empty, 0));
    assert_false(dw__strbuf_reserve(&empty, 1));
    dw__strbuf_deinit(&empty);
}

static dw_status
use_strbuf(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(world->env->allocator, 100000);
    for (int i = 0; i < 100; i++) {
        dw__strbuf_append_literal(&buf, "some text ");
        dw__strbuf_append_i64(&buf, i);
        dw__strbuf_printf(&buf, "%d", i);
    }
    DW_TRY(dw__strbuf_ok(&buf, "text", err));
    assert_true(buf.len > 1000);
    return DW_OK;
}

static void
test_strbuf__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_strbuf, .faults = DWT_FAULTS_ALLOC});
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void
test_error__keeps_code_and_gathers_context(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    dw__error_context(&err, "nothing failed");
    assert_string_equal(err.context, "");
    dw_status status = dw__error_set(&err, DW_CORRUPT, "LOG_GAP", "version %d is missing", 3);
    assert_error(status, DW_CORRUPT, "LOG_GAP", &err);
    assert_string_equal(err.message, "version 3 is missing");
    dw__error_context(&err, "reading the log");
    dw__error_context(&err, "opening %s", "/t");
    assert_string_equal(err.context, "opening /t: reading the log");
    assert_true(dw__error_has_code(&err, "LOG_GAP"));
    assert_false(dw__error_has_code(&err, "LOG"));
    assert_false(dw__error_has_code(NULL, "LOG_GAP"));

    dw_error copy = DW_ERROR_INIT;
    dw__error_copy(&copy, &err);
    dw__error_copy(NULL, &err);
    assert_string_equal(copy.context, err.context);
    dw__error_clear(&err);
    assert_int_equal(err.status, DW_OK);
    assert_string_equal(err.message, "");
    assert_string_equal(copy.code, "LOG_GAP");

    /* A new failure starts anew. */
    status = dw__error_oom(&copy);
    assert_error(status, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", &copy);
    assert_string_equal(copy.context, "");
}

static void
test_error__stays_on_one_line_and_in_its_bounds(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    char *large = malloc(5001);
    assert_non_null(large);
    memset(large, 'x', 5000);
    large[5000] = '\0';
    dw_status status = dw__error_set(&err, DW_IO, large, "line\nbreak\ttab\x7f%s", large);
    assert_int_equal(status, DW_IO);
    assert_int_equal(strlen(err.message), DW_ERROR_MESSAGE_SIZE - 1);
    assert_int_equal(strlen(err.code), DW_ERROR_CODE_SIZE - 1);
    assert_memory_equal(err.message, "line break tab xxx", 18);
    dw__error_context(&err, "inner\n%s", "!");
    assert_string_equal(err.context, "inner !");
    dw__error_context(&err, "%s", large);
    dw__error_context(&err, "outermost");
    assert_int_equal(strlen(err.context), DW_ERROR_CONTEXT_SIZE - 1);
    assert_memory_equal(err.context, "outermost: xxx", 14);
    free(large);
}

static void
test_error__may_be_left_out(void **state)
{
    (void) state;
    dw_status status = dw__error_set(NULL, DW_IO, "X", "text");
    assert_int_equal(status, DW_IO);
    status = dw__error_oom(NULL);
    assert_int_equal(status, DW_OUT_OF_MEMORY);
    dw__error_context(NULL, "x");
    dw__error_clear(NULL);
}

static void
test_error__names_every_status(void **state)
{
    (void) state;
    for (int i = DW_OK; i <= DW_INTERNAL; i++) {
        const char *name = dw_status_name((dw_status) i);
        assert_string_not_equal(name, "UNKNOWN");
        for (int k = DW_OK; k < i; k++) {
            assert_string_not_equal(name, dw_status_name((dw_status) k));
        }
    }
    assert_string_equal(dw_status_name((dw_status) 99), "UNKNOWN");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance__counts_what_must_change_without_regard_to_case),
        cmocka_unit_test(test_str__compares_bytewise),
        cmocka_unit_test(test_str__finds_and_cuts),
        cmocka_unit_test(test_str__reads_integers_of_the_whole_range),
        cmocka_unit_test(test_str__reads_floating_point_numbers),
        cmocka_unit_test(test_str__knows_well_formed_utf8),
        cmocka_unit_test(test_str__hashes_spread),
        cmocka_unit_test(test_strbuf__builds_text),
        cmocka_unit_test(test_strbuf__stops_at_its_limit),
        cmocka_unit_test(test_strbuf__lets_others_write_into_it),
        cmocka_unit_test(test_strbuf__survives_running_out_of_memory),
        cmocka_unit_test(test_error__keeps_code_and_gathers_context),
        cmocka_unit_test(test_error__stays_on_one_line_and_in_its_bounds),
        cmocka_unit_test(test_error__may_be_left_out),
        cmocka_unit_test(test_error__names_every_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
