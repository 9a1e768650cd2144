/*
 * V2 checkpoints as they are written, and compacted commits: what is in which file, and that
 * readers get back what was there. [V2-1] [COMPACTION-1]
 */
#include "log_world.h"
#include "support/fault_loop.h"

#include "log/checkpoint_v2.h"
#include "log/hint.h"

#define FEATURES "[\"v2Checkpoint\",\"deletionVectors\",\"domainMetadata\"]"
#define DOMAIN_LINE(name, config, removed)                                                         \
    "{\"domainMetadata\":{\"domain\":\"" name "\",\"configuration\":\"" config                     \
    "\",\"removed\":" removed "}}\n"
#define TXN(id, version) "{\"txn\":{\"appId\":\"" id "\",\"version\":" version "}}\n"

/* A commit that makes a table with the policy; `lines` follow. */
static void
put_first_commit(dw_storage *storage, const char *policy, const char *lines)
{
    char configuration[64];
    snprintf(configuration, sizeof(configuration), "{\"delta.checkpointPolicy\":\"%s\"}", policy);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[\"v2Checkpoint\",\"deletionVectors\"]", FEATURES);
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, configuration);
    dw__strbuf_append(&commit.text, dw__str_from(lines));
    dwt_commit_write(&commit, storage, 0);
}

/* The key of the only object that has the prefix and the suffix; to be freed. */
static char *
only_key(log_world *w, const char *prefix, const char *suffix)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {
        .prefix = dw__str_from(prefix), .start_after = DW_STR_NULL, .recursive = true};
    dw_list_page page;
    assert_ok(dw__storage_list(w->storage, &request, &arena, &page, &w->err), &w->err);
    char *found = NULL;
    for (size_t i = 0; i < page.count; i++) {
        if (dw__str_ends_with(page.objects[i].key, dw__str_from(suffix))) {
            assert_null(found);
            found = strndup(page.objects[i].key.ptr, page.objects[i].key.len);
        }
    }
    assert_non_null(found);
    return found;
}

/* Its content; to be freed. */
static char *
only_object(log_world *w, const char *prefix, const char *suffix)
{
    char *key = only_key(w, prefix, suffix);
    char *text = dwt_get(w->storage, key);
    free(key);
    return text;
}

static void
write_checkpoint(log_world *w)
{
    assert_refreshes(w);
    assert_ok(dw__checkpoint_write(w->snapshot, &w->err), &w->err);
}

/* Forgets all but what a checkpoint of `version` says. */
static void
reread(log_world *w, int64_t version)
{
    for (int64_t v = 0; v <= version; v++) {
        char key[DW_COMMIT_KEY_SIZE];
        assert_ok(dw__storage_remove(w->storage, dw__commit_key(v, key), &w->err), &w->err);
    }
    world_reopen(w);
    assert_refreshes(w);
    assert_int_equal(w->snapshot->version, version);
}

/* ---- V2 checkpoints -------------------------------------------------------------------------- */

static void
test_v2__puts_files_into_sidecars_and_all_else_into_the_main_file(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2",
                     ADD("a") ADD_MORE("b", DV("v")) TXN("x", "4")
                         DOMAIN_LINE("their.domain", "{}", "false"));
    world_commit(w, 1, REMOVE("gone") ADD("c"));
    dwt_env_set_now_ms(&w->env, 1704067200001);
    write_checkpoint(w);
    assert_int_equal(dwt_count(w->storage, DW_SIDECAR_DIR), 1);
    assert_false(dwt_exists(w->storage, DW_LOG_DIR "00000000000000000001.checkpoint.parquet"));
    char *text = only_object(w, DW_LOG_DIR "00000000000000000001.checkpoint.", ".json");
    assert_true(
        strncmp(text, "{\"checkpointMetadata\":{\"version\":1,\"tags\":{\"sidecarNum", 50) == 0);
    assert_non_null(strstr(text, "\"sidecarNumActions\":\"4\""));
    assert_non_null(strstr(text, "\"numOfAddFiles\":\"3\""));
    assert_non_null(strstr(text, "{\"protocol\":"));
    assert_non_null(strstr(text, "{\"metaData\":"));
    assert_non_null(strstr(text, "{\"txn\":{\"appId\":\"x\""));
    assert_non_null(strstr(text, "{\"domainMetadata\":{\"domain\":\"their.domain\""));
    assert_non_null(strstr(text, "{\"sidecar\":{\"path\":\""));
    assert_null(strstr(text, "{\"add\""));
    assert_null(strstr(text, "{\"remove\""));
    free(text);
    text = dwt_get(w->storage, DW_LOG_DIR "_last_checkpoint");
    assert_non_null(strstr(text, "\"v2Checkpoint\":{\"path\":\"00000000000000000001.checkpoint."));
    assert_non_null(strstr(text, "\"nonFileActions\":[{\"checkpointMetadata\":{\"version\":1,"));
    assert_non_null(strstr(text, "{\"txn\":{\"appId\":\"x\""));
    assert_non_null(strstr(text, "\"sidecarFiles\":[{\"path\":\""));
    assert_non_null(strstr(text, "\"checksum\":\""));
    free(text);
    int64_t hint;
    assert_ok(dw__hint_read(w->storage, w->env.env.allocator, &hint, &w->err), &w->err);
    assert_int_equal(hint, 1);
    reread(w, 1);
    assert_files(w, "a b#v c");
    assert_int_equal(w->snapshot->domains->count, 1);
    dw_txn_id txn;
    assert_true(dw__log_snapshot_txn(w->snapshot, DW_STR("x"), &txn));
}

static void
test_v2__takes_removes_of_the_checkpoint_below_over(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2", ADD("a") ADD("b"));
    world_commit(w, 1, REMOVE("a"));
    dwt_env_set_now_ms(&w->env, 1704067200001);
    write_checkpoint(w);
    reread(w, 1);
    world_commit(w, 2, REMOVE("b") ADD("c"));
    write_checkpoint(w);
    char *text = only_object(w, DW_LOG_DIR "00000000000000000002.checkpoint.", ".json");
    assert_non_null(strstr(text, "\"sidecarNumActions\":\"3\""));
    free(text);
    reread(w, 2);
    assert_files(w, "c");
}

static void
test_v2__of_an_empty_table_has_no_sidecar(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2", "");
    write_checkpoint(w);
    assert_int_equal(dwt_count(w->storage, DW_SIDECAR_DIR), 0);
    reread(w, 0);
    assert_files(w, "");
}

/* Commits so many files, named after their numbers, with statistics that say the number. */
static void
commit_many_files(log_world *w, int64_t count)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    for (int64_t i = 0; i < count; i++) {
        dw__strbuf_printf(&commit.text,
                          "{\"add\":{\"path\":\"f%" PRId64 "\",\"partitionValues\":{},"
                          "\"size\":1,\"modificationTime\":1,\"dataChange\":true,"
                          "\"stats\":\"{\\\"numRecords\\\":%" PRId64 "}\"}}\n",
                          i, i);
    }
    dwt_commit_write(&commit, w->storage, 1);
}

/* The n-th file is f<n>, and its statistics say n. */
static dw_status
check_numbered(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) err;
    log_world *w = ((void **) ctx)[0];
    int64_t *next = ((void **) ctx)[1];
    char path[32], text[64];
    snprintf(path, sizeof(path), "f%" PRId64, *next);
    snprintf(text, sizeof(text), "{\"numRecords\":%" PRId64 "}", *next);
    assert_str(dw__file_set_path(dw__log_snapshot_files(w->snapshot), ref), path);
    assert_str(stats, text);
    (*next)++;
    return DW_OK;
}

static void
test_v2__of_many_files_has_several_sidecars_and_keeps_their_order(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2", "");
    const int64_t count = DW_SIDECAR_ROWS_MAX * 4 + 5000;
    commit_many_files(w, count);
    write_checkpoint(w);
    assert_int_equal(dwt_count(w->storage, DW_SIDECAR_DIR), 5);
    reread(w, 1);
    dw_file_set *files = dw__log_snapshot_files(w->snapshot);
    assert_int_equal(dw__file_set_count(files), count);
    int64_t next = 0;
    void *ctx[] = {w, &next};
    assert_ok(dw__file_set_visit_stats(files, check_numbered, ctx, &w->err), &w->err);
    assert_int_equal(next, count);
}

#define CLASSIC_KEY(version) DW_LOG_DIR "0000000000000000000" version ".checkpoint.parquet"

static void
test_v2__has_a_copy_of_a_classic_name_once_the_first_commit_is_gone(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2", ADD("a") TXN("x", "4"));
    world_commit(w, 1, ADD("b"));
    write_checkpoint(w);
    assert_false(dwt_exists(w->storage, CLASSIC_KEY("1")));
    char key[DW_COMMIT_KEY_SIZE];
    assert_ok(dw__storage_remove(w->storage, dw__commit_key(0, key), &w->err), &w->err);
    world_commit(w, 2, ADD("c"));
    write_checkpoint(w);
    assert_true(dwt_exists(w->storage, CLASSIC_KEY("2")));
    world_commit(w, 3, ADD("d"));
    write_checkpoint(w);
    assert_false(dwt_exists(w->storage, CLASSIC_KEY("3")));
    /* Without the main file of version 2 the copy is as good. */
    char *main_key = only_key(w, DW_LOG_DIR "00000000000000000002.checkpoint.", ".json");
    assert_ok(dw__storage_remove(w->storage, dw__str_from(main_key), &w->err), &w->err);
    free(main_key);
    world_reopen(w);
    dw_log_snapshot *snapshot;
    assert_ok(dw__log_snapshot_at(w->log, 2, &snapshot, &w->err), &w->err);
    assert_int_equal(dw__file_set_count(dw__log_snapshot_files(snapshot)), 3);
    dw_txn_id txn;
    assert_true(dw__log_snapshot_txn(snapshot, DW_STR("x"), &txn));
    dw__log_snapshot_unref(snapshot);
}

static void
test_v2__needs_the_policy_not_only_the_feature(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "classic", ADD("a"));
    write_checkpoint(w);
    assert_true(dwt_exists(w->storage, DW_LOG_DIR "00000000000000000000.checkpoint.parquet"));
    assert_int_equal(dwt_count(w->storage, DW_SIDECAR_DIR), 0);
}

static void
test_v2__a_newer_one_keeps_its_hint(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "v2", ADD("a"));
    world_commit(w, 1, ADD("b"));
    write_checkpoint(w);
    dw_log_snapshot *older;
    assert_ok(dw__log_snapshot_at(w->log, 0, &older, &w->err), &w->err);
    assert_ok(dw__checkpoint_write(older, &w->err), &w->err);
    dw__log_snapshot_unref(older);
    int64_t hint;
    assert_ok(dw__hint_read(w->storage, w->env.env.allocator, &hint, &w->err), &w->err);
    assert_int_equal(hint, 1);
}

static void
test_checkpoint__is_not_written_with_features_that_nobody_knows(void **state)
{
    log_world *w = *state;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_raw(&commit, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
                            "\"writerFeatures\":[\"teleport\",\"checkpointProtection\"]}}");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
    dwt_commit_write(&commit, w->storage, 0);
    assert_refreshes(w);
    assert_error(dw__checkpoint_write(w->snapshot, &w->err), DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                 &w->err);
    assert_message_has(&w->err, "teleport");
}

/* ---- Compacted commits ----------------------------------------------------------------------- */

static void
test_compaction__says_what_goes_and_leaves_out_what_is_no_state(void **state)
{
    log_world *w = *state;
    put_first_commit(w->storage, "classic", ADD("a") ADD("b"));
    world_commit(w, 1,
                 "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n" REMOVE("a") ADD("c") TXN("x", "1")
                     DOMAIN_LINE("d", "{}", "false"));
    world_commit(
        w, 2,
        REMOVE("c") ADD("e") TXN("x", "2") DOMAIN_LINE(
            "d", "{}", "true") "{\"cdc\":{\"path\":\"z\",\"partitionValues\":{},\"size\":1,"
                               "\"dataChange\":false}}\n");
    assert_ok(dw__log_compact(w->log, 1, 2, &w->err), &w->err);
    char *text = dwt_get(w->storage, DW_LOG_DIR "00000000000000000001.00000000000000000002"
                                                ".compacted.json");
    assert_string_equal(text, TXN("x", "2") DOMAIN_LINE("d", "{}", "true") REMOVE("a") REMOVE("c")
                                  ADD("e"));
    free(text);
    char key[DW_COMMIT_KEY_SIZE];
    assert_ok(dw__storage_remove(w->storage, dw__commit_key(1, key), &w->err), &w->err);
    world_reopen(w);
    assert_refreshes(w);
    assert_files(w, "b e");
    assert_int_equal(w->snapshot->domains->count, 0);
    assert_error(dw__log_compact(w->log, 0, 1, &w->err), DW_NOT_FOUND, "LOG_VERSION_MISSING",
                 &w->err);
}

/* ---- With every fault ------------------------------------------------------------------------ */

static void
fault_setup(dwt_world *world, void *ctx)
{
    (void) ctx;
    put_first_commit(world->truth, "v2", ADD("a") REMOVE("gone"));
    dwt_log_append(world->truth, 1);
}

static dw_status
fault_operation(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_log *log = NULL;
    dw_log_snapshot *snapshot = NULL;
    dw_status status = engine == NULL ? dw__error_oom(err)
                                      : dw__log_open(world->env, world->storage, engine, &log, err);
    if (status == DW_OK) {
        status = dw__log_snapshot(log, &snapshot, err);
    }
    if (status == DW_OK) {
        status = dw__log_compact(log, 0, 1, err);
    }
    if (status == DW_OK) {
        status = dw__checkpoint_write(snapshot, err);
    }
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
    dw__engine_close(engine);
    return status;
}

static void
fault_check(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    (void) status;
    dw_error err = DW_ERROR_INIT;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_log *log;
    dw_log_snapshot *snapshot;
    assert_ok(dw__log_open(world->env, world->truth, engine, &log, &err), &err);
    assert_ok(dw__log_snapshot(log, &snapshot, &err), &err);
    char *words = file_words(dw__log_snapshot_files(snapshot));
    assert_string_equal(words, "a part-1.parquet");
    free(words);
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
    dw__engine_close(engine);
}

static void
test_v2__whatever_fails_the_table_reads_as_before(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = fault_setup,
                          .operation = fault_operation,
                          .check = fault_check,
                          .faults = DWT_FAULTS_ALL & ~(unsigned) DWT_FAULTS_STORAGE_CRASH});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_v2__puts_files_into_sidecars_and_all_else_into_the_main_file),
        LOG_TEST(test_v2__takes_removes_of_the_checkpoint_below_over),
        LOG_TEST(test_v2__of_an_empty_table_has_no_sidecar),
        LOG_TEST(test_v2__of_many_files_has_several_sidecars_and_keeps_their_order),
        LOG_TEST(test_v2__needs_the_policy_not_only_the_feature),
        LOG_TEST(test_v2__has_a_copy_of_a_classic_name_once_the_first_commit_is_gone),
        LOG_TEST(test_v2__a_newer_one_keeps_its_hint),
        LOG_TEST(test_checkpoint__is_not_written_with_features_that_nobody_knows),
        LOG_TEST(test_compaction__says_what_goes_and_leaves_out_what_is_no_state),
        cmocka_unit_test(test_v2__whatever_fails_the_table_reads_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
