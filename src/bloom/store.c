/*
 * See store.h. Names are listed anew when a later version than before is read, when somebody here
 * has written, and now and then: another process may have made an index since. Files that were read
 * before are kept, since they never change. [INDEX-2]
 */
#include "bloom/store.h"

#include "base/assert.h"
#include "base/vec.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#define LOOK_AGAIN_US ((int64_t) 10 * 1000 * 1000)
#define LIST_PAGE_OBJECTS ((size_t) 1000)

/* One index file. */
typedef struct index_file {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    char *name; /* the key in storage, with a NUL */
    size_t name_size;
    dw_strbuf directory;
    dw_index index;
    atomic_bool is_bad;
    /* Guarded by the store's mutex: pages of filters that were read. */
    uint8_t **pages;
    size_t cached_bytes;
} index_file;

struct dw_bloom_view {
    dw_bloom_store *store;
    atomic_size_t ref_count;
    int64_t version;
    index_file **files; /* a reference each */
    size_t file_count;
    /* Open addressing over the keys of all entries; a file of UINT32_MAX: empty. */
    dw_bloom_place *slots;
    size_t slot_count; /* a power of two, or 0 */
};

struct dw_bloom_store {
    const dw_env *env;
    dw_storage *storage;
    pthread_mutex_t mutex; /* guards all below, and pages; storage is called under it */
    dw_bloom_view *view;   /* a reference; NULL before the first look */
    int64_t looked_us;
    bool is_changed;
    size_t cached_bytes;
};

/* ---- Files ----------------------------------------------------------------------------------- */

static dw_str
name_of(const index_file *file)
{
    return dw__str_make(file->name, file->name_size - 1);
}

static void
free_pages(index_file *file)
{
    for (uint64_t i = 0; file->pages != NULL && i < file->index.page_count; i++) {
        if (file->pages[i] != NULL) {
            dw__dealloc(file->allocator, file->pages[i], dw__index_page_size(&file->index, i));
            file->pages[i] = NULL;
        }
    }
    file->cached_bytes = 0;
}

static void
file_unref(index_file *file)
{
    if (file == NULL || atomic_fetch_sub(&file->ref_count, 1) != 1) {
        return;
    }
    free_pages(file);
    dw__dealloc(file->allocator, file->pages,
                (size_t) file->index.page_count * sizeof *file->pages);
    dw__dealloc(file->allocator, file->name, file->name_size);
    dw__strbuf_deinit(&file->directory);
    DW_DELETE(file->allocator, file);
}

static index_file *
file_new(const dw_allocator *allocator, dw_str name)
{
    index_file *file = DW_NEW(allocator, index_file);
    char *copy = dw__alloc(allocator, name.len + 1);
    if (file == NULL || copy == NULL) {
        dw__dealloc(allocator, copy, name.len + 1);
        if (file != NULL) {
            DW_DELETE(allocator, file);
        }
        return NULL;
    }
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    *file = (index_file){.allocator = allocator,
                         .name = copy,
                         .name_size = name.len + 1,
                         .directory = dw__strbuf_make(allocator, DW_INDEX_DIRECTORY_BYTES_MAX)};
    atomic_init(&file->ref_count, 1);
    atomic_init(&file->is_bad, false);
    return file;
}

/* [STORE-1] Passes on only what is no fault of the file. */
static dw_status
give_up(const dw_bloom_store *store, index_file *file, dw_status status, const dw_error *cause,
        dw_error *err)
{
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, cause);
        return status;
    }
    if (!atomic_exchange(&file->is_bad, true) && status != DW_NOT_FOUND) {
        dw__env_warn(store->env,
                     "data files are read without the bloom filters of %s: %s; CREATE BLOOMFILTER "
                     "INDEX makes them again",
                     file->name, cause->message);
    }
    return DW_OK;
}

static dw_status
read_directory(const dw_bloom_store *store, index_file *file, dw_error *err)
{
    dw_index_head head;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(file->allocator, DW_INDEX_HEAD_BYTES);
    DW_TRY(
        dw__storage_get_range(store->storage, name_of(file), 0, DW_INDEX_HEAD_BYTES, &bytes, err));
    DW_TRY(dw__index_head_parse(dw__strbuf_str(&bytes), &head, err));
    DW_TRY(dw__storage_get_range(store->storage, name_of(file), DW_INDEX_HEAD_BYTES,
                                 (size_t) head.directory_bytes, &file->directory, err));
    DW_TRY(dw__index_parse(&head, dw__strbuf_str(&file->directory), &file->index, err));
    if (file->index.page_count > 0) {
        file->pages =
            dw__alloc_zero(file->allocator, (size_t) file->index.page_count * sizeof *file->pages);
        return file->pages == NULL ? dw__error_oom(err) : DW_OK;
    }
    return DW_OK;
}

static dw_status
open_file(const dw_bloom_store *store, dw_str name, index_file **out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    *out = file_new(store->env->allocator, name);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = read_directory(store, *out, &cause);
    if (status != DW_OK) {
        (*out)->index = (dw_index){0};
        status = give_up(store, *out, status, &cause, err);
    }
    return status;
}

/* ---- Views ----------------------------------------------------------------------------------- */

void
dw__bloom_view_unref(dw_bloom_view *view)
{
    if (view == NULL || atomic_fetch_sub(&view->ref_count, 1) != 1) {
        return;
    }
    const dw_allocator *allocator = view->store->env->allocator;
    for (size_t i = 0; i < view->file_count; i++) {
        file_unref(view->files[i]);
    }
    dw__dealloc(allocator, view->files, view->file_count * sizeof *view->files);
    dw__dealloc(allocator, view->slots, view->slot_count * sizeof *view->slots);
    DW_DELETE(allocator, view);
}

static size_t
slot_of(const dw_bloom_view *view, const dw_index_key *key)
{
    return (size_t) key->path[0] & (view->slot_count - 1);
}

static void
put_entry(dw_bloom_view *view, dw_bloom_place place)
{
    dw_index_key key = dw__index_entry_key(&view->files[place.file]->index, place.entry);
    size_t slot = slot_of(view, &key);
    while (view->slots[slot].file != UINT32_MAX) {
        slot = (slot + 1) & (view->slot_count - 1);
    }
    view->slots[slot] = place;
}

static dw_status
fill_slots(dw_bloom_view *view, const dw_allocator *allocator, dw_error *err)
{
    uint64_t count = 0;
    for (size_t i = 0; i < view->file_count; i++) {
        count += view->files[i]->index.head.entry_count;
    }
    size_t slot_count = 16;
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    view->slots = dw__alloc(allocator, slot_count * sizeof *view->slots);
    if (view->slots == NULL) {
        return dw__error_oom(err);
    }
    view->slot_count = slot_count;
    memset(view->slots, 0xff, slot_count * sizeof *view->slots);
    for (size_t i = 0; i < view->file_count; i++) {
        for (uint64_t k = 0; k < view->files[i]->index.head.entry_count; k++) {
            put_entry(view, (dw_bloom_place){(uint32_t) i, (uint32_t) k});
        }
    }
    return DW_OK;
}

/* One that was read before, with a reference; NULL when there is none. */
static index_file *
ref_known(const dw_bloom_view *view, dw_str name)
{
    for (size_t i = 0; view != NULL && i < view->file_count; i++) {
        if (dw__str_equal(name_of(view->files[i]), name)) {
            atomic_fetch_add(&view->files[i]->ref_count, 1);
            return view->files[i];
        }
    }
    return NULL;
}

typedef struct name_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} name_vec;

static dw_status
list_names(const dw_bloom_store *store, dw_arena *arena, name_vec *names, dw_error *err)
{
    dw_list_request request = {.prefix = DW_STR(DW_INDEX_DIR DW_INDEX_PREFIX),
                               .start_after = DW_STR_NULL,
                               .limit = LIST_PAGE_OBJECTS,
                               .names_only = true};
    dw_list_page page = {.has_more = true};
    while (page.has_more && names->count < DW_BLOOM_FILES_MAX) {
        DW_TRY(dw__storage_list(store->storage, &request, arena, &page, err));
        for (size_t i = 0; i < page.count && names->count < DW_BLOOM_FILES_MAX; i++) {
            dw_str *slot = dw__str_ends_with(page.objects[i].key, DW_STR(DW_INDEX_SUFFIX))
                               ? DW_VEC_PUSH(arena->allocator, names)
                               : &request.prefix;
            if (slot == NULL) {
                return dw__error_oom(err);
            }
            if (slot != &request.prefix) {
                *slot = page.objects[i].key;
            }
        }
        if (page.count == 0) {
            break;
        }
        request.start_after = page.objects[page.count - 1].key;
    }
    if (page.has_more) {
        dw__env_warn(store->env, "the table has more than %zu index files: the rest is not used",
                     DW_BLOOM_FILES_MAX);
    }
    return DW_OK;
}

static dw_status
open_files(const dw_bloom_store *store, const name_vec *names, dw_bloom_view *view, dw_error *err)
{
    view->files = dw__alloc_zero(store->env->allocator, names->count * sizeof *view->files);
    if (view->files == NULL) {
        return dw__error_oom(err);
    }
    view->file_count = names->count;
    for (size_t i = 0; i < names->count; i++) {
        view->files[i] = ref_known(store->view, names->items[i]);
        if (view->files[i] == NULL) {
            DW_TRY(open_file(store, names->items[i], &view->files[i], err));
        }
    }
    return fill_slots(view, store->env->allocator, err);
}

static dw_status
make_view(dw_bloom_store *store, int64_t version, dw_bloom_view **out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    name_vec names = {0};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, store->env->allocator);
    DW_AUTO(dw_bloom_view_ptr) view = DW_NEW(store->env->allocator, dw_bloom_view);
    if (view == NULL) {
        return dw__error_oom(err);
    }
    view->store = store;
    view->version = version;
    atomic_init(&view->ref_count, 1);
    dw_status status = list_names(store, &arena, &names, &cause);
    if (status != DW_OK && status != DW_OUT_OF_MEMORY && status != DW_CANCELLED) {
        dw__env_warn(store->env, "data files are read without bloom filters: %s", cause.message);
        names.count = 0;
        status = DW_OK;
    }
    if (status == DW_OK) {
        status = open_files(store, &names, view, &cause);
    }
    DW_VEC_DEINIT(arena.allocator, &names);
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    *out = view;
    view = NULL;
    return DW_OK;
}

/* ---- The store ------------------------------------------------------------------------------- */

dw_status
dw__bloom_store_new(const dw_env *env, dw_storage *storage, dw_bloom_store **out, dw_error *err)
{
    *out = DW_NEW(env->allocator, dw_bloom_store);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    (*out)->env = env;
    (*out)->storage = storage;
    pthread_mutex_init(&(*out)->mutex, NULL);
    return DW_OK;
}

void
dw__bloom_store_free(dw_bloom_store *store)
{
    if (store == NULL) {
        return;
    }
    dw__bloom_view_unref(store->view);
    pthread_mutex_destroy(&store->mutex);
    DW_DELETE(store->env->allocator, store);
}

void
dw__bloom_store_note_change(dw_bloom_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->is_changed = true;
    pthread_mutex_unlock(&store->mutex);
}

static int64_t
now_us(const dw_bloom_store *store)
{
    return store->env->ops->monotonic_us(store->env->ctx);
}

static bool
is_current(const dw_bloom_store *store, int64_t version)
{
    return store->view != NULL && !store->is_changed && store->view->version >= version &&
           now_us(store) - store->looked_us < LOOK_AGAIN_US;
}

/* What the last view holds in pages is all that is counted: older views keep theirs as long as they
 * are used. */
static void
count_cached(dw_bloom_store *store)
{
    store->cached_bytes = 0;
    for (size_t i = 0; i < store->view->file_count; i++) {
        store->cached_bytes += store->view->files[i]->cached_bytes;
    }
}

static dw_status
look(dw_bloom_store *store, int64_t version, dw_error *err)
{
    dw_bloom_view *view;
    if (is_current(store, version)) {
        return DW_OK;
    }
    int64_t looked_us = now_us(store);
    DW_TRY(make_view(store, version, &view, err));
    dw__bloom_view_unref(store->view);
    store->view = view;
    store->looked_us = looked_us;
    store->is_changed = false;
    count_cached(store);
    return DW_OK;
}

dw_status
dw__bloom_store_look(dw_bloom_store *store, int64_t version, dw_bloom_view **out, dw_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&store->mutex);
    dw_status status = look(store, version, err);
    if (status == DW_OK) {
        atomic_fetch_add(&store->view->ref_count, 1);
        *out = store->view;
    }
    pthread_mutex_unlock(&store->mutex);
    return status;
}

size_t
dw__bloom_view_file_count(const dw_bloom_view *view)
{
    return view->file_count;
}

const dw_index *
dw__bloom_view_index(const dw_bloom_view *view, size_t file_idx)
{
    dw_assert(file_idx < view->file_count);
    return atomic_load(&view->files[file_idx]->is_bad) ? NULL : &view->files[file_idx]->index;
}

dw_str
dw__bloom_view_key(const dw_bloom_view *view, size_t file_idx)
{
    dw_assert(file_idx < view->file_count);
    return name_of(view->files[file_idx]);
}

int64_t
dw__bloom_view_size(const dw_bloom_view *view, size_t file_idx)
{
    const dw_index_head *head = &view->files[file_idx]->index.head;
    return (int64_t) (head->filters_offset + head->filters_bytes);
}

size_t
dw__bloom_view_find(const dw_bloom_view *view, const dw_index_key *key, dw_bloom_place *out)
{
    size_t count = 0;
    for (size_t slot = slot_of(view, key); count < DW_BLOOM_PLACES_MAX;
         slot = (slot + 1) & (view->slot_count - 1)) {
        dw_bloom_place place = view->slots[slot];
        if (place.file == UINT32_MAX) {
            return count;
        }
        const index_file *file = view->files[place.file];
        dw_index_key there = dw__index_entry_key(&file->index, place.entry);
        if (dw__index_key_compare(&there, key) == 0 && !atomic_load(&file->is_bad)) {
            out[count++] = place;
        }
    }
    return count;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* Makes room: whatever is not of this file goes, and that too, if it is too much by itself. */
static void
make_room(dw_bloom_store *store, index_file *wanted, size_t size)
{
    if (store->cached_bytes + size <= DW_BLOOM_CACHE_BYTES_MAX) {
        return;
    }
    for (size_t i = 0; store->view != NULL && i < store->view->file_count; i++) {
        if (store->view->files[i] != wanted) {
            free_pages(store->view->files[i]);
        }
    }
    if (wanted->cached_bytes + size > DW_BLOOM_CACHE_BYTES_MAX) {
        free_pages(wanted);
    }
    count_cached(store);
}

/* Puts bytes from storage into the pages that they are, once their checksums were right. */
static dw_status
keep_pages(index_file *file, uint64_t first, dw_str bytes, dw_error *err)
{
    size_t at = 0;
    for (uint64_t i = first; at < bytes.len; i++) {
        size_t size = dw__index_page_size(&file->index, i);
        const uint8_t *page = (const uint8_t *) bytes.ptr + at;
        if (bytes.len - at < size || !dw__index_page_is_sound(&file->index, i, page)) {
            return dw__error_set(err, DW_CORRUPT, "INDEX_FILE_INVALID",
                                 "the index file has a wrong checksum of filters");
        }
        at += size;
        if (file->pages[i] != NULL) {
            continue;
        }
        file->pages[i] = dw__alloc(file->allocator, size);
        if (file->pages[i] == NULL) {
            return dw__error_oom(err);
        }
        memcpy(file->pages[i], page, size);
        file->cached_bytes += size;
    }
    return DW_OK;
}

static dw_status
read_pages(dw_bloom_store *store, index_file *file, uint64_t page_idx, dw_error *err)
{
    bool is_whole = file->index.head.filters_bytes <= DW_BLOOM_WHOLE_BYTES_MAX;
    uint64_t first = is_whole ? 0 : page_idx;
    size_t size = is_whole ? (size_t) file->index.head.filters_bytes
                           : dw__index_page_size(&file->index, page_idx);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(file->allocator, size);
    make_room(store, file, size);
    DW_TRY(dw__storage_get_range(
        store->storage, name_of(file),
        file->index.head.filters_offset + first * file->index.head.page_bytes, size, &bytes, err));
    if (bytes.len < size) {
        return dw__error_set(err, DW_CORRUPT, "INDEX_FILE_INVALID",
                             "the index file ends before its filters do");
    }
    dw_status status = keep_pages(file, first, dw__strbuf_str(&bytes), err);
    count_cached(store);
    return status;
}

static dw_status
has_item(dw_bloom_store *store, index_file *file, dw_index_filter filter, uint64_t item, bool *out,
         dw_error *err)
{
    uint64_t at =
        filter.offset + dw__bloom_block((size_t) filter.size, item) * DW_BLOOM_BLOCK_BYTES;
    uint64_t page_idx = at / file->index.head.page_bytes;
    if (file->pages[page_idx] == NULL) {
        DW_TRY(read_pages(store, file, page_idx, err));
    }
    *out = dw__bloom_block_has(file->pages[page_idx] + at % file->index.head.page_bytes, item);
    return DW_OK;
}

dw_status
dw__bloom_view_has(dw_bloom_view *view, dw_bloom_place place, size_t column_idx, uint64_t item,
                   bool *out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_bloom_store *store = view->store;
    index_file *file = view->files[place.file];
    dw_index_filter filter = dw__index_entry_filter(&file->index, place.entry, column_idx);
    dw_assert(dw__index_filter_is_there(filter));
    *out = true;
    if (atomic_load(&file->is_bad)) {
        return DW_OK;
    }
    pthread_mutex_lock(&store->mutex);
    dw_status status = has_item(store, file, filter, item, out, &cause);
    store->is_changed = store->is_changed || status == DW_NOT_FOUND;
    pthread_mutex_unlock(&store->mutex);
    if (status != DW_OK) {
        *out = true;
        return give_up(store, file, status, &cause, err);
    }
    return DW_OK;
}

dw_status
dw__bloom_view_read(dw_bloom_view *view, dw_bloom_place place, size_t column_idx, dw_strbuf *out,
                    dw_error *err)
{
    dw_bloom_store *store = view->store;
    index_file *file = view->files[place.file];
    dw_index_filter filter = dw__index_entry_filter(&file->index, place.entry, column_idx);
    size_t page_bytes = file->index.head.page_bytes;
    size_t left = (size_t) filter.size;
    dw_status status = DW_OK;
    pthread_mutex_lock(&store->mutex);
    for (uint64_t at = filter.offset; status == DW_OK && left > 0;) {
        uint64_t page_idx = at / page_bytes;
        size_t start = (size_t) (at % page_bytes);
        size_t len = left < page_bytes - start ? left : page_bytes - start;
        status = file->pages[page_idx] == NULL ? read_pages(store, file, page_idx, err) : DW_OK;
        if (status == DW_OK) {
            dw__strbuf_append(out, dw__str_make((const char *) file->pages[page_idx] + start, len));
            at += len;
            left -= len;
        }
    }
    pthread_mutex_unlock(&store->mutex);
    if (status == DW_CORRUPT) {
        atomic_store(&file->is_bad, true);
    }
    return status == DW_OK ? dw__strbuf_ok(out, "the filters of an index file", err) : status;
}
