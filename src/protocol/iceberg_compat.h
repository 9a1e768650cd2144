/*
 * Tables that Iceberg's readers must be able to read, and partition columns in data files.
 * PROTOCOL.md "Iceberg Compatibility V1", "Iceberg Compatibility V2"; materialize-partition-columns
 * among the proposals.
 *
 *  [ICEBERG-1] A table that breaks a rule is not written to.
 */
#ifndef DW_PROTOCOL_ICEBERG_COMPAT_H
#define DW_PROTOCOL_ICEBERG_COMPAT_H

#include "protocol/feature.h"
#include "protocol/property.h"

/* Whether new data files hold the partition columns, too: a feature demands it, or
 * delta.writePartitionColumnsToParquet asks for it. */
bool dw__writes_partition_columns(const dw_protocol *protocol, const dw_properties *properties);

/* The rules of icebergCompatV1 and V2 where they are active: column mapping, no deletion vectors,
 * legal types and type changes, nested ids. DW_INVALID_ARGUMENT (ICEBERG_COMPAT) says which
 * rule is broken and what to do. (All files have numRecords, whatever the table.) */
DW_WARN_UNUSED dw_status dw__iceberg_compat_check(const dw_protocol *protocol,
                                                  const dw_properties *properties,
                                                  const dw_type *schema, dw_arena *scratch,
                                                  dw_error *err);
/* A replaced table: its partition columns keep their names. */
DW_WARN_UNUSED dw_status dw__iceberg_compat_check_replace(const dw_metadata *before,
                                                          const dw_metadata *metadata,
                                                          dw_error *err);
/* Adds to the configuration of a new table what icebergCompatV1 and V2 cannot be without: column
 * mapping by name, where no mode is given. */
DW_WARN_UNUSED dw_status dw__iceberg_compat_complete(dw_pairs *configuration, dw_arena *arena,
                                                     dw_error *err);

#endif
