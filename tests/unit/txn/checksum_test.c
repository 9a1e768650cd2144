/*
 * The checksum that follows a commit: exact whatever the commit did and whoever committed between,
 * and of no consequence when it cannot be written. [CHECKSUM-1] to [CHECKSUM-5]
 */
#include "log/checksum_file.h"
#include "log/log_core.h"
#include "support/fault_loop.h"
#include "txn_world.h"

#include <inttypes.h>

#define FEATURES "[\"deletionVectors\"]"

static char *
checksum_text(dw_storage *storage, int64_t version)
{
    char key[64];
    snprintf(key, sizeof(key), DW_LOG_DIR "%020" PRId64 ".crc", version);
    return dwt_get(storage, key);
}

static void
assert_checksum_has(fixture *f, int64_t version, const char *part)
{
    char *text = checksum_text(f->storage, version);
    assert_non_null(text);
    assert_non_null(strstr(text, part));
    free(text);
}

static void
assert_checksum_lacks(fixture *f, int64_t version, const char *part)
{
    char *text = checksum_text(f->storage, version);
    assert_non_null(text);
    assert_null(strstr(text, part));
    free(text);
}

/* Reads every version as another process would, and compares it with its checksum. */
static void
assert_checksums_hold(dw_storage *storage, int64_t first, int64_t last)
{
    dwt_env world;
    dwt_env_init(&world, 1);
    writer reader;
    dw_error err = DW_ERROR_INIT;
    assert_ok(writer_open(&reader, &world.env, storage, &err), &err);
    for (int64_t version = first; version <= last; version++) {
        char *text = checksum_text(storage, version);
        assert_non_null(text);
        free(text);
        dw_log_snapshot *snapshot;
        assert_ok(dw__log_snapshot_at(reader.log, version, &snapshot, &err), &err);
        assert_ok(dw__checksum_verify(snapshot, &err), &err);
        dw__log_snapshot_unref(snapshot);
    }
    writer_close(&reader);
    dwt_env_deinit(&world);
}

static void
assert_commits(fixture *f, writer *w, const dw_action *actions, size_t count, int64_t version)
{
    dw_txn_result result;
    assert_ok(commit(w, actions, count, false, &result, &f->err), &f->err);
    assert_int_equal(result.version, version);
}

static void
refresh(fixture *f, writer *w)
{
    dw__log_snapshot_unref(w->snapshot);
    w->snapshot = NULL;
    assert_ok(dw__log_snapshot(w->log, &w->snapshot, &f->err), &f->err);
}

static dw_action
sized_remove(const char *path, int64_t size)
{
    dw_action action = remove_action(path);
    action.as.file.has_size = true;
    action.as.file.size_bytes = size;
    return action;
}

/* ---- What it says ---------------------------------------------------------------------------- */

static void
test_checksum__follows_an_append(void **state)
{
    fixture *f = *state;
    dw_action add = add_action("a");
    assert_commits(f, &f->a, &add, 1, 2);
    assert_checksum_has(f, 2, "{\"txnId\":\"");
    assert_checksum_has(f, 2,
                        ",\"tableSizeBytes\":1010,\"numFiles\":2,\"numMetadata\":1,"
                        "\"numProtocol\":1,\"setTransactions\":[],\"domainMetadata\":[],"
                        "\"metadata\":{\"id\":");
    assert_checksum_has(f, 2,
                        ",\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2},"
                        "\"fileSizeHistogram\":{\"sortedBinBoundaries\":[0,8192,16384,");
    assert_checksum_has(f, 2, "],\"fileCounts\":[2,0,0,");
    assert_checksum_has(f, 2, "],\"totalBytes\":[1010,0,0,");
    assert_checksum_lacks(f, 2, "eleted");
    assert_checksum_lacks(f, 2, "allFiles");
    assert_checksums_hold(f->storage, 2, 2);
}

static void
test_checksum__counts_what_a_commit_removes(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {sized_remove("part-1.parquet", 1000), add_action("a")};
    assert_commits(f, &f->a, actions, 2, 2);
    assert_checksum_has(f, 2, "\"tableSizeBytes\":10,\"numFiles\":1,");
    assert_checksums_hold(f->storage, 2, 2);
}

static void
test_checksum__is_exact_where_a_remove_does_not_say_its_size(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {remove_action("part-1.parquet"), add_action("a")};
    assert_commits(f, &f->a, actions, 2, 2);
    assert_checksum_has(f, 2, "\"tableSizeBytes\":10,\"numFiles\":1,");
}

static void
test_checksum__is_exact_behind_the_commits_of_others(void **state)
{
    fixture *f = *state;
    dw_action first[] = {add_action("a"), add_action("b")};
    dw_action second = add_action("c");
    assert_commits(f, &f->a, first, 2, 2);
    assert_commits(f, &f->b, &second, 1, 3);
    assert_checksum_has(f, 3, "\"tableSizeBytes\":1030,\"numFiles\":4,");
    assert_checksums_hold(f->storage, 2, 3);
}

static void
test_checksum__counts_a_file_once_that_is_committed_again(void **state)
{
    fixture *f = *state;
    dw_action again = add_action("part-1.parquet");
    again.as.file.size_bytes = 1000;
    again.as.file.data_change = false;
    dw_txn txn = {.log = f->a.log,
                  .read_snapshot = f->a.snapshot,
                  .actions = &again,
                  .action_count = 1,
                  .recommits_files = true,
                  .operation = "COMPUTE STATS"};
    dw_txn_result result;
    assert_ok(dw__txn_commit(&txn, &result, &f->err), &f->err);
    assert_checksum_has(f, 2, "\"tableSizeBytes\":1000,\"numFiles\":1,");
}

static void
test_checksum__counts_deletion_vectors_where_the_table_has_them(void **state)
{
    fixture *f = *state;
    dwt_commit upgrade;
    dwt_commit_begin(&upgrade);
    dwt_commit_protocol_features(&upgrade, FEATURES, FEATURES);
    dwt_commit_write(&upgrade, f->storage, 2);
    refresh(f, &f->a);
    dw_dv_descriptor old = {.storage_type = 'u',
                            .path_or_inline_dv = DW_STR("ab"),
                            .has_offset = true,
                            .offset = 1,
                            .size_bytes = 30,
                            .cardinality = 3};
    dw_dv_descriptor new = old;
    new.path_or_inline_dv = DW_STR("cd");
    new.cardinality = 5;
    dw_action first[] = {sized_remove("part-1.parquet", 1000), add_action("part-1.parquet")};
    first[1].as.file.size_bytes = 1000;
    first[1].as.file.dv = &old;
    assert_commits(f, &f->a, first, 2, 3);
    assert_checksum_has(f, 3, "\"numDeletedRecordsOpt\":3,\"numDeletionVectorsOpt\":1,");
    refresh(f, &f->a);
    dw_action second[] = {sized_remove("part-1.parquet", 1000), add_action("part-1.parquet")};
    second[0].as.file.dv = &old;
    second[1].as.file.size_bytes = 1000;
    second[1].as.file.dv = &new;
    assert_commits(f, &f->a, second, 2, 4);
    assert_checksum_has(f, 4, "\"numDeletedRecordsOpt\":5,\"numDeletionVectorsOpt\":1,");
    assert_checksums_hold(f->storage, 3, 4);
}

static void
test_checksum__lists_the_newest_txn_of_each_application(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {
        {.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("x"), .version = 4}},
        {.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("y"), .version = 1}}};
    assert_commits(f, &f->a, actions, 2, 2);
    refresh(f, &f->a);
    actions[0].as.txn.version = 5;
    assert_commits(f, &f->a, actions, 1, 3);
    assert_checksums_hold(f->storage, 2, 3);
    assert_checksum_has(f, 3, "{\"appId\":\"x\",\"version\":5}");
    assert_checksum_has(f, 3, "{\"appId\":\"y\",\"version\":1}");
    assert_checksum_lacks(f, 3, "\"version\":4");
}

static void
test_checksum__leaves_a_list_of_txns_out_that_is_too_long(void **state)
{
    fixture *f = *state;
    dw_action actions[DW_CHECKSUM_TXNS_MAX + 1];
    char names[DW_CHECKSUM_TXNS_MAX + 1][16];
    for (size_t i = 0; i < DW_CHECKSUM_TXNS_MAX + 1; i++) {
        snprintf(names[i], sizeof(names[i]), "app%zu", i);
        actions[i] =
            (dw_action){.kind = DW_ACTION_TXN,
                        .as.txn = {.app_id = dw__str_from(names[i]), .version = (int64_t) i}};
    }
    assert_commits(f, &f->a, actions, DW_CHECKSUM_TXNS_MAX, 2);
    assert_checksum_has(f, 2, "\"app99\"");
    refresh(f, &f->a);
    assert_commits(f, &f->a, &actions[DW_CHECKSUM_TXNS_MAX], 1, 3);
    assert_checksum_lacks(f, 3, "setTransactions");
    assert_checksums_hold(f->storage, 2, 3);
}

static void
test_checksum__leaves_txns_out_where_they_expire(void **state)
{
    fixture *f = *state;
    dw_pair pair = {DW_STR("delta.setTransactionRetentionDuration"), DW_STR("interval 1 day")};
    dw_action actions[] = {
        {.kind = DW_ACTION_METADATA, .as.metadata = *dw__log_snapshot_metadata(f->a.snapshot)},
        {.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("x"), .version = 4}}};
    actions[0].as.metadata.configuration = (dw_pairs){&pair, 1};
    assert_commits(f, &f->a, actions, 2, 2);
    assert_checksum_lacks(f, 2, "setTransactions");
    assert_checksum_has(f, 2, "setTransactionRetentionDuration");
}

static void
test_checksum__lists_live_domains_only(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {{.kind = DW_ACTION_DOMAIN,
                            .as.domain = {.domain = DW_STR("one"), .configuration = DW_STR("{}")}},
                           {.kind = DW_ACTION_DOMAIN,
                            .as.domain = {.domain = DW_STR("two"), .configuration = DW_STR("{}")}}};
    assert_commits(f, &f->a, actions, 2, 2);
    refresh(f, &f->a);
    actions[0].as.domain.removed = true;
    assert_commits(f, &f->a, actions, 1, 3);
    assert_checksum_has(f, 3,
                        "\"domainMetadata\":[{\"domain\":\"two\",\"configuration\":\"{}\","
                        "\"removed\":false}]");
    assert_checksums_hold(f->storage, 2, 3);
}

/* ---- When it is not needed, or wrong --------------------------------------------------------- */

static void
test_checksum__is_never_replaced(void **state)
{
    fixture *f = *state;
    dwt_put(f->storage, DW_LOG_DIR "00000000000000000002.crc", DW_STR("as it was"));
    dw_action add = add_action("a");
    assert_commits(f, &f->a, &add, 1, 2);
    assert_checksum_has(f, 2, "as it was");
}

static void
put_wrong_checksum(dw_storage *storage)
{
    dwt_put(storage, DW_LOG_DIR "00000000000000000001.crc",
            DW_STR("{\"tableSizeBytes\":1000,\"numFiles\":7}"));
}

static void
test_checksum__that_is_wrong_is_reported_and_the_log_believed(void **state)
{
    fixture *f = *state;
    put_wrong_checksum(f->storage);
    dwt_env world;
    dwt_env_init(&world, 1);
    writer reader;
    assert_ok(writer_open(&reader, &world.env, f->storage, &f->err), &f->err);
    assert_int_equal(dw__file_set_count(dw__log_snapshot_files(reader.snapshot)), 1);
    assert_true(dwt_env_logged(&world, "comparing version 1 with "
                                       "_delta_log/00000000000000000001.crc: the checksum says "
                                       "numFiles 7, the log comes to 1; the log is believed"));
    dw_status status = dw__checkpoint_write(reader.snapshot, &f->err);
    assert_error(status, DW_CORRUPT, "CHECKSUM_MISMATCH", &f->err);
    writer_close(&reader);
    dwt_env_deinit(&world);
}

static void
test_checksum__that_cannot_be_read_is_none(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {"", "{", "[]", "{\"numFiles\":1}", "{\"numFiles\":\"x\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        dwt_put(f->storage, DW_LOG_DIR "00000000000000000001.crc", dw__str_from(texts[i]));
        dwt_env world;
        dwt_env_init(&world, 1);
        writer reader;
        assert_ok(writer_open(&reader, &world.env, f->storage, &f->err), &f->err);
        assert_int_equal(world.log_len, 0);
        writer_close(&reader);
        dwt_env_deinit(&world);
    }
}

/* ---- Random commits -------------------------------------------------------------------------- */

enum { ROUNDS = 60, FILES_MAX = 400 };

static void
test_checksum__holds_after_every_one_of_many_random_commits(void **state)
{
    fixture *f = *state;
    uint64_t seed = 20240917;
    print_message("seed %llu\n", (unsigned long long) seed);
    char paths[FILES_MAX][16];
    size_t file_count = 0;
    int64_t version = 2;
    for (int round = 0; round < ROUNDS; round++) {
        writer *w = dwt_random_below(&seed, 2) == 0 ? &f->a : &f->b;
        bool blind = dwt_random_below(&seed, 3) == 0;
        dw_action actions[8];
        size_t count = 0;
        if (!blind) {
            refresh(f, w);
            dw_file_set *files = dw__log_snapshot_files(w->snapshot);
            dw_file_ref ref;
            bool found = dw__file_set_first(files, &ref);
            for (int i = 0; found && i < 2; i++) {
                dw_str path = dw__file_set_path(files, ref);
                dw_action remove = sized_remove("", dw__file_set_file_size(files, ref));
                remove.as.file.path = path;
                actions[count++] = remove;
                found = dw__file_set_next(files, &ref);
            }
        }
        for (uint64_t i = dwt_random_below(&seed, 4); i < 4; i++) {
            snprintf(paths[file_count], sizeof(paths[0]), "f%zu", file_count);
            dw_action add = add_action(paths[file_count++]);
            add.as.file.size_bytes = (int64_t) dwt_random_below(&seed, 100000);
            actions[count++] = add;
        }
        assert_commits(f, w, actions, count, version++);
    }
    assert_checksums_hold(f->storage, 2, version - 1);
}

/* ---- With every fault ------------------------------------------------------------------------ */

static void
fault_setup(dwt_world *world, void *ctx)
{
    (void) ctx;
    dwt_log_create(world->truth, NULL);
    dwt_log_append(world->truth, 1);
}

static dw_status
fault_operation(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    writer w;
    dw_status status = writer_open(&w, world->env, world->storage, err);
    if (status == DW_OK) {
        dwt_log_append(world->truth, 2); /* so that it must be replayed */
        dw_action actions[] = {
            {.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("x"), .version = 4}},
            add_action("a")};
        dw_txn_result result;
        status = commit(&w, actions, 2, false, &result, err);
    }
    writer_close(&w);
    return status;
}

static void
fault_check(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    char *text = checksum_text(world->truth, 3);
    assert_true(text == NULL || strstr(text, "\"tableSizeBytes\":2010,\"numFiles\":3,") != NULL);
    bool missing = text == NULL;
    free(text);
    if (status == DW_OK && missing) {
        assert_true(dwt_env_logged(world->test, "its checksum was not written"));
    }
}

static void
test_checksum__that_fails_leaves_the_commit_alone(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = fault_setup,
                          .operation = fault_operation,
                          .check = fault_check,
                          .faults = DWT_FAULTS_ALL & ~(unsigned) DWT_FAULTS_STORAGE_CRASH});
}

#define TXN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TXN_TEST(test_checksum__follows_an_append),
        TXN_TEST(test_checksum__counts_what_a_commit_removes),
        TXN_TEST(test_checksum__is_exact_where_a_remove_does_not_say_its_size),
        TXN_TEST(test_checksum__is_exact_behind_the_commits_of_others),
        TXN_TEST(test_checksum__counts_a_file_once_that_is_committed_again),
        TXN_TEST(test_checksum__counts_deletion_vectors_where_the_table_has_them),
        TXN_TEST(test_checksum__lists_the_newest_txn_of_each_application),
        TXN_TEST(test_checksum__leaves_a_list_of_txns_out_that_is_too_long),
        TXN_TEST(test_checksum__leaves_txns_out_where_they_expire),
        TXN_TEST(test_checksum__lists_live_domains_only),
        TXN_TEST(test_checksum__is_never_replaced),
        TXN_TEST(test_checksum__that_is_wrong_is_reported_and_the_log_believed),
        TXN_TEST(test_checksum__that_cannot_be_read_is_none),
        TXN_TEST(test_checksum__holds_after_every_one_of_many_random_commits),
        cmocka_unit_test(test_checksum__that_fails_leaves_the_commit_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
