/*
 * Percent-encoding of paths in the log (RFC 2396) and the canonical form of file keys.
 * PROTOCOL.md: "Data Files", "Add File and Remove File".
 */
#ifndef DW_CODEC_URI_H
#define DW_CODEC_URI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Appends `path` with every byte but unreserved characters and "/" ":" "=" "@" "+" "," "$" "!" etc.
 * that Spark leaves alone percent-encoded, so that decoding gives `path` back. */
void dw__uri_encode_path(dw_strbuf *out, dw_str path);
/* The decoded bytes. DW_CORRUPT (URI_INVALID) for a bad escape, a NUL or a control byte. */
DW_WARN_UNUSED dw_status dw__uri_decode(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err);

/* True for "/x", "file:/x", "s3://b/x": not relative to the table. */
bool dw__uri_is_absolute(dw_str uri);
/* The canonical form under which a file of the log is matched: file:/x, file:///x and /x are one,
 * and a path below `root` (may be the null string) becomes relative to it. Input is the raw,
 * encoded path. */
DW_WARN_UNUSED dw_status dw__uri_canonical(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err);
/* What the engine opens for a file of the log: `root` + "/" + decoded relative path, or the decoded
 * absolute path without its "file:" scheme. Refuses a relative path with a ".." part. */
DW_WARN_UNUSED dw_status dw__uri_resolve(dw_arena *arena, dw_str root, dw_str uri, dw_str *out,
                                         dw_error *err);

#endif
