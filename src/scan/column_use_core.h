/*
 * Inside of dw_column_use: counts as they lie in memory, and the file that keeps them.
 */
#ifndef DW_SCAN_COLUMN_USE_CORE_H
#define DW_SCAN_COLUMN_USE_CORE_H

#include "scan/column_use.h"

typedef struct dw_use_entry {
    char path[DW_COLUMN_USE_PATH_BYTES_MAX];
    size_t path_len;
    int64_t use_count, file_count, skipped_count;
} dw_use_entry;

typedef struct dw_use_set {
    int64_t scan_count;
    dw_use_entry entries[DW_COLUMN_USE_COLUMNS_MAX];
    size_t count;
} dw_use_set;

/* Adds counts to those of a path, which is new or known. */
void dw__use_set_add(dw_use_set *set, const dw_column_uses *uses);
/* Adds all of another one, and lets old uses fade. */
void dw__use_set_merge(dw_use_set *set, const dw_use_set *more);
/* Adds what the file says, if there is one that can be read. */
void dw__use_set_load(dw_use_set *set, const dw_env *env, dw_str directory, dw_str root);
/* Adds the counts to those of the file. */
void dw__use_set_keep(const dw_use_set *set, const dw_env *env, dw_str directory, dw_str root);

#endif
