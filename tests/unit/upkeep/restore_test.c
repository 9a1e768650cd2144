/*
 * RESTORE beside a VACUUM that begins while it looks for its files. What it does to a table is
 * tested end to end.
 */
#include "api/handles.h"
#include "sql/session.h"
#include "unit/sql/sessions.h"
#include "upkeep/restore.h"

enum { PATH_SIZE = 1024 };

/* What happens while it looks. */
typedef struct rival {
    dwt_session *session;
    const char *statement;
    int looks_max; /* at so many looks */
    int looks;
} rival;

static void
meanwhile(void *ctx, double share)
{
    rival *r = ctx;
    (void) share;
    if (r->looks++ < r->looks_max) {
        dwt_run(r->session, r->statement);
    }
}

static dw_status
restore(rival *r, int64_t version, dw_restore_result *out)
{
    static const dw_upkeep_options options = {.dry_run = false};
    dwt_session *s = r->session;
    dw_table *table;
    char path[PATH_SIZE];
    (void) snprintf(path, sizeof path, "%s/t", s->dir.path);
    assert_ok(dw_table_open(s->runtime, path, &table, &s->err), &s->err);
    dw_upkeep upkeep = dw__upkeep_make(dw__table_env(table), s->session->connection, &options);
    upkeep.progress = meanwhile;
    upkeep.ctx = r;
    dw_restore_spec spec = {.version = version, .timestamp = DW_STR_NULL};
    dw_status status = dw__table_restore(table, &upkeep, &spec, out, &s->err);
    dw_table_close(table);
    return status;
}

static void
make_table(dwt_session *s)
{
    dwt_run(s, "CREATE TABLE t (id BIGINT)");
    dwt_run(s, "INSERT INTO t VALUES (1)");
    dwt_run(s, "INSERT OVERWRITE t VALUES (2)");
}

static void
test_restore__looks_again_when_a_vacuum_began_meanwhile(void **state)
{
    dwt_session *s = *state;
    dw_restore_result done;
    rival r = {.session = s, .statement = "VACUUM t RETAIN 1000000 HOURS", .looks_max = 2};
    make_table(s);
    assert_ok(restore(&r, 1, &done), &s->err);
    assert_int_equal(r.looks, 3);
    assert_int_equal(done.version, 7);
    assert_gives(s, "SELECT id FROM t", "1");
    char sql[2 * PATH_SIZE];
    (void) snprintf(sql, sizeof sql,
                    "SELECT json ->> '$.commitInfo.readVersion' FROM "
                    "read_ndjson_objects('%s/t/_delta_log/%020d.json') LIMIT 1",
                    s->dir.path, 7);
    assert_gives(s, sql, "6");
}

static void
test_restore__says_what_is_in_its_way_when_vacuums_begin_again_and_again(void **state)
{
    dwt_session *s = *state;
    dw_restore_result done;
    rival r = {.session = s, .statement = "VACUUM t RETAIN 1000000 HOURS", .looks_max = 100};
    make_table(s);
    assert_error(restore(&r, 1, &done), DW_CONFLICT, "CONCURRENT_VACUUM", &s->err);
    assert_non_null(strstr(s->err.message, "VACUUM START"));
    assert_int_equal(done.version, -1);
    assert_gives(s, "SELECT id FROM t", "2");
}

#define RESTORE_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(test_restore__##name, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RESTORE_TEST(looks_again_when_a_vacuum_began_meanwhile),
        RESTORE_TEST(says_what_is_in_its_way_when_vacuums_begin_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
