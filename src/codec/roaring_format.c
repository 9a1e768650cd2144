/*
 * Reading and writing the payload of deletion vectors: a magic number, then 32-bit roaring bitmaps,
 * each behind its key (portable) or its size (the older format). Numbers are little-endian.
 * [ROWSET-2]
 *
 * A 32-bit bitmap: a cookie, which tells the number of containers and whether some are runs; with
 * runs a bit for each container; key and cardinality of each; unless there are runs and fewer than
 * four containers, the offset of each, which readers of a stream do not need; then the containers.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "codec/roaring.h"
#include "codec/roaring_container.h"

#define MAGIC_PORTABLE 1681511377u
#define MAGIC_NATIVE 1681511376u
#define COOKIE_PLAIN 12346u
#define COOKIE_RUNS 12347u
#define OFFSETS_CONTAINER_MIN 4
#define BUCKET_CONTAINERS_MAX 65536u
#define BITMAP_SIZE (DW_CONTAINER_WORDS * sizeof(uint64_t))
#define RUN_SIZE ((size_t) 4)
/* The upper 32 bits of a row; the first bit is 0. */
#define BUCKET_KEY_MAX UINT32_C(0x7fffffff)

/* ---- Reading --------------------------------------------------------------------------------- */

typedef struct payload_reader {
    dw_str left;
    dw_rowset *rows;
    const char *problem; /* what is wrong; NULL: memory, if anything */
} payload_reader;

static bool
refuse(payload_reader *reader, const char *problem)
{
    reader->problem = problem;
    return false;
}

static bool
take_bytes(payload_reader *reader, size_t size, const unsigned char **out)
{
    if (reader->left.len < size) {
        return refuse(reader, "it ends early");
    }
    *out = (const unsigned char *) reader->left.ptr;
    reader->left = dw__str_slice(reader->left, size, reader->left.len);
    return true;
}

static uint32_t
load_u16(const unsigned char *bytes)
{
    return (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8;
}

static uint32_t
load_u32(const unsigned char *bytes)
{
    return load_u16(bytes) | load_u16(bytes + 2) << 16;
}

static uint64_t
load_u64(const unsigned char *bytes)
{
    return (uint64_t) load_u32(bytes) | (uint64_t) load_u32(bytes + 4) << 32;
}

static bool
take_u32(payload_reader *reader, uint32_t *out)
{
    const unsigned char *bytes;
    if (!take_bytes(reader, 4, &bytes)) {
        return false;
    }
    *out = load_u32(bytes);
    return true;
}

static bool
read_array(payload_reader *reader, dw_container *container)
{
    const unsigned char *bytes;
    uint32_t count = container->cardinality;
    if (!take_bytes(reader, count * sizeof(uint16_t), &bytes) ||
        !dw__container_alloc(reader->rows->allocator, DW_CONTAINER_ARRAY, count, container)) {
        return false;
    }
    bool ascends = true;
    for (uint32_t i = 0; i < count; i++) {
        container->as.values[i] = (uint16_t) load_u16(bytes + (size_t) i * 2);
        ascends = ascends && (i == 0 || container->as.values[i] > container->as.values[i - 1]);
    }
    container->cardinality = count;
    container->item_count = count;
    return ascends || refuse(reader, "an array does not ascend");
}

static bool
read_bitmap(payload_reader *reader, dw_container *container)
{
    const unsigned char *bytes;
    uint32_t wanted = container->cardinality;
    if (!take_bytes(reader, BITMAP_SIZE, &bytes) ||
        !dw__container_alloc(reader->rows->allocator, DW_CONTAINER_BITMAP, 0, container)) {
        return false;
    }
    uint32_t found = 0;
    for (size_t i = 0; i < DW_CONTAINER_WORDS; i++) {
        container->as.words[i] = load_u64(bytes + i * sizeof(uint64_t));
        found += (uint32_t) __builtin_popcountll(container->as.words[i]);
    }
    container->cardinality = wanted;
    return found == wanted || refuse(reader, "a bitmap has another cardinality than it says");
}

static bool
read_runs(payload_reader *reader, dw_container *container)
{
    const unsigned char *bytes;
    uint32_t wanted = container->cardinality;
    if (!take_bytes(reader, sizeof(uint16_t), &bytes)) {
        return false;
    }
    uint32_t count = load_u16(bytes);
    if (!take_bytes(reader, count * RUN_SIZE, &bytes) ||
        !dw__container_alloc(reader->rows->allocator, DW_CONTAINER_RUNS, count, container)) {
        return false;
    }
    uint32_t found = 0;
    bool ascends = true;
    for (uint32_t i = 0; i < count; i++, bytes += RUN_SIZE) {
        uint32_t first = load_u16(bytes);
        uint32_t last = first + load_u16(bytes + 2);
        ascends = ascends && last < DW_CONTAINER_ROWS &&
                  (i == 0 || first > (uint32_t) container->as.runs[i - 1].last + 1);
        container->as.runs[i] = (dw_run){(uint16_t) first, (uint16_t) last};
        found += last - first + 1;
    }
    container->cardinality = wanted;
    container->item_count = count;
    return (ascends && found == wanted) ||
           refuse(reader, "runs overlap or have another cardinality than they say");
}

/* `container` has its key and cardinality; on failure nothing of it is kept. */
static bool
read_container(payload_reader *reader, bool is_runs, const dw_container *header)
{
    dw_container container = *header;
    container.as.values = NULL;
    bool read =
        is_runs ? read_runs(reader, &container)
                : (container.cardinality > DW_CONTAINER_ARRAY_MAX ? read_bitmap(reader, &container)
                                                                  : read_array(reader, &container));
    container.key = header->key;
    if (read && dw__rowset_push(reader->rows, &container) != NULL) {
        return true;
    }
    if (container.as.values != NULL) {
        dw__container_free(reader->rows->allocator, &container);
    }
    return false;
}

/* The start of a 32-bit bitmap: how many containers, and where their descriptions are. */
typedef struct bucket_header {
    uint32_t container_count;
    const unsigned char *run_flags; /* NULL: none has runs */
    const unsigned char *descriptions;
} bucket_header;

static bool
read_bucket_header(payload_reader *reader, bucket_header *out)
{
    *out = (bucket_header){0};
    uint32_t cookie;
    if (!take_u32(reader, &cookie)) {
        return false;
    }
    if ((cookie & 0xffff) == COOKIE_RUNS) {
        out->container_count = (cookie >> 16) + 1;
        if (!take_bytes(reader, (out->container_count + 7) / 8, &out->run_flags)) {
            return false;
        }
    } else if (cookie != COOKIE_PLAIN) {
        return refuse(reader, "a bitmap does not begin with its cookie");
    } else if (!take_u32(reader, &out->container_count)) {
        return false;
    }
    if (out->container_count > BUCKET_CONTAINERS_MAX) {
        return refuse(reader, "a bitmap has more containers than fit");
    }
    if (!take_bytes(reader, (size_t) out->container_count * 4, &out->descriptions)) {
        return false;
    }
    bool has_offsets = out->run_flags == NULL || out->container_count >= OFFSETS_CONTAINER_MIN;
    const unsigned char *offsets;
    return !has_offsets || take_bytes(reader, (size_t) out->container_count * 4, &offsets);
}

/* Reads a 32-bit bitmap whose rows have these upper 32 bits. */
static bool
read_bucket(payload_reader *reader, uint32_t bucket_key)
{
    bucket_header header;
    if (!read_bucket_header(reader, &header)) {
        return false;
    }
    uint32_t key_before = 0;
    for (uint32_t i = 0; i < header.container_count; i++) {
        uint32_t key = load_u16(header.descriptions + (size_t) i * 4);
        if (i > 0 && key <= key_before) {
            return refuse(reader, "the keys of its containers do not ascend");
        }
        key_before = key;
        dw_container container = {
            .key = (uint64_t) bucket_key << 16 | key,
            .cardinality = load_u16(header.descriptions + (size_t) i * 4 + 2) + 1,
        };
        bool is_runs = header.run_flags != NULL && (header.run_flags[i / 8] >> (i % 8) & 1) != 0;
        if (!read_container(reader, is_runs, &container)) {
            return false;
        }
    }
    return true;
}

static bool
read_portable(payload_reader *reader)
{
    const unsigned char *bytes;
    if (!take_bytes(reader, sizeof(uint64_t), &bytes)) {
        return false;
    }
    uint64_t count = load_u64(bytes);
    uint32_t key_before = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t key;
        if (!take_u32(reader, &key)) {
            return false;
        }
        if (key > BUCKET_KEY_MAX || (i > 0 && key <= key_before)) {
            return refuse(reader, "the keys of its bitmaps do not ascend below 2^31");
        }
        key_before = key;
        if (!read_bucket(reader, key)) {
            return false;
        }
    }
    return true;
}

/* The n-th bitmap holds the rows whose upper 32 bits are n. */
static bool
read_native(payload_reader *reader)
{
    uint32_t count;
    if (!take_u32(reader, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        const unsigned char *bytes;
        if (!take_u32(reader, &size) || !take_bytes(reader, size, &bytes)) {
            return false;
        }
        if (i > BUCKET_KEY_MAX) {
            return refuse(reader, "it has more bitmaps than there are keys");
        }
        dw_str rest = reader->left;
        reader->left = dw__str_make((const char *) bytes, size);
        if (!read_bucket(reader, i)) {
            return false;
        }
        reader->left = rest;
    }
    return true;
}

dw_status
dw__rowset_parse(const dw_allocator *allocator, dw_str payload, dw_rowset **out, dw_error *err)
{
    *out = NULL;
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    DW_TRY(dw__rowset_new(allocator, &rows, err));
    payload_reader reader = {.left = payload, .rows = rows};
    uint32_t magic;
    bool read = take_u32(&reader, &magic);
    if (read && magic != MAGIC_PORTABLE && magic != MAGIC_NATIVE) {
        read = refuse(&reader, "it does not begin with a magic number that is known");
    }
    read = read && (magic == MAGIC_PORTABLE ? read_portable(&reader) : read_native(&reader));
    if (!read) {
        return reader.problem == NULL
                   ? dw__error_oom(err)
                   : dw__error_set(err, DW_CORRUPT, "DV_INVALID",
                                   "the deletion vector is damaged: %s", reader.problem);
    }
    *out = rows;
    rows = NULL;
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct payload_writer {
    unsigned char *at;
} payload_writer;

static void
put_u16(payload_writer *writer, uint32_t value)
{
    *writer->at++ = (unsigned char) (value & 0xff);
    *writer->at++ = (unsigned char) (value >> 8 & 0xff);
}

static void
put_u32(payload_writer *writer, uint32_t value)
{
    put_u16(writer, value & 0xffff);
    put_u16(writer, value >> 16);
}

/* The form in which a container is smallest, and its size. */
static bool
is_smallest_as_runs(const dw_container *container, size_t *size_out)
{
    size_t runs_size = sizeof(uint16_t) + dw__container_run_count(container) * RUN_SIZE;
    size_t plain_size = container->cardinality > DW_CONTAINER_ARRAY_MAX
                            ? BITMAP_SIZE
                            : container->cardinality * sizeof(uint16_t);
    *size_out = runs_size < plain_size ? runs_size : plain_size;
    return runs_size < plain_size;
}

/* The containers [first, end) that share their upper 32 bits. */
typedef struct bucket {
    const dw_container *first;
    size_t count;
    bool has_runs;
    size_t container_bytes;
} bucket;

static bucket
next_bucket(const dw_rowset *rows, size_t start)
{
    bucket b = {.first = &rows->items[start]};
    while (start + b.count < rows->count && b.first[b.count].key >> 16 == b.first->key >> 16) {
        size_t size;
        b.has_runs |= is_smallest_as_runs(&b.first[b.count], &size);
        b.container_bytes += size;
        b.count++;
    }
    return b;
}

static bool
has_offsets(const bucket *b)
{
    return !b->has_runs || b->count >= OFFSETS_CONTAINER_MIN;
}

/* What stands in front of the containers. */
static size_t
bucket_head_size(const bucket *b)
{
    size_t cookie = b->has_runs ? 4 + (b->count + 7) / 8 : 8;
    return cookie + b->count * 4 + (has_offsets(b) ? b->count * 4 : 0);
}

static void
put_runs(payload_writer *writer, const dw_container *container)
{
    put_u16(writer, dw__container_run_count(container));
    uint16_t low;
    uint32_t at = 0;
    while (dw__container_next(container, at, &low)) {
        uint32_t last = low;
        while (last + 1 < DW_CONTAINER_ROWS &&
               dw__container_contains(container, (uint16_t) (last + 1))) {
            last++;
        }
        put_u16(writer, low);
        put_u16(writer, last - low);
        at = last + 1;
    }
}

static void
put_container(payload_writer *writer, const dw_container *container)
{
    size_t size;
    if (is_smallest_as_runs(container, &size)) {
        put_runs(writer, container);
        return;
    }
    unsigned char *end = writer->at + size;
    bool as_bitmap = container->cardinality > DW_CONTAINER_ARRAY_MAX;
    if (as_bitmap) {
        memset(writer->at, 0, size);
    }
    uint16_t low;
    for (uint32_t at = 0; dw__container_next(container, at, &low); at = (uint32_t) low + 1) {
        if (as_bitmap) {
            writer->at[low / 8] |= (unsigned char) (1u << (low % 8));
        } else {
            put_u16(writer, low);
        }
    }
    dw_assert(as_bitmap || writer->at == end);
    writer->at = end;
}

static void
put_run_flags(payload_writer *writer, const bucket *b)
{
    size_t size = (b->count + 7) / 8;
    memset(writer->at, 0, size);
    for (size_t i = 0; i < b->count; i++) {
        size_t ignored;
        bool is_runs = is_smallest_as_runs(&b->first[i], &ignored);
        writer->at[i / 8] |= (unsigned char) ((is_runs ? 1u : 0u) << (i % 8));
    }
    writer->at += size;
}

static void
put_bucket(payload_writer *writer, const bucket *b)
{
    dw_assert(b->count > 0 && b->count <= BUCKET_CONTAINERS_MAX);
    put_u32(writer, (uint32_t) (b->first->key >> 16));
    if (b->has_runs) {
        put_u32(writer, COOKIE_RUNS | (uint32_t) (b->count - 1) << 16);
        put_run_flags(writer, b);
    } else {
        put_u32(writer, COOKIE_PLAIN);
        put_u32(writer, (uint32_t) b->count);
    }
    for (size_t i = 0; i < b->count; i++) {
        put_u16(writer, (uint32_t) (b->first[i].key & 0xffff));
        put_u16(writer, b->first[i].cardinality - 1);
    }
    size_t offset = bucket_head_size(b);
    for (size_t i = 0; i < b->count && has_offsets(b); i++) {
        size_t size;
        put_u32(writer, (uint32_t) offset);
        (void) is_smallest_as_runs(&b->first[i], &size);
        offset += size;
    }
    for (size_t i = 0; i < b->count; i++) {
        put_container(writer, &b->first[i]);
    }
}

dw_status
dw__rowset_serialize(const dw_rowset *rows, dw_arena *arena, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    size_t size = sizeof(uint32_t) + sizeof(uint64_t);
    uint32_t bucket_count = 0;
    for (size_t at = 0; at < rows->count; bucket_count++) {
        bucket b = next_bucket(rows, at);
        size += sizeof(uint32_t) + bucket_head_size(&b) + b.container_bytes;
        at += b.count;
    }
    char *bytes = dw__arena_alloc_bytes(arena, size);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    payload_writer writer = {(unsigned char *) bytes};
    put_u32(&writer, MAGIC_PORTABLE);
    put_u32(&writer, bucket_count);
    put_u32(&writer, 0);
    for (size_t at = 0; at < rows->count;) {
        bucket b = next_bucket(rows, at);
        put_bucket(&writer, &b);
        at += b.count;
    }
    dw_assert((char *) writer.at == bytes + size);
    *out = dw__str_make(bytes, size);
    return DW_OK;
}
