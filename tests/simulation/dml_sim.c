/*
 * Statements alone: see dml_run.h.
 */
#include "dml_run.h"

enum { SEEDS = 100000, WRITERS = 3, CRASHES_MAX = 1 };

int
main(int argc, char **argv)
{
    return dml_main(
        argc, argv, NULL,
        (seeds_options){.seed_count = SEEDS, .actor_count = WRITERS, .crashes_max = CRASHES_MAX});
}
