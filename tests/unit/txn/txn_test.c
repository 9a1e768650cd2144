/*
 * The commit loop over real logs in memory: rebasing, conflicts, outcomes that storage does not
 * tell, and every single fault.
 */
#include "support/fault_loop.h"
#include "txn_world.h"

#include <inttypes.h>

/* How many commits below version `end` add the path. */
static size_t
count_adds(dw_storage *storage, const char *path)
{
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "\"path\":\"%s\"", path);
    size_t found = 0;
    for (int64_t version = 0; version < 40; version++) {
        char key[DW_COMMIT_KEY_SIZE];
        dw__commit_key(version, key);
        char *text = dwt_get(storage, key);
        found += text != NULL && strstr(text, wanted) != NULL ? 1 : 0;
        free(text);
    }
    return found;
}

/* ---- Without faults -------------------------------------------------------------------------- */

static void
test_txn__blind_appends_line_up_behind_each_other(void **state)
{
    fixture *f = *state;
    dw_action first = add_action("first");
    dw_action second = add_action("second");
    dw_txn_result result;
    assert_ok(commit(&f->a, &first, 1, false, &result, &f->err), &f->err);
    assert_int_equal(result.version, 2);
    assert_ok(commit(&f->b, &second, 1, false, &result, &f->err), &f->err);
    assert_int_equal(result.version, 3);
    assert_int_equal(result.attempt_count, 2);
}

static void
test_txn__a_change_that_read_what_another_removed_conflicts_and_says_who(void **state)
{
    fixture *f = *state;
    dw_action remove = remove_action("part-1.parquet");
    dw_txn_result result;
    assert_ok(commit(&f->a, &remove, 1, false, &result, &f->err), &f->err);
    dw_action both[] = {remove_action("part-1.parquet"), add_action("new")};
    dw_status status = commit(&f->b, both, 2, true, &result, &f->err);
    assert_error(status, DW_CONFLICT, "CONCURRENT_DELETE_READ", &f->err);
    assert_message_has(&f->err, "version 2 (WRITE");
    assert_int_equal(result.version, -1);
    assert_int_equal(count_adds(f->storage, "new"), 0);
}

static void
test_txn__an_id_that_another_recorded_makes_a_duplicate(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {
        {.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("job"), .version = 4}},
        add_action("once")};
    dw_txn_result result;
    assert_ok(commit(&f->a, actions, 2, false, &result, &f->err), &f->err);
    assert_false(result.was_duplicate);
    assert_ok(commit(&f->b, actions, 2, false, &result, &f->err), &f->err);
    assert_true(result.was_duplicate);
    assert_int_equal(count_adds(f->storage, "once"), 1);
}

static void
test_txn__creating_a_table_that_appeared_meanwhile_is_refused(void **state)
{
    fixture *f = *state;
    dw_action actions[] = {
        {.kind = DW_ACTION_PROTOCOL,
         .as.protocol = {.min_reader_version = 1, .min_writer_version = 2}},
        {.kind = DW_ACTION_METADATA, .as.metadata = *dw__log_snapshot_metadata(f->a.snapshot)}};
    dw_txn txn = {.log = f->a.log,
                  .actions = actions,
                  .action_count = 2,
                  .operation = "CREATE TABLE",
                  .data_change = true};
    dw_txn_result result;
    assert_error(dw__txn_commit(&txn, &result, &f->err), DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                 &f->err);
}

static void
test_txn__in_commit_timestamps_grow_even_when_the_clock_goes_back(void **state)
{
    (void) state;
    dwt_env world;
    dw_error err = DW_ERROR_INIT;
    dw_storage *storage;
    dwt_env_init(&world, 3);
    assert_ok(dw__storage_memory_open(&world.env, &storage, &err), &err);
    dwt_commit first;
    dwt_commit_begin(&first);
    dwt_commit_raw(&first, "{\"commitInfo\":{\"inCommitTimestamp\":5000000000000,"
                           "\"timestamp\":1,\"operation\":\"CREATE TABLE\"}}");
    dwt_commit_raw(&first, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
                           "\"writerFeatures\":[\"inCommitTimestamp\"]}}");
    dwt_commit_metadata(&first, DWT_SCHEMA_ID, NULL,
                        "{\"delta.enableInCommitTimestamps\":\"true\"}");
    dwt_commit_write(&first, storage, 0);
    writer w;
    assert_ok(writer_open(&w, &world.env, storage, &err), &err);
    dw_action add = add_action("x");
    dw_txn_result result;
    assert_ok(commit(&w, &add, 1, false, &result, &err), &err);
    char key[DW_COMMIT_KEY_SIZE];
    dw__commit_key(1, key);
    char *text = dwt_get(storage, key);
    assert_non_null(strstr(text, "{\"commitInfo\":{\"inCommitTimestamp\":5000000000001,"));
    free(text);
    writer_close(&w);
    dw__storage_close(storage);
    dwt_env_deinit(&world);
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
        dw_action add = add_action("exactly-one");
        dw_txn_result result;
        status = commit(&w, &add, 1, false, &result, err);
    }
    writer_close(&w);
    return status;
}

static void
fault_check(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    size_t found = count_adds(world->truth, "exactly-one");
    if (status == DW_OK) {
        assert_int_equal(found, 1);
    } else if (status == DW_AMBIGUOUS) {
        assert_true(found <= 1);
    } else {
        assert_int_equal(found, 0);
    }
}

static void
test_txn__whatever_fails_a_commit_is_never_doubled_nor_misreported(void **state)
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
        cmocka_unit_test_setup_teardown(test_txn__blind_appends_line_up_behind_each_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_txn__a_change_that_read_what_another_removed_conflicts_and_says_who, setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_txn__an_id_that_another_recorded_makes_a_duplicate,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_txn__creating_a_table_that_appeared_meanwhile_is_refused, setup, teardown),
        cmocka_unit_test(test_txn__in_commit_timestamps_grow_even_when_the_clock_goes_back),
        cmocka_unit_test(test_txn__whatever_fails_a_commit_is_never_doubled_nor_misreported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
