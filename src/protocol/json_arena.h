/*
 * Keeping JSON that is not understood: as text in an arena. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_JSON_ARENA_H
#define DW_PROTOCOL_JSON_ARENA_H

#include "codec/json.h"

/* What is kept as text at most. */
#define DW_JSON_TEXT_SIZE_MAX ((size_t) 2 << 30)

/* The value as compact JSON text in `arena`. */
DW_WARN_UNUSED dw_status dw__json_to_arena(dw_json value, dw_arena *arena, dw_str *out,
                                           dw_error *err);
/* Appends `,"key":value`. */
void dw__json_put_extra(dw_strbuf *out, dw_str key, dw_json value);
/* What was built, copied into `arena`; "" when nothing was. */
DW_WARN_UNUSED dw_status dw__strbuf_to_arena(const dw_strbuf *buf, dw_arena *arena, dw_str *out,
                                             dw_error *err);

#endif
