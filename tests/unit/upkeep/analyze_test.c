/*
 * ANALYZE TABLE where memory runs out. What it repairs is tested end to end.
 */
#include "support/fault_loop.h"
#include "unit/sql/sessions.h"
#include "upkeep/analyze.h"

#include <stdlib.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

typedef struct round_state {
    char path[PATH_SIZE]; /* of the table */
} round_state;

/* A file without statistics, of which footers say all but the doubles. */
static void
make_table(dwt_session *s, round_state *round)
{
    dwt_run(s, "CREATE TABLE t (a BIGINT, d DOUBLE) TBLPROPERTIES "
               "('delta.dataSkippingNumIndexedCols' = '0')");
    dwt_run(s, "INSERT INTO t SELECT i, i / 8 FROM range(30) r(i)");
    dwt_run(s, "ALTER TABLE t SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '32')");
    (void) snprintf(round->path, sizeof round->path, "%s/t", s->dir.path);
}

static void
prepare_round(dwt_world *world, void *ctx)
{
    static const char *const names[] = {"3.json", "3.crc"};
    (void) world;
    round_state *round = ctx;
    char path[2 * PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void) snprintf(path, sizeof path, "%s/_delta_log/0000000000000000000%s", round->path,
                        names[i]);
        (void) unlink(path);
    }
}

static dw_status
analyze(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    dw_connection *connection;
    dw_analyze_result done;
    dw_analyze_spec spec = {.only_footers = false};
    dw_upkeep_options options = {.dry_run = false};
    DW_TRY(dw__connection_open(database, &connection, err));
    dw_upkeep upkeep = dw__upkeep_make(env, connection, &options);
    dw_status status = dw__table_analyze(table, &upkeep, &spec, &done, err);
    dw__connection_close(connection);
    if (status == DW_OK) {
        assert_int_equal(done.file_count, 1);
        assert_int_equal(done.done_count, 1);
    }
    return status;
}

static dw_status
run_round(dwt_world *world, void *ctx, dw_error *err)
{
    round_state *round = ctx;
    dw_database *database = NULL;
    dw_database_options options = {.thread_count = 1};
    dw_status status = dw__database_open(world->env, &options, &database, err);
    if (status == DW_OK) {
        DW_AUTO(dw_table_ptr) table = NULL;
        status = dw__table_open(world->env, database, dw__str_from(round->path), &table, err);
        status = status == DW_OK ? analyze(table, database, world->env, err) : status;
    }
    dw__database_close(database);
    return status;
}

/* Either nothing was committed, or the file has all of its statistics. */
static void
check_round(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    round_state *round = ctx;
    char *commit = dwt_read_file(round->path, "_delta_log/00000000000000000003.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "\\\"maxValues\\\":{\\\"a\\\":29,\\\"d\\\":3.625}"));
    }
    free(commit);
}

static void
test_analyze__survives_running_out_of_memory(void **state)
{
    round_state round;
    make_table(*state, &round);
    dwt_fault_loop(&(dwt_fault_case){.setup = prepare_round,
                                     .operation = run_round,
                                     .check = check_round,
                                     .ctx = &round,
                                     .faults = DWT_FAULTS_ALLOC_ONCE,
                                     .round_step = 5});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_analyze__survives_running_out_of_memory,
                                        dwt_session_setup, dwt_session_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
