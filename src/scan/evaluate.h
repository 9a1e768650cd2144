/*
 * Evaluating a predicate over files instead of rows: what it may come out as for the rows of each.
 *
 *  [EVALUATE-1] An outcome that some row of the file has is never missing from the result, whatever
 *               the rows are, as long as the facts hold for them.
 */
#ifndef DW_SCAN_EVALUATE_H
#define DW_SCAN_EVALUATE_H

#include "scan/facts.h"
#include "scan/predicate.h"

#define DW_EVALUATE_ROWS_MAX ((size_t) 1024)

/* `facts` has an entry for each column of the predicate's scope; NULL: nothing is known of it.
 * Writes the possible outcomes (DW_OUTCOME_...) of the files [first_row, first_row + count). */
void dw__predicate_evaluate(const dw_predicate *predicate, const dw_column_facts *const *facts,
                            size_t first_row, size_t count, uint8_t *outcomes);

#endif
