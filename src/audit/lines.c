/*
 * Going through the files of a log. [LINES-1]
 */
#include "audit/lines.h"

#include "audit/record.h"
#include "storage/storage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t) 1 << 18)
#define FILES_MAX ((size_t) 1000000)

/* ---- Names ----------------------------------------------------------------------------------- */

bool
dw__audit_file_path(dw_str path, int64_t file_number, char out[DW_LOCAL_PATH_SIZE])
{
    int len = snprintf(out, DW_LOCAL_PATH_SIZE, "%.*s.%0*" PRId64, DW_STR_ARG(path),
                       DW_AUDIT_NUMBER_DIGITS, file_number);
    return len > 0 && len < DW_LOCAL_PATH_SIZE;
}

bool
dw__audit_head_path(dw_str path, char out[DW_LOCAL_PATH_SIZE])
{
    int len = snprintf(out, DW_LOCAL_PATH_SIZE, "%.*s.head", DW_STR_ARG(path));
    return len > 0 && path.len + DW_AUDIT_SUFFIX_SIZE <= DW_LOCAL_PATH_SIZE;
}

typedef struct number_vec {
    int64_t *items;
    size_t count;
} number_vec;

/* The number that the name ends with, or -1. */
static int64_t
number_of(dw_str key, dw_str prefix)
{
    int64_t number;
    dw_str digits = dw__str_slice(key, prefix.len, SIZE_MAX);
    bool is_number = digits.len >= DW_AUDIT_NUMBER_DIGITS && digits.ptr[0] != '-' &&
                     dw__str_to_i64(digits, &number) && number > 0;
    return is_number ? number : -1;
}

static int
compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static dw_status
take_page(const dw_list_page *page, dw_str prefix, dw_arena *arena, number_vec *numbers,
          dw_error *err)
{
    int64_t *grown = DW_ARENA_ARRAY(arena, int64_t, numbers->count + page->count + 1);
    if (grown == NULL || numbers->count + page->count > FILES_MAX) {
        return dw__error_oom(err);
    }
    if (numbers->count > 0) {
        memcpy(grown, numbers->items, numbers->count * sizeof(*grown));
    }
    numbers->items = grown;
    for (size_t i = 0; i < page->count; i++) {
        int64_t number = number_of(page->objects[i].key, prefix);
        if (number > 0) {
            grown[numbers->count++] = number;
        }
    }
    return DW_OK;
}

dw_status
dw__audit_list(const dw_env *env, dw_str path, dw_arena *arena, int64_t **out, size_t *count_out,
               dw_error *err)
{
    size_t cut = dw__str_find_last(path, '/');
    dw_str directory = cut == SIZE_MAX ? DW_STR(".") : dw__str_slice(path, 0, cut == 0 ? 1 : cut);
    dw_str name = cut == SIZE_MAX ? path : dw__str_slice(path, cut + 1, SIZE_MAX);
    dw_str prefix = dw__arena_printf(arena, "%.*s.", DW_STR_ARG(name));
    DW_AUTO(dw_storage_ptr) storage = NULL;
    number_vec numbers = {0};
    dw_list_page page = {.has_more = true};
    dw_list_request request = {
        .prefix = prefix, .start_after = DW_STR_NULL, .recursive = false, .names_only = true};
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__storage_posix_open(env, directory, &storage, err));
    while (page.has_more) {
        DW_TRY(dw__storage_list(storage, &request, arena, &page, err));
        DW_TRY(take_page(&page, prefix, arena, &numbers, err));
        if (page.count > 0) {
            request.start_after = page.objects[page.count - 1].key;
        }
    }
    if (numbers.count > 0) {
        qsort(numbers.items, numbers.count, sizeof(*numbers.items), compare_numbers);
    }
    *out = numbers.items;
    *count_out = numbers.count;
    return DW_OK;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

typedef struct splitter {
    dw_audit_visitor visit;
    void *ctx;
    dw_strbuf line; /* what is there of a line that goes on */
    bool is_cut;    /* a part of it was given already */
} splitter;

/* Hands over what is there. */
static dw_status
give(splitter *s, dw_str bytes, bool ends, dw_error *err)
{
    bool is_whole = ends && !s->is_cut;
    s->is_cut = !ends;
    dw_status status = s->visit(s->ctx, bytes, is_whole, err);
    dw__strbuf_clear(&s->line);
    return status;
}

/* Goes on with the line that is there; it is given when it ends, or is too long to be kept. */
static dw_status
go_on(splitter *s, dw_str bytes, bool ends, dw_error *err)
{
    if (s->line.len == 0 && ends) {
        return give(s, bytes, true, err);
    }
    if (s->line.len + bytes.len > DW_AUDIT_RECORD_BYTES_MAX) {
        if (s->line.len > 0) {
            DW_TRY(give(s, dw__strbuf_str(&s->line), false, err));
        }
        return give(s, bytes, ends, err);
    }
    dw__strbuf_append(&s->line, bytes);
    DW_TRY(dw__strbuf_ok(&s->line, "a line of the audit log", err));
    return ends ? give(s, dw__strbuf_str(&s->line), true, err) : DW_OK;
}

static dw_status
split(splitter *s, dw_str chunk, dw_error *err)
{
    while (chunk.len > 0) {
        size_t end = dw__str_find(chunk, '\n');
        bool ends = end != SIZE_MAX;
        size_t len = ends ? end + 1 : chunk.len;
        DW_TRY(go_on(s, dw__str_slice(chunk, 0, len), ends, err));
        chunk = dw__str_slice(chunk, len, SIZE_MAX);
    }
    return DW_OK;
}

static dw_status
visit_chunks(const dw_local_file *file, int64_t from, int64_t to, dw_strbuf *chunk, splitter *s,
             dw_error *err)
{
    while (from < to) {
        size_t wanted = to - from < (int64_t) CHUNK_BYTES ? (size_t) (to - from) : CHUNK_BYTES;
        DW_TRY(dw__local_file_read(file, from, wanted, chunk, err));
        if (chunk->len == 0) {
            break; /* it became shorter meanwhile: the head tells */
        }
        DW_TRY(split(s, dw__strbuf_str(chunk), err));
        from += (int64_t) chunk->len;
    }
    return s->line.len > 0 ? give(s, dw__strbuf_str(&s->line), false, err) : DW_OK;
}

dw_status
dw__audit_visit(const dw_allocator *allocator, const dw_local_file *file, int64_t from, int64_t to,
                dw_audit_visitor visit, void *ctx, dw_error *err)
{
    DW_AUTO(dw_strbuf) chunk = dw__strbuf_make(allocator, CHUNK_BYTES);
    splitter s = {.visit = visit,
                  .ctx = ctx,
                  .line = dw__strbuf_make(allocator, DW_AUDIT_RECORD_BYTES_MAX + 1)};
    dw_status status = visit_chunks(file, from, to, &chunk, &s, err);
    dw__strbuf_deinit(&s.line);
    return status;
}
