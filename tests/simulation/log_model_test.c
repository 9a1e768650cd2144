/*
 * The simulator on the smallest log there is: numbered objects, appended to by put_if_absent alone.
 * A sound writer survives every seed; two writers with well-known bugs are caught within a few.
 */
#include "support/test.h"

#include "ledger.h"
#include "support/delta_log.h"

#include <stdlib.h>

enum { APPENDS = 4, TRIES_MAX = 40, VERSIONS_MAX = 400, SOUND_SEEDS = 1000, CATCHING_SEEDS = 20 };

/* How a writer appends. */
typedef enum writer_kind {
    WRITER_SOUND,
    WRITER_CHECKS_THEN_PUTS, /* looks whether the name is free, then writes over what came since */
    WRITER_RETRIES_BLINDLY   /* takes an unknown outcome for a failure and appends again */
} writer_kind;

typedef struct model {
    writer_kind kind;
    ledger book;
    char fault[128]; /* "" while all is well */
} model;

static void
version_key(char out[64], int64_t version)
{
    snprintf(out, 64, "log/%06" PRId64, version);
}

/* DW_NOT_FOUND, or DW_OK and whether the object holds `id`. Tries again while storage is away. */
static dw_status
read_back(sim_actor *actor, int64_t version, const char *id, bool *is_ours)
{
    char key[64];
    version_key(key, version);
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(actor->env.allocator, 1000);
    dw_status status = DW_UNAVAILABLE;
    while (status == DW_UNAVAILABLE) {
        status = dw__storage_get(actor->storage, dw__str_from(key), &buf, NULL, NULL);
    }
    *is_ours = status == DW_OK && dw__str_equal(dw__strbuf_str(&buf), dw__str_from(id));
    return status;
}

static dw_status
put(sim_actor *actor, writer_kind kind, int64_t version, const char *id)
{
    char key[64];
    version_key(key, version);
    if (kind != WRITER_CHECKS_THEN_PUTS) {
        return dw__storage_put_if_absent(actor->storage, dw__str_from(key), dw__str_from(id), NULL);
    }
    dw_object_meta meta;
    dw_status status = dw__storage_head(actor->storage, dw__str_from(key), &meta, NULL);
    if (status != DW_NOT_FOUND) {
        return status == DW_OK ? DW_ALREADY_EXISTS : status;
    }
    return dw__storage_put(actor->storage, dw__str_from(key), dw__str_from(id), NULL);
}

/* Appends `id` at the first free version from *version on. */
static ledger_end
append(sim_actor *actor, writer_kind kind, const char *id, int64_t *version)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        dw_status status = put(actor, kind, *version, id);
        if (status == DW_OK) {
            return LEDGER_ACKNOWLEDGED;
        }
        if (status == DW_IO) {
            return LEDGER_UNKNOWN; /* crashed */
        }
        if (kind == WRITER_RETRIES_BLINDLY && status == DW_AMBIGUOUS) {
            (*version)++;
            continue;
        }
        if (status == DW_UNAVAILABLE) {
            continue;
        }
        bool is_ours;
        status = read_back(actor, *version, id, &is_ours);
        if (is_ours) {
            return LEDGER_ACKNOWLEDGED;
        }
        *version += status == DW_OK;
    }
    return LEDGER_UNKNOWN;
}

static void
write_appends(sim_actor *actor, void *ctx)
{
    model *self = ctx;
    int64_t version = 0;
    for (int i = 0; i < APPENDS && !sim_has_crashed(actor); i++) {
        size_t idx = ledger_begin(&self->book, actor);
        char id[LEDGER_ID_SIZE];
        memcpy(id, self->book.items[idx].id, sizeof(id));
        ledger_end end = append(actor, self->kind, id, &version);
        ledger_finish(&self->book, actor, idx, end, version);
    }
}

static void
check_entry(model *self, const ledger_entry *entry, char *const *log, int64_t count)
{
    size_t occurrences = 0;
    int64_t version = -1;
    for (int64_t v = 0; v < count; v++) {
        if (strcmp(log[v], entry->id) == 0) {
            occurrences++;
            version = v;
        }
    }
    const char *fault = ledger_fault(entry, occurrences, version);
    if (fault != NULL) {
        snprintf(self->fault, sizeof(self->fault), "%s %s", entry->id, fault);
    }
}

static void
check_log(model *self, dw_storage *storage)
{
    char *log[VERSIONS_MAX];
    int64_t count = 0;
    for (;; count++) {
        char key[64];
        version_key(key, count);
        assert_true(count < VERSIONS_MAX);
        log[count] = dwt_get(storage, key);
        if (log[count] == NULL) {
            break;
        }
    }
    if (dwt_count(storage, "log/") != (size_t) count) {
        snprintf(self->fault, sizeof(self->fault), "there is a gap behind version %" PRId64, count);
    }
    for (size_t i = 0; i < self->book.count; i++) {
        check_entry(self, &self->book.items[i], log, count);
    }
    for (int64_t v = 0; v < count; v++) {
        free(log[v]);
    }
}

static sim_outcome
simulate(uint64_t seed, model *self, bool with_trace)
{
    sim_options options = {
        .actor_count = 3, .chances = SIM_CHANCES_ROUGH, .crashes_max = 2, .with_trace = with_trace};
    sim *world = sim_new(seed, &options);
    sim_outcome outcome = sim_run(world, write_appends, self);
    check_log(self, sim_storage(world));
    if (with_trace && self->fault[0] != '\0') {
        print_message("%s", sim_trace(world));
    }
    sim_free(world);
    ledger_deinit(&self->book);
    return outcome;
}

static void
test_log_model__a_sound_writer_survives_every_seed(void **state)
{
    (void) state;
    sim_outcome total = {0};
    for (uint64_t seed = 0; seed < SOUND_SEEDS; seed++) {
        model self = {.kind = WRITER_SOUND};
        sim_outcome outcome = simulate(seed, &self, false);
        total.fault_count += outcome.fault_count;
        total.crash_count += outcome.crash_count;
        if (self.fault[0] != '\0') {
            print_message("seed %" PRIu64 ": %s\n", seed, self.fault);
            self.fault[0] = '\0';
            simulate(seed, &self, true);
            fail();
        }
    }
    /* The world was rough enough to mean something. */
    assert_true(total.fault_count > SOUND_SEEDS);
    assert_true(total.crash_count > SOUND_SEEDS / 4);
}

static void
assert_caught(writer_kind kind)
{
    for (uint64_t seed = 0; seed < CATCHING_SEEDS; seed++) {
        model self = {.kind = kind};
        simulate(seed, &self, false);
        if (self.fault[0] != '\0') {
            print_message("caught at seed %" PRIu64 ": %s\n", seed, self.fault);
            return;
        }
    }
    fail_msg("not caught within %d seeds", CATCHING_SEEDS);
}

static void
test_log_model__catches_a_writer_that_checks_then_puts(void **state)
{
    (void) state;
    assert_caught(WRITER_CHECKS_THEN_PUTS);
}

static void
test_log_model__catches_a_writer_that_retries_blindly(void **state)
{
    (void) state;
    assert_caught(WRITER_RETRIES_BLINDLY);
}

static void
test_log_model__a_seed_is_one_run(void **state)
{
    (void) state;
    uint64_t last = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        model first = {.kind = WRITER_SOUND};
        model second = {.kind = WRITER_SOUND};
        sim_outcome a = simulate(seed, &first, false);
        sim_outcome b = simulate(seed, &second, false);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_int_equal(a.call_count, b.call_count);
        assert_int_not_equal(a.trace_hash, last);
        last = a.trace_hash;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_model__a_sound_writer_survives_every_seed),
        cmocka_unit_test(test_log_model__catches_a_writer_that_checks_then_puts),
        cmocka_unit_test(test_log_model__catches_a_writer_that_retries_blindly),
        cmocka_unit_test(test_log_model__a_seed_is_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
