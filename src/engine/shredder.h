/*
 * Functions that take variants apart, one for each type that they are taken apart by. Private to
 * this folder.
 */
#ifndef DW_ENGINE_SHREDDER_H
#define DW_ENGINE_SHREDDER_H

#include "codec/shredding.h"
#include "engine/internal.h"

struct dw_shredder {
    dw_arena arena; /* holds all below */
    dw_str key;     /* the type as text */
    dw_str name;    /* of the function */
    const dw_shred_type *type;
    const dw_env *env;
};

/* Makes a shredder of that number and its function, on the instance of the handle. */
DW_WARN_UNUSED dw_status dw__shredder_new(dw_database *database, duckdb_connection handle,
                                          const dw_shred_type *type, size_t number,
                                          dw_shredder **out, dw_error *err);
/* After the instance is closed. */
void dw__shredder_free(dw_shredder *shredder);
/* All of an instance, after it is closed. */
void dw__shredders_free(dw_database *database, dw_instance *instance);
/* Appends the type as text: equal types have equal texts. */
void dw__shredder_print_key(const dw_shred_type *type, dw_strbuf *out);

#endif
