/*
 * Timestamps in files that do not say that they are instants: INT96, and what old writers left
 * unmarked. They are instants all the same, but to the engine they are times without a zone, which
 * it takes for the session's.
 */
#include "scan/scan_core.h"

#include "protocol/feature_use.h"

dw_status
dw__scan_session_zone(dw_connection *connection, dw_arena *scratch, dw_str *out, dw_error *err)
{
    dw_text_rows rows;
    DW_TRY(dw__connection_query_text(connection, DW_STR("SELECT current_setting('TimeZone')"),
                                     scratch, &rows, err));
    *out = rows.row_count == 1 ? rows.cells[0] : DW_STR("");
    return DW_OK;
}

static dw_status
print_search(dw_strbuf *out, const dw_str *paths, size_t count, dw_error *err)
{
    dw__strbuf_append_literal(out, "SELECT count(*) FROM parquet_schema([");
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(out, paths[i]);
    }
    dw__strbuf_append_literal(
        out, "]) WHERE type = 'INT96' OR (type = 'INT64' AND converted_type LIKE 'TIMESTAMP%' AND "
             "coalesce(logical_type, '') NOT LIKE '%isAdjustedToUTC=1%') OR "
             "logical_type LIKE '%isAdjustedToUTC=0%'");
    return dw__strbuf_ok(out, "the search for timestamps", err);
}

dw_status
dw__scan_find_zoneless_instants(dw_connection *connection, const dw_type *schema,
                                const dw_str *paths, size_t count, dw_arena *scratch, bool *out,
                                dw_error *err)
{
    *out = false;
    bool is_utc = true;
    if (count > 0 && dw__schema_has_kind(schema, DW_TYPE_TIMESTAMP)) {
        dw_str zone;
        DW_TRY(dw__scan_session_zone(connection, scratch, &zone, err));
        is_utc = dw__str_equal_nocase(zone, DW_STR("UTC"));
    }
    if (is_utc) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scratch->allocator, DW_SCAN_SQL_BYTES_MAX);
    dw_text_rows rows;
    DW_TRY(print_search(&sql, paths, count, err));
    DW_TRY(dw__connection_query_text(connection, dw__strbuf_str(&sql), scratch, &rows, err));
    *out = rows.row_count == 1 && !dw__str_equal(rows.cells[0], DW_STR("0"));
    return DW_OK;
}
