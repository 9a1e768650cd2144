/*
 * What a new table is given without being asked.
 */
#ifndef DW_TABLE_NEW_PROPERTIES_H
#define DW_TABLE_NEW_PROPERTIES_H

#include "protocol/action.h"

/* The properties of a new table: those that were told, and delta.enableDeletionVectors where
 * nothing speaks against it. `before`: of the table that is replaced; NULL: there is none. `*out`
 * borrows from `told`. */
DW_WARN_UNUSED dw_status dw__new_properties(const dw_pairs *told, const dw_pairs *before,
                                            dw_arena *arena, dw_pairs *out, dw_error *err);

#endif
