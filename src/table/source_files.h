/*
 * Which files a load is about: patterns and directories become files, in the engine's order, all of
 * one format; and what their columns must be like before rows are read.
 */
#ifndef DW_TABLE_SOURCE_FILES_H
#define DW_TABLE_SOURCE_FILES_H

#include "table/load.h"

#define DW_SOURCE_FILES_MAX ((size_t) 100000)

typedef struct dw_source_files {
    dw_load_format format; /* DW_LOAD_AUTO: there are none */
    dw_str *paths;         /* absolute */
    size_t count;
} dw_source_files;

/*
 * Finds the files of spec->files. A directory stands for the files in it but hidden ones.
 * Everything that is found lives in the arena. DW_NOT_FOUND (FILE_NOT_FOUND) for a pattern or
 * directory without a file, DW_INVALID_ARGUMENT (FORMAT_UNKNOWN, FORMAT_MIXED, SIZE_LIMIT).
 */
DW_WARN_UNUSED dw_status dw__source_files_find(const dw_env *env, dw_connection *connection,
                                               const dw_load_spec *spec, dw_arena *arena,
                                               dw_source_files *out, dw_error *err);

/* Refuses Parquet files with columns that the engine would read as something else.
 * DW_INVALID_ARGUMENT (TYPE_UNSUPPORTED, COLUMN_DUPLICATE) names file and column. */
DW_WARN_UNUSED dw_status dw__source_files_check(const dw_source_files *files,
                                                dw_connection *connection, dw_arena *arena,
                                                dw_error *err);

#endif
