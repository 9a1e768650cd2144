/*
 * What of a table depends on a column: expressions that name it, partitions, clustering, and the
 * columns that properties name.
 */
#ifndef DW_TABLE_COLUMN_DEPENDANTS_H
#define DW_TABLE_COLUMN_DEPENDANTS_H

#include "protocol/schema_edit.h"
#include "table/alter_core.h"

/* Refuses a change that an expression may notice: DW_INVALID_ARGUMENT
 * (CONSTRAINT_DEPENDENT_COLUMN_CHANGE, GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE,
 * EXPECTATION_DEPENDENT_COLUMN_CHANGE). `path` is as the schema spells it, and so are those below.
 */
DW_WARN_UNUSED dw_status dw__dependants_check_expressions(dw_alter *alter, dw_name_path path,
                                                          dw_error *err);
/* Refuses to drop: UNSUPPORTED_DROP_PARTITION_COLUMN, UNSUPPORTED_DROP_CLUSTERING_COLUMN. */
DW_WARN_UNUSED dw_status dw__dependants_check_drop(dw_alter *alter, dw_name_path path,
                                                   dw_error *err);
/* Takes a column, or with `new_path` gives it another name, out of the properties that name columns
 * (delta.dataSkippingStatsColumns). */
DW_WARN_UNUSED dw_status dw__dependants_update_properties(dw_alter *alter, dw_name_path path,
                                                          const dw_name_path *new_path,
                                                          dw_error *err);
/* Gives the partition column another name. */
DW_WARN_UNUSED dw_status dw__dependants_rename_partition(dw_alter *alter, dw_str name,
                                                         dw_str new_name, dw_error *err);

/* An expression of the table: what has it ("CHECK constraint positive"), and its text. */
typedef struct dw_table_expression {
    bool is_generation;  /* of a generated column */
    bool is_expectation; /* neither: a constraint or an invariant */
    dw_str owner;
    dw_str text;
} dw_table_expression;
/* All of them, in `arena`. */
DW_WARN_UNUSED dw_status dw__table_expressions(const dw_metadata *metadata, const dw_type *schema,
                                               dw_arena *arena, dw_table_expression **out,
                                               size_t *count_out, dw_error *err);
/* What dw__dependants_check_expressions does, without a change of the table. */
DW_WARN_UNUSED dw_status dw__expressions_check_column(const dw_metadata *metadata,
                                                      const dw_type *schema, dw_name_path path,
                                                      dw_arena *arena, dw_error *err);

#endif
