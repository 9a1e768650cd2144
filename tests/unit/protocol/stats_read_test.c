/*
 * Reading statistics: what is taken, what is widened, what is dropped.
 */
#include "fixture.h"

#include "protocol/stats.h"

#include <math.h>

static const dw_type long_type = {.kind = DW_TYPE_LONG};
static const dw_type byte_type = {.kind = DW_TYPE_BYTE};
static const dw_type float_type = {.kind = DW_TYPE_FLOAT};
static const dw_type double_type = {.kind = DW_TYPE_DOUBLE};
static const dw_type decimal_type = {.kind = DW_TYPE_DECIMAL, .precision = 38, .scale = 2};
static const dw_type boolean_type = {.kind = DW_TYPE_BOOLEAN};
static const dw_type date_type = {.kind = DW_TYPE_DATE};
static const dw_type timestamp_type = {.kind = DW_TYPE_TIMESTAMP};
static const dw_type ntz_type = {.kind = DW_TYPE_TIMESTAMP_NTZ};
static const dw_type string_type = {.kind = DW_TYPE_STRING};
static const dw_type binary_type = {.kind = DW_TYPE_BINARY};

typedef struct read_result {
    dw_file_stats file;
    dw_column_stats column;
} read_result;

/* Reads one top-level column `c`. */
static read_result
read_column(fixture *f, const dw_type *type, const char *json)
{
    static const dw_str name = {"c", 1};
    dw_column_path path = {&name, 1, type};
    read_result result;
    assert_true(
        dw__stats_read(dw__str_from(json), &path, 1, &f->arena, &result.file, &result.column));
    return result;
}

/* The same with only a minimum and a maximum, given as JSON. */
static dw_column_stats
read_bounds(fixture *f, const dw_type *type, const char *min, const char *max)
{
    DW_AUTO(dw_strbuf) json = fixture_text(f);
    dw__strbuf_printf(&json, "{\"numRecords\":3,\"minValues\":{\"c\":%s},\"maxValues\":{\"c\":%s}}",
                      min, max);
    return read_column(f, type, dw__strbuf_cstr(&json)).column;
}

static void
test_read__takes_counts_and_bounds_in_any_order(void **state)
{
    fixture *f = *state;
    const char *texts[] = {
        "{\"numRecords\":3,\"minValues\":{\"b\":\"x\",\"c\":1,\"d\":2},\"maxValues\":{\"c\":9},"
        "\"nullCount\":{\"c\":1}}",
        " { \"nullCount\" : { \"c\" : 1 , \"b\" : 0 } , \"tightBounds\" : true , \"maxValues\" :"
        " { \"c\" : 9.0 } , \"other\" : [ { } , \"}\" ] , \"minValues\" : { \"a\" : { \"c\" : 5 } ,"
        " \"c\" : 1 } , \"numRecords\" : 3 }\n",
        "{\"numRecords\":3,\"minValues\":{\"a\\\"\":{\"x\":[1,{\"c\":\"]\\\\\"}]},\"\\u0063\":1},"
        "\"maxValues\":{\"c\":9},\"nullCount\":{\"c\":1},\"tightBounds\":null}",
    };
    for (size_t i = 0; i < DWT_COUNT(texts); i++) {
        read_result r = read_column(f, &long_type, texts[i]);
        assert_true(r.file.has_num_records && r.file.tight_bounds);
        assert_int_equal(r.file.num_records, 3);
        assert_true(r.column.has_min && r.column.has_max && r.column.has_null_count);
        assert_int_equal(r.column.min.as.i64, 1);
        assert_int_equal(r.column.max.as.i64, 9);
        assert_int_equal(r.column.null_count, 1);
        assert_true(r.column.min_is_exact && r.column.max_is_exact);
    }
}

static void
test_read__follows_paths_through_structs(void **state)
{
    fixture *f = *state;
    const dw_str abc[] = {DW_STR("a"), DW_STR("b"), DW_STR("c")};
    const dw_str ad[] = {DW_STR("a"), DW_STR("d")};
    const dw_str e[] = {DW_STR("e")};
    const dw_column_path paths[] = {
        {abc, 3, &long_type}, {ad, 2, &long_type}, {e, 1, &long_type}, {abc, 3, &long_type}};
    dw_file_stats file;
    dw_column_stats columns[4];
    assert_true(dw__stats_read(DW_STR("{\"numRecords\":5,\"minValues\":{\"a\":{\"b\":{\"x\":0,"
                                      "\"c\":1},\"d\":2},\"e\":3},\"maxValues\":{\"a\":{\"b\":7,"
                                      "\"d\":8},\"e\":{\"x\":1}},\"nullCount\":{\"e\":4,\"a\":{"
                                      "\"d\":3,\"b\":{\"c\":2}}}}"),
                               paths, 4, &f->arena, &file, columns));
    assert_int_equal(columns[0].min.as.i64, 1);
    assert_int_equal(columns[1].min.as.i64, 2);
    assert_int_equal(columns[2].min.as.i64, 3);
    assert_int_equal(columns[3].min.as.i64, 1);
    assert_false(columns[0].has_max);
    assert_int_equal(columns[1].max.as.i64, 8);
    assert_false(columns[2].has_max);
    for (size_t i = 0; i < 4; i++) {
        assert_true(columns[i].has_null_count);
        assert_int_equal(columns[i].null_count, i == 3 ? 2 : (int64_t) i + 2);
    }
}

static void
test_read__serves_many_columns(void **state)
{
    fixture *f = *state;
    enum { COUNT = 200 };
    dw_column_path paths[COUNT];
    dw_column_stats columns[COUNT];
    dw_str names[COUNT];
    DW_AUTO(dw_strbuf) json = fixture_text(f);
    dw__strbuf_append_literal(&json, "{\"numRecords\":7,\"minValues\":{");
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = dw__arena_printf(&f->arena, "column%zu", i);
        paths[i] = (dw_column_path){&names[i], 1, &long_type};
        dw__strbuf_printf(&json, "%s\"column%zu\":%zu", i == 0 ? "" : ",", COUNT - 1 - i,
                          COUNT - 1 - i);
    }
    dw__strbuf_append_literal(&json, "}}");
    dw_file_stats file;
    assert_true(dw__stats_read(dw__strbuf_str(&json), paths, COUNT, &f->arena, &file, columns));
    assert_int_equal(file.num_records, 7);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(columns[i].has_min);
        assert_int_equal(columns[i].min.as.i64, i);
    }
    assert_true(dw__stats_read(DW_STR("{\"numRecords\":8}"), NULL, 0, &f->arena, &file, NULL));
    assert_int_equal(file.num_records, 8);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static void
test_integers__must_fit_their_type(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &long_type, "-9223372036854775808", "9223372036854775807");
    assert_true(s.has_min && s.has_max && s.min.as.i64 == INT64_MIN && s.max.as.i64 == INT64_MAX);
    s = read_bounds(f, &byte_type, "-129", "127");
    assert_true(!s.has_min && s.has_max);
    const char *bad[] = {"1.5", "\"1\"", "null", "true", "{}", "[1]", "1x", "9223372036854775808"};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        s = read_bounds(f, &long_type, bad[i], "5");
        assert_true(!s.has_min && s.has_max);
    }
}

static void
test_floats__are_read_as_floats(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &float_type, "0.1", "0.1");
    assert_true(s.min.as.f64 == (double) 0.1f && s.max.as.f64 == (double) 0.1f);
    assert_false(s.min_is_exact || s.max_is_exact);
    const char *bad[] = {"NaN", "\"NaN\"", "Infinity", "-Infinity", "1e999", "0x10", "nan", "-inf"};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        assert_false(read_bounds(f, &float_type, bad[i], "1").has_min);
        assert_false(read_bounds(f, &double_type, bad[i], "1").has_min);
    }
}

static void
test_doubles__may_have_been_floats(void **state)
{
    fixture *f = *state;
    /* 0.1f is above 0.1, 0.7f below 0.7: only the bound that would err moves. */
    dw_column_stats s = read_bounds(f, &double_type, "0.1", "0.1");
    assert_true(s.min.as.f64 == 0.1 && s.max.as.f64 == (double) 0.1f);
    s = read_bounds(f, &double_type, "0.7", "0.7");
    assert_true(s.min.as.f64 == (double) 0.7f && s.max.as.f64 == 0.7);
    s = read_bounds(f, &double_type, "-1.5", "1e300");
    assert_true(s.min.as.f64 == -1.5 && s.max.as.f64 == 1e300);
}

static void
test_decimals__are_exact_or_wider(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &decimal_type, "-1.5", "123.45");
    assert_true(s.min.as.i128 == -150 && s.max.as.i128 == 12345);
    assert_true(s.min_is_exact && s.max_is_exact);
    assert_int_equal(s.min.scale, 2);
    s = read_bounds(f, &decimal_type, "\"1.5\"", "1.2E3");
    assert_true(s.min.as.i128 == 150 && s.max.as.i128 == 120000 && s.max_is_exact);
    /* Digits that the scale has no room for are rounded outwards. */
    s = read_bounds(f, &decimal_type, "-1.999", "1.001");
    assert_true(s.min.as.i128 == -200 && s.max.as.i128 == 101);
    assert_false(s.min_is_exact || s.max_is_exact);
    s = read_bounds(f, &decimal_type, "1.999", "1e-9");
    assert_true(!s.has_min && !s.has_max);
    /* Sixteen digits and more may have gone through a double. */
    s = read_bounds(f, &decimal_type, "12345678901234567.89", "12345678901234567.89");
    dw_i128 value = (dw_i128) 1234567890123456789;
    assert_true(s.min.as.i128 < value && s.max.as.i128 > value);
    assert_true(s.min.as.i128 > value - 1000 && s.max.as.i128 < value + 1000);
    assert_false(s.min_is_exact || s.max_is_exact);
    assert_false(read_bounds(f, &decimal_type, "1e37", "1").has_min);
}

static void
test_decimals__that_went_through_a_double_stay_inside(void **state)
{
    fixture *f = *state;
    uint64_t random = 91;
    print_message("seed 91\n");
    for (size_t i = 0; i < 5000; i++) {
        dw_i128 value = (dw_i128) (dwt_random_next(&random) >> dwt_random_below(&random, 60)) *
                        (dw_i128) (1 + dwt_random_below(&random, 100000000));
        value = i % 2 == 0 ? value : -value;
        DW_AUTO(dw_strbuf) text = fixture_text(f);
        dw__decimal_print(&text, value, 2);
        double through;
        assert_true(dw__str_to_double(dw__strbuf_str(&text), &through));
        DW_AUTO(dw_strbuf) written = fixture_text(f);
        dw__json_put_double(&written, through);
        dw_column_stats s =
            read_bounds(f, &decimal_type, dw__strbuf_cstr(&written), dw__strbuf_cstr(&written));
        assert_true(!s.has_min || s.min.as.i128 <= value);
        assert_true(!s.has_max || s.max.as.i128 >= value);
    }
}

static void
test_timestamps__are_widened_to_the_end_of_the_millisecond(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &timestamp_type, "\"2024-01-01T00:00:00.000Z\"",
                                    "\"2024-01-01T01:00:00.123+01:00\"");
    assert_int_equal(s.min.as.i64, 1704067200000000);
    assert_int_equal(s.max.as.i64, 1704067200123999);
    s = read_bounds(f, &ntz_type, "\"2024-01-01T00:00:00.000\"", "\"2024-01-01 00:00:00.123Z\"");
    assert_int_equal(s.min.as.i64, 1704067200000000);
    assert_int_equal(s.max.as.i64, 1704067200123999);
    /* An instant without its zone says nothing, nor does a wall clock with one; nor cut text. */
    assert_false(read_bounds(f, &timestamp_type, "\"2024-01-01T00:00:00.000\"", "1").has_min);
    assert_false(read_bounds(f, &ntz_type, "\"2024-01-01T00:00:00.000+01:00\"", "1").has_min);
    assert_false(read_bounds(f, &ntz_type, "\"2024-01-01\"", "1").has_min);
    assert_false(read_bounds(f, &timestamp_type, "\"2024-01-01T00:00Z\"", "1").has_min);
    assert_false(read_bounds(f, &timestamp_type, "1704067200000000", "1").has_min);
}

static void
test_timestamps__with_the_offset_of_a_local_time_are_known_to_a_minute(void **state)
{
    fixture *f = *state;
    /* In Los Angeles it was 7:52:58 behind Greenwich. */
    dw_column_stats s = read_bounds(f, &timestamp_type, "\"1850-06-01T00:00:00.000-07:52\"",
                                    "\"1850-06-01T00:00:00.000-07:52\"");
    int64_t instant = -3773750822000000;
    assert_true(s.min.as.i64 <= instant && s.max.as.i64 >= instant);
    s = read_bounds(f, &timestamp_type, "\"1850-06-01T00:00:00.000Z\"",
                    "\"1850-06-01T00:00:00.000Z\"");
    assert_int_equal(s.max.as.i64 - s.min.as.i64, 999);
}

static void
test_other_types__are_read_as_what_they_are(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &date_type, "\"2024-02-29\"", "\"2024-02-30\"");
    assert_true(s.has_min && !s.has_max && s.min_is_exact);
    assert_int_equal(s.min.as.i64, 19782);
    s = read_bounds(f, &boolean_type, "false", "true");
    assert_true(s.min.kind == DW_VALUE_BOOL && s.min.as.i64 == 0 && s.max.as.i64 == 1);
    s = read_bounds(f, &binary_type, "\"a\"", "\"b\"");
    assert_true(!s.has_min && !s.has_max);
    s = read_bounds(f, &string_type, "\"\"", "\"a\\\"\\n\\u00e9\\ud83d\\ude00\\/\"");
    assert_str(s.min.as.str, "");
    assert_str(s.max.as.str, "a\"\n\xc3\xa9\xf0\x9f\x98\x80/");
    assert_false(s.min_is_exact || s.max_is_exact);
    const char *bad[] = {"\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
                         "\"\\x\"",     "\"\\u12\"",          "7"};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        assert_false(read_bounds(f, &string_type, bad[i], "\"x\"").has_min);
    }
}

/* ---- What cannot be trusted ------------------------------------------------------------------ */

static void
test_contradictions__are_dropped(void **state)
{
    fixture *f = *state;
    dw_column_stats s = read_bounds(f, &long_type, "9", "1");
    assert_true(!s.has_min && !s.has_max);
    read_result r = read_column(f, &long_type, "{\"numRecords\":3,\"nullCount\":{\"c\":4}}");
    assert_false(r.column.has_null_count);
    r = read_column(f, &long_type, "{\"numRecords\":-3,\"nullCount\":{\"c\":-1}}");
    assert_false(r.file.has_num_records || r.column.has_null_count);
    r = read_column(f, &long_type, "{\"numRecords\":\"3\",\"nullCount\":{\"c\":null}}");
    assert_false(r.file.has_num_records || r.column.has_null_count);
}

static void
test_loose_bounds__leave_only_certain_null_counts(void **state)
{
    fixture *f = *state;
    const struct {
        const char *json;
        bool has;
    } cases[] = {
        {"{\"tightBounds\":false,\"numRecords\":3,\"nullCount\":{\"c\":0}}", true},
        {"{\"numRecords\":3,\"nullCount\":{\"c\":3},\"tightBounds\":false}", true},
        {"{\"numRecords\":3,\"nullCount\":{\"c\":2},\"tightBounds\":false}", false},
        {"{\"nullCount\":{\"c\":2},\"tightBounds\":false}", false},
        {"{\"nullCount\":{\"c\":0},\"tightBounds\":false}", true},
        {"{\"numRecords\":3,\"nullCount\":{\"c\":2},\"tightBounds\":7}", false},
        {"{\"nullCount\":{\"c\":2}}", true},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        assert_int_equal(read_column(f, &long_type, cases[i].json).column.has_null_count,
                         cases[i].has);
    }
    read_result r = read_column(f, &long_type, "{\"minValues\":{\"c\":1},\"tightBounds\":false}");
    assert_true(r.column.has_min && !r.column.min_is_exact && !r.file.tight_bounds);
}

static void
test_invalid_text__gives_nothing(void **state)
{
    fixture *f = *state;
    const char *whole = "{\"numRecords\":3,\"minValues\":{\"c\":1,\"d\":\"x\\\"\"},\"maxValues\":"
                        "{\"c\":[2,{\"a\":3}]},\"nullCount\":{\"c\":0}}";
    size_t len = strlen(whole);
    for (size_t cut = 0; cut < len; cut++) {
        DW_AUTO(dw_strbuf) text = fixture_text(f);
        dw__strbuf_append(&text, dw__str_make(whole, cut));
        read_result r = read_column(f, &long_type, dw__strbuf_cstr(&text));
        assert_false(r.file.has_num_records || r.column.has_min || r.column.has_null_count);
    }
    const char *bad[] = {"",
                         "7",
                         "null",
                         "[]",
                         "{} x",
                         "{\"numRecords\":3},",
                         "{,}",
                         "{\"a\"}",
                         "{\"numRecords\":3,}",
                         "{\"numRecords\":3 \"a\":1}",
                         "{\"numRecords\" 3}",
                         "{\"numRecords\":}",
                         "{numRecords:3}",
                         "\"numRecords\"",
                         "{\"a\":\"\\"};
    for (size_t i = 0; i < DWT_COUNT(bad); i++) {
        read_result r = read_column(f, &long_type, bad[i]);
        assert_false(r.file.has_num_records);
    }
    dw_file_stats file;
    dw_column_stats column;
    dw_str name = DW_STR("c");
    dw_column_path path = {&name, 1, &long_type};
    assert_true(dw__stats_read(DW_STR_NULL, &path, 1, &f->arena, &file, &column));
    assert_false(file.has_num_records || column.has_min);
}

static void
test_read_counts__agrees_with_reading_all(void **state)
{
    (void) state;
    const struct {
        const char *json;
        bool has;
        int64_t records;
        bool tight;
    } cases[] = {
        {"{\"numRecords\":3,\"minValues\":{\"c\":1}}", true, 3, true},
        {"{\"minValues\":{\"numRecords\":1},\"numRecords\":3}", true, 3, true},
        {"{\"numRecords\":3,\"minValues\":{},\"tightBounds\":false}", true, 3, false},
        {"{\"tightBounds\":false,\"numRecords\":3}", true, 3, false},
        {"{\"numRecords\":3,\"minValues\":{\"tightBounds\":1}}", true, 3, true},
        {"{\"numRecords\":3,\"minValues\":{\"c\"", false, 0, true},
        {"{\"numRecords\":-3}", false, 0, true},
        {"{}", false, 0, true},
        {"", false, 0, true},
        {"null", false, 0, true},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_file_stats file;
        dw__stats_read_counts(dw__str_from(cases[i].json), &file);
        assert_int_equal(file.has_num_records, cases[i].has);
        assert_int_equal(file.tight_bounds, cases[i].tight);
        if (cases[i].has) {
            assert_int_equal(file.num_records, cases[i].records);
        }
    }
}

static void
test_read__survives_noise(void **state)
{
    fixture *f = *state;
    static const char *const words[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        ":",
                                        ",",
                                        "\"c\"",
                                        "\"numRecords\"",
                                        "\"minValues\"",
                                        "\"nullCount\"",
                                        "1",
                                        "\"",
                                        "\\",
                                        "true",
                                        " ",
                                        "\"tightBounds\"",
                                        "-",
                                        "1e5",
                                        "\"\\u0063\""};
    uint64_t random = 17;
    print_message("seed 17\n");
    for (size_t round = 0; round < 50000; round++) {
        char text[200];
        size_t len = 0;
        for (size_t i = dwt_random_below(&random, 14); i > 0; i--) {
            const char *word = words[dwt_random_below(&random, DWT_COUNT(words))];
            memcpy(text + len, word, strlen(word) + 1);
            len += strlen(word);
        }
        text[len] = '\0';
        read_result r = read_column(f, round % 2 == 0 ? &long_type : &string_type, text);
        dw_file_stats file;
        dw__stats_read_counts(dw__str_from(text), &file);
        /* Whatever the full reading accepts, the quick one sees as well. */
        assert_true(!r.file.has_num_records || file.has_num_records);
        if (round % 1000 == 0) {
            dw__arena_reset(&f->arena);
        }
    }
}

static dw_status
read_strings(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_str name = DW_STR("c");
    dw_column_path path = {&name, 1, &string_type};
    dw_file_stats file;
    dw_column_stats column;
    bool done =
        dw__stats_read(DW_STR("{\"minValues\":{\"c\":\"a\"},\"maxValues\":{\"c\":\"\\u0062\"}"
                              "}"),
                       &path, 1, &arena, &file, &column);
    return done ? DW_OK : dw__error_oom(err);
}

static void
test_read__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = read_strings, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read__takes_counts_and_bounds_in_any_order),
        TEST(test_read__follows_paths_through_structs),
        TEST(test_read__serves_many_columns),
        TEST(test_integers__must_fit_their_type),
        TEST(test_floats__are_read_as_floats),
        TEST(test_doubles__may_have_been_floats),
        TEST(test_decimals__are_exact_or_wider),
        TEST(test_decimals__that_went_through_a_double_stay_inside),
        TEST(test_timestamps__are_widened_to_the_end_of_the_millisecond),
        TEST(test_timestamps__with_the_offset_of_a_local_time_are_known_to_a_minute),
        TEST(test_other_types__are_read_as_what_they_are),
        TEST(test_contradictions__are_dropped),
        TEST(test_loose_bounds__leave_only_certain_null_counts),
        TEST(test_invalid_text__gives_nothing),
        TEST(test_read_counts__agrees_with_reading_all),
        TEST(test_read__survives_noise),
        TEST(test_read__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
