/*
 * DESCRIBE DETAIL.
 */
#include "codec/rows.h"
#include "scan/scan.h"
#include "table/clustering.h"
#include "table/describe.h"
#include "table/expectation.h"

static const dw_rows_column detail_columns[] = {
    {"format", DW_ROWS_STR, 0, 0},
    {"id", DW_ROWS_STR, 0, 0},
    {"name", DW_ROWS_STR, 0, 0},
    {"description", DW_ROWS_STR, 0, 0},
    {"location", DW_ROWS_STR, 0, 0},
    {"createdAt", DW_ROWS_TIMESTAMP, 0, 0},
    {"lastModified", DW_ROWS_TIMESTAMP, 0, 0},
    {"partitionColumns", DW_ROWS_STR_LIST, 0, 0},
    {"clusteringColumns", DW_ROWS_STR_LIST, 0, 0},
    {"numFiles", DW_ROWS_I64, 0, 0},
    {"sizeInBytes", DW_ROWS_I64, 0, 0},
    {"properties", DW_ROWS_STR_MAP, 0, 0},
    {"minReaderVersion", DW_ROWS_I32, 0, 0},
    {"minWriterVersion", DW_ROWS_I32, 0, 0},
    {"tableFeatures", DW_ROWS_STR_LIST, 0, 0},
    {"version", DW_ROWS_I64, 0, 0},
    {"numRecords", DW_ROWS_I64, 0, 0},
    {"expectations", DW_ROWS_STR_MAP, 0, 0},
};

static void
put_list(dw_rows *rows, const dw_str *items, size_t count)
{
    dw__rows_begin(rows);
    for (size_t i = 0; i < count; i++) {
        dw__rows_put_item(rows, items[i], DW_STR_NULL);
    }
    dw__rows_end(rows);
}

/* Each clustering column by its name in the table. */
static dw_status
put_clustering(dw_rows *rows, const dw_log_snapshot *snapshot, const dw_allocator *allocator,
               dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    dw_cluster_columns columns;
    DW_TRY(dw__cluster_columns_of(snapshot, &arena, &columns, err));
    dw__rows_begin(rows);
    for (size_t i = 0; i < columns.count; i++) {
        dw__rows_put_item(rows, columns.items[i].name, DW_STR_NULL);
    }
    dw__rows_end(rows);
    return DW_OK;
}

/* Those that are expectations have a column of their own. */
static void
put_properties(dw_rows *rows, const dw_pairs *configuration)
{
    dw__rows_begin(rows);
    for (size_t i = 0; i < configuration->count; i++) {
        if (!dw__is_expectation_key(configuration->items[i].key)) {
            dw__rows_put_item(rows, configuration->items[i].key, configuration->items[i].value);
        }
    }
    dw__rows_end(rows);
}

/* {positive=WARN: amount > 0}; what is no expectation stands there as it is. [EXPECTATION-2] */
static dw_status
put_expectations(dw_rows *rows, const dw_pairs *configuration, const dw_allocator *allocator,
                 dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    dw__rows_begin(rows);
    for (size_t i = 0; i < configuration->count; i++) {
        const dw_pair *pair = &configuration->items[i];
        dw_expectation_spec spec;
        dw_error cause = DW_ERROR_INIT;
        if (!dw__is_expectation_key(pair->key)) {
            continue;
        }
        dw_str shown = pair->value;
        dw_status status = dw__expectation_parse(pair, &arena, &spec, &cause);
        if (status == DW_OK) {
            shown = dw__arena_printf(&arena, "%s: %.*s", dw__violation_name(spec.action),
                                     DW_STR_ARG(spec.text));
        }
        if (status == DW_OUT_OF_MEMORY || (status == DW_OK && dw__str_is_null(shown))) {
            return dw__error_oom(err);
        }
        dw__rows_put_item(rows, dw__str_slice(pair->key, DW_EXPECTATION_PREFIX.len, pair->key.len),
                          shown);
    }
    dw__rows_end(rows);
    return DW_OK;
}

/* The features by name, also those that a legacy version implies. */
static void
put_features(dw_rows *rows, const dw_protocol *protocol)
{
    dw__rows_begin(rows);
    for (int f = 0; f < DW_FEATURE_COUNT; f++) {
        if (dw__protocol_supports(protocol, (dw_feature) f)) {
            dw__rows_put_item(rows, dw__feature_spec((dw_feature) f)->name, DW_STR_NULL);
        }
    }
    dw__rows_end(rows);
}

static void
put_identity(dw_rows *rows, dw_table *table, const dw_metadata *metadata)
{
    dw__rows_put_str(rows, DW_STR("delta"));
    dw__rows_put_str(rows, metadata->id);
    dw__rows_put_str(rows, metadata->name);
    dw__rows_put_str(rows, metadata->description);
    dw__rows_put_str(rows, dw__table_root(table));
    if (metadata->has_created_time) {
        dw__rows_put_i64(rows, metadata->created_time_ms * 1000);
    } else {
        dw__rows_put_null(rows);
    }
}

static dw_status
put_detail(dw_rows *rows, dw_table *table, dw_log_snapshot *snapshot, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    const dw_file_set *files = dw__log_snapshot_files(snapshot);
    put_identity(rows, table, metadata);
    dw__rows_put_i64(rows, dw__log_snapshot_timestamp_ms(snapshot) * 1000);
    put_list(rows, metadata->partition_columns, metadata->partition_column_count);
    DW_TRY(put_clustering(rows, snapshot, dw__table_env(table)->allocator, err));
    dw__rows_put_i64(rows, (int64_t) dw__file_set_count(files));
    dw__rows_put_i64(rows, dw__file_set_size_bytes(files));
    put_properties(rows, &metadata->configuration);
    dw__rows_put_i64(rows, protocol->min_reader_version);
    dw__rows_put_i64(rows, protocol->min_writer_version);
    put_features(rows, protocol);
    dw__rows_put_i64(rows, dw__log_snapshot_version(snapshot));
    int64_t row_count;
    bool known;
    DW_TRY(dw__scan_count_rows(snapshot, &row_count, &known, err));
    if (known) {
        dw__rows_put_i64(rows, row_count);
    } else {
        dw__rows_put_null(rows);
    }
    return put_expectations(rows, &metadata->configuration, dw__table_env(table)->allocator, err);
}

dw_status
dw__table_detail(dw_table *table, dw_log_snapshot *snapshot, struct ArrowArrayStream *out,
                 dw_error *err)
{
    dw_rows *rows;
    DW_TRY(dw__rows_new(dw__table_env(table)->allocator, detail_columns,
                        sizeof(detail_columns) / sizeof(detail_columns[0]), &rows, err));
    dw_status status = put_detail(rows, table, snapshot, err);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, err);
}
