/*
 * Rows that are looked up by their keys are those that a scan of the files gives.
 */
#include "table_world.h"

#include <stdlib.h>

static const char all_types[] = DWT_SCHEMA(
    FIELD("i", "long") NEXT("n", "integer") NEXT("s", "short") NEXT("b", "byte") NEXT("f", "float")
        NEXT("d", "double") NEXT("p", "decimal(9,2)") NEXT("q", "decimal(25,3)")
            NEXT("t", "boolean") NEXT("text", "string") NEXT("raw", "binary") NEXT("day", "date")
                NEXT("at", "timestamp") NEXT("local", "timestamp_ntz") NEXT("missing", "string"));

/* Rows with NULLs; of few values and of many. */
#define ALL_VALUES                                                                                 \
    "SELECT (hash(r) %% 500)::BIGINT AS i, "                                                       \
    "CASE WHEN r %% 7 > 0 THEN (r %% 50)::INTEGER END AS n, (r %% 300)::SMALLINT AS s, "           \
    "(r %% 100 - 50)::TINYINT AS b, "                                                              \
    "CASE WHEN r %% 3 = 0 THEN 'nan' ELSE '1.5' END::FLOAT AS f, (r / 7)::DOUBLE AS d, "           \
    "CASE WHEN r %% 5 > 0 THEN (r / 8)::DECIMAL(9, 2) END AS p, "                                  \
    "(-r * 1000003)::DECIMAL(25, 3) AS q, r %% 2 = 0 AS t, "                                       \
    "CASE WHEN r %% 11 > 0 THEN 'Zo\xc3\xab ' || (hash(r) %% 3000) END AS text, "                  \
    "('x' || r)::BLOB AS raw, DATE '2024-01-01' + (r %% 900)::INTEGER AS day, "                    \
    "TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_microseconds(r) AS at, "                            \
    "TIMESTAMP '1955-01-01' + to_hours(r) AS local FROM range(%d) x(r)"

/* ---- Looking up and scanning ----------------------------------------------------------------- */

static const char *
ask(table_world *world, const char *where, const dw_scan_source *source, bool *was_looked_up)
{
    char sql[8192];
    dw_scan *scan;
    dw_text_rows rows;
    assert_ok(dw__scan_open(world->connection, world->database, DW_STR("SELECT * FROM t"), source,
                            1, &scan, &world->err),
              &world->err);
    dw_str text = dw__scan_text(scan, 0);
    *was_looked_up = strstr(dw__arena_dup_cstr(&world->arena, text), "dw__found") != NULL;
    int len = snprintf(sql, sizeof sql,
                       "SELECT count(*), sum(hash(t)::HUGEINT), min(t)::VARCHAR FROM %.*s t "
                       "WHERE %s",
                       DW_STR_ARG(text), where);
    assert_true(len > 0 && (size_t) len < sizeof sql);
    assert_ok(dw__connection_query_text(world->connection, dw__str_make(sql, (size_t) len),
                                        &world->arena, &rows, &world->err),
              &world->err);
    dw__scan_close(scan);
    return dw__arena_printf(&world->arena, "%.*s|%.*s|%.*s", DW_STR_ARG(rows.cells[0]),
                            DW_STR_ARG(rows.cells[1]), DW_STR_ARG(rows.cells[2]))
        .ptr;
}

/* Compares for keys of one column; how many of the statements were looked up, and how many rows
 * these have. */
static int
compare(table_world *world, const char *column, int64_t first, int64_t end)
{
    int count = 0;
    for (int64_t value = first; value < end; value++) {
        const dw_scan_key key = {dw__str_from(column), value};
        const dw_scan_source scanned = {
            .name = DW_STR("t"), .snapshot = world->snapshot, .is_inlined = true};
        dw_scan_source looked_up = scanned;
        looked_up.keys = &key;
        looked_up.key_count = 1;
        looked_up.are_keys_all = true;
        char where[64];
        bool was_looked_up, was_scanned_otherwise;
        (void) snprintf(where, sizeof where, "%s = %lld", column, (long long) value);
        const char *found = ask(world, where, &looked_up, &was_looked_up);
        assert_string_equal(found, ask(world, where, &scanned, &was_scanned_otherwise));
        assert_false(was_scanned_otherwise);
        count += was_looked_up;
    }
    return count;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void
make_table(table_world *world, const char *schema, const char *options, int row_count)
{
    dwt_commit commit;
    table_world_create(world, &commit, schema, NULL, NULL);
    table_world_run(world, "COPY (" ALL_VALUES ") TO '%s/f.parquet' (FORMAT parquet%s)", row_count,
                    world->dir.path, options);
    table_world_add(world, &commit, "f.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
}

static void
test_lookup__gives_the_rows_of_a_scan(void **state)
{
    static const char *const options[] = {"", ", COMPRESSION zstd",
                                          ", COMPRESSION uncompressed, ROW_GROUP_SIZE 2048",
                                          ", COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 1"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        table_world *world = *state;
        make_table(world, all_types, options[i], 7000);
        assert_int_equal(compare(world, "i", -2, 12), 14);
        assert_int_equal(compare(world, "n", 5, 8), 3);
        assert_int_equal(compare(world, "s", 299, 302), 3);
        assert_int_equal(compare(world, "b", -50, -47), 3);
        table_world_teardown(state);
        table_world_setup(state);
    }
}

static void
test_lookup__leaves_to_the_engine_what_it_does_not_know(void **state)
{
    table_world *world = *state;
    make_table(world, all_types, ", PARQUET_VERSION v2", 7000);
    assert_int_equal(compare(world, "i", 0, 4), 0);
    assert_int_equal(compare(world, "d", 0, 1), 0);
}

static void
test_lookup__finds_no_more_rows_than_a_chunk_holds(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("i", "long")), NULL, NULL);
    table_world_write(world, "f.parquet", "SELECT 1::BIGINT AS i FROM range(%d)", 2048);
    table_world_write(world, "g.parquet", "SELECT 2 - (r %% 2)::BIGINT AS i FROM range(%d) x(r)",
                      2);
    table_world_add(world, &commit, "f.parquet", NULL, NULL, NULL);
    table_world_add(world, &commit, "g.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_int_equal(compare(world, "i", 1, 2), 0);
    assert_int_equal(compare(world, "i", 2, 4), 2);
}

static void
test_lookup__reads_columns_that_became_wider_or_have_other_names(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_create(world, &commit,
                       DWT_SCHEMA(MAPPED("k", "\"long\"", "1", "p-1")
                                      NEXT_MAPPED("v", "\"double\"", "2", "p-2")
                                          NEXT_MAPPED("w", "\"string\"", "3", "p-3")),
                       NULL, "{\"delta.columnMapping.mode\":\"name\"}");
    table_world_write(world, "f.parquet",
                      "SELECT (r %% 10)::INTEGER AS \"p-1\", (r / 3)::FLOAT AS \"p-2\" "
                      "FROM range(%d) x(r)",
                      100);
    table_world_write(
        world, "g.parquet",
        "SELECT (r %% 10)::BIGINT AS \"p-1\", 'x' || r AS \"p-3\" FROM range(%d) x(r)", 100);
    table_world_add(world, &commit, "f.parquet", NULL, NULL, NULL);
    table_world_add(world, &commit, "g.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_int_equal(compare(world, "k", 0, 11), 11);
}

static void
test_lookup__notices_that_a_file_was_put_in_the_place_of_another(void **state)
{
    table_world *world = *state;
    make_table(world, all_types, "", 100);
    assert_int_equal(compare(world, "i", 0, 3), 3);
    table_world_run(world, "COPY (" ALL_VALUES ") TO '%s/f.parquet' (FORMAT parquet)", 90,
                    world->dir.path);
    assert_int_equal(compare(world, "i", 0, 3), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_lookup__gives_the_rows_of_a_scan),
        TABLE_TEST(test_lookup__leaves_to_the_engine_what_it_does_not_know),
        TABLE_TEST(test_lookup__finds_no_more_rows_than_a_chunk_holds),
        TABLE_TEST(test_lookup__reads_columns_that_became_wider_or_have_other_names),
        TABLE_TEST(test_lookup__notices_that_a_file_was_put_in_the_place_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
