/*
 * Protocols of tables that exist: adding features to them and taking one away. PROTOCOL.md "Table
 * Features for New and Existing Tables"; rules B3 and B4.
 *
 *  [UPGRADE-1] No feature is lost but the one that is taken away; names that are not known stay.
 */
#include "base/assert.h"
#include "protocol/feature.h"
#include "protocol/feature_use.h"

#define READER_VERSION_LISTS 3
#define WRITER_VERSION_LISTS 7

static void
collect_supported(const dw_protocol *protocol, dw_feature_set *set)
{
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        set->has[i] |= dw__protocol_supports(protocol, (dw_feature) i);
    }
}

/* Whether the versions imply exactly the features of the set. */
static bool
implies_exactly(const dw_protocol *versions, const dw_feature_set *set)
{
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        if (dw__protocol_supports(versions, (dw_feature) i) != set->has[i]) {
            return false;
        }
    }
    return true;
}

static bool
find_versions(const dw_feature_set *set, dw_protocol *out)
{
    for (int32_t writer = 1; writer < WRITER_VERSION_LISTS; writer++) {
        for (int32_t reader = 1; reader < READER_VERSION_LISTS; reader++) {
            *out = (dw_protocol){.min_reader_version = reader, .min_writer_version = writer};
            /* Reader version 2 without column mapping says nothing that 1 does not say. */
            bool is_plain = reader == 1 || dw__protocol_supports(out, DW_FEATURE_COLUMN_MAPPING);
            if (is_plain && implies_exactly(out, set)) {
                return true;
            }
        }
    }
    return false;
}

/* Lists what `before` lists, in its order, and then the rest of the set. `without` is left out;
 * DW_FEATURE_COUNT: none. */
static dw_status
list(const dw_protocol *before, const dw_feature_set *set, dw_feature without, dw_arena *arena,
     dw_protocol *out, dw_error *err)
{
    size_t max = before->writer_feature_count + before->reader_feature_count + DW_FEATURE_COUNT;
    dw_str left_out = without == DW_FEATURE_COUNT ? DW_STR("") : dw__feature_spec(without)->name;
    *out = (dw_protocol){.min_writer_version = WRITER_VERSION_LISTS, .has_writer_features = true};
    out->writer_features = DW_ARENA_ARRAY(arena, dw_str, max);
    out->reader_features = DW_ARENA_ARRAY(arena, dw_str, max);
    if (out->writer_features == NULL || out->reader_features == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < before->writer_feature_count; i++) {
        if (!dw__str_equal(before->writer_features[i], left_out)) {
            out->writer_features[out->writer_feature_count++] = before->writer_features[i];
        }
    }
    for (size_t i = 0; i < before->reader_feature_count; i++) {
        if (!dw__str_equal(before->reader_features[i], left_out)) {
            out->reader_features[out->reader_feature_count++] = before->reader_features[i];
        }
    }
    bool needs_reader_list =
        without == DW_FEATURE_COUNT && before->min_reader_version >= READER_VERSION_LISTS;
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        const dw_feature_spec *spec = dw__feature_spec((dw_feature) i);
        needs_reader_list |= set->has[i] && spec->is_reader_feature && spec->legacy_reader == 0;
    }
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        const dw_feature_spec *spec = dw__feature_spec((dw_feature) i);
        if (!set->has[i]) {
            continue;
        }
        if (!dw__str_among(out->writer_features, out->writer_feature_count, spec->name)) {
            out->writer_features[out->writer_feature_count++] = spec->name;
        }
        if (spec->is_reader_feature && needs_reader_list &&
            !dw__str_among(out->reader_features, out->reader_feature_count, spec->name)) {
            out->reader_features[out->reader_feature_count++] = spec->name;
        }
    }
    if (!needs_reader_list) {
        out->reader_feature_count = 0; /* what is left is implied by the version */
    }
    out->has_reader_features = needs_reader_list;
    out->min_reader_version = needs_reader_list                     ? READER_VERSION_LISTS
                              : set->has[DW_FEATURE_COLUMN_MAPPING] ? 2
                                                                    : 1;
    return DW_OK;
}

/* A preview that the table has does what the feature of its name does. */
static void
drop_previewed(const dw_protocol *before, dw_feature_set *set)
{
    static const struct {
        dw_feature feature, preview;
    } pairs[] = {
        {DW_FEATURE_TYPE_WIDENING, DW_FEATURE_TYPE_WIDENING_PREVIEW},
        {DW_FEATURE_VARIANT_TYPE, DW_FEATURE_VARIANT_TYPE_PREVIEW},
        {DW_FEATURE_VARIANT_SHREDDING, DW_FEATURE_VARIANT_SHREDDING_PREVIEW},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (dw__protocol_supports(before, pairs[i].preview) &&
            !dw__protocol_supports(before, pairs[i].feature)) {
            set->has[pairs[i].feature] = false;
        }
    }
}

dw_status
dw__protocol_upgrade(const dw_protocol *before, const dw_type *schema,
                     const dw_pairs *configuration, dw_arena *arena, dw_protocol *out,
                     dw_error *err)
{
    *out = *before;
    dw_feature_set set = {.min_reader_version = 1, .min_writer_version = 1};
    DW_TRY(dw__feature_set_collect(&set, schema, configuration, err));
    drop_previewed(before, &set);
    bool has_lists = before->min_writer_version >= WRITER_VERSION_LISTS;
    bool wants_lists = set.min_writer_version >= WRITER_VERSION_LISTS;
    if (!wants_lists) {
        dw_protocol asked = {.min_reader_version = set.min_reader_version,
                             .min_writer_version = set.min_writer_version};
        collect_supported(&asked, &set);
    }
    bool is_new = wants_lists && !has_lists;
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        is_new |= set.has[i] && !dw__protocol_supports(before, (dw_feature) i);
    }
    if (!is_new) {
        return DW_OK;
    }
    collect_supported(before, &set);
    if (!has_lists && !wants_lists && find_versions(&set, out)) {
        return DW_OK;
    }
    return list(before, &set, DW_FEATURE_COUNT, arena, out, err);
}

static bool
knows_all(const dw_protocol *protocol)
{
    bool known = true;
    for (size_t i = 0; known && i < protocol->writer_feature_count; i++) {
        known = dw__feature_by_name(protocol->writer_features[i]) != DW_FEATURE_COUNT;
    }
    return known;
}

dw_status
dw__protocol_without(const dw_protocol *before, dw_feature feature, dw_feature more,
                     dw_arena *arena, dw_protocol *out, dw_error *err)
{
    dw_assert(dw__protocol_supports(before, feature));
    dw_feature_set set = {.min_reader_version = 1};
    collect_supported(before, &set);
    set.has[feature] = false;
    if (more != DW_FEATURE_COUNT) {
        set.has[more] = true;
    }
    return knows_all(before) && find_versions(&set, out)
               ? DW_OK
               : list(before, &set, feature, arena, out, err);
}
