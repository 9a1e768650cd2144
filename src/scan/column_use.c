/*
 * Counting in memory. [USE-1,2]
 */
#include "scan/column_use_core.h"

#include "base/assert.h"
#include "codec/json.h"

#include <pthread.h>
#include <stdlib.h>

struct dw_column_use {
    const dw_env *env;
    dw_arena arena; /* of the two texts */
    dw_str directory, root;
    pthread_mutex_t mutex; /* guards what is below */
    dw_use_set fresh;      /* not kept yet */
    bool is_keeping;       /* some thread does */
};

/* ---- Sets ------------------------------------------------------------------------------------ */

static dw_use_entry *
find_entry(dw_use_set *set, dw_str path)
{
    for (size_t i = 0; i < set->count; i++) {
        dw_use_entry *entry = &set->entries[i];
        if (dw__str_equal((dw_str){entry->path, entry->path_len}, path)) {
            return entry;
        }
    }
    return NULL;
}

/* The place for one more: that of the least used when there is none left. */
static dw_use_entry *
make_room(dw_use_set *set)
{
    if (set->count < DW_COLUMN_USE_COLUMNS_MAX) {
        return &set->entries[set->count++];
    }
    dw_use_entry *least = &set->entries[0];
    for (size_t i = 1; i < set->count; i++) {
        least = set->entries[i].use_count < least->use_count ? &set->entries[i] : least;
    }
    return least;
}

/* Counts come from a file, too. */
static int64_t
sum(int64_t a, int64_t b)
{
    int64_t total;
    return __builtin_add_overflow(a, b, &total) ? INT64_MAX : total;
}

void
dw__use_set_add(dw_use_set *set, const dw_column_uses *uses)
{
    if (uses->path.len > DW_COLUMN_USE_PATH_BYTES_MAX) {
        return;
    }
    dw_use_entry *entry = find_entry(set, uses->path);
    if (entry == NULL) {
        entry = make_room(set);
        *entry = (dw_use_entry){.path_len = uses->path.len};
        memcpy(entry->path, uses->path.ptr, uses->path.len);
    }
    entry->use_count = sum(entry->use_count, uses->use_count);
    entry->file_count = sum(entry->file_count, uses->file_count);
    entry->skipped_count = sum(entry->skipped_count, uses->skipped_count);
}

static dw_column_uses
uses_of(const dw_use_entry *entry)
{
    return (dw_column_uses){.path = {entry->path, entry->path_len},
                            .use_count = entry->use_count,
                            .file_count = entry->file_count,
                            .skipped_count = entry->skipped_count};
}

static void
fade(dw_use_set *set)
{
    size_t count = 0;
    set->scan_count /= 2;
    for (size_t i = 0; i < set->count; i++) {
        dw_use_entry entry = set->entries[i];
        entry.use_count /= 2;
        entry.file_count /= 2;
        entry.skipped_count /= 2;
        if (entry.use_count > 0) {
            set->entries[count++] = entry;
        }
    }
    set->count = count;
}

void
dw__use_set_merge(dw_use_set *set, const dw_use_set *more)
{
    set->scan_count = sum(set->scan_count, more->scan_count);
    for (size_t i = 0; i < more->count; i++) {
        dw_column_uses uses = uses_of(&more->entries[i]);
        dw__use_set_add(set, &uses);
    }
    if (set->scan_count > DW_COLUMN_USE_SCANS_MAX) {
        fade(set);
    }
}

/* ---- Opening and keeping --------------------------------------------------------------------- */

dw_column_use *
dw__column_use_open(const dw_env *env, dw_str directory, dw_str root)
{
    dw_column_use *use = DW_NEW(env->allocator, dw_column_use);
    if (use == NULL) {
        return NULL;
    }
    use->env = env;
    dw__arena_init(&use->arena, env->allocator);
    int failed = pthread_mutex_init(&use->mutex, NULL);
    dw_assert(failed == 0);
    if (!dw__arena_dup(&use->arena, directory, &use->directory) ||
        !dw__arena_dup(&use->arena, root, &use->root)) {
        dw__column_use_close(use);
        return NULL;
    }
    return use;
}

/* The file is written without the mutex: others go on counting. */
static void
keep(dw_column_use *use)
{
    dw_use_set *set = DW_NEW(use->env->allocator, dw_use_set);
    pthread_mutex_lock(&use->mutex);
    bool is_mine = set != NULL && !use->is_keeping;
    if (is_mine) {
        use->is_keeping = true;
        *set = use->fresh;
        use->fresh = (dw_use_set){0};
    }
    pthread_mutex_unlock(&use->mutex);
    if (is_mine) {
        dw__use_set_keep(set, use->env, use->directory, use->root);
        pthread_mutex_lock(&use->mutex);
        use->is_keeping = false;
        pthread_mutex_unlock(&use->mutex);
    }
    DW_DELETE(use->env->allocator, set);
}

void
dw__column_use_close(dw_column_use *use)
{
    if (use == NULL) {
        return;
    }
    if (use->fresh.scan_count > 0) {
        keep(use);
    }
    pthread_mutex_destroy(&use->mutex);
    dw__arena_deinit(&use->arena);
    DW_DELETE(use->env->allocator, use);
}

/* ---- Counting -------------------------------------------------------------------------------- */

/* Columns of which an order of the rows could help: ranges and values, but for <>. */
static void
mark_used(const dw_predicate *predicate, bool *used)
{
    bool is_range =
        predicate->kind == DW_PREDICATE_IN || (predicate->kind == DW_PREDICATE_COMPARE &&
                                               predicate->comparison != DW_COMPARISON_NOT_EQUAL &&
                                               predicate->comparison != DW_COMPARISON_DISTINCT);
    if (is_range) {
        used[predicate->column_idx] = true;
    }
    for (size_t i = 0; i < predicate->child_count; i++) {
        mark_used(predicate->children[i], used);
    }
}

void
dw__column_use_put_path(dw_strbuf *out, const dw_column_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("[") : DW_STR(","));
        dw__json_put_string(out, path->parts[i]);
    }
    dw__strbuf_append_char(out, ']');
}

/* False when no such column was used. */
static bool
count_columns(dw_use_set *set, const dw_plan_source *plan, const bool *used,
              const dw_scan_report *report)
{
    bool any = false;
    for (size_t i = 0; i < plan->scope.column_count; i++) {
        const dw_predicate_column *column = &plan->scope.columns[i];
        if (!used[i] || column->is_partition) {
            continue;
        }
        DW_AUTO(dw_strbuf)
        path = dw__strbuf_make(plan->scope.arena->allocator, DW_COLUMN_USE_PATH_BYTES_MAX);
        dw__column_use_put_path(&path, &column->path);
        if (dw__strbuf_ok(&path, "the path", NULL) == DW_OK) {
            dw_column_uses uses = {.path = dw__strbuf_str(&path),
                                   .use_count = 1,
                                   .file_count = report->files_after_partitions,
                                   .skipped_count = report->files_after_partitions -
                                                    report->files_after_statistics};
            dw__use_set_add(set, &uses);
            any = true;
        }
    }
    return any;
}

void
dw__column_use_count(dw_column_use *use, dw_plan_source *plan, const dw_scan_report *report)
{
    bool used[DW_PREDICATE_COLUMNS_MAX] = {false};
    if (plan->predicate == NULL || report->files_after_partitions < 2) {
        return;
    }
    const dw_predicate *useful = dw__predicate_useful(&plan->scope, plan->predicate);
    if (useful == NULL) {
        return;
    }
    dw_assert(plan->scope.column_count <= DW_PREDICATE_COLUMNS_MAX);
    mark_used(useful, used);
    pthread_mutex_lock(&use->mutex);
    use->fresh.scan_count += count_columns(&use->fresh, plan, used, report) ? 1 : 0;
    bool is_due = use->fresh.scan_count >= DW_COLUMN_USE_SCANS_UNKEPT_MAX && !use->is_keeping;
    pthread_mutex_unlock(&use->mutex);
    if (is_due) {
        keep(use);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int
compare_uses(const void *a, const void *b)
{
    const dw_column_uses *left = a, *right = b;
    if (left->use_count != right->use_count) {
        return left->use_count > right->use_count ? -1 : 1;
    }
    return dw__str_compare(left->path, right->path);
}

dw_status
dw__column_use_read(dw_column_use *use, dw_arena *arena, dw_use_counts *out, dw_error *err)
{
    dw_use_set *set = DW_ARENA_NEW(arena, dw_use_set);
    *out = (dw_use_counts){.columns =
                               DW_ARENA_ARRAY(arena, dw_column_uses, DW_COLUMN_USE_COLUMNS_MAX)};
    if (set == NULL || out->columns == NULL) {
        return dw__error_oom(err);
    }
    dw__use_set_load(set, use->env, use->directory, use->root);
    pthread_mutex_lock(&use->mutex);
    dw__use_set_merge(set, &use->fresh);
    pthread_mutex_unlock(&use->mutex);
    out->scan_count = set->scan_count;
    for (size_t i = 0; i < set->count; i++) {
        out->columns[out->count++] = uses_of(&set->entries[i]);
    }
    qsort(out->columns, out->count, sizeof(out->columns[0]), compare_uses);
    return DW_OK;
}
