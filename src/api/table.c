/*
 * Table handles: opening, creating, appending, history, checkpoints.
 */
#include "api/handles.h"
#include "api/options.h"
#include "table/arrow_schema.h"
#include "table/audited.h"
#include "table/create.h"
#include "table/describe.h"
#include "table/read.h"
#include "table/run_lineage.h"

dw_status
dw_table_open(dw_runtime *runtime, const char *uri, dw_table **out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    DW_REQUIRE(runtime);
    DW_REQUIRE(uri);
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__catalog_table_at(runtime->catalog, dw__str_from(uri), &table, err));
    bool exists;
    DW_TRY(dw__log_exists(dw__table_log(table), &exists, err));
    if (!exists) {
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "%s is no Delta table: expected commits in %s/_delta_log/", uri, uri);
    }
    *out = dw__table_ref(table);
    return DW_OK;
}

void
dw_table_close(dw_table *table)
{
    dw__table_unref(table);
}

static dw_status
fill_create_spec(const dw_create_options *options, dw_arena *arena, dw_create_spec *spec,
                 dw_error *err)
{
    if (DW_HAS_OPTION(options, partition_columns)) {
        DW_TRY(dw__options_strings(options->partition_columns, arena, &spec->partition_columns,
                                   &spec->partition_column_count, err));
    }
    if (DW_HAS_OPTION(options, property_values)) {
        DW_TRY(dw__options_pairs(options->property_keys, options->property_values, arena,
                                 &spec->properties, err));
    }
    if (DW_HAS_OPTION(options, comment)) {
        spec->comment = dw__str_from(options->comment);
    }
    return DW_OK;
}

dw_status
dw_table_create(dw_runtime *runtime, const char *uri, const struct ArrowSchema *schema,
                const dw_create_options *options, dw_table **out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    *out = NULL;
    DW_REQUIRE(runtime);
    DW_REQUIRE(uri);
    DW_REQUIRE(schema);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, runtime->env.allocator);
    dw_create_spec spec = {.mode = DW_CREATE_NEW};
    DW_TRY(dw__arrow_schema_to_delta(schema, &arena, &spec.schema, err));
    DW_TRY(fill_create_spec(options, &arena, &spec, err));
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__catalog_table_at(runtime->catalog, dw__str_from(uri), &table, err));
    dw_write_result result = {.version = -1};
    dw_told told = DW_TOLD_INIT("CREATE TABLE");
    DW_TRY(dw__table_tell_begin(table, &told, err));
    dw_status status = dw__table_lineage_begin(table, told.verb, &arena, &spec.limits.lineage, err);
    if (status == DW_OK) {
        status = dw__table_create(table, NULL, &spec, &result, err);
        dw__table_lineage_end(table, spec.limits.lineage, &result, status, err);
    }
    dw__table_tell_end(table, &told, &result, status, err);
    DW_TRY(status);
    *out = dw__table_ref(table);
    return DW_OK;
}

dw_status
dw_table_append(dw_table *table, struct ArrowArrayStream *rows, const dw_append_options *options,
                dw_commit *commit_out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(rows);
    DW_REQUIRE(table);
    dw_txn_id txn = {.version = -1};
    dw_append_spec append = {.user_metadata = DW_STR_NULL};
    if (DW_HAS_OPTION(options, txn_version) && options->txn_app_id != NULL) {
        txn.app_id = dw__str_from(options->txn_app_id);
        txn.version = options->txn_version;
        txn.has_last_updated = true;
        txn.last_updated_ms = dw__env_now_ms(dw__table_env(table));
        append.txn = txn.version >= 0 ? &txn : NULL;
    }
    if (DW_HAS_OPTION(options, user_metadata)) {
        append.user_metadata = dw__str_from(options->user_metadata);
    }
    if (DW_HAS_OPTION(options, merge_schema) && options->merge_schema) {
        append.columns_become = DW_COLUMNS_MERGED;
    }
    dw_write_result result = {.version = -1};
    dw_told told = DW_TOLD_INIT("APPEND");
    dw_status status = dw__table_tell_begin(table, &told, err);
    if (status == DW_OK) {
        status = dw__table_append(table, rows, &append, &result, err);
        dw__table_tell_end(table, &told, &result, status, err);
    } else if (rows->release != NULL) {
        rows->release(rows);
    }
    if (commit_out != NULL) {
        *commit_out = (dw_commit){.version = result.version,
                                  .rows_added = result.rows_added,
                                  .files_added = result.files_added,
                                  .bytes_added = result.bytes_added,
                                  .skipped_as_duplicate = result.was_duplicate};
    }
    return status;
}

dw_status
dw_table_history(dw_table *table, int64_t limit, struct ArrowArrayStream *out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(out);
    memset(out, 0, sizeof(*out));
    DW_REQUIRE(table);
    if (limit < 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARGUMENT_RANGE",
                             "limit must not be negative");
    }
    return dw__table_history(table, limit, out, err);
}

dw_status
dw_table_checkpoint(dw_table *table, int64_t *version_out, dw_error *err)
{
    dw__error_clear(err);
    DW_REQUIRE(table);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    dw_told told = DW_TOLD_INIT("CHECKPOINT");
    DW_TRY(dw__table_tell_begin(table, &told, err));
    dw_status status = dw__log_checkpoint(snapshot, err);
    dw__table_tell_end(table, &told, NULL, status, err);
    DW_TRY(status);
    if (version_out != NULL) {
        *version_out = dw__log_snapshot_version(snapshot);
    }
    return DW_OK;
}
