/* Which files make up a version. The log is written as short words: "5" a commit, "5c" a classic
 * checkpoint, "5p1/3" a part, "5u" a UUID-named checkpoint, "2-4" a compacted commit. */
#include "support/test.h"
#include "support/test_env.h"

#include "log/segment.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct fixture {
    dwt_env world;
    dw_log_listing listing;
    dw_arena arena;
    dw_segment segment;
    dw_error err;
} fixture;

static int
setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    dwt_env_init(&f->world, 1);
    dw__log_listing_init(&f->listing, f->world.env.allocator);
    dw__arena_init(&f->arena, f->world.env.allocator);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    fixture *f = *state;
    dw__log_listing_deinit(&f->listing);
    dw__arena_deinit(&f->arena);
    dwt_env_deinit(&f->world);
    free(f);
    return 0;
}

static int
compare_files(const void *a, const void *b)
{
    return dw__str_compare(((const dw_log_file *) a)->key, ((const dw_log_file *) b)->key);
}

static dw_str
key_of(fixture *f, const char *word)
{
    char *rest;
    int64_t version = strtoll(word, &rest, 10);
    switch (*rest) {
    case '-':
        return dw__arena_printf(&f->arena, "_delta_log/%020" PRId64 ".%020lld.compacted.json",
                                version, strtoll(rest + 1, NULL, 10));
    case 'c':
        return dw__arena_printf(&f->arena, "_delta_log/%020" PRId64 ".checkpoint.parquet", version);
    case 'u':
        return dw__arena_printf(&f->arena,
                                "_delta_log/%020" PRId64
                                ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
                                version);
    case 'p': {
        long part = strtol(rest + 1, &rest, 10);
        long part_count = strtol(rest + 1, NULL, 10);
        return dw__arena_printf(&f->arena,
                                "_delta_log/%020" PRId64 ".checkpoint.%010ld.%010ld.parquet",
                                version, part, part_count);
    }
    default:
        return dw__arena_printf(&f->arena, "_delta_log/%020" PRId64 ".json", version);
    }
}

static void
list(fixture *f, const char *words)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s", words);
    for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        dw_object_meta object = {.key = key_of(f, word), .size_bytes = 1};
        size_t before = f->listing.count;
        assert_true(dw__log_listing_add(&f->listing, &object));
        assert_int_equal(f->listing.count, before + 1);
    }
    qsort(f->listing.items, f->listing.count, sizeof(dw_log_file), compare_files);
}

static dw_status
choose(fixture *f, int64_t version)
{
    dw_segment_request request = {version, INT64_MAX, DW_STR("/t")};
    dw__error_clear(&f->err);
    return dw__segment_choose(&f->listing, &request, &f->arena, &f->segment, &f->err);
}

/* The segment as words: "5c 6 7". */
static void
assert_segment(fixture *f, int64_t version, const char *expected)
{
    assert_ok(choose(f, version), &f->err);
    char text[1024] = "";
    size_t len = 0;
    if (f->segment.checkpoint_version >= 0) {
        const dw_log_file *first = f->segment.checkpoints;
        len += (size_t) snprintf(text, sizeof(text), "%" PRId64 "%c%zu", first->version,
                                 first->kind == DW_LOG_CHECKPOINT        ? 'c'
                                 : first->kind == DW_LOG_CHECKPOINT_PART ? 'p'
                                                                         : 'u',
                                 f->segment.checkpoint_count);
    }
    for (size_t i = 0; i < f->segment.commit_count; i++) {
        const dw_log_file *file = &f->segment.commits[i];
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%" PRId64, len > 0 ? " " : "",
                                 file->version);
        if (file->kind == DW_LOG_COMPACTED) {
            len +=
                (size_t) snprintf(text + len, sizeof(text) - len, "-%" PRId64, file->last_version);
        }
    }
    assert_string_equal(text, expected);
}

static void
test_segment__is_all_commits_without_a_checkpoint(void **state)
{
    fixture *f = *state;
    list(f, "0 1 2");
    assert_segment(f, -1, "0 1 2");
    assert_int_equal(f->segment.version, 2);
    assert_int_equal(f->segment.last_commit->version, 2);
    assert_segment(f, 0, "0");
}

static void
test_segment__starts_at_the_newest_checkpoint_not_after_the_version(void **state)
{
    fixture *f = *state;
    list(f, "0 1 1c 2 3 3c 4 5");
    assert_segment(f, -1, "3c1 4 5");
    assert_segment(f, 3, "3c1");
    assert_segment(f, 2, "1c1 2");
    assert_segment(f, 0, "0");
}

static void
test_segment__needs_no_commit_at_or_before_its_checkpoint(void **state)
{
    fixture *f = *state;
    list(f, "3c");
    assert_segment(f, -1, "3c1");
    assert_null(f->segment.last_commit);
    list(f, "4");
    assert_segment(f, -1, "3c1 4");
}

static void
test_segment__takes_multi_part_checkpoints_only_when_complete(void **state)
{
    fixture *f = *state;
    list(f, "0 1 2 2p1/3 2p2/3 3");
    assert_segment(f, -1, "0 1 2 3");
    list(f, "2p1/2");
    assert_segment(f, -1, "0 1 2 3");
    list(f, "2p3/3");
    assert_segment(f, -1, "2p3 3");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->segment.checkpoints[i].part, i + 1);
        assert_int_equal(f->segment.checkpoints[i].part_count, 3);
    }
}

static void
test_segment__prefers_a_single_file_among_checkpoints_of_one_version(void **state)
{
    fixture *f = *state;
    list(f, "0 1 1p1/1 1u 2");
    assert_segment(f, -1, "1u1 2");
    list(f, "1c");
    assert_segment(f, -1, "1c1 2");
}

static void
test_segment__uses_compacted_commits_that_fit(void **state)
{
    fixture *f = *state;
    list(f, "0 1 2 3 4 5 1-2 1-3 4-9");
    assert_segment(f, -1, "0 1-3 4 5");
    assert_int_equal(f->segment.last_commit->version, 5);
    assert_segment(f, 2, "0 1-2");
    assert_segment(f, 1, "0 1");
}

static void
test_segment__never_lets_a_compacted_commit_straddle_the_checkpoint(void **state)
{
    fixture *f = *state;
    list(f, "0 1 2 2c 3 4 5 1-4 3-4");
    assert_segment(f, -1, "2c1 3-4 5");
}

static void
test_segment__lets_a_compacted_commit_replace_missing_ones(void **state)
{
    fixture *f = *state;
    list(f, "0 1-3 4");
    assert_segment(f, -1, "0 1-3 4");
}

static void
test_segment__names_the_missing_version(void **state)
{
    fixture *f = *state;
    list(f, "0 1 3 4");
    assert_error(choose(f, -1), DW_CORRUPT, "LOG_GAP", &f->err);
    assert_message_has(&f->err, "version 2 is missing");
    assert_message_has(&f->err, "version 3");
    assert_segment(f, 1, "0 1");
    assert_error(choose(f, 2), DW_CORRUPT, "LOG_GAP", &f->err);
}

static void
test_segment__refuses_a_log_that_starts_late(void **state)
{
    fixture *f = *state;
    list(f, "5 6");
    assert_error(choose(f, -1), DW_CORRUPT, "LOG_GAP", &f->err);
    assert_message_has(&f->err, "version 0 is missing");
}

static void
test_segment__refuses_a_gap_behind_the_checkpoint(void **state)
{
    fixture *f = *state;
    list(f, "2c 4");
    assert_error(choose(f, -1), DW_CORRUPT, "LOG_GAP", &f->err);
    assert_message_has(&f->err, "version 3 is missing");
}

static void
test_segment__says_that_there_is_no_table(void **state)
{
    fixture *f = *state;
    assert_error(choose(f, -1), DW_NOT_FOUND, "TABLE_NOT_FOUND", &f->err);
    assert_string_equal(f->err.message, "/t is not a Delta table: expected commits in _delta_log/");
    list(f, "2p1/2 1-3");
    assert_error(choose(f, -1), DW_NOT_FOUND, "TABLE_NOT_FOUND", &f->err);
}

static void
test_segment__says_the_range_of_versions(void **state)
{
    fixture *f = *state;
    list(f, "3 4 4c 5 6 6c 7");
    assert_error(choose(f, 8), DW_NOT_FOUND, "VERSION_OUT_OF_RANGE", &f->err);
    assert_string_equal(f->err.message, "version 8 is not there; the table has versions 4 to 7");
    assert_error(choose(f, 3), DW_NOT_FOUND, "VERSION_OUT_OF_RANGE", &f->err);
    assert_error(choose(f, 0), DW_NOT_FOUND, "VERSION_OUT_OF_RANGE", &f->err);
    assert_segment(f, 4, "4c1");
    assert_segment(f, 5, "4c1 5");
}

static void
test_segment__can_leave_out_a_checkpoint_that_cannot_be_read(void **state)
{
    fixture *f = *state;
    list(f, "0 1 1c 2 2c 3");
    dw_segment_request request = {-1, 2, DW_STR("/t")};
    assert_ok(dw__segment_choose(&f->listing, &request, &f->arena, &f->segment, &f->err), &f->err);
    assert_int_equal(f->segment.checkpoint_version, 1);
    assert_int_equal(f->segment.commit_count, 2);
    request.checkpoint_limit = 0;
    assert_ok(dw__segment_choose(&f->listing, &request, &f->arena, &f->segment, &f->err), &f->err);
    assert_int_equal(f->segment.checkpoint_version, -1);
    assert_int_equal(f->segment.commit_count, 4);
}

static void
test_segment__range_ends_at_a_gap(void **state)
{
    fixture *f = *state;
    int64_t first, last;
    dw__segment_range(&f->listing, &first, &last);
    assert_int_equal(first, -1);
    assert_int_equal(last, -1);
    list(f, "0 1 1c 3 4 4c 5");
    dw__segment_range(&f->listing, &first, &last);
    assert_int_equal(first, 4);
    assert_int_equal(last, 5);
    list(f, "2");
    dw__segment_range(&f->listing, &first, &last);
    assert_int_equal(first, 0);
}

/* Against a search that tries everything: is the version reachable, and from where? */
static void
test_segment__agrees_with_a_naive_choice_on_random_listings(void **state)
{
    (void) state;
    uint64_t seed = 20240101;
    for (int round = 0; round < 3000; round++) {
        void *inner = NULL;
        setup(&inner);
        fixture *f = inner;
        bool commits[10] = {false}, checkpoints[10] = {false};
        int64_t newest = -1;
        for (int v = 0; v < 10; v++) {
            char word[16];
            commits[v] = dwt_random_below(&seed, 12) != 0;
            checkpoints[v] = dwt_random_below(&seed, 5) == 0;
            if (commits[v]) {
                snprintf(word, sizeof(word), "%d", v);
                list(f, word);
            }
            if (checkpoints[v]) {
                snprintf(word, sizeof(word), "%dc", v);
                list(f, word);
            }
            newest = commits[v] || checkpoints[v] ? v : newest;
        }
        int64_t target = (int64_t) dwt_random_below(&seed, 10);
        int64_t start = -1;
        bool reachable = target <= newest;
        for (int64_t v = 0; v <= target; v++) {
            start = checkpoints[v] ? v : start;
        }
        for (int64_t v = start + 1; v <= target; v++) {
            reachable = reachable && commits[v];
        }
        dw_status status = choose(f, target);
        assert_int_equal(status == DW_OK, reachable);
        if (reachable) {
            assert_int_equal(f->segment.checkpoint_version, start);
            assert_int_equal(f->segment.commit_count, target - start);
        }
        teardown(&inner);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_segment__is_all_commits_without_a_checkpoint),
        TEST(test_segment__starts_at_the_newest_checkpoint_not_after_the_version),
        TEST(test_segment__needs_no_commit_at_or_before_its_checkpoint),
        TEST(test_segment__takes_multi_part_checkpoints_only_when_complete),
        TEST(test_segment__prefers_a_single_file_among_checkpoints_of_one_version),
        TEST(test_segment__uses_compacted_commits_that_fit),
        TEST(test_segment__never_lets_a_compacted_commit_straddle_the_checkpoint),
        TEST(test_segment__lets_a_compacted_commit_replace_missing_ones),
        TEST(test_segment__names_the_missing_version),
        TEST(test_segment__refuses_a_log_that_starts_late),
        TEST(test_segment__refuses_a_gap_behind_the_checkpoint),
        TEST(test_segment__says_that_there_is_no_table),
        TEST(test_segment__says_the_range_of_versions),
        TEST(test_segment__can_leave_out_a_checkpoint_that_cannot_be_read),
        TEST(test_segment__range_ends_at_a_gap),
        TEST(test_segment__agrees_with_a_naive_choice_on_random_listings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
