/*
 * Which files to write again, and the commits.
 */
#include "table/feature_rewrites.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "protocol/type_widening.h"
#include "table/alter_core.h"
#include "table/file_rewrite.h"

#include <inttypes.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define PARAMETERS_BYTES_MAX ((size_t) 64 << 20)
/* So many footers are looked at in one query. */
#define FOOTERS_MAX 1000

typedef struct reorg {
    dw_table *table;
    dw_connection *connection;
    dw_arena arena;
    dw_log_snapshot *snapshot;
    dw_file_ref *files; /* that are to be written again */
    size_t count;
} reorg;

static dw_status
reorg_open(reorg *r, dw_table *table, dw_connection *connection, dw_error *err)
{
    *r = (reorg){.table = table, .connection = connection};
    dw__arena_init(&r->arena, dw__table_env(table)->allocator);
    DW_TRY(dw__log_snapshot(dw__table_log(table), &r->snapshot, err));
    size_t max = dw__file_set_count(dw__log_snapshot_files(r->snapshot));
    r->files = DW_ARENA_ARRAY(&r->arena, dw_file_ref, max + 1);
    return r->files == NULL ? dw__error_oom(err) : DW_OK;
}

static void
reorg_close(reorg *r)
{
    dw__log_snapshot_unref(r->snapshot);
    dw__arena_deinit(&r->arena);
}

static dw_status
reorg_commit(reorg *r, bool purges, dw_error *err)
{
    if (r->count == 0) {
        return DW_OK;
    }
    dw_change change;
    dw_txn_result done;
    dw_file_rewrite rewrite = {
        .connection = r->connection, .files = r->files, .file_count = r->count};
    DW_TRY(dw__change_init(&change, r->table, r->snapshot, &r->arena, 0, err));
    change.operation = "REORG";
    change.rearranges = true;
    change.parameters_json = purges ? DW_STR("{\"predicate\":\"[]\",\"applyPurge\":true}")
                                    : DW_STR("{\"predicate\":\"[]\",\"applyPurge\":false}");
    dw_status status = dw__file_rewrite(&rewrite, &change, err);
    if (status != DW_OK) {
        dw__change_discard(&change);
        return status;
    }
    return dw__change_commit(&change, &done, err);
}

/* ---- Deletion vectors ------------------------------------------------------------------------ */

bool
dw__feature_has_vectors(const dw_log_snapshot *snapshot)
{
    return dw__file_set_dv_count(dw__log_snapshot_files(snapshot)) > 0;
}

dw_status
dw__feature_purge_vectors(dw_table *table, dw_connection *connection, bool *purged_out,
                          dw_error *err)
{
    reorg r;
    dw_file_ref ref;
    *purged_out = false;
    dw_status status = reorg_open(&r, table, connection, err);
    if (status == DW_OK) {
        const dw_file_set *set = dw__log_snapshot_files(r.snapshot);
        for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
            if (dw__file_set_dv(set, ref) != NULL) {
                r.files[r.count++] = ref;
            }
        }
        *purged_out = r.count > 0;
        status = reorg_commit(&r, true, err);
    }
    reorg_close(&r);
    return status;
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* Builds the condition for a column of a file that has a type from before. */
typedef struct type_search {
    dw_strbuf condition;
    bool by_name; /* names of columns in files are those of the schema */
} type_search;

static dw_status
put_old_type(void *ctx, const dw_type_change *change, dw_error *err)
{
    type_search *search = ctx;
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(search->condition.allocator, SQL_BYTES_MAX);
    dw__engine_type_print(&type, change->from);
    DW_TRY(dw__strbuf_ok(&type, "a type's name", err));
    dw__strbuf_append(&search->condition, search->condition.len == 0 ? DW_STR("") : DW_STR(" OR "));
    dw__strbuf_append_literal(&search->condition, "(duckdb_type = ");
    dw__sql_put_literal(&search->condition, dw__strbuf_str(&type));
    /* What is inside of arrays and maps has a name of its own, which writers choose. */
    if (search->by_name && !dw__type_is_nested(change->field->type)) {
        dw__strbuf_append_literal(&search->condition, " AND name = ");
        dw__sql_put_literal(&search->condition, change->field->physical_name);
    }
    dw__strbuf_append_char(&search->condition, ')');
    return dw__strbuf_ok(&search->condition, "the statement", err);
}

/* Appends the query for the numbers of those files in which the condition holds for a column. */
static dw_status
print_search(const reorg *r, dw_str condition, const dw_file_ref *refs, size_t count,
             dw_strbuf *out, dw_error *err)
{
    const dw_file_set *set = dw__log_snapshot_files(r->snapshot);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(out->allocator, SQL_BYTES_MAX);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, out->allocator);
    dw__strbuf_append_literal(out, "SELECT DISTINCT f.n FROM (VALUES ");
    for (size_t i = 0; i < count; i++) {
        dw_str path;
        DW_TRY(dw__uri_resolve(&scratch, dw__table_root(r->table), dw__file_set_path(set, refs[i]),
                               &path, err));
        dw__strbuf_printf(out, "%s(%zu, ", i == 0 ? "" : ", ", i);
        dw__sql_put_literal(out, path);
        dw__strbuf_append_char(out, ')');
        dw__strbuf_append(&list, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_literal(&list, path);
        dw__arena_reset(&scratch);
    }
    dw__strbuf_append_literal(out, ") f(n, path) JOIN parquet_schema([");
    dw__strbuf_append(out, dw__strbuf_str(&list));
    dw__strbuf_append_literal(out, "]) s ON s.file_name = f.path WHERE ");
    dw__strbuf_append(out, condition);
    DW_TRY(dw__strbuf_ok(&list, "the statement", err));
    return dw__strbuf_ok(out, "the statement", err);
}

/* Looks into the footers of some files. */
static dw_status
search_footers(reorg *r, dw_str condition, const dw_file_ref *refs, size_t count, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(r->arena.allocator, SQL_BYTES_MAX);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, r->arena.allocator);
    dw_text_rows rows;
    DW_TRY(print_search(r, condition, refs, count, &sql, err));
    DW_TRY(dw__connection_query_text(r->connection, dw__strbuf_str(&sql), &scratch, &rows, err));
    for (size_t i = 0; i < rows.row_count; i++) {
        int64_t idx = -1;
        bool is_number = dw__str_to_i64(rows.cells[i], &idx);
        dw_assert(is_number && idx >= 0 && (size_t) idx < count);
        r->files[r->count++] = refs[idx];
    }
    return DW_OK;
}

static dw_status
find_old_types(reorg *r, dw_str condition, dw_error *err)
{
    dw_file_ref batch[FOOTERS_MAX];
    dw_file_ref ref;
    size_t count = 0;
    const dw_file_set *set = dw__log_snapshot_files(r->snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        batch[count++] = ref;
        if (count == FOOTERS_MAX) {
            DW_TRY(search_footers(r, condition, batch, count, err));
            count = 0;
        }
    }
    return count == 0 ? DW_OK : search_footers(r, condition, batch, count, err);
}

/* The columns whose metadata changes, for the history. */
typedef struct column_list {
    dw_strbuf json;
    const dw_field *last;
} column_list;

static dw_status
put_column(void *ctx, const dw_type_change *change, dw_error *err)
{
    column_list *list = ctx;
    char name[DW_COLUMN_NAME_SIZE];
    char type[DW_TYPE_TEXT_SIZE];
    if (list->last == change->field) {
        return DW_OK;
    }
    list->last = change->field;
    dw__strbuf_append(&list->json, list->json.len == 0 ? DW_STR("[{") : DW_STR(",{"));
    dw__json_put_key(&list->json, DW_STR("name"));
    dw__json_put_string(&list->json, dw__str_from(dw__column_name_print(change->name, name)));
    dw__json_put_key(&list->json, DW_STR("type"));
    dw__json_put_string(&list->json, dw__str_from(dw__type_text(change->field->type, type)));
    dw__json_put_key(&list->json, DW_STR("nullable"));
    dw__strbuf_append(&list->json, change->field->nullable ? DW_STR("true") : DW_STR("false"));
    dw__strbuf_append_char(&list->json, '}');
    return dw__strbuf_ok(&list->json, "the columns", err);
}

static dw_status
forget_types(dw_alter *alter, column_list *list, dw_error *err)
{
    static const dw_str prefix = {"delta.typeChanges", 17};
    dw_alter_report done = {0};
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(alter->arena.allocator, PARAMETERS_BYTES_MAX);
    DW_TRY(dw__type_changes_visit(alter->schema, put_column, list, &alter->arena, err));
    if (list->last == NULL) {
        return DW_OK;
    }
    dw__strbuf_append_char(&list->json, ']');
    dw__change_put_parameter(&parameters, "columns", dw__strbuf_str(&list->json));
    DW_TRY(dw__schema_strip(alter->schema, &prefix, 1, &alter->arena, &alter->schema, err));
    DW_TRY(dw__alter_print_schema(alter, err));
    return dw__alter_commit(alter, "DROP FEATURE", &parameters, &done, err);
}

static dw_status
rewrite_old_types(reorg *r, bool *found_out, dw_error *err)
{
    type_search search = {.condition = dw__strbuf_make(r->arena.allocator, SQL_BYTES_MAX)};
    search.by_name = dw__log_snapshot_properties(r->snapshot)->mapping_mode != DW_MAPPING_ID;
    dw_status status = dw__type_changes_visit(dw__log_snapshot_schema(r->snapshot), put_old_type,
                                              &search, &r->arena, err);
    *found_out = search.condition.len > 0;
    if (status == DW_OK && *found_out) {
        status = find_old_types(r, dw__strbuf_str(&search.condition), err);
    }
    if (status == DW_OK) {
        status = reorg_commit(r, false, err);
    }
    dw__strbuf_deinit(&search.condition);
    return status;
}

dw_status
dw__feature_apply_types(dw_table *table, dw_connection *connection, bool *applied_out,
                        dw_error *err)
{
    reorg r;
    *applied_out = false;
    dw_status status = reorg_open(&r, table, connection, err);
    if (status == DW_OK) {
        status = rewrite_old_types(&r, applied_out, err);
    }
    reorg_close(&r);
    if (status != DW_OK || !*applied_out) {
        return status;
    }
    dw_alter alter;
    column_list list = {.json =
                            dw__strbuf_make(dw__table_env(table)->allocator, PARAMETERS_BYTES_MAX)};
    status = dw__alter_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = forget_types(&alter, &list, err);
    }
    dw__alter_close(&alter);
    dw__strbuf_deinit(&list.json);
    return status;
}
