/*
 * A thread that draws on stderr. It wakes five times a second and ends within that time.
 */
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 200000000L
#define TICKS_BEFORE_BAR 10
#define BAR_CELLS 40

static struct {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    bool is_running;
    bool has_drawn;
    bool is_hidden;
    pthread_t thread;
    dw_session *session;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void
draw(double share, int ticks)
{
    double seconds = ticks * (TICK_NS / 1e9);
    if (share < 0 || !isfinite(share)) {
        fprintf(stderr, "\r\033[K  working, %.0f s", seconds);
        fflush(stderr);
        return;
    }
    int filled = (int) (share * BAR_CELLS);
    fprintf(stderr, "\r\033[K  ");
    for (int i = 0; i < BAR_CELLS; i++) {
        fputs(i < filled ? "█" : "░", stderr);
    }
    fprintf(stderr, " %3.0f %%, %.0f s", share * 100, seconds);
    fflush(stderr);
}

static void *
run(void *unused)
{
    (void) unused;
    pthread_mutex_lock(&state.mutex);
    for (int tick = 1; state.is_running; tick++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&state.wake, &state.mutex, &until);
        if (state.is_running && !state.is_hidden && tick > TICKS_BEFORE_BAR) {
            draw(dw_session_progress(state.session), tick);
            state.has_drawn = true;
        }
    }
    pthread_mutex_unlock(&state.mutex);
    return NULL;
}

void
progress_start(dw_session *session)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    state.session = session;
    state.is_running = true;
    state.has_drawn = false;
    state.is_hidden = false;
    if (pthread_create(&state.thread, NULL, run, NULL) != 0) {
        state.is_running = false; /* a statement without a bar is better than none */
    }
}

static void
wipe(void)
{
    if (state.has_drawn) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    state.has_drawn = false;
}

void
progress_hide(void)
{
    pthread_mutex_lock(&state.mutex);
    state.is_hidden = true;
    wipe();
    pthread_mutex_unlock(&state.mutex);
}

void
progress_stop(void)
{
    pthread_mutex_lock(&state.mutex);
    bool was_running = state.is_running;
    state.is_running = false;
    pthread_cond_signal(&state.wake);
    pthread_mutex_unlock(&state.mutex);
    if (!was_running) {
        return;
    }
    pthread_join(state.thread, NULL);
    wipe();
}
