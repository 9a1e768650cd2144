/*
 * Lists and maps of values that are no lists themselves: all of a row group at once, for rows may
 * go on from page to page. Private to this folder.
 */
#ifndef DW_PARQUET_COLUMN_LIST_H
#define DW_PARQUET_COLUMN_LIST_H

#include "parquet/column.h"

/* Opens the next page that has rows which were not passed over. */
DW_WARN_UNUSED dw_status dw__pq_column_next_page(dw_pq_column *column, const dw_pq_source *source,
                                                 dw_pq_page *page, dw_error *err);
DW_WARN_UNUSED dw_status dw__pq_column_read_lists(dw_pq_column *column, const dw_pq_source *source,
                                                  size_t row_count, dw_arena *arena, dw_vector *out,
                                                  dw_error *err);
/* Moves `value_count` values that stand together to the places of `count` whose level is `max`. */
void dw__pq_spread(char *values, size_t width, const uint8_t *levels, uint8_t max, size_t count,
                   size_t value_count);
void dw__pq_elements_deinit(dw_pq_elements *elements);

#endif
