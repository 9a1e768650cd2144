/*
 * Percent-encoding of paths in the log (RFC 2396) and the canonical form of file keys.
 * PROTOCOL.md: "Data Files", "Add File and Remove File".
 *
 *  [URI-1] Decoding what dw__uri_encode_path wrote gives the path back, byte by byte.
 *  [URI-2] Two spellings of one file have one canonical form, and a canonical form is its own.
 */
#ifndef DW_CODEC_URI_H
#define DW_CODEC_URI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Appends `path` as Spark writes it: letters, digits, "/" and -_.!~*'()&=+$,;@ stay, every other
 * byte is percent-encoded. So is ":", which could pass for the end of a scheme. */
void dw__uri_encode_path(dw_strbuf *out, dw_str path);
/* The decoded bytes: `uri` itself when there is nothing to decode, else in `arena`. DW_CORRUPT
 * (URI_INVALID) for a bad escape or a NUL. */
DW_WARN_UNUSED dw_status dw__uri_decode(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err);

/* True for "/x", "file:/x", "s3://b/x": not relative to the table. */
bool dw__uri_is_absolute(dw_str uri);
/* The decoded form under which a file of the log is matched. Input is the raw, encoded path.
 *   file:/x, file:///x, file://localhost/x, /x  ->  /x
 *   s3://bucket/a%20b                           ->  s3://bucket/a b
 *   a//./b%20c                                  ->  a/b c
 * As in the reference, an absolute path below the table's root and the relative path to the same
 * file are two keys. `out` is `uri` itself when nothing changes, else in `arena`. DW_CORRUPT
 * (URI_INVALID). */
DW_WARN_UNUSED dw_status dw__uri_canonical(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err);
/* What the engine opens for a file of the log: `root` + "/" + canonical relative path, or the
 * canonical absolute path. DW_CORRUPT (URI_INVALID), also for a relative path that is empty or has
 * a ".." part. */
DW_WARN_UNUSED dw_status dw__uri_resolve(dw_arena *arena, dw_str root, dw_str uri, dw_str *out,
                                         dw_error *err);

#endif
