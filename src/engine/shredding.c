/*
 * See shredding.h.
 */
#include "engine/shredding.h"

#include "base/assert.h"
#include "base/vec.h"
#include "engine/functions.h"
#include "engine/shredder.h"
#include "engine/variant_vectors.h"

#include <inttypes.h>

#define FUNCTION "dw__shred_look"

struct dw_shredding {
    dw_entry entry;
    const dw_env *env;
    pthread_mutex_t mutex; /* guards the looks while statements run */
    dw_shred_look **looks;
    size_t count;
};

/* ---- The function that looks ----------------------------------------------------------------- */

typedef struct look_input {
    duckdb_vector columns; /* the number of the column, in each row */
    duckdb_vector variants, metadata, value;
    idx_t row_count;
} look_input;

static dw_status
look_at(const dw_duck *duck, const dw_shredding *shredding, const look_input *rows,
        dw_variant_writer *writer, dw_error *err)
{
    const int32_t *columns = duck->vector_get_data(rows->columns);
    for (idx_t row = 0; row < rows->row_count; row++) {
        if (!dw__duck_is_valid(duck, rows->variants, row)) {
            continue;
        }
        dw_assert((size_t) columns[row] < shredding->count);
        DW_TRY(dw__variant_write(writer, dw__duck_bytes_at(duck, rows->metadata, row),
                                 dw__duck_bytes_at(duck, rows->value, row), err));
        DW_TRY(dw__shred_look_add(shredding->looks[columns[row]], dw__strbuf_str(&writer->metadata),
                                  dw__strbuf_str(&writer->value), err));
    }
    return DW_OK;
}

static void
look_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    dw_shredding *shredding = duck->scalar_function_get_bind_data(info);
    dw_assert(shredding != NULL);
    duckdb_vector variants = duck->data_chunk_get_vector(input, 2);
    const look_input rows = {.columns = duck->data_chunk_get_vector(input, 1),
                             .variants = variants,
                             .metadata = duck->struct_vector_get_child(variants, 0),
                             .value = duck->struct_vector_get_child(variants, 1),
                             .row_count = duck->data_chunk_get_size(input)};
    dw_error err = DW_ERROR_INIT;
    dw_variant_writer writer = dw__variant_writer_make(shredding->env->allocator);
    pthread_mutex_lock(&shredding->mutex);
    dw_status status = look_at(duck, shredding, &rows, &writer, &err);
    pthread_mutex_unlock(&shredding->mutex);
    dw__variant_writer_deinit(&writer);
    if (status != DW_OK) {
        dw__function_fail(duck, info, &err);
    }
    memset(duck->vector_get_data(output), 0, rows.row_count * sizeof(bool));
}

static void
bind_look(duckdb_bind_info info)
{
    dw__bind_scalar_entry(info, DW_ENTRY_SHREDDING,
                          "expected the number of a bound look at variants, found another");
}

dw_status
dw__shredding_function_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_logical_type types[] = {duck->create_logical_type(DUCKDB_TYPE_BIGINT),
                                   duck->create_logical_type(DUCKDB_TYPE_INTEGER),
                                   dw__variant_parts_type(duck, DW_PARQUET_VARIANT),
                                   duck->create_logical_type(DUCKDB_TYPE_BOOLEAN)};
    enum { RESULT = 3, TYPE_COUNT = 4 };
    duckdb_scalar_function function = duck->create_scalar_function();
    duck->scalar_function_set_name(function, FUNCTION);
    for (size_t i = 0; i < RESULT; i++) {
        duck->scalar_function_add_parameter(function, types[i]);
    }
    duck->scalar_function_set_return_type(function, types[RESULT]);
    duck->scalar_function_set_extra_info(function, database, NULL);
    duck->scalar_function_set_bind(function, bind_look);
    duck->scalar_function_set_function(function, look_function);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        duck->destroy_logical_type(&types[i]);
    }
    return dw__scalar_function_finish(duck, handle, function, FUNCTION, err);
}

/* ---- Binding --------------------------------------------------------------------------------- */

static void
destroy_shredding(dw_entry *entry)
{
    dw_shredding *shredding = (dw_shredding *) entry;
    const dw_allocator *allocator = shredding->env->allocator;
    for (size_t i = 0; i < shredding->count; i++) {
        dw__shred_look_free(shredding->looks[i]);
    }
    dw__dealloc(allocator, shredding->looks, shredding->count * sizeof(*shredding->looks));
    pthread_mutex_destroy(&shredding->mutex);
    DW_DELETE(allocator, shredding);
}

static dw_status
make_looks(dw_shredding *shredding, size_t count, dw_error *err)
{
    const dw_allocator *allocator = shredding->env->allocator;
    shredding->looks = dw__alloc_zero(allocator, count * sizeof(*shredding->looks));
    if (shredding->looks == NULL) {
        return dw__error_oom(err);
    }
    shredding->count = count;
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__shred_look_new(allocator, &shredding->looks[i], err));
    }
    return DW_OK;
}

dw_status
dw__connection_bind_shredding(dw_connection *connection, size_t count, dw_shredding **out,
                              dw_error *err)
{
    dw_assert(count > 0);
    *out = NULL;
    DW_TRY(dw__database_load(connection->database, err));
    dw_shredding *shredding = DW_NEW(connection->env->allocator, dw_shredding);
    if (shredding == NULL) {
        return dw__error_oom(err);
    }
    shredding->entry = (dw_entry){.kind = DW_ENTRY_SHREDDING, .destroy = destroy_shredding};
    shredding->env = connection->env;
    int failed = pthread_mutex_init(&shredding->mutex, NULL);
    dw_assert(failed == 0);
    dw_status status = make_looks(shredding, count, err);
    if (status == DW_OK) {
        status = dw__registry_add(&connection->database->registry, &shredding->entry, err);
    }
    if (status != DW_OK) {
        destroy_shredding(&shredding->entry);
        return status;
    }
    *out = shredding;
    return DW_OK;
}

void
dw__connection_unbind_shredding(dw_connection *connection, dw_shredding *shredding)
{
    if (shredding != NULL) {
        dw__registry_remove(&connection->database->registry, &shredding->entry);
    }
}

void
dw__shredding_print(const dw_shredding *shredding, size_t column, dw_str value, dw_strbuf *out)
{
    dw__strbuf_printf(out,
                      FUNCTION "(%" PRId64 ", %zu, CASE WHEN %.*s IS NOT NULL THEN "
                               "variant_to_parquet_variant(%.*s) END)",
                      shredding->entry.id, column, DW_STR_ARG(value), DW_STR_ARG(value));
}

const dw_shred_look *
dw__shredding_look(const dw_shredding *shredding, size_t column)
{
    dw_assert(column < shredding->count);
    return shredding->looks[column];
}

/* ---- Shredders ------------------------------------------------------------------------------- */

static dw_instance_kind
instance_of(const dw_connection *connection)
{
    return connection->is_borrowed ? DW_INSTANCE_SERIAL : DW_INSTANCE_MAIN;
}

/* The null string: there is none. Under the database's lock, as the next. */
static dw_str
find_shredder(const dw_instance *instance, dw_str key)
{
    for (size_t i = 0; i < instance->shredders.count; i++) {
        const dw_shredder *shredder = instance->shredders.items[i];
        if (shredder != NULL && dw__str_equal(shredder->key, key)) {
            return shredder->name;
        }
    }
    return DW_STR_NULL;
}

/* A number for a new one, whose place stays empty if it cannot be made; DW_SHREDDERS_MAX: there are
 * as many. */
static dw_status
take_number(dw_database *database, dw_instance *instance, size_t *out, dw_error *err)
{
    *out = instance->shredders.count;
    if (*out < DW_SHREDDERS_MAX &&
        DW_VEC_PUSH(database->env->allocator, &instance->shredders) == NULL) {
        return dw__error_oom(err);
    }
    return DW_OK;
}

/* Two threads that need the same at once make it twice, which does no harm. */
static dw_status
add_shredder(dw_connection *connection, const dw_shred_type *type, size_t number, dw_str *name_out,
             dw_error *err)
{
    dw_database *database = connection->database;
    dw_instance_kind kind = instance_of(connection);
    duckdb_connection handle = NULL;
    dw_shredder *shredder = NULL;
    DW_TRY(dw__instance_borrow(database, kind, &handle, err));
    dw_status status = dw__shredder_new(database, handle, type, number, &shredder, err);
    dw__instance_return(database, kind, handle);
    DW_TRY(status);
    pthread_mutex_lock(&database->mutex);
    database->instances[kind].shredders.items[number] = shredder;
    pthread_mutex_unlock(&database->mutex);
    *name_out = shredder->name;
    return DW_OK;
}

dw_status
dw__connection_shredder(dw_connection *connection, const dw_shred_type *type, dw_arena *arena,
                        dw_str *name_out, dw_error *err)
{
    dw_database *database = connection->database;
    dw_instance *instance = &database->instances[instance_of(connection)];
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    size_t number = DW_SHREDDERS_MAX;
    dw_status status = DW_OK;
    dw__shredder_print_key(type, &key);
    DW_TRY(dw__strbuf_ok(&key, "a type", err));
    pthread_mutex_lock(&database->mutex);
    dw_str name = find_shredder(instance, dw__strbuf_str(&key));
    if (dw__str_is_null(name)) {
        status = take_number(database, instance, &number, err);
    }
    pthread_mutex_unlock(&database->mutex);
    DW_TRY(status);
    if (number < DW_SHREDDERS_MAX) {
        DW_TRY(add_shredder(connection, type, number, &name, err));
    }
    *name_out = DW_STR_NULL;
    return dw__str_is_null(name) || dw__arena_dup(arena, name, name_out) ? DW_OK
                                                                         : dw__error_oom(err);
}

void
dw__shredders_free(dw_database *database, dw_instance *instance)
{
    for (size_t i = 0; i < instance->shredders.count; i++) {
        if (instance->shredders.items[i] != NULL) {
            dw__shredder_free(instance->shredders.items[i]);
        }
    }
    DW_VEC_DEINIT(database->env->allocator, &instance->shredders);
}
