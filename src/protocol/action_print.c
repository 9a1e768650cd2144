/*
 * Printing actions, members in the reference's order.
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/action.h"

static void
put_str(dw_strbuf *out, const char *key, dw_str value)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__json_put_string(out, value);
}

/* Leaves the member out for the null string. */
static void
put_optional_str(dw_strbuf *out, const char *key, dw_str value)
{
    if (!dw__str_is_null(value)) {
        put_str(out, key, value);
    }
}

static void
put_optional_i64(dw_strbuf *out, const char *key, bool is_there, int64_t value)
{
    if (is_there) {
        dw__json_put_i64(out, key, value);
    }
}

static void
put_bool(dw_strbuf *out, const char *key, bool value)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append(out, value ? DW_STR("true") : DW_STR("false"));
}

static void
put_pairs(dw_strbuf *out, const char *key, const dw_pairs *pairs)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_char(out, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        dw__json_put_key(out, pairs->items[i].key);
        if (dw__str_is_null(pairs->items[i].value)) {
            dw__strbuf_append_literal(out, "null");
        } else {
            dw__json_put_string(out, pairs->items[i].value);
        }
    }
    dw__strbuf_append_char(out, '}');
}

static void
put_strs(dw_strbuf *out, const char *key, const dw_str *items, size_t count)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        dw__json_put_comma(out);
        dw__json_put_string(out, items[i]);
    }
    dw__strbuf_append_char(out, ']');
}

/* Appends members that were kept as text (",..."), without their comma when nothing precedes. */
static void
put_extra(dw_strbuf *out, dw_str extra)
{
    if (extra.len > 0) {
        dw__json_put_comma(out);
        dw__strbuf_append(out, dw__str_slice(extra, 1, extra.len));
    }
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
put_dv(dw_strbuf *out, const dw_dv_descriptor *dv)
{
    if (dv == NULL) {
        return;
    }
    dw__json_put_key(out, DW_STR("deletionVector"));
    dw__strbuf_append_char(out, '{');
    put_str(out, "storageType", dw__str_make(&dv->storage_type, 1));
    put_str(out, "pathOrInlineDv", dv->path_or_inline_dv);
    put_optional_i64(out, "offset", dv->has_offset, dv->offset);
    dw__json_put_i64(out, "sizeInBytes", dv->size_bytes);
    dw__json_put_i64(out, "cardinality", dv->cardinality);
    dw__strbuf_append_char(out, '}');
}

static void
put_tags(dw_strbuf *out, const dw_file *file)
{
    if (!dw__str_is_null(file->tags_json)) {
        dw__json_put_key(out, DW_STR("tags"));
        dw__strbuf_append(out, file->tags_json);
    }
}

/* What add and remove have in common at their end. */
static void
put_file_tail(dw_strbuf *out, const dw_file *file)
{
    put_tags(out, file);
    put_dv(out, file->dv);
    put_optional_i64(out, "baseRowId", file->has_base_row_id, file->base_row_id);
    put_optional_i64(out, "defaultRowCommitVersion", file->has_default_row_commit_version,
                     file->default_row_commit_version);
    put_optional_str(out, "clusteringProvider", file->clustering_provider);
    put_extra(out, file->extra_json);
}

static void
put_add(dw_strbuf *out, const dw_file *file)
{
    put_str(out, "path", file->path);
    put_pairs(out, "partitionValues", &file->partition_values);
    dw__json_put_i64(out, "size", file->size_bytes);
    dw__json_put_i64(out, "modificationTime", file->modification_time_ms);
    put_bool(out, "dataChange", file->data_change);
    put_optional_str(out, "stats", file->stats);
    put_file_tail(out, file);
}

static void
put_remove(dw_strbuf *out, const dw_file *file)
{
    put_str(out, "path", file->path);
    put_optional_i64(out, "deletionTimestamp", file->has_deletion_timestamp,
                     file->deletion_timestamp_ms);
    put_bool(out, "dataChange", file->data_change);
    if (file->has_extended_file_metadata) {
        put_bool(out, "extendedFileMetadata", file->extended_file_metadata);
    }
    if (file->has_partition_values) {
        put_pairs(out, "partitionValues", &file->partition_values);
    }
    put_optional_i64(out, "size", file->has_size, file->size_bytes);
    put_file_tail(out, file);
    put_optional_str(out, "stats", file->stats);
}

static void
put_cdc(dw_strbuf *out, const dw_file *file)
{
    put_str(out, "path", file->path);
    put_pairs(out, "partitionValues", &file->partition_values);
    dw__json_put_i64(out, "size", file->size_bytes);
    put_bool(out, "dataChange", file->data_change);
    put_file_tail(out, file);
}

/* ---- The others ------------------------------------------------------------------------------ */

void
dw__metadata_print(dw_strbuf *out, const dw_metadata *metadata)
{
    dw__strbuf_append_char(out, '{');
    put_str(out, "id", metadata->id);
    put_optional_str(out, "name", metadata->name);
    put_optional_str(out, "description", metadata->description);
    dw__json_put_key(out, DW_STR("format"));
    dw__strbuf_append_char(out, '{');
    put_str(out, "provider", metadata->format_provider);
    put_pairs(out, "options", &metadata->format_options);
    dw__strbuf_append_char(out, '}');
    put_str(out, "schemaString", metadata->schema_string);
    put_strs(out, "partitionColumns", metadata->partition_columns,
             metadata->partition_column_count);
    put_pairs(out, "configuration", &metadata->configuration);
    put_optional_i64(out, "createdTime", metadata->has_created_time, metadata->created_time_ms);
    put_extra(out, metadata->extra_json);
    dw__strbuf_append_char(out, '}');
}

void
dw__protocol_print(dw_strbuf *out, const dw_protocol *protocol)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_i64(out, "minReaderVersion", protocol->min_reader_version);
    dw__json_put_i64(out, "minWriterVersion", protocol->min_writer_version);
    if (protocol->has_reader_features) {
        put_strs(out, "readerFeatures", protocol->reader_features, protocol->reader_feature_count);
    }
    if (protocol->has_writer_features) {
        put_strs(out, "writerFeatures", protocol->writer_features, protocol->writer_feature_count);
    }
    dw__strbuf_append_char(out, '}');
}

void
dw__txn_id_print(dw_strbuf *out, const dw_txn_id *txn)
{
    dw__strbuf_append_char(out, '{');
    put_str(out, "appId", txn->app_id);
    dw__json_put_i64(out, "version", txn->version);
    put_optional_i64(out, "lastUpdated", txn->has_last_updated, txn->last_updated_ms);
    dw__strbuf_append_char(out, '}');
}

void
dw__domain_print(dw_strbuf *out, const dw_domain *domain)
{
    dw__strbuf_append_char(out, '{');
    put_str(out, "domain", domain->domain);
    put_str(out, "configuration", domain->configuration);
    put_bool(out, "removed", domain->removed);
    dw__strbuf_append_char(out, '}');
}

static void
put_sidecar(dw_strbuf *out, const dw_sidecar *sidecar)
{
    dw__strbuf_append_char(out, '{');
    put_str(out, "path", sidecar->path);
    dw__json_put_i64(out, "sizeInBytes", sidecar->size_bytes);
    dw__json_put_i64(out, "modificationTime", sidecar->modification_time_ms);
    dw__strbuf_append_char(out, '}');
}

static void
open_action(dw_strbuf *out, const char *name)
{
    dw__strbuf_append_literal(out, "{\"");
    dw__strbuf_append(out, dw__str_from(name));
    dw__strbuf_append_literal(out, "\":");
}

static void
put_file(dw_strbuf *out, const char *name, const dw_file *file,
         void (*put)(dw_strbuf *out, const dw_file *file))
{
    open_action(out, name);
    dw__strbuf_append_char(out, '{');
    put(out, file);
    dw__strbuf_append_literal(out, "}}\n");
}

static void
put_text(dw_strbuf *out, const char *name, dw_str json)
{
    open_action(out, name);
    dw__strbuf_append(out, json);
    dw__strbuf_append_literal(out, "}\n");
}

/* txn, domainMetadata and sidecar. */
static void
put_small(dw_strbuf *out, const dw_action *action)
{
    if (action->kind == DW_ACTION_TXN) {
        open_action(out, "txn");
        dw__txn_id_print(out, &action->as.txn);
    } else if (action->kind == DW_ACTION_DOMAIN) {
        open_action(out, "domainMetadata");
        dw__domain_print(out, &action->as.domain);
    } else {
        dw_assert(action->kind == DW_ACTION_SIDECAR);
        open_action(out, "sidecar");
        put_sidecar(out, &action->as.sidecar);
    }
    dw__strbuf_append_literal(out, "}\n");
}

void
dw__action_print(dw_strbuf *out, const dw_action *action)
{
    switch (action->kind) {
    case DW_ACTION_ADD:
        put_file(out, "add", &action->as.file, put_add);
        return;
    case DW_ACTION_REMOVE:
        put_file(out, "remove", &action->as.file, put_remove);
        return;
    case DW_ACTION_CDC:
        put_file(out, "cdc", &action->as.file, put_cdc);
        return;
    case DW_ACTION_METADATA:
        open_action(out, "metaData");
        dw__metadata_print(out, &action->as.metadata);
        dw__strbuf_append_literal(out, "}\n");
        return;
    case DW_ACTION_PROTOCOL:
        open_action(out, "protocol");
        dw__protocol_print(out, &action->as.protocol);
        dw__strbuf_append_literal(out, "}\n");
        return;
    case DW_ACTION_TXN:
    case DW_ACTION_DOMAIN:
    case DW_ACTION_SIDECAR:
        put_small(out, action);
        return;
    case DW_ACTION_COMMIT_INFO:
        put_text(out, "commitInfo", action->as.json);
        return;
    case DW_ACTION_CHECKPOINT_METADATA:
        put_text(out, "checkpointMetadata", action->as.json);
        return;
    case DW_ACTION_UNKNOWN:
        dw__strbuf_append(out, action->as.json);
        dw__strbuf_append_char(out, '\n');
        return;
    }
    dw_unreachable("every kind is listed");
}
