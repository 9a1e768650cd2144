/*
 * The storage in memory: the contract, time from the environment, running out of memory.
 */
#include "contract.h"

#include "support/delta_log.h"
#include "support/fault_loop.h"

#include <stdlib.h>

static int
setup(void **state)
{
    storage_fixture *fixture = calloc(1, sizeof(*fixture));
    dwt_env_init(&fixture->world, 1);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_memory_open(&fixture->world.env, &fixture->storage, &err);
    assert_ok(status, &err);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    storage_fixture *fixture = *state;
    dw__storage_close(fixture->storage);
    dwt_env_deinit(&fixture->world);
    free(fixture);
    return 0;
}

static void
test_memory__takes_time_from_the_environment(void **state)
{
    storage_fixture *fixture = *state;
    dwt_env_set_now_ms(&fixture->world, 12345);
    dwt_put(fixture->storage, "a", DW_STR("x"));
    dw_error err = DW_ERROR_INIT;
    dw_object_meta meta;
    dw_status status = dw__storage_head(fixture->storage, DW_STR("a"), &meta, &err);
    assert_ok(status, &err);
    assert_int_equal(meta.modified_ms, 12345);
}

static void
test_memory__has_no_root_for_the_engine(void **state)
{
    storage_fixture *fixture = *state;
    assert_true(dw__str_is_null(fixture->storage->root));
}

/* Everything that allocates, in a storage of the round's own. */
static dw_status
use_storage(dwt_world *world, dw_storage *storage, dw_error *err)
{
    DW_TRY(dw__storage_put(storage, DW_STR("a/b"), DW_STR("bytes"), err));
    DW_TRY(dw__storage_put_if_absent(storage, DW_STR("a/c"), DW_STR("more"), err));
    DW_TRY(dw__storage_put(storage, DW_STR("a/b"), DW_STR("other"), err));
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(world->env->allocator, 100);
    DW_TRY(dw__storage_get(storage, DW_STR("a/b"), &buf, NULL, err));
    assert_str(dw__strbuf_str(&buf), "other");
    DW_TRY(dw__storage_get_range(storage, DW_STR("a/b"), 1, 2, &buf, err));
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_list_request request = {.recursive = true};
    dw_list_page page;
    DW_TRY(dw__storage_list(storage, &request, &arena, &page, err));
    assert_int_equal(page.count, 2);
    return DW_OK;
}

static dw_status
open_and_use(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_storage_ptr) storage = NULL;
    DW_TRY(dw__storage_memory_open(world->env, &storage, err));
    return use_storage(world, storage, err);
}

static void
test_memory__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = open_and_use, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_CONTRACT_TESTS(setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory__takes_time_from_the_environment, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_memory__has_no_root_for_the_engine, setup, teardown),
        cmocka_unit_test(test_memory__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
