/*
 * Allocators, arenas, vectors and maps: addresses that stay, sizes that do not overflow, memory
 * that runs out.
 */
#include "support/test.h"

#include "base/arena.h"
#include "base/checked.h"
#include "base/map.h"
#include "base/vec.h"
#include "support/fault_loop.h"

#include <stdalign.h>
#include <stdlib.h>

typedef struct int_vec {
    int64_t *items;
    size_t count;
    size_t capacity;
} int_vec;

/* ---- allocator ------------------------------------------------------------------------------- */

static void
test_allocator__gives_and_takes_back(void **state)
{
    (void) state;
    const dw_allocator *libc = dw__allocator_libc();
    char *bytes = dw__alloc(libc, 10);
    assert_non_null(bytes);
    memset(bytes, 'x', 10);
    bytes = libc->resize(libc->ctx, bytes, 10, 100);
    assert_non_null(bytes);
    assert_memory_equal(bytes, "xxxxxxxxxx", 10);
    dw__dealloc(libc, bytes, 100);
    dw__dealloc(libc, NULL, 5);

    int64_t *number = DW_NEW(libc, int64_t);
    assert_non_null(number);
    assert_int_equal(*number, 0);
    DW_DELETE(libc, number);
    void *empty = dw__alloc(libc, 0);
    assert_non_null(empty);
    dw__dealloc(libc, empty, 0);
}

static void
test_fault_allocator__counts_and_fails(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    const dw_allocator *allocator = &memory.allocator;
    void *a = dw__alloc(allocator, 100);
    void *b = dw__alloc(allocator, 0);
    assert_int_equal(dwt_fault_allocator_live_bytes(&memory), 101);
    dwt_fault_allocator_fail_at(&memory, 2, false);
    void *c = dw__alloc(allocator, 1);
    assert_non_null(c);
    assert_false(dwt_fault_allocator_has_failed(&memory));
    assert_null(dw__alloc(allocator, 1));
    assert_true(dwt_fault_allocator_has_failed(&memory));
    void *d = dw__alloc(allocator, 1);
    assert_non_null(d);
    dwt_fault_allocator_fail_at(&memory, 1, true);
    assert_null(dw__alloc(allocator, 1));
    assert_null(dw__alloc(allocator, 1));
    /* A block that cannot grow stays as it was. */
    assert_null(allocator->resize(allocator->ctx, a, 100, 200));
    dw__dealloc(allocator, a, 100);
    dw__dealloc(allocator, b, 0);
    dw__dealloc(allocator, c, 1);
    dw__dealloc(allocator, d, 1);
    dwt_fault_allocator_deinit(&memory);
}

typedef struct loop_count {
    int rounds;
    int failed;
} loop_count;

static dw_status
allocate_three_times(dwt_world *world, void *ctx, dw_error *err)
{
    loop_count *count = ctx;
    count->rounds++;
    for (int i = 0; i < 3; i++) {
        void *block = dw__alloc(world->env->allocator, 10);
        if (block == NULL) {
            count->failed++;
            return dw__error_oom(err);
        }
        dw__dealloc(world->env->allocator, block, 10);
    }
    return DW_OK;
}

static dw_status
write_twice(dwt_world *world, void *ctx, dw_error *err)
{
    loop_count *count = ctx;
    count->rounds++;
    dw_status status = dw__storage_put(world->storage, DW_STR("a"), DW_STR("x"), err);
    if (status == DW_OK) {
        status = dw__storage_put(world->storage, DW_STR("b"), DW_STR("y"), err);
    }
    count->failed += status != DW_OK;
    return status;
}

static void
test_fault_loop__fails_each_call_once_and_then_lets_through(void **state)
{
    (void) state;
    loop_count count = {0};
    dwt_fault_loop(&(dwt_fault_case){
        .operation = allocate_three_times, .ctx = &count, .faults = DWT_FAULTS_ALLOC_ONCE});
    assert_int_equal(count.rounds, 4);
    assert_int_equal(count.failed, 3);
    count = (loop_count){0};
    dwt_fault_loop(&(dwt_fault_case){
        .operation = write_twice, .ctx = &count, .faults = DWT_FAULTS_STORAGE_LOST});
    assert_int_equal(count.rounds, 3);
    assert_int_equal(count.failed, 2);
    /* Before each call, and after each call. */
    count = (loop_count){0};
    dwt_fault_loop(&(dwt_fault_case){
        .operation = write_twice, .ctx = &count, .faults = DWT_FAULTS_STORAGE_CRASH});
    assert_int_equal(count.rounds, 6);
    assert_int_equal(count.failed, 4);
}

/* ---- checked arithmetic ---------------------------------------------------------------------- */

static void
test_checked__notices_every_overflow(void **state)
{
    (void) state;
    size_t size;
    assert_true(dw__checked_add(1, 2, &size) && size == 3);
    assert_false(dw__checked_add(SIZE_MAX, 1, &size));
    assert_true(dw__checked_mul(SIZE_MAX / 2, 2, &size));
    assert_false(dw__checked_mul(SIZE_MAX / 2 + 1, 2, &size));
    int64_t number;
    assert_true(dw__checked_add_i64(INT64_MAX, -1, &number) && number == INT64_MAX - 1);
    assert_false(dw__checked_add_i64(INT64_MAX, 1, &number));
    assert_false(dw__checked_sub_i64(INT64_MIN, 1, &number));
    assert_true(dw__checked_sub_i64(-1, INT64_MAX, &number) && number == INT64_MIN);
    assert_false(dw__checked_mul_i64(INT64_MIN, -1, &number));
}

/* ---- arena ----------------------------------------------------------------------------------- */

static void
test_arena__keeps_what_it_gave_where_it_is(void **state)
{
    (void) state;
    enum { COUNT = 3000 };
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    static unsigned char *blocks[COUNT];
    uint64_t random = 1;
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = 1 + dwt_random_below(&random, 200);
        bool is_aligned = dwt_random_below(&random, 2) == 0;
        blocks[i] = is_aligned ? dw__arena_alloc(&arena, size)
                               : (unsigned char *) dw__arena_alloc_bytes(&arena, size);
        assert_non_null(blocks[i]);
        assert_true(!is_aligned || (uintptr_t) blocks[i] % alignof(max_align_t) == 0);
        memset(blocks[i], (int) (i % 251), size);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(blocks[i][0], i % 251);
    }
}

static void
test_arena__takes_blocks_larger_than_a_chunk(void **state)
{
    (void) state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    char *small = dw__arena_alloc(&arena, 10);
    memset(small, 's', 10);
    char *large = dw__arena_alloc(&arena, (size_t) 5 << 20);
    assert_non_null(large);
    memset(large, 'l', (size_t) 5 << 20);
    assert_memory_equal(small, "ssssssssss", 10);
    assert_null(dw__arena_alloc(&arena, SIZE_MAX));
    assert_null(DW_ARENA_ARRAY(&arena, int64_t, SIZE_MAX / 4));
}

static void
test_arena__zeroes_only_where_told(void **state)
{
    (void) state;
    dwt_fault_allocator memory; /* it fills fresh memory with rubbish */
    dwt_fault_allocator_init(&memory);
    dw_arena arena;
    dw__arena_init(&arena, &memory.allocator);
    for (int round = 0; round < 3; round++) {
        int64_t *zeroed = DW_ARENA_ARRAY(&arena, int64_t, 1000);
        for (size_t i = 0; i < 1000; i++) {
            assert_int_equal(zeroed[i], 0);
            zeroed[i] = -1;
        }
        int_vec *object = DW_ARENA_NEW(&arena, int_vec);
        assert_null(object->items);
        dw__arena_reset(&arena);
    }
    dw__arena_deinit(&arena);
    dwt_fault_allocator_deinit(&memory);
}

static void
test_arena__reset_keeps_one_chunk(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    dw_arena arena;
    dw__arena_init(&arena, &memory.allocator);
    dw__arena_reset(&arena);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(dw__arena_alloc(&arena, 100));
    }
    assert_true(memory.live_count > 1);
    dw__arena_reset(&arena);
    assert_int_equal(memory.live_count, 1);
    assert_int_equal(arena.size_total, dwt_fault_allocator_live_bytes(&memory));
    long long requests = memory.request_count;
    assert_non_null(dw__arena_alloc(&arena, 100));
    assert_int_equal(memory.request_count, requests);
    dw__arena_deinit(&arena);
    dw__arena_deinit(&arena);
    dwt_fault_allocator_deinit(&memory);
}

static void
test_arena__copies_strings(void **state)
{
    (void) state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str copy;
    assert_true(dw__arena_dup(&arena, DW_STR_NULL, &copy));
    assert_true(dw__str_is_null(copy));
    assert_true(dw__arena_dup(&arena, DW_STR(""), &copy));
    assert_str(copy, "");
    char source[] = "text";
    assert_true(dw__arena_dup(&arena, dw__str_from(source), &copy));
    source[0] = 'n';
    assert_str(copy, "text");
    assert_int_equal(copy.ptr[copy.len], '\0');
    assert_string_equal(dw__arena_dup_cstr(&arena, DW_STR("c")), "c");
    assert_string_equal(dw__arena_dup_cstr(&arena, DW_STR_NULL), "");
    assert_str(dw__arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    assert_str(dw__arena_printf(&arena, "%s", ""), "");
}

static dw_status
use_arena(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_str copy;
    for (size_t i = 0; i < 20; i++) {
        bool is_there = dw__arena_alloc(&arena, i * 100) != NULL &&
                        dw__arena_alloc_zero(&arena, i * 100) != NULL &&
                        dw__arena_dup(&arena, DW_STR("string"), &copy) &&
                        dw__arena_printf(&arena, "%0*d", (int) i * 100, 7).ptr != NULL;
        if (!is_there) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

static void
test_arena__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_arena, .faults = DWT_FAULTS_ALLOC});
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void
test_vec__grows_and_keeps_its_elements(void **state)
{
    (void) state;
    const dw_allocator *allocator = dw__allocator_libc();
    int_vec numbers = {0};
    for (int64_t i = 0; i < 10000; i++) {
        int64_t *slot = DW_VEC_PUSH(allocator, &numbers);
        assert_non_null(slot);
        assert_int_equal(*slot, 0);
        *slot = i;
    }
    assert_int_equal(numbers.count, 10000);
    for (int64_t i = 0; i < 10000; i++) {
        assert_int_equal(numbers.items[i], i);
    }
    DW_VEC_DEINIT(allocator, &numbers);
    assert_null(numbers.items);
    assert_int_equal(numbers.capacity, 0);
    DW_VEC_DEINIT(allocator, &numbers);
}

static void
test_vec__reserves_at_once_and_refuses_what_overflows(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    int_vec numbers = {0};
    assert_true(DW_VEC_RESERVE(&memory.allocator, &numbers, 1000));
    long long requests = memory.request_count;
    for (int i = 0; i < 1000; i++) {
        assert_non_null(DW_VEC_PUSH(&memory.allocator, &numbers));
    }
    assert_int_equal(memory.request_count, requests);
    assert_true(DW_VEC_RESERVE(&memory.allocator, &numbers, 10));
    assert_false(DW_VEC_RESERVE(&memory.allocator, &numbers, SIZE_MAX));
    assert_false(DW_VEC_RESERVE(&memory.allocator, &numbers, SIZE_MAX / 8 + 1));
    assert_int_equal(numbers.count, 1000);
    DW_VEC_DEINIT(&memory.allocator, &numbers);
    dwt_fault_allocator_deinit(&memory);
}

static dw_status
use_vec(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    int_vec numbers = {0};
    dw_status status = DW_OK;
    for (int64_t i = 0; i < 100 && status == DW_OK; i++) {
        int64_t *slot = DW_VEC_PUSH(world->env->allocator, &numbers);
        if (slot == NULL) {
            status = dw__error_oom(err);
        } else {
            *slot = i;
        }
    }
    /* What was there before the failure still is. */
    for (size_t i = 0; i < numbers.count; i++) {
        assert_int_equal(numbers.items[i], i);
    }
    DW_VEC_DEINIT(world->env->allocator, &numbers);
    return status;
}

static void
test_vec__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_vec, .faults = DWT_FAULTS_ALLOC});
}

/* ---- maps ------------------------------------------------------------------------------------ */

static void
test_map__finds_what_was_put(void **state)
{
    (void) state;
    enum { COUNT = 5000 };
    DW_AUTO(dw_map) map;
    dw__map_init(&map, dw__allocator_libc());
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    assert_null(dw__map_get(&map, DW_STR("0")));
    for (int64_t i = 0; i < COUNT; i++) {
        bool inserted;
        dw_map_value *value =
            dw__map_put(&map, dw__arena_printf(&arena, "key-%d", (int) i), &inserted);
        assert_non_null(value);
        assert_true(inserted);
        assert_int_equal(value->i64, 0);
        value->i64 = i;
    }
    assert_int_equal(map.count, COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        bool inserted;
        dw_str key = dw__arena_printf(&arena, "key-%d", (int) i);
        assert_int_equal(dw__map_get(&map, key)->i64, i);
        assert_int_equal(dw__map_put(&map, key, &inserted)->i64, i);
        assert_false(inserted);
        assert_non_null(dw__map_put(&map, key, NULL));
    }
    assert_null(dw__map_get(&map, DW_STR("key-")));
    assert_int_equal(map.count, COUNT);
}

static void
test_map__tells_keys_with_equal_beginnings_apart(void **state)
{
    (void) state;
    DW_AUTO(dw_map) map;
    dw__map_init(&map, dw__allocator_libc());
    static const dw_str keys[] = {{"", 0},     {"a", 1},        {"a\0", 2},
                                  {"a\0b", 3}, {"aaaaaaaa", 8}, {"aaaaaaaaa", 9}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        dw__map_put(&map, keys[i], NULL)->i64 = (int64_t) i + 1;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(dw__map_get(&map, keys[i])->i64, i + 1);
    }
}

static dw_status
use_map(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    DW_AUTO(dw_map) map;
    dw__map_init(&map, world->env->allocator);
    for (size_t i = 0; i < 50; i++) {
        dw_map_value *value = dw__map_put(&map, dw__str_make(letters + i, 2), NULL);
        if (value == NULL) {
            return dw__error_oom(err);
        }
        value->i64 = (int64_t) i;
        for (size_t k = 0; k <= i; k++) {
            assert_int_equal(dw__map_get(&map, dw__str_make(letters + k, 2))->i64, k);
        }
    }
    return DW_OK;
}

static void
test_map__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_map, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocator__gives_and_takes_back),
        cmocka_unit_test(test_fault_allocator__counts_and_fails),
        cmocka_unit_test(test_fault_loop__fails_each_call_once_and_then_lets_through),
        cmocka_unit_test(test_checked__notices_every_overflow),
        cmocka_unit_test(test_arena__keeps_what_it_gave_where_it_is),
        cmocka_unit_test(test_arena__takes_blocks_larger_than_a_chunk),
        cmocka_unit_test(test_arena__zeroes_only_where_told),
        cmocka_unit_test(test_arena__reset_keeps_one_chunk),
        cmocka_unit_test(test_arena__copies_strings),
        cmocka_unit_test(test_arena__survives_running_out_of_memory),
        cmocka_unit_test(test_vec__grows_and_keeps_its_elements),
        cmocka_unit_test(test_vec__reserves_at_once_and_refuses_what_overflows),
        cmocka_unit_test(test_vec__survives_running_out_of_memory),
        cmocka_unit_test(test_map__finds_what_was_put),
        cmocka_unit_test(test_map__tells_keys_with_equal_beginnings_apart),
        cmocka_unit_test(test_map__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
