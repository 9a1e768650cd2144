/*
 * Reading and writing JSON over yyjson, with the library's allocator and limits.
 *
 * A document is parsed once and walked through dw_json values (borrowed from the document). Numbers
 * keep their text, so that int64, decimals of 38 digits and doubles are exact.
 *
 *  [JSON-1] Nothing recurses: nesting beyond DW_JSON_DEPTH_MAX is refused when a document is
 *           parsed.
 *  [JSON-2] Text that was parsed is well-formed UTF-8.
 */
#ifndef DW_CODEC_JSON_H
#define DW_CODEC_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Nesting beyond it is refused: no recursion on untrusted depth. */
#define DW_JSON_DEPTH_MAX 200

typedef enum dw_json_kind {
    DW_JSON_MISSING, /* the zero value: a member that is not there */
    DW_JSON_NULL,
    DW_JSON_BOOL,
    DW_JSON_NUMBER,
    DW_JSON_STRING,
    DW_JSON_ARRAY,
    DW_JSON_OBJECT
} dw_json_kind;

/* A borrowed value of a document; `val` belongs to the codec. */
typedef struct dw_json {
    const void *val;
} dw_json;

typedef struct dw_json_doc dw_json_doc;

/* Parses one value that must be the whole of `text` (white space around it allowed). `what` names
 * it in the message. DW_CORRUPT (JSON_INVALID) with the byte offset; of duplicate keys
 * dw__json_get finds the first. Numbers are kept raw. No reference to `text` is kept. */
DW_WARN_UNUSED dw_status dw__json_parse(const dw_allocator *allocator, dw_str text,
                                        const char *what, dw_json_doc **out, dw_error *err);
void dw__json_doc_free(dw_json_doc *doc);
dw_json dw__json_root(const dw_json_doc *doc);

/*
 * A parser for many small documents, one after the other (the lines of a commit): it keeps its two
 * blocks of memory. What it returned is valid until the next parse or deinit. One thread at a time.
 */
typedef struct dw_json_parser {
    const dw_allocator *allocator;
    char *text; /* a copy of the document, which parsing changes in place */
    size_t text_size;
    void *values;
    size_t values_size;
    bool values_taken;
} dw_json_parser;

dw_json_parser dw__json_parser_make(const dw_allocator *allocator);
void dw__json_parser_deinit(dw_json_parser *parser);
/* As dw__json_parse. */
DW_WARN_UNUSED dw_status dw__json_parser_parse(dw_json_parser *parser, dw_str text,
                                               const char *what, dw_json *root_out, dw_error *err);

dw_json_kind dw__json_kind(dw_json value);
/* The kind in words, for messages: "a string". */
const char *dw__json_kind_name(dw_json_kind kind);
bool dw__json_bool(dw_json value, bool fallback);
/* The string's bytes; the null string for any other kind. */
dw_str dw__json_str(dw_json value);
/* The text of a number as it stands in the document; the null string for any other kind. */
dw_str dw__json_number(dw_json value);
/* False when the value is no number or does not fit. 1.0 and 1e3 are accepted as integers. */
bool dw__json_i64(dw_json value, int64_t *out);
/* False when the value is no number or beyond the finite doubles. */
bool dw__json_double(dw_json value, double *out);
/* The same for the text of a number. */
bool dw__json_number_to_i64(dw_str number, int64_t *out);

size_t dw__json_count(dw_json container);
/* The member named `key`; DW_JSON_MISSING when it is not there or `object` is no object. */
dw_json dw__json_get(dw_json object, dw_str key);

/* Iteration in the document's order:
 *     dw_json_iter it = dw__json_iter(value);
 *     while (dw__json_next(&it)) { it.key (objects only), it.value } */
typedef struct dw_json_iter {
    const void *next;
    size_t left;
    bool is_object;
    dw_str key;
    dw_json value;
} dw_json_iter;
dw_json_iter dw__json_iter(dw_json container);
bool dw__json_next(dw_json_iter *iter);

/* Appends the value as compact JSON: the way to keep what is not understood. */
void dw__json_write(dw_strbuf *out, dw_json value);

/* ---- Writing: straight into a dw_strbuf ------------------------------------------------------ */

/* Appends `s` with quotes and escapes; bytes that are not UTF-8 become U+FFFD. */
void dw__json_put_string(dw_strbuf *out, dw_str s);
/* Appends the shortest text that reads back as the same double; NaN and infinities become null. */
void dw__json_put_double(dw_strbuf *out, double value);
/* The same for single precision: 0.1f is 0.1. */
void dw__json_put_float(dw_strbuf *out, float value);
/* Appends `"key":` preceded by a comma unless the last byte is '{', '[' or ':'. */
void dw__json_put_key(dw_strbuf *out, dw_str key);
/* Append a member of an object, with its key; none for the null string. */
void dw__json_put_text(dw_strbuf *out, const char *key, dw_str value);
void dw__json_put_i64(dw_strbuf *out, const char *key, int64_t value);
/* Appends a comma unless the last byte is '{', '[' or ':'. */
void dw__json_put_comma(dw_strbuf *out);

/* For JSON that has numbers as ".5" and "-.5": false when there are none; appends it with their
 * zeros. */
bool dw__json_may_lack_zeros(dw_str text);
void dw__json_put_zeros(dw_strbuf *out, dw_str text);

/* Appends JSON of which NaN, infinities, and numbers of more than `digits_max` digits that are no
 * integers of 64 bits become strings: readers that make doubles of all numbers lose nothing. */
void dw__json_put_exact(dw_strbuf *out, dw_str text, size_t digits_max);

typedef dw_json_doc *dw_json_doc_ptr;

/* DW_AUTO(dw_json_doc_ptr) doc = NULL; */
static inline void
dw__dw_json_doc_ptr_cleanup(dw_json_doc_ptr *doc)
{
    dw__json_doc_free(*doc);
}

static inline void
dw__dw_json_parser_cleanup(dw_json_parser *parser)
{
    dw__json_parser_deinit(parser);
}

#endif
