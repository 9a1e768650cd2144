/*
 * What names stand for: views of the session, the engine's own tables, Delta tables below the
 * warehouse, in this order.
 */
#include "base/assert.h"
#include "sql/execution.h"

/* ---- The engine's own tables ----------------------------------------------------------------- */

/* The engine knows best: it is asked for the columns. */
static dw_status
engine_has(dw_execution *x, const dw_sql_name *name, bool *found_out)
{
    *found_out = false;
    if (!x->session->may_have_engine_objects) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_SQL_STATEMENT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "FROM ");
    for (size_t i = 0; i < name->part_count; i++) {
        dw__strbuf_append(&sql, i > 0 ? DW_STR(".") : DW_STR(""));
        dw__sql_put_identifier(&sql, name->parts[i]);
    }
    DW_TRY(dw__strbuf_ok(&sql, "the name", x->err));
    dw_query_column *columns;
    size_t count;
    dw_error detail = DW_ERROR_INIT;
    dw_status status = dw__connection_describe(x->session->connection, dw__strbuf_str(&sql),
                                               &x->arena, &columns, &count, &detail);
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(x->err, &detail);
        return status;
    }
    *found_out = status == DW_OK;
    return DW_OK;
}

/* ---- Delta tables ---------------------------------------------------------------------------- */

/* The last part of a path. */
static dw_str
base_name(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    return slash == SIZE_MAX ? path : dw__str_slice(path, slash + 1, path.len);
}

/* The name that a migrated table goes by wherever it is. */
static bool
is_migrated(const dw_execution *x, const dw_sql_name *name)
{
    const dw_table *migrated = x->session->migrated;
    return migrated != NULL && !name->is_path && name->part_count == 1 &&
           dw__str_equal(name->parts[0], base_name(dw__table_root(migrated)));
}

static dw_status
path_exists(dw_execution *x, dw_str path, bool *found_out)
{
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__catalog_table_at(x->session->catalog, path, &table, x->err));
    return dw__log_exists(dw__table_log(table), found_out, x->err);
}

static dw_status
find_object(dw_execution *x, const dw_sql_name *name, dw_sql_object *out)
{
    bool found;
    *out = (dw_sql_object){.kind = DW_OBJECT_OTHER};
    if (name->is_path) {
        DW_TRY(path_exists(x, name->parts[0], &found));
        out->kind = found ? DW_OBJECT_DELTA : DW_OBJECT_OTHER;
        return DW_OK;
    }
    if (name->part_count == 1) {
        out->view = dw__session_view_find(x->session, name->parts[0]);
        if (out->view != NULL) {
            out->kind = DW_OBJECT_VIEW;
            return DW_OK;
        }
    }
    DW_TRY(engine_has(x, name, &found));
    if (found) {
        return DW_OK;
    }
    if (is_migrated(x, name)) {
        DW_TRY(dw__log_exists(dw__table_log(x->session->migrated), &found, x->err));
        out->kind = found ? DW_OBJECT_DELTA : DW_OBJECT_OTHER;
        return DW_OK;
    }
    DW_TRY(dw__catalog_has(x->session->catalog, name->parts, name->part_count, &found, x->err));
    out->kind = found ? DW_OBJECT_DELTA : DW_OBJECT_OTHER;
    return DW_OK;
}

static dw_status
lookup(void *ctx, const dw_sql_name *name, dw_sql_object *out, dw_error *err)
{
    dw_execution *x = ctx;
    dw_assert(err == x->err);
    return find_object(x, name, out);
}

dw_bind_options
dw__execution_bind_options(dw_execution *x)
{
    return (dw_bind_options){.lookup = {lookup, x}, .scan_prefix = x->scan_prefix};
}

dw_status
dw__execution_root(dw_execution *x, const dw_sql_name *name, dw_str *out)
{
    *out = name->parts[0];
    if (is_migrated(x, name)) {
        *out = dw__table_root(x->session->migrated);
        return DW_OK;
    }
    return name->is_path ? DW_OK
                         : dw__catalog_resolve(x->session->catalog, name->parts, name->part_count,
                                               &x->arena, out, x->err);
}

dw_status
dw__execution_open(dw_execution *x, dw_str root, dw_table **out)
{
    dw_table *migrated = x->session->migrated;
    DW_TRY(dw__catalog_table_at(x->session->catalog, root, out, x->err));
    if (migrated != NULL && dw__str_equal(dw__table_root(*out), dw__table_root(migrated))) {
        dw__table_unref(*out);
        *out = dw__table_ref(migrated);
    }
    return DW_OK;
}

static dw_status
open_table(dw_execution *x, const dw_sql_name *name, dw_table **out)
{
    dw_str root;
    DW_TRY(dw__execution_root(x, name, &root));
    return dw__execution_open(x, root, out);
}

/* ---- Targets --------------------------------------------------------------------------------- */

dw_status
dw__execution_target(dw_execution *x, const dw_sql_name *name, dw_target_kind *kind_out,
                     dw_table **table_out)
{
    dw_sql_object object = {.kind = DW_OBJECT_DELTA};
    bool found;
    *table_out = NULL;
    *kind_out = DW_TARGET_NONE;
    if (!name->is_path) {
        DW_TRY(find_object(x, name, &object));
    }
    switch (object.kind) {
    case DW_OBJECT_DELTA:
        *kind_out = DW_TARGET_DELTA;
        return open_table(x, name, table_out);
    case DW_OBJECT_VIEW:
        *kind_out = DW_TARGET_VIEW;
        return DW_OK;
    case DW_OBJECT_OTHER:
        DW_TRY(engine_has(x, name, &found));
        *kind_out = found ? DW_TARGET_ENGINE : DW_TARGET_NONE;
        return DW_OK;
    }
    dw_unreachable("object kind");
}

dw_status
dw__execution_table(dw_execution *x, const dw_sql_name *name, dw_table **out)
{
    dw_target_kind kind;
    DW_TRY(dw__execution_target(x, name, &kind, out));
    if (kind == DW_TARGET_DELTA) {
        return DW_OK;
    }
    if (kind == DW_TARGET_NONE) {
        return dw__table_not_found(x, name);
    }
    dw_str text = dw__sql_name_print(name, &x->arena);
    return dw__error_set(x->err, DW_INVALID_ARGUMENT, "NOT_A_DELTA_TABLE",
                         "expected a Delta table, found %.*s, which is %s", DW_STR_ARG(text),
                         kind == DW_TARGET_VIEW ? "a view" : "a table or view of the engine");
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

/* True for a time that says its zone itself. */
static bool
has_zone(dw_str text)
{
    if (text.len < 11) {
        return false;
    }
    dw_str time = dw__str_slice(text, 11, text.len);
    return dw__str_ends_with(text, DW_STR("Z")) || dw__str_find(time, '+') != SIZE_MAX ||
           dw__str_find(time, '-') != SIZE_MAX;
}

/* A literal such as '2024-01-31T12:00:00Z' needs no engine; nor does one without a zone, as long as
 * nobody can have told the engine of another zone than UTC. */
static dw_status
read_literal(dw_execution *x, dw_str expression, int64_t *micros_out, bool *known_out)
{
    DW_AUTO(dw_sql_text) sql = {0};
    dw_str text;
    *known_out = false;
    DW_TRY(dw__sql_text_init(&sql, x->arena.allocator, expression, x->err));
    if (sql.count != 2 || sql.items[0].kind != DW_TOKEN_STRING) {
        return DW_OK;
    }
    DW_TRY(dw__token_string(&sql, 0, &x->arena, &text, x->err));
    bool is_sure = has_zone(text) || !dw__database_is_loaded(x->session->database);
    *known_out = is_sure && dw__timestamp_parse(text, true, micros_out);
    return DW_OK;
}

dw_status
dw__execution_time(dw_execution *x, dw_str expression, const char *what, int64_t *micros_out)
{
    dw_text_rows rows;
    bool known;
    DW_TRY(read_literal(x, expression, micros_out, &known));
    if (known) {
        return DW_OK;
    }
    dw_str sql =
        dw__arena_printf(&x->arena, "SELECT epoch_us((%.*s)::TIMESTAMPTZ)", DW_STR_ARG(expression));
    if (dw__str_is_null(sql)) {
        return dw__error_oom(x->err);
    }
    dw_status status =
        dw__connection_query_text(x->session->connection, sql, &x->arena, &rows, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "evaluating %s %.*s", what, DW_STR_ARG(expression));
        return status;
    }
    if (rows.row_count != 1 || !dw__str_to_i64(rows.cells[0], micros_out)) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "TIME_TRAVEL_INVALID",
                             "expected a time as %s, found %.*s, which is NULL", what,
                             DW_STR_ARG(expression));
    }
    return DW_OK;
}

/* What was seen already, if the same state is meant; versions are compared, so `travel` must be by
 * version or not at all. */
static dw_log_snapshot *
find_seen(const dw_execution *x, const dw_table *table, const dw_sql_travel *travel)
{
    for (size_t i = 0; i < x->seen.count; i++) {
        const dw_seen_table *seen = &x->seen.items[i];
        bool matches = travel->kind == DW_TRAVEL_NONE
                           ? seen->is_newest
                           : dw__log_snapshot_version(seen->snapshot) == travel->version;
        if (seen->table == table && matches) {
            return seen->snapshot;
        }
    }
    return NULL;
}

dw_log_snapshot *
dw__execution_newest(const dw_execution *x, const dw_table *table)
{
    dw_sql_travel newest = {0};
    return find_seen(x, table, &newest);
}

static dw_status
see(dw_execution *x, dw_table *table, const dw_sql_travel *travel, dw_log_snapshot **out)
{
    dw_log *log = dw__table_log(table);
    dw_seen_table *slot = DW_VEC_PUSH(x->session->env->allocator, &x->seen);
    if (slot == NULL) {
        return dw__error_oom(x->err);
    }
    slot->is_newest = travel->kind == DW_TRAVEL_NONE;
    dw_transaction *transaction = x->session->transaction;
    dw_status status;
    if (!slot->is_newest) {
        status = dw__log_snapshot_at(log, travel->version, &slot->snapshot, x->err);
    } else if (transaction != NULL) {
        status = dw__transaction_snapshot(transaction, table, &slot->snapshot, x->err);
    } else {
        status = dw__log_snapshot(log, &slot->snapshot, x->err);
    }
    if (status != DW_OK) {
        x->seen.count--;
        return status;
    }
    slot->table = dw__table_ref(table);
    *out = slot->snapshot;
    return DW_OK;
}

dw_status
dw__execution_snapshot(dw_execution *x, dw_table *table, const dw_sql_travel *travel,
                       dw_log_snapshot **out)
{
    dw_sql_travel known = *travel;
    *out = NULL;
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    if (travel->kind == DW_TRAVEL_TIMESTAMP) {
        int64_t micros;
        DW_TRY(dw__execution_time(x, travel->expression, "TIMESTAMP AS OF", &micros));
        DW_TRY(dw__log_version_at(dw__table_log(table), micros, &known.version, x->err));
        known.kind = DW_TRAVEL_VERSION;
    }
    *out = find_seen(x, table, &known);
    return *out != NULL ? DW_OK : see(x, table, &known, out);
}

/* DISTINCT FROM stands in the statement, or in a view that it may name. */
static bool
compares_nulls(const dw_execution *x)
{
    const dw_session_view_vec *views = &x->session->views;
    bool found = dw__sql_compares_nulls(&x->sql);
    for (size_t i = 0; i < views->count && !found; i++) {
        found = views->items[i]->compares_nulls;
    }
    return found;
}

/* One reference of a query: a table that exists when it is a name, and must exist when a path. */
static dw_status
source_of(dw_execution *x, const dw_sql_reference *reference, dw_scan_source *out)
{
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(open_table(x, &reference->name, &table));
    out->changes = NULL;
    out->with_metadata = reference->with_metadata;
    dw_status status;
    if (reference->changes.is_set) {
        status = dw__execution_changes(x, table, &reference->changes, &out->changes);
        out->snapshot = status == DW_OK ? dw__log_changes_snapshot(out->changes) : NULL;
    } else {
        status = dw__execution_snapshot(x, table, &reference->travel, &out->snapshot);
    }
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&reference->name, &x->arena);
        dw__error_context(x->err, "opening %.*s", DW_STR_ARG(name));
    }
    bool counts_use = !x->session->settings.counts_no_use && out->changes == NULL &&
                      x->statement.kind != DW_STATEMENT_EXPLAIN;
    out->use = counts_use ? dw__table_column_use(table) : NULL;
    out->name = reference->scan_name;
    return status;
}

dw_status
dw__execution_sources(dw_execution *x, const dw_binding *binding, dw_scan_source **out)
{
    size_t count = binding->references.count;
    *out = DW_ARENA_ARRAY(&x->arena, dw_scan_source, count + 1);
    if (*out == NULL) {
        return dw__error_oom(x->err);
    }
    bool with_nulls = compares_nulls(x);
    for (size_t i = 0; i < count; i++) {
        DW_TRY(source_of(x, &binding->references.items[i], &(*out)[i]));
        (*out)[i].compares_nulls = with_nulls;
    }
    return DW_OK;
}
