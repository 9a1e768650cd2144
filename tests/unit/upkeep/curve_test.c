/*
 * Curves, judged by walking all of a grid.
 */
#include "support/test.h"

#include "upkeep/curve.h"

#include <stdlib.h>

typedef struct grid {
    dw_curve curve;
    size_t dimensions;
    unsigned bits;
    uint32_t (*points)[DW_CURVE_DIMENSIONS_MAX]; /* by their places */
    size_t count;
} grid;

/* Fails when two points have one place, or one lies outside. */
static grid
walk(dw_curve curve, size_t dimensions, unsigned bits)
{
    grid g = {.curve = curve, .dimensions = dimensions, .bits = bits};
    g.count = (size_t) 1 << (dimensions * bits);
    g.points = calloc(g.count, sizeof(*g.points));
    bool *seen = calloc(g.count, sizeof(*seen));
    assert_non_null(g.points);
    assert_non_null(seen);
    for (size_t i = 0; i < g.count; i++) {
        uint32_t point[DW_CURVE_DIMENSIONS_MAX] = {0};
        for (size_t d = 0; d < dimensions; d++) {
            point[d] = (uint32_t) (i >> (d * bits)) & ((UINT32_C(1) << bits) - 1);
        }
        uint64_t place = dw__curve_place(curve, point, dimensions, bits);
        assert_true(place < g.count);
        assert_false(seen[place]);
        seen[place] = true;
        memcpy(g.points[place], point, sizeof(point));
    }
    free(seen);
    return g;
}

static uint32_t
distance(const grid *g, size_t a, size_t b)
{
    uint32_t sum = 0;
    for (size_t d = 0; d < g->dimensions; d++) {
        uint32_t x = g->points[a][d], y = g->points[b][d];
        sum += x > y ? x - y : y - x;
    }
    return sum;
}

static const struct {
    size_t dimensions;
    unsigned bits;
} shapes[] = {{1, 1}, {1, 10}, {2, 1}, {2, 5}, {2, 8}, {3, 1},
              {3, 4}, {4, 3},  {5, 3}, {7, 2}, {16, 1}};

static void
test_curve__gives_each_point_a_place_of_its_own(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        free(walk(DW_CURVE_Z, shapes[i].dimensions, shapes[i].bits).points);
        free(walk(DW_CURVE_HILBERT, shapes[i].dimensions, shapes[i].bits).points);
    }
}

static void
test_hilbert__steps_from_neighbour_to_neighbour(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        grid g = walk(DW_CURVE_HILBERT, shapes[i].dimensions, shapes[i].bits);
        for (size_t place = 1; place < g.count; place++) {
            assert_int_equal(distance(&g, place - 1, place), 1);
        }
        free(g.points);
    }
}

static void
test_z__takes_turns_with_the_bits(void **state)
{
    (void) state;
    uint32_t point[] = {0xb, 0x6};                                    /* 1011, 0110 */
    assert_int_equal(dw__curve_place(DW_CURVE_Z, point, 2, 4), 0x9e); /* 10 01 11 10 */
}

static void
test_curve__in_one_dimension_is_the_order_of_numbers(void **state)
{
    (void) state;
    for (uint32_t i = 0; i < 1024; i++) {
        assert_int_equal(dw__curve_place(DW_CURVE_Z, &i, 1, 10), i);
        assert_int_equal(dw__curve_place(DW_CURVE_HILBERT, &i, 1, 10), i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curve__gives_each_point_a_place_of_its_own),
        cmocka_unit_test(test_hilbert__steps_from_neighbour_to_neighbour),
        cmocka_unit_test(test_z__takes_turns_with_the_bits),
        cmocka_unit_test(test_curve__in_one_dimension_is_the_order_of_numbers),
    };
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
