/*
 * Inside of ANALYZE TABLE: what becomes known of files, some at a time. Private to analyze*.c.
 */
#ifndef DW_UPKEEP_ANALYZE_CORE_H
#define DW_UPKEEP_ANALYZE_CORE_H

#include "base/vec.h"
#include "table/leaf_measure.h"
#include "upkeep/analyze.h"

#define DW_ANALYZE_TEXT_BYTES_MAX ((size_t) 64 << 20)
/* Files that are measured together. */
#define DW_ANALYZE_FILES ((size_t) 64)

typedef struct dw_analyze_leaf {
    dw_cluster_column column;
    dw_str sql;     /* how a query on the table names it */
    bool is_wanted; /* the statement asks for it */
} dw_analyze_leaf;

/* What is known of one leaf in one file. */
typedef struct dw_analyze_measure {
    bool is_ignored; /* what is said of it stays as it is: there is nothing to be known */
    bool is_known;
    dw_leaf_measure leaf;
} dw_analyze_measure;

typedef struct dw_analyze_file {
    dw_file_ref ref;
    dw_file add;
    bool has_row_count;
    int64_t row_count;          /* without deleted rows */
    dw_analyze_measure *leaves; /* each */
} dw_analyze_file;

typedef enum dw_analyze_verdict {
    DW_STATS_RIGHT,
    DW_STATS_MISSING,
    DW_STATS_WRONG,
    DW_STATS_IMPRECISE
} dw_analyze_verdict;

typedef struct dw_analyzing {
    dw_table *table;
    const dw_upkeep *upkeep;
    const dw_analyze_spec *spec;
    dw_log_snapshot *snapshot; /* owned */
    dw_arena arena;
    dw_analyze_leaf *leaves;
    size_t leaf_count;
    dw_column_path *paths; /* of the leaves */
    dw_analyze_result *result;
} dw_analyzing;

/* Fills in what footers tell for sure. No error of a file is one here. */
DW_WARN_UNUSED dw_status dw__analyze_footers(dw_analyzing *a, dw_analyze_file *files, size_t count,
                                             dw_arena *scratch, dw_error *err);
/* Reads the rows of files of which something that is wanted is not known. */
DW_WARN_UNUSED dw_status dw__analyze_rows(dw_analyzing *a, dw_analyze_file *files, size_t count,
                                          dw_arena *scratch, dw_error *err);
/* Compares what a file's add says with what is known, and gives what it should say. In `arena`. */
DW_WARN_UNUSED dw_status dw__analyze_judge(const dw_analyzing *a, const dw_analyze_file *file,
                                           dw_arena *arena, dw_analyze_verdict *out,
                                           dw_str *stats_out, dw_error *err);

#endif
