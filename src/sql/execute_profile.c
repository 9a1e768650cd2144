/*
 * ANALYZE TABLE name PROFILE, DESCRIBE PROFILE name and SHOW DRIFT name.
 */
#include "base/assert.h"
#include "codec/rows.h"
#include "sql/execution.h"
#include "upkeep/profile.h"

#include <inttypes.h>
#include <math.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)
#define SECOND_MS 1000

/* ---- A profile as rows ----------------------------------------------------------------------- */

static const dw_rows_column profile_columns[] = {
    {"column", DW_ROWS_STR, 0, 0},
    {"type", DW_ROWS_STR, 0, 0},
    {"count", DW_ROWS_I64, 0, 0},
    {"nulls", DW_ROWS_I64, 0, 0},
    {"distinct", DW_ROWS_I64, 0, 0},
    {"min", DW_ROWS_STR, 0, 0},
    {"max", DW_ROWS_STR, 0, 0},
    {"mean", DW_ROWS_DOUBLE, 0, 0},
    {"stddev", DW_ROWS_DOUBLE, 0, 0},
    {"q05", DW_ROWS_STR, 0, 0},
    {"q25", DW_ROWS_STR, 0, 0},
    {"median", DW_ROWS_STR, 0, 0},
    {"q75", DW_ROWS_STR, 0, 0},
    {"q95", DW_ROWS_STR, 0, 0},
    {"top_values", DW_ROWS_STR_LIST, 0, 0},
    {"age_seconds", DW_ROWS_I64, 0, 0},
    {"violations", DW_ROWS_STR_LIST, 0, 0},
};
enum { PROFILE_COLUMNS = sizeof(profile_columns) / sizeof(profile_columns[0]) };

typedef struct shown_profile {
    dw_execution *x;
    const dw_profile *profile;
    int64_t now_ms;
    dw_profile_violation *violations;
    size_t violation_count;
    dw_rows *rows;
} shown_profile;

static void
put_violations(const shown_profile *shown, dw_str column)
{
    dw__rows_begin(shown->rows);
    for (size_t i = 0; i < shown->violation_count; i++) {
        const dw_profile_violation *violation = &shown->violations[i];
        bool is_own = dw__str_is_null(violation->column) == dw__str_is_null(column) &&
                      dw__str_equal(violation->column, column);
        if (is_own) {
            dw__rows_put_item(shown->rows, violation->text, DW_STR_NULL);
        }
    }
    dw__rows_end(shown->rows);
}

/* The table as a whole is the first row, without a name. */
static void
put_table(const shown_profile *shown)
{
    dw__rows_put_str(shown->rows, DW_STR_NULL);
    dw__rows_put_str(shown->rows, DW_STR("table"));
    dw__rows_put_i64(shown->rows, shown->profile->row_count);
    for (size_t i = 3; i + 3 < PROFILE_COLUMNS; i++) {
        dw__rows_put_null(shown->rows);
    }
    dw__rows_begin(shown->rows);
    dw__rows_end(shown->rows);
    dw__rows_put_i64(shown->rows,
                     dw__profile_age_ms(shown->now_ms, shown->profile->commit_ms) / SECOND_MS);
    put_violations(shown, DW_STR_NULL);
}

static void
put_double(dw_rows *rows, bool has_one, double value)
{
    if (has_one) {
        dw__rows_put_double(rows, value);
    } else {
        dw__rows_put_null(rows);
    }
}

/* "BUILDING (20.1 %)", of the values that are not NULL. */
static dw_status
put_top(const shown_profile *shown, const dw_column_profile *column)
{
    const dw_profile *profile = shown->profile;
    double share =
        profile->row_count > 0 ? (double) profile->sample_count / (double) profile->row_count : 1;
    dw__rows_begin(shown->rows);
    for (size_t i = 0; i < column->top_count; i++) {
        double sampled = (double) column->count * share;
        double percent = sampled > 0 ? 100 * (double) column->top[i].count / sampled : 0;
        dw_str text =
            dw__arena_printf(&shown->x->arena, "%.*s (%.1f %%)", DW_STR_ARG(column->top[i].text),
                             percent > 100 ? 100 : percent);
        if (dw__str_is_null(text)) {
            return dw__error_oom(shown->x->err);
        }
        dw__rows_put_item(shown->rows, text, DW_STR_NULL);
    }
    dw__rows_end(shown->rows);
    return DW_OK;
}

static dw_status
put_column(const shown_profile *shown, const dw_column_profile *column)
{
    dw_rows *rows = shown->rows;
    dw__rows_put_str(rows, column->name);
    dw__rows_put_str(rows, column->type);
    dw__rows_put_i64(rows, column->count);
    dw__rows_put_i64(rows, shown->profile->row_count - column->count);
    if (column->distinct < 0) {
        dw__rows_put_null(rows);
    } else {
        dw__rows_put_i64(rows, column->distinct);
    }
    dw__rows_put_str(rows, column->min);
    dw__rows_put_str(rows, column->max);
    put_double(rows, column->has_mean, column->mean);
    put_double(rows, column->has_mean, column->deviation);
    for (size_t i = 0; i < DW_PROFILE_QUANTILES; i++) {
        dw__rows_put_str(rows, column->quantiles[i]);
    }
    DW_TRY(put_top(shown, column));
    if (column->has_newest) {
        dw__rows_put_i64(rows, shown->now_ms / SECOND_MS - column->newest_us / 1000000);
    } else {
        dw__rows_put_null(rows);
    }
    put_violations(shown, column->name);
    return DW_OK;
}

static dw_status
make_rows(shown_profile *shown, struct ArrowArrayStream *out)
{
    dw_execution *x = shown->x;
    DW_TRY(dw__rows_new(x->session->env->allocator, profile_columns, PROFILE_COLUMNS, &shown->rows,
                        x->err));
    put_table(shown);
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < shown->profile->column_count; i++) {
        status = put_column(shown, &shown->profile->columns[i]);
    }
    if (status != DW_OK) {
        dw__rows_free(shown->rows);
        return status;
    }
    return dw__rows_stream(shown->rows, out, x->err);
}

static dw_status
show_profile(dw_execution *x, const dw_profile *profile, const dw_log_snapshot *snapshot,
             shown_profile *shown, struct ArrowArrayStream *out)
{
    *shown = (shown_profile){.x = x, .profile = profile, .now_ms = dw__env_now_ms(x->session->env)};
    DW_TRY(dw__profile_judge(profile, &dw__log_snapshot_metadata(snapshot)->configuration,
                             shown->now_ms, &x->arena, &shown->violations, &shown->violation_count,
                             x->err));
    return make_rows(shown, out);
}

/* ---- ANALYZE TABLE ... PROFILE --------------------------------------------------------------- */

/* CHECK: what is violated ends the statement, once the profile is kept. */
static dw_status
refuse_violations(dw_execution *x, const shown_profile *shown)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    for (size_t i = 0; i < shown->violation_count; i++) {
        const dw_profile_violation *violation = &shown->violations[i];
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR("; "));
        if (!dw__str_is_null(violation->column)) {
            dw__strbuf_printf(&text, "%.*s: ", DW_STR_ARG(violation->column));
        }
        dw__strbuf_append(&text, violation->text);
    }
    DW_TRY(dw__strbuf_ok(&text, "the message", x->err));
    return dw__error_set(x->err, DW_INVALID_ARGUMENT, "PROFILE_THRESHOLD_VIOLATED",
                         "version %" PRId64 " violates %zu threshold%s: %.*s",
                         shown->profile->version, shown->violation_count,
                         shown->violation_count == 1 ? "" : "s", DW_STR_ARG(dw__strbuf_str(&text)));
}

static dw_status
profile_table(dw_execution *x, dw_table *table)
{
    const dw_analyze_statement *analyze = &x->statement.as.analyze;
    dw_profile profile;
    shown_profile shown;
    struct ArrowArrayStream rows;
    dw_profile_spec spec = {.columns = analyze->columns, .connection = x->session->connection};
    DW_TRY(dw__execution_snapshot(x, table, &analyze->travel, &spec.snapshot));
    DW_TRY(dw__table_profile(table, &spec, &x->arena, &profile, x->err));
    if (!analyze->options.dry_run) {
        dw__profile_keep(table, &profile);
    }
    DW_TRY(show_profile(x, &profile, spec.snapshot, &shown, &rows));
    if (analyze->checks && shown.violation_count > 0) {
        rows.release(&rows);
        return refuse_violations(x, &shown);
    }
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

dw_status
dw__execute_profile(dw_execution *x, dw_table *table)
{
    dw_status status = profile_table(x, table);
    if (status != DW_OK) {
        dw__error_context(x->err, "ANALYZE TABLE %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}

/* ---- What is kept ---------------------------------------------------------------------------- */

static dw_status
find_profile(dw_execution *x, dw_table *table, const dw_log_snapshot *snapshot, int64_t version,
             dw_profile *out)
{
    bool found;
    DW_TRY(dw__profile_find(table, snapshot, version, &x->arena, out, &found, x->err));
    return found ? DW_OK
                 : dw__error_set(x->err, DW_NOT_FOUND, "PROFILE_NOT_FOUND",
                                 "no profile of a version up to %" PRId64 " is kept: ANALYZE TABLE "
                                 "... PROFILE makes one",
                                 version);
}

dw_status
dw__describe_profile(dw_execution *x, dw_table *table, dw_log_snapshot *snapshot,
                     struct ArrowArrayStream *out)
{
    dw_profile profile;
    shown_profile shown;
    DW_TRY(find_profile(x, table, snapshot, dw__log_snapshot_version(snapshot), &profile));
    return show_profile(x, &profile, snapshot, &shown, out);
}

static void
put_drift(dw_rows *rows, const dw_profile_drift *drift, int64_t before, int64_t after)
{
    dw__rows_put_str(rows, drift->column);
    dw__rows_put_str(rows, dw__str_from(drift->metric));
    dw__rows_put_str(rows, drift->before);
    dw__rows_put_str(rows, drift->after);
    put_double(rows, drift->has_change, round(drift->change * 10000) / 100);
    dw__rows_put_i64(rows, before);
    dw__rows_put_i64(rows, after);
}

/* The two profiles that a drift is between. Where one stands for two versions there is nothing to
 * compare, which is not the same as no drift. */
static dw_status
find_both(dw_execution *x, dw_table *table, const dw_log_snapshot *snapshot, dw_profile *before,
          dw_profile *after)
{
    const dw_describe_statement *describe = &x->statement.as.describe;
    int64_t newest = dw__log_snapshot_version(snapshot);
    int64_t last = describe->has_to ? describe->to : newest;
    if (last > newest || (describe->has_from && describe->from > newest)) {
        return dw__error_set(x->err, DW_NOT_FOUND, "VERSION_OUT_OF_RANGE",
                             "version %" PRId64 " is not there; the newest one is %" PRId64,
                             last > newest ? last : describe->from, newest);
    }
    DW_TRY(find_profile(x, table, snapshot, last, after));
    bool found;
    int64_t first = describe->has_from ? describe->from : after->version - 1;
    DW_TRY(dw__profile_find(table, snapshot, first, &x->arena, before, &found, x->err));
    if (!found || (before->version == after->version && first != last)) {
        return dw__error_set(x->err, DW_NOT_FOUND, "PROFILE_NOT_FOUND",
                             "expected two profiles to compare, found that of version %" PRId64
                             " alone: ANALYZE TABLE ... PROFILE makes one of the newest version, "
                             "and with VERSION AS OF of an older one",
                             after->version);
    }
    return DW_OK;
}

dw_status
dw__show_drift(dw_execution *x, dw_table *table, const dw_log_snapshot *snapshot,
               struct ArrowArrayStream *out)
{
    static const dw_rows_column columns[] = {{"column", DW_ROWS_STR, 0, 0},
                                             {"metric", DW_ROWS_STR, 0, 0},
                                             {"before", DW_ROWS_STR, 0, 0},
                                             {"after", DW_ROWS_STR, 0, 0},
                                             {"change_percent", DW_ROWS_DOUBLE, 0, 0},
                                             {"from_version", DW_ROWS_I64, 0, 0},
                                             {"to_version", DW_ROWS_I64, 0, 0}};
    dw_profile before, after;
    dw_profile_drift *drifts;
    size_t count;
    dw_rows *rows;
    DW_TRY(find_both(x, table, snapshot, &before, &after));
    DW_TRY(dw__profile_compare(&before, &after, &x->arena, &drifts, &count, x->err));
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    for (size_t i = 0; i < count; i++) {
        put_drift(rows, &drifts[i], before.version, after.version);
    }
    return dw__rows_stream(rows, out, x->err);
}
