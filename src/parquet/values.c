/*
 * Integers become wider, strings are views of the page's bytes and are checked to be UTF-8.
 */
#include "parquet/values.h"

#include "base/assert.h"

/* Places in a dictionary that are looked up at once. */
#define PLACES_AT_ONCE 256

/* ---- Kinds ----------------------------------------------------------------------------------- */

bool
dw__pq_kind_of(const dw_pq_node *leaf, dw_vector_kind kind, dw_pq_kind *out)
{
    bool is_plain = leaf->meaning == DW_PQ_PLAIN;
    bool is_integer = is_plain || leaf->meaning == DW_PQ_SIGNED;
    *out = (dw_pq_kind){leaf->type, kind, dw__vector_width(kind)};
    switch (kind) {
    case DW_VECTOR_BOOL:
        return is_plain && leaf->type == DW_PQ_BOOLEAN;
    case DW_VECTOR_I32:
        return is_integer && leaf->type == DW_PQ_INT32;
    case DW_VECTOR_I64:
        return is_integer && (leaf->type == DW_PQ_INT32 || leaf->type == DW_PQ_INT64);
    case DW_VECTOR_DOUBLE:
        return is_plain && (leaf->type == DW_PQ_FLOAT || leaf->type == DW_PQ_DOUBLE);
    case DW_VECTOR_STR:
        return (is_plain || leaf->meaning == DW_PQ_TEXT) && leaf->type == DW_PQ_BYTE_ARRAY;
    case DW_VECTOR_TEXT:
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
    case DW_VECTOR_DECIMAL:
    case DW_VECTOR_BYTES:
        break;
    }
    return false;
}

/* ---- Plain values ---------------------------------------------------------------------------- */

static bool
is_text(const char *bytes, size_t len)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;
    uint64_t seen = 0;
    for (; len - at >= sizeof(seen); at += sizeof(seen)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        seen |= word;
    }
    for (; at < len; at++) {
        seen |= (uint8_t) bytes[at];
    }
    return (seen & high_bits) == 0 || dw__str_is_utf8(dw__str_make(bytes, len));
}

static bool
take_strings(dw_pq_values *values, dw_str *out, size_t count)
{
    const char *at = values->at;
    for (size_t i = 0; i < count; i++) {
        uint32_t len = 0;
        size_t left = (size_t) (values->end - at);
        if (left < sizeof(len)) {
            return false;
        }
        memcpy(&len, at, sizeof(len));
        at += sizeof(len);
        if (len > left - sizeof(len) || !is_text(at, len)) {
            return false;
        }
        out[i] = dw__str_make(at, len);
        at += len;
    }
    values->at = at;
    return true;
}

static bool
take_bits(dw_pq_values *values, bool *out, size_t count)
{
    size_t room = (size_t) (values->end - values->at) * 8;
    if (room - values->bit_idx < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t bit = values->bit_idx + i;
        out[i] = ((uint8_t) values->at[bit / 8] >> (bit % 8) & 1) != 0;
    }
    values->bit_idx += count;
    return true;
}

static bool
take_numbers(dw_pq_values *values, const dw_pq_kind *kind, void *out, size_t count)
{
    size_t width = kind->type == DW_PQ_INT32 || kind->type == DW_PQ_FLOAT ? 4 : 8;
    if ((size_t) (values->end - values->at) / width < count) {
        return false;
    }
    if (width == kind->width) {
        memcpy(out, values->at, count * width);
    } else if (kind->type == DW_PQ_INT32) {
        for (size_t i = 0; i < count; i++) {
            int32_t narrow;
            memcpy(&narrow, values->at + i * width, width);
            ((int64_t *) out)[i] = narrow;
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            float narrow;
            memcpy(&narrow, values->at + i * width, width);
            ((double *) out)[i] = (double) narrow;
        }
    }
    values->at += count * width;
    return true;
}

static bool
take_plain(dw_pq_values *values, const dw_pq_kind *kind, void *out, size_t count)
{
    if (kind->kind == DW_VECTOR_STR) {
        return take_strings(values, out, count);
    }
    return kind->kind == DW_VECTOR_BOOL ? take_bits(values, out, count)
                                        : take_numbers(values, kind, out, count);
}

/* ---- Places in a dictionary ------------------------------------------------------------------ */

static bool
look_up(const dw_pq_dictionary *dictionary, size_t width, const uint32_t *places, size_t count,
        char *out)
{
    for (size_t i = 0; i < count; i++) {
        if (places[i] >= dictionary->count) {
            return false;
        }
        const char *from = dictionary->values.ptr + places[i] * width;
        if (width == sizeof(dw_str)) {
            memcpy(out + i * width, from, sizeof(dw_str));
        } else {
            memcpy(out + i * width, from, width);
        }
    }
    return true;
}

static bool
take_from_dictionary(dw_pq_values *values, const dw_pq_dictionary *dictionary, size_t width,
                     char *out, size_t count)
{
    uint32_t places[PLACES_AT_ONCE];
    for (size_t done = 0; done < count;) {
        size_t part = count - done < PLACES_AT_ONCE ? count - done : PLACES_AT_ONCE;
        if (!dw__pq_runs_take(&values->runs, places, part) ||
            !look_up(dictionary, width, places, part, out + done * width)) {
            return false;
        }
        done += part;
    }
    return true;
}

dw_status
dw__pq_values_begin(dw_pq_values *values, dw_str bytes, int64_t encoding, const dw_pq_kind *kind,
                    dw_error *err)
{
    *values = (dw_pq_values){
        .encoding = DW_PQ_ENCODING_PLAIN, .at = bytes.ptr, .end = bytes.ptr + bytes.len};
    if (encoding == DW_PQ_ENCODING_PLAIN) {
        return DW_OK;
    }
    if (encoding == DW_PQ_ENCODING_RLE && kind->kind == DW_VECTOR_BOOL && bytes.len >= 4) {
        values->encoding = DW_PQ_ENCODING_RLE;
        values->runs = dw__pq_runs_make(dw__str_make(bytes.ptr + 4, bytes.len - 4), 1);
        return DW_OK;
    }
    if (encoding != DW_PQ_ENCODING_PLAIN_DICTIONARY && encoding != DW_PQ_ENCODING_RLE_DICTIONARY) {
        return dw__pq_odd(err, "encoding");
    }
    /* A page of NULLs alone may have no width either. */
    unsigned width = bytes.len == 0 ? 0 : (uint8_t) bytes.ptr[0];
    if (width > DW_PQ_RUNS_WIDTH_MAX) {
        return dw__pq_odd(err, "width of a dictionary's places");
    }
    values->encoding = DW_PQ_ENCODING_RLE_DICTIONARY;
    size_t head = bytes.len == 0 ? 0 : 1;
    values->runs = dw__pq_runs_make(dw__str_make(bytes.ptr + head, bytes.len - head), width);
    return DW_OK;
}

dw_status
dw__pq_values_take(dw_pq_values *values, const dw_pq_kind *kind, const dw_pq_dictionary *dictionary,
                   void *out, size_t count, dw_error *err)
{
    bool ok;
    if (count == 0) {
        return DW_OK;
    }
    if (values->encoding == DW_PQ_ENCODING_PLAIN) {
        ok = take_plain(values, kind, out, count);
    } else if (values->encoding == DW_PQ_ENCODING_RLE) {
        ok = dw__pq_runs_take_bytes(&values->runs, out, count);
    } else {
        ok = take_from_dictionary(values, dictionary, kind->width, out, count);
    }
    return ok ? DW_OK : dw__pq_odd(err, "value");
}

dw_status
dw__pq_dictionary_read(dw_pq_dictionary *dictionary, dw_pq_pages *pages,
                       const dw_pq_page_head *head, const dw_pq_node *leaf, const dw_pq_kind *kind,
                       dw_error *err)
{
    bool is_plain =
        head->encoding == DW_PQ_ENCODING_PLAIN || head->encoding == DW_PQ_ENCODING_PLAIN_DICTIONARY;
    size_t count = (size_t) head->value_count;
    /* Each value takes four bytes at least. */
    if (!is_plain || kind->kind == DW_VECTOR_BOOL ||
        head->value_count > head->plain_size_bytes / 4) {
        return dw__pq_odd(err, "dictionary");
    }
    dw_pq_page page;
    DW_TRY(dw__pq_page_open(pages, head, leaf, &dictionary->bytes, &page, err));
    if (!dw__pq_buffer_reserve(&dictionary->values, count * kind->width)) {
        return dw__error_oom(err);
    }
    dw_pq_values values;
    DW_TRY(dw__pq_values_begin(&values, page.values, DW_PQ_ENCODING_PLAIN, kind, err));
    DW_TRY(dw__pq_values_take(&values, kind, NULL, dictionary->values.ptr, count, err));
    dictionary->count = count;
    return DW_OK;
}
