/*
 * Three-valued logic over sets of outcomes. A comparison with a constant is first turned into how
 * the values of a file may stand to the constant: less, equal, greater. [EVALUATE-1]
 */
#include "scan/evaluate.h"

#include "base/assert.h"
#include "base/checked.h"

#include <math.h>

#define MICROS_PER_DAY ((int64_t) 86400000000)
/* No zone is ever as much as a day from UTC. */
#define ZONE_DAYS_MAX 1

/* How a value that is not NULL may stand to the constant. */
enum { MAY_BE_LESS = 1, MAY_BE_EQUAL = 2, MAY_BE_GREATER = 4, MAY_BE_ANYTHING = 7 };

/* ---- Transforms ------------------------------------------------------------------------------ */

static int64_t
floor_div(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

/* A decimal as a double is at most a few units in the last place away from how the engine rounds
 * it; so is an integer beyond 2^53. */
static double
to_double(const dw_value *value, double towards)
{
    double result;
    if (value->kind == DW_VALUE_I64) {
        result = (double) value->as.i64;
    } else {
        result = (double) value->as.i128 / pow(10, value->scale);
    }
    for (int i = 0; i < 4; i++) {
        result = nextafter(result, towards);
    }
    return result;
}

/* The engine has infinite dates and times at the ends of their ranges, which do not scale. */
static bool
is_finite_time(int64_t value, bool is_date)
{
    int64_t limit = is_date ? INT64_MAX / MICROS_PER_DAY : INT64_MAX - 1;
    return value > -limit && value < limit;
}

/* Transforms a bound of a date or a time, and moves it outwards by what a zone can make of it. */
static bool
transform_time(dw_transform transform, bool is_min, int64_t *bound)
{
    int64_t slack = is_min ? -1 : 1;
    bool from_date =
        transform == DW_TRANSFORM_DATE_TO_MICROS || transform == DW_TRANSFORM_DATE_TO_MICROS_ZONED;
    bool to_date =
        transform == DW_TRANSFORM_MICROS_TO_DATE || transform == DW_TRANSFORM_MICROS_TO_DATE_ZONED;
    bool is_zoned = transform == DW_TRANSFORM_DATE_TO_MICROS_ZONED ||
                    transform == DW_TRANSFORM_MICROS_TO_DATE_ZONED ||
                    transform == DW_TRANSFORM_MICROS_ZONED;
    if (!is_finite_time(*bound, from_date)) {
        return false;
    }
    if (from_date) {
        *bound *= MICROS_PER_DAY;
    } else if (to_date) {
        *bound = floor_div(*bound, MICROS_PER_DAY);
    }
    if (is_zoned) {
        slack *= to_date ? ZONE_DAYS_MAX : ZONE_DAYS_MAX * MICROS_PER_DAY;
        return dw__checked_add_i64(*bound, slack, bound);
    }
    return true;
}

/* Applies the transform to a lower or an upper bound; false when the bound says nothing then. */
static bool
transform_bound(dw_transform transform, bool is_min, dw_value *bound)
{
    if (transform == DW_TRANSFORM_NONE) {
        return true;
    }
    if (transform != DW_TRANSFORM_TO_DOUBLE) {
        return bound->kind == DW_VALUE_I64 && transform_time(transform, is_min, &bound->as.i64);
    }
    if (bound->kind != DW_VALUE_I64 && bound->kind != DW_VALUE_DECIMAL) {
        return false;
    }
    bound->as.f64 = to_double(bound, (double) (is_min ? -INFINITY : INFINITY));
    bound->kind = DW_VALUE_DOUBLE;
    return true;
}

/* ---- Comparing bounds with a constant -------------------------------------------------------- */

static bool
is_nan(const dw_value *value)
{
    return value->kind == DW_VALUE_DOUBLE && isnan(value->as.f64);
}

/* How the values between two bounds (NULL-kind: none) may stand to the constant. */
static unsigned
relate(const dw_value *min, const dw_value *max, const dw_value *constant)
{
    unsigned relation = MAY_BE_ANYTHING;
    bool comparable;
    if (min->kind != DW_VALUE_NULL) {
        int order = dw__value_compare(min, constant, &comparable);
        if (comparable && order >= 0) {
            relation &= (unsigned) ~MAY_BE_LESS;
        }
        if (comparable && order > 0) {
            relation &= (unsigned) ~MAY_BE_EQUAL;
        }
    }
    if (max->kind != DW_VALUE_NULL) {
        int order = dw__value_compare(max, constant, &comparable);
        if (comparable && order <= 0) {
            relation &= (unsigned) ~MAY_BE_GREATER;
        }
        if (comparable && order < 0) {
            relation &= (unsigned) ~MAY_BE_EQUAL;
        }
    }
    return relation;
}

/* The bounds of a file after the transform of a leaf; NULL-kind: none. */
static void
transformed_bounds(const dw_predicate *leaf, const dw_column_facts *facts, size_t row,
                   dw_value *min_out, dw_value *max_out)
{
    dw__column_facts_bounds(facts, row, min_out, max_out);
    if (min_out->kind != DW_VALUE_NULL && !transform_bound(leaf->transform, true, min_out)) {
        min_out->kind = DW_VALUE_NULL;
    }
    if (max_out->kind != DW_VALUE_NULL && !transform_bound(leaf->transform, false, max_out)) {
        max_out->kind = DW_VALUE_NULL;
    }
}

static unsigned
relate_row(const dw_predicate *leaf, const dw_column_facts *facts, size_t row,
           const dw_value *constant)
{
    dw_value min, max;
    transformed_bounds(leaf, facts, row, &min, &max);
    unsigned relation = relate(&min, &max, constant);
    if (facts->may_hold_nan) {
        /* NaN is the greatest of all and equals itself. [FACTS-2] */
        relation |= is_nan(constant) ? MAY_BE_EQUAL : MAY_BE_GREATER;
    }
    return relation;
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

/* The outcomes of a comparison, from how values may stand to the constant. */
static uint8_t
outcomes_of_relation(dw_comparison comparison, unsigned relation)
{
    unsigned when_true = 0;
    switch (comparison) {
    case DW_COMPARISON_EQUAL:
    case DW_COMPARISON_NOT_DISTINCT:
        when_true = MAY_BE_EQUAL;
        break;
    case DW_COMPARISON_NOT_EQUAL:
    case DW_COMPARISON_DISTINCT:
        when_true = MAY_BE_LESS | MAY_BE_GREATER;
        break;
    case DW_COMPARISON_LESS:
        when_true = MAY_BE_LESS;
        break;
    case DW_COMPARISON_LESS_OR_EQUAL:
        when_true = MAY_BE_LESS | MAY_BE_EQUAL;
        break;
    case DW_COMPARISON_GREATER:
        when_true = MAY_BE_GREATER;
        break;
    case DW_COMPARISON_GREATER_OR_EQUAL:
        when_true = MAY_BE_GREATER | MAY_BE_EQUAL;
        break;
    }
    unsigned outcomes = (relation & when_true) != 0 ? DW_OUTCOME_TRUE : 0;
    outcomes |= (relation & ~when_true) != 0 ? DW_OUTCOME_FALSE : 0;
    return (uint8_t) outcomes;
}

/* What comparing NULL with a constant gives. */
static uint8_t
outcome_of_null(dw_comparison comparison)
{
    if (comparison == DW_COMPARISON_DISTINCT) {
        return DW_OUTCOME_TRUE;
    }
    return comparison == DW_COMPARISON_NOT_DISTINCT ? DW_OUTCOME_FALSE : DW_OUTCOME_NULL;
}

/* Outcomes by flags (NULLs and values) and relation, worked out once for a comparison. */
typedef struct outcome_table {
    uint8_t items[4][8];
} outcome_table;

static void
make_outcome_table(dw_comparison comparison, outcome_table *table)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        for (unsigned relation = 0; relation < 8; relation++) {
            unsigned outcomes = 0;
            if ((flags & DW_FACT_NULLS) != 0) {
                outcomes |= outcome_of_null(comparison);
            }
            if ((flags & DW_FACT_VALUES) != 0) {
                outcomes |= outcomes_of_relation(comparison, relation);
            }
            table->items[flags][relation] = (uint8_t) outcomes;
        }
    }
}

/* The common case, without a branch: missing bounds are the extremes. [FACTS-1] */
static void
compare_integers(const dw_column_facts *facts, int64_t constant, const outcome_table *table,
                 size_t first_row, size_t count, uint8_t *outcomes)
{
    const int64_t *min = (const int64_t *) facts->min + first_row;
    const int64_t *max = (const int64_t *) facts->max + first_row;
    const uint8_t *flags = facts->flags + first_row;
    for (size_t i = 0; i < count; i++) {
        unsigned less = min[i] < constant;
        unsigned greater = max[i] > constant;
        unsigned equal = (unsigned) (min[i] <= constant) & (unsigned) (max[i] >= constant);
        unsigned relation = less * MAY_BE_LESS | equal * MAY_BE_EQUAL | greater * MAY_BE_GREATER;
        outcomes[i] = table->items[flags[i] & 3][relation];
    }
}

static void
evaluate_compare(const dw_predicate *leaf, const dw_column_facts *facts, size_t first_row,
                 size_t count, uint8_t *outcomes)
{
    outcome_table table;
    make_outcome_table(leaf->comparison, &table);
    const dw_value *constant = leaf->values;
    if (facts->kind == DW_VALUE_I64 && leaf->transform == DW_TRANSFORM_NONE &&
        (constant->kind == DW_VALUE_I64 || constant->kind == DW_VALUE_BOOL)) {
        compare_integers(facts, constant->as.i64, &table, first_row, count, outcomes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned relation = relate_row(leaf, facts, first_row + i, constant);
        outcomes[i] = table.items[facts->flags[first_row + i] & 3][relation];
    }
}

/* The first value of a sorted list that is not less than `bound`. */
static size_t
lower_bound(const dw_predicate *leaf, const dw_value *bound)
{
    size_t low = 0;
    size_t high = leaf->value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool comparable;
        int order = dw__value_compare(&leaf->values[middle], bound, &comparable);
        if (comparable && order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* TRUE when a value of the list lies between the bounds. FALSE is excluded only when all rows equal
 * that value. */
static uint8_t
evaluate_in_row(const dw_predicate *leaf, const dw_column_facts *facts, size_t row)
{
    unsigned flags = facts->flags[row];
    unsigned outcomes = (flags & DW_FACT_NULLS) != 0 ? DW_OUTCOME_NULL : 0;
    if ((flags & DW_FACT_VALUES) == 0) {
        return (uint8_t) outcomes;
    }
    dw_value min, max;
    transformed_bounds(leaf, facts, row, &min, &max);
    size_t at = min.kind == DW_VALUE_NULL ? 0 : lower_bound(leaf, &min);
    unsigned relation = 0;
    if (at < leaf->value_count) {
        relation = relate(&min, &max, &leaf->values[at]);
    }
    if (facts->may_hold_nan) {
        bool nan_listed = leaf->value_count > 0 && is_nan(&leaf->values[leaf->value_count - 1]);
        relation |= nan_listed ? MAY_BE_EQUAL | MAY_BE_GREATER : MAY_BE_GREATER;
    }
    outcomes |= (relation & MAY_BE_EQUAL) != 0 ? DW_OUTCOME_TRUE : 0;
    if (relation != MAY_BE_EQUAL) {
        outcomes |= leaf->has_null ? DW_OUTCOME_NULL : DW_OUTCOME_FALSE;
    }
    return (uint8_t) outcomes;
}

static void
evaluate_null_test(const dw_predicate *leaf, const dw_column_facts *facts, size_t first_row,
                   size_t count, uint8_t *outcomes)
{
    bool is_null = leaf->kind == DW_PREDICATE_IS_NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned flags = facts->flags[first_row + i];
        unsigned with_nulls = is_null ? DW_OUTCOME_TRUE : DW_OUTCOME_FALSE;
        unsigned with_values = is_null ? DW_OUTCOME_FALSE : DW_OUTCOME_TRUE;
        outcomes[i] = (uint8_t) (((flags & DW_FACT_NULLS) != 0 ? with_nulls : 0) |
                                 ((flags & DW_FACT_VALUES) != 0 ? with_values : 0));
    }
}

/* What a leaf gives when nothing is known of its column. */
static uint8_t
outcomes_without_facts(const dw_predicate *leaf)
{
    bool never_null = leaf->kind == DW_PREDICATE_IS_NULL ||
                      leaf->kind == DW_PREDICATE_IS_NOT_NULL ||
                      (leaf->kind == DW_PREDICATE_COMPARE &&
                       outcome_of_null(leaf->comparison) != DW_OUTCOME_NULL);
    return never_null ? DW_OUTCOME_TRUE | DW_OUTCOME_FALSE : DW_OUTCOME_ANY;
}

static void
evaluate_leaf(const dw_predicate *leaf, const dw_column_facts *facts, size_t first_row,
              size_t count, uint8_t *outcomes)
{
    if (facts == NULL) {
        memset(outcomes, outcomes_without_facts(leaf), count);
    } else if (leaf->kind == DW_PREDICATE_COMPARE) {
        evaluate_compare(leaf, facts, first_row, count, outcomes);
    } else if (leaf->kind == DW_PREDICATE_IN) {
        for (size_t i = 0; i < count; i++) {
            outcomes[i] = evaluate_in_row(leaf, facts, first_row + i);
        }
    } else {
        evaluate_null_test(leaf, facts, first_row, count, outcomes);
    }
}

/* ---- Logic ----------------------------------------------------------------------------------- */

/* AND of two sets of outcomes; OR is the same with TRUE and FALSE exchanged. */
static unsigned
and_outcomes(unsigned a, unsigned b)
{
    unsigned result = a & b & DW_OUTCOME_TRUE;
    result |= (a | b) & DW_OUTCOME_FALSE;
    unsigned a_not_false = a & (DW_OUTCOME_TRUE | DW_OUTCOME_NULL);
    unsigned b_not_false = b & (DW_OUTCOME_TRUE | DW_OUTCOME_NULL);
    if (a_not_false != 0 && b_not_false != 0) {
        result |= (a | b) & DW_OUTCOME_NULL;
    }
    /* A file without rows has no outcome at all. */
    return a == 0 || b == 0 ? 0 : result;
}

static unsigned
not_outcomes(unsigned a)
{
    unsigned flipped = a & DW_OUTCOME_NULL;
    flipped |= (a & DW_OUTCOME_TRUE) != 0 ? DW_OUTCOME_FALSE : 0;
    flipped |= (a & DW_OUTCOME_FALSE) != 0 ? DW_OUTCOME_TRUE : 0;
    return flipped;
}

static void
combine(dw_predicate_kind kind, const uint8_t *other, size_t count, uint8_t *outcomes)
{
    uint8_t table[8][8];
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = 0; b < 8; b++) {
            unsigned both = kind == DW_PREDICATE_AND
                                ? and_outcomes(a, b)
                                : not_outcomes(and_outcomes(not_outcomes(a), not_outcomes(b)));
            table[a][b] = (uint8_t) both;
        }
    }
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = table[outcomes[i]][other[i]];
    }
}

/* Recursion is at most DW_PREDICATE_DEPTH_MAX deep. */
void
dw__predicate_evaluate(const dw_predicate *predicate, const dw_column_facts *const *facts,
                       size_t first_row, size_t count, uint8_t *outcomes)
{
    dw_assert(count <= DW_EVALUATE_ROWS_MAX);
    uint8_t other[DW_EVALUATE_ROWS_MAX];
    switch (predicate->kind) {
    case DW_PREDICATE_UNKNOWN:
        memset(outcomes, DW_OUTCOME_ANY, count);
        break;
    case DW_PREDICATE_CONSTANT:
        memset(outcomes, predicate->outcomes, count);
        break;
    case DW_PREDICATE_AND:
    case DW_PREDICATE_OR:
        dw__predicate_evaluate(predicate->children[0], facts, first_row, count, outcomes);
        for (size_t i = 1; i < predicate->child_count; i++) {
            dw__predicate_evaluate(predicate->children[i], facts, first_row, count, other);
            combine(predicate->kind, other, count, outcomes);
        }
        break;
    case DW_PREDICATE_NOT:
        dw__predicate_evaluate(predicate->children[0], facts, first_row, count, outcomes);
        for (size_t i = 0; i < count; i++) {
            outcomes[i] = (uint8_t) not_outcomes(outcomes[i]);
        }
        break;
    case DW_PREDICATE_COMPARE:
    case DW_PREDICATE_IN:
    case DW_PREDICATE_IS_NULL:
    case DW_PREDICATE_IS_NOT_NULL:
        evaluate_leaf(predicate, facts[predicate->column_idx], first_row, count, outcomes);
        break;
    }
}
