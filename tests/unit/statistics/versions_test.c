/*
 * Figures version by version, held against the snapshot of each version; seeded.
 */
#include "unit/log/log_world.h"

#include "support/fault_loop.h"

#include "protocol/stats.h"
#include "statistics/rows.h"

#define VERSIONS 60
#define NAMES 12

/* ---- A log of random commits ----------------------------------------------------------------- */

static uint64_t
draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

typedef struct model {
    int64_t size[NAMES], rows[NAMES]; /* size 0: the file is not there; rows -1: not told */
    bool has_vector[NAMES];
} model;

static void
put_add(dw_strbuf *out, const model *m, size_t name)
{
    dw__strbuf_printf(out,
                      "{\"add\":{\"path\":\"f%%20%zu\",\"partitionValues\":{},\"size\":%lld,"
                      "\"modificationTime\":1,\"dataChange\":true",
                      name, (long long) m->size[name]);
    if (m->rows[name] >= 0) {
        dw__strbuf_printf(out, ",\"stats\":\"{\\\"numRecords\\\":%lld}\"",
                          (long long) m->rows[name]);
    }
    dw__strbuf_append(out, m->has_vector[name] ? DW_STR("," DV("abcdefghij")) : DW_STR(""));
    dw__strbuf_append_literal(out, "}}\n");
}

static void
put_remove(dw_strbuf *out, const model *m, size_t name)
{
    dw__strbuf_printf(out,
                      "{\"remove\":{\"path\":\"./f%%20%zu\",\"deletionTimestamp\":1704067200000,"
                      "\"dataChange\":true%s}}\n",
                      name, m->has_vector[name] ? "," DV("abcdefghij") : "");
}

/* Some files come, some go, some get a vector, some are told again with other statistics. */
static void
put_changes(dw_strbuf *out, model *m, uint64_t *state, bool tells_rows)
{
    for (size_t name = 0; name < NAMES; name++) {
        uint64_t what = draw(state, 5);
        bool is_there = m->size[name] > 0;
        if (what == 0 && !is_there) {
            m->size[name] = (int64_t) draw(state, 100000) + 1;
            m->rows[name] = tells_rows || draw(state, 9) > 0 ? (int64_t) draw(state, 1000) + 2 : -1;
            m->has_vector[name] = false;
            put_add(out, m, name);
        } else if (what == 1 && is_there) {
            put_remove(out, m, name);
            m->size[name] = 0;
        } else if (what == 2 && is_there && !m->has_vector[name]) {
            put_remove(out, m, name);
            m->has_vector[name] = true;
            put_add(out, m, name);
        } else if (what == 3 && is_there) {
            m->rows[name] = (int64_t) draw(state, 1000) + 2;
            put_add(out, m, name);
        }
    }
}

static void
write_log(log_world *w, uint64_t seed, bool tells_rows)
{
    model m = {{0}, {0}, {0}};
    for (int64_t version = 0; version < VERSIONS; version++) {
        dwt_commit commit;
        dwt_commit_begin(&commit);
        if (version == 0) {
            dwt_commit_protocol_features(&commit, "[\"deletionVectors\"]", "[\"deletionVectors\"]");
            dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
        }
        dwt_commit_info(&commit, DWT_EPOCH_MS + version, version % 2 == 0 ? "WRITE" : "DELETE");
        put_changes(&commit.text, &m, &seed, tells_rows);
        dwt_commit_write(&commit, w->storage, version);
    }
}

/* ---- Held against snapshots ------------------------------------------------------------------ */

typedef struct checker {
    log_world *w;
    int64_t next;
    dw_file_totals last;
} checker;

static void
assert_totals(const dw_file_totals *a, const dw_file_totals *b)
{
    assert_memory_equal(a, b, sizeof(*a));
}

static dw_status
check_version(void *ctx, const dw_version_figures *version, dw_error *err)
{
    checker *c = ctx;
    dw_table_figures figures;
    DW_AUTO(dw_arena) arena;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw__arena_init(&arena, c->w->env.env.allocator);
    assert_int_equal(version->version, c->next);
    DW_TRY(dw__log_snapshot_at(c->w->log, version->version, &snapshot, err));
    DW_TRY(dw__statistics_collect(snapshot, &arena, &figures, err));
    assert_totals(&version->after, &figures.totals);
    assert_str(version->operation, version->version % 2 == 0 ? "WRITE" : "DELETE");
    if (version->has_changes) {
        assert_int_equal(version->after.files,
                         c->last.files + version->added.files - version->removed.files);
        assert_true(version->commit_bytes > 0);
    }
    c->last = version->after;
    c->next++;
    return DW_OK;
}

static void
check_log(log_world *w, int64_t limit, int64_t first)
{
    checker c = {.w = w, .next = first};
    dw_error err = DW_ERROR_INIT;
    if (first > 0) {
        DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
        assert_ok(dw__log_snapshot_at(w->log, first - 1, &snapshot, &err), &err);
        c.last.files = (int64_t) dw__file_set_count(dw__log_snapshot_files(snapshot));
    }
    assert_ok(dw__statistics_visit_versions(w->log, limit, check_version, &c, &err), &err);
    assert_int_equal(c.next, VERSIONS);
}

static void
test_versions__are_those_of_their_snapshots(void **state)
{
    log_world *w = *state;
    write_log(w, 7, true);
    check_log(w, 0, 0);
}

static void
test_versions__know_which_rows_are_not_told(void **state)
{
    log_world *w = *state;
    write_log(w, 99, false);
    check_log(w, 0, 0);
}

static void
test_versions__begin_where_they_are_asked_to(void **state)
{
    log_world *w = *state;
    write_log(w, 5, true);
    check_log(w, 10, VERSIONS - 10);
    check_log(w, VERSIONS, 0);
    check_log(w, 10 * VERSIONS, 0);
}

/* What is left of a log of which the beginning was cleaned up. */
static void
test_versions__begin_with_a_checkpoint(void **state)
{
    log_world *w = *state;
    dw_error err = DW_ERROR_INIT;
    write_log(w, 11, true);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    assert_ok(dw__log_snapshot_at(w->log, 20, &snapshot, &err), &err);
    assert_ok(dw__checkpoint_write(snapshot, &err), &err);
    for (int64_t version = 0; version < 20; version++) {
        char key[DW_COMMIT_KEY_SIZE];
        assert_ok(dw__storage_remove(w->storage, dw__commit_key(version, key), &err), &err);
    }
    dw__log_snapshot_unref(snapshot);
    snapshot = NULL; /* the log is opened anew */
    world_reopen(w);
    checker c = {.w = w, .next = 20};
    assert_ok(dw__statistics_visit_versions(w->log, 0, check_version, &c, &err), &err);
    assert_int_equal(c.next, VERSIONS);
    check_log(w, 5, VERSIONS - 5);
    dw_log_figures figures;
    assert_ok(dw__statistics_log(w->log, &figures, &err), &err);
    assert_int_equal(figures.first_version, 20);
    assert_int_equal(figures.commits, VERSIONS - 20);
    assert_int_equal(figures.checkpoints, 1);
}

static void
setup_log(dwt_world *world, void *ctx)
{
    (void) ctx;
    log_world w = {.storage = world->truth};
    write_log(&w, 3, true);
}

static dw_status
describe_history(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_log *log;
    struct ArrowArrayStream rows;
    dw_engine *engine = dwt_fake_engine_open(world->env);
    dw_status status = dw__log_open(world->env, world->storage, engine, &log, err);
    if (status == DW_OK) {
        status = dw__statistics_history_rows(log, 0, &rows, err);
        if (status == DW_OK) {
            rows.release(&rows);
        }
        dw__log_close(log);
    }
    dw__engine_close(engine);
    return status;
}

static void
test_history__survives_every_failure(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.setup = setup_log,
                                     .operation = describe_history,
                                     .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO,
                                     .round_step = 7});
}

int
main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_versions__are_those_of_their_snapshots),
        WORLD_TEST(test_versions__know_which_rows_are_not_told),
        WORLD_TEST(test_versions__begin_where_they_are_asked_to),
        WORLD_TEST(test_versions__begin_with_a_checkpoint),
        cmocka_unit_test(test_history__survives_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
