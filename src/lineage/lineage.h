/*
 * Where the rows of a commit come from: the statement, the tables and files that it read, and of
 * which of their columns each column was made. It stands in the commit's own commitInfo, as the
 * object `lineage`, which other engines read over.
 *
 *  [RECORD-1] A write never fails for what is recorded of it: only memory may run out.
 *  [RECORD-2] A record is bounded. What does not fit is left out, and the record says so.
 *  [RECORD-3] A column that is not among `columns` was not touched; of one that is, every column
 *             that its values may be made of is named, or it says "any". So it is for the columns
 *             of conditions: all are named, or it says that there are more.
 */
#ifndef DW_LINEAGE_LINEAGE_H
#define DW_LINEAGE_LINEAGE_H

#include "codec/json.h"
#include "log/log.h"
#include "protocol/schema.h"
#include "scan/plan_lineage.h"

/* Of the text of a statement. */
#define DW_LINEAGE_SQL_BYTES_MAX ((size_t) 4096)
/* Tables and files that are named; of one pattern or load, so many files. */
#define DW_LINEAGE_INPUTS_MAX ((size_t) 64)
#define DW_LINEAGE_FILES_MAX ((size_t) 32)
/* Of what is said of columns, in a commit. */
#define DW_LINEAGE_COLUMNS_BYTES_MAX ((size_t) 65536)
/* Columns of conditions that are named. */
#define DW_LINEAGE_CONDITIONS_MAX ((size_t) 512)
/* Of a whole record; one that is longer is not read either. */
#define DW_LINEAGE_RECORD_BYTES_MAX ((size_t) 1 << 20)
#define DW_LINEAGE_STATEMENTS_MAX ((size_t) 100)

/* A column of an input. */
typedef struct dw_lineage_ref {
    size_t input;
    dw_str column;
} dw_lineage_ref;

/* One that decides which rows there are. */
typedef struct dw_lineage_condition {
    dw_lineage_ref ref;
    unsigned kinds; /* a bit for each dw_condition_kind */
} dw_lineage_condition;

typedef enum dw_lineage_how {
    DW_LINEAGE_SAME,    /* values of these columns as they were */
    DW_LINEAGE_DERIVED, /* computed from columns, or from none */
    DW_LINEAGE_ANY      /* perhaps from any column of any input */
} dw_lineage_how;

typedef struct dw_lineage_column {
    dw_str name; /* of the table that is written */
    dw_lineage_how how;
    const dw_lineage_ref *from;
    size_t from_count;
} dw_lineage_column;

typedef struct dw_lineage_input {
    dw_str table;    /* its root; null string: files */
    dw_str table_id; /* null string: not known */
    int64_t version;
    bool is_changes; /* what changed up to that version, not its rows */
    dw_str format;   /* "parquet" */
    dw_str *files;   /* paths, or patterns where it is not known what they stand for */
    size_t file_count;
    int64_t file_total; /* all there are */
} dw_lineage_input;

typedef struct dw_lineage_statement {
    dw_str sql; /* "": not told */
    bool is_cut;
    bool replaces; /* nothing of the table's earlier rows is left */
    dw_lineage_input *inputs;
    size_t input_count;
    bool has_more_inputs; /* than could be told */
    const dw_lineage_column *columns;
    size_t column_count;
    bool has_columns; /* false: each column may be made of any */
    dw_lineage_condition *conditions;
    size_t condition_count;
    bool has_more_conditions; /* perhaps, any columns of any input */
} dw_lineage_statement;

/* A run that this one is a part of. */
typedef struct dw_lineage_parent {
    dw_str namespace_name, job, run; /* null strings: none */
} dw_lineage_parent;

typedef struct dw_lineage_record {
    dw_str namespace_name, job, run, user;
    dw_lineage_parent parent;
    dw_lineage_statement *statements; /* several: of one transaction */
    size_t statement_count;
} dw_lineage_record;

/* Who writes, where the session does not say otherwise. Borrowed. */
typedef struct dw_lineage_defaults {
    dw_str namespace_name, user;
    dw_str parent;              /* namespace/name/run; "" or null string: none */
    struct dw_emitter *emitter; /* is told of runs; NULL: nobody is */
} dw_lineage_defaults;

/* ---- While a statement runs ------------------------------------------------------------------ */

/* One column of the statement's query, as its plan tells. */
typedef struct dw_lineage_output {
    dw_lineage_how how;
    const dw_lineage_ref *from;
    size_t from_count;
} dw_lineage_output;

typedef struct dw_lineage {
    dw_arena *arena; /* of all below */
    dw_str table;    /* the root of the one that is written */
    bool is_told;    /* to the emitter */
    dw_lineage_record record;
    dw_lineage_statement statement; /* the one that runs */
    const dw_lineage_output *outputs;
    size_t output_count;
    bool knows_outputs;
    bool reads_nothing; /* the query reads neither tables nor files */
    bool takes_by_name; /* the query gives the columns of the first input, which are files */
    dw_str committed;   /* the record that is in the commit; null string: none yet */
} dw_lineage;

/* Who a run is of: what is empty is as the defaults have it. */
typedef struct dw_lineage_start {
    const dw_lineage_defaults *defaults;
    dw_str namespace_name, job, parent;
    const char *verb; /* "INSERT": for the job's name */
    dw_str table;     /* the root of the one that is written */
} dw_lineage_start;

/* Begins a run with an id of its own; the arena is set. False when out of memory. */
DW_WARN_UNUSED bool dw__lineage_begin(dw_lineage *lineage, const dw_env *env,
                                      const dw_lineage_start *start);

/* Adds an input, whose strings are copied; its number, or SIZE_MAX where there is no room. False
 * when out of memory. */
DW_WARN_UNUSED bool dw__lineage_add_input(dw_lineage *lineage, const dw_lineage_input *input,
                                          size_t *idx_out);
/* A version of a table as an input; `is_changes`: what changed up to it. The same. */
DW_WARN_UNUSED bool dw__lineage_add_table(dw_lineage *lineage, const dw_log_snapshot *snapshot,
                                          bool is_changes, size_t *idx_out);
/* Files that are read by name. False when out of memory. */
DW_WARN_UNUSED bool dw__lineage_add_files(dw_lineage *lineage, const dw_str *files, size_t count,
                                          const char *format, size_t *idx_out);
/* In place of an input: it has no columns that come from anywhere. */
#define DW_LINEAGE_NO_INPUT (SIZE_MAX - 1)

/* What the plan of the statement's query tells. inputs[i] is the input that the plan's i-th is, or
 * DW_LINEAGE_NO_INPUT, or SIZE_MAX: nobody knows. False when out of memory. */
DW_WARN_UNUSED bool dw__lineage_take_plan(dw_lineage *lineage, const dw_plan_lineage *plan,
                                          const size_t *inputs);
/* The same, only of the columns that decide which rows there are. */
DW_WARN_UNUSED bool dw__lineage_take_conditions(dw_lineage *lineage, const dw_plan_lineage *plan,
                                                const size_t *inputs);
/* A column that decides which rows there are. False when out of memory. */
DW_WARN_UNUSED bool dw__lineage_add_condition(dw_lineage *lineage, dw_lineage_ref ref,
                                              dw_condition_kind kind);
/* Column `name` of the table is made of output `idx` of the query; without outputs of anything.
 * `column` may be overwritten later. */
void dw__lineage_column_of(const dw_lineage *lineage, dw_str name, size_t idx,
                           dw_lineage_column *column);
/* Sets what the columns are made of; the list is copied, not what it points to. False when out of
 * memory. */
DW_WARN_UNUSED bool dw__lineage_set_columns(dw_lineage *lineage, const dw_lineage_column *columns,
                                            size_t count);
/* Each column of a schema is as it was in that input, all rows of which are taken over; those that
 * are named are of no column: partition columns in names of directories. False when out of memory.
 */
DW_WARN_UNUSED bool dw__lineage_set_copied(dw_lineage *lineage, const dw_type *schema, size_t input,
                                           const dw_str *others, size_t other_count);
/* All that is written is a version of a table as it was. `lineage` may be NULL. False when out of
 * memory. */
DW_WARN_UNUSED bool dw__lineage_set_version(dw_lineage *lineage, const dw_log_snapshot *snapshot);

/* ---- As text --------------------------------------------------------------------------------- */

/* "filter". */
const char *dw__lineage_condition_name(dw_condition_kind kind);
/* Appends the object of a statement. */
void dw__lineage_print_statement(dw_strbuf *out, const dw_lineage_statement *statement);
/* Appends the object `lineage`; the statements are objects with commas between them. */
void dw__lineage_print(dw_strbuf *out, const dw_lineage_record *record, dw_str statements);
/* Reads the member `lineage` of a commitInfo object. `*found_out` is false where there is none, or
 * none that is understood. In `arena`; fails only when out of memory. */
DW_WARN_UNUSED dw_status dw__lineage_parse(dw_str commit_info, dw_arena *arena,
                                           dw_lineage_record *out, bool *found_out, dw_error *err);

#endif
