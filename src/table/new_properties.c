/*
 * What a new table is given without being asked: deletion vectors, so that to delete or change a
 * row does not write its file again.
 *
 *  [CREATE-1] A table is not given what it was told not to have, by name or by asking for what
 *             cannot be beside it, and a table that is there is given nothing that it has not.
 */
#include "table/new_properties.h"

#include "protocol/property.h"

#define VECTORS DW_STR("delta.enableDeletionVectors")

/* Versions below that of table features: somebody has old readers or writers. */
static bool
asks_for_old_protocol(const dw_pairs *told)
{
    const dw_str *reader = dw__pairs_get(told, DW_STR("delta.minReaderVersion"));
    const dw_str *writer = dw__pairs_get(told, DW_STR("delta.minWriterVersion"));
    int64_t version;
    return (reader != NULL && dw__str_to_i64(*reader, &version) && version < 3) ||
           (writer != NULL && dw__str_to_i64(*writer, &version) && version < 7);
}

/* Other formats over the same files know no deletion vectors. */
static bool
asks_for_other_formats(const dw_pairs *told)
{
    static const dw_str keys[] = {
        {"delta.enableIcebergCompatV1", 27},
        {"delta.enableIcebergCompatV2", 27},
        {"delta.compatibility.symlinkFormatManifest.enabled", 49},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const dw_str *value = dw__pairs_get(told, keys[i]);
        if (value != NULL && dw__str_equal_nocase(*value, DW_STR("true"))) {
            return true;
        }
    }
    return dw__pairs_get(told, DW_STR("delta.universalFormat.enabledFormats")) != NULL;
}

dw_status
dw__new_properties(const dw_pairs *told, const dw_pairs *before, dw_arena *arena, dw_pairs *out,
                   dw_error *err)
{
    const dw_str *had = before == NULL ? NULL : dw__pairs_get(before, VECTORS);
    bool may_have = before == NULL || (had != NULL && dw__str_equal_nocase(*had, DW_STR("true")));
    *out = *told;
    if (!may_have || dw__pairs_get(told, VECTORS) != NULL || asks_for_old_protocol(told) ||
        asks_for_other_formats(told)) {
        return DW_OK;
    }
    out->items = DW_ARENA_ARRAY(arena, dw_pair, told->count + 1);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < told->count; i++) {
        out->items[i] = told->items[i];
    }
    out->items[out->count++] = (dw_pair){VECTORS, DW_STR("true")};
    return DW_OK;
}
