/*
 * Counting, inside of a query, the rows that miss conditions: a function that is given the truth of
 * each condition and returns which of them the row misses, as bits.
 *
 *  [JUDGE-1] Each row that the query gives is counted once, whatever thread of the engine sees it:
 *            the function is volatile, and stands in a column of its own that a filter above it
 *            reads, so that no filter moves below and nothing is evaluated twice.
 */
#ifndef DW_ENGINE_ROW_JUDGE_H
#define DW_ENGINE_ROW_JUDGE_H

#include "engine/database.h"

/* So that the bits of a row are a BIGINT that is not negative. */
#define DW_JUDGE_CONDITIONS_MAX ((size_t) 60)
#define DW_JUDGE_EXAMPLE_SIZE 1024

typedef struct dw_row_judge dw_row_judge;

typedef struct dw_judge_counts {
    int64_t row_count;
    int64_t missed[DW_JUDGE_CONDITIONS_MAX]; /* rows, for each condition */
    int64_t marked_count;                    /* rows that miss one of the marked conditions */
    char example[DW_JUDGE_EXAMPLE_SIZE];     /* the first that was not empty */
} dw_judge_counts;

/* For statements of the connection's database, until it is unbound. `marked` are bits. */
DW_WARN_UNUSED dw_status dw__connection_bind_judge(dw_connection *connection,
                                                   size_t condition_count, uint64_t marked,
                                                   dw_row_judge **out, dw_error *err);
/* NULL is fine. */
void dw__connection_unbind_judge(dw_connection *connection, dw_row_judge *judge);
/* Appends the expression of the bits. `example` is an expression of text, evaluated for all rows:
 * '' where there is nothing to show; conditions are never NULL. */
void dw__row_judge_print(const dw_row_judge *judge, dw_str example, const dw_str *conditions,
                         dw_strbuf *out);
/* What was counted so far; between statements. */
void dw__row_judge_counts(dw_row_judge *judge, dw_judge_counts *out);

#endif
