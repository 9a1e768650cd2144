/*
 * The storage on a file system: the contract, in each of the ways of naming a file, and what only a
 * file system has: links, directories, files of others.
 */
#include "contract.h"

#include "support/delta_log.h"
#include "support/fault_loop.h"
#include "support/posix_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct posix_extra {
    dwt_posix_faults faults;
} posix_extra;

static dwt_posix_faults *
faults_of(storage_fixture *fixture)
{
    return &((posix_extra *) fixture->extra)->faults;
}

static int
setup(void **state)
{
    storage_fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->extra = calloc(1, sizeof(posix_extra));
    dwt_env_init(&fixture->world, 1);
    dwt_temp_dir_make(&fixture->dir);
    dwt_posix_faults *faults = faults_of(fixture);
    dwt_posix_faults_init(faults, dw__posix_calls_system());
    char root[DWT_PATH_SIZE + 32];
    snprintf(root, sizeof(root), "%s/some/table", fixture->dir.path);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_posix_open_over(&fixture->world.env, &faults->calls,
                                                   dw__str_from(root), &fixture->storage, &err);
    assert_ok(status, &err);
    *state = fixture;
    return 0;
}

/* No file with a temporary name is left, not even a hidden one. */
static void
assert_no_leftovers(const storage_fixture *fixture)
{
    char command[DWT_PATH_SIZE + 64];
    snprintf(command, sizeof(command), "find '%s' -name '*.tmp' ! -name '.x.tmp' | grep -q .",
             fixture->dir.path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_not_equal(pclose(pipe), 0);
}

static int
teardown(void **state)
{
    storage_fixture *fixture = *state;
    assert_no_leftovers(fixture);
    assert_int_equal(faults_of(fixture)->open_count, 0);
    dw__storage_close(fixture->storage);
    dwt_env_deinit(&fixture->world);
    dwt_temp_dir_remove(&fixture->dir);
    free(fixture->extra);
    free(fixture);
    return 0;
}

/* A file system without O_TMPFILE. */
static int
setup_named(void **state)
{
    int failed = setup(state);
    faults_of(*state)->rules[DWT_CALL_OPEN_ANONYMOUS] = (dwt_call_rule){DWT_ALWAYS, EOPNOTSUPP, 0};
    return failed;
}

/* One without hard links either. */
static int
setup_unlinked(void **state)
{
    int failed = setup_named(state);
    faults_of(*state)->rules[DWT_CALL_LINK] = (dwt_call_rule){DWT_ALWAYS, EPERM, 0};
    return failed;
}

/* One that moves few bytes at a time. */
static int
setup_slow(void **state)
{
    int failed = setup(state);
    faults_of(*state)->io_bytes_max = 4093;
    return failed;
}

static const char *
root_of(const storage_fixture *fixture)
{
    static char root[DWT_PATH_SIZE + 32];
    snprintf(root, sizeof(root), "%s/some/table", fixture->dir.path);
    return root;
}

static void
assert_key_count(storage_fixture *fixture, size_t expected)
{
    assert_int_equal(dwt_count(fixture->storage, ""), expected);
}

/* ---- names that are no objects --------------------------------------------------------------- */

static void
test_posix__hides_leftover_temporary_files(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "_delta_log/x.json", DW_STR("x"));
    dwt_write_file(root_of(fixture), "_delta_log/.x.json.0123456789abcdef.tmp", DW_STR("torn"));
    dwt_write_file(root_of(fixture), "_delta_log/.x.json.0123456789ABCDEF.tmp1", DW_STR("other"));
    dwt_write_file(root_of(fixture), "_delta_log/.x.tmp", DW_STR("another's"));
    assert_key_count(fixture, 3);
    char path[2 * DWT_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/_delta_log/.x.json.0123456789abcdef.tmp", root_of(fixture));
    dwt_remove_tree(path);
}

static void
test_posix__refuses_keys_of_temporary_files(void **state)
{
    storage_fixture *fixture = *state;
    dw_error err = DW_ERROR_INIT;
    dw_str key = DW_STR("_delta_log/.x.json.0123456789abcdef.tmp");
    dw_status status = dw__storage_put(fixture->storage, key, DW_STR("x"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
    status = dw__storage_put_if_absent(fixture->storage, key, DW_STR("x"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
    assert_key_count(fixture, 0);
}

static void
test_posix__directories_are_no_objects(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "dir/a", DW_STR("x"));
    dw_error err = DW_ERROR_INIT;
    dw_status status =
        dw__storage_put_if_absent(fixture->storage, DW_STR("dir"), DW_STR("x"), &err);
    assert_error(status, DW_IO, "STORAGE_NOT_A_FILE", &err);
    status = dw__storage_put(fixture->storage, DW_STR("dir"), DW_STR("x"), &err);
    assert_error(status, DW_IO, "STORAGE_NOT_A_FILE", &err);
    status = dw__storage_put(fixture->storage, DW_STR("dir/a/b"), DW_STR("x"), &err);
    assert_error(status, DW_IO, "STORAGE_NOT_A_DIRECTORY", &err);
    assert_key_count(fixture, 1);
}

static void
make_link(const storage_fixture *fixture, const char *target, const char *name)
{
    char path[2 * DWT_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", root_of(fixture), name);
    assert_int_equal(symlink(target, path), 0);
}

static void
test_posix__follows_symbolic_links(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "real/file", DW_STR("12345"));
    make_link(fixture, "real", "dir");
    make_link(fixture, "real/file", "link");
    make_link(fixture, "nowhere", "dangling");
    char *bytes = dwt_get(fixture->storage, "dir/file");
    assert_string_equal(bytes, "12345");
    free(bytes);
    assert_key_count(fixture, 3);
    assert_false(dwt_exists(fixture->storage, "dangling"));
}

static void
test_posix__notices_links_that_go_in_circles(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "real/file", DW_STR("x"));
    make_link(fixture, "..", "real/up");
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {.recursive = true};
    dw_list_page page;
    dw_status status = dw__storage_list(fixture->storage, &request, &arena, &page, &err);
    assert_error(status, DW_IO, "STORAGE_TOO_DEEP", &err);
    assert_message_has(&err, "loop");
}

static void
test_posix__leaves_out_pipes(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "file", DW_STR("x"));
    char path[2 * DWT_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/pipe", root_of(fixture));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_key_count(fixture, 1);
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    dw_status status = dw__storage_get(fixture->storage, DW_STR("pipe"), &buf, NULL, &err);
    assert_error(status, DW_NOT_FOUND, "OBJECT_NOT_FOUND", &err);
}

static void
test_posix__reports_files_that_are_no_directories(void **state)
{
    storage_fixture *fixture = *state;
    dwt_write_file(fixture->dir.path, "some/table", DW_STR("a file where the table should be"));
    dw_error err = DW_ERROR_INIT;
    dw_status status =
        dw__storage_put_if_absent(fixture->storage, DW_STR("_delta_log/x"), DW_STR("x"), &err);
    assert_error(status, DW_IO, "STORAGE_NOT_A_DIRECTORY", &err);
    status = dw__storage_prepare(fixture->storage, DW_STR("_delta_log/"), &err);
    assert_error(status, DW_IO, "STORAGE_NOT_A_DIRECTORY", &err);
    assert_key_count(fixture, 0);
}

/* ---- files that change while they are read --------------------------------------------------- */

static void
assert_reads(storage_fixture *fixture, const char *key, const char *expected)
{
    char *bytes = dwt_get(fixture->storage, key);
    assert_non_null(bytes);
    assert_string_equal(bytes, expected);
    free(bytes);
}

static void
test_posix__reads_files_that_grow_and_shrink(void **state)
{
    storage_fixture *fixture = *state;
    char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    dwt_put(fixture->storage, "file", dw__str_from(text));
    for (int64_t add = -1000; add <= 1000; add += 50) {
        faults_of(fixture)->fstat_size_add = add;
        assert_reads(fixture, "file", text);
        faults_of(fixture)->io_bytes_max = add < 0 ? 0 : 64;
        assert_reads(fixture, "file", text);
        faults_of(fixture)->io_bytes_max = 0;
    }
    /* It outgrows the limit only after its size was looked at. */
    faults_of(fixture)->fstat_size_add = -900;
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 999);
    dw_status status = dw__storage_get(fixture->storage, DW_STR("file"), &buf, NULL, &err);
    assert_error(status, DW_CORRUPT, "OBJECT_TOO_LARGE", &err);
}

static void
test_posix__reads_small_objects_in_one_call(void **state)
{
    storage_fixture *fixture = *state;
    dwt_put(fixture->storage, "file", DW_STR("the bytes of a commit"));
    dwt_posix_faults *faults = faults_of(fixture);
    dwt_posix_faults_clear(faults);
    assert_reads(fixture, "file", "the bytes of a commit");
    assert_int_equal(faults->counts[DWT_CALL_OPEN], 1);
    assert_int_equal(faults->counts[DWT_CALL_FSTAT], 1);
    assert_int_equal(faults->counts[DWT_CALL_PREAD], 1);
    assert_int_equal(faults->counts[DWT_CALL_CLOSE], 1);
    assert_int_equal(faults->counts[DWT_CALL_STAT], 0);
}

/* ---- what a commit costs --------------------------------------------------------------------- */

static void
test_posix__creates_with_two_syncs(void **state)
{
    storage_fixture *fixture = *state;
    dw_error err = DW_ERROR_INIT;
    dw_status status =
        dw__storage_put_if_absent(fixture->storage, DW_STR("_delta_log/0"), DW_STR("x"), &err);
    assert_ok(status, &err);
    dwt_posix_faults *faults = faults_of(fixture);
    dwt_posix_faults_clear(faults);
    status = dw__storage_put_if_absent(fixture->storage, DW_STR("_delta_log/1"), DW_STR("x"), &err);
    assert_ok(status, &err);
    assert_int_equal(faults->counts[DWT_CALL_FSYNC], 1);
    assert_int_equal(faults->counts[DWT_CALL_FSYNC_DIRECTORY], 1);
    assert_int_equal(faults->counts[DWT_CALL_MKDIR], 0);

    /* Who comes too late neither writes nor syncs. */
    dwt_posix_faults_clear(faults);
    status = dw__storage_put_if_absent(fixture->storage, DW_STR("_delta_log/1"), DW_STR("x"), &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    assert_int_equal(faults->any_count, 1);
}

static void
test_posix__syncs_each_directory_once(void **state)
{
    storage_fixture *fixture = *state;
    enum { FILES = 20 };
    dw_sync_request requests[FILES];
    char keys[FILES][32];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(keys[i], sizeof(keys[i]), "x=%zu/y=%zu/file%zu", i % 2, i % 4, i);
        dwt_put(fixture->storage, keys[i], DW_STR("12"));
        requests[i] = (dw_sync_request){dw__str_from(keys[i]), 2};
    }
    dwt_posix_faults *faults = faults_of(fixture);
    dwt_posix_faults_clear(faults);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_sync_many(fixture->storage, requests, FILES, &err);
    assert_ok(status, &err);
    assert_int_equal(faults->counts[DWT_CALL_FSYNC], FILES);
    /* Four of y, two of x, the root. */
    assert_int_equal(faults->counts[DWT_CALL_FSYNC_DIRECTORY], 7);
}

static void
test_posix__says_which_of_many_syncs_failed(void **state)
{
    storage_fixture *fixture = *state;
    enum { FILES = 100 };
    dw_sync_request requests[FILES];
    char keys[FILES][32];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(keys[i], sizeof(keys[i]), "p=%zu/file", i);
        dwt_put(fixture->storage, keys[i], DW_STR("12"));
        requests[i] = (dw_sync_request){dw__str_from(keys[i]), i == 37 ? 3 : 2};
    }
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_sync_many(fixture->storage, requests, FILES, &err);
    assert_error(status, DW_CORRUPT, "OBJECT_SIZE_MISMATCH", &err);
    assert_message_has(&err, "p=37/file");

    requests[37].size_bytes = 2;
    dwt_posix_faults_clear(faults_of(fixture));
    faults_of(fixture)->rules[DWT_CALL_FSYNC_DIRECTORY] = (dwt_call_rule){.at = 20, .errnum = EIO};
    status = dw__storage_sync_many(fixture->storage, requests, FILES, &err);
    assert_error(status, DW_IO, "STORAGE_IO", &err);

    dwt_posix_faults_clear(faults_of(fixture));
    status = dw__storage_sync_many(fixture->storage, requests, FILES, &err);
    assert_ok(status, &err);
    assert_int_equal(faults_of(fixture)->counts[DWT_CALL_FSYNC], FILES);
    assert_int_equal(faults_of(fixture)->counts[DWT_CALL_FSYNC_DIRECTORY], FILES + 1);
}

/* ---- long listings --------------------------------------------------------------------------- */

static void
test_posix__lists_many_files_in_windows(void **state)
{
    storage_fixture *fixture = *state;
    enum { FILES = 5000 };
    char name[64];
    for (size_t i = 0; i < FILES; i++) {
        /* 7919 is prime: the files come in no order. */
        snprintf(name, sizeof(name), "_delta_log/%020zu.json", i * 7919 % FILES);
        dwt_write_file(root_of(fixture), name, DW_STR(""));
    }
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    static const size_t limits[] = {0, 7, 1000, 1001, 4999, 5000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        dw_list_request request = {.prefix = DW_STR("_delta_log/"), .limit = limits[i]};
        dw_list_page page;
        size_t seen = limits[i] == 7 ? 4900 : 0;
        snprintf(name, sizeof(name), "_delta_log/%020zu.json", seen - 1);
        request.start_after = seen == 0 ? DW_STR_NULL : dw__str_from(name);
        char expected[64];
        do {
            dw_status status = dw__storage_list(fixture->storage, &request, &arena, &page, &err);
            assert_ok(status, &err);
            for (size_t k = 0; k < page.count; k++) {
                snprintf(expected, sizeof(expected), "_delta_log/%020zu.json", seen++);
                assert_str(page.objects[k].key, expected);
            }
            request.start_after = page.objects[page.count - 1].key;
        } while (page.has_more);
        assert_int_equal(seen, FILES);
    }
}

/* A recursive listing whose windows are cut between directories. */
static void
test_posix__walks_many_directories_in_windows(void **state)
{
    storage_fixture *fixture = *state;
    enum { DIRECTORIES = 2500 };
    char name[64];
    for (size_t i = 0; i < DIRECTORIES; i++) {
        snprintf(name, sizeof(name), "p=%05zu/file", i * 7919 % DIRECTORIES);
        dwt_write_file(root_of(fixture), name, DW_STR(""));
    }
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {.limit = 900, .recursive = true};
    dw_list_page page;
    size_t seen = 0;
    do {
        dw_status status = dw__storage_list(fixture->storage, &request, &arena, &page, &err);
        assert_ok(status, &err);
        for (size_t k = 0; k < page.count; k++) {
            snprintf(name, sizeof(name), "p=%05zu/file", seen++);
            assert_str(page.objects[k].key, name);
        }
        request.start_after = page.objects[page.count - 1].key;
    } while (page.has_more);
    assert_int_equal(seen, DIRECTORIES);
}

/* ---- running out of memory ------------------------------------------------------------------- */

static dw_status
open_and_use(dwt_world *world, void *ctx, dw_error *err)
{
    DW_AUTO(dw_storage_ptr) storage = NULL;
    DW_TRY(dw__storage_open(world->env, dw__str_from(ctx), &storage, err));
    DW_TRY(dw__storage_put(storage, DW_STR("a/b/c"), DW_STR("bytes"), err));
    dw_status status = dw__storage_put_if_absent(storage, DW_STR("a/d"), DW_STR("more"), err);
    if (status == DW_ALREADY_EXISTS) {
        dw__error_clear(err); /* by an earlier round */
        status = DW_OK;
    }
    DW_TRY(status);
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(world->env->allocator, 100);
    DW_TRY(dw__storage_get(storage, DW_STR("a/b/c"), &buf, NULL, err));
    DW_TRY(dw__storage_get_range(storage, DW_STR("a/b/c"), 1, 2, &buf, err));
    DW_TRY(dw__storage_sync(storage, DW_STR("a/b/c"), 5, err));
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_list_request request = {.recursive = true};
    dw_list_page page;
    DW_TRY(dw__storage_list(storage, &request, &arena, &page, err));
    assert_int_equal(page.count, 2);
    return DW_OK;
}

static void
test_posix__survives_running_out_of_memory(void **state)
{
    storage_fixture *fixture = *state;
    char uri[DWT_PATH_SIZE + 16];
    snprintf(uri, sizeof(uri), "file://%s/t", fixture->dir.path);
    dwt_fault_loop(
        &(dwt_fault_case){.operation = open_and_use, .ctx = uri, .faults = DWT_FAULTS_ALLOC});
}

#define POSIX_TEST(name) cmocka_unit_test_setup_teardown(test_posix__##name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_CONTRACT_TESTS(setup, teardown),
        STORAGE_CONTRACT_TESTS(setup_named, teardown),
        STORAGE_CONTRACT_TESTS(setup_unlinked, teardown),
        STORAGE_CONTRACT_TESTS(setup_slow, teardown),
        POSIX_TEST(hides_leftover_temporary_files),
        POSIX_TEST(refuses_keys_of_temporary_files),
        POSIX_TEST(directories_are_no_objects),
        POSIX_TEST(follows_symbolic_links),
        POSIX_TEST(notices_links_that_go_in_circles),
        POSIX_TEST(leaves_out_pipes),
        POSIX_TEST(reports_files_that_are_no_directories),
        POSIX_TEST(reads_files_that_grow_and_shrink),
        POSIX_TEST(reads_small_objects_in_one_call),
        POSIX_TEST(creates_with_two_syncs),
        POSIX_TEST(syncs_each_directory_once),
        POSIX_TEST(says_which_of_many_syncs_failed),
        POSIX_TEST(lists_many_files_in_windows),
        POSIX_TEST(walks_many_directories_in_windows),
        POSIX_TEST(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
