/*
 * Reading `_last_checkpoint`.
 */
#include "log/hint.h"

#include "codec/json.h"
#include "log/names.h"

static int64_t
version_in(dw_json hint)
{
    int64_t version;
    bool is_number = dw__json_i64(dw__json_get(hint, DW_STR("version")), &version);
    return is_number && version >= 0 && version <= DW_VERSION_MAX ? version : -1;
}

dw_status
dw__hint_read(dw_storage *storage, const dw_allocator *allocator, int64_t *version_out,
              dw_error *err)
{
    *version_out = -1;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, DW_HINT_BYTES_MAX);
    dw_error ignored = DW_ERROR_INIT;
    dw_status status =
        dw__storage_get(storage, DW_STR(DW_LAST_CHECKPOINT_KEY), &text, NULL, &ignored);
    if (status == DW_OK) {
        DW_AUTO(dw_json_doc_ptr) doc = NULL;
        status = dw__json_parse(allocator, dw__strbuf_str(&text), "the hint", &doc, &ignored);
        if (status == DW_OK) {
            *version_out = version_in(dw__json_root(doc));
        }
    }
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}
