/*
 * A view over the files, with expressions for the columns that need them; the load reads that.
 */
#include "table/old_sources.h"

#include "scan/scan.h"
#include "table/file_query.h"

#define VIEW_NAME DW_STR("dw_old_sources")

typedef struct old_sources {
    dw_connection *connection;
    const dw_source_files *files;
    const dw_load_spec *spec;
    dw_arena *arena;
    dw_old_values *values; /* of the files */
    bool has_dates, has_instants;
    dw_text_rows unmarked; /* names of columns with instants that their files do not mark as such */
} old_sources;

static dw_status
look_into_files(old_sources *old, const dw_env *env, dw_error *err)
{
    old->values = DW_ARENA_ARRAY(old->arena, dw_old_values, old->files->count + 1);
    if (old->values == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < old->files->count; i++) {
        dw_old_values *found = &old->values[i];
        DW_TRY(dw__scan_look_for_old(env, old->connection, old->files->paths[i], found, err));
        old->has_dates = old->has_dates || found->has_dates;
        old->has_instants = old->has_instants || found->zone != NULL;
    }
    return DW_OK;
}

/* To the engine they are local times. */
static dw_status
find_unmarked(old_sources *old, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT DISTINCT name FROM parquet_schema([");
    for (size_t i = 0; i < old->files->count; i++) {
        dw__strbuf_append(&sql, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_literal(&sql, old->files->paths[i]);
    }
    dw__strbuf_append_literal(&sql, "]) WHERE type = 'INT96' OR (type = 'INT64' AND converted_type "
                                    "LIKE 'TIMESTAMP%' AND logical_type IS NULL)");
    DW_TRY(dw__strbuf_ok(&sql, "the search for timestamps", err));
    return dw__connection_query_text(old->connection, dw__strbuf_str(&sql), old->arena,
                                     &old->unmarked, err);
}

static bool
is_unmarked(const old_sources *old, dw_str name)
{
    return dw__str_among(old->unmarked.cells, old->unmarked.row_count, name);
}

/* Appends the column's expression; nothing where it stays as it is. */
static dw_status
put_expression(const old_sources *old, const dw_query_column *column, dw_strbuf *out, dw_error *err)
{
    const dw_type *type;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status =
        dw__engine_type_parse(column->name, column->type, old->arena, &type, &ignored);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(old->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__sql_put_identifier(&name, column->name);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", err));
    dw_str quoted = dw__strbuf_str(&name);
    if (status == DW_OK && type->kind == DW_TYPE_TIMESTAMP_NTZ && is_unmarked(old, column->name)) {
        dw__strbuf_printf(out, "dw_old_instant(file_index, timezone('UTC', %.*s))",
                          DW_STR_ARG(quoted));
    } else if (status == DW_OK) {
        dw__scan_put_today(out, type, quoted, old->has_dates, old->has_instants, old->arena);
    }
    return DW_OK;
}

/* Appends `* REPLACE (...)`; *any_out: some column needs it. */
static dw_status
put_columns(const old_sources *old, dw_str query, dw_strbuf *out, bool *any_out, dw_error *err)
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
bind_view(const old_sources *old, dw_strbuf *query, bool *bound_out, dw_error *err)
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
    old_sources old = {.connection = connection, .files = files, .spec = spec, .arena = arena};
    *bound_out = false;
    DW_TRY(look_into_files(&old, env, err));
    if (!old.has_dates && !old.has_instants) {
        return DW_OK;
    }
    if (old.has_instants) {
        DW_TRY(find_unmarked(&old, err));
    }
    return bind_view(&old, query, bound_out, err);
}

void
dw__old_sources_unbind(dw_connection *connection)
{
    dw__connection_unbind_scan(connection, VIEW_NAME);
}
