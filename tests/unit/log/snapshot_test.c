/* Snapshots from commits: replay, errors, refresh. */
#include "log_world.h"

static void
test_snapshot__replays_commits_in_order(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a") ADD("b"));
    world_commit(w, 1, REMOVE("a") ADD("c"));
    world_commit(w, 2, ADD("a") REMOVE("b"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 2);
    assert_files(w, "a c");
    assert_int_equal(dw__file_set_size_bytes(dw__log_snapshot_files(w->snapshot)), 20);
    assert_str(dw__log_snapshot_metadata(w->snapshot)->schema_string, DWT_SCHEMA_ID_VALUE);
    assert_int_equal(dw__log_snapshot_schema(w->snapshot)->field_count, 2);
}

static void
test_snapshot__matches_files_by_their_canonical_path(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("file:/x/a") ADD("b%20c") ADD("d%2Be") ADD("/x/f") ADD("p=1/%25"));
    world_commit(w, 1, REMOVE("file:///x/a") REMOVE("b c") REMOVE("d+e") REMOVE("file:/x/f"));
    assert_refreshes(w);
    assert_files(w, "p=1/%25");
}

static void
test_snapshot__tells_files_apart_by_their_deletion_vector(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD_MORE("a", DV("v1")) REMOVE("a"));
    assert_refreshes(w);
    assert_files(w, "a#v1");
    world_commit(w, 2, REMOVE_MORE("a", DV("v1")) ADD_MORE("a", DV("v2")));
    assert_refreshes(w);
    assert_files(w, "a#v2");
    world_commit(w, 3, REMOVE("a"));
    assert_refreshes(w);
    assert_files(w, "a#v2");
}

static void
test_snapshot__takes_the_last_of_a_key_within_a_commit(void **state)
{
    log_world *w = *state;
    world_commit(
        w, 0, ADD("a") ADD_MORE("a", "\"stats\":\"{\\\"numRecords\\\":7}\"") ADD("b") REMOVE("b"));
    assert_refreshes(w);
    assert_files(w, "a");
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file_ref ref;
    dw_file file;
    assert_true(dw__file_set_first(dw__log_snapshot_files(w->snapshot), &ref));
    dw_status status =
        dw__file_set_get(dw__log_snapshot_files(w->snapshot), ref, &arena, &file, &w->err);
    assert_ok(status, &w->err);
    assert_str(file.stats, "{\"numRecords\":7}");
    dw__arena_deinit(&arena);
}

static void
test_snapshot__refuses_two_different_metadata_in_a_commit(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL, NULL);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
    dwt_commit_write(&commit, w->storage, 0);
    assert_error(world_refresh(w), DW_CORRUPT, "COMMIT_INVALID", &w->err);
    assert_message_has(&w->err, "00000000000000000000.json");
    assert_message_has(&w->err, "metaData");
}

static void
test_snapshot__keeps_the_last_txn_of_an_application(void **state)
{
    log_world *w = *state;
    world_commit(w, 0,
                 "{\"txn\":{\"appId\":\"x\",\"version\":5}}\n"
                 "{\"txn\":{\"appId\":\"y\",\"version\":1,\"lastUpdated\":9}}\n");
    world_commit(w, 1, "{\"txn\":{\"appId\":\"x\",\"version\":3}}\n");
    assert_refreshes(w);
    dw_txn_id txn;
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("x"), &txn));
    assert_int_equal(txn.version, 3);
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("y"), &txn));
    assert_int_equal(txn.last_updated_ms, 9);
    assert_false(dw__log_snapshot_txn(w->snapshot, DW_STR("z"), &txn));
    world_commit(w, 2, "{\"txn\":{\"appId\":\"z\",\"version\":8}}\n");
    assert_refreshes(w);
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("y"), &txn));
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("z"), &txn));
    assert_int_equal(txn.version, 8);
}

#define DOMAIN_LINE(name, config, removed)                                                         \
    "{\"domainMetadata\":{\"domain\":\"" name "\",\"configuration\":\"" config                     \
    "\",\"removed\":" removed "}}\n"

static void
test_snapshot__hides_removed_domains(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, DOMAIN_LINE("a", "1", "false") DOMAIN_LINE("b", "2", "false"));
    world_commit(w, 1, DOMAIN_LINE("a", "", "true"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_domain_count(w->snapshot), 1);
    assert_str(dw__log_snapshot_domain(w->snapshot, 0)->configuration, "2");
    world_commit(w, 2, DOMAIN_LINE("a", "3", "false") DOMAIN_LINE("b", "", "true"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_domain_count(w->snapshot), 1);
    assert_str(dw__log_snapshot_domain(w->snapshot, 0)->domain, "a");
}

static void
test_snapshot__keeps_everything_that_an_add_says(void **state)
{
    log_world *w = *state;
    world_commit(
        w, 0,
        "{\"add\":{\"path\":\"p\",\"partitionValues\":{\"k\":\"1\",\"l\":null},\"size\":10,"
        "\"modificationTime\":77,\"dataChange\":false,\"stats\":\"{}\",\"tags\":{\"t\":\"u\"},"
        "\"baseRowId\":5,\"defaultRowCommitVersion\":6,\"clusteringProvider\":\"liquid\","
        "\"future\":[1]," DV("v") "}}\n" ADD("q"));
    assert_refreshes(w);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file_ref ref;
    dw_file file;
    assert_true(dw__file_set_first(files, &ref));
    dw_status status = dw__file_set_get(files, ref, &arena, &file, &w->err);
    assert_ok(status, &w->err);
    assert_str(file.path, "p");
    assert_int_equal(file.partition_values.count, 2);
    assert_str(*dw__pairs_get(&file.partition_values, DW_STR("k")), "1");
    assert_null(dw__pairs_get(&file.partition_values, DW_STR("l"))->ptr);
    assert_int_equal(file.modification_time_ms, 77);
    assert_false(file.data_change);
    assert_str(file.stats, "{}");
    assert_str(file.tags_json, "{\"t\":\"u\"}");
    assert_int_equal(file.base_row_id, 5);
    assert_int_equal(file.default_row_commit_version, 6);
    assert_str(file.clustering_provider, "liquid");
    assert_str(file.extra_json, ",\"future\":[1]");
    assert_str(file.dv->path_or_inline_dv, "v");
    assert_str(dw__file_set_partition_value(files, ref, DW_STR("k")), "1");
    assert_null(dw__file_set_partition_value(files, ref, DW_STR("l")).ptr);
    assert_true(dw__file_set_next(files, &ref));
    status = dw__file_set_get(files, ref, &arena, &file, &w->err);
    assert_ok(status, &w->err);
    assert_null(file.stats.ptr);
    assert_null(file.tags_json.ptr);
    assert_null(file.dv);
    assert_false(file.has_base_row_id);
    assert_int_equal(file.partition_values.count, 0);
    dw__arena_deinit(&arena);
}

/* ---- What is wrong with a log ---------------------------------------------------------------- */

static void
test_snapshot__says_that_there_is_no_table(void **state)
{
    log_world *w = *state;
    bool exists;
    assert_error(world_refresh(w), DW_NOT_FOUND, "TABLE_NOT_FOUND", &w->err);
    dw_status status = dw__log_exists(w->log, &exists, &w->err);
    assert_ok(status, &w->err);
    assert_false(exists);
    dwt_put(w->storage, "_delta_log/00000000000000000000.json.tmp", DW_STR("x"));
    assert_error(world_refresh(w), DW_NOT_FOUND, "TABLE_NOT_FOUND", &w->err);
    world_commit(w, 0, "");
    status = dw__log_exists(w->log, &exists, &w->err);
    assert_ok(status, &w->err);
    assert_true(exists);
}

static void
test_snapshot__refuses_a_gap(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, "");
    world_commit(w, 2, ADD("a"));
    assert_error(world_refresh(w), DW_CORRUPT, "LOG_GAP", &w->err);
    assert_message_has(&w->err, "version 1 is missing");
}

static void
test_snapshot__needs_protocol_and_metadata(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL, NULL);
    dwt_commit_write(&commit, w->storage, 0);
    assert_error(world_refresh(w), DW_CORRUPT, "NO_PROTOCOL", &w->err);
    world_close_log(w);
    dw__storage_close(w->storage);
    dw_status status = dw__storage_memory_open(&w->env.env, &w->storage, &w->err);
    assert_ok(status, &w->err);
    world_open_log(w);
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_write(&commit, w->storage, 0);
    assert_error(world_refresh(w), DW_CORRUPT, "NO_METADATA", &w->err);
}

static void
test_snapshot__names_the_commit_and_line_of_torn_json(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, "");
    world_commit(w, 1, ADD("a") "{\"add\":{\"path\":\"b\",\"partition");
    assert_error(world_refresh(w), DW_CORRUPT, "COMMIT_INVALID", &w->err);
    assert_message_has(&w->err, "00000000000000000001.json");
    assert_message_has(&w->err, "line 2");
}

static void
test_snapshot__names_an_unknown_feature_before_anything_else(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_raw(&commit, "{\"add\":{\"shape\":\"of the future\"}}");
    dwt_commit_protocol_features(&commit, "[\"unknownFeature\"]", "[\"unknownFeature\"]");
    dwt_commit_write(&commit, w->storage, 0);
    assert_error(world_refresh(w), DW_UNSUPPORTED, "FEATURE_UNSUPPORTED", &w->err);
    assert_message_has(&w->err, "unknownFeature");
}

static void
test_snapshot__refuses_other_file_formats(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_raw(&commit, "{\"metaData\":{\"id\":\"i\",\"format\":{\"provider\":\"orc\"},"
                            "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\","
                            "\"partitionColumns\":[],\"configuration\":{}}}");
    dwt_commit_write(&commit, w->storage, 0);
    assert_error(world_refresh(w), DW_UNSUPPORTED, "FORMAT_UNSUPPORTED", &w->err);
    assert_message_has(&w->err, "orc");
}

/* ---- Refresh --------------------------------------------------------------------------------- */

static void
test_snapshot__is_the_same_object_when_nothing_is_new(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    assert_refreshes(w);
    dw_log_snapshot *first = dw__log_snapshot_ref(w->snapshot);
    assert_refreshes(w);
    assert_ptr_equal(w->snapshot, first);
    dw__log_snapshot_unref(first);
}

static void
test_snapshot__refresh_leaves_older_snapshots_alone(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a") ADD("b"));
    assert_refreshes(w);
    dw_log_snapshot *older = dw__log_snapshot_ref(w->snapshot);
    world_commit(w, 1, REMOVE("a") ADD("c"));
    world_commit(w, 2, REMOVE("c"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 2);
    assert_files(w, "b");
    char *words = file_words(dw__log_snapshot_files(older));
    assert_string_equal(words, "a b");
    free(words);
    assert_ptr_equal(dw__log_snapshot_schema(older), dw__log_snapshot_schema(w->snapshot));
    dw__log_snapshot_unref(older);
}

static void
test_snapshot__refresh_sees_a_new_schema(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, DWT_SCHEMA_ID);
    assert_refreshes(w);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
    dwt_commit_write(&commit, w->storage, 1);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_schema(w->snapshot)->field_count, 2);
}

static void
test_snapshot__keeps_few_blocks_over_many_refreshes(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, NULL);
    for (int64_t version = 1; version <= 300; version++) {
        dwt_log_append(w->storage, version);
        assert_refreshes(w);
        assert_int_equal(dw__file_set_count(dw__log_snapshot_files(w->snapshot)), version);
        assert_true(dw__file_set_block_count(dw__log_snapshot_files(w->snapshot)) <= 10);
    }
}

static void
test_snapshot__catches_up_over_many_commits(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, NULL);
    assert_refreshes(w);
    for (int64_t version = 1; version <= 100; version++) {
        dwt_log_append(w->storage, version);
    }
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 100);
    assert_int_equal(dw__file_set_count(dw__log_snapshot_files(w->snapshot)), 100);
}

static void
remove_log(log_world *w, int64_t last_version)
{
    for (int64_t version = 0; version <= last_version; version++) {
        char key[DW_COMMIT_KEY_SIZE];
        dw_status status = dw__storage_remove(w->storage, dw__commit_key(version, key), &w->err);
        assert_ok(status, &w->err);
    }
}

static void
test_snapshot__notices_that_the_table_was_made_anew(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, NULL);
    dwt_log_append(w->storage, 1);
    dwt_log_append(w->storage, 2);
    assert_refreshes(w);
    remove_log(w, 2);
    world_commit(w, 0, ADD("new"));
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), 0);
    assert_files(w, "new");
    remove_log(w, 0);
    world_commit(w, 0, ADD("newer"));
    world_commit(w, 1, ADD("newest"));
    assert_refreshes(w);
    assert_files(w, "newer newest");
}

static void
test_snapshot__notices_that_the_table_was_deleted(void **state)
{
    log_world *w = *state;
    dwt_log_create(w->storage, NULL);
    assert_refreshes(w);
    remove_log(w, 0);
    assert_error(world_refresh(w), DW_NOT_FOUND, "TABLE_NOT_FOUND", &w->err);
    dwt_log_create(w->storage, NULL);
    assert_refreshes(w);
}

static void
test_snapshot__a_failed_refresh_leaves_the_log_usable(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    assert_refreshes(w);
    world_commit(w, 1, "{\"add\":");
    assert_error(world_refresh(w), DW_CORRUPT, "COMMIT_INVALID", &w->err);
    dwt_put(w->storage, "_delta_log/00000000000000000001.json", DW_STR(ADD("b")));
    assert_refreshes(w);
    assert_files(w, "a b");
}

/* ---- Versions -------------------------------------------------------------------------------- */

static void
test_snapshot__of_a_version_is_the_table_then(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    world_commit(w, 2, REMOVE("a"));
    static const char *const expected[] = {"a", "a b", "b"};
    for (int64_t version = 0; version < 3; version++) {
        dw_log_snapshot *snapshot;
        dw_status status = dw__log_snapshot_at(w->log, version, &snapshot, &w->err);
        assert_ok(status, &w->err);
        char *words = file_words(dw__log_snapshot_files(snapshot));
        assert_string_equal(words, expected[version]);
        free(words);
        dw__log_snapshot_unref(snapshot);
    }
    dw_log_snapshot *snapshot;
    assert_error(dw__log_snapshot_at(w->log, 3, &snapshot, &w->err), DW_NOT_FOUND,
                 "VERSION_OUT_OF_RANGE", &w->err);
    assert_string_equal(w->err.message, "version 3 is not there; the table has versions 0 to 2");
    int64_t first, last;
    dw_status status = dw__log_version_range(w->log, &first, &last, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(first, 0);
    assert_int_equal(last, 2);
}

static void
test_snapshot__of_a_version_is_kept_until_the_table_is_made_anew(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    dw_log_snapshot *first, *second;
    dw_status status = dw__log_snapshot_at(w->log, 0, &first, &w->err);
    assert_ok(status, &w->err);
    status = dw__log_snapshot_at(w->log, 0, &second, &w->err);
    assert_ok(status, &w->err);
    assert_ptr_equal(first, second);
    dw__log_snapshot_unref(second);
    remove_log(w, 1);
    world_commit(w, 0, ADD("c"));
    world_commit(w, 1, ADD("d") ADD("e"));
    status = dw__log_snapshot_at(w->log, 0, &second, &w->err);
    assert_ok(status, &w->err);
    char *words = file_words(dw__log_snapshot_files(second));
    assert_string_equal(words, "c");
    free(words);
    dw__log_snapshot_unref(second);
    dw__log_snapshot_unref(first);
}

static void
test_snapshot__forgets_expired_tombstones_in_time(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, "");
    assert_refreshes(w);
    /* The clock starts after the time of these removes, and a week is kept. */
    dwt_env_set_now_ms(&w->env, INT64_C(1704067200000) + INT64_C(8) * 86400000);
    for (int64_t version = 1; version <= 64; version++) {
        char line[128];
        snprintf(line, sizeof(line),
                 "{\"remove\":{\"path\":\"f%d\",\"deletionTimestamp\":1704067200000,"
                 "\"dataChange\":true}}\n",
                 (int) version);
        world_commit(w, version, line);
        assert_refreshes(w);
    }
    assert_true(dw__file_set_count(w->snapshot->tombstones) < 8);
}

static void
test_snapshot__uses_compacted_commits(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    world_commit(w, 1, ADD("b"));
    world_commit(w, 2, ADD("c") REMOVE("a"));
    dwt_put(w->storage, "_delta_log/00000000000000000001.00000000000000000002.compacted.json",
            DW_STR(ADD("b") ADD("c") REMOVE("a")));
    dwt_put(w->storage, "_delta_log/00000000000000000001.json", DW_STR("not read"));
    assert_refreshes(w);
    assert_files(w, "b c");
}

static void
test_snapshot__of_a_version_inside_a_compacted_commit_needs_no_commit(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a"));
    dwt_put(w->storage, "_delta_log/00000000000000000001.00000000000000000002.compacted.json",
            DW_STR(ADD("b") ADD("c")));
    world_commit(w, 3, ADD("d"));
    dw_log_snapshot *snapshot;
    dw_status status = dw__log_snapshot_at(w->log, 2, &snapshot, &w->err);
    assert_ok(status, &w->err);
    char *words = file_words(dw__log_snapshot_files(snapshot));
    assert_string_equal(words, "a b c");
    free(words);
    dw__log_snapshot_unref(snapshot);
    assert_error(dw__log_snapshot_at(w->log, 1, &snapshot, &w->err), DW_CORRUPT, "LOG_GAP",
                 &w->err);
}

static void
test_commit__is_read_action_by_action(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("a") REMOVE("b"));
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_commit_actions actions;
    dw_status status = dw__commit_read(w->log, 0, &arena, &actions, &w->err);
    assert_ok(status, &w->err);
    assert_int_equal(actions.count, 4);
    assert_int_equal(actions.items[2].kind, DW_ACTION_ADD);
    assert_str(actions.items[3].as.file.path, "b");
    assert_true(actions.size_bytes > 100);
    assert_error(dw__commit_read(w->log, 1, &arena, &actions, &w->err), DW_NOT_FOUND,
                 "LOG_VERSION_MISSING", &w->err);
    dw__arena_deinit(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_snapshot__replays_commits_in_order),
        LOG_TEST(test_snapshot__matches_files_by_their_canonical_path),
        LOG_TEST(test_snapshot__tells_files_apart_by_their_deletion_vector),
        LOG_TEST(test_snapshot__takes_the_last_of_a_key_within_a_commit),
        LOG_TEST(test_snapshot__refuses_two_different_metadata_in_a_commit),
        LOG_TEST(test_snapshot__keeps_the_last_txn_of_an_application),
        LOG_TEST(test_snapshot__hides_removed_domains),
        LOG_TEST(test_snapshot__keeps_everything_that_an_add_says),
        LOG_TEST(test_snapshot__says_that_there_is_no_table),
        LOG_TEST(test_snapshot__refuses_a_gap),
        LOG_TEST(test_snapshot__needs_protocol_and_metadata),
        LOG_TEST(test_snapshot__names_the_commit_and_line_of_torn_json),
        LOG_TEST(test_snapshot__names_an_unknown_feature_before_anything_else),
        LOG_TEST(test_snapshot__refuses_other_file_formats),
        LOG_TEST(test_snapshot__is_the_same_object_when_nothing_is_new),
        LOG_TEST(test_snapshot__refresh_leaves_older_snapshots_alone),
        LOG_TEST(test_snapshot__refresh_sees_a_new_schema),
        LOG_TEST(test_snapshot__keeps_few_blocks_over_many_refreshes),
        LOG_TEST(test_snapshot__catches_up_over_many_commits),
        LOG_TEST(test_snapshot__notices_that_the_table_was_made_anew),
        LOG_TEST(test_snapshot__notices_that_the_table_was_deleted),
        LOG_TEST(test_snapshot__a_failed_refresh_leaves_the_log_usable),
        LOG_TEST(test_snapshot__of_a_version_is_the_table_then),
        LOG_TEST(test_snapshot__of_a_version_is_kept_until_the_table_is_made_anew),
        LOG_TEST(test_snapshot__forgets_expired_tombstones_in_time),
        LOG_TEST(test_snapshot__uses_compacted_commits),
        LOG_TEST(test_snapshot__of_a_version_inside_a_compacted_commit_needs_no_commit),
        LOG_TEST(test_commit__is_read_action_by_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
