/*
 * The checksum files of versions: `<version>.crc`. PROTOCOL.md "Version Checksum File".
 *
 *  [CHECKSUM-3] A checksum is written after its commit and never replaced. That it is missing, or
 *               could not be written, means nothing.
 *  [CHECKSUM-4] What the log replays to is what holds. A checksum that says something else is
 *               reported when the version is read, and keeps it from being made a checkpoint: the
 *               commits that could still tell what happened must stay.
 */
#ifndef DW_LOG_CHECKSUM_FILE_H
#define DW_LOG_CHECKSUM_FILE_H

#include "log/log.h"
#include "protocol/version_checksum.h"

/* What a snapshot comes to. Borrowed from it, lists in `arena`. */
DW_WARN_UNUSED dw_status dw__checksum_of_snapshot(const dw_log_snapshot *snapshot, dw_arena *arena,
                                                  dw_version_checksum *out, dw_error *err);
/* Writes it unless one is there. */
DW_WARN_UNUSED dw_status dw__checksum_write(dw_log *log, int64_t version,
                                            const dw_version_checksum *checksum, dw_error *err);
/* The checksum of a version, in `arena`. DW_NOT_FOUND; DW_CORRUPT (CHECKSUM_INVALID). */
DW_WARN_UNUSED dw_status dw__checksum_read(dw_log *log, int64_t version, dw_arena *arena,
                                           dw_version_checksum *out, dw_error *err);
/* Compares a snapshot with its checksum file; one that is missing or cannot be read is no error.
 * DW_CORRUPT (CHECKSUM_MISMATCH) says which file and which member. */
DW_WARN_UNUSED dw_status dw__checksum_verify(const dw_log_snapshot *snapshot, dw_error *err);

#endif
