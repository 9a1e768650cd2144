/*
 * See join.h. Each footer is walked once: row groups are copied with other offsets, and the rest
 * must be that of the first file. parquet.thrift has the numbers. A field that is not known, or
 * that is there twice, may be a place that would be wrong in the new file: then nothing is joined.
 */
#include "parquet/join.h"

#include "base/assert.h"
#include "parquet/page_index.h"
#include "parquet/thrift_write.h"

enum { FILE_ROWS = 3, FILE_ROW_GROUPS = 4, FILE_ENCRYPTION = 8 };
enum { GROUP_COLUMNS = 1, GROUP_FILE_OFFSET = 5, GROUP_ORDINAL = 7, GROUP_LAST = 7 };
enum {
    CHUNK_FILE_OFFSET = 2,
    CHUNK_METADATA = 3,
    CHUNK_FIRST_INDEX = 4,
    CHUNK_LAST_INDEX = 7,
    CHUNK_ENCRYPTION = 8
};
enum {
    COLUMN_DATA = 9,
    COLUMN_INDEX = 10,
    COLUMN_DICTIONARY = 11,
    COLUMN_BLOOM_FILTER = 14,
    COLUMN_BLOOM_FILTER_SIZE = 15,
    COLUMN_LAST = 17
};
enum { FILTER_BYTES = 1 };
#define I16 4
/* Three structs without fields, and a number. */
#define FILTER_HEAD_BYTES_MAX 64
#define MAGIC_BYTES 4
/* Their ordinals have 16 bits. */
#define ROW_GROUPS_MAX ((size_t) 1 << 15)
/* Of the new file; sums of places and of rows then need no more care. */
#define FILE_BYTES_MAX (INT64_C(1) << 50)
#define FILE_ROWS_MAX (INT64_C(1) << 50)

typedef struct joiner {
    dw_pq_join *join;
    dw_strbuf groups; /* row groups as they will be */
    dw_strbuf rest;   /* of the first footer: all but rows and row groups */
    dw_str first;     /* that footer */
    dw_pq_page_indexes indexes;
    /* Of the file that is read: */
    const dw_pq_source *source;
    int64_t shift;    /* its bytes stand so much further on */
    int64_t body_end; /* where its footer begins */
    int64_t rows;     /* what it says of itself */
    bool is_odd;
} joiner;

/* ---- Row groups ------------------------------------------------------------------------------ */

/* The next field of a struct. All writers go by the numbers of the fields. */
static bool
next_field(joiner *j, dw_thrift *thrift, dw_thrift_field *field)
{
    int64_t last = field->id;
    bool found = dw__thrift_next(thrift, field);
    j->is_odd = j->is_odd || (found && field->id <= last);
    return found && !j->is_odd;
}

static bool
is_in_body(const joiner *j, int64_t offset, int64_t size)
{
    return offset >= MAGIC_BYTES && offset <= j->body_end && size >= 0 &&
           size <= j->body_end - offset;
}

/* A place in the file; some writers say 0 where there is none. */
static void
put_offset(joiner *j, dw_thrift_writer *writer, dw_thrift *thrift, const dw_thrift_field *field)
{
    int64_t offset = dw__thrift_int(thrift, field);
    bool has_place = offset > 0;
    if (has_place && !is_in_body(j, offset, 0)) {
        j->is_odd = true;
        return;
    }
    dw__thrift_put_int(writer, field->id, DW_THRIFT_I64, has_place ? offset + j->shift : offset);
}

/* What the head of a bloom filter says that it takes, head and all; -1 when it is none. */
static int64_t
filter_size(joiner *j, int64_t offset)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(j->join->allocator, FILTER_HEAD_BYTES_MAX);
    dw_thrift_field field = {0};
    int64_t size = -1;
    if (!is_in_body(j, offset, 1)) {
        return -1;
    }
    size_t len = j->body_end - offset < FILTER_HEAD_BYTES_MAX ? (size_t) (j->body_end - offset)
                                                              : FILTER_HEAD_BYTES_MAX;
    if (dw__pq_source_read(j->source, (uint64_t) offset, len, &bytes, NULL) != DW_OK) {
        j->is_odd = true;
        return -1;
    }
    dw_thrift thrift = dw__thrift_make(dw__strbuf_str(&bytes));
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == FILTER_BYTES) {
            size = dw__thrift_int(&thrift, &field);
        } else {
            dw__thrift_skip(&thrift, &field);
        }
    }
    bool is_sound = !thrift.failed && size > 0 && size <= INT32_MAX - FILTER_HEAD_BYTES_MAX;
    return is_sound ? size + (thrift.at - bytes.ptr) : -1;
}

/* The size of a bloom filter is optional, and older writers left it out. Without it, and where the
 * filter does not say it either, nobody finds its end: it is dropped. */
static void
put_filter(joiner *j, dw_thrift_writer *writer, dw_thrift *thrift, dw_thrift_field *field)
{
    dw_thrift ahead = *thrift;
    dw_thrift_field next = *field;
    int64_t offset = dw__thrift_int(&ahead, field);
    if (dw__thrift_next(&ahead, &next) && next.id == COLUMN_BLOOM_FILTER_SIZE) {
        int64_t size = dw__thrift_int(&ahead, &next);
        j->is_odd = j->is_odd || !is_in_body(j, offset, size);
        put_offset(j, writer, thrift, field);
        return;
    }
    int64_t size = filter_size(j, offset);
    if (size < 0 || !is_in_body(j, offset, size)) {
        dw__thrift_skip(thrift, field);
        return;
    }
    put_offset(j, writer, thrift, field);
    dw__thrift_put_int(writer, COLUMN_BLOOM_FILTER_SIZE, DW_THRIFT_I32, size);
}

static void
put_column_metadata(joiner *j, dw_thrift *thrift)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&j->groups);
    dw_thrift_field field = {0};
    while (next_field(j, thrift, &field)) {
        j->is_odd = j->is_odd || field.id > COLUMN_LAST;
        if (field.id == COLUMN_DATA || field.id == COLUMN_INDEX || field.id == COLUMN_DICTIONARY) {
            put_offset(j, &writer, thrift, &field);
        } else if (field.id == COLUMN_BLOOM_FILTER) {
            put_filter(j, &writer, thrift, &field);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

static void
put_chunk(joiner *j, dw_thrift *thrift)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&j->groups);
    dw_thrift_field field = {0};
    while (next_field(j, thrift, &field)) {
        if (field.id == CHUNK_FILE_OFFSET) {
            put_offset(j, &writer, thrift, &field);
        } else if (field.id == CHUNK_METADATA && field.type == DW_THRIFT_STRUCT) {
            dw__thrift_put_field(&writer, CHUNK_METADATA, DW_THRIFT_STRUCT);
            put_column_metadata(j, thrift);
        } else if (field.id >= CHUNK_FIRST_INDEX && field.id <= CHUNK_LAST_INDEX) {
            dw__thrift_skip(thrift, &field);
        } else {
            j->is_odd = j->is_odd || field.id >= CHUNK_ENCRYPTION;
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

static void
put_row_group(joiner *j, dw_thrift *thrift, size_t ordinal)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&j->groups);
    dw_thrift_field field = {0};
    while (next_field(j, thrift, &field)) {
        j->is_odd = j->is_odd || field.id > GROUP_LAST;
        if (field.id == GROUP_COLUMNS) {
            size_t count = dw__thrift_list(thrift, &field, DW_THRIFT_STRUCT);
            dw__thrift_put_field(&writer, GROUP_COLUMNS, DW_THRIFT_LIST);
            dw__thrift_put_list(&j->groups, DW_THRIFT_STRUCT, count);
            for (size_t i = 0; i < count && !thrift->failed && !j->is_odd; i++) {
                put_chunk(j, thrift);
            }
        } else if (field.id == GROUP_FILE_OFFSET) {
            put_offset(j, &writer, thrift, &field);
        } else if (field.id == GROUP_ORDINAL) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_int(&writer, GROUP_ORDINAL, I16, (int64_t) ordinal);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

/* ---- A file ---------------------------------------------------------------------------------- */

/* Appends the row groups, and to `rest` everything that is said of the whole file. */
static void
put_footer(joiner *j, dw_str footer, dw_strbuf *rest)
{
    dw_thrift thrift = dw__thrift_make(footer);
    dw_thrift_writer writer = dw__thrift_writer_make(rest);
    dw_thrift_field field = {0};
    while (next_field(j, &thrift, &field)) {
        if (field.id == FILE_ROWS) {
            j->rows = dw__thrift_int(&thrift, &field);
        } else if (field.id == FILE_ROW_GROUPS) {
            size_t count = dw__thrift_list(&thrift, &field, DW_THRIFT_STRUCT);
            for (size_t i = 0; i < count && !thrift.failed && !j->is_odd; i++) {
                put_row_group(j, &thrift, j->join->row_group_count + i);
            }
        } else {
            j->is_odd = j->is_odd || field.id >= FILE_ENCRYPTION;
            dw__thrift_copy(&writer, &thrift, &field);
        }
    }
    j->is_odd = j->is_odd || thrift.failed;
}

/* Counts, and looks whether the chunks are where a copy of the file's body has them. */
static dw_status
count_groups(joiner *j, const dw_pq_footer *footer, dw_error *err)
{
    dw_pq_join *join = j->join;
    int64_t rows = 0;
    for (size_t i = 0; i < footer->row_group_count; i++) {
        const dw_pq_row_group *group = &footer->row_groups[i];
        if (group->row_count > FILE_ROWS_MAX - join->row_count - rows) {
            return dw__pq_odd(err, "number of rows");
        }
        rows += group->row_count;
        for (size_t k = 0; k < footer->leaf_count; k++) {
            const dw_pq_chunk *chunk = &group->chunks[k];
            if (!is_in_body(j, chunk->offset, chunk->size_bytes)) {
                return dw__pq_odd(err, "place of a column");
            }
            join->has_hadoop_lz4 = join->has_hadoop_lz4 || chunk->codec == DW_PQ_LZ4;
        }
    }
    join->row_count += rows;
    join->row_group_count += footer->row_group_count;
    return rows == j->rows ? DW_OK : dw__pq_odd(err, "number of rows");
}

/* Adds a file whose footer is in `bytes`. */
static dw_status
add_footer(joiner *j, const dw_pq_source *source, dw_str footer, dw_arena *arena, dw_error *err)
{
    dw_pq_join *join = j->join;
    dw_pq_footer parsed;
    bool is_first = join->piece_count == 1;
    DW_AUTO(dw_strbuf) rest = dw__strbuf_make(join->allocator, DW_PQ_FOOTER_BYTES_MAX);
    dw_strbuf *own_rest = is_first ? &j->rest : &rest;
    DW_TRY(dw__pq_footer_parse(footer, arena, &parsed, err));
    j->shift = join->size_bytes - MAGIC_BYTES;
    j->body_end = source->size_bytes - DW_PQ_END_BYTES - (int64_t) footer.len;
    j->rows = -1;
    j->source = source;
    if (j->body_end < MAGIC_BYTES || j->body_end > FILE_BYTES_MAX - join->size_bytes) {
        return dw__pq_odd(err, "size");
    }
    if (parsed.row_group_count > ROW_GROUPS_MAX - join->row_group_count) {
        return dw__pq_odd(err, "number of row groups");
    }
    put_footer(j, footer, own_rest);
    DW_TRY(dw__strbuf_ok(own_rest, "a footer", err));
    if (j->is_odd || !dw__str_equal(dw__strbuf_str(own_rest), dw__strbuf_str(&j->rest))) {
        return dw__pq_odd(err, "schema, writer or metadata");
    }
    DW_TRY(count_groups(j, &parsed, err));
    DW_TRY(dw__pq_page_indexes_take(&j->indexes, source, &parsed, j->body_end, j->shift, err));
    if (is_first) {
        join->first = parsed;
    }
    uint64_t size = (uint64_t) (j->body_end - MAGIC_BYTES);
    join->pieces[join->piece_count++] =
        (dw_piece){.key = source->key, .offset = MAGIC_BYTES, .size = size};
    join->size_bytes += (int64_t) size;
    return DW_OK;
}

static dw_status
add_file(joiner *j, const dw_pq_source *source, dw_arena *scratch, dw_error *err)
{
    dw_pq_join *join = j->join;
    bool is_first = join->piece_count == 1;
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(join->allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    dw_str footer;
    DW_TRY(dw__pq_source_footer(source, &bytes, &footer, err));
    if (is_first) { /* its columns and their names are kept */
        if (!dw__arena_dup(join->arena, footer, &footer)) {
            return dw__error_oom(err);
        }
        j->first = footer;
    }
    return add_footer(j, source, footer, is_first ? join->arena : scratch, err);
}

/* ---- The new footer -------------------------------------------------------------------------- */

static dw_status
check_footer(const dw_strbuf *part, dw_error *err)
{
    return part->too_large ? dw__pq_odd(err, "number of row groups")
                           : dw__strbuf_ok(part, "the footer of a Parquet file", err);
}

/* Bytes behind those of the files. */
static dw_status
add_bytes(dw_pq_join *join, const dw_strbuf *bytes, dw_error *err)
{
    dw_piece *piece = &join->pieces[join->piece_count++];
    *piece = (dw_piece){.key = DW_STR_NULL};
    join->size_bytes += (int64_t) bytes->len;
    return dw__arena_dup(join->arena, dw__strbuf_str(bytes), &piece->bytes) ? DW_OK
                                                                            : dw__error_oom(err);
}

static dw_status
put_row_groups(joiner *j, dw_strbuf *out, dw_error *err)
{
    int64_t base = j->join->size_bytes;
    dw__thrift_put_list(out, DW_THRIFT_STRUCT, j->join->row_group_count);
    if (j->indexes.is_dropped || j->indexes.places.count == 0) {
        dw__strbuf_append(out, dw__strbuf_str(&j->groups));
        return DW_OK;
    }
    dw__pq_page_indexes_name(&j->indexes, dw__strbuf_str(&j->groups), base, out);
    return add_bytes(j->join, &j->indexes.bytes, err);
}

static dw_status
finish(joiner *j, dw_error *err)
{
    dw_pq_join *join = j->join;
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(join->allocator, DW_PQ_FOOTER_BYTES_MAX);
    DW_TRY(check_footer(&j->groups, err));
    dw_thrift thrift = dw__thrift_make(j->first);
    dw_thrift_writer writer = dw__thrift_writer_make(&out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == FILE_ROWS) {
            dw__thrift_skip(&thrift, &field);
            dw__thrift_put_int(&writer, FILE_ROWS, DW_THRIFT_I64, join->row_count);
        } else if (field.id == FILE_ROW_GROUPS) {
            dw__thrift_skip(&thrift, &field);
            dw__thrift_put_field(&writer, FILE_ROW_GROUPS, DW_THRIFT_LIST);
            DW_TRY(put_row_groups(j, &out, err));
        } else {
            dw__thrift_copy(&writer, &thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
    dw__pq_footer_end(&out);
    DW_TRY(check_footer(&out, err));
    return add_bytes(join, &out, err);
}

static dw_status
plan(joiner *j, const dw_pq_source *sources, size_t count, dw_error *err)
{
    dw_pq_join *join = j->join;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, join->allocator);
    join->pieces = DW_ARENA_ARRAY(join->arena, dw_piece, count + 3);
    if (join->pieces == NULL) {
        return dw__error_oom(err);
    }
    join->pieces[join->piece_count++] =
        (dw_piece){.key = DW_STR_NULL, .bytes = DW_STR(DW_PQ_MAGIC)};
    join->size_bytes = MAGIC_BYTES;
    for (size_t i = 0; i < count; i++) {
        dw_assert(sources[i].storage == join->storage);
        DW_TRY(add_file(j, &sources[i], &scratch, err));
        dw__arena_reset(&scratch);
    }
    return finish(j, err);
}

dw_status
dw__pq_join_plan(const dw_pq_source *sources, size_t count, dw_arena *arena, dw_pq_join *out,
                 dw_error *err)
{
    dw_assert(count > 0);
    *out =
        (dw_pq_join){.arena = arena, .allocator = arena->allocator, .storage = sources[0].storage};
    joiner j = {.join = out,
                .groups = dw__strbuf_make(arena->allocator, DW_PQ_FOOTER_BYTES_MAX),
                .rest = dw__strbuf_make(arena->allocator, DW_PQ_FOOTER_BYTES_MAX),
                .indexes = dw__pq_page_indexes_make(arena->allocator)};
    dw_status status = plan(&j, sources, count, err);
    dw__strbuf_deinit(&j.groups);
    dw__strbuf_deinit(&j.rest);
    dw__pq_page_indexes_deinit(&j.indexes);
    return status;
}

dw_status
dw__pq_join_write(const dw_pq_join *join, dw_str key, dw_error *err)
{
    return dw__storage_compose(join->storage, key, join->pieces, join->piece_count, err);
}
