/*
 * ANALYZE TABLE where memory runs out. What it repairs is tested end to end.
 */
#include "unit/sql/sessions.h"
#include "unit/table/starved_table.h"
#include "upkeep/analyze.h"

#include <stdlib.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

/* A file without statistics, of which footers say all but the doubles. */
static void
make_table(dwt_session *s)
{
    dwt_run(s, "CREATE TABLE t (a BIGINT, d DOUBLE) TBLPROPERTIES "
               "('delta.dataSkippingNumIndexedCols' = '0')");
    dwt_run(s, "INSERT INTO t SELECT i, i / 8 FROM range(30) r(i)");
    dwt_run(s, "ALTER TABLE t SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '32')");
}

static void
undo_round(dwt_world *world, const char *table_path)
{
    static const char *const names[] = {"3.json", "3.crc"};
    (void) world;
    char path[2 * PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void) snprintf(path, sizeof path, "%s/_delta_log/0000000000000000000%s", table_path,
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

/* Either nothing was committed, or the file has all of its statistics. */
static void
check_table(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000003.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "\\\"maxValues\\\":{\\\"a\\\":29,\\\"d\\\":3.625}"));
    }
    free(commit);
}

static void
test_analyze__survives_running_out_of_memory(void **state)
{
    dwt_session *s = *state;
    char path[PATH_SIZE];
    make_table(s);
    (void) snprintf(path, sizeof path, "%s/t", s->dir.path);
    dwt_starve(&(dwt_starved_table){
        .make = undo_round, .work = analyze, .check = check_table, .path = path, .round_step = 5});
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
