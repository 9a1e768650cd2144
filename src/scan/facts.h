/*
 * What is known of one column in each file of a block, in compact columns: bounds and whether there
 * are NULLs and values. It comes from statistics or from partition values.
 *
 *  [FACTS-1] What is not known is wide: no bound, NULLs and values possible.
 *  [FACTS-2] Bounds hold for all rows of the file that are neither NULL nor NaN. Statistics never
 *            tell whether there are NaNs, so a floating-point column may hold some.
 *  [FACTS-3] Some writers do not count a field as NULL where its whole struct is: a null count of 0
 *            means nothing for a nested field.
 *  [FACTS-4] Facts do not change once they are shared.
 */
#ifndef DW_SCAN_FACTS_H
#define DW_SCAN_FACTS_H

#include "protocol/stats.h"

/* Of one file. */
enum {
    DW_FACT_NULLS = 1,  /* some row may be NULL */
    DW_FACT_VALUES = 2, /* some row may be other than NULL */
    DW_FACT_MIN = 4,    /* there is a lower bound */
    DW_FACT_MAX = 8     /* there is an upper bound */
};

typedef enum dw_facts_origin {
    DW_FACTS_PARTITION,
    DW_FACTS_STATISTICS,
    DW_FACTS_STATISTICS_NESTED /* of a field of a struct */
} dw_facts_origin;

/* A text in dw_column_facts.texts. */
typedef struct dw_fact_text {
    uint32_t offset, len;
} dw_fact_text;

typedef struct dw_column_facts {
    const dw_allocator *allocator;
    size_t row_count;
    dw_value_kind kind; /* of the bounds: I64 (also for booleans), DOUBLE, DECIMAL, STR */
    uint8_t scale;      /* DECIMAL */
    dw_facts_origin origin;
    bool may_hold_nan; /* beside what the bounds say [FACTS-2] */
    uint8_t *flags;    /* DW_FACT_... */
    /* int64_t, double, dw_i128 or dw_fact_text. Where a bound is missing an int64_t is the extreme
     * of its type; others say nothing without their flag. */
    void *min, *max;
    dw_strbuf texts;
    dw_fact_text last_text; /* stored last: neighbours are often equal */
} dw_column_facts;

/* Facts of `row_count` files of which nothing is known yet; NULL when out of memory. */
dw_column_facts *dw__column_facts_new(const dw_allocator *allocator, const dw_type *type,
                                      dw_facts_origin origin, size_t row_count);
void dw__column_facts_free(dw_column_facts *facts);

/* False when out of memory. Bounds of another kind than the column's are not taken. */
DW_WARN_UNUSED bool dw__column_facts_set_stats(dw_column_facts *facts, size_t row,
                                               const dw_file_stats *file,
                                               const dw_column_stats *column);
/* Every row of the file has this value. */
DW_WARN_UNUSED bool dw__column_facts_set_value(dw_column_facts *facts, size_t row,
                                               const dw_value *value);

/* The bounds of a file as values; `*min_out` or `*max_out` is NULL-kind where there is none. Texts
 * are borrowed. */
void dw__column_facts_bounds(const dw_column_facts *facts, size_t row, dw_value *min_out,
                             dw_value *max_out);

typedef dw_column_facts *dw_column_facts_ptr;

static inline void
dw__dw_column_facts_ptr_cleanup(dw_column_facts_ptr *facts)
{
    dw__column_facts_free(*facts);
}

#endif
