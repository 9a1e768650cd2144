/*
 * OPTIMIZE beside other writers, and when its time is up: rivals come at the very moment between a
 * bin that is written and its commit.
 */
#include "api/handles.h"
#include "sql/session.h"
#include "unit/sql/sessions.h"
#include "upkeep/optimize_core.h"

enum { PATH_SIZE = 1024 };

/* What happens behind bins that are written. */
typedef struct moment {
    dwt_session *session;
    const char *statement;
    int64_t bins_max; /* behind so many bins; -1: each */
    bool ends;        /* the time is up then */
    dw_upkeep upkeep;
    int64_t bin_count;
} moment;

static dw_status
choose(dw_optimize *o, dw_error *err)
{
    return dw__optimize_packing.choose(o, err);
}

static dw_status
write_and_wait(dw_optimize *o, const dw_optimize_bin *bin, dw_arena *arena, dw_data_files *out,
               dw_error *err)
{
    moment *m = o->spec->strategy_ctx;
    dw_status status = dw__optimize_packing.write(o, bin, arena, out, err);
    if (m->bins_max < 0 || m->bin_count++ < m->bins_max) {
        if (m->statement != NULL) {
            dwt_run(m->session, m->statement);
        }
        m->upkeep.deadline_us = m->ends ? 0 : m->upkeep.deadline_us;
    }
    return status;
}

static const dw_optimize_strategy waiting = {.choose = choose, .write = write_and_wait};

static void
make_table(dwt_session *s)
{
    dwt_run(s, "CREATE TABLE t (id BIGINT, p INT) PARTITIONED BY (p) TBLPROPERTIES "
               "('delta.enableDeletionVectors' = 'true')");
    for (int i = 0; i < 4; i++) {
        dwt_run(s, "INSERT INTO t SELECT i, i % 3 FROM range(30) r(i)");
    }
}

static void
optimize(moment *m, dw_optimize_result *out)
{
    static const dw_upkeep_options options = {.dry_run = false};
    dwt_session *s = m->session;
    dw_table *table;
    char path[PATH_SIZE];
    (void) snprintf(path, sizeof path, "%s/t", s->dir.path);
    assert_ok(dw_table_open(s->runtime, path, &table, &s->err), &s->err);
    m->upkeep = dw__upkeep_make(dw__table_env(table), s->session->connection, &options);
    dw_optimize_spec spec = {.table = table,
                             .predicate = DW_STR_NULL,
                             .condition = DW_STR_NULL,
                             .strategy = &waiting,
                             .strategy_ctx = m};
    assert_ok(dw__optimize(&m->upkeep, &spec, out, &s->err), &s->err);
    dw_table_close(table);
}

/* How many files each commit of OPTIMIZE says that it removed. */
static void
assert_removed(dwt_session *s, const char *expected)
{
    char sql[2 * PATH_SIZE];
    (void) snprintf(sql, sizeof sql,
                    "SELECT string_agg(n, ',' ORDER BY n::INT) FROM (SELECT json ->> "
                    "'$.commitInfo.operationMetrics.numRemovedFiles' AS n FROM "
                    "read_ndjson_objects('%s/t/_delta_log/*.json') WHERE json ->> "
                    "'$.commitInfo.operation' = 'OPTIMIZE')",
                    s->dir.path);
    assert_gives(s, sql, expected);
}

static void
test_optimize__loses_the_bin_that_a_rival_changed_and_packs_it_again(void **state)
{
    dwt_session *s = *state;
    dw_optimize_result done;
    moment m = {.session = s, .statement = "DELETE FROM t WHERE p = 1 AND id = 4", .bins_max = 1};
    make_table(s);
    optimize(&m, &done);
    assert_int_equal(done.bins_lost, 0);
    assert_int_equal(done.bin_count, 3);
    assert_int_equal(done.batch_count, 2);
    assert_int_equal(done.removed.count, 12);
    assert_gives(s, "SELECT count(*), count(DISTINCT _metadata.file_path) FROM t", "116|3");
    assert_removed(s, "4,8");
}

static void
test_optimize__gives_up_a_bin_that_rivals_change_each_time(void **state)
{
    dwt_session *s = *state;
    dw_optimize_result done;
    moment m = {.session = s,
                .statement =
                    "DELETE FROM t WHERE p = 1 AND id = (SELECT min(id) FROM t WHERE p = 1)",
                .bins_max = -1};
    make_table(s);
    optimize(&m, &done);
    assert_int_equal(done.bins_lost, 1);
    assert_int_equal(done.bin_count, 2);
    assert_int_equal(done.removed.count, 8);
    assert_gives(s, "SELECT count(DISTINCT _metadata.file_path) FROM t WHERE p <> 1", "2");
}

static void
test_optimize__commits_what_it_has_when_the_time_is_up(void **state)
{
    dwt_session *s = *state;
    dw_optimize_result done;
    moment m = {.session = s, .bins_max = 1, .ends = true};
    make_table(s);
    optimize(&m, &done);
    assert_int_equal(done.bin_count, 1);
    assert_int_equal(done.bins_left, 2);
    assert_int_equal(done.version, 5);
    moment rest = {.session = s};
    optimize(&rest, &done);
    assert_int_equal(done.bin_count, 2);
    assert_int_equal(done.version, 6);
    optimize(&rest, &done);
    assert_int_equal(done.version, -1);
    assert_gives(s, "SELECT count(*), count(DISTINCT _metadata.file_path) FROM t", "120|3");
}

#define OPTIMIZE_TEST(name)                                                                        \
    cmocka_unit_test_setup_teardown(test_optimize__##name, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OPTIMIZE_TEST(loses_the_bin_that_a_rival_changed_and_packs_it_again),
        OPTIMIZE_TEST(gives_up_a_bin_that_rivals_change_each_time),
        OPTIMIZE_TEST(commits_what_it_has_when_the_time_is_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
