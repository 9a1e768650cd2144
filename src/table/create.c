/*
 * CREATE TABLE and its relatives: protocol, metadata and, for AS SELECT, the rows, in one commit.
 */
#include "table/create.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "lineage/lineage.h"
#include "protocol/column_mapping.h"
#include "protocol/feature.h"
#include "protocol/iceberg_compat.h"
#include "scan/scan.h"
#include "table/change.h"
#include "table/data_files.h"
#include "table/new_properties.h"
#include "table/projection.h"
#include "table/row_rules.h"

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)
#define FEATURE_KEY_PREFIX "delta.feature."

typedef struct create_state {
    dw_table *table;
    dw_connection *connection;
    const dw_create_spec *spec;
    dw_log_snapshot *existing; /* NULL: there is no table */
    dw_arena *arena;
    dw_pairs wanted; /* the properties that were told, and what new tables have */
    const dw_type *schema;
    dw_protocol protocol;
    dw_metadata metadata;
    dw_properties properties;
    dw_row_rules rules;
    dw_judgement judgement;
    dw_cluster_columns cluster_by;
    dw_str clustering; /* the configuration of their domain; null string: none */
} create_state;

/* ---- Schema ---------------------------------------------------------------------------------- */

dw_status
dw__schema_of_query(dw_connection *connection, dw_str query, dw_arena *arena, const dw_type **out,
                    dw_error *err)
{
    dw_query_column *columns;
    size_t count;
    DW_TRY(dw__connection_describe(connection, query, arena, &columns, &count, err));
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, count + 1);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        fields[i] = (dw_field){.name = columns[i].name,
                               .nullable = true,
                               .metadata_json = DW_STR("{}"),
                               .physical_name = columns[i].name,
                               .mapping_id = -1,
                               .extra_json = DW_STR("")};
        DW_TRY(
            dw__engine_type_parse(columns[i].name, columns[i].type, arena, &fields[i].type, err));
    }
    *out = dw__type_make_struct(arena, fields, count);
    return *out == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
choose_schema(create_state *state, dw_error *err)
{
    if (state->spec->schema != NULL) {
        state->schema = state->spec->schema;
    } else if (dw__str_is_null(state->spec->query)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SCHEMA_MISSING",
                             "a new table needs columns: list them, or use AS SELECT");
    } else {
        DW_TRY(dw__schema_of_query(state->connection, state->spec->query, state->arena,
                                   &state->schema, err));
    }
    return dw__schema_check(state->schema, state->spec->partition_columns,
                            state->spec->partition_column_count,
                            state->properties.mapping_mode != DW_MAPPING_NONE, err);
}

/* Ids and physical names, where the table is to have them. */
static dw_status
map_columns(create_state *state, dw_error *err)
{
    dw_pairs configuration = state->metadata.configuration;
    dw_mapping_change change = {.env = dw__table_env(state->table),
                                .schema = state->schema,
                                .configuration = &configuration,
                                .replaces = true};
    if (state->existing != NULL) {
        change.schema_before = dw__log_snapshot_schema(state->existing);
        change.configuration_before = &dw__log_snapshot_metadata(state->existing)->configuration;
        change.mode_before = dw__log_snapshot_properties(state->existing)->mapping_mode;
    }
    DW_TRY(dw__mapping_apply(&change, state->arena, &state->schema, &state->metadata.configuration,
                             err));
    dw__properties_read(&state->metadata.configuration, &state->properties, NULL);
    return DW_OK;
}

/* ---- Clustering ------------------------------------------------------------------------------ */

static dw_status
choose_clustering(create_state *state, dw_error *err)
{
    const dw_create_spec *spec = state->spec;
    state->clustering = DW_STR_NULL;
    if (spec->cluster_by.count == 0 && !spec->clusters_auto) {
        return DW_OK;
    }
    if (spec->partition_column_count > 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTER_BY_WITH_PARTITIONED_BY",
                             "expected CLUSTER BY or PARTITIONED BY, found both: a clustered table "
                             "has no partitions");
    }
    if (spec->cluster_by.count == 0) {
        return DW_OK; /* the columns are still to be chosen */
    }
    DW_TRY(dw__cluster_columns_find(state->schema, spec->cluster_by, state->arena,
                                    &state->cluster_by, err));
    DW_TRY(dw__cluster_columns_check(&state->cluster_by, state->schema, &state->properties,
                                     state->arena, err));
    return dw__cluster_columns_print(&state->cluster_by, state->arena, &state->clustering, err);
}

/* ---- Protocol -------------------------------------------------------------------------------- */

static bool
asks_for_feature(dw_str key)
{
    return dw__str_starts_with(key, DW_STR(FEATURE_KEY_PREFIX));
}

static bool
is_constraint(dw_str key)
{
    return dw__str_starts_with(key, DW_CONSTRAINT_PREFIX) && key.len > DW_CONSTRAINT_PREFIX.len;
}

/* The properties of the new table; those that only ask for a feature are spent on the protocol. */
static dw_status
choose_properties(create_state *state, dw_error *err)
{
    const dw_pairs *before =
        state->existing == NULL ? NULL : &dw__log_snapshot_metadata(state->existing)->configuration;
    const dw_pairs *wanted = &state->wanted;
    state->wanted = state->spec->properties;
    if (!state->spec->has_no_defaults) {
        DW_TRY(dw__new_properties(&state->spec->properties, before, state->arena, &state->wanted,
                                  err));
    }
    dw_pairs *kept = &state->metadata.configuration;
    kept->items = DW_ARENA_ARRAY(state->arena, dw_pair, wanted->count + 1);
    if (kept->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < wanted->count; i++) {
        if (!is_constraint(wanted->items[i].key)) { /* as in Spark, CREATE may bring them along */
            DW_TRY(dw__property_check(wanted->items[i].key, wanted->items[i].value, err));
        }
        if (!asks_for_feature(wanted->items[i].key) &&
            !dw__str_equal(wanted->items[i].key, DW_STR("delta.minReaderVersion")) &&
            !dw__str_equal(wanted->items[i].key, DW_STR("delta.minWriterVersion"))) {
            kept->items[kept->count++] = wanted->items[i];
        }
    }
    DW_TRY(dw__iceberg_compat_complete(kept, state->arena, err));
    dw__properties_read(kept, &state->properties, NULL);
    return DW_OK;
}

/* What is asked of the protocol: by properties, and by CLUSTER BY. There is room for more. */
static dw_status
wanted_features(create_state *state, dw_pairs *out, dw_error *err)
{
    const dw_pairs *wanted = &state->wanted;
    *out = (dw_pairs){.count = wanted->count};
    out->items = DW_ARENA_ARRAY(state->arena, dw_pair, wanted->count + DW_FEATURE_COUNT + 2);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < wanted->count; i++) {
        out->items[i] = wanted->items[i];
    }
    if (state->cluster_by.count > 0) {
        out->items[out->count++] =
            (dw_pair){DW_STR(FEATURE_KEY_PREFIX "clustering"), DW_STR("supported")};
    }
    return DW_OK;
}

/* A replaced table keeps every feature that it supports: older versions stay readable by the same
 * engines, and nobody is surprised by a downgrade. They are asked for as properties would. */
static dw_status
add_existing_features(create_state *state, dw_pairs *out, dw_error *err)
{
    const dw_protocol *protocol = dw__log_snapshot_protocol(state->existing);
    for (int f = 0; f < DW_FEATURE_COUNT; f++) {
        if (!dw__protocol_supports(protocol, (dw_feature) f)) {
            continue;
        }
        dw_str name = dw__feature_spec((dw_feature) f)->name;
        dw_str key = dw__arena_printf(state->arena, FEATURE_KEY_PREFIX "%.*s", DW_STR_ARG(name));
        if (dw__str_is_null(key)) {
            return dw__error_oom(err);
        }
        out->items[out->count++] = (dw_pair){.key = key, .value = DW_STR("supported")};
    }
    return DW_OK;
}

/* True when the existing protocol lists everything that the new table needs. */
static bool
protocol_suffices(const dw_protocol *existing, const dw_protocol *needed)
{
    for (int f = 0; f < DW_FEATURE_COUNT; f++) {
        if (dw__protocol_supports(needed, (dw_feature) f) &&
            !dw__protocol_supports(existing, (dw_feature) f)) {
            return false;
        }
    }
    return true;
}

static dw_status
choose_protocol(create_state *state, dw_error *err)
{
    dw_pairs wanted;
    DW_TRY(wanted_features(state, &wanted, err));
    DW_TRY(dw__protocol_for_new_table(state->schema, &wanted, state->arena, &state->protocol, err));
    if (state->existing != NULL) {
        const dw_protocol *existing = dw__log_snapshot_protocol(state->existing);
        if (protocol_suffices(existing, &state->protocol)) {
            state->protocol = *existing;
        } else {
            DW_TRY(add_existing_features(state, &wanted, err));
            DW_TRY(dw__protocol_for_new_table(state->schema, &wanted, state->arena,
                                              &state->protocol, err));
        }
    }
    DW_TRY(dw__protocol_check_write(&state->protocol, state->schema, err));
    DW_TRY(dw__iceberg_compat_check(&state->protocol, &state->properties, state->schema,
                                    state->arena, err));
    return state->existing == NULL
               ? DW_OK
               : dw__iceberg_compat_check_replace(dw__log_snapshot_metadata(state->existing),
                                                  &state->metadata, err);
}

/* ---- Rules of columns ------------------------------------------------------------------------ */

/* Delta asks for the feature of defaults by name: older writers would silently write NULL. */
static dw_status
check_defaults_enabled(const create_state *state, dw_error *err)
{
    const dw_field *field = dw__schema_find_trait(state->schema, DW_FIELD_DEFAULT);
    if (field == NULL ||
        dw__pairs_get(&state->spec->properties, DW_STR("delta.feature.allowColumnDefaults")) !=
            NULL ||
        (state->existing != NULL &&
         dw__protocol_supports(dw__log_snapshot_protocol(state->existing),
                               DW_FEATURE_ALLOW_COLUMN_DEFAULTS))) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_DEFAULTS_DISABLED",
                         "column \"%.*s\" has a DEFAULT, for which the table needs a feature: add "
                         "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
                         DW_STR_ARG(field->name));
}

static dw_status
check_rules(create_state *state, dw_error *err)
{
    DW_TRY(check_defaults_enabled(state, err));
    DW_TRY(dw__row_rules_read(&state->protocol, &state->metadata, state->schema, state->arena,
                              &state->rules, err));
    return dw__row_rules_check_new(&state->rules, &state->metadata, err);
}

/* ---- Metadata -------------------------------------------------------------------------------- */

/* A replaced table stays the same table: it keeps its id. */
static dw_status
choose_id(create_state *state, dw_error *err)
{
    if (state->existing != NULL) {
        state->metadata.id = dw__log_snapshot_metadata(state->existing)->id;
        return DW_OK;
    }
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(dw__table_env(state->table), uuid);
    return dw__arena_dup(state->arena, dw__str_from(uuid), &state->metadata.id)
               ? DW_OK
               : dw__error_oom(err);
}

/* The partition columns in the schema's own spelling. */
static dw_status
choose_partition_columns(create_state *state, dw_error *err)
{
    size_t count = state->spec->partition_column_count;
    state->metadata.partition_columns = DW_ARENA_ARRAY(state->arena, dw_str, count + 1);
    if (state->metadata.partition_columns == NULL) {
        return dw__error_oom(err);
    }
    state->metadata.partition_column_count = count;
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = dw__schema_find(state->schema, state->spec->partition_columns[i]);
        dw_assert(field != NULL); /* dw__schema_check saw to it */
        state->metadata.partition_columns[i] = field->name;
    }
    return DW_OK;
}

static dw_status
fill_metadata(create_state *state, dw_error *err)
{
    state->metadata.name = state->spec->name;
    state->metadata.description = state->spec->comment;
    state->metadata.format_provider = DW_STR("parquet");
    state->metadata.has_created_time = true;
    state->metadata.created_time_ms = dw__env_now_ms(dw__table_env(state->table));
    DW_AUTO(dw_strbuf) schema = dw__strbuf_make(state->arena->allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&schema, state->schema);
    DW_TRY(dw__strbuf_ok(&schema, "the schema", err));
    if (!dw__arena_dup(state->arena, dw__strbuf_str(&schema), &state->metadata.schema_string)) {
        return dw__error_oom(err);
    }
    DW_TRY(choose_id(state, err));
    return choose_partition_columns(state, err);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static dw_status
write_rows(create_state *state, dw_data_files *out, dw_error *err)
{
    *out = (dw_data_files){0};
    if (dw__str_is_null(state->spec->query)) {
        return DW_OK;
    }
    dw_query_column *columns;
    size_t count;
    DW_TRY(dw__connection_describe(state->connection, state->spec->query, state->arena, &columns,
                                   &count, err));
    dw_projection_request request = {.query = state->spec->query,
                                     .source = columns,
                                     .source_count = count,
                                     .schema = state->schema,
                                     .rules = &state->rules,
                                     .lineage = state->spec->limits.lineage};
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__projection_print(&request, state->arena, &query, err));
    dw_data_target target = {.schema = state->schema,
                             .partition_columns = state->metadata.partition_columns,
                             .partition_column_count = state->metadata.partition_column_count,
                             .protocol = &state->protocol,
                             .properties = &state->properties,
                             .clustering = state->clustering,
                             .query_runs_once = state->judgement.expectations.count > 0};
    return dw__data_files_write(state->table, state->connection, &target, dw__strbuf_str(&query),
                                state->arena, out, err);
}

/* ---- The commit ------------------------------------------------------------------------------ */

static const char *
operation_name(const create_state *state)
{
    bool has_rows = !dw__str_is_null(state->spec->query);
    switch (state->spec->mode) {
    case DW_CREATE_NEW:
    case DW_CREATE_IF_MISSING:
        return has_rows ? "CREATE TABLE AS SELECT" : "CREATE TABLE";
    case DW_CREATE_OR_REPLACE:
        return has_rows ? "CREATE OR REPLACE TABLE AS SELECT" : "CREATE OR REPLACE TABLE";
    case DW_REPLACE:
        return has_rows ? "REPLACE TABLE AS SELECT" : "REPLACE TABLE";
    }
    dw_unreachable("create mode");
}

static dw_status
put_parameters(const create_state *state, dw_change *change, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(state->arena->allocator, SCHEMA_BYTES_MAX);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(state->arena->allocator, SCHEMA_BYTES_MAX);
    dw__change_print_list(&text, state->metadata.partition_columns,
                          state->metadata.partition_column_count);
    dw__change_put_parameter(&json, "partitionBy", dw__strbuf_str(&text));
    dw_str cluster_by;
    DW_TRY(dw__cluster_columns_print_names(&state->cluster_by, state->arena, &cluster_by, err));
    dw__change_put_parameter(&json, "clusterBy", cluster_by);
    dw__strbuf_clear(&text);
    dw__strbuf_append_char(&text, '{');
    for (size_t i = 0; i < state->metadata.configuration.count; i++) {
        dw__json_put_key(&text, state->metadata.configuration.items[i].key);
        dw__json_put_string(&text, state->metadata.configuration.items[i].value);
    }
    dw__strbuf_append_char(&text, '}');
    dw__change_put_parameter(&json, "properties", dw__strbuf_str(&text));
    if (!dw__str_is_null(state->spec->comment)) {
        dw__change_put_parameter(&json, "description", state->spec->comment);
    }
    dw__change_put_parameter(&json, "isManaged", DW_STR("false"));
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&text, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    return dw__arena_dup(state->arena, dw__strbuf_str(&json), &change->parameters_json)
               ? DW_OK
               : dw__error_oom(err);
}

/* What the replaced table held: its files go, and how they were clustered. Other domains stay,
 * among them the high-water mark of row ids. */
static dw_status
put_replaced(const create_state *state, dw_change *change, dw_error *err)
{
    if (state->existing == NULL) {
        return DW_OK;
    }
    for (size_t i = 0; i < dw__log_snapshot_domain_count(state->existing); i++) {
        dw_action action = {.kind = DW_ACTION_DOMAIN,
                            .as.domain = *dw__log_snapshot_domain(state->existing, i)};
        bool goes = dw__str_is_null(state->clustering);
        if (goes && dw__str_equal(action.as.domain.domain, DW_CLUSTERING_DOMAIN)) {
            action.as.domain.removed = true;
            dw__change_put(change, &action);
        }
    }
    dw_file_set *files = dw__log_snapshot_files(state->existing);
    dw_file_ref ref = {0, 0};
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        DW_TRY(dw__change_put_remove(change, ref, err));
    }
    return DW_OK;
}

static dw_status
build_change(create_state *state, const dw_data_files *files, dw_change *change, dw_error *err)
{
    size_t replaced = 0;
    if (state->existing != NULL) {
        replaced = dw__file_set_count(dw__log_snapshot_files(state->existing)) +
                   dw__log_snapshot_domain_count(state->existing);
    }
    DW_TRY(dw__change_init(change, state->table, state->existing, state->arena,
                           files->count + replaced + state->spec->txn_count + 3, err));
    change->operation = operation_name(state);
    change->user_metadata = state->spec->user_metadata;
    change->limits = state->spec->limits;
    if (change->limits.lineage != NULL) {
        change->limits.lineage->statement.replaces = state->existing != NULL;
    }
    change->reads_whole_table = state->existing != NULL;
    change->replaces_table = state->existing != NULL;
    DW_TRY(put_parameters(state, change, err));
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL, .as.protocol = state->protocol};
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = state->metadata};
    bool same_protocol =
        state->existing != NULL &&
        protocol_suffices(dw__log_snapshot_protocol(state->existing), &state->protocol);
    if (!same_protocol) {
        dw__change_put(change, &protocol);
    }
    dw__change_put(change, &metadata);
    for (size_t i = 0; i < state->spec->txn_count; i++) {
        dw_action action = {.kind = DW_ACTION_TXN, .as.txn = state->spec->txns[i]};
        dw__change_put(change, &action);
    }
    if (!dw__str_is_null(state->clustering)) {
        dw_action action = {
            .kind = DW_ACTION_DOMAIN,
            .as.domain = {.domain = DW_CLUSTERING_DOMAIN, .configuration = state->clustering}};
        dw__change_put(change, &action);
    }
    DW_TRY(put_replaced(state, change, err));
    dw__change_put_adds(change, files);
    DW_TRY(dw__judgement_settle(&state->judgement, change, err));
    return dw__judgement_quarantine(&state->judgement, state->spec->txns, state->spec->txn_count,
                                    err);
}

static dw_status
open_judgement(create_state *state, dw_error *err)
{
    const dw_judgement_spec spec = {.table = state->table,
                                    .connection = state->connection,
                                    .snapshot = state->existing,
                                    .table_id = state->metadata.id,
                                    .schema = state->schema,
                                    .expectations = state->rules.expectations};
    if (dw__str_is_null(state->spec->query)) {
        return DW_OK; /* no rows, and no connection maybe */
    }
    state->rules.judgement = &state->judgement;
    return dw__judgement_open(&state->judgement, &spec, state->arena, err);
}

static dw_status
create_and_commit(create_state *state, dw_write_result *out, dw_error *err)
{
    DW_TRY(choose_properties(state, err));
    DW_TRY(choose_schema(state, err));
    DW_TRY(map_columns(state, err));
    DW_TRY(fill_metadata(state, err));
    DW_TRY(choose_clustering(state, err));
    DW_TRY(choose_protocol(state, err));
    DW_TRY(check_rules(state, err));
    DW_TRY(dw__storage_prepare(dw__table_storage(state->table), DW_STR(""), err));
    dw_data_files files;
    DW_TRY(open_judgement(state, err));
    DW_TRY(write_rows(state, &files, err));
    dw_change change;
    dw_status status = build_change(state, &files, &change, err);
    if (status != DW_OK) {
        dw__data_files_discard(state->table, &files);
        return status;
    }
    dw_txn_result committed;
    DW_TRY(dw__change_commit(&change, &committed, err));
    *out = (dw_write_result){.version = committed.version,
                             .rows_added = files.row_count,
                             .files_added = (int64_t) files.count,
                             .bytes_added = files.size_bytes,
                             .files_removed = change.removed_file_count,
                             .rows_removed = change.removed_row_count,
                             .judged = state->judgement.result};
    return DW_OK;
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
find_existing(create_state *state, dw_error *err)
{
    bool exists;
    if (state->spec->read_snapshot != NULL) {
        state->existing = dw__log_snapshot_ref(state->spec->read_snapshot);
        return DW_OK;
    }
    dw_log *log = dw__table_log(state->table);
    DW_TRY(dw__log_exists(log, &exists, err));
    return exists ? dw__log_snapshot(log, &state->existing, err) : DW_OK;
}

dw_status
dw__create_check_mode(const dw_table *table, dw_create_mode mode, bool exists,
                      bool *nothing_to_do_out, dw_error *err)
{
    *nothing_to_do_out = exists && mode == DW_CREATE_IF_MISSING;
    if (exists && mode == DW_CREATE_NEW) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                             "there is a Delta table at %.*s already: use CREATE OR REPLACE TABLE, "
                             "or IF NOT EXISTS",
                             DW_STR_ARG(dw__table_root(table)));
    }
    if (!exists && mode == DW_REPLACE) {
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "there is no Delta table at %.*s to replace: use CREATE OR REPLACE "
                             "TABLE",
                             DW_STR_ARG(dw__table_root(table)));
    }
    return DW_OK;
}

dw_status
dw__table_create(dw_table *table, dw_connection *connection, const dw_create_spec *spec,
                 dw_write_result *out, dw_error *err)
{
    *out = (dw_write_result){.version = -1};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    create_state state = {.table = table, .connection = connection, .spec = spec, .arena = &arena};
    dw_status status = find_existing(&state, err);
    DW_AUTO(dw_log_snapshot_ptr) existing = state.existing;
    bool nothing_to_do = false;
    if (status == DW_OK) {
        status = dw__create_check_mode(table, spec->mode, existing != NULL, &nothing_to_do, err);
    }
    if (status != DW_OK || nothing_to_do) {
        return status;
    }
    status = create_and_commit(&state, out, err);
    dw__judgement_close(&state.judgement);
    if (status == DW_ALREADY_EXISTS && spec->mode == DW_CREATE_IF_MISSING) {
        dw__error_clear(err); /* another writer was first: the table is there, as was asked for */
        return DW_OK;
    }
    return status;
}
