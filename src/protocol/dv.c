/*
 * Deletion vector descriptors: the id that tells vectors of one file apart, and where a vector is
 * stored. PROTOCOL.md "Deletion Vector Descriptor Schema", "Derived Fields".
 */
#include "base/assert.h"
#include "codec/codec.h"
#include "codec/uri.h"
#include "protocol/action.h"

#include <inttypes.h>

/* The characters of a UUID in z85; what stands before them is a random prefix. */
#define UUID_Z85_LEN ((size_t) 20)

dw_status
dw__dv_unique_id(const dw_dv_descriptor *dv, dw_arena *arena, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (dv == NULL) {
        return DW_OK;
    }
    dw_str id = dv->has_offset ? dw__arena_printf(arena, "%c%.*s@%" PRId32, dv->storage_type,
                                                  DW_STR_ARG(dv->path_or_inline_dv), dv->offset)
                               : dw__arena_printf(arena, "%c%.*s", dv->storage_type,
                                                  DW_STR_ARG(dv->path_or_inline_dv));
    if (dw__str_is_null(id)) {
        return dw__error_oom(err);
    }
    *out = id;
    return DW_OK;
}

static dw_status
path_invalid(const dw_dv_descriptor *dv, const char *expected, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "DV_INVALID",
                         "the deletion vector of type '%c' has the path \"%.*s\": expected %s",
                         dv->storage_type, DW_STR_ARG(dv->path_or_inline_dv), expected);
}

/* A prefix is a folder's name, of letters and digits in all writers. */
static bool
is_folder_name(dw_str prefix)
{
    for (size_t i = 0; i < prefix.len; i++) {
        unsigned char c = (unsigned char) prefix.ptr[i];
        if (c <= 0x20 || c == 0x7f || c == '/' || c == '\\') {
            return false;
        }
    }
    return !dw__str_equal(prefix, DW_STR(".")) && !dw__str_equal(prefix, DW_STR(".."));
}

static dw_status
uuid_path(const dw_dv_descriptor *dv, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str text = dv->path_or_inline_dv;
    if (text.len < UUID_Z85_LEN) {
        return path_invalid(dv, "a UUID in 20 characters of z85", err);
    }
    dw_str prefix = dw__str_slice(text, 0, text.len - UUID_Z85_LEN);
    dw_str bytes;
    dw_status status =
        dw__z85_decode(arena, dw__str_slice(text, prefix.len, UUID_Z85_LEN), &bytes, err);
    if (status != DW_OK && status != DW_OUT_OF_MEMORY) {
        return path_invalid(dv, "a UUID in 20 characters of z85", err);
    }
    DW_TRY(status);
    if (!is_folder_name(prefix)) {
        return path_invalid(dv, "a folder's name before the UUID", err);
    }
    dw_assert(bytes.len == 16);
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_format((const uint8_t *) bytes.ptr, uuid);
    *out = dw__arena_printf(arena, "%.*s%sdeletion_vector_%s.bin", DW_STR_ARG(prefix),
                            prefix.len > 0 ? "/" : "", uuid);
    return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__dv_path(const dw_dv_descriptor *dv, dw_arena *arena, dw_str *out, bool *absolute_out,
            dw_error *err)
{
    dw_assert(dv->storage_type == 'u' || dv->storage_type == 'p');
    *out = DW_STR_NULL;
    *absolute_out = dv->storage_type == 'p';
    if (!*absolute_out) {
        return uuid_path(dv, arena, out, err);
    }
    if (!dw__uri_is_absolute(dv->path_or_inline_dv)) {
        return path_invalid(dv, "an absolute path", err);
    }
    return dw__uri_canonical(arena, dv->path_or_inline_dv, out, err);
}
