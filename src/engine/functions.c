/*
 * Functions over registered entries.
 */
#include "engine/functions.h"

static void
release_entry(void *entry)
{
    dw__entry_unref(entry);
}

dw_entry *
dw__bind_entry(duckdb_bind_info info, dw_entry_kind kind)
{
    const dw_duck *duck = dw__duck_loaded();
    dw_database *database = duck->bind_get_extra_info(info);
    duckdb_value argument = duck->bind_get_parameter(info, 0);
    int64_t id = duck->get_int64(argument);
    duck->destroy_value(&argument);
    dw_entry *entry = dw__registry_find(&database->registry, kind, id);
    if (entry == NULL) {
        duck->bind_set_error(info, "expected the number of a bound source, found another");
        return NULL;
    }
    duck->bind_set_bind_data(info, entry, release_entry);
    return entry;
}

static void *
copy_bound(void *entry)
{
    return dw__entry_ref(entry);
}

/* The value of the first argument, which must be a constant. */
static bool
fold_number(const dw_duck *duck, duckdb_bind_info info, int64_t *out)
{
    duckdb_expression argument = duck->scalar_function_bind_get_argument(info, 0);
    duckdb_client_context context = NULL;
    duck->scalar_function_get_client_context(info, &context);
    bool is_found = false;
    if (duck->expression_is_foldable(argument)) {
        duckdb_value value = NULL;
        duckdb_error_data failure = duck->expression_fold(context, argument, &value);
        is_found = failure == NULL && value != NULL && !duck->is_null_value(value);
        if (is_found) {
            *out = duck->get_int64(value);
        }
        duck->destroy_value(&value);
        duck->destroy_error_data(&failure);
    }
    duck->destroy_client_context(&context);
    duck->destroy_expression(&argument);
    return is_found;
}

void
dw__bind_scalar_entry(duckdb_bind_info info, dw_entry_kind kind, const char *message)
{
    const dw_duck *duck = dw__duck_loaded();
    dw_database *database = duck->scalar_function_bind_get_extra_info(info);
    int64_t id = 0;
    dw_entry *entry = NULL;
    if (fold_number(duck, info, &id)) {
        entry = dw__registry_find(&database->registry, kind, id);
    }
    if (entry == NULL) {
        duck->scalar_function_bind_set_error(info, message);
        return;
    }
    duck->scalar_function_set_bind_data(info, entry, release_entry);
    duck->scalar_function_set_bind_data_copy(info, copy_bound);
}

static void
init_single(duckdb_init_info info)
{
    dw__duck_loaded()->init_set_max_threads(info, 1);
}

dw_status
dw__table_function_register(dw_database *database, duckdb_connection handle,
                            const dw_table_function_spec *spec, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_table_function function = duck->create_table_function();
    duckdb_logical_type type = duck->create_logical_type(DUCKDB_TYPE_BIGINT);
    duck->table_function_set_name(function, spec->name);
    duck->table_function_add_parameter(function, type);
    duck->table_function_set_extra_info(function, database, NULL);
    duck->table_function_set_bind(function, spec->bind);
    duck->table_function_set_init(function, spec->init == NULL ? init_single : spec->init);
    duck->table_function_set_function(function, spec->function);
    duckdb_state state = duck->register_table_function(handle, function);
    duck->destroy_logical_type(&type);
    duck->destroy_table_function(&function);
    if (state != DuckDBSuccess) {
        return dw__error_set(err, DW_INTERNAL, "ENGINE_INTERNAL",
                             "the query engine refuses the function %s", spec->name);
    }
    return DW_OK;
}
