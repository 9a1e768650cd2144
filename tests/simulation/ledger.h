/*
 * What writers were told, to be compared with what storage holds in the end: an acknowledged change
 * is there exactly once, a refused one never, one of unknown outcome at most once.
 */
#ifndef DWT_SIMULATION_LEDGER_H
#define DWT_SIMULATION_LEDGER_H

#include "sim.h"

enum { LEDGER_ID_SIZE = 32 };

typedef enum ledger_end {
    LEDGER_OPEN, /* the writer crashed before it was told */
    LEDGER_ACKNOWLEDGED,
    LEDGER_REFUSED,
    LEDGER_UNKNOWN
} ledger_end;

typedef struct ledger_entry {
    char id[LEDGER_ID_SIZE]; /* "<actor>.<life>-<number>", or "<actor>:<number>" of a joined one */
    ledger_end end;
    int64_t version; /* when acknowledged; -1: not known */
    bool was_open;   /* a life ended, or an answer stayed out, while it was under way */
} ledger_entry;

typedef struct ledger {
    ledger_entry *items;
    size_t count;
    size_t capacity;
} ledger;

void ledger_deinit(ledger *book);

/* A new change of the actor's; returns its index. Its id is good until the next one. */
size_t ledger_begin(ledger *book, const sim_actor *actor);
/* A change that several lives of the actor try until it is in: the entry is theirs together. */
size_t ledger_join(ledger *book, const sim_actor *actor, int64_t number);
/* What the actor was told; nothing if it has crashed meanwhile. */
void ledger_finish(ledger *book, const sim_actor *actor, size_t idx, ledger_end end,
                   int64_t version);
/*
 * NULL, or what is wrong when the change is in storage `occurrences` times, the last at `version`.
 */
const char *ledger_fault(const ledger_entry *entry, size_t occurrences, int64_t version);

#endif
