/*
 * Printing events. Facets name the schema that they keep to.
 */
#include "lineage/openlineage.h"

#include "base/assert.h"
#include "protocol/value.h"

#include <inttypes.h>

#define SPEC "https://openlineage.io/spec/"
#define FACETS SPEC "facets/"
#define PRODUCER "urn:deltaworks:" DW_VERSION

static void
put_text(dw_strbuf *out, const char *key, dw_str value)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__json_put_string(out, value);
}

static void
open_object(dw_strbuf *out, const char *key)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_char(out, '{');
}

static void
close_object(dw_strbuf *out)
{
    dw__strbuf_append_char(out, '}');
}

/* "sql": {"_producer": ..., "_schemaURL": ..., and stays open. */
static void
open_facet(dw_strbuf *out, const char *key, const char *schema)
{
    open_object(out, key);
    put_text(out, "_producer", DW_STR(PRODUCER));
    dw__json_put_key(out, DW_STR("_schemaURL"));
    dw__strbuf_printf(out, "\"" FACETS "%s\"", schema);
}

/* ---- Datasets -------------------------------------------------------------------------------- */

/* A path of the file system is in the namespace "file", an object in that of its bucket. */
static void
put_dataset_name(dw_strbuf *out, dw_str uri)
{
    size_t colon = dw__str_find(uri, ':');
    dw_str rest = colon == SIZE_MAX ? DW_STR("") : dw__str_slice(uri, colon + 1, uri.len);
    if (!dw__str_starts_with(rest, DW_STR("//"))) {
        put_text(out, "namespace", DW_STR("file"));
        put_text(out, "name", uri);
        return;
    }
    dw_str path = dw__str_slice(rest, 2, rest.len);
    size_t slash = dw__str_find(path, '/');
    size_t len = slash == SIZE_MAX ? uri.len : colon + 3 + slash;
    bool is_file = dw__str_starts_with(uri, DW_STR("file:"));
    put_text(out, "namespace", is_file ? DW_STR("file") : dw__str_slice(uri, 0, len));
    put_text(out, "name", dw__str_slice(uri, len + (is_file ? 0 : 1), uri.len));
}

static void
put_version(dw_strbuf *out, int64_t version)
{
    if (version >= 0) {
        open_facet(out, "version",
                   "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
        dw__json_put_key(out, DW_STR("datasetVersion"));
        dw__strbuf_printf(out, "\"%" PRId64 "\"", version);
        close_object(out);
    }
}

static void
put_storage(dw_strbuf *out)
{
    open_facet(out, "storage", "1-0-1/StorageDatasetFacet.json#/$defs/StorageDatasetFacet");
    put_text(out, "storageLayer", DW_STR("delta"));
    put_text(out, "fileFormat", DW_STR("parquet"));
    close_object(out);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static bool
was_printed(const dw_lineage_record *record, size_t statement, size_t input)
{
    dw_str table = record->statements[statement].inputs[input].table;
    for (size_t i = 0; i <= statement; i++) {
        size_t count = i == statement ? input : record->statements[i].input_count;
        for (size_t k = 0; k < count; k++) {
            if (!dw__str_is_null(table) &&
                dw__str_equal(record->statements[i].inputs[k].table, table)) {
                return true;
            }
        }
    }
    return false;
}

static void
put_input(dw_strbuf *out, const dw_lineage_input *input)
{
    for (size_t i = 0; i < input->file_count; i++) {
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        put_dataset_name(out, input->files[i]);
        close_object(out);
    }
    if (!dw__str_is_null(input->table)) {
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        put_dataset_name(out, input->table);
        open_object(out, "facets");
        put_version(out, input->version);
        put_storage(out);
        close_object(out);
        close_object(out);
    }
}

static void
put_inputs(dw_strbuf *out, const dw_lineage_record *record)
{
    dw__json_put_key(out, DW_STR("inputs"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < record->statement_count; i++) {
        for (size_t k = 0; k < record->statements[i].input_count; k++) {
            if (!was_printed(record, i, k)) {
                put_input(out, &record->statements[i].inputs[k]);
            }
        }
    }
    dw__strbuf_append_char(out, ']');
}

/* ---- Columns --------------------------------------------------------------------------------- */

static void
put_field(dw_strbuf *out, dw_str dataset, dw_str column, dw_str transformations)
{
    dw__json_put_comma(out);
    dw__strbuf_append_char(out, '{');
    put_dataset_name(out, dataset);
    put_text(out, "field", column);
    dw__json_put_key(out, DW_STR("transformations"));
    dw__strbuf_printf(out, "[%.*s]}", DW_STR_ARG(transformations));
}

static void
put_ref(dw_strbuf *out, const dw_lineage_statement *statement, const dw_lineage_ref *ref,
        dw_str transformations)
{
    const dw_lineage_input *input = &statement->inputs[ref->input];
    if (!dw__str_is_null(input->table)) {
        put_field(out, input->table, ref->column, transformations);
    }
    for (size_t k = 0; k < input->file_count; k++) {
        put_field(out, input->files[k], ref->column, transformations);
    }
}

static void
put_made_of(dw_strbuf *out, const dw_lineage_statement *statement, const dw_lineage_column *column)
{
    static const char same[] = "{\"type\":\"DIRECT\",\"subtype\":\"IDENTITY\"}";
    static const char derived[] = "{\"type\":\"DIRECT\",\"subtype\":\"TRANSFORMATION\"}";
    dw_str how = dw__str_from(column->how == DW_LINEAGE_SAME ? same : derived);
    for (size_t i = 0; i < column->from_count; i++) {
        put_ref(out, statement, &column->from[i], how);
    }
}

/* How the column decides which rows there are. */
static void
put_condition(dw_strbuf *out, const dw_lineage_statement *statement,
              const dw_lineage_condition *condition)
{
    static const char *const subtypes[DW_CONDITION_KIND_COUNT] = {[DW_CONDITION_FILTER] = "FILTER",
                                                                  [DW_CONDITION_JOIN] = "JOIN",
                                                                  [DW_CONDITION_GROUP] = "GROUP_BY",
                                                                  [DW_CONDITION_SORT] = "SORT"};
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
    for (size_t kind = 0; kind < DW_CONDITION_KIND_COUNT; kind++) {
        if ((condition->kinds >> kind & 1) != 0) {
            dw__strbuf_printf(&text, "%s{\"type\":\"INDIRECT\",\"subtype\":\"%s\"}",
                              text.len > 0 ? "," : "", subtypes[kind]);
        }
    }
    out->failed = out->failed || text.failed;
    put_ref(out, statement, &condition->ref, dw__strbuf_str(&text));
}

static const dw_lineage_column *
find_column(const dw_lineage_statement *statement, dw_str name)
{
    for (size_t i = 0; i < statement->column_count; i++) {
        if (dw__str_equal(statement->columns[i].name, name)) {
            return &statement->columns[i];
        }
    }
    return NULL;
}

/* What all statements make the column of. */
static void
put_column(dw_strbuf *out, const dw_lineage_record *record, dw_str name)
{
    dw__json_put_key(out, name);
    dw__strbuf_append_literal(out, "{\"inputFields\":[");
    for (size_t i = 0; i < record->statement_count; i++) {
        const dw_lineage_column *column = find_column(&record->statements[i], name);
        if (column != NULL) {
            put_made_of(out, &record->statements[i], column);
        }
    }
    dw__strbuf_append_literal(out, "]}");
}

/* One that may be made of any is not told: a catalog would take what is listed for all. */
static bool
can_be_told(const dw_lineage_record *record, size_t statement, const dw_lineage_column *column)
{
    bool can = true;
    for (size_t i = 0; can && i < record->statement_count; i++) {
        const dw_lineage_column *other = find_column(&record->statements[i], column->name);
        bool was_before = i < statement && other != NULL;
        can = !was_before && (other == NULL || other->how != DW_LINEAGE_ANY);
    }
    return can;
}

/* What only moves rows, or changes the definition, says nothing of columns. */
static bool
says_columns(const dw_lineage_record *record)
{
    bool says = false;
    for (size_t i = 0; i < record->statement_count; i++) {
        const dw_lineage_statement *statement = &record->statements[i];
        says = says || statement->column_count > 0 || statement->condition_count > 0;
    }
    return says;
}

static void
put_column_lineage(dw_strbuf *out, const dw_lineage_record *record)
{
    open_facet(out, "columnLineage",
               "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet");
    open_object(out, "fields");
    for (size_t i = 0; i < record->statement_count; i++) {
        for (size_t k = 0; k < record->statements[i].column_count; k++) {
            if (can_be_told(record, i, &record->statements[i].columns[k])) {
                put_column(out, record, record->statements[i].columns[k].name);
            }
        }
    }
    close_object(out);
    dw__json_put_key(out, DW_STR("dataset"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < record->statement_count; i++) {
        const dw_lineage_statement *statement = &record->statements[i];
        for (size_t k = 0; k < statement->condition_count; k++) {
            put_condition(out, statement, &statement->conditions[k]);
        }
    }
    dw__strbuf_append_char(out, ']');
    close_object(out);
}

/* ---- The output ------------------------------------------------------------------------------ */

static void
put_schema(dw_strbuf *out, const dw_type *schema)
{
    open_facet(out, "schema", "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet");
    dw__json_put_key(out, DW_STR("fields"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < schema->field_count; i++) {
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        put_text(out, "name", schema->fields[i].name);
        DW_AUTO(dw_strbuf) type = dw__strbuf_make(out->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
        dw__type_print_sql(&type, schema->fields[i].type);
        put_text(out, "type", dw__strbuf_str(&type));
        out->failed = out->failed || type.failed;
        close_object(out);
    }
    dw__strbuf_append_char(out, ']');
    close_object(out);
}

static void
put_statistics(dw_strbuf *out, const dw_openlineage_event *event)
{
    open_object(out, "outputFacets");
    open_facet(out, "outputStatistics",
               "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/"
               "OutputStatisticsOutputDatasetFacet");
    if (event->row_count >= 0) {
        dw__json_put_i64(out, "rowCount", event->row_count);
    }
    dw__json_put_i64(out, "fileCount", event->file_count);
    dw__json_put_i64(out, "size", event->size_bytes);
    close_object(out);
    close_object(out);
}

static void
put_output(dw_strbuf *out, const dw_openlineage_event *event)
{
    dw__json_put_key(out, DW_STR("outputs"));
    dw__strbuf_append_literal(out, "[{");
    put_dataset_name(out, event->table);
    open_object(out, "facets");
    put_storage(out);
    put_version(out, event->version);
    if (event->schema != NULL) {
        put_schema(out, event->schema);
    }
    if (event->version >= 0 && says_columns(event->record)) {
        put_column_lineage(out, event->record);
    }
    if (!dw__str_is_null(event->change)) {
        open_facet(out, "lifecycleStateChange",
                   "1-0-1/LifecycleStateChangeDatasetFacet.json#/$defs/"
                   "LifecycleStateChangeDatasetFacet");
        put_text(out, "lifecycleStateChange", event->change);
        close_object(out);
    }
    close_object(out);
    if (event->file_count >= 0) {
        put_statistics(out, event);
    }
    dw__strbuf_append_literal(out, "}]");
}

/* ---- Run and job ----------------------------------------------------------------------------- */

static void
put_parent(dw_strbuf *out, const dw_lineage_parent *parent)
{
    open_facet(out, "parent", "1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet");
    open_object(out, "run");
    put_text(out, "runId", parent->run);
    close_object(out);
    open_object(out, "job");
    put_text(out, "namespace", parent->namespace_name);
    put_text(out, "name", parent->job);
    close_object(out);
    close_object(out);
}

static void
put_run(dw_strbuf *out, const dw_openlineage_event *event)
{
    open_object(out, "run");
    put_text(out, "runId", event->record->run);
    open_object(out, "facets");
    open_facet(out, "processing_engine",
               "1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet");
    put_text(out, "name", DW_STR("deltaworks"));
    put_text(out, "version", DW_STR(DW_VERSION));
    close_object(out);
    if (!dw__str_is_null(event->record->parent.run)) {
        put_parent(out, &event->record->parent);
    }
    if (event->type == DW_OPENLINEAGE_FAIL) {
        open_facet(out, "errorMessage",
                   "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet");
        put_text(out, "message", event->problem);
        put_text(out, "programmingLanguage", DW_STR("SQL"));
        close_object(out);
    }
    close_object(out);
    close_object(out);
}

/* The statements of a transaction stand one behind the other. */
static void
put_sql(dw_strbuf *out, const dw_lineage_record *record)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
    for (size_t i = 0; i < record->statement_count; i++) {
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR(";\n"));
        dw__strbuf_append(&text, record->statements[i].sql);
    }
    out->failed = out->failed || text.failed;
    if (text.len > 0) {
        open_facet(out, "sql", "1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet");
        put_text(out, "query", dw__strbuf_str(&text));
        close_object(out);
    }
}

static void
put_job(dw_strbuf *out, const dw_lineage_record *record)
{
    open_object(out, "job");
    put_text(out, "namespace", record->namespace_name);
    put_text(out, "name", record->job);
    open_object(out, "facets");
    open_facet(out, "jobType", "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet");
    put_text(out, "processingType", DW_STR("BATCH"));
    put_text(out, "integration", DW_STR("DELTAWORKS"));
    put_text(out, "jobType", DW_STR("QUERY"));
    close_object(out);
    put_sql(out, record);
    close_object(out);
    close_object(out);
}

void
dw__openlineage_print(dw_strbuf *out, const dw_openlineage_event *event)
{
    static const char *const types[] = {[DW_OPENLINEAGE_START] = "START",
                                        [DW_OPENLINEAGE_COMPLETE] = "COMPLETE",
                                        [DW_OPENLINEAGE_FAIL] = "FAIL"};
    dw_assert(!dw__str_is_null(event->record->run));
    dw__strbuf_append_char(out, '{');
    put_text(out, "eventType", dw__str_from(types[event->type]));
    dw__json_put_key(out, DW_STR("eventTime"));
    dw__strbuf_append_char(out, '"');
    dw__timestamp_print(out, event->time_us, 'T', 6, "Z");
    dw__strbuf_append_char(out, '"');
    put_text(out, "producer", DW_STR(PRODUCER));
    put_text(out, "schemaURL", DW_STR(SPEC "2-0-2/OpenLineage.json#/$defs/RunEvent"));
    put_run(out, event);
    put_job(out, event->record);
    put_inputs(out, event->record);
    put_output(out, event);
    dw__strbuf_append_char(out, '}');
}
