/*
 * ANALYZE TABLE ... PROFILE: what is in the columns of a version - counts, distinct values, bounds,
 * mean, quantiles, the most frequent values, how fresh it is - kept beside the table, so that what
 * changes from version to version can be seen, and held against limits.
 *
 *  [PROFILE-1] One scan makes it. Counts, bounds, mean and deviation are exact; numbers of distinct
 *              values are estimates, and quantiles and frequent values come from a sample of the
 *              rows, of all of them where there are no more than DW_PROFILE_SAMPLE_ROWS: then
 *              everything is exact.
 *  [PROFILE-2] What the log knows exactly is not computed.
 *  [PROFILE-3] Profiles are kept in _deltaworks_profile/, a file for each version, the newest
 *              DW_PROFILES_MAX of them. Nobody needs one: what is missing counts as not there, what
 *              is damaged, too, with a warning, and that one cannot be kept is a warning.
 */
#ifndef DW_UPKEEP_PROFILE_H
#define DW_UPKEEP_PROFILE_H

#include "base/checked.h"
#include "table/clustering.h"
#include "table/table.h"
#include "upkeep/upkeep.h"

#define DW_PROFILE_DIR "_deltaworks_profile/"
#define DW_PROFILES_MAX ((size_t) 100)
#define DW_PROFILE_BYTES_MAX ((size_t) 4 << 20)
#define DW_PROFILE_COLUMNS_MAX ((size_t) 1000)
#define DW_PROFILE_SAMPLE_ROWS 50000
/* Of a value that is kept as text. */
#define DW_PROFILE_VALUE_CHARS 100

enum { DW_PROFILE_QUANTILES = 5, DW_PROFILE_TOP_VALUES = 5 };

typedef struct dw_profile_value {
    dw_str text;
    int64_t count; /* in the sample */
} dw_profile_value;

/* Texts are as the engine prints values, instants in UTC; null string: there is none. */
typedef struct dw_column_profile {
    dw_str name;      /* as it stands in SQL: s.x */
    dw_str type;      /* the table's; of lists and maps it is their length that is profiled */
    int64_t count;    /* that are not NULL */
    int64_t distinct; /* -1: not told */
    dw_str min, max;
    bool has_mean;
    double mean, deviation;
    dw_str quantiles[DW_PROFILE_QUANTILES]; /* of 5, 25, 50, 75 and 95 % */
    dw_profile_value top[DW_PROFILE_TOP_VALUES];
    size_t top_count;
    bool has_newest;
    int64_t newest_us; /* the greatest date or timestamp, since 1970 */
} dw_column_profile;

typedef struct dw_profile {
    dw_str table_id;
    int64_t version, commit_ms; /* of the version that was looked at */
    int64_t taken_ms;
    int64_t row_count, sample_count, file_count, size_bytes;
    dw_column_profile *columns;
    size_t column_count;
} dw_profile;

/* ---- Making ---------------------------------------------------------------------------------- */

typedef struct dw_profile_spec {
    dw_name_paths columns; /* FOR COLUMNS; none: all, fields of structs by themselves */
    dw_connection *connection;
    dw_log_snapshot *snapshot;
} dw_profile_spec;

/* In `arena`. DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND, PROFILE_TOO_WIDE). */
DW_WARN_UNUSED dw_status dw__table_profile(dw_table *table, const dw_profile_spec *spec,
                                           dw_arena *arena, dw_profile *out, dw_error *err);

/* ---- Keeping --------------------------------------------------------------------------------- */

/* A failure is a warning. */
void dw__profile_keep(dw_table *table, const dw_profile *profile);
/* The newest one of a version up to `version` that is kept, of this table; `*found_out` is false
 * when there is none. In `arena`. */
DW_WARN_UNUSED dw_status dw__profile_find(dw_table *table, const dw_log_snapshot *snapshot,
                                          int64_t version, dw_arena *arena, dw_profile *out,
                                          bool *found_out, dw_error *err);

/* ---- Looking --------------------------------------------------------------------------------- */

/* How long ago that is; 0 where it is beyond all that can be counted. */
static inline int64_t
dw__profile_age_ms(int64_t now_ms, int64_t then_ms)
{
    int64_t age;
    return dw__checked_sub_i64(now_ms, then_ms, &age) ? age : 0;
}

/* What a property demands of a column, or of the table, and does not find. */
typedef struct dw_profile_violation {
    dw_str column; /* the null string: of the table */
    dw_str text;   /* "null fraction 0.2 is above maxNullFraction 0.1" */
} dw_profile_violation;

/* Of properties that somebody sets: a threshold that could not be judged is refused at once,
 * DW_INVALID_ARGUMENT (PROPERTY_INVALID). */
DW_WARN_UNUSED dw_status dw__profile_check_limits(const dw_pairs *properties, dw_error *err);

/* The thresholds are properties: deltaworks.profile.<column>.maxNullFraction ... In `arena`.
 * DW_INVALID_ARGUMENT (PROPERTY_INVALID) for one that is none. */
DW_WARN_UNUSED dw_status dw__profile_judge(const dw_profile *profile, const dw_pairs *properties,
                                           int64_t now_ms, dw_arena *arena,
                                           dw_profile_violation **out, size_t *count_out,
                                           dw_error *err);

typedef struct dw_profile_drift {
    dw_str column; /* the null string: of the table */
    const char *metric;
    dw_str before, after; /* null string: there is none */
    bool has_change;
    double change; /* as a share of before */
} dw_profile_drift;

/* What differs, in `arena`. */
DW_WARN_UNUSED dw_status dw__profile_compare(const dw_profile *before, const dw_profile *after,
                                             dw_arena *arena, dw_profile_drift **out,
                                             size_t *count_out, dw_error *err);

#endif
