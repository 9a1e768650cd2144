/*
 * From a run to its events: what it is to do when it begins, what its commit recorded when it ends.
 */
#include "lineage/tell.h"

#include "lineage/emitter.h"

static void
send(const dw_env *env, dw_emitter *emitter, const dw_openlineage_event *event)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(env->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
    dw__openlineage_print(&text, event);
    if (text.failed) {
        dw__env_debug(env, "a lineage event was too long, or memory was out");
    } else {
        dw__emitter_send(emitter, dw__strbuf_str(&text));
    }
}

static dw_openlineage_event
event_of(const dw_lineage *lineage, const dw_env *env, dw_openlineage_type type,
         const dw_lineage_record *record)
{
    return (dw_openlineage_event){.type = type,
                                  .time_us = dw__env_now_us(env),
                                  .record = record,
                                  .table = lineage->table,
                                  .version = -1,
                                  .change = DW_STR_NULL,
                                  .row_count = -1,
                                  .file_count = -1,
                                  .size_bytes = -1};
}

/* The record with the statement that runs as its only one. */
static dw_lineage_record
record_so_far(dw_lineage *lineage)
{
    dw_lineage_record record = lineage->record;
    record.statements = &lineage->statement;
    record.statement_count = 1;
    return record;
}

void
dw__lineage_tell_start(dw_lineage *lineage, const dw_env *env, const dw_lineage_defaults *defaults)
{
    if (defaults->emitter == NULL) {
        return;
    }
    dw_lineage_record record = record_so_far(lineage);
    dw_openlineage_event event = event_of(lineage, env, DW_OPENLINEAGE_START, &record);
    lineage->is_told = true;
    send(env, defaults->emitter, &event);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* What the commit recorded, as others read it. False when that is not to be had. */
static bool
read_committed(const dw_lineage *lineage, dw_lineage_record *out)
{
    bool is_found;
    DW_AUTO(dw_strbuf)
    text = dw__strbuf_make(lineage->arena->allocator, 2 * DW_LINEAGE_RECORD_BYTES_MAX);
    dw__strbuf_append_literal(&text, "{\"lineage\":");
    dw__strbuf_append(&text, lineage->committed);
    dw__strbuf_append_char(&text, '}');
    return !text.failed && lineage->committed.len > 0 &&
           dw__lineage_parse(dw__strbuf_str(&text), lineage->arena, out, &is_found, NULL) ==
               DW_OK &&
           is_found;
}

static void
take_change(const dw_lineage *lineage, const dw_lineage_outcome *outcome,
            dw_openlineage_event *event)
{
    event->version = outcome->version;
    if (outcome->version < 0) {
        return;
    }
    event->row_count = outcome->row_count;
    event->file_count = outcome->file_count;
    event->size_bytes = outcome->size_bytes;
    event->schema = outcome->schema;
    event->change = outcome->alters ? DW_STR("ALTER") : DW_STR_NULL;
    event->change = lineage->statement.replaces ? DW_STR("OVERWRITE") : event->change;
    event->change = outcome->version == 0 ? DW_STR("CREATE") : event->change;
}

void
dw__lineage_tell_end(dw_lineage *lineage, const dw_env *env, const dw_lineage_defaults *defaults,
                     const dw_lineage_outcome *outcome)
{
    dw_lineage_record record;
    if (!lineage->is_told) {
        return;
    }
    if (!outcome->is_done || !read_committed(lineage, &record)) {
        record = record_so_far(lineage);
    }
    dw_openlineage_event event = event_of(
        lineage, env, outcome->is_done ? DW_OPENLINEAGE_COMPLETE : DW_OPENLINEAGE_FAIL, &record);
    event.problem = outcome->problem;
    if (outcome->is_done) {
        take_change(lineage, outcome, &event);
    }
    send(env, defaults->emitter, &event);
}
