/*
 * Variants: sorted when they are written, equal to what was read, and JSON as Spark parses it.
 */
#include "support/test.h"

#include "codec/variant.h"
#include "support/fault_loop.h"

#define BYTES(literal) dw__str_make("" literal, sizeof(literal) - 1)

typedef struct variant_case {
    dw_str metadata, value;
    dw_str metadata_out, value_out;
} variant_case;

static void
test_variant__is_written_with_sorted_names(void **state)
{
    dwt_env *world = *state;
    const variant_case cases[] = {
        /* A number has no names. */
        {BYTES("\x11\0\0"), BYTES("\x0c\x05"), BYTES("\x11\0\0"), BYTES("\x0c\x05")},
        /* {"b": 1, "a": 2}, as the engine numbers its names. */
        {BYTES("\x11\2\0\1\2ba"), BYTES("\2\2\0\1\0\2\4\x0c\1\x0c\2"), BYTES("\x11\2\0\1\2ab"),
         BYTES("\2\2\0\1\0\2\4\x0c\2\x0c\1")},
        /* One name with two numbers: [{"a": 1}, {"a": 2}]. */
        {BYTES("\x01\2\0\1\2aa"), BYTES("\3\2\0\7\x0e\2\1\0\0\2\x0c\1\2\1\1\0\2\x0c\2"),
         BYTES("\x11\1\0\1a"), BYTES("\3\2\0\7\x0e\2\1\0\0\2\x0c\1\2\1\0\0\2\x0c\2")},
        /* Empty ones, and a text. */
        {BYTES("\x11\0\0"), BYTES("\2\0\0"), BYTES("\x11\0\0"), BYTES("\2\0\0")},
        {BYTES("\x11\0\0"), BYTES("\3\0\0"), BYTES("\x11\0\0"), BYTES("\3\0\0")},
        {BYTES("\x11\0\0"), BYTES("\x05x"), BYTES("\x11\0\0"), BYTES("\x05x")},
    };
    dw_variant_writer writer = dw__variant_writer_make(world->env.allocator);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__variant_write(&writer, cases[i].metadata, cases[i].value, &err), &err);
        assert_true(dw__str_equal(dw__strbuf_str(&writer.metadata), cases[i].metadata_out));
        assert_true(dw__str_equal(dw__strbuf_str(&writer.value), cases[i].value_out));
        /* What was written stays what it is. */
        DW_AUTO(dw_strbuf) metadata = dw__strbuf_make(world->env.allocator, 100);
        DW_AUTO(dw_strbuf) value = dw__strbuf_make(world->env.allocator, 100);
        dw__strbuf_append(&metadata, dw__strbuf_str(&writer.metadata));
        dw__strbuf_append(&value, dw__strbuf_str(&writer.value));
        assert_ok(
            dw__variant_write(&writer, dw__strbuf_str(&metadata), dw__strbuf_str(&value), &err),
            &err);
        assert_true(dw__str_equal(dw__strbuf_str(&writer.value), cases[i].value_out));
    }
    dw__variant_writer_deinit(&writer);
}

/* The engine's heads of short texts have no room for 64 bytes: they say 0. */
static void
test_variant__has_texts_of_64_bytes_whole(void **state)
{
    dwt_env *world = *state;
#define SIXTEEN "0123456789abcdef"
#define TEXT SIXTEEN SIXTEEN SIXTEEN SIXTEEN
    const variant_case cases[] = {
        {BYTES("\x11\0\0"), BYTES("\x01" TEXT), BYTES("\x11\0\0"), BYTES("\x40\x40\0\0\0" TEXT)},
        {BYTES("\x11\0\0"), BYTES("\3\3\0\1\x42\x44\x01\x01" TEXT "\x0c\1"), BYTES("\x11\0\0"),
         BYTES("\3\3\0\1\x46\x48\x01\x40\x40\0\0\0" TEXT "\x0c\1")},
        {BYTES("\x11\1\0\1a"), BYTES("\2\1\0\0\x41\x01" TEXT), BYTES("\x11\1\0\1a"),
         BYTES("\2\1\0\0\x45\x40\x40\0\0\0" TEXT)},
    };
    dw_variant_writer writer = dw__variant_writer_make(world->env.allocator);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__variant_write(&writer, cases[i].metadata, cases[i].value, &err), &err);
        assert_true(dw__str_equal(dw__strbuf_str(&writer.value), cases[i].value_out));
    }
    dw__variant_writer_deinit(&writer);
}

static void
test_variant__that_is_none_is_refused(void **state)
{
    dwt_env *world = *state;
    const struct {
        dw_str metadata, value;
        const char *code;
    } cases[] = {
        {BYTES(""), BYTES("\0"), "VARIANT_INVALID"},
        {BYTES("\x02\0\0"), BYTES("\0"), "VARIANT_INVALID"},    /* another version */
        {BYTES("\x11\5\0"), BYTES("\0"), "VARIANT_INVALID"},    /* names beyond the end */
        {BYTES("\x11\1\0\7a"), BYTES("\0"), "VARIANT_INVALID"}, /* a name beyond it */
        {BYTES("\xd1\xff\xff\xff\xff"), BYTES("\0"), "VARIANT_INVALID"},
        {BYTES("\x11\0\0"), BYTES(""), "VARIANT_INVALID"},
        {BYTES("\x11\0\0"), BYTES("\x18\1"), "VARIANT_INVALID"}, /* half a number */
        {BYTES("\x11\0\0"), BYTES("\x40\xff\xff\xff\xff"), "VARIANT_INVALID"},
        {BYTES("\x11\0\0"), BYTES("\2\1\0\0\1\0"), "VARIANT_INVALID"}, /* no such name */
        {BYTES("\x11\0\0"), BYTES("\3\1\7\x08\0"), "VARIANT_INVALID"}, /* a value beyond the end */
        {BYTES("\x11\0\0"), BYTES("\x13\xff\xff\xff\xff"), "VARIANT_INVALID"},
        {BYTES("\x11\0\0"), BYTES("\x44\0\0\0\0\0\0\0\0"), "VARIANT_TYPE"}, /* a time */
        {BYTES("\x11\0\0"), BYTES("\xfc"), "VARIANT_TYPE"},
        {BYTES("\x11\1\0\1a"), BYTES("\2\2\0\0\0\1\2\0\0"), "VARIANT_DUPLICATE_KEY"},
    };
    dw_variant_writer writer = dw__variant_writer_make(world->env.allocator);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__variant_write(&writer, cases[i].metadata, cases[i].value, &err);
        assert_int_not_equal(status, DW_OK);
        assert_string_equal(err.code, cases[i].code);
    }
    dw__variant_writer_deinit(&writer);
}

static void
test_variant__of_too_many_levels_is_refused(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_strbuf) value = dw__strbuf_make(world->env.allocator, 1 << 20);
    dw_variant_writer writer = dw__variant_writer_make(world->env.allocator);
    /* Arrays of one element with offsets of four bytes. */
    for (int i = 0; i <= DW_VARIANT_DEPTH_MAX; i++) {
        dw__strbuf_append(&value, BYTES("\x0f\1\0\0\0\0\0\0\1\0"));
    }
    dw__strbuf_append(&value, BYTES("\0"));
    dw_error err = DW_ERROR_INIT;
    assert_int_equal(dw__variant_write(&writer, BYTES("\x11\0\0"), dw__strbuf_str(&value), &err),
                     DW_INVALID_ARGUMENT);
    assert_string_equal(err.code, "VARIANT_TOO_DEEP");
    dw__variant_writer_deinit(&writer);
}

static void
test_json__becomes_the_variant_that_spark_makes_of_it(void **state)
{
    dwt_env *world = *state;
    const struct {
        const char *text;
        dw_str value;
    } cases[] = {
        {"null", BYTES("\0")},
        {" true ", BYTES("\x04")},
        {"false", BYTES("\x08")},
        {"-128", BYTES("\x0c\x80")},
        {"300", BYTES("\x10\x2c\x01")},
        {"70000", BYTES("\x14\x70\x11\x01\0")},
        {"5000000000", BYTES("\x18\0\xf2\5\x2a\1\0\0\0")},
        {"1.50", BYTES("\x20\2\x96\0\0\0")},
        {"-0.01", BYTES("\x20\2\xff\xff\xff\xff")},
        {"12345678901.5", BYTES("\x24\1\x17\x1a\x99\xbe\x1c\x00\x00\x00")},
        {"18446744073709551616", BYTES("\x28\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0")},
        {"1e3", BYTES("\x1c\0\0\0\0\0\x40\x8f\x40")},
        {"\"\"", BYTES("\x01")},
        {"\"a\\u00e9\"", BYTES("\x0d\x61\xc3\xa9")},
        {"[1,[]]", BYTES("\3\2\0\2\5\x0c\1\3\0\0")},
        {"{\"b\":1,\"a\":null}", BYTES("\2\2\0\1\2\0\3\x0c\1\0")},
    };
    dw_variant_writer writer = dw__variant_writer_make(world->env.allocator);
    dw_json_parser parser = dw__json_parser_make(world->env.allocator);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__variant_write_json(&writer, &parser, dw__str_from(cases[i].text), &err),
                  &err);
        if (!dw__str_equal(dw__strbuf_str(&writer.value), cases[i].value)) {
            fail_msg("%s becomes another variant", cases[i].text);
        }
    }
    const char *const refused[] = {"", "{", "1 2", "nul", "{\"a\":1,\"a\":2}", "1e999"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        assert_int_equal(dw__variant_write_json(&writer, &parser, dw__str_from(refused[i]), &err),
                         DW_INVALID_ARGUMENT);
        assert_int_equal(err.status, DW_INVALID_ARGUMENT);
    }
    dw__json_parser_deinit(&parser);
    dw__variant_writer_deinit(&writer);
}

static dw_status
write_json(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    const dw_allocator *allocator = world->env->allocator;
    dw_variant_writer writer = dw__variant_writer_make(allocator);
    dw_json_parser parser = dw__json_parser_make(allocator);
    dw_status status = dw__variant_write_json(
        &writer, &parser,
        DW_STR("{\"zz\": [1, 2.5, {\"a\": \"a text that is longer than a short text may be, which "
               "ends at 63\"}], \"a\": {}}"),
        err);
    dw_variant_writer again = dw__variant_writer_make(allocator);
    if (status == DW_OK) {
        status = dw__variant_write(&again, dw__strbuf_str(&writer.metadata),
                                   dw__strbuf_str(&writer.value), err);
    }
    dw__json_parser_deinit(&parser);
    dw__variant_writer_deinit(&again);
    dw__variant_writer_deinit(&writer);
    return status;
}

static void
test_variant__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = write_json, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_variant__is_written_with_sorted_names, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_variant__has_texts_of_64_bytes_whole, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_variant__that_is_none_is_refused, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_variant__of_too_many_levels_is_refused, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_json__becomes_the_variant_that_spark_makes_of_it,
                                        dwt_env_setup, dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_variant__survives_a_lack_of_memory, dwt_env_setup,
                                        dwt_env_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
