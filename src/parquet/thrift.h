/*
 * Thrift's compact protocol, in which Parquet writes its footer and the heads of its pages. It is
 * read field by field; what is not known is stepped over.
 *
 *  [THRIFT-1] Nothing is read beyond the end. After a failure every call gives nothing.
 */
#ifndef DW_PARQUET_THRIFT_H
#define DW_PARQUET_THRIFT_H

#include "base/str.h"

typedef struct dw_thrift {
    const char *at, *end;
    bool failed;
} dw_thrift;

enum {
    DW_THRIFT_TRUE = 1,
    DW_THRIFT_FALSE = 2,
    DW_THRIFT_LIST = 9,
    DW_THRIFT_STRUCT = 12,
};

/* A field of a struct. Zero before the first. */
typedef struct dw_thrift_field {
    int64_t id;
    uint8_t type;
} dw_thrift_field;

static inline dw_thrift
dw__thrift_make(dw_str bytes)
{
    dw_str text = bytes.len == 0 ? DW_STR("") : bytes;
    return (dw_thrift){text.ptr, text.ptr + text.len, false};
}

/* Goes on to the next field of a struct; false at its end and after a failure. */
bool dw__thrift_next(dw_thrift *thrift, dw_thrift_field *field);
/* The value of the field, which must be an integer, or a boolean. */
int64_t dw__thrift_int(dw_thrift *thrift, const dw_thrift_field *field);
bool dw__thrift_bool(dw_thrift *thrift, const dw_thrift_field *field);
/* A view of the bytes. */
dw_str dw__thrift_bytes(dw_thrift *thrift, const dw_thrift_field *field);
/* The number of elements of the field, which must be a list of `type`. Each takes a byte at least:
 * the number is no larger than what is left. */
size_t dw__thrift_list(dw_thrift *thrift, const dw_thrift_field *field, uint8_t type);
/* An integer that is the element of a list. */
int64_t dw__thrift_element(dw_thrift *thrift);
/* Fails unless the field is a struct; its fields come next. */
void dw__thrift_enter(dw_thrift *thrift, const dw_thrift_field *field);
void dw__thrift_skip(dw_thrift *thrift, const dw_thrift_field *field);

#endif
