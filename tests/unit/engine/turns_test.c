/*
 * Turns of queries.
 */
#include "engine/turns.h"
#include "support/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { WAITER_COUNT = 5 };

/* A clock that goes on by `step_us` each time it is looked at. */
typedef struct stepping_clock {
    atomic_llong time_us;
    int64_t step_us;
} stepping_clock;

static int64_t
look_at_clock(void *ctx)
{
    stepping_clock *clock = ctx;
    return atomic_fetch_add(&clock->time_us, clock->step_us);
}

static dw_env
env_of(stepping_clock *clock)
{
    static const dw_env_ops ops = {.monotonic_us = look_at_clock};
    return (dw_env){dw__allocator_libc(), &ops, clock};
}

typedef struct waiter {
    dw_turns *turns;
    atomic_int *next_place;
    int place;
} waiter;

static void *
run_waiter(void *argument)
{
    waiter *w = argument;
    dw_turn turn;
    dw__turn_take(w->turns, &turn);
    w->place = atomic_fetch_add(w->next_place, 1);
    dw__turn_end(w->turns, &turn);
    return NULL;
}

static void
test_turns__go_to_who_came_first(void **state)
{
    (void) state;
    /* No deadline on this clock ever comes. */
    stepping_clock clock = {.time_us = INT64_C(1) << 50};
    dw_env env = env_of(&clock);
    dw_turns turns;
    dw__turns_init(&turns, &env, 1);
    dw_turn held;
    dw__turn_take(&turns, &held);
    atomic_int next_place = 0;
    waiter waiters[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
    for (size_t i = 0; i < WAITER_COUNT; i++) {
        waiters[i] = (waiter){.turns = &turns, .next_place = &next_place};
        assert_int_equal(pthread_create(&threads[i], NULL, run_waiter, &waiters[i]), 0);
        while (dw__turns_waiting(&turns) != i + 1) {
            sched_yield();
        }
    }
    assert_int_equal(atomic_load(&next_place), 0);
    dw__turn_end(&turns, &held);
    for (size_t i = 0; i < WAITER_COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(waiters[i].place, i);
    }
    dw__turns_deinit(&turns);
}

static void
test_turns__do_not_wait_for_long_queries(void **state)
{
    (void) state;
    /* Each look at the clock is long after the one before, so all that run take long. */
    stepping_clock clock = {.step_us = 2 * DW_TURN_PATIENCE_US};
    dw_env env = env_of(&clock);
    dw_turns turns;
    dw__turns_init(&turns, &env, 2);
    dw_turn held[WAITER_COUNT];
    for (size_t i = 0; i < WAITER_COUNT; i++) {
        dw__turn_take(&turns, &held[i]);
    }
    assert_int_equal(turns.running, 2);
    assert_int_equal(turns.overtaken, WAITER_COUNT - 2);
    for (size_t i = 0; i < WAITER_COUNT; i++) {
        dw__turn_end(&turns, &held[i]);
    }
    assert_int_equal(turns.running + turns.overtaken, 0);
    dw__turns_deinit(&turns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns__go_to_who_came_first),
        cmocka_unit_test(test_turns__do_not_wait_for_long_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
