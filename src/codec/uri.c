/*
 * Paths of the log as URIs: encoding, decoding, and the one form under which spellings of a file
 * meet.
 */
#include "codec/uri.h"

#include "base/assert.h"
#include "base/checked.h"

#define FILE_SCHEME DW_STR("file:")
#define FILE_HOST DW_STR("//localhost/")

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
stays_as_it_is(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("/-_.!~*'()&=+$,;@", c) != NULL);
}

void
dw__uri_encode_path(dw_strbuf *out, dw_str path)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t start = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (!stays_as_it_is(path.ptr[i])) {
            unsigned char byte = (unsigned char) path.ptr[i];
            char escape[3] = {'%', hex[byte >> 4], hex[byte & 0xf]};
            dw__strbuf_append(out, dw__str_slice(path, start, i - start));
            dw__strbuf_append(out, dw__str_make(escape, sizeof(escape)));
            start = i + 1;
        }
    }
    dw__strbuf_append(out, dw__str_slice(path, start, path.len - start));
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static dw_status
uri_invalid(dw_str uri, const char *why, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "URI_INVALID",
                         "the log names a file by \"%.*s\", which %s", DW_STR_ARG(uri), why);
}

dw_status
dw__uri_decode(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (uri.len > 0 && memchr(uri.ptr, '\0', uri.len) != NULL) {
        return uri_invalid(uri, "holds a NUL byte", err);
    }
    if (dw__str_find(uri, '%') == SIZE_MAX) {
        *out = uri;
        return DW_OK;
    }
    char *bytes = dw__arena_alloc_bytes(arena, uri.len);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    size_t len = 0;
    for (size_t i = 0; i < uri.len; i++) {
        if (uri.ptr[i] != '%') {
            bytes[len++] = uri.ptr[i];
            continue;
        }
        int high = uri.len - i > 2 ? hex_digit(uri.ptr[i + 1]) : -1;
        int low = uri.len - i > 2 ? hex_digit(uri.ptr[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return uri_invalid(uri, "has a % that is not followed by two hexadecimal digits", err);
        }
        if (high == 0 && low == 0) {
            return uri_invalid(uri, "holds a NUL byte", err);
        }
        bytes[len++] = (char) (high * 16 + low);
        i += 2;
    }
    dw_assert(len < uri.len);
    *out = dw__str_make(bytes, len);
    return DW_OK;
}

/* The length of "scheme:" at the start of `uri`, or 0. */
static size_t
scheme_len(dw_str uri)
{
    if (uri.len == 0 || !is_letter_or_digit(uri.ptr[0]) || uri.ptr[0] <= '9') {
        return 0;
    }
    for (size_t i = 1; i < uri.len; i++) {
        char c = uri.ptr[i];
        if (c == ':') {
            return i + 1;
        }
        if (!is_letter_or_digit(c) && c != '+' && c != '-' && c != '.') {
            return 0;
        }
    }
    return 0;
}

bool
dw__uri_is_absolute(dw_str uri)
{
    return dw__str_starts_with(uri, DW_STR("/")) || scheme_len(uri) > 0;
}

/* The length of what stands before the path: "s3://bucket" of "s3://bucket/x", else 0. `uri` is
 * absolute and no file: URI. */
static size_t
authority_len(dw_str uri)
{
    size_t scheme = scheme_len(uri);
    dw_str rest = dw__str_slice(uri, scheme, uri.len);
    if (scheme == 0 || !dw__str_starts_with(rest, DW_STR("//"))) {
        return scheme;
    }
    size_t slash = dw__str_find(dw__str_slice(rest, 2, rest.len), '/');
    return slash == SIZE_MAX ? uri.len : scheme + 2 + slash;
}

/* Drops "file:" and an empty or local authority. Other URIs stay. */
static dw_status
strip_file_scheme(dw_str uri, dw_str *out, dw_error *err)
{
    *out = uri;
    size_t scheme = scheme_len(uri);
    if (!dw__str_equal_nocase(dw__str_slice(uri, 0, scheme), FILE_SCHEME)) {
        return DW_OK;
    }
    dw_str rest = dw__str_slice(uri, scheme, uri.len);
    if (dw__str_starts_with(rest, FILE_HOST)) {
        rest = dw__str_slice(rest, FILE_HOST.len - 1, rest.len);
    }
    bool has_host =
        dw__str_starts_with(rest, DW_STR("//")) && !dw__str_starts_with(rest, DW_STR("///"));
    if (has_host || !dw__str_starts_with(rest, DW_STR("/"))) {
        return uri_invalid(uri, "is no absolute path on this host", err);
    }
    *out = rest;
    return DW_OK;
}

/* True if the path has a "." part, two slashes in a row or one at its end, which mean nothing. */
static bool
has_idle_part(dw_str path)
{
    for (size_t i = 0; i < path.len; i++) {
        bool at_start = i == 0 || path.ptr[i - 1] == '/';
        bool at_end = i + 1 == path.len;
        bool dot = path.ptr[i] == '.' && at_start && (at_end || path.ptr[i + 1] == '/');
        bool slash = path.ptr[i] == '/' && i > 0 && (at_start || at_end);
        if (dot || slash) {
            return true;
        }
    }
    return false;
}

/* Copies `path` without empty and "." parts; returns the length. `to` has room for path.len. */
static size_t
copy_without_idle_parts(char *to, dw_str path)
{
    size_t len = 0;
    bool absolute = dw__str_starts_with(path, DW_STR("/"));
    size_t at = 0;
    while (at < path.len) {
        dw_str rest = dw__str_slice(path, at, path.len);
        size_t part_len = dw__str_find(rest, '/');
        part_len = part_len == SIZE_MAX ? rest.len : part_len;
        bool idle = part_len == 0 || (part_len == 1 && rest.ptr[0] == '.');
        if (!idle) {
            if (len > 0 || absolute) {
                to[len++] = '/';
            }
            memcpy(to + len, rest.ptr, part_len);
            len += part_len;
        }
        at += part_len + 1;
    }
    if (len == 0 && absolute) {
        to[len++] = '/';
    }
    return len;
}

dw_status
dw__uri_canonical(dw_arena *arena, dw_str uri, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    dw_assert(uri.ptr != NULL);
    dw_str stripped;
    DW_TRY(strip_file_scheme(uri, &stripped, err));
    size_t authority = authority_len(stripped);
    dw_str decoded;
    DW_TRY(dw__uri_decode(arena, dw__str_slice(stripped, authority, stripped.len), &decoded, err));
    if (decoded.ptr == stripped.ptr + authority && !has_idle_part(decoded)) {
        *out = stripped;
        return DW_OK;
    }
    size_t size;
    if (!dw__checked_add(authority, decoded.len, &size)) {
        return dw__error_oom(err);
    }
    char *text = dw__arena_alloc_bytes(arena, size);
    if (text == NULL) {
        return dw__error_oom(err);
    }
    if (authority > 0) {
        memcpy(text, stripped.ptr, authority);
    }
    size_t len = authority + copy_without_idle_parts(text + authority, decoded);
    dw_assert(len <= size);
    *out = dw__str_make(text, len);
    return DW_OK;
}

static bool
has_parent_part(dw_str path)
{
    for (size_t i = 0; i + 1 < path.len; i++) {
        bool starts = i == 0 || path.ptr[i - 1] == '/';
        bool ends = i + 2 == path.len || path.ptr[i + 2] == '/';
        if (starts && ends && path.ptr[i] == '.' && path.ptr[i + 1] == '.') {
            return true;
        }
    }
    return false;
}

dw_status
dw__uri_resolve(dw_arena *arena, dw_str root, dw_str uri, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    dw_str path;
    DW_TRY(dw__uri_canonical(arena, uri, &path, err));
    if (path.len == 0) {
        return uri_invalid(uri, "names no file", err);
    }
    if (dw__uri_is_absolute(uri) || dw__str_starts_with(path, DW_STR("/"))) {
        *out = path;
        return DW_OK;
    }
    if (has_parent_part(path)) {
        return uri_invalid(uri, "leads out of the table's folder", err);
    }
    bool has_slash = dw__str_ends_with(root, DW_STR("/"));
    size_t size;
    if (!dw__checked_add(root.len, path.len, &size) || !dw__checked_add(size, 2, &size)) {
        return dw__error_oom(err);
    }
    char *text = dw__arena_alloc_bytes(arena, size);
    if (text == NULL) {
        return dw__error_oom(err);
    }
    if (root.len > 0) {
        memcpy(text, root.ptr, root.len);
    }
    size_t len = root.len;
    if (!has_slash) {
        text[len++] = '/';
    }
    memcpy(text + len, path.ptr, path.len);
    len += path.len;
    text[len] = '\0';
    *out = dw__str_make(text, len);
    return DW_OK;
}
