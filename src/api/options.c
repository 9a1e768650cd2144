/*
 * Reading the arrays of option structs.
 */
#include "api/options.h"

#include "api/handles.h"

static size_t
count_strings(const char *const *strings)
{
    size_t count = 0;
    while (strings != NULL && strings[count] != NULL) {
        count++;
    }
    return count;
}

dw_status
dw__options_strings(const char *const *strings, dw_arena *arena, const dw_str **out,
                    size_t *count_out, dw_error *err)
{
    *count_out = count_strings(strings);
    dw_str *copies = DW_ARENA_ARRAY(arena, dw_str, *count_out + 1);
    if (copies == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < *count_out; i++) {
        copies[i] = dw__str_from(strings[i]);
    }
    *out = copies;
    return DW_OK;
}

dw_status
dw__options_pairs(const char *const *keys, const char *const *values, dw_arena *arena,
                  dw_pairs *out, dw_error *err)
{
    out->count = count_strings(keys);
    out->items = DW_ARENA_ARRAY(arena, dw_pair, out->count + 1);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < out->count; i++) {
        DW_REQUIRE(values);
        DW_REQUIRE(values[i]);
        out->items[i] = (dw_pair){dw__str_from(keys[i]), dw__str_from(values[i])};
    }
    return DW_OK;
}
