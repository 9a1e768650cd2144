/*
 * Rows against the conditions of their table: check constraints and invariants. One scan for all.
 * Rules D2, D3.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "scan/scan.h"
#include "table/constraint.h"

#include <inttypes.h>

#define QUERY_BYTES_MAX ((size_t) 64 << 20)
#define VIEW_NAME DW_STR("dw_fsck_rows")

static const char *
rule_of(const dw_row_check *check)
{
    return strcmp(check->code, "CHECK_CONSTRAINT_VIOLATION") == 0 ? "D3" : "D2";
}

/* How many rows break each condition. */
static dw_status
print_query(const dw_row_checks *checks, dw_strbuf *out, dw_error *err)
{
    for (size_t i = 0; i < checks->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__strbuf_append_literal(out, "count(*) FILTER (WHERE (");
        dw__strbuf_append(out, checks->items[i].expression.sql);
        dw__strbuf_append_literal(out, ") IS DISTINCT FROM true)");
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, VIEW_NAME);
    return dw__strbuf_ok(out, "the query", err);
}

static void
report(dw_fsck *fsck, const dw_row_checks *checks, const dw_text_rows *rows)
{
    for (size_t i = 0; i < checks->count; i++) {
        int64_t broken = 0;
        (void) dw__str_to_i64(rows->cells[i], &broken);
        if (broken > 0) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, rule_of(&checks->items[i]), DW_STR_NULL,
                          "%" PRId64 " rows break the %.*s", broken,
                          DW_STR_ARG(checks->items[i].label));
        }
    }
}

static dw_status
query_rows(dw_fsck *fsck, dw_log_snapshot *snapshot, const dw_row_checks *checks, dw_arena *arena,
           dw_error *cause)
{
    dw_scan *scan;
    dw_text_rows rows;
    dw_scan_source source = {.name = VIEW_NAME, .snapshot = snapshot};
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, QUERY_BYTES_MAX);
    DW_TRY(print_query(checks, &sql, cause));
    DW_TRY(dw__scan_open(fsck->connection, fsck->database, dw__strbuf_str(&sql), &source, 1, &scan,
                         cause));
    dw_status status =
        dw__connection_query_text(fsck->connection, dw__strbuf_str(&sql), arena, &rows, cause);
    if (status == DW_OK) {
        report(fsck, checks, &rows);
    }
    dw__scan_close(scan);
    return status;
}

/* A condition that cannot be evaluated is worth a note: nobody knows whether rows keep it. */
static dw_status
read_checks(dw_fsck *fsck, dw_log_snapshot *snapshot, dw_arena *arena, dw_row_checks *out,
            dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__row_checks_read(dw__log_snapshot_metadata(snapshot),
                                           dw__log_snapshot_schema(snapshot), arena, out, &cause);
    if (status == DW_UNSUPPORTED || status == DW_INVALID_ARGUMENT || status == DW_CORRUPT) {
        *out = (dw_row_checks){0};
        dw__fsck_find(fsck, DW_FSCK_NOTE, "D3", DW_STR_NULL, "not checked: %s", cause.message);
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}

dw_status
dw__fsck_data_constraints(dw_fsck *fsck, dw_log_snapshot *snapshot, dw_error *err)
{
    dw_row_checks checks;
    dw_error cause = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, fsck->env->allocator);
    DW_TRY(read_checks(fsck, snapshot, &arena, &checks, err));
    if (checks.count == 0 || fsck->database == NULL ||
        dw__file_set_count(dw__log_snapshot_files(snapshot)) == 0) {
        return DW_OK;
    }
    dw_status status = query_rows(fsck, snapshot, &checks, &arena, &cause);
    if (status == DW_IO || status == DW_INTERNAL || status == DW_INVALID_ARGUMENT) {
        dw__fsck_find(fsck, DW_FSCK_NOTE, "D3", DW_STR_NULL, "not checked: %s", cause.message);
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}
