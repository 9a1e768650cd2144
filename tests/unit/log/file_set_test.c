/*
 * Blocks and sets: many files, rare members, statistics that stay in their checkpoint, derived
 * values.
 */
#include "log_world.h"

#include "log/checkpoint_core.h"

static void
commit_many(log_world *w, int64_t version, int first, int count, const char *stats)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    if (version == 0) {
        dwt_commit_protocol(&commit, 1, 2);
        dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL, NULL);
    }
    for (int i = first; i < first + count; i++) {
        char path[32], values[48], text[1024];
        snprintf(path, sizeof(path), "part-%d", i);
        snprintf(values, sizeof(values), "{\"p\":\"%d\",\"q\":null}", i);
        snprintf(text, sizeof(text), "{\"numRecords\":%d,\"x\":\"%s\"}", i, stats);
        dwt_commit_add(&commit, &(dwt_add){.path = path,
                                           .partition_values = values,
                                           .size = 1,
                                           .stats = stats == NULL ? NULL : text});
    }
    dwt_commit_write(&commit, w->storage, version);
}

static void
test_file_set__holds_more_files_than_a_block(void **state)
{
    log_world *w = *state;
    int count = (int) DW_BLOCK_ROWS_MAX + 1000;
    commit_many(w, 0, 0, count, NULL);
    world_commit(w, 1, REMOVE("part-5") REMOVE("part-131500"));
    assert_refreshes(w);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    assert_int_equal(dw__file_set_count(files), count - 2);
    assert_int_equal(dw__file_set_block_count(files), 2);
    dw_file_ref ref;
    int seen = 0;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        int64_t number, value;
        dw_str path = dw__file_set_path(files, ref);
        assert_true(dw__str_to_i64(dw__str_slice(path, 5, path.len), &number));
        assert_true(number != 5 && number != 131500);
        /* More distinct values than one or two bytes can number. */
        assert_true(dw__str_to_i64(dw__file_set_partition_value(files, ref, DW_STR("p")), &value));
        assert_int_equal(value, number);
        assert_null(dw__file_set_partition_value(files, ref, DW_STR("q")).ptr);
        seen++;
    }
    assert_int_equal(seen, count - 2);
    assert_false(dw__file_set_is_live(files, (dw_file_ref){0, 5}));
    assert_true(dw__file_set_is_live(files, (dw_file_ref){0, 6}));
    assert_false(dw__file_set_is_live(files, (dw_file_ref){7, 0}));
}

static void
test_file_set__numbers_few_values_with_one_or_two_bytes(void **state)
{
    (void) state;
    const dw_allocator *allocator = dw__allocator_libc();
    const size_t counts[] = {2, 255, 256, 65535, 65536};
    const size_t widths[] = {1, 1, 2, 2, 4};
    for (size_t c = 0; c < 5; c++) {
        dw_file_block *block = dw__file_block_new(allocator, NULL, 0);
        dw_error err = DW_ERROR_INIT;
        for (size_t i = 0; i < counts[c]; i++) {
            char text[24];
            snprintf(text, sizeof(text), "%zu", i);
            assert_true(dw__file_block_push(block, DW_STR("x"), 0, 1, 1, 0));
            dw_status status =
                dw__file_block_set_partition(block, 0, DW_STR("p"), dw__str_from(text), &err);
            assert_ok(status, &err);
        }
        dw__file_block_seal(block);
        assert_int_equal(block->partitions.items[0].code_width, widths[c]);
        for (size_t i = 0; i < counts[c]; i++) {
            char text[24];
            snprintf(text, sizeof(text), "%zu", i);
            assert_str(dw__dict_column_get(&block->partitions.items[0], i), text);
        }
        dw__file_block_unref(block);
    }
}

static void
test_file_set__limits_the_number_of_partition_columns(void **state)
{
    (void) state;
    dw_file_block *block = dw__file_block_new(dw__allocator_libc(), NULL, 0);
    dw_error err = DW_ERROR_INIT;
    assert_true(dw__file_block_push(block, DW_STR("x"), 0, 1, 1, 0));
    dw_status status = DW_OK;
    for (size_t i = 0; i <= DW_PARTITION_COLUMNS_MAX && status == DW_OK; i++) {
        char name[24];
        snprintf(name, sizeof(name), "c%zu", i);
        status = dw__file_block_set_partition(block, i, dw__str_from(name), DW_STR("v"), &err);
    }
    assert_error(status, DW_CORRUPT, "TOO_MANY_PARTITION_COLUMNS", &err);
    dw__file_block_unref(block);
}

/* ---- Statistics in a large checkpoint -------------------------------------------------------- */

enum { LARGE_COUNT = 5000 };

static void
open_large_checkpoint(log_world *w)
{
    char filler[601];
    memset(filler, 'y', sizeof(filler) - 1);
    filler[600] = '\0';
    commit_many(w, 0, 0, LARGE_COUNT, filler);
    assert_refreshes(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
    world_commit(w, 1,
                 REMOVE("part-7") ADD_MORE("part-9", "\"stats\":\"{\\\"numRecords\\\":-1}\""));
    world_reopen(w);
    assert_refreshes(w);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    assert_int_equal(dw__file_set_count(files), LARGE_COUNT - 1);
    assert_non_null(dw__file_set_block(files, 0)->origin);
}

typedef struct stats_count {
    dw_file_set *files;
    size_t with, without;
} stats_count;

static dw_status
count_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) err;
    stats_count *count = ctx;
    if (dw__str_is_null(stats)) {
        count->without++;
        return DW_OK;
    }
    count->with++;
    dw_str path = dw__file_set_path(count->files, ref);
    int64_t number;
    assert_true(dw__str_to_i64(dw__str_slice(path, 5, path.len), &number));
    char expected[64];
    snprintf(expected, sizeof(expected), "{\"numRecords\":%d", number == 9 ? -1 : (int) number);
    assert_true(dw__str_starts_with(stats, dw__str_from(expected)));
    return DW_OK;
}

static void
assert_stats(log_world *w, size_t with, size_t without)
{
    stats_count count = {.files = dw__log_snapshot_files(w->snapshot)};
    dw_status status = dw__file_set_visit_stats(count.files, count_stats, &count, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(count.with, with);
    assert_int_equal(count.without, without);
}

static void
test_stats__of_a_large_checkpoint_are_kept_when_asked_for_again(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    assert_int_equal(atomic_load(&w->log->stats_budget.used_bytes), 0);
    int64_t reads = dwt_fake_engine_read_count(w->engine);
    assert_stats(w, LARGE_COUNT - 1, 0);
    assert_int_equal(dwt_fake_engine_read_count(w->engine), reads + 1);
    assert_int_equal(atomic_load(&w->log->stats_budget.used_bytes), 0);
    assert_stats(w, LARGE_COUNT - 1, 0);
    assert_int_equal(dwt_fake_engine_read_count(w->engine), reads + 2);
    assert_true(atomic_load(&w->log->stats_budget.used_bytes) > LARGE_COUNT * 600);
    assert_stats(w, LARGE_COUNT - 1, 0);
    assert_int_equal(dwt_fake_engine_read_count(w->engine), reads + 2);
    world_reopen(w);
    assert_int_equal(atomic_load(&w->log->stats_budget.used_bytes), 0);
}

static void
test_stats__beyond_the_budget_are_read_again_each_time(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    w->log->stats_budget.bytes_max = 1000;
    int64_t reads = dwt_fake_engine_read_count(w->engine);
    assert_stats(w, LARGE_COUNT - 1, 0);
    assert_stats(w, LARGE_COUNT - 1, 0);
    assert_int_equal(dwt_fake_engine_read_count(w->engine), reads + 2);
    assert_int_equal(atomic_load(&w->log->stats_budget.used_bytes), 0);
}

static void
test_stats__come_with_a_single_file(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file file;
    dw_status status = dw__file_set_get(files, (dw_file_ref){0, 4321}, &arena, &file, &w->err);
    assert_ok(status, &w->err);
    assert_str(file.path, "part-4321");
    assert_true(dw__str_starts_with(file.stats, DW_STR("{\"numRecords\":4321,")));
    dw__arena_deinit(&arena);
}

static void
test_stats__of_a_checkpoint_that_was_replaced_are_not_used(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    world_put_checkpoint(
        w, "_delta_log/00000000000000000000.checkpoint.parquet",
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n" ADD("z"));
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file file;
    assert_error(dw__file_set_get(files, (dw_file_ref){0, 1}, &arena, &file, &w->err),
                 DW_UNAVAILABLE, "STATISTICS_MOVED", &w->err);
    dw__error_clear(&w->err);
    /* part-9 has its statistics from a commit. */
    assert_stats(w, 1, LARGE_COUNT - 2);
    dw__arena_deinit(&arena);
}

static void
test_stats__of_a_checkpoint_that_went_away_bring_a_fresh_snapshot(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    w->log->stats_budget.bytes_max = 1000;
    assert_refreshes(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
    status = dw__storage_remove(
        w->storage, DW_STR("_delta_log/00000000000000000000.checkpoint.parquet"), &w->err);
    assert_ok(status, &w->err);
    dw_log_snapshot *old = dw__log_snapshot_ref(w->snapshot);
    assert_stats(w, 1, LARGE_COUNT - 2);
    assert_refreshes(w);
    assert_ptr_not_equal(w->snapshot, old);
    assert_stats(w, LARGE_COUNT - 1, 0);
    dw__log_snapshot_unref(old);
}

static void
test_stats__of_a_large_checkpoint_go_into_the_next_one(void **state)
{
    log_world *w = *state;
    open_large_checkpoint(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
    world_reopen(w);
    assert_refreshes(w);
    assert_int_equal(w->snapshot->checkpoint->version, 1);
    assert_stats(w, LARGE_COUNT - 1, 0);
}

/* ---- Derived values -------------------------------------------------------------------------- */

static int released;

static void
release_value(void *value)
{
    released += *(int *) value;
}

static void
test_cache__keeps_the_first_value_and_releases_the_others(void **state)
{
    (void) state;
    int one = 1, ten = 10, hundred = 100;
    released = 0;
    dw_file_block *block = dw__file_block_new(dw__allocator_libc(), NULL, 0);
    assert_null(dw__file_block_cache_get(block, DW_STR("x")));
    assert_ptr_equal(dw__file_block_cache_put(block, DW_STR("x"), &one, release_value), &one);
    assert_ptr_equal(dw__file_block_cache_put(block, DW_STR("x"), &ten, release_value), &one);
    assert_int_equal(released, 10);
    assert_ptr_equal(dw__file_block_cache_put(block, DW_STR("y"), &hundred, release_value),
                     &hundred);
    assert_ptr_equal(dw__file_block_cache_get(block, DW_STR("x")), &one);
    dw__file_block_unref(block);
    assert_int_equal(released, 111);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_file_set__holds_more_files_than_a_block),
        LOG_TEST(test_file_set__numbers_few_values_with_one_or_two_bytes),
        LOG_TEST(test_file_set__limits_the_number_of_partition_columns),
        LOG_TEST(test_stats__of_a_large_checkpoint_are_kept_when_asked_for_again),
        LOG_TEST(test_stats__beyond_the_budget_are_read_again_each_time),
        LOG_TEST(test_stats__come_with_a_single_file),
        LOG_TEST(test_stats__of_a_checkpoint_that_was_replaced_are_not_used),
        LOG_TEST(test_stats__of_a_checkpoint_that_went_away_bring_a_fresh_snapshot),
        LOG_TEST(test_stats__of_a_large_checkpoint_go_into_the_next_one),
        LOG_TEST(test_cache__keeps_the_first_value_and_releases_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
