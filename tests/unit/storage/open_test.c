/*
 * From URIs to roots.
 */
#include "support/test.h"

#include "storage/storage.h"
#include "support/fault_loop.h"

#include <stdlib.h>
#include <unistd.h>

static void
assert_root(const char *uri, const char *expected)
{
    dw_env env = dw__env_system();
    dw_storage *storage;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_open(&env, dw__str_from(uri), &storage, &err);
    assert_ok(status, &err);
    assert_str(storage->root, expected);
    dw__storage_close(storage);
}

static void
assert_refused(dw_str uri, dw_status expected, const char *code, const char *text)
{
    dw_env env = dw__env_system();
    dw_storage *storage = (dw_storage *) &env;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_open(&env, uri, &storage, &err);
    assert_error(status, expected, code, &err);
    assert_message_has(&err, text);
    assert_null(storage);
}

static void
test_open__takes_absolute_paths(void **state)
{
    (void) state;
    assert_root("/data/t", "/data/t");
    assert_root("/data/t/", "/data/t");
    assert_root("//data///t//", "/data/t");
    assert_root("/data/./t/.", "/data/t");
    assert_root("/data/../t", "/data/../t");
    assert_root("/", "");
    assert_root("/with blank/%20", "/with blank/%20");
}

static void
test_open__makes_relative_paths_absolute(void **state)
{
    (void) state;
    char *current = getcwd(NULL, 0);
    assert_non_null(current);
    assert_int_equal(chdir("/usr"), 0);
    assert_root("t", "/usr/t");
    assert_root("./a/t/", "/usr/a/t");
    assert_root(".", "/usr");
    assert_root("../t", "/usr/../t");
    assert_root("x:y", "/usr/x:y");
    assert_root("c:/x", "/usr/c:/x");
    assert_root("a b:/x", "/usr/a b:/x");
    assert_int_equal(chdir(current), 0);
    free(current);
}

static void
test_open__takes_file_uris(void **state)
{
    (void) state;
    assert_root("file:///data/t", "/data/t");
    assert_root("file:/data/t", "/data/t");
    assert_root("FILE:///data/t/", "/data/t");
    assert_root("file://localhost/data/t", "/data/t");
    assert_root("file:///with%20blank/%C3%A4/100%25", "/with blank/\xc3\xa4/100%");
    assert_root("file:///", "");
}

static void
test_open__refuses_other_schemes_and_says_which_work(void **state)
{
    (void) state;
    static const char *const uris[] = {"s3://bucket/t", "abfss://c@a/t", "gs://b/t",
                                       "hdfs://h/t",    "dbfs:/t",       "http://x/"};
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        assert_refused(dw__str_from(uris[i]), DW_UNSUPPORTED, "SCHEME_UNSUPPORTED", "file://");
        assert_refused(dw__str_from(uris[i]), DW_UNSUPPORTED, "SCHEME_UNSUPPORTED", uris[i]);
    }
}

static void
test_open__refuses_bad_uris(void **state)
{
    (void) state;
    static const char code[] = "URI_INVALID";
    assert_refused(DW_STR(""), DW_INVALID_ARGUMENT, code, "empty");
    assert_refused(DW_STR_NULL, DW_INVALID_ARGUMENT, code, "empty");
    assert_refused(DW_STR("a\0b"), DW_INVALID_ARGUMENT, code, "NUL");
    assert_refused(DW_STR("file:///a%00b"), DW_INVALID_ARGUMENT, code, "NUL");
    assert_refused(DW_STR("file:///a%2"), DW_INVALID_ARGUMENT, code, "hexadecimal");
    assert_refused(DW_STR("file:///a%zz"), DW_INVALID_ARGUMENT, code, "hexadecimal");
    assert_refused(DW_STR("file://host/t"), DW_INVALID_ARGUMENT, code, "another host");
    assert_refused(DW_STR("file://t"), DW_INVALID_ARGUMENT, code, "no path");
    assert_refused(DW_STR("file://"), DW_INVALID_ARGUMENT, code, "no path");
    char *large = malloc(10000);
    assert_non_null(large);
    memset(large, 'x', 10000);
    assert_refused(dw__str_make(large, 5000), DW_INVALID_ARGUMENT, code, "longer");
    assert_refused(dw__str_make(large, 10000), DW_INVALID_ARGUMENT, "SIZE_LIMIT", "larger");
    free(large);
}

static dw_status
open_uri(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_storage_ptr) storage = NULL;
    return dw__storage_open(world->env, DW_STR("file:///data/%20/t"), &storage, err);
}

static void
test_open__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = open_uri, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__takes_absolute_paths),
        cmocka_unit_test(test_open__makes_relative_paths_absolute),
        cmocka_unit_test(test_open__takes_file_uris),
        cmocka_unit_test(test_open__refuses_other_schemes_and_says_which_work),
        cmocka_unit_test(test_open__refuses_bad_uris),
        cmocka_unit_test(test_open__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
