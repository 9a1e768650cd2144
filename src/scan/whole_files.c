/*
 * Files of which a statement wants every row: whoever deletes them need not read any.
 *
 *  [WHOLE-1] What the statement asks of rows must be known to the last [PLAN-5], and come out TRUE
 *            whatever the rows are that the facts of the file allow. [PRUNE-3]
 *  [WHOLE-2] The statement was planned in UTC and without a collation: in other sessions a constant
 *            may be another one.
 */
#include "scan/scan_core.h"

static dw_status
means_what_was_planned(dw_connection *connection, dw_arena *scratch, bool *out, dw_error *err)
{
    dw_text_rows rows;
    DW_TRY(dw__connection_query_text(
        connection,
        DW_STR("SELECT current_setting('TimeZone') || '/' || current_setting('default_collation')"),
        scratch, &rows, err));
    *out = rows.row_count == 1 && dw__str_equal_nocase(rows.cells[0], DW_STR("UTC/"));
    return DW_OK;
}

static void
part(dw_bound_source *source, const bool *whole)
{
    size_t count = source->file_count;
    source->file_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (whole[i]) {
            source->whole_files[source->whole_file_count++] = source->files[i];
        } else {
            source->files[source->file_count++] = source->files[i];
        }
    }
}

dw_status
dw__scan_set_whole_files_aside(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    dw_file_set *set = source->relation.files;
    size_t count = source->file_count;
    bool *whole = DW_ARENA_ARRAY(&scan->arena, bool, count + 1);
    source->whole_files = DW_ARENA_ARRAY(&scan->arena, dw_file_ref, count + 1);
    if (whole == NULL || source->whole_files == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__prune_find_whole(scan->env->allocator, set, &source->plan->scope,
                                source->plan->whole, source->files, count, &scan->arena, whole,
                                err));
    bool is_sure = memchr(whole, true, count) != NULL;
    if (is_sure) {
        DW_TRY(means_what_was_planned(scan->connection, &scan->arena, &is_sure, err));
    }
    if (!is_sure) {
        return DW_OK;
    }
    part(source, whole);
    source->report.files_whole = (int64_t) source->whole_file_count;
    for (size_t i = 0; i < source->whole_file_count; i++) {
        source->report.bytes_read_max -= dw__file_set_file_size(set, source->whole_files[i]);
    }
    return DW_OK;
}
