/*
 * Statistics and partition values as a checkpoint has them in typed columns beside the JSON:
 * `stats_parsed` and `partitionValues_parsed`, by physical names. PROTOCOL.md "Checkpoint Schema";
 * checklist C7. The way back is parsed_stats.h.
 *
 *  [TYPED-1] A bound is what a reader makes of the JSON, an outer bound; one that its column cannot
 *            hold, and a partition value that is none of its type, is NULL.
 */
#ifndef DW_LOG_TYPED_STATS_H
#define DW_LOG_TYPED_STATS_H

#include "log/column_build.h"
#include "log/file_set_core.h"
#include "protocol/stats.h"

/* What there is of a leaf. */
typedef enum dw_typed_member {
    DW_TYPED_MIN,
    DW_TYPED_MAX,
    DW_TYPED_NULL_COUNT,
    DW_TYPED_MEMBER_COUNT
} dw_typed_member;

/* The columns of a leaf that has statistics; NULL where it has none of that kind. */
typedef struct dw_typed_leaf {
    dw_column *members[DW_TYPED_MEMBER_COUNT];
} dw_typed_leaf;

typedef struct dw_typed_stats {
    dw_column_spec stats_spec;     /* no children: no column */
    dw_column_spec partition_spec; /* the same */
    const dw_field **partition_fields;
    const dw_column_path *leaves;
    size_t leaf_count;
    bool has_tight_bounds;

    /* From dw__typed_stats_bind on. */
    dw_column *stats, *partition_values;
    dw_typed_leaf *columns; /* one a leaf */
    dw_column **structs;    /* below `stats`, parents first */
    size_t struct_count;
    dw_column_stats *row; /* one a leaf */
} dw_typed_stats;

/* The columns of a table. `leaves` are those with statistics, in the order of the schema. All is
 * borrowed or lives in `arena`. */
DW_WARN_UNUSED dw_status dw__typed_stats_make(const dw_type *schema, const dw_metadata *metadata,
                                              const dw_column_path *leaves, size_t leaf_count,
                                              bool has_tight_bounds, dw_arena *arena,
                                              dw_typed_stats *out, dw_error *err);
/* Says where the values go: columns of those specs, NULL where there is none. */
DW_WARN_UNUSED dw_status dw__typed_stats_bind(dw_typed_stats *typed, dw_column *stats,
                                              dw_column *partition_values, dw_arena *arena,
                                              dw_error *err);
/* Appends a row to both columns. Texts live as long as `json`, the block and `arena`. */
DW_WARN_UNUSED dw_status dw__typed_stats_put(dw_typed_stats *typed, dw_str json,
                                             const dw_file_block *block, size_t row,
                                             dw_arena *arena, dw_error *err);

#endif
