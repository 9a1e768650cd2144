/*
 * Reading and writing JSON.
 */
#include "support/test.h"

#include "codec/json.h"
#include "support/fault_loop.h"

#include <math.h>

#define OUT_BYTES_MAX ((size_t) 1 << 24)

static dw_json_doc *
parse(dwt_env *world, const char *text)
{
    dw_json_doc *doc = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__json_parse(world->env.allocator, dw__str_from(text), "the text", &doc, &err),
              &err);
    return doc;
}

static void
check_written(dwt_env *world, const char *text, const char *expected)
{
    DW_AUTO(dw_json_doc_ptr) doc = parse(world, text);
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw__json_write(&out, dw__json_root(doc));
    assert_str(dw__strbuf_str(&out), expected);
}

static void
test_parse__finds_members_by_name(void **state)
{
    DW_AUTO(dw_json_doc_ptr)
    doc = parse(*state, " {\"a\": 1, \"b\": {\"c\": [true, null, \"x\\u00e9\"]}, \"a\": 2}\r\n");
    dw_json root = dw__json_root(doc);
    int64_t number = 0;
    assert_true(dw__json_i64(dw__json_get(root, DW_STR("a")), &number));
    assert_int_equal(number, 1);
    dw_json list = dw__json_get(dw__json_get(root, DW_STR("b")), DW_STR("c"));
    assert_int_equal(dw__json_count(list), 3);
    dw_json_iter it = dw__json_iter(list);
    assert_true(dw__json_next(&it));
    assert_true(dw__json_bool(it.value, false));
    assert_true(dw__json_next(&it));
    assert_int_equal(dw__json_kind(it.value), DW_JSON_NULL);
    assert_true(dw__json_next(&it));
    assert_str(dw__json_str(it.value), "x\xc3\xa9");
    assert_false(dw__json_next(&it));
    assert_int_equal(dw__json_kind(dw__json_get(root, DW_STR("z"))), DW_JSON_MISSING);
    assert_int_equal(dw__json_kind(dw__json_get(list, DW_STR("a"))), DW_JSON_MISSING);
}

static void
test_accessors__answer_nothing_for_other_kinds(void **state)
{
    DW_AUTO(dw_json_doc_ptr) doc = parse(*state, "[\"1\", 2, {}, []]");
    dw_json none = {NULL};
    int64_t number = 0;
    assert_true(dw__str_is_null(dw__json_str(dw__json_root(doc))));
    assert_true(dw__str_is_null(dw__json_str(none)));
    assert_true(dw__str_is_null(dw__json_number(none)));
    assert_false(dw__json_i64(dw__json_root(doc), &number));
    assert_true(dw__json_bool(none, true));
    assert_int_equal(dw__json_count(none), 0);
    dw_json_iter it = dw__json_iter(none);
    assert_false(dw__json_next(&it));
    assert_string_equal(dw__json_kind_name(dw__json_kind(dw__json_root(doc))), "an array");
}

static void
test_numbers__stay_exact(void **state)
{
    const char *text = "[9223372036854775807, -9223372036854775808, 9223372036854775808,"
                       "12345678901234567890123456789012345678.0123456789, 0.1]";
    DW_AUTO(dw_json_doc_ptr) doc = parse(*state, text);
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    int64_t number = 0;
    assert_true(dw__json_next(&it) && dw__json_i64(it.value, &number));
    assert_int_equal(number, INT64_MAX);
    assert_true(dw__json_next(&it) && dw__json_i64(it.value, &number));
    assert_int_equal(number, INT64_MIN);
    assert_true(dw__json_next(&it));
    assert_false(dw__json_i64(it.value, &number));
    assert_true(dw__json_next(&it));
    assert_str(dw__json_number(it.value), "12345678901234567890123456789012345678.0123456789");
    double real = 0;
    assert_true(dw__json_next(&it) && dw__json_double(it.value, &real));
    assert_true(real == 0.1);
}

static void
test_integers__may_be_written_as_fractions_or_powers(void **state)
{
    (void) state;
    const struct {
        const char *text;
        bool fits;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"1.0", true, 1},
        {"1e3", true, 1000},
        {"1E+3", true, 1000},
        {"-12.5e1", true, -125},
        {"1200e-2", true, 12},
        {"0.0012e4", true, 12},
        {"1.5", false, 0},
        {"12e-1", false, 0},
        {"1e-3", false, 0},
        {"0e999999999", false, 0},
        {"0.000", true, 0},
        {"1e18", true, INT64_C(1000000000000000000)},
        {"1e19", false, 0},
        {"1e99999999999999999999", false, 0},
        {"9223372036854775807.0", true, INT64_MAX},
        {"9223372036854775808.0", false, 0},
        {"-9.223372036854775808e18", true, INT64_MIN},
        {"100000000000000000000e-2", true, INT64_C(1000000000000000000)},
        {"0.00000000000000000000000000000000000001e38", true, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 0;
        bool fits = dw__json_number_to_i64(dw__str_from(cases[i].text), &value);
        if (fits != cases[i].fits || (fits && value != cases[i].value)) {
            fail_msg("%s gave %d, %lld", cases[i].text, fits, (long long) value);
        }
    }
}

static void
test_parse__says_where_the_text_is_wrong(void **state)
{
    dwt_env *world = *state;
    const char *cases[] = {"",           "  ",    "{\"a\":}",   "{\"a\":1", "[1,]",
                           "{\"a\":1}x", "'a'",   "\"\xff\"",   "nul",      "\"\\ud800\"",
                           "\"a",        "[1 2]", "{\"a\":01}", "\"\x01\""};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_json_doc *doc = NULL;
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            dw__json_parse(world->env.allocator, dw__str_from(cases[i]), "the text", &doc, &err);
        assert_error(status, DW_CORRUPT, "JSON_INVALID", &err);
        assert_message_has(&err, "the text is not valid JSON at byte");
        assert_null(doc);
    }
    dw_json_doc *doc = NULL;
    dw_error err = DW_ERROR_INIT;
    assert_error(
        dw__json_parse(world->env.allocator, DW_STR("{\"a\":tru}"), "the text", &doc, &err),
        DW_CORRUPT, "JSON_INVALID", &err);
    assert_message_has(&err, "at byte 5");
}

static dw_status
parse_nested(dwt_env *world, size_t depth, size_t siblings, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw__strbuf_append_char(&text, '[');
    for (size_t i = 0; i < siblings; i++) {
        dw__strbuf_append_literal(&text, "[[]],");
    }
    for (size_t i = 1; i < depth; i++) {
        dw__strbuf_append(&text, i % 2 == 0 ? DW_STR("[") : DW_STR("{\"a\":"));
    }
    dw__strbuf_append_literal(&text, "1");
    for (size_t i = depth - 1; i > 0; i--) {
        dw__strbuf_append_char(&text, i % 2 == 0 ? ']' : '}');
    }
    dw__strbuf_append_char(&text, ']');
    assert_ok(dw__strbuf_ok(&text, "the text", NULL), NULL);
    dw_json_doc *doc = NULL;
    dw_status status =
        dw__json_parse(world->env.allocator, dw__strbuf_str(&text), "the text", &doc, err);
    if (status == DW_OK) {
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
        dw__json_write(&out, dw__json_root(doc));
        assert_true(dw__str_equal(dw__strbuf_str(&out), dw__strbuf_str(&text)));
    }
    dw__json_doc_free(doc);
    return status;
}

static void
test_parse__refuses_deep_nesting(void **state)
{
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse_nested(*state, DW_JSON_DEPTH_MAX, 0, &err), &err);
    assert_ok(parse_nested(*state, DW_JSON_DEPTH_MAX, 1000, &err), &err);
    assert_error(parse_nested(*state, DW_JSON_DEPTH_MAX + 1, 0, &err), DW_CORRUPT, "JSON_INVALID",
                 &err);
    assert_message_has(&err, "deeper than 200");
    assert_error(parse_nested(*state, 1000000, 0, &err), DW_CORRUPT, "JSON_INVALID", &err);
}

static void
test_parser__serves_one_document_after_the_other(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_json_parser) parser = dw__json_parser_make(world->env.allocator);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw_error err = DW_ERROR_INIT;
    for (size_t round = 0; round < 50; round++) {
        dw__strbuf_clear(&text);
        dw__strbuf_append_char(&text, '[');
        for (size_t i = 0; i < round * round; i++) {
            dw__json_put_comma(&text);
            dw__strbuf_append_i64(&text, (int64_t) i);
        }
        dw__strbuf_append_char(&text, ']');
        dw_json root;
        assert_ok(dw__json_parser_parse(&parser, dw__strbuf_str(&text), "a line", &root, &err),
                  &err);
        assert_int_equal(dw__json_count(root), round * round);
        assert_error(dw__json_parser_parse(&parser, DW_STR("[1,2"), "a line", &root, &err),
                     DW_CORRUPT, "JSON_INVALID", &err);
        assert_null(root.val);
    }
}

static void
test_write__keeps_what_was_read(void **state)
{
    check_written(*state, "{ }", "{}");
    check_written(*state, "[ ]", "[]");
    check_written(*state, " null ", "null");
    check_written(*state, "\"a\\/\\u0041\\n\\u0000\\u001f\\\"\\\\\"",
                  "\"a/A\\n\\u0000\\u001f\\\"\\\\\"");
    check_written(*state,
                  "{\"a\" : [1, 2.50, -0, 1E5, {}, [], {\"b\":[{}]}, true, false, null], "
                  "\"c\":{\"d\":\"e\"}}",
                  "{\"a\":[1,2.50,-0,1E5,{},[],{\"b\":[{}]},true,false,null],\"c\":{\"d\":\"e\"}}");
    check_written(*state, "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
}

static void
test_put_string__escapes_and_repairs(void **state)
{
    dwt_env *world = *state;
    const struct {
        dw_str from;
        const char *expected;
    } cases[] = {
        {DW_STR(""), "\"\""},
        {DW_STR("plain"), "\"plain\""},
        {DW_STR("a\"b\\c/\b\f\n\r\t\x01\x7f"), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\x7f\""},
        {DW_STR("a\0b"), "\"a\\u0000b\""},
        {DW_STR("{\"k\":\"\\\"}"), "\"{\\\"k\\\":\\\"\\\\\\\"}\""},
        {DW_STR("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\""},
        {DW_STR("x\xffy\xc3"), "\"x\xef\xbf\xbdy\xef\xbf\xbd\""},
        {DW_STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {DW_STR("\xf0\x9f\x98\x80\xf0\x9f"), "\"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
        dw__json_put_string(&out, cases[i].from);
        assert_str(dw__strbuf_str(&out), cases[i].expected);
    }
}

static void
test_put_key__separates_members(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw__strbuf_append_char(&out, '{');
    dw__json_put_key(&out, DW_STR("a"));
    dw__strbuf_append_char(&out, '[');
    dw__json_put_comma(&out);
    dw__strbuf_append_char(&out, '1');
    dw__json_put_comma(&out);
    dw__strbuf_append_literal(&out, "2]");
    dw__json_put_key(&out, DW_STR("b\""));
    dw__json_put_string(&out, DW_STR("{"));
    dw__json_put_key(&out, DW_STR("c"));
    dw__strbuf_append_literal(&out, "null}");
    assert_str(dw__strbuf_str(&out), "{\"a\":[1,2],\"b\\\"\":\"{\",\"c\":null}");
}

static void
check_real(dwt_env *world, double value, const char *expected)
{
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw__json_put_double(&out, value);
    assert_str(dw__strbuf_str(&out), expected);
}

static void
test_put_double__is_the_shortest_that_reads_back(void **state)
{
    dwt_env *world = *state;
    check_real(world, 0.0, "0.0");
    check_real(world, -0.0, "-0.0");
    check_real(world, 0.1, "0.1");
    check_real(world, 1e300, "1e300");
    check_real(world, (double) NAN, "null");
    check_real(world, (double) INFINITY, "null");
    DW_AUTO(dw_strbuf) single = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
    dw__json_put_float(&single, 0.1f);
    assert_str(dw__strbuf_str(&single), "0.1");

    uint64_t random = 3;
    print_message("seed 3\n");
    for (size_t i = 0; i < 20000; i++) {
        uint64_t bits = dwt_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof(value));
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
        dw__json_put_double(&out, value);
        double back;
        if (!isfinite(value)) {
            assert_str(dw__strbuf_str(&out), "null");
        } else {
            assert_true(dw__str_to_double(dw__strbuf_str(&out), &back));
            assert_memory_equal(&value, &back, sizeof(value));
        }
    }
}

/* Bytes that look like JSON more often than chance would have it. */
static void
test_parse__survives_noise(void **state)
{
    dwt_env *world = *state;
    static const char symbols[] = "{}[]:,\"\\ \n0123456789.-+eEtrufalsn\xc3\xa9";
    uint64_t random = 23;
    print_message("seed 23\n");
    DW_AUTO(dw_json_parser) parser = dw__json_parser_make(world->env.allocator);
    for (size_t round = 0; round < 20000; round++) {
        char text[40];
        size_t len = (size_t) dwt_random_below(&random, sizeof(text));
        for (size_t i = 0; i < len; i++) {
            text[i] = symbols[dwt_random_below(&random, sizeof(symbols) - 1)];
        }
        dw_json root;
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            dw__json_parser_parse(&parser, dw__str_make(text, len), "noise", &root, &err);
        assert_int_equal(status, err.status);
        if (status == DW_OK) {
            DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, OUT_BYTES_MAX);
            dw__json_write(&out, root);
            assert_true(out.len > 0 && out.len <= len * 6);
        }
    }
}

static dw_status
parse_and_write(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(world->env->allocator,
                          DW_STR("{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"b\":\"text\"}"),
                          "the text", &doc, err));
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env->allocator, OUT_BYTES_MAX);
    dw__json_write(&out, dw__json_root(doc));
    dw__json_put_double(&out, 1.5);
    return dw__strbuf_ok(&out, "the text", err);
}

static void
test_json__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = parse_and_write, .faults = DWT_FAULTS_ALLOC});
}

static void
test_zeros__are_put_before_points_of_numbers(void **state)
{
    dwt_env *world = *state;
    static const struct {
        const char *text, *expected;
        bool may_lack;
    } cases[] = {
        {"", "", false},
        {"1.5", "1.5", false},
        {".5", "0.5", true},
        {"-.5", "-0.5", true},
        {"[.5,-.25,1.0,{\"a\":.1}]", "[0.5,-0.25,1.0,{\"a\":0.1}]", true},
        {"{\".5\":\"x.5 \\\".5\",\"b\":[.0]}", "{\".5\":\"x.5 \\\".5\",\"b\":[0.0]}", true},
        {"\"a.b\"", "\"a.b\"", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, 1000);
        dw_str text = dw__str_from(cases[i].text);
        dw__json_put_zeros(&out, text);
        assert_string_equal(dw__strbuf_cstr(&out), cases[i].expected);
        assert_int_equal(dw__json_may_lack_zeros(text), cases[i].may_lack);
    }
}

static void
test_put_exact__makes_texts_of_what_doubles_would_change(void **state)
{
    dwt_env *world = *state;
    static const char *const cases[][2] = {
        {"", ""},
        {"{\"a\":1.5,\"b\":[null,true,-9223372036854775808]}",
         "{\"a\":1.5,\"b\":[null,true,-9223372036854775808]}"},
        {"9223372036854775808", "\"9223372036854775808\""},
        {"[NaN,-Infinity,Infinity]", "[\"NaN\",\"-Infinity\",\"Infinity\"]"},
        {"0.000123456789012345", "0.000123456789012345"},
        {"-0.1234567890123456", "\"-0.1234567890123456\""},
        {"1.23456789012345e-300", "1.23456789012345e-300"},
        {"{\"NaN 0.1234567890123456 \\\"\":\"NaN\"}", "{\"NaN 0.1234567890123456 \\\"\":\"NaN\"}"},
        {"\"\\", "\"\\"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, 1000);
        dw__json_put_exact(&out, dw__str_from(cases[i][0]), 15);
        assert_str(dw__strbuf_str(&out), cases[i][1]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_env_setup, dwt_env_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_parse__finds_members_by_name),
        TEST(test_accessors__answer_nothing_for_other_kinds),
        TEST(test_numbers__stay_exact),
        TEST(test_integers__may_be_written_as_fractions_or_powers),
        TEST(test_parse__says_where_the_text_is_wrong),
        TEST(test_parse__refuses_deep_nesting),
        TEST(test_parser__serves_one_document_after_the_other),
        TEST(test_write__keeps_what_was_read),
        TEST(test_put_exact__makes_texts_of_what_doubles_would_change),
        TEST(test_put_string__escapes_and_repairs),
        TEST(test_put_key__separates_members),
        TEST(test_put_double__is_the_shortest_that_reads_back),
        TEST(test_zeros__are_put_before_points_of_numbers),
        TEST(test_parse__survives_noise),
        TEST(test_json__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
