/*
 * From the URI of a table to its storage.
 */
#include "storage/storage.h"

#include "base/assert.h"
#include "storage/posix_calls.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define SUPPORTED "a path or a file:// URI"

/*
 * The scheme of "scheme:/...", or the null string for a path. One letter is a drive, not a scheme.
 */
static dw_str
scheme_of(dw_str uri)
{
    size_t colon = dw__str_find(uri, ':');
    if (colon == SIZE_MAX || colon < 2 || colon + 1 >= uri.len || uri.ptr[colon + 1] != '/') {
        return DW_STR_NULL;
    }
    for (size_t i = 0; i < colon; i++) {
        unsigned char c = (unsigned char) uri.ptr[i];
        bool is_mark = c == '+' || c == '-' || c == '.';
        if (c > 0x7f || (i == 0 ? !isalpha(c) : !isalnum(c) && !is_mark)) {
            return DW_STR_NULL;
        }
    }
    return dw__str_slice(uri, 0, colon);
}

static dw_status
invalid_uri(dw_str uri, const char *fault, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "URI_INVALID",
                         "expected " SUPPORTED ", found \"%.*s\": %s", DW_STR_ARG(uri), fault);
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Appends the percent-decoded `text`. */
static dw_status
append_decoded(dw_strbuf *out, dw_str uri, dw_str text, dw_error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return invalid_uri(uri, "a % must be followed by two hexadecimal digits", err);
            }
            c = (char) (high * 16 + low);
            i += 2;
        }
        dw__strbuf_append_char(out, c);
    }
    return DW_OK;
}

/* "file:/p", "file:///p" and "file://localhost/p" name the path "/p". */
static dw_status
append_file_path(dw_strbuf *out, dw_str uri, dw_error *err)
{
    dw_str rest = dw__str_slice(uri, sizeof("file:") - 1, uri.len);
    if (dw__str_starts_with(rest, DW_STR("//"))) {
        rest = dw__str_slice(rest, 2, rest.len);
        size_t slash = dw__str_find(rest, '/');
        dw_str host = dw__str_slice(rest, 0, slash);
        if (slash == SIZE_MAX) {
            return invalid_uri(uri, "it has no path; write file:///path", err);
        }
        if (host.len > 0 && !dw__str_equal_nocase(host, DW_STR("localhost"))) {
            return invalid_uri(uri, "it names another host; write file:///path", err);
        }
        rest = dw__str_slice(rest, slash, rest.len);
    }
    return append_decoded(out, uri, rest, err);
}

static dw_status
append_absolute(dw_strbuf *out, dw_str path, dw_error *err)
{
    if (path.ptr[0] != '/') {
        char current[PATH_MAX];
        if (getcwd(current, sizeof(current)) == NULL) {
            return dw__error_set(err, DW_IO, "STORAGE_IO",
                                 "the working directory cannot be found out (%s): give an absolute "
                                 "path instead of \"%.*s\"",
                                 strerrordesc_np(errno), DW_STR_ARG(path));
        }
        dw__strbuf_append(out, dw__str_from(current));
        dw__strbuf_append_char(out, '/');
    }
    dw__strbuf_append(out, path);
    return DW_OK;
}

/* Drops parts that are empty or "." in place. ".." stays: what it means depends on the links. */
static void
tidy_path(dw_strbuf *path)
{
    dw_str rest = dw__strbuf_str(path);
    size_t used = 0;
    while (rest.len > 0) {
        size_t slash = dw__str_find(rest, '/');
        dw_str part = dw__str_slice(rest, 0, slash);
        rest = slash == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, slash + 1, rest.len);
        if (part.len == 0 || dw__str_equal(part, DW_STR("."))) {
            continue;
        }
        path->ptr[used++] = '/';
        memmove(path->ptr + used, part.ptr, part.len);
        used += part.len;
    }
    if (used == 0) {
        path->ptr[used++] = '/';
    }
    path->len = used;
    path->ptr[used] = '\0';
}

dw_status
dw__storage_posix_open(const dw_env *env, dw_str path, dw_storage **out, dw_error *err)
{
    *out = NULL;
    if (path.len == 0) {
        return invalid_uri(path, "it is empty", err);
    }
    if (dw__str_find(path, '\0') != SIZE_MAX) {
        return invalid_uri(path, "it holds a NUL byte", err);
    }
    DW_AUTO(dw_strbuf) absolute = dw__strbuf_make(env->allocator, 2 * PATH_MAX);
    DW_TRY(append_absolute(&absolute, path, err));
    DW_TRY(dw__strbuf_ok(&absolute, "the path of a table", err));
    tidy_path(&absolute);
    if (absolute.len >= PATH_MAX) {
        return invalid_uri(dw__str_slice(path, 0, 100), "it is longer than the system takes", err);
    }
    return dw__storage_posix_open_over(env, dw__posix_calls_system(), dw__strbuf_str(&absolute),
                                       out, err);
}

dw_status
dw__storage_open(const dw_env *env, dw_str uri, dw_storage **out, dw_error *err)
{
    dw_assert(env != NULL);
    *out = NULL;
    dw_str scheme = scheme_of(uri);
    if (dw__str_is_null(scheme)) {
        return dw__storage_posix_open(env, uri, out, err);
    }
    if (!dw__str_equal_nocase(scheme, DW_STR("file"))) {
        return dw__error_set(err, DW_UNSUPPORTED, "SCHEME_UNSUPPORTED",
                             "expected " SUPPORTED ", found the scheme \"%.*s\" in \"%.*s\"",
                             DW_STR_ARG(scheme), DW_STR_ARG(dw__str_slice(uri, 0, 300)));
    }
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(env->allocator, 2 * PATH_MAX);
    DW_TRY(append_file_path(&path, uri, err));
    DW_TRY(dw__strbuf_ok(&path, "the path of a table", err));
    return dw__storage_posix_open(env, dw__strbuf_str(&path), out, err);
}
