/*
 * FSCK REPAIR TABLE where memory runs out. What it removes is tested end to end.
 */
#include "support/test.h"

#include "codec/rows.h"
#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "upkeep/repair.h"

#include <stdlib.h>

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
    "\"partitionColumns\":[],\"configuration\":{}}}\n"
    "{\"add\":{\"path\":\"live.parquet\",\"partitionValues\":{},\"size\":4,"
    "\"modificationTime\":1,\"dataChange\":true}}\n"
    "{\"add\":{\"path\":\"lost.parquet\",\"partitionValues\":{},\"size\":4,"
    "\"modificationTime\":1,\"dataChange\":true}}\n";

static void
prepare_round(dwt_world *world, void *ctx)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    dwt_temp_dir_make(dir);
    dwt_write_file(dir->path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
    dwt_write_file(dir->path, "live.parquet", DW_STR("live"));
}

static dw_status
repair(dw_table *table, const dw_env *env, dw_error *err)
{
    struct ArrowArrayStream rows;
    dw_repair_result done;
    dw_upkeep_options options = {.dry_run = false};
    dw_upkeep upkeep = dw__upkeep_make(env, NULL, &options);
    DW_TRY(dw__table_repair(table, &upkeep, false, &rows, &done, err));
    rows.release(&rows);
    assert_int_equal(done.file_count, 2);
    assert_int_equal(done.removed_count, 1);
    return DW_OK;
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
        status = status == DW_OK ? repair(table, world->env, err) : status;
    }
    dw__database_close(database);
    return status;
}

/* Either nothing was committed, or the file that was lost is gone, and no other. */
static void
check_round(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    char *commit = dwt_read_file(dir->path, "_delta_log/00000000000000000001.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "\"remove\":{\"path\":\"lost.parquet\""));
        assert_null(strstr(commit, "live.parquet"));
    }
    free(commit);
    dwt_temp_dir_remove(dir);
}

static void
test_repair__survives_running_out_of_memory(void **state)
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
        cmocka_unit_test(test_repair__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
