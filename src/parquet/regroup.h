/*
 * Variants in written files. The engine's writer makes every column of a struct optional, shreds
 * as it likes and knows no variants inside of others; readers want a group of the two required
 * columns `metadata` and `value`. So both are written as optional columns beside one another: the
 * levels of an optional column are those of a required one in an optional group, and all that
 * remains to be done is to say so in the footer.
 *
 * A shredded variant is its metadata beside a struct of the rest, whose columns are named and laid
 * out so that groups are all that must be added (codec/shredding.h).
 *
 *  [REGROUP-1] No page is touched. A new footer is appended; the old one stays as bytes that
 *              nothing speaks of.
 *  [REGROUP-2] Columns keep their order and their places.
 */
#ifndef DW_PARQUET_REGROUP_H
#define DW_PARQUET_REGROUP_H

#include "parquet/source.h"

/* Appends to `out` the footer in which each column X and the column behind it, whose name is `mark`
 * and X, are the variant X. Lists and maps of the two parts are one of variants. DW_UNSUPPORTED
 * (PARQUET_ODD) if the two do not match. */
DW_WARN_UNUSED dw_status dw__pq_footer_regroup(dw_str footer, dw_str mark,
                                               const dw_allocator *allocator, dw_strbuf *out,
                                               dw_error *err);

/* The same for a file that nobody reads yet; source->size_bytes becomes its new size. */
DW_WARN_UNUSED dw_status dw__pq_regroup(dw_pq_source *source, dw_str mark, dw_error *err);

#endif
