/*
 * Partition values: the first byte chooses the type, the rest is the text. Whatever parses prints,
 * and the print is an equal value.
 */
#include "fuzz.h"

#include "protocol/property.h"
#include "protocol/value.h"

static bool
values_equal(const dw_value *a, const dw_value *b)
{
    if (a->kind == DW_VALUE_NULL || b->kind == DW_VALUE_NULL) {
        return a->kind == b->kind;
    }
    bool comparable;
    int order = dw__value_compare(a, b, &comparable);
    return comparable && order == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str input = fuzz_text(data, size);
    uint8_t choice = fuzz_take_byte(&input);
    dw_type type = {.kind = (dw_type_kind) (choice % (DW_TYPE_MAP + 1))};
    if (type.kind == DW_TYPE_DECIMAL) {
        type.precision = (uint8_t) (1 + choice % DW_DECIMAL_PRECISION_MAX);
        type.scale = (uint8_t) (choice / 7 % (type.precision + 1));
    }
    dw_field field = {.name = DW_STR("p"), .type = &type, .nullable = true};
    DW_AUTO(dw_strbuf) path = fuzz_strbuf();
    dw__partition_path_append(&path, field.name, input);
    int64_t ignored;
    (void) dw__interval_parse(input, &ignored);

    dw_value value;
    dw_str text;
    dw_error err = DW_ERROR_INIT;
    if (dw__partition_value_parse(&field, input, &arena, &value, &err) != DW_OK) {
        dw_assert(err.status == DW_CORRUPT);
        return 0;
    }
    if (dw__partition_value_print(&field, &value, &arena, &text, &err) != DW_OK) {
        dw_assert(err.status == DW_INVALID_ARGUMENT && value.kind == DW_VALUE_STR);
        return 0;
    }
    dw_value back;
    dw_status status = dw__partition_value_parse(&field, text, &arena, &back, &err);
    dw_assert(status == DW_OK);
    /* Bytes that look like escapes are read as escapes: the one text that has two meanings. */
    bool escaped = type.kind == DW_TYPE_BINARY && dw__str_starts_with(text, DW_STR("\\u00"));
    dw_assert(escaped || values_equal(&value, &back));
    return 0;
}
