/*
 * See plain_copy.h. Row group by row group, column by column, in the order of the footer; then the
 * footer, with the places of the copy.
 */
#include "parquet/plain_copy.h"

#include "base/assert.h"
#include "parquet/footer.h"
#include "parquet/lz4.h"
#include "parquet/page.h"
#include "parquet/thrift_write.h"
#include "parquet/twin.h"

/* Heads of pages are small, unless they have long bounds of texts. */
#define HEAD_BYTES ((size_t) 64 << 10)
#define HEAD_BYTES_MAX ((size_t) 8 << 20)
#define COPIED_BYTES ((size_t) 1 << 20)
/* What a page may say it holds. */
#define PAGE_BYTES_MAX ((int64_t) 1 << 30)

/* Where a column stands in the copy. */
typedef struct new_chunk {
    int64_t offset, data_offset, size_bytes;
} new_chunk;

typedef struct copier {
    const dw_pq_source *source;
    const dw_pq_sink *sink;
    dw_pq_footer footer;
    new_chunk *chunks; /* of all row groups */
    size_t chunk_count;
    const dw_pq_names *names;
    dw_pq_twin *twins;
    size_t twin_count;
    uint64_t written;
    dw_arena arena;
    dw_strbuf in, head;
    dw_pq_buffer page;
    dw_error *err;
} copier;

static dw_status
damaged(const copier *c, const char *what)
{
    return dw__error_set(c->err, DW_CORRUPT, "FILE_INVALID",
                         "expected a whole %s in %.*s, found a damaged one", what,
                         DW_STR_ARG(c->source->key));
}

static dw_status
put(copier *c, dw_str bytes)
{
    c->written += bytes.len;
    if (c->written > DW_PQ_COPY_BYTES_MAX) {
        return dw__error_set(c->err, DW_CORRUPT, "FILE_INVALID",
                             "%.*s says that it holds more than %llu bytes",
                             DW_STR_ARG(c->source->key), (unsigned long long) DW_PQ_COPY_BYTES_MAX);
    }
    return c->sink->put(c->sink->ctx, bytes, c->err);
}

static dw_status
read(copier *c, int64_t offset, size_t len)
{
    return dw__pq_source_read(c->source, (uint64_t) offset, len, &c->in, c->err);
}

/* ---- Heads of pages -------------------------------------------------------------------------- */

enum {
    HEAD_TYPE = 1,
    HEAD_PLAIN_SIZE = 2,
    HEAD_SIZE = 3,
    HEAD_CRC = 4,
    HEAD_DATA_2 = 8,
    DATA_2_DEFS_SIZE = 5,
    DATA_2_REPS_SIZE = 6,
    DATA_2_IS_COMPRESSED = 7,
    DICTIONARY_PAGE = 2
};

typedef struct page_head {
    size_t len; /* of the head itself */
    int64_t type;
    int64_t plain_size, size;
    int64_t levels_size; /* which stand before what is compressed */
    bool is_compressed;
} page_head;

static void
rewrite_second_version(dw_thrift *thrift, dw_strbuf *out, page_head *head)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == DATA_2_IS_COMPRESSED) {
            head->is_compressed = dw__thrift_bool(thrift, &field);
            dw__thrift_put_field(&writer, DATA_2_IS_COMPRESSED, DW_THRIFT_FALSE);
        } else if (field.id == DATA_2_DEFS_SIZE || field.id == DATA_2_REPS_SIZE) {
            int64_t size = dw__thrift_int(thrift, &field);
            bool is_sound = size >= 0 && size <= PAGE_BYTES_MAX;
            head->levels_size += is_sound ? size : PAGE_BYTES_MAX + 1;
            dw__thrift_put_int(&writer, field.id, DW_THRIFT_I32, size);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    /* Where nothing is said, the page is compressed. */
    if (writer.id < DATA_2_IS_COMPRESSED) {
        dw__thrift_put_field(&writer, DATA_2_IS_COMPRESSED, DW_THRIFT_FALSE);
    }
    dw__thrift_put_end(&writer);
}

/* Writes the head of the page without compression; false when it is odd or goes on behind `in`. */
static bool
rewrite_head(dw_str in, dw_strbuf *out, page_head *head)
{
    dw_thrift thrift = dw__thrift_make(in);
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    *head = (page_head){.type = -1, .plain_size = -1, .size = -1, .is_compressed = true};
    dw__strbuf_clear(out);
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == HEAD_SIZE) {
            head->size = dw__thrift_int(&thrift, &field);
            dw__thrift_put_int(&writer, HEAD_SIZE, DW_THRIFT_I32, head->plain_size);
        } else if (field.id == HEAD_TYPE || field.id == HEAD_PLAIN_SIZE) {
            int64_t value = dw__thrift_int(&thrift, &field);
            *(field.id == HEAD_TYPE ? &head->type : &head->plain_size) = value;
            dw__thrift_put_int(&writer, field.id, DW_THRIFT_I32, value);
        } else if (field.id == HEAD_CRC) {
            dw__thrift_skip(&thrift, &field);
        } else if (field.id == HEAD_DATA_2 && field.type == DW_THRIFT_STRUCT) {
            dw__thrift_put_field(&writer, HEAD_DATA_2, DW_THRIFT_STRUCT);
            rewrite_second_version(&thrift, out, head);
        } else {
            dw__thrift_copy(&writer, &thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
    head->len = (size_t) (thrift.at - in.ptr);
    return !thrift.failed && head->size >= 0 && head->size <= PAGE_BYTES_MAX &&
           head->plain_size >= 0 && head->plain_size <= PAGE_BYTES_MAX;
}

/* Reads the head at `offset`, with at most `left` bytes of its column. */
static dw_status
read_head(copier *c, int64_t offset, int64_t left, page_head *out)
{
    for (size_t room = HEAD_BYTES; room <= HEAD_BYTES_MAX; room *= 2) {
        size_t len = left < (int64_t) room ? (size_t) left : room;
        DW_TRY(read(c, offset, len));
        if (rewrite_head(dw__strbuf_str(&c->in), &c->head, out)) {
            return dw__strbuf_ok(&c->head, "the head of a page", c->err);
        }
        if (len < room) {
            break;
        }
    }
    return damaged(c, "page");
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* Writes the page of `bytes`, which c->head heads. */
static dw_status
put_page(copier *c, const page_head *head, dw_str bytes)
{
    int64_t levels = head->levels_size;
    if (levels > head->size || levels > head->plain_size) {
        return damaged(c, "page");
    }
    dw_str packed = dw__str_slice(bytes, (size_t) levels, bytes.len);
    size_t plain_size = (size_t) (head->plain_size - levels);
    DW_TRY(put(c, dw__strbuf_str(&c->head)));
    DW_TRY(put(c, dw__str_slice(bytes, 0, (size_t) levels)));
    if (!head->is_compressed || plain_size == 0) {
        return packed.len == plain_size || plain_size == 0
                   ? put(c, dw__str_slice(packed, 0, plain_size))
                   : damaged(c, "page");
    }
    if (plain_size / DW_LZ4_RATIO_MAX > packed.len) {
        return damaged(c, "page");
    }
    if (!dw__pq_buffer_reserve(&c->page, plain_size)) {
        return dw__error_oom(c->err);
    }
    if (!dw__lz4_decode(packed, c->page.ptr, plain_size)) {
        return damaged(c, "page");
    }
    return put(c, dw__str_make(c->page.ptr, plain_size));
}

static dw_status
copy_pages(copier *c, const dw_pq_chunk *chunk, new_chunk *out)
{
    int64_t at = chunk->offset, end = chunk->offset + chunk->size_bytes;
    while (at < end) {
        page_head head;
        DW_TRY(read_head(c, at, end - at, &head));
        if (head.size > end - at - (int64_t) head.len) {
            return damaged(c, "page");
        }
        if (head.type != DICTIONARY_PAGE && out->data_offset < 0) {
            out->data_offset = (int64_t) c->written;
        }
        size_t size = (size_t) head.size;
        bool is_read = head.len + size <= c->in.len;
        if (!is_read) {
            DW_TRY(read(c, at + (int64_t) head.len, size));
        }
        dw_str bytes = dw__str_make(c->in.ptr + (is_read ? head.len : 0), size);
        DW_TRY(put_page(c, &head, size == 0 ? DW_STR("") : bytes));
        at += (int64_t) head.len + head.size;
    }
    return DW_OK;
}

/* Another codec, which the engine knows. */
static dw_status
copy_bytes(copier *c, const dw_pq_chunk *chunk)
{
    for (int64_t done = 0; done < chunk->size_bytes;) {
        int64_t left = chunk->size_bytes - done;
        size_t len = left < (int64_t) COPIED_BYTES ? (size_t) left : COPIED_BYTES;
        DW_TRY(read(c, chunk->offset + done, len));
        DW_TRY(put(c, dw__strbuf_str(&c->in)));
        done += (int64_t) len;
    }
    return DW_OK;
}

static dw_status
copy_chunk(copier *c, const dw_pq_chunk *chunk)
{
    new_chunk *out = &c->chunks[c->chunk_count++];
    int64_t size = c->source->size_bytes;
    if (chunk->offset > size || chunk->size_bytes > size - chunk->offset) {
        return damaged(c, "column");
    }
    *out = (new_chunk){.offset = (int64_t) c->written, .data_offset = -1};
    DW_TRY(chunk->codec == DW_PQ_LZ4 ? copy_pages(c, chunk, out) : copy_bytes(c, chunk));
    out->size_bytes = (int64_t) c->written - out->offset;
    return DW_OK;
}

static dw_status
copy_chunks(copier *c)
{
    const dw_pq_footer *footer = &c->footer;
    c->chunks =
        DW_ARENA_ARRAY(&c->arena, new_chunk, footer->row_group_count * footer->leaf_count + 1);
    if (c->chunks == NULL) {
        return dw__error_oom(c->err);
    }
    for (size_t i = 0; i < footer->row_group_count; i++) {
        for (size_t k = 0; k < footer->leaf_count; k++) {
            DW_TRY(copy_chunk(c, &footer->row_groups[i].chunks[k]));
        }
    }
    return DW_OK;
}

/* ---- The footer ------------------------------------------------------------------------------ */

enum { FILE_SCHEMA = 2, FILE_ROW_GROUPS = 4 };
enum { ELEMENT_NAME = 4, ELEMENT_CHILDREN = 5, ELEMENT_ID = 9, ELEMENT_LOGICAL_TYPE = 10 };
enum { GROUP_COLUMNS = 1, GROUP_OFFSET = 5, GROUP_SIZE = 6 };
enum { CHUNK_OFFSET = 2, CHUNK_METADATA = 3, CHUNK_INDEXES_FIRST = 4, CHUNK_INDEXES_LAST = 7 };
enum {
    COLUMN_PATH = 3,
    COLUMN_CODEC = 4,
    COLUMN_SIZE = 7,
    COLUMN_DATA = 9,
    COLUMN_INDEX = 10,
    COLUMN_DICTIONARY = 11,
    COLUMN_BLOOM_FILTER = 14,
    COLUMN_BLOOM_FILTER_SIZE = 15
};

/* A chunk and what it becomes. `twin`: it is that of a twin; NULL: of a column of the file. */
typedef struct chunk_change {
    const copier *c;
    size_t leaf_idx;
    const dw_pq_chunk *old;
    const new_chunk *chunk;
    const dw_pq_twin *twin;
} chunk_change;

static void
put_path(const chunk_change *change, dw_strbuf *out)
{
    if (change->twin != NULL) {
        dw__pq_twin_put_path(change->twin, out);
    } else {
        dw__pq_names_put_path(&change->c->footer, change->leaf_idx, out);
    }
}

static void
put_column_metadata(dw_thrift *thrift, const chunk_change *change, dw_strbuf *out)
{
    const dw_pq_chunk *old = change->old;
    const new_chunk *chunk = change->chunk;
    bool is_packed = old->codec == DW_PQ_LZ4;
    int64_t moved = chunk->offset - old->offset; /* of columns that are copied as they are */
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == COLUMN_PATH && (change->twin != NULL || change->c->names != NULL)) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_field(&writer, COLUMN_PATH, DW_THRIFT_LIST);
            put_path(change, out);
        } else if (field.id == COLUMN_CODEC && is_packed) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_int(&writer, COLUMN_CODEC, DW_THRIFT_I32, DW_PQ_UNCOMPRESSED);
        } else if (field.id == COLUMN_SIZE) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_int(&writer, COLUMN_SIZE, DW_THRIFT_I64, chunk->size_bytes);
        } else if (field.id == COLUMN_DATA) {
            int64_t data = dw__thrift_int(thrift, &field) + moved;
            data = is_packed && chunk->data_offset >= 0 ? chunk->data_offset : data;
            dw__thrift_put_int(&writer, COLUMN_DATA, DW_THRIFT_I64, data);
        } else if (field.id == COLUMN_DICTIONARY) {
            int64_t dictionary = dw__thrift_int(thrift, &field);
            if (dictionary == old->offset) { /* some writers say 0 where there is none */
                dw__thrift_put_int(&writer, COLUMN_DICTIONARY, DW_THRIFT_I64, chunk->offset);
            }
        } else if (field.id == COLUMN_INDEX || field.id == COLUMN_BLOOM_FILTER ||
                   field.id == COLUMN_BLOOM_FILTER_SIZE) {
            dw__thrift_skip(thrift, &field);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

static void
put_chunk(dw_thrift *thrift, const chunk_change *change, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == CHUNK_OFFSET) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_int(&writer, CHUNK_OFFSET, DW_THRIFT_I64, change->chunk->offset);
        } else if (field.id == CHUNK_METADATA && field.type == DW_THRIFT_STRUCT) {
            dw__thrift_put_field(&writer, CHUNK_METADATA, DW_THRIFT_STRUCT);
            put_column_metadata(thrift, change, out);
        } else if (field.id >= CHUNK_INDEXES_FIRST && field.id <= CHUNK_INDEXES_LAST) {
            dw__thrift_skip(thrift, &field);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

/* The chunks of all columns, and of those that are named a second time. */
static void
put_chunks(const copier *c, size_t group_idx, size_t count, dw_thrift *thrift, dw_strbuf *out)
{
    const dw_pq_chunk *old = c->footer.row_groups[group_idx].chunks;
    const new_chunk *chunks = &c->chunks[group_idx * count];
    dw_thrift first = *thrift;
    dw__thrift_put_list(out, DW_THRIFT_STRUCT, count + c->twin_count);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        put_chunk(thrift, &(chunk_change){c, i, &old[i], &chunks[i], NULL}, out);
    }
    for (size_t t = 0; t < c->twin_count; t++) {
        static const dw_thrift_field element = {0, DW_THRIFT_STRUCT};
        size_t leaf_idx = c->twins[t].value->leaf_idx;
        dw_thrift again = first;
        for (size_t i = 0; i < leaf_idx; i++) {
            dw__thrift_skip(&again, &element);
        }
        const chunk_change change = {c, leaf_idx, &old[leaf_idx], &chunks[leaf_idx], &c->twins[t]};
        put_chunk(&again, &change, out);
    }
}

static void
put_row_group(const copier *c, size_t idx, dw_thrift *thrift, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == GROUP_OFFSET || field.id == GROUP_SIZE) {
            dw__thrift_skip(thrift, &field);
            continue;
        }
        if (field.id != GROUP_COLUMNS) {
            dw__thrift_copy(&writer, thrift, &field);
            continue;
        }
        size_t count = dw__thrift_list(thrift, &field, DW_THRIFT_STRUCT);
        dw_assert(thrift->failed || count == c->footer.leaf_count); /* the parser has counted */
        dw__thrift_put_field(&writer, GROUP_COLUMNS, DW_THRIFT_LIST);
        put_chunks(c, idx, thrift->failed ? 0 : count, thrift, out);
    }
    dw__thrift_put_end(&writer);
}

/* A variant that has both parts in every row, and no others: what is shredded has more. */
static bool
is_whole_variant(const dw_pq_footer *footer, const dw_pq_node *node)
{
    if (node->meaning != DW_PQ_VARIANT || node->type != DW_PQ_GROUP || node->child_count != 2) {
        return false;
    }
    static const dw_str names[] = {{"metadata", 8}, {"value", 5}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const dw_pq_node *part = dw__pq_child(footer, node, names[i]);
        if (part == NULL || part->type != DW_PQ_BYTE_ARRAY || part->is_optional ||
            part->is_repeated) {
            return false;
        }
    }
    return true;
}

static void
put_node(const copier *c, const dw_pq_node *node, dw_thrift *thrift, dw_strbuf *out)
{
    bool is_unmarked = is_whole_variant(&c->footer, node);
    bool is_root = node == c->footer.nodes;
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (is_unmarked && field.id == ELEMENT_LOGICAL_TYPE) {
            dw__thrift_skip(thrift, &field);
        } else if (!is_root && field.id == ELEMENT_NAME) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_bytes(&writer, ELEMENT_NAME, node->name);
        } else if (is_root && field.id == ELEMENT_CHILDREN) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_int(&writer, ELEMENT_CHILDREN, DW_THRIFT_I32,
                               (int64_t) (node->child_count + c->twin_count));
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    if (node->is_unnumbered) { /* no column of a table has a number below 0 */
        dw__thrift_put_int(&writer, ELEMENT_ID, DW_THRIFT_I32,
                           -1 - (int64_t) (node - c->footer.nodes));
    }
    dw__thrift_put_end(&writer);
}

/* A part of the footer that is copied with changes: one of the schema, or a group of rows. */
static void
put_part(const copier *c, int64_t list, size_t idx, dw_thrift *thrift, dw_strbuf *out)
{
    if (list == FILE_SCHEMA) {
        dw_assert(idx < c->footer.node_count); /* the parser has counted */
        put_node(c, &c->footer.nodes[idx], thrift, out);
    } else {
        put_row_group(c, idx, thrift, out);
    }
}

/* Of twins, in the schema. */
static size_t
count_elements(const copier *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->twin_count; i++) {
        count += c->twins[i].depth + 1;
    }
    return count;
}

static dw_status
put_footer(copier *c, dw_str footer)
{
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(c->arena.allocator, DW_PQ_FOOTER_BYTES_MAX);
    dw_thrift thrift = dw__thrift_make(footer);
    dw_thrift_writer writer = dw__thrift_writer_make(&out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id != FILE_SCHEMA && field.id != FILE_ROW_GROUPS) {
            dw__thrift_copy(&writer, &thrift, &field);
            continue;
        }
        size_t count = dw__thrift_list(&thrift, &field, DW_THRIFT_STRUCT);
        dw__thrift_put_field(&writer, field.id, DW_THRIFT_LIST);
        size_t added = field.id == FILE_SCHEMA ? count_elements(c) : 0;
        dw__thrift_put_list(&out, DW_THRIFT_STRUCT, count + added);
        for (size_t i = 0; i < count && !thrift.failed; i++) {
            put_part(c, field.id, i, &thrift, &out);
        }
        for (size_t i = 0; added > 0 && i < c->twin_count; i++) {
            dw__pq_twin_put_elements(&c->twins[i], &out);
        }
    }
    dw__thrift_put_end(&writer);
    dw__pq_footer_end(&out);
    DW_TRY(dw__strbuf_ok(&out, "the footer of a Parquet file", c->err));
    return put(c, dw__strbuf_str(&out));
}

/* ---- The copy -------------------------------------------------------------------------------- */

static dw_status
find_twins(copier *c)
{
    dw_pq_twin twin;
    size_t count = 0;
    for (size_t i = 0; i < c->footer.node_count; i++) {
        count += dw__pq_twin_find(&c->footer, &c->footer.nodes[i], &twin) ? 1 : 0;
    }
    c->twins = DW_ARENA_ARRAY(&c->arena, dw_pq_twin, count + 1);
    if (c->twins == NULL) {
        return dw__error_oom(c->err);
    }
    for (size_t i = 0; c->twin_count < count && i < c->footer.node_count; i++) {
        if (dw__pq_twin_find(&c->footer, &c->footer.nodes[i], &twin)) {
            c->twins[c->twin_count++] = twin;
        }
    }
    return DW_OK;
}

static dw_status
copy(copier *c)
{
    dw_str footer;
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(c->arena.allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_TRY(dw__pq_source_footer(c->source, &bytes, &footer, c->err));
    DW_TRY(dw__pq_footer_parse(footer, &c->arena, &c->footer, c->err));
    bool has_changed;
    if (!dw__pq_names_give(c->names, &c->footer, &c->arena, &has_changed)) {
        return dw__error_oom(c->err);
    }
    DW_TRY(find_twins(c));
    DW_TRY(put(c, DW_STR(DW_PQ_MAGIC)));
    DW_TRY(copy_chunks(c));
    return put_footer(c, footer);
}

dw_status
dw__pq_plain_copy(const dw_pq_source *source, const dw_pq_names *names, const dw_pq_sink *sink,
                  dw_error *err)
{
    const dw_allocator *allocator = source->storage->env->allocator;
    copier c = {.source = source,
                .names = names,
                .sink = sink,
                .in = dw__strbuf_make(allocator, (size_t) PAGE_BYTES_MAX),
                .head = dw__strbuf_make(allocator, HEAD_BYTES_MAX + HEAD_BYTES),
                .page = {.allocator = allocator},
                .err = err};
    dw__arena_init(&c.arena, allocator);
    dw_status status = copy(&c);
    dw__pq_buffer_deinit(&c.page);
    dw__strbuf_deinit(&c.head);
    dw__strbuf_deinit(&c.in);
    dw__arena_deinit(&c.arena);
    return status;
}

/* ---- Whether there must be one --------------------------------------------------------------- */

/* "part-<uuid>-...": a name that we give; Spark's have a number in front of the UUID. */
bool
dw__pq_is_own_name(dw_str name)
{
    static const char shape[] = "part-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx-";
    if (name.len < sizeof(shape) - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        char c = name.ptr[i];
        bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (shape[i] == 'x' ? !is_digit : c != shape[i]) {
            return false;
        }
    }
    return true;
}

bool
dw__pq_may_need_copy(dw_str name)
{
    static const char *const codecs[] = {".snappy.", ".zstd.",   ".gz.",     ".gzip.",
                                         ".br.",     ".brotli.", ".lz4raw.", ".lz4_raw."};
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (memmem(name.ptr, name.len, codecs[i], strlen(codecs[i])) != NULL) {
            return false;
        }
    }
    return !dw__pq_is_own_name(name);
}

static bool
may_hold_null(const dw_pq_footer *footer, const dw_pq_node *variant)
{
    return dw__pq_may_hold_json_null(footer, dw__pq_child(footer, variant, DW_STR("value")));
}

static dw_status
look(const dw_pq_source *source, const dw_pq_names *names, dw_arena *arena, dw_pq_oddities *out,
     dw_error *err)
{
    dw_pq_footer footer;
    DW_TRY(dw__pq_footer_read(source, arena, &footer, err));
    if (!dw__pq_names_give(names, &footer, arena, &out->has_names)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < footer.row_group_count; i++) {
        for (size_t k = 0; k < footer.leaf_count; k++) {
            out->has_codec = out->has_codec || footer.row_groups[i].chunks[k].codec == DW_PQ_LZ4;
        }
    }
    for (size_t i = 0; i < footer.node_count; i++) {
        const dw_pq_node *node = &footer.nodes[i];
        dw_pq_twin twin;
        out->has_shredded = out->has_shredded || dw__pq_twin_find(&footer, node, &twin);
        out->has_variants =
            out->has_variants || (is_whole_variant(&footer, node) && may_hold_null(&footer, node));
    }
    return DW_OK;
}

dw_status
dw__pq_find_oddities(const dw_pq_source *source, const dw_pq_names *names, dw_pq_oddities *out,
                     dw_error *err)
{
    dw_error ignored = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, source->storage->env->allocator);
    *out = (dw_pq_oddities){0};
    dw_status status = look(source, names, &arena, out, &ignored);
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}
