/*
 * Per-file statistics: the JSON in add.stats. PROTOCOL.md "Per-file Statistics".
 *
 *  [STATS-1] Reading never trusts: a bound is used only if it parses as the column's type, and
 *            neither of a pair that contradicts itself.
 *  [STATS-2] Bounds are outer bounds: a string maximum that was cut stays above, timestamps are cut
 *            to milliseconds downwards, so a reader widens a timestamp maximum to the end of its
 *            millisecond. A decimal of more digits than a double holds may have gone through one,
 *            so a reader widens it by as much as that can lose; a double may be a widened float, so
 *            its last digits may be off.
 *  [STATS-3] With tightBounds=false nullCount counts only when it is 0 or numRecords.
 *  [STATS-4] Bounds of float and double say nothing of NaN, which writers leave out.
 */
#ifndef DW_PROTOCOL_STATS_H
#define DW_PROTOCOL_STATS_H

#include "codec/json.h"
#include "protocol/property.h"
#include "protocol/value.h"

/* A leaf column by its path of physical names, as statistics nest them. */
typedef struct dw_column_path {
    const dw_str *parts;
    size_t count;
    const dw_type *type; /* of the leaf */
} dw_column_path;

/* What statistics say of one leaf column of one file. */
typedef struct dw_column_stats {
    bool has_min, has_max, has_null_count;
    /* The bound stands for itself: in a file with tight bounds and without a deletion vector some
     * row has this very value. Never for strings, timestamps, float and double, nor for a decimal
     * that was widened. */
    bool min_is_exact, max_is_exact;
    dw_value min; /* a lower bound of all non-null values, NaN aside */
    dw_value max; /* an upper bound of them (already widened, [STATS-2]) */
    int64_t null_count;
} dw_column_stats;

typedef struct dw_file_stats {
    bool has_num_records;
    int64_t num_records; /* physical rows, deletion vector not subtracted */
    bool tight_bounds;
} dw_file_stats;

/* Reads numRecords and tightBounds only, without reading the rest where that can be avoided.
 * Invalid JSON gives nothing, never an error. */
void dw__stats_read_counts(dw_str json, dw_file_stats *out);
/* Reads the counts and the statistics of `column_count` leaves into `columns_out`. Strings live in
 * `arena`. Invalid parts give nothing. Returns false only when out of memory. */
DW_WARN_UNUSED bool dw__stats_read(dw_str json, const dw_column_path *columns, size_t column_count,
                                   dw_arena *arena, dw_file_stats *out,
                                   dw_column_stats *columns_out);

/* ---- Writing --------------------------------------------------------------------------------- */

/* The leaves that get statistics, in the order of the schema: the first numIndexedCols leaves that
 * are no partition columns, or those that dataSkippingStatsColumns names (an unknown name is passed
 * over). Arrays, maps, booleans and the like count as leaves; they get a null count only. Checklist
 * M3, M5. */
DW_WARN_UNUSED dw_status dw__stats_columns(const dw_type *schema, const dw_str *partition_columns,
                                           size_t partition_count, const dw_properties *props,
                                           dw_arena *arena, dw_column_path **out, size_t *count_out,
                                           dw_error *err);
/* The same, and the clustering columns in any case. `clustering` is the configuration of the domain
 * "delta.clustering", or the null string. DW_CORRUPT (CLUSTERING_INVALID). */
DW_WARN_UNUSED dw_status dw__stats_columns_clustered(const dw_type *schema,
                                                     const dw_str *partition_columns,
                                                     size_t partition_count,
                                                     const dw_properties *props, dw_str clustering,
                                                     dw_arena *arena, dw_column_path **out,
                                                     size_t *count_out, dw_error *err);
/* True for types that get minValues and maxValues (not boolean, binary, nested, variant, void). */
bool dw__stats_has_bounds(const dw_type *type);

/* Appends the statistics of a file that gets a deletion vector: what was known still bounds its
 * values from outside, so that tightBounds becomes false. `num_records` counts deleted rows, too.
 * Statistics that are no JSON object, or none (the null string), leave the number alone. */
DW_WARN_UNUSED dw_status dw__stats_loosen(dw_strbuf *out, dw_str json, int64_t num_records,
                                          dw_error *err);

/* One leaf of a file to be written. `has_*` false or a NaN leaves the member out. Values are exact;
 * printing cuts strings to `prefix_length` characters and timestamps to milliseconds, and leaves
 * out bounds that JSON cannot carry as outer bounds. */
typedef struct dw_stats_entry {
    dw_column_path column;
    dw_column_stats stats;
    dw_str min_text, max_text; /* JSON to write for the bounds; null strings: what they are */
} dw_stats_entry;
/* Appends the JSON. Entries must be in schema order (so that nested structs are contiguous). */
DW_WARN_UNUSED dw_status dw__stats_print(dw_strbuf *out, int64_t num_records, bool tight_bounds,
                                         const dw_stats_entry *entries, size_t count,
                                         int64_t prefix_length, dw_error *err);
/* Sets the texts of an entry to what statistics that were parsed say, so that they stay as they
 * are. In `arena`. */
DW_WARN_UNUSED dw_status dw__stats_keep_texts(dw_json root, dw_arena *arena, dw_stats_entry *entry,
                                              dw_error *err);
/* Appends the statistics of a file that has the rows of several, which have no deletion vectors.
 * What some of them lack is left out. `is_exact_out` is false, and nothing is appended, when of
 * some file the number of rows is not known, or bounds are wide. */
DW_WARN_UNUSED dw_status dw__stats_merge(const dw_str *stats, size_t count,
                                         const dw_column_path *columns, size_t column_count,
                                         dw_arena *arena, dw_strbuf *out, bool *is_exact_out,
                                         dw_error *err);

#endif
