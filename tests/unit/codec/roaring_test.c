/*
 * Sets of rows, judged by CRoaring: what we write it reads as the same set, and the reverse.
 */
#include "support/test.h"

#include "codec/roaring.h"
#include "support/fault_loop.h"

#include <roaring.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAGIC_SIZE 4

/* A set of ours beside one of CRoaring's. */
typedef struct twins {
    dw_rowset *rows;
    roaring64_bitmap_t *judge;
} twins;

static twins
make_twins(dwt_env *world)
{
    twins t = {.judge = roaring64_bitmap_create()};
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__rowset_new(world->env.allocator, &t.rows, &err), &err);
    return t;
}

static void
free_twins(twins *t)
{
    dw__rowset_free(t->rows);
    roaring64_bitmap_free(t->judge);
}

static void
add_range(twins *t, uint64_t first, uint64_t count, uint64_t step)
{
    dw_error err = DW_ERROR_INIT;
    for (uint64_t i = 0; i < count; i++) {
        assert_ok(dw__rowset_add(t->rows, first + i * step, &err), &err);
        roaring64_bitmap_add(t->judge, first + i * step);
    }
}

static void
check_same(const dw_rowset *rows, const roaring64_bitmap_t *judge)
{
    assert_int_equal(dw__rowset_cardinality(rows), roaring64_bitmap_get_cardinality(judge));
    roaring64_iterator_t *it = roaring64_iterator_create(judge);
    uint64_t next = 0;
    uint64_t row;
    for (; roaring64_iterator_has_value(it); roaring64_iterator_advance(it)) {
        assert_true(dw__rowset_next(rows, next, &row));
        assert_int_equal(row, roaring64_iterator_value(it));
        next = row + 1;
    }
    assert_false(dw__rowset_next(rows, next, &row));
    roaring64_iterator_free(it);
}

/* Serializes ours for CRoaring to read, and CRoaring's for us. */
static void
check_formats(dwt_env *world, twins *t)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    dw_error err = DW_ERROR_INIT;
    dw_str payload;
    assert_ok(dw__rowset_serialize(t->rows, &arena, &payload, &err), &err);
    roaring64_bitmap_t *read = roaring64_bitmap_portable_deserialize_safe(payload.ptr + MAGIC_SIZE,
                                                                          payload.len - MAGIC_SIZE);
    assert_non_null(read);
    const char *reason = NULL;
    assert_true(roaring64_bitmap_internal_validate(read, &reason));
    assert_true(roaring64_bitmap_equals(read, t->judge));
    roaring64_bitmap_free(read);

    for (int optimized = 0; optimized < 2; optimized++) {
        size_t size = roaring64_bitmap_portable_size_in_bytes(t->judge);
        char *bytes = dw__arena_alloc_bytes(&arena, MAGIC_SIZE + size);
        assert_non_null(bytes);
        memcpy(bytes, payload.ptr, MAGIC_SIZE);
        roaring64_bitmap_portable_serialize(t->judge, bytes + MAGIC_SIZE);
        DW_AUTO(dw_rowset_ptr) back = NULL;
        assert_ok(dw__rowset_parse(world->env.allocator, dw__str_make(bytes, MAGIC_SIZE + size),
                                   &back, &err),
                  &err);
        check_same(back, t->judge);
        if (optimized == 1) {
            /* Both choose the smallest form. */
            assert_int_equal(MAGIC_SIZE + size, payload.len);
        }
        roaring64_bitmap_run_optimize(t->judge);
    }
}

static void
test_rowset__agrees_with_the_judge_on_shapes_of_all_kinds(void **state)
{
    dwt_env *world = *state;
    const struct {
        uint64_t first, count, step;
    } shapes[][3] = {
        {{0, 0, 1}},
        {{5, 1, 1}},
        {{3, 6, 4}, {70000, 2, 1}},
        {{0, 4096, 2}, {65536, 4097, 2}},
        {{0, 65536, 1}},
        {{65535, 2, 1}, {1 << 20, 65536, 1}},
        {{0, 200000, 1}, {UINT64_C(1) << 32, 10, 7}, {UINT64_C(1) << 62, 3, 65536}},
        {{INT64_MAX, 1, 1}},
        {{60000, 20000, 3}, {0, 10, 1}, {30000, 5000, 1}},
    };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        twins t = make_twins(world);
        for (size_t part = 0; part < 3; part++) {
            add_range(&t, shapes[i][part].first, shapes[i][part].count, shapes[i][part].step);
        }
        check_same(t.rows, t.judge);
        check_formats(world, &t);
        free_twins(&t);
    }
}

static void
test_rowset__agrees_with_the_judge_on_random_sets(void **state)
{
    dwt_env *world = *state;
    uint64_t random = 29;
    print_message("seed 29\n");
    for (size_t round = 0; round < 60; round++) {
        twins t = make_twins(world);
        for (size_t part = dwt_random_below(&random, 6); part > 0; part--) {
            uint64_t first = dwt_random_next(&random) >> (1 + dwt_random_below(&random, 62));
            uint64_t step = 1 + dwt_random_below(&random, round % 3 == 0 ? 1 : 50);
            first = first > UINT64_C(1) << 62 ? first >> 1 : first;
            add_range(&t, first, dwt_random_below(&random, 9000), step);
        }
        for (size_t i = 0; i < 200; i++) {
            uint64_t row = dwt_random_below(&random, 300000);
            assert_int_equal(dw__rowset_contains(t.rows, row),
                             roaring64_bitmap_contains(t.judge, row));
        }
        check_same(t.rows, t.judge);
        check_formats(world, &t);
        free_twins(&t);
    }
}

static void
test_add__goes_on_after_parsing(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    twins t = make_twins(world);
    add_range(&t, 10, 1000, 1);
    dw_error err = DW_ERROR_INIT;
    dw_str payload;
    assert_ok(dw__rowset_serialize(t.rows, &arena, &payload, &err), &err);
    dw__rowset_free(t.rows);
    assert_ok(dw__rowset_parse(world->env.allocator, payload, &t.rows, &err), &err);
    add_range(&t, 5, 2, 2);
    add_range(&t, 500, 3, 1);
    add_range(&t, 2000, 1, 1);
    check_same(t.rows, t.judge);
    check_formats(world, &t);
    free_twins(&t);
    assert_ok(dw__rowset_new(world->env.allocator, &t.rows, &err), &err);
    assert_error(dw__rowset_add(t.rows, UINT64_C(1) << 63, &err), DW_INVALID_ARGUMENT,
                 "ROW_OUT_OF_RANGE", &err);
    dw__rowset_free(t.rows);
}

static void
test_mask__marks_the_rows_of_the_set(void **state)
{
    dwt_env *world = *state;
    enum { CHUNK = 2048 };
    uint64_t random = 30;
    print_message("seed 30\n");
    for (size_t round = 0; round < 300; round++) {
        twins t = make_twins(world);
        uint64_t start = dwt_random_below(&random, 200000);
        add_range(&t, start, dwt_random_below(&random, 3000), 1 + dwt_random_below(&random, 40));
        int64_t positions[CHUNK];
        bool keep[CHUNK];
        size_t count = dwt_random_below(&random, CHUNK + 1);
        int64_t position = (int64_t) (start > 500 ? start - 500 : 0);
        for (size_t i = 0; i < count; i++) {
            positions[i] = position;
            keep[i] = true;
            /* Without gaps, with gaps, and in no order. */
            position += round % 3 == 0 ? 1 : (int64_t) dwt_random_below(&random, 40);
            position = round % 3 == 2 && i % 50 == 7 ? -3 : position;
        }
        size_t hits = dw__rowset_mask(t.rows, positions, count, keep);
        size_t expected = 0;
        for (size_t i = 0; i < count; i++) {
            bool deleted =
                positions[i] >= 0 && roaring64_bitmap_contains(t.judge, (uint64_t) positions[i]);
            assert_int_equal(keep[i], !deleted);
            expected += deleted ? 1 : 0;
        }
        assert_int_equal(hits, expected);
        free_twins(&t);
    }
}

/* ---- Damage ---------------------------------------------------------------------------------- */

#define PORTABLE "\xd1\xd3\x39\x64"
#define NATIVE "\xd0\xd3\x39\x64"
#define ONE_BUCKET "\x01\0\0\0\0\0\0\0"
#define KEY "\0\0\0\0"
#define PLAIN "\x3a\x30\0\0"
#define RUNS(count_less_one) "\x3b\x30" count_less_one "\0"

static void
test_parse__refuses_what_is_damaged(void **state)
{
    dwt_env *world = *state;
    const dw_str cases[] = {
        DW_STR(""),
        DW_STR("\xd1\xd3"),
        DW_STR("\xd2\xd3\x39\x64" ONE_BUCKET),
        DW_STR(PORTABLE),
        DW_STR(PORTABLE "\xff\xff\xff\xff\xff\xff\xff\xff"),
        DW_STR(PORTABLE ONE_BUCKET KEY),
        DW_STR(PORTABLE ONE_BUCKET KEY "\x39\x30\0\0"),
        /* the first bit of a key */
        DW_STR(PORTABLE ONE_BUCKET "\0\0\0\x80" PLAIN "\0\0\0\0"),
        /* 65,537 containers */
        DW_STR(PORTABLE ONE_BUCKET KEY PLAIN "\x01\0\x01\0"),
        /* an array that does not ascend, and one that ends early */
        DW_STR(PORTABLE ONE_BUCKET KEY PLAIN "\x01\0\0\0\0\0\x01\0\x10\0\0\0\x05\0\x05\0"),
        DW_STR(PORTABLE ONE_BUCKET KEY PLAIN "\x01\0\0\0\0\0\x01\0\x10\0\0\0\x05\0\x06"),
        /* containers that do not ascend */
        DW_STR(PORTABLE ONE_BUCKET KEY PLAIN
               "\x02\0\0\0\x01\0\0\0\x01\0\0\0\x18\0\0\0\x1a\0\0\0\x05\0\x06\0"),
        /* runs: none, overlapping, touching, too long, of another cardinality */
        DW_STR(PORTABLE ONE_BUCKET KEY RUNS("\0") "\x01\0\0\0\0\0\0"),
        DW_STR(PORTABLE ONE_BUCKET KEY RUNS("\0") "\x01\0\0\x05\0\x02\0\0\0\x03\0\x02\0\x01\0"),
        DW_STR(PORTABLE ONE_BUCKET KEY RUNS("\0") "\x01\0\0\x05\0\x02\0\0\0\x03\0\x04\0\x01\0"),
        DW_STR(PORTABLE ONE_BUCKET KEY RUNS("\0") "\x01\0\0\x05\0\x01\0\xff\xff\x05\0"),
        DW_STR(PORTABLE ONE_BUCKET KEY RUNS("\0") "\x01\0\0\x05\0\x01\0\0\0\x04\0"),
        DW_STR(NATIVE),
        DW_STR(NATIVE "\x01\0\0\0\xff\0\0\0" PLAIN),
        DW_STR(NATIVE "\x01\0\0\0\0\0\0\0"),
        DW_STR(NATIVE "\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dw_rowset *rows = NULL;
        dw_error err = DW_ERROR_INIT;
        assert_error(dw__rowset_parse(world->env.allocator, cases[i], &rows, &err), DW_CORRUPT,
                     "DV_INVALID", &err);
        assert_null(rows);
    }
    /* What the judge refuses we refuse as well, for every byte of a payload that is damaged. */
    twins t = make_twins(world);
    add_range(&t, 3, 20, 7);
    add_range(&t, 100000, 300, 1);
    add_range(&t, UINT64_C(1) << 33, 2, 1);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    dw_error err = DW_ERROR_INIT;
    dw_str payload;
    assert_ok(dw__rowset_serialize(t.rows, &arena, &payload, &err), &err);
    char *bytes = dw__arena_dup_cstr(&arena, payload);
    assert_non_null(bytes);
    for (size_t at = MAGIC_SIZE; at < payload.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] = (char) (payload.ptr[at] ^ (1 << bit));
            roaring64_bitmap_t *judge = roaring64_bitmap_portable_deserialize_safe(
                bytes + MAGIC_SIZE, payload.len - MAGIC_SIZE);
            const char *reason = NULL;
            bool valid = judge != NULL && roaring64_bitmap_internal_validate(judge, &reason);
            DW_AUTO(dw_rowset_ptr) rows = NULL;
            dw_status status = dw__rowset_parse(world->env.allocator,
                                                dw__str_make(bytes, payload.len), &rows, &err);
            if (status == DW_OK) {
                assert_true(valid);
                check_same(rows, judge);
            }
            if (judge != NULL) {
                roaring64_bitmap_free(judge);
            }
        }
        bytes[at] = payload.ptr[at];
    }
    free_twins(&t);
}

static void
test_unite__has_the_rows_of_both(void **state)
{
    dwt_env *world = *state;
    uint64_t random = 5;
    twins a = make_twins(world);
    twins b = make_twins(world);
    twins both = make_twins(world);
    dw_error err = DW_ERROR_INIT;
    for (int i = 0; i < 20000; i++) {
        twins *one = i % 3 == 0 ? &a : &b;
        uint64_t row = dwt_random_below(&random, 200000) + (i % 5 == 0 ? UINT64_C(1) << 33 : 0);
        assert_ok(dw__rowset_add(one->rows, row, &err), &err);
        roaring64_bitmap_add(both.judge, row);
    }
    assert_ok(dw__rowset_unite(both.rows, a.rows, b.rows, &err), &err);
    check_same(both.rows, both.judge);
    DW_AUTO(dw_rowset_ptr) alone = NULL;
    assert_ok(dw__rowset_new(world->env.allocator, &alone, &err), &err);
    assert_ok(dw__rowset_unite(alone, NULL, a.rows, &err), &err);
    assert_int_equal(dw__rowset_cardinality(alone), dw__rowset_cardinality(a.rows));
    free_twins(&a);
    free_twins(&b);
    free_twins(&both);
}

static void
test_parse__reads_the_older_format(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_str payload = DW_STR(NATIVE "\x02\0\0\0"
                                   "\x14\0\0\0" PLAIN "\x01\0\0\0\0\0\x01\0\x10\0\0\0\x05\0\x06\0"
                                   "\x12\0\0\0" PLAIN "\x01\0\0\0\x01\0\0\0\x10\0\0\0\x07\0");
    assert_ok(dw__rowset_parse(world->env.allocator, payload, &rows, &err), &err);
    assert_int_equal(dw__rowset_cardinality(rows), 3);
    assert_true(dw__rowset_contains(rows, 5) && dw__rowset_contains(rows, 6));
    assert_true(dw__rowset_contains(rows, (UINT64_C(1) << 32) + 65536 + 7));
}

static dw_status
build_and_copy(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    DW_AUTO(dw_rowset_ptr) back = NULL;
    DW_TRY(dw__rowset_new(world->env->allocator, &rows, err));
    for (uint64_t i = 0; i < 9000; i++) {
        DW_TRY(dw__rowset_add(rows, i * 17, err));
        DW_TRY(dw__rowset_add(rows, 1000000 + i, err));
    }
    dw_str payload;
    DW_TRY(dw__rowset_serialize(rows, &arena, &payload, err));
    DW_TRY(dw__rowset_parse(world->env->allocator, payload, &back, err));
    assert_int_equal(dw__rowset_cardinality(back), 18000);
    return DW_OK;
}

static void
test_rowset__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = build_and_copy, .faults = DWT_FAULTS_ALLOC});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_env_setup, dwt_env_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rowset__agrees_with_the_judge_on_shapes_of_all_kinds),
        TEST(test_rowset__agrees_with_the_judge_on_random_sets),
        TEST(test_add__goes_on_after_parsing),
        TEST(test_mask__marks_the_rows_of_the_set),
        TEST(test_parse__refuses_what_is_damaged),
        TEST(test_unite__has_the_rows_of_both),
        TEST(test_parse__reads_the_older_format),
        TEST(test_rowset__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
