/*
 * Printing, parsing and comparing version checksums. [CHECKSUM-1] [CHECKSUM-2]
 */
#include "protocol/version_checksum.h"

#include "base/assert.h"

#include <inttypes.h>

void
dw__version_checksum_set_histogram(dw_version_checksum *checksum,
                                   const dw_file_histogram *histogram, bool has_deleted)
{
    checksum->size_bin_count = DW_SIZE_BIN_COUNT;
    checksum->size_bins = dw__size_bins;
    checksum->size_bin_files = histogram->file_counts;
    checksum->size_bin_bytes = histogram->size_bytes;
    checksum->deleted_bin_files = has_deleted ? histogram->deleted_counts : NULL;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void
put_i64(dw_strbuf *out, const char *key, bool is_there, int64_t value)
{
    if (is_there) {
        dw__json_put_key(out, dw__str_from(key));
        dw__strbuf_append_i64(out, value);
    }
}

static void
put_lists(dw_strbuf *out, const dw_version_checksum *checksum)
{
    if (checksum->has_txns) {
        dw__json_put_key(out, DW_STR("setTransactions"));
        dw__strbuf_append_char(out, '[');
        for (size_t i = 0; i < checksum->txn_count; i++) {
            dw__json_put_comma(out);
            dw__txn_id_print(out, &checksum->txns[i]);
        }
        dw__strbuf_append_char(out, ']');
    }
    if (checksum->has_domains) {
        dw__json_put_key(out, DW_STR("domainMetadata"));
        dw__strbuf_append_char(out, '[');
        for (size_t i = 0; i < checksum->domain_count; i++) {
            dw__json_put_comma(out);
            dw__domain_print(out, &checksum->domains[i]);
        }
        dw__strbuf_append_char(out, ']');
    }
}

static void
put_bins(dw_strbuf *out, const char *key, const uint64_t *bins, size_t count)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        dw__json_put_comma(out);
        dw__strbuf_append_i64(out, (int64_t) bins[i]);
    }
    dw__strbuf_append_char(out, ']');
}

static void
put_histograms(dw_strbuf *out, const dw_version_checksum *checksum)
{
    size_t count = checksum->size_bin_count;
    if (checksum->size_bins != NULL) {
        dw__json_put_key(out, DW_STR("fileSizeHistogram"));
        dw__strbuf_append_char(out, '{');
        put_bins(out, "sortedBinBoundaries", (const uint64_t *) checksum->size_bins, count);
        put_bins(out, "fileCounts", checksum->size_bin_files, count);
        put_bins(out, "totalBytes", checksum->size_bin_bytes, count);
        dw__strbuf_append_char(out, '}');
    }
    if (checksum->deleted_bin_files != NULL) {
        dw__json_put_key(out, DW_STR("deletedRecordCountsHistogramOpt"));
        dw__strbuf_append_char(out, '{');
        put_bins(out, "deletedRecordCounts", checksum->deleted_bin_files, DW_DELETED_BIN_COUNT);
        dw__strbuf_append_char(out, '}');
    }
}

void
dw__version_checksum_print(dw_strbuf *out, const dw_version_checksum *checksum)
{
    dw_assert(checksum->metadata != NULL && checksum->protocol != NULL);
    dw__strbuf_clear(out);
    dw__strbuf_append_char(out, '{');
    if (!dw__str_is_null(checksum->txn_id)) {
        dw__json_put_key(out, DW_STR("txnId"));
        dw__json_put_string(out, checksum->txn_id);
    }
    put_i64(out, "tableSizeBytes", true, checksum->size_bytes);
    put_i64(out, "numFiles", true, checksum->file_count);
    put_i64(out, "numDeletedRecordsOpt", checksum->has_deleted_rows, checksum->deleted_rows);
    put_i64(out, "numDeletionVectorsOpt", checksum->has_dv_count, checksum->dv_count);
    put_i64(out, "numMetadata", true, 1);
    put_i64(out, "numProtocol", true, 1);
    put_i64(out, "inCommitTimestampOpt", checksum->has_in_commit_timestamp,
            checksum->in_commit_timestamp_ms);
    put_lists(out, checksum);
    dw__json_put_key(out, DW_STR("metadata"));
    dw__metadata_print(out, checksum->metadata);
    dw__json_put_key(out, DW_STR("protocol"));
    dw__protocol_print(out, checksum->protocol);
    put_histograms(out, checksum);
    dw__strbuf_append_literal(out, "}\n");
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static dw_status
parse_txns(dw_json list, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    out->has_txns = dw__json_kind(list) == DW_JSON_ARRAY;
    dw_txn_id *items = DW_ARENA_ARRAY(arena, dw_txn_id, dw__json_count(list));
    if (items == NULL) {
        return dw__error_oom(err);
    }
    dw_json_iter it = dw__json_iter(list);
    while (out->has_txns && dw__json_next(&it)) {
        dw_action action;
        DW_TRY(dw__action_parse_members(DW_ACTION_TXN, it.value, arena, &action, err));
        items[out->txn_count++] = action.as.txn;
    }
    out->txns = items;
    return DW_OK;
}

static dw_status
parse_domains(dw_json list, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    out->has_domains = dw__json_kind(list) == DW_JSON_ARRAY;
    dw_domain *items = DW_ARENA_ARRAY(arena, dw_domain, dw__json_count(list));
    if (items == NULL) {
        return dw__error_oom(err);
    }
    dw_json_iter it = dw__json_iter(list);
    while (out->has_domains && dw__json_next(&it)) {
        dw_action action;
        DW_TRY(dw__action_parse_members(DW_ACTION_DOMAIN, it.value, arena, &action, err));
        if (!action.as.domain.removed) {
            items[out->domain_count++] = action.as.domain;
        }
    }
    out->domains = items;
    return DW_OK;
}

static dw_status
parse_definition(dw_json root, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    dw_action *actions = DW_ARENA_ARRAY(arena, dw_action, 2);
    if (actions == NULL) {
        return dw__error_oom(err);
    }
    dw_json metadata = dw__json_get(root, DW_STR("metadata"));
    if (dw__json_kind(metadata) == DW_JSON_OBJECT) {
        DW_TRY(dw__action_parse_members(DW_ACTION_METADATA, metadata, arena, &actions[0], err));
        out->metadata = &actions[0].as.metadata;
    }
    dw_json protocol = dw__json_get(root, DW_STR("protocol"));
    if (dw__json_kind(protocol) == DW_JSON_OBJECT) {
        DW_TRY(dw__action_parse_members(DW_ACTION_PROTOCOL, protocol, arena, &actions[1], err));
        out->protocol = &actions[1].as.protocol;
    }
    return DW_OK;
}

/* A list of so many numbers that are not negative. */
static dw_status
parse_bins(dw_json histogram, const char *member, size_t count, dw_arena *arena,
           const uint64_t **out, dw_error *err)
{
    dw_json list = dw__json_get(histogram, dw__str_from(member));
    uint64_t *bins = DW_ARENA_ARRAY(arena, uint64_t, count);
    if (bins == NULL) {
        return dw__error_oom(err);
    }
    bool ok = dw__json_kind(list) == DW_JSON_ARRAY && dw__json_count(list) == count;
    dw_json_iter it = dw__json_iter(list);
    for (size_t i = 0; ok && i < count && dw__json_next(&it); i++) {
        int64_t value;
        ok = dw__json_i64(it.value, &value) && value >= 0;
        bins[i] = ok ? (uint64_t) value : 0;
    }
    *out = bins;
    return ok ? DW_OK
              : dw__error_set(err, DW_CORRUPT, "CHECKSUM_INVALID",
                              "expected %s to be a list of %zu numbers", member, count);
}

/* Older writers call it histogramOpt. */
static dw_status
parse_histograms(dw_json root, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    dw_json sizes = dw__json_get(root, DW_STR("fileSizeHistogram"));
    if (dw__json_kind(sizes) != DW_JSON_OBJECT) {
        sizes = dw__json_get(root, DW_STR("histogramOpt"));
    }
    if (dw__json_kind(sizes) == DW_JSON_OBJECT) {
        size_t count = dw__json_count(dw__json_get(sizes, DW_STR("sortedBinBoundaries")));
        const uint64_t *starts;
        DW_TRY(parse_bins(sizes, "sortedBinBoundaries", count, arena, &starts, err));
        DW_TRY(parse_bins(sizes, "fileCounts", count, arena, &out->size_bin_files, err));
        DW_TRY(parse_bins(sizes, "totalBytes", count, arena, &out->size_bin_bytes, err));
        out->size_bins = (const int64_t *) starts;
        out->size_bin_count = count;
    }
    dw_json deleted = dw__json_get(root, DW_STR("deletedRecordCountsHistogramOpt"));
    if (dw__json_kind(deleted) == DW_JSON_OBJECT) {
        DW_TRY(parse_bins(deleted, "deletedRecordCounts", DW_DELETED_BIN_COUNT, arena,
                          &out->deleted_bin_files, err));
    }
    return DW_OK;
}

static dw_status
parse_members(dw_json root, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    bool has_size = dw__json_i64(dw__json_get(root, DW_STR("tableSizeBytes")), &out->size_bytes);
    bool has_count = dw__json_i64(dw__json_get(root, DW_STR("numFiles")), &out->file_count);
    if (!has_size || !has_count) {
        return dw__error_set(err, DW_CORRUPT, "CHECKSUM_INVALID",
                             "expected an object with the integers tableSizeBytes and numFiles");
    }
    out->has_deleted_rows =
        dw__json_i64(dw__json_get(root, DW_STR("numDeletedRecordsOpt")), &out->deleted_rows);
    out->has_dv_count =
        dw__json_i64(dw__json_get(root, DW_STR("numDeletionVectorsOpt")), &out->dv_count);
    out->has_in_commit_timestamp = dw__json_i64(dw__json_get(root, DW_STR("inCommitTimestampOpt")),
                                                &out->in_commit_timestamp_ms);
    dw_str txn_id = dw__json_str(dw__json_get(root, DW_STR("txnId")));
    if (!dw__arena_dup(arena, txn_id, &out->txn_id)) {
        return dw__error_oom(err);
    }
    DW_TRY(parse_txns(dw__json_get(root, DW_STR("setTransactions")), arena, out, err));
    DW_TRY(parse_domains(dw__json_get(root, DW_STR("domainMetadata")), arena, out, err));
    DW_TRY(parse_histograms(root, arena, out, err));
    return parse_definition(root, arena, out, err);
}

dw_status
dw__version_checksum_parse(dw_str json, dw_arena *arena, dw_version_checksum *out, dw_error *err)
{
    *out = (dw_version_checksum){0};
    dw_error cause = DW_ERROR_INIT;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_status status = dw__json_parse(arena->allocator, json, "the checksum", &doc, &cause);
    if (status == DW_OK) {
        status = parse_members(dw__json_root(doc), arena, out, &cause);
    }
    if (status == DW_CORRUPT) {
        return dw__error_set(err, DW_CORRUPT, "CHECKSUM_INVALID", "%s", cause.message);
    }
    dw__error_copy(err, &cause);
    return status;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static dw_status
compare_numbers(const char *member, int64_t written, int64_t replayed, dw_error *err)
{
    if (written == replayed) {
        return DW_OK;
    }
    return dw__error_set(err, DW_CORRUPT, "CHECKSUM_MISMATCH",
                         "the checksum says %s %" PRId64 ", the log comes to %" PRId64, member,
                         written, replayed);
}

static dw_status
differs(const char *member, const char *what, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "CHECKSUM_MISMATCH",
                         "the checksum's %s has another %s than the log comes to", member, what);
}

static bool
same_text(dw_str a, dw_str b)
{
    return dw__str_is_null(a) == dw__str_is_null(b) && dw__str_equal(a, b);
}

static bool
same_pairs(const dw_pairs *a, const dw_pairs *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const dw_str *other = dw__pairs_get(b, a->items[i].key);
        if (other == NULL || !same_text(a->items[i].value, *other)) {
            return false;
        }
    }
    return a->count == b->count;
}

/* True when both lists have the same names, in any order. */
static bool
same_names(const dw_str *a, size_t a_count, const dw_str *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        bool found = false;
        for (size_t k = 0; k < b_count && !found; k++) {
            found = dw__str_equal(a[i], b[k]);
        }
        if (!found) {
            return false;
        }
    }
    return a_count == b_count;
}

static bool
same_order(const dw_str *a, size_t a_count, const dw_str *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++) {
        same = dw__str_equal(a[i], b[i]);
    }
    return same;
}

static dw_status
compare_metadata(const dw_metadata *written, const dw_metadata *replayed, dw_error *err)
{
    if (!dw__str_equal(written->id, replayed->id)) {
        return differs("metadata", "id", err);
    }
    if (!dw__str_equal(written->schema_string, replayed->schema_string)) {
        return differs("metadata", "schemaString", err);
    }
    if (!same_order(written->partition_columns, written->partition_column_count,
                    replayed->partition_columns, replayed->partition_column_count)) {
        return differs("metadata", "list of partitionColumns", err);
    }
    return same_pairs(&written->configuration, &replayed->configuration)
               ? DW_OK
               : differs("metadata", "configuration", err);
}

static dw_status
compare_protocols(const dw_protocol *written, const dw_protocol *replayed, dw_error *err)
{
    bool same_versions = written->min_reader_version == replayed->min_reader_version &&
                         written->min_writer_version == replayed->min_writer_version;
    bool same_lists = same_names(written->reader_features, written->reader_feature_count,
                                 replayed->reader_features, replayed->reader_feature_count) &&
                      same_names(written->writer_features, written->writer_feature_count,
                                 replayed->writer_features, replayed->writer_feature_count);
    if (!same_versions) {
        return differs("protocol", "version", err);
    }
    return same_lists ? DW_OK : differs("protocol", "list of features", err);
}

static dw_status
compare_txns(const dw_version_checksum *written, const dw_version_checksum *replayed, dw_error *err)
{
    DW_TRY(compare_numbers("number of setTransactions", (int64_t) written->txn_count,
                           (int64_t) replayed->txn_count, err));
    for (size_t i = 0; i < written->txn_count; i++) {
        bool found = false;
        for (size_t k = 0; k < replayed->txn_count && !found; k++) {
            found = dw__str_equal(written->txns[i].app_id, replayed->txns[k].app_id) &&
                    written->txns[i].version == replayed->txns[k].version;
        }
        if (!found) {
            return differs("setTransactions", "entry", err);
        }
    }
    return DW_OK;
}

static dw_status
compare_domains(const dw_version_checksum *written, const dw_version_checksum *replayed,
                dw_error *err)
{
    DW_TRY(compare_numbers("number of domainMetadata", (int64_t) written->domain_count,
                           (int64_t) replayed->domain_count, err));
    for (size_t i = 0; i < written->domain_count; i++) {
        const dw_domain *mine = &written->domains[i];
        bool found = false;
        for (size_t k = 0; k < replayed->domain_count && !found; k++) {
            found = dw__str_equal(mine->domain, replayed->domains[k].domain) &&
                    dw__str_equal(mine->configuration, replayed->domains[k].configuration);
        }
        if (!found) {
            return differs("domainMetadata", "entry", err);
        }
    }
    return DW_OK;
}

static dw_status
compare_bins(const char *member, const uint64_t *written, const uint64_t *replayed, size_t count,
             dw_error *err)
{
    return memcmp(written, replayed, count * sizeof(*written)) == 0 ? DW_OK
                                                                    : differs(member, "bin", err);
}

/* Histograms of other bins than ours say nothing of those. */
static dw_status
compare_histograms(const dw_version_checksum *written, const dw_version_checksum *replayed,
                   dw_error *err)
{
    size_t count = replayed->size_bin_count;
    if (written->size_bins != NULL && replayed->size_bins != NULL &&
        written->size_bin_count == count &&
        memcmp(written->size_bins, replayed->size_bins, count * sizeof(int64_t)) == 0) {
        DW_TRY(compare_bins("fileSizeHistogram.fileCounts", written->size_bin_files,
                            replayed->size_bin_files, count, err));
        DW_TRY(compare_bins("fileSizeHistogram.totalBytes", written->size_bin_bytes,
                            replayed->size_bin_bytes, count, err));
    }
    if (written->deleted_bin_files != NULL && replayed->deleted_bin_files != NULL) {
        return compare_bins("deletedRecordCountsHistogramOpt", written->deleted_bin_files,
                            replayed->deleted_bin_files, DW_DELETED_BIN_COUNT, err);
    }
    return DW_OK;
}

dw_status
dw__version_checksum_compare(const dw_version_checksum *written,
                             const dw_version_checksum *replayed, dw_error *err)
{
    DW_TRY(compare_numbers("numFiles", written->file_count, replayed->file_count, err));
    DW_TRY(compare_numbers("tableSizeBytes", written->size_bytes, replayed->size_bytes, err));
    if (written->has_dv_count && replayed->has_dv_count) {
        DW_TRY(
            compare_numbers("numDeletionVectorsOpt", written->dv_count, replayed->dv_count, err));
    }
    if (written->has_deleted_rows && replayed->has_deleted_rows) {
        DW_TRY(compare_numbers("numDeletedRecordsOpt", written->deleted_rows,
                               replayed->deleted_rows, err));
    }
    DW_TRY(compare_histograms(written, replayed, err));
    if (written->has_in_commit_timestamp && replayed->has_in_commit_timestamp) {
        DW_TRY(compare_numbers("inCommitTimestampOpt", written->in_commit_timestamp_ms,
                               replayed->in_commit_timestamp_ms, err));
    }
    if (written->metadata != NULL && replayed->metadata != NULL) {
        DW_TRY(compare_metadata(written->metadata, replayed->metadata, err));
    }
    if (written->protocol != NULL && replayed->protocol != NULL) {
        DW_TRY(compare_protocols(written->protocol, replayed->protocol, err));
    }
    if (written->has_txns && replayed->has_txns) {
        DW_TRY(compare_txns(written, replayed, err));
    }
    return written->has_domains && replayed->has_domains ? compare_domains(written, replayed, err)
                                                         : DW_OK;
}
