/*
 * CREATE TABLE, CREATE OR REPLACE TABLE and REPLACE TABLE, with or without a query.
 */
#include "sql/lineage.h"
#include "upkeep/profile.h"

#include <inttypes.h>

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- Where ----------------------------------------------------------------------------------- */

static dw_status
check_location(dw_execution *x, dw_str root)
{
    const dw_create_statement *create = &x->statement.as.create;
    bool is_other = !dw__str_is_null(create->location) && !dw__str_equal(create->location, root);
    if (!create->name.is_path || !is_other) {
        return DW_OK;
    }
    return dw__error_set(x->err, DW_INVALID_ARGUMENT, "LOCATION_INVALID",
                         "expected one place for the table, found the path %.*s and the LOCATION "
                         "%.*s",
                         DW_STR_ARG(root), DW_STR_ARG(create->location));
}

/* A name that stands for a table elsewhere must not silently come to stand for another. */
static dw_status
check_name_is_free(dw_execution *x, const dw_table *table)
{
    const dw_create_statement *create = &x->statement.as.create;
    bool found;
    if (create->name.is_path || dw__str_is_null(create->location)) {
        return DW_OK;
    }
    dw_catalog *catalog = x->session->catalog;
    DW_TRY(dw__catalog_has(catalog, create->name.parts, create->name.part_count, &found, x->err));
    if (!found) {
        return DW_OK;
    }
    dw_str root;
    DW_TRY(dw__catalog_resolve(catalog, create->name.parts, create->name.part_count, &x->arena,
                               &root, x->err));
    DW_AUTO(dw_table_ptr) known = NULL;
    DW_TRY(dw__catalog_table_at(catalog, root, &known, x->err));
    if (dw__str_equal(dw__table_root(known), dw__table_root(table))) {
        return DW_OK;
    }
    dw_str name = dw__sql_name_print(&create->name, &x->arena);
    return dw__error_set(x->err, DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                         "%.*s is the table at %.*s already: leave out LOCATION or choose another "
                         "name",
                         DW_STR_ARG(name), DW_STR_ARG(root));
}

static dw_status
check_no_view(dw_execution *x)
{
    const dw_sql_name *name = &x->statement.as.create.name;
    if (name->is_path || name->part_count != 1 ||
        dw__session_view_find(x->session, name->parts[0]) == NULL) {
        return DW_OK;
    }
    return dw__error_set(x->err, DW_ALREADY_EXISTS, "VIEW_ALREADY_EXISTS",
                         "a view of this session is named %.*s: drop it first",
                         DW_STR_ARG(name->parts[0]));
}

static dw_status
open_table(dw_execution *x, dw_table **out)
{
    const dw_create_statement *create = &x->statement.as.create;
    dw_str root;
    DW_TRY(check_no_view(x));
    DW_TRY(dw__execution_root(x, &create->name, &root)); /* checks the name beside LOCATION, too */
    DW_TRY(check_location(x, root));
    root = dw__str_is_null(create->location) ? root : create->location;
    DW_TRY(dw__execution_open(x, root, out));
    return check_name_is_free(x, *out);
}

/* ---- What ------------------------------------------------------------------------------------ */

/* The properties that were asked for, and the one of CLUSTER BY AUTO. */
static dw_status
take_properties(dw_execution *x, dw_pairs *out)
{
    const dw_create_statement *create = &x->statement.as.create;
    *out = create->properties;
    DW_TRY(dw__profile_check_limits(out, x->err));
    if (!create->clusters_auto || dw__pairs_get(out, DW_CLUSTER_BY_AUTO) != NULL) {
        return DW_OK;
    }
    out->items = DW_ARENA_ARRAY(&x->arena, dw_pair, out->count + 1);
    if (out->items == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = create->properties.items[i];
    }
    out->items[out->count++] = (dw_pair){.key = DW_CLUSTER_BY_AUTO, .value = DW_STR("true")};
    return DW_OK;
}

static dw_status
create_with(dw_execution *x, dw_table *table, dw_str query, dw_write_result *out)
{
    const dw_create_statement *create = &x->statement.as.create;
    dw_pairs properties;
    DW_TRY(take_properties(x, &properties));
    dw_create_spec spec = {.mode = create->mode,
                           .schema = create->schema,
                           .partition_columns = create->partition_columns,
                           .partition_column_count = create->partition_column_count,
                           .cluster_by = create->cluster_by,
                           .clusters_auto = create->clusters_auto,
                           .properties = properties,
                           .has_no_defaults = x->session->settings.creates_without_vectors,
                           .comment = create->comment,
                           .query = query,
                           .read_snapshot = dw__execution_newest(x, table)};
    DW_TRY(dw__execution_limits(x, table, &spec.limits));
    return dw__table_create(table, x->session->connection, &spec, out, x->err);
}

static dw_status
create_from_query(dw_execution *x, dw_table *table, dw_write_result *out)
{
    dw_open_query query;
    dw_sql_range range = x->statement.as.create.query;
    DW_AUTO(dw_binding) binding = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(dw__bind(&binding, &x->sql, range, &x->arena, &options, x->err));
    dw_commit_limits begun;
    DW_TRY(dw__execution_limits(x, table, &begun));
    dw_status status = dw__open_query(x, &binding, range, range, &query);
    if (status == DW_OK) {
        status = dw__execution_note_query(x, &query, &x->sql, range);
    }
    if (status == DW_OK) {
        status = create_with(x, table, query.text, out);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}

/* IF NOT EXISTS needs no query where the table is there. */
static dw_status
is_there_already(dw_execution *x, dw_table *table, bool *out)
{
    *out = false;
    if (x->statement.as.create.mode != DW_CREATE_IF_MISSING) {
        return DW_OK;
    }
    return dw__log_exists(dw__table_log(table), out, x->err);
}

static dw_status
create_table(dw_execution *x, dw_table *table, dw_write_result *out)
{
    bool exists;
    *out = (dw_write_result){.version = -1};
    DW_TRY(is_there_already(x, table, &exists));
    if (exists) {
        return DW_OK;
    }
    if (dw__sql_range_is_empty(x->statement.as.create.query)) {
        return create_with(x, table, DW_STR_NULL, out);
    }
    return create_from_query(x, table, out);
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
set_message(dw_execution *x, dw_str name, const dw_write_result *done)
{
    const dw_create_statement *create = &x->statement.as.create;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    bool has_rows = !dw__sql_range_is_empty(create->query);
    if (done->version < 0) {
        dw__strbuf_printf(&text, "%.*s exists already: nothing was done", DW_STR_ARG(name));
        dw__execution_set_message(x, &text, -1);
        dw__execution_set_written(x, done);
        return dw__strbuf_ok(&text, "the message", x->err);
    }
    dw__strbuf_printf(&text, "%s table %.*s", done->version == 0 ? "created" : "replaced",
                      DW_STR_ARG(name));
    if (has_rows) {
        dw__strbuf_append_literal(&text, " with ");
        dw__put_written(&text, done);
    }
    dw__strbuf_printf(&text, " as version %" PRId64, done->version);
    dw__put_judged(&text, &done->judged);
    dw__execution_set_message(x, &text, has_rows ? done->rows_added : -1);
    dw__execution_set_written(x, done);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_create_table(dw_execution *x)
{
    const dw_create_statement *create = &x->statement.as.create;
    dw_str name = dw__sql_name_print(&create->name, &x->arena);
    DW_AUTO(dw_table_ptr) table = NULL;
    dw_write_result done;
    DW_TRY(open_table(x, &table));
    dw_status status =
        create->clone.is_set ? dw__execute_clone(x, table) : create_table(x, table, &done);
    if (status != DW_OK) {
        dw__error_context(x->err, "%s %.*s", x->statement.verb, DW_STR_ARG(name));
        return status;
    }
    if (!create->clone.is_set) {
        dw__execution_note_commit(x, done.version);
    }
    bool is_rehearsal = create->clone.is_set && create->clone.options.dry_run;
    if (!create->name.is_path && !dw__str_is_null(create->location) && !is_rehearsal) {
        DW_TRY(dw__catalog_register(x->session->catalog, create->name.parts,
                                    create->name.part_count, dw__table_root(table), x->err));
    }
    return create->clone.is_set ? DW_OK : set_message(x, name, &done);
}
