/*
 * A variant, and a JSON text that becomes one. What was written is written the same once more.
 */
#include "fuzz.h"

#include "codec/variant.h"

static void
check_again(const dw_variant_writer *writer)
{
    dw_error err = DW_ERROR_INIT;
    dw_variant_writer again = dw__variant_writer_make(dw__allocator_libc());
    dw_status status = dw__variant_write(&again, dw__strbuf_str(&writer->metadata),
                                         dw__strbuf_str(&writer->value), &err);
    dw_assert(status == DW_OK);
    dw_assert(dw__str_equal(dw__strbuf_str(&writer->metadata), dw__strbuf_str(&again.metadata)));
    dw_assert(writer->value.len == again.value.len);
    dw__variant_writer_deinit(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dw_str text = fuzz_text(data, size);
    dw_str rest = text;
    dw_error err = DW_ERROR_INIT;
    dw_variant_writer writer = dw__variant_writer_make(dw__allocator_libc());
    dw_json_parser parser = dw__json_parser_make(dw__allocator_libc());
    size_t cut = fuzz_take_byte(&rest);
    dw_str metadata = dw__str_slice(rest, 0, cut);
    dw_str value = dw__str_slice(rest, metadata.len, rest.len);
    if (dw__variant_write(&writer, metadata, value, &err) == DW_OK) {
        check_again(&writer);
    }
    dw_status status = dw__variant_write_json(&writer, &parser, text, &err);
    dw_assert(status == DW_OK || status == DW_INVALID_ARGUMENT);
    if (status == DW_OK) {
        check_again(&writer);
    }
    dw__json_parser_deinit(&parser);
    dw__variant_writer_deinit(&writer);
    return 0;
}
