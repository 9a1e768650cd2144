/*
 * The expression that brings one value into its column: cast where that is lossless, checked where
 * it depends on the value, refused where it makes no sense; then NOT NULL, also in nested fields.
 */
#ifndef DW_TABLE_VALUE_CHECKS_H
#define DW_TABLE_VALUE_CHECKS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "protocol/schema.h"

/* What stands before "CODE:message" in the text of an engine error that a check raised. */
#define DW_VALUE_CHECK_MARK DW_FUNCTION_ERROR_MARK

/* Appends an expression over `reference` (an SQL expression of engine type `source_type`) that has
 * the field's type. DW_INVALID_ARGUMENT (TYPE_MISMATCH) when no value could fit. */
DW_WARN_UNUSED dw_status dw__value_print_checked(const dw_field *field, dw_str reference,
                                                 dw_str source_type, dw_arena *arena,
                                                 dw_strbuf *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__value_null_error(dw_str column, dw_error *err);

#endif
