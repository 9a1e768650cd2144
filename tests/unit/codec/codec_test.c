/*
 * z85, CRC-32 and UUIDs: published vectors, round trips, damaged input.
 */
#include "support/test.h"

#include "codec/codec.h"
#include "support/fault_loop.h"
#include "support/test_env.h"

static void
test_z85__agrees_with_the_specification(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    dw_error err = DW_ERROR_INIT;
    dw_str text;
    assert_ok(dw__z85_encode(&arena, DW_STR("\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b"), &text, &err),
              &err);
    assert_str(text, "HelloWorld");
    dw_str bytes;
    assert_ok(dw__z85_decode(&arena, text, &bytes, &err), &err);
    assert_true(dw__str_equal(bytes, DW_STR("\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b")));
}

static void
test_z85__returns_what_was_encoded(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    dw_error err = DW_ERROR_INIT;
    uint64_t random = 11;
    print_message("seed 11\n");
    for (size_t round = 0; round < 200; round++) {
        char bytes[64];
        size_t len = (size_t) dwt_random_below(&random, 17) * 4;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char) dwt_random_next(&random);
        }
        dw_str text;
        dw_str back;
        assert_ok(dw__z85_encode(&arena, dw__str_make(bytes, len), &text, &err), &err);
        assert_int_equal(text.len, len / 4 * 5);
        assert_ok(dw__z85_decode(&arena, text, &back, &err), &err);
        assert_true(dw__str_equal(back, dw__str_make(bytes, len)));
    }
}

static void
test_z85__refuses_what_is_none(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    /* The last: five characters hold up to 85^5 - 1, more than 32 bits. */
    const dw_str cases[] = {DW_STR("Hell"), DW_STR("Hello~orld"), DW_STR("Hel\0o"),
                            DW_STR("#####")};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str bytes;
        assert_error(dw__z85_decode(&arena, cases[i], &bytes, &err), DW_CORRUPT, "Z85_INVALID",
                     &err);
        assert_true(dw__str_is_null(bytes));
    }
}

/* The definition, bit by bit. */
static uint32_t
crc32_by_definition(dw_str bytes)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char) bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    return ~crc;
}

static void
test_md5__is_that_of_its_standard(void **state)
{
    (void) state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "0",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char digest[DW_MD5_TEXT_SIZE];
        dw__md5(dw__str_from(cases[i].text), digest);
        assert_string_equal(digest, cases[i].digest);
    }
}

static void
test_crc32__is_that_of_zlib(void **state)
{
    (void) state;
    assert_int_equal(dw__crc32(DW_STR("")), 0);
    assert_int_equal(dw__crc32(DW_STR("123456789")), 0xcbf43926u);
    static char bytes[70000];
    uint64_t random = 5;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char) dwt_random_next(&random);
    }
    for (size_t len = sizeof(bytes); len > 0; len /= 3) {
        dw_str part = dw__str_make(bytes, len);
        assert_int_equal(dw__crc32(part), crc32_by_definition(part));
    }
}

static void
test_uuid__is_of_version_4_and_new_each_time(void **state)
{
    dwt_env *world = *state;
    char first[DW_UUID_TEXT_SIZE];
    char second[DW_UUID_TEXT_SIZE];
    dw__uuid_make(&world->env, first);
    dw__uuid_make(&world->env, second);
    assert_int_equal(strlen(first), 36);
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
    assert_string_not_equal(first, second);
}

static void
test_uuid__is_printed_in_network_order(void **state)
{
    (void) state;
    const uint8_t bytes[16] = {0xd2, 0xc6, 0x39, 0xaa, 0x88, 0x16, 0x43, 0x1a,
                               0xaa, 0xf6, 0xd3, 0xfe, 0x25, 0x12, 0xff, 0x61};
    char text[DW_UUID_TEXT_SIZE];
    dw__uuid_format(bytes, text);
    assert_string_equal(text, "d2c639aa-8816-431a-aaf6-d3fe2512ff61");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_z85__agrees_with_the_specification, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_z85__returns_what_was_encoded, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test_setup_teardown(test_z85__refuses_what_is_none, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test(test_md5__is_that_of_its_standard),
        cmocka_unit_test(test_crc32__is_that_of_zlib),
        cmocka_unit_test_setup_teardown(test_uuid__is_of_version_4_and_new_each_time, dwt_env_setup,
                                        dwt_env_teardown),
        cmocka_unit_test(test_uuid__is_printed_in_network_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
