/*
 * Pruning: partition values first, for they are at hand; statistics only if files are left and the
 * predicate is on columns that have them.
 */
#include "scan/prune.h"

#include "base/assert.h"
#include "base/vec.h"
#include "scan/block_facts.h"
#include "scan/evaluate.h"

typedef struct ref_vec {
    dw_file_ref *items;
    size_t count;
    size_t capacity;
} ref_vec;

/* Calls for each live file that the facts do not exclude. */
typedef bool (*file_visitor)(void *ctx, dw_file_ref ref);

typedef struct prune_scan {
    const dw_file_set *set;
    const dw_predicate *predicate;
    const dw_block_facts *facts;
} prune_scan;

static bool
scan_block(const prune_scan *scan, size_t block_idx, file_visitor visit, void *ctx)
{
    uint8_t outcomes[DW_EVALUATE_ROWS_MAX];
    size_t row_count = dw__file_block_row_count(dw__file_set_block(scan->set, block_idx));
    const dw_column_facts *const *facts = dw__block_facts_get(scan->facts, block_idx);
    for (size_t first = 0; first < row_count; first += DW_EVALUATE_ROWS_MAX) {
        size_t count = row_count - first;
        count = count < DW_EVALUATE_ROWS_MAX ? count : DW_EVALUATE_ROWS_MAX;
        dw__predicate_evaluate(scan->predicate, facts, first, count, outcomes);
        for (size_t i = 0; i < count; i++) {
            dw_file_ref ref = {(uint32_t) block_idx, (uint32_t) (first + i)};
            if ((outcomes[i] & DW_OUTCOME_TRUE) != 0 && dw__file_set_is_live(scan->set, ref) &&
                !visit(ctx, ref)) {
                return false;
            }
        }
    }
    return true;
}

static bool
scan_blocks(const prune_scan *scan, file_visitor visit, void *ctx)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scan->facts->block_count; i++) {
        ok = scan_block(scan, i, visit, ctx);
    }
    return ok;
}

static bool
count_file(void *ctx, dw_file_ref ref)
{
    (void) ref;
    ++*(size_t *) ctx;
    return true;
}

typedef struct file_collector {
    const dw_allocator *allocator;
    const dw_file_set *set;
    ref_vec refs;
    int64_t size_bytes;
} file_collector;

static bool
collect_file(void *ctx, dw_file_ref ref)
{
    file_collector *collector = ctx;
    dw_file_ref *slot = DW_VEC_PUSH(collector->allocator, &collector->refs);
    if (slot == NULL) {
        return false;
    }
    *slot = ref;
    collector->size_bytes += dw__file_set_file_size(collector->set, ref);
    return true;
}

/* All live files, for a predicate that excludes none. */
static dw_status
take_all(const dw_file_set *set, dw_arena *arena, dw_prune_result *out, dw_error *err)
{
    out->files = DW_ARENA_ARRAY(arena, dw_file_ref, dw__file_set_count(set));
    if (out->files == NULL) {
        return dw__error_oom(err);
    }
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_assert(out->count < dw__file_set_count(set));
        out->files[out->count++] = ref;
    }
    out->count_after_partitions = out->count;
    out->size_bytes = dw__file_set_size_bytes(set);
    return DW_OK;
}

static bool
wants_kind(const dw_predicate_scope *scope, const bool *wanted, bool is_partition)
{
    for (size_t i = 0; i < scope->column_count; i++) {
        if (wanted[i] && scope->columns[i].is_partition == is_partition) {
            return true;
        }
    }
    return false;
}

static dw_status
collect(const prune_scan *scan, const dw_allocator *allocator, dw_arena *arena,
        dw_prune_result *out, dw_error *err)
{
    file_collector collector = {.allocator = allocator, .set = scan->set};
    bool ok = scan_blocks(scan, collect_file, &collector);
    out->files = ok ? DW_ARENA_ARRAY(arena, dw_file_ref, collector.refs.count) : NULL;
    if (out->files != NULL) {
        out->count = collector.refs.count;
        out->size_bytes = collector.size_bytes;
        if (out->count > 0) {
            memcpy(out->files, collector.refs.items, out->count * sizeof(*out->files));
        }
    }
    DW_VEC_DEINIT(allocator, &collector.refs);
    return out->files == NULL ? dw__error_oom(err) : DW_OK;
}

/* Of all columns that are wanted. */
static dw_status
add_facts(dw_block_facts *facts, const dw_allocator *allocator, dw_file_set *set,
          const dw_predicate_scope *scope, const bool *wanted, dw_error *err)
{
    if (wants_kind(scope, wanted, true)) {
        DW_TRY(dw__block_facts_add_partitions(facts, allocator, set, scope, wanted, err));
    }
    return wants_kind(scope, wanted, false)
               ? dw__block_facts_add_statistics(facts, allocator, set, scope, wanted, err)
               : DW_OK;
}

dw_status
dw__prune_find_whole(const dw_allocator *allocator, dw_file_set *set,
                     const dw_predicate_scope *scope, const dw_predicate *predicate,
                     const dw_file_ref *files, size_t count, dw_arena *arena, bool *whole,
                     dw_error *err)
{
    bool wanted[DW_PREDICATE_COLUMNS_MAX] = {false};
    dw_block_facts facts;
    memset(whole, 0, count * sizeof(*whole));
    if (predicate->kind == DW_PREDICATE_UNKNOWN || count == 0) {
        return DW_OK;
    }
    dw__predicate_mark_columns(predicate, wanted);
    DW_TRY(dw__block_facts_init(&facts, set, scope, arena, err));
    DW_TRY(add_facts(&facts, allocator, set, scope, wanted, err));
    for (size_t i = 0; i < count; i++) {
        uint8_t outcomes;
        dw__predicate_evaluate(predicate, dw__block_facts_get(&facts, files[i].block), files[i].row,
                               1, &outcomes);
        whole[i] = outcomes == DW_OUTCOME_TRUE;
    }
    return DW_OK;
}

dw_status
dw__prune(const dw_allocator *allocator, dw_file_set *set, const dw_predicate_scope *scope,
          const dw_predicate *predicate, dw_arena *arena, dw_prune_result *out, dw_error *err)
{
    memset(out, 0, sizeof(*out));
    if (predicate->kind == DW_PREDICATE_UNKNOWN || dw__file_set_count(set) == 0) {
        return take_all(set, arena, out, err);
    }
    bool wanted[DW_PREDICATE_COLUMNS_MAX] = {false};
    dw__predicate_mark_columns(predicate, wanted);
    dw_block_facts facts;
    DW_TRY(dw__block_facts_init(&facts, set, scope, arena, err));
    prune_scan scan = {.set = set, .predicate = predicate, .facts = &facts};
    out->count_after_partitions = dw__file_set_count(set);
    if (wants_kind(scope, wanted, true)) {
        DW_TRY(dw__block_facts_add_partitions(&facts, allocator, set, scope, wanted, err));
        out->count_after_partitions = 0;
        (void) scan_blocks(&scan, count_file, &out->count_after_partitions);
    }
    if (out->count_after_partitions > 0 && wants_kind(scope, wanted, false)) {
        DW_TRY(dw__block_facts_add_statistics(&facts, allocator, set, scope, wanted, err));
    }
    return collect(&scan, allocator, arena, out, err);
}
