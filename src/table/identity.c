/*
 * Identity values: start + k * step, each once, beyond the mark. [RULE-3]
 */
#include "table/identity.h"

#include "base/assert.h"
#include "protocol/schema_edit.h"
#include "table/value_checks.h"

#include <inttypes.h>

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)

/* ---- Metadata -------------------------------------------------------------------------------- */

static dw_status
identity_invalid(const dw_field *field, const char *why, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "METADATA_INVALID",
                         "the identity column \"%.*s\" %s: its metadata is %.*s",
                         DW_STR_ARG(field->name), why, DW_STR_ARG(field->metadata_json));
}

/* A member that is a 64-bit integer; *found_out false when there is none. */
static dw_status
read_member(const dw_field *field, dw_str key, dw_arena *arena, int64_t *out, bool *found_out,
            dw_error *err)
{
    dw_str text;
    DW_TRY(dw__field_metadata_get(field, key, arena, &text, err));
    *found_out = !dw__str_is_null(text);
    *out = 0;
    if (*found_out && !dw__str_to_i64(text, out)) {
        return identity_invalid(field, "has a number that is none", err);
    }
    return DW_OK;
}

dw_status
dw__identity_read(const dw_field *field, dw_arena *arena, const dw_identity **out, dw_error *err)
{
    bool has_start;
    bool has_step;
    dw_str explicit_text;
    dw_identity *identity = DW_ARENA_NEW(arena, dw_identity);
    *out = identity;
    if (identity == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(read_member(field, DW_IDENTITY_START_KEY, arena, &identity->start, &has_start, err));
    DW_TRY(read_member(field, DW_IDENTITY_STEP_KEY, arena, &identity->step, &has_step, err));
    DW_TRY(read_member(field, DW_IDENTITY_MARK_KEY, arena, &identity->high_water_mark,
                       &identity->has_high_water_mark, err));
    DW_TRY(dw__field_metadata_get(field, DW_IDENTITY_EXPLICIT_KEY, arena, &explicit_text, err));
    identity->allows_explicit = dw__str_equal(explicit_text, DW_STR("true"));
    if (!has_start || !has_step || dw__str_is_null(explicit_text)) {
        return identity_invalid(field, "lacks its start, its step or what may be inserted", err);
    }
    if (identity->step == 0) {
        return identity_invalid(field, "has a step of 0", err);
    }
    if (field->type->kind != DW_TYPE_LONG) {
        return identity_invalid(field, "is no bigint", err);
    }
    return DW_OK;
}

dw_status
dw__identity_check_new(const dw_field *field, const dw_metadata *metadata, dw_error *err)
{
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        if (dw__str_equal_nocase(metadata->partition_columns[i], field->name)) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_INVALID",
                                 "a table cannot be partitioned by its identity column \"%.*s\"",
                                 DW_STR_ARG(field->name));
        }
    }
    return DW_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* start + idx * step; exact because the caller knows that it fits. */
static int64_t
value_at(int64_t start, int64_t step, uint64_t idx)
{
    return (int64_t) ((uint64_t) start + (uint64_t) step * idx);
}

/* The first value that is free, and how many there are from it on; none when the mark is the last
 * one. A mark before the start, or between two values, is of no use: the next value after it is. */
static int64_t
find_next(const dw_identity *identity, int64_t *available_out)
{
    uint64_t start = (uint64_t) identity->start;
    uint64_t mark = (uint64_t) identity->high_water_mark;
    bool rises = identity->step > 0;
    uint64_t width = rises ? (uint64_t) identity->step : 0 - (uint64_t) identity->step;
    uint64_t room = rises ? (uint64_t) INT64_MAX - start : start - (uint64_t) INT64_MIN;
    uint64_t last_idx = room / width;
    uint64_t idx = 0;
    bool is_before = rises ? identity->high_water_mark < identity->start
                           : identity->high_water_mark > identity->start;
    if (identity->has_high_water_mark && !is_before) {
        uint64_t taken = (rises ? mark - start : start - mark) / width;
        if (taken >= last_idx) {
            *available_out = 0;
            return identity->start;
        }
        idx = taken + 1;
    }
    uint64_t left = last_idx - idx;
    *available_out = left >= INT64_MAX ? INT64_MAX : (int64_t) left + 1;
    return value_at(identity->start, identity->step, idx);
}

void
dw__identity_print_next(const dw_identity *identity, const dw_field *field, dw_strbuf *out)
{
    int64_t available;
    int64_t next = find_next(identity, &available);
    DW_AUTO(dw_strbuf) message = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_printf(&message,
                      DW_VALUE_CHECK_MARK "IDENTITY_OVERFLOW:the identity column \"%.*s\" has "
                                          "no values left for so many rows",
                      DW_STR_ARG(field->name));
    dw__strbuf_printf(out, "CASE WHEN row_number() OVER () > %" PRId64 " THEN error(", available);
    dw__sql_put_literal(out, dw__strbuf_str(&message));
    /* The subtraction is exact in 128 bits, and so is the product. */
    dw__strbuf_printf(out,
                      ") ELSE CAST(CAST(%" PRId64 " AS HUGEINT) + CAST(%" PRId64
                      " AS HUGEINT) * (row_number() OVER () - 1) AS BIGINT) END",
                      next, identity->step);
    out->failed = out->failed || message.failed;
}

/* ---- Marks ----------------------------------------------------------------------------------- */

dw_status
dw__identity_set_mark(dw_field *field, int64_t mark, dw_arena *arena, dw_error *err)
{
    dw_str json = dw__arena_printf(arena, "%" PRId64, mark);
    return dw__str_is_null(json)
               ? dw__error_oom(err)
               : dw__field_metadata_set(field, DW_IDENTITY_MARK_KEY, json, arena, err);
}

static dw_status
set_marks(const dw_row_rules *rules, const dw_type *schema, int64_t row_count, dw_arena *arena,
          bool *changed_out, dw_error *err)
{
    dw_assert(schema->field_count <= rules->schema->field_count); /* hidden ones stand behind */
    *changed_out = false;
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_column_rule *rule = &rules->columns[i];
        if (rule->identity == NULL || !rule->is_left_out) {
            continue;
        }
        int64_t available;
        int64_t next = find_next(rule->identity, &available);
        dw_assert(row_count <= available); /* or the query had failed */
        int64_t mark = value_at(next, rule->identity->step, (uint64_t) row_count - 1);
        DW_TRY(dw__identity_set_mark(&schema->fields[i], mark, arena, err));
        *changed_out = true;
    }
    return DW_OK;
}

/* The schema is parsed from its text once more, so that what a snapshot lays aside stays. */
/* The first value of the column at or behind `value`; false when there is none in 64 bits. */
static bool
round_up(const dw_identity *identity, int64_t value, int64_t *out)
{
    int64_t offset, multiple;
    if (__builtin_sub_overflow(value, identity->start, &offset)) {
        return false;
    }
    if (offset == INT64_MIN && identity->step == -1) {
        *out = value;
        return true;
    }
    if (offset % identity->step == 0) {
        *out = value;
        return true;
    }
    bool is_behind_start = (offset > 0) == (identity->step > 0);
    int64_t count = offset / identity->step + (is_behind_start ? 1 : 0);
    return !__builtin_mul_overflow(identity->step, count, &multiple) &&
           !__builtin_add_overflow(identity->start, multiple, out);
}

bool
dw__identity_choose_mark(const dw_identity *identity, int64_t last, int64_t *out)
{
    bool rises = identity->step > 0;
    int64_t mark = identity->high_water_mark;
    if (!round_up(identity, last, out)) {
        return false;
    }
    bool is_before = rises ? last < identity->start : last > identity->start;
    bool is_bad =
        identity->has_high_water_mark && (rises ? mark < identity->start : mark > identity->start);
    if (identity->has_high_water_mark && (rises ? mark > *out : mark < *out)) {
        *out = mark;
    }
    bool changes = !identity->has_high_water_mark || mark != *out;
    return is_bad || (!is_before && changes);
}

dw_status
dw__row_rules_new_marks(const dw_row_rules *rules, const dw_metadata *metadata, int64_t row_count,
                        dw_arena *arena, dw_str *schema_string_out, dw_error *err)
{
    bool changed;
    const dw_type *schema;
    *schema_string_out = DW_STR_NULL;
    if (!rules->has_identity || row_count == 0) {
        return DW_OK;
    }
    DW_TRY(dw__schema_parse("the table's schema", metadata->schema_string, arena, &schema, err));
    DW_TRY(set_marks(rules, schema, row_count, arena, &changed, err));
    if (!changed) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&text, schema);
    DW_TRY(dw__strbuf_ok(&text, "the schema", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), schema_string_out) ? DW_OK
                                                                          : dw__error_oom(err);
}

dw_status
dw__row_rules_advance(dw_row_rules *rules, int64_t row_count, dw_arena *arena, dw_error *err)
{
    for (size_t i = 0; row_count > 0 && i < rules->schema->field_count; i++) {
        dw_column_rule *rule = &rules->columns[i];
        if (rule->identity == NULL || !rule->is_left_out) {
            continue;
        }
        int64_t available;
        int64_t next = find_next(rule->identity, &available);
        dw_identity *identity = DW_ARENA_NEW(arena, dw_identity);
        if (identity == NULL) {
            return dw__error_oom(err);
        }
        *identity = *rule->identity;
        identity->has_high_water_mark = true;
        identity->high_water_mark = value_at(
            next, identity->step, (uint64_t) (row_count < available ? row_count : available) - 1);
        rule->identity = identity;
    }
    return DW_OK;
}
