/*
 * The definition of a table that takes over that of another state: an older one of its own
 * (RESTORE) or another table's (CLONE). PROTOCOL.md "Protocol Evolution", "Column Mapping",
 * "Identity Columns", "In-Commit Timestamps".
 *
 *  [DEFINITION-COPY-1] The protocol is never lowered: what older versions need stays asked for.
 *  [DEFINITION-COPY-2] What must not go back does not: identity marks, ids of columns.
 *  [DEFINITION-COPY-3] What tells of the table's own commits stays its own: since when in-commit
 *                      timestamps hold, which versions are protected, the names of row tracking's
 *                      columns.
 */
#ifndef DW_UPKEEP_DEFINITION_COPY_H
#define DW_UPKEEP_DEFINITION_COPY_H

#include "log/log.h"

typedef struct dw_definition_copy {
    const dw_log_snapshot *wanted;
    const dw_log_snapshot *current; /* NULL: the table is new */
    bool is_same_table;             /* `wanted` is an older state of `current` */
    dw_pairs overrides;             /* TBLPROPERTIES, checked; they may ask for features */
    /* Filled in. Id, name and description are those of `wanted`. */
    const dw_type *schema;
    dw_metadata metadata;
    dw_protocol protocol;
} dw_definition_copy;

/* Everything in `arena`, or borrowed from the two snapshots. DW_UNSUPPORTED (FEATURE_UNSUPPORTED)
 * when it is a table that we cannot write to. */
DW_WARN_UNUSED dw_status dw__definition_copy(dw_definition_copy *copy, dw_arena *arena,
                                             dw_error *err);
/* True when the metadata that it came to is all that of a snapshot, and the protocol, too. */
bool dw__definition_copy_equals(const dw_definition_copy *copy, const dw_log_snapshot *snapshot);

/* The action, if there is one, that makes clustering what it is in `wanted`. */
DW_WARN_UNUSED bool dw__definition_copy_clustering(const dw_definition_copy *copy, dw_action *out);

#endif
