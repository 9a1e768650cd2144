/*
 * Type names of the engine, printed and parsed.
 */
#include "support/test.h"

#include "scan/scan.h"
#include "support/test_env.h"

typedef struct type_world {
    dwt_env test;
    dw_arena arena;
    dw_error err;
} type_world;

static int
setup(void **state)
{
    static type_world world;
    memset(&world, 0, sizeof(world));
    dwt_env_init(&world.test, 1);
    dw__arena_init(&world.arena, world.test.env.allocator);
    *state = &world;
    return 0;
}

static int
teardown(void **state)
{
    type_world *world = *state;
    dw__arena_deinit(&world->arena);
    dwt_env_deinit(&world->test);
    return 0;
}

static void
assert_parses_to(type_world *world, const char *engine_type, const char *expected)
{
    const dw_type *type;
    dw_strbuf text = dw__strbuf_make(world->test.env.allocator, 65536);
    assert_ok(dw__engine_type_parse(DW_STR("c"), dw__str_from(engine_type), &world->arena, &type,
                                    &world->err),
              &world->err);
    dw__type_print_sql(&text, type);
    assert_string_equal(dw__strbuf_cstr(&text), expected);
    dw__strbuf_deinit(&text);
}

static void
test_engine_type__becomes_the_type_of_a_column(void **state)
{
    type_world *world = *state;
    static const char *const cases[][2] = {
        {"BIGINT", "bigint"},
        {"INTEGER", "int"},
        {"SMALLINT", "smallint"},
        {"TINYINT", "tinyint"},
        {"UTINYINT", "smallint"},
        {"USMALLINT", "int"},
        {"UINTEGER", "bigint"},
        {"UBIGINT", "decimal(20,0)"},
        {"HUGEINT", "decimal(38,0)"},
        {"FLOAT", "float"},
        {"DOUBLE", "double"},
        {"DECIMAL(10,2)", "decimal(10,2)"},
        {"DECIMAL(38, 0)", "decimal(38,0)"},
        {"BOOLEAN", "boolean"},
        {"VARCHAR", "string"},
        {"JSON", "string"},
        {"UUID", "string"},
        {"ENUM('a', 'x''y)', 'x')", "string"},
        {"BLOB", "binary"},
        {"DATE", "date"},
        {"TIMESTAMP", "timestamp_ntz"},
        {"TIMESTAMP_NS", "timestamp_ntz"},
        {"TIMESTAMP WITH TIME ZONE", "timestamp"},
        {"INTEGER[]", "array<int>"},
        {"INTEGER[3][]", "array<array<int>>"},
        {"MAP(VARCHAR, INTEGER[])", "map<string,array<int>>"},
        {"STRUCT(a INTEGER, b STRUCT(c VARCHAR[]))", "struct<a:int,b:struct<c:array<string>>>"},
        {"STRUCT(a TIMESTAMP WITH TIME ZONE, b TIMESTAMP)", "struct<a:timestamp,b:timestamp_ntz>"},
        {"STRUCT(a ENUM('(', ')'), \"b,(\" DECIMAL(3,1))[]",
         "array<struct<a:string,`b,(`:decimal(3,1)>>"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_parses_to(world, cases[i][0], cases[i][1]);
    }
}

static void
test_engine_type__of_odd_names_keeps_them(void **state)
{
    type_world *world = *state;
    const dw_type *type;
    assert_ok(dw__engine_type_parse(DW_STR("c"),
                                    DW_STR("STRUCT(\"a \"\"b\" INTEGER, \xc3\xa9 VARCHAR)"),
                                    &world->arena, &type, &world->err),
              &world->err);
    assert_int_equal(type->field_count, 2);
    assert_str(type->fields[0].name, "a \"b");
    assert_str(type->fields[1].name, "\xc3\xa9");
}

static void
test_engine_type__that_tables_lack_is_refused_with_advice(void **state)
{
    type_world *world = *state;
    static const char *const cases[][2] = {
        {"TIME", "cast it to VARCHAR, or to BIGINT"},
        {"TIME WITH TIME ZONE", "cast it to VARCHAR, or to BIGINT"},
        {"INTERVAL", "cast it to VARCHAR"},
        {"BIT", "cast it to VARCHAR"},
        {"UHUGEINT", "DECIMAL(38,0)"},
        {"\"NULL\"", "CAST(NULL AS VARCHAR)"},
        {"STRUCT(a INTERVAL)", "cast it to VARCHAR"},
        {"UNION(a INTEGER)", "cast it to VARCHAR"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const dw_type *type;
        dw_status status = dw__engine_type_parse(DW_STR("when"), dw__str_from(cases[i][0]),
                                                 &world->arena, &type, &world->err);
        assert_error(status, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED", &world->err);
        assert_message_has(&world->err, "column when");
        assert_message_has(&world->err, cases[i][1]);
        assert_null(type);
    }
}

static void
test_engine_type__that_is_no_type_is_refused(void **state)
{
    type_world *world = *state;
    static const char *const cases[] = {
        "",
        "(",
        "STRUCT(",
        "STRUCT()",
        "STRUCT(a)",
        "STRUCT(a INTEGER",
        "MAP(BIGINT",
        "MAP(A)",
        "DECIMAL(",
        "DECIMAL(39,0)",
        "DECIMAL(3,4)",
        "DECIMAL(0,0)",
        "INTEGER[",
        "INTEGER[]x",
        "INTEGER BIGINT",
        "ENUM('a",
        "\"x",
        "[]",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const dw_type *type;
        dw_status status = dw__engine_type_parse(DW_STR("c"), dw__str_from(cases[i]), &world->arena,
                                                 &type, &world->err);
        assert_error(status, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED", &world->err);
    }
}

static void
test_engine_type__however_deep_does_not_overflow(void **state)
{
    type_world *world = *state;
    static const char *const openings[] = {"STRUCT(a ", "MAP(INTEGER, ", ""};
    for (size_t i = 0; i < 3; i++) {
        dw_strbuf text = dw__strbuf_make(world->test.env.allocator, (size_t) 1 << 20);
        for (int depth = 0; depth < 10000; depth++) {
            dw__strbuf_append(&text, dw__str_from(openings[i]));
        }
        dw__strbuf_append_literal(&text, "INTEGER");
        for (int depth = 0; depth < 10000; depth++) {
            dw__strbuf_append(&text, i == 2 ? DW_STR("[]") : DW_STR(")"));
        }
        const dw_type *type;
        dw_status status = dw__engine_type_parse(DW_STR("c"), dw__strbuf_str(&text), &world->arena,
                                                 &type, &world->err);
        assert_error(status, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED", &world->err);
        dw__strbuf_deinit(&text);
    }
}

static void
test_engine_type__survives_printing_and_parsing(void **state)
{
    type_world *world = *state;
    static const char schema[] =
        "{\"type\":\"struct\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"b c\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{"
        "\"type\":\"array\",\"elementType\":\"decimal(5,2)\",\"containsNull\":true},"
        "\"valueContainsNull\":true},\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"d\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}},"
        "{\"name\":\"e\",\"type\":\"timestamp_ntz\",\"nullable\":true,\"metadata\":{}}]}";
    const dw_type *type;
    const dw_type *again;
    dw_strbuf text = dw__strbuf_make(world->test.env.allocator, 65536);
    assert_ok(dw__schema_parse("test", dw__str_from(schema), &world->arena, &type, &world->err),
              &world->err);
    dw__engine_type_print(&text, type);
    assert_ok(dw__engine_type_parse(DW_STR("c"), dw__strbuf_str(&text), &world->arena, &again,
                                    &world->err),
              &world->err);
    assert_true(dw__type_equal(type, again, true));
    dw__strbuf_deinit(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_engine_type__becomes_the_type_of_a_column, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_engine_type__of_odd_names_keeps_them, setup, teardown),
        cmocka_unit_test_setup_teardown(test_engine_type__that_tables_lack_is_refused_with_advice,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_engine_type__that_is_no_type_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_engine_type__however_deep_does_not_overflow, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_engine_type__survives_printing_and_parsing, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("engine_type", tests, NULL, NULL);
}
