/*
 * `_last_checkpoint`: its checksum, and that a damaged hint is none.
 */
#include "log_world.h"

#include "log/hint.h"
#include "log/hint_checksum.h"
#include "support/fault_loop.h"

/* The sample of the protocol. */
#define SAMPLE                                                                                     \
    "{\"k0\":\"'v 0'\", \"checksum\": \"adsaskfljadfkjadfkj\", \"k1\":{\"k2\": 2, \"k3\": "        \
    "[\"v3\", [1, 2], {\"k4\": \"v4\", \"k5\": [\"v5\", \"v6\", \"v7\"]}]}}"

static dw_status
checksum_of(log_world *w, const char *json, char out[DW_MD5_TEXT_SIZE])
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_status status =
        dw__json_parse(w->env.env.allocator, dw__str_from(json), "the hint", &doc, &w->err);
    assert_ok(status, &w->err);
    return dw__hint_checksum(w->env.env.allocator, dw__json_root(doc), out, &w->err);
}

static void
test_checksum__is_that_of_the_protocol(void **state)
{
    char sum[DW_MD5_TEXT_SIZE];
    dw_status status = checksum_of(*state, SAMPLE, sum);
    assert_int_equal(status, DW_OK);
    assert_string_equal(sum, "6a92d155a59bf2eecbd4b4ec7fd1f875");
}

static void
test_checksum__has_element_10_before_element_1(void **state)
{
    char sum[DW_MD5_TEXT_SIZE];
    dw_status status = checksum_of(*state, "{\"a\":[0,1,2,3,4,5,6,7,8,9,10,11]}", sum);
    assert_int_equal(status, DW_OK);
    assert_string_equal(sum, "e6e7f7501e532040b7a2abe0a2140083");
}

static void
test_checksum__does_not_depend_on_order_and_white_space(void **state)
{
    char one[DW_MD5_TEXT_SIZE], other[DW_MD5_TEXT_SIZE];
    dw_status status = checksum_of(*state, "{\"a\":1,\"b\":{\"x\":null,\"y\":[true,{}]}}", one);
    assert_int_equal(status, DW_OK);
    status = checksum_of(
        *state, " { \"b\" : {\"y\":[ true, {}], \"x\":null}, \"checksum\":\"?\", \"a\":1}", other);
    assert_int_equal(status, DW_OK);
    assert_string_equal(one, other);
    status = checksum_of(*state, "{\"a\":1,\"b\":{\"x\":null,\"y\":[false,{}]}}", other);
    assert_int_equal(status, DW_OK);
    assert_string_not_equal(one, other);
}

static void
test_checksum__of_a_key_that_is_there_twice_is_refused(void **state)
{
    log_world *w = *state;
    char sum[DW_MD5_TEXT_SIZE];
    dw_status status = checksum_of(w, "{\"a\":1,\"a\":2}", sum);
    assert_error(status, DW_CORRUPT, "HINT_INVALID", &w->err);
}

static int64_t
hint_version(log_world *w)
{
    int64_t version;
    dw_status status = dw__hint_read(w->storage, w->env.env.allocator, &version, &w->err);
    assert_ok(status, &w->err);
    return version;
}

static void
test_hint__that_was_written_reads_back_with_its_checksum(void **state)
{
    log_world *w = *state;
    const dw_hint hint = {.version = 12, .action_count = 3, .size_bytes = 456, .add_count = 1};
    dw_status status = dw__hint_write(w->storage, w->env.env.allocator, &hint, &w->err);
    assert_ok(status, &w->err);
    char *text = dwt_get(w->storage, "_delta_log/_last_checkpoint");
    assert_non_null(strstr(text, "\"checksum\":\""));
    char sum[DW_MD5_TEXT_SIZE];
    status = checksum_of(w, text, sum);
    assert_ok(status, &w->err);
    assert_non_null(strstr(text, sum));
    free(text);
    assert_int_equal(hint_version(w), 12);
}

static void
test_hint__with_another_checksum_is_none(void **state)
{
    log_world *w = *state;
    dwt_put(w->storage, "_delta_log/_last_checkpoint", DW_STR("{\"version\":3,\"size\":4}"));
    assert_int_equal(hint_version(w), 3);
    dwt_put(w->storage, "_delta_log/_last_checkpoint",
            DW_STR("{\"version\":3,\"size\":4,\"checksum\":\"6a92d155a59bf2eecbd4b4ec7fd1f875\"}"));
    assert_int_equal(hint_version(w), -1);
}

static dw_status
write_and_read(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    const dw_hint hint = {.version = 12, .action_count = 3, .size_bytes = 456, .add_count = 1};
    int64_t version;
    DW_TRY(dw__hint_write(world->storage, world->env->allocator, &hint, err));
    return dw__hint_read(world->storage, world->env->allocator, &version, err);
}

static void
test_hint__out_of_memory_is_an_error(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = write_and_read, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_checksum__is_that_of_the_protocol),
        LOG_TEST(test_checksum__has_element_10_before_element_1),
        LOG_TEST(test_checksum__does_not_depend_on_order_and_white_space),
        LOG_TEST(test_checksum__of_a_key_that_is_there_twice_is_refused),
        LOG_TEST(test_hint__that_was_written_reads_back_with_its_checksum),
        LOG_TEST(test_hint__with_another_checksum_is_none),
        cmocka_unit_test(test_hint__out_of_memory_is_an_error),
    };
#undef LOG_TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
