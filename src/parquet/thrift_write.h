/*
 * Writing Thrift's compact protocol, and copying what is read with changes.
 *
 *  [THRIFT-2] Fields that are not known are copied byte for byte.
 */
#ifndef DW_PARQUET_THRIFT_WRITE_H
#define DW_PARQUET_THRIFT_WRITE_H

#include "base/strbuf.h"
#include "parquet/thrift.h"

enum { DW_THRIFT_I8 = 3, DW_THRIFT_I32 = 5, DW_THRIFT_I64 = 6, DW_THRIFT_BYTES = 8 };

/* A struct that is being written: one writer each, made with the id 0. */
typedef struct dw_thrift_writer {
    dw_strbuf *out;
    int64_t id; /* of the last field */
} dw_thrift_writer;

static inline dw_thrift_writer
dw__thrift_writer_make(dw_strbuf *out)
{
    return (dw_thrift_writer){out, 0};
}

/* The head of a field, whose value comes next. */
void dw__thrift_put_field(dw_thrift_writer *writer, int64_t id, uint8_t type);
/* Fields with their values. */
void dw__thrift_put_int(dw_thrift_writer *writer, int64_t id, uint8_t type, int64_t value);
void dw__thrift_put_bytes(dw_thrift_writer *writer, int64_t id, dw_str value);
/* Copies the field that was read last, value and all. */
void dw__thrift_copy(dw_thrift_writer *writer, dw_thrift *from, const dw_thrift_field *field);
/* The end of the struct. */
void dw__thrift_put_end(dw_thrift_writer *writer);

/* The head of a list, whose elements come next; and an element. */
void dw__thrift_put_list(dw_strbuf *out, uint8_t type, size_t count);
void dw__thrift_put_element_int(dw_strbuf *out, int64_t value);
void dw__thrift_put_element_bytes(dw_strbuf *out, dw_str value);

#endif
