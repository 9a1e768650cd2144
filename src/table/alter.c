/*
 * What all of ALTER TABLE's changes share. [ALTER-1] [ALTER-2]
 */
#include "table/alter.h"

#include "base/assert.h"
#include "protocol/column_mapping.h"
#include "protocol/iceberg_compat.h"
#include "table/alter_core.h"
#include "table/change.h"
#include "table/file_rewrite.h"

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)
#define PARAMETERS_BYTES_MAX ((size_t) 16 << 20)

dw_status
dw__alter_open(dw_alter *alter, dw_table *table, size_t more, dw_error *err)
{
    *alter = (dw_alter){.table = table};
    dw__arena_init(&alter->arena, dw__table_env(table)->allocator);
    if (dw__table_planned(table) != NULL) {
        alter->snapshot = dw__log_snapshot_ref(dw__table_planned(table));
    } else {
        DW_TRY(dw__log_snapshot(dw__table_log(table), &alter->snapshot, err));
    }
    alter->schema = dw__log_snapshot_schema(alter->snapshot);
    const dw_metadata *before = dw__log_snapshot_metadata(alter->snapshot);
    DW_TRY(
        dw__protocol_check_write(dw__log_snapshot_protocol(alter->snapshot), alter->schema, err));
    alter->metadata = *before;
    alter->pairs_max = before->configuration.count + more;
    dw_pair *items = DW_ARENA_ARRAY(&alter->arena, dw_pair, alter->pairs_max + 1);
    dw_pair *wanted = DW_ARENA_ARRAY(&alter->arena, dw_pair, more + 1);
    if (items == NULL || wanted == NULL) {
        return dw__error_oom(err);
    }
    if (before->configuration.count > 0) {
        memcpy(items, before->configuration.items, before->configuration.count * sizeof(*items));
    }
    alter->metadata.configuration.items = items;
    alter->wanted.items = wanted;
    return DW_OK;
}

void
dw__alter_close(dw_alter *alter)
{
    dw__log_snapshot_unref(alter->snapshot);
    dw__arena_deinit(&alter->arena);
}

const dw_pair *
dw__alter_find(const dw_alter *alter, dw_str key)
{
    const dw_pairs *pairs = &alter->metadata.configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_equal_nocase(pairs->items[i].key, key)) {
            return &pairs->items[i];
        }
    }
    return NULL;
}

void
dw__alter_set(dw_alter *alter, dw_str key, dw_str value)
{
    dw_pairs *pairs = &alter->metadata.configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_equal(pairs->items[i].key, key)) {
            pairs->items[i].value = value;
            return;
        }
    }
    dw_assert(pairs->count < alter->pairs_max);
    pairs->items[pairs->count++] = (dw_pair){.key = key, .value = value};
}

bool
dw__alter_unset(dw_alter *alter, dw_str key)
{
    dw_pairs *pairs = &alter->metadata.configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_equal(pairs->items[i].key, key)) {
            memmove(&pairs->items[i], &pairs->items[i + 1],
                    (pairs->count - i - 1) * sizeof(pairs->items[0]));
            pairs->count--;
            return true;
        }
    }
    return false;
}

void
dw__alter_want(dw_alter *alter, dw_str key, dw_str value)
{
    alter->wanted.items[alter->wanted.count++] = (dw_pair){.key = key, .value = value};
}

dw_status
dw__alter_notice(dw_alter_report *report, dw_str text, dw_error *err)
{
    dw_assert(report->notice_count < DW_ALTER_NOTICES_MAX);
    if (dw__str_is_null(text)) {
        return dw__error_oom(err);
    }
    report->notices[report->notice_count++] = text;
    return DW_OK;
}

/* ---- Completing ------------------------------------------------------------------------------ */

dw_status
dw__alter_print_schema(dw_alter *alter, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(alter->arena.allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&text, alter->schema);
    DW_TRY(dw__strbuf_ok(&text, "the schema", err));
    return dw__arena_dup(&alter->arena, dw__strbuf_str(&text), &alter->metadata.schema_string)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
map_columns(dw_alter *alter, dw_error *err)
{
    dw_pairs configuration = alter->metadata.configuration;
    dw_mapping_change change = {
        .env = dw__table_env(alter->table),
        .schema = alter->schema,
        .configuration = &configuration,
        .schema_before = dw__log_snapshot_schema(alter->snapshot),
        .configuration_before = &dw__log_snapshot_metadata(alter->snapshot)->configuration,
        .mode_before = dw__log_snapshot_properties(alter->snapshot)->mapping_mode};
    const dw_type *mapped;
    DW_TRY(dw__mapping_apply(&change, &alter->arena, &mapped, &alter->metadata.configuration, err));
    if (mapped == alter->schema) {
        return DW_OK;
    }
    alter->schema = mapped;
    return dw__alter_print_schema(alter, err);
}

/* The protocol that configuration and requests need. */
static dw_status
choose_protocol(dw_alter *alter, dw_error *err)
{
    if (alter->has_protocol) {
        return DW_OK;
    }
    const dw_pairs *configuration = &alter->metadata.configuration;
    dw_pairs all = {.count = configuration->count + alter->wanted.count};
    all.items = DW_ARENA_ARRAY(&alter->arena, dw_pair, all.count + 1);
    if (all.items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < all.count; i++) {
        all.items[i] = i < configuration->count ? configuration->items[i]
                                                : alter->wanted.items[i - configuration->count];
    }
    alter->has_protocol = true;
    return dw__protocol_upgrade(dw__log_snapshot_protocol(alter->snapshot), alter->schema, &all,
                                &alter->arena, &alter->protocol, err);
}

static dw_status
check_result(dw_alter *alter, dw_error *err)
{
    dw_properties properties;
    dw__properties_read(&alter->metadata.configuration, &properties, NULL);
    DW_TRY(
        dw__iceberg_compat_check(&alter->protocol, &properties, alter->schema, &alter->arena, err));
    return dw__protocol_check_write(&alter->protocol, alter->schema, err);
}

/* The files as the new definition wants them. */
static dw_status
rewrite_files(dw_alter *alter, dw_file_rewrite *rewrite, dw_change *change, dw_error *err)
{
    if (alter->rewrites_with == NULL) {
        return DW_OK;
    }
    dw_properties *properties = DW_ARENA_NEW(&alter->arena, dw_properties);
    if (properties == NULL) {
        return dw__error_oom(err);
    }
    dw__properties_read(&alter->metadata.configuration, properties, NULL);
    *rewrite = (dw_file_rewrite){.connection = alter->rewrites_with,
                                 .schema = alter->schema,
                                 .properties = properties,
                                 .protocol = &alter->protocol};
    dw_status status = dw__file_rewrite(rewrite, change, err);
    if (status != DW_OK) {
        dw__change_discard(change);
    }
    return status;
}

/* What the change is committed as. */
static dw_status
list_actions(dw_alter *alter, bool has_new_protocol, bool has_new_metadata, dw_action **out,
             size_t *count_out, dw_error *err)
{
    dw_action *actions = DW_ARENA_ARRAY(&alter->arena, dw_action, 2 + alter->more_count);
    if (actions == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    if (has_new_protocol) {
        actions[count++] = (dw_action){.kind = DW_ACTION_PROTOCOL, .as.protocol = alter->protocol};
    }
    if (has_new_metadata) {
        actions[count++] = (dw_action){.kind = DW_ACTION_METADATA, .as.metadata = alter->metadata};
    }
    for (size_t i = 0; i < alter->more_count; i++) {
        actions[count++] = alter->more[i];
    }
    *out = actions;
    *count_out = count;
    return DW_OK;
}

/* Leaves the state that the change would make to the plans of later ones. */
static dw_status
stage(dw_alter *alter, const dw_action *actions, size_t count, dw_error *err)
{
    if (dw__table_planned(alter->table) == NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) after = NULL;
    DW_TRY(dw__log_snapshot_stage(alter->snapshot, actions, count, &after, err));
    dw__table_set_planned(alter->table, after);
    return DW_OK;
}

dw_status
dw__alter_commit(dw_alter *alter, const char *operation, dw_strbuf *parameters,
                 dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    DW_TRY(map_columns(alter, err));
    DW_TRY(choose_protocol(alter, err));
    DW_TRY(check_result(alter, err));
    bool has_new_protocol =
        !dw__protocol_equal(&alter->protocol, dw__log_snapshot_protocol(alter->snapshot));
    bool has_new_metadata =
        !dw__metadata_defines_same(&alter->metadata, dw__log_snapshot_metadata(alter->snapshot));
    if (!has_new_protocol && !has_new_metadata && !alter->changes_more) {
        return DW_OK;
    }
    has_new_metadata = has_new_metadata || !alter->changes_more;
    dw_action *actions = NULL;
    size_t action_count = 0;
    DW_TRY(list_actions(alter, has_new_protocol, has_new_metadata, &actions, &action_count, err));
    if (report->is_dry_run) {
        DW_TRY(dw__alter_plan(alter, report, err));
        return stage(alter, actions, action_count, err);
    }
    dw_change change;
    DW_TRY(
        dw__change_init(&change, alter->table, alter->snapshot, &alter->arena, action_count, err));
    change.operation = operation;
    change.limits = report->limits;
    change.reads_whole_table = alter->reads_all_files || alter->rewrites_with != NULL;
    change.moves_identity_marks = alter->moves_identity_marks;
    dw__strbuf_append_char(parameters, '}');
    DW_TRY(dw__strbuf_ok(parameters, "the operation's parameters", err));
    if (!dw__arena_dup(&alter->arena, dw__strbuf_str(parameters), &change.parameters_json)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < action_count; i++) {
        dw__change_put(&change, &actions[i]);
    }
    dw_txn_result done;
    dw_file_rewrite rewrite;
    DW_TRY(rewrite_files(alter, &rewrite, &change, err));
    DW_TRY(dw__change_commit(&change, &done, err));
    report->version = done.version;
    return DW_OK;
}

dw_status
dw__alter_run(dw_table *table, size_t more, const char *operation, dw_alter_step step, void *ctx,
              dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, PARAMETERS_BYTES_MAX);
    dw_alter alter;
    dw_status status = dw__alter_open(&alter, table, more, err);
    if (status == DW_OK) {
        status = step(&alter, ctx, &parameters, err);
    }
    if (status == DW_OK) {
        status = dw__alter_commit(&alter, operation, &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}
