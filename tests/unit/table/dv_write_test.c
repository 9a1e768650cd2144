/*
 * Deletion vectors that were written are read back by what reads those of other writers.
 */
#include "support/fault_loop.h"
#include "support/test.h"

#include "scan/dv.h"
#include "table/dv_write.h"

/* Sets of many shapes: the first stand in the log, the last take megabytes. */
enum { SET_COUNT = 40 };

static dw_status
fill(dw_rowset *rows, size_t idx, dw_error *err)
{
    uint64_t random = idx;
    uint64_t count = UINT64_C(1) << (idx / 2);
    for (uint64_t i = 0; i < count; i++) {
        DW_TRY(dw__rowset_add(rows, i * 3 + dwt_random_below(&random, 3), err));
    }
    return DW_OK;
}

static dw_status
check_one(dw_storage *storage, const dw_dv_descriptor *dv, const dw_rowset *rows, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    DW_AUTO(dw_rowset_ptr) back = NULL;
    dw__arena_init(&scratch, storage->env->allocator);
    DW_TRY(dw__dv_read(storage, dv, &scratch, &back, err));
    assert_int_equal(dw__rowset_cardinality(back), dw__rowset_cardinality(rows));
    uint64_t row = 0;
    uint64_t same;
    for (uint64_t from = 0; dw__rowset_next(rows, from, &row); from = row + 1) {
        assert_true(dw__rowset_next(back, from, &same));
        assert_int_equal(row, same);
    }
    return DW_OK;
}

static dw_status
write_sets(dw_dv_writer *writer, dw_rowset **sets, dw_dv_descriptor **vectors, size_t count,
           dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__rowset_new(writer->storage->env->allocator, &sets[i], err));
        DW_TRY(fill(sets[i], i, err));
        DW_TRY(dw__dv_writer_put(writer, sets[i], &vectors[i], err));
    }
    return dw__dv_writer_finish(writer, err);
}

static dw_status
write_and_read(dw_storage *storage, size_t count, bool uses_log, size_t *key_count_out,
               dw_error *err)
{
    dw_rowset *sets[SET_COUNT] = {0};
    dw_dv_descriptor *vectors[SET_COUNT] = {0};
    dw_dv_writer writer;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, storage->env->allocator);
    dw__dv_writer_init(&writer, storage, &arena);
    writer.uses_log = uses_log;
    dw_status status = write_sets(&writer, sets, vectors, count, err);
    *key_count_out = writer.key_count;
    for (size_t i = 0; i < count && status == DW_OK; i++) {
        bool is_small = (size_t) vectors[i]->size_bytes <= DW_DV_INLINE_BYTES_MAX;
        assert_int_equal(vectors[i]->storage_type, uses_log && is_small ? 'i' : 'u');
        status = check_one(storage, vectors[i], sets[i], err);
    }
    dw__dv_writer_discard(&writer);
    dw__dv_writer_deinit(&writer);
    for (size_t i = 0; i < count; i++) {
        dw__rowset_free(sets[i]);
    }
    return status;
}

static size_t
count_objects(dw_storage *storage)
{
    dw_list_page page;
    dw_list_request request = {.prefix = DW_STR(""), .recursive = true};
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, storage->env->allocator);
    assert_ok(dw__storage_list(storage, &request, &arena, &page, &err), &err);
    return page.count;
}

static void
test_vectors__are_read_back_whatever_their_size(void **state)
{
    (void) state;
    dwt_env world;
    dw_storage *storage;
    size_t key_count;
    dw_error err = DW_ERROR_INIT;
    dwt_env_init(&world, 3);
    assert_ok(dw__storage_memory_open(&world.env, &storage, &err), &err);
    for (int uses_log = 0; uses_log <= 1; uses_log++) {
        assert_ok(write_and_read(storage, SET_COUNT, uses_log != 0, &key_count, &err), &err);
        assert_int_equal(key_count, 1); /* all that do not stand in the log share a file */
        assert_int_equal(count_objects(storage), 0);
    }
    dw__storage_close(storage);
    dwt_env_deinit(&world);
}

static dw_status
write_some(dwt_world *world, void *ctx, dw_error *err)
{
    size_t key_count;
    (void) ctx;
    return write_and_read(world->storage, 20, true, &key_count, err);
}

static void
test_vectors__leave_nothing_behind_when_writing_them_fails(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = write_some,
                                     .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors__are_read_back_whatever_their_size),
        cmocka_unit_test(test_vectors__leave_nothing_behind_when_writing_them_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
