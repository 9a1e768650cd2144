/*
 * How the parts of a variant are written. Private to this folder.
 */
#ifndef DW_CODEC_VARIANT_WRITE_H
#define DW_CODEC_VARIANT_WRITE_H

#include "codec/variant.h"

/* The kinds of values, in the low two bits of their first byte. */
enum { BASIC_PRIMITIVE, BASIC_SHORT_TEXT, BASIC_OBJECT, BASIC_ARRAY };
/* The types of primitives, in its other bits. */
enum {
    PRIMITIVE_NULL,
    PRIMITIVE_TRUE,
    PRIMITIVE_FALSE,
    PRIMITIVE_INT_8,
    PRIMITIVE_INT_16,
    PRIMITIVE_INT_32,
    PRIMITIVE_INT_64,
    PRIMITIVE_DOUBLE,
    PRIMITIVE_DECIMAL_4,
    PRIMITIVE_DECIMAL_8,
    PRIMITIVE_DECIMAL_16,
    PRIMITIVE_BINARY = 15,
    PRIMITIVE_TEXT,
    PRIMITIVE_TIME,
    PRIMITIVE_UUID = 20
};

/* The low `width` bytes of a number, at most eight. */
void dw__variant_put_number(dw_strbuf *out, size_t number, size_t width);
/* Sorts the names that were collected, leaves each once, and fills `ids`. */
DW_WARN_UNUSED dw_status dw__variant_sort_names(dw_variant_writer *writer, dw_error *err);
/* Writes the metadata of the sorted names. */
DW_WARN_UNUSED dw_status dw__variant_put_names(dw_variant_writer *writer, dw_error *err);
/* Sorts the fields from `first` on, which are those of one object. */
DW_WARN_UNUSED dw_status dw__variant_sort_fields(dw_variant_writer *writer, size_t first,
                                                 dw_error *err);
/* Makes one value of those that were written from `start` on; the fields from `first` on speak of
 * them, and are done with. */
DW_WARN_UNUSED dw_status dw__variant_end_group(dw_variant_writer *writer, size_t first,
                                               size_t start, bool is_object, dw_error *err);
/* What went wrong in a part. */
DW_WARN_UNUSED dw_status dw__variant_check(const dw_strbuf *part, dw_error *err);

#endif
