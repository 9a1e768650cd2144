/*
 * What is the same for every storage: keys are checked and outputs are set before the
 * implementation is called, so that it sees only what is sound.
 *
 *  [STORAGE-6] No implementation ever gets a key that leads out of its root.
 */
#include "storage/storage.h"

#include "base/assert.h"

#include <inttypes.h>

static bool
is_part_sound(dw_str part)
{
    return part.len > 0 && !dw__str_equal(part, DW_STR(".")) && !dw__str_equal(part, DW_STR(".."));
}

/* What is wrong with `key`, or NULL. The last part of a prefix is the beginning of a name: it may
 * be anything, as "_delta_log/" or "..data". */
static const char *
find_fault(dw_str key, bool is_prefix)
{
    if (key.len > DW_STORAGE_KEY_BYTES_MAX) {
        return "is too long";
    }
    if (dw__str_find(key, '\0') != SIZE_MAX) {
        return "holds a NUL byte";
    }
    dw_str rest = key;
    for (;;) {
        size_t slash = dw__str_find(rest, '/');
        bool is_last = slash == SIZE_MAX;
        dw_str part = is_last ? rest : dw__str_slice(rest, 0, slash);
        if (!is_part_sound(part) && !(is_last && is_prefix)) {
            return "has a part that is empty, \".\" or \"..\"";
        }
        if (is_last) {
            return NULL;
        }
        rest = dw__str_slice(rest, slash + 1, rest.len);
    }
}

static dw_status
refuse_key(dw_str key, const char *fault, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
                         "expected a relative key of at most %zu bytes, found \"%.*s\" that %s",
                         DW_STORAGE_KEY_BYTES_MAX, DW_STR_ARG(dw__str_slice(key, 0, 200)), fault);
}

dw_status
dw__storage_key_check(dw_str key, dw_error *err)
{
    const char *fault = find_fault(key, false);
    return fault == NULL ? DW_OK : refuse_key(key, fault, err);
}

static dw_status
check_prefix(dw_str prefix, dw_error *err)
{
    const char *fault = find_fault(prefix, true);
    return fault == NULL ? DW_OK : refuse_key(prefix, fault, err);
}

void
dw__storage_close(dw_storage *storage)
{
    if (storage != NULL) {
        storage->ops->close(storage);
    }
}

dw_status
dw__storage_get(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out,
                dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(buf != NULL);
    dw__strbuf_clear(buf);
    if (modified_ms_out != NULL) {
        *modified_ms_out = 0;
    }
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->get(storage, key, buf, modified_ms_out, err);
}

dw_status
dw__storage_get_range(dw_storage *storage, dw_str key, uint64_t offset, size_t len, dw_strbuf *buf,
                      dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(buf != NULL);
    dw__strbuf_clear(buf);
    DW_TRY(dw__storage_key_check(key, err));
    if (offset > (uint64_t) INT64_MAX - len) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_RANGE_INVALID",
                             "expected a range below 2^63, found offset %llu of \"%.*s\"",
                             (unsigned long long) offset, DW_STR_ARG(key));
    }
    return storage->ops->get_range(storage, key, offset, len, buf, err);
}

dw_status
dw__storage_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->put_if_absent(storage, key, bytes, err);
}

dw_status
dw__storage_put_hint_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->put_hint_if_absent == NULL
               ? storage->ops->put_if_absent(storage, key, bytes, err)
               : storage->ops->put_hint_if_absent(storage, key, bytes, err);
}

dw_status
dw__storage_put_draft_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_draft **draft_io,
                                dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(draft_io != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->put_draft_if_absent == NULL
               ? storage->ops->put_if_absent(storage, key, bytes, err)
               : storage->ops->put_draft_if_absent(storage, key, bytes, draft_io, err);
}

void
dw__storage_draft_free(dw_storage *storage, dw_draft *draft)
{
    if (draft != NULL) {
        storage->ops->draft_free(storage, draft);
    }
}

dw_status
dw__storage_put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->put(storage, key, bytes, err);
}

dw_status
dw__storage_put_hint(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->put_hint == NULL ? storage->ops->put(storage, key, bytes, err)
                                          : storage->ops->put_hint(storage, key, bytes, err);
}

dw_status
dw__storage_list(dw_storage *storage, const dw_list_request *request, dw_arena *arena,
                 dw_list_page *page_out, dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(arena != NULL);
    *page_out = (dw_list_page){0};
    DW_TRY(check_prefix(request->prefix, err));
    dw_list_request bounded = *request;
    bounded.prefix = dw__str_is_null(bounded.prefix) ? DW_STR("") : bounded.prefix;
    bounded.start_after = dw__str_is_null(bounded.start_after) ? DW_STR("") : bounded.start_after;
    if (bounded.limit == 0 || bounded.limit > DW_STORAGE_PAGE_OBJECTS_MAX) {
        bounded.limit = DW_STORAGE_PAGE_OBJECTS_MAX;
    }
    dw_status status = storage->ops->list(storage, &bounded, arena, page_out, err);
    if (status != DW_OK) {
        *page_out = (dw_list_page){0};
    }
    return status;
}

dw_status
dw__storage_head(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err)
{
    dw_assert(storage != NULL);
    *meta_out = (dw_object_meta){0};
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->head(storage, key, meta_out, err);
}

dw_status
dw__storage_remove(dw_storage *storage, dw_str key, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->remove(storage, key, err);
}

dw_status
dw__storage_remove_directory(dw_storage *storage, dw_str key, bool *removed_out, dw_error *err)
{
    dw_assert(storage != NULL);
    *removed_out = false;
    DW_TRY(dw__storage_key_check(key, err));
    return storage->ops->remove_directory == NULL
               ? DW_OK
               : storage->ops->remove_directory(storage, key, removed_out, err);
}

dw_status
dw__storage_sync(dw_storage *storage, dw_str key, int64_t size_bytes, dw_error *err)
{
    dw_sync_request request = {key, size_bytes};
    return dw__storage_sync_many(storage, &request, 1, err);
}

dw_status
dw__storage_sync_many(dw_storage *storage, const dw_sync_request *requests, size_t count,
                      dw_error *err)
{
    dw_assert(storage != NULL);
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__storage_key_check(requests[i].key, err));
    }
    return count == 0 ? DW_OK : storage->ops->sync(storage, requests, count, err);
}

dw_status
dw__storage_append(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    if (storage->ops->append != NULL) {
        return storage->ops->append(storage, key, bytes, err);
    }
    DW_AUTO(dw_strbuf) whole =
        dw__strbuf_make(storage->env->allocator, DW_STORAGE_APPENDED_BYTES_MAX);
    DW_TRY(storage->ops->get(storage, key, &whole, NULL, err));
    dw__strbuf_append(&whole, bytes);
    DW_TRY(dw__strbuf_ok(&whole, "an object", err));
    return storage->ops->put(storage, key, dw__strbuf_str(&whole), err);
}

/* For storages that cannot do better. */
static dw_status
compose_in_memory(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count,
                  dw_error *err)
{
    DW_AUTO(dw_strbuf) whole =
        dw__strbuf_make(storage->env->allocator, DW_STORAGE_APPENDED_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        const dw_piece *piece = &pieces[i];
        if (dw__str_is_null(piece->key)) {
            dw__strbuf_append(&whole, piece->bytes);
            continue;
        }
        size_t before = whole.len;
        DW_TRY(storage->ops->get_range(storage, piece->key, piece->offset, (size_t) piece->size,
                                       &whole, err));
        if (whole.len - before != piece->size) {
            return dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                                 "expected %.*s to have %" PRIu64 " bytes, found fewer",
                                 DW_STR_ARG(piece->key), piece->offset + piece->size);
        }
    }
    DW_TRY(dw__strbuf_ok(&whole, "an object", err));
    return storage->ops->put(storage, key, dw__strbuf_str(&whole), err);
}

dw_status
dw__storage_compose(dw_storage *storage, dw_str key, const dw_piece *pieces, size_t count,
                    dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(dw__storage_key_check(key, err));
    for (size_t i = 0; i < count; i++) {
        if (!dw__str_is_null(pieces[i].key)) {
            DW_TRY(dw__storage_key_check(pieces[i].key, err));
        }
    }
    return storage->ops->compose != NULL ? storage->ops->compose(storage, key, pieces, count, err)
                                         : compose_in_memory(storage, key, pieces, count, err);
}

dw_status
dw__storage_copy(dw_storage *storage, dw_str key, dw_storage *from, dw_str from_key,
                 int64_t *size_out, dw_error *err)
{
    dw_assert(storage != NULL);
    dw_assert(from != NULL);
    *size_out = 0;
    DW_TRY(dw__storage_key_check(key, err));
    DW_TRY(dw__storage_key_check(from_key, err));
    if (storage->ops->copy != NULL && storage->ops == from->ops) {
        return storage->ops->copy(storage, key, from, from_key, size_out, err);
    }
    DW_AUTO(dw_strbuf)
    bytes = dw__strbuf_make(storage->env->allocator, DW_STORAGE_APPENDED_BYTES_MAX);
    DW_TRY(from->ops->get(from, from_key, &bytes, NULL, err));
    *size_out = (int64_t) bytes.len;
    return storage->ops->put_if_absent(storage, key, dw__strbuf_str(&bytes), err);
}

dw_status
dw__storage_prepare(dw_storage *storage, dw_str prefix, dw_error *err)
{
    dw_assert(storage != NULL);
    DW_TRY(check_prefix(prefix, err));
    return storage->ops->prepare(storage, prefix, err);
}
