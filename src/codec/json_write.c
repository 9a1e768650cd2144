/*
 * Writing JSON into a dw_strbuf: strings with their escapes, shortest doubles, and values of a
 * parsed document again as text.
 */
#include "base/assert.h"
#include "codec/json.h"

#include <math.h>
#include <yyjson.h>

/* The longest text of a double ("-2.2250738585072014e-308") and of any scalar word, with room. */
#define NUMBER_TEXT_SIZE 40
/* What yyjson's writer takes from the pool for one number. */
#define NUMBER_POOL_SIZE 512

static bool
needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void
put_escape(dw_strbuf *out, unsigned char c)
{
    static const char short_escapes[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";
    if (c >= 0x20) {
        char text[2] = {'\\', (char) c};
        dw__strbuf_append(out, dw__str_make(text, sizeof(text)));
    } else if (short_escapes[c] != '\0') {
        char text[2] = {'\\', short_escapes[c]};
        dw__strbuf_append(out, dw__str_make(text, sizeof(text)));
    } else {
        char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 0xf]};
        dw__strbuf_append(out, dw__str_make(text, sizeof(text)));
    }
}

/* Text of which only quotes and backslashes are escaped, `more` of them: most that have any are
 * JSON inside of JSON, where they are many and near. */
static void
put_quoted(dw_strbuf *out, dw_str s, size_t more)
{
    if (s.len == 0 || !dw__strbuf_reserve(out, s.len + more)) {
        return;
    }
    char *to = out->ptr + out->len;
    for (size_t i = 0; i < s.len; i++) {
        *to = '\\';
        to += s.ptr[i] == '"' || s.ptr[i] == '\\';
        *to++ = s.ptr[i];
    }
    dw__strbuf_advance(out, s.len + more);
}

/*
 * Appends well-formed text: where there are control characters, runs between escapes are copied
 * whole.
 */
static void
put_escaped(dw_strbuf *out, dw_str s)
{
    size_t controls = 0, quotes = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.ptr[i];
        controls += c < 0x20;
        quotes += c == '"' || c == '\\';
    }
    if (controls == 0) {
        put_quoted(out, s, quotes);
        return;
    }
    size_t start = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (needs_escape((unsigned char) s.ptr[i])) {
            dw__strbuf_append(out, dw__str_slice(s, start, i - start));
            put_escape(out, (unsigned char) s.ptr[i]);
            start = i + 1;
        }
    }
    dw__strbuf_append(out, dw__str_slice(s, start, s.len - start));
}

/* Appends text that is not UTF-8 throughout, one character at a time. */
static void
put_repaired(dw_strbuf *out, dw_str s)
{
    size_t i = 0;
    while (i < s.len) {
        size_t len = 1;
        while (len <= 4 && i + len <= s.len && !dw__str_is_utf8(dw__str_slice(s, i, len))) {
            len++;
        }
        if (len > 4 || i + len > s.len) {
            dw__strbuf_append_literal(out, "\xef\xbf\xbd");
            i++;
        } else {
            put_escaped(out, dw__str_slice(s, i, len));
            i += len;
        }
    }
}

void
dw__json_put_string(dw_strbuf *out, dw_str s)
{
    dw__strbuf_append_char(out, '"');
    if (dw__str_is_utf8(s)) {
        put_escaped(out, s);
    } else {
        put_repaired(out, s);
    }
    dw__strbuf_append_char(out, '"');
}

static void
put_real(dw_strbuf *out, double value, bool single)
{
    if (!isfinite(value)) {
        dw__strbuf_append_literal(out, "null");
        return;
    }
    yyjson_val number = {0};
    yyjson_set_real(&number, value);
    yyjson_set_fp_to_float(&number, single);
    char memory[NUMBER_POOL_SIZE];
    yyjson_alc pool;
    bool fits = yyjson_alc_pool_init(&pool, memory, sizeof(memory));
    dw_assert(fits);
    size_t len = 0;
    const char *text = yyjson_val_write_opts(&number, YYJSON_WRITE_NOFLAG, &pool, &len, NULL);
    dw_assert(text != NULL && len < NUMBER_TEXT_SIZE);
    dw__strbuf_append(out, dw__str_make(text, len));
}

void
dw__json_put_double(dw_strbuf *out, double value)
{
    put_real(out, value, false);
}

void
dw__json_put_float(dw_strbuf *out, float value)
{
    put_real(out, (double) value, true);
}

void
dw__json_put_text(dw_strbuf *out, const char *key, dw_str value)
{
    if (!dw__str_is_null(value)) {
        dw__json_put_key(out, dw__str_from(key));
        dw__json_put_string(out, value);
    }
}

void
dw__json_put_i64(dw_strbuf *out, const char *key, int64_t value)
{
    dw__json_put_key(out, dw__str_from(key));
    dw__strbuf_append_i64(out, value);
}

void
dw__json_put_comma(dw_strbuf *out)
{
    char last = out->len == 0 ? '{' : out->ptr[out->len - 1];
    if (last != '{' && last != '[' && last != ':') {
        dw__strbuf_append_char(out, ',');
    }
}

void
dw__json_put_key(dw_strbuf *out, dw_str key)
{
    dw__json_put_comma(out);
    dw__json_put_string(out, key);
    dw__strbuf_append_char(out, ':');
}

/* ---- Values of a document -------------------------------------------------------------------- */

/* A container that is being written. */
typedef struct frame {
    dw_json_iter iter;
    char close;
} frame;

static void
put_scalar(dw_strbuf *out, dw_json value, dw_json_kind kind)
{
    switch (kind) {
    case DW_JSON_BOOL:
        dw__strbuf_append(out, dw__json_bool(value, false) ? DW_STR("true") : DW_STR("false"));
        return;
    case DW_JSON_NUMBER:
        dw__strbuf_append(out, dw__json_number(value));
        return;
    case DW_JSON_STRING:
        dw__json_put_string(out, dw__json_str(value));
        return;
    case DW_JSON_MISSING:
    case DW_JSON_NULL:
    case DW_JSON_ARRAY:
    case DW_JSON_OBJECT:
        dw__strbuf_append_literal(out, "null");
        return;
    }
}

/* Writes a scalar, or opens a container and puts it on the stack. */
static void
put_value(dw_strbuf *out, dw_json value, frame *stack, size_t *depth)
{
    dw_json_kind kind = dw__json_kind(value);
    if (kind != DW_JSON_ARRAY && kind != DW_JSON_OBJECT) {
        put_scalar(out, value, kind);
        return;
    }
    bool is_object = kind == DW_JSON_OBJECT;
    dw_assert(*depth < DW_JSON_DEPTH_MAX);
    dw__strbuf_append_char(out, is_object ? '{' : '[');
    stack[(*depth)++] = (frame){dw__json_iter(value), is_object ? '}' : ']'};
}

void
dw__json_write(dw_strbuf *out, dw_json value)
{
    frame stack[DW_JSON_DEPTH_MAX];
    size_t depth = 0;
    put_value(out, value, stack, &depth);
    while (depth > 0) {
        frame *top = &stack[depth - 1];
        if (!dw__json_next(&top->iter)) {
            dw__strbuf_append_char(out, top->close);
            depth--;
            continue;
        }
        if (top->iter.is_object) {
            dw__json_put_key(out, top->iter.key);
        } else {
            dw__json_put_comma(out);
        }
        put_value(out, top->iter.value, stack, &depth);
    }
}
