/*
 * Turns of queries: when many sessions ask at once, a few queries run at a time and the others wait
 * in the order in which they came. To run all of them together would make each as slow as all.
 *
 *  [TURNS-1] Who came first goes first.
 *  [TURNS-2] Nobody waits for long queries: when no turn ended for a while, who is first in line
 *            takes over the place of one that takes long. So a query that waits for another one
 *            gets through, too.
 *  [TURNS-3] running + overtaken is the number of turns that are held.
 */
#ifndef DW_ENGINE_TURNS_H
#define DW_ENGINE_TURNS_H

#include "env/env.h"

#include <pthread.h>

/* How long the first in line waits for any turn to end. */
#define DW_TURN_PATIENCE_US INT64_C(20000)

/* One turn, where its holder keeps it. */
typedef struct dw_turn {
    int64_t began_us;
    bool is_held;
    pthread_cond_t admitted; /* while it waits */
    struct dw_turn *next;
} dw_turn;

typedef struct dw_turns {
    const dw_env *env;
    pthread_mutex_t mutex; /* guards all below and the turns in line */
    size_t limit;
    size_t running;   /* turns that count; at most `limit` */
    size_t overtaken; /* turns whose place another one has */
    size_t waiting;
    int64_t ended_us; /* when the last one ended or lost its place */
    dw_turn *first, *last;
} dw_turns;

void dw__turns_init(dw_turns *turns, const dw_env *env, size_t limit);
void dw__turns_deinit(dw_turns *turns); /* nobody holds one or waits */
void dw__turn_take(dw_turns *turns, dw_turn *turn);
void dw__turn_end(dw_turns *turns, dw_turn *turn);
/* How many are in line. */
size_t dw__turns_waiting(dw_turns *turns);

#endif
