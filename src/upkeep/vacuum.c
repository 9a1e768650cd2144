/*
 * The course of VACUUM: how long what is removed stays, what is kept, what is nobody's, and then
 * the commit that says so, the deletion, and the commit that says how it went.
 *
 * Why what is committed meanwhile is safe: files of a commit that comes after our snapshot are
 * younger than the retention, unless it brings old files back (RESTORE). So the commits between the
 * snapshot and VACUUM START are looked through before anything is deleted.
 */
#include "upkeep/vacuum.h"

#include "base/assert.h"
#include "base/checked.h"
#include "log/lean.h"
#include "table/change.h"
#include "upkeep/vacuum_core.h"

#include <inttypes.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define JSON_BYTES_MAX ((size_t) 4096)
/* How often the definition of the table may change while it is vacuumed. */
#define ATTEMPTS_MAX 5

/* ---- Retention ------------------------------------------------------------------------------- */

static dw_status
check_retention(const dw_vacuum *v, dw_error *err)
{
    const dw_vacuum_spec *spec = v->spec;
    if (spec->skips_check || !spec->has_retention || spec->retention_ms >= v->safe_ms) {
        return DW_OK;
    }
    return dw__error_set(
        err, DW_INVALID_ARGUMENT, "VACUUM_RETENTION_PERIOD_TOO_SHORT",
        "expected to retain at least %" PRId64 " hours (%s), found %" PRId64
        ": readers and writers that still run may need younger files; if there are none, SET "
        "spark.databricks.delta.retentionDurationCheck.enabled = false",
        (v->safe_ms + HOUR_MS - 1) / HOUR_MS,
        v->has_property ? "delta.deletedFileRetentionDuration of the table" : "the default",
        spec->retention_ms / HOUR_MS);
}

static dw_status
choose_cutoff(dw_vacuum *v, dw_error *err)
{
    const dw_properties *properties = dw__log_snapshot_properties(v->snapshot);
    const dw_metadata *metadata = dw__log_snapshot_metadata(v->snapshot);
    v->has_property = dw__pairs_get(&metadata->configuration,
                                    DW_STR("delta.deletedFileRetentionDuration")) != NULL;
    v->default_ms =
        v->has_property ? properties->deleted_file_retention_ms : DW_VACUUM_DEFAULT_HOURS * HOUR_MS;
    v->safe_ms =
        v->has_property ? properties->deleted_file_retention_ms : DW_VACUUM_SAFE_HOURS * HOUR_MS;
    DW_TRY(check_retention(v, err));
    v->now_ms = dw__env_now_ms(v->env);
    /* What no version has that the log still knows need not wait for our long default. */
    bool is_chosen = v->spec->has_retention || v->has_property;
    int64_t retention_ms = v->spec->has_retention ? v->spec->retention_ms : v->default_ms;
    int64_t young_ms = is_chosen ? retention_ms : v->safe_ms;
    if (!dw__checked_sub_i64(v->now_ms, retention_ms, &v->cutoff_ms)) {
        v->cutoff_ms = INT64_MIN;
    }
    if (!dw__checked_sub_i64(v->now_ms, young_ms, &v->young_ms)) {
        v->young_ms = INT64_MIN;
    }
    const dw_str *formats =
        dw__pairs_get(&metadata->configuration, DW_STR("delta.universalFormat.enabledFormats"));
    v->hides_metadata =
        properties->enable_iceberg_compat_v1 || properties->enable_iceberg_compat_v2 ||
        (formats != NULL && memmem(formats->ptr, formats->len, "iceberg", 7) != NULL);
    return DW_OK;
}

/* ---- Commits --------------------------------------------------------------------------------- */

typedef struct report_commit {
    const char *operation;
    dw_strbuf parameters, metrics; /* objects, without their ends */
} report_commit;

static report_commit
commit_make(const dw_vacuum *v, const char *operation)
{
    return (report_commit){.operation = operation,
                           .parameters = dw__strbuf_make(v->env->allocator, JSON_BYTES_MAX),
                           .metrics = dw__strbuf_make(v->env->allocator, JSON_BYTES_MAX)};
}

static void
commit_deinit(report_commit *commit)
{
    dw__strbuf_deinit(&commit->parameters);
    dw__strbuf_deinit(&commit->metrics);
}

/* A version that changes nothing and tells of us. */
static dw_status
commit_put(dw_vacuum *v, dw_log_snapshot *snapshot, report_commit *commit, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, v->env->allocator);
    dw_change change;
    dw_txn_result done;
    DW_TRY(dw__strbuf_ok(&commit->parameters, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&commit->metrics, "the operation's metrics", err));
    DW_TRY(dw__change_init(&change, v->table, snapshot, &arena, 0, err));
    change.commits_nothing = true;
    change.limits = v->upkeep->limits;
    change.has_isolation = true;
    change.isolation = DW_TXN_SNAPSHOT_ISOLATION;
    change.operation = commit->operation;
    change.parameters_json = dw__strbuf_str(&commit->parameters);
    change.metrics_json = dw__strbuf_str(&commit->metrics);
    DW_TRY(dw__change_commit(&change, &done, err));
    v->result.version = done.version;
    return DW_OK;
}

static dw_status
commit_start(dw_vacuum *v, dw_error *err)
{
    report_commit commit = commit_make(v, "VACUUM START");
    dw__change_put_parameter(&commit.parameters, "retentionCheckEnabled",
                             v->spec->skips_check ? DW_STR("false") : DW_STR("true"));
    dw__change_put_metric(&commit.parameters, "defaultRetentionMillis", v->default_ms);
    if (v->spec->has_retention) {
        dw__change_put_metric(&commit.parameters, "specifiedRetentionMillis",
                              v->spec->retention_ms);
    }
    dw__strbuf_append_char(&commit.parameters, '}');
    dw__change_put_metric(&commit.metrics, "numFilesToDelete", v->files.count);
    dw__change_put_metric(&commit.metrics, "sizeOfDataToDelete", v->files.size_bytes);
    dw__strbuf_append_char(&commit.metrics, '}');
    dw_status status = commit_put(v, v->snapshot, &commit, err);
    commit_deinit(&commit);
    DW_TRY(status);
    return dw__vacuum_keep_new(v, dw__log_snapshot_version(v->snapshot) + 1, v->result.version - 1,
                               err);
}

static dw_status
try_end(dw_vacuum *v, bool has_failed, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(v->table), &snapshot, err));
    report_commit commit = commit_make(v, "VACUUM END");
    dw__change_put_parameter(&commit.parameters, "status",
                             has_failed ? DW_STR("FAILED") : DW_STR("COMPLETED"));
    dw__strbuf_append_char(&commit.parameters, '}');
    if (!has_failed) {
        dw__change_put_metric(&commit.metrics, "numDeletedFiles", v->result.deleted_count);
        dw__change_put_metric(&commit.metrics, "numVacuumedDirectories", v->directory_count);
    }
    dw__strbuf_append(&commit.metrics, has_failed ? DW_STR("{}") : DW_STR("}"));
    dw_status status = commit_put(v, snapshot, &commit, err);
    commit_deinit(&commit);
    return status;
}

/* What is deleted is deleted: that the log cannot say so is no failure. */
static void
commit_end(dw_vacuum *v, bool has_failed)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = DW_CONFLICT;
    for (int i = 0; i < ATTEMPTS_MAX && status == DW_CONFLICT; i++) {
        dw__error_clear(&err);
        status = try_end(v, has_failed, &err);
    }
    if (status != DW_OK) {
        dw__env_warn(v->env, "the files are deleted, but VACUUM END could not be committed: %s",
                     err.message);
    }
}

/* ---- The course ------------------------------------------------------------------------------ */

static dw_status
consider_inventory(void *ctx, const dw_object_meta *object, dw_error *err)
{
    dw_vacuum *v = ctx;
    dw_str key = dw__vacuum_below_root(v, object->key);
    return dw__str_is_null(key) ? DW_OK : dw__vacuum_consider(v, key, object->modified_ms, err);
}

static dw_status
find(dw_vacuum *v, dw_error *err)
{
    switch (v->spec->kind) {
    case DW_VACUUM_FULL:
        return dw__vacuum_walk(v, err);
    case DW_VACUUM_LITE:
        return dw__vacuum_lite(v, err);
    case DW_VACUUM_INVENTORY:
        return v->spec->visit_inventory(v->spec->ctx, consider_inventory, v, err);
    }
    dw_unreachable("a kind is one of those above");
}

static dw_status
delete_found(dw_vacuum *v, dw_error *err)
{
    DW_TRY(commit_start(v, err));
    dw_status status = dw__vacuum_remove(v, err);
    commit_end(v, status != DW_OK);
    if (status == DW_OK && v->spec->kind != DW_VACUUM_INVENTORY && !v->result.is_over &&
        v->result.failed_count == 0) {
        dw__vacuum_note_done(v);
    }
    return status;
}

static dw_status
vacuum(dw_vacuum *v, struct ArrowArrayStream *out, dw_error *err)
{
    dw_log *log = dw__table_log(v->table);
    /* Those who commit need the files anyway, for the checksum of the version. */
    DW_TRY(v->upkeep->dry_run ? dw__log_snapshot_lean(log, &v->snapshot, err)
                              : dw__log_snapshot(log, &v->snapshot, err));
    DW_TRY(dw__protocol_check_write(dw__log_snapshot_protocol(v->snapshot),
                                    dw__log_snapshot_schema(v->snapshot), err));
    DW_TRY(choose_cutoff(v, err));
    DW_TRY(dw__vacuum_keep(v, err));
    DW_TRY(find(v, err));
    if (v->spec->kind != DW_VACUUM_INVENTORY) {
        DW_TRY(dw__vacuum_find_filters(v, err));
    }
    v->result.found_count = v->files.count;
    v->result.found_bytes = v->files.size_bytes;
    v->result.first_version = v->first_version;
    if (!v->upkeep->dry_run) {
        DW_TRY(delete_found(v, err));
        if (v->spec->kind != DW_VACUUM_INVENTORY && !v->result.is_over) {
            dw__vacuum_thin_filters(v);
        }
    }
    return dw__vacuum_report(v, out, err);
}

static dw_status
vacuum_once(const dw_upkeep *upkeep, dw_table *table, const dw_vacuum_spec *spec,
            struct ArrowArrayStream *out, dw_vacuum_result *result_out, dw_error *err)
{
    const dw_env *env = dw__table_env(table);
    dw_str spills = dw__database_spill_directory(dw__table_database(table));
    dw_vacuum v = {.upkeep = upkeep,
                   .spec = spec,
                   .env = env,
                   .table = table,
                   .storage = dw__table_storage(table),
                   .keep = dw__key_set_make(env->allocator),
                   .seen = dw__key_set_make(env->allocator),
                   .files = dw__key_list_make(env->allocator, spills),
                   .directories = dw__key_list_make(env->allocator, spills),
                   .directory_count = 1,
                   .result = {.version = -1}};
    dw__arena_init(&v.arena, env->allocator);
    dw__arena_init(&v.told, env->allocator);
    dw__log_listing_init(&v.listing, env->allocator);
    int failed = pthread_mutex_init(&v.mutex, NULL);
    dw_assert(failed == 0);
    dw_status status = vacuum(&v, out, err);
    *result_out = v.result;
    pthread_mutex_destroy(&v.mutex);
    dw__key_list_deinit(&v.directories);
    dw__key_list_deinit(&v.files);
    dw__key_set_deinit(&v.seen);
    dw__key_set_deinit(&v.keep);
    DW_VEC_DEINIT(env->allocator, &v.known_paths);
    dw__log_listing_deinit(&v.listing);
    dw__log_snapshot_unref(v.snapshot);
    dw__arena_deinit(&v.told);
    dw__arena_deinit(&v.arena);
    return status;
}

/* A conflict is one of VACUUM START, before anything was deleted: the table has become another, and
 * may ask for another retention. */
dw_status
dw__table_vacuum(const dw_upkeep *upkeep, dw_table *table, const dw_vacuum_spec *spec,
                 struct ArrowArrayStream *out, dw_vacuum_result *result_out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = DW_CONFLICT;
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < ATTEMPTS_MAX && status == DW_CONFLICT; i++) {
        dw__error_clear(&cause);
        status = vacuum_once(upkeep, table, spec, out, result_out, &cause);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}
