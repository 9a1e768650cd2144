/*
 * The footer of a Parquet file, in which parts of variants are to become one: whatever it says, it
 * is left alone or becomes a footer that can be read, of as many columns.
 */
#include "fuzz.h"

#include "parquet/footer.h"
#include "parquet/regroup.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_strbuf) out = fuzz_strbuf();
    dw_error err = DW_ERROR_INIT;
    dw_pq_footer before, after;
    dw_str footer = fuzz_text(data, size);
    dw_status status =
        dw__pq_footer_regroup(footer, DW_STR("m:"), dw__allocator_libc(), &out, &err);
    dw_assert(status == DW_OK || status == DW_UNSUPPORTED);
    if (status == DW_OK) {
        status = dw__pq_footer_parse(footer, &arena, &before, &err);
        dw_assert(status == DW_OK);
        status = dw__pq_footer_parse(dw__strbuf_str(&out), &arena, &after, &err);
        dw_assert(status == DW_OK);
        dw_assert(before.leaf_count == after.leaf_count);
        dw_assert(before.row_group_count == after.row_group_count);
    }
    return 0;
}
