/*
 * Writing statistics: bounds that stay outer bounds after JSON. [STATS-2]
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/stats.h"

#include <math.h>

/* The microseconds of 0001-01-01 and of 10000-01-01: what "yyyy-MM-dd" can name. */
#define TIMESTAMP_MIN INT64_C(-62135596800000000)
#define TIMESTAMP_END INT64_C(253402300800000000)
#define DATE_MIN INT64_C(-719162)
#define DATE_END INT64_C(2932897)
#define US_PER_MS 1000

/* What is put behind a string maximum that was cut, so that it stays above what was cut off. */
#define TIE_BREAKER_ASCII DW_STR("\x7f")
#define TIE_BREAKER_MAX DW_STR("\xf4\x8f\xbf\xbf") /* U+10FFFF */

typedef enum section { SECTION_MIN, SECTION_MAX, SECTION_NULL_COUNT } section;

bool
dw__stats_has_bounds(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
        return true;
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return false;
    }
    dw_unreachable("every kind is listed");
}

/* ---- Strings --------------------------------------------------------------------------------- */

/* The length of the character at `at` in well-formed text. */
static size_t
character_len(dw_str text, size_t at)
{
    unsigned char lead = (unsigned char) text.ptr[at];
    return lead < 0x80 ? 1 : (lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4));
}

/* The bytes of the first `count` characters. */
static size_t
prefix_size(dw_str text, int64_t count)
{
    size_t at = 0;
    for (int64_t i = 0; i < count && at < text.len; i++) {
        at += character_len(text, at);
    }
    return at;
}

/* A cut maximum: a prefix and a tie-breaker. `keep` is false when none can be found within twice
 * the length; U+10FFFF itself cannot be exceeded, so the cut moves behind it. */
typedef struct cut_max {
    dw_str prefix;
    dw_str tie_breaker;
    bool keep;
} cut_max;

static cut_max
cut_maximum(dw_str text, int64_t prefix_length)
{
    size_t at = prefix_size(text, prefix_length);
    for (int64_t extra = 0; extra <= prefix_length && at < text.len; extra++) {
        dw_str next = dw__str_slice(text, at, character_len(text, at));
        if (!dw__str_equal(next, TIE_BREAKER_MAX)) {
            bool ascii = (unsigned char) next.ptr[0] < 0x7f;
            return (cut_max){dw__str_slice(text, 0, at),
                             ascii ? TIE_BREAKER_ASCII : TIE_BREAKER_MAX, true};
        }
        at += next.len;
    }
    return (cut_max){text, DW_STR(""), at >= text.len};
}

/* ---- Values ---------------------------------------------------------------------------------- */

static bool
is_in_range(int64_t value, int64_t min, int64_t end)
{
    return value >= min && value < end;
}

/* Whether a bound can be written at all. */
static bool
is_writable(const dw_type *type, const dw_value *value, section in, int64_t prefix_length)
{
    switch (value->kind) {
    case DW_VALUE_I64:
        if (type->kind == DW_TYPE_DATE) {
            return is_in_range(value->as.i64, DATE_MIN, DATE_END);
        }
        return (type->kind != DW_TYPE_TIMESTAMP && type->kind != DW_TYPE_TIMESTAMP_NTZ) ||
               is_in_range(value->as.i64, TIMESTAMP_MIN, TIMESTAMP_END);
    case DW_VALUE_DOUBLE:
        return isfinite(value->as.f64);
    case DW_VALUE_DECIMAL:
        return true;
    case DW_VALUE_STR:
        return prefix_length > 0 && dw__str_is_utf8(value->as.str) &&
               (in == SECTION_MIN || cut_maximum(value->as.str, prefix_length).keep);
    case DW_VALUE_NULL:
    case DW_VALUE_BOOL:
        return false;
    }
    dw_unreachable("every kind is listed");
}

static void
put_string(dw_strbuf *out, dw_str text, section in, int64_t prefix_length)
{
    if (in == SECTION_MIN) {
        dw__json_put_string(out, dw__str_slice(text, 0, prefix_size(text, prefix_length)));
        return;
    }
    cut_max cut = cut_maximum(text, prefix_length);
    dw__json_put_string(out, cut.prefix);
    if (cut.tie_breaker.len > 0 && !out->failed) {
        /* Behind the prefix, in front of the closing quote. */
        out->len--;
        dw__strbuf_append(out, cut.tie_breaker);
        dw__strbuf_append_char(out, '"');
    }
}

static void
put_timestamp(dw_strbuf *out, int64_t micros, const char *suffix)
{
    int64_t remainder = micros % US_PER_MS;
    int64_t cut = micros - (remainder < 0 ? remainder + US_PER_MS : remainder);
    dw__strbuf_append_char(out, '"');
    dw__timestamp_print(out, cut, 'T', 3, suffix);
    dw__strbuf_append_char(out, '"');
}

/*
 * Both zeros are equal, but not to every reader: the minimum is the lower, the maximum the upper
 * one.
 */
static void
put_real(dw_strbuf *out, double value, section in, bool single)
{
    if (value == 0) {
        value = in == SECTION_MIN ? -0.0 : 0.0;
    }
    if (single) {
        dw__json_put_float(out, (float) value);
    } else {
        dw__json_put_double(out, value);
    }
}

static void
put_integer(dw_strbuf *out, const dw_type *type, int64_t value)
{
    if (type->kind == DW_TYPE_DATE) {
        dw__strbuf_append_char(out, '"');
        dw__date_print(out, value);
        dw__strbuf_append_char(out, '"');
    } else if (type->kind == DW_TYPE_TIMESTAMP) {
        put_timestamp(out, value, "Z");
    } else if (type->kind == DW_TYPE_TIMESTAMP_NTZ) {
        put_timestamp(out, value, "");
    } else {
        dw__strbuf_append_i64(out, value);
    }
}

static void
put_bound(dw_strbuf *out, const dw_stats_entry *entry, section in, int64_t prefix_length)
{
    const dw_type *type = entry->column.type;
    const dw_value *value = in == SECTION_MIN ? &entry->stats.min : &entry->stats.max;
    dw_str text = in == SECTION_MIN ? entry->min_text : entry->max_text;
    if (!dw__str_is_null(text)) {
        dw__strbuf_append(out, text);
    } else if (value->kind == DW_VALUE_STR) {
        put_string(out, value->as.str, in, prefix_length);
    } else if (value->kind == DW_VALUE_DECIMAL) {
        dw__decimal_print(out, value->as.i128, value->scale);
    } else if (value->kind == DW_VALUE_DOUBLE) {
        put_real(out, value->as.f64, in, type->kind == DW_TYPE_FLOAT);
    } else {
        dw_assert(value->kind == DW_VALUE_I64);
        put_integer(out, type, value->as.i64);
    }
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* The structs that are open while a section is written. */
typedef struct open_path {
    const dw_str *parts;
    size_t count;
} open_path;

static size_t
common_count(const open_path *open, const dw_column_path *path)
{
    size_t count = 0;
    while (count < open->count && count + 1 < path->count &&
           dw__str_equal(open->parts[count], path->parts[count])) {
        count++;
    }
    return count;
}

/* Closes and opens structs until `path`'s leaf can be written. */
static void
move_to(dw_strbuf *out, open_path *open, const dw_column_path *path)
{
    size_t common = common_count(open, path);
    for (size_t i = open->count; i > common; i--) {
        dw__strbuf_append_char(out, '}');
    }
    for (size_t i = common; i + 1 < path->count; i++) {
        dw__json_put_key(out, path->parts[i]);
        dw__strbuf_append_char(out, '{');
    }
    *open = (open_path){path->parts, path->count - 1};
}

static bool
has_member(const dw_stats_entry *entry, section in, int64_t prefix_length)
{
    const dw_column_stats *stats = &entry->stats;
    if (in == SECTION_NULL_COUNT) {
        return stats->has_null_count;
    }
    bool has = in == SECTION_MIN ? stats->has_min : stats->has_max;
    const dw_value *value = in == SECTION_MIN ? &stats->min : &stats->max;
    if (has && !dw__str_is_null(in == SECTION_MIN ? entry->min_text : entry->max_text)) {
        return true;
    }
    return has && dw__stats_has_bounds(entry->column.type) &&
           is_writable(entry->column.type, value, in, prefix_length);
}

static void
put_section(dw_strbuf *out, dw_str name, section in, const dw_stats_entry *entries, size_t count,
            int64_t prefix_length)
{
    dw__json_put_key(out, name);
    dw__strbuf_append_char(out, '{');
    open_path open = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        const dw_stats_entry *entry = &entries[i];
        if (!has_member(entry, in, prefix_length)) {
            continue;
        }
        dw_assert(entry->column.count > 0);
        move_to(out, &open, &entry->column);
        dw__json_put_key(out, entry->column.parts[entry->column.count - 1]);
        if (in == SECTION_NULL_COUNT) {
            dw__strbuf_append_i64(out, entry->stats.null_count);
        } else {
            put_bound(out, entry, in, prefix_length);
        }
    }
    for (size_t i = 0; i <= open.count; i++) {
        dw__strbuf_append_char(out, '}');
    }
}

dw_status
dw__stats_print(dw_strbuf *out, int64_t num_records, bool tight_bounds,
                const dw_stats_entry *entries, size_t count, int64_t prefix_length, dw_error *err)
{
    dw_assert(num_records >= 0);
    dw__strbuf_append_literal(out, "{\"numRecords\":");
    dw__strbuf_append_i64(out, num_records);
    put_section(out, DW_STR("minValues"), SECTION_MIN, entries, count, prefix_length);
    put_section(out, DW_STR("maxValues"), SECTION_MAX, entries, count, prefix_length);
    put_section(out, DW_STR("nullCount"), SECTION_NULL_COUNT, entries, count, prefix_length);
    if (!tight_bounds) {
        dw__strbuf_append_literal(out, ",\"tightBounds\":false");
    }
    dw__strbuf_append_char(out, '}');
    return dw__strbuf_ok(out, "file statistics", err);
}
