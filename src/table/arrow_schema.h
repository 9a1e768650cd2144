/*
 * The Delta schema of an Arrow schema.
 */
#ifndef DW_TABLE_ARROW_SCHEMA_H
#define DW_TABLE_ARROW_SCHEMA_H

#include "protocol/schema.h"

/* `schema` is a struct; the result lives in `arena`. DW_INVALID_ARGUMENT (TYPE_UNSUPPORTED) names
 * the column, its Arrow type and what to use instead. */
DW_WARN_UNUSED dw_status dw__arrow_schema_to_delta(const struct ArrowSchema *schema,
                                                   dw_arena *arena, const dw_type **out,
                                                   dw_error *err);

#endif
