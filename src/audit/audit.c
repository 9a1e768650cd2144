/*
 * What others call: the log with its key, and the records of a statement's beginning and end.
 * [AUDIT-3,4]
 */
#include "audit/audit.h"

#include "audit/append.h"
#include "base/assert.h"
#include "storage/local_file.h"

struct dw_audit {
    const dw_env *env;
    dw_arena arena; /* of the texts below */
    dw_audit_spec spec;
    dw_str key; /* null string: none */
    dw_identity identity;
};

/* ---- Opening --------------------------------------------------------------------------------- */

dw_status
dw__audit_key_read(dw_str path, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_local_file) file = DW_LOCAL_FILE_NONE;
    DW_TRY(dw__local_file_open(path, DW_LOCAL_READ, &file, err));
    DW_TRY(dw__local_file_read(&file, 0, DW_AUDIT_KEY_BYTES_MAX + 1, out, err));
    while (out->len > 0 && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r')) {
        dw__strbuf_truncate(out, out->len - 1);
    }
    if (out->len < DW_AUDIT_KEY_BYTES_MIN || out->len > DW_AUDIT_KEY_BYTES_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "AUDIT_KEY_INVALID",
                             "expected a key of %zu to %zu bytes in %s, found %zu: make one with "
                             "head -c 32 /dev/urandom | base64",
                             DW_AUDIT_KEY_BYTES_MIN, DW_AUDIT_KEY_BYTES_MAX, file.path, out->len);
    }
    return DW_OK;
}

static dw_status
keep_spec(dw_audit *audit, const dw_audit_spec *spec, dw_error *err)
{
    audit->spec = *spec;
    audit->key = DW_STR_NULL;
    if (spec->path.len == 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "expected the path of the audit log, found an empty text");
    }
    if (audit->spec.file_bytes_max == 0) {
        audit->spec.file_bytes_max = DW_AUDIT_FILE_BYTES_DEFAULT;
    }
    if (audit->spec.file_bytes_max < DW_AUDIT_FILE_BYTES_MIN) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "files of the audit log have at least %lld bytes, not %lld",
                             (long long) DW_AUDIT_FILE_BYTES_MIN, (long long) spec->file_bytes_max);
    }
    if (!dw__arena_dup(&audit->arena, spec->path, &audit->spec.path) ||
        !dw__arena_dup(&audit->arena, spec->user, &audit->spec.user)) {
        return dw__error_oom(err);
    }
    if (!dw__str_is_null(spec->key_path)) {
        DW_AUTO(dw_strbuf) key = dw__strbuf_make(audit->env->allocator, DW_AUDIT_KEY_BYTES_MAX + 1);
        DW_TRY(dw__audit_key_read(spec->key_path, &key, err));
        if (!dw__arena_dup(&audit->arena, dw__strbuf_str(&key), &audit->key)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

dw_status
dw__audit_open(const dw_env *env, const dw_audit_spec *spec, dw_audit **out, dw_error *err)
{
    *out = NULL;
    dw_audit *audit = DW_NEW(env->allocator, dw_audit);
    if (audit == NULL) {
        return dw__error_oom(err);
    }
    audit->env = env;
    dw__arena_init(&audit->arena, env->allocator);
    dw_status status = keep_spec(audit, spec, err);
    if (status != DW_OK) {
        dw__error_context(err, "opening the audit log");
        dw__audit_close(audit);
        return status;
    }
    dw__identity_system(&audit->identity);
    *out = audit;
    return DW_OK;
}

void
dw__audit_close(dw_audit *audit)
{
    if (audit == NULL) {
        return;
    }
    dw__arena_deinit(&audit->arena);
    DW_DELETE(audit->env->allocator, audit);
}

bool
dw__audit_wants_reads(const dw_audit *audit)
{
    return audit->spec.with_reads;
}

/* ---- Recording ------------------------------------------------------------------------------- */

static dw_status
append(const dw_audit *audit, const dw_audit_event *event, bool is_change, int64_t *number_out,
       dw_error *err)
{
    dw_identity identity = audit->identity;
    identity.process_id = dw__identity_process_id();
    dw_audit_event named = *event;
    if (named.user.len == 0) {
        named.user = audit->spec.user;
    }
    dw_audit_target target = {.env = audit->env,
                              .path = audit->spec.path,
                              .key = audit->key,
                              .file_bytes_max = audit->spec.file_bytes_max,
                              .identity = &identity};
    bool is_synced = audit->spec.durability == DW_AUDIT_SYNC_ALL ||
                     (audit->spec.durability == DW_AUDIT_SYNC_CHANGES && is_change);
    return dw__audit_append(&target, &named, is_synced, number_out, err);
}

/* A record that could not be written stops what is required to have one, or is missed. */
static dw_status
refuse_or_warn(const dw_audit *audit, const dw_error *cause, dw_error *err)
{
    if (!audit->spec.is_required) {
        dw__env_warn(audit->env, "a record is missing in the audit log %.*s: %s",
                     DW_STR_ARG(audit->spec.path), cause->message);
        return DW_OK;
    }
    if (cause->status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    return dw__error_set(err, DW_IO, "AUDIT_LOG_UNWRITABLE",
                         "nothing was done, as the audit log %.*s is required and cannot be "
                         "written: %s",
                         DW_STR_ARG(audit->spec.path), cause->message);
}

dw_status
dw__audit_begin(const dw_audit *audit, const dw_audit_event *event, int64_t *number_out,
                dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_assert(event->outcome == DW_AUDIT_STARTED);
    return append(audit, event, true, number_out, &cause) == DW_OK
               ? DW_OK
               : refuse_or_warn(audit, &cause, err);
}

void
dw__audit_end(const dw_audit *audit, const dw_audit_event *event)
{
    int64_t number;
    dw_error cause = DW_ERROR_INIT;
    dw_assert(event->outcome != DW_AUDIT_STARTED && event->outcome != DW_AUDIT_READ);
    if (event->started > 0 && append(audit, event, true, &number, &cause) != DW_OK) {
        dw__env_warn(audit->env,
                     "the audit log %.*s has the beginning of a statement, in its record %lld, and "
                     "lacks its end: %s",
                     DW_STR_ARG(audit->spec.path), (long long) event->started, cause.message);
    }
}

dw_status
dw__audit_read(const dw_audit *audit, const dw_audit_event *event, dw_error *err)
{
    int64_t number;
    dw_error cause = DW_ERROR_INIT;
    dw_assert(event->outcome == DW_AUDIT_READ);
    return append(audit, event, false, &number, &cause) == DW_OK
               ? DW_OK
               : refuse_or_warn(audit, &cause, err);
}

dw_audit_outcome
dw__audit_outcome_of(dw_status status, int64_t version, bool in_transaction)
{
    if (version >= 0) {
        return DW_AUDIT_COMMITTED; /* also when its answer got lost */
    }
    if (status == DW_AMBIGUOUS) {
        return DW_AUDIT_UNKNOWN;
    }
    if (status != DW_OK) {
        return DW_AUDIT_FAILED;
    }
    return in_transaction ? DW_AUDIT_STAGED : DW_AUDIT_DONE;
}
