/* Times of versions, and the history. */
#include "log_world.h"

static void
commit_at(log_world *w, int64_t version, int64_t file_time_ms, const char *lines)
{
    dwt_env_set_now_ms(&w->env, file_time_ms);
    world_commit(w, version, lines);
}

static void
assert_version_at(log_world *w, int64_t time_ms, int64_t expected)
{
    int64_t version;
    dw__error_clear(&w->err);
    dw_status status = dw__log_version_at(w->log, time_ms * 1000, &version, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(version, expected);
}

static void
assert_no_version_at(log_world *w, int64_t time_ms)
{
    int64_t version;
    assert_error(dw__log_version_at(w->log, time_ms * 1000, &version, &w->err), DW_NOT_FOUND,
                 "TIMESTAMP_OUT_OF_RANGE", &w->err);
}

static void
test_time__finds_the_last_version_not_after_it(void **state)
{
    log_world *w = *state;
    commit_at(w, 0, 1000000, "");
    commit_at(w, 1, 2000000, ADD("a"));
    commit_at(w, 2, 3000000, ADD("b"));
    assert_version_at(w, 1000000, 0);
    assert_version_at(w, 1999999, 0);
    assert_version_at(w, 2000000, 1);
    assert_version_at(w, 2999999, 1);
    assert_version_at(w, 3000000, 2);
    assert_no_version_at(w, 999999);
    assert_no_version_at(w, 3000001);
}

static void
test_time__out_of_range_says_the_range(void **state)
{
    log_world *w = *state;
    commit_at(w, 0, 0, "");
    commit_at(w, 1, 86400123, ADD("a"));
    assert_no_version_at(w, 86400124);
    assert_string_equal(w->err.message,
                        "no version can be read as of 1970-01-02T00:00:00.124Z; the table's "
                        "versions were committed from 1970-01-01T00:00:00Z (version 0) to "
                        "1970-01-02T00:00:00.123Z (version 1)");
    int64_t version;
    assert_error(dw__log_version_at(w->log, -1, &version, &w->err), DW_NOT_FOUND,
                 "TIMESTAMP_OUT_OF_RANGE", &w->err);
}

static void
test_time__of_files_is_made_monotonic(void **state)
{
    log_world *w = *state;
    commit_at(w, 0, 5000, "");
    commit_at(w, 1, 4000, ADD("a"));
    commit_at(w, 2, 5001, ADD("b"));
    commit_at(w, 3, 9000, ADD("c"));
    assert_version_at(w, 5000, 0);
    assert_version_at(w, 5001, 1);
    assert_version_at(w, 5002, 2);
    assert_version_at(w, 8999, 2);
    assert_version_at(w, 9000, 3);
}

static void
test_time__counts_from_the_first_version_that_can_be_read(void **state)
{
    log_world *w = *state;
    for (int64_t version = 0; version <= 4; version++) {
        commit_at(w, version, 1000 * (version + 1), ADD("a"));
    }
    dw_log_snapshot *snapshot;
    dw_status status = dw__log_snapshot_at(w->log, 2, &snapshot, &w->err);
    assert_ok(status, &w->err);
    status = dw__checkpoint_write(snapshot, &w->err);
    assert_ok(status, &w->err);
    dw__log_snapshot_unref(snapshot);
    char key[DW_COMMIT_KEY_SIZE];
    status = dw__storage_remove(w->storage, dw__commit_key(0, key), &w->err);
    assert_ok(status, &w->err);
    assert_no_version_at(w, 2000);
    assert_message_has(&w->err, "version 2");
    assert_version_at(w, 3000, 2);
    assert_version_at(w, 4500, 3);
    int64_t first, last;
    status = dw__log_version_range(w->log, &first, &last, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(first, 2);
    assert_int_equal(last, 4);
}

#define INFO(time)                                                                                 \
    "{\"commitInfo\":{\"inCommitTimestamp\":" #time ",\"timestamp\":1,\"operation\":\"WRITE\"}}\n"

static void
in_commit_table(log_world *w, const char *more_configuration)
{
    char configuration[256];
    snprintf(configuration, sizeof(configuration),
             "{\"delta.enableInCommitTimestamps\":\"true\"%s}", more_configuration);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_raw(&commit, "{\"commitInfo\":{\"inCommitTimestamp\":100000,\"operation\":\"C\"}}");
    dwt_commit_protocol_features(&commit, "[]", "[\"inCommitTimestamp\"]");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL, configuration);
    dwt_commit_write(&commit, w->storage, 0);
}

static void
test_time__is_what_commits_say_when_the_table_has_in_commit_timestamps(void **state)
{
    log_world *w = *state;
    dwt_env_set_now_ms(&w->env, 500000);
    in_commit_table(w, "");
    commit_at(w, 1, 400000, INFO(200000) ADD("a"));
    commit_at(w, 2, 300000, INFO(300500) ADD("b"));
    assert_version_at(w, 100000, 0);
    assert_version_at(w, 199999, 0);
    assert_version_at(w, 200000, 1);
    assert_version_at(w, 300500, 2);
    assert_no_version_at(w, 300501);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_timestamp_ms(w->snapshot), 300500);
    commit_at(w, 3, 100, INFO(400000) ADD("c"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_timestamp_ms(w->snapshot), 400000);
}

static void
test_time__is_that_of_files_before_in_commit_timestamps_were_enabled(void **state)
{
    log_world *w = *state;
    commit_at(w, 0, 1000, "");
    commit_at(w, 1, 2000, ADD("a"));
    dwt_env_set_now_ms(&w->env, 9000);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_raw(&commit, "{\"commitInfo\":{\"inCommitTimestamp\":3000}}");
    dwt_commit_protocol_features(&commit, "[]", "[\"inCommitTimestamp\"]");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL,
                        "{\"delta.enableInCommitTimestamps\":\"true\","
                        "\"delta.inCommitTimestampEnablementVersion\":\"2\","
                        "\"delta.inCommitTimestampEnablementTimestamp\":\"3000\"}");
    dwt_commit_write(&commit, w->storage, 2);
    commit_at(w, 3, 100, INFO(4000));
    assert_version_at(w, 1999, 0);
    assert_version_at(w, 2999, 1);
    assert_version_at(w, 3000, 2);
    assert_version_at(w, 4000, 3);
    assert_no_version_at(w, 4001);
}

static void
test_time__of_a_snapshot_is_read_from_its_commit_below_a_checkpoint(void **state)
{
    log_world *w = *state;
    dwt_env_set_now_ms(&w->env, 500000);
    in_commit_table(w, "");
    commit_at(w, 1, 400000, INFO(200000) ADD("a"));
    assert_refreshes(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
    world_reopen(w);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_timestamp_ms(w->snapshot), 200000);
}

/* ---- History --------------------------------------------------------------------------------- */

static void
test_history__is_newest_first_and_has_every_commit(void **state)
{
    log_world *w = *state;
    commit_at(w, 0, 1000, "{\"commitInfo\":{\"timestamp\":5,\"operation\":\"CREATE TABLE\"}}\n");
    commit_at(w, 1, 900, ADD("a"));
    commit_at(w, 2, 3000,
              ADD("b") "{ \"commitInfo\":{\"operation\":\"WRITE\",\"operationParameters\":"
                       "{\"mode\":\"Append\"},\"readVersion\":1,\"isBlindAppend\":true}}\r\n");
    commit_at(w, 3, 4000, INFO(77));
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_history_entry *entries;
    size_t count;
    dw_status status = dw__log_history(w->log, 0, &arena, &entries, &count, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(entries[i].version, 3 - i);
    }
    assert_int_equal(entries[0].timestamp_ms, 77);
    assert_str(entries[1].info.operation, "WRITE");
    assert_str(entries[1].info.operation_parameters_json, "{\"mode\":\"Append\"}");
    assert_true(entries[1].info.is_blind_append);
    assert_int_equal(entries[1].info.read_version, 1);
    assert_null(entries[2].info.operation.ptr);
    assert_int_equal(entries[2].timestamp_ms, 1001);
    assert_str(entries[3].info.operation, "CREATE TABLE");
    status = dw__log_history(w->log, 2, &arena, &entries, &count, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(count, 2);
    assert_int_equal(entries[1].version, 2);
    dw__arena_deinit(&arena);
}

static void
test_history__finds_a_commit_info_behind_many_actions(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    for (int i = 0; i < 500; i++) {
        dwt_commit_raw(&commit, "{\"add\":{\"path\":\"x \\\"commitInfo\\\" y\",\"partitionValues\":"
                                "{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}");
    }
    dwt_commit_raw(&commit, "{\"commitInfo\":{\"operation\":\"LATE\"}}");
    dwt_commit_write(&commit, w->storage, 0);
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_history_entry *entries;
    size_t count;
    dw_status status = dw__log_history(w->log, 0, &arena, &entries, &count, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(count, 1);
    assert_str(entries[0].info.operation, "LATE");
    dw__arena_deinit(&arena);
}

static void
test_history__of_no_table_is_an_error(void **state)
{
    log_world *w = *state;
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_history_entry *entries;
    size_t count;
    int64_t first, last;
    assert_error(dw__log_history(w->log, 0, &arena, &entries, &count, &w->err), DW_NOT_FOUND,
                 "TABLE_NOT_FOUND", &w->err);
    assert_error(dw__log_version_range(w->log, &first, &last, &w->err), DW_NOT_FOUND,
                 "TABLE_NOT_FOUND", &w->err);
    dw__arena_deinit(&arena);
}

static void
test_history__of_a_torn_commit_info_names_the_commit(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, "{\"commitInfo\":{\"operation\":\n");
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_history_entry *entries;
    size_t count;
    dw_status status = dw__log_history(w->log, 0, &arena, &entries, &count, &w->err);
    assert_int_equal(status, DW_CORRUPT);
    assert_message_has(&w->err, "00000000000000000000.json");
    dw__arena_deinit(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_time__finds_the_last_version_not_after_it),
        LOG_TEST(test_time__out_of_range_says_the_range),
        LOG_TEST(test_time__of_files_is_made_monotonic),
        LOG_TEST(test_time__counts_from_the_first_version_that_can_be_read),
        LOG_TEST(test_time__is_what_commits_say_when_the_table_has_in_commit_timestamps),
        LOG_TEST(test_time__is_that_of_files_before_in_commit_timestamps_were_enabled),
        LOG_TEST(test_time__of_a_snapshot_is_read_from_its_commit_below_a_checkpoint),
        LOG_TEST(test_history__is_newest_first_and_has_every_commit),
        LOG_TEST(test_history__finds_a_commit_info_behind_many_actions),
        LOG_TEST(test_history__of_no_table_is_an_error),
        LOG_TEST(test_history__of_a_torn_commit_info_names_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
