/*
 * What a row of the target must be like to matter to a MERGE, from the range of the source's keys:
 * files without such rows are not opened.
 */
#ifndef DW_SQL_MERGE_PRUNE_H
#define DW_SQL_MERGE_PRUNE_H

#include "sql/merge_plan.h"

/* Sets plan->prune. `ask` runs `select`, a SELECT list, over the source. */
DW_WARN_UNUSED dw_status dw__merge_prune(dw_merge_plan *plan,
                                         dw_status (*ask)(void *ctx, dw_str select,
                                                          dw_text_rows *out),
                                         void *ctx, int64_t *source_row_count_out);

#endif
