/*
 * Version checksums against the state. PROTOCOL.md "Version Checksum File"; rule A9.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "protocol/file_histogram.h"

#include <inttypes.h>

#define CHECKSUM_BYTES_MAX ((size_t) 1 << 30)

typedef struct checksum {
    dw_fsck *fsck;
    dw_str key;
    dw_json root;
} checksum;

/* A number that must be there, or may be missing. */
static void
check_number(const checksum *sum, const char *name, int64_t expected, bool is_required)
{
    int64_t found;
    dw_json value = dw__json_get(sum->root, dw__str_from(name));
    dw_json_kind kind = dw__json_kind(value);
    if (kind == DW_JSON_MISSING || kind == DW_JSON_NULL) {
        if (is_required) {
            dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key, "expected %s, found none",
                          name);
        }
        return;
    }
    if (!dw__json_i64(value, &found) || found != expected) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected %s %" PRId64 ", found %" PRId64, name, expected, found);
    }
}

/* ---- Actions in it --------------------------------------------------------------------------- */

/* Parses a member as the action that it is the content of. */
static bool
parse_action(const checksum *sum, const char *kind, dw_json content, dw_action *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(sum->fsck->env->allocator, CHECKSUM_BYTES_MAX);
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw__strbuf_append_char(&text, '{');
    dw__json_put_key(&text, dw__str_from(kind));
    dw__json_write(&text, content);
    dw__strbuf_append_char(&text, '}');
    bool ok =
        !text.failed &&
        dw__fsck_parse(sum->fsck, dw__strbuf_str(&text), "the checksum", &doc, &cause) == DW_OK &&
        dw__action_parse(dw__json_root(doc), &sum->fsck->scratch, out, &cause) == DW_OK;
    if (text.failed || cause.status == DW_OUT_OF_MEMORY) {
        sum->fsck->is_out_of_memory = true;
        return false;
    }
    if (!ok) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key, "expected a valid %s: %s", kind,
                      cause.message);
    }
    return ok;
}

static void
check_definition(const checksum *sum)
{
    dw_action action;
    dw_json protocol = dw__json_get(sum->root, DW_STR("protocol"));
    dw_json metadata = dw__json_get(sum->root, DW_STR("metadata"));
    if (dw__json_kind(protocol) != DW_JSON_OBJECT || dw__json_kind(metadata) != DW_JSON_OBJECT) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected protocol and metadata, found no %s",
                      dw__json_kind(protocol) != DW_JSON_OBJECT ? "protocol" : "metadata");
        return;
    }
    if (parse_action(sum, "protocol", protocol, &action)) {
        dw__fsck_compare_protocol(sum->fsck, "A9", sum->key, &action.as.protocol);
    }
    if (parse_action(sum, "metaData", metadata, &action)) {
        dw__fsck_compare_metadata(sum->fsck, "A9", sum->key, &action.as.metadata);
    }
}

/* A list of txns or domains that must have each of the state. */
static void
check_items(const checksum *sum, const char *member, const char *kind, int64_t expected)
{
    dw_json list = dw__json_get(sum->root, dw__str_from(member));
    int64_t found = 0;
    if (dw__json_kind(list) != DW_JSON_ARRAY) {
        return;
    }
    dw_json_iter it = dw__json_iter(list);
    while (dw__json_next(&it)) {
        dw_action action;
        found++;
        if (!parse_action(sum, kind, it.value, &action)) {
            continue;
        }
        if (action.kind == DW_ACTION_TXN) {
            dw__fsck_compare_txn(sum->fsck, "A9", sum->key, &action.as.txn);
        } else if (action.kind == DW_ACTION_DOMAIN) {
            dw__fsck_compare_domain(sum->fsck, "A9", sum->key, &action.as.domain);
        }
    }
    if (found != expected) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected %" PRId64 " items in %s, found %" PRId64, expected, member, found);
    }
}

static int64_t
domain_count(const dw_fsck_state *state)
{
    int64_t count = 0;
    for (size_t i = 0; i < state->domains.slot_count; i++) {
        const dw_fsck_domain *domain = state->domains.slots[i].value.ptr;
        count += state->domains.slots[i].key.ptr != NULL && !domain->domain.removed;
    }
    return count;
}

/* ---- Files ----------------------------------------------------------------------------------- */

typedef struct dv_totals {
    int64_t count, rows;
    dw_file_histogram histogram;
} dv_totals;

static dw_status
add_dv(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    dv_totals *totals = ctx;
    (void) fsck;
    (void) path;
    (void) err;
    totals->count += file->has_dv;
    totals->rows += file->has_dv ? file->dv.cardinality : 0;
    dw__file_histogram_add(&totals->histogram, file->size_bytes,
                           file->has_dv ? file->dv.cardinality : 0);
    return DW_OK;
}

/* The first number of a list that is not what it must be; SIZE_MAX: all are. */
static size_t
first_difference(dw_json list, const uint64_t *expected, size_t count)
{
    size_t idx = 0;
    dw_json_iter it = dw__json_iter(list);
    while (idx < count && dw__json_next(&it)) {
        int64_t value;
        if (!dw__json_i64(it.value, &value) || (uint64_t) value != expected[idx]) {
            return idx;
        }
        idx++;
    }
    return idx == count && dw__json_count(list) == count ? SIZE_MAX : idx;
}

static void
check_bins(const checksum *sum, dw_json histogram, const char *member, const uint64_t *expected,
           size_t count)
{
    size_t bin = first_difference(dw__json_get(histogram, dw__str_from(member)), expected, count);
    if (bin < count) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected %" PRIu64 " in bin %zu of %s, found something else", expected[bin],
                      bin, member);
    }
}

static dw_json
size_histogram(const checksum *sum)
{
    dw_json found = dw__json_get(sum->root, DW_STR("fileSizeHistogram"));
    return dw__json_kind(found) == DW_JSON_OBJECT ? found
                                                  : dw__json_get(sum->root, DW_STR("histogramOpt"));
}

/* Bin by bin where the bins are the usual ones. */
static void
check_histograms(const checksum *sum, const dw_file_histogram *expected)
{
    dw_json sizes = size_histogram(sum);
    dw_json starts = dw__json_get(sizes, DW_STR("sortedBinBoundaries"));
    const uint64_t *usual = (const uint64_t *) dw__size_bins;
    if (first_difference(starts, usual, DW_SIZE_BIN_COUNT) == SIZE_MAX) {
        check_bins(sum, sizes, "fileCounts", expected->file_counts, DW_SIZE_BIN_COUNT);
        check_bins(sum, sizes, "totalBytes", expected->size_bytes, DW_SIZE_BIN_COUNT);
    }
    dw_json deleted = dw__json_get(sum->root, DW_STR("deletedRecordCountsHistogramOpt"));
    if (dw__json_kind(deleted) == DW_JSON_OBJECT) {
        check_bins(sum, deleted, "deletedRecordCounts", expected->deleted_counts,
                   DW_DELETED_BIN_COUNT);
    }
}

static dw_status
check_file_totals(const checksum *sum, dw_error *err)
{
    dw_str names[] = {DW_STR("numDeletionVectorsOpt"), DW_STR("numDeletedRecordsOpt")};
    if (dw__json_kind(dw__json_get(sum->root, names[0])) != DW_JSON_NUMBER &&
        dw__json_kind(dw__json_get(sum->root, names[1])) != DW_JSON_NUMBER &&
        dw__json_kind(size_histogram(sum)) != DW_JSON_OBJECT) {
        return DW_OK;
    }
    dv_totals totals = {0};
    DW_TRY(dw__fsck_visit_live(sum->fsck, add_dv, &totals, err));
    check_number(sum, "numDeletionVectorsOpt", totals.count, false);
    check_number(sum, "numDeletedRecordsOpt", totals.rows, false);
    check_histograms(sum, &totals.histogram);
    return DW_OK;
}

/* The sum of a list of numbers in an object; -1: there is none. */
static int64_t
sum_list(dw_json object, const char *name)
{
    dw_json list = dw__json_get(object, dw__str_from(name));
    if (dw__json_kind(list) != DW_JSON_ARRAY) {
        return -1;
    }
    int64_t total = 0, value;
    dw_json_iter it = dw__json_iter(list);
    while (dw__json_next(&it)) {
        total += dw__json_i64(it.value, &value) ? value : 0;
    }
    return total;
}

static void
check_histogram(const checksum *sum)
{
    dw_json histogram = size_histogram(sum);
    if (dw__json_kind(histogram) != DW_JSON_OBJECT) {
        return;
    }
    int64_t count = sum_list(histogram, "fileCounts");
    int64_t bytes = sum_list(histogram, "totalBytes");
    const dw_fsck_state *state = &sum->fsck->state;
    if (count != state->file_count || bytes != state->size_bytes) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected a histogram of %" PRId64 " files of %" PRId64
                      " bytes, found %" PRId64 " of %" PRId64,
                      state->file_count, state->size_bytes, count, bytes);
    }
}

static dw_status
check_all(const checksum *sum, dw_error *err)
{
    dw_fsck_state *state = &sum->fsck->state;
    check_number(sum, "numFiles", state->file_count, true);
    check_number(sum, "tableSizeBytes", state->size_bytes, true);
    check_number(sum, "numMetadata", 1, true);
    check_number(sum, "numProtocol", 1, true);
    check_definition(sum);
    check_histogram(sum);
    if (state->commit_in_commit_timestamp_ms != INT64_MIN) {
        check_number(sum, "inCommitTimestampOpt", state->commit_in_commit_timestamp_ms, false);
    }
    if (state->properties.set_transaction_retention_ms < 0) {
        check_items(sum, "setTransactions", "txn", (int64_t) state->txns.count);
    }
    check_items(sum, "domainMetadata", "domainMetadata", domain_count(state));
    dw_json files = dw__json_get(sum->root, DW_STR("allFiles"));
    if (dw__json_kind(files) == DW_JSON_ARRAY &&
        (int64_t) dw__json_count(files) != state->file_count) {
        dw__fsck_find(sum->fsck, DW_FSCK_ERROR, "A9", sum->key,
                      "expected %" PRId64 " files in allFiles, found %zu", state->file_count,
                      dw__json_count(files));
    }
    return check_file_totals(sum, err);
}

dw_status
dw__fsck_checksum(dw_fsck *fsck, dw_str key, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(fsck->env->allocator, CHECKSUM_BYTES_MAX);
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    if (fsck->state.protocol == NULL || fsck->state.metadata == NULL) {
        return DW_OK;
    }
    dw_status status = dw__storage_get(fsck->storage, key, &text, NULL, &cause);
    if (status == DW_OK) {
        status = dw__fsck_parse(fsck, dw__strbuf_str(&text), "the checksum", &doc, &cause);
    }
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A9", key, &cause, err);
    }
    checksum sum = {.fsck = fsck, .key = key, .root = dw__json_root(doc)};
    return check_all(&sum, err);
}
