/*
 * Reading commitInfo. PROTOCOL.md "Commit Provenance Information": any JSON is legal there, so a
 * member of an unexpected type counts as missing.
 */
#include "protocol/action.h"
#include "protocol/json_arena.h"

static dw_status
take_str(dw_json object, dw_str key, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str text = dw__json_str(dw__json_get(object, key));
    return dw__arena_dup(arena, text, out) ? DW_OK : dw__error_oom(err);
}

static dw_status
take_object(dw_json object, dw_str key, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_json value = dw__json_get(object, key);
    *out = DW_STR_NULL;
    return dw__json_kind(value) == DW_JSON_OBJECT ? dw__json_to_arena(value, arena, out, err)
                                                  : DW_OK;
}

static void
take_numbers(dw_json object, dw_commit_info *out)
{
    out->has_timestamp =
        dw__json_i64(dw__json_get(object, DW_STR("timestamp")), &out->timestamp_ms);
    out->has_in_commit_timestamp = dw__json_i64(dw__json_get(object, DW_STR("inCommitTimestamp")),
                                                &out->in_commit_timestamp_ms);
    out->has_read_version =
        dw__json_i64(dw__json_get(object, DW_STR("readVersion")), &out->read_version);
    dw_json blind = dw__json_get(object, DW_STR("isBlindAppend"));
    out->has_is_blind_append = dw__json_kind(blind) == DW_JSON_BOOL;
    out->is_blind_append = dw__json_bool(blind, false);
    dw_json marks =
        dw__json_get(dw__json_get(object, DW_STR("tags")), DW_STR("delta.identity.schemaUpdate"));
    out->moves_identity_marks = dw__str_equal(dw__json_str(marks), DW_STR("true"));
}

dw_status
dw__commit_info_parse(dw_str json, dw_arena *arena, dw_commit_info *out, dw_error *err)
{
    *out = (dw_commit_info){0};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, json, "commitInfo", &doc, err));
    dw_json object = dw__json_root(doc);
    if (!dw__arena_dup(arena, json, &out->json)) {
        return dw__error_oom(err);
    }
    take_numbers(object, out);
    DW_TRY(take_str(object, DW_STR("operation"), arena, &out->operation, err));
    DW_TRY(take_object(object, DW_STR("operationParameters"), arena,
                       &out->operation_parameters_json, err));
    DW_TRY(
        take_object(object, DW_STR("operationMetrics"), arena, &out->operation_metrics_json, err));
    DW_TRY(take_str(object, DW_STR("isolationLevel"), arena, &out->isolation_level, err));
    DW_TRY(take_str(object, DW_STR("userMetadata"), arena, &out->user_metadata, err));
    DW_TRY(take_str(object, DW_STR("engineInfo"), arena, &out->engine_info, err));
    DW_TRY(take_str(object, DW_STR("txnId"), arena, &out->txn_id, err));
    DW_TRY(take_str(object, DW_STR("userId"), arena, &out->user_id, err));
    return take_str(object, DW_STR("userName"), arena, &out->user_name, err);
}
