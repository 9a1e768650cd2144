/*
 * Functions that make items of bloom filters (codec/bloom.h) of the values of columns: one for each
 * way in which the engine holds values. They return NULL for NULL.
 */
#include "codec/bloom.h"
#include "engine/functions.h"

typedef void (*item_loop)(const dw_duck *duck, void *data, idx_t count, uint64_t *out);

/* Values behind NULLs are hashed, too: they are some value of the type, and nobody looks. */
#define ITEM_LOOP(name, type, item)                                                                \
    static void name(const dw_duck *duck, void *data, idx_t count, uint64_t *out)                  \
    {                                                                                              \
        (void) duck;                                                                               \
        for (idx_t i = 0; i < count; i++) {                                                        \
            out[i] = item(((const type *) data)[i]);                                               \
        }                                                                                          \
    }

ITEM_LOOP(hash_i32, int32_t, dw__item_of_i32)
ITEM_LOOP(hash_i64, int64_t, dw__item_of_i64)
ITEM_LOOP(hash_float, float, dw__item_of_float)
ITEM_LOOP(hash_double, double, dw__item_of_double)

static void
hash_i128(const dw_duck *duck, void *data, idx_t count, uint64_t *out)
{
    (void) duck;
    const duckdb_hugeint *values = data;
    for (idx_t i = 0; i < count; i++) {
        out[i] = dw__item_of_i128((dw_i128) values[i].upper * ((dw_i128) 1 << 64) +
                                  (dw_i128) values[i].lower);
    }
}

static void
hash_text(const dw_duck *duck, duckdb_vector vector, idx_t count, uint64_t *out)
{
    duckdb_string_t *texts = duck->vector_get_data(vector);
    const uint64_t *validity = duck->vector_get_validity(vector);
    for (idx_t i = 0; i < count; i++) {
        bool is_valid = validity == NULL || (validity[i / 64] >> (i % 64) & 1) != 0;
        out[i] = !is_valid ? 0
                           : dw__xxhash64(dw__str_make(duck->string_t_data(&texts[i]),
                                                       duck->string_t_length(texts[i])),
                                          0);
    }
}

static void
copy_nulls(const dw_duck *duck, duckdb_vector from, idx_t count, duckdb_vector to)
{
    const uint64_t *validity = duck->vector_get_validity(from);
    if (validity != NULL) {
        duck->vector_ensure_validity_writable(to);
        memcpy(duck->vector_get_validity(to), validity, (count + 63) / 64 * sizeof *validity);
    }
}

static void
run(duckdb_data_chunk input, duckdb_vector output, item_loop loop)
{
    const dw_duck *duck = dw__duck_loaded();
    duckdb_vector values = duck->data_chunk_get_vector(input, 0);
    idx_t count = duck->data_chunk_get_size(input);
    uint64_t *out = duck->vector_get_data(output);
    if (loop == NULL) {
        hash_text(duck, values, count, out);
    } else {
        loop(duck, duck->vector_get_data(values), count, out);
    }
    copy_nulls(duck, values, count, output);
}

#define ITEM_FUNCTION(name, loop)                                                                  \
    static void name(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)     \
    {                                                                                              \
        (void) info;                                                                               \
        run(input, output, loop);                                                                  \
    }

ITEM_FUNCTION(item_i32, hash_i32)
ITEM_FUNCTION(item_i64, hash_i64)
ITEM_FUNCTION(item_i128, hash_i128)
ITEM_FUNCTION(item_float, hash_float)
ITEM_FUNCTION(item_double, hash_double)
ITEM_FUNCTION(item_text, NULL)

dw_status
dw__item_functions_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const struct {
        const char *name;
        duckdb_type type;
        duckdb_scalar_function_t run;
    } items[] = {
        {"dw__item_i32", DUCKDB_TYPE_INTEGER, item_i32},
        {"dw__item_i64", DUCKDB_TYPE_BIGINT, item_i64},
        {"dw__item_i128", DUCKDB_TYPE_HUGEINT, item_i128},
        {"dw__item_float", DUCKDB_TYPE_FLOAT, item_float},
        {"dw__item_double", DUCKDB_TYPE_DOUBLE, item_double},
        {"dw__item_date", DUCKDB_TYPE_DATE, item_i32},
        {"dw__item_time", DUCKDB_TYPE_TIMESTAMP, item_i64},
        {"dw__item_instant", DUCKDB_TYPE_TIMESTAMP_TZ, item_i64},
        {"dw__item_text", DUCKDB_TYPE_VARCHAR, item_text},
        {"dw__item_bytes", DUCKDB_TYPE_BLOB, item_text},
    };
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        dw_scalar_function_spec spec = {.name = items[i].name,
                                        .parameters = {items[i].type},
                                        .returns = DUCKDB_TYPE_UBIGINT,
                                        .run = items[i].run};
        DW_TRY(dw__scalar_function_register(database, handle, &spec, err));
    }
    return DW_OK;
}
