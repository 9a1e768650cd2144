/*
 * How the parts of a variant are read and written. Private to this folder.
 */
#ifndef DW_CODEC_VARIANT_WRITE_H
#define DW_CODEC_VARIANT_WRITE_H

#include "base/vec.h"
#include "codec/shredding.h"

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
    PRIMITIVE_DATE,
    PRIMITIVE_INSTANT,
    PRIMITIVE_LOCAL_TIME,
    PRIMITIVE_FLOAT,
    PRIMITIVE_BINARY,
    PRIMITIVE_TEXT,
    PRIMITIVE_TIME,
    PRIMITIVE_UUID = 20
};

#define DW_SHRED_DIGITS_MAX 38

/* The number of `width` bytes at `at`, which are there; at most four. */
uint32_t dw__variant_number(dw_str bytes, size_t at, size_t width);
/* Where the parts of an object or an array stand; all but its own bytes is left as it was. */
DW_WARN_UNUSED dw_status dw__variant_read_group(dw_str bytes, dw_variant_walk *out, dw_error *err);
/* What stands before the values of a group, which have `size` bytes. */
void dw__variant_put_group_head(dw_strbuf *out, const dw_variant_field *fields, size_t count,
                                bool is_object, size_t size);
/* The digits of a value that is a decimal. */
bool dw__shred_decimal(dw_str value, dw_int128 *unscaled_out, unsigned *scale_out);

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
