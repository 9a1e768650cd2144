/*
 * Opening, appending and checkpointing while any one allocation or storage call fails, gets lost,
 * comes twice or is the last before the process dies: no leak, the error is said, and the table is
 * as valid as before. What was acknowledged is there; what was refused is not.
 */
#include "support/test.h"

#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/fault_loop.h"
#include "txn/txn.h"

#include <stdlib.h>

enum {
    VERSIONS = 4 /* 0 .. 3 are there before */
};

#define NEW_FILE "new.parquet"

typedef struct session {
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *snapshot;
} session;

static dw_status
open_session(const dw_env *env, dw_storage *storage, session *out, dw_error *err)
{
    *out = (session){0};
    out->engine = dwt_fake_engine_open(env);
    if (out->engine == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__log_open(env, storage, out->engine, &out->log, err));
    return dw__log_snapshot(out->log, &out->snapshot, err);
}

static void
close_session(session *self)
{
    dw__log_snapshot_unref(self->snapshot);
    dw__log_close(self->log);
    dw__engine_close(self->engine);
}

static void
setup(dwt_world *world, void *ctx)
{
    (void) ctx;
    dwt_log_create(world->truth, NULL);
    for (int64_t version = 1; version < VERSIONS; version++) {
        dwt_log_append(world->truth, version);
    }
}

/* A table that a checkpoint helps to read. */
static void
setup_with_checkpoint(dwt_world *world, void *ctx)
{
    setup(world, ctx);
    dw_error err = DW_ERROR_INIT;
    session self;
    dw_status status = open_session(world->env, world->truth, &self, &err);
    assert_ok(status, &err);
    status = dw__checkpoint_write(self.snapshot, &err);
    assert_ok(status, &err);
    close_session(&self);
    dwt_log_append(world->truth, VERSIONS);
}

/* The newest version as a process sees it that has no troubles; the number of its files. */
static size_t
read_table(dwt_world *world, int64_t *version_out)
{
    dw_error err = DW_ERROR_INIT;
    session self;
    dw_status status = open_session(world->env, world->truth, &self, &err);
    assert_ok(status, &err);
    *version_out = dw__log_snapshot_version(self.snapshot);
    size_t count = dw__file_set_count(dw__log_snapshot_files(self.snapshot));
    close_session(&self);
    return count;
}

/* ---- opening --------------------------------------------------------------------------------- */

static dw_status
open_and_read(dwt_world *world, void *ctx, dw_error *err)
{
    const int64_t *expected = ctx;
    session self;
    dw_status status = open_session(world->env, world->storage, &self, err);
    if (status == DW_OK) {
        assert_int_equal(dw__log_snapshot_version(self.snapshot), *expected);
        assert_int_equal(dw__file_set_count(dw__log_snapshot_files(self.snapshot)), *expected);
    }
    close_session(&self);
    return status;
}

static void
test_fault__opening_fails_cleanly(void **state)
{
    (void) state;
    int64_t newest = VERSIONS - 1;
    dwt_fault_loop(&(dwt_fault_case){
        .setup = setup, .operation = open_and_read, .ctx = &newest, .faults = DWT_FAULTS_ALL});
    newest = VERSIONS;
    dwt_fault_loop(&(dwt_fault_case){.setup = setup_with_checkpoint,
                                     .operation = open_and_read,
                                     .ctx = &newest,
                                     .faults = DWT_FAULTS_ALL});
}

/* ---- appending ------------------------------------------------------------------------------- */

static dw_status
append(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session self;
    dw_status status = open_session(world->env, world->storage, &self, err);
    if (status == DW_OK) {
        dw_action action = {.kind = DW_ACTION_ADD,
                            .as.file = {.path = DW_STR(NEW_FILE),
                                        .has_partition_values = true,
                                        .has_size = true,
                                        .size_bytes = 10,
                                        .data_change = true}};
        dw_txn txn = {.log = self.log,
                      .read_snapshot = self.snapshot,
                      .actions = &action,
                      .action_count = 1,
                      .operation = "WRITE",
                      .data_change = true};
        dw_txn_result result;
        status = dw__txn_commit(&txn, &result, err);
    }
    close_session(&self);
    return status;
}

static void
check_append(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    int64_t version;
    size_t file_count = read_table(world, &version);
    assert_int_equal(file_count, version);
    bool is_in = version == VERSIONS;
    assert_true(is_in || version == VERSIONS - 1);
    if (status == DW_OK) {
        assert_true(is_in);
    } else if (status != DW_AMBIGUOUS) {
        assert_false(is_in);
    }
}

/* A process that dies tells nobody anything. */
static void
check_append_of_the_dead(dwt_world *world, void *ctx, dw_status status)
{
    (void) status;
    check_append(world, ctx, DW_AMBIGUOUS);
}

static void
test_fault__an_append_happens_once_or_not_at_all(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = setup,
                          .operation = append,
                          .check = check_append,
                          .faults = DWT_FAULTS_ALL & ~(unsigned) DWT_FAULTS_STORAGE_CRASH});
    dwt_fault_loop(&(dwt_fault_case){.setup = setup,
                                     .operation = append,
                                     .check = check_append_of_the_dead,
                                     .faults = DWT_FAULTS_STORAGE_CRASH});
}

/* ---- checkpointing --------------------------------------------------------------------------- */

static dw_status
checkpoint(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session self;
    dw_status status = open_session(world->env, world->storage, &self, err);
    if (status == DW_OK) {
        status = dw__checkpoint_write(self.snapshot, err);
    }
    close_session(&self);
    return status;
}

static void
check_checkpoint(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    int64_t version;
    size_t file_count = read_table(world, &version);
    assert_int_equal(version, VERSIONS - 1);
    assert_int_equal(file_count, VERSIONS - 1);
    if (status != DW_OK) {
        return;
    }
    /* It stands for the commits that it covers. */
    static const char first[] = "_delta_log/00000000000000000000.json";
    dw_error err = DW_ERROR_INIT;
    dw_status removed = dw__storage_remove(world->truth, dw__str_from(first), &err);
    assert_ok(removed, &err);
    file_count = read_table(world, &version);
    assert_int_equal(version, VERSIONS - 1);
    assert_int_equal(file_count, VERSIONS - 1);
}

static void
test_fault__a_checkpoint_never_hurts_the_table(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.setup = setup,
                                     .operation = checkpoint,
                                     .check = check_checkpoint,
                                     .faults = DWT_FAULTS_ALL});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault__opening_fails_cleanly),
        cmocka_unit_test(test_fault__an_append_happens_once_or_not_at_all),
        cmocka_unit_test(test_fault__a_checkpoint_never_hurts_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
