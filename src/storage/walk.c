/*
 * A walk where storage has none of its own: the pages of its list.
 */
#include "base/assert.h"
#include "storage/storage.h"

/* A text behind `key` and all that is likely to be in its directory; what comes behind it all the
 * same is skipped the next time. */
static dw_status
skip_directory(dw_strbuf *after, dw_str directory, dw_str key, dw_error *err)
{
    dw__strbuf_clear(after);
    dw__strbuf_append(after, directory);
    dw__strbuf_append_char(after, '/');
    do {
        dw__strbuf_append_char(after, (char) 0xff);
    } while (!after->failed && dw__str_compare(dw__strbuf_str(after), key) <= 0);
    return dw__strbuf_ok(after, "a key", err);
}

/* The directories of a key, outermost first; the length of the first that is not entered, or 0. */
static size_t
find_closed(const dw_walk *walk, dw_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '/' && !walk->enters(walk->ctx, dw__str_slice(key, 0, i), false)) {
            return i;
        }
    }
    return 0;
}

/* Sets `after` to where the next page begins. */
static dw_status
walk_page(const dw_walk *walk, const dw_list_page *page, dw_strbuf *after, dw_error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        const dw_object_meta *object = &page->objects[i];
        size_t closed = find_closed(walk, object->key);
        if (closed > 0) {
            return skip_directory(after, dw__str_slice(object->key, 0, closed), object->key, err);
        }
        if (walk->wants(walk->ctx, object->key)) {
            DW_TRY(walk->file(walk->ctx, object, err));
        }
        dw__strbuf_clear(after);
        dw__strbuf_append(after, object->key);
    }
    return dw__strbuf_ok(after, "a key", err);
}

static dw_status
walk_list(dw_storage *storage, const dw_walk *walk, dw_error *err)
{
    DW_AUTO(dw_strbuf) after =
        dw__strbuf_make(storage->env->allocator, 2 * DW_STORAGE_KEY_BYTES_MAX);
    for (;;) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, storage->env->allocator);
        dw_list_request request = {
            .prefix = DW_STR(""), .start_after = dw__strbuf_str(&after), .recursive = true};
        dw_list_page page;
        DW_TRY(dw__storage_list(storage, &request, &arena, &page, err));
        if (page.count == 0) {
            return DW_OK;
        }
        DW_TRY(walk_page(walk, &page, &after, err));
    }
}

dw_status
dw__storage_walk(dw_storage *storage, const dw_walk *walk, dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(walk->enters != NULL && walk->wants != NULL && walk->file != NULL);
    return storage->ops->walk == NULL ? walk_list(storage, walk, err)
                                      : storage->ops->walk(storage, walk, err);
}
