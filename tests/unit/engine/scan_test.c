/*
 * Scans: files, partition values and deleted rows as views.
 */
#include "fixture.h"

#include <pthread.h>

enum { FILES_MAX = 8 };

/* Files of ten rows each, i = file * 10 + row. */
static void
write_files(fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "f%d.parquet", i);
        fixture_run(f, "COPY (SELECT %d + i AS i FROM range(10) t(i)) TO '%s' (FORMAT parquet)",
                    i * 10, fixture_path(f, name));
    }
}

typedef struct scan {
    dw_str paths[FILES_MAX];
    dw_str values[2 * FILES_MAX];
    dw_rowset *deleted[FILES_MAX];
    dw_scan_files files;
} scan;

static void
make_scan(fixture *f, scan *s, size_t count)
{
    *s = (scan){0};
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "f%zu.parquet", i);
        s->paths[i] = dw__str_from(fixture_path(f, name));
        s->values[2 * i] = dw__arena_printf(&f->arena, "2024-01-0%zu", i + 1);
        s->values[2 * i + 1] = i == 1 ? DW_STR_NULL : DW_STR("it's \xc3\xa9");
    }
    s->files = (dw_scan_files){.paths = s->paths,
                               .count = count,
                               .partition_values = s->values,
                               .partition_column_count = 2};
}

#define VIEW                                                                                       \
    "SELECT i, dw_partition(file_index, 0)::DATE AS day, dw_partition(file_index, 1) AS \"dw_"     \
    "files()\" FROM read_parquet(dw_files(), schema = MAP {'i': {name: 'i', type: 'BIGINT', "      \
    "default_value: NULL}}, hive_partitioning = false)"

static void
bind(fixture *f, const char *name, const char *sql, const scan *s)
{
    assert_ok(dw__connection_bind_scan(f->connection, dw__str_from(name), dw__str_from(sql),
                                       &s->files, &f->err),
              &f->err);
}

static void
test_scan__shows_files_with_their_partition_values(void **state)
{
    fixture *f = *state;
    write_files(f, 3);
    scan s;
    make_scan(f, &s, 3);
    bind(f, "t 1", VIEW, &s);
    assert_rows(f,
                "2024-01-01|it's \xc3\xa9|10|0|9\n2024-01-02|NULL|10|10|19\n"
                "2024-01-03|it's \xc3\xa9|10|20|29",
                "SELECT day, \"dw_files()\", count(*), min(i), max(i) FROM \"t 1\" GROUP BY ALL "
                "ORDER BY day");
    assert_rows(f, "20|10",
                "SELECT count(*), min(i) FROM \"t 1\" WHERE day > DATE '2024-01-02' "
                "OR (day = '2024-01-02' AND i > 9)");
    assert_rows(f, "1", "SELECT count(*) FROM \"t 1\" a JOIN \"t 1\" b USING (i) WHERE i = 5");
    dw__connection_unbind_scan(f->connection, DW_STR("t 1"));
    assert_error(dw__connection_execute(f->connection, DW_STR("SELECT * FROM \"t 1\""), &f->err),
                 DW_INVALID_ARGUMENT, "CATALOG_ERROR", &f->err);
}

static void
test_scan__leaves_out_deleted_rows(void **state)
{
    fixture *f = *state;
    write_files(f, 3);
    scan s;
    make_scan(f, &s, 3);
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    assert_ok(dw__rowset_new(dw__allocator_libc(), &rows, &f->err), &f->err);
    assert_ok(dw__rowset_add(rows, 0, &f->err), &f->err);
    assert_ok(dw__rowset_add(rows, 9, &f->err), &f->err);
    s.deleted[1] = rows;
    s.files.deleted = s.deleted;
    bind(f, "t",
         "SELECT i FROM read_parquet(dw_files()) WHERE dw_keep(file_index, file_row_number)", &s);
    assert_rows(f, "28|406", "SELECT count(*), sum(i) FROM t");
    assert_rows(f, "0", "SELECT count(*) FROM t WHERE i IN (10, 19)");
    assert_rows(f, "11", "SELECT min(i) FROM t WHERE i >= 10");
}

static void
test_scan__can_have_no_files(void **state)
{
    fixture *f = *state;
    scan s;
    make_scan(f, &s, 0);
    bind(f, "t", "SELECT NULL::BIGINT AS i, NULL::DATE AS day WHERE false", &s);
    assert_rows(f, "0", "SELECT count(*) FROM t");
}

static void
test_scan__takes_hostile_names_and_paths(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"a[1]*?.parquet", "it's \"x\".parquet",
                                        "\xc3\xa9\\ .parquet", "k=v%20.parquet"};
    scan s;
    make_scan(f, &s, 4);
    for (size_t i = 0; i < 4; i++) {
        s.paths[i] = dw__str_from(fixture_path(f, names[i]));
        DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 4096);
        dw__strbuf_printf(&sql, "COPY (SELECT %zu AS i) TO ", i);
        dw__sql_put_literal(&sql, s.paths[i]);
        dw__strbuf_append_literal(&sql, " (FORMAT parquet)");
        fixture_run(f, "%s", dw__strbuf_cstr(&sql));
    }
    bind(f, "x\"; DROP TABLE y; --", VIEW, &s);
    assert_rows(f, "4|6", "SELECT count(*), sum(i) FROM \"x\"\"; DROP TABLE y; --\"");
}

static void
test_scan__does_not_disturb_others(void **state)
{
    fixture *f = *state;
    write_files(f, 4);
    scan s[2];
    make_scan(f, &s[0], 4);
    make_scan(f, &s[1], 2);
    dw_connection *other = NULL;
    assert_ok(dw__connection_open(f->database, &other, &f->err), &f->err);
    bind(f, "t", VIEW, &s[0]);
    assert_ok(dw__connection_bind_scan(other, DW_STR("t"), DW_STR(VIEW), &s[1].files, &f->err),
              &f->err);
    assert_rows(f, "40", "SELECT count(*) FROM t");
    dw_connection *mine = f->connection;
    f->connection = other;
    assert_rows(f, "20", "SELECT count(*) FROM t");
    f->connection = mine;
    dw__connection_close(other);
    assert_rows(f, "40", "SELECT count(*) FROM t");
    bind(f, "t", VIEW, &s[1]);
    assert_rows(f, "20", "SELECT count(*) FROM t");
    dw__connection_unbind_scan(f->connection, DW_STR("no such name"));
}

static void
test_scan__names_what_is_wrong_with_the_view(void **state)
{
    fixture *f = *state;
    write_files(f, 1);
    scan s;
    make_scan(f, &s, 2);
    dw_status status = dw__connection_bind_scan(f->connection, DW_STR("t"), DW_STR("SELECT nix"),
                                                &s.files, &f->err);
    assert_error(status, DW_INVALID_ARGUMENT, "BIND_ERROR", &f->err);
    /* The second file is missing: said when the scan is opened or read. */
    status = dw__connection_bind_scan(f->connection, DW_STR("t"), DW_STR(VIEW), &s.files, &f->err);
    if (status == DW_OK) {
        status = dw__connection_execute(f->connection, DW_STR("SELECT sum(i) FROM t"), &f->err);
    }
    assert_error(status, DW_NOT_FOUND, "FILE_NOT_FOUND", &f->err);
    assert_message_has(&f->err, "f1.parquet");
    status = dw__connection_bind_scan(
        f->connection, DW_STR("t"),
        DW_STR("SELECT dw_partition(file_index, 2) AS p FROM read_parquet(dw_files()[1:1])"),
        &s.files, &f->err);
    assert_ok(status, &f->err);
    status = dw__connection_execute(f->connection, DW_STR("FROM t"), &f->err);
    assert_error(status, DW_INVALID_ARGUMENT, "INVALID_INPUT", &f->err);
}

static void
test_scan__functions_refuse_numbers_that_are_not_theirs(void **state)
{
    fixture *f = *state;
    static const char *const statements[] = {
        "SELECT dw__files(77)",
        "SELECT dw__files(i) FROM range(3) t(i)",
        "SELECT dw__partition(0, 0::UBIGINT, 0)",
        "SELECT dw__keep(-1, 0::UBIGINT, 0)",
        "FROM dw__rows(1)",
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        dw_status status =
            dw__connection_execute(f->connection, dw__str_from(statements[i]), &f->err);
        assert_int_equal(status, DW_INVALID_ARGUMENT);
    }
}

/* ---- Many threads ---------------------------------------------------------------------------- */

typedef struct worker {
    fixture *f;
    const scan *s;
    bool has_failed;
} worker;

static void *
scan_repeatedly(void *ctx)
{
    worker *w = ctx;
    dw_error err = DW_ERROR_INIT;
    dw_connection *connection = NULL;
    w->has_failed = dw__connection_open(w->f->database, &connection, &err) != DW_OK;
    for (int i = 0; i < 20 && !w->has_failed; i++) {
        w->has_failed =
            dw__connection_bind_scan(connection, DW_STR("t"), DW_STR(VIEW), &w->s->files, &err) !=
                DW_OK ||
            dw__connection_execute(connection,
                                   DW_STR("SELECT CASE WHEN count(*) <> 40 THEN error('lost') END "
                                          "FROM t"),
                                   &err) != DW_OK;
        dw__connection_unbind_scan(connection, DW_STR("t"));
    }
    dw__connection_close(connection);
    return NULL;
}

static void
test_scan__works_in_several_sessions_at_once(void **state)
{
    fixture *f = *state;
    write_files(f, 4);
    scan s;
    make_scan(f, &s, 4);
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){f, &s, false};
        assert_int_equal(pthread_create(&threads[i], NULL, scan_repeatedly, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(workers[i].has_failed);
    }
}

static void
test_scan__survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    write_files(f, 2);
    scan s;
    make_scan(f, &s, 2);
    bind(f, "t", VIEW, &s);
    bool has_failed = true;
    for (int64_t n = 1; has_failed; n++) {
        dwt_fault_allocator_fail_at(&f->world.memory, n, n % 2 == 0);
        dw_status status =
            dw__connection_bind_scan(f->connection, DW_STR("t"), DW_STR(VIEW), &s.files, &f->err);
        if (status == DW_OK) {
            status = dw__connection_execute(f->connection, DW_STR("SELECT sum(i) FROM t"), &f->err);
        }
        has_failed = dwt_fault_allocator_has_failed(&f->world.memory);
        dwt_fault_allocator_fail_at(&f->world.memory, 0, false);
        assert_true(status == DW_OK || has_failed);
        dw__connection_unbind_scan(f->connection, DW_STR("t"));
    }
    bind(f, "t", VIEW, &s);
    assert_rows(f, "20", "SELECT count(*) FROM t");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_scan__shows_files_with_their_partition_values),
        TEST(test_scan__leaves_out_deleted_rows),
        TEST(test_scan__can_have_no_files),
        TEST(test_scan__takes_hostile_names_and_paths),
        TEST(test_scan__does_not_disturb_others),
        TEST(test_scan__names_what_is_wrong_with_the_view),
        TEST(test_scan__functions_refuse_numbers_that_are_not_theirs),
        TEST(test_scan__works_in_several_sessions_at_once),
        TEST(test_scan__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
