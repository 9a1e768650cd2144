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

/* ---- Scalar functions ------------------------------------------------------------------------ */

static void
add_parameters(const dw_duck *duck, const dw_scalar_function_spec *spec,
               duckdb_scalar_function function)
{
    for (size_t i = 0; i < DW_SCALAR_PARAMETERS_MAX && spec->parameters[i] != DUCKDB_TYPE_INVALID;
         i++) {
        duckdb_logical_type type = duck->create_logical_type(spec->parameters[i]);
        duck->scalar_function_add_parameter(function, type);
        duck->destroy_logical_type(&type);
    }
    if (spec->others != DUCKDB_TYPE_INVALID) {
        duckdb_logical_type type = duck->create_logical_type(spec->others);
        duck->scalar_function_set_varargs(function, type);
        duck->destroy_logical_type(&type);
    }
}

static void
set_return_type(const dw_duck *duck, const dw_scalar_function_spec *spec,
                duckdb_scalar_function function)
{
    duckdb_logical_type element = duck->create_logical_type(spec->returns);
    duckdb_logical_type list = duck->create_list_type(element);
    duck->scalar_function_set_return_type(function, spec->returns_list ? list : element);
    duck->destroy_logical_type(&list);
    duck->destroy_logical_type(&element);
}

dw_status
dw__scalar_function_register(dw_database *database, duckdb_connection handle,
                             const dw_scalar_function_spec *spec, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_scalar_function function = duck->create_scalar_function();
    duck->scalar_function_set_name(function, spec->name);
    add_parameters(duck, spec, function);
    set_return_type(duck, spec, function);
    if (spec->is_volatile) {
        duck->scalar_function_set_volatile(function);
    }
    if (spec->bind != NULL) {
        duck->scalar_function_set_bind(function, spec->bind);
    }
    duck->scalar_function_set_extra_info(function, database, NULL);
    duck->scalar_function_set_function(function, spec->run);
    return dw__scalar_function_finish(duck, handle, function, spec->name, err);
}

dw_status
dw__scalar_function_finish(const dw_duck *duck, duckdb_connection handle,
                           duckdb_scalar_function function, const char *name, dw_error *err)
{
    duckdb_state state = duck->register_scalar_function(handle, function);
    duck->destroy_scalar_function(&function);
    if (state != DuckDBSuccess) {
        return dw__error_set(err, DW_INTERNAL, "ENGINE_INTERNAL",
                             "the query engine refuses the function %s", name);
    }
    return DW_OK;
}

duckdb_logical_type
dw__variant_parts_type(const dw_duck *duck, const char *type_name)
{
    const char *names[] = {"metadata", "value"};
    duckdb_logical_type blob = duck->create_logical_type(DUCKDB_TYPE_BLOB);
    duckdb_logical_type members[] = {blob, blob};
    duckdb_logical_type both = duck->create_struct_type(members, names, 2);
    if (type_name != NULL) {
        duck->logical_type_set_alias(both, type_name);
    }
    duck->destroy_logical_type(&blob);
    return both;
}
