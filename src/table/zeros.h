/*
 * Zeros without a sign. The engine's Parquet writer mixes up -0.0 and 0.0 in dictionaries, bounds
 * and bloom filters, by which other engines would skip rows: what is written has 0.0, which equals
 * both.
 *
 *  [ZERO-1] Types without floating-point numbers inside cost nothing.
 */
#ifndef DW_TABLE_ZEROS_H
#define DW_TABLE_ZEROS_H

#include "base/strbuf.h"
#include "protocol/schema.h"

/* True for float and double, and types with one inside. */
bool dw__zeros_may_be_in(const dw_type *type);
/* Appends an expression that equals `value`, one of that type in the engine's SQL, and whose zeros
 * have no sign. The text of `value` may be repeated. */
void dw__zeros_print(dw_strbuf *out, const dw_type *type, dw_str value);
/* The same of a column, under its name: rows of other writers may have zeros with a sign. */
void dw__zeros_print_column(dw_strbuf *out, const dw_field *field);

#endif
