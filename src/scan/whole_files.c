/*
 * Files of which a statement wants every row: whoever deletes them need not read any.
 *
 *  [WHOLE-1] What the statement asks of rows must be known to the last [PLAN-5], and come out TRUE
 *            whatever the rows are that the facts of the file allow. [PRUNE-3]
 */
#include "scan/scan_core.h"

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
    if (memchr(whole, true, count) == NULL) {
        return DW_OK;
    }
    part(source, whole);
    source->report.files_whole = (int64_t) source->whole_file_count;
    for (size_t i = 0; i < source->whole_file_count; i++) {
        source->report.bytes_read_max -= dw__file_set_file_size(set, source->whole_files[i]);
    }
    return DW_OK;
}
