/*
 * Files that are not in the snapshot of a scan: which of them its statement would have had to read.
 * What others commit meanwhile is judged by it.
 */
#include "base/assert.h"
#include "log/file_set_core.h"
#include "scan/scan_core.h"

/* The adds as a set of files, in their order. A file that stands there twice is there once. */
static dw_status
collect(const dw_action *actions, size_t count, dw_file_set *set, dw_arena *scratch, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        dw_file_key key;
        const dw_file *file = &actions[i].as.file;
        if (actions[i].kind == DW_ACTION_ADD) {
            DW_TRY(dw__file_key_make(file->path, file->dv, scratch, &key, err));
            DW_TRY(dw__file_set_push(set, file, &key, scratch, err));
        }
    }
    dw__file_set_seal(set);
    return DW_OK;
}

/* Marks the adds that have the path of a file of `pruned`, which are in the order of the adds. */
static void
mark(const dw_action *actions, size_t count, const dw_file_set *set, const dw_prune_result *pruned,
     bool *found)
{
    size_t next = 0;
    for (size_t i = 0; i < count && next < pruned->count; i++) {
        if (actions[i].kind == DW_ACTION_ADD &&
            dw__str_equal(actions[i].as.file.path, dw__file_set_path(set, pruned->files[next]))) {
            found[i] = true;
            next++;
        }
    }
}

static dw_status
find(const dw_bound_source *source, const dw_action *actions, size_t count, dw_file_set *set,
     bool *found, dw_arena *scratch, dw_error *err)
{
    dw_prune_result pruned;
    DW_TRY(collect(actions, count, set, scratch, err));
    DW_TRY(dw__prune(scratch->allocator, set, &source->plan->scope, source->plan->predicate,
                     scratch, &pruned, err));
    mark(actions, count, set, &pruned, found);
    return DW_OK;
}

dw_status
dw__scan_find_new(const dw_scan *scan, size_t source_idx, const dw_action *actions, size_t count,
                  bool *found, dw_error *err)
{
    dw_assert(source_idx < scan->count);
    const dw_bound_source *source = &scan->sources[source_idx];
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, scan->env->allocator);
    dw_file_set *set = dw__file_set_new(scan->env->allocator, false);
    if (set == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = find(source, actions, count, set, found, &scratch, err);
    dw__file_set_free(set);
    return status;
}
