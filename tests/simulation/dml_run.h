/*
 * Simulates statements of rival writers beside compactions, checkpoints, compacted commits and
 * cleanups of the log, and has a history of them checked (dml_history.h). See seeds.h for how it is
 * called.
 *
 * What must hold for each seed, beside that history:
 *  - what was acknowledged is in the log exactly once, what was refused never, and what stayed
 *    unknown, or was under way in a crash, at most once;
 *  - every version that the log still offers, read afterwards by a newcomer, is what the replay
 *    says.
 */
#ifndef DWT_SIMULATION_DML_RUN_H
#define DWT_SIMULATION_DML_RUN_H

#include "dml.h"
#include "seeds.h"

/* `upkeep` may be NULL; `run` of the options is filled in. */
int dml_main(int argc, char **argv, const dml_upkeep *upkeep, seeds_options options);

#endif
