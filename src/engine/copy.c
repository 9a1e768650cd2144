/*
 * Writing the rows of a query as Parquet files.
 *
 * Not partitioned: files are cut at the size that is asked for, between row groups. Each thread
 * fills row groups of its own from what it reads one after the other, so the order of the query is
 * kept up to a few row groups - enough for pruning - at no cost and with little memory. (Keeping it
 * exactly takes 8 % more time, three times the memory, and gives one file.) A query of no rows
 * writes no file.
 *
 * One file: the order is kept exactly, for rows that are only moved.
 *
 * Partitioned: with few partitions the engine keeps a file open for each. With more than
 * PARTITIONS_OPEN_MAX it would close and reopen them without end (28,000 files for 2,500 partitions
 * of 6 M rows), and with many of them it would run out of a small memory, so rows are sorted by
 * partition first unless the caller knows that they are few. The engine's sort mixes up what is
 * equal, so rows are numbered as they come, which takes a sixth more time and keeps them in order.
 * Files of one partition are not cut: the engine cannot do both.
 *
 * By a column of the caller's: for the engine its values are partitions without directories.
 */
#include "base/assert.h"
#include "engine/copy_result.h"

enum { PARTITIONS_OPEN_MAX = 100 };
#define ROW_COLUMN "dw__row"
/* What an open file may take: a row group of a few hundred bytes a row. */
#define OPEN_FILE_BYTES ((uint64_t) 64 << 20)

/* Each open file keeps up to a row group in memory, and each thread the rows since its last turn.
 * In sorted rows a partition is over when the next begins. */
static const char *const narrow_settings[] = {
    "SET partitioned_write_max_open_files = 4",
    "SET partitioned_write_flush_threshold = 65536",
};
static const char *const wide_settings[] = {
    "RESET partitioned_write_max_open_files",
    "RESET partitioned_write_flush_threshold",
};

/* ---- The statement --------------------------------------------------------------------------- */

static bool
must_sort(const dw_connection *connection, const dw_copy_request *request)
{
    uint64_t memory = connection->database->memory_limit_bytes;
    int64_t count = request->partition_count_max;
    if (request->partition_column_count == 0 || count == 1) {
        return false;
    }
    return count == 0 || count > PARTITIONS_OPEN_MAX ||
           (memory != 0 && memory / OPEN_FILE_BYTES < (uint64_t) count);
}

static void
put_partition_columns(const dw_copy_request *request, dw_strbuf *out)
{
    for (size_t i = 0; i < request->partition_column_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_identifier(out, request->partition_columns[i]);
    }
}

/* The query ends in a line of its own: it may end in a comment. */
static void
put_query(const dw_copy_request *request, bool is_sorted, dw_strbuf *out)
{
    if (!is_sorted) {
        dw__strbuf_append(out, request->query);
        return;
    }
    dw__strbuf_append_literal(out, "SELECT * EXCLUDE (" ROW_COLUMN ") FROM (SELECT *, "
                                   "row_number() OVER () AS " ROW_COLUMN " FROM (");
    dw__strbuf_append(out, request->query);
    dw__strbuf_append_literal(out, "\n)) ORDER BY ");
    put_partition_columns(request, out);
    dw__strbuf_append_literal(out, ", " ROW_COLUMN);
}

static void
put_file_name(const dw_copy_request *request, const char *number, dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append(&name, request->file_prefix);
    dw__strbuf_append(&name, dw__str_from(number));
    out->failed = out->failed || name.failed;
    dw__strbuf_append_literal(out, ", FILENAME_PATTERN ");
    dw__sql_put_literal(out, dw__strbuf_str(&name));
}

static bool
has_file_column(const dw_copy_request *request)
{
    return !dw__str_is_null(request->file_column);
}

/* The only file, or the directory of all of them. */
static dw_status
put_target(const dw_copy_request *request, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(out->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append(&path, request->directory);
    if (request->is_one_file) {
        dw__strbuf_append_char(&path, '/');
        dw__strbuf_append(&path, request->file_prefix);
        dw__strbuf_append_literal(&path, "-0.parquet");
    }
    DW_TRY(dw__strbuf_ok(&path, "a path", err));
    dw__sql_put_literal(out, dw__strbuf_str(&path));
    return DW_OK;
}

static void
put_layout(const dw_copy_request *request, dw_strbuf *out)
{
    if (has_file_column(request)) {
        put_file_name(request, "-{uuid}", out);
        dw__strbuf_append_literal(out, ", HIVE_FILE_PATTERN false, PARTITION_BY (");
        dw__sql_put_identifier(out, request->file_column);
        dw__strbuf_append_char(out, ')');
        return;
    }
    if (request->is_one_file) {
        return;
    }
    if (request->partition_column_count == 0) {
        int64_t size = request->file_size_bytes > 0 ? request->file_size_bytes : INT64_MAX;
        put_file_name(request, "-{i}", out);
        dw__strbuf_append_literal(out, ", WRITE_EMPTY_FILE false, FILE_SIZE_BYTES ");
        dw__strbuf_append_i64(out, size);
        return;
    }
    /* Numbers start anew in each partition, and two partitions can have one directory: NULL and the
     * text __HIVE_DEFAULT_PARTITION__. */
    put_file_name(request, "-{uuid}", out);
    dw__strbuf_append_literal(out, ", PARTITION_BY (");
    put_partition_columns(request, out);
    dw__strbuf_append_char(out, ')');
    if (request->writes_partition_columns) {
        dw__strbuf_append_literal(out, ", WRITE_PARTITION_COLUMNS true");
    }
}

static dw_status
put_copy(const dw_copy_request *request, bool is_sorted, dw_strbuf *out, dw_error *err)
{
    dw__strbuf_append_literal(out, "COPY (");
    put_query(request, is_sorted, out);
    dw__strbuf_append_literal(out, "\n) TO ");
    DW_TRY(put_target(request, out, err));
    dw__strbuf_append_literal(out, " (FORMAT parquet, RETURN_STATS");
    if (!request->is_one_file) {
        dw__strbuf_append_literal(out, ", OVERWRITE_OR_IGNORE");
    }
    dw__strbuf_append_literal(out, ", COMPRESSION ");
    dw__sql_put_literal(out, request->compression);
    put_layout(request, out);
    if (request->row_group_rows > 0) {
        dw__strbuf_append_literal(out, ", ROW_GROUP_SIZE ");
        dw__strbuf_append_i64(out, request->row_group_rows);
    }
    if (!dw__str_is_null(request->field_ids)) {
        dw__strbuf_append_literal(out, ", FIELD_IDS ");
        dw__strbuf_append(out, request->field_ids);
    }
    dw__strbuf_append_char(out, ')');
    return dw__strbuf_ok(out, "the statement", err);
}

/* ---- Running it ------------------------------------------------------------------------------ */

/* The settings are the connection's, so they are only changed when the last COPY had others. */
static dw_status
apply_settings(dw_connection *connection, duckdb_connection handle, const dw_copy_request *request,
               bool is_sorted, dw_error *err)
{
    bool is_narrow = is_sorted || has_file_column(request) || request->partition_count_max == 1;
    bool has_partitions = has_file_column(request) || request->partition_column_count > 0;
    if (!has_partitions || connection->copies_narrow == is_narrow) {
        return DW_OK;
    }
    const char *const *settings = is_narrow ? narrow_settings : wide_settings;
    for (size_t i = 0; i < sizeof(narrow_settings) / sizeof(narrow_settings[0]); i++) {
        DW_TRY(dw__statement_execute(connection->database->duck, handle, settings[i], err));
    }
    connection->copies_narrow = is_narrow;
    return DW_OK;
}

dw_status
dw__connection_copy(dw_connection *connection, const dw_copy_request *request, dw_arena *arena,
                    dw_copy_file **files_out, size_t *count_out, dw_error *err)
{
    /* Braces in the prefix would be the engine's placeholders. */
    dw_assert(dw__str_find(request->file_prefix, '{') == SIZE_MAX);
    dw_assert(!has_file_column(request) || request->partition_column_count == 0);
    dw_assert(!request->is_one_file || request->partition_column_count == 0);
    *files_out = NULL;
    *count_out = 0;
    if (dw__env_is_cancelled(connection->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    bool is_sorted = must_sort(connection, request);
    DW_TRY(put_copy(request, is_sorted, &sql, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    DW_TRY(dw__statement_text(dw__strbuf_str(&sql), &text, err));
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    DW_TRY(apply_settings(connection, handle, request, is_sorted, err));
    const dw_duck *duck = connection->database->duck;
    duckdb_result result = {0};
    DW_TRY(dw__statement_query(duck, handle, dw__strbuf_cstr(&text), &result, err));
    dw_status status =
        dw__copy_result_read(duck, &result, request, arena, files_out, count_out, err);
    duck->destroy_result(&result);
    return status;
}
