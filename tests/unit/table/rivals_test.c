/*
 * Statements that were prepared on a version while others committed behind it: what real predicates
 * and statistics make of the read sets that the commit compares.
 */
#include "api/handles.h"
#include "sql/session.h"
#include "table/delete.h"
#include "table/write.h"
#include "unit/sql/sessions.h"

enum { PATH_SIZE = 1024, SQL_SIZE = 400 };

/* A statement over the table as it was, under the name `was`. */
typedef struct prepared {
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_scan *scan;
    char sql[SQL_SIZE];
    char name[32];
} prepared;

/* `sql` has %s where the table stands. */
static void
prepare(dwt_session *s, prepared *p, const char *sql, bool with_positions)
{
    static int number;
    char path[PATH_SIZE];
    *p = (prepared){.scan = NULL};
    (void) snprintf(path, sizeof path, "%s/t", s->dir.path);
    (void) snprintf(p->name, sizeof p->name, "was_%d", number++);
    char *end = strstr(sql, "%s");
    assert_non_null(end);
    (void) snprintf(p->sql, sizeof p->sql, "%.*s%s%s", (int) (end - sql), sql, p->name, end + 2);
    assert_ok(dw_table_open(s->runtime, path, &p->table, &s->err), &s->err);
    assert_ok(dw__log_snapshot(dw__table_log(p->table), &p->snapshot, &s->err), &s->err);
    dw_scan_source source = {
        .name = dw__str_from(p->name), .snapshot = p->snapshot, .with_positions = with_positions};
    assert_ok(dw__scan_open(s->session->connection, s->runtime->database, dw__str_from(p->sql),
                            &source, 1, &p->scan, &s->err),
              &s->err);
}

static void
finish(prepared *p)
{
    dw__scan_close(p->scan);
    dw__log_snapshot_unref(p->snapshot);
    dw_table_close(p->table);
}

static void
prepare_delete(dwt_session *s, prepared *p, const char *condition)
{
    char sql[SQL_SIZE];
    (void) snprintf(sql, sizeof sql,
                    "SELECT " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN " FROM %%s WHERE (%s)",
                    condition);
    prepare(s, p, sql, true);
}

static dw_status
run_delete(dwt_session *s, prepared *p)
{
    dw_row_change_result done;
    dw_row_change_spec spec = {.table = p->table,
                               .connection = s->session->connection,
                               .snapshot = p->snapshot,
                               .operation = "DELETE",
                               .scan = p->scan,
                               .query = dw__str_from(p->sql),
                               .name_prefix = dw__str_from(p->name)};
    dw_status status = dw__table_delete(&spec, &done, &s->err);
    finish(p);
    return status;
}

static dw_status
run_insert(dwt_session *s, prepared *p)
{
    dw_write_result done;
    dw_write_spec spec = {.mode = DW_WRITE_APPEND,
                          .query = dw__str_from(p->sql),
                          .reads_target = true,
                          .scan = p->scan,
                          .read_snapshot = p->snapshot};
    dw_status status = dw__table_write(p->table, s->session->connection, &spec, &done, &s->err);
    finish(p);
    return status;
}

static void
make_table(dwt_session *s, const char *properties)
{
    char sql[SQL_SIZE];
    (void) snprintf(sql, sizeof sql, "CREATE TABLE t (id BIGINT, v BIGINT) TBLPROPERTIES (%s)",
                    properties);
    dwt_run(s, sql);
    dwt_run(s, "INSERT INTO t SELECT i, 0 FROM range(100) r(i)");
}

static const char *const vectors = "'delta.enableDeletionVectors' = 'true'";
static const char *const strict =
    "'delta.enableDeletionVectors' = 'true', 'delta.isolationLevel' = 'Serializable'";

/* ---- Deletes --------------------------------------------------------------------------------- */

static void
test_rivals__a_delete_keeps_what_others_did_to_other_rows_of_its_file(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, vectors);
    prepare_delete(s, &p, "id = 5");
    dwt_run(s, "UPDATE t SET v = 7 WHERE id = 50");
    dwt_run(s, "DELETE FROM t WHERE id BETWEEN 6 AND 10");
    assert_ok(run_delete(s, &p), &s->err);
    assert_gives(s, "SELECT count(*), sum(id)::BIGINT, sum(v)::BIGINT FROM t", "94|4905|7");
}

static void
test_rivals__a_delete_says_that_a_file_went_of_which_others_left_no_row(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, vectors);
    prepare_delete(s, &p, "id < 5");
    dwt_run(s, "DELETE FROM t WHERE id >= 5");
    assert_ok(run_delete(s, &p), &s->err);
    assert_gives(s, "SELECT count(*) FROM t", "0");
    char sql[2 * PATH_SIZE];
    (void) snprintf(sql, sizeof sql,
                    "SELECT m ->> 'numRemovedFiles', m ->> 'numDeletionVectorsAdded', "
                    "m ->> 'numDeletedRows', (m ->> 'numRemovedBytes')::BIGINT > 0 FROM (SELECT "
                    "json -> '$.commitInfo.operationMetrics' AS m FROM "
                    "read_ndjson_objects('%s/t/_delta_log/%020d.json') LIMIT 1)",
                    s->dir.path, 3);
    assert_gives(s, sql, "1|0|5|true");
}

static void
test_rivals__a_delete_conflicts_with_new_values_that_it_looks_for(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, vectors);
    prepare_delete(s, &p, "v = 7 OR id = 5");
    dwt_run(s, "UPDATE t SET v = 7 WHERE id = 50");
    assert_error(run_delete(s, &p), DW_CONFLICT, "CONCURRENT_APPEND", &s->err);
    assert_gives(s, "SELECT count(*) FROM t", "100");
}

static void
test_rivals__a_delete_conflicts_with_the_same_row(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, vectors);
    prepare_delete(s, &p, "id < 5");
    dwt_run(s, "UPDATE t SET id = 1000 WHERE id = 4");
    assert_error(run_delete(s, &p), DW_CONFLICT, "CONCURRENT_DELETE_READ", &s->err);
}

static void
test_rivals__a_delete_without_vectors_conflicts_over_its_file(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, "'delta.enableDeletionVectors' = 'false'");
    prepare_delete(s, &p, "id = 5");
    dwt_run(s, "DELETE FROM t WHERE id = 50");
    assert_int_equal(run_delete(s, &p), DW_CONFLICT);
    assert_gives(s, "SELECT count(*) FROM t", "99");
}

static void
test_rivals__a_serializable_delete_lets_rows_pass_that_it_does_not_look_for(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, strict);
    prepare_delete(s, &p, "id = 5");
    dwt_run(s, "INSERT INTO t VALUES (1000, 0)");
    assert_ok(run_delete(s, &p), &s->err);
    prepare_delete(s, &p, "id = 6");
    dwt_run(s, "INSERT INTO t VALUES (6, 0)");
    assert_error(run_delete(s, &p), DW_CONFLICT, "CONCURRENT_APPEND", &s->err);
    assert_gives(s, "SELECT count(*) FROM t", "101");
}

/* ---- Inserts of what was read ---------------------------------------------------------------- */

static void
test_rivals__an_insert_of_rows_that_were_read_minds_only_those(void **state)
{
    dwt_session *s = *state;
    prepared p;
    make_table(s, strict);
    dwt_run(s, "INSERT INTO t SELECT i + 1000, 0 FROM range(100) r(i)");
    prepare(s, &p, "SELECT id + 5000 AS id, v FROM %s WHERE id >= 1000 AND id < 1010", false);
    dwt_run(s, "DELETE FROM t WHERE id < 50");
    dwt_run(s, "INSERT INTO t VALUES (3000, 0)");
    assert_ok(run_insert(s, &p), &s->err);
    prepare(s, &p, "SELECT id + 6000 AS id, v FROM %s WHERE id >= 1000 AND id < 1010", false);
    dwt_run(s, "INSERT INTO t VALUES (1005, 1)");
    assert_error(run_insert(s, &p), DW_CONFLICT, "CONCURRENT_APPEND", &s->err);
    prepare(s, &p, "SELECT id + 6000 AS id, v FROM %s WHERE id >= 1000 AND id < 1010", false);
    dwt_run(s, "DELETE FROM t WHERE id = 1099");
    assert_int_equal(run_insert(s, &p), DW_CONFLICT);
    assert_gives(s, "SELECT count(*) FROM t", "161");
}

#define RIVALS_TEST(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIVALS_TEST(test_rivals__a_delete_keeps_what_others_did_to_other_rows_of_its_file),
        RIVALS_TEST(test_rivals__a_delete_says_that_a_file_went_of_which_others_left_no_row),
        RIVALS_TEST(test_rivals__a_delete_conflicts_with_new_values_that_it_looks_for),
        RIVALS_TEST(test_rivals__a_delete_conflicts_with_the_same_row),
        RIVALS_TEST(test_rivals__a_delete_without_vectors_conflicts_over_its_file),
        RIVALS_TEST(test_rivals__a_serializable_delete_lets_rows_pass_that_it_does_not_look_for),
        RIVALS_TEST(test_rivals__an_insert_of_rows_that_were_read_minds_only_those),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
