/*
 * The index files of a table: found, looked into, and done without where they are damaged.
 */
#include "support/test.h"

#include "bloom/store.h"
#include "bloom_world.h"
#include "support/fault_loop.h"

#include <stdlib.h>

#define FIRST_NAME DW_STR(DW_INDEX_DIR "bloom-1" DW_INDEX_SUFFIX)
#define SECOND_NAME DW_STR(DW_INDEX_DIR "bloom-2" DW_INDEX_SUFFIX)
enum { FILES_A_NAME = 50 };

static void
put_index(dw_storage *storage, dw_str name, int64_t first, size_t damage_at)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), (size_t) 64 << 20);
    assert_ok(dwt_index_print(dw__allocator_libc(), first, FILES_A_NAME, &bytes, &err), &err);
    if (damage_at != SIZE_MAX) {
        size_t at = damage_at < bytes.len ? damage_at : bytes.len - 1;
        bytes.ptr[at] = (char) (bytes.ptr[at] ^ 1);
    }
    assert_ok(dw__storage_put(storage, name, dw__strbuf_str(&bytes), &err), &err);
}

/* How many of the first files may have the item, and of how many nobody can tell. */
typedef struct answer {
    int64_t may_have, unknown;
} answer;

static dw_status
ask(dw_bloom_store *store, int64_t file_count, int64_t value, answer *out, dw_error *err)
{
    DW_AUTO(dw_bloom_view_ptr) view = NULL;
    *out = (answer){0};
    DW_TRY(dw__bloom_store_look(store, 1, &view, err));
    for (int64_t i = 0; i < file_count; i++) {
        dw_bloom_place places[DW_BLOOM_PLACES_MAX];
        dw_index_key key = dwt_index_key(i);
        bool has = true;
        size_t count = dw__bloom_view_find(view, &key, places);
        if (count > 0) {
            DW_TRY(dw__bloom_view_has(view, places[0], 0, dw__item_of_i64(value), &has, err));
        }
        out->unknown += count == 0 ? 1 : 0;
        out->may_have += has ? 1 : 0;
    }
    return DW_OK;
}

static void
setup(dwt_world *world, void *ctx)
{
    const size_t *damage_at = ctx;
    put_index(world->truth, FIRST_NAME, 0, SIZE_MAX);
    put_index(world->truth, SECOND_NAME, FILES_A_NAME, *damage_at);
}

static dw_status
look_up(dwt_world *world, void *ctx, dw_error *err)
{
    answer found;
    dw_bloom_store *store;
    const size_t *damage_at = ctx;
    DW_TRY(dw__bloom_store_new(world->env, world->storage, &store, err));
    dw_status status = ask(store, 2 * FILES_A_NAME, 705, &found, err);
    if (status == DW_OK) {
        assert_true(found.may_have >= 1);
        assert_true(*damage_at == SIZE_MAX || found.may_have >= FILES_A_NAME);
        status = ask(store, 2 * FILES_A_NAME, 705, &found, err);
    }
    if (status == DW_OK) {
        assert_true(found.may_have >= 1);
    }
    dw__bloom_store_free(store);
    return status;
}

static void
run(size_t damage_at)
{
    dwt_fault_loop(&(dwt_fault_case){.setup = setup,
                                     .operation = look_up,
                                     .ctx = &damage_at,
                                     .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO});
}

static void
test_store__survives_faults_and_never_loses_a_file(void **state)
{
    (void) state;
    run(SIZE_MAX);
}

static void
test_store__does_without_what_is_damaged(void **state)
{
    (void) state;
    run(3);            /* the head */
    run(100);          /* the directory */
    run(SIZE_MAX - 1); /* a filter */
}

static void
test_store__finds_the_one_file(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    answer found;
    dw_storage *storage;
    dw_bloom_store *store;
    dw_env env = dw__env_system();
    assert_ok(dw__storage_memory_open(&env, &storage, &err), &err);
    put_index(storage, FIRST_NAME, 0, SIZE_MAX);
    assert_ok(dw__bloom_store_new(&env, storage, &store, &err), &err);
    assert_ok(ask(store, FILES_A_NAME, 123, &found, &err), &err);
    assert_int_equal(found.may_have, 1);
    assert_int_equal(found.unknown, 0);
    assert_ok(ask(store, FILES_A_NAME, 100000, &found, &err), &err);
    assert_int_equal(found.may_have, 0);
    put_index(storage, SECOND_NAME, FILES_A_NAME, SIZE_MAX);
    dw__bloom_store_note_change(store);
    assert_ok(ask(store, 2 * FILES_A_NAME, 705, &found, &err), &err);
    assert_int_equal(found.may_have, 1);
    assert_ok(dw__storage_remove(storage, FIRST_NAME, &err), &err);
    dw__bloom_store_note_change(store);
    assert_ok(ask(store, 2 * FILES_A_NAME, 705, &found, &err), &err);
    assert_int_equal(found.may_have, 1 + FILES_A_NAME);
    assert_int_equal(found.unknown, FILES_A_NAME);
    dw__bloom_store_free(store);
    dw__storage_close(storage);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store__finds_the_one_file),
        cmocka_unit_test(test_store__survives_faults_and_never_loses_a_file),
        cmocka_unit_test(test_store__does_without_what_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
