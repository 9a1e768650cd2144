/*
 * From a statement to the files that each occurrence of a table must read.
 */
#include "scan/scan_core.h"

#include "base/assert.h"

#define TYPE_NAME_BYTES_MAX ((size_t) 64 << 20)
/* The stub of a predicate that stands by itself. */
#define PREDICATE_STUB "dw_predicate"

/* ---- Stubs ----------------------------------------------------------------------------------- */

static dw_status
describe_column(const dw_field *field, dw_arena *arena, dw_query_column *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(arena->allocator, TYPE_NAME_BYTES_MAX);
    dw__engine_type_print(&type, field->type);
    DW_TRY(dw__strbuf_ok(&type, "the type of a column", err));
    out->name = field->name;
    return dw__arena_dup(arena, dw__strbuf_str(&type), &out->type) ? DW_OK : dw__error_oom(err);
}

static dw_status
make_stub(const dw_plan_source *source, dw_arena *arena, dw_plan_stub *out, dw_error *err)
{
    const dw_type *schema = source->scope.schema;
    size_t count = schema->field_count;
    dw_query_column *columns = DW_ARENA_ARRAY(arena, dw_query_column, count + 2);
    if (columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(describe_column(&schema->fields[i], arena, &columns[i], err));
    }
    if (source->with_positions) {
        columns[count++] = (dw_query_column){DW_STR(DW_SCAN_FILE_COLUMN), DW_STR("BIGINT")};
        columns[count++] = (dw_query_column){DW_STR(DW_SCAN_ROW_COLUMN), DW_STR("BIGINT")};
    }
    *out = (dw_plan_stub){.name = source->name, .columns = columns, .count = count};
    return DW_OK;
}

dw_status
dw__scan_plan_sources(dw_connection *connection, dw_database *database, const dw_env *env,
                      dw_str sql, dw_plan_source *sources, size_t count, dw_arena *arena,
                      dw_str *plan_out, dw_error *err)
{
    *plan_out = DW_STR_NULL;
    dw_plan_stub *stubs = DW_ARENA_ARRAY(arena, dw_plan_stub, count);
    if (stubs == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        sources[i].predicate = sources[i].whole = dw__predicate_unknown();
        if (sources[i].scope.schema->field_count == 0) {
            return DW_OK;
        }
        DW_TRY(make_stub(&sources[i], arena, &stubs[i], err));
    }
    DW_TRY(connection != NULL
               ? dw__connection_plan_with(connection, sql, stubs, count, arena, plan_out, err)
               : dw__database_plan_with(database, sql, stubs, count, arena, plan_out, err));
    return dw__plan_read(env->allocator, *plan_out, sources, count, err);
}

/* ---- Pruning --------------------------------------------------------------------------------- */

static dw_status
fill_report(const dw_file_set *set, const dw_plan_source *source, const dw_prune_result *pruned,
            dw_arena *arena, dw_scan_report *out, dw_error *err)
{
    *out = (dw_scan_report){.files_total = (int64_t) dw__file_set_count(set),
                            .files_after_partitions = (int64_t) pruned->count_after_partitions,
                            .files_after_statistics = (int64_t) pruned->count,
                            .files_after_filters = (int64_t) pruned->count,
                            .bytes_read_max = pruned->size_bytes,
                            .predicate = DW_STR("")};
    if (source->predicate->kind == DW_PREDICATE_UNKNOWN) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, 8 * DW_PREDICATE_TEXT_BYTES_MAX);
    dw__predicate_print(&text, &source->scope, source->predicate);
    DW_TRY(dw__strbuf_ok(&text, "the predicate", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), &out->predicate) ? DW_OK
                                                                        : dw__error_oom(err);
}

dw_status
dw__scan_prune(const dw_relation *relation, const dw_plan_source *source, dw_arena *arena,
               dw_prune_result *out, dw_scan_report *report_out, dw_error *err)
{
    const dw_env *env = dw__log_env(relation->log);
    dw_status status = dw__prune(env->allocator, relation->files, &source->scope, source->predicate,
                                 arena, out, err);
    if (status != DW_OK) {
        dw__error_context(err, "choosing the files that version %lld of the table has to read",
                          (long long) relation->version);
        return status;
    }
    DW_TRY(fill_report(relation->files, source, out, arena, report_out, err));
    return dw__scan_ask_filters(relation, source, arena, out, report_out, err);
}

/* ---- A predicate by itself ------------------------------------------------------------------- */

static dw_status
plan_predicate(dw_database *database, const dw_env *env, dw_str predicate, dw_plan_source *source,
               dw_arena *arena, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, TYPE_NAME_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT 1 FROM " PREDICATE_STUB " WHERE (");
    dw__strbuf_append(&sql, predicate);
    /* The predicate may end with a comment. */
    dw__strbuf_append_literal(&sql, "\n)");
    DW_TRY(dw__strbuf_ok(&sql, "the predicate", err));
    dw_str plan;
    return dw__scan_plan_sources(NULL, database, env, dw__strbuf_str(&sql), source, 1, arena, &plan,
                                 err);
}

dw_status
dw__scan_plan(dw_database *database, dw_log_snapshot *snapshot, dw_str predicate, dw_arena *arena,
              dw_file_ref **out, size_t *count_out, dw_scan_report *report_out, dw_error *err)
{
    *out = NULL;
    *count_out = 0;
    memset(report_out, 0, sizeof(*report_out));
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    const dw_env *env = dw__log_env(dw__log_snapshot_log(snapshot));
    dw_plan_source source = {.name = DW_STR(PREDICATE_STUB),
                             .predicate = dw__predicate_unknown(),
                             .whole = dw__predicate_unknown()};
    dw__predicate_scope_init(&source.scope, arena, dw__log_snapshot_schema(snapshot),
                             metadata->partition_columns, metadata->partition_column_count);
    if (!dw__str_is_null(predicate)) {
        DW_TRY(plan_predicate(database, env, predicate, &source, arena, err));
    }
    dw_prune_result pruned;
    dw_relation relation = dw__relation_of_snapshot(snapshot);
    DW_TRY(dw__scan_prune(&relation, &source, arena, &pruned, report_out, err));
    *out = pruned.files;
    *count_out = pruned.count;
    return DW_OK;
}
