/*
 * What the functions that we give the engine have in common: how they find what they work on.
 * Private to this folder.
 */
#ifndef DW_ENGINE_FUNCTIONS_H
#define DW_ENGINE_FUNCTIONS_H

#include "engine/internal.h"

/* In a table function's bind: the entry that its only argument names, with a reference that the
 * bind data keeps. NULL when there is none: the error is set. */
dw_entry *dw__bind_entry(duckdb_bind_info info, dw_entry_kind kind);

/* The same in a scalar function's bind, for its first argument, which must be a constant; the bind
 * data keeps the entry. `message` is the error's when there is none. */
void dw__bind_scalar_entry(duckdb_bind_info info, dw_entry_kind kind, const char *message);

/* Registers a table function of one number, `name(id)`, that is read by one thread. */
typedef struct dw_table_function_spec {
    const char *name;
    duckdb_table_function_bind_t bind;
    duckdb_table_function_init_t init;
    duckdb_table_function_t function;
} dw_table_function_spec;
DW_WARN_UNUSED dw_status dw__table_function_register(dw_database *database,
                                                     duckdb_connection handle,
                                                     const dw_table_function_spec *spec,
                                                     dw_error *err);

#endif
