/*
 * Files in bins: where the bins begin and end, and that what is added can be taken away.
 */
#include "support/test.h"

#include "protocol/file_histogram.h"

static size_t
bin_of_size(int64_t size)
{
    dw_file_histogram histogram = {0};
    dw__file_histogram_add(&histogram, size, 0);
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < DW_SIZE_BIN_COUNT; i++) {
        if (histogram.file_counts[i] == 1) {
            assert_int_equal(found, SIZE_MAX);
            assert_int_equal(histogram.size_bytes[i], size < 0 ? 0 : size);
            found = i;
        }
    }
    return found;
}

static void
test_histogram__every_bin_begins_with_its_first_size(void **state)
{
    (void) state;
    for (size_t i = 0; i < DW_SIZE_BIN_COUNT; i++) {
        assert_int_equal(bin_of_size(dw__size_bins[i]), i);
        assert_true(i == 0 || dw__size_bins[i] > dw__size_bins[i - 1]);
        if (i > 0) {
            assert_int_equal(bin_of_size(dw__size_bins[i] - 1), i - 1);
        }
    }
    assert_int_equal(bin_of_size(INT64_MAX), DW_SIZE_BIN_COUNT - 1);
    assert_int_equal(bin_of_size(-1), 0);
}

static void
test_histogram__has_the_bins_of_the_reference(void **state)
{
    (void) state;
    assert_int_equal(dw__size_bins[1], 8 << 10);
    assert_int_equal(dw__size_bins[10], 4 << 20);
    assert_int_equal(dw__size_bins[31], 128 << 20);
    assert_int_equal(dw__size_bins[DW_SIZE_BIN_COUNT - 1], INT64_C(256) << 30);
}

static void
test_histogram__counts_deleted_rows_by_powers_of_ten(void **state)
{
    (void) state;
    static const struct {
        int64_t rows;
        size_t bin;
    } cases[] = {{0, 0},         {1, 1},        {9, 1},
                 {10, 2},        {99, 2},       {100, 3},
                 {9999999, 7},   {10000000, 8}, {INT32_MAX - 1, 8},
                 {INT32_MAX, 9}, {INT64_MAX, 9}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_file_histogram histogram = {0};
        dw__file_histogram_add(&histogram, 1, cases[i].rows);
        assert_int_equal(histogram.deleted_counts[cases[i].bin], 1);
        dw__file_histogram_remove(&histogram, 1, cases[i].rows);
        assert_int_equal(histogram.deleted_counts[cases[i].bin], 0);
        assert_int_equal(histogram.file_counts[0], 0);
        assert_int_equal(histogram.size_bytes[0], 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram__every_bin_begins_with_its_first_size),
        cmocka_unit_test(test_histogram__has_the_bins_of_the_reference),
        cmocka_unit_test(test_histogram__counts_deleted_rows_by_powers_of_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
