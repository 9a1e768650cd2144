/*
 * FSCK over a log in memory that has one of everything, with every allocation and storage call
 * failing once. What it finds in tables is tested from end to end.
 */
#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/fault_loop.h"
#include "support/test.h"

#include "fsck/fsck.h"

#define DV                                                                                         \
    "\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":"                                \
    "\"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L\",\"sizeInBytes\":44,"              \
    "\"cardinality\":6}"
#define IDS(first) "\"baseRowId\":" #first ",\"defaultRowCommitVersion\":0"
#define MARK                                                                                       \
    "{\"domainMetadata\":{\"domain\":\"delta.rowTracking\",\"configuration\":"                     \
    "\"{\\\"rowIdHighWaterMark\\\":99}\",\"removed\":false}}"

static void
put(dw_storage *storage, const char *key, const char *text)
{
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__storage_put(storage, dw__str_from(key), dw__str_from(text), &err), &err);
}

/* Adds, removes, deletion vectors, row ids, a compacted commit, a hint and a checksum that lies. */
static void
put_table(dwt_world *world, void *ctx)
{
    (void) ctx;
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[\"deletionVectors\"]",
                                 "[\"deletionVectors\",\"rowTracking\",\"domainMetadata\"]");
    dwt_commit_metadata(&commit, DWT_SCHEMA_ID, NULL, NULL);
    dwt_commit_raw(&commit, MARK);
    dwt_commit_txn(&commit, "app", 1);
    dwt_commit_add(
        &commit,
        &(dwt_add){.path = "a", .size = 4, .stats = "{\"numRecords\":40}", .more = IDS(0)});
    dwt_commit_add(
        &commit,
        &(dwt_add){.path = "b", .size = 4, .stats = "{\"numRecords\":40}", .more = IDS(40)});
    dwt_commit_write(&commit, world->truth, 0);
    dwt_commit_begin(&commit);
    dwt_commit_remove(&commit, &(dwt_add){.path = "a"});
    dwt_commit_add(
        &commit,
        &(dwt_add){.path = "a", .size = 4, .stats = "{\"numRecords\":40}", .more = DV "," IDS(0)});
    dwt_commit_write(&commit, world->truth, 1);
    dwt_commit_begin(&commit);
    dwt_commit_remove(&commit, &(dwt_add){.path = "b"});
    dwt_commit_write(&commit, world->truth, 2);
    put(world->truth, "a", "1234");
    put(world->truth, "orphan", "12");
    put(world->truth, "_delta_log/00000000000000000001.00000000000000000002.compacted.json", "");
    put(world->truth, "_delta_log/00000000000000000002.crc", "{\"numFiles\":7}");
    put(world->truth, "_delta_log/_last_checkpoint", "{\"version\":1,\"size\":3}");
}

static dw_status
check_table(dwt_world *world, void *ctx, dw_error *err)
{
    dw_fsck_counts *counts = ctx;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    if (engine == NULL) {
        return dw__error_oom(err);
    }
    dw_log *log;
    dw_fsck_spec spec = {.with_data = false};
    struct ArrowArrayStream rows = {.release = NULL};
    dw_status status = dw__log_open(world->env, world->storage, engine, &log, err);
    if (status == DW_OK) {
        status = dw__log_fsck(log, NULL, &spec, &rows, counts, err);
        dw__log_close(log);
    }
    dw__engine_close(engine);
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    return status;
}

/* A check that got through found what is there: no fault becomes a finding, and none hides one. */
static void
check_counts(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    const dw_fsck_counts *counts = ctx;
    if (status == DW_OK) {
        /* The compacted commit lacks an add and a remove, the checksum nearly everything. */
        assert_int_equal(counts->errors, 9);
        assert_int_equal(counts->warnings, 1);
        assert_int_equal(counts->notes, 1);
    }
}

static void
test_fsck__survives_every_fault_and_finds_the_same(void **state)
{
    (void) state;
    dw_fsck_counts counts = {0};
    dwt_fault_loop(&(dwt_fault_case){.setup = put_table,
                                     .operation = check_table,
                                     .check = check_counts,
                                     .ctx = &counts,
                                     .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO |
                                               DWT_FAULTS_STORAGE_RETRY});
}

static bool
cancel_at_once(void *ctx)
{
    *(int *) ctx += 1;
    return true;
}

static void
cancelled(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    (void) status;
    dw_error err = DW_ERROR_INIT;
    int asked = 0;
    dw_fsck_spec spec = {.is_cancelled = cancel_at_once, .ctx = &asked};
    struct ArrowArrayStream rows = {.release = NULL};
    dw_fsck_counts counts;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_log *log;
    assert_ok(dw__log_open(world->env, world->truth, engine, &log, &err), &err);
    assert_error(dw__log_fsck(log, NULL, &spec, &rows, &counts, &err), DW_CANCELLED, "CANCELLED",
                 &err);
    assert_int_equal(asked, 1);
    dw__log_close(log);
    dw__engine_close(engine);
}

static dw_status
do_nothing(dwt_world *world, void *ctx, dw_error *err)
{
    (void) world;
    (void) ctx;
    (void) err;
    return DW_OK;
}

static void
test_fsck__stops_when_it_is_asked_to(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.setup = put_table,
                                     .operation = do_nothing,
                                     .check = cancelled,
                                     .faults = DWT_FAULTS_STORAGE_IO});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fsck__survives_every_fault_and_finds_the_same),
        cmocka_unit_test(test_fsck__stops_when_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
