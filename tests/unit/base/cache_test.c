/*
 * The cache: what it keeps within its budget, and who holds what it let go of.
 */
#include "support/test.h"

#include "base/cache.h"
#include "support/fault_loop.h"

#include <stdio.h>

typedef struct thing {
    dw_cache_item item;
    int number;
    int *alive; /* how many there are */
} thing;

static void
destroy_thing(dw_cache_item *item)
{
    thing *t = (thing *) item;
    --*t->alive;
    DW_DELETE(dw__allocator_libc(), t);
}

static thing *
make_thing(int number, size_t size_bytes, int *alive)
{
    thing *t = DW_NEW(dw__allocator_libc(), thing);
    assert_non_null(t);
    dw__cache_item_init(&t->item, size_bytes, destroy_thing);
    t->number = number;
    t->alive = alive;
    ++*alive;
    return t;
}

static dw_str
name_of(int number, char text[16])
{
    return dw__str_make(text, (size_t) snprintf(text, 16, "thing %d", number));
}

static void
keep(dw_cache *cache, int number, size_t size_bytes, int *alive)
{
    char text[16];
    thing *t = make_thing(number, size_bytes, alive);
    dw__cache_keep(cache, name_of(number, text), &t->item);
    dw__cache_item_unref(&t->item);
}

/* The number of what is kept under the name of a number; -1: nothing. */
static int
find(dw_cache *cache, int number)
{
    char text[16];
    thing *t = (thing *) dw__cache_find(cache, name_of(number, text));
    int found = t == NULL ? -1 : t->number;
    dw__cache_item_unref(t == NULL ? NULL : &t->item);
    return found;
}

static void
test_cache__lets_go_of_what_was_not_used_for_longest(void **state)
{
    (void) state;
    int alive = 0;
    dw_cache cache;
    dw__cache_init(&cache, dw__allocator_libc(), 100000);
    for (int i = 0; i < 9; i++) {
        keep(&cache, i, 10000, &alive);
    }
    assert_int_equal(alive, 9);
    assert_int_equal(find(&cache, 0), 0);
    keep(&cache, 9, 10000, &alive);
    assert_int_equal(alive, 9);
    assert_int_equal(find(&cache, 1), -1);
    assert_int_equal(find(&cache, 0), 0);
    assert_int_equal(find(&cache, 9), 9);
    keep(&cache, 10, 55000, &alive);
    assert_true(cache.size_bytes <= cache.size_max);
    assert_int_equal(find(&cache, 10), 10);
    assert_int_equal(find(&cache, 9), 9);
    assert_int_equal(find(&cache, 2), -1);
    dw__cache_deinit(&cache);
    assert_int_equal(alive, 0);
}

static void
test_cache__refuses_what_is_too_large_or_there(void **state)
{
    (void) state;
    int alive = 0;
    dw_cache cache;
    dw__cache_init(&cache, dw__allocator_libc(), 1000);
    keep(&cache, 1, 1001, &alive);
    assert_int_equal(find(&cache, 1), -1);
    assert_int_equal(alive, 0);
    char text[16];
    thing *first = make_thing(1, 100, &alive);
    thing *second = make_thing(2, 100, &alive);
    dw__cache_keep(&cache, name_of(1, text), &first->item);
    dw__cache_keep(&cache, name_of(1, text), &second->item);
    assert_int_equal(find(&cache, 1), 1);
    dw__cache_deinit(&cache);
    /* Who holds a thing keeps it beyond the cache. */
    assert_int_equal(first->number, 1);
    assert_int_equal(alive, 2);
    dw__cache_item_unref(&first->item);
    dw__cache_item_unref(&second->item);
    assert_int_equal(alive, 0);
}

static dw_status
keep_some(void *ctx, const dw_allocator *allocator, dw_error *err)
{
    int *alive = ctx;
    dw_cache cache;
    dw__cache_init(&cache, allocator, 1000);
    for (int i = 0; i < 3; i++) {
        keep(&cache, i, 100, alive);
    }
    bool is_whole = find(&cache, 0) == 0 && find(&cache, 1) == 1 && find(&cache, 2) == 2;
    dw__cache_deinit(&cache);
    return is_whole ? DW_OK : dw__error_oom(err);
}

static dw_status
keep_with_faults(dwt_world *world, void *ctx, dw_error *err)
{
    return keep_some(ctx, world->env->allocator, err);
}

static void
test_cache__survives_want_of_memory(void **state)
{
    (void) state;
    int alive = 0;
    dwt_fault_loop(&(dwt_fault_case){
        .operation = keep_with_faults, .ctx = &alive, .faults = DWT_FAULTS_ALLOC});
    assert_int_equal(alive, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cache__lets_go_of_what_was_not_used_for_longest),
        cmocka_unit_test(test_cache__refuses_what_is_too_large_or_there),
        cmocka_unit_test(test_cache__survives_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
