/*
 * What in a schema asks for a feature, or forbids to write. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_FEATURE_USE_H
#define DW_PROTOCOL_FEATURE_USE_H

#include "protocol/feature.h"

/* The features that schema and configuration ask for. */
typedef struct dw_feature_set {
    bool has[DW_FEATURE_COUNT];
    int32_t min_reader_version; /* asked for by property */
    int32_t min_writer_version;
} dw_feature_set;

/* Adds to `set`. DW_UNSUPPORTED (FEATURE_UNSUPPORTED) for delta.feature.x with an unknown x. */
DW_WARN_UNUSED dw_status dw__feature_set_collect(dw_feature_set *set, const dw_type *schema,
                                                 const dw_pairs *configuration, dw_error *err);
/*
 * PROTOCOL.md "Void Type": DW_UNSUPPORTED (TYPE_UNSUPPORTED) for schemas that no data file can
 * have.
 */
DW_WARN_UNUSED dw_status dw__schema_check_void(const dw_type *schema, dw_error *err);
/* True if a column at any depth has that type. */
bool dw__schema_has_kind(const dw_type *schema, dw_type_kind kind);

#endif
