/*
 * CREATE BLOOMFILTER INDEX where memory runs out. What it makes is tested end to end.
 */
#include "support/test.h"

#include "unit/table/starved_table.h"
#include "upkeep/bloom_index.h"

#include <stdlib.h>

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{\\\"comment\\\":\\\"c\\\"}}]"
    "}\",\"partitionColumns\":[],\"configuration\":{}}}\n";

static void
make_table(dwt_world *world, const char *path)
{
    (void) world;
    dwt_write_file(path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
    dwt_write_file(path, "_deltaworks_index/bloom-1.index", DW_STR("damaged"));
}

static dw_status
create(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    dw_bloom_index_result done;
    dw_upkeep_options options = {.dry_run = false};
    dw_upkeep upkeep = dw__upkeep_make(env, NULL, &options);
    dw_bloom_request request = {.column = DW_STR("A"), .options = dw__bloom_options_default()};
    DW_TRY(dw__table_create_bloom_index(table, &upkeep, &request, 1, &done, err));
    assert_int_equal(done.version, 1);
    assert_int_equal(done.file_count, 0);
    return DW_OK;
}

/* Either nothing was committed, or the definition, beside what was said of the column before. */
static void
check_table(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000001.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "delta.bloomFilter.enabled\\\":true"));
        assert_non_null(strstr(commit, "\\\"comment\\\":\\\"c\\\""));
    }
    free(commit);
}

static void
test_create_bloom_index__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_starve(&(dwt_starved_table){.make = make_table, .work = create, .check = check_table});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_bloom_index__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
