/*
 * The facts of the columns of a predicate for every block of a file set: made where they are not in
 * the block's cache yet, and put there. [PRUNE-2]
 */
#ifndef DW_SCAN_BLOCK_FACTS_H
#define DW_SCAN_BLOCK_FACTS_H

#include "log/file_set.h"
#include "scan/facts.h"
#include "scan/predicate.h"

/* Borrowed from the blocks, valid as long as the set. NULL where a column is not wanted. */
typedef struct dw_block_facts {
    const dw_column_facts **items; /* block_count x column_count */
    size_t block_count;
    size_t column_count;
} dw_block_facts;

static inline const dw_column_facts *const *
dw__block_facts_get(const dw_block_facts *facts, size_t block_idx)
{
    return facts->items + block_idx * facts->column_count;
}

/* None yet. */
DW_WARN_UNUSED dw_status dw__block_facts_init(dw_block_facts *facts, const dw_file_set *set,
                                              const dw_predicate_scope *scope, dw_arena *arena,
                                              dw_error *err);
/* Adds those of the wanted partition columns. */
DW_WARN_UNUSED dw_status dw__block_facts_add_partitions(dw_block_facts *facts,
                                                        const dw_allocator *allocator,
                                                        const dw_file_set *set,
                                                        const dw_predicate_scope *scope,
                                                        const bool *wanted, dw_error *err);
/* Adds those of the wanted columns that are no partition columns. */
DW_WARN_UNUSED dw_status dw__block_facts_add_statistics(dw_block_facts *facts,
                                                        const dw_allocator *allocator,
                                                        dw_file_set *set,
                                                        const dw_predicate_scope *scope,
                                                        const bool *wanted, dw_error *err);

#endif
