/*
 * One log, many threads: they share what is read, and nobody misses what was committed before it
 * asked.
 */
#include "log_world.h"

#include "support/hook_storage.h"

#include <pthread.h>

enum { THREAD_COUNT = 4, COMMITS_PER_THREAD = 30 };

typedef struct shared_log {
    log_world *world;
    dw_storage *storage; /* counts */
    atomic_int lists;
    atomic_int failures;
} shared_log;

static dwt_verdict
count_lists(void *ctx, const dwt_storage_call *call)
{
    shared_log *shared = ctx;
    if (call->op == DWT_OP_LIST) {
        atomic_fetch_add(&shared->lists, 1);
    }
    return (dwt_verdict){.fate = DWT_FATE_PASS};
}

/* Commits one file as the next version that is free. */
static int64_t
commit_one(shared_log *shared, int64_t version)
{
    for (;; version++) {
        char key[DW_COMMIT_KEY_SIZE];
        char line[256];
        snprintf(line, sizeof(line),
                 "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{},\"size\":1,"
                 "\"modificationTime\":1,\"dataChange\":true}}\n",
                 (int) version);
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__storage_put_if_absent(
            shared->world->storage, dw__commit_key(version, key), dw__str_from(line), &err);
        if (status == DW_OK) {
            return version;
        }
    }
}

static dw_status
count_visit(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    (void) ref;
    (void) stats;
    (void) err;
    *(int64_t *) ctx += 1;
    return DW_OK;
}

/* Every version adds one file: so a snapshot's version tells how many there are. */
static bool
is_whole(dw_log_snapshot *snapshot)
{
    dw_file_set *files = dw__log_snapshot_files(snapshot);
    int64_t version = dw__log_snapshot_version(snapshot);
    int64_t visited = 0;
    dw_error err = DW_ERROR_INIT;
    return dw__file_set_count(files) == (size_t) version + 1 &&
           dw__file_set_visit_stats(files, count_visit, &visited, &err) == DW_OK &&
           visited == version + 1;
}

static void *
commit_and_look(void *ctx)
{
    shared_log *shared = ctx;
    int64_t last = 0;
    for (int i = 0; i < COMMITS_PER_THREAD; i++) {
        int64_t mine = commit_one(shared, last + 1);
        dw_log_snapshot *snapshot = NULL;
        dw_error err = DW_ERROR_INIT;
        dw_status status = dw__log_snapshot(shared->world->log, &snapshot, &err);
        bool ok = status == DW_OK && dw__log_snapshot_version(snapshot) >= mine &&
                  dw__log_snapshot_version(snapshot) >= last && is_whole(snapshot);
        last = ok ? dw__log_snapshot_version(snapshot) : last;
        atomic_fetch_add(&shared->failures, !ok);
        dw__log_snapshot_unref(snapshot);
    }
    return NULL;
}

static void
run_threads(shared_log *shared, void *(*body)(void *) )
{
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, body, shared), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&shared->failures), 0);
}

static void
test_sharing__nobody_misses_what_was_committed_before(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("f0"));
    shared_log shared = {.world = w};
    run_threads(&shared, commit_and_look);
    assert_refreshes(w);
    assert_int_equal(dw__log_snapshot_version(w->snapshot), THREAD_COUNT * COMMITS_PER_THREAD);
}

static void *
look(void *ctx)
{
    shared_log *shared = ctx;
    dw_log_snapshot *snapshot = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__log_snapshot(shared->world->log, &snapshot, &err);
    atomic_fetch_add(&shared->failures, status != DW_OK || !is_whole(snapshot));
    dw__log_snapshot_unref(snapshot);
    return NULL;
}

static void
test_sharing__the_log_is_listed_once_for_all(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("f0"));
    for (int version = 1; version < 50; version++) {
        shared_log filler = {.world = w};
        (void) commit_one(&filler, version);
    }
    shared_log shared = {.world = w};
    dw_storage *inner = w->storage;
    dw__log_close(w->log);
    dwt_storage_hooks hooks = {.before = count_lists, .ctx = &shared};
    w->storage = dwt_hook_storage_open(&w->env.env, inner, &hooks);
    world_open_log(w);
    run_threads(&shared, look);
    assert_int_equal(atomic_load(&shared.lists), 1);
    dw__log_close(w->log);
    w->log = NULL;
    dw__storage_close(w->storage);
    w->storage = inner;
}

static void *
look_up_paths(void *ctx)
{
    shared_log *shared = ctx;
    dw_arena arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_error err = DW_ERROR_INIT;
    dw_file_set *files = dw__log_snapshot_files(shared->world->snapshot);
    for (int i = 0; i < 50; i++) {
        char path[16];
        snprintf(path, sizeof(path), "f%d", i);
        dw_file_key key;
        bool found = false;
        dw_status status = dw__file_key_make(dw__str_from(path), NULL, &arena, &key, &err);
        if (status == DW_OK) {
            status = dw__file_set_has(files, &key, &arena, &found, &err);
        }
        atomic_fetch_add(&shared->failures, status != DW_OK || !found);
    }
    dw__arena_deinit(&arena);
    return NULL;
}

static void
test_sharing__an_index_is_made_once_under_the_hands_of_many(void **state)
{
    log_world *w = *state;
    world_commit(w, 0, ADD("f0"));
    shared_log shared = {.world = w};
    for (int version = 1; version < 50; version++) {
        (void) commit_one(&shared, version);
    }
    assert_refreshes(w);
    dw_status status = dw__checkpoint_write(w->snapshot, &w->err);
    assert_ok(status, &w->err);
    world_reopen(w);
    assert_refreshes(w);
    run_threads(&shared, look_up_paths);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_sharing__nobody_misses_what_was_committed_before),
        LOG_TEST(test_sharing__the_log_is_listed_once_for_all),
        LOG_TEST(test_sharing__an_index_is_made_once_under_the_hands_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
