/*
 * Printing a commit.
 */
#include "txn/commit_bytes.h"

#include "base/assert.h"

static const char *
isolation_name(dw_txn_isolation isolation)
{
    switch (isolation) {
    case DW_TXN_SNAPSHOT_ISOLATION:
        return "SnapshotIsolation";
    case DW_TXN_WRITE_SERIALIZABLE:
        return "WriteSerializable";
    case DW_TXN_SERIALIZABLE:
        return "Serializable";
    }
    dw_unreachable("isolation level");
}

static void
put_text(dw_strbuf *out, const char *key, dw_str text)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__json_put_string(out, text);
}

/* `json` is an object's text, or the null string for an empty one. */
static void
put_object(dw_strbuf *out, const char *key, dw_str json)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append(out, dw__str_is_null(json) ? DW_STR("{}") : json);
}

/* What other writers look at when they come second. */
static void
put_tags(dw_strbuf *out, const dw_txn *txn, const dw_commit_header *header)
{
    if (!header->tracks_rows && !txn->moves_identity_marks) {
        return;
    }
    dw__json_put_key(out, DW_STR("tags"));
    dw__strbuf_append_char(out, '{');
    if (header->tracks_rows) {
        put_text(out, "delta.rowTracking.preserved",
                 txn->loses_row_ids ? DW_STR("false") : DW_STR("true"));
    }
    if (txn->moves_identity_marks) {
        put_text(out, "delta.identity.schemaUpdate", DW_STR("true"));
    }
    dw__strbuf_append_char(out, '}');
}

static void
put_commit_info(dw_strbuf *out, const dw_txn *txn, const dw_commit_header *header)
{
    dw__strbuf_append_literal(out, "{\"commitInfo\":{");
    if (header->has_in_commit_timestamp) {
        dw__json_put_i64(out, "inCommitTimestamp", header->timestamp_ms);
    }
    dw__json_put_i64(out, "timestamp", header->timestamp_ms);
    put_text(out, "operation", dw__str_from(txn->operation));
    put_object(out, "operationParameters", txn->operation_parameters_json);
    if (header->read_version >= 0) {
        dw__json_put_i64(out, "readVersion", header->read_version);
    }
    put_text(out, "isolationLevel", dw__str_from(isolation_name(header->isolation)));
    dw__json_put_key(out, DW_STR("isBlindAppend"));
    dw__strbuf_append(out, header->is_blind_append ? DW_STR("true") : DW_STR("false"));
    put_object(out, "operationMetrics", txn->operation_metrics_json);
    if (!dw__str_is_null(txn->user_metadata)) {
        put_text(out, "userMetadata", txn->user_metadata);
    }
    put_tags(out, txn, header);
    if (txn->lineage_json.len > 0) {
        put_object(out, "lineage", txn->lineage_json);
    }
    dw__json_put_key(out, DW_STR("engineInfo"));
    dw__strbuf_printf(out, "\"Deltaworks/%s\"", dw_version());
    put_text(out, "txnId", dw__str_from(header->txn_id));
    dw__strbuf_append_literal(out, "}}\n");
}

dw_status
dw__commit_bytes(const dw_txn *txn, const dw_commit_header *header, dw_strbuf *out, dw_error *err)
{
    dw_assert(txn->operation != NULL);
    dw__strbuf_clear(out);
    put_commit_info(out, txn, header);
    for (size_t i = 0; i < txn->action_count; i++) {
        dw__action_print(out, &txn->actions[i]);
    }
    return dw__strbuf_ok(out, "the commit", err);
}
