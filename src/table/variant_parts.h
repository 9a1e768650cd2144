/*
 * Variants as they are handed to the engine's Parquet writer, which cannot write them as readers
 * want them: as two columns, `metadata` and `value`, beside one another. dw__pq_regroup makes one
 * column of both in the written file.
 *
 *  [PARTS-1] A part is NULL where, and only where, the variant is.
 *  [PARTS-2] A list or map of variants is two as well; a struct holds both parts of its fields and
 *            is one.
 *  [PARTS-3] The second part of a variant that is shredded is a struct (codec/shredding.h).
 */
#ifndef DW_TABLE_VARIANT_PARTS_H
#define DW_TABLE_VARIANT_PARTS_H

#include "base/strbuf.h"
#include "table/variant_shredding.h"

/* How many columns stand for one of the type: 1 or 2. */
size_t dw__variant_part_count(const dw_type *type);
/* Appends an expression of one part of `value`, the field's, whose text may be repeated. `mark`
 * begins the names of second parts. */
void dw__variant_part_print(dw_strbuf *out, const dw_field *field, dw_str value, size_t part,
                            dw_str mark, const dw_variant_shredders *shredders);
/* Appends the quoted name of a part of the column or field `name`. */
void dw__variant_part_print_name(dw_strbuf *out, dw_str name, size_t part, dw_str mark);

#endif
