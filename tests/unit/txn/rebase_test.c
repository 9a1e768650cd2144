/*
 * What a change becomes behind others: vectors, ids, timestamps, domains, and how long it tries.
 */
#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/fault_loop.h"
#include "support/row_table.h"
#include "support/test.h"
#include "support/test_env.h"

#include <inttypes.h>
#include <stdlib.h>

static const dwt_range ten_rows = {{0, 9}, {{0, 0}, {0, 0}}};
static const char *const features = "[\"deletionVectors\",\"domainMetadata\",\"rowTracking\","
                                    "\"inCommitTimestamp\"]";

typedef struct fixture {
    dwt_env world;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *seen;
    dw_error err;
} fixture;

/* Version 0 without files, version 1 with one of ten rows. */
static void
create_table(dw_storage *storage)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[\"deletionVectors\"]", features);
    dwt_commit_metadata(&commit, DWT_ROWS_SCHEMA, "[\"a\",\"b\"]", NULL);
    dwt_commit_write(&commit, storage, 0);
    dwt_commit_begin(&commit);
    dwt_commit_add(&commit, &(dwt_add){.path = "f",
                                       .partition_values = "{\"a\":\"0\",\"b\":\"0\"}",
                                       .stats = "{\"numRecords\":10,\"minValues\":{\"id\":0},"
                                                "\"maxValues\":{\"id\":9}}"});
    dwt_commit_write(&commit, storage, 1);
}

static int
setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    dwt_env_init(&f->world, 7);
    assert_ok(dw__storage_memory_open(&f->world.env, &f->storage, &f->err), &f->err);
    create_table(f->storage);
    f->engine = dwt_fake_engine_open(&f->world.env);
    assert_ok(dw__log_open(&f->world.env, f->storage, f->engine, &f->log, &f->err), &f->err);
    assert_ok(dw__log_snapshot(f->log, &f->seen, &f->err), &f->err);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    fixture *f = *state;
    dw__log_snapshot_unref(f->seen);
    dw__log_close(f->log);
    dw__engine_close(f->engine);
    dw__storage_close(f->storage);
    dwt_env_deinit(&f->world);
    free(f);
    return 0;
}

static dw_status
delete_rows(dw_log *log, dw_log_snapshot *seen, const uint64_t *places, size_t count,
            dw_txn_result *result, dw_error *err)
{
    dwt_change change;
    dwt_change_init(&change, log, seen, "DELETE");
    dwt_change_search(&change, &ten_rows);
    dwt_change_mark(&change, "f", places, count);
    dw_status status = dwt_change_commit(&change, result, err);
    dwt_change_deinit(&change);
    return status;
}

static void
append_behind(fixture *f, int64_t attempts_max, int64_t time_max_ms, dw_status *status)
{
    dwt_change change;
    dw_txn_result result;
    dwt_change_init(&change, f->log, f->seen, "WRITE");
    dwt_change_add(&change, "n", &ten_rows, true);
    change.txn.limits =
        (dw_commit_limits){.attempts_max = attempts_max, .time_max_ms = time_max_ms};
    *status = dwt_change_commit(&change, &result, &f->err);
    dwt_change_deinit(&change);
}

static char *
commit_text(dw_storage *storage, int64_t version)
{
    char key[DW_COMMIT_KEY_SIZE];
    dw__commit_key(version, key);
    char *text = dwt_get(storage, key);
    assert_non_null(text);
    return text;
}

static void
assert_commit_has(fixture *f, int64_t version, const char *wanted)
{
    char *text = commit_text(f->storage, version);
    if (strstr(text, wanted) == NULL) {
        fail_msg("expected %s in\n%s", wanted, text);
    }
    free(text);
}

/* ---- Vectors --------------------------------------------------------------------------------- */

/* The live file has exactly these rows deleted; a count of 10: it is gone. */
static void
assert_deleted(dw_log *log, const uint64_t *places, size_t count)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    assert_ok(dw__log_snapshot(log, &newest, &err), &err);
    dwt_change look;
    dwt_file file;
    dwt_change_init(&look, log, newest, "LOOK");
    assert_int_equal(dwt_change_find(&look, "f", &file), count < 10);
    if (count < 10) {
        dw_rowset *gone = dwt_change_deleted(&look, &file.add);
        assert_int_equal(gone == NULL ? 0 : dw__rowset_cardinality(gone), count);
        for (size_t i = 0; i < count; i++) {
            assert_true(dw__rowset_contains(gone, places[i]));
        }
        dw__rowset_free(gone);
    }
    dwt_change_deinit(&look);
}

static void
test_rebase__merges_vectors_of_three_writers_that_began_together(void **state)
{
    fixture *f = *state;
    dw_txn_result result;
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){1, 2}, 2, &result, &f->err), &f->err);
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){3}, 1, &result, &f->err), &f->err);
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){7, 9}, 2, &result, &f->err), &f->err);
    assert_int_equal(result.version, 4);
    assert_deleted(f->log, (uint64_t[]){1, 2, 3, 7, 9}, 5);
    assert_commit_has(f, 4, "\\\"tightBounds\\\":false");
}

static void
test_rebase__removes_a_file_of_which_several_writers_left_nothing(void **state)
{
    fixture *f = *state;
    dw_txn_result result;
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){0, 1, 2, 3, 4}, 5, &result, &f->err),
              &f->err);
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){5, 6, 7, 8, 9}, 5, &result, &f->err),
              &f->err);
    assert_deleted(f->log, NULL, 10);
    char *text = commit_text(f->storage, 3);
    assert_null(strstr(text, "{\"add\""));
    free(text);
}

static void
test_rebase__says_whose_rows_were_the_same(void **state)
{
    fixture *f = *state;
    dw_txn_result result;
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){1, 2}, 2, &result, &f->err), &f->err);
    dw_status status = delete_rows(f->log, f->seen, (uint64_t[]){2, 3}, 2, &result, &f->err);
    assert_error(status, DW_CONFLICT, "CONCURRENT_DELETE_READ", &f->err);
    assert_message_has(&f->err, "version 2 (DELETE by Deltaworks/");
    assert_message_has(&f->err, "deleted or changed rows that this statement takes out, too (f)");
    assert_deleted(f->log, (uint64_t[]){1, 2}, 2);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static void
test_rebase__leaves_out_the_part_of_a_compaction_that_lost_a_file(void **state)
{
    fixture *f = *state;
    dw_txn_result result;
    dw_status status;
    append_behind(f, 0, 0, &status); /* n */
    assert_ok(status, &f->err);
    DW_AUTO(dw_log_snapshot_ptr) both = NULL;
    assert_ok(dw__log_snapshot(f->log, &both, &f->err), &f->err);
    assert_ok(delete_rows(f->log, both, (uint64_t[]){1}, 1, &result, &f->err), &f->err);
    dwt_change move;
    dwt_change_init(&move, f->log, both, "OPTIMIZE");
    move.txn.data_change = false;
    for (size_t i = 0; i < 2; i++) {
        move.part = i + 1;
        dwt_change_remove(&move, i == 0 ? "f" : "n", false);
        dwt_change_add(&move, i == 0 ? "f2" : "n2", &ten_rows, false);
    }
    assert_ok(dwt_change_commit(&move, &result, &f->err), &f->err);
    assert_int_equal(result.version, 4);
    assert_true(move.left_out[1]);
    assert_false(move.left_out[2]);
    char *text = commit_text(f->storage, 4);
    assert_null(strstr(text, "\"f"));
    assert_non_null(strstr(text, "\"n2\""));
    free(text);
    assert_ok(dwt_change_commit(&move, &result, &f->err), &f->err);
    assert_true(result.was_left_out);
    assert_int_equal(result.version, -1);
    dwt_change_deinit(&move);
    assert_deleted(f->log, (uint64_t[]){1}, 1);
}

/* ---- Ids, timestamps, domains ---------------------------------------------------------------- */

/* On the newest version unless another is given. */
static void
set_property(fixture *f, const char *key, const char *value, dw_log_snapshot *seen)
{
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    assert_ok(dw__log_snapshot(f->log, &newest, &f->err), &f->err);
    seen = seen == NULL ? newest : seen;
    dwt_change change;
    dw_txn_result result;
    dw_pair pair = {dw__str_from(key), dw__str_from(value)};
    dw_action action = {.kind = DW_ACTION_METADATA,
                        .as.metadata = *dw__log_snapshot_metadata(seen)};
    action.as.metadata.configuration = (dw_pairs){&pair, 1};
    dwt_change_init(&change, f->log, seen, "SET TBLPROPERTIES");
    dwt_change_put(&change, &action);
    assert_ok(dwt_change_commit(&change, &result, &f->err), &f->err);
    dwt_change_deinit(&change);
}

static void
test_rebase__protects_the_history_before_the_version_that_it_becomes(void **state)
{
    fixture *f = *state;
    dw_status status;
    append_behind(f, 0, 0, &status);
    assert_ok(status, &f->err);
    set_property(f, "delta.requireCheckpointProtectionBeforeVersion", "2", f->seen);
    assert_commit_has(f, 3, "\"delta.requireCheckpointProtectionBeforeVersion\":\"3\"");
}

static void
test_rebase__takes_the_ids_that_a_backfill_gave_meanwhile(void **state)
{
    fixture *f = *state;
    dwt_change backfill;
    dw_txn_result result;
    dwt_change_init(&backfill, f->log, f->seen, "ROW TRACKING BACKFILL");
    dwt_change_recommit(&backfill, "f");
    assert_ok(dwt_change_commit(&backfill, &result, &f->err), &f->err);
    dwt_change_deinit(&backfill);
    assert_commit_has(f, 2, "\"baseRowId\":0");
    assert_ok(delete_rows(f->log, f->seen, (uint64_t[]){4}, 1, &result, &f->err), &f->err);
    assert_commit_has(f, 3, "\"baseRowId\":0");
    assert_commit_has(f, 3, "\"defaultRowCommitVersion\":2");
    char *text = commit_text(f->storage, 3);
    assert_null(strstr(text, "rowIdHighWaterMark"));
    free(text);
}

static void
test_rebase__does_not_claim_to_keep_ids_that_were_enabled_meanwhile(void **state)
{
    fixture *f = *state;
    dwt_change backfill;
    dw_txn_result result;
    dwt_change_init(&backfill, f->log, f->seen, "ROW TRACKING BACKFILL");
    dwt_change_recommit(&backfill, "f");
    assert_ok(dwt_change_commit(&backfill, &result, &f->err), &f->err);
    dwt_change_deinit(&backfill);
    set_property(f, "delta.enableRowTracking", "true", NULL);
    dw_status status;
    append_behind(f, 0, 0, &status);
    assert_ok(status, &f->err);
    assert_commit_has(f, 4, "\"delta.rowTracking.preserved\":\"false\"");
    assert_commit_has(f, 4, "\"baseRowId\":10");
}

static void
test_rebase__writes_in_commit_timestamps_that_were_enabled_meanwhile(void **state)
{
    fixture *f = *state;
    set_property(f, "delta.enableInCommitTimestamps", "true", NULL);
    dw_status status;
    append_behind(f, 0, 0, &status);
    assert_ok(status, &f->err);
    assert_commit_has(f, 3, "{\"commitInfo\":{\"inCommitTimestamp\":");
}

static void
test_rebase__commits_a_version_without_actions_behind_a_change_of_properties(void **state)
{
    fixture *f = *state;
    dwt_change nothing;
    dw_txn_result result;
    set_property(f, "delta.enableDeletionVectors", "true", NULL);
    dwt_change_init(&nothing, f->log, f->seen, "BARRIER");
    assert_ok(dwt_change_commit(&nothing, &result, &f->err), &f->err);
    assert_int_equal(result.version, 3);
    dwt_change_deinit(&nothing);
}

static void
test_rebase__removes_domains_that_a_replaced_table_got_meanwhile(void **state)
{
    fixture *f = *state;
    dwt_change other, replace;
    dw_txn_result result;
    dw_action domain = {.kind = DW_ACTION_DOMAIN,
                        .as.domain = {.domain = DW_STR("theirs"), .configuration = DW_STR("{}")}};
    dw_action metadata = {.kind = DW_ACTION_METADATA,
                          .as.metadata = *dw__log_snapshot_metadata(f->seen)};
    dwt_change_init(&other, f->log, f->seen, "SET DOMAIN");
    dwt_change_put(&other, &domain);
    assert_ok(dwt_change_commit(&other, &result, &f->err), &f->err);
    dwt_change_init(&replace, f->log, f->seen, "REPLACE TABLE");
    dwt_change_put(&replace, &metadata);
    dwt_change_remove(&replace, "f", true);
    replace.txn.reads_whole_table = true;
    replace.txn.replaces_table = true;
    assert_ok(dwt_change_commit(&replace, &result, &f->err), &f->err);
    dwt_change_deinit(&replace);
    dwt_change_deinit(&other);
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    assert_ok(dw__log_snapshot(f->log, &newest, &f->err), &f->err);
    for (size_t i = 0; i < dw__log_snapshot_domain_count(newest); i++) {
        assert_false(dw__str_equal(dw__log_snapshot_domain(newest, i)->domain, DW_STR("theirs")));
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void
test_rebase__gives_up_after_as_many_attempts_as_are_allowed(void **state)
{
    fixture *f = *state;
    dw_status status;
    append_behind(f, 0, 0, &status);
    assert_ok(status, &f->err);
    append_behind(f, 1, 0, &status);
    assert_error(status, DW_CONFLICT, "TOO_MANY_ATTEMPTS", &f->err);
    assert_message_has(&f->err, "the last of them version 2 (WRITE by Deltaworks/");
}

static void
test_rebase__gives_up_when_the_time_is_over(void **state)
{
    fixture *f = *state;
    dw_status status;
    append_behind(f, 0, 0, &status);
    assert_ok(status, &f->err);
    f->world.tick_us = 60000000;
    append_behind(f, 0, 1000, &status);
    assert_error(status, DW_CONFLICT, "TOO_MANY_ATTEMPTS", &f->err);
}

/* ---- With every fault ------------------------------------------------------------------------ */

/* The table, and a winner behind the version that the loser will read. */
static void
fault_setup(dwt_world *world, void *ctx)
{
    (void) ctx;
    create_table(world->truth);
}

static dw_status
delete_twice(dw_log *log, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) seen = NULL;
    dw_txn_result result;
    DW_TRY(dw__log_snapshot(log, &seen, err));
    DW_TRY(delete_rows(log, seen, (uint64_t[]){1}, 1, &result, err));
    return delete_rows(log, seen, (uint64_t[]){2}, 1, &result, err);
}

static dw_status
fault_operation(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_log *log = NULL;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_status status = engine == NULL
                           ? dw__error_set(err, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", "no memory")
                           : dw__log_open(world->env, world->storage, engine, &log, err);
    if (status == DW_OK) {
        status = delete_twice(log, err);
    }
    dw__log_close(log);
    dw__engine_close(engine);
    return status;
}

static void
fault_check(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    if (status != DW_OK) {
        return;
    }
    char *text = commit_text(world->truth, 3);
    assert_non_null(strstr(text, "\"cardinality\":2"));
    free(text);
}

static void
test_rebase__whatever_fails_a_vector_is_merged_or_the_change_fails(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = fault_setup,
                          .operation = fault_operation,
                          .check = fault_check,
                          .faults = DWT_FAULTS_ALL & ~(unsigned) DWT_FAULTS_STORAGE_CRASH});
}

#define REBASE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        REBASE_TEST(test_rebase__merges_vectors_of_three_writers_that_began_together),
        REBASE_TEST(test_rebase__removes_a_file_of_which_several_writers_left_nothing),
        REBASE_TEST(test_rebase__says_whose_rows_were_the_same),
        REBASE_TEST(test_rebase__leaves_out_the_part_of_a_compaction_that_lost_a_file),
        REBASE_TEST(test_rebase__takes_the_ids_that_a_backfill_gave_meanwhile),
        REBASE_TEST(test_rebase__does_not_claim_to_keep_ids_that_were_enabled_meanwhile),
        REBASE_TEST(test_rebase__writes_in_commit_timestamps_that_were_enabled_meanwhile),
        REBASE_TEST(test_rebase__protects_the_history_before_the_version_that_it_becomes),
        REBASE_TEST(test_rebase__commits_a_version_without_actions_behind_a_change_of_properties),
        REBASE_TEST(test_rebase__removes_domains_that_a_replaced_table_got_meanwhile),
        REBASE_TEST(test_rebase__gives_up_after_as_many_attempts_as_are_allowed),
        REBASE_TEST(test_rebase__gives_up_when_the_time_is_over),
        cmocka_unit_test(test_rebase__whatever_fails_a_vector_is_merged_or_the_change_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
