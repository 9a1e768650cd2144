/* What goes from a log with time, and what never does. [CLEANUP-1..4] */
#include "log_world.h"

#include "support/fault_loop.h"

#include "log/cleanup.h"
#include "log/hint.h"

#define NOON (DW_DAY_MS / 2)
#define KEEP_DAYS(count) (&(dw_cleanup_request){(count) *DW_DAY_MS, DW_DAY_MS})

/* Version v is committed at noon of day v. */
static void
commit_days(log_world *w, int64_t first, int64_t last)
{
    char line[200];
    for (int64_t version = first; version <= last; version++) {
        dwt_env_set_now_ms(&w->env, version * DW_DAY_MS + NOON);
        snprintf(line, sizeof(line),
                 "{\"add\":{\"path\":\"f%" PRId64 "\",\"partitionValues\":{},\"size\":1,"
                 "\"modificationTime\":1,\"dataChange\":true}}\n",
                 version);
        world_commit(w, version, line);
    }
}

static void
checkpoint_at(log_world *w, int64_t version)
{
    dw_log_snapshot *snapshot;
    assert_ok(dw__log_snapshot_at(w->log, version, &snapshot, &w->err), &w->err);
    assert_ok(dw__checkpoint_write(snapshot, &w->err), &w->err);
    dw__log_snapshot_unref(snapshot);
}

static void
put_checksum(log_world *w, int64_t version)
{
    char key[DW_CHECKPOINT_KEY_SIZE];
    (void) dw__checksum_key(version, key);
    dwt_put(w->storage, key, DW_STR("{}"));
}

/* The log as words: a version and what it has (k: checkpoint, x: compacted, s: checksum, c:
 * commit). */
static void
assert_log(log_world *w, const char *expected)
{
    char text[1000] = "";
    size_t len = 0;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {.prefix = DW_STR(DW_LOG_DIR), .start_after = DW_STR_NULL};
    dw_list_page page;
    assert_ok(dw__storage_list(w->storage, &request, &arena, &page, &w->err), &w->err);
    for (size_t i = 0; i < page.count; i++) {
        dw_str key = page.objects[i].key;
        dw_str name = dw__str_slice(key, sizeof(DW_LOG_DIR) - 1, key.len);
        dw_log_file file;
        int64_t version;
        char kind = 's';
        if (dw__log_name_parse(name, &file)) {
            version = file.version;
            kind = file.kind == DW_LOG_COMMIT ? 'c' : file.kind == DW_LOG_COMPACTED ? 'x' : 'k';
        } else if (!dw__checksum_name_parse(name, &version)) {
            continue;
        }
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%" PRId64 "%c",
                                 len > 0 ? " " : "", version, kind);
    }
    assert_string_equal(text, expected);
}

/* Cleans up at the end of day `day`. */
static dw_cleanup_result
clean_up(log_world *w, int64_t day, const dw_cleanup_request *request)
{
    dw_cleanup_result result;
    dwt_env_set_now_ms(&w->env, day * DW_DAY_MS + NOON + 1);
    assert_refreshes(w);
    assert_ok(dw__log_clean_up(w->snapshot, request, &result, &w->err), &w->err);
    return result;
}

static void
test_cleanup__keeps_what_was_the_newest_version_within_the_retention(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 8);
    checkpoint_at(w, 2);
    checkpoint_at(w, 4);
    checkpoint_at(w, 7);
    for (int64_t version = 0; version <= 8; version++) {
        put_checksum(w, version);
    }
    /* On day 8 three days are kept: from day 5 at midnight, when version 4 was the newest. */
    dw_cleanup_result result = clean_up(w, 8, KEEP_DAYS(3));
    assert_int_equal(result.first_version, 4);
    assert_log(w, "4k 4s 4c 5s 5c 6s 6c 7k 7s 7c 8s 8c");
    result = clean_up(w, 8, KEEP_DAYS(3));
    assert_int_equal(result.first_version, -1);
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "f0 f1 f2 f3 f4 f5 f6 f7 f8");
    int64_t first, last;
    assert_ok(dw__log_version_range(w->log, &first, &last, &w->err), &w->err);
    assert_int_equal(first, 4);
    assert_int_equal(last, 8);
}

static void
test_cleanup__goes_back_to_the_checkpoint_before_the_retention(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 8);
    checkpoint_at(w, 2);
    checkpoint_at(w, 6);
    assert_int_equal(clean_up(w, 8, KEEP_DAYS(3)).first_version, 2);
    assert_log(w, "2k 2c 3c 4c 5c 6k 6c 7c 8c");
}

static void
test_cleanup__removes_nothing_without_an_old_checkpoint(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 4);
    assert_int_equal(clean_up(w, 4, KEEP_DAYS(1)).first_version, -1);
    checkpoint_at(w, 4);
    assert_int_equal(clean_up(w, 4, KEEP_DAYS(1)).first_version, -1);
    assert_int_equal(clean_up(w, 4, KEEP_DAYS(30)).first_version, -1);
    assert_log(w, "0c 1c 2c 3c 4k 4c");
    assert_int_equal(clean_up(w, 5, KEEP_DAYS(0)).first_version, 4);
    assert_log(w, "4k 4c");
}

static void
test_cleanup__takes_compacted_commits_that_nobody_starts_with(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 6);
    checkpoint_at(w, 3);
    assert_ok(dw__log_compact(w->log, 1, 2, &w->err), &w->err);
    assert_ok(dw__log_compact(w->log, 3, 5, &w->err), &w->err);
    assert_ok(dw__log_compact(w->log, 4, 5, &w->err), &w->err);
    assert_int_equal(clean_up(w, 6, KEEP_DAYS(1)).first_version, 3);
    assert_log(w, "3k 3c 4x 4c 5c 6c");
}

static void
test_cleanup__never_goes_behind_where_the_hint_sends_readers(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 6);
    checkpoint_at(w, 2);
    char *hint = dwt_get(w->storage, DW_LAST_CHECKPOINT_KEY);
    checkpoint_at(w, 4);
    dwt_put(w->storage, DW_LAST_CHECKPOINT_KEY, dw__str_from(hint));
    free(hint);
    assert_int_equal(clean_up(w, 6, KEEP_DAYS(1)).first_version, 2);
}

static void
test_cleanup__asks_in_commit_timestamps_where_there_are_some(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    for (int64_t version = 0; version <= 4; version++) {
        char line[200];
        dwt_env_set_now_ms(&w->env, version); /* the files are as old as can be */
        dwt_commit_begin(&commit);
        snprintf(line, sizeof(line), "{\"commitInfo\":{\"inCommitTimestamp\":%" PRId64 "}}",
                 version * DW_DAY_MS + NOON);
        dwt_commit_raw(&commit, line);
        if (version == 0) {
            dwt_commit_protocol_features(&commit, "[]", "[\"inCommitTimestamp\"]");
            dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL,
                                "{\"delta.enableInCommitTimestamps\":\"true\"}");
        }
        dwt_commit_write(&commit, w->storage, version);
    }
    checkpoint_at(w, 1);
    checkpoint_at(w, 3);
    assert_int_equal(clean_up(w, 4, KEEP_DAYS(2)).first_version, 1);
    assert_log(w, "1k 1c 2c 3k 3c 4c");
}

static void
protect(log_world *w, int64_t before)
{
    char configuration[100];
    snprintf(configuration, sizeof(configuration),
             "{\"delta.requireCheckpointProtectionBeforeVersion\":\"%" PRId64 "\"}", before);
    dwt_env_set_now_ms(&w->env, NOON);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[]", "[\"checkpointProtection\"]");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, configuration);
    dwt_commit_write(&commit, w->storage, 0);
}

static void
test_cleanup__removes_protected_versions_together_or_not_at_all(void **state)
{
    log_world *w = *state;
    protect(w, 4);
    commit_days(w, 1, 6);
    checkpoint_at(w, 2);
    checkpoint_at(w, 4);
    assert_int_equal(clean_up(w, 6, KEEP_DAYS(3)).first_version, -1);
    assert_log(w, "0c 1c 2k 2c 3c 4k 4c 5c 6c");
    assert_int_equal(clean_up(w, 6, KEEP_DAYS(1)).first_version, 4);
    assert_log(w, "4k 4c 5c 6c");
}

static void
test_cleanup__removes_nothing_when_the_checkpoint_to_keep_is_damaged(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 6);
    checkpoint_at(w, 3);
    char key[DW_CHECKPOINT_KEY_SIZE];
    (void) dw__checkpoint_key(3, key);
    dwt_put(w->storage, key, DW_STR("PAR1"));
    dwt_env_set_now_ms(&w->env, 6 * DW_DAY_MS + NOON);
    assert_refreshes(w);
    dw_cleanup_result result;
    assert_true(dw__log_clean_up(w->snapshot, KEEP_DAYS(1), &result, &w->err) != DW_OK);
    assert_message_has(&w->err, "checkpoint 3");
    assert_log(w, "0c 1c 2c 3k 3c 4c 5c 6c");
}

/* ---- Sidecars -------------------------------------------------------------------------------- */

static void
make_v2_table(log_world *w)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_env_set_now_ms(&w->env, NOON);
    dwt_commit_protocol_features(&commit, "[\"v2Checkpoint\"]", "[\"v2Checkpoint\"]");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, "{\"delta.checkpointPolicy\":\"v2\"}");
    dwt_commit_write(&commit, w->storage, 0);
}

static size_t
count_sidecars(log_world *w)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {.prefix = DW_STR(DW_SIDECAR_DIR), .start_after = DW_STR_NULL};
    dw_list_page page;
    assert_ok(dw__storage_list(w->storage, &request, &arena, &page, &w->err), &w->err);
    return page.count;
}

static void
test_cleanup__takes_sidecars_that_no_checkpoint_names(void **state)
{
    log_world *w = *state;
    make_v2_table(w);
    for (int64_t version = 1; version <= 6; version++) {
        commit_days(w, version, version);
        if (version % 2 == 0) {
            checkpoint_at(w, version);
        }
    }
    dwt_put(w->storage, DW_SIDECAR_DIR "in-progress.parquet", DW_STR("young"));
    assert_int_equal(count_sidecars(w), 4);
    assert_int_equal(clean_up(w, 6, KEEP_DAYS(1)).first_version, 4);
    assert_log(w, "4k 4c 5c 6k 6c");
    assert_int_equal(count_sidecars(w), 3);
    world_reopen(w);
    dw_log_snapshot *snapshot;
    assert_ok(dw__log_snapshot_at(w->log, 5, &snapshot, &w->err), &w->err);
    dw__log_snapshot_unref(snapshot);
}

static void
test_cleanup__leaves_all_sidecars_when_a_checkpoint_cannot_be_read(void **state)
{
    log_world *w = *state;
    make_v2_table(w);
    for (int64_t version = 1; version <= 4; version++) {
        commit_days(w, version, version);
        checkpoint_at(w, version);
    }
    char key[DW_CHECKPOINT_KEY_SIZE];
    (void) dw__checkpoint_key(4, key);
    dwt_put(w->storage, key, DW_STR("no Parquet"));
    dwt_env_set_now_ms(&w->env, 5 * DW_DAY_MS + NOON);
    assert_refreshes(w);
    dw_cleanup_result result;
    assert_true(dw__log_clean_up(w->snapshot, KEEP_DAYS(2), &result, &w->err) != DW_OK);
    assert_int_equal(count_sidecars(w), 4);
}

/* ---- With checkpoints, and faults ------------------------------------------------------------ */

static void
test_checkpoint__is_followed_by_a_cleanup_unless_the_table_says_no(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 40);
    checkpoint_at(w, 5);
    assert_refreshes(w);
    assert_ok(dw__log_checkpoint(w->snapshot, &w->err), &w->err);
    char key[DW_COMMIT_KEY_SIZE];
    (void) dw__commit_key(4, key);
    assert_false(dwt_exists(w->storage, key));
    (void) dw__commit_key(5, key);
    assert_true(dwt_exists(w->storage, key));
    world_commit(w, 41,
                 "{\"metaData\":{\"id\":\"m\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
                 "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\","
                 "\"partitionColumns\":[],\"configuration\":"
                 "{\"delta.enableExpiredLogCleanup\":\"false\"}}}\n");
    checkpoint_at(w, 20);
    dwt_env_set_now_ms(&w->env, 99 * DW_DAY_MS);
    assert_refreshes(w);
    assert_ok(dw__log_checkpoint(w->snapshot, &w->err), &w->err);
    assert_true(dwt_exists(w->storage, key));
}

/* ---- Under a log that is open ---------------------------------------------------------------- */

/* A log of five days that was read on top of checkpoint 2, which another process then removed for
 * the one that it made of version 4. Checkpoint 2 has a tombstone, of f0. */
static void
lose_the_checkpoint(log_world *w)
{
    commit_days(w, 0, 1);
    dwt_env_set_now_ms(&w->env, 2 * DW_DAY_MS + NOON);
    world_commit(w, 2,
                 "{\"remove\":{\"path\":\"f0\",\"deletionTimestamp\":216000000,"
                 "\"dataChange\":true}}\n");
    checkpoint_at(w, 2);
    world_reopen(w);
    commit_days(w, 3, 4);
    assert_refreshes(w);
    log_world other = {.storage = w->storage, .engine = w->engine, .env = w->env};
    assert_ok(dw__log_open(&w->env.env, w->storage, w->engine, &other.log, &w->err), &w->err);
    checkpoint_at(&other, 4);
    dw_cleanup_result result;
    dwt_env_set_now_ms(&w->env, 5 * DW_DAY_MS + NOON);
    assert_refreshes(&other);
    assert_ok(dw__log_clean_up(other.snapshot, KEEP_DAYS(0), &result, &w->err), &w->err);
    assert_int_equal(result.first_version, 4);
    world_close_log(&other);
    assert_log(w, "4k 4c");
}

static dw_status
count_remove(void *ctx, const dw_file *remove, dw_error *err)
{
    (void) err;
    assert_str(remove->path, "f0");
    ++*(size_t *) ctx;
    return DW_OK;
}

static void
test_log__writes_a_checkpoint_though_the_one_below_was_cleaned_up(void **state)
{
    log_world *w = *state;
    lose_the_checkpoint(w);
    world_commit(w, 5, ADD("g"));
    assert_refreshes(w);
    assert_ok(dw__checkpoint_write(w->snapshot, &w->err), &w->err);
    size_t count = 0;
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "f1 f3 f4 g");
    assert_ok(dw__log_snapshot_visit_tombstones(w->snapshot, count_remove, &count, &w->err),
              &w->err);
    assert_int_equal(count, 1);
}

static void
test_log__finds_tombstones_though_their_checkpoint_was_cleaned_up(void **state)
{
    log_world *w = *state;
    lose_the_checkpoint(w);
    size_t count = 0;
    assert_ok(dw__log_snapshot_visit_tombstones(w->snapshot, count_remove, &count, &w->err),
              &w->err);
    assert_int_equal(count, 1);
}

static void
test_log__looks_now_and_then_whether_its_checkpoint_is_still_there(void **state)
{
    log_world *w = *state;
    lose_the_checkpoint(w);
    const dw_checkpoint *gone = w->snapshot->checkpoint;
    dw_log_snapshot *held = dw__log_snapshot_ref(w->snapshot);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 4);
    assert_ptr_not_equal(w->snapshot->checkpoint, gone);
    assert_false(dw__snapshot_is_stale(held));
    dw__log_snapshot_unref(held);
}

static void
test_log__is_read_anew_once_its_checkpoint_was_found_missing(void **state)
{
    log_world *w = *state;
    lose_the_checkpoint(w);
    size_t count = 0;
    const dw_checkpoint *gone = w->snapshot->checkpoint;
    assert_ok(dw__log_snapshot_visit_tombstones(w->snapshot, count_remove, &count, &w->err),
              &w->err);
    dw_log_snapshot *held = dw__log_snapshot_ref(w->snapshot);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 4);
    assert_ptr_not_equal(w->snapshot->checkpoint, gone);
    assert_false(dw__snapshot_is_stale(w->snapshot));
    dw__log_snapshot_unref(held);
}

static void
test_log__says_so_when_a_version_whose_checkpoint_was_cleaned_up_is_gone(void **state)
{
    log_world *w = *state;
    commit_days(w, 0, 2);
    checkpoint_at(w, 2);
    world_reopen(w);
    commit_days(w, 3, 3);
    assert_refreshes(w);
    dw_log_snapshot *held = dw__log_snapshot_ref(w->snapshot);
    commit_days(w, 4, 4);
    checkpoint_at(w, 4);
    (void) clean_up(w, 5, KEEP_DAYS(0));
    assert_log(w, "4k 4c");
    assert_int_equal(dw__checkpoint_write(held, &w->err), DW_NOT_FOUND);
    assert_non_null(strstr(w->err.context, "writing checkpoint 3"));
    dw__log_snapshot_unref(held);
}

static void
put_old_log(dwt_world *world, void *ctx)
{
    (void) ctx;
    dwt_env env;
    dwt_env_init(&env, 1);
    log_world w = {.storage = world->truth, .engine = dwt_fake_engine_open(&env.env)};
    assert_ok(dw__log_open(&env.env, w.storage, w.engine, &w.log, &w.err), &w.err);
    for (int64_t version = 0; version <= 6; version++) {
        char line[200];
        snprintf(line, sizeof(line),
                 "{\"commitInfo\":{\"inCommitTimestamp\":%" PRId64 "}}\n" ADD("a"),
                 version * DW_DAY_MS);
        dwt_commit commit;
        dwt_commit_begin(&commit);
        if (version == 0) {
            dwt_commit_protocol_features(&commit, "[\"v2Checkpoint\"]",
                                         "[\"inCommitTimestamp\",\"v2Checkpoint\"]");
            dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL,
                                "{\"delta.enableInCommitTimestamps\":\"true\","
                                "\"delta.checkpointPolicy\":\"v2\"}");
        }
        dw__strbuf_append(&commit.text, dw__str_from(line));
        dwt_commit_write(&commit, w.storage, version);
    }
    checkpoint_at(&w, 2);
    checkpoint_at(&w, 4);
    dw__log_close(w.log);
    dw__engine_close(w.engine);
    dwt_env_deinit(&env);
}

static dw_status
clean_old_log(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_log *log = NULL;
    dw_log_snapshot *snapshot = NULL;
    dwt_env_set_now_ms(world->test, 6 * DW_DAY_MS + NOON);
    dw_status status = engine == NULL ? dw__error_oom(err) : DW_OK;
    if (status == DW_OK) {
        status = dw__log_open(world->env, world->storage, engine, &log, err);
    }
    if (status == DW_OK) {
        status = dw__log_snapshot(log, &snapshot, err);
    }
    dw_cleanup_result result;
    if (status == DW_OK) {
        status = dw__log_clean_up(snapshot, KEEP_DAYS(1), &result, err);
    }
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
    dw__engine_close(engine);
    return status;
}

/* However far it came, the versions that it keeps can be read. */
static void
check_kept_versions(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    (void) status;
    dwt_env env;
    dwt_env_init(&env, 1);
    log_world w = {.storage = world->truth, .engine = dwt_fake_engine_open(&env.env)};
    assert_ok(dw__log_open(&env.env, w.storage, w.engine, &w.log, &w.err), &w.err);
    for (int64_t version = 4; version <= 6; version++) {
        dw_log_snapshot *snapshot;
        assert_ok(dw__log_snapshot_at(w.log, version, &snapshot, &w.err), &w.err);
        assert_int_equal(dw__file_set_count(dw__log_snapshot_files(snapshot)), 1);
        dw__log_snapshot_unref(snapshot);
    }
    dw__log_close(w.log);
    dw__engine_close(w.engine);
    dwt_env_deinit(&env);
}

static void
test_cleanup__cut_off_anywhere_leaves_a_log_that_can_be_read(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.setup = put_old_log,
                                     .operation = clean_old_log,
                                     .check = check_kept_versions,
                                     .faults = DWT_FAULTS_ALL});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_cleanup__keeps_what_was_the_newest_version_within_the_retention),
        LOG_TEST(test_cleanup__goes_back_to_the_checkpoint_before_the_retention),
        LOG_TEST(test_cleanup__removes_nothing_without_an_old_checkpoint),
        LOG_TEST(test_cleanup__takes_compacted_commits_that_nobody_starts_with),
        LOG_TEST(test_cleanup__never_goes_behind_where_the_hint_sends_readers),
        LOG_TEST(test_cleanup__asks_in_commit_timestamps_where_there_are_some),
        LOG_TEST(test_cleanup__removes_protected_versions_together_or_not_at_all),
        LOG_TEST(test_cleanup__removes_nothing_when_the_checkpoint_to_keep_is_damaged),
        LOG_TEST(test_cleanup__takes_sidecars_that_no_checkpoint_names),
        LOG_TEST(test_cleanup__leaves_all_sidecars_when_a_checkpoint_cannot_be_read),
        LOG_TEST(test_checkpoint__is_followed_by_a_cleanup_unless_the_table_says_no),
        LOG_TEST(test_log__writes_a_checkpoint_though_the_one_below_was_cleaned_up),
        LOG_TEST(test_log__finds_tombstones_though_their_checkpoint_was_cleaned_up),
        LOG_TEST(test_log__looks_now_and_then_whether_its_checkpoint_is_still_there),
        LOG_TEST(test_log__is_read_anew_once_its_checkpoint_was_found_missing),
        LOG_TEST(test_log__says_so_when_a_version_whose_checkpoint_was_cleaned_up_is_gone),
        cmocka_unit_test(test_cleanup__cut_off_anywhere_leaves_a_log_that_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
