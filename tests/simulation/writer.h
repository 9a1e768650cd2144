/*
 * The writers of the commit simulation: each creates the table or finds it, then makes changes of
 * every kind through the real log and the real commit loop.
 */
#ifndef DWT_SIMULATION_WRITER_H
#define DWT_SIMULATION_WRITER_H

#include "life.h"

/* A sim_actor_main; ctx is a `writers`. */
void writer_main(sim_actor *actor, void *ctx);

#endif
