/*
 * Statistics that a checkpoint has as a struct of typed columns instead of JSON (`stats_parsed`),
 * made JSON again. PROTOCOL.md "Checkpoint Schema"; checklist C7.
 *
 *  [PARSED-1] What JSON cannot say exactly is said as an outer bound, or left out. [STATS-2]
 */
#ifndef DW_LOG_PARSED_STATS_H
#define DW_LOG_PARSED_STATS_H

#include "engine/engine.h"
#include "protocol/stats.h"

typedef struct dw_parsed_stats {
    const dw_type *schema;
    const dw_str *partition_columns;
    size_t partition_count;
    size_t leaf_count;
    dw_column_spec spec; /* of the column `stats_parsed` */
} dw_parsed_stats;

/* What the column looks like for a table. Everything lives in `arena`. */
DW_WARN_UNUSED dw_status dw__parsed_stats_make(const dw_type *schema,
                                               const dw_str *partition_columns,
                                               size_t partition_count, dw_arena *arena,
                                               dw_parsed_stats *out, dw_error *err);
/* Appends the JSON of one row; nothing when the row has no statistics. */
DW_WARN_UNUSED dw_status dw__parsed_stats_print(const dw_parsed_stats *parsed,
                                                const dw_vector *column, size_t row,
                                                dw_arena *scratch, dw_strbuf *out, dw_error *err);

#endif
