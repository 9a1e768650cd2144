/*
 * Statements other than CREATE: what is read, what is refused, and what goes to the engine.
 */
#include "parsed.h"

/* ---- INSERT ---------------------------------------------------------------------------------- */

static void
test_insert__reads_targets_and_sources(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "INSERT INTO t VALUES (1, 'a')", DW_STATEMENT_INSERT);
    assert_int_equal(p.statement.as.insert.mode, DW_WRITE_APPEND);
    assert_str(dwt_range_text(&p, p.statement.as.insert.query), "VALUES (1, 'a')");
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "insert into table delta.`/t` (a, `b c`) (select 1, 2)", DW_STATEMENT_INSERT);
    assert_int_equal(p.statement.as.insert.column_count, 2);
    assert_str(p.statement.as.insert.columns[1], "b c");
    assert_str(dwt_range_text(&p, p.statement.as.insert.query), "(select 1, 2)");
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "INSERT INTO t (SELECT 1)", DW_STATEMENT_INSERT);
    assert_int_equal(p.statement.as.insert.column_count, 0);
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "INSERT INTO t BY NAME FROM s", DW_STATEMENT_INSERT);
    assert_true(p.statement.as.insert.by_name);
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "WITH x AS (SELECT 1), y AS (SELECT 2) INSERT INTO t SELECT * FROM x",
                 DW_STATEMENT_INSERT);
    assert_str(dwt_range_text(&p, p.statement.as.insert.with),
               "WITH x AS (SELECT 1), y AS (SELECT 2)");
    dwt_parsed_deinit(&p);
}

static void
test_insert__reads_partitions_and_overwrite(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p,
                 "INSERT OVERWRITE TABLE t PARTITION (m = 3, d = DATE '2024-01-31', s = 'it''s', "
                 "n = NULL, b = true, x = -1.5, dynamic) SELECT * FROM s",
                 DW_STATEMENT_INSERT);
    const dw_insert_statement *insert = &p.statement.as.insert;
    assert_int_equal(insert->mode, DW_WRITE_OVERWRITE);
    assert_int_equal(insert->static_partitions.count, 6);
    static const char *const values[] = {"3", "2024-01-31", "it's", NULL, "true", "-1.5"};
    for (size_t i = 0; i < 6; i++) {
        if (values[i] == NULL) {
            assert_true(dw__str_is_null(insert->static_partitions.items[i].value));
        } else {
            assert_str(insert->static_partitions.items[i].value, values[i]);
        }
    }
    dwt_parsed_deinit(&p);
}

static void
test_insert__refuses_what_is_wrong_or_unsupported(void **state)
{
    (void) state;
    dwt_assert_parse_error("INSERT t VALUES (1)", "expected INTO or OVERWRITE, found \"t\"");
    dwt_assert_parse_error("INSERT INTO t", "expected VALUES or a query, found the end");
    dwt_assert_parse_error("INSERT INTO t (a, ) VALUES (1)", "expected a column name");
    dwt_assert_parse_error("INSERT INTO t SET a = 1", "expected VALUES or a query, found \"SET\"");
    dwt_assert_parse_error("INSERT INTO t PARTITION (a = b) SELECT 1", "expected a constant");
    dwt_assert_parse_error("INSERT INTO t (a) DEFAULT VALUES", "expected DEFAULT VALUES without");
    dwt_assert_parse_error("INSERT INTO t DEFAULT", "expected VALUES, found the end");
    dwt_assert_parse_error("INSERT INTO t DEFAULT VALUES (1)", "expected the end");
    dwt_assert_refused("INSERT INTO t SELECT 1 RETURNING a", DW_UNSUPPORTED,
                       "STATEMENT_UNSUPPORTED", "RETURNING");
    dwt_assert_refused("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", DW_UNSUPPORTED,
                       "STATEMENT_UNSUPPORTED", "ON CONFLICT");
    dwt_assert_parse_error("INSERT INTO t REPLACE a = 1 SELECT 1", "expected WHERE");
    dwt_assert_parse_error("INSERT INTO t REPLACE WHERE SELECT 1", "expected a condition");
    dwt_assert_parse_error("INSERT INTO t REPLACE WHERE a = 1", "expected VALUES or a query");
    dwt_assert_parse_error("INSERT OVERWRITE t PARTITION (p = 1) REPLACE WHERE a = 1 SELECT 1",
                           "named twice");
    dwt_assert_refused("INSERT INTO t WITH ('replaceWhere' = 'a = 1') SELECT 1",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "INSERT OVERWRITE");
    dwt_assert_refused("INSERT OVERWRITE t WITH ('maxRows' = 'true') SELECT 1", DW_INVALID_ARGUMENT,
                       "OPTION_UNKNOWN", "maxRows");
    dwt_assert_refused("INSERT OVERWRITE t WITH ('mergeSchema' = 'yes') SELECT 1",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "mergeSchema");
    dwt_assert_refused("INSERT INTO t WITH ('txnAppId' = 'a') SELECT 1", DW_INVALID_ARGUMENT,
                       "OPTION_INVALID", "come together");
    dwt_assert_refused("INSERT INTO t WITH ('txnAppId' = 'a', 'txnVersion' = '-1') SELECT 1",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "from 0 on");
    dwt_assert_refused("INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'some') SELECT 1",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "static or dynamic");
    dwt_assert_refused("INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'dynamic') "
                       "REPLACE WHERE a = 1 SELECT 1",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "named twice");
}

static void
test_insert__reads_what_is_replaced_and_options(void **state)
{
    (void) state;
    dwt_parsed p;
    const dw_insert_statement *insert = &p.statement.as.insert;
    dwt_parse_ok(&p,
                 "INSERT INTO t REPLACE WHERE a IS DISTINCT FROM 1 AND b IN (1, 2) AND c < "
                 "'2024-01-01'::TIMESTAMP WITH TIME ZONE FROM s",
                 DW_STATEMENT_INSERT);
    assert_int_equal(insert->mode, DW_WRITE_OVERWRITE);
    assert_str(insert->options.replace_where, "a IS DISTINCT FROM 1 AND b IN (1, 2) AND c < "
                                              "'2024-01-01'::TIMESTAMP WITH TIME ZONE");
    assert_str(dwt_range_text(&p, insert->query), "FROM s");
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "INSERT INTO t BY NAME REPLACE WHERE a = 1 WITH x AS (SELECT 1) FROM x",
                 DW_STATEMENT_INSERT);
    assert_true(insert->by_name);
    assert_str(dwt_range_text(&p, insert->query), "WITH x AS (SELECT 1) FROM x");
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p,
                 "INSERT OVERWRITE t WITH ('partitionOverwriteMode' = 'DYNAMIC', userMetadata = "
                 "'u', 'txnAppId' = 'a', 'txnVersion' = '7') PARTITION (d) (a, b) VALUES (1, 2)",
                 DW_STATEMENT_INSERT);
    assert_true(insert->options.has_mode && insert->options.is_dynamic);
    assert_str(insert->options.user_metadata, "u");
    assert_str(insert->options.txn_app_id, "a");
    assert_int_equal(insert->options.txn_version, 7);
    assert_int_equal(insert->column_count, 2);
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", DW_STATEMENT_INSERT);
    assert_int_equal(insert->options.txn_version, -1);
    assert_str(dwt_range_text(&p, insert->query), "WITH x AS (SELECT 1) SELECT * FROM x");
    dwt_parsed_deinit(&p);
}

static void
test_set__takes_settings_of_spark_and_leaves_others_to_the_engine(void **state)
{
    (void) state;
    dwt_parsed p;
    const dw_setting_statement *setting = &p.statement.as.setting;
    dwt_parse_ok(&p, "SET spark.sql.sources.partitionOverwriteMode = 'dynamic'",
                 DW_STATEMENT_SETTING);
    assert_str(setting->key, "spark.sql.sources.partitionOverwriteMode");
    assert_str(setting->value, "dynamic");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "RESET spark.a.b", DW_STATEMENT_SETTING);
    assert_true(setting->resets);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "SET spark.a", DW_STATEMENT_SETTING);
    assert_true(dw__str_is_null(setting->value));
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "SET threads = 4", DW_STATEMENT_ENGINE);
    dwt_parsed_deinit(&p);
    dwt_assert_parse_error("SET spark.a 3", "expected \"=\" or the end");
    dwt_assert_parse_error("SET spark.a =", "expected a value");
}

/* ---- COPY INTO ------------------------------------------------------------------------------- */

static void
test_copy_into__reads_every_clause(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p,
                 "COPY INTO t FROM (SELECT a, cast(b AS int) AS b FROM '/in') FILEFORMAT = csv "
                 "FILES = ('x.csv', 'y.csv') FORMAT_OPTIONS ('header' = 'true', 'sep' = '|') "
                 "COPY_OPTIONS ('force' = 'true', 'mergeSchema' = 'false')",
                 DW_STATEMENT_COPY_INTO);
    const dw_copy_statement *copy = &p.statement.as.copy;
    assert_str(copy->source, "/in");
    assert_str(dwt_range_text(&p, copy->select_list), "a, cast(b AS int) AS b");
    assert_int_equal(copy->format, DW_LOAD_CSV);
    assert_int_equal(copy->file_count, 2);
    assert_str(copy->files[1], "y.csv");
    assert_int_equal(copy->format_options.count, 2);
    assert_true(copy->force);
    assert_false(copy->merge_schema);
    dwt_parsed_deinit(&p);

    dwt_parse_ok(&p, "COPY INTO delta.`/t` FROM '/in' FILEFORMAT = PARQUET PATTERN = '2024-*'",
                 DW_STATEMENT_COPY_INTO);
    assert_str(p.statement.as.copy.pattern, "2024-*");
    assert_true(dw__sql_range_is_empty(p.statement.as.copy.select_list));
    dwt_parsed_deinit(&p);
}

static void
test_copy_into__refuses_what_is_wrong(void **state)
{
    (void) state;
    dwt_assert_parse_error("COPY INTO t FROM '/in'", "expected FILEFORMAT");
    dwt_assert_parse_error("COPY INTO t FROM x FILEFORMAT = CSV", "expected a path in quotes");
    dwt_assert_parse_error("COPY INTO t FROM (SELECT FROM 'x') FILEFORMAT = CSV",
                           "expected the columns to load");
    dwt_assert_parse_error("COPY INTO t FROM (SELECT a", "expected FROM with a path");
    dwt_assert_parse_error("COPY INTO t FROM 'x' FILEFORMAT = CSV VALIDATE",
                           "expected FILEFORMAT, FILES");
    dwt_assert_parse_error("COPY INTO t FROM 'x' FILEFORMAT = CSV FILES = ('a') PATTERN = 'b'",
                           "either FILES or PATTERN");
    dwt_assert_refused("COPY INTO t FROM 'x' FILEFORMAT = AVRO", DW_UNSUPPORTED,
                       "FORMAT_UNSUPPORTED", "found AVRO");
    dwt_assert_refused("COPY INTO t FROM 'x' FILEFORMAT = CSV COPY_OPTIONS ('fast' = 'true')",
                       DW_INVALID_ARGUMENT, "OPTION_INVALID", "found fast");
}

/* ---- DESCRIBE and SHOW ----------------------------------------------------------------------- */

static void
assert_describe(const char *text, dw_describe_kind kind, const char *name)
{
    dwt_parsed p;
    dwt_parse_ok(&p, text, DW_STATEMENT_DESCRIBE);
    assert_int_equal(p.statement.as.describe.kind, kind);
    assert_str(dw__sql_name_print(&p.statement.as.describe.name, &p.arena), name);
    dwt_parsed_deinit(&p);
}

static void
test_describe__reads_what_is_about_tables(void **state)
{
    (void) state;
    dwt_parsed p;
    assert_describe("DESCRIBE t", DW_DESCRIBE_TABLE, "t");
    assert_describe("desc table extended sales.t", DW_DESCRIBE_TABLE, "sales.t");
    assert_describe("DESCRIBE HISTORY delta.`/a`", DW_DESCRIBE_HISTORY, "delta.`/a`");
    assert_describe("DESCRIBE DETAIL t", DW_DESCRIBE_DETAIL, "t");
    assert_describe("DESCRIBE history", DW_DESCRIBE_TABLE, "history");
    assert_describe("SHOW TBLPROPERTIES t", DW_DESCRIBE_PROPERTIES, "t");
    assert_describe("SHOW CREATE TABLE t", DW_DESCRIBE_CREATE_TABLE, "t");
    dwt_parse_ok(&p, "DESC HISTORY t LIMIT 5", DW_STATEMENT_DESCRIBE);
    assert_int_equal(p.statement.as.describe.limit, 5);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "SHOW TBLPROPERTIES t (delta.appendOnly)", DW_STATEMENT_DESCRIBE);
    assert_str(p.statement.as.describe.key, "delta.appendOnly");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "DESCRIBE t VERSION AS OF 3", DW_STATEMENT_DESCRIBE);
    assert_int_equal(p.statement.as.describe.travel.version, 3);
    dwt_parsed_deinit(&p);
    dwt_assert_parse_error("DESCRIBE HISTORY t LIMIT 0", "at least 1");
    dwt_assert_parse_error("DESCRIBE t u", "expected the end of the statement, found \"u\"");
}

/* ---- The rest -------------------------------------------------------------------------------- */

static void
assert_kind(const char *text, dw_statement_kind kind)
{
    dwt_parsed p;
    dwt_parse_ok(&p, text, kind);
    dwt_parsed_deinit(&p);
}

static void
test_statement__knows_queries_from_statements_for_the_engine(void **state)
{
    (void) state;
    static const char *const queries[] = {
        "SELECT 1",          "FROM t",
        "VALUES (1)",        "WITH x AS (SELECT 1) SELECT * FROM x",
        "TABLE t",           "(SELECT 1) UNION (SELECT 2)",
        "PIVOT t ON a",      "SUMMARIZE t",
        "DESCRIBE SELECT 1", "DESCRIBE FROM t"};
    static const char *const others[] = {"SET threads = 2",
                                         "RESET threads",
                                         "PRAGMA version",
                                         "USE memory",
                                         "ATTACH 'x.db'",
                                         "CREATE TEMP TABLE x AS SELECT 1",
                                         "CREATE SCHEMA s",
                                         "CREATE MACRO f(x) AS x + 1",
                                         "COPY (SELECT 1) TO 'x.parquet'",
                                         "CALL pragma_version()",
                                         "SHOW ALL TABLES",
                                         "CHECKPOINT",
                                         "VACUUM",
                                         "INSERT OR REPLACE INTO t VALUES (1)",
                                         "DROP SCHEMA s",
                                         "nonsense"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        assert_kind(queries[i], DW_STATEMENT_QUERY);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_kind(others[i], DW_STATEMENT_ENGINE);
    }
    assert_kind("", DW_STATEMENT_EMPTY);
    assert_kind(" -- nothing", DW_STATEMENT_EMPTY);
    assert_kind("SHOW TABLES", DW_STATEMENT_SHOW_TABLES);
    assert_kind("CHECKPOINT delta.`/t`", DW_STATEMENT_CHECKPOINT);
    assert_kind("COMPACT LOG delta.`/t`", DW_STATEMENT_COMPACT_LOG);
    assert_kind("compact log of t from 3 to 9", DW_STATEMENT_COMPACT_LOG);
}

static void
test_statement__finds_the_query_inside_of_statements_for_the_engine(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "CREATE TEMP TABLE x AS SELECT * FROM t", DW_STATEMENT_ENGINE);
    assert_str(dwt_range_text(&p, p.statement.as.engine.query), "SELECT * FROM t");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "COPY sales.t (a, b) TO 'x' (FORMAT csv)", DW_STATEMENT_ENGINE);
    assert_true(p.statement.as.engine.copy);
    assert_str(dwt_range_text(&p, p.statement.as.engine.copy_table), "sales.t");
    assert_str(dwt_range_text(&p, p.statement.as.engine.copy_columns), "a, b");
    assert_str(dwt_range_text(&p, p.statement.as.engine.copy_rest), "TO 'x' (FORMAT csv)");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "COPY (SELECT (1)) TO 'x' (FORMAT parquet)", DW_STATEMENT_ENGINE);
    assert_str(dwt_range_text(&p, p.statement.as.engine.query), "SELECT (1)");
    dwt_parsed_deinit(&p);
}

static void
test_explain__takes_a_query(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "EXPLAIN ANALYZE SELECT 1", DW_STATEMENT_EXPLAIN);
    assert_true(p.statement.as.explain.analyze);
    assert_str(dwt_range_text(&p, p.statement.as.explain.query), "SELECT 1");
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "EXPLAIN WITH a AS (SELECT 1) SELECT 2 FROM a", DW_STATEMENT_EXPLAIN);
    assert_str(dwt_range_text(&p, p.statement.as.explain.query),
               "WITH a AS (SELECT 1) SELECT 2 FROM a");
    dwt_parsed_deinit(&p);
    const char *expected = "expected a query, DELETE, UPDATE or MERGE to explain";
    dwt_assert_parse_error("EXPLAIN", expected);
    dwt_assert_parse_error("EXPLAIN INSERT INTO t VALUES (1)", expected);
    dwt_assert_parse_error("EXPLAIN WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", expected);
    dwt_assert_parse_error("EXPLAIN DELETE t", expected);
}

static void
test_explain__takes_what_changes_rows(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "EXPLAIN DELETE FROM t WHERE a = 1", "EXPLAIN EXTENDED UPDATE t SET a = 1",
        "EXPLAIN TRUNCATE TABLE t", "EXPLAIN MERGE INTO t USING s ON t.a = s.a",
        "EXPLAIN WITH s AS (SELECT 1 AS a) MERGE INTO t USING s ON t.a = s.a"};
    dwt_parsed p;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dwt_parse_ok(&p, texts[i], DW_STATEMENT_MODIFY);
        assert_true(p.statement.as.modify.explains);
        assert_false(p.statement.as.modify.analyzes);
        assert_str(p.statement.as.modify.name.parts[0], "t");
        dwt_parsed_deinit(&p);
    }
    dwt_parse_ok(&p, "EXPLAIN ANALYZE DELETE FROM t", DW_STATEMENT_MODIFY);
    assert_true(p.statement.as.modify.analyzes);
    dwt_parsed_deinit(&p);
}

static void
test_modify__reads_the_verb_and_the_table(void **state)
{
    (void) state;
    static const char *const cases[][3] = {
        {"DELETE FROM delta.`/t` WHERE a = 1", "DELETE", "delta.`/t`"},
        {"UPDATE s.t SET a = 1", "UPDATE", "s.t"},
        {"MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "MERGE INTO", "t"},
        {"TRUNCATE TABLE t", "TRUNCATE", "t"},
        {"ALTER TABLE t RENAME TO u", "ALTER TABLE", "t"},
        {"DROP TABLE IF EXISTS t", "DROP TABLE", "t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dwt_parsed p;
        dwt_parse_ok(&p, cases[i][0], DW_STATEMENT_MODIFY);
        assert_string_equal(p.statement.as.modify.verb, cases[i][1]);
        assert_true(p.statement.as.modify.has_name);
        assert_str(dw__sql_name_print(&p.statement.as.modify.name, &p.arena), cases[i][2]);
        dwt_parsed_deinit(&p);
    }
}

static void
test_alter__reads_columns_and_leaves_what_it_cannot_read_to_the_engine(void **state)
{
    (void) state;
    static const struct {
        const char *sql;
        dw_alter_kind kind;
        bool is_dry_run;
    } cases[] = {
        {"ALTER TABLE t ADD COLUMNS (a INT, s.b STRING COMMENT 'x' AFTER c)", DW_ALTER_ADD_COLUMNS,
         false},
        {"ALTER TABLE t ADD a INT DEFAULT 5 FIRST DRY RUN", DW_ALTER_ADD_COLUMNS, true},
        {"alter table t drop column if exists a, s.b", DW_ALTER_DROP_COLUMNS, false},
        {"ALTER TABLE t RENAME COLUMN a.b TO c dry run", DW_ALTER_RENAME_COLUMN, true},
        {"ALTER TABLE t ALTER a SET DEFAULT 1 + 2 DRY RUN", DW_ALTER_CHANGE_COLUMNS, true},
        {"ALTER TABLE t CHANGE COLUMN a a BIGINT COMMENT 'x' AFTER b", DW_ALTER_CHANGE_COLUMNS,
         false},
        {"ALTER TABLE t REPLACE COLUMNS (a INT)", DW_ALTER_REPLACE_COLUMNS, false},
        {"COMMENT ON COLUMN t.a IS 'x'", DW_ALTER_CHANGE_COLUMNS, false},
        {"ALTER TABLE t ALTER a TYPE VARCHAR USING a || 'x'", DW_ALTER_FOREIGN, false},
        {"ALTER TABLE t ADD COLUMN", DW_ALTER_FOREIGN, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dwt_parsed p;
        dwt_parse_ok(&p, cases[i].sql, DW_STATEMENT_ALTER);
        assert_int_equal(p.statement.as.alter.kind, cases[i].kind);
        if (cases[i].kind != DW_ALTER_FOREIGN) {
            assert_int_equal(p.statement.as.alter.is_dry_run, cases[i].is_dry_run);
        }
        dwt_parsed_deinit(&p);
    }
}

static void
test_analyze__names_columns_or_looks_at_footers_only(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "ANALYZE TABLE t COMPUTE DELTA STATISTICS", DW_STATEMENT_ANALYZE);
    assert_int_equal(p.statement.as.analyze.columns.count, 0);
    assert_false(p.statement.as.analyze.only_footers);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p,
                 "analyze table t compute statistics for columns (a, s.b) within 5 minutes dry run",
                 DW_STATEMENT_ANALYZE);
    assert_int_equal(p.statement.as.analyze.columns.count, 2);
    assert_int_equal(p.statement.as.analyze.columns.items[1].count, 2);
    assert_true(p.statement.as.analyze.options.dry_run);
    assert_int_equal(p.statement.as.analyze.options.within_us, 300000000);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "ANALYZE TABLE t COMPUTE STATISTICS NOSCAN", DW_STATEMENT_ANALYZE);
    assert_true(p.statement.as.analyze.only_footers);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS", DW_STATEMENT_ANALYZE);
    dwt_parsed_deinit(&p);
    dwt_assert_parse_error("ANALYZE TABLE t", "expected COMPUTE");
    dwt_assert_parse_error("ANALYZE TABLE t COMPUTE STATISTICS FOR ALL", "COLUMNS");
}

static void
test_fsck__checks_or_repairs(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse_ok(&p, "FSCK TABLE t WITH DATA", DW_STATEMENT_FSCK);
    assert_true(p.statement.as.fsck.with_data);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "FSCK REPAIR TABLE delta.`/t` DRY RUN", DW_STATEMENT_REPAIR);
    assert_false(p.statement.as.repair.force);
    assert_true(p.statement.as.repair.options.dry_run);
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "fsck repair table t force", DW_STATEMENT_REPAIR);
    assert_true(p.statement.as.repair.force);
    assert_false(p.statement.as.repair.options.dry_run);
    dwt_parsed_deinit(&p);
}

static void
test_convert__reads_the_path_and_the_partition_columns(void **state)
{
    (void) state;
    dwt_parsed p;
    const dw_convert_statement *convert = &p.statement.as.convert;
    dwt_parse_ok(&p,
                 "CONVERT TO DELTA parquet.`/a b` NO STATISTICS PARTITIONED BY (d DATE, p STRING) "
                 "DRY RUN",
                 DW_STATEMENT_CONVERT);
    assert_str(convert->name.parts[0], "/a b");
    assert_true(convert->name.is_path && convert->without_statistics && convert->options.dry_run);
    assert_int_equal(convert->partition_count, 2);
    assert_str(convert->partition_fields[1].name, "p");
    assert_int_equal(convert->partition_fields[0].type->kind, DW_TYPE_DATE);
    dwt_parsed_deinit(&p);
}

static void
test_vacuum__reads_clauses_in_any_order(void **state)
{
    (void) state;
    dwt_parsed p;
    const dw_vacuum_statement *vacuum = &p.statement.as.vacuum;
    dwt_parse_ok(&p, "VACUUM delta.`/t` RETAIN 1.6 HOURS LITE DRY RUN WITHIN 2 MINUTES",
                 DW_STATEMENT_VACUUM);
    assert_true(vacuum->is_lite);
    assert_true(vacuum->has_retention);
    assert_int_equal(vacuum->retention_ms, 2 * 3600 * 1000);
    assert_true(vacuum->options.dry_run);
    assert_int_equal(vacuum->options.within_us, 120 * 1000000);
    assert_true(dw__sql_range_is_empty(vacuum->inventory));
    dwt_parsed_deinit(&p);
    dwt_parse_ok(&p, "VACUUM t FULL USING INVENTORY (SELECT 1) RETAIN 0 HOURS",
                 DW_STATEMENT_VACUUM);
    assert_false(vacuum->is_lite);
    assert_false(vacuum->inventory_is_name);
    assert_str(dw__tokens_text(&p.sql, vacuum->inventory.first, vacuum->inventory.last),
               "SELECT 1");
    dwt_parsed_deinit(&p);
    dwt_assert_refused("VACUUM t RETAIN -1 HOURS", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                       "a number of hours");
    dwt_assert_refused("VACUUM t RETAIN 5", DW_INVALID_ARGUMENT, "PARSE_ERROR", "HOURS");
    dwt_assert_refused("VACUUM t LITE FULL", DW_INVALID_ARGUMENT, "PARSE_ERROR", "DRY RUN");
    dwt_assert_refused("VACUUM t RETAIN 1e300 HOURS", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                       "a number of hours");
}

/* What stands behind the name of the table. */
static dw_status
parse_merge(dwt_parsed *p, const char *text, dw_merge_statement *out)
{
    dwt_parse_ok(p, text, DW_STATEMENT_MODIFY);
    dw_parser parser = dw__parser_make(&p->sql, &p->arena, &p->err);
    return dw__parse_merge(&parser, &p->statement.as.modify, out);
}

static void
test_merge__reads_target_source_and_clauses(void **state)
{
    (void) state;
    dwt_parsed p;
    dw_merge_statement m;
    const char *text =
        "MERGE WITH SCHEMA EVOLUTION INTO a.t AS x USING (SELECT 1 AS id) s ON x.id = s.id "
        "WHEN MATCHED AND CASE WHEN x.b THEN s.c END THEN UPDATE SET x.st.a = s.a, b = (1, 2) "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY TARGET AND s.c THEN INSERT (id, b) "
        "VALUES (s.id, DEFAULT) WHEN NOT MATCHED THEN INSERT * "
        "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET b = CASE WHEN b THEN c END";
    assert_ok(parse_merge(&p, text, &m), &p.err);
    assert_true(p.statement.as.modify.evolves);
    assert_str(dwt_range_text(&p, m.table), "a.t AS x");
    assert_str(m.table_alias, "x");
    assert_str(dwt_range_text(&p, m.source), "(SELECT 1 AS id) s");
    assert_str(m.source_alias, "s");
    assert_str(dwt_range_text(&p, m.condition), "x.id = s.id");
    assert_int_equal(m.clause_count, 5);
    assert_str(dwt_range_text(&p, m.clauses[0].condition), "CASE WHEN x.b THEN s.c END");
    assert_int_equal(m.clauses[0].set_count, 2);
    assert_int_equal(m.clauses[0].set[0].part_count, 3);
    assert_str(dwt_range_text(&p, m.clauses[0].set[1].value), "(1, 2)");
    assert_int_equal(m.clauses[1].action, DW_MERGE_DELETE);
    assert_int_equal(m.clauses[2].kind, DW_MERGE_NOT_MATCHED);
    assert_str(m.clauses[2].set[1].parts[0], "b");
    assert_str(dwt_range_text(&p, m.clauses[2].set[1].value), "DEFAULT");
    assert_true(m.clauses[3].is_star);
    assert_int_equal(m.clauses[4].kind, DW_MERGE_NOT_MATCHED_BY_SOURCE);
    assert_str(dwt_range_text(&p, m.clauses[4].set[0].value), "CASE WHEN b THEN c END");
    dwt_parsed_deinit(&p);
}

static void
test_merge__knows_what_columns_may_be_qualified_by(void **state)
{
    (void) state;
    static const char *const cases[][3] = {
        {"t USING s", "t", "s"},
        {"delta.`/a/b/` USING db.s VERSION AS OF 3", "b", "s"},
        {"t USING '/data/new.csv.gz'", "t", "new"},
        {"t u USING read_csv('x', header = true) AS r(a, b)", "u", "r"},
        {"t USING s@v3 x", "t", "x"},
        {"t USING range(3)", "t", "range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dwt_parsed p;
        dw_merge_statement m;
        char text[256];
        (void) snprintf(text, sizeof text, "MERGE INTO %s ON true WHEN MATCHED THEN DELETE",
                        cases[i][0]);
        assert_ok(parse_merge(&p, text, &m), &p.err);
        assert_str(m.table_alias, cases[i][1]);
        assert_str(m.source_alias, cases[i][2]);
        dwt_parsed_deinit(&p);
    }
}

static void
test_statement__reads_transactions(void **state)
{
    (void) state;
    static const struct {
        const char *sql;
        dw_transaction_kind kind;
        dw_transaction_level level;
    } cases[] = {
        {"BEGIN", DW_TRANSACTION_BEGIN, DW_LEVEL_TABLE},
        {"begin work", DW_TRANSACTION_BEGIN, DW_LEVEL_TABLE},
        {"START TRANSACTION ISOLATION LEVEL SNAPSHOT", DW_TRANSACTION_BEGIN, DW_LEVEL_SNAPSHOT},
        {"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED", DW_TRANSACTION_BEGIN,
         DW_LEVEL_READ_COMMITTED},
        {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", DW_TRANSACTION_SET_LEVEL,
         DW_LEVEL_SERIALIZABLE},
        {"COMMIT", DW_TRANSACTION_COMMIT, DW_LEVEL_TABLE},
        {"END TRANSACTION", DW_TRANSACTION_COMMIT, DW_LEVEL_TABLE},
        {"ROLLBACK WORK", DW_TRANSACTION_ROLLBACK, DW_LEVEL_TABLE},
        {"ABORT", DW_TRANSACTION_ROLLBACK, DW_LEVEL_TABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dwt_parsed p;
        dwt_parse_ok(&p, cases[i].sql, DW_STATEMENT_TRANSACTION);
        assert_int_equal(p.statement.as.transaction.kind, cases[i].kind);
        assert_int_equal(p.statement.as.transaction.level, cases[i].level);
        dwt_parsed_deinit(&p);
    }
    dwt_assert_refused("BEGIN ISOLATION LEVEL CHAOS", DW_INVALID_ARGUMENT, "PARSE_ERROR",
                       "SNAPSHOT");
    dwt_assert_refused("COMMIT now", DW_INVALID_ARGUMENT, "PARSE_ERROR", "end of the statement");
}

static void
test_errors__show_one_line_without_cutting_characters(void **state)
{
    (void) state;
    dwt_parsed p;
    dwt_parse(&p, "INSERT INTO\n\n  größe_größe_größe_größe_größe_größe_größe_größe_größe_größe x");
    assert_error(p.status, DW_INVALID_ARGUMENT, "PARSE_ERROR", &p.err);
    assert_message_has(&p.err, "line 3, ");
    assert_null(strchr(p.err.message, '\n'));
    assert_true(dw__str_is_utf8(dw__str_from(p.err.message)));
    dwt_parsed_deinit(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert__reads_targets_and_sources),
        cmocka_unit_test(test_insert__reads_partitions_and_overwrite),
        cmocka_unit_test(test_insert__refuses_what_is_wrong_or_unsupported),
        cmocka_unit_test(test_insert__reads_what_is_replaced_and_options),
        cmocka_unit_test(test_set__takes_settings_of_spark_and_leaves_others_to_the_engine),
        cmocka_unit_test(test_copy_into__reads_every_clause),
        cmocka_unit_test(test_copy_into__refuses_what_is_wrong),
        cmocka_unit_test(test_describe__reads_what_is_about_tables),
        cmocka_unit_test(test_statement__knows_queries_from_statements_for_the_engine),
        cmocka_unit_test(test_statement__finds_the_query_inside_of_statements_for_the_engine),
        cmocka_unit_test(test_explain__takes_a_query),
        cmocka_unit_test(test_explain__takes_what_changes_rows),
        cmocka_unit_test(test_modify__reads_the_verb_and_the_table),
        cmocka_unit_test(test_alter__reads_columns_and_leaves_what_it_cannot_read_to_the_engine),
        cmocka_unit_test(test_analyze__names_columns_or_looks_at_footers_only),
        cmocka_unit_test(test_fsck__checks_or_repairs),
        cmocka_unit_test(test_convert__reads_the_path_and_the_partition_columns),
        cmocka_unit_test(test_vacuum__reads_clauses_in_any_order),
        cmocka_unit_test(test_merge__reads_target_source_and_clauses),
        cmocka_unit_test(test_merge__knows_what_columns_may_be_qualified_by),
        cmocka_unit_test(test_statement__reads_transactions),
        cmocka_unit_test(test_errors__show_one_line_without_cutting_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
