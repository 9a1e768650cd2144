/*
 * Printing a column's path, and finding names that occur twice.
 */
#include "protocol/column_name.h"

/* Up to that many fields, comparing all pairs is fastest. */
#define PAIRWISE_COUNT_MAX ((size_t) 16)
/*
 * The size of the set of hashes, a power of two: eight bits a field while that fits on the stack.
 */
#define SEEN_BITS_MIN ((size_t) 256)
#define SEEN_BITS_MAX ((size_t) 1 << 18)

/*
 * Puts `part` in front of what stands at the end of `text` from `start` on; returns the new start.
 */
static size_t
prepend(char *text, size_t start, dw_str part, bool with_dot)
{
    size_t len = part.len + (with_dot ? 1 : 0);
    if (len > start) {
        memset(text, '.', start);
        return 0;
    }
    start -= len;
    if (part.len > 0) {
        memcpy(text + start, part.ptr, part.len);
    }
    if (with_dot) {
        text[start + part.len] = '.';
    }
    return start;
}

const char *
dw__column_name_print(const dw_column_name *name, char text[DW_COLUMN_NAME_SIZE])
{
    if (name == NULL) {
        return "the schema";
    }
    size_t start = DW_COLUMN_NAME_SIZE - 1;
    text[start] = '\0';
    for (const dw_column_name *at = name; at != NULL && start > 0; at = at->parent) {
        start = prepend(text, start, at->part, at != name);
    }
    return text + start;
}

/* True if one of the first `count` fields has that name. */
static bool
is_taken(const dw_field *fields, size_t count, dw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal_nocase(fields[i].name, name)) {
            return true;
        }
    }
    return false;
}

static uint64_t
hash_nocase(dw_str name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char) name.ptr[i];
        hash ^= c >= 'A' && c <= 'Z' ? c | 0x20u : c;
        hash *= 0x100000001b3u;
    }
    return hash ^ hash >> 29;
}

/* Looks back only from names whose hash was seen before. */
static size_t
find_duplicate_by_hash(const dw_field *fields, size_t count)
{
    uint64_t seen[SEEN_BITS_MAX / 64];
    size_t bits = SEEN_BITS_MIN;
    while (bits < SEEN_BITS_MAX && bits < count * 8) {
        bits *= 2;
    }
    memset(seen, 0, bits / 8);
    for (size_t i = 0; i < count; i++) {
        size_t bit = (size_t) hash_nocase(fields[i].name) & (bits - 1);
        uint64_t mask = (uint64_t) 1 << (bit % 64);
        if ((seen[bit / 64] & mask) != 0 && is_taken(fields, i, fields[i].name)) {
            return i;
        }
        seen[bit / 64] |= mask;
    }
    return SIZE_MAX;
}

size_t
dw__fields_find_duplicate(const dw_field *fields, size_t count)
{
    if (count > PAIRWISE_COUNT_MAX) {
        return find_duplicate_by_hash(fields, count);
    }
    for (size_t i = 1; i < count; i++) {
        if (is_taken(fields, i, fields[i].name)) {
            return i;
        }
    }
    return SIZE_MAX;
}
