/*
 * libduckdb, opened at run time: the functions that this folder uses, each under its name without
 * `duckdb_`. Nothing links against the library, so that programs start fast and those that never
 * need a query never pay for it.
 *
 *  [DUCK-1] The library is opened once a process and stays. Its table is the one thing of this
 *           library that belongs to the process: functions that the engine calls back could not
 *           find it otherwise. It is written once, under a lock, and only read after that.
 *  [DUCK-2] A library that lacks a function is refused as a whole, with its path.
 */
#ifndef DW_ENGINE_DUCK_H
#define DW_ENGINE_DUCK_H

#include "base/allocator.h"
#include "base/error.h"

#include <duckdb.h>

/* duckdb_<name> becomes dw_duck.<name>. */
#define DW_DUCK_FUNCTIONS(X)                                                                       \
    /* instance and connection */                                                                  \
    X(library_version)                                                                             \
    X(create_config)                                                                               \
    X(set_config)                                                                                  \
    X(destroy_config)                                                                              \
    X(open_ext)                                                                                    \
    X(close)                                                                                       \
    X(connect)                                                                                     \
    X(disconnect)                                                                                  \
    X(interrupt)                                                                                   \
    X(query_progress)                                                                              \
    X(connection_get_client_context)                                                               \
    X(destroy_client_context)                                                                      \
    /* statements and results */                                                                   \
    X(query)                                                                                       \
    X(extract_statements)                                                                          \
    X(extract_statements_error)                                                                    \
    X(prepare_extracted_statement)                                                                 \
    X(destroy_extracted)                                                                           \
    X(prepare_error)                                                                               \
    X(destroy_prepare)                                                                             \
    X(bind_value)                                                                                  \
    X(nparams)                                                                                     \
    X(prepared_statement_type)                                                                     \
    X(prepared_statement_column_count)                                                             \
    X(prepared_statement_column_name)                                                              \
    X(prepared_statement_column_logical_type)                                                      \
    X(pending_prepared)                                                                            \
    X(pending_prepared_streaming)                                                                  \
    X(pending_execute_task)                                                                        \
    X(pending_error)                                                                               \
    X(execute_pending)                                                                             \
    X(destroy_pending)                                                                             \
    X(execute_prepared_streaming)                                                                  \
    X(result_error)                                                                                \
    X(result_return_type)                                                                          \
    X(result_get_arrow_options)                                                                    \
    X(destroy_arrow_options)                                                                       \
    X(column_count)                                                                                \
    X(column_name)                                                                                 \
    X(column_logical_type)                                                                         \
    X(fetch_chunk)                                                                                 \
    X(destroy_result)                                                                              \
    /* chunks and vectors */                                                                       \
    X(create_data_chunk)                                                                           \
    X(data_chunk_reset)                                                                            \
    X(data_chunk_get_size)                                                                         \
    X(data_chunk_set_size)                                                                         \
    X(data_chunk_get_column_count)                                                                 \
    X(data_chunk_get_vector)                                                                       \
    X(destroy_data_chunk)                                                                          \
    X(vector_get_column_type)                                                                      \
    X(vector_get_data)                                                                             \
    X(vector_get_validity)                                                                         \
    X(vector_ensure_validity_writable)                                                             \
    X(vector_assign_string_element_len)                                                            \
    X(unsafe_vector_assign_string_element_len)                                                     \
    X(list_vector_get_child)                                                                       \
    X(list_vector_get_size)                                                                        \
    X(list_vector_set_size)                                                                        \
    X(list_vector_reserve)                                                                         \
    X(struct_vector_get_child)                                                                     \
    X(vector_reference_value)                                                                      \
    X(vector_reference_vector)                                                                     \
    /* Arrow */                                                                                    \
    X(to_arrow_schema)                                                                             \
    X(data_chunk_to_arrow)                                                                         \
    X(schema_from_arrow)                                                                           \
    X(data_chunk_from_arrow)                                                                       \
    X(destroy_arrow_converted_schema)                                                              \
    X(error_data_message)                                                                          \
    X(destroy_error_data)                                                                          \
    /* types and values */                                                                         \
    X(create_logical_type)                                                                         \
    X(create_decimal_type)                                                                         \
    X(create_list_type)                                                                            \
    X(create_map_type)                                                                             \
    X(create_struct_type)                                                                          \
    X(destroy_logical_type)                                                                        \
    X(get_type_id)                                                                                 \
    X(logical_type_get_alias)                                                                      \
    X(logical_type_set_alias)                                                                      \
    X(decimal_width)                                                                               \
    X(decimal_scale)                                                                               \
    X(list_type_child_type)                                                                        \
    X(array_type_child_type)                                                                       \
    X(array_type_array_size)                                                                       \
    X(map_type_key_type)                                                                           \
    X(map_type_value_type)                                                                         \
    X(struct_type_child_count)                                                                     \
    X(struct_type_child_name)                                                                      \
    X(struct_type_child_type)                                                                      \
    X(union_type_member_count)                                                                     \
    X(union_type_member_name)                                                                      \
    X(union_type_member_type)                                                                      \
    X(enum_dictionary_size)                                                                        \
    X(enum_dictionary_value)                                                                       \
    X(create_varchar_length)                                                                       \
    X(create_int64)                                                                                \
    X(create_null_value)                                                                           \
    X(is_null_value)                                                                               \
    X(get_int64)                                                                                   \
    X(get_varchar)                                                                                 \
    X(destroy_value)                                                                               \
    X(string_t_data)                                                                               \
    X(string_t_length)                                                                             \
    /* functions of our own */                                                                     \
    X(create_scalar_function)                                                                      \
    X(destroy_scalar_function)                                                                     \
    X(scalar_function_set_name)                                                                    \
    X(scalar_function_add_parameter)                                                               \
    X(scalar_function_set_varargs)                                                                 \
    X(scalar_function_set_return_type)                                                             \
    X(scalar_function_set_volatile)                                                                \
    X(scalar_function_set_extra_info)                                                              \
    X(scalar_function_set_bind)                                                                    \
    X(scalar_function_set_bind_data)                                                               \
    X(scalar_function_set_bind_data_copy)                                                          \
    X(scalar_function_bind_set_error)                                                              \
    X(scalar_function_bind_get_extra_info)                                                         \
    X(scalar_function_bind_get_argument)                                                           \
    X(scalar_function_get_client_context)                                                          \
    X(scalar_function_get_bind_data)                                                               \
    X(scalar_function_get_extra_info)                                                              \
    X(scalar_function_set_function)                                                                \
    X(scalar_function_set_error)                                                                   \
    X(register_scalar_function)                                                                    \
    X(expression_fold)                                                                             \
    X(expression_is_foldable)                                                                      \
    X(destroy_expression)                                                                          \
    X(create_table_function)                                                                       \
    X(destroy_table_function)                                                                      \
    X(table_function_set_name)                                                                     \
    X(table_function_add_parameter)                                                                \
    X(table_function_set_extra_info)                                                               \
    X(table_function_set_bind)                                                                     \
    X(table_function_set_init)                                                                     \
    X(table_function_set_function)                                                                 \
    X(register_table_function)                                                                     \
    X(bind_get_extra_info)                                                                         \
    X(bind_get_parameter)                                                                          \
    X(bind_add_result_column)                                                                      \
    X(bind_set_bind_data)                                                                          \
    X(bind_set_error)                                                                              \
    X(init_get_bind_data)                                                                          \
    X(init_set_init_data)                                                                          \
    X(init_set_max_threads)                                                                        \
    X(init_set_error)                                                                              \
    X(function_get_bind_data)                                                                      \
    X(function_get_init_data)                                                                      \
    X(function_set_error)

typedef struct dw_duck {
    void (*release)(void *ptr); /* duckdb_free: for the strings that the library hands out */
#define DW_DUCK_MEMBER(name) __typeof__(duckdb_##name) *name;
    DW_DUCK_FUNCTIONS(DW_DUCK_MEMBER)
#undef DW_DUCK_MEMBER
} dw_duck;

/* Opens libduckdb and fills the table, unless that was done. DW_UNSUPPORTED (ENGINE_NOT_FOUND,
 * ENGINE_TOO_OLD) says where it was looked for and what to do. Thread-safe. */
DW_WARN_UNUSED dw_status dw__duck_load(const dw_duck **out, dw_error *err);
/* The table, for functions that the engine calls: it is loaded then. */
const dw_duck *dw__duck_loaded(void);

/* Sets the error from the engine's own words [DATABASE-3]: the kind that they begin with ("Parser
 * Error: ") decides status and code, and is left out of the message. */
DW_WARN_UNUSED dw_status dw__duck_error(const char *text, dw_error *err);

#endif
