/*
 * Snapshot handles: a version of a table, its files and its rows.
 */
#include "api/handles.h"
#include "api/options.h"
#include "scan/scan.h"
#include "table/audited.h"
#include "table/read.h"

/* ---- Lifetime -------------------------------------------------------------------------------- */

static dw_status
find_state(dw_table *table, const dw_snapshot_options *options, dw_log_snapshot **out,
           dw_error *err)
{
    dw_log *log = dw__table_log(table);
    bool by_version = DW_HAS_OPTION(options, version) && options->version >= 0;
    bool by_time = DW_HAS_OPTION(options, timestamp_us) && options->timestamp_us != INT64_MIN;
    if (by_version && by_time) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARGUMENT_CONFLICT",
                             "a snapshot is asked for by version or by time, not both");
    }
    if (by_version) {
        return dw__log_snapshot_at(log, options->version, out, err);
    }
    if (by_time) {
        int64_t version;
        DW_TRY(dw__log_version_at(log, options->timestamp_us, &version, err));
        return dw__log_snapshot_at(log, version, out, err);
    }
    return dw__log_snapshot(log, out, err);
}

/* The schema's text with its NUL, owned by the snapshot. */
static dw_status
keep_schema(dw_snapshot *snapshot, const dw_allocator *allocator, dw_error *err)
{
    dw_str text = dw__log_snapshot_metadata(snapshot->state)->schema_string;
    snapshot->schema_json = dw__alloc_zero(allocator, text.len + 1);
    if (snapshot->schema_json == NULL) {
        return dw__error_oom(err);
    }
    snapshot->schema_json_size = text.len + 1;
    memcpy(snapshot->schema_json, text.ptr, text.len);
    return DW_OK;
}

dw_status
dw_table_snapshot(dw_table *table, const dw_snapshot_options *options, dw_snapshot **out,
                  dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    DW_REQUIRE(table);
    const dw_allocator *allocator = dw__table_env(table)->allocator;
    dw_snapshot *snapshot = DW_NEW(allocator, dw_snapshot);
    if (snapshot == NULL) {
        return dw__error_oom(err);
    }
    atomic_init(&snapshot->ref_count, 1);
    snapshot->table = dw__table_ref(table);
    dw_status status = find_state(table, options, &snapshot->state, err);
    if (status == DW_OK) {
        status = keep_schema(snapshot, allocator, err);
    }
    if (status != DW_OK) {
        dw_snapshot_unref(snapshot);
        return status;
    }
    *out = snapshot;
    return DW_OK;
}

dw_snapshot *
dw_snapshot_ref(dw_snapshot *snapshot)
{
    if (snapshot != NULL) {
        atomic_fetch_add(&snapshot->ref_count, 1);
    }
    return snapshot;
}

void
dw_snapshot_unref(dw_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->ref_count, 1) != 1) {
        return;
    }
    const dw_allocator *allocator = dw__table_env(snapshot->table)->allocator;
    dw__log_snapshot_unref(snapshot->state);
    dw__dealloc(allocator, snapshot->schema_json, snapshot->schema_json_size);
    dw__table_unref(snapshot->table);
    DW_DELETE(allocator, snapshot);
}

/* ---- What it says ---------------------------------------------------------------------------- */

int64_t
dw_snapshot_version(const dw_snapshot *snapshot)
{
    return dw__log_snapshot_version(snapshot->state);
}

int64_t
dw_snapshot_file_count(const dw_snapshot *snapshot)
{
    return (int64_t) dw__file_set_count(dw__log_snapshot_files(snapshot->state));
}

int64_t
dw_snapshot_size_bytes(const dw_snapshot *snapshot)
{
    return dw__file_set_size_bytes(dw__log_snapshot_files(snapshot->state));
}

const char *
dw_snapshot_schema_json(const dw_snapshot *snapshot)
{
    return snapshot->schema_json;
}

/* ---- Rows and files -------------------------------------------------------------------------- */

dw_status
dw_snapshot_scan(dw_snapshot *snapshot, const dw_scan_options *options,
                 struct ArrowArrayStream *out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(snapshot);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(snapshot->table)->allocator);
    size_t count = 0;
    const dw_str *columns = NULL;
    if (DW_HAS_OPTION(options, columns)) {
        DW_TRY(dw__options_strings(options->columns, &arena, &columns, &count, err));
    }
    dw_str filter = DW_STR_NULL;
    if (DW_HAS_OPTION(options, filter)) {
        filter = dw__str_from(options->filter);
    }
    DW_TRY(dw__table_tell_read(snapshot->table, snapshot->state, "SCAN", err));
    return dw__table_read(snapshot->table, snapshot->state, columns, count, filter, out, err);
}

/* One block: the pointers, NULL at the end, then the texts. Released by free(). */
static char **
make_list(const dw_file_set *files, const dw_file_ref *refs, size_t count)
{
    size_t size = (count + 1) * sizeof(char *);
    for (size_t i = 0; i < count; i++) {
        size += dw__file_set_path(files, refs[i]).len + 1;
    }
    char **list = dw__alloc_zero(dw__allocator_libc(), size);
    if (list == NULL) {
        return NULL;
    }
    char *next = (char *) (list + count + 1);
    for (size_t i = 0; i < count; i++) {
        dw_str path = dw__file_set_path(files, refs[i]);
        list[i] = next;
        memcpy(next, path.ptr, path.len);
        next += path.len + 1;
    }
    return list;
}

dw_status
dw_snapshot_plan(dw_snapshot *snapshot, const char *filter, char ***paths_out, int64_t *count_out,
                 dw_error *err)
{
    dw__error_clear(err);
    if (paths_out != NULL) {
        *paths_out = NULL;
    }
    DW_REQUIRE(count_out);
    *count_out = 0;
    DW_REQUIRE(snapshot);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(snapshot->table)->allocator);
    dw_file_ref *refs;
    size_t count;
    dw_scan_report report;
    DW_TRY(dw__scan_plan(dw__table_database(snapshot->table), snapshot->state, dw__str_from(filter),
                         &arena, &refs, &count, &report, err));
    if (paths_out != NULL) {
        *paths_out = make_list(dw__log_snapshot_files(snapshot->state), refs, count);
        if (*paths_out == NULL) {
            return dw__error_oom(err);
        }
    }
    *count_out = (int64_t) count;
    return DW_OK;
}

void
dw_file_list_free(char **paths)
{
    /* The C library's allocator does not need the size. */
    dw__dealloc(dw__allocator_libc(), paths, 1);
}
