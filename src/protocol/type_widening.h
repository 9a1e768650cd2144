/*
 * Types that were changed: delta.typeChanges in the metadata of fields. PROTOCOL.md "Type
 * Widening".
 */
#ifndef DW_PROTOCOL_TYPE_WIDENING_H
#define DW_PROTOCOL_TYPE_WIDENING_H

#include "protocol/schema.h"

/* True when values of `from` can stay in older files while the column has the type `to`. */
bool dw__type_change_is_widening(const dw_type *from, const dw_type *to);
/* True when Iceberg's second format allows the change, too. */
bool dw__type_change_is_iceberg(const dw_type *from, const dw_type *to);

/* Goes through all changes that the schema records and refuses the first that is no widening, or,
 * with `iceberg`, one that Iceberg lacks: DW_UNSUPPORTED (TYPE_CHANGE_UNSUPPORTED) with the column
 * and both types. DW_CORRUPT (SCHEMA_INVALID) when a record cannot be read. */
DW_WARN_UNUSED dw_status dw__type_changes_check(const dw_type *schema, bool iceberg,
                                                dw_arena *scratch, dw_error *err);

#endif
