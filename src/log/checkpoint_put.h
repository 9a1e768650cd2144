/*
 * Actions into the columns of a checkpoint: the counterpart of checkpoint_rows.h.
 */
#ifndef DW_LOG_CHECKPOINT_PUT_H
#define DW_LOG_CHECKPOINT_PUT_H

#include "log/checkpoint_schema.h"
#include "log/column_build.h"
#include "log/file_set_core.h"

/* Each appends one row that is not NULL. Strings are borrowed. */
void dw__ck_put_protocol(dw_column *column, const dw_protocol *protocol);
void dw__ck_put_metadata(dw_column *column, const dw_metadata *metadata);
void dw__ck_put_txn(dw_column *column, const dw_txn_id *txn);
void dw__ck_put_domain(dw_column *column, const dw_domain *domain);
void dw__ck_put_checkpoint(dw_column *column, int64_t version);
void dw__ck_put_sidecar(dw_column *column, const dw_sidecar *sidecar);
/* A row of a block; `stats` the null string: none. Texts that must be made live in `arena`. */
DW_WARN_UNUSED dw_status dw__ck_put_add(dw_column *column, const dw_file_block *block, size_t row,
                                        dw_str stats, dw_arena *arena, dw_error *err);
void dw__ck_put_remove(dw_column *column, const dw_file_block *block, size_t row);

#endif
