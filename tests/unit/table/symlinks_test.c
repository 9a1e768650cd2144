/*
 * Symlink manifests behind a commit where memory runs out. What they list is tested end to end.
 */
#include "support/test.h"

#include "table/symlinks.h"
#include "unit/table/starved_table.h"

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
make_table(dwt_world *world, const char *path)
{
    (void) world;
    dwt_write_file(path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
}

static dw_status
append(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    (void) env;
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

/* The list of the partition that was touched is whole or not there; the other is left alone. */
static void
check_table(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000001.json", NULL);
    char *list = dwt_read_file(path, DW_SYMLINKS_PREFIX "p=x/manifest", NULL);
    char *other = dwt_read_file(path, DW_SYMLINKS_PREFIX "p=y/manifest", NULL);
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
}

static void
test_symlinks__survive_running_out_of_memory(void **state)
{
    (void) state;
    dwt_starve(&(dwt_starved_table){.make = make_table, .work = append, .check = check_table});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symlinks__survive_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
