/*
 * CREATE TABLE and CREATE VIEW: what is read, and what is refused.
 */
#include "parsed.h"

#include "base/strbuf.h"
#include "support/fault_allocator.h"

static void
assert_schema(const char *columns, const char *expected)
{
    dwt_parsed parsed;
    char text[4096];
    (void) snprintf(text, sizeof text, "CREATE TABLE t (%s)", columns);
    dwt_parse_ok(&parsed, text, DW_STATEMENT_CREATE_TABLE);
    dw_strbuf actual = dw__strbuf_make(dw__allocator_libc(), 65536);
    const dw_type *schema = parsed.statement.as.create.schema;
    assert_non_null(schema);
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        dw__strbuf_printf(&actual, "%s%.*s ", i > 0 ? "; " : "", DW_STR_ARG(field->name));
        dw__type_print_sql(&actual, field->type);
        dw__strbuf_printf(&actual, "%s", field->nullable ? "" : " not null");
        if (field->metadata_json.len > 2) {
            dw__strbuf_printf(&actual, " %.*s", DW_STR_ARG(field->metadata_json));
        }
    }
    assert_string_equal(dw__strbuf_cstr(&actual), expected);
    dw__strbuf_deinit(&actual);
    dwt_parsed_deinit(&parsed);
}

static void
test_create__reads_every_clause(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p,
                 "create table if not exists sales.orders (id bigint not null comment 'it''s', "
                 "day date) using delta partitioned by (DAY) location '/data/o' comment \"c\" "
                 "tblproperties ('delta.appendOnly' = 'true', delta.checkpointInterval = 5, "
                 "owner 'me')",
                 DW_STATEMENT_CREATE_TABLE);
    const dw_create_statement *create = &p.statement.as.create;
    assert_int_equal(create->mode, DW_CREATE_IF_MISSING);
    assert_int_equal(create->name.part_count, 2);
    assert_str(create->name.parts[1], "orders");
    assert_int_equal(create->schema->field_count, 2);
    assert_false(create->schema->fields[0].nullable);
    assert_str(create->schema->fields[0].metadata_json, "{\"comment\":\"it's\"}");
    assert_int_equal(create->partition_column_count, 1);
    assert_str(create->partition_columns[0], "day");
    assert_str(create->location, "/data/o");
    assert_str(create->comment, "c");
    assert_int_equal(create->properties.count, 3);
    assert_str(*dw__pairs_get(&create->properties, DW_STR("delta.appendOnly")), "true");
    assert_str(*dw__pairs_get(&create->properties, DW_STR("delta.checkpointInterval")), "5");
    assert_str(*dw__pairs_get(&create->properties, DW_STR("owner")), "me");
    assert_true(dw__sql_range_is_empty(create->query));
    dwt_parsed_deinit(&p);
}

static void
test_create__reads_modes_and_queries(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "CREATE OR REPLACE TABLE delta.`/a b` AS SELECT 1 AS x",
                 DW_STATEMENT_CREATE_TABLE);
    assert_int_equal(p.statement.as.create.mode, DW_CREATE_OR_REPLACE);
    assert_true(p.statement.as.create.name.is_path);
    assert_str(p.statement.as.create.name.parts[0], "/a b");
    assert_null(p.statement.as.create.schema);
    assert_str(dwt_range_text(&p, p.statement.as.create.query), "SELECT 1 AS x");
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "REPLACE TABLE t USING DELTA PARTITIONED BY (m) WITH x AS (SELECT 1) FROM x",
                 DW_STATEMENT_CREATE_TABLE);
    assert_int_equal(p.statement.as.create.mode, DW_REPLACE);
    assert_str(p.statement.as.create.partition_columns[0], "m");
    assert_str(dwt_range_text(&p, p.statement.as.create.query), "WITH x AS (SELECT 1) FROM x");
    dwt_parsed_deinit(&p);
}

static void
test_create__reads_types_of_spark(void **state)
{
    (void) state;
    assert_schema("a bigint, b long, c int, d smallint, e short, f tinyint, g byte",
                  "a bigint; b bigint; c int; d smallint; e smallint; f tinyint; g tinyint");
    assert_schema("a string, b boolean, c binary, d date, e timestamp, f timestamp_ntz",
                  "a string; b boolean; c binary; d date; e timestamp; f timestamp_ntz");
    assert_schema("a decimal, b decimal(12), c decimal(38,18), d float, e double, f real",
                  "a decimal(10,0); b decimal(12,0); c decimal(38,18); d float; e double; f float");
    assert_schema("a array<int>, b map<string,array<bigint>>, c struct<x:int,y:struct<z:string>>",
                  "a array<int>; b map<string,array<bigint>>; c "
                  "struct<x:int,y:struct<z:string>>");
    assert_schema("`a``b` array<array<array<int>>>, \"c d\" int, date date, left int",
                  "a`b array<array<array<int>>>; c d int; date date; left int");
}

static void
test_create__reads_types_of_the_engine(void **state)
{
    (void) state;
    assert_schema("a VARCHAR, b VARCHAR(10), c TEXT, d TIMESTAMPTZ, e BLOB, f BOOL, g INTEGER[]",
                  "a string; b string; c string; d timestamp; e binary; f boolean; g array<int>");
    assert_schema("a STRUCT(x INT, \"y z\" VARCHAR[]), b MAP(VARCHAR, DOUBLE), c INT[3][]",
                  "a struct<x:int,`y z`:array<string>>; b map<string,double>; c "
                  "array<array<int>>");
    assert_schema("a TIMESTAMP WITH TIME ZONE, b TIMESTAMP WITHOUT TIME ZONE, c DOUBLE PRECISION, "
                  "d NUMERIC(4,2), e DATETIME",
                  "a timestamp; b timestamp_ntz; c double; d decimal(4,2); e timestamp_ntz");
}

static void
test_create__reads_attributes_of_nested_fields(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "CREATE TABLE t (s struct<a: int not null comment 'x', b int comment 'y'>)",
                 DW_STATEMENT_CREATE_TABLE);
    const dw_type *s = p.statement.as.create.schema->fields[0].type;
    assert_int_equal(s->kind, DW_TYPE_STRUCT);
    assert_false(s->fields[0].nullable);
    assert_str(s->fields[0].metadata_json, "{\"comment\":\"x\"}");
    assert_true(s->fields[1].nullable);
    dwt_parsed_deinit(&p);
}

static void
test_create__adds_partition_columns_with_a_type_to_the_schema(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "CREATE TABLE t (a int) PARTITIONED BY (d date NOT NULL, a)",
                 DW_STATEMENT_CREATE_TABLE);
    const dw_create_statement *create = &p.statement.as.create;
    assert_int_equal(create->schema->field_count, 2);
    assert_str(create->schema->fields[1].name, "d");
    assert_false(create->schema->fields[1].nullable);
    assert_int_equal(create->partition_column_count, 2);
    assert_str(create->partition_columns[0], "d");
    dwt_parsed_deinit(&p);
}

static void
test_create__refuses_what_is_wrong_and_says_where(void **state)
{
    (void) state;
    dwt_assert_parse_error("CREATE TABLE", "line 1, column 13: expected a table name");
    dwt_assert_parse_error("CREATE TABLE t", "expected columns or AS with a query, found the end");
    dwt_assert_parse_error("CREATE TABLE t (a)", "line 1, column 18: expected a type, found \")\"");
    dwt_assert_parse_error("CREATE TABLE t (a int,)", "expected a column name, found \")\"");
    dwt_assert_parse_error("CREATE TABLE t (a int", "expected \",\" or \")\", found the end");
    dwt_assert_parse_error("CREATE TABLE t\n  (a wrong)",
                           "line 2, column 6: expected a type, found \"wrong\" near \"a wrong)\"");
    dwt_assert_parse_error(
        "CREATE TABLE t (a int) PARTITION BY (a)",
        "expected USING, PARTITIONED BY, CLUSTER BY, LOCATION, COMMENT, TBLPROPERTIES, AS");
    dwt_assert_parse_error("CREATE TABLE t (a int) LOCATION 'x' LOCATION 'y'", "LOCATION stands");
    dwt_assert_parse_error("CREATE TABLE t (a int) AS SELECT 1", "the columns come from the query");
    dwt_assert_parse_error("CREATE TABLE t AS", "expected a query");
    dwt_assert_parse_error("CREATE TABLE t PARTITIONED BY (d date) AS SELECT 1",
                           "the columns come from the query");
    dwt_assert_parse_error("CREATE TABLE t (a array<int)", "expected \">\", found \")\"");
    dwt_assert_parse_error("CREATE TABLE t (a int) TBLPROPERTIES ('k' = 'v', 'k' = 'w')",
                           "the key k stands there twice");
    dwt_assert_parse_error("CREATE OR REPLACE TABLE IF NOT EXISTS t (a int)", "found both");
    dwt_assert_parse_error("CREATE TABLE select (a int)", "expected a table name");
    dwt_assert_refused("CREATE TABLE t (a hugeint)", DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                       "no type hugeint: use decimal(38,0)");
    dwt_assert_refused("CREATE TABLE t (a decimal(39,2))", DW_INVALID_ARGUMENT, "TYPE_INVALID",
                       "decimal(39,2)");
    dwt_assert_refused("CREATE TABLE t (a int) PARTITIONED BY (days(ts))", DW_INVALID_ARGUMENT,
                       "PARTITION_INVALID", "the expression days(...)");
}

static void
test_create__names_what_is_not_supported(void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        {"CREATE TABLE t (a int) USING PARQUET", "expected USING DELTA, found PARQUET"},
        {"CREATE TABLE t (a int PRIMARY KEY)", "PRIMARY KEY"},
        {"CREATE TABLE t (a int, CONSTRAINT c PRIMARY KEY (a))", "PRIMARY KEY"},
        {"CREATE TABLE t LIKE s", "LIKE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dwt_parsed p;
        dwt_parse(&p, cases[i][0]);
        assert_int_equal(p.status, DW_UNSUPPORTED);
        assert_message_has(&p.err, cases[i][1]);
        dwt_parsed_deinit(&p);
    }
}

static void
assert_metadata(const char *column, const char *metadata)
{
    dwt_parsed p;
    char sql[512];
    (void) snprintf(sql, sizeof sql, "CREATE TABLE t (x INT, %s, y INT)", column);
    dwt_parse_ok(&p, sql, DW_STATEMENT_CREATE_TABLE);
    assert_int_equal(p.statement.as.create.schema->field_count, 3);
    assert_str(p.statement.as.create.schema->fields[1].metadata_json, metadata);
    dwt_parsed_deinit(&p);
}

static void
test_create__keeps_rules_of_columns_as_spark_reads_them(void **state)
{
    (void) state;
    assert_metadata("a int DEFAULT 1 + (2, 3)[1]", "{\"CURRENT_DEFAULT\":\"1 + (2, 3)[1]\"}");
    assert_metadata("a int DEFAULT 1 NOT NULL COMMENT 'c'",
                    "{\"CURRENT_DEFAULT\":\"1\",\"comment\":\"c\"}");
    assert_metadata("a boolean COMMENT 'c' DEFAULT (1) IS NOT NULL",
                    "{\"comment\":\"c\",\"CURRENT_DEFAULT\":\"(1) IS NOT NULL\"}");
    assert_metadata("a string DEFAULT E'a\\nb\\\\' -- done\n",
                    "{\"CURRENT_DEFAULT\":\"'a\\nb\\\\\\\\'\"}");
    assert_metadata("a int GENERATED ALWAYS AS (\"x y\"\n /* c */ + `x`)",
                    "{\"delta.generationExpression\":\"`x y` + `x`\"}");
    assert_metadata("a bigint generated by default as identity (increment by -2 start with -7)",
                    "{\"delta.identity.start\":-7,\"delta.identity.step\":-2,"
                    "\"delta.identity.allowExplicitInsert\":true}");
    dwt_assert_refused("CREATE TABLE t (a int COMMENT 'x' COMMENT 'y')", DW_INVALID_ARGUMENT,
                       "PARSE_ERROR", "has a COMMENT already");
    dwt_assert_refused("CREATE TABLE t (a struct<b: int DEFAULT 3>)", DW_INVALID_ARGUMENT,
                       "PARSE_ERROR", "found \"DEFAULT\"");
}

static void
test_create__bounds_the_depth_of_types(void **state)
{
    (void) state;
    dw_strbuf text = dw__strbuf_make(dw__allocator_libc(), 1 << 20);
    dw__strbuf_append_literal(&text, "CREATE TABLE t (a ");
    for (int i = 0; i < 10000; i++) {
        dw__strbuf_append_literal(&text, "array<");
    }
    dwt_assert_refused(dw__strbuf_cstr(&text), DW_INVALID_ARGUMENT, "TYPE_INVALID", "deep");
    dw__strbuf_clear(&text);
    dw__strbuf_append_literal(&text, "CREATE TABLE t (a int");
    for (int i = 0; i < 10000; i++) {
        dw__strbuf_append_literal(&text, "[]");
    }
    dwt_assert_parse_error(dw__strbuf_cstr(&text), "nested less deeply");
    dw__strbuf_deinit(&text);
}

static void
test_create_view__reads_name_columns_and_query(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "CREATE OR REPLACE TEMP VIEW v (a, \"b c\") AS SELECT 1, 2",
                 DW_STATEMENT_CREATE_VIEW);
    assert_true(p.statement.as.view.or_replace);
    assert_str(p.statement.as.view.name.parts[0], "v");
    assert_int_equal(p.statement.as.view.column_count, 2);
    assert_str(p.statement.as.view.columns[1], "b c");
    assert_str(dwt_range_text(&p, p.statement.as.view.query), "SELECT 1, 2");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "DROP VIEW IF EXISTS v", DW_STATEMENT_DROP_VIEW);
    assert_true(p.statement.as.view.if_exists);
    dwt_parsed_deinit(&p);
    dwt_assert_parse_error("CREATE VIEW v SELECT 1", "expected AS, found \"SELECT\"");
}

static void
test_create__survives_running_out_of_memory(void **state)
{
    (void) state;
    dw_str text = DW_STR("CREATE TABLE t (a struct<x:int comment 'c',y:array<string>>, b int) "
                         "PARTITIONED BY (b) TBLPROPERTIES ('a' = 'b')");
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    dw_status status = DW_OUT_OF_MEMORY;
    for (int n = 1; status != DW_OK; n++) {
        dw_error err = DW_ERROR_INIT;
        dw_sql_text sql;
        dw_arena arena;
        dw_statement statement;
        dwt_fault_allocator_fail_at(&memory, 0, false);
        assert_ok(dw__sql_text_init(&sql, &memory.allocator, text, &err), &err);
        dw__arena_init(&arena, &memory.allocator);
        dwt_fault_allocator_fail_at(&memory, n, false);
        status = dw__parse_statement(&sql, &arena, &statement, &err);
        if (status != DW_OK) {
            assert_error(status, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", &err);
        }
        dw__sql_text_deinit(&sql);
        dw__arena_deinit(&arena);
    }
    dwt_fault_allocator_deinit(&memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create__reads_every_clause),
        cmocka_unit_test(test_create__reads_modes_and_queries),
        cmocka_unit_test(test_create__reads_types_of_spark),
        cmocka_unit_test(test_create__reads_types_of_the_engine),
        cmocka_unit_test(test_create__reads_attributes_of_nested_fields),
        cmocka_unit_test(test_create__adds_partition_columns_with_a_type_to_the_schema),
        cmocka_unit_test(test_create__refuses_what_is_wrong_and_says_where),
        cmocka_unit_test(test_create__names_what_is_not_supported),
        cmocka_unit_test(test_create__keeps_rules_of_columns_as_spark_reads_them),
        cmocka_unit_test(test_create__bounds_the_depth_of_types),
        cmocka_unit_test(test_create_view__reads_name_columns_and_query),
        cmocka_unit_test(test_create__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
