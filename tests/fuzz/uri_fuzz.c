/*
 * Paths of the log. Decoding returns what was encoded; a canonical form stays what it is.
 */
#include "fuzz.h"

#include "codec/uri.h"

static void
check_encoding(dw_str path, dw_arena *arena)
{
    if (path.len > 0 && memchr(path.ptr, '\0', path.len) != NULL) {
        return;
    }
    DW_AUTO(dw_strbuf) uri = fuzz_strbuf();
    dw__uri_encode_path(&uri, path);
    dw_str back;
    dw_status status = dw__uri_decode(arena, dw__strbuf_str(&uri), &back, NULL);
    dw_assert(status == DW_OK);
    dw_assert(dw__str_equal(back, path));
}

static void
check_canonical(dw_str uri, dw_arena *arena)
{
    dw_str once;
    dw_str twice;
    dw_error err = DW_ERROR_INIT;
    if (dw__uri_canonical(arena, uri, &once, &err) != DW_OK) {
        dw_assert(dw__error_has_code(&err, "URI_INVALID"));
        return;
    }
    /* A canonical form with a scheme is not encoded as a whole. */
    if (!dw__uri_is_absolute(once) || dw__str_starts_with(once, DW_STR("/"))) {
        DW_AUTO(dw_strbuf) encoded = fuzz_strbuf();
        dw__uri_encode_path(&encoded, once);
        dw_status status = dw__uri_canonical(arena, dw__strbuf_str(&encoded), &twice, &err);
        dw_assert(status == DW_OK);
        dw_assert(dw__str_equal(once, twice));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str text = fuzz_text(data, size);
    dw_str path;
    check_encoding(text, &arena);
    check_canonical(text, &arena);
    if (dw__uri_resolve(&arena, DW_STR("/table"), text, &path, NULL) == DW_OK &&
        !dw__uri_is_absolute(text) && dw__str_starts_with(path, DW_STR("/table/"))) {
        dw_assert(path.len > DW_STR("/table/").len);
    }
    return 0;
}
