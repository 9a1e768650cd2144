/*
 * A storage in memory, for tests and the simulator: an array of objects sorted by key, under one
 * mutex. It does what an object store does, and time comes from the environment's clock.
 *
 *  [MEMORY-1] Objects are sorted bytewise by key, each key once.
 *  [MEMORY-2] The bytes of an object never change: a put makes a new object in its place.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "storage/storage.h"

#include <inttypes.h>
#include <pthread.h>

typedef struct memory_object {
    char *key;
    size_t key_len;
    char *bytes;
    size_t size;
    int64_t modified_ms;
} memory_object;

typedef struct memory_storage {
    dw_storage base;
    pthread_mutex_t mutex; /* guards all below */
    memory_object *items;
    size_t count;
    size_t capacity;
} memory_storage;

static memory_storage *
from_base(dw_storage *storage)
{
    return (memory_storage *) storage;
}

static dw_str
object_key(const memory_object *object)
{
    return dw__str_make(object->key, object->key_len);
}

/* The index of the first object whose key is not before `key`. */
static size_t
lower_bound(const memory_storage *memory, dw_str key)
{
    size_t low = 0;
    size_t high = memory->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dw__str_compare(object_key(&memory->items[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static memory_object *
find(const memory_storage *memory, dw_str key)
{
    size_t idx = lower_bound(memory, key);
    bool is_there = idx < memory->count && dw__str_equal(object_key(&memory->items[idx]), key);
    return is_there ? &memory->items[idx] : NULL;
}

static dw_status
not_found(dw_str key, dw_error *err)
{
    return dw__error_set(err, DW_NOT_FOUND, "OBJECT_NOT_FOUND", "there is no object \"%.*s\"",
                         DW_STR_ARG(key));
}

static void
release_object(const dw_allocator *allocator, memory_object *object)
{
    dw__dealloc(allocator, object->key, object->key_len);
    dw__dealloc(allocator, object->bytes, object->size);
    *object = (memory_object){0};
}

static char *
copy_bytes(const dw_allocator *allocator, dw_str bytes)
{
    char *copy = dw__alloc(allocator, bytes.len);
    if (copy != NULL && bytes.len > 0) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    return copy;
}

static bool
make_object(const dw_env *env, dw_str key, dw_str bytes, memory_object *out)
{
    *out = (memory_object){.key = copy_bytes(env->allocator, key),
                           .key_len = key.len,
                           .bytes = copy_bytes(env->allocator, bytes),
                           .size = bytes.len,
                           .modified_ms = dw__env_now_ms(env)};
    if (out->key == NULL || out->bytes == NULL) {
        release_object(env->allocator, out);
        return false;
    }
    return true;
}

/* Takes `object` over on success only. */
static bool
insert(memory_storage *memory, memory_object object)
{
    size_t idx = lower_bound(memory, object_key(&object));
    if (DW_VEC_PUSH(memory->base.env->allocator, memory) == NULL) {
        return false;
    }
    memmove(&memory->items[idx + 1], &memory->items[idx],
            (memory->count - 1 - idx) * sizeof(memory_object));
    memory->items[idx] = object;
    return true;
}

static dw_status
memory_put_any(dw_storage *storage, dw_str key, dw_str bytes, bool may_replace, dw_error *err)
{
    memory_storage *memory = from_base(storage);
    memory_object object;
    if (!make_object(storage->env, key, bytes, &object)) {
        return dw__error_oom(err);
    }
    dw_status status = DW_OK;
    pthread_mutex_lock(&memory->mutex);
    memory_object *old = find(memory, key);
    if (old != NULL && may_replace) {
        memory_object replaced = *old;
        *old = object;
        object = replaced;
    } else if (old != NULL) {
        status = dw__error_set(err, DW_ALREADY_EXISTS, "OBJECT_EXISTS",
                               "the object \"%.*s\" is there already", DW_STR_ARG(key));
    } else if (insert(memory, object)) {
        object = (memory_object){0};
    } else {
        status = dw__error_oom(err);
    }
    pthread_mutex_unlock(&memory->mutex);
    release_object(storage->env->allocator, &object);
    return status;
}

static dw_status
memory_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    return memory_put_any(storage, key, bytes, false, err);
}

static dw_status
memory_put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    return memory_put_any(storage, key, bytes, true, err);
}

static dw_status
too_large(dw_str key, size_t size, size_t size_max, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "OBJECT_TOO_LARGE",
                         "expected \"%.*s\" to have at most %zu bytes, found %zu", DW_STR_ARG(key),
                         size_max, size);
}

static dw_status
memory_get(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out, dw_error *err)
{
    memory_storage *memory = from_base(storage);
    dw_status status = DW_OK;
    pthread_mutex_lock(&memory->mutex);
    const memory_object *object = find(memory, key);
    if (object == NULL) {
        status = not_found(key, err);
    } else if (object->size > buf->size_max) {
        status = too_large(key, object->size, buf->size_max, err);
    } else {
        dw__strbuf_append(buf, dw__str_make(object->bytes, object->size));
        status = dw__strbuf_ok(buf, "an object", err);
        if (modified_ms_out != NULL && status == DW_OK) {
            *modified_ms_out = object->modified_ms;
        }
    }
    pthread_mutex_unlock(&memory->mutex);
    return status;
}

static dw_status
memory_get_range(dw_storage *storage, dw_str key, uint64_t offset, size_t len, dw_strbuf *buf,
                 dw_error *err)
{
    memory_storage *memory = from_base(storage);
    dw_status status = DW_OK;
    pthread_mutex_lock(&memory->mutex);
    const memory_object *object = find(memory, key);
    if (object == NULL) {
        status = not_found(key, err);
    } else if (offset < object->size) {
        dw_str bytes = dw__str_make(object->bytes, object->size);
        dw__strbuf_append(buf, dw__str_slice(bytes, (size_t) offset, len));
        status = dw__strbuf_ok(buf, "a range of an object", err);
    }
    pthread_mutex_unlock(&memory->mutex);
    return status;
}

static bool
is_listed(const memory_object *object, const dw_list_request *request)
{
    dw_str rest = dw__str_slice(object_key(object), request->prefix.len, SIZE_MAX);
    return request->recursive || dw__str_find(rest, '/') == SIZE_MAX;
}

static bool
append_meta(const memory_object *object, dw_arena *arena, dw_object_meta *out)
{
    out->size_bytes = (int64_t) object->size;
    out->modified_ms = object->modified_ms;
    return dw__arena_dup(arena, object_key(object), &out->key);
}

/* The objects of one page; false when out of memory. */
static bool
fill_page(const memory_storage *memory, const dw_list_request *request, dw_arena *arena,
          dw_list_page *page)
{
    bool from_start = dw__str_compare(request->start_after, request->prefix) < 0;
    size_t idx = lower_bound(memory, from_start ? request->prefix : request->start_after);
    size_t capacity = memory->count - idx < request->limit ? memory->count - idx : request->limit;
    page->objects = DW_ARENA_ARRAY(arena, dw_object_meta, capacity);
    if (page->objects == NULL) {
        return false;
    }
    for (; idx < memory->count; idx++) {
        const memory_object *object = &memory->items[idx];
        if (!dw__str_starts_with(object_key(object), request->prefix)) {
            break;
        }
        bool is_behind = dw__str_compare(object_key(object), request->start_after) > 0;
        if (!is_behind || !is_listed(object, request)) {
            continue;
        }
        if (page->count == request->limit) {
            page->has_more = true;
            break;
        }
        if (!append_meta(object, arena, &page->objects[page->count])) {
            return false;
        }
        page->count++;
    }
    return true;
}

static dw_status
memory_list(dw_storage *storage, const dw_list_request *request, dw_arena *arena,
            dw_list_page *page_out, dw_error *err)
{
    memory_storage *memory = from_base(storage);
    pthread_mutex_lock(&memory->mutex);
    bool filled = fill_page(memory, request, arena, page_out);
    pthread_mutex_unlock(&memory->mutex);
    return filled ? DW_OK : dw__error_oom(err);
}

static dw_status
memory_head(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err)
{
    memory_storage *memory = from_base(storage);
    dw_status status = DW_OK;
    pthread_mutex_lock(&memory->mutex);
    const memory_object *object = find(memory, key);
    if (object == NULL) {
        status = not_found(key, err);
    } else {
        *meta_out = (dw_object_meta){key, (int64_t) object->size, object->modified_ms};
    }
    pthread_mutex_unlock(&memory->mutex);
    return status;
}

static dw_status
memory_remove(dw_storage *storage, dw_str key, dw_error *err)
{
    (void) err;
    memory_storage *memory = from_base(storage);
    pthread_mutex_lock(&memory->mutex);
    memory_object *object = find(memory, key);
    if (object != NULL) {
        release_object(storage->env->allocator, object);
        size_t behind = memory->count - 1 - (size_t) (object - memory->items);
        memmove(object, object + 1, behind * sizeof(memory_object));
        memory->count--;
    }
    pthread_mutex_unlock(&memory->mutex);
    return DW_OK;
}

static dw_status
memory_sync(dw_storage *storage, const dw_sync_request *requests, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        dw_object_meta meta = {0};
        DW_TRY(memory_head(storage, requests[i].key, &meta, err));
        if (requests[i].size_bytes >= 0 && requests[i].size_bytes != meta.size_bytes) {
            return dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                                 "expected \"%.*s\" to have %" PRId64 " bytes, found %" PRId64,
                                 DW_STR_ARG(requests[i].key), requests[i].size_bytes,
                                 meta.size_bytes);
        }
    }
    return DW_OK;
}

static dw_status
memory_prepare(dw_storage *storage, dw_str prefix, dw_error *err)
{
    (void) storage;
    (void) prefix;
    (void) err;
    return DW_OK;
}

static void
memory_close(dw_storage *storage)
{
    memory_storage *memory = from_base(storage);
    const dw_allocator *allocator = storage->env->allocator;
    for (size_t i = 0; i < memory->count; i++) {
        release_object(allocator, &memory->items[i]);
    }
    DW_VEC_DEINIT(allocator, memory);
    pthread_mutex_destroy(&memory->mutex);
    DW_DELETE(allocator, memory);
}

dw_status
dw__storage_memory_open(const dw_env *env, dw_storage **out, dw_error *err)
{
    static const dw_storage_ops ops = {
        .get = memory_get,
        .get_range = memory_get_range,
        .put_if_absent = memory_put_if_absent,
        .put = memory_put,
        .list = memory_list,
        .head = memory_head,
        .remove = memory_remove,
        .sync = memory_sync,
        .prepare = memory_prepare,
        .close = memory_close,
    };
    *out = NULL;
    memory_storage *memory = DW_NEW(env->allocator, memory_storage);
    if (memory == NULL) {
        return dw__error_oom(err);
    }
    memory->base = (dw_storage){&ops, env, DW_STR_NULL};
    int failed = pthread_mutex_init(&memory->mutex, NULL);
    dw_assert(failed == 0);
    *out = &memory->base;
    return DW_OK;
}
