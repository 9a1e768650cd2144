/*
 * The checksum of a version that was just committed: the state that was read, and what the commit
 * changed. PROTOCOL.md "Version Checksum File".
 */
#ifndef DW_TXN_CHECKSUM_H
#define DW_TXN_CHECKSUM_H

#include "txn/commit_bytes.h"

/* Writes the checksum of `version`, which is `txn` with its actions as they were committed. The
 * commit has happened: what goes wrong here is worth a warning and no more. [CHECKSUM-3] */
void dw__txn_write_checksum(const dw_txn *txn, const dw_commit_header *header, int64_t version);

#endif
