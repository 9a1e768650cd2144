/*
 * Judging rows inside of the query that writes them. See judgement.h; what is dropped is
 * quarantine.c's.
 */
#include "table/judgement.h"

#include "base/assert.h"
#include "table/constraint.h"
#include "table/quarantine.h"

#include <inttypes.h>
#include <stdio.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)

/* ---- Opening --------------------------------------------------------------------------------- */

/* The bits of the expectations with that action. */
static uint64_t
bits_of(const dw_expectations *expectations, dw_violation action)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < expectations->count; i++) {
        bits |= expectations->items[i].spec.action == action ? UINT64_C(1) << i : 0;
    }
    return bits;
}

static dw_status
check_quarantine(const dw_judgement_spec *spec, const dw_expectation *expectation, dw_error *err)
{
    if (spec->is_in_transaction) {
        return dw__error_set(
            err, DW_UNSUPPORTED, "QUARANTINE_IN_TRANSACTION",
            "%.*s puts rows into a quarantine, which ROLLBACK could not take back: "
            "run the statement outside of a transaction",
            DW_STR_ARG(expectation->label));
    }
    if (spec->is_quarantine) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "QUARANTINE_NESTED",
                             "%.*s of a quarantine has a quarantine of its own: drop it",
                             DW_STR_ARG(expectation->label));
    }
    return DW_OK;
}

dw_status
dw__judgement_open(dw_judgement *judgement, const dw_judgement_spec *spec, dw_arena *arena,
                   dw_error *err)
{
    *judgement = (dw_judgement){.table = spec->table,
                                .connection = spec->connection,
                                .snapshot = spec->snapshot,
                                .table_id = spec->table_id,
                                .schema = spec->schema,
                                .arena = arena};
    if (spec->expectations.count == 0) {
        return DW_OK;
    }
    judgement->expectations = spec->expectations;
    dw__uuid_make(dw__table_env(spec->table), judgement->id);
    for (size_t i = 0; i < spec->expectations.count; i++) {
        const dw_expectation *expectation = &spec->expectations.items[i];
        if (!dw__str_is_null(expectation->spec.quarantine)) {
            DW_TRY(check_quarantine(spec, expectation, err));
            judgement->has_quarantine = true;
        }
    }
    uint64_t drops = bits_of(&spec->expectations, DW_VIOLATION_DROP);
    for (size_t i = 0; i < DW_JUDGED_KINDS; i++) {
        DW_TRY(dw__connection_bind_judge(spec->connection, spec->expectations.count, drops,
                                         &judgement->judges[i], err));
    }
    return DW_OK;
}

void
dw__judgement_close(dw_judgement *judgement)
{
    if (judgement->expectations.count == 0) {
        return;
    }
    for (size_t i = 0; i < judgement->held_count; i++) {
        dw__quarantine_release(judgement, i);
    }
    for (size_t i = 0; i < DW_JUDGED_KINDS; i++) {
        dw__connection_unbind_judge(judgement->connection, judgement->judges[i]);
    }
    judgement->expectations.count = 0;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static uint64_t
refused_bits(const dw_judgement *judgement, size_t kind)
{
    uint64_t bits = bits_of(&judgement->expectations, DW_VIOLATION_FAIL);
    return kind == DW_JUDGED_NEW ? bits
                                 : bits | bits_of(&judgement->expectations, DW_VIOLATION_DROP);
}

/* CASE WHEN NOT "dw_c0" THEN '0 ' || <values> ... ELSE '' END, of the expectations that refuse. */
static dw_status
print_example(const dw_judgement *judgement, size_t kind, dw_strbuf *out, dw_error *err)
{
    uint64_t refused = refused_bits(judgement, kind);
    if (refused == 0) {
        dw__strbuf_append_literal(out, "''");
        return DW_OK;
    }
    dw__strbuf_append_literal(out, "CASE");
    for (size_t i = 0; i < judgement->expectations.count; i++) {
        if ((refused >> i & 1) != 0) {
            dw__strbuf_printf(out, " WHEN NOT dw_c%zu THEN '%zu ' || ", i, i);
            dw__row_values_print(out, &judgement->expectations.items[i].expression,
                                 judgement->schema);
        }
    }
    dw__strbuf_append_literal(out, " ELSE '' END");
    return dw__strbuf_ok(out, "the statement", err);
}

/* SELECT * EXCLUDE (dw_c0, ...), <bits> AS dw_missed FROM (SELECT *, <condition> AS dw_c0, ... FROM
 * (query)): each condition is evaluated once. */
static dw_status
print_judged(const dw_judgement *judgement, size_t kind, dw_str query, dw_strbuf *out,
             dw_error *err)
{
    const dw_expectations *all = &judgement->expectations;
    dw_str conditions[DW_EXPECTATIONS_MAX];
    char names[DW_EXPECTATIONS_MAX][16];
    DW_AUTO(dw_strbuf) example = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(print_example(judgement, kind, &example, err));
    dw__strbuf_append_literal(out, "SELECT * EXCLUDE (");
    for (size_t i = 0; i < all->count; i++) {
        int len = snprintf(names[i], sizeof(names[i]), "dw_c%zu", i);
        conditions[i] = dw__str_make(names[i], (size_t) len);
        dw__strbuf_printf(out, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    dw__strbuf_append_literal(out, "), ");
    dw__row_judge_print(judgement->judges[kind], dw__strbuf_str(&example), conditions, out);
    dw__strbuf_append_literal(out, " AS " DW_MISSED_COLUMN " FROM (SELECT *");
    for (size_t i = 0; i < all->count; i++) {
        dw__strbuf_append_literal(out, ", coalesce(CAST((");
        dw__strbuf_append(out, all->items[i].expression.sql);
        dw__strbuf_printf(out, ") AS BOOLEAN), false) AS dw_c%zu", i);
    }
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, query);
    dw__strbuf_append_literal(out, "\n) AS dw_weighed) AS dw_counted");
    return dw__strbuf_ok(out, "the statement", err);
}

/* What violates FAIL need not be written, too: the statement will be refused. The filter reads the
 * column in any case, else it would not be computed. */
static void
print_kept(const dw_judgement *judgement, size_t kind, dw_str judged, dw_strbuf *out)
{
    uint64_t left_out =
        refused_bits(judgement, kind) | bits_of(&judgement->expectations, DW_VIOLATION_DROP);
    dw__strbuf_append_literal(out, "SELECT * EXCLUDE (" DW_MISSED_COLUMN ") FROM ");
    dw__strbuf_append(out, judged);
    if (left_out == 0) {
        dw__strbuf_append_literal(out, " WHERE " DW_MISSED_COLUMN " >= 0");
    } else {
        dw__strbuf_printf(out, " WHERE (" DW_MISSED_COLUMN " & CAST(%" PRIu64 " AS BIGINT)) = 0",
                          left_out);
    }
}

dw_status
dw__judgement_print(dw_judgement *judgement, dw_str query, bool are_in_place_of_others,
                    dw_strbuf *out, dw_error *err)
{
    dw_assert(judgement->expectations.count > 0);
    size_t kind = are_in_place_of_others ? DW_JUDGED_PLACED : DW_JUDGED_NEW;
    DW_AUTO(dw_strbuf) judged = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    DW_AUTO(dw_strbuf) source = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(print_judged(judgement, kind, query, &judged, err));
    if (judgement->has_quarantine && !are_in_place_of_others) {
        DW_TRY(dw__quarantine_hold(judgement, dw__strbuf_str(&judged), &source, err));
    } else {
        dw__strbuf_append_char(&source, '(');
        dw__strbuf_append(&source, dw__strbuf_str(&judged));
        dw__strbuf_append_literal(&source, ") AS dw_judged");
    }
    DW_TRY(dw__strbuf_ok(&source, "the statement", err));
    print_kept(judgement, kind, dw__strbuf_str(&source), out);
    return dw__strbuf_ok(out, "the statement", err);
}

/* ---- Settling -------------------------------------------------------------------------------- */

/* The example begins with the number of its expectation: "0 a row with id = -3". */
static dw_status
refuse(const dw_judgement *judgement, size_t kind, size_t idx, dw_error *err)
{
    const dw_judge_counts *counts = &judgement->counts[kind];
    const dw_expectation *expectation = &judgement->expectations.items[idx];
    dw_str example = dw__str_from(counts->example);
    size_t space = 0;
    while (space < example.len && example.ptr[space] != ' ') {
        space++;
    }
    int64_t shown = -1;
    (void) dw__str_to_i64(dw__str_slice(example, 0, space), &shown);
    bool is_shown = shown == (int64_t) idx && space < example.len;
    dw_str values = is_shown ? dw__str_slice(example, space + 1, example.len) : DW_STR("one");
    bool would_drop = expectation->spec.action == DW_VIOLATION_DROP;
    return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPECTATION_VIOLATION",
                         "%.*s is violated by %" PRId64 " of %" PRId64 " row%s, such as %.*s%s",
                         DW_STR_ARG(expectation->label), counts->missed[idx], counts->row_count,
                         counts->row_count == 1 ? "" : "s", DW_STR_ARG(values),
                         would_drop ? "; rows that are in the table are not dropped: leave them "
                                      "out of the statement, or delete them"
                                    : "");
}

static dw_status
refuse_violations(const dw_judgement *judgement, dw_error *err)
{
    for (size_t kind = 0; kind < DW_JUDGED_KINDS; kind++) {
        uint64_t refused = refused_bits(judgement, kind);
        for (size_t i = 0; i < judgement->expectations.count; i++) {
            if ((refused >> i & 1) != 0 && judgement->counts[kind].missed[i] > 0) {
                return refuse(judgement, kind, i, err);
            }
        }
    }
    return DW_OK;
}

static int64_t
count_missed(const dw_judgement *judgement, size_t idx)
{
    return judgement->counts[DW_JUDGED_NEW].missed[idx] +
           judgement->counts[DW_JUDGED_PLACED].missed[idx];
}

static dw_status
put_metrics(dw_judgement *judgement, dw_change *change, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    for (size_t i = 0; i < judgement->expectations.count; i++) {
        dw_str key = dw__arena_printf(judgement->arena, "expectationViolations.%.*s",
                                      DW_STR_ARG(judgement->expectations.items[i].spec.name));
        if (dw__str_is_null(key)) {
            return dw__error_oom(err);
        }
        char digits[24];
        int len = snprintf(digits, sizeof(digits), "%" PRId64, count_missed(judgement, i));
        dw__strbuf_append_char(&json, ',');
        dw__json_put_string(&json, key);
        dw__strbuf_append_char(&json, ':');
        dw__json_put_string(&json, dw__str_make(digits, (size_t) len));
    }
    dw__strbuf_printf(&json, ",\"numDroppedRows\":\"%" PRId64 "\"", judgement->result.dropped);
    if (judgement->has_quarantine) {
        dw__strbuf_printf(&json, ",\"numQuarantinedRows\":\"%" PRId64 "\"",
                          judgement->result.quarantined);
    }
    if (judgement->result.quarantined > 0) {
        dw__strbuf_printf(&json, ",\"quarantineId\":\"%s\"", judgement->id);
    }
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(judgement->arena, dw__strbuf_str(&json), &change->judged_metrics)
               ? DW_OK
               : dw__error_oom(err);
}

static void
put_text(dw_judgement *judgement)
{
    dw_judged *result = &judgement->result;
    size_t used = 0;
    for (size_t i = 0; i < judgement->expectations.count && used < sizeof(result->text); i++) {
        const dw_expectation_spec *spec = &judgement->expectations.items[i].spec;
        int64_t count = count_missed(judgement, i);
        if (count > 0) {
            const char *done = spec->action == DW_VIOLATION_WARN   ? ""
                               : dw__str_is_null(spec->quarantine) ? " (dropped)"
                                                                   : " (put into quarantine)";
            int len = snprintf(result->text + used, sizeof(result->text) - used,
                               "%sexpectation %.*s is violated by %" PRId64 " row%s%s",
                               used == 0 ? "" : "; ", DW_STR_ARG(spec->name), count,
                               count == 1 ? "" : "s", done);
            used += len < 0 ? 0 : (size_t) len;
        }
    }
}

dw_status
dw__judgement_settle(dw_judgement *judgement, dw_change *change, dw_error *err)
{
    if (judgement->expectations.count == 0) {
        return DW_OK;
    }
    for (size_t i = 0; i < DW_JUDGED_KINDS; i++) {
        dw__row_judge_counts(judgement->judges[i], &judgement->counts[i]);
    }
    DW_TRY(refuse_violations(judgement, err));
    judgement->result.dropped = judgement->counts[DW_JUDGED_NEW].marked_count;
    DW_TRY(dw__quarantine_count(judgement, &judgement->result.quarantined, err));
    /* A version says so, also where no row is left. */
    change->commits_nothing = change->commits_nothing || judgement->result.dropped > 0;
    put_text(judgement);
    return put_metrics(judgement, change, err);
}
