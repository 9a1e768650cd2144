/* The catalog: what it finds and what it keeps. */
#include "support/temp_dir.h"
#include "support/test.h"
#include "support/test_env.h"
#include "table/catalog.h"

/* A catalog over a folder of its own. The engine behind it is never loaded. */
typedef struct fixture {
    dwt_env world;
    dwt_temp_dir dir;
    dw_database *database;
    dw_catalog *catalog;
    dw_error err;
} fixture;

static void
fixture_init(fixture *f)
{
    static const dw_database_options options = {.thread_count = 1};
    *f = (fixture){.err = DW_ERROR_INIT};
    dwt_env_init(&f->world, 1);
    dwt_temp_dir_make(&f->dir);
    assert_ok(dw__database_open(&f->world.env, &options, &f->database, &f->err), &f->err);
    assert_ok(dw__catalog_open(&f->world.env, f->database, dw__str_from(f->dir.path), &f->catalog,
                               &f->err),
              &f->err);
}

static void
fixture_deinit(fixture *f)
{
    dw__catalog_close(f->catalog);
    dw__database_close(f->database);
    dwt_temp_dir_remove(&f->dir);
    dwt_env_deinit(&f->world);
}

static void
test_catalog__keeps_nothing_of_names_that_are_no_tables(void **state)
{
    (void) state;
    fixture f;
    fixture_init(&f);
    int64_t before = dwt_fault_allocator_live_bytes(&f.world.memory);
    for (int i = 0; i < 100; i++) {
        char text[16];
        bool found = true;
        (void) snprintf(text, sizeof text, "name_%d", i);
        dw_str name = dw__str_from(text);
        assert_ok(dw__catalog_has(f.catalog, &name, 1, &found, &f.err), &f.err);
        assert_false(found);
    }
    assert_int_equal(dwt_fault_allocator_live_bytes(&f.world.memory), before);
    fixture_deinit(&f);
}

static void
test_catalog__gives_one_table_for_all_spellings_of_a_place(void **state)
{
    (void) state;
    fixture f;
    fixture_init(&f);
    dwt_write_file(f.dir.path, "t/_delta_log/00000000000000000000.json", DW_STR("{}"));
    char path[DWT_PATH_SIZE + 16];
    char uri[DWT_PATH_SIZE + 16];
    (void) snprintf(path, sizeof path, "%s/t", f.dir.path);
    (void) snprintf(uri, sizeof uri, "file://%s/t", f.dir.path);
    dw_table *by_path;
    dw_table *by_uri;
    bool found = false;
    dw_str name = DW_STR("t");
    assert_ok(dw__catalog_table_at(f.catalog, dw__str_from(path), &by_path, &f.err), &f.err);
    assert_ok(dw__catalog_table_at(f.catalog, dw__str_from(uri), &by_uri, &f.err), &f.err);
    assert_ptr_equal(by_path, by_uri);
    assert_ok(dw__catalog_has(f.catalog, &name, 1, &found, &f.err), &f.err);
    assert_true(found);
    dw__table_unref(by_path);
    dw__table_unref(by_uri);
    fixture_deinit(&f);
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
