/*
 * Checksum files: from a snapshot, to storage, and back. [CHECKSUM-3] [CHECKSUM-4]
 */
#include "log/checksum_file.h"

#include "base/assert.h"
#include "log/log_core.h"
#include "log/names.h"
#include "log/snapshot.h"

#include <inttypes.h>

/* ---- Of a snapshot --------------------------------------------------------------------------- */

static dw_status
copy_txns(const dw_log_snapshot *snapshot, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    const dw_map *txns = &snapshot->txns->by_app_id;
    dw_txn_id *items = DW_ARENA_ARRAY(arena, dw_txn_id, txns->count);
    if (items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < txns->slot_count; i++) {
        if (txns->slots[i].key.ptr != NULL) {
            items[out->txn_count++] = *(const dw_txn_id *) txns->slots[i].value.ptr;
        }
    }
    out->txns = items;
    return DW_OK;
}

dw_status
dw__checksum_of_snapshot(const dw_log_snapshot *snapshot, dw_arena *arena, dw_version_checksum *out,
                         dw_error *err)
{
    const dw_definition *definition = snapshot->definition;
    const dw_properties *properties = &definition->properties;
    bool has_dvs = dw__protocol_supports(&definition->protocol, DW_FEATURE_DELETION_VECTORS);
    *out = (dw_version_checksum){
        .txn_id = DW_STR_NULL,
        .size_bytes = dw__file_set_size_bytes(snapshot->files),
        .file_count = (int64_t) dw__file_set_count(snapshot->files),
        .has_dv_count = has_dvs,
        .dv_count = (int64_t) dw__file_set_dv_count(snapshot->files),
        .has_deleted_rows = has_dvs,
        .deleted_rows = dw__file_set_deleted_rows(snapshot->files),
        .has_in_commit_timestamp = properties->enable_in_commit_timestamps,
        .in_commit_timestamp_ms = snapshot->timestamp_ms,
        .has_domains = snapshot->domains->count <= DW_CHECKSUM_DOMAINS_MAX,
        .domains = snapshot->domains->items,
        .domain_count = snapshot->domains->count,
        .metadata = &definition->metadata,
        .protocol = &definition->protocol,
    };
    const dw_file_histogram *histogram;
    DW_TRY(dw__file_set_histogram(snapshot->files, &histogram, err));
    dw__version_checksum_set_histogram(out, histogram, has_dvs);
    /* Where txns expire, which are live depends on when one looks. */
    out->has_txns = properties->set_transaction_retention_ms < 0 &&
                    snapshot->txns->by_app_id.count <= DW_CHECKSUM_TXNS_MAX;
    return out->has_txns ? copy_txns(snapshot, arena, out, err) : DW_OK;
}

/* ---- Writing and reading --------------------------------------------------------------------- */

dw_status
dw__checksum_write(dw_log *log, int64_t version, const dw_version_checksum *checksum, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(log->env->allocator, DW_CHECKSUM_BYTES_MAX);
    dw__version_checksum_print(&text, checksum);
    DW_TRY(dw__strbuf_ok(&text, "the checksum", err));
    char key[DW_CHECKPOINT_KEY_SIZE];
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__storage_put_hint_if_absent(log->storage, dw__checksum_key(version, key),
                                                      dw__strbuf_str(&text), &cause);
    if (status == DW_OK || status == DW_ALREADY_EXISTS) {
        return DW_OK;
    }
    dw__error_copy(err, &cause);
    return status;
}

dw_status
dw__checksum_read(dw_log *log, int64_t version, dw_arena *arena, dw_version_checksum *out,
                  dw_error *err)
{
    *out = (dw_version_checksum){0};
    char key_text[DW_CHECKPOINT_KEY_SIZE];
    dw_str key = dw__checksum_key(version, key_text);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(log->env->allocator, DW_CHECKSUM_BYTES_MAX);
    DW_TRY(dw__storage_get(log->storage, key, &text, NULL, err));
    dw_status status = dw__version_checksum_parse(dw__strbuf_str(&text), arena, out, err);
    if (status != DW_OK) {
        dw__error_context(err, "reading %.*s", DW_STR_ARG(key));
    }
    return status;
}

dw_status
dw__checksum_verify(const dw_log_snapshot *snapshot, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, snapshot->log->env->allocator);
    dw_version_checksum written, replayed;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status =
        dw__checksum_read(snapshot->log, snapshot->version, &arena, &written, &ignored);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status != DW_OK) {
        return DW_OK; /* a power failure may have left it empty, and it is only a second opinion */
    }
    DW_TRY(dw__checksum_of_snapshot(snapshot, &arena, &replayed, err));
    status = dw__version_checksum_compare(&written, &replayed, err);
    if (status != DW_OK) {
        char key[DW_CHECKPOINT_KEY_SIZE];
        dw__error_context(err, "comparing version %" PRId64 " with %.*s", snapshot->version,
                          DW_STR_ARG(dw__checksum_key(snapshot->version, key)));
    }
    return status;
}
