/*
 * CONVERT TO DELTA: a directory of Parquet files becomes a table of these very files.
 *
 *  [CONVERT-1] No data file is touched, and there is one commit, or none.
 *  [CONVERT-2] Statistics are of the rows as the table has them, or are left out.
 *  [CONVERT-3] A file that cannot be part of the table as it is is refused by its name.
 */
#ifndef DW_UPKEEP_CONVERT_H
#define DW_UPKEEP_CONVERT_H

#include "table/table.h"
#include "upkeep/upkeep.h"

#define DW_CONVERT_FILES_MAX ((size_t) 1000000)
/* Different lists of columns that the files of one table have. */
#define DW_CONVERT_SHAPES_MAX ((size_t) 10000)

typedef struct dw_convert_spec {
    const dw_field *partition_fields; /* as the names of directories have them */
    size_t partition_count;
    bool without_statistics;
    /* Which files need no statistics, as nobody will ask; NULL: none. */
    bool (*knows)(void *ctx, dw_str key, int64_t size_bytes, int64_t modified_ms);
    void *ctx;
} dw_convert_spec;

typedef struct dw_convert_result {
    int64_t version; /* -1: nothing was committed */
    bool was_table;  /* there is a table already */
    int64_t file_count, size_bytes;
} dw_convert_result;

/* DW_NOT_FOUND (FILE_NOT_FOUND) without files; DW_INVALID_ARGUMENT (NOT_PARQUET,
 * SCHEMA_CONFLICT, TYPE_UNSUPPORTED, COLUMN_DUPLICATE, PARTITION_COLUMNS_MISMATCH,
 * PARTITION_VALUE_INVALID, SIZE_LIMIT); those of a commit. */
DW_WARN_UNUSED dw_status dw__table_convert(dw_table *table, const dw_upkeep *upkeep,
                                           const dw_convert_spec *spec, dw_convert_result *out,
                                           dw_error *err);

/* The same as far as the commit: the table that the directory would be. What `knows` says has no
 * statistics there. DW_INVALID_ARGUMENT (IS_DELTA_TABLE) when there is a table already. */
DW_WARN_UNUSED dw_status dw__table_convert_imagine(dw_table *directory, const dw_upkeep *upkeep,
                                                   const dw_convert_spec *spec,
                                                   dw_log_snapshot **out, dw_error *err);

#endif
