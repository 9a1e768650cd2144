/*
 * VACUUM where it matters how much memory there is, and the sets and lists that it stands on. What
 * it deletes is tested end to end.
 */
#include "support/test.h"

#include "codec/rows.h"
#include "unit/table/starved_table.h"
#include "upkeep/key_list.h"
#include "upkeep/key_set.h"
#include "upkeep/vacuum.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- Sets and lists -------------------------------------------------------------------------- */

static void
test_key_set__knows_its_keys_and_their_first_tags(void **state)
{
    (void) state;
    char key[32];
    bool inserted;
    DW_AUTO(dw_key_set) set = dw__key_set_make(dw__allocator_libc());
    assert_int_equal(dw__key_set_get(&set, DW_STR("x")), 0);
    for (int i = 0; i < 5000; i++) {
        int len = snprintf(key, sizeof(key), "key/%d", i);
        dw_str text = dw__str_make(key, (size_t) len);
        assert_true(dw__key_set_put(&set, text, 1 + (unsigned) i % DW_KEY_TAG_MAX, &inserted));
        assert_true(inserted);
        assert_true(dw__key_set_put(&set, text, DW_KEY_TAG_MAX, &inserted));
        assert_false(inserted);
    }
    for (int i = 0; i < 10000; i++) {
        int len = snprintf(key, sizeof(key), "key/%d", i);
        unsigned expected = i < 5000 ? 1 + (unsigned) i % DW_KEY_TAG_MAX : 0;
        assert_int_equal(dw__key_set_get(&set, dw__str_make(key, (size_t) len)), expected);
    }
    assert_int_equal(set.count, 5000);
}

enum { LISTED_KEYS = 300000 };

static size_t
make_key(char out[64], int64_t idx)
{
    return (size_t) snprintf(out, 64, "p=%" PRId64 "/part-%0*" PRId64 ".parquet", idx % 7,
                             (int) (idx % 30), idx);
}

/* More than is kept in memory, so that most of it goes through a file. */
static void
test_key_list__gives_back_what_it_was_given(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    char text[64];
    dw_key_list list = dw__key_list_make(dw__allocator_libc(), DW_STR_NULL);
    for (int64_t i = 0; i < LISTED_KEYS; i++) {
        dw_str key = dw__str_make(text, make_key(text, i));
        assert_ok(dw__key_list_push(&list, key, i, &err), &err);
    }
    assert_true(list.spilled > 0);
    dw_key_reader reader = dw__key_reader_make(&list);
    dw_str key;
    int64_t size;
    bool found;
    for (int64_t i = 0; i < LISTED_KEYS; i++) {
        assert_ok(dw__key_reader_next(&reader, &key, &size, &found, &err), &err);
        assert_true(found);
        assert_int_equal(size, i);
        assert_true(dw__str_equal(key, dw__str_make(text, make_key(text, i))));
    }
    assert_ok(dw__key_reader_next(&reader, &key, &size, &found, &err), &err);
    assert_false(found);
    dw__key_reader_deinit(&reader);
    dw__key_list_deinit(&list);
}

/* ---- A table --------------------------------------------------------------------------------- */

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
    "\"partitionColumns\":[],\"configuration\":{\"delta.deletedFileRetentionDuration\":"
    "\"interval 0 hours\"}}}\n"
    "{\"add\":{\"path\":\"live.parquet\",\"partitionValues\":{},\"size\":4,"
    "\"modificationTime\":1,\"dataChange\":true}}\n";

static void
make_table(const char *path)
{
    dwt_write_file(path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
    dwt_write_file(path, "live.parquet", DW_STR("live"));
}

static dw_status
vacuum(dw_table *table, const dw_env *env, bool dry_run, dw_vacuum_result *out, dw_error *err)
{
    struct ArrowArrayStream rows;
    dw_upkeep_options options = {.dry_run = dry_run};
    dw_upkeep upkeep = dw__upkeep_make(env, NULL, &options);
    dw_vacuum_spec spec = {.kind = DW_VACUUM_FULL};
    dw_status status = dw__table_vacuum(&upkeep, table, &spec, &rows, out, err);
    if (status == DW_OK) {
        rows.release(&rows);
    }
    return status;
}

/* ---- Ten million files ----------------------------------------------------------------------- */

enum { MANY_FILES = 10000000, MANY_MEMORY_MAX = 64 << 20 };

typedef struct measured {
    atomic_llong now, peak;
} measured;

static void *
resize_measured(void *ctx, void *ptr, size_t size_old, size_t size_new)
{
    measured *self = ctx;
    const dw_allocator *libc = dw__allocator_libc();
    void *result = libc->resize(libc->ctx, ptr, size_old, size_new);
    if (result != NULL || size_new == 0) {
        long long change = (long long) size_new - (ptr == NULL ? 0 : (long long) size_old);
        long long now = atomic_fetch_add(&self->now, change) + change;
        atomic_store(&self->peak, now > atomic_load(&self->peak) ? now : atomic_load(&self->peak));
    }
    return result;
}

static dw_status
walk_many(dw_storage *storage, const dw_walk *walk, dw_error *err)
{
    (void) storage;
    char text[128];
    for (int64_t i = 0; i < MANY_FILES; i++) {
        int len = snprintf(text, sizeof(text), "p=%" PRId64 "/part-%016" PRIx64 "-c000.parquet",
                           i % 1000, (uint64_t) i * UINT64_C(0x9e3779b97f4a7c15));
        dw_object_meta meta = {dw__str_make(text, (size_t) len), 100, 1};
        if (walk->wants(walk->ctx, meta.key)) {
            DW_TRY(walk->file(walk->ctx, &meta, err));
        }
    }
    return DW_OK;
}

static dw_status
vacuum_many(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    dw_storage *storage = dw__table_storage(table);
    const dw_storage_ops *ops = storage->ops;
    dw_storage_ops with_many = *ops;
    dw_vacuum_result result;
    with_many.walk = walk_many;
    storage->ops = &with_many;
    dw_status status = vacuum(table, env, true, &result, err);
    storage->ops = ops;
    assert_int_equal(result.found_count, MANY_FILES);
    assert_int_equal(result.found_bytes, INT64_C(100) * MANY_FILES);
    assert_int_equal(result.deleted_count, 0);
    return status;
}

static void
test_vacuum__looks_at_ten_million_files_in_little_memory(void **state)
{
    (void) state;
    measured memory = {0};
    dw_allocator allocator = {.resize = resize_measured, .ctx = &memory};
    dw_env env = dw__env_system();
    env.allocator = &allocator;
    dwt_temp_dir dir;
    dw_error err = DW_ERROR_INIT;
    dwt_temp_dir_make(&dir);
    make_table(dir.path);
    assert_ok(dwt_with_table(&env, dir.path, vacuum_many, &err), &err);
    assert_true(atomic_load(&memory.peak) < MANY_MEMORY_MAX);
    assert_int_equal(atomic_load(&memory.now), 0);
    dwt_temp_dir_remove(&dir);
}

/* ---- No memory ------------------------------------------------------------------------------- */

static dw_status
vacuum_some(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    dw_vacuum_result result;
    return vacuum(table, env, false, &result, err);
}

static void
make_dead_files(dwt_world *world, const char *path)
{
    make_table(path);
    dwt_write_file(path, "dead.parquet", DW_STR("dead"));
    dwt_write_file(path, "p=1/dead.parquet", DW_STR("dead"));
    /* Files have the time of the system, so the world must be behind it. */
    dwt_env_set_now_ms(world->test, INT64_C(4102444800000));
}

static void
check_table(const char *path, dw_status status)
{
    char *live = dwt_read_file(path, "live.parquet", NULL);
    char *dead = dwt_read_file(path, "p=1/dead.parquet", NULL);
    assert_non_null(live);
    assert_true(status != DW_OK || dead == NULL);
    free(live);
    free(dead);
}

static void
test_vacuum__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_starve(
        &(dwt_starved_table){.make = make_dead_files, .work = vacuum_some, .check = check_table});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_set__knows_its_keys_and_their_first_tags),
        cmocka_unit_test(test_key_list__gives_back_what_it_was_given),
        cmocka_unit_test(test_vacuum__looks_at_ten_million_files_in_little_memory),
        cmocka_unit_test(test_vacuum__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
