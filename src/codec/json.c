/*
 * Reading JSON. yyjson parses a private copy of the text in place and makes one block of values,
 * which this file hands it from the parser's own memory and keeps for the next document.
 *
 * yyjson lays values out in document order, a container before what it holds, and a container knows
 * where it ends. So depth is checked, and values are written out, by one pass with a small stack.
 */
#include "codec/json.h"

#include "base/assert.h"
#include "base/checked.h"
#include "codec/number.h"

#include <math.h>
#include <yyjson.h>

/* The bytes behind the text that yyjson may read and write. */
#define PADDING ((size_t) YYJSON_PADDING_SIZE)

struct dw_json_doc {
    dw_json_parser parser;
    dw_json root;
};

static yyjson_val *
val_of(dw_json value)
{
    /* yyjson's readers take a pointer to a value that they do not change. */
    return (yyjson_val *) (uintptr_t) value.val;
}

/* ---- Memory: one block for all values of a document ------------------------------------------ */

static void *
values_alloc(void *ctx, size_t size)
{
    dw_json_parser *parser = ctx;
    dw_assert(!parser->values_taken);
    if (parser->values_size < size) {
        dw__dealloc(parser->allocator, parser->values, parser->values_size);
        parser->values_size = 0;
        parser->values = dw__alloc(parser->allocator, size);
        if (parser->values == NULL) {
            return NULL;
        }
        parser->values_size = size;
    }
    parser->values_taken = true;
    return parser->values;
}

static void *
values_realloc(void *ctx, void *ptr, size_t size_old, size_t size)
{
    dw_json_parser *parser = ctx;
    (void) size_old;
    dw_assert(parser->values_taken && ptr == parser->values);
    if (size <= parser->values_size) {
        return ptr;
    }
    const dw_allocator *allocator = parser->allocator;
    void *grown = allocator->resize(allocator->ctx, ptr, parser->values_size, size);
    if (grown != NULL) {
        parser->values = grown;
        parser->values_size = size;
    }
    return grown;
}

static void
values_free(void *ctx, void *ptr)
{
    dw_json_parser *parser = ctx;
    dw_assert(ptr == parser->values);
    parser->values_taken = false;
}

dw_json_parser
dw__json_parser_make(const dw_allocator *allocator)
{
    dw_assert(allocator != NULL);
    return (dw_json_parser){.allocator = allocator};
}

void
dw__json_parser_deinit(dw_json_parser *parser)
{
    if (parser->allocator != NULL) {
        dw__dealloc(parser->allocator, parser->text, parser->text_size);
        dw__dealloc(parser->allocator, parser->values, parser->values_size);
    }
    *parser = (dw_json_parser){.allocator = parser->allocator};
}

/* Copies the text into the parser's own block, with padding behind it. */
static bool
take_text(dw_json_parser *parser, dw_str text)
{
    size_t size;
    if (!dw__checked_add(text.len, PADDING, &size)) {
        return false;
    }
    if (parser->text_size < size) {
        dw__dealloc(parser->allocator, parser->text, parser->text_size);
        /* Half as much again: lines of a commit differ a little in length. */
        size_t wanted = size + size / 2;
        parser->text_size = 0;
        parser->text = dw__alloc(parser->allocator, wanted);
        if (parser->text == NULL) {
            return false;
        }
        parser->text_size = wanted;
    }
    if (text.len > 0) {
        memcpy(parser->text, text.ptr, text.len);
    }
    memset(parser->text + text.len, 0, PADDING);
    return true;
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static const yyjson_val *
val_next(const yyjson_val *val)
{
    bool is_container = (val->tag & YYJSON_TYPE_MASK) >= YYJSON_TYPE_ARR;
    size_t size = is_container ? val->uni.ofs : sizeof(*val);
    return (const yyjson_val *) (const void *) ((const char *) val + size);
}

static bool
is_too_deep(const yyjson_val *root)
{
    const yyjson_val *ends[DW_JSON_DEPTH_MAX];
    size_t depth = 0;
    const yyjson_val *end = val_next(root);
    for (const yyjson_val *val = root; val < end; val++) {
        while (depth > 0 && val >= ends[depth - 1]) {
            depth--;
        }
        if ((val->tag & YYJSON_TYPE_MASK) >= YYJSON_TYPE_ARR) {
            if (depth == DW_JSON_DEPTH_MAX) {
                return true;
            }
            ends[depth++] = val_next(val);
        }
    }
    return false;
}

static dw_status
parse_failed(const yyjson_read_err *failure, const char *what, dw_error *err)
{
    if (failure->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        return dw__error_oom(err);
    }
    return dw__error_set(err, DW_CORRUPT, "JSON_INVALID", "%s is not valid JSON at byte %zu: %s",
                         what, failure->pos, failure->msg);
}

dw_status
dw__json_parser_parse(dw_json_parser *parser, dw_str text, const char *what, dw_json *root_out,
                      dw_error *err)
{
    dw_assert(parser->allocator != NULL);
    *root_out = (dw_json){NULL};
    parser->values_taken = false;
    if (!take_text(parser, text)) {
        return dw__error_oom(err);
    }
    if (text.len == 0) {
        return dw__error_set(err, DW_CORRUPT, "JSON_INVALID",
                             "%s is not valid JSON at byte 0: it is empty", what);
    }
    const yyjson_alc alc = {values_alloc, values_realloc, values_free, parser};
    yyjson_read_err failure = {0};
    yyjson_doc *doc = yyjson_read_opts(
        parser->text, text.len, YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW, &alc, &failure);
    if (doc == NULL) {
        return parse_failed(&failure, what, err);
    }
    const yyjson_val *root = yyjson_doc_get_root(doc);
    /* As deep as that takes as many values: most documents need no second look. */
    if (yyjson_doc_get_val_count(doc) > DW_JSON_DEPTH_MAX && is_too_deep(root)) {
        return dw__error_set(err, DW_CORRUPT, "JSON_INVALID", "%s is nested deeper than %d levels",
                             what, DW_JSON_DEPTH_MAX);
    }
    root_out->val = root;
    return DW_OK;
}

dw_status
dw__json_parse(const dw_allocator *allocator, dw_str text, const char *what, dw_json_doc **out,
               dw_error *err)
{
    *out = NULL;
    dw_json_doc *doc = DW_NEW(allocator, dw_json_doc);
    if (doc == NULL) {
        return dw__error_oom(err);
    }
    doc->parser = dw__json_parser_make(allocator);
    dw_status status = dw__json_parser_parse(&doc->parser, text, what, &doc->root, err);
    if (status != DW_OK) {
        dw__json_doc_free(doc);
        return status;
    }
    *out = doc;
    return DW_OK;
}

void
dw__json_doc_free(dw_json_doc *doc)
{
    if (doc != NULL) {
        const dw_allocator *allocator = doc->parser.allocator;
        dw__json_parser_deinit(&doc->parser);
        DW_DELETE(allocator, doc);
    }
}

dw_json
dw__json_root(const dw_json_doc *doc)
{
    return doc->root;
}

/* ---- Values ---------------------------------------------------------------------------------- */

dw_json_kind
dw__json_kind(dw_json value)
{
    switch (yyjson_get_type(val_of(value))) {
    case YYJSON_TYPE_NULL:
        return DW_JSON_NULL;
    case YYJSON_TYPE_BOOL:
        return DW_JSON_BOOL;
    case YYJSON_TYPE_RAW:
    case YYJSON_TYPE_NUM:
        return DW_JSON_NUMBER;
    case YYJSON_TYPE_STR:
        return DW_JSON_STRING;
    case YYJSON_TYPE_ARR:
        return DW_JSON_ARRAY;
    case YYJSON_TYPE_OBJ:
        return DW_JSON_OBJECT;
    default:
        return DW_JSON_MISSING;
    }
}

const char *
dw__json_kind_name(dw_json_kind kind)
{
    switch (kind) {
    case DW_JSON_MISSING:
        return "nothing";
    case DW_JSON_NULL:
        return "null";
    case DW_JSON_BOOL:
        return "a boolean";
    case DW_JSON_NUMBER:
        return "a number";
    case DW_JSON_STRING:
        return "a string";
    case DW_JSON_ARRAY:
        return "an array";
    case DW_JSON_OBJECT:
        return "an object";
    }
    dw_unreachable("every kind has a name");
}

bool
dw__json_bool(dw_json value, bool fallback)
{
    return yyjson_is_bool(val_of(value)) ? yyjson_get_bool(val_of(value)) : fallback;
}

dw_str
dw__json_str(dw_json value)
{
    yyjson_val *val = val_of(value);
    if (!yyjson_is_str(val)) {
        return DW_STR_NULL;
    }
    return dw__str_make(yyjson_get_str(val), yyjson_get_len(val));
}

dw_str
dw__json_number(dw_json value)
{
    yyjson_val *val = val_of(value);
    if (!yyjson_is_raw(val)) {
        return DW_STR_NULL;
    }
    return dw__str_make(yyjson_get_raw(val), yyjson_get_len(val));
}

bool
dw__json_i64(dw_json value, int64_t *out)
{
    *out = 0;
    return dw__json_number_to_i64(dw__json_number(value), out);
}

bool
dw__json_double(dw_json value, double *out)
{
    *out = 0;
    double number;
    if (!dw__str_to_double(dw__json_number(value), &number) || !isfinite(number)) {
        return false;
    }
    *out = number;
    return true;
}

bool
dw__json_number_to_i64(dw_str number, int64_t *out)
{
    dw_number parts;
    return dw__str_to_i64(number, out) ||
           (dw__number_parse(number, &parts) && dw__number_to_i64(&parts, out));
}

/* ---- Containers ------------------------------------------------------------------------------ */

size_t
dw__json_count(dw_json container)
{
    yyjson_val *val = val_of(container);
    return yyjson_is_ctn(val) ? yyjson_get_len(val) : 0;
}

dw_json_iter
dw__json_iter(dw_json container)
{
    const yyjson_val *val = container.val;
    dw_json_iter iter = {.left = dw__json_count(container)};
    if (iter.left > 0) {
        iter.is_object = yyjson_is_obj(val_of(container));
        iter.next = val + 1;
    }
    return iter;
}

bool
dw__json_next(dw_json_iter *iter)
{
    if (iter->left == 0) {
        return false;
    }
    const yyjson_val *val = iter->next;
    if (iter->is_object) {
        iter->key = dw__str_make(val->uni.str, (size_t) (val->tag >> YYJSON_TAG_BIT));
        val++;
    }
    iter->value.val = val;
    iter->next = val_next(val);
    iter->left--;
    return true;
}

dw_json
dw__json_get(dw_json object, dw_str key)
{
    if (dw__json_kind(object) == DW_JSON_OBJECT) {
        dw_json_iter iter = dw__json_iter(object);
        while (dw__json_next(&iter)) {
            if (dw__str_equal(iter.key, key)) {
                return iter.value;
            }
        }
    }
    return (dw_json){NULL};
}
