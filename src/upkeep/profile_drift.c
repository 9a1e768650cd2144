/*
 * What differs between two profiles of a table.
 */
#include "base/vec.h"
#include "upkeep/profile.h"

#include <inttypes.h>
#include <math.h>

typedef struct drift_vec {
    dw_profile_drift *items;
    size_t count, capacity;
} drift_vec;

typedef struct comparison {
    const dw_profile *before, *after;
    dw_arena *arena;
    drift_vec found;
    dw_error *err;
} comparison;

static dw_status
put(comparison *c, dw_str column, const char *metric, dw_str before, dw_str after)
{
    dw_profile_drift *slot = DW_VEC_PUSH(c->arena->allocator, &c->found);
    if (slot == NULL) {
        return dw__error_oom(c->err);
    }
    *slot =
        (dw_profile_drift){.column = column, .metric = metric, .before = before, .after = after};
    return DW_OK;
}

static dw_status
put_numbers(comparison *c, dw_str column, const char *metric, double before, double after,
            int digits)
{
    bool is_same = fabs(before - after) <= 1e-9 * fmax(fabs(before), fabs(after));
    if (is_same) {
        return DW_OK;
    }
    dw_str old = dw__arena_printf(c->arena, "%.*g", digits, before);
    dw_str new = dw__arena_printf(c->arena, "%.*g", digits, after);
    if (dw__str_is_null(old) || dw__str_is_null(new)) {
        return dw__error_oom(c->err);
    }
    DW_TRY(put(c, column, metric, old, new));
    dw_profile_drift *slot = &c->found.items[c->found.count - 1];
    slot->has_change = fabs(before) > 0;
    slot->change = slot->has_change ? (after - before) / fabs(before) : 0;
    return DW_OK;
}

static dw_status
put_texts(comparison *c, dw_str column, const char *metric, dw_str before, dw_str after)
{
    bool is_same =
        dw__str_is_null(before) == dw__str_is_null(after) && dw__str_equal(before, after);
    return is_same ? DW_OK : put(c, column, metric, before, after);
}

static double
null_fraction(const dw_profile *profile, const dw_column_profile *column)
{
    int64_t nulls = profile->row_count - column->count;
    return profile->row_count > 0 ? (double) nulls / (double) profile->row_count : 0;
}

static dw_status
compare_columns(comparison *c, const dw_column_profile *old, const dw_column_profile *new)
{
    static const char *const quantiles[DW_PROFILE_QUANTILES] = {"q05", "q25", "median", "q75",
                                                                "q95"};
    DW_TRY(put_texts(c, new->name, "type", old->type, new->type));
    DW_TRY(put_numbers(c, new->name, "null_fraction", null_fraction(c->before, old),
                       null_fraction(c->after, new), 4));
    DW_TRY(
        put_numbers(c, new->name, "distinct", (double) old->distinct, (double) new->distinct, 17));
    DW_TRY(put_texts(c, new->name, "min", old->min, new->min));
    DW_TRY(put_texts(c, new->name, "max", old->max, new->max));
    if (old->has_mean && new->has_mean) {
        DW_TRY(put_numbers(c, new->name, "mean", old->mean, new->mean, 7));
        DW_TRY(put_numbers(c, new->name, "stddev", old->deviation, new->deviation, 7));
    }
    for (size_t i = 0; i < DW_PROFILE_QUANTILES; i++) {
        DW_TRY(put_texts(c, new->name, quantiles[i], old->quantiles[i], new->quantiles[i]));
    }
    dw_str none = DW_STR_NULL;
    return put_texts(c, new->name, "top_value", old->top_count > 0 ? old->top[0].text : none,
                     new->top_count > 0 ? new->top[0].text : none);
}

static const dw_column_profile *
find(const dw_profile *profile, dw_str name)
{
    for (size_t i = 0; i < profile->column_count; i++) {
        if (dw__str_equal(profile->columns[i].name, name)) {
            return &profile->columns[i];
        }
    }
    return NULL;
}

static dw_status
compare(comparison *c)
{
    dw_str none = DW_STR_NULL;
    DW_TRY(put_numbers(c, none, "rows", (double) c->before->row_count, (double) c->after->row_count,
                       17));
    DW_TRY(put_numbers(c, none, "files", (double) c->before->file_count,
                       (double) c->after->file_count, 17));
    DW_TRY(put_numbers(c, none, "bytes", (double) c->before->size_bytes,
                       (double) c->after->size_bytes, 17));
    for (size_t i = 0; i < c->after->column_count; i++) {
        const dw_column_profile *new = &c->after->columns[i];
        const dw_column_profile *old = find(c->before, new->name);
        DW_TRY(old != NULL ? compare_columns(c, old, new)
                           : put(c, new->name, "column", none, new->type));
    }
    for (size_t i = 0; i < c->before->column_count; i++) {
        const dw_column_profile *old = &c->before->columns[i];
        if (find(c->after, old->name) == NULL) {
            DW_TRY(put(c, old->name, "column", old->type, none));
        }
    }
    return DW_OK;
}

dw_status
dw__profile_compare(const dw_profile *before, const dw_profile *after, dw_arena *arena,
                    dw_profile_drift **out, size_t *count_out, dw_error *err)
{
    comparison c = {.before = before, .after = after, .arena = arena, .err = err};
    dw_status status = compare(&c);
    *count_out = c.found.count;
    *out = DW_ARENA_ARRAY(arena, dw_profile_drift, c.found.count + 1);
    if (status == DW_OK && *out == NULL) {
        status = dw__error_oom(err);
    }
    if (status == DW_OK && c.found.count > 0) {
        memcpy(*out, c.found.items, c.found.count * sizeof(**out));
    }
    DW_VEC_DEINIT(arena->allocator, &c.found);
    return status;
}
