/*
 * The parsers, one for each family of statements. Each begins behind the words that told what the
 * statement is, and reads to its end.
 */
#ifndef DW_SQL_PARSE_H
#define DW_SQL_PARSE_H

#include "sql/parser.h"

/* Reads a statement, which `sql` must hold without a semicolon behind it. The result lives in
 * `arena` and borrows from `sql`. DW_INVALID_ARGUMENT (PARSE_ERROR ...); DW_UNSUPPORTED
 * (STATEMENT_UNSUPPORTED) for what Delta on Spark knows and we do not. */
DW_WARN_UNUSED dw_status dw__parse_statement(const dw_sql_text *sql, dw_arena *arena,
                                             dw_statement *out, dw_error *err);

/* [OR REPLACE] TABLE ..., behind CREATE or REPLACE */
DW_WARN_UNUSED dw_status dw__parse_create_table(dw_parser *parser, dw_create_mode mode,
                                                dw_create_statement *out);
/* [IF NOT EXISTS] name ..., behind VIEW */
DW_WARN_UNUSED dw_status dw__parse_create_view(dw_parser *parser, dw_view_statement *out);
/* INTO | OVERWRITE ..., behind INSERT */
DW_WARN_UNUSED dw_status dw__parse_insert(dw_parser *parser, dw_insert_statement *out);
/* Of an INSERT, from WITH on: ('key' = 'value', ...), if there is; from REPLACE on: WHERE
 * condition; and whether the two and PARTITION say one thing. */
DW_WARN_UNUSED dw_status dw__parse_insert_options(dw_parser *parser, dw_insert_statement *out);
DW_WARN_UNUSED dw_status dw__parse_replace_where(dw_parser *parser, dw_insert_statement *out);
DW_WARN_UNUSED dw_status dw__check_replace_where(dw_parser *parser, size_t at,
                                                 const dw_insert_statement *insert);
/* The value of partitionOverwriteMode; DW_INVALID_ARGUMENT (OPTION_INVALID). */
DW_WARN_UNUSED dw_status dw__parse_overwrite_mode(dw_str value, bool *is_dynamic_out,
                                                  dw_error *err);
/* name FROM ..., behind COPY INTO */
DW_WARN_UNUSED dw_status dw__parse_copy_into(dw_parser *parser, dw_copy_statement *out);
/* Behind DESCRIBE, DESC or SHOW. DW_STATEMENT_QUERY and _ENGINE are possible outcomes. */
DW_WARN_UNUSED dw_status dw__parse_describe(dw_parser *parser, dw_statement *out);
DW_WARN_UNUSED dw_status dw__parse_show(dw_parser *parser, dw_statement *out);
/* Behind SHOW LINEAGE. */
DW_WARN_UNUSED dw_status dw__parse_show_lineage(dw_parser *parser, dw_lineage_show *out);
/* ALTER TABLE, and COMMENT ON; `*found_out` is false for any other
 * statement, and the parser where it was. */
DW_WARN_UNUSED dw_status dw__parse_alter(dw_parser *parser, dw_alter_statement *out,
                                         bool *found_out);
/* The same of columns, behind the name of the table: ADD, DROP, RENAME, ALTER, CHANGE, REPLACE. */
DW_WARN_UNUSED dw_status dw__parse_alter_columns(dw_parser *parser, dw_alter_statement *out,
                                                 bool *found_out);
/* BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SET TRANSACTION, from the first word on;
 * `*found_out` is false for any other statement. */
DW_WARN_UNUSED dw_status dw__parse_transaction(dw_parser *parser, dw_transaction_statement *out,
                                               bool *found_out);
/* name [WITH DATA], behind FSCK TABLE */
DW_WARN_UNUSED dw_status dw__parse_fsck(dw_parser *parser, dw_fsck_statement *out);
/* name [FULL] [WHERE condition] [FULL] ..., behind OPTIMIZE; name [WHERE condition] APPLY (PURGE)
 * ..., behind REORG. */
DW_WARN_UNUSED dw_status dw__parse_optimize(dw_parser *parser, dw_optimize_statement *out);
DW_WARN_UNUSED dw_status dw__parse_reorg(dw_parser *parser, dw_optimize_statement *out);
/* symlink_format_manifest FOR TABLE name, behind GENERATE */
DW_WARN_UNUSED dw_status dw__parse_generate(dw_parser *parser, dw_manifest_statement *out);
/* TABLE name [FORCE] [DRY RUN], behind FSCK REPAIR */
DW_WARN_UNUSED dw_status dw__parse_repair(dw_parser *parser, dw_repair_statement *out);
/* DELTA parquet.`path` ..., behind CONVERT TO */
DW_WARN_UNUSED dw_status dw__parse_convert(dw_parser *parser, dw_convert_statement *out);
/* parquet.`path` [PARTITIONED BY (a INT, ...)]: a directory of Parquet files. */
DW_WARN_UNUSED dw_status dw__parse_parquet_source(dw_parser *parser, dw_sql_name *out,
                                                  dw_field **fields_out, size_t *count_out);
/* name COMPUTE ..., behind ANALYZE TABLE */
DW_WARN_UNUSED dw_status dw__parse_analyze(dw_parser *parser, dw_analyze_statement *out);
/* INDEX ON [TABLE] name ..., behind CREATE, DROP or SHOW BLOOMFILTER */
DW_WARN_UNUSED dw_status dw__parse_create_bloom(dw_parser *parser, dw_bloom_statement *out);
DW_WARN_UNUSED dw_status dw__parse_drop_bloom(dw_parser *parser, dw_bloom_statement *out);
DW_WARN_UNUSED dw_status dw__parse_show_bloom(dw_parser *parser, dw_bloom_statement *out);
/* [TABLE name] FROM ..., behind MIGRATE */
DW_WARN_UNUSED dw_status dw__parse_migrate(dw_parser *parser, dw_migrate_statement *out);
/* COMPATIBILITY OF SCHEMA ..., behind CHECK */
DW_WARN_UNUSED dw_status dw__parse_compatibility(dw_parser *parser, dw_check_statement *out);
/* [TABLE] name TO ..., behind RESTORE */
DW_WARN_UNUSED dw_status dw__parse_restore(dw_parser *parser, dw_restore_statement *out);
/*
 * [DRY RUN] [WITHIN n SECONDS | MINUTES | HOURS], at the end of any command of upkeep, and the end.
 */
DW_WARN_UNUSED dw_status dw__parse_upkeep_options(dw_parser *parser, dw_upkeep_options *out);
/* [DRY RUN] and the end, of a command that is one commit. */
DW_WARN_UNUSED dw_status dw__parse_dry_run(dw_parser *parser, dw_upkeep_options *out);
/* VACUUM alone and VACUUM ANALYZE are the engine's. */
bool dw__parse_is_engine_vacuum(const dw_parser *parser);
/* name [LITE | FULL] [USING INVENTORY (query) | table] [RETAIN n HOURS], in any order behind the
 * name, behind VACUUM */
DW_WARN_UNUSED dw_status dw__parse_vacuum(dw_parser *parser, dw_vacuum_statement *out);
/* [WITH SCHEMA EVOLUTION], behind INSERT and MERGE. */
DW_WARN_UNUSED dw_status dw__parse_with_evolution(dw_parser *parser, bool *found_out);
/* [WITH SCHEMA EVOLUTION] INTO name, behind MERGE. */
DW_WARN_UNUSED dw_status dw__parse_merge_head(dw_parser *parser, dw_statement *out);
/* The rest of it, from where the head ended. */
DW_WARN_UNUSED dw_status dw__parse_merge(dw_parser *parser, const dw_modify_statement *head,
                                         dw_merge_statement *out);
/* From the first word on: a statement that changes a table in a way that Delta tables cannot be
 * changed (yet). `*found_out` is false when it is another statement. */
DW_WARN_UNUSED dw_status dw__parse_modify(dw_parser *parser, dw_statement *out, bool *found_out);

/* A type, in Spark's or the engine's spelling. */
DW_WARN_UNUSED dw_status dw__parse_type(dw_parser *parser, const dw_type **out);
/* A nullable field of that name and type without a comment. */
DW_WARN_UNUSED dw_status dw__field_make(const dw_parser *parser, dw_str name, const dw_type *type,
                                        dw_field *out);
/* [NOT NULL] [COMMENT 'text'] in any order */
DW_WARN_UNUSED dw_status dw__parse_field_attributes(dw_parser *parser, dw_field *field);

/* VERSION AS OF 3 | TIMESTAMP AS OF expression | FOR VERSION AS OF ... | AT (VERSION => 3) | ...
 * Leaves the parser where it is when there is none. */
DW_WARN_UNUSED dw_status dw__parse_travel(dw_parser *parser, dw_sql_travel *out);
/* @v3 or @20240131120000000, touching the name before it. */
DW_WARN_UNUSED dw_status dw__parse_travel_suffix(dw_parser *parser, dw_sql_travel *out);

/* The same at the end of a quoted name: takes it off the name, which may be a path. */
DW_WARN_UNUSED dw_status dw__sql_travel_split(dw_str *name, dw_arena *arena, dw_sql_travel *out,
                                              dw_error *err);

/* The longest text that we hand to the engine: a statement with its names replaced. */
#define DW_SQL_ENGINE_BYTES_MAX ((size_t) 64 << 20)

/* The tokens of a range as the engine's SQL: backquoted names in double quotes. */
DW_WARN_UNUSED dw_status dw__sql_range_print(const dw_sql_text *sql, dw_sql_range range,
                                             dw_arena *arena, dw_str *out, dw_error *err);

/* The same at the end of `out`. */
DW_WARN_UNUSED dw_status dw__sql_range_append(dw_strbuf *out, const dw_sql_text *sql,
                                              dw_sql_range range, dw_arena *arena, dw_error *err);

#endif
