/*
 * What in a schema asks for a feature, or forbids to write. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_FEATURE_USE_H
#define DW_PROTOCOL_FEATURE_USE_H

#include "protocol/feature.h"

/*
 * PROTOCOL.md "Void Type": DW_UNSUPPORTED (TYPE_UNSUPPORTED) for schemas that no data file can
 * have.
 */
DW_WARN_UNUSED dw_status dw__schema_check_void(const dw_type *schema, dw_error *err);
/* True if a column at any depth has that type. */
bool dw__schema_has_kind(const dw_type *schema, dw_type_kind kind);

#endif
