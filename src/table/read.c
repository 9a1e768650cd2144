/*
 * Rows in and out as Arrow streams.
 */
#include "table/read.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "table/row_stream.h"
#include "table/run_lineage.h"

#define NAME_PREFIX "dw_scan_"
#define NAME_SIZE (sizeof(NAME_PREFIX) + DW_UUID_TEXT_SIZE)

/* What a stream of rows keeps alive. */
typedef struct reader {
    const dw_env *env;
    dw_connection *connection;
    dw_table *table;
} reader;

static bool
reader_is_cancelled(const void *ctx)
{
    const reader *r = ctx;
    return dw__env_is_cancelled(r->env);
}

static void
reader_free(void *ctx)
{
    reader *r = ctx;
    dw__connection_close(r->connection);
    dw__table_unref(r->table);
    DW_DELETE(r->env->allocator, r);
}

/* A name that no statement of the connection uses. */
static void
unique_name(const dw_env *env, char out[NAME_SIZE])
{
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(env, uuid);
    memcpy(out, NAME_PREFIX, strlen(NAME_PREFIX));
    memcpy(out + strlen(NAME_PREFIX), uuid, sizeof(uuid));
}

static dw_status
print_select(dw_strbuf *out, const char *name, const dw_str *columns, size_t column_count,
             dw_str filter, dw_error *err)
{
    dw__strbuf_append(out, column_count == 0 ? DW_STR("SELECT *") : DW_STR("SELECT "));
    for (size_t i = 0; i < column_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_identifier(out, columns[i]);
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, dw__str_from(name));
    if (!dw__str_is_null(filter)) {
        dw__strbuf_append_literal(out, " WHERE (");
        dw__strbuf_append(out, filter);
        dw__strbuf_append_literal(out, "\n)");
    }
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
start(reader *r, const char *name, dw_log_snapshot *snapshot, dw_str sql,
      struct ArrowArrayStream *out, dw_error *err)
{
    dw_database *database = dw__table_database(r->table);
    DW_TRY(dw__connection_open(database, &r->connection, err));
    dw_scan_source source = {.name = dw__str_from(name), .snapshot = snapshot};
    dw_scan *scan = NULL;
    DW_TRY(dw__scan_open(r->connection, database, sql, &source, 1, &scan, err));
    struct ArrowArrayStream rows;
    bool is_query;
    int64_t changed;
    dw_status status = dw__connection_query(r->connection, sql, &rows, &is_query, &changed, err);
    if (status != DW_OK) {
        status = err == NULL ? status : dw__scan_explain_error(scan, err);
        dw__scan_close(scan);
        return status;
    }
    dw_row_stream_owner owner = {r, reader_is_cancelled, reader_free};
    return dw__row_stream_open(r->env->allocator, &rows, scan, &owner, out, err);
}

dw_status
dw__table_read(dw_table *table, dw_log_snapshot *snapshot, const dw_str *columns,
               size_t column_count, dw_str filter, struct ArrowArrayStream *out, dw_error *err)
{
    memset(out, 0, sizeof(*out));
    const dw_env *env = dw__table_env(table);
    char name[NAME_SIZE];
    unique_name(env, name);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(env->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_select(&sql, name, columns, column_count, filter, err));
    reader *r = DW_NEW(env->allocator, reader);
    if (r == NULL) {
        return dw__error_oom(err);
    }
    r->env = env;
    r->table = dw__table_ref(table);
    dw_status status = start(r, name, snapshot, dw__strbuf_str(&sql), out, err);
    if (status != DW_OK) {
        reader_free(r);
    }
    return status;
}

/* ---- Appending ------------------------------------------------------------------------------- */

/* One thread pulls the rows and writes them. Only rows that are sorted for their partitions are
 * work for several. */
static dw_status
open_for_append(dw_table *table, const dw_log_snapshot *snapshot, dw_connection **out,
                dw_error *err)
{
    dw_database *database = dw__table_database(table);
    return dw__log_snapshot_metadata(snapshot)->partition_column_count == 0
               ? dw__connection_borrow(database, out, err)
               : dw__connection_open(database, out, err);
}

static dw_status
append_rows(dw_table *table, dw_log_snapshot *snapshot, dw_connection *connection,
            struct ArrowArrayStream *rows, const dw_append_spec *append, dw_write_result *out,
            dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    dw_stream_source source;
    DW_TRY(dw__connection_add_stream(connection, rows, &arena, &source, err));
    dw_str query = dw__arena_printf(&arena, "FROM %.*s", DW_STR_ARG(source.sql));
    if (dw__str_is_null(query)) {
        return dw__error_oom(err);
    }
    dw_write_spec spec = {.mode = DW_WRITE_APPEND,
                          .columns_become = append->columns_become,
                          .query = query,
                          .source = source.columns,
                          .source_count = source.column_count,
                          .by_name = true,
                          .query_runs_once = true,
                          .txns = append->txn,
                          .txn_count = append->txn == NULL ? 0 : 1,
                          .read_snapshot = snapshot,
                          .user_metadata = append->user_metadata};
    DW_TRY(dw__table_lineage_begin(table, "APPEND", &arena, &spec.limits.lineage, err));
    dw_status status = dw__table_write(table, connection, &spec, out, err);
    dw__table_lineage_end(table, spec.limits.lineage, out, status, err);
    return status;
}

dw_status
dw__table_append(dw_table *table, struct ArrowArrayStream *rows, const dw_append_spec *append,
                 dw_write_result *out, dw_error *err)
{
    *out = (dw_write_result){.version = -1};
    dw_connection *connection = NULL;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot(dw__table_log(table), &snapshot, err);
    if (status == DW_OK) {
        status = open_for_append(table, snapshot, &connection, err);
    }
    if (status == DW_OK) {
        status = append_rows(table, snapshot, connection, rows, append, out, err);
    }
    dw__connection_close(connection);
    if (rows->release != NULL) {
        rows->release(rows);
    }
    return status;
}
