/*
 * A profile as two statements: one over the table, with all figures and a sample of rows; one over
 * what that gave. [PROFILE-1]
 */
#include "base/assert.h"
#include "engine/row_sample.h"
#include "scan/scan.h"
#include "upkeep/profile_core.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_US INT64_C(86400000000)

/* ---- What is asked of which type ------------------------------------------------------------- */

static bool
is_float(const dw_type *type)
{
    return type->kind == DW_TYPE_FLOAT || type->kind == DW_TYPE_DOUBLE;
}

static bool
is_number(const dw_type *type)
{
    switch ((unsigned) type->kind) {
    case DW_TYPE_BYTE:
    case DW_TYPE_SHORT:
    case DW_TYPE_INTEGER:
    case DW_TYPE_LONG:
    case DW_TYPE_DECIMAL:
        return true;
    default:
        return is_float(type);
    }
}

static bool
is_time(const dw_type *type)
{
    return type->kind == DW_TYPE_DATE || type->kind == DW_TYPE_TIMESTAMP ||
           type->kind == DW_TYPE_TIMESTAMP_NTZ;
}

/* Has values that can be told apart, and ordered, by their text. */
static bool
is_plain(const dw_type *type)
{
    return is_number(type) || is_time(type) || type->kind == DW_TYPE_STRING ||
           type->kind == DW_TYPE_BOOLEAN;
}

static bool
is_sampled(const dw_type *type)
{
    return is_plain(type) || type->kind == DW_TYPE_BINARY;
}

/* ---- Over the table -------------------------------------------------------------------------- */

/* Squares of more than that do not fit; false for NaN and infinities, too. */
static void
put_mean(dw_strbuf *out, const dw_type *type, size_t k)
{
    static const char *const functions[] = {"avg", "stddev_samp"};
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        dw__strbuf_printf(out, ", %s(CAST(v%zu AS DOUBLE))", functions[i], k);
        if (is_float(type)) {
            dw__strbuf_printf(out, " FILTER (WHERE abs(v%zu) < 1e150)", k);
        }
        dw__strbuf_printf(out, " AS %c%zu", "ms"[i], k);
    }
}

static void
put_figures(const dw_profile_query *query, size_t k, dw_strbuf *out)
{
    const dw_profile_leaf *leaf = &query->leaves[k];
    dw__strbuf_printf(out, ", count(v%zu) AS c%zu", k, k);
    if (query->share < 1 && is_sampled(leaf->type)) {
        dw__strbuf_printf(out, ", approx_count_distinct(v%zu) AS d%zu", k, k);
    }
    if (is_plain(leaf->type) && !leaf->has_bounds) {
        dw__strbuf_printf(out, ", min(v%zu) AS lo%zu, max(v%zu) AS hi%zu", k, k, k, k);
    }
    if (is_number(leaf->type)) {
        put_mean(out, leaf->type, k);
    }
}

/* The rows of the sample, as structs of the leaves that are sampled. */
static void
put_sample(const dw_profile_query *query, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, ", list({'r': 0");
    for (size_t k = 0; k < query->count; k++) {
        if (is_sampled(query->leaves[k].type)) {
            dw__strbuf_printf(out, ", 'v%zu': v%zu", k, k);
        }
    }
    dw__strbuf_append_literal(out, "})");
    if (query->share < 1) {
        dw__strbuf_append_literal(out, " FILTER (WHERE ");
        dw__row_sample_print(query->share, out);
        dw__strbuf_append_char(out, ')');
    }
    dw__strbuf_append_literal(out, " AS sample");
}

dw_status
dw__profile_print_scan(const dw_profile_query *query, dw_strbuf *out, dw_error *err)
{
    dw__strbuf_append_literal(out, "SELECT count(*) AS n");
    put_sample(query, out);
    for (size_t k = 0; k < query->count; k++) {
        put_figures(query, k, out);
    }
    dw__strbuf_append_literal(out, " FROM (SELECT 0 AS dw_none");
    for (size_t k = 0; k < query->count; k++) {
        dw__strbuf_append_literal(out, ", ");
        dw__strbuf_append(out, query->leaves[k].expression);
        dw__strbuf_printf(out, " AS v%zu", k);
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, query->source);
    dw__strbuf_append_literal(out, ") AS dw_leaves");
    return dw__strbuf_ok(out, "the statement", err);
}

/* ---- Over what that gave --------------------------------------------------------------------- */

/* The cells of a row, in order. */
enum {
    CELL_ROWS,
    CELL_SAMPLE,
    CELL_COUNT,
    CELL_DISTINCT,
    CELL_MIN,
    CELL_MAX,
    CELL_NEWEST,
    CELL_MEAN,
    CELL_DEVIATION,
    CELL_QUANTILES,
    CELL_TOP = CELL_QUANTILES + DW_PROFILE_QUANTILES,
    CELLS = CELL_TOP + 2 * DW_PROFILE_TOP_VALUES
};

/* A value as text, as the log has it. */
static void
put_text(dw_strbuf *out, const dw_type *type, const char *value)
{
    if (type->kind == DW_TYPE_TIMESTAMP) {
        dw__strbuf_printf(out, "CAST(timezone('UTC', %s) AS VARCHAR) || 'Z'", value);
    } else if (type->kind == DW_TYPE_DECIMAL && type->precision == type->scale) {
        /* The engine leaves out the zero in front of the point. */
        dw__strbuf_printf(out, "regexp_replace(CAST(%s AS VARCHAR), '^(-?)[.]', '\\10.')", value);
    } else {
        dw__strbuf_printf(out, "left(CAST(%s AS VARCHAR), %d)", value, DW_PROFILE_VALUE_CHARS);
    }
}

/* The greatest value since 1970. Dates go further than that can be counted, and the engine looks at
 * bounds that it knows before it runs anything: it would refuse the statement. */
static void
put_newest(dw_strbuf *out, const dw_type *type, size_t k)
{
    dw__strbuf_printf(out, ", CASE WHEN isfinite(hi%zu) THEN ", k);
    if (type->kind == DW_TYPE_DATE) {
        dw__strbuf_printf(
            out, "TRY_CAST(CAST(hi%zu - DATE '1970-01-01' AS HUGEINT) * %" PRId64 " AS BIGINT) END",
            k, DAY_US);
    } else {
        dw__strbuf_printf(out, "epoch_us(hi%zu) END", k);
    }
}

static void
put_bounds(const dw_profile_leaf *leaf, size_t k, dw_strbuf *out)
{
    char low[32];
    char high[32];
    if (!is_plain(leaf->type) || leaf->has_bounds) {
        dw__strbuf_append_literal(out, ", NULL, NULL, NULL");
        return;
    }
    snprintf(low, sizeof(low), "lo%zu", k);
    snprintf(high, sizeof(high), "hi%zu", k);
    dw__strbuf_append_literal(out, ", ");
    put_text(out, leaf->type, low);
    dw__strbuf_append_literal(out, ", ");
    put_text(out, leaf->type, high);
    if (is_time(leaf->type)) {
        put_newest(out, leaf->type, k);
    } else {
        dw__strbuf_append_literal(out, ", NULL");
    }
}

static void
put_quantiles(const dw_profile_leaf *leaf, dw_strbuf *out)
{
    bool has_any = is_number(leaf->type) || is_time(leaf->type);
    for (int i = 1; i <= DW_PROFILE_QUANTILES; i++) {
        char value[32];
        snprintf(value, sizeof(value), "q.q[%d]", i);
        dw__strbuf_append_literal(out, ", ");
        if (has_any) {
            put_text(out, leaf->type, value);
        } else {
            dw__strbuf_append_literal(out, "NULL");
        }
    }
}

static void
put_top(const dw_profile_leaf *leaf, dw_strbuf *out)
{
    for (int i = 1; i <= DW_PROFILE_TOP_VALUES; i++) {
        char value[32];
        snprintf(value, sizeof(value), "t.t[%d].v", i);
        dw__strbuf_append_literal(out, ", ");
        if (is_plain(leaf->type)) {
            put_text(out, leaf->type, value);
            dw__strbuf_printf(out, ", t.t[%d].n", i);
        } else {
            dw__strbuf_append_literal(out, "NULL, NULL");
        }
    }
}

/* The subqueries over the sample that a leaf's row needs. */
static void
put_sources(const dw_profile_query *query, size_t k, dw_strbuf *out)
{
    const dw_type *type = query->leaves[k].type;
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, query->kept);
    dw__strbuf_append_literal(out, " AS f");
    if (is_number(type) || is_time(type)) {
        dw__strbuf_printf(out,
                          ", (SELECT quantile_disc(r.v%zu, [0.05, 0.25, 0.5, 0.75, 0.95]) AS q "
                          "FROM s) AS q",
                          k);
    }
    if (is_plain(type)) {
        dw__strbuf_printf(out,
                          ", (SELECT list({'v': v, 'n': n}) AS t FROM (SELECT r.v%zu AS v, "
                          "count(*) AS n FROM s WHERE r.v%zu IS NOT NULL GROUP BY ALL "
                          "ORDER BY n DESC, v LIMIT %d)) AS t",
                          k, k, DW_PROFILE_TOP_VALUES);
    }
}

static void
put_row(const dw_profile_query *query, size_t k, dw_strbuf *out)
{
    const dw_profile_leaf *leaf = &query->leaves[k];
    dw__strbuf_printf(out, "SELECT %zu AS k, f.n, len(f.sample), f.c%zu", k, k);
    if (!is_sampled(leaf->type)) {
        dw__strbuf_append_literal(out, ", NULL");
    } else if (query->share < 1) {
        dw__strbuf_printf(out, ", least(f.d%zu, f.c%zu)", k, k);
    } else {
        dw__strbuf_printf(out, ", (SELECT count(DISTINCT r.v%zu) FROM s)", k);
    }
    put_bounds(leaf, k, out);
    if (is_number(leaf->type)) {
        dw__strbuf_printf(out, ", f.m%zu, f.s%zu", k, k);
    } else {
        dw__strbuf_append_literal(out, ", NULL, NULL");
    }
    put_quantiles(leaf, out);
    put_top(leaf, out);
    put_sources(query, k, out);
}

dw_status
dw__profile_print_answer(const dw_profile_query *query, dw_strbuf *out, dw_error *err)
{
    dw__strbuf_append_literal(out, "WITH s AS MATERIALIZED (SELECT unnest(sample) AS r FROM ");
    dw__sql_put_identifier(out, query->kept);
    dw__strbuf_append_literal(out, ") SELECT * EXCLUDE (k) FROM (");
    for (size_t k = 0; k < query->count; k++) {
        dw__strbuf_append(out, k == 0 ? DW_STR("") : DW_STR(" UNION ALL "));
        put_row(query, k, out);
    }
    dw__strbuf_append_literal(out, ") AS dw_answer ORDER BY k");
    return dw__strbuf_ok(out, "the statement", err);
}

/* ---- Reading it ------------------------------------------------------------------------------ */

static void
read_count(dw_str cell, int64_t *out)
{
    if (dw__str_is_null(cell) || !dw__str_to_i64(cell, out)) {
        *out = -1;
    }
}

/* What the log knew takes the place of what was not computed. [PROFILE-2] */
static dw_status
read_bounds(const dw_profile_leaf *leaf, const dw_str *cells, dw_arena *arena,
            dw_column_profile *out, dw_error *err)
{
    int64_t newest_us;
    if (leaf->has_bounds) {
        out->has_newest = leaf->type->kind == DW_TYPE_DATE && leaf->max.kind != DW_VALUE_NULL &&
                          dw__checked_mul_i64(leaf->max.as.i64, DAY_US, &newest_us);
        out->newest_us = out->has_newest ? newest_us : 0;
        DW_TRY(dw__partition_value_print(leaf->field, &leaf->min, arena, &out->min, err));
        return dw__partition_value_print(leaf->field, &leaf->max, arena, &out->max, err);
    }
    out->min = cells[CELL_MIN];
    out->max = cells[CELL_MAX];
    out->has_newest =
        !dw__str_is_null(cells[CELL_NEWEST]) && dw__str_to_i64(cells[CELL_NEWEST], &out->newest_us);
    return DW_OK;
}

static void
read_top(const dw_str *cells, dw_column_profile *out)
{
    for (size_t i = 0; i < DW_PROFILE_TOP_VALUES; i++) {
        dw_profile_value *value = &out->top[out->top_count];
        value->text = cells[CELL_TOP + 2 * i];
        if (!dw__str_is_null(value->text)) {
            read_count(cells[CELL_TOP + 2 * i + 1], &value->count);
            out->top_count++;
        }
    }
}

dw_status
dw__profile_read_row(const dw_profile_query *query, size_t leaf_idx, const dw_str *cells,
                     size_t cell_count, dw_arena *arena, dw_profile *profile, dw_error *err)
{
    dw_assert(cell_count == CELLS);
    const dw_profile_leaf *leaf = &query->leaves[leaf_idx];
    dw_column_profile *column = &profile->columns[leaf_idx];
    char text[DW_TYPE_TEXT_SIZE];
    *column = (dw_column_profile){.name = leaf->name};
    if (!dw__arena_dup(arena, dw__str_from(dw__type_text(leaf->type, text)), &column->type)) {
        return dw__error_oom(err);
    }
    read_count(cells[CELL_ROWS], &profile->row_count);
    read_count(cells[CELL_SAMPLE], &profile->sample_count);
    profile->sample_count = profile->sample_count < 0 ? 0 : profile->sample_count;
    read_count(cells[CELL_COUNT], &column->count);
    read_count(cells[CELL_DISTINCT], &column->distinct);
    column->has_mean =
        !dw__str_is_null(cells[CELL_MEAN]) && dw__str_to_double(cells[CELL_MEAN], &column->mean);
    if (dw__str_is_null(cells[CELL_DEVIATION]) ||
        !dw__str_to_double(cells[CELL_DEVIATION], &column->deviation)) {
        column->deviation = 0;
    }
    for (size_t i = 0; i < DW_PROFILE_QUANTILES; i++) {
        column->quantiles[i] = cells[CELL_QUANTILES + i];
    }
    read_top(cells, column);
    return read_bounds(leaf, cells, arena, column, err);
}
