/*
 * Tiles of rows whose columns are random, skewed, the same, NULL or texts.
 */
#include "support/test.h"

#include "support/fault_loop.h"
#include "upkeep/ranks.h"
#include "upkeep/tiles.h"

#include <stdlib.h>

enum { ROWS = 20000, KEY_SIZE = 10 };

/* Rows of numbers, of which -1 stands for NULL. */
typedef struct table {
    dwt_env world;
    dw_arena arena;
    size_t dimensions;
    int64_t (*values)[DW_CURVE_DIMENSIONS_MAX];
    dw_str *keys;                             /* row by row */
    dw_str *columns[DW_CURVE_DIMENSIONS_MAX]; /* the same */
    uint32_t numbers[ROWS];
    dw_tiles *tiles;
} table;

static dw_str
key_of(dw_arena *arena, int64_t value)
{
    char *key = dw__arena_alloc_bytes(arena, KEY_SIZE);
    key[0] = 1;
    if (value < 0) {
        return dw__str_make(key, 1);
    }
    key[0] = 2;
    for (size_t i = 0; i < 8; i++) {
        key[1 + i] = (char) ((uint64_t) value >> (56 - 8 * i) & 0xff);
    }
    return dw__str_make(key, 9);
}

static table *
open_table(size_t dimensions)
{
    table *t = calloc(1, sizeof(*t));
    dwt_env_init(&t->world, 11);
    dw__arena_init(&t->arena, t->world.env.allocator);
    t->dimensions = dimensions;
    t->values = calloc(ROWS, sizeof(*t->values));
    t->keys = calloc(ROWS * dimensions, sizeof(*t->keys));
    for (size_t d = 0; d < dimensions; d++) {
        t->columns[d] = calloc(ROWS, sizeof(*t->columns[d]));
    }
    return t;
}

static void
close_table(table *t)
{
    for (size_t d = 0; d < t->dimensions; d++) {
        free(t->columns[d]);
    }
    free(t->keys);
    free(t->values);
    dw__arena_deinit(&t->arena);
    dwt_env_deinit(&t->world);
    free(t);
}

static int64_t
chance(table *t, int64_t below)
{
    return (int64_t) (dw__env_random_u64(&t->world.env) % (uint64_t) below);
}

/* Tiles from every fourth row, and the numbers of all. */
static void
tile(table *t, size_t tile_count, dw_curve curve)
{
    dw_str *sample = calloc(ROWS / 4 * t->dimensions, sizeof(*sample));
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t d = 0; d < t->dimensions; d++) {
            t->columns[d][row] = key_of(&t->arena, t->values[row][d]);
            if (row % 4 == 0) {
                sample[row / 4 * t->dimensions + d] = t->columns[d][row];
            }
        }
    }
    dw_tile_sample rows = {sample, ROWS / 4, t->dimensions};
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__tiles_make(&rows, tile_count, curve, &t->arena, &t->tiles, &err), &err);
    dw__tiles_number(t->tiles, (const dw_str *const *) t->columns, ROWS, t->numbers);
    free(sample);
}

static size_t
tile_of(const table *t, size_t row)
{
    return t->numbers[row] >> DW_TILE_PLACE_BITS;
}

/* The tiles that have a value of the column from `first` to before `end`, by their bounds. */
static size_t
tiles_met(const table *t, size_t dimension, int64_t first, int64_t end)
{
    size_t count = dw__tiles_count(t->tiles), met = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t min = INT64_MAX, max = -1;
        for (size_t row = 0; row < ROWS; row++) {
            int64_t value = t->values[row][dimension];
            if (tile_of(t, row) == i && value >= 0) {
                min = value < min ? value : min;
                max = value > max ? value : max;
            }
        }
        met += min < end && max >= first;
    }
    return met;
}

static size_t
largest_tile(const table *t)
{
    size_t *sizes = calloc(DW_TILES_MAX, sizeof(*sizes)), largest = 0;
    for (size_t row = 0; row < ROWS; row++) {
        size_t size = ++sizes[tile_of(t, row)];
        largest = size > largest ? size : largest;
    }
    free(sizes);
    return largest;
}

static void
test_tiles__are_of_one_size_and_a_range_meets_few(void **state)
{
    (void) state;
    table *t = open_table(2);
    for (size_t row = 0; row < ROWS; row++) {
        t->values[row][0] = chance(t, 1000000);
        t->values[row][1] = chance(t, 2526);
    }
    tile(t, 10, DW_CURVE_HILBERT);
    assert_int_equal(dw__tiles_count(t->tiles), 10);
    assert_in_range(largest_tile(t), ROWS / 10, ROWS / 10 * 12 / 10);
    assert_in_range(tiles_met(t, 0, 500000, 505000), 1, 4);
    assert_in_range(tiles_met(t, 1, 1100, 1112), 1, 4);
    close_table(t);
}

static void
test_tiles__are_of_one_size_where_columns_depend_on_one_another(void **state)
{
    (void) state;
    table *t = open_table(2);
    for (size_t row = 0; row < ROWS; row++) {
        t->values[row][0] = chance(t, 1000000);
        t->values[row][1] = t->values[row][0] / 100 + chance(t, 90);
    }
    tile(t, 16, DW_CURVE_Z);
    assert_in_range(largest_tile(t), ROWS / 16, ROWS / 16 * 13 / 10);
    assert_in_range(tiles_met(t, 1, 5000, 5025), 1, 5);
    close_table(t);
}

static void
test_tiles__keep_what_is_equal_together(void **state)
{
    (void) state;
    table *t = open_table(2);
    for (size_t row = 0; row < ROWS; row++) {
        t->values[row][0] = chance(t, 10) < 8 ? 7 : chance(t, 20);
        t->values[row][1] = chance(t, 10) < 3 ? -1 : chance(t, 500);
    }
    tile(t, 12, DW_CURVE_HILBERT);
    assert_in_range(dw__tiles_count(t->tiles), 9, 14);
    assert_in_range(tiles_met(t, 0, 19, 20), 1, 2);
    close_table(t);
}

static void
test_tiles__of_rows_that_are_the_same_are_one(void **state)
{
    (void) state;
    table *t = open_table(3);
    tile(t, 10, DW_CURVE_HILBERT);
    assert_int_equal(dw__tiles_count(t->tiles), 1);
    close_table(t);
}

static void
test_tiles__of_no_rows_are_one(void **state)
{
    (void) state;
    table *t = open_table(2);
    dw_tile_sample none = {NULL, 0, 2};
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__tiles_make(&none, 5, DW_CURVE_Z, &t->arena, &t->tiles, &err), &err);
    for (size_t d = 0; d < 2; d++) {
        t->columns[d][0] = key_of(&t->arena, 5);
    }
    dw__tiles_number(t->tiles, (const dw_str *const *) t->columns, 1, t->numbers);
    assert_int_equal(tile_of(t, 0), 0);
    close_table(t);
}

static void
test_tiles__of_one_column_are_its_ranges_in_order(void **state)
{
    (void) state;
    table *t = open_table(1);
    for (size_t row = 0; row < ROWS; row++) {
        int64_t x = chance(t, 1000);
        t->values[row][0] = x * x * x; /* skewed */
    }
    tile(t, 150, DW_CURVE_HILBERT);
    assert_in_range(dw__tiles_count(t->tiles), 140, 160);
    for (size_t row = 1; row < ROWS; row++) {
        bool is_above = t->values[row][0] > t->values[row - 1][0];
        bool is_below = t->values[row][0] < t->values[row - 1][0];
        assert_false(is_above && t->numbers[row] < t->numbers[row - 1]);
        assert_false(is_below && t->numbers[row] > t->numbers[row - 1]);
    }
    close_table(t);
}

/* Close together, far apart, and both. */
static void
test_ranks__of_numbers_of_any_spread(void **state)
{
    (void) state;
    enum { COUNT = 500 };
    for (unsigned spread = 0; spread < 63; spread += 3) {
        table *t = open_table(1);
        dw_str keys[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t value = dw__env_random_u64(&t->world.env) & ((UINT64_C(2) << spread) - 1);
            keys[i] = key_of(&t->arena, (int64_t) (i % 5 == 0 ? value : value >> spread / 2));
        }
        dw_ranks ranks;
        dw_error err = DW_ERROR_INIT;
        /* Half of the keys make the bounds, so that others lie between, below and above. */
        assert_ok(dw__ranks_make(keys, COUNT / 2, 2, COUNT / 5, &t->arena, &ranks, &err), &err);
        for (size_t i = 0; i < COUNT; i++) {
            size_t expected = 0;
            for (size_t k = 0; k < ranks.bound_count; k++) {
                expected += dw__str_compare(ranks.bounds[k], keys[i]) <= 0;
            }
            assert_int_equal(dw__ranks_find(&ranks, keys[i]), expected);
        }
        close_table(t);
    }
}

static void
test_ranks__count_the_bounds_that_are_not_above(void **state)
{
    (void) state;
    table *t = open_table(1);
    enum { COUNT = 600 };
    dw_str keys[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        /* Much in common, differences near the end, prefixes of one another. */
        keys[i] = dw__arena_printf(&t->arena, "\2https://example.com/%s%.*s",
                                   chance(t, 2) == 0 ? "a" : "bbbbbbbbbbbb", (int) chance(t, 9),
                                   &"zyxwvutsr"[chance(t, 4)]);
    }
    dw_ranks ranks;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__ranks_make(keys, COUNT, 1, COUNT, &t->arena, &ranks, &err), &err);
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t expected = 0;
        for (size_t k = 0; k < ranks.bound_count; k++) {
            expected += dw__str_compare(ranks.bounds[k], keys[i]) <= 0;
        }
        assert_int_equal(dw__ranks_find(&ranks, keys[i]), expected);
    }
    assert_int_equal(dw__ranks_find(&ranks, DW_STR("\1")), 0);
    assert_int_equal(dw__ranks_find(&ranks, DW_STR("\2https")), 0);
    assert_int_equal(dw__ranks_find(&ranks, DW_STR("\2zoo")), ranks.bound_count);
    close_table(t);
}

static dw_status
make_tiles(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    static const char keys[][3] = {"\2a", "\2b", "\2c", "\2d", "\2e", "\2f", "\2g", "\2h"};
    dw_str sample[16];
    for (size_t i = 0; i < 16; i++) {
        sample[i] = dw__str_from(keys[i % 2 == 0 ? i / 2 : 7 - i / 2]);
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_tile_sample rows = {sample, 8, 2};
    dw_tiles *tiles;
    return dw__tiles_make(&rows, 4, DW_CURVE_Z, &arena, &tiles, err);
}

static void
test_tiles__live_with_little_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = make_tiles, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles__are_of_one_size_and_a_range_meets_few),
        cmocka_unit_test(test_tiles__are_of_one_size_where_columns_depend_on_one_another),
        cmocka_unit_test(test_tiles__keep_what_is_equal_together),
        cmocka_unit_test(test_tiles__of_rows_that_are_the_same_are_one),
        cmocka_unit_test(test_tiles__of_no_rows_are_one),
        cmocka_unit_test(test_tiles__of_one_column_are_its_ranges_in_order),
        cmocka_unit_test(test_ranks__count_the_bounds_that_are_not_above),
        cmocka_unit_test(test_ranks__of_numbers_of_any_spread),
        cmocka_unit_test(test_tiles__live_with_little_memory),
    };
    return cmocka_run_group_tests_name("tiles", tests, NULL, NULL);
}
