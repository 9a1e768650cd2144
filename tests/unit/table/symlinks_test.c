/*
 * Symlink manifests behind a commit where memory runs out. What they list is tested end to end.
 */
#include "support/test.h"

#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "table/symlinks.h"

#include <stdlib.h>

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":\\\"p\\\","
    "\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
    "\"partitionColumns\":[\"p\"],\"configuration\":{"
    "\"delta.compatibility.symlinkFormatManifest.enabled\":\"true\"}}}\n"
    "{\"add\":{\"path\":\"p=x/old.parquet\",\"partitionValues\":{\"p\":\"x\"},\"size\":4,"
    "\"modificationTime\":1,\"dataChange\":true}}\n"
    "{\"add\":{\"path\":\"p=y/other.parquet\",\"partitionValues\":{\"p\":\"y\"},\"size\":4,"
    "\"modificationTime\":1,\"dataChange\":true}}\n";

static void
prepare_round(dwt_world *world, void *ctx)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    dwt_temp_dir_make(dir);
    dwt_write_file(dir->path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
}

static dw_status
append(dw_table *table, dw_error *err)
{
    dw_pair pair = {DW_STR("p"), DW_STR("x")};
    dw_action action = {.kind = DW_ACTION_ADD};
    action.as.file = (dw_file){.path = DW_STR("p=x/new.parquet"),
                               .has_partition_values = true,
                               .partition_values = {&pair, 1},
                               .has_size = true,
                               .size_bytes = 4,
                               .data_change = true};
    dw_change change;
    dw_txn_result done;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    DW_TRY(dw__change_init(&change, table, snapshot, &arena, 1, err));
    dw__change_put(&change, &action);
    return dw__change_commit(&change, &done, err);
}

static dw_status
run_round(dwt_world *world, void *ctx, dw_error *err)
{
    dwt_temp_dir *dir = ctx;
    dw_database *database = NULL;
    dw_database_options options = {.thread_count = 1};
    dw_status status = dw__database_open(world->env, &options, &database, err);
    if (status == DW_OK) {
        DW_AUTO(dw_table_ptr) table = NULL;
        status = dw__table_open(world->env, database, dw__str_from(dir->path), &table, err);
        status = status == DW_OK ? append(table, err) : status;
    }
    dw__database_close(database);
    return status;
}

/* The list of the partition that was touched is whole or not there; the other is left alone. */
static void
check_round(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    char *commit = dwt_read_file(dir->path, "_delta_log/00000000000000000001.json", NULL);
    char *list = dwt_read_file(dir->path, DW_SYMLINKS_PREFIX "p=x/manifest", NULL);
    char *other = dwt_read_file(dir->path, DW_SYMLINKS_PREFIX "p=y/manifest", NULL);
    assert_true(status != DW_OK || commit != NULL);
    assert_true(commit != NULL || list == NULL);
    assert_null(other);
    if (list != NULL) {
        assert_non_null(strstr(list, "/p=x/old.parquet\n"));
        assert_non_null(strstr(list, "/p=x/new.parquet\n"));
    }
    free(other);
    free(list);
    free(commit);
    dwt_temp_dir_remove(dir);
}

static void
test_symlinks__survive_running_out_of_memory(void **state)
{
    (void) state;
    dwt_temp_dir dir;
    dwt_fault_loop(&(dwt_fault_case){.setup = prepare_round,
                                     .operation = run_round,
                                     .check = check_round,
                                     .ctx = &dir,
                                     .faults = DWT_FAULTS_ALLOC_ONCE});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symlinks__survive_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
