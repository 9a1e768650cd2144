/*
 * The SELECT that reads a set of files: format by name or by request, options in Spark's names or
 * the engine's.
 */
#ifndef DW_TABLE_FILE_QUERY_H
#define DW_TABLE_FILE_QUERY_H

#include "base/strbuf.h"
#include "protocol/action.h"
#include "table/load.h"

/* The format that a file's name tells (".csv.gz" is CSV); DW_LOAD_AUTO when it tells none. */
dw_load_format dw__file_format(dw_str path);

/* Appends the SELECT. All paths have the same format. DW_INVALID_ARGUMENT (FORMAT_UNKNOWN,
 * OPTION_UNKNOWN) names the file or the option and what is allowed. */
DW_WARN_UNUSED dw_status dw__file_query_print(dw_strbuf *out, dw_load_format format,
                                              const dw_str *paths, size_t count,
                                              const dw_pairs *options, dw_str select_list,
                                              dw_error *err);

#endif
