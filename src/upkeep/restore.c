/*
 * The difference between two versions of a table, as the commit that leads back. Modelled on the
 * reference's RestoreTableCommand.
 */
#include "upkeep/restore.h"

#include "base/checked.h"
#include "codec/json.h"
#include "lineage/lineage.h"
#include "log/commit.h"
#include "log/listing.h"
#include "log/timeline.h"
#include "table/change.h"
#include "txn/conflict.h"
#include "upkeep/definition_copy.h"
#include "upkeep/file_presence.h"
#include "upkeep/vacuum.h"

#include <inttypes.h>

#define PARAMETERS_BYTES_MAX ((size_t) 65536)
/* How often files are looked for again because a VACUUM began. */
#define ATTEMPTS_MAX 5
/* No VACUUM takes as long as that. */
#define VACUUM_MS_MAX (DW_VACUUM_SAFE_HOURS * INT64_C(3600000))

typedef struct restore {
    dw_table *table;
    const dw_upkeep *upkeep;
    const dw_restore_spec *spec;
    dw_log_snapshot *newest, *wanted; /* owned */
    dw_arena arena;
    dw_change change;
    dw_file_reader reader;
    dw_restore_result *result;
    int64_t seen_count, all_count; /* files, for the progress */
    bool has_looked;               /* all that is brought back was there */
} restore;

static dw_status
open_versions(restore *r, dw_error *err)
{
    dw_log *log = dw__table_log(r->table);
    DW_TRY(dw__log_snapshot(log, &r->newest, err));
    DW_TRY(dw__log_snapshot_at(log, r->spec->version, &r->wanted, err));
    const dw_file_set *files = dw__log_snapshot_files(r->wanted);
    r->result->files_after = (int64_t) dw__file_set_count(files);
    r->result->bytes_after = dw__file_set_size_bytes(files);
    r->result->is_current = r->spec->version == dw__log_snapshot_version(r->newest);
    r->all_count =
        (int64_t) dw__file_set_count(dw__log_snapshot_files(r->newest)) + r->result->files_after;
    return DW_OK;
}

/* ---- VACUUM beside it ------------------------------------------------------------------------ */

/* How long what is removed stays, by what VACUUM START says. */
static bool
read_retention(const dw_allocator *allocator, const dw_commit_info *info, int64_t *out_ms)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (dw__str_is_null(info->operation_parameters_json) ||
        dw__json_parse(allocator, info->operation_parameters_json, "the parameters", &doc, NULL) !=
            DW_OK) {
        return false;
    }
    dw_json root = dw__json_root(doc);
    dw_json value = dw__json_get(root, DW_STR("specifiedRetentionMillis"));
    if (dw__json_kind(value) == DW_JSON_MISSING) {
        value = dw__json_get(root, DW_STR("defaultRetentionMillis"));
    }
    return dw__json_i64(value, out_ms) || dw__str_to_i64(dw__json_str(value), out_ms);
}

/* The newest version that a VACUUM began or ended with; -1: it ended, or there was none for long.
 * One that ended is taken to have been the only one. */
static dw_status
find_running_vacuum(restore *r, dw_arena *arena, int64_t *version_out, dw_commit_info *info_out,
                    dw_error *err)
{
    dw_log *log = dw__table_log(r->table);
    int64_t since_ms = dw__env_now_ms(dw__table_env(r->table)) - VACUUM_MS_MAX;
    *version_out = -1;
    for (int64_t version = dw__log_snapshot_version(r->newest); version > r->spec->version;
         version--) {
        dw_error cause = DW_ERROR_INIT;
        dw__arena_reset(arena);
        dw_status status = dw__commit_info_read(log, version, arena, info_out, &cause);
        if (status == DW_NOT_FOUND) {
            return DW_OK; /* the log was cleaned up */
        }
        if (status != DW_OK) {
            dw__error_copy(err, &cause);
            return status;
        }
        bool is_old = info_out->has_timestamp && info_out->timestamp_ms < since_ms;
        if (is_old || dw__str_equal(info_out->operation, DW_STR("VACUUM END"))) {
            return DW_OK;
        }
        if (dw__str_equal(info_out->operation, DW_STR("VACUUM START"))) {
            *version_out = version;
            return DW_OK;
        }
    }
    return DW_OK;
}

/* Is the version that is wanted one of those within the retention of the VACUUM? The one that the
 * VACUUM read is, whatever the clocks of the file system and of commits say. */
static dw_status
is_kept(restore *r, const dw_commit_info *vacuum, bool *out, dw_error *err)
{
    int64_t retention_ms, cutoff_ms, last_outside;
    *out = vacuum->has_read_version && vacuum->read_version == r->spec->version;
    if (*out || !vacuum->has_timestamp ||
        !read_retention(r->arena.allocator, vacuum, &retention_ms)) {
        return DW_OK;
    }
    if (!dw__checked_sub_i64(vacuum->timestamp_ms, retention_ms, &cutoff_ms)) {
        cutoff_ms = INT64_MIN;
    }
    dw_log_listing listing;
    dw__log_listing_init(&listing, r->arena.allocator);
    dw_status status = dw__log_list(dw__table_storage(r->table), 0, &listing, err);
    if (status == DW_OK) {
        status = dw__timeline_version_until(r->newest, &listing, cutoff_ms, &last_outside, err);
    }
    dw__log_listing_deinit(&listing);
    *out = status == DW_OK && r->spec->version >= last_outside;
    return status;
}

/* [RESTORE-4] */
static dw_status
check_vacuum(restore *r, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, r->arena.allocator);
    dw_commit_info vacuum;
    int64_t version;
    bool kept = true;
    DW_TRY(find_running_vacuum(r, &scratch, &version, &vacuum, err));
    if (version >= 0) {
        DW_TRY(is_kept(r, &vacuum, &kept, err));
    }
    return kept ? DW_OK
                : dw__error_set(err, DW_CONFLICT, "CONCURRENT_VACUUM",
                                "version %" PRId64 " (VACUUM START) began to remove files that "
                                "version %" PRId64 " may need, and no VACUUM END is there: run the "
                                "statement again behind it; if that VACUUM was killed, VACUUM ... "
                                "RETAIN 1000000 HOURS says so and removes none of them",
                                version, r->spec->version);
}

static dw_status
go_on(restore *r, dw_error *err)
{
    return dw__upkeep_go_on(r->upkeep, r->seen_count++, r->all_count, err);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Is the file, with the very deletion vector, in the other state? */
static dw_status
has_file(dw_file_set *files, dw_file_ref ref, const dw_log_snapshot *other, bool *out,
         dw_error *err)
{
    dw_file key = dw__file_set_key(files, ref);
    return dw__log_snapshot_has_file(other, &key, out, err);
}

static dw_status
missing(const restore *r, const dw_file_presence *presence, dw_error *err)
{
    return dw__error_set(err, DW_NOT_FOUND, "FILES_MISSING",
                         "version %" PRId64 " cannot be restored: %" PRId64
                         " of its files %s not there any more, such as %.*s; VACUUM removes what "
                         "no version within the retention needs: choose a later version",
                         r->spec->version, presence->missing_count,
                         presence->missing_count == 1 ? "is" : "are",
                         DW_STR_ARG(presence->missing));
}

/* [RESTORE-1] */
static dw_status
put_back(restore *r, dw_file_presence *presence, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(r->wanted);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        bool is_there;
        DW_TRY(go_on(r, err));
        DW_TRY(has_file(files, ref, r->newest, &is_there, err));
        if (is_there) {
            continue;
        }
        dw_action action = {.kind = DW_ACTION_ADD};
        DW_TRY(dw__file_reader_get(&r->reader, files, ref, &r->arena, &action.as.file, err));
        DW_TRY(dw__file_presence_check(presence, &action.as.file, err));
        action.as.file.data_change = true;
        r->result->files_restored++;
        r->result->bytes_restored += action.as.file.size_bytes;
        DW_TRY(dw__change_reserve(&r->change, 1, err));
        dw__change_put(&r->change, &action);
    }
    return presence->missing_count == 0 ? DW_OK : missing(r, presence, err);
}

static dw_status
take_out(restore *r, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(r->newest);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        bool stays;
        DW_TRY(go_on(r, err));
        DW_TRY(has_file(files, ref, r->wanted, &stays, err));
        if (!stays) {
            dw_file add;
            DW_TRY(dw__file_reader_get(&r->reader, files, ref, &r->arena, &add, err));
            DW_TRY(dw__change_reserve(&r->change, 1, err));
            dw__change_put_remove_of(&r->change, &add);
        }
    }
    r->result->files_removed = r->change.removed_file_count;
    r->result->bytes_removed = r->change.removed_bytes;
    if (r->change.removed_file_count > 0 && dw__log_snapshot_properties(r->newest)->append_only) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                             "the table only takes appends (delta.appendOnly = true), and %" PRId64
                             " files would have to go: set it to false first",
                             r->change.removed_file_count);
    }
    return DW_OK;
}

/* ---- The commit ------------------------------------------------------------------------------ */

static dw_status
put_definition(restore *r, dw_error *err)
{
    dw_action clustering;
    dw_definition_copy copy = {.wanted = r->wanted, .current = r->newest, .is_same_table = true};
    DW_TRY(dw__definition_copy(&copy, &r->arena, err));
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL, .as.protocol = copy.protocol};
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = copy.metadata};
    if (!dw__protocol_equal(&copy.protocol, dw__log_snapshot_protocol(r->newest))) {
        dw__change_put(&r->change, &protocol);
    }
    dw__change_put(&r->change, &metadata);
    if (dw__definition_copy_clustering(&copy, &clustering)) {
        dw__change_put(&r->change, &clustering);
    }
    return DW_OK;
}

/* Numbers and nulls, as the reference has them here. */
static dw_status
describe(restore *r, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(r->arena.allocator, PARAMETERS_BYTES_MAX);
    if (dw__str_is_null(r->spec->timestamp)) {
        dw__strbuf_printf(&json, "{\"version\":%" PRId64 ",\"timestamp\":null}", r->spec->version);
    } else {
        dw__strbuf_append_literal(&json, "{\"version\":null,\"timestamp\":");
        dw__json_put_string(&json, r->spec->timestamp);
        dw__strbuf_append_char(&json, '}');
    }
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(r->arena.allocator, PARAMETERS_BYTES_MAX);
    dw__change_put_metric(&metrics, "tableSizeAfterRestore", r->result->bytes_after);
    dw__change_put_metric(&metrics, "numOfFilesAfterRestore", r->result->files_after);
    dw__change_put_metric(&metrics, "numRemovedFiles", r->result->files_removed);
    dw__change_put_metric(&metrics, "numRestoredFiles", r->result->files_restored);
    dw__change_put_metric(&metrics, "removedFilesSize", r->result->bytes_removed);
    dw__change_put_metric(&metrics, "restoredFilesSize", r->result->bytes_restored);
    dw__strbuf_append_char(&metrics, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    bool ok = dw__arena_dup(&r->arena, dw__strbuf_str(&json), &r->change.parameters_json) &&
              dw__arena_dup(&r->arena, dw__strbuf_str(&metrics), &r->change.metrics_json);
    return ok ? DW_OK : dw__error_oom(err);
}

/* The table as it was is all that it is made of. */
static dw_status
note_lineage(const restore *r, dw_error *err)
{
    dw_lineage *lineage = r->upkeep->limits.lineage;
    if (lineage != NULL) {
        lineage->statement.replaces = true;
    }
    return dw__lineage_set_version(lineage, r->wanted) ? DW_OK : dw__error_oom(err);
}

static dw_status
put_files(restore *r, dw_error *err)
{
    dw_file_presence presence;
    dw__file_presence_init(&presence, dw__table_storage(r->table));
    dw_status status = put_back(r, &presence, err);
    dw__file_presence_deinit(&presence);
    return status == DW_OK ? take_out(r, err) : status;
}

static dw_status
run(restore *r, dw_error *err)
{
    DW_TRY(open_versions(r, err));
    if (r->result->is_current) {
        return DW_OK;
    }
    DW_TRY(dw__change_init(&r->change, r->table, r->newest, &r->arena, 3, err));
    r->change.operation = "RESTORE";
    r->change.limits = r->upkeep->limits;
    r->change.reads_whole_table = true;
    r->change.has_isolation = true;
    r->change.isolation = DW_TXN_SERIALIZABLE; /* [RESTORE-3] */
    r->change.brings_files_back = true;
    DW_TRY(put_definition(r, err));
    DW_TRY(check_vacuum(r, err));
    DW_TRY(put_files(r, err));
    DW_TRY(describe(r, err));
    if (r->upkeep->dry_run) {
        return DW_OK;
    }
    dw_txn_result done;
    r->has_looked = true;
    DW_TRY(note_lineage(r, err));
    DW_TRY(dw__change_commit(&r->change, &done, err));
    r->result->version = done.version;
    return DW_OK;
}

/* `is_beaten_out`: by a VACUUM that began after the files had been looked for. */
static dw_status
restore_once(dw_table *table, const dw_upkeep *upkeep, const dw_restore_spec *spec,
             dw_restore_result *out, bool *is_beaten_out, dw_error *err)
{
    *out = (dw_restore_result){.version = -1};
    restore r = {.table = table, .upkeep = upkeep, .spec = spec, .result = out};
    dw__arena_init(&r.arena, dw__table_env(table)->allocator);
    dw_status status = run(&r, err);
    *is_beaten_out = status == DW_CONFLICT && r.has_looked &&
                     strcmp(err->code, dw__verdict_code(DW_VERDICT_CONCURRENT_VACUUM)) == 0;
    dw__file_reader_deinit(&r.reader);
    dw__log_snapshot_unref(r.wanted);
    dw__log_snapshot_unref(r.newest);
    dw__arena_deinit(&r.arena);
    return status;
}

dw_status
dw__table_restore(dw_table *table, const dw_upkeep *upkeep, const dw_restore_spec *spec,
                  dw_restore_result *out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = DW_OK;
    bool is_beaten = true;
    for (int i = 0; i < ATTEMPTS_MAX && is_beaten; i++) {
        dw__error_clear(&cause);
        status = restore_once(table, upkeep, spec, out, &is_beaten, &cause);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}
