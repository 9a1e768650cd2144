/*
 * Thresholds of profiles: properties deltaworks.profile.<limit> of the table, and
 * deltaworks.profile.<column>.<limit>.
 */
#include "base/vec.h"
#include "protocol/property.h"
#include "upkeep/profile.h"

#include <inttypes.h>

#define PREFIX DW_STR("deltaworks.profile.")
#define SECOND_MS 1000
#define AN_INTERVAL "an interval such as 'interval 1 day'"

typedef struct violation_vec {
    dw_profile_violation *items;
    size_t count, capacity;
} violation_vec;

typedef struct judging {
    const dw_profile *profile;
    int64_t now_ms;
    dw_arena *arena;
    violation_vec found;
    dw_error *err;
} judging;

static dw_status
find_violation(judging *j, dw_str column, dw_str text)
{
    dw_profile_violation *slot = DW_VEC_PUSH(j->arena->allocator, &j->found);
    if (slot == NULL || dw__str_is_null(text)) {
        return dw__error_oom(j->err);
    }
    *slot = (dw_profile_violation){column, text};
    return DW_OK;
}

/* A property that says nothing that can be judged is told as if it was violated. */
static dw_status
refuse(judging *j, const dw_pair *pair, const char *expected)
{
    return find_violation(
        j, DW_STR_NULL,
        dw__arena_printf(j->arena, "'%.*s' = '%.*s' cannot be judged: expected %s",
                         DW_STR_ARG(pair->key), DW_STR_ARG(pair->value), expected));
}

/* ---- Limits ---------------------------------------------------------------------------------- */

typedef enum limit_kind {
    LIMIT_MAX_NULL_FRACTION,
    LIMIT_MIN_DISTINCT,
    LIMIT_MAX_DISTINCT,
    LIMIT_MIN,
    LIMIT_MAX,
    LIMIT_MIN_ROWS,
    LIMIT_MAX_ROWS,
    LIMIT_MAX_AGE,
    LIMIT_NONE
} limit_kind;

typedef struct limit_spec {
    const char *name;
    bool of_table, of_column;
} limit_spec;

static const limit_spec limits[] = {
    [LIMIT_MAX_NULL_FRACTION] = {"maxNullFraction", false, true},
    [LIMIT_MIN_DISTINCT] = {"minDistinct", false, true},
    [LIMIT_MAX_DISTINCT] = {"maxDistinct", false, true},
    [LIMIT_MIN] = {"min", false, true},
    [LIMIT_MAX] = {"max", false, true},
    [LIMIT_MIN_ROWS] = {"minRows", true, false},
    [LIMIT_MAX_ROWS] = {"maxRows", true, false},
    [LIMIT_MAX_AGE] = {"maxAge", true, true},
};

static limit_kind
find_limit(dw_str name, bool of_table)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        bool fits = of_table ? limits[i].of_table : limits[i].of_column;
        if (fits && dw__str_equal(name, dw__str_from(limits[i].name))) {
            return (limit_kind) i;
        }
    }
    return LIMIT_NONE;
}

/* Behind the prefix: limit, or column.limit, where the column's name may have dots. The null
 * string: of the table. */
static limit_kind
read_key(dw_str key, dw_str *column_out)
{
    dw_str name = dw__str_slice(key, PREFIX.len, key.len);
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.') {
        dot--;
    }
    *column_out = dot == 0 ? DW_STR_NULL : dw__str_slice(name, 0, dot - 1);
    return find_limit(dw__str_slice(name, dot, name.len), dot == 0);
}

static const char *
expected_name(dw_str column)
{
    return dw__str_is_null(column) ? "minRows, maxRows or maxAge behind the prefix"
                                   : "maxNullFraction, minDistinct, maxDistinct, min, max or "
                                     "maxAge behind the column";
}

/* What a value must be; NULL: it is. */
static const char *
expected_value(limit_kind kind, dw_str value)
{
    double number;
    int64_t interval_ms;
    if (kind == LIMIT_MAX_AGE) {
        return dw__interval_parse(value, &interval_ms) ? NULL : AN_INTERVAL;
    }
    bool is_any = kind == LIMIT_MIN || kind == LIMIT_MAX;
    return is_any || dw__str_to_double(value, &number) ? NULL : "a number";
}

dw_status
dw__profile_check_limits(const dw_pairs *properties, dw_error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        const dw_pair *pair = &properties->items[i];
        if (!dw__str_starts_with(pair->key, PREFIX)) {
            continue;
        }
        dw_str column;
        limit_kind kind = read_key(pair->key, &column);
        const char *expected =
            kind == LIMIT_NONE ? expected_name(column) : expected_value(kind, pair->value);
        if (expected != NULL) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                                 "'%.*s' = '%.*s': expected %s", DW_STR_ARG(pair->key),
                                 DW_STR_ARG(pair->value), expected);
        }
    }
    return DW_OK;
}

/* ---- Judging --------------------------------------------------------------------------------- */

static dw_status
judge_number(judging *j, const dw_pair *pair, dw_str column, const char *what, double found,
             bool is_maximum)
{
    double limit;
    if (!dw__str_to_double(pair->value, &limit)) {
        return refuse(j, pair, "a number");
    }
    if (is_maximum ? found <= limit : found >= limit) {
        return DW_OK;
    }
    return find_violation(j, column,
                          dw__arena_printf(j->arena, "%s %.6g is %s %.*s", what, found,
                                           is_maximum ? "above" : "below",
                                           DW_STR_ARG(pair->value)));
}

/* Numbers compare as numbers; everything else, such as dates, as text. */
static dw_status
judge_bound(judging *j, const dw_pair *pair, const dw_column_profile *column, bool is_maximum)
{
    double found, limit;
    dw_str text = is_maximum ? column->max : column->min;
    if (dw__str_is_null(text)) {
        return DW_OK;
    }
    int order = dw__str_compare(text, pair->value);
    if (column->has_mean) {
        if (!dw__str_to_double(text, &found) || !dw__str_to_double(pair->value, &limit)) {
            return refuse(j, pair, "a number");
        }
        order = found < limit ? -1 : found > limit;
    }
    if (is_maximum ? order <= 0 : order >= 0) {
        return DW_OK;
    }
    return find_violation(j, column->name,
                          dw__arena_printf(j->arena, "%s %.*s is %s %.*s",
                                           is_maximum ? "max" : "min", DW_STR_ARG(text),
                                           is_maximum ? "above" : "below",
                                           DW_STR_ARG(pair->value)));
}

static dw_status
judge_age(judging *j, const dw_pair *pair, dw_str column, int64_t newest_ms, const char *what)
{
    int64_t limit_ms;
    int64_t age_ms = dw__profile_age_ms(j->now_ms, newest_ms);
    if (!dw__interval_parse(pair->value, &limit_ms)) {
        return refuse(j, pair, AN_INTERVAL);
    }
    if (age_ms <= limit_ms) {
        return DW_OK;
    }
    return find_violation(j, column,
                          dw__arena_printf(j->arena, "%s is %" PRId64 " s old, more than %.*s",
                                           what, age_ms / SECOND_MS, DW_STR_ARG(pair->value)));
}

static dw_status
judge_column(judging *j, const dw_pair *pair, limit_kind kind, const dw_column_profile *column)
{
    int64_t rows = j->profile->row_count;
    switch ((unsigned) kind) {
    case LIMIT_MAX_NULL_FRACTION:
        return judge_number(j, pair, column->name, "null fraction",
                            rows > 0 ? (double) (rows - column->count) / (double) rows : 0, true);
    case LIMIT_MIN_DISTINCT:
    case LIMIT_MAX_DISTINCT:
        return column->distinct < 0
                   ? DW_OK
                   : judge_number(j, pair, column->name, "number of distinct values",
                                  (double) column->distinct, kind == LIMIT_MAX_DISTINCT);
    case LIMIT_MIN:
    case LIMIT_MAX:
        return judge_bound(j, pair, column, kind == LIMIT_MAX);
    default:
        return column->has_newest
                   ? judge_age(j, pair, column->name, column->newest_us / 1000, "the newest value")
                   : DW_OK;
    }
}

static dw_status
judge_table(judging *j, const dw_pair *pair, limit_kind kind)
{
    return kind == LIMIT_MAX_AGE
               ? judge_age(j, pair, DW_STR_NULL, j->profile->commit_ms, "the last commit")
               : judge_number(j, pair, DW_STR_NULL, "number of rows",
                              (double) j->profile->row_count, kind == LIMIT_MAX_ROWS);
}

static dw_status
judge_property(judging *j, const dw_pair *pair)
{
    dw_str column;
    limit_kind kind = read_key(pair->key, &column);
    if (kind == LIMIT_NONE) {
        return refuse(j, pair, expected_name(column));
    }
    if (dw__str_is_null(column)) {
        return judge_table(j, pair, kind);
    }
    for (size_t i = 0; i < j->profile->column_count; i++) {
        if (dw__str_equal_nocase(j->profile->columns[i].name, column)) {
            return judge_column(j, pair, kind, &j->profile->columns[i]);
        }
    }
    return DW_OK; /* a column that was not profiled */
}

dw_status
dw__profile_judge(const dw_profile *profile, const dw_pairs *properties, int64_t now_ms,
                  dw_arena *arena, dw_profile_violation **out, size_t *count_out, dw_error *err)
{
    judging j = {.profile = profile, .now_ms = now_ms, .arena = arena, .err = err};
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < properties->count; i++) {
        if (dw__str_starts_with(properties->items[i].key, PREFIX)) {
            status = judge_property(&j, &properties->items[i]);
        }
    }
    *count_out = j.found.count;
    *out = DW_ARENA_ARRAY(arena, dw_profile_violation, j.found.count + 1);
    if (status == DW_OK && *out == NULL) {
        status = dw__error_oom(err);
    }
    if (status == DW_OK && j.found.count > 0) {
        memcpy(*out, j.found.items, j.found.count * sizeof(**out));
    }
    DW_VEC_DEINIT(arena->allocator, &j.found);
    return status;
}
