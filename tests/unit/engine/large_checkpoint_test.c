/*
 * A checkpoint that two threads read: every file once, in order, with its own statistics.
 */
#include "fixture.h"

#include "log/checkpoint.h"
#include "log/log.h"
#include "support/delta_log.h"

#include <inttypes.h>

enum { FILE_COUNT = 70000, PATH_SIZE = 120 };

/* Names that take their room however they are compressed. */
static void
print_path(char path[PATH_SIZE], int i)
{
    uint64_t seed = (uint64_t) i + 1;
    int len = snprintf(path, PATH_SIZE, "part-%08d-", i);
    for (int k = 0; k < 4; k++) {
        len +=
            snprintf(path + len, PATH_SIZE - (size_t) len, "%016" PRIx64, dwt_random_next(&seed));
    }
    (void) snprintf(path + len, PATH_SIZE - (size_t) len, ".parquet");
}

static void
put_table(dw_storage *storage)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_metadata(&commit, DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long")), NULL, NULL);
    for (int i = 0; i < FILE_COUNT; i++) {
        char path[PATH_SIZE];
        char stats[200];
        print_path(path, i);
        (void) snprintf(stats, sizeof(stats),
                        "{\"numRecords\":%d,\"minValues\":{\"id\":%d},\"maxValues\":{\"id\":%d}}",
                        i, i, i + 1);
        dwt_commit_add(&commit, &(dwt_add){.path = path, .size = 1000 + i, .stats = stats});
    }
    dwt_commit_write(&commit, storage, 0);
}

static void
open_snapshot(fixture *f, dw_storage *storage, dw_log **log, dw_log_snapshot **snapshot)
{
    dw_engine *engine = dw__database_engine(f->database);
    assert_ok(dw__log_open(&f->world.env, storage, engine, log, &f->err), &f->err);
    assert_ok(dw__log_snapshot(*log, snapshot, &f->err), &f->err);
}

static dw_status
check_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) err;
    int *next = ctx;
    char expected[200];
    (void) ref;
    (void) snprintf(expected, sizeof(expected),
                    "{\"numRecords\":%d,\"minValues\":{\"id\":%d},\"maxValues\":{\"id\":%d}}",
                    *next, *next, *next + 1);
    assert_str(stats, expected);
    ++*next;
    return DW_OK;
}

static void
test_large_checkpoint__gives_every_file_once_and_in_order(void **state)
{
    fixture *f = *state;
    dw_storage *storage = NULL;
    dw_log *log = NULL;
    dw_log_snapshot *snapshot = NULL;
    assert_ok(dw__storage_open(&f->world.env, dw__str_from(f->dir.path), &storage, &f->err),
              &f->err);
    put_table(storage);
    open_snapshot(f, storage, &log, &snapshot);
    assert_ok(dw__checkpoint_write(snapshot, &f->err), &f->err);
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);

    open_snapshot(f, storage, &log, &snapshot);
    dw_file_set *files = dw__log_snapshot_files(snapshot);
    assert_int_equal(dw__file_set_count(files), FILE_COUNT);
    assert_int_equal(dw__file_set_block_count(files), 2); /* one of each thread */
    int next = 0;
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        char path[PATH_SIZE];
        print_path(path, next);
        assert_str(dw__file_set_path(files, ref), path);
        assert_int_equal(dw__file_set_file_size(files, ref), 1000 + next);
        next++;
    }
    assert_int_equal(next, FILE_COUNT);
    next = 0;
    assert_ok(dw__file_set_visit_stats(files, check_stats, &next, &f->err), &f->err);
    assert_int_equal(next, FILE_COUNT);
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
    dw__storage_close(storage);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_large_checkpoint__gives_every_file_once_and_in_order,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
