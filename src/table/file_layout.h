/*
 * How rows are laid out in data files: under the physical names of their columns, with their field
 * ids, without columns of the type void, and with or without the partition columns.
 *
 *  [LAYOUT-1] Partition columns that are written stand behind all others, and have no statistics.
 *  [LAYOUT-2] An empty string is no partition value: it becomes NULL, as the protocol reads it.
 */
#ifndef DW_TABLE_FILE_LAYOUT_H
#define DW_TABLE_FILE_LAYOUT_H

#include "table/data_files.h"
#include "table/variant_shredding.h"

typedef struct dw_file_layout {
    const dw_data_target *target;
    const dw_type *columns;         /* of the table, each as files have it; void ones as they are */
    dw_str *partition_columns;      /* by their physical names */
    bool has_partition_columns;     /* in the files, too */
    dw_str field_ids;               /* as the engine's COPY takes them; null string: none */
    bool has_variants;              /* files are written in parts (variant_parts.h) */
    dw_variant_shredders shredders; /* none, until they are chosen */
} dw_file_layout;

/* In `arena`; `target` stays borrowed. DW_CORRUPT (METADATA_INVALID, MAPPING_INVALID) for a table
 * that cannot be, DW_INVALID_ARGUMENT (ICEBERG_COMPAT) for one that breaks its own rules. */
DW_WARN_UNUSED dw_status dw__file_layout_make(const dw_data_target *target, dw_arena *arena,
                                              dw_file_layout *out, dw_error *err);
/* Chooses what variants are shredded by, where the table has it so: runs the first rows of the
 * query. */
DW_WARN_UNUSED dw_status dw__file_layout_shred(dw_file_layout *layout, dw_connection *connection,
                                               dw_str query, dw_arena *arena, dw_error *err);
/* Appends the SELECT of what goes into the files. The columns of `query` are the table's. `mark`
 * begins the names of second parts of variants. */
DW_WARN_UNUSED dw_status dw__file_layout_print_query(const dw_file_layout *layout, dw_str query,
                                                     dw_str mark, dw_strbuf *out, dw_error *err);

#endif
