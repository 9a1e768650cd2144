/*
 * Table features and what this library can do with a protocol. PROTOCOL.md "Table Features".
 *
 *  [FEATURE-1] An unknown feature is refused by its name before anything else is read or written.
 *  [FEATURE-2] A table whose unknown features are writer-only stays readable.
 */
#ifndef DW_PROTOCOL_FEATURE_H
#define DW_PROTOCOL_FEATURE_H

#include "protocol/action.h"

typedef enum dw_feature {
    DW_FEATURE_APPEND_ONLY,
    DW_FEATURE_INVARIANTS,
    DW_FEATURE_CHECK_CONSTRAINTS,
    DW_FEATURE_CHANGE_DATA_FEED,
    DW_FEATURE_GENERATED_COLUMNS,
    DW_FEATURE_COLUMN_MAPPING,
    DW_FEATURE_IDENTITY_COLUMNS,
    DW_FEATURE_ALLOW_COLUMN_DEFAULTS,
    DW_FEATURE_DELETION_VECTORS,
    DW_FEATURE_TIMESTAMP_NTZ,
    DW_FEATURE_DOMAIN_METADATA,
    DW_FEATURE_V2_CHECKPOINT,
    DW_FEATURE_ROW_TRACKING,
    DW_FEATURE_CLUSTERING,
    DW_FEATURE_ICEBERG_COMPAT_V1,
    DW_FEATURE_ICEBERG_COMPAT_V2,
    DW_FEATURE_IN_COMMIT_TIMESTAMP,
    DW_FEATURE_VACUUM_PROTOCOL_CHECK,
    DW_FEATURE_TYPE_WIDENING,
    DW_FEATURE_TYPE_WIDENING_PREVIEW,
    DW_FEATURE_VARIANT_TYPE,
    DW_FEATURE_VARIANT_TYPE_PREVIEW,
    DW_FEATURE_VARIANT_SHREDDING,
    DW_FEATURE_VARIANT_SHREDDING_PREVIEW,
    DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS,
    DW_FEATURE_CHECKPOINT_PROTECTION,
    DW_FEATURE_COUNT
} dw_feature;

typedef struct dw_feature_spec {
    dw_str name;              /* "deletionVectors" */
    bool is_reader_feature;   /* in both lists */
    int32_t legacy_reader;    /* implied by that minReaderVersion (0: never) */
    int32_t legacy_writer;    /* implied by that minWriterVersion (0: never) */
    bool can_read, can_write; /* what this library does */
} dw_feature_spec;

const dw_feature_spec *dw__feature_spec(dw_feature feature);
/* DW_FEATURE_COUNT when the name is unknown. */
dw_feature dw__feature_by_name(dw_str name);
/* True when the protocol lists or implies the feature. */
bool dw__protocol_supports(const dw_protocol *protocol, dw_feature feature);

/* The legality of the lists themselves (checklist B3), then whether we can read. DW_UNSUPPORTED
 * (FEATURE_UNSUPPORTED, PROTOCOL_VERSION_UNSUPPORTED) names every feature that is missing;
 * DW_CORRUPT (PROTOCOL_INVALID). */
DW_WARN_UNUSED dw_status dw__protocol_check_read(const dw_protocol *protocol, dw_error *err);
/* DW_UNSUPPORTED (FEATURE_UNSUPPORTED) names the listed features that nobody here knows, also those
 * that only concern writers. */
DW_WARN_UNUSED dw_status dw__protocol_check_features(const dw_protocol *protocol, dw_error *err);
/* The same for writing: appending and overwriting. Also refuses schemas that no file can hold: void
 * inside arrays and maps, or nothing but void (TYPE_UNSUPPORTED). */
DW_WARN_UNUSED dw_status dw__protocol_check_write(const dw_protocol *protocol,
                                                  const dw_type *schema, dw_error *err);
/* The smallest legal protocol for a new table with this schema and configuration (properties such
 * as delta.enableDeletionVectors and delta.feature.x = supported included), e.g. (1,2), or (3,7)
 * with timestampNtz. It may need more than this library does: check it with
 * dw__protocol_check_write. DW_UNSUPPORTED (FEATURE_UNSUPPORTED) for delta.feature.x with an
 * unknown x. */
DW_WARN_UNUSED dw_status dw__protocol_for_new_table(const dw_type *schema,
                                                    const dw_pairs *configuration, dw_arena *arena,
                                                    dw_protocol *out, dw_error *err);
/* The protocol of a table that exists once it has this schema and configuration (delta.feature.x,
 * delta.minReaderVersion and delta.minWriterVersion in it count): everything that it has, and what
 * else is asked for. Versions without lists become lists that name all that they implied, unless
 * another version implies exactly what is needed. `before` itself when it has all. Errors as above.
 */
DW_WARN_UNUSED dw_status dw__protocol_upgrade(const dw_protocol *before, const dw_type *schema,
                                              const dw_pairs *configuration, dw_arena *arena,
                                              dw_protocol *out, dw_error *err);
/* A feature of the protocol that cannot be without `feature`; DW_FEATURE_COUNT: none. */
dw_feature dw__protocol_dependent(const dw_protocol *protocol, dw_feature feature);
/* The protocol without a feature that it supports, and with another (DW_FEATURE_COUNT: none). */
DW_WARN_UNUSED dw_status dw__protocol_without(const dw_protocol *before, dw_feature feature,
                                              dw_feature more, dw_arena *arena, dw_protocol *out,
                                              dw_error *err);

#endif
