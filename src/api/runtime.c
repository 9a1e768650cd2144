/*
 * The runtime handle.
 */
#include "api/handles.h"
#include "api/lineage.h"
#include "api/options.h"
#include "lineage/emitter.h"

static dw_status
runtime_init(dw_runtime *runtime, const dw_runtime_options *options, dw_error *err)
{
    dw_database_options database = {.spill_directory = DW_STR_NULL};
    dw_str warehouse = DW_STR(".");
    if (DW_HAS_OPTION(options, memory_limit_bytes)) {
        database.memory_limit_bytes = options->memory_limit_bytes;
    }
    if (DW_HAS_OPTION(options, thread_count)) {
        database.thread_count = options->thread_count;
    }
    if (DW_HAS_OPTION(options, spill_directory)) {
        database.spill_directory = dw__str_from(options->spill_directory);
    }
    if (DW_HAS_OPTION(options, warehouse) && options->warehouse != NULL) {
        warehouse = dw__str_from(options->warehouse);
    }
    DW_TRY(dw__database_open(&runtime->env, &database, &runtime->database, err));
    DW_TRY(dw__catalog_open(&runtime->env, runtime->database, warehouse, &runtime->catalog, err));
    DW_TRY(dw__runtime_set_lineage(runtime, err));
    if (DW_HAS_OPTION(options, audit) && options->audit != NULL) {
        dw_audit *audit;
        DW_TRY(dw__options_audit(&runtime->env, options->audit, &audit, err));
        dw__catalog_adopt_audit(runtime->catalog, audit);
    }
    if (DW_HAS_OPTION(options, state_directory) && options->state_directory != NULL) {
        return dw__catalog_count_use(runtime->catalog, dw__str_from(options->state_directory), err);
    }
    return DW_OK;
}

dw_status
dw_runtime_open(const dw_runtime_options *options, dw_runtime **out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    dw_env env = dw__env_system();
    dw_runtime *runtime = DW_NEW(env.allocator, dw_runtime);
    if (runtime == NULL) {
        return dw__error_oom(err);
    }
    runtime->env = env;
    dw_status status = runtime_init(runtime, options, err);
    if (status != DW_OK) {
        dw_runtime_close(runtime);
        return status;
    }
    *out = runtime;
    return DW_OK;
}

void
dw_runtime_close(dw_runtime *runtime)
{
    if (runtime == NULL) {
        return;
    }
    dw__emitter_close(runtime->emitter);
    dw__catalog_close(runtime->catalog);
    dw__database_close(runtime->database);
    const dw_allocator *allocator = runtime->env.allocator;
    DW_DELETE(allocator, runtime);
}
