/*
 * The values of quoted tokens: doubled quotes, escapes and continuations resolved.
 */
#include "base/assert.h"
#include "base/strbuf.h"
#include "sql/token.h"

static dw_status
literal_error(const dw_sql_text *sql, size_t idx, const char *what, dw_error *err)
{
    dw_sql_place place = dw__sql_place(sql->text, sql->items[idx].offset);
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR", "line %zu, column %zu: %s: %.*s",
                         place.line, place.column, what,
                         DW_STR_ARG(dw__str_slice(dw__token_text(sql, idx), 0, 40)));
}

/* `text` without its quotes, which are one byte each, doubled quotes made single. */
static dw_status
unquote(dw_str text, dw_arena *arena, dw_str *out, dw_error *err)
{
    char quote = text.ptr[0];
    dw_str inner = dw__str_slice(text, 1, text.len - 2);
    if (dw__str_find(inner, quote) == SIZE_MAX) {
        *out = inner;
        return DW_OK;
    }
    char *bytes = dw__arena_alloc_bytes(arena, inner.len);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        bytes[len++] = inner.ptr[i];
        if (inner.ptr[i] == quote) {
            i++;
        }
    }
    *out = (dw_str){bytes, len};
    return DW_OK;
}

dw_status
dw__token_name(const dw_sql_text *sql, size_t idx, dw_arena *arena, dw_str *out, dw_error *err)
{
    const dw_token *token = &sql->items[idx];
    *out = dw__token_text(sql, idx);
    if (token->kind == DW_TOKEN_WORD) {
        return DW_OK;
    }
    dw_assert(token->kind == DW_TOKEN_QUOTED || token->kind == DW_TOKEN_BACKQUOTED);
    if (token->flavour == 'U') {
        return literal_error(sql, idx, "an identifier with Unicode escapes is not supported", err);
    }
    DW_TRY(unquote(*out, arena, out, err));
    if (out->len == 0) {
        return literal_error(sql, idx, "expected a name between the quotes, found none", err);
    }
    return DW_OK;
}

/* ---- Strings --------------------------------------------------------------------------------- */

static unsigned
digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned) (c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned) (c - 'a' + 10);
    }
    return c >= 'A' && c <= 'F' ? (unsigned) (c - 'A' + 10) : 99;
}

/* Reads up to `count_max` digits from *pos on; returns how many there were. */
static size_t
read_digits(dw_str text, size_t *pos, unsigned base, size_t count_max, uint32_t *value_out)
{
    size_t count = 0;
    *value_out = 0;
    while (count < count_max && *pos < text.len && digit_value(text.ptr[*pos]) < base) {
        *value_out = *value_out * base + digit_value(text.ptr[*pos]);
        *pos += 1;
        count++;
    }
    return count;
}

static void
append_utf8(dw_strbuf *out, uint32_t c)
{
    if (c < 0x80) {
        dw__strbuf_append_char(out, (char) c);
        return;
    }
    if (c < 0x800) {
        dw__strbuf_append_char(out, (char) (0xC0 | (c >> 6)));
    } else {
        if (c < 0x10000) {
            dw__strbuf_append_char(out, (char) (0xE0 | (c >> 12)));
        } else {
            dw__strbuf_append_char(out, (char) (0xF0 | (c >> 18)));
            dw__strbuf_append_char(out, (char) (0x80 | ((c >> 12) & 0x3F)));
        }
        dw__strbuf_append_char(out, (char) (0x80 | ((c >> 6) & 0x3F)));
    }
    dw__strbuf_append_char(out, (char) (0x80 | (c & 0x3F)));
}

/* The escape whose backslash is at *pos. False when it is malformed. */
static bool
append_escape(dw_strbuf *out, dw_str text, size_t *pos)
{
    static const char names[] = "bfnrt";
    static const char values[] = "\b\f\n\r\t";
    char c = text.ptr[*pos + 1];
    uint32_t value = 0;
    *pos += 1;
    if (c >= '0' && c <= '7') {
        (void) read_digits(text, pos, 8, 3, &value);
        dw__strbuf_append_char(out, (char) value);
        return value != 0;
    }
    *pos += 1;
    if (c == 'x' && *pos < text.len && digit_value(text.ptr[*pos]) < 16) {
        (void) read_digits(text, pos, 16, 2, &value);
        dw__strbuf_append_char(out, (char) value);
        return value != 0;
    }
    if (c == 'u' || c == 'U') {
        size_t count = c == 'u' ? 4 : 8;
        bool is_complete = read_digits(text, pos, 16, count, &value) == count;
        bool is_scalar = value > 0 && value < 0x110000 && (value < 0xD800 || value > 0xDFFF);
        append_utf8(out, is_scalar ? value : '?');
        return is_complete && is_scalar;
    }
    const char *name = strchr(names, c);
    dw__strbuf_append_char(out, name != NULL && c != '\0' ? values[name - names] : c);
    return true;
}

/* Appends the part of a literal that begins behind the quote at *pos - 1, and moves behind its
 * closing quote. */
static bool
append_part(dw_strbuf *out, dw_str text, size_t *pos, bool has_escapes)
{
    for (;;) {
        char c = text.ptr[*pos];
        if (c == '\\' && has_escapes) {
            if (!append_escape(out, text, pos)) {
                return false;
            }
            continue;
        }
        *pos += 1;
        if (c == '\'') {
            if (*pos >= text.len || text.ptr[*pos] != '\'') {
                return true;
            }
            *pos += 1;
        }
        dw__strbuf_append_char(out, c);
    }
}

/* Behind the quote that opens the next part of a literal with continuations, or the end. */
static size_t
next_part(dw_str text, size_t pos)
{
    while (pos < text.len && text.ptr[pos] != '\'') {
        if (text.ptr[pos] == '-') { /* a comment, which may hold quotes */
            while (pos < text.len && text.ptr[pos] != '\n' && text.ptr[pos] != '\r') {
                pos++;
            }
        } else {
            pos++;
        }
    }
    return pos < text.len ? pos + 1 : text.len;
}

static dw_status
decode_string(const dw_sql_text *sql, size_t idx, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str text = dw__token_text(sql, idx);
    bool has_escapes = sql->items[idx].flavour == 'E';
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(arena->allocator, text.len);
    for (size_t pos = next_part(text, 0); pos < text.len; pos = next_part(text, pos)) {
        if (!append_part(&buf, text, &pos, has_escapes)) {
            return literal_error(sql, idx, "expected a valid escape, found another", err);
        }
    }
    DW_TRY(dw__strbuf_ok(&buf, "a string", err));
    if (!dw__str_is_utf8(dw__strbuf_str(&buf))) {
        return literal_error(sql, idx, "expected escapes that give UTF-8, found others", err);
    }
    return dw__arena_dup(arena, dw__strbuf_str(&buf), out) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__token_string(const dw_sql_text *sql, size_t idx, dw_arena *arena, dw_str *out, dw_error *err)
{
    const dw_token *token = &sql->items[idx];
    dw_str text = dw__token_text(sql, idx);
    dw_assert(token->kind == DW_TOKEN_STRING);
    *out = DW_STR("");
    if (token->flavour == '$') {
        size_t tag_len = 2 + dw__str_find(dw__str_slice(text, 1, text.len), '$');
        *out = dw__str_slice(text, tag_len, text.len - 2 * tag_len);
        return DW_OK;
    }
    if (token->flavour != '\'' && token->flavour != 'E') {
        return literal_error(sql, idx, "expected a plain string, found another kind", err);
    }
    return decode_string(sql, idx, arena, out, err);
}
