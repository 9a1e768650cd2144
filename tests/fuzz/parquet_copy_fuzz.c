/*
 * A Parquet file, of which a copy without LZ4 is made. Whatever it says, the copy is made or
 * refused; none is needed of a copy.
 */
#include "fuzz.h"

#include "parquet/plain_copy.h"

static dw_status
keep(void *ctx, dw_str bytes, dw_error *err)
{
    dw_strbuf *out = ctx;
    dw__strbuf_append(out, bytes);
    return dw__strbuf_ok(out, "the copy", err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dw_env env = dw__env_system();
    dw_error err = DW_ERROR_INIT;
    dw_storage *storage = NULL;
    dw_pq_oddities oddities;
    DW_AUTO(dw_strbuf) out = fuzz_strbuf();
    const dw_pq_sink sink = {keep, &out};
    dw_status status = dw__storage_memory_open(&env, &storage, NULL);
    dw_assert(status == DW_OK);
    status = dw__storage_put(storage, DW_STR("x"), fuzz_text(data, size), NULL);
    dw_assert(status == DW_OK);
    dw_pq_source source = {storage, DW_STR("x"), (int64_t) size, 0};
    status = dw__pq_plain_copy(&source, NULL, &sink, &err);
    dw_assert(status == DW_OK || status == DW_CORRUPT || status == DW_UNSUPPORTED);
    if (status == DW_OK) {
        status = dw__storage_put(storage, DW_STR("x"), dw__strbuf_str(&out), NULL);
        dw_assert(status == DW_OK);
        source.size_bytes = (int64_t) out.len;
        status = dw__pq_find_oddities(&source, NULL, &oddities, &err);
        dw_assert(status == DW_OK && !oddities.has_codec && !oddities.has_variants);
    }
    dw__storage_close(storage);
    return 0;
}
