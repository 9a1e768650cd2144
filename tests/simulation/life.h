/*
 * The life of an actor that writes: its log, the snapshots that it reads, and what all of them were
 * told and saw.
 */
#ifndef DWT_SIMULATION_LIFE_H
#define DWT_SIMULATION_LIFE_H

#include "ledger.h"
#include "log/log.h"

/* A snapshot that a writer saw, to be compared with the replay later. */
typedef struct observation {
    int64_t version;
    uint64_t digest_hash;
} observation;

typedef struct observation_vec {
    observation *items;
    size_t count;
    size_t capacity;
} observation_vec;

typedef struct writers {
    int64_t changes_each;           /* how many changes each writer makes in one life at most */
    bool is_serializable;           /* the table's isolation level */
    bool with_in_commit_timestamps; /* a feature of the table */
    bool with_row_tracking;         /* likewise */
    bool with_row_backfill;         /* the table begins to track rows in the middle of its life */
    bool with_sidecars;             /* checkpoints are V2 */
    ledger book;
    observation_vec observations;
    int64_t conflict_count;
    int64_t checkpoint_count;
    int64_t compaction_count;
    int64_t backfilled_file_count;
    char fault[3000]; /* what no writer should see; "" while all is well */
} writers;

typedef struct life {
    sim_actor *actor;
    writers *all;
    dw_engine *engine;
    dw_log *log;
    dw_arena arena; /* reset with each change */
    int64_t file_number;
    dw_log_snapshot *held; /* an older snapshot: some changes take long to prepare */
} life;

/* `held` and the arena are released by _end. */
void life_begin(life *self, sim_actor *actor, writers *all);
void life_end(life *self);
void writers_deinit(writers *all);

/* What no writer should see, unless its life is over or storage was away. */
void life_report(life *self, const char *doing, dw_status status, const dw_error *err);
/* The newest snapshot, however often storage is away; NULL when it stays away. */
dw_log_snapshot *life_read_snapshot(life *self);
/* What a change is made on: the newest snapshot, or the one before it. Owned by the caller. */
dw_log_snapshot *life_choose_snapshot(life *self);
/* What a commit came to. */
ledger_end life_end_of(life *self, dw_status status, const dw_error *err);
/* A name that no other file has, in the arena. */
dw_str life_new_path(life *self);
void life_checkpoint(life *self, dw_log_snapshot *snapshot);

#endif
