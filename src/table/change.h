/*
 * A change to a table while a verb builds it: the actions so far, and what the commit says of
 * itself. Ends in dw__change_commit, which also writes the checkpoint that is due.
 */
#ifndef DW_TABLE_CHANGE_H
#define DW_TABLE_CHANGE_H

#include "table/data_files.h"
#include "table/dv_write.h"
#include "txn/txn.h"

typedef struct dw_transaction dw_transaction;

typedef struct dw_change {
    dw_table *table;
    dw_arena *arena;           /* everything below lives here */
    dw_log_snapshot *snapshot; /* what was read; NULL: the table is new */
    dw_action *actions;
    size_t count;
    size_t capacity;
    bool reads_whole_table;
    bool looks_for_rows, loses_row_ids, moves_identity_marks; /* see dw_txn */
    bool replaces_table;
    bool brings_files_back; /* see dw_txn */
    bool recommits_files;   /* likewise */
    bool rearranges;        /* no row changes: see dw_txn's data_change */
    bool commits_nothing;   /* also when nothing is put there is to be a version that says so */
    const size_t *parts;    /* see dw_txn; files of parts that were left out are the caller's */
    bool *left_out;
    dw_status (*count_left)(void *ctx, dw_str *metrics_json_out, dw_error *err);
    void *count_ctx;
    const dw_str *read_paths;
    size_t read_path_count;
    const dw_str *searched_paths;
    size_t searched_path_count;
    dw_row_search search;
    dw_row_marks marks;
    const char *operation;
    dw_str parameters_json; /* null string: none */
    dw_str metrics_json;    /* null string: those of what was put */
    dw_str judged_metrics;  /* more members of metrics, each behind a comma: see judgement.h */
    dw_str user_metadata;
    dw_str statements_json; /* of the lineage, where limits.lineage has none of them itself */
    dw_str lineage_json;    /* to be committed */
    /* Discarded when the commit does not happen; may be NULL. */
    const dw_data_files *files;
    const dw_data_files *change_files; /* of the change data feed */
    dw_dv_writer *vectors;
    bool has_isolation; /* see dw_txn */
    dw_txn_isolation isolation;
    dw_commit_limits limits;
    dw_transaction *transaction; /* NULL, or what takes the change over: transaction.h */
    int64_t removed_file_count, removed_bytes;
    int64_t removed_row_count; /* -1: some files do not say how many they had */
} dw_change;

/* `action_max` bounds the number of actions that will be put, unless more room is reserved. */
DW_WARN_UNUSED dw_status dw__change_init(dw_change *change, dw_table *table,
                                         dw_log_snapshot *snapshot, dw_arena *arena,
                                         size_t action_max, dw_error *err);
/* Makes room for so many more actions. */
DW_WARN_UNUSED dw_status dw__change_reserve(dw_change *change, size_t more, dw_error *err);
void dw__change_put(dw_change *change, const dw_action *action);
void dw__change_put_adds(dw_change *change, const dw_data_files *files);
/* Removes a live file of the snapshot. */
DW_WARN_UNUSED dw_status dw__change_put_remove(dw_change *change, dw_file_ref ref, dw_error *err);
/* The same for one that was read already, with its statistics. */
void dw__change_put_remove_of(dw_change *change, const dw_file *add);
/* Removes what was written for a change that will not be committed. */
void dw__change_discard(dw_change *change);
/* Commits, or hands the change to its transaction. When nothing was put, nothing is committed and
 * the version is -1. */
DW_WARN_UNUSED dw_status dw__change_commit(dw_change *change, dw_txn_result *out, dw_error *err);

/*
 * Appends `"key":"value"` to an object of strings that is being built, as operationParameters are.
 */
void dw__change_put_parameter(dw_strbuf *json, const char *key, dw_str value);
/* The same for a number, as operationMetrics have them: "key":"7". */
void dw__change_put_metric(dw_strbuf *json, const char *key, int64_t value);
/* Ends the metrics: with what the expectations of the table counted, if it has any. */
void dw__change_end_metrics(const dw_change *change, dw_strbuf *json);
/* Appends a JSON list of strings, as text: ["a","b"]. */
void dw__change_print_list(dw_strbuf *out, const dw_str *items, size_t count);

#endif
