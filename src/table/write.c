/*
 * INSERT INTO, INSERT OVERWRITE and every other way to add the rows of a query.
 */
#include "base/assert.h"
#include "lineage/lineage.h"
#include "protocol/feature.h"
#include "table/read_set.h"
#include "table/write_core.h"

/* How often a statement is run again because another writer took its identity values. */
#define IDENTITY_RETRIES_MAX 100

/* ---- Checks before anything is written ------------------------------------------------------- */

static dw_status
check_table(const dw_write *write, dw_error *err)
{
    DW_TRY(
        dw__protocol_check_write(dw__log_snapshot_protocol(write->snapshot), write->schema, err));
    if (write->spec->mode == DW_WRITE_OVERWRITE && write->properties->append_only) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                             "the table is append-only (delta.appendOnly = true): its rows cannot "
                             "be overwritten");
    }
    return DW_OK;
}

static dw_status
check_static_partitions(const dw_write *write, dw_error *err)
{
    for (size_t i = 0; i < write->spec->static_partitions.count; i++) {
        dw_str column = write->spec->static_partitions.items[i].key;
        bool found = false;
        for (size_t k = 0; k < write->metadata->partition_column_count; k++) {
            found = found || dw__str_equal_nocase(write->metadata->partition_columns[k], column);
        }
        if (!found) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "NOT_A_PARTITION_COLUMN",
                                 "PARTITION names \"%.*s\", which is no partition column of the "
                                 "table",
                                 DW_STR_ARG(column));
        }
    }
    return DW_OK;
}

/* True when every txn id of the write is recorded already, at its version or a later one. */
static bool
is_recorded(const dw_write *write)
{
    for (size_t i = 0; i < write->spec->txn_count; i++) {
        dw_txn_id known;
        if (!dw__log_snapshot_txn(write->snapshot, write->spec->txns[i].app_id, &known) ||
            known.version < write->spec->txns[i].version) {
            return false;
        }
    }
    return write->spec->txn_count > 0;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

dw_status
dw__write_describe_source(dw_write *write, dw_error *err)
{
    dw_query_column *columns;
    if (write->source != NULL) {
        return DW_OK;
    }
    DW_TRY(dw__connection_describe(write->connection, write->spec->query, write->arena, &columns,
                                   &write->source_count, err));
    write->source = columns;
    return DW_OK;
}

dw_projection_request
dw__write_projection(dw_write *write)
{
    const dw_write_spec *spec = write->spec;
    bool replaces = spec->columns_become == DW_COLUMNS_REPLACED;
    return (dw_projection_request){.query = spec->query,
                                   .can_stand_alone = spec->source != NULL,
                                   .source = write->source,
                                   .source_count = write->source_count,
                                   .schema = write->schema,
                                   .columns = spec->columns,
                                   .column_count = spec->column_count,
                                   .by_name = spec->by_name || replaces,
                                   .static_partitions = &spec->static_partitions,
                                   .rules = &write->rules,
                                   .tells_rows = spec->query_runs_once,
                                   .lineage = spec->limits.lineage};
}

dw_status
dw__write_print_rows(dw_write *write, dw_strbuf *out, dw_error *err)
{
    DW_TRY(dw__write_describe_source(write, err));
    dw_projection_request request = dw__write_projection(write);
    return dw__projection_print(&request, write->arena, out, err);
}

static dw_data_target
data_target(const dw_write *write)
{
    dw_data_target target = dw__data_target_of(write->snapshot);
    target.schema = write->schema;
    target.partition_columns = write->metadata->partition_columns;
    target.partition_column_count = write->metadata->partition_column_count;
    target.protocol = &write->evolved.protocol;
    target.properties = write->properties;
    if (!dw__str_is_null(write->evolved.clustering)) {
        target.clustering = write->evolved.clustering;
    }
    return target;
}

static dw_status
write_rows(dw_write *write, dw_data_files *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw_status status = dw__write_print_rows(write, &query, err);
    if (status != DW_OK) { /* rows for a quarantine have been asked for by then */
        return write->judgement.has_quarantine ? dw__write_tell_misfit(write, status, err) : status;
    }
    dw_data_target target = data_target(write);
    target.query_runs_once = /* [JUDGEMENT-1] */
        write->spec->query_runs_once || write->judgement.expectations.count > 0;
    if (write->spec->static_partitions.count == target.partition_column_count) {
        target.partition_count_max = 1;
    }
    status = dw__data_files_write(write->table, write->connection, &target, dw__strbuf_str(&query),
                                  write->arena, out, err);
    return dw__write_tell_misfit(write, status, err);
}

/* ---- Actions --------------------------------------------------------------------------------- */

static dw_status
put_removes(const dw_write *write, const dw_partition_set *partitions, dw_change *change,
            dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(write->snapshot);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        bool overwritten;
        DW_TRY(dw__partition_set_has(partitions, ref, &overwritten, err));
        if (overwritten) {
            DW_TRY(dw__change_put_remove(change, ref, err));
        }
    }
    return DW_OK;
}

/* Replaces what the table has in the partitions. Rows that others add there, or take out, decide
 * about it. */
static dw_status
overwrite(const dw_write *write, dw_partition_set *partitions, dw_change *change, dw_error *err)
{
    DW_TRY(put_removes(write, partitions, change, err));
    if (write->spec->limits.lineage != NULL) {
        write->spec->limits.lineage->statement.replaces = partitions->holds_all;
    }
    change->reads_whole_table = change->reads_whole_table || partitions->holds_all;
    change->looks_for_rows = true;
    change->search = (dw_row_search){dw__partition_set_find, partitions};
    return DW_OK;
}

/* operationParameters as the reference writes them for a WRITE. */
static dw_status
put_parameters(const dw_write *write, dw_change *change, dw_error *err)
{
    if (!dw__str_is_null(write->spec->operation_parameters_json)) {
        change->parameters_json = write->spec->operation_parameters_json;
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    bool overwrites = write->spec->mode == DW_WRITE_OVERWRITE;
    dw__change_put_parameter(&json, "mode", overwrites ? DW_STR("Overwrite") : DW_STR("Append"));
    dw__change_print_list(&list, write->metadata->partition_columns,
                          write->metadata->partition_column_count);
    dw__change_put_parameter(&json, "partitionBy", dw__strbuf_str(&list));
    if (write->spec->replaced != NULL) {
        dw__change_put_parameter(&json, "predicate", write->spec->replaced->predicate);
    } else if (write->spec->static_partitions.count > 0) {
        dw__strbuf_clear(&list);
        for (size_t i = 0; i < write->spec->static_partitions.count; i++) {
            const dw_pair *pair = &write->spec->static_partitions.items[i];
            dw__strbuf_printf(&list, "%s%.*s = %.*s", i == 0 ? "" : " AND ", DW_STR_ARG(pair->key),
                              DW_STR_ARG(pair->value));
        }
        dw__change_put_parameter(&json, "predicate", dw__strbuf_str(&list));
    }
    if (overwrites && write->spec->is_dynamic && write->metadata->partition_column_count > 0) {
        dw__json_put_key(&json, DW_STR("isDynamicPartitionOverwrite"));
        dw__strbuf_append_literal(&json, "true");
    }
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    return dw__arena_dup(write->arena, dw__strbuf_str(&json), &change->parameters_json)
               ? DW_OK
               : dw__error_oom(err);
}

/* New columns; and the high-water marks of identity columns go with the rows. [RULE-3] */
static dw_status
put_definition(const dw_write *write, int64_t row_count, dw_change *change, dw_error *err)
{
    dw_evolved evolved = write->evolved;
    dw_str schema_string;
    /* Rows that were dropped had theirs, too. */
    DW_TRY(dw__row_rules_new_marks(&write->rules, write->metadata,
                                   row_count + write->judgement.result.dropped, write->arena,
                                   &schema_string, err));
    bool has_marks = !dw__str_is_null(schema_string);
    if (has_marks) {
        evolved.metadata.schema_string = schema_string;
    }
    change->moves_identity_marks = has_marks && !evolved.has_new_schema;
    return has_marks || evolved.has_new_schema ? dw__evolved_put(&evolved, change, err) : DW_OK;
}

dw_status
dw__write_describe(const dw_write *write, int64_t row_count, dw_change *change, dw_error *err)
{
    const dw_write_spec *spec = write->spec;
    DW_TRY(dw__change_reserve(change, spec->txn_count, err));
    change->user_metadata = spec->user_metadata;
    change->transaction = spec->transaction;
    change->limits = spec->limits;
    DW_TRY(put_parameters(write, change, err));
    for (size_t i = 0; i < spec->txn_count; i++) {
        dw_action action = {.kind = DW_ACTION_TXN, .as.txn = spec->txns[i]};
        dw__change_put(change, &action);
    }
    return put_definition(write, row_count, change, err);
}

static dw_status
build_change(dw_write *write, const dw_data_files *files, dw_partition_set *partitions,
             dw_change *change, dw_error *err)
{
    const dw_write_spec *spec = write->spec;
    bool overwrites = spec->mode == DW_WRITE_OVERWRITE;
    size_t live = overwrites ? dw__file_set_count(dw__log_snapshot_files(write->snapshot)) : 0;
    DW_TRY(dw__change_init(change, write->table, write->snapshot, write->arena,
                           files->count + live + spec->txn_count + DW_EVOLVED_ACTIONS_MAX, err));
    change->operation = spec->operation == NULL ? "WRITE" : spec->operation;
    bool reads_parts = !overwrites && spec->reads_target && spec->scan != NULL;
    change->reads_whole_table = spec->reads_target && !reads_parts;
    if (reads_parts) {
        DW_TRY(dw__change_note_reads(change, spec->scan, err));
    }
    DW_TRY(dw__judgement_settle(&write->judgement, change, err));
    DW_TRY(dw__write_describe(write, files->row_count, change, err));
    if (overwrites) {
        DW_TRY(overwrite(write, partitions, change, err));
    }
    dw__change_put_adds(change, files);
    return dw__judgement_quarantine(&write->judgement, spec->txns, spec->txn_count, err);
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
write_and_commit(dw_write *write, dw_write_result *out, dw_error *err)
{
    dw_data_files files;
    DW_TRY(write_rows(write, &files, err));
    dw_change change;
    dw_partition_set partitions;
    dw_status status = dw__partition_set_init(&partitions, write, &files, err);
    if (status == DW_OK) {
        status = build_change(write, &files, &partitions, &change, err);
    }
    if (status != DW_OK) {
        dw__partition_set_deinit(&partitions);
        dw__data_files_discard(write->table, &files);
        return status;
    }
    dw_txn_result committed;
    status = dw__change_commit(&change, &committed, err);
    dw__partition_set_deinit(&partitions);
    DW_TRY(status);
    *out = (dw_write_result){.version = committed.was_duplicate ? -1 : committed.version,
                             .rows_added = files.row_count,
                             .files_added = (int64_t) files.count,
                             .bytes_added = files.size_bytes,
                             .files_removed = change.removed_file_count,
                             .rows_removed = change.removed_row_count,
                             .was_duplicate = committed.was_duplicate,
                             .judged = write->judgement.result};
    return DW_OK;
}

static dw_status
judge_and_write(dw_write *write, dw_write_result *out, dw_error *err)
{
    const dw_judgement_spec spec = {
        .table = write->table,
        .connection = write->connection,
        .snapshot = write->snapshot,
        .table_id = write->metadata->id,
        .schema = write->schema,
        .expectations = write->rules.expectations,
        .is_quarantine = write->spec->is_quarantine,
        .is_in_transaction = write->spec->transaction != NULL,
    };
    write->rules.judgement = &write->judgement;
    dw_status status = dw__judgement_open(&write->judgement, &spec, write->arena, err);
    if (status == DW_OK) {
        status = write->spec->replaced != NULL ? dw__write_replace(write, out, err)
                                               : write_and_commit(write, out, err);
    }
    dw__judgement_close(&write->judgement);
    return status;
}

/* One try on one snapshot. `*regenerates_out` is true when it failed for a mark that another writer
 * moved: then the same statement on a newer snapshot takes other identity values. */
static dw_status
write_once(dw_table *table, dw_connection *connection, const dw_write_spec *spec,
           dw_log_snapshot *snapshot, dw_write_result *out, bool *regenerates_out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    dw_write state = {.table = table,
                      .connection = connection,
                      .spec = spec,
                      .snapshot = snapshot,
                      .metadata = dw__log_snapshot_metadata(snapshot),
                      .properties = dw__log_snapshot_properties(snapshot),
                      .schema = dw__log_snapshot_schema(snapshot),
                      .source = spec->source,
                      .source_count = spec->source_count,
                      .arena = &arena};
    *regenerates_out = false;
    DW_TRY(check_table(&state, err));
    DW_TRY(check_static_partitions(&state, err));
    if (is_recorded(&state)) {
        out->was_duplicate = true;
        return DW_OK;
    }
    DW_TRY(dw__write_choose_columns(&state, err));
    DW_TRY(dw__row_rules_read(&state.evolved.protocol, state.metadata, state.schema, &arena,
                              &state.rules, err));
    dw_status status = judge_and_write(&state, out, err);
    *regenerates_out = status == DW_CONFLICT && dw__error_has_code(err, "METADATA_CHANGED") &&
                       state.rules.has_identity && !state.judgement.is_quarantined;
    return status;
}

dw_status
dw__table_write(dw_table *table, dw_connection *connection, const dw_write_spec *spec,
                dw_write_result *out, dw_error *err)
{
    bool is_fixed = spec->read_snapshot != NULL || spec->reads_target || spec->query_runs_once ||
                    spec->replaced != NULL;
    dw_error detail = DW_ERROR_INIT;
    for (int try = 0;; try++) {
        bool regenerates;
        *out = (dw_write_result){.version = -1};
        dw__error_clear(&detail);
        DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
        if (spec->read_snapshot != NULL) {
            snapshot = dw__log_snapshot_ref(spec->read_snapshot);
        } else {
            DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
        }
        dw_status status =
            write_once(table, connection, spec, snapshot, out, &regenerates, &detail);
        if (status == DW_OK || is_fixed || !regenerates || try == IDENTITY_RETRIES_MAX) {
            dw__error_copy(err, &detail);
            return status;
        }
    }
}
