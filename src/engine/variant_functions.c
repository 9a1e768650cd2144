/*
 * Variants on their way into files: what the engine makes of them, as readers demand it; and
 * parse_json, try_parse_json as Spark has them. The engine makes NULL of a variant that is JSON's
 * null as a whole wherever it makes one; dw__variant_null() is one that stays.
 */
#include "base/assert.h"
#include "codec/variant.h"
#include "engine/functions.h"
#include "engine/variant_vectors.h"

/* ---- Into files ------------------------------------------------------------------------------ */

/* The two parts of a chunk of variants. */
typedef struct part_vectors {
    duckdb_vector metadata, value;
} part_vectors;

static part_vectors
parts_of(const dw_duck *duck, duckdb_vector both)
{
    return (part_vectors){duck->struct_vector_get_child(both, 0),
                          duck->struct_vector_get_child(both, 1)};
}

static dw_status
write_rows(const dw_duck *duck, duckdb_vector input, idx_t row_count, duckdb_vector output,
           dw_variant_writer *writer, dw_error *err)
{
    part_vectors from = parts_of(duck, input), to = parts_of(duck, output);
    for (idx_t row = 0; row < row_count; row++) {
        if (!dw__duck_is_valid(duck, input, row)) {
            dw__duck_set_null(duck, output, row);
            dw__duck_set_null(duck, to.metadata, row);
            dw__duck_set_null(duck, to.value, row);
            continue;
        }
        DW_TRY(dw__variant_write(writer, dw__duck_bytes_at(duck, from.metadata, row),
                                 dw__duck_bytes_at(duck, from.value, row), err));
        duck->unsafe_vector_assign_string_element_len(to.metadata, row, writer->metadata.ptr,
                                                      writer->metadata.len);
        duck->unsafe_vector_assign_string_element_len(to.value, row, writer->value.ptr,
                                                      writer->value.len);
    }
    return DW_OK;
}

static void
variant_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_database *database = duck->scalar_function_get_extra_info(info);
    dw_error err = DW_ERROR_INIT;
    dw_variant_writer writer = dw__variant_writer_make(database->env->allocator);
    if (write_rows(duck, duck->data_chunk_get_vector(input, 0), duck->data_chunk_get_size(input),
                   output, &writer, &err) != DW_OK) {
        dw__function_fail(duck, info, &err);
    }
    dw__variant_writer_deinit(&writer);
}

/* ---- JSON's null ----------------------------------------------------------------------------- */

/* The members of a variant as the engine holds it. */
enum { MEMBER_KEYS, MEMBER_CHILDREN, MEMBER_VALUES, MEMBER_DATA };
enum { TYPE_NULL = 0 };

static void
empty_list(const dw_duck *duck, duckdb_vector vector, idx_t row, idx_t first, idx_t count)
{
    duckdb_list_entry *entries = duck->vector_get_data(vector);
    entries[row] = (duckdb_list_entry){first, count};
}

/* The engine's own functions make NULL of a variant that is JSON's null as a whole, and so does its
 * reader; this one makes what the engine has for it inside of arrays, for where it is kept. */
static void
null_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    idx_t row_count = duck->data_chunk_get_size(input);
    duckdb_vector keys = duck->struct_vector_get_child(output, MEMBER_KEYS);
    duckdb_vector children = duck->struct_vector_get_child(output, MEMBER_CHILDREN);
    duckdb_vector values = duck->struct_vector_get_child(output, MEMBER_VALUES);
    duckdb_vector data = duck->struct_vector_get_child(output, MEMBER_DATA);
    if (duck->list_vector_reserve(values, row_count) != DuckDBSuccess ||
        duck->list_vector_set_size(values, row_count) != DuckDBSuccess ||
        duck->list_vector_set_size(keys, 0) != DuckDBSuccess ||
        duck->list_vector_set_size(children, 0) != DuckDBSuccess) {
        duck->scalar_function_set_error(info, "out of memory");
        return;
    }
    duckdb_vector value = duck->list_vector_get_child(values);
    uint8_t *types = duck->vector_get_data(duck->struct_vector_get_child(value, 0));
    uint32_t *offsets = duck->vector_get_data(duck->struct_vector_get_child(value, 1));
    for (idx_t row = 0; row < row_count; row++) {
        empty_list(duck, keys, row, 0, 0);
        empty_list(duck, children, row, 0, 0);
        empty_list(duck, values, row, row, 1);
        types[row] = TYPE_NULL;
        offsets[row] = 0;
        duck->unsafe_vector_assign_string_element_len(data, row, "", 0);
    }
}

/* ---- From JSON ------------------------------------------------------------------------------- */

/* Both parts behind one another, as the engine's variant_bytes_to_variant takes them. */
static dw_status
parse_rows(const dw_duck *duck, duckdb_vector input, idx_t row_count, duckdb_vector output,
           bool is_lenient, dw_variant_writer *writer, dw_error *err)
{
    dw_json_parser parser = dw__json_parser_make(writer->value.allocator);
    DW_AUTO(dw_strbuf) both = dw__strbuf_make(writer->value.allocator, 2 * DW_VARIANT_BYTES_MAX);
    dw_status status = DW_OK;
    for (idx_t row = 0; row < row_count && status == DW_OK; row++) {
        bool is_there = dw__duck_is_valid(duck, input, row);
        if (is_there) {
            dw_str text = dw__duck_bytes_at(duck, input, row);
            status = dw__variant_write_json(writer, &parser, text, err);
            is_there = status == DW_OK;
            status = is_lenient && status == DW_INVALID_ARGUMENT ? DW_OK : status;
        }
        if (!is_there) {
            dw__duck_set_null(duck, output, row);
            continue;
        }
        dw__strbuf_clear(&both);
        dw__strbuf_append(&both, dw__strbuf_str(&writer->metadata));
        dw__strbuf_append(&both, dw__strbuf_str(&writer->value));
        status = dw__strbuf_ok(&both, "a variant", err);
        duck->unsafe_vector_assign_string_element_len(output, row, dw__strbuf_cstr(&both),
                                                      both.len);
    }
    dw__json_parser_deinit(&parser);
    return status;
}

static void
parse(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output, bool is_lenient)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_database *database = duck->scalar_function_get_extra_info(info);
    dw_error err = DW_ERROR_INIT;
    dw_variant_writer writer = dw__variant_writer_make(database->env->allocator);
    if (parse_rows(duck, duck->data_chunk_get_vector(input, 0), duck->data_chunk_get_size(input),
                   output, is_lenient, &writer, &err) != DW_OK) {
        dw__function_fail(duck, info, &err);
    }
    dw__variant_writer_deinit(&writer);
}

static void
parse_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    parse(info, input, output, false);
}

static void
try_parse_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    parse(info, input, output, true);
}

/* ---- To JSON --------------------------------------------------------------------------------- */

static bool
may_lack_zeros(const dw_duck *duck, duckdb_vector vector, idx_t row_count)
{
    for (idx_t row = 0; row < row_count; row++) {
        if (dw__duck_is_valid(duck, vector, row) &&
            dw__json_may_lack_zeros(dw__duck_bytes_at(duck, vector, row))) {
            return true;
        }
    }
    return false;
}

typedef void (*json_writer)(dw_strbuf *out, dw_str text);

/* Writes each text of the input anew. */
static void
write_json(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output,
           json_writer write)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_database *database = duck->scalar_function_get_extra_info(info);
    duckdb_vector texts = duck->data_chunk_get_vector(input, 0);
    idx_t row_count = duck->data_chunk_get_size(input);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(database->env->allocator, DW_SQL_BYTES_MAX);
    for (idx_t row = 0; row < row_count && !text.failed; row++) {
        if (!dw__duck_is_valid(duck, texts, row)) {
            dw__duck_set_null(duck, output, row);
            continue;
        }
        dw__strbuf_clear(&text);
        write(&text, dw__duck_bytes_at(duck, texts, row));
        duck->unsafe_vector_assign_string_element_len(output, row, dw__strbuf_cstr(&text),
                                                      text.len);
    }
    if (text.failed) {
        duck->scalar_function_set_error(info, "out of memory");
    }
}

/* The engine's JSON of variants, with the zeros that it leaves out in front of points. */
static void
zeros_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    duckdb_vector texts = duck->data_chunk_get_vector(input, 0);
    if (may_lack_zeros(duck, texts, duck->data_chunk_get_size(input))) {
        write_json(info, input, output, dw__json_put_zeros);
    } else {
        duck->vector_reference_vector(output, texts);
    }
}

/* Decimals of so many digits are the same as doubles, and doubles have no more than so many. */
enum { DECIMAL_DIGITS = 15, DOUBLE_DIGITS = 17 };

static void
put_exact(dw_strbuf *out, dw_str text)
{
    dw__json_put_exact(out, text, DECIMAL_DIGITS);
}

static void
put_finite(dw_strbuf *out, dw_str text)
{
    dw__json_put_exact(out, text, DOUBLE_DIGITS);
}

static void
exact_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    write_json(info, input, output, put_exact);
}

static void
finite_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    write_json(info, input, output, put_finite);
}

/* ---- Registering ----------------------------------------------------------------------------- */

/* Takes over the types. `parameter` NULL: there is none. */
static dw_status
register_one(dw_database *database, duckdb_connection handle, const char *name,
             duckdb_logical_type parameter, duckdb_logical_type returned,
             duckdb_scalar_function_t run, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_scalar_function function = duck->create_scalar_function();
    duck->scalar_function_set_name(function, name);
    if (parameter != NULL) {
        duck->scalar_function_add_parameter(function, parameter);
    }
    duck->scalar_function_set_return_type(function, returned);
    duck->scalar_function_set_extra_info(function, database, NULL);
    duck->scalar_function_set_function(function, run);
    duck->destroy_logical_type(&parameter);
    duck->destroy_logical_type(&returned);
    return dw__scalar_function_finish(duck, handle, function, name, err);
}

/* What the engine makes of the number of the type alone cannot be used. */
static dw_status
register_null(dw_database *database, duckdb_connection handle, dw_error *err)
{
    const dw_duck *duck = database->duck;
    duckdb_prepared_statement prepared;
    DW_TRY(dw__statement_prepare(duck, handle, "SELECT CAST(NULL AS VARIANT)", &prepared, err));
    duckdb_logical_type variant = duck->prepared_statement_column_logical_type(prepared, 0);
    duck->destroy_prepare(&prepared);
    return register_one(database, handle, "dw__variant_null", NULL, variant, null_function, err);
}

typedef struct json_function {
    const char *name;
    duckdb_scalar_function_t run;
} json_function;

dw_status
dw__variant_functions_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const json_function parsers[] = {{"dw__parse_json", parse_function},
                                            {"dw__try_parse_json", try_parse_function}};
    static const json_function writers[] = {{"dw__json_zeros", zeros_function},
                                            {"dw__json_exact", exact_function},
                                            {"dw__json_finite", finite_function}};
    static const char *const macros[] = {
        "CREATE MACRO parse_json(text) AS coalesce(variant_bytes_to_variant(dw__parse_json(text)), "
        "CASE WHEN text IS NOT NULL THEN dw__variant_null() END)",
        "CREATE MACRO try_parse_json(text) AS coalesce(variant_bytes_to_variant("
        "dw__try_parse_json(text)), CASE WHEN dw__try_parse_json(text) IS NOT NULL "
        "THEN dw__variant_null() END)",
    };
    const dw_duck *duck = database->duck;
    DW_TRY(register_one(database, handle, "dw__variant",
                        dw__variant_parts_type(duck, DW_PARQUET_VARIANT),
                        dw__variant_parts_type(duck, NULL), variant_function, err));
    DW_TRY(register_null(database, handle, err));
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        duckdb_logical_type json = duck->create_logical_type(DUCKDB_TYPE_VARCHAR);
        duck->logical_type_set_alias(json, "JSON");
        DW_TRY(register_one(database, handle, writers[i].name,
                            duck->create_logical_type(DUCKDB_TYPE_VARCHAR), json, writers[i].run,
                            err));
    }
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        DW_TRY(register_one(database, handle, parsers[i].name,
                            duck->create_logical_type(DUCKDB_TYPE_VARCHAR),
                            duck->create_logical_type(DUCKDB_TYPE_BLOB), parsers[i].run, err));
    }
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        DW_TRY(dw__statement_execute(duck, handle, macros[i], err));
    }
    return DW_OK;
}
