/*
 * The footers of two Parquet files, which are put together: either they are left alone, or the new
 * file has the row groups of both, and in it the bytes of every column are those that they were.
 *
 * Input: the sizes of the two bodies and of the first footer, two bytes each, and the footers. With
 * no second footer the first stands for both. Where the highest bit of the first size is set, the
 * bytes at the end of both bodies come before the footers: page indexes.
 */
#include "fuzz.h"

#include "env/env.h"
#include "parquet/join.h"
#include "parquet/page_index.h"

#define BODY_BYTES_MAX ((size_t) 1 << 14)

/* A file with a body of so many bytes, its first magic word among them. */
static dw_pq_source
put_file(dw_storage *storage, const char *key, size_t body, uint8_t seed, dw_str indexes,
         dw_str footer)
{
    DW_AUTO(dw_strbuf) out = fuzz_strbuf();
    DW_AUTO(dw_strbuf) end = fuzz_strbuf();
    for (size_t i = 0; i < body; i++) {
        bool is_magic = i < sizeof(DW_PQ_MAGIC) - 1;
        dw__strbuf_append_char(&out, is_magic ? DW_PQ_MAGIC[i]
                                              : (char) (uint8_t) (seed + i * 7 + (i >> 8)));
    }
    if (indexes.len + sizeof(DW_PQ_MAGIC) - 1 <= body) {
        dw__strbuf_truncate(&out, body - indexes.len);
        dw__strbuf_append(&out, indexes);
    }
    dw__strbuf_append(&end, footer);
    dw__pq_footer_end(&end);
    dw__strbuf_append(&out, dw__strbuf_str(&end));
    dw_status status = dw__storage_put(storage, dw__str_from(key), dw__strbuf_str(&out), NULL);
    dw_assert(status == DW_OK);
    return (dw_pq_source){storage, dw__str_from(key), (int64_t) out.len, 0};
}

static dw_str
read_place(const dw_pq_source *source, dw_pq_place place, dw_strbuf *out)
{
    dw_status status =
        dw__pq_source_read(source, (uint64_t) place.offset, (size_t) place.size, out, NULL);
    dw_assert(status == DW_OK);
    return dw__strbuf_str(out);
}

/* The indexes are those that they were, of pages elsewhere. */
static void
check_indexes(const dw_pq_source *before, const dw_pq_chunk *old, const dw_pq_source *after,
              const dw_pq_chunk *new, int64_t row_count)
{
    DW_AUTO(dw_strbuf) was = fuzz_strbuf();
    DW_AUTO(dw_strbuf) is = fuzz_strbuf();
    DW_AUTO(dw_strbuf) expected = fuzz_strbuf();
    const dw_pq_place column = {old->offset, old->size_bytes};
    (void) read_place(before, old->offsets, &was);
    bool is_sound = dw__pq_offset_index_shift(dw__strbuf_str(&was), column, row_count,
                                              new->offset - old->offset, &expected);
    dw_assert(is_sound);
    dw_assert(dw__str_equal(read_place(after, new->offsets, &is), dw__strbuf_str(&expected)));
    dw_assert(new->bounds.size == old->bounds.size);
    if (new->bounds.size > 0) {
        dw_assert(dw__str_equal(read_place(before, old->bounds, &was),
                                read_place(after, new->bounds, &is)));
    }
}

static void
check_chunk(const dw_pq_source *before, const dw_pq_chunk *old, const dw_pq_source *after,
            const dw_pq_chunk *new)
{
    DW_AUTO(dw_strbuf) was = fuzz_strbuf();
    DW_AUTO(dw_strbuf) is = fuzz_strbuf();
    dw_assert(old->size_bytes == new->size_bytes && old->value_count == new->value_count);
    dw_status status =
        dw__pq_source_read(before, (uint64_t) old->offset, (size_t) old->size_bytes, &was, NULL);
    dw_assert(status == DW_OK);
    status = dw__pq_source_read(after, (uint64_t) new->offset, (size_t) new->size_bytes, &is, NULL);
    dw_assert(status == DW_OK);
    dw_assert(dw__str_equal(dw__strbuf_str(&was), dw__strbuf_str(&is)));
}

/* Writes the file; each of its row groups must be that of one of the two. */
static dw_pq_source
check_joined(const dw_pq_join *join, const dw_pq_source sources[2], dw_arena *arena)
{
    dw_pq_source joined = {sources[0].storage, DW_STR("ab"), join->size_bytes, 0};
    dw_pq_footer after;
    size_t at = 0;
    int64_t rows = 0;
    dw_status status = dw__pq_join_write(join, joined.key, NULL);
    dw_assert(status == DW_OK);
    status = dw__pq_footer_read(&joined, arena, &after, NULL);
    dw_assert(status == DW_OK);
    dw_assert(after.row_group_count == join->row_group_count);
    bool has_indexes = after.row_group_count > 0 && after.leaf_count > 0 &&
                       after.row_groups[0].chunks[0].offsets.size > 0;
    for (size_t i = 0; i < 2; i++) {
        dw_pq_footer before;
        status = dw__pq_footer_read(&sources[i], arena, &before, NULL);
        dw_assert(status == DW_OK && before.leaf_count == after.leaf_count);
        for (size_t k = 0; k < before.row_group_count; k++, at++) {
            const dw_pq_row_group *old = &before.row_groups[k];
            const dw_pq_row_group *new = &after.row_groups[at];
            dw_assert(old->row_count == new->row_count);
            rows += new->row_count;
            for (size_t leaf = 0; leaf < before.leaf_count; leaf++) {
                const dw_pq_chunk *chunk = &new->chunks[leaf];
                check_chunk(&sources[i], &old->chunks[leaf], &joined, chunk);
                if (has_indexes) {
                    check_indexes(&sources[i], &old->chunks[leaf], &joined, chunk, new->row_count);
                }
                dw_assert(has_indexes == (chunk->offsets.size > 0));
                dw_assert(has_indexes || chunk->bounds.size == 0);
            }
        }
    }
    dw_assert(at == after.row_group_count && rows == join->row_count);
    return joined;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dw_env env = dw__env_system();
    DW_AUTO(dw_arena) arena;
    dw_error err = DW_ERROR_INIT;
    dw_storage *storage = NULL;
    dw_pq_join join;
    dw_str rest = fuzz_text(data, size);
    size_t head = (size_t) fuzz_take_word(&rest, 2);
    size_t bodies[2] = {head % BODY_BYTES_MAX, (size_t) fuzz_take_word(&rest, 2) % BODY_BYTES_MAX};
    size_t len = (size_t) fuzz_take_word(&rest, 2);
    dw_str indexes = head >> 15 == 0 ? DW_STR("") : fuzz_take_str(&rest);
    dw_str first = dw__str_slice(rest, 0, len);
    dw_str second = rest.len > first.len ? dw__str_slice(rest, first.len, rest.len) : first;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_status status = dw__storage_memory_open(&env, &storage, NULL);
    dw_assert(status == DW_OK);
    dw_pq_source sources[2] = {put_file(storage, "a", bodies[0], 1, indexes, first),
                               put_file(storage, "b", bodies[1], 2, indexes, second)};
    status = dw__pq_join_plan(sources, 2, &arena, &join, &err);
    dw_assert(status == DW_OK || status == DW_UNSUPPORTED);
    if (status == DW_OK) {
        dw_pq_source joined = check_joined(&join, sources, &arena);
        /* What was put together can be put together again. */
        dw_pq_source again[2] = {joined, joined};
        status = dw__pq_join_plan(again, 2, &arena, &join, &err);
        dw_assert(status == DW_OK);
    }
    dw__storage_close(storage);
    return 0;
}
