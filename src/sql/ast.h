/*
 * What a statement says, as our parsers read it. All of it lives in the arena of the statement;
 * queries stay runs of tokens, which the binder turns into the engine's SQL.
 */
#ifndef DW_SQL_AST_H
#define DW_SQL_AST_H

#include "protocol/action.h"
#include "sql/token.h"
#include "table/alter_columns.h"
#include "table/compatibility.h"
#include "table/create.h"
#include "table/expectation.h"
#include "table/load.h"
#include "table/merge.h"
#include "table/transaction.h"
#include "upkeep/bloom_index.h"
#include "upkeep/upkeep.h"

/* The parts of a name, such as catalog.schema.table. */
#define DW_SQL_NAME_PARTS_MAX 4

/* The tokens from `first` to before `last`; empty when they are equal. */
typedef struct dw_sql_range {
    size_t first, last;
} dw_sql_range;

static inline bool
dw__sql_range_is_empty(dw_sql_range range)
{
    return range.first == range.last;
}

/* The parts of st.a.b in an assignment. */
#define DW_SET_PARTS_MAX 16

/* SET path = value */
typedef struct dw_assignment {
    dw_str parts[DW_SET_PARTS_MAX];
    size_t part_count;
    size_t token; /* where it stands */
    dw_sql_range value;
} dw_assignment;

/* The name of a table. */
typedef struct dw_sql_name {
    bool is_path; /* delta.`path`: the path is parts[0] */
    dw_str parts[DW_SQL_NAME_PARTS_MAX];
    size_t part_count;
} dw_sql_name;

typedef enum dw_travel_kind {
    DW_TRAVEL_NONE,
    DW_TRAVEL_VERSION,
    DW_TRAVEL_TIMESTAMP
} dw_travel_kind;

/* Which state of a table is meant. */
typedef struct dw_sql_travel {
    dw_travel_kind kind;
    int64_t version;
    dw_str expression; /* TIMESTAMP: an expression in the engine's SQL */
} dw_sql_travel;

/* table_changes(name, first, last): instead of a state of the table what changed. */
typedef struct dw_sql_changes {
    bool is_set;
    dw_str first, last; /* expressions in the engine's SQL; null string: up to the newest */
} dw_sql_changes;

typedef enum dw_statement_kind {
    DW_STATEMENT_EMPTY,
    DW_STATEMENT_QUERY, /* returns rows of the engine */
    DW_STATEMENT_EXPLAIN,
    DW_STATEMENT_CREATE_TABLE,
    DW_STATEMENT_INSERT,
    DW_STATEMENT_COPY_INTO,
    DW_STATEMENT_DESCRIBE,
    DW_STATEMENT_SHOW_TABLES,
    DW_STATEMENT_SHOW_LINEAGE,
    DW_STATEMENT_CHECKPOINT,
    DW_STATEMENT_COMPACT_LOG,
    DW_STATEMENT_FSCK,
    DW_STATEMENT_VACUUM,
    DW_STATEMENT_OPTIMIZE,
    DW_STATEMENT_ALTER,
    DW_STATEMENT_CREATE_VIEW,
    DW_STATEMENT_DROP_VIEW,
    DW_STATEMENT_SETTING,
    DW_STATEMENT_MODIFY, /* what Delta tables cannot have done to them, but the engine's may */
    DW_STATEMENT_TRANSACTION,
    DW_STATEMENT_RESTORE,
    DW_STATEMENT_REPAIR,
    DW_STATEMENT_GENERATE,
    DW_STATEMENT_CONVERT,
    DW_STATEMENT_ANALYZE,
    DW_STATEMENT_BLOOM,
    DW_STATEMENT_CHECK,
    DW_STATEMENT_MIGRATE,
    DW_STATEMENT_ENGINE /* anything else: for the engine */
} dw_statement_kind;

/* SELECT and its kin. `verb` words that stand before the query (DESCRIBE, SUMMARIZE, none). */
typedef struct dw_query_statement {
    dw_sql_range query;
} dw_query_statement;

typedef struct dw_explain_statement {
    bool analyze;
    dw_sql_range query;
} dw_explain_statement;

/* SHALLOW | DEEP CLONE source [VERSION | TIMESTAMP AS OF ...] ... [DRY RUN] */
typedef struct dw_clone_statement {
    bool is_set;
    bool deep;
    bool of_parquet; /* the source is parquet.`path` */
    dw_field *partition_fields;
    size_t partition_count;
    dw_sql_name source;
    dw_sql_travel travel;
    dw_upkeep_options options;
} dw_clone_statement;

typedef struct dw_create_statement {
    dw_create_mode mode;
    dw_sql_name name;
    const dw_type *schema; /* NULL: the columns are those of the query */
    dw_str *partition_columns;
    size_t partition_column_count;
    dw_name_paths cluster_by;
    bool clusters_auto; /* CLUSTER BY AUTO */
    dw_str location;    /* null string: none */
    dw_str comment;     /* null string: none */
    dw_pairs properties;
    dw_sql_range query; /* AS query; empty: none */
    dw_clone_statement clone;
} dw_create_statement;

/* COMPACT LOG */
typedef struct dw_compact_statement {
    dw_sql_name name;
    bool has_range;
    int64_t first, last;
} dw_compact_statement;

/* WITH ('key' = 'value'), and REPLACE WHERE. Null strings where there is none. */
typedef struct dw_insert_options {
    dw_str replace_where; /* the condition as it was written */
    bool has_mode;        /* partitionOverwriteMode is given */
    bool is_dynamic;
    bool merges_schema;   /* mergeSchema, or WITH SCHEMA EVOLUTION */
    bool replaces_schema; /* overwriteSchema */
    dw_str user_metadata;
    dw_str txn_app_id;
    int64_t txn_version; /* -1: none */
} dw_insert_options;

typedef struct dw_insert_statement {
    dw_write_mode mode;
    dw_sql_name name;
    size_t name_first; /* its first token */
    size_t name_end;   /* the token behind it */
    dw_insert_options options;
    dw_pairs static_partitions; /* PARTITION (k = v) */
    dw_str *columns;
    size_t column_count;
    bool by_name;
    dw_sql_range with;  /* WITH ... before INSERT; empty: none */
    dw_sql_range query; /* empty: DEFAULT VALUES */
} dw_insert_statement;

typedef struct dw_copy_statement {
    dw_sql_name name;
    dw_str source; /* a file, directory or glob */
    dw_sql_range select_list;
    dw_load_format format;
    dw_str *files; /* names below `source` */
    size_t file_count;
    dw_str pattern; /* a glob below `source`; null string: none */
    dw_pairs format_options;
    bool force;
    bool merge_schema;
} dw_copy_statement;

typedef enum dw_describe_kind {
    DW_DESCRIBE_TABLE,
    DW_DESCRIBE_HISTORY,
    DW_DESCRIBE_DETAIL,
    DW_DESCRIBE_PROPERTIES,
    DW_DESCRIBE_CREATE_TABLE,
    DW_DESCRIBE_CLUSTERING,
    DW_DESCRIBE_EXPECTATIONS,
    DW_DESCRIBE_PROFILE,
    DW_DESCRIBE_DRIFT,
    DW_DESCRIBE_PRUNING,
    DW_DESCRIBE_STATISTICS
} dw_describe_kind;

/* What DESCRIBE STATISTICS is about. */
typedef enum dw_statistics_kind {
    DW_STATISTICS_STATE,
    DW_STATISTICS_PARTITIONS,
    DW_STATISTICS_HISTOGRAM,
    DW_STATISTICS_HISTORY,
    DW_STATISTICS_REPORT
} dw_statistics_kind;

typedef struct dw_describe_statement {
    dw_describe_kind kind;
    dw_sql_name name;
    dw_sql_travel travel;
    int64_t limit; /* HISTORY, STATISTICS ... HISTORY; 0: none */
    dw_statistics_kind statistics;
    bool of_schema;        /* HISTORY ... SCHEMA */
    dw_str key;            /* PROPERTIES; null string: all */
    dw_name_paths columns; /* CLUSTERING; none: the table's */
    bool has_from, has_to; /* DRIFT */
    int64_t from, to;
} dw_describe_statement;

typedef enum dw_alter_kind {
    DW_ALTER_SET_PROPERTIES,
    DW_ALTER_UNSET_PROPERTIES,
    DW_ALTER_ADD_CONSTRAINT,
    DW_ALTER_DROP_CONSTRAINT,
    DW_ALTER_ADD_EXPECTATION,
    DW_ALTER_DROP_EXPECTATION,
    DW_ALTER_DROP_FEATURE,
    DW_ALTER_CLUSTER_BY,
    DW_ALTER_SYNC_IDENTITY,
    DW_ALTER_ADD_COLUMNS,
    DW_ALTER_DROP_COLUMNS,
    DW_ALTER_RENAME_COLUMN,
    DW_ALTER_CHANGE_COLUMNS,
    DW_ALTER_REPLACE_COLUMNS,
    DW_ALTER_FOREIGN /* columns in a way that we cannot read, but the engine may */
} dw_alter_kind;

typedef struct dw_alter_statement {
    dw_alter_kind kind;
    dw_sql_name name;
    dw_pairs properties; /* SET */
    dw_str *keys;        /* UNSET */
    size_t key_count;
    dw_str item;       /* the constraint, expectation, feature or column */
    dw_str expression; /* ADD CONSTRAINT, ADD EXPECTATION: in Spark's SQL */
    dw_violation on_violation;
    bool has_quarantine;
    dw_sql_name quarantine;
    dw_name_paths cluster_by; /* CLUSTER BY; none: NONE */
    bool clusters_auto;       /* CLUSTER BY AUTO */
    bool if_exists;
    bool truncates; /* DROP FEATURE ... TRUNCATE HISTORY */
    bool is_dry_run;
    dw_new_column *added; /* ADD COLUMNS */
    dw_column_change *changes;
    const dw_type *columns; /* REPLACE COLUMNS: as the fields of a struct */
    size_t column_count;    /* of `added` or `changes` */
    dw_name_paths paths;    /* DROP, RENAME: the columns; `item` is the new name */
    dw_error *failure;      /* FOREIGN: why we cannot */
} dw_alter_statement;

typedef enum dw_transaction_kind {
    DW_TRANSACTION_BEGIN,
    DW_TRANSACTION_COMMIT,
    DW_TRANSACTION_ROLLBACK,
    DW_TRANSACTION_SET_LEVEL
} dw_transaction_kind;

typedef struct dw_transaction_statement {
    dw_transaction_kind kind;
    bool has_level; /* BEGIN, SET_LEVEL */
    dw_transaction_level level;
} dw_transaction_statement;

typedef struct dw_fsck_statement {
    dw_sql_name name;
    bool with_data;
} dw_fsck_statement;

/* FSCK REPAIR TABLE name [FORCE] [DRY RUN] */
typedef struct dw_repair_statement {
    dw_sql_name name;
    bool force;
    dw_upkeep_options options;
} dw_repair_statement;

/* OPTIMIZE, and REORG TABLE ... APPLY (PURGE) */
typedef struct dw_optimize_statement {
    dw_sql_name name;
    dw_sql_range condition; /* empty: none */
    dw_name_paths z_order;  /* ZORDER BY */
    bool is_auto;           /* AUTO: columns are chosen from use */
    bool full;
    bool purges;
    dw_upkeep_options options;
} dw_optimize_statement;

/* RESTORE [TABLE] name TO VERSION | TIMESTAMP AS OF ... [DRY RUN] */
typedef struct dw_restore_statement {
    dw_sql_name name;
    dw_sql_travel travel;
    dw_upkeep_options options;
} dw_restore_statement;

/* VACUUM name [LITE | FULL] [USING INVENTORY ...] [RETAIN n HOURS] */
typedef struct dw_vacuum_statement {
    dw_sql_name name;
    bool is_lite;
    dw_sql_range inventory; /* a query without its parentheses, or a table's name; empty: none */
    bool inventory_is_name;
    bool has_retention;
    int64_t retention_ms;
    dw_upkeep_options options;
} dw_vacuum_statement;

/* GENERATE symlink_format_manifest FOR TABLE name [DRY RUN] */
typedef struct dw_manifest_statement {
    dw_sql_name name;
    dw_upkeep_options options;
} dw_manifest_statement;

/* CONVERT TO DELTA parquet.`path` [NO STATISTICS] [PARTITIONED BY (a INT, ...)] [DRY RUN] */
typedef struct dw_convert_statement {
    dw_sql_name name;
    bool without_statistics;
    dw_field *partition_fields;
    size_t partition_count;
    dw_upkeep_options options;
} dw_convert_statement;

/* ANALYZE TABLE name COMPUTE [DELTA] STATISTICS ..., and ANALYZE TABLE name [...] PROFILE */
typedef struct dw_analyze_statement {
    dw_sql_name name;
    dw_name_paths columns; /* FOR COLUMNS; none: all */
    bool only_footers;     /* NOSCAN */
    bool profiles;         /* PROFILE */
    dw_sql_travel travel;
    bool checks; /* CHECK: a violated threshold is an error */
    dw_upkeep_options options;
} dw_analyze_statement;

typedef enum dw_bloom_kind { DW_BLOOM_CREATE, DW_BLOOM_DROP, DW_BLOOM_SHOW } dw_bloom_kind;

/* CREATE | DROP BLOOMFILTER INDEX ON ..., SHOW BLOOMFILTER INDEXES ON ... */
typedef struct dw_bloom_statement {
    dw_bloom_kind kind;
    dw_sql_name name;
    dw_bloom_request *requests; /* CREATE */
    size_t *options_at;         /* the token behind each of their names */
    size_t request_count;
    dw_str *columns; /* DROP; none: all */
    size_t column_count;
    dw_upkeep_options options;
} dw_bloom_statement;

/* CHECK COMPATIBILITY OF SCHEMA 'file' | name [AS OF ...] WITH name [AS OF ...] MODE ... */
typedef struct dw_check_statement {
    dw_str file; /* null string: the table of that name */
    dw_sql_name new_name;
    dw_sql_travel new_travel;
    dw_sql_name old_name;
    dw_sql_travel old_travel;
    dw_compatibility_mode mode;
} dw_check_statement;

typedef enum dw_migrate_goal {
    DW_MIGRATE_ALL, /* forward to the last file */
    DW_MIGRATE_TO,  /* forward or back to that file */
    DW_MIGRATE_UNDO /* back by so many files */
} dw_migrate_goal;

/* MIGRATE [TABLE name] FROM 'directory' [TO file | UNDO [n]] [FORCE] [DRY RUN] */
typedef struct dw_migrate_statement {
    bool has_name; /* else it is that of the first statement */
    dw_sql_name name;
    dw_str directory;
    dw_migrate_goal goal;
    dw_str to;          /* the name of the file, or its number */
    int64_t undo_count; /* UNDO */
    bool force;         /* UNDO: what others have written since goes, too */
    bool is_dry_run;
} dw_migrate_statement;

/* SET spark.key [= value], RESET spark.key */
typedef struct dw_setting_statement {
    dw_str key;
    dw_str value; /* null string: none */
    bool resets;
} dw_setting_statement;

typedef enum dw_lineage_format {
    DW_SHOW_TREE,
    DW_SHOW_JSON,
    DW_SHOW_DOT,
    DW_SHOW_SVG
} dw_lineage_format;

/* SHOW LINEAGE name [UPSTREAM | DOWNSTREAM] [COLUMN column] [IN 'folder'] [FORMAT format] */
typedef struct dw_lineage_show {
    dw_sql_name name;
    bool is_downstream;
    dw_str column; /* null string: all of the table */
    dw_str folder; /* DOWNSTREAM: where to look for tables; null string: beside it */
    dw_lineage_format format;
} dw_lineage_show;

typedef struct dw_view_statement {
    dw_sql_name name;
    bool or_replace;
    bool if_not_exists;
    bool if_exists; /* DROP VIEW */
    dw_str *columns;
    size_t column_count;
    dw_sql_range query;
} dw_view_statement;

/* WHEN ... [AND condition] THEN action */
typedef struct dw_merge_clause {
    dw_merge_kind kind;
    dw_merge_action action;
    size_t token;           /* that of WHEN */
    dw_sql_range condition; /* empty: none */
    bool is_star;           /* UPDATE SET *, INSERT * */
    dw_assignment *set;     /* of an INSERT each path is a column */
    size_t set_count;
} dw_merge_clause;

/* MERGE INTO table USING source ON condition clauses */
typedef struct dw_merge_statement {
    dw_sql_range table; /* with its alias */
    dw_str table_alias; /* what its columns may be qualified by */
    dw_sql_range source;
    dw_str source_alias;     /* what its columns may be qualified by; null string: nothing */
    dw_sql_name source_name; /* when it is a table by name; else without parts */
    dw_sql_range condition;
    dw_merge_clause *clauses;
    size_t clause_count;
} dw_merge_statement;

typedef struct dw_modify_statement {
    const char *verb; /* "DELETE" */
    bool has_name;    /* false: no table of the engine can be meant */
    bool has_from;    /* UPDATE ... FROM names tables */
    bool has_using;   /* DELETE ... USING and MERGE ... USING name tables */
    dw_sql_name name;
    size_t name_first;  /* its first token */
    size_t name_end;    /* the token behind it */
    dw_sql_range with;  /* WITH ... before MERGE; empty: none */
    bool evolves;       /* MERGE WITH SCHEMA EVOLUTION */
    bool explains;      /* EXPLAIN stands before it: to be told, not done */
    bool analyzes;      /* EXPLAIN ANALYZE */
    const char *advice; /* what to do instead; "" when there is nothing */
} dw_modify_statement;

/*
 * A statement for the engine, with the query in it, if there is one, whose tables may be Delta's.
 */
typedef struct dw_engine_statement {
    dw_sql_range query;
    /* COPY name [(columns)] TO ... or FROM ...: `copy` is true */
    bool copy;
    bool copies_from;
    dw_sql_name copy_name;
    dw_sql_range copy_table;   /* the tokens of the name */
    dw_sql_range copy_columns; /* between the parentheses; empty: all */
    dw_sql_range copy_rest;    /* from TO or FROM on */
} dw_engine_statement;

typedef struct dw_statement {
    dw_statement_kind kind;
    const char *verb; /* for messages: "INSERT" */
    union {
        dw_lineage_show lineage;
        dw_query_statement query;
        dw_explain_statement explain;
        dw_create_statement create;
        dw_insert_statement insert;
        dw_copy_statement copy;
        dw_describe_statement describe;
        dw_sql_name checkpoint;
        dw_compact_statement compact;
        dw_fsck_statement fsck;
        dw_vacuum_statement vacuum;
        dw_optimize_statement optimize;
        dw_alter_statement alter;
        dw_view_statement view;
        dw_setting_statement setting;
        dw_transaction_statement transaction;
        dw_modify_statement modify;
        dw_restore_statement restore;
        dw_repair_statement repair;
        dw_manifest_statement manifest;
        dw_convert_statement convert;
        dw_analyze_statement analyze;
        dw_bloom_statement bloom;
        dw_check_statement check;
        dw_migrate_statement migrate;
        dw_engine_statement engine;
    } as;
} dw_statement;

#endif
