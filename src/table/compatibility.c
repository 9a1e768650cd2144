/*
 * Judging the differences of two schemas.
 */
#include "table/compatibility.h"

#include "base/assert.h"
#include "codec/rows.h"
#include "protocol/schema_diff.h"
#include "protocol/type_widening.h"

static const dw_rows_column columns[] = {
    {"column", DW_ROWS_STR, 0, 0}, {"change", DW_ROWS_STR, 0, 0},    {"before", DW_ROWS_STR, 0, 0},
    {"after", DW_ROWS_STR, 0, 0},  {"direction", DW_ROWS_STR, 0, 0}, {"verdict", DW_ROWS_STR, 0, 0},
    {"reason", DW_ROWS_STR, 0, 0},
};

typedef struct verdict {
    bool is_incompatible;
    const char *reason;
} verdict;

static verdict
compatible(const char *reason)
{
    return (verdict){false, reason};
}

static verdict
incompatible(const char *reason)
{
    return (verdict){true, reason};
}

/* A column that readers expect and the data lacks; `text` is its type. */
static verdict
judge_missing(dw_str text)
{
    return dw__str_ends_with(text, DW_STR(" not null"))
               ? incompatible("readers expect a value, and the data has none")
               : compatible("readers see NULL where the data has no such column");
}

static verdict
judge_name(dw_str before, dw_str after)
{
    return dw__str_equal_nocase(before, after)
               ? compatible("names are compared without case")
               : incompatible("readers look for the column under a name that the data lacks");
}

static verdict
judge_type(const dw_type *written, const dw_type *read)
{
    return dw__type_change_is_widening(written, read)
               ? compatible("values of the data's type widen to the readers'")
               : incompatible("values of the data's type do not widen to the readers'");
}

static verdict
judge_nullable(bool readers_allow_null)
{
    return readers_allow_null ? compatible("readers allow NULL, and the data has none")
                              : incompatible("readers expect no NULL, and the data may have it");
}

/* What a difference means to readers of the new schema, or, forward, of the old one. */
static verdict
judge(const dw_schema_change *change, bool forward)
{
    switch (change->kind) {
    case DW_SCHEMA_ADDED:
        return forward ? compatible("readers do not ask for it") : judge_missing(change->after);
    case DW_SCHEMA_DROPPED:
        return forward ? judge_missing(change->before) : compatible("readers do not ask for it");
    case DW_SCHEMA_RENAMED:
        return judge_name(change->before, change->after);
    case DW_SCHEMA_TYPE:
        return forward ? judge_type(change->new_type, change->old_type)
                       : judge_type(change->old_type, change->new_type);
    case DW_SCHEMA_NULLABLE:
        return judge_nullable(
            dw__str_equal(forward ? change->before : change->after, DW_STR("null")));
    case DW_SCHEMA_COMMENT:
    case DW_SCHEMA_DEFAULT:
    case DW_SCHEMA_GENERATION:
        return compatible("readers do not use it");
    case DW_SCHEMA_ORDER:
        return compatible("columns are found by their names");
    }
    dw_unreachable("every kind is listed");
}

static void
put(dw_rows *rows, const dw_schema_change *change, bool forward, const verdict *found)
{
    dw__rows_put_str(rows, change->column.len == 0 ? DW_STR_NULL : change->column);
    dw__rows_put_str(rows, dw__str_from(dw__schema_change_name(change->kind)));
    dw__rows_put_str(rows, change->before);
    dw__rows_put_str(rows, change->after);
    dw__rows_put_str(rows, forward ? DW_STR("FORWARD") : DW_STR("BACKWARD"));
    dw__rows_put_str(rows, found->is_incompatible ? DW_STR("incompatible") : DW_STR("compatible"));
    dw__rows_put_str(rows, dw__str_from(found->reason));
}

/* Rows of a query may be NULL wherever the table's are, and need not be. */
static bool
is_passed_over(const dw_compatibility_spec *spec, const dw_schema_change *change)
{
    return spec->ignores_null && change->kind != DW_SCHEMA_ADDED &&
           change->kind != DW_SCHEMA_DROPPED && change->kind != DW_SCHEMA_RENAMED &&
           change->kind != DW_SCHEMA_TYPE && change->kind != DW_SCHEMA_ORDER;
}

dw_status
dw__compatibility_check(const dw_compatibility_spec *spec, const dw_allocator *allocator,
                        struct ArrowArrayStream *out, int64_t *incompatible_out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    dw_schema_change *changes;
    size_t count;
    dw_rows *rows;
    *incompatible_out = 0;
    DW_TRY(dw__schema_diff(spec->old_schema, spec->new_schema, &arena, &changes, &count, err));
    DW_TRY(dw__rows_new(allocator, columns, sizeof(columns) / sizeof(columns[0]), &rows, err));
    for (size_t i = 0; i < count; i++) {
        for (int mode = DW_COMPATIBLE_BACKWARD; mode <= DW_COMPATIBLE_FORWARD; mode++) {
            if (((int) spec->mode & mode) != 0 && !is_passed_over(spec, &changes[i])) {
                bool forward = mode == DW_COMPATIBLE_FORWARD;
                verdict found = judge(&changes[i], forward);
                put(rows, &changes[i], forward, &found);
                *incompatible_out += found.is_incompatible ? 1 : 0;
            }
        }
    }
    return dw__rows_stream(rows, out, err);
}
