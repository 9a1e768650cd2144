/*
 * Signals. The handler only does what is allowed in one: an atomic load, dw_session_cancel (made
 * for it), and _exit.
 */
#include "interrupt.h"

#include "error.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define INTERRUPTS_BEFORE_EXIT 3

static _Atomic(dw_session *) watched_session;
static atomic_int interrupt_count;
/* What to go back to; only read and written between statements. */
static struct sigaction interrupt_before;
static struct sigaction terminate_before;

static void
on_signal(int number)
{
    (void) number;
    dw_session *session = atomic_load(&watched_session);
    if (session != NULL) {
        dw_session_cancel(session);
    }
    /* Whoever presses it again and again wants out, even if the cancelling hangs. */
    if (atomic_fetch_add(&interrupt_count, 1) + 1 >= INTERRUPTS_BEFORE_EXIT) {
        _exit(EXIT_INTERRUPTED);
    }
}

void
interrupt_watch(dw_session *session)
{
    atomic_store(&interrupt_count, 0);
    atomic_store(&watched_session, session);
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &interrupt_before);
    sigaction(SIGTERM, &action, &terminate_before);
}

void
interrupt_unwatch(void)
{
    sigaction(SIGINT, &interrupt_before, NULL);
    sigaction(SIGTERM, &terminate_before, NULL);
    atomic_store(&watched_session, NULL);
}

static void
do_nothing(int number)
{
    (void) number;
}

void
interrupt_ignore(void)
{
    struct sigaction action = {.sa_handler = do_nothing}; /* no SA_RESTART: reading gives EINTR */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}
