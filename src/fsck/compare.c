/*
 * What a checkpoint, a checksum or a compacted commit says besides files, against the state.
 */
#include "base/assert.h"
#include "fsck/core.h"

#include <inttypes.h>

/* The same names in any order. */
static bool
same_names(const dw_str *a, size_t a_count, const dw_str *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        if (!dw__str_among(b, b_count, a[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < b_count; i++) {
        if (!dw__str_among(a, a_count, b[i])) {
            return false;
        }
    }
    return true;
}

void
dw__fsck_compare_protocol(dw_fsck *fsck, const char *rule, dw_str key, const dw_protocol *found)
{
    const dw_protocol *expected = fsck->state.protocol;
    if (expected->min_reader_version != found->min_reader_version ||
        expected->min_writer_version != found->min_writer_version ||
        !same_names(expected->reader_features, expected->reader_feature_count,
                    found->reader_features, found->reader_feature_count) ||
        !same_names(expected->writer_features, expected->writer_feature_count,
                    found->writer_features, found->writer_feature_count)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key,
                      "expected the protocol of version %" PRId64
                      " (reader %d, writer %d), found another (reader %d, writer %d)",
                      fsck->state.protocol_version, expected->min_reader_version,
                      expected->min_writer_version, found->min_reader_version,
                      found->min_writer_version);
    }
}

static bool
same_pairs(const dw_pairs *a, const dw_pairs *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const dw_str *value = dw__pairs_get(b, a->items[i].key);
        if (value == NULL || !dw__str_equal(*value, a->items[i].value)) {
            return false;
        }
    }
    return a->count == b->count;
}

static bool
same_list(const dw_metadata *a, const dw_metadata *b)
{
    return dw__str_lists_equal(a->partition_columns, a->partition_column_count,
                               b->partition_columns, b->partition_column_count);
}

void
dw__fsck_compare_metadata(dw_fsck *fsck, const char *rule, dw_str key, const dw_metadata *found)
{
    const dw_metadata *expected = fsck->state.metadata;
    const struct {
        const char *what;
        bool is_same;
    } members[] = {
        {"id", dw__str_equal(expected->id, found->id)},
        {"schemaString", dw__str_equal(expected->schema_string, found->schema_string)},
        {"partitionColumns", same_list(expected, found)},
        {"configuration", same_pairs(&expected->configuration, &found->configuration)},
        {"name", dw__str_equal(expected->name, found->name)},
        {"description", dw__str_equal(expected->description, found->description)},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (!members[i].is_same) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key,
                          "expected the metaData of version %" PRId64 ", found another %s",
                          fsck->state.metadata_version, members[i].what);
        }
    }
}

void
dw__fsck_compare_txn(dw_fsck *fsck, const char *rule, dw_str key, const dw_txn_id *found)
{
    const dw_map_value *value = dw__map_get(&fsck->state.txns, found->app_id);
    const dw_fsck_txn *expected = value == NULL ? NULL : value->ptr;
    if (expected == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key, "no commit has a txn of '%.*s'",
                      DW_STR_ARG(found->app_id));
    } else if (expected->id.version != found->version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key,
                      "expected version %" PRId64 " in the txn of '%.*s', found %" PRId64,
                      expected->id.version, DW_STR_ARG(found->app_id), found->version);
    }
}

void
dw__fsck_compare_domain(dw_fsck *fsck, const char *rule, dw_str key, const dw_domain *found)
{
    const dw_fsck_domain *expected = dw__fsck_domain(&fsck->state, found->domain);
    if (found->removed) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key, "expected no removed domains, found '%.*s'",
                      DW_STR_ARG(found->domain));
    } else if (expected == NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key, "the table has no domain '%.*s'",
                      DW_STR_ARG(found->domain));
    } else if (!dw__str_equal(expected->domain.configuration, found->configuration)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, key,
                      "expected the domain '%.*s' of version %" PRId64 ", found another",
                      DW_STR_ARG(found->domain), expected->version);
    }
}
