/*
 * The storage on real troubles: a disk that is full, directories that refuse, rivals in other
 * processes, files that come and go during a listing. Each runs in a child process, which may mount
 * things or give up its rights; where the system does not allow that, the test is skipped.
 */
#include "support/test.h"

#include "storage/storage.h"
#include "support/delta_log.h"
#include "support/temp_dir.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_OK = 0, CHILD_WRONG = 1, CHILD_SKIPS = 77, NOBODY = 65534 };

typedef int (*child_main)(const char *path);

/* Runs `body` in a child process; returns what it returned. */
static int
run_child(child_main body, const char *path)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(body(path));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_WRONG;
}

static void
run_in_child(child_main body)
{
    dwt_temp_dir dir;
    dwt_temp_dir_make_below(&dir, "/tmp");
    int result = run_child(body, dir.path);
    dwt_temp_dir_remove(&dir);
    if (result == CHILD_SKIPS) {
        skip();
    }
    assert_int_equal(result, CHILD_OK);
}

/* In a child there is no cmocka to catch a failure: each step says whether it went as expected. */
static bool
expect(dw_status actual, dw_status expected, const char *code, const dw_error *err)
{
    if (actual != expected || (code != NULL && strcmp(err->code, code) != 0)) {
        fprintf(stderr, "expected %s %s, found %s %s: %s\n", dw_status_name(expected),
                code == NULL ? "" : code, dw_status_name(actual), err->code, err->message);
        return false;
    }
    return true;
}

static dw_storage *
open_storage(dw_env *env, const char *path)
{
    *env = dw__env_system();
    dw_storage *storage;
    dw_error err = DW_ERROR_INIT;
    return expect(dw__storage_open(env, dw__str_from(path), &storage, &err), DW_OK, NULL, &err)
               ? storage
               : NULL;
}

/* ---- a full disk ----------------------------------------------------------------------------- */

enum { LARGE_SIZE = 1 << 20 };

static bool
fills_up(const char *path)
{
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    dw_error err = DW_ERROR_INIT;
    char *large = calloc(1, LARGE_SIZE);
    dw_str key = DW_STR("_delta_log/00000000000000000001.json");
    bool good =
        storage != NULL && large != NULL &&
        expect(dw__storage_put(storage, DW_STR("_delta_log/0"), DW_STR("small"), &err), DW_OK, NULL,
               &err) &&
        expect(dw__storage_put_if_absent(storage, key, dw__str_make(large, LARGE_SIZE), &err),
               DW_IO, "STORAGE_FULL", &err) &&
        expect(dw__storage_put(storage, key, dw__str_make(large, LARGE_SIZE), &err), DW_IO,
               "STORAGE_FULL", &err) &&
        strstr(err.message, "free some space") != NULL && strstr(err.message, path) != NULL;
    /* Nothing of it is left: the place is free for a smaller object, under the same key. */
    good = good && expect(dw__storage_put_if_absent(storage, key,
                                                    dw__str_make(large, LARGE_SIZE / 8), &err),
                          DW_OK, NULL, &err);
    free(large);
    dw__storage_close(storage);
    return good;
}

static int
full_disk_child(const char *path)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", path, "tmpfs", 0, "size=256k") != 0) {
        return CHILD_SKIPS;
    }
    return fills_up(path) ? CHILD_OK : CHILD_WRONG;
}

static void
test_posix_real__a_full_disk_loses_nothing(void **state)
{
    (void) state;
    run_in_child(full_disk_child);
}

static int
file_size_limit_child(const char *path)
{
    struct rlimit limit = {LARGE_SIZE / 2, LARGE_SIZE / 2};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || sigaction(SIGXFSZ, &ignore, NULL) != 0) {
        return CHILD_SKIPS;
    }
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    dw_error err = DW_ERROR_INIT;
    char *large = calloc(1, LARGE_SIZE);
    bool good = expect(dw__storage_put_if_absent(storage, DW_STR("large"),
                                                 dw__str_make(large, LARGE_SIZE), &err),
                       DW_IO, "STORAGE_FULL", &err) &&
                strstr(err.message, "ulimit -f") != NULL;
    free(large);
    dw__storage_close(storage);
    return good && dwt_read_file(path, "large", NULL) == NULL ? CHILD_OK : CHILD_WRONG;
}

static void
test_posix_real__a_file_size_limit_is_named(void **state)
{
    (void) state;
    run_in_child(file_size_limit_child);
}

/* ---- directories that refuse ----------------------------------------------------------------- */

static bool
is_refused(const char *path, const char *code)
{
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(env.allocator, 100);
    dw_str key = DW_STR("_delta_log/1");
    bool good =
        storage != NULL &&
        expect(dw__storage_put_if_absent(storage, key, DW_STR("x"), &err), DW_IO, code, &err) &&
        expect(dw__storage_put(storage, key, DW_STR("x"), &err), DW_IO, code, &err) &&
        expect(dw__storage_remove(storage, DW_STR("_delta_log/0"), &err), DW_IO, code, &err) &&
        expect(dw__storage_prepare(storage, DW_STR("_delta_log/"), &err), DW_IO, code, &err) &&
        expect(dw__storage_prepare(storage, DW_STR("new/"), &err), DW_IO, code, &err) &&
        expect(dw__storage_get(storage, DW_STR("_delta_log/0"), &buf, NULL, &err), DW_OK, NULL,
               &err);
    dw__storage_close(storage);
    return good;
}

static int
unprivileged_child(const char *path)
{
    dwt_write_file(path, "_delta_log/0", DW_STR("x"));
    char log[DWT_PATH_SIZE * 2];
    snprintf(log, sizeof(log), "%s/_delta_log", path);
    if (chmod(log, 0555) != 0 || chmod(path, 0555) != 0) {
        return CHILD_WRONG;
    }
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
        return CHILD_SKIPS;
    }
    return is_refused(path, "STORAGE_PERMISSION") ? CHILD_OK : CHILD_WRONG;
}

static void
test_posix_real__a_directory_without_rights_is_named(void **state)
{
    (void) state;
    run_in_child(unprivileged_child);
}

static int
read_only_child(const char *path)
{
    dwt_write_file(path, "_delta_log/0", DW_STR("x"));
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(path, path, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0) {
        return CHILD_SKIPS;
    }
    return is_refused(path, "STORAGE_READ_ONLY") ? CHILD_OK : CHILD_WRONG;
}

static void
test_posix_real__a_read_only_file_system_is_named(void **state)
{
    (void) state;
    run_in_child(read_only_child);
}

static int
takes_no_directories_child(const char *path)
{
    (void) path;
    struct stat info;
    if (stat("/proc/self", &info) != 0) {
        return CHILD_SKIPS;
    }
    dw_env env;
    dw_storage *storage = open_storage(&env, "/proc/no_such_directory/t");
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_put_if_absent(storage, DW_STR("0"), DW_STR("x"), &err);
    bool good = expect(status, DW_IO, "STORAGE_PERMISSION", &err);
    dw__storage_close(storage);
    return good ? CHILD_OK : CHILD_WRONG;
}

/* It says of directories that cannot be made that their parent is missing, which is there. */
static void
test_posix_real__a_file_system_without_new_directories_is_named(void **state)
{
    (void) state;
    run_in_child(takes_no_directories_child);
}

static int
unreadable_child(const char *path)
{
    dwt_write_file(path, "secret/0", DW_STR("x"));
    char secret[DWT_PATH_SIZE * 2];
    snprintf(secret, sizeof(secret), "%s/secret", path);
    if (chmod(path, 0755) != 0 || chmod(secret, 0700) != 0) {
        return CHILD_WRONG;
    }
    if (geteuid() != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
        return CHILD_SKIPS;
    }
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env.allocator);
    dw_list_request request = {.recursive = true};
    dw_list_page page;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(env.allocator, 100);
    bool good = expect(dw__storage_list(storage, &request, &arena, &page, &err), DW_IO,
                       "STORAGE_PERMISSION", &err) &&
                expect(dw__storage_get(storage, DW_STR("secret/0"), &buf, NULL, &err), DW_IO,
                       "STORAGE_PERMISSION", &err);
    dw__storage_close(storage);
    return good ? CHILD_OK : CHILD_WRONG;
}

/* A listing that left out what it may not read would look like a smaller table. */
static void
test_posix_real__a_listing_never_skips_what_it_may_not_read(void **state)
{
    (void) state;
    run_in_child(unreadable_child);
}

static int
few_files_child(const char *path)
{
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    dw_error err = DW_ERROR_INIT;
    bool good = expect(dw__storage_put(storage, DW_STR("a"), DW_STR("x"), &err), DW_OK, NULL, &err);
    struct rlimit limit = {3, 3};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CHILD_SKIPS;
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env.allocator);
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(env.allocator, 100);
    dw_list_request request = {.recursive = true};
    dw_list_page page;
    static const char code[] = "STORAGE_FILES_MAX";
    good = good &&
           expect(dw__storage_put(storage, DW_STR("b"), DW_STR("x"), &err), DW_IO, code, &err) &&
           expect(dw__storage_get(storage, DW_STR("a"), &buf, NULL, &err), DW_IO, code, &err) &&
           expect(dw__storage_list(storage, &request, &arena, &page, &err), DW_IO, code, &err);
    dw__storage_close(storage);
    return good ? CHILD_OK : CHILD_WRONG;
}

static void
test_posix_real__too_many_open_files_are_named(void **state)
{
    (void) state;
    run_in_child(few_files_child);
}

/* ---- rivals in other processes --------------------------------------------------------------- */

enum { PROCESSES = 6, KEYS = 50 };

/* Wins what it can; reports the wins by one byte each. */
static void
rival(const char *path, int number, int report)
{
    dw_env env;
    dw_storage *storage = open_storage(&env, path);
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    for (int i = 0; i < KEYS; i++) {
        char key[64];
        snprintf(key, sizeof(key), "_delta_log/%020d.json", i);
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            dw__storage_put_if_absent(storage, dw__str_from(key), dw__str_from(text), &err);
        char won = (char) i;
        if (status == DW_OK && write(report, &won, 1) != 1) {
            _exit(CHILD_WRONG);
        }
        if (status != DW_OK && !expect(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err)) {
            _exit(CHILD_WRONG);
        }
    }
    dw__storage_close(storage);
    _exit(CHILD_OK);
}

static void
test_posix_real__one_process_wins_each_key(void **state)
{
    (void) state;
    dwt_temp_dir dir;
    dwt_temp_dir_make_below(&dir, "/tmp");
    int wins[KEYS] = {0};
    int reports[2];
    assert_int_equal(pipe(reports), 0);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(reports[0]);
            rival(dir.path, i, reports[1]);
        }
        assert_true(children[i] > 0);
    }
    close(reports[1]);
    char won;
    while (read(reports[0], &won, 1) == 1) {
        wins[(int) won]++;
    }
    close(reports[0]);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_OK);
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(wins[i], 1);
    }
    dwt_temp_dir_remove(&dir);
}

/* ---- a listing while files come and go ------------------------------------------------------- */

enum { STEADY_FILES = 1500, LISTINGS = 30 };

typedef struct churn {
    dwt_temp_dir dir;
    atomic_bool ends;
} churn;

/* Files appear and vanish between those that stay. */
static void *
come_and_go(void *ctx)
{
    churn *self = ctx;
    for (int i = 0; !atomic_load(&self->ends); i++) {
        char name[64];
        char path[2 * DWT_PATH_SIZE];
        snprintf(name, sizeof(name), "_delta_log/%06d.passing", i % 400);
        snprintf(path, sizeof(path), "%s/%s", self->dir.path, name);
        dwt_write_file(self->dir.path, name, DW_STR("x"));
        if (i % 3 != 0) {
            unlink(path);
        }
    }
    return NULL;
}

static size_t
count_steady(dw_storage *storage, dw_arena *arena)
{
    dw_error err = DW_ERROR_INIT;
    dw_list_request request = {.prefix = DW_STR("_delta_log/")};
    dw_list_page page;
    dw_status status = dw__storage_list(storage, &request, arena, &page, &err);
    assert_ok(status, &err);
    size_t steady = 0;
    for (size_t i = 0; i < page.count; i++) {
        assert_true(i == 0 || dw__str_compare(page.objects[i - 1].key, page.objects[i].key) < 0);
        steady += dw__str_ends_with(page.objects[i].key, DW_STR(".json"));
    }
    return steady;
}

static void
test_posix_real__a_listing_misses_nothing_while_files_come_and_go(void **state)
{
    (void) state;
    churn self = {.ends = false};
    dwt_temp_dir_make_below(&self.dir, "/tmp");
    for (int i = 0; i < STEADY_FILES; i++) {
        char name[64];
        snprintf(name, sizeof(name), "_delta_log/%06d.json", i);
        dwt_write_file(self.dir.path, name, DW_STR("x"));
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, come_and_go, &self), 0);
    dw_env env;
    dw_storage *storage = open_storage(&env, self.dir.path);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env.allocator);
    for (int i = 0; i < LISTINGS; i++) {
        assert_int_equal(count_steady(storage, &arena), STEADY_FILES);
        dw__arena_reset(&arena);
    }
    atomic_store(&self.ends, true);
    pthread_join(thread, NULL);
    dw__storage_close(storage);
    dwt_temp_dir_remove(&self.dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posix_real__a_full_disk_loses_nothing),
        cmocka_unit_test(test_posix_real__a_file_size_limit_is_named),
        cmocka_unit_test(test_posix_real__a_directory_without_rights_is_named),
        cmocka_unit_test(test_posix_real__a_read_only_file_system_is_named),
        cmocka_unit_test(test_posix_real__a_file_system_without_new_directories_is_named),
        cmocka_unit_test(test_posix_real__a_listing_never_skips_what_it_may_not_read),
        cmocka_unit_test(test_posix_real__too_many_open_files_are_named),
        cmocka_unit_test(test_posix_real__one_process_wins_each_key),
        cmocka_unit_test(test_posix_real__a_listing_misses_nothing_while_files_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
