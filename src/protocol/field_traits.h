/*
 * What a column's metadata asks of writers. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_FIELD_TRAITS_H
#define DW_PROTOCOL_FIELD_TRAITS_H

#include "codec/json.h"
#include "protocol/schema.h"

/* The dw_field_trait bits of a metadata object. */
unsigned dw__field_traits(dw_json metadata);

#endif
