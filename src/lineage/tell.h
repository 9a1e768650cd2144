/*
 * Telling others of a run: an event when it begins, and one when it ends. [EMIT-1]
 */
#ifndef DW_LINEAGE_TELL_H
#define DW_LINEAGE_TELL_H

#include "lineage/openlineage.h"

/* How a run ended. All borrowed. */
typedef struct dw_lineage_outcome {
    bool is_done;
    dw_str problem;                            /* where it is not */
    int64_t version;                           /* that it made; -1: none */
    bool alters;                               /* the table's definition */
    int64_t row_count, file_count, size_bytes; /* that were written; -1: not known */
    const dw_type *schema;                     /* of the table now; NULL: not known */
} dw_lineage_outcome;

/* Nobody is told where the emitter of the defaults is NULL. */
void dw__lineage_tell_start(dw_lineage *lineage, const dw_env *env,
                            const dw_lineage_defaults *defaults);
/* Only of what was told before. */
void dw__lineage_tell_end(dw_lineage *lineage, const dw_env *env,
                          const dw_lineage_defaults *defaults, const dw_lineage_outcome *outcome);

#endif
