/*
 * Parquet files of older writers as what is loaded. Dates and instants of Spark's old calendar
 * (codec/old_calendar.h) become today's, and INT96 and other unmarked times the instants that they
 * are, as in a scan.
 */
#ifndef DW_TABLE_OLD_SOURCES_H
#define DW_TABLE_OLD_SOURCES_H

#include "table/load.h"
#include "table/source_files.h"

/* Makes a query over the files of what `query` has, which is the one that reads them as they are.
 * Nothing happens where no file has such values. `*bound_out`: to be unbound when the query has
 * run. */
DW_WARN_UNUSED dw_status dw__old_sources_bind(const dw_env *env, dw_connection *connection,
                                              const dw_source_files *files,
                                              const dw_load_spec *spec, dw_arena *arena,
                                              dw_strbuf *query, bool *bound_out, dw_error *err);
void dw__old_sources_unbind(dw_connection *connection);

#endif
