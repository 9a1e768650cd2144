/*
 * Whether readers with one schema can read the data of another: what a change of columns would
 * break, column by column.
 *
 *  [COMPATIBILITY-1] Readers find columns and fields by their names, without case. What the data
 *                    lacks is NULL to them, and what they do not ask for is passed over.
 *  [COMPATIBILITY-2] Types fit when they are the same, or when the data's widens to the reader's by
 *                    the protocol's rules. PROTOCOL.md "Type Widening".
 */
#ifndef DW_TABLE_COMPATIBILITY_H
#define DW_TABLE_COMPATIBILITY_H

#include "engine/database.h"
#include "protocol/schema.h"

typedef enum dw_compatibility_mode {
    DW_COMPATIBLE_BACKWARD = 1, /* readers with the new schema read data of the old one */
    DW_COMPATIBLE_FORWARD = 2,  /* readers with the old schema read data of the new one */
    DW_COMPATIBLE_FULL = 3      /* both */
} dw_compatibility_mode;

typedef struct dw_compatibility_spec {
    const dw_type *old_schema, *new_schema;
    bool ignores_null; /* the new schema is one of rows, which says nothing of NULL */
    dw_compatibility_mode mode;
} dw_compatibility_spec;

/* A row for each difference and direction: column, change, before, after, direction, verdict,
 * reason. *incompatible_out says how many of them are incompatible. */
DW_WARN_UNUSED dw_status dw__compatibility_check(const dw_compatibility_spec *spec,
                                                 const dw_allocator *allocator,
                                                 struct ArrowArrayStream *out,
                                                 int64_t *incompatible_out, dw_error *err);

/*
 * The schema that a file has or is: of a Parquet, CSV or JSON file that of its rows, of any other
 * the protocol's JSON text of a schema, as Spark's StructType.json gives it, which may also stand
 * in a .json file. `*of_rows_out` is true for the former. DW_NOT_FOUND (FILE_NOT_FOUND),
 * DW_INVALID_ARGUMENT (SCHEMA_INVALID, SIZE_LIMIT).
 */
DW_WARN_UNUSED dw_status dw__schema_of_file(dw_connection *connection, dw_str path, dw_arena *arena,
                                            const dw_type **out, bool *of_rows_out, dw_error *err);

#endif
