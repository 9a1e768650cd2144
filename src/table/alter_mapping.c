/*
 * Taking column mapping away: all files are written again under the columns' own names, in the
 * commit that takes ids and physical names from the schema. PROTOCOL.md "Column Mapping".
 */
#include "table/alter_mapping.h"

#include "protocol/column_mapping.h"
#include "protocol/iceberg_compat.h"
#include "table/alter_core.h"
#include "table/file_rewrite.h"

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)

static const dw_str mapping_prefixes[] = {{"delta.columnMapping.", 20}, {"parquet.field.", 14}};

typedef struct removal {
    dw_alter alter;
    dw_properties properties; /* as they will be */
    dw_change change;
    dw_file_rewrite rewrite;
    bool moves_clustering;
} removal;

dw_status
dw__mapping_left(const dw_log_snapshot *snapshot, dw_arena *scratch, bool *out, dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(snapshot);
    const dw_type *stripped;
    *out = dw__log_snapshot_properties(snapshot)->mapping_mode != DW_MAPPING_NONE;
    DW_AUTO(dw_strbuf) before = dw__strbuf_make(scratch->allocator, SCHEMA_BYTES_MAX);
    DW_AUTO(dw_strbuf) after = dw__strbuf_make(scratch->allocator, SCHEMA_BYTES_MAX);
    if (*out) {
        return DW_OK;
    }
    DW_TRY(dw__schema_strip(schema, mapping_prefixes, 2, scratch, &stripped, err));
    dw__schema_print(&before, schema);
    dw__schema_print(&after, stripped);
    DW_TRY(dw__strbuf_ok(&before, "the schema", err));
    DW_TRY(dw__strbuf_ok(&after, "the schema", err));
    *out = !dw__str_equal(dw__strbuf_str(&before), dw__strbuf_str(&after));
    return DW_OK;
}

/* The domain says physical names: those that the columns have from now on. */
static dw_status
rename_clustering(removal *r, dw_error *err)
{
    dw_alter *alter = &r->alter;
    dw_cluster_columns columns;
    dw_str *after = &r->rewrite.clustering;
    *after = dw__log_snapshot_clustering(alter->snapshot);
    if (dw__str_is_null(*after)) {
        return DW_OK;
    }
    DW_TRY(dw__cluster_columns_of(alter->snapshot, &alter->arena, &columns, err));
    bool is_same = true;
    for (size_t i = 0; i < columns.count; i++) {
        dw_column_path *path = &columns.items[i].path;
        const dw_name_path *names = &columns.items[i].parts;
        for (size_t k = 0; k < path->count; k++) {
            is_same = is_same && dw__str_equal(path->parts[k], names->parts[k]);
        }
        path->parts = names->parts;
    }
    r->moves_clustering = !is_same;
    return is_same ? DW_OK : dw__cluster_columns_print(&columns, &alter->arena, after, err);
}

static dw_status
strip_schema(removal *r, dw_error *err)
{
    dw_alter *alter = &r->alter;
    const dw_type *stripped;
    DW_TRY(dw__schema_strip(alter->schema, mapping_prefixes, 2, &alter->arena, &stripped, err));
    alter->schema = dw__schema_without_mapping(stripped, &alter->arena);
    if (alter->schema == NULL) {
        return dw__error_oom(err);
    }
    const dw_metadata *metadata = &alter->metadata;
    DW_TRY(dw__schema_check(alter->schema, metadata->partition_columns,
                            metadata->partition_column_count, false, err));
    return dw__alter_print_schema(alter, err);
}

static dw_status
change_metadata(removal *r, bool keeps_mode, dw_error *err)
{
    dw_alter *alter = &r->alter;
    DW_TRY(rename_clustering(r, err));
    DW_TRY(strip_schema(r, err));
    (void) dw__alter_unset(alter, DW_MAPPING_MAX_ID_KEY);
    (void) dw__alter_unset(alter, DW_MAPPING_MODE_KEY);
    if (keeps_mode) {
        dw__alter_set(alter, DW_MAPPING_MODE_KEY, DW_STR("none"));
    }
    dw__properties_read(&alter->metadata.configuration, &r->properties, NULL);
    return dw__iceberg_compat_check(dw__log_snapshot_protocol(alter->snapshot), &r->properties,
                                    alter->schema, &alter->arena, err);
}

/* All files, unless the mapping is off already and its names are only left over. */
static size_t
count_rewrites(const removal *r)
{
    const dw_log_snapshot *snapshot = r->alter.snapshot;
    return dw__log_snapshot_properties(snapshot)->mapping_mode == DW_MAPPING_NONE
               ? 0
               : dw__file_set_count(dw__log_snapshot_files(snapshot));
}

static dw_status
rewrite_files(removal *r, dw_error *err)
{
    const dw_log_snapshot *snapshot = r->alter.snapshot;
    if (count_rewrites(r) == 0) {
        return DW_OK;
    }
    r->rewrite.schema = r->alter.schema;
    r->rewrite.properties = &r->properties;
    r->rewrite.protocol = dw__log_snapshot_protocol(snapshot);
    return dw__file_rewrite(&r->rewrite, &r->change, err);
}

static dw_status
commit(removal *r, dw_alter_report *report, dw_error *err)
{
    dw_txn_result done;
    dw_change *change = &r->change;
    DW_TRY(dw__change_init(change, r->alter.table, r->alter.snapshot, &r->alter.arena, 2, err));
    change->operation = "REMOVE COLUMN MAPPING";
    change->limits = report->limits;
    change->reads_whole_table = true;
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = r->alter.metadata};
    dw__change_put(change, &metadata);
    if (r->moves_clustering) {
        dw_action domain = {
            .kind = DW_ACTION_DOMAIN,
            .as.domain = {.domain = DW_CLUSTERING_DOMAIN, .configuration = r->rewrite.clustering}};
        dw__change_put(change, &domain);
    }
    dw_status status = rewrite_files(r, err);
    if (status != DW_OK) {
        dw__change_discard(change);
        return status;
    }
    DW_TRY(dw__change_commit(change, &done, err));
    report->version = done.version;
    return DW_OK;
}

dw_status
dw__table_remove_mapping(dw_table *table, dw_connection *connection, bool keeps_mode,
                         dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    removal r = {.rewrite.connection = connection};
    bool is_left = false;
    dw_status status = dw__alter_open(&r.alter, table, 1, err);
    if (status == DW_OK) {
        status = dw__mapping_left(r.alter.snapshot, &r.alter.arena, &is_left, err);
    }
    if (status == DW_OK && is_left) {
        status = change_metadata(&r, keeps_mode, err);
    }
    if (status == DW_OK && is_left && report->is_dry_run) {
        r.alter.rewrite_count = count_rewrites(&r);
        status = dw__alter_plan(&r.alter, report, err);
    } else if (status == DW_OK && is_left) {
        status = commit(&r, report, err);
    }
    dw__alter_close(&r.alter);
    return status;
}
