/*
 * What a commit gets with its version: row ids and their high-water mark, commit versions, names of
 * row tracking's columns, since when in-commit timestamps hold. [ASSIGN-1] to [ASSIGN-3]
 */
#include "log/file_set_core.h"
#include "support/fault_loop.h"
#include "txn/row_backfill.h"
#include "txn_world.h"

#include <inttypes.h>
#include <stdio.h>

#define TRACKING_FEATURES "[\"domainMetadata\",\"inCommitTimestamp\",\"rowTracking\"]"
#define MARK(n) "{\\\"rowIdHighWaterMark\\\":" n "}"

/* Two writers on a table that supports row tracking, with what is said of it at version 2. */
static void
support_tracking(fixture *f, const char *configuration)
{
    dwt_commit upgrade;
    dwt_commit_begin(&upgrade);
    dwt_commit_raw(&upgrade, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
                             "\"writerFeatures\":" TRACKING_FEATURES "}}");
    if (configuration != NULL) {
        dwt_commit_metadata(&upgrade, DWT_SCHEMA_ID, NULL, configuration);
    }
    dwt_commit_write(&upgrade, f->storage, 2);
}

static void
refresh(fixture *f, writer *w)
{
    dw__log_snapshot_unref(w->snapshot);
    w->snapshot = NULL;
    assert_ok(dw__log_snapshot(w->log, &w->snapshot, &f->err), &f->err);
}

static dw_action
add_of_rows(const char *path, const char *stats)
{
    dw_action action = add_action(path);
    action.as.file.stats = stats == NULL ? DW_STR_NULL : dw__str_from(stats);
    return action;
}

static char *
commit_text(fixture *f, int64_t version)
{
    char key[DW_COMMIT_KEY_SIZE];
    dw__commit_key(version, key);
    char *text = dwt_get(f->storage, key);
    assert_non_null(text);
    return text;
}

static void
assert_commit_has(fixture *f, int64_t version, const char *part)
{
    char *text = commit_text(f, version);
    if (strstr(text, part) == NULL) {
        print_error("%s\nlacks %s\n", text, part);
    }
    assert_non_null(strstr(text, part));
    free(text);
}

static void
assert_commit_lacks(fixture *f, int64_t version, const char *part)
{
    char *text = commit_text(f, version);
    assert_null(strstr(text, part));
    free(text);
}

static void
assert_commits(fixture *f, writer *w, const dw_action *actions, size_t count, int64_t version)
{
    dw_txn_result result;
    assert_ok(commit(w, actions, count, false, &result, &f->err), &f->err);
    assert_int_equal(result.version, version);
}

/* The base row id and the commit version of a live file. */
static void
find_ids(fixture *f, const char *path, int64_t *id, int64_t *version)
{
    refresh(f, &f->a);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_file_set *files = dw__log_snapshot_files(f->a.snapshot);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        if (dw__str_equal(dw__file_set_path(files, ref), dw__str_from(path))) {
            dw_file file;
            assert_ok(dw__file_set_get(files, ref, &arena, &file, &f->err), &f->err);
            *id = file.has_base_row_id ? file.base_row_id : -1;
            *version = file.has_default_row_commit_version ? file.default_row_commit_version : -1;
            return;
        }
    }
    fail_msg("%s is not there", path);
}

static void
assert_ids(fixture *f, const char *path, int64_t id, int64_t version)
{
    int64_t found_id, found_version;
    find_ids(f, path, &found_id, &found_version);
    assert_int_equal(found_id, id);
    assert_int_equal(found_version, version);
}

/* ---- Row ids --------------------------------------------------------------------------------- */

static void
test_assign__gives_new_files_ids_behind_the_high_water_mark(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action adds[] = {add_of_rows("x", "{\"numRecords\":5}"),
                        add_of_rows("y", "{\"numRecords\":7,\"nullCount\":{}}")};
    assert_commits(f, &f->a, adds, 2, 3);
    assert_ids(f, "x", 0, 3);
    assert_ids(f, "y", 5, 3);
    assert_commit_has(f, 3, MARK("11"));
}

static void
test_assign__rebases_ids_over_those_of_others(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    refresh(f, &f->b);
    dw_action first = add_of_rows("x", "{\"numRecords\":5}");
    dw_action second = add_of_rows("y", "{\"numRecords\":2}");
    assert_commits(f, &f->a, &first, 1, 3);
    assert_commits(f, &f->b, &second, 1, 4);
    assert_ids(f, "x", 0, 3);
    assert_ids(f, "y", 5, 4);
    assert_commit_has(f, 4, MARK("6"));
    dw_action third = add_of_rows("z", "{\"numRecords\":1}");
    assert_commits(f, &f->a, &third, 1, 5);
    assert_ids(f, "z", 7, 5);
}

static void
test_assign__keeps_the_ids_of_files_that_are_committed_again(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action add = add_of_rows("x", "{\"numRecords\":5}");
    assert_commits(f, &f->a, &add, 1, 3);
    refresh(f, &f->a);
    dw_dv_descriptor dv = {.storage_type = 'i',
                           .path_or_inline_dv = DW_STR("abcde"),
                           .size_bytes = 4,
                           .cardinality = 1};
    dw_action again[] = {remove_action("x"), add_of_rows("x", "{\"numRecords\":5}")};
    again[1].as.file.dv = &dv;
    again[1].as.file.has_base_row_id = true;
    again[1].as.file.base_row_id = 0;
    again[1].as.file.has_default_row_commit_version = true;
    again[1].as.file.default_row_commit_version = 3;
    assert_commits(f, &f->a, again, 2, 4);
    assert_ids(f, "x", 0, 3);
    assert_commit_lacks(f, 4, "HighWaterMark");
}

static void
test_assign__wants_to_know_how_many_rows_a_file_has(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    static const char *const stats[] = {NULL, "{}", "{", "{\"numRecords\":-1}"};
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        dw_action add = add_of_rows("x", stats[i]);
        dw_txn_result result;
        dw__error_clear(&f->err);
        assert_error(commit(&f->a, &add, 1, false, &result, &f->err), DW_UNSUPPORTED,
                     "ROW_IDS_WITHOUT_STATISTICS", &f->err);
    }
}

static void
test_assign__gives_no_ids_while_tracking_is_suspended(void **state)
{
    fixture *f = *state;
    support_tracking(f, "{\"delta.rowTrackingSuspended\":\"true\"}");
    refresh(f, &f->a);
    dw_action add = add_of_rows("x", NULL);
    add.as.file.has_base_row_id = true;
    assert_commits(f, &f->a, &add, 1, 3);
    assert_ids(f, "x", -1, -1);
    assert_commit_lacks(f, 3, "HighWaterMark");
}

static void
test_assign__refuses_tracking_that_is_enabled_and_suspended(void **state)
{
    fixture *f = *state;
    support_tracking(
        f, "{\"delta.rowTrackingSuspended\":\"true\",\"delta.enableRowTracking\":\"true\"}");
    refresh(f, &f->a);
    dw_action add = add_of_rows("x", "{\"numRecords\":1}");
    dw_txn_result result;
    assert_error(commit(&f->a, &add, 1, false, &result, &f->err), DW_UNSUPPORTED,
                 "ROW_TRACKING_SUSPENDED", &f->err);
}

static void
test_assign__refuses_a_high_water_mark_that_goes_back(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action add = add_of_rows("x", "{\"numRecords\":5}");
    assert_commits(f, &f->a, &add, 1, 3);
    refresh(f, &f->a);
    static const char *const marks[] = {MARK("2"), "{}", "nonsense", MARK("\\\"7\\\"")};
    static const char *const messages[] = {"went back from 4 to 2", "found \"{}\"", "nonsense",
                                           "expected an integer"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        char line[256];
        snprintf(line, sizeof(line),
                 "{\"domainMetadata\":{\"domain\":\"delta.rowTracking\",\"configuration\":\"%s\","
                 "\"removed\":false}}",
                 marks[i]);
        dwt_commit wrong;
        dwt_commit_begin(&wrong);
        dwt_commit_raw(&wrong, line);
        char key[DW_COMMIT_KEY_SIZE];
        dwt_put(f->storage, dw__commit_key(4, key).ptr, dw__strbuf_str(&wrong.text));
        dw__strbuf_deinit(&wrong.text);
        dw_txn_result result;
        dw_action more = add_of_rows("y", "{\"numRecords\":5}");
        dw__error_clear(&f->err);
        assert_error(commit(&f->a, &more, 1, false, &result, &f->err), DW_CORRUPT,
                     "ROW_TRACKING_INVALID", &f->err);
        assert_message_has(&f->err, messages[i]);
    }
}

static void
test_assign__says_when_ids_run_out(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    dwt_commit high;
    dwt_commit_begin(&high);
    dwt_commit_raw(&high, "{\"domainMetadata\":{\"domain\":\"delta.rowTracking\",\"configuration\":"
                          "\"{\\\"rowIdHighWaterMark\\\":9223372036854775800}\","
                          "\"removed\":false}}");
    dwt_commit_write(&high, f->storage, 3);
    refresh(f, &f->a);
    dw_action add = add_of_rows("x", "{\"numRecords\":8}");
    dw_txn_result result;
    assert_error(commit(&f->a, &add, 1, false, &result, &f->err), DW_UNSUPPORTED,
                 "ROW_IDS_EXHAUSTED", &f->err);
}

/* ---- Enabling -------------------------------------------------------------------------------- */

static dw_action
metadata_with(const writer *w, dw_pair *pairs, size_t count)
{
    dw_action action = {.kind = DW_ACTION_METADATA,
                        .as.metadata = *dw__log_snapshot_metadata(w->snapshot)};
    action.as.metadata.configuration = (dw_pairs){pairs, count};
    return action;
}

static dw_pair enable_tracking = {{"delta.enableRowTracking", 23}, {"true", 4}};

static void
put_stats_file(fixture *f, int64_t version, const char *path)
{
    dwt_commit more;
    dwt_commit_begin(&more);
    dwt_commit_add(&more, &(dwt_add){.path = path, .stats = "{\"numRecords\":3}"});
    dwt_commit_write(&more, f->storage, version);
}

static void
test_assign__enables_tracking_only_when_all_files_have_ids(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action enable = metadata_with(&f->a, &enable_tracking, 1);
    dw_txn_result result;
    assert_error(commit(&f->a, &enable, 1, false, &result, &f->err), DW_UNSUPPORTED,
                 "ROW_IDS_MISSING", &f->err);
    assert_message_has(&f->err, "part-1.parquet");
}

static void
test_assign__names_the_columns_of_row_tracking_once(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action actions[] = {remove_action("part-1.parquet"),
                           metadata_with(&f->a, &enable_tracking, 1)};
    assert_commits(f, &f->a, actions, 2, 3);
    refresh(f, &f->a);
    const dw_pairs *before = &dw__log_snapshot_metadata(f->a.snapshot)->configuration;
    const dw_str *id_column =
        dw__pairs_get(before, DW_STR("delta.rowTracking.materializedRowIdColumnName"));
    const dw_str *version_column =
        dw__pairs_get(before, DW_STR("delta.rowTracking.materializedRowCommitVersionColumnName"));
    assert_non_null(id_column);
    assert_non_null(version_column);
    assert_true(dw__str_starts_with(*id_column, DW_STR("_row-id-col-")));
    assert_true(dw__str_starts_with(*version_column, DW_STR("_row-commit-version-col-")));
    assert_commit_has(f, 3, "\"tags\":{\"delta.rowTracking.preserved\":\"true\"}");

    dw_pair pairs[] = {enable_tracking, {DW_STR("a"), DW_STR("b")}};
    dw_action set = metadata_with(&f->a, pairs, 2);
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "ColumnName\":\"%.*s\"", DW_STR_ARG(*id_column));
    assert_commits(f, &f->a, &set, 1, 4);
    assert_commit_has(f, 4, wanted);
}

static void
test_assign__says_when_a_change_loses_ids(void **state)
{
    fixture *f = *state;
    support_tracking(f, NULL);
    refresh(f, &f->a);
    dw_action actions[] = {remove_action("part-1.parquet"),
                           metadata_with(&f->a, &enable_tracking, 1)};
    dw_txn txn = {.log = f->a.log,
                  .read_snapshot = f->a.snapshot,
                  .actions = actions,
                  .action_count = 2,
                  .operation = "UPDATE",
                  .data_change = true,
                  .loses_row_ids = true};
    dw_txn_result result;
    assert_ok(dw__txn_commit(&txn, &result, &f->err), &f->err);
    assert_commit_has(f, 3, "\"tags\":{\"delta.rowTracking.preserved\":\"false\"}");
}

/* ---- Backfill -------------------------------------------------------------------------------- */

static void
test_backfill__gives_ids_to_files_that_have_none_and_changes_nothing_else(void **state)
{
    fixture *f = *state;
    dwt_commit gone;
    dwt_commit_begin(&gone);
    dwt_commit_remove(&gone, &(dwt_add){.path = "part-1.parquet"});
    dwt_commit_add(
        &gone,
        &(dwt_add){.path = "old", .stats = "{\"numRecords\":3}", .more = "\"tags\":{\"k\":\"v\"}"});
    dwt_commit_raw(&gone, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
                          "\"writerFeatures\":" TRACKING_FEATURES "}}");
    dwt_commit_write(&gone, f->storage, 2);
    put_stats_file(f, 3, "older");
    int64_t count;
    assert_ok(dw__row_tracking_backfill(f->a.log, &count, &f->err), &f->err);
    assert_int_equal(count, 2);
    assert_ids(f, "old", 0, 4);
    assert_ids(f, "older", 3, 4);
    assert_commit_has(f, 4, "\"operation\":\"ROW TRACKING BACKFILL\"");
    assert_commit_has(f, 4,
                      "\"dataChange\":false,\"stats\":\"{\\\"numRecords\\\":3}\","
                      "\"tags\":{\"k\":\"v\"},\"baseRowId\":0,"
                      "\"defaultRowCommitVersion\":4}");
    assert_commit_has(f, 4, MARK("5"));
    assert_int_equal(dw__file_set_count(dw__log_snapshot_files(f->a.snapshot)), 2);

    dw_action enable = metadata_with(&f->a, &enable_tracking, 1);
    assert_commits(f, &f->a, &enable, 1, 5);
    assert_ok(dw__row_tracking_backfill(f->b.log, &count, &f->err), &f->err);
    assert_int_equal(count, 0);
}

static void
test_backfill__wants_a_protocol_that_lists_row_tracking(void **state)
{
    fixture *f = *state;
    int64_t count;
    assert_error(dw__row_tracking_backfill(f->a.log, &count, &f->err), DW_UNSUPPORTED,
                 "ROW_TRACKING_NOT_SUPPORTED", &f->err);
}

/* ---- In-commit timestamps -------------------------------------------------------------------- */

static dw_pair enable_timestamps = {{"delta.enableInCommitTimestamps", 30}, {"true", 4}};

static void
test_assign__says_since_when_in_commit_timestamps_hold(void **state)
{
    fixture *f = *state;
    support_tracking(f, "{\"delta.rowTrackingSuspended\":\"true\"}");
    refresh(f, &f->a);
    refresh(f, &f->b);
    dw_action add = add_action("x");
    assert_commits(f, &f->b, &add, 1, 3); /* the enabling commit must be rebased */
    dw_action enable = metadata_with(&f->a, &enable_timestamps, 1);
    dw_pair pairs[] = {enable_timestamps, {DW_STR("delta.rowTrackingSuspended"), DW_STR("true")}};
    enable.as.metadata.configuration = (dw_pairs){pairs, 2};
    assert_commits(f, &f->a, &enable, 1, 4);
    refresh(f, &f->a);
    int64_t time = dw__log_snapshot_timestamp_ms(f->a.snapshot);
    char wanted[160];
    snprintf(wanted, sizeof(wanted),
             "\"delta.inCommitTimestampEnablementVersion\":\"4\","
             "\"delta.inCommitTimestampEnablementTimestamp\":\"%" PRId64 "\"",
             time);
    assert_commit_has(f, 4, wanted);
    snprintf(wanted, sizeof(wanted), "{\"commitInfo\":{\"inCommitTimestamp\":%" PRId64 ",", time);
    assert_commit_has(f, 4, wanted);

    dw_action replaced = metadata_with(&f->a, pairs, 2);
    assert_commits(f, &f->a, &replaced, 1, 5); /* what is not said again still holds */
    assert_commit_has(f, 5, "\"delta.inCommitTimestampEnablementVersion\":\"4\"");
}

static void
test_assign__a_table_made_with_in_commit_timestamps_needs_not_say_since_when(void **state)
{
    fixture *f = *state;
    dw_storage *storage;
    assert_ok(dw__storage_memory_open(&f->world.env, &storage, &f->err), &f->err);
    dw_log *log;
    assert_ok(dw__log_open(&f->world.env, storage, f->a.engine, &log, &f->err), &f->err);
    dw_str features[] = {DW_STR("inCommitTimestamp")};
    dw_action actions[] = {{.kind = DW_ACTION_PROTOCOL,
                            .as.protocol = {.min_reader_version = 1,
                                            .min_writer_version = 7,
                                            .has_writer_features = true,
                                            .writer_features = features,
                                            .writer_feature_count = 1}},
                           metadata_with(&f->a, &enable_timestamps, 1)};
    dw_txn txn = {.log = log, .actions = actions, .action_count = 2, .operation = "CREATE TABLE"};
    dw_txn_result result;
    assert_ok(dw__txn_commit(&txn, &result, &f->err), &f->err);
    char *text = dwt_get(storage, DW_LOG_DIR "00000000000000000000.json");
    assert_non_null(strstr(text, "{\"commitInfo\":{\"inCommitTimestamp\":"));
    assert_null(strstr(text, "Enablement"));
    free(text);
    text = dwt_get(storage, DW_LOG_DIR "00000000000000000000.crc");
    assert_non_null(strstr(text, "\"inCommitTimestampOpt\":"));
    free(text);
    dw__log_close(log);
    dw__storage_close(storage);
}

static void
test_assign__the_property_alone_enables_nothing(void **state)
{
    fixture *f = *state;
    dw_action enable = metadata_with(&f->a, &enable_timestamps, 1);
    assert_commits(f, &f->a, &enable, 1, 2);
    assert_commit_lacks(f, 2, "\"inCommitTimestamp\"");
    assert_commit_lacks(f, 2, "Enablement");
}

/* ---- With every fault ------------------------------------------------------------------------ */

static void
fault_setup(dwt_world *world, void *ctx)
{
    (void) ctx;
    dwt_commit first;
    dwt_commit_begin(&first);
    dwt_commit_raw(&first, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
                           "\"writerFeatures\":" TRACKING_FEATURES "}}");
    dwt_commit_metadata(&first, DWT_SCHEMA_ID, NULL, NULL);
    dwt_commit_add(&first, &(dwt_add){.path = "x", .stats = "{\"numRecords\":3}"});
    dwt_commit_write(&first, world->truth, 0);
}

static dw_status
fault_operation(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    writer w;
    dw_status status = writer_open(&w, world->env, world->storage, err);
    if (status == DW_OK) {
        int64_t count;
        status = dw__row_tracking_backfill(w.log, &count, err);
    }
    if (status == DW_OK) {
        dw__log_snapshot_unref(w.snapshot);
        w.snapshot = NULL;
        status = dw__log_snapshot(w.log, &w.snapshot, err);
    }
    if (status == DW_OK) {
        dw_pair pairs[] = {enable_tracking, enable_timestamps};
        dw_action actions[] = {metadata_with(&w, pairs, 2), add_of_rows("y", "{\"numRecords\":2}")};
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
    char *text = dwt_get(world->truth, DW_LOG_DIR "00000000000000000002.json");
    assert_true(status != DW_OK || text != NULL);
    if (text != NULL) {
        assert_non_null(strstr(text, "\"baseRowId\":3,\"defaultRowCommitVersion\":2"));
        assert_non_null(strstr(text, MARK("4")));
    }
    free(text);
}

static void
test_assign__whatever_fails_ids_are_right(void **state)
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
        TXN_TEST(test_assign__gives_new_files_ids_behind_the_high_water_mark),
        TXN_TEST(test_assign__rebases_ids_over_those_of_others),
        TXN_TEST(test_assign__keeps_the_ids_of_files_that_are_committed_again),
        TXN_TEST(test_assign__wants_to_know_how_many_rows_a_file_has),
        TXN_TEST(test_assign__gives_no_ids_while_tracking_is_suspended),
        TXN_TEST(test_assign__refuses_tracking_that_is_enabled_and_suspended),
        TXN_TEST(test_assign__refuses_a_high_water_mark_that_goes_back),
        TXN_TEST(test_assign__says_when_ids_run_out),
        TXN_TEST(test_assign__enables_tracking_only_when_all_files_have_ids),
        TXN_TEST(test_assign__names_the_columns_of_row_tracking_once),
        TXN_TEST(test_assign__says_when_a_change_loses_ids),
        TXN_TEST(test_backfill__gives_ids_to_files_that_have_none_and_changes_nothing_else),
        TXN_TEST(test_backfill__wants_a_protocol_that_lists_row_tracking),
        TXN_TEST(test_assign__says_since_when_in_commit_timestamps_hold),
        TXN_TEST(test_assign__a_table_made_with_in_commit_timestamps_needs_not_say_since_when),
        TXN_TEST(test_assign__the_property_alone_enables_nothing),
        cmocka_unit_test(test_assign__whatever_fails_ids_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
