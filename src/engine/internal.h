/*
 * What the files of this folder share: the database, its connections, and statements on them.
 * Private to this folder.
 *
 *  [INTERNAL-1] `duck` and an instance's `handle` are written once, before its `is_loaded` becomes
 *               true, and only read after that: no lock is taken to use them.
 *  [INTERNAL-2] Locks are taken one at a time; the registry's may be taken below any other.
 */
#ifndef DW_ENGINE_INTERNAL_H
#define DW_ENGINE_INTERNAL_H

#include "base/cache.h"
#include "base/strbuf.h"
#include "engine/database.h"
#include "engine/duck.h"
#include "engine/planner.h"
#include "engine/registry.h"
#include "engine/turns.h"

#include <pthread.h>
#include <stdatomic.h>

enum { DW_IDLE_CONNECTIONS_MAX = 8 };
/* SQL that this library makes or is given, beyond it is refused. */
#define DW_SQL_BYTES_MAX ((size_t) 64 << 20)

/*
 * The threads of an instance are its own, and to hand small work to them costs more than the work.
 * So what runs on one thread anyway runs on an instance that has no other: rows that come from a
 * stream.
 */
typedef enum dw_instance_kind {
    DW_INSTANCE_MAIN,
    DW_INSTANCE_SERIAL,
    DW_INSTANCE_PLANNER
} dw_instance_kind;
/* The planner keeps its own. */
#define DW_INSTANCE_COUNT ((size_t) DW_INSTANCE_PLANNER)

typedef struct dw_shredder dw_shredder; /* shredder.h */
typedef struct dw_shredder_vec {
    dw_shredder **items;
    size_t count;
    size_t capacity;
} dw_shredder_vec;

typedef struct dw_instance {
    atomic_bool is_loaded;
    duckdb_database handle;
    duckdb_connection idle[DW_IDLE_CONNECTIONS_MAX];
    size_t idle_count;
    dw_shredder_vec shredders; /* their numbers are their places; NULL: could not be made */
} dw_instance;

struct dw_database {
    dw_engine engine; /* what the log sees; must be the first member */
    const dw_env *env;
    uint64_t memory_limit_bytes;
    uint32_t thread_count;
    char *spill_directory; /* NULL: the engine's default */
    size_t spill_directory_size;
    const dw_duck *duck;
    dw_instance instances[DW_INSTANCE_COUNT];
    dw_registry registry;
    dw_planner planner;
    dw_turns turns;
    dw_cache cache;
    atomic_uint_fast64_t settings_epoch; /* 0: no statement has changed a setting */
    atomic_uint_fast64_t chunks_sampled; /* seeds: row_sample.c */
    pthread_mutex_t mutex;               /* guards loading and the idle connections */
};

/* A name of a connection, see bindings.h. */
typedef struct dw_binding {
    char *name;
    size_t name_len;
    dw_entry *entry;
    bool has_view;
} dw_binding;

typedef struct dw_binding_vec {
    dw_binding *items;
    size_t count;
    size_t capacity;
} dw_binding_vec;

/* A constant expression whose value is in a variable, see constant.c. */
typedef struct dw_constant {
    char *text;
    size_t len;
} dw_constant;

typedef struct dw_constant_vec {
    dw_constant *items;
    size_t count;
    size_t capacity;
} dw_constant_vec;

/* What a session's settings make of constants, see meaning.c. */
typedef struct dw_meaning {
    uint_fast64_t epoch; /* of the database when this was asked */
    bool is_unknown;     /* a plan would not have it: nothing is planned */
    char *settings;      /* SET statements; NULL: as the instance began */
    size_t settings_size;
} dw_meaning;

struct dw_connection {
    dw_database *database;
    const dw_env *env;
    /* NULL until the first statement. Atomic because interrupts come from other threads. */
    _Atomic(duckdb_connection) handle;
    bool counts_progress;
    bool is_borrowed; /* the handle is one of the serial instance's, and goes back to it */
    dw_binding_vec bindings;
    bool copies_narrow; /* the settings for writing few partitions at a time are on, see copy.c */
    dw_constant_vec constants;
    dw_meaning meaning;
};

void dw__constants_clear(dw_connection *connection);
void dw__meaning_clear(dw_connection *connection);
/* dw__database_plan_with under those settings. */
DW_WARN_UNUSED dw_status dw__planner_plan(dw_database *database, const char *settings, dw_str sql,
                                          const dw_plan_stub *stubs, size_t count, dw_arena *arena,
                                          dw_str *json_out, dw_error *err);

/* Loads the library and opens the main instance unless that was done. Thread-safe. */
DW_WARN_UNUSED dw_status dw__database_load(dw_database *database, dw_error *err);
/* An instance in memory, and a connection to one. */
DW_WARN_UNUSED dw_status dw__instance_open(const dw_database *database, dw_instance_kind kind,
                                           duckdb_database *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__instance_connect(const dw_duck *duck, duckdb_database instance,
                                              duckdb_connection *out, dw_error *err);
void dw__planner_init(dw_database *database);
/* Begins to open the instance, if another thread can do it. */
void dw__planner_open_early(dw_database *database);
void dw__planner_deinit(dw_database *database);
/* A connection for the engine's own statements; goes back with _return. Thread-safe. */
DW_WARN_UNUSED dw_status dw__database_borrow(dw_database *database, duckdb_connection *out,
                                             dw_error *err);
void dw__database_return(dw_database *database, duckdb_connection handle);
/* The same of any instance but the planner's. */
DW_WARN_UNUSED dw_status dw__instance_borrow(dw_database *database, dw_instance_kind kind,
                                             duckdb_connection *out, dw_error *err);
void dw__instance_return(dw_database *database, dw_instance_kind kind, duckdb_connection handle);
/* The connection's handle, opened if this is its first use. */
DW_WARN_UNUSED dw_status dw__connection_handle(dw_connection *connection, duckdb_connection *out,
                                               dw_error *err);

/* ---- Statements ------------------------------------------------------------------------------ */

/* Prepares the last statement of a text (NUL-terminated) and runs those before it: the engine turns
 * some statements, such as PIVOT, into several. */
DW_WARN_UNUSED dw_status dw__statement_prepare(const dw_duck *duck, duckdb_connection handle,
                                               const char *sql, duckdb_prepared_statement *out,
                                               dw_error *err);
/* Runs it; rows come when asked for. */
DW_WARN_UNUSED dw_status dw__statement_run(const dw_duck *duck, duckdb_prepared_statement prepared,
                                           duckdb_result *out, dw_error *err);
/* The same for statements that take the engine's threads a while: sleeps while they work. */
DW_WARN_UNUSED dw_status dw__statement_run_patiently(const dw_env *env, const dw_duck *duck,
                                                     duckdb_prepared_statement prepared,
                                                     duckdb_result *out, dw_error *err);
/* The same with all rows at once: small results that come in an order are made by all threads. */
DW_WARN_UNUSED dw_status dw__statement_run_whole(const dw_env *env, const dw_duck *duck,
                                                 duckdb_prepared_statement prepared,
                                                 duckdb_result *out, dw_error *err);
/* The next chunk of a result, NULL at the end. The caller destroys it. */
DW_WARN_UNUSED dw_status dw__statement_fetch(const dw_duck *duck, duckdb_result *result,
                                             duckdb_data_chunk *out, dw_error *err);
/* Prepares and runs. */
DW_WARN_UNUSED dw_status dw__statement_query(const dw_duck *duck, duckdb_connection handle,
                                             const char *sql, duckdb_result *out, dw_error *err);
/* Runs and drops the rows. */
DW_WARN_UNUSED dw_status dw__statement_execute(const dw_duck *duck, duckdb_connection handle,
                                               const char *sql, dw_error *err);
/* The statement in `sql` with a NUL behind it, in `out`. */
DW_WARN_UNUSED dw_status dw__statement_text(dw_str sql, dw_strbuf *out, dw_error *err);

/* ---- Types ----------------------------------------------------------------------------------- */

/* Appends a type as SQL spells it: `STRUCT(a INTEGER, "B c" VARCHAR[])`. */
DW_WARN_UNUSED dw_status dw__duck_type_print(const dw_duck *duck, duckdb_logical_type type,
                                             dw_strbuf *out, dw_error *err);

bool dw__duck_type_has_variants(const dw_duck *duck, duckdb_logical_type type);
/* Prepares a SELECT whose rows have variants anew, with JSON instead; others stay. After a failure
 * `prepared` may be NULL. */
DW_WARN_UNUSED dw_status dw__variants_as_json(const dw_duck *duck, duckdb_connection handle,
                                              const dw_allocator *allocator, dw_str sql,
                                              duckdb_prepared_statement *prepared, dw_error *err);

/* Error texts of the C API. Releases `data`; DW_OK when it is NULL. */
DW_WARN_UNUSED dw_status dw__duck_error_data(const dw_duck *duck, duckdb_error_data data,
                                             dw_error *err);

/* ---- Functions of ours ----------------------------------------------------------------------- */

/* Each registers one on an instance. */
DW_WARN_UNUSED dw_status dw__rows_register(dw_database *database, duckdb_connection handle,
                                           dw_error *err);
DW_WARN_UNUSED dw_status dw__stream_register(dw_database *database, duckdb_connection handle,
                                             dw_error *err);
DW_WARN_UNUSED dw_status dw__found_register(dw_database *database, duckdb_connection handle,
                                            dw_error *err);
DW_WARN_UNUSED dw_status dw__scan_functions_register(dw_database *database,
                                                     duckdb_connection handle, dw_error *err);
DW_WARN_UNUSED dw_status dw__variant_functions_register(dw_database *database,
                                                        duckdb_connection handle, dw_error *err);

DW_WARN_UNUSED dw_status dw__numbering_function_register(dw_database *database,
                                                         duckdb_connection handle, dw_error *err);
DW_WARN_UNUSED dw_status dw__judge_function_register(dw_database *database,
                                                     duckdb_connection handle, dw_error *err);
DW_WARN_UNUSED dw_status dw__shredding_function_register(dw_database *database,
                                                         duckdb_connection handle, dw_error *err);
DW_WARN_UNUSED dw_status dw__item_functions_register(dw_database *database,
                                                     duckdb_connection handle, dw_error *err);
DW_WARN_UNUSED dw_status dw__row_sample_register(dw_database *database, duckdb_connection handle,
                                                 dw_error *err);

/* ---- The vtable ------------------------------------------------------------------------------ */

DW_WARN_UNUSED dw_status dw__parquet_read(dw_engine *engine, dw_storage *storage,
                                          const dw_parquet_read *request, dw_batch_visitor visit,
                                          void *ctx, dw_error *err);
DW_WARN_UNUSED dw_status dw__parquet_write(dw_engine *engine, const dw_column_spec *columns,
                                           size_t column_count, dw_batch_source next, void *ctx,
                                           dw_strbuf *out, dw_error *err);

#endif
