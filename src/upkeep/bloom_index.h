/*
 * CREATE BLOOMFILTER INDEX, DROP BLOOMFILTER INDEX, SHOW BLOOMFILTER INDEXES: which columns of a
 * table can be looked up, and the filters of its files.
 *
 *  [BLOOM-INDEX-1] The definition is committed first: writers that follow make filters themselves.
 *  [BLOOM-INDEX-2] Another run makes what the last one, or another engine, left without filters,
 *                  and nothing else.
 */
#ifndef DW_UPKEEP_BLOOM_INDEX_H
#define DW_UPKEEP_BLOOM_INDEX_H

#include "bloom/definition.h"
#include "upkeep/upkeep.h"

typedef struct dw_bloom_request {
    dw_str column; /* of the table, by its name */
    dw_bloom_options options;
} dw_bloom_request;

typedef struct dw_bloom_index_result {
    int64_t version;    /* of the definition; -1: nothing was committed */
    int64_t file_count; /* of the table */
    int64_t made_count; /* files that got filters, or would in a dry run */
    int64_t left_count; /* files that still have none: the time was up */
    int64_t size_bytes; /* of the new index files; of a dry run: of the files that would be read */
} dw_bloom_index_result;

/* DW_INVALID_ARGUMENT (CANNOT_CREATE_BLOOM_FILTER_NON_EXISTING_COL,
 * UNSUPPORTED_COLUMN_TYPE_IN_BLOOM_FILTER, TOO_MANY_BLOOM_FILTERS); DW_CANCELLED. `result_out` says
 * what was done, also after a failure. */
DW_WARN_UNUSED dw_status dw__table_create_bloom_index(dw_table *table, const dw_upkeep *upkeep,
                                                      const dw_bloom_request *requests,
                                                      size_t count,
                                                      dw_bloom_index_result *result_out,
                                                      dw_error *err);
/* No columns: all of them. DW_INVALID_ARGUMENT (CANNOT_DROP_BLOOM_FILTER_ON_NON_INDEXED_COLUMN).
 * VACUUM removes the filters. */
DW_WARN_UNUSED dw_status dw__table_drop_bloom_index(dw_table *table, const dw_upkeep *upkeep,
                                                    const dw_str *columns, size_t count,
                                                    int64_t *version_out, dw_error *err);
/* Rows: column, fpp, numItems, maxExpectedFpp, numFiles, numIndexedFiles. */
DW_WARN_UNUSED dw_status dw__table_show_bloom_indexes(dw_log_snapshot *snapshot, const dw_env *env,
                                                      struct ArrowArrayStream *out, dw_error *err);
/* Makes filters for what has none, behind a command that has written files or looked at all of
 * them. A failure is a warning. */
void dw__bloom_index_keep_up(const dw_upkeep *upkeep, dw_table *table);

#endif
