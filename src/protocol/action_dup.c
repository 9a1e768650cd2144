/*
 * Deep copies of actions into another arena.
 */
#include "protocol/action.h"

static bool
dup_strs(dw_arena *arena, const dw_str *from, size_t count, dw_str **to)
{
    *to = NULL;
    if (count == 0) {
        return true;
    }
    dw_str *items = DW_ARENA_ARRAY(arena, dw_str, count);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!dw__arena_dup(arena, from[i], &items[i])) {
            return false;
        }
    }
    *to = items;
    return true;
}

static bool
dup_pairs(dw_arena *arena, const dw_pairs *from, dw_pairs *to)
{
    *to = (dw_pairs){0};
    if (from->count == 0) {
        return true;
    }
    to->items = DW_ARENA_ARRAY(arena, dw_pair, from->count);
    if (to->items == NULL) {
        return false;
    }
    for (; to->count < from->count; to->count++) {
        const dw_pair *pair = &from->items[to->count];
        if (!dw__arena_dup(arena, pair->key, &to->items[to->count].key) ||
            !dw__arena_dup(arena, pair->value, &to->items[to->count].value)) {
            return false;
        }
    }
    return true;
}

bool
dw__metadata_dup(dw_arena *arena, const dw_metadata *from, dw_metadata *to)
{
    dw_metadata copy = *from;
    bool whole = dw__arena_dup(arena, from->id, &copy.id) &&
                 dw__arena_dup(arena, from->name, &copy.name) &&
                 dw__arena_dup(arena, from->description, &copy.description) &&
                 dw__arena_dup(arena, from->format_provider, &copy.format_provider) &&
                 dup_pairs(arena, &from->format_options, &copy.format_options) &&
                 dw__arena_dup(arena, from->schema_string, &copy.schema_string) &&
                 dup_strs(arena, from->partition_columns, from->partition_column_count,
                          &copy.partition_columns) &&
                 dup_pairs(arena, &from->configuration, &copy.configuration) &&
                 dw__arena_dup(arena, from->extra_json, &copy.extra_json);
    *to = copy;
    return whole;
}

bool
dw__protocol_dup(dw_arena *arena, const dw_protocol *from, dw_protocol *to)
{
    dw_protocol copy = *from;
    bool whole =
        dup_strs(arena, from->reader_features, from->reader_feature_count, &copy.reader_features) &&
        dup_strs(arena, from->writer_features, from->writer_feature_count, &copy.writer_features);
    *to = copy;
    return whole;
}

static bool
dup_dv(dw_arena *arena, const dw_dv_descriptor *from, dw_dv_descriptor **to)
{
    *to = NULL;
    if (from == NULL) {
        return true;
    }
    dw_dv_descriptor *copy = DW_ARENA_NEW(arena, dw_dv_descriptor);
    if (copy == NULL) {
        return false;
    }
    *copy = *from;
    *to = copy;
    return dw__arena_dup(arena, from->path_or_inline_dv, &copy->path_or_inline_dv);
}

bool
dw__file_dup(dw_arena *arena, const dw_file *from, dw_file *to)
{
    dw_file copy = *from;
    bool whole = dw__arena_dup(arena, from->path, &copy.path) &&
                 dup_pairs(arena, &from->partition_values, &copy.partition_values) &&
                 dw__arena_dup(arena, from->stats, &copy.stats) &&
                 dw__arena_dup(arena, from->tags_json, &copy.tags_json) &&
                 dup_dv(arena, from->dv, &copy.dv) &&
                 dw__arena_dup(arena, from->clustering_provider, &copy.clustering_provider) &&
                 dw__arena_dup(arena, from->extra_json, &copy.extra_json);
    *to = copy;
    return whole;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

bool
dw__protocol_equal(const dw_protocol *a, const dw_protocol *b)
{
    return a->min_reader_version == b->min_reader_version &&
           a->min_writer_version == b->min_writer_version &&
           dw__str_lists_equal(a->reader_features, a->reader_feature_count, b->reader_features,
                               b->reader_feature_count) &&
           dw__str_lists_equal(a->writer_features, a->writer_feature_count, b->writer_features,
                               b->writer_feature_count);
}

bool
dw__metadata_defines_same(const dw_metadata *a, const dw_metadata *b)
{
    bool same = a->configuration.count == b->configuration.count &&
                dw__str_equal(a->schema_string, b->schema_string) &&
                dw__str_is_null(a->description) == dw__str_is_null(b->description) &&
                dw__str_equal(a->description, b->description) &&
                dw__str_lists_equal(a->partition_columns, a->partition_column_count,
                                    b->partition_columns, b->partition_column_count);
    for (size_t i = 0; same && i < a->configuration.count; i++) {
        const dw_str *value = dw__pairs_get(&b->configuration, a->configuration.items[i].key);
        same = value != NULL && dw__str_equal(*value, a->configuration.items[i].value);
    }
    return same;
}
