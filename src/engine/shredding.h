/*
 * Shredding the variants of a query that is written: a look at what its rows have, and functions
 * that take variants apart.
 *
 *  [SHREDDING-1] For each type there is one function of an instance, up to DW_SHREDDERS_MAX: the
 *                engine keeps what it was given. What comes after is not shredded.
 *  [SHREDDING-2] The functions run in all threads of the engine at once.
 */
#ifndef DW_ENGINE_SHREDDING_H
#define DW_ENGINE_SHREDDING_H

#include "codec/shredding.h"
#include "engine/database.h"

#define DW_SHREDDERS_MAX 1000

typedef struct dw_shredding dw_shredding;

/* For statements of the connection, until it is unbound: looks at so many columns of variants. */
DW_WARN_UNUSED dw_status dw__connection_bind_shredding(dw_connection *connection, size_t count,
                                                       dw_shredding **out, dw_error *err);
/* NULL is fine. */
void dw__connection_unbind_shredding(dw_connection *connection, dw_shredding *shredding);
/* Appends an expression that takes in a variant of the column and has no value worth having. */
void dw__shredding_print(const dw_shredding *shredding, size_t column, dw_str value,
                         dw_strbuf *out);
/* What the statements that have run have found in a column. Borrowed. */
const dw_shred_look *dw__shredding_look(const dw_shredding *shredding, size_t column);

/* The name of the function that makes a struct of `metadata` and `shredded` (codec/shredding.h) of
 * what the engine's variant_to_parquet_variant gives; in `arena`. The null string: there are too
 * many of them. */
DW_WARN_UNUSED dw_status dw__connection_shredder(dw_connection *connection,
                                                 const dw_shred_type *type, dw_arena *arena,
                                                 dw_str *name_out, dw_error *err);

#endif
