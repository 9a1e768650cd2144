/*
 * A second, naive look at what statements did: replays the commits row by row, and asks of each
 * whether it read what was there when it took effect, and whether it took out what it says and
 * nothing else.
 *
 *  - Serializable: the rows that it read are those that match just before its version.
 *  - WriteSerializable: the same, but for rows of blind appends that came after the version that
 *    was read: the statement may be taken to have come before them.
 *  - A MERGE adds rows for those ids alone that no row of what it read had.
 *  - Statements that only move rows, and upkeep, change none.
 *  - RESTORE makes the rows of the version that it says, of those that it read.
 */
#ifndef DWT_SIMULATION_DML_HISTORY_H
#define DWT_SIMULATION_DML_HISTORY_H

#include "dml.h"

enum { HISTORY_FILES_MAX = 256, HISTORY_KNOWN_MAX = 4096, HISTORY_FAULT_SIZE = 1024 };

typedef struct history_file {
    dw_str path;
    dw_str dv; /* its unique id */
    int64_t low;
    int64_t row_count;
    bool is_gone[2 * DML_ROWS_OF_FILE];
    int64_t added_at; /* the version that brought the rows, wherever they are now */
    bool added_blindly;
    int64_t base_row_id; /* -1: none */
} history_file;

typedef struct history {
    dw_arena arena;
    dw_storage *storage;
    bool is_serializable;
    bool with_row_tracking;
    history_file files[HISTORY_FILES_MAX];
    size_t file_count;
    history_file known[HISTORY_KNOWN_MAX]; /* all that there ever were, as they were added */
    size_t known_count;
    int64_t row_id_max;
    int64_t version; /* that is looked at */
    int64_t version_count;
    uint64_t digests[DML_VERSIONS_MAX];
    uint64_t row_digests[DML_VERSIONS_MAX];
    int64_t read_check_count;
    char fault[HISTORY_FAULT_SIZE]; /* "" while all is well */
} history;

/* Looks at the archived commits. `storage` holds the deletion vectors. Release in any case. */
void history_check(history *h, const dml *all, dw_storage *storage, bool is_serializable,
                   bool with_row_tracking);
void history_deinit(history *h);
/* The same of a snapshot as of a replayed version: equal for equal files, vectors and row ids. */
uint64_t history_digest(const dw_log_snapshot *snapshot);

#endif
