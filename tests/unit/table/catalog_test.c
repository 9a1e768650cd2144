/* The catalog: what it finds and what it keeps. */
#include "support/temp_dir.h"
#include "support/test.h"
#include "support/test_env.h"
#include "table/catalog.h"

static void
test_catalog__keeps_nothing_of_names_that_are_no_tables(void **state)
{
    (void) state;
    dwt_env world;
    dwt_temp_dir dir;
    dw_error err = DW_ERROR_INIT;
    dw_catalog *catalog;
    dwt_env_init(&world, 1);
    dwt_temp_dir_make(&dir);
    assert_ok(dw__catalog_open(&world.env, NULL, dw__str_from(dir.path), &catalog, &err), &err);
    int64_t before = dwt_fault_allocator_live_bytes(&world.memory);
    for (int i = 0; i < 100; i++) {
        char text[16];
        bool found = true;
        (void) snprintf(text, sizeof text, "name_%d", i);
        dw_str name = dw__str_from(text);
        assert_ok(dw__catalog_has(catalog, &name, 1, &found, &err), &err);
        assert_false(found);
    }
    assert_int_equal(dwt_fault_allocator_live_bytes(&world.memory), before);
    dw__catalog_close(catalog);
    dwt_temp_dir_remove(&dir);
    dwt_env_deinit(&world);
}

static void
test_catalog__gives_one_table_for_all_spellings_of_a_place(void **state)
{
    (void) state;
    dwt_env world;
    dwt_temp_dir dir;
    dw_error err = DW_ERROR_INIT;
    dw_catalog *catalog;
    dwt_env_init(&world, 1);
    dwt_temp_dir_make(&dir);
    dwt_write_file(dir.path, "t/_delta_log/00000000000000000000.json", DW_STR("{}"));
    assert_ok(dw__catalog_open(&world.env, NULL, dw__str_from(dir.path), &catalog, &err), &err);
    char path[DWT_PATH_SIZE + 16];
    char uri[DWT_PATH_SIZE + 16];
    (void) snprintf(path, sizeof path, "%s/t", dir.path);
    (void) snprintf(uri, sizeof uri, "file://%s/t", dir.path);
    dw_table *by_path;
    dw_table *by_uri;
    bool found = false;
    dw_str name = DW_STR("t");
    assert_ok(dw__catalog_table_at(catalog, dw__str_from(path), &by_path, &err), &err);
    assert_ok(dw__catalog_table_at(catalog, dw__str_from(uri), &by_uri, &err), &err);
    assert_ptr_equal(by_path, by_uri);
    assert_ok(dw__catalog_has(catalog, &name, 1, &found, &err), &err);
    assert_true(found);
    dw__table_unref(by_path);
    dw__table_unref(by_uri);
    dw__catalog_close(catalog);
    dwt_temp_dir_remove(&dir);
    dwt_env_deinit(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalog__keeps_nothing_of_names_that_are_no_tables),
        cmocka_unit_test(test_catalog__gives_one_table_for_all_spellings_of_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
