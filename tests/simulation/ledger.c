/*
 * What writers were told.
 */
#include "ledger.h"

#include "base/assert.h"
#include "base/vec.h"

#include <stdio.h>
#include <string.h>

void
ledger_deinit(ledger *book)
{
    DW_VEC_DEINIT(dw__allocator_libc(), book);
}

static ledger_entry *
new_entry(ledger *book)
{
    ledger_entry *entry = DW_VEC_PUSH(dw__allocator_libc(), book);
    dw_assert(entry != NULL);
    entry->version = -1;
    return entry;
}

size_t
ledger_begin(ledger *book, const sim_actor *actor)
{
    ledger_entry *entry = new_entry(book);
    snprintf(entry->id, sizeof(entry->id), "%zu.%" PRId64 "-%zu", actor->number, actor->life,
             book->count);
    return book->count - 1;
}

size_t
ledger_join(ledger *book, const sim_actor *actor, int64_t number)
{
    char id[LEDGER_ID_SIZE];
    snprintf(id, sizeof(id), "%zu:%" PRId64, actor->number, number);
    for (size_t i = 0; i < book->count; i++) {
        ledger_entry *entry = &book->items[i];
        if (strcmp(entry->id, id) == 0) {
            entry->was_open = entry->was_open || entry->end != LEDGER_REFUSED;
            return i;
        }
    }
    memcpy(new_entry(book)->id, id, sizeof(id));
    return book->count - 1;
}

void
ledger_finish(ledger *book, const sim_actor *actor, size_t idx, ledger_end end, int64_t version)
{
    dw_assert(idx < book->count);
    ledger_entry *entry = &book->items[idx];
    if (sim_has_crashed(actor) || entry->end == LEDGER_ACKNOWLEDGED) {
        return;
    }
    /* An earlier try of unknown outcome may still be the one that got in. */
    entry->end = end == LEDGER_REFUSED && entry->was_open ? LEDGER_UNKNOWN : end;
    entry->version = version;
}

const char *
ledger_fault(const ledger_entry *entry, size_t occurrences, int64_t version)
{
    if (occurrences > 1) {
        return "is there more than once";
    }
    switch (entry->end) {
    case LEDGER_ACKNOWLEDGED:
        if (occurrences == 0) {
            return "was acknowledged and is lost";
        }
        return entry->version < 0 || version == entry->version
                   ? NULL
                   : "is not at the version that was acknowledged";
    case LEDGER_REFUSED:
        return occurrences == 0 ? NULL : "was refused and is there";
    case LEDGER_OPEN:
    case LEDGER_UNKNOWN:
        return NULL;
    }
    dw_unreachable("an end is one of those above");
}
