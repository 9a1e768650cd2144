/*
 * The audit log: opening it with a runtime, checking it, reading it.
 */
#include "audit/audit.h"

#include "api/handles.h"
#include "api/options.h"
#include "audit/query.h"
#include "audit/verify.h"

static dw_audit_durability
durability_of(dw_audit_sync sync)
{
    switch (sync) {
    case DW_AUDIT_SYNC_OF_CHANGES:
        return DW_AUDIT_SYNC_CHANGES;
    case DW_AUDIT_SYNC_OF_ALL:
        return DW_AUDIT_SYNC_ALL;
    case DW_AUDIT_SYNC_OFF:
        return DW_AUDIT_SYNC_NONE;
    }
    return DW_AUDIT_SYNC_ALL;
}

dw_status
dw__options_audit(const dw_env *env, const dw_audit_options *options, dw_audit **out, dw_error *err)
{
    *out = NULL;
    if (!DW_HAS_OPTION(options, file_bytes_max) || options->file_bytes_max > INT64_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARGUMENT_RANGE",
                             "audit->size is too small, or file_bytes_max too large: use "
                             "DW_AUDIT_OPTIONS_INIT");
    }
    DW_REQUIRE(options->path);
    dw_audit_spec spec = {.path = dw__str_from(options->path),
                          .key_path = dw__str_from(options->key_file),
                          .user = dw__str_from(options->user),
                          .with_reads = options->with_reads,
                          .is_required = options->is_required,
                          .durability = durability_of(options->sync),
                          .file_bytes_max = (int64_t) options->file_bytes_max};
    return dw__audit_open(env, &spec, out, err);
}

dw_status
dw_audit_verify(const char *path, const dw_audit_check_options *options,
                struct ArrowArrayStream *out, dw_audit_report *report_out, dw_error *err)
{
    dw_audit_verdict verdict;
    dw_audit_verify_spec spec = {.key_path = DW_STR_NULL, .anchor_hash = DW_STR_NULL};
    dw_env env = dw__env_system();
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(path);
    spec.path = dw__str_from(path);
    if (DW_HAS_OPTION(options, anchor_hash)) {
        spec.key_path = dw__str_from(options->key_file);
        spec.anchor_count = options->anchor_count;
        spec.anchor_hash = dw__str_from(options->anchor_hash);
    }
    dw_status status = dw__audit_verify(&env, &spec, out, &verdict, err);
    if (report_out != NULL) {
        *report_out = (dw_audit_report){.record_count = verdict.record_count,
                                        .error_count = verdict.error_count,
                                        .note_count = verdict.note_count};
        memcpy(report_out->last_hash, verdict.last_hash, sizeof(report_out->last_hash));
    }
    return status;
}

static dw_audit_query
query_of(const char *path, const dw_audit_filter *filter)
{
    dw_audit_query query = {.path = dw__str_from(path),
                            .since_us = INT64_MIN,
                            .until_us = INT64_MAX,
                            .table = DW_STR_NULL,
                            .user = DW_STR_NULL};
    if (DW_HAS_OPTION(filter, limit)) {
        query.since_us = filter->since_us;
        query.until_us = filter->until_us;
        query.table = dw__str_from(filter->table);
        query.user = dw__str_from(filter->user);
        query.limit = filter->limit;
    }
    return query;
}

dw_status
dw_audit_records(const char *path, const dw_audit_filter *filter, struct ArrowArrayStream *out,
                 dw_error *err)
{
    dw_env env = dw__env_system();
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(path);
    dw_audit_query query = query_of(path, filter);
    return dw__audit_rows(&env, &query, out, err);
}

typedef struct export_to {
    dw_audit_line_fn take;
    void *ctx;
} export_to;

static dw_status
export_line(void *ctx, dw_str line, dw_error *err)
{
    export_to *to = ctx;
    if (to->take(to->ctx, line.ptr, line.len) != 0) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "the export was ended by its caller");
    }
    return DW_OK;
}

dw_status
dw_audit_export(const char *path, const dw_audit_filter *filter, dw_audit_line_fn take, void *ctx,
                dw_error *err)
{
    dw_env env = dw__env_system();
    export_to to = {take, ctx};
    dw__error_clear(err);
    DW_REQUIRE(path);
    DW_REQUIRE(take);
    dw_audit_query query = query_of(path, filter);
    return dw__audit_lines(&env, &query, export_line, &to, err);
}
