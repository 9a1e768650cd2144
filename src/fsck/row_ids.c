/*
 * The ids and versions that rows of tracked tables bring along, against the mark and each other.
 * PROTOCOL.md "Row Tracking". Rules H1, H2.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "scan/dv.h"
#include "scan/scan.h"

#include <inttypes.h>

#define QUERY_BYTES_MAX ((size_t) 1 << 16)
#define VIEW_NAME DW_STR("dw_fsck_row_ids")

typedef struct id_check {
    dw_fsck *fsck;
    dw_log_snapshot *snapshot;
    dw_row_id_columns columns;
    dw_arena arena;
    dw_file_ref *files;
    dw_rowset **deleted;
    size_t file_count;
} id_check;

/* ---- All rows -------------------------------------------------------------------------------- */

/* Every file with the rows that are deleted in it: planned like a query nothing would be told of
 * files that statistics exclude wrongly. */
static dw_status
list_files(id_check *check, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(check->snapshot);
    dw_file_ref ref = {0, 0};
    check->files = DW_ARENA_ARRAY(&check->arena, dw_file_ref, dw__file_set_count(set) + 1);
    check->deleted = DW_ARENA_ARRAY(&check->arena, dw_rowset *, dw__file_set_count(set) + 1);
    if (check->files == NULL || check->deleted == NULL) {
        return dw__error_oom(err);
    }
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        const dw_dv_descriptor *dv = dw__file_set_dv(set, ref);
        dw_rowset **rows = &check->deleted[check->file_count];
        check->files[check->file_count] = ref;
        DW_TRY(dv == NULL ? dw__rowset_new(check->arena.allocator, rows, err)
                          : dw__dv_read(check->fsck->storage, dv, &check->arena, rows, err));
        check->file_count++;
    }
    return DW_OK;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static dw_status
ask(id_check *check, const dw_strbuf *sql, dw_text_rows *out, dw_error *err)
{
    DW_TRY(dw__strbuf_ok(sql, "the query", err));
    return dw__connection_query_text(check->fsck->connection, dw__strbuf_str(sql), &check->arena,
                                     out, err);
}

static dw_str
path_of(const id_check *check, dw_str position)
{
    int64_t idx = 0;
    bool is_number = dw__str_to_i64(position, &idx);
    dw_assert(is_number && idx >= 0 && (size_t) idx < check->file_count);
    return dw__file_set_path(dw__log_snapshot_files(check->snapshot), check->files[idx]);
}

/* Files with ids that were never given out, or versions that are to come. */
static dw_status
find_out_of_range(id_check *check, int64_t mark, dw_error *err)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(check->arena.allocator, QUERY_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT file, least, greatest, first, last FROM (SELECT "
                                    "" DW_SCAN_FILE_COLUMN " AS file, ");
    dw__strbuf_append_literal(&sql, "min(i) AS least, max(i) AS greatest, min(v) AS first, max(v) "
                                    "AS last FROM (SELECT " DW_SCAN_FILE_COLUMN ", ");
    dw__sql_put_identifier(&sql, check->columns.id);
    dw__strbuf_append_literal(&sql, " AS i, ");
    dw__sql_put_identifier(&sql, check->columns.version);
    dw__strbuf_append_literal(&sql, " AS v FROM ");
    dw__sql_put_identifier(&sql, VIEW_NAME);
    dw__strbuf_printf(&sql,
                      ") GROUP BY ALL) WHERE least < 0 OR greatest > %" PRId64
                      " OR first < 0 OR last > %" PRId64 " ORDER BY file LIMIT %d",
                      mark, check->fsck->version, (int) DW_FSCK_FINDINGS_MAX);
    DW_TRY(ask(check, &sql, &rows, err));
    for (size_t i = 0; i < rows.row_count; i++) {
        const dw_str *cells = &rows.cells[i * rows.column_count];
        dw__fsck_find(check->fsck, DW_FSCK_ERROR, "H2", path_of(check, cells[0]),
                      "its rows have ids from %.*s to %.*s of versions from %.*s to %.*s, but the "
                      "mark is %" PRId64 " and the version %" PRId64,
                      DW_STR_ARG(cells[1]), DW_STR_ARG(cells[2]), DW_STR_ARG(cells[3]),
                      DW_STR_ARG(cells[4]), mark, check->fsck->version);
    }
    return DW_OK;
}

static dw_status
find_duplicates(id_check *check, dw_error *err)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(check->arena.allocator, QUERY_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT i, count(*), min(file), max(file) FROM (SELECT ");
    dw__sql_put_identifier(&sql, check->columns.id);
    dw__strbuf_append_literal(&sql, " AS i, " DW_SCAN_FILE_COLUMN " AS file FROM ");
    dw__sql_put_identifier(&sql, VIEW_NAME);
    dw__strbuf_printf(&sql,
                      ") WHERE i IS NOT NULL GROUP BY i HAVING count(*) > 1 ORDER BY i LIMIT %d",
                      (int) DW_FSCK_FINDINGS_MAX);
    DW_TRY(ask(check, &sql, &rows, err));
    for (size_t i = 0; i < rows.row_count; i++) {
        const dw_str *cells = &rows.cells[i * rows.column_count];
        dw__fsck_find(check->fsck, DW_FSCK_ERROR, "H1", path_of(check, cells[2]),
                      "%.*s rows have the id %.*s, the last of them in %.*s", DW_STR_ARG(cells[1]),
                      DW_STR_ARG(cells[0]), DW_STR_ARG(path_of(check, cells[3])));
    }
    return DW_OK;
}

/* ---- The check ------------------------------------------------------------------------------- */

static dw_status
check_rows(id_check *check, int64_t mark, dw_error *err)
{
    dw_scan *scan;
    DW_TRY(list_files(check, err));
    dw_scan_rows rows = {.files = check->files,
                         .rows = check->deleted,
                         .count = check->file_count,
                         .are_left_out = true};
    dw_scan_source source = {.name = VIEW_NAME,
                             .snapshot = check->snapshot,
                             .rows = &rows,
                             .with_positions = true,
                             .with_row_ids = true};
    DW_TRY(dw__scan_open(check->fsck->connection, check->fsck->database, DW_STR(""), &source, 1,
                         &scan, err));
    dw_status status = find_out_of_range(check, mark, err);
    if (status == DW_OK) {
        status = find_duplicates(check, err);
    }
    dw__scan_close(scan);
    return status;
}

dw_status
dw__fsck_data_row_ids(dw_fsck *fsck, dw_log_snapshot *snapshot, dw_error *err)
{
    id_check check = {
        .fsck = fsck, .snapshot = snapshot, .columns = dw__scan_row_id_columns(snapshot)};
    if (check.columns.id.len == 0 || check.columns.version.len == 0 ||
        dw__file_set_count(dw__log_snapshot_files(snapshot)) == 0) {
        return DW_OK;
    }
    dw_error cause = DW_ERROR_INIT;
    dw__arena_init(&check.arena, fsck->env->allocator);
    dw_status status = check_rows(&check, dw__fsck_row_id_mark(fsck), &cause);
    for (size_t i = 0; i < check.file_count; i++) {
        dw__rowset_free(check.deleted[i]);
    }
    dw__arena_deinit(&check.arena);
    return status == DW_OK ? DW_OK : dw__fsck_find_error(fsck, "K2", DW_STR_NULL, &cause, err);
}
