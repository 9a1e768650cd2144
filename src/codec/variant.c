/*
 * Writing a variant anew. The engine numbers names as it meets them and says that they are sorted.
 */
#include "codec/variant_write.h"

#include "base/assert.h"
#include "base/vec.h"

#include <stdlib.h>

enum { VERSION = 1, SORTED = 1 << 4 };
enum { CUT_TEXT_BYTES = 64 };

dw_variant_writer
dw__variant_writer_make(const dw_allocator *allocator)
{
    return (dw_variant_writer){.metadata = dw__strbuf_make(allocator, DW_VARIANT_BYTES_MAX),
                               .value = dw__strbuf_make(allocator, DW_VARIANT_BYTES_MAX)};
}

void
dw__variant_writer_deinit(dw_variant_writer *writer)
{
    const dw_allocator *allocator = writer->value.allocator;
    DW_VEC_DEINIT(allocator, &writer->names);
    DW_VEC_DEINIT(allocator, &writer->ids);
    DW_VEC_DEINIT(allocator, &writer->fields);
    dw__strbuf_deinit(&writer->metadata);
    dw__strbuf_deinit(&writer->value);
}

static dw_status
invalid(const char *what, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "VARIANT_INVALID",
                         "expected a variant, found one whose %s goes beyond its end", what);
}

dw_status
dw__variant_check(const dw_strbuf *part, dw_error *err)
{
    if (part->too_large) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VARIANT_TOO_LARGE",
                             "expected a variant of at most %zu bytes, found a larger one",
                             DW_VARIANT_BYTES_MAX);
    }
    return part->failed ? dw__error_oom(err) : DW_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

uint32_t
dw__variant_number(dw_str bytes, size_t at, size_t width)
{
    uint32_t number = 0;
    dw_assert(at + width <= bytes.len);
    for (size_t i = 0; i < width; i++) {
        number |= (uint32_t) (uint8_t) bytes.ptr[at + i] << (8 * i);
    }
    return number;
}

static size_t
width_of(size_t number)
{
    return number < 1U << 8 ? 1 : number < 1U << 16 ? 2 : number < 1U << 24 ? 3 : 4;
}

void
dw__variant_put_number(dw_strbuf *out, size_t number, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        dw__strbuf_append_char(out, (char) (number >> (8 * i) & 0xff));
    }
}

/* ---- Names ----------------------------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
    return dw__str_compare(((const dw_variant_name *) a)->text,
                           ((const dw_variant_name *) b)->text);
}

/* A head, the number of names, an offset for each and one more, the names. */
static dw_status
read_names(dw_variant_writer *writer, dw_str metadata, dw_error *err)
{
    writer->names.count = 0;
    if (metadata.len == 0 || (metadata.ptr[0] & 0x0f) != VERSION) {
        return dw__error_set(err, DW_CORRUPT, "VARIANT_INVALID",
                             "expected the metadata of a variant of version 1, found another");
    }
    size_t width = ((uint8_t) metadata.ptr[0] >> 6) + 1U;
    if (metadata.len < 1 + width) {
        return invalid("metadata", err);
    }
    size_t count = dw__variant_number(metadata, 1, width);
    if (count >= metadata.len || metadata.len - 1 - width < (count + 1) * width) {
        return invalid("metadata", err);
    }
    size_t start = 1 + width + (count + 1) * width;
    if (!DW_VEC_RESERVE(writer->value.allocator, &writer->names, count)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        size_t first = dw__variant_number(metadata, 1 + width + i * width, width);
        size_t end = dw__variant_number(metadata, 1 + width + (i + 1) * width, width);
        if (first > end || end > metadata.len - start) {
            return invalid("metadata", err);
        }
        dw_str text = dw__str_make(metadata.ptr + start + first, end - first);
        writer->names.items[writer->names.count++] = (dw_variant_name){text, (uint32_t) i};
    }
    return DW_OK;
}

dw_status
dw__variant_sort_names(dw_variant_writer *writer, dw_error *err)
{
    dw_variant_names *names = &writer->names;
    size_t source_count = names->count;
    if (!DW_VEC_RESERVE(writer->value.allocator, &writer->ids, source_count)) {
        return dw__error_oom(err);
    }
    if (source_count > 1) {
        qsort(names->items, source_count, sizeof(*names->items), compare_names);
    }
    writer->ids.count = source_count;
    names->count = 0;
    for (size_t i = 0; i < source_count; i++) {
        dw_variant_name name = names->items[i];
        bool is_new =
            names->count == 0 || !dw__str_equal(names->items[names->count - 1].text, name.text);
        if (is_new) {
            names->items[names->count++] = name;
        }
        writer->ids.items[name.source_id] = (uint32_t) names->count - 1;
    }
    return DW_OK;
}

dw_status
dw__variant_put_names(dw_variant_writer *writer, dw_error *err)
{
    const dw_variant_names *names = &writer->names;
    dw_strbuf *out = &writer->metadata;
    size_t size = 0;
    for (size_t i = 0; i < names->count; i++) {
        size += names->items[i].text.len;
    }
    size_t width = width_of(size > names->count ? size : names->count);
    dw__strbuf_clear(out);
    dw__variant_put_number(out, VERSION | SORTED | (width - 1) << 6, 1);
    dw__variant_put_number(out, names->count, width);
    size_t offset = 0;
    for (size_t i = 0; i < names->count; i++) {
        dw__variant_put_number(out, offset, width);
        offset += names->items[i].text.len;
    }
    dw__variant_put_number(out, offset, width);
    for (size_t i = 0; i < names->count; i++) {
        dw__strbuf_append(out, names->items[i].text);
    }
    return dw__variant_check(out, err);
}

/* ---- Single values --------------------------------------------------------------------------- */

static dw_status
unknown_type(unsigned type, dw_error *err)
{
    static const char *const names[] = {"TIME", "TIMESTAMP_NS", "TIMESTAMP_NS"};
    const char *name = type >= PRIMITIVE_TIME && type < PRIMITIVE_UUID
                           ? names[type - PRIMITIVE_TIME]
                           : "unknown to this version";
    return dw__error_set(err, DW_INVALID_ARGUMENT, "VARIANT_TYPE",
                         "a variant of a table holds no value of type %u (%s), which not every "
                         "reader knows: cast it to a string or another type first",
                         type, name);
}

/* The bytes of a primitive, its head among them; 0: the type is not known. */
static size_t
primitive_size(dw_str bytes, unsigned type)
{
    static const uint8_t sizes[] = {1, 1, 1, 2, 3, 5, 9, 9, 6, 10, 18, 5, 9, 9, 5};
    if (type < sizeof(sizes)) {
        return sizes[type];
    }
    if (type == PRIMITIVE_BINARY || type == PRIMITIVE_TEXT) {
        return bytes.len < 5 ? 5 : (size_t) 5 + dw__variant_number(bytes, 1, 4);
    }
    return type == PRIMITIVE_UUID ? 17 : 0;
}

/* The engine takes a text of 64 bytes for a short one, whose head has no room for that number: it
 * says that there are none. */
static bool
is_cut_text(dw_str value)
{
    return value.len == 1 + CUT_TEXT_BYTES && (uint8_t) value.ptr[0] == BASIC_SHORT_TEXT;
}

static void
write_cut_text(dw_variant_writer *writer, dw_str value)
{
    dw__variant_put_number(&writer->value, PRIMITIVE_TEXT << 2 | BASIC_PRIMITIVE, 1);
    dw__variant_put_number(&writer->value, CUT_TEXT_BYTES, sizeof(uint32_t));
    dw__strbuf_append(&writer->value, dw__str_make(value.ptr + 1, CUT_TEXT_BYTES));
}

static dw_status
write_single(dw_variant_writer *writer, dw_str bytes, dw_error *err)
{
    unsigned head = (uint8_t) bytes.ptr[0];
    bool is_short = (head & 3) == BASIC_SHORT_TEXT;
    size_t size = is_short ? 1 + (head >> 2) : primitive_size(bytes, head >> 2);
    if (size == 0) {
        return unknown_type(head >> 2, err);
    }
    if (size > bytes.len) {
        return invalid("value", err);
    }
    dw__strbuf_append(&writer->value, dw__str_make(bytes.ptr, size));
    return DW_OK;
}

/* ---- Objects and arrays ---------------------------------------------------------------------- */

static dw_status write_value(dw_variant_writer *writer, dw_str bytes, int depth, dw_error *err);

static int
compare_fields(const void *a, const void *b)
{
    uint32_t left = ((const dw_variant_field *) a)->name;
    uint32_t right = ((const dw_variant_field *) b)->name;
    return left < right ? -1 : left > right;
}

dw_status
dw__variant_sort_fields(dw_variant_writer *writer, size_t first, dw_error *err)
{
    dw_variant_field *fields = writer->fields.items + first;
    size_t count = writer->fields.count - first;
    if (count > 1) {
        qsort(fields, count, sizeof(*fields), compare_fields);
    }
    for (size_t i = 1; i < count; i++) {
        if (fields[i].name == fields[i - 1].name) {
            dw_str name = writer->names.items[fields[i].name].text;
            return dw__error_set(err, DW_INVALID_ARGUMENT, "VARIANT_DUPLICATE_KEY",
                                 "expected each key of an object once, found \"%.*s\" twice",
                                 DW_STR_ARG(name));
        }
    }
    return DW_OK;
}

dw_status
dw__variant_read_group(dw_str bytes, dw_variant_walk *out, dw_error *err)
{
    unsigned head = (uint8_t) bytes.ptr[0];
    unsigned info = head >> 2;
    out->is_object = (head & 3) == BASIC_OBJECT;
    out->offset_width = (info & 3) + 1;
    out->id_width = out->is_object ? (info >> 2 & 3) + 1 : 0;
    bool is_large = (info >> (out->is_object ? 4 : 2) & 1) != 0;
    size_t count_width = is_large ? 4 : 1;
    if (bytes.len < 1 + count_width) {
        return invalid("value", err);
    }
    out->count = dw__variant_number(bytes, 1, count_width);
    out->ids_at = 1 + count_width;
    size_t entry = out->id_width + out->offset_width;
    if (out->count >= bytes.len ||
        out->count * entry + out->offset_width > bytes.len - out->ids_at) {
        return invalid("value", err);
    }
    out->offsets_at = out->ids_at + out->count * out->id_width;
    out->values_at = out->offsets_at + (out->count + 1) * out->offset_width;
    return DW_OK;
}

static uint32_t
offset_at(dw_str bytes, const dw_variant_walk *source, size_t idx)
{
    return dw__variant_number(bytes, source->offsets_at + idx * source->offset_width,
                              source->offset_width);
}

/* The engine has values one behind the other. */
static bool
is_cut(dw_str bytes, const dw_variant_walk *source, size_t first, size_t end)
{
    size_t size = bytes.len - source->values_at;
    return end > first && end <= size &&
           is_cut_text(dw__str_make(bytes.ptr + source->values_at + first, end - first));
}

/* The fields in the order in which they are written; elements stay in theirs. */
static dw_status
read_fields(dw_variant_writer *writer, dw_str bytes, const dw_variant_walk *source, size_t first,
            dw_error *err)
{
    if (first + source->count > writer->source_size) {
        return invalid("value", err); /* its parts stand one in the other */
    }
    if (!DW_VEC_RESERVE(writer->value.allocator, &writer->fields, first + source->count)) {
        return dw__error_oom(err);
    }
    dw_variant_field *fields = writer->fields.items + first;
    writer->fields.count = first + source->count;
    for (size_t i = 0; i < source->count; i++) {
        size_t id =
            source->is_object
                ? dw__variant_number(bytes, source->ids_at + i * source->id_width, source->id_width)
                : i;
        if (source->is_object && id >= writer->ids.count) {
            return invalid("field", err);
        }
        fields[i].name = source->is_object ? writer->ids.items[id] : (uint32_t) i;
        fields[i].offset = offset_at(bytes, source, i);
        fields[i].is_cut = is_cut(bytes, source, fields[i].offset, offset_at(bytes, source, i + 1));
    }
    return source->is_object ? dw__variant_sort_fields(writer, first, err) : DW_OK;
}

void
dw__variant_put_group_head(dw_strbuf *out, const dw_variant_field *fields, size_t count,
                           bool is_object, size_t size)
{
    bool is_large = count > UINT8_MAX;
    size_t last_name = count == 0 ? 0 : fields[count - 1].name;
    size_t id_width = is_object ? width_of(last_name) : 0;
    size_t offset_width = width_of(size);
    size_t info = is_object ? (size_t) is_large << 4 | (id_width - 1) << 2 | (offset_width - 1)
                            : (size_t) is_large << 2 | (offset_width - 1);
    dw__variant_put_number(out, info << 2 | (is_object ? BASIC_OBJECT : BASIC_ARRAY), 1);
    dw__variant_put_number(out, count, is_large ? 4 : 1);
    for (size_t i = 0; is_object && i < count; i++) {
        dw__variant_put_number(out, fields[i].name, id_width);
    }
    for (size_t i = 0; i < count; i++) {
        dw__variant_put_number(out, fields[i].offset, offset_width);
    }
    dw__variant_put_number(out, size, offset_width);
}

/* The head of a group is known when its values are written: it is put behind them and then both
 * change places. */
static bool
move_head_first(dw_strbuf *out, size_t start, size_t size)
{
    size_t head_size = out->len - start - size;
    if (out->failed || !dw__strbuf_reserve(out, head_size)) {
        return false;
    }
    char *values = out->ptr + start;
    memcpy(out->ptr + out->len, values + size, head_size); /* into the room that was reserved */
    memmove(values + head_size, values, size);
    memcpy(values, out->ptr + out->len, head_size);
    return true;
}

dw_status
dw__variant_end_group(dw_variant_writer *writer, size_t first, size_t start, bool is_object,
                      dw_error *err)
{
    size_t size = writer->value.len - start;
    dw__variant_put_group_head(&writer->value, writer->fields.items + first,
                               writer->fields.count - first, is_object, size);
    if (!writer->value.failed && !move_head_first(&writer->value, start, size)) {
        return dw__variant_check(&writer->value, err);
    }
    writer->fields.count = first;
    return dw__variant_check(&writer->value, err);
}

static dw_status
write_group(dw_variant_writer *writer, dw_str bytes, int depth, dw_error *err)
{
    dw_variant_walk source = {0};
    size_t first = writer->fields.count;
    size_t start = writer->value.len;
    if (depth == DW_VARIANT_DEPTH_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VARIANT_TOO_DEEP",
                             "expected a variant of at most %d levels, found a deeper one",
                             DW_VARIANT_DEPTH_MAX);
    }
    DW_TRY(dw__variant_read_group(bytes, &source, err));
    DW_TRY(read_fields(writer, bytes, &source, first, err));
    dw_str values = dw__str_make(bytes.ptr + source.values_at, bytes.len - source.values_at);
    for (size_t i = 0; i < source.count; i++) {
        size_t offset = writer->fields.items[first + i].offset;
        if (offset >= values.len) {
            return invalid("value", err);
        }
        writer->fields.items[first + i].offset = (uint32_t) (writer->value.len - start);
        dw_str value = dw__str_make(values.ptr + offset, values.len - offset);
        if (writer->fields.items[first + i].is_cut) {
            write_cut_text(writer, value);
        } else {
            DW_TRY(write_value(writer, value, depth + 1, err));
        }
    }
    return dw__variant_end_group(writer, first, start, source.is_object, err);
}

/* `bytes` begins with the value; what stands behind it is another's. */
static dw_status
write_value(dw_variant_writer *writer, dw_str bytes, int depth, dw_error *err)
{
    if (bytes.len == 0) {
        return invalid("value", err);
    }
    unsigned basic = (uint8_t) bytes.ptr[0] & 3;
    bool is_group = basic == BASIC_OBJECT || basic == BASIC_ARRAY;
    DW_TRY(is_group ? write_group(writer, bytes, depth, err) : write_single(writer, bytes, err));
    return dw__variant_check(&writer->value, err);
}

dw_status
dw__variant_write(dw_variant_writer *writer, dw_str metadata, dw_str value, dw_error *err)
{
    dw__strbuf_clear(&writer->value);
    writer->fields.count = 0;
    writer->source_size = value.len;
    DW_TRY(read_names(writer, metadata, err));
    DW_TRY(dw__variant_sort_names(writer, err));
    DW_TRY(dw__variant_put_names(writer, err));
    if (is_cut_text(value)) {
        write_cut_text(writer, value);
        return dw__variant_check(&writer->value, err);
    }
    return write_value(writer, value, 0, err);
}
