/*
 * Inside of CONVERT TO DELTA: the files that were found, and what becomes known of them. Private to
 * convert*.c.
 */
#ifndef DW_UPKEEP_CONVERT_CORE_H
#define DW_UPKEEP_CONVERT_CORE_H

#include "base/map.h"
#include "base/vec.h"
#include "upkeep/convert.h"

#define DW_CONVERT_TEXT_BYTES_MAX ((size_t) 64 << 20)

typedef struct dw_convert_file {
    dw_str key;
    int64_t size_bytes, modified_ms;
    dw_str *values;     /* of the partition columns, as the log has them */
    bool has_old_times; /* dates and instants may be of Spark's old calendar */
    dw_str stats;       /* JSON; null string: none */
} dw_convert_file;

typedef struct dw_converting {
    dw_table *table;
    const dw_upkeep *upkeep;
    const dw_convert_spec *spec;
    dw_arena arena;
    struct {
        dw_convert_file *items;
        size_t count, capacity;
    } files;
    dw_map shapes;               /* bytes of a schema that was looked into */
    const dw_type *file_columns; /* of all files, without partition columns */
    const dw_type *schema;       /* of the table */
    dw_str *partition_columns;
    bool has_unmarked; /* some file has instants that the engine takes for times without a zone */
} dw_converting;

/* Finds the files and reads their partition values from the names of directories. */
DW_WARN_UNUSED dw_status dw__convert_find_files(dw_converting *c, dw_error *err);
/* Merges the columns of the files to those of the table. */
DW_WARN_UNUSED dw_status dw__convert_find_schema(dw_converting *c, dw_error *err);
/* Counts and bounds of all files. */
DW_WARN_UNUSED dw_status dw__convert_measure(dw_converting *c, dw_error *err);

#endif
