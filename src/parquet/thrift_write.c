/*
 * See thrift_write.h.
 */
#include "parquet/thrift_write.h"

static void
put_varint(dw_strbuf *out, uint64_t value)
{
    while (value >= 0x80) {
        dw__strbuf_append_char(out, (char) (uint8_t) (value | 0x80));
        value >>= 7;
    }
    dw__strbuf_append_char(out, (char) (uint8_t) value);
}

static void
put_signed(dw_strbuf *out, int64_t value)
{
    put_varint(out, (uint64_t) value << 1 ^ (uint64_t) (value >> 63));
}

void
dw__thrift_put_field(dw_thrift_writer *writer, int64_t id, uint8_t type)
{
    int64_t distance = id - writer->id;
    bool is_near = distance > 0 && distance <= 15;
    dw__strbuf_append_char(writer->out, (char) (uint8_t) ((is_near ? distance << 4 : 0) | type));
    if (!is_near) {
        put_signed(writer->out, id);
    }
    writer->id = id;
}

void
dw__thrift_put_int(dw_thrift_writer *writer, int64_t id, uint8_t type, int64_t value)
{
    dw__thrift_put_field(writer, id, type);
    if (type == DW_THRIFT_I8) {
        dw__strbuf_append_char(writer->out, (char) value);
    } else {
        put_signed(writer->out, value);
    }
}

void
dw__thrift_put_bytes(dw_thrift_writer *writer, int64_t id, dw_str value)
{
    dw__thrift_put_field(writer, id, DW_THRIFT_BYTES);
    dw__thrift_put_element_bytes(writer->out, value);
}

void
dw__thrift_copy(dw_thrift_writer *writer, dw_thrift *from, const dw_thrift_field *field)
{
    const char *start = from->at;
    dw__thrift_skip(from, field);
    if (!from->failed) {
        dw__thrift_put_field(writer, field->id, field->type);
        dw__strbuf_append(writer->out, dw__str_make(start, (size_t) (from->at - start)));
    }
}

void
dw__thrift_put_end(dw_thrift_writer *writer)
{
    dw__strbuf_append_char(writer->out, '\0');
}

void
dw__thrift_put_list(dw_strbuf *out, uint8_t type, size_t count)
{
    if (count < 15) {
        dw__strbuf_append_char(out, (char) (uint8_t) (count << 4 | type));
        return;
    }
    dw__strbuf_append_char(out, (char) (uint8_t) (0xf0 | type));
    put_varint(out, count);
}

void
dw__thrift_put_element_int(dw_strbuf *out, int64_t value)
{
    put_signed(out, value);
}

void
dw__thrift_put_element_bytes(dw_strbuf *out, dw_str value)
{
    put_varint(out, value.len);
    dw__strbuf_append(out, value);
}
