/*
 * Looks for every file of the newest version, then removes those that are gone in one commit.
 * Modelled on Databricks' FSCK REPAIR TABLE.
 */
#include "upkeep/repair.h"

#include "base/vec.h"
#include "codec/rows.h"
#include "codec/uri.h"
#include "table/change.h"
#include "upkeep/file_presence.h"

#include <inttypes.h>

#define METRICS_BYTES_MAX ((size_t) 4096)

/* Files below the table's root, and those elsewhere. */
enum { PLACE_OWN, PLACE_ELSEWHERE, PLACE_COUNT };

typedef struct place {
    int64_t file_count, gone_count;
    dw_str first; /* that is gone, borrowed from the snapshot */
} place;

typedef struct repair {
    dw_table *table;
    const dw_upkeep *upkeep;
    dw_log_snapshot *snapshot; /* owned */
    dw_arena arena;
    dw_arena scratch;
    dw_change change;
    dw_file_reader reader;
    dw_file_presence presence;
    dw_rows *rows; /* owned */
    struct {
        dw_file_ref *items;
        size_t count;
        size_t capacity;
    } gone;
    place places[PLACE_COUNT];
    dw_repair_result *result;
} repair;

/* ---- Looking --------------------------------------------------------------------------------- */

static dw_status
put_row(repair *r, dw_str path, dw_error *err)
{
    dw_str root = dw__table_root(r->table), vector = r->presence.vector, full;
    dw__arena_reset(&r->scratch);
    DW_TRY(dw__uri_resolve(&r->scratch, root, path, &full, err));
    if (vector.len > 0 && vector.ptr[0] != '/') {
        vector = dw__arena_printf(&r->scratch, "%.*s/%.*s", DW_STR_ARG(root), DW_STR_ARG(vector));
        if (dw__str_is_null(vector)) {
            return dw__error_oom(err);
        }
    }
    dw__rows_put_str(r->rows, full);
    dw__rows_put_bool(r->rows, r->presence.file_is_missing);
    dw__rows_put_str(r->rows, vector);
    dw__rows_put_bool(r->rows, r->presence.vector_is_missing);
    return DW_OK;
}

static dw_status
look_at(repair *r, dw_file_ref ref, dw_error *err)
{
    const dw_file_set *files = dw__log_snapshot_files(r->snapshot);
    dw_file key = dw__file_set_key(files, ref);
    place *at = &r->places[dw__uri_is_absolute(key.path) ? PLACE_ELSEWHERE : PLACE_OWN];
    at->file_count++;
    DW_TRY(dw__file_presence_check(&r->presence, &key, err));
    if (!r->presence.file_is_missing && !r->presence.vector_is_missing) {
        return DW_OK;
    }
    dw_file_ref *slot = DW_VEC_PUSH(r->arena.allocator, &r->gone);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = ref;
    at->first = at->gone_count++ == 0 ? key.path : at->first;
    return r->result->removed_count++ < DW_REPAIR_LISTED_MAX ? put_row(r, key.path, err) : DW_OK;
}

static dw_status
look(repair *r, dw_error *err)
{
    const dw_file_set *files = dw__log_snapshot_files(r->snapshot);
    dw_file_ref ref;
    int64_t seen = 0;
    r->result->file_count = (int64_t) dw__file_set_count(files);
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        DW_TRY(dw__upkeep_go_on(r->upkeep, seen++, r->result->file_count, err));
        DW_TRY(look_at(r, ref, err));
    }
    return DW_OK;
}

/* ---- Removing -------------------------------------------------------------------------------- */

/* [REPAIR-2] */
static dw_status
check_places(const repair *r, dw_error *err)
{
    static const char *const names[PLACE_COUNT] = {"in the table's directory",
                                                   "outside of the table's directory"};
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        const place *p = &r->places[i];
        if (p->gone_count > 0 && p->gone_count == p->file_count) {
            return dw__error_set(
                err, DW_NOT_FOUND, "ALL_FILES_MISSING",
                "expected some of the table's files %s, found none of %" PRId64
                ", such as %.*s: is their disk mounted? If they are lost for good, look at DRY "
                "RUN and say FSCK REPAIR TABLE ... FORCE",
                names[i], p->file_count, DW_STR_ARG(p->first));
        }
    }
    return DW_OK;
}

static dw_status
check_append_only(const repair *r, dw_error *err)
{
    if (!dw__log_snapshot_properties(r->snapshot)->append_only) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                         "the table only takes appends (delta.appendOnly = true), and %" PRId64
                         " files would have to go: set it to false first",
                         r->result->removed_count);
}

static dw_status
remove_gone(repair *r, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(r->snapshot);
    DW_TRY(dw__change_init(&r->change, r->table, r->snapshot, &r->arena, r->gone.count, err));
    for (size_t i = 0; i < r->gone.count; i++) {
        dw_file add;
        DW_TRY(dw__file_reader_get(&r->reader, files, r->gone.items[i], &r->arena, &add, err));
        dw__change_put_remove_of(&r->change, &add);
    }
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(r->arena.allocator, METRICS_BYTES_MAX);
    dw__change_put_metric(&metrics, "numRemovedFiles", r->result->removed_count);
    dw__strbuf_append_char(&metrics, '}');
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    r->change.operation = "FSCK";
    r->change.limits = r->upkeep->limits;
    r->change.parameters_json = DW_STR("{}");
    r->change.metrics_json = dw__strbuf_str(&metrics);
    dw_txn_result done;
    DW_TRY(dw__change_commit(&r->change, &done, err));
    r->result->version = done.version;
    return DW_OK;
}

static dw_status
run(repair *r, bool force, dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"dataFilePath", DW_ROWS_STR, 0, 0},
        {"dataFileMissing", DW_ROWS_BOOL, 0, 0},
        {"deletionVectorPath", DW_ROWS_STR, 0, 0},
        {"deletionVectorFileMissing", DW_ROWS_BOOL, 0, 0},
    };
    DW_TRY(dw__log_snapshot(dw__table_log(r->table), &r->snapshot, err));
    DW_TRY(dw__rows_new(r->arena.allocator, columns, sizeof(columns) / sizeof(columns[0]), &r->rows,
                        err));
    DW_TRY(look(r, err));
    if (r->gone.count == 0) {
        return DW_OK;
    }
    if (r->upkeep->dry_run) {
        dw_error ignored = DW_ERROR_INIT;
        r->result->needs_force = !force && check_places(r, &ignored) != DW_OK;
        return DW_OK;
    }
    DW_TRY(force ? DW_OK : check_places(r, err));
    DW_TRY(check_append_only(r, err));
    return remove_gone(r, err);
}

dw_status
dw__table_repair(dw_table *table, const dw_upkeep *upkeep, bool force, struct ArrowArrayStream *out,
                 dw_repair_result *result_out, dw_error *err)
{
    *result_out = (dw_repair_result){.version = -1};
    repair r = {.table = table, .upkeep = upkeep, .result = result_out};
    dw__arena_init(&r.arena, dw__table_env(table)->allocator);
    dw__arena_init(&r.scratch, r.arena.allocator);
    dw__file_presence_init(&r.presence, dw__table_storage(table));
    dw_status status = run(&r, force, err);
    if (status == DW_OK) {
        status = dw__rows_stream(r.rows, out, err);
    } else {
        dw__rows_free(r.rows);
    }
    DW_VEC_DEINIT(r.arena.allocator, &r.gone);
    dw__file_presence_deinit(&r.presence);
    dw__file_reader_deinit(&r.reader);
    dw__log_snapshot_unref(r.snapshot);
    dw__arena_deinit(&r.scratch);
    dw__arena_deinit(&r.arena);
    return status;
}
