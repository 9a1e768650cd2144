/*
 * What a value of a condition is in a filter: the hash of its bytes as Parquet writes them plainly,
 * in the type that the column had when the filter was made.
 *
 *  [ITEM-2] A value of a wider type is looked up as one of the narrower that filters were made of;
 *           one that the narrower type has not is in none of them.
 */
#ifndef DW_BLOOM_ITEM_H
#define DW_BLOOM_ITEM_H

#include "codec/bloom.h"
#include "protocol/value.h"

typedef enum dw_item_kind {
    DW_ITEM_UNKNOWN, /* nobody can tell: it may be there */
    DW_ITEM_HASH,
    DW_ITEM_NOWHERE /* no file with such a filter has it */
} dw_item_kind;

typedef struct dw_item {
    dw_item_kind kind;
    uint64_t hash;
} dw_item;

/* The item of a value of a column that is `now` of a type, in filters that were made when it was of
 * the type `then` (its SQL name). */
dw_item dw__item_of_value(const dw_value *value, const dw_type *now, dw_str then);

/* Whether values of the type have items: only columns of such types are indexed.
 * [DEFINITION-1] */
bool dw__item_is_of(const dw_type *type);

/* Appends SQL that makes the item of the values of an expression of such a type; NULL of NULL. */
void dw__item_put_sql(dw_strbuf *out, const dw_type *type, dw_str expression);

#endif
