/*
 * Random histories against a naive replay: whichever way a version is reached - all commits, a
 * checkpoint (V2 or not, with statistics as JSON, as structs or both) and the commits behind it,
 * compacted commits (ours or another's), refreshes one or several commits at a time - the same
 * files are live, with the same content, and the same transactions and domains hold. A visit that
 * leaves files in the checkpoint finds the same.
 */
#include "log_world.h"

enum { PATH_COUNT = 12, DV_COUNT = 3, VERSION_COUNT = 24, ROUND_COUNT = 150 };

/*
 * What the naive replay knows: the size of each live file by path and deletion vector; 0: not live.
 */
typedef struct model {
    int64_t size[PATH_COUNT][DV_COUNT];
    int64_t txn;    /* of application "t"; -1: none */
    int64_t domain; /* what the domain "d" says; -1: there is none */
} model;

/* The same path is spelt differently in different commits. */
static const char *const spellings[][3] = {
    {"part-%d", "./part-%d", "part%%2D%d"},
    {"d/part-%d", "d//part-%d", "d/./part-%d"},
    {"file:/t/part-%d", "file:///t/part-%d", "/t/part-%d"},
};

static void
print_path(char out[64], uint64_t *seed, int path)
{
    const char *const *forms = spellings[path % 3];
    /* The formats are those of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out, 64, forms[dwt_random_below(seed, 3)], path);
#pragma GCC diagnostic pop
}

static void
append_key(dw_strbuf *line, uint64_t *seed, int path, int dv)
{
    char text[64];
    print_path(text, seed, path);
    dw__strbuf_printf(line, "\"path\":\"%s\"", text);
    if (dv > 0) {
        dw__strbuf_printf(line,
                          ",\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"v%d\","
                          "\"offset\":%d,\"sizeInBytes\":1,\"cardinality\":1}",
                          dv, dv);
    }
}

/* Checkpoints of either kind, and statistics in each way. */
static void
put_definition(dwt_commit *commit, uint64_t *seed)
{
    static const char *const policies[] = {"classic", "v2"};
    static const char *const wanted[] = {"true", "false"};
    char configuration[200];
    uint64_t way = dwt_random_below(seed, 3);
    snprintf(configuration, sizeof(configuration),
             "{\"delta.checkpointPolicy\":\"%s\",\"delta.checkpoint.writeStatsAsJson\":\"%s\","
             "\"delta.checkpoint.writeStatsAsStruct\":\"%s\"}",
             policies[dwt_random_below(seed, 2)], wanted[way == 1], wanted[way == 2]);
    dwt_commit_protocol_features(commit, "[\"v2Checkpoint\",\"deletionVectors\"]",
                                 "[\"v2Checkpoint\",\"deletionVectors\",\"domainMetadata\","
                                 "\"rowTracking\"]");
    dwt_commit_metadata(commit, DWT_SCHEMA_ID_VALUE, NULL, configuration);
}

static void
random_commit(log_world *w, uint64_t *seed, int64_t version, model *state)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    if (version == 0) {
        put_definition(&commit, seed);
    }
    if (dwt_random_below(seed, 5) == 0) {
        bool is_removed = dwt_random_below(seed, 3) == 0;
        int64_t value = (int64_t) dwt_random_below(seed, 100);
        dw__strbuf_printf(&commit.text,
                          "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"%" PRId64
                          "\",\"removed\":%s}}\n",
                          value, is_removed ? "true" : "false");
        state->domain = is_removed ? -1 : value;
    }
    if (dwt_random_below(seed, 4) == 0) {
        state->txn = (int64_t) dwt_random_below(seed, 100);
        dwt_commit_txn(&commit, "t", state->txn);
    }
    for (uint64_t n = dwt_random_below(seed, 5); n > 0; n--) {
        int path = (int) dwt_random_below(seed, PATH_COUNT);
        int dv = (int) dwt_random_below(seed, DV_COUNT);
        bool adds = dwt_random_below(seed, 3) != 0;
        int64_t size = (int64_t) dwt_random_below(seed, 1000) + 1;
        dw__strbuf_append_literal(&commit.text, "{\"");
        dw__strbuf_append(&commit.text, adds ? DW_STR("add") : DW_STR("remove"));
        dw__strbuf_append_literal(&commit.text, "\":{");
        append_key(&commit.text, seed, path, dv);
        if (adds) {
            dw__strbuf_printf(&commit.text,
                              ",\"partitionValues\":{\"p\":\"%d\"},\"size\":%" PRId64
                              ",\"modificationTime\":%" PRId64
                              ",\"stats\":\"{\\\"numRecords\\\":%" PRId64 "}\""
                              ",\"baseRowId\":%" PRId64 ",\"defaultRowCommitVersion\":%" PRId64,
                              path, size, size, size, size + 5, size + 6);
        } else {
            dw__strbuf_append_literal(&commit.text, ",\"deletionTimestamp\":1704067200000");
        }
        dw__strbuf_append_literal(&commit.text, ",\"dataChange\":true}}\n");
        state->size[path][dv] = adds ? size : 0;
    }
    dwt_commit_write(&commit, w->storage, version);
}

static int
path_of(dw_str path)
{
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] >= '0' && path.ptr[start - 1] <= '9') {
        start--;
    }
    /* "part%2D7": the digit of the escape is not part of the number. */
    int64_t number;
    assert_true(dw__str_to_i64(dw__str_slice(path, start, path.len), &number));
    return (int) number;
}

static dw_status
check_stats(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) err;
    dw_file_set *files = ctx;
    char expected[64];
    snprintf(expected, sizeof(expected), "{\"numRecords\":%" PRId64,
             dw__file_set_file_size(files, ref));
    /* Those that came from a struct have empty bounds behind it. */
    assert_true(dw__str_starts_with(stats, dw__str_from(expected)));
    assert_true(stats.ptr[strlen(expected)] == '}' || stats.ptr[strlen(expected)] == ',');
    return DW_OK;
}

static void
assert_files_are(dw_file_set *files, const model *expected)
{
    size_t live = 0;
    int64_t bytes = 0;
    for (int path = 0; path < PATH_COUNT; path++) {
        for (int dv = 0; dv < DV_COUNT; dv++) {
            live += expected->size[path][dv] > 0;
            bytes += expected->size[path][dv];
        }
    }
    assert_int_equal(dw__file_set_count(files), live);
    assert_int_equal(dw__file_set_size_bytes(files), bytes);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        const dw_dv_descriptor *dv = dw__file_set_dv(files, ref);
        int path = path_of(dw__file_set_path(files, ref));
        int64_t size = expected->size[path][dv == NULL ? 0 : dv->offset];
        assert_int_equal(dw__file_set_file_size(files, ref), size);
        assert_int_equal(dw__file_set_modification_time_ms(files, ref), size);
        char value[16];
        snprintf(value, sizeof(value), "%d", path);
        assert_str(dw__file_set_partition_value(files, ref, DW_STR("p")), value);
        int64_t row_id, commit_version;
        assert_true(dw__file_set_base_row_id(files, ref, &row_id));
        assert_true(dw__file_set_commit_version(files, ref, &commit_version));
        assert_int_equal(row_id, size + 5);
        assert_int_equal(commit_version, size + 6);
    }
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__file_set_visit_stats(files, check_stats, files, &err);
    assert_ok(status, &err);
}

static void
assert_is(const dw_log_snapshot *snapshot, const model *expected)
{
    assert_files_are(dw__log_snapshot_files(snapshot), expected);
    dw_txn_id txn;
    assert_int_equal(dw__log_snapshot_txn(snapshot, DW_STR("t"), &txn), expected->txn >= 0);
    assert_int_equal(txn.version, expected->txn >= 0 ? expected->txn : 0);
    assert_int_equal(dw__log_snapshot_domain_count(snapshot), expected->domain >= 0);
    if (expected->domain >= 0) {
        char value[32];
        snprintf(value, sizeof(value), "%" PRId64, expected->domain);
        assert_str(dw__log_snapshot_domain(snapshot, 0)->configuration, value);
    }
}

/* What somebody finds who leaves the files of the checkpoint there. */
static void
assert_lean_is(log_world *w, const model *expected)
{
    dw_log *log;
    dw_log_snapshot *snapshot;
    dw_file_set *files;
    assert_ok(dw__log_open(&w->env.env, w->storage, w->engine, &log, &w->err), &w->err);
    assert_ok(dw__log_snapshot_lean(log, &snapshot, &w->err), &w->err);
    assert_ok(visited_files(snapshot, w->env.env.allocator, &files, &w->err), &w->err);
    assert_files_are(files, expected);
    dw__file_set_free(files);
    dw__log_snapshot_unref(snapshot);
    dw__log_close(log);
}

/* Merges commits [first, last] as another writer would: the newest action of each file. */
static void
compact(log_world *w, int64_t first, int64_t last)
{
    dw_replay replay;
    dw_status status = dw__replay_init(&replay, &w->env.env, &w->err);
    assert_ok(status, &w->err);
    for (int64_t version = first; version <= last; version++) {
        char key[DW_COMMIT_KEY_SIZE + 1] = {0};
        (void) dw__commit_key(version, key);
        char *text = dwt_get(w->storage, key);
        status = dw__replay_text(&replay, dw__str_from(text), &w->err);
        assert_ok(status, &w->err);
        free(text);
    }
    dw__replay_seal(&replay);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    const dw_map_value *txn = dw__map_get(&replay.txns, DW_STR("t"));
    if (txn != NULL) {
        dwt_commit_txn(&commit, "t", ((const dw_txn_id *) txn->ptr)->version);
    }
    const dw_map_value *domain = dw__map_get(&replay.domains, DW_STR("d"));
    if (domain != NULL) {
        dw_action action = {.kind = DW_ACTION_DOMAIN,
                            .as.domain = *(const dw_domain *) domain->ptr};
        dw__action_print(&commit.text, &action);
    }
    dw_arena arena;
    dw__arena_init(&arena, w->env.env.allocator);
    dw_file_set *sets[2] = {replay.adds, replay.removes};
    for (int i = 0; i < 2; i++) {
        dw_file_ref ref;
        for (bool ok = dw__file_set_first(sets[i], &ref); ok;
             ok = dw__file_set_next(sets[i], &ref)) {
            dw_action action = {.kind = i == 0 ? DW_ACTION_ADD : DW_ACTION_REMOVE};
            status = dw__file_set_get(sets[i], ref, &arena, &action.as.file, &w->err);
            assert_ok(status, &w->err);
            dw__action_print(&commit.text, &action);
        }
    }
    char key[128];
    snprintf(key, sizeof(key), "_delta_log/%020" PRId64 ".%020" PRId64 ".compacted.json", first,
             last);
    dwt_put(w->storage, key, dw__strbuf_str(&commit.text));
    dw__strbuf_deinit(&commit.text);
    dw__arena_deinit(&arena);
    dw__replay_deinit(&replay);
}

static void
round_of(uint64_t seed)
{
    void *state = NULL;
    world_setup(&state);
    log_world *w = state;
    model models[VERSION_COUNT];
    model now = {.txn = -1, .domain = -1};
    dwt_env_set_now_ms(&w->env, 1704067200000);
    for (int64_t version = 0; version < VERSION_COUNT; version++) {
        random_commit(w, &seed, version, &now);
        models[version] = now;
        if (dwt_random_below(&seed, 3) != 0) {
            assert_refreshes(w);
            assert_int_equal(w->snapshot->version, version);
            assert_is(w->snapshot, &now);
            if (dwt_random_below(&seed, 5) == 0) {
                dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
                assert_ok(status, &w->err);
            }
        }
        if (version > 1 && dwt_random_below(&seed, 8) == 0) {
            int64_t first = 1 + (int64_t) dwt_random_below(&seed, (uint64_t) version - 1);
            if (dwt_random_below(&seed, 2) == 0) {
                dw_status status = dw__log_compact(w->log, first, version, &w->err);
                assert_ok(status, &w->err);
            } else {
                compact(w, first, version);
            }
        }
        if (dwt_random_below(&seed, 8) == 0) {
            world_reopen(w);
        }
        if (version % 4 == 3) {
            assert_lean_is(w, &now);
        }
    }
    for (int64_t version = 0; version < VERSION_COUNT; version++) {
        dw_log_snapshot *snapshot;
        dw_status status = dw__log_snapshot_at(w->log, version, &snapshot, &w->err);
        assert_ok(status, &w->err);
        assert_is(snapshot, &models[version]);
        dw__log_snapshot_unref(snapshot);
    }
    world_teardown(&state);
}

static void
test_replay__agrees_with_a_naive_one_however_a_version_is_reached(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= ROUND_COUNT; seed++) {
        round_of(seed * 7919);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay__agrees_with_a_naive_one_however_a_version_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
