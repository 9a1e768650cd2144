/*
 * The payload of deletion vectors. Whatever parses serializes to a set of the same rows.
 */
#include "fuzz.h"

#include "codec/roaring.h"

enum { PROBE_COUNT = 64 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    DW_AUTO(dw_rowset_ptr) back = NULL;
    dw_error err = DW_ERROR_INIT;
    if (dw__rowset_parse(dw__allocator_libc(), fuzz_text(data, size), &rows, &err) != DW_OK) {
        dw_assert(dw__error_has_code(&err, "DV_INVALID"));
        return 0;
    }
    dw_str payload;
    dw_status status = dw__rowset_serialize(rows, &arena, &payload, &err);
    dw_assert(status == DW_OK);
    status = dw__rowset_parse(dw__allocator_libc(), payload, &back, &err);
    dw_assert(status == DW_OK);
    dw_assert(dw__rowset_cardinality(rows) == dw__rowset_cardinality(back));
    int64_t positions[PROBE_COUNT];
    bool keep[PROBE_COUNT];
    size_t hits = 0;
    for (size_t i = 0; i < PROBE_COUNT; i++) {
        positions[i] = (int64_t) (i * 1021);
        keep[i] = true;
        hits += dw__rowset_contains(rows, (uint64_t) positions[i]) ? 1 : 0;
    }
    dw_assert(dw__rowset_mask(back, positions, PROBE_COUNT, keep) == hits);
    return 0;
}
