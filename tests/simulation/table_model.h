/*
 * A second, naive implementation of the log, to compare the real one with: reads every commit from
 * version 0 on, action by action, and remembers each version whole. It knows nothing of
 * checkpoints, hints or caches.
 */
#ifndef DWT_SIMULATION_TABLE_MODEL_H
#define DWT_SIMULATION_TABLE_MODEL_H

#include "base/map.h"
#include "log/log.h"

enum { MODEL_VERSIONS_MAX = 512, MODEL_FILES_MAX = 1024, MODEL_FAULT_SIZE = 512 };

/* A file is its path and its deletion vector. */
typedef struct model_file {
    dw_str path;
    dw_str dv;          /* its unique id; the null string without one */
    int64_t added_at;   /* the version */
    bool added_blindly; /* by a blind append */
} model_file;

typedef struct model_version {
    dw_str text;      /* the commit file */
    dw_str operation; /* of commitInfo */
    int64_t read_version;
    int64_t in_commit_timestamp; /* INT64_MIN: none */
    bool is_blind_append;
    dw_str digest; /* of the state that the commit leaves: see table_digest */
} model_version;

/* What the table promises, and the model therefore checks. */
typedef struct table_promises {
    bool is_serializable;
    bool with_in_commit_timestamps;
    bool with_row_tracking; /* from the start; every file has MODEL_FILE_ROWS rows */
} table_promises;

enum { MODEL_FILE_ROWS = 3 };

typedef struct table_model {
    table_promises promises;
    dw_arena arena;
    model_version versions[MODEL_VERSIONS_MAX];
    int64_t version_count;
    model_file files[MODEL_FILES_MAX]; /* the live ones at the version read last */
    size_t file_count;
    dw_map txns;                  /* application id -> version */
    dw_map row_ids;               /* path -> base row id of every file there ever was */
    int64_t row_id_max;           /* the last row id that was given; -1: none */
    int64_t high_water_mark;      /* as the log says; -1: not yet */
    bool tracks_rows;             /* as the newest protocol says */
    dw_str configuration;         /* "key=value;..." of the newest metadata, sorted */
    char fault[MODEL_FAULT_SIZE]; /* what breaks a rule of the protocol; "" while all is well */
} table_model;

/* Replays the whole log. Look at model->fault and release the model afterwards in any case. */
void table_model_read(table_model *model, dw_storage *storage, table_promises promises);
void table_model_deinit(table_model *model);

/* The state of a real snapshot in the words of model_version.digest, in `arena`. */
dw_str table_digest(const dw_log_snapshot *snapshot, dw_arena *arena);

#endif
