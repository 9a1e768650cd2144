/*
 * Rows that were found before the statement runs, as a table function: at most a chunk of them,
 * which lie in the memory of who found them until the name is unbound. [REGISTRY-1]
 */
#include "base/assert.h"
#include "engine/bindings.h"
#include "engine/functions.h"
#include "engine/vector_fill.h"

#define FOUND_FUNCTION "dw__found"

typedef struct found_entry {
    dw_entry entry;
    const dw_env *env;
    const dw_column_spec *columns;
    size_t column_count;
    dw_batch rows;
} found_entry;

static void
destroy_found(dw_entry *entry)
{
    found_entry *found = (found_entry *) entry;
    DW_DELETE(found->env->allocator, found);
}

static void
found_bind(duckdb_bind_info info)
{
    const found_entry *found = (found_entry *) dw__bind_entry(info, DW_ENTRY_FOUND);
    if (found != NULL) {
        (void) dw__vector_bind_columns(info, found->columns, found->column_count);
    }
}

static void
release_flag(void *flag)
{
    dw__dealloc(dw__allocator_libc(), flag, sizeof(bool));
}

/* Each run of the function gives the rows once, and its init data is what it gave. */
static void
found_init(duckdb_init_info info)
{
    const dw_duck *duck = dw__duck_loaded();
    bool *is_given = dw__alloc_zero(dw__allocator_libc(), sizeof(*is_given));
    if (is_given == NULL) {
        duck->init_set_error(info, "out of memory");
        return;
    }
    duck->init_set_max_threads(info, 1);
    duck->init_set_init_data(info, is_given, release_flag);
}

static void
found_function(duckdb_function_info info, duckdb_data_chunk output)
{
    const dw_duck *duck = dw__duck_loaded();
    const found_entry *found = duck->function_get_bind_data(info);
    bool *is_given = duck->function_get_init_data(info);
    duck->data_chunk_set_size(output, 0);
    dw_error err = DW_ERROR_INIT;
    if (!*is_given && dw__vector_fill(duck, &found->rows, found->columns, found->column_count,
                                      output, &err) != DW_OK) {
        duck->function_set_error(info, err.message);
    }
    *is_given = true;
}

dw_status
dw__found_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_table_function_spec spec = {FOUND_FUNCTION, found_bind, found_init,
                                                found_function};
    return dw__table_function_register(database, handle, &spec, err);
}

static dw_status
make_entry(dw_connection *connection, const dw_column_spec *columns, size_t column_count,
           const dw_batch *rows, found_entry **out, dw_error *err)
{
    *out = NULL;
    DW_TRY(dw__database_load(connection->database, err));
    found_entry *found = DW_NEW(connection->env->allocator, found_entry);
    if (found == NULL) {
        return dw__error_oom(err);
    }
    found->entry = (dw_entry){.kind = DW_ENTRY_FOUND, .destroy = destroy_found};
    found->env = connection->env;
    found->columns = columns;
    found->column_count = column_count;
    found->rows = *rows;
    *out = found;
    return DW_OK;
}

dw_status
dw__connection_inline_rows(dw_connection *connection, dw_str name, const dw_column_spec *columns,
                           size_t column_count, const dw_batch *rows, dw_strbuf *sql_out,
                           dw_error *err)
{
    found_entry *found;
    DW_TRY(make_entry(connection, columns, column_count, rows, &found, err));
    dw_registry *registry = &connection->database->registry;
    dw_status status = dw__registry_add(registry, &found->entry, err);
    if (status != DW_OK) {
        destroy_found(&found->entry);
        return status;
    }
    dw__strbuf_printf(sql_out, "(SELECT * FROM " FOUND_FUNCTION "(%lld))",
                      (long long) found->entry.id);
    status = dw__strbuf_ok(sql_out, "the rows of a table", err);
    if (status == DW_OK) {
        status = dw__binding_remember(connection, name, &found->entry, err);
    }
    if (status != DW_OK) {
        dw__registry_remove(registry, &found->entry);
    }
    return status;
}
