/*
 * INSERT INTO, INSERT OVERWRITE and COPY INTO.
 */
#include "sql/execution.h"
#include "sql/insert_defaults.h"
#include "sql/insert_replace.h"
#include "sql/lineage.h"

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

void
dw__put_written(dw_strbuf *out, const dw_write_result *done)
{
    dw__put_counted(out, done->rows_added, "row");
    dw__strbuf_append_literal(out, " (");
    dw__put_counted(out, done->files_added, "file");
    dw__strbuf_append_literal(out, ", ");
    dw__put_size(out, done->bytes_added);
    dw__strbuf_append_literal(out, ")");
}

void
dw__put_judged(dw_strbuf *out, const dw_judged *judged)
{
    if (judged->text[0] != '\0') {
        dw__strbuf_printf(out, "; %s", judged->text);
    }
}

void
dw__execution_set_written(dw_execution *x, const dw_write_result *done)
{
    dw_change_report change = DW_CHANGE_REPORT_INIT;
    change.version = done->version;
    change.rows_inserted = done->rows_added;
    change.files_added = done->files_added;
    change.bytes_added = done->bytes_added;
    change.files_removed = done->files_removed;
    change.files_marked = done->files_marked;
    change.files_rewritten = done->files_rewritten;
    change.rows_deleted = done->rows_removed;
    dw__execution_set_change(x, &change);
}

/* ---- INSERT ---------------------------------------------------------------------------------- */

/* The query of a bound INSERT, which may stand in another text than the statement. */
typedef struct insert_source {
    dw_sql_text joined; /* WITH ... and the query behind INSERT, put together */
    const dw_sql_text *sql;
    dw_sql_range range;
} insert_source;

/* Puts together WITH ... and the query, which stands behind INSERT or was written anew. */
static dw_status
join_with(dw_execution *x, dw_str values, insert_source *source)
{
    const dw_insert_statement *insert = &x->statement.as.insert;
    dw_str with = dw__sql_range_is_empty(insert->with)
                      ? DW_STR("")
                      : dw__tokens_text(&x->sql, insert->with.first, insert->with.last);
    dw_str query = dw__str_is_null(values)
                       ? dw__tokens_text(&x->sql, insert->query.first, insert->query.last)
                       : values;
    dw_str text = dw__arena_printf(&x->arena, "%.*s\n%.*s", DW_STR_ARG(with), DW_STR_ARG(query));
    if (dw__str_is_null(text)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__sql_text_init(&source->joined, x->arena.allocator, text, x->err));
    source->sql = &source->joined;
    source->range = (dw_sql_range){0, source->joined.count - 1};
    return DW_OK;
}

static dw_status
find_source(dw_execution *x, dw_table *table, insert_source *source)
{
    const dw_insert_statement *insert = &x->statement.as.insert;
    dw_str values;
    *source = (insert_source){.sql = &x->sql, .range = insert->query};
    DW_TRY(dw__insert_apply_defaults(x, table, &values));
    bool is_as_written = dw__sql_range_is_empty(insert->with) && dw__str_is_null(values);
    return is_as_written ? DW_OK : join_with(x, values, source);
}

static dw_status
replace_rows(dw_execution *x, dw_table *table, dw_write_spec *spec, dw_write_result *out)
{
    dw_insert_replace replace;
    dw_status status = dw__insert_replace_open(x, table, &replace);
    if (status == DW_OK) {
        spec->replaced = &replace.rows;
        spec->replace_condition = replace.condition;
        spec->read_snapshot = replace.rows.snapshot;
        status = dw__table_write(table, x->session->connection, spec, out, x->err);
    }
    dw_open_query open = {.text = replace.chosen.sql, .scan = replace.chosen.scan};
    status = dw__explain_engine_error(x, &open, status);
    dw__insert_replace_close(&replace);
    return status;
}

static bool
is_dynamic(const dw_execution *x)
{
    const dw_insert_options *options = &x->statement.as.insert.options;
    return options->has_mode ? options->is_dynamic : x->session->settings.overwrites_partitions;
}

static dw_write_columns
columns_become(const dw_execution *x)
{
    const dw_insert_options *options = &x->statement.as.insert.options;
    if (options->replaces_schema) {
        return DW_COLUMNS_REPLACED;
    }
    bool merges = options->merges_schema || x->session->settings.merges_schema;
    return merges ? DW_COLUMNS_MERGED : DW_COLUMNS_STAY;
}

static dw_status
write_rows(dw_execution *x, dw_table *table, const dw_open_query *query, dw_write_result *out)
{
    const dw_insert_statement *insert = &x->statement.as.insert;
    dw_log_snapshot *read = dw__execution_newest(x, table);
    dw_txn_id txn = {.app_id = insert->options.txn_app_id,
                     .version = insert->options.txn_version,
                     .has_last_updated = true,
                     .last_updated_ms = dw__env_now_ms(dw__table_env(table))};
    dw_write_spec spec = {.mode = insert->mode,
                          .columns_become = columns_become(x),
                          .query = query->text,
                          .columns = insert->columns,
                          .column_count = insert->column_count,
                          .by_name = insert->by_name,
                          .static_partitions = insert->static_partitions,
                          .is_dynamic =
                              is_dynamic(x) && dw__str_is_null(insert->options.replace_where),
                          .txns = &txn,
                          .txn_count = txn.version < 0 ? 0 : 1,
                          .reads_target = read != NULL,
                          .scan = query->scan,
                          .read_snapshot = read,
                          .user_metadata = insert->options.user_metadata,
                          .transaction = x->session->transaction};
    DW_TRY(dw__execution_limits(x, table, &spec.limits));
    if (spec.transaction != NULL && read == NULL) {
        dw_sql_travel newest = {.kind = DW_TRAVEL_NONE};
        DW_TRY(dw__execution_snapshot(x, table, &newest, &spec.read_snapshot));
    }
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    return dw__str_is_null(insert->options.replace_where)
               ? dw__table_write(table, x->session->connection, &spec, out, x->err)
               : replace_rows(x, table, &spec, out);
}

static dw_status
insert_from(dw_execution *x, dw_table *table, const insert_source *source, dw_write_result *out)
{
    dw_open_query query;
    DW_AUTO(dw_binding) binding = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(dw__bind(&binding, source->sql, source->range, &x->arena, &options, x->err));
    dw_commit_limits begun;
    DW_TRY(dw__execution_limits(x, table, &begun));
    dw_status status = dw__open_query(x, &binding, source->range, source->range, &query);
    if (status == DW_OK) {
        status = dw__execution_note_query(x, &query, source->sql, source->range);
    }
    if (status == DW_OK) {
        status = write_rows(x, table, &query, out);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}

static dw_status
set_insert_message(dw_execution *x, const dw_write_result *done)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    bool by_rows = !dw__str_is_null(x->statement.as.insert.options.replace_where);
    if (done->was_duplicate) {
        dw__strbuf_append_literal(&text, "txnVersion was recorded before: nothing was committed");
    } else if (done->version < 0) {
        dw__strbuf_append_literal(&text, "the query returned no rows");
        dw__strbuf_append(&text, by_rows ? DW_STR(", and none were to be replaced") : DW_STR(""));
        dw__strbuf_append_literal(&text, ": nothing was committed");
    } else {
        bool replaces = x->statement.as.insert.mode == DW_WRITE_OVERWRITE;
        dw__strbuf_append(&text, replaces ? DW_STR("replaced ") : DW_STR("inserted "));
        if (replaces) {
            dw__put_counted(&text, by_rows ? done->rows_removed : done->files_removed,
                            by_rows ? "row" : "file");
            dw__strbuf_append_literal(&text, " by ");
        }
        dw__put_written(&text, done);
        dw__put_outcome(x, &text, done->version);
        dw__put_judged(&text, &done->judged);
    }
    dw__execution_set_message(x, &text, done->rows_added);
    dw__execution_set_written(x, done);
    return dw__strbuf_ok(&text, "the message", x->err);
}

static dw_status
insert_into_delta(dw_execution *x, dw_table *table)
{
    insert_source source;
    dw_write_result done;
    dw_status status = find_source(x, table, &source);
    if (status == DW_OK) {
        status = insert_from(x, table, &source, &done);
    }
    dw__sql_text_deinit(&source.joined);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.insert.name, &x->arena);
        dw__error_context(x->err, "INSERT into %.*s", DW_STR_ARG(name));
        return status;
    }
    return set_insert_message(x, &done);
}

dw_status
dw__execute_insert(dw_execution *x)
{
    const dw_sql_name *name = &x->statement.as.insert.name;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, name, &kind, &table));
    if (kind == DW_TARGET_ENGINE) {
        return dw__execute_engine(x, x->statement.as.insert.query);
    }
    if (kind != DW_TARGET_DELTA) {
        return dw__execution_table(x, name, &table);
    }
    return insert_into_delta(x, table);
}

/* ---- COPY INTO ------------------------------------------------------------------------------- */

static dw_str
join_path(dw_arena *arena, dw_str directory, dw_str name)
{
    bool has_slash = dw__str_ends_with(directory, DW_STR("/"));
    return dw__arena_printf(arena, "%.*s%s%.*s", DW_STR_ARG(directory), has_slash ? "" : "/",
                            DW_STR_ARG(name));
}

/* The paths and patterns of the statement. */
static dw_status
find_files(dw_execution *x, dw_str **out, size_t *count_out)
{
    const dw_copy_statement *copy = &x->statement.as.copy;
    size_t count = copy->file_count > 0 ? copy->file_count : 1;
    dw_str *files = DW_ARENA_ARRAY(&x->arena, dw_str, count);
    if (files == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < copy->file_count; i++) {
        files[i] = join_path(&x->arena, copy->source, copy->files[i]);
    }
    if (copy->file_count == 0) {
        files[0] = dw__str_is_null(copy->pattern)
                       ? copy->source
                       : join_path(&x->arena, copy->source, copy->pattern);
    }
    for (size_t i = 0; i < count; i++) {
        if (dw__str_is_null(files[i])) {
            return dw__error_oom(x->err);
        }
    }
    *out = files;
    *count_out = count;
    return DW_OK;
}

static dw_status
fill_load_spec(dw_execution *x, const dw_table *table, dw_load_spec *spec)
{
    const dw_copy_statement *copy = &x->statement.as.copy;
    dw_str *files = NULL;
    bool merges = copy->merge_schema || x->session->settings.merges_schema;
    *spec = (dw_load_spec){.mode = DW_LOAD_APPEND,
                           .columns_become = merges ? DW_COLUMNS_MERGED : DW_COLUMNS_STAY,
                           .format = copy->format,
                           .format_options = copy->format_options,
                           .force = copy->force,
                           .txn_version = -1,
                           .operation = "COPY INTO",
                           .select_list = DW_STR_NULL,
                           .transaction = x->session->transaction};
    DW_TRY(dw__execution_limits(x, table, &spec->limits));
    DW_TRY(find_files(x, &files, &spec->file_count));
    spec->files = files;
    if (dw__sql_range_is_empty(copy->select_list)) {
        return DW_OK;
    }
    return dw__sql_range_print(&x->sql, copy->select_list, &x->arena, &spec->select_list, x->err);
}

static dw_status
set_copy_message(dw_execution *x, const dw_load_result *done)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    if (done->files_loaded == 0) {
        dw__strbuf_append_literal(&text, "nothing to load: ");
        dw__put_counted(&text, done->files_skipped, "file");
        dw__strbuf_append(&text, done->files_skipped == 1 ? DW_STR(" was loaded before")
                                                          : DW_STR(" were loaded before"));
    } else {
        dw__strbuf_append_literal(&text, "loaded ");
        dw__put_counted(&text, done->files_loaded, "file");
        if (done->files_skipped > 0) {
            dw__strbuf_append_literal(&text, ", skipped ");
            dw__put_count(&text, done->files_skipped);
            dw__strbuf_append_literal(&text, " that were loaded before");
        }
        dw__strbuf_append_literal(&text, ": ");
        dw__put_written(&text, &done->write);
        dw__put_outcome(x, &text, done->write.version);
        dw__put_judged(&text, &done->write.judged);
    }
    dw__execution_set_message(x, &text, done->write.rows_added);
    dw__execution_set_written(x, &done->write);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_copy_into(dw_execution *x)
{
    const dw_copy_statement *copy = &x->statement.as.copy;
    dw_load_spec spec;
    dw_load_result done;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &copy->name, &table));
    DW_TRY(fill_load_spec(x, table, &spec));
    dw_status status = dw__table_load(table, x->session->connection, &spec, &done, x->err);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&copy->name, &x->arena);
        dw__error_context(x->err, "COPY INTO %.*s", DW_STR_ARG(name));
        return status;
    }
    return set_copy_message(x, &done);
}
