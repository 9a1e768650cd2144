/*
 * PageHeader of parquet.thrift, and the kinds of compression that checkpoints have.
 */
#define ZSTD_STATIC_LINKING_ONLY /* a context in memory of ours */
#include "parquet/page.h"

#include "parquet/lz4.h"
#include "parquet/snappy.h"
#include "parquet/thrift.h"

#include <zstd.h>

/* What a page may say it holds. */
#define PAGE_BYTES_MAX ((int64_t) 256 << 20)

/* ---- Memory ---------------------------------------------------------------------------------- */

bool
dw__pq_buffer_reserve(dw_pq_buffer *buffer, size_t size)
{
    size_t wanted = size + DW_PQ_SLACK;
    if (buffer->capacity >= wanted) {
        return true;
    }
    dw__pq_buffer_deinit(buffer);
    buffer->ptr = dw__alloc(buffer->allocator, wanted);
    buffer->capacity = buffer->ptr == NULL ? 0 : wanted;
    return buffer->ptr != NULL;
}

void
dw__pq_buffer_deinit(dw_pq_buffer *buffer)
{
    dw__dealloc(buffer->allocator, buffer->ptr, buffer->capacity);
    buffer->ptr = NULL;
    buffer->capacity = 0;
}

void
dw__pq_pages_deinit(dw_pq_pages *pages)
{
    dw__dealloc(pages->allocator, pages->zstd, pages->zstd == NULL ? 0 : ZSTD_estimateDCtxSize());
    pages->zstd = NULL;
}

/* ---- Heads ----------------------------------------------------------------------------------- */

/* DataPageHeader and DictionaryPageHeader. */
static void
parse_first_version(dw_thrift *thrift, dw_pq_page_head *out)
{
    enum { VALUES = 1, ENCODING = 2, DEFS = 3, REPS = 4 };
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == VALUES) {
            out->value_count = dw__thrift_int(thrift, &field);
        } else if (field.id == ENCODING) {
            out->encoding = dw__thrift_int(thrift, &field);
        } else if ((field.id == DEFS || field.id == REPS) && !out->is_dictionary) {
            bool is_rle = dw__thrift_int(thrift, &field) == DW_PQ_ENCODING_RLE;
            out->has_other_levels = out->has_other_levels || !is_rle;
        } else {
            dw__thrift_skip(thrift, &field);
        }
    }
}

/* DataPageHeaderV2. */
static void
parse_second_version(dw_thrift *thrift, dw_pq_page_head *out)
{
    enum { VALUES = 1, ENCODING = 4, DEFS_SIZE = 5, REPS_SIZE = 6, IS_COMPRESSED = 7 };
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        switch (field.id) {
        case VALUES:
            out->value_count = dw__thrift_int(thrift, &field);
            break;
        case ENCODING:
            out->encoding = dw__thrift_int(thrift, &field);
            break;
        case DEFS_SIZE:
            out->defs_size_bytes = dw__thrift_int(thrift, &field);
            break;
        case REPS_SIZE:
            out->reps_size_bytes = dw__thrift_int(thrift, &field);
            break;
        case IS_COMPRESSED:
            out->is_compressed = dw__thrift_bool(thrift, &field);
            break;
        default:
            dw__thrift_skip(thrift, &field);
        }
    }
}

static void
parse_head(dw_thrift *thrift, dw_pq_page_head *out)
{
    enum { TYPE = 1, PLAIN_SIZE = 2, SIZE = 3, DATA = 5, DICTIONARY = 7, DATA_2 = 8 };
    enum { DICTIONARY_PAGE = 2 };
    dw_thrift_field field = {0};
    *out = (dw_pq_page_head){.size_bytes = -1, .value_count = -1, .is_compressed = true};
    while (dw__thrift_next(thrift, &field)) {
        bool is_struct = field.type == DW_THRIFT_STRUCT;
        if (field.id == TYPE) {
            out->is_dictionary = dw__thrift_int(thrift, &field) == DICTIONARY_PAGE;
        } else if (field.id == PLAIN_SIZE) {
            out->plain_size_bytes = dw__thrift_int(thrift, &field);
        } else if (field.id == SIZE) {
            out->size_bytes = dw__thrift_int(thrift, &field);
        } else if (is_struct && (field.id == DATA || field.id == DICTIONARY)) {
            parse_first_version(thrift, out);
        } else if (is_struct && field.id == DATA_2) {
            out->is_second_version = true;
            parse_second_version(thrift, out);
        } else {
            dw__thrift_skip(thrift, &field);
        }
    }
}

dw_status
dw__pq_page_head(dw_pq_pages *pages, dw_pq_page_head *out, dw_error *err)
{
    dw_thrift thrift = dw__thrift_make(pages->rest);
    parse_head(&thrift, out);
    int64_t left = thrift.end - thrift.at;
    bool is_odd = thrift.failed || out->size_bytes < 0 || out->size_bytes > left ||
                  out->plain_size_bytes < 0 || out->plain_size_bytes > PAGE_BYTES_MAX ||
                  out->value_count < 0 || out->value_count > PAGE_BYTES_MAX;
    if (is_odd) {
        return dw__pq_odd(err, "page");
    }
    pages->rest = dw__str_make(thrift.at, (size_t) left);
    return DW_OK;
}

void
dw__pq_page_pass(dw_pq_pages *pages, const dw_pq_page_head *head)
{
    pages->rest.ptr += head->size_bytes;
    pages->rest.len -= (size_t) head->size_bytes;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static dw_status
decompress_zstd(dw_pq_pages *pages, dw_str in, char *out, size_t size, dw_error *err)
{
    if (pages->zstd == NULL) {
        pages->zstd = dw__alloc(pages->allocator, ZSTD_estimateDCtxSize());
        if (pages->zstd == NULL) {
            return dw__error_oom(err);
        }
    }
    ZSTD_DCtx *context = ZSTD_initStaticDCtx(pages->zstd, ZSTD_estimateDCtxSize());
    size_t found = context == NULL ? 0 : ZSTD_decompressDCtx(context, out, size, in.ptr, in.len);
    return found == size ? DW_OK : dw__pq_odd(err, "compressed page");
}

/* The bytes without compression, where they stand or in the buffer. */
static dw_status
decompress(dw_pq_pages *pages, dw_str in, size_t size, dw_pq_buffer *buffer, dw_str *out,
           dw_error *err)
{
    if (pages->codec == DW_PQ_UNCOMPRESSED) {
        *out = in;
        return in.len == size ? DW_OK : dw__pq_odd(err, "page");
    }
    if (!dw__pq_buffer_reserve(buffer, size)) {
        return dw__error_oom(err);
    }
    *out = dw__str_make(buffer->ptr, size);
    if (pages->codec == DW_PQ_ZSTD) {
        return decompress_zstd(pages, in, buffer->ptr, size, err);
    }
    bool is_decoded = pages->codec == DW_PQ_SNAPPY    ? dw__snappy_decode(in, buffer->ptr, size)
                      : pages->codec == DW_PQ_LZ4     ? dw__lz4_decode(in, buffer->ptr, size)
                      : pages->codec == DW_PQ_LZ4_RAW ? dw__lz4_decode_raw(in, buffer->ptr, size)
                                                      : false;
    return is_decoded ? DW_OK : dw__pq_odd(err, "compressed page");
}

/* Takes levels that stand before the values with their size. */
static bool
take_levels(dw_str *bytes, dw_str *out)
{
    if (bytes->len < sizeof(uint32_t)) {
        return false;
    }
    uint32_t size = 0;
    for (size_t i = 0; i < sizeof(size); i++) {
        size |= (uint32_t) (uint8_t) bytes->ptr[i] << (8 * i);
    }
    if (size > bytes->len - sizeof(size)) {
        return false;
    }
    *out = dw__str_make(bytes->ptr + sizeof(size), size);
    *bytes = dw__str_make(out->ptr + size, bytes->len - sizeof(size) - size);
    return true;
}

static dw_status
open_first_version(dw_pq_pages *pages, const dw_pq_page_head *head, const dw_pq_node *leaf,
                   dw_pq_buffer *buffer, dw_pq_page *out, dw_error *err)
{
    dw_str in = dw__str_make(pages->rest.ptr, (size_t) head->size_bytes);
    DW_TRY(decompress(pages, in, (size_t) head->plain_size_bytes, buffer, &out->values, err));
    if (head->is_dictionary) {
        return DW_OK;
    }
    bool has_levels = leaf->max_rep > 0 || leaf->max_def > 0;
    if ((has_levels && head->has_other_levels) ||
        (leaf->max_rep > 0 && !take_levels(&out->values, &out->reps)) ||
        (leaf->max_def > 0 && !take_levels(&out->values, &out->defs))) {
        return dw__pq_odd(err, "way to write levels");
    }
    return DW_OK;
}

static dw_status
open_second_version(dw_pq_pages *pages, const dw_pq_page_head *head, dw_pq_buffer *buffer,
                    dw_pq_page *out, dw_error *err)
{
    int64_t reps = head->reps_size_bytes, defs = head->defs_size_bytes;
    int64_t least =
        head->size_bytes < head->plain_size_bytes ? head->size_bytes : head->plain_size_bytes;
    if (reps < 0 || defs < 0 || reps > least || defs > least - reps) {
        return dw__pq_odd(err, "page");
    }
    const char *start = pages->rest.ptr;
    out->reps = dw__str_make(start, (size_t) reps);
    out->defs = dw__str_make(start + reps, (size_t) defs);
    dw_str in = dw__str_make(start + reps + defs, (size_t) (head->size_bytes - reps - defs));
    size_t size = (size_t) (head->plain_size_bytes - reps - defs);
    if (head->is_compressed && size > 0) {
        return decompress(pages, in, size, buffer, &out->values, err);
    }
    out->values = in;
    return size == in.len || size == 0 ? DW_OK : dw__pq_odd(err, "page");
}

dw_status
dw__pq_page_open(dw_pq_pages *pages, const dw_pq_page_head *head, const dw_pq_node *leaf,
                 dw_pq_buffer *buffer, dw_pq_page *out, dw_error *err)
{
    *out = (dw_pq_page){DW_STR(""), DW_STR(""), DW_STR("")};
    DW_TRY(head->is_second_version ? open_second_version(pages, head, buffer, out, err)
                                   : open_first_version(pages, head, leaf, buffer, out, err));
    dw__pq_page_pass(pages, head);
    return DW_OK;
}
