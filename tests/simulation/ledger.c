/*
 * What writers were told.
 */
#include "ledger.h"

#include "base/assert.h"
#include "base/vec.h"

#include <stdio.h>

void
ledger_deinit(ledger *book)
{
    DW_VEC_DEINIT(dw__allocator_libc(), book);
}

size_t
ledger_begin(ledger *book, const sim_actor *actor)
{
    ledger_entry *entry = DW_VEC_PUSH(dw__allocator_libc(), book);
    dw_assert(entry != NULL);
    snprintf(entry->id, sizeof(entry->id), "%zu.%" PRId64 "-%zu", actor->number, actor->life,
             book->count);
    entry->version = -1;
    return book->count - 1;
}

void
ledger_finish(ledger *book, const sim_actor *actor, size_t idx, ledger_end end, int64_t version)
{
    dw_assert(idx < book->count);
    if (!sim_has_crashed(actor)) {
        book->items[idx].end = end;
        book->items[idx].version = version;
    }
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
        return version == entry->version ? NULL : "is not at the version that was acknowledged";
    case LEDGER_REFUSED:
        return occurrences == 0 ? NULL : "was refused and is there";
    case LEDGER_OPEN:
    case LEDGER_UNKNOWN:
        return NULL;
    }
    dw_unreachable("an end is one of those above");
}
