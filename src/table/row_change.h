/*
 * Changing rows in place: which rows a statement chose, what becomes of their files, and the
 * commit. The common ground of DELETE and UPDATE. PROTOCOL.md "Deletion Vectors", "Add CDC File".
 *
 *  [CHANGE-1] A file of which no row is left is removed; nothing is written for it.
 *  [CHANGE-2] A deletion vector holds what was deleted before, too.
 *  [CHANGE-3] What reads the change data feed of the new version finds exactly what changed.
 *  [CHANGE-4] What was written is removed when the change is not committed; never after
 *             DW_AMBIGUOUS.
 *  [CHANGE-5] With row tracking a row that is written again keeps its id, and, if it is as it was,
 *             its version. PROTOCOL.md "Row Tracking".
 *  [CHANGE-6] A row that another writer took out first is a conflict; other rows of its file are
 *             none where deletion vectors are used.
 */
#ifndef DW_TABLE_ROW_CHANGE_H
#define DW_TABLE_ROW_CHANGE_H

#include "scan/scan.h"
#include "table/change.h"
#include "table/judgement.h"
#include "table/row_choice.h"

/* What the statement asks for. Borrowed until _deinit. */
typedef struct dw_row_change_spec {
    dw_table *table;
    dw_connection *connection;
    dw_log_snapshot *snapshot;
    const char *operation; /* "DELETE" */
    /* The rows: a scan of which one source is the table, with positions, open until the commit, and
     * a query that returns the positions of the rows. A scan of NULL means all rows. */
    const dw_scan *scan;
    size_t source_idx;
    /* Of new rows and change data; NULL: the snapshot's. */
    const dw_type *schema;
    const dw_properties *properties;
    bool was_read_before; /* a query that is done has read rows of the table, too */
    bool minds_all_rows;  /* rows that were looked at and not chosen decided about others */
    dw_str query;
    dw_str predicate; /* for the history: the condition as it was written; null string: none */
    dw_transaction *transaction; /* NULL, or what the change is part of; the snapshot is its */
    dw_commit_limits limits;
    dw_str name_prefix; /* of what may be made on the connection: unique to the statement */
} dw_row_change_spec;

typedef struct dw_row_change_result {
    int64_t version;   /* -1: no row was chosen, and nothing was committed */
    int64_t row_count; /* chosen; -1: files were removed that do not say how many they had */
    int64_t files_removed, files_marked, files_rewritten, files_added, bytes_added;
    dw_judged judged;
} dw_row_change_result;

/* A file with chosen rows. */
typedef struct dw_chosen_file {
    dw_file_ref ref;
    dw_file add;
    int64_t row_count; /* as it was written */
    dw_rowset *chosen; /* borrowed from the choice */
    dw_rowset *gone;   /* chosen now or deleted before; NULL: all of them, the file goes */
} dw_chosen_file;

typedef struct dw_row_change {
    const dw_row_change_spec *spec;
    const dw_properties *properties;
    const dw_type *schema; /* of the table, once this is committed */
    dw_data_target target; /* its schema is that of the rows that dw__row_change_write takes */
    dw_data_target rest;   /* the same for rows that stay */
    dw_arena arena;
    dw_change change;
    dw_dv_writer vectors;
    dw_row_choice choice;
    dw_chosen_file *files;
    size_t file_count;
    dw_row_mark *marks; /* of files that get a deletion vector */
    size_t mark_count;
    dw_str kept;            /* the name of the table of rows that are written twice */
    dw_judgement judgement; /* of new rows, once their rules were read */
    dw_data_files written;  /* rows that stay, and new ones */
    dw_data_files change_data;
    bool *is_emptied; /* of the marks; see dw_row_mark */
    int64_t emptied_count, emptied_bytes;
    dw_row_change_result result;
} dw_row_change;

/* Checks the table and finds the rows. Release with _deinit, also after a failure.
 * DW_INVALID_ARGUMENT (APPEND_ONLY), DW_UNSUPPORTED (FEATURE_UNSUPPORTED). */
DW_WARN_UNUSED dw_status dw__row_change_init(dw_row_change *rc, const dw_row_change_spec *spec,
                                             dw_error *err);
void dw__row_change_deinit(dw_row_change *rc);

/* Rows that are written from now on are judged by the table's expectations, which are in `rules`.
 * Once a change. */
typedef struct dw_row_rules dw_row_rules;
DW_WARN_UNUSED dw_status dw__row_change_judge(dw_row_change *rc, dw_row_rules *rules,
                                              dw_error *err);
/* The chosen rows, as the source of a scan; in the arena of the change. */
DW_WARN_UNUSED dw_status dw__row_change_rows(dw_row_change *rc, dw_scan_rows *out, dw_error *err);

/* True when a source of the scan but that one (SIZE_MAX: any; NULL: of none) is the table as it is
 * in the snapshot. */
bool dw__row_change_is_read(const dw_log_snapshot *snapshot, const dw_scan *scan,
                            size_t except_idx);
/* Takes note that the sources of a scan behind the first were read for the change, too. */
void dw__row_change_note_inputs(dw_row_change *rc, const dw_scan *scan);
/* Writes the rows of `query` as new files. It has the columns of rc->target.schema: those of the
 * table, and where it tracks its rows two more, in which a row that was there brings its id and, if
 * it is as it was, the version that wrote it; else they are NULL. */
DW_WARN_UNUSED dw_status dw__row_change_write(dw_row_change *rc, dw_str query, dw_error *err);
/* The same for rows that are all new: the columns of `query` are those of the table. */
DW_WARN_UNUSED dw_status dw__row_change_write_new(dw_row_change *rc, dw_str query, dw_error *err);
/* Runs a query once and keeps its rows in a table on the connection until _deinit: for rows that
 * are written twice, as to ask for them again might give others. Once a change. */
DW_WARN_UNUSED dw_status dw__row_change_keep(dw_row_change *rc, dw_str query, dw_str *name_out,
                                             dw_error *err);
/* True when the change data feed is on, and when some files are written again: of those its readers
 * could not see what went. */
bool dw__row_change_has_feed(const dw_row_change *rc);
bool dw__row_change_rewrites(const dw_row_change *rc);
/* Writes the rows of `query` as change data: the columns of the table and _change_type. */
DW_WARN_UNUSED dw_status dw__row_change_write_data(dw_row_change *rc, dw_str query, dw_error *err);
/* Settles what the expectations say of new rows, which are written by then, and takes the chosen
 * rows out of their files: by deletion vectors, or by writing the others again. */
DW_WARN_UNUSED dw_status dw__row_change_take_out(dw_row_change *rc, dw_error *err);
/* Counts the files of which others left so few rows that they go, among those that are removed. */
void dw__row_change_note_emptied(dw_row_change *rc);
/* Commits; nothing when no row was chosen. */
DW_WARN_UNUSED dw_status dw__row_change_commit(dw_row_change *rc, dw_error *err);

/* Appends SELECT of the table's columns from a view, and of `last` (", expression AS name"), or,
 * when that is NULL, of all columns that dw__row_change_write takes. */
void dw__row_change_print_select(const dw_row_change *rc, dw_str view, const char *last,
                                 dw_strbuf *out);
/* Hands the query for those rows to `write`, dw__row_change_write or _write_data. */
DW_WARN_UNUSED dw_status dw__row_change_copy(
    dw_row_change *rc, const dw_scan_rows *rows, const char *name, const char *last,
    dw_status (*write)(dw_row_change *rc, dw_str query, dw_error *err), dw_error *err);
/* Opens a scan of rows under the name <prefix>_<name>, which is handed out. Its columns are those
 * that dw__row_change_write takes. */
DW_WARN_UNUSED dw_status dw__row_change_open(dw_row_change *rc, const dw_scan_rows *rows,
                                             const char *name, dw_str *view_out, dw_scan **out,
                                             dw_error *err);

#endif
