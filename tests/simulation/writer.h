/*
 * The writers of the commit simulation: each creates the table or finds it, then makes changes of
 * every kind through the real log and the real commit loop.
 */
#ifndef DWT_SIMULATION_WRITER_H
#define DWT_SIMULATION_WRITER_H

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
    ledger book;
    observation_vec observations;
    int64_t conflict_count;
    int64_t checkpoint_count;
    char fault[3000]; /* what no writer should see; "" while all is well */
} writers;

/* A sim_actor_main; ctx is a `writers`. */
void writer_main(sim_actor *actor, void *ctx);
void writers_deinit(writers *all);

#endif
