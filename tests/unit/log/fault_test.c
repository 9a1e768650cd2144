/* Opening, refreshing, writing checkpoints and the history, with every allocation and storage call
 * failing once. */
#include "log_world.h"

#include "support/fault_loop.h"

static void
put_table(dwt_world *world, void *ctx)
{
    (void) ctx;
    log_world w = {.storage = world->truth};
    world_commit(&w, 0,
                 ADD("a") ADD_MORE("b%20c", "\"stats\":\"{\\\"numRecords\\\":1}\"")
                     ADD_MORE("d", DV("v1")) "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n");
    world_commit(&w, 1,
                 REMOVE("a") ADD("e") "{\"domainMetadata\":{\"domain\":\"d\","
                                      "\"configuration\":\"{}\",\"removed\":false}}\n");
    world_commit(&w, 2, ADD("f"));
}

/* A log that is closed again with all that was taken from it. */
typedef struct session {
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *snapshot;
} session;

static dw_status
session_open(session *s, dwt_world *world, dw_error *err)
{
    *s = (session){.engine = dwt_fake_engine_open(world->env)};
    if (s->engine == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__log_open(world->env, world->storage, s->engine, &s->log, err));
    return dw__log_snapshot(s->log, &s->snapshot, err);
}

static void
session_close(session *s)
{
    dw__log_snapshot_unref(s->snapshot);
    dw__log_close(s->log);
    dw__engine_close(s->engine);
}

static void
assert_live(const dw_log_snapshot *snapshot, const char *expected)
{
    char *words = file_words(dw__log_snapshot_files(snapshot));
    assert_string_equal(words, expected);
    free(words);
}

static dw_status
open_table(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_status status = session_open(&s, world, err);
    if (status == DW_OK) {
        assert_live(s.snapshot, "b%20c d#v1 e f");
    }
    session_close(&s);
    return status;
}

static void
put_checkpoint(dwt_world *world, void *ctx)
{
    put_table(world, ctx);
    dwt_env env;
    dwt_env_init(&env, 1);
    dwt_world calm = {&env, &env.env, world->truth, world->truth, NULL};
    session s;
    dw_error err = DW_ERROR_INIT;
    dw_status status = session_open(&s, &calm, &err);
    assert_ok(status, &err);
    status = dw__checkpoint_write(s.snapshot, &err);
    assert_ok(status, &err);
    session_close(&s);
    log_world w = {.storage = world->truth};
    world_commit(&w, 3, REMOVE("e") ADD("g"));
    dwt_env_deinit(&env);
}

static dw_status
open_checkpoint(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_status status = session_open(&s, world, err);
    if (status == DW_OK) {
        assert_live(s.snapshot, "b%20c d#v1 f g");
    }
    session_close(&s);
    return status;
}

static dw_status
visit_checkpoint(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s = {.engine = dwt_fake_engine_open(world->env)};
    dw_file_set *files = NULL;
    dw_status status = s.engine == NULL
                           ? dw__error_oom(err)
                           : dw__log_open(world->env, world->storage, s.engine, &s.log, err);
    if (status == DW_OK) {
        status = dw__log_snapshot_lean(s.log, &s.snapshot, err);
    }
    if (status == DW_OK) {
        status = visited_files(s.snapshot, world->env->allocator, &files, err);
    }
    if (status == DW_OK) {
        char *words = file_words(files);
        assert_string_equal(words, "b%20c d#v1 f g");
        free(words);
    }
    dw__file_set_free(files);
    session_close(&s);
    return status;
}

static dw_status
refresh_table(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_status status = session_open(&s, world, err);
    log_world w = {.storage = world->truth};
    if (status == DW_OK) {
        world_commit(&w, 3, REMOVE("b c") ADD("h") "{\"txn\":{\"appId\":\"x\",\"version\":2}}\n");
        dw__log_snapshot_unref(s.snapshot);
        s.snapshot = NULL;
        status = dw__log_snapshot(s.log, &s.snapshot, err);
    }
    if (status == DW_OK) {
        assert_live(s.snapshot, "d#v1 e f h");
    }
    session_close(&s);
    return status;
}

static dw_status
write_checkpoint(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_status status = session_open(&s, world, err);
    if (status == DW_OK) {
        status = dw__checkpoint_write(s.snapshot, err);
    }
    session_close(&s);
    return status;
}

/* Whatever became of the checkpoint, the table is what it was. */
static void
check_table(dwt_world *world, void *ctx, dw_status status)
{
    (void) ctx;
    (void) status;
    dwt_env env;
    dwt_env_init(&env, 1);
    dwt_world calm = {&env, &env.env, world->truth, world->truth, NULL};
    session s;
    dw_error err = DW_ERROR_INIT;
    dw_status again = session_open(&s, &calm, &err);
    assert_ok(again, &err);
    assert_live(s.snapshot, "b%20c d#v1 e f");
    session_close(&s);
    dwt_env_deinit(&env);
}

static dw_status
read_history(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_arena arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_status status = session_open(&s, world, err);
    dw_history_entry *entries;
    size_t count;
    int64_t version;
    if (status == DW_OK) {
        status = dw__log_history(s.log, 0, &arena, &entries, &count, err);
    }
    if (status == DW_OK) {
        status = dw__log_version_at(
            s.log, dw__log_snapshot_timestamp_ms(s.snapshot) * INT64_C(1000), &version, err);
    }
    if (status == DW_OK) {
        assert_int_equal(version, 2);
    }
    dw__arena_deinit(&arena);
    session_close(&s);
    return status;
}

static dw_status
read_files(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    session s;
    dw_arena arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_status status = session_open(&s, world, err);
    dw_file_ref ref;
    bool more = status == DW_OK && dw__file_set_first(dw__log_snapshot_files(s.snapshot), &ref);
    while (more && status == DW_OK) {
        dw_file file;
        dw_file_set *files = dw__log_snapshot_files(s.snapshot);
        status = dw__file_set_get(files, ref, &arena, &file, err);
        more = dw__file_set_next(files, &ref);
    }
    dw__arena_deinit(&arena);
    session_close(&s);
    return status;
}

#define FAULTS (DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO | DWT_FAULTS_STORAGE_RETRY)

static void
test_fault__opening_commits_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = put_table, .operation = open_table, .faults = FAULTS});
}

static void
test_fault__opening_a_checkpoint_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = put_checkpoint, .operation = open_checkpoint, .faults = FAULTS});
}

static void
test_fault__visiting_the_files_of_a_checkpoint_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){
        .setup = put_checkpoint, .operation = visit_checkpoint, .faults = FAULTS});
}

static void
test_fault__refreshing_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = put_table, .operation = refresh_table, .faults = FAULTS});
}

static void
test_fault__writing_a_checkpoint_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.setup = put_table,
                                     .operation = write_checkpoint,
                                     .check = check_table,
                                     .faults = DWT_FAULTS_ALL});
}

static void
test_fault__reading_the_history_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = put_table, .operation = read_history, .faults = FAULTS});
}

static void
test_fault__reading_files_survives_each(void **state)
{
    (void) state;
    dwt_fault_loop(
        &(dwt_fault_case){.setup = put_table, .operation = read_files, .faults = FAULTS});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault__opening_commits_survives_each),
        cmocka_unit_test(test_fault__opening_a_checkpoint_survives_each),
        cmocka_unit_test(test_fault__visiting_the_files_of_a_checkpoint_survives_each),
        cmocka_unit_test(test_fault__refreshing_survives_each),
        cmocka_unit_test(test_fault__writing_a_checkpoint_survives_each),
        cmocka_unit_test(test_fault__reading_the_history_survives_each),
        cmocka_unit_test(test_fault__reading_files_survives_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
