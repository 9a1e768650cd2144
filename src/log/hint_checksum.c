/*
 * The checksum of `_last_checkpoint`: MD5 over a form of the JSON in which every value stands
 * behind its path, `"k1"+0+"k2"=3`, sorted as text. PROTOCOL.md "JSON checksum".
 */
#include "log/hint_checksum.h"

#include "base/vec.h"

#include <stdlib.h>

/* The whole of it, paths and all. */
#define CANONICAL_BYTES_MAX ((size_t) 256 << 20)

typedef struct leaf {
    dw_str path, value;
} leaf;

typedef struct leaves {
    leaf *items;
    size_t count, capacity;
} leaves;

typedef struct canonizer {
    dw_arena *arena;
    leaves found;
    dw_strbuf path;
    bool has_duplicates;
} canonizer;

/* Everything but letters, digits, '-', '.', '_' and '~' is encoded. */
static void
put_encoded(dw_strbuf *out, dw_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    dw__strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_digit = c >= '0' && c <= '9';
        if (is_letter || is_digit || c == '-' || c == '.' || c == '_' || c == '~') {
            dw__strbuf_append_char(out, (char) c);
        } else {
            const char code[] = {'%', digits[c >> 4], digits[c & 0x0f]};
            dw__strbuf_append(out, dw__str_make(code, sizeof(code)));
        }
    }
    dw__strbuf_append_char(out, '"');
}

static void
put_value(dw_strbuf *out, dw_json value)
{
    dw_json_kind kind = dw__json_kind(value);
    if (kind == DW_JSON_STRING) {
        put_encoded(out, dw__json_str(value));
    } else if (kind == DW_JSON_NUMBER) {
        dw__strbuf_append(out, dw__json_number(value));
    } else if (kind == DW_JSON_BOOL) {
        dw__strbuf_append(out, dw__json_bool(value, false) ? DW_STR("true") : DW_STR("false"));
    } else {
        dw__strbuf_append_literal(out, "null");
    }
}

static bool
add_leaf(canonizer *c, dw_json value)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(c->arena->allocator, CANONICAL_BYTES_MAX);
    put_value(&text, value);
    leaf *slot = DW_VEC_PUSH(c->arena->allocator, &c->found);
    return slot != NULL && !text.failed && !c->path.failed &&
           dw__arena_dup(c->arena, dw__strbuf_str(&c->path), &slot->path) &&
           dw__arena_dup(c->arena, dw__strbuf_str(&text), &slot->value);
}

/* Recursion ends where the parser refused to nest. [JSON-1] */
static bool
add_value(canonizer *c, dw_json value, bool is_top)
{
    dw_json_kind kind = dw__json_kind(value);
    if (kind != DW_JSON_OBJECT && kind != DW_JSON_ARRAY) {
        return add_leaf(c, value);
    }
    size_t idx = 0;
    size_t path_len = c->path.len;
    dw_json_iter it = dw__json_iter(value);
    for (; dw__json_next(&it); idx++) {
        if (is_top && it.is_object && dw__str_equal(it.key, DW_STR("checksum"))) {
            continue;
        }
        if (path_len > 0) {
            dw__strbuf_append_char(&c->path, '+');
        }
        if (it.is_object) {
            put_encoded(&c->path, it.key);
        } else {
            dw__strbuf_append_i64(&c->path, (int64_t) idx);
        }
        if (!add_value(c, it.value, false)) {
            return false;
        }
        c->path.len = path_len;
    }
    return true;
}

/* The '=' behind a path counts, too: element 10 comes before element 1. */
static int
compare_leaves(const void *a, const void *b)
{
    dw_str x = ((const leaf *) a)->path, y = ((const leaf *) b)->path;
    if (x.len < y.len && dw__str_starts_with(y, x)) {
        return '=' - y.ptr[x.len];
    }
    if (y.len < x.len && dw__str_starts_with(x, y)) {
        return x.ptr[y.len] - '=';
    }
    return dw__str_compare(x, y);
}

/* The whole form; false for duplicate keys, or when out of memory. */
static bool
join_leaves(canonizer *c, dw_strbuf *out)
{
    if (c->found.count > 0) {
        qsort(c->found.items, c->found.count, sizeof(leaf), compare_leaves);
    }
    for (size_t i = 0; i < c->found.count; i++) {
        const leaf *at = &c->found.items[i];
        if (i > 0 && dw__str_equal(at->path, at[-1].path)) {
            c->has_duplicates = true;
            return false;
        }
        dw__strbuf_append(out, i > 0 ? DW_STR(",") : DW_STR(""));
        dw__strbuf_append(out, at->path);
        dw__strbuf_append_char(out, '=');
        dw__strbuf_append(out, at->value);
    }
    return !out->failed;
}

dw_status
dw__hint_checksum(const dw_allocator *allocator, dw_json hint, char out[DW_MD5_TEXT_SIZE],
                  dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, CANONICAL_BYTES_MAX);
    canonizer c = {.arena = &arena, .path = dw__strbuf_make(allocator, CANONICAL_BYTES_MAX)};
    bool ok = add_value(&c, hint, true) && join_leaves(&c, &text);
    DW_VEC_DEINIT(allocator, &c.found);
    dw__strbuf_deinit(&c.path);
    if (c.has_duplicates) {
        return dw__error_set(err, DW_CORRUPT, "HINT_INVALID",
                             "expected a key once in _last_checkpoint, found it twice");
    }
    if (!ok) {
        return dw__error_oom(err);
    }
    dw__md5(dw__strbuf_str(&text), out);
    return DW_OK;
}
