/*
 * Filling bloom filters of data files from a query of their values' items.
 *
 *  [FILL-1] A filter has every value of its file but NULL, those of deleted rows included.
 */
#ifndef DW_TABLE_FILTER_FILL_H
#define DW_TABLE_FILTER_FILL_H

#include "bloom/index_file.h"
#include "engine/database.h"

/* One data file. */
typedef struct dw_filter_file {
    dw_index_key key;
    int64_t row_count; /* -1: not known */
} dw_filter_file;

/* Memory for the filters of a file while they are filled. */
size_t dw__filter_file_bytes(const dw_filter_file *file, const dw_bloom_columns *columns);

/* Appends the SELECT of a view's file positions and items. */
void dw__filters_put_select(dw_strbuf *out, dw_str view, const dw_bloom_columns *columns);
/* Runs it, and adds an entry for each of the files, which are in the order of their positions. */
DW_WARN_UNUSED dw_status dw__filters_fill(dw_connection *connection, dw_str select,
                                          const dw_bloom_columns *columns,
                                          const dw_filter_file *files, size_t count,
                                          dw_index_writer *writer, dw_error *err);

#endif
