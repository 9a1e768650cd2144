/*
 * Telling others of runs: an event when the lineage of a statement begins, and one when it ends. In
 * a transaction the commit is the run. [NOTE-1]
 */
#include "lineage/emitter.h"
#include "lineage/openlineage.h"
#include "sql/lineage.h"

static dw_emitter *
emitter_of(const dw_execution *x)
{
    return dw__catalog_lineage(x->session->catalog)->emitter;
}

static void
send(const dw_execution *x, const dw_openlineage_event *event)
{
    DW_AUTO(dw_strbuf) text =
        dw__strbuf_make(x->session->env->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
    dw__openlineage_print(&text, event);
    if (text.failed) {
        dw__env_debug(x->session->env, "a lineage event was too long, or memory was out");
    } else {
        dw__emitter_send(emitter_of(x), dw__strbuf_str(&text));
    }
}

static dw_openlineage_event
event_of(const dw_execution *x, dw_openlineage_type type, const dw_lineage_record *record)
{
    return (dw_openlineage_event){.type = type,
                                  .time_us = dw__env_now_us(x->session->env),
                                  .record = record,
                                  .table = x->lineage->table,
                                  .version = -1,
                                  .change = DW_STR_NULL,
                                  .row_count = -1,
                                  .file_count = -1,
                                  .size_bytes = -1};
}

/* The record with the statement that runs as its only one. */
static dw_lineage_record
record_so_far(const dw_execution *x)
{
    dw_lineage_record record = x->lineage->record;
    record.statements = &x->lineage->statement;
    record.statement_count = 1;
    return record;
}

void
dw__execution_tell_start(dw_execution *x)
{
    bool is_part = x->session->transaction != NULL && x->statement.kind != DW_STATEMENT_TRANSACTION;
    if (emitter_of(x) == NULL || is_part) {
        return;
    }
    dw_lineage_record record = record_so_far(x);
    dw_openlineage_event event = event_of(x, DW_OPENLINEAGE_START, &record);
    x->lineage->is_told = true;
    send(x, &event);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* What the commit recorded, as others read it. False when that is not to be had. */
static bool
read_committed(const dw_execution *x, dw_lineage_record *out)
{
    bool is_found;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, 2 * DW_LINEAGE_RECORD_BYTES_MAX);
    dw__strbuf_append_literal(&text, "{\"lineage\":");
    dw__strbuf_append(&text, x->lineage->committed);
    dw__strbuf_append_char(&text, '}');
    return !text.failed && x->lineage->committed.len > 0 &&
           dw__lineage_parse(dw__strbuf_str(&text), x->lineage->arena, out, &is_found, NULL) ==
               DW_OK &&
           is_found;
}

static void
take_counts(dw_openlineage_event *event, const dw_change_report *change)
{
    if (change != NULL) {
        event->row_count = change->rows_inserted;
        event->file_count = change->files_added;
        event->size_bytes = change->bytes_added;
    }
}

static void
tell_done(dw_execution *x, const dw_change_report *change)
{
    dw_lineage_record record;
    if (!read_committed(x, &record)) {
        record = record_so_far(x);
    }
    dw_openlineage_event event = event_of(x, DW_OPENLINEAGE_COMPLETE, &record);
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    event.version = x->committed;
    if (event.version >= 0) {
        take_counts(&event, change);
        bool alters = x->statement.kind == DW_STATEMENT_ALTER;
        event.change = alters ? DW_STR("ALTER") : DW_STR_NULL;
        event.change = x->lineage->statement.replaces ? DW_STR("OVERWRITE") : event.change;
        event.change = event.version == 0 ? DW_STR("CREATE") : event.change;
        dw_error ignored = DW_ERROR_INIT;
        if (dw__catalog_table_at(x->session->catalog, x->lineage->table, &table, &ignored) ==
                DW_OK &&
            dw__log_snapshot(dw__table_log(table), &snapshot, &ignored) == DW_OK) {
            event.schema = dw__log_snapshot_schema(snapshot);
        }
    }
    send(x, &event);
}

void
dw__execution_tell_end(dw_execution *x, dw_status status, const dw_change_report *change)
{
    if (x->lineage == NULL || !x->lineage->is_told) {
        return;
    }
    if (status == DW_OK || x->committed >= 0) {
        tell_done(x, change);
        return;
    }
    dw_lineage_record record = record_so_far(x);
    dw_openlineage_event event = event_of(x, DW_OPENLINEAGE_FAIL, &record);
    event.problem = dw__str_from(x->err->message);
    send(x, &event);
}
