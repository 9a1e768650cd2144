/*
 * One add against the definition that holds: partition values, deletion vector, statistics. Rules
 * B6, G, L, M.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "protocol/stats.h"
#include "protocol/value.h"

#include <inttypes.h>

static void
check_partition_value(dw_fsck *fsck, const dw_file *file, const dw_field *field)
{
    const dw_str *text = dw__pairs_get(&file->partition_values, field->physical_name);
    if (text == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "L1", file->path,
                      "expected a value of the partition column '%.*s', found none",
                      DW_STR_ARG(field->physical_name));
        return;
    }
    dw_value value;
    dw_error cause = DW_ERROR_INIT;
    if (dw__partition_value_parse(field, *text, &fsck->scratch, &value, &cause) == DW_CORRUPT) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "L2", file->path, "%s", cause.message);
    }
}

static void
check_partition_values(dw_fsck *fsck, const dw_file *file)
{
    const dw_metadata *metadata = fsck->state.metadata;
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        const dw_field *field = dw__schema_find(fsck->state.schema, metadata->partition_columns[i]);
        if (field != NULL && !dw__type_is_nested(field->type)) {
            check_partition_value(fsck, file, field);
        }
    }
    for (size_t i = 0; i < file->partition_values.count; i++) {
        dw_str key = file->partition_values.items[i].key;
        bool is_known = false;
        for (size_t c = 0; c < metadata->partition_column_count && !is_known; c++) {
            const dw_field *field =
                dw__schema_find(fsck->state.schema, metadata->partition_columns[c]);
            is_known = field != NULL && dw__str_equal(field->physical_name, key);
        }
        if (!is_known) {
            dw__fsck_find(fsck, DW_FSCK_WARNING, "L1", file->path,
                          "'%.*s' is no partition column of the table", DW_STR_ARG(key));
        }
    }
}

static void
check_dv(dw_fsck *fsck, const dw_file *file, int64_t num_records)
{
    const dw_dv_descriptor *dv = file->dv;
    if (!dw__protocol_supports(fsck->state.protocol, DW_FEATURE_DELETION_VECTORS)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D9", file->path,
                      "a deletion vector needs the feature deletionVectors, which the protocol "
                      "does not have");
    }
    if (dv->size_bytes <= 0 || dv->cardinality < 0 || (dv->has_offset && dv->offset < 0) ||
        (dv->storage_type == 'i' && dv->has_offset)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "G1", file->path,
                      "the descriptor of the deletion vector is not valid: type %c, size %" PRId32
                      ", cardinality %" PRId64,
                      dv->storage_type, dv->size_bytes, dv->cardinality);
    }
    if (num_records < 0) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "G6", file->path,
                      "expected numRecords in the statistics of a file with a deletion vector, "
                      "found none");
    } else if (dv->cardinality > num_records) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "G6", file->path,
                      "the deletion vector has %" PRId64 " rows, the file %" PRId64,
                      dv->cardinality, num_records);
    }
}

static void
check_stats(dw_fsck *fsck, const dw_file *file)
{
    if (file->stats.len == 0) {
        return;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__fsck_parse(fsck, file->stats, "the statistics", &doc, &cause);
    if (status != DW_OK && status != DW_CORRUPT) {
        return;
    }
    if (status == DW_CORRUPT ||
        (status == DW_OK && dw__json_kind(dw__json_root(doc)) != DW_JSON_OBJECT)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "M1", file->path,
                      "expected a JSON object as statistics: %s", cause.message);
        return;
    }
    dw_json count = dw__json_get(dw__json_root(doc), DW_STR("numRecords"));
    int64_t records = 0;
    if (dw__json_kind(count) != DW_JSON_MISSING && dw__json_kind(count) != DW_JSON_NULL &&
        (!dw__json_i64(count, &records) || records < 0)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "M1", file->path,
                      "expected a number of rows as numRecords, found something else");
    }
}

/* The member of a file's statistics that a column's path leads to. */
static dw_json
stats_member(dw_json stats, const char *kind, dw_json path)
{
    dw_json found = dw__json_get(stats, dw__str_from(kind));
    dw_json_iter it = dw__json_iter(path);
    while (dw__json_next(&it)) {
        found = dw__json_get(found, dw__json_str(it.value));
    }
    return found;
}

static void
check_clustered_column(dw_fsck *fsck, const dw_file *file, dw_json stats, dw_json path)
{
    int64_t records = 0, nulls = 0;
    dw_str name = DW_STR("?");
    dw_json_iter it = dw__json_iter(path);
    while (dw__json_next(&it)) {
        name = dw__json_str(it.value);
    }
    dw_json count = stats_member(stats, "nullCount", path);
    bool has_count = dw__json_i64(count, &nulls);
    bool is_empty = dw__json_i64(dw__json_get(stats, DW_STR("numRecords")), &records) &&
                    (records == 0 || (has_count && nulls >= records));
    bool has_bounds = dw__json_kind(stats_member(stats, "minValues", path)) != DW_JSON_MISSING ||
                      dw__json_kind(stats_member(stats, "maxValues", path)) != DW_JSON_MISSING;
    if (!is_empty && !has_count && !has_bounds) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "I2", file->path,
                      "expected statistics of the clustering column '%.*s', found none",
                      DW_STR_ARG(name));
    }
}

/* Files that a writer made since the table is clustered. */
static void
check_clustered_stats(dw_fsck *fsck, const dw_file *file)
{
    const dw_fsck_domain *domain = dw__fsck_domain(&fsck->state, DW_STR("delta.clustering"));
    if (domain == NULL || !file->data_change || file->stats.len == 0 ||
        domain->version >= fsck->version ||
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_CLUSTERING)) {
        return;
    }
    DW_AUTO(dw_json_doc_ptr) columns = NULL;
    DW_AUTO(dw_json_doc_ptr) stats = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__fsck_parse(fsck, domain->domain.configuration, "the domain", &columns, &ignored) !=
            DW_OK ||
        dw__fsck_parse(fsck, file->stats, "the statistics", &stats, &ignored) != DW_OK) {
        return;
    }
    dw_json_iter it =
        dw__json_iter(dw__json_get(dw__json_root(columns), DW_STR("clusteringColumns")));
    while (dw__json_next(&it)) {
        check_clustered_column(fsck, file, dw__json_root(stats), it.value);
    }
}

void
dw__fsck_check_add(dw_fsck *fsck, const dw_file *file)
{
    const dw_fsck_state *state = &fsck->state;
    if (!file->has_size || file->size_bytes < 0) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B6", file->path,
                      "expected a size from 0 on in the add, found %" PRId64,
                      file->has_size ? file->size_bytes : -1);
    }
    if (!file->has_partition_values) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B6", file->path,
                      "expected partitionValues in the add, found none");
    }
    if (state->metadata != NULL && state->schema != NULL) {
        check_partition_values(fsck, file);
    }
    check_stats(fsck, file);
    if (state->protocol != NULL) {
        check_clustered_stats(fsck, file);
    }
    if (file->dv != NULL && state->protocol != NULL) {
        check_dv(fsck, file, dw__fsck_num_records(file->stats));
    }
}
