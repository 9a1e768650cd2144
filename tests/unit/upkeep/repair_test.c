/*
 * FSCK REPAIR TABLE where memory runs out. What it removes is tested end to end.
 */
#include "support/test.h"

#include "codec/rows.h"
#include "unit/table/starved_table.h"
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
make_table(dwt_world *world, const char *path)
{
    (void) world;
    dwt_write_file(path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
    dwt_write_file(path, "live.parquet", DW_STR("live"));
}

static dw_status
repair(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
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

/* Either nothing was committed, or the file that was lost is gone, and no other. */
static void
check_table(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000001.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "\"remove\":{\"path\":\"lost.parquet\""));
        assert_null(strstr(commit, "live.parquet"));
    }
    free(commit);
}

static void
test_repair__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_starve(&(dwt_starved_table){.make = make_table, .work = repair, .check = check_table});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repair__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
