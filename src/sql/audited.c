/*
 * Telling the audit log. [AUDITED-1]
 */
#include "sql/audited.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>

static const dw_audit *
audit_of(const dw_session *session)
{
    return dw__catalog_audit(session->catalog);
}

/* By which its records are told from those of other sessions. */
static dw_str
session_name(const dw_session *session, char name[DW_AUDITED_SESSION_SIZE])
{
    (void) snprintf(name, DW_AUDITED_SESSION_SIZE, "%08" PRIx32, session->token);
    return dw__str_from(name);
}

static dw_audit_event
make_event(const dw_session *session, char name[DW_AUDITED_SESSION_SIZE], const char *verb,
           dw_str text)
{
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    event.session = session_name(session, name);
    dw_str user = dw__session_setting_text(&session->settings.audit_user);
    event.user = user.len == 0 ? DW_STR_NULL : user;
    event.verb = dw__str_from(verb);
    event.statement = dw__str_trim(text);
    event.code = DW_STR_NULL;
    event.table_path = DW_STR_NULL;
    event.table_id = DW_STR_NULL;
    return event;
}

static void
put_table(dw_audit_event *event, const dw_table *table, const dw_log_snapshot *old)
{
    event->table_path = dw__table_root(table);
    if (old != NULL) {
        event->table_id = dw__log_snapshot_metadata(old)->id;
        event->read_version = dw__log_snapshot_version(old);
    }
}

/* ---- What a statement is about --------------------------------------------------------------- */

/* Where a table is or will be. */
static dw_status
find_root(dw_execution *x, const dw_sql_name *name, dw_str *out, dw_error *err)
{
    const dw_statement *statement = &x->statement;
    *out = name->parts[0];
    if (statement->kind == DW_STATEMENT_CREATE_TABLE && statement->as.create.location.len > 0) {
        *out = statement->as.create.location;
        return DW_OK;
    }
    if (name->is_path || statement->kind == DW_STATEMENT_CONVERT) {
        return DW_OK;
    }
    return dw__catalog_resolve(x->session->catalog, name->parts, name->part_count, &x->arena, out,
                               err);
}

/* What cannot be found is left to the statement to say: the record has its text. */
static void
find_table(dw_execution *x)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_str root;
    dw_audited *told = &x->audited;
    dw_catalog *catalog = x->session->catalog;
    const dw_sql_name *name = dw__audited_name(&x->statement);
    if (x->statement.kind == DW_STATEMENT_TRANSACTION) {
        dw_table *changed = x->session->transaction == NULL
                                ? NULL
                                : dw__transaction_changed_table(x->session->transaction);
        told->table = changed == NULL ? NULL : dw__table_ref(changed);
    } else if (name == NULL || find_root(x, name, &root, &ignored) != DW_OK ||
               dw__catalog_table_at(catalog, root, &told->table, &ignored) != DW_OK) {
        told->table = NULL;
    }
    if (told->table != NULL &&
        dw__log_snapshot(dw__table_log(told->table), &told->old, &ignored) != DW_OK) {
        told->old = NULL;
    }
}

/* The states that the statement has seen. */
static dw_status
put_seen(dw_execution *x, dw_audit_event *event)
{
    size_t count = 0;
    dw_audit_table *tables = DW_ARENA_ARRAY(&x->arena, dw_audit_table, x->seen.count + 1);
    if (tables == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < x->seen.count; i++) {
        const dw_seen_table *seen = &x->seen.items[i];
        if (seen->table != x->audited.table) {
            tables[count].path = dw__table_root(seen->table);
            tables[count].id = dw__log_snapshot_metadata(seen->snapshot)->id;
            tables[count++].version = dw__log_snapshot_version(seen->snapshot);
        }
    }
    event->tables = tables;
    event->table_count = count;
    return DW_OK;
}

static const char *
verb_of(const dw_statement *statement)
{
    if (statement->kind == DW_STATEMENT_TRANSACTION) {
        bool commits = statement->as.transaction.kind == DW_TRANSACTION_COMMIT;
        return commits ? "COMMIT" : "ROLLBACK";
    }
    return statement->kind == DW_STATEMENT_MODIFY ? statement->as.modify.verb : statement->verb;
}

/* ---- Before and after ------------------------------------------------------------------------ */

dw_status
dw__audited_begin(dw_execution *x)
{
    const dw_audit *audit = audit_of(x->session);
    char session[DW_AUDITED_SESSION_SIZE];
    if (audit == NULL) {
        return DW_OK;
    }
    dw_audited_kind kind = dw__audited_kind(&x->statement);
    x->audited.is_read = kind == DW_AUDITED_READ;
    bool wants_reads = dw__audit_wants_reads(audit) || x->session->settings.audits_reads;
    if (kind == DW_AUDITED_NOT || (x->audited.is_read && !wants_reads)) {
        return DW_OK;
    }
    x->audited.verb = verb_of(&x->statement);
    if (x->audited.is_read) {
        return DW_OK;
    }
    find_table(x);
    dw_audit_event event = make_event(x->session, session, x->audited.verb, x->text);
    event.outcome = DW_AUDIT_STARTED;
    if (x->audited.table != NULL) {
        put_table(&event, x->audited.table, x->audited.old);
    }
    return dw__audit_begin(audit, &event, &x->audited.started, x->err);
}

static void
put_change(const dw_execution *x, dw_audit_event *event)
{
    const dw_change_report *change = &x->result->change;
    if (!x->result->has_change) {
        return;
    }
    event->has_counts = true;
    event->rows_inserted = change->rows_inserted;
    event->rows_updated = change->rows_updated;
    event->rows_deleted = change->rows_deleted;
    event->files_added = change->files_added;
    event->bytes_added = change->bytes_added;
    event->files_removed = change->files_removed;
    event->files_rewritten = change->files_rewritten + change->files_marked;
}

/* A table that was made has an id only now. What cannot be read is left out. */
static void
find_new_id(dw_execution *x)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_audited *told = &x->audited;
    if (told->old == NULL && told->table != NULL && x->committed >= 0 &&
        dw__log_snapshot(dw__table_log(told->table), &told->old, &ignored) != DW_OK) {
        told->old = NULL;
    }
}

static void
end_change(dw_execution *x, dw_status status)
{
    char session[DW_AUDITED_SESSION_SIZE];
    dw_audited *told = &x->audited;
    dw_audit_event event = make_event(x->session, session, told->verb, DW_STR_NULL);
    bool was_there = told->old != NULL;
    find_new_id(x);
    if (told->table != NULL) {
        put_table(&event, told->table, told->old);
        event.read_version = was_there ? event.read_version : -1;
    }
    dw_log_snapshot *seen = told->table == NULL ? NULL : dw__execution_newest(x, told->table);
    if (seen != NULL) {
        event.read_version = dw__log_snapshot_version(seen);
    }
    dw_error ignored = DW_ERROR_INIT;
    dw_error *err = x->err;
    x->err = &ignored; /* without memory it is told without what was read */
    (void) !put_seen(x, &event);
    x->err = err;
    put_change(x, &event);
    event.started = told->started;
    event.version = x->committed;
    event.outcome = dw__audit_outcome_of(status, x->committed, x->session->transaction != NULL);
    event.code = status == DW_OK ? DW_STR_NULL : dw__str_from(x->err->code);
    dw__audit_end(audit_of(x->session), &event);
}

dw_status
dw__audited_end(dw_execution *x, dw_status status)
{
    char session[DW_AUDITED_SESSION_SIZE];
    dw_audited *told = &x->audited;
    if (told->verb == NULL) {
        return status;
    }
    if (!told->is_read) {
        end_change(x, status);
        return status;
    }
    if (status != DW_OK) { /* nothing was shown */
        return status;
    }
    dw_audit_event event = make_event(x->session, session, told->verb, x->text);
    event.outcome = DW_AUDIT_READ;
    DW_TRY(put_seen(x, &event));
    return dw__audit_read(audit_of(x->session), &event, x->err);
}

void
dw__audited_deinit(dw_execution *x)
{
    dw__log_snapshot_unref(x->audited.old);
    dw__table_unref(x->audited.table);
}

/* ---- Loads ----------------------------------------------------------------------------------- */

/* The files, one a line, as far as a record keeps a statement. */
static void
put_files(dw_strbuf *out, const dw_load_spec *spec)
{
    dw__strbuf_append_literal(out, "load");
    for (size_t i = 0; i < spec->file_count && out->len <= DW_AUDIT_STATEMENT_BYTES_MAX; i++) {
        dw__strbuf_append_char(out, '\n');
        dw__strbuf_append(out, spec->files[i]);
    }
}

dw_told
dw__audited_load(const dw_session *session, const dw_load_spec *spec, dw_strbuf *text,
                 char name[DW_AUDITED_SESSION_SIZE])
{
    dw_told told = DW_TOLD_INIT("LOAD");
    if (audit_of(session) != NULL) {
        put_files(text, spec);
        told.text = dw__strbuf_str(text);
    }
    told.session = session_name(session, name);
    told.user = dw__session_setting_text(&session->settings.audit_user);
    told.in_transaction = session->transaction != NULL;
    return told;
}
