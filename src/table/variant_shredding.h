/*
 * Which variants of a write are shredded, and by what: those that are columns or fields of structs,
 * where the table has delta.enableVariantShredding. Those in lists and maps are written whole, as
 * Spark writes them.
 *
 *  [SHREDS-1] A query is looked at by its first rows before it runs. What they are says how values
 *             are written, never which.
 */
#ifndef DW_TABLE_VARIANT_SHREDDING_H
#define DW_TABLE_VARIANT_SHREDDING_H

#include "engine/database.h"
#include "protocol/feature.h"
#include "protocol/property.h"
#include "protocol/schema.h"

/* A variant, and the function that takes it apart (engine/shredding.h). */
typedef struct dw_variant_shredder {
    const dw_field *field;
    dw_str function;
} dw_variant_shredder;

typedef struct dw_variant_shredders {
    dw_variant_shredder *items;
    size_t count;
} dw_variant_shredders;

/* True when files of such a table may be shredded. */
bool dw__shreds_variants(const dw_protocol *protocol, const dw_properties *properties);
/* Runs the first rows of the query, whose columns are `columns`. In `arena`. */
DW_WARN_UNUSED dw_status dw__variant_shredders_choose(dw_connection *connection,
                                                      const dw_type *columns, dw_str query,
                                                      dw_arena *arena, dw_variant_shredders *out,
                                                      dw_error *err);
/* The null string: the variant is written whole. */
dw_str dw__variant_shredder_of(const dw_variant_shredders *shredders, const dw_field *field);

#endif
