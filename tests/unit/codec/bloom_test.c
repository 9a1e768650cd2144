/*
 * Bloom filters of split blocks, and what they hash with.
 */
#include "support/test.h"

#include "codec/bloom.h"

#include <math.h>
#include <stdlib.h>

static void
test_xxhash64__gives_the_published_hashes(void **state)
{
    (void) state;
    assert_true(dw__xxhash64(DW_STR(""), 0) == UINT64_C(0xef46db3751d8e999));
    assert_true(dw__xxhash64(DW_STR("a"), 0) == UINT64_C(0xd24ec4f1a98c6e5b));
    assert_true(dw__xxhash64(DW_STR("abc"), 0) == UINT64_C(0x44bc2cf5ad770999));
    assert_true(dw__xxhash64(DW_STR("Nobody inspects the spammish repetition"), 0) ==
                UINT64_C(0xfbcea83c8a378bf1));
    assert_true(dw__xxhash64(DW_STR("abc"), 1) != dw__xxhash64(DW_STR("abc"), 0));
}

static uint64_t
item_of(uint64_t i)
{
    return dw__item_of_i64((int64_t) i);
}

static double
rate_of(const uint8_t *filter, size_t size)
{
    size_t found = 0;
    size_t tries = 100000;
    for (uint64_t i = 0; i < tries; i++) {
        uint64_t item = item_of(UINT64_C(1000000000) + i);
        found +=
            dw__bloom_block_has(filter + dw__bloom_block(size, item) * DW_BLOOM_BLOCK_BYTES, item);
    }
    return (double) found / (double) tries;
}

static bool
has(const uint8_t *filter, size_t size, uint64_t item)
{
    return dw__bloom_block_has(filter + dw__bloom_block(size, item) * DW_BLOOM_BLOCK_BYTES, item);
}

static void
check_rate(uint64_t count, double fpp)
{
    size_t size = dw__bloom_size(count, fpp);
    uint8_t *filter = calloc(1, size);
    assert_non_null(filter);
    for (uint64_t i = 0; i < count; i++) {
        dw__bloom_insert(filter, size, item_of(i));
    }
    for (uint64_t i = 0; i < count; i++) {
        assert_true(has(filter, size, item_of(i)));
    }
    assert_true(rate_of(filter, size) <= 1.3 * fpp + 0.0005);
    assert_true(dw__bloom_fpp(filter, size) <= 1.1 * fpp + 0.0005);
    free(filter);
}

static void
test_filter__has_what_was_put_in_and_is_as_wrong_as_was_asked(void **state)
{
    (void) state;
    check_rate(1, 0.1);
    check_rate(1000, 0.1);
    check_rate(20000, 0.01);
    check_rate(50000, 0.001);
    assert_int_equal(dw__bloom_size(0, 0.1), 32);
    assert_int_equal(dw__bloom_size(UINT64_MAX / 2, 0.01), DW_BLOOM_FILTER_BYTES_MAX);
}

static void
test_folding__keeps_items_and_the_rate(void **state)
{
    (void) state;
    size_t size = dw__bloom_size(100000, 0.01);
    uint8_t *filter = calloc(1, size);
    assert_non_null(filter);
    for (uint64_t i = 0; i < 1000; i++) {
        dw__bloom_insert(filter, size, item_of(i));
    }
    size_t folded = dw__bloom_fold(filter, size, 0.01);
    assert_true(folded * 32 < size);
    assert_true(rate_of(filter, folded) <= 0.013);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(has(filter, folded, item_of(i)));
    }
    free(filter);
}

static void
test_items__are_equal_where_values_are(void **state)
{
    (void) state;
    assert_true(dw__item_of_double(0.0) == dw__item_of_double(-0.0));
    assert_true(dw__item_of_float(0.0f) == dw__item_of_float(-0.0f));
    assert_true(dw__item_of_double((double) NAN) == dw__item_of_double(-(double) NAN));
    assert_true(dw__item_of_i64(5) != dw__item_of_i32(5));
    assert_true(dw__item_of_i128(-1) != dw__item_of_i128(1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xxhash64__gives_the_published_hashes),
        cmocka_unit_test(test_filter__has_what_was_put_in_and_is_as_wrong_as_was_asked),
        cmocka_unit_test(test_folding__keeps_items_and_the_rate),
        cmocka_unit_test(test_items__are_equal_where_values_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
