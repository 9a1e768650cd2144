/*
 * Partition values that are longer than a directory's name may be.
 */
#ifndef DW_TABLE_LONG_PARTITION_H
#define DW_TABLE_LONG_PARTITION_H

#include "engine/database.h"
#include "protocol/schema.h"

/* The partition column for whose value the engine could not make a directory, when that is what
 * failed; NULL otherwise. */
const dw_field *dw__long_partition_find(const dw_field *const *fields, size_t count,
                                        dw_status status, const dw_error *err);
/* Says so, and with a connection also what the longest value of `query` is, whose columns are the
 * table's. DW_INVALID_ARGUMENT (PARTITION_VALUE_TOO_LONG). */
DW_WARN_UNUSED dw_status dw__long_partition_refuse(const dw_field *field, dw_connection *connection,
                                                   dw_str query, dw_arena *arena, dw_error *err);

#endif
