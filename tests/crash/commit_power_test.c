/*
 * Power failures during real commits and checkpoints: a process that opens the table afterwards
 * finds every acknowledged version with its files and data, may find the one under way, and never a
 * broken table. Then it can go on writing.
 */
#include "support/test.h"

#include "power_loss.h"
#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/test_env.h"
#include "txn/txn.h"

#include <stdlib.h>

enum { DATA_BYTES = 500 };

/* What is written, and how the disk keeps its promises. */
typedef struct plan {
    int64_t append_count; /* versions 1 .. append_count, behind the creation */
    bool with_checkpoint; /* before the last */
    bool forgets_files;
    bool forgets_directories;
} plan;

typedef struct table {
    dwt_env world;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
} table;

/* `calls` are the recorder's, or NULL for the system's own. */
static void
open_table(table *self, const dw_posix_calls *calls, const char *dir)
{
    dwt_env_init(&self->world, 1);
    char root[DWT_PATH_SIZE + 16];
    snprintf(root, sizeof(root), "%s/table", dir);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_posix_open_over(&self->world.env,
                                                   calls == NULL ? dw__posix_calls_system() : calls,
                                                   dw__str_from(root), &self->storage, &err);
    assert_ok(status, &err);
    self->engine = dwt_fake_engine_open(&self->world.env);
    status = dw__log_open(&self->world.env, self->storage, self->engine, &self->log, &err);
    assert_ok(status, &err);
}

static void
close_table(table *self)
{
    dw__log_close(self->log);
    dw__engine_close(self->engine);
    dw__storage_close(self->storage);
    dwt_env_deinit(&self->world);
}

/* ---- writing --------------------------------------------------------------------------------- */

static dw_status
commit(table *self, dw_log_snapshot *snapshot, const dw_action *actions, size_t count)
{
    dw_error err = DW_ERROR_INIT;
    dw_txn txn = {.log = self->log,
                  .read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = count,
                  .operation = snapshot == NULL ? "CREATE TABLE" : "WRITE",
                  .data_change = true};
    dw_txn_result result;
    return dw__txn_commit(&txn, &result, &err);
}

static dw_status
create(table *self)
{
    dw_action actions[2] = {{.kind = DW_ACTION_PROTOCOL,
                             .as.protocol = {.min_reader_version = 1, .min_writer_version = 2}},
                            {.kind = DW_ACTION_METADATA,
                             .as.metadata = {.id = DW_STR("5fba94ed-9794-4965-ba6e-6ee3c0d22af9"),
                                             .format_provider = DW_STR("parquet"),
                                             .schema_string = DW_STR(DWT_SCHEMA_ID)}}};
    return commit(self, NULL, actions, 2);
}

static dw_status
append(table *self, const char *path)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(self->log, &snapshot, &err));
    dw_action action = {.kind = DW_ACTION_ADD,
                        .as.file = {.path = dw__str_from(path),
                                    .has_partition_values = true,
                                    .has_size = true,
                                    .size_bytes = DATA_BYTES,
                                    .modification_time_ms = DWT_EPOCH_MS,
                                    .data_change = true}};
    return commit(self, snapshot, &action, 1);
}

static void
data_path(char out[64], int64_t version)
{
    snprintf(out, 64, "p=%lld/part-0.parquet", (long long) version);
}

/* The order that every verb follows: data, sync, commit. */
static void
append_recorded(table *self, power_recorder *recorder, int64_t version)
{
    char path[64];
    char name[80];
    char bytes[DATA_BYTES];
    data_path(path, version);
    snprintf(name, sizeof(name), "table/%s", path);
    memset(bytes, 'a' + (int) version, sizeof(bytes));
    power_write_file(recorder, name, dw__str_make(bytes, sizeof(bytes)));
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_sync(self->storage, dw__str_from(path), DATA_BYTES, &err);
    assert_ok(status, &err);
    status = append(self, path);
    assert_int_equal(status, DW_OK);
    power_acknowledge(recorder);
}

/* Acknowledges the creation, then each append. */
static void
record_writing(power_recorder *recorder, const plan *what)
{
    table self;
    open_table(&self, &recorder->calls, recorder->root);
    dw_status status = create(&self);
    assert_int_equal(status, DW_OK);
    power_acknowledge(recorder);
    for (int64_t version = 1; version <= what->append_count; version++) {
        if (what->with_checkpoint && version == what->append_count) {
            dw_error err = DW_ERROR_INIT;
            dw_log_snapshot *snapshot;
            status = dw__log_snapshot(self.log, &snapshot, &err);
            assert_ok(status, &err);
            status = dw__checkpoint_write(snapshot, &err);
            assert_ok(status, &err);
            dw__log_snapshot_unref(snapshot);
        }
        append_recorded(&self, recorder, version);
    }
    close_table(&self);
}

/* ---- what is found --------------------------------------------------------------------------- */

static const char *
check_data(table *self, int64_t version)
{
    char path[64];
    data_path(path, version);
    char *bytes = dwt_get(self->storage, path);
    bool is_whole = bytes != NULL && strlen(bytes) == DATA_BYTES;
    for (size_t i = 0; is_whole && i < DATA_BYTES; i++) {
        is_whole = bytes[i] == 'a' + version;
    }
    free(bytes);
    return is_whole ? NULL : "a data file of the table is lost or torn";
}

/* Each version behind the creation has one file more than the one before it. */
static const char *
check_snapshot(table *self, dw_log_snapshot *snapshot, int64_t acknowledged)
{
    int64_t version = dw__log_snapshot_version(snapshot);
    if (version < acknowledged - 1) {
        return "an acknowledged version is lost";
    }
    if (version > acknowledged) {
        return "there is a version that nobody wrote";
    }
    if (dw__file_set_count(dw__log_snapshot_files(snapshot)) != (size_t) version) {
        return "a version has not its files";
    }
    for (int64_t v = 1; v <= version; v++) {
        const char *fault = check_data(self, v);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

static const char *
check_open_table(table *self, int64_t acknowledged)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot(self->log, &snapshot, &err);
    if (status == DW_NOT_FOUND && acknowledged == 0) {
        return create(self) == DW_OK ? NULL : "the table cannot be created any more";
    }
    if (status != DW_OK) {
        return "the table cannot be read";
    }
    const char *fault = check_snapshot(self, snapshot, acknowledged);
    if (fault != NULL) {
        return fault;
    }
    return append(self, "later.parquet") == DW_OK ? NULL : "the table cannot be written on";
}

static const char *
check_table(void *ctx, const char *path, int64_t acknowledged)
{
    (void) ctx;
    table self;
    open_table(&self, NULL, path);
    const char *fault = check_open_table(&self, acknowledged);
    close_table(&self);
    return fault;
}

static power_verdict
fail_power(plan what)
{
    dwt_temp_dir dir;
    dwt_temp_dir_make(&dir);
    power_recorder *recorder = calloc(1, sizeof(*recorder));
    assert_non_null(recorder);
    power_recorder_init(recorder, dir.path);
    recorder->forgets_file_syncs = what.forgets_files;
    recorder->forgets_directory_syncs = what.forgets_directories;
    record_writing(recorder, &what);
    power_verdict verdict = power_enumerate(recorder, check_table, NULL);
    power_recorder_deinit(recorder);
    free(recorder);
    dwt_temp_dir_remove(&dir);
    return verdict;
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
test_commit_power__every_acknowledged_version_survives(void **state)
{
    (void) state;
    assert_holds(fail_power((plan){.append_count = 3}), 20);
}

static void
test_commit_power__a_checkpoint_under_way_breaks_nothing(void **state)
{
    (void) state;
    assert_holds(fail_power((plan){.append_count = 3, .with_checkpoint = true}), 30);
}

static void
test_commit_power__a_disk_that_forgets_syncs_is_caught(void **state)
{
    (void) state;
    assert_true(fail_power((plan){.append_count = 1, .forgets_files = true}).fault_count > 0);
    assert_true(fail_power((plan){.append_count = 1, .forgets_directories = true}).fault_count > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_power__every_acknowledged_version_survives),
        cmocka_unit_test(test_commit_power__a_checkpoint_under_way_breaks_nothing),
        cmocka_unit_test(test_commit_power__a_disk_that_forgets_syncs_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
