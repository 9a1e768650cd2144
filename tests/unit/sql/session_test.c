/*
 * Sessions without the engine: statements that only read and write the log.
 */
#include "support/temp_dir.h"
#include "support/test.h"
#include "support/test_env.h"

#include "sql/sql.h"
#include "table/create.h"

typedef struct fixture {
    dwt_temp_dir dir;
    dwt_env env;
    dw_database *database;
    dw_catalog *catalog;
    dw_session *session;
    dw_error err;
} fixture;

static dw_status
open_session(fixture *f)
{
    dw_database_options options = {0};
    DW_TRY(dw__database_open(&f->env.env, &options, &f->database, &f->err));
    DW_TRY(dw__catalog_open(&f->env.env, f->database, dw__str_from(f->dir.path), &f->catalog,
                            &f->err));
    return dw__session_open(f->catalog, &f->session, &f->err);
}

static void
begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    dwt_temp_dir_make(&f->dir);
    dwt_env_init(&f->env, 1);
}

static void
end(fixture *f)
{
    dw__session_close(f->session);
    dw__catalog_close(f->catalog);
    dw__database_close(f->database);
    dwt_env_deinit(&f->env);
    dwt_temp_dir_remove(&f->dir);
}

/* Runs the statement and drops what it returns. */
static dw_status
execute(fixture *f, const char *sql)
{
    dw_result *result = NULL;
    size_t used;
    DW_TRY(dw__session_execute(f->session, dw__str_from(sql), &used, &result, &f->err));
    dw__result_free(result);
    return DW_OK;
}

static const char *const statements[] = {
    ("CREATE TABLE s.t (a BIGINT NOT NULL COMMENT 'c', b STRUCT<x:INT>) PARTITIONED BY (a) "
     "TBLPROPERTIES ('k' = 'v')"),
    "SELECT count(*), min(a) AS least FROM s.t@v0",
    "EXPLAIN SELECT count(*) FROM s.t",
    "DESCRIBE s.t VERSION AS OF 0",
    "DESCRIBE HISTORY s.t",
    "DESCRIBE DETAIL s.t",
    "SHOW TBLPROPERTIES s.t",
    "SHOW CREATE TABLE s.t",
    "SHOW TABLES",
    "SELECT count(*) FROM s.t TIMESTAMP AS OF '2100-01-01'",
};

static void
test_session__runs_statements_about_the_log_without_the_engine(void **state)
{
    (void) state;
    fixture f;
    begin(&f);
    assert_ok(open_session(&f), &f.err);
    size_t last = sizeof statements / sizeof *statements - 1;
    for (size_t i = 0; i < last; i++) {
        assert_ok(execute(&f, statements[i]), &f.err);
    }
    assert_error(execute(&f, statements[last]), DW_NOT_FOUND, "TIMESTAMP_OUT_OF_RANGE", &f.err);
    assert_error(execute(&f, "DESCRIBE t"), DW_NOT_FOUND, "TABLE_NOT_FOUND", &f.err);
    assert_message_has(&f.err, "did you mean s.t");
    assert_false(dw__database_is_loaded(f.database));
    end(&f);
}

static void
test_session__takes_one_statement_and_says_how_long_it_was(void **state)
{
    (void) state;
    fixture f;
    dw_result *result;
    size_t used;
    begin(&f);
    assert_ok(open_session(&f), &f.err);
    assert_ok(dw__session_execute(f.session, DW_STR("CREATE TABLE t (a INT); SHOW TABLES"), &used,
                                  &result, &f.err),
              &f.err);
    assert_int_equal(used, 23);
    assert_false(dw__result_has_rows(result));
    assert_string_equal(dw__result_message(result), "created table t as version 0");
    dw__result_free(result);
    assert_ok(dw__session_execute(f.session, DW_STR(" -- nothing\n"), &used, &result, &f.err),
              &f.err);
    assert_null(result);
    assert_int_equal(used, 12);
    assert_ok(dw__session_execute(f.session, DW_STR(";;"), &used, &result, &f.err), &f.err);
    assert_null(result);
    assert_int_equal(used, 1);
    assert_error(dw__session_execute(f.session, DW_STR("CREATE x; SHOW"), &used, &result, &f.err),
                 DW_INVALID_ARGUMENT, "PARSE_ERROR", &f.err);
    assert_int_equal(used, 9);
    end(&f);
}

static void
test_create__conflicts_when_what_its_query_read_is_no_longer_the_newest(void **state)
{
    (void) state;
    fixture f;
    begin(&f);
    assert_ok(open_session(&f), &f.err);
    assert_ok(execute(&f, "CREATE TABLE t (a INT)"), &f.err);
    dw_str name = DW_STR("t");
    dw_arena arena;
    dw_str root;
    dw_table *table;
    dw_log_snapshot *read;
    dw__arena_init(&arena, &f.env.memory.allocator);
    assert_ok(dw__catalog_resolve(f.catalog, &name, 1, &arena, &root, &f.err), &f.err);
    assert_ok(dw__catalog_table_at(f.catalog, root, &table, &f.err), &f.err);
    assert_ok(dw__log_snapshot(dw__table_log(table), &read, &f.err), &f.err);
    assert_ok(execute(&f, "CREATE OR REPLACE TABLE t (b INT)"), &f.err);
    dw_create_spec spec = {.mode = DW_CREATE_OR_REPLACE,
                           .schema = dw__log_snapshot_schema(read),
                           .read_snapshot = read};
    dw_write_result done;
    assert_int_equal(dw__table_create(table, NULL, &spec, &done, &f.err), DW_CONFLICT);
    dw__log_snapshot_unref(read);
    dw__table_unref(table);
    dw__arena_deinit(&arena);
    end(&f);
}

static void
test_session__survives_running_out_of_memory(void **state)
{
    (void) state;
    dw_status status = DW_OUT_OF_MEMORY;
    for (int n = 1; status != DW_OK; n++) {
        fixture f;
        begin(&f);
        dwt_fault_allocator_fail_at(&f.env.memory, n, false);
        status = open_session(&f);
        for (size_t i = 0; status == DW_OK && i + 1 < sizeof statements / sizeof *statements; i++) {
            status = execute(&f, statements[i]);
        }
        if (status != DW_OK) {
            assert_error(status, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", &f.err);
            assert_true(dwt_fault_allocator_has_failed(&f.env.memory));
        }
        end(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session__runs_statements_about_the_log_without_the_engine),
        cmocka_unit_test(test_session__takes_one_statement_and_says_how_long_it_was),
        cmocka_unit_test(test_create__conflicts_when_what_its_query_read_is_no_longer_the_newest),
        cmocka_unit_test(test_session__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
