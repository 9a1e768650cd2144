/*
 * UPDATE, with deletion vectors and by writing files again; judged by the engine's own UPDATE on a
 * table of its own.
 */
#include "sessions.h"

#include "support/test_env.h"

#define VECTORS "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
#define FEED                                                                                       \
    "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = "       \
    "'false')"

static void
make_table(dwt_session *s, const char *properties)
{
    char sql[1024];
    (void) snprintf(sql, sizeof sql,
                    "CREATE TABLE t (id BIGINT NOT NULL, s STRING, st STRUCT<a: INT, b: STRING>) "
                    "PARTITIONED BY (p INT) %s",
                    properties);
    dwt_run(s, sql);
    for (int i = 0; i < 2; i++) {
        (void) snprintf(sql, sizeof sql,
                        "INSERT INTO t SELECT i, 's' || i, CASE WHEN i %% 5 = 0 THEN NULL ELSE "
                        "{'a': i, 'b': 'b'} END, i %% 3 FROM range(%d, %d) r(i)",
                        i * 900, (i + 1) * 900);
        dwt_run(s, sql);
    }
}

static void
test_update__gives_chosen_rows_new_values(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    assert_gives(s, "UPDATE t SET s = upper(s) || '!', p = 9 WHERE id IN (1, 2, 1700)",
                 "updated 3 rows (3 files marked) as version 3");
    assert_gives(s, "SELECT id, s, p FROM t WHERE id < 4 OR p = 9 ORDER BY id",
                 "0|s0|0\n1|S1!|9\n2|S2!|9\n3|s3|0\n1700|S1700!|9");
    assert_gives(s, "SELECT count(*), min(s) FROM t VERSION AS OF 2 WHERE id = 1", "1|s1");
    assert_gives(s, "UPDATE t AS x SET x.s = 'all' WHERE x.id >= 0 AND p = 9",
                 "updated 3 rows (1 file removed) as version 4");
    assert_gives(s, "UPDATE t SET s = '' WHERE id < 0", "no rows to update: nothing was committed");
    assert_gives(s, "SELECT count(*) FROM t", "1800");
}

static void
test_update__sets_fields_of_structs(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    dwt_run(s, "UPDATE t SET st.a = id + 10, st.b = 'c' WHERE id IN (4, 5)");
    assert_gives(s, "SELECT id, st.a, st.b FROM t WHERE id IN (3, 4, 5) ORDER BY id",
                 "3|3|b\n4|14|c\n5|15|c");
}

static void
test_update__takes_values_from_other_tables(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    dwt_run(s, "CREATE TABLE names AS SELECT i AS id, 'n' || i AS name FROM range(3) r(i)");
    assert_gives(s,
                 "UPDATE t SET s = (SELECT name FROM names n WHERE n.id = t.id) "
                 "WHERE id IN (SELECT id FROM names)",
                 "updated 3 rows (3 files marked) as version 3");
    assert_gives(s, "SELECT id, s FROM t WHERE id < 4 ORDER BY id", "0|n0\n1|n1\n2|n2\n3|s3");
}

static void
test_update__records_rows_as_they_were_and_as_they_are(void **state)
{
    dwt_session *s = *state;
    make_table(s, FEED);
    assert_gives(s, "UPDATE t SET s = 'new' WHERE id IN (7, 8)",
                 "updated 2 rows (2 files rewritten) as version 3");
    assert_gives(s,
                 "SELECT id, s, _change_type FROM table_changes('t', 3) ORDER BY id, _change_type",
                 "7|new|update_postimage\n7|s7|update_preimage\n8|new|update_postimage\n"
                 "8|s8|update_preimage");
    assert_gives(s, "SELECT count(*), count(DISTINCT id) FROM t", "1800|1800");
}

static void
test_update__refuses_what_does_not_fit(void **state)
{
    dwt_session *s = *state;
    make_table(s, VECTORS);
    assert_fails(s, "UPDATE t SET id = NULL", DW_INVALID_ARGUMENT, "NOT_NULL_VIOLATION", "id");
    assert_fails(s, "UPDATE t SET nope = 1", DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND", "nope");
    assert_fails(s, "UPDATE t SET st.nope = 1", DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND", "nope");
    assert_fails(s, "UPDATE t SET p = 1, p = 2", DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE", "p");
    assert_fails(s, "UPDATE t SET p = 5000000000", DW_INVALID_ARGUMENT, "CONVERSION_ERROR", "p");
    assert_fails(s, "UPDATE t SET", DW_INVALID_ARGUMENT, "PARSE_ERROR", "column = value");
    assert_fails(s, "UPDATE t SET p =", DW_INVALID_ARGUMENT, "PARSE_ERROR", "a value");
    assert_fails(s, "UPDATE t WHERE id = 1", DW_INVALID_ARGUMENT, "PARSE_ERROR", "SET");
    dwt_run(s, "CREATE TABLE log (a INT) TBLPROPERTIES ('delta.appendOnly' = 'true')");
    assert_fails(s, "UPDATE log SET a = 1", DW_INVALID_ARGUMENT, "APPEND_ONLY", "append-only");
    assert_gives(s, "SELECT count(*) FROM t VERSION AS OF 2 WHERE p < 3", "1800");
    assert_fails(s, "SELECT 1 FROM t VERSION AS OF 3", DW_NOT_FOUND, "VERSION_OUT_OF_RANGE", "3");
}

static void
update_at_random(dwt_session *s, uint64_t random, const char *properties)
{
    static const char *const sets[] = {"s = s || '+'", "s = NULL, p = p + 1",
                                       "st.a = coalesce(p, 0)", "id = id + 1, st.b = s"};
    char tail[256];
    char sql[512];
    make_table(s, properties);
    dwt_run(s, "CREATE TEMP TABLE mine AS SELECT * FROM t");
    for (int i = 0; i < 10; i++) {
        int from = (int) dwt_random_below(&random, 1800);
        const char *set = sets[dwt_random_below(&random, 4)];
        (void) snprintf(tail, sizeof tail, "%s WHERE id BETWEEN %d AND %d AND p <> %d",
                        strncmp(set, "st.a", 4) == 0 ? "st = {'a': coalesce(p, 0), 'b': st.b}"
                        : strncmp(set, "id", 2) == 0 ? "id = id + 1, st = {'a': st.a, 'b': s}"
                                                     : set,
                        from, from + (int) dwt_random_below(&random, 200), i % 4);
        (void) snprintf(sql, sizeof sql, "UPDATE mine SET %s", tail);
        dwt_run(s, sql);
        (void) snprintf(sql, sizeof sql, "UPDATE t SET %s%s", set, strstr(tail, " WHERE"));
        dwt_run(s, sql);
        assert_gives(s, "SELECT count(*) FROM (FROM t EXCEPT ALL FROM mine)", "0");
        assert_gives(s, "SELECT count(*) FROM (FROM mine EXCEPT ALL FROM t)", "0");
    }
}

static void
test_update__gives_the_rows_that_the_engine_would_give(void **state)
{
    update_at_random(*state, 3, VECTORS);
}

static void
test_update__gives_the_same_rows_when_it_writes_files_again(void **state)
{
    update_at_random(*state, 4, FEED);
}

#define session_test(f) cmocka_unit_test_setup_teardown(f, dwt_session_setup, dwt_session_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(test_update__gives_chosen_rows_new_values),
        session_test(test_update__sets_fields_of_structs),
        session_test(test_update__takes_values_from_other_tables),
        session_test(test_update__records_rows_as_they_were_and_as_they_are),
        session_test(test_update__refuses_what_does_not_fit),
        session_test(test_update__gives_the_rows_that_the_engine_would_give),
        session_test(test_update__gives_the_same_rows_when_it_writes_files_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
