/*
 * The real world behind dw_env, and the deterministic one that the tests use.
 */
#include "support/test.h"

#include "env/env.h"
#include "support/test_env.h"

#include <stdlib.h>
#include <unistd.h>

static void
test_env__system_clocks_go_forward(void **state)
{
    (void) state;
    dw_env env = dw__env_system();
    int64_t wall = dw__env_now_us(&env);
    /* After 2020 and before 2200: microseconds, not milliseconds or nanoseconds. */
    assert_true(wall > INT64_C(1577836800000000) && wall < INT64_C(7258118400000000));
    assert_true(dw__env_now_ms(&env) >= wall / 1000);
    int64_t before = env.ops->monotonic_us(env.ctx);
    env.ops->sleep_us(env.ctx, 1500);
    assert_true(env.ops->monotonic_us(env.ctx) - before >= 1500);
}

static void
test_env__system_chance_does_not_repeat(void **state)
{
    (void) state;
    dw_env env = dw__env_system();
    assert_true(dw__env_random_u64(&env) != dw__env_random_u64(&env));
    char bytes[1000] = {0};
    env.ops->random(env.ctx, bytes, sizeof(bytes));
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        zeros += bytes[i] == 0;
    }
    assert_true(zeros < 100);
    assert_false(dw__env_is_cancelled(&env));
}

/* What `log_lines` writes to stderr while DELTAWORKS_LOG is `wanted`. */
static void
capture_stderr(const char *wanted, char *out, size_t size)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[1]);
    dw_env env = dw__env_system();
    setenv("DELTAWORKS_LOG", wanted, 1);
    dw__env_warn(&env, "the hint %s is wrong", "_last_checkpoint");
    dw__env_debug(&env, "read %d files", 3);
    unsetenv("DELTAWORKS_LOG");
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t got = read(pipe_ends[0], out, size - 1);
    close(pipe_ends[0]);
    out[got < 0 ? 0 : got] = '\0';
}

static void
test_env__warns_on_stderr_and_is_quiet_otherwise(void **state)
{
    (void) state;
    char text[500];
    capture_stderr("", text, sizeof(text));
    assert_string_equal(text, "deltaworks: warning: the hint _last_checkpoint is wrong\n");
    capture_stderr("debug", text, sizeof(text));
    assert_string_equal(text, "deltaworks: warning: the hint _last_checkpoint is wrong\n"
                              "deltaworks: debug: read 3 files\n");
}

static void
test_env__cuts_lines_that_are_too_long(void **state)
{
    (void) state;
    dwt_env world;
    dwt_env_init(&world, 1);
    char large[5001];
    memset(large, 'x', 5000);
    large[5000] = '\0';
    dw__env_warn(&world.env, "%s", large);
    assert_true(world.log_len > 1000 && world.log_len < 2100);
    dwt_env_deinit(&world);
}

static void
test_test_env__repeats_itself(void **state)
{
    (void) state;
    dwt_env a;
    dwt_env b;
    dwt_env_init(&a, 42);
    dwt_env_init(&b, 42);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(dw__env_now_us(&a.env), dw__env_now_us(&b.env));
        assert_true(dw__env_random_u64(&a.env) == dw__env_random_u64(&b.env));
    }
    dwt_env_deinit(&a);
    dwt_env_deinit(&b);
    dwt_env_init(&a, 1);
    dwt_env_init(&b, 2);
    assert_true(dw__env_random_u64(&a.env) != dw__env_random_u64(&b.env));
    dwt_env_deinit(&a);
    dwt_env_deinit(&b);
}

static void
test_test_env__moves_time_and_captures_lines(void **state)
{
    (void) state;
    dwt_env world;
    dwt_env_init(&world, 1);
    assert_int_equal(dw__env_now_us(&world.env), DWT_EPOCH_US);
    assert_int_equal(dw__env_now_us(&world.env), DWT_EPOCH_US + 1000);
    world.env.ops->sleep_us(world.env.ctx, 5000000);
    assert_int_equal(world.slept_us, 5000000);
    assert_int_equal(dw__env_now_us(&world.env), DWT_EPOCH_US + 5002000);
    dwt_env_set_now_ms(&world, 7);
    assert_int_equal(dw__env_now_ms(&world.env), 7);

    dw__env_warn(&world.env, "number %d", 1);
    dw__env_debug(&world.env, "number %d", 2);
    assert_string_equal(world.log, "warn: number 1\ndebug: number 2\n");
    assert_true(dwt_env_logged(&world, "number 2"));
    assert_false(dwt_env_logged(&world, "number 3"));
    for (int i = 0; i < 5000; i++) {
        dw__env_warn(&world.env, "more and more");
    }
    assert_true(world.log_len < DWT_LOG_BYTES_MAX);

    assert_false(dw__env_is_cancelled(&world.env));
    world.cancel_after_polls = 2;
    assert_false(dw__env_is_cancelled(&world.env));
    assert_false(dw__env_is_cancelled(&world.env));
    assert_true(dw__env_is_cancelled(&world.env));
    dwt_env_deinit(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_env__system_clocks_go_forward),
        cmocka_unit_test(test_env__system_chance_does_not_repeat),
        cmocka_unit_test(test_env__warns_on_stderr_and_is_quiet_otherwise),
        cmocka_unit_test(test_env__cuts_lines_that_are_too_long),
        cmocka_unit_test(test_test_env__repeats_itself),
        cmocka_unit_test(test_test_env__moves_time_and_captures_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
