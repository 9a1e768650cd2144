/*
 * The scheduler: threads, the baton, the clock, and the requests that are still under way.
 */
#include "sim.h"

#include "base/assert.h"
#include "base/vec.h"
#include "support/test_env.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>

#define CLOCK_TICK_US 1000
#define TRACE_BYTES_MAX ((size_t) 64 << 20)
#define NOTE_SIZE 512
/* A request under way arrives at one in so many yields. */
#define ARRIVAL_ODDS 6

typedef struct sim_thread {
    sim_actor actor;
    pthread_t thread;
    sem_t turn;
    uint64_t random; /* the actor's own */
    int64_t crash_count;
    bool has_crashed;
    bool has_ended;
    sim_actor_main actor_main;
    void *ctx;
} sim_thread;

/* A write that was sent and not yet done. */
typedef struct late_request {
    dwt_storage_op op;
    size_t from;
    dw_strbuf key;
    dw_strbuf bytes;
} late_request;

typedef struct late_vec {
    late_request *items;
    size_t count;
    size_t capacity;
} late_vec;

struct sim {
    sim_options options;
    dw_env env;
    dw_storage *storage;
    uint64_t random; /* the schedule's and the faults' */
    int64_t now_us;
    sim_thread *threads;
    sem_t all_ended;
    late_vec late;
    sim_outcome outcome;
    dw_strbuf trace;
};

/* ---- effects --------------------------------------------------------------------------------- */

static int64_t
read_clock(void *ctx)
{
    sim *world = ctx;
    world->now_us += CLOCK_TICK_US;
    return world->now_us;
}

static int64_t
actor_now(void *ctx)
{
    return read_clock(((sim_thread *) ctx)->actor.sim);
}

static void
fill_random(uint64_t *state, void *bytes, size_t size)
{
    char *next = bytes;
    while (size > 0) {
        uint64_t word = dwt_random_next(state);
        size_t part = size < sizeof(word) ? size : sizeof(word);
        memcpy(next, &word, part);
        next += part;
        size -= part;
    }
}

static void
actor_random(void *ctx, void *bytes, size_t size)
{
    fill_random(&((sim_thread *) ctx)->random, bytes, size);
}

static void
world_random(void *ctx, void *bytes, size_t size)
{
    fill_random(&((sim *) ctx)->random, bytes, size);
}

static void
world_sleep(void *ctx, int64_t duration_us)
{
    ((sim *) ctx)->now_us += duration_us;
}

static void
world_log(void *ctx, dw_log_level level, const char *line)
{
    (void) ctx;
    (void) level;
    (void) line;
}

static void
actor_log(void *ctx, dw_log_level level, const char *line)
{
    (void) level;
    sim_note(&((sim_thread *) ctx)->actor, "log: %s", line);
}

/* ---- the trace ------------------------------------------------------------------------------- */

static void
trace_line(sim *world, const char *line)
{
    uint64_t hash = dw__str_hash(dw__str_from(line));
    world->outcome.trace_hash = (world->outcome.trace_hash ^ hash) * 0x9e3779b97f4a7c15u + 1;
    if (world->options.with_trace) {
        dw__strbuf_append(&world->trace, dw__str_from(line));
        dw__strbuf_append_char(&world->trace, '\n');
    }
}

void
sim_note(sim_actor *actor, const char *fmt, ...)
{
    char text[NOTE_SIZE];
    int len = snprintf(text, sizeof(text), "%zu.%" PRId64 " ", actor->number, actor->life);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text + len, sizeof(text) - (size_t) len, fmt, args);
    va_end(args);
    trace_line(actor->sim, text);
}

static void
note_call(sim_thread *self, const dwt_storage_call *call, const char *what)
{
    sim_note(&self->actor, "%s %.*s%s%s", dwt_storage_op_name(call->op), DW_STR_ARG(call->key),
             what[0] == '\0' ? "" : ": ", what);
}

/* ---- requests under way ---------------------------------------------------------------------- */

static void
send_late(sim_thread *self, const dwt_storage_call *call)
{
    sim *world = self->actor.sim;
    late_request *request = DW_VEC_PUSH(world->env.allocator, &world->late);
    dw_assert(request != NULL);
    *request = (late_request){.op = call->op,
                              .from = self->actor.number,
                              .key = dw__strbuf_make(world->env.allocator, SIZE_MAX / 2),
                              .bytes = dw__strbuf_make(world->env.allocator, SIZE_MAX / 2)};
    dw__strbuf_append(&request->key, call->key);
    dw__strbuf_append(&request->bytes, call->bytes);
    dw_assert(!request->key.failed && !request->bytes.failed);
}

static void
release_late(late_request *request)
{
    dw__strbuf_deinit(&request->key);
    dw__strbuf_deinit(&request->bytes);
}

static void
arrive(sim *world, size_t idx)
{
    late_request request = world->late.items[idx];
    world->late.items[idx] = world->late.items[--world->late.count];
    dw_str key = dw__strbuf_str(&request.key);
    dw_str bytes = dw__strbuf_str(&request.bytes);
    dw_status status = DW_OK;
    if (request.op == DWT_OP_PUT_IF_ABSENT) {
        status = dw__storage_put_if_absent(world->storage, key, bytes, NULL);
    } else if (request.op == DWT_OP_PUT) {
        status = dw__storage_put(world->storage, key, bytes, NULL);
    } else {
        status = dw__storage_remove(world->storage, key, NULL);
    }
    char text[NOTE_SIZE];
    snprintf(text, sizeof(text), "late from %zu: %s %s: %s", request.from,
             dwt_storage_op_name(request.op), dw__strbuf_cstr(&request.key),
             dw_status_name(status));
    trace_line(world, text);
    release_late(&request);
}

static void
maybe_arrive(sim *world)
{
    if (world->late.count > 0 && dwt_random_below(&world->random, ARRIVAL_ODDS) == 0) {
        arrive(world, dwt_random_below(&world->random, world->late.count));
    }
}

/* What is still under way at the end arrives or is lost for good. */
static void
drain_late(sim *world)
{
    while (world->late.count > 0) {
        if (dwt_random_below(&world->random, 2) == 0) {
            arrive(world, world->late.count - 1);
        } else {
            release_late(&world->late.items[--world->late.count]);
        }
    }
}

/* ---- the baton ------------------------------------------------------------------------------- */

static sim_thread *
pick_next(sim *world)
{
    size_t running = 0;
    for (size_t i = 0; i < world->options.actor_count; i++) {
        running += !world->threads[i].has_ended;
    }
    if (running == 0) {
        return NULL;
    }
    uint64_t chosen = dwt_random_below(&world->random, running);
    for (size_t i = 0;; i++) {
        if (!world->threads[i].has_ended && chosen-- == 0) {
            return &world->threads[i];
        }
    }
}

static void
wait_turn(sem_t *turn)
{
    while (sem_wait(turn) != 0) {
    }
}

/* Lets the seed decide who goes on. */
static void
yield(sim_thread *self)
{
    sim *world = self->actor.sim;
    maybe_arrive(world);
    sim_thread *next = pick_next(world);
    dw_assert(next != NULL);
    if (next != self) {
        sem_post(&next->turn);
        wait_turn(&self->turn);
    }
}

static void
actor_sleep(void *ctx, int64_t duration_us)
{
    sim_thread *self = ctx;
    self->actor.sim->now_us += duration_us;
    yield(self);
}

/* ---- what becomes of a call ------------------------------------------------------------------ */

static bool
happens(sim *world, unsigned per_thousand)
{
    return per_thousand > 0 && dwt_random_below(&world->random, 1000) < per_thousand;
}

/* A fault that befalls the call. */
static void
note_fault(sim_thread *self, const dwt_storage_call *call, const char *what)
{
    self->actor.sim->outcome.fault_count++;
    note_call(self, call, what);
}

static dwt_verdict
crash(sim_thread *self, const dwt_storage_call *call)
{
    sim *world = self->actor.sim;
    self->has_crashed = true;
    self->crash_count++;
    world->outcome.crash_count++;
    bool is_write = dwt_storage_op_is_write(call->op);
    switch (dwt_random_below(&world->random, is_write ? 3 : 1)) {
    case 0:
        note_fault(self, call, "crash before it");
        return (dwt_verdict){DWT_FATE_FAIL, DW_IO};
    case 1:
        note_fault(self, call, "crash after it");
        return (dwt_verdict){DWT_FATE_LOSE_ACK, DW_IO};
    default:
        note_fault(self, call, "crash while it is under way");
        send_late(self, call);
        return (dwt_verdict){DWT_FATE_FAIL, DW_IO};
    }
}

static dwt_verdict
write_fate(sim_thread *self, const dwt_storage_call *call)
{
    sim *world = self->actor.sim;
    const sim_chances *chances = &world->options.chances;
    if (happens(world, chances->lost)) {
        note_fault(self, call, "answer lost");
        return (dwt_verdict){DWT_FATE_LOSE_ACK, DW_AMBIGUOUS};
    }
    if (happens(world, chances->late)) {
        note_fault(self, call, "late");
        send_late(self, call);
        return (dwt_verdict){DWT_FATE_FAIL, DW_AMBIGUOUS};
    }
    if (happens(world, chances->repeated)) {
        note_fault(self, call, "repeated");
        return (dwt_verdict){DWT_FATE_REPEAT, DW_OK};
    }
    if (happens(world, chances->echoed)) {
        note_fault(self, call, "echoed");
        send_late(self, call);
        return (dwt_verdict){DWT_FATE_PASS, DW_OK};
    }
    note_call(self, call, "");
    bool is_forced = world->options.ignores_absence && call->op == DWT_OP_PUT_IF_ABSENT;
    return (dwt_verdict){is_forced ? DWT_FATE_FORCE : DWT_FATE_PASS, DW_OK};
}

static dwt_verdict
judge(void *ctx, const dwt_storage_call *call)
{
    sim_thread *self = ctx;
    sim *world = self->actor.sim;
    if (self->has_crashed) {
        return (dwt_verdict){DWT_FATE_FAIL, DW_IO};
    }
    yield(self);
    world->outcome.call_count++;
    if (self->crash_count < world->options.crashes_max &&
        happens(world, world->options.chances.crash)) {
        return crash(self, call);
    }
    if (happens(world, world->options.chances.unavailable)) {
        note_fault(self, call, "unavailable");
        return (dwt_verdict){DWT_FATE_FAIL, DW_UNAVAILABLE};
    }
    if (dwt_storage_op_is_write(call->op)) {
        return write_fate(self, call);
    }
    note_call(self, call, "");
    return (dwt_verdict){DWT_FATE_PASS, DW_OK};
}

static void
answered(void *ctx, const dwt_storage_call *call, dw_status status)
{
    sim_thread *self = ctx;
    if (!self->has_crashed) {
        yield(self);
        note_call(self, call, dw_status_name(status));
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static void
live(sim_thread *self)
{
    sim *world = self->actor.sim;
    dwt_storage_hooks hooks = {judge, answered, self};
    for (self->actor.life = 0;; self->actor.life++) {
        self->has_crashed = false;
        self->actor.storage = dwt_hook_storage_open(&world->env, world->storage, &hooks);
        self->actor_main(&self->actor, self->ctx);
        dw__storage_close(self->actor.storage);
        self->actor.storage = NULL;
        if (!self->has_crashed) {
            return;
        }
        sim_note(&self->actor, "life over");
    }
}

static void *
thread_main(void *ctx)
{
    sim_thread *self = ctx;
    sim *world = self->actor.sim;
    wait_turn(&self->turn);
    live(self);
    self->has_ended = true;
    sim_thread *next = pick_next(world);
    sem_post(next == NULL ? &world->all_ended : &next->turn);
    return NULL;
}

static void
init_thread(sim *world, size_t number)
{
    static const dw_env_ops ops = {actor_now,    actor_now, actor_sleep,
                                   actor_random, actor_log, NULL};
    sim_thread *thread = &world->threads[number];
    thread->random = dwt_random_next(&world->random);
    thread->actor = (sim_actor){.number = number, .sim = world};
    thread->actor.env = (dw_env){world->env.allocator, &ops, thread};
    int failed = sem_init(&thread->turn, 0, 0);
    dw_assert(failed == 0);
}

sim *
sim_new(uint64_t seed, const sim_options *options)
{
    static const dw_env_ops ops = {read_clock,   read_clock, world_sleep,
                                   world_random, world_log,  NULL};
    dw_assert(options->actor_count > 0);
    const dw_allocator *allocator = dw__allocator_libc();
    sim *world = DW_NEW(allocator, sim);
    dw_assert(world != NULL);
    world->options = *options;
    world->env = (dw_env){allocator, &ops, world};
    world->random = seed;
    world->now_us = DWT_EPOCH_US;
    world->trace = dw__strbuf_make(allocator, TRACE_BYTES_MAX);
    world->threads = dw__alloc_zero(allocator, options->actor_count * sizeof(sim_thread));
    dw_assert(world->threads != NULL);
    dw_status status = dw__storage_memory_open(&world->env, &world->storage, NULL);
    dw_assert(status == DW_OK);
    for (size_t i = 0; i < options->actor_count; i++) {
        init_thread(world, i);
    }
    int failed = sem_init(&world->all_ended, 0, 0);
    dw_assert(failed == 0);
    return world;
}

sim_outcome
sim_run(sim *world, sim_actor_main actor_main, void *ctx)
{
    for (size_t i = 0; i < world->options.actor_count; i++) {
        sim_thread *thread = &world->threads[i];
        thread->actor_main = actor_main;
        thread->ctx = ctx;
        int failed = pthread_create(&thread->thread, NULL, thread_main, thread);
        dw_assert(failed == 0);
    }
    sem_post(&pick_next(world)->turn);
    wait_turn(&world->all_ended);
    for (size_t i = 0; i < world->options.actor_count; i++) {
        pthread_join(world->threads[i].thread, NULL);
    }
    drain_late(world);
    return world->outcome;
}

void
sim_free(sim *world)
{
    const dw_allocator *allocator = world->env.allocator;
    for (size_t i = 0; i < world->options.actor_count; i++) {
        sem_destroy(&world->threads[i].turn);
    }
    sem_destroy(&world->all_ended);
    dw__storage_close(world->storage);
    DW_VEC_DEINIT(allocator, &world->late);
    dw__strbuf_deinit(&world->trace);
    dw__dealloc(allocator, world->threads, world->options.actor_count * sizeof(sim_thread));
    DW_DELETE(allocator, world);
}

dw_storage *
sim_storage(sim *world)
{
    return world->storage;
}

const dw_env *
sim_env(sim *world)
{
    return &world->env;
}

const char *
sim_trace(const sim *world)
{
    return dw__strbuf_cstr(&world->trace);
}

bool
sim_has_crashed(const sim_actor *actor)
{
    return actor->sim->threads[actor->number].has_crashed;
}

uint64_t
sim_choose(sim_actor *actor, uint64_t bound)
{
    return dwt_random_below(&actor->sim->threads[actor->number].random, bound);
}
