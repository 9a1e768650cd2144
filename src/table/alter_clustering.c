/*
 * ALTER TABLE ... CLUSTER BY.
 */
#include "table/alter_core.h"
#include "table/change.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)

static dw_status
check_unpartitioned(const dw_metadata *metadata, dw_error *err)
{
    if (metadata->partition_column_count == 0) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT,
                         "ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED",
                         "expected a table without partitions to cluster, found one partitioned by "
                         "%.*s: create a clustered table AS SELECT from it",
                         DW_STR_ARG(metadata->partition_columns[0]));
}

static dw_status
put_parameters(const dw_cluster_columns *before, const dw_cluster_columns *after,
               dw_strbuf *parameters, dw_error *err)
{
    DW_AUTO(dw_strbuf) names = dw__strbuf_make(parameters->allocator, TEXT_BYTES_MAX);
    dw__cluster_columns_put_names(before, &names);
    dw__change_put_parameter(parameters, "oldClusteringColumns", dw__strbuf_str(&names));
    dw__strbuf_clear(&names);
    dw__cluster_columns_put_names(after, &names);
    dw__change_put_parameter(parameters, "newClusteringColumns", dw__strbuf_str(&names));
    return dw__strbuf_ok(&names, "the clustering columns", err);
}

/* The property says who chooses. `is_new_out`: another than before. */
static void
mark(dw_alter *alter, bool is_auto, bool *is_new_out)
{
    const dw_str *old = dw__pairs_get(&alter->metadata.configuration, DW_CLUSTER_BY_AUTO);
    *is_new_out = is_auto ? old == NULL || !dw__str_equal(*old, DW_STR("true")) : old != NULL;
    if (is_auto) {
        dw__alter_set(alter, DW_CLUSTER_BY_AUTO, DW_STR("true"));
    } else {
        (void) dw__alter_unset(alter, DW_CLUSTER_BY_AUTO);
    }
}

static dw_status
cluster_by(dw_alter *alter, dw_name_paths names, bool is_auto, dw_alter_report *report,
           dw_error *err)
{
    bool is_newly_marked;
    dw_cluster_columns before, after;
    dw_str old = dw__log_snapshot_clustering(alter->snapshot);
    DW_TRY(check_unpartitioned(&alter->metadata, err));
    DW_TRY(dw__cluster_columns_of(alter->snapshot, &alter->arena, &before, err));
    DW_TRY(dw__cluster_columns_find(alter->schema, names, &alter->arena, &after, err));
    DW_TRY(dw__cluster_columns_check(
        &after, alter->schema, dw__log_snapshot_properties(alter->snapshot), &alter->arena, err));
    after = is_auto && names.count == 0 ? before : after;
    mark(alter, is_auto, &is_newly_marked);
    bool is_clustered = before.count > 0 || after.count > 0;
    if (!is_clustered && !is_newly_marked) {
        return DW_OK;
    }
    dw_action domain = {.kind = DW_ACTION_DOMAIN, .as.domain = {.domain = DW_CLUSTERING_DOMAIN}};
    if (is_clustered) {
        DW_TRY(
            dw__cluster_columns_print(&after, &alter->arena, &domain.as.domain.configuration, err));
        alter->changes_more = !dw__str_equal(old, domain.as.domain.configuration);
        alter->more = &domain;
        alter->more_count = 1;
        dw__alter_want(alter, DW_STR("delta.feature.clustering"), DW_STR("supported"));
    }
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(alter->arena.allocator, TEXT_BYTES_MAX);
    DW_TRY(put_parameters(&before, &after, &parameters, err));
    return dw__alter_commit(alter, "CLUSTER BY", &parameters, report, err);
}

static dw_status
run(dw_table *table, dw_name_paths columns, bool is_auto, dw_alter_report *report, dw_error *err)
{
    dw_alter alter;
    report->version = -1;
    dw_status status = dw__alter_open(&alter, table, 2, err);
    if (status == DW_OK) {
        status = cluster_by(&alter, columns, is_auto, report, err);
    }
    dw__alter_close(&alter);
    return status;
}

dw_status
dw__table_cluster_by(dw_table *table, dw_name_paths columns, dw_alter_report *report, dw_error *err)
{
    return run(table, columns, false, report, err);
}

dw_status
dw__table_cluster_by_auto(dw_table *table, dw_name_paths columns, dw_alter_report *report,
                          dw_error *err)
{
    return run(table, columns, true, report, err);
}
