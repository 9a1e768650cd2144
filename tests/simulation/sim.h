/*
 * The deterministic simulator: several actors (writers, readers, maintenance) on one storage, each
 * a thread, of which only the one that holds the baton runs. At every storage call and every sleep
 * the seed picks who goes on, so that a seed is one interleaving, with its lost answers, repeated
 * and late requests and crashes. The same seed gives the same run under any sanitizer, and a
 * failing one can be rerun with its trace.
 *
 *     sim_outcome outcome = sim_run(seed, &options, actor_main, ctx);
 *
 *  [SIM-1] Only the holder of the baton runs: what actors share needs no lock.
 *  [SIM-2] A call takes effect between two yields: others may run after it was sent and before it
 *          happens, and after it happened and before its answer arrives.
 *  [SIM-3] An actor that crashed gets DW_IO from every further call; it returns, and its next life
 *          starts with nothing but what storage holds.
 */
#ifndef DWT_SIMULATION_SIM_H
#define DWT_SIMULATION_SIM_H

#include "support/hook_storage.h"

#include <inttypes.h>

/* How often, in 1,000 storage calls of an actor. */
typedef struct sim_chances {
    unsigned unavailable; /* nothing is done, DW_UNAVAILABLE */
    unsigned lost;        /* a write is done but returns DW_AMBIGUOUS */
    unsigned late;     /* a write returns DW_AMBIGUOUS, and is done at some later moment or never */
    unsigned repeated; /* a write is done twice, the second answer counts */
    unsigned echoed;   /* a write is done, and once more at some later moment */
    unsigned crash;    /* the actor dies before the call, after it, or before its answer */
} sim_chances;

/* A rough network and unsteady processes. */
#define SIM_CHANCES_ROUGH {20, 40, 30, 20, 20, 15}

typedef struct sim_options {
    size_t actor_count;
    sim_chances chances;
    int64_t crashes_max;  /* of one actor */
    bool ignores_absence; /* a storage whose put_if_absent replaces: must be caught */
    bool with_trace;      /* keep the text of what happened */
} sim_options;

typedef struct sim sim;

typedef struct sim_actor {
    size_t number;       /* 0 .. actor_count - 1 */
    int64_t life;        /* 0, then 1 more after each crash */
    dw_env env;          /* the simulation's clock; chance of this actor's own */
    dw_storage *storage; /* of this life */
    sim *sim;
} sim_actor;

/* What an actor does in one life. It is called again after a crash. */
typedef void (*sim_actor_main)(sim_actor *actor, void *ctx);

typedef struct sim_outcome {
    uint64_t trace_hash; /* equal for equal runs */
    int64_t call_count;
    int64_t fault_count;
    int64_t crash_count;
} sim_outcome;

/* A world with an empty storage in memory. Aborts when there is no memory. */
sim *sim_new(uint64_t seed, const sim_options *options);
void sim_free(sim *world);
/* Runs all actors to their end. */
sim_outcome sim_run(sim *world, sim_actor_main actor_main, void *ctx);

/* The storage below all actors, without faults: for what comes before and after the run. */
dw_storage *sim_storage(sim *world);
const dw_env *sim_env(sim *world);
/* What happened, line by line; "" without with_trace. */
const char *sim_trace(const sim *world);

/* Adds a line to the trace. */
void sim_note(sim_actor *actor, const char *fmt, ...) DW_PRINTF(2, 3);
/* True once the actor's life is over: what it believes now, nobody was told. */
bool sim_has_crashed(const sim_actor *actor);
/* A choice of the actor's: 0 .. bound - 1. */
uint64_t sim_choose(sim_actor *actor, uint64_t bound);

#endif
