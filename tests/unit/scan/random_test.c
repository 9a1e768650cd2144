/*
 * Random queries over a table with statistics, against the engine's answers without any.
 */
#include "table_world.h"

/* ---- Against the engine alone ---------------------------------------------------------------- */

/* clang-format off */
#define RANDOM_SCHEMA                                                                              \
    DWT_SCHEMA(FIELD("id", "long") NEXT("v", "double") NEXT("s", "string") NEXT("d", "date")       \
               NEXT("tn", "timestamp_ntz") NEXT("n", "decimal(9,2)")                               \
               NEXT_NESTED("st", DWT_SCHEMA(FIELD("a", "integer"))))
/* clang-format on */

enum { RANDOM_FILES = 12, RANDOM_ROWS = 40, RANDOM_QUERIES = 150 };

static void
make_random_table(table_world *world, char *list, size_t list_size)
{
    dwt_commit commit;
    size_t used = (size_t) snprintf(list, list_size, "[");
    table_world_create(world, &commit, RANDOM_SCHEMA, NULL, NULL);
    for (int file = 0; file < RANDOM_FILES; file++) {
        char name[32];
        dw_text_rows rows;
        snprintf(name, sizeof(name), "r%d.parquet", file);
        table_world_write(
            world, name,
            "SELECT CASE WHEN x %% 11 = 0 THEN NULL ELSE x END AS id, "
            "CASE WHEN x %% 13 = 0 THEN 'nan'::DOUBLE ELSE x / 4 END AS v, "
            "CASE WHEN x %% 7 = 0 THEN NULL ELSE chr((97 + x // 10)::INTEGER) || 'long text' END "
            "AS s, "
            "DATE '2024-01-01' + x::INTEGER AS d, TIMESTAMP '2024-01-01' + to_hours(x * 7) AS "
            "tn, (x / 8)::DECIMAL(9,2) AS n, "
            "CASE WHEN x %% 5 = 0 THEN NULL ELSE {'a': (x * x %% 50)::INTEGER} END AS st "
            "FROM (SELECT (%d * 12 + (i * 7919 + %d) %% 25)::BIGINT AS x FROM range(%d) r(i))",
            file, file, RANDOM_ROWS);
        char sql[2048];
        snprintf(sql, sizeof(sql),
                 "SELECT json_object('numRecords', count(*), "
                 "'minValues', json_object('id', min(id), 'v', min(v) FILTER (NOT isnan(v)), "
                 "'s', left(min(s), 1), 'd', min(d), "
                 "'tn', strftime(min(tn), '%%Y-%%m-%%dT%%H:%%M:%%S.%%g'), "
                 "'n', min(n), 'st', json_object('a', min(st.a))), "
                 "'maxValues', json_object('id', max(id), 'v', max(v) FILTER (NOT isnan(v)), "
                 "'s', left(max(s), 1) || chr(1114111), 'd', max(d), "
                 "'tn', strftime(max(tn), '%%Y-%%m-%%dT%%H:%%M:%%S.%%g'), 'n', max(n), "
                 "'st', json_object('a', max(st.a))), "
                 "'nullCount', json_object('id', count(*) - count(id), 'v', 0, "
                 "'s', count(*) - count(s), 'd', 0, 'tn', 0, 'n', 0)) FROM '%s/%s'",
                 world->dir.path, name);
        assert_ok(dw__connection_query_text(world->connection, dw__str_from(sql), &world->arena,
                                            &rows, &world->err),
                  &world->err);
        char *stats = dw__arena_dup_cstr(&world->arena, rows.cells[0]);
        table_world_add(world, &commit, name, NULL, file % 5 == 4 ? NULL : stats, NULL);
        used += (size_t) snprintf(list + used, list_size - used, "%s'%s/%s'", file > 0 ? "," : "",
                                  world->dir.path, name);
    }
    snprintf(list + used, list_size - used, "]");
    table_world_commit(world, &commit, 0);
}

/* A condition on one column, often with a cast or a function around it. */
static void
random_condition(uint64_t *seed, char *out, size_t size)
{
    static const char *const operators[] = {
        "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"};
    const char *operator= operators[dwt_random_below(seed, 8)];
    int x = (int) dwt_random_below(seed, 170) - 5;
    switch (dwt_random_below(seed, 18)) {
    case 0:
        snprintf(out, size, "id %s %d", operator, x);
        break;
    case 1:
        snprintf(out, size, "id::DOUBLE %s %d.5", operator, x);
        break;
    case 2:
        snprintf(out, size, "v %s %d.25", operator, x / 4);
        break;
    case 3:
        snprintf(out, size, "s %s '%clong'", operator, 'a' + x / 10);
        break;
    case 4:
        snprintf(out, size, "s LIKE '%c%%'", 'a' + x / 10);
        break;
    case 5:
        snprintf(out, size, "d %s DATE '2024-01-01' + %d", operator, x);
        break;
    case 6:
        snprintf(out, size, "d %s TIMESTAMP '2024-01-01' + to_hours(%d)", operator, x * 24 + 7);
        break;
    case 7:
        snprintf(out, size, "tn %s TIMESTAMP '2024-01-01' + to_hours(%d)", operator, x * 7);
        break;
    case 8:
        snprintf(out, size, "tn::DATE %s DATE '2024-01-01' + %d", operator, x / 3);
        break;
    case 9:
        snprintf(out, size, "n %s %d.125", operator, x / 8);
        break;
    case 10:
        snprintf(out, size, "n::DOUBLE %s %d.25", operator, x / 8);
        break;
    case 11:
        snprintf(out, size, "st.a %s %d", operator, x % 50);
        break;
    case 12:
        snprintf(out, size, "id IN (%d, %d, %d)", x, x + 40, x / 2);
        break;
    case 13:
        snprintf(out, size, "id NOT IN (%d, %d)", x, x + 1);
        break;
    case 14:
        snprintf(out, size, "%s IS %sNULL",
                 x % 3 == 0   ? "id"
                 : x % 3 == 1 ? "s"
                              : "st.a",
                 x % 2 == 0 ? "" : "NOT ");
        break;
    case 15:
        snprintf(out, size, "id %% 3 = %d", x % 3);
        break;
    case 16:
        snprintf(out, size, "coalesce(id, 0) BETWEEN %d AND %d", x, x + 20);
        break;
    default:
        snprintf(out, size, "id BETWEEN %d AND %d", x, x + (int) dwt_random_below(seed, 9));
        break;
    }
}

static void
random_predicate(uint64_t *seed, char *out, size_t size)
{
    char text[4][256];
    for (int i = 0; i < 4; i++) {
        random_condition(seed, text[i], sizeof(text[i]));
    }
    static const char *const shapes[] = {
        "%s",
        "%s AND %s",
        "%s OR %s",
        "NOT (%s AND %s)",
        "(%s OR %s) AND %s",
        "(%s AND %s) OR (%s AND %s)",
        "NOT (%s OR %s) AND %s",
        "CASE WHEN %s THEN %s ELSE %s END",
    };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(out, size, shapes[dwt_random_below(seed, 8)], text[0], text[1], text[2], text[3]);
#pragma GCC diagnostic pop
}

static void
test_scan__answers_random_queries_as_the_engine_does_without_pruning(void **state)
{
    table_world *world = *state;
    char list[8192];
    make_random_table(world, list, sizeof(list));
    table_world_run(world, "CREATE TEMP TABLE everything AS SELECT * FROM read_parquet(%s)", list);
    uint64_t seed = 20240229;
    int64_t files_read = 0;
    for (int i = 0; i < RANDOM_QUERIES; i++) {
        char predicate[2048];
        char sql[2400];
        dw_scan *scan;
        dw_text_rows rows;
        random_predicate(&seed, predicate, sizeof(predicate));
        snprintf(sql, sizeof(sql), "SELECT count(*), sum(hash(t)) FROM t WHERE %s", predicate);
        const char *found = table_world_query(world, sql, &scan);
        files_read += dw__scan_report(scan, 0)->files_after_statistics;
        dw__scan_close(scan);
        snprintf(sql, sizeof(sql), "SELECT count(*), sum(hash(t)) FROM everything t WHERE %s",
                 predicate);
        assert_ok(dw__connection_query_text(world->connection, dw__str_from(sql), &world->arena,
                                            &rows, &world->err),
                  &world->err);
        char expected[128];
        snprintf(expected, sizeof(expected), "%.*s|%.*s", DW_STR_ARG(rows.cells[0]),
                 DW_STR_ARG(dw__str_is_null(rows.cells[1]) ? DW_STR("NULL") : rows.cells[1]));
        if (strcmp(found, expected) != 0) {
            fail_msg("query %d: %s: expected %s, found %s", i, predicate, expected, found);
        }
    }
    /* It did prune. */
    assert_true(files_read < (int64_t) RANDOM_QUERIES * RANDOM_FILES * 4 / 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_scan__answers_random_queries_as_the_engine_does_without_pruning),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
