/*
 * Printing values. The format strings are those of the Arrow C data interface; `row` is always
 * relative to the array that is passed, whose own offset is added here.
 */
#include "cell.h"

#include "cell_time.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 unsigned_wide;

typedef enum style { STYLE_TEXT, STYLE_JSON } style;

static void append_value(text *out, const struct ArrowSchema *schema,
                         const struct ArrowArray *array, int64_t row, style how, bool is_nested);

bool
cell_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row)
{
    if (strcmp(schema->format, "n") == 0) {
        return true;
    }
    if (array->null_count == 0 || array->n_buffers == 0 || array->buffers[0] == NULL) {
        return false;
    }
    int64_t bit = row + array->offset;
    const uint8_t *validity = array->buffers[0];
    return ((validity[bit / 8] >> (bit % 8)) & 1) == 0;
}

bool
cell_is_number(const struct ArrowSchema *schema)
{
    return schema->dictionary == NULL && strchr("cCsSiIlLefgd", schema->format[0]) != NULL &&
           (schema->format[1] == '\0' || schema->format[0] == 'd');
}

/* ---- Strings --------------------------------------------------------------------------------- */

void
cell_append_json_string(text *out, const char *bytes, size_t len)
{
    text_append_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) bytes[i];
        if (c == '"' || c == '\\') {
            text_append_char(out, '\\');
            text_append_char(out, (char) c);
        } else if (c == '\n') {
            text_append_cstr(out, "\\n");
        } else if (c == '\t') {
            text_append_cstr(out, "\\t");
        } else if (c == '\r') {
            text_append_cstr(out, "\\r");
        } else if (c < 0x20) {
            text_printf(out, "\\u%04x", c);
        } else {
            text_append_char(out, (char) c);
        }
    }
    text_append_char(out, '"');
}

static void
append_string(text *out, const char *bytes, size_t len, style how)
{
    if (how == STYLE_JSON) {
        cell_append_json_string(out, bytes, len);
    } else {
        text_append(out, bytes, len);
    }
}

/* Bytes that are no text: \xHH for all that is not printable ASCII. */
static void
append_binary(text *out, const char *bytes, size_t len, style how)
{
    text printed = {0};
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) bytes[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            text_append_char(&printed, (char) c);
        } else {
            text_printf(&printed, "\\x%02X", c);
        }
    }
    append_string(out, text_cstr(&printed), printed.len, how);
    text_free(&printed);
}

/* The bytes of a string or binary value, in any of Arrow's layouts. */
static const char *
get_bytes(const char *format, const struct ArrowArray *array, int64_t row, size_t *len)
{
    int64_t i = row + array->offset;
    if (format[0] == 'v') { /* views: 16 bytes, short ones inline */
        const char *view = (const char *) array->buffers[1] + i * 16;
        int32_t head[4];
        memcpy(head, view, sizeof(head));
        *len = (size_t) head[0];
        return head[0] <= 12 ? view + 4 : (const char *) array->buffers[2 + head[2]] + head[3];
    }
    if (format[0] == 'w') {
        *len = (size_t) strtoull(format + 2, NULL, 10);
        return (const char *) array->buffers[1] + (size_t) i * *len;
    }
    if (format[0] == 'U' || format[0] == 'Z') {
        const int64_t *offsets = array->buffers[1];
        *len = (size_t) (offsets[i + 1] - offsets[i]);
        return (const char *) array->buffers[2] + offsets[i];
    }
    const int32_t *offsets = array->buffers[1];
    *len = (size_t) (offsets[i + 1] - offsets[i]);
    return (const char *) array->buffers[2] + offsets[i];
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* The shortest digits that read back as the same number; text shows that it is no integer. */
static void
append_float(text *out, double value, bool is_single, style how)
{
    if (!isfinite(value)) {
        const char *name = isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
        text_append_cstr(out, how == STYLE_JSON ? "null" : name);
        return;
    }
    char digits[40];
    for (int precision = is_single ? 6 : 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        double back = strtod(digits, NULL);
        bool same = is_single ? (float) back == (float) value : back == value;
        if (same) {
            break;
        }
    }
    text_append_cstr(out, digits);
    if (strpbrk(digits, ".e") == NULL) {
        text_append_cstr(out, ".0");
    }
}

static void
append_decimal(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
               int64_t row)
{
    int precision = 0;
    int scale = 0;
    int bits = 128;
    char *end = NULL;
    precision = (int) strtol(schema->format + 2, &end, 10);
    if (*end == ',') {
        scale = (int) strtol(end + 1, &end, 10);
    }
    if (*end == ',') {
        bits = (int) strtol(end + 1, &end, 10);
    }
    int64_t i = row + array->offset;
    wide value = 0;
    if (bits == 32) {
        value = ((const int32_t *) array->buffers[1])[i];
    } else if (bits == 64) {
        value = ((const int64_t *) array->buffers[1])[i];
    } else {
        memcpy(&value, (const char *) array->buffers[1] + i * (bits / 8), sizeof(value));
    }
    (void) precision;
    char digits[48];
    size_t count = 0;
    unsigned_wide magnitude = value < 0 ? -(unsigned_wide) value : (unsigned_wide) value;
    while (magnitude > 0 || count <= (size_t) scale) {
        digits[count++] = (char) ('0' + (int) (magnitude % 10));
        magnitude /= 10;
    }
    if (value < 0) {
        text_append_char(out, '-');
    }
    while (count > 0) {
        if (count == (size_t) scale) {
            text_append_char(out, '.');
        }
        text_append_char(out, digits[--count]);
    }
}

static void
append_integer(text *out, char format, const void *values, int64_t i)
{
    switch (format) {
    case 'c':
        text_printf(out, "%d", ((const int8_t *) values)[i]);
        break;
    case 'C':
        text_printf(out, "%d", ((const uint8_t *) values)[i]);
        break;
    case 's':
        text_printf(out, "%d", ((const int16_t *) values)[i]);
        break;
    case 'S':
        text_printf(out, "%d", ((const uint16_t *) values)[i]);
        break;
    case 'i':
        text_printf(out, "%" PRId32, ((const int32_t *) values)[i]);
        break;
    case 'I':
        text_printf(out, "%" PRIu32, ((const uint32_t *) values)[i]);
        break;
    case 'L':
        text_printf(out, "%" PRIu64, ((const uint64_t *) values)[i]);
        break;
    default:
        text_printf(out, "%" PRId64, ((const int64_t *) values)[i]);
        break;
    }
}

/* ---- Nested values --------------------------------------------------------------------------- */

/* Where the elements of a list start and how many there are. */
static int64_t
list_span(const char *format, const struct ArrowArray *array, int64_t row, int64_t *start)
{
    int64_t i = row + array->offset;
    if (format[1] == 'L') {
        const int64_t *offsets = array->buffers[1];
        *start = offsets[i];
        return offsets[i + 1] - offsets[i];
    }
    if (format[1] == 'w') {
        int64_t size = (int64_t) strtoll(format + 3, NULL, 10);
        *start = i * size;
        return size;
    }
    const int32_t *offsets = array->buffers[1];
    *start = offsets[i];
    return offsets[i + 1] - offsets[i];
}

static void
append_list(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
            int64_t row, style how)
{
    int64_t start;
    int64_t count = list_span(schema->format, array, row, &start);
    text_append_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        text_append_cstr(out, i == 0 ? "" : (how == STYLE_JSON ? "," : ", "));
        append_value(out, schema->children[0], array->children[0], start + i, how, true);
    }
    text_append_char(out, ']');
}

static void
append_map(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row,
           style how)
{
    int64_t start;
    int64_t count = list_span("+m", array, row, &start);
    const struct ArrowSchema *const entry_schema = schema->children[0];
    const struct ArrowArray *const entries = array->children[0];
    text_append_char(out, '{');
    for (int64_t i = 0; i < count; i++) {
        int64_t entry = start + i + entries->offset;
        text_append_cstr(out, i == 0 ? "" : (how == STYLE_JSON ? "," : ", "));
        if (how == STYLE_JSON) {
            text key = {0};
            append_value(&key, entry_schema->children[0], entries->children[0], entry, STYLE_TEXT,
                         true);
            cell_append_json_string(out, text_cstr(&key), key.len);
            text_free(&key);
            text_append_char(out, ':');
        } else {
            append_value(out, entry_schema->children[0], entries->children[0], entry, how, true);
            text_append_char(out, '=');
        }
        append_value(out, entry_schema->children[1], entries->children[1], entry, how, true);
    }
    text_append_char(out, '}');
}

static void
append_struct(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
              int64_t row, style how)
{
    text_append_char(out, '{');
    for (int64_t i = 0; i < schema->n_children; i++) {
        const char *name = schema->children[i]->name;
        text_append_cstr(out, i == 0 ? "" : (how == STYLE_JSON ? "," : ", "));
        if (how == STYLE_JSON) {
            cell_append_json_string(out, name, strlen(name));
            text_append_char(out, ':');
        } else {
            text_printf(out, "'%s': ", name);
        }
        append_value(out, schema->children[i], array->children[i], row + array->offset, how, true);
    }
    text_append_char(out, '}');
}

/* ---- Any value ------------------------------------------------------------------------------- */

static void
append_nested(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
              int64_t row, style how)
{
    switch (schema->format[1]) {
    case 's':
        append_struct(out, schema, array, row, how);
        break;
    case 'm':
        append_map(out, schema, array, row, how);
        break;
    default:
        append_list(out, schema, array, row, how);
        break;
    }
}

static void
append_time(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
            int64_t row, style how)
{
    text printed = {0};
    cell_time_append(&printed, schema->format, array->buffers[1], row + array->offset);
    append_string(out, text_cstr(&printed), printed.len, how);
    text_free(&printed);
}

static void
append_bool(text *out, const struct ArrowArray *array, int64_t row)
{
    int64_t bit = row + array->offset;
    const uint8_t *values = array->buffers[1];
    text_append_cstr(out, ((values[bit / 8] >> (bit % 8)) & 1) != 0 ? "true" : "false");
}

static int64_t
dictionary_index(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row)
{
    text digits = {0};
    append_integer(&digits, schema->format[0], array->buffers[1], row + array->offset);
    int64_t index = strtoll(text_cstr(&digits), NULL, 10);
    text_free(&digits);
    return index;
}

static void
append_value(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
             int64_t row, style how, bool is_nested)
{
    if (cell_is_null(schema, array, row)) {
        text_append_cstr(out, how == STYLE_JSON ? "null" : (is_nested ? "NULL" : ""));
        return;
    }
    if (schema->dictionary != NULL) {
        append_value(out, schema->dictionary, array->dictionary,
                     dictionary_index(schema, array, row), how, is_nested);
        return;
    }
    const char *format = schema->format;
    size_t len;
    const char *bytes;
    switch (format[0]) {
    case 'b':
        append_bool(out, array, row);
        break;
    case 'f':
        append_float(out, (double) ((const float *) array->buffers[1])[row + array->offset], true,
                     how);
        break;
    case 'g':
        append_float(out, ((const double *) array->buffers[1])[row + array->offset], false, how);
        break;
    case 'd':
        append_decimal(out, schema, array, row);
        break;
    case 'u':
    case 'U':
        bytes = get_bytes(format, array, row, &len);
        append_string(out, bytes, len, how);
        break;
    case 'v':
        bytes = get_bytes(format, array, row, &len);
        if (format[1] == 'u') {
            append_string(out, bytes, len, how);
        } else {
            append_binary(out, bytes, len, how);
        }
        break;
    case 'z':
    case 'Z':
    case 'w':
        bytes = get_bytes(format, array, row, &len);
        append_binary(out, bytes, len, how);
        break;
    case 't':
        append_time(out, schema, array, row, how);
        break;
    case '+':
        append_nested(out, schema, array, row, how);
        break;
    default:
        append_integer(out, format[0], array->buffers[1], row + array->offset);
        break;
    }
}

void
cell_append_text(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
                 int64_t row)
{
    append_value(out, schema, array, row, STYLE_TEXT, false);
}

void
cell_append_json(text *out, const struct ArrowSchema *schema, const struct ArrowArray *array,
                 int64_t row)
{
    append_value(out, schema, array, row, STYLE_JSON, false);
}
