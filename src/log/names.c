/*
 * Parsing and making the names of log files. [NAMES-1]
 */
#include "log/names.h"

#include "base/assert.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>

#define VERSION_DIGITS 20
#define PART_DIGITS 10
#define UUID_CHARS 36

/* Takes exactly `digits` digits from the front of `rest`. */
static bool
take_number(dw_str *rest, size_t digits, uint64_t max, uint64_t *out)
{
    if (rest->len < digits) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = rest->ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t) (c - '0'), &value)) {
            return false;
        }
    }
    *rest = dw__str_slice(*rest, digits, rest->len);
    *out = value;
    return value <= max;
}

static bool
take_version(dw_str *rest, int64_t *out)
{
    uint64_t value;
    if (!take_number(rest, VERSION_DIGITS, DW_VERSION_MAX, &value)) {
        return false;
    }
    *out = (int64_t) value;
    return true;
}

static bool
take_literal(dw_str *rest, dw_str literal)
{
    if (!dw__str_starts_with(*rest, literal)) {
        return false;
    }
    *rest = dw__str_slice(*rest, literal.len, rest->len);
    return true;
}

static bool
is_uuid(dw_str s)
{
    if (s.len != UUID_CHARS) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash_place ? c != '-' : !is_hex) {
            return false;
        }
    }
    return true;
}

static bool
parse_part(dw_str rest, dw_log_file *out)
{
    uint64_t part, parts;
    if (!take_number(&rest, PART_DIGITS, DW_CHECKPOINT_PARTS_MAX, &part) ||
        !take_literal(&rest, DW_STR(".")) ||
        !take_number(&rest, PART_DIGITS, DW_CHECKPOINT_PARTS_MAX, &parts) ||
        !dw__str_equal(rest, DW_STR(".parquet"))) {
        return false;
    }
    out->kind = DW_LOG_CHECKPOINT_PART;
    out->part = (uint32_t) part;
    out->part_count = (uint32_t) parts;
    return part >= 1 && part <= parts;
}

/* `rest` is what follows "<version>.checkpoint.". */
static bool
parse_checkpoint(dw_str rest, dw_log_file *out)
{
    if (dw__str_equal(rest, DW_STR("parquet"))) {
        out->kind = DW_LOG_CHECKPOINT;
        return true;
    }
    if (is_uuid(dw__str_slice(rest, 0, UUID_CHARS))) {
        dw_str suffix = dw__str_slice(rest, UUID_CHARS, rest.len);
        out->kind = DW_LOG_CHECKPOINT_UUID;
        out->is_json = dw__str_equal(suffix, DW_STR(".json"));
        return out->is_json || dw__str_equal(suffix, DW_STR(".parquet"));
    }
    return parse_part(rest, out);
}

static bool
parse_compacted(dw_str rest, dw_log_file *out)
{
    out->kind = DW_LOG_COMPACTED;
    return take_version(&rest, &out->last_version) &&
           dw__str_equal(rest, DW_STR(".compacted.json")) && out->version < out->last_version;
}

bool
dw__log_name_parse(dw_str name, dw_log_file *out)
{
    out->is_json = false;
    out->part = 0;
    out->part_count = 0;
    if (!take_version(&name, &out->version) || !take_literal(&name, DW_STR("."))) {
        return false;
    }
    out->last_version = out->version;
    if (dw__str_equal(name, DW_STR("json"))) {
        out->kind = DW_LOG_COMMIT;
        return true;
    }
    if (take_literal(&name, DW_STR("checkpoint."))) {
        return parse_checkpoint(name, out);
    }
    return parse_compacted(name, out);
}

bool
dw__checksum_name_parse(dw_str name, int64_t *version_out)
{
    return take_version(&name, version_out) && dw__str_equal(name, DW_STR(".crc"));
}

static dw_str
print_key(char *out, size_t size, int64_t version, const char *suffix)
{
    dw_assert(version >= 0);
    int len = snprintf(out, size, DW_LOG_DIR "%020" PRId64 "%s", version, suffix);
    dw_assert(len > 0 && (size_t) len < size);
    return dw__str_make(out, (size_t) len);
}

dw_str
dw__commit_key(int64_t version, char out[DW_COMMIT_KEY_SIZE])
{
    return print_key(out, DW_COMMIT_KEY_SIZE, version, ".json");
}

dw_str
dw__checkpoint_key(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE])
{
    return print_key(out, DW_CHECKPOINT_KEY_SIZE, version, ".checkpoint.parquet");
}

dw_str
dw__checksum_key(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE])
{
    return print_key(out, DW_CHECKPOINT_KEY_SIZE, version, ".crc");
}

dw_str
dw__version_prefix(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE])
{
    return print_key(out, DW_CHECKPOINT_KEY_SIZE, version, "");
}
