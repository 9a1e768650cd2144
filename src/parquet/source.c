/*
 * See source.h.
 */
#include "parquet/source.h"

#include "parquet/footer.h"

/* What is read of the end of a file at once; larger footers take a second look. */
#define TAIL_BYTES ((size_t) 64 << 10)

bool
dw__pq_source_open(const dw_env *env, dw_str path, dw_storage **storage_out, dw_pq_source *out)
{
    size_t slash = dw__str_find_last(path, '/');
    dw_error ignored = DW_ERROR_INIT;
    dw_object_meta meta;
    *storage_out = NULL;
    if (slash == SIZE_MAX ||
        dw__storage_open(env, dw__str_slice(path, 0, slash + 1), storage_out, &ignored) != DW_OK) {
        return false;
    }
    dw_str name = dw__str_slice(path, slash + 1, path.len);
    if (dw__storage_head(*storage_out, name, &meta, &ignored) != DW_OK) {
        return false;
    }
    *out = (dw_pq_source){*storage_out, name, meta.size_bytes, meta.modified_ms};
    return true;
}

dw_status
dw__pq_source_read(const dw_pq_source *source, uint64_t offset, size_t len, dw_strbuf *out,
                   dw_error *err)
{
    dw__strbuf_clear(out);
    DW_TRY(dw__storage_get_range(source->storage, source->key, offset, len, out, err));
    return out->len == len ? DW_OK : dw__pq_odd(err, "size");
}

dw_status
dw__pq_source_footer(const dw_pq_source *source, dw_strbuf *bytes, dw_str *footer_out,
                     dw_error *err)
{
    uint64_t size = (uint64_t) source->size_bytes;
    size_t tail = size < TAIL_BYTES ? (size_t) size : TAIL_BYTES;
    if (tail < DW_PQ_END_BYTES) {
        return dw__pq_odd(err, "end");
    }
    DW_TRY(dw__pq_source_read(source, size - tail, tail, bytes, err));
    const uint8_t *end = (const uint8_t *) bytes->ptr + bytes->len - DW_PQ_END_BYTES;
    size_t len =
        (size_t) end[0] | (size_t) end[1] << 8 | (size_t) end[2] << 16 | (size_t) end[3] << 24;
    if (memcmp(end + 4, DW_PQ_MAGIC, 4) != 0 || len > DW_PQ_FOOTER_BYTES_MAX ||
        len > size - DW_PQ_END_BYTES) {
        return dw__pq_odd(err, "end");
    }
    if (len + DW_PQ_END_BYTES > tail) {
        tail = len + DW_PQ_END_BYTES;
        DW_TRY(dw__pq_source_read(source, size - tail, tail, bytes, err));
    }
    *footer_out = dw__str_make(bytes->ptr + bytes->len - DW_PQ_END_BYTES - len, len);
    return DW_OK;
}

void
dw__pq_footer_end(dw_strbuf *footer)
{
    size_t size = footer->len;
    for (size_t i = 0; i < DW_PQ_END_BYTES - 4; i++) {
        dw__strbuf_append_char(footer, (char) (uint8_t) (size >> (8 * i)));
    }
    dw__strbuf_append_literal(footer, DW_PQ_MAGIC);
}
