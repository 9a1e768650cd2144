/*
 * Scans over real files: what a table's columns are, whatever its files look like.
 */
#include "table_world.h"

/* ---- Columns --------------------------------------------------------------------------------- */

/* clang-format off */
#define WIDENED_STRUCT DWT_SCHEMA(FIELD("a", "integer") NEXT_NESTED("b", ARRAY("\"string\"")))
#define WIDENED_SCHEMA                                                                             \
    DWT_SCHEMA(FIELD("i", "long") NEXT("v", "double") NEXT("d", "timestamp_ntz")                   \
               NEXT_NESTED("st", WIDENED_STRUCT) NEXT("n", "decimal(12,2)")                        \
               NEXT("late", "string") NEXT("none", "void"))
/* clang-format on */

static void
test_scan__fills_what_older_files_lack_and_widens_what_they_have(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "old.parquet",
                      "SELECT 1::TINYINT AS i, 0.5::FLOAT AS v, DATE '2024-02-29' AS d, "
                      "{'a': 7::SMALLINT} AS st, 1.5::DECIMAL(5,1) AS n");
    table_world_write(world, "new.parquet",
                      "SELECT 'x' AS late, 3000000000 AS i, 2.5::DOUBLE AS v, "
                      "TIMESTAMP '2024-03-01 12:00:00' AS d, "
                      "{'a': 8, 'b': ['q']} AS st, 2.25::DECIMAL(12,2) AS n, 5 AS unknown");
    table_world_create(world, &commit, WIDENED_SCHEMA, NULL, NULL);
    table_world_add(world, &commit, "old.parquet", NULL, NULL, NULL);
    table_world_add(world, &commit, "new.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world,
                 "1|0.5|2024-02-29 00:00:00|{'a': 7, 'b': NULL}|1.50|NULL|NULL\n"
                 "3000000000|2.5|2024-03-01 12:00:00|{'a': 8, 'b': [q]}|2.25|x|NULL",
                 "SELECT * FROM t ORDER BY i");
    assert_query(world, "1", "SELECT i FROM t WHERE late IS NULL AND d < TIMESTAMP '2024-03-01'");
    assert_query(world, "2", "SELECT count(*) FROM t");
}

/* clang-format off */
#define WIDENED_FROM(name, from, to)                                                               \
    "{\"name\":\"" name "\",\"type\":\"" to "\",\"nullable\":true,"                                \
    "\"metadata\":{\"delta.typeChanges\":[{\"fromType\":\"" from "\","                             \
    "\"toType\":\"" to "\"}]}}"
#define ROUNDED_SCHEMA                                                                             \
    DWT_SCHEMA(WIDENED_FROM("i", "integer", "double") "," WIDENED_FROM("f", "float", "double") "," \
               WIDENED_FROM("d", "date", "timestamp_ntz") ","                                      \
               WIDENED_FROM("n", "decimal(5,1)", "decimal(12,4)"))
/* clang-format on */

static void
test_scan__does_not_round_the_constants_that_widened_columns_are_compared_with(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "old.parquet",
                      "SELECT 2 AS i, 0.1::FLOAT AS f, DATE '2024-02-29' AS d, "
                      "1.5::DECIMAL(5,1) AS n");
    table_world_create(world, &commit, ROUNDED_SCHEMA, NULL, NULL);
    table_world_add(world, &commit, "old.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world, "1", "SELECT count(*) FROM t WHERE i > 1.6");
    assert_query(world, "0", "SELECT count(*) FROM t WHERE i IN (1.6, 2.4)");
    assert_query(world, "0", "SELECT count(*) FROM t WHERE f = 0.1::DOUBLE");
    assert_query(world, "1", "SELECT count(*) FROM t WHERE d < TIMESTAMP '2024-02-29 00:00:01'");
    assert_query(world, "0", "SELECT count(*) FROM t WHERE d = TIMESTAMP '2024-02-29 00:00:01'");
    assert_query(world, "1", "SELECT count(*) FROM t WHERE n < 1.5049 AND n > 1.4951");
    assert_query(world, "0", "SELECT count(*) FROM t WHERE n = 1.5049");
}

static void
test_scan__reads_instants_whatever_the_files_store(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "zoned.parquet",
                      "SELECT 1 AS i, TIMESTAMPTZ '2024-01-01 12:00:00.123456+00' AS ts");
    table_world_write(world, "plain.parquet",
                      "SELECT 2 AS i, TIMESTAMP '2024-01-01 12:00:00.123456' AS ts");
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("i", "integer") NEXT("ts", "timestamp")),
                       NULL, NULL);
    table_world_add(world, &commit, "zoned.parquet", NULL, NULL, NULL);
    table_world_add(world, &commit, "plain.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world, "1|1704110400123456\n2|1704110400123456",
                 "SELECT i, epoch_us(ts) FROM t ORDER BY i");
    assert_query(world, "2",
                 "SELECT count(*) FROM t WHERE ts >= TIMESTAMPTZ '2024-01-01 12:00:00+00'");
}

/* clang-format off */
#define MAPPED_INNER DWT_SCHEMA(MAPPED("odd 'name'", "\"string\"", "5", "c5"))
#define MAPPED_STRUCT                                                                              \
    DWT_SCHEMA(MAPPED("a", "\"integer\"", "3", "c3") NEXT_MAPPED("b", MAPPED_INNER, "4", "c4"))
#define MAPPED_LIST ARRAY(DWT_SCHEMA(MAPPED("z", "\"integer\"", "7", "c7")))
#define MAPPED_MAP                                                                                 \
    MAP("\"string\"", ARRAY(DWT_SCHEMA(MAPPED("y", "\"integer\"", "9", "c9"))))
#define MAPPED_SCHEMA                                                                              \
    DWT_SCHEMA(MAPPED("id", "\"integer\"", "1", "c1") NEXT_MAPPED("st", MAPPED_STRUCT, "2", "c2")  \
               NEXT_MAPPED("li", MAPPED_LIST, "6", "c6") NEXT_MAPPED("m", MAPPED_MAP, "8", "c8"))
/* clang-format on */

static void
test_scan__maps_columns_and_nested_fields_by_name(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "a.parquet",
                      "SELECT 1 AS c1, {'c3': 7, 'c4': {'c5': 'x'}} AS c2, "
                      "[{'c7': 1}, NULL, {'c7': 2}] AS c6, "
                      "MAP {'k': [{'c9': 5}]} AS c8");
    table_world_write(world, "b.parquet",
                      "SELECT 2 AS c1, NULL::STRUCT(c3 INTEGER, c4 STRUCT(c5 VARCHAR)) AS c2, "
                      "NULL::STRUCT(c7 INTEGER)[] AS c6, "
                      "NULL::MAP(VARCHAR, STRUCT(c9 INTEGER)[]) AS c8");
    table_world_create(
        world, &commit, MAPPED_SCHEMA, NULL,
        "{\"delta.columnMapping.mode\":\"name\",\"delta.columnMapping.maxColumnId\":\"9\"}");
    table_world_add(world, &commit, "a.parquet", NULL, NULL, NULL);
    table_world_add(world, &commit, "b.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world,
                 "1|{'a': 7, 'b': {'odd \\'name\\'': x}}|[{'z': 1}, NULL, {'z': 2}]|"
                 "{k=[{'y': 5}]}\n"
                 "2|NULL|NULL|NULL",
                 "SELECT * FROM t ORDER BY id");
    assert_query(world, "1", "SELECT id FROM t WHERE st.a = 7 AND st.b.\"odd 'name'\" = 'x'");
    assert_query(world, "2", "SELECT id FROM t WHERE st IS NULL");
}

static void
test_scan__maps_columns_by_field_id(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_run(world,
                    "COPY (SELECT 'x' AS whatever, 1 AS id) TO '%s/a.parquet' "
                    "(FIELD_IDS {whatever: 2, id: 7})",
                    world->dir.path);
    table_world_create(world, &commit,
                       DWT_SCHEMA(MAPPED("id", "\"long\"", "1", "id")
                                      NEXT_MAPPED("s", "\"string\"", "2", "c2")
                                          NEXT_MAPPED("n", "\"integer\"", "7", "c7")),
                       NULL,
                       "{\"delta.columnMapping.mode\":\"id\","
                       "\"delta.columnMapping.maxColumnId\":\"7\"}");
    table_world_add(world, &commit, "a.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world, "NULL|x|1", "SELECT * FROM t");
}

/* ---- Partition columns ----------------------------------------------------------------------- */

/* clang-format off */
#define EVERY_SCHEMA                                                                               \
    DWT_SCHEMA(FIELD("s", "string") NEXT("l", "long") NEXT("d", "date") NEXT("ts", "timestamp")    \
               NEXT("tn", "timestamp_ntz") NEXT("b", "boolean") NEXT("n", "decimal(10,2)")         \
               NEXT("v", "double") NEXT("bin", "binary") NEXT("i", "integer"))
/* clang-format on */
#define EVERY_NAME "[\"s\",\"l\",\"d\",\"ts\",\"tn\",\"b\",\"n\",\"v\",\"bin\"]"

static void
test_scan__takes_partition_values_of_every_type_from_the_log(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    /* Neither the folder's name nor what the file holds counts. */
    table_world_write(world, "s=wrong/a.parquet", "SELECT 1 AS i, 'wrong' AS s");
    table_world_write(world, "b.parquet", "SELECT 2 AS i");
    table_world_write(world, "c.parquet", "SELECT 3 AS i");
    table_world_create(world, &commit, EVERY_SCHEMA, EVERY_NAME, NULL);
    table_world_add(world, &commit, "s=wrong/a.parquet",
                    "{\"s\":\"it's \\u00e9\",\"l\":\"-5\",\"d\":\"2024-02-29\","
                    "\"ts\":\"2024-01-01 00:00:00.5\",\"tn\":\"2024-01-01 00:00:00.000001\","
                    "\"b\":\"true\",\"n\":\"1.50\",\"v\":\"NaN\",\"bin\":\"\\u0001\\u0002\"}",
                    NULL, NULL);
    table_world_add(world, &commit, "b.parquet",
                    "{\"s\":null,\"l\":null,\"d\":null,\"ts\":null,\"tn\":null,\"b\":null,"
                    "\"n\":null,\"v\":null,\"bin\":null}",
                    NULL, NULL);
    table_world_add(world, &commit, "c.parquet",
                    "{\"s\":\"\",\"l\":\"\",\"d\":\"\",\"ts\":\"2024-01-01T00:00:00.500000Z\","
                    "\"tn\":\"\",\"b\":\"false\",\"n\":\"-0.01\",\"v\":\"1e300\",\"bin\":\"\"}",
                    NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(
        world,
        "1|it's \xc3\xa9|-5|2024-02-29|1704067200500000|2024-01-01 00:00:00.000001|true|"
        "1.50|nan|2\n"
        "2|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n"
        "3|NULL|NULL|NULL|1704067200500000|NULL|false|-0.01|1e+300|NULL",
        "SELECT i, s, l, d, epoch_us(ts), tn, b, n, v, octet_length(bin) FROM t ORDER BY i");
    assert_query(world, "1", "SELECT i FROM t WHERE d = DATE '2024-02-29' AND b AND n > 1");
    assert_query(world, "1\n3",
                 "SELECT i FROM t WHERE ts = TIMESTAMPTZ '2024-01-01 00:00:00.5+00' "
                 "ORDER BY i");
    assert_query(world, "2\n3", "SELECT i FROM t WHERE s IS NULL ORDER BY i");
    assert_query(world, "1", "SELECT i FROM t WHERE v > 1e301");
    assert_query(world, "false|1\ntrue|1\nNULL|1",
                 "SELECT b, count(*) FROM t GROUP BY b ORDER BY b");
}

static void
test_scan__refuses_a_partition_value_that_is_none(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "a.parquet", "SELECT 1 AS i");
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("d", "date") NEXT("i", "integer")),
                       "[\"d\"]", NULL);
    table_world_add(world, &commit, "a.parquet", "{\"d\":\"spring\"}", NULL, NULL);
    table_world_commit(world, &commit, 0);
    dw_status status = table_world_fail(world, "SELECT * FROM t");
    assert_error(status, DW_CORRUPT, "PARTITION_VALUE_INVALID", &world->err);
    assert_message_has(&world->err, "spring");
    assert_message_has(&world->err, "a.parquet");
}

static void
test_scan__knows_columns_with_the_names_of_the_engine(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    table_world_write(world, "a.parquet",
                      "SELECT 5 AS file_index, 6 AS \"File_Row_Number\", 7 AS f");
    table_world_create(world, &commit,
                       DWT_SCHEMA(FIELD("file_index", "integer") NEXT("p", "integer")
                                      NEXT("File_Row_Number", "integer") NEXT("f", "integer")),
                       "[\"p\"]", NULL);
    table_world_add(world, &commit, "a.parquet", "{\"p\":\"9\"}", NULL, NULL);
    table_world_commit(world, &commit, 0);
    assert_query(world, "5|9|6|7", "SELECT * FROM t");
    assert_query(world, "7", "SELECT f FROM t WHERE file_index = 5 AND p = 9");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_scan__fills_what_older_files_lack_and_widens_what_they_have),
        TABLE_TEST(test_scan__does_not_round_the_constants_that_widened_columns_are_compared_with),
        TABLE_TEST(test_scan__reads_instants_whatever_the_files_store),
        TABLE_TEST(test_scan__maps_columns_and_nested_fields_by_name),
        TABLE_TEST(test_scan__maps_columns_by_field_id),
        TABLE_TEST(test_scan__takes_partition_values_of_every_type_from_the_log),
        TABLE_TEST(test_scan__refuses_a_partition_value_that_is_none),
        TABLE_TEST(test_scan__knows_columns_with_the_names_of_the_engine),
    };
    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
