/*
 * Whether a table that supports a feature uses it. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_FEATURE_USE_H
#define DW_PROTOCOL_FEATURE_USE_H

#include "protocol/feature.h"

#define DW_FEATURE_WHERE_SIZE 128

typedef struct dw_feature_use {
    bool in_use;
    char where[DW_FEATURE_WHERE_SIZE]; /* "delta.enableX"; may be empty */
} dw_feature_use;

void dw__feature_find_use(dw_feature feature, const dw_metadata *metadata, dw_feature_use *out);
/*
 * PROTOCOL.md "Void Type": DW_UNSUPPORTED (TYPE_UNSUPPORTED) for schemas that no data file can
 * have.
 */
DW_WARN_UNUSED dw_status dw__schema_check_void(const dw_type *schema, dw_error *err);
/* True if a column at any depth has that type. */
bool dw__schema_has_kind(const dw_type *schema, dw_type_kind kind);

#endif
