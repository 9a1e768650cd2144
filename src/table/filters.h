/*
 * The bloom filters of a table's data files: made of new files before the commit that names them,
 * of others when the user asks, and put together before there are many index files.
 *
 *  [FILTERS-3] An index file is durable before the data files that it is of are committed.
 *  [FILTERS-4] That filters could not be tidied up fails no statement.
 */
#ifndef DW_TABLE_FILTERS_H
#define DW_TABLE_FILTERS_H

#include "bloom/store.h"
#include "table/data_files.h"
#include "table/filter_fill.h"

/* The indexed columns of a snapshot. In `arena`. */
DW_WARN_UNUSED dw_status dw__filters_columns(const dw_log_snapshot *snapshot, dw_arena *arena,
                                             dw_bloom_columns *out, dw_error *err);

/* Of files that were just written for a target, under that part of their names; `row_counts` of
 * each. Nothing is done where no column is indexed. */
DW_WARN_UNUSED dw_status dw__filters_of_new(dw_table *table, dw_connection *connection,
                                            const dw_data_target *target, dw_str unique,
                                            const dw_file *adds, const int64_t *row_counts,
                                            size_t count, dw_arena *arena, dw_error *err);
/* Removes index files of files that were not committed. Failures are nobody's concern. */
void dw__filters_discard(dw_table *table, const dw_file *adds, size_t count);

/* Live files of the snapshot of which some of the columns has no filter that was made as it is
 * asked for now. In `arena`. */
DW_WARN_UNUSED dw_status dw__filters_find_missing(dw_log_snapshot *snapshot,
                                                  const dw_bloom_columns *columns, dw_arena *arena,
                                                  dw_file_ref **out, size_t *count_out,
                                                  dw_error *err);
/* Makes the filters of the first of these files, as many as go together, as an index file; how
 * many files those were, and the size of the index file. */
DW_WARN_UNUSED dw_status dw__filters_make(dw_table *table, dw_connection *connection,
                                          dw_log_snapshot *snapshot,
                                          const dw_bloom_columns *columns, const dw_file_ref *refs,
                                          size_t count, size_t *done_out, int64_t *size_out,
                                          dw_error *err);

/* Puts index files of about one size together when there are many. A failure is a warning. */
void dw__filters_tidy(dw_table *table, const dw_log_snapshot *snapshot);
/* Makes one of the chosen index files of the view, without the entries for which `keeps` (NULL: it
 * keeps all) is false, and removes them. DW_NOT_FOUND when another was faster. */
typedef bool (*dw_filter_keeper)(void *ctx, const dw_index_key *key);
DW_WARN_UNUSED dw_status dw__filters_merge(dw_table *table, const dw_bloom_columns *columns,
                                           dw_bloom_view *view, const bool *chosen,
                                           dw_filter_keeper keeps, void *ctx, dw_error *err);

/* What these have in common: an empty index file of the columns, and putting it into storage. */
DW_WARN_UNUSED dw_status dw__filters_open(const dw_bloom_columns *columns,
                                          const dw_allocator *allocator, dw_index_writer **out,
                                          dw_error *err);
DW_WARN_UNUSED dw_status dw__filters_put(dw_table *table, dw_index_writer *writer, dw_str unique,
                                         size_t number, int64_t *size_out, dw_error *err);

#endif
