/*
 * A view over the files, with expressions for the columns that need them; the load reads that.
 */
#include "table/old_sources.h"

#include "parquet/footer.h"
#include "scan/scan.h"
#include "table/file_query.h"

#define VIEW_NAME DW_STR("dw_old_sources")

typedef struct old_sources {
    const dw_env *env;
    dw_connection *connection;
    const dw_source_files *files;
    const dw_load_spec *spec;
    dw_arena *arena;
    dw_old_values *values; /* of the files */
    dw_file_times times;   /* that some file has */
    /* The footer of a file, in an arena of its own; file_idx == files->count: of none. */
    dw_arena footer_arena;
    dw_pq_footer footer;
    size_t file_idx;
} old_sources;

/* ---- What files have ------------------------------------------------------------------------- */

static dw_status
open_footer(old_sources *old, size_t file_idx, bool *read_out, dw_error *err)
{
    *read_out = true;
    if (old->file_idx == file_idx) {
        return DW_OK;
    }
    if (dw__env_is_cancelled(old->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    dw__arena_reset(&old->footer_arena);
    old->file_idx = old->files->count;
    old->footer = (dw_pq_footer){0};
    DW_TRY(dw__pq_footer_open(old->env, old->files->paths[file_idx], &old->footer_arena,
                              &old->footer, read_out, err));
    old->file_idx = *read_out ? file_idx : old->file_idx;
    return DW_OK;
}

static bool
has_unmarked(const dw_pq_footer *footer)
{
    for (size_t i = 0; i < footer->node_count; i++) {
        if (footer->nodes[i].is_unmarked_instant) {
            return true;
        }
    }
    return false;
}

static dw_status
look_into_files(old_sources *old, dw_error *err)
{
    dw_file_times *times = &old->times;
    old->values = DW_ARENA_ARRAY(old->arena, dw_old_values, old->files->count + 1);
    if (old->values == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = old->files->count; i > 0; i--) { /* the first is looked into again */
        dw_old_values *found = &old->values[i - 1];
        bool is_read;
        DW_TRY(open_footer(old, i - 1, &is_read, err));
        if (is_read) {
            DW_TRY(dw__scan_judge_old(old->connection, &old->footer, old->arena, found, err));
        }
        times->has_old_dates = times->has_old_dates || found->has_dates;
        times->has_old_instants = times->has_old_instants || found->zone != NULL;
        times->has_unmarked = times->has_unmarked || (is_read && has_unmarked(&old->footer));
    }
    return DW_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* What the first file that has the column makes of its type. */
static dw_status
mark_instants(old_sources *old, dw_str column, const dw_type **type, bool *any_out, dw_error *err)
{
    *any_out = false;
    for (size_t i = 0; old->times.has_unmarked && i < old->files->count; i++) {
        bool is_read;
        DW_TRY(open_footer(old, i, &is_read, err));
        const dw_pq_node *node =
            is_read ? dw__pq_child(&old->footer, &old->footer.nodes[0], column) : NULL;
        if (node != NULL) {
            *type = dw__scan_mark_instants(&old->footer, node, *type, old->arena, any_out);
            return *type == NULL ? dw__error_oom(err) : DW_OK;
        }
    }
    return DW_OK;
}

/* Appends the column's expression; nothing where it stays as it is. */
static dw_status
put_expression(old_sources *old, const dw_query_column *column, dw_strbuf *out, dw_error *err)
{
    const dw_type *type;
    dw_error ignored = DW_ERROR_INIT;
    dw_file_times times = old->times;
    dw_status status =
        dw__engine_type_parse(column->name, column->type, old->arena, &type, &ignored);
    if (status != DW_OK) { /* no type of ours: what it is worth is told when it is loaded */
        return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
    }
    DW_TRY(mark_instants(old, column->name, &type, &times.has_unmarked, err));
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__sql_put_identifier(&name, column->name);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", err));
    dw__scan_put_times(out, type, dw__strbuf_str(&name), &times, old->arena);
    return DW_OK;
}

/* Appends `* REPLACE (...)`; *any_out: some column needs it. */
static dw_status
put_columns(old_sources *old, dw_str query, dw_strbuf *out, bool *any_out, dw_error *err)
{
    dw_query_column *columns;
    size_t count;
    *any_out = false;
    DW_TRY(dw__connection_describe(old->connection, query, old->arena, &columns, &count, err));
    dw__strbuf_append_literal(out, "* REPLACE (");
    for (size_t i = 0; i < count; i++) {
        DW_AUTO(dw_strbuf) value = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
        DW_TRY(put_expression(old, &columns[i], &value, err));
        DW_TRY(dw__strbuf_ok(&value, "the statement", err));
        if (value.len > 0) {
            dw__strbuf_append(out, *any_out ? DW_STR(", ") : DW_STR(""));
            dw__strbuf_append(out, dw__strbuf_str(&value));
            dw__strbuf_append_literal(out, " AS ");
            dw__sql_put_identifier(out, columns[i].name);
            *any_out = true;
        }
    }
    dw__strbuf_append_char(out, ')');
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
print_files(const old_sources *old, dw_str select_list, dw_strbuf *out, dw_error *err)
{
    return dw__file_query_print(out, DW_LOAD_PARQUET, old->files->paths, old->files->count,
                                &old->spec->format_options, select_list, err);
}

static dw_status
bind_view(old_sources *old, dw_strbuf *query, bool *bound_out, dw_error *err)
{
    bool is_any;
    DW_AUTO(dw_strbuf) plain = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) columns = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) view = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_files(old, DW_STR_NULL, &plain, err));
    DW_TRY(put_columns(old, dw__strbuf_str(&plain), &columns, &is_any, err));
    if (!is_any) {
        return DW_OK;
    }
    DW_TRY(print_files(old, dw__strbuf_str(&columns), &view, err));
    dw_scan_files files = {
        .paths = old->files->paths, .count = old->files->count, .old = old->values};
    DW_TRY(
        dw__connection_bind_scan(old->connection, VIEW_NAME, dw__strbuf_str(&view), &files, err));
    *bound_out = true;
    dw_str select_list = old->spec->select_list;
    dw__strbuf_clear(query);
    dw__strbuf_append_literal(query, "SELECT ");
    dw__strbuf_append(query, dw__str_is_null(select_list) ? DW_STR("*") : select_list);
    dw__strbuf_append_literal(query, " FROM ");
    dw__sql_put_identifier(query, VIEW_NAME);
    return dw__strbuf_ok(query, "the statement", err);
}

dw_status
dw__old_sources_bind(const dw_env *env, dw_connection *connection, const dw_source_files *files,
                     const dw_load_spec *spec, dw_arena *arena, dw_strbuf *query, bool *bound_out,
                     dw_error *err)
{
    old_sources old = {.env = env,
                       .connection = connection,
                       .files = files,
                       .spec = spec,
                       .arena = arena,
                       .file_idx = files->count};
    *bound_out = false;
    dw__arena_init(&old.footer_arena, arena->allocator);
    dw_status status = look_into_files(&old, err);
    const dw_file_times *times = &old.times;
    if (status == DW_OK &&
        (times->has_old_dates || times->has_old_instants || times->has_unmarked)) {
        status = bind_view(&old, query, bound_out, err);
    }
    dw__arena_deinit(&old.footer_arena);
    return status;
}

void
dw__old_sources_unbind(dw_connection *connection)
{
    dw__connection_unbind_scan(connection, VIEW_NAME);
}
