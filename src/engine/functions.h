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

/* A scalar function of plain types; its extra info is the database. */
enum { DW_SCALAR_PARAMETERS_MAX = 3 };
typedef struct dw_scalar_function_spec {
    const char *name;
    duckdb_type parameters[DW_SCALAR_PARAMETERS_MAX]; /* DUCKDB_TYPE_INVALID: no more */
    duckdb_type others; /* any number behind them; DUCKDB_TYPE_INVALID: none */
    duckdb_type returns;
    bool returns_list; /* of these */
    bool is_volatile;
    duckdb_scalar_function_bind_t bind; /* NULL: none */
    duckdb_scalar_function_t run;
} dw_scalar_function_spec;
DW_WARN_UNUSED dw_status dw__scalar_function_register(dw_database *database,
                                                      duckdb_connection handle,
                                                      const dw_scalar_function_spec *spec,
                                                      dw_error *err);
/* The last step for a function of any types: registers what is set up, and destroys it. */
DW_WARN_UNUSED dw_status dw__scalar_function_finish(const dw_duck *duck, duckdb_connection handle,
                                                    duckdb_scalar_function function,
                                                    const char *name, dw_error *err);
/* A variant as the struct of its two parts, which has a name where it is not NULL. The caller
 * destroys it. */
duckdb_logical_type dw__variant_parts_type(const dw_duck *duck, const char *type_name);
#define DW_PARQUET_VARIANT "PARQUET_VARIANT"

#endif
