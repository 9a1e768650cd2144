/*
 * One write on its way: what INSERT and REPLACE WHERE have in common. Private to write.c,
 * write_columns.c, replace.c and partition_set.c.
 */
#ifndef DW_TABLE_WRITE_CORE_H
#define DW_TABLE_WRITE_CORE_H

#include "base/map.h"
#include "table/change.h"
#include "table/evolve.h"
#include "table/projection.h"
#include "table/row_rules.h"
#include "table/write.h"

typedef struct dw_write {
    dw_table *table;
    dw_connection *connection;
    const dw_write_spec *spec;
    dw_log_snapshot *snapshot;
    const dw_metadata *metadata; /* these three: of the table once this is committed */
    const dw_properties *properties;
    const dw_type *schema;
    dw_evolved evolved;
    const dw_query_column *source; /* the query's columns; NULL: not asked for yet */
    size_t source_count;
    dw_row_rules rules;
    dw_judgement judgement;
    dw_arena *arena;
} dw_write;

/* Asks what columns the query has. */
DW_WARN_UNUSED dw_status dw__write_describe_source(dw_write *write, dw_error *err);
/* Evolves the table's columns as the spec has it. [WRITE-4] DW_INVALID_ARGUMENT
 * (OVERWRITE_SCHEMA_WITH_...), and those of evolve.h. */
DW_WARN_UNUSED dw_status dw__write_choose_columns(dw_write *write, dw_error *err);
/* Appends the query whose rows go into the files: the spec's, matched, cast, filled and judged. */
DW_WARN_UNUSED dw_status dw__write_print_rows(dw_write *write, dw_strbuf *out, dw_error *err);
/* What the query is to become. The rules are those of the write. */
dw_projection_request dw__write_projection(dw_write *write);
/* After an error while the rows were written: when a value did not fit its column, looks for it and
 * tells it with its row. Returns the status of the error, which stays as it is where nothing is
 * found. */
dw_status dw__write_tell_misfit(dw_write *write, dw_status status, dw_error *err);
/* Says what the write is, records its txn ids, and puts what the table becomes: new columns, and
 * moved marks of identity columns. [RULE-3] */
DW_WARN_UNUSED dw_status dw__write_describe(const dw_write *write, int64_t row_count,
                                            dw_change *change, dw_error *err);

/* Replaces the rows that spec->replaced chooses by the query's. */
DW_WARN_UNUSED dw_status dw__write_replace(dw_write *write, dw_write_result *out, dw_error *err);

/* ---- Partitions that are overwritten --------------------------------------------------------- */

/*
 * Those of the static partition values, and, with spec->is_dynamic, which the new files have.
 *
 *  [PARTITIONS-1] Values are compared as values of their type, however writers spelled them.
 */
typedef struct dw_partition_set {
    const dw_write *write;
    dw_map keys;    /* of dynamic partitions */
    bool has_keys;  /* only these */
    bool holds_all; /* every file of the table */
    dw_arena *arena;
} dw_partition_set;

DW_WARN_UNUSED dw_status dw__partition_set_init(dw_partition_set *set, const dw_write *write,
                                                const dw_data_files *files, dw_error *err);
void dw__partition_set_deinit(dw_partition_set *set);
/* Is a live file of the snapshot in one of them? */
DW_WARN_UNUSED dw_status dw__partition_set_has(const dw_partition_set *set, dw_file_ref ref,
                                               bool *out, dw_error *err);
/* Which files that others add are: for dw_row_search, with the set as context. */
DW_WARN_UNUSED dw_status dw__partition_set_find(void *ctx, const dw_action *actions, size_t count,
                                                bool *found, dw_error *err);

#endif
