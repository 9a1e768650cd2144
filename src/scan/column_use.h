/*
 * Which columns the conditions of statements are on, and what statistics made of them: counted in
 * memory, and kept in a small file on this machine, of which no table knows. It is there to advise
 * how to cluster a table.
 *
 *  [USE-1] No statement fails or waits because of it: what cannot be kept is lost.
 *  [USE-2] It is bounded: the columns that are used least make room for others, and old uses fade.
 *  [USE-3] A file that is damaged counts as none. Of two processes that keep their counts at the
 *          same moment the first may lose those since it began: it is a sample, no account.
 */
#ifndef DW_SCAN_COLUMN_USE_H
#define DW_SCAN_COLUMN_USE_H

#include "scan/plan.h"
#include "scan/scan.h"

#define DW_COLUMN_USE_COLUMNS_MAX ((size_t) 64)
/* Of a column's path; longer ones are not counted. */
#define DW_COLUMN_USE_PATH_BYTES_MAX ((size_t) 256)
/* When there are more of them all counts are halved. */
#define DW_COLUMN_USE_SCANS_MAX ((int64_t) 10000)
/* After so many a process does not wait for its end to keep them. */
#define DW_COLUMN_USE_SCANS_UNKEPT_MAX ((int64_t) 256)
#define DW_COLUMN_USE_BYTES_MAX ((size_t) 1 << 16)

typedef struct dw_column_uses {
    dw_str path; /* its physical names as a JSON list: ["st","a"] */
    int64_t use_count;
    int64_t file_count, skipped_count; /* of all uses together; ruled out by statistics */
} dw_column_uses;

typedef struct dw_use_counts {
    int64_t scan_count; /* with a condition for which statistics were asked */
    dw_column_uses *columns;
    size_t count;
} dw_use_counts;

/* Those of one table. Thread-safe. */
typedef struct dw_column_use dw_column_use;

/* Of the table at `root`, kept below `directory`. NULL when out of memory. `env` must outlive it.
 */
dw_column_use *dw__column_use_open(const dw_env *env, dw_str directory, dw_str root);
/* Keeps what was counted. Takes NULL. */
void dw__column_use_close(dw_column_use *use);
/* A scan with the conditions of `plan`. */
void dw__column_use_count(dw_column_use *use, dw_plan_source *plan, const dw_scan_report *report);
/* All that is known, the column that is used most first. In `arena`. Fails only when out of memory.
 */
DW_WARN_UNUSED dw_status dw__column_use_read(dw_column_use *use, dw_arena *arena,
                                             dw_use_counts *out, dw_error *err);
/* Appends a path as it is kept. */
void dw__column_use_put_path(dw_strbuf *out, const dw_column_path *path);

#endif
