/*
 * Shredding: what a column is shredded by, and which values have a place in typed columns.
 */
#include "support/test.h"

#include "codec/json.h"
#include "codec/shredding.h"
#include "support/fault_loop.h"

/* A few rows of JSON; NULL ends them. */
#define ROWS_MAX 24

static dw_status
look_at_rows(const dw_allocator *allocator, const char *const *rows, dw_shred_look *look,
             dw_error *err)
{
    dw_variant_writer writer = dw__variant_writer_make(allocator);
    dw_variant_writer again = dw__variant_writer_make(allocator);
    dw_json_parser parser = dw__json_parser_make(allocator);
    dw_status status = DW_OK;
    for (size_t i = 0; rows[i] != NULL && status == DW_OK; i++) {
        status = dw__variant_write_json(&writer, &parser, dw__str_from(rows[i]), err);
        if (status == DW_OK) { /* values in the order of the fields */
            status = dw__variant_write(&again, dw__strbuf_str(&writer.metadata),
                                       dw__strbuf_str(&writer.value), err);
        }
        if (status == DW_OK) {
            status = dw__shred_look_add(look, dw__strbuf_str(&again.metadata),
                                        dw__strbuf_str(&again.value), err);
        }
    }
    dw__json_parser_deinit(&parser);
    dw__variant_writer_deinit(&again);
    dw__variant_writer_deinit(&writer);
    return status;
}

static dw_status
type_of(dw_arena *arena, const char *const *rows, size_t *width_left, const dw_shred_type **out,
        dw_error *err)
{
    dw_shred_look *look;
    DW_TRY(dw__shred_look_new(arena->allocator, &look, err));
    dw_status status = look_at_rows(arena->allocator, rows, look, err);
    if (status == DW_OK) {
        status = dw__shred_look_type(look, arena, width_left, out, err);
    }
    dw__shred_look_free(look);
    return status;
}

/* "{a: long, b: [text]}" */
static void
print_type(dw_strbuf *out, const dw_shred_type *type)
{
    static const char *const names[] = {"-",    "boolean", "long", "float",   "double", "decimal",
                                        "text", "bytes",   "date", "instant", "local"};
    if (type->kind == DW_SHRED_ARRAY) {
        dw__strbuf_append_char(out, '[');
        print_type(out, type->element);
        dw__strbuf_append_char(out, ']');
        return;
    }
    if (type->kind != DW_SHRED_OBJECT) {
        dw__strbuf_append(out, dw__str_from(names[type->kind]));
        if (type->kind == DW_SHRED_DECIMAL) {
            dw__strbuf_printf(out, "(%d,%d)", type->precision, type->scale);
        }
        return;
    }
    dw__strbuf_append_char(out, '{');
    for (size_t i = 0; i < type->field_count; i++) {
        dw__strbuf_printf(out, "%s%.*s: ", i == 0 ? "" : ", ", DW_STR_ARG(type->fields[i].name));
        print_type(out, type->fields[i].type);
    }
    dw__strbuf_append_char(out, '}');
}

static void
test_shredding__is_by_what_most_rows_have(void **state)
{
    dwt_env *world = *state;
    static const struct {
        const char *type;
        const char *rows[ROWS_MAX];
    } cases[] = {
        {"-", {NULL}},
        {"-", {"null", "null"}},
        {"long", {"1", "null", "5000000000"}},
        {"text", {"\"a\"", "\"\""}},
        {"boolean", {"true", "false"}},
        {"double", {"1e3"}},
        {"-", {"1", "\"1\""}},
        {"-", {"1", "1e3"}},
        {"decimal(18,2)", {"1", "1.5", "-0.25"}},
        {"decimal(38,19)", {"1.5", "0.1234567890123456789"}},
        {"-", {"1e0", "{\"a\": 1}"}},
        {"-", {"99999999999999999999.5", "0.1234567890123456789"}},
        {"decimal(38,0)", {"99999999999999999999", "5"}},
        {"-", {"{}", "{}"}},
        {"{a: long, b: text}", {"{\"b\": \"x\", \"a\": 1}", "{\"a\": null}"}},
        {"{a: -, b: -}", {"{\"a\": 1, \"b\": {}}", "{\"a\": \"x\"}"}},
        {"{a: {b: {c: long}}}", {"{\"a\": {\"b\": {\"c\": 1}}}"}},
        {"[long]", {"[1, 2]", "[]", "[null]"}},
        {"[-]", {"[]", "[null]"}},
        {"[-]", {"[1, \"x\"]"}},
        {"[{a: long}]", {"[{\"a\": 1}, {}]"}},
        {"{l: [[text]]}", {"{\"l\": [[\"x\"], []]}"}},
        {"-", {"[1]", "{\"a\": 1}"}},
        /* One field of eleven rows is less than a tenth of them. */
        {"{a: long}",
         {"{\"a\": 1, \"z\": 1}", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}",
          "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}"}},
        /* Engines take names that differ by case for one: the one that more rows have is left. */
        {"{a: long}", {"{\"A\": 1, \"a\": 1}", "{\"a\": 2}"}},
        {"{A: long}", {"{\"A\": 1, \"a\": 1}", "{\"A\": 2}"}},
        {"{b: long}", {"{\"\": 1, \"a\\u0000\": 1, \"b\": 1}"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, world->env.allocator);
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, 1 << 20);
        const dw_shred_type *type;
        size_t width_left = DW_SHRED_WIDTH_MAX;
        assert_ok(type_of(&arena, cases[i].rows, &width_left, &type, &err), &err);
        print_type(&text, dw__shred_type_dup(type, &arena));
        assert_string_equal(dw__strbuf_cstr(&text), cases[i].type);
    }
}

static void
test_shredding__has_as_many_columns_as_are_left(void **state)
{
    dwt_env *world = *state;
    const char *const rows[] = {"{\"a\": 1, \"b\": 2, \"c\": {\"d\": 3}}", NULL};
    const char *const types[] = {"-", "-", "{a: -}", "{a: long}", "{a: long, b: -}"};
    for (size_t width = 0; width < sizeof(types) / sizeof(types[0]); width++) {
        dw_error err = DW_ERROR_INIT;
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, world->env.allocator);
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, 1 << 20);
        const dw_shred_type *type;
        size_t width_left = width == 0 ? 0 : width;
        assert_ok(type_of(&arena, rows, &width_left, &type, &err), &err);
        print_type(&text, type);
        assert_string_equal(dw__strbuf_cstr(&text), types[width]);
        assert_true(width_left <= width);
    }
}

static void
test_shredding__stops_at_a_depth(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, 1 << 20);
    for (int i = 0; i < 2 * DW_SHRED_DEPTH_MAX; i++) {
        dw__strbuf_append_literal(&text, "[");
    }
    for (int i = 0; i < 2 * DW_SHRED_DEPTH_MAX; i++) {
        dw__strbuf_append_literal(&text, "]");
    }
    const char *const rows[] = {dw__strbuf_cstr(&text), NULL};
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const dw_shred_type *type;
    size_t width_left = DW_SHRED_WIDTH_MAX;
    assert_ok(type_of(&arena, rows, &width_left, &type, &err), &err);
    int depth = 0;
    for (; type->kind == DW_SHRED_ARRAY; type = type->element) {
        depth++;
    }
    assert_int_equal(depth, DW_SHRED_DEPTH_MAX);
}

#define BYTES(literal) dw__str_make("" literal, sizeof(literal) - 1)

static void
test_values__have_a_place_where_nothing_is_lost(void **state)
{
    (void) state;
    const dw_shred_type number = {.kind = DW_SHRED_LONG};
    const dw_shred_type narrow = {.kind = DW_SHRED_DECIMAL, .precision = 18, .scale = 2};
    const dw_shred_type text = {.kind = DW_SHRED_TEXT}, real = {.kind = DW_SHRED_DOUBLE};
    const struct {
        const dw_shred_type *type;
        dw_str value;
        bool fits;
        int64_t number;
    } cases[] = {
        {&number, BYTES("\x0c\x80"), true, -128},
        {&number, BYTES("\x10\x2c\x01"), true, 300},
        {&number, BYTES("\x18\0\xf2\5\x2a\1\0\0\0"), true, 5000000000},
        {&number, BYTES("\0"), false, 0},                       /* JSON's null */
        {&number, BYTES("\x20\2\x96\0\0\0"), false, 0},         /* 1.50 */
        {&number, BYTES("\x05x"), false, 0},                    /* a text */
        {&narrow, BYTES("\x20\2\x96\0\0\0"), true, 150},        /* 1.50 */
        {&narrow, BYTES("\x20\1\xf6\xff\xff\xff"), true, -100}, /* -1.0 */
        {&narrow, BYTES("\x20\3\x96\0\0\0"), false, 0},         /* 0.150 */
        {&narrow, BYTES("\x0c\7"), true, 700},
        {&narrow, BYTES("\x18\xff\xff\x63\xa7\xb3\xb6\xe0\x0d"), false, 0}, /* 10^18 - 1 */
        {&narrow, BYTES("\x20\xff\x96\0\0\0"), false, 0},                   /* no such scale */
        {&text, BYTES("\x01"), true, 0},
        {&text, BYTES("\x0c\1"), false, 0},
        {&real, BYTES("\x1c\0\0\0\0\0\0\0\0"), true, 0},
        {&real, BYTES("\x1c\0\0\0\0\0\0\0\x80"), false, 0}, /* zeros in columns have no sign */
        {&real, BYTES("\x1c\0\0"), false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_shred_scalar scalar = {0};
        assert_int_equal(dw__shred_scalar(cases[i].type, cases[i].value, &scalar), cases[i].fits);
        if (cases[i].fits && cases[i].type == &number) {
            assert_int_equal(scalar.number, cases[i].number);
        } else if (cases[i].fits && cases[i].type == &narrow) {
            assert_true(scalar.unscaled == cases[i].number);
        }
    }
}

static void
test_objects__keep_the_fields_that_are_marked(void **state)
{
    dwt_env *world = *state;
    dw_error err = DW_ERROR_INIT;
    dw_variant_walk walk;
    bool is_group;
    /* {"a": 1, "b": "x", "c": 2} */
    const dw_str metadata = BYTES("\x11\3\0\1\2\3abc");
    const dw_str value = BYTES("\2\3\0\1\2\0\2\4\6\x0c\1\x05x\x0c\2");
    assert_ok(dw__variant_walk(metadata, value, &walk, &is_group, &err), &err);
    assert_true(is_group && walk.is_object);
    DW_AUTO(dw_strbuf) rest = dw__strbuf_make(world->env.allocator, 100);
    assert_ok(dw__variant_walk_keep(&walk, (const bool[]){true, false, true}, &rest, &err), &err);
    assert_true(dw__str_equal(dw__strbuf_str(&rest), BYTES("\2\2\0\2\0\2\4\x0c\1\x0c\2")));
    dw_str name, field;
    assert_ok(dw__variant_walk_at(&walk, 1, &name, &field, &err), &err);
    assert_true(dw__str_equal(name, DW_STR("b")) && dw__str_equal(field, BYTES("\x05x")));
    assert_ok(dw__variant_walk(BYTES("\x11\0\0"), value, &walk, &is_group, &err), &err);
    assert_int_equal(dw__variant_walk_at(&walk, 1, &name, &field, &err), DW_CORRUPT);
}

static void
test_names__of_columns_are_read_back(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const dw_shred_column columns[] = {
        {0, false, DW_STR("")}, {0, true, DW_STR("a")}, {2, true, DW_STR("\"\xc3\xa9 .")}};
    const char *const texts[] = {"v.", "t.61", "llt.22c3a9202e"};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(world->env.allocator, 100);
        dw_shred_column read;
        dw__shred_column_print(&text, &columns[i]);
        assert_string_equal(dw__strbuf_cstr(&text), texts[i]);
        assert_true(dw__shred_column_read(dw__strbuf_str(&text), &arena, &read));
        assert_true(dw__str_equal(read.name, columns[i].name));
        assert_int_equal(read.list_depth, columns[i].list_depth);
        assert_int_equal(read.is_typed, columns[i].is_typed);
    }
    const char *const others[] = {"", "l", "x.", "v", "v.6", "v.6G", "t61"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        dw_shred_column read;
        assert_false(dw__shred_column_read(dw__str_from(others[i]), &arena, &read));
    }
}

static dw_status
look_and_type(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    const char *const rows[] = {"{\"a\": 1, \"b\": [{\"c\": \"x\"}], \"d\": {\"e\": 1.5}}", NULL};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    const dw_shred_type *type;
    size_t width_left = DW_SHRED_WIDTH_MAX;
    DW_TRY(type_of(&arena, rows, &width_left, &type, err));
    return dw__shred_type_dup(type, &arena) == NULL ? dw__error_oom(err) : DW_OK;
}

static void
test_shredding__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = look_and_type, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_env_setup, dwt_env_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_shredding__is_by_what_most_rows_have),
        TEST(test_shredding__has_as_many_columns_as_are_left),
        TEST(test_shredding__stops_at_a_depth),
        TEST(test_values__have_a_place_where_nothing_is_lost),
        TEST(test_objects__keep_the_fields_that_are_marked),
        TEST(test_names__of_columns_are_read_back),
        TEST(test_shredding__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
