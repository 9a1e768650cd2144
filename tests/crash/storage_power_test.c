/*
 * Power failures during put_if_absent and put, in every way of naming a file: what comes back is
 * the old or the new object, never a torn one, and what was acknowledged is there.
 */
#include "support/test.h"

#include "power_loss.h"
#include "support/delta_log.h"
#include "support/posix_faults.h"

#include <errno.h>
#include <stdlib.h>

enum { COMMITS = 3, BYTES = 3000 };

/* How the file system names files. */
typedef enum naming_way { WAY_ANONYMOUS, WAY_LINK, WAY_RENAME, WAY_COUNT } naming_way;

/* The bytes of object `number`: recognisable as whole or torn. */
static dw_str
object_bytes(char out[BYTES], int64_t number)
{
    memset(out, 'a' + (int) number, BYTES);
    return dw__str_make(out, BYTES);
}

static void
commit_key(char out[64], int64_t number)
{
    snprintf(out, 64, "_delta_log/%020lld.json", (long long) number);
}

static bool
is_object(const char *bytes, int64_t number)
{
    char expected[BYTES + 1] = {0};
    object_bytes(expected, number);
    return strcmp(bytes, expected) == 0;
}

typedef struct power_run {
    dwt_temp_dir dir;
    power_recorder *recorder;
    dwt_posix_faults faults;
    dw_env env;
    dw_storage *storage;
} power_run;

static void
begin(power_run *run, naming_way way)
{
    dwt_temp_dir_make(&run->dir);
    run->env = dw__env_system();
    run->recorder = calloc(1, sizeof(*run->recorder));
    assert_non_null(run->recorder);
    power_recorder_init(run->recorder, run->dir.path);
    dwt_posix_faults_init(&run->faults, &run->recorder->calls);
    if (way != WAY_ANONYMOUS) {
        run->faults.rules[DWT_CALL_OPEN_ANONYMOUS] = (dwt_call_rule){DWT_ALWAYS, EOPNOTSUPP, false};
    }
    if (way == WAY_RENAME) {
        run->faults.rules[DWT_CALL_LINK] = (dwt_call_rule){DWT_ALWAYS, EPERM, false};
    }
    char root[DWT_PATH_SIZE + 16];
    snprintf(root, sizeof(root), "%s/table", run->dir.path);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_posix_open_over(&run->env, &run->faults.calls,
                                                   dw__str_from(root), &run->storage, &err);
    assert_ok(status, &err);
}

static power_verdict
end(power_run *run, power_check check)
{
    dw__storage_close(run->storage);
    power_verdict verdict = power_enumerate(run->recorder, check, NULL);
    power_recorder_deinit(run->recorder);
    free(run->recorder);
    dwt_temp_dir_remove(&run->dir);
    return verdict;
}

/* The storage that a process finds after the crash. */
static dw_storage *
reopen(dw_env *env, const char *path)
{
    char root[DWT_PATH_SIZE + 16];
    snprintf(root, sizeof(root), "%s/table", path);
    *env = dw__env_system();
    dw_storage *storage;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_open(env, dw__str_from(root), &storage, &err);
    assert_ok(status, &err);
    return storage;
}

/* ---- commits --------------------------------------------------------------------------------- */

static void
write_commits(power_run *run)
{
    char bytes[BYTES];
    for (int64_t i = 0; i < COMMITS; i++) {
        char key[64];
        commit_key(key, i);
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__storage_put_if_absent(run->storage, dw__str_from(key),
                                                     object_bytes(bytes, i), &err);
        assert_ok(status, &err);
        power_acknowledge(run->recorder);
    }
}

static const char *
check_commit(dw_storage *storage, int64_t number, bool must_be_there, bool *is_there)
{
    char key[64];
    commit_key(key, number);
    char *bytes = dwt_get(storage, key);
    *is_there = bytes != NULL;
    const char *fault = NULL;
    if (bytes == NULL && must_be_there) {
        fault = "an acknowledged commit is lost";
    } else if (bytes != NULL && !is_object(bytes, number)) {
        fault = "a commit is torn";
    }
    free(bytes);
    return fault;
}

/* Besides: the listing agrees with the objects, and the log can be written on. */
static const char *
check_commits(void *ctx, const char *path, int64_t acknowledged)
{
    (void) ctx;
    dw_env env;
    DW_AUTO(dw_storage_ptr) storage = reopen(&env, path);
    size_t count = 0;
    bool was_there = true;
    for (int64_t i = 0; i < COMMITS; i++) {
        bool is_there;
        const char *fault = check_commit(storage, i, i < acknowledged, &is_there);
        if (fault != NULL) {
            return fault;
        }
        if (is_there && !was_there) {
            return "a commit is there and the one before it is not";
        }
        was_there = is_there;
        count += is_there;
    }
    if (dwt_count(storage, "") != count) {
        return "the listing shows what is no commit";
    }
    for (int64_t i = (int64_t) count; i < COMMITS; i++) {
        char key[64];
        char bytes[BYTES];
        commit_key(key, i);
        if (dw__storage_put_if_absent(storage, dw__str_from(key), object_bytes(bytes, i), NULL) !=
            DW_OK) {
            return "the log cannot be written on";
        }
    }
    return dwt_count(storage, "") == COMMITS ? NULL : "a new commit is not listed";
}

static void
assert_holds(power_verdict verdict, int64_t states_min)
{
    print_message("%lld states\n", (long long) verdict.state_count);
    if (verdict.fault_count > 0) {
        fail_msg("%lld of %lld states are wrong; %s", (long long) verdict.fault_count,
                 (long long) verdict.state_count, verdict.fault);
    }
    assert_true(verdict.state_count >= states_min);
}

static void
test_power__commits_are_whole_and_never_lost(void **state)
{
    (void) state;
    for (int way = 0; way < WAY_COUNT; way++) {
        power_run run;
        begin(&run, (naming_way) way);
        write_commits(&run);
        assert_holds(end(&run, check_commits), 8);
    }
}

/*
 * Each commit tries a key that is taken first, and goes on to the next with what it wrote for that.
 */
static void
write_commits_by_drafts(power_run *run)
{
    char bytes[BYTES];
    for (int64_t i = 0; i < COMMITS; i++) {
        dw_draft *draft = NULL;
        dw_status status = DW_ALREADY_EXISTS;
        for (int64_t number = i > 0 ? i - 1 : i; status == DW_ALREADY_EXISTS; number++) {
            char key[64];
            commit_key(key, number);
            status = dw__storage_put_draft_if_absent(run->storage, dw__str_from(key),
                                                     object_bytes(bytes, i), &draft, NULL);
        }
        assert_int_equal(status, DW_OK);
        power_acknowledge(run->recorder);
    }
}

static void
test_power__commits_that_lost_a_race_first_are_whole_and_never_lost(void **state)
{
    (void) state;
    for (int way = 0; way < WAY_COUNT; way++) {
        power_run run;
        begin(&run, (naming_way) way);
        write_commits_by_drafts(&run);
        assert_holds(end(&run, check_commits), 8);
    }
}

/* Another process made the directories and had no time to sync them. */
static void
test_power__directories_of_others_become_durable_too(void **state)
{
    (void) state;
    power_run run;
    begin(&run, WAY_ANONYMOUS);
    static const char *const names[] = {"table", "table/_delta_log"};
    for (size_t i = 0; i < 2; i++) {
        char path[2 * DWT_PATH_SIZE];
        snprintf(path, sizeof(path), "%s/%s", run.dir.path, names[i]);
        assert_int_equal(run.recorder->calls.mkdir(run.recorder, path, 0777), 0);
    }
    write_commits(&run);
    assert_holds(end(&run, check_commits), 8);
}

/* ---- replacing ------------------------------------------------------------------------------- */

static void
write_hints(power_run *run)
{
    char bytes[BYTES];
    for (int64_t i = 0; i < COMMITS; i++) {
        dwt_put(run->storage, "_delta_log/_last_checkpoint", object_bytes(bytes, i));
        power_acknowledge(run->recorder);
    }
}

static const char *
check_hint(void *ctx, const char *path, int64_t acknowledged)
{
    (void) ctx;
    dw_env env;
    DW_AUTO(dw_storage_ptr) storage = reopen(&env, path);
    char *bytes = dwt_get(storage, "_delta_log/_last_checkpoint");
    if (bytes == NULL) {
        return acknowledged == 0 ? NULL : "the object is lost";
    }
    /* The one acknowledged last or the one under way. */
    bool is_good = (acknowledged > 0 && is_object(bytes, acknowledged - 1)) ||
                   (acknowledged < COMMITS && is_object(bytes, acknowledged));
    free(bytes);
    if (!is_good) {
        return "the object is neither the old nor the new one";
    }
    return dwt_count(storage, "") == 1 ? NULL : "the listing shows a temporary file";
}

static void
test_power__a_replaced_object_is_the_old_or_the_new_one(void **state)
{
    (void) state;
    power_run run;
    begin(&run, WAY_ANONYMOUS);
    write_hints(&run);
    assert_holds(end(&run, check_hint), 8);
}

/* ---- data of the engine ---------------------------------------------------------------------- */

/* A data file by the engine's own path, made durable by sync before the commit that names it. */
static void
write_data_and_commit(power_run *run)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_prepare(run->storage, DW_STR(""), &err);
    assert_ok(status, &err);
    char bytes[BYTES];
    power_write_file(run->recorder, "table/year=2024/month=1/part-0", object_bytes(bytes, 10));
    power_write_file(run->recorder, "table/year=2024/month=2/part-1", object_bytes(bytes, 11));
    dw_sync_request requests[] = {{DW_STR("year=2024/month=1/part-0"), BYTES},
                                  {DW_STR("year=2024/month=2/part-1"), BYTES}};
    status = dw__storage_sync_many(run->storage, requests, 2, &err);
    assert_ok(status, &err);
    write_commits(run);
}

static const char *
check_data(void *ctx, const char *path, int64_t acknowledged)
{
    const char *fault = check_commits(ctx, path, acknowledged);
    if (fault != NULL && strcmp(fault, "the listing shows what is no commit") != 0) {
        return fault;
    }
    dw_env env;
    DW_AUTO(dw_storage_ptr) storage = reopen(&env, path);
    bool is_committed = acknowledged > 0;
    static const char *const keys[] = {"year=2024/month=1/part-0", "year=2024/month=2/part-1"};
    for (int i = 0; i < 2; i++) {
        char *bytes = dwt_get(storage, keys[i]);
        bool is_whole = bytes != NULL && is_object(bytes, 10 + i);
        free(bytes);
        if (is_committed && !is_whole) {
            return "a committed data file is lost or torn";
        }
    }
    return NULL;
}

static void
test_power__synced_data_is_there_before_its_commit(void **state)
{
    (void) state;
    power_run run;
    begin(&run, WAY_ANONYMOUS);
    write_data_and_commit(&run);
    assert_holds(end(&run, check_data), 40);
}

/* ---- do the checks have teeth? --------------------------------------------------------------- */

static void
assert_bites(power_verdict verdict, const char *fault)
{
    assert_true(verdict.fault_count > 0);
    assert_non_null(strstr(verdict.fault, fault));
}

static void
test_power__a_disk_that_forgets_syncs_is_caught(void **state)
{
    (void) state;
    power_run run;
    begin(&run, WAY_ANONYMOUS);
    run.recorder->forgets_file_syncs = true;
    write_commits(&run);
    assert_bites(end(&run, check_commits), "torn");

    begin(&run, WAY_LINK);
    run.recorder->forgets_directory_syncs = true;
    write_commits(&run);
    assert_bites(end(&run, check_commits), "lost");

    begin(&run, WAY_ANONYMOUS);
    run.recorder->forgets_file_syncs = true;
    write_hints(&run);
    assert_bites(end(&run, check_hint), "neither");

    begin(&run, WAY_ANONYMOUS);
    run.recorder->forgets_directory_syncs = true;
    write_hints(&run);
    power_verdict verdict = end(&run, check_hint);
    assert_true(verdict.fault_count > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power__commits_are_whole_and_never_lost),
        cmocka_unit_test(test_power__commits_that_lost_a_race_first_are_whole_and_never_lost),
        cmocka_unit_test(test_power__directories_of_others_become_durable_too),
        cmocka_unit_test(test_power__a_replaced_object_is_the_old_or_the_new_one),
        cmocka_unit_test(test_power__synced_data_is_there_before_its_commit),
        cmocka_unit_test(test_power__a_disk_that_forgets_syncs_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
