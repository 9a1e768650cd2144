/*
 * Running seeds and counting what they come to.
 */
#include "seeds.h"

#include <stdio.h>
#include <string.h>

static sim_options
rough_options(const seeds_options *o)
{
    return (sim_options){
        .actor_count = o->actor_count, .chances = SIM_CHANCES_ROUGH, .crashes_max = o->crashes_max};
}

static int
run_seeds(const seeds_options *o, uint64_t first, uint64_t count)
{
    seed_totals sum = {0};
    uint64_t failed = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (!o->run(seed, rough_options(o), &sum)) {
            failed++;
            printf("rerun it with --seed %" PRIu64 "\n", seed);
        }
    }
    printf("%" PRId64 " commits, %" PRId64 " conflicts, %" PRId64 " checkpoints, %" PRId64
           " storage calls, %" PRId64 " faults, %" PRId64 " crashes\n",
           sum.commit_count, sum.conflict_count, sum.checkpoint_count, sum.call_count,
           sum.fault_count, sum.crash_count);
    if (sum.compaction_count > 0) {
        printf("%" PRId64 " runs of commits compacted, %" PRId64 " files given row ids later\n",
               sum.compaction_count, sum.backfilled_file_count);
    }
    if (sum.read_check_count > 0) {
        printf("%" PRId64 " sets of rows that were read compared, %" PRId64
               " commits with merged vectors, %" PRId64 " files of the log removed\n",
               sum.read_check_count, sum.merge_count, sum.cleaned_count);
    }
    if (sum.vacuumed_count > 0) {
        printf("%" PRId64 " data files vacuumed, %" PRId64 " versions restored\n",
               sum.vacuumed_count, sum.restored_count);
    }
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", count - failed, failed);
    return failed == 0 ? 0 : 1;
}

static int
run_one(const seeds_options *o, uint64_t seed)
{
    seed_totals sum = {0};
    sim_options options = rough_options(o);
    options.with_trace = true;
    bool is_well = o->run(seed, options, &sum);
    printf("seed %" PRIu64 ": %s\n", seed, is_well ? "all is well" : "failed");
    return is_well ? 0 : 1;
}

/* No fault but the one: so that nothing else is what is noticed. */
static int
run_broken(const seeds_options *o, uint64_t count)
{
    seed_totals sum = {0};
    for (uint64_t seed = 0; seed < count; seed++) {
        sim_options options = {.actor_count = o->actor_count, .ignores_absence = true};
        if (!o->run(seed, options, &sum)) {
            printf("caught at seed %" PRIu64 "\n1 passed, 0 failed\n", seed);
            return 0;
        }
    }
    printf("not caught within %" PRIu64 " seeds\n0 passed, 1 failed\n", count);
    return 1;
}

/* The faults of a rough network, and the defect that was put in. */
static int
run_find(const seeds_options *o, uint64_t count)
{
    seed_totals sum = {0};
    for (uint64_t seed = 0; seed < count; seed++) {
        if (!o->run(seed, rough_options(o), &sum)) {
            printf("caught at seed %" PRIu64 "\n1 passed, 0 failed\n", seed);
            return 0;
        }
    }
    printf("not caught within %" PRIu64 " seeds\n0 passed, 1 failed\n", count);
    return 1;
}

static int
usage(void)
{
    fprintf(stderr, "usage: [--count N [FIRST] | --seed N | --broken N | --find N]\n");
    return 2;
}

int
seeds_main(int argc, char **argv, const seeds_options *options)
{
    uint64_t number;
    uint64_t first = 0;
    if (argc == 1) {
        return run_seeds(options, 0, options->seed_count);
    }
    bool is_count = strcmp(argv[1], "--count") == 0;
    if (argc < 3 || argc > (is_count ? 4 : 3) || !dw__str_to_u64(dw__str_from(argv[2]), &number) ||
        (argc == 4 && !dw__str_to_u64(dw__str_from(argv[3]), &first))) {
        return usage();
    }
    if (is_count) {
        return run_seeds(options, first, number);
    }
    if (strcmp(argv[1], "--seed") == 0) {
        return run_one(options, number);
    }
    if (strcmp(argv[1], "--find") == 0) {
        return run_find(options, number);
    }
    return strcmp(argv[1], "--broken") == 0 ? run_broken(options, number) : usage();
}
