/*
 * Sets of row positions over CRoaring. PROTOCOL.md "Deletion Vector Format": a magic number, then
 * the 64-bit portable format. CRoaring has one allocator a process, the C library's; what it takes
 * is bounded by the payload, whose size the caller limits.
 *
 *  [ROARING-1] Nothing that was read is used before CRoaring's own validation accepted it.
 */
#include "codec/roaring.h"

#include "base/assert.h"

#include <roaring.h>

#define MAGIC_PORTABLE 1681511377u
#define MAGIC_NATIVE 1681511376u
#define MAGIC_SIZE sizeof(uint32_t)
/* Positions above it cannot be rows of a file. */
#define ROW_MAX ((uint64_t) INT64_MAX)

struct dw_rowset {
    const dw_allocator *allocator;
    roaring64_bitmap_t *bitmap;
};

dw_status
dw__rowset_new(const dw_allocator *allocator, dw_rowset **out, dw_error *err)
{
    *out = NULL;
    dw_rowset *rows = DW_NEW(allocator, dw_rowset);
    if (rows == NULL) {
        return dw__error_oom(err);
    }
    rows->allocator = allocator;
    rows->bitmap = roaring64_bitmap_create();
    if (rows->bitmap == NULL) {
        dw__rowset_free(rows);
        return dw__error_oom(err);
    }
    *out = rows;
    return DW_OK;
}

void
dw__rowset_free(dw_rowset *rows)
{
    if (rows == NULL) {
        return;
    }
    roaring64_bitmap_free(rows->bitmap);
    DW_DELETE(rows->allocator, rows);
}

dw_status
dw__rowset_add(dw_rowset *rows, uint64_t row, dw_error *err)
{
    if (row > ROW_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ROW_OUT_OF_RANGE",
                             "row positions go up to 2^63 - 1");
    }
    roaring64_bitmap_add(rows->bitmap, row);
    return DW_OK;
}

bool
dw__rowset_contains(const dw_rowset *rows, uint64_t row)
{
    return roaring64_bitmap_contains(rows->bitmap, row);
}

uint64_t
dw__rowset_cardinality(const dw_rowset *rows)
{
    return roaring64_bitmap_get_cardinality(rows->bitmap);
}

/* Positions of a chunk usually follow each other: then the set is walked beside them. */
static bool
is_ascending(const int64_t *positions, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (positions[i] <= positions[i - 1]) {
            return false;
        }
    }
    return true;
}

static size_t
mask_ascending(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep)
{
    roaring64_iterator_t *it = roaring64_iterator_create(rows->bitmap);
    size_t hits = 0;
    bool has_more =
        it != NULL && roaring64_iterator_move_equalorlarger(it, (uint64_t) positions[0]);
    for (size_t i = 0; i < count && has_more; i++) {
        uint64_t row = (uint64_t) positions[i];
        uint64_t value = roaring64_iterator_value(it);
        if (value < row) {
            has_more = roaring64_iterator_move_equalorlarger(it, row);
            value = has_more ? roaring64_iterator_value(it) : 0;
        }
        if (has_more && value == row) {
            keep[i] = false;
            hits++;
        }
    }
    roaring64_iterator_free(it);
    return hits;
}

size_t
dw__rowset_mask(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep)
{
    if (count == 0) {
        return 0;
    }
    if (is_ascending(positions, count) && positions[0] >= 0) {
        return mask_ascending(rows, positions, count, keep);
    }
    size_t hits = 0;
    for (size_t i = 0; i < count; i++) {
        if (positions[i] >= 0 && dw__rowset_contains(rows, (uint64_t) positions[i])) {
            keep[i] = false;
            hits++;
        }
    }
    return hits;
}

/* ---- The format ------------------------------------------------------------------------------ */

static uint32_t
read_u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *) bytes;
    return (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static dw_status
invalid(const char *what, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "DV_INVALID", "the deletion vector is damaged: %s", what);
}

static roaring64_bitmap_t *
read_portable(dw_str body)
{
    roaring64_bitmap_t *bitmap = roaring64_bitmap_portable_deserialize_safe(body.ptr, body.len);
    const char *reason = NULL;
    if (bitmap != NULL && !roaring64_bitmap_internal_validate(bitmap, &reason)) {
        roaring64_bitmap_free(bitmap);
        return NULL;
    }
    return bitmap;
}

/* Adds the values of one 32-bit bitmap under its high word. */
static bool
add_native(roaring64_bitmap_t *to, uint32_t high, const char *bytes, size_t size)
{
    roaring_bitmap_t *part = roaring_bitmap_portable_deserialize_safe(bytes, size);
    const char *reason = NULL;
    if (part == NULL || !roaring_bitmap_internal_validate(part, &reason)) {
        roaring_bitmap_free(part);
        return false;
    }
    roaring_uint32_iterator_t it;
    roaring_iterator_init(part, &it);
    while (it.has_value) {
        roaring64_bitmap_add(to, (uint64_t) high << 32 | it.current_value);
        roaring_uint32_iterator_advance(&it);
    }
    roaring_bitmap_free(part);
    return true;
}

/* The older format: the number of 32-bit bitmaps, then each behind its size; the n-th holds the
 * values whose high word is n. */
static roaring64_bitmap_t *
read_native(dw_str body)
{
    roaring64_bitmap_t *bitmap = roaring64_bitmap_create();
    uint32_t count = body.len < sizeof(uint32_t) ? 0 : read_u32(body.ptr);
    size_t at = sizeof(uint32_t);
    bool ok = bitmap != NULL && body.len >= sizeof(uint32_t);
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = body.len - at >= sizeof(uint32_t);
        size_t size = ok ? read_u32(body.ptr + at) : 0;
        at += sizeof(uint32_t);
        ok = ok && size <= body.len - at && add_native(bitmap, i, body.ptr + at, size);
        at += ok ? size : 0;
    }
    if (!ok && bitmap != NULL) {
        roaring64_bitmap_free(bitmap);
        return NULL;
    }
    return bitmap;
}

dw_status
dw__rowset_parse(const dw_allocator *allocator, dw_str payload, dw_rowset **out, dw_error *err)
{
    *out = NULL;
    if (payload.len < MAGIC_SIZE) {
        return invalid("it is too short", err);
    }
    uint32_t magic = read_u32(payload.ptr);
    if (magic != MAGIC_PORTABLE && magic != MAGIC_NATIVE) {
        return dw__error_set(err, DW_CORRUPT, "DV_INVALID",
                             "the deletion vector is damaged: expected the magic number %u, found "
                             "%u",
                             MAGIC_PORTABLE, magic);
    }
    dw_str body = dw__str_slice(payload, MAGIC_SIZE, payload.len);
    roaring64_bitmap_t *bitmap = magic == MAGIC_PORTABLE ? read_portable(body) : read_native(body);
    if (bitmap == NULL) {
        return invalid("its bitmap does not validate", err);
    }
    dw_rowset *rows = DW_NEW(allocator, dw_rowset);
    if (rows == NULL) {
        roaring64_bitmap_free(bitmap);
        return dw__error_oom(err);
    }
    *rows = (dw_rowset){.allocator = allocator, .bitmap = bitmap};
    bool fits = roaring64_bitmap_is_empty(bitmap) || roaring64_bitmap_maximum(bitmap) <= ROW_MAX;
    if (!fits) {
        dw__rowset_free(rows);
        return invalid("it names a row beyond 2^63 - 1", err);
    }
    *out = rows;
    return DW_OK;
}

dw_status
dw__rowset_serialize(const dw_rowset *rows, dw_arena *arena, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    size_t size = roaring64_bitmap_portable_size_in_bytes(rows->bitmap);
    char *bytes = dw__arena_alloc_bytes(arena, MAGIC_SIZE + size);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < MAGIC_SIZE; i++) {
        bytes[i] = (char) (MAGIC_PORTABLE >> (8 * i) & 0xff);
    }
    size_t written = roaring64_bitmap_portable_serialize(rows->bitmap, bytes + MAGIC_SIZE);
    dw_assert(written == size);
    *out = dw__str_make(bytes, MAGIC_SIZE + size);
    return DW_OK;
}
