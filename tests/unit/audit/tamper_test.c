/*
 * A thousand random tamperings with logs of several files, no two the same, each of which must be
 * found, and a hundred crashes, each of which must not be taken for one. A seed replays.
 */
#include "tampering.h"

#include <inttypes.h>
#include <unistd.h>

#define LOGS 50
#define TAMPERINGS_A_LOG 20
#define TAMPERINGS (LOGS * TAMPERINGS_A_LOG)
#define CRASHES 100
#define KINDS_MAX 32
/* Of a tampering that came out like one before it. */
#define DRAWS_MAX 200

/* ---- Tampering ------------------------------------------------------------------------------- */

typedef struct tampering_run {
    audit_world *w;
    chance chance;
    tampering_need gives;     /* what there is to find them by */
    bool with_key, is_buried; /* a writer adds a record before anybody looks */
    char seen[TAMPERINGS][DW_SHA256_TEXT_SIZE];
    size_t seen_count;
    int drawn[KINDS_MAX], found[KINDS_MAX];
} tampering_run;

/* Other statements each time, so that no log is like another. */
static void
write_log(tampering_run *run)
{
    dw_audit_spec spec = audit_spec(run->w, run->with_key);
    dw_audit *audit = audit_open(run->w, &spec);
    for (uint64_t i = 0, count = 12 + chance_draw(&run->chance, 12); i < count; i++) {
        audit_add(audit, 1 + (int64_t) chance_draw(&run->chance, 1000000));
    }
    dw__audit_close(audit);
}

static bool
is_new(tampering_run *run, const saved_log *log)
{
    char *digest = run->seen[run->seen_count];
    saved_log_digest(log, digest);
    for (size_t i = 0; i < run->seen_count; i++) {
        if (strcmp(run->seen[i], digest) == 0) {
            return false;
        }
    }
    run->seen_count++;
    return true;
}

/* A log that was tampered with as none before. */
static saved_log
tamper(tampering_run *run, const tampering *kind, const saved_log *sound, dw_arena *arena)
{
    saved_log log;
    int draws = 0;
    do {
        log = *sound;
        kind->apply(&log, &run->chance, arena);
        assert_true(draws++ < DRAWS_MAX);
    } while (!is_new(run, &log));
    return log;
}

static void
bury(const tampering_run *run)
{
    dw_audit_spec spec = audit_spec(run->w, run->with_key);
    dw_audit *audit = audit_open(run->w, &spec);
    audit_add(audit, 9);
    dw__audit_close(audit);
}

static size_t
next_kind(const tampering_run *run, size_t kind)
{
    do {
        kind = (kind + 1) % tampering_count;
    } while (tamperings[kind].need > run->gives);
    return kind;
}

/* Tampers with one log, each time anew. The last kind is told, and the next one after it taken. */
static void
tamper_with_one(tampering_run *run, size_t *kind)
{
    saved_log sound;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    saved_log none = {.files = {DW_STR_NULL}, .file_count = 1, .head = DW_STR_NULL};
    dw_audit_verify_spec spec = audit_verify_spec(run->w, run->with_key);
    saved_log_write(run->w, &none);
    write_log(run);
    dw_audit_verdict verdict = audit_check(run->w, &spec);
    assert_int_equal(verdict.error_count, 0);
    saved_log_read(run->w, &arena, &sound);
    assert_true(sound.file_count >= 3);
    if (run->gives == NEEDS_ANCHOR) {
        spec.anchor_count = verdict.record_count;
        spec.anchor_hash = dw__str_from(verdict.last_hash);
    }
    for (int i = 0; i < TAMPERINGS_A_LOG; i++) {
        *kind = next_kind(run, *kind);
        saved_log log = tamper(run, &tamperings[*kind], &sound, &arena);
        saved_log_write(run->w, &log);
        if (run->is_buried) {
            bury(run);
        }
        run->drawn[*kind]++;
        run->found[*kind] += audit_check(run->w, &spec).error_count > 0;
    }
}

/* Says of each kind how often it was drawn and found; all must be. */
static void
tell(const tampering_run *run, uint64_t seed)
{
    int drawn = 0, found = 0;
    for (size_t i = 0; i < tampering_count; i++) {
        if (run->drawn[i] > 0) {
            print_message("%-50s %4d drawn %4d found\n", tamperings[i].name, run->drawn[i],
                          run->found[i]);
        }
        drawn += run->drawn[i];
        found += run->found[i];
    }
    print_message("seed %" PRIu64 ": %d different tamperings, %d found\n", seed, drawn, found);
    assert_int_equal(drawn, TAMPERINGS);
    assert_int_equal(found, drawn);
}

static void
check_tamperings(audit_world *w, uint64_t seed, const tampering_run *settings)
{
    tampering_run *run = calloc(1, sizeof(*run));
    size_t kind = tampering_count - 1;
    *run = *settings;
    run->w = w;
    run->chance.state = seed;
    assert_true(tampering_count <= KINDS_MAX);
    for (int i = 0; i < LOGS; i++) {
        tamper_with_one(run, &kind);
    }
    tell(run, seed);
    free(run);
}

static void
test_verify__finds_a_thousand_random_tamperings(void **state)
{
    static const tampering_run settings = {.gives = NEEDS_NOTHING};
    check_tamperings(*state, 20240501, &settings);
}

static void
test_verify__finds_a_thousand_random_tamperings_with_a_key(void **state)
{
    static const tampering_run settings = {.gives = NEEDS_KEY_OR_ANCHOR, .with_key = true};
    check_tamperings(*state, 977, &settings);
}

static void
test_verify__finds_a_thousand_random_tamperings_with_an_anchor(void **state)
{
    static const tampering_run settings = {.gives = NEEDS_ANCHOR};
    check_tamperings(*state, 31337, &settings);
}

static void
test_verify__finds_a_thousand_random_tamperings_behind_another_record(void **state)
{
    static const tampering_run settings = {.gives = NEEDS_NOTHING, .is_buried = true};
    check_tamperings(*state, 5, &settings);
}

static void
test_verify__finds_a_thousand_random_tamperings_behind_a_signed_record(void **state)
{
    static const tampering_run settings = {
        .gives = NEEDS_KEY_OR_ANCHOR, .with_key = true, .is_buried = true};
    check_tamperings(*state, 6, &settings);
}

/* What docs/audit.md says cannot be found, so that nobody trusts in more than there is. */
static void
test_verify__cannot_find_what_fits_the_head_without_a_key_or_an_anchor(void **state)
{
    tampering_run run = {.w = *state, .chance = {12}};
    saved_log sound;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_audit_verify_spec spec = audit_verify_spec(run.w, false);
    write_log(&run);
    saved_log_read(run.w, &arena, &sound);
    for (size_t i = 0; i < tampering_count; i++) {
        saved_log log = sound;
        tamperings[i].apply(&log, &run.chance, &arena);
        saved_log_write(run.w, &log);
        bool is_found = audit_check(run.w, &spec).error_count > 0;
        assert_int_equal(is_found, tamperings[i].need == NEEDS_NOTHING);
    }
}

/* ---- Crashes --------------------------------------------------------------------------------- */

/* The writer stops in the middle of its last record, or behind it before it wrote the head. */
static void
test_verify__takes_no_crash_for_tampering(void **state)
{
    audit_world *w = *state;
    chance c = {31};
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, true);
    dw_audit_spec spec = audit_spec(w, true);
    spec.file_bytes_max = DW_AUDIT_FILE_BYTES_DEFAULT;
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 1);
    for (int i = 0; i < CRASHES; i++) {
        size_t old_len, len, head_len;
        char *old = dwt_read_file(w->dir.path, "audit.jsonl", &old_len);
        char *head = dwt_read_file(w->dir.path, "audit.jsonl.head", &head_len);
        audit_add(audit, 2);
        char *now = dwt_read_file(w->dir.path, "audit.jsonl", &len);
        size_t kept = old_len + (size_t) chance_draw(&c, len - old_len) + 1;
        dwt_write_file(w->dir.path, "audit.jsonl", dw__str_make(now, kept));
        dwt_write_file(w->dir.path, "audit.jsonl.head", dw__str_make(head, head_len));
        dw_audit_verdict verdict = audit_check(w, &verify_spec);
        assert_int_equal(verdict.error_count, 0);
        audit_add(audit, 3);
        verdict = audit_check(w, &verify_spec);
        assert_int_equal(verdict.error_count, 0);
        free(old);
        free(head);
        free(now);
    }
    dw__audit_close(audit);
}

int
main(void)
{
#define WORLD_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, audit_world_setup, audit_world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings),
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings_with_a_key),
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings_with_an_anchor),
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings_behind_another_record),
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings_behind_a_signed_record),
        WORLD_TEST(test_verify__cannot_find_what_fits_the_head_without_a_key_or_an_anchor),
        WORLD_TEST(test_verify__takes_no_crash_for_tampering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
