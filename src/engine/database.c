/*
 * The instance of the engine: opened at its first use, with its settings, and a few connections of
 * its own for statements that no session sees. [ENGINE-1] [INTERNAL-1]
 */
#include "base/assert.h"
#include "engine/internal.h"

#include <stdio.h>

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
        snprintf(text, sizeof(text), "%lluB", (unsigned long long) database->memory_limit_bytes);
        DW_TRY(set_option(duck, config, "memory_limit", text, err));
    }
    if (database->thread_count != 0) {
        snprintf(text, sizeof(text), "%u", database->thread_count);
        DW_TRY(set_option(duck, config, "threads", text, err));
    }
    if (database->spill_directory != NULL) {
        DW_TRY(set_option(duck, config, "temp_directory", database->spill_directory, err));
    }
    return DW_OK;
}

static dw_status
set_options(const dw_database *database, bool is_planner, duckdb_config config, dw_error *err)
{
    const dw_duck *duck = database->duck;
    for (size_t i = 0; i < sizeof(instance_settings) / sizeof(instance_settings[0]); i++) {
        DW_TRY(set_option(duck, config, instance_settings[i][0], instance_settings[i][1], err));
    }
    /* Plans are made by the thread that asks for them. */
    return is_planner ? set_option(duck, config, "threads", "1", err)
                      : set_user_options(database, config, err);
}

dw_status
dw__instance_open(const dw_database *database, bool is_planner, duckdb_database *out, dw_error *err)
{
    const dw_duck *duck = database->duck;
    *out = NULL;
    duckdb_config config = NULL;
    if (duck->create_config(&config) != DuckDBSuccess) {
        return dw__error_oom(err);
    }
    dw_status status = set_options(database, is_planner, config, err);
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

static dw_status
set_up_instance(dw_database *database, duckdb_database instance, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_connection handle = NULL;
    DW_TRY(dw__instance_connect(duck, instance, &handle, err));
    dw_status status = dw__statement_execute(duck, handle, instance_statements, err);
    if (status == DW_OK) {
        status = dw__rows_register(database, handle, err);
    }
    if (status == DW_OK) {
        status = dw__stream_register(database, handle, err);
    }
    if (status == DW_OK) {
        status = dw__scan_functions_register(database, handle, err);
    }
    if (status != DW_OK) {
        duck->disconnect(&handle);
        return status;
    }
    database->idle[database->idle_count++] = handle;
    return DW_OK;
}

static dw_status
load_locked(dw_database *database, dw_error *err)
{
    if (atomic_load(&database->is_loaded)) {
        return DW_OK;
    }
    DW_TRY(dw__duck_load(&database->duck, err));
    duckdb_database instance = NULL;
    DW_TRY(dw__instance_open(database, false, &instance, err));
    dw_status status = set_up_instance(database, instance, err);
    if (status != DW_OK) {
        database->duck->close(&instance);
        return status;
    }
    database->instance = instance;
    atomic_store(&database->is_loaded, true);
    return DW_OK;
}

dw_status
dw__database_load(dw_database *database, dw_error *err)
{
    if (atomic_load(&database->is_loaded)) {
        return DW_OK;
    }
    pthread_mutex_lock(&database->mutex);
    dw_status status = load_locked(database, err);
    pthread_mutex_unlock(&database->mutex);
    if (status != DW_OK) {
        dw__error_context(err, "loading the query engine");
    }
    return status;
}

bool
dw__database_is_loaded(const dw_database *database)
{
    return atomic_load(&database->is_loaded);
}

dw_status
dw__database_borrow(dw_database *database, duckdb_connection *out, dw_error *err)
{
    *out = NULL;
    DW_TRY(dw__database_load(database, err));
    pthread_mutex_lock(&database->mutex);
    if (database->idle_count > 0) {
        *out = database->idle[--database->idle_count];
    }
    pthread_mutex_unlock(&database->mutex);
    if (*out != NULL) {
        return DW_OK;
    }
    return dw__instance_connect(database->duck, database->instance, out, err);
}

void
dw__database_return(dw_database *database, duckdb_connection handle)
{
    pthread_mutex_lock(&database->mutex);
    if (database->idle_count < DW_IDLE_CONNECTIONS_MAX) {
        database->idle[database->idle_count++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&database->mutex);
    if (handle != NULL) {
        database->duck->disconnect(&handle);
    }
}

static void
close_engine(dw_engine *engine)
{
    /* The engine lives in the database and goes with it. */
    (void) engine;
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
    int failed = pthread_mutex_init(&database->mutex, NULL);
    dw_assert(failed == 0);
    *out = database;
    return DW_OK;
}

void
dw__database_close(dw_database *database)
{
    if (database == NULL) {
        return;
    }
    dw__planner_deinit(database);
    while (database->idle_count > 0) {
        database->duck->disconnect(&database->idle[--database->idle_count]);
    }
    if (database->instance != NULL) {
        database->duck->close(&database->instance);
    }
    dw__registry_deinit(&database->registry);
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
