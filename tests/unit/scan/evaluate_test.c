/*
 * Evaluating predicates over files: truth tables by hand, then random predicates on random files
 * whose statistics lack, cut and loosen things, against a plain evaluation row by row.
 */
#include "support/test.h"

#include "scan/evaluate.h"
#include "scan_schema.h"
#include "support/test_env.h"

#include <math.h>

#define ROUNDS 4000
#define ROWS_MAX 6
#define MICROS_PER_DAY INT64_C(86400000000)

typedef struct eval_world {
    dwt_env test;
    dw_arena arena;
    dw_predicate_scope scope;
} eval_world;

static void
init_world(eval_world *world)
{
    dwt_env_init(&world->test, 1);
    dw__arena_init(&world->arena, world->test.env.allocator);
    const dw_type *schema = scan_schema_make(&world->arena);
    assert_non_null(schema);
    dw__predicate_scope_init(&world->scope, &world->arena, schema, NULL, 0);
}

static void
deinit_world(eval_world *world)
{
    dw__arena_deinit(&world->arena);
    dwt_env_deinit(&world->test);
}

static size_t
column_of(eval_world *world, const char *name)
{
    size_t idx;
    size_t field = dw__schema_find_idx(world->scope.schema, dw__str_from(name));
    assert_true(dw__predicate_column(&world->scope, field, NULL, 0, &idx));
    assert_true(idx != SIZE_MAX);
    return idx;
}

static dw_value
integer(int64_t value)
{
    return (dw_value){.kind = DW_VALUE_I64, .as.i64 = value};
}

static dw_value
real(double value)
{
    return (dw_value){.kind = DW_VALUE_DOUBLE, .as.f64 = value};
}

/* ---- Truth tables ---------------------------------------------------------------------------- */

typedef struct truth {
    dw_comparison comparison;
    int64_t constant;
    bool has_min, has_max, has_nulls, has_values;
    int64_t min, max;
    unsigned outcomes;
} truth;

enum { T = DW_OUTCOME_TRUE, F = DW_OUTCOME_FALSE, N = DW_OUTCOME_NULL };

static const truth truths[] = {
    /* Bounds on both sides, no NULLs. */
    {DW_COMPARISON_EQUAL, 5, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_EQUAL, 0, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_EQUAL, 1, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_EQUAL, 10, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_EQUAL, 5, true, true, false, true, 5, 5, T},
    {DW_COMPARISON_NOT_EQUAL, 5, true, true, false, true, 5, 5, F},
    {DW_COMPARISON_NOT_EQUAL, 5, true, true, false, true, 5, 6, T | F},
    {DW_COMPARISON_LESS, 1, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_LESS, 2, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_LESS, 10, true, true, false, true, 1, 9, T},
    {DW_COMPARISON_LESS_OR_EQUAL, 1, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_LESS_OR_EQUAL, 0, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_LESS_OR_EQUAL, 9, true, true, false, true, 1, 9, T},
    {DW_COMPARISON_GREATER, 9, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_GREATER, 8, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_GREATER_OR_EQUAL, 9, true, true, false, true, 1, 9, T | F},
    {DW_COMPARISON_GREATER_OR_EQUAL, 10, true, true, false, true, 1, 9, F},
    {DW_COMPARISON_GREATER_OR_EQUAL, 1, true, true, false, true, 1, 9, T},
    /* NULLs, and nothing but NULLs. */
    {DW_COMPARISON_EQUAL, 0, true, true, true, true, 1, 9, F | N},
    {DW_COMPARISON_EQUAL, 5, false, false, true, false, 0, 0, N},
    {DW_COMPARISON_DISTINCT, 5, false, false, true, false, 0, 0, T},
    {DW_COMPARISON_NOT_DISTINCT, 5, false, false, true, false, 0, 0, F},
    {DW_COMPARISON_DISTINCT, 5, true, true, true, true, 5, 5, T | F},
    {DW_COMPARISON_DISTINCT, 5, true, true, false, true, 5, 5, F},
    {DW_COMPARISON_NOT_DISTINCT, 4, true, true, true, true, 5, 5, F},
    /* One bound or none. */
    {DW_COMPARISON_LESS, 5, false, true, false, true, 0, 9, T | F},
    {DW_COMPARISON_LESS, 5, false, true, false, true, 0, 4, T},
    {DW_COMPARISON_GREATER, 5, true, false, false, true, 6, 0, T},
    {DW_COMPARISON_LESS, 5, true, false, false, true, 6, 0, F},
    {DW_COMPARISON_EQUAL, 5, false, false, false, true, 0, 0, T | F},
    {DW_COMPARISON_LESS, INT64_MIN, false, false, false, true, 0, 0, F},
    {DW_COMPARISON_GREATER, INT64_MAX, false, false, false, true, 0, 0, F},
};

static unsigned
outcomes_of(const dw_predicate *predicate, const dw_column_facts *const *facts)
{
    uint8_t outcome;
    dw__predicate_evaluate(predicate, facts, 0, 1, &outcome);
    return outcome;
}

static void
test_comparison__gives_the_outcomes_that_bounds_allow(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof(truths) / sizeof(*truths); i++) {
        const truth *row = &truths[i];
        eval_world world;
        init_world(&world);
        size_t idx = column_of(&world, "id");
        dw_column_facts *facts = dw__column_facts_new(
            world.test.env.allocator, world.scope.columns[idx].path.type, DW_FACTS_STATISTICS, 1);
        dw_file_stats file = {.has_num_records = true, .num_records = 10, .tight_bounds = true};
        dw_column_stats stats = {.has_min = row->has_min,
                                 .has_max = row->has_max,
                                 .min = integer(row->min),
                                 .max = integer(row->max),
                                 .has_null_count = true};
        stats.null_count = !row->has_values ? 10 : row->has_nulls ? 3 : 0;
        assert_true(dw__column_facts_set_stats(facts, 0, &file, &stats));
        dw_value constant = integer(row->constant);
        const dw_predicate *leaf =
            dw__predicate_compare(&world.scope, idx, DW_TRANSFORM_NONE, row->comparison, &constant);
        const dw_column_facts *columns[] = {facts};
        if (outcomes_of(leaf, columns) != row->outcomes) {
            fail_msg("row %zu: expected %u, found %u", i, row->outcomes,
                     outcomes_of(leaf, columns));
        }
        const dw_predicate *not = dw__predicate_not(&world.scope, leaf);
        unsigned flipped = outcomes_of(not, columns);
        assert_int_equal(flipped & T, (row->outcomes & F) != 0 ? T : 0);
        assert_int_equal(flipped & F, (row->outcomes & T) != 0 ? F : 0);
        assert_int_equal(flipped & N, row->outcomes & N);
        dw__column_facts_free(facts);
        deinit_world(&world);
    }
}

static const dw_predicate *
compare_with(eval_world *world, const char *column, dw_comparison comparison, dw_value value)
{
    return dw__predicate_compare(&world->scope, column_of(world, column), DW_TRANSFORM_NONE,
                                 comparison, &value);
}

static void
test_floating_point__may_hold_nan_whatever_the_bounds_say(void **state)
{
    (void) state;
    eval_world world;
    init_world(&world);
    size_t idx = column_of(&world, "v");
    const dw_type *type = world.scope.columns[idx].path.type;
    dw_column_facts *facts =
        dw__column_facts_new(world.test.env.allocator, type, DW_FACTS_STATISTICS, 1);
    dw_file_stats file = {.has_num_records = true, .num_records = 10, .tight_bounds = true};
    dw_column_stats stats = {
        .has_min = true, .has_max = true, .min = real(1), .max = real(2), .has_null_count = true};
    assert_true(dw__column_facts_set_stats(facts, 0, &file, &stats));
    const dw_column_facts *columns[] = {facts};
    dw_value nan_value = real((double) NAN);
    assert_true(outcomes_of(compare_with(&world, "v", DW_COMPARISON_GREATER, real(5)), columns) &
                T);
    assert_true(outcomes_of(compare_with(&world, "v", DW_COMPARISON_EQUAL, nan_value), columns) &
                T);
    assert_true(outcomes_of(compare_with(&world, "v", DW_COMPARISON_NOT_EQUAL, real(1)), columns) &
                T);
    assert_true(
        outcomes_of(compare_with(&world, "v", DW_COMPARISON_LESS_OR_EQUAL, real(5)), columns) & F);
    /* What bounds do exclude. */
    assert_int_equal(outcomes_of(compare_with(&world, "v", DW_COMPARISON_EQUAL, real(5)), columns),
                     F);
    assert_int_equal(outcomes_of(compare_with(&world, "v", DW_COMPARISON_LESS, real(1)), columns),
                     F);
    assert_int_equal(
        outcomes_of(compare_with(&world, "v", DW_COMPARISON_GREATER, nan_value), columns), F);
    dw__column_facts_free(facts);
    deinit_world(&world);
}

static void
test_statistics__that_contradict_themselves_exclude_nothing(void **state)
{
    (void) state;
    eval_world world;
    init_world(&world);
    size_t idx = column_of(&world, "id");
    dw_column_facts *facts = dw__column_facts_new(
        world.test.env.allocator, world.scope.columns[idx].path.type, DW_FACTS_STATISTICS, 3);
    dw_file_stats file = {.has_num_records = true, .num_records = 4, .tight_bounds = true};
    dw_column_stats crossed = {
        .has_min = true, .has_max = true, .min = integer(9), .max = integer(1)};
    dw_column_stats all_null = {.has_min = true,
                                .has_max = true,
                                .min = integer(1),
                                .max = integer(2),
                                .has_null_count = true,
                                .null_count = 4};
    dw_value text = {.kind = DW_VALUE_STR, .as.str = DW_STR("7")};
    dw_column_stats other_kind = {.has_min = true, .min = text, .has_max = true, .max = text};
    assert_true(dw__column_facts_set_stats(facts, 0, &file, &crossed));
    assert_true(dw__column_facts_set_stats(facts, 1, &file, &all_null));
    assert_true(dw__column_facts_set_stats(facts, 2, &file, &other_kind));
    const dw_column_facts *columns[] = {facts};
    uint8_t outcomes[3];
    dw__predicate_evaluate(compare_with(&world, "id", DW_COMPARISON_EQUAL, integer(100)), columns,
                           0, 3, outcomes);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(outcomes[i], T | F | N);
    }
    dw__column_facts_free(facts);
    deinit_world(&world);
}

/* ---- Random predicates on random files ------------------------------------------------------- */

enum { COLUMN_COUNT = 8 };
static const char *const column_names[COLUMN_COUNT] = {"id", "v", "f", "s", "d", "tn", "b", "n"};

typedef struct random_file {
    size_t row_count;
    dw_value rows[ROWS_MAX][COLUMN_COUNT];
} random_file;

typedef struct random_case {
    eval_world world;
    uint64_t *seed;
    size_t columns[COLUMN_COUNT]; /* index in the scope */
    random_file file;
    int64_t zone_micros; /* what the session's time zone adds */
} random_case;

static size_t
below(random_case *random, size_t bound)
{
    return (size_t) dwt_random_below(random->seed, bound);
}

static dw_type_kind
kind_of(const random_case *random, size_t c)
{
    return random->world.scope.columns[random->columns[c]].path.type->kind;
}

/* Texts with a common beginning, bytes above 0x7f and the empty one. */
static dw_value
random_text(random_case *random)
{
    static const char *const texts[] = {"",    "a", "aa",       "ab",
                                        "abc", "b", "\xc3\xa9", "z\xf0\x9f\x98\x80"};
    dw_value value = {.kind = DW_VALUE_STR};
    value.as.str = dw__str_from(texts[below(random, sizeof(texts) / sizeof(*texts))]);
    return value;
}

static double
random_double(random_case *random)
{
    static const double values[] = {-1.5, -0.0, 0.0, 0.1, 1, 2.5, 1e300, (double) INFINITY};
    return values[below(random, sizeof(values) / sizeof(*values))];
}

static dw_value
random_value(random_case *random, dw_type_kind kind)
{
    if (kind == DW_TYPE_DOUBLE || kind == DW_TYPE_FLOAT) {
        double value = below(random, 8) == 0 ? (double) NAN : random_double(random);
        return real(kind == DW_TYPE_FLOAT ? (double) (float) value : value);
    }
    if (kind == DW_TYPE_STRING) {
        return random_text(random);
    }
    if (kind == DW_TYPE_BOOLEAN) {
        return (dw_value){.kind = DW_VALUE_BOOL, .as.i64 = (int64_t) below(random, 2)};
    }
    if (kind == DW_TYPE_DECIMAL) {
        return (dw_value){
            .kind = DW_VALUE_DECIMAL, .scale = 2, .as.i128 = (dw_i128) below(random, 700) - 350};
    }
    if (kind == DW_TYPE_TIMESTAMP_NTZ) {
        return integer((int64_t) below(random, 6) * (MICROS_PER_DAY / 2) - MICROS_PER_DAY +
                       (int64_t) below(random, 3));
    }
    if (kind == DW_TYPE_LONG && below(random, 10) == 0) {
        return integer((INT64_C(1) << 53) + (int64_t) below(random, 4));
    }
    return integer((int64_t) below(random, 12) - 6);
}

static void
make_rows(random_case *random)
{
    random->file.row_count = 1 + below(random, ROWS_MAX);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t null_chance = below(random, 3) == 0 ? 2 : 12;
        dw_value fixed = random_value(random, kind_of(random, c));
        bool is_fixed = below(random, 4) == 0;
        for (size_t r = 0; r < random->file.row_count; r++) {
            random->file.rows[r][c] = is_fixed ? fixed : random_value(random, kind_of(random, c));
            if (below(random, null_chance) == 0) {
                random->file.rows[r][c] = (dw_value){.kind = DW_VALUE_NULL};
            }
        }
    }
}

/* Order by value, NaN greatest; independent of the library's. Kinds are equal. */
static int
plain_compare(const dw_value *a, const dw_value *b)
{
    if (a->kind == DW_VALUE_STR) {
        return dw__str_compare(a->as.str, b->as.str);
    }
    if (a->kind == DW_VALUE_DECIMAL) {
        return a->as.i128 < b->as.i128 ? -1 : a->as.i128 > b->as.i128;
    }
    if (a->kind == DW_VALUE_DOUBLE) {
        if (isnan(a->as.f64) || isnan(b->as.f64)) {
            return (isnan(a->as.f64) ? 1 : 0) - (isnan(b->as.f64) ? 1 : 0);
        }
        return a->as.f64 < b->as.f64 ? -1 : a->as.f64 > b->as.f64;
    }
    return a->as.i64 < b->as.i64 ? -1 : a->as.i64 > b->as.i64;
}

/* Loosens a bound the way writers do, or makes it disappear. */
static void
loosen(random_case *random, dw_type_kind kind, dw_column_stats *stats)
{
    if (kind == DW_TYPE_TIMESTAMP_NTZ) {
        /* Cut to milliseconds; the reader of statistics has widened the maximum. */
        stats->min.as.i64 -= ((stats->min.as.i64 % 1000) + 1000) % 1000;
        stats->max.as.i64 += 999;
    }
    if (kind == DW_TYPE_STRING && below(random, 2) == 0) {
        stats->min.as.str = dw__str_slice(stats->min.as.str, 0, 1);
        stats->max.as.str = DW_STR("\xf4\x8f\xbf\xbf");
    }
    if (kind == DW_TYPE_LONG && below(random, 3) == 0) {
        stats->min.as.i64 -= (int64_t) below(random, 3);
        stats->max.as.i64 += (int64_t) below(random, 3);
    }
    stats->has_min = stats->has_min && below(random, 6) != 0;
    stats->has_max = stats->has_max && below(random, 6) != 0;
    stats->has_null_count = below(random, 6) != 0;
}

static dw_column_stats
column_stats(random_case *random, size_t c)
{
    dw_column_stats stats = {.has_min = false};
    for (size_t r = 0; r < random->file.row_count; r++) {
        const dw_value *value = &random->file.rows[r][c];
        if (value->kind == DW_VALUE_NULL) {
            stats.null_count++;
            continue;
        }
        if (value->kind == DW_VALUE_DOUBLE && isnan(value->as.f64)) {
            continue; /* JSON has no NaN */
        }
        if (!stats.has_min || plain_compare(value, &stats.min) < 0) {
            stats.min = *value;
        }
        if (!stats.has_max || plain_compare(value, &stats.max) > 0) {
            stats.max = *value;
        }
        stats.has_min = stats.has_max = true;
    }
    loosen(random, kind_of(random, c), &stats);
    return stats;
}

static dw_column_facts *
make_facts(random_case *random, size_t c)
{
    const dw_type *type = random->world.scope.columns[random->columns[c]].path.type;
    const dw_allocator *allocator = random->world.test.env.allocator;
    bool is_constant = true;
    for (size_t r = 1; r < random->file.row_count; r++) {
        const dw_value *first = &random->file.rows[0][c];
        const dw_value *value = &random->file.rows[r][c];
        is_constant = is_constant && first->kind == value->kind &&
                      (first->kind == DW_VALUE_NULL || plain_compare(first, value) == 0);
    }
    if (is_constant && below(random, 2) == 0) {
        dw_column_facts *facts = dw__column_facts_new(allocator, type, DW_FACTS_PARTITION, 1);
        assert_true(dw__column_facts_set_value(facts, 0, &random->file.rows[0][c]));
        return facts;
    }
    if (below(random, 12) == 0) {
        return NULL;
    }
    dw_column_facts *facts = dw__column_facts_new(allocator, type, DW_FACTS_STATISTICS, 1);
    dw_file_stats file = {.has_num_records = below(random, 6) != 0,
                          .num_records = (int64_t) random->file.row_count,
                          .tight_bounds = true};
    dw_column_stats stats = column_stats(random, c);
    assert_true(dw__column_facts_set_stats(facts, 0, &file, &stats));
    return facts;
}

static dw_transform
random_transform(random_case *random, dw_type_kind kind)
{
    if (below(random, 2) == 0) {
        return DW_TRANSFORM_NONE;
    }
    if (kind == DW_TYPE_LONG || kind == DW_TYPE_DECIMAL) {
        return DW_TRANSFORM_TO_DOUBLE;
    }
    if (kind == DW_TYPE_DATE) {
        return below(random, 2) == 0 ? DW_TRANSFORM_DATE_TO_MICROS
                                     : DW_TRANSFORM_DATE_TO_MICROS_ZONED;
    }
    if (kind == DW_TYPE_TIMESTAMP_NTZ) {
        static const dw_transform transforms[] = {DW_TRANSFORM_MICROS_TO_DATE,
                                                  DW_TRANSFORM_MICROS_TO_DATE_ZONED,
                                                  DW_TRANSFORM_MICROS_ZONED};
        return transforms[below(random, 3)];
    }
    return DW_TRANSFORM_NONE;
}

static int64_t
plain_day(int64_t micros)
{
    return (micros - (((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY)) /
           MICROS_PER_DAY;
}

static dw_value
plain_transform(const random_case *random, dw_transform transform, dw_value value)
{
    switch (transform) {
    case DW_TRANSFORM_NONE:
        break;
    case DW_TRANSFORM_TO_DOUBLE:
        return real(value.kind == DW_VALUE_I64 ? (double) value.as.i64
                                               : (double) value.as.i128 / 100);
    case DW_TRANSFORM_DATE_TO_MICROS:
        return integer(value.as.i64 * MICROS_PER_DAY);
    case DW_TRANSFORM_DATE_TO_MICROS_ZONED:
        return integer(value.as.i64 * MICROS_PER_DAY - random->zone_micros);
    case DW_TRANSFORM_MICROS_TO_DATE:
        return integer(plain_day(value.as.i64));
    case DW_TRANSFORM_MICROS_TO_DATE_ZONED:
        return integer(plain_day(value.as.i64 + random->zone_micros));
    case DW_TRANSFORM_MICROS_ZONED:
        return integer(value.as.i64 + random->zone_micros);
    }
    return value;
}

/* A constant of the transformed type, often near the values. */
static dw_value
random_constant(random_case *random, dw_type_kind kind, dw_transform transform)
{
    if (below(random, 20) == 0) {
        return (dw_value){.kind = DW_VALUE_NULL};
    }
    return plain_transform(random, transform, random_value(random, kind));
}

static const dw_predicate *
random_leaf(random_case *random)
{
    size_t c = below(random, COLUMN_COUNT);
    dw_predicate_scope *scope = &random->world.scope;
    dw_transform transform = random_transform(random, kind_of(random, c));
    dw_value values[5];
    for (size_t i = 0; i < 5; i++) {
        values[i] = random_constant(random, kind_of(random, c), transform);
    }
    switch (below(random, 8)) {
    case 0:
        return dw__predicate_null_test(scope, DW_PREDICATE_IS_NULL, random->columns[c]);
    case 1:
        return dw__predicate_null_test(scope, DW_PREDICATE_IS_NOT_NULL, random->columns[c]);
    case 2:
        return dw__predicate_in(scope, random->columns[c], transform, values, below(random, 6));
    default:
        return dw__predicate_compare(scope, random->columns[c], transform,
                                     (dw_comparison) below(random, 8), &values[0]);
    }
}

static const dw_predicate *
random_predicate(random_case *random, size_t depth)
{
    dw_predicate_scope *scope = &random->world.scope;
    const dw_predicate *children[3];
    size_t choice = depth == 0 ? 9 : below(random, 10);
    if (choice >= 5) {
        return below(random, 15) == 0 ? dw__predicate_unknown() : random_leaf(random);
    }
    size_t count = 1 + below(random, 3);
    for (size_t i = 0; i < count; i++) {
        children[i] = random_predicate(random, depth - 1);
    }
    if (choice == 0) {
        return dw__predicate_not(scope, children[0]);
    }
    return dw__predicate_junction(scope, choice < 3 ? DW_PREDICATE_AND : DW_PREDICATE_OR, children,
                                  count);
}

static unsigned
plain_comparison(dw_comparison comparison, int order)
{
    bool holds = false;
    switch (comparison) {
    case DW_COMPARISON_EQUAL:
    case DW_COMPARISON_NOT_DISTINCT:
        holds = order == 0;
        break;
    case DW_COMPARISON_NOT_EQUAL:
    case DW_COMPARISON_DISTINCT:
        holds = order != 0;
        break;
    case DW_COMPARISON_LESS:
        holds = order < 0;
        break;
    case DW_COMPARISON_LESS_OR_EQUAL:
        holds = order <= 0;
        break;
    case DW_COMPARISON_GREATER:
        holds = order > 0;
        break;
    case DW_COMPARISON_GREATER_OR_EQUAL:
        holds = order >= 0;
        break;
    }
    return holds ? T : F;
}

static unsigned
plain_leaf(const random_case *random, const dw_predicate *leaf, size_t row)
{
    size_t c = 0;
    while (random->columns[c] != leaf->column_idx) {
        c++;
    }
    const dw_value *value = &random->file.rows[row][c];
    bool is_null = value->kind == DW_VALUE_NULL;
    if (leaf->kind == DW_PREDICATE_IS_NULL || leaf->kind == DW_PREDICATE_IS_NOT_NULL) {
        return is_null == (leaf->kind == DW_PREDICATE_IS_NULL) ? T : F;
    }
    if (is_null) {
        return leaf->kind == DW_PREDICATE_COMPARE && leaf->comparison == DW_COMPARISON_DISTINCT ? T
               : leaf->kind == DW_PREDICATE_COMPARE &&
                       leaf->comparison == DW_COMPARISON_NOT_DISTINCT
                   ? F
                   : N;
    }
    dw_value transformed = plain_transform(random, leaf->transform, *value);
    if (leaf->kind == DW_PREDICATE_COMPARE) {
        return plain_comparison(leaf->comparison, plain_compare(&transformed, leaf->values));
    }
    for (size_t i = 0; i < leaf->value_count; i++) {
        if (plain_compare(&transformed, &leaf->values[i]) == 0) {
            return T;
        }
    }
    return leaf->has_null ? N : F;
}

/* What the predicate is for a row; every outcome where it is not known. */
static unsigned
plain_evaluate(const random_case *random, const dw_predicate *predicate, size_t row)
{
    if (predicate->kind == DW_PREDICATE_UNKNOWN) {
        return 0;
    }
    if (predicate->kind == DW_PREDICATE_CONSTANT) {
        return predicate->outcomes;
    }
    if (predicate->kind == DW_PREDICATE_NOT) {
        unsigned inner = plain_evaluate(random, predicate->children[0], row);
        return inner == T ? F : inner == F ? T : inner;
    }
    if (predicate->kind != DW_PREDICATE_AND && predicate->kind != DW_PREDICATE_OR) {
        return plain_leaf(random, predicate, row);
    }
    unsigned deciding = predicate->kind == DW_PREDICATE_AND ? F : T;
    unsigned result = deciding == F ? T : F;
    for (size_t i = 0; i < predicate->child_count; i++) {
        unsigned child = plain_evaluate(random, predicate->children[i], row);
        if (child == deciding) {
            return deciding;
        }
        /* 0, not known, is carried along; NULL comes second. */
        result = child == 0 || result == 0 ? 0 : child == N ? N : result;
    }
    return result;
}

typedef struct tally {
    size_t excluded; /* no row is wanted, and evaluation knew */
    size_t missed;   /* no row is wanted, but evaluation did not know */
} tally;

static void
check_file(random_case *random, const dw_predicate *predicate, uint64_t seed, tally *total)
{
    dw_column_facts *made[COLUMN_COUNT];
    const dw_column_facts *facts[COLUMN_COUNT];
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        made[c] = make_facts(random, c);
        facts[random->columns[c]] = made[c];
    }
    unsigned possible = outcomes_of(predicate, facts);
    bool wanted = false;
    for (size_t row = 0; row < random->file.row_count; row++) {
        unsigned outcome = plain_evaluate(random, predicate, row);
        wanted = wanted || outcome == T || outcome == 0;
        if ((outcome & ~possible) != 0) {
            dw_strbuf text = dw__strbuf_make(random->world.test.env.allocator, 65536);
            dw__predicate_print(&text, &random->world.scope, predicate);
            fail_msg("seed %llu: %s is %u for row %zu, which evaluation excludes (%u)",
                     (unsigned long long) seed, dw__strbuf_cstr(&text), outcome, row, possible);
        }
    }
    if (!wanted) {
        total->excluded += (possible & T) == 0 ? 1 : 0;
        total->missed += (possible & T) == 0 ? 0 : 1;
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        dw__column_facts_free(made[c]);
    }
}

static void
test_evaluation__never_excludes_what_a_row_is(void **state)
{
    (void) state;
    tally total = {0, 0};
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t seed = round * 7919 + 1;
        random_case random = {.seed = &seed};
        init_world(&random.world);
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            random.columns[c] = column_of(&random.world, column_names[c]);
        }
        random.zone_micros = ((int64_t) below(&random, 31) - 15) * (MICROS_PER_DAY / 24);
        const dw_predicate *predicate = random_predicate(&random, 3);
        for (size_t file = 0; file < 8; file++) {
            make_rows(&random);
            check_file(&random, predicate, round, &total);
        }
        deinit_world(&random.world);
    }
    /* Sound is easy for who never excludes anything. */
    assert_true(total.excluded > total.missed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparison__gives_the_outcomes_that_bounds_allow),
        cmocka_unit_test(test_floating_point__may_hold_nan_whatever_the_bounds_say),
        cmocka_unit_test(test_statistics__that_contradict_themselves_exclude_nothing),
        cmocka_unit_test(test_evaluation__never_excludes_what_a_row_is),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
