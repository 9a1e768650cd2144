/*
 * VACUUM, and the inventory that it may be given: a query whose rows are read as they come.
 */
#include "sql/execution.h"
#include "sql/parse.h"
#include "upkeep/vacuum.h"

/* ---- The inventory --------------------------------------------------------------------------- */

/* The columns of the inventory's query, in the order in which they are selected. */
enum { INVENTORY_PATH, INVENTORY_TIME, INVENTORY_COLUMNS };

typedef struct inventory {
    dw_execution *x;
    dw_sql_text text; /* of the whole query */
    dw_inventory_visitor visit;
    void *ctx;
} inventory;

/* file:/x, file:///x and file://localhost/x are /x. Nothing is encoded. */
static dw_str
plain_path(dw_str path)
{
    static const char *const starts[] = {"file://localhost", "file://", "file:"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        dw_str start = dw__str_from(starts[i]);
        if (dw__str_starts_with(path, start)) {
            return dw__str_slice(path, start.len, path.len);
        }
    }
    return path;
}

static bool
is_valid(const struct ArrowArray *column, int64_t row)
{
    const uint8_t *bits = column->buffers[0];
    int64_t at = row + column->offset;
    return column->null_count == 0 || bits == NULL || (bits[at / 8] >> (at % 8) & 1) != 0;
}

static dw_status
visit_batch(void *ctx, const struct ArrowArray *batch, dw_error *err)
{
    const inventory *i = ctx;
    const struct ArrowArray *paths = batch->children[INVENTORY_PATH];
    const struct ArrowArray *times = batch->children[INVENTORY_TIME];
    const int32_t *ends = (const int32_t *) paths->buffers[1] + paths->offset;
    const int64_t *modified = (const int64_t *) times->buffers[1] + times->offset;
    for (int64_t row = 0; row < batch->length; row++) {
        if (!is_valid(paths, row)) {
            continue;
        }
        dw_str path = dw__str_make((const char *) paths->buffers[2] + ends[row],
                                   (size_t) (ends[row + 1] - ends[row]));
        dw_object_meta object = {.key = plain_path(path),
                                 .modified_ms = is_valid(times, row) ? modified[row] : INT64_MIN};
        DW_TRY(i->visit(i->ctx, &object, err));
    }
    return DW_OK;
}

static dw_status
check_schema(struct ArrowArrayStream *rows, dw_error *err)
{
    static const char *const formats[INVENTORY_COLUMNS] = {"u", "l"};
    struct ArrowSchema schema;
    dw_status status = DW_OK;
    if (rows->get_schema(rows, &schema) != 0) {
        dw_error cause = DW_ERROR_INIT;
        dw__query_stream_error(rows, &cause);
        dw__error_copy(err, &cause);
        return cause.status;
    }
    for (int64_t i = 0; i < schema.n_children && status == DW_OK; i++) {
        if (strcmp(schema.children[i]->format, formats[i]) != 0) {
            status = dw__error_set(err, DW_INTERNAL, "ARROW_INVALID",
                                   "expected a column of the format %s, found %s", formats[i],
                                   schema.children[i]->format);
        }
    }
    schema.release(&schema);
    return status;
}

static dw_status
visit_query(inventory *i, const dw_open_query *query, dw_error *err)
{
    struct ArrowArrayStream rows;
    bool is_query;
    int64_t changed;
    DW_TRY(dw__connection_query(i->x->session->connection, query->text, &rows, &is_query, &changed,
                                err));
    dw_status status = check_schema(&rows, err);
    if (status == DW_OK) {
        status = dw__query_stream_visit(&rows, visit_batch, i, err);
    }
    rows.release(&rows);
    return status;
}

static dw_status
visit_inventory(void *ctx, dw_inventory_visitor visit, void *visit_ctx, dw_error *err)
{
    inventory *i = ctx;
    dw_execution *x = i->x;
    dw_open_query query = {.scan = NULL};
    DW_AUTO(dw_binding) binding = {0};
    dw_sql_range all = {0, i->text.count - 1};
    dw_bind_options options = dw__execution_bind_options(x);
    i->visit = visit;
    i->ctx = visit_ctx;
    dw_status status = dw__bind(&binding, &i->text, all, &x->arena, &options, x->err);
    if (status == DW_OK) {
        status = dw__open_query(x, &binding, all, all, &query);
    }
    if (status == DW_OK) {
        status = visit_query(i, &query, x->err);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    if (status != DW_OK) {
        dw__error_context(x->err, "the inventory, which must have the columns path, length, isDir "
                                  "and modificationTime");
        dw__error_copy(err, x->err);
    }
    return status;
}

/* The query around the inventory's, which also asks for the columns that are not needed: an
 * inventory that lacks one is a mistake. */
static dw_status
make_query(dw_execution *x, inventory *out)
{
    const dw_vacuum_statement *vacuum = &x->statement.as.vacuum;
    dw_str source = dw__tokens_text(&x->sql, vacuum->inventory.first, vacuum->inventory.last);
    const char *open = vacuum->inventory_is_name ? "" : "(", *close = *open == '\0' ? "" : "\n)";
    *out = (inventory){.x = x};
    dw_str text = dw__arena_printf(
        &x->arena,
        "SELECT CAST(\"path\" AS VARCHAR) AS p, CAST(\"modificationTime\" AS BIGINT) AS m FROM "
        "%s%.*s%s WHERE NOT CAST(\"isDir\" AS BOOLEAN) AND "
        "coalesce(CAST(\"length\" AS BIGINT), 0) >= 0",
        open, DW_STR_ARG(source), close);
    if (dw__str_is_null(text)) {
        return dw__error_oom(x->err);
    }
    return dw__sql_text_init(&out->text, x->arena.allocator, text, x->err);
}

/* ---- The statement --------------------------------------------------------------------------- */

static dw_status
vacuum_table(dw_execution *x, dw_table *table, inventory *listed)
{
    const dw_vacuum_statement *vacuum = &x->statement.as.vacuum;
    struct ArrowArrayStream rows;
    dw_vacuum_result done;
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &vacuum->options, &upkeep));
    dw_vacuum_spec spec = {.kind = vacuum->is_lite ? DW_VACUUM_LITE : DW_VACUUM_FULL,
                           .has_retention = vacuum->has_retention,
                           .retention_ms = vacuum->retention_ms,
                           .skips_check = x->session->settings.skips_retention_check};
    if (!dw__sql_range_is_empty(vacuum->inventory)) {
        DW_TRY(make_query(x, listed));
        spec.kind = DW_VACUUM_INVENTORY;
        spec.visit_inventory = visit_inventory;
        spec.ctx = listed;
    }
    dw_status status = dw__table_vacuum(&upkeep, table, &spec, &rows, &done, x->err);
    if (status != DW_OK) {
        dw__execution_tell_partial(x, done.version);
        return status;
    }
    dw__execution_note_commit(x, done.version);
    if (done.failed_count > 0) {
        dw__env_warn(x->session->env, "%lld files could not be deleted: the report says why",
                     (long long) done.failed_count);
    }
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

dw_status
dw__execute_vacuum(dw_execution *x)
{
    const dw_vacuum_statement *vacuum = &x->statement.as.vacuum;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, &vacuum->name, &kind, &table));
    if (kind == DW_TARGET_ENGINE || kind == DW_TARGET_VIEW) {
        return dw__execute_engine(x, (dw_sql_range){0});
    }
    if (kind == DW_TARGET_NONE) {
        return dw__execution_table(x, &vacuum->name, &table);
    }
    inventory listed = {.x = NULL};
    dw_status status = vacuum_table(x, table, &listed);
    dw__sql_text_deinit(&listed.text);
    if (status != DW_OK) {
        dw__error_context(x->err, "VACUUM of %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}
