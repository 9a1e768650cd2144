/*
 * Writing statistics: what stands in the JSON, and that reading it gives outer bounds again.
 */
#include "fixture.h"

#include "codec/json.h"
#include "protocol/stats.h"

#include <math.h>

#define PREFIX 32

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
of_str(dw_str value)
{
    return (dw_value){.kind = DW_VALUE_STR, .as.str = value};
}

static dw_stats_entry
entry_of(const dw_str *parts, size_t count, const dw_type *type, dw_value min, dw_value max,
         int64_t null_count)
{
    return (dw_stats_entry){
        .column = {parts, count, type},
        .stats = {.has_min = min.kind != DW_VALUE_NULL,
                  .has_max = max.kind != DW_VALUE_NULL,
                  .has_null_count = null_count >= 0,
                  .min = min,
                  .max = max,
                  .null_count = null_count},
    };
}

static void
check_printed(fixture *f, const dw_stats_entry *entries, size_t count, bool tight,
              const char *expected)
{
    DW_AUTO(dw_strbuf) out = fixture_text(f);
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__stats_print(&out, 10, tight, entries, count, PREFIX, &err), &err);
    assert_str(dw__strbuf_str(&out), expected);
}

static void
test_print__writes_every_type(void **state)
{
    fixture *f = *state;
    const dw_type types[] = {
        {.kind = DW_TYPE_LONG},          {.kind = DW_TYPE_DOUBLE},
        {.kind = DW_TYPE_FLOAT},         {.kind = DW_TYPE_DECIMAL, .precision = 10},
        {.kind = DW_TYPE_DATE},          {.kind = DW_TYPE_TIMESTAMP},
        {.kind = DW_TYPE_TIMESTAMP_NTZ}, {.kind = DW_TYPE_STRING},
        {.kind = DW_TYPE_BOOLEAN},       {.kind = DW_TYPE_BINARY}};
    const dw_str names[] = {DW_STR("l"),  DW_STR("d"), DW_STR("f"), DW_STR("x"), DW_STR("t"),
                            DW_STR("ts"), DW_STR("n"), DW_STR("s"), DW_STR("b"), DW_STR("y")};
    dw_value small = {.kind = DW_VALUE_DECIMAL, .scale = 2, .as.i128 = -150};
    dw_value large = {.kind = DW_VALUE_DECIMAL, .scale = 2, .as.i128 = 12345};
    dw_value no = {.kind = DW_VALUE_BOOL, .as.i64 = 0};
    const dw_stats_entry entries[] = {
        entry_of(&names[0], 1, &types[0], of_i64(-5), of_i64(7), 0),
        entry_of(&names[1], 1, &types[1], of_double(-1.5), of_double(0.1), 1),
        entry_of(&names[2], 1, &types[2], of_double((double) 0.1f), of_double((double) 0.7f), 2),
        entry_of(&names[3], 1, &types[3], small, large, 3),
        entry_of(&names[4], 1, &types[4], of_i64(0), of_i64(19782), 4),
        entry_of(&names[5], 1, &types[5], of_i64(-1), of_i64(1704067200123456), 5),
        entry_of(&names[6], 1, &types[6], of_i64(0), of_i64(1704067200123456), 6),
        entry_of(&names[7], 1, &types[7], of_str(DW_STR("a\"")), of_str(DW_STR("z")), 7),
        entry_of(&names[8], 1, &types[8], no, no, 8),
        entry_of(&names[9], 1, &types[9], of_str(DW_STR("a")), of_str(DW_STR("z")), 9),
    };
    check_printed(
        f, entries, DWT_COUNT(entries), true,
        "{\"numRecords\":10,\"minValues\":{\"l\":-5,\"d\":-1.5,\"f\":0.1,\"x\":-1.50,"
        "\"t\":\"1970-01-01\",\"ts\":\"1969-12-31T23:59:59.999Z\","
        "\"n\":\"1970-01-01T00:00:00.000\","
        "\"s\":\"a\\\"\"},\"maxValues\":{\"l\":7,\"d\":0.1,\"f\":0.7,\"x\":123.45,"
        "\"t\":\"2024-02-29\",\"ts\":\"2024-01-01T00:00:00.123Z\","
        "\"n\":\"2024-01-01T00:00:00.123\","
        "\"s\":\"z\"},\"nullCount\":{\"l\":0,\"d\":1,\"f\":2,\"x\":3,\"t\":4,\"ts\":5,\"n\":6,"
        "\"s\":7,\"b\":8,\"y\":9}}");
}

static void
test_print__nests_structs(void **state)
{
    fixture *f = *state;
    const dw_type type = {.kind = DW_TYPE_LONG};
    const dw_str paths[][3] = {{DW_STR("a"), DW_STR("b"), DW_STR("c")},
                               {DW_STR("a"), DW_STR("b"), DW_STR("d")},
                               {DW_STR("a"), DW_STR("e")},
                               {DW_STR("f")},
                               {DW_STR("g"), DW_STR("b"), DW_STR("c")}};
    const dw_stats_entry entries[] = {
        entry_of(paths[0], 3, &type, of_i64(1), of_i64(1), 0),
        entry_of(paths[1], 3, &type, (dw_value){.kind = DW_VALUE_NULL}, of_i64(2), 0),
        entry_of(paths[2], 2, &type, of_i64(3), of_i64(3), 0),
        entry_of(paths[3], 1, &type, of_i64(4), of_i64(4), 0),
        entry_of(paths[4], 3, &type, of_i64(5), of_i64(5), -1),
    };
    check_printed(f, entries, DWT_COUNT(entries), false,
                  "{\"numRecords\":10,\"minValues\":{\"a\":{\"b\":{\"c\":1},\"e\":3},\"f\":4,"
                  "\"g\":{\"b\":{\"c\":5}}},\"maxValues\":{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3},"
                  "\"f\":4,\"g\":{\"b\":{\"c\":5}}},\"nullCount\":{\"a\":{\"b\":{\"c\":0,\"d\":0},"
                  "\"e\":0},\"f\":0},\"tightBounds\":false}");
    check_printed(f, NULL, 0, true,
                  "{\"numRecords\":10,\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}");
}

static void
test_print__leaves_out_what_json_cannot_carry(void **state)
{
    fixture *f = *state;
    const dw_type types[] = {{.kind = DW_TYPE_DOUBLE},
                             {.kind = DW_TYPE_DATE},
                             {.kind = DW_TYPE_TIMESTAMP},
                             {.kind = DW_TYPE_STRING}};
    const dw_str name = DW_STR("c");
    const char *nothing =
        "{\"numRecords\":10,\"minValues\":{},\"maxValues\":{},\"nullCount\":{\"c\":0}}";
    const dw_stats_entry entries[] = {
        entry_of(&name, 1, &types[0], of_double(-(double) INFINITY), of_double((double) NAN), 0),
        entry_of(&name, 1, &types[1], of_i64(-719163), of_i64(2932897), 0),
        entry_of(&name, 1, &types[2], of_i64(INT64_MIN), of_i64(INT64_C(253402300800000000)), 0),
        entry_of(&name, 1, &types[3], of_str(DW_STR("\xff")), of_str(DW_STR("\xff")), 0),
    };
    for (size_t i = 0; i < DWT_COUNT(entries); i++) {
        check_printed(f, &entries[i], 1, true, nothing);
    }
    dw_stats_entry zeros = entry_of(&name, 1, &types[0], of_double(0.0), of_double(-0.0), 0);
    check_printed(f, &zeros, 1, true,
                  "{\"numRecords\":10,\"minValues\":{\"c\":-0.0},\"maxValues\":{\"c\":0.0},"
                  "\"nullCount\":{\"c\":0}}");
}

/* ---- Strings --------------------------------------------------------------------------------- */

static void
check_cut(fixture *f, int64_t prefix, dw_str value, const char *min, const char *max)
{
    const dw_type type = {.kind = DW_TYPE_STRING};
    const dw_str name = DW_STR("c");
    dw_stats_entry entry = entry_of(&name, 1, &type, of_str(value), of_str(value), -1);
    DW_AUTO(dw_strbuf) out = fixture_text(f);
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__stats_print(&out, 10, true, &entry, 1, prefix, &err), &err);
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    assert_ok(dw__json_parse(f->world.env.allocator, dw__strbuf_str(&out), "the text", &doc, &err),
              &err);
    dw_json root = dw__json_root(doc);
    dw_str found_min = dw__json_str(dw__json_get(dw__json_get(root, DW_STR("minValues")), name));
    dw_str found_max = dw__json_str(dw__json_get(dw__json_get(root, DW_STR("maxValues")), name));
    if (min == NULL) {
        assert_true(dw__str_is_null(found_min));
    } else {
        assert_str(found_min, min);
    }
    if (max == NULL) {
        assert_true(dw__str_is_null(found_max));
    } else {
        assert_str(found_max, max);
    }
}

#define MAX_CHARACTER "\xf4\x8f\xbf\xbf"

static void
test_strings__are_cut_between_characters_and_stay_bounds(void **state)
{
    fixture *f = *state;
    check_cut(f, 3, DW_STR("abc"), "abc", "abc");
    check_cut(f, 3, DW_STR("abcd"), "abc", "abc\x7f");
    check_cut(f, 3, DW_STR("abc\x7f"), "abc", "abc" MAX_CHARACTER);
    check_cut(f, 3, DW_STR("abc\xc3\xa9"), "abc", "abc" MAX_CHARACTER);
    check_cut(f, 2, DW_STR("\xc3\xa9\xf0\x9f\x98\x80x"), "\xc3\xa9\xf0\x9f\x98\x80",
              "\xc3\xa9\xf0\x9f\x98\x80\x7f");
    check_cut(f, 1, DW_STR("a" MAX_CHARACTER "b"), "a", "a" MAX_CHARACTER "\x7f");
    check_cut(f, 1, DW_STR("a" MAX_CHARACTER), "a", "a" MAX_CHARACTER);
    check_cut(f, 1, DW_STR("a" MAX_CHARACTER MAX_CHARACTER "b"), "a", NULL);
    check_cut(f, 0, DW_STR("abc"), NULL, NULL);
    check_cut(f, 3, DW_STR(""), "", "");
}

/* [STATS-2] for random strings of few different characters, where cuts meet prefixes often. */
static void
test_strings__bound_every_value_in_between(void **state)
{
    fixture *f = *state;
    static const char *const characters[] = {"a",          "b", "\x7f", "\xc3\xa9", "\xef\xbf\xbd",
                                             MAX_CHARACTER};
    const dw_type type = {.kind = DW_TYPE_STRING};
    const dw_str name = DW_STR("c");
    uint64_t random = 63;
    print_message("seed 63\n");
    for (size_t round = 0; round < 20000; round++) {
        char text[64];
        size_t len = 0;
        for (size_t i = dwt_random_below(&random, 8); i > 0; i--) {
            const char *c = characters[dwt_random_below(&random, DWT_COUNT(characters))];
            memcpy(text + len, c, strlen(c));
            len += strlen(c);
        }
        dw_str value = dw__str_make(text, len);
        dw_stats_entry entry = entry_of(&name, 1, &type, of_str(value), of_str(value), 0);
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw_error err = DW_ERROR_INIT;
        int64_t prefix = (int64_t) dwt_random_below(&random, 5);
        assert_ok(dw__stats_print(&out, 10, true, &entry, 1, prefix, &err), &err);
        dw_file_stats file;
        dw_column_stats back;
        assert_true(
            dw__stats_read(dw__strbuf_str(&out), &entry.column, 1, &f->arena, &file, &back));
        assert_int_equal(file.num_records, 10);
        assert_true(!back.has_min || dw__str_compare(back.min.as.str, value) <= 0);
        assert_true(!back.has_max || dw__str_compare(back.max.as.str, value) >= 0);
        dw__arena_reset(&f->arena);
    }
}

/* [STATS-2] for numbers and times of every type. */
static void
test_numbers__bound_themselves_after_reading(void **state)
{
    fixture *f = *state;
    const dw_type types[] = {
        {.kind = DW_TYPE_LONG},         {.kind = DW_TYPE_DOUBLE},
        {.kind = DW_TYPE_FLOAT},        {.kind = DW_TYPE_DECIMAL, .precision = 38, .scale = 5},
        {.kind = DW_TYPE_DATE},         {.kind = DW_TYPE_TIMESTAMP},
        {.kind = DW_TYPE_TIMESTAMP_NTZ}};
    const dw_str name = DW_STR("c");
    uint64_t random = 64;
    print_message("seed 64\n");
    for (size_t round = 0; round < 40000; round++) {
        const dw_type *type = &types[round % DWT_COUNT(types)];
        int64_t bits = (int64_t) dwt_random_next(&random);
        bits >>= dwt_random_below(&random, 64);
        dw_value value = of_i64(type->kind == DW_TYPE_DATE ? bits % 4000000 : bits);
        if (type->kind == DW_TYPE_DECIMAL) {
            value = (dw_value){.kind = DW_VALUE_DECIMAL,
                               .scale = 5,
                               .as.i128 = (dw_i128) bits * (1 + (int64_t) (round % 1000000))};
        } else if (type->kind == DW_TYPE_DOUBLE || type->kind == DW_TYPE_FLOAT) {
            double real;
            memcpy(&real, &bits, sizeof(real));
            value = of_double(type->kind == DW_TYPE_FLOAT ? (double) (float) real : real);
        }
        dw_stats_entry entry = entry_of(&name, 1, type, value, value, 0);
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__stats_print(&out, 10, true, &entry, 1, PREFIX, &err), &err);
        dw_file_stats file;
        dw_column_stats back;
        assert_true(
            dw__stats_read(dw__strbuf_str(&out), &entry.column, 1, &f->arena, &file, &back));
        bool comparable;
        assert_true(!back.has_min || dw__value_compare(&back.min, &value, &comparable) <= 0);
        assert_true(!back.has_max || dw__value_compare(&back.max, &value, &comparable) >= 0);
        if (back.min_is_exact) {
            assert_int_equal(dw__value_compare(&back.min, &value, &comparable), 0);
        }
    }
}

static void
test_loosen__keeps_what_is_known_and_takes_back_the_promise(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *stats, *loose;
    } cases[] = {
        {"{\"numRecords\":5,\"minValues\":{\"a\":1.50},\"nullCount\":{\"a\":0}}",
         "{\"numRecords\":9,\"minValues\":{\"a\":1.50},\"nullCount\":{\"a\":0},"
         "\"tightBounds\":false}"},
        {"{\"tightBounds\":true}", "{\"numRecords\":9,\"tightBounds\":false}"},
        {"no JSON", "{\"numRecords\":9,\"tightBounds\":false}"},
        {NULL, "{\"numRecords\":9,\"tightBounds\":false}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__stats_loosen(&out, dw__str_from(cases[i].stats), 9, &err), &err);
        assert_string_equal(dw__strbuf_cstr(&out), cases[i].loose);
    }
}

/* ---- Files that become one ------------------------------------------------------------------- */

#define DECIMAL_A "{\"numRecords\":3,\"minValues\":{\"a\":1.50},\"maxValues\":{\"a\":2.5},"
#define DECIMAL_B "{\"numRecords\":2,\"minValues\":{\"a\":1.5001},\"maxValues\":{\"a\":10},"

static void
test_merge__takes_the_outer_bounds_as_they_stand(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *a, *b;
        const char *merged; /* NULL: nobody can tell */
    } cases[] = {
        {DECIMAL_A "\"nullCount\":{\"a\":1}}", DECIMAL_B "\"nullCount\":{\"a\":0}}",
         "{\"numRecords\":5,\"minValues\":{\"a\":1.50},\"maxValues\":{\"a\":10},"
         "\"nullCount\":{\"a\":1}}"},
        /* all are NULL in the other */
        {DECIMAL_A "\"nullCount\":{\"a\":1}}", "{\"numRecords\":2,\"nullCount\":{\"a\":2}}",
         "{\"numRecords\":5,\"minValues\":{\"a\":1.50},\"maxValues\":{\"a\":2.5},"
         "\"nullCount\":{\"a\":3}}"},
        /* the other has values that nobody knows */
        {DECIMAL_A "\"nullCount\":{\"a\":1}}", "{\"numRecords\":2,\"nullCount\":{\"a\":1}}",
         "{\"numRecords\":5,\"minValues\":{},\"maxValues\":{},\"nullCount\":{\"a\":2}}"},
        {DECIMAL_A "\"nullCount\":{}}", DECIMAL_B "\"nullCount\":{\"a\":0}}",
         "{\"numRecords\":5,\"minValues\":{\"a\":1.50},\"maxValues\":{\"a\":10},"
         "\"nullCount\":{}}"},
        {DECIMAL_A "\"tightBounds\":false}", DECIMAL_B "\"nullCount\":{}}", NULL},
        {DECIMAL_A "\"nullCount\":{}}", "{\"minValues\":{\"a\":1}}", NULL},
        {DECIMAL_A "\"nullCount\":{}}", NULL, NULL},
    };
    const dw_type type = {.kind = DW_TYPE_DECIMAL, .precision = 10, .scale = 4};
    const dw_str name = DW_STR("a");
    const dw_column_path column = {.parts = &name, .count = 1, .type = &type};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = fixture_text(f);
        dw_error err = DW_ERROR_INIT;
        const dw_str stats[] = {dw__str_from(cases[i].a), dw__str_from(cases[i].b)};
        bool is_exact;
        assert_ok(dw__stats_merge(stats, 2, &column, 1, &f->arena, &out, &is_exact, &err), &err);
        assert_true(is_exact == (cases[i].merged != NULL));
        assert_string_equal(dw__strbuf_cstr(&out), is_exact ? cases[i].merged : "");
    }
}

static dw_status
print_stats(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    const dw_type type = {.kind = DW_TYPE_STRING};
    const dw_str name = DW_STR("c");
    dw_stats_entry entry =
        entry_of(&name, 1, &type, of_str(DW_STR("abcdefgh")), of_str(DW_STR("abcdefgh")), 0);
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env->allocator, DWT_TEXT_BYTES_MAX);
    return dw__stats_print(&out, 10, true, &entry, 1, 4, err);
}

static void
test_print__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = print_stats, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_print__writes_every_type),
        TEST(test_print__nests_structs),
        TEST(test_print__leaves_out_what_json_cannot_carry),
        TEST(test_strings__are_cut_between_characters_and_stay_bounds),
        TEST(test_strings__bound_every_value_in_between),
        TEST(test_numbers__bound_themselves_after_reading),
        TEST(test_loosen__keeps_what_is_known_and_takes_back_the_promise),
        TEST(test_merge__takes_the_outer_bounds_as_they_stand),
        TEST(test_print__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
