/*
 * What every simulation does with its seeds.
 *
 *   <program>                  all seeds of `make test-all`
 *   <program> --count N        the first N
 *   <program> --count N FIRST  N, beginning with FIRST
 *   <program> --seed N         one, with its trace
 *   <program> --broken N       succeeds if one of the first N seeds shows that storage ignores the
 *                              condition of put_if_absent
 *   <program> --find N         succeeds if one of the first N seeds fails: for code that was broken
 *                              on purpose
 */
#ifndef DWT_SIMULATION_SEEDS_H
#define DWT_SIMULATION_SEEDS_H

#include "sim.h"

typedef struct seed_totals {
    int64_t call_count;
    int64_t fault_count;
    int64_t crash_count;
    int64_t commit_count;
    int64_t conflict_count;
    int64_t checkpoint_count;
    /* Of the simulation of commits: */
    int64_t compaction_count, backfilled_file_count;
    /* Of the simulation of statements: */
    int64_t merge_count, read_check_count, cleaned_count;
    /* Of that of upkeep: */
    int64_t vacuumed_count, restored_count;
} seed_totals;

typedef struct seeds_options {
    /* True when all is well; says what is not. Adds to `sum`. */
    bool (*run)(uint64_t seed, sim_options options, seed_totals *sum);
    uint64_t seed_count;
    size_t actor_count;
    int64_t crashes_max;
} seeds_options;

int seeds_main(int argc, char **argv, const seeds_options *options);

#endif
