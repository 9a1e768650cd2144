/*
 * Scans: which files a statement must read, and how their rows become the table's rows.
 *
 *  [SCAN-1] Pruning is sound: a file is left out only when no row of it can satisfy the predicate,
 *           whatever is missing, cut or wrong in its statistics.
 *  [SCAN-2] Each occurrence of a table in a statement has a name of its own; the same text is
 *           planned on stubs and run on views.
 *  [SCAN-3] A statement that cannot be planned is run unpruned, never refused.
 */
#ifndef DW_SCAN_SCAN_H
#define DW_SCAN_SCAN_H

#include "engine/database.h"
#include "log/changes.h"
#include "parquet/footer.h"
#include "protocol/value.h"

/* Rows of a snapshot by their places, which were chosen before. All borrowed until _close. */
typedef struct dw_scan_rows {
    const dw_file_ref *files;
    dw_rowset *const *rows; /* for each file, none NULL */
    size_t count;
    bool are_left_out; /* wanted are all rows of the files but these, which count those of deletion
                          vectors in; else these, which are not deleted */
} dw_scan_rows;

/* A column that must have a value. */
typedef struct dw_scan_key {
    dw_str column;
    int64_t value;
} dw_scan_key;

/* One occurrence of a table in a statement. */
typedef struct dw_scan_source {
    dw_str name; /* unique in the connection: the identifier that stands in the statement */
    dw_log_snapshot *snapshot;
    bool with_positions; /* it has the columns DW_SCAN_FILE_COLUMN and DW_SCAN_ROW_COLUMN, too */
    dw_log_changes *changes;  /* not NULL: these instead of the snapshot's rows */
    const dw_scan_rows *rows; /* not NULL: only these of the snapshot; nothing is pruned */
    bool with_metadata;       /* the column _metadata, too: of files, and of tracked rows */
    bool compares_nulls;      /* conditions on it may have IS [NOT] DISTINCT FROM */
    bool with_row_ids; /* the columns of dw__scan_row_id_columns, too, filled for every row */
    /* Files of which the statement gives out every row, as can be told from the log, are not read:
     * see dw__scan_whole_files. The conditions must mean what they were planned to mean: no
     * functions, variables or macros. */
    bool sets_whole_files_aside;
    /* Not NULL: the statement has no other source and demands just this of its rows, before it does
     * anything else with them. Where the columns are integers the rows may be looked up. */
    const dw_scan_key *keys;
    size_t key_count;
    bool are_keys_all; /* it gives the rows out as they are, and need not be planned either */
    /* Where there are keys: names among which are all columns that the statement names. NULL: it
     * may name any. */
    const dw_str *wanted;
    size_t wanted_count;
    struct dw_column_use *use; /* where its conditions are counted; NULL: nowhere */
    /* There is no view of that name: the statement is run with dw__scan_text in its place. */
    bool is_inlined;
} dw_scan_source;

/* Where a row is: the place of its file among dw__scan_files (BIGINT), and its place in the file,
 * deleted rows counted (BIGINT). */
#define DW_SCAN_FILE_COLUMN "__deltaworks_file_position"
#define DW_SCAN_ROW_COLUMN "__deltaworks_row_position"

/* The columns in which data files keep the ids of rows that were moved, and the versions that wrote
 * them. PROTOCOL.md "Row Tracking". */
typedef struct dw_row_id_columns {
    dw_str id, version;
} dw_row_id_columns;

/* Null strings where the table does not say or does not track its rows. Borrowed. */
dw_row_id_columns dw__scan_row_id_columns(const dw_log_snapshot *snapshot);

/* What EXPLAIN shows of one occurrence. */
typedef struct dw_scan_report {
    int64_t files_total;
    int64_t files_after_partitions; /* left after partition values were compared */
    int64_t files_after_statistics; /* left after statistics too */
    int64_t files_after_filters;    /* left after bloom filters too: these are read */
    bool has_filters;               /* bloom filters of a column were asked */
    int64_t files_without_filters;  /* left after statistics, of which none could be asked */
    int64_t files_whole;            /* of these, set aside instead */
    int64_t bytes_read_max;         /* of those that are read */
    dw_str predicate;               /* what was used for pruning, readable; "" when nothing was */
} dw_scan_report;

typedef struct dw_scan dw_scan;

/* Plans `sql` (a SELECT over the sources' names and anything else), prunes, loads deletion vectors,
 * and binds one view a source on the connection. Run the same text on the connection afterwards,
 * then call dw__scan_close (unbinds; NULL allowed). The snapshots are kept alive by the scan. */
DW_WARN_UNUSED dw_status dw__scan_open(dw_connection *connection, dw_database *database, dw_str sql,
                                       const dw_scan_source *sources, size_t count, dw_scan **out,
                                       dw_error *err);
void dw__scan_close(dw_scan *scan);
size_t dw__scan_source_count(const dw_scan *scan);
const dw_scan_report *dw__scan_report(const dw_scan *scan, size_t source_idx);
/* The files that source reads, as refs into its snapshot's file set. */
const dw_file_ref *dw__scan_files(const dw_scan *scan, size_t source_idx, size_t *count_out);

/* The files that were set aside: not read, though the statement would give out all their rows. */
const dw_file_ref *dw__scan_whole_files(const dw_scan *scan, size_t source_idx, size_t *count_out);

/* What stands for the source in the statement that is run: its name, or a SELECT in parentheses
 * where it is inlined. Borrowed. */
dw_str dw__scan_text(const dw_scan *scan, size_t source_idx);

/* The plan of the statement as json_serialize_plan gives it, in which sources have their names; the
 * null string where there is none. Borrowed, and so is the name. */
dw_str dw__scan_plan_text(const dw_scan *scan);
dw_str dw__scan_source_name(const dw_scan *scan, size_t source_idx);
/* True where it is what changed in the table. */
bool dw__scan_has_changes(const dw_scan *scan, size_t source_idx);

/* The snapshot that source is of. Borrowed. */
const dw_log_snapshot *dw__scan_snapshot(const dw_scan *scan, size_t source_idx);
/* The path of one of its files, as in the log. */
dw_str dw__scan_path(const dw_scan *scan, size_t source_idx, dw_file_ref ref);
/* Of files that are not in its snapshot: sets found[i] for each action that is an ADD of a file
 * which the statement's demands on the source's rows cannot exclude. */
DW_WARN_UNUSED dw_status dw__scan_find_new(const dw_scan *scan, size_t source_idx,
                                           const dw_action *actions, size_t count, bool *found,
                                           dw_error *err);

/* Makes an error of the engine, met while the scan's statement ran, say what is wrong with which
 * data file: DW_CORRUPT (DATA_FILE_MISSING, DATA_FILE_DAMAGED) with the file, the version that
 * added it where that can be found out, and what to do. Leaves other errors as they are. Returns
 * the status of the error. `err` is not NULL. */
dw_status dw__scan_explain_error(const dw_scan *scan, dw_error *err);

/* The files of a snapshot that an SQL predicate over its columns cannot exclude; NULL string: all.
 * In `arena`. */
DW_WARN_UNUSED dw_status dw__scan_plan(dw_database *database, dw_log_snapshot *snapshot,
                                       dw_str predicate, dw_arena *arena, dw_file_ref **out,
                                       size_t *count_out, dw_scan_report *report_out,
                                       dw_error *err);

/* ---- Answers from metadata ------------------------------------------------------------------- */

/* The number of rows of a snapshot from statistics and deletion vectors alone. `known_out` is false
 * when some file lacks them. */
DW_WARN_UNUSED dw_status dw__scan_count_rows(dw_log_snapshot *snapshot, int64_t *rows_out,
                                             bool *known_out, dw_error *err);
/* A partition column that must have a value, which is not NULL. */
typedef struct dw_partition_match {
    const dw_field *field;
    dw_value value;
} dw_partition_match;
/* The same for the rows where all partition columns match. */
DW_WARN_UNUSED dw_status dw__scan_count_matching(dw_log_snapshot *snapshot,
                                                 const dw_partition_match *matches, size_t count,
                                                 int64_t *rows_out, bool *known_out, dw_error *err);
/* The least and greatest value of a top-level primitive column from metadata alone, where they are
 * exact (numbers, dates, booleans by partition; not strings, floats, timestamps cut to
 * milliseconds, or files with deletion vectors or loose bounds). NULL kind when the table has no
 * non-null value. */
DW_WARN_UNUSED dw_status dw__scan_min_max(dw_log_snapshot *snapshot, const dw_field *field,
                                          dw_arena *arena, dw_value *min_out, dw_value *max_out,
                                          bool *known_out, dw_error *err);

/* ---- Dates and instants of files ------------------------------------------------------------- */

/* The type that the engine makes of a node of a file, with instants for the times without a zone
 * that the file has unmarked: they are instants. NULL when out of memory. `*any_out`: there are
 * some. */
const dw_type *dw__scan_mark_instants(const dw_pq_footer *footer, const dw_pq_node *node,
                                      const dw_type *type, dw_arena *arena, bool *any_out);
/* What a file has in Spark's old calendar, by its footer. */
DW_WARN_UNUSED dw_status dw__scan_judge_old(dw_connection *connection, const dw_pq_footer *footer,
                                            dw_arena *arena, dw_old_values *out, dw_error *err);
/* What is to be made of values of files. */
typedef struct dw_file_times {
    bool has_old_dates, has_old_instants; /* in Spark's old calendar */
    bool has_unmarked;                    /* instants that are times without a zone to the engine */
} dw_file_times;
/* Appends the expression, in terms of dw__connection_bind_scan, that makes a value of such files
 * what it stands for; nothing where its type needs none. */
void dw__scan_put_times(dw_strbuf *out, const dw_type *type, dw_str value,
                        const dw_file_times *times, dw_arena *arena);

/* ---- Types ----------------------------------------------------------------------------------- */

/*
 * Appends the engine's name of a Delta type: "BIGINT", "TIMESTAMP WITH TIME ZONE", "STRUCT(...)".
 */
void dw__engine_type_print(dw_strbuf *out, const dw_type *type);
/* Which of them are asked of files as text. */
typedef struct dw_times_as_text {
    bool instants, local_times;
} dw_times_as_text;
/* The same with the physical names of struct fields: the type as it is asked of data files. */
void dw__engine_type_print_physical(dw_strbuf *out, const dw_type *type, dw_times_as_text as_text);
/* The Delta type of an engine type by its name, in `arena`. Unsigned integers widen, HUGEINT
 * becomes decimal(38,0), TIME, INTERVAL, UUID, ENUM ... : UUID and ENUM become string; others are
 * DW_INVALID_ARGUMENT (TYPE_UNSUPPORTED) with the column's name and what to cast to. */
DW_WARN_UNUSED dw_status dw__engine_type_parse(dw_str column, dw_str type_name, dw_arena *arena,
                                               const dw_type **out, dw_error *err);

#endif
