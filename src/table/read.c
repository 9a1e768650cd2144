/*
 * Rows in and out as Arrow streams.
 */
#include "table/read.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "scan/scan.h"

#define NAME_PREFIX_SCAN "dw_scan_"
#define NAME_PREFIX_ROWS "dw_rows_"
#define NAME_SIZE (sizeof(NAME_PREFIX_SCAN) + DW_UUID_TEXT_SIZE)

/* A stream together with all that it reads from. */
typedef struct read_stream {
    const dw_allocator *allocator;
    struct ArrowArrayStream rows;
    dw_connection *connection;
    dw_scan *scan;
    dw_table *table;
} read_stream;

static void
read_stream_free(read_stream *stream)
{
    if (stream->rows.release != NULL) {
        stream->rows.release(&stream->rows);
    }
    dw__scan_close(stream->scan);
    dw__connection_close(stream->connection);
    dw__table_unref(stream->table);
    DW_DELETE(stream->allocator, stream);
}

static int
read_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    read_stream *owner = stream->private_data;
    return owner->rows.get_schema(&owner->rows, out);
}

static int
read_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    read_stream *owner = stream->private_data;
    return owner->rows.get_next(&owner->rows, out);
}

static const char *
read_get_last_error(struct ArrowArrayStream *stream)
{
    read_stream *owner = stream->private_data;
    return owner->rows.get_last_error(&owner->rows);
}

static void
read_release(struct ArrowArrayStream *stream)
{
    read_stream_free(stream->private_data);
    stream->release = NULL;
}

/* A name that no statement of the connection uses. */
static void
unique_name(const dw_env *env, const char *prefix, char out[NAME_SIZE])
{
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(env, uuid);
    size_t len = strlen(prefix);
    dw_assert(len + sizeof(uuid) <= NAME_SIZE);
    memcpy(out, prefix, len);
    memcpy(out + len, uuid, sizeof(uuid));
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
start(read_stream *stream, const char *name, dw_log_snapshot *snapshot, dw_str sql, dw_error *err)
{
    dw_database *database = dw__table_database(stream->table);
    DW_TRY(dw__connection_open(database, &stream->connection, err));
    dw_scan_source source = {.name = dw__str_from(name), .snapshot = snapshot};
    DW_TRY(dw__scan_open(stream->connection, database, sql, &source, 1, &stream->scan, err));
    bool is_query;
    int64_t changed;
    return dw__connection_query(stream->connection, sql, &stream->rows, &is_query, &changed, err);
}

dw_status
dw__table_read(dw_table *table, dw_log_snapshot *snapshot, const dw_str *columns,
               size_t column_count, dw_str filter, struct ArrowArrayStream *out, dw_error *err)
{
    memset(out, 0, sizeof(*out));
    const dw_env *env = dw__table_env(table);
    char name[NAME_SIZE];
    unique_name(env, NAME_PREFIX_SCAN, name);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(env->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_select(&sql, name, columns, column_count, filter, err));
    read_stream *stream = DW_NEW(env->allocator, read_stream);
    if (stream == NULL) {
        return dw__error_oom(err);
    }
    stream->allocator = env->allocator;
    stream->table = dw__table_ref(table);
    dw_status status = start(stream, name, snapshot, dw__strbuf_str(&sql), err);
    if (status != DW_OK) {
        read_stream_free(stream);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = read_get_schema,
                                     .get_next = read_get_next,
                                     .get_last_error = read_get_last_error,
                                     .release = read_release,
                                     .private_data = stream};
    return DW_OK;
}

/* ---- Appending ------------------------------------------------------------------------------- */

static dw_status
append_bound(dw_table *table, dw_connection *connection, const char *name, const dw_txn_id *txn,
             dw_str user_metadata, dw_write_result *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__table_env(table)->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_select(&sql, name, NULL, 0, DW_STR_NULL, err));
    dw_write_spec spec = {.mode = DW_WRITE_APPEND,
                          .query = dw__strbuf_str(&sql),
                          .by_name = true,
                          .txns = txn,
                          .txn_count = txn == NULL ? 0 : 1,
                          .user_metadata = user_metadata};
    return dw__table_write(table, connection, &spec, out, err);
}

dw_status
dw__table_append(dw_table *table, struct ArrowArrayStream *rows, const dw_txn_id *txn,
                 dw_str user_metadata, dw_write_result *out, dw_error *err)
{
    *out = (dw_write_result){.version = -1};
    char name[NAME_SIZE];
    unique_name(dw__table_env(table), NAME_PREFIX_ROWS, name);
    dw_connection *connection = NULL;
    dw_status status = dw__connection_open(dw__table_database(table), &connection, err);
    if (status == DW_OK) {
        status = dw__connection_bind_stream(connection, dw__str_from(name), rows, err);
    }
    if (status == DW_OK) {
        status = append_bound(table, connection, name, txn, user_metadata, out, err);
    }
    if (connection != NULL) {
        dw__connection_unbind_stream(connection, dw__str_from(name));
    }
    dw__connection_close(connection);
    if (rows->release != NULL) {
        rows->release(rows);
    }
    return status;
}
