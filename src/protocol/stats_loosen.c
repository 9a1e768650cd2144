/*
 * Statistics of a file of which rows are deleted. PROTOCOL.md "Per-file Statistics", "Deletion
 * Vectors".
 */
#include "codec/json.h"
#include "protocol/stats.h"

static bool
is_replaced(dw_str key)
{
    return dw__str_equal(key, DW_STR("numRecords")) || dw__str_equal(key, DW_STR("tightBounds"));
}

dw_status
dw__stats_loosen(dw_strbuf *out, dw_str json, int64_t num_records, dw_error *err)
{
    dw__strbuf_printf(out, "{\"numRecords\":%lld", (long long) num_records);
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (!dw__str_is_null(json)) {
        dw_status status = dw__json_parse(out->allocator, json, "statistics", &doc, err);
        if (status == DW_OUT_OF_MEMORY) {
            return status;
        }
    }
    dw_json_iter member = dw__json_iter(doc == NULL ? (dw_json){0} : dw__json_root(doc));
    while (member.is_object && dw__json_next(&member)) {
        if (!is_replaced(member.key)) {
            dw__json_put_key(out, member.key);
            dw__json_write(out, member.value);
        }
    }
    dw__strbuf_append_literal(out, ",\"tightBounds\":false}");
    return dw__strbuf_ok(out, "the statistics of a file", err);
}
