/*
 * The instances of the engine: each opened at its first use, with its settings, and a few
 * connections of its own for statements that no session sees. [ENGINE-1] [INTERNAL-1]
 */
#include "base/assert.h"
#include "engine/internal.h"
#include "engine/shredder.h"

#include <stdio.h>
#include <unistd.h>

#define TURNS_PER_CORE ((size_t) 2)
#define THREAD_BYTES_MIN ((uint64_t) 96 << 20)

/* How an instance is set up. Everything that would reach for the network or the user's home is off:
 * a statement must not depend on what happens to be installed there. */
static const char *const instance_settings[][2] = {
    {"autoinstall_known_extensions", "false"},
    {"autoload_known_extensions", "false"},
};

static dw_status
set_option(const dw_duck *duck, duckdb_config config, const char *name, const char *value,
           dw_error *err)
{
    if (duck->set_config(config, name, value) != DuckDBSuccess) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "INVALID_SETTING",
                             "the query engine refuses the setting %s = '%s'", name, value);
    }
    return DW_OK;
}

static dw_status
set_user_options(const dw_database *database, duckdb_config config, dw_error *err)
{
    const dw_duck *duck = database->duck;
    char text[32];
    if (database->memory_limit_bytes != 0) {
        uint64_t limit = database->memory_limit_bytes - database->cache.size_max;
        snprintf(text, sizeof(text), "%lluB", (unsigned long long) limit);
        DW_TRY(set_option(duck, config, "memory_limit", text, err));
    }
    if (database->spill_directory != NULL) {
        DW_TRY(set_option(duck, config, "temp_directory", database->spill_directory, err));
    }
    return DW_OK;
}

static dw_status
set_thread_count(const dw_database *database, dw_instance_kind kind, duckdb_config config,
                 dw_error *err)
{
    /* Plans are made by the thread that asks for them. */
    uint32_t count = kind == DW_INSTANCE_MAIN ? database->thread_count : 1;
    if (count == 0) {
        return DW_OK;
    }
    char text[32];
    snprintf(text, sizeof(text), "%u", count);
    return set_option(database->duck, config, "threads", text, err);
}

static dw_status
set_options(const dw_database *database, dw_instance_kind kind, duckdb_config config, dw_error *err)
{
    const dw_duck *duck = database->duck;
    for (size_t i = 0; i < sizeof(instance_settings) / sizeof(instance_settings[0]); i++) {
        DW_TRY(set_option(duck, config, instance_settings[i][0], instance_settings[i][1], err));
    }
    DW_TRY(set_thread_count(database, kind, config, err));
    return kind == DW_INSTANCE_PLANNER ? DW_OK : set_user_options(database, config, err);
}

dw_status
dw__instance_open(const dw_database *database, dw_instance_kind kind, duckdb_database *out,
                  dw_error *err)
{
    const dw_duck *duck = database->duck;
    *out = NULL;
    duckdb_config config = NULL;
    if (duck->create_config(&config) != DuckDBSuccess) {
        return dw__error_oom(err);
    }
    dw_status status = set_options(database, kind, config, err);
    char *message = NULL;
    if (status == DW_OK && duck->open_ext(NULL, out, config, &message) != DuckDBSuccess) {
        status = dw__duck_error(message, err);
    }
    if (message != NULL) {
        duck->release(message);
    }
    duck->destroy_config(&config);
    return status;
}

dw_status
dw__instance_connect(const dw_duck *duck, duckdb_database instance, duckdb_connection *out,
                     dw_error *err)
{
    *out = NULL;
    if (duck->connect(instance, out) != DuckDBSuccess) {
        return dw__error_set(err, DW_INTERNAL, "ENGINE_INTERNAL",
                             "the query engine gives no connection");
    }
    return DW_OK;
}

/* Known only once the instance is open: the zone, and keeping the footers of Parquet files (as long
 * as their time of modification tells that they are the same; it saves 0.1 ms a file). */
static const char instance_statements[] =
    "SET GLOBAL TimeZone = 'UTC'; SET GLOBAL parquet_metadata_cache = true";

/* Sorting and writing take a thread some memory each: with little of it fewer threads work, where
 * more would only fail. One thread alone does the work of two by turns: the engine's sort gives the
 * only thread all memory there is, and then fails for want of some more. */
static dw_status
limit_threads(const dw_database *database, duckdb_connection handle, dw_error *err)
{
    uint64_t count = database->memory_limit_bytes / THREAD_BYTES_MIN;
    if (count < 2 || database->thread_count == 1) {
        return dw__statement_execute(
            database->duck, handle, "SET GLOBAL threads = 2; SET GLOBAL external_threads = 2", err);
    }
    char sql[128];
    snprintf(sql, sizeof(sql),
             "SET GLOBAL threads = greatest(least(current_setting('threads')::BIGINT, %llu), 2)",
             (unsigned long long) (count > INT32_MAX ? INT32_MAX : count));
    return dw__statement_execute(database->duck, handle, sql, err);
}

typedef dw_status (*registration)(dw_database *database, duckdb_connection handle, dw_error *err);

static const registration registrations[] = {
    dw__rows_register,
    dw__stream_register,
    dw__scan_functions_register,
    dw__found_register,
    dw__variant_functions_register,
    dw__numbering_function_register,
    dw__judge_function_register,
    dw__shredding_function_register,
    dw__item_functions_register,
    dw__row_sample_register,
};

static dw_status
set_up_instance(dw_database *database, dw_instance_kind kind, duckdb_database instance,
                dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_connection handle = NULL;
    DW_TRY(dw__instance_connect(duck, instance, &handle, err));
    dw_status status = dw__statement_execute(duck, handle, instance_statements, err);
    if (status == DW_OK && kind == DW_INSTANCE_MAIN && database->memory_limit_bytes != 0) {
        status = limit_threads(database, handle, err);
    }
    size_t count = sizeof(registrations) / sizeof(registrations[0]);
    for (size_t i = 0; i < count && status == DW_OK; i++) {
        status = registrations[i](database, handle, err);
    }
    duck->disconnect(&handle);
    return status;
}

static dw_status
load_locked(dw_database *database, dw_instance_kind kind, dw_error *err)
{
    dw_instance *instance = &database->instances[kind];
    if (atomic_load(&instance->is_loaded)) {
        return DW_OK;
    }
    DW_TRY(dw__duck_load(&database->duck, err));
    if (kind == DW_INSTANCE_MAIN && database->thread_count != 1) {
        dw__planner_open_early(database);
    }
    duckdb_database opened = NULL;
    DW_TRY(dw__instance_open(database, kind, &opened, err));
    dw_status status = set_up_instance(database, kind, opened, err);
    if (status != DW_OK) {
        database->duck->close(&opened);
        return status;
    }
    instance->handle = opened;
    atomic_store(&instance->is_loaded, true);
    return DW_OK;
}

static dw_status
load(dw_database *database, dw_instance_kind kind, dw_error *err)
{
    dw_assert(kind != DW_INSTANCE_PLANNER);
    if (atomic_load(&database->instances[kind].is_loaded)) {
        return DW_OK;
    }
    pthread_mutex_lock(&database->mutex);
    dw_status status = load_locked(database, kind, err);
    pthread_mutex_unlock(&database->mutex);
    if (status != DW_OK) {
        dw__error_context(err, "loading the query engine");
    }
    return status;
}

dw_status
dw__database_load(dw_database *database, dw_error *err)
{
    return load(database, DW_INSTANCE_MAIN, err);
}

dw_str
dw__database_spill_directory(const dw_database *database)
{
    return dw__str_from(database->spill_directory);
}

bool
dw__database_is_loaded(const dw_database *database)
{
    return atomic_load(&database->instances[DW_INSTANCE_MAIN].is_loaded);
}

/* ---- Connections ----------------------------------------------------------------------------- */

/* Statements of the serial instance pass rows through: nothing in them is worth optimizing. */
static dw_status
connect(dw_database *database, dw_instance_kind kind, duckdb_connection *out, dw_error *err)
{
    const dw_duck *duck = database->duck;
    DW_TRY(dw__instance_connect(duck, database->instances[kind].handle, out, err));
    dw_status status = kind == DW_INSTANCE_SERIAL
                           ? dw__statement_execute(duck, *out, "PRAGMA disable_optimizer", err)
                           : DW_OK;
    if (status != DW_OK) {
        duck->disconnect(out);
    }
    return status;
}

dw_status
dw__instance_borrow(dw_database *database, dw_instance_kind kind, duckdb_connection *out,
                    dw_error *err)
{
    *out = NULL;
    DW_TRY(load(database, kind, err));
    dw_instance *instance = &database->instances[kind];
    pthread_mutex_lock(&database->mutex);
    if (instance->idle_count > 0) {
        *out = instance->idle[--instance->idle_count];
    }
    pthread_mutex_unlock(&database->mutex);
    if (*out != NULL) {
        return DW_OK;
    }
    return connect(database, kind, out, err);
}

void
dw__instance_return(dw_database *database, dw_instance_kind kind, duckdb_connection handle)
{
    dw_instance *instance = &database->instances[kind];
    pthread_mutex_lock(&database->mutex);
    if (instance->idle_count < DW_IDLE_CONNECTIONS_MAX) {
        instance->idle[instance->idle_count++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&database->mutex);
    if (handle != NULL) {
        database->duck->disconnect(&handle);
    }
}

dw_status
dw__database_borrow(dw_database *database, duckdb_connection *out, dw_error *err)
{
    return dw__instance_borrow(database, DW_INSTANCE_MAIN, out, err);
}

void
dw__database_return(dw_database *database, duckdb_connection handle)
{
    dw__instance_return(database, DW_INSTANCE_MAIN, handle);
}

/* ---- The database ---------------------------------------------------------------------------- */

static void
close_engine(dw_engine *engine)
{
    /* The engine lives in the database and goes with it. */
    (void) engine;
}

static size_t
turn_count(const dw_database *database)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = database->thread_count > 0 ? database->thread_count
                   : cores > 0                ? (size_t) cores
                                              : 1;
    return TURNS_PER_CORE * count;
}

dw_turns *
dw__database_turns(dw_database *database)
{
    return &database->turns;
}

dw_cache *
dw__database_cache(dw_database *database)
{
    return &database->cache;
}

/* [DATABASE-4] */
static size_t
cache_size(uint64_t memory_limit_bytes)
{
    uint64_t share = memory_limit_bytes / DW_CACHE_SHARE;
    return memory_limit_bytes == 0 || share > DW_CACHE_BYTES_MAX ? DW_CACHE_BYTES_MAX
                                                                 : (size_t) share;
}

static const dw_engine_ops engine_ops = {dw__parquet_read, dw__parquet_write, close_engine};

dw_status
dw__database_open(const dw_env *env, const dw_database_options *options, dw_database **out,
                  dw_error *err)
{
    dw_assert(options != NULL);
    *out = NULL;
    dw_database *database = DW_NEW(env->allocator, dw_database);
    if (database == NULL) {
        return dw__error_oom(err);
    }
    database->engine = (dw_engine){&engine_ops, env};
    database->env = env;
    database->memory_limit_bytes = options->memory_limit_bytes;
    database->thread_count = options->thread_count;
    if (!dw__str_is_null(options->spill_directory)) {
        database->spill_directory_size = options->spill_directory.len + 1;
        database->spill_directory = dw__alloc(env->allocator, database->spill_directory_size);
        if (database->spill_directory == NULL) {
            DW_DELETE(env->allocator, database);
            return dw__error_oom(err);
        }
        memcpy(database->spill_directory, options->spill_directory.ptr,
               options->spill_directory.len);
        database->spill_directory[options->spill_directory.len] = '\0';
    }
    dw__registry_init(&database->registry, env->allocator);
    dw__planner_init(database);
    dw__turns_init(&database->turns, env, turn_count(database));
    dw__cache_init(&database->cache, env->allocator, cache_size(options->memory_limit_bytes));
    int failed = pthread_mutex_init(&database->mutex, NULL);
    dw_assert(failed == 0);
    *out = database;
    return DW_OK;
}

static void
close_instance(const dw_duck *duck, dw_instance *instance)
{
    while (instance->idle_count > 0) {
        duck->disconnect(&instance->idle[--instance->idle_count]);
    }
    if (instance->handle != NULL) {
        duck->close(&instance->handle);
    }
}

void
dw__database_close(dw_database *database)
{
    if (database == NULL) {
        return;
    }
    dw__turns_deinit(&database->turns);
    dw__planner_deinit(database);
    for (size_t i = 0; i < DW_INSTANCE_COUNT; i++) {
        close_instance(database->duck, &database->instances[i]);
        dw__shredders_free(database, &database->instances[i]);
    }
    dw__registry_deinit(&database->registry);
    dw__cache_deinit(&database->cache);
    pthread_mutex_destroy(&database->mutex);
    dw__dealloc(database->env->allocator, database->spill_directory,
                database->spill_directory_size);
    DW_DELETE(database->env->allocator, database);
}

dw_engine *
dw__database_engine(dw_database *database)
{
    return &database->engine;
}
