/*
 * Which engines can read and write tables with which features: what their documentation says, or
 * what we have seen them do. The only place where that is kept; docs/schema-changes.md shows it.
 */
#ifndef DW_PROTOCOL_ENGINE_SUPPORT_H
#define DW_PROTOCOL_ENGINE_SUPPORT_H

#include "protocol/feature.h"

typedef struct dw_engine_support {
    const char *name;
    uint64_t reads;  /* features, by bits: those among the reader features that it reads rightly */
    uint64_t writes; /* features with which it writes */
    bool writes_known;
    bool loses_partitions; /* it reads values of partitions with made-up names as NULL */
} dw_engine_support;

#define DW_FEATURE_BIT(feature) (UINT64_C(1) << (unsigned) (feature))

const dw_engine_support *dw__engines(size_t *count_out);
/* `maps_partitions`: a partition column has a physical name that was made up, such as "col-7f..".
 * A feature of the protocol that keeps the engine from it: DW_FEATURE_COUNT when it can. */
dw_feature dw__engine_cannot_read(const dw_engine_support *engine, const dw_protocol *protocol,
                                  bool maps_partitions);
dw_feature dw__engine_cannot_write(const dw_engine_support *engine, const dw_protocol *protocol,
                                   bool maps_partitions);

#endif
