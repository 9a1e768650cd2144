/*
 * The checksum of `_last_checkpoint`.
 */
#ifndef DW_LOG_HINT_CHECKSUM_H
#define DW_LOG_HINT_CHECKSUM_H

#include "codec/codec.h"
#include "codec/json.h"

/* The checksum that belongs to the hint, whatever its member "checksum" says. DW_CORRUPT
 * (HINT_INVALID) for duplicate keys. */
DW_WARN_UNUSED dw_status dw__hint_checksum(const dw_allocator *allocator, dw_json hint,
                                           char out[DW_MD5_TEXT_SIZE], dw_error *err);

#endif
