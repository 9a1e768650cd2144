/*
 * What another writer may have done to a table's protocol and metadata for a change that was made
 * ready before it to stay valid. The lists are those of the reference's ConflictChecker.
 *
 *  [DEFINITION-1] A change of the definition that is not on a list stops what was made ready
 *                 before.
 */
#ifndef DW_TXN_DEFINITION_H
#define DW_TXN_DEFINITION_H

#include "protocol/feature.h"

/* A table's definition at some version. Borrowed. */
typedef struct dw_definition {
    const dw_protocol *protocol; /* NULL: there is no table yet */
    const dw_metadata *metadata;
} dw_definition;

/* True when `after` lacks no feature of `before`, and none that it adds asks anything of data. */
bool dw__protocol_change_is_harmless(const dw_protocol *before, const dw_protocol *after);
/* True when a writer that drops features must not come behind one that did `action`. */
bool dw__protocol_drop_forbids(const dw_protocol *before, const dw_protocol *after,
                               const dw_action *action);
/* True when `after` only enables what is on the list. `before` has the newest protocol. */
DW_WARN_UNUSED dw_status dw__metadata_change_is_harmless(dw_definition before,
                                                         const dw_metadata *after, dw_arena *arena,
                                                         bool *out, dw_error *err);

#endif
