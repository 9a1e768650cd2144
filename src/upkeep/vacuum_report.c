/*
 * What VACUUM tells: the files (of a dry run), then what goes, what stays and why, a row each.
 */
#include "base/checked.h"
#include "log/cleanup.h"
#include "protocol/value.h"
#include "upkeep/vacuum_core.h"

#include <inttypes.h>
#include <stdlib.h>

#define WHY_BYTES_MAX ((size_t) 4096)
#define HOUR_MS (INT64_C(3600) * 1000)

typedef struct report {
    dw_vacuum *v;
    dw_rows *rows;
    dw_strbuf why;
    bool failed;
} report;

static void
put_row(report *r, dw_str path, const char *action, int64_t files, int64_t bytes)
{
    dw__rows_put_str(r->rows, path);
    dw__rows_put_str(r->rows, dw__str_from(action));
    dw__rows_put_i64(r->rows, files);
    if (bytes >= 0) {
        dw__rows_put_i64(r->rows, bytes);
    } else {
        dw__rows_put_null(r->rows);
    }
    dw__rows_put_str(r->rows, dw__strbuf_str(&r->why));
    r->failed = r->failed || r->why.failed;
    dw__strbuf_clear(&r->why);
}

static void
put_root_row(report *r, const char *action, int64_t files, int64_t bytes)
{
    put_row(r, dw__table_root(r->v->table), action, files, bytes);
}

/* ---- The files of a dry run ------------------------------------------------------------------ */

typedef struct listed_file {
    dw_str key;
    int64_t size_bytes;
} listed_file;

static int
compare_files(const void *a, const void *b)
{
    return dw__str_compare(((const listed_file *) a)->key, ((const listed_file *) b)->key);
}

static dw_status
read_files(dw_vacuum *v, listed_file *out, size_t *count_out, dw_error *err)
{
    dw_key_reader reader = dw__key_reader_make(&v->files);
    dw_status status = DW_OK;
    *count_out = 0;
    for (bool found = true; status == DW_OK && found && *count_out < DW_VACUUM_LISTED_MAX;) {
        dw_str key;
        listed_file *slot = &out[*count_out];
        status = dw__key_reader_next(&reader, &key, &slot->size_bytes, &found, err);
        if (status == DW_OK && found) {
            ++*count_out;
            status = dw__arena_dup(&v->told, key, &slot->key) ? DW_OK : dw__error_oom(err);
        }
    }
    dw__key_reader_deinit(&reader);
    return status;
}

static dw_status
put_files(report *r, dw_error *err)
{
    dw_vacuum *v = r->v;
    size_t count;
    listed_file *files = DW_ARENA_ARRAY(&v->told, listed_file, DW_VACUUM_LISTED_MAX);
    if (files == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(read_files(v, files, &count, err));
    qsort(files, count, sizeof(files[0]), compare_files);
    for (size_t i = 0; i < count; i++) {
        dw_str path = dw__arena_printf(&v->told, "%.*s/%.*s", DW_STR_ARG(dw__table_root(v->table)),
                                       DW_STR_ARG(files[i].key));
        if (dw__str_is_null(path)) {
            return dw__error_oom(err);
        }
        put_row(r, path, "delete", 1, files[i].size_bytes);
    }
    return DW_OK;
}

/* ---- Why ------------------------------------------------------------------------------------- */

static void
append_time(dw_strbuf *out, int64_t time_ms)
{
    int64_t micros;
    if (!dw__checked_mul_i64(time_ms, 1000, &micros)) {
        dw__strbuf_append_literal(out, "the beginning of time");
    } else {
        dw__timestamp_print(out, micros, ' ', 0, " UTC");
    }
}

/* Where the retention comes from. */
static void
append_retention(report *r)
{
    const dw_vacuum *v = r->v;
    int64_t ms = v->spec->has_retention ? v->spec->retention_ms : v->default_ms;
    dw__strbuf_printf(&r->why, "%" PRId64 " hours, ", ms / HOUR_MS);
    if (v->spec->has_retention) {
        dw__strbuf_append_literal(&r->why, "as RETAIN says");
    } else if (v->has_property) {
        dw__strbuf_append_literal(&r->why, "delta.deletedFileRetentionDuration of the table");
    } else {
        dw__strbuf_append_literal(
            &r->why, "the default, as the table has no delta.deletedFileRetentionDuration");
    }
}

static void
put_total(report *r)
{
    const dw_vacuum *v = r->v;
    const dw_vacuum_result *result = &v->result;
    bool is_dry = v->upkeep->dry_run;
    int64_t listed = v->files.count < (int64_t) DW_VACUUM_LISTED_MAX
                         ? v->files.count
                         : (int64_t) DW_VACUUM_LISTED_MAX;
    dw__strbuf_printf(&r->why, "%s: no version from %" PRId64 " on needs them",
                      is_dry ? "would be deleted" : "deleted", v->first_version);
    if (is_dry && listed < v->files.count) {
        dw__strbuf_printf(&r->why, "; %" PRId64 " of them are listed", listed);
    }
    if (result->is_over) {
        dw__strbuf_printf(&r->why, "; the time was up, %" PRId64 " more wait for the next VACUUM",
                          result->found_count - result->deleted_count - result->failed_count);
    }
    put_root_row(r, "total", is_dry ? result->found_count : result->deleted_count,
                 is_dry ? result->found_bytes : result->deleted_bytes);
}

static void
put_failures(report *r)
{
    const dw_vacuum *v = r->v;
    for (int64_t i = 0; i < v->result.failed_count && i < DW_VACUUM_FAILURES_MAX; i++) {
        dw__strbuf_append(&r->why, v->failures[i].message);
        put_row(r, v->failures[i].key, "failed", 1, -1);
    }
    if (v->result.failed_count > DW_VACUUM_FAILURES_MAX) {
        dw__strbuf_append_literal(&r->why, "could not be deleted, those above included");
        put_root_row(r, "failed", v->result.failed_count, -1);
    }
}

static void
put_kept(report *r)
{
    dw_vacuum *v = r->v;
    const dw_vacuum_tally *kept = v->kept;
    int64_t version = dw__log_snapshot_version(v->snapshot);
    dw__strbuf_printf(&r->why, "the current version %" PRId64 " has them", version);
    put_root_row(r, "keep", kept[DW_VACUUM_CURRENT].count, kept[DW_VACUUM_CURRENT].bytes);
    dw__strbuf_printf(&r->why, "time travel: removed since ");
    append_time(&r->why, v->cutoff_ms);
    dw__strbuf_append_literal(&r->why, " (");
    append_retention(r);
    dw__strbuf_printf(&r->why, "), so versions %" PRId64 " to %" PRId64 " can be read",
                      v->first_version, version);
    put_root_row(r, "keep", kept[DW_VACUUM_RETAINED].count, kept[DW_VACUUM_RETAINED].bytes);
    if (kept[DW_VACUUM_CHANGES].count > 0) {
        dw__strbuf_append_literal(&r->why, "change data of those versions");
        put_root_row(r, "keep", kept[DW_VACUUM_CHANGES].count, kept[DW_VACUUM_CHANGES].bytes);
    }
    if (v->young.count > 0) {
        dw__strbuf_printf(&r->why,
                          "in no version, but younger than %" PRId64
                          " hours: they may be of a transaction that still runs",
                          (v->now_ms - v->young_ms) / HOUR_MS);
        put_root_row(r, "keep", v->young.count, v->young.bytes);
    }
}

static void
put_others(report *r)
{
    dw_vacuum *v = r->v;
    int64_t hidden = atomic_load(&v->hidden_count), others = atomic_load(&v->other_table_count);
    if (hidden > 0) {
        dw__strbuf_append_literal(&r->why, "files and directories whose names begin with \"_\" or "
                                           "\".\" are not looked at");
        put_root_row(r, "keep", hidden, -1);
    }
    if (others > 0) {
        dw__strbuf_append_literal(&r->why, "directories that are tables of their own");
        put_root_row(r, "keep", others, -1);
    }
    if (v->result.directory_count > 0) {
        dw__strbuf_append_literal(&r->why, "directories that were empty");
        put_root_row(r, "remove directory", v->result.directory_count, -1);
    }
}

/* The log goes by a clock of its own. */
static void
put_log(report *r)
{
    const dw_properties *properties = dw__log_snapshot_properties(r->v->snapshot);
    if (properties->enable_expired_log_cleanup) {
        dw__strbuf_printf(&r->why,
                          "the log keeps its commits for %" PRId64
                          " days (delta.logRetentionDuration); older ones go with checkpoints, "
                          "not with VACUUM",
                          properties->log_retention_ms / DW_DAY_MS);
    } else {
        dw__strbuf_append_literal(&r->why, "the log keeps all its commits "
                                           "(delta.enableExpiredLogCleanup is false)");
    }
    put_root_row(r, "log", (int64_t) r->v->listing.count, -1);
}

dw_status
dw__vacuum_report(dw_vacuum *v, struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {{"path", DW_ROWS_STR, 0, 0},
                                             {"action", DW_ROWS_STR, 0, 0},
                                             {"files", DW_ROWS_I64, 0, 0},
                                             {"bytes", DW_ROWS_I64, 0, 0},
                                             {"why", DW_ROWS_STR, 0, 0}};
    report r = {.v = v, .why = dw__strbuf_make(v->env->allocator, WHY_BYTES_MAX)};
    DW_TRY(dw__rows_new(v->env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &r.rows,
                        err));
    dw_status status = v->upkeep->dry_run ? put_files(&r, err) : DW_OK;
    if (status == DW_OK) {
        put_total(&r);
        put_failures(&r);
        put_kept(&r);
        put_others(&r);
        put_log(&r);
        status = r.failed ? dw__error_oom(err) : DW_OK;
    }
    dw__strbuf_deinit(&r.why);
    if (status != DW_OK) {
        dw__rows_free(r.rows);
        return status;
    }
    return dw__rows_stream(r.rows, out, err);
}
