/*
 * Rows of a checkpoint as actions. Strings stay borrowed from the batch; arrays are in the arena.
 */
#ifndef DW_LOG_CHECKPOINT_ROWS_H
#define DW_LOG_CHECKPOINT_ROWS_H

#include "log/checkpoint_schema.h"
#include "log/vector_read.h"

/* Each takes the struct column and a row where it is not NULL. A row whose leading member is NULL
 * is none (some writers fill structs with NULLs): `*is_there_out` is then false. DW_CORRUPT
 * (CHECKPOINT_INVALID) names the member that is missing. */
DW_WARN_UNUSED dw_status dw__ck_protocol(const dw_vector *column, size_t row, dw_arena *arena,
                                         dw_action *out, bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_metadata(const dw_vector *column, size_t row, dw_arena *arena,
                                         dw_action *out, bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_txn(const dw_vector *column, size_t row, dw_arena *arena,
                                    dw_action *out, bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_domain(const dw_vector *column, size_t row, dw_arena *arena,
                                       dw_action *out, bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_sidecar(const dw_vector *column, size_t row, dw_arena *arena,
                                        dw_action *out, bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_remove(const dw_vector *column, size_t row, dw_arena *arena,
                                       dw_action *out, bool *is_there_out, dw_error *err);

/* The deletion vector of a row; false when it has none. DW_CORRUPT. */
DW_WARN_UNUSED dw_status dw__ck_dv(const dw_vector *column, size_t row, dw_dv_descriptor *out,
                                   bool *is_there_out, dw_error *err);
DW_WARN_UNUSED dw_status dw__ck_missing(const char *action, const char *member, dw_error *err);

#endif
