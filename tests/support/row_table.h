/*
 * Tables of abstract rows: a file says in its statistics which ids it holds, a row is a place in a
 * file, and nothing is ever read from a data file. For tests of what transactions do to each other,
 * through the real commit loop and real deletion vectors.
 *
 *     dwt_change change;
 *     dwt_change_init(&change, log, snapshot, "DELETE");
 *     dwt_change_search(&change, &(dwt_range){.id = {5, 5}, ...});
 *     dwt_change_mark(&change, "f1", rows, 1);
 *     status = dwt_change_commit(&change, &result, &err);
 *     dwt_change_deinit(&change);
 *
 * Everything but the commit aborts when it cannot do what it is asked for.
 */
#ifndef DWT_SUPPORT_ROW_TABLE_H
#define DWT_SUPPORT_ROW_TABLE_H

#include "txn/txn.h"

enum { DWT_CHANGE_FILES_MAX = 64, DWT_CHANGE_RANGES_MAX = 8, DWT_PARTITIONS = 2 };

/* Both ends included. */
typedef struct dwt_span {
    int64_t low, high;
} dwt_span;

/* The rows with such an id in such partitions, "a" and "b". */
typedef struct dwt_range {
    dwt_span id;
    dwt_span partition[DWT_PARTITIONS];
} dwt_range;

extern const dwt_range dwt_range_all;

/* A file as the log tells of it: row k has the id `id.low + k`. */
typedef struct dwt_file {
    dw_file add;
    dwt_range range; /* of its rows; partitions have one value */
} dwt_file;

typedef struct dwt_change dwt_change;

struct dwt_change {
    dw_arena arena;
    dw_txn txn;
    dw_storage *storage; /* of vectors */
    /* Where vectors go: a file at once; NULL: into the log. */
    dw_status (*write_vector)(dwt_change *change, const dw_rowset *rows, dw_dv_descriptor **out,
                              dw_error *err);
    void *write_ctx;
    dw_log_snapshot *snapshot; /* borrowed */
    dw_action actions[4 * DWT_CHANGE_FILES_MAX];
    size_t action_count;
    dw_row_mark marks[DWT_CHANGE_FILES_MAX];
    dw_rowset *rows[DWT_CHANGE_FILES_MAX]; /* of the marks */
    size_t mark_count;
    dwt_range ranges[DWT_CHANGE_RANGES_MAX]; /* what is searched */
    size_t range_count;
    dw_str searched[DWT_CHANGE_FILES_MAX];
    dw_str read[DWT_CHANGE_FILES_MAX];
    size_t written; /* vectors that were made anew */
    size_t parts[4 * DWT_CHANGE_FILES_MAX];
    bool left_out[DWT_CHANGE_FILES_MAX];
    size_t part; /* of what is put next; the commit has parts once it is not 0 */
};

/* The schema of such tables: a long id and the partition columns a and b. */
#define DWT_ROWS_SCHEMA                                                                            \
    DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD(                                \
        "a", "long") "," DWT_SCHEMA_FIELD("b", "long"))

void dwt_change_init(dwt_change *change, dw_log *log, dw_log_snapshot *snapshot,
                     const char *operation);
void dwt_change_deinit(dwt_change *change);

/* The live file of that name. False: there is none. In the change's arena. */
bool dwt_change_find(dwt_change *change, const char *name, dwt_file *out);
/* The rows of the file that are deleted; owned by the caller, NULL: none. */
dw_rowset *dwt_change_deleted(dwt_change *change, const dw_file *file);
void dwt_file_read(const dw_file *add, dwt_file *out);
bool dwt_ranges_meet(const dwt_range *a, const dwt_range *b);

/* ---- What is read ---------------------------------------------------------------------------- */

/* Rows are looked for one by one, where statistics do not rule the range out. */
void dwt_change_search(dwt_change *change, const dwt_range *range);
/* The same, but the files count as read as a whole. */
void dwt_change_read(dwt_change *change, const dwt_range *range);

/* ---- What is done ---------------------------------------------------------------------------- */

/* An action of any kind. */
void dwt_change_put(dwt_change *change, const dw_action *action);
/* A new file; without data change it only holds rows that were there. */
void dwt_change_add(dwt_change *change, const char *name, const dwt_range *range, bool data_change);
/* The live file goes. */
void dwt_change_remove(dwt_change *change, const char *name, bool data_change);
/* The live file loses rows, at those places, which are not deleted yet. */
void dwt_change_mark(dwt_change *change, const char *name, const uint64_t *places, size_t count);
/* The live file is committed again as it is. */
void dwt_change_recommit(dwt_change *change, const char *name);

dw_status dwt_change_commit(dwt_change *change, dw_txn_result *out, dw_error *err);

#endif
