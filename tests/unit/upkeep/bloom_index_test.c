/*
 * CREATE BLOOMFILTER INDEX where memory runs out. What it makes is tested end to end.
 */
#include "support/test.h"

#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "upkeep/bloom_index.h"

#include <stdlib.h>

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{\\\"comment\\\":\\\"c\\\"}}]"
    "}\",\"partitionColumns\":[],\"configuration\":{}}}\n";

static void
prepare_round(dwt_world *world, void *ctx)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    dwt_temp_dir_make(dir);
    dwt_write_file(dir->path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
    dwt_write_file(dir->path, "_deltaworks_index/bloom-1.index", DW_STR("damaged"));
}

static dw_status
create(dw_table *table, const dw_env *env, dw_error *err)
{
    dw_bloom_index_result done;
    dw_upkeep_options options = {.dry_run = false};
    dw_upkeep upkeep = dw__upkeep_make(env, NULL, &options);
    dw_bloom_request request = {.column = DW_STR("A"), .options = dw__bloom_options_default()};
    DW_TRY(dw__table_create_bloom_index(table, &upkeep, &request, 1, &done, err));
    assert_int_equal(done.version, 1);
    assert_int_equal(done.file_count, 0);
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
        status = status == DW_OK ? create(table, world->env, err) : status;
    }
    dw__database_close(database);
    return status;
}

/* Either nothing was committed, or the definition, beside what was said of the column before. */
static void
check_round(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    dwt_temp_dir *dir = ctx;
    char *commit = dwt_read_file(dir->path, "_delta_log/00000000000000000001.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "delta.bloomFilter.enabled\\\":true"));
        assert_non_null(strstr(commit, "\\\"comment\\\":\\\"c\\\""));
    }
    free(commit);
    dwt_temp_dir_remove(dir);
}

static void
test_create_bloom_index__survives_running_out_of_memory(void **state)
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
        cmocka_unit_test(test_create_bloom_index__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
