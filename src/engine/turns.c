/*
 * See turns.h. The line is a list of turns that lie on the stacks of those who wait.
 */
#include "engine/turns.h"

#include "base/assert.h"

#include <errno.h>

#define US_PER_S INT64_C(1000000)

void
dw__turns_init(dw_turns *turns, const dw_env *env, size_t limit)
{
    dw_assert(limit > 0);
    *turns = (dw_turns){.env = env, .limit = limit};
    int failed = pthread_mutex_init(&turns->mutex, NULL);
    dw_assert(failed == 0);
}

void
dw__turns_deinit(dw_turns *turns)
{
    dw_assert(turns->first == NULL);
    dw_assert(turns->running + turns->overtaken == 0);
    pthread_mutex_destroy(&turns->mutex);
}

static int64_t
now_us(const dw_turns *turns)
{
    return turns->env->ops->monotonic_us(turns->env->ctx);
}

static void
begin(dw_turns *turns, dw_turn *turn, int64_t now)
{
    turn->began_us = now;
    turn->is_held = true;
    turns->running++;
    dw_assert(turns->running <= turns->limit);
}

/* ---- The line -------------------------------------------------------------------------------- */

static void
append(dw_turns *turns, dw_turn *turn)
{
    if (turns->last != NULL) {
        turns->last->next = turn;
    } else {
        turns->first = turn;
    }
    turns->last = turn;
    turns->waiting++;
}

static dw_turn *
pop(dw_turns *turns)
{
    dw_turn *turn = turns->first;
    turns->first = turn->next;
    if (turns->first == NULL) {
        turns->last = NULL;
    }
    turns->waiting--;
    return turn;
}

static void
admit_next(dw_turns *turns, int64_t now)
{
    while (turns->running < turns->limit && turns->first != NULL) {
        dw_turn *turn = pop(turns);
        begin(turns, turn, now);
        pthread_cond_signal(&turn->admitted);
    }
}

static void
init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    dw_assert(failed == 0);
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    dw_assert(failed == 0);
    failed = pthread_cond_init(condition, &attributes);
    dw_assert(failed == 0);
    pthread_condattr_destroy(&attributes);
}

/* Waits until it is admitted or the time has come. */
static void
wait_until(dw_turns *turns, dw_turn *turn, int64_t until_us)
{
    struct timespec until = {.tv_sec = (time_t) (until_us / US_PER_S),
                             .tv_nsec = (long) (until_us % US_PER_S) * 1000};
    int failed = 0;
    while (!turn->is_held && failed == 0) {
        failed = pthread_cond_timedwait(&turn->admitted, &turns->mutex, &until);
    }
    dw_assert(failed == 0 || failed == ETIMEDOUT);
}

static void
wait_in_line(dw_turns *turns, dw_turn *turn, int64_t now)
{
    init_condition(&turn->admitted);
    append(turns, turn);
    int64_t since = now;
    while (!turn->is_held) {
        wait_until(turns, turn, since + DW_TURN_PATIENCE_US);
        since = turns->ended_us > since ? turns->ended_us : since;
        now = now_us(turns);
        bool is_enough = now - since >= DW_TURN_PATIENCE_US;
        if (!turn->is_held && is_enough && turns->first == turn) {
            /* All places are held, and for long: one of the holders loses its own. [TURNS-2] */
            (void) pop(turns);
            turns->running--;
            turns->overtaken++;
            turns->ended_us = now;
            begin(turns, turn, now);
        } else if (is_enough) {
            since = now;
        }
    }
    pthread_cond_destroy(&turn->admitted);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

void
dw__turn_take(dw_turns *turns, dw_turn *turn)
{
    *turn = (dw_turn){0};
    pthread_mutex_lock(&turns->mutex);
    int64_t now = now_us(turns);
    if (turns->running < turns->limit) {
        dw_assert(turns->first == NULL);
        begin(turns, turn, now);
    } else {
        wait_in_line(turns, turn, now);
    }
    pthread_mutex_unlock(&turns->mutex);
}

void
dw__turn_end(dw_turns *turns, dw_turn *turn)
{
    pthread_mutex_lock(&turns->mutex);
    dw_assert(turn->is_held);
    turn->is_held = false;
    int64_t now = now_us(turns);
    if (turns->overtaken > 0 && now - turn->began_us >= DW_TURN_PATIENCE_US) {
        turns->overtaken--;
    } else {
        dw_assert(turns->running > 0);
        turns->running--;
    }
    turns->ended_us = now;
    admit_next(turns, now);
    pthread_mutex_unlock(&turns->mutex);
}

size_t
dw__turns_waiting(dw_turns *turns)
{
    pthread_mutex_lock(&turns->mutex);
    size_t waiting = turns->waiting;
    pthread_mutex_unlock(&turns->mutex);
    return waiting;
}
